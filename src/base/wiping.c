#include "wiping.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

void sg_wiping_free(void *memory)
{
    if (memory != NULL)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

/* Never in place, as what it leaves behind would not be wiped. */
void *sg_wiping_realloc(void *memory, size_t len)
{
    const size_t had = memory != NULL ? malloc_usable_size(memory) : 0;
    void *moved;

    if (len > 0 && len <= had && had - len < 64)
        return memory;
    moved = malloc(len > 0 ? len : 1);
    if (moved == NULL)
        return NULL;
    if (had > 0)
        memcpy(moved, memory, had < len ? had : len);
    sg_wiping_free(memory);
    return moved;
}

static void *allocate(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(len);
}

static void *reallocate(void *memory, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return sg_wiping_realloc(memory, len);
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    sg_wiping_free(memory);
}

void sg_wipe_what_is_freed(void)
{
    (void)CRYPTO_set_mem_functions(allocate, reallocate, release);
}
