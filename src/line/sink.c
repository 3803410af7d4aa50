#include "sink.h"

#include <string.h>

#include "base/text.h"

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

bool sg_sink_open(const char *path, bool force, struct sg_sink **sink, struct sg_error *error)
{
    if (ends_with(path, ".tar"))
        return sg_sink_open_tar(path, force, sink, error);
    if (strcmp(path, "-") == 0 || ends_with(path, ".jsonl") || ends_with(path, ".ndjson"))
        return sg_sink_open_lines(path, force, sink, error);
    return sg_sink_open_folder(path, force, sink, error);
}

bool sg_sink_check(const struct sg_sink *sink, const char *name, struct sg_error *error)
{
    return sink->kind->check == NULL || sink->kind->check(sink, name, error);
}

/* A line break would be one in a statement's list, too. */
static bool has_control(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7f)
            return true;
    return false;
}

bool sg_sink_check_file(const char *name, size_t most, struct sg_error *error)
{
    if (name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL && strlen(name) <= most &&
        !has_control(name))
        return true;
    sg_fail(error, SG_REFUSED, "output",
            "'%s' can't be a file's name; write to a .jsonl file instead", name);
    if (error != NULL)
        sg_text_make_printable(error->text);
    return false;
}

bool sg_sink_put(struct sg_sink *sink, const struct sg_served *served, struct sg_error *error)
{
    return sink->kind->put(sink, served, error);
}

bool sg_sink_finish(struct sg_sink *sink, struct sg_error *error)
{
    return sink->kind->finish(sink, error);
}

void sg_sink_close(struct sg_sink *sink)
{
    if (sink != NULL)
        sink->kind->close(sink);
}
