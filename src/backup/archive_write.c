#include <string.h>

#include "archive.h"

bool sg_archive_create(const char *path, enum sg_overwrite overwrite,
                       struct sg_archive_writer *writer, struct sg_error *error)
{
    sg_auto(sg_archive_writer) struct sg_archive_writer fresh = {.path = path};

    if (!sg_draft_open(path, 0600, overwrite, &fresh.draft, error) ||
        !sg_draft_file(fresh.draft, &fresh.file, error))
        return false;
    fresh.files = json_array();
    if (fresh.files == NULL)
        return sg_fail_memory(error);
    *writer = fresh;
    fresh = (struct sg_archive_writer){0};
    return true;
}

void sg_archive_writer_done(struct sg_archive_writer *writer)
{
    sg_cleanup_FILE(&writer->file);
    writer->file = NULL;
    sg_draft_free(writer->draft);
    writer->draft = NULL;
    json_decref(writer->files);
    writer->files = NULL;
}

static bool put_bytes(struct sg_archive_writer *writer, struct sg_slice bytes,
                      struct sg_error *error)
{
    writer->len += bytes.len;
    return bytes.len == 0 || fwrite(bytes.data, bytes.len, 1, writer->file) == 1 ||
           sg_fail_errno(error, "cannot write %s", writer->path);
}

static bool put_zeros(struct sg_archive_writer *writer, size_t len, struct sg_error *error)
{
    static const uint8_t ZEROS[SG_TAR_RECORD + SG_TAR_BLOCK];

    return put_bytes(writer, sg_slice_of(ZEROS, len), error);
}

static bool put_entry(struct sg_archive_writer *writer, const char *name, struct sg_slice bytes,
                      struct sg_error *error)
{
    struct sg_tar_header header;

    if (strlen(name) > SG_TAR_NAME)
        return sg_fail(error, SG_FAILED, NULL, "the name of %s is longer than %d bytes: shorten it",
                       name, SG_TAR_NAME);
    sg_tar_fill(name, bytes.len, &header);
    return put_bytes(writer, sg_slice_of(&header, sizeof header), error) &&
           put_bytes(writer, bytes, error) && put_zeros(writer, sg_tar_padding(bytes.len), error);
}

bool sg_archive_add(struct sg_archive_writer *writer, const char *name, struct sg_slice bytes,
                    struct sg_error *error)
{
    uint8_t digest[SG_SHA256_LEN];
    char hex[SG_SHA256_HEX_SIZE];

    sg_sha256(bytes, digest);
    return put_entry(writer, name, bytes, error) &&
           (json_array_append_new(
                writer->files,
                json_pack("{s:s, s:I, s:s}", "name", name, "size", (json_int_t)bytes.len, "sha256",
                          sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex))) == 0 ||
            sg_fail(error, SG_FAILED, NULL, "%s: its name is not UTF-8, or memory ran out", name));
}

bool sg_archive_finish(struct sg_archive_writer *writer, json_t *about, uint8_t id[SG_SHA256_LEN],
                       struct sg_error *error)
{
    sg_auto(malloc) char *text = NULL;

    if (json_object_set(about, "files", writer->files) != 0 ||
        (text = json_dumps(about, JSON_INDENT(1))) == NULL)
        return sg_fail_memory(error);
    sg_sha256(sg_slice_text(text), id);
    if (!put_entry(writer, SG_ARCHIVE_MANIFEST, sg_slice_text(text), error) ||
        !put_zeros(writer, sg_tar_end(writer->len), error))
        return false;
    return (fflush(writer->file) == 0 || sg_fail_errno(error, "cannot write %s", writer->path)) &&
           sg_draft_place(writer->draft, error);
}
