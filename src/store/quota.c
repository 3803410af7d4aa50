/* quota: how many certificates a policy was good for in a period, and how many are left.
 *
 * There is one row for each policy and length of period: that of the latest period in which
 * something was claimed. A clock that went back does not begin an earlier one anew. */
#include "base/clock.h"
#include "deciding.h"
#include "schema.h"

static int64_t begin_of(struct sg_quota quota, int64_t now)
{
    return quota.period_s == 0 ? 0 : now - now % quota.period_s;
}

/* began    of the period that counts now. */
static bool find_used(struct sg_store *store, const char *policy, struct sg_quota quota,
                      int64_t now, int64_t *used, int64_t *began, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;

    *used = 0;
    *began = begin_of(quota, now);
    if (store->version < SG_SCHEMA_QUOTA)
        return true;
    if (!sg_query_start(store, "SELECT began, used FROM quota WHERE policy = ? AND period = ?",
                        SG_VALUES(sg_text(policy), sg_int(quota.period_s)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    if (row && sg_column_int(&query, 0) >= *began) {
        *began = sg_column_int(&query, 0);
        *used = sg_column_int(&query, 1);
    }
    return true;
}

static void refuse(struct sg_quota quota, int64_t began, struct sg_error *why)
{
    char next[SG_TIME_TEXT_SIZE];

    if (quota.period_s == 0)
        (void)sg_fail(why, SG_REFUSED, "quota",
                      "it is good for %lld certificates, and so many have been claimed",
                      (long long)quota.certificates);
    else
        (void)sg_fail(why, SG_REFUSED, "quota",
                      "it is good for %lld certificates %s, and so many have been claimed: the "
                      "next one at %s",
                      (long long)quota.certificates, quota.period_s == 86400 ? "a day" : "an hour",
                      sg_time_text(began + quota.period_s, next));
}

bool sg_store_quota_left(struct sg_store *store, const char *policy, struct sg_quota quota,
                         int64_t now, int64_t *left, struct sg_error *why, struct sg_error *error)
{
    int64_t used = 0, began = 0;

    if (!find_used(store, policy, quota, now, &used, &began, error))
        return false;
    *left = used < quota.certificates ? quota.certificates - used : 0;
    if (*left == 0)
        refuse(quota, began, why);
    return true;
}

bool sg_deciding_check_quota(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    struct sg_error why = {0};
    int64_t left = 0;

    if (claim->plan->quota.certificates == 0)
        return true;
    if (!sg_store_quota_left(decision->store, claim->plan->policy, claim->plan->quota, claim->now,
                             &left, &why, error))
        return false;
    return left > 0 || sg_deciding_refuse(decision, SG_REFUSED, "quota", "%s", why.text);
}

bool sg_deciding_use_quota(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    const struct sg_quota quota = claim->plan->quota;

    if (quota.certificates == 0)
        return true;
    return sg_sql_run(
        decision->store,
        "INSERT INTO quota (policy, period, began, used) VALUES (?, ?, ?, 1)"
        " ON CONFLICT (policy, period) DO UPDATE SET"
        " used = CASE WHEN excluded.began > quota.began THEN 1 ELSE quota.used + 1 END,"
        " began = CASE WHEN excluded.began > quota.began THEN excluded.began ELSE quota.began END",
        SG_VALUES(sg_text(claim->plan->policy), sg_int(quota.period_s),
                  sg_int(begin_of(quota, claim->now))),
        error);
}
