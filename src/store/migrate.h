/* migrate: a store's tables, from the version that they have to the one that this program needs.
 *
 * Thread rule: that of the store.
 */
#ifndef SG_STORE_MIGRATE_H
#define SG_STORE_MIGRATE_H

#include "store.h"

/* Return false to stop (fill error). what is a clause: "cards, tickets, …". */
typedef bool sg_migration_visitor(int version, const char *what, void *context,
                                  struct sg_error *error);

/* sg_store_version is that of the store's tables; sg_store_version_needed this program's. */
int sg_store_version(const struct sg_store *store);
int sg_store_version_needed(void);

/* sg_store_each_migration visits the versions that the store still has before it. */
SG_MUST_USE bool sg_store_each_migration(const struct sg_store *store, sg_migration_visitor *visit,
                                         void *context, struct sg_error *error);

/* sg_store_migrate takes these steps, one transaction each, and visits each that it has taken when
 * that is durable. Where several processes do so at once, each step is taken by one of them.
 * store    opened with SG_STORE_MIGRATE.
 * Fails:   SG_STORE; as visit does. The store is at the last version that was visited then. */
SG_MUST_USE bool sg_store_migrate(struct sg_store *store, int64_t now, sg_migration_visitor *visit,
                                  void *context, struct sg_error *error);

#endif
