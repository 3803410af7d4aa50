#include "expect.h"

#include "base/limits.h"
#include "model/pin_hash.h"

static struct sg_secret *make_secret(const char *text)
{
    struct sg_secret *secret = NULL;
    struct sg_error error = {0};

    expect_success("secret", sg_secret_new(strlen(text), &secret, &error), &error);
    memcpy(sg_secret_data(secret), text, strlen(text));
    return secret;
}

/* The digests are those of Python's hashlib.scrypt(PIN, salt=USER, n=32768, r=8, p=1, dklen=32). */
static void is_the_scrypt_of_the_documents(void **state)
{
    static const struct {
        const char *user, *pin, *hash;
    } CASES[] = {
        {"Ada Lovelace", "4711",
         "137cf254b83b2c299ab27413a3198baabfb54c5a5e31722681f1d8b51a25e971"},
        {"Grace Hopper", "4711",
         "ddd73556c76c1690a7e63c23a90d992ab6c3b5d2699c4f6dd67d3617a5647365"},
        {"Zoë", "correct horse",
         "67eee043d4c7dc47e6509ad8e907a24414a57dbdd79f3e2e6b1a4268367e8551"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_secret) struct sg_secret *pin = make_secret(CASES[i].pin);
        uint8_t hash[SG_PIN_HASH_LEN];
        char text[SG_SHA256_HEX_SIZE];
        struct sg_error error = {0};

        expect_success(CASES[i].user, sg_pin_hash(CASES[i].user, pin, hash, &error), &error);
        sg_hex(sg_slice_of(hash, sizeof hash), text, sizeof text);
        assert_string_equal(text, CASES[i].hash);
    }
}

static void a_pin_has_a_length(void **state)
{
    sg_auto(sg_secret) struct sg_secret *pin = make_secret("123");
    uint8_t hash[SG_PIN_HASH_LEN] = {7};
    struct sg_error error = {0};

    (void)state;
    expect_failure("short", sg_pin_hash("Ada", pin, hash, &error), &error, SG_INVALID,
                   "4 characters at least");
    assert_int_equal(hash[0], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_scrypt_of_the_documents),
        cmocka_unit_test(a_pin_has_a_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
