#include "expect.h"

#include "model/plan.h"
#include "model/request.h"
#include "model/requester.h"

static void attributes_are_set_and_replaced(void **state)
{
    sg_auto(sg_record) struct sg_record record = {0};

    (void)state;
    assert_null(sg_record_value(&record, "type"));
    assert_true(sg_record_set(&record, "type", "leo", NULL));
    assert_true(sg_record_set(&record, "region", "us-east", NULL));
    assert_true(sg_record_set(&record, "type", "geo", NULL));
    assert_int_equal(record.num_attributes, 2);
    assert_string_equal(sg_record_value(&record, "type"), "geo");
    assert_string_equal(sg_record_value(&record, "region"), "us-east");
    assert_null(sg_record_value(&record, "Type"));
    assert_true(sg_record_set(&record, "type", sg_record_value(&record, "region"), NULL));
    assert_string_equal(sg_record_value(&record, "type"), "us-east");
}

static void attributes_are_taken_away(void **state)
{
    sg_auto(sg_record) struct sg_record record = {0};

    (void)state;
    sg_record_unset(&record, "type");
    assert_true(sg_record_set(&record, "type", "leo", NULL));
    assert_true(sg_record_set(&record, "region", "us-east", NULL));
    assert_true(sg_record_set(&record, "unit", "7", NULL));
    sg_record_unset(&record, "type");
    sg_record_unset(&record, "colour");
    assert_int_equal(record.num_attributes, 2);
    assert_null(sg_record_value(&record, "type"));
    assert_string_equal(sg_record_value(&record, "region"), "us-east");
    assert_string_equal(sg_record_value(&record, "unit"), "7");
    sg_record_unset(&record, "region");
    sg_record_unset(&record, "unit");
    assert_int_equal(record.num_attributes, 0);
}

static void attributes_are_bounded(void **state)
{
    sg_auto(sg_record) struct sg_record record = {0};
    struct sg_error error = {0};
    char name[16];

    (void)state;
    for (int i = 0; i < SG_LIMIT_ATTRIBUTES; i++) {
        snprintf(name, sizeof name, "a%d", i);
        assert_true(sg_record_set(&record, name, "x", NULL));
    }
    expect_failure("one more", sg_record_set(&record, "b", "x", &error), &error, SG_USAGE,
                   "\"b\" would be more than 64 attributes");
    assert_true(sg_record_set(&record, "a1", "y", NULL));
    assert_string_equal(sg_record_value(&record, "a1"), "y");
}

/* Whatever was never filled, or is released twice, is released without harm. */
static void everything_is_released(void **state)
{
    struct sg_requester requester = {.has_device = true};
    struct sg_request request = {0};
    struct sg_plan plan = {0};

    (void)state;
    requester.device.id = strdup("device-AB12");
    assert_true(sg_record_set(&requester.device, "type", "leo", NULL));
    assert_true(sg_record_set(&requester.user, "name", "A", NULL));
    assert_true(sg_name_add(&request.subject, "2.5.4.3", "a", NULL));
    assert_true(sg_oids_add(&request.purposes, "1.2", NULL));
    assert_true(sg_sans_add(&request.sans, SG_SAN_DNS, "a", NULL));
    assert_true(sg_buf_set(&request.der, sg_slice_text("x"), NULL));
    assert_true(sg_extensions_add(&request.extensions, "1.2", false, sg_slice_text("x"), NULL));
    request.pkcs10 = X509_REQ_new();
    assert_true(sg_name_add(&plan.subject, "2.5.4.3", "a", NULL));
    assert_true(sg_oids_add(&plan.purposes, "1.2", NULL));
    assert_true(sg_sans_add(&plan.sans, SG_SAN_DNS, "a", NULL));
    assert_true(sg_extensions_add(&plan.extensions, "1.2", false, sg_slice_text("x"), NULL));
    for (int i = 0; i < 2; i++) {
        sg_requester_done(&requester);
        sg_request_done(&request);
        sg_plan_done(&plan);
    }
    assert_false(requester.has_device);
    assert_null(request.pkcs10);
    assert_null(plan.subject.rdns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_set_and_replaced),
        cmocka_unit_test(attributes_are_taken_away),
        cmocka_unit_test(attributes_are_bounded),
        cmocka_unit_test(everything_is_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
