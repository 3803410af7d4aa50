/* extensions: extensions by OID, and Microsoft's with a user's SID. */
#include <string.h>

#include "decision.h"
#include "reading.h"

#define SID_OID      "1.3.6.1.4.1.311.25.2"
#define NO_CHECK_OID "1.3.6.1.5.5.7.48.1.5"

/* What Signet writes itself, or has keys of its own for. */
static const struct own {
    const char *oid;
    const char *instead;
} OWN[] = {
    {"2.5.29.14", "Signet writes it itself"},
    {"2.5.29.15", "use key_usage in keys"},
    {"2.5.29.17", "use san"},
    {"2.5.29.19", "use ca"},
    {"2.5.29.30", "use name_constraints"},
    {"2.5.29.31", "use publish: {crl: …}"},
    {"2.5.29.32", "use certificate_policies"},
    {"2.5.29.35", "Signet writes it itself"},
    {"2.5.29.36", "use policy_constraints"},
    {"2.5.29.37", "use extended_key_usage"},
    {"2.5.29.54", "use inhibit_any_policy"},
    {"1.3.6.1.5.5.7.1.1", "use publish: {ocsp: …, ca_issuers: …}"},
    {SID_OID, "use ms-sid"},
};

/* The arc of RFC 5280's own extensions: each has a form of its own. */
static const char STANDARD_ARC[] = "2.5.29.";

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
                            "%s has a form of its own (RFC 5280 4.2), which is not written here",
                            sg_oid_extension_word(extension->oid));
    return true;
}

static bool read_critical(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    struct sg_policy_extension *extension = into;

    return sg_yaml_bool(document, node, &extension->critical, error);
}

static bool read_sid(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_extension *extension = into;

    extension->sid_node = node;
    return sg_policy_read_sid(document, node, &extension->content, error);
}

static const struct sg_yaml_field FIELDS[] = {
    {"oid", SG_YAML_OPTIONAL, read_oid},
    {"critical", SG_YAML_OPTIONAL, read_critical},
    {"ms-sid", SG_YAML_OPTIONAL, read_sid},
    SG_POLICY_CONTENT_FIELDS,
    {0},
};

/* Either an OID or ms-sid, which is its own. Windows takes the latter for a mapping only when it is
 * not critical. */
static bool check_kind(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       struct sg_policy_extension *extension, struct sg_error *error)
{
    if (extension->sid_node == NULL)
        return extension->oid != NULL ||
               sg_yaml_fail(document, node, error, "key 'oid' is missing in the extension");
    if (extension->oid != NULL || extension->critical)
        return sg_yaml_fail(document, extension->sid_node, error,
                            "ms-sid has an OID of its own and is never critical; it stands alone");
    extension->oid = SID_OID;
    return true;
}

/* Verifiers refuse what is critical and unknown to them. OpenSSL stands for them here, as in the
 * lint of the finished certificate, which would not let it pass. */
static bool is_known_to_verifiers(const char *oid)
{
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    sg_auto(X509_EXTENSION) X509_EXTENSION *extension = X509_EXTENSION_new();

    return object != NULL && extension != NULL && X509_EXTENSION_set_object(extension, object) &&
           X509_supported_extension(extension);
}

static bool check_critical(const struct sg_yaml *document,
                           const struct sg_policy_extension *extension, struct sg_error *error)
{
    const char *word = sg_oid_extension_word(extension->oid);

    if (!extension->critical)
        return true;
    if (strcmp(extension->oid, NO_CHECK_OID) == 0)
        return sg_yaml_fail(document, sg_yaml_get(extension->node, "critical"), error,
                            "%s must not be critical (RFC 6960 4.2.2.2.1)", word);
    return is_known_to_verifiers(extension->oid) ||
           sg_yaml_fail(document, sg_yaml_get(extension->node, "critical"), error,
                        "%s can't be critical: verifiers such as OpenSSL don't know it and would "
                        "refuse the certificate (RFC 5280 4.2)",
                        word);
}

static bool check_once(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       const struct sg_policy_extensions *extensions, struct sg_error *error)
{
    const char *oid = extensions->items[extensions->num - 1].oid;

    for (size_t i = 0; i + 1 < extensions->num; i++) {
        if (strcmp(extensions->items[i].oid, oid) == 0)
            return sg_yaml_fail(document, node, error,
                                "%s is here twice; the first is on line %u (RFC 5280 4.2)",
                                sg_oid_extension_word(oid), extensions->items[i].node->line);
    }
    return true;
}

static bool read_extension(const struct sg_yaml *document, const struct sg_yaml_node *node,
                           void *into, struct sg_error *error)
{
    struct sg_policy_extensions *extensions = into;
    struct sg_policy_extension *extension = &extensions->items[extensions->num++];

    extension->node = node;
    return sg_yaml_mapping(document, node, FIELDS, extension, error) &&
           check_kind(document, node, extension, error) &&
           check_critical(document, extension, error) &&
           sg_policy_content_check(document, node, &extension->content, "the extension", error) &&
           check_once(document, node, extensions, error);
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
    for (size_t i = 0; i < extensions->num; i++)
        sg_policy_content_done(&extensions->items[i].content);
    free(extensions->items);
    *extensions = (struct sg_policy_extensions){0};
}

/* Deciding */

/* "critical, DER 0101ff": what a verdict says of a value that was made of no text. */
static bool pass_der(struct sg_decision *decision, const char *field, bool critical,
                     struct sg_slice der)
{
    enum { SHOWN = 32 };
    char hex[2 * SHOWN + 1];
    bool cut = der.len > SHOWN;

    return sg_decision_pass(decision, field, "%sDER %s%s", critical ? "critical, " : "",
                            sg_hex(sg_slice_of(der.data, cut ? SHOWN : der.len), hex, sizeof hex),
                            cut ? "…" : "");
}

static bool pass_absent(struct sg_decision *decision, const char *field,
                        const struct sg_policy_content *content)
{
    if (content->form == SG_FORM_SEQUENCE)
        return sg_decision_pass(decision, field, "left out, as nothing of it has a value");
    return sg_decision_pass(decision, field, "left out, as %s has no value", content->value.source);
}

static bool note_extension(struct sg_decision *decision,
                           const struct sg_policy_extension *extension)
{
    const struct sg_policy_content *content = &extension->content;
    size_t index = decision->plan.extensions.num - 1;

    if (content->value.source != NULL)
        return sg_decision_note_value(decision, SG_PART_EXTENSION, index, "extensions",
                                      &content->value);
    return sg_decision_note(decision, SG_PART_EXTENSION, index, "extensions", content->node,
                            sg_policy_content_sources(content));
}

static bool decide_extension(struct sg_decision *decision,
                             const struct sg_policy_extension *extension)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error cause = {0};
    char field[SG_DECISION_FIELD_SIZE];

    snprintf(field, sizeof field, "extensions.%.60s", sg_oid_extension_word(extension->oid));
    if (!sg_policy_content_make(&extension->content, decision->input, &text, &der, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    if (der.len == 0)
        return pass_absent(decision, field, &extension->content);
    if (!sg_extensions_add(&decision->plan.extensions, extension->oid, extension->critical,
                           sg_buf_slice(&der), &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    if (!note_extension(decision, extension))
        return false;
    if (text.len == 0)
        return pass_der(decision, field, extension->critical, sg_buf_slice(&der));
    return sg_decision_pass(decision, field, "%s%s", extension->critical ? "critical, " : "",
                            (const char *)text.data);
}

bool sg_policy_rule_extensions(struct sg_decision *decision)
{
    for (size_t i = 0; i < decision->policy->extensions.num; i++) {
        if (!decide_extension(decision, &decision->policy->extensions.items[i]))
            return false;
    }
    return true;
}
