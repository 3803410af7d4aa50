#include "expect.h"

#include "base/limits.h"
#include "base/yaml.h"

#define BYTES(literal) literal, sizeof literal - 1

static void files_are_accepted_or_refused(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t len;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {"block", BYTES("a: 1\nb:\n  - x\n  - {c: d}\n"), NULL},
        {"flow", BYTES("{a: 1, b: [x, {c: d}]}"), NULL},
        {"document marks", BYTES("---\na: 1\n...\n"), NULL},
        {"quoted key", BYTES("'a': 1\n\"b\": 2\n"), NULL},
        {"folded to one line", BYTES("a: >-\n  one\n  two\n"), NULL},
        {"CR LF", BYTES("a: 1\r\nb: 2\r\n"), NULL},
        {"same key elsewhere", BYTES("a: {c: 1}\nb: {c: 2}\n"), NULL},
        {"key of an OID", BYTES("2.5.4.3: x\n"), NULL},
        {"UTF-8", BYTES("a: K\xc3\xb6ln\n"), NULL},
        {"empty quoted text", BYTES("a: ''\n"), NULL},
        {"a sequence", BYTES("- a\n- b\n"), NULL},
        {"empty", BYTES(""), "f.yaml:1:1: the file is empty"},
        {"a comment", BYTES("# nothing\n"), "the file is empty"},
        {"a bare mark", BYTES("---\n"), "the file is empty"},
        {"second document", BYTES("a: 1\n---\nb: 2\n"), "f.yaml:2:1: a second document"},
        {"anchor", BYTES("a: &x 1\n"), "f.yaml:1:4: anchors (&name) and tags"},
        {"anchor on a mapping", BYTES("a: &x {b: c}\n"), "f.yaml:1:4: anchors (&name) and tags"},
        {"anchor on a key", BYTES("&x a: 1\n"), "f.yaml:1:1: anchors (&name) and tags"},
        {"alias", BYTES("a: 1\nb: *x\n"), "f.yaml:2:4: aliases (*name) are not used"},
        {"alias as a key", BYTES("*x : 1\n"), "f.yaml:1:1: aliases (*name) are not used"},
        {"tag", BYTES("a: !!str 1\n"), "f.yaml:1:4: anchors (&name) and tags"},
        {"tag of a sequence", BYTES("a: !x [1]\n"), "f.yaml:1:4: anchors (&name) and tags"},
        {"bare tag", BYTES("a: ! x\n"), "f.yaml:1:4: anchors (&name) and tags"},
        {"merge key", BYTES("<<: {a: 1}\n"), "f.yaml:1:1: '<<' can't be a key"},
        {"duplicate", BYTES("a: 1\nb: 2\na: 3\n"),
         "f.yaml:3:1: key 'a' is here twice; the first is on line 1"},
        {"duplicate, quoted", BYTES("a: 1\n\"a\": 3\n"), "f.yaml:2:1: key 'a' is here twice"},
        {"duplicate in flow", BYTES("x: {b: 1, c: 2, c: 3, b: 4}\n"),
         "f.yaml:1:17: key 'c' is here twice"},
        {"three of them", BYTES("a: 1\na: 2\na: 3\n"), "f.yaml:2:1: key 'a' is here twice"},
        {"key with a space", BYTES("a b: 1\n"), "f.yaml:1:1: 'a b' can't be a key"},
        {"empty key", BYTES("x: 1\n'': 1\n"), "f.yaml:2:1: '' can't be a key"},
        {"null key", BYTES("~: 1\n"), "f.yaml:1:1: '~' can't be a key"},
        {"key that is not ASCII", BYTES("\xc3\xa4: 1\n"), "can't be a key"},
        {"key that is a sequence", BYTES("? [a]\n: 1\n"), "f.yaml:1:3: a key has to be a word"},
        {"key that is a mapping", BYTES("{{a: 1}: 2}\n"), "f.yaml:1:2: a key has to be a word"},
        {"directive", BYTES("%YAML 1.1\n---\na: 1\n"), "f.yaml:1:1: directives"},
        {"tag directive", BYTES("%TAG !x! !y\n---\na: 1\n"), "f.yaml:1:1: directives"},
        {"tab", BYTES("a:\n\t- b\n"), "f.yaml:2:1: found character that cannot start any token"},
        {"tab, the remedy", BYTES("a:\n\t- b\n"), "a tab, indent with spaces"},
        {"open bracket", BYTES("a: [1, 2\nb: 3\n"), "f.yaml:2:"},
        {"bad indentation", BYTES("a: 1\n  b: 2\n"), "f.yaml:2:4: mapping values are not allowed"},
        {"open quote", BYTES("a: 'x\n"), "f.yaml:2:1: found unexpected end of stream"},
        {"literal block", BYTES("a: |\n  one\n  two\n"), "f.yaml:1:4: the text has a line break"},
        {"literal block, the remedy", BYTES("a: |\n  one\n"), "`>-` makes one line of several"},
        {"escaped NUL", BYTES("a: \"x\\0y\"\n"), "f.yaml:1:4: the text has a zero byte (byte 2)"},
        {"escaped line break", BYTES("a: \"x\\ny\"\n"), "f.yaml:1:4: the text has a line break"},
        {"escaped bell", BYTES("a: \"\\a\"\n"), "f.yaml:1:4: the text has a control character"},
        {"NUL in a key", BYTES("\"a\\0b\": 1\n"), "f.yaml:1:1: the text has a zero byte"},
        {"raw NUL", BYTES("a: 1\nb: x\0y\n"), "f.yaml:2:5: control characters are not allowed"},
        {"Latin-1", BYTES("a: 1\n\xc3\xa4: K\xf6ln\n"), "f.yaml:2:6: invalid trailing UTF-8 octet"},
        {"no UTF-8 at all", BYTES("a: 1\n\xc3\xa4: \xff\n"),
         "f.yaml:2:4: invalid leading UTF-8 octet"},
        {"UTF-16",
         BYTES("\xff\xfe"
               "a\0:\0 \0b\0"),
         "f.yaml:1:1: invalid leading UTF-8 octet"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_yaml) struct sg_yaml *document = NULL;
        struct sg_error error = {0};
        struct sg_slice text = sg_slice_of(CASES[i].bytes, CASES[i].len);
        bool verdict = sg_yaml_parse("f.yaml", text, &document, &error);

        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].name, verdict, &error);
            assert_non_null(sg_yaml_root(document));
            continue;
        }
        expect_failure(CASES[i].name, verdict, &error, SG_INVALID, CASES[i].complaint);
        assert_memory_equal(error.text, "f.yaml:", 7);
        assert_true(error.detail > 0);
        assert_null(document);
    }
}

static void the_tree_is_what_was_written(void **state)
{
    static const char TEXT[] = "a: x\nlist:\n  - 'quoted'\n  - {k: v}\nnone: []\n";
    sg_auto(sg_yaml) struct sg_yaml *document = NULL;
    const struct sg_yaml_node *root, *list, *inner;

    (void)state;
    assert_true(sg_yaml_parse("f", sg_slice_text(TEXT), &document, NULL));
    root = sg_yaml_root(document);
    assert_int_equal(root->kind, SG_YAML_MAPPING);
    assert_int_equal(root->num_children, 3);
    assert_null(root->key);
    list = sg_yaml_get(root, "list");
    assert_int_equal(list->kind, SG_YAML_SEQUENCE);
    assert_int_equal(list->num_children, 2);
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->key_column, 1);
    assert_string_equal(list->children[0].text, "quoted");
    assert_true(list->children[0].quoted);
    assert_null(list->children[0].key);
    inner = sg_yaml_get(&list->children[1], "k");
    assert_string_equal(inner->text, "v");
    assert_false(inner->quoted);
    assert_int_equal(inner->line, 4);
    assert_int_equal(inner->column, 9);
    assert_int_equal(sg_yaml_get(root, "none")->num_children, 0);
    assert_null(sg_yaml_get(root, "K"));
    assert_null(sg_yaml_get(list, "k"));
}

/* depth brackets inside each other, or num items in a row. */
static bool parse_brackets(int depth, int num, struct sg_error *error)
{
    sg_auto(sg_yaml) struct sg_yaml *document = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    bool verdict = true;

    for (int i = 0; i < depth; i++)
        verdict &= sg_buf_printf(&text, SIZE_MAX / 4, NULL, "[");
    for (int i = 0; i < num; i++)
        verdict &= sg_buf_printf(&text, SIZE_MAX / 4, NULL, "x,");
    for (int i = 0; i < depth; i++)
        verdict &= sg_buf_printf(&text, SIZE_MAX / 4, NULL, "]");
    assert_true(verdict);
    return sg_yaml_parse("f", sg_buf_slice(&text), &document, error);
}

/* A value that is long does not push the rest of the message out. */
static void long_values_are_cut_in_messages(void **state)
{
    sg_auto(sg_yaml) struct sg_yaml *document = NULL;
    struct sg_error number = {0}, duration = {0};
    const struct sg_yaml_node *node;
    char text[2001] = "- '";
    int64_t seconds;
    long integer;

    (void)state;
    memset(text + 3, 'x', sizeof text - 3);
    strcpy(text + sizeof text - 2, "'");
    assert_true(sg_yaml_parse("f", sg_slice_text(text), &document, NULL));
    node = &sg_yaml_root(document)->children[0];
    expect_failure("number", sg_yaml_integer(document, node, 0, 1, &integer, &number), &number,
                   SG_INVALID, "xxx'; without quotes");
    expect_failure("duration", sg_yaml_duration(document, node, &seconds, &duration), &duration,
                   SG_INVALID, "as in 30d");
}

static void files_keep_to_their_limits(void **state)
{
    sg_auto(sg_yaml) struct sg_yaml *document = NULL;
    sg_auto(malloc) char *large = malloc(SG_LIMIT_YAML + 1);
    struct sg_error error = {0}, deep = {0}, many = {0}, size = {0};

    (void)state;
    expect_success("deepest", parse_brackets(SG_LIMIT_YAML_DEPTH, 0, &error), &error);
    expect_failure("deeper", parse_brackets(SG_LIMIT_YAML_DEPTH + 1, 0, &deep), &deep, SG_INVALID,
                   "f:1:17: more than 16 mappings and sequences");
    expect_success("most", parse_brackets(1, SG_LIMIT_YAML_NODES - 1, &error), &error);
    expect_failure("more", parse_brackets(1, SG_LIMIT_YAML_NODES, &many), &many, SG_INVALID,
                   "more than 50000 values in one file");
    memset(large, ' ', SG_LIMIT_YAML + 1);
    memcpy(large, "a: b #", 6);
    expect_success("largest",
                   sg_yaml_parse("f", sg_slice_of(large, SG_LIMIT_YAML), &document, &error),
                   &error);
    expect_failure("larger",
                   sg_yaml_parse("f", sg_slice_of(large, SG_LIMIT_YAML + 1), &document, &size),
                   &size, SG_INVALID, "f is larger than 1048576 bytes");
}

/* Every scalar under every reader. */
struct scalar {
    const char *written;
    const char *text;     /* NULL: refused as text */
    const char *boolean;  /* "true", "false", or NULL: refused */
    const char *integer;  /* in decimal, or NULL: refused */
    const char *duration; /* in seconds, or NULL: refused */
};

static const struct scalar SCALARS[] = {
    {"x", "x", NULL, NULL, NULL},
    {"10", "10", NULL, "10", NULL},
    {"-5", "-5", NULL, "-5", NULL},
    {"0", "0", NULL, "0", NULL},
    {"010", "010", NULL, NULL, NULL},
    {"-0", "-0", NULL, NULL, NULL},
    {"+1", "+1", NULL, NULL, NULL},
    {"0x10", "0x10", NULL, NULL, NULL},
    {"0o10", "0o10", NULL, NULL, NULL},
    {"1_000", "1_000", NULL, NULL, NULL},
    {"1e3", "1e3", NULL, NULL, NULL},
    {"1.0", "1.0", NULL, NULL, NULL},
    {"1:30", "1:30", NULL, NULL, NULL},
    {"-", NULL, NULL, NULL, NULL},
    {"101", "101", NULL, NULL, NULL},
    {"-101", "-101", NULL, NULL, NULL},
    {"99999999999999999999999", "99999999999999999999999", NULL, NULL, NULL},
    {"10d", "10d", NULL, NULL, "864000"},
    {"'10d'", "10d", NULL, NULL, "864000"},
    {"010d", "010d", NULL, NULL, NULL},
    {"true", "true", "true", NULL, NULL},
    {"false", "false", "false", NULL, NULL},
    {"yes", "yes", NULL, NULL, NULL},
    {"no", "no", NULL, NULL, NULL},
    {"on", "on", NULL, NULL, NULL},
    {"True", "True", NULL, NULL, NULL},
    {"maybe", "maybe", NULL, NULL, NULL},
    {"'true'", "true", NULL, NULL, NULL},
    {"\"10\"", "10", NULL, NULL, NULL},
    {"~", NULL, NULL, NULL, NULL},
    {"null", NULL, NULL, NULL, NULL},
    {"Null", NULL, NULL, NULL, NULL},
    {"NULL", NULL, NULL, NULL, NULL},
    {"'~'", "~", NULL, NULL, NULL},
    {"'null'", "null", NULL, NULL, NULL},
    {"", NULL, NULL, NULL, NULL},
    {"''", "", NULL, NULL, NULL},
    {"[a]", NULL, NULL, NULL, NULL},
    {"{a: b}", NULL, NULL, NULL, NULL},
};

/* One verdict as text, NULL for a refusal, which has to name its place. */
static void expect_verdict(const struct scalar *scalar, const char *reader, bool verdict,
                           const char *got, const char *wanted, const struct sg_error *error)
{
    char name[100];

    snprintf(name, sizeof name, "%s read as %s", scalar->written, reader);
    if (wanted == NULL) {
        expect_failure(name, verdict, error, SG_INVALID, "f:1:");
        assert_int_equal(error->detail, 1);
        return;
    }
    expect_success(name, verdict, error);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s: '%s' instead of '%s'", name, got, wanted);
}

static void read_every_way(const struct scalar *scalar, const struct sg_yaml *document)
{
    const struct sg_yaml_node *node = sg_yaml_get(sg_yaml_root(document), "k");
    struct sg_error errors[4] = {0};
    const char *text = "untouched";
    bool boolean = false, verdict;
    long integer = 0;
    int64_t duration = 0;
    char got[32];

    verdict = sg_yaml_text(document, node, &text, &errors[0]);
    expect_verdict(scalar, "text", verdict, text, scalar->text, &errors[0]);
    assert_true(verdict || strcmp(text, "untouched") == 0);
    verdict = sg_yaml_bool(document, node, &boolean, &errors[1]);
    expect_verdict(scalar, "boolean", verdict, boolean ? "true" : "false", scalar->boolean,
                   &errors[1]);
    verdict = sg_yaml_integer(document, node, -100, 100, &integer, &errors[2]);
    snprintf(got, sizeof got, "%ld", integer);
    expect_verdict(scalar, "integer", verdict, got, scalar->integer, &errors[2]);
    verdict = sg_yaml_duration(document, node, &duration, &errors[3]);
    snprintf(got, sizeof got, "%lld", (long long)duration);
    expect_verdict(scalar, "duration", verdict, got, scalar->duration, &errors[3]);
}

static void scalars_are_never_misread(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(SCALARS); i++) {
        sg_auto(sg_yaml) struct sg_yaml *document = NULL;
        struct sg_error error = {0};
        char text[100];

        /* A lone "-" is a sequence's mark, and no value at all inside braces. */
        snprintf(text, sizeof text, "k: %s\n", SCALARS[i].written);
        if (!sg_yaml_parse("f", sg_slice_text(text), &document, &error)) {
            expect_failure(SCALARS[i].written, false, &error, SG_INVALID, "f:1:");
            assert_null(SCALARS[i].text);
            continue;
        }
        read_every_way(&SCALARS[i], document);
    }
}

static void messages_say_what_is_wanted(void **state)
{
    static const struct {
        const char *text, *as_text, *as_boolean, *as_integer;
    } CASES[] = {
        {"k:\n", "f:1:3: k is empty; it has to be a single value", "k is empty", "k is empty"},
        {"k: ~\n", "f:1:4: k is null; leave it out, or quote it", "k is null", "k is null"},
        {"k: [x]\n", "f:1:4: k has to be a single value, not a sequence", "not a sequence",
         "not a sequence"},
        {"k: {x: y}\n", "f:1:4: k has to be a single value, not a mapping", "not a mapping",
         "not a mapping"},
        {"k: 'true'\n", NULL, "f:1:4: k has to be true or false, not 'true'; without quotes",
         "k has to be a whole number in decimal digits, not 'true'; without quotes"},
        {"k: 101\n", NULL, "k has to be true or false, not '101'",
         "f:1:4: k has to be from -100 to 100, not 101"},
        {"k: 010\n", NULL, "not '010'", "k has to be a whole number in decimal digits, not '010'"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_yaml) struct sg_yaml *document = NULL;
        struct sg_error errors[3] = {0};
        const struct sg_yaml_node *node;
        const char *text;
        bool boolean;
        long integer;

        assert_true(sg_yaml_parse("f", sg_slice_text(CASES[i].text), &document, NULL));
        node = sg_yaml_get(sg_yaml_root(document), "k");
        if (CASES[i].as_text != NULL)
            expect_failure(CASES[i].text, sg_yaml_text(document, node, &text, &errors[0]),
                           &errors[0], SG_INVALID, CASES[i].as_text);
        expect_failure(CASES[i].text, sg_yaml_bool(document, node, &boolean, &errors[1]),
                       &errors[1], SG_INVALID, CASES[i].as_boolean);
        expect_failure(CASES[i].text,
                       sg_yaml_integer(document, node, -100, 100, &integer, &errors[2]), &errors[2],
                       SG_INVALID, CASES[i].as_integer);
    }
}

/* A table as a policy's reader would have it. */
struct validity {
    int64_t length_s;
    int64_t backdate_s;
    int past_issuer;
    size_t num_names;
    const char *names[4];
};

static bool read_length(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct validity *validity = into;

    return sg_yaml_duration(document, value, &validity->length_s, error);
}

static bool read_backdate(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    struct validity *validity = into;

    return sg_yaml_duration(document, value, &validity->backdate_s, error);
}

static bool read_past_issuer(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"refuse", 1}, {"shorten", 2}, {0}};
    struct validity *validity = into;

    return sg_yaml_word(document, value, CHOICES, &validity->past_issuer, error);
}

static bool read_name(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct validity *validity = into;

    if (validity->num_names == NUM(validity->names))
        return sg_yaml_fail(document, value, error, "too many names");
    return sg_yaml_text(document, value, &validity->names[validity->num_names++], error);
}

static bool read_names(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_each(document, value, read_name, into, error);
}

static const struct sg_yaml_field VALIDITY[] = {
    {"for", SG_YAML_REQUIRED, read_length},
    {"backdate", SG_YAML_OPTIONAL, read_backdate},
    {"past_issuer", SG_YAML_OPTIONAL, read_past_issuer},
    {"names", SG_YAML_OPTIONAL, read_names},
    {"comment", SG_YAML_OPTIONAL, NULL},
    {0},
};

static bool read_validity(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    return sg_yaml_mapping(document, value, VALIDITY, into, error);
}

static bool read_file(const char *text, struct validity *validity, struct sg_error *error)
{
    static const struct sg_yaml_field FILE_FIELDS[] = {
        {"validity", SG_YAML_REQUIRED, read_validity},
        {0},
    };
    sg_auto(sg_yaml) struct sg_yaml *document = NULL;

    if (!sg_yaml_parse("p.yaml", sg_slice_text(text), &document, error))
        return false;
    return sg_yaml_mapping(document, sg_yaml_root(document), FILE_FIELDS, validity, error);
}

static void mappings_are_read_by_table(void **state)
{
    static const struct {
        const char *text;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {"validity: {for: 30d}\n", NULL},
        {"validity: {for: 30d, backdate: 5m, past_issuer: shorten, names: [a, b]}\n", NULL},
        {"validity: {for: 30d, names: [], comment: [1, 2]}\n", NULL},
        {"validity: {for: 30d, 'past_issuer': 'refuse'}\n", NULL},
        {"other: 1\n", "p.yaml:1:1: unknown key 'other'; known here: validity"},
        {"{}\n", "p.yaml:1:1: key 'validity' is missing"},
        {"- a\n", "p.yaml:1:1: this value has to be a mapping ({key: value}"},
        {"validity: 30d\n", "p.yaml:1:11: validity has to be a mapping"},
        {"validity:\n", "validity is empty; it has to be a mapping"},
        {"validity:\n  backdate: 5m\n", "p.yaml:1:1: key 'for' is missing in validity"},
        {"validity:\n  for: 1d\n  past-issuer: refuse\n",
         "p.yaml:3:3: unknown key 'past-issuer'; known here: for, backdate, past_issuer, names, "
         "comment"},
        {"validity: {fro: 1d}\n", "p.yaml:1:12: unknown key 'fro'"},
        {"validity: {for: 30}\n", "p.yaml:1:17: for: '30' is a duration without a unit"},
        {"validity: {for: [30d]}\n", "p.yaml:1:17: for has to be a single value"},
        {"validity: {for: 1d, past_issuer: maybe}\n",
         "p.yaml:1:34: past_issuer has to be one of: refuse, shorten; not 'maybe'"},
        {"validity: {for: 1d, past_issuer: }\n", "past_issuer is empty"},
        {"validity: {for: 1d, names: a}\n", "p.yaml:1:28: names has to be a sequence"},
        {"validity: {for: 1d, names: [a, {b: c}]}\n",
         "p.yaml:1:32: this value has to be a single value"},
        {"validity: {for: 1d, names: [a, b, c, d, e]}\n", "p.yaml:1:41: too many names"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct validity validity = {0};
        struct sg_error error = {0};
        bool verdict = read_file(CASES[i].text, &validity, &error);

        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].text, verdict, &error);
            assert_int_equal(validity.length_s, 30 * 86400);
        } else {
            expect_failure(CASES[i].text, verdict, &error, SG_INVALID, CASES[i].complaint);
        }
    }
}

static void values_arrive(void **state)
{
    struct validity validity = {0};

    (void)state;
    assert_true(read_file("validity: {for: 30d, backdate: 5m, past_issuer: shorten, names: [a, b]}",
                          &validity, NULL));
    assert_int_equal(validity.backdate_s, 300);
    assert_int_equal(validity.past_issuer, 2);
    assert_int_equal(validity.num_names, 2);
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    for (size_t i = strlen(text); i < size; i++)
        fputc(' ', file);
    assert_int_equal(fclose(file), 0);
}

static void files_are_loaded(void **state)
{
    static const struct {
        const char *name, *text;
        size_t size;
        enum sg_code code;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {"good.yaml", "a: 1\n", 0, SG_OK, NULL},
        {"bad.yaml", "a: 1\na: 2\n", 0, SG_INVALID, "/bad.yaml:2:1: key 'a' is here twice"},
        {"empty.yaml", "", 0, SG_INVALID, "/empty.yaml:1:1: the file is empty"},
        {"large.yaml", "a: 1 #", SG_LIMIT_YAML + 1, SG_INVALID, "larger than 1048576 bytes"},
        {"huge.yaml", "a: 1 #", 3 * SG_LIMIT_YAML, SG_INVALID, "larger than 1048576"},
        {"missing.yaml", NULL, 0, SG_FAILED, "/missing.yaml: No such file or directory"},
    };
    char folder[64], path[100];

    (void)state;
    make_folder(folder);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_yaml) struct sg_yaml *document = NULL;
        struct sg_error error = {0};
        bool verdict;

        snprintf(path, sizeof path, "%s/%s", folder, CASES[i].name);
        if (CASES[i].text != NULL)
            write_file(path, CASES[i].text, CASES[i].size);
        verdict = sg_yaml_load(path, &document, &error);
        if (CASES[i].complaint == NULL)
            expect_success(CASES[i].name, verdict, &error);
        else
            expect_failure(CASES[i].name, verdict, &error, CASES[i].code, CASES[i].complaint);
    }
    remove_folder(folder);
    sg_yaml_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_accepted_or_refused),
        cmocka_unit_test(the_tree_is_what_was_written),
        cmocka_unit_test(long_values_are_cut_in_messages),
        cmocka_unit_test(files_keep_to_their_limits),
        cmocka_unit_test(scalars_are_never_misread),
        cmocka_unit_test(messages_say_what_is_wanted),
        cmocka_unit_test(mappings_are_read_by_table),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(files_are_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
