#include "requester.h"

#include <string.h>

static struct sg_attribute *find(const struct sg_record *record, const char *name)
{
    for (size_t i = 0; i < record->num_attributes; i++) {
        if (strcmp(record->attributes[i].name, name) == 0)
            return &record->attributes[i];
    }
    return NULL;
}

const char *sg_record_value(const struct sg_record *record, const char *name)
{
    const struct sg_attribute *attribute = find(record, name);

    return attribute == NULL ? NULL : attribute->value;
}

static bool append(struct sg_record *record, const char *name, char **value, struct sg_error *error)
{
    struct sg_attribute *attributes = NULL;
    char *copy = NULL;

    if (record->num_attributes >= SG_LIMIT_ATTRIBUTES)
        return sg_fail(error, SG_USAGE, NULL, "\"%.60s\" would be more than %d attributes", name,
                       SG_LIMIT_ATTRIBUTES);
    attributes = reallocarray(record->attributes, record->num_attributes + 1, sizeof *attributes);
    if (attributes == NULL)
        return sg_fail_memory(error);
    record->attributes = attributes;
    copy = strdup(name);
    if (copy == NULL)
        return sg_fail_memory(error);
    attributes[record->num_attributes++] =
        (struct sg_attribute){.name = copy, .value = SG_TAKE(*value)};
    return true;
}

bool sg_record_set(struct sg_record *record, const char *name, const char *value,
                   struct sg_error *error)
{
    struct sg_attribute *attribute = find(record, name);
    sg_auto(malloc) char *copy = strdup(value);

    if (copy == NULL)
        return sg_fail_memory(error);
    if (attribute == NULL)
        return append(record, name, &copy, error);
    free(attribute->value);
    attribute->value = SG_TAKE(copy);
    return true;
}

void sg_record_unset(struct sg_record *record, const char *name)
{
    for (size_t i = 0; i < record->num_attributes; i++) {
        struct sg_attribute *attribute = &record->attributes[i];

        if (strcmp(attribute->name, name) != 0)
            continue;
        free(attribute->name);
        free(attribute->value);
        *attribute = record->attributes[--record->num_attributes];
        return;
    }
}

static bool copy_record(const struct sg_record *from, struct sg_record *to, struct sg_error *error)
{
    if (from->id != NULL && (to->id = strdup(from->id)) == NULL)
        return sg_fail_memory(error);
    to->disabled = from->disabled;
    for (size_t i = 0; i < from->num_attributes; i++)
        if (!sg_record_set(to, from->attributes[i].name, from->attributes[i].value, error))
            return false;
    return true;
}

bool sg_record_copy(const struct sg_record *from, struct sg_record *to, struct sg_error *error)
{
    if (copy_record(from, to, error))
        return true;
    sg_record_done(to);
    return false;
}

void sg_record_done(struct sg_record *record)
{
    for (size_t i = 0; i < record->num_attributes; i++) {
        free(record->attributes[i].name);
        free(record->attributes[i].value);
    }
    free(record->attributes);
    free(record->id);
    *record = (struct sg_record){0};
}

void sg_requester_done(struct sg_requester *requester)
{
    sg_record_done(&requester->device);
    sg_record_done(&requester->user);
    free(requester->token);
    *requester = (struct sg_requester){0};
}
