#include "issue/tickets.h"

#include <string.h>

#include "commands.h"
#include "desk.h"
#include "home/view.h"
#include "open.h"
#include "tell.h"
#include "who.h"

static const struct sg_option ADD_OPTIONS[] = {
    {"policy", 'p', "POLICY", "the policy that it is for"},
    {"device", 'd', "ID", "the device that will ask"},
    {"user", 'u', "NAME", "the user who will ask"},
    {"token", 0, "ID", "the id of the card that the key is on, noted with the certificate"},
    {"for", 0, "TIME", "how long it is good: 15m, 12h, 2d, … (default: 1h; 30d at most)"},
    {"tries", 0, "NUMBER", "tries of the user's PIN (default: 5; 20 at most)"},
    {"no-pin", 0, NULL, "a user's ticket that asks for no PIN"},
    SG_AS_OPTION,
    SG_DESK_REACH_OPTIONS,
    SG_DESK_PIN_OPTION,
    {0},
};

static const struct sg_option LIST_OPTIONS[] = {
    {"open", 0, NULL, "only those that can still be used"},
    SG_DESK_OPTIONS,
    {0},
};

static const struct sg_option DROP_OPTIONS[] = {SG_DESK_OPTIONS, {0}};

/* ---- add ---- */

static bool parse_tries(const struct sg_cli *cli, long *tries, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, "tries");

    if (text == NULL)
        return true;
    if (strlen(text) > 2 || strspn(text, "0123456789") != strlen(text) || atol(text) < 1)
        return sg_fail(error, SG_USAGE, NULL, "--tries %s: it is a number from 1 to %d", text,
                       SG_TICKET_MOST_TRIES);
    *tries = atol(text);
    return true;
}

bool sg_cli_ticket_order(const struct sg_cli *cli, struct sg_ticket_order *order,
                         struct sg_error *error)
{
    const char *lifetime = sg_cli_text(cli, "for");

    *order = (struct sg_ticket_order){
        .device = sg_cli_text(cli, "device"),
        .user = sg_cli_text(cli, "user"),
        .token = sg_cli_text(cli, "token"),
        .without_pin = sg_cli_has(cli, "no-pin"),
    };
    if (!sg_cli_need(cli, "policy", &order->policy, error) ||
        !parse_tries(cli, &order->tries, error))
        return false;
    if (order->user == NULL && (order->without_pin || order->tries != 0))
        return sg_fail(error, SG_USAGE, NULL, "only a user's ticket asks for a PIN; add --user");
    return lifetime == NULL || sg_duration_parse(lifetime, &order->lifetime_s, error);
}

static json_t *new_ticket_json(const char *text, int64_t id, int64_t not_after)
{
    return json_pack("{s:I, s:s, s:o}", "id", (json_int_t)id, "ticket", text, "not_after",
                     sg_json_moment(not_after));
}

static bool run_add(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_ticket_order order;
    char text[SG_TICKET_TEXT_SIZE];
    const int64_t now = sg_clock_now(&cli->clock);
    int64_t id = 0;

    if (!sg_cli_ticket_order(cli, &order, error) || !sg_cli_who(cli, &order.made_by, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_ticket_make(home, &order, now, text, &id, error))
        return false;
    const int64_t lifetime_s = order.lifetime_s != 0 ? order.lifetime_s : SG_TICKET_LIFETIME_S;
    return sg_cli_tell_new_ticket(cli, new_ticket_json(text, id, now + lifetime_s), error);
}

/* ---- list ---- */

struct listing {
    struct sg_cli_list list;
    bool only_open;
    int64_t now;
};

static bool visit(const struct sg_ticket *ticket, void *context, struct sg_error *error)
{
    struct listing *listing = context;
    const enum sg_ticket_state state = sg_ticket_state(ticket, listing->now);

    if (listing->only_open && state != SG_TICKET_OPEN && state != SG_TICKET_WAITING)
        return true;
    return sg_cli_list_add(&listing->list, sg_view_ticket(ticket, listing->now), error);
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct listing listing = {.only_open = sg_cli_has(cli, "open"),
                              .now = sg_clock_now(&cli->clock)};
    const bool is_told = sg_cli_list_begin(cli, &SG_TICKET_FORM, &listing.list, error) &&
                         sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) &&
                         sg_store_each_ticket(sg_home_store(home), visit, &listing, error) &&
                         sg_cli_list_end(&listing.list, error);

    sg_cli_list_done(&listing.list);
    return is_told;
}

/* ---- drop ---- */

static bool run_drop(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    int64_t id = 0;

    if (!sg_cli_id(cli->operands[0], &id, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_store_drop_ticket(sg_home_store(home), id, error))
        return false;
    sg_cli_tell_drop(cli);
    return true;
}

static const char ADD_DETAILS[] =
    "The ticket is printed once and kept nowhere. It lets one request be made under the policy, "
    "and\n"
    "says whose it is; a user's ticket asks for the user's PIN beside it (`signet user pin`).";

const struct sg_command SG_TICKET_COMMANDS[] = {
    {"ticket add", "", "let a device or user ask once", ADD_DETAILS, ADD_OPTIONS, 0, 0, run_add},
    {"ticket list", "", "the tickets that were given out", NULL, LIST_OPTIONS, 0, 0, run_list},
    {"ticket drop", "ID", "make a ticket good for nothing", "ID is its number in the list.",
     DROP_OPTIONS, 1, 1, run_drop},
    {0},
};
