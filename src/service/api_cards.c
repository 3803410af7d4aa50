/* A card that is lost: what is on it is taken out of force, its open tickets are dropped, and
 * whoever had it gets tickets for another one, all in one call. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"

struct loss {
    const char *step, *new_token, *reason;
    int64_t lifetime_s;
};

/* Whom a new card has to serve, and under which policy. */
struct holder {
    char *policy, *device, *user;
};

struct holders {
    struct holder items[SG_LIMIT_WAITING];
    size_t num;
    size_t num_found; /* certificates of the card, in whatever state */
};

static void holders_done(struct holders *holders)
{
    for (size_t i = 0; i < holders->num; i++) {
        free(holders->items[i].policy);
        free(holders->items[i].device);
        free(holders->items[i].user);
    }
}
SG_DEFINE_CLEANUP_IN_PLACE(holders, holders_done)

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool has(const struct holders *holders, const struct sg_certificate *certificate)
{
    for (size_t i = 0; i < holders->num; i++)
        if (is_same_text(holders->items[i].policy, certificate->policy) &&
            is_same_text(holders->items[i].device, certificate->device) &&
            is_same_text(holders->items[i].user, certificate->user))
            return true;
    return false;
}

static bool copy(const char *text, char **into, struct sg_error *error)
{
    *into = text != NULL ? strdup(text) : NULL;
    return *into != NULL || text == NULL || sg_fail_memory(error);
}

static bool see(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct holders *holders = context;
    struct holder *added;

    holders->num_found++;
    if ((certificate->status != SG_STATUS_VALID && certificate->status != SG_STATUS_HELD) ||
        has(holders, certificate))
        return true;
    if (holders->num == SG_LIMIT_WAITING)
        return sg_fail(error, SG_REFUSED, "card",
                       "the card has certificates of more than %d holders and policies",
                       SG_LIMIT_WAITING);
    added = &holders->items[holders->num++];
    *added = (struct holder){0};
    return copy(certificate->policy, &added->policy, error) &&
           copy(certificate->device, &added->device, error) &&
           copy(certificate->user, &added->user, error);
}

/* ---- tickets of the lost card ---- */

struct dropping {
    const char *token;
    int64_t now;
    int64_t ids[SG_LIMIT_LISTED];
    size_t num;
};

static bool collect(const struct sg_ticket *ticket, void *context, struct sg_error *error)
{
    struct dropping *dropping = context;
    const enum sg_ticket_state state = sg_ticket_state(ticket, dropping->now);

    (void)error;
    if ((state == SG_TICKET_OPEN || state == SG_TICKET_WAITING) &&
        is_same_text(ticket->token, dropping->token) && dropping->num < SG_LIMIT_LISTED)
        dropping->ids[dropping->num++] = ticket->id;
    return true;
}

/* Without its ticket a request gets no certificate onto the card, also one that waits. */
static bool drop_tickets(struct sg_api_call *call, size_t *num, struct sg_error *error)
{
    struct dropping dropping = {.token = call->segments[1], .now = call->now};

    if (!sg_store_each_ticket(call->store, collect, &dropping, error))
        return false;
    for (size_t i = 0; i < dropping.num; i++) {
        struct sg_error why = {0};

        if (sg_store_drop_ticket(call->store, dropping.ids[i], &why))
            ++*num;
        else if (why.code != SG_REFUSED) /* another process was faster */
            return sg_error_pass(error, &why);
    }
    return true;
}

/* ---- the steps ---- */

static bool replace_one(struct sg_api_call *call, const struct loss *loss,
                        const struct holder *holder, json_t *tickets, struct sg_error *error)
{
    const struct sg_ticket_order order = {
        .policy = holder->policy,
        .device = holder->device,
        .user = holder->user,
        .token = loss->new_token,
        .made_by = call->who->name,
        .lifetime_s = loss->lifetime_s,
        .without_pin = call->desk->issuing.pins == NULL,
    };
    json_t *ticket = NULL;

    if (!sg_api_make_ticket(call, &order, &ticket, error))
        return false;
    if (json_object_set_new(ticket, "policy", json_string(holder->policy)) == 0 &&
        json_object_set_new(ticket, "device", sg_json_text_or_null(holder->device)) == 0 &&
        json_object_set_new(ticket, "user", sg_json_text_or_null(holder->user)) == 0)
        return json_array_append_new(tickets, ticket) == 0 || sg_fail_memory(error);
    json_decref(ticket);
    return sg_fail_memory(error);
}

static bool replace_all(struct sg_api_call *call, const struct loss *loss,
                        const struct holders *holders, json_t *tickets, struct sg_error *error)
{
    if (loss->new_token == NULL)
        return true;
    for (size_t i = 0; i < holders->num; i++)
        if (!replace_one(call, loss, &holders->items[i], tickets, error))
            return false;
    return true;
}

/* On hold at once; for good only when the tickets are there, so that who asks again after a failure
 * finds the same certificates. */
static bool take_steps(struct sg_api_call *call, const struct loss *loss, enum sg_reason reason,
                       const struct holders *holders, json_t *tickets, struct sg_error *error)
{
    const struct sg_certificate_filter filter = {.token = call->segments[1], .now = call->now};
    const bool is_hold = strcmp(loss->step, "hold") == 0;
    struct sg_error ignored = {0};
    size_t num_held = 0, num_revoked = 0, num_dropped = 0;

    if (!sg_api_revoke_all(call, &filter, SG_REASON_CERTIFICATE_HOLD, &num_held, &ignored) &&
        ignored.code != SG_REFUSED)
        return sg_error_pass(error, &ignored);
    call->status = 0;
    if (!drop_tickets(call, &num_dropped, error) ||
        !replace_all(call, loss, holders, tickets, error) ||
        (!is_hold && !sg_api_revoke_all(call, &filter, reason, &num_revoked, error)))
        return false;
    (void)snprintf(call->said, sizeof call->said,
                   "card %.128s is lost: %zu held, %zu revoked, %zu tickets dropped, %zu made",
                   call->segments[1], is_hold ? num_held : 0, num_revoked, num_dropped,
                   json_array_size(tickets));
    return sg_api_reply(call, 200,
                        json_pack("{s:I, s:I, s:I, s:O}", "held",
                                  (json_int_t)(is_hold ? num_held : 0), "revoked",
                                  (json_int_t)num_revoked, "dropped_tickets",
                                  (json_int_t)num_dropped, "tickets", tickets),
                        error);
}

static bool check_step(const struct loss *loss, struct sg_error *error)
{
    const bool is_replace = strcmp(loss->step, "replace") == 0;

    if (!is_replace && strcmp(loss->step, "hold") != 0 && strcmp(loss->step, "revoke") != 0)
        return sg_fail(error, SG_USAGE, "JSON step", "step has to be hold, replace or revoke");
    return is_replace == (loss->new_token != NULL) ||
           sg_fail(error, SG_USAGE, "JSON new_token",
                   "new_token belongs to replace, and to nothing else");
}

bool sg_api_lose_card(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"step", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct loss, step), 1, 16},
        {"new_token", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct loss, new_token), 1,
         SG_LIMIT_CARD},
        {"lifetime", SG_JSON_INTEGER, SG_JSON_OPTIONAL, offsetof(struct loss, lifetime_s), 1,
         SG_TICKET_LONGEST_S},
        {"reason", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct loss, reason), 1, 64},
        {0},
    };
    const struct sg_certificate_filter filter = {.token = call->segments[1], .now = call->now};
    sg_auto(holders) struct holders holders = {0};
    sg_auto(json_t) json_t *tickets = json_array();
    struct loss loss = {.lifetime_s = SG_TICKET_LIFETIME_S};
    enum sg_reason reason = SG_REASON_KEY_COMPROMISE;

    if (!sg_api_read(call, FIELDS, &loss, error) || !check_step(&loss, error) ||
        !sg_api_parse_reason(loss.reason, &reason, error) ||
        !sg_store_each_certificate(call->store, &filter, see, &holders, error))
        return false;
    if (holders.num_found == 0)
        return sg_api_refuse(call, 404, error, "card", "no certificate is on card %s",
                             call->segments[1]);
    if (holders.num == 0)
        return sg_api_refuse(call, 409, error, "card", "nothing on card %s is in force",
                             call->segments[1]);
    if (tickets == NULL)
        return sg_fail_memory(error);
    return take_steps(call, &loss, reason, &holders, tickets, error);
}
