/* trial: an issuer and a requester for decisions that no certificate comes of: the examples of a
 * policy, and requests that are made for one.
 *
 * Who vouches is the CA's to find out; in a trial everybody does, as it is about what is asked for.
 * Thread rule: none.
 */
#ifndef SG_POLICY_TRIAL_H
#define SG_POLICY_TRIAL_H

#include "model/issuer.h"
#include "model/requester.h"

/* sg_trial_issuer: a CA that limits nothing, for ever.
 * name     what ${issuer.name} says.
 * subject  what its certificate calls it; borrowed. */
struct sg_issuer_facts sg_trial_issuer(const char *name, const struct sg_name *subject);

/* sg_trial_requester: device and user, or NULL for none, with every evidence that there is. The
 * records stay the caller's, so the requester is not to be released. */
struct sg_requester sg_trial_requester(const struct sg_record *device,
                                       const struct sg_record *user);

#endif
