/* postgres: the store in a database of PostgreSQL's. Private to the room.
 *
 * All that is written goes down a pipeline: a statement that answers with nothing is sent, and its
 * result read together with the next one's that does. A write transaction takes one advisory lock
 * first, so there is one writer at a time, as with SQLite, and each statement sees what the writers
 * before it have committed (READ COMMITTED). Owners of claims hold an advisory lock of their
 * session, which the server drops when the session ends.
 *
 * A lost connection is made again, with pauses that double, for SG_RECONNECT_S. What it interrupts
 * outside of a transaction is done again unnoticed. A write transaction that it interrupts is gone.
 * When it is COMMIT that it interrupts, each transaction's mark in the table writer tells whether
 * it is gone.
 */
#ifndef SG_STORE_POSTGRES_H
#define SG_STORE_POSTGRES_H

#include "engine.h"
#include "libpq.h"

enum {
    SG_RECONNECT_S = 60,
    SG_POSTGRES_KEPT = 96,    /* statements */
    SG_POSTGRES_MIN = 140000, /* the oldest server: 14 */
    SG_POSTGRES_CLOCK_S = 10, /* by how much the clocks of server and client may differ */
    SG_POSTGRES_TOKEN_LEN = 16,
    /* Statements whose results wait for a reader: they fill buffers on both sides. */
    SG_POSTGRES_SENT = 64,
    SG_POSTGRES_AHEAD = 6,       /* values of a question that is asked ahead */
    SG_POSTGRES_LOCK_WRITER = 0, /* the advisory lock of writers; owners have that of their id */
};

struct sg_kept {
    const char *text; /* a literal: it is recognised by its address */
    unsigned number;  /* on the server it is called s and this */
};

/* A question that was asked before its turn. */
struct sg_ahead {
    const char *text; /* NULL: its turn has come */
    struct sg_value values[SG_POSTGRES_AHEAD + 1];
    PGresult *result; /* NULL as long as it is to come */
};

struct sg_postgres {
    struct sg_libpq pq;
    PGconn *connection;
    bool lost;        /* the connection is of no use any more */
    bool interrupted; /* the last failure was its loss, and what was begun is undone */

    enum { SG_NO_TRANSACTION, SG_READS, SG_WRITES } transaction;
    unsigned num_readers;              /* of a transaction that reads: they see the same moment */
    bool has_noticed;                  /* the server has said something beside its answers */
    bool failed;                       /* the server ignores everything up to a sync */
    unsigned num_begun;                /* transactions, so far */
    int64_t day_expected;              /* in this one, and -1 none: sg_postgres_expect */
    unsigned num_sent;                 /* statements whose results are still to be read */
    size_t sent[SG_POSTGRES_SENT + 2]; /* 0, or of a question ahead its place and 1 */

    struct sg_ahead *ahead; /* in the order in which they were asked */
    size_t num_ahead, max_ahead, next_ahead;

    struct sg_kept kept[SG_POSTGRES_KEPT];
    size_t num_kept, num_certain; /* certain: the server has it */
    unsigned num_prepared, num_cursors;

    int64_t lock_class; /* of the advisory locks: this store's */
    uint8_t token[SG_POSTGRES_TOKEN_LEN];
    int64_t num_writes;
};

/* ---- postgres_open.c ---- */

bool sg_postgres_open(struct sg_store *store, const char *location, const char *folder,
                      enum sg_store_mode mode, struct sg_error *error);
void sg_postgres_close(struct sg_store *store);

/* sg_postgres_ensure makes a lost connection anew, and the handle the owner that it was.
 * Fails: SG_STORE after SG_RECONNECT_S. */
SG_MUST_USE bool sg_postgres_ensure(struct sg_store *store, struct sg_error *error);

/* ---- postgres_wire.c: statements to the server, results from it ---- */

/* sg_postgres_send sends a statement, whose result will be read. */
SG_MUST_USE bool sg_postgres_send(struct sg_store *store, enum sg_query_kind kind, const char *text,
                                  const struct sg_value *values, struct sg_error *error);
/* sg_postgres_answer reads all results that are to come. last, that of the last statement, may be
 * NULL. Outside of a transaction what was sent is over with it. */
SG_MUST_USE bool sg_postgres_answer(struct sg_store *store, PGresult **last,
                                    struct sg_error *error);
/* sg_postgres_sync does so, and has the server listen again after a failure; when it can't, the
 * connection is lost. */
bool sg_postgres_sync(struct sg_store *store, PGresult **last, struct sg_error *error);
/* sg_postgres_simple runs statements without parameters, outside of the pipeline. */
SG_MUST_USE bool sg_postgres_simple(struct sg_store *store, const char *text, PGresult **result,
                                    struct sg_error *error);
/* sg_postgres_fail_connection says what is wrong with the connection, which is lost. */
bool sg_postgres_fail_connection(struct sg_store *store, const char *doing, struct sg_error *error);

/* sg_postgres_number reads an integer or truth value of a binary result. */
int64_t sg_postgres_number(const struct sg_postgres *postgres, const PGresult *result, int row,
                           int column);

/* ---- postgres_ahead.c: questions before their turn ---- */

SG_MUST_USE bool sg_postgres_ahead(struct sg_store *store, const char *text,
                                   const struct sg_value *values, struct sg_error *error);
/* sg_postgres_take: *result is the answer, if it was asked, and the caller's; or untouched. */
SG_MUST_USE bool sg_postgres_take(struct sg_store *store, const char *text,
                                  const struct sg_value *values, PGresult **result,
                                  struct sg_error *error);
/* sg_postgres_forget drops what was asked and not taken. */
void sg_postgres_forget(struct sg_postgres *postgres);

/* ---- postgres_schema.c: the tables, as in sqlite_schema.c ---- */

SG_MUST_USE bool sg_postgres_create(struct sg_store *store, struct sg_error *error);
SG_MUST_USE bool sg_postgres_place(struct sg_store *store, struct sg_transaction *write,
                                   const struct sg_loader *loader, struct sg_error *error);
SG_MUST_USE bool sg_postgres_check(struct sg_store *store, struct sg_error *error);
/* sg_postgres_expect sees that there is a partition for what is claimed at that moment. */
SG_MUST_USE bool sg_postgres_expect(struct sg_store *store, int64_t claimed,
                                    struct sg_error *error);
SG_MUST_USE bool sg_postgres_climb(struct sg_store *store, int version, struct sg_error *error);

#endif
