#include "sql.h"

#include <string.h>

#include "engine.h"

/* of a transaction that lost connections have interrupted */
enum { MAX_TRIES = 5 };

/* ---- values ---- */

struct sg_value sg_int(int64_t number)
{
    return (struct sg_value){.kind = SG_VALUE_INT, .number = number};
}

struct sg_value sg_text(const char *text)
{
    if (text == NULL)
        return (struct sg_value){.kind = SG_VALUE_TEXT, .is_null = true};
    return (struct sg_value){.kind = SG_VALUE_TEXT, .bytes = sg_slice_text(text)};
}

struct sg_value sg_bytes(struct sg_slice bytes)
{
    return (struct sg_value){.kind = SG_VALUE_BYTES, .bytes = bytes};
}

struct sg_value sg_digest(const uint8_t sha256[SG_SHA256_LEN])
{
    return sg_bytes(sg_slice_of(sha256, SG_SHA256_LEN));
}

struct sg_value sg_serial_value(const struct sg_serial *serial)
{
    return sg_bytes(sg_slice_of(serial->bytes, serial->len));
}

struct sg_value sg_unless(bool is_null, struct sg_value value)
{
    value.is_null = is_null;
    return value;
}

/* ---- queries ---- */

bool sg_query_start(struct sg_store *store, const char *text, const struct sg_value *values,
                    struct sg_query *query, struct sg_error *error)
{
    query->store = store;
    return store->engine->start(query, SG_QUERY_KEPT, text, values, error);
}

bool sg_query_start_many(struct sg_store *store, const char *text, const struct sg_value *values,
                         struct sg_query *query, struct sg_error *error)
{
    query->store = store;
    return store->engine->start(query, SG_QUERY_MANY, text, values, error);
}

bool sg_query_ahead(struct sg_store *store, const char *text, const struct sg_value *values,
                    struct sg_error *error)
{
    return store->engine->ahead == NULL || store->engine->ahead(store, text, values, error);
}

bool sg_query_next(struct sg_query *query, bool *row, struct sg_error *error)
{
    return query->store->engine->next(query, row, error);
}

void sg_query_done(struct sg_query *query)
{
    if (query->statement != NULL)
        query->store->engine->done(query);
    *query = (struct sg_query){0};
}

/* ---- columns ---- */

bool sg_column_is_null(const struct sg_query *query, int column)
{
    return query->store->engine->is_null(query, column);
}

int64_t sg_column_int(const struct sg_query *query, int column)
{
    return query->store->engine->number(query, column);
}

const char *sg_column_text(const struct sg_query *query, int column)
{
    return query->store->engine->text(query, column);
}

struct sg_slice sg_column_bytes(const struct sg_query *query, int column)
{
    return query->store->engine->bytes(query, column);
}

bool sg_column_copy_text(const struct sg_query *query, int column, char **copy,
                         struct sg_error *error)
{
    const char *text = sg_column_text(query, column);
    char *made = text != NULL ? strdup(text) : NULL;
    if (made == NULL && !sg_column_is_null(query, column))
        return sg_fail_memory(error);
    *copy = made;
    return true;
}

static bool fail_column(const struct sg_query *query, int column, struct sg_error *error)
{
    return sg_fail(error, SG_STORE, NULL,
                   "store %s: column %s has the wrong length: the store was changed by something "
                   "else than Signet; restore the latest backup",
                   query->store->path, query->store->engine->name(query, column));
}

bool sg_column_copy_digest(const struct sg_query *query, int column, uint8_t digest[SG_SHA256_LEN],
                           struct sg_error *error)
{
    const struct sg_slice bytes = sg_column_bytes(query, column);
    if (bytes.len != SG_SHA256_LEN)
        return fail_column(query, column, error);
    memcpy(digest, bytes.data, SG_SHA256_LEN);
    return true;
}

bool sg_column_copy_serial(const struct sg_query *query, int column, struct sg_serial *serial,
                           struct sg_error *error)
{
    const struct sg_slice bytes = sg_column_bytes(query, column);
    if (bytes.len == 0 || bytes.len > sizeof serial->bytes)
        return fail_column(query, column, error);
    memcpy(serial->bytes, bytes.data, bytes.len);
    serial->len = bytes.len;
    return true;
}

/* ---- whole statements ---- */

bool sg_sql_run(struct sg_store *store, const char *text, const struct sg_value *values,
                struct sg_error *error)
{
    return store->engine->run(store, text, values, error);
}

bool sg_sql_change(struct sg_store *store, const char *text, const struct sg_value *values,
                   size_t *num_changed, struct sg_error *error)
{
    return store->engine->change(store, text, values, num_changed, error);
}

bool sg_sql_expect(struct sg_store *store, int64_t claimed, struct sg_error *error)
{
    return store->engine->expect == NULL || store->engine->expect(store, claimed, error);
}

bool sg_sql_insert(struct sg_store *store, const char *text, const struct sg_value *values,
                   int64_t *id, struct sg_error *error)
{
    bool found = false;
    return sg_sql_number(store, text, values, &found, id, error) &&
           (found || sg_fail(error, SG_INTERNAL, NULL, "store: \"%s\" told no id", text));
}

bool sg_sql_number(struct sg_store *store, const char *text, const struct sg_value *values,
                   bool *found, int64_t *number, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store, text, values, &query, error) || !sg_query_next(&query, &row, error))
        return false;
    *found = row && !sg_column_is_null(&query, 0);
    if (*found)
        *number = sg_column_int(&query, 0);
    return true;
}

/* ---- transactions ---- */

bool sg_transaction_write(struct sg_store *store, struct sg_transaction *transaction,
                          struct sg_error *error)
{
    if (store->read_only)
        return sg_fail(error, SG_STORE, NULL, "store %s was opened for reading only", store->path);
    if (!store->engine->begin(store, true, error))
        return false;
    transaction->store = store;
    return true;
}

bool sg_transaction_read(struct sg_store *store, struct sg_transaction *transaction,
                         struct sg_error *error)
{
    if (!store->engine->begin(store, false, error))
        return false;
    transaction->store = store;
    return true;
}

bool sg_transaction_commit(struct sg_transaction *transaction, struct sg_error *error)
{
    if (!transaction->store->engine->commit(transaction->store, error))
        return false;
    transaction->store = NULL;
    return true;
}

void sg_transaction_done(struct sg_transaction *transaction)
{
    if (transaction->store != NULL)
        transaction->store->engine->rollback(transaction->store);
    transaction->store = NULL;
}

bool sg_sql_may_try_again(struct sg_store *store, int *tries, struct sg_error *error)
{
    if (!store->engine->was_interrupted(store) || ++*tries >= MAX_TRIES)
        return false;
    sg_error_clear(error);
    return true;
}

/* ---- owners ---- */

bool sg_owner_lock(struct sg_store *store, int64_t id, struct sg_error *error)
{
    if (!store->engine->owner_lock(store, id, error))
        return false;
    store->own = id;
    return true;
}

void sg_owner_unlock(struct sg_store *store)
{
    store->engine->owner_unlock(store);
    store->own = 0;
}

bool sg_owner_probe(struct sg_store *store, int64_t id, bool *alive, struct sg_error *error)
{
    if (id != 0 && id != store->own)
        return store->engine->owner_probe(store, id, alive, error);
    *alive = id != 0;
    return true;
}
