#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "hex.h"
#include "limits.h"

/* Appends all of fd, but at most limit bytes. */
static bool read_all(int fd, const char *path, size_t limit, struct sg_buf *into,
                     struct sg_error *error)
{
    uint8_t part[16384];

    for (;;) {
        ssize_t num_read = read(fd, part, sizeof part);

        if (num_read < 0 && errno == EINTR)
            continue;
        if (num_read < 0)
            return sg_fail_errno(error, "cannot read %s", path);
        if ((size_t)num_read > limit - into->len)
            return sg_fail(error, SG_MALFORMED, NULL, "%s is larger than %zu bytes", path, limit);
        if (!sg_buf_append(into, part, (size_t)num_read, limit, error))
            return false;
        if (num_read == 0)
            return true;
    }
}

bool sg_file_read(const char *path, size_t limit, struct sg_buf *into, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(fd) int file = -1;
    bool is_stdin = strcmp(path, "-") == 0;

    if (!is_stdin && (file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return sg_fail_errno(error, "cannot open %s", path);
    if (!read_all(is_stdin ? STDIN_FILENO : file, is_stdin ? "standard input" : path, limit, &bytes,
                  error))
        return false;
    sg_buf_free(into);
    *into = bytes;
    bytes = (struct sg_buf){0};
    return true;
}

/* Network file systems, and those in user space, have either error for it. */
bool sg_folder_sync(int folder)
{
    return fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP;
}

bool sg_folder_sync_of(const char *path)
{
    sg_auto(malloc) char *copy = strdup(path);
    sg_auto(fd) int folder = -1;

    if (copy == NULL)
        return false;
    folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder >= 0 && sg_folder_sync(folder);
}

/* A file on its way: the open folder, the name it shall get, and the one it has until then. */
struct target {
    const char *path; /* as the caller wrote it, for messages */
    const char *name; /* inside folder */
    int folder;
    char temporary[sizeof ".signet-.tmp" + 32]; /* "" when there is none to remove */
};

static void target_done(struct target *target)
{
    if (target->temporary[0] != '\0')
        unlinkat(target->folder, target->temporary, 0);
    sg_cleanup_fd(&target->folder);
}
SG_DEFINE_CLEANUP_IN_PLACE(target, target_done)

static bool fail_to_write(const struct target *target, struct sg_error *error)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return sg_fail_errno(error, "cannot write %s: the disk is full, make room and try again",
                             target->path);
    return sg_fail_errno(error, "cannot write %s", target->path);
}

static bool fail_as_existing(const struct target *target, struct sg_error *error)
{
    sg_fail(error, SG_FAILED, NULL, "%s exists; --force replaces it", target->path);
    if (error != NULL)
        error->detail = EEXIST;
    return false;
}

/* Opens the folder once, so that every later step is about the same one. */
static bool target_open(struct target *target, const char *path, struct sg_error *error)
{
    const char *slash = strrchr(path, '/');
    size_t folder_len = slash == NULL ? 0 : (size_t)(slash - path);
    char folder[SG_LIMIT_PATH] = ".";

    target->path = path;
    target->name = slash == NULL ? path : slash + 1;
    if (target->name[0] == '\0')
        return sg_fail(error, SG_USAGE, NULL, "'%s' names no file", path);
    if (folder_len >= sizeof folder)
        return sg_fail(error, SG_FAILED, NULL, "a path is longer than %d bytes: %s",
                       SG_LIMIT_PATH - 1, path);
    if (slash != NULL) {
        /* "/name" lies in "/" */
        memcpy(folder, path, folder_len > 0 ? folder_len : 1);
        folder[folder_len > 0 ? folder_len : 1] = '\0';
    }
    target->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (target->folder < 0)
        return sg_fail_errno(error, "cannot write %s: cannot open the folder %s", path, folder);
    return true;
}

static bool write_all(int fd, struct sg_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t num_written = write(fd, bytes.data, bytes.len);

        if (num_written < 0 && errno == EINTR)
            continue;
        if (num_written < 0)
            return false;
        bytes.data += num_written;
        bytes.len -= (size_t)num_written;
    }
    return true;
}

static bool open_temporary(struct target *target, mode_t mode, int *fd, struct sg_error *error)
{
    uint8_t random[16];
    char digits[sizeof random * 2 + 1], name[sizeof target->temporary];
    int file;

    if (!sg_random_fill(random, sizeof random, error))
        return false;
    snprintf(name, sizeof name, ".signet-%s.tmp",
             sg_hex(sg_slice_of(random, sizeof random), digits, sizeof digits));
    file = openat(target->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (file < 0)
        return fail_to_write(target, error);
    memcpy(target->temporary, name, sizeof name);
    *fd = file;
    return true;
}

/* Gives the temporary file its name unless something has it already. */
static bool place_new(struct target *target, struct sg_error *error)
{
    if (linkat(target->folder, target->temporary, target->folder, target->name, 0) == 0)
        return true; /* the temporary name goes with target_done */
    /* FAT, as on memory sticks, has no hard links. */
    if ((errno == EPERM || errno == EOPNOTSUPP) &&
        renameat2(target->folder, target->temporary, target->folder, target->name,
                  RENAME_NOREPLACE) == 0) {
        target->temporary[0] = '\0';
        return true;
    }
    return errno == EEXIST ? fail_as_existing(target, error) : fail_to_write(target, error);
}

/* Only files are replaced: with root's rights a rename would also replace /dev/null. */
static bool check_replaceable(const struct target *target, const struct stat *existing,
                              struct sg_error *error)
{
    return S_ISREG(existing->st_mode) ||
           sg_fail(error, SG_FAILED, NULL,
                   "%s is not a regular file and stays; choose another name", target->path);
}

static bool place_over(struct target *target, struct sg_error *error)
{
    struct stat existing;

    if (fstatat(target->folder, target->name, &existing, AT_SYMLINK_NOFOLLOW) == 0 &&
        !check_replaceable(target, &existing, error))
        return false;
    if (renameat(target->folder, target->temporary, target->folder, target->name) != 0)
        return fail_to_write(target, error);
    target->temporary[0] = '\0';
    return true;
}

/* The file's bytes are in it by now. After fsync, close has nothing left to report. */
static bool place(struct target *target, int file, enum sg_overwrite overwrite,
                  struct sg_error *error)
{
    if (fsync(file) != 0)
        return fail_to_write(target, error);
    if (overwrite == SG_REPLACE_EXISTING ? !place_over(target, error) : !place_new(target, error))
        return false;
    if (!sg_folder_sync(target->folder)) {
        fail_to_write(target, error);
        if (overwrite == SG_KEEP_EXISTING)
            unlinkat(target->folder, target->name, 0);
        return false;
    }
    return true;
}

bool sg_file_write(const char *path, struct sg_slice bytes, mode_t mode,
                   enum sg_overwrite overwrite, struct sg_error *error)
{
    sg_auto(target) struct target target = {.folder = -1};
    sg_auto(fd) int file = -1;

    if (!target_open(&target, path, error) || !open_temporary(&target, mode, &file, error))
        return false;
    if (!write_all(file, bytes))
        return fail_to_write(&target, error);
    return place(&target, file, overwrite, error);
}

struct sg_draft {
    struct target target;
    int file;
    enum sg_overwrite overwrite;
};

bool sg_draft_open(const char *path, mode_t mode, enum sg_overwrite overwrite,
                   struct sg_draft **draft, struct sg_error *error)
{
    sg_auto(sg_draft) struct sg_draft *fresh = NULL;

    if (!sg_file_check_target(path, overwrite, error))
        return false;
    if ((fresh = calloc(1, sizeof *fresh)) == NULL)
        return sg_fail_memory(error);
    *fresh = (struct sg_draft){{.folder = -1}, -1, overwrite};
    if (!target_open(&fresh->target, path, error) ||
        !open_temporary(&fresh->target, mode, &fresh->file, error))
        return false;
    *draft = SG_TAKE(fresh);
    return true;
}

int sg_draft_fd(const struct sg_draft *draft)
{
    return draft->file;
}

bool sg_draft_file(const struct sg_draft *draft, FILE **file, struct sg_error *error)
{
    sg_auto(fd) int copy = fcntl(draft->file, F_DUPFD_CLOEXEC, 0);
    FILE *stream = copy < 0 ? NULL : fdopen(copy, "w");

    if (stream == NULL)
        return sg_fail_errno(error, "cannot write %s", draft->target.path);
    copy = -1;
    *file = stream;
    return true;
}

bool sg_draft_place(struct sg_draft *draft, struct sg_error *error)
{
    return place(&draft->target, draft->file, draft->overwrite, error);
}

void sg_draft_free(struct sg_draft *draft)
{
    if (draft == NULL)
        return;
    sg_cleanup_fd(&draft->file);
    target_done(&draft->target);
    free(draft);
}

bool sg_file_check_target(const char *path, enum sg_overwrite overwrite, struct sg_error *error)
{
    sg_auto(target) struct target target = {.folder = -1};
    struct stat existing;

    if (!target_open(&target, path, error))
        return false;
    errno = 0;
    if (fstatat(target.folder, target.name, &existing, AT_SYMLINK_NOFOLLOW) == 0 &&
        (overwrite == SG_KEEP_EXISTING ? !fail_as_existing(&target, error)
                                       : !check_replaceable(&target, &existing, error)))
        return false;
    if ((errno != 0 && errno != ENOENT) ||
        faccessat(target.folder, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return fail_to_write(&target, error);
    return true;
}

bool sg_path_join(const char *folder, const char *name, char **path, struct sg_error *error)
{
    size_t folder_len = name[0] == '/' ? 0 : strlen(folder);
    bool needs_slash = folder_len > 0 && folder[folder_len - 1] != '/';
    char *joined = NULL;

    if (folder_len + needs_slash + strlen(name) >= SG_LIMIT_PATH)
        return sg_fail(error, SG_FAILED, NULL, "a path is longer than %d bytes: %s",
                       SG_LIMIT_PATH - 1, name);
    if (asprintf(&joined, "%.*s%s%s", (int)folder_len, folder, needs_slash ? "/" : "", name) < 0)
        return sg_fail_memory(error);
    *path = joined;
    return true;
}
