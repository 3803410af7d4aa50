#include "store.h"

#include "location.h"

bool sg_store_open(const char *location, const char *folder, enum sg_store_mode mode,
                   struct sg_store **store, struct sg_error *error)
{
    sg_auto(sg_store) struct sg_store *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return sg_fail_memory(error);
    if (!sg_location_engine(location, &opened->engine, error) ||
        !opened->engine->open(opened, location, folder, mode, error))
        return false;
    *store = SG_TAKE(opened);
    return true;
}

const char *sg_store_warning(const struct sg_store *store)
{
    return store->warning;
}

bool sg_store_is_file(const struct sg_store *store)
{
    return store->engine == &sg_sqlite_engine;
}

void sg_store_close(struct sg_store *store)
{
    if (store == NULL)
        return;
    if (store->engine != NULL)
        store->engine->close(store);
    free(store->warning);
    free(store->path);
    free(store);
}
