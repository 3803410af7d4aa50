#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/limits.h"
#include "rv.h"
#include "state.h"

static bool initialize(CK_FUNCTION_LIST *functions, const char *path, struct sg_error *error)
{
    CK_RV rv = p11_kit_module_initialize(functions);

    if (rv == CKR_OK)
        return true;
    return sg_fail_rv(error, SG_TOKEN, rv,
                      "the PKCS#11 module %s does not start; check its configuration%s", path,
                      strstr(path, "softhsm") != NULL ? " (SOFTHSM2_CONF)" : "");
}

static void take_turn(int file)
{
    const struct timespec pause = {.tv_nsec = TURN_POLL_MS * 1000000L};

    for (int waited = 0; waited < TURN_WAIT_MS; waited += TURN_POLL_MS) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return;
        nanosleep(&pause, NULL);
    }
}

void sg_module_take_turn(const struct sg_module *module)
{
    take_turn(module->turn);
}

void sg_module_end_turn(const struct sg_module *module)
{
    flock(module->turn, LOCK_UN);
}

static bool is_own_file(int file)
{
    struct stat status;

    return fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid();
}

/* The module's own file could be locked by anybody who may read it, and would hold us up. */
static int open_turn(const char *module)
{
    static const char WHAT[] = "the turns at a PKCS#11 module";
    char name[NAME_MAX + 1];
    sg_auto(malloc) char *path = NULL;
    sg_auto(fd) int file = -1;

    snprintf(name, sizeof name, "turn-%.200s", strrchr(module, '/') + 1);
    if (!sg_state_path(name, WHAT, &path, NULL) || !sg_state_make_folders(path, WHAT, NULL))
        return -1;
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 || !is_own_file(file))
        return -1;
    const int taken = file;
    file = -1;
    return taken;
}

static bool open_path(const char *path, struct sg_module *module, struct sg_error *error)
{
    sg_auto(malloc) char *real = realpath(path, NULL);
    sg_auto(fd) int turn = -1;
    CK_FUNCTION_LIST *functions;

    if (real == NULL)
        return sg_fail(error, SG_TOKEN, NULL, "cannot load the PKCS#11 module %s: %s", path,
                       strerror(errno));
    turn = open_turn(real);
    take_turn(turn);
    functions = p11_kit_module_load(real, 0);
    if (functions == NULL) {
        const char *reason = p11_kit_message();

        return sg_fail(error, SG_TOKEN, NULL, "cannot load the PKCS#11 module %s: %s", path,
                       reason != NULL ? reason : "p11-kit does not say why");
    }
    if (!initialize(functions, path, error)) {
        p11_kit_module_release(functions);
        return false;
    }
    module->functions = functions;
    module->path = SG_TAKE(real);
    module->turn = turn;
    turn = -1;
    return true;
}

static bool open_first(const struct sg_profile *profile, struct sg_module *module,
                       struct sg_error *error)
{
    for (size_t i = 0; i < profile->num_modules; i++)
        if (access(profile->modules[i], F_OK) == 0)
            return open_path(profile->modules[i], module, error);
    return sg_fail(error, SG_TOKEN, NULL,
                   "the PKCS#11 module of the token profile %s is not installed: none of its %zu "
                   "paths is there (the last is %s)",
                   profile->name, profile->num_modules, profile->modules[profile->num_modules - 1]);
}

bool sg_module_open(const char *profile_name, const char *path, struct sg_profile *profile,
                    struct sg_module *module, struct sg_error *error)
{
    sg_auto(sg_profile) struct sg_profile fresh = {0};

    if (profile_name == NULL && path == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "neither a token profile nor the path of a PKCS#11 module is named");
    if (profile_name != NULL && !sg_profile_load(profile_name, &fresh, error))
        return false;
    if (path != NULL ? !open_path(path, module, error) : !open_first(&fresh, module, error))
        return false;
    *profile = fresh;
    fresh = (struct sg_profile){0};
    return true;
}

bool sg_module_slots(const struct sg_module *module, CK_SLOT_ID **slots, size_t *num,
                     struct sg_error *error)
{
    sg_auto(malloc) CK_SLOT_ID *found = NULL;
    CK_ULONG capacity = 0;
    CK_RV rv = CKR_BUFFER_TOO_SMALL;

    /* A token may appear between asking how many there are and asking which; a module that never
     * has enough room is broken. */
    for (int tries = 0; tries < 10 && rv == CKR_BUFFER_TOO_SMALL; tries++) {
        rv = module->functions->C_GetSlotList(CK_TRUE, NULL, &capacity);
        if (rv != CKR_OK)
            break;
        if (capacity > SG_LIMIT_SLOTS)
            return sg_fail(error, SG_TOKEN, NULL, "%s has %lu slots, at most %d are looked at",
                           module->path, capacity, SG_LIMIT_SLOTS);
        free(found);
        found = calloc(capacity + 1, sizeof *found);
        if (found == NULL)
            return sg_fail_memory(error);
        rv = module->functions->C_GetSlotList(CK_TRUE, found, &capacity);
    }
    if (rv != CKR_OK)
        return sg_fail_rv(error, SG_TOKEN, rv, "cannot list the slots of %s", module->path);
    *slots = SG_TAKE(found);
    *num = capacity;
    return true;
}

bool sg_module_restart(const struct sg_module *module, struct sg_error *error)
{
    p11_kit_module_finalize(module->functions);
    return initialize(module->functions, module->path, error);
}

void sg_module_close(struct sg_module *module)
{
    if (module->functions != NULL) {
        p11_kit_module_finalize(module->functions);
        p11_kit_module_release(module->functions);
        if (module->turn >= 0)
            close(module->turn);
    }
    free(module->path);
    *module = (struct sg_module){0};
}
