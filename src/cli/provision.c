#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "commands.h"
#include "line.h"
#include "line_keys.h"
#include "open.h"
#include "output.h"
#include "progress.h"

static const struct sg_option OPTIONS[] = {
    {"policy", 'p', "POLICY", "the policy to issue under"},
    {"issuer", 0, "NAME", "the issuer, when several are active"},
    {"device-from-cn", 0, NULL, "you vouch that each request comes from the device its CN names"},
    {"report", 0, "FILE", "a line for each request: .csv or .jsonl"},
    {"replace", 0, NULL, "a new key gets a new certificate, and the former is revoked"},
    {"reason", 'r', "REASON", "why: keyCompromise, superseded, cessationOfOperation, …"},
    {"dry-run", 'n', NULL, "check each request and issue nothing"},
    {"limit", 0, "N", "only the first N requests"},
    {"jobs", 'j', "N", "threads (default: one for each processor)"},
    {"max-refused", 0, "PERCENT", "stop when more are refused, from the 100th on (default: 10)"},
    {"wait", 0, "DURATION", "how long to wait for a token that is away (default: 5m)"},
    SG_LINE_KEYS_OPTIONS,
    SG_STATEMENT_OPTIONS,
    {"force", 'f', NULL, "replace outputs that hold something else"},
    {0},
};

static const char DETAILS[] =
    "INPUT is a folder of requests, a .tar of them, a .csv or .jsonl manifest, or - for PEM or "
    "JSON\n"
    "lines on standard input. OUTPUT is a folder, a .tar or a .jsonl file, or - for JSON lines on\n"
    "standard output. The same again goes on where a run ended, however it ended. docs/line.md\n"
    "explains it.";

/* ---- options ---- */

static bool parse_number(const struct sg_cli *cli, const char *word, uint64_t most,
                         uint64_t otherwise, uint64_t *number, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, word);
    char *end;

    *number = otherwise;
    if (text == NULL)
        return true;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return (errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *number <= most) ||
           sg_fail(error, SG_USAGE, NULL, "--%s %s: a whole number up to %llu", word, text,
                   (unsigned long long)most);
}

static bool parse_wait(const struct sg_cli *cli, int64_t *patience_s, struct sg_error *error)
{
    enum { DEFAULT_S = 300 };
    const char *text = sg_cli_text(cli, "wait");

    *patience_s = DEFAULT_S;
    if (text == NULL)
        return true;
    if (strcmp(text, "0") == 0) {
        *patience_s = 0;
        return true;
    }
    return sg_duration_parse(text, patience_s, error) || sg_error_prefix(error, "--wait");
}

static bool parse_replace(const struct sg_cli *cli, struct sg_issuing *issuing,
                          struct sg_error *error)
{
    const char *word = sg_cli_text(cli, "reason");

    issuing->replace = sg_cli_has(cli, "replace");
    if (issuing->replace != (word != NULL))
        return sg_fail(error, SG_USAGE, NULL, "--replace and --reason REASON belong together");
    if (word == NULL)
        return true;
    if (!sg_reason_parse(word, &issuing->replace_reason, error))
        return false;
    return issuing->replace_reason != SG_REASON_CERTIFICATE_HOLD ||
           sg_fail(error, SG_USAGE, NULL, "a certificate that is replaced can't be on hold");
}

static bool parse_output(const struct sg_cli *cli, struct sg_line_spec *spec,
                         struct sg_error *error)
{
    spec->dry_run = sg_cli_has(cli, "dry-run");
    if (spec->dry_run && cli->num_operands > 1)
        return sg_fail(error, SG_USAGE, NULL,
                       "--dry-run has no output; --report FILE says what would become of each");
    if (!spec->dry_run && cli->num_operands < 2)
        return sg_fail(error, SG_USAGE, NULL,
                       "say where the certificates go: a folder, a .tar, a .jsonl file, or -");
    spec->input = cli->operands[0];
    spec->output = spec->dry_run ? NULL : cli->operands[1];
    return !cli->json || spec->dry_run || strcmp(spec->output, "-") != 0 ||
           sg_fail(error, SG_USAGE, NULL, "--json and the output - would both be standard output");
}

static bool parse(const struct sg_cli *cli, struct sg_line_spec *spec, struct sg_error *error)
{
    uint64_t jobs, max_refused;

    if (!parse_output(cli, spec, error) ||
        !parse_number(cli, "limit", UINT64_MAX, 0, &spec->limit, error) ||
        !parse_number(cli, "jobs", 256, 0, &jobs, error) ||
        !parse_number(cli, "max-refused", 100, 10, &max_refused, error) ||
        !parse_wait(cli, &spec->patience_s, error))
        return false;
    spec->num_workers = (unsigned)jobs;
    spec->max_refused = (unsigned)max_refused;
    spec->report = sg_cli_text(cli, "report");
    spec->force = sg_cli_has(cli, "force");
    return true;
}

static bool open_issuing(const struct sg_cli *cli, bool dry_run, struct sg_home **home,
                         struct sg_issuing *issuing, struct sg_error *error)
{
    const char *policy;

    if (!sg_cli_need(cli, "policy", &policy, error) || !parse_replace(cli, issuing, error) ||
        !sg_cli_open_home(cli, dry_run ? SG_STORE_READ_ONLY : SG_STORE_OPEN, home, error))
        return false;
    issuing->home = *home;
    issuing->clock = cli->clock;
    issuing->evidence = SG_BY_OPERATOR;
    issuing->device_from_cn = sg_cli_has(cli, "device-from-cn");
    return sg_home_policy(*home, policy, &issuing->policy, error) &&
           sg_home_issuer(*home, sg_cli_text(cli, "issuer"),
                          dry_run ? SG_ISSUER_TO_READ : SG_ISSUER_TO_SIGN, &issuing->issuer, error);
}

/* ---- telling ---- */

static void progress(void *context, const struct sg_line_counts *counts)
{
    sg_progress_show(context, counts);
}

static void say(void *context, bool is_warning, const char *text)
{
    sg_progress_clear(context);
    fprintf(stderr, "%s%s\n", is_warning ? "warning: " : "", text);
}

static json_t *counts_json(const struct sg_line_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "requests", (json_int_t)counts->done,
                     "issued", (json_int_t)counts->by[SG_LINE_ISSUED], "already_there",
                     (json_int_t)counts->by[SG_LINE_REPEATED], "refused",
                     (json_int_t)counts->by[SG_LINE_REFUSED], "not_served",
                     (json_int_t)counts->by[SG_LINE_UNSERVED], "would_be_issued",
                     (json_int_t)counts->by[SG_LINE_CHECKED]);
}

/* ---- signals: the first ends the run in order, the second at once ---- */

struct watch {
    sigset_t signals;
    pthread_t thread;
    _Atomic(struct sg_line *) line; /* NULL: it has not begun, and there is nothing to finish */
    atomic_bool is_over;
};

/* What is under way is lost when it ends at once, and nothing else: the next run finds it out. */
static void *wait_for_signals(void *argument)
{
    struct watch *watch = argument;

    for (bool is_first = true;; is_first = false) {
        struct sg_line *line;
        int number = 0;

        if (sigwait(&watch->signals, &number) != 0 || atomic_load(&watch->is_over))
            return NULL;
        line = atomic_load(&watch->line);
        if (!is_first || line == NULL)
            _exit(128 + number);
        sg_line_interrupt(line);
    }
}

/* Threads inherit what is blocked: before there are any. */
static void block_signals(struct watch *watch)
{
    sigemptyset(&watch->signals);
    sigaddset(&watch->signals, SIGINT);
    sigaddset(&watch->signals, SIGTERM);
    sigaddset(&watch->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &watch->signals, NULL);
}

static bool watch_signals(struct watch *watch, struct sg_error *error)
{
    int failure = pthread_create(&watch->thread, NULL, wait_for_signals, watch);

    return failure == 0 ||
           sg_fail(error, SG_FAILED, NULL, "a thread can't be started: %s", strerror(failure));
}

static void stop_watching(struct watch *watch)
{
    atomic_store(&watch->is_over, true);
    pthread_kill(watch->thread, SIGTERM); /* it waits for that, and looks */
    pthread_join(watch->thread, NULL);
}

/* ---- the run ---- */

static bool run_line(struct sg_cli *cli, struct sg_line *line, struct sg_progress *shown,
                     struct sg_error *error)
{
    struct sg_line_counts counts = {0};
    bool done;

    if (!sg_line_foresee(line, error))
        return false;
    done = sg_line_run(line, &counts, error);
    sg_progress_sum(shown, &counts);
    if (!cli->json)
        return done;
    cli->answered = true;
    return sg_cli_print_json(counts_json(&counts), error) && done;
}

static bool run_provision(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_cli_statement) struct sg_cli_statement statement = {0};
    sg_auto(sg_cli_line_keys) struct sg_cli_line_keys keys = {0};
    sg_auto(sg_line) struct sg_line *line = NULL;
    struct sg_issuing issuing = {0};
    struct sg_progress shown = {0};
    struct watch watch = {0};
    struct sg_line_spec spec = {.issuing = &issuing, .listener = {progress, say, &shown}};
    bool done;

    if (!parse(cli, &spec, error) || !open_issuing(cli, spec.dry_run, &home, &issuing, error) ||
        !sg_cli_statement_open(cli, home, issuing.issuer, &statement, error) ||
        !sg_cli_line_keys_open(cli, &issuing, spec.output, &keys, error))
        return false;
    spec.keys = keys.keys.make != NULL ? &keys.keys : NULL;
    if (statement.spec.path != NULL)
        spec.statement = &statement.spec;
    block_signals(&watch);
    if (!watch_signals(&watch, error))
        return false;
    done = sg_line_open(&spec, &line, error);
    atomic_store(&watch.line, line);
    done = done && run_line(cli, line, &shown, error);
    stop_watching(&watch);
    return done;
}

const struct sg_command SG_PROVISION_COMMANDS[] = {
    {"provision", "INPUT [OUTPUT]", "certify the devices of a production line", DETAILS, OPTIONS, 1,
     2, run_provision},
    {0},
};
