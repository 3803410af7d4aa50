#include "expect.h"

#include <openssl/err.h>

#include "model/oid.h"

typedef bool lookup(const char *word, const char **oid, struct sg_error *error);

static void words_become_oids(void **state)
{
    static const struct {
        lookup *lookup;
        const char *word, *oid;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {sg_oid_of_attribute, "CN", "2.5.4.3", NULL},
        {sg_oid_of_attribute, "serialNumber", "2.5.4.5", NULL},
        {sg_oid_of_attribute, "organizationIdentifier", "2.5.4.97", NULL},
        {sg_oid_of_attribute, "DC", "0.9.2342.19200300.100.1.25", NULL},
        {sg_oid_of_attribute, "emailAddress", "1.2.840.113549.1.9.1", NULL},
        {sg_oid_of_attribute, "1.3.6.1.4.1.32473.9", "1.3.6.1.4.1.32473.9", NULL},
        {sg_oid_of_attribute, "cn", NULL,
         "\"cn\" is no name attribute: use an OID or one of CN, O"},
        {sg_oid_of_attribute, "", NULL, "\"\" is no name attribute"},
        {sg_oid_of_attribute, "clientAuth", NULL, "is no name attribute"},
        {sg_oid_of_purpose, "clientAuth", "1.3.6.1.5.5.7.3.2", NULL},
        {sg_oid_of_purpose, "OCSPSigning", "1.3.6.1.5.5.7.3.9", NULL},
        {sg_oid_of_purpose, "smartcardLogon", "1.3.6.1.4.1.311.20.2.2", NULL},
        {sg_oid_of_purpose, "anyExtendedKeyUsage", "2.5.29.37.0", NULL},
        {sg_oid_of_purpose, "1.2.3", "1.2.3", NULL},
        {sg_oid_of_purpose, "ClientAuth", NULL,
         "is no key purpose: use an OID or one of serverAuth"},
        {sg_oid_of_purpose, "CN", NULL, "is no key purpose"},
        {sg_oid_of_purpose, "1.2.", NULL, "is no key purpose"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        const char *oid = "untouched";
        bool verdict = CASES[i].lookup(CASES[i].word, &oid, &error);

        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].word, verdict, &error);
            assert_string_equal(oid, CASES[i].oid);
        } else {
            expect_failure(CASES[i].word, verdict, &error, SG_USAGE, CASES[i].complaint);
            assert_string_equal(oid, "untouched");
        }
    }
}

static void oids_become_words(void **state)
{
    (void)state;
    assert_string_equal(sg_oid_attribute_word("2.5.4.10"), "O");
    assert_string_equal(sg_oid_attribute_word("2.5.4.1000"), "2.5.4.1000");
    assert_string_equal(sg_oid_purpose_word("1.3.6.1.5.5.7.3.1"), "serverAuth");
    assert_string_equal(sg_oid_purpose_word("1.2.3"), "1.2.3");
    assert_string_equal(sg_oid_extension_word("2.5.29.15"), "keyUsage");
    assert_string_equal(sg_oid_extension_word("1.3.6.1.5.5.7.48.1.5"), "ocspNoCheck");
    assert_string_equal(sg_oid_extension_word("1.3.6.1.4.1.311.25.2"), "msSid");
    assert_string_equal(sg_oid_extension_word("2.5.29.150"), "2.5.29.150");
}

/* The words that OpenSSL knows too must mean the same OID there. */
static void words_agree_with_openssl(void **state)
{
    static const struct {
        lookup *lookup;
        const char *word;
        int nid;
    } CASES[] = {
        {sg_oid_of_attribute, "CN", NID_commonName},
        {sg_oid_of_attribute, "O", NID_organizationName},
        {sg_oid_of_attribute, "OU", NID_organizationalUnitName},
        {sg_oid_of_attribute, "C", NID_countryName},
        {sg_oid_of_attribute, "ST", NID_stateOrProvinceName},
        {sg_oid_of_attribute, "L", NID_localityName},
        {sg_oid_of_attribute, "street", NID_streetAddress},
        {sg_oid_of_attribute, "postalCode", NID_postalCode},
        {sg_oid_of_attribute, "serialNumber", NID_serialNumber},
        {sg_oid_of_attribute, "T", NID_title},
        {sg_oid_of_attribute, "SN", NID_surname},
        {sg_oid_of_attribute, "GN", NID_givenName},
        {sg_oid_of_attribute, "initials", NID_initials},
        {sg_oid_of_attribute, "generationQualifier", NID_generationQualifier},
        {sg_oid_of_attribute, "name", NID_name},
        {sg_oid_of_attribute, "pseudonym", NID_pseudonym},
        {sg_oid_of_attribute, "dnQualifier", NID_dnQualifier},
        {sg_oid_of_attribute, "organizationIdentifier", NID_organizationIdentifier},
        {sg_oid_of_attribute, "UID", NID_userId},
        {sg_oid_of_attribute, "DC", NID_domainComponent},
        {sg_oid_of_attribute, "emailAddress", NID_pkcs9_emailAddress},
        {sg_oid_of_purpose, "serverAuth", NID_server_auth},
        {sg_oid_of_purpose, "clientAuth", NID_client_auth},
        {sg_oid_of_purpose, "codeSigning", NID_code_sign},
        {sg_oid_of_purpose, "emailProtection", NID_email_protect},
        {sg_oid_of_purpose, "timeStamping", NID_time_stamp},
        {sg_oid_of_purpose, "OCSPSigning", NID_OCSP_sign},
        {sg_oid_of_purpose, "ipsecIKE", NID_ipsec_IKE},
        {sg_oid_of_purpose, "smartcardLogon", NID_ms_smartcard_login},
        {sg_oid_of_purpose, "pkInitKPClientAuth", NID_pkInitClientAuth},
        {sg_oid_of_purpose, "pkInitKPKdc", NID_pkInitKDC},
        {sg_oid_of_purpose, "anyExtendedKeyUsage", NID_anyExtendedKeyUsage},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        char text[SG_LIMIT_OID];
        const char *oid = NULL;

        assert_true(CASES[i].lookup(CASES[i].word, &oid, NULL));
        assert_string_equal(oid, sg_oid_text(OBJ_nid2obj(CASES[i].nid), text));
    }
}

static void octets_tell_oids(void **state)
{
    static const uint8_t CN[] = {0x55, 4, 3}, SHORTER[] = {0x55, 4};

    (void)state;
    assert_true(sg_oid_is(OBJ_nid2obj(NID_commonName), sg_slice_of(CN, sizeof CN)));
    assert_false(sg_oid_is(OBJ_nid2obj(NID_surname), sg_slice_of(CN, sizeof CN)));
    assert_false(sg_oid_is(OBJ_nid2obj(NID_commonName), sg_slice_of(SHORTER, sizeof SHORTER)));
}

static void oids_are_checked(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } CASES[] = {
        {"2.5.4.3", true},
        {"0.0", true},
        {"1.39", true},
        {"2.40", true},
        {"2.999.1", true},
        {"1.3.340282366920938463463374607431768211455", true}, /* a UUID's 128 bits */
        {"", false},
        {"1", false},
        {"1.", false},
        {".1", false},
        {"1..2", false},
        {"1.2.", false},
        {"1.40", false},
        {"3.1", false},
        {"1.02", false},
        {"1.2.03", false},
        {"1.2 ", false},
        {" 1.2", false},
        {"1.-2", false},
        {"1.2.a", false},
        {"1 2", false},
    };
    char longest[SG_LIMIT_OID + 1] = "1.2.";

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        if (sg_oid_is_valid(CASES[i].text) != CASES[i].valid)
            fail_msg("%s: should be %s", CASES[i].text, CASES[i].valid ? "valid" : "invalid");
    assert_int_equal(ERR_peek_error(), 0);
    memset(longest + 4, '1', SG_LIMIT_OID - 5);
    assert_true(sg_oid_is_valid(longest));
    longest[SG_LIMIT_OID - 1] = '1';
    assert_false(sg_oid_is_valid(longest));
}

static void long_oids_are_not_cut(void **state)
{
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *object = NULL;
    char text[SG_LIMIT_OID], arcs[2 * SG_LIMIT_OID] = "1.2";

    (void)state;
    for (size_t i = 0; i < 80; i++)
        strcat(arcs, ".7");
    object = OBJ_txt2obj(arcs, 1);
    assert_non_null(object);
    assert_string_equal(sg_oid_text(object, text), "?");
}

static void key_usages_are_read_and_written(void **state)
{
    static const struct {
        const char *word;
        unsigned bit;
    } CASES[] = {
        {"digitalSignature", 1}, {"nonRepudiation", 2},   {"contentCommitment", 2},
        {"keyEncipherment", 4},  {"dataEncipherment", 8}, {"keyAgreement", 16},
        {"keyCertSign", 32},     {"cRLSign", 64},         {"encipherOnly", 128},
        {"decipherOnly", 256},
    };
    struct sg_error error = {0};
    unsigned bit = 99;
    char text[200];

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        assert_true(sg_key_usage_parse(CASES[i].word, &bit, NULL));
        assert_int_equal(bit, CASES[i].bit);
    }
    bit = 99;
    expect_failure("crlSign", sg_key_usage_parse("crlSign", &bit, &error), &error, SG_USAGE,
                   "\"crlSign\" is no key usage: use digitalSignature");
    assert_int_equal(bit, 99);
    assert_string_equal(sg_key_usage_text(0, text, sizeof text), "");
    assert_string_equal(sg_key_usage_text(SG_KU_CRL_SIGN | SG_KU_KEY_CERT_SIGN, text, sizeof text),
                        "keyCertSign, cRLSign");
    assert_string_equal(sg_key_usage_text(0x1ff, text, sizeof text),
                        "digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, "
                        "keyAgreement, keyCertSign, cRLSign, encipherOnly, decipherOnly");
    assert_string_equal(sg_key_usage_text(0x1ff, text, 20), "digitalSignature…");
    assert_string_equal(sg_key_usage_text(SG_KU_DIGITAL_SIGNATURE, text, 17), "digitalSignature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_oids),
        cmocka_unit_test(oids_become_words),
        cmocka_unit_test(words_agree_with_openssl),
        cmocka_unit_test(octets_tell_oids),
        cmocka_unit_test(oids_are_checked),
        cmocka_unit_test(long_oids_are_not_cut),
        cmocka_unit_test(key_usages_are_read_and_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
