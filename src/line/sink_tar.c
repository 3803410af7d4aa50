/* A tar with NAME.pem for each certificate and its chain; in place when it is whole. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/tar.h"
#include "sink.h"

struct tar {
    struct sg_sink head;
    struct sg_draft *draft;
    FILE *file;
    uint64_t len;
};

static bool check(const struct sg_sink *sink, const char *name, struct sg_error *error)
{
    (void)sink;
    return sg_sink_check_file(name, SG_TAR_NAME - strlen(".pem"), error);
}

static bool fail_to_write(const struct tar *tar, struct sg_error *error)
{
    return sg_fail_errno(error,
                         "cannot write %s: make room and run the same again: certificates are "
                         "recorded, and handed out then",
                         tar->head.path);
}

static bool put_bytes(struct tar *tar, struct sg_slice bytes, struct sg_error *error)
{
    tar->len += bytes.len;
    return bytes.len == 0 || fwrite(bytes.data, bytes.len, 1, tar->file) == 1 ||
           fail_to_write(tar, error);
}

static bool put_zeros(struct tar *tar, size_t len, struct sg_error *error)
{
    static const uint8_t ZEROS[SG_TAR_RECORD + SG_TAR_BLOCK];

    return put_bytes(tar, sg_slice_of(ZEROS, len), error);
}

static bool put(struct sg_sink *sink, const struct sg_served *served, struct sg_error *error)
{
    struct tar *tar = (struct tar *)sink;
    size_t size = served->pem.len + served->chain.len;
    char name[SG_TAR_NAME + 1];
    struct sg_tar_header header;

    if (served->pem.len == 0)
        return true;
    snprintf(name, sizeof name, "%s.pem", served->name);
    sg_tar_fill(name, size, &header);
    return put_bytes(tar, sg_slice_of(&header, sizeof header), error) &&
           put_bytes(tar, served->pem, error) && put_bytes(tar, served->chain, error) &&
           put_zeros(tar, sg_tar_padding(size), error);
}

static bool finish(struct sg_sink *sink, struct sg_error *error)
{
    struct tar *tar = (struct tar *)sink;

    if (!put_zeros(tar, sg_tar_end(tar->len), error))
        return false;
    return (fflush(tar->file) == 0 || fail_to_write(tar, error)) &&
           sg_draft_place(tar->draft, error);
}

static void close_tar(struct sg_sink *sink)
{
    struct tar *tar = (struct tar *)sink;

    sg_cleanup_FILE(&tar->file);
    sg_draft_free(tar->draft);
    free(tar);
}

bool sg_sink_open_tar(const char *path, bool force, struct sg_sink **sink, struct sg_error *error)
{
    static const struct sg_sink_kind KIND = {check, put, finish, close_tar};
    struct tar *tar = calloc(1, sizeof *tar);

    if (tar == NULL)
        return sg_fail_memory(error);
    *tar = (struct tar){.head = {&KIND, path, true, false}};
    if (sg_draft_open(path, 0644, force ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING, &tar->draft,
                      error) &&
        sg_draft_file(tar->draft, &tar->file, error)) {
        *sink = &tar->head;
        return true;
    }
    close_tar(&tar->head);
    return false;
}
