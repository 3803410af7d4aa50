/* From nodes to values: tables of keys, and scalars that say what they are. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "yaml_document.h"

bool yaml_failv_at(const struct sg_yaml *document, unsigned line, unsigned column,
                   struct sg_error *error, const char *format, va_list arguments)
{
    if (error == NULL || error->code != SG_OK)
        return false;
    sg_failv(error, SG_INVALID, NULL, format, arguments);
    error->detail = line;
    return sg_error_prefix(error, "%s:%u:%u", document->name, line, column);
}

bool yaml_fail_at(const struct sg_yaml *document, unsigned line, unsigned column,
                  struct sg_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    yaml_failv_at(document, line, column, error, format, arguments);
    va_end(arguments);
    return false;
}

bool sg_yaml_fail(const struct sg_yaml *document, const struct sg_yaml_node *node,
                  struct sg_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    yaml_failv_at(document, node->line, node->column, error, format, arguments);
    va_end(arguments);
    return false;
}

/* What a message calls the node: its key, or where it stands. */
static const char *title(const struct sg_yaml_node *node)
{
    return node->key != NULL ? node->key : "this value";
}

static bool check_kind(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       enum sg_yaml_kind wanted, struct sg_error *error)
{
    static const char *const KINDS[] = {
        [SG_YAML_SCALAR] = "a single value",
        [SG_YAML_SEQUENCE] = "a sequence ([a, b], or lines that begin with '-')",
        [SG_YAML_MAPPING] = "a mapping ({key: value}, or lines of key: value)",
    };
    bool is_missing = node->kind == SG_YAML_SCALAR && !node->quoted && node->text[0] == '\0';

    if (is_missing)
        return sg_yaml_fail(document, node, error, "%s is empty; it has to be %s", title(node),
                            KINDS[wanted]);
    if (node->kind != wanted)
        return sg_yaml_fail(document, node, error, "%s has to be %s, not %s", title(node),
                            KINDS[wanted], KINDS[node->kind]);
    return true;
}

static const struct sg_yaml_field *find_field(const struct sg_yaml_field *fields, const char *key)
{
    for (; fields->key != NULL; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields;
    return NULL;
}

/* Long enough for every table of ours; a longer list is cut by the error's own field anyway. */
enum { LIST_SIZE = SG_ERROR_TEXT_SIZE };

static void append_word(char list[LIST_SIZE], const char *word)
{
    size_t len = strlen(list);

    snprintf(list + len, LIST_SIZE - len, "%s%s", len > 0 ? ", " : "", word);
}

static bool fail_as_unknown(const struct sg_yaml *document, const struct sg_yaml_node *child,
                            const struct sg_yaml_field *fields, struct sg_error *error)
{
    char list[LIST_SIZE] = "";

    for (; fields->key != NULL; fields++)
        append_word(list, fields->key);
    return yaml_fail_at(document, child->key_line, child->key_column, error,
                        "unknown key '%.80s'; known here: %s", child->key, list);
}

/* A key that is missing is missing from what is written at the mapping's own key. */
static bool fail_as_absent(const struct sg_yaml *document, const struct sg_yaml_node *mapping,
                           const char *key, struct sg_error *error)
{
    if (mapping->key == NULL)
        return sg_yaml_fail(document, mapping, error, "key '%s' is missing", key);
    return yaml_fail_at(document, mapping->key_line, mapping->key_column, error,
                        "key '%s' is missing in %s", key, mapping->key);
}

bool sg_yaml_mapping(const struct sg_yaml *document, const struct sg_yaml_node *node,
                     const struct sg_yaml_field *fields, void *into, struct sg_error *error)
{
    if (!check_kind(document, node, SG_YAML_MAPPING, error))
        return false;
    /* Unknown keys first: a key that is misspelt would else be reported as missing. */
    for (size_t i = 0; i < node->num_children; i++)
        if (find_field(fields, node->children[i].key) == NULL)
            return fail_as_unknown(document, &node->children[i], fields, error);
    for (const struct sg_yaml_field *field = fields; field->key != NULL; field++)
        if (field->presence == SG_YAML_REQUIRED && sg_yaml_get(node, field->key) == NULL)
            return fail_as_absent(document, node, field->key, error);
    for (size_t i = 0; i < node->num_children; i++) {
        const struct sg_yaml_field *field = find_field(fields, node->children[i].key);

        if (field != NULL && field->read != NULL &&
            !field->read(document, &node->children[i], into, error))
            return false;
    }
    return true;
}

bool sg_yaml_each(const struct sg_yaml *document, const struct sg_yaml_node *node,
                  sg_yaml_reader *read, void *into, struct sg_error *error)
{
    if (!check_kind(document, node, SG_YAML_SEQUENCE, error))
        return false;
    for (size_t i = 0; i < node->num_children; i++)
        if (!read(document, &node->children[i], into, error))
            return false;
    return true;
}

const struct sg_yaml_node *sg_yaml_get(const struct sg_yaml_node *mapping, const char *key)
{
    if (mapping->kind != SG_YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->num_children; i++)
        if (strcmp(mapping->children[i].key, key) == 0)
            return &mapping->children[i];
    return NULL;
}

/* Other readers of YAML make nothing of these, which nobody wants in a certificate. */
static bool is_null(const struct sg_yaml_node *node)
{
    static const char *const NULLS[] = {"~", "null", "Null", "NULL"};

    for (size_t i = 0; !node->quoted && i < sizeof NULLS / sizeof NULLS[0]; i++)
        if (strcmp(node->text, NULLS[i]) == 0)
            return true;
    return false;
}

bool sg_yaml_text(const struct sg_yaml *document, const struct sg_yaml_node *node,
                  const char **text, struct sg_error *error)
{
    if (!check_kind(document, node, SG_YAML_SCALAR, error))
        return false;
    if (is_null(node))
        return sg_yaml_fail(document, node, error,
                            "%s is null; leave it out, or quote it if it is text", title(node));
    *text = node->text;
    return true;
}

/* What stands behind a message about a scalar of the wrong type that is quoted. */
static const char *quoting_hint(const struct sg_yaml_node *node)
{
    return node->quoted ? "; without quotes" : "";
}

bool sg_yaml_bool(const struct sg_yaml *document, const struct sg_yaml_node *node, bool *value,
                  struct sg_error *error)
{
    const char *text;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    if (node->quoted || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
        return sg_yaml_fail(document, node, error, "%s has to be true or false, not '%.80s'%s",
                            title(node), text, quoting_hint(node));
    *value = strcmp(text, "true") == 0;
    return true;
}

/* An optional minus, and digits that begin with a zero only when it is the only one. */
static bool is_decimal(const char *text)
{
    size_t num_digits;

    if (strcmp(text, "0") == 0)
        return true;
    text += text[0] == '-';
    num_digits = strspn(text, "0123456789");
    return num_digits > 0 && text[num_digits] == '\0' && text[0] != '0';
}

bool sg_yaml_integer(const struct sg_yaml *document, const struct sg_yaml_node *node, long min,
                     long max, long *value, struct sg_error *error)
{
    const char *text;
    long number;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    if (node->quoted || !is_decimal(text))
        return sg_yaml_fail(document, node, error,
                            "%s has to be a whole number in decimal digits, not '%.80s'%s",
                            title(node), text, quoting_hint(node));
    /* What does not fit a long comes back as the nearest one, with errno. */
    errno = 0;
    number = strtol(text, NULL, 10);
    if (errno != 0 || number < min || number > max)
        return sg_yaml_fail(document, node, error, "%s has to be from %ld to %ld, not %.80s",
                            title(node), min, max, text);
    *value = number;
    return true;
}

bool sg_yaml_duration(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      int64_t *seconds, struct sg_error *error)
{
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    if (!sg_duration_parse(text, seconds, &why))
        return sg_yaml_fail(document, node, error, "%s: %s", title(node), why.text);
    return true;
}

bool sg_yaml_word(const struct sg_yaml *document, const struct sg_yaml_node *node,
                  const struct sg_yaml_choice *choices, int *value, struct sg_error *error)
{
    char list[LIST_SIZE] = "";
    const char *text;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    for (const struct sg_yaml_choice *choice = choices; choice->word != NULL; choice++) {
        if (strcmp(choice->word, text) == 0) {
            *value = choice->value;
            return true;
        }
        append_word(list, choice->word);
    }
    return sg_yaml_fail(document, node, error, "%s has to be one of: %s; not '%.80s'", title(node),
                        list, text);
}
