/* fields: which fields of records a policy refers to, held against what a registry has. */
#include <string.h>

#include "shape.h"

/* The notes so far, and what they are made from. */
struct noting {
    const struct sg_policy *policy;
    const struct sg_schema *device, *user;
    struct sg_buf *notes;
    struct sg_error *error;
};

/* The same misspelling in five places is one mistake. */
static bool is_told(const struct noting *noting, const char *what, const char *name)
{
    char phrase[96];
    int len = snprintf(phrase, sizeof phrase, " %s.%s (a ", what, name);

    return noting->notes->len > 0 &&
           memmem(noting->notes->data, noting->notes->len, phrase, (size_t)len) != NULL;
}

static bool note_field(const struct noting *noting, const struct sg_yaml_node *node,
                       const char *what, const char *name)
{
    const struct sg_schema *schema = strcmp(what, "device") == 0 ? noting->device : noting->user;
    char known[SG_SCHEMA_TEXT_SIZE];
    struct sg_error note = {0};

    if (sg_schema_field(schema, name) != NULL || is_told(noting, what, name))
        return true;
    (void)sg_yaml_fail(noting->policy->document, node, &note,
                       "the registry has no field %s.%s (a %s has %s)", what, name, what,
                       sg_schema_text(schema, known));
    return sg_buf_printf(noting->notes, SG_LIMIT_YAML, noting->error, "%s\n", note.text);
}

static bool note_value(const struct noting *noting, const struct sg_value *value)
{
    for (size_t i = 0; i < value->num; i++) {
        const struct sg_value_part *part = &value->parts[i];

        if (part->source == SG_VALUE_DEVICE &&
            !note_field(noting, value->node, "device", part->name))
            return false;
        if (part->source == SG_VALUE_USER && !note_field(noting, value->node, "user", part->name))
            return false;
    }
    return true;
}

static bool note_content(const struct noting *noting, const struct sg_policy_content *content)
{
    for (size_t i = 0; i < content->num; i++)
        if (!note_content(noting, &content->items[i]))
            return false;
    return note_value(noting, &content->value);
}

static bool note_names(const struct noting *noting, const struct sg_policy_subject *names)
{
    for (size_t i = 0; i < names->num; i++)
        if (!note_value(noting, &names->items[i].value))
            return false;
    return true;
}

static bool note_sans(const struct noting *noting)
{
    const struct sg_policy_sans *sans = &noting->policy->sans;

    for (size_t i = 0; i < sans->num; i++)
        if (!note_names(noting, &sans->items[i].dirname) ||
            !note_value(noting, &sans->items[i].value) ||
            !note_content(noting, &sans->items[i].content))
            return false;
    return true;
}

static bool note_extensions(const struct noting *noting)
{
    const struct sg_policy_extensions *extensions = &noting->policy->extensions;

    for (size_t i = 0; i < extensions->num; i++)
        if (!note_content(noting, &extensions->items[i].content))
            return false;
    return true;
}

/* "user.sid"; `enabled` is no field. */
static bool note_recheck(const struct noting *noting)
{
    const struct sg_yaml_node *root = sg_yaml_root(noting->policy->document);
    const struct sg_yaml_node *renewal = sg_yaml_get(root, "renewal");
    const struct sg_policy_renewal *rules = &noting->policy->renewal;

    for (size_t i = 0; i < rules->num_recheck; i++) {
        const char *name = strchr(rules->recheck[i], '.') + 1;
        const char *what = rules->recheck[i][0] == 'd' ? "device" : "user";

        if (strcmp(name, "enabled") != 0 &&
            !note_field(noting, sg_yaml_get(renewal, "recheck"), what, name))
            return false;
    }
    return true;
}

bool sg_policy_note_fields(const struct sg_policy *policy, const struct sg_schema *device,
                           const struct sg_schema *user, struct sg_buf *notes,
                           struct sg_error *error)
{
    const struct noting noting = {policy, device, user, notes, error};

    return note_names(&noting, &policy->subject) && note_sans(&noting) &&
           note_extensions(&noting) && note_value(&noting, &policy->validity.until_value) &&
           note_recheck(&noting);
}
