#include <p11-kit/pkcs11.h>
#include <string.h>

#include "expect.h"
#include "token/tally.h"

/* expect_row: what is taken from a row, and that there is nothing left then. */
static void expect_row(struct sg_tally *tally, unsigned row, const char *name, uint64_t num)
{
    char got[SG_TALLY_NAME_SIZE];

    assert_int_equal(sg_tally_take(tally, row, got), num);
    assert_string_equal(got, name);
    assert_int_equal(sg_tally_take(tally, row, got), 0);
}

static void failures_are_counted_by_name(void **state)
{
    struct sg_tally tally = {0};

    (void)state;
    sg_tally_count(NULL, CKR_DEVICE_ERROR);
    sg_tally_count(&tally, CKR_OK);
    sg_tally_count(&tally, CKR_DEVICE_ERROR);
    sg_tally_count(&tally, CKR_VENDOR_DEFINED + 0x12);
    sg_tally_count(&tally, CKR_DEVICE_ERROR);
    sg_tally_count(&tally, 0x7777);
    expect_row(&tally, 0, "CKR_DEVICE_ERROR", 2);
    expect_row(&tally, 1, "0x80000012", 1);
    expect_row(&tally, 2, "0x7777", 1);
    sg_tally_count(&tally, CKR_DEVICE_ERROR);
    expect_row(&tally, 0, "CKR_DEVICE_ERROR", 1);
}

static void a_module_that_invents_errors_fills_one_row(void **state)
{
    struct sg_tally tally = {0};

    (void)state;
    for (unsigned long rv = 1; rv <= 1000; rv++)
        sg_tally_count(&tally, CKR_VENDOR_DEFINED + rv);
    expect_row(&tally, SG_TALLY_ROWS - 2, "0x8000001F", 1);
    expect_row(&tally, SG_TALLY_ROWS - 1, "other", 1000 - (SG_TALLY_ROWS - 1));
    sg_tally_count(&tally, CKR_VENDOR_DEFINED + 1);
    expect_row(&tally, 0, "0x80000001", 2);
}

static void sessions_come_and_go(void **state)
{
    struct sg_tally tally = {0};

    (void)state;
    sg_tally_add_sessions(NULL, 1);
    sg_tally_add_sessions(&tally, 1);
    sg_tally_add_sessions(&tally, 1);
    sg_tally_add_sessions(&tally, -1);
    assert_int_equal(atomic_load(&tally.num_sessions), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_counted_by_name),
        cmocka_unit_test(a_module_that_invents_errors_fills_one_row),
        cmocka_unit_test(sessions_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
