#include "expect.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/tar.h"
#include "line/input.h"
#include "line/tar.h"

struct fixture {
    char folder[64], path[96];
    struct sg_buf bytes;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    make_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/line.tar", fixture.folder);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    sg_buf_free(&fixture->bytes);
    remove_folder(fixture->folder);
    return 0;
}

/* ---- making archives ---- */

static void append(struct fixture *fixture, const void *bytes, size_t len)
{
    struct sg_error error = {0};

    expect_success("append", sg_buf_append(&fixture->bytes, bytes, len, 1 << 24, &error), &error);
}

static void append_zeros(struct fixture *fixture, size_t len)
{
    static const uint8_t ZEROS[SG_TAR_RECORD + SG_TAR_BLOCK];

    append(fixture, ZEROS, len);
}

static void append_raw(struct fixture *fixture, struct sg_tar_header *header, const char *text)
{
    snprintf(header->chksum, sizeof header->chksum, "%06o", sg_tar_sum(header));
    append(fixture, header, sizeof *header);
    append(fixture, text, strlen(text));
    append_zeros(fixture, sg_tar_padding(strlen(text)));
}

static void append_entry(struct fixture *fixture, char type, const char *name, const char *text)
{
    struct sg_tar_header header;

    sg_tar_fill(name, strlen(text), &header);
    header.typeflag[0] = type;
    append_raw(fixture, &header, text);
}

static void end(struct fixture *fixture)
{
    append_zeros(fixture, sg_tar_end(fixture->bytes.len));
}

static const char *put(struct fixture *fixture)
{
    struct sg_error error = {0};

    expect_success("put",
                   sg_file_write(fixture->path, sg_buf_slice(&fixture->bytes), 0600,
                                 SG_REPLACE_EXISTING, &error),
                   &error);
    fixture->bytes.len = 0;
    return fixture->path;
}

/* ---- what is in one ---- */

/* As "NAME KIND TEXT\n" for each entry; on failure what came before it. */
static bool list(const char *path, struct sg_buf *found, struct sg_error *error)
{
    sg_auto(sg_tar) struct sg_tar tar = {.feed = {.fd = -1}};
    struct sg_tar_entry entry = {0};

    if (!sg_tar_open(path, -1, &tar, error))
        return false;
    for (;;) {
        sg_auto(sg_buf) struct sg_buf text = {0};

        if (!sg_tar_next(&tar, &entry, error))
            return false;
        if (entry.name == NULL)
            return true;
        if (!sg_buf_printf(found, 1 << 20, error, "%s %c ", entry.name, "FLO"[entry.kind]) ||
            !sg_tar_read(&tar, 1 << 16, &text, error) ||
            !sg_buf_printf(found, 1 << 20, error, "%.*s\n", (int)text.len,
                           text.len > 0 ? (const char *)text.data : ""))
            return false;
    }
}

static void expect_list(struct fixture *fixture, const char *name, const char *wanted)
{
    sg_auto(sg_buf) struct sg_buf found = {0};
    struct sg_error error = {0};

    expect_success(name, list(put(fixture), &found, &error), &error);
    if (found.len == 0 || strcmp((const char *)found.data, wanted) != 0)
        fail_msg("%s: '%s' instead of '%s'", name, (const char *)found.data, wanted);
}

static void expect_no_list(struct fixture *fixture, const char *name, const char *part)
{
    sg_auto(sg_buf) struct sg_buf found = {0};
    struct sg_error error = {0};

    expect_failure(name, list(put(fixture), &found, &error), &error, SG_INVALID, part);
}

/* ---- tests ---- */

static void kinds_of_entries(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        char type;
        const char *text, *wanted;
    } cases[] = {
        {'0', "abc", "a F abc\n"}, {'\0', "abc", "a F abc\n"}, {'7', "", "a F \n"},
        {'1', "", "a L \n"},       {'2', "", "a L \n"},        {'3', "", "a O \n"},
        {'4', "", "a O \n"},       {'5', "", "a O \n"},        {'6', "", "a O \n"},
        {'V', "", "a O \n"},       {'D', "Yx", "a O Yx\n"},
    };

    for (size_t i = 0; i < NUM(cases); i++) {
        char name[] = {cases[i].type, '\0'};

        append_entry(fixture, cases[i].type, "a", cases[i].text);
        end(fixture);
        expect_list(fixture, name, cases[i].wanted);
    }
}

/* What is not asked for is gone over; a size need not be a whole block. */
static void entries_that_are_not_read(void **state)
{
    struct fixture *fixture = *state;
    sg_auto(sg_tar) struct sg_tar tar = {.feed = {.fd = -1}};
    static char text[SG_LIMIT_FEED + 513];
    struct sg_tar_entry entry = {0};
    struct sg_error error = {0};

    memset(text, 'x', sizeof text - 1);
    for (size_t len = 510; len < 515; len++) {
        text[len] = '\0';
        append_entry(fixture, '0', "a", text);
        text[len] = 'x';
    }
    append_entry(fixture, '0', "long", text);
    append_entry(fixture, '0', "last", "");
    end(fixture);
    expect_success("open", sg_tar_open(put(fixture), -1, &tar, &error), &error);
    for (size_t len = 510; len < 515; len++) {
        expect_success("a", sg_tar_next(&tar, &entry, &error), &error);
        assert_int_equal(entry.size, len);
    }
    expect_success("long", sg_tar_next(&tar, &entry, &error), &error);
    assert_int_equal(entry.size, sizeof text - 1);
    expect_success("last", sg_tar_next(&tar, &entry, &error), &error);
    assert_string_equal(entry.name, "last");
    expect_success("end", sg_tar_next(&tar, &entry, &error), &error);
    assert_null(entry.name);
}

static void long_names(void **state)
{
    struct fixture *fixture = *state;
    struct sg_tar_header header;
    char name[300], wanted[320], pax[320];

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(wanted, sizeof wanted, "%s F abc\nb F x\n", name);

    append_entry(fixture, 'L', "././@LongLink", name);
    append_entry(fixture, '0', "n", "abc");
    append_entry(fixture, '0', "b", "x");
    end(fixture);
    expect_list(fixture, "GNU", wanted);

    snprintf(pax, sizeof pax, "%d path=%s\n", (int)strlen(name) + 10, name);
    append_entry(fixture, 'g', "global", "19 comment=by hand\n");
    append_entry(fixture, 'x', "PaxHeaders/n", "20 atime=1700000000\n");
    append_entry(fixture, 'x', "PaxHeaders/n", pax);
    append_entry(fixture, '0', "n", "abc");
    append_entry(fixture, '0', "b", "x");
    end(fixture);
    expect_list(fixture, "pax", wanted);

    sg_tar_fill("n", 0, &header);
    memset(header.name, 'n', sizeof header.name); /* no zero byte at their ends */
    memset(header.prefix, 'p', sizeof header.prefix);
    append_raw(fixture, &header, "");
    end(fixture);
    memset(pax, 'p', sizeof pax);
    snprintf(wanted, sizeof wanted, "%.155s/%.100s F \n", pax, name);
    expect_list(fixture, "prefix", wanted);

    /* GNU's magic: what ustar calls the prefix are times there. */
    sg_tar_fill("n", 0, &header);
    memcpy(header.magic, "ustar ", 6);
    memcpy(header.version, " ", 2);
    memcpy(header.prefix, "14000000000", 12);
    append_raw(fixture, &header, "");
    end(fixture);
    expect_list(fixture, "times", "n F \n");
}

static void numbers(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *size; /* 12 bytes */
        bool is_one;
    } cases[] = {
        {"00000000003", true},   {"         3 \0", true}, {"000000000003", true},
        {"3\0zzzzzzzzzz", true}, {"            ", false}, {"\0\0\0\0\0\0\0\0\0\0\0\0", false},
        {"00000000008", false},  {"-0000000003", false},  {"\x80\0\0\0\0\0\0\0\0\0\0\3", false},
        {"0x000000003", false},
    };

    for (size_t i = 0; i < NUM(cases); i++) {
        struct sg_tar_header header;

        sg_tar_fill("a", 3, &header);
        memcpy(header.size, cases[i].size, sizeof header.size);
        append_raw(fixture, &header, "abc");
        end(fixture);
        if (cases[i].is_one)
            expect_list(fixture, cases[i].size, "a F abc\n");
        else
            expect_no_list(fixture, cases[i].size, "a size that is no number");
    }
}

static void what_is_not_read(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        char type;
        const char *text, *part;
    } cases[] = {
        {'S', "", "--sparse"},
        {'M', "", "a kind that is not known"},
        {'x', "22 GNU.sparse.major=1\n", "--sparse"},
        {'x', "18 size=123456789\n", "8 GiB"},
        {'x', "8 path=\n", "a name that is none"},
        {'x', "9 path=a", "a damaged extended header"},
        {'x', "11 path=a\n", "a damaged extended header"},
        {'x', "8 path=a\n", "a damaged extended header"},
        {'x', "2 path=a\n", "a damaged extended header"},
        {'x', " 9 path=a\n", "a damaged extended header"},
        {'x', "99999999999999999999 path=a\n", "a damaged extended header"},
        {'x', "5 xx\n", "a damaged extended header"},
        {'g', "9 path=a\n", "one name for all"},
        {'L', "", "a name that is none"},
    };

    for (size_t i = 0; i < NUM(cases); i++) {
        append_entry(fixture, cases[i].type, "before", cases[i].text);
        append_entry(fixture, '0', "a", "");
        end(fixture);
        expect_no_list(fixture, cases[i].part, cases[i].part);
    }
    append_entry(fixture, 'L', "before", "name");
    end(fixture);
    expect_no_list(fixture, "no entry", "that no entry has");
    append_entry(fixture, '0', "", "");
    end(fixture);
    expect_no_list(fixture, "no name", "a name that is none");
}

static void limits(void **state)
{
    struct fixture *fixture = *state;
    static char text[SG_LIMIT_TAR_EXTENSION + 2];

    memset(text, 'a', sizeof text - 1);
    append_entry(fixture, 'x', "x", text);
    end(fixture);
    expect_no_list(fixture, "extension", "an extended header that is too long");
    text[SG_LIMIT_PATH + 1] = '\0';
    append_entry(fixture, 'L', "x", text);
    append_entry(fixture, '0', "a", "");
    end(fixture);
    expect_no_list(fixture, "name", "a name that is too long");
}

/* An archive that is cut off says so, wherever that is. */
static void every_end_but_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct sg_buf whole;

    append_entry(fixture, 'L', "././@LongLink", "name");
    append_entry(fixture, '0', "n", "abc");
    append_entry(fixture, '0', "b", "x");
    append_zeros(fixture, 2 * SG_TAR_BLOCK);
    whole = fixture->bytes;
    fixture->bytes = (struct sg_buf){0};
    for (size_t len = 0; len < whole.len; len += len % SG_TAR_BLOCK == 0 ? 1 : 511) {
        append(fixture, whole.data, len);
        expect_no_list(fixture, "cut", "cut off");
    }
    append(fixture, whole.data, whole.len);
    expect_list(fixture, "whole", "name F abc\nb F x\n");
    append(fixture, whole.data, whole.len);
    append(fixture, whole.data, whole.len);
    expect_no_list(fixture, "twice", "something stands behind its end");
    sg_buf_free(&whole);
}

static void a_byte_of_a_header(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SG_TAR_BLOCK; i++) {
        append_entry(fixture, '0', "a", "abc");
        end(fixture);
        fixture->bytes.data[i] ^= 1;
        /* the checksum's own two last bytes say nothing */
        if (i == offsetof(struct sg_tar_header, chksum) + 7)
            expect_list(fixture, "checksum", "a F abc\n");
        else
            expect_no_list(fixture, "flipped", "a header that is damaged");
    }
}

/* ---- as an input ---- */

static void requests_of_a_tar(void **state)
{
    struct fixture *fixture = *state;
    static char text[SG_LIMIT_REQUEST + 2];
    static const struct {
        const char *input, *name, *text, *message;
    } wanted[] = {
        {"x/one.csr", "one", "abc", ""},
        {"x/two.CSR", "two", NULL, "a link"},
        {"x/three.der", "three", NULL, "more than 65536 bytes"},
        {"x/four.p10", "four", "", ""},
    };
    sg_auto(sg_input) struct sg_input *source = NULL;
    sg_auto(sg_item) struct sg_item *last = NULL;
    struct sg_error error = {0};
    uint64_t num = 0;

    memset(text, 'x', sizeof text - 1);
    append_entry(fixture, '5', "x/", "");
    append_entry(fixture, '5', "x/folder.csr", "");
    append_entry(fixture, '0', "x/.hidden.csr", "");
    append_entry(fixture, '0', "x/readme", "read me");
    append_entry(fixture, '0', "x/one.csr", "abc");
    append_entry(fixture, '1', "x/two.CSR", "");
    append_entry(fixture, '0', "x/three.der", text);
    append_entry(fixture, '0', "x/four.p10", "");
    end(fixture);
    put(fixture);
    expect_success("count", sg_input_count(fixture->path, NULL, &num, &error), &error);
    assert_int_equal(num, NUM(wanted));
    expect_success("open", sg_input_open(fixture->path, NULL, -1, &source, &error), &error);
    for (size_t i = 0; i < NUM(wanted); i++) {
        sg_auto(sg_item) struct sg_item *item = NULL;

        expect_success("next", sg_input_next(source, &item, &error), &error);
        assert_string_equal(item->input, wanted[i].input);
        assert_string_equal(item->name, wanted[i].name);
        if (strstr(item->error.text, wanted[i].message) == NULL ||
            (item->error.code == SG_OK) != (wanted[i].text != NULL))
            fail_msg("%s: '%s'", item->input, item->error.text);
        if (wanted[i].text != NULL)
            assert_true(
                sg_slice_equal(sg_buf_slice(&item->request), sg_slice_text(wanted[i].text)));
    }
    expect_success("end", sg_input_next(source, &last, &error), &error);
    assert_null(last);
}

static void a_tar_without_requests(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    uint64_t num = 0;

    append_entry(fixture, '0', "readme", "read me");
    end(fixture);
    expect_failure("none", sg_input_count(put(fixture), NULL, &num, &error), &error, SG_INVALID,
                   "has no requests");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds_of_entries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entries_that_are_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_end_but_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_byte_of_a_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_of_a_tar, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tar_without_requests, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
