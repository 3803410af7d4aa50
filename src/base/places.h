/* places: what is kept for a while, each under a digest.
 *
 * A fixed number of places, in groups of a few; in a full group what was asked for longest ago
 * makes room.
 * Does not: know what it keeps, or for how long that is good.
 * Thread rule: none; whoever shares it guards it.
 */
#ifndef SG_BASE_PLACES_H
#define SG_BASE_PLACES_H

#include "cleanup.h"
#include "hex.h"

struct sg_places;

/* sg_places_new: release is called with each value that goes. */
SG_MUST_USE bool sg_places_new(size_t num, void (*release)(void *value), struct sg_places **places,
                               struct sg_error *error);
void sg_places_free(struct sg_places *places);

typedef struct sg_places sg_places;
SG_DEFINE_CLEANUP(sg_places, sg_places_free)

/* sg_places_find: NULL when there is none. It stays the places', until the next put or clear. */
void *sg_places_find(struct sg_places *places, const uint8_t key[SG_SHA256_LEN]);

/* sg_places_put takes a value over. What was kept under key goes. */
void sg_places_put(struct sg_places *places, const uint8_t key[SG_SHA256_LEN], void *value);

void sg_places_clear(struct sg_places *places);

#endif
