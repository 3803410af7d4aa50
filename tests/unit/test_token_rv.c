#include "expect.h"

#include "token/rv.h"

static void names(void **state)
{
    static const struct {
        CK_RV rv;
        const char *text;
    } CASES[] = {
        {CKR_OK, "CKR_OK (0x0)"},
        {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT (0xA0)"},
        {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED (0x190)"},
        {CKR_FUNCTION_REJECTED, "CKR_FUNCTION_REJECTED (0x200)"},
        {0x7777, "unknown CK_RV (0x7777)"},
        {CKR_VENDOR_DEFINED + 0x12, "CKR_VENDOR_DEFINED + 0x12 (0x80000012)"},
    };
    char text[SG_RV_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        assert_string_equal(sg_rv_text(CASES[i].rv, text), CASES[i].text);
}

static void failing(void **state)
{
    struct sg_error error = {0};

    (void)state;
    expect_failure("first", sg_fail_rv(&error, SG_TOKEN, CKR_DEVICE_REMOVED, "token %s", "a"),
                   &error, SG_TOKEN, "token a: CKR_DEVICE_REMOVED (0x32)");
    assert_int_equal(error.detail, CKR_DEVICE_REMOVED);
    expect_failure("the first cause stays", sg_fail_rv(&error, SG_PIN, CKR_PIN_LOCKED, "later"),
                   &error, SG_TOKEN, "token a");
    assert_int_equal(error.detail, CKR_DEVICE_REMOVED);
    assert_false(sg_fail_rv(NULL, SG_PIN, CKR_PIN_LOCKED, "nobody listens"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(failing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
