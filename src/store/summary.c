#include "summary.h"

#include "engine.h"
#include "schema.h"

/* Every claim has a certificate or is pending; counting certificates would read all their bytes. */
static const char COUNTS[] =
    "SELECT (SELECT count(*) FROM claim), (SELECT count(*) FROM pending),"
    " (SELECT count(*) FROM revocation), (SELECT count(*) FROM registry WHERE kind = ?),"
    " (SELECT count(*) FROM registry WHERE kind = ?)";

static bool count(struct sg_store *store, struct sg_store_summary *summary, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store, COUNTS,
                        SG_VALUES(sg_int(SG_REGISTRY_DEVICE), sg_int(SG_REGISTRY_USER)), &query,
                        error) ||
        !sg_query_next(&query, &row, error))
        return false;
    summary->num_unrecorded = sg_column_int(&query, 1);
    summary->num_certificates = sg_column_int(&query, 0) - summary->num_unrecorded;
    summary->num_revocations = sg_column_int(&query, 2);
    summary->num_devices = sg_column_int(&query, 3);
    summary->num_users = sg_column_int(&query, 4);
    return true;
}

static bool count_elsewhere(struct sg_store *store, struct sg_store_summary *summary,
                            struct sg_error *error)
{
    bool found = false;
    int64_t here = 0;
    summary->is_by_month = store->engine->months != NULL && store->version >= SG_SCHEMA_MONTHS;
    if (!summary->is_by_month)
        return true;
    if (!sg_sql_number(store, "SELECT count(*) FROM certificate", SG_NO_VALUES, &found, &here,
                       error))
        return false;
    summary->num_elsewhere = summary->num_certificates - here;
    return true;
}

bool sg_store_summarise(struct sg_store *store, struct sg_store_summary *summary,
                        struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction read = {0};
    struct sg_store_summary found = {
        .kind = store->engine->name_of_kind,
        .location = store->path,
        .version = store->version,
    };
    if (!sg_transaction_read(store, &read, error) || !count(store, &found, error) ||
        !count_elsewhere(store, &found, error) ||
        !store->engine->size(store, &found.bytes, error) || !sg_transaction_commit(&read, error))
        return false;
    *summary = found;
    return true;
}

bool sg_store_each_event(struct sg_store *store, sg_event_visitor *visit, void *context,
                         struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = true;
    if (store->version < SG_SCHEMA_EVENTS)
        return true;
    if (!sg_query_start_many(store, "SELECT moment, what FROM event ORDER BY id", SG_NO_VALUES,
                             &query, error))
        return false;
    while (row)
        if (!sg_query_next(&query, &row, error) ||
            (row && !visit(sg_column_int(&query, 0), sg_column_text(&query, 1), context, error)))
            return false;
    return true;
}

bool sg_store_each_month(struct sg_store *store, sg_month_visitor *visit, void *context,
                         struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = true;
    if (store->engine->months == NULL || store->version < SG_SCHEMA_MONTHS)
        return true;
    if (!sg_query_start_many(store, store->engine->months, SG_NO_VALUES, &query, error))
        return false;
    while (row)
        if (!sg_query_next(&query, &row, error) ||
            (row && !visit(sg_column_int(&query, 0), sg_column_int(&query, 1), context, error)))
            return false;
    return true;
}
