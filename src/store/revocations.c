/* Revocations: for good, on hold, released. */
#include "base/clock.h"
#include "standing.h"

/* Codes 7 and above 10 do not exist; 8 is said by delta CRLs alone. */
static bool check_reason(enum sg_reason reason, struct sg_error *error)
{
    if (reason < SG_REASON_UNSPECIFIED || reason > SG_REASON_AA_COMPROMISE || reason == 7 ||
        reason == SG_REASON_REMOVE_FROM_CRL)
        return sg_fail(error, SG_REFUSED, "RFC 5280 5.3.1",
                       "a certificate can't be revoked for the reason %s (%d)",
                       sg_reason_word(reason), (int)reason);
    return true;
}

/* A revocation for another reason may turn out to be one of these: its key is then nobody's any
 * more. No other reason ever changes. */
static bool is_raised(const struct sg_standing *standing, enum sg_reason reason)
{
    return sg_reason_is_compromise(reason) && !sg_reason_is_compromise(standing->reason);
}

static bool check_revocable(const struct sg_standing *standing, const struct sg_serial *serial,
                            enum sg_reason reason, struct sg_error *error)
{
    char number[SG_SERIAL_TEXT_SIZE], when[SG_TIME_TEXT_SIZE];
    sg_serial_text(serial, number);
    switch (standing->status) {
    case SG_STATUS_VALID:
    case SG_STATUS_EXPIRED:
    case SG_STATUS_IN_FLIGHT:
        return true;
    case SG_STATUS_HELD:
        if (reason != SG_REASON_CERTIFICATE_HOLD)
            return true;
        return sg_fail(error, SG_REFUSED, "RFC 5280 5.3.1", "certificate %s is on hold already",
                       number);
    case SG_STATUS_ORPHANED:
        if (is_raised(standing, reason))
            return true;
        return sg_fail(error, SG_REFUSED, NULL,
                       "certificate %s counts as revoked already: it was claimed, and its process "
                       "ended before it was recorded",
                       number);
    case SG_STATUS_REVOKED:
        if (is_raised(standing, reason))
            return true;
        break;
    }
    return sg_fail(
        error, SG_REFUSED, "RFC 5280 5.3.1", "certificate %s was revoked already, at %s (%s)%s",
        number, sg_time_text(standing->revoked, when), sg_reason_word(standing->reason),
        reason == SG_REASON_CERTIFICATE_HOLD ? ": a hold never follows a revocation" : "");
}

/* What is revoked already keeps its date: nothing was to be trusted since then. With another reason
 * it is listed anew, even if it had left the CRLs, and a CRL that has only been reserved by now
 * does not count as having listed it. */
static bool write_revocation(struct sg_store *store, int64_t id, enum sg_reason reason, int64_t now,
                             struct sg_error *error)
{
    return sg_sql_run(store,
                      "INSERT INTO revocation (claim, issuer, reason, revoked)"
                      " SELECT id, issuer, ?2, ?3 FROM claim WHERE id = ?1"
                      " ON CONFLICT (claim) DO UPDATE SET reason = ?2, listed = NULL",
                      SG_VALUES(sg_int(id), sg_int(reason), sg_int(now)), error) &&
           sg_sql_run(store,
                      "DELETE FROM crl_expired WHERE claim = ?1"
                      " AND issuer = (SELECT issuer FROM claim WHERE id = ?1)",
                      SG_VALUES(sg_int(id)), error);
}

bool sg_store_revoke(struct sg_store *store, int64_t id, enum sg_reason reason, int64_t now,
                     struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    struct sg_standing standing;
    struct sg_serial serial;
    return check_reason(reason, error) && sg_transaction_write(store, &write, error) &&
           sg_standing_find(store, id, now, &standing, &serial, error) &&
           check_revocable(&standing, &serial, reason, error) &&
           (standing.status != SG_STATUS_ORPHANED || sg_standing_settle(store, id, error)) &&
           write_revocation(store, id, reason, now, error) && sg_transaction_commit(&write, error);
}

bool sg_store_release(struct sg_store *store, int64_t id, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    char number[SG_SERIAL_TEXT_SIZE];
    struct sg_standing standing;
    struct sg_serial serial;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_standing_find(store, id, 0, &standing, &serial, error))
        return false;
    if (standing.status != SG_STATUS_HELD)
        return sg_fail(error, SG_REFUSED, NULL, "certificate %s is not on hold%s",
                       sg_serial_text(&serial, number),
                       standing.status == SG_STATUS_REVOKED || standing.status == SG_STATUS_ORPHANED
                           ? ", but revoked for good"
                           : "");
    return sg_sql_run(store, "DELETE FROM revocation WHERE claim = ?", SG_VALUES(sg_int(id)),
                      error) &&
           sg_transaction_commit(&write, error);
}
