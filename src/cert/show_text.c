#include <string.h>

#include "show_parts.h"

/* Lines of text are at most a few times what was shown. */
enum { LIMIT_TEXT = 1 << 30 };

/* Columns: the indent, then the field's name, or the extension's name and "critical". */
enum { FIELD_WIDTH = 13, EXTENSION_WIDTH = 24, CRITICAL_WIDTH = 10, LINE = 72 };

static bool write_field(const char *key, const char *value, struct sg_buf *text,
                        struct sg_error *error)
{
    char label[FIELD_WIDTH + 1];

    snprintf(label, sizeof label, "%s", key);
    for (char *at = label; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    return sg_buf_printf(text, LIMIT_TEXT, error, "  %-*s%s\n", FIELD_WIDTH, label, value);
}

/* Several short words share a line. */
static bool fits_one_line(const json_t *lines)
{
    size_t len = 0;

    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));

        len += strlen(line) + 2;
        if (strpbrk(line, " :") != NULL)
            return json_array_size(lines) == 1;
    }
    return len <= LINE;
}

static bool write_lines(const json_t *lines, struct sg_buf *text, struct sg_error *error)
{
    bool together = fits_one_line(lines);

    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));

        if (i > 0 && together && !sg_buf_printf(text, LIMIT_TEXT, error, ", "))
            return false;
        if (i > 0 && !together &&
            !sg_buf_printf(text, LIMIT_TEXT, error, "\n    %*s", EXTENSION_WIDTH + CRITICAL_WIDTH,
                           ""))
            return false;
        if (!sg_buf_printf(text, LIMIT_TEXT, error, "%s", line))
            return false;
    }
    return sg_buf_printf(text, LIMIT_TEXT, error, "\n");
}

static bool write_extension(const json_t *extension, struct sg_buf *text, struct sg_error *error)
{
    bool critical = json_is_true(json_object_get(extension, "critical"));
    const json_t *lines = json_object_get(extension, "value");

    return sg_buf_printf(text, LIMIT_TEXT, error, "    %-*s%-*s", EXTENSION_WIDTH,
                         json_string_value(json_object_get(extension, "name")),
                         json_array_size(lines) > 0 ? CRITICAL_WIDTH : 0,
                         critical ? "critical" : "") &&
           write_lines(lines, text, error);
}

static bool write_entry(const json_t *entry, struct sg_buf *text, struct sg_error *error)
{
    return sg_buf_printf(text, LIMIT_TEXT, error, "    %s  %-40s  %s\n",
                         json_string_value(json_object_get(entry, "revoked")),
                         json_string_value(json_object_get(entry, "serial")),
                         json_string_value(json_object_get(entry, "reason")));
}

static bool write_array(const char *key, const json_t *items, struct sg_buf *text,
                        struct sg_error *error)
{
    bool are_extensions = strcmp(key, "extensions") == 0;

    if (json_array_size(items) == 0)
        return true;
    if (!sg_buf_printf(text, LIMIT_TEXT, error, "  %s\n", key))
        return false;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        if (!(are_extensions ? write_extension(item, text, error) : write_entry(item, text, error)))
            return false;
    }
    return true;
}

/* What a CRL holds beyond the entries that were asked for. */
static bool write_rest(const json_t *object, struct sg_buf *text, struct sg_error *error)
{
    json_int_t all = json_integer_value(json_object_get(object, "entries"));
    json_int_t shown = (json_int_t)json_array_size(json_object_get(object, "revoked"));

    return shown >= all ||
           sg_buf_printf(text, LIMIT_TEXT, error, "    and %lld more\n", (long long)(all - shown));
}

/* "rule: message", as `issue` says it; some causes have no rule. */
static bool write_refusal(const char *key, const json_t *why, struct sg_buf *text,
                          struct sg_error *error)
{
    char line[SG_SHOW_TEXT];
    const char *rule = json_string_value(json_object_get(why, "rule"));

    snprintf(line, sizeof line, "%s%s%s", rule, rule[0] != '\0' ? ": " : "",
             json_string_value(json_object_get(why, "message")));
    return write_field(key, line, text, error);
}

static bool write_member(const char *key, const json_t *value, struct sg_buf *text,
                         struct sg_error *error)
{
    char number[32];

    if (json_is_array(value))
        return write_array(key, value, text, error);
    if (json_is_object(value))
        return write_refusal(key, value, text, error);
    if (json_is_string(value))
        return write_field(key, json_string_value(value), text, error);
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    return write_field(key, number, text, error);
}

static const char *kind_text(const char *kind)
{
    if (strcmp(kind, "request") == 0)
        return "certificate request";
    return strcmp(kind, "crl") == 0 ? "certificate revocation list" : kind;
}

bool sg_show_text(json_t *object, struct sg_buf *text, struct sg_error *error)
{
    const char *key;
    json_t *value;

    if (!sg_buf_printf(text, LIMIT_TEXT, error, "%s\n",
                       kind_text(json_string_value(json_object_get(object, "kind")))))
        return false;
    json_object_foreach(object, key, value)
    {
        if (strcmp(key, "kind") == 0)
            continue;
        if (!write_member(key, value, text, error) ||
            (strcmp(key, "revoked") == 0 && !write_rest(object, text, error)))
            return false;
    }
    return true;
}
