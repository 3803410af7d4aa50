#include "issue/tickets.h"

#include <string.h>

#include "commands.h"
#include "home/view.h"
#include "open.h"
#include "output.h"
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
    {0},
};

static const struct sg_option LIST_OPTIONS[] = {
    {"open", 0, NULL, "only those that can still be used"},
    {0},
};

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

static bool parse_order(const struct sg_cli *cli, struct sg_ticket_order *order,
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
        !sg_cli_who(cli, &order->made_by, error) || !parse_tries(cli, &order->tries, error))
        return false;
    if (order->user == NULL && (order->without_pin || order->tries != 0))
        return sg_fail(error, SG_USAGE, NULL, "only a user's ticket asks for a PIN; add --user");
    return lifetime == NULL || sg_duration_parse(lifetime, &order->lifetime_s, error);
}

static bool print_ticket(const struct sg_cli *cli, const char *text, int64_t id, int64_t not_after,
                         struct sg_error *error)
{
    char until[SG_TIME_TEXT_SIZE];

    sg_time_text(not_after, until);
    if (cli->json)
        return sg_cli_print_json(
            json_pack("{s:I, s:s, s:s}", "id", (json_int_t)id, "ticket", text, "not_after", until),
            error);
    printf("%s\n", text);
    fprintf(stderr, "ticket %lld is good until %s; it is not shown again\n", (long long)id, until);
    return true;
}

static bool run_add(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_ticket_order order;
    char text[SG_TICKET_TEXT_SIZE];
    const int64_t now = sg_clock_now(&cli->clock);
    int64_t id = 0;

    return parse_order(cli, &order, error) && sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) &&
           sg_ticket_make(home, &order, now, text, &id, error) &&
           print_ticket(cli, text, id,
                        now + (order.lifetime_s != 0 ? order.lifetime_s : SG_TICKET_LIFETIME_S),
                        error);
}

/* ---- list ---- */

struct listing {
    const struct sg_cli *cli;
    int64_t now;
    json_t *array;
};

static void print_line(const struct sg_ticket *ticket, enum sg_ticket_state state)
{
    char until[SG_TIME_TEXT_SIZE];

    printf("%lld  %-8s until %s  %s", (long long)ticket->id, sg_ticket_state_word(state),
           sg_time_text(ticket->not_after, until), ticket->policy);
    if (ticket->device != NULL)
        printf("  device %s", ticket->device);
    if (ticket->user != NULL)
        printf("  user %s", ticket->user);
    if (ticket->token != NULL)
        printf("  token %s", ticket->token);
    if (ticket->wants_pin)
        printf("  %lld tries", (long long)ticket->tries);
    printf("  by %s\n", ticket->made_by);
}

static bool visit(const struct sg_ticket *ticket, void *context, struct sg_error *error)
{
    struct listing *listing = context;
    const enum sg_ticket_state state = sg_ticket_state(ticket, listing->now);

    (void)error;
    if (sg_cli_has(listing->cli, "open") && state != SG_TICKET_OPEN && state != SG_TICKET_WAITING)
        return true;
    if (listing->cli->json)
        sg_cli_append(&listing->array, sg_view_ticket(ticket, listing->now));
    else
        print_line(ticket, state);
    return true;
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct listing listing = {.cli = cli, .now = sg_clock_now(&cli->clock)};

    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error))
        return false;
    listing.array = cli->json ? json_array() : NULL;
    if (!sg_store_each_ticket(sg_home_store(home), visit, &listing, error)) {
        json_decref(listing.array);
        return false;
    }
    return !cli->json || sg_cli_print_json(listing.array, error);
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
    fprintf(stderr, "ticket %lld is good for nothing any more\n", (long long)id);
    return true;
}

static const char ADD_DETAILS[] =
    "The ticket is printed once and kept nowhere. It lets one request be made under the policy, "
    "and\n"
    "says whose it is; a user's ticket asks for the user's PIN beside it (`signet user pin`).";

const struct sg_command SG_TICKET_COMMANDS[] = {
    {"ticket add", "", "let a device or user ask once", ADD_DETAILS, ADD_OPTIONS, 0, 0, run_add},
    {"ticket list", "", "the tickets that were given out", NULL, LIST_OPTIONS, 0, 0, run_list},
    {"ticket drop", "ID", "make a ticket good for nothing", "ID is its number in the list.", NULL,
     1, 1, run_drop},
    {0},
};
