#include "input.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_stream(const char *path)
{
    return strcmp(path, "-") == 0;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_tar(const char *path)
{
    return ends_with(path, ".tar");
}

static bool check_compression(const char *path, struct sg_error *error)
{
    static const struct {
        const char *ending, *command;
    } FORMATS[] = {{".gz", "gunzip"},   {".tgz", "gunzip"}, {".xz", "unxz"},
                   {".bz2", "bunzip2"}, {".zst", "unzstd"}, {".zip", "unzip"}};

    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        if (ends_with(path, FORMATS[i].ending))
            return sg_fail(error, SG_USAGE, NULL, "%s is compressed: unpack it by %s first", path,
                           FORMATS[i].command);
    return true;
}

bool sg_input_open(const char *path, const struct sg_schema *schema, int stop,
                   struct sg_input **source, struct sg_error *error)
{
    struct stat status;

    if (is_stream(path))
        return sg_input_open_manifest(path, schema, stop, SG_MANIFEST_STREAM, source, error);
    if (stat(path, &status) != 0)
        return sg_fail_errno(error, "cannot read %s", path);
    if (is_folder(path))
        return sg_input_open_folder(path, source, error);
    if (is_tar(path))
        return sg_input_open_tar(path, stop, source, error);
    if (ends_with(path, ".csv"))
        return sg_input_open_manifest(path, schema, stop, SG_MANIFEST_CSV, source, error);
    if (ends_with(path, ".jsonl") || ends_with(path, ".ndjson"))
        return sg_input_open_manifest(path, schema, stop, SG_MANIFEST_JSON_LINES, source, error);
    if (!check_compression(path, error))
        return false;
    return sg_fail(error, SG_USAGE, NULL,
                   "%s: an input is a folder of requests, a .tar, a .csv or .jsonl manifest, or - "
                   "for standard input",
                   path);
}

bool sg_input_next(struct sg_input *source, struct sg_item **item, struct sg_error *error)
{
    return source->kind->next(source, item, error);
}

void sg_input_close(struct sg_input *source)
{
    if (source != NULL)
        source->kind->close(source);
}

/* Only what can be read twice: a named pipe can't. */
static bool can_be_counted(const char *path)
{
    struct stat status;

    return !is_stream(path) && stat(path, &status) == 0 &&
           (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

bool sg_input_count(const char *path, const struct sg_schema *schema, uint64_t *num,
                    struct sg_error *error)
{
    sg_auto(sg_input) struct sg_input *source = NULL;
    uint64_t counted = 0;
    bool more = true;

    if (!can_be_counted(path)) {
        *num = 0;
        return true;
    }
    if (!sg_input_open(path, schema, -1, &source, error))
        return false;
    while (more) {
        if (!source->kind->pass(source, &more, error))
            return false;
        counted += more;
    }
    *num = counted;
    return true;
}

bool sg_input_names_devices(const char *path)
{
    return is_stream(path) || (!is_folder(path) && !is_tar(path));
}
