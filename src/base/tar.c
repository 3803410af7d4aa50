#include "tar.h"

#include <stdio.h>
#include <string.h>

unsigned sg_tar_sum(const struct sg_tar_header *header)
{
    const uint8_t *bytes = (const uint8_t *)header;
    size_t from = offsetof(struct sg_tar_header, chksum), to = from + sizeof header->chksum;
    unsigned sum = 0;

    for (size_t i = 0; i < sizeof *header; i++)
        sum += i >= from && i < to ? ' ' : bytes[i];
    return sum;
}

void sg_tar_fill(const char *name, size_t size, struct sg_tar_header *header)
{
    memset(header, 0, sizeof *header);
    memcpy(header->name, name, strnlen(name, sizeof header->name));
    memcpy(header->mode, "0000644", 8);
    memcpy(header->uid, "0000000", 8);
    memcpy(header->gid, "0000000", 8);
    snprintf(header->size, sizeof header->size, "%011zo", size);
    memcpy(header->mtime, "00000000000", 12);
    header->typeflag[0] = '0';
    memcpy(header->magic, "ustar", 6);
    memcpy(header->version, "00", 2);
    memcpy(header->devmajor, "0000000", 8);
    memcpy(header->devminor, "0000000", 8);
    snprintf(header->chksum, sizeof header->chksum, "%06o", sg_tar_sum(header));
    header->chksum[7] = ' ';
}

size_t sg_tar_padding(size_t size)
{
    return (SG_TAR_BLOCK - size % SG_TAR_BLOCK) % SG_TAR_BLOCK;
}

size_t sg_tar_end(uint64_t len)
{
    uint64_t whole = (len + 2 * SG_TAR_BLOCK + SG_TAR_RECORD - 1) / SG_TAR_RECORD * SG_TAR_RECORD;

    return (size_t)(whole - len);
}

bool sg_tar_is_zeros(struct sg_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] != 0)
            return false;
    return true;
}
