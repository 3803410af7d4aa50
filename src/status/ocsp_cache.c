#include "ocsp_cache.h"

#include <pthread.h>
#include <string.h>

enum { GROUP = 4 };

struct place {
    uint8_t key[SG_SHA256_LEN];
    uint64_t used; /* when it was asked for last; 0: empty */
    struct sg_ocsp_kept kept;
};

struct sg_ocsp_cache {
    pthread_mutex_t lock;
    uint64_t uses;
    struct place *places; /* num_groups × GROUP */
    size_t num_groups;
};

bool sg_ocsp_cache_new(size_t num_places, struct sg_ocsp_cache **cache, struct sg_error *error)
{
    sg_auto(sg_ocsp_cache) struct sg_ocsp_cache *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    pthread_mutex_init(&fresh->lock, NULL);
    fresh->num_groups = num_places / GROUP + 1;
    fresh->places = calloc(fresh->num_groups * GROUP, sizeof *fresh->places);
    if (fresh->places == NULL)
        return sg_fail_memory(error);
    *cache = SG_TAKE(fresh);
    return true;
}

static void empty_all(struct sg_ocsp_cache *cache)
{
    for (size_t i = 0; cache->places != NULL && i < cache->num_groups * GROUP; i++) {
        sg_ocsp_kept_done(&cache->places[i].kept);
        cache->places[i].used = 0;
    }
}

void sg_ocsp_cache_free(struct sg_ocsp_cache *cache)
{
    if (cache == NULL)
        return;
    empty_all(cache);
    free(cache->places);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* A key is a digest, so any of its bytes spread evenly. */
static struct place *group_of(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN])
{
    uint64_t number;

    memcpy(&number, key, sizeof number);
    return &cache->places[number % cache->num_groups * GROUP];
}

static struct place *find_place(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN])
{
    struct place *group = group_of(cache, key);

    for (size_t i = 0; i < GROUP; i++)
        if (group[i].used != 0 && memcmp(group[i].key, key, SG_SHA256_LEN) == 0)
            return &group[i];
    return NULL;
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
    struct place *place = find_place(cache, key);
    *found = place != NULL && is_fresh(&place->kept, now);
    if (*found) {
        place->used = ++cache->uses;
        done = copy(&place->kept, kept, error);
    }
    pthread_mutex_unlock(&cache->lock);
    return done;
}

/* The key's own place, an empty one, or the one that was asked for longest ago. */
static struct place *choose_place(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN])
{
    struct place *group = group_of(cache, key), *chosen = find_place(cache, key);

    if (chosen != NULL)
        return chosen;
    chosen = &group[0];
    for (size_t i = 1; i < GROUP; i++)
        if (group[i].used < chosen->used)
            chosen = &group[i];
    return chosen;
}

static bool is_later(const struct place *place, const uint8_t key[SG_SHA256_LEN],
                     const struct sg_ocsp_kept *kept)
{
    return place->used != 0 && memcmp(place->key, key, SG_SHA256_LEN) == 0 &&
           place->kept.generation > kept->generation;
}

void sg_ocsp_cache_put(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                       const struct sg_ocsp_kept *kept)
{
    pthread_mutex_lock(&cache->lock);
    struct place *place = choose_place(cache, key);
    if (!is_later(place, key, kept) && copy(kept, &place->kept, NULL)) {
        memcpy(place->key, key, SG_SHA256_LEN);
        place->used = ++cache->uses;
    }
    pthread_mutex_unlock(&cache->lock);
}

void sg_ocsp_cache_confirm(struct sg_ocsp_cache *cache, const uint8_t key[SG_SHA256_LEN],
                           int64_t this_update, int64_t generation)
{
    pthread_mutex_lock(&cache->lock);
    struct place *place = find_place(cache, key);
    if (place != NULL && place->kept.this_update == this_update &&
        place->kept.generation < generation)
        place->kept.generation = generation;
    pthread_mutex_unlock(&cache->lock);
}

void sg_ocsp_cache_clear(struct sg_ocsp_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    empty_all(cache);
    pthread_mutex_unlock(&cache->lock);
}

void sg_ocsp_kept_done(struct sg_ocsp_kept *kept)
{
    sg_buf_free(&kept->der);
    *kept = (struct sg_ocsp_kept){0};
}
