#include "report.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "outcome.h"

static const char HEADER[] = "number,input,device,outcome,serial,rule,message\r\n";
static const char JSON_START[] = "{\"number\":";

struct sg_report {
    const char *path;
    bool is_csv;
    struct sg_draft *draft;
    FILE *file;
};

static bool fail_to_write(const struct sg_report *report, struct sg_error *error)
{
    return sg_fail_errno(error, "cannot write the report %s", report->path);
}

/* Does the file begin as a report does? Then it may be replaced: a run that goes on where another
 * broke off reports on all of its inputs. */
static bool is_report(const char *path, const char *start)
{
    char bytes[sizeof HEADER] = "";
    sg_auto(fd) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    return fd >= 0 && read(fd, bytes, strlen(start)) == (ssize_t)strlen(start) &&
           strcmp(bytes, start) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool begin(struct sg_report *report, bool force, struct sg_error *error)
{
    force = force || is_report(report->path, report->is_csv ? HEADER : JSON_START);
    return sg_draft_open(report->path, 0644, force ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING,
                         &report->draft, error) &&
           sg_draft_file(report->draft, &report->file, error) &&
           (!report->is_csv || fputs(HEADER, report->file) >= 0 || fail_to_write(report, error));
}

bool sg_report_open(const char *path, bool force, struct sg_report **report, struct sg_error *error)
{
    sg_auto(sg_report) struct sg_report *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    *fresh = (struct sg_report){.path = path, .is_csv = ends_with(path, ".csv")};
    if (!fresh->is_csv && !ends_with(path, ".jsonl") && !ends_with(path, ".ndjson"))
        return sg_fail(error, SG_USAGE, NULL, "%s: a report is a .csv or a .jsonl file", path);
    if (!begin(fresh, force, error))
        return false;
    *report = SG_TAKE(fresh);
    return true;
}

/* In quotes always: RFC 4180. */
static void put_value(struct sg_report *report, const char *value, const char *end)
{
    fputc('"', report->file);
    for (; *value != '\0'; value++) {
        if (*value == '"')
            fputc('"', report->file);
        fputc(*value, report->file);
    }
    fprintf(report->file, "\"%s", end);
}

static void put_csv(struct sg_report *report, const struct sg_served *served)
{
    fprintf(report->file, "%llu,", (unsigned long long)served->number);
    put_value(report, served->input, ",");
    put_value(report, served->device != NULL ? served->device : "", ",");
    put_value(report, sg_outcome_word(served->outcome), ",");
    put_value(report, served->serial != NULL ? served->serial : "", ",");
    put_value(report, served->error->rule, ",");
    put_value(report, served->error->text, "\r\n");
}

static bool put_json(struct sg_report *report, const struct sg_served *served,
                     struct sg_error *error)
{
    sg_auto(json_t) json_t *object = sg_outcome_json(served);

    if (object == NULL)
        return sg_fail_memory(error);
    json_dumpf(object, report->file, JSON_COMPACT);
    fputc('\n', report->file);
    return true;
}

bool sg_report_put(struct sg_report *report, const struct sg_served *served, struct sg_error *error)
{
    if (report->is_csv)
        put_csv(report, served);
    else if (!put_json(report, served, error))
        return false;
    return !ferror(report->file) || fail_to_write(report, error);
}

bool sg_report_finish(struct sg_report *report, struct sg_error *error)
{
    if (fflush(report->file) != 0 || ferror(report->file))
        return fail_to_write(report, error);
    return sg_draft_place(report->draft, error);
}

void sg_report_close(struct sg_report *report)
{
    if (report == NULL)
        return;
    sg_cleanup_FILE(&report->file);
    sg_draft_free(report->draft);
    free(report);
}
