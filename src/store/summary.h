/* summary: what a store is and how much there is in it, for people.
 *
 * Thread rule: that of the store.
 */
#ifndef SG_STORE_SUMMARY_H
#define SG_STORE_SUMMARY_H

#include "store.h"

struct sg_store_summary {
    const char *kind;     /* "SQLite", "PostgreSQL" */
    const char *location; /* a file, or a URL; borrowed from the store */
    int version;          /* of its tables */
    int64_t bytes;
    int64_t num_certificates; /* recorded */
    int64_t num_unrecorded;   /* claims in flight, and orphans */
    int64_t num_revocations;
    int64_t num_devices, num_users;
};

/* sg_store_summarise counts, at one moment of the store; a million certificates take a second.
 * Fails: SG_STORE. */
SG_MUST_USE bool sg_store_summarise(struct sg_store *store, struct sg_store_summary *summary,
                                    struct sg_error *error);

/* sg_store_each_event visits what has happened to the store as a whole, oldest first. */
typedef bool sg_event_visitor(int64_t moment, const char *what, void *context,
                              struct sg_error *error);
SG_MUST_USE bool sg_store_each_event(struct sg_store *store, sg_event_visitor *visit, void *context,
                                     struct sg_error *error);

#endif
