#include "store.h"

#include <string.h>

#include "engine.h"

static const struct sg_engine *const ENGINES[] = {&sg_sqlite_engine};

static const struct sg_engine *find_engine(const char *location)
{
    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++)
        for (const char *const *scheme = ENGINES[i]->schemes; *scheme != NULL; scheme++)
            if (strncmp(location, *scheme, strlen(*scheme)) == 0)
                return ENGINES[i];
    return NULL;
}

bool sg_store_open(const char *location, const char *folder, enum sg_store_mode mode,
                   struct sg_store **store, struct sg_error *error)
{
    sg_auto(sg_store) struct sg_store *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return sg_fail_memory(error);
    opened->engine = find_engine(location);
    if (opened->engine == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "store \"%s\" is of a kind that this program doesn't know: use sqlite:PATH",
                       location);
    if (!opened->engine->open(opened, location, folder, mode, error))
        return false;
    *store = SG_TAKE(opened);
    return true;
}

void sg_store_close(struct sg_store *store)
{
    if (store == NULL)
        return;
    if (store->engine != NULL)
        store->engine->close(store);
    free(store->path);
    free(store);
}
