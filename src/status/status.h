/* status: what becomes of certificates after they were issued: revocation, hold, CRLs. OCSP is in
 * ocsp.h. */
#ifndef SG_STATUS_STATUS_H
#define SG_STATUS_STATUS_H

#include "base/clock.h"
#include "home/home.h"

/* sg_status_revoke revokes every certificate that filter finds and that can still be revoked.
 * num      how many were; untouched on failure.
 * Fails: SG_USAGE when filter finds nothing, SG_REFUSED when all of them are revoked already. */
SG_MUST_USE bool sg_status_revoke(struct sg_store *store,
                                  const struct sg_certificate_filter *filter, enum sg_reason reason,
                                  int64_t now, size_t *num, struct sg_error *error);

/* sg_status_release takes every certificate that filter finds on hold off it. Fails as revoke. */
SG_MUST_USE bool sg_status_release(struct sg_store *store,
                                   const struct sg_certificate_filter *filter, size_t *num,
                                   struct sg_error *error);

struct sg_crl_summary {
    uint64_t number;
    size_t num_entries;
    int64_t this_update, next_update;
};

/* sg_status_crl makes the issuer's next CRL: linted, number reserved and bytes noted durably,
 * signed, verified with an in-memory key, recorded.
 * lifetime_s   from thisUpdate to nextUpdate, not past the issuer's end; 0: the issuer's
 *              `crl: next_update`, cut there.
 * der          replaced by the CRL.
 * Fails: SG_TOKEN, SG_STORE; the number stays used then. Before that SG_USAGE on a lifetime_s past
 * the issuer's end, SG_INTERNAL on an issuer without a certificate, a CRL that lint refuses. der
 * and summary are untouched. */
SG_MUST_USE bool sg_status_crl(struct sg_home *home, struct sg_issuer *issuer, int64_t lifetime_s,
                               int64_t now, struct sg_buf *der, struct sg_crl_summary *summary,
                               struct sg_error *error);

/* Puts a CRL (DER) in place for others to find. */
typedef bool sg_crl_writer(struct sg_slice der, void *context, struct sg_error *error);

/* sg_status_publish_crl has write put the issuer's latest CRL in place, while nobody else can: a
 * process that made one at the same time and has been faster is not overtaken by an older CRL.
 * summary  becomes that of the CRL that was written, which may be later than what it told;
 * untouched on failure. Fails: as write does, and SG_STORE; SG_INTERNAL when there is no CRL. */
SG_MUST_USE bool sg_status_publish_crl(struct sg_home *home, const struct sg_issuer *issuer,
                                       sg_crl_writer *write, void *context,
                                       struct sg_crl_summary *summary, struct sg_error *error);

#endif
