/* One JSON object for each input, served or not: a file that is in place when it is whole, or
 * standard output, a line at a time. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "outcome.h"
#include "sink.h"

struct lines {
    struct sg_sink head;
    struct sg_draft *draft; /* NULL: standard output */
    FILE *file;
};

static bool fail_to_write(const struct lines *lines, struct sg_error *error)
{
    return sg_fail_errno(error,
                         "cannot write %s; run the same again: certificates are recorded, and "
                         "handed out then",
                         lines->draft != NULL ? lines->head.path : "to standard output");
}

static json_t *text_of(struct sg_slice text)
{
    return text.len == 0 ? json_null() : json_stringn((const char *)text.data, text.len);
}

static bool put(struct sg_sink *sink, const struct sg_served *served, struct sg_error *error)
{
    struct lines *lines = (struct lines *)sink;
    sg_auto(json_t) json_t *object = sg_outcome_json(served);
    bool has_certificate = served->pem.len > 0;
    sg_auto(malloc) char *text = NULL;

    if (object == NULL || json_object_set_new(object, "certificate", text_of(served->pem)) != 0 ||
        json_object_set_new(object, "chain",
                            has_certificate ? text_of(served->chain) : json_null()) != 0 ||
        (text = json_dumps(object, JSON_COMPACT)) == NULL)
        return sg_fail_memory(error);
    /* Whoever waits at the other end of a pipe has sent one request and wants one answer. */
    return (fprintf(lines->file, "%s\n", text) >= 0 &&
            (lines->draft != NULL || fflush(lines->file) == 0)) ||
           fail_to_write(lines, error);
}

static bool finish(struct sg_sink *sink, struct sg_error *error)
{
    struct lines *lines = (struct lines *)sink;

    if (fflush(lines->file) != 0 || ferror(lines->file))
        return fail_to_write(lines, error);
    return lines->draft == NULL || sg_draft_place(lines->draft, error);
}

static void close_lines(struct sg_sink *sink)
{
    struct lines *lines = (struct lines *)sink;

    if (lines->draft != NULL)
        sg_cleanup_FILE(&lines->file);
    sg_draft_free(lines->draft);
    free(lines);
}

static bool prepare(struct lines *lines, bool force, struct sg_error *error)
{
    if (strcmp(lines->head.path, "-") == 0) {
        lines->file = stdout;
        return true;
    }
    return sg_draft_open(lines->head.path, 0644, force ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING,
                         &lines->draft, error) &&
           sg_draft_file(lines->draft, &lines->file, error);
}

bool sg_sink_open_lines(const char *path, bool force, struct sg_sink **sink, struct sg_error *error)
{
    static const struct sg_sink_kind KIND = {NULL, put, finish, close_lines};
    struct lines *lines = calloc(1, sizeof *lines);

    if (lines == NULL)
        return sg_fail_memory(error);
    *lines = (struct lines){.head = {&KIND, path, false, strcmp(path, "-") == 0}};
    if (prepare(lines, force, error)) {
        *sink = &lines->head;
        return true;
    }
    close_lines(&lines->head);
    return false;
}
