#include "expect.h"

#include "model/schema.h"

static void fields_are_found_by_name(void **state)
{
    struct sg_schema_field fields[] = {{.name = "id"}, {.name = "type"}};
    const struct sg_schema schema = {fields, NUM(fields)}, none = {0};

    (void)state;
    assert_ptr_equal(sg_schema_field(&schema, "id"), &fields[0]);
    assert_ptr_equal(sg_schema_field(&schema, "type"), &fields[1]);
    assert_null(sg_schema_field(&schema, "typ"));
    assert_null(sg_schema_field(&schema, "types"));
    assert_null(sg_schema_field(&schema, ""));
    assert_null(sg_schema_field(&none, "id"));
}

static void fields_are_listed(void **state)
{
    struct sg_schema_field fields[100];
    char text[SG_SCHEMA_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < NUM(fields); i++)
        fields[i] = (struct sg_schema_field){.name = i == 0 ? "id" : "region"};
    assert_string_equal(sg_schema_text(&(struct sg_schema){fields, 0}, text), "none");
    assert_string_equal(sg_schema_text(&(struct sg_schema){fields, 1}, text), "id");
    assert_string_equal(sg_schema_text(&(struct sg_schema){fields, 3}, text), "id, region, region");
    assert_ptr_equal(sg_schema_text(&(struct sg_schema){fields, NUM(fields)}, text), text);
    assert_string_equal(text + strlen(text) - strlen("…"), "…");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(fields_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
