/* extended_key_usage: what the key is for. Critical only where a policy says so: some verifiers
 * stumble over it, and some standards (PIV's card authentication) want it. */
#include <string.h>

#include "decision.h"
#include "reading.h"

#define ANY_PURPOSE_OID "2.5.29.37.0"

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

static bool read_list(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    if (node->kind != SG_YAML_SEQUENCE || node->num_children == 0)
        return sg_yaml_fail(document, node, error,
                            "extended_key_usage is a list of purposes, such as [clientAuth], "
                            "{critical: [pivCardAuth]}, or none");
    return sg_yaml_each(document, node, read_purpose, into, error);
}

/* RFC 5280 4.2.1.12 */
static bool read_critical(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    struct sg_oids *purposes = into;

    return read_list(document, node, purposes, error) &&
           (!sg_oids_contain(purposes, ANY_PURPOSE_OID) ||
            sg_yaml_fail(document, node, error,
                         "anyExtendedKeyUsage limits nothing and can't be critical (RFC 5280 "
                         "4.2.1.12)"));
}

static const struct sg_yaml_field FIELDS[] = {
    {"critical", SG_YAML_REQUIRED, read_critical},
    {0},
};

bool sg_policy_read_extended_key_usage(const struct sg_yaml *document,
                                       const struct sg_yaml_node *node, void *into,
                                       struct sg_error *error)
{
    struct sg_policy *policy = into;

    if (node->kind == SG_YAML_SCALAR && strcmp(node->text, "none") == 0)
        return true;
    policy->critical_purposes = node->kind == SG_YAML_MAPPING;
    policy->purposes_node = policy->critical_purposes ? sg_yaml_get(node, "critical") : node;
    if (policy->critical_purposes)
        return sg_yaml_mapping(document, node, FIELDS, &policy->purposes, error);
    return read_list(document, node, &policy->purposes, error);
}

bool sg_policy_rule_extended_key_usage(struct sg_decision *decision)
{
    const struct sg_oids *purposes = &decision->policy->purposes;
    struct sg_error cause = {0};
    char text[SG_ERROR_TEXT_SIZE];

    for (size_t i = 0; i < purposes->num; i++) {
        if (!sg_oids_add(&decision->plan.purposes, purposes->items[i], &cause))
            return sg_decision_refuse_for(decision, "extended_key_usage", &cause);
        if (!sg_decision_note(decision, SG_PART_PURPOSE, i, "extended_key_usage",
                              &decision->policy->purposes_node->children[i], SG_FROM_POLICY))
            return false;
    }
    decision->plan.critical_purposes = decision->policy->critical_purposes;
    if (purposes->num == 0)
        return sg_decision_pass(decision, "extended_key_usage", "none");
    return sg_decision_pass(decision, "extended_key_usage", "%s%s",
                            decision->plan.critical_purposes ? "critical, " : "",
                            sg_oids_purposes_text(purposes, text, sizeof text));
}
