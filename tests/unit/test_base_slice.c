#include "expect.h"

#include "base/slice.h"

static void slices_compare(void **state)
{
    static const struct {
        const char *a, *b;
        bool are_equal;
    } CASES[] = {
        {"", "", true},    {NULL, "", true},   {NULL, NULL, true}, {"a", "a", true},
        {"a", "b", false}, {"a", "ab", false}, {"", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        assert_int_equal(sg_slice_equal(sg_slice_text(CASES[i].a), sg_slice_text(CASES[i].b)),
                         CASES[i].are_equal);
    assert_false(sg_slice_equal(sg_slice_of("a\0b", 3), sg_slice_of("a\0c", 3)));
}

static void a_buffer_grows(void **state)
{
    struct sg_buf buf = {0};
    struct sg_error error = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        expect_success("append", sg_buf_append(&buf, "0123456789", 10, 10000, &error), &error);
    assert_int_equal(buf.len, 10000);
    assert_int_equal(buf.data[10000], 0);
    assert_memory_equal(buf.data + 9990, "0123456789", 10);
    sg_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.capacity, 0);
    sg_buf_free(&buf);
    sg_buf_free(NULL);
}

static void a_buffer_keeps_to_its_limit(void **state)
{
    static const struct {
        const char *name;
        size_t len, limit;
        bool fits;
    } CASES[] = {
        {"to the limit", 5, 8, true},
        {"one more", 6, 8, false},
        {"nothing more", 0, 3, true},
        {"already more", 0, 2, false},
        {"a sum that wraps", SIZE_MAX, SIZE_MAX, false},
        {"a huge limit", 5, SIZE_MAX, false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_buf buf = {0};
        struct sg_error error = {0};
        bool verdict;

        assert_true(sg_buf_append(&buf, "abc", 3, 8, NULL));
        verdict = sg_buf_append(&buf, "defghi", CASES[i].len, CASES[i].limit, &error);
        if (CASES[i].fits) {
            expect_success(CASES[i].name, verdict, &error);
            assert_int_equal(buf.len, 3 + CASES[i].len);
        } else {
            expect_failure(CASES[i].name, verdict, &error, SG_FAILED, "limit");
            assert_string_equal((char *)buf.data, "abc");
            assert_int_equal(buf.len, 3);
        }
        sg_buf_free(&buf);
    }
}

static void a_buffer_prints(void **state)
{
    struct sg_buf buf = {0};
    struct sg_error error = {0};

    (void)state;
    assert_true(sg_buf_printf(&buf, 10, &error, "%s-%d", "ab", 12));
    assert_true(sg_buf_printf(&buf, 10, &error, "%s", ""));
    assert_string_equal((char *)buf.data, "ab-12");
    expect_failure("too long", sg_buf_printf(&buf, 10, &error, "%s", "123456"), &error, SG_FAILED,
                   "more than 10 bytes");
    assert_string_equal((char *)buf.data, "ab-12");
    sg_buf_free(&buf);
}

static void a_buffer_is_set_and_taken(void **state)
{
    struct sg_buf buf = {0};
    uint8_t *taken;

    (void)state;
    assert_true(sg_buf_set(&buf, sg_slice_text("something"), NULL));
    assert_true(sg_slice_equal(sg_buf_slice(&buf), sg_slice_text("something")));
    assert_true(sg_buf_set(&buf, sg_slice_of(buf.data + 4, 5), NULL));
    assert_string_equal((char *)buf.data, "thing");
    taken = sg_buf_take(&buf);
    assert_string_equal((char *)taken, "thing");
    assert_null(buf.data);
    assert_int_equal(buf.len, 0);
    free(taken);
    assert_true(sg_buf_set(&buf, sg_slice_of(NULL, 0), NULL));
    assert_string_equal((char *)buf.data, "");
    sg_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare),
        cmocka_unit_test(a_buffer_grows),
        cmocka_unit_test(a_buffer_keeps_to_its_limit),
        cmocka_unit_test(a_buffer_prints),
        cmocka_unit_test(a_buffer_is_set_and_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
