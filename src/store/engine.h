/* engine: what sql.h asks of a database, as one table for each kind. Private to the room.
 *
 * Functions that fail say what the database said and what to do: SG_STORE, but for a defect of
 * Signet's own, which is SG_INTERNAL.
 */
#ifndef SG_STORE_ENGINE_H
#define SG_STORE_ENGINE_H

#include "dump.h"
#include "sql.h"

enum sg_query_kind {
    SG_QUERY_KEPT, /* a literal, that is compiled once: it is recognised by its address */
    SG_QUERY_MANY, /* rows may be many, and text is used once */
};

struct sg_engine {
    const char *name_of_kind; /* for people */
    /* open fills in everything of store but its engine; close takes what there is. */
    bool (*open)(struct sg_store *store, const char *location, const char *folder,
                 enum sg_store_mode mode, struct sg_error *error);
    void (*close)(struct sg_store *store);
    /* check: is this a store of Signet's, of a version that this program knows? Notes which. */
    bool (*check)(struct sg_store *store, struct sg_error *error);
    /* climb brings the tables to version from the one before it, inside a write transaction. */
    bool (*climb)(struct sg_store *store, int version, struct sg_error *error);
    /* create makes the tables of a new store, inside a write transaction. */
    bool (*create)(struct sg_store *store, struct sg_error *error);
    /* place commits what was loaded, so that others find it, after loader's settle. */
    bool (*place)(struct sg_store *store, struct sg_transaction *write,
                  const struct sg_loader *loader, struct sg_error *error);
    /* size: bytes that the store takes on its disk. */
    bool (*size)(struct sg_store *store, int64_t *bytes, struct sg_error *error);
    /* a query: where each partition of certificates begins, and its bytes; NULL: there are none */
    const char *months;

    bool (*start)(struct sg_query *query, enum sg_query_kind kind, const char *text,
                  const struct sg_value *values, struct sg_error *error);
    /* NULL where a question costs no way */
    bool (*ahead)(struct sg_store *store, const char *text, const struct sg_value *values,
                  struct sg_error *error);
    bool (*next)(struct sg_query *query, bool *row, struct sg_error *error);
    void (*done)(struct sg_query *query);
    /* NULL where there is always room for one more certificate */
    bool (*expect)(struct sg_store *store, int64_t claimed, struct sg_error *error);
    bool (*run)(struct sg_store *store, const char *text, const struct sg_value *values,
                struct sg_error *error);
    bool (*change)(struct sg_store *store, const char *text, const struct sg_value *values,
                   size_t *num_changed, struct sg_error *error);

    bool (*is_null)(const struct sg_query *query, int column);
    int64_t (*number)(const struct sg_query *query, int column);
    const char *(*text)(const struct sg_query *query, int column);
    struct sg_slice (*bytes)(const struct sg_query *query, int column);
    const char *(*name)(const struct sg_query *query, int column);

    bool (*begin)(struct sg_store *store, bool to_write, struct sg_error *error);
    bool (*commit)(struct sg_store *store, struct sg_error *error);
    void (*rollback)(struct sg_store *store);
    /* Was the last transaction that failed undone because the way to the database was lost? */
    bool (*was_interrupted)(struct sg_store *store);

    bool (*owner_lock)(struct sg_store *store, int64_t id, struct sg_error *error);
    void (*owner_unlock)(struct sg_store *store);
    bool (*owner_probe)(struct sg_store *store, int64_t id, bool *alive, struct sg_error *error);
};

extern const struct sg_engine sg_sqlite_engine;
extern const struct sg_engine sg_postgres_engine; /* with SG_HAS_POSTGRES */

#endif
