#include "token_fixture.h"

#include <openssl/err.h>
#include <pthread.h>

#include "base/limits.h"

static struct fixture fixture;
static struct sg_token_info test_token, other_token;

static int make(void **state)
{
    (void)state;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    fixture_init(&fixture);
    test_token = make_token("test");
    other_token = make_token("other;%token");
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
    unsetenv("ODD_ATTRIBUTE");
    unsetenv("OPENSSL_ENGINES");
    return 0;
}

static struct sg_token *open_odd(const char *uri)
{
    struct sg_token_config config = config_of(&fixture);

    config.module = getenv("SIGNET_ODD_MODULE");
    config.uri = uri;
    return open_token(&config);
}

static struct sg_signer *open_signer(struct sg_token *token, const struct sg_key *key)
{
    struct sg_signer *signer = NULL;
    struct sg_error error = {0};

    expect_success(key->label, sg_signer_open(token, key, SG_SIGNER_ENGINE, &signer, &error),
                   &error);
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
    SG_RSA_PSS_SHA512, SG_ECDSA_SHA256, SG_ECDSA_SHA384, SG_ECDSA_SHA512,
};

static void every_scheme(void **state)
{
    static const struct {
        const char *label;
        struct sg_key_kind kind;
    } CASES[] = {
        {"rsa", {SG_KEY_RSA, 2048}},
        {"p256", {SG_KEY_EC, 256}},
        {"p384", {SG_KEY_EC, 384}},
        {"p521", {SG_KEY_EC, 521}},
    };
    sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=test");

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_signer) struct sg_signer *signer = NULL;
        sg_auto(sg_key) struct sg_key key = {0};
        struct sg_error error = {0};

        expect_success(
            CASES[i].label,
            sg_key_create(token, CASES[i].kind, CASES[i].label, (struct sg_slice){0}, &key, &error),
            &error);
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
 * their id, libp11 may take the other's public half, and then no signer is opened. */
static void keys_with_twins(void **state)
{
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
    sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=test");
    struct raw raw;

    (void)state;
    raw_open(&fixture, test_token.slot, &raw);
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
        verdict = sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error);
        if (CASES[i].wanted == CANNOT_BE_TOLD) {
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
    sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=test");
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    (void)state;
    make_key(token, "cannot-sign", &key);
    key.sign = false;
    expect_failure("CKA_SIGN", sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error),
                   &error, SG_TOKEN, "may not sign");
    key.sign = true;
    key.always_authenticate = true;
    sg_error_clear(&error);
    expect_failure("CKA_ALWAYS_AUTHENTICATE",
                   sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error), &error, SG_TOKEN,
                   "wants the PIN for each signature");
    key.always_authenticate = false;
    key.public.kind = (struct sg_key_kind){SG_KEY_ED25519, 0};
    sg_error_clear(&error);
    expect_failure("Ed25519", sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error),
                   &error, SG_TOKEN, "it is Ed25519");
    sg_public_key_done(&key.public);
    sg_error_clear(&error);
    expect_failure("no public half", sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error),
                   &error, SG_TOKEN, "does not tell the public half");
    sg_error_clear(&error);
    expect_failure("no such kind",
                   sg_signer_open(token, &key, (enum sg_signer_kind)7, &signer, &error), &error,
                   SG_USAGE, "no such kind of signer");
    assert_null(signer);
}

/* The engine's key is compared with the one that was found. */
static void another_public_half(void **state)
{
    sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=test");
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0}, other = {0};
    struct sg_public_key swapped;
    struct sg_error error = {0};

    (void)state;
    make_key(token, "mine", &key);
    make_key(token, "yours", &other);
    swapped = key.public;
    key.public = other.public;
    other.public = swapped;
    expect_failure("swapped", sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error),
                   &error, SG_TOKEN, "loaded another key than 'mine'");
}

static void key_that_is_gone(void **state)
{
    sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=test");
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    (void)state;
    make_key(token, "gone", &key);
    free(key.label);
    key.label = strdup("never was");
    key.id.data[0] ^= 1;
    expect_failure("gone", sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error), &error,
                   SG_TOKEN, "'never was'");
}

static void signatures_that_fail(void **state)
{
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

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        /* One each: libp11 0.4.13 never frees an RSA key that one engine has loaded twice. */
        sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=test");
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
    sg_auto(sg_key) struct sg_key key = {0}, same = {0}, other = {0};
    struct sg_error error = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sg_token *first = open_odd("pkcs11:token=test");
        struct sg_token *second = open_odd("pkcs11:token=other%3b%25token");
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
    struct sg_token_config config = config_of(&fixture);
    sg_auto(sg_token) struct sg_token *odd = open_odd("pkcs11:token=test");
    sg_auto(sg_token) struct sg_token *plain = open_token(&config);
    sg_auto(sg_key) struct sg_key key = {0}, same = {0};
    sg_auto(sg_signer) struct sg_signer *by_odd = NULL, *by_plain = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_error error = {0};

    (void)state;
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
    sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=test");
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    struct sg_error error = {0};
    pthread_t threads[4];

    (void)state;
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
    sg_auto(sg_token) struct sg_token *token = open_odd("pkcs11:token=other%3b%25token");
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};
    struct raw raw;

    (void)state;
    raw_open(&fixture, other_token.slot, &raw);
    raw_generate(&raw, CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519_OID, sizeof ED25519_OID, "ed", "ed",
                 true);
    raw_close(&raw);
    expect_success("find", sg_key_find(token, "pkcs11:object=other-key", &key, &error), &error);
    if (sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error)) {
        sign_and_verify(signer, SG_ECDSA_SHA256);
        return;
    }
    expect_failure("beside Ed25519", false, &error, SG_TOKEN, "the token holds an Ed25519 key");
}

/* The engine never gets the PIN, so libp11's limit of 32 bytes does not hold. */
static void long_pin(void **state)
{
    static const char LONG_PIN[] = "a PIN of more than thirty-two bytes, which libp11 would cut";
    sg_auto(sg_secret) struct sg_secret *so_pin = make_secret(SO_PIN);
    sg_auto(sg_secret) struct sg_secret *user_pin = make_secret(LONG_PIN);
    struct sg_token_config config = config_of(&fixture);
    struct sg_token_info info;
    struct sg_error error = {0};

    (void)state;
    expect_success("init",
                   sg_token_init("softhsm", NULL, "long-pin", so_pin, user_pin, &info, &error),
                   &error);
    setenv("SIGNET_TEST_LONG_PIN", LONG_PIN, 1);
    config.uri = "pkcs11:token=long-pin";
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
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    (void)state;
    setenv("OPENSSL_ENGINES", "/nowhere", 1);
    token = open_odd("pkcs11:token=test");
    make_key(token, "no-engine", &key);
    expect_failure("missing", sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error),
                   &error, SG_TOKEN, "install libengine-pkcs11-openssl");
    unsetenv("OPENSSL_ENGINES");
    sg_error_clear(&error);
    expect_success("there now", sg_signer_open(token, &key, SG_SIGNER_ENGINE, &signer, &error),
                   &error);
    sign_and_verify(signer, SG_ECDSA_SHA256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(engine_not_installed, reset),
        cmocka_unit_test_setup(every_scheme, reset),
        cmocka_unit_test_setup(keys_with_twins, reset),
        cmocka_unit_test_setup(keys_that_cannot_sign, reset),
        cmocka_unit_test_setup(another_public_half, reset),
        cmocka_unit_test_setup(key_that_is_gone, reset),
        cmocka_unit_test_setup(signatures_that_fail, reset),
        cmocka_unit_test_setup(closing_one_of_two, reset),
        cmocka_unit_test_setup(two_modules, reset),
        cmocka_unit_test_setup(threads_share_a_signer, reset),
        cmocka_unit_test_setup(long_pin, reset),
        cmocka_unit_test_setup(edwards_neighbour, reset),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
