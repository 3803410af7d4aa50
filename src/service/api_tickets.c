/* What the token service and the app do before a card asks for its certificate. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"
#include "home/view.h"
#include "issue/pins.h"

/* ---- a user's PIN ---- */

/* The record of the URL's second segment. */
static bool find_user(struct sg_api_call *call, struct sg_record *record, struct sg_error *error)
{
    struct sg_error why = {0};

    if (sg_store_find_record(call->store, SG_REGISTRY_USER, call->segments[1], record, &why))
        return true;
    if (why.code != SG_UNAUTHENTICATED)
        return sg_error_pass(error, &why);
    return sg_api_refuse(call, 404, error, "registry", "there is no user \"%s\"",
                         call->segments[1]);
}

bool sg_api_ask_pin(struct sg_api_call *call, struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};
    sg_auto(sg_pin) struct sg_pin pin = {0};
    bool found = false;

    if (!find_user(call, &record, error) ||
        !sg_store_find_pin(call->store, record.id, &found, &pin, error))
        return false;
    return sg_api_reply(call, 200,
                        json_pack("{s:o, s:b, s:b, s:o}", "user", sg_json_text(record.id),
                                  "enabled", !record.disabled, "has_pin", found, "chosen",
                                  sg_json_moment(pin.chosen)),
                        error);
}

struct choice {
    const char *ticket, *pin_hash;
};

/* The words of sg_ticket_find, whatever is wrong with the text. */
static bool choose(struct sg_api_call *call, const struct choice *choice, struct sg_error *error)
{
    uint8_t hash[SG_PIN_HASH_LEN];
    const struct sg_pin_order order = {.hash = hash, .now = call->now};
    size_t len = 0;
    bool is_chosen;

    if (!sg_hex_parse(choice->pin_hash, hash, sizeof hash, &len, NULL) || len != sizeof hash)
        return sg_fail(error, SG_USAGE, "JSON pin_hash", "pin_hash has to be %d hex digits",
                       2 * (int)SG_PIN_HASH_LEN);
    if (call->desk->issuing.pins == NULL)
        return sg_fail(error, SG_REFUSED, "PIN", "signet.yaml names no key for PINs (`pins`)");
    is_chosen = sg_pin_choose_by_ticket(call->store, call->desk->issuing.pins, choice->ticket,
                                        &order, error);
    OPENSSL_cleanse(hash, sizeof hash);
    return is_chosen;
}

bool sg_api_choose_pin(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"ticket", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct choice, ticket), 1,
         SG_LIMIT_PERSON},
        {"pin_hash", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct choice, pin_hash),
         2 * (int)SG_PIN_HASH_LEN, 2 * (int)SG_PIN_HASH_LEN},
        {0},
    };
    struct choice choice = {0};

    if (!sg_api_read(call, FIELDS, &choice, error) || !choose(call, &choice, error))
        return false;
    call->status = 204;
    (void)snprintf(call->said, sizeof call->said, "a PIN was chosen");
    return true;
}

/* ---- tickets ---- */

struct order {
    const char *policy, *device, *user, *token;
    int64_t lifetime_s, tries;
    bool asks_pin;
};

/* A ticket is a promise that the network keeps. */
static bool check_policy(struct sg_api_call *call, const char *name, struct sg_error *error)
{
    const struct sg_policy *policy = NULL;

    if (!sg_api_find_policy(call, name, &policy, error))
        return false;
    return (sg_policy_evidence(policy) & SG_BY_TICKET) != 0 ||
           sg_api_refuse(call, 403, error, "policy", "policy %s takes no tickets", name);
}

static bool make(struct sg_api_call *call, const struct sg_ticket_order *order,
                 char text[SG_TICKET_TEXT_SIZE], int64_t *id, struct sg_error *error)
{
    struct sg_error why = {0};

    if (sg_ticket_make(call->desk->home, order, call->now, text, id, &why))
        return true;
    if (why.code == SG_UNAUTHENTICATED)
        return sg_api_refuse(call, 422, error, "requester", "%s", why.text);
    return sg_error_pass(error, &why);
}

bool sg_api_make_ticket(struct sg_api_call *call, const struct sg_ticket_order *order,
                        json_t **answer, struct sg_error *error)
{
    char text[SG_TICKET_TEXT_SIZE] = "";
    int64_t id = 0;

    if (!check_policy(call, order->policy, error) || !make(call, order, text, &id, error))
        return false;
    *answer = json_pack("{s:I, s:s, s:o}", "id", (json_int_t)id, "ticket", text, "not_after",
                        sg_json_moment(call->now + order->lifetime_s));
    OPENSSL_cleanse(text, sizeof text);
    (void)snprintf(call->said, sizeof call->said, "ticket %lld was made", (long long)id);
    return *answer != NULL || sg_fail_memory(error);
}

bool sg_api_add_ticket(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"policy", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct order, policy), 1, 64},
        {"device", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct order, device), 1,
         SG_LIMIT_VALUE},
        {"user", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct order, user), 1, SG_LIMIT_VALUE},
        {"token", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct order, token), 1, SG_LIMIT_CARD},
        {"lifetime", SG_JSON_INTEGER, SG_JSON_OPTIONAL, offsetof(struct order, lifetime_s), 1,
         SG_TICKET_LONGEST_S},
        {"asks_pin", SG_JSON_BOOL, SG_JSON_OPTIONAL, offsetof(struct order, asks_pin), 0, 0},
        {"pin_tries", SG_JSON_INTEGER, SG_JSON_OPTIONAL, offsetof(struct order, tries), 1,
         SG_TICKET_MOST_TRIES},
        {0},
    };
    struct order order = {
        .lifetime_s = SG_TICKET_LIFETIME_S, .tries = SG_TICKET_TRIES, .asks_pin = true};
    json_t *answer = NULL;

    if (!sg_api_read(call, FIELDS, &order, error))
        return false;
    const struct sg_ticket_order whole = {
        .policy = order.policy,
        .device = order.device,
        .user = order.user,
        .token = order.token,
        .made_by = call->who->name,
        .lifetime_s = order.lifetime_s,
        .tries = (long)order.tries,
        .without_pin = !order.asks_pin,
    };
    return sg_api_make_ticket(call, &whole, &answer, error) &&
           sg_api_reply(call, 201, answer, error);
}

/* ---- tickets that were given out ---- */

struct listing {
    struct sg_api_page page;
    int64_t now;
};

static bool list_one(const struct sg_ticket *ticket, void *context, struct sg_error *error)
{
    struct listing *listing = context;
    char mark[24];

    (void)snprintf(mark, sizeof mark, "%lld", (long long)ticket->id);
    return sg_api_page_add(&listing->page, sg_view_ticket(ticket, listing->now), mark, error);
}

static bool parse_state(const struct sg_api_call *call, struct sg_ticket_filter *filter,
                        struct sg_error *error)
{
    const char *text = sg_api_query(call, "state");

    filter->only_state = text != NULL;
    if (text == NULL)
        return true;
    for (int state = SG_TICKET_OPEN; state <= SG_TICKET_EXPIRED; state++)
        if (strcmp(text, sg_ticket_state_word((enum sg_ticket_state)state)) == 0) {
            filter->state = (enum sg_ticket_state)state;
            return true;
        }
    return sg_fail(error, SG_USAGE, "query state",
                   "state has to be open, waiting, spent, dropped or expired");
}

bool sg_api_list_tickets(struct sg_api_call *call, struct sg_error *error)
{
    struct listing listing = {.now = call->now};
    struct sg_ticket_filter filter = {.now = call->now};
    bool is_listed = sg_api_after(call, &filter.after, error) &&
                     parse_state(call, &filter, error) &&
                     sg_api_page_begin(call, &listing.page, error);

    filter.num = listing.page.limit + 1;
    is_listed = is_listed &&
                sg_store_list_tickets(call->store, &filter, list_one, &listing, error) &&
                sg_api_page_reply(call, &listing.page, "tickets", error);
    sg_api_page_done(&listing.page);
    return is_listed;
}

/* What has no such number is no ticket either. */
static bool see(const struct sg_ticket *ticket, void *context, struct sg_error *error)
{
    int64_t *id = context;

    (void)error;
    if (ticket->id == *id)
        *id = -*id;
    return true;
}

bool sg_api_drop_ticket(struct sg_api_call *call, struct sg_error *error)
{
    int64_t id = 0;

    if (!sg_api_number(call->segments[1], 1, INT64_MAX, &id))
        return sg_api_refuse(call, 404, error, "ticket", "there is no such ticket");
    if (!sg_store_each_ticket(call->store, see, &id, error))
        return false;
    if (id > 0)
        return sg_api_refuse(call, 404, error, "ticket", "there is no such ticket");
    if (!sg_store_drop_ticket(call->store, -id, error))
        return false;
    call->status = 204;
    (void)snprintf(call->said, sizeof call->said, "ticket %lld was dropped", (long long)-id);
    return true;
}
