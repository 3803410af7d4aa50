/* tar: what is in a tar archive, an entry at a time, in memory that does not grow with it.
 *
 * It reads what GNU tar, bsdtar and others make of ordinary files: ustar, with the long names of
 * GNU and of pax. Whatever is beyond that ends the reading and is not passed over, so that no
 * request is lost without a word. Does not: unpack, or trust a name. Thread rule: one archive
 * belongs to one thread.
 */
#ifndef SG_LINE_TAR_H
#define SG_LINE_TAR_H

#include "feed.h"

enum sg_tar_kind {
    SG_TAR_FILE,
    SG_TAR_LINK,  /* to a file, or the second name of one; it has no bytes */
    SG_TAR_OTHER, /* folders, devices, labels */
};

struct sg_tar_entry {
    const char *name; /* lives until the next call */
    enum sg_tar_kind kind;
    uint64_t size;
};

struct sg_tar {
    struct sg_feed feed;
    uint64_t at;        /* of the next block */
    uint64_t left;      /* bytes of the entry that are unread */
    struct sg_buf name; /* of the entry */
};

/* sg_tar_open opens path, which is borrowed; stop as sg_feed_open. Fails: SG_FAILED. */
SG_MUST_USE bool sg_tar_open(const char *path, int stop, struct sg_tar *tar,
                             struct sg_error *error);
void sg_tar_close(struct sg_tar *tar);
SG_DEFINE_CLEANUP_IN_PLACE(sg_tar, sg_tar_close)

/* sg_tar_next goes to the next entry; its name is NULL at the end of the archive, behind which
 * there are zeros and nothing else. Fails: SG_INVALID, SG_FAILED. */
SG_MUST_USE bool sg_tar_next(struct sg_tar *tar, struct sg_tar_entry *entry,
                             struct sg_error *error);

/* sg_tar_read appends the entry's bytes, up to limit in all. Fails: SG_INVALID, SG_FAILED. */
SG_MUST_USE bool sg_tar_read(struct sg_tar *tar, size_t limit, struct sg_buf *into,
                             struct sg_error *error);

#endif
