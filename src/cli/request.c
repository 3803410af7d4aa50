/* request …: those that wait for somebody to approve them. */
#include <string.h>

#include "commands.h"
#include "home/view.h"
#include "open.h"
#include "output.h"
#include "who.h"

static const struct sg_option LIST_OPTIONS[] = {
    {"all", 0, NULL, "also those that are decided or have lapsed"},
    {0},
};

static const struct sg_option APPROVE_OPTIONS[] = {
    {"reason", 'r', "TEXT", "why, to be written down"},
    SG_AS_OPTION,
    {0},
};

static const struct sg_option REFUSE_OPTIONS[] = {
    {"reason", 'r', "TEXT", "why; who asked will read it"},
    SG_AS_OPTION,
    {0},
};

/* ---- list and show ---- */

static bool visit(const struct sg_approval *approval, void *context, struct sg_error *error)
{
    json_t **array = context;
    char asked[SG_TIME_TEXT_SIZE];

    (void)error;
    if (*array != NULL) {
        sg_cli_append(array, sg_view_approval(approval));
        return *array != NULL || sg_fail_memory(error);
    }
    printf("%lld  %-8s asked %s by %s  %s  %s\n", (long long)approval->id,
           sg_approval_state_word(approval->state), sg_time_text(approval->asked, asked),
           approval->asked_by[0] != '\0' ? approval->asked_by : "nobody", approval->policy,
           approval->subject);
    return true;
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    json_t *array = NULL;

    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error))
        return false;
    array = cli->json ? json_array() : NULL;
    if (!sg_store_each_approval(sg_home_store(home), !sg_cli_has(cli, "all"),
                                sg_clock_now(&cli->clock), visit, &array, error)) {
        json_decref(array);
        return false;
    }
    return !cli->json || sg_cli_print_json(array, error);
}

/* The record beside what was asked: whoever approves compares them. */
static void print_record(struct sg_store *store, enum sg_registry_kind kind, const char *id)
{
    sg_auto(sg_record) struct sg_record record = {0};
    const char *noun = kind == SG_REGISTRY_DEVICE ? "device" : "user";

    if (id == NULL)
        return;
    printf("  %-11s %s", noun, id);
    if (!sg_store_find_record(store, kind, id, &record, NULL))
        printf(" (not in the registry any more)");
    else if (record.disabled)
        printf(" (disabled)");
    for (size_t i = 0; i < record.num_attributes; i++)
        printf("  %s=%s", record.attributes[i].name, record.attributes[i].value);
    printf("\n");
}

static void print_approval(struct sg_store *store, const struct sg_approval *approval)
{
    char moment[SG_TIME_TEXT_SIZE], key[SG_SHA256_HEX_SIZE];

    printf("request %lld: %s\n", (long long)approval->id, sg_approval_state_word(approval->state));
    printf("  policy      %s, to be approved by %s\n", approval->policy, approval->role);
    printf("  subject     %s\n", approval->subject);
    print_record(store, SG_REGISTRY_DEVICE, approval->device);
    print_record(store, SG_REGISTRY_USER, approval->user);
    if (approval->token != NULL)
        printf("  token       %s\n", approval->token);
    printf("  key sha256  %s\n",
           sg_hex(sg_slice_of(approval->spki_sha256, SG_SHA256_LEN), key, sizeof key));
    printf("  asked       %s by %s\n", sg_time_text(approval->asked, moment),
           approval->asked_by[0] != '\0' ? approval->asked_by : "nobody who is known");
    if (approval->decided != 0)
        printf("  decided     %s by %s%s%s\n", sg_time_text(approval->decided, moment),
               approval->decided_by, approval->reason != NULL ? ": " : "",
               approval->reason != NULL ? approval->reason : "");
    printf("  until       %s\n", sg_time_text(approval->not_after, moment));
}

static bool run_show(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_approval) struct sg_approval approval = {0};
    bool found = false;
    int64_t id = 0;

    if (!sg_cli_id(cli->operands[0], &id, error) ||
        !sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) ||
        !sg_store_find_approval(sg_home_store(home), id, sg_clock_now(&cli->clock), &found,
                                &approval, error))
        return false;
    if (!found)
        return sg_fail(error, SG_REFUSED, "approval", "there is no request %lld", (long long)id);
    if (cli->json)
        return sg_cli_print_json(sg_view_approval(&approval), error);
    print_approval(sg_home_store(home), &approval);
    return true;
}

/* ---- approve and refuse ---- */

typedef bool decide_function(struct sg_store *store, int64_t id,
                             const struct sg_approval_decision *decision, struct sg_error *error);

static bool run_decision(struct sg_cli *cli, decide_function *decide, const char *done,
                         struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_approval_decision decision = {.reason = sg_cli_text(cli, "reason"),
                                            .now = sg_clock_now(&cli->clock)};
    int64_t id = 0;

    if (!sg_cli_id(cli->operands[0], &id, error) || !sg_cli_who(cli, &decision.by, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !decide(sg_home_store(home), id, &decision, error))
        return false;
    fprintf(stderr, "request %lld is %s by %s\n", (long long)id, done, decision.by);
    return true;
}

static bool run_approve(struct sg_cli *cli, struct sg_error *error)
{
    return run_decision(cli, sg_store_approve, "approved", error);
}

static bool run_refuse(struct sg_cli *cli, struct sg_error *error)
{
    return run_decision(cli, sg_store_refuse, "refused", error);
}

static const char DETAILS[] =
    "ID is its number in the list. Whoever asked, and whom the certificate is for, can't decide: "
    "at\n"
    "the command line by the name that is written down, as the home in hand proves no other.";

const struct sg_command SG_REQUEST_COMMANDS[] = {
    {"request list", "", "requests that wait for an approval", NULL, LIST_OPTIONS, 0, 0, run_list},
    {"request show", "ID", "one of them, beside what the registry has", NULL, NULL, 1, 1, run_show},
    {"request approve", "ID", "let it have its certificate", DETAILS, APPROVE_OPTIONS, 1, 1,
     run_approve},
    {"request refuse", "ID", "let it have none", DETAILS, REFUSE_OPTIONS, 1, 1, run_refuse},
    {0},
};
