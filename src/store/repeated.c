/* repeated: requests for a key that the service makes, whose answer was lost.
 *
 * Nobody has the key of then, and nobody can send it again: the same request gets another key, and
 * the certificate of then is revoked for it. */
#include "deciding.h"
#include "evidence.h"
#include "standing.h"

#define OF_HOLDER                                                                                  \
    "c.content_sha256 = ?1 AND c.policy = ?2 AND c.device IS NOT DISTINCT FROM ?3"                 \
    " AND c.user IS NOT DISTINCT FROM ?4"

/* What the ticket was spent on, if it was on this request. */
static const char BY_TICKET[] =
    "SELECT t.claim, t.not_after, t.tries, " SG_STANDING_COLUMNS " FROM " SG_STANDING_TABLES
    " JOIN ticket t ON t.claim = c.id WHERE " OF_HOLDER " AND t.id = ?5";

/* Under the policy, of the holder, for whom there is an index. */
static const char BY_DEVICE[] =
    "SELECT c.id, 0, 0, " SG_STANDING_COLUMNS " FROM " SG_STANDING_TABLES " WHERE " OF_HOLDER
    " AND c.device = ?3";
static const char BY_USER[] = "SELECT c.id, 0, 0, " SG_STANDING_COLUMNS " FROM " SG_STANDING_TABLES
                              " WHERE " OF_HOLDER " AND c.user = ?4";

enum { ID, NOT_AFTER, TRIES, STANDING };

static bool start(struct sg_deciding *decision, struct sg_query *query, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    const struct sg_value content = sg_digest(claim->content_sha256),
                          policy = sg_text(claim->plan->policy),
                          device = sg_text(sg_claim_device(claim)),
                          user = sg_text(sg_claim_user(claim));
    if (claim->ticket != 0)
        return sg_query_start(decision->store, BY_TICKET,
                              SG_VALUES(content, policy, device, user, sg_int(claim->ticket)),
                              query, error);
    return sg_query_start(decision->store, device.is_null ? BY_USER : BY_DEVICE,
                          SG_VALUES(content, policy, device, user), query, error);
}

static bool refuse(struct sg_deciding *decision, const char *text)
{
    (void)sg_fail(&decision->claim->error, SG_UNAUTHENTICATED, "ticket", "%s", text);
    decision->decided = true;
    return true;
}

/* Each repetition costs a try, so that a ticket is good for a few keys and not for many. */
static bool weigh(struct sg_deciding *decision, const struct sg_query *query)
{
    const struct sg_claim *claim = decision->claim;
    if (claim->ticket != 0 && sg_column_int(query, NOT_AFTER) < claim->now)
        return refuse(decision, "this ticket has expired, and was used");
    if (claim->ticket != 0 && !sg_column_is_null(query, TRIES) && sg_column_int(query, TRIES) < 1)
        return refuse(decision, "no try is left for this ticket, and another key costs one: a new "
                                "ticket is needed");
    decision->repeated = sg_column_int(query, ID);
    return true;
}

bool sg_deciding_find_repeated(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    sg_auto(sg_query) struct sg_query query = {0};
    struct sg_standing standing = {0};
    if (!claim->made_key || (claim->ticket == 0 && claim->renews == 0))
        return true;
    if (!start(decision, &query, error))
        return false;
    for (bool row = false; !decision->decided && decision->repeated == 0;) {
        if (!sg_query_next(&query, &row, error))
            return false;
        if (!row)
            return true;
        if (!sg_standing_read(&query, STANDING, claim->now, &standing, error))
            return false;
        if (standing.status == SG_STATUS_VALID && !weigh(decision, &query))
            return false;
    }
    return true;
}

/* What the one of then was issued in place of, this one is: so the certificate that vouched for
 * both vouches for the next repetition too. */
bool sg_deciding_use_repeated(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    return decision->repeated == 0 ||
           (sg_sql_run(decision->store,
                       "INSERT INTO supersedes (claim, previous, reason)"
                       " SELECT ?, previous, reason FROM supersedes WHERE claim = ?"
                       " ON CONFLICT DO NOTHING",
                       SG_VALUES(sg_int(claim->id), sg_int(decision->repeated)), error) &&
            sg_sql_run(decision->store,
                       "INSERT INTO supersedes (claim, previous, reason)"
                       " VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                       SG_VALUES(sg_int(claim->id), sg_int(decision->repeated),
                                 sg_int(SG_REASON_SUPERSEDED)),
                       error) &&
            sg_sql_run(decision->store,
                       "UPDATE ticket SET tries = tries - 1 WHERE id = ? AND tries > 0",
                       SG_VALUES(sg_int(claim->ticket)), error));
}
