#include <errno.h>
#include <string.h>

#include "archive.h"
#include "base/limits.h"

static bool fail(const struct sg_archive *archive, const char *what, struct sg_error *error)
{
    return sg_fail(error, SG_INVALID, "backup", "%s: %s, at byte %llu", archive->path, what,
                   (unsigned long long)archive->at);
}

/* ---- tar ---- */

struct header {
    char name[SG_TAR_NAME + 1];
    uint64_t size;
    bool is_end;
};

static bool read_bytes(struct sg_archive *archive, void *into, size_t len, struct sg_error *error)
{
    if (len > 0 && fread(into, len, 1, archive->file) != 1)
        return ferror(archive->file) ? sg_fail_errno(error, "cannot read %s", archive->path)
                                     : fail(archive, "it is cut off", error);
    archive->at += len;
    return true;
}

static bool read_size(const char field[12], uint64_t *size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 11; i++) {
        if (field[i] < '0' || field[i] > '7')
            return false;
        value = value * 8 + (uint64_t)(field[i] - '0');
    }
    *size = value;
    return true;
}

/* Headers are as Signet writes them, to the byte. */
static bool read_header(struct sg_archive *archive, struct header *header, struct sg_error *error)
{
    struct sg_tar_header found, wanted;

    if (!read_bytes(archive, &found, sizeof found, error))
        return false;
    header->is_end = sg_tar_is_zeros(sg_slice_of(&found, sizeof found));
    if (header->is_end)
        return true;
    if (!read_size(found.size, &header->size))
        return fail(archive, "it is no backup of Signet's, or is damaged", error);
    memcpy(header->name, found.name, SG_TAR_NAME);
    header->name[SG_TAR_NAME] = '\0';
    sg_tar_fill(header->name, (size_t)header->size, &wanted);
    return (memcmp(&found, &wanted, sizeof found) == 0 && header->size <= SG_LIMIT_BACKUP_ENTRY) ||
           fail(archive, "it is no backup of Signet's, or is damaged", error);
}

/* By portions: the size that a damaged header tells is not believed. */
static bool read_body(struct sg_archive *archive, const struct header *header, struct sg_buf *bytes,
                      struct sg_error *error)
{
    uint8_t portion[16 * SG_TAR_BLOCK];
    uint64_t left = header->size;
    size_t padding = sg_tar_padding((size_t)header->size);

    bytes->len = 0;
    while (left > 0) {
        const size_t len = left < sizeof portion ? (size_t)left : sizeof portion;
        if (!read_bytes(archive, portion, len, error) ||
            !sg_buf_append(bytes, portion, len, SG_LIMIT_BACKUP_ENTRY, error))
            return false;
        left -= len;
    }
    return read_bytes(archive, portion, padding, error) &&
           (sg_tar_is_zeros(sg_slice_of(portion, padding)) ||
            fail(archive, "it is damaged", error));
}

static bool read_end(struct sg_archive *archive, uint64_t len, struct sg_error *error)
{
    uint8_t zeros[SG_TAR_RECORD + SG_TAR_BLOCK];
    const size_t rest = sg_tar_end(len) - (size_t)(archive->at - len);

    if (!read_bytes(archive, zeros, rest, error))
        return false;
    if (!sg_tar_is_zeros(sg_slice_of(zeros, rest)))
        return fail(archive, "it is damaged", error);
    return fgetc(archive->file) == EOF || fail(archive, "something stands behind its end", error);
}

/* ---- the first time through ---- */

static void describe(struct sg_slice bytes, char hex[SG_SHA256_HEX_SIZE])
{
    uint8_t digest[SG_SHA256_LEN];

    sg_sha256(bytes, digest);
    sg_hex(sg_slice_of(digest, sizeof digest), hex, SG_SHA256_HEX_SIZE);
}

static bool take_manifest(struct sg_archive *archive, struct sg_slice bytes, const json_t *found,
                          struct sg_error *error)
{
    sg_sha256(bytes, archive->id);
    archive->manifest =
        json_loadb((const char *)bytes.data, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(archive->manifest))
        return fail(archive, "its manifest can't be read", error);
    return json_equal(json_object_get(archive->manifest, "files"), found) ||
           fail(archive, "it is damaged: a file in it is not the one that its manifest tells of",
                error);
}

/* *found lists what is there, as the manifest does. */
static bool survey(struct sg_archive *archive, json_t *found, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct header header = {0};
    char hex[SG_SHA256_HEX_SIZE];

    while (archive->manifest == NULL) {
        if (!read_header(archive, &header, error))
            return false;
        if (header.is_end)
            return fail(archive, "it has no manifest: it is no backup of Signet's", error);
        if (!read_body(archive, &header, &bytes, error))
            return false;
        if (strcmp(header.name, SG_ARCHIVE_MANIFEST) == 0) {
            if (!take_manifest(archive, sg_buf_slice(&bytes), found, error))
                return false;
            continue;
        }
        describe(sg_buf_slice(&bytes), hex);
        if (json_array_append_new(found, json_pack("{s:s, s:I, s:s}", "name", header.name, "size",
                                                   (json_int_t)header.size, "sha256", hex)) != 0)
            return fail(archive, "it is damaged: a name in it is not UTF-8", error);
    }
    const uint64_t len = archive->at;
    if (!read_header(archive, &header, error))
        return false;
    return header.is_end ? read_end(archive, len, error)
                         : fail(archive, "something stands behind its manifest", error);
}

bool sg_archive_open(const char *path, struct sg_archive *archive, struct sg_error *error)
{
    sg_auto(sg_archive) struct sg_archive fresh = {.path = path, .file = fopen(path, "re")};

    if (fresh.file == NULL)
        return sg_fail_errno(error, "cannot open %s", path);
    json_t *found = json_array();
    const bool is_whole = survey(&fresh, found, error);
    json_decref(found);
    if (!is_whole)
        return false;
    *archive = fresh;
    fresh = (struct sg_archive){0};
    return true;
}

void sg_archive_close(struct sg_archive *archive)
{
    sg_cleanup_FILE(&archive->file);
    archive->file = NULL;
    json_decref(archive->manifest);
    archive->manifest = NULL;
}

/* ---- the second time ---- */

bool sg_archive_rewind(struct sg_archive *archive, struct sg_error *error)
{
    archive->at = 0;
    archive->num = 0;
    return fseek(archive->file, 0, SEEK_SET) == 0 ||
           sg_fail_errno(error, "cannot read %s twice", archive->path);
}

bool sg_archive_next(struct sg_archive *archive, const char **name, struct sg_buf *bytes,
                     struct sg_error *error)
{
    const json_t *entry = json_array_get(json_object_get(archive->manifest, "files"), archive->num);
    const char *wanted = json_string_value(json_object_get(entry, "name"));
    struct header header = {0};
    char hex[SG_SHA256_HEX_SIZE];

    *name = NULL;
    if (entry == NULL)
        return true;
    if (!read_header(archive, &header, error) || !read_body(archive, &header, bytes, error))
        return false;
    describe(sg_buf_slice(bytes), hex);
    if (header.is_end || strcmp(wanted, header.name) != 0 ||
        strcmp(json_string_value(json_object_get(entry, "sha256")), hex) != 0)
        return fail(archive, "it was changed while it was read", error);
    archive->num++;
    *name = wanted;
    return true;
}
