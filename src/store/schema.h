/* schema: the tables of a store, and how a store is recognised as ours. */
#ifndef SG_STORE_SCHEMA_H
#define SG_STORE_SCHEMA_H

#include "sql.h"

enum {
    SG_SCHEMA_VERSION = 5,
    SG_SCHEMA_STATUS_COUNTED = 3, /* the first that counts changes of revocations */
    SG_SCHEMA_EVIDENCE = 5,       /* the first with tickets, PINs, approvals and cards */
};

/* sg_schema_create fills an empty database. */
SG_MUST_USE bool sg_schema_create(struct sg_store *store, struct sg_error *error);
/* sg_schema_check: is this a store of Signet's, of a version that this program knows? Notes which.
 * Changes nothing. Fails: SG_STORE. */
SG_MUST_USE bool sg_schema_check(struct sg_store *store, struct sg_error *error);
/* sg_schema_migrate brings a checked store to SG_SCHEMA_VERSION, in one transaction. */
SG_MUST_USE bool sg_schema_migrate(struct sg_store *store, struct sg_error *error);

#endif
