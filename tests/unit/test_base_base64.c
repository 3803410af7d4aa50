#include "expect.h"

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/limits.h"

static void bodies_are_read(void **state)
{
    static const struct {
        const char *text, *bytes;
    } CASES[] = {
        {"AA==", "\0"},           {"/+8=", "\xff\xef"},     {"QUJD", "ABC"},
        {"QU\r\nJD\r\n", "ABC"},  {" Q U\tJ\nD ", "ABC"},   {"QUJDRA==\r\n\r\n", "ABCD"},
        {"QUJDRA=\n=\n", "ABCD"}, {"QUJDREVG\n", "ABCDEF"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf bytes = {0};
        struct sg_error error = {0};

        expect_success(CASES[i].text,
                       sg_base64_decode(sg_slice_text(CASES[i].text), &bytes, &error), &error);
        assert_int_equal(bytes.len, i == 0 ? 1 : strlen(CASES[i].bytes));
        assert_memory_equal(bytes.data, CASES[i].bytes, bytes.len);
    }
}

static void bodies_are_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } CASES[] = {
        {"", "it is empty"},
        {"\r\n \t", "it is empty"},
        {"QUJ", "cut short"},
        {"QUJDR", "cut short"},
        {"====", "cut short"},
        {"Q===", "cut short"},
        {"QU=D", "cut short"},
        {"QQ==QUJD", "cut short"},
        {"QUJD-_", "a character that base64 does not know"},
        {"-----BEGIN CERTIFICATE REQUEST-----", "PEM's BEGIN"},
        {"QUJD\v", "a character"},
        {"QUJD\xc3\xa4", "a character"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf bytes = {0};
        struct sg_error error = {0};

        expect_failure(CASES[i].text,
                       sg_base64_decode(sg_slice_text(CASES[i].text), &bytes, &error), &error,
                       SG_MALFORMED, CASES[i].says);
        assert_string_equal(error.rule, "RFC 8951 3.1");
        assert_null(bytes.data);
    }
}

static void a_zero_octet_is_no_digit(void **state)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error error = {0};

    (void)state;
    expect_failure("zero", sg_base64_decode(sg_slice_of("QUJD\0QUJ", 8), &bytes, &error), &error,
                   SG_MALFORMED, "a character");
}

static void what_is_written_is_read_again(void **state)
{
    uint8_t octets[200];

    (void)state;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 37);
    for (size_t len = 1; len <= sizeof octets; len++)
        for (int wrap = 0; wrap < 2; wrap++) {
            sg_auto(sg_buf) struct sg_buf text = {0}, bytes = {0};
            struct sg_error error = {0};

            expect_success(
                "encode",
                sg_base64_encode(sg_slice_of(octets, len), wrap, SG_LIMIT_BODY, &text, &error),
                &error);
            for (size_t i = 0; i < text.len; i++)
                if ((text.data[i] == '\n') != (wrap && (i % 65 == 64 || i + 1 == text.len)))
                    fail_msg("%zu octets: a line ends at %zu", len, i);
            expect_success("decode", sg_base64_decode(sg_buf_slice(&text), &bytes, &error), &error);
            assert_int_equal(bytes.len, len);
            assert_memory_equal(bytes.data, octets, len);
        }
}

static void what_is_too_long_is_not_written(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    (void)state;
    assert_false(sg_base64_encode(sg_slice_text("ABCD"), false, 7, &text, &error));
    assert_true(sg_base64_encode(sg_slice_text("ABCD"), false, 8, &text, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_read),
        cmocka_unit_test(bodies_are_refused),
        cmocka_unit_test(a_zero_octet_is_no_digit),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(what_is_too_long_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
