#include <string.h>

#include "fields.h"

enum { FIELD_WIDTH = 24, LIMIT_TEXT = 1 << 30 };

static const char *text_of(const json_t *field, const char *key)
{
    return json_string_value(json_object_get(field, key));
}

/* Nothing is said of the policy's own words: what is written shows them. */
static bool write_sources(const json_t *from, struct sg_buf *text, struct sg_error *error)
{
    static const struct {
        const char *word, *text;
    } TEXTS[] = {
        {"device", "the device's record"},  {"user", "the user's record"},
        {"request", "the request"},         {"issuer", "the issuer"},
        {"clock", "the moment of issuing"},
    };
    const char *joint = "; from ";

    for (size_t i = 0; i < json_array_size(from); i++) {
        const char *word = json_string_value(json_array_get(from, i));

        for (size_t t = 0; t < sizeof TEXTS / sizeof *TEXTS; t++) {
            if (strcmp(TEXTS[t].word, word) != 0)
                continue;
            if (!sg_buf_printf(text, LIMIT_TEXT, error, "%s%s", joint, TEXTS[t].text))
                return false;
            joint = ", ";
        }
    }
    return true;
}

static bool write_rule(const json_t *field, struct sg_buf *text, struct sg_error *error)
{
    const json_t *line = json_object_get(field, "line");
    const char *written = text_of(field, "written"), *rule = text_of(field, "rule");

    if (!json_is_integer(line))
        return sg_buf_printf(text, LIMIT_TEXT, error, "the policy has no `%s`", rule);
    return sg_buf_printf(text, LIMIT_TEXT, error, "line %lld, %s%s%s",
                         (long long)json_integer_value(line), rule, written != NULL ? ": " : "",
                         written != NULL ? written : "") &&
           write_sources(json_object_get(field, "from"), text, error);
}

static bool write_origin(const json_t *field, struct sg_buf *text, struct sg_error *error)
{
    const char *fixed = text_of(field, "fixed");
    bool by_rule = json_object_get(field, "rule") != NULL;
    bool unexplained = json_is_true(json_object_get(field, "unexplained"));

    if (!by_rule && !unexplained && fixed == NULL)
        return true;
    if (!sg_buf_printf(text, LIMIT_TEXT, error, "    %*s", FIELD_WIDTH, ""))
        return false;
    if (by_rule ? !write_rule(field, text, error)
                : !sg_buf_printf(text, LIMIT_TEXT, error, "%s",
                                 unexplained ? "not what the policy gives today" : fixed))
        return false;
    return sg_buf_printf(text, LIMIT_TEXT, error, "\n");
}

bool sg_fields_text(const json_t *fields, struct sg_buf *text, struct sg_error *error)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *change = text_of(field, "change");

        if (!sg_buf_printf(text, LIMIT_TEXT, error, "%s %-*s%s%s\n", change != NULL ? change : " ",
                           FIELD_WIDTH, text_of(field, "field"),
                           json_is_true(json_object_get(field, "critical")) ? "critical " : "",
                           text_of(field, "value")) ||
            !write_origin(field, text, error))
            return false;
    }
    return true;
}
