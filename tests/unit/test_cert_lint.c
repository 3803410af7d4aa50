#include "make_certificate.h"
#include "ml_dsa.h"

#include <openssl/objects.h>

#include "base/hex.h"
#include "cert/lint_rules.h"

/* Each case starts from to-be-signed bytes that pass, breaks one thing, and names the rule that
 * must see it. */

enum start { DEVICE, CA, ROOT };

/* Two RSA keys cost too much under sanitizers; everything but the rule about RSA uses P-256. */
static struct party root, ca, rsa, device;

/* The messages of all cases, for the last test. */
static struct sg_buf seen;

static int set_up(void **state)
{
    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_ca(&ca, "P-256", SG_ECDSA_SHA256, &root);
    make_party(&rsa, "RSA", SG_RSA_PSS_SHA256);
    make_party(&device, "P-256", SG_SCHEME_NONE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sg_buf_free(&seen);
    party_done(&device);
    party_done(&rsa);
    party_done(&ca);
    party_done(&root);
    return 0;
}

/* The facts that each start is linted with; the root's are those from before it had a certificate.
 */
static struct sg_issuer_facts facts_of(enum start start)
{
    struct sg_issuer_facts facts = start == DEVICE ? ca.facts : root.facts;

    if (start == ROOT)
        facts.certificate = NULL;
    return facts;
}

static void build(enum start start, const struct sg_issuer_facts *facts, struct sg_buf *tbs)
{
    sg_auto(sg_plan) struct sg_plan plan = {0};
    struct sg_serial serial = make_serial(9);
    struct sg_error error = {0};
    const struct sg_public_key *key = &device.key;

    if (start == DEVICE) {
        make_device_plan(&plan, "device-AB12");
    } else {
        make_ca_plan(&plan, "Example CA");
        plan.path_length = 1;
    }
    if (start == ROOT)
        key = &root.key;
    must(sg_cert_build(&plan, facts, key, &serial, tbs, &error), &error);
}

/* The bytes as an X509 that can be changed. */
static X509 *decode(const struct sg_buf *tbs)
{
    sg_auto(sg_buf) struct sg_buf der = {0};

    assert_true(sg_cert_attach(sg_buf_slice(tbs), SG_ECDSA_SHA256, sg_slice_text("x"), &der, NULL));
    return decode_certificate(sg_buf_slice(&der));
}

static void encode(const char *name, X509 *certificate, struct sg_buf *tbs)
{
    uint8_t *bytes = NULL;
    int len = i2d_re_X509_tbs(certificate, &bytes);

    if (len <= 0)
        fail_msg("%s: can't be encoded", name);
    assert_true(sg_buf_set(tbs, sg_slice_of(bytes, (size_t)len), NULL));
    OPENSSL_free(bytes);
}

static void drop(X509 *certificate, int nid)
{
    int at = X509_get_ext_by_NID(certificate, nid, -1);

    assert_true(at >= 0);
    X509_EXTENSION_free(X509_delete_ext(certificate, at));
}

static void add_raw(X509 *certificate, const char *oid, int critical, const char *value, size_t len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    assert_true(ASN1_OCTET_STRING_set(string, (const uint8_t *)value, (int)len));
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, string);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(string);
    ASN1_OBJECT_free(object);
}

#define RAW(certificate, oid, critical, value)                                                     \
    add_raw(certificate, oid, critical, value, sizeof(value) - 1)

static void replace(X509 *certificate, int nid, int critical, const char *value, size_t len)
{
    char oid[SG_LIMIT_OID];

    if (X509_get_ext_by_NID(certificate, nid, -1) >= 0)
        drop(certificate, nid);
    add_raw(certificate, sg_oid_text(OBJ_nid2obj(nid), oid), critical, value, len);
}

#define REPLACE(certificate, nid, critical, value)                                                 \
    replace(certificate, nid, critical, value, sizeof(value) - 1)

static void flip_critical(X509 *certificate, int nid)
{
    X509_EXTENSION *extension =
        X509_get_ext(certificate, X509_get_ext_by_NID(certificate, nid, -1));

    X509_EXTENSION_set_critical(extension, !X509_EXTENSION_get_critical(extension));
}

static void make_version_1(X509 *certificate)
{
    X509_set_version(certificate, X509_VERSION_2);
}

static void set_serial(X509 *certificate, const char *hex, bool negative)
{
    BIGNUM *number = NULL;

    assert_true(BN_hex2bn(&number, hex) > 0);
    BN_set_negative(number, negative);
    assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)));
    BN_free(number);
}

static void make_serial_zero(X509 *certificate)
{
    set_serial(certificate, "0", false);
}

static void make_serial_negative(X509 *certificate)
{
    set_serial(certificate, "112233445566778899", true);
}

static void make_serial_long(X509 *certificate)
{
    set_serial(certificate, "8000000000000000000000000000000000000000", false);
}

static void make_serial_short(X509 *certificate)
{
    set_serial(certificate, "7FFFFFFFFFFFFFFF", false);
}

static void set_algorithm(X509 *certificate, int nid, int type)
{
    X509_ALGOR *algorithm = (X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(certificate);

    assert_true(X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), type, NULL));
}

static void sign_with_sha1(X509 *certificate)
{
    set_algorithm(certificate, NID_ecdsa_with_SHA1, V_ASN1_UNDEF);
}

static void sign_with_sha384(X509 *certificate)
{
    set_algorithm(certificate, NID_ecdsa_with_SHA384, V_ASN1_UNDEF);
}

static void sign_with_parameters(X509 *certificate)
{
    set_algorithm(certificate, NID_ecdsa_with_SHA256, V_ASN1_NULL);
}

static void set_time(X509 *certificate, bool end, int type, const char *text)
{
    const ASN1_TIME *time =
        end ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate);
    ASN1_TIME *writable = (ASN1_TIME *)(uintptr_t)time;

    writable->type = type;
    assert_true(ASN1_STRING_set(writable, text, -1));
}

static void use_generalized_time_early(X509 *certificate)
{
    set_time(certificate, true, V_ASN1_GENERALIZEDTIME, "20491231235959Z");
}

static void use_a_time_zone(X509 *certificate)
{
    set_time(certificate, true, V_ASN1_UTCTIME, "270101000000+0100");
}

static void use_fractions(X509 *certificate)
{
    set_time(certificate, true, V_ASN1_GENERALIZEDTIME, "20510101000000.5Z");
}

static void end_before_beginning(X509 *certificate)
{
    set_time(certificate, true, V_ASN1_UTCTIME, "251231235959Z");
}

/* Replaces the key's algorithm parameters and bits. */
static void set_key(X509 *certificate, int nid, int type, void *parameters, const char *bits,
                    size_t len)
{
    uint8_t *copy = OPENSSL_memdup(bits, len);

    assert_true(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate), OBJ_nid2obj(nid), type,
                                       parameters, copy, (int)len));
}

static void cut_the_key(X509 *certificate)
{
    set_key(certificate, NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, OBJ_nid2obj(NID_X9_62_prime256v1),
            "\x04\x01\x02", 3);
}

static void write_curve_explicitly(X509 *certificate)
{
    EVP_PKEY *key = EVP_PKEY_dup(device.pkey);

    assert_true(EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"));
    assert_true(X509_set_pubkey(certificate, key));
    EVP_PKEY_free(key);
}

static void certify_another_key(X509 *certificate)
{
    assert_true(X509_set_pubkey(certificate, device.pkey));
}

static X509_NAME *subject_of(X509 *certificate)
{
    return X509_get_subject_name(certificate);
}

static void empty(X509_NAME *name)
{
    while (X509_NAME_entry_count(name) > 0)
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
}

static void add_value(X509 *certificate, int nid, int type, const char *value, int len)
{
    assert_true(X509_NAME_add_entry_by_NID(subject_of(certificate), nid, type,
                                           (const uint8_t *)value, len, -1, 0));
}

/* OpenSSL's own checks must not hinder a case: the value is put in afterwards. */
static void add_string(X509 *certificate, int nid, int type, const char *value, int len)
{
    X509_NAME *name = subject_of(certificate);
    X509_NAME_ENTRY *entry;
    ASN1_STRING *string;

    add_value(certificate, NID_dnQualifier, V_ASN1_PRINTABLESTRING, "x", -1);
    entry = X509_NAME_get_entry(name, X509_NAME_entry_count(name) - 1);
    string = X509_NAME_ENTRY_get_data(entry);
    assert_true(ASN1_STRING_set(string, value, len));
    string->type = type;
    /* Setting the object is what makes OpenSSL encode the name anew. */
    assert_true(X509_NAME_ENTRY_set_object(entry, OBJ_nid2obj(nid)));
    entry = X509_NAME_delete_entry(name, X509_NAME_entry_count(name) - 1);
    assert_true(X509_NAME_add_entry(name, entry, -1, 0));
    X509_NAME_ENTRY_free(entry);
}

static void empty_the_issuer(X509 *certificate)
{
    empty(X509_get_issuer_name(certificate));
}

static void rename_the_issuer(X509 *certificate)
{
    assert_true(X509_NAME_add_entry_by_NID(X509_get_issuer_name(certificate), NID_commonName,
                                           V_ASN1_UTF8STRING, (const uint8_t *)"x", 1, -1, 0));
}

static void write_the_issuer_in_another_type(X509 *certificate)
{
    X509_NAME *name = X509_get_issuer_name(certificate);

    empty(name);
    assert_true(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_PRINTABLESTRING,
                                           (const uint8_t *)"Example Issuing CA", -1, -1, 0));
    assert_true(X509_NAME_add_entry_by_NID(name, NID_organizationName, V_ASN1_PRINTABLESTRING,
                                           (const uint8_t *)"Example GmbH", -1, -1, 0));
}

static void empty_the_subject(X509 *certificate)
{
    empty(subject_of(certificate));
}

static void add_empty_value(X509 *certificate)
{
    add_string(certificate, NID_organizationalUnitName, V_ASN1_UTF8STRING, "", 0);
}

static void add_teletex(X509 *certificate)
{
    add_string(certificate, NID_organizationalUnitName, V_ASN1_T61STRING, "x", 1);
}

static void add_utf8_country(X509 *certificate)
{
    add_string(certificate, NID_countryName, V_ASN1_UTF8STRING, "DE", 2);
}

static void add_line_break(X509 *certificate)
{
    add_string(certificate, NID_organizationalUnitName, V_ASN1_UTF8STRING, "a\nb", 3);
}

static void add_zero_byte(X509 *certificate)
{
    add_string(certificate, NID_organizationalUnitName, V_ASN1_UTF8STRING, "a\0b", 3);
}

static void add_unprintable(X509 *certificate)
{
    add_string(certificate, NID_organizationalUnitName, V_ASN1_PRINTABLESTRING, "a@b", 3);
}

static void add_long_value(X509 *certificate)
{
    char value[66];

    memset(value, 'x', 65);
    add_string(certificate, NID_organizationalUnitName, V_ASN1_UTF8STRING, value, 65);
}

static void add_long_country(X509 *certificate)
{
    add_string(certificate, NID_countryName, V_ASN1_PRINTABLESTRING, "DEU", 3);
}

static void add_small_country(X509 *certificate)
{
    add_string(certificate, NID_countryName, V_ASN1_PRINTABLESTRING, "de", 2);
}

static void add_matter(X509 *certificate, const char *oid, int type, const char *value)
{
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    assert_true(X509_NAME_add_entry_by_OBJ(X509_get_subject_name(certificate), object, type,
                                           (const unsigned char *)value, -1, -1, 0));
}
#define VENDOR  "1.3.6.1.4.1.37244.2.1"
#define PRODUCT "1.3.6.1.4.1.37244.2.2"

static void add_small_vendor(X509 *certificate)
{
    add_matter(certificate, VENDOR, V_ASN1_UTF8STRING, "fff1");
}

static void add_printable_vendor(X509 *certificate)
{
    add_matter(certificate, VENDOR, V_ASN1_PRINTABLESTRING, "FFF1");
}

static void add_long_vendor(X509 *certificate)
{
    add_matter(certificate, VENDOR, V_ASN1_UTF8STRING, "0FFF1");
}

static void add_two_vendors(X509 *certificate)
{
    add_matter(certificate, VENDOR, V_ASN1_UTF8STRING, "FFF1");
    add_matter(certificate, VENDOR, V_ASN1_UTF8STRING, "FFF1");
}

static void add_small_product(X509 *certificate)
{
    add_matter(certificate, VENDOR, V_ASN1_UTF8STRING, "FFF1");
    add_matter(certificate, PRODUCT, V_ASN1_UTF8STRING, "abcd");
}

static void add_lone_product(X509 *certificate)
{
    add_matter(certificate, PRODUCT, V_ASN1_UTF8STRING, "8000");
}

static void repeat_an_extension(X509 *certificate)
{
    assert_true(X509_add_ext(certificate, X509_get_ext(certificate, 0), -1));
}

static void add_unknown_critical(X509 *certificate)
{
    RAW(certificate, "1.3.6.1.4.1.32473.9", 1, "\x05\x00");
}

static void add_trailing_data(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0, "\x30\x03\x82\x01x\x00");
}

static void add_trailing_data_to_unknown(X509 *certificate)
{
    RAW(certificate, "1.3.6.1.4.1.32473.9", 0, "\x05\x00\x00");
}

static void say_ca_false(X509 *certificate)
{
    REPLACE(certificate, NID_basic_constraints, 1, "\x30\x03\x01\x01\x00");
}

static void add_no_check(X509 *certificate)
{
    RAW(certificate, "1.3.6.1.5.5.7.48.1.5", 0, "\x05\x00");
}

static void add_critical_no_check(X509 *certificate)
{
    REPLACE(certificate, NID_ext_key_usage, 0, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09");
    RAW(certificate, "1.3.6.1.5.5.7.48.1.5", 1, "\x05\x00");
}

static void add_wrong_no_check(X509 *certificate)
{
    RAW(certificate, "1.3.6.1.5.5.7.48.1.5", 0, "\x30\x00");
}

static void write_true_as_1(X509 *certificate)
{
    REPLACE(certificate, NID_basic_constraints, 1, "\x30\x06\x01\x01\x01\x02\x01\x01");
}

static void loosen_constraints(X509 *certificate)
{
    flip_critical(certificate, NID_basic_constraints);
}

static void limit_a_path_without_ca(X509 *certificate)
{
    REPLACE(certificate, NID_basic_constraints, 1, "\x30\x03\x02\x01\x00");
}

static void limit_a_path_without_signing(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x01\x02");
}

static void limit_a_path_below_zero(X509 *certificate)
{
    REPLACE(certificate, NID_basic_constraints, 1, "\x30\x06\x01\x01\xff\x02\x01\xff");
}

static void make_it_a_ca(X509 *certificate)
{
    REPLACE(certificate, NID_basic_constraints, 1, "\x30\x03\x01\x01\xff");
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x02\x84");
}

static void drop_key_usage(X509 *certificate)
{
    drop(certificate, NID_key_usage);
}

static void loosen_key_usage(X509 *certificate)
{
    flip_critical(certificate, NID_key_usage);
}

static void use_for_nothing(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x01\x00");
}

static void pad_key_usage(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x00\x80");
}

static void use_a_tenth_bit(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x03\x06\x80\x40");
}

static void sign_certificates(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x02\x84");
}

static void sign_no_certificates(X509 *certificate)
{
    REPLACE(certificate, NID_basic_constraints, 1, "\x30\x03\x01\x01\xff");
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x01\x02");
}

static void encipher_only(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x00\x81");
}

static void encipher_keys(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x05\xa0");
}

static void encipher_data(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x04\x90");
}

static void agree_with_rsa(X509 *certificate)
{
    assert_true(X509_set_pubkey(certificate, rsa.pkey));
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x03\x88");
}

static void have_no_purposes(X509 *certificate)
{
    REPLACE(certificate, NID_ext_key_usage, 0, "\x30\x00");
}

static void tighten_any_purpose(X509 *certificate)
{
    REPLACE(certificate, NID_ext_key_usage, 1, "\x30\x06\x06\x04\x55\x1d\x25\x00");
}

static void repeat_a_purpose(X509 *certificate)
{
    REPLACE(certificate, NID_ext_key_usage, 0,
            "\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
            "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02");
}

static void have_any_purpose_too(X509 *certificate)
{
    REPLACE(certificate, NID_ext_key_usage, 0,
            "\x30\x10\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02\x06\x04\x55\x1d\x25\x00");
}

static void use_against_its_purpose(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x06\x40");
}

static void drop_subject_key_id(X509 *certificate)
{
    drop(certificate, NID_subject_key_identifier);
}

static void tighten_subject_key_id(X509 *certificate)
{
    flip_critical(certificate, NID_subject_key_identifier);
}

static void change_subject_key_id(X509 *certificate)
{
    REPLACE(certificate, NID_subject_key_identifier, 0, "\x04\x02\x01\x02");
}

static void drop_authority_key_id(X509 *certificate)
{
    drop(certificate, NID_authority_key_identifier);
}

static void empty_authority_key_id(X509 *certificate)
{
    REPLACE(certificate, NID_authority_key_identifier, 0, "\x30\x00");
}

static void tighten_authority_key_id(X509 *certificate)
{
    flip_critical(certificate, NID_authority_key_identifier);
}

static void change_authority_key_id(X509 *certificate)
{
    REPLACE(certificate, NID_authority_key_identifier, 0, "\x30\x04\x80\x02\x01\x02");
}

static void have_no_names(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0, "\x30\x00");
}

static void tighten_names(X509 *certificate)
{
    flip_critical(certificate, NID_subject_alt_name);
}

static void have_an_empty_name(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0, "\x30\x02\x86\x00");
}

static void have_an_empty_directory_name(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0, "\x30\x04\xa4\x02\x30\x00");
}

static void have_a_high_byte(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0, "\x30\x05\x86\x03u:\xe4");
}

static void have_a_zero_byte(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0, "\x30\x05\x82\x03u\x00.");
}

static void have_half_an_address(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0, "\x30\x04\x87\x02\x0a\x00");
}

static void have_an_address_and_mask(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0,
            "\x30\x0a\x87\x08\x0a\x00\x00\x00\xff\x00\x00\x00");
}

static void have_a_host_with_a_slash(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0,
            "\x30\x05\x82\x03"
            "a/b");
}

static void have_a_uri_without_scheme(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0,
            "\x30\x05\x86\x03"
            "a.b");
}

static void have_an_email_without_at(X509 *certificate)
{
    REPLACE(certificate, NID_subject_alt_name, 0,
            "\x30\x05\x81\x03"
            "a.b");
}

static void add_email_address(X509 *certificate)
{
    add_value(certificate, NID_pkcs9_emailAddress, V_ASN1_IA5STRING, "a@b", -1);
}

static void add_email_address_and_another(X509 *certificate)
{
    add_email_address(certificate);
    REPLACE(certificate, NID_subject_alt_name, 0,
            "\x30\x05\x81\x03"
            "a@c");
}

static void sign_crls(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x01\x82");
}

static void sign_no_crls(X509 *certificate)
{
    REPLACE(certificate, NID_key_usage, 1, "\x03\x02\x02\x04");
}

static void tighten_crl_points(X509 *certificate)
{
    flip_critical(certificate, NID_crl_distribution_points);
}

static void have_an_ldap_crl_point(X509 *certificate)
{
    REPLACE(certificate, NID_crl_distribution_points, 0,
            "\x30\x10\x30\x0e\xa0\x0c\xa0\x0a\x86\x08ldap://x");
}

static void have_no_crl_points(X509 *certificate)
{
    REPLACE(certificate, NID_crl_distribution_points, 0, "\x30\x00");
}

static void tighten_information_access(X509 *certificate)
{
    flip_critical(certificate, NID_info_access);
}

static void have_a_file_as_responder(X509 *certificate)
{
    REPLACE(certificate, NID_info_access, 0,
            "\x30\x14\x30\x12\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x06"
            "file:x");
}

static const struct {
    const char *name;
    enum start start;
    void (*spoil)(X509 *certificate);
    const char *section, *part;
} CASES[] = {
    {"version 2", DEVICE, make_version_1, "RFC 5280 4.1.2.1", "must be version 3; found version 2"},
    {"serial 0", DEVICE, make_serial_zero, "RFC 5280 4.1.2.2", "serial number must be positive"},
    {"serial below 0", DEVICE, make_serial_negative, "RFC 5280 4.1.2.2", "must be positive"},
    {"serial of 21 octets", DEVICE, make_serial_long, "RFC 5280 4.1.2.2", "found 21 octets"},
    {"serial of 63 bits", DEVICE, make_serial_short, "CA/Browser BR 7.1", "found 63 bits"},
    {"SHA-1", DEVICE, sign_with_sha1, "RFC 5280 4.1.2.3", "must be the issuer's"},
    {"another digest", DEVICE, sign_with_sha384, "RFC 5280 4.1.2.3", "than ecdsa-sha256"},
    {"ECDSA with NULL", DEVICE, sign_with_parameters, "RFC 5280 4.1.2.3", "must be the issuer's"},
    {"GeneralizedTime in 2049", DEVICE, use_generalized_time_early, "RFC 5280 4.1.2.5",
     "found \"20491231235959Z\""},
    {"time zone", DEVICE, use_a_time_zone, "RFC 5280 4.1.2.5", "times must be UTCTime"},
    {"fractions", DEVICE, use_fractions, "RFC 5280 4.1.2.5", "times must be UTCTime"},
    {"ends too early", DEVICE, end_before_beginning, "RFC 5280 4.1.2.5",
     "notBefore must not come after notAfter"},
    {"unreadable key", DEVICE, cut_the_key, "RFC 5280 4.1.2.7", "key must be readable"},
    {"explicit curve", DEVICE, write_curve_explicitly, "RFC 5280 4.1.2.7", "form of parameters"},
    {"self-signed with another key", ROOT, certify_another_key, "RFC 5280 3.2",
     "must hold the issuer's key"},
    {"no issuer", DEVICE, empty_the_issuer, "RFC 5280 4.1.2.4", "issuer's name must not be empty"},
    {"another issuer", DEVICE, rename_the_issuer, "RFC 5280 4.1.2.4", "byte for byte"},
    {"issuer in other bytes", DEVICE, write_the_issuer_in_another_type, "RFC 5280 4.1.2.4",
     "byte for byte"},
    {"CA without subject", CA, empty_the_subject, "RFC 5280 4.1.2.6", "CA's subject"},
    {"no name at all", DEVICE, empty_the_subject, "RFC 5280 4.2.1.6", "needs a critical"},
    {"empty value", DEVICE, add_empty_value, "RFC 5280 4.1.2.4", "may be empty; found OU at place"},
    {"TeletexString", DEVICE, add_teletex, "RFC 5280 A.1", "its string type; found OU"},
    {"C as UTF8String", DEVICE, add_utf8_country, "RFC 5280 A.1", "its string type; found C"},
    {"line break", DEVICE, add_line_break, "RFC 5280 4.1.2.6", "no control characters"},
    {"zero byte", DEVICE, add_zero_byte, "RFC 5280 4.1.2.6", "no control characters"},
    {"PrintableString with @", DEVICE, add_unprintable, "RFC 5280 4.1.2.6", "keep to their string"},
    {"OU of 65", DEVICE, add_long_value, "RFC 5280 A.1", "longer than its upper bound; found OU"},
    {"C of three", DEVICE, add_long_country, "RFC 5280 A.1",
     "longer than its upper bound; found C"},
    {"C in small letters", DEVICE, add_small_country, "RFC 5280 A.1", "two capital letters"},
    {"extension twice", DEVICE, repeat_an_extension, "RFC 5280 4.2", "twice; found basicConstr"},
    {"unknown critical extension", DEVICE, add_unknown_critical, "RFC 5280 4.2",
     "may be critical; found 1.3.6.1.4.1.32473.9"},
    {"trailing data", DEVICE, add_trailing_data, "X.690 10", "trailing data; found subjectAltName"},
    {"trailing data in an unknown one", DEVICE, add_trailing_data_to_unknown, "X.690 10",
     "trailing data; found 1.3.6.1.4.1.32473.9"},
    {"CA:FALSE said", DEVICE, say_ca_false, "X.690 10", "found basicConstraints"},
    {"ocspNoCheck without purpose", DEVICE, add_no_check, "RFC 6960 4.2.2.2.1", "OCSPSigning"},
    {"ocspNoCheck not NULL", DEVICE, add_wrong_no_check, "X.690 10", "found ocspNoCheck"},
    {"ocspNoCheck critical", DEVICE, add_critical_no_check, "RFC 6960 4.2.2.2.1",
     "not be critical"},
    {"basicConstraints not critical", CA, loosen_constraints, "RFC 5280 4.2.1.9",
     "must be critical"},
    {"cA of 1", CA, write_true_as_1, "X.690 11.1", "TRUE is 0xff"},
    {"path length without CA", DEVICE, limit_a_path_without_ca, "RFC 5280 4.2.1.9",
     "path length needs a CA"},
    {"path length without signing", CA, limit_a_path_without_signing, "RFC 5280 4.2.1.9",
     "path length needs a CA that signs"},
    {"path length -1", CA, limit_a_path_below_zero, "RFC 5280 4.2.1.9", "not be negative"},
    {"CA past the path", DEVICE, make_it_a_ca, "RFC 5280 6.1.4 (l)", "path length 0"},
    {"no keyUsage", DEVICE, drop_key_usage, "RFC 5280 4.2.1.3", "keyUsage must be there"},
    {"keyUsage not critical", DEVICE, loosen_key_usage, "RFC 5280 4.2.1.3", "must be critical"},
    {"keyUsage of nothing", DEVICE, use_for_nothing, "RFC 5280 4.2.1.3", "have a bit set"},
    {"keyUsage with zero bits", DEVICE, pad_key_usage, "X.690 11.2.2", "no zero bits"},
    {"keyUsage with a tenth bit", DEVICE, use_a_tenth_bit, "X.690 11.2.2", "bits without a name"},
    {"keyCertSign without CA", DEVICE, sign_certificates, "RFC 5280 4.2.1.9", "exactly if"},
    {"CA without keyCertSign", CA, sign_no_certificates, "RFC 5280 4.2.1.9", "exactly if"},
    {"encipherOnly alone", DEVICE, encipher_only, "RFC 5280 4.2.1.3", "need keyAgreement"},
    {"keyEncipherment on EC", DEVICE, encipher_keys, "RFC 8813 3", "found keyEncipherment"},
    {"dataEncipherment on EC", DEVICE, encipher_data, "RFC 8813 3", "found dataEncipherment"},
    {"keyAgreement on RSA", DEVICE, agree_with_rsa, "RFC 8813 3", "found keyAgreement"},
    {"no purposes", DEVICE, have_no_purposes, "RFC 5280 4.2.1.12", "must not be empty"},
    {"any purpose critical", DEVICE, tighten_any_purpose, "RFC 5280 4.2.1.12", "not be critical"},
    {"VID in small letters", DEVICE, add_small_vendor, "Matter 6.2.2", "four capital hex digits"},
    {"VID in another string", DEVICE, add_printable_vendor, "Matter 6.2.2",
     "four capital hex digits"},
    {"VID too long", DEVICE, add_long_vendor, "Matter 6.2.2", "four capital hex digits"},
    {"two VIDs", DEVICE, add_two_vendors, "Matter 6.2.2", "four capital hex digits"},
    {"PID in small letters", DEVICE, add_small_product, "Matter 6.2.2", "four capital hex digits"},
    {"PID without VID", DEVICE, add_lone_product, "Matter 6.2.2", "a PID needs a VID"},
    {"purpose twice", DEVICE, repeat_a_purpose, "RFC 5280 4.2.1.12", "purpose may be there twice"},
    {"any purpose and another", DEVICE, have_any_purpose_too, "RFC 5280 4.2.1.12", "stand alone"},
    {"usage against purpose", DEVICE, use_against_its_purpose, "RFC 5280 4.2.1.12",
     "suit the key purposes; found clientAuth"},
    {"no SKI", DEVICE, drop_subject_key_id, "RFC 5280 4.2.1.2", "must be there"},
    {"critical SKI", DEVICE, tighten_subject_key_id, "RFC 5280 4.2.1.2", "not be critical"},
    {"wrong SKI", CA, change_subject_key_id, "RFC 5280 4.2.1.2", "must be that of the key"},
    {"no AKI", DEVICE, drop_authority_key_id, "RFC 5280 4.2.1.1", "must have a key identifier"},
    {"empty AKI", CA, empty_authority_key_id, "RFC 5280 4.2.1.1", "must have a key identifier"},
    {"critical AKI", DEVICE, tighten_authority_key_id, "RFC 5280 4.2.1.1", "not be critical"},
    {"wrong AKI", DEVICE, change_authority_key_id, "RFC 5280 4.2.1.1", "issuer's subjectKeyId"},
    {"wrong AKI of its own", ROOT, change_authority_key_id, "RFC 5280 4.2.1.1",
     "issuer's subjectKeyId"},
    {"no SANs", DEVICE, have_no_names, "RFC 5280 4.2.1.6", "subjectAltName must not be empty"},
    {"critical SAN", DEVICE, tighten_names, "RFC 5280 4.2.1.6", "exactly if the subject is empty"},
    {"empty SAN", DEVICE, have_an_empty_name, "RFC 5280 4.2.1.6",
     "empty; found the name at place 1"},
    {"empty directoryName", DEVICE, have_an_empty_directory_name, "RFC 5280 4.2.1.6",
     "no name in subjectAltName may be empty"},
    {"Latin-1 URI", DEVICE, have_a_high_byte, "RFC 5280 4.2.1.6", "visible ASCII"},
    {"zero byte in dns", DEVICE, have_a_zero_byte, "RFC 5280 4.2.1.6", "visible ASCII"},
    {"ip of 2", DEVICE, have_half_an_address, "RFC 5280 4.2.1.6", "4 or 16 octets"},
    {"ip with a mask", DEVICE, have_an_address_and_mask, "RFC 5280 4.2.1.6", "4 or 16 octets"},
    {"dns with a slash", DEVICE, have_a_host_with_a_slash, "RFC 5280 4.2.1.6", "must be labels"},
    {"uri without scheme", DEVICE, have_a_uri_without_scheme, "RFC 5280 4.2.1.6",
     "must be absolute"},
    {"email without @", DEVICE, have_an_email_without_at, "RFC 5280 4.2.1.6", "must be a mailbox"},
    {"emailAddress alone", DEVICE, add_email_address, "RFC 5280 4.1.2.6",
     "also be an email in subjectAltName; found emailAddress at place 3"},
    {"emailAddress and another email", DEVICE, add_email_address_and_another, "RFC 5280 4.1.2.6",
     "also be an email in subjectAltName"},
    {"cRLSign without CA", DEVICE, sign_crls, "RFC 5280 4.2.1.3", "cRLSign must be there exactly"},
    {"CA without cRLSign", CA, sign_no_crls, "RFC 5280 4.2.1.3", "cRLSign must be there exactly"},
    {"critical CRL point", DEVICE, tighten_crl_points, "RFC 5280 4.2.1.13", "not be critical"},
    {"LDAP CRL point", DEVICE, have_an_ldap_crl_point, "RFC 5280 4.2.1.13", "http or https"},
    {"no CRL points", DEVICE, have_no_crl_points, "RFC 5280 4.2.1.13", "http or https"},
    {"critical AIA", DEVICE, tighten_information_access, "RFC 5280 4.2.2.1", "not be critical"},
    {"file as responder", DEVICE, have_a_file_as_responder, "RFC 5280 4.2.2.1", "http or https"},
};

static void remember(const struct sg_error *error)
{
    assert_true(sg_buf_printf(&seen, 1 << 20, NULL, "%s %s\n", error->rule, error->text));
}

static void each_rule_sees_its_break(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_issuer_facts facts = facts_of(CASES[i].start);
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        sg_auto(X509) X509 *certificate = NULL;
        struct sg_error error = {0};

        build(CASES[i].start, &facts, &tbs);
        must(sg_lint(sg_buf_slice(&tbs), &facts, &error), &error);
        certificate = decode(&tbs);
        CASES[i].spoil(certificate);
        encode(CASES[i].name, certificate, &tbs);
        expect_failure(CASES[i].name, sg_lint(sg_buf_slice(&tbs), &facts, &error), &error,
                       SG_INTERNAL, CASES[i].part);
        if (strcmp(error.rule, CASES[i].section) != 0)
            fail_msg("%s: should be %s, is %s: %s", CASES[i].name, CASES[i].section, error.rule,
                     error.text);
        remember(&error);
    }
}

/* A certificate whose key OpenSSL does not know is not signed, whatever else is in it. */
static void ml_dsa_is_linted_where_it_is_known(void **state)
{
    static const struct {
        const char *name;
        int parameter_type;
        const char *usage;          /* DER of keyUsage; NULL: digitalSignature, as built */
        const char *part, *unknown; /* unknown: where OpenSSL does not know ML-DSA */
    } KEYS[] = {
        {"parameters", V_ASN1_NULL, NULL, "its algorithm's form of parameters",
         "its algorithm's form of parameters"},
        {"keyEncipherment", V_ASN1_UNDEF, "\x03\x02\x05\xa0", "found keyEncipherment",
         "key must be readable"},
        {"dataEncipherment", V_ASN1_UNDEF, "\x03\x02\x04\x90", "found dataEncipherment",
         "key must be readable"},
        {"keyAgreement", V_ASN1_UNDEF, "\x03\x02\x03\x88", "found keyAgreement",
         "key must be readable"},
        {"another SKI", V_ASN1_UNDEF, NULL, "must be that of the key", "key must be readable"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(KEYS) * NUM(ML_DSA_SETS); i++) {
        const size_t of = i / NUM(ML_DSA_SETS), set = i % NUM(ML_DSA_SETS);
        struct sg_issuer_facts facts = facts_of(DEVICE);
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        sg_auto(X509) X509 *certificate = NULL;
        struct sg_error error = {0};

        build(DEVICE, &facts, &tbs);
        certificate = decode(&tbs);
        fill_ml_dsa_spki(X509_get_X509_PUBKEY(certificate), ML_DSA_SETS[set].oid,
                         KEYS[of].parameter_type, ML_DSA_SETS[set].key_len);
        if (KEYS[of].usage != NULL)
            replace(certificate, NID_key_usage, 1, KEYS[of].usage, 4);
        encode(KEYS[of].name, certificate, &tbs);
        expect_failure(KEYS[of].name, sg_lint(sg_buf_slice(&tbs), &facts, &error), &error,
                       SG_INTERNAL, has_ml_dsa() ? KEYS[of].part : KEYS[of].unknown);
    }
}

/* Extensions that are put in as they are, in place of those with the same OID. */
static const struct {
    const char *name;
    enum start start;
    const char *oid;
    bool critical;
    const char *value;          /* in hex */
    const char *section, *part; /* section NULL: all is well */
} VALUES[] = {
    {"policies", DEVICE, "2.5.29.32", false,
     "308201d1308201cd06022a03308201c5301d06082b06010505070201161168747470733a2f2f612e6578616d70"
     "6c65308201a206082b06010505070202308201940c820190c3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3"
     "bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bc"
     "c3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3"
     "bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bc"
     "c3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3"
     "bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bc"
     "c3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3"
     "bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bc"
     "c3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3"
     "bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bc",
     NULL, ""},
    {"any policy", CA, "2.5.29.32", false, "300830060604551d2000", NULL, ""},
    {"no policies", DEVICE, "2.5.29.32", false, "3000", "RFC 5280 4.2.1.4", "must name a policy"},
    {"a policy twice", DEVICE, "2.5.29.32", false, "3012300406022a03300406022a04300406022a03",
     "RFC 5280 4.2.1.4", "no policy may be there twice"},
    {"no qualifiers", DEVICE, "2.5.29.32", false, "3008300606022a033000", "RFC 5280 4.2.1.4",
     "policy qualifiers must be"},
    {"LDAP as CPS", DEVICE, "2.5.29.32", false,
     "301e301c06022a033016301406082b0601050507020116086c6461703a2f2f61", "RFC 5280 4.2.1.4",
     "policy qualifiers must be"},
    {"a space in CPS", DEVICE, "2.5.29.32", false,
     "3020301e06022a033018301606082b06010505070201160a687474703a2f2f612062", "RFC 5280 4.2.1.4",
     "policy qualifiers must be"},
    {"another qualifier", DEVICE, "2.5.29.32", false, "3011300f06022a033009300706022a030c0178",
     "RFC 5280 4.2.1.4", "policy qualifiers must be"},
    {"long notice", DEVICE, "2.5.29.32", false,
     "3081e63081e306022a033081dc3081d906082b060105050702023081cc0c81c961616161616161616161616161"
     "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "6161616161616161",
     "RFC 5280 4.2.1.4", "a notice must be a UTF8String of 1 to 200"},
    {"empty notice", DEVICE, "2.5.29.32", false,
     "3018301606022a033010300e06082b0601050507020230020c00", "RFC 5280 4.2.1.4",
     "a notice must be"},
    {"visible notice", DEVICE, "2.5.29.32", false,
     "3019301706022a033011300f06082b0601050507020230031a0161", "RFC 5280 4.2.1.4",
     "a notice must be"},
    {"notice by number", DEVICE, "2.5.29.32", false,
     "3020301e06022a033018301606082b06010505070202300a30080c01783003020101", "RFC 5280 4.2.1.4",
     "a notice must be"},
    {"name constraints", CA, "2.5.29.30", true,
     "3040a030300b8209612e6578616d706c6530058103614062300c810a2e622e6578616d706c65300c860a2e622e"
     "6578616d706c65a10c300a8708c0000200ffffff00",
     NULL, ""},
    {"name constraints below", DEVICE, "2.5.29.30", true, "3007a0053003820161", "RFC 5280 4.2.1.10",
     "in a CA's certificate alone"},
    {"name constraints not critical", CA, "2.5.29.30", false, "3007a0053003820161",
     "RFC 5280 4.2.1.10", "nameConstraints must be critical"},
    {"empty name constraints", CA, "2.5.29.30", true, "3000", "RFC 5280 4.2.1.10",
     "must have subtrees in each"},
    {"no permitted subtree", CA, "2.5.29.30", true, "3002a000", "RFC 5280 4.2.1.10",
     "must have subtrees in each"},
    {"no excluded subtree", CA, "2.5.29.30", true, "3009a0053003820161a100", "RFC 5280 4.2.1.10",
     "must have subtrees in each"},
    {"minimum", CA, "2.5.29.30", true, "300aa0083006820161800101", "RFC 5280 4.2.1.10",
     "no minimum but 0"},
    {"maximum", CA, "2.5.29.30", true, "300aa0083006820161810101", "RFC 5280 4.2.1.10",
     "no minimum but 0"},
    {"dns with a dot", CA, "2.5.29.30", true, "3008a006300482022e61", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"wildcard", CA, "2.5.29.30", true, "3009a007300582032a2e61", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"empty dns", CA, "2.5.29.30", true, "3006a00430028200", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"email of nobody", CA, "2.5.29.30", true, "3008a006300481024061", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"whole URI", CA, "2.5.29.30", true, "300ea00c300a8608687474703a2f2f61", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"URI with a user", CA, "2.5.29.30", true, "3009a00730058603614062", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"address alone", CA, "2.5.29.30", true, "300aa00830068704c0000201", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"mask with a hole", CA, "2.5.29.30", true, "300ea00c300a8708c0000200ff00ff00",
     "RFC 5280 4.2.1.10", "forms of their kinds"},
    {"empty directory", CA, "2.5.29.30", true, "3008a0063004a4023000", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"registered ID", CA, "2.5.29.30", true, "3008a006300488022a03", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"policy constraints", CA, "2.5.29.36", true, "3006800100810101", NULL, ""},
    {"policy constraints below", DEVICE, "2.5.29.36", true, "3003800100", "RFC 5280 4.2.1.11",
     "in a CA's certificate alone"},
    {"policy constraints not critical", CA, "2.5.29.36", false, "3003800100", "RFC 5280 4.2.1.11",
     "must be critical"},
    {"empty policy constraints", CA, "2.5.29.36", true, "3000", "RFC 5280 4.2.1.11",
     "policyConstraints must not be empty"},
    {"negative requirement", CA, "2.5.29.36", true, "30038001ff", "RFC 5280 4.2.1.11",
     "policyConstraints must not be negative"},
    {"negative mapping", CA, "2.5.29.36", true, "30038101ff", "RFC 5280 4.2.1.11",
     "policyConstraints must not be negative"},
    {"inhibit any policy", CA, "2.5.29.54", true, "020100", NULL, ""},
    {"inhibit any policy below", DEVICE, "2.5.29.54", true, "020100", "RFC 5280 4.2.1.14",
     "in a CA's certificate alone"},
    {"inhibit any policy not critical", CA, "2.5.29.54", false, "020100", "RFC 5280 4.2.1.14",
     "must be critical"},
    {"negative inhibition", CA, "2.5.29.54", true, "0201ff", "RFC 5280 4.2.1.14",
     "inhibitAnyPolicy must not be negative"},
    {"dns", DEVICE, "2.5.29.17", false, "300f820d612d312e422e6578616d706c65", NULL, ""},
    {"dns with a wildcard", DEVICE, "2.5.29.17", false, "300f820d2a2e6578616d706c652e636f6d", NULL,
     ""},
    {"wildcard alone", DEVICE, "2.5.29.17", false, "300382012a", "RFC 5280 4.2.1.6",
     "a dns name must be labels"},
    {"wildcard in the middle", DEVICE, "2.5.29.17", false, "300d820b612e2a2e6578616d706c65",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"part of a label as wildcard", DEVICE, "2.5.29.17", false, "300c820a612a2e6578616d706c65",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"dns that begins with a dot", DEVICE, "2.5.29.17", false, "300a82082e6578616d706c65",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"dns that ends in a dot", DEVICE, "2.5.29.17", false, "300c820a612e6578616d706c652e",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"dns with a hyphen first", DEVICE, "2.5.29.17", false, "300c820a2d612e6578616d706c65",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"dns with a hyphen last", DEVICE, "2.5.29.17", false, "300c820a612d2e6578616d706c65",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"dns with an underscore", DEVICE, "2.5.29.17", false, "300d820b615f622e6578616d706c65",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"label of 63", DEVICE, "2.5.29.17", false,
     "304382416161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "616161616161616161616161616161616161616161612e62",
     NULL, ""},
    {"label of 64", DEVICE, "2.5.29.17", false,
     "304482426161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "61616161616161616161616161616161616161616161612e62",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"dns of 253", DEVICE, "2.5.29.17", false,
     "308201008281fd6161616161616161616161616161616161616161616161616161616161616161616161616161"
     "616161616161616161616161616161616161616161616161612e61616161616161616161616161616161616161"
     "61616161616161616161616161616161616161616161616161616161616161616161616161616161616161612e"
     "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "6161616161616161616161616161616161612e6262626262626262626262626262626262626262626262626262"
     "6262626262626262626262626262626262626262626262626262626262626262626262",
     NULL, ""},
    {"dns of 254", DEVICE, "2.5.29.17", false,
     "308201018281fe6161616161616161616161616161616161616161616161616161616161616161616161616161"
     "616161616161616161616161616161616161616161616161612e61616161616161616161616161616161616161"
     "61616161616161616161616161616161616161616161616161616161616161616161616161616161616161612e"
     "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
     "6161616161616161616161616161616161612e6262626262626262626262626262626262626262626262626262"
     "626262626262626262626262626262626262626262626262626262626262626262626262",
     "RFC 5280 4.2.1.6", "a dns name must be labels"},
    {"email", DEVICE, "2.5.29.17", false, "301681146164612e6c2b78406d61696c2e6578616d706c65", NULL,
     ""},
    {"email of nobody", DEVICE, "2.5.29.17", false, "300c810a40612e6578616d706c65",
     "RFC 5280 4.2.1.6", "an email name must be a mailbox"},
    {"email of nowhere", DEVICE, "2.5.29.17", false, "300481026140", "RFC 5280 4.2.1.6",
     "an email name must be a mailbox"},
    {"email with two @", DEVICE, "2.5.29.17", false, "300781056140624063", "RFC 5280 4.2.1.6",
     "an email name must be a mailbox"},
    {"email with a name", DEVICE, "2.5.29.17", false, "300a81084164613c6140623e",
     "RFC 5280 4.2.1.6", "an email name must be a mailbox"},
    {"email with an odd host", DEVICE, "2.5.29.17", false, "300781056140625f63", "RFC 5280 4.2.1.6",
     "an email name must be a mailbox"},
    {"uri with all parts", DEVICE, "2.5.29.17", false,
     "3020861e68747470733a2f2f7540612e6578616d706c653a383434332f703f712366", NULL, ""},
    {"uri of an address", DEVICE, "2.5.29.17", false,
     "301d861b68747470733a2f2f5b323030313a6462383a3a315d3a383434332f", NULL, ""},
    {"uri without authority", DEVICE, "2.5.29.17", false, "3007860575726e3a78", NULL, ""},
    {"uri that begins with a digit", DEVICE, "2.5.29.17", false, "3006860431613a78",
     "RFC 5280 4.2.1.6", "a uri name must be absolute"},
    {"uri with an odd scheme", DEVICE, "2.5.29.17", false, "30078605615f623a78", "RFC 5280 4.2.1.6",
     "a uri name must be absolute"},
    {"scheme alone", DEVICE, "2.5.29.17", false, "3006860475726e3a", "RFC 5280 4.2.1.6",
     "a uri name must be absolute"},
    {"uri without host", DEVICE, "2.5.29.17", false, "300b8609687474703a2f2f2f78",
     "RFC 5280 4.2.1.6", "a uri name must be absolute"},
    {"uri with a user alone", DEVICE, "2.5.29.17", false, "300d860b687474703a2f2f75402f78",
     "RFC 5280 4.2.1.6", "a uri name must be absolute"},
    {"uri with an odd host", DEVICE, "2.5.29.17", false, "300e860c687474703a2f2f615f622f78",
     "RFC 5280 4.2.1.6", "a uri name must be absolute"},
    {"uri with an odd port", DEVICE, "2.5.29.17", false, "300e860c687474703a2f2f613a622f78",
     "RFC 5280 4.2.1.6", "a uri name must be absolute"},
    {"uri with half a bracket", DEVICE, "2.5.29.17", false,
     "30168614687474703a2f2f5b323030313a6462383a3a312f", "RFC 5280 4.2.1.6",
     "a uri name must be absolute"},
    {"uri with no address in brackets", DEVICE, "2.5.29.17", false,
     "300d860b687474703a2f2f5b615d2f", "RFC 5280 4.2.1.6", "a uri name must be absolute"},
    {"uri with more after brackets", DEVICE, "2.5.29.17", false,
     "3010860e687474703a2f2f5b3a3a315d612f", "RFC 5280 4.2.1.6", "a uri name must be absolute"},
    {"UTF-8 mailbox", DEVICE, "2.5.29.17", false,
     "3021a01f06082b06010505070809a0130c116ac3bc7267656e40612e6578616d706c65", NULL, ""},
    {"UTF-8 mailbox in ASCII", DEVICE, "2.5.29.17", false,
     "3013a01106082b06010505070809a0050c03614062", "RFC 9598 3", "a SmtpUTF8Mailbox must be"},
    {"UTF-8 mailbox of nowhere", DEVICE, "2.5.29.17", false,
     "3013a01106082b06010505070809a0050c03c3bc40", "RFC 9598 3", "a SmtpUTF8Mailbox must be"},
    {"UTF-8 mailbox without @", DEVICE, "2.5.29.17", false,
     "3012a01006082b06010505070809a0040c02c3bc", "RFC 9598 3", "a SmtpUTF8Mailbox must be"},
    {"UTF-8 mailbox with a byte order mark", DEVICE, "2.5.29.17", false,
     "3017a01506082b06010505070809a0090c07efbbbfc3bc4062", "RFC 9598 3",
     "a SmtpUTF8Mailbox must be"},
    {"UTF-8 mailbox with a host beyond ASCII", DEVICE, "2.5.29.17", false,
     "3015a01306082b06010505070809a0070c05c3bc40c3bc", "RFC 9598 3", "a SmtpUTF8Mailbox must be"},
    {"UTF-8 mailbox as octets", DEVICE, "2.5.29.17", false,
     "3014a01206082b06010505070809a0060404c3bc4062", "RFC 9598 3", "a SmtpUTF8Mailbox must be"},
    {"issuer and serial in AKI", DEVICE, "2.5.29.35", false, "300b800101a103820161820101",
     "RFC 5280 4.2.1.1", "authorityKeyIdentifier must have no issuer and serial number"},
    {"serial in AKI", DEVICE, "2.5.29.35", false, "3006800101820101", "RFC 5280 4.2.1.1",
     "authorityKeyIdentifier must have no issuer and serial number"},
    {"CRL point", DEVICE, "2.5.29.31", false, "3010300ea00ca00a8608687474703a2f2f78", NULL, ""},
    {"CRL point of some reasons", DEVICE, "2.5.29.31", false,
     "30143012a00ca00a8608687474703a2f2f7881020640", "RFC 5280 4.2.1.13",
     "no reasons and no cRLIssuer"},
    {"CRL point of another issuer", DEVICE, "2.5.29.31", false,
     "30153013a00ca00a8608687474703a2f2f78a203820161", "RFC 5280 4.2.1.13",
     "no reasons and no cRLIssuer"},
    {"caIssuers", DEVICE, "1.3.6.1.5.5.7.1.1", false,
     "3016301406082b060105050730028608687474703a2f2f78", NULL, ""},
    {"caRepository in AIA", DEVICE, "1.3.6.1.5.5.7.1.1", false,
     "3016301406082b060105050730058608687474703a2f2f78", "RFC 5280 4.2.2.1",
     "no method but ocsp and caIssuers"},
    {"caRepository", CA, "1.3.6.1.5.5.7.1.11", false,
     "3016301406082b060105050730058608687474703a2f2f78", NULL, ""},
    {"critical subjectInfoAccess", CA, "1.3.6.1.5.5.7.1.11", true,
     "3016301406082b060105050730058608687474703a2f2f78", "RFC 5280 4.2.2.2",
     "subjectInfoAccess must not be critical"},
    {"empty subjectInfoAccess", CA, "1.3.6.1.5.5.7.1.11", false, "3000", "RFC 5280 4.2.2.2",
     "subjectInfoAccess must not be empty"},
    {"URI host without a dot", CA, "2.5.29.30", true, "3007a0053003860161", "RFC 5280 4.2.1.10",
     "forms of their kinds"},
    {"URI domain without a dot inside", CA, "2.5.29.30", true, "3008a006300486022e61", NULL, ""},
    {"label with a hyphen first", CA, "2.5.29.30", true, "3009a007300582032d2e61",
     "RFC 5280 4.2.1.10", "forms of their kinds"},
    {"other names", DEVICE, "2.5.29.17", false,
     "3077860575726e3a78a013060a2b060104018237140203a0050c03614062a01506082b06010505070804a00930"
     "0706022a03040178a01106082b06010505070803a00530030c0178a01506082b06010505070803a00930070c01"
     "7806022a03a00806022a03a0020400a40e300c310a300806035504030c0178",
     NULL, ""},
    {"TeletexString in a directory name", DEVICE, "2.5.29.17", false,
     "3010a40e300c310a30080603550403140178", "RFC 5280 A.1",
     "its string type; found CN at place 1"},
    {"empty value in a directory name", DEVICE, "2.5.29.17", false,
     "300fa40d300b3109300706035504030c00", "RFC 5280 4.1.2.4",
     "no attribute of a name may be empty"},
    {"C of three in a subtree", CA, "2.5.29.30", true,
     "3016a1143012a410300e310c300a06035504061303444555", "RFC 5280 A.1",
     "longer than its upper bound; found C"},
    {"subtree in BER", CA, "2.5.29.30", true, "3015a1133011a40f300d31810a300806035504030c0178",
     "X.690 10", "directory names must be DER"},
    {"directory name in BER", DEVICE, "2.5.29.17", false,
     "3018860575726e3a78a40f300d31810a300806035504030c0178", "X.690 10",
     "directory names must be DER; found directory name 1"},
    {"ASCII principal", DEVICE, "2.5.29.17", false,
     "3015a013060a2b060104018237140203a0051603614062", "RFC 5280 4.2.1.6",
     "a user principal name must be"},
    {"principal of nobody", DEVICE, "2.5.29.17", false,
     "3014a012060a2b060104018237140203a0040c024062", "RFC 5280 4.2.1.6",
     "a user principal name must be"},
    {"principal of nowhere", DEVICE, "2.5.29.17", false,
     "3014a012060a2b060104018237140203a0040c026140", "RFC 5280 4.2.1.6",
     "a user principal name must be"},
    {"text as module", DEVICE, "2.5.29.17", false, "3011a00f06082b06010505070804a0030c0178",
     "RFC 4108 5", "a type and a serial number"},
    {"module without serial", DEVICE, "2.5.29.17", false,
     "3014a01206082b06010505070804a006300406022a03", "RFC 4108 5", "a type and a serial number"},
    {"module of nothing", DEVICE, "2.5.29.17", false,
     "3016a01406082b06010505070804a008300606022a030400", "RFC 4108 5",
     "a type and a serial number"},
    {"module with more", DEVICE, "2.5.29.17", false,
     "3019a01706082b06010505070804a00b300906022a030401780500", "RFC 4108 5",
     "a type and a serial number"},
    {"assigner alone", DEVICE, "2.5.29.17", false, "3014a01206082b06010505070803a006300406022a03",
     "RFC 4043 2", "must have an identifier"},
    {"empty identifier", DEVICE, "2.5.29.17", false, "3012a01006082b06010505070803a00430020c00",
     "RFC 4043 2", "must have an identifier"},
    {"SID", DEVICE, "1.3.6.1.4.1.311.25.2", false,
     "3025a023060a2b060104018237190201a0150413532d312d352d32312d312d322d332d31303031", NULL, ""},
    {"critical SID", DEVICE, "1.3.6.1.4.1.311.25.2", true,
     "301aa018060a2b060104018237190201a00a0408532d312d352d3138", "MS-WCCE 2.2.2.7.7.4",
     "msSid must not be critical"},
    {"binary SID", DEVICE, "1.3.6.1.4.1.311.25.2", false,
     "301ea01c060a2b060104018237190201a00e040c010100000000000512000000", "MS-WCCE 2.2.2.7.7.4",
     "the text of one SID"},
    {"SID of another OID", DEVICE, "1.3.6.1.4.1.311.25.2", false,
     "3012a01006022a03a00a0408532d312d352d3138", "MS-WCCE 2.2.2.7.7.4", "the text of one SID"},
    {"SID as UTF8String", DEVICE, "1.3.6.1.4.1.311.25.2", false,
     "301aa018060a2b060104018237190201a00a0c08532d312d352d3138", "MS-WCCE 2.2.2.7.7.4",
     "the text of one SID"},
    {"two SIDs", DEVICE, "1.3.6.1.4.1.311.25.2", false,
     "3034a018060a2b060104018237190201a00a0408532d312d352d3138a018060a2b060104018237190201a00a04"
     "08532d312d352d3138",
     "MS-WCCE 2.2.2.7.7.4", "the text of one SID"},
    {"SID with more", DEVICE, "1.3.6.1.4.1.311.25.2", false, "0408532d312d352d3138",
     "MS-WCCE 2.2.2.7.7.4", "the text of one SID"},
};

static void put_value(X509 *certificate, const char *oid, bool critical, const char *hex)
{
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int at = X509_get_ext_by_OBJ(certificate, object, -1);
    uint8_t bytes[1024];
    size_t len = 0;

    assert_true(sg_hex_parse(hex, bytes, sizeof bytes, &len, NULL));
    if (at >= 0)
        X509_EXTENSION_free(X509_delete_ext(certificate, at));
    add_raw(certificate, oid, critical, (const char *)bytes, len);
}

static void each_value_gets_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(VALUES); i++) {
        struct sg_issuer_facts facts = facts_of(VALUES[i].start);
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        sg_auto(X509) X509 *certificate = NULL;
        struct sg_error error = {0};
        bool verdict;

        build(VALUES[i].start, &facts, &tbs);
        certificate = decode(&tbs);
        put_value(certificate, VALUES[i].oid, VALUES[i].critical, VALUES[i].value);
        encode(VALUES[i].name, certificate, &tbs);
        verdict = sg_lint(sg_buf_slice(&tbs), &facts, &error);
        if (VALUES[i].section == NULL) {
            expect_success(VALUES[i].name, verdict, &error);
            continue;
        }
        expect_failure(VALUES[i].name, verdict, &error, SG_INTERNAL, VALUES[i].part);
        if (strcmp(error.rule, VALUES[i].section) != 0)
            fail_msg("%s: should be %s, is %s: %s", VALUES[i].name, VALUES[i].section, error.rule,
                     error.text);
        remember(&error);
    }
}

/* A device named urn:…, below an issuer that permits URIs of one host, or only other kinds. */
static void issuers_constraints_are_kept(void **state)
{
    static const struct {
        const char *value;
        bool kept;
    } CONSTRAINTS[] = {
        {"300fa00d300b8209612e6578616d706c65", true},
        {"3015a0133011a40f300d310b3009060355040613024445", false},
        {"3015a1133011a40f300d310b3009060355040613024445", true},
        {"300fa00d300b8609612e6578616d706c65", false}, /* a urn has no host */
    };

    (void)state;
    for (size_t i = 0; i < NUM(CONSTRAINTS); i++) {
        struct sg_issuer_facts facts = facts_of(DEVICE);
        sg_auto(X509) X509 *issuer = X509_dup(facts.certificate);
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        struct sg_error error = {0};
        bool verdict;

        put_value(issuer, "2.5.29.30", true, CONSTRAINTS[i].value);
        build(DEVICE, &facts, &tbs);
        facts.certificate = issuer;
        verdict = sg_lint(sg_buf_slice(&tbs), &facts, &error);
        if (CONSTRAINTS[i].kept) {
            expect_success(CONSTRAINTS[i].value, verdict, &error);
            continue;
        }
        expect_failure(CONSTRAINTS[i].value, verdict, &error, SG_INTERNAL,
                       "its names must be inside the issuer's nameConstraints; found ");
        assert_string_equal(error.rule, "RFC 5280 6.1.3 (b)");
        remember(&error);
    }
}

/* Vendor and product go down a Matter chain, and nobody may change them on the way. */
static void matter_ids_are_inherited(void **state)
{
    static const struct {
        const char *name, *issuer_vendor, *issuer_product, *vendor, *product;
        const char *part; /* NULL: all is well */
    } CHAINS[] = {
        {"neither has any", NULL, NULL, NULL, NULL, NULL},
        {"the issuer is for all vendors", NULL, NULL, "FFF1", "8000", NULL},
        {"the issuer is for all products", "FFF1", NULL, "FFF1", "8000", NULL},
        {"the same", "FFF1", "8000", "FFF1", "8000", NULL},
        {"no Matter certificate", "FFF1", "8000", NULL, NULL, NULL},
        {"another vendor", "FFF1", NULL, "FFF2", "8000",
         "VID must be the issuer's, if that has one; found FFF2 below FFF1"},
        {"another product", "FFF1", "8000", "FFF1", "8001",
         "PID must be the issuer's, if that has one; found 8001 below 8000"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CHAINS); i++) {
        struct sg_issuer_facts facts = facts_of(DEVICE);
        sg_auto(X509) X509 *issuer = X509_dup(facts.certificate);
        sg_auto(X509) X509 *certificate = NULL;
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        struct sg_error error = {0};
        bool verdict;

        if (CHAINS[i].issuer_vendor != NULL)
            add_matter(issuer, VENDOR, V_ASN1_UTF8STRING, CHAINS[i].issuer_vendor);
        if (CHAINS[i].issuer_product != NULL)
            add_matter(issuer, PRODUCT, V_ASN1_UTF8STRING, CHAINS[i].issuer_product);
        facts.certificate = issuer;
        build(DEVICE, &facts, &tbs);
        certificate = decode(&tbs);
        if (CHAINS[i].vendor != NULL)
            add_matter(certificate, VENDOR, V_ASN1_UTF8STRING, CHAINS[i].vendor);
        if (CHAINS[i].product != NULL)
            add_matter(certificate, PRODUCT, V_ASN1_UTF8STRING, CHAINS[i].product);
        encode(CHAINS[i].name, certificate, &tbs);
        verdict = sg_lint(sg_buf_slice(&tbs), &facts, &error);
        if (CHAINS[i].part == NULL) {
            expect_success(CHAINS[i].name, verdict, &error);
            continue;
        }
        expect_failure(CHAINS[i].name, verdict, &error, SG_INTERNAL, CHAINS[i].part);
        assert_string_equal(error.rule, "Matter 6.2.2");
        remember(&error);
    }
}

/* Issuers that were imported in some other way than Signet's. */
static void the_issuer_must_be_a_ca(void **state)
{
    static const struct {
        const char *oid, *value;
        bool may;
    } ISSUERS[] = {
        {"2.5.29.15", "03020106", true},
        {"2.5.29.15", "03020204", true},
        {"2.5.29.15", "03020102", false},
        {"2.5.29.19", "3000", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(ISSUERS); i++) {
        struct sg_issuer_facts facts = facts_of(DEVICE);
        sg_auto(X509) X509 *issuer = X509_dup(facts.certificate);
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        struct sg_error error = {0};
        bool verdict;

        put_value(issuer, ISSUERS[i].oid, true, ISSUERS[i].value);
        build(DEVICE, &facts, &tbs);
        facts.certificate = issuer;
        verdict = sg_lint(sg_buf_slice(&tbs), &facts, &error);
        if (ISSUERS[i].may) {
            expect_success(ISSUERS[i].value, verdict, &error);
            continue;
        }
        expect_failure(ISSUERS[i].value, verdict, &error, SG_INTERNAL,
                       "the issuer must be a CA whose keyUsage has keyCertSign");
        assert_string_equal(error.rule, "RFC 5280 6.1.4 (k), (n)");
        remember(&error);
    }
}

/* What OpenSSL would not write: the bytes themselves are changed, and the outer length with them.
 */
static void patch(struct sg_buf *tbs, const char *what, size_t what_len, const char *with,
                  size_t with_len)
{
    sg_auto(sg_buf) struct sg_buf patched = {0};
    const uint8_t *at = memmem(tbs->data, tbs->len, what, what_len);
    size_t before, after;

    assert_non_null(at);
    before = (size_t)(at - tbs->data);
    after = tbs->len - before - what_len;
    assert_true(sg_buf_append(&patched, tbs->data, before, SG_LIMIT_CERTIFICATE, NULL));
    assert_true(sg_buf_append(&patched, with, with_len, SG_LIMIT_CERTIFICATE, NULL));
    assert_true(sg_buf_append(&patched, at + what_len, after, SG_LIMIT_CERTIFICATE, NULL));
    assert_int_equal(patched.data[1], 0x82); /* two octets of length */
    patched.data[2] = (uint8_t)((patched.len - 4) >> 8);
    patched.data[3] = (uint8_t)(patched.len - 4);
    assert_true(sg_buf_set(tbs, sg_buf_slice(&patched), NULL));
}

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *name;
    const char *what;
    size_t what_len;
    const char *with;
    size_t with_len;
    const char *section, *part; /* section NULL: one rule or another, by OpenSSL's version */
} PATCHES[] = {
    /* critical: FALSE is the default and so left out, which OpenSSL 3.5 does when re-encoding; TRUE
     * is 0xff */
    {"a default that is said", BYTES("\x55\x1d\x0f\x01\x01\xff"), BYTES("\x55\x1d\x0f\x01\x01\x00"),
     NULL, "must be DER"},
    {"a BOOLEAN of 1", BYTES("\x55\x1d\x0f\x01\x01\xff"), BYTES("\x55\x1d\x0f\x01\x01\x01"),
     "X.690 10", "found keyUsage"},
    /* the validity's length in more octets than needed */
    {"a long length", BYTES("\x30\x1e\x17\x0d"), BYTES("\x30\x81\x1e\x17\x0d"), "RFC 5280 4.1",
     "re-encoding must give the same bytes"},
    /* OpenSSL keeps a name's bytes, so re-encoding alone does not see these */
    {"a long length in a name",
     BYTES("\x0c\x0b"
           "device-AB12"),
     BYTES("\x0c\x81\x0a"
           "device-AB1"),
     "X.690 10", "issuer and subject must be DER"},
    {"text that is no UTF-8", BYTES("device-AB12"), BYTES("device-AB\xc0\x80"), "RFC 5280 4.1",
     "can't be decoded"},
};

static void bytes_that_are_no_der_are_seen(void **state)
{
    struct sg_issuer_facts facts = facts_of(DEVICE);

    (void)state;
    for (size_t i = 0; i < NUM(PATCHES); i++) {
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        struct sg_error error = {0};

        build(DEVICE, &facts, &tbs);
        patch(&tbs, PATCHES[i].what, PATCHES[i].what_len, PATCHES[i].with, PATCHES[i].with_len);
        expect_failure(PATCHES[i].name, sg_lint(sg_buf_slice(&tbs), &facts, &error), &error,
                       SG_INTERNAL, PATCHES[i].part);
        if (PATCHES[i].section != NULL)
            assert_string_equal(error.rule, PATCHES[i].section);
        remember(&error);
    }
}

/* Later versions of OpenSSL don't decode all of these in a certificate or CRL. */
static void times_have_one_form(void **state)
{
    static const struct {
        int type;
        const char *text;
        bool is_right;
    } TIMES[] = {
        {V_ASN1_UTCTIME, "260101000000Z", true},
        {V_ASN1_UTCTIME, "491231235959Z", true},
        {V_ASN1_UTCTIME, "2601010000Z", false},
        {V_ASN1_UTCTIME, "260101000000", false},
        {V_ASN1_UTCTIME, "260101000000+0000", false},
        {V_ASN1_UTCTIME, "261301000000Z", false},
        {V_ASN1_UTCTIME, "", false},
        {V_ASN1_GENERALIZEDTIME, "20500101000000Z", true},
        {V_ASN1_GENERALIZEDTIME, "20491231235959Z", false},
        {V_ASN1_GENERALIZEDTIME, "205001010000Z", false},
        {V_ASN1_GENERALIZEDTIME, "20500101000000", false},
        {V_ASN1_GENERALIZEDTIME, "20500101000000.5Z", false},
        {V_ASN1_GENERALIZEDTIME, "20500101000000-0100", false},
        {V_ASN1_GENERALIZEDTIME, "", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(TIMES); i++) {
        sg_auto(ASN1_TIME) ASN1_TIME *time = ASN1_STRING_type_new(TIMES[i].type);

        assert_true(ASN1_STRING_set(time, TIMES[i].text, -1));
        if (sg_lint_time_is_right(time) != TIMES[i].is_right)
            fail_msg("'%s' should be %s", TIMES[i].text, TIMES[i].is_right ? "right" : "wrong");
    }
}

/* Unique identifiers can't be made with OpenSSL: these follow the key in the bytes. */
static void unique_identifiers_are_seen(void **state)
{
    /* with the first octet of its length, as a key may well hold the other two */
    static const char EXTENSIONS[] = "\xa3\x82\x01";
    struct sg_issuer_facts facts = facts_of(DEVICE);
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    struct sg_error error = {0};

    (void)state;
    build(DEVICE, &facts, &tbs);
    patch(&tbs, BYTES(EXTENSIONS), BYTES("\x81\x02\x00\x01\xa3\x82\x01"));
    expect_failure("unique identifier", sg_lint(sg_buf_slice(&tbs), &facts, &error), &error,
                   SG_INTERNAL, "no unique identifiers");
    assert_string_equal(error.rule, "RFC 5280 4.1.2.8");
    remember(&error);
}

static void nonsense_is_no_certificate(void **state)
{
    static const struct {
        const char *tbs;
        size_t len;
        const char *part;
    } NONSENSE[] = {
        {"", 0, "not one DER SEQUENCE"},
        {"hello", 5, "not one DER SEQUENCE"},
        {"\x30\x00", 2, "can't be decoded"},
        {"\x30\x03\x02\x01\x01", 5, "can't be decoded"},
    };
    struct sg_issuer_facts facts = facts_of(DEVICE);

    (void)state;
    for (size_t i = 0; i < NUM(NONSENSE); i++) {
        struct sg_error error = {0};

        expect_failure("nonsense",
                       sg_lint(sg_slice_of(NONSENSE[i].tbs, NONSENSE[i].len), &facts, &error),
                       &error, SG_INTERNAL, NONSENSE[i].part);
    }
}

/* Every scheme's own algorithm is accepted, and no other scheme's. */
static void schemes_are_told_apart(void **state)
{
    (void)state;
    for (enum sg_scheme made = SG_RSA_SHA256; made <= SG_ECDSA_SHA512; made++) {
        struct sg_issuer_facts facts = facts_of(DEVICE);
        sg_auto(sg_buf) struct sg_buf tbs = {0};

        facts.scheme = made;
        build(DEVICE, &facts, &tbs);
        for (enum sg_scheme wanted = SG_RSA_SHA256; wanted <= SG_ECDSA_SHA512; wanted++) {
            struct sg_error error = {0};

            facts.scheme = wanted;
            assert_int_equal(sg_lint(sg_buf_slice(&tbs), &facts, &error), made == wanted);
            assert_string_equal(error.rule, made == wanted ? "" : "RFC 5280 4.1.2.3");
        }
    }
}

/* Runs last: no rule without a case above. */
static void every_rule_has_its_case(void **state)
{
    (void)state;
    for (size_t i = 0; SG_LINT_TABLES[i] != NULL; i++)
        for (const struct sg_lint_rule *rule = SG_LINT_TABLES[i]; rule->section != NULL; rule++)
            if (strstr((const char *)seen.data, rule->what) == NULL)
                fail_msg("%s has no case: %s", rule->section, rule->what);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_sees_its_break),
        cmocka_unit_test(ml_dsa_is_linted_where_it_is_known),
        cmocka_unit_test(each_value_gets_its_verdict),
        cmocka_unit_test(issuers_constraints_are_kept),
        cmocka_unit_test(matter_ids_are_inherited),
        cmocka_unit_test(the_issuer_must_be_a_ca),
        cmocka_unit_test(bytes_that_are_no_der_are_seen),
        cmocka_unit_test(times_have_one_form),
        cmocka_unit_test(nonsense_is_no_certificate),
        cmocka_unit_test(schemes_are_told_apart),
        cmocka_unit_test(unique_identifiers_are_seen),
        cmocka_unit_test(every_rule_has_its_case),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
