/* Devices and users: the same for both; the noun is the URL's first segment. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"
#include "base/text.h"
#include "home/registry.h"
#include "home/view.h"

static enum sg_registry_kind kind_of(const struct sg_api_call *call)
{
    return call->segments[0][0] == 'd' ? SG_REGISTRY_DEVICE : SG_REGISTRY_USER;
}

static const char *noun_of(const struct sg_api_call *call)
{
    return kind_of(call) == SG_REGISTRY_DEVICE ? "device" : "user";
}

static const struct sg_schema *schema_of(const struct sg_api_call *call)
{
    const struct sg_config *config = sg_home_config(call->desk->home);

    return kind_of(call) == SG_REGISTRY_DEVICE ? &config->device : &config->user;
}

/* What the registry says no to is what the body says, but for what is not there. */
static bool settle(struct sg_api_call *call, const struct sg_error *why, struct sg_error *error)
{
    if (why->code == SG_UNAUTHENTICATED)
        return sg_api_refuse(call, 404, error, "registry", "there is no such %s", noun_of(call));
    if ((why->code == SG_REFUSED && why->rule[0] != '\0') || why->code == SG_MALFORMED)
        return sg_api_refuse(call, 422, error, why->rule, "%s", why->text);
    if (why->code == SG_REFUSED)
        return sg_api_refuse(call, 409, error, "registry", "%s", why->text);
    return sg_error_pass(error, why);
}

/* ---- reading ---- */

static bool list_one(const struct sg_record *record, void *context, struct sg_error *error)
{
    return sg_api_page_add(context, sg_view_record(record), record->id, error);
}

bool sg_api_list_records(struct sg_api_call *call, struct sg_error *error)
{
    sg_auto(sg_api_page) struct sg_api_page page = {0};
    const char *after = sg_api_query(call, "after");

    return sg_api_page_begin(call, &page, error) &&
           sg_store_list_records(call->store, kind_of(call), after != NULL ? after : "",
                                 page.limit + 1, list_one, &page, error) &&
           sg_api_page_reply(call, &page, call->segments[0], error);
}

static bool find(struct sg_api_call *call, struct sg_record *record, struct sg_error *error)
{
    struct sg_error why = {0};

    return sg_store_find_record(call->store, kind_of(call), call->segments[1], record, &why) ||
           settle(call, &why, error);
}

static bool reply_record(struct sg_api_call *call, unsigned status, struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};

    return find(call, &record, error) && sg_api_reply(call, status, sg_view_record(&record), error);
}

bool sg_api_get_record(struct sg_api_call *call, struct sg_error *error)
{
    return reply_record(call, 200, error);
}

/* ---- changing ---- */

static bool take_value(const char *name, const json_t *value, bool may_be_null,
                       struct sg_record *record, struct sg_error *error)
{
    const bool is_gone = may_be_null && json_is_null(value);

    if (!json_is_string(value) && !is_gone)
        return sg_fail(error, SG_USAGE, "JSON values", "a value has to be text in quotes%s",
                       may_be_null ? ", or null to take it away" : "");
    if (!is_gone && json_string_length(value) == 0)
        return sg_fail(error, SG_USAGE, "JSON values", "a value can't be empty");
    return sg_record_set(record, name, is_gone ? "" : json_string_value(value), error);
}

/* The object `values`, whose keys the registry's section in signet.yaml names. */
static bool take_values(const json_t *body, bool may_be_null, struct sg_record *record,
                        struct sg_error *error)
{
    json_t *values = json_object_get(body, "values");
    const char *name;
    json_t *value;

    if (values == NULL)
        return true;
    if (!json_is_object(values) || json_object_size(values) > SG_LIMIT_ATTRIBUTES)
        return sg_fail(error, SG_USAGE, "JSON values", "values has to be an object of texts");
    json_object_foreach(values, name, value)
    {
        if (!take_value(name, value, may_be_null, record, error))
            return false;
    }
    return true;
}

struct addition {
    const char *id;
};

static bool take_record(struct sg_api_call *call, struct sg_record *record, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"id", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct addition, id), 1, SG_LIMIT_VALUE},
        {"values", SG_JSON_OBJECT, SG_JSON_OPTIONAL, 0, 0, 0},
        {0},
    };
    struct addition addition = {0};

    if (!sg_api_read(call, FIELDS, &addition, error))
        return false;
    if ((record->id = strdup(addition.id)) == NULL)
        return sg_fail_memory(error);
    return take_values(call->body, false, record, error);
}

bool sg_api_add_record(struct sg_api_call *call, struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};
    struct sg_error why = {0};
    size_t index = 0;

    if (!take_record(call, &record, error))
        return false;
    if (!sg_registry_check(schema_of(call), noun_of(call), &record, &why) ||
        !sg_store_register(call->store, kind_of(call), &record, 1, &index, &why))
        return settle(call, &why, error);
    (void)snprintf(call->said, sizeof call->said, "%s %s was registered", noun_of(call), record.id);
    return sg_api_reply(call, 201, sg_view_record(&record), error);
}

struct amendment {
    const struct sg_schema *schema;
    const char *noun;
    const struct sg_record *changes;
};

static bool amend(struct sg_record *record, void *context, struct sg_error *error)
{
    const struct amendment *amendment = context;

    return sg_registry_amend(amendment->schema, amendment->noun, amendment->changes, record, error);
}

bool sg_api_change_record(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"values", SG_JSON_OBJECT, SG_JSON_REQUIRED, 0, 0, 0},
        {0},
    };
    sg_auto(sg_record) struct sg_record changes = {0};
    struct amendment amendment = {schema_of(call), noun_of(call), &changes};
    struct sg_error why = {0};

    if (!sg_api_read(call, FIELDS, &changes, error))
        return false;
    if ((changes.id = strdup(call->segments[1])) == NULL)
        return sg_fail_memory(error);
    if (!take_values(call->body, true, &changes, error))
        return false;
    if (!sg_store_amend_record(call->store, kind_of(call), changes.id, amend, &amendment, &why))
        return settle(call, &why, error);
    (void)snprintf(call->said, sizeof call->said, "%s %s was changed", noun_of(call), changes.id);
    return reply_record(call, 200, error);
}

static bool set_disabled(struct sg_api_call *call, bool disabled, struct sg_error *error)
{
    struct sg_error why = {0};

    if (!sg_store_set_disabled(call->store, kind_of(call), call->segments[1], disabled, &why))
        return settle(call, &why, error);
    (void)snprintf(call->said, sizeof call->said, "%s %s was %s", noun_of(call), call->segments[1],
                   disabled ? "disabled" : "enabled");
    return reply_record(call, 200, error);
}

bool sg_api_disable_record(struct sg_api_call *call, struct sg_error *error)
{
    return set_disabled(call, true, error);
}

bool sg_api_enable_record(struct sg_api_call *call, struct sg_error *error)
{
    return set_disabled(call, false, error);
}
