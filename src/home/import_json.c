/* One JSON object a line, its values text. */
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "import.h"

SG_DEFINE_CLEANUP(json_t, json_decref)

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

static bool add_object(struct import *import, size_t line, json_t *object, struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};
    const char *field;
    json_t *value;

    json_object_foreach(object, field, value)
    {
        if (!json_is_string(value))
            return sg_import_fail(import, line, error, "%s is %s; %s", field, kind_of(value),
                                  remedy_for(value));
        if (!sg_import_set(import, line, &record, field,
                           sg_slice_of(json_string_value(value), json_string_length(value)), error))
            return false;
    }
    return sg_import_add(import, line, &record, error);
}

static bool add_line(struct import *import, size_t line, struct sg_slice text,
                     struct sg_error *error)
{
    sg_auto(json_t) json_t *object = NULL;
    json_error_t why;

    if (text.len > SG_LIMIT_IMPORT_LINE)
        return sg_import_fail(import, line, error, "a line of more than %d bytes",
                              SG_LIMIT_IMPORT_LINE);
    object = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL)
        return sg_import_fail(import, line, error, "not JSON at column %d: %s", why.column,
                              why.text);
    if (!json_is_object(object))
        return sg_import_fail(import, line, error,
                              "%s where an object ({\"id\": \"…\"}) should be; one object a line",
                              kind_of(object));
    return add_object(import, line, object, error);
}

static bool is_blank(struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr(" \t\r", text.data[i], 3) == NULL)
            return false;
    return true;
}

bool sg_import_json_lines(struct import *import, struct sg_slice text, struct sg_error *error)
{
    for (size_t line = 1; text.len > 0; line++) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
        struct sg_slice one = sg_slice_of(text.data, len);

        if (!is_blank(one) && !add_line(import, line, one, error))
            return false;
        len += end != NULL;
        text = sg_slice_of(text.data + len, text.len - len);
    }
    return true;
}
