/* request …: those that wait for somebody to approve them. */
#include <string.h>

#include "commands.h"
#include "desk.h"
#include "home/home.h"
#include "home/view.h"
#include "open.h"
#include "tell.h"
#include "who.h"

static const struct sg_option LIST_OPTIONS[] = {
    {"all", 0, NULL, "also those that are decided or have lapsed"},
    SG_DESK_OPTIONS,
    {0},
};

static const struct sg_option SHOW_OPTIONS[] = {SG_DESK_OPTIONS, {0}};

static const struct sg_option APPROVE_OPTIONS[] = {
    {"reason", 'r', "TEXT", "why, to be written down"},
    SG_AS_OPTION,
    SG_DESK_REACH_OPTIONS,
    SG_DESK_PIN_OPTION,
    {0},
};

static const struct sg_option REFUSE_OPTIONS[] = {
    {"reason", 'r', "TEXT", "why; who asked will read it"},
    SG_AS_OPTION,
    SG_DESK_REACH_OPTIONS,
    SG_DESK_PIN_OPTION,
    {0},
};

/* ---- list and show ---- */

static bool visit(const struct sg_approval *approval, void *context, struct sg_error *error)
{
    return sg_cli_list_add(context, sg_view_approval(approval), error);
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_cli_list) struct sg_cli_list list = {0};

    return sg_cli_list_begin(cli, &SG_REQUEST_FORM, &list, error) &&
           sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) &&
           sg_store_each_approval(sg_home_store(home), !sg_cli_has(cli, "all"),
                                  sg_clock_now(&cli->clock), visit, &list, error) &&
           sg_cli_list_end(&list, error);
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
    return sg_cli_tell_request(cli, sg_view_whole_approval(sg_home_store(home), &approval), error);
}

/* ---- approve and refuse ---- */

typedef bool decide_function(struct sg_store *store, int64_t id,
                             const struct sg_approval_decision *decision, struct sg_error *error);

static bool run_decision(struct sg_cli *cli, decide_function *decide, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_approval_decision decision = {.reason = sg_cli_text(cli, "reason"),
                                            .now = sg_clock_now(&cli->clock)};
    int64_t id = 0;

    if (!sg_cli_id(cli->operands[0], &id, error) || !sg_cli_who(cli, &decision.by, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !decide(sg_home_store(home), id, &decision, error))
        return false;
    sg_cli_tell_decision(cli, decision.by);
    return true;
}

static bool run_approve(struct sg_cli *cli, struct sg_error *error)
{
    return run_decision(cli, sg_store_approve, error);
}

static bool run_refuse(struct sg_cli *cli, struct sg_error *error)
{
    return run_decision(cli, sg_store_refuse, error);
}

static const char DETAILS[] =
    "ID is its number in the list. Whoever asked, and whom the certificate is for, can't decide: "
    "at\n"
    "the command line by the name that is written down, as the home in hand proves no other.";

const struct sg_command SG_REQUEST_COMMANDS[] = {
    {"request list", "", "requests that wait for an approval", NULL, LIST_OPTIONS, 0, 0, run_list},
    {"request show", "ID", "one of them, beside what the registry has", NULL, SHOW_OPTIONS, 1, 1,
     run_show},
    {"request approve", "ID", "let it have its certificate", DETAILS, APPROVE_OPTIONS, 1, 1,
     run_approve},
    {"request refuse", "ID", "let it have none", DETAILS, REFUSE_OPTIONS, 1, 1, run_refuse},
    {0},
};
