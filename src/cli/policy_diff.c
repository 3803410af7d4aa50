#include <string.h>

#include "cert/cert.h"
#include "issue/explain.h"
#include "open.h"
#include "output.h"
#include "policies.h"

enum { DEFAULT_LAST = 100, MOST_LAST = 1000000 };

const struct sg_option SG_POLICY_DIFF_OPTIONS[] = {
    {"last", 'n', "N", "look at the last N certificates under the policy (default: 100)"},
    {0},
};

enum outcome { SAME, CHANGED, REFUSED, ADMITTED, UNKNOWN, NUM_OUTCOMES };

static const char *const WORDS[NUM_OUTCOMES] = {"same", "changed", "refused", "admitted",
                                                "unknown"};

/* The run: what is compared, and what came of it. */
struct comparison {
    const struct sg_cli *cli;
    struct sg_home *home;
    sg_policy *before; /* NULL: the certificates as they were issued */
    sg_policy *after;
    size_t counts[NUM_OUTCOMES];
    json_t *items; /* for --json */
};

static void comparison_done(struct comparison *run)
{
    sg_policy_free(run->before);
    sg_policy_free(run->after);
    json_decref(run->items);
}
SG_DEFINE_CLEANUP_IN_PLACE(comparison, comparison_done)

/* How a certificate was: as it is in the store, or as the first policy decides it. */
static bool find_before(const struct comparison *run, const struct sg_certificate *certificate,
                        struct sg_again *before, struct sg_error *error)
{
    sg_auto(X509) X509 *issued = NULL;

    if (run->before != NULL)
        return sg_explain_again(run->home, run->before, certificate, before, error);
    before->outcome = SG_AGAIN_DECIDED;
    return sg_cert_read(sg_buf_slice(&certificate->der), "the store", &issued, error) &&
           sg_cert_fields(issued, NULL, &before->fields, error);
}

static bool judge(const struct sg_again *before, const struct sg_again *after,
                  enum outcome *outcome, json_t **changes, struct sg_error *error)
{
    bool was_refused = before->outcome == SG_AGAIN_REFUSED;
    bool is_refused = after->outcome == SG_AGAIN_REFUSED;

    if (before->outcome == SG_AGAIN_UNKNOWN || after->outcome == SG_AGAIN_UNKNOWN) {
        *outcome = UNKNOWN;
        return true;
    }
    if (was_refused || is_refused) {
        *outcome = was_refused && is_refused ? SAME : is_refused ? REFUSED : ADMITTED;
        return true;
    }
    if (!sg_fields_compare(before->fields, after->fields, changes, error))
        return false;
    *outcome = json_array_size(*changes) > 0 ? CHANGED : SAME;
    return true;
}

static bool print_item(const struct sg_certificate *certificate, enum outcome outcome,
                       const struct sg_error *why, const json_t *changes, struct sg_error *error)
{
    char serial[SG_SERIAL_TEXT_SIZE];
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (outcome == SAME)
        return true;
    printf("%s  %s: %s\n", sg_serial_text(&certificate->serial, serial), certificate->subject,
           outcome == CHANGED    ? "would change"
           : outcome == REFUSED  ? "would be refused"
           : outcome == ADMITTED ? "would be refused no more"
                                 : "can't be decided again");
    if (outcome != CHANGED) {
        printf("  %s%s%s\n", why->rule, why->rule[0] != '\0' ? ": " : "", why->text);
        return true;
    }
    return sg_fields_text(changes, &text, error) && sg_cli_print_text(sg_buf_slice(&text), error);
}

static bool keep_item(json_t *items, const struct sg_certificate *certificate, enum outcome outcome,
                      const struct sg_error *why, json_t *changes, struct sg_error *error)
{
    char serial[SG_SERIAL_TEXT_SIZE];
    json_t *item = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o}", "serial", sg_serial_text(&certificate->serial, serial),
        "subject", certificate->subject, "outcome", WORDS[outcome], "rule",
        sg_json_text_or_null(why->rule[0] != '\0' ? why->rule : NULL), "message",
        sg_json_text_or_null(why->text[0] != '\0' ? why->text : NULL), "changes",
        changes != NULL ? json_incref(changes) : json_array());

    return json_array_append_new(items, item) == 0 || sg_fail_memory(error);
}

static bool visit(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct comparison *run = context;
    sg_auto(sg_again) struct sg_again before = {0}, after = {0};
    sg_auto(json_t) json_t *changes = NULL;
    enum outcome outcome = SAME;

    if (!sg_certificate_is_here(certificate, error))
        return false;
    if (certificate->der.len == 0)
        return true;
    if (!find_before(run, certificate, &before, error) ||
        !sg_explain_again(run->home, run->after, certificate, &after, error) ||
        !judge(&before, &after, &outcome, &changes, error))
        return false;
    const struct sg_error *why = after.why.code != SG_OK ? &after.why : &before.why;
    run->counts[outcome]++;
    return run->items != NULL ? keep_item(run->items, certificate, outcome, why, changes, error)
                              : print_item(certificate, outcome, why, changes, error);
}

static bool parse_last(const struct sg_cli *cli, size_t *last, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, "last");
    char *end = NULL;
    long number = DEFAULT_LAST;

    if (text != NULL)
        number = strtol(text, &end, 10);
    if (text != NULL &&
        (*text < '0' || *text > '9' || *end != '\0' || number < 1 || number > MOST_LAST))
        return sg_fail(error, SG_USAGE, NULL, "--last %.40s: it is a number from 1 to %d", text,
                       MOST_LAST);
    *last = (size_t)number;
    return true;
}

static bool load(const struct sg_cli *cli, int operand, sg_policy **policy, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;

    return sg_cli_policy_path(cli, cli->operands[operand], &path, error) &&
           sg_policy_load(path, policy, error);
}

static bool load_both(const struct sg_cli *cli, struct comparison *run, struct sg_error *error)
{
    int last = cli->num_operands - 1;

    return (last == 0 || load(cli, 0, &run->before, error)) && load(cli, last, &run->after, error);
}

static json_t *report_json(struct comparison *run, const char *policy)
{
    json_t *report = json_pack("{s:s, s:O}", "policy", policy, "certificates", run->items);

    for (size_t i = 0; report != NULL && i < NUM_OUTCOMES; i++)
        json_object_set_new(report, WORDS[i], json_integer((json_int_t)run->counts[i]));
    return report;
}

/* The exit status is diff's: 0 for no difference. What nobody can tell is one. */
static bool conclude(struct sg_cli *cli, struct comparison *run, const char *policy,
                     struct sg_error *error)
{
    const size_t *counts = run->counts;
    size_t others = counts[CHANGED] + counts[REFUSED] + counts[ADMITTED] + counts[UNKNOWN];

    if (cli->json && !sg_cli_print_json(report_json(run, policy), error))
        return false;
    cli->answered = cli->json;
    if (!cli->json)
        printf("%zu certificate%s under policy %s: %zu the same, %zu would change, %zu would be "
               "refused, %zu refused no more, %zu can't be decided again\n",
               others + counts[SAME], others + counts[SAME] == 1 ? "" : "s", policy, counts[SAME],
               counts[CHANGED], counts[REFUSED], counts[ADMITTED], counts[UNKNOWN]);
    return others == 0 || sg_fail(error, SG_FAILED, NULL, "%zu of %zu certificates differ", others,
                                  others + counts[SAME]);
}

bool sg_cli_policy_diff(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(comparison) struct comparison run = {.cli = cli};
    struct sg_certificate_filter filter = {.now = sg_clock_now(&cli->clock)};

    if (!parse_last(cli, &filter.last, error) || !load_both(cli, &run, error) ||
        !sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error))
        return false;
    run.home = home;
    run.items = cli->json ? json_array() : NULL;
    filter.policy = sg_policy_name(run.before != NULL ? run.before : run.after);
    return sg_store_each_certificate(sg_home_store(home), &filter, visit, &run, error) &&
           conclude(cli, &run, filter.policy, error);
}
