/* fixed: extensions that are the same in every certificate of a policy, so that their DER is made
 * when it is read.
 */
#ifndef SG_POLICY_FIXED_H
#define SG_POLICY_FIXED_H

#include "base/yaml.h"

/* In the order of the certificate. */
enum sg_policy_fixed_kind {
    SG_FIXED_CERTIFICATE_POLICIES,
    SG_FIXED_NAME_CONSTRAINTS,
    SG_FIXED_POLICY_CONSTRAINTS,
    SG_FIXED_INHIBIT_ANY_POLICY,
    SG_NUM_FIXED,
};

struct sg_policy_fixed {
    const struct sg_yaml_node *node; /* NULL: not there */
    struct sg_buf der;
    struct sg_buf text; /* what a verdict says of it */
};

/* sg_policy_fix encodes value, the structure that OpenSSL has for the extension kind. */
SG_MUST_USE bool sg_policy_fix(struct sg_policy_fixed *fixed, enum sg_policy_fixed_kind kind,
                               void *value, struct sg_error *error);
/* sg_policy_fixed_say appends one thing to the text, after ", " when it is not the first. */
SG_MUST_USE bool sg_policy_fixed_say(struct sg_policy_fixed *fixed, struct sg_error *error,
                                     const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
