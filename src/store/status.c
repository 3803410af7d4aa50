/* How serial numbers stand. */
#include "status.h"

#include "schema.h"
#include "standing.h"

bool sg_store_status_generation(struct sg_store *store, int64_t *generation, struct sg_error *error)
{
    bool found = false;
    int64_t counted = 0;
    if (!sg_sql_number(store, "SELECT last FROM counter WHERE name = 'status'", SG_NO_VALUES,
                       &found, &counted, error))
        return false;
    if (!found && store->version >= SG_SCHEMA_STATUS_COUNTED)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: its counter of revocations is gone: the store was changed by "
                       "something else than Signet; restore the latest backup",
                       store->path);
    *generation = found ? counted : -1;
    return true;
}

static bool look_up(struct sg_store *store, int64_t issuer, const struct sg_serial *serial,
                    int64_t now, struct sg_serial_status *status, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    struct sg_standing standing = {0};
    bool row = false;
    if (!sg_query_start(store,
                        "SELECT p.claim IS NULL OR p.owner = 0, " SG_STANDING_COLUMNS
                        " FROM " SG_STANDING_TABLES " WHERE c.serial = ? AND c.issuer = ?",
                        SG_VALUES(sg_serial_value(serial), sg_int(issuer)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    *status = (struct sg_serial_status){0};
    if (!row)
        return true;
    if (!sg_standing_read(&query, 1, now, &standing, error))
        return false;
    *status = (struct sg_serial_status){
        .known = true,
        .lasting = sg_column_int(&query, 0) != 0,
        .status = standing.status,
        .revoked = standing.revoked,
        .reason = standing.reason,
    };
    return true;
}

bool sg_store_serial_statuses(struct sg_store *store, int64_t issuer,
                              const struct sg_serial *serials, size_t num, int64_t now,
                              struct sg_serial_status *statuses, int64_t *generation,
                              struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction read = {0};
    if (!sg_transaction_read(store, &read, error) ||
        !sg_store_status_generation(store, generation, error))
        return false;
    for (size_t i = 0; i < num; i++)
        if (!look_up(store, issuer, &serials[i], now, &statuses[i], error))
            return false;
    return sg_transaction_commit(&read, error);
}
