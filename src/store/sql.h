/* sql: SQLite's statements, transactions and errors, in the form that this room's files use.
 *
 *     sg_auto(sg_query) struct sg_query query = {0};
 *     if (!sg_query_start(store, "SELECT … WHERE id = ?", SG_VALUES(sg_int(id)), &query, error))
 *
 * A statement's text is compiled once for each store handle and kept.
 */
#ifndef SG_STORE_SQL_H
#define SG_STORE_SQL_H

#include <sqlite3.h>

#include "owners.h"
#include "store.h"

enum { SG_STATEMENTS_KEPT = 64, SG_BUSY_TIMEOUT_MS = 30000 };

struct sg_statement {
    const char *text; /* a literal: it is recognised by its address */
    sqlite3_stmt *compiled;
};

struct sg_store {
    char *path;
    sqlite3 *db;
    bool read_only;
    int version; /* of the schema; below SG_SCHEMA_VERSION only for a reader */
    struct sg_owners owners;
    struct sg_statement kept[SG_STATEMENTS_KEPT];
    size_t num_kept;
};

/* ---- values to bind, borrowed until the query is done ---- */

struct sg_value {
    enum { SG_VALUE_END, SG_VALUE_NULL, SG_VALUE_INT, SG_VALUE_TEXT, SG_VALUE_BYTES } kind;
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

/* ---- queries ---- */

struct sg_query {
    struct sg_store *store;
    sqlite3_stmt *compiled;
    bool kept;
};

/* sg_query_start compiles and binds. text is a literal.
 * Fails, as all that follows: SG_STORE by sg_sql_fail. */
SG_MUST_USE bool sg_query_start(struct sg_store *store, const char *text,
                                const struct sg_value *values, struct sg_query *query,
                                struct sg_error *error);
/* sg_query_start_once is the same for a text that was put together at run time. */
SG_MUST_USE bool sg_query_start_once(struct sg_store *store, const char *text,
                                     const struct sg_value *values, struct sg_query *query,
                                     struct sg_error *error);
/* sg_query_next: *row tells whether there is one more row. */
SG_MUST_USE bool sg_query_next(struct sg_query *query, bool *row, struct sg_error *error);
void sg_query_done(struct sg_query *query);
SG_DEFINE_CLEANUP_IN_PLACE(sg_query, sg_query_done)

/* Columns of the row; borrowed until the next one. */
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

/* sg_sql_exec runs statements that have no parameters and aren't worth keeping. */
SG_MUST_USE bool sg_sql_exec(struct sg_store *store, const char *text, struct sg_error *error);
/* sg_sql_run runs a statement that answers with no rows. */
SG_MUST_USE bool sg_sql_run(struct sg_store *store, const char *text, const struct sg_value *values,
                            struct sg_error *error);
/* sg_sql_number is the one number that a query answers with; *found is false for no row or
 * NULL. */
SG_MUST_USE bool sg_sql_number(struct sg_store *store, const char *text,
                               const struct sg_value *values, bool *found, int64_t *number,
                               struct sg_error *error);

/* sg_sql_fail says what SQLite's result code means: path, SQLite's words and the remedy. */
bool sg_sql_fail(const struct sg_store *store, int result, struct sg_error *error);

/* ---- transactions: rolled back at the end of their scope unless they were committed ---- */

struct sg_transaction {
    struct sg_store *store;
};

/* Writers take SQLite's write lock at once (BEGIN IMMEDIATE): what they read stays true until they
 * commit. */
SG_MUST_USE bool sg_transaction_write(struct sg_store *store, struct sg_transaction *transaction,
                                      struct sg_error *error);
/* Readers see one moment of the store. */
SG_MUST_USE bool sg_transaction_read(struct sg_store *store, struct sg_transaction *transaction,
                                     struct sg_error *error);
/* sg_transaction_commit returns true when everything is durable. */
SG_MUST_USE bool sg_transaction_commit(struct sg_transaction *transaction, struct sg_error *error);
void sg_transaction_done(struct sg_transaction *transaction);
SG_DEFINE_CLEANUP_IN_PLACE(sg_transaction, sg_transaction_done)

#endif
