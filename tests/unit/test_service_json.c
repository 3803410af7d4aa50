#include "expect.h"

#include "base/limits.h"
#include "service/api.h"

struct thing {
    const char *name;
    int64_t num;
    bool is_new;
};

static const struct sg_json_field FIELDS[] = {
    {"name", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct thing, name), 1, 4},
    {"num", SG_JSON_INTEGER, SG_JSON_OPTIONAL, offsetof(struct thing, num), -2, 9},
    {"new", SG_JSON_BOOL, SG_JSON_OPTIONAL, offsetof(struct thing, is_new), 0, 0},
    {0},
};

static bool read_thing(const char *text, json_t **object, struct thing *thing,
                       struct sg_error *error)
{
    return sg_json_parse(sg_slice_text(text), SG_LIMIT_JSON, object, error) &&
           sg_json_read(*object, FIELDS, thing, error);
}

static void objects_are_read(void **state)
{
    static const struct {
        const char *text, *name;
        int64_t num;
        bool is_new;
    } CASES[] = {
        {"{\"name\": \"a\"}", "a", 7, false},
        {"{\"name\": \"\\u00e4\", \"num\": -2, \"new\": true}", "\xc3\xa4", -2, true},
        {" {\"num\":9,\"name\":\"abcd\",\"new\":false}\r\n", "abcd", 9, false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(json_t) json_t *object = NULL;
        struct thing thing = {.num = 7};
        struct sg_error error = {0};

        expect_success(CASES[i].text, read_thing(CASES[i].text, &object, &thing, &error), &error);
        assert_string_equal(thing.name, CASES[i].name);
        assert_int_equal(thing.num, CASES[i].num);
        assert_int_equal(thing.is_new, CASES[i].is_new);
    }
}

static void objects_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum sg_code code;
        const char *rule, *says;
    } CASES[] = {
        {"", SG_MALFORMED, "RFC 8259", "cut short"},
        {"{", SG_MALFORMED, "RFC 8259", "line 1, column 1: it is cut short"},
        {"[1]", SG_MALFORMED, "RFC 8259", "has to be an object"},
        {"\"name\"", SG_MALFORMED, "RFC 8259", "has to be an object"},
        {"{\"name\": \"a\"} x", SG_MALFORMED, "RFC 8259", "something follows"},
        {"{\"name\": \"a\", \"name\": \"b\"}", SG_MALFORMED, "RFC 8259", "a key comes twice"},
        {"{\"name\": \"\\u0000\"}", SG_MALFORMED, "RFC 8259", "a text that is none"},
        {"{\"name\": \"\xff\"}", SG_MALFORMED, "RFC 8259", ""},
        {"{\"name\": \"a\", \"num\": 99999999999999999999}", SG_MALFORMED, "RFC 8259", "too large"},
        {"{'name': 1}", SG_MALFORMED, "RFC 8259", "no JSON"},
        {"{}", SG_USAGE, "JSON name", "name is missing"},
        {"{\"name\": null}", SG_USAGE, "JSON name", "has to be text"},
        {"{\"name\": 1}", SG_USAGE, "JSON name", "has to be text"},
        {"{\"name\": \"\"}", SG_USAGE, "JSON name", "1 to 4 bytes"},
        {"{\"name\": \"abcde\"}", SG_USAGE, "JSON name", "1 to 4 bytes"},
        {"{\"name\": \"a\\nb\"}", SG_USAGE, "JSON name", "name"},
        {"{\"name\": \"a\", \"num\": 10}", SG_USAGE, "JSON num", "from -2 to 9"},
        {"{\"name\": \"a\", \"num\": -3}", SG_USAGE, "JSON num", "from -2 to 9"},
        {"{\"name\": \"a\", \"num\": 1.0}", SG_USAGE, "JSON num", "whole number"},
        {"{\"name\": \"a\", \"num\": \"1\"}", SG_USAGE, "JSON num", "whole number"},
        {"{\"name\": \"a\", \"new\": 1}", SG_USAGE, "JSON new", "true or false"},
        {"{\"name\": \"a\", \"Name\": \"a\"}", SG_USAGE, "JSON Name", "no such key"},
        {"{\"name\": \"a\", \"\\u001b[31m\": 1}", SG_USAGE, "JSON ?[31m", "no such key"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(json_t) json_t *object = NULL;
        struct thing thing = {0};
        struct sg_error error = {0};

        expect_failure(CASES[i].text, read_thing(CASES[i].text, &object, &thing, &error), &error,
                       CASES[i].code, CASES[i].says);
        assert_string_equal(error.rule, CASES[i].rule);
    }
}

/* A value may be a ticket, or what was made of a PIN. */
static void messages_have_no_values(void **state)
{
    static const char *const TEXTS[] = {
        "{\"name\": \"s3cr3t\"}",
        "{\"name\": \"s3cr3t\n\"}",
        "{\"name\": s3cr3t}",
        "{\"name\": \"s3cr3t\" \"s3cr3t\"}",
        "{\"name\": \"a\", \"num\": \"s3cr3t\"}",
    };

    (void)state;
    for (size_t i = 0; i < NUM(TEXTS); i++) {
        sg_auto(json_t) json_t *object = NULL;
        struct thing thing = {0};
        struct sg_error error = {0};

        assert_false(read_thing(TEXTS[i], &object, &thing, &error));
        assert_null(strstr(error.text, "s3cr3t"));
        assert_null(strstr(error.rule, "s3cr3t"));
    }
}

static void long_bodies_are_refused(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(json_t) json_t *object = NULL;
    struct sg_error error = {0};

    (void)state;
    while (text.len <= SG_LIMIT_JSON)
        assert_true(sg_buf_append(&text, " ", 1, SG_LIMIT_BODY, NULL));
    text.data[0] = '{';
    text.data[text.len - 1] = '}';
    expect_failure("long", sg_json_parse(sg_buf_slice(&text), SG_LIMIT_JSON, &object, &error), &error,
                   SG_MALFORMED, "more than");
    text.data[text.len - 2] = '}';
    sg_error_clear(&error);
    expect_success("longest", sg_json_parse(sg_slice_of(text.data, SG_LIMIT_JSON), SG_LIMIT_JSON, &object, &error),
                   &error);
}

static void urls_are_taken_apart(void **state)
{
    struct sg_api_call call = {0};
    struct sg_error error = {0};

    (void)state;
    expect_success("plain",
                   sg_api_target("/api/v1/users/Ada%20%c3%84%2fB+/pin?a=1%26&b=", &call, &error),
                   &error);
    assert_int_equal(call.num_segments, 3);
    assert_string_equal(call.segments[0], "users");
    assert_string_equal(call.segments[1], "Ada \xc3\x84/B+");
    assert_string_equal(call.segments[2], "pin");
    assert_string_equal(sg_api_query(&call, "a"), "1&");
    assert_string_equal(sg_api_query(&call, "b"), "");
    assert_null(sg_api_query(&call, "c"));
}

static void broken_urls_are_refused(void **state)
{
    static const char *const TARGETS[] = {
        "/api/v1",           "/api/v2/users", "/api/v1/%",      "/api/v1/%2",        "/api/v1/%g0",
        "/api/v1/%00",       "/api/v1/%0a",   "/api/v1/%ff",    "/api/v1/%c0%af",    "/api/v1/a?b",
        "/api/v1/a?b=1&b=2", "/api/v1/a?",    "/api/v1/a?b=%4", "/api/v1/a/b/c/d/e",
    };

    (void)state;
    for (size_t i = 0; i < NUM(TARGETS); i++) {
        struct sg_api_call call = {0};
        struct sg_error error = {0};

        if (sg_api_target(TARGETS[i], &call, &error))
            fail_msg("%s", TARGETS[i]);
        assert_true(error.code == SG_MALFORMED || call.status == 404);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_read),        cmocka_unit_test(objects_are_refused),
        cmocka_unit_test(messages_have_no_values), cmocka_unit_test(long_bodies_are_refused),
        cmocka_unit_test(urls_are_taken_apart),    cmocka_unit_test(broken_urls_are_refused),
    };
    sg_json_wipe_freed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
