/* Comma-separated values, RFC 4180; lines may end with LF alone. */
#include <string.h>

#include "base/limits.h"
#include "import.h"

struct csv {
    const struct sg_import_format *format;
    struct sg_slice rest;
    size_t line; /* of rest's first byte */
};

void sg_csv_row_done(struct sg_csv_row *row)
{
    sg_buf_free(&row->bytes);
}

static struct sg_slice row_value(const struct sg_csv_row *row, size_t index)
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

static bool row_append(struct csv *csv, struct sg_csv_row *row, const void *bytes, size_t len,
                       struct sg_error *error)
{
    if (len > SG_LIMIT_IMPORT_LINE - row->bytes.len)
        return sg_import_fail(csv->format, row->line, error, "a record of more than %d bytes",
                              SG_LIMIT_IMPORT_LINE);
    return sg_buf_append(&row->bytes, bytes, len, SG_LIMIT_IMPORT_LINE, error);
}

static bool read_plain(struct csv *csv, struct sg_csv_row *row, struct sg_error *error)
{
    size_t len = 0;

    while (len < csv->rest.len && memchr(",\"\r\n", csv->rest.data[len], 4) == NULL)
        len++;
    if (!row_append(csv, row, csv->rest.data, len, error))
        return false;
    skip(csv, len);
    if (peek(csv) == '"')
        return sg_import_fail(csv->format, csv->line, error,
                              "a quote in the middle of a value; put the whole value in quotes and "
                              "double the quotes inside");
    return true;
}

/* Line breaks inside quotes are read, so that the message about the value is about the value. */
static bool read_quoted(struct csv *csv, struct sg_csv_row *row, struct sg_error *error)
{
    size_t opened = csv->line;

    skip(csv, 1);
    for (;;) {
        size_t len = 0;

        while (len < csv->rest.len && csv->rest.data[len] != '"')
            len++;
        if (len == csv->rest.len)
            return sg_import_fail(csv->format, opened, error, "a quote is opened and never closed");
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

static bool read_value(struct csv *csv, struct sg_csv_row *row, struct sg_error *error)
{
    bool is_quoted = peek(csv) == '"';

    if (row->num == sizeof row->ends / sizeof row->ends[0])
        return sg_import_fail(csv->format, row->line, error, "more than %zu values", row->num);
    if (is_quoted ? !read_quoted(csv, row, error) : !read_plain(csv, row, error))
        return false;
    row->ends[row->num++] = row->bytes.len;
    if (!row_append(csv, row, "", 1, error))
        return false;
    if (csv->rest.len == 0 || peek(csv) == ',' || line_break(csv) > 0)
        return true;
    if (peek(csv) == '\r')
        return sg_import_fail(csv->format, csv->line, error, "a CR without LF after it");
    return sg_import_fail(csv->format, csv->line, error,
                          "text after the closing quote; quotes inside a value are doubled");
}

/* Reads up to the end of the record. The text is not at its end before. */
static bool read_row(struct csv *csv, struct sg_csv_row *row, struct sg_error *error)
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

/* Where a value ends: at the comma or line break after it, or at the end of the text. */
static size_t value_end(struct sg_slice text, size_t at)
{
    /* Two quotes in a row are one inside the value: it goes on as if it began again. */
    while (at < text.len && text.data[at] == '"') {
        const uint8_t *closing = memchr(text.data + at + 1, '"', text.len - at - 1);

        if (closing == NULL)
            return text.len;
        at = (size_t)(closing - text.data) + 1;
    }
    while (at < text.len && text.data[at] != ',' && text.data[at] != '\n')
        at++;
    return at;
}

size_t sg_csv_record_len(struct sg_slice text)
{
    for (size_t at = 0; at < text.len; at++) {
        at = value_end(text, at);
        if (at < text.len && text.data[at] == '\n')
            return at + 1;
    }
    return 0;
}

static bool is_field(const struct sg_import_format *format, struct sg_slice name)
{
    for (size_t i = 0; i < SG_IMPORT_EXTRAS; i++)
        if (format->extras[i] != NULL && sg_slice_equal(sg_slice_text(format->extras[i]), name))
            return true;
    for (size_t i = 0; i < format->schema->num; i++)
        if (sg_slice_equal(sg_slice_text(format->schema->fields[i].name), name))
            return true;
    return false;
}

static bool check_header(const struct sg_import_format *format, const struct sg_csv_row *header,
                         struct sg_error *error)
{
    const char *id = format->schema->num > 0 ? format->schema->fields[0].name : "id";
    bool has_id = false;

    for (size_t i = 0; i < header->num; i++) {
        struct sg_slice name = row_value(header, i);

        if (!is_field(format, name))
            return sg_import_fail(format, header->line, error,
                                  "the header names '%.*s', which is no field of a %s; "
                                  "signet.yaml (registry: %s) says which there are",
                                  (int)name.len, (const char *)name.data, format->what,
                                  format->what);
        for (size_t earlier = 0; earlier < i; earlier++)
            if (sg_slice_equal(row_value(header, earlier), name))
                return sg_import_fail(format, header->line, error, "the header names %s twice",
                                      (const char *)name.data);
        has_id = has_id || sg_slice_equal(name, sg_slice_text(id));
    }
    if (!has_id)
        return sg_import_fail(format, header->line, error,
                              "the header does not name %s, by which records are found", id);
    return true;
}

bool sg_import_csv_header(const struct sg_import_format *format, struct sg_slice text, size_t line,
                          struct sg_csv_row *header, struct sg_error *error)
{
    struct csv csv = {.format = format, .rest = text, .line = line};
    sg_auto(sg_csv_row) struct sg_csv_row row = {0};

    if (!read_row(&csv, &row, error) || !check_header(format, &row, error))
        return false;
    sg_csv_row_done(header);
    *header = row;
    row = (struct sg_csv_row){0};
    return true;
}

bool sg_import_csv_record(const struct sg_import_format *format, const struct sg_csv_row *header,
                          struct sg_slice text, size_t line, struct sg_import_record *record,
                          struct sg_error *error)
{
    struct csv csv = {.format = format, .rest = text, .line = line};
    sg_auto(sg_csv_row) struct sg_csv_row row = {0};
    sg_auto(sg_import_record) struct sg_import_record read = {0};

    if (!read_row(&csv, &row, error))
        return false;
    if (row.num != header->num)
        return sg_import_fail(format, line, error, "%zu values where the header names %zu fields",
                              row.num, header->num);
    for (size_t i = 0; i < row.num; i++) {
        const char *field = (const char *)row_value(header, i).data;
        struct sg_slice value = row_value(&row, i);

        if (value.len > 0 && !sg_import_set(format, line, &read, field, value, error))
            return false;
    }
    *record = read;
    read = (struct sg_import_record){0};
    return true;
}
