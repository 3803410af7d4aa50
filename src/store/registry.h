/* registry: what claims need to know of devices and users; inside the caller's transaction. */
#ifndef SG_STORE_REGISTRY_H
#define SG_STORE_REGISTRY_H

#include "sql.h"

/* "device" or "user". */
const char *sg_registry_word(enum sg_registry_kind kind);

/* sg_store_check_record: is everything in the record text? Fails: SG_MALFORMED, SG_REFUSED. */
SG_MUST_USE bool sg_store_check_record(const struct sg_record *record, struct sg_error *error);

/* The following take records that have passed that check. */

struct sg_registration {
    bool found, disabled;
    bool same; /* its attributes are those of the record that was asked with */
};

/* sg_registry_ahead asks what sg_registry_look will (sg_query_ahead). */
SG_MUST_USE bool sg_registry_ahead(struct sg_store *store, enum sg_registry_kind kind,
                                   const char *id, struct sg_error *error);
/* sg_registry_look finds the record of that id. record may be NULL: then same is false. */
SG_MUST_USE bool sg_registry_look(struct sg_store *store, enum sg_registry_kind kind,
                                  const char *id, const struct sg_record *record,
                                  struct sg_registration *registration, struct sg_error *error);
/* sg_registry_insert adds a record that is not there. */
SG_MUST_USE bool sg_registry_insert(struct sg_store *store, enum sg_registry_kind kind,
                                    const struct sg_record *record, struct sg_error *error);

#endif
