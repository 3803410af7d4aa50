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
    bool is_by_month;      /* certificates stand in a partition for each month */
    int64_t num_elsewhere; /* of num_certificates, in months that were taken out; if is_by_month */
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

/* sg_store_each_month visits the partitions that certificates stand in, oldest first: those that
 * are claimed from begin on. There are none where all are in one table. */
typedef bool sg_month_visitor(int64_t begin, int64_t bytes, void *context, struct sg_error *error);
SG_MUST_USE bool sg_store_each_month(struct sg_store *store, sg_month_visitor *visit, void *context,
                                     struct sg_error *error);

#endif
