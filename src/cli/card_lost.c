#include "commands.h"
#include "desk.h"

static const struct sg_option OPTIONS[] = {
    {"hold", 0, NULL, "for now: the card may turn up; `signet release` takes it back"},
    {"revoke", 0, NULL, "for good"},
    {"replace", 0, "ID", "for good, with tickets for the card ID that its owner gets instead"},
    {"for", 0, "TIME", "how long the tickets are good: 15m, 12h, 2d, … (default: 1h)"},
    {"reason", 'r', "REASON", "of the revocation (default: keyCompromise)"},
    SG_DESK_OPTIONS,
    {0},
};

static const char DETAILS[] =
    "CARD is its id, as `signet list` has it under --token. What is on it is held or revoked, and "
    "its\n"
    "open tickets are dropped, in one step. This is asked of a service, with --url. With the home "
    "in\n"
    "hand: `signet revoke --token CARD`, `signet ticket drop` and `signet ticket add`.";

static bool run_lost(struct sg_cli *cli, struct sg_error *error)
{
    return sg_fail(error, SG_USAGE, NULL,
                   "signet %s is asked of a service: add --url and --as; with the home in hand, "
                   "`signet revoke --token %s` revokes what is on the card",
                   cli->command->words, cli->operands[0]);
}

const struct sg_command SG_CARD_LOST_COMMANDS[] = {
    {"card lost", "CARD", "hold, revoke or replace what is on a lost card", DETAILS, OPTIONS, 1, 1,
     run_lost},
    {0},
};
