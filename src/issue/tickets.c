#include "tickets.h"

#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/text.h"

static const char RULE[] = "ticket";

/* ---- what is ordered ---- */

static bool check_policy(struct sg_home *home, const struct sg_ticket_order *order,
                         struct sg_error *error)
{
    const struct sg_policy *policy = NULL;

    if (!sg_home_policy(home, order->policy, &policy, error))
        return false;
    if (!(sg_policy_evidence(policy) & SG_BY_TICKET))
        return sg_fail(error, SG_REFUSED, RULE,
                       "policy %s takes no tickets; `who` would have to name them", order->policy);
    if (sg_policy_needs_device(policy) && order->device == NULL)
        return sg_fail(error, SG_USAGE, RULE, "policy %s certifies a device; say which",
                       order->policy);
    if (sg_policy_needs_user(policy) && order->user == NULL)
        return sg_fail(error, SG_USAGE, RULE, "policy %s certifies a user; say who", order->policy);
    return order->device != NULL || order->user != NULL ||
           sg_fail(error, SG_USAGE, RULE, "a ticket is for a device or a user; say which");
}

static bool check_numbers(const struct sg_ticket_order *order, struct sg_error *error)
{
    if (order->lifetime_s < 0 || order->lifetime_s > SG_TICKET_LONGEST_S)
        return sg_fail(error, SG_USAGE, RULE, "a ticket is good for %d days at most",
                       SG_TICKET_LONGEST_S / 86400);
    if (order->tries < 0 || order->tries > SG_TICKET_MOST_TRIES)
        return sg_fail(error, SG_USAGE, RULE, "a ticket has 1 to %d tries of the PIN",
                       SG_TICKET_MOST_TRIES);
    return order->token == NULL ||
           (order->token[0] != '\0' && strlen(order->token) <= SG_LIMIT_CARD
                ? sg_text_check(sg_slice_text(order->token), "the card's id", error)
                : sg_fail(error, SG_USAGE, RULE, "a card's id has 1 to %d bytes", SG_LIMIT_CARD));
}

/* Without a key for PINs nobody has one. */
static bool check_pins(const struct sg_home *home, const struct sg_ticket_order *order,
                       struct sg_error *error)
{
    return order->user == NULL || order->without_pin || sg_home_config(home)->pins_key != NULL ||
           sg_fail(error, SG_USAGE, RULE,
                   "signet.yaml names no key for PINs (`pins`), so no user has one: say that the "
                   "ticket wants no PIN");
}

/* ---- the ticket ---- */

static void hash(const uint8_t bytes[SG_TICKET_LEN], uint8_t sha256[SG_SHA256_LEN])
{
    sg_sha256(sg_slice_of(bytes, SG_TICKET_LEN), sha256);
}

static bool copy(const char *text, char **into, struct sg_error *error)
{
    *into = text != NULL ? strdup(text) : NULL;
    return *into != NULL || text == NULL || sg_fail_memory(error);
}

static bool fill(const struct sg_ticket_order *order, int64_t now, struct sg_ticket *ticket,
                 struct sg_error *error)
{
    ticket->made = now;
    ticket->not_after =
        now + (order->lifetime_s != 0 ? order->lifetime_s : (int64_t)SG_TICKET_LIFETIME_S);
    ticket->wants_pin = order->user != NULL && !order->without_pin;
    ticket->tries = order->tries != 0 ? order->tries : SG_TICKET_TRIES;
    return copy(order->policy, &ticket->policy, error) &&
           copy(order->device, &ticket->device, error) && copy(order->user, &ticket->user, error) &&
           copy(order->token, &ticket->token, error) &&
           copy(order->made_by, &ticket->made_by, error);
}

bool sg_ticket_make(struct sg_home *home, const struct sg_ticket_order *order, int64_t now,
                    char text[SG_TICKET_TEXT_SIZE], int64_t *id, struct sg_error *error)
{
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    uint8_t bytes[SG_TICKET_LEN], sha256[SG_SHA256_LEN];

    if (!check_policy(home, order, error) || !check_numbers(order, error) ||
        !check_pins(home, order, error) || !fill(order, now, &ticket, error) ||
        !sg_random_fill(bytes, sizeof bytes, error))
        return false;
    hash(bytes, sha256);
    if (!sg_store_add_ticket(sg_home_store(home), &ticket, sha256, id, error))
        return false;
    sg_hex(sg_slice_of(bytes, sizeof bytes), text, SG_TICKET_TEXT_SIZE);
    return true;
}

bool sg_ticket_find(struct sg_store *store, const char *text, struct sg_ticket *ticket,
                    struct sg_error *error)
{
    uint8_t bytes[SG_TICKET_LEN], sha256[SG_SHA256_LEN];
    size_t len = 0;

    if (!sg_hex_parse(text, bytes, sizeof bytes, &len, NULL) || len != sizeof bytes)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE, "there is no such ticket");
    hash(bytes, sha256);
    return sg_store_find_ticket(store, sha256, ticket, error);
}
