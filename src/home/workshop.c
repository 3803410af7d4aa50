#include "workshop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "init_parts.h"

void sg_workshop_done(struct sg_workshop *workshop)
{
    if (workshop->folder != NULL)
        sg_init_remove_tree(workshop->folder);
    free(workshop->target);
    free(workshop->parent);
    free(workshop->folder);
    *workshop = (struct sg_workshop){0};
}

/* Replacing a folder that somebody stands in would leave them in one that is gone. */
static bool check_not_standing_there(const char *dir, struct sg_error *error)
{
    struct stat there, here;

    if (stat(dir, &there) != 0 || stat(".", &here) != 0 || there.st_dev != here.st_dev ||
        there.st_ino != here.st_ino)
        return true;
    return sg_fail(error, SG_USAGE, NULL,
                   "%s is the working folder; name a new folder, which will be made", dir);
}

static bool check_target(const char *dir, struct sg_error *error)
{
    struct dirent **entries = NULL;
    int num;

    if (!check_not_standing_there(dir, error))
        return false;
    num = scandir(dir, &entries, NULL, NULL);
    if (num < 0)
        return errno == ENOENT || sg_fail_errno(error, "cannot make a CA home of %s", dir);
    for (int i = 0; i < num; i++)
        free(entries[i]);
    free(entries);
    if (num > 2) /* "." and ".." */
        return sg_fail(error, SG_FAILED, NULL, "%s is there and not empty; name a new folder", dir);
    return true;
}

bool sg_workshop_open(const char *dir, struct sg_workshop *workshop, struct sg_error *error)
{
    if (dir[0] == '\0')
        return sg_fail(error, SG_USAGE, NULL, "the folder has no name");
    if (!check_target(dir, error))
        return false;
    sg_auto(malloc) char *copy = strdup(dir);
    sg_auto(malloc) char *folder = NULL;
    size_t len = strlen(dir);

    while (len > 1 && dir[len - 1] == '/')
        len--;
    if (copy == NULL || (workshop->target = strndup(dir, len)) == NULL ||
        (workshop->parent = strdup(dirname(copy))) == NULL)
        return sg_fail_memory(error);
    if (!sg_path_join(workshop->parent, ".signet-new-XXXXXX", &folder, error))
        return false;
    if (mkdtemp(folder) == NULL)
        return sg_fail_errno(error, "cannot make %s: cannot write to %s", dir, workshop->parent);
    workshop->folder = SG_TAKE(folder);
    return true;
}

static bool sync_folder(const char *path, struct sg_error *error)
{
    sg_auto(fd) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (folder >= 0 && sg_folder_sync(folder)) || sg_fail_errno(error, "cannot sync %s", path);
}

/* rename(2) takes the place of an empty folder, and of nothing else. */
bool sg_workshop_move_in(struct sg_workshop *workshop, struct sg_error *error)
{
    if (!sync_folder(workshop->folder, error))
        return false;
    if (rename(workshop->folder, workshop->target) != 0)
        return sg_fail_errno(error, "cannot make %s", workshop->target);
    free(SG_TAKE(workshop->folder));
    return sync_folder(workshop->parent, error);
}
