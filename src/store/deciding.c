#include "deciding.h"

#include <stdio.h>

#include "base/clock.h"
#include "evidence.h"
#include "standing.h"

void sg_deciding_done(struct sg_deciding *decision)
{
    free(decision->previous);
}

bool sg_deciding_refuse(struct sg_deciding *decision, enum sg_code code, const char *word,
                        const char *format, ...)
{
    char rule[SG_ERROR_RULE_SIZE] = "";
    va_list arguments;
    if (word != NULL)
        (void)snprintf(rule, sizeof rule, "policy %s: %s", decision->claim->plan->policy, word);
    va_start(arguments, format);
    (void)sg_failv(&decision->claim->error, code, rule, format, arguments);
    va_end(arguments);
    decision->decided = true;
    return true;
}

bool sg_deciding_adopt(struct sg_deciding *decision)
{
    decision->decided = decision->claim->error.code != SG_OK;
    return true;
}

const char *sg_claim_device(const struct sg_claim *claim)
{
    return claim->requester->has_device ? claim->requester->device.id : NULL;
}

const char *sg_claim_user(const struct sg_claim *claim)
{
    return claim->requester->has_user ? claim->requester->user.id : NULL;
}

bool sg_deciding_add_previous(struct sg_deciding *decision, int64_t id, struct sg_error *error)
{
    for (size_t i = 0; i < decision->num_previous; i++)
        if (decision->previous[i] == id)
            return true;
    int64_t *grown = reallocarray(decision->previous, decision->num_previous + 1, sizeof *grown);
    if (grown == NULL)
        return sg_fail_memory(error);
    decision->previous = grown;
    grown[decision->num_previous++] = id;
    return true;
}

/* ---- what vouches ---- */

bool sg_deciding_check_ticket(struct sg_deciding *decision, struct sg_error *error)
{
    struct sg_claim *claim = decision->claim;
    return claim->ticket == 0 ||
           (sg_ticket_judge(decision->store, claim, decision->repeated, &claim->error, error) &&
            sg_deciding_adopt(decision));
}

static bool has_policy(struct sg_deciding *decision, int64_t id, bool *same, struct sg_error *error)
{
    int64_t ignored = 0;
    return sg_sql_number(decision->store, "SELECT 1 FROM claim WHERE id = ? AND policy = ?",
                         SG_VALUES(sg_int(id), sg_text(decision->claim->plan->policy)), same,
                         &ignored, error);
}

/* A certificate that is nothing but itself vouches for its successor when the time has come. */
static bool check_window(struct sg_deciding *decision, const struct sg_standing *standing,
                         const char *serial)
{
    const struct sg_claim *claim = decision->claim;
    const int64_t from = standing->not_after - claim->plan->renewal_window_s;
    char text[SG_TIME_TEXT_SIZE];
    return claim->requester->evidence != SG_BY_RENEWAL || claim->now >= from ||
           sg_deciding_refuse(decision, SG_REFUSED, "renewal.window",
                              "certificate %s can be renewed from %s on", serial,
                              sg_time_text(from, text));
}

/* The certificate that vouches was revoked for its successor, whose key was lost on its way. */
static bool was_superseded_by_repeated(struct sg_deciding *decision, bool *was,
                                       struct sg_error *error)
{
    int64_t ignored = 0;
    return decision->repeated == 0 ||
           sg_sql_number(decision->store,
                         "SELECT 1 FROM supersedes s JOIN revocation r ON r.claim = s.previous"
                         " WHERE s.claim = ? AND s.previous = ? AND r.reason = ?",
                         SG_VALUES(sg_int(decision->repeated), sg_int(decision->claim->renews),
                                   sg_int(SG_REASON_SUPERSEDED)),
                         was, &ignored, error);
}

/* It was valid when the path began; what counts is that it is now. */
bool sg_deciding_check_renewed(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    char serial[SG_SERIAL_TEXT_SIZE];
    struct sg_standing standing = {0};
    struct sg_serial number = {0};
    bool same_policy = false, is_revoked_for_it = false;
    if (claim->renews == 0)
        return true;
    if (!sg_standing_find(decision->store, claim->renews, claim->now, &standing, &number, error) ||
        !has_policy(decision, claim->renews, &same_policy, error) ||
        !was_superseded_by_repeated(decision, &is_revoked_for_it, error))
        return false;
    sg_serial_text(&number, serial);
    if (standing.status != SG_STATUS_VALID && !is_revoked_for_it)
        return sg_deciding_refuse(decision, SG_UNAUTHENTICATED, NULL,
                                  "certificate %s, by which the request was made, is %s", serial,
                                  sg_status_word(standing.status));
    if (!same_policy)
        return true;
    return check_window(decision, &standing, serial) &&
           (decision->decided || is_revoked_for_it ||
            sg_deciding_add_previous(decision, claim->renews, error));
}

bool sg_deciding_check_approval(struct sg_deciding *decision, struct sg_error *error)
{
    struct sg_claim *claim = decision->claim;
    bool is_given = false;
    if (claim->plan->approver == NULL)
        return true;
    if (!sg_approval_judge(decision->store, claim, &is_given, &decision->approval, &claim->error,
                           error) ||
        !sg_deciding_adopt(decision))
        return false;
    if (decision->decided || is_given)
        return true;
    claim->outcome = SG_CLAIM_WAITS;
    claim->id = decision->approval;
    decision->decided = true;
    return true;
}

bool sg_deciding_use_evidence(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    return (claim->ticket == 0 ||
            sg_ticket_spend(decision->store, claim->ticket, claim->id, error)) &&
           (decision->approval == 0 ||
            sg_approval_use(decision->store, decision->approval, claim->id, error));
}
