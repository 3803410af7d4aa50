#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"

bool sg_state_path(const char *name, const char *what, char **path, struct sg_error *error)
{
    const char *state = secure_getenv("XDG_STATE_HOME");
    const char *home = secure_getenv("HOME");
    char *built = NULL;
    int len;

    /* A relative XDG_STATE_HOME counts as none (XDG Base Directory Specification). */
    if (state != NULL && state[0] == '/')
        len = asprintf(&built, "%s/signet/%s", state, name);
    else if (home != NULL && home[0] == '/')
        len = asprintf(&built, "%s/.local/state/signet/%s", home, name);
    else
        return sg_fail(error, SG_FAILED, NULL, "no place for %s: set HOME or XDG_STATE_HOME", what);
    if (len < 0)
        return sg_fail_memory(error);
    *path = built;
    return true;
}

bool sg_state_make_folders(const char *path, const char *what, struct sg_error *error)
{
    char folder[SG_LIMIT_PATH];

    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return sg_fail(error, SG_FAILED, NULL, "the path of %s is too long", what);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return sg_fail_errno(error, "cannot make the folder %s for %s", folder, what);
        *slash = '/';
    }
    return true;
}
