#include "approvals.h"

#include <string.h>

#include "evidence.h"
#include "schema.h"
#include "standing.h"

static const char RULE[] = "approval";

const char *sg_approval_state_word(enum sg_approval_state state)
{
    static const char *const WORDS[] = {
        [SG_APPROVAL_WAITING] = "waiting", [SG_APPROVAL_APPROVED] = "approved",
        [SG_APPROVAL_REFUSED] = "refused", [SG_APPROVAL_LAPSED] = "lapsed",
        [SG_APPROVAL_USED] = "used",
    };
    return WORDS[state];
}

void sg_approval_done(struct sg_approval *approval)
{
    free(approval->policy);
    free(approval->role);
    free(approval->device);
    free(approval->user);
    free(approval->token);
    free(approval->subject);
    free(approval->asked_by);
    free(approval->decided_by);
    free(approval->reason);
    sg_buf_free(&approval->request);
    *approval = (struct sg_approval){0};
}

/* ---- reading ---- */

#define SELECT_APPROVAL                                                                            \
    "SELECT id, policy, role, device, \"user\", token, subject, spki_sha256, request, asked,"      \
    " asked_by, not_after, state, decided, decided_by, reason, claim FROM approval"

enum {
    ID,
    POLICY,
    ROLE,
    DEVICE,
    USER,
    TOKEN,
    SUBJECT,
    SPKI_SHA256,
    REQUEST,
    ASKED,
    ASKED_BY,
    NOT_AFTER,
    STATE,
    DECIDED,
    DECIDED_BY,
    REASON,
    CLAIM,
};

static enum sg_approval_state state_of(const struct sg_query *query, int64_t now)
{
    const enum sg_approval_state state = (enum sg_approval_state)sg_column_int(query, STATE);
    if (!sg_column_is_null(query, CLAIM))
        return SG_APPROVAL_USED;
    return state != SG_APPROVAL_REFUSED && sg_column_int(query, NOT_AFTER) < now
               ? SG_APPROVAL_LAPSED
               : state;
}

static bool read_approval(const struct sg_query *query, int64_t now, struct sg_approval *approval,
                          struct sg_error *error)
{
    sg_auto(sg_approval) struct sg_approval read = {
        .id = sg_column_int(query, ID),
        .state = state_of(query, now),
        .asked = sg_column_int(query, ASKED),
        .not_after = sg_column_int(query, NOT_AFTER),
        .decided = sg_column_int(query, DECIDED),
        .claim = sg_column_int(query, CLAIM),
    };
    const struct {
        int column;
        char **text;
    } texts[] = {
        {POLICY, &read.policy},     {ROLE, &read.role},     {DEVICE, &read.device},
        {USER, &read.user},         {TOKEN, &read.token},   {SUBJECT, &read.subject},
        {ASKED_BY, &read.asked_by}, {REASON, &read.reason}, {DECIDED_BY, &read.decided_by},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!sg_column_copy_text(query, texts[i].column, texts[i].text, error))
            return false;
    if (!sg_column_copy_digest(query, SPKI_SHA256, read.spki_sha256, error) ||
        !sg_buf_set(&read.request, sg_column_bytes(query, REQUEST), error))
        return false;
    *approval = read;
    read = (struct sg_approval){0};
    return true;
}

bool sg_store_find_approval(struct sg_store *store, int64_t id, int64_t now, bool *found,
                            struct sg_approval *approval, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    *found = false;
    if (store->version < SG_SCHEMA_EVIDENCE)
        return true;
    return sg_query_start(store, SELECT_APPROVAL " WHERE id = ?", SG_VALUES(sg_int(id)), &query,
                          error) &&
           sg_query_next(&query, found, error) &&
           (!*found || read_approval(&query, now, approval, error));
}

static bool visit_rows(struct sg_query *query, int64_t now, sg_approval_visitor *visit,
                       void *context, struct sg_error *error)
{
    for (bool row = false;;) {
        sg_auto(sg_approval) struct sg_approval approval = {0};
        if (!sg_query_next(query, &row, error))
            return false;
        if (!row)
            return true;
        if (!read_approval(query, now, &approval, error) || !visit(&approval, context, error))
            return false;
    }
}

bool sg_store_each_approval(struct sg_store *store, bool only_waiting, int64_t now,
                            sg_approval_visitor *visit, void *context, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    if (store->version < SG_SCHEMA_EVIDENCE)
        return true;
    if (!sg_query_start_many(store,
                             SELECT_APPROVAL " WHERE ?1 = 0 OR (state = 0 AND not_after >= ?2)"
                                             " ORDER BY id",
                             SG_VALUES(sg_int(only_waiting), sg_int(now)), &query, error))
        return false;
    return visit_rows(&query, now, visit, context, error);
}

/* As state_of has it. */
#define PAGE_OF(condition) SELECT_APPROVAL " WHERE id > ? AND " condition " ORDER BY id LIMIT ?"

static const char *page_of(const struct sg_approval_filter *filter)
{
    static const char *const PAGES[] = {
        [SG_APPROVAL_WAITING] = PAGE_OF("claim IS NULL AND state = 0 AND not_after >= ?"),
        [SG_APPROVAL_APPROVED] = PAGE_OF("claim IS NULL AND state = 1 AND not_after >= ?"),
        [SG_APPROVAL_REFUSED] = PAGE_OF("claim IS NULL AND state = 2"),
        [SG_APPROVAL_LAPSED] = PAGE_OF("claim IS NULL AND state <> 2 AND not_after < ?"),
        [SG_APPROVAL_USED] = PAGE_OF("claim IS NOT NULL"),
    };
    return filter->only_state ? PAGES[filter->state] : PAGE_OF("1 = 1");
}

bool sg_store_list_approvals(struct sg_store *store, const struct sg_approval_filter *filter,
                             sg_approval_visitor *visit, void *context, struct sg_error *error)
{
    const bool is_timed = filter->only_state && filter->state != SG_APPROVAL_REFUSED &&
                          filter->state != SG_APPROVAL_USED;
    const struct sg_value after = sg_int(filter->after), num = sg_int((int64_t)filter->num);
    sg_auto(sg_query) struct sg_query query = {0};
    if (store->version < SG_SCHEMA_EVIDENCE)
        return true;
    return sg_query_start(store, page_of(filter),
                          is_timed ? SG_VALUES(after, sg_int(filter->now), num)
                                   : SG_VALUES(after, num),
                          &query, error) &&
           visit_rows(&query, filter->now, visit, context, error);
}

/* ---- deciding ---- */

static bool check_waits(const struct sg_approval *approval, struct sg_error *error)
{
    if (approval->state == SG_APPROVAL_WAITING)
        return true;
    if (approval->state == SG_APPROVAL_LAPSED)
        return sg_fail(error, SG_REFUSED, RULE, "request %lld has lapsed: it has to be made again",
                       (long long)approval->id);
    return sg_fail(
        error, SG_REFUSED, RULE, "request %lld was %s by %s already", (long long)approval->id,
        approval->state == SG_APPROVAL_REFUSED ? "refused" : "approved", approval->decided_by);
}

/* Nobody decides alone, neither who asked nor who will have the certificate. */
static bool check_decider(const struct sg_approval *approval,
                          const struct sg_approval_decision *decision, struct sg_error *error)
{
    if (decision->role != NULL && strcmp(decision->role, approval->role) != 0)
        return sg_fail(error, SG_REFUSED, RULE, "request %lld is for the role %s, and %s is %s",
                       (long long)approval->id, approval->role, decision->by, decision->role);
    if (strcmp(decision->by, approval->asked_by) == 0)
        return sg_fail(error, SG_REFUSED, RULE,
                       "request %lld was asked for by %s: somebody else has to decide",
                       (long long)approval->id, decision->by);
    if (approval->user != NULL && strcmp(decision->by, approval->user) == 0)
        return sg_fail(error, SG_REFUSED, RULE,
                       "request %lld is for %s: somebody else has to decide",
                       (long long)approval->id, decision->by);
    return true;
}

static bool decide(struct sg_store *store, int64_t id, enum sg_approval_state state,
                   const struct sg_approval_decision *decision, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    sg_auto(sg_approval) struct sg_approval approval = {0};
    bool found = false;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_store_find_approval(store, id, decision->now, &found, &approval, error))
        return false;
    if (!found)
        return sg_fail(error, SG_REFUSED, RULE, "there is no request %lld", (long long)id);
    return check_waits(&approval, error) && check_decider(&approval, decision, error) &&
           sg_sql_run(store,
                      "UPDATE approval SET state = ?, decided = ?, decided_by = ?, reason = ?,"
                      " not_after = ? WHERE id = ?",
                      SG_VALUES(sg_int(state), sg_int(decision->now), sg_text(decision->by),
                                sg_text(decision->reason),
                                sg_int(decision->now + SG_APPROVAL_LIFETIME_S), sg_int(id)),
                      error) &&
           sg_transaction_commit(&write, error);
}

bool sg_store_approve(struct sg_store *store, int64_t id,
                      const struct sg_approval_decision *decision, struct sg_error *error)
{
    return decide(store, id, SG_APPROVAL_APPROVED, decision, error);
}

bool sg_store_refuse(struct sg_store *store, int64_t id,
                     const struct sg_approval_decision *decision, struct sg_error *error)
{
    if (decision->reason == NULL || decision->reason[0] == '\0')
        return sg_fail(error, SG_USAGE, RULE, "say why: who asked will read it");
    return decide(store, id, SG_APPROVAL_REFUSED, decision, error);
}

/* ---- in the claim ---- */

struct filed {
    int64_t id, claim;
    enum sg_approval_state state;
    char *decided_by, *reason;
};

static void filed_done(struct filed *filed)
{
    free(filed->decided_by);
    free(filed->reason);
}
SG_DEFINE_CLEANUP_IN_PLACE(filed, filed_done)

/* The latest that was filed for this very certificate; id 0 when there is none. */
static bool find_filed(struct sg_store *store, const struct sg_claim *claim, struct filed *filed,
                       struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(
            store,
            SELECT_APPROVAL
            " WHERE spki_sha256 = ? AND policy = ? AND content_sha256 = ?"
            " AND device IS NOT DISTINCT FROM ?"
            " AND \"user\" IS NOT DISTINCT FROM ? AND role = ? ORDER BY id DESC LIMIT 1",
            SG_VALUES(sg_digest(claim->spki_sha256), sg_text(claim->plan->policy),
                      sg_digest(claim->content_sha256), sg_text(sg_claim_device(claim)),
                      sg_text(sg_claim_user(claim)), sg_text(claim->plan->approver)),
            &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    if (!row)
        return true;
    filed->id = sg_column_int(&query, ID);
    filed->claim = sg_column_int(&query, CLAIM);
    filed->state = state_of(&query, claim->now);
    return sg_column_copy_text(&query, DECIDED_BY, &filed->decided_by, error) &&
           sg_column_copy_text(&query, REASON, &filed->reason, error);
}

/* What was approved holds until it came to a certificate: an orphan is none. */
static bool is_orphaned(struct sg_store *store, int64_t claim, int64_t now, bool *orphaned,
                        struct sg_error *error)
{
    struct sg_standing standing = {0};
    struct sg_serial serial = {0};
    if (!sg_standing_find(store, claim, now, &standing, &serial, error))
        return false;
    *orphaned = standing.status == SG_STATUS_ORPHANED;
    return true;
}

/* Requests that nobody decides must not fill the store. */
static bool check_room(struct sg_store *store, const struct sg_claim *claim, struct sg_error *why,
                       struct sg_error *error)
{
    bool found = false;
    int64_t num = 0;
    if (!sg_sql_number(store,
                       "SELECT count(*) FROM approval WHERE state = 0 AND not_after >= ?"
                       " AND policy = ? AND device IS NOT DISTINCT FROM ?"
                       " AND \"user\" IS NOT DISTINCT FROM ?",
                       SG_VALUES(sg_int(claim->now), sg_text(claim->plan->policy),
                                 sg_text(sg_claim_device(claim)), sg_text(sg_claim_user(claim))),
                       &found, &num, error))
        return false;
    if (num >= SG_LIMIT_WAITING)
        (void)sg_fail(why, SG_REFUSED, RULE,
                      "%d requests for the same device or user wait already, and no more can",
                      SG_LIMIT_WAITING);
    return true;
}

static bool file(struct sg_store *store, const struct sg_claim *claim, int64_t *id,
                 struct sg_error *error)
{
    if (!sg_sql_insert(store,
                       "INSERT INTO approval (policy, role, device, \"user\", token, subject,"
                       " spki_sha256, content_sha256, request, asked, asked_by, not_after)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                       SG_VALUES(sg_text(claim->plan->policy), sg_text(claim->plan->approver),
                                 sg_text(sg_claim_device(claim)), sg_text(sg_claim_user(claim)),
                                 sg_text(claim->requester->token), sg_text(claim->subject),
                                 sg_digest(claim->spki_sha256), sg_digest(claim->content_sha256),
                                 sg_bytes(claim->request), sg_int(claim->now),
                                 sg_text(claim->asked_by != NULL ? claim->asked_by : ""),
                                 sg_int(claim->now + SG_APPROVAL_LIFETIME_S)),
                       id, error))
        return false;
    return claim->ticket == 0 || sg_sql_run(store, "UPDATE ticket SET approval = ? WHERE id = ?",
                                            SG_VALUES(sg_int(*id), sg_int(claim->ticket)), error);
}

static bool file_anew(struct sg_store *store, const struct sg_claim *claim, int64_t *id,
                      struct sg_error *why, struct sg_error *error)
{
    return check_room(store, claim, why, error) &&
           (why->code != SG_OK || file(store, claim, id, error));
}

bool sg_approval_judge(struct sg_store *store, const struct sg_claim *claim, bool *is_given,
                       int64_t *id, struct sg_error *why, struct sg_error *error)
{
    sg_auto(filed) struct filed filed = {0};
    *is_given = false;
    if (!find_filed(store, claim, &filed, error))
        return false;
    *id = filed.id;
    if (filed.id == 0 || filed.state == SG_APPROVAL_LAPSED)
        return file_anew(store, claim, id, why, error);
    if (filed.state == SG_APPROVAL_USED)
        return is_orphaned(store, filed.claim, claim->now, is_given, error) &&
               (*is_given || file_anew(store, claim, id, why, error));
    if (filed.state == SG_APPROVAL_REFUSED)
        (void)sg_fail(why, SG_REFUSED, RULE, "request %lld was refused by %s: %s",
                      (long long)filed.id, filed.decided_by, filed.reason);
    *is_given = filed.state == SG_APPROVAL_APPROVED;
    return true;
}

bool sg_approval_use(struct sg_store *store, int64_t approval, int64_t claim,
                     struct sg_error *error)
{
    return sg_sql_run(store, "UPDATE approval SET claim = ? WHERE id = ?",
                      SG_VALUES(sg_int(claim), sg_int(approval)), error);
}
