#include "expect.h"

#include "base/text.h"

#define BYTES(literal) literal, sizeof literal - 1

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    const char *complaint; /* NULL: accepted */
} CASES[] = {
    {"nothing", BYTES(""), NULL},
    {"ascii", BYTES("device-AB12 ~!"), NULL},
    {"two bytes", BYTES("\xc3\xa4"), NULL},
    {"smallest of two", BYTES("\xc2\xa0"), NULL},
    {"three bytes", BYTES("\xe2\x82\xac"), NULL},
    {"smallest of three", BYTES("\xe0\xa0\x80"), NULL},
    {"before the surrogates", BYTES("\xed\x9f\xbf"), NULL},
    {"after the surrogates", BYTES("\xee\x80\x80"), NULL},
    {"four bytes", BYTES("\xf0\x9f\x94\x91"), NULL},
    {"largest of four", BYTES("\xf4\x8f\xbf\xbf"), NULL},
    {"NUL", BYTES("a\0b"), "has a zero byte (byte 2)"},
    {"LF", BYTES("ab\n"), "has a line break (byte 3)"},
    {"CR", BYTES("\r"), "has a line break (byte 1)"},
    {"NEL", BYTES("a\xc2\x85"), "has a line break (byte 2)"},
    {"LS", BYTES("\xe2\x80\xa8"), "has a line break (byte 1)"},
    {"PS", BYTES("\xe2\x80\xa9"), "has a line break (byte 1)"},
    {"TAB", BYTES("a\tb"), "has a control character (byte 2)"},
    {"ESC", BYTES("\x1b[0m"), "has a control character (byte 1)"},
    {"DEL", BYTES("a\x7f"), "has a control character (byte 2)"},
    {"C1", BYTES("\xc2\x9f"), "has a control character (byte 1)"},
    {"Latin-1", BYTES("K\xf6ln"), "is not UTF-8 (byte 2)"},
    {"lone continuation", BYTES("\x80"), "is not UTF-8 (byte 1)"},
    {"cut short", BYTES("ab\xe2\x82"), "is not UTF-8 (byte 3)"},
    {"broken inside", BYTES("\xe2\x28\xa1"), "is not UTF-8 (byte 1)"},
    {"a lead byte that never is", BYTES("\xff\xff\xff\xff"), "is not UTF-8 (byte 1)"},
    {"five bytes", BYTES("\xf8\x88\x80\x80\x80"), "is not UTF-8 (byte 1)"},
    {"overlong slash", BYTES("\xc0\xaf"), "longer form"},
    {"overlong NUL", BYTES("\xc0\x80"), "longer form"},
    {"overlong of three", BYTES("\xe0\x80\xaf"), "longer form"},
    {"overlong of four", BYTES("\xf0\x8f\xbf\xbf"), "longer form"},
    {"first surrogate", BYTES("\xed\xa0\x80"), "surrogate"},
    {"last surrogate", BYTES("\xed\xbf\xbf"), "surrogate"},
    {"beyond Unicode", BYTES("\xf4\x90\x80\x80"), "beyond U+10FFFF"},
};

/* From a copy of the exact size, so that a sanitizer sees a read past its end. */
static void texts_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        uint8_t *copy = malloc(CASES[i].len > 0 ? CASES[i].len : 1);
        bool verdict;

        memcpy(copy, CASES[i].bytes, CASES[i].len);
        verdict = sg_text_check(sg_slice_of(copy, CASES[i].len), "subject CN", &error);
        free(copy);
        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].name, verdict, &error);
            continue;
        }
        expect_failure(CASES[i].name, verdict, &error, SG_MALFORMED, CASES[i].complaint);
        assert_memory_equal(error.text, "subject CN ", 11);
    }
}

/* Whatever comes in, what comes out is text; and text comes out as it was. */
static void printable_is_what_check_accepts(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        char text[32];

        memcpy(text, CASES[i].bytes, CASES[i].len);
        text[CASES[i].len] = '\0';
        assert_ptr_equal(sg_text_make_printable(text), text);
        assert_true(sg_text_check(sg_slice_text(text), "x", NULL));
        assert_int_equal(strchr(text, '?') == NULL,
                         CASES[i].complaint == NULL || strcmp(CASES[i].name, "NUL") == 0);
    }
}

static void texts_are_copied(void **state)
{
    char *copy = NULL;

    (void)state;
    assert_true(sg_text_copy(sg_slice_of("abcdef", 3), &copy, NULL));
    assert_string_equal(copy, "abc");
    free(copy);
    assert_true(sg_text_copy(sg_slice_of(NULL, 0), &copy, NULL));
    assert_string_equal(copy, "");
    free(copy);
}

static void texts_are_quoted_for_a_shell(void **state)
{
    static const char *const WORDS[][2] = {
        {"device-AB12", "device-AB12"},
        {"ada@example.com", "ada@example.com"},
        {"Grace Hopper", "'Grace Hopper'"},
        {"O'Neil", "'O'\\''Neil'"},
        {"", "''"},
        {"$(id)", "'$(id)'"},
        {"~root", "'~root'"},
        {"Jörg", "'Jörg'"},
    };
    char quoted[SG_QUOTED_SIZE], text[2 * SG_QUOTED_SIZE];

    (void)state;
    for (size_t i = 0; i < NUM(WORDS); i++)
        assert_string_equal(sg_text_quote(WORDS[i][0], quoted), WORDS[i][1]);
    for (size_t len = 1; len < sizeof text - 1; len++)
        for (const char *of = "a'$"; *of != '\0'; of++) {
            memset(text, *of, len);
            text[len] = '\0';
            assert_true(strlen(sg_text_quote(text, quoted)) < sizeof quoted);
        }
    assert_string_equal(quoted, "'…'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_judged),
        cmocka_unit_test(printable_is_what_check_accepts),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(texts_are_quoted_for_a_shell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
