#include "import.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

bool sg_import_fail(const struct sg_import_format *format, size_t line, struct sg_error *error,
                    const char *text, ...)
{
    va_list arguments;

    if (error == NULL || error->code != SG_OK)
        return false;
    va_start(arguments, text);
    sg_failv(error, SG_INVALID, NULL, text, arguments);
    va_end(arguments);
    error->detail = (long)line;
    return sg_error_prefix(error, "%s:%zu", format->name, line);
}

/* A refusal becomes a fault of the file; the machine's own troubles stay what they are. */
static bool fail_as(const struct sg_import_format *format, size_t line, const struct sg_error *why,
                    struct sg_error *error)
{
    if (error == NULL || error->code != SG_OK)
        return false;
    *error = *why;
    if (why->code == SG_FAILED)
        return false;
    error->code = SG_INVALID;
    error->detail = (long)line;
    return sg_error_prefix(error, "%s:%zu", format->name, line);
}

static bool set_value(struct sg_record *record, bool is_id, const char *field, const char *value,
                      struct sg_error *error)
{
    char *copy;

    if (!is_id)
        return sg_record_set(record, field, value, error);
    copy = strdup(value);
    if (copy == NULL)
        return sg_fail_memory(error);
    free(record->id);
    record->id = copy;
    return true;
}

void sg_import_record_done(struct sg_import_record *record)
{
    sg_record_done(&record->record);
    for (size_t i = 0; i < SG_IMPORT_EXTRAS; i++)
        sg_buf_free(&record->extras[i]);
}

static bool set_attribute(const struct sg_import_format *format, struct sg_record *record,
                          const char *field, struct sg_slice value, struct sg_error *error)
{
    bool is_id = format->schema->num > 0 && strcmp(field, format->schema->fields[0].name) == 0;
    sg_auto(malloc) char *text = NULL;

    return sg_text_check(value, field, error) && sg_text_copy(value, &text, error) &&
           set_value(record, is_id, field, text, error);
}

bool sg_import_set(const struct sg_import_format *format, size_t line,
                   struct sg_import_record *record, const char *field, struct sg_slice value,
                   struct sg_error *error)
{
    struct sg_error why = {0};

    for (size_t i = 0; i < SG_IMPORT_EXTRAS; i++)
        if (format->extras[i] != NULL && strcmp(format->extras[i], field) == 0)
            return sg_buf_set(&record->extras[i], value, error);
    return set_attribute(format, &record->record, field, value, &why) ||
           fail_as(format, line, &why, error);
}

bool sg_import_is_blank(struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr(" \t\r\n", text.data[i], 4) == NULL)
            return false;
    return true;
}

struct sg_slice sg_import_skip_mark(struct sg_slice text)
{
    static const uint8_t MARK[] = {0xef, 0xbb, 0xbf};

    if (text.len >= sizeof MARK && memcmp(text.data, MARK, sizeof MARK) == 0)
        return sg_slice_of(text.data + sizeof MARK, text.len - sizeof MARK);
    return text;
}

/* ---- a whole import ---- */

struct import {
    struct sg_import_format format;
    struct sg_record *records;
    size_t *lines; /* where each record begins, from 1 */
    size_t num, capacity;
};

static bool make_room(struct import *import, struct sg_error *error)
{
    size_t capacity = import->capacity == 0 ? 64 : import->capacity * 2;
    struct sg_record *records;
    size_t *lines;

    if (import->num < import->capacity)
        return true;
    records = reallocarray(import->records, capacity, sizeof *records);
    if (records == NULL)
        return sg_fail_memory(error);
    import->records = records;
    lines = reallocarray(import->lines, capacity, sizeof *lines);
    if (lines == NULL)
        return sg_fail_memory(error);
    import->lines = lines;
    import->capacity = capacity;
    return true;
}

/* Checks a record against the schema and takes it; record is empty then. */
static bool add(struct import *import, size_t line, struct sg_record *record,
                struct sg_error *error)
{
    struct sg_error why = {0};

    if (!sg_registry_check(import->format.schema, import->format.what, record, &why))
        return fail_as(&import->format, line, &why, error);
    if (!make_room(import, error))
        return false;
    import->lines[import->num] = line;
    import->records[import->num++] = *record;
    *record = (struct sg_record){0};
    return true;
}

static int compare_ids(const void *a, const void *b, void *context)
{
    const struct import *import = context;
    size_t one = *(const size_t *)a, other = *(const size_t *)b;
    int order = strcmp(import->records[one].id, import->records[other].id);

    return order != 0 ? order : (one > other) - (one < other);
}

/* Sorted, as a factory's file has a hundred thousand lines. */
static bool check_ids(struct import *import, struct sg_error *error)
{
    sg_auto(malloc) size_t *order = reallocarray(NULL, import->num + 1, sizeof *order);

    if (order == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < import->num; i++)
        order[i] = i;
    qsort_r(order, import->num, sizeof *order, compare_ids, import);
    for (size_t i = 1; i < import->num; i++) {
        const char *id = import->records[order[i]].id;

        if (strcmp(import->records[order[i - 1]].id, id) == 0)
            return sg_import_fail(&import->format, import->lines[order[i]], error,
                                  "%s '%s' is here twice; the first is on line %zu",
                                  import->format.schema->fields[0].name, id,
                                  import->lines[order[i - 1]]);
    }
    return true;
}

static void import_done(struct import *import)
{
    for (size_t i = 0; i < import->num; i++)
        sg_record_done(&import->records[i]);
    free(import->records);
    free(import->lines);
}
SG_DEFINE_CLEANUP_IN_PLACE(import, import_done)

/* The part of a text that has not been read yet. */
struct rest {
    struct sg_slice text;
    size_t line; /* of its first byte */
};

static struct sg_slice take(struct rest *rest, size_t len)
{
    struct sg_slice taken = sg_slice_of(rest->text.data, len);

    for (size_t i = 0; i < len; i++)
        rest->line += taken.data[i] == '\n';
    rest->text = sg_slice_of(taken.data + len, rest->text.len - len);
    return taken;
}

static struct sg_slice take_line(struct rest *rest)
{
    const uint8_t *end = memchr(rest->text.data, '\n', rest->text.len);

    return take(rest, end != NULL ? (size_t)(end - rest->text.data) + 1 : rest->text.len);
}

static struct sg_slice take_csv_record(struct rest *rest)
{
    size_t len = sg_csv_record_len(rest->text);

    return take(rest, len != 0 ? len : rest->text.len);
}

static void skip_empty_lines(struct rest *rest)
{
    while (rest->text.len > 0 && (rest->text.data[0] == '\n' ||
                                  (rest->text.len > 1 && memcmp(rest->text.data, "\r\n", 2) == 0)))
        take_line(rest);
}

static bool import_csv(struct import *import, struct rest rest, struct sg_error *error)
{
    const struct sg_import_format *format = &import->format;
    sg_auto(sg_csv_row) struct sg_csv_row header = {0};
    size_t line;

    skip_empty_lines(&rest);
    if (rest.text.len == 0)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s is empty; its first line names the fields, each further line is a %s",
                       format->name, format->what);
    line = rest.line;
    if (!sg_import_csv_header(format, take_csv_record(&rest), line, &header, error))
        return false;
    for (skip_empty_lines(&rest); rest.text.len > 0; skip_empty_lines(&rest)) {
        sg_auto(sg_import_record) struct sg_import_record read = {0};

        line = rest.line;
        if (!sg_import_csv_record(format, &header, take_csv_record(&rest), line, &read, error) ||
            !add(import, line, &read.record, error))
            return false;
    }
    return true;
}

static bool import_json_lines(struct import *import, struct rest rest, struct sg_error *error)
{
    while (rest.text.len > 0) {
        sg_auto(sg_import_record) struct sg_import_record read = {0};
        size_t line = rest.line;
        struct sg_slice text = take_line(&rest);

        if (!sg_import_is_blank(text) &&
            (!sg_import_json_record(&import->format, text, line, &read, error) ||
             !add(import, line, &read.record, error)))
            return false;
    }
    return true;
}

bool sg_registry_read(const struct sg_schema *schema, const char *what,
                      enum sg_registry_format format, const char *name, struct sg_slice text,
                      struct sg_record **records, size_t **lines, size_t *num,
                      struct sg_error *error)
{
    sg_auto(import) struct import import = {
        .format = {.schema = schema, .what = what, .name = name}};
    struct rest rest = {sg_import_skip_mark(text), 1};
    bool is_read = format == SG_REGISTRY_CSV ? import_csv(&import, rest, error)
                                             : import_json_lines(&import, rest, error);

    if (!is_read)
        return false;
    if (import.num == 0)
        return sg_fail(error, SG_INVALID, NULL, "%s has no records", name);
    if (!check_ids(&import, error))
        return false;
    *records = SG_TAKE(import.records);
    if (lines != NULL)
        *lines = SG_TAKE(import.lines);
    *num = import.num;
    import.num = 0;
    return true;
}
