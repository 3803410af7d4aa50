#include "expect.h"

#include "line/seen.h"

static uint32_t add(struct sg_seen *seen, const char *word, uint32_t where)
{
    struct sg_error error = {0};
    uint32_t first = UINT32_MAX;

    expect_success(word, sg_seen_add(seen, word, where, &first, &error), &error);
    return first;
}

static void the_first_is_remembered(void **state)
{
    sg_auto(sg_seen) struct sg_seen seen = {0};

    (void)state;
    assert_int_equal(add(&seen, "a", 1), 0);
    assert_int_equal(add(&seen, "b", 2), 0);
    assert_int_equal(add(&seen, "a", 3), 1);
    assert_int_equal(add(&seen, "a", 4), 1);
    assert_int_equal(add(&seen, "", 5), 0);
    assert_int_equal(add(&seen, "", 6), 5);
}

static void many_words(void **state)
{
    sg_auto(sg_seen) struct sg_seen seen = {0};
    char word[16];

    (void)state;
    for (uint32_t i = 1; i <= 20000; i++) {
        snprintf(word, sizeof word, "device-%u", i);
        assert_int_equal(add(&seen, word, i), 0);
    }
    for (uint32_t i = 1; i <= 20000; i += 7) {
        snprintf(word, sizeof word, "device-%u", i);
        assert_int_equal(add(&seen, word, 1), i);
    }
    assert_true(seen.capacity * sizeof *seen.entries <= 1024 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_remembered),
        cmocka_unit_test(many_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
