/* sqlite: the store in a file of SQLite's, in WAL mode with synchronous=FULL. Private to the room.
 */
#ifndef SG_STORE_SQLITE_H
#define SG_STORE_SQLITE_H

#include <sqlite3.h>

#include "engine.h"
#include "owners.h"

enum { SG_STATEMENTS_KEPT = 64 };

struct sg_statement {
    const char *text; /* a literal: it is recognised by its address */
    sqlite3_stmt *compiled;
};

struct sg_sqlite {
    sqlite3 *db;
    struct sg_owners owners;
    struct sg_statement kept[SG_STATEMENTS_KEPT];
    size_t num_kept;
    char *target; /* of a store that is loaded: the name that it gets; NULL otherwise */
};

bool sg_sqlite_open(struct sg_store *store, const char *location, const char *folder,
                    enum sg_store_mode mode, struct sg_error *error);
void sg_sqlite_close(struct sg_store *store);
/* sg_sqlite_place: as in engine.h. Loading goes to another name, which this changes. */
bool sg_sqlite_place(struct sg_store *store, struct sg_transaction *write,
                     const struct sg_loader *loader, struct sg_error *error);

/* sg_sqlite_forget releases the statements that were kept. */
void sg_sqlite_forget(struct sg_sqlite *sqlite);

/* sg_sqlite_exec runs statements that have no parameters and aren't worth keeping. */
SG_MUST_USE bool sg_sqlite_exec(struct sg_store *store, const char *text, struct sg_error *error);

/* sg_sqlite_fail says what SQLite's result code means: path, SQLite's words and the remedy. */
bool sg_sqlite_fail(const struct sg_store *store, int result, struct sg_error *error);

/* ---- sqlite_schema.c: the tables of a store, and how a file is recognised as one ---- */

/* sg_sqlite_create fills an empty database, inside a write transaction. */
SG_MUST_USE bool sg_sqlite_create(struct sg_store *store, struct sg_error *error);
/* sg_sqlite_check and sg_sqlite_climb: as in engine.h. Checking changes nothing. */
SG_MUST_USE bool sg_sqlite_check(struct sg_store *store, struct sg_error *error);
SG_MUST_USE bool sg_sqlite_climb(struct sg_store *store, int version, struct sg_error *error);

#endif
