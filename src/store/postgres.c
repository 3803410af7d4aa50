/* The engine on PostgreSQL: queries, transactions, owners. */
#include "postgres.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

/* Rows of a cursor that are fetched at a time. */
enum { PORTION = 256, MAX_NAME = 24 };

/* What a query holds: the rows that are here, and the cursor that has more. */
struct rows {
    PGresult *result;
    int row;
    char cursor[MAX_NAME]; /* "" when all are here */
    bool reads;            /* the cursor keeps a reader's transaction open */
    unsigned begun;        /* the transaction that the cursor lives in */
};

static struct sg_postgres *postgres_of(const struct sg_query *query)
{
    return query->store->postgres;
}

/* ---- once more ---- */

/* What a lost connection interrupts outside of a transaction may be done again, on a new one. */
static bool may_try_again(struct sg_store *store, int *tries)
{
    const struct sg_postgres *postgres = store->postgres;
    return postgres->lost && postgres->transaction == SG_NO_TRANSACTION && ++*tries < 3;
}

static bool ask_once(struct sg_store *store, enum sg_query_kind kind, const char *text,
                     const struct sg_value *values, PGresult **result, struct sg_error *error)
{
    return sg_postgres_ensure(store, error) && sg_postgres_send(store, kind, text, values, error) &&
           sg_postgres_answer(store, result, error);
}

/* Asks, and reads the whole answer. */
static bool ask(struct sg_store *store, enum sg_query_kind kind, const char *text,
                const struct sg_value *values, PGresult **result, struct sg_error *error)
{
    for (int tries = 0;;) {
        struct sg_error why = {0};
        if (ask_once(store, kind, text, values, result, &why))
            return true;
        if (!may_try_again(store, &tries))
            return sg_error_pass(error, &why);
    }
}

/* ---- transactions ---- */

/* A writer that has stopped keeps the others waiting for a minute, and not for ever. */
static bool send_begin(struct sg_store *store, bool to_write, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    if (!sg_postgres_send(store, SG_QUERY_KEPT,
                          to_write ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
                                   : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                          SG_NO_VALUES, error))
        return false;
    return !to_write ||
           sg_postgres_send(
               store, SG_QUERY_KEPT,
               "SELECT set_config('idle_in_transaction_session_timeout', '60s', true),"
               " pg_advisory_xact_lock(?::int, ?::int)",
               SG_VALUES(sg_int(postgres->lock_class), sg_int(SG_POSTGRES_LOCK_WRITER)), error);
}

static void end(struct sg_store *store)
{
    sg_postgres_forget(store->postgres);
    store->postgres->transaction = SG_NO_TRANSACTION;
    store->postgres->num_readers = 0;
}

/* What can't be undone in an orderly way is undone by ending the session. */
static void undo(struct sg_store *store)
{
    struct sg_postgres *postgres = store->postgres;
    end(store);
    if (postgres->lost)
        return;
    if (postgres->num_sent > 0 || postgres->failed)
        (void)sg_postgres_sync(store, NULL, NULL);
    if (postgres->lost || !sg_postgres_send(store, SG_QUERY_KEPT, "ROLLBACK", SG_NO_VALUES, NULL) ||
        !sg_postgres_sync(store, NULL, NULL))
        postgres->lost = true;
}

static bool begin_once(struct sg_store *store, bool to_write, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    if (!sg_postgres_ensure(store, error))
        return false;
    postgres->transaction = to_write ? SG_WRITES : SG_READS;
    postgres->num_begun++;
    postgres->day_expected = -1;
    if (send_begin(store, to_write, error) && sg_postgres_answer(store, NULL, error))
        return true;
    undo(store);
    return false;
}

static bool begin_anew(struct sg_store *store, bool to_write, struct sg_error *error)
{
    store->postgres->interrupted = false;
    for (int tries = 0;;) {
        struct sg_error why = {0};
        if (begin_once(store, to_write, &why))
            return true;
        if (!may_try_again(store, &tries))
            return sg_error_pass(error, &why);
    }
}

/* Readers of one moment may be inside each other: a visitor that asks the store. */
static bool begin(struct sg_store *store, bool to_write, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    if (postgres->transaction != SG_NO_TRANSACTION && (to_write || postgres->num_readers == 0))
        return sg_fail(error, SG_INTERNAL, NULL,
                       "store %s: a transaction was begun inside another one", store->path);
    if (postgres->transaction == SG_NO_TRANSACTION && !begin_anew(store, to_write, error))
        return false;
    postgres->num_readers += !to_write;
    return true;
}

static void end_read(struct sg_store *store)
{
    if (--store->postgres->num_readers == 0)
        undo(store);
}

static void rollback(struct sg_store *store)
{
    struct sg_postgres *postgres = store->postgres;
    if (postgres->transaction == SG_READS)
        end_read(store);
    else if (postgres->transaction == SG_WRITES) {
        postgres->interrupted = postgres->lost;
        undo(store);
    }
}

/* ---- commit ---- */

static bool send_mark(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    return sg_postgres_send(
        store, SG_QUERY_KEPT,
        "INSERT INTO writer (token, last, seen)"
        " VALUES (?, ?, extract(epoch FROM now())::bigint)"
        " ON CONFLICT (token) DO UPDATE SET last = excluded.last,"
        " seen = excluded.seen",
        SG_VALUES(sg_bytes(sg_slice_of(postgres->token, sizeof postgres->token)),
                  sg_int(++postgres->num_writes)),
        error);
}

/* When COMMIT has been answered the transaction is over, one way or the other. With a notice the
 * answer may be that somebody has ended the wait for the standby, which has not got it then. */
static bool commit_once(struct sg_store *store, struct sg_error *error)
{
    store->postgres->has_noticed = false;
    if (!sg_postgres_send(store, SG_QUERY_KEPT, "COMMIT", SG_NO_VALUES, error) ||
        !sg_postgres_sync(store, NULL, error))
        return false;
    end(store);
    return true;
}

/* Whoever has the writers' lock knows that the transaction in question is over. What is written
 * here is committed after it, so with it where the server waits for a standby. */
static bool look_for_mark(struct sg_store *store, bool *found, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    PGresult *result = NULL;
    const struct sg_value mark = sg_bytes(sg_slice_of(postgres->token, sizeof postgres->token));
    if (!begin_anew(store, true, error))
        return false;
    if (!sg_postgres_send(store, SG_QUERY_KEPT,
                          "UPDATE writer SET seen = seen WHERE token = ? AND last = ?",
                          SG_VALUES(mark, sg_int(postgres->num_writes)), error) ||
        !sg_postgres_answer(store, &result, error)) {
        undo(store);
        return false;
    }
    const bool seen = strcmp(postgres->pq.PQcmdTuples(result), "1") == 0;
    postgres->pq.PQclear(result);
    if (!commit_once(store, error)) {
        undo(store);
        return false;
    }
    *found = seen;
    return !postgres->has_noticed ||
           sg_fail(error, SG_STORE, NULL,
                   "store %s: somebody keeps its server from waiting for the standby", store->path);
}

/* The connection was lost while COMMIT was on its way, or the standby was not waited for. */
static bool settle_commit(struct sg_store *store, const struct sg_error *cause,
                          struct sg_error *error)
{
    struct sg_error why = {0};
    bool found = false, known = false;
    end(store);
    for (int tries = 0; !known && tries < 3; tries++) {
        sg_error_clear(&why);
        known = look_for_mark(store, &found, &why);
        if (!known && !store->postgres->lost && !store->postgres->has_noticed)
            break;
    }
    store->postgres->interrupted = known && !found;
    if (known && !found && cause->code != SG_OK)
        return sg_error_pass(error, cause);
    return known || sg_fail(error, SG_STORE, NULL,
                            "a commit to the store was interrupted, and nobody can say now "
                            "whether it was made, or whether the standby has it: %s",
                            why.text);
}

static bool commit_write(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    struct sg_error why = {0};
    if (!send_mark(store, &why)) {
        postgres->interrupted = postgres->lost;
        return sg_error_pass(error, &why);
    }
    const bool done = commit_once(store, &why);
    if (done && !postgres->has_noticed)
        return true;
    return done || postgres->lost ? settle_commit(store, &why, error) : sg_error_pass(error, &why);
}

static bool commit(struct sg_store *store, struct sg_error *error)
{
    if (store->postgres->transaction == SG_WRITES)
        return commit_write(store, error);
    end_read(store);
    return true;
}

/* A transaction that was lost with its connection has left nothing behind. */
static bool was_interrupted(struct sg_store *store)
{
    return store->postgres->interrupted;
}

/* ---- queries ---- */

static bool fetch(struct sg_query *query, struct sg_error *error)
{
    struct rows *rows = query->statement;
    char text[64];
    (void)snprintf(text, sizeof text, "FETCH FORWARD %d FROM %s", PORTION, rows->cursor);
    postgres_of(query)->pq.PQclear(SG_TAKE(rows->result));
    rows->row = -1;
    return sg_postgres_send(query->store, SG_QUERY_MANY, text, SG_NO_VALUES, error) &&
           sg_postgres_answer(query->store, &rows->result, error);
}

static bool open_cursor(struct sg_query *query, const char *text, const struct sg_value *values,
                        struct sg_error *error)
{
    struct sg_postgres *postgres = postgres_of(query);
    struct rows *rows = query->statement;
    sg_auto(sg_buf) struct sg_buf declaration = {0};
    char name[MAX_NAME];
    (void)snprintf(name, sizeof name, "c%u", postgres->num_cursors++);
    if (!sg_buf_printf(&declaration, SG_LIMIT_PATH * 4, error, "DECLARE %s NO SCROLL CURSOR FOR %s",
                       name, text))
        return false;
    if (postgres->transaction != SG_WRITES) {
        if (!begin(query->store, false, error))
            return false;
        rows->reads = true;
    }
    memcpy(rows->cursor, name, sizeof name);
    rows->begun = postgres->num_begun;
    return sg_postgres_send(query->store, SG_QUERY_MANY, (const char *)declaration.data, values,
                            error) &&
           fetch(query, error);
}

static bool start(struct sg_query *query, enum sg_query_kind kind, const char *text,
                  const struct sg_value *values, struct sg_error *error)
{
    struct rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return sg_fail_memory(error);
    rows->row = -1;
    query->statement = rows;
    if (kind == SG_QUERY_MANY)
        return open_cursor(query, text, values, error);
    return sg_postgres_take(query->store, text, values, &rows->result, error) &&
           (rows->result != NULL || ask(query->store, kind, text, values, &rows->result, error));
}

static bool next(struct sg_query *query, bool *row, struct sg_error *error)
{
    struct sg_postgres *postgres = postgres_of(query);
    struct rows *rows = query->statement;
    const bool is_last = rows->row + 1 == postgres->pq.PQntuples(rows->result);
    if (is_last && rows->cursor[0] != '\0' && rows->row + 1 == PORTION && !fetch(query, error))
        return false;
    *row = rows->row + 1 < postgres->pq.PQntuples(rows->result);
    rows->row += *row;
    return true;
}

static void done(struct sg_query *query)
{
    struct sg_postgres *postgres = postgres_of(query);
    struct rows *rows = query->statement;
    postgres->pq.PQclear(rows->result);
    if (rows->reads) {
        end_read(query->store);
    } else if (rows->cursor[0] != '\0' && postgres->transaction == SG_WRITES &&
               rows->begun == postgres->num_begun && !postgres->lost && !postgres->failed) {
        char text[MAX_NAME + 8];
        (void)snprintf(text, sizeof text, "CLOSE %s", rows->cursor);
        postgres->lost = !sg_postgres_send(query->store, SG_QUERY_MANY, text, SG_NO_VALUES, NULL);
    }
    free(rows);
}

/* Inside a write transaction it goes with what is asked next. */
static bool run(struct sg_store *store, const char *text, const struct sg_value *values,
                struct sg_error *error)
{
    if (store->postgres->transaction == SG_WRITES)
        return sg_postgres_send(store, SG_QUERY_KEPT, text, values, error);
    return ask(store, SG_QUERY_KEPT, text, values, NULL, error);
}

static bool change(struct sg_store *store, const char *text, const struct sg_value *values,
                   size_t *num_changed, struct sg_error *error)
{
    PGresult *result = NULL;
    if (!ask(store, SG_QUERY_KEPT, text, values, &result, error))
        return false;
    *num_changed = strtoul(store->postgres->pq.PQcmdTuples(result), NULL, 10);
    store->postgres->pq.PQclear(result);
    return true;
}

/* ---- columns ---- */

static bool is_null(const struct sg_query *query, int column)
{
    const struct rows *rows = query->statement;
    return postgres_of(query)->pq.PQgetisnull(rows->result, rows->row, column) != 0;
}

static int64_t number(const struct sg_query *query, int column)
{
    const struct rows *rows = query->statement;
    return sg_postgres_number(postgres_of(query), rows->result, rows->row, column);
}

static const char *text(const struct sg_query *query, int column)
{
    const struct rows *rows = query->statement;
    return is_null(query, column)
               ? NULL
               : postgres_of(query)->pq.PQgetvalue(rows->result, rows->row, column);
}

static struct sg_slice bytes(const struct sg_query *query, int column)
{
    const struct rows *rows = query->statement;
    const struct sg_libpq *pq = &postgres_of(query)->pq;
    if (is_null(query, column))
        return (struct sg_slice){0};
    return sg_slice_of((const uint8_t *)pq->PQgetvalue(rows->result, rows->row, column),
                       (size_t)pq->PQgetlength(rows->result, rows->row, column));
}

static const char *name(const struct sg_query *query, int column)
{
    const struct rows *rows = query->statement;
    return postgres_of(query)->pq.PQfname(rows->result, column);
}

/* ---- size ---- */

/* Of the schema that the store is in. */
static bool size(struct sg_store *store, int64_t *bytes, struct sg_error *error)
{
    bool found = false;
    return sg_sql_number(
        store,
        "SELECT sum(pg_total_relation_size(t.oid))::bigint FROM pg_class t"
        " WHERE t.relkind = 'r' AND t.relnamespace = (SELECT relnamespace FROM pg_class"
        " WHERE oid = to_regclass('store_version')::oid)",
        SG_NO_VALUES, &found, bytes, error);
}

static const char MONTHS[] =
    "SELECT (regexp_match(pg_get_expr(p.relpartbound, p.oid), 'FROM \\(''(-*[0-9]+)'))[1]::bigint,"
    " pg_total_relation_size(p.oid)::bigint FROM pg_inherits i JOIN pg_class p ON p.oid = "
    "i.inhrelid"
    " WHERE i.inhparent = 'certificate'::regclass::oid ORDER BY 1";

/* ---- owners ---- */

static bool owner_lock(struct sg_store *store, int64_t id, struct sg_error *error)
{
    return ask(store, SG_QUERY_KEPT, "SELECT pg_advisory_lock(?::int, ?::int)",
               SG_VALUES(sg_int(store->postgres->lock_class), sg_int(id)), NULL, error);
}

static void owner_unlock(struct sg_store *store)
{
    (void)ask(store, SG_QUERY_KEPT, "SELECT pg_advisory_unlock(?::int, ?::int)",
              SG_VALUES(sg_int(store->postgres->lock_class), sg_int(store->own)), NULL, NULL);
}

/* Who is found dead stays so until the transaction that has found it ends: a handle that has lost
 * its connection can't lock its id anew before. Several may find out at once. */
static bool owner_probe(struct sg_store *store, int64_t id, bool *alive, struct sg_error *error)
{
    PGresult *result = NULL;
    if (!ask(store, SG_QUERY_KEPT, "SELECT NOT pg_try_advisory_xact_lock_shared(?::int, ?::int)",
             SG_VALUES(sg_int(store->postgres->lock_class), sg_int(id)), &result, error))
        return false;
    *alive = sg_postgres_number(store->postgres, result, 0, 0) != 0;
    store->postgres->pq.PQclear(result);
    return true;
}

const struct sg_engine sg_postgres_engine = {
    .name_of_kind = "PostgreSQL",
    .open = sg_postgres_open,
    .close = sg_postgres_close,
    .check = sg_postgres_check,
    .climb = sg_postgres_climb,
    .create = sg_postgres_create,
    .place = sg_postgres_place,
    .size = size,
    .months = MONTHS,
    .start = start,
    .ahead = sg_postgres_ahead,
    .next = next,
    .done = done,
    .expect = sg_postgres_expect,
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
