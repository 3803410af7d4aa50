#include "seen.h"

#include <string.h>

#include "base/hex.h"

enum { SMALLEST = 1024 };

/* The place of a digest: where it is, or the free one where it would be. */
static struct sg_seen_entry *place_of(struct sg_seen_entry *entries, size_t capacity,
                                      const uint8_t *digest)
{
    size_t at;

    memcpy(&at, digest, sizeof at);
    for (at &= capacity - 1; entries[at].where != 0; at = (at + 1) & (capacity - 1))
        if (memcmp(entries[at].digest, digest, sizeof entries[at].digest) == 0)
            break;
    return &entries[at];
}

/* Half of the places stay free. */
static bool make_room(struct sg_seen *seen, struct sg_error *error)
{
    size_t capacity = seen->capacity == 0 ? SMALLEST : seen->capacity * 2;
    struct sg_seen_entry *entries;

    if (seen->num * 2 < seen->capacity)
        return true;
    if ((entries = calloc(capacity, sizeof *entries)) == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->entries[i].where != 0)
            *place_of(entries, capacity, seen->entries[i].digest) = seen->entries[i];
    free(seen->entries);
    seen->entries = entries;
    seen->capacity = capacity;
    return true;
}

bool sg_seen_add(struct sg_seen *seen, const char *word, uint32_t where, uint32_t *first,
                 struct sg_error *error)
{
    uint8_t digest[SG_SHA256_LEN];
    struct sg_seen_entry *place;

    if (seen->num < SG_SEEN_MOST && !make_room(seen, error))
        return false;
    sg_sha256(sg_slice_text(word), digest);
    place = place_of(seen->entries, seen->capacity, digest);
    *first = place->where;
    if (place->where != 0 || seen->num == SG_SEEN_MOST)
        return true;
    memcpy(place->digest, digest, sizeof place->digest);
    place->where = where;
    seen->num++;
    return true;
}

void sg_seen_done(struct sg_seen *seen)
{
    free(seen->entries);
    *seen = (struct sg_seen){0};
}
