#include "places.h"

#include <stdlib.h>
#include <string.h>

enum { GROUP = 4 };

struct place {
    uint8_t key[SG_SHA256_LEN];
    uint64_t used; /* when it was asked for last; 0: empty */
    void *value;
};

struct sg_places {
    void (*release)(void *value);
    uint64_t uses;
    struct place *all; /* num_groups × GROUP */
    size_t num_groups;
};

bool sg_places_new(size_t num, void (*release)(void *value), struct sg_places **places,
                   struct sg_error *error)
{
    sg_auto(sg_places) struct sg_places *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->release = release;
    fresh->num_groups = num / GROUP + 1;
    fresh->all = calloc(fresh->num_groups * GROUP, sizeof *fresh->all);
    if (fresh->all == NULL)
        return sg_fail_memory(error);
    *places = SG_TAKE(fresh);
    return true;
}

static void empty(struct sg_places *places, struct place *place)
{
    if (place->used != 0)
        places->release(place->value);
    *place = (struct place){0};
}

void sg_places_clear(struct sg_places *places)
{
    for (size_t i = 0; places->all != NULL && i < places->num_groups * GROUP; i++)
        empty(places, &places->all[i]);
}

void sg_places_free(struct sg_places *places)
{
    if (places == NULL)
        return;
    sg_places_clear(places);
    free(places->all);
    free(places);
}

/* A key is a digest, so any of its bytes spread evenly. */
static struct place *group_of(const struct sg_places *places, const uint8_t key[SG_SHA256_LEN])
{
    uint64_t number;

    memcpy(&number, key, sizeof number);
    return &places->all[number % places->num_groups * GROUP];
}

static struct place *find_place(const struct sg_places *places, const uint8_t key[SG_SHA256_LEN])
{
    struct place *group = group_of(places, key);

    for (size_t i = 0; i < GROUP; i++)
        if (group[i].used != 0 && memcmp(group[i].key, key, SG_SHA256_LEN) == 0)
            return &group[i];
    return NULL;
}

void *sg_places_find(struct sg_places *places, const uint8_t key[SG_SHA256_LEN])
{
    struct place *place = find_place(places, key);

    if (place == NULL)
        return NULL;
    place->used = ++places->uses;
    return place->value;
}

/* The key's own place, an empty one, or the one that was asked for longest ago. */
static struct place *choose_place(const struct sg_places *places, const uint8_t key[SG_SHA256_LEN])
{
    struct place *group = group_of(places, key), *chosen = find_place(places, key);

    if (chosen != NULL)
        return chosen;
    chosen = &group[0];
    for (size_t i = 1; i < GROUP; i++)
        if (group[i].used < chosen->used)
            chosen = &group[i];
    return chosen;
}

void sg_places_put(struct sg_places *places, const uint8_t key[SG_SHA256_LEN], void *value)
{
    struct place *place = choose_place(places, key);

    empty(places, place);
    memcpy(place->key, key, SG_SHA256_LEN);
    place->used = ++places->uses;
    place->value = value;
}
