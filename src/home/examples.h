/* examples: a policy proves itself on the requests that it ships with. */
#ifndef SG_HOME_EXAMPLES_H
#define SG_HOME_EXAMPLES_H

#include "policy/policy.h"

/* What came of one example. */
struct sg_example_result {
    const struct sg_policy_example *example;
    bool as_expected;
    char text[SG_ERROR_TEXT_SIZE]; /* "accepted", "refused by subject.CN: …" */
};

/* sg_examples_run runs every example of a policy: parse, possession, quality, decide, against an
 * issuer without limits of its own. folder: where the policy file is.
 * results  malloc'd array of sg_policy_num_examples items.
 * Fails: SG_INVALID when a request file can't be read. */
SG_MUST_USE bool sg_examples_run(const struct sg_policy *policy, const char *folder,
                                 struct sg_example_result **results, struct sg_error *error);

#endif
