/* tar: the blocks of a tar archive, IEEE Std 1003.1, pax, "ustar Interchange Format".
 *
 * For those who write archives and those who read them; what an archive may hold is theirs to say.
 * No library for archives is used: libarchive brings libxml2 with it, which has an HTTP client that
 * an air-gapped machine should not carry.
 */
#ifndef SG_BASE_TAR_H
#define SG_BASE_TAR_H

#include "slice.h"

enum {
    SG_TAR_BLOCK = 512,
    SG_TAR_RECORD = 20 * SG_TAR_BLOCK, /* an archive is as many of these */
    SG_TAR_NAME = 100,                 /* bytes of a file's name in a header */
};

/* Numbers are octal text. */
struct sg_tar_header {
    char name[SG_TAR_NAME], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag[1],
        linkname[100], magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8],
        prefix[155], padding[12];
};
_Static_assert(sizeof(struct sg_tar_header) == SG_TAR_BLOCK, "a header is one block");

/* sg_tar_fill makes the header of a regular file; all that is not its name or size is fixed.
 * name     SG_TAR_NAME bytes at most. size: below 8 GiB. */
void sg_tar_fill(const char *name, size_t size, struct sg_tar_header *header);

/* sg_tar_sum is what the header's chksum should say. */
unsigned sg_tar_sum(const struct sg_tar_header *header);

/* sg_tar_padding: how many zeros fill the last block of a file. */
size_t sg_tar_padding(size_t size);

/* sg_tar_end: how many zeros end an archive that has come to len bytes: two blocks, and the rest of
 * the record; SG_TAR_RECORD + SG_TAR_BLOCK at most. */
size_t sg_tar_end(uint64_t len);

bool sg_tar_is_zeros(struct sg_slice bytes);

#endif
