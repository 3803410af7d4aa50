/* seen: which words have come already, and where first; for finding what is in an input twice.
 *
 * It remembers by digests of 96 bits, and at most SG_SEEN_MOST of them (32 MiB): whatever comes
 * after that is not found. For a device the claim in the store still decides, without telling where
 * the first one was.
 */
#ifndef SG_LINE_SEEN_H
#define SG_LINE_SEEN_H

#include "base/cleanup.h"
#include "base/slice.h"

enum { SG_SEEN_MOST = 1024 * 1024 };

struct sg_seen_entry {
    uint8_t digest[12];
    uint32_t where; /* 0: this place is free */
};

/* Zero-initialised is empty. */
struct sg_seen {
    struct sg_seen_entry *entries;
    size_t capacity, num;
};

/* sg_seen_add notes a word that came at `where`, from 1.
 * first    where it came first, when it was there; else 0. Fails: SG_FAILED (memory). */
SG_MUST_USE bool sg_seen_add(struct sg_seen *seen, const char *word, uint32_t where,
                             uint32_t *first, struct sg_error *error);
void sg_seen_done(struct sg_seen *seen);
SG_DEFINE_CLEANUP_IN_PLACE(sg_seen, sg_seen_done)

#endif
