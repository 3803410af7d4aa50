/* A tar of requests, in its own order. */
#include <string.h>

#include "base/limits.h"
#include "input.h"
#include "tar.h"

struct archive {
    struct sg_input head;
    struct sg_tar tar;
    bool has_requests;
};

/* The next entry that is a request by its name; name NULL at the end. */
static bool next_entry(struct archive *archive, struct sg_tar_entry *entry, struct sg_error *error)
{
    do
        if (!sg_tar_next(&archive->tar, entry, error))
            return false;
    while (entry->name != NULL &&
           (entry->kind == SG_TAR_OTHER || !sg_item_is_request_name(entry->name)));
    if (entry->name == NULL && !archive->has_requests)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s has no requests: files that end in .csr, .req, .p10, .pem or .der",
                       archive->head.path);
    archive->has_requests = true;
    return true;
}

/* What only this request is to blame for is told of it alone. */
static bool read_request(struct archive *archive, const struct sg_tar_entry *entry,
                         struct sg_item *item, struct sg_error *error)
{
    if (entry->kind == SG_TAR_LINK)
        sg_fail(&item->error, SG_MALFORMED, NULL,
                "a link, which has no request in it: make the tar with --dereference and "
                "--hard-dereference");
    else if (entry->size > SG_LIMIT_REQUEST)
        sg_fail(&item->error, SG_MALFORMED, NULL, "more than %d bytes", SG_LIMIT_REQUEST);
    else
        return sg_tar_read(&archive->tar, SG_LIMIT_REQUEST, &item->request, error);
    return true;
}

static bool next(struct sg_input *source, struct sg_item **item, struct sg_error *error)
{
    struct archive *archive = (struct archive *)source;
    sg_auto(sg_item) struct sg_item *fresh = NULL;
    struct sg_tar_entry entry;

    *item = NULL;
    if (!next_entry(archive, &entry, error))
        return false;
    if (entry.name == NULL)
        return true;
    if (!sg_item_new(entry.name, &fresh, error) || !sg_item_name_after(fresh, entry.name, error) ||
        !read_request(archive, &entry, fresh, error))
        return false;
    *item = SG_TAKE(fresh);
    return true;
}

static bool pass(struct sg_input *source, bool *more, struct sg_error *error)
{
    struct sg_tar_entry entry;

    if (!next_entry((struct archive *)source, &entry, error))
        return false;
    *more = entry.name != NULL;
    return true;
}

static void close_archive(struct sg_input *source)
{
    struct archive *archive = (struct archive *)source;

    sg_tar_close(&archive->tar);
    free(archive);
}

bool sg_input_open_tar(const char *path, int stop, struct sg_input **source, struct sg_error *error)
{
    static const struct sg_input_kind KIND = {next, pass, close_archive};
    struct archive *archive = calloc(1, sizeof *archive);

    if (archive == NULL)
        return sg_fail_memory(error);
    archive->head = (struct sg_input){.kind = &KIND, .path = path, .stop = stop};
    if (sg_tar_open(path, stop, &archive->tar, error)) {
        *source = &archive->head;
        return true;
    }
    free(archive);
    return false;
}
