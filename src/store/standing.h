/* standing: how a claim stands: in flight, valid, revoked, orphaned … */
#ifndef SG_STORE_STANDING_H
#define SG_STORE_STANDING_H

#include "sql.h"

struct sg_standing {
    enum sg_status status;
    int64_t not_after;
    int64_t revoked; /* when revoked, held or orphaned */
    enum sg_reason reason;
};

/* What a query must select, and from where, for sg_standing_read. */
#define SG_STANDING_COLUMNS     "p.owner, r.reason, r.revoked, c.claimed, c.not_after"
#define SG_STANDING_NUM_COLUMNS 5
#define SG_STANDING_TABLES                                                                         \
    "claim c LEFT JOIN pending p ON p.claim = c.id LEFT JOIN revocation r ON r.claim = c.id"

/* sg_standing_read reads the columns from first on. */
SG_MUST_USE bool sg_standing_read(const struct sg_query *query, int first, int64_t now,
                                  struct sg_standing *standing, struct sg_error *error);
/* sg_standing_find is the same for one claim, by its id, with its serial. Fails: SG_REFUSED when
 * there is no such claim. */
SG_MUST_USE bool sg_standing_find(struct sg_store *store, int64_t id, int64_t now,
                                  struct sg_standing *standing, struct sg_serial *serial,
                                  struct sg_error *error);

/* The following belong into a write transaction. */

/* sg_standing_ahead asks what sg_standing_find will (sg_query_ahead). */
SG_MUST_USE bool sg_standing_ahead(struct sg_store *store, int64_t id, struct sg_error *error);

/* sg_standing_settle makes an orphan one for good: nobody can record it from then on, and it is
 * revoked from the moment of its claim. */
SG_MUST_USE bool sg_standing_settle(struct sg_store *store, int64_t id, struct sg_error *error);
/* sg_standing_settle_all does so for all claims whose owners are dead. */
SG_MUST_USE bool sg_standing_settle_all(struct sg_store *store, struct sg_error *error);

/* sg_store_take_owner gives the handle an owner id, if it has none, in a transaction of its own. */
SG_MUST_USE bool sg_store_take_owner(struct sg_store *store, struct sg_error *error);

#endif
