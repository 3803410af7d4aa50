/* A folder with NAME.pem for each certificate and its chain.
 *
 * The store is the record, so that the files are not synced one by one: a run that comes after a
 * power cut writes those that are missing or torn once more. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink.h"

struct folder {
    struct sg_sink head;
    int fd;
    bool force;
    struct sg_buf content, existing; /* of the file at hand */
};

enum { NAME_SIZE = 256, CONTENT_LIMIT = 1024 * 1024 };

static bool check(const struct sg_sink *sink, const char *name, struct sg_error *error)
{
    (void)sink;
    return sg_sink_check_file(name, SG_SINK_FILE_NAME, error);
}

static bool fail_to_write(const struct folder *folder, const char *file, struct sg_error *error)
{
    const char *remedy = errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                             ? "the disk is full; make room"
                             : "mend that";

    return sg_fail_errno(error,
                         "cannot write %s/%s: %s and run the same again: certificates are "
                         "recorded, and handed out then",
                         folder->head.path, file, remedy);
}

static bool read_up_to(int fd, size_t limit, struct sg_buf *into, struct sg_error *error)
{
    uint8_t bytes[8192];
    ssize_t num;

    into->len = 0;
    while (into->len <= limit && (num = read(fd, bytes, sizeof bytes)) != 0) {
        if (num < 0 && errno == EINTR)
            continue;
        if (num < 0)
            return sg_fail_errno(error, "cannot read an output");
        if (!sg_buf_append(into, bytes, (size_t)num, CONTENT_LIMIT + sizeof bytes, error))
            return false;
    }
    return true;
}

/* What a power cut leaves of a file: its first bytes, or zeros in their place. */
static bool is_torn(struct sg_slice existing, struct sg_slice wanted)
{
    if (existing.len > wanted.len)
        return false;
    for (size_t i = 0; i < existing.len; i++)
        if (existing.data[i] != wanted.data[i] && existing.data[i] != 0)
            return false;
    return true;
}

/* Is the file there as it should be? One that may be replaced is as good as missing. */
static bool look(struct folder *folder, const char *file, bool *is_there, struct sg_error *error)
{
    sg_auto(fd) int fd = openat(folder->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct sg_slice wanted = sg_buf_slice(&folder->content), existing;
    struct stat status;

    *is_there = false;
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0 || fstat(fd, &status) != 0)
        return sg_fail_errno(error, "cannot read %s/%s", folder->head.path, file);
    if (!S_ISREG(status.st_mode))
        return sg_fail(error, SG_FAILED, NULL, "%s/%s is not a regular file and stays",
                       folder->head.path, file);
    if (!read_up_to(fd, wanted.len, &folder->existing, error))
        return false;
    existing = sg_buf_slice(&folder->existing);
    *is_there = sg_slice_equal(existing, wanted);
    return *is_there || folder->force || is_torn(existing, wanted) ||
           sg_fail(error, SG_FAILED, NULL,
                   "%s/%s holds something else than the certificate; move it away or say --force",
                   folder->head.path, file);
}

static bool write_all(int fd, struct sg_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t num = write(fd, bytes.data, bytes.len);

        if (num < 0 && errno != EINTR)
            return false;
        if (num > 0)
            bytes = sg_slice_of(bytes.data + num, bytes.len - (size_t)num);
    }
    return true;
}

/* The temporary name is always the same for a file, so that what a killed run leaves is used up by
 * the next. */
static bool write_file(struct folder *folder, const char *file, struct sg_error *error)
{
    char temporary[NAME_SIZE + 8];
    bool written;

    snprintf(temporary, sizeof temporary, ".%s.tmp", file);
    sg_auto(fd) int fd =
        openat(folder->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    written = fd >= 0 && write_all(fd, sg_buf_slice(&folder->content)) &&
              renameat(folder->fd, temporary, folder->fd, file) == 0;
    if (!written) {
        fail_to_write(folder, file, error);
        unlinkat(folder->fd, temporary, 0);
    }
    return written;
}

static bool put(struct sg_sink *sink, const struct sg_served *served, struct sg_error *error)
{
    struct folder *folder = (struct folder *)sink;
    char file[NAME_SIZE];
    bool is_there;

    if (served->pem.len == 0)
        return true;
    snprintf(file, sizeof file, "%s.pem", served->name);
    folder->content.len = 0;
    return sg_buf_append(&folder->content, served->pem.data, served->pem.len, CONTENT_LIMIT,
                         error) &&
           sg_buf_append(&folder->content, served->chain.data, served->chain.len, CONTENT_LIMIT,
                         error) &&
           look(folder, file, &is_there, error) && (is_there || write_file(folder, file, error));
}

static bool finish(struct sg_sink *sink, struct sg_error *error)
{
    struct folder *folder = (struct folder *)sink;

    return syncfs(folder->fd) == 0 || fail_to_write(folder, "", error);
}

static void close_folder(struct sg_sink *sink)
{
    struct folder *folder = (struct folder *)sink;

    sg_cleanup_fd(&folder->fd);
    sg_buf_free(&folder->content);
    sg_buf_free(&folder->existing);
    free(folder);
}

static bool prepare(struct folder *folder, struct sg_error *error)
{
    const char *path = folder->head.path;

    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return sg_fail_errno(error, "cannot make the folder %s", path);
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0 || faccessat(folder->fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return sg_fail_errno(error, "cannot write into the folder %s", path);
    if (flock(folder->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return sg_fail(error, SG_FAILED, NULL, "another run is writing into the folder %s", path);
    return true;
}

bool sg_sink_open_folder(const char *path, bool force, struct sg_sink **sink,
                         struct sg_error *error)
{
    static const struct sg_sink_kind KIND = {check, put, finish, close_folder};
    struct folder *folder = calloc(1, sizeof *folder);

    if (folder == NULL)
        return sg_fail_memory(error);
    *folder = (struct folder){{&KIND, path, true, true}, -1, force, {0}, {0}};
    if (prepare(folder, error)) {
        *sink = &folder->head;
        return true;
    }
    close_folder(&folder->head);
    return false;
}
