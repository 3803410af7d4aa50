/* status: how serial numbers stand, for whoever answers for them, and when an answer is outdated.
 *
 * Thread rule: that of the store.
 */
#ifndef SG_STORE_STATUS_H
#define SG_STORE_STATUS_H

#include "store.h"

/* What the store knows of one serial number of an issuer. */
struct sg_serial_status {
    bool known; /* claimed; when it is not, the rest is zero */
    /* It changes only with the generation, or as it expires: a certificate is recorded, or an
     * orphan settled. What is not may become another thing as a process ends. */
    bool lasting;
    enum sg_status status;
    int64_t revoked; /* moment, when revoked, held or orphaned */
    enum sg_reason reason;
};

/* sg_store_status_generation is a number that grows whenever a revocation is added, changed or
 * taken back, by whichever process; -1 in a store of an earlier version that was opened for reading
 * only, which does not count. */
SG_MUST_USE bool sg_store_status_generation(struct sg_store *store, int64_t *generation,
                                            struct sg_error *error);

/* sg_store_serial_statuses looks up serial numbers of one issuer, and the generation that the
 * answer belongs to, at one moment of the store.
 * statuses   num items, filled in the order of serials. Fails: SG_STORE. */
SG_MUST_USE bool sg_store_serial_statuses(struct sg_store *store, int64_t issuer,
                                          const struct sg_serial *serials, size_t num, int64_t now,
                                          struct sg_serial_status *statuses, int64_t *generation,
                                          struct sg_error *error);

#endif
