#include "expect.h"

#include "model/extension.h"

static void extensions_are_kept_once(void **state)
{
    sg_auto(sg_extensions) struct sg_extensions list = {0};
    const struct sg_extension *found = NULL;
    struct sg_error error = {0};
    uint8_t value[] = {0x05, 0x00};

    (void)state;
    assert_null(sg_extensions_find(&list, "2.5.29.15"));
    assert_true(sg_extensions_add(&list, "2.5.29.15", true, sg_slice_of(value, 2), NULL));
    assert_true(sg_extensions_add(&list, "1.2.3", false, sg_slice_of(value, 1), NULL));
    value[0] = 0xff; /* the list has a copy */
    found = sg_extensions_find(&list, "2.5.29.15");
    assert_non_null(found);
    assert_true(found->critical);
    assert_true(sg_slice_equal(sg_buf_slice(&found->value), sg_slice_of("\x05\x00", 2)));
    assert_false(sg_extensions_find(&list, "1.2.3")->critical);
    expect_failure("twice",
                   sg_extensions_add(&list, "2.5.29.15", true, sg_slice_of(value, 2), &error),
                   &error, SG_MALFORMED, "the extension keyUsage is there twice");
    assert_string_equal(error.rule, "RFC 5280 4.2");
    sg_error_clear(&error);
    expect_failure("no OID",
                   sg_extensions_add(&list, "keyUsage", true, sg_slice_of(value, 2), &error),
                   &error, SG_MALFORMED, "\"keyUsage\" is no OID");
    assert_int_equal(list.num, 2);
}

static void lists_are_bounded(void **state)
{
    sg_auto(sg_extensions) struct sg_extensions list = {0};
    sg_auto(sg_oids) struct sg_oids oids = {0};
    struct sg_error error = {0};
    char oid[SG_LIMIT_OID];

    (void)state;
    for (int i = 0; i < SG_LIMIT_EXTENSIONS; i++) {
        snprintf(oid, sizeof oid, "1.2.%d", i);
        assert_true(sg_extensions_add(&list, oid, false, sg_slice_of(NULL, 0), NULL));
        if (i < SG_LIMIT_EKUS)
            assert_true(sg_oids_add(&oids, oid, NULL));
    }
    expect_failure("extensions",
                   sg_extensions_add(&list, "1.3", false, sg_slice_of(NULL, 0), &error), &error,
                   SG_MALFORMED, "more than 64 extensions");
    sg_error_clear(&error);
    expect_failure("oids", sg_oids_add(&oids, "1.3", &error), &error, SG_MALFORMED,
                   "more than 32 OIDs");
}

static void oids_are_kept_once(void **state)
{
    sg_auto(sg_oids) struct sg_oids list = {0};
    struct sg_error error = {0};
    char text[100];

    (void)state;
    assert_string_equal(sg_oids_purposes_text(&list, text, sizeof text), "");
    assert_true(sg_oids_add(&list, "1.3.6.1.5.5.7.3.2", NULL));
    assert_true(sg_oids_add(&list, "1.2.3.4", NULL));
    assert_true(sg_oids_contain(&list, "1.2.3.4"));
    assert_false(sg_oids_contain(&list, "1.2.3"));
    assert_string_equal(sg_oids_purposes_text(&list, text, sizeof text), "clientAuth, 1.2.3.4");
    assert_string_equal(sg_oids_purposes_text(&list, text, 16), "clientAuth, …");
    expect_failure("twice", sg_oids_add(&list, "1.3.6.1.5.5.7.3.2", &error), &error, SG_MALFORMED,
                   "clientAuth is there twice");
    sg_error_clear(&error);
    expect_failure("no OID", sg_oids_add(&list, "clientAuth", &error), &error, SG_MALFORMED,
                   "\"clientAuth\" is no OID");
    assert_int_equal(list.num, 2);
}

static void oids_are_compared_in_any_order(void **state)
{
    static const struct {
        const char *a[2], *b[2];
        bool equal;
    } CASES[] = {
        {{NULL}, {NULL}, true},
        {{"1.2"}, {"1.2"}, true},
        {{"1.2", "1.3"}, {"1.3", "1.2"}, true},
        {{"1.2"}, {NULL}, false},
        {{"1.2"}, {"1.3"}, false},
        {{"1.2"}, {"1.2", "1.3"}, false},
        {{"1.2", "1.3"}, {"1.2", "1.4"}, false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_oids) struct sg_oids a = {0}, b = {0};

        for (size_t at = 0; at < 2; at++) {
            if (CASES[i].a[at] != NULL)
                assert_true(sg_oids_add(&a, CASES[i].a[at], NULL));
            if (CASES[i].b[at] != NULL)
                assert_true(sg_oids_add(&b, CASES[i].b[at], NULL));
        }
        assert_int_equal(sg_oids_equal(&a, &b), CASES[i].equal);
        assert_int_equal(sg_oids_equal(&b, &a), CASES[i].equal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_are_kept_once),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(oids_are_kept_once),
        cmocka_unit_test(oids_are_compared_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
