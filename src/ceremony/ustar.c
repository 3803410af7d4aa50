#include "ustar.h"

#include <string.h>

#include "base/limits.h"

enum { BLOCK = 512, BLOCKS_OF_RECORD = 20 };

/* IEEE Std 1003.1, pax, "ustar Interchange Format". Numbers are octal text. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag[1],
        linkname[100], magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8],
        prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static const uint8_t ZEROS[BLOCK * BLOCKS_OF_RECORD];

static size_t padding_of(size_t len)
{
    return (BLOCK - len % BLOCK) % BLOCK;
}

static void fill(const char *name, size_t size, struct header *header)
{
    unsigned sum = 0;

    memset(header, 0, sizeof *header);
    memcpy(header->name, name, strlen(name));
    memcpy(header->mode, "0000644", 8);
    memcpy(header->uid, "0000000", 8);
    memcpy(header->gid, "0000000", 8);
    snprintf(header->size, sizeof header->size, "%011zo", size);
    memcpy(header->mtime, "00000000000", 12);
    memset(header->chksum, ' ', sizeof header->chksum);
    header->typeflag[0] = '0';
    memcpy(header->magic, "ustar", 6);
    memcpy(header->version, "00", 2);
    memcpy(header->devmajor, "0000000", 8);
    memcpy(header->devminor, "0000000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += ((const uint8_t *)header)[i];
    snprintf(header->chksum, sizeof header->chksum, "%06o", sum);
    header->chksum[7] = ' ';
}

/* A name that could leave the folder, or that two systems would read differently, is none. */
static bool check_name(const char *name, struct sg_error *error)
{
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

    if (name[0] == '\0' || name[0] == '/' || strlen(name) > sizeof((struct header *)0)->name ||
        name[strspn(name, PLAIN)] != '\0' || strstr(name, "..") != NULL ||
        strstr(name, "//") != NULL)
        return sg_fail(error, SG_MALFORMED, "bundle", "a bundle has no file called '%s'", name);
    return true;
}

bool sg_ustar_append(struct sg_buf *tar, const char *name, struct sg_slice bytes,
                     struct sg_error *error)
{
    struct header header;

    if (!check_name(name, error))
        return false;
    fill(name, bytes.len, &header);
    return sg_buf_append(tar, &header, sizeof header, SG_LIMIT_CEREMONY_BUNDLE, error) &&
           sg_buf_append(tar, bytes.data, bytes.len, SG_LIMIT_CEREMONY_BUNDLE, error) &&
           sg_buf_append(tar, ZEROS, padding_of(bytes.len), SG_LIMIT_CEREMONY_BUNDLE, error);
}

/* How many bytes of zeros end an archive that has come to len: two blocks, and the record's rest.
 */
static size_t end_of(size_t len)
{
    size_t record = BLOCK * BLOCKS_OF_RECORD;
    size_t whole = (len + 2 * BLOCK + record - 1) / record * record;

    return whole - len;
}

bool sg_ustar_end(struct sg_buf *tar, struct sg_error *error)
{
    size_t rest = end_of(tar->len);

    while (rest > 0) {
        size_t len = rest < sizeof ZEROS ? rest : sizeof ZEROS;

        if (!sg_buf_append(tar, ZEROS, len, SG_LIMIT_CEREMONY_BUNDLE, error))
            return false;
        rest -= len;
    }
    return true;
}

/* ---- reading ---- */

static bool fail_at(size_t at, const char *what, struct sg_error *error)
{
    return sg_fail(error, SG_MALFORMED, "bundle", "byte %zu of the archive: %s", at, what);
}

static bool is_zero(struct sg_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] != 0)
            return false;
    return true;
}

/* What a header says of name and size; whether it says so rightly is seen by writing it again. */
static bool read_header(const uint8_t *block, char name[101], size_t *size)
{
    const struct header *header = (const struct header *)block;
    char digits[13] = "", *end;
    struct header again;

    memcpy(name, header->name, 100);
    name[100] = '\0';
    memcpy(digits, header->size, 12);
    *size = strtoul(digits, &end, 8);
    if (*end != '\0' || *size > SG_LIMIT_CEREMONY_BUNDLE)
        return false;
    fill(name, *size, &again);
    return memcmp(&again, block, BLOCK) == 0;
}

static bool read_file(struct sg_slice tar, size_t *at, sg_ustar_file *file, void *context,
                      struct sg_error *error)
{
    size_t left = tar.len - *at, size = 0;
    char name[101];

    if (left < BLOCK || !read_header(tar.data + *at, name, &size))
        return fail_at(*at, "no header of a bundle's file", error);
    if (!check_name(name, error))
        return false;
    left -= BLOCK;
    if (left < size + padding_of(size) ||
        !is_zero(sg_slice_of(tar.data + *at + BLOCK + size, padding_of(size))))
        return fail_at(*at, "the file is cut off, or something is behind it", error);
    if (!file(context, name, sg_slice_of(tar.data + *at + BLOCK, size), error))
        return false;
    *at += BLOCK + size + padding_of(size);
    return true;
}

bool sg_ustar_read(struct sg_slice tar, sg_ustar_file *file, void *context, struct sg_error *error)
{
    size_t at = 0;

    while (at < tar.len && tar.data[at] != 0)
        if (!read_file(tar, &at, file, context, error))
            return false;
    if (tar.len - at != end_of(at) || !is_zero(sg_slice_of(tar.data + at, tar.len - at)))
        return fail_at(at, "the archive is cut off, or something is behind its end", error);
    return true;
}
