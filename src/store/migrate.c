#include "migrate.h"

#include "engine.h"
#include "schema.h"

/* What each version brought. */
static const char *const BROUGHT[SG_SCHEMA_VERSION + 1] = {
    [2] = "a list of keys that are never certified",
    [3] = "a count of changes to revocations, for OCSP answers that are kept",
    [4] = "why one certificate supersedes another",
    [5] = "tickets, PINs, approvals and cards",
    [6] = "what happened to the store as a whole, and what quotas have used",
    [7] = "certificates by month in PostgreSQL, a smaller index of keys in SQLite",
};

/* ---- what was found ---- */

bool sg_schema_take(struct sg_store *store, int64_t version, struct sg_error *error)
{
    if (version > SG_SCHEMA_VERSION)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: it has version %lld, and this program knows no later one than "
                       "%d: use the newer Signet that wrote it",
                       store->path, (long long)version, SG_SCHEMA_VERSION);
    store->version = (int)version;
    return true;
}

bool sg_schema_require(const struct sg_store *store, struct sg_error *error)
{
    if (store->version == SG_SCHEMA_VERSION)
        return true;
    return sg_fail(error, SG_STORE, NULL,
                   "store %s: it has version %d, and this program needs version %d: stop what "
                   "uses it, make a backup with the Signet that wrote it, then run `signet store "
                   "migrate`",
                   store->path, store->version, SG_SCHEMA_VERSION);
}

bool sg_schema_note(struct sg_store *store, int64_t now, const char *what, struct sg_error *error)
{
    /* PostgreSQL would count from one, beside rows that were loaded with their ids. */
    return sg_sql_run(store,
                      "INSERT INTO event (id, moment, what)"
                      " SELECT coalesce(max(id), 0) + 1, ?, ? FROM event",
                      SG_VALUES(sg_int(now), sg_text(what)), error);
}

int sg_store_version(const struct sg_store *store)
{
    return store->version;
}

int sg_store_version_needed(void)
{
    return SG_SCHEMA_VERSION;
}

/* ---- the way up ---- */

bool sg_store_each_migration(const struct sg_store *store, sg_migration_visitor *visit,
                             void *context, struct sg_error *error)
{
    for (int version = store->version + 1; version <= SG_SCHEMA_VERSION; version++)
        if (!visit(version, BROUGHT[version], context, error))
            return false;
    return true;
}

static bool note_step(struct sg_store *store, int version, int64_t now, struct sg_error *error)
{
    char what[64];
    (void)snprintf(what, sizeof what, "tables of version %d", version);
    return version < SG_SCHEMA_EVENTS || sg_schema_note(store, now, what, error);
}

/* Another process may have been faster: the version counts that is found under the writers' lock.
 * *version is the one that was reached, 0 when there was nothing to do. */
static bool step(struct sg_store *store, int64_t now, int *version, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    if (!sg_transaction_write(store, &write, error) || !store->engine->check(store, error))
        return false;
    *version = 0;
    if (store->version == SG_SCHEMA_VERSION)
        return true;
    const int next = store->version + 1;
    if (!store->engine->climb(store, next, error) || !note_step(store, next, now, error) ||
        !sg_transaction_commit(&write, error))
        return false;
    *version = store->version = next;
    return true;
}

bool sg_store_migrate(struct sg_store *store, int64_t now, sg_migration_visitor *visit,
                      void *context, struct sg_error *error)
{
    for (int version = 0;;) {
        if (!step(store, now, &version, error))
            return false;
        if (version == 0)
            return true;
        if (!visit(version, BROUGHT[version], context, error))
            return false;
    }
}
