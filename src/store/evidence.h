/* evidence: what a claim asks of tickets and approvals, inside its transaction. Private to the
 * room. A verdict against the claim is no failure: it is told in why.
 */
#ifndef SG_STORE_EVIDENCE_H
#define SG_STORE_EVIDENCE_H

#include "sql.h"

/* sg_ticket_judge: may the claim's ticket be spent on a new certificate (prior 0), or is it good
 * for the claim prior, which answers as a retry? */
SG_MUST_USE bool sg_ticket_judge(struct sg_store *store, const struct sg_claim *claim,
                                 int64_t prior, struct sg_error *why, struct sg_error *error);
/* sg_ticket_was_spent_on: is claim the one that the ticket, 0 for none, was spent on? */
SG_MUST_USE bool sg_ticket_was_spent_on(struct sg_store *store, int64_t ticket, int64_t claim,
                                        bool *was, struct sg_error *error);
/* sg_ticket_spend notes the claim that the ticket was spent on. */
SG_MUST_USE bool sg_ticket_spend(struct sg_store *store, int64_t ticket, int64_t claim,
                                 struct sg_error *error);

/* sg_approval_judge looks for the approval that the claim's plan wants. Where there is none yet, it
 * files the request. id is the approval, is_given tells whether it was given. */
SG_MUST_USE bool sg_approval_judge(struct sg_store *store, const struct sg_claim *claim,
                                   bool *is_given, int64_t *id, struct sg_error *why,
                                   struct sg_error *error);
/* sg_approval_use notes the claim that was made with it. */
SG_MUST_USE bool sg_approval_use(struct sg_store *store, int64_t approval, int64_t claim,
                                 struct sg_error *error);

/* sg_store_check_enabled: is a device or user, of whom id may be NULL, registered and not disabled?
 * Fails: SG_UNAUTHENTICATED. */
SG_MUST_USE bool sg_store_check_enabled(struct sg_store *store, enum sg_registry_kind kind,
                                        const char *id, struct sg_error *error);

/* sg_claim_device, sg_claim_user: the ids of who asks, or NULL. */
const char *sg_claim_device(const struct sg_claim *claim);
const char *sg_claim_user(const struct sg_claim *claim);

#endif
