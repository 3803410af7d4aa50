#include "ca_fixture.h"

#include "enroll/enroll.h"
#include "request/request.h"

static struct sg_token *token;
static struct sg_signer *p256, *p384, *rsa;

/* sg_enroll_csr by a token's key. */
static bool enroll(struct sg_signer *by, const struct sg_csr_spec *spec, sg_intent *intent,
                   void *context, struct sg_buf *der, struct sg_error *error)
{
    const struct sg_csr_signer signer = sg_csr_signer_of_token(by);

    return sg_enroll_csr(&signer, spec, intent, context, der, error);
}

static struct sg_signer *open_signer(const char *uri)
{
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_signer *signer = NULL;
    struct sg_error error = {0};

    expect_success(uri, sg_key_find(token, uri, &key, &error), &error);
    expect_success(uri, sg_signer_open(token, &key, &signer, &error), &error);
    return signer;
}

static struct sg_signer *make_signer(const char *label, enum sg_key_family family, unsigned bits)
{
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};
    char uri[64];

    expect_success(label,
                   sg_key_create(token, (struct sg_key_kind){family, bits}, label,
                                 (struct sg_slice){0}, &key, &error),
                   &error);
    snprintf(uri, sizeof uri, "pkcs11:object=%s", label);
    return open_signer(uri);
}

static int make_card(void **state)
{
    ca_make_token(state);
    token = ca_open_token(*state);
    p256 = open_signer("pkcs11:object=root");
    p384 = make_signer("p384", SG_KEY_EC, 384);
    rsa = make_signer("rsa", SG_KEY_RSA, 2048);
    return 0;
}

static int remove_card(void **state)
{
    sg_signer_close(p256);
    sg_signer_close(p384);
    sg_signer_close(rsa);
    sg_token_close(token);
    return ca_remove_token(state);
}

static int reset(void **state)
{
    (void)state;
    unsetenv("ODD_SIGN_RV");
    unsetenv("ODD_SIGNATURE");
    return 0;
}

/* ---- what a request shall say, in words ---- */

struct wish {
    const char *name, *subject;
    struct sg_signer **signer;
    enum sg_scheme scheme;
    struct {
        enum sg_san_kind kind;
        const char *value;
    } sans[6];
    const char *purposes[3];
    unsigned key_usage;
    bool ca;
    const char *digest; /* of the request's signature */
};

static const struct wish WISHES[] = {
    {"a name alone", "CN=device-AB12", &p256, .digest = "SHA2-256"},
    {"a longer name", "CN=Müller\\, \\+ Söhne,O=Example GmbH,C=DE", &p256, .digest = "SHA2-256"},
    {"everything", "CN=device-AB12,O=Example GmbH", &p384,
     .sans = {{SG_SAN_URI, "urn:dev:org:32473-device-AB12"},
              {SG_SAN_DNS, "ab12.example.com"},
              {SG_SAN_EMAIL, "ab12@example.com"},
              {SG_SAN_IP, "192.0.2.1"},
              {SG_SAN_IP, "2001:db8::1"},
              {SG_SAN_UPN, "ab12@example.com"}},
     .purposes = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.32473.1.9"},
     .key_usage = SG_KU_DIGITAL_SIGNATURE | SG_KU_KEY_AGREEMENT | SG_KU_DECIPHER_ONLY,
     .digest = "SHA2-384"},
    {"a CA", "CN=Issuing CA", &p256, .key_usage = SG_KU_KEY_CERT_SIGN | SG_KU_CRL_SIGN, .ca = true,
     .digest = "SHA2-256"},
    {"no subject", "", &p256, .sans = {{SG_SAN_DNS, "ab12.example.com"}}, .digest = "SHA2-256"},
    {"another digest", "CN=a", &p256, SG_ECDSA_SHA512, .digest = "SHA2-512"},
    {"RSA", "CN=a", &rsa, .digest = "SHA2-256"},
    {"RSA-PSS", "CN=a", &rsa, SG_RSA_PSS_SHA384, .digest = "SHA2-384"},
};

/* The texts of a wish, made into what a spec points at. */
struct spelled {
    struct sg_name subject;
    struct sg_sans sans;
    struct sg_oids purposes;
    struct sg_csr_spec spec;
};

static void spelled_done(struct spelled *spelled)
{
    sg_name_done(&spelled->subject);
    sg_sans_done(&spelled->sans);
    sg_oids_done(&spelled->purposes);
}
SG_DEFINE_CLEANUP_IN_PLACE(spelled, spelled_done)

static void spell(const struct wish *wish, struct spelled *spelled)
{
    struct sg_error error = {0};

    if (wish->subject[0] != '\0')
        expect_success(wish->name, sg_name_parse(wish->subject, &spelled->subject, &error), &error);
    for (size_t i = 0; i < NUM(wish->sans) && wish->sans[i].value != NULL; i++)
        expect_success(wish->name,
                       sg_sans_add(&spelled->sans, wish->sans[i].kind, wish->sans[i].value, &error),
                       &error);
    for (size_t i = 0; i < NUM(wish->purposes) && wish->purposes[i] != NULL; i++)
        expect_success(wish->name, sg_oids_add(&spelled->purposes, wish->purposes[i], &error),
                       &error);
    spelled->spec = (struct sg_csr_spec){.subject = &spelled->subject,
                                         .sans = spelled->sans.num > 0 ? &spelled->sans : NULL,
                                         .purposes = &spelled->purposes,
                                         .key_usage = wish->key_usage,
                                         .ca = wish->ca,
                                         .scheme = wish->scheme};
}

/* ---- intents ---- */

struct intent {
    size_t num; /* how often it was called */
    struct sg_buf bytes;
    bool refuses;
};

static void intent_done(struct intent *intent)
{
    sg_buf_free(&intent->bytes);
}
SG_DEFINE_CLEANUP_IN_PLACE(intent, intent_done)

static bool note(struct sg_slice to_be_signed, void *context, struct sg_error *error)
{
    struct intent *intent = context;

    intent->num++;
    if (intent->refuses)
        return sg_fail(error, SG_STORE, NULL, "the intent can't be noted");
    return sg_buf_set(&intent->bytes, to_be_signed, error);
}

/* ---- the tests ---- */

static void expect_parsed(const struct wish *wish, const struct spelled *spelled,
                          const struct sg_request *request)
{
    if (!sg_name_equal(&request->subject, &spelled->subject))
        fail_msg("%s: another subject", wish->name);
    if (!sg_sans_equal(&request->sans, &spelled->sans) ||
        request->has_sans != (spelled->sans.num > 0))
        fail_msg("%s: other SANs", wish->name);
    if (!sg_oids_equal(&request->purposes, &spelled->purposes))
        fail_msg("%s: other purposes", wish->name);
    if (request->key_usage != wish->key_usage)
        fail_msg("%s: key usage %x", wish->name, request->key_usage);
    if (request->ca != wish->ca || request->has_basic_constraints != wish->ca ||
        request->path_length != -1)
        fail_msg("%s: other basic constraints", wish->name);
    if (strcmp(request->digest, wish->digest) != 0)
        fail_msg("%s: digest %s", wish->name, request->digest);
    if (!sg_public_key_equal(&request->key, sg_signer_public_key(*wish->signer)))
        fail_msg("%s: another key", wish->name);
}

static void expect_extension(const struct wish *wish, const struct sg_request *request,
                             const char *oid, bool wanted, bool critical)
{
    const struct sg_extension *extension = sg_extensions_find(&request->extensions, oid);

    if ((extension != NULL) != wanted)
        fail_msg("%s: extension %s is there, or isn't", wish->name, oid);
    if (extension != NULL && extension->critical != critical)
        fail_msg("%s: extension %s is critical, or isn't", wish->name, oid);
}

static void expect_extensions(const struct wish *wish, const struct sg_request *request)
{
    expect_extension(wish, request, "2.5.29.19", wish->ca, true);
    expect_extension(wish, request, "2.5.29.15", wish->key_usage != 0, true);
    expect_extension(wish, request, "2.5.29.37", wish->purposes[0] != NULL, false);
    expect_extension(wish, request, "2.5.29.17", wish->sans[0].value != NULL,
                     wish->subject[0] == '\0');
}

static void wishes_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(WISHES); i++) {
        const struct wish *wish = &WISHES[i];
        sg_auto(spelled) struct spelled spelled = {0};
        sg_auto(sg_request) struct sg_request request = {0};
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_error error = {0};

        spell(wish, &spelled);
        expect_success(wish->name, enroll(*wish->signer, &spelled.spec, NULL, NULL, &der, &error),
                       &error);
        expect_success(wish->name, sg_request_parse(sg_buf_slice(&der), &request, &error), &error);
        expect_success(wish->name, sg_request_check_possession(&request, &error), &error);
        expect_parsed(wish, &spelled, &request);
        expect_extensions(wish, &request);
    }
}

/* What was noted is what was signed, byte for byte, and was noted once. */
static void an_intent_comes_first(void **state)
{
    sg_auto(spelled) struct spelled spelled = {0};
    sg_auto(intent) struct intent intent = {0};
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(openssl_bytes) uint8_t *info = NULL;
    struct sg_error error = {0};
    int len;

    (void)state;
    spell(&WISHES[3], &spelled);
    expect_success("CSR", enroll(p256, &spelled.spec, note, &intent, &der, &error), &error);
    expect_success("parse", sg_request_parse(sg_buf_slice(&der), &request, &error), &error);
    len = i2d_re_X509_REQ_tbs(request.pkcs10, &info);
    assert_true(len > 0);
    assert_int_equal(intent.num, 1);
    assert_true(sg_slice_equal(sg_buf_slice(&intent.bytes), sg_slice_of(info, (size_t)len)));
}

static void failures(void **state)
{
    static const struct {
        const char *name;
        enum sg_scheme scheme;
        const char *variable; /* of the token */
        bool refuses;         /* the intent does */
        const char *country;  /* of the subject */
        enum sg_code code;
        const char *part;
        size_t num_intents;
    } CASES[] = {
        /* the token would fail with SG_TOKEN: it was not asked */
        {"intent", .variable = "ODD_SIGN_RV", .refuses = true, .code = SG_STORE,
         .part = "the intent can't be noted", .num_intents = 1},
        {"token", .variable = "ODD_SIGN_RV", .code = SG_TOKEN, .part = "signet-test",
         .num_intents = 1},
        {"wrong signature", .variable = "ODD_SIGNATURE", .code = SG_TOKEN,
         .part = "does not verify", .num_intents = 1},
        {"a scheme for other keys", SG_RSA_SHA256, .code = SG_USAGE,
         .part = "makes no rsa-sha256 signature"},
        {"a name that can't be encoded", .country = "Germany", .code = SG_REFUSED, .part = "C"},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_name) struct sg_name subject = {0};
        sg_auto(intent) struct intent intent = {.refuses = CASES[i].refuses};
        sg_auto(sg_buf) struct sg_buf der = {0};
        const struct sg_csr_spec spec = {.subject = &subject, .scheme = CASES[i].scheme};
        const char *country = CASES[i].country != NULL ? CASES[i].country : "DE";
        struct sg_error error = {0};

        reset(state);
        if (CASES[i].variable != NULL)
            setenv(CASES[i].variable, "0x30", 1);
        expect_success("subject", sg_name_add(&subject, "2.5.4.6", country, &error), &error);
        expect_success("der", sg_buf_set(&der, sg_slice_text("before"), &error), &error);
        expect_failure(CASES[i].name, enroll(p256, &spec, note, &intent, &der, &error), &error,
                       CASES[i].code, CASES[i].part);
        assert_string_equal((const char *)der.data, "before");
        if (intent.num != CASES[i].num_intents)
            fail_msg("%s: %zu intents", CASES[i].name, intent.num);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(wishes_come_back, reset),
        cmocka_unit_test_setup(an_intent_comes_first, reset),
        cmocka_unit_test_setup(failures, reset),
    };

    return cmocka_run_group_tests(tests, make_card, remove_card);
}
