#include "registry.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

static const struct sg_schema_field *find_field(const struct sg_schema *schema, const char *name)
{
    /* fields[0] is the id, which is no attribute */
    for (size_t i = 1; i < schema->num; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    return NULL;
}

static bool check_value(const struct sg_schema_field *field, const char *what, const char *value,
                        struct sg_error *error)
{
    char rule[SG_ERROR_RULE_SIZE];
    struct sg_error why = {0};

    snprintf(rule, sizeof rule, "registry %s.%s", what, field->name);
    if (strlen(value) > SG_LIMIT_VALUE)
        return sg_fail(error, SG_REFUSED, rule, "%s is longer than %d bytes", field->name,
                       SG_LIMIT_VALUE);
    if (value[0] == '\0')
        return sg_fail(error, SG_REFUSED, rule, "%s is empty%s", field->name,
                       field->optional ? "; leave it out" : "");
    if (!sg_text_check(sg_slice_text(value), field->name, &why))
        return sg_fail(error, SG_REFUSED, rule, "%s", why.text);
    if (!sg_pattern_matches(field->pattern, value))
        return sg_fail(error, SG_REFUSED, rule, "%s '%s' does not match %s", field->name, value,
                       sg_pattern_text(field->pattern));
    return true;
}

static bool fail_as_unknown(const struct sg_schema *schema, const char *what, const char *name,
                            struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf list = {0};
    char rule[SG_ERROR_RULE_SIZE];

    for (size_t i = 0; i < schema->num; i++)
        if (!sg_buf_printf(&list, SG_LIMIT_YAML, error, "%s%s", i > 0 ? ", " : "",
                           schema->fields[i].name))
            return false;
    snprintf(rule, sizeof rule, "registry %s.%s", what, name);
    return sg_fail(error, SG_REFUSED, rule,
                   "a %s has no %s here; signet.yaml (registry: %s) knows %s", what, name, what,
                   (const char *)list.data);
}

static bool check_attributes(const struct sg_schema *schema, const char *what,
                             const struct sg_record *record, struct sg_error *error)
{
    for (size_t i = 0; i < record->num_attributes; i++) {
        const struct sg_attribute *attribute = &record->attributes[i];
        const struct sg_schema_field *field = find_field(schema, attribute->name);

        if (field == NULL)
            return fail_as_unknown(schema, what, attribute->name, error);
        if (!check_value(field, what, attribute->value, error))
            return false;
    }
    return true;
}

static bool check_complete(const struct sg_schema *schema, const char *what,
                           const struct sg_record *record, struct sg_error *error)
{
    for (size_t i = 1; i < schema->num; i++) {
        const struct sg_schema_field *field = &schema->fields[i];
        char rule[SG_ERROR_RULE_SIZE];

        if (field->optional || sg_record_value(record, field->name) != NULL)
            continue;
        snprintf(rule, sizeof rule, "registry %s.%s", what, field->name);
        return sg_fail(error, SG_REFUSED, rule, "%s is missing; it has to match %s", field->name,
                       sg_pattern_text(field->pattern));
    }
    return true;
}

bool sg_registry_check_part(const struct sg_schema *schema, const char *what,
                            const struct sg_record *record, struct sg_error *error)
{
    char rule[SG_ERROR_RULE_SIZE];

    snprintf(rule, sizeof rule, "registry %s", what);
    if (schema->num == 0)
        return sg_fail(error, SG_REFUSED, rule,
                       "this home keeps no records of a %s; say in signet.yaml, under registry: "
                       "%s, what one looks like",
                       what, what);
    if (record->id == NULL) {
        snprintf(rule, sizeof rule, "registry %s.%s", what, schema->fields[0].name);
        return sg_fail(error, SG_REFUSED, rule, "%s is missing; it has to match %s",
                       schema->fields[0].name, sg_pattern_text(schema->fields[0].pattern));
    }
    return check_value(&schema->fields[0], what, record->id, error) &&
           check_attributes(schema, what, record, error);
}

bool sg_registry_check(const struct sg_schema *schema, const char *what,
                       const struct sg_record *record, struct sg_error *error)
{
    return sg_registry_check_part(schema, what, record, error) &&
           check_complete(schema, what, record, error);
}

static bool amend_one(const struct sg_schema *schema, const char *what,
                      const struct sg_attribute *change, struct sg_record *record,
                      struct sg_error *error)
{
    if (schema->num > 0 && strcmp(change->name, schema->fields[0].name) == 0)
        return sg_fail(error, SG_REFUSED, NULL,
                       "the %s of a %s stays, as its certificates are recorded by it; add another "
                       "%s and disable this one",
                       change->name, what, what);
    if (change->value[0] != '\0')
        return sg_record_set(record, change->name, change->value, error);
    if (find_field(schema, change->name) == NULL && sg_record_value(record, change->name) == NULL)
        return fail_as_unknown(schema, what, change->name, error);
    sg_record_unset(record, change->name);
    return true;
}

bool sg_registry_amend(const struct sg_schema *schema, const char *what,
                       const struct sg_record *changes, struct sg_record *record,
                       struct sg_error *error)
{
    for (size_t i = 0; i < changes->num_attributes; i++)
        if (!amend_one(schema, what, &changes->attributes[i], record, error))
            return false;
    return sg_registry_check(schema, what, record, error);
}
