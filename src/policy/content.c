#include "content.h"

#include <string.h>

#include "reading.h"

/* Reading */

enum { MOST_ITEMS = 64 }; /* of a sequence */

static const struct {
    const char *key;
    enum sg_policy_form form;
} FORMS[] = {
    {"utf8", SG_FORM_UTF8},         {"ia5", SG_FORM_IA5},         {"printable", SG_FORM_PRINTABLE},
    {"octets", SG_FORM_OCTETS},     {"base64", SG_FORM_BASE64},   {"der", SG_FORM_DER},
    {"integer", SG_FORM_INTEGER},   {"boolean", SG_FORM_BOOLEAN}, {"null", SG_FORM_CONSTANT},
    {"sequence", SG_FORM_SEQUENCE},
};

static enum sg_policy_form form_of(const char *key)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        if (strcmp(FORMS[i].key, key) == 0)
            return FORMS[i].form;
    }
    return SG_FORM_NONE;
}

static bool take_form(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      struct sg_policy_content *content, enum sg_policy_form form,
                      struct sg_error *error)
{
    if (content->form != SG_FORM_NONE)
        return sg_yaml_fail(document, node, error,
                            "one value for each extension, otherName and item of a sequence; "
                            "remove %s or the one before it",
                            node->key);
    content->node = node;
    content->form = form;
    return true;
}

/* A text without references is judged when the policy is read. */
static bool read_text(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      struct sg_policy_content *content, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error cause = {0};

    if (!sg_value_read(document, node, &content->value, error))
        return false;
    if (!sg_value_is_literal(&content->value))
        return true;
    return sg_policy_content_make(content, NULL, &text, &der, &cause) ||
           sg_policy_fail_at(document, content->value.node, &cause, error);
}

static bool read_integer(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         struct sg_policy_content *content, struct sg_error *error)
{
    long number = 0;

    content->form = SG_FORM_CONSTANT;
    return sg_yaml_integer(document, node, -2147483647, 2147483647, &number, error) &&
           sg_policy_encode_integer(number, &content->der, error);
}

static bool read_boolean(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         struct sg_policy_content *content, struct sg_error *error)
{
    bool value = false;

    content->form = SG_FORM_CONSTANT;
    return sg_yaml_bool(document, node, &value, error) &&
           sg_policy_encode_boolean(value, &content->der, error);
}

static bool read_null(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      struct sg_policy_content *content, struct sg_error *error)
{
    bool wanted = false;

    if (!sg_yaml_bool(document, node, &wanted, error))
        return false;
    if (!wanted)
        return sg_yaml_fail(document, node, error, "write null: true, or another value");
    return sg_policy_encode_null(&content->der, error);
}

static bool read_item(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {SG_POLICY_CONTENT_FIELDS, {0}};
    struct sg_policy_content *sequence = into;
    struct sg_policy_content *item = &sequence->items[sequence->num++];

    return sg_yaml_mapping(document, node, FIELDS, item, error) &&
           sg_policy_content_check(document, node, item, "the item", error);
}

static bool read_sequence(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          struct sg_policy_content *content, struct sg_error *error)
{
    content->items =
        sg_policy_new_list(document, node, "sequence", MOST_ITEMS, sizeof *content->items, error);
    return content->items != NULL && sg_yaml_each(document, node, read_item, content, error);
}

/* A number or truth value is told from a text by its reference. */
static bool is_constant(const struct sg_yaml_node *node)
{
    return node->kind == SG_YAML_SCALAR && strstr(node->text, "${") == NULL;
}

bool sg_policy_read_content(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy_content *content = into;
    enum sg_policy_form form = form_of(node->key);

    if (!take_form(document, node, content, form, error))
        return false;
    switch (form) {
    case SG_FORM_CONSTANT:
        return read_null(document, node, content, error);
    case SG_FORM_SEQUENCE:
        return read_sequence(document, node, content, error);
    case SG_FORM_INTEGER:
        return is_constant(node) ? read_integer(document, node, content, error)
                                 : read_text(document, node, content, error);
    case SG_FORM_BOOLEAN:
        return is_constant(node) ? read_boolean(document, node, content, error)
                                 : read_text(document, node, content, error);
    default:
        return read_text(document, node, content, error);
    }
}

bool sg_policy_read_sid(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct sg_policy_content *content = into;

    return take_form(document, node, content, SG_FORM_SID, error) &&
           read_text(document, node, content, error);
}

bool sg_policy_content_check(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             const struct sg_policy_content *content, const char *what,
                             struct sg_error *error)
{
    return content->form != SG_FORM_NONE ||
           sg_yaml_fail(document, node, error,
                        "%s has no value: add utf8, ia5, printable, octets, base64, der, integer, "
                        "boolean, null: true or sequence",
                        what);
}

void sg_policy_content_done(struct sg_policy_content *content)
{
    for (size_t i = 0; i < content->num; i++)
        sg_policy_content_done(&content->items[i]);
    free(content->items);
    sg_value_done(&content->value);
    sg_buf_free(&content->der);
    *content = (struct sg_policy_content){0};
}

bool sg_policy_content_needs(const struct sg_policy_content *content, enum sg_value_source source)
{
    for (size_t i = 0; i < content->num; i++) {
        if (sg_policy_content_needs(&content->items[i], source))
            return true;
    }
    return sg_value_needs(&content->value, source);
}

unsigned sg_policy_content_sources(const struct sg_policy_content *content)
{
    unsigned sources = sg_value_sources(&content->value);

    for (size_t i = 0; i < content->num; i++)
        sources |= sg_policy_content_sources(&content->items[i]);
    return sources != 0 ? sources : SG_FROM_POLICY;
}

/* Making */

/* Appends the values of a sequence that are there; each of them is the caller's to free. */
static bool make_items(const struct sg_policy_content *content,
                       const struct sg_decision_input *input, struct sg_buf *items, size_t *num,
                       struct sg_error *error)
{
    for (size_t i = 0; i < content->num; i++) {
        sg_auto(sg_buf) struct sg_buf text = {0};

        if (!sg_policy_content_make(&content->items[i], input, &text, &items[*num], error))
            return sg_error_prefix(error, "item %zu of the sequence", i + 1);
        *num += items[*num].len > 0;
    }
    return true;
}

/* Items that are absent are left out, and with the last of them the whole sequence. */
static bool make_sequence(const struct sg_policy_content *content,
                          const struct sg_decision_input *input, struct sg_buf *der,
                          struct sg_error *error)
{
    struct sg_buf *items = calloc(content->num, sizeof *items);
    size_t num = 0;
    bool made = false;

    if (items == NULL)
        return sg_fail_memory(error);
    made = make_items(content, input, items, &num, error) &&
           (num == 0 || sg_policy_encode_sequence(items, num, der, error));
    for (size_t i = 0; i < num; i++)
        sg_buf_free(&items[i]);
    free(items);
    return made;
}

bool sg_policy_content_make(const struct sg_policy_content *content,
                            const struct sg_decision_input *input, struct sg_buf *text,
                            struct sg_buf *der, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf resolved = {0};

    if (content->form == SG_FORM_CONSTANT)
        return sg_buf_set(der, sg_buf_slice(&content->der), error);
    if (content->form == SG_FORM_SEQUENCE)
        return make_sequence(content, input, der, error);
    if (!sg_value_resolve(&content->value, input, &resolved, error))
        return false;
    if (resolved.len == 0)
        return true;
    if (!sg_policy_encode_text(content->form, (const char *)resolved.data, der, error))
        return false;
    *text = resolved;
    resolved = (struct sg_buf){0}; /* now the caller's */
    return true;
}
