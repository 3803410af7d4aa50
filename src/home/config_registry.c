#include <string.h>

#include "base/limits.h"
#include "config_parts.h"

static bool read_match(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    struct sg_schema_field *field = into;
    struct sg_error why = {0};
    const char *text = NULL;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    return sg_pattern_new(text, &field->pattern, &why) ||
           sg_config_fail_as(document, value, &why, error);
}

static bool read_optional(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    struct sg_schema_field *field = into;

    return sg_yaml_bool(document, value, &field->optional, error);
}

/* A pattern alone, or {match: PATTERN, optional: true}. */
static bool read_field(const struct sg_yaml *document, const struct sg_yaml_node *value,
                       struct sg_schema_field *field, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"match", SG_YAML_REQUIRED, read_match},
        {"optional", SG_YAML_OPTIONAL, read_optional},
        {0},
    };

    field->name = value->key;
    if (value->kind == SG_YAML_MAPPING)
        return sg_yaml_mapping(document, value, FIELDS, field, error);
    return read_match(document, value, field, error);
}

static bool read_fields(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        const char *id, struct sg_schema *schema, struct sg_error *error)
{
    size_t next = 1; /* the id goes first, wherever it stands in the file */

    for (size_t i = 0; i < value->num_children; i++) {
        const struct sg_yaml_node *child = &value->children[i];
        bool is_id = strcmp(child->key, id) == 0;
        struct sg_schema_field *field = &schema->fields[is_id ? 0 : next++];

        /* Lists and policies say these of every record. */
        if (!is_id && (strcmp(child->key, "enabled") == 0 || strcmp(child->key, "id") == 0))
            return sg_yaml_fail(document, child, error,
                                "a field can't be called %s, as every record has one of its own",
                                child->key);
        if (!read_field(document, child, field, error))
            return false;
        if (is_id && field->optional)
            return sg_yaml_fail(document, child, error,
                                "%s is what a record is found by and can't be optional", id);
    }
    return true;
}

static bool read_schema(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        const char *id, struct sg_schema *schema, struct sg_error *error)
{
    if (value->kind != SG_YAML_MAPPING || sg_yaml_get(value, id) == NULL)
        return sg_yaml_fail(document, value, error,
                            "%s has to be a mapping of fields to patterns, with one for %s, by "
                            "which records are found",
                            value->key, id);
    if (value->num_children > SG_LIMIT_ATTRIBUTES)
        return sg_yaml_fail(document, value, error, "%s has more than %d fields", value->key,
                            SG_LIMIT_ATTRIBUTES);
    schema->fields = calloc(value->num_children, sizeof *schema->fields);
    if (schema->fields == NULL)
        return sg_fail_memory(error);
    schema->num = value->num_children;
    return read_fields(document, value, id, schema, error);
}

static bool read_device(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_config *config = into;

    return read_schema(document, value, "id", &config->device, error);
}

static bool read_user(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_config *config = into;

    return read_schema(document, value, "name", &config->user, error);
}

bool sg_config_read_registry(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    static const struct sg_yaml_field KINDS[] = {
        {"device", SG_YAML_OPTIONAL, read_device},
        {"user", SG_YAML_OPTIONAL, read_user},
        {0},
    };

    return sg_yaml_mapping(document, value, KINDS, into, error);
}

void sg_schema_done(struct sg_schema *schema)
{
    for (size_t i = 0; i < schema->num; i++)
        sg_pattern_free(schema->fields[i].pattern);
    free(schema->fields);
    *schema = (struct sg_schema){0};
}
