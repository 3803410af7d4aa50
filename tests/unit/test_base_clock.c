#include "expect.h"

#include "base/clock.h"

static const int64_t UNTOUCHED = 4711;

static void times_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t moment;
        const char *complaint; /* NULL: accepted */
        const char *written;   /* NULL: text itself */
    } CASES[] = {
        {"1970-01-01T00:00:00Z", 0, NULL, NULL},
        {"1969-12-31T23:59:59Z", -1, NULL, NULL},
        {"2024-02-29T12:00:01Z", 1709208001, NULL, NULL},
        {"2030-12-31", 1924905600, NULL, "2030-12-31T00:00:00Z"},
        {"9999-12-31T23:59:59Z", SG_TIME_NEVER, NULL, NULL},
        {"0000-01-01T00:00:00Z", INT64_C(-62167219200), NULL, NULL},
        {"", 0, "is not a time", NULL},
        {"2023-02-29", 0, "no such moment", NULL},
        {"2024-02-30T00:00:00Z", 0, "no such moment", NULL},
        {"2024-13-01", 0, "no such moment", NULL},
        {"2024-00-10", 0, "no such moment", NULL},
        {"2024-01-01T24:00:00Z", 0, "no such moment", NULL},
        {"2016-12-31T23:59:60Z", 0, "no such moment", NULL},
        {"2024-1-1", 0, "is not a time", NULL},
        {"2024-01-01T00:00:00", 0, "is not a time", NULL},
        {"2024-01-01T00:00:00+01:00", 0, "is not a time", NULL},
        {"2024-01-01 00:00:00Z", 0, "is not a time", NULL},
        {"2024-01-01Z", 0, "is not a time", NULL},
        {"+024-01-01", 0, "is not a time", NULL},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        char text[SG_TIME_TEXT_SIZE];
        struct sg_error error = {0};
        int64_t moment = UNTOUCHED;
        bool verdict = sg_time_parse(CASES[i].text, &moment, &error);

        if (CASES[i].complaint != NULL) {
            expect_failure(CASES[i].text, verdict, &error, SG_USAGE, CASES[i].complaint);
            assert_int_equal(moment, UNTOUCHED);
            continue;
        }
        expect_success(CASES[i].text, verdict, &error);
        assert_int_equal(moment, CASES[i].moment);
        assert_string_equal(sg_time_text(moment, text),
                            CASES[i].written != NULL ? CASES[i].written : CASES[i].text);
    }
}

static void times_out_of_range(void **state)
{
    char text[SG_TIME_TEXT_SIZE];

    (void)state;
    assert_string_equal(sg_time_text(SG_TIME_NEVER + 1, text), "?");
    assert_string_equal(sg_time_text(INT64_MAX, text), "?");
    assert_string_equal(sg_time_text(INT64_MIN, text), "?");
    assert_string_equal(sg_time_text(INT64_C(-62167219201), text), "?");
}

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {"0s", 0, NULL},
        {"90s", 90, NULL},
        {"15m", 900, NULL},
        {"12h", 43200, NULL},
        {"30d", 2592000, NULL},
        {"4w", 2419200, NULL},
        {"2y", 63072000, NULL},
        {"253402300799s", SG_TIME_NEVER, NULL},
        {"253402300800s", 0, "too long"},
        {"99999999999999999999999999s", 0, "too long"},
        {"9000y", 0, "too long"},
        {"30", 0, "without a unit"},
        {"0", 0, "without a unit"},
        {"", 0, "is not a duration"},
        {"d", 0, "is not a duration"},
        {"010d", 0, "begins with a zero"},
        {"-1d", 0, "is not a duration"},
        {"+1d", 0, "is not a duration"},
        {"1.5d", 0, "is not a duration"},
        {"1 d", 0, "is not a duration"},
        {"1d ", 0, "is not a duration"},
        {"1D", 0, "is not a duration"},
        {"1d12h", 0, "is not a duration"},
        {"1month", 0, "is not a duration"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        int64_t seconds = UNTOUCHED;
        bool verdict = sg_duration_parse(CASES[i].text, &seconds, &error);

        if (CASES[i].complaint != NULL) {
            expect_failure(CASES[i].text, verdict, &error, SG_USAGE, CASES[i].complaint);
            assert_int_equal(seconds, UNTOUCHED);
            continue;
        }
        expect_success(CASES[i].text, verdict, &error);
        assert_int_equal(seconds, CASES[i].seconds);
    }
}

static int64_t scripted(void *context)
{
    return ++*(int64_t *)context;
}

static void clocks_are_handed_in(void **state)
{
    int64_t moment = 41;
    struct sg_clock clock = {.now = scripted, .context = &moment}, machine = {0};
    int64_t before = time(NULL);

    (void)state;
    assert_int_equal(sg_clock_now(&clock), 42);
    assert_int_equal(sg_clock_now(&clock), 43);
    assert_in_range(sg_clock_now(&machine), before, before + 60);
    assert_in_range(sg_clock_now(NULL), before, before + 60);
}

static void random_bytes_differ(void **state)
{
    uint8_t one[32] = {0}, other[32] = {0};

    (void)state;
    assert_true(sg_random_fill(one, sizeof one, NULL));
    assert_true(sg_random_fill(other, sizeof other - 1, NULL));
    assert_memory_not_equal(one, other, sizeof one - 1);
    assert_int_equal(other[31], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_and_written), cmocka_unit_test(times_out_of_range),
        cmocka_unit_test(durations_are_read),         cmocka_unit_test(clocks_are_handed_in),
        cmocka_unit_test(random_bytes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
