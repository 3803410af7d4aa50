#include "sql.h"

#include <errno.h>
#include <string.h>

/* ---- values ---- */

struct sg_value sg_int(int64_t number)
{
    return (struct sg_value){.kind = SG_VALUE_INT, .number = number};
}

struct sg_value sg_text(const char *text)
{
    if (text == NULL)
        return (struct sg_value){.kind = SG_VALUE_NULL};
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

static int bind(sqlite3_stmt *statement, int index, const struct sg_value *value)
{
    switch (value->kind) {
    case SG_VALUE_INT:
        return sqlite3_bind_int64(statement, index, value->number);
    case SG_VALUE_TEXT:
        return sqlite3_bind_text64(statement, index, (const char *)value->bytes.data,
                                   value->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case SG_VALUE_BYTES:
        if (value->bytes.len == 0)
            return sqlite3_bind_zeroblob(statement, index, 0);
        return sqlite3_bind_blob64(statement, index, value->bytes.data, value->bytes.len,
                                   SQLITE_STATIC);
    case SG_VALUE_NULL:
    case SG_VALUE_END:
        break;
    }
    return sqlite3_bind_null(statement, index);
}

/* ---- errors ---- */

/* What the operator can do, by SQLite's primary result code. */
static const struct {
    int result;
    const char *remedy;
} REMEDIES[] = {
    {SQLITE_FULL, "the disk is full: make room, then try again"},
    {SQLITE_READONLY, "the file or its folder is read-only: check their owner and permissions, and "
                      "how the file system is mounted"},
    {SQLITE_BUSY, "another process has kept it locked: wait for it or stop it, then try again"},
    {SQLITE_LOCKED, "another process has kept it locked: wait for it or stop it, then try again"},
    {SQLITE_NOTADB, "it is not a store of Signet's: check `store` in signet.yaml"},
    {SQLITE_CORRUPT, "it is damaged: keep a copy for study and restore the latest backup"},
    {SQLITE_CANTOPEN, "check that it is a file, and that it and its folder may be read and "
                      "written"},
    {SQLITE_PERM, "check the owner and permissions of the file and its folder"},
    {SQLITE_TOOBIG, "a value is larger than SQLite takes"},
};

/* A quota or a limit on file sizes is a full disk in all but name; SQLite tells only ENOSPC so. */
static bool is_out_of_room(int system_errno)
{
    return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

static bool fail_io(const struct sg_store *store, int result, struct sg_error *error)
{
    /* SQLite does not keep the cause when it is COMMIT that fails; errno is of the same step. */
    const int last = errno;
    const int kept = sqlite3_system_errno(store->db);
    const int cause = last != 0 ? last : kept;
    return sg_fail(error, SG_STORE, NULL, "store %s: %s (result %d, %s): %s", store->path,
                   sqlite3_errstr(result), result, cause != 0 ? strerror(cause) : "no cause given",
                   is_out_of_room(cause) ? "the disk is full or a quota is used up: make room, "
                                           "then try again"
                                         : "check the disk and the kernel's log");
}

bool sg_sql_fail(const struct sg_store *store, int result, struct sg_error *error)
{
    const int primary = result & 0xff;
    if (primary == SQLITE_NOMEM)
        return sg_fail_memory(error);
    if (primary == SQLITE_IOERR)
        return fail_io(store, result, error);
    const char *said = store->db != NULL ? sqlite3_errmsg(store->db) : sqlite3_errstr(result);
    for (size_t i = 0; i < sizeof REMEDIES / sizeof REMEDIES[0]; i++)
        if (REMEDIES[i].result == primary)
            return sg_fail(error, SG_STORE, NULL, "store %s: %s: %s", store->path, said,
                           REMEDIES[i].remedy);
    return sg_fail(error, SG_INTERNAL, NULL, "store %s: SQLite result %d: %s", store->path, result,
                   said);
}

/* ---- queries ---- */

static bool compile(struct sg_store *store, const char *text, unsigned flags,
                    sqlite3_stmt **compiled, struct sg_error *error)
{
    const int result = sqlite3_prepare_v3(store->db, text, -1, flags, compiled, NULL);
    return result == SQLITE_OK || sg_sql_fail(store, result, error);
}

/* A kept statement that is in use (a visitor that asks the store again) can't be shared: then, and
 * when there is no place left, the caller gets one of his own. */
static bool find_kept(struct sg_store *store, const char *text, sqlite3_stmt **compiled, bool *kept,
                      struct sg_error *error)
{
    struct sg_statement *place = store->kept;
    struct sg_statement *const end = store->kept + store->num_kept;
    while (place < end && place->text != text)
        place++;
    if (place == store->kept + SG_STATEMENTS_KEPT ||
        (place < end && sqlite3_stmt_busy(place->compiled))) {
        *kept = false;
        return compile(store, text, 0, compiled, error);
    }
    if (place == end) {
        if (!compile(store, text, SQLITE_PREPARE_PERSISTENT, &place->compiled, error))
            return false;
        place->text = text;
        store->num_kept++;
    }
    *compiled = place->compiled;
    *kept = true;
    return true;
}

static bool bind_all(struct sg_query *query, const struct sg_value *values, struct sg_error *error)
{
    int index = 0;
    for (; values != NULL && values[index].kind != SG_VALUE_END; index++) {
        const int result = bind(query->compiled, index + 1, &values[index]);
        if (result != SQLITE_OK)
            return sg_sql_fail(query->store, result, error);
    }
    if (index != sqlite3_bind_parameter_count(query->compiled))
        return sg_fail(error, SG_INTERNAL, NULL, "store: %d values for the %d parameters of \"%s\"",
                       index, sqlite3_bind_parameter_count(query->compiled),
                       sqlite3_sql(query->compiled));
    return true;
}

bool sg_query_start(struct sg_store *store, const char *text, const struct sg_value *values,
                    struct sg_query *query, struct sg_error *error)
{
    query->store = store;
    return find_kept(store, text, &query->compiled, &query->kept, error) &&
           bind_all(query, values, error);
}

bool sg_query_start_once(struct sg_store *store, const char *text, const struct sg_value *values,
                         struct sg_query *query, struct sg_error *error)
{
    query->store = store;
    query->kept = false;
    return compile(store, text, 0, &query->compiled, error) && bind_all(query, values, error);
}

bool sg_query_next(struct sg_query *query, bool *row, struct sg_error *error)
{
    errno = 0;
    const int result = sqlite3_step(query->compiled);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return sg_sql_fail(query->store, result, error);
    *row = result == SQLITE_ROW;
    return true;
}

void sg_query_done(struct sg_query *query)
{
    if (query->kept && query->compiled != NULL) {
        (void)sqlite3_reset(query->compiled);
        (void)sqlite3_clear_bindings(query->compiled);
    } else {
        (void)sqlite3_finalize(query->compiled);
    }
    *query = (struct sg_query){0};
}

/* ---- columns ---- */

bool sg_column_is_null(const struct sg_query *query, int column)
{
    return sqlite3_column_type(query->compiled, column) == SQLITE_NULL;
}

int64_t sg_column_int(const struct sg_query *query, int column)
{
    return sqlite3_column_int64(query->compiled, column);
}

const char *sg_column_text(const struct sg_query *query, int column)
{
    return (const char *)sqlite3_column_text(query->compiled, column);
}

struct sg_slice sg_column_bytes(const struct sg_query *query, int column)
{
    const void *data = sqlite3_column_blob(query->compiled, column);
    return sg_slice_of(data, (size_t)sqlite3_column_bytes(query->compiled, column));
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
                   query->store->path, sqlite3_column_name(query->compiled, column));
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

bool sg_sql_exec(struct sg_store *store, const char *text, struct sg_error *error)
{
    errno = 0;
    const int result = sqlite3_exec(store->db, text, NULL, NULL, NULL);
    return result == SQLITE_OK || sg_sql_fail(store, result, error);
}

bool sg_sql_run(struct sg_store *store, const char *text, const struct sg_value *values,
                struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    return sg_query_start(store, text, values, &query, error) && sg_query_next(&query, &row, error);
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
    if (!sg_sql_run(store, "BEGIN IMMEDIATE", SG_NO_VALUES, error))
        return false;
    transaction->store = store;
    return true;
}

bool sg_transaction_read(struct sg_store *store, struct sg_transaction *transaction,
                         struct sg_error *error)
{
    if (!sg_sql_run(store, "BEGIN", SG_NO_VALUES, error))
        return false;
    transaction->store = store;
    return true;
}

bool sg_transaction_commit(struct sg_transaction *transaction, struct sg_error *error)
{
    if (!sg_sql_run(transaction->store, "COMMIT", SG_NO_VALUES, error))
        return false;
    transaction->store = NULL;
    return true;
}

void sg_transaction_done(struct sg_transaction *transaction)
{
    /* After some failures (a full disk) SQLite has rolled back by itself. */
    if (transaction->store != NULL && !sqlite3_get_autocommit(transaction->store->db))
        (void)sqlite3_exec(transaction->store->db, "ROLLBACK", NULL, NULL, NULL);
    transaction->store = NULL;
}
