#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "init_parts.h"

/* A home in the making: a folder beside the one that it is to become. */
struct workshop {
    char *target; /* DIR, without slashes at its end */
    char *parent;
    char *folder; /* NULL when there is nothing to remove */
};

static void workshop_done(struct workshop *workshop)
{
    if (workshop->folder != NULL)
        sg_init_remove_tree(workshop->folder);
    free(workshop->target);
    free(workshop->parent);
    free(workshop->folder);
}
SG_DEFINE_CLEANUP_IN_PLACE(workshop, workshop_done)

/* Replacing a folder that somebody stands in would leave them in one that is gone. */
static bool check_not_standing_there(const char *dir, struct sg_error *error)
{
    struct stat there, here;

    if (stat(dir, &there) != 0 || stat(".", &here) != 0 || there.st_dev != here.st_dev ||
        there.st_ino != here.st_ino)
        return true;
    return sg_fail(error, SG_USAGE, NULL,
                   "%s is the working folder; name a new folder, which `signet init` will make",
                   dir);
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

static bool open_workshop(const char *dir, struct workshop *workshop, struct sg_error *error)
{
    sg_auto(malloc) char *copy = strdup(dir);
    sg_auto(malloc) char *folder = NULL;
    size_t len = strlen(dir);

    while (len > 1 && dir[len - 1] == '/')
        len--;
    if (copy == NULL || (workshop->target = strndup(dir, len)) == NULL ||
        (workshop->parent = strdup(dirname(copy))) == NULL)
        return sg_fail_memory(error);
    if (!sg_path_join(workshop->parent, ".signet-init-XXXXXX", &folder, error))
        return false;
    if (mkdtemp(folder) == NULL)
        return sg_fail_errno(error, "cannot make %s: cannot write to %s", dir, workshop->parent);
    workshop->folder = SG_TAKE(folder);
    return true;
}

static bool furnish(const char *folder, struct sg_slice text, struct sg_error *error)
{
    sg_auto(malloc) char *settings = NULL;
    sg_auto(malloc) char *policies = NULL;
    sg_auto(sg_config) struct sg_config config = {0};
    sg_auto(sg_store) struct sg_store *store = NULL;

    if (!sg_path_join(folder, "signet.yaml", &settings, error) ||
        !sg_path_join(folder, "policies", &policies, error) ||
        !sg_file_write(settings, text, 0644, SG_KEEP_EXISTING, error))
        return false;
    if (mkdir(policies, 0755) != 0)
        return sg_fail_errno(error, "cannot make %s", policies);
    return sg_init_copy_policies(policies, error) && sg_config_load(settings, &config, error) &&
           sg_store_open(config.store, folder, SG_STORE_CREATE, &store, error);
}

static bool sync_folder(const char *path, struct sg_error *error)
{
    sg_auto(fd) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (folder >= 0 && sg_folder_sync(folder)) || sg_fail_errno(error, "cannot sync %s", path);
}

/* rename(2) takes the place of an empty folder, and of nothing else. */
static bool move_in(struct workshop *workshop, struct sg_error *error)
{
    if (!sync_folder(workshop->folder, error))
        return false;
    if (rename(workshop->folder, workshop->target) != 0)
        return sg_fail_errno(error, "cannot make %s", workshop->target);
    free(SG_TAKE(workshop->folder));
    return sync_folder(workshop->parent, error);
}

bool sg_home_init(const char *dir, const struct sg_home_spec *spec, struct sg_error *error)
{
    sg_auto(workshop) struct workshop workshop = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (dir[0] == '\0')
        return sg_fail(error, SG_USAGE, NULL, "the folder has no name");
    return sg_init_settings(spec, &text, error) && check_target(dir, error) &&
           open_workshop(dir, &workshop, error) &&
           furnish(workshop.folder, sg_buf_slice(&text), error) && move_in(&workshop, error);
}
