/* A folder of requests, in the order of their names. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "input.h"

struct folder {
    struct sg_input head;
    struct sg_buf names; /* one after the other, each with its zero byte */
    char **sorted;       /* into names */
    size_t num, at;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool sort(struct folder *folder, struct sg_error *error)
{
    char *name = (char *)folder->names.data;

    folder->sorted = reallocarray(NULL, folder->num + 1, sizeof *folder->sorted);
    if (folder->sorted == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < folder->num; i++, name += strlen(name) + 1)
        folder->sorted[i] = name;
    qsort(folder->sorted, folder->num, sizeof *folder->sorted, compare);
    return true;
}

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static bool list(struct folder *folder, const char *path, struct sg_error *error)
{
    __attribute__((cleanup(close_dir))) DIR *dir = opendir(path);
    struct dirent *entry;

    if (dir == NULL)
        return sg_fail_errno(error, "cannot read the folder %s", path);
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        if (!sg_item_is_request_name(entry->d_name) || entry->d_type == DT_DIR)
            continue;
        if (!sg_buf_append(&folder->names, entry->d_name, strlen(entry->d_name) + 1,
                           SG_LIMIT_FOLDER, error))
            return sg_error_prefix(error,
                                   "%s: too many requests for a folder; use a tar or a "
                                   "manifest",
                                   path);
        folder->num++;
    }
    if (errno != 0)
        return sg_fail_errno(error, "cannot read the folder %s", path);
    return folder->num > 0 ||
           sg_fail(error, SG_INVALID, NULL,
                   "%s has no requests: files that end in .csr, .req, .p10, .pem or .der", path);
}

static bool next(struct sg_input *source, struct sg_item **item, struct sg_error *error)
{
    struct folder *folder = (struct folder *)source;
    sg_auto(sg_item) struct sg_item *fresh = NULL;
    sg_auto(malloc) char *path = NULL;
    const char *name;

    *item = NULL;
    if (folder->at == folder->num)
        return true;
    name = folder->sorted[folder->at++];
    if (!sg_item_new(name, &fresh, error) || !sg_item_name_after(fresh, name, error) ||
        !sg_path_join(source->path, name, &path, error))
        return false;
    if (!sg_file_read(path, SG_LIMIT_REQUEST, &fresh->request, &fresh->error))
        sg_buf_free(&fresh->request);
    *item = SG_TAKE(fresh);
    return true;
}

static bool pass(struct sg_input *source, bool *more, struct sg_error *error)
{
    struct folder *folder = (struct folder *)source;

    (void)error;
    *more = folder->at < folder->num;
    folder->at += *more;
    return true;
}

static void close_folder(struct sg_input *source)
{
    struct folder *folder = (struct folder *)source;

    sg_buf_free(&folder->names);
    free(folder->sorted);
    free(folder);
}

bool sg_input_open_folder(const char *path, struct sg_input **source, struct sg_error *error)
{
    static const struct sg_input_kind KIND = {next, pass, close_folder};
    struct folder *folder = calloc(1, sizeof *folder);

    if (folder == NULL)
        return sg_fail_memory(error);
    folder->head = (struct sg_input){.kind = &KIND, .path = path};
    if (list(folder, path, error) && sort(folder, error)) {
        *source = &folder->head;
        return true;
    }
    close_folder(&folder->head);
    return false;
}
