/* sql: statements and transactions, in the form that this room's files use, whichever engine stands
 * below (engine.h).
 *
 *     sg_auto(sg_query) struct sg_query query = {0};
 *     if (!sg_query_start(store, "SELECT … WHERE id = ?", SG_VALUES(sg_int(id)), &query, error))
 *
 * A statement's text is compiled once for each store handle and kept. All engines get the same
 * texts, so they are written in what SQLite and PostgreSQL have in common:
 *   - parameters are ? or ?N, one way in each text, and every one of them occurs in it;
 *   - IS NOT DISTINCT FROM instead of IS; ON CONFLICT DO NOTHING instead of OR IGNORE; in DO UPDATE
 *     … WHERE, columns with their table's name; JOIN … ON, or CROSS JOIN where SQLite must keep the
 *     order, with its condition in WHERE; conditions are conditions and no numbers;
 *   - "user" stands in quotes, or after its table's alias;
 *   - numbers are sg_int, also truth values, that columns hold as 0 and 1;
 *   - a comment whose text begins and ends with a plus is none to PostgreSQL, once its tables are
 * by month (SG_SCHEMA_MONTHS).
 */
#ifndef SG_STORE_SQL_H
#define SG_STORE_SQL_H

#include "base/cleanup.h"
#include "store.h"

struct sg_engine;
struct sg_sqlite;
struct sg_postgres;

/* How long a writer waits for another one. */
enum { SG_BUSY_TIMEOUT_MS = 30000 };

struct sg_store {
    const struct sg_engine *engine;
    char *path;    /* what messages call it: a file, or a URL */
    char *warning; /* NULL: none */
    bool read_only;
    int version; /* of the schema; below SG_SCHEMA_VERSION only for a reader */
    int64_t own; /* this handle's id as an owner of claims, 0 as long as it has none */
    union {      /* the engine's part */
        struct sg_sqlite *sqlite;
        struct sg_postgres *postgres;
    };
};

/* ---- values to bind, borrowed until the query is done ---- */

struct sg_value {
    enum { SG_VALUE_END, SG_VALUE_INT, SG_VALUE_TEXT, SG_VALUE_BYTES } kind;
    bool is_null;
    int64_t number;
    struct sg_slice bytes;
};

#define SG_VALUES(...) ((const struct sg_value[]){__VA_ARGS__, {.kind = SG_VALUE_END}})
#define SG_NO_VALUES   NULL

struct sg_value sg_int(int64_t number);
struct sg_value sg_text(const char *text); /* NULL is SQL's NULL */
struct sg_value sg_bytes(struct sg_slice bytes);
struct sg_value sg_digest(const uint8_t sha256[SG_SHA256_LEN]);
struct sg_value sg_serial_value(const struct sg_serial *serial);
/* sg_unless makes SQL's NULL of a value, of the same kind, if that is wanted. */
struct sg_value sg_unless(bool is_null, struct sg_value value);

/* ---- queries ---- */

struct sg_query {
    struct sg_store *store;
    void *statement; /* the engine's: SQLite's compiled statement, PostgreSQL's rows */
    bool kept;
};

/* sg_query_start compiles and binds. text is a literal.
 * Fails, as all that follows: SG_STORE, saying what the store said and what to do. */
SG_MUST_USE bool sg_query_start(struct sg_store *store, const char *text,
                                const struct sg_value *values, struct sg_query *query,
                                struct sg_error *error);
/* sg_query_start_many is the same for a query that may answer with more rows than should be in
 * memory at a time. text may have been put together at run time. Between its rows other queries
 * may be asked. */
SG_MUST_USE bool sg_query_start_many(struct sg_store *store, const char *text,
                                     const struct sg_value *values, struct sg_query *query,
                                     struct sg_error *error);
/* sg_query_ahead asks now what sg_query_start will ask with the same text and values, later in this
 * write transaction, and is answered from what stands now: so it is for what nothing in between
 * changes. Many questions then go one way to a database that is far; where it isn't, nothing is
 * asked. What values point to has to stay until the transaction ends. */
SG_MUST_USE bool sg_query_ahead(struct sg_store *store, const char *text,
                                const struct sg_value *values, struct sg_error *error);
/* sg_query_next: *row tells whether there is one more row. */
SG_MUST_USE bool sg_query_next(struct sg_query *query, bool *row, struct sg_error *error);
void sg_query_done(struct sg_query *query);
SG_DEFINE_CLEANUP_IN_PLACE(sg_query, sg_query_done)

/* Columns of the row; borrowed until the next one. NULL is 0, NULL or no bytes. */
bool sg_column_is_null(const struct sg_query *query, int column);
int64_t sg_column_int(const struct sg_query *query, int column);
const char *sg_column_text(const struct sg_query *query, int column);
struct sg_slice sg_column_bytes(const struct sg_query *query, int column);
/* Copies; NULL stays NULL. */
SG_MUST_USE bool sg_column_copy_text(const struct sg_query *query, int column, char **copy,
                                     struct sg_error *error);
/* sg_column_copy_digest fails (SG_STORE) when the column isn't as long as a SHA-256. */
SG_MUST_USE bool sg_column_copy_digest(const struct sg_query *query, int column,
                                       uint8_t digest[SG_SHA256_LEN], struct sg_error *error);
SG_MUST_USE bool sg_column_copy_serial(const struct sg_query *query, int column,
                                       struct sg_serial *serial, struct sg_error *error);

/* sg_sql_run runs a statement that answers with no rows. Inside a write transaction an engine may
 * put it off until something is asked or committed, and tell its failure then. */
SG_MUST_USE bool sg_sql_run(struct sg_store *store, const char *text, const struct sg_value *values,
                            struct sg_error *error);
/* sg_sql_change does so at once, and tells how many rows it has changed. */
SG_MUST_USE bool sg_sql_change(struct sg_store *store, const char *text,
                               const struct sg_value *values, size_t *num_changed,
                               struct sg_error *error);
/* sg_sql_expect makes room for a certificate that is claimed at that moment, inside the write
 * transaction of its claim. */
SG_MUST_USE bool sg_sql_expect(struct sg_store *store, int64_t claimed, struct sg_error *error);
/* sg_sql_insert runs an INSERT of one row that ends in RETURNING its id. */
SG_MUST_USE bool sg_sql_insert(struct sg_store *store, const char *text,
                               const struct sg_value *values, int64_t *id, struct sg_error *error);
/* sg_sql_number is the one number that a query answers with; *found is false for no row or
 * NULL. */
SG_MUST_USE bool sg_sql_number(struct sg_store *store, const char *text,
                               const struct sg_value *values, bool *found, int64_t *number,
                               struct sg_error *error);

/* ---- transactions: rolled back at the end of their scope unless they were committed ---- */

struct sg_transaction {
    struct sg_store *store;
};

/* There is one writer at a time: what it reads stays true until it commits. */
SG_MUST_USE bool sg_transaction_write(struct sg_store *store, struct sg_transaction *transaction,
                                      struct sg_error *error);
/* Readers see one moment of the store. */
SG_MUST_USE bool sg_transaction_read(struct sg_store *store, struct sg_transaction *transaction,
                                     struct sg_error *error);
/* sg_transaction_commit returns true when everything is durable. */
SG_MUST_USE bool sg_transaction_commit(struct sg_transaction *transaction, struct sg_error *error);
void sg_transaction_done(struct sg_transaction *transaction);
SG_DEFINE_CLEANUP_IN_PLACE(sg_transaction, sg_transaction_done)

/* sg_sql_may_try_again: was the last transaction that failed undone by a lost connection, which is
 * there again? Then clears error, for another try; tries counts them. */
bool sg_sql_may_try_again(struct sg_store *store, int *tries, struct sg_error *error);

/* ---- owners: which handles that made claims are still alive ---- */

/* sg_owner_lock makes this handle owner id. */
SG_MUST_USE bool sg_owner_lock(struct sg_store *store, int64_t id, struct sg_error *error);
void sg_owner_unlock(struct sg_store *store);
/* sg_owner_probe: does owner id live? 0 never does. */
SG_MUST_USE bool sg_owner_probe(struct sg_store *store, int64_t id, bool *alive,
                                struct sg_error *error);

#endif
