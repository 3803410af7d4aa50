#include "transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/limits.h"

static void digest_of(struct sg_slice bytes, char hex[SG_SHA256_HEX_SIZE])
{
    uint8_t digest[SG_SHA256_LEN];

    sg_sha256(bytes, digest);
    sg_hex(sg_slice_of(digest, sizeof digest), hex, SG_SHA256_HEX_SIZE);
}

/* ---- reading ---- */

static bool fail_at(size_t line, const char *what, struct sg_error *error)
{
    return sg_fail(error, SG_INVALID, "transcript", "line %zu %s", line, what);
}

static bool has_form(const json_t *entry)
{
    return json_object_size(entry) == 5 && json_is_integer(json_object_get(entry, "n")) &&
           json_is_string(json_object_get(entry, "prev")) &&
           json_is_string(json_object_get(entry, "time")) &&
           json_is_string(json_object_get(entry, "event")) &&
           json_is_object(json_object_get(entry, "data"));
}

static bool take_line(struct sg_slice line, struct sg_transcript *transcript,
                      struct sg_error *error)
{
    size_t number = json_array_size(transcript->entries) + 1;
    json_t *entry =
        line.len > SG_LIMIT_CEREMONY_LINE
            ? NULL
            : json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, NULL);

    if (!has_form(entry)) {
        json_decref(entry);
        return fail_at(number, "is no entry of a ceremony's record", error);
    }
    bool follows = json_integer_value(json_object_get(entry, "n")) == (json_int_t)number &&
                   strcmp(json_string_value(json_object_get(entry, "prev")), transcript->head) == 0;
    if (json_array_append_new(transcript->entries, entry) != 0)
        return sg_fail_memory(error);
    if (!follows)
        return fail_at(number,
                       number == 1 ? "does not follow from the plan"
                                   : "does not follow from the line before it",
                       error);
    digest_of(line, transcript->head);
    return true;
}

/* whole    how many bytes were lines with an end. */
static bool take_lines(struct sg_slice bytes, struct sg_transcript *transcript, size_t *whole,
                       struct sg_error *error)
{
    const uint8_t *at = bytes.data, *end = bytes.data + bytes.len, *newline;

    while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (!take_line(sg_slice_of(at, (size_t)(newline - at)), transcript, error))
            return false;
        at = newline + 1;
    }
    *whole = bytes.len - (size_t)(end - at);
    return true;
}

static bool start(const char *plan_sha256, struct sg_transcript *transcript, struct sg_error *error)
{
    transcript->entries = json_array();
    snprintf(transcript->head, sizeof transcript->head, "%s", plan_sha256);
    return transcript->entries != NULL || sg_fail_memory(error);
}

bool sg_transcript_read(struct sg_slice bytes, const char *plan_sha256,
                        struct sg_transcript *transcript, struct sg_error *error)
{
    sg_auto(sg_transcript) struct sg_transcript fresh = {.fd = -1};
    size_t whole = 0;

    if (!start(plan_sha256, &fresh, error) || !take_lines(bytes, &fresh, &whole, error))
        return false;
    if (whole != bytes.len)
        return fail_at(json_array_size(fresh.entries) + 1, "has no end", error);
    *transcript = fresh;
    fresh = (struct sg_transcript){.fd = -1}; /* now the caller's */
    return true;
}

/* ---- writing ---- */

static bool lock(int fd, const char *path, struct sg_error *error)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return sg_fail(error, SG_FAILED, NULL, "%s is being written by another process", path);
    return sg_fail_errno(error, "cannot lock %s", path);
}

bool sg_transcript_open(const char *path, const char *plan_sha256, struct sg_transcript *transcript,
                        struct sg_error *error)
{
    sg_auto(sg_transcript) struct sg_transcript fresh = {.fd = -1};
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    size_t whole = 0;

    fresh.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fresh.fd < 0)
        return sg_fail_errno(error, "cannot open %s", path);
    if (!lock(fresh.fd, path, error))
        return false;
    if (!sg_folder_sync_of(path))
        return sg_fail_errno(error, "cannot sync the folder of %s", path);
    if (!sg_file_read(path, SG_LIMIT_CEREMONY_TRANSCRIPT, &bytes, error) ||
        !start(plan_sha256, &fresh, error))
        return false;
    if (!take_lines(sg_buf_slice(&bytes), &fresh, &whole, error))
        return sg_error_prefix(error, "%s", path);
    fresh.torn = bytes.len - whole;
    if (fresh.torn > 0 && (ftruncate(fresh.fd, (off_t)whole) != 0 || fsync(fresh.fd) != 0))
        return sg_fail_errno(error, "cannot cut the half-written line off %s", path);
    *transcript = fresh;
    fresh = (struct sg_transcript){.fd = -1}; /* now the caller's */
    return true;
}

/* A disk that is full leaves half a line behind: it is taken away again, so that the record ends
 * with what is known. */
static bool write_line(int fd, const char *line, size_t len, struct sg_error *error)
{
    off_t before = lseek(fd, 0, SEEK_END);
    size_t written = 0;

    while (written < len) {
        ssize_t num = write(fd, line + written, len - written);

        if (num < 0 && errno == EINTR)
            continue;
        if (num <= 0)
            break;
        written += (size_t)num;
    }
    if (written == len && fdatasync(fd) == 0)
        return true;
    sg_fail_errno(error, "cannot write the ceremony's record");
    if (before < 0 || ftruncate(fd, before) != 0)
        sg_error_prefix(error, "and its last line is half-written");
    return false;
}

bool sg_transcript_append(struct sg_transcript *transcript, const char *event, json_t *data,
                          struct sg_error *error)
{
    char now[SG_TIME_TEXT_SIZE];
    json_t *entry = json_pack(
        "{s:I, s:s, s:s, s:s, s:o}", "n", (json_int_t)json_array_size(transcript->entries) + 1,
        "prev", transcript->head, "time", sg_time_text(sg_clock_now(&transcript->clock), now),
        "event", event, "data", data);
    sg_auto(malloc) char *line =
        entry != NULL ? json_dumps(entry, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    sg_auto(sg_buf) struct sg_buf whole = {0};

    if (line == NULL || !sg_buf_printf(&whole, SG_LIMIT_CEREMONY_LINE, error, "%s\n", line) ||
        !write_line(transcript->fd, (const char *)whole.data, whole.len, error)) {
        json_decref(entry);
        return line == NULL ? sg_fail_memory(error) : false;
    }
    digest_of(sg_slice_text(line), transcript->head);
    if (json_array_append_new(transcript->entries, entry) != 0)
        return sg_fail_memory(error);
    if (transcript->after_append != NULL)
        transcript->after_append(transcript->append_context);
    return true;
}

void sg_transcript_done(struct sg_transcript *transcript)
{
    json_decref(transcript->entries);
    sg_cleanup_fd(&transcript->fd);
    *transcript = (struct sg_transcript){.fd = -1};
}

/* ---- looking into it ---- */

const json_t *sg_transcript_next(const struct sg_transcript *transcript, const char *event,
                                 size_t *place)
{
    while (*place < json_array_size(transcript->entries)) {
        const json_t *entry = json_array_get(transcript->entries, (*place)++);

        if (strcmp(json_string_value(json_object_get(entry, "event")), event) == 0)
            return json_object_get(entry, "data");
    }
    return NULL;
}

const json_t *sg_transcript_first(const struct sg_transcript *transcript, const char *event)
{
    size_t place = 0;

    return sg_transcript_next(transcript, event, &place);
}

static bool is_of(const json_t *data, size_t act, const char *file)
{
    const char *of = json_string_value(json_object_get(data, "file"));

    return json_integer_value(json_object_get(data, "act")) == (json_int_t)act + 1 &&
           (file == NULL || (of != NULL && strcmp(of, file) == 0));
}

const json_t *sg_transcript_of_act(const struct sg_transcript *transcript, const char *event,
                                   size_t act, const char *file)
{
    const json_t *data, *last = NULL;
    size_t place = 0;

    while ((data = sg_transcript_next(transcript, event, &place)) != NULL)
        if (is_of(data, act, file))
            last = data;
    return last;
}

size_t sg_transcript_count(const struct sg_transcript *transcript, const char *event)
{
    size_t place = 0, num = 0;

    while (sg_transcript_next(transcript, event, &place) != NULL)
        num++;
    return num;
}
