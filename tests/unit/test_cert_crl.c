#include "make_certificate.h"

#include <openssl/x509_vfy.h>
#include <time.h>

#include "cert/lint_rules.h"

enum { MANY = 100000 };

static struct party root, device;

/* The messages of all broken rules, for the last test. */
static struct sg_buf seen;

static void remember(const struct sg_error *error)
{
    assert_true(sg_buf_printf(&seen, 1 << 20, NULL, "%s %s\n", error->rule, error->text));
}

static int set_up(void **state)
{
    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_device(&device, "P-256", &root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sg_buf_free(&seen);
    party_done(&device);
    party_done(&root);
    return 0;
}

static struct sg_crl_draft *begin(void)
{
    struct sg_crl_draft *draft = NULL;
    struct sg_error error = {0};

    must(sg_crl_draft_new(&root.facts, TEST_NOW, TEST_NOW + 7 * TEST_DAY, &draft, &error), &error);
    return draft;
}

static void add_entry(struct sg_crl_draft *draft, uint8_t number, enum sg_reason reason)
{
    struct sg_serial serial = make_serial(number);
    struct sg_error error = {0};

    must(sg_crl_draft_add(draft, &serial, TEST_NOW - 60, reason, &error), &error);
}

/* Finishes, lints, signs and attaches. */
static X509_CRL *end(struct sg_crl_draft *draft, uint64_t number)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_slice tbs;
    struct sg_error error = {0};
    X509_CRL *crl = NULL;

    must(sg_crl_draft_finish(draft, number, &tbs, &error), &error);
    must(sg_crl_lint(tbs, &root.facts, &error), &error);
    sign(&root, tbs, &signature);
    must(sg_crl_draft_attach(draft, sg_buf_slice(&signature), &der, &error), &error);
    must(sg_crl_read(sg_buf_slice(&der), "test.crl", &crl, &error), &error);
    return crl;
}

static int verify(X509_CRL *crl)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int verdict;

    assert_true(X509_STORE_add_cert(store, root.certificate));
    assert_true(X509_STORE_add_crl(store, crl));
    assert_true(X509_STORE_CTX_init(context, store, device.certificate, NULL));
    X509_STORE_CTX_set_time(context, 0, TEST_NOW + TEST_DAY);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK |
                                          X509_V_FLAG_CRL_CHECK_ALL);
    verdict = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return verdict;
}

static void an_empty_crl_lets_pass(void **state)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();
    sg_auto(X509_CRL) X509_CRL *crl = end(draft, 1);

    (void)state;
    assert_null(X509_CRL_get_REVOKED(crl));
    assert_int_equal(X509_CRL_verify(crl, root.pkey), 1);
    assert_int_equal(verify(crl), X509_V_OK);
}

static void a_revoked_certificate_is_refused(void **state)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();
    sg_auto(X509_CRL) X509_CRL *crl = NULL;

    (void)state;
    add_entry(draft, 7, SG_REASON_SUPERSEDED);
    add_entry(draft, 3, SG_REASON_KEY_COMPROMISE); /* the device's */
    crl = end(draft, 2);
    assert_int_equal(verify(crl), X509_V_ERR_CERT_REVOKED);
}

static const enum sg_reason REASONS[] = {
    SG_REASON_UNSPECIFIED,         SG_REASON_KEY_COMPROMISE,      SG_REASON_CA_COMPROMISE,
    SG_REASON_AFFILIATION_CHANGED, SG_REASON_SUPERSEDED,          SG_REASON_CESSATION_OF_OPERATION,
    SG_REASON_CERTIFICATE_HOLD,    SG_REASON_PRIVILEGE_WITHDRAWN, SG_REASON_AA_COMPROMISE,
};

static void entries_say_what_was_given(void **state)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();
    sg_auto(X509_CRL) X509_CRL *crl = NULL;
    STACK_OF(X509_REVOKED) * entries;

    (void)state;
    for (size_t i = 0; i < NUM(REASONS); i++)
        add_entry(draft, (uint8_t)(i + 1), REASONS[i]);
    crl = end(draft, UINT64_MAX);
    entries = X509_CRL_get_REVOKED(crl);
    assert_int_equal(sk_X509_REVOKED_num(entries), NUM(REASONS));
    for (int i = 0; i < (int)NUM(REASONS); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        int critical = -1;
        sg_auto(ASN1_STRING) ASN1_STRING *reason =
            X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
        const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);

        assert_int_equal(ASN1_STRING_length(serial), 16);
        assert_int_equal(ASN1_STRING_get0_data(serial)[15], i + 1);
        assert_int_equal(
            X509_cmp_time(X509_REVOKED_get0_revocationDate(entry), &(time_t){TEST_NOW - 61}), 1);
        if (REASONS[i] == SG_REASON_UNSPECIFIED) {
            assert_null(reason);
            assert_int_equal(X509_REVOKED_get_ext_count(entry), 0);
        } else {
            assert_int_equal(ASN1_ENUMERATED_get(reason), REASONS[i]);
            assert_int_equal(critical, 0);
        }
    }
}

static void a_crl_has_version_number_and_issuer(void **state)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();
    sg_auto(X509_CRL) X509_CRL *crl = end(draft, UINT64_MAX);
    int critical = -1;
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *number =
        X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
    sg_auto(AUTHORITY_KEYID) AUTHORITY_KEYID *authority =
        X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
    uint64_t value = 0;

    (void)state;
    assert_int_equal(X509_CRL_get_version(crl), 1);
    assert_true(ASN1_INTEGER_get_uint64(&value, number));
    assert_true(value == UINT64_MAX);
    assert_int_equal(critical, 0);
    assert_int_equal(
        ASN1_OCTET_STRING_cmp(authority->keyid, X509_get0_subject_key_id(root.certificate)), 0);
    assert_null(authority->issuer);
    assert_int_equal(
        X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(root.certificate)), 0);
}

/* About a second without sanitizers; the limit is for those on a busy machine. */
static void a_large_crl_is_built_soon(void **state)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();
    sg_auto(X509_CRL) X509_CRL *crl = NULL;
    struct sg_serial serial = make_serial(0);
    clock_t started = clock();

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        memcpy(serial.bytes + 4, &i, sizeof i);
        assert_true(sg_crl_draft_add(draft, &serial, TEST_NOW, REASONS[i % NUM(REASONS)], NULL));
    }
    crl = end(draft, 3);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), MANY);
    assert_int_equal(X509_CRL_verify(crl, root.pkey), 1);
    assert_true((clock() - started) / CLOCKS_PER_SEC < 15);
}

static void drafts_refuse_what_has_no_meaning(void **state)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_issuer_facts facts = root.facts;
    struct sg_serial serial = make_serial(1);
    struct sg_slice tbs;
    struct sg_error errors[8] = {0};

    (void)state;
    facts.certificate = NULL;
    expect_failure("no certificate",
                   sg_crl_draft_new(&facts, TEST_NOW, TEST_NOW + 1, &draft, &errors[0]), &errors[0],
                   SG_INTERNAL, "issuer test has no certificate yet");
    facts = root.facts;
    expect_failure("no time", sg_crl_draft_new(&facts, TEST_NOW, TEST_NOW, &draft, &errors[1]),
                   &errors[1], SG_INTERNAL, "due before this one");
    facts.scheme = SG_SCHEME_NONE;
    expect_failure("no scheme",
                   sg_crl_draft_new(&facts, TEST_NOW, TEST_NOW + 1, &draft, &errors[2]), &errors[2],
                   SG_INTERNAL, "scheme");
    facts = root.facts;
    expect_failure("after the end of time",
                   sg_crl_draft_new(&facts, TEST_NOW, SG_TIME_NEVER + 1, &draft, &errors[3]),
                   &errors[3], SG_INTERNAL, "can't be written in X.509");
    assert_null(draft);
    draft = begin();
    expect_failure("not finished", sg_crl_draft_attach(draft, sg_slice_text("x"), &der, &errors[4]),
                   &errors[4], SG_INTERNAL, "not finished");
    assert_true(sg_crl_draft_finish(draft, 1, &tbs, NULL));
    expect_failure("twice", sg_crl_draft_finish(draft, 1, &tbs, &errors[5]), &errors[5],
                   SG_INTERNAL, "finished already");
    expect_failure("too late",
                   sg_crl_draft_add(draft, &serial, TEST_NOW, SG_REASON_SUPERSEDED, &errors[6]),
                   &errors[6], SG_INTERNAL, "nothing can be added");
    expect_failure("no signature", sg_crl_draft_attach(draft, sg_slice_text(""), &der, &errors[7]),
                   &errors[7], SG_INTERNAL, "0 bytes is no signature");
    assert_int_equal(der.len, 0);
}

/* A list with one entry, as an object that can be changed. */
static X509_CRL *make_crl(void)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();

    add_entry(draft, 3, SG_REASON_KEY_COMPROMISE);
    return end(draft, 4);
}

static X509_REVOKED *entry_of(X509_CRL *crl)
{
    return sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);
}

static void make_version_1(X509_CRL *crl)
{
    X509_CRL_set_version(crl, 0);
}

static void rename_the_issuer(X509_CRL *crl)
{
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(device.certificate));
}

static void use_a_time_zone(X509_CRL *crl)
{
    ASN1_TIME *time = (ASN1_TIME *)(uintptr_t)X509_CRL_get0_nextUpdate(crl);

    assert_true(ASN1_STRING_set(time, "260108000000+0100", -1));
}

static void use_generalized_time(X509_CRL *crl)
{
    ASN1_TIME *time = ASN1_TIME_new();

    assert_true(ASN1_TIME_set_string(time, "20260101000000Z"));
    assert_int_equal(ASN1_STRING_type(time), V_ASN1_GENERALIZEDTIME);
    assert_true(X509_CRL_set1_lastUpdate(crl, time));
    ASN1_TIME_free(time);
}

static void end_before_beginning(X509_CRL *crl)
{
    assert_true(X509_CRL_set1_nextUpdate(crl, X509_CRL_get0_lastUpdate(crl)));
}

static void empty_the_list(X509_CRL *crl)
{
    X509_REVOKED_free(sk_X509_REVOKED_pop(X509_CRL_get_REVOKED(crl)));
}

static void revoke_zero(X509_CRL *crl)
{
    ASN1_INTEGER *zero = ASN1_INTEGER_new();

    assert_true(X509_REVOKED_set_serialNumber(entry_of(crl), zero));
    ASN1_INTEGER_free(zero);
}

static void revoke_long(X509_CRL *crl)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    uint8_t bytes[20] = {0x80};

    assert_true(ASN1_STRING_set(number, bytes, sizeof bytes));
    assert_true(X509_REVOKED_set_serialNumber(entry_of(crl), number));
    ASN1_INTEGER_free(number);
}

static void revoke_at_a_wrong_time(X509_CRL *crl)
{
    ASN1_TIME *time = ASN1_TIME_new();

    assert_true(ASN1_TIME_set_string(time, "20260101000000Z"));
    assert_true(X509_REVOKED_set_revocationDate(entry_of(crl), time));
    ASN1_TIME_free(time);
}

static void set_reason(X509_CRL *crl, long code, int critical)
{
    ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

    assert_true(ASN1_ENUMERATED_set(reason, code));
    assert_true(X509_REVOKED_add1_ext_i2d(entry_of(crl), NID_crl_reason, reason, critical,
                                          X509V3_ADD_REPLACE) > 0);
    ASN1_ENUMERATED_free(reason);
}

static void say_unspecified(X509_CRL *crl)
{
    set_reason(crl, 0, 0);
}

static void say_seven(X509_CRL *crl)
{
    set_reason(crl, 7, 0);
}

static void say_remove(X509_CRL *crl)
{
    set_reason(crl, 8, 0);
}

static void say_critically(X509_CRL *crl)
{
    set_reason(crl, 1, 1);
}

static void revoke_twice(X509_CRL *crl)
{
    assert_true(X509_CRL_add0_revoked(crl, X509_REVOKED_dup(entry_of(crl))));
}

static void drop_the_number(X509_CRL *crl)
{
    X509_EXTENSION_free(X509_CRL_delete_ext(crl, X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1)));
}

static void make_the_number_critical(X509_CRL *crl)
{
    X509_EXTENSION_set_critical(
        X509_CRL_get_ext(crl, X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1)), 1);
}

static void set_number(X509_CRL *crl, const char *hex, bool negative)
{
    BIGNUM *number = NULL;
    ASN1_INTEGER *encoded;

    assert_true(BN_hex2bn(&number, hex) > 0);
    BN_set_negative(number, negative);
    encoded = BN_to_ASN1_INTEGER(number, NULL);
    assert_true(X509_CRL_add1_ext_i2d(crl, NID_crl_number, encoded, 0, X509V3_ADD_REPLACE) > 0);
    ASN1_INTEGER_free(encoded);
    BN_free(number);
}

static void make_the_number_negative(X509_CRL *crl)
{
    set_number(crl, "1", true);
}

static void make_the_number_long(X509_CRL *crl)
{
    set_number(crl, "8000000000000000000000000000000000000000", false);
}

static void name_another_key(X509_CRL *crl)
{
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();

    authority->keyid = ASN1_OCTET_STRING_new();
    assert_true(ASN1_OCTET_STRING_set(authority->keyid, (const uint8_t *)"x", 1));
    assert_true(X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority, 0,
                                      X509V3_ADD_REPLACE) > 0);
    AUTHORITY_KEYID_free(authority);
}

static void name_the_key_by_its_certificate_too(X509_CRL *crl)
{
    sg_auto(AUTHORITY_KEYID) AUTHORITY_KEYID *authority =
        X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);

    authority->serial = ASN1_INTEGER_new();
    assert_true(ASN1_INTEGER_set(authority->serial, 1));
    assert_true(X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority, 0,
                                      X509V3_ADD_REPLACE) > 0);
}

static const struct {
    const char *name;
    void (*spoil)(X509_CRL *crl);
    const char *section, *part;
} CASES[] = {
    {"version 1", make_version_1, "RFC 5280 5.1.2.1", "version 2"},
    {"another issuer", rename_the_issuer, "RFC 5280 5.1.2.3", "byte for byte"},
    {"nextUpdate with a time zone", use_a_time_zone, "RFC 5280 5.1.2.4", "times must be UTCTime"},
    {"GeneralizedTime", use_generalized_time, "RFC 5280 5.1.2.4", "times must be UTCTime"},
    {"no time", end_before_beginning, "RFC 5280 5.1.2.5", "must come after thisUpdate"},
    {"empty list", empty_the_list, "RFC 5280 5.1.2.6", "must be left out"},
    {"serial 0", revoke_zero, "RFC 5280 4.1.2.2", "positive"},
    {"serial of 21 octets", revoke_long, "RFC 5280 4.1.2.2", "at most 20 octets"},
    {"revoked at a wrong time", revoke_at_a_wrong_time, "RFC 5280 5.1.2.6", "revocation date"},
    {"reason unspecified", say_unspecified, "RFC 5280 5.3.1", "not unspecified"},
    {"reason 7", say_seven, "RFC 5280 5.3.1", "may have a reason"},
    {"removeFromCRL", say_remove, "RFC 5280 5.3.1", "may have a reason"},
    {"critical reason", say_critically, "RFC 5280 5.3.1", "not critical"},
    {"revoked twice", revoke_twice, "RFC 5280 5.1.2.6", "may be there twice"},
    {"no number", drop_the_number, "RFC 5280 5.2", "its extensions must be"},
    {"critical number", make_the_number_critical, "RFC 5280 5.2", "its extensions must be"},
    {"number -1", make_the_number_negative, "RFC 5280 5.2.3", "must not be negative"},
    {"number of 21 octets", make_the_number_long, "RFC 5280 5.2.3", "at most 20 octets"},
    {"key and certificate", name_the_key_by_its_certificate_too, "RFC 5280 5.2.1",
     "no issuer and serial number"},
    {"another key", name_another_key, "RFC 5280 5.2.1", "issuer's subjectKeyIdentifier"},
};

static void each_rule_sees_its_break(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(X509_CRL) X509_CRL *crl = make_crl();
        sg_auto(openssl_bytes) uint8_t *tbs = NULL;
        struct sg_error error = {0};
        int len;

        CASES[i].spoil(crl);
        len = i2d_re_X509_CRL_tbs(crl, &tbs);
        assert_true(len > 0);
        expect_failure(CASES[i].name,
                       sg_crl_lint(sg_slice_of(tbs, (size_t)len), &root.facts, &error), &error,
                       SG_INTERNAL, CASES[i].part);
        if (strcmp(error.rule, CASES[i].section) != 0)
            fail_msg("%s: should be %s, is %s", CASES[i].name, CASES[i].section, error.rule);
        remember(&error);
    }
}

/* What OpenSSL's objects can't be made to say: the bytes are changed. */
static void bytes_are_linted(void **state)
{
    static const struct {
        const char *name, *hex, *with, *section, *part;
    } PATCHES[] = {
        {"another algorithm", "300a06082a8648ce3d040302", "300a06082a8648ce3d040303",
         "RFC 5280 5.1.2.2", "must be the issuer's"},
        {"nextUpdate is none", "170d3236303130383030303030305a", "", "RFC 5280 5.1.2.5",
         "nextUpdate must be there"},
        {"a BER time", "170d3236303130383030303030305a", "17810d3236303130383030303030305a",
         "RFC 5280 5.1", "re-encoding must give the same bytes"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(PATCHES); i++) {
        sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();
        sg_auto(sg_buf) struct sg_buf patched = {0};
        uint8_t what[64], with[64];
        size_t what_len = 0, with_len = 0, before;
        struct sg_slice tbs;
        struct sg_error error = {0};
        const uint8_t *at;

        add_entry(draft, 1, SG_REASON_KEY_COMPROMISE);
        assert_true(sg_crl_draft_finish(draft, 1, &tbs, NULL));
        assert_true(sg_hex_parse(PATCHES[i].hex, what, sizeof what, &what_len, NULL));
        if (PATCHES[i].with[0] != '\0')
            assert_true(sg_hex_parse(PATCHES[i].with, with, sizeof with, &with_len, NULL));
        at = memmem(tbs.data, tbs.len, what, what_len);
        assert_non_null(at);
        before = (size_t)(at - tbs.data);
        assert_true(sg_buf_append(&patched, tbs.data, before, SG_LIMIT_CRL, NULL));
        assert_true(sg_buf_append(&patched, with, with_len, SG_LIMIT_CRL, NULL));
        assert_true(sg_buf_append(&patched, at + what_len, tbs.len - before - what_len,
                                  SG_LIMIT_CRL, NULL));
        assert_int_equal(patched.data[1], 0x81); /* one octet of length */
        patched.data[2] = (uint8_t)(patched.len - 3);
        expect_failure(PATCHES[i].name, sg_crl_lint(sg_buf_slice(&patched), &root.facts, &error),
                       &error, SG_INTERNAL, PATCHES[i].part);
        assert_string_equal(error.rule, PATCHES[i].section);
        remember(&error);
    }
}

/* An issuer that was imported in some other way than Signet's. */
static void the_issuer_must_be_a_crl_signer(void **state)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = begin();
    struct sg_issuer_facts facts = root.facts;
    sg_auto(X509) X509 *issuer = X509_dup(facts.certificate);
    sg_auto(ASN1_STRING) ASN1_STRING *usage = ASN1_BIT_STRING_new();
    struct sg_slice tbs;
    struct sg_error error = {0};

    (void)state;
    assert_true(sg_crl_draft_finish(draft, 1, &tbs, NULL));
    assert_true(ASN1_BIT_STRING_set_bit(usage, 5, 1)); /* keyCertSign */
    assert_true(X509_add1_ext_i2d(issuer, NID_key_usage, usage, 1, X509V3_ADD_REPLACE) > 0);
    facts.certificate = issuer;
    expect_failure("keyCertSign alone", sg_crl_lint(tbs, &facts, &error), &error, SG_INTERNAL,
                   "keyUsage must have cRLSign");
    assert_string_equal(error.rule, "RFC 5280 6.3.3 (f)");
    remember(&error);
}

static void nonsense_is_no_crl(void **state)
{
    struct sg_issuer_facts facts = root.facts;
    struct sg_error errors[3] = {0};

    (void)state;
    expect_failure("text", sg_crl_lint(sg_slice_text("hello"), &facts, &errors[0]), &errors[0],
                   SG_INTERNAL, "not one DER SEQUENCE");
    expect_failure("empty", sg_crl_lint(sg_slice_of("\x30\x00", 2), &facts, &errors[1]), &errors[1],
                   SG_INTERNAL, "can't be decoded");
    facts.certificate = NULL;
    expect_failure("no certificate", sg_crl_lint(sg_slice_of("\x30\x00", 2), &facts, &errors[2]),
                   &errors[2], SG_INTERNAL, "makes no CRL");
}

/* Runs last: no rule without a case above. */
static void every_rule_has_its_case(void **state)
{
    (void)state;
    for (const struct sg_crl_lint_rule *rule = SG_CRL_LINT_RULES; rule->section != NULL; rule++)
        if (strstr((const char *)seen.data, rule->what) == NULL)
            fail_msg("%s has no case: %s", rule->section, rule->what);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_crl_lets_pass),
        cmocka_unit_test(a_revoked_certificate_is_refused),
        cmocka_unit_test(entries_say_what_was_given),
        cmocka_unit_test(a_crl_has_version_number_and_issuer),
        cmocka_unit_test(a_large_crl_is_built_soon),
        cmocka_unit_test(drafts_refuse_what_has_no_meaning),
        cmocka_unit_test(each_rule_sees_its_break),
        cmocka_unit_test(bytes_are_linted),
        cmocka_unit_test(the_issuer_must_be_a_crl_signer),
        cmocka_unit_test(nonsense_is_no_crl),
        cmocka_unit_test(every_rule_has_its_case),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
