/* explain: why a certificate says what it says, and what it would say under another policy.
 *
 * A request is decided as sg_issue would; a certificate of the store is decided again, from what
 * the store keeps of it. Nothing is signed or written. Thread rule: that of the home.
 */
#ifndef SG_ISSUE_EXPLAIN_H
#define SG_ISSUE_EXPLAIN_H

#include "cert/fields.h"
#include "issue.h"

/* sg_explain_request takes a request down the path up to the certificate, and makes the fields of
 * what would be issued; its serial is yet to be drawn. Fails: as sg_issue refuses. */
SG_MUST_USE bool sg_explain_request(const struct sg_issuing *issuing, struct sg_job *job,
                                    json_t **fields, struct sg_error *error);

/* What becomes of a certificate that is decided again. Release with sg_again_done. */
struct sg_again {
    enum {
        SG_AGAIN_UNKNOWN, /* it can't be decided again: why */
        SG_AGAIN_REFUSED, /* the policy would refuse it: why */
        SG_AGAIN_DECIDED, /* fields */
    } outcome;
    json_t *fields; /* with origins */
    struct sg_error why;
};
void sg_again_done(struct sg_again *again);
SG_DEFINE_CLEANUP_IN_PLACE(sg_again, sg_again_done)

/* sg_explain_again decides a recorded certificate of the home's store under a policy, for the
 * moment at which it was issued. What the store does not keep stands as follows: who vouched is not
 * asked again; the request's names are taken to have been the certificate's, and nothing is held
 * against them; the registry's record and the issuer are those of today.
 * Fails for what is neither the policy's nor the certificate's fault (SG_STORE, SG_INTERNAL). */
SG_MUST_USE bool sg_explain_again(struct sg_home *home, const struct sg_policy *policy,
                                  const struct sg_certificate *certificate, struct sg_again *again,
                                  struct sg_error *error);

/* sg_explain_issued makes the fields of a certificate as it was issued, with the origins that the
 * policy tells today, where it gives the same; again says what came of deciding anew. */
SG_MUST_USE bool sg_explain_issued(struct sg_home *home, const struct sg_policy *policy,
                                   const struct sg_certificate *certificate, json_t **fields,
                                   struct sg_again *again, struct sg_error *error);

#endif
