/* Plans: what is refused when one is made, what is known beforehand, and what may not be changed.
 */
#include "ceremony_fixture.h"

#include "cert/cert.h"

static struct stage stage;

static void put_request(const char *name, EVP_PKEY *key, bool spoil)
{
    sg_auto(X509_REQ) X509_REQ *csr = X509_REQ_new();
    sg_auto(BIO) BIO *out = BIO_new(BIO_s_mem());
    X509_NAME *subject = X509_NAME_new();
    char *bytes;

    assert_true(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)"Out", -1, -1, 0));
    assert_true(X509_REQ_set_subject_name(csr, subject));
    X509_NAME_free(subject);
    assert_true(X509_REQ_set_pubkey(csr, key));
    assert_true(X509_REQ_sign(csr, key, EVP_sha384()) > 0);
    if (spoil) {
        subject = X509_NAME_new();
        assert_true(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                               (const unsigned char *)"Eve", -1, -1, 0));
        assert_true(X509_REQ_set_subject_name(csr, subject));
        X509_NAME_free(subject);
    }
    assert_true(PEM_write_bio_X509_REQ(out, csr));
    assert_true(BIO_write(out, "", 1) == 1);
    BIO_get_mem_data(out, &bytes);
    put(&stage, name, bytes);
}

static void put_certificate(const char *name, EVP_PKEY *key, const char *subject)
{
    sg_auto(X509) X509 *certificate = X509_new();
    sg_auto(BIO) BIO *out = BIO_new(BIO_s_mem());
    char *bytes;

    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
    X509_set_version(certificate, X509_VERSION_3);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const unsigned char *)subject, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    ASN1_TIME_set(X509_getm_notBefore(certificate), BEGINS - 100);
    ASN1_TIME_set(X509_getm_notAfter(certificate), BEGINS + 1000000);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha384()) > 0);
    assert_true(PEM_write_bio_X509(out, certificate));
    assert_true(BIO_write(out, "", 1) == 1);
    BIO_get_mem_data(out, &bytes);
    put(&stage, name, bytes);
}

static int set_up(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *other = make_own_key("P-384");

    (void)state;
    set_up_stage(&stage, false);
    put_request("good.csr", other, false);
    put_request("spoilt.csr", other, true);
    put_certificate("stranger.pem", other, "Stranger");
    put(&stage, "wide.yaml",
        "policy: wide\ndescription: A CA with CAs below it\nwho: {any: [operator]}\n"
        "keys: [{ec: [P-384], key_usage: [keyCertSign, cRLSign]}]\n"
        "subject: [{CN: '${request.CN}'}]\nca: {path_length: 1}\nvalidity: {for: 365d}\n"
        "renewal: never\n");
    put(&stage, "approved.yaml",
        "policy: approved\ndescription: CAs that somebody has to approve\n"
        "who: {all: [operator, {approval: custodian}]}\n"
        "keys: [{ec: [P-384], key_usage: [keyCertSign, cRLSign]}]\n"
        "subject: [{CN: '${request.CN}'}]\nca: {path_length: 0}\nvalidity: {for: 365d}\n"
        "renewal: never\n");
    put(&stage, "text", "no key\n");
    put_other_ca(&stage, "other.pem", other, (struct other_ca){"", "hash"});
    put_other_ca(&stage, "narrow.pem", other, (struct other_ca){",pathlen:0", "hash"});
    put_other_ca(&stage, "odd-id.pem", other, (struct other_ca){"", "01:02:03"});
    put_other_ca(&stage, "odd-name.pem", other,
                 (struct other_ca){"", "hash", V_ASN1_PRINTABLESTRING});
    put_other_ca(&stage, "late.pem", other, (struct other_ca){"", "hash", 0, BEGINS + 60});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tear_down_stage(&stage);
    return 0;
}

#define ROOT                                                                                       \
    "acts:\n"                                                                                      \
    "  - make-key: {key: root, token: root, label: root, type: P-384}\n"                           \
    "  - self-signed: {name: root, key: root, policy: root-ca, subject: CN=Root, output: "         \
    "root.pem}\n"
#define CERTIFICATE(rest)                                                                          \
    ROOT "  - certificate: {name: out, issuer: root, policy: issuing-ca, output: out.pem, " rest   \
         "}\n"
#define CROSS(file) CERTIFICATE("cross: " file)
#define CRL(rest)   ROOT "  - crl: {issuer: root, number: 1, output: root.crl, " rest "}\n"

static void plans_are_made_or_refused(void **state)
{
    static const struct {
        const char *name, *text;
        const char *complaint; /* NULL: made */
    } CASES[] = {
        {"whole", PERSONS SEALS ACTS, NULL},
        {"a request", PERSONS CERTIFICATE("request: good.csr"), NULL},
        {"another scheme",
         PERSONS "acts:\n  - make-key: {key: root, token: root, label: root, type: RSA-3072, "
                 "signature: rsa-pss-sha256}\n"
                 "  - self-signed: {name: root, key: root, policy: root-ca, subject: CN=Root, "
                 "output: root.pem}\n",
         NULL},
        {"an end of one's own",
         PERSONS CERTIFICATE("request: good.csr, valid_until: 2030-01-01T00:00:00Z"), NULL},
        {"a cross-certificate", PERSONS CROSS("other.pem"), NULL},
        {"a cross-certificate, as wide", PERSONS CROSS("narrow.pem"), NULL},
        {"a cross-certificate that widens",
         PERSONS "acts:\n"
                 "  - make-key: {key: root, token: root, label: root, type: P-384}\n"
                 "  - self-signed: {name: root, key: root, policy: root-ca, subject: CN=Root, "
                 "output: root.pem}\n"
                 "  - certificate: {name: out, issuer: root, policy: wide.yaml, output: out.pem, "
                 "cross: narrow.pem}\n",
         "cross-certificate: it would have a wider path length than narrow.pem"},
        {"a cross-certificate of another key identifier", PERSONS CROSS("odd-id.pem"),
         "the subject key identifier of odd-id.pem is made in another way"},
        {"a cross-certificate of another name", PERSONS CROSS("odd-name.pem"),
         "the policy would change the subject of odd-name.pem"},
        {"a cross-certificate that begins before", PERSONS CROSS("late.pem"),
         "it would begin before late.pem does"},
        {"a cross-certificate for no CA", PERSONS CROSS("stranger.pem"), "stranger.pem: "},
        {"a request to outside",
         PERSONS "acts:\n  - make-key: {key: sub, token: root, label: sub, type: P-256}\n"
                 "  - request: {key: sub, subject: CN=Sub, output: sub.csr}\n",
         NULL},
        {"a request with a name that can't be",
         PERSONS "acts:\n  - make-key: {key: sub, token: root, label: sub, type: P-256}\n"
                 "  - request: {key: sub, subject: C=Germany, output: sub.csr}\n",
         "C"},
        {"a spoilt request", PERSONS CERTIFICATE("request: spoilt.csr"), "spoilt.csr: "},
        {"a request for another key",
         PERSONS CERTIFICATE("request: good.csr, request_key_sha256: '00ff'"),
         "is for another key than the one that was announced"},
        {"a request that is not there", PERSONS CERTIFICATE("request: none.csr"), "none.csr"},
        {"a policy that is not there",
         PERSONS "acts:\n  - make-key: {key: root, token: root, label: root, type: P-384}\n"
                 "  - self-signed: {name: root, key: root, policy: no-such, subject: CN=Root, "
                 "output: root.pem}\n",
         "no-such.yaml"},
        {"a policy for others",
         PERSONS "acts:\n  - make-key: {key: root, token: root, label: root, type: P-384}\n"
                 "  - self-signed: {name: root, key: root, policy: issuing-ca, subject: CN=Root, "
                 "output: root.pem}\n",
         "policy issuing-ca: ca"},
        {"a policy for oneself",
         PERSONS ROOT "  - certificate: {name: out, issuer: root, policy: "
                      "root-ca, request: good.csr, output: out.pem}\n",
         "policy root-ca: ca"},
        {"an OCSP responder",
         PERSONS ROOT "  - make-key: {key: ocsp, token: root, label: ocsp, type: P-256}\n"
                      "  - certificate: {name: ocsp, issuer: root, key: ocsp, subject: CN=OCSP, "
                      "policy: ocsp-responder, output: ocsp.pem}\n",
         NULL},
        {"a policy that wants an approval",
         PERSONS ROOT "  - certificate: {name: out, issuer: root, policy: "
                      "approved.yaml, request: good.csr, output: out.pem}\n",
         "wants an approval by custodian"},
        {"a key that the policy does not take",
         PERSONS "acts:\n  - make-key: {key: root, token: root, label: root, type: RSA-2048}\n"
                 "  - self-signed: {name: root, key: root, policy: root-ca, subject: CN=Root, "
                 "output: root.pem}\n",
         "policy root-ca: keys"},
        {"a name that the policy does not take",
         PERSONS "acts:\n  - make-key: {key: root, token: root, label: root, type: P-384}\n"
                 "  - self-signed: {name: root, key: root, policy: root-ca, subject: 'CN=Root,"
                 "C=xx', output: root.pem}\n",
         "policy root-ca: subject.C"},
        {"an end past the policy's",
         PERSONS CERTIFICATE("request: good.csr, valid_until: 2040-01-01T00:00:00Z"),
         "validity: valid_until is 2040-01-01T00:00:00Z; the policy allows it up to"},
        {"an end before the beginning",
         PERSONS CERTIFICATE("request: good.csr, valid_until: 2026-01-01T00:00:00Z"),
         "validity: valid_until"},
        {"a beginning before the issuer's",
         PERSONS CERTIFICATE("request: good.csr, valid_from: 2026-01-01T00:00:00Z"), "validity"},
        {"a CRL past its issuer", PERSONS CRL("lifetime: 9000d"),
         "good for longer than its issuer"},
        {"a CRL before its issuer", PERSONS CRL("lifetime: 9d, this_update: 2026-01-01T00:00:00Z"),
         "would begin before its issuer is valid"},
        {"revoking a stranger",
         PERSONS CRL("lifetime: 9d, revoked: [{certificate: stranger.pem, date: "
                     "2027-01-01T00:00:00Z, reason: superseded}]"),
         "stranger.pem was not issued by root"},
        {"an old root that is no CA",
         PERSONS "acts:\n  - use-key: {key: root, token: root, label: root, certificate: "
                 "stranger.pem}\n",
         "stranger.pem: "},
        {"a person's key that is none",
         "persons:\n  - {name: Ada, role: administrator, key: text}\n"
         "  - {name: Bob, role: custodian}\n  - {name: Dora, role: witness}\n" ACTS,
         "the key of Ada: text: neither a public key"},
        {"two persons with one key",
         "persons:\n  - {name: Ada, role: administrator, key: ada.pub}\n"
         "  - {name: Bob, role: custodian, key: ada.pub}\n  - {name: Dora, role: witness}\n" ACTS,
         "Ada and Bob have the same key"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        bool verdict = draft(&stage, CASES[i].text, &error);

        if (CASES[i].complaint == NULL)
            expect_success(CASES[i].name, verdict, &error);
        else if (verdict || strstr(error.text, CASES[i].complaint) == NULL)
            fail_msg("%s: should say '%s', says: %s", CASES[i].name, CASES[i].complaint,
                     error.text);
    }
}

static void a_plan_is_read_as_it_was_made(void **state)
{
    sg_auto(sg_ceremony) struct sg_ceremony again = {0};
    struct sg_error error = {0};

    (void)state;
    draft_whole(&stage);
    expect_success("read",
                   sg_ceremony_read("plan", sg_buf_slice(&stage.ceremony.bytes), SG_PLAN_OUR_WORDS,
                                    &again, &error),
                   &error);
    assert_string_equal(again.sha256, stage.ceremony.sha256);
}

static void no_byte_of_a_plan_can_be_changed_alone(void **state)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error error = {0};

    (void)state;
    draft_whole(&stage);
    expect_success("copy", sg_buf_set(&bytes, sg_buf_slice(&stage.ceremony.bytes), &error), &error);
    for (size_t at = 0; at < bytes.len; at += 61) {
        sg_auto(sg_ceremony) struct sg_ceremony changed = {0};
        struct sg_error why = {0};

        bytes.data[at] ^= 1;
        if (sg_ceremony_read("plan", sg_buf_slice(&bytes),
                             at % 2 == 0 ? SG_PLAN_OUR_WORDS : SG_PLAN_ANY_WORDS, &changed, &why) &&
            strcmp(changed.sha256, stage.ceremony.sha256) == 0)
            fail_msg("byte %zu of the plan could be changed", at);
        bytes.data[at] ^= 1;
    }
}

/* Another version of Signet finds other words for the same acts. */
static void another_versions_words_are_good_for_a_proof(void **state)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(sg_ceremony) struct sg_ceremony ours = {0};
    sg_auto(sg_ceremony) struct sg_ceremony any = {0};
    struct sg_error error = {0}, other = {0};
    char *title, *known;

    (void)state;
    draft_whole(&stage);
    expect_success("copy", sg_buf_set(&bytes, sg_buf_slice(&stage.ceremony.bytes), &error), &error);
    title = strstr((char *)bytes.data, "Make the key");
    known = strstr((char *)bytes.data, "\"known\": \"30");
    assert_true(title != NULL && known != NULL);
    memcpy(title, "Form", 4);
    expect_failure("to be done",
                   sg_ceremony_read("plan", sg_buf_slice(&bytes), SG_PLAN_OUR_WORDS, &ours, &error),
                   &error, SG_INVALID, "does not say what follows");
    sg_error_clear(&error);
    expect_success("done",
                   sg_ceremony_read("plan", sg_buf_slice(&bytes), SG_PLAN_ANY_WORDS, &any, &error),
                   &error);
    assert_string_not_equal(any.sha256, stage.ceremony.sha256);
    assert_memory_equal(sg_ceremony_act_title(&any, 0), "Form", 4);
    known[11] = '.';
    expect_failure("other bytes",
                   sg_ceremony_read("plan", sg_buf_slice(&bytes), SG_PLAN_ANY_WORDS, &ours, &other),
                   &other, SG_INVALID, "does not say what follows");
}

/* What is known has no dots where it should be known, and dots where a key comes in. */
static void what_depends_on_no_key_is_known(void **state)
{
    const char *root, *sub, *crl;

    (void)state;
    draft_whole(&stage);
    root = sg_ceremony_known(&stage.ceremony, 1, 0);
    sub = sg_ceremony_known(&stage.ceremony, 3, 0);
    crl = sg_ceremony_known(&stage.ceremony, 4, 1);
    /* The P-384 point, and its SHA-1 twice; the P-256 point, its SHA-1 and the root's; the root's.
     */
    const struct {
        const char *known;
        size_t bytes;
    } CASES[] = {{root, 96 + 20 + 20}, {sub, 64 + 20 + 20}, {crl, 20}};
    for (size_t i = 0; i < NUM(CASES); i++) {
        size_t dots = 0;

        for (const char *at = CASES[i].known; *at != '\0'; at++)
            dots += *at == '.';
        assert_int_equal(dots, 2 * CASES[i].bytes);
    }
    assert_null(sg_ceremony_known(&stage.ceremony, 0, 0));
    assert_non_null(strstr(root, "526f6f74")); /* Root */
}

static void bytes_fit_what_is_known_of_them(void **state)
{
    static const struct {
        const char *known, *bytes;
        size_t len;
        bool fits;
    } CASES[] = {
        {"", "", 0, true},         {"3031", "01", 2, true},  {"30..", "01", 2, true},
        {"....", "01", 2, true},   {"3032", "01", 2, false}, {"3031", "0", 1, false},
        {"3031", "012", 3, false}, {"3..1", "01", 2, true},  {"2..1", "01", 2, false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        assert_int_equal(sg_world_fits(CASES[i].known, sg_slice_of(CASES[i].bytes, CASES[i].len)),
                         CASES[i].fits);
}

static void two_plans_of_a_file_differ(void **state)
{
    char first[SG_SHA256_HEX_SIZE];

    (void)state;
    draft_whole(&stage);
    memcpy(first, stage.ceremony.sha256, sizeof first);
    draft_whole(&stage);
    assert_string_not_equal(first, stage.ceremony.sha256);
}

static void a_script_has_boxes_or_initials(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf boxes = {0};
    sg_auto(sg_buf) struct sg_buf filled = {0};
    struct sg_error error = {0};
    json_t *initials =
        json_pack("[s,s,s,s,s]", "D (Dora)", "D (Dora)", "D (Dora)", "D (Dora)", "last (Dora)");

    (void)state;
    draft_whole(&stage);
    expect_success("text", sg_ceremony_script(&stage.ceremony, SG_SCRIPT_TEXT, NULL, &text, &error),
                   &error);
    expect_success("boxes",
                   sg_ceremony_script(&stage.ceremony, SG_SCRIPT_MARKDOWN, NULL, &boxes, &error),
                   &error);
    expect_success(
        "filled",
        sg_ceremony_script(&stage.ceremony, SG_SCRIPT_MARKDOWN, initials, &filled, &error), &error);
    json_decref(initials);
    assert_non_null(strstr((char *)text.data, stage.ceremony.sha256));
    assert_null(strstr((char *)text.data, "| time |"));
    assert_non_null(strstr((char *)boxes.data, "| time | Dora |"));
    assert_null(strstr((char *)boxes.data, "**Initials:**"));
    assert_non_null(strstr((char *)filled.data, "**Initials:** last (Dora)"));
    assert_null(strstr((char *)filled.data, "| time |"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_made_or_refused),
        cmocka_unit_test(a_plan_is_read_as_it_was_made),
        cmocka_unit_test(no_byte_of_a_plan_can_be_changed_alone),
        cmocka_unit_test(another_versions_words_are_good_for_a_proof),
        cmocka_unit_test(what_depends_on_no_key_is_known),
        cmocka_unit_test(bytes_fit_what_is_known_of_them),
        cmocka_unit_test(two_plans_of_a_file_differ),
        cmocka_unit_test(a_script_has_boxes_or_initials),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
