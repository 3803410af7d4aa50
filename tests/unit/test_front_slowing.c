#include "expect.h"

#include "front/parts.h"

static struct sg_front *new_front(void)
{
    struct sg_front *front = calloc(1, sizeof *front);
    struct sg_error error = {0};

    assert_non_null(front);
    front->config.service.limits.refusals = 2;
    expect_success("begin", sg_slow_begin(&front->slowing, &error), &error);
    return front;
}

static void waits_double_up_to_a_longest(void **state)
{
    static const int64_t WANTED[] = {0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    struct sg_front *front = new_front();

    (void)state;
    for (size_t i = 0; i < NUM(WANTED); i++) {
        assert_int_equal(sg_slow_wait_ms(front, "192.0.2.1"), WANTED[i]);
        sg_slow_note(front, "192.0.2.1");
    }
    free(front);
}

static void what_counts_as_the_same_address(void **state)
{
    static const struct {
        const char *refused, *asks;
        bool is_slowed;
    } CASES[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "192.0.2.2", false},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"::1", "::2", true},
        {"::1", "192.0.2.1", false},
        {"proxy", "proxy", false},
        {"?", "?", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_front *front = new_front();

        for (int times = 0; times < 5; times++)
            sg_slow_note(front, CASES[i].refused);
        if ((sg_slow_wait_ms(front, CASES[i].asks) > 0) != CASES[i].is_slowed)
            fail_msg("%s refused, %s asks: %s", CASES[i].refused, CASES[i].asks,
                     CASES[i].is_slowed ? "not slowed" : "slowed");
        free(front);
    }
}

static void quiet_minutes_halve_it(void **state)
{
    struct sg_front *front = new_front();

    (void)state;
    for (int times = 0; times < 8; times++)
        sg_slow_note(front, "192.0.2.1");
    assert_int_equal(sg_slow_wait_ms(front, "192.0.2.1"), 3200);
    for (size_t row = 0; row < SG_SLOW_ROWS; row++)
        for (size_t way = 0; way < SG_SLOW_WAYS; way++)
            if (front->slowing.rows[row][way].since_ms != 0)
                front->slowing.rows[row][way].since_ms -= 60000;
    assert_int_equal(sg_slow_wait_ms(front, "192.0.2.1"), 200);
    free(front);
}

/* More addresses than there is room for: those with more against them stay. */
static void the_table_is_bounded(void **state)
{
    struct sg_front *front = new_front();
    char address[32];

    (void)state;
    for (int times = 0; times < 6; times++)
        sg_slow_note(front, "192.0.2.1");
    for (unsigned i = 0; i < 50000; i++) {
        snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16 & 255U, i >> 8 & 255U, i & 255U);
        sg_slow_note(front, address);
    }
    assert_int_equal(sg_slow_wait_ms(front, "192.0.2.1"), 800);
    free(front);
}

static void a_minute_has_so_many_lines(void **state)
{
    struct sg_front *front = new_front();

    (void)state;
    assert_true(sg_slow_note(front, "192.0.2.1"));
    assert_true(sg_slow_note(front, "192.0.2.1"));
    assert_false(sg_slow_note(front, "192.0.2.1"));
    assert_false(sg_slow_note(front, "192.0.2.1"));
    assert_true(sg_slow_note(front, "192.0.2.2"));
    assert_int_equal(front->figures.num_unwritten, 2);
    free(front);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_a_longest),
        cmocka_unit_test(what_counts_as_the_same_address),
        cmocka_unit_test(quiet_minutes_halve_it),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(a_minute_has_so_many_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
