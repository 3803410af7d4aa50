#include "json.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "limits.h"
#include "text.h"

static void wipe_and_free(void *pointer)
{
    if (pointer != NULL)
        OPENSSL_cleanse(pointer, malloc_usable_size(pointer));
    free(pointer);
}

void sg_json_wipe_freed(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

/* ---- parsing ---- */

/* jansson's own words quote what stands near. */
static const char *complaint_of(const json_error_t *why)
{
    switch (json_error_code(why)) {
    case json_error_duplicate_key:
        return "a key comes twice";
    case json_error_invalid_utf8:
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a text that is none";
    case json_error_end_of_input_expected:
        return "something follows behind the end";
    case json_error_premature_end_of_input:
        return "it is cut short";
    case json_error_stack_overflow:
        return "it is too deep";
    case json_error_numeric_overflow:
        return "a number is too large";
    default:
        return "it is no JSON";
    }
}

bool sg_json_parse(struct sg_slice text, size_t limit, json_t **object, struct sg_error *error)
{
    sg_auto(json_t) json_t *parsed = NULL;
    json_error_t why = {0};

    if (text.len > limit)
        return sg_fail(error, SG_MALFORMED, "RFC 8259", "more than %zu bytes of JSON", limit);
    parsed = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                        &why);
    if (parsed == NULL)
        return sg_fail(error, SG_MALFORMED, "RFC 8259", "line %d, column %d: %s", why.line,
                       why.column, complaint_of(&why));
    if (!json_is_object(parsed))
        return sg_fail(error, SG_MALFORMED, "RFC 8259", "it has to be an object, {…}");
    *object = SG_TAKE(parsed);
    return true;
}

/* ---- reading ---- */

static bool fail_at(const char *key, struct sg_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail_at(const char *key, struct sg_error *error, const char *format, ...)
{
    char rule[SG_ERROR_RULE_SIZE];
    va_list arguments;

    (void)snprintf(rule, sizeof rule, "JSON %.64s", key);
    sg_text_make_printable(rule);
    va_start(arguments, format);
    (void)sg_failv(error, SG_USAGE, rule, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_text(const struct sg_json_field *field, const json_t *value, void *at,
                      struct sg_error *error)
{
    struct sg_slice text;
    struct sg_error why = {0};

    if (!json_is_string(value))
        return fail_at(field->key, error, "%s has to be text in quotes", field->key);
    text = sg_slice_of(json_string_value(value), json_string_length(value));
    if ((int64_t)text.len < field->least || (int64_t)text.len > field->most)
        return fail_at(field->key, error, "%s has to have %lld to %lld bytes", field->key,
                       (long long)field->least, (long long)field->most);
    if (field->kind == SG_JSON_TEXT && !sg_text_check(text, field->key, &why))
        return fail_at(field->key, error, "%s", why.text);
    *(const char **)at = json_string_value(value);
    return true;
}

static bool read_value(const struct sg_json_field *field, const json_t *value, void *at,
                       struct sg_error *error)
{
    switch (field->kind) {
    case SG_JSON_TEXT:
    case SG_JSON_LINES:
        return read_text(field, value, at, error);
    case SG_JSON_BOOL:
        if (!json_is_boolean(value))
            return fail_at(field->key, error, "%s has to be true or false", field->key);
        *(bool *)at = json_is_true(value);
        return true;
    case SG_JSON_OBJECT:
        return json_is_object(value) ||
               fail_at(field->key, error, "%s has to be an object", field->key);
    case SG_JSON_INTEGER:
        break;
    }
    if (!json_is_integer(value) || json_integer_value(value) < field->least ||
        json_integer_value(value) > field->most)
        return fail_at(field->key, error, "%s has to be a whole number from %lld to %lld",
                       field->key, (long long)field->least, (long long)field->most);
    *(int64_t *)at = json_integer_value(value);
    return true;
}

static bool is_known(const struct sg_json_field *fields, const char *key)
{
    for (; fields->key != NULL; fields++)
        if (strcmp(fields->key, key) == 0)
            return true;
    return false;
}

static bool check_keys(const json_t *object, const struct sg_json_field *fields,
                       struct sg_error *error)
{
    /* jansson iterates over what it does not change */
    json_t *items = (json_t *)(uintptr_t)object;

    for (void *at = json_object_iter(items); at != NULL; at = json_object_iter_next(items, at))
        if (!is_known(fields, json_object_iter_key(at)))
            return fail_at(json_object_iter_key(at), error, "there is no such key here");
    return true;
}

bool sg_json_read(const json_t *object, const struct sg_json_field *fields, void *into,
                  struct sg_error *error)
{
    if (!check_keys(object, fields, error))
        return false;
    for (const struct sg_json_field *field = fields; field->key != NULL; field++) {
        const json_t *value = json_object_get(object, field->key);

        if (value == NULL && field->presence == SG_JSON_REQUIRED)
            return fail_at(field->key, error, "%s is missing", field->key);
        if (value != NULL && !read_value(field, value, (uint8_t *)into + field->offset, error))
            return false;
    }
    return true;
}

/* ---- writing ---- */

json_t *sg_json_text(const char *text)
{
    json_t *value = json_string(text);
    sg_auto(malloc) char *copy = value == NULL ? strdup(text) : NULL;

    return copy != NULL ? json_string(sg_text_make_printable(copy)) : value;
}

json_t *sg_json_text_or_null(const char *text)
{
    return text != NULL ? sg_json_text(text) : json_null();
}

json_t *sg_json_moment(int64_t moment)
{
    char text[SG_TIME_TEXT_SIZE];

    return moment != 0 ? json_string(sg_time_text(moment, text)) : json_null();
}
