#include <errno.h>
#include <poll.h>
#include <string.h>

#include "cert/cert.h"
#include "line_parts.h"

/* ---- requests in ---- */

static void fill(struct sg_job *job, struct sg_item *item)
{
    job->tag = item;
    job->bytes = sg_buf_slice(&item->request);
    if (item->has_device) {
        job->device = item->device.id;
        job->described = &item->device;
    }
}

/* After a loss one request goes ahead, so that not a whole group is claimed for nothing. */
static size_t num_wanted(const struct sg_line *line, size_t max)
{
    if (!line->is_probing)
        return max;
    return line->in_flight.num > 0 ? 0 : 1;
}

static bool take_items(struct sg_line *line, size_t max, struct sg_items *items,
                       struct sg_error *error)
{
    while (items->num < max && line->again.num > 0)
        sg_items_put(items, sg_items_take(&line->again));
    if (items->num > 0 || line->at_end)
        return true;
    return sg_reader_take(line->reader, max, items, &line->at_end, error);
}

static bool pull(void *context, struct sg_job *jobs, size_t max, size_t *num, bool *end,
                 struct sg_error *error)
{
    struct sg_line *line = context;
    size_t wanted = num_wanted(line, max);
    sg_auto(sg_items) struct sg_items items = {0};

    *num = 0;
    *end = sg_line_is_ending(line) || line->is_away;
    if (*end || wanted == 0)
        return true;
    if (!take_items(line, wanted, &items, error))
        return false;
    for (struct sg_item *item; (item = sg_items_take(&items)) != NULL; ++*num) {
        fill(&jobs[*num], item);
        sg_items_put(&line->in_flight, item);
    }
    *end = line->at_end && line->again.num == 0;
    return true;
}

/* ---- what is here twice ---- */

static const char *device_of(const struct sg_item *item, const struct sg_job *job)
{
    if (job != NULL && job->requester.has_device)
        return job->requester.device.id;
    return item->device.id;
}

/* The name of the certificate's file. */
static const char *name_of(const struct sg_item *item, const char *device, char number[24])
{
    if (item->name != NULL)
        return item->name;
    if (device != NULL)
        return device;
    snprintf(number, 24, "%llu", (unsigned long long)item->number);
    return number;
}

static bool check_once(struct sg_seen *seen, const struct sg_item *item, const char *word,
                       const char *what, struct sg_error *error)
{
    size_t where = item->line != 0 ? item->line : (size_t)item->number;
    uint32_t first;

    if (!sg_seen_add(seen, word, where > UINT32_MAX ? UINT32_MAX : (uint32_t)where, &first, error))
        return false;
    return first == 0 ||
           sg_fail(error, SG_REFUSED, "twice", "%s %s is in this input twice: the first is %s %u",
                   what, word, item->line != 0 ? "on line" : "request number", first);
}

/* Whatever the output is: a statement names files. */
static bool makes_files(const struct sg_line *line)
{
    return line->statement != NULL || (line->sink != NULL && line->sink->has_names);
}

static bool admit(void *context, struct sg_job *job, struct sg_error *error)
{
    struct sg_line *line = context;
    struct sg_item *item = job->tag;
    const char *device = device_of(item, job);
    char number[24];
    const char *name = name_of(item, device, number);

    if (item->is_admitted)
        return true;
    if ((line->sink != NULL && !sg_sink_check(line->sink, name, error)) ||
        (line->statement != NULL && !sg_statement_check_name(name, error)))
        return false;
    if (device != NULL && !check_once(&line->devices, item, device, "device", error))
        return false;
    if (makes_files(line) && item->name != NULL &&
        !check_once(&line->names, item, name, "the output name", error))
        return false;
    item->is_admitted = true;
    return !line->spec->dry_run;
}

/* ---- answers out ---- */

static enum sg_line_outcome outcome_of(const struct sg_line *line, const struct sg_item *item,
                                       const struct sg_job *job, const struct sg_error *error)
{
    if (error->code != SG_OK)
        return sg_code_is_refusal(error->code) || error->code == SG_INVALID ||
                       item->error.code != SG_OK
                   ? SG_LINE_REFUSED
                   : SG_LINE_UNSERVED;
    if (line->spec->dry_run)
        return SG_LINE_CHECKED;
    return job->outcome == SG_JOB_ISSUED || item->was_issued ? SG_LINE_ISSUED : SG_LINE_REPEATED;
}

/* The PIN, or how the token is asked, is wrong for all that follow, too. */
static void note_failure(struct sg_line *line, const struct sg_error *why)
{
    if (line->failure.code == SG_OK)
        line->failure = *why;
    if (why->code == SG_PIN || why->code == SG_USAGE)
        line->is_hopeless = true;
}

static bool hand_out(struct sg_line *line, const struct sg_served *served, struct sg_error *error)
{
    if (served->outcome == SG_LINE_UNSERVED)
        note_failure(line, served->error);
    line->counts.done++;
    line->counts.by[served->outcome]++;
    return (line->report == NULL || sg_report_put(line->report, served, error)) &&
           (line->sink == NULL || sg_sink_put(line->sink, served, error));
}

/* job is NULL when the run ended before the item was served. */
static bool settle(struct sg_line *line, const struct sg_item *item, const struct sg_job *job,
                   const struct sg_error *why, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf pem = {0};
    char serial[SG_SERIAL_TEXT_SIZE] = "", number[24];
    const char *device = device_of(item, job);
    struct sg_served served = {
        .number = item->number,
        .input = item->input,
        .device = device,
        .name = name_of(item, device, number),
        .outcome = outcome_of(line, item, job, why),
        .serial = serial,
        .error = why,
    };

    if (job != NULL && job->certificate.len > 0) {
        if (!sg_cert_pem(sg_buf_slice(&job->certificate), "CERTIFICATE", &pem, error))
            return false;
        sg_serial_text(&job->serial, serial);
        served.pem = sg_buf_slice(&pem);
        served.chain = sg_buf_slice(&line->chain);
    }
    return hand_out(line, &served, error) &&
           (served.pem.len == 0 || line->statement == NULL ||
            sg_statement_add(line->statement, &served, sg_buf_slice(&job->certificate), error));
}

/* More refusals than a line in order makes: whatever is wrong, more requests don't mend it. */
static void judge_refusals(struct sg_line *line)
{
    const struct sg_line_counts *counts = &line->counts;

    if (counts->done >= SG_LINE_TRUSTED &&
        counts->by[SG_LINE_REFUSED] * 100 > counts->done * line->spec->max_refused)
        line->is_broken = true;
}

static bool is_tokens_fault(const struct sg_job *job)
{
    return job->outcome == SG_JOB_REFUSED && job->error.code == SG_TOKEN;
}

/* From the first that the token failed on, all are asked again, so that the order is kept; those
 * that were issued meanwhile are recorded, and answered as such then. */
static void ask_again(struct sg_line *line, struct sg_item *item, const struct sg_job *job)
{
    if (is_tokens_fault(job) && !line->is_away) {
        line->is_away = true;
        line->away = job->error;
    }
    item->was_issued = item->was_issued || job->outcome == SG_JOB_ISSUED;
    sg_items_put(&line->missed, item);
}

/* They come before those that were not even asked this time. */
static void put_back(struct sg_line *line)
{
    for (struct sg_item *item; (item = sg_items_take(&line->again)) != NULL;)
        sg_items_put(&line->missed, item);
    line->again = line->missed;
    line->missed = (struct sg_items){0};
}

static bool answer_one(struct sg_line *line, const struct sg_job *job, struct sg_error *error)
{
    struct sg_item *item = sg_items_take(&line->in_flight);
    bool settled = true;

    if (item->error.code == SG_OK && (line->is_away || is_tokens_fault(job))) {
        ask_again(line, item, job);
        return true;
    }
    if (job->outcome == SG_JOB_ISSUED)
        line->is_probing = false; /* the token is there again */
    settled =
        settle(line, item, job, item->error.code != SG_OK ? &item->error : &job->error, error);
    sg_item_free(item);
    return settled;
}

static bool answer(void *context, const struct sg_job *jobs, size_t num, struct sg_error *error)
{
    struct sg_line *line = context;

    for (size_t i = 0; i < num; i++)
        if (!answer_one(line, &jobs[i], error))
            return false;
    judge_refusals(line);
    line->spec->listener.progress(line->spec->listener.context, &line->counts);
    return true;
}

/* ---- the run ---- */

static void set_pipeline(struct sg_line *line, struct sg_pipeline *pipeline)
{
    pthread_mutex_lock(&line->lock);
    line->pipeline = pipeline;
    pthread_mutex_unlock(&line->lock);
}

/* Until the inputs are at their end, or the token fails. */
static bool run_once(struct sg_line *line, struct sg_error *error)
{
    const struct sg_pipeline_ends ends = {
        .pull = pull, .admit = admit, .answer = answer, .context = line};
    sg_auto(sg_pipeline) struct sg_pipeline *pipeline = NULL;
    bool done;

    if (!sg_pipeline_start(line->spec->issuing, line->spec->num_workers, &pipeline, error))
        return false;
    set_pipeline(line, pipeline);
    done = sg_pipeline_run(pipeline, &ends, error);
    set_pipeline(line, NULL);
    put_back(line);
    return done;
}

static int64_t monotonic_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* False when the run was interrupted meanwhile. */
static bool wait(const struct sg_line *line, int64_t seconds)
{
    struct pollfd stop = {.fd = line->stop[0], .events = POLLIN};

    while (poll(&stop, 1, (int)seconds * 1000) < 0 && errno == EINTR)
        continue;
    return stop.revents == 0;
}

/* Whether the token may be tried again. */
static bool wait_for_token(struct sg_line *line, int64_t *gone_since, int64_t *pause)
{
    enum { LONGEST_PAUSE_S = 30 };
    int64_t now = monotonic_s(), left;

    if (*gone_since < 0 || !line->is_probing) { /* it has signed since */
        *gone_since = now;
        *pause = 1;
    }
    left = *gone_since + line->spec->patience_s - now;
    if (left <= 0 || sg_line_is_ending(line))
        return false;
    *pause = *pause < left ? *pause : left;
    sg_line_say(line, true, "%s; the run waits for %lld s and goes on, for %lld s more at most",
                line->away.text, (long long)*pause, (long long)left);
    if (!wait(line, *pause))
        return false;
    *pause = *pause * 2 < LONGEST_PAUSE_S ? *pause * 2 : LONGEST_PAUSE_S;
    line->is_probing = true;
    line->is_away = false;
    return true;
}

static bool run_through(struct sg_line *line, struct sg_error *error)
{
    int64_t gone_since = -1, pause = 1;

    for (;;) {
        if (!run_once(line, error))
            return false;
        if (!line->is_away)
            return true;
        if (!wait_for_token(line, &gone_since, &pause)) {
            *error = line->away;
            return false;
        }
    }
}

/* What was pulled and comes to nothing is told so, in its order. */
static bool settle_rest(struct sg_line *line, const struct sg_error *why, struct sg_error *error)
{
    struct sg_error untried = *why;

    if (line->again.num == 0)
        return true;
    sg_error_prefix(&untried, "not served");
    for (struct sg_item *item; (item = sg_items_take(&line->again)) != NULL;) {
        bool settled = settle(line, item, NULL, &untried, error);

        sg_item_free(item);
        if (!settled)
            return false;
    }
    return true;
}

/* What there is of outputs is put in place: a file of certificates only when it is whole. */
static bool finish(struct sg_line *line, bool is_whole, struct sg_error *error)
{
    bool wants_sink = line->sink != NULL && (is_whole || line->sink->keeps_part);

    return (!wants_sink || sg_sink_finish(line->sink, error)) &&
           (!is_whole || line->statement == NULL || sg_statement_finish(line->statement, error)) &&
           (line->report == NULL || sg_report_finish(line->report, error));
}

static bool conclude(const struct sg_line *line, struct sg_error *error)
{
    const struct sg_line_counts *counts = &line->counts;
    unsigned long long refused = counts->by[SG_LINE_REFUSED], done = counts->done;

    if (line->is_broken)
        return sg_fail(error, SG_FAILED, "max-refused",
                       "%llu of %llu requests were refused, more than %u of a hundred: the run "
                       "stops; mend what is wrong and run the same again",
                       refused, done, line->spec->max_refused);
    if (atomic_load(&line->is_interrupted))
        return sg_fail(error, SG_FAILED, NULL,
                       "interrupted after %llu requests, all of them finished: run the same again "
                       "to go on",
                       done);
    if (line->failure.code != SG_OK) {
        *error = line->failure;
        return sg_error_prefix(error, "%llu of %llu requests were not served; the first",
                               (unsigned long long)counts->by[SG_LINE_UNSERVED], done);
    }
    return refused == 0 ||
           sg_fail(error, SG_REFUSED, NULL, "%llu of %llu requests were refused", refused, done);
}

bool sg_line_run(struct sg_line *line, struct sg_line_counts *counts, struct sg_error *error)
{
    struct sg_error why = {0}, ignored = {0};
    bool ran = run_through(line, &why);
    bool settled = settle_rest(line, &why, ran ? &why : &ignored);
    bool is_whole = ran && settled && !sg_line_is_ending(line);
    bool finished = finish(line, is_whole, ran && settled ? &why : &ignored);

    *counts = line->counts;
    if (ran && settled && finished)
        return conclude(line, error);
    *error = why;
    return false;
}
