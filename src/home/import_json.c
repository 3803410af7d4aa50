/* One JSON object a line, its values text. */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "import.h"

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    default:
        return "text";
    }
}

/* What to do about a value that is not text. */
static const char *remedy_for(const json_t *value)
{
    if (json_is_number(value))
        return "put it in quotes, as a number may lose zeros and digits on its way";
    if (json_is_null(value))
        return "leave the field out";
    return "values are text in quotes";
}

static bool set_fields(const struct sg_import_format *format, size_t line, json_t *object,
                       struct sg_import_record *record, struct sg_error *error)
{
    const char *field;
    json_t *value;

    json_object_foreach(object, field, value)
    {
        if (!json_is_string(value))
            return sg_import_fail(format, line, error, "%s is %s; %s", field, kind_of(value),
                                  remedy_for(value));
        if (!sg_import_set(format, line, record, field,
                           sg_slice_of(json_string_value(value), json_string_length(value)), error))
            return false;
    }
    return true;
}

bool sg_import_json_record(const struct sg_import_format *format, struct sg_slice text, size_t line,
                           struct sg_import_record *record, struct sg_error *error)
{
    sg_auto(sg_import_record) struct sg_import_record read = {0};
    sg_auto(json_t) json_t *object = NULL;
    json_error_t why;

    if (text.len > SG_LIMIT_IMPORT_LINE)
        return sg_import_fail(format, line, error, "a line of more than %d bytes",
                              SG_LIMIT_IMPORT_LINE);
    object = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL)
        return sg_import_fail(format, line, error, "not JSON at column %d: %s", why.column,
                              why.text);
    if (!json_is_object(object))
        return sg_import_fail(format, line, error,
                              "%s where an object ({\"id\": \"…\"}) should be; one object a line",
                              kind_of(object));
    if (!set_fields(format, line, object, &read, error))
        return false;
    *record = read;
    read = (struct sg_import_record){0};
    return true;
}
