/* In `signet`: the network's commands are another program's. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "net.h"

static const char HELPER[] = "signet-est";

/* Beside this very program, as in a folder that it was built in, or where it is installed. */
static bool find_helper(char **path, struct sg_error *error)
{
    char own[SG_LIMIT_PATH];
    const ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    char *slash;

    if (len > 0) {
        own[len] = '\0';
        slash = strrchr(own, '/');
        *slash = '\0';
        if (!sg_path_join(own, HELPER, path, error))
            return false;
        if (access(*path, X_OK) == 0)
            return true;
        free(SG_TAKE(*path));
    }
    return sg_path_join(SG_LIBEXEC, HELPER, path, error);
}

static bool go(const struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;

    if (!find_helper(&path, error))
        return false;
    execv(path, cli->arguments);
    return sg_fail_errno(error, "%s, the part of Signet that goes to the network, can't be started",
                         path);
}

bool sg_cli_card_enroll(struct sg_cli *cli, struct sg_error *error)
{
    return go(cli, error);
}

bool sg_cli_desk(struct sg_cli *cli, struct sg_error *error)
{
    return go(cli, error);
}
