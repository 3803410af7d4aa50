#include "store_fixture.h"

#include <sqlite3.h>

#include "store/sql.h"

static struct sg_record make_record(const char *id, size_t num, const char *const pairs[][2])
{
    struct sg_record record = {.id = strdup(id)};
    struct sg_error error = {0};
    for (size_t i = 0; i < num; i++)
        expect_success(id, sg_record_set(&record, pairs[i][0], pairs[i][1], &error), &error);
    return record;
}

static void test_round_trip(void **state)
{
    struct fixture *fixture = *state;
    static const char *const PAIRS[][2] = {
        {"type", "leo"}, {"region", "us-east"}, {"note", "\"quoted\" \\ {ü€𝄞}"}, {"empty", ""}};
    sg_auto(sg_record) struct sg_record record = make_record("device-AB12", NUM(PAIRS), PAIRS);
    sg_auto(sg_record) struct sg_record found = {0};
    sg_auto(sg_record) struct sg_record bare = {0};
    struct sg_error error = {0};
    expect_success("register",
                   sg_store_register(fixture->store, SG_REGISTRY_DEVICE, &record, 1, NULL, &error),
                   &error);
    expect_success(
        "find",
        sg_store_find_record(fixture->store, SG_REGISTRY_DEVICE, "device-AB12", &found, &error),
        &error);
    assert_string_equal(found.id, "device-AB12");
    assert_false(found.disabled);
    assert_int_equal(found.num_attributes, NUM(PAIRS));
    for (size_t i = 0; i < NUM(PAIRS); i++)
        assert_string_equal(sg_record_value(&found, PAIRS[i][0]), PAIRS[i][1]);
    expect_success("bare",
                   sg_store_find_record(fixture->store, SG_REGISTRY_DEVICE, "d1", &bare, &error),
                   &error);
    assert_int_equal(bare.num_attributes, 0);
}

static void test_kinds_are_apart(void **state)
{
    struct fixture *fixture = *state;
    sg_auto(sg_record) struct sg_record found = {0};
    struct sg_error error = {0};
    expect_failure("device as user",
                   sg_store_find_record(fixture->store, SG_REGISTRY_USER, "d1", &found, &error),
                   &error, SG_UNAUTHENTICATED, "user \"d1\" is not in the registry");
    sg_error_clear(&error);
    expect_failure("user as device",
                   sg_store_find_record(fixture->store, SG_REGISTRY_DEVICE, "u1", &found, &error),
                   &error, SG_UNAUTHENTICATED, "`signet device add`");
    assert_null(found.id);
    add_record(fixture->store, SG_REGISTRY_USER, "d1");
}

/* All or none, and the culprit is named. */
static void test_refused_groups(void **state)
{
    struct fixture *fixture = *state;
    char good[] = "fresh", known[] = "d1", empty[] = "", control[] = "a\x1b[2J", name[] = "region";
    char name_bad[] = "re\ngion", value[] = "eu", latin[] = "caf\xe9", off[] = "off";
    struct sg_attribute bad_name = {name_bad, value}, bad_value = {name, latin};
    const struct sg_record disabled = {.id = off, .disabled = true};
    struct sg_error error = {0};
    expect_success(
        "a disabled one",
        sg_store_register(fixture->store, SG_REGISTRY_DEVICE, &disabled, 1, NULL, &error), &error);
    const struct {
        const char *name;
        struct sg_record second;
        enum sg_code code;
        const char *part;
    } cases[] = {
        {"known", {.id = known}, SG_REFUSED, "device \"d1\" is in the registry already"},
        {"disabled", {.id = off}, SG_REFUSED, "already, disabled"},
        {"twice in the group", {.id = good}, SG_REFUSED, "\"fresh\" is in the registry already"},
        {"empty", {.id = empty}, SG_REFUSED, "without an id"},
        {"control character", {.id = control}, SG_MALFORMED, "the id"},
        {"name",
         {.id = value, .attributes = &bad_name, .num_attributes = 1},
         SG_MALFORMED,
         "an attribute's name"},
        {"value",
         {.id = value, .attributes = &bad_value, .num_attributes = 1},
         SG_MALFORMED,
         "eu: region"},
    };
    for (size_t i = 0; i < NUM(cases); i++) {
        const struct sg_record group[] = {{.id = good}, cases[i].second};
        sg_auto(sg_record) struct sg_record found = {0};
        size_t index = 99;
        sg_error_clear(&error);
        expect_failure(
            cases[i].name,
            sg_store_register(fixture->store, SG_REGISTRY_DEVICE, group, 2, &index, &error), &error,
            cases[i].code, cases[i].part);
        assert_int_equal(index, 1);
        assert_false(sg_store_find_record(fixture->store, SG_REGISTRY_DEVICE, good, &found, NULL));
    }
}

static void test_disable(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    for (int disabled = 1; disabled >= 0; disabled--) {
        sg_auto(sg_record) struct sg_record found = {0};
        expect_success(
            "set",
            sg_store_set_disabled(fixture->store, SG_REGISTRY_USER, "u1", disabled != 0, &error),
            &error);
        assert_true(sg_store_find_record(fixture->store, SG_REGISTRY_USER, "u1", &found, &error));
        assert_int_equal(found.disabled, disabled);
    }
    expect_failure("unknown",
                   sg_store_set_disabled(fixture->store, SG_REGISTRY_USER, "uX", true, &error),
                   &error, SG_UNAUTHENTICATED, "user \"uX\" is not in the registry");
}

/* What the change of a record comes to. */
struct change {
    const char *name, *value;
    bool fails;
};

static bool amend(struct sg_record *record, void *context, struct sg_error *error)
{
    const struct change *change = context;
    return sg_record_set(record, change->name, change->value, error) &&
           (!change->fails || sg_fail(error, SG_REFUSED, NULL, "not that"));
}

static void test_amend(void **state)
{
    struct fixture *fixture = *state;
    struct sg_store *store = fixture->store;
    struct change to = {.name = "region", .value = "eu"}, no = {"region", "us", true};
    struct change latin = {.name = "region", .value = "caf\xe9"};
    struct sg_error error = {0};
    assert_true(sg_store_set_disabled(store, SG_REGISTRY_DEVICE, "d1", true, &error));
    expect_success("amend",
                   sg_store_amend_record(store, SG_REGISTRY_DEVICE, "d1", amend, &to, &error),
                   &error);
    expect_failure("refused",
                   sg_store_amend_record(store, SG_REGISTRY_DEVICE, "d1", amend, &no, &error),
                   &error, SG_REFUSED, "not that");
    sg_error_clear(&error);
    expect_failure("no text",
                   sg_store_amend_record(store, SG_REGISTRY_DEVICE, "d1", amend, &latin, &error),
                   &error, SG_MALFORMED, "d1: region");
    sg_error_clear(&error);
    expect_failure("unknown",
                   sg_store_amend_record(store, SG_REGISTRY_USER, "d1", amend, &to, &error), &error,
                   SG_UNAUTHENTICATED, "user \"d1\" is not in the registry");
    sg_error_clear(&error);
    sg_auto(sg_record) struct sg_record found = {0};
    assert_true(sg_store_find_record(store, SG_REGISTRY_DEVICE, "d1", &found, &error));
    assert_string_equal(sg_record_value(&found, "region"), "eu");
    assert_true(found.disabled);
}

struct list {
    char ids[64];
    size_t stop_after;
};

static bool list(const struct sg_record *record, void *context, struct sg_error *error)
{
    struct list *into = context;
    const size_t len = strlen(into->ids);
    (void)snprintf(into->ids + len, sizeof into->ids - len, "%s%s ", record->id,
                   record->disabled ? "!" : "");
    return into->stop_after == 0 || --into->stop_after > 0 ||
           sg_fail(error, SG_FAILED, NULL, "enough");
}

static void test_each(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    struct list all = {0}, two = {.stop_after = 2};
    assert_true(sg_store_set_disabled(fixture->store, SG_REGISTRY_DEVICE, "d3", true, &error));
    expect_success("each",
                   sg_store_each_record(fixture->store, SG_REGISTRY_DEVICE, list, &all, &error),
                   &error);
    assert_string_equal(all.ids, "d1 d2 d3! d4 ");
    expect_failure("stopped",
                   sg_store_each_record(fixture->store, SG_REGISTRY_DEVICE, list, &two, &error),
                   &error, SG_FAILED, "enough");
    assert_string_equal(two.ids, "d1 d2 ");
}

static void test_pages(void **state)
{
    static const struct {
        const char *after;
        size_t num;
        const char *ids;
    } CASES[] = {
        {"", 2, "d1 d2 "}, {"d2", 2, "d3 d4 "},     {"d4", 2, ""},
        {"d", 1, "d1 "},   {"d11", 9, "d2 d3 d4 "}, {"", 0, ""},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct list page = {0};
        struct sg_error error = {0};
        expect_success(CASES[i].after,
                       sg_store_list_records(fixture->store, SG_REGISTRY_DEVICE, CASES[i].after,
                                             CASES[i].num, list, &page, &error),
                       &error);
        assert_string_equal(page.ids, CASES[i].ids);
    }
}

/* A page begins behind the last id of the one before, so that all have to agree on the order: that
 * of the octets, whatever a database thinks of letters. */
static void test_order(void **state)
{
    static const char *const SORTED[] = {"B",  "Z", "a",  "a b", "a-b", "aB",
                                         "ab", "b", "u1", "u2",  "ß",   "ä"};
    struct fixture *fixture = *state;
    char after[64] = "";
    for (size_t i = NUM(SORTED); i > 0; i--)
        if (SORTED[i - 1][0] != 'u') /* which are there */
            add_record(fixture->store, SG_REGISTRY_USER, SORTED[i - 1]);
    for (size_t i = 0; i < NUM(SORTED); i++) {
        struct list page = {0};
        struct sg_error error = {0};
        expect_success(
            SORTED[i],
            sg_store_list_records(fixture->store, SG_REGISTRY_USER, after, 1, list, &page, &error),
            &error);
        page.ids[strlen(page.ids) - 1] = '\0';
        assert_string_equal(page.ids, SORTED[i]);
        (void)snprintf(after, sizeof after, "%s", SORTED[i]);
    }
}

static void test_strange_attributes(void **state)
{
    static const char *const TEXTS[] = {
        "", "{", "[]", "{\"a\": 1}", "{\"a\": null}", "{\"a\": \"1\", \"a\": \"2\"}"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < NUM(TEXTS); i++) {
        sg_auto(sg_record) struct sg_record found = {0};
        struct sg_error error = {0};
        assert_true(sg_sql_run(fixture->store, "UPDATE registry SET attributes = ? WHERE id = 'd1'",
                               SG_VALUES(sg_text(TEXTS[i])), &error));
        expect_failure(
            TEXTS[i],
            sg_store_find_record(fixture->store, SG_REGISTRY_DEVICE, "d1", &found, &error), &error,
            SG_STORE, "not what Signet wrote");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kinds_are_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_amend, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strange_attributes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
