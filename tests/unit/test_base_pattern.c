#include "expect.h"

#include "base/pattern.h"

static void whole_values_match(void **state)
{
    static const struct {
        const char *pattern, *value;
        bool matches;
    } CASES[] = {
        {"device-[A-Z0-9]{4,32}", "device-AB12", true},
        {"device-[A-Z0-9]{4,32}", "device-AB12\n", false},
        {"device-[A-Z0-9]{4,32}", "xdevice-AB12", false},
        {"device-[A-Z0-9]{4,32}", "device-AB12 ", false},
        {"a|ab", "ab", true},
        {"a|b", "ab", false},
        {"abc$", "abc", true},
        {"abc$", "abc\n", false},
        {"(?m)abc$", "abc\nabc", false},
        {".*", "a\nb", false},
        {"b\\Kc", "abc", false},
        {"a(*ACCEPT)b", "ab", false},
        {"", "", true},
        {"", "a", false},
        {".", "\xc3\xa4", true},
        {".{2}", "\xc3\xa4", false},
        {".*", "K\xf6ln", false},
        {"\\d", "\xd9\xa3", false}, /* an Arabic three */
        {"S-1-5-[0-9-]+", "S-1-5-21-1", true},
        {"S-1-5-[0-9-]+", "s-1-5-21-1", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_pattern) struct sg_pattern *pattern = NULL;
        struct sg_error error = {0};

        expect_success(CASES[i].pattern, sg_pattern_new(CASES[i].pattern, &pattern, &error),
                       &error);
        assert_string_equal(sg_pattern_text(pattern), CASES[i].pattern);
        if (sg_pattern_matches(pattern, CASES[i].value) != CASES[i].matches)
            fail_msg("%s against '%s'", CASES[i].pattern, CASES[i].value);
    }
}

/* Without the limit this would take longer than the universe has. */
static void a_match_that_takes_too_long_is_none(void **state)
{
    sg_auto(sg_pattern) struct sg_pattern *pattern = NULL;

    (void)state;
    assert_true(sg_pattern_new("((a+)+)+\\d?", &pattern, NULL));
    assert_true(sg_pattern_matches(pattern, "aaaa"));
    assert_false(
        sg_pattern_matches(pattern, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
}

static void wrong_patterns_are_refused(void **state)
{
    static const struct {
        const char *pattern, *complaint;
    } CASES[] = {
        {"a(b", "pattern 'a(b' is wrong at byte 4: missing closing parenthesis"},
        {"a)|(b", "is wrong at byte 2: unmatched closing parenthesis"},
        {"[a-", "missing terminating ]"},
        {"a{2,1}", "numbers out of order"},
        {"\\C", "\\C is disabled"},
        {"K\xf6ln", "UTF-8 error"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_pattern *pattern = NULL;
        struct sg_error error = {0};

        expect_failure(CASES[i].pattern, sg_pattern_new(CASES[i].pattern, &pattern, &error), &error,
                       SG_INVALID, CASES[i].complaint);
        assert_null(pattern);
    }
    sg_pattern_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_values_match),
        cmocka_unit_test(a_match_that_takes_too_long_is_none),
        cmocka_unit_test(wrong_patterns_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
