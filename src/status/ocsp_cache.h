/* ocsp_cache: signed OCSP answers, each kept until its certificate's status changes or it gets old.
 *
 * In a fixed number of places (base/places.h). Thread rule: any thread.
 */
#ifndef SG_STATUS_OCSP_CACHE_H
#define SG_STATUS_OCSP_CACHE_H

#include "base/cleanup.h"
#include "base/hex.h"
#include "store/status.h"

struct sg_ocsp_cache;

/* A signed answer about one certificate, and what it rests on. */
struct sg_ocsp_kept {
    struct sg_serial_status status;
    int64_t generation; /* of the store, when status was read */
    int64_t this_update, next_update;
    struct sg_buf der;
};

SG_MUST_USE bool sg_ocsp_cache_new(size_t num_places, struct sg_ocsp_cache **cache,
                                   struct sg_error *error);
void sg_ocsp_cache_free(struct sg_ocsp_cache *cache);

typedef struct sg_ocsp_cache sg_ocsp_cache;
SG_DEFINE_CLEANUP(sg_ocsp_cache, sg_ocsp_cache_free)

/* sg_ocsp_cache_find copies the answer that is kept under a key, if half of its time or more is
 * left at now. kept    replaced when found. Fails when memory runs out. */
SG_MUST_USE bool sg_ocsp_cache_find(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                                    int64_t now, struct sg_ocsp_kept *kept, bool *found,
                                    struct sg_error *error);

/* sg_ocsp_cache_put keeps a copy of an answer, unless one of a later generation is there, or memory
 * runs out. */
void sg_ocsp_cache_put(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                       const struct sg_ocsp_kept *kept);

/* sg_ocsp_cache_confirm notes that the answer with this this_update still held at generation. */
void sg_ocsp_cache_confirm(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                           int64_t this_update, int64_t generation);

/* sg_ocsp_cache_clear drops everything. */
void sg_ocsp_cache_clear(struct sg_ocsp_cache *cache);

void sg_ocsp_kept_done(struct sg_ocsp_kept *kept);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ocsp_kept, sg_ocsp_kept_done)

#endif
