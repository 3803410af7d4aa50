/* Every rule, with somebody whom it lets pass and somebody whom it refuses. */
#include "policy_fixture.h"

#include "base/file.h"
#include "request/request.h"

#define CA_KEYS                                                                                    \
    {                                                                                              \
        "keys", "keys: [{ec: [P-256], key_usage: [keyCertSign, cRLSign]}]"                         \
    }
#define ANY_NAME                                                                                   \
    {                                                                                              \
        "subject", "subject: [{CN: Example}]"                                                      \
    }
#define TWO_KINDS                                                                                  \
    {                                                                                              \
        "keys", "keys: [{rsa: 2048..3072, key_usage: [digitalSignature, keyEncipherment]}, "       \
                "{rsa: 4096, key_usage: [digitalSignature]}, "                                     \
                "{ec: [P-256, P-384], key_usage: [nonRepudiation]}]"                               \
    }
#define LONG_NAME                                                                                  \
    {                                                                                              \
        "subject", "subject: [{CN: '${device.id}'}, {O: Example GmbH}, {OU: a}, {OU: b}]"          \
    }
#define OPTIONAL_UNIT                                                                              \
    {                                                                                              \
        "subject", "subject: [{CN: '${device.id}'}, {OU: {value: '${device.unit}', optional: "     \
                   "true}}, {OU: b}]"                                                              \
    }
#define EQUAL_VENDOR                                                                               \
    {                                                                                              \
        "subject", "subject: [{CN: '${device.id}'}, {VID: {value: FFF1, issuer: equal}}]"          \
    }
#define VENDOR_OR_NONE                                                                             \
    {                                                                                              \
        "subject", "subject: [{VID: {value: FFF1, issuer: equal-or-absent}}]"                      \
    }
#define TWO_SANS                                                                                   \
    {                                                                                              \
        "san", "san: [{uri: 'urn:dev:${device.id}'}, {dns: '${device.type}.example'}]"             \
    }

/* Who asks */

static void nobody(struct asking *asking)
{
    asking->requester.evidence = 0;
}

static void by_ticket(struct asking *asking)
{
    asking->requester.evidence = SG_BY_TICKET;
}

static void by_renewal(struct asking *asking)
{
    asking->requester.evidence = SG_BY_RENEWAL;
}

static void by_lease(struct asking *asking)
{
    asking->requester.evidence = SG_BY_LEASE;
}

static void by_officer(struct asking *asking)
{
    asking->requester.evidence = SG_BY_OFFICER;
}

static void with_approval(struct asking *asking)
{
    asking->requester.evidence = SG_BY_TICKET | SG_BY_APPROVAL;
}

static void disabled_device(struct asking *asking)
{
    asking->requester.device.disabled = true;
}

static void no_device(struct asking *asking)
{
    asking->requester.has_device = false;
}

static void a_user(struct asking *asking)
{
    asking->requester.has_user = true;
    asking->requester.user.id = strdup("Ada");
}

static void disabled_user(struct asking *asking)
{
    a_user(asking);
    asking->requester.user.disabled = true;
}

/* With which key */

static void key(struct asking *asking, enum sg_key_family family, unsigned bits)
{
    asking->request.key.kind = (struct sg_key_kind){family, bits};
}

static void p384(struct asking *asking)
{
    key(asking, SG_KEY_EC, 384);
}

static void p521(struct asking *asking)
{
    key(asking, SG_KEY_EC, 521);
}

static void other_curve(struct asking *asking)
{
    key(asking, SG_KEY_EC, 0);
}

static void rsa2047(struct asking *asking)
{
    key(asking, SG_KEY_RSA, 2047);
}

static void rsa2048(struct asking *asking)
{
    key(asking, SG_KEY_RSA, 2048);
}

static void rsa3073(struct asking *asking)
{
    key(asking, SG_KEY_RSA, 3073);
}

static void rsa4096(struct asking *asking)
{
    key(asking, SG_KEY_RSA, 4096);
}

static void ed25519(struct asking *asking)
{
    key(asking, SG_KEY_ED25519, 0);
}

static void ml_dsa_65(struct asking *asking)
{
    key(asking, SG_KEY_ML_DSA, 65);
}

static void ml_dsa_87(struct asking *asking)
{
    key(asking, SG_KEY_ML_DSA, 87);
}

static void other_key(struct asking *asking)
{
    key(asking, SG_KEY_OTHER, 0);
}

/* Under which name */

static void an_spkac(struct asking *asking)
{
    asking->request.format = SG_REQUEST_SPKAC;
}

static void same_name(struct asking *asking)
{
    ask_subject(asking, "CN=device-AB12");
}

static void version_3(struct asking *asking)
{
    asking->request.version = 2;
}

static void vendor_fff1(struct asking *asking)
{
    have_issuer(asking, "CN=Example,VID=FFF1");
}

static void vendor_fff2(struct asking *asking)
{
    have_issuer(asking, "CN=Example,VID=FFF2");
}

static void two_vendors(struct asking *asking)
{
    have_issuer(asking, "VID=FFF1,VID=FFF2");
}

static void unreadable_issuer(struct asking *asking)
{
    asking->issuer.subject = NULL;
}

static void asks_for_fff2(struct asking *asking)
{
    vendor_fff1(asking);
    ask_subject(asking, "CN=device-AB12,VID=FFF2");
}

static void asks_for_b(struct asking *asking)
{
    ask_subject(asking, "CN=device-AB12,OU=b");
}

static void asks_for_c(struct asking *asking)
{
    ask_subject(asking, "CN=device-AB12,OU=c");
}

static void asks_for_b_and_c(struct asking *asking)
{
    ask_subject(asking, "CN=device-AB12,OU=b,OU=c");
}

static void permits_dns(struct asking *asking)
{
    constrain_issuer(asking, "permitted;DNS:example");
}

static void permits_other_dns(struct asking *asking)
{
    constrain_issuer(asking, "permitted;DNS:example.com");
}

static void excludes_uri(struct asking *asking)
{
    constrain_issuer(asking, "excluded;URI:.example.com");
}

static void excludes_mail(struct asking *asking)
{
    constrain_issuer(asking, "excluded;email:example.com");
}

static void odd_constraints(struct asking *asking)
{
    ASN1_OCTET_STRING *noise = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;

    assert_true(ASN1_OCTET_STRING_set(noise, (const unsigned char *)"noise", 5));
    extension = X509_EXTENSION_create_by_NID(NULL, NID_name_constraints, 1, noise);
    asking->issuer.certificate = X509_new();
    assert_true(X509_add_ext(asking->issuer.certificate, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(noise);
}

static void other_name(struct asking *asking)
{
    ask_subject(asking, "CN=device-ZZ99");
}

static void hostile_name(struct asking *asking)
{
    ask_subject(asking, "CN=device-AB12 ");
}

static void name_in_capitals(struct asking *asking)
{
    ask_subject(asking, "CN=DEVICE-AB12");
}

static void more_name(struct asking *asking)
{
    ask_subject(asking, "CN=device-AB12,O=Example GmbH");
}

static void name_twice(struct asking *asking)
{
    ask_subject(asking, "CN=device-AB12,CN=device-AB12");
}

static void long_name(struct asking *asking)
{
    ask_subject(asking, "OU=a,O=Example GmbH,OU=b,CN=device-AB12");
}

static void long_name_swapped(struct asking *asking)
{
    ask_subject(asking, "OU=b,O=Example GmbH,OU=a,CN=device-AB12");
}

static void long_name_changed(struct asking *asking)
{
    ask_subject(asking, "OU=a,O=Example GmbH,OU=c,CN=device-AB12");
}

static void same_san(struct asking *asking)
{
    ask_san(asking, SG_SAN_URI, "urn:dev:device-AB12");
}

static void both_sans(struct asking *asking)
{
    ask_san(asking, SG_SAN_DNS, "LEO.example");
    ask_san(asking, SG_SAN_URI, "urn:dev:device-AB12");
}

static void other_san(struct asking *asking)
{
    ask_san(asking, SG_SAN_URI, "urn:dev:device-AB12");
    ask_san(asking, SG_SAN_DNS, "www.example");
}

static void san_of_other_kind(struct asking *asking)
{
    ask_san(asking, SG_SAN_EMAIL, "device@leo.example");
}

static void type_with_a_space(struct asking *asking)
{
    struct sg_error error = {0};

    must(sg_record_set(&asking->requester.device, "type", "a b", &error), &error);
}

/* Asking for which extensions */

static void usage_given(struct asking *asking)
{
    asking->request.key_usage = SG_KU_DIGITAL_SIGNATURE;
}

static void usage_more(struct asking *asking)
{
    asking->request.key_usage = SG_KU_DIGITAL_SIGNATURE | SG_KU_KEY_AGREEMENT;
}

static void client_auth(struct asking *asking)
{
    ask_purpose(asking, "clientAuth");
    ask_extension(asking, "2.5.29.37", "any bytes: purposes holds them decoded");
}

static void server_auth(struct asking *asking)
{
    ask_purpose(asking, "clientAuth");
    ask_purpose(asking, "serverAuth");
}

static void any_purpose(struct asking *asking)
{
    ask_purpose(asking, "anyExtendedKeyUsage");
}

static void constraints(struct asking *asking, bool ca, long path_length)
{
    asking->request.has_basic_constraints = true;
    asking->request.ca = ca;
    asking->request.path_length = path_length;
    ask_extension(asking, "2.5.29.19", "any bytes");
}

static void ca_false(struct asking *asking)
{
    constraints(asking, false, -1);
}

static void ca_true(struct asking *asking)
{
    constraints(asking, true, -1);
}

static void ca_path_0(struct asking *asking)
{
    constraints(asking, true, 0);
}

static void ca_path_1(struct asking *asking)
{
    constraints(asking, true, 1);
}

static void ca_path_2(struct asking *asking)
{
    constraints(asking, true, 2);
}

static void key_identifier(struct asking *asking)
{
    ask_extension(asking, "2.5.29.14", "any bytes");
}

static void given_extension(struct asking *asking)
{
    ask_extension(asking, "1.2.3", "\x0c\x03leo");
}

static void given_extension_changed(struct asking *asking)
{
    ask_extension(asking, "1.2.3", "\x0c\x03luo");
}

static void other_extension(struct asking *asking)
{
    ask_extension(asking, "1.2.3", "\x0c\x03leo");
    ask_extension(asking, "1.2.4", "\x0c\x03leo");
}

static void policies_extension(struct asking *asking)
{
    ask_extension(asking, "2.5.29.32", "any bytes");
}

/* By which issuer, and when */

static void own_key(struct asking *asking)
{
    asking->request.format = SG_REQUEST_OWN_KEY;
    asking->issuer.not_before = 0;
    asking->issuer.not_after = SG_TIME_NEVER;
}

static void issuer_path_0(struct asking *asking)
{
    asking->issuer.path_length = 0;
}

static void issuer_path_1(struct asking *asking)
{
    asking->issuer.path_length = 1;
}

static void issuer_path_2(struct asking *asking)
{
    asking->issuer.path_length = 2;
}

static void no_urls(struct asking *asking)
{
    asking->issuer.crl_url = asking->issuer.ocsp_url = asking->issuer.ca_issuers_url = NULL;
}

static void issuer_ends(struct asking *asking, const char *end)
{
    asking->issuer.not_after = moment(end);
}

static void issuer_expired(struct asking *asking)
{
    issuer_ends(asking, "2025-12-31T23:59:59Z");
}

static void issuer_expires_now(struct asking *asking)
{
    issuer_ends(asking, "2026-01-01T00:00:00Z");
}

static void issuer_ends_early(struct asking *asking)
{
    issuer_ends(asking, "2026-12-31T23:59:59Z");
}

static void issuer_ends_just_then(struct asking *asking)
{
    issuer_ends(asking, "2027-01-01T00:00:00Z");
}

static void issuer_begins_now(struct asking *asking)
{
    asking->issuer.not_before = asking->now;
}

static void issuer_begins_later(struct asking *asking)
{
    asking->issuer.not_before = asking->now + 1;
}

static void far_future(struct asking *asking)
{
    asking->now = SG_TIME_NEVER - 100;
    asking->issuer.not_after = SG_TIME_NEVER;
}

static const struct {
    const char *name;
    struct change changes[MOST_CHANGES];
    void (*change)(struct asking *asking);
    const char *rule; /* NULL: accepted */
    const char *text; /* in the refusal */
} CASES[] = {
    {"the small policy", {{0}}, NULL, NULL, NULL},

    /* who */
    {"nobody", {{0}}, nobody, "who", "this policy wants operator; the requester brings nothing"},
    {"ticket for operator",
     {{0}},
     by_ticket,
     "who",
     "this policy wants operator; the requester brings ticket"},
    {"one of any", {{"who", "who: {any: [ticket, operator]}"}}, by_ticket, NULL, NULL},
    {"none of any",
     {{"who", "who: {any: [ticket, operator]}"}},
     by_lease,
     "who",
     "wants operator or ticket; the requester brings lease"},
    {"lease", {{"who", "who: {any: [lease]}"}}, by_lease, NULL, NULL},
    {"officer", {{"who", "who: {any: [operator, officer]}"}}, by_officer, NULL, NULL},
    {"an officer is not at the CA",
     {{"who", "who: {any: [operator, ticket]}"}},
     by_officer,
     "who",
     "wants operator or ticket; the requester brings officer"},
    {"renewal",
     {{"who", "who: {any: [renewal]}"}, {"renewal", "renewal: {window: 9d}"}},
     by_renewal,
     NULL,
     NULL},
    {"all of them",
     {{"who", "who: {all: [ticket, {approval: officer}]}"}},
     with_approval,
     NULL,
     NULL},
    {"only the approval is to come",
     {{"who", "who: {all: [ticket, {approval: officer}]}"}},
     by_ticket,
     NULL,
     NULL},
    {"not all of them",
     {{"who", "who: {all: [ticket, {approval: officer}]}"}},
     by_lease,
     "who",
     "wants ticket and approval by officer; the requester brings lease"},
    {"an approval of nobody's request",
     {{"who", "who: {any: [ticket, {approval: officer}]}"}},
     nobody,
     "who",
     "wants ticket or approval by officer; the requester brings nothing"},
    {"approval alone", {{"who", "who: {any: [{approval: officer}]}"}}, with_approval, NULL, NULL},
    {"disabled device", {{0}}, disabled_device, "who", "device device-AB12 is disabled"},
    {"disabled user", {{0}}, disabled_user, "who", "user Ada is disabled"},

    /* keys */
    {"P-384 where P-256", {{0}}, p384, "keys", "the key is P-384; this policy takes P-256"},
    {"P-384", {TWO_KINDS}, p384, NULL, NULL},
    {"P-521",
     {TWO_KINDS},
     p521,
     "keys",
     "the key is P-521; this policy takes RSA-2048..3072, RSA-4096, P-256, P-384"},
    {"another curve", {TWO_KINDS}, other_curve, "keys", "the key is EC on another curve; this"},
    {"RSA, smallest", {TWO_KINDS}, rsa2048, NULL, NULL},
    {"RSA, too small", {TWO_KINDS}, rsa2047, "keys", "the key is RSA-2047; this policy takes RSA"},
    {"RSA, between", {TWO_KINDS}, rsa3073, "keys", "the key is RSA-3073"},
    {"RSA, a single size", {TWO_KINDS}, rsa4096, NULL, NULL},
    {"RSA where EC", {{0}}, rsa2048, "keys", "the key is RSA-2048; this policy takes P-256"},
    {"Ed25519",
     {{"keys", "keys: [{ed25519: true, key_usage: [digitalSignature]}]"}},
     ed25519,
     NULL,
     NULL},
    {"Ed25519 where EC", {{0}}, ed25519, "keys", "the key is Ed25519; this policy takes P-256"},
    {"EC where Ed25519",
     {{"keys", "keys: [{ed25519: true, key_usage: [digitalSignature]}]"}},
     NULL,
     "keys",
     "the key is P-256; this policy takes Ed25519"},
    {"ML-DSA-65 beside EC",
     {{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature]}, "
               "{ml-dsa: [ML-DSA-65], key_usage: [digitalSignature]}]"}},
     ml_dsa_65,
     NULL,
     NULL},
    {"another ML-DSA",
     {{"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature]}, "
               "{ml-dsa: [ML-DSA-44, ML-DSA-65], key_usage: [digitalSignature]}]"}},
     ml_dsa_87,
     "keys",
     "the key is ML-DSA-87; this policy takes P-256, ML-DSA-44, ML-DSA-65"},
    {"ML-DSA where EC", {{0}}, ml_dsa_65, "keys", "the key is ML-DSA-65; this policy takes P-256"},
    {"no known key", {TWO_KINDS}, other_key, "keys", "this policy takes"},

    /* subject, san */
    {"same name", {{0}}, same_name, NULL, NULL},
    {"other name",
     {{0}},
     other_name,
     "subject.CN",
     "the request says CN=device-ZZ99; this policy gives CN=device-AB12"},
    {"nearly the name", {{0}}, hostile_name, "subject.CN", "the request says CN=device-AB12 ;"},
    {"the name in capitals",
     {{0}},
     name_in_capitals,
     "subject.CN",
     "the request says CN=DEVICE-AB12;"},
    {"other name, ignored", {{"request", "request: {subject: ignore}"}}, other_name, NULL, NULL},
    {"no device", {{0}}, no_device, "subject.CN", "no device was named"},
    {"second of a type",
     {LONG_NAME},
     long_name_changed,
     "subject.OU[2]",
     "the request says OU=c; this policy gives OU=b"},
    /* an entry that is left out is none that the request could say */
    {"an optional entry left out, the next one said", {OPTIONAL_UNIT}, asks_for_b, NULL, NULL},
    {"an optional entry left out, another one said",
     {OPTIONAL_UNIT},
     asks_for_c,
     "subject.OU[2]",
     "the request says OU=c; this policy gives OU=b"},
    {"an optional entry left out, more said",
     {OPTIONAL_UNIT},
     asks_for_b_and_c,
     "request.subject",
     "the request asks for OU, which this policy does not give"},

    /* what the issuer's subject says */
    {"the issuer's value",
     {{"subject", "subject: [{VID: '${issuer.VID}'}]"}},
     vendor_fff1,
     NULL,
     NULL},
    {"the issuer's value by OID",
     {{"subject", "subject: [{O: '${issuer.1.3.6.1.4.1.37244.2.1}'}]"}},
     vendor_fff1,
     NULL,
     NULL},
    {"the issuer has none",
     {{"subject", "subject: [{VID: '${issuer.VID}'}]"}},
     NULL,
     "subject.VID",
     "${issuer.VID} has no value: the issuer's subject has no VID"},
    {"the issuer has none, optional",
     {{"subject",
       "subject: [{CN: '${device.id}'}, {VID: {value: '${issuer.VID}', optional: true}}]"}},
     NULL,
     NULL,
     NULL},
    {"the issuer has two",
     {{"subject", "subject: [{VID: '${issuer.VID}'}]"}},
     two_vendors,
     "subject.VID",
     "${issuer.VID} wants exactly one value: the issuer's subject has 2"},
    {"an issuer that can't be read",
     {{"subject",
       "subject: [{CN: '${device.id}'}, {VID: {value: '${issuer.VID}', optional: true}}]"}},
     unreadable_issuer,
     "subject.VID",
     "issuer issuing-2026 has no subject that can be read"},
    {"the request says another",
     {{"subject", "subject: [{CN: '${device.id}'}, {VID: '${issuer.VID}'}]"}},
     asks_for_fff2,
     "subject.VID",
     "the request says VID=FFF2; this policy gives VID=FFF1"},
    {"equal to the issuer's", {EQUAL_VENDOR}, vendor_fff1, NULL, NULL},
    {"not equal to the issuer's",
     {EQUAL_VENDOR},
     vendor_fff2,
     "subject.VID",
     "issuer issuing-2026 has VID=FFF2 and may certify no other; the certificate would have "
     "VID=FFF1"},
    {"equal to none",
     {EQUAL_VENDOR},
     NULL,
     "subject.VID",
     "issuer issuing-2026 has 0 values of VID in its subject"},
    {"equal to two", {EQUAL_VENDOR}, two_vendors, "subject.VID", "has 2 values of VID"},
    {"equal to who knows", {EQUAL_VENDOR}, unreadable_issuer, "subject.VID", "can be read"},
    {"equal or absent: equal", {VENDOR_OR_NONE}, vendor_fff1, NULL, NULL},
    {"equal or absent: absent", {VENDOR_OR_NONE}, NULL, NULL, NULL},
    {"equal or absent: another",
     {VENDOR_OR_NONE},
     vendor_fff2,
     "subject.VID",
     "issuer issuing-2026 has VID=FFF2 and may certify no other"},
    {"equal or absent: two", {VENDOR_OR_NONE}, two_vendors, "subject.VID", "has 2 values of VID"},
    {"equal or absent: who knows",
     {VENDOR_OR_NONE},
     unreadable_issuer,
     "subject.VID",
     "can be read"},

    /* the issuer's nameConstraints */
    {"inside of the constraints", {TWO_SANS}, permits_dns, NULL, NULL},
    {"a san outside of what is permitted",
     {TWO_SANS},
     permits_other_dns,
     "name_constraints",
     "issuer issuing-2026 may not certify dns:leo.example: permitted subtree violation (RFC 5280 "
     "4.2.1.10)"},
    {"a san inside of what is excluded",
     {{"san", "san: [{uri: 'https://www.example.com/${device.id}'}]"}},
     excludes_uri,
     "name_constraints",
     "may not certify uri:https://www.example.com/device-AB12: excluded subtree violation"},
    {"a subject inside of what is excluded",
     {{"subject", "subject: [{CN: '${device.id}'}, {emailAddress: '${device.id}@example.com'}]"},
      {"san", "san: [{email: '${device.id}@example.com'}]"}},
     excludes_mail,
     "name_constraints",
     "may not certify CN=device-AB12,emailAddress=device-AB12@example.com: excluded subtree"},
    {"constraints that are none", {{0}}, odd_constraints, "name_constraints", "can't be read"},
    {"CN too long",
     {{"subject", "subject: [{CN: '${device.id}${device.id}${device.id}${device.id}${device.id}"
                  "${device.id}'}]"}},
     NULL,
     "subject.CN",
     "64"},
    {"alphabet of C", {{"subject", "subject: [{C: '${device.type}'}]"}}, NULL, "subject.C", "C"},
    {"nothing to name",
     {{"subject", "subject: [{CN: {value: '${user.name}', optional: true}}]"}},
     NULL,
     "subject",
     "the certificate would have neither subject nor san"},
    {"named by san", {{"subject", "subject: []"}, TWO_SANS}, NULL, NULL, NULL},
    {"a CA without a name",
     {{"subject", "subject: [{CN: {value: '${user.name}', optional: true}}]"},
      TWO_SANS,
      CA_KEYS,
      {"ca", "ca: {path_length: 0}"}},
     NULL,
     "subject",
     "the subject would be empty; a CA needs one"},
    {"two sans", {TWO_SANS}, NULL, NULL, NULL},
    {"a san's form", {TWO_SANS}, type_with_a_space, "san[2]", "dns: \"a b.example\""},
    {"a san's reference",
     {{"san", "san: [{upn: '${user.upn}'}]"}},
     NULL,
     "san[1]",
     "${user.upn} has no value"},

    /* extensions */
    {"an extension's reference",
     {{"extensions", "extensions: [{oid: 1.2.4, null: true}, {oid: 1.2.3, utf8: '${device.x}'}]"}},
     NULL,
     "extensions.1.2.3",
     "${device.x} has no value"},

    /* ca */
    {"a CA", {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 0}"}}, NULL, NULL, NULL},
    {"a CA below path length 0",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 0}"}},
     issuer_path_0,
     "ca",
     "issuer issuing-2026 has path length 0 and may not certify a CA"},
    {"a CA that fits",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 0}"}},
     issuer_path_1,
     NULL,
     NULL},
    {"a CA that fits, 1 in 2",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 1}"}},
     issuer_path_2,
     NULL,
     NULL},
    {"a CA as long",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 1}"}},
     issuer_path_1,
     "ca",
     "issuer issuing-2026 has path length 1; this policy's 1 must be below that"},
    {"a CA without end below one",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: none}"}},
     issuer_path_1,
     "ca",
     "has path length 1; this policy sets none and must set one below"},
    {"a CA without end", {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: none}"}}, NULL, NULL, NULL},
    {"a leaf below path length 0", {{0}}, issuer_path_0, NULL, NULL},
    {"self-signed",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: none, self_signed: true}"}},
     own_key,
     NULL,
     NULL},
    {"self-signed for a stranger",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: none, self_signed: true}"}},
     NULL,
     "ca",
     "this policy is for an issuer's own key"},
    {"own key, not self-signed",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: none}"}},
     own_key,
     "ca",
     "this policy is not self_signed"},
    {"own key, no CA", {{0}}, own_key, "ca", "this policy is not self_signed"},

    /* publish */
    {"required and there",
     {{"publish", "publish: {crl: required, ocsp: required}"}},
     NULL,
     NULL,
     NULL},
    {"crl required",
     {{"publish", "publish: {crl: required, ocsp: offered}"}},
     no_urls,
     "publish.crl",
     "issuer issuing-2026 publishes no crl"},
    {"ocsp required",
     {{"publish", "publish: {crl: offered, ocsp: required}"}},
     no_urls,
     "publish.ocsp",
     "issuer issuing-2026 publishes no ocsp"},
    {"ca_issuers required",
     {{"publish", "publish: {ca_issuers: required}"}},
     no_urls,
     "publish.ca_issuers",
     "issuer issuing-2026 publishes no ca_issuers"},
    {"offered", {{"publish", "publish: {crl: offered, ocsp: offered}"}}, no_urls, NULL, NULL},

    /* validity */
    {"issuer expired",
     {{0}},
     issuer_expired,
     "validity",
     "issuer issuing-2026 has expired: 2025-12-31T23:59:59Z"},
    {"issuer's last second",
     {{"validity", "validity: {for: 1d, past_issuer: allow}"}},
     issuer_expires_now,
     NULL,
     NULL},
    {"issuer too young",
     {{0}},
     issuer_begins_later,
     "validity",
     "issuer issuing-2026 is not valid yet: from 2026-01-01T00:00:01Z on"},
    {"issuer's first second", {{0}}, issuer_begins_now, NULL, NULL},
    {"past issuer",
     {{0}},
     issuer_ends_early,
     "validity",
     "the certificate would last until 2027-01-01T00:00:00Z, past its issuer issuing-2026 "
     "(2026-12-31T23:59:59Z)"},
    {"past issuer, said",
     {{"validity", "validity: {for: 365d, past_issuer: refuse}"}},
     issuer_ends_early,
     "validity",
     "past_issuer: cut would shorten it"},
    {"as long as the issuer", {{0}}, issuer_ends_just_then, NULL, NULL},
    {"past issuer, cut",
     {{"validity", "validity: {for: 365d, past_issuer: cut}"}},
     issuer_ends_early,
     NULL,
     NULL},
    {"past issuer, allowed",
     {{"validity", "validity: {until: never, past_issuer: allow}"}},
     issuer_ends_early,
     NULL,
     NULL},
    {"never, past issuer",
     {{"validity", "validity: {until: never}"}},
     NULL,
     "validity",
     "the certificate would last until 9999-12-31T23:59:59Z, past"},
    {"until is past",
     {{"validity", "validity: {until: 2026-01-01T00:00:00Z}"}},
     NULL,
     "validity",
     "the policy's until, 2026-01-01T00:00:00Z, is past"},
    {"until is close", {{"validity", "validity: {until: 2026-01-01T00:00:01Z}"}}, NULL, NULL, NULL},
    {"past the year 9999", {{0}}, far_future, "validity", "would outlive the year 9999"},
    {"just before the year 10000", {{"validity", "validity: {for: 100s}"}}, far_future, NULL, NULL},

    /* unique */
    {"unique device", {ANY_NAME, {"unique", "unique: device"}}, NULL, NULL, NULL},
    {"unique, no device",
     {ANY_NAME, {"unique", "unique: device"}},
     no_device,
     "unique",
     "no device was named"},
    {"unique user", {ANY_NAME, {"unique", "unique: user"}}, a_user, NULL, NULL},
    {"unique, no user",
     {ANY_NAME, {"unique", "unique: user"}},
     NULL,
     "unique",
     "no user was named"},

    /* subject.emailAddress */
    {"address in the subject and in san",
     {{"subject", "subject: [{emailAddress: leo@b.example}]"},
      {"san", "san: [{dns: b.example}, {email: '${device.type}@b.example'}]"}},
     NULL,
     NULL,
     NULL},
    {"address in the subject alone",
     {{"subject", "subject: [{emailAddress: a@b.example}]"},
      {"san", "san: [{email: '${device.type}@b.example'}]"}},
     NULL,
     "subject.emailAddress",
     "a@b.example would be in the subject and not in san"},

    /* request.subject */
    {"equal", {{"request", "request: {subject: equal}"}}, same_name, NULL, NULL},
    {"equal, absent",
     {{"request", "request: {subject: equal}"}},
     NULL,
     "request.subject",
     "the request lacks CN: the request says (empty), this policy CN=device-AB12"},
    {"equal, an SPKAC", {{"request", "request: {subject: equal}"}}, an_spkac, NULL, NULL},
    {"from an SPKAC",
     {{"subject", "subject: [{CN: '${request.CN}'}]"}},
     an_spkac,
     "subject.CN",
     "${request.CN} has no value"},
    {"or absent", {{"request", "request: {subject: equal-or-absent}"}}, NULL, NULL, NULL},
    {"part of it", {LONG_NAME}, same_name, NULL, NULL},
    {"part of it, equal",
     {LONG_NAME, {"request", "request: {subject: equal}"}},
     same_name,
     "request.subject",
     "the request lacks O"},
    {"all of it, another order",
     {LONG_NAME, {"request", "request: {subject: equal}"}},
     long_name,
     NULL,
     NULL},
    {"two of a type swapped",
     {LONG_NAME},
     long_name_swapped,
     "subject.OU",
     "the request says OU=b; this policy gives OU=a"},
    {"more than given",
     {{0}},
     more_name,
     "request.subject",
     "the request asks for O, which this policy does not give: the request says "
     "CN=device-AB12,O=Example GmbH, this policy CN=device-AB12"},
    {"twice", {{0}}, name_twice, "request.subject", "asks for CN, which"},
    {"more, ignored", {{"request", "request: {subject: ignore}"}}, more_name, NULL, NULL},

    /* request.san */
    {"some of the sans", {TWO_SANS}, same_san, NULL, NULL},
    {"some, equal",
     {TWO_SANS, {"request", "request: {san: equal}"}},
     same_san,
     "request.san",
     "the request lacks the name dns:leo.example"},
    {"none, equal",
     {TWO_SANS, {"request", "request: {san: equal}"}},
     NULL,
     "request.san",
     "the request lacks the name uri:urn:dev:device-AB12"},
    {"an SPKAC, equal", {TWO_SANS, {"request", "request: {san: equal}"}}, an_spkac, NULL, NULL},
    {"both, equal", {TWO_SANS, {"request", "request: {san: equal}"}}, both_sans, NULL, NULL},
    {"another san",
     {TWO_SANS},
     other_san,
     "request.san",
     "the request asks for the name dns:www.example; this policy gives uri:urn:dev:device-AB12, "
     "dns:leo.example"},
    {"another kind",
     {TWO_SANS},
     san_of_other_kind,
     "request.san",
     "asks for the name email:device@leo.example"},
    {"a san where none is given",
     {{0}},
     same_san,
     "request.san",
     "the name uri:urn:dev:device-AB12; this policy gives no alternative names"},
    {"another san, ignored",
     {TWO_SANS, {"request", "request: {san: ignore}"}},
     other_san,
     NULL,
     NULL},

    /* request.extensions */
    {"usage", {{0}}, usage_given, NULL, NULL},
    {"too much usage",
     {{0}},
     usage_more,
     "request.extensions",
     "the request asks for keyUsage keyAgreement; this policy gives only digitalSignature"},
    {"too much usage, ignored",
     {{"request", "request: {extensions: ignore}"}},
     usage_more,
     NULL,
     NULL},
    {"purpose", {{"eku", "extended_key_usage: [clientAuth]"}}, client_auth, NULL, NULL},
    {"one purpose too much",
     {{"eku", "extended_key_usage: [clientAuth]"}},
     server_auth,
     "request.extensions",
     "the request asks for extendedKeyUsage serverAuth; this policy gives only clientAuth"},
    {"fewer purposes",
     {{"eku", "extended_key_usage: [serverAuth, clientAuth]"}},
     client_auth,
     NULL,
     NULL},
    {"purpose where none is given",
     {{"eku", "extended_key_usage: none"}},
     client_auth,
     "request.extensions",
     "extendedKeyUsage clientAuth; this policy gives none"},
    {"any purpose",
     {{"eku", "extended_key_usage: [clientAuth]"}},
     any_purpose,
     "request.extensions",
     "anyExtendedKeyUsage"},
    {"CA:FALSE", {{0}}, ca_false, NULL, NULL},
    {"CA:TRUE for a leaf",
     {{0}},
     ca_true,
     "request.extensions",
     "the request asks for basicConstraints CA:TRUE; this policy gives CA:FALSE"},
    {"CA:TRUE", {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 1}"}}, ca_true, NULL, NULL},
    {"CA:FALSE for a CA",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 1}"}},
     ca_false,
     "request.extensions",
     "asks for basicConstraints CA:FALSE; this policy gives CA:TRUE"},
    {"shorter path", {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 1}"}}, ca_path_0, NULL, NULL},
    {"same path", {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 1}"}}, ca_path_1, NULL, NULL},
    {"longer path",
     {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: 1}"}},
     ca_path_2,
     "request.extensions",
     "the request asks for path length 2; this policy gives 1"},
    {"any path", {ANY_NAME, CA_KEYS, {"ca", "ca: {path_length: none}"}}, ca_path_2, NULL, NULL},
    {"subject key identifier", {{0}}, key_identifier, NULL, NULL},
    {"same extension",
     {{"ext", "extensions: [{oid: 1.2.3, utf8: '${device.type}'}]"}},
     given_extension,
     NULL,
     NULL},
    {"another value",
     {{"ext", "extensions: [{oid: 1.2.3, utf8: '${device.type}'}]"}},
     given_extension_changed,
     "request.extensions",
     "the request asks for the extension 1.2.3; this policy gives it another value"},
    {"another extension",
     {{"ext", "extensions: [{oid: 1.2.3, utf8: '${device.type}'}]"}},
     other_extension,
     "request.extensions",
     "the request asks for the extension 1.2.4; this policy does not give it"},
    {"another extension, ignored",
     {{"request", "request: {extensions: ignore}"}},
     other_extension,
     NULL,
     NULL},
    {"a standard extension",
     {{0}},
     policies_extension,
     "request.extensions",
     "asks for the extension certificatePolicies"},

    /* request.version */
    {"v3", {{0}}, version_3, "request.version", "the request's version is 2 (v3) and must be 0"},
    {"v3, where v1 is said",
     {{"request", "request: {version: v1}"}},
     version_3,
     "request.version",
     "`request: {version: any}` tolerates it"},
    {"v3, tolerated", {{"request", "request: {version: any}"}}, version_3, NULL, NULL},
    {"v1, where any is said", {{"request", "request: {version: any}"}}, NULL, NULL, NULL},
};

/* The first verdict that did not pass, or NULL. */
static const struct sg_verdict *first_refusal(const struct sg_verdict *verdicts, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (!verdicts[i].passed)
            return &verdicts[i];
    }
    return NULL;
}

/* sg_policy_check tells the same as sg_policy_decide. */
static void expect_same_check(const char *name, const struct sg_policy *policy,
                              const struct sg_decision_input *input, const struct sg_error *decided)
{
    sg_auto(malloc) struct sg_verdict *verdicts = NULL;
    const struct sg_verdict *refusal = NULL;
    struct sg_error error = {0};
    size_t num = 0;

    expect_success(name, sg_policy_check(policy, input, &verdicts, &num, &error), &error);
    refusal = first_refusal(verdicts, num);
    if ((refusal != NULL) != (decided->code != SG_OK))
        fail_msg("%s: check and decide differ: %s", name,
                 refusal != NULL ? refusal->text : decided->text);
    if (refusal == NULL)
        return;
    assert_string_equal(refusal->rule, decided->rule + strlen("policy small: "));
    assert_string_equal(refusal->text, decided->text);
}

/* The plan says whom the claim has to wait for. */
static void approvals_are_asked_for(void **state)
{
    static const struct {
        const char *who;
        void (*change)(struct asking *asking);
        const char *approver;
    } WHOS[] = {
        {"who: {all: [ticket, {approval: officer}]}", by_ticket, "officer"},
        {"who: {all: [ticket, {approval: officer}]}", with_approval, NULL},
        {"who: {any: [ticket, {approval: officer}]}", by_ticket, NULL},
        {"who: {any: [ticket, {approval: officer}]}", by_lease, "officer"},
        {"who: {all: [{approval: custodian}]}", by_lease, "custodian"},
        {"who: {all: [officer, {approval: officer}]}", by_officer, "officer"},
        {"who: {any: [ticket]}", by_ticket, NULL},
    };

    (void)state;
    for (size_t i = 0; i < NUM(WHOS); i++) {
        const struct change changes[MOST_CHANGES] = {{"who", WHOS[i].who}};
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        struct sg_error error = {0};
        struct sg_decision_input input;

        asking_init(&asking);
        WHOS[i].change(&asking);
        expect_success(WHOS[i].who, parse_changed(changes, &policy, &error), &error);
        input = input_of(&asking);
        expect_success(WHOS[i].who, sg_policy_decide(policy, &input, &plan, &error), &error);
        if (WHOS[i].approver == NULL)
            assert_null(plan.approver);
        else
            assert_string_equal(plan.approver, WHOS[i].approver);
    }
}

/* Whose certificates vouch: those of the policy itself, and those that it names. */
static void renewal_names_policies(void **state)
{
    static const struct {
        const char *who, *renewal, *name;
        bool renews;
    } NAMED[] = {
        {"who: {any: [renewal]}", "renewal: {window: 9d}", "small", true},
        {"who: {any: [renewal]}", "renewal: {window: 9d}", "idevid", false},
        {"who: {any: [renewal]}", "renewal: {window: 9d, of: [vpn, idevid]}", "idevid", true},
        {"who: {any: [renewal]}", "renewal: {window: 9d, of: [vpn, idevid]}", "small", true},
        {"who: {any: [ticket]}", "renewal: {window: 9d, of: [idevid]}", "idevid", false},
        {"who: {any: [ticket]}", "renewal: {window: 9d}", "small", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(NAMED); i++) {
        const struct change changes[MOST_CHANGES] = {{"who", NAMED[i].who},
                                                     {"renewal", NAMED[i].renewal}};
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        struct sg_error error = {0};

        expect_success(NAMED[i].renewal, parse_changed(changes, &policy, &error), &error);
        if (sg_policy_renews(policy, NAMED[i].name) != NAMED[i].renews)
            fail_msg("%s: %s", NAMED[i].renewal, NAMED[i].name);
    }
}

static void rules_accept_and_refuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        struct sg_error error = {0};
        struct sg_decision_input input;
        bool decided, is_who = CASES[i].rule != NULL && strcmp(CASES[i].rule, "who") == 0;
        char rule[SG_ERROR_RULE_SIZE];

        asking_init(&asking);
        if (CASES[i].change != NULL)
            CASES[i].change(&asking);
        expect_success(CASES[i].name, parse_changed(CASES[i].changes, &policy, &error), &error);
        input = input_of(&asking);
        decided = sg_policy_decide(policy, &input, &plan, &error);
        expect_same_check(CASES[i].name, policy, &input, &error);
        if (CASES[i].rule == NULL) {
            expect_success(CASES[i].name, decided, &error);
            continue;
        }
        expect_failure(CASES[i].name, decided, &error, is_who ? SG_UNAUTHENTICATED : SG_REFUSED,
                       CASES[i].text);
        snprintf(rule, sizeof rule, "policy small: %s", CASES[i].rule);
        if (strcmp(rule, error.rule) != 0)
            fail_msg("%s: the rule should be %s, is %s", CASES[i].name, rule, error.rule);
        assert_null(plan.policy);
        assert_int_equal(plan.subject.num + plan.sans.num + plan.purposes.num, 0);
    }
}

/* Decides under the small policy with changes, and wants a plan. */
static void expect_plan(const struct change changes[MOST_CHANGES],
                        void (*change)(struct asking *asking), struct sg_policy **policy,
                        struct sg_plan *plan)
{
    sg_auto(asking) struct asking asking = {0};
    struct sg_error error = {0};
    struct sg_decision_input input;

    asking_init(&asking);
    if (change != NULL)
        change(&asking);
    expect_success("parse", parse_changed(changes, policy, &error), &error);
    input = input_of(&asking);
    expect_success("decide", sg_policy_decide(*policy, &input, plan, &error), &error);
}

static void a_plan_holds_what_the_policy_names(void **state)
{
    static const struct change CHANGES[MOST_CHANGES] = {
        LONG_NAME,
        TWO_SANS,
        {"rest", "extended_key_usage: [clientAuth, 1.3.6.1.4.1.32473.9]\n"
                 "publish: {crl: required, ca_issuers: offered}\n"
                 "renewal: {window: 60d, same_key: allow, previous: revoke}\n"
                 "unique: device\n"
                 "extensions: [{oid: 1.3.6.1.5.5.7.1.7, critical: true, utf8: '${device.type}'}]"},
        {"validity", "validity: {for: 365d, backdate: 5m}"}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    char text[256];

    (void)state;
    expect_plan(CHANGES, NULL, &policy, &plan);
    assert_string_equal(plan.policy, "small");
    assert_memory_equal(plan.policy_sha256, sg_policy_sha256(policy), SG_SHA256_LEN);
    assert_string_equal(sg_name_text(&plan.subject, text, sizeof text),
                        "CN=device-AB12,O=Example GmbH,OU=a,OU=b");
    assert_string_equal(sg_sans_text(&plan.sans, text, sizeof text),
                        "uri:urn:dev:device-AB12, dns:leo.example");
    assert_string_equal(sg_oids_purposes_text(&plan.purposes, text, sizeof text),
                        "clientAuth, 1.3.6.1.4.1.32473.9");
    assert_int_equal(plan.key_usage, SG_KU_DIGITAL_SIGNATURE);
    assert_false(plan.ca);
    assert_int_equal(plan.path_length, -1);
    assert_int_equal(plan.extensions.num, 1);
    assert_true(plan.extensions.items[0].critical);
    assert_true(plan.publish_crl);
    assert_false(plan.publish_ocsp);
    assert_true(plan.publish_ca_issuers);
    assert_int_equal(plan.not_before, moment("2025-12-31T23:55:00Z"));
    assert_int_equal(plan.not_after, moment("2027-01-01T00:00:00Z"));
    assert_int_equal(plan.unique, SG_UNIQUE_DEVICE);
    assert_true(plan.renewable);
    assert_int_equal(plan.renewal_window_s, 60 * 86400);
    assert_int_equal(plan.same_key, SG_SAME_KEY_ALLOW);
    assert_int_equal(plan.previous, SG_PREVIOUS_REVOKE);
}

static void what_is_not_named_is_not_given(void **state)
{
    static const struct change NONE[MOST_CHANGES] = {{0}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_plan) struct sg_plan plan = {0};

    (void)state;
    expect_plan(NONE, NULL, &policy, &plan);
    assert_int_equal(plan.subject.num, 1);
    assert_int_equal(plan.sans.num + plan.purposes.num + plan.extensions.num, 0);
    assert_false(plan.publish_crl || plan.publish_ocsp || plan.publish_ca_issuers || plan.ca);
    assert_int_equal(plan.not_before, moment("2026-01-01"));
    assert_false(plan.renewable);
    assert_int_equal(plan.unique, SG_UNIQUE_NONE);
}

static void key_usage_follows_the_kind(void **state)
{
    static const struct {
        void (*change)(struct asking *asking);
        unsigned key_usage;
    } KINDS[] = {
        {rsa2048, SG_KU_DIGITAL_SIGNATURE | SG_KU_KEY_ENCIPHERMENT},
        {rsa4096, SG_KU_DIGITAL_SIGNATURE},
        {p384, SG_KU_NON_REPUDIATION},
    };
    static const struct change CHANGES[MOST_CHANGES] = {TWO_KINDS};

    (void)state;
    for (size_t i = 0; i < NUM(KINDS); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};

        expect_plan(CHANGES, KINDS[i].change, &policy, &plan);
        assert_int_equal(plan.key_usage, KINDS[i].key_usage);
    }
}

static void validity_is_computed(void **state)
{
    static const struct {
        const char *line;
        void (*change)(struct asking *asking);
        const char *not_before, *not_after;
    } VALIDITIES[] = {
        {"validity: {for: 1h, backdate: 1h}", NULL, "2025-12-31T23:00:00Z", "2026-01-01T01:00:00Z"},
        {"validity: {for: 1d, backdate: 5m}", issuer_begins_now, "2026-01-01", "2026-01-02"},
        {"validity: {for: 1d, backdate: 2y}", NULL, "2025-01-01", "2026-01-02"},
        {"validity: {until: 2030-02-28T12:00:00Z}", NULL, "2026-01-01", "2030-02-28T12:00:00Z"},
        {"validity: {until: never, past_issuer: cut}", NULL, "2026-01-01", "2035-01-01"},
        {"validity: {until: never, past_issuer: allow}", NULL, "2026-01-01",
         "9999-12-31T23:59:59Z"},
        {"validity: {for: 365d, past_issuer: cut}", issuer_ends_early, "2026-01-01",
         "2026-12-31T23:59:59Z"},
        {"validity: {for: 365d, past_issuer: allow}", issuer_ends_early, "2026-01-01",
         "2027-01-01"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(VALIDITIES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        const struct change changes[MOST_CHANGES] = {{"validity", VALIDITIES[i].line}};

        expect_plan(changes, VALIDITIES[i].change, &policy, &plan);
        if (plan.not_before != moment(VALIDITIES[i].not_before) ||
            plan.not_after != moment(VALIDITIES[i].not_after))
            fail_msg("%s", VALIDITIES[i].line);
    }
}

static void a_root_has_its_own_limits(void **state)
{
    static const struct change CHANGES[MOST_CHANGES] = {
        ANY_NAME,
        CA_KEYS,
        {"ca", "ca: {path_length: none, self_signed: true}"},
        {"validity", "validity: {for: 20y, backdate: 1h}"}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_plan) struct sg_plan plan = {0};

    (void)state;
    expect_plan(CHANGES, own_key, &policy, &plan);
    assert_true(plan.ca);
    assert_int_equal(plan.path_length, -1);
    assert_int_equal(plan.key_usage, SG_KU_KEY_CERT_SIGN | SG_KU_CRL_SIGN);
    assert_int_equal(plan.not_before, moment("2025-12-31T23:00:00Z"));
    assert_int_equal(plan.not_after, moment("2026-01-01") + INT64_C(7300) * 86400);
}

/* Every field of a certificate has its line, and what has been refused hides nothing below it. */
static void check_tells_every_rule(void **state)
{
    static const struct {
        const char *rule;
        bool passed;
        const char *text;
    } WANTED[] = {
        {"who", true, "vouched for by operator"},
        {"keys", true, "P-256, with key usage digitalSignature"},
        {"subject.CN", false, "the request says CN=device-ZZ99; this policy gives CN=device-AB12"},
        {"subject.O", true, "left out, as ${device.o} has no value"},
        {"san[1]", true, "uri:urn:dev:device-AB12"},
        {"san[2]", true, "dns:leo.example"},
        {"extended_key_usage", true, "clientAuth"},
        {"extensions.1.2.3", false, "${device.x} has no value: the registry has no x for device"},
        {"extensions.1.3.6.1.5.5.7.1.7", true, "critical, DER 0500"},
        {"ca", true, "no CA"},
        {"publish.crl", true, "http://pki.example.com/issuing.crl"},
        {"publish.ocsp", true, "http://pki.example.com/ocsp"},
        {"validity", true, "from 2026-01-01T00:00:00Z until 2027-01-01T00:00:00Z"},
        {"renewal", true, "never"},
        {"unique", true, "one for device device-AB12"},
        {"request.subject", false, "not looked at, because of what is refused above"},
        {"request.san", true, "the request has none"},
        {"request.extensions", false, "not looked at, because of what is refused above"},
        {"request.version", true, "v1"},
    };
    static const struct change CHANGES[MOST_CHANGES] = {
        {"subject", "subject: [{CN: '${device.id}'}, {O: {value: '${device.o}', optional: true}}]"},
        TWO_SANS,
        {"rest", "extended_key_usage: [clientAuth]\n"
                 "extensions: [{oid: 1.2.3, utf8: '${device.x}'}, "
                 "{oid: 1.3.6.1.5.5.7.1.7, null: true, critical: true}]\n"
                 "publish: {crl: offered, ocsp: offered}\n"
                 "unique: device"}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(asking) struct asking asking = {0};
    sg_auto(malloc) struct sg_verdict *verdicts = NULL;
    struct sg_error error = {0};
    struct sg_decision_input input;
    size_t num = 0;

    (void)state;
    asking_init(&asking);
    other_name(&asking);
    expect_success("parse", parse_changed(CHANGES, &policy, &error), &error);
    input = input_of(&asking);
    expect_success("check", sg_policy_check(policy, &input, &verdicts, &num, &error), &error);
    for (size_t i = 0; i < num && i < NUM(WANTED); i++) {
        if (strcmp(verdicts[i].rule, WANTED[i].rule) != 0 ||
            verdicts[i].passed != WANTED[i].passed ||
            verdicts[i].skipped != (strncmp(WANTED[i].text, "not looked at", 13) == 0) ||
            strncmp(verdicts[i].text, WANTED[i].text, strlen(WANTED[i].text)) != 0)
            fail_msg("line %zu is %s %d: %s", i, verdicts[i].rule, verdicts[i].passed,
                     verdicts[i].text);
    }
    assert_int_equal(num, NUM(WANTED));
}

/* A rule that has nothing to look at says so, instead of refusing for a reason that is none. */
static void check_follows_what_was_refused(void **state)
{
    static const struct {
        struct change changes[MOST_CHANGES];
        void (*change)(struct asking *asking);
        const char *refused, *not_looked_at;
    } FOLLOWS[] = {
        {{{0}}, p521, "keys", "request.extensions"},
        {{{0}}, no_device, "subject.CN", "request.subject"},
        {{TWO_SANS}, type_with_a_space, "san[2]", "request.san"},
        {{{0}}, own_key, "ca", "request.extensions"},
        {{{"ext", "extensions: [{oid: 1.2.3, utf8: '${device.x}'}]"}},
         NULL,
         "extensions.1.2.3",
         "request.extensions"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(FOLLOWS); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(asking) struct asking asking = {0};
        sg_auto(malloc) struct sg_verdict *verdicts = NULL;
        struct sg_error error = {0};
        struct sg_decision_input input;
        size_t num = 0, num_refused = 0;

        asking_init(&asking);
        usage_given(&asking);
        if (FOLLOWS[i].change != NULL)
            FOLLOWS[i].change(&asking);
        expect_success("parse", parse_changed(FOLLOWS[i].changes, &policy, &error), &error);
        input = input_of(&asking);
        expect_success("check", sg_policy_check(policy, &input, &verdicts, &num, &error), &error);
        for (size_t at = 0; at < num; at++) {
            if (verdicts[at].passed)
                continue;
            num_refused++;
            if (strcmp(verdicts[at].rule, FOLLOWS[i].refused) == 0)
                continue;
            assert_string_equal(verdicts[at].rule, FOLLOWS[i].not_looked_at);
            assert_true(verdicts[at].skipped);
            assert_string_equal(verdicts[at].text,
                                "not looked at, because of what is refused above");
        }
        assert_int_equal(num_refused, 2);
    }
}

/* A value from outside can't write to a terminal through a message. */
static void messages_are_printable(void **state)
{
    static const struct change CHANGES[MOST_CHANGES] = {
        {"subject", "subject: [{CN: {value: '${device.type}', match: 'x'}}]"}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(asking) struct asking asking = {0};
    struct sg_error error = {0};
    struct sg_decision_input input;

    (void)state;
    asking_init(&asking);
    must(sg_record_set(&asking.requester.device, "type", "\x1b[2J", &error), &error);
    expect_success("parse", parse_changed(CHANGES, &policy, &error), &error);
    input = input_of(&asking);
    expect_failure("escape", sg_policy_decide(policy, &input, &plan, &error), &error, SG_REFUSED,
                   "control character");
    assert_null(strchr(error.text, '\x1b'));
    assert_false(sg_policy_decide(policy, &input, &plan, NULL)); /* only the verdict is wanted */
}

/* The policies that come with Signet */

static void read_example_request(const char *folder, const struct sg_policy *policy,
                                 const char *csr, struct asking *asking)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    must(sg_path_join(folder, csr, &path, &error), &error);
    must(sg_file_read(path, SG_LIMIT_REQUEST, &bytes, &error), &error);
    must(sg_request_parse(sg_buf_slice(&bytes), &request, &error), &error);
    must(sg_request_check_possession(&request, &error), &error);
    must(sg_request_check_key_quality(&request.key, &error), &error);
    if (sg_policy_is_self_signed(policy)) {
        must(sg_request_of_key(&request.key, &request.subject, &asking->request, &error), &error);
        return;
    }
    asking->request = request;
    request = (struct sg_request){0};
}

static void copy_record(const struct sg_record *from, struct sg_record *to, bool *has)
{
    struct sg_error error = {0};

    *has = from != NULL;
    if (from == NULL)
        return;
    to->id = strdup(from->id);
    for (size_t i = 0; i < from->num_attributes; i++)
        must(sg_record_set(to, from->attributes[i].name, from->attributes[i].value, &error),
             &error);
}

static void run_example(const char *folder, const struct sg_policy *policy,
                        const struct sg_policy_example *example)
{
    sg_auto(asking) struct asking asking = {
        .requester = {.evidence = SG_BY_OPERATOR},
        .issuer = {.name = "example",
                   .subject = example->issuer,
                   .path_length = -1,
                   .not_after = SG_TIME_NEVER,
                   .crl_url = "http://pki.example.com/issuing.crl",
                   .ocsp_url = "http://pki.example.com/ocsp",
                   .ca_issuers_url = "http://pki.example.com/issuing.cer"},
        .now = moment("2026-01-01")};
    sg_auto(sg_plan) struct sg_plan plan = {0};
    struct sg_error error = {0};
    struct sg_decision_input input;
    char rule[SG_ERROR_RULE_SIZE];
    bool decided;

    read_example_request(folder, policy, example->csr, &asking);
    copy_record(example->device, &asking.requester.device, &asking.requester.has_device);
    copy_record(example->user, &asking.requester.user, &asking.requester.has_user);
    input = input_of(&asking);
    decided = sg_policy_decide(policy, &input, &plan, &error);
    snprintf(rule, sizeof rule, "policy %s: %s", sg_policy_name(policy),
             example->refuse != NULL ? example->refuse : "");
    if (decided != example->accept || (!decided && strcmp(rule, error.rule) != 0))
        fail_msg("%s, example of line %u: %s: %s", sg_policy_name(policy), example->line,
                 error.rule, error.text);
}

static void shipped_policies_keep_their_promises(void **state)
{
    static const char *const NAMES[] = {"root-ca",        "issuing-ca",      "device-mtls",
                                        "ocsp-responder", "smartcard-logon", "piv-auth",
                                        "piv-card-auth",  "idevid",          "ldevid",
                                        "matter-paa",     "matter-pai",      "matter-dac"};
    const char *source = getenv("SIGNET_SOURCE");

    (void)state;
    if (source == NULL)
        fail_msg("SIGNET_SOURCE has to be the folder of the sources");
    for (size_t i = 0; i < NUM(NAMES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        struct sg_error error = {0};
        char folder[512], path[1024];
        size_t num_accepted = 0, num;

        snprintf(folder, sizeof folder, "%s/policies", source);
        snprintf(path, sizeof path, "%s/%s.yaml", folder, NAMES[i]);
        expect_success(path, sg_policy_load(path, &policy, &error), &error);
        num = sg_policy_num_examples(policy);
        for (size_t at = 0; at < num; at++) {
            run_example(folder, policy, sg_policy_example(policy, at));
            num_accepted += sg_policy_example(policy, at)->accept;
        }
        if (num_accepted == 0 || num_accepted == num)
            fail_msg("%s needs examples of both kinds", NAMES[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_accept_and_refuse),
        cmocka_unit_test(approvals_are_asked_for),
        cmocka_unit_test(renewal_names_policies),
        cmocka_unit_test(a_plan_holds_what_the_policy_names),
        cmocka_unit_test(what_is_not_named_is_not_given),
        cmocka_unit_test(key_usage_follows_the_kind),
        cmocka_unit_test(validity_is_computed),
        cmocka_unit_test(a_root_has_its_own_limits),
        cmocka_unit_test(check_tells_every_rule),
        cmocka_unit_test(check_follows_what_was_refused),
        cmocka_unit_test(messages_are_printable),
        cmocka_unit_test(shipped_policies_keep_their_promises),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
