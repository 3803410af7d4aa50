#include "expect.h"

#include <sys/stat.h>

#include "base/file.h"
#include "line/input.h"

/* device: {id: 'd[0-9]+', type: {match: '[a-z]+', optional: true}} */
struct fixture {
    char folder[64];
    struct sg_schema_field fields[2];
    struct sg_schema schema;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct sg_error error = {0};

    make_folder(fixture.folder);
    fixture.fields[0] = (struct sg_schema_field){.name = "id"};
    fixture.fields[1] = (struct sg_schema_field){.name = "type", .optional = true};
    expect_success("id", sg_pattern_new("d[0-9]+", &fixture.fields[0].pattern, &error), &error);
    expect_success("type", sg_pattern_new("[a-z]+", &fixture.fields[1].pattern, &error), &error);
    fixture.schema = (struct sg_schema){fixture.fields, 2};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->schema.num; i++)
        sg_pattern_free(fixture->fields[i].pattern);
    remove_folder(fixture->folder);
    return 0;
}

static const char *put(const struct fixture *fixture, const char *name, struct sg_slice bytes)
{
    static char path[128];
    struct sg_error error = {0};

    snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    expect_success(name, sg_file_write(path, bytes, 0600, SG_REPLACE_EXISTING, &error), &error);
    return path;
}

/* What an item should be: "INPUT-END|DEVICE|TYPE|REQUEST" or "INPUT-END!MESSAGE". */
static void expect_item(const char *name, const struct sg_item *item, const char *wanted)
{
    const char *colon = strrchr(item->input, ':'), *type;
    char found[SG_ERROR_TEXT_SIZE + 256];

    type = sg_record_value(&item->device, "type");
    if (item->error.code != SG_OK)
        snprintf(found, sizeof found, "%s!%s", colon + 1, item->error.text);
    else
        snprintf(found, sizeof found, "%s|%s|%s|%.*s", colon + 1,
                 item->device.id != NULL ? item->device.id : "", type != NULL ? type : "",
                 (int)item->request.len, (const char *)item->request.data);
    if (item->error.code != SG_OK ? strstr(found, strchr(wanted, '!') + 1) == NULL
                                  : strcmp(found, wanted) != 0)
        fail_msg("%s: '%s' instead of '%s'", name, found, wanted);
}

struct manifest_case {
    const char *name, *file, *text;
    const char *items[6]; /* NULL-ended */
    const char *fails;    /* in the end, with this message */
};

static const struct manifest_case CASES[] = {
    {"csv",
     "a.csv",
     "id,csr\nd1,-----BEGIN x\nd2,-----BEGIN y\n",
     {"2|d1||-----BEGIN x", "3|d2||-----BEGIN y"},
     NULL},
    {"csv with CRLF, a mark, no last line break, columns in another order",
     "a.csv",
     "\xef\xbb\xbf"
     "csr,type,id\r\naGVsbG8=,leo,d1\r\n\r\naGVsbG8=,,d2",
     {"2|d1|leo|hello", "4|d2||hello"},
     NULL},
    {"csv over several lines",
     "a.csv",
     "id,csr\nd1,\"-----BEGIN \"\"x\"\"\n,y\"\nd2,aGVsbG8=\n",
     {"2|d1||-----BEGIN \"x\"\n,y", "4|d2||hello"},
     NULL},
    {"csv with broken records among others",
     "a.csv",
     "id,csr\nd1\nd2,a\"b\nd3,\"a\"b\nd4,aGVsbG8=\nd5,\"aGVsbG8=\n",
     {"2!1 values where the header names 2", "3!a quote in the middle", "4!text after the closing",
      "5|d4||hello", "6!opened and never closed"},
     NULL},
    {"csv without records", "a.csv", "id,csr\n", {NULL}, NULL},
    {"jsonl",
     "a.jsonl",
     "{\"id\": \"d1\", \"csr\": \"aGVs\\nbG8=\"}\n\n{\"id\": \"d2\", \"type\": \"leo\", "
     "\"csr\": \"aGVsbG8=\"}",
     {"1|d1||hello", "3|d2|leo|hello"},
     NULL},
    {"jsonl with broken lines among others",
     "a.jsonl",
     "{\n[]\n{\"id\": 1}\n{\"id\": \"x\", \"csr\": \"aGVsbG8=\"}\n"
     "{\"id\": \"d2\", \"csr\": \"?\"}\n",
     {"1!not JSON", "2!an array where an object", "3!id is a number", "4!id 'x' does not match",
      "5!neither PEM nor base64"},
     NULL},
    {"neither and both",
     "a.jsonl",
     "{\"id\": \"d1\"}\n{\"id\": \"d1\", \"csr\": \"aGVsbG8=\", \"csr_file\": \"x\"}\n",
     {"1!neither csr", "2!both csr"},
     NULL},
    {"by path",
     "a.jsonl",
     "{\"id\": \"d1\", \"csr_file\": \"one.csr\"}\n{\"id\": \"d2\", \"csr_file\": \"two.csr\"}\n"
     "{\"id\": \"d2\", \"csr_file\": \"one\\u0000.csr\"}\n",
     {"1|d1||first", "2!two.csr", "3!not JSON"},
     NULL},
};

static void try_manifest(const struct fixture *fixture, const struct manifest_case *tried)
{
    const char *path = put(fixture, tried->file, sg_slice_text(tried->text));
    sg_auto(sg_input) struct sg_input *source = NULL;
    struct sg_error error = {0};
    uint64_t counted = 0;
    size_t num = 0;

    expect_success(tried->name, sg_input_open(path, &fixture->schema, -1, &source, &error), &error);
    for (;; num++) {
        sg_auto(sg_item) struct sg_item *item = NULL;

        expect_success(tried->name, sg_input_next(source, &item, &error), &error);
        if ((item == NULL) != (tried->items[num] == NULL))
            fail_msg("%s: item %zu", tried->name, num);
        if (item == NULL)
            break;
        expect_item(tried->name, item, tried->items[num]);
    }
    expect_success(tried->name, sg_input_count(path, &fixture->schema, &counted, &error), &error);
    if (counted != num)
        fail_msg("%s: counted %llu", tried->name, (unsigned long long)counted);
}

static void manifests(void **state)
{
    put(*state, "one.csr", sg_slice_text("first"));
    for (size_t i = 0; i < NUM(CASES); i++)
        try_manifest(*state, &CASES[i]);
}

/* A record that has no end in sight ends the reading, in bounded memory. */
static void a_record_without_end(void **state)
{
    struct fixture *fixture = *state;
    sg_auto(sg_input) struct sg_input *source = NULL;
    sg_auto(sg_item) struct sg_item *item = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    expect_success("header", sg_buf_printf(&text, 1024, &error, "id,csr\nd1,\""), &error);
    for (int i = 0; i < 400; i++)
        expect_success("text", sg_buf_printf(&text, 1 << 20, &error, "%01000d\n", i), &error);
    expect_success("open",
                   sg_input_open(put(fixture, "a.csv", sg_buf_slice(&text)), &fixture->schema, -1,
                                 &source, &error),
                   &error);
    expect_failure("next", sg_input_next(source, &item, &error), &error, SG_INVALID,
                   "a.csv:2: a record of more than 262144 bytes");
}

/* A stream may come a byte at a time, and end when it is told to. */
static void a_stream(void **state)
{
    static const char TEXT[] =
        "note\n-----BEGIN A\nx\n-----END A-----\n-----BEGIN B\n-----END B-----\n";
    struct fixture *fixture = *state;
    sg_auto(sg_input) struct sg_input *source = NULL;
    struct sg_error error = {0};
    int in[2], stop[2], saved = dup(STDIN_FILENO);
    struct sg_item *item = NULL;

    assert_true(pipe(in) == 0 && pipe(stop) == 0);
    assert_int_equal(dup2(in[0], STDIN_FILENO), STDIN_FILENO);
    expect_success("open", sg_input_open("-", &fixture->schema, stop[0], &source, &error), &error);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(write(in[1], TEXT, sizeof TEXT - 1), sizeof TEXT - 1);
    expect_success("first", sg_input_next(source, &item, &error), &error);
    expect_item("first", item, "2|||-----BEGIN A\nx\n-----END A-----\n");
    sg_item_free(item);
    expect_success("second", sg_input_next(source, &item, &error), &error);
    expect_item("second", item, "5|||-----BEGIN B\n-----END B-----\n");
    sg_item_free(item);
    assert_int_equal(write(in[1], "-----BEGIN", 10), 10);
    assert_int_equal(write(stop[1], "", 1), 1);
    expect_success("end", sg_input_next(source, &item, &error), &error);
    assert_null(item);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(stop[i]);
    }
    close(saved);
}

static void what_is_no_input(void **state)
{
    struct fixture *fixture = *state;
    sg_auto(sg_input) struct sg_input *source = NULL;
    static const struct {
        const char *file, *text;
        enum sg_code code;
        const char *part;
    } cases[] = {
        {"a.txt", "x", SG_USAGE, "an input is a folder"},
        {"a.csv", "", SG_INVALID, "a.csv is empty"},
        {"a.csv", "id,colour\n", SG_INVALID, "a.csv:1: the header names 'colour'"},
        {"a.csv", "id,csr,csr\n", SG_INVALID, "names csr twice"},
        {"a.csv", "csr\n", SG_INVALID, "does not name id"},
    };
    for (size_t i = 0; i < NUM(cases); i++) {
        struct sg_error error = {0};
        const char *path = put(fixture, cases[i].file, sg_slice_text(cases[i].text));

        expect_failure(cases[i].part, sg_input_open(path, &fixture->schema, -1, &source, &error),
                       &error, cases[i].code, cases[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(manifests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_without_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_input, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
