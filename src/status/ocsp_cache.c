#include "ocsp_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/places.h"

struct sg_ocsp_cache {
    pthread_mutex_t lock;
    struct sg_places *places; /* of struct sg_ocsp_kept */
};

void sg_ocsp_kept_done(struct sg_ocsp_kept *kept)
{
    sg_buf_free(&kept->der);
    *kept = (struct sg_ocsp_kept){0};
}

static void release(void *value)
{
    sg_ocsp_kept_done(value);
    free(value);
}

bool sg_ocsp_cache_new(size_t num_places, struct sg_ocsp_cache **cache, struct sg_error *error)
{
    sg_auto(sg_ocsp_cache) struct sg_ocsp_cache *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    pthread_mutex_init(&fresh->lock, NULL);
    if (!sg_places_new(num_places, release, &fresh->places, error))
        return false;
    *cache = SG_TAKE(fresh);
    return true;
}

void sg_ocsp_cache_free(struct sg_ocsp_cache *cache)
{
    if (cache == NULL)
        return;
    sg_places_free(cache->places);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static bool copy(const struct sg_ocsp_kept *kept, struct sg_ocsp_kept *into, struct sg_error *error)
{
    struct sg_buf der = {0};

    if (!sg_buf_set(&der, sg_buf_slice(&kept->der), error))
        return false;
    sg_ocsp_kept_done(into);
    *into = *kept;
    into->der = der;
    return true;
}

static bool is_fresh(const struct sg_ocsp_kept *kept, int64_t now)
{
    return now >= kept->this_update &&
           now - kept->this_update <= (kept->next_update - kept->this_update) / 2;
}

bool sg_ocsp_cache_find(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN], int64_t now,
                        struct sg_ocsp_kept *kept, bool *found, struct sg_error *error)
{
    bool done = true;

    pthread_mutex_lock(&cache->lock);
    const struct sg_ocsp_kept *place = sg_places_find(cache->places, key);
    *found = place != NULL && is_fresh(place, now);
    if (*found)
        done = copy(place, kept, error);
    pthread_mutex_unlock(&cache->lock);
    return done;
}

/* With the lock held; takes fresh over. */
static void put_in(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                   struct sg_ocsp_kept *fresh)
{
    const struct sg_ocsp_kept *earlier = sg_places_find(cache->places, key);

    if (earlier != NULL && earlier->generation > fresh->generation)
        release(fresh);
    else
        sg_places_put(cache->places, key, fresh);
}

void sg_ocsp_cache_put(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                       const struct sg_ocsp_kept *kept)
{
    struct sg_ocsp_kept *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || !copy(kept, fresh, NULL)) {
        free(fresh);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    put_in(cache, key, fresh);
    pthread_mutex_unlock(&cache->lock);
}

void sg_ocsp_cache_confirm(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                           int64_t this_update, int64_t generation)
{
    pthread_mutex_lock(&cache->lock);
    struct sg_ocsp_kept *kept = sg_places_find(cache->places, key);
    if (kept != NULL && kept->this_update == this_update && kept->generation < generation)
        kept->generation = generation;
    pthread_mutex_unlock(&cache->lock);
}

void sg_ocsp_cache_clear(struct sg_ocsp_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    sg_places_clear(cache->places);
    pthread_mutex_unlock(&cache->lock);
}
