#include "owners.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char SUFFIX[] = ".owners";

static bool fail(struct sg_error *error, const char *doing)
{
    return sg_fail(error, SG_STORE, NULL,
                   "the store's owners file can't be %s: %s; it must be on a local file system, "
                   "beside the store, and belong to the same user",
                   doing, strerror(errno));
}

/* Made by root for a store of somebody else's, it must be usable by that somebody. */
static bool give_to_owner_of(const char *store_path, int fd)
{
    struct stat store, file;
    if (stat(store_path, &store) != 0 || fstat(fd, &file) != 0)
        return false;
    if (geteuid() != 0 || (store.st_uid == file.st_uid && store.st_gid == file.st_gid))
        return true;
    return fchown(fd, store.st_uid, store.st_gid) == 0;
}

bool sg_owners_open(const char *store_path, bool read_only, struct sg_owners *owners,
                    struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    if (asprintf(&path, "%s%s", store_path, SUFFIX) < 0) {
        path = NULL;
        return sg_fail_memory(error);
    }
    sg_auto(fd) int fd = open(path, (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600);
    if (fd < 0 && !(read_only && errno == ENOENT))
        return fail(error, "opened");
    if (!read_only && !give_to_owner_of(store_path, fd))
        return fail(error, "given to the store's user");
    owners->fd = fd;
    fd = -1;
    return true;
}

void sg_owners_close(struct sg_owners *owners)
{
    if (owners->fd >= 0)
        close(owners->fd);
    owners->fd = -1;
}

static struct flock byte_of(int64_t id, short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = id, .l_len = 1};
}

bool sg_owners_lock(struct sg_owners *owners, int64_t id, struct sg_error *error)
{
    struct flock lock = byte_of(id, F_WRLCK);
    if (fcntl(owners->fd, F_OFD_SETLK, &lock) != 0)
        return fail(error, "locked");
    return true;
}

void sg_owners_unlock(struct sg_owners *owners, int64_t id)
{
    struct flock lock = byte_of(id, F_UNLCK);
    (void)fcntl(owners->fd, F_OFD_SETLK, &lock);
}

bool sg_owners_probe(const struct sg_owners *owners, int64_t id, bool *alive,
                     struct sg_error *error)
{
    if (owners->fd < 0) {
        *alive = false;
        return true;
    }
    struct flock lock = byte_of(id, F_WRLCK);
    if (fcntl(owners->fd, F_OFD_GETLK, &lock) != 0)
        return fail(error, "asked for locks");
    *alive = lock.l_type != F_UNLCK;
    return true;
}
