#include "token_fixture.h"

#include <openssl/hmac.h>

#include "token/mac.h"

static struct fixture fixture;
static struct sg_token_info token_info;

static int make(void **state)
{
    (void)state;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    fixture_init(&fixture);
    token_info = make_token("test");
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
    unsetenv("ODD_ATTRIBUTE");
    unsetenv("ODD_SIGN_RV");
    unsetenv("ODD_SIGN_RV_ONCE");
    unsetenv("ODD_FINALIZE");
    return 0;
}

static struct sg_token *open_odd(enum sg_signer_kind kind)
{
    struct sg_token_config config = config_of(&fixture);

    config.profile = NULL;
    config.module = getenv("SIGNET_ODD_MODULE");
    config.signer = kind;
    return open_token(&config);
}

static bool create(struct sg_token *token, const char *label, struct sg_error *error)
{
    return sg_mac_create(token, label, (struct sg_slice){0}, error);
}

static struct sg_mac *open_mac(struct sg_token *token, const char *uri)
{
    struct sg_mac *mac = NULL;
    struct sg_error error = {0};

    expect_success(uri, sg_mac_open(token, uri, &mac, &error), &error);
    return mac;
}

static void compute(struct sg_mac *mac, const char *text, uint8_t value[SG_SHA256_LEN])
{
    struct sg_error error = {0};

    expect_success(text, sg_mac_compute(mac, sg_slice_text(text), value, &error), &error);
}

/* A key whose value the test knows. */
static void put_known(const char *label, const uint8_t value[32], bool extractable)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_BBOOL yes = CK_TRUE, may_leave = extractable;
    unsigned char text[32], bytes[32];
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, sizeof yes},     {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &may_leave, sizeof may_leave},
        {CKA_SIGN, &yes, sizeof yes},      {CKA_LABEL, text, strlen(label)},
        {CKA_VALUE, bytes, sizeof bytes},
    };
    CK_OBJECT_HANDLE object;
    struct raw raw;

    memcpy(text, label, strlen(label));
    memcpy(bytes, value, sizeof bytes);
    raw_open(&fixture, token_info.slot, &raw);
    assert_int_equal(raw.functions->C_CreateObject(raw.session, template, NUM(template), &object),
                     CKR_OK);
    raw_close(&raw);
}

static void is_an_hmac(void **state)
{
    static const uint8_t KEY[32] = {1, 2, 3, 4, 5};
    uint8_t value[SG_SHA256_LEN], wanted[SG_SHA256_LEN];
    unsigned len = sizeof wanted;

    (void)state;
    put_known("known", KEY, false);
    sg_auto(sg_token) struct sg_token *token = open_odd(SG_SIGNER_DIRECT);
    sg_auto(sg_mac) struct sg_mac *mac = open_mac(token, "pkcs11:object=known");
    compute(mac, "what is kept", value);
    assert_non_null(HMAC(EVP_sha256(), KEY, sizeof KEY, (const unsigned char *)"what is kept", 12,
                         wanted, &len));
    assert_memory_equal(value, wanted, sizeof value);
}

/* On tokens that either signer signs on; the key is the same after the token was opened anew. */
static void made_and_found(void **state)
{
    uint8_t first[SG_SHA256_LEN], again[SG_SHA256_LEN], other[SG_SHA256_LEN];
    struct sg_error error = {0};

    (void)state;
    {
        sg_auto(sg_token) struct sg_token *token = open_odd(SG_SIGNER_ENGINE);
        expect_success("create", create(token, "pins", &error), &error);
        expect_success("create", create(token, "others", &error), &error);
        sg_auto(sg_mac) struct sg_mac *mac = open_mac(token, "pkcs11:object=pins");
        sg_auto(sg_mac) struct sg_mac *second = open_mac(token, "pkcs11:object=others");
        compute(mac, "x", first);
        compute(second, "x", other);
        assert_memory_not_equal(first, other, sizeof first);
    }
    sg_auto(sg_token) struct sg_token *token = open_odd(SG_SIGNER_DIRECT);
    sg_auto(sg_mac) struct sg_mac *mac = open_mac(token, "pkcs11:token=test;object=pins");
    compute(mac, "x", again);
    assert_memory_equal(first, again, sizeof first);
    compute(mac, "y", again);
    assert_memory_not_equal(first, again, sizeof first);
    expect_failure("taken", create(token, "pins", &error), &error, SG_TOKEN,
                   "has a secret key 'pins' already");
}

static void not_found(void **state)
{
    static const uint8_t KEY[32] = {9};
    sg_auto(sg_token) struct sg_token *token = NULL;
    struct sg_error error = {0};
    struct sg_mac *mac = NULL;

    (void)state;
    put_known("twin", KEY, false);
    put_known("twin", KEY, false);
    put_known("leaves", KEY, true);
    token = open_odd(SG_SIGNER_DIRECT);
    expect_failure("none", sg_mac_open(token, "pkcs11:object=none", &mac, &error), &error, SG_TOKEN,
                   "key create --type HMAC");
    sg_error_clear(&error);
    expect_failure("two", sg_mac_open(token, "pkcs11:object=twin", &mac, &error), &error, SG_TOKEN,
                   "more than one HMAC key");
    sg_error_clear(&error);
    expect_failure("extractable", sg_mac_open(token, "pkcs11:object=leaves", &mac, &error), &error,
                   SG_TOKEN, "can be read out");
    sg_error_clear(&error);
    expect_failure("elsewhere", sg_mac_open(token, "pkcs11:token=other;object=twin", &mac, &error),
                   &error, SG_TOKEN, "another token");
    sg_error_clear(&error);
    expect_failure("no URI", sg_mac_open(token, "pins", &mac, &error), &error, SG_USAGE, "");
    assert_null(mac);
}

static void wrong_names(void **state)
{
    char longest[1100] = "";
    const struct {
        const char *label;
        struct sg_slice id;
        const char *part;
    } CASES[] = {
        {"", {0}, "1 to 1024 bytes"},
        {longest, {0}, "1 to 1024 bytes"},
        {"a\nb", {0}, "key label"},
        {"x", sg_slice_of(longest, 101), "at most 100 bytes"},
    };
    sg_auto(sg_token) struct sg_token *token = open_odd(SG_SIGNER_DIRECT);

    (void)state;
    memset(longest, 'l', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        bool made = sg_mac_create(token, CASES[i].label, CASES[i].id, &error);

        if (made || strstr(error.text, CASES[i].part) == NULL)
            fail_msg("%zu: %s", i, error.text);
    }
}

/* A token that makes a key otherwise than it was told has none afterwards. */
static void what_does_not_read_back_is_destroyed(void **state)
{
    static const struct {
        const char *odd, *name;
    } CASES[] = {
        {"0x163=0", "CKA_LOCAL"},       {"0x103=0", "CKA_SENSITIVE"},   {"0x165=0", "CKA_ALWAYS_"},
        {"0x162=1", "CKA_EXTRACTABLE"}, {"0x164=ABSENT", "CKA_NEVER_"}, {"0x108=0", "CKA_SIGN"},
        {"0x105=1", "CKA_DECRYPT"},     {"0x10C=1", "CKA_DERIVE"},
    };
    sg_auto(sg_token) struct sg_token *token = open_odd(SG_SIGNER_DIRECT);

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        struct sg_mac *mac = NULL;

        setenv("ODD_ATTRIBUTE", CASES[i].odd, 1);
        expect_failure(CASES[i].name, create(token, "odd", &error), &error, SG_TOKEN,
                       CASES[i].name);
        assert_non_null(strstr(error.text, "was destroyed"));
        unsetenv("ODD_ATTRIBUTE");
        sg_error_clear(&error);
        expect_failure(CASES[i].name, sg_mac_open(token, "pkcs11:object=odd", &mac, &error), &error,
                       SG_TOKEN, "no HMAC key");
    }
}

static void losses(void **state)
{
    uint8_t first[SG_SHA256_LEN], again[SG_SHA256_LEN];
    struct sg_error error = {0};
    sg_auto(sg_token) struct sg_token *token = open_odd(SG_SIGNER_DIRECT);

    (void)state;
    expect_success("create", create(token, "lasting", &error), &error);
    sg_auto(sg_mac) struct sg_mac *mac = open_mac(token, "pkcs11:object=lasting");
    compute(mac, "x", first);
    setenv("ODD_SIGN_RV_ONCE", "0xB3", 1); /* CKR_SESSION_HANDLE_INVALID */
    compute(mac, "x", again);
    assert_null(getenv("ODD_SIGN_RV_ONCE"));
    assert_memory_equal(first, again, sizeof first);
    setenv("ODD_FINALIZE", "1", 1);
    compute(mac, "x", again);
    assert_null(getenv("ODD_FINALIZE"));
    assert_memory_equal(first, again, sizeof first);
    setenv("ODD_SIGN_RV", "0x70", 1); /* CKR_MECHANISM_INVALID: no loss */
    memset(again, 7, sizeof again);
    expect_failure("no mechanism", sg_mac_compute(mac, sg_slice_text("x"), again, &error), &error,
                   SG_TOKEN, "makes no HMAC");
    assert_int_equal(again[0], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(is_an_hmac, reset),
        cmocka_unit_test_teardown(made_and_found, reset),
        cmocka_unit_test_teardown(not_found, reset),
        cmocka_unit_test_teardown(wrong_names, reset),
        cmocka_unit_test_teardown(what_does_not_read_back_is_destroyed, reset),
        cmocka_unit_test_teardown(losses, reset),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
