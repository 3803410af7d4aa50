/* who, unknown_device: which evidence lets somebody ask. */
#include <string.h>

#include "decision.h"
#include "model/listing.h"
#include "reading.h"

static const struct sg_yaml_choice TERMS[] = {
    {"operator", SG_BY_OPERATOR}, {"ticket", SG_BY_TICKET},   {"renewal", SG_BY_RENEWAL},
    {"lease", SG_BY_LEASE},       {"officer", SG_BY_OFFICER}, {0},
};

static bool read_approval(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    struct sg_policy_who *who = into;

    if (!sg_yaml_text(document, node, &who->approver, error))
        return false;
    return sg_policy_is_word(who->approver) ||
           sg_yaml_fail(document, node, error,
                        "'%s' is no role: 1 to 64 of a-z, 0-9 and -, as in {approval: officer}",
                        who->approver);
}

static const struct sg_yaml_field APPROVAL_FIELDS[] = {
    {"approval", SG_YAML_REQUIRED, read_approval},
    {0},
};

static bool read_term(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_policy_who *who = into;
    int bit = SG_BY_APPROVAL;

    if (node->kind == SG_YAML_MAPPING
            ? !sg_yaml_mapping(document, node, APPROVAL_FIELDS, who, error)
            : !sg_yaml_word(document, node, TERMS, &bit, error))
        return false;
    if (who->evidence & (unsigned)bit)
        return sg_yaml_fail(document, node, error, "this is in the list twice");
    who->evidence |= (unsigned)bit;
    return true;
}

static bool read_terms(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    struct sg_policy_who *who = into;

    if (who->evidence != 0)
        return sg_yaml_fail(document, node, error, "who takes either any or all, not both");
    if (node->kind == SG_YAML_SEQUENCE && node->num_children == 0)
        return sg_yaml_fail(document, node, error, "nobody could ask: the list is empty");
    who->all = strcmp(node->key, "all") == 0;
    return sg_yaml_each(document, node, read_term, who, error);
}

static bool read_unknown_device(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"refuse", false}, {"register", true}, {0}};
    struct sg_policy_who *who = into;
    int choice = 0;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    who->register_unknown_devices = choice;
    return true;
}

static const struct sg_yaml_field FIELDS[] = {
    {"any", SG_YAML_OPTIONAL, read_terms},
    {"all", SG_YAML_OPTIONAL, read_terms},
    {"unknown_device", SG_YAML_OPTIONAL, read_unknown_device},
    {0},
};

bool sg_policy_read_who(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct sg_policy *policy = into;
    struct sg_policy_who *who = &policy->who;

    who->node = node;
    if (!sg_yaml_mapping(document, node, FIELDS, who, error))
        return false;
    if (who->evidence == 0)
        return sg_yaml_fail(document, node, error, "who wants {any: […]} or {all: […]}");
    return true;
}

bool sg_policy_check_who(const struct sg_policy *policy, struct sg_error *error)
{
    const struct sg_policy_who *who = &policy->who;
    const unsigned by_network = SG_BY_TICKET | SG_BY_RENEWAL | SG_BY_LEASE | SG_BY_OFFICER;

    if (who->register_unknown_devices && !(who->evidence & SG_BY_OPERATOR))
        return sg_yaml_fail(
            policy->document, who->node, error,
            "unknown_device: register needs an operator who vouches for the device; "
            "add operator");
    if (policy->ca.node != NULL && who->evidence & by_network)
        return sg_yaml_fail(policy->document, who->node, error,
                            "CA certificates are given by people at the CA alone: operator and "
                            "{approval: ROLE}, not ticket, renewal, lease or officer");
    if (who->evidence & SG_BY_RENEWAL && !policy->renewal.allowed)
        return sg_yaml_fail(policy->document, who->node, error,
                            "who has renewal, but this policy renews nothing; add "
                            "renewal: {window: …} or remove it here");
    return true;
}

enum { EVIDENCE_TEXT_SIZE = 160 };

/* "operator or ticket". */
static const char *evidence_text(unsigned evidence, const char *approver, const char *joint,
                                 char into[EVIDENCE_TEXT_SIZE])
{
    struct sg_listing listing = sg_listing_start(into, EVIDENCE_TEXT_SIZE);

    for (const struct sg_yaml_choice *term = TERMS; term->word != NULL; term++) {
        if (!(evidence & (unsigned)term->value))
            continue;
        sg_listing_add(&listing, into[0] != '\0' ? joint : "");
        sg_listing_add(&listing, term->word);
    }
    if (evidence & SG_BY_APPROVAL) {
        sg_listing_add(&listing, into[0] != '\0' ? joint : "");
        sg_listing_add(&listing, "approval");
        sg_listing_add(&listing, approver != NULL ? " by " : "");
        sg_listing_add(&listing, approver != NULL ? approver : "");
    }
    return into[0] != '\0' ? into : "nothing";
}

static bool check_enabled(struct sg_decision *decision)
{
    const struct sg_requester *requester = decision->input->requester;

    if (requester->has_device && requester->device.disabled)
        return sg_decision_turn_away(decision, "who", "device %s is disabled",
                                     requester->device.id);
    if (requester->has_user && requester->user.disabled)
        return sg_decision_turn_away(decision, "who", "user %s is disabled", requester->user.id);
    return true;
}

/* Nobody approves what nobody is known to have asked for: something else vouches first, and the
 * approval alone is missing. The store's claim looks for it. */
static bool waits_for_approval(const struct sg_policy_who *who, unsigned brought)
{
    const unsigned others = who->evidence & ~(unsigned)SG_BY_APPROVAL;

    if (!(who->evidence & SG_BY_APPROVAL) || brought == 0 || brought & SG_BY_APPROVAL)
        return false;
    return who->all ? (brought & others) == others : (brought & others) == 0;
}

bool sg_policy_rule_who(struct sg_decision *decision)
{
    const struct sg_policy_who *who = &decision->policy->who;
    unsigned brought = decision->input->requester->evidence;
    unsigned counted = brought & who->evidence;
    char wanted[EVIDENCE_TEXT_SIZE], found[EVIDENCE_TEXT_SIZE];

    if (!check_enabled(decision))
        return false;
    if (decision->refused)
        return true;
    if (waits_for_approval(who, brought)) {
        decision->plan.approver = who->approver;
        return sg_decision_pass(decision, "who", "%s vouches; %s has to approve",
                                evidence_text(brought, NULL, " and ", found), who->approver);
    }
    if (who->all ? counted != who->evidence : counted == 0)
        return sg_decision_turn_away(
            decision, "who", "this policy wants %s; the requester brings %s",
            evidence_text(who->evidence, who->approver, who->all ? " and " : " or ", wanted),
            evidence_text(brought, NULL, " and ", found));
    return sg_decision_pass(decision, "who", "vouched for by %s",
                            evidence_text(counted, who->approver, " and ", found));
}
