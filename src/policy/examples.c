/* examples: requests that the policy must accept and must refuse. Read here, run by the home. */
#include <string.h>

#include "reading.h"

enum { MOST_EXAMPLES = 1000 };

/* An example while it is read, and room for the records that it may name. */
struct reading {
    struct sg_policy_example *example;
    struct sg_record *device, *user;
    struct sg_name *issuer;
};

static bool read_csr(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct reading *reading = into;

    if (!sg_yaml_text(document, node, &reading->example->csr, error))
        return false;
    return reading->example->csr[0] != '\0' ||
           sg_yaml_fail(document, node, error, "csr names a file, beside the policy's");
}

/* id_key: what the record's id is called here. */
static bool read_record(const struct sg_yaml *document, const struct sg_yaml_node *node,
                        const char *id_key, struct sg_record *record, struct sg_error *error)
{
    if (node->kind != SG_YAML_MAPPING || sg_yaml_get(node, id_key) == NULL)
        return sg_yaml_fail(document, node, error, "%s is a mapping of its %s and attributes",
                            node->key, id_key);
    for (size_t i = 0; i < node->num_children; i++) {
        const struct sg_yaml_node *child = &node->children[i];
        struct sg_error cause = {0};
        const char *text = NULL;

        if (!sg_yaml_text(document, child, &text, error))
            return false;
        if (strcmp(child->key, id_key) == 0) {
            record->id = strdup(text);
            if (record->id == NULL)
                return sg_fail_memory(error);
        } else if (!sg_record_set(record, child->key, text, &cause)) {
            return sg_policy_fail_at(document, child, &cause, error);
        }
    }
    return true;
}

static bool read_device(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct reading *reading = into;

    reading->example->device = reading->device;
    return read_record(document, node, "id", reading->device, error);
}

static bool read_user(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct reading *reading = into;

    reading->example->user = reading->user;
    return read_record(document, node, "name", reading->user, error);
}

/* Only what the policy looks at has to be named. */
static bool read_issuer(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct reading *reading = into;

    if (node->kind != SG_YAML_MAPPING || node->num_children == 0)
        return sg_yaml_fail(document, node, error,
                            "issuer is a mapping of what its subject has, such as {CN: Example "
                            "Root}");
    for (size_t i = 0; i < node->num_children; i++) {
        const struct sg_yaml_node *child = &node->children[i];
        const char *oid = NULL, *text = NULL;
        struct sg_error cause = {0};

        if (!sg_oid_of_attribute(child->key, &oid, &cause))
            return sg_policy_fail_at_key(document, child, &cause, error);
        if (!sg_yaml_text(document, child, &text, error))
            return false;
        if (!sg_name_add(reading->issuer, oid, text, &cause))
            return sg_policy_fail_at(document, child, &cause, error);
    }
    return true;
}

static bool read_refuse(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct sg_policy_example *example = into;

    if (!sg_yaml_text(document, node, &example->refuse, error))
        return false;
    return example->refuse[0] != '\0' ||
           sg_yaml_fail(document, node, error, "refuse names the rule, such as subject.CN");
}

static const struct sg_yaml_field REFUSE_FIELDS[] = {
    {"refuse", SG_YAML_REQUIRED, read_refuse},
    {0},
};

static bool read_expect(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct reading *reading = into;

    if (node->kind == SG_YAML_MAPPING)
        return sg_yaml_mapping(document, node, REFUSE_FIELDS, reading->example, error);
    reading->example->accept = node->kind == SG_YAML_SCALAR && strcmp(node->text, "accept") == 0;
    return reading->example->accept ||
           sg_yaml_fail(document, node, error, "expect is accept, or {refuse: subject.CN}");
}

static const struct sg_yaml_field FIELDS[] = {
    {"csr", SG_YAML_REQUIRED, read_csr},       {"device", SG_YAML_OPTIONAL, read_device},
    {"user", SG_YAML_OPTIONAL, read_user},     {"issuer", SG_YAML_OPTIONAL, read_issuer},
    {"expect", SG_YAML_REQUIRED, read_expect}, {0},
};

static bool read_example(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_examples *examples = into;
    struct reading reading = {
        .example = &examples->items[examples->num],
        .device = &examples->records[2 * examples->num],
        .user = &examples->records[2 * examples->num + 1],
        .issuer = &examples->issuers[examples->num],
    };

    examples->num++;
    reading.example->issuer = reading.issuer;
    reading.example->line = node->line;
    return sg_yaml_mapping(document, node, FIELDS, &reading, error);
}

bool sg_policy_read_examples(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;
    struct sg_policy_examples *examples = &policy->examples;

    examples->items = sg_policy_new_list(document, node, "examples", MOST_EXAMPLES,
                                         sizeof *examples->items, error);
    if (examples->items == NULL)
        return false;
    examples->records = calloc(2 * node->num_children, sizeof *examples->records);
    examples->issuers = calloc(node->num_children, sizeof *examples->issuers);
    if (examples->records == NULL || examples->issuers == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(document, node, read_example, examples, error);
}

void sg_policy_examples_done(struct sg_policy_examples *examples)
{
    for (size_t i = 0; examples->records != NULL && i < 2 * examples->num; i++)
        sg_record_done(&examples->records[i]);
    for (size_t i = 0; examples->issuers != NULL && i < examples->num; i++)
        sg_name_done(&examples->issuers[i]);
    free(examples->issuers);
    free(examples->records);
    free(examples->items);
    *examples = (struct sg_policy_examples){0};
}
