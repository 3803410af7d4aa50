#include "tickets.h"

#include <errno.h>
#include <string.h>

#include "approvals.h"
#include "evidence.h"
#include "registry.h"
#include "schema.h"
#include "standing.h"

static const char RULE[] = "ticket";

const char *sg_ticket_state_word(enum sg_ticket_state state)
{
    static const char *const WORDS[] = {
        [SG_TICKET_OPEN] = "open",       [SG_TICKET_WAITING] = "waiting",
        [SG_TICKET_SPENT] = "spent",     [SG_TICKET_DROPPED] = "dropped",
        [SG_TICKET_EXPIRED] = "expired",
    };
    return WORDS[state];
}

/* A ticket that waits has done its part in time. */
enum sg_ticket_state sg_ticket_state(const struct sg_ticket *ticket, int64_t now)
{
    if (ticket->claim != 0)
        return SG_TICKET_SPENT;
    if (ticket->dropped)
        return SG_TICKET_DROPPED;
    if (ticket->approval != 0)
        return SG_TICKET_WAITING;
    return ticket->not_after < now ? SG_TICKET_EXPIRED : SG_TICKET_OPEN;
}

void sg_ticket_done(struct sg_ticket *ticket)
{
    free(ticket->policy);
    free(ticket->device);
    free(ticket->user);
    free(ticket->token);
    free(ticket->made_by);
    *ticket = (struct sg_ticket){0};
}

/* ---- reading ---- */

#define SELECT_TICKET                                                                              \
    "SELECT id, policy, device, \"user\", token, made_by, made, not_after, tries, claim, "         \
    "approval,"                                                                                    \
    " dropped FROM ticket"

enum {
    ID,
    POLICY,
    DEVICE,
    USER,
    TOKEN,
    MADE_BY,
    MADE,
    NOT_AFTER,
    TRIES,
    CLAIM,
    APPROVAL,
    DROPPED,
};

static bool read_ticket(const struct sg_query *query, struct sg_ticket *ticket,
                        struct sg_error *error)
{
    sg_auto(sg_ticket) struct sg_ticket read = {
        .id = sg_column_int(query, ID),
        .made = sg_column_int(query, MADE),
        .not_after = sg_column_int(query, NOT_AFTER),
        .wants_pin = !sg_column_is_null(query, TRIES),
        .tries = sg_column_int(query, TRIES),
        .claim = sg_column_int(query, CLAIM),
        .approval = sg_column_int(query, APPROVAL),
        .dropped = sg_column_int(query, DROPPED) != 0,
    };
    if (!sg_column_copy_text(query, POLICY, &read.policy, error) ||
        !sg_column_copy_text(query, DEVICE, &read.device, error) ||
        !sg_column_copy_text(query, USER, &read.user, error) ||
        !sg_column_copy_text(query, TOKEN, &read.token, error) ||
        !sg_column_copy_text(query, MADE_BY, &read.made_by, error))
        return false;
    *ticket = read;
    read = (struct sg_ticket){0};
    return true;
}

static bool fail_unknown(struct sg_error *error)
{
    return sg_fail(error, SG_UNAUTHENTICATED, RULE, "there is no such ticket");
}

bool sg_store_find_ticket(struct sg_store *store, const uint8_t sha256[SG_SHA256_LEN],
                          struct sg_ticket *ticket, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (store->version < SG_SCHEMA_EVIDENCE)
        return fail_unknown(error);
    if (!sg_query_start(store, SELECT_TICKET " WHERE sha256 = ?", SG_VALUES(sg_digest(sha256)),
                        &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    return row ? read_ticket(&query, ticket, error) : fail_unknown(error);
}

/* By its id; inside a transaction of the caller's. */
static bool find_by_id(struct sg_store *store, int64_t id, bool *found, struct sg_ticket *ticket,
                       struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    return sg_query_start(store, SELECT_TICKET " WHERE id = ?", SG_VALUES(sg_int(id)), &query,
                          error) &&
           sg_query_next(&query, found, error) && (!*found || read_ticket(&query, ticket, error));
}

static bool visit_rows(struct sg_query *query, sg_ticket_visitor *visit, void *context,
                       struct sg_error *error)
{
    for (bool row = false;;) {
        sg_auto(sg_ticket) struct sg_ticket ticket = {0};
        if (!sg_query_next(query, &row, error))
            return false;
        if (!row)
            return true;
        if (!read_ticket(query, &ticket, error) || !visit(&ticket, context, error))
            return false;
    }
}

bool sg_store_each_ticket(struct sg_store *store, sg_ticket_visitor *visit, void *context,
                          struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    if (store->version < SG_SCHEMA_EVIDENCE)
        return true;
    return sg_query_start_many(store, SELECT_TICKET " ORDER BY id", SG_NO_VALUES, &query, error) &&
           visit_rows(&query, visit, context, error);
}

/* As sg_ticket_state has it. */
#define PAGE_OF(condition) SELECT_TICKET " WHERE id > ? AND " condition " ORDER BY id LIMIT ?"
#define UNUSED             "claim IS NULL AND dropped = 0"

static const char *page_of(const struct sg_ticket_filter *filter)
{
    static const char *const PAGES[] = {
        [SG_TICKET_OPEN] = PAGE_OF(UNUSED " AND approval IS NULL AND not_after >= ?"),
        [SG_TICKET_WAITING] = PAGE_OF(UNUSED " AND approval IS NOT NULL"),
        [SG_TICKET_SPENT] = PAGE_OF("claim IS NOT NULL"),
        [SG_TICKET_DROPPED] = PAGE_OF("claim IS NULL AND dropped = 1"),
        [SG_TICKET_EXPIRED] = PAGE_OF(UNUSED " AND approval IS NULL AND not_after < ?"),
    };
    return filter->only_state ? PAGES[filter->state] : PAGE_OF("1 = 1");
}

bool sg_store_list_tickets(struct sg_store *store, const struct sg_ticket_filter *filter,
                           sg_ticket_visitor *visit, void *context, struct sg_error *error)
{
    const bool is_timed = filter->only_state &&
                          (filter->state == SG_TICKET_OPEN || filter->state == SG_TICKET_EXPIRED);
    const struct sg_value after = sg_int(filter->after), num = sg_int((int64_t)filter->num);
    sg_auto(sg_query) struct sg_query query = {0};
    if (store->version < SG_SCHEMA_EVIDENCE)
        return true;
    return sg_query_start(store, page_of(filter),
                          is_timed ? SG_VALUES(after, sg_int(filter->now), num)
                                   : SG_VALUES(after, num),
                          &query, error) &&
           visit_rows(&query, visit, context, error);
}

/* ---- making and dropping ---- */

bool sg_store_check_enabled(struct sg_store *store, enum sg_registry_kind kind, const char *id,
                            struct sg_error *error)
{
    struct sg_registration known = {0};
    if (id == NULL)
        return true;
    if (!sg_registry_look(store, kind, id, NULL, &known, error))
        return false;
    if (known.found && !known.disabled)
        return true;
    return sg_fail(error, SG_UNAUTHENTICATED, NULL, "%s \"%s\" is %s", sg_registry_word(kind), id,
                   known.found ? "disabled in the registry" : "not in the registry");
}

static bool insert(struct sg_store *store, const struct sg_ticket *ticket,
                   const uint8_t sha256[SG_SHA256_LEN], int64_t *id, struct sg_error *error)
{
    const struct sg_value tries = sg_unless(!ticket->wants_pin, sg_int(ticket->tries));
    return sg_sql_insert(
        store,
        "INSERT INTO ticket (sha256, policy, device, \"user\", token, made, made_by,"
        " not_after, tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        SG_VALUES(sg_digest(sha256), sg_text(ticket->policy), sg_text(ticket->device),
                  sg_text(ticket->user), sg_text(ticket->token), sg_int(ticket->made),
                  sg_text(ticket->made_by), sg_int(ticket->not_after), tries),
        id, error);
}

bool sg_store_add_ticket(struct sg_store *store, const struct sg_ticket *ticket,
                         const uint8_t sha256[SG_SHA256_LEN], int64_t *id, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    int64_t made = 0;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_store_check_enabled(store, SG_REGISTRY_DEVICE, ticket->device, error) ||
        !sg_store_check_enabled(store, SG_REGISTRY_USER, ticket->user, error) ||
        !insert(store, ticket, sha256, &made, error) || !sg_transaction_commit(&write, error))
        return false;
    *id = made;
    return true;
}

/* Only one who has the home, or is told the ids, hears of these. */
static bool check_droppable(int64_t id, bool found, const struct sg_ticket *ticket,
                            struct sg_error *error)
{
    if (!found)
        return sg_fail(error, SG_REFUSED, RULE, "there is no ticket %lld", (long long)id);
    if (ticket->claim != 0)
        return sg_fail(error, SG_REFUSED, RULE,
                       "ticket %lld was spent: revoke the certificate instead", (long long)id);
    return !ticket->dropped ||
           sg_fail(error, SG_REFUSED, RULE, "ticket %lld is dropped already", (long long)id);
}

bool sg_store_drop_ticket(struct sg_store *store, int64_t id, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    bool found = false;
    return sg_transaction_write(store, &write, error) &&
           find_by_id(store, id, &found, &ticket, error) &&
           check_droppable(id, found, &ticket, error) &&
           sg_sql_run(store, "UPDATE ticket SET dropped = 1 WHERE id = ?", SG_VALUES(sg_int(id)),
                      error) &&
           sg_transaction_commit(&write, error);
}

/* ---- tries ---- */

bool sg_store_take_try(struct sg_store *store, int64_t id, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    size_t changed = 0;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_sql_change(store, "UPDATE ticket SET tries = tries - 1 WHERE id = ? AND tries > 0",
                       SG_VALUES(sg_int(id)), &changed, error))
        return false;
    if (changed == 0)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "no try of the PIN is left for this ticket: a new ticket is needed");
    return sg_transaction_commit(&write, error);
}

bool sg_store_give_back_try(struct sg_store *store, int64_t id, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    return sg_transaction_write(store, &write, error) &&
           sg_sql_run(store, "UPDATE ticket SET tries = tries + 1 WHERE id = ?",
                      SG_VALUES(sg_int(id)), error) &&
           sg_transaction_commit(&write, error);
}

/* ---- in the claim ---- */

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool refuse(struct sg_error *why, const char *text)
{
    (void)sg_fail(why, SG_UNAUTHENTICATED, RULE, "%s", text);
    return true;
}

/* A claim that came to no certificate counts as revoked, and lets its own key try again; of keys
 * that are made here, its own request. */
static bool judge_spent(struct sg_store *store, const struct sg_ticket *ticket,
                        const struct sg_claim *claim, struct sg_error *why, struct sg_error *error)
{
    struct sg_standing standing = {0};
    struct sg_serial serial = {0};
    bool is_its_own = false;
    int64_t ignored = 0;
    if (!sg_standing_find(store, ticket->claim, claim->now, &standing, &serial, error) ||
        !sg_sql_number(store,
                       "SELECT 1 FROM claim WHERE id = ?"
                       " AND (spki_sha256 = ? OR (? = 1 AND content_sha256 = ?))",
                       SG_VALUES(sg_int(ticket->claim), sg_digest(claim->spki_sha256),
                                 sg_int(claim->made_key), sg_digest(claim->content_sha256)),
                       &is_its_own, &ignored, error))
        return false;
    if (standing.status == SG_STATUS_IN_FLIGHT) {
        (void)refuse(why, "this ticket is being used at this moment: try again shortly");
        why->detail = EAGAIN; /* it may come to nothing, or be the answer to the same key */
        return true;
    }
    if (!is_its_own || standing.status != SG_STATUS_ORPHANED)
        return refuse(why, "this ticket has been used");
    return sg_standing_settle(store, ticket->claim, error);
}

/* A ticket that waits for an approval is good for the key that it waits with, until somebody has
 * refused it or nobody has come in time. */
static bool judge_waiting(struct sg_store *store, const struct sg_ticket *ticket,
                          const struct sg_claim *claim, struct sg_error *why,
                          struct sg_error *error)
{
    sg_auto(sg_approval) struct sg_approval approval = {0};
    bool found = false;
    if (!sg_store_find_approval(store, ticket->approval, claim->now, &found, &approval, error))
        return false;
    if (!found || memcmp(approval.spki_sha256, claim->spki_sha256, SG_SHA256_LEN) != 0)
        return refuse(why, "this ticket waits with a request for another key");
    if (approval.state == SG_APPROVAL_REFUSED)
        (void)sg_fail(why, SG_REFUSED, "approval", "request %lld was refused by %s: %s",
                      (long long)approval.id, approval.decided_by, approval.reason);
    return approval.state != SG_APPROVAL_LAPSED ||
           refuse(why, "this ticket waited with a request that has lapsed");
}

bool sg_ticket_judge(struct sg_store *store, const struct sg_claim *claim, int64_t prior,
                     struct sg_error *why, struct sg_error *error)
{
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    bool found = false;
    if (!find_by_id(store, claim->ticket, &found, &ticket, error))
        return false;
    if (!found)
        return refuse(why, "there is no such ticket");
    if (!is_same_text(ticket.policy, claim->plan->policy) ||
        !is_same_text(ticket.device, sg_claim_device(claim)) ||
        !is_same_text(ticket.user, sg_claim_user(claim)))
        return refuse(why, "this ticket is for something else");
    if (prior != 0 && ticket.claim == prior)
        return true;
    if (ticket.claim != 0)
        return judge_spent(store, &ticket, claim, why, error);
    if (ticket.dropped)
        return refuse(why, "this ticket was dropped");
    if (ticket.approval != 0)
        return judge_waiting(store, &ticket, claim, why, error);
    return ticket.not_after >= claim->now || refuse(why, "this ticket has expired");
}

bool sg_ticket_was_spent_on(struct sg_store *store, int64_t ticket, int64_t claim, bool *was,
                            struct sg_error *error)
{
    int64_t ignored = 0;
    *was = false;
    return ticket == 0 ||
           sg_sql_number(store, "SELECT 1 FROM ticket WHERE id = ? AND claim = ?",
                         SG_VALUES(sg_int(ticket), sg_int(claim)), was, &ignored, error);
}

bool sg_ticket_spend(struct sg_store *store, int64_t ticket, int64_t claim, struct sg_error *error)
{
    return sg_sql_run(store, "UPDATE ticket SET claim = ? WHERE id = ?",
                      SG_VALUES(sg_int(claim), sg_int(ticket)), error);
}
