#include "import.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

bool sg_import_fail(const struct import *import, size_t line, struct sg_error *error,
                    const char *format, ...)
{
    va_list arguments;

    if (error == NULL || error->code != SG_OK)
        return false;
    va_start(arguments, format);
    sg_failv(error, SG_INVALID, NULL, format, arguments);
    va_end(arguments);
    error->detail = (long)line;
    return sg_error_prefix(error, "%s:%zu", import->name, line);
}

/* A refusal becomes a fault of the file; the machine's own troubles stay what they are. */
static bool fail_as(const struct import *import, size_t line, const struct sg_error *why,
                    struct sg_error *error)
{
    if (error == NULL || error->code != SG_OK)
        return false;
    *error = *why;
    if (why->code == SG_FAILED)
        return false;
    error->code = SG_INVALID;
    error->detail = (long)line;
    return sg_error_prefix(error, "%s:%zu", import->name, line);
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

bool sg_import_set(const struct import *import, size_t line, struct sg_record *record,
                   const char *field, struct sg_slice value, struct sg_error *error)
{
    bool is_id = import->schema->num > 0 && strcmp(field, import->schema->fields[0].name) == 0;
    sg_auto(malloc) char *text = NULL;
    struct sg_error why = {0};

    if (sg_text_check(value, field, &why) && sg_text_copy(value, &text, &why) &&
        set_value(record, is_id, field, text, &why))
        return true;
    return fail_as(import, line, &why, error);
}

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

bool sg_import_add(struct import *import, size_t line, struct sg_record *record,
                   struct sg_error *error)
{
    struct sg_error why = {0};

    if (!sg_registry_check(import->schema, import->what, record, &why))
        return fail_as(import, line, &why, error);
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
            return sg_import_fail(import, import->lines[order[i]], error,
                                  "%s '%s' is here twice; the first is on line %zu",
                                  import->schema->fields[0].name, id, import->lines[order[i - 1]]);
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

/* Spreadsheets begin UTF-8 files with a byte order mark. */
static struct sg_slice skip_mark(struct sg_slice text)
{
    static const uint8_t MARK[] = {0xef, 0xbb, 0xbf};

    if (text.len >= sizeof MARK && memcmp(text.data, MARK, sizeof MARK) == 0)
        return sg_slice_of(text.data + sizeof MARK, text.len - sizeof MARK);
    return text;
}

bool sg_registry_read(const struct sg_schema *schema, const char *what,
                      enum sg_registry_format format, const char *name, struct sg_slice text,
                      struct sg_record **records, size_t **lines, size_t *num,
                      struct sg_error *error)
{
    sg_auto(import) struct import import = {.schema = schema, .what = what, .name = name};
    bool is_read = format == SG_REGISTRY_CSV
                       ? sg_import_csv(&import, skip_mark(text), error)
                       : sg_import_json_lines(&import, skip_mark(text), error);

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
