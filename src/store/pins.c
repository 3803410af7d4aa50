#include "pins.h"

#include <string.h>

#include "evidence.h"
#include "schema.h"

void sg_pin_done(struct sg_pin *pin)
{
    free(pin->device);
    *pin = (struct sg_pin){0};
}

static bool has_pin(struct sg_store *store, const char *user, bool *found, struct sg_error *error)
{
    int64_t ignored = 0;
    return sg_sql_number(store, "SELECT 1 FROM pin WHERE \"user\" = ?", SG_VALUES(sg_text(user)),
                         found, &ignored, error);
}

bool sg_store_put_pin(struct sg_store *store, const char *user, const struct sg_pin *pin,
                      struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    bool found = false;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_store_check_enabled(store, SG_REGISTRY_USER, user, error) ||
        !has_pin(store, user, &found, error))
        return false;
    if (found)
        return sg_fail(error, SG_REFUSED, "PIN",
                       "user \"%s\" has a PIN; it has to be cleared before another is chosen",
                       user);
    return sg_sql_run(store,
                      "INSERT INTO pin (\"user\", device, chosen, salt, verifier, key_check)"
                      " VALUES (?, ?, ?, ?, ?, ?)",
                      SG_VALUES(sg_text(user), sg_text(pin->device), sg_int(pin->chosen),
                                sg_bytes(sg_slice_of(pin->salt, sizeof pin->salt)),
                                sg_digest(pin->verifier), sg_digest(pin->key_check)),
                      error) &&
           sg_transaction_commit(&write, error);
}

static bool read_pin(const struct sg_query *query, struct sg_pin *pin, struct sg_error *error)
{
    sg_auto(sg_pin) struct sg_pin read = {.chosen = sg_column_int(query, 1)};
    const struct sg_slice salt = sg_column_bytes(query, 2);
    if (salt.len != sizeof read.salt)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: a PIN's salt has the wrong length: restore the latest backup",
                       query->store->path);
    memcpy(read.salt, salt.data, sizeof read.salt);
    if (!sg_column_copy_text(query, 0, &read.device, error) ||
        !sg_column_copy_digest(query, 3, read.verifier, error) ||
        !sg_column_copy_digest(query, 4, read.key_check, error))
        return false;
    *pin = read;
    read = (struct sg_pin){0};
    return true;
}

bool sg_store_find_pin(struct sg_store *store, const char *user, bool *found, struct sg_pin *pin,
                       struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    *found = false;
    if (store->version < SG_SCHEMA_EVIDENCE)
        return true;
    return sg_query_start(store,
                          "SELECT device, chosen, salt, verifier, key_check FROM pin"
                          " WHERE \"user\" = ?",
                          SG_VALUES(sg_text(user)), &query, error) &&
           sg_query_next(&query, found, error) && (!*found || read_pin(&query, pin, error));
}

bool sg_store_clear_pin(struct sg_store *store, const char *user, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    size_t changed = 0;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_sql_change(store, "DELETE FROM pin WHERE \"user\" = ?", SG_VALUES(sg_text(user)),
                       &changed, error))
        return false;
    if (changed == 0)
        return sg_fail(error, SG_REFUSED, "PIN", "user \"%s\" has no PIN", user);
    return sg_transaction_commit(&write, error);
}
