/* decision: one decision in the making, and how a rule says what it found.
 *
 * A rule reports each of its fields by sg_decision_pass or sg_decision_refuse and returns what that
 * returned: false ends the decision. sg_policy_decide ends at the first refusal; sg_policy_check
 * goes on and keeps every verdict.
 */
#ifndef SG_POLICY_DECISION_H
#define SG_POLICY_DECISION_H

#include "shape.h"

struct sg_verdicts {
    struct sg_verdict *items;
    size_t num, capacity;
};

struct sg_decision {
    const struct sg_policy *policy;
    const struct sg_decision_input *input;
    struct sg_plan plan;          /* filled by the rules */
    struct sg_verdicts *verdicts; /* NULL: stop at the first refusal */
    bool refused;                 /* by the rule that is running */
    struct sg_error *error;
};

enum { SG_DECISION_FIELD_SIZE = 80 };

/* field: "subject.CN". The text says what the certificate will hold. */
SG_MUST_USE bool sg_decision_pass(struct sg_decision *decision, const char *field,
                                  const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The text says what was found and what was wanted. */
SG_MUST_USE bool sg_decision_refuse(struct sg_decision *decision, const char *field,
                                    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same, when nobody who may ask is asking: SG_UNAUTHENTICATED. */
SG_MUST_USE bool sg_decision_turn_away(struct sg_decision *decision, const char *field,
                                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* sg_decision_refuse_for refuses for the cause that a lower room gave; what is the machine's fault
 * ends the decision as a failure. */
SG_MUST_USE bool sg_decision_refuse_for(struct sg_decision *decision, const char *field,
                                        const struct sg_error *cause);

/* sg_decision_note keeps in the plan which rule put something there. node: the rule's place, NULL
 * when it is not in the policy; a scalar is what is written there. Call it when the plan has it. */
SG_MUST_USE bool sg_decision_note(struct sg_decision *decision, enum sg_part part, size_t index,
                                  const char *rule, const struct sg_yaml_node *node,
                                  unsigned sources);
/* The same for what a text became. */
SG_MUST_USE bool sg_decision_note_value(struct sg_decision *decision, enum sg_part part,
                                        size_t index, const char *rule,
                                        const struct sg_value *value);

/* The rules; the table that puts them in order is in decide.c. */
typedef bool sg_policy_rule(struct sg_decision *decision);
sg_policy_rule sg_policy_rule_who, sg_policy_rule_keys, sg_policy_rule_subject, sg_policy_rule_san,
    sg_policy_rule_named, sg_policy_rule_permitted, sg_policy_rule_extended_key_usage,
    sg_policy_rule_extensions, sg_policy_rule_fixed, sg_policy_rule_ca, sg_policy_rule_publish,
    sg_policy_rule_validity, sg_policy_rule_renewal, sg_policy_rule_unique, sg_policy_rule_quota,
    sg_policy_rule_request_subject, sg_policy_rule_request_san, sg_policy_rule_request_extensions,
    sg_policy_rule_request_version;

#endif
