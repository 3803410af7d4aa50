#include "home_fixture.h"

/* One active issuer, and others in every state. */
#define SETTINGS                                                                                   \
    TOKENS "issuers:\n" ISSUER("issuing", "main", "issuing", "")                                   \
        ISSUER("second", "main", "second", ", state: status-only, signature: ecdsa-sha512")        \
            ISSUER("gone", "main", "gone", ", state: retired")

static int set_up(void **state)
{
    make_home(*state, SETTINGS);
    return 0;
}

/* ---- the folder ---- */

static void a_folder_has_to_be_a_home(void **state)
{
    const struct fixture *fixture = *state;
    struct sg_home *home = NULL;
    struct sg_error error = {0};

    expect_failure("another folder", sg_home_open(fixture->folder, SG_STORE_OPEN, &home, &error),
                   &error, SG_FAILED, "is no CA home");
    sg_error_clear(&error);
    expect_failure("no folder", sg_home_open("/nonexistent/home", SG_STORE_OPEN, &home, &error),
                   &error, SG_FAILED, "`signet init DIR` makes one");

    sg_error_clear(&error);
    remove_file(fixture->dir, "signet.db");
    expect_failure("no store", sg_home_open(fixture->dir, SG_STORE_OPEN, &home, &error), &error,
                   SG_STORE, "signet.db");

    sg_error_clear(&error);
    put_file(fixture->dir, "signet.yaml", "ca: x\n");
    expect_failure("wrong settings", sg_home_open(fixture->dir, SG_STORE_OPEN, &home, &error),
                   &error, SG_INVALID, "signet.yaml:1:1: key 'store' is missing");
    assert_null(home);
    sg_home_close(NULL);
}

/* ---- policies ---- */

#define POLICY(name)                                                                               \
    "policy: " name "\n"                                                                           \
    "description: For the tests of homes\n"                                                        \
    "who: {any: [operator]}\n"                                                                     \
    "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"                                       \
    "subject: [{CN: '${device.id}'}]\n"                                                            \
    "validity: {for: 365d}\n"                                                                      \
    "renewal: never\n"

static void a_policy_is_found_by_its_name(void **state)
{
    static const struct {
        const char *name;
        enum sg_code code;
        const char *complaint;
    } CASES[] = {
        {"other", SG_USAGE, "there is no policy 'other' in "},
        {"other", SG_USAGE, "; there are: broken, good, unlucky, wrong"},
        {"", SG_USAGE, "'' can't be a policy"},
        {"../good", SG_USAGE, "'../good' can't be a policy"},
        {"Good", SG_USAGE, "'Good' can't be a policy"},
        {"good.yaml", SG_USAGE, "'good.yaml' can't be a policy"},
        {"broken", SG_INVALID, "policies/broken.yaml:2:1: "},
        {"wrong", SG_INVALID, "policies/wrong.yaml:8:"},
        {"wrong", SG_INVALID, "should be accepted, but was refused by malformed: "},
        {"unlucky", SG_INVALID, "the example's request: cannot open"},
    };
    const struct fixture *fixture = *state;
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);

    put_file(fixture->dir, "policies/good.yaml", POLICY("good"));
    put_file(fixture->dir, "policies/broken.yaml", "policy: [broken\n");
    put_file(fixture->dir, "policies/wrong.yaml",
             POLICY("wrong") "examples: [{csr: junk.csr, expect: accept}]\n");
    put_file(fixture->dir, "policies/unlucky.yaml",
             POLICY("unlucky") "examples: [{csr: none.csr, expect: accept}]\n");
    put_file(fixture->dir, "policies/junk.csr", "junk");
    put_file(fixture->dir, "policies/.hidden.yaml", "junk");
    for (size_t i = 0; i < NUM(CASES); i++) {
        const struct sg_policy *policy = NULL;
        struct sg_error error = {0};

        expect_failure(CASES[i].name, sg_home_policy(home, CASES[i].name, &policy, &error), &error,
                       CASES[i].code, CASES[i].complaint);
        assert_null(policy);
    }
}

static void a_policy_is_read_once(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    const struct sg_policy *first = NULL, *second = NULL, *other = NULL;
    struct sg_error error = {0};

    put_file(fixture->dir, "policies/good.yaml", POLICY("good"));
    put_file(fixture->dir, "policies/other.yaml", POLICY("other"));
    expect_success("first", sg_home_policy(home, "good", &first, &error), &error);
    remove_file(fixture->dir, "policies/good.yaml");
    expect_success("other", sg_home_policy(home, "other", &other, &error), &error);
    expect_success("second", sg_home_policy(home, "good", &second, &error), &error);
    assert_ptr_equal(first, second);
    assert_string_equal(sg_policy_name(other), "other");
}

static void a_home_may_have_lost_its_policies(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    const struct sg_policy *policy = NULL;
    struct sg_error error = {0};
    char path[160];

    snprintf(path, sizeof path, "%s/policies", fixture->dir);
    expect_failure("empty", sg_home_policy(home, "good", &policy, &error), &error, SG_USAGE,
                   "there are: none");
    sg_error_clear(&error);
    assert_int_equal(rmdir(path), 0);
    expect_failure("gone", sg_home_policy(home, "good", &policy, &error), &error, SG_FAILED,
                   "cannot look for policies in");
}

/* ---- issuers ---- */

static void put_certificate(const struct fixture *fixture)
{
    append_certificate(fixture, "issuing.pem",
                       &(struct make_certificate){.subject = "Issuing", .key = fixture->issuing});
}

static void expect_issuer_failure(const struct fixture *fixture, const char *name,
                                  enum sg_issuer_use use, enum sg_code code, const char *complaint)
{
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    struct sg_issuer *issuer = NULL;
    struct sg_error error = {0};

    expect_failure(name != NULL ? name : "none named",
                   sg_home_issuer(home, name, use, &issuer, &error), &error, code, complaint);
    assert_null(issuer);
}

static void an_issuer_is_found_by_its_name_or_by_being_active(void **state)
{
    struct fixture *fixture = *state;
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    struct sg_issuer *named = NULL, *active = NULL;
    struct sg_error error = {0};

    put_certificate(fixture);
    expect_success("named", sg_home_issuer(home, "issuing", SG_ISSUER_TO_READ, &named, &error),
                   &error);
    expect_success("active", sg_home_issuer(home, NULL, SG_ISSUER_TO_READ, &active, &error),
                   &error);
    assert_ptr_equal(named, active);
    expect_issuer_failure(fixture, "other", SG_ISSUER_TO_READ, SG_USAGE,
                          "there is no issuer 'other'; signet.yaml has: issuing, second, gone");

    put_file(fixture->dir, "signet.yaml",
             TOKENS "issuers:\n" ISSUER("a", "main", "a", "") ISSUER("b", "main", "b", ""));
    expect_issuer_failure(fixture, NULL, SG_ISSUER_TO_READ, SG_USAGE,
                          "several issuers are active; name one; signet.yaml has: a, b");
    put_file(fixture->dir, "signet.yaml",
             TOKENS "issuers:\n" ISSUER("a", "main", "a", ", state: retired"));
    expect_issuer_failure(fixture, NULL, SG_ISSUER_TO_READ, SG_USAGE, "no issuer is active");
}

static void a_state_forbids_what_it_says(void **state)
{
    static const struct {
        const char *name;
        enum sg_issuer_use use;
        enum sg_code code; /* SG_INVALID: allowed, and then there is no certificate */
        const char *complaint;
    } CASES[] = {
        {"second", SG_ISSUER_TO_READ, SG_INVALID, "has no certificate yet"},
        {"second", SG_ISSUER_TO_SIGN_CRLS, SG_INVALID, "has no certificate yet"},
        {"second", SG_ISSUER_TO_SIGN, SG_REFUSED,
         "is status-only in signet.yaml; it signs no cert"},
        {"second", SG_ISSUER_TO_CERTIFY, SG_REFUSED, "is status-only in signet.yaml"},
        {"gone", SG_ISSUER_TO_READ, SG_INVALID, "has no certificate yet"},
        {"gone", SG_ISSUER_TO_SIGN_CRLS, SG_REFUSED, "is retired in signet.yaml; it signs no CRLs"},
        {"gone", SG_ISSUER_TO_SIGN, SG_REFUSED, "is retired in signet.yaml"},
        {"gone", SG_ISSUER_TO_CERTIFY, SG_REFUSED, "is retired in signet.yaml"},
    };

    for (size_t i = 0; i < NUM(CASES); i++)
        expect_issuer_failure(*state, CASES[i].name, CASES[i].use, CASES[i].code,
                              CASES[i].complaint);
}

static void an_issuer_without_a_certificate_says_how_to_get_one(void **state)
{
    expect_issuer_failure(*state, "issuing", SG_ISSUER_TO_SIGN, SG_INVALID,
                          "issuer self-sign issuing --subject NAME` makes it a root");
    expect_issuer_failure(*state, "issuing", SG_ISSUER_TO_SIGN, SG_INVALID,
                          "issuer import issuing FILE`, puts it under another CA");
}

static void a_wrong_certificate_has_its_message(void **state)
{
    const struct fixture *fixture = *state;
    const struct {
        const char *name;
        struct make_certificate parts;
        const char *complaint;
    } cases[] = {
        {"no basicConstraints",
         {.subject = "I", .key = fixture->issuing, .basic_constraints = ""},
         "CN=I is no CA certificate"},
        {"CA:FALSE",
         {.subject = "I", .key = fixture->issuing, .basic_constraints = "critical,CA:FALSE"},
         "CN=I is no CA certificate"},
        {"no keyUsage",
         {.subject = "I", .key = fixture->issuing, .key_usage = ""},
         "CN=I has no keyUsage"},
        {"no cRLSign",
         {.subject = "I", .key = fixture->issuing, .key_usage = "keyCertSign"},
         "CN=I may not sign certificates and CRLs"},
        {"no keyCertSign",
         {.subject = "I", .key = fixture->issuing, .key_usage = "cRLSign"},
         "CN=I may not sign certificates and CRLs"},
        {"no chain",
         {.subject = "I", .key = fixture->issuing, .issuer = "Root", .signer = fixture->root},
         "issuing-chain.pem is not there"},
    };
    char path[160];

    for (size_t i = 0; i < NUM(cases); i++) {
        append_certificate(fixture, "issuing.pem", &cases[i].parts);
        expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                              cases[i].complaint);
        remove_file(fixture->dir, "issuing.pem");
    }
    put_file(fixture->dir, "issuing.pem", "junk");
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "issuing.pem: is no X.509 certificate");
    put_file(fixture->dir, "issuing.pem", "");
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "issuing.pem: is empty");
    remove_file(fixture->dir, "issuing.pem");
    snprintf(path, sizeof path, "%s/issuing.pem", fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID, "cannot read");
}

static void a_chain_leads_to_a_root(void **state)
{
    const struct fixture *fixture = *state;
    const struct make_certificate root = {.subject = "Root", .key = fixture->root};
    const struct make_certificate sub = {
        .subject = "Sub", .key = fixture->sub, .issuer = "Root", .signer = fixture->root};
    const struct make_certificate leaf = {
        .subject = "Issuing", .key = fixture->issuing, .issuer = "Sub", .signer = fixture->sub};

    append_certificate(fixture, "issuing.pem", &leaf);
    append_certificate(fixture, "issuing-chain.pem", &sub);
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "the chain ends at CN=Sub, which is not self-signed");
    append_certificate(fixture, "issuing-chain.pem", &root);
    {
        sg_auto(sg_home) struct sg_home *home = open_home(fixture);
        struct sg_issuer *issuer = NULL;
        struct sg_error error = {0};

        expect_success("two", sg_home_issuer(home, NULL, SG_ISSUER_TO_READ, &issuer, &error),
                       &error);
        assert_int_equal(sk_X509_num(issuer->chain), 2);
    }
    append_certificate(fixture, "issuing-chain.pem", &root);
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "CN=Root is self-signed: no chain goes on above it");
    remove_file(fixture->dir, "issuing-chain.pem");
    append_certificate(fixture, "issuing-chain.pem", &root);
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "CN=Issuing was not issued by CN=Root");
    put_file(fixture->dir, "issuing-chain.pem", "junk\n");
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "issuing-chain.pem has no certificate in PEM");
    put_file(fixture->dir, "issuing-chain.pem", "-----BEGIN CERTIFICATE-----\n%\n");
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "issuing-chain.pem: a PEM block can't be read");
    put_file(fixture->dir, "issuing-chain.pem",
             "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID,
                          "issuing-chain.pem: is no X.509 certificate");
}

static void a_named_chain_is_read_from_its_files(void **state)
{
    const struct fixture *fixture = *state;

    put_file(fixture->dir, "signet.yaml",
             TOKENS
             "issuers:\n" ISSUER("issuing", "main", "issuing", ", chain: [sub.pem, root.pem]"));
    append_certificate(fixture, "issuing.pem",
                       &(struct make_certificate){.subject = "Issuing",
                                                  .key = fixture->issuing,
                                                  .issuer = "Sub",
                                                  .signer = fixture->sub});
    append_certificate(
        fixture, "sub.pem",
        &(struct make_certificate){
            .subject = "Sub", .key = fixture->sub, .issuer = "Root", .signer = fixture->root});
    expect_issuer_failure(fixture, "issuing", SG_ISSUER_TO_READ, SG_INVALID, "root.pem");
    append_certificate(fixture, "root.pem",
                       &(struct make_certificate){.subject = "Root", .key = fixture->root});
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    struct sg_issuer *issuer = NULL;
    struct sg_error error = {0};
    expect_success("named", sg_home_issuer(home, NULL, SG_ISSUER_TO_READ, &issuer, &error), &error);
    assert_int_equal(sk_X509_num(issuer->chain), 2);
}

static void facts_come_from_the_certificate(void **state)
{
    struct fixture *fixture = *state;
    struct sg_issuer *issuer = NULL;
    struct sg_error error = {0};

    put_file(fixture->dir, "signet.yaml",
             TOKENS
             "issuers:\n" ISSUER("issuing", "main", "issuing", ", publish: {crl: 'http://a/b'}"));
    append_certificate(fixture, "issuing.pem",
                       &(struct make_certificate){.subject = "Issuing",
                                                  .key = fixture->issuing,
                                                  .basic_constraints = "CA:TRUE,pathlen:3",
                                                  .not_before = NOW - 2 * DAY,
                                                  .not_after = NOW - DAY});
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    expect_success("expired", sg_home_issuer(home, NULL, SG_ISSUER_TO_READ, &issuer, &error),
                   &error);
    assert_string_equal(issuer->facts.name, "issuing");
    assert_int_equal(issuer->facts.not_before, NOW - 2 * DAY);
    assert_int_equal(issuer->facts.not_after, NOW - DAY);
    assert_int_equal(issuer->facts.path_length, 3);
    assert_int_equal(issuer->facts.scheme, SG_ECDSA_SHA256);
    assert_string_equal(issuer->facts.crl_url, "http://a/b");
    assert_non_null(issuer->facts.certificate);
    assert_int_equal(issuer->facts.key.kind.bits, 256);
    assert_int_equal(sk_X509_num(issuer->chain), 0);
    assert_null(issuer->signer);
    assert_true(issuer->id > 0);
}

static void a_scheme_has_to_fit_the_key(void **state)
{
    const struct fixture *fixture = *state;

    put_file(fixture->dir, "signet.yaml",
             TOKENS "issuers:\n" ISSUER("issuing", "main", "issuing", ", signature: rsa-sha256"));
    put_certificate(fixture);
    expect_issuer_failure(fixture, NULL, SG_ISSUER_TO_READ, SG_INVALID, "signet.yaml:8:");
    expect_issuer_failure(
        fixture, NULL, SG_ISSUER_TO_READ, SG_INVALID,
        "signature: rsa-sha256 does not go with a key of P-256; leave it out for ecdsa-sha256");
}

/* ---- tokens ---- */

static void expect_signature(struct sg_issuer *issuer)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_slice text = sg_slice_text("to be signed");
    struct sg_error error = {0};

    expect_success("sign",
                   sg_signer_sign(issuer->signer, issuer->facts.scheme, text, &signature, &error),
                   &error);
    expect_success("verify",
                   sg_scheme_verify(issuer->facts.scheme, &issuer->facts.key, text,
                                    sg_buf_slice(&signature), &error),
                   &error);
}

static void an_issuer_signs(void **state)
{
    const struct fixture *fixture = *state;
    struct sg_issuer *read = NULL, *issuer = NULL;
    struct sg_error error = {0};

    put_certificate(fixture);
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    expect_success("read", sg_home_issuer(home, NULL, SG_ISSUER_TO_READ, &read, &error), &error);
    assert_null(read->signer);
    expect_success("sign", sg_home_issuer(home, NULL, SG_ISSUER_TO_SIGN, &issuer, &error), &error);
    assert_ptr_equal(read, issuer);
    expect_signature(issuer);
    expect_success("CRLs", sg_home_issuer(home, NULL, SG_ISSUER_TO_SIGN_CRLS, &issuer, &error),
                   &error);
    assert_ptr_equal(read, issuer);
}

static void an_issuer_to_be_certified_takes_the_tokens_word(void **state)
{
    struct sg_issuer *issuer = NULL, *again = NULL;
    struct sg_error error = {0};
    sg_auto(sg_home) struct sg_home *home = open_home(*state);

    expect_success("certify", sg_home_issuer(home, NULL, SG_ISSUER_TO_CERTIFY, &issuer, &error),
                   &error);
    assert_null(issuer->facts.certificate);
    assert_int_equal(issuer->facts.not_before, 0);
    assert_true(issuer->facts.not_after == SG_TIME_NEVER);
    assert_int_equal(issuer->facts.path_length, -1);
    assert_int_equal(issuer->facts.scheme, SG_ECDSA_SHA256);
    assert_true(issuer->id > 0);
    expect_signature(issuer);
    put_certificate(*state);
    expect_success("read", sg_home_issuer(home, NULL, SG_ISSUER_TO_READ, &again, &error), &error);
    assert_ptr_not_equal(issuer, again);
    assert_int_equal(issuer->id, again->id); /* one key, one issuer */
    assert_true(sg_public_key_equal(&issuer->facts.key, &again->facts.key));
}

static void pins_have_a_key_where_signet_yaml_names_one(void **state)
{
    struct fixture *fixture = *state;
    struct sg_mac *mac = NULL, *again = NULL;
    struct sg_token *token = NULL;
    struct sg_error error = {0};

    {
        sg_auto(sg_home) struct sg_home *home = open_home(fixture);
        expect_failure("none", sg_home_pins(home, &mac, &error), &error, SG_USAGE,
                       "names no key for PINs");
        sg_error_clear(&error);
    }
    put_file(fixture->dir, "signet.yaml",
             TOKENS "issuers:\n" ISSUER("issuing", "main", "issuing",
                                        "") "pins: {token: main, key: 'pkcs11:object=pins'}\n");
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    expect_failure("not made", sg_home_pins(home, &mac, &error), &error, SG_TOKEN,
                   "no HMAC key matches");
    sg_error_clear(&error);
    expect_success("token", sg_home_token(home, "main", &token, &error), &error);
    expect_success("make", sg_mac_create(token, "pins", (struct sg_slice){0}, &error), &error);
    sg_token_close(token);
    expect_success("open", sg_home_pins(home, &mac, &error), &error);
    expect_success("again", sg_home_pins(home, &again, &error), &error);
    assert_ptr_equal(mac, again);
}

static void each_trouble_with_the_key_has_its_message(void **state)
{
    static const struct {
        const char *name, *settings;
        enum sg_code code;
        const char *complaint;
    } CASES[] = {
        {"another key", ISSUER("issuing", "main", "second", ""), SG_TOKEN,
         "pkcs11:object=second on token main is not the key of issuing.pem"},
        {"no key", ISSUER("issuing", "main", "none", ""), SG_TOKEN, "issuer issuing, token main: "},
        {"two keys", ISSUER("issuing", "main", "twin", ""), SG_TOKEN,
         "issuer issuing, token main: "},
        {"wrong PIN", ISSUER("issuing", "locked", "issuing", ""), SG_PIN,
         "issuer issuing, token locked: "},
        {"no token", ISSUER("issuing", "absent", "issuing", ""), SG_TOKEN,
         "issuer issuing: token absent: "},
    };
    const struct fixture *fixture = *state;
    char settings[4096];

    put_certificate(fixture);
    for (size_t i = 0; i < NUM(CASES); i++) {
        snprintf(settings, sizeof settings, TOKENS "issuers:\n%s", CASES[i].settings);
        put_file(fixture->dir, "signet.yaml", settings);
        expect_issuer_failure(fixture, NULL, SG_ISSUER_TO_SIGN, CASES[i].code, CASES[i].complaint);
    }
    assert_true(has_file(fixture->dir, "refused-pins"));
}

/* The second issuer needs no token to be opened: by then its profile is out of reach. */
static void issuers_share_a_token(void **state)
{
    struct fixture *fixture = *state;
    struct sg_issuer *one = NULL, *other = NULL;
    struct sg_error error = {0};
    bool is_opened;

    put_file(fixture->dir, "signet.yaml",
             TOKENS "issuers:\n" ISSUER("one", "main", "issuing", "")
                 ISSUER("other", "main", "second", ""));
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    expect_success("one", sg_home_issuer(home, "one", SG_ISSUER_TO_CERTIFY, &one, &error), &error);
    setenv("SIGNET_DATA", "/nonexistent", 1);
    is_opened = sg_home_issuer(home, "other", SG_ISSUER_TO_CERTIFY, &other, &error);
    setenv("SIGNET_DATA", getenv("SIGNET_SOURCE"), 1);
    expect_success("other", is_opened, &error);
    assert_false(sg_public_key_equal(&one->facts.key, &other->facts.key));
    expect_signature(one);
    expect_signature(other);
}

static void tokens_are_opened_by_their_names(void **state)
{
    sg_auto(sg_home) struct sg_home *home = open_home(*state);
    sg_auto(sg_token) struct sg_token *token = NULL, *none = NULL;
    struct sg_error error = {0};

    expect_success("main", sg_home_token(home, "main", &token, &error), &error);
    assert_string_equal(sg_token_label(token), "signet-test");
    expect_failure("other", sg_home_token(home, "other", &none, &error), &error, SG_USAGE,
                   "there is no token 'other' in signet.yaml; there are: main, locked, absent");
    sg_error_clear(&error);
    expect_failure("absent", sg_home_token(home, "absent", &none, &error), &error, SG_TOKEN,
                   "token absent: ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_has_to_be_a_home),
        TEST(a_policy_is_found_by_its_name),
        TEST(a_policy_is_read_once),
        TEST(a_home_may_have_lost_its_policies),
        TEST(an_issuer_is_found_by_its_name_or_by_being_active),
        TEST(a_state_forbids_what_it_says),
        TEST(an_issuer_without_a_certificate_says_how_to_get_one),
        TEST(a_wrong_certificate_has_its_message),
        TEST(a_chain_leads_to_a_root),
        TEST(a_named_chain_is_read_from_its_files),
        TEST(facts_come_from_the_certificate),
        TEST(a_scheme_has_to_fit_the_key),
        TEST(an_issuer_signs),
        TEST(an_issuer_to_be_certified_takes_the_tokens_word),
        TEST(pins_have_a_key_where_signet_yaml_names_one),
        TEST(each_trouble_with_the_key_has_its_message),
        TEST(issuers_share_a_token),
        TEST(tokens_are_opened_by_their_names),
    };

    return cmocka_run_group_tests(tests, set_up_token, tear_down_token);
}
