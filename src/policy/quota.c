/* quota: how many certificates the policy is good for, so that whoever has a line's account can't
 * make more of them than a line does. */
#include "decision.h"
#include "reading.h"

enum { MOST_CERTIFICATES = 1000000000 };

static bool read_certificates(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              void *into, struct sg_error *error)
{
    struct sg_quota *quota = into;
    long certificates = 0;

    if (!sg_yaml_integer(document, node, 1, MOST_CERTIFICATES, &certificates, error))
        return false;
    quota->certificates = certificates;
    return true;
}

static bool read_per(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {
        {"hour", 3600}, {"day", 86400}, {"policy", 0}, {0}};
    struct sg_quota *quota = into;
    int choice = 0;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    quota->period_s = choice;
    return true;
}

bool sg_policy_read_quota(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"certificates", SG_YAML_REQUIRED, read_certificates},
        {"per", SG_YAML_REQUIRED, read_per},
        {0},
    };
    struct sg_policy *policy = into;

    if (node->kind != SG_YAML_MAPPING)
        return sg_yaml_fail(document, node, error, "quota is {certificates: 20000, per: day}");
    return sg_yaml_mapping(document, node, FIELDS, &policy->quota, error);
}

/* The store's claim counts. */
bool sg_policy_rule_quota(struct sg_decision *decision)
{
    decision->plan.quota = decision->policy->quota;
    return true;
}

struct sg_quota sg_policy_quota(const struct sg_policy *policy)
{
    return policy->quota;
}
