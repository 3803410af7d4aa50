#include "token_fixture.h"

#include <openssl/err.h>
#include <pthread.h>

#include "base/limits.h"

static struct fixture fixture;

/* One list of tests for every kind of signer, each on tokens of its own. */
struct signing {
    enum sg_signer_kind kind;
    const char *uri, *label, *other_uri, *other_label;
    struct sg_token_info token, other;
};
static struct signing engine = {SG_SIGNER_ENGINE,
                                "pkcs11:token=test-engine",
                                "test-engine",
                                "pkcs11:token=other-engine%3b%25token",
                                "other-engine;%token",
                                {{0}},
                                {{0}}};
static struct signing direct = {SG_SIGNER_DIRECT,
                                "pkcs11:token=test-direct",
                                "test-direct",
                                "pkcs11:token=other-direct%3b%25token",
                                "other-direct;%token",
                                {{0}},
                                {{0}}};

static int make(void **state)
{
    (void)state;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    fixture_init(&fixture);
    for (size_t i = 0; i < 2; i++) {
        struct signing *signing = i == 0 ? &engine : &direct;

        signing->token = make_token(signing->label);
        signing->other = make_token(signing->other_label);
    }
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    fixture_done(&fixture);
    return 0;
}

static int reset(void **state)
{
    (void)state;
    unsetenv("ODD_SIGN_RV");
    unsetenv("ODD_SIGN_RV_ONCE");
    unsetenv("ODD_CLOSE_ALL");
    unsetenv("ODD_FINALIZE");
    unsetenv("ODD_ATTRIBUTE");
    unsetenv("OPENSSL_ENGINES");
    return 0;
}

static struct sg_token *open_counted(const struct signing *signing, const char *uri,
                                     struct sg_tally *tally)
{
    struct sg_token_config config = config_of(&fixture);

    config.module = getenv("SIGNET_ODD_MODULE");
    config.uri = uri;
    config.signer = signing->kind;
    config.tally = tally;
    return open_token(&config);
}

static struct sg_token *open_odd(const struct signing *signing, const char *uri)
{
    return open_counted(signing, uri, NULL);
}

static struct sg_signer *open_signer(struct sg_token *token, const struct sg_key *key)
{
    struct sg_signer *signer = NULL;
    struct sg_error error = {0};

    expect_success(key->label, sg_signer_open(token, key, &signer, &error), &error);
    return signer;
}

/* Signs, and verifies with the public half in memory; also that a changed byte is noticed. */
static void sign_and_verify(struct sg_signer *signer, enum sg_scheme scheme)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};
    const struct sg_public_key *key = sg_signer_public_key(signer);
    const char *name = sg_scheme_text(scheme);
    struct sg_error error = {0};

    expect_success(
        name, sg_signer_sign(signer, scheme, sg_slice_text("to be signed"), &signature, &error),
        &error);
    expect_success(name,
                   sg_scheme_verify(scheme, key, sg_slice_text("to be signed"),
                                    sg_buf_slice(&signature), &error),
                   &error);
    expect_failure(name,
                   sg_scheme_verify(scheme, key, sg_slice_text("To be signed"),
                                    sg_buf_slice(&signature), &error),
                   &error, SG_POSSESSION, "");
}

static const enum sg_scheme SCHEMES[] = {
    SG_RSA_SHA256,     SG_RSA_SHA384,   SG_RSA_SHA512,   SG_RSA_PSS_SHA256, SG_RSA_PSS_SHA384,
    SG_RSA_PSS_SHA512, SG_ECDSA_SHA256, SG_ECDSA_SHA384, SG_ECDSA_SHA512,   SG_ED25519,
};

static void every_scheme(void **state)
{
    const struct signing *signing = *state;
    static const struct {
        const char *label;
        struct sg_key_kind kind;
    } CASES[] = {
        {"rsa", {SG_KEY_RSA, 2048}}, {"p256", {SG_KEY_EC, 256}},       {"p384", {SG_KEY_EC, 384}},
        {"p521", {SG_KEY_EC, 521}},  {"ed25519", {SG_KEY_ED25519, 0}},
    };
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_signer) struct sg_signer *signer = NULL;
        sg_auto(sg_key) struct sg_key key = {0};
        struct sg_error error = {0};

        bool is_made =
            sg_key_create(token, CASES[i].kind, CASES[i].label, (struct sg_slice){0}, &key, &error);

        if (signing->kind == SG_SIGNER_ENGINE && CASES[i].kind.family == SG_KEY_ED25519) {
            expect_failure(CASES[i].label, is_made, &error, SG_USAGE, "the direct signer can");
            continue;
        }
        expect_success(CASES[i].label, is_made, &error);
        signer = open_signer(token, &key);
        assert_true(sg_public_key_equal(sg_signer_public_key(signer), &key.public));
        for (size_t j = 0; j < NUM(SCHEMES); j++) {
            sg_auto(sg_buf) struct sg_buf none = {0};

            if (sg_scheme_fits(SCHEMES[j], CASES[i].kind)) {
                sign_and_verify(signer, SCHEMES[j]);
                continue;
            }
            sg_error_clear(&error);
            expect_failure(sg_scheme_text(SCHEMES[j]),
                           sg_signer_sign(signer, SCHEMES[j], sg_slice_text("x"), &none, &error),
                           &error, SG_USAGE, "makes no");
            assert_int_equal(none.len, 0);
        }
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* A key is asked of the engine by the one name that it shares with no other. Where two keys share
 * their id, libp11 may take the other's public half, and then no signer is opened. The direct
 * signer asks for both names. */
static void keys_with_twins(void **state)
{
    const struct signing *signing = *state;
    enum wanted { SIGNS, SIGNS_OR_IS_TAKEN_FOR_ANOTHER, CANNOT_BE_TOLD };
    static const struct {
        const char *uri;
        enum wanted wanted;
    } CASES[] = {
        {"pkcs11:object=same-label;id=s1", SIGNS},
        {"pkcs11:object=same-label;id=s2", SIGNS},
        {"pkcs11:object=no-id%3b%25", SIGNS},
        {"pkcs11:object=same-id-1", SIGNS_OR_IS_TAKEN_FOR_ANOTHER},
        {"pkcs11:object=same-id-2", SIGNS_OR_IS_TAKEN_FOR_ANOTHER},
        {"pkcs11:object=both;id=b1", CANNOT_BE_TOLD},
    };
    static const char *const KEYS[][2] = {
        {"same-label", "s1"}, {"same-label", "s2"}, {"same-id-1", "ii"}, {"same-id-2", "ii"},
        {"no-id;%", ""},      {"both", "b1"},       {"both", "b2"},      {"third", "b1"},
    };
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);
    struct raw raw;

    raw_open(&fixture, signing->token.slot, &raw);
    for (size_t i = 0; i < NUM(KEYS); i++)
        raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, KEYS[i][0], KEYS[i][1],
                     true);
    raw_close(&raw);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_signer) struct sg_signer *signer = NULL;
        sg_auto(sg_key) struct sg_key key = {0};
        struct sg_error error = {0};
        bool verdict;

        expect_success(CASES[i].uri, sg_key_find(token, CASES[i].uri, &key, &error), &error);
        verdict = sg_signer_open(token, &key, &signer, &error);
        if (signing->kind == SG_SIGNER_DIRECT) {
            expect_success(CASES[i].uri, verdict, &error);
            sign_and_verify(signer, SG_ECDSA_SHA256);
        } else if (CASES[i].wanted == CANNOT_BE_TOLD) {
            expect_failure(CASES[i].uri, verdict, &error, SG_TOKEN,
                           "can't tell it from the others");
        } else if (CASES[i].wanted == SIGNS || verdict) {
            expect_success(CASES[i].uri, verdict, &error);
            sign_and_verify(signer, SG_ECDSA_SHA256);
        } else {
            expect_failure(CASES[i].uri, verdict, &error, SG_TOKEN, "loaded another key");
        }
    }
}

static void keys_that_cannot_sign(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    make_key(token, "cannot-sign", &key);
    key.sign = false;
    expect_failure("CKA_SIGN", sg_signer_open(token, &key, &signer, &error), &error, SG_TOKEN,
                   "may not sign");
    key.sign = true;
    sg_public_key_done(&key.public);
    sg_error_clear(&error);
    expect_failure("no public half", sg_signer_open(token, &key, &signer, &error), &error, SG_TOKEN,
                   "does not tell the public half");
    assert_null(signer);
}

static void keys_that_the_engine_leaves_alone(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    make_key(token, "not-for-engine", &key);
    key.always_authenticate = true;
    expect_failure("CKA_ALWAYS_AUTHENTICATE", sg_signer_open(token, &key, &signer, &error), &error,
                   SG_TOKEN, "wants the PIN for each signature");
    key.always_authenticate = false;
    key.public.kind = (struct sg_key_kind){SG_KEY_ED25519, 0};
    sg_error_clear(&error);
    expect_failure("Ed25519", sg_signer_open(token, &key, &signer, &error), &error, SG_TOKEN,
                   "it is Ed25519");
    assert_null(signer);
}

/* The signer's key is compared with the one that was found. */
static void another_public_half(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0}, other = {0};
    struct sg_public_key swapped;
    struct sg_error error = {0};

    make_key(token, "mine", &key);
    make_key(token, "yours", &other);
    swapped = key.public;
    key.public = other.public;
    other.public = swapped;
    expect_failure("swapped", sg_signer_open(token, &key, &signer, &error), &error, SG_TOKEN,
                   signing->kind == SG_SIGNER_DIRECT ? "has another key than 'mine'"
                                                     : "loaded another key than 'mine'");
}

static void key_that_is_gone(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    make_key(token, "gone", &key);
    free(key.label);
    key.label = strdup("never was");
    key.id.data[0] ^= 1;
    expect_failure("gone", sg_signer_open(token, &key, &signer, &error), &error, SG_TOKEN,
                   "'never was'");
}

static void signatures_that_fail(void **state)
{
    const struct signing *signing = *state;
    static const struct {
        const char *label, *odd;
        enum sg_scheme scheme;
        CK_RV rv;
    } CASES[] = {
        {"p256", "0x30", SG_ECDSA_SHA256, CKR_DEVICE_ERROR},
        {"p256", "0xB3", SG_ECDSA_SHA256, CKR_SESSION_HANDLE_INVALID},
        {"rsa", "0x101", SG_RSA_SHA256, CKR_USER_NOT_LOGGED_IN},
        {"rsa", "0x30", SG_RSA_PSS_SHA256, CKR_DEVICE_ERROR},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        /* One each: libp11 0.4.13 never frees an RSA key that one engine has loaded twice. */
        sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);
        sg_auto(sg_signer) struct sg_signer *signer = NULL;
        sg_auto(sg_key) struct sg_key key = {0};
        sg_auto(sg_buf) struct sg_buf signature = {0};
        struct sg_error error = {0};
        char uri[64];

        snprintf(uri, sizeof uri, "pkcs11:object=%s", CASES[i].label);
        expect_success(uri, sg_key_find(token, uri, &key, &error), &error);
        signer = open_signer(token, &key);
        setenv("ODD_SIGN_RV", CASES[i].odd, 1);
        expect_failure(
            CASES[i].odd,
            sg_signer_sign(signer, CASES[i].scheme, sg_slice_text("x"), &signature, &error), &error,
            SG_TOKEN, "with key");
        assert_int_equal(error.detail, CASES[i].rv);
        assert_int_equal(signature.len, 0);
        unsetenv("ODD_SIGN_RV");
        sign_and_verify(signer, CASES[i].scheme);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* The engine ends with the last token of its module, so none may take it from the others. */
static void closing_one_of_two(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_key) struct sg_key key = {0}, same = {0}, other = {0};
    struct sg_error error = {0};

    for (int i = 0; i < 2; i++) {
        struct sg_token *first = open_odd(signing, signing->uri);
        struct sg_token *second = open_odd(signing, signing->other_uri);
        struct sg_signer *signer;

        expect_success("p256", sg_key_find(first, "pkcs11:object=p256", &key, &error), &error);
        signer = open_signer(first, &key);
        sign_and_verify(signer, SG_ECDSA_SHA256);
        sg_signer_close(signer);
        sg_token_close(first);
        if (i == 0)
            make_key(second, "other-key", &other);
        expect_success("a session goes on",
                       sg_key_find(second, "pkcs11:object=other-key", &same, &error), &error);
        signer = open_signer(second, &same);
        sign_and_verify(signer, SG_ECDSA_SHA256);
        sg_signer_close(signer);
        sg_token_close(second);
    }
}

/* Two modules in one process: each has an engine of its own. */
static void two_modules(void **state)
{
    const struct signing *signing = *state;
    struct sg_token_config config = config_of(&fixture);
    config.uri = signing->uri;
    config.signer = signing->kind;
    sg_auto(sg_token) struct sg_token *odd = open_odd(signing, signing->uri);
    sg_auto(sg_token) struct sg_token *plain = open_token(&config);
    sg_auto(sg_key) struct sg_key key = {0}, same = {0};
    sg_auto(sg_signer) struct sg_signer *by_odd = NULL, *by_plain = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_error error = {0};

    expect_success("odd", sg_key_find(odd, "pkcs11:object=p256", &key, &error), &error);
    expect_success("plain", sg_key_find(plain, "pkcs11:object=p256", &same, &error), &error);
    by_odd = open_signer(odd, &key);
    by_plain = open_signer(plain, &same);
    setenv("ODD_SIGN_RV", "0x30", 1);
    sign_and_verify(by_plain, SG_ECDSA_SHA256);
    expect_failure("odd",
                   sg_signer_sign(by_odd, SG_ECDSA_SHA256, sg_slice_text("x"), &signature, &error),
                   &error, SG_TOKEN, "CKR_DEVICE_ERROR");
}

static void *sign_often(void *argument)
{
    for (int i = 0; i < 25; i++)
        sign_and_verify(argument, SG_ECDSA_SHA256);
    return NULL;
}

static void threads_share_a_signer(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->uri);
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    struct sg_error error = {0};
    pthread_t threads[4];

    expect_success("p256", sg_key_find(token, "pkcs11:object=p256", &key, &error), &error);
    signer = open_signer(token, &key);
    for (size_t i = 0; i < NUM(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, signer), 0);
    for (size_t i = 0; i < NUM(threads); i++)
        pthread_join(threads[i], NULL);
}

/* libp11 0.4.12 finds nothing on a token with an Ed25519 key; a later one may do better. */
static void edwards_neighbour(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = open_odd(signing, signing->other_uri);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};
    struct raw raw;

    raw_open(&fixture, signing->other.slot, &raw);
    raw_generate(&raw, CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519_OID, sizeof ED25519_OID, "ed", "ed",
                 true);
    raw_close(&raw);
    expect_success("find", sg_key_find(token, "pkcs11:object=other-key", &key, &error), &error);
    if (sg_signer_open(token, &key, &signer, &error) || signing->kind == SG_SIGNER_DIRECT) {
        expect_success("beside Ed25519", signer != NULL, &error);
        sign_and_verify(signer, SG_ECDSA_SHA256);
        return;
    }
    expect_failure("beside Ed25519", false, &error, SG_TOKEN, "the token holds an Ed25519 key");
}

/* The engine never gets the PIN, so libp11's limit of 32 bytes does not hold. */
static void long_pin(void **state)
{
    const struct signing *signing = *state;
    static const char LONG_PIN[] = "a PIN of more than thirty-two bytes, which libp11 would cut";
    sg_auto(sg_secret) struct sg_secret *so_pin = make_secret(SO_PIN);
    sg_auto(sg_secret) struct sg_secret *user_pin = make_secret(LONG_PIN);
    struct sg_token_config config = config_of(&fixture);
    struct sg_token_info info;
    struct sg_error error = {0};
    char label[33], uri[64];

    snprintf(label, sizeof label, "long-pin-%d", (int)signing->kind);
    snprintf(uri, sizeof uri, "pkcs11:token=%s", label);
    expect_success("init", sg_token_init("softhsm", NULL, label, so_pin, user_pin, &info, &error),
                   &error);
    setenv("SIGNET_TEST_LONG_PIN", LONG_PIN, 1);
    config.uri = uri;
    config.signer = signing->kind;
    config.pin = "env:SIGNET_TEST_LONG_PIN";
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);
        sg_auto(sg_key) struct sg_key key = {0};
        sg_auto(sg_signer) struct sg_signer *signer = NULL;

        make_key(token, "key", &key);
        signer = open_signer(token, &key);
        sign_and_verify(signer, SG_ECDSA_SHA256);
    }
}

/* Must come before the process has any engine. */
static void engine_not_installed(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    setenv("OPENSSL_ENGINES", "/nowhere", 1);
    token = open_odd(signing, signing->uri);
    make_key(token, "no-engine", &key);
    expect_failure("missing", sg_signer_open(token, &key, &signer, &error), &error, SG_TOKEN,
                   "install libengine-pkcs11-openssl");
    unsetenv("OPENSSL_ENGINES");
    sg_error_clear(&error);
    expect_success("there now", sg_signer_open(token, &key, &signer, &error), &error);
    sign_and_verify(signer, SG_ECDSA_SHA256);
}

static void direct_needs_no_engine(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};

    setenv("OPENSSL_ENGINES", "/nowhere", 1);
    token = open_odd(signing, signing->uri);
    make_key(token, "no-engine", &key);
    signer = open_signer(token, &key);
    sign_and_verify(signer, SG_ECDSA_SHA256);
}

/* ---- what is counted ---- */

static void failures_and_sessions_are_counted(void **state)
{
    const struct signing *signing = *state;
    const bool is_direct = signing->kind == SG_SIGNER_DIRECT;
    struct sg_tally tally = {0};
    struct sg_token *token = open_counted(signing, signing->uri, &tally);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};
    sg_auto(sg_key) struct sg_key key = {0};
    char name[SG_TALLY_NAME_SIZE];
    struct sg_error error = {0};

    expect_success("p256", sg_key_find(token, "pkcs11:object=p256", &key, &error), &error);
    signer = open_signer(token, &key);
    sign_and_verify(signer, SG_ECDSA_SHA256);
    assert_int_equal(atomic_load(&tally.num_sessions), is_direct ? 2 : 1);
    assert_int_equal(atomic_load(&tally.max_sessions), is_direct ? 1 + SG_DEFAULT_SESSIONS : 0);
    setenv("ODD_SIGN_RV", "0x70", 1);
    assert_false(sg_signer_sign(signer, SG_ECDSA_SHA256, sg_slice_text("x"), &signature, &error));
    unsetenv("ODD_SIGN_RV");
    assert_int_equal(sg_tally_take(&tally, 0, name), 1);
    assert_string_equal(name, "CKR_MECHANISM_INVALID");
    sg_signer_close(SG_TAKE(signer));
    sg_token_close(token);
    assert_int_equal(atomic_load(&tally.num_sessions), 0);
}

/* ---- losses, which the direct signer makes good ---- */

static void open_by_label(const struct signing *signing, const char *label, struct sg_token **token,
                          struct sg_signer **signer)
{
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};
    char uri[64];

    snprintf(uri, sizeof uri, "pkcs11:object=%s", label);
    *token = open_odd(signing, signing->uri);
    expect_success(uri, sg_key_find(*token, uri, &key, &error), &error);
    *signer = open_signer(*token, &key);
}

static void one_failure_is_made_good(void **state)
{
    static const char *const LOSSES[] = {
        "0x5",  "0x6",  "0x30", "0x32", "0x60",  "0x82",
        "0x90", "0xB0", "0xB3", "0xE0", "0x101", "0x190",
    };
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;

    open_by_label(*state, "p256", &token, &signer);
    for (size_t i = 0; i < NUM(LOSSES); i++) {
        setenv("ODD_SIGN_RV_ONCE", LOSSES[i], 1);
        sign_and_verify(signer, SG_ECDSA_SHA256);
        assert_null(getenv("ODD_SIGN_RV_ONCE"));
    }
}

/* What no new session mends is not tried again, or a PIN could be. */
static void other_failures_are_not_retried(void **state)
{
    static const struct {
        const char *odd;
        CK_RV rv;
    } CASES[] = {
        {"0xA0", CKR_PIN_INCORRECT},
        {"0xA4", CKR_PIN_LOCKED},
        {"0x102", CKR_USER_PIN_NOT_INITIALIZED},
        {"0x70", CKR_MECHANISM_INVALID},
        {"0x68", CKR_KEY_FUNCTION_NOT_PERMITTED},
    };
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};

    open_by_label(*state, "p256", &token, &signer);
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};

        setenv("ODD_SIGN_RV_ONCE", CASES[i].odd, 1);
        expect_failure(
            CASES[i].odd,
            sg_signer_sign(signer, SG_ECDSA_SHA256, sg_slice_text("x"), &signature, &error), &error,
            SG_TOKEN, "makes no signature");
        assert_int_equal(error.detail, CASES[i].rv);
    }
    sign_and_verify(signer, SG_ECDSA_SHA256);
}

/* What another user of the module can do to all sessions of the process. */
static void sessions_logins_and_modules_come_back(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    struct raw raw;

    open_by_label(signing, "p256", &token, &signer);
    sign_and_verify(signer, SG_ECDSA_SHA256);
    raw_open(&fixture, signing->token.slot, &raw);
    assert_int_equal(raw.functions->C_Logout(raw.session), CKR_OK);
    sign_and_verify(signer, SG_ECDSA_SHA256);
    setenv("ODD_CLOSE_ALL", "1", 1);
    sign_and_verify(signer, SG_ECDSA_SHA256);
    assert_null(getenv("ODD_CLOSE_ALL"));
    setenv("ODD_FINALIZE", "1", 1);
    sign_and_verify(signer, SG_ECDSA_SHA256);
    assert_null(getenv("ODD_FINALIZE"));
    p11_kit_module_finalize(raw.functions);
    p11_kit_module_release(raw.functions);
}

static void threads_live_through_a_loss(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    pthread_t threads[12];

    open_by_label(signing, "p256", &token, &signer);
    setenv("ODD_SIGN_RV_ONCE", "0xB3", 1); /* a new name moves what other threads would read */
    for (size_t i = 0; i < NUM(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, signer), 0);
    for (size_t i = 0; i < NUM(threads); i++)
        pthread_join(threads[i], NULL);
    assert_null(getenv("ODD_SIGN_RV_ONCE"));
}

static void pin_that_changed_is_tried_once(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_error error = {0};
    struct raw raw;

    open_by_label(signing, "p256", &token, &signer);
    raw_open(&fixture, signing->token.slot, &raw);
    assert_int_equal(raw.functions->C_Logout(raw.session), CKR_OK);
    raw_close(&raw);
    setenv("SIGNET_TEST_PIN", "4321", 1);
    setenv("ODD_LOGINS", "0", 1);
    for (int i = 0; i < 2; i++) {
        sg_error_clear(&error);
        expect_failure(
            "wrong PIN",
            sg_signer_sign(signer, SG_ECDSA_SHA256, sg_slice_text("x"), &signature, &error), &error,
            SG_PIN, "");
        assert_string_equal(getenv("ODD_LOGINS"), "1");
    }
    setenv("SIGNET_TEST_PIN", USER_PIN, 1);
    sign_and_verify(signer, SG_ECDSA_SHA256);
}

/* Two keys under one label and id: neither is taken for the other. */
static void another_key_of_the_same_names(void **state)
{
    const struct signing *signing = *state;
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_error error = {0};
    struct raw raw;

    raw_open(&fixture, signing->token.slot, &raw);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "double", "dd", true);
    open_by_label(signing, "double", &token, &signer);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "double", "dd", true);
    sign_and_verify(signer, SG_ECDSA_SHA256);
    setenv("ODD_SIGN_RV_ONCE", "0x60", 1);
    expect_failure("double",
                   sg_signer_sign(signer, SG_ECDSA_SHA256, sg_slice_text("x"), &signature, &error),
                   &error, SG_TOKEN, "more than one key on token test-direct is like 'double'");
    raw_close(&raw);
}

#define BY(kind, test)                                                                             \
    {                                                                                              \
#kind " " #test, test, reset, NULL, &(kind)                                                \
    }
#define BY_BOTH(test) BY(engine, test), BY(direct, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BY(direct, direct_needs_no_engine),
        BY(engine, engine_not_installed),
        BY_BOTH(every_scheme),
        BY_BOTH(keys_with_twins),
        BY_BOTH(keys_that_cannot_sign),
        BY(engine, keys_that_the_engine_leaves_alone),
        BY_BOTH(another_public_half),
        BY_BOTH(key_that_is_gone),
        BY_BOTH(signatures_that_fail),
        BY_BOTH(failures_and_sessions_are_counted),
        BY_BOTH(closing_one_of_two),
        BY_BOTH(two_modules),
        BY_BOTH(threads_share_a_signer),
        BY_BOTH(long_pin),
        BY_BOTH(edwards_neighbour),
        BY(direct, one_failure_is_made_good),
        BY(direct, other_failures_are_not_retried),
        BY(direct, sessions_logins_and_modules_come_back),
        BY(direct, threads_live_through_a_loss),
        BY(direct, pin_that_changed_is_tried_once),
        BY(direct, another_key_of_the_same_names),
    };

    if (!TEST_HAS_ENGINE)
        cmocka_set_skip_filter("engine *");
    return cmocka_run_group_tests(tests, make, unmake);
}
