#include "make_certificate.h"

#include <openssl/x509_vfy.h>

#include "base/hex.h"

/* Verifies with OpenSSL's strict rules; crl may be NULL. */
static int verify(const struct party *root, const struct party *ca, X509 *leaf, X509_CRL *crl)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    int verdict;

    assert_true(X509_STORE_add_cert(store, root->certificate));
    if (ca != NULL)
        assert_true(sk_X509_push(untrusted, ca->certificate) > 0);
    assert_true(X509_STORE_CTX_init(context, store, leaf, untrusted));
    X509_STORE_CTX_set_time(context, 0, TEST_NOW + TEST_DAY);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    if (crl != NULL) {
        STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();

        assert_true(sk_X509_CRL_push(crls, crl) > 0);
        X509_STORE_CTX_set0_crls(context, crls);
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_CRL_CHECK);
        verdict = X509_verify_cert(context);
        sk_X509_CRL_free(crls);
    } else {
        verdict = X509_verify_cert(context);
    }
    verdict = verdict == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    sk_X509_free(untrusted);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return verdict;
}

static const struct {
    const char *root, *ca, *device;
    enum sg_scheme root_scheme, ca_scheme;
} CHAINS[] = {
    {"P-384", "P-256", "P-256", SG_ECDSA_SHA384, SG_ECDSA_SHA256},
    {"P-521", "P-384", "RSA", SG_ECDSA_SHA512, SG_ECDSA_SHA384},
    {"RSA", "P-256", "ED25519", SG_RSA_PSS_SHA256, SG_ECDSA_SHA512},
    {"P-256", "RSA", "P-384", SG_ECDSA_SHA256, SG_RSA_SHA256},
};

static void chains_pass_strict_verification(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CHAINS); i++) {
        struct party root, ca, device;

        make_root(&root, CHAINS[i].root, CHAINS[i].root_scheme);
        make_ca(&ca, CHAINS[i].ca, CHAINS[i].ca_scheme, &root);
        make_device(&device, CHAINS[i].device, &ca);
        assert_int_equal(verify(&root, &ca, device.certificate, NULL), X509_V_OK);
        assert_int_equal(verify(&root, NULL, root.certificate, NULL), X509_V_OK);
        assert_int_equal(verify(&root, NULL, device.certificate, NULL),
                         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
        party_done(&device);
        party_done(&ca);
        party_done(&root);
    }
}

static void every_rsa_scheme_verifies(void **state)
{
    struct party root;

    (void)state;
    make_party(&root, "RSA", SG_RSA_SHA256);
    for (enum sg_scheme scheme = SG_RSA_SHA256; scheme <= SG_RSA_PSS_SHA512; scheme++) {
        sg_auto(sg_plan) struct sg_plan plan = {0};

        X509_free(root.certificate);
        root.certificate = root.facts.certificate = NULL;
        root.facts.scheme = scheme;
        make_ca_plan(&plan, sg_scheme_text(scheme));
        issue(&plan, &root, &root, 1);
        assert_int_equal(verify(&root, NULL, root.certificate, NULL), X509_V_OK);
    }
    party_done(&root);
}

static void a_wrong_signature_is_seen(void **state)
{
    struct party root, other, device;

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_party(&other, "P-256", SG_ECDSA_SHA256);
    other.facts.certificate = root.certificate; /* claims the root's name, signs with its own key */
    make_device(&device, "P-256", &other);
    assert_int_equal(verify(&root, NULL, device.certificate, NULL),
                     X509_V_ERR_CERT_SIGNATURE_FAILURE);
    party_done(&device);
    party_done(&other);
    party_done(&root);
}

static const struct {
    int nid, critical;
} DEVICE_EXTENSIONS[] = {
    {NID_basic_constraints, 1},
    {NID_key_usage, 1},
    {NID_ext_key_usage, 0},
    {NID_subject_key_identifier, 0},
    {NID_authority_key_identifier, 0},
    {NID_subject_alt_name, 0},
    {NID_crl_distribution_points, 0},
    {NID_info_access, 0},
};

static void extensions_have_their_order(void **state)
{
    struct party root, device;

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_device(&device, "P-256", &root);
    assert_int_equal(X509_get_ext_count(device.certificate), NUM(DEVICE_EXTENSIONS));
    for (int i = 0; i < (int)NUM(DEVICE_EXTENSIONS); i++) {
        X509_EXTENSION *extension = X509_get_ext(device.certificate, i);

        assert_int_equal(OBJ_obj2nid(X509_EXTENSION_get_object(extension)),
                         DEVICE_EXTENSIONS[i].nid);
        assert_int_equal(X509_EXTENSION_get_critical(extension), DEVICE_EXTENSIONS[i].critical);
    }
    assert_int_equal(X509_get_key_usage(device.certificate), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(device.certificate), XKU_SSL_CLIENT);
    assert_int_equal(X509_check_ca(device.certificate), 0);
    party_done(&device);
    party_done(&root);
}

/* What a plan's piece looks like in DER, as RFC 5280 has it. */
static void values_are_minimal_der(void **state)
{
    static const struct {
        const char *name, *hex;
        unsigned key_usage;
        bool ca;
        long path_length;
    } CASES[] = {
        {"basicConstraints CA:FALSE", "0603551d130101ff04023000", SG_KU_DIGITAL_SIGNATURE, false,
         -1},
        {"basicConstraints CA:TRUE", "0603551d130101ff040530030101ff", SG_KU_KEY_CERT_SIGN, true,
         -1},
        {"path length 3", "0603551d130101ff040830060101ff020103", SG_KU_KEY_CERT_SIGN, true, 3},
        {"one bit", "0603551d0f0101ff040403020780", SG_KU_DIGITAL_SIGNATURE, false, -1},
        {"two bits", "0603551d0f0101ff040403020106", SG_KU_KEY_CERT_SIGN | SG_KU_CRL_SIGN, true,
         -1},
        {"ninth bit", "0603551d0f0101ff04050303070880", SG_KU_KEY_AGREEMENT | SG_KU_DECIPHER_ONLY,
         false, -1},
    };
    struct party root;

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        struct sg_serial serial = make_serial(1);
        uint8_t wanted[64];
        size_t len = 0;

        make_ca_plan(&plan, "x");
        plan.key_usage = CASES[i].key_usage;
        plan.ca = CASES[i].ca;
        plan.path_length = CASES[i].path_length;
        assert_true(sg_cert_build(&plan, &root.facts, &root.key, &serial, &tbs, NULL));
        assert_true(sg_hex_parse(CASES[i].hex, wanted, sizeof wanted, &len, NULL));
        if (memmem(tbs.data, tbs.len, wanted, len) == NULL)
            fail_msg("%s: %s is not there", CASES[i].name, CASES[i].hex);
    }
    party_done(&root);
}

static void times_change_form_in_2050(void **state)
{
    static const struct {
        int64_t moment;
        int type;
        const char *text;
    } CASES[] = {
        {INT64_C(2524607999), V_ASN1_UTCTIME, "491231235959Z"},
        {INT64_C(2524608000), V_ASN1_GENERALIZEDTIME, "20500101000000Z"},
        {SG_TIME_NEVER, V_ASN1_GENERALIZEDTIME, "99991231235959Z"},
    };
    struct party root;

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_plan) struct sg_plan plan = {0};
        const ASN1_TIME *time;
        int64_t not_before, not_after;

        make_party(&root, "P-256", SG_ECDSA_SHA256);
        make_ca_plan(&plan, "x");
        plan.not_before = plan.not_after = CASES[i].moment;
        issue(&plan, &root, &root, 1);
        time = X509_get0_notAfter(root.certificate);
        assert_int_equal(ASN1_STRING_type(time), CASES[i].type);
        assert_string_equal((const char *)ASN1_STRING_get0_data(time), CASES[i].text);
        time = X509_get0_notBefore(root.certificate);
        assert_string_equal((const char *)ASN1_STRING_get0_data(time), CASES[i].text);
        assert_true(sg_cert_validity(root.certificate, &not_before, &not_after, NULL));
        assert_int_equal(not_before, CASES[i].moment);
        assert_int_equal(not_after, CASES[i].moment);
        party_done(&root);
    }
}

/* The issuer's name and key identifier are copied from its certificate, whatever made that. */
static void the_issuer_is_named_by_its_own_certificate(void **state)
{
    struct party root, device;
    static const uint8_t ODD_ID[] = {1, 2, 3};
    X509_NAME *odd = X509_NAME_new();
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();

    (void)state;
    make_party(&root, "P-256", SG_ECDSA_SHA256);
    constraints->ca = 0xff;
    root.certificate = root.facts.certificate = X509_new();
    assert_true(X509_NAME_add_entry_by_txt(odd, "CN", V_ASN1_T61STRING, (const uint8_t *)"Old Root",
                                           -1, -1, 0));
    assert_true(X509_set_subject_name(root.certificate, odd));
    assert_true(X509_set_pubkey(root.certificate, root.pkey));
    assert_true(ASN1_OCTET_STRING_set(id, ODD_ID, sizeof ODD_ID));
    assert_true(
        X509_add1_ext_i2d(root.certificate, NID_subject_key_identifier, id, 0, X509V3_ADD_APPEND));
    assert_true(X509_add1_ext_i2d(root.certificate, NID_basic_constraints, constraints, 1,
                                  X509V3_ADD_APPEND));
    make_device(&device, "P-256", &root);
    assert_int_equal(ASN1_STRING_cmp(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(
                                         X509_get_issuer_name(device.certificate), 0)),
                                     X509_NAME_ENTRY_get_data(X509_NAME_get_entry(odd, 0))),
                     0);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(device.certificate), id), 0);
    BASIC_CONSTRAINTS_free(constraints);
    ASN1_OCTET_STRING_free(id);
    X509_NAME_free(odd);
    party_done(&device);
    party_done(&root);
}

static void an_empty_subject_makes_names_critical(void **state)
{
    struct party root, device;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    int at;

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_party(&device, "P-256", SG_SCHEME_NONE);
    make_device_plan(&plan, "x");
    sg_name_done(&plan.subject);
    plan.subject = (struct sg_name){0};
    issue(&plan, &root, &device, 4);
    at = X509_get_ext_by_NID(device.certificate, NID_subject_alt_name, -1);
    assert_true(X509_EXTENSION_get_critical(X509_get_ext(device.certificate, at)));
    assert_int_equal(verify(&root, NULL, device.certificate, NULL), X509_V_OK);
    party_done(&device);
    party_done(&root);
}

static void planned_extensions_come_last_and_as_they_are(void **state)
{
    struct party root, device;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    X509_EXTENSION *last;
    const ASN1_OCTET_STRING *value;

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_party(&device, "P-256", SG_SCHEME_NONE);
    make_device_plan(&plan, "x");
    assert_true(sg_extensions_add(&plan.extensions, "1.3.6.1.4.1.32473.1.1", false,
                                  sg_slice_text("\x0c\x03leo"), NULL));
    issue(&plan, &root, &device, 4);
    last = X509_get_ext(device.certificate, X509_get_ext_count(device.certificate) - 1);
    value = X509_EXTENSION_get_data(last);
    assert_false(X509_EXTENSION_get_critical(last));
    assert_memory_equal(ASN1_STRING_get0_data(value), "\x0c\x03leo", 5);
    party_done(&device);
    party_done(&root);
}

/* The list that OpenSSL makes of a certificate's extensions, each made afresh. */
static int encode_afresh(const X509 *certificate, uint8_t **bytes)
{
    X509_EXTENSIONS *list = sk_X509_EXTENSION_new_null();
    int len;

    for (int i = 0; i < X509_get_ext_count(certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(certificate, i);
        X509_EXTENSION *fresh = X509_EXTENSION_create_by_OBJ(
            NULL, X509_EXTENSION_get_object(extension), X509_EXTENSION_get_critical(extension),
            X509_EXTENSION_get_data(extension));

        assert_true(sk_X509_EXTENSION_push(list, fresh) > 0);
    }
    len = i2d_X509_EXTENSIONS(list, bytes);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    assert_true(len > 0);
    return len;
}

/* Around the lengths at which DER's form of a length changes. */
static void extensions_are_encoded_as_openssl_does(void **state)
{
    static const int LENGTHS[] = {1, 100, 125, 126, 200, 252, 253, 300, 5000};
    static const uint8_t OCTETS[5000];
    struct party root;

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    for (size_t i = 0; i < NUM(LENGTHS); i++) {
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
        sg_auto(openssl_bytes) uint8_t *value = NULL, *afresh = NULL, *der = NULL;
        struct party device;
        int len, afresh_len, value_len;

        make_party(&device, "P-256", SG_SCHEME_NONE);
        make_device_plan(&plan, "x");
        assert_true(ASN1_OCTET_STRING_set(string, OCTETS, LENGTHS[i]));
        value_len = i2d_ASN1_OCTET_STRING(string, &value);
        assert_true(sg_extensions_add(&plan.extensions, "1.3.6.1.4.1.32473.1.1", false,
                                      sg_slice_of(value, (size_t)value_len), NULL));
        issue(&plan, &root, &device, 4);
        afresh_len = encode_afresh(device.certificate, &afresh);
        len = i2d_X509(device.certificate, &der);
        assert_true(len > 0);
        if (memmem(der, (size_t)len, afresh, (size_t)afresh_len) == NULL)
            fail_msg("%d octets", LENGTHS[i]);
        party_done(&device);
    }
    party_done(&root);
}

static void spoil_key_usage(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)facts;
    plan->key_usage = 0;
}

static void spoil_order(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)facts;
    plan->not_after = plan->not_before - 1;
}

static void spoil_end(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)facts;
    plan->not_after = SG_TIME_NEVER + 1;
}

static void spoil_crl_url(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)plan;
    facts->crl_url = NULL;
}

static void spoil_ocsp_url(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)plan;
    facts->ocsp_url = NULL;
}

static void spoil_scheme(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)plan;
    facts->scheme = SG_SCHEME_NONE;
}

static void spoil_with_duplicate(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)facts;
    assert_true(
        sg_extensions_add(&plan->extensions, "2.5.29.15", true, sg_slice_text("\x05"), NULL));
}

static void spoil_with_large_extension(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    static const uint8_t ZEROS[SG_LIMIT_CERTIFICATE];

    (void)facts;
    assert_true(sg_extensions_add(&plan->extensions, "1.2.3.4", false,
                                  sg_slice_of(ZEROS, sizeof ZEROS), NULL));
}

static void spoil_subject(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)facts;
    assert_true(sg_name_add(&plan->subject, "2.5.4.6", "Germany", NULL));
}

static void spoil_sans(struct sg_plan *plan, struct sg_issuer_facts *facts)
{
    (void)facts;
    plan->sans.items[0].kind = SG_SAN_OTHER;
}

static const struct {
    const char *name;
    void (*spoil)(struct sg_plan *plan, struct sg_issuer_facts *facts);
    enum sg_code code;
    const char *part;
} FAILURES[] = {
    {"no key usage", spoil_key_usage, SG_INTERNAL, "has no key usage"},
    {"ends before it begins", spoil_order, SG_INTERNAL, "would end before it begins"},
    {"after the end of time", spoil_end, SG_INTERNAL, "notAfter can't be written"},
    {"no CRL URL", spoil_crl_url, SG_INTERNAL, "publishes crl, for which issuer test has no URL"},
    {"no OCSP URL", spoil_ocsp_url, SG_INTERNAL, "publishes ocsp, for which"},
    {"no scheme", spoil_scheme, SG_INTERNAL, "scheme"},
    {"an extension twice", spoil_with_duplicate, SG_INTERNAL, "2.5.29.15: an extension is planned"},
    {"too large", spoil_with_large_extension, SG_REFUSED, "shorten its names or extensions"},
    {"a country of seven letters", spoil_subject, SG_REFUSED, "subject: "},
    {"a name that can't be encoded", spoil_sans, SG_INTERNAL, ""},
};

static void bad_plans_fail(void **state)
{
    struct party root;

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    for (size_t i = 0; i < NUM(FAILURES); i++) {
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(sg_buf) struct sg_buf tbs = {0};
        struct sg_issuer_facts facts = root.facts;
        struct sg_serial serial = make_serial(1);
        struct sg_error error = {0};

        make_device_plan(&plan, "x");
        FAILURES[i].spoil(&plan, &facts);
        expect_failure(FAILURES[i].name,
                       sg_cert_build(&plan, &facts, &root.key, &serial, &tbs, &error), &error,
                       FAILURES[i].code, FAILURES[i].part);
        assert_int_equal(tbs.len, 0);
    }
    party_done(&root);
}

static void a_key_must_have_bytes(void **state)
{
    struct party root;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    struct sg_public_key empty = {0};
    struct sg_serial serial = make_serial(1);
    struct sg_error error = {0};

    (void)state;
    make_party(&root, "P-256", SG_ECDSA_SHA256);
    make_ca_plan(&plan, "x");
    expect_failure("empty key", sg_cert_build(&plan, &root.facts, &empty, &serial, &tbs, &error),
                   &error, SG_INTERNAL, "a public key of 0 bytes");
    party_done(&root);
}

static void content_digest(const struct party *issuer, const struct sg_plan *plan,
                           const struct party *subject, uint8_t number,
                           uint8_t digest[SG_SHA256_LEN])
{
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    struct sg_serial serial = make_serial(number);
    struct sg_error error = {0};

    must(sg_cert_build(plan, &issuer->facts, &subject->key, &serial, &tbs, &error), &error);
    must(sg_cert_content_sha256(sg_buf_slice(&tbs), digest, &error), &error);
}

/* The same with another serial and validity; another with anything else changed. */
static void content_leaves_out_serial_and_validity(void **state)
{
    struct party root, other;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    uint8_t first[SG_SHA256_LEN], second[SG_SHA256_LEN];

    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_party(&other, "P-256", SG_ECDSA_SHA256);
    make_device_plan(&plan, "x");
    content_digest(&root, &plan, &root, 1, first);
    plan.not_before += 5;
    plan.not_after = SG_TIME_NEVER;
    content_digest(&root, &plan, &root, 2, second);
    assert_memory_equal(first, second, sizeof first);
    content_digest(&root, &plan, &other, 2, second);
    assert_memory_not_equal(first, second, sizeof first);
    content_digest(&other, &plan, &root, 2, second);
    assert_memory_not_equal(first, second, sizeof first);
    plan.key_usage |= SG_KU_KEY_AGREEMENT;
    content_digest(&root, &plan, &root, 2, second);
    assert_memory_not_equal(first, second, sizeof first);
    plan.key_usage = SG_KU_DIGITAL_SIGNATURE;
    assert_true(sg_name_add(&plan.subject, "2.5.4.11", "y", NULL));
    content_digest(&root, &plan, &root, 2, second);
    assert_memory_not_equal(first, second, sizeof first);
    party_done(&other);
    party_done(&root);
}

static void content_of_nonsense_fails(void **state)
{
    static const char *const NONSENSE[] = {"", "\x30\x02\x05", "\x30\x03\x02\x01\x01", "hello"};
    uint8_t digest[SG_SHA256_LEN];

    (void)state;
    for (size_t i = 0; i < NUM(NONSENSE); i++) {
        struct sg_error error = {0};

        expect_failure("nonsense",
                       sg_cert_content_sha256(sg_slice_text(NONSENSE[i]), digest, &error), &error,
                       SG_INTERNAL, "no version 3 certificate");
    }
}

static void attached_bytes_are_what_was_signed(void **state)
{
    struct party root;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    static const uint8_t ENDS_IN_ZEROS[] = {1, 2, 0, 0};
    const ASN1_BIT_STRING *signature = NULL;
    struct sg_serial serial = make_serial(1);
    struct sg_error error = {0};
    sg_auto(X509) X509 *certificate = NULL;

    (void)state;
    make_party(&root, "P-256", SG_ECDSA_SHA256);
    make_ca_plan(&plan, "x");
    must(sg_cert_build(&plan, &root.facts, &root.key, &serial, &tbs, &error), &error);
    must(sg_cert_attach(sg_buf_slice(&tbs), SG_ECDSA_SHA256,
                        sg_slice_of(ENDS_IN_ZEROS, sizeof ENDS_IN_ZEROS), &der, &error),
         &error);
    assert_memory_equal(der.data + 4, tbs.data, tbs.len);
    certificate = decode_certificate(sg_buf_slice(&der));
    X509_get0_signature(&signature, NULL, certificate);
    assert_int_equal(ASN1_STRING_length(signature), sizeof ENDS_IN_ZEROS);
    assert_memory_equal(ASN1_STRING_get0_data(signature), ENDS_IN_ZEROS, sizeof ENDS_IN_ZEROS);
    party_done(&root);
}

static void attaching_to_nonsense_fails(void **state)
{
    static const struct {
        const char *name, *tbs;
        size_t tbs_len, signature_len;
        enum sg_scheme scheme;
        const char *part;
    } CASES[] = {
        {"empty", "", 0, 1, SG_ECDSA_SHA256, "not one DER SEQUENCE"},
        {"no SEQUENCE", "\x02\x01\x01", 3, 1, SG_ECDSA_SHA256, "not one DER SEQUENCE"},
        {"trailing data", "\x30\x00\x00", 3, 1, SG_ECDSA_SHA256, "not one DER SEQUENCE"},
        {"cut", "\x30\x05\x00", 3, 1, SG_ECDSA_SHA256, "not one DER SEQUENCE"},
        {"no signature", "\x30\x00", 2, 0, SG_ECDSA_SHA256, "0 bytes is no signature"},
        {"huge signature", "\x30\x00", 2, SG_LIMIT_SIGNATURE + 1, SG_ECDSA_SHA256,
         "8193 bytes is no signature"},
        {"no scheme", "\x30\x00", 2, 1, SG_SCHEME_NONE, "scheme"},
    };
    static const uint8_t SIGNATURE[SG_LIMIT_SIGNATURE + 1];

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_error error = {0};

        expect_failure(CASES[i].name,
                       sg_cert_attach(sg_slice_of(CASES[i].tbs, CASES[i].tbs_len), CASES[i].scheme,
                                      sg_slice_of(SIGNATURE, CASES[i].signature_len), &der, &error),
                       &error, SG_INTERNAL, CASES[i].part);
        assert_int_equal(der.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_pass_strict_verification),
        cmocka_unit_test(every_rsa_scheme_verifies),
        cmocka_unit_test(a_wrong_signature_is_seen),
        cmocka_unit_test(extensions_have_their_order),
        cmocka_unit_test(values_are_minimal_der),
        cmocka_unit_test(times_change_form_in_2050),
        cmocka_unit_test(the_issuer_is_named_by_its_own_certificate),
        cmocka_unit_test(an_empty_subject_makes_names_critical),
        cmocka_unit_test(planned_extensions_come_last_and_as_they_are),
        cmocka_unit_test(extensions_are_encoded_as_openssl_does),
        cmocka_unit_test(bad_plans_fail),
        cmocka_unit_test(a_key_must_have_bytes),
        cmocka_unit_test(content_leaves_out_serial_and_validity),
        cmocka_unit_test(content_of_nonsense_fails),
        cmocka_unit_test(attached_bytes_are_what_was_signed),
        cmocka_unit_test(attaching_to_nonsense_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
