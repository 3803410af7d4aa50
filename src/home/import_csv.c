/* Comma-separated values, RFC 4180; lines may end with LF alone. */
#include <string.h>

#include "base/limits.h"
#include "import.h"

struct csv {
    struct import *import;
    struct sg_slice rest;
    size_t line; /* of rest's first byte */
};

/* The values of one record, one after the other, each followed by a zero byte. */
struct row {
    size_t line;
    struct sg_buf bytes;
    size_t ends[SG_LIMIT_ATTRIBUTES + 2];
    size_t num;
};

static void row_done(struct row *row)
{
    sg_buf_free(&row->bytes);
}
SG_DEFINE_CLEANUP_IN_PLACE(row, row_done)

static struct sg_slice row_value(const struct row *row, size_t index)
{
    size_t start = index == 0 ? 0 : row->ends[index - 1] + 1;

    return sg_slice_of(row->bytes.data + start, row->ends[index] - start);
}

static int peek(const struct csv *csv)
{
    return csv->rest.len > 0 ? csv->rest.data[0] : EOF;
}

static void skip(struct csv *csv, size_t len)
{
    for (size_t i = 0; i < len; i++)
        csv->line += csv->rest.data[i] == '\n';
    csv->rest = sg_slice_of(csv->rest.data + len, csv->rest.len - len);
}

/* Length of the line break that rest begins with, or 0. */
static size_t line_break(const struct csv *csv)
{
    if (peek(csv) == '\n')
        return 1;
    return csv->rest.len >= 2 && memcmp(csv->rest.data, "\r\n", 2) == 0 ? 2 : 0;
}

static bool row_append(struct csv *csv, struct row *row, const void *bytes, size_t len,
                       struct sg_error *error)
{
    if (len > SG_LIMIT_IMPORT_LINE - row->bytes.len)
        return sg_import_fail(csv->import, row->line, error, "a record of more than %d bytes",
                              SG_LIMIT_IMPORT_LINE);
    return sg_buf_append(&row->bytes, bytes, len, SG_LIMIT_IMPORT_LINE, error);
}

static bool read_plain(struct csv *csv, struct row *row, struct sg_error *error)
{
    size_t len = 0;

    while (len < csv->rest.len && memchr(",\"\r\n", csv->rest.data[len], 4) == NULL)
        len++;
    if (!row_append(csv, row, csv->rest.data, len, error))
        return false;
    skip(csv, len);
    if (peek(csv) == '"')
        return sg_import_fail(csv->import, csv->line, error,
                              "a quote in the middle of a value; put the whole value in quotes and "
                              "double the quotes inside");
    return true;
}

/* Line breaks inside quotes are read, so that the message about the value is about the value. */
static bool read_quoted(struct csv *csv, struct row *row, struct sg_error *error)
{
    size_t opened = csv->line;

    skip(csv, 1);
    for (;;) {
        size_t len = 0;

        while (len < csv->rest.len && csv->rest.data[len] != '"')
            len++;
        if (len == csv->rest.len)
            return sg_import_fail(csv->import, opened, error, "a quote is opened and never closed");
        if (!row_append(csv, row, csv->rest.data, len, error))
            return false;
        skip(csv, len + 1);
        if (peek(csv) != '"')
            return true;
        if (!row_append(csv, row, "\"", 1, error))
            return false;
        skip(csv, 1);
    }
}

static bool read_value(struct csv *csv, struct row *row, struct sg_error *error)
{
    bool is_quoted = peek(csv) == '"';

    if (row->num == sizeof row->ends / sizeof row->ends[0])
        return sg_import_fail(csv->import, row->line, error, "more than %zu values", row->num);
    if (is_quoted ? !read_quoted(csv, row, error) : !read_plain(csv, row, error))
        return false;
    row->ends[row->num++] = row->bytes.len;
    if (!row_append(csv, row, "", 1, error))
        return false;
    if (csv->rest.len == 0 || peek(csv) == ',' || line_break(csv) > 0)
        return true;
    if (peek(csv) == '\r')
        return sg_import_fail(csv->import, csv->line, error, "a CR without LF after it");
    return sg_import_fail(csv->import, csv->line, error,
                          "text after the closing quote; quotes inside a value are doubled");
}

/* Reads up to the end of the record. The text is not at its end before. */
static bool read_row(struct csv *csv, struct row *row, struct sg_error *error)
{
    row->line = csv->line;
    row->bytes.len = 0;
    row->num = 0;
    for (;;) {
        if (!read_value(csv, row, error))
            return false;
        if (peek(csv) != ',') {
            skip(csv, line_break(csv));
            return true;
        }
        skip(csv, 1);
    }
}

static void skip_empty_lines(struct csv *csv)
{
    for (size_t len = line_break(csv); len > 0; len = line_break(csv))
        skip(csv, len);
}

static bool is_field(const struct sg_schema *schema, struct sg_slice name)
{
    for (size_t i = 0; i < schema->num; i++)
        if (sg_slice_equal(sg_slice_text(schema->fields[i].name), name))
            return true;
    return false;
}

/* The header line: each column is a field of the schema, and none is there twice. */
static bool check_header(const struct csv *csv, const struct row *header, struct sg_error *error)
{
    const struct import *import = csv->import;
    const char *id = import->schema->num > 0 ? import->schema->fields[0].name : "id";
    bool has_id = false;

    for (size_t i = 0; i < header->num; i++) {
        struct sg_slice name = row_value(header, i);

        if (!is_field(import->schema, name))
            return sg_import_fail(import, header->line, error,
                                  "the header names '%.*s', which is no field of a %s; "
                                  "signet.yaml (registry: %s) says which there are",
                                  (int)name.len, (const char *)name.data, import->what,
                                  import->what);
        for (size_t earlier = 0; earlier < i; earlier++)
            if (sg_slice_equal(row_value(header, earlier), name))
                return sg_import_fail(import, header->line, error, "the header names %s twice",
                                      (const char *)name.data);
        has_id = has_id || sg_slice_equal(name, sg_slice_text(id));
    }
    if (!has_id)
        return sg_import_fail(import, header->line, error,
                              "the header does not name %s, by which records are found", id);
    return true;
}

/* An empty value is an absent one: CSV has no other way to leave something out. */
static bool add_record(struct csv *csv, const struct row *header, const struct row *row,
                       struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};

    if (row->num != header->num)
        return sg_import_fail(csv->import, row->line, error,
                              "%zu values where the header names %zu fields", row->num,
                              header->num);
    for (size_t i = 0; i < row->num; i++) {
        const char *field = (const char *)row_value(header, i).data;
        struct sg_slice value = row_value(row, i);

        if (value.len > 0 && !sg_import_set(csv->import, row->line, &record, field, value, error))
            return false;
    }
    return sg_import_add(csv->import, row->line, &record, error);
}

bool sg_import_csv(struct import *import, struct sg_slice text, struct sg_error *error)
{
    struct csv csv = {.import = import, .rest = text, .line = 1};
    sg_auto(row) struct row header = {0}, row = {0};

    skip_empty_lines(&csv);
    if (csv.rest.len == 0)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s is empty; its first line names the fields, each further line is a %s",
                       import->name, import->what);
    if (!read_row(&csv, &header, error) || !check_header(&csv, &header, error))
        return false;
    for (skip_empty_lines(&csv); csv.rest.len > 0; skip_empty_lines(&csv))
        if (!read_row(&csv, &row, error) || !add_record(&csv, &header, &row, error))
            return false;
    return true;
}
