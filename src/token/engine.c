/* ENGINE is deprecated since OpenSSL 3.0; this file is the one that uses it. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "engine.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <string.h>

#include "base/limits.h"
#include "token.h"

/* What an engine of ours needs for as long as OpenSSL has it; ENGINE_set_id and the engine itself
 * keep pointers to these. */
struct belongings {
    UI_METHOD *silent;
    char id[]; /* "signet:" and the module's path */
};

static const char ID_PREFIX[] = "signet:";

SG_DEFINE_CLEANUP(UI_METHOD, UI_destroy_method)
SG_DEFINE_CLEANUP(ENGINE, ENGINE_free)

static void belongings_free(struct belongings *own)
{
    if (own == NULL)
        return;
    UI_destroy_method(own->silent);
    free(own);
}

static inline void sg_cleanup_belongings(struct belongings **own)
{
    belongings_free(*own);
}

/* OpenSSL calls this for every engine that ends, ours or not. */
static void engine_ends(void *parent, void *ours, CRYPTO_EX_DATA *data, int index, long number,
                        void *pointer)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)number;
    (void)pointer;
    belongings_free(ours);
}

/* A dialogue that can't be opened: libp11 gives up instead of asking on the terminal or trying an
 * empty PIN. */
static int refuse_dialogue(UI *ui)
{
    (void)ui;
    return 0;
}

static UI_METHOD *silent_new(void)
{
    sg_auto(UI_METHOD) UI_METHOD *silent = UI_create_method("refuse");

    if (silent == NULL || UI_method_set_opener(silent, refuse_dialogue) != 0)
        return NULL;
    return SG_TAKE(silent);
}

static struct belongings *belongings_new(const char *module)
{
    size_t size = sizeof ID_PREFIX + strlen(module);
    sg_auto(belongings) struct belongings *fresh = calloc(1, sizeof *fresh + size);

    if (fresh == NULL)
        return NULL;
    snprintf(fresh->id, size, "%s%s", ID_PREFIX, module);
    fresh->silent = silent_new();
    if (fresh->silent == NULL)
        return NULL;
    return SG_TAKE(fresh);
}

/* The engine of this module if the process has one, as a structural reference. */
static ENGINE *find_engine(const char *module)
{
    ENGINE *engine = ENGINE_get_first();

    while (engine != NULL) {
        const char *id = ENGINE_get_id(engine);

        if (strncmp(id, ID_PREFIX, strlen(ID_PREFIX)) == 0 &&
            strcmp(id + strlen(ID_PREFIX), module) == 0)
            return engine;
        engine = ENGINE_get_next(engine); /* gives up the reference to the one before */
    }
    return NULL;
}

/* The engine's file stays mapped: libp11 never frees its method tables, and keys point at them. */
static bool map_library(void **library, struct sg_error *error)
{
    const char *folder = secure_getenv("OPENSSL_ENGINES");
    char path[SG_LIMIT_PATH];

    if (folder == NULL)
        folder = OPENSSL_info(OPENSSL_INFO_ENGINES_DIR);
    if (folder == NULL || snprintf(path, sizeof path, "%s/pkcs11.so", folder) >= SG_LIMIT_PATH)
        return sg_fail(error, SG_TOKEN, NULL, "OpenSSL does not know its folder of engines");
    *library = dlopen(path, RTLD_NOW | RTLD_NODELETE);
    if (*library == NULL)
        return sg_fail(error, SG_TOKEN, NULL,
                       "OpenSSL's pkcs11 engine is missing; install libengine-pkcs11-openssl: %s",
                       dlerror());
    return true;
}

/* Fills in an empty engine by the two entry points that every engine's file has (openssl/engine.h).
 * OpenSSL's own way there, its "dynamic" engine, loads each file only once in a process, and so
 * could serve one PKCS#11 module only. */
static bool fill_in(void *library, ENGINE *engine)
{
    dynamic_v_check_fn check = NULL;
    dynamic_bind_engine fill = NULL;
    dynamic_fns functions = {.static_state = ENGINE_get_static_state()};

    *(void **)&check = dlsym(library, "v_check");
    *(void **)&fill = dlsym(library, "bind_engine");
    if (check == NULL || fill == NULL || check(OSSL_DYNAMIC_VERSION) < OSSL_DYNAMIC_OLDEST)
        return false;
    CRYPTO_get_mem_functions(&functions.mem_fns.malloc_fn, &functions.mem_fns.realloc_fn,
                             &functions.mem_fns.free_fn);
    return fill(engine, "pkcs11", &functions) == 1;
}

/* Hands *own over to engine, which frees them when it ends. */
static bool adopt(ENGINE *engine, struct belongings **own)
{
    int index = ENGINE_get_ex_new_index(0, NULL, NULL, NULL, engine_ends);

    if (index < 0 || ENGINE_set_ex_data(engine, index, *own) != 1)
        return false;
    *own = NULL;
    return true;
}

/* QUIET, because libp11's messages on standard error repeat URIs. */
static bool configure(ENGINE *engine, const struct belongings *own, const char *module)
{
    return ENGINE_set_id(engine, own->id) == 1 &&
           ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0) == 1 &&
           ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0) == 1 &&
           ENGINE_ctrl(engine, ENGINE_CTRL_SET_USER_INTERFACE, 0, own->silent, NULL) == 1 &&
           ENGINE_add(engine) == 1;
}

static bool make_engine(const char *module, ENGINE **engine, struct sg_error *error)
{
    sg_auto(belongings) struct belongings *own = belongings_new(module);
    sg_auto(ENGINE) ENGINE *fresh = ENGINE_new();
    const struct belongings *kept = own;
    void *library;

    if (own == NULL || fresh == NULL)
        return sg_fail_memory(error);
    if (!map_library(&library, error))
        return false;
    if (!fill_in(library, fresh))
        return sg_fail_openssl(error, SG_TOKEN, NULL,
                               "OpenSSL's pkcs11 engine is made for another OpenSSL");
    if (!adopt(fresh, &own) || !configure(fresh, kept, module))
        return sg_fail_openssl(error, SG_TOKEN, NULL, "cannot configure OpenSSL's pkcs11 engine");
    *engine = SG_TAKE(fresh);
    return true;
}

bool sg_token_has_engine(void)
{
    return true;
}

bool sg_engine_open(const char *module, ENGINE **engine, struct sg_error *error)
{
    ENGINE *found = find_engine(module);
    int is_ready;

    if (found == NULL && !make_engine(module, &found, error))
        return false;
    is_ready = ENGINE_init(found);
    ENGINE_free(found);
    if (is_ready != 1)
        return sg_fail_openssl(error, SG_TOKEN, NULL, "OpenSSL's pkcs11 engine does not start");
    *engine = found;
    return true;
}

bool sg_engine_load_key(ENGINE *engine, const char *uri, EVP_PKEY **key, CK_RV *rv)
{
    sg_auto(UI_METHOD) UI_METHOD *silent = silent_new();
    EVP_PKEY *fresh;

    ERR_clear_error();
    *rv = CKR_HOST_MEMORY;
    if (silent == NULL)
        return false;
    fresh = ENGINE_load_private_key(engine, uri, silent, NULL);
    *rv = sg_engine_take_rv();
    if (fresh == NULL)
        return false;
    /* libp11 keeps a reference to each key, and the key one to the engine, so neither would ever
     * end. The key is used through sg_engine_key_context, which names the engine again. */
    EVP_PKEY_set1_engine(fresh, NULL);
    *key = fresh;
    return true;
}

EVP_PKEY_CTX *sg_engine_key_context(ENGINE *engine, EVP_PKEY *key)
{
    return EVP_PKEY_CTX_new(key, engine);
}

CK_RV sg_engine_take_rv(void)
{
    CK_RV rv = CKR_OK;
    unsigned long entry;

    while ((entry = ERR_get_error()) != 0) {
        const char *library = ERR_lib_error_string(entry);

        if (library != NULL && strcmp(library, "PKCS#11 module") == 0)
            rv = (CK_RV)ERR_GET_REASON(entry);
    }
    return rv;
}

void sg_engine_close(ENGINE *engine)
{
    if (engine != NULL)
        ENGINE_finish(engine);
}
