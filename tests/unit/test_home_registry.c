#include "expect.h"

#include "base/limits.h"
#include "home/registry.h"

/* device: {id: 'device-[A-Z0-9]{4,8}', type: '[a-z]+', region: {match: '[a-z-]*', optional: true}}
 */
struct schema_fixture {
    struct sg_schema_field fields[3];
    struct sg_schema schema;
};

static int set_up(void **state)
{
    static struct schema_fixture fixture;
    static const char *const PATTERNS[] = {"device-[A-Z0-9]{4,8}", "[a-z]+", "[a-z-]*"};
    static const char *const NAMES[] = {"id", "type", "region"};
    struct sg_error error = {0};

    for (size_t i = 0; i < NUM(NAMES); i++) {
        fixture.fields[i] = (struct sg_schema_field){.name = NAMES[i], .optional = i == 2};
        expect_success("pattern", sg_pattern_new(PATTERNS[i], &fixture.fields[i].pattern, &error),
                       &error);
    }
    fixture.schema = (struct sg_schema){fixture.fields, NUM(NAMES)};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct schema_fixture *fixture = *state;

    for (size_t i = 0; i < fixture->schema.num; i++)
        sg_pattern_free(fixture->fields[i].pattern);
    return 0;
}

static void records_are_held_against_the_schema(void **state)
{
    static const struct {
        const char *name, *id, *attribute, *value, *rule, *complaint;
    } CASES[] = {
        {"fine", "device-AB12", "type", "leo", NULL, NULL},
        {"no id", NULL, "type", "leo", "registry device.id", "id is missing"},
        {"id that does not match", "device-AB", "type", "leo", "registry device.id",
         "id 'device-AB' does not match device-[A-Z0-9]{4,8}"},
        {"id that matches in part", "xdevice-AB12", "type", "leo", "registry device.id",
         "does not match"},
        {"empty id", "", "type", "leo", "registry device.id", "id is empty"},
        {"id with a line break", "device-AB12\n", "type", "leo", "registry device.id",
         "id has a line break"},
        {"id that is not UTF-8", "device-\xff", "type", "leo", "registry device.id",
         "id is not UTF-8"},
        {"nothing but an id", "device-AB12", NULL, NULL, "registry device.type",
         "type is missing; it has to match [a-z]+"},
        {"type that does not match", "device-AB12", "type", "LEO", "registry device.type",
         "type 'LEO' does not match [a-z]+"},
        {"unknown attribute", "device-AB12", "colour", "red", "registry device.colour",
         "a device has no colour here; signet.yaml (registry: device) knows id, type, region"},
        {"the id as an attribute", "device-AB12", "id", "device-AB12", "registry device.id",
         "a device has no id here"},
        {"optional and empty", "device-AB12", "region", "", "registry device.region",
         "region is empty; leave it out"},
    };
    const struct schema_fixture *fixture = *state;

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_record) struct sg_record record = {0};
        struct sg_error error = {0};
        bool verdict;

        if (CASES[i].id != NULL)
            record.id = strdup(CASES[i].id);
        if (CASES[i].attribute != NULL)
            expect_success(CASES[i].name,
                           sg_record_set(&record, CASES[i].attribute, CASES[i].value, &error),
                           &error);
        verdict = sg_registry_check(&fixture->schema, "device", &record, &error);
        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].name, verdict, &error);
            continue;
        }
        expect_failure(CASES[i].name, verdict, &error, SG_REFUSED, CASES[i].complaint);
        assert_string_equal(error.rule, CASES[i].rule);
    }
}

static void records_are_amended(void **state)
{
    static const struct {
        const char *name, *attribute, *value, *complaint;
        const char *type, *region;
    } CASES[] = {
        {"another value", "type", "geo", NULL, "geo", "us-east"},
        {"taken away", "region", "", NULL, "leo", NULL},
        {"that has to be there", "type", "", "type is missing; it has to match [a-z]+", 0, 0},
        {"that does not match", "type", "LEO", "type 'LEO' does not match", 0, 0},
        {"unknown", "colour", "red", "a device has no colour here", 0, 0},
        {"unknown, away", "colour", "", "a device has no colour here", 0, 0},
        {"the id", "id", "device-CD34", "the id of a device stays", 0, 0},
        {"lost by the schema, away", "old", "", NULL, "leo", "us-east"},
        {"lost by the schema, still there", "type", "geo", "a device has no old here", 0, 0},
    };
    const struct schema_fixture *fixture = *state;

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_record) struct sg_record record = {.id = strdup("device-AB12")}, changes = {0};
        struct sg_error error = {0};
        bool verdict, is_ok = CASES[i].complaint == NULL;

        assert_true(sg_record_set(&record, "type", "leo", NULL));
        assert_true(sg_record_set(&record, "region", "us-east", NULL));
        if (strncmp(CASES[i].name, "lost", 4) == 0)
            assert_true(sg_record_set(&record, "old", "x", NULL));
        assert_true(sg_record_set(&changes, CASES[i].attribute, CASES[i].value, NULL));
        verdict = sg_registry_amend(&fixture->schema, "device", &changes, &record, &error);
        if (!is_ok) {
            expect_failure(CASES[i].name, verdict, &error, SG_REFUSED, CASES[i].complaint);
            continue;
        }
        expect_success(CASES[i].name, verdict, &error);
        assert_string_equal(sg_record_value(&record, "type"), CASES[i].type);
        if (CASES[i].region == NULL)
            assert_null(sg_record_value(&record, "region"));
        else
            assert_string_equal(sg_record_value(&record, "region"), CASES[i].region);
        assert_null(sg_record_value(&record, "old"));
    }
}

static void a_value_can_be_too_long(void **state)
{
    const struct schema_fixture *fixture = *state;
    sg_auto(sg_record) struct sg_record record = {.id = strdup("device-AB12")};
    char value[SG_LIMIT_VALUE + 2] = "";
    struct sg_error error = {0};

    memset(value, 'a', SG_LIMIT_VALUE);
    expect_success("set", sg_record_set(&record, "type", value, &error), &error);
    expect_success("fits", sg_registry_check(&fixture->schema, "device", &record, &error), &error);
    value[SG_LIMIT_VALUE] = 'a';
    expect_success("set", sg_record_set(&record, "type", value, &error), &error);
    expect_failure("too long", sg_registry_check(&fixture->schema, "device", &record, &error),
                   &error, SG_REFUSED, "type is longer than 1024 bytes");
}

static void a_home_may_keep_no_such_records(void **state)
{
    sg_auto(sg_record) struct sg_record record = {.id = strdup("alice")};
    const struct sg_schema none = {0};
    struct sg_error error = {0};

    (void)state;
    expect_failure(
        "none", sg_registry_check(&none, "user", &record, &error), &error, SG_REFUSED,
        "this home keeps no records of a user; say in signet.yaml, under registry: user");
    assert_string_equal(error.rule, "registry user");
}

static void free_records(struct sg_record *records, size_t num)
{
    for (size_t i = 0; i < num; i++)
        sg_record_done(&records[i]);
    free(records);
}

/* How a case of an import goes: what the third record says, or the complaint. */
struct import_case {
    const char *name, *text;
    size_t len, num;
    const char *id, *type, *region; /* of the last record */
    const char *complaint;
};
#define TEXT(literal) literal, sizeof literal - 1

static void run_cases(const struct schema_fixture *fixture, enum sg_registry_format format,
                      const struct import_case *cases, size_t num_cases)
{
    for (size_t i = 0; i < num_cases; i++) {
        const struct import_case *one = &cases[i];
        struct sg_record *records = NULL;
        struct sg_error error = {0};
        size_t num = 0;
        bool verdict =
            sg_registry_read(&fixture->schema, "device", format, "in.txt",
                             sg_slice_of(one->text, one->len), &records, NULL, &num, &error);

        if (one->complaint != NULL) {
            expect_failure(one->name, verdict, &error, SG_INVALID, one->complaint);
            assert_null(records);
            assert_int_equal(num, 0);
            continue;
        }
        expect_success(one->name, verdict, &error);
        assert_int_equal(num, one->num);
        assert_string_equal(records[num - 1].id, one->id);
        assert_string_equal(sg_record_value(&records[num - 1], "type"), one->type);
        if (one->region == NULL)
            assert_null(sg_record_value(&records[num - 1], "region"));
        else
            assert_string_equal(sg_record_value(&records[num - 1], "region"), one->region);
        free_records(records, num);
    }
}

static void csv_is_read_as_rfc_4180_says(void **state)
{
    static const struct import_case CASES[] = {
        {"plain", TEXT("id,type\ndevice-AAAA,leo\ndevice-BBBB,geo\n"), 2, "device-BBBB", "geo",
         NULL, NULL},
        {"CR LF", TEXT("id,type\r\ndevice-AAAA,leo\r\n"), 1, "device-AAAA", "leo", NULL, NULL},
        {"no line break at the end", TEXT("id,type\ndevice-AAAA,leo"), 1, "device-AAAA", "leo",
         NULL, NULL},
        {"another order", TEXT("region,type,id\neu,leo,device-AAAA\n"), 1, "device-AAAA", "leo",
         "eu", NULL},
        {"quotes", TEXT("\"id\",\"type\"\n\"device-AAAA\",\"leo\"\n"), 1, "device-AAAA", "leo",
         NULL, NULL},
        {"an optional value left out", TEXT("id,type,region\ndevice-AAAA,leo,\n"), 1, "device-AAAA",
         "leo", NULL, NULL},
        {"an optional value in quotes left out", TEXT("id,type,region\ndevice-AAAA,leo,\"\"\n"), 1,
         "device-AAAA", "leo", NULL, NULL},
        {"empty lines", TEXT("\nid,type\n\ndevice-AAAA,leo\n\n\n"), 1, "device-AAAA", "leo", NULL,
         NULL},
        {"byte order mark", TEXT("\xef\xbb\xbfid,type\ndevice-AAAA,leo\n"), 1, "device-AAAA", "leo",
         NULL, NULL},
        {"empty", TEXT(""), .complaint = "in.txt is empty; its first line names the fields"},
        {"only line breaks", TEXT("\n\r\n"), .complaint = "in.txt is empty"},
        {"only a header", TEXT("id,type\n"), .complaint = "in.txt has no records"},
        {"no header", TEXT("device-AAAA,leo\n"),
         .complaint = "in.txt:1: the header names 'device-AAAA', which is no field of a device"},
        {"header in capitals", TEXT("ID,type\nx,y\n"),
         .complaint = "in.txt:1: the header names 'ID', which is no field"},
        {"header with a space", TEXT("id, type\nx,y\n"),
         .complaint = "in.txt:1: the header names ' type', which is no field"},
        {"header without an id", TEXT("type,region\nleo,eu\n"),
         .complaint = "in.txt:1: the header does not name id"},
        {"header twice", TEXT("id,type,id\nx,y,x\n"),
         .complaint = "in.txt:1: the header names id twice"},
        {"one value less", TEXT("id,type\ndevice-AAAA,leo\ndevice-BBBB\n"),
         .complaint = "in.txt:3: 1 values where the header names 2 fields"},
        {"one value more", TEXT("id,type\ndevice-AAAA,leo,eu\n"),
         .complaint = "in.txt:2: 3 values where the header names 2 fields"},
        {"wrong value", TEXT("id,type\ndevice-AAAA,leo\n\ndevice-BBBB,GEO\n"),
         .complaint = "in.txt:4: type 'GEO' does not match [a-z]+"},
        {"spaces are part of a value", TEXT("id,type\ndevice-AAAA, leo\n"),
         .complaint = "in.txt:2: type ' leo' does not match"},
        {"required value left out", TEXT("id,type\ndevice-AAAA,\n"),
         .complaint = "in.txt:2: type is missing"},
        {"id left out", TEXT("id,type\n,leo\n"), .complaint = "in.txt:2: id is missing"},
        {"id twice", TEXT("id,type\ndevice-AAAA,leo\ndevice-BBBB,leo\ndevice-AAAA,geo\n"),
         .complaint = "in.txt:4: id 'device-AAAA' is here twice; the first is on line 2"},
        {"quote inside", TEXT("id,type\ndevice-AAAA,l\"eo\"\n"),
         .complaint = "in.txt:2: a quote in the middle of a value"},
        {"text after a quote", TEXT("id,type\ndevice-AAAA,\"leo\"x\n"),
         .complaint = "in.txt:2: text after the closing quote"},
        {"doubled quote", TEXT("id,type\ndevice-AAAA,\"l\"\"eo\"\n"),
         .complaint = "in.txt:2: type 'l\"eo' does not match"},
        {"comma in quotes", TEXT("id,type\ndevice-AAAA,\"l,eo\"\n"),
         .complaint = "in.txt:2: type 'l,eo' does not match"},
        {"open quote", TEXT("id,type\ndevice-AAAA,\"leo\ndevice-BBBB,geo\n"),
         .complaint = "in.txt:2: a quote is opened and never closed"},
        {"line break in quotes", TEXT("id,type\ndevice-AAAA,\"leo\ngeo\"\n"),
         .complaint = "in.txt:2: type has a line break"},
        {"lines are counted through quotes", TEXT("id,type\n\"a\nb\",x,y\ndevice-AAAA,LEO\n"),
         .complaint = "in.txt:2: 3 values"},
        {"lone CR", TEXT("id,type\rdevice-AAAA,leo\r"),
         .complaint = "in.txt:1: a CR without LF after it"},
        {"zero byte", TEXT("id,type\ndevice-AAAA,le\0o\n"),
         .complaint = "in.txt:2: type has a zero byte"},
        {"zero byte in the header", TEXT("id,type\0x\ndevice-AAAA,leo\n"),
         .complaint = "in.txt:1: the header names 'type', which is no field"},
        {"not UTF-8", TEXT("id,type\ndevice-AAAA,\xfc\n"),
         .complaint = "in.txt:2: type is not UTF-8"},
    };

    run_cases(*state, SG_REGISTRY_CSV, CASES, NUM(CASES));
}

static void json_lines_hold_text(void **state)
{
    static const struct import_case CASES[] = {
        {"plain",
         TEXT("{\"id\": \"device-AAAA\", \"type\": \"leo\"}\n"
              "{\"type\":\"geo\",\"id\":\"device-BBBB\",\"region\":\"eu\"}\n"),
         2, "device-BBBB", "geo", "eu", NULL},
        {"empty lines, CR LF, no end", TEXT("\n \r\n{\"id\":\"device-AAAA\",\"type\":\"leo\"}"), 1,
         "device-AAAA", "leo", NULL, NULL},
        {"byte order mark", TEXT("\xef\xbb\xbf{\"id\":\"device-AAAA\",\"type\":\"leo\"}\n"), 1,
         "device-AAAA", "leo", NULL, NULL},
        {"empty", TEXT(""), .complaint = "in.txt has no records"},
        {"number", TEXT("\n{\"id\": 4711, \"type\": \"leo\"}\n"),
         .complaint = "in.txt:2: id is a number; put it in quotes"},
        {"fraction", TEXT("{\"id\":\"device-AAAA\",\"type\":1.5}\n"),
         .complaint = "in.txt:1: type is a number; put it in quotes"},
        {"null", TEXT("{\"id\":\"device-AAAA\",\"type\":null}\n"),
         .complaint = "in.txt:1: type is null; leave the field out"},
        {"true", TEXT("{\"id\":\"device-AAAA\",\"type\":true}\n"),
         .complaint = "in.txt:1: type is true or false; values are text"},
        {"array", TEXT("{\"id\":\"device-AAAA\",\"type\":[\"leo\"]}\n"),
         .complaint = "in.txt:1: type is an array; values are text"},
        {"object", TEXT("{\"id\":\"device-AAAA\",\"type\":{}}\n"),
         .complaint = "in.txt:1: type is an object; values are text"},
        {"array of records", TEXT("[{\"id\":\"device-AAAA\"}]\n"),
         .complaint = "in.txt:1: an array where an object"},
        {"two on a line", TEXT("{\"id\":\"device-AAAA\",\"type\":\"leo\"} {}\n"),
         .complaint = "in.txt:1: not JSON at column"},
        {"one on two lines", TEXT("{\"id\":\"device-AAAA\",\n\"type\":\"leo\"}\n"),
         .complaint = "in.txt:1: not JSON at column"},
        {"key twice", TEXT("{\"id\":\"device-AAAA\",\"type\":\"a\",\"type\":\"b\"}\n"),
         .complaint = "in.txt:1: not JSON at column"},
        {"zero byte", TEXT("{\"id\":\"device-AAAA\",\"type\":\"a\\u0000b\"}\n"),
         .complaint = "in.txt:1: not JSON at column"},
        {"line break", TEXT("{\"id\":\"device-AAAA\",\"type\":\"a\\nb\"}\n"),
         .complaint = "in.txt:1: type has a line break"},
        {"unknown field", TEXT("{\"id\":\"device-AAAA\",\"type\":\"a\",\"x\":\"y\"}\n"),
         .complaint = "in.txt:1: a device has no x here"},
        {"no id", TEXT("{\"type\":\"a\"}\n"), .complaint = "in.txt:1: id is missing"},
        {"no type", TEXT("{\"id\":\"device-AAAA\"}\n"), .complaint = "in.txt:1: type is missing"},
        {"empty value", TEXT("{\"id\":\"device-AAAA\",\"type\":\"a\",\"region\":\"\"}\n"),
         .complaint = "in.txt:1: region is empty; leave it out"},
        {"id twice",
         TEXT("{\"id\":\"device-AAAA\",\"type\":\"a\"}\n\n"
              "{\"id\":\"device-AAAA\",\"type\":\"b\"}\n"),
         .complaint = "in.txt:3: id 'device-AAAA' is here twice; the first is on line 1"},
    };

    run_cases(*state, SG_REGISTRY_JSON_LINES, CASES, NUM(CASES));
}

/* A line, and a record of CSV, that pass their limit. */
static void lines_have_a_limit(void **state)
{
    const struct schema_fixture *fixture = *state;
    size_t len = SG_LIMIT_IMPORT_LINE + 100;
    sg_auto(malloc) char *text = malloc(len);
    struct sg_record *records = NULL;
    struct sg_error error = {0};
    size_t num = 0;

    memset(text, 'a', len);
    memcpy(text, "id,type\n", 8);
    expect_failure("CSV",
                   sg_registry_read(&fixture->schema, "device", SG_REGISTRY_CSV, "in.csv",
                                    sg_slice_of(text, len), &records, NULL, &num, &error),
                   &error, SG_INVALID, "in.csv:2: a record of more than 65536 bytes");
    sg_error_clear(&error);
    text[8] = '"';
    text[len - 1] = '"';
    expect_failure("CSV in quotes",
                   sg_registry_read(&fixture->schema, "device", SG_REGISTRY_CSV, "in.csv",
                                    sg_slice_of(text, len), &records, NULL, &num, &error),
                   &error, SG_INVALID, "in.csv:2: a record of more than 65536 bytes");
    sg_error_clear(&error);
    memset(text, '\n', 8);
    expect_failure("JSON",
                   sg_registry_read(&fixture->schema, "device", SG_REGISTRY_JSON_LINES, "in.json",
                                    sg_slice_of(text, len), &records, NULL, &num, &error),
                   &error, SG_INVALID, "in.json:9: a line of more than 65536 bytes");
}

static void a_row_can_have_too_many_values(void **state)
{
    const struct schema_fixture *fixture = *state;
    char text[300] = "id,type\n";
    struct sg_record *records = NULL;
    struct sg_error error = {0};
    size_t num = 0;

    memset(text + 8, ',', 200);
    expect_failure("commas",
                   sg_registry_read(&fixture->schema, "device", SG_REGISTRY_CSV, "in.csv",
                                    sg_slice_of(text, 208), &records, NULL, &num, &error),
                   &error, SG_INVALID, "in.csv:2: more than 66 values");
}

static void many_records_are_read(void **state)
{
    enum { MANY = 20000 };
    const struct schema_fixture *fixture = *state;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_record *records = NULL;
    struct sg_error error = {0};
    size_t num = 0;

    expect_success("header", sg_buf_printf(&text, 1 << 20, &error, "id,type\n"), &error);
    for (int i = 0; i < MANY; i++)
        expect_success("line", sg_buf_printf(&text, 1 << 20, &error, "device-%05d,leo\n", MANY - i),
                       &error);
    expect_success("many",
                   sg_registry_read(&fixture->schema, "device", SG_REGISTRY_CSV, "in.csv",
                                    sg_buf_slice(&text), &records, NULL, &num, &error),
                   &error);
    assert_int_equal(num, MANY);
    assert_string_equal(records[0].id, "device-20000"); /* in the file's order */
    free_records(records, num);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_are_held_against_the_schema, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_are_amended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_can_be_too_long, set_up, tear_down),
        cmocka_unit_test(a_home_may_keep_no_such_records),
        cmocka_unit_test_setup_teardown(csv_is_read_as_rfc_4180_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_lines_hold_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_have_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_can_have_too_many_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_records_are_read, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
