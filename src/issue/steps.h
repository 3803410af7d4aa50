/* steps: the parts of the path that are this room's own; issue.c strings all of them together. */
#ifndef SG_ISSUE_STEPS_H
#define SG_ISSUE_STEPS_H

#include "issue.h"

/* sg_issue_authenticate finds out who is asking: the registry's record of the device and the user,
 * and what vouches for them. Sets job->requester and job->register_device.
 * Fails: SG_UNAUTHENTICATED (the policy needs a device or user and none is named; unknown;
 * disabled), SG_REFUSED (a device that would be registered does not fit the registry), SG_STORE. */
SG_MUST_USE bool sg_issue_authenticate(const struct sg_issuing *issuing, struct sg_job *job,
                                       struct sg_error *error);

/* sg_issue_draw_serial: 20 octets, positive: minutes since 1970 in four, so that an index over
 * serials grows at its end, then 128 random bits (RFC 5280 4.1.2.2). */
SG_MUST_USE bool sg_issue_draw_serial(int64_t now, struct sg_serial *serial,
                                      struct sg_error *error);

/* sg_issue_parse fills job->request, from its bytes or from the issuer's own key. */
SG_MUST_USE bool sg_issue_parse(const struct sg_issuing *issuing, struct sg_job *job,
                                struct sg_error *error);

/* sg_issue_decision_input: what the policy gets to see. */
struct sg_decision_input sg_issue_decision_input(const struct sg_issuing *issuing,
                                                 const struct sg_job *job);

#endif
