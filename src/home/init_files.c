#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "init_parts.h"

/* Folders inside each other; policies/ has two. */
enum { MAX_DEPTH = 4 };

static inline void sg_cleanup_DIR(DIR **folder)
{
    if (*folder != NULL)
        closedir(*folder);
}

static bool copy_file(const char *from, const char *to, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    return sg_file_read(from, SG_LIMIT_YAML, &bytes, error) &&
           sg_file_write(to, sg_buf_slice(&bytes), 0644, SG_KEEP_EXISTING, error);
}

static bool copy_folder(const char *from, const char *to, unsigned depth, struct sg_error *error);

/* Files and folders are copied, anything else and what is hidden stays behind. */
static bool copy_entry(const char *from, const char *to, unsigned depth, struct sg_error *error)
{
    struct stat status;

    if (stat(from, &status) != 0)
        return sg_fail_errno(error, "cannot read %s", from);
    if (S_ISREG(status.st_mode))
        return copy_file(from, to, error);
    if (!S_ISDIR(status.st_mode) || depth == MAX_DEPTH)
        return true;
    if (mkdir(to, 0755) != 0)
        return sg_fail_errno(error, "cannot make %s", to);
    return copy_folder(from, to, depth + 1, error);
}

static bool copy_folder(const char *from, const char *to, unsigned depth, struct sg_error *error)
{
    sg_auto(DIR) DIR *folder = opendir(from);
    const struct dirent *entry;

    if (folder == NULL)
        return sg_fail_errno(error, "cannot open %s", from);
    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
        sg_auto(malloc) char *source = NULL;
        sg_auto(malloc) char *target = NULL;

        if (entry->d_name[0] == '.')
            continue;
        if (!sg_path_join(from, entry->d_name, &source, error) ||
            !sg_path_join(to, entry->d_name, &target, error) ||
            !copy_entry(source, target, depth, error))
            return false;
    }
    return errno == 0 || sg_fail_errno(error, "cannot read %s", from);
}

bool sg_init_copy_policies(const char *into, struct sg_error *error)
{
    const char *data = getenv("SIGNET_DATA");
    sg_auto(malloc) char *policies = NULL;

    if (data == NULL || data[0] == '\0')
        data = SG_DATA_DIR;
    if (data[0] != '/')
        return sg_fail(error, SG_USAGE, NULL, "SIGNET_DATA is '%s', which is not an absolute path",
                       data);
    if (!sg_path_join(data, "policies", &policies, error))
        return false;
    if (access(policies, R_OK | X_OK) != 0)
        return sg_fail_errno(error,
                             "the shipped policies are not in %s (SIGNET_DATA names the folder "
                             "that holds policies/, if it is another)",
                             policies);
    return copy_folder(policies, into, 1, error);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    remove(path);
    return 0;
}

void sg_init_remove_tree(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
