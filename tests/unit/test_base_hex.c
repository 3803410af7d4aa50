#include "expect.h"

#include "base/hex.h"

static void hex_is_read(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {"00", 1, NULL},
        {"0aFf10", 3, NULL},
        {"0a:ff:10", 3, NULL},
        {"01020304", 4, NULL},
        {"", 0, "no hexadecimal digits"},
        {"0", 0, "no partner"},
        {"0a1", 0, "no partner"},
        {"0a:", 0, "no partner"},
        {"0a:1", 0, "no partner"},
        {"0g", 0, "'g' at character 2"},
        {"0x10", 0, "'x' at character 2"},
        {" 0a", 0, "' ' at character 1"},
        {"0a:ff10", 0, "'1' at character 6 where a ':'"},
        {"0aff:10", 0, "'f' at character 3 where a ':'"},
        {"0a::10", 0, "':' at character 4"},
        {":0a", 0, "':' at character 1"},
        {"\xef\xbc\x91\xef\xbc\x91", 0, "character 1"},
        {"0102030405", 0, "5 bytes in hexadecimal where at most 4 fit"},
        {"01:02:03:04:05", 0, "5 bytes in hexadecimal where at most 4 fit"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        uint8_t bytes[4] = {0xee, 0xee, 0xee, 0xee};
        struct sg_error error = {0};
        size_t len = 99;
        bool verdict = sg_hex_parse(CASES[i].text, bytes, sizeof bytes, &len, &error);

        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].text, verdict, &error);
            assert_int_equal(len, CASES[i].len);
        } else {
            expect_failure(CASES[i].text, verdict, &error, SG_INVALID, CASES[i].complaint);
            assert_int_equal(len, 99);
            assert_int_equal(bytes[0], 0xee);
        }
    }
}

static void hex_is_written_and_read_back(void **state)
{
    uint8_t bytes[256], back[256];
    char text[513];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_ptr_equal(sg_hex(sg_slice_of(bytes, sizeof bytes), text, sizeof text), text);
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + 506, "fdfeff");
    assert_true(sg_hex_parse(text, back, sizeof back, &len, NULL));
    assert_int_equal(len, sizeof bytes);
    assert_memory_equal(bytes, back, sizeof bytes);
    assert_string_equal(sg_hex(sg_slice_of(NULL, 0), text, 1), "");
}

/* FIPS 180-4's examples */
static void sha256_is_sha256(void **state)
{
    static const struct {
        const char *text, *digest;
    } CASES[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        uint8_t digest[SG_SHA256_LEN];
        char text[SG_SHA256_HEX_SIZE];

        sg_sha256(sg_slice_text(CASES[i].text), digest);
        assert_string_equal(sg_hex(sg_slice_of(digest, sizeof digest), text, sizeof text),
                            CASES[i].digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_read),
        cmocka_unit_test(hex_is_written_and_read_back),
        cmocka_unit_test(sha256_is_sha256),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
