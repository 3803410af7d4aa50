/* extensions: extensions by OID whose value is one text, number, truth value or NULL. */
#include <string.h>

#include "decision.h"
#include "reading.h"

/* What Signet writes itself, or has keys of its own for. */
static const struct own {
    const char *oid;
    const char *instead;
} OWN[] = {
    {"2.5.29.14", "Signet writes it itself"},
    {"2.5.29.15", "use key_usage in keys"},
    {"2.5.29.17", "use san"},
    {"2.5.29.19", "use ca"},
    {"2.5.29.31", "use publish: {crl: …}"},
    {"2.5.29.35", "Signet writes it itself"},
    {"2.5.29.37", "use extended_key_usage"},
    {"1.3.6.1.5.5.7.1.1", "use publish: {ocsp: …, ca_issuers: …}"},
};

/* The arc of RFC 5280's own extensions: each has a form that no single value can fill. */
static const char STANDARD_ARC[] = "2.5.29.";

/* Encoding */

static bool encode_any(const ASN1_TYPE *any, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = i2d_ASN1_TYPE(any, &bytes);

    if (len < 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "an extension's value can't be encoded");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

static bool encode_string(int type, struct sg_slice text, struct sg_buf *der,
                          struct sg_error *error)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *any = ASN1_TYPE_new();
    ASN1_STRING *string = ASN1_STRING_type_new(type);

    if (any == NULL || string == NULL || !ASN1_STRING_set(string, text.data, (int)text.len)) {
        ASN1_STRING_free(string);
        return sg_fail_memory(error);
    }
    ASN1_TYPE_set(any, type, string); /* now owned by any */
    return encode_any(any, der, error);
}

static bool encode_integer(long number, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *any = ASN1_TYPE_new();
    ASN1_INTEGER *integer = ASN1_INTEGER_new();

    if (any == NULL || integer == NULL || !ASN1_INTEGER_set_int64(integer, number)) {
        ASN1_INTEGER_free(integer);
        return sg_fail_memory(error);
    }
    /* The sign of a negative number is in the type that OpenSSL gave it. */
    ASN1_TYPE_set(any, V_ASN1_INTEGER, integer);
    return encode_any(any, der, error);
}

/* type: V_ASN1_BOOLEAN or V_ASN1_NULL. */
static bool encode_simple(int type, bool value, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *any = ASN1_TYPE_new();

    if (any == NULL)
        return sg_fail_memory(error);
    ASN1_TYPE_set(any, type, value ? any : NULL); /* of a BOOLEAN only NULL or not counts */
    return encode_any(any, der, error);
}

static bool is_ascii(struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= 0x80)
            return false;
    }
    return true;
}

/* X.680 41.4. text has no zero byte. */
static bool is_printable(struct sg_slice text)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789 '()+,-./:=?";

    for (size_t i = 0; i < text.len; i++) {
        if (strchr(ALPHABET, text.data[i]) == NULL)
            return false;
    }
    return true;
}

static bool encode_text(enum sg_policy_form form, const struct sg_buf *text, struct sg_buf *der,
                        struct sg_error *error)
{
    struct sg_slice slice = sg_buf_slice(text);

    switch (form) {
    case SG_FORM_IA5:
        if (!is_ascii(slice))
            return sg_fail(error, SG_REFUSED, NULL,
                           "\"%.200s\" is not ASCII, as ia5 demands; use utf8",
                           (const char *)text->data);
        return encode_string(V_ASN1_IA5STRING, slice, der, error);
    case SG_FORM_PRINTABLE:
        if (!is_printable(slice))
            return sg_fail(error, SG_REFUSED, NULL,
                           "\"%.200s\" is more than letters, digits, space and '()+,-./:=?, as "
                           "printable demands; use utf8",
                           (const char *)text->data);
        return encode_string(V_ASN1_PRINTABLESTRING, slice, der, error);
    default:
        return encode_string(V_ASN1_UTF8STRING, slice, der, error);
    }
}

/* Reading */

static bool read_oid(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_extension *extension = into;
    struct sg_error cause = {0};
    const char *word = NULL;

    if (!sg_yaml_text(document, node, &word, error))
        return false;
    if (!sg_oid_of_extension(word, &extension->oid, &cause))
        return sg_policy_fail_at(document, node, &cause, error);
    for (size_t i = 0; i < sizeof OWN / sizeof OWN[0]; i++) {
        if (strcmp(OWN[i].oid, extension->oid) == 0)
            return sg_yaml_fail(document, node, error, "%s is not written here: %s",
                                sg_oid_extension_word(extension->oid), OWN[i].instead);
    }
    if (strncmp(extension->oid, STANDARD_ARC, sizeof STANDARD_ARC - 1) == 0)
        return sg_yaml_fail(document, node, error,
                            "%s has a form of its own (RFC 5280 4.2), which no single value fills",
                            sg_oid_extension_word(extension->oid));
    return true;
}

static bool read_critical(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    struct sg_policy_extension *extension = into;

    return sg_yaml_bool(document, node, &extension->critical, error);
}

static bool set_form(const struct sg_yaml *document, const struct sg_yaml_node *node,
                     struct sg_policy_extension *extension, enum sg_policy_form form,
                     struct sg_error *error)
{
    if (extension->form != SG_FORM_NONE)
        return sg_yaml_fail(document, node, error,
                            "one value for each extension; remove %s or the one before it",
                            node->key);
    extension->form = form;
    return true;
}

static bool read_string(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    static const struct {
        const char *key;
        enum sg_policy_form form;
    } FORMS[] = {{"utf8", SG_FORM_UTF8}, {"ia5", SG_FORM_IA5}, {"printable", SG_FORM_PRINTABLE}};
    struct sg_policy_extension *extension = into;
    enum sg_policy_form form = SG_FORM_UTF8;

    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        if (strcmp(FORMS[i].key, node->key) == 0)
            form = FORMS[i].form;
    }
    return set_form(document, node, extension, form, error) &&
           sg_value_read(document, node, &extension->value, error);
}

static bool read_integer(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_extension *extension = into;
    long number = 0;

    return set_form(document, node, extension, SG_FORM_CONSTANT, error) &&
           sg_yaml_integer(document, node, -2147483647, 2147483647, &number, error) &&
           encode_integer(number, &extension->der, error);
}

static bool read_boolean(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_extension *extension = into;
    bool value = false;

    return set_form(document, node, extension, SG_FORM_CONSTANT, error) &&
           sg_yaml_bool(document, node, &value, error) &&
           encode_simple(V_ASN1_BOOLEAN, value, &extension->der, error);
}

static bool read_null(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_policy_extension *extension = into;
    bool wanted = false;

    if (!set_form(document, node, extension, SG_FORM_CONSTANT, error) ||
        !sg_yaml_bool(document, node, &wanted, error))
        return false;
    if (!wanted)
        return sg_yaml_fail(document, node, error,
                            "write null: true, or give the extension another value");
    return encode_simple(V_ASN1_NULL, false, &extension->der, error);
}

static const struct sg_yaml_field FIELDS[] = {
    {"oid", SG_YAML_REQUIRED, read_oid},
    {"critical", SG_YAML_OPTIONAL, read_critical},
    {"utf8", SG_YAML_OPTIONAL, read_string},
    {"ia5", SG_YAML_OPTIONAL, read_string},
    {"printable", SG_YAML_OPTIONAL, read_string},
    {"integer", SG_YAML_OPTIONAL, read_integer},
    {"boolean", SG_YAML_OPTIONAL, read_boolean},
    {"null", SG_YAML_OPTIONAL, read_null},
    {0},
};

static bool check_literal(const struct sg_yaml *document,
                          const struct sg_policy_extension *extension, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error cause = {0};

    if (extension->form == SG_FORM_CONSTANT || !sg_value_is_literal(&extension->value))
        return true;
    if (!sg_value_resolve(&extension->value, NULL, &text, &cause) ||
        !encode_text(extension->form, &text, &der, &cause))
        return sg_policy_fail_at(document, extension->value.node, &cause, error);
    return true;
}

static bool read_extension(const struct sg_yaml *document, const struct sg_yaml_node *node,
                           void *into, struct sg_error *error)
{
    struct sg_policy_extensions *extensions = into;
    struct sg_policy_extension *extension = &extensions->items[extensions->num++];

    extension->node = node;
    if (!sg_yaml_mapping(document, node, FIELDS, extension, error))
        return false;
    if (extension->form == SG_FORM_NONE)
        return sg_yaml_fail(document, node, error,
                            "the extension has no value: add utf8, ia5, printable, integer, "
                            "boolean or null: true");
    for (size_t i = 0; i + 1 < extensions->num; i++) {
        if (strcmp(extensions->items[i].oid, extension->oid) == 0)
            return sg_yaml_fail(
                document, node, error, "%s is here twice; the first is on line %u (RFC 5280 4.2)",
                sg_oid_extension_word(extension->oid), extensions->items[i].node->line);
    }
    return check_literal(document, extension, error);
}

bool sg_policy_read_extensions(const struct sg_yaml *document, const struct sg_yaml_node *node,
                               void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;
    struct sg_policy_extensions *extensions = &policy->extensions;

    extensions->items = sg_policy_new_list(document, node, "extensions", SG_LIMIT_EXTENSIONS,
                                           sizeof *extensions->items, error);
    return extensions->items != NULL &&
           sg_yaml_each(document, node, read_extension, extensions, error);
}

void sg_policy_extensions_done(struct sg_policy_extensions *extensions)
{
    for (size_t i = 0; i < extensions->num; i++) {
        sg_value_done(&extensions->items[i].value);
        sg_buf_free(&extensions->items[i].der);
    }
    free(extensions->items);
    *extensions = (struct sg_policy_extensions){0};
}

/* Deciding */

/* What a constant looks like in a verdict: its DER is one of three short forms. */
static const char *constant_text(const struct sg_buf *der, char *into, size_t size)
{
    return sg_hex(sg_buf_slice(der), into, size);
}

static bool decide_extension(struct sg_decision *decision,
                             const struct sg_policy_extension *extension)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error cause = {0};
    bool is_constant = extension->form == SG_FORM_CONSTANT;
    char field[SG_DECISION_FIELD_SIZE], hex[64];

    snprintf(field, sizeof field, "extensions.%.60s", sg_oid_extension_word(extension->oid));
    if (!is_constant && !sg_value_resolve(&extension->value, decision->input, &text, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    if (!is_constant && text.len == 0)
        return sg_decision_pass(decision, field, "left out, as %s has no value",
                                extension->value.source);
    if (!is_constant && !encode_text(extension->form, &text, &der, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    if (!sg_extensions_add(&decision->plan.extensions, extension->oid, extension->critical,
                           sg_buf_slice(is_constant ? &extension->der : &der), &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    return sg_decision_pass(decision, field, "%s%s%s", extension->critical ? "critical, " : "",
                            is_constant ? "DER " : "",
                            is_constant ? constant_text(&extension->der, hex, sizeof hex)
                                        : (const char *)text.data);
}

bool sg_policy_rule_extensions(struct sg_decision *decision)
{
    for (size_t i = 0; i < decision->policy->extensions.num; i++) {
        if (!decide_extension(decision, &decision->policy->extensions.items[i]))
            return false;
    }
    return true;
}
