#include "ustar.h"

#include <string.h>

#include "base/limits.h"
#include "base/tar.h"

static const uint8_t ZEROS[SG_TAR_RECORD + SG_TAR_BLOCK];

/* A name that could leave the folder, or that two systems would read differently, is none. */
static bool check_name(const char *name, struct sg_error *error)
{
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

    if (name[0] == '\0' || name[0] == '/' || strlen(name) > SG_TAR_NAME ||
        name[strspn(name, PLAIN)] != '\0' || strstr(name, "..") != NULL ||
        strstr(name, "//") != NULL)
        return sg_fail(error, SG_MALFORMED, "bundle", "a bundle has no file called '%s'", name);
    return true;
}

bool sg_ustar_append(struct sg_buf *tar, const char *name, struct sg_slice bytes,
                     struct sg_error *error)
{
    struct sg_tar_header header;

    if (!check_name(name, error))
        return false;
    sg_tar_fill(name, bytes.len, &header);
    return sg_buf_append(tar, &header, sizeof header, SG_LIMIT_CEREMONY_BUNDLE, error) &&
           sg_buf_append(tar, bytes.data, bytes.len, SG_LIMIT_CEREMONY_BUNDLE, error) &&
           sg_buf_append(tar, ZEROS, sg_tar_padding(bytes.len), SG_LIMIT_CEREMONY_BUNDLE, error);
}

bool sg_ustar_end(struct sg_buf *tar, struct sg_error *error)
{
    return sg_buf_append(tar, ZEROS, sg_tar_end(tar->len), SG_LIMIT_CEREMONY_BUNDLE, error);
}

/* ---- reading ---- */

static bool fail_at(size_t at, const char *what, struct sg_error *error)
{
    return sg_fail(error, SG_MALFORMED, "bundle", "byte %zu of the archive: %s", at, what);
}

/* What a header says of name and size; whether it says so rightly is seen by writing it again. */
static bool read_header(const uint8_t *block, char name[SG_TAR_NAME + 1], size_t *size)
{
    const struct sg_tar_header *header = (const struct sg_tar_header *)block;
    char digits[13] = "", *end;
    struct sg_tar_header again;

    memcpy(name, header->name, SG_TAR_NAME);
    name[SG_TAR_NAME] = '\0';
    memcpy(digits, header->size, 12);
    *size = strtoul(digits, &end, 8);
    if (*end != '\0' || *size > SG_LIMIT_CEREMONY_BUNDLE)
        return false;
    sg_tar_fill(name, *size, &again);
    return memcmp(&again, block, SG_TAR_BLOCK) == 0;
}

static bool read_file(struct sg_slice tar, size_t *at, sg_ustar_file *file, void *context,
                      struct sg_error *error)
{
    size_t left = tar.len - *at, size = 0;
    char name[SG_TAR_NAME + 1];

    if (left < SG_TAR_BLOCK || !read_header(tar.data + *at, name, &size))
        return fail_at(*at, "no header of a bundle's file", error);
    if (!check_name(name, error))
        return false;
    left -= SG_TAR_BLOCK;
    if (left < size + sg_tar_padding(size) ||
        !sg_tar_is_zeros(sg_slice_of(tar.data + *at + SG_TAR_BLOCK + size, sg_tar_padding(size))))
        return fail_at(*at, "the file is cut off, or something is behind it", error);
    if (!file(context, name, sg_slice_of(tar.data + *at + SG_TAR_BLOCK, size), error))
        return false;
    *at += SG_TAR_BLOCK + size + sg_tar_padding(size);
    return true;
}

bool sg_ustar_read(struct sg_slice tar, sg_ustar_file *file, void *context, struct sg_error *error)
{
    size_t at = 0;

    while (at < tar.len && tar.data[at] != 0)
        if (!read_file(tar, &at, file, context, error))
            return false;
    if (tar.len - at != sg_tar_end(at) ||
        !sg_tar_is_zeros(sg_slice_of(tar.data + at, tar.len - at)))
        return fail_at(at, "the archive is cut off, or something is behind its end", error);
    return true;
}
