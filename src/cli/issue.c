#include "issue/issue.h"

#include "batch.h"
#include "commands.h"
#include "desk.h"
#include "issue/tickets.h"
#include "open.h"
#include "output.h"
#include "policies.h"
#include "who.h"

#define REQUEST_OPTIONS                                                                            \
    {"policy", 'p', "POLICY", "the policy to issue under"},                                        \
        {"device", 'd', "ID", "the device that asks, by its id in the registry"},                  \
        {"device-from-cn", 0, NULL,                                                                \
         "you vouch that each request comes from the device its CN names"},                        \
        {"user", 'u', "NAME", "the user that asks, by name in the registry"},                      \
        {"challenge-file", 0, "FILE", "the challenge that the request must repeat is in FILE"},    \
    {                                                                                              \
        "issuer", 0, "NAME", "the issuer, when several are active"                                 \
    }

static const struct sg_option ISSUE_OPTIONS[] = {
    REQUEST_OPTIONS,
    {"ticket-file", 0, "FILE", "a ticket vouches as well; its text is in FILE"},
    {"pin", 0, "SOURCE", "its user's PIN, or with --url the card's: file:PATH, env:NAME, …"},
    SG_AS_OPTION,
    SG_DESK_REACH_OPTIONS,
    {"output", 'o', "FILE", "write the certificate here (default: standard output)"},
    {"output-dir", 0, "DIR", "for several requests: DIR/REQUEST.pem for each"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

static const struct sg_option CHECK_OPTIONS[] = {REQUEST_OPTIONS, {0}};

static bool open_issuing(const struct sg_cli *cli, enum sg_store_mode mode, struct sg_home **home,
                         const char **policy, struct sg_issuing *issuing, struct sg_error *error)
{
    if (!sg_cli_need(cli, "policy", policy, error) || !sg_cli_open_home(cli, mode, home, error))
        return false;
    *issuing = (struct sg_issuing){.home = *home,
                                   .clock = cli->clock,
                                   .evidence = SG_BY_OPERATOR,
                                   .device_from_cn = sg_cli_has(cli, "device-from-cn")};
    return true;
}

static bool find_issuer(const struct sg_cli *cli, enum sg_issuer_use use,
                        struct sg_issuing *issuing, struct sg_error *error)
{
    return sg_home_issuer(issuing->home, sg_cli_text(cli, "issuer"), use, &issuing->issuer, error);
}

/* The ticket says whose PIN goes with it. */
static bool bring_ticket(const struct sg_cli *cli, struct sg_cli_batch *batch, struct sg_home *home,
                         struct sg_issuing *issuing, struct sg_error *error)
{
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    const char *text;

    if (batch->ticket == NULL)
        return true;
    text = (const char *)sg_secret_data(batch->ticket);
    if (!sg_ticket_find(sg_home_store(home), text, &ticket, error))
        return false;
    batch->jobs[0].evidence.ticket = text;
    if (!ticket.wants_pin)
        return true;
    batch->jobs[0].evidence.pin_hash = batch->pin_hash;
    return sg_home_pins(home, &issuing->pins, error) &&
           sg_cli_pin_hash(cli, ticket.user, false, batch->pin_hash, error);
}

static bool run_issue(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_cli_batch) struct sg_cli_batch batch = {0};
    struct sg_issuing issuing;
    const char *policy = NULL;

    if (!sg_cli_batch_read(cli, &batch, error) ||
        !open_issuing(cli, SG_STORE_OPEN, &home, &policy, &issuing, error) ||
        !sg_home_policy(home, policy, &issuing.policy, error) ||
        !find_issuer(cli, SG_ISSUER_TO_SIGN, &issuing, error) ||
        !sg_cli_who(cli, &issuing.operator_name, error) ||
        !bring_ticket(cli, &batch, home, &issuing, error))
        return false;
    return sg_cli_batch_tell(cli, &batch, sg_issue(&issuing, batch.jobs, batch.num, error), error);
}

static const char *verdict_word(const struct sg_verdict *verdict)
{
    return verdict->passed ? "pass" : verdict->skipped ? "skip" : "refuse";
}

static json_t *verdicts_json(const struct sg_verdict *verdicts, size_t num)
{
    json_t *array = json_array();

    for (size_t i = 0; i < num; i++)
        sg_cli_append(
            &array, json_pack("{s:o, s:s, s:o, s:o}", "rule", sg_json_text(verdicts[i].rule),
                              "verdict", verdict_word(&verdicts[i]), "passed",
                              verdicts[i].skipped ? json_null() : json_boolean(verdicts[i].passed),
                              "text", sg_json_text(verdicts[i].text)));
    return array;
}

static void print_verdict(const struct sg_verdict *verdict)
{
    printf("%s  %-20s %s\n",
           verdict->passed    ? "pass  "
           : verdict->skipped ? "skip  "
                              : "REFUSE",
           verdict->rule, verdict->text);
}

static bool print_verdicts(struct sg_cli *cli, const struct sg_verdict *verdicts, size_t num,
                           struct sg_error *error)
{
    size_t refused = 0;

    for (size_t i = 0; i < num; i++) {
        refused += !verdicts[i].passed && !verdicts[i].skipped;
        if (!cli->json)
            print_verdict(&verdicts[i]);
    }
    cli->answered = cli->json;
    if (cli->json && !sg_cli_print_json(verdicts_json(verdicts, num), error))
        return false;
    return refused == 0 || sg_fail(error, SG_REFUSED, NULL, "%zu of %zu rules refuse %s", refused,
                                   num, cli->operands[0]);
}

static bool run_check(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_cli_batch) struct sg_cli_batch batch = {0};
    sg_auto(malloc) struct sg_verdict *verdicts = NULL;
    sg_auto(sg_policy) struct sg_policy *own = NULL;
    struct sg_issuing issuing;
    const char *policy = NULL;
    size_t num = 0;

    return sg_cli_batch_read(cli, &batch, error) &&
           open_issuing(cli, SG_STORE_READ_ONLY, &home, &policy, &issuing, error) &&
           sg_cli_find_policy(home, policy, &own, &issuing.policy, error) &&
           sg_cli_note_fields(sg_home_config(home), issuing.policy, error) &&
           find_issuer(cli, SG_ISSUER_TO_READ, &issuing, error) &&
           sg_issue_check(&issuing, &batch.jobs[0], &verdicts, &num, error) &&
           print_verdicts(cli, verdicts, num, error);
}

const struct sg_command SG_ISSUE_COMMANDS[] = {
    {"issue", "REQUEST…", "certify requests under a policy",
     "REQUEST is a PKCS#10 file, PEM or DER, or an SPKAC; - is standard input. The same request "
     "for\n"
     "the same device gets the same certificate again while that is valid.",
     ISSUE_OPTIONS, 1, -1, run_issue},
    {"check", "REQUEST", "each rule's verdict on a request; nothing is issued",
     "POLICY is a name in the home, or the file of a policy that is being written: `issue` takes "
     "names\n"
     "alone. A rule that needs the outcome of one that refuses is not looked at.",
     CHECK_OPTIONS, 1, 1, run_check},
    {0},
};
