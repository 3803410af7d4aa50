#include <stdio.h>
#include <string.h>

#include "decision.h"

/* The order in which a refusal is found. */
enum rule {
    RULE_WHO,
    RULE_KEYS,
    RULE_SUBJECT,
    RULE_SAN,
    RULE_NAMED,
    RULE_PERMITTED,
    RULE_EXTENDED_KEY_USAGE,
    RULE_EXTENSIONS,
    RULE_FIXED,
    RULE_CA,
    RULE_PUBLISH,
    RULE_VALIDITY,
    RULE_RENEWAL,
    RULE_UNIQUE,
    RULE_QUOTA,
    RULE_REQUEST_SUBJECT,
    RULE_REQUEST_SAN,
    RULE_REQUEST_EXTENSIONS,
    RULE_REQUEST_VERSION,
    NUM_RULES,
};

/* needs: a mask of rules without whose result this one has nothing to look at. field NULL: then it
 * says nothing. */
static const struct {
    const char *field;
    sg_policy_rule *apply;
    unsigned needs;
} RULES[NUM_RULES] = {
    [RULE_WHO] = {"who", sg_policy_rule_who, 0},
    [RULE_KEYS] = {"keys", sg_policy_rule_keys, 0},
    [RULE_SUBJECT] = {"subject", sg_policy_rule_subject, 0},
    [RULE_SAN] = {"san", sg_policy_rule_san, 0},
    [RULE_NAMED] = {NULL, sg_policy_rule_named, 1u << RULE_SUBJECT | 1u << RULE_SAN},
    [RULE_PERMITTED] = {NULL, sg_policy_rule_permitted, 1u << RULE_SUBJECT | 1u << RULE_SAN},
    [RULE_EXTENDED_KEY_USAGE] = {"extended_key_usage", sg_policy_rule_extended_key_usage, 0},
    [RULE_EXTENSIONS] = {"extensions", sg_policy_rule_extensions, 0},
    [RULE_FIXED] = {"certificate_policies", sg_policy_rule_fixed, 0},
    [RULE_CA] = {"ca", sg_policy_rule_ca, 0},
    [RULE_PUBLISH] = {"publish", sg_policy_rule_publish, 0},
    [RULE_VALIDITY] = {"validity", sg_policy_rule_validity, 0},
    [RULE_RENEWAL] = {"renewal", sg_policy_rule_renewal, 0},
    [RULE_UNIQUE] = {"unique", sg_policy_rule_unique, 0},
    [RULE_QUOTA] = {"quota", sg_policy_rule_quota, 0},
    [RULE_REQUEST_SUBJECT] = {"request.subject", sg_policy_rule_request_subject,
                              1u << RULE_SUBJECT},
    [RULE_REQUEST_SAN] = {"request.san", sg_policy_rule_request_san, 1u << RULE_SAN},
    [RULE_REQUEST_EXTENSIONS] = {"request.extensions", sg_policy_rule_request_extensions,
                                 1u << RULE_KEYS | 1u << RULE_EXTENSIONS | 1u << RULE_CA},
    [RULE_REQUEST_VERSION] = {"request.version", sg_policy_rule_request_version, 0},
};

/* Verdicts */

enum outcome { PASSED, REFUSED, SKIPPED };

static bool keep_verdict(struct sg_verdicts *verdicts, const char *field, enum outcome outcome,
                         const struct sg_error *said, struct sg_error *error)
{
    struct sg_verdict *verdict = NULL;

    if (verdicts->num == verdicts->capacity) {
        size_t capacity = verdicts->capacity == 0 ? NUM_RULES : 2 * verdicts->capacity;
        struct sg_verdict *items = reallocarray(verdicts->items, capacity, sizeof *items);

        if (items == NULL)
            return sg_fail_memory(error);
        verdicts->items = items;
        verdicts->capacity = capacity;
    }
    verdict = &verdicts->items[verdicts->num++];
    snprintf(verdict->rule, sizeof verdict->rule, "%s", field);
    snprintf(verdict->text, sizeof verdict->text, "%s", said->text);
    verdict->passed = outcome == PASSED;
    verdict->skipped = outcome == SKIPPED;
    return true;
}

bool sg_decision_pass(struct sg_decision *decision, const char *field, const char *format, ...)
{
    struct sg_error said = {0}; /* for its printable text */
    va_list arguments;

    if (decision->verdicts == NULL)
        return true;
    va_start(arguments, format);
    sg_failv(&said, SG_REFUSED, NULL, format, arguments);
    va_end(arguments);
    return keep_verdict(decision->verdicts, field, PASSED, &said, decision->error);
}

static bool refuse(struct sg_decision *decision, enum sg_code code, const char *field,
                   const char *text)
{
    char rule[SG_ERROR_RULE_SIZE];
    struct sg_error said = {0};

    decision->refused = true;
    if (decision->verdicts != NULL) {
        sg_fail(&said, code, NULL, "%s", text);
        return keep_verdict(decision->verdicts, field, REFUSED, &said, decision->error);
    }
    snprintf(rule, sizeof rule, "policy %s: %s", decision->policy->name, field);
    return sg_fail(decision->error, code, rule, "%s", text);
}

__attribute__((format(printf, 4, 0))) static bool refusev(struct sg_decision *decision,
                                                          enum sg_code code, const char *field,
                                                          const char *format, va_list arguments)
{
    struct sg_error said = {0};

    sg_failv(&said, code, NULL, format, arguments);
    return refuse(decision, code, field, said.text);
}

bool sg_decision_refuse(struct sg_decision *decision, const char *field, const char *format, ...)
{
    va_list arguments;
    bool goes_on;

    va_start(arguments, format);
    goes_on = refusev(decision, SG_REFUSED, field, format, arguments);
    va_end(arguments);
    return goes_on;
}

bool sg_decision_turn_away(struct sg_decision *decision, const char *field, const char *format, ...)
{
    va_list arguments;
    bool goes_on;

    va_start(arguments, format);
    goes_on = refusev(decision, SG_UNAUTHENTICATED, field, format, arguments);
    va_end(arguments);
    return goes_on;
}

bool sg_decision_refuse_for(struct sg_decision *decision, const char *field,
                            const struct sg_error *cause)
{
    if (cause->code == SG_FAILED || cause->code == SG_INTERNAL)
        return sg_fail(decision->error, cause->code, cause->rule, "%s", cause->text);
    return refuse(decision, SG_REFUSED, field, cause->text);
}

/* Origins */

bool sg_decision_note(struct sg_decision *decision, enum sg_part part, size_t index,
                      const char *rule, const struct sg_yaml_node *node, unsigned sources)
{
    const struct sg_origin origin = {
        .part = part,
        .index = index,
        .rule = rule,
        .line = node != NULL ? node->line : 0,
        .written = node != NULL && node->kind == SG_YAML_SCALAR ? node->text : NULL,
        .sources = sources,
    };

    return sg_plan_note(&decision->plan, &origin, decision->error);
}

bool sg_decision_note_value(struct sg_decision *decision, enum sg_part part, size_t index,
                            const char *rule, const struct sg_value *value)
{
    const struct sg_origin origin = {
        .part = part,
        .index = index,
        .rule = rule,
        .line = value->node->line,
        .written = value->source,
        .sources = sg_value_sources(value),
    };

    return sg_plan_note(&decision->plan, &origin, decision->error);
}

/* Deciding */

/* Only a check comes here: a decision ends with the first refusal. */
static bool skip(struct sg_decision *decision, const char *field)
{
    struct sg_error said = {0};

    if (field == NULL)
        return true;
    decision->refused = true;
    sg_fail(&said, SG_REFUSED, NULL, "not looked at, because of what is refused above");
    return keep_verdict(decision->verdicts, field, SKIPPED, &said, decision->error);
}

static bool apply_rule(struct sg_decision *decision, enum rule rule, unsigned refused)
{
    return (RULES[rule].needs & refused) == 0 ? RULES[rule].apply(decision)
                                              : skip(decision, RULES[rule].field);
}

/* Applies the rules from begin to before end in order, until one of them ends the decision. */
static bool apply_rules(struct sg_decision *decision, unsigned begin, unsigned end)
{
    unsigned refused = 0;

    for (unsigned i = begin; i < end; i++) {
        decision->refused = false;
        if (!apply_rule(decision, i, refused))
            return false;
        refused |= decision->refused ? 1u << i : 0;
    }
    return true;
}

static bool decide(const struct sg_policy *policy, const struct sg_decision_input *input,
                   unsigned begin, unsigned end, struct sg_plan *plan, struct sg_error *error)
{
    struct sg_error cause = {0};
    struct sg_decision decision = {
        .policy = policy, .input = input, .error = error != NULL ? error : &cause};

    decision.plan.policy = policy->name;
    memcpy(decision.plan.policy_sha256, policy->sha256, sizeof policy->sha256);
    if (!apply_rules(&decision, begin, end)) {
        sg_plan_done(&decision.plan);
        return false;
    }
    *plan = decision.plan; /* now the caller's */
    return true;
}

bool sg_policy_decide(const struct sg_policy *policy, const struct sg_decision_input *input,
                      struct sg_plan *plan, struct sg_error *error)
{
    return decide(policy, input, 0, NUM_RULES, plan, error);
}

/* The rules about the request stand last, as they look at a whole plan. */
bool sg_policy_draft(const struct sg_policy *policy, const struct sg_decision_input *input,
                     struct sg_plan *plan, struct sg_error *error)
{
    return decide(policy, input, 0, RULE_REQUEST_SUBJECT, plan, error);
}

/* Who vouched stands at the beginning, what the request said at the end: neither is known. */
bool sg_policy_decide_again(const struct sg_policy *policy, const struct sg_decision_input *input,
                            struct sg_plan *plan, struct sg_error *error)
{
    return decide(policy, input, RULE_KEYS, RULE_REQUEST_SUBJECT, plan, error);
}

bool sg_policy_check(const struct sg_policy *policy, const struct sg_decision_input *input,
                     struct sg_verdict **verdicts, size_t *num, struct sg_error *error)
{
    struct sg_verdicts kept = {0};
    struct sg_decision decision = {
        .policy = policy, .input = input, .verdicts = &kept, .error = error};
    bool checked = apply_rules(&decision, 0, NUM_RULES);

    sg_plan_done(&decision.plan);
    if (!checked) {
        free(kept.items);
        return false;
    }
    *verdicts = kept.items;
    *num = kept.num;
    return true;
}
