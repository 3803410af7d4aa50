#include "registry.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

const char *sg_registry_word(enum sg_registry_kind kind)
{
    return kind == SG_REGISTRY_DEVICE ? "device" : "user";
}

/* ---- attributes as JSON; sorted, so that equal attributes are equal texts ---- */

static bool encode(const struct sg_record *record, char **text, struct sg_error *error)
{
    sg_auto(json_t) json_t *object = json_object();
    if (object == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < record->num_attributes; i++) {
        const struct sg_attribute *attribute = &record->attributes[i];
        if (json_object_set_new(object, attribute->name, json_string(attribute->value)) != 0)
            return sg_fail_memory(error);
    }
    char *made = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (made == NULL)
        return sg_fail_memory(error);
    *text = made;
    return true;
}

static bool fail_record(const struct sg_store *store, const char *id, struct sg_error *error)
{
    return sg_fail(error, SG_STORE, NULL,
                   "store %s: the attributes of \"%s\" are not what Signet wrote: restore the "
                   "latest backup",
                   store->path, id);
}

static bool decode(const struct sg_store *store, const char *text, struct sg_record *record,
                   struct sg_error *error)
{
    sg_auto(json_t) json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(object))
        return fail_record(store, record->id, error);
    json_object_foreach(object, name, value)
    {
        if (!json_is_string(value))
            return fail_record(store, record->id, error);
        if (!sg_record_set(record, name, json_string_value(value), error))
            return false;
    }
    return true;
}

/* Reads the columns id, attributes, disabled. */
static bool read_record(const struct sg_query *query, struct sg_record *record,
                        struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record read = {.disabled = sg_column_int(query, 2) != 0};
    if (!sg_column_copy_text(query, 0, &read.id, error) ||
        !decode(query->store, sg_column_text(query, 1), &read, error))
        return false;
    *record = read;
    read = (struct sg_record){0};
    return true;
}

/* ---- for claims ---- */

bool sg_store_check_record(const struct sg_record *record, struct sg_error *error)
{
    if (record->id[0] == '\0')
        return sg_fail(error, SG_REFUSED, NULL, "a record without an id can't be registered");
    if (!sg_text_check(sg_slice_text(record->id), "the id", error))
        return false;
    for (size_t i = 0; i < record->num_attributes; i++) {
        const struct sg_attribute *attribute = &record->attributes[i];
        if (!sg_text_check(sg_slice_text(attribute->name), "an attribute's name", error) ||
            !sg_text_check(sg_slice_text(attribute->value), attribute->name, error))
            return sg_error_prefix(error, "%s", record->id);
    }
    return true;
}

static const char LOOK[] = "SELECT attributes, disabled FROM registry WHERE kind = ? AND id = ?";

bool sg_registry_ahead(struct sg_store *store, enum sg_registry_kind kind, const char *id,
                       struct sg_error *error)
{
    return sg_query_ahead(store, LOOK, SG_VALUES(sg_int(kind), sg_text(id)), error);
}

bool sg_registry_look(struct sg_store *store, enum sg_registry_kind kind, const char *id,
                      const struct sg_record *record, struct sg_registration *registration,
                      struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    sg_auto(malloc) char *attributes = NULL;
    if (!sg_query_start(store, LOOK, SG_VALUES(sg_int(kind), sg_text(id)), &query, error) ||
        (record != NULL && !encode(record, &attributes, error)))
        return false;
    struct sg_registration seen = {0};
    if (!sg_query_next(&query, &seen.found, error))
        return false;
    if (seen.found) {
        seen.disabled = sg_column_int(&query, 1) != 0;
        seen.same = attributes != NULL && strcmp(attributes, sg_column_text(&query, 0)) == 0;
    }
    *registration = seen;
    return true;
}

bool sg_registry_insert(struct sg_store *store, enum sg_registry_kind kind,
                        const struct sg_record *record, struct sg_error *error)
{
    sg_auto(malloc) char *attributes = NULL;
    return encode(record, &attributes, error) &&
           sg_sql_run(store,
                      "INSERT INTO registry (kind, id, attributes, disabled) VALUES (?, ?, ?, ?)",
                      SG_VALUES(sg_int(kind), sg_text(record->id), sg_text(attributes),
                                sg_int(record->disabled)),
                      error);
}

/* ---- public ---- */

static bool register_one(struct sg_store *store, enum sg_registry_kind kind,
                         const struct sg_record *record, struct sg_error *error)
{
    struct sg_registration known = {0};
    if (!sg_store_check_record(record, error) ||
        !sg_registry_look(store, kind, record->id, NULL, &known, error))
        return false;
    if (known.found)
        return sg_fail(error, SG_REFUSED, NULL, "%s \"%s\" is in the registry already%s",
                       sg_registry_word(kind), record->id, known.disabled ? ", disabled" : "");
    return sg_registry_insert(store, kind, record, error);
}

bool sg_store_register(struct sg_store *store, enum sg_registry_kind kind,
                       const struct sg_record *records, size_t num, size_t *index,
                       struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    size_t at = 0;
    bool done = sg_transaction_write(store, &write, error);
    for (; done && at < num; at += done)
        done = register_one(store, kind, &records[at], error);
    done = done && sg_transaction_commit(&write, error);
    if (!done && index != NULL)
        *index = at;
    return done;
}

static bool fail_unknown(enum sg_registry_kind kind, const char *id, struct sg_error *error)
{
    return sg_fail(error, SG_UNAUTHENTICATED, NULL,
                   "%s \"%s\" is not in the registry: `signet %s add` registers it",
                   sg_registry_word(kind), id, sg_registry_word(kind));
}

bool sg_store_find_record(struct sg_store *store, enum sg_registry_kind kind, const char *id,
                          struct sg_record *record, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store,
                        "SELECT id, attributes, disabled FROM registry WHERE kind = ? AND id = ?",
                        SG_VALUES(sg_int(kind), sg_text(id)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    return row ? read_record(&query, record, error) : fail_unknown(kind, id, error);
}

static bool replace_attributes(struct sg_store *store, enum sg_registry_kind kind,
                               const struct sg_record *record, struct sg_error *error)
{
    sg_auto(malloc) char *attributes = NULL;
    return sg_store_check_record(record, error) && encode(record, &attributes, error) &&
           sg_sql_run(store, "UPDATE registry SET attributes = ? WHERE kind = ? AND id = ?",
                      SG_VALUES(sg_text(attributes), sg_int(kind), sg_text(record->id)), error);
}

bool sg_store_amend_record(struct sg_store *store, enum sg_registry_kind kind, const char *id,
                           sg_record_amender *amend, void *context, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    sg_auto(sg_record) struct sg_record record = {0};
    return sg_transaction_write(store, &write, error) &&
           sg_store_find_record(store, kind, id, &record, error) &&
           amend(&record, context, error) && replace_attributes(store, kind, &record, error) &&
           sg_transaction_commit(&write, error);
}

bool sg_store_set_disabled(struct sg_store *store, enum sg_registry_kind kind, const char *id,
                           bool disabled, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    size_t changed = 0;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_sql_change(store, "UPDATE registry SET disabled = ? WHERE kind = ? AND id = ?",
                       SG_VALUES(sg_int(disabled), sg_int(kind), sg_text(id)), &changed, error))
        return false;
    if (changed == 0)
        return fail_unknown(kind, id, error);
    return sg_transaction_commit(&write, error);
}

static bool visit_rows(struct sg_query *query, sg_record_visitor *visit, void *context,
                       struct sg_error *error)
{
    for (bool row = false;;) {
        sg_auto(sg_record) struct sg_record record = {0};
        if (!sg_query_next(query, &row, error) ||
            (row && (!read_record(query, &record, error) || !visit(&record, context, error))))
            return false;
        if (!row)
            return true;
    }
}

bool sg_store_each_record(struct sg_store *store, enum sg_registry_kind kind,
                          sg_record_visitor *visit, void *context, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    return sg_query_start_many(
               store, "SELECT id, attributes, disabled FROM registry WHERE kind = ? ORDER BY id",
               SG_VALUES(sg_int(kind)), &query, error) &&
           visit_rows(&query, visit, context, error);
}

bool sg_store_list_records(struct sg_store *store, enum sg_registry_kind kind, const char *after,
                           size_t num, sg_record_visitor *visit, void *context,
                           struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    return sg_query_start(store,
                          "SELECT id, attributes, disabled FROM registry WHERE kind = ? AND id > ?"
                          " ORDER BY id LIMIT ?",
                          SG_VALUES(sg_int(kind), sg_text(after), sg_int((int64_t)num)), &query,
                          error) &&
           visit_rows(&query, visit, context, error);
}
