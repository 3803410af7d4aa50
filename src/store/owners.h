/* owners: which processes that made claims are still alive.
 *
 * "STORE.owners" is an empty file whose bytes are locked: byte N by the store handle that is owner
 * N. The locks are open file description locks, so they tell two handles of one process apart and
 * the kernel drops them when the process dies, however it dies.
 * Does not: give out owner ids; they are counted in the store, and never repeat.
 */
#ifndef SG_STORE_OWNERS_H
#define SG_STORE_OWNERS_H

#include "base/cleanup.h"

struct sg_owners {
    int fd; /* -1: there is no file, and nobody alive */
};

/* sg_owners_open opens the file beside the store, and makes it when it is missing, with the
 * store's own user and group. With read_only a missing file is no failure.
 * Fails: SG_STORE. */
SG_MUST_USE bool sg_owners_open(const char *store_path, bool read_only, struct sg_owners *owners,
                                struct sg_error *error);
void sg_owners_close(struct sg_owners *owners);

/* sg_owners_lock makes this handle owner id. Fails: SG_STORE. */
SG_MUST_USE bool sg_owners_lock(struct sg_owners *owners, int64_t id, struct sg_error *error);
void sg_owners_unlock(struct sg_owners *owners, int64_t id);

/* sg_owners_probe: does owner id, who is not this handle, live? Fails: SG_STORE. */
SG_MUST_USE bool sg_owners_probe(const struct sg_owners *owners, int64_t id, bool *alive,
                                 struct sg_error *error);

#endif
