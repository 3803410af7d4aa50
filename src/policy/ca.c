/* ca, publish: whether the certificate may issue others, and where its status can be asked. */
#include <string.h>

#include "decision.h"
#include "reading.h"

enum { LONGEST_PATH = 16 }; /* certificates below; nobody's hierarchy is deeper */

static bool read_path_length(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             void *into, struct sg_error *error)
{
    struct sg_policy_ca *ca = into;

    if (node->kind == SG_YAML_SCALAR && strcmp(node->text, "none") == 0) {
        ca->path_length = -1;
        return true;
    }
    return sg_yaml_integer(document, node, 0, LONGEST_PATH, &ca->path_length, error);
}

static bool read_self_signed(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             void *into, struct sg_error *error)
{
    struct sg_policy_ca *ca = into;

    return sg_yaml_bool(document, node, &ca->self_signed, error);
}

static const struct sg_yaml_field CA_FIELDS[] = {
    {"path_length", SG_YAML_REQUIRED, read_path_length},
    {"self_signed", SG_YAML_OPTIONAL, read_self_signed},
    {0},
};

bool sg_policy_read_ca(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    struct sg_policy *policy = into;

    policy->ca.node = node;
    return sg_yaml_mapping(document, node, CA_FIELDS, &policy->ca, error);
}

static bool read_publish_word(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              enum sg_publish *publish, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {
        {"required", SG_PUBLISH_REQUIRED}, {"offered", SG_PUBLISH_OFFERED}, {0}};
    int choice = SG_PUBLISH_NOT;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    *publish = (enum sg_publish)choice;
    return true;
}

static bool read_crl(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_publish *publish = into;

    return read_publish_word(document, node, &publish->crl, error);
}

static bool read_ocsp(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_policy_publish *publish = into;

    return read_publish_word(document, node, &publish->ocsp, error);
}

static bool read_ca_issuers(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy_publish *publish = into;

    return read_publish_word(document, node, &publish->ca_issuers, error);
}

static const struct sg_yaml_field PUBLISH_FIELDS[] = {
    {"crl", SG_YAML_OPTIONAL, read_crl},
    {"ocsp", SG_YAML_OPTIONAL, read_ocsp},
    {"ca_issuers", SG_YAML_OPTIONAL, read_ca_issuers},
    {0},
};

bool sg_policy_read_publish(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;

    policy->publish.node = node;
    return sg_yaml_mapping(document, node, PUBLISH_FIELDS, &policy->publish, error);
}

/* Deciding */

/* RFC 5280 4.2.1.9: below a CA with a path length come only CAs with a smaller one. */
static bool fits_below(long path_length, long issuer_path_length)
{
    return issuer_path_length < 0 || (path_length >= 0 && path_length < issuer_path_length);
}

static bool refuse_path(struct sg_decision *decision)
{
    long wanted = decision->policy->ca.path_length;
    long of_issuer = decision->input->issuer->path_length;
    const char *issuer = decision->input->issuer->name;

    if (of_issuer == 0)
        return sg_decision_refuse(decision, "ca",
                                  "issuer %s has path length 0 and may not certify a CA", issuer);
    if (wanted < 0)
        return sg_decision_refuse(decision, "ca",
                                  "issuer %s has path length %ld; this policy sets none and must "
                                  "set one below that",
                                  issuer, of_issuer);
    return sg_decision_refuse(decision, "ca",
                              "issuer %s has path length %ld; this policy's %ld must be below that",
                              issuer, of_issuer, wanted);
}

static bool decide_kind_of_request(struct sg_decision *decision)
{
    bool is_own_key = decision->input->request->format == SG_REQUEST_OWN_KEY;

    if (is_own_key && !decision->policy->ca.self_signed)
        return sg_decision_refuse(decision, "ca",
                                  "issuer %s asks for a certificate by its own key, and this "
                                  "policy is not self_signed",
                                  decision->input->issuer->name);
    if (!is_own_key && decision->policy->ca.self_signed)
        return sg_decision_refuse(decision, "ca",
                                  "this policy is for an issuer's own key (self_signed), not for "
                                  "the request of somebody else");
    return true;
}

bool sg_policy_rule_ca(struct sg_decision *decision)
{
    const struct sg_policy_ca *ca = &decision->policy->ca;
    const char *self_signed = ca->self_signed ? ", self-signed" : "";

    if (!decide_kind_of_request(decision))
        return false;
    if (decision->refused)
        return true;
    decision->plan.ca = ca->node != NULL;
    decision->plan.path_length = decision->plan.ca ? ca->path_length : -1;
    if (!sg_decision_note(decision, SG_PART_CA, 0, "ca", ca->node, SG_FROM_POLICY))
        return false;
    if (!decision->plan.ca)
        return sg_decision_pass(decision, "ca", "no CA");
    if (!ca->self_signed && !fits_below(ca->path_length, decision->input->issuer->path_length))
        return refuse_path(decision);
    if (ca->path_length < 0)
        return sg_decision_pass(decision, "ca", "a CA without path length%s", self_signed);
    return sg_decision_pass(decision, "ca", "a CA with path length %ld%s", ca->path_length,
                            self_signed);
}

/* One of the words under publish, and what it is about. */
struct published {
    const char *word, *rule; /* "crl", "publish.crl" */
    enum sg_publish publish;
    const char *url; /* the issuer's */
    enum sg_part part;
    size_t index;
};

static bool decide_publish(struct sg_decision *decision, const struct published *what,
                           bool *planned)
{
    const struct sg_yaml_node *node = NULL;

    if (what->publish == SG_PUBLISH_NOT)
        return true;
    if (what->url == NULL && what->publish == SG_PUBLISH_REQUIRED)
        return sg_decision_refuse(decision, what->rule,
                                  "issuer %s publishes no %s; give it a URL under publish in "
                                  "signet.yaml",
                                  decision->input->issuer->name, what->word);
    *planned = what->url != NULL;
    if (what->url == NULL)
        return sg_decision_pass(decision, what->rule, "left out, as the issuer has no URL");
    node = sg_yaml_get(decision->policy->publish.node, what->word);
    return sg_decision_note(decision, what->part, what->index, what->rule, node, SG_FROM_ISSUER) &&
           sg_decision_pass(decision, what->rule, "%s", what->url);
}

bool sg_policy_rule_publish(struct sg_decision *decision)
{
    const struct sg_policy_publish *publish = &decision->policy->publish;
    const struct sg_issuer_facts *issuer = decision->input->issuer;
    struct sg_plan *plan = &decision->plan;
    const struct published crl = {"crl",           "publish.crl", publish->crl,
                                  issuer->crl_url, SG_PART_CRL,   0};
    const struct published ocsp = {"ocsp",           "publish.ocsp", publish->ocsp,
                                   issuer->ocsp_url, SG_PART_ACCESS, 0};
    struct published ca_issuers = {"ca_issuers",        "publish.ca_issuers",
                                   publish->ca_issuers, issuer->ca_issuers_url,
                                   SG_PART_ACCESS,      0};

    if (!decide_publish(decision, &crl, &plan->publish_crl) ||
        !decide_publish(decision, &ocsp, &plan->publish_ocsp))
        return false;
    ca_issuers.index = plan->publish_ocsp; /* behind it, when it is there */
    return decide_publish(decision, &ca_issuers, &plan->publish_ca_issuers);
}
