/* extended_key_usage: what the key is for. Never critical: some verifiers stumble over it. */
#include <string.h>

#include "decision.h"
#include "reading.h"

static bool read_purpose(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_oids *purposes = into;
    struct sg_error cause = {0};
    const char *word = NULL, *oid = NULL;

    if (!sg_yaml_text(document, node, &word, error))
        return false;
    if (!sg_oid_of_purpose(word, &oid, &cause) || !sg_oids_add(purposes, oid, &cause))
        return sg_policy_fail_at(document, node, &cause, error);
    return true;
}

bool sg_policy_read_extended_key_usage(const struct sg_yaml *document,
                                       const struct sg_yaml_node *node, void *into,
                                       struct sg_error *error)
{
    struct sg_policy *policy = into;

    if (node->kind == SG_YAML_SCALAR && strcmp(node->text, "none") == 0)
        return true;
    if (node->kind != SG_YAML_SEQUENCE || node->num_children == 0)
        return sg_yaml_fail(document, node, error,
                            "extended_key_usage is a list of purposes, such as [clientAuth], or "
                            "none");
    return sg_yaml_each(document, node, read_purpose, &policy->purposes, error);
}

bool sg_policy_rule_extended_key_usage(struct sg_decision *decision)
{
    const struct sg_oids *purposes = &decision->policy->purposes;
    struct sg_error cause = {0};
    char text[SG_ERROR_TEXT_SIZE];

    for (size_t i = 0; i < purposes->num; i++) {
        if (!sg_oids_add(&decision->plan.purposes, purposes->items[i], &cause))
            return sg_decision_refuse_for(decision, "extended_key_usage", &cause);
    }
    if (purposes->num == 0)
        return sg_decision_pass(decision, "extended_key_usage", "none");
    return sg_decision_pass(decision, "extended_key_usage", "%s",
                            sg_oids_purposes_text(purposes, text, sizeof text));
}
