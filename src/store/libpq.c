#include "libpq.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    size_t field;
} FUNCTIONS[] = {
#define ROW(name) {#name, offsetof(struct sg_libpq, name)},
    SG_LIBPQ_FUNCTIONS(ROW)
#undef ROW
};

static const char NAME[] = "libpq.so.5";

static bool find_functions(struct sg_libpq *libpq, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; i++) {
        void *const found = dlsym(libpq->library, FUNCTIONS[i].name);
        if (found == NULL)
            return sg_fail(error, SG_STORE, NULL,
                           "%s has no %s: it has to be of PostgreSQL 14 or later", NAME,
                           FUNCTIONS[i].name);
        memcpy((char *)libpq + FUNCTIONS[i].field, &found, sizeof found);
    }
    return true;
}

bool sg_libpq_load(struct sg_libpq *libpq, struct sg_error *error)
{
    struct sg_libpq loaded = {.library = dlopen(NAME, RTLD_NOW | RTLD_LOCAL)};
    if (loaded.library == NULL)
        return sg_fail(
            error, SG_STORE, NULL,
            "a store in PostgreSQL needs its client library, which can't be loaded (%s): "
            "install libpq5",
            dlerror());
    if (!find_functions(&loaded, error)) {
        sg_libpq_unload(&loaded);
        return false;
    }
    *libpq = loaded;
    return true;
}

void sg_libpq_unload(struct sg_libpq *libpq)
{
    if (libpq->library != NULL)
        (void)dlclose(libpq->library);
    libpq->library = NULL;
}
