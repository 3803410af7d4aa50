/* schema: the versions of a store's tables. Each engine has the tables in a file of its own.
 * Private to the room. */
#ifndef SG_STORE_SCHEMA_H
#define SG_STORE_SCHEMA_H

#include "sql.h"

enum {
    SG_SCHEMA_VERSION = 7,
    SG_SCHEMA_STATUS_COUNTED = 3, /* the first that counts changes of revocations */
    SG_SCHEMA_EVIDENCE = 5,       /* the first with tickets, PINs, approvals and cards */
    SG_SCHEMA_EVENTS = 6,         /* the first that notes what happened to the store as a whole */
    SG_SCHEMA_QUOTA = 6,          /* the first that counts what policies' quotas have used */
    SG_SCHEMA_MONTHS = 7,         /* the first whose certificates are by month in PostgreSQL */
};

/* The claim tells the month of its certificate, so that PostgreSQL looks into one partition. */
#define SG_CERTIFICATE_OF_CLAIM "d.claim = c.id/*+ AND d.claimed = c.claimed+*/"
#define SG_INSERT_CERTIFICATE                                                                      \
    "INSERT INTO certificate (claim, recorded, tbs_offset, tbs_len, der/*+, claimed+*/)"           \
    " VALUES (?1, ?2, ?3, ?4, ?5/*+, (SELECT claimed FROM claim WHERE id = ?1)+*/)"

/* SQLite's index of keys has their first octets only, and serves nobody who does not ask for them.
 * The parameter occurs twice in it. */
#define SG_CLAIM_OF_KEY(parameter)                                                                 \
    "substr(c.spki_sha256, 1, 4) = substr(" parameter ", 1, 4) AND c.spki_sha256 = " parameter

/* sg_schema_take notes the version that was found in a store of Signet's.
 * Fails: SG_STORE when this program does not know it. */
SG_MUST_USE bool sg_schema_take(struct sg_store *store, int64_t version, struct sg_error *error);

/* sg_schema_require fails (SG_STORE) for a store whose tables are of an earlier version. */
SG_MUST_USE bool sg_schema_require(const struct sg_store *store, struct sg_error *error);

/* sg_schema_note adds what has happened to the store as a whole, inside a write transaction. */
SG_MUST_USE bool sg_schema_note(struct sg_store *store, int64_t now, const char *what,
                                struct sg_error *error);

#endif
