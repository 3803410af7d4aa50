#include "sqlite.h"

#include <errno.h>
#include <string.h>

static int bind(sqlite3_stmt *statement, int index, const struct sg_value *value)
{
    if (value->is_null)
        return sqlite3_bind_null(statement, index);
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
    const int kept = sqlite3_system_errno(store->sqlite->db);
    const int cause = last != 0 ? last : kept;
    return sg_fail(error, SG_STORE, NULL, "store %s: %s (result %d, %s): %s", store->path,
                   sqlite3_errstr(result), result, cause != 0 ? strerror(cause) : "no cause given",
                   is_out_of_room(cause) ? "the disk is full or a quota is used up: make room, "
                                           "then try again"
                                         : "check the disk and the kernel's log");
}

bool sg_sqlite_fail(const struct sg_store *store, int result, struct sg_error *error)
{
    const int primary = result & 0xff;
    if (primary == SQLITE_NOMEM)
        return sg_fail_memory(error);
    if (primary == SQLITE_IOERR)
        return fail_io(store, result, error);
    const char *said =
        store->sqlite->db != NULL ? sqlite3_errmsg(store->sqlite->db) : sqlite3_errstr(result);
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
    const int result = sqlite3_prepare_v3(store->sqlite->db, text, -1, flags, compiled, NULL);
    return result == SQLITE_OK || sg_sqlite_fail(store, result, error);
}

/* A kept statement that is in use (a visitor that asks the store again) can't be shared: then, and
 * when there is no place left, the caller gets one of his own. */
static bool find_kept(struct sg_query *query, const char *text, sqlite3_stmt **compiled,
                      struct sg_error *error)
{
    struct sg_sqlite *sqlite = query->store->sqlite;
    struct sg_statement *place = sqlite->kept;
    struct sg_statement *const end = sqlite->kept + sqlite->num_kept;
    while (place < end && place->text != text)
        place++;
    if (place == sqlite->kept + SG_STATEMENTS_KEPT ||
        (place < end && sqlite3_stmt_busy(place->compiled)))
        return compile(query->store, text, 0, compiled, error);
    if (place == end) {
        if (!compile(query->store, text, SQLITE_PREPARE_PERSISTENT, &place->compiled, error))
            return false;
        place->text = text;
        sqlite->num_kept++;
    }
    *compiled = place->compiled;
    query->kept = true;
    return true;
}

static bool bind_all(struct sg_query *query, const struct sg_value *values, struct sg_error *error)
{
    int index = 0;
    for (; values != NULL && values[index].kind != SG_VALUE_END; index++) {
        const int result = bind(query->statement, index + 1, &values[index]);
        if (result != SQLITE_OK)
            return sg_sqlite_fail(query->store, result, error);
    }
    if (index != sqlite3_bind_parameter_count(query->statement))
        return sg_fail(error, SG_INTERNAL, NULL, "store: %d values for the %d parameters of \"%s\"",
                       index, sqlite3_bind_parameter_count(query->statement),
                       sqlite3_sql(query->statement));
    return true;
}

static bool start(struct sg_query *query, enum sg_query_kind kind, const char *text,
                  const struct sg_value *values, struct sg_error *error)
{
    sqlite3_stmt *compiled = NULL;
    if (!(kind == SG_QUERY_KEPT ? find_kept(query, text, &compiled, error)
                                : compile(query->store, text, 0, &compiled, error)))
        return false;
    query->statement = compiled;
    return bind_all(query, values, error);
}

static bool next(struct sg_query *query, bool *row, struct sg_error *error)
{
    errno = 0;
    const int result = sqlite3_step(query->statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return sg_sqlite_fail(query->store, result, error);
    *row = result == SQLITE_ROW;
    return true;
}

static void done(struct sg_query *query)
{
    if (query->kept) {
        (void)sqlite3_reset(query->statement);
        (void)sqlite3_clear_bindings(query->statement);
    } else {
        (void)sqlite3_finalize(query->statement);
    }
}

static bool run(struct sg_store *store, const char *text, const struct sg_value *values,
                struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {.store = store};
    bool row = false;
    return start(&query, SG_QUERY_KEPT, text, values, error) && next(&query, &row, error);
}

static bool change(struct sg_store *store, const char *text, const struct sg_value *values,
                   size_t *num_changed, struct sg_error *error)
{
    if (!run(store, text, values, error))
        return false;
    *num_changed = (size_t)sqlite3_changes(store->sqlite->db);
    return true;
}

/* ---- columns ---- */

static bool is_null(const struct sg_query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

static int64_t number(const struct sg_query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

static const char *text(const struct sg_query *query, int column)
{
    return (const char *)sqlite3_column_text(query->statement, column);
}

static struct sg_slice bytes(const struct sg_query *query, int column)
{
    const void *data = sqlite3_column_blob(query->statement, column);
    return sg_slice_of(data, (size_t)sqlite3_column_bytes(query->statement, column));
}

static const char *name(const struct sg_query *query, int column)
{
    return sqlite3_column_name(query->statement, column);
}

/* ---- transactions ---- */

bool sg_sqlite_exec(struct sg_store *store, const char *text, struct sg_error *error)
{
    errno = 0;
    const int result = sqlite3_exec(store->sqlite->db, text, NULL, NULL, NULL);
    return result == SQLITE_OK || sg_sqlite_fail(store, result, error);
}

/* Writers take the write lock at once. */
static bool begin(struct sg_store *store, bool to_write, struct sg_error *error)
{
    return run(store, to_write ? "BEGIN IMMEDIATE" : "BEGIN", SG_NO_VALUES, error);
}

static bool commit(struct sg_store *store, struct sg_error *error)
{
    return run(store, "COMMIT", SG_NO_VALUES, error);
}

static void rollback(struct sg_store *store)
{
    /* After some failures (a full disk) SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(store->sqlite->db))
        (void)sqlite3_exec(store->sqlite->db, "ROLLBACK", NULL, NULL, NULL);
}

/* Its file is never far. */
static bool was_interrupted(struct sg_store *store)
{
    (void)store;
    return false;
}

/* ---- size ---- */

static bool size(struct sg_store *store, int64_t *bytes, struct sg_error *error)
{
    bool found = false;
    return sg_sql_number(
        store,
        "SELECT p.page_count * s.page_size FROM pragma_page_count p CROSS JOIN pragma_page_size s",
        SG_NO_VALUES, &found, bytes, error);
}

/* ---- owners ---- */

static bool owner_lock(struct sg_store *store, int64_t id, struct sg_error *error)
{
    return sg_owners_lock(&store->sqlite->owners, id, error);
}

static void owner_unlock(struct sg_store *store)
{
    sg_owners_unlock(&store->sqlite->owners, store->own);
}

static bool owner_probe(struct sg_store *store, int64_t id, bool *alive, struct sg_error *error)
{
    return sg_owners_probe(&store->sqlite->owners, id, alive, error);
}

const struct sg_engine sg_sqlite_engine = {
    .name_of_kind = "SQLite",
    .open = sg_sqlite_open,
    .close = sg_sqlite_close,
    .check = sg_sqlite_check,
    .climb = sg_sqlite_climb,
    .create = sg_sqlite_create,
    .place = sg_sqlite_place,
    .size = size,
    .start = start,
    .next = next,
    .done = done,
    .run = run,
    .change = change,
    .is_null = is_null,
    .number = number,
    .text = text,
    .bytes = bytes,
    .name = name,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .was_interrupted = was_interrupted,
    .owner_lock = owner_lock,
    .owner_unlock = owner_unlock,
    .owner_probe = owner_probe,
};
