#include "csr_file.h"

#include "base/yaml.h"

void sg_csr_content_done(struct sg_csr_content *content)
{
    sg_name_done(&content->subject);
    sg_sans_done(&content->sans);
    sg_oids_done(&content->purposes);
    *content = (struct sg_csr_content){0};
}

/* Puts the place before what a lower room said; what is the machine's fault stays so. */
static bool fail_at(const struct sg_yaml *document, const struct sg_yaml_node *node,
                    const struct sg_error *cause, struct sg_error *error)
{
    if (cause->code == SG_FAILED || cause->code == SG_INTERNAL)
        return sg_fail(error, cause->code, cause->rule, "%s", cause->text);
    return sg_yaml_fail(document, node, error, "%s", cause->text);
}

/* An item of one key: {CN: Ada Lovelace}. */
static bool read_pair(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      const char *example, const struct sg_yaml_node **pair, const char **text,
                      struct sg_error *error)
{
    if (node->kind != SG_YAML_MAPPING || node->num_children != 1)
        return sg_yaml_fail(document, node, error, "write one key and its value, as in %s",
                            example);
    *pair = &node->children[0];
    return sg_yaml_text(document, *pair, text, error);
}

static bool read_rdn(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_csr_content *content = into;
    const struct sg_yaml_node *pair = NULL;
    const char *text = NULL, *oid = NULL;
    struct sg_error cause = {0};

    if (!read_pair(document, node, "{CN: Ada Lovelace}", &pair, &text, error))
        return false;
    return (sg_oid_of_attribute(pair->key, &oid, &cause) &&
            sg_name_add(&content->subject, oid, text, &cause)) ||
           fail_at(document, pair, &cause, error);
}

static bool read_san(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_csr_content *content = into;
    const struct sg_yaml_node *pair = NULL;
    const char *text = NULL;
    enum sg_san_kind kind = SG_SAN_OTHER;
    struct sg_error cause = {0};

    if (!read_pair(document, node, "{email: ada@example.com}", &pair, &text, error))
        return false;
    return (sg_san_kind_parse(pair->key, &kind, &cause) &&
            sg_sans_add(&content->sans, kind, text, &cause)) ||
           fail_at(document, pair, &cause, error);
}

static bool read_usage(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    struct sg_csr_content *content = into;
    struct sg_error cause = {0};
    const char *text = NULL;
    unsigned bit = 0;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    if (!sg_key_usage_parse(text, &bit, &cause))
        return fail_at(document, node, &cause, error);
    if ((content->key_usage & bit) != 0)
        return sg_yaml_fail(document, node, error, "%s is in the list twice", text);
    content->key_usage |= bit;
    return true;
}

static bool read_purpose(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_csr_content *content = into;
    struct sg_error cause = {0};
    const char *text = NULL, *oid = NULL;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    return (sg_oid_of_purpose(text, &oid, &cause) &&
            sg_oids_add(&content->purposes, oid, &cause)) ||
           fail_at(document, node, &cause, error);
}

static bool read_subject(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    return sg_yaml_each(document, node, read_rdn, into, error);
}

static bool read_sans(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    return sg_yaml_each(document, node, read_san, into, error);
}

static bool read_usages(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    return sg_yaml_each(document, node, read_usage, into, error);
}

static bool read_purposes(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    return sg_yaml_each(document, node, read_purpose, into, error);
}

static bool read_scheme(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct sg_csr_content *content = into;
    struct sg_error cause = {0};
    const char *text = NULL;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    return sg_scheme_parse(text, &content->scheme, &cause) ||
           fail_at(document, node, &cause, error);
}

static const struct sg_yaml_field FIELDS[] = {
    {"subject", SG_YAML_OPTIONAL, read_subject},
    {"san", SG_YAML_OPTIONAL, read_sans},
    {"key_usage", SG_YAML_OPTIONAL, read_usages},
    {"extended_key_usage", SG_YAML_OPTIONAL, read_purposes},
    {"signature", SG_YAML_OPTIONAL, read_scheme},
    {0},
};

bool sg_csr_content_check(const struct sg_csr_content *content, struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *name = NULL;

    if (content->subject.num == 0 && content->sans.num == 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "the request names nobody: it needs a subject or an alternative name");
    return sg_name_encode(&content->subject, &name, error);
}

bool sg_csr_content_read(const char *path, struct sg_csr_content *content, struct sg_error *error)
{
    sg_auto(sg_yaml) struct sg_yaml *document = NULL;
    sg_auto(sg_csr_content) struct sg_csr_content fresh = {0};
    struct sg_error cause = {0};

    if (!sg_yaml_load(path, &document, error))
        return false;
    const struct sg_yaml_node *root = sg_yaml_root(document);
    if (!sg_yaml_mapping(document, root, FIELDS, &fresh, error))
        return false;
    if (!sg_csr_content_check(&fresh, &cause)) {
        const struct sg_yaml_node *subject = sg_yaml_get(root, "subject");
        return fail_at(document, subject != NULL ? subject : root, &cause, error);
    }
    *content = fresh;
    fresh = (struct sg_csr_content){0}; /* now the caller's */
    return true;
}

struct sg_csr_spec sg_csr_spec_of_content(const struct sg_csr_content *content)
{
    return (struct sg_csr_spec){
        .subject = &content->subject,
        .sans = &content->sans,
        .purposes = &content->purposes,
        .key_usage = content->key_usage,
        .scheme = content->scheme,
    };
}
