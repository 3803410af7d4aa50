#include "standing.h"

enum { OWNER, REASON, REVOKED, CLAIMED, NOT_AFTER };

/* A hold ends with the process that could have used its certificate. */
static void read_orphan(const struct sg_query *query, int first, struct sg_standing *standing)
{
    const bool revoked = !sg_column_is_null(query, first + REASON);
    standing->status = SG_STATUS_ORPHANED;
    standing->revoked = sg_column_int(query, first + (revoked ? REVOKED : CLAIMED));
    standing->reason =
        revoked ? (enum sg_reason)sg_column_int(query, first + REASON) : SG_REASON_UNSPECIFIED;
    if (standing->reason == SG_REASON_CERTIFICATE_HOLD)
        standing->reason = SG_REASON_UNSPECIFIED;
}

bool sg_standing_read(const struct sg_query *query, int first, int64_t now,
                      struct sg_standing *standing, struct sg_error *error)
{
    const bool pending = !sg_column_is_null(query, first + OWNER);
    bool alive = false;
    if (pending &&
        !sg_owner_probe(query->store, sg_column_int(query, first + OWNER), &alive, error))
        return false;

    *standing = (struct sg_standing){.not_after = sg_column_int(query, first + NOT_AFTER)};
    if (pending && !alive) {
        read_orphan(query, first, standing);
    } else if (!sg_column_is_null(query, first + REASON)) {
        standing->reason = (enum sg_reason)sg_column_int(query, first + REASON);
        standing->revoked = sg_column_int(query, first + REVOKED);
        standing->status =
            standing->reason == SG_REASON_CERTIFICATE_HOLD ? SG_STATUS_HELD : SG_STATUS_REVOKED;
    } else if (pending) {
        standing->status = SG_STATUS_IN_FLIGHT;
    } else {
        /* valid at notAfter itself, RFC 5280 4.1.2.5 */
        standing->status = standing->not_after < now ? SG_STATUS_EXPIRED : SG_STATUS_VALID;
    }
    return true;
}

static const char BY_ID[] =
    "SELECT c.serial, " SG_STANDING_COLUMNS " FROM " SG_STANDING_TABLES " WHERE c.id = ?";

bool sg_standing_ahead(struct sg_store *store, int64_t id, struct sg_error *error)
{
    return sg_query_ahead(store, BY_ID, SG_VALUES(sg_int(id)), error);
}

bool sg_standing_find(struct sg_store *store, int64_t id, int64_t now, struct sg_standing *standing,
                      struct sg_serial *serial, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store, BY_ID, SG_VALUES(sg_int(id)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    if (!row)
        return sg_fail(error, SG_REFUSED, NULL, "the store knows no certificate number %lld",
                       (long long)id);
    return sg_column_copy_serial(&query, 0, serial, error) &&
           sg_standing_read(&query, 1, now, standing, error);
}

/* ---- orphans ---- */

bool sg_standing_settle(struct sg_store *store, int64_t id, struct sg_error *error)
{
    return sg_sql_run(store,
                      "INSERT INTO revocation (claim, issuer, reason, revoked)"
                      " SELECT id, issuer, 0, claimed FROM claim WHERE id = ?"
                      " ON CONFLICT (claim) DO UPDATE SET reason = 0 WHERE revocation.reason = 6",
                      SG_VALUES(sg_int(id)), error) &&
           sg_sql_run(store, "UPDATE pending SET owner = 0 WHERE claim = ?", SG_VALUES(sg_int(id)),
                      error);
}

static bool settle_owner(struct sg_store *store, int64_t owner, struct sg_error *error)
{
    return sg_sql_run(store,
                      "INSERT INTO revocation (claim, issuer, reason, revoked)"
                      " SELECT c.id, c.issuer, 0, c.claimed"
                      " FROM pending p JOIN claim c ON c.id = p.claim"
                      " WHERE p.owner = ? AND p.owner <> 0"
                      " ON CONFLICT (claim) DO UPDATE SET reason = 0 WHERE revocation.reason = 6",
                      SG_VALUES(sg_int(owner)), error) &&
           sg_sql_run(store, "UPDATE pending SET owner = 0 WHERE owner = ? AND owner <> 0",
                      SG_VALUES(sg_int(owner)), error);
}

bool sg_standing_settle_all(struct sg_store *store, struct sg_error *error)
{
    for (int64_t owner = 0;;) {
        bool found = false, alive = false;
        if (!sg_sql_number(store, "SELECT min(owner) FROM pending WHERE owner > ? AND owner <> 0",
                           SG_VALUES(sg_int(owner)), &found, &owner, error))
            return false;
        if (!found)
            return true;
        if (!sg_owner_probe(store, owner, &alive, error) ||
            (!alive && !settle_owner(store, owner, error)))
            return false;
    }
}

/* ---- this handle as an owner ---- */

bool sg_store_take_owner(struct sg_store *store, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    bool found = false;
    int64_t id = 0;
    if (store->own != 0)
        return true;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_sql_run(store, "UPDATE counter SET last = last + 1 WHERE name = 'owner'", SG_NO_VALUES,
                    error) ||
        !sg_sql_number(store, "SELECT last FROM counter WHERE name = 'owner'", SG_NO_VALUES, &found,
                       &id, error))
        return false;
    if (!found)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: its counter of owners is gone: the store was changed by "
                       "something else than Signet; restore the latest backup",
                       store->path);
    if (!sg_owner_lock(store, id, error))
        return false;
    if (!sg_transaction_commit(&write, error)) {
        sg_owner_unlock(store);
        return false;
    }
    return true;
}
