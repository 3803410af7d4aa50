/* subject: the distinguished name; and that there is some name. */
#include <string.h>

#include "decision.h"
#include "reading.h"

/* Encodes one value, for the bounds and alphabets of RFC 5280 appendix A.1. */
static bool check_encodable(const char *oid, char *text, struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *encoded = NULL;
    struct sg_rdn rdn = {.value = text};
    const struct sg_name name = {.rdns = &rdn, .num = 1};

    snprintf(rdn.oid, sizeof rdn.oid, "%s", oid);
    return sg_name_encode(&name, &encoded, error);
}

/* subject: reading */

static bool check_literal_rdn(const struct sg_yaml *document, const struct sg_policy_rdn *rdn,
                              struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error cause = {0};

    if (!sg_value_is_literal(&rdn->value))
        return true;
    if (!sg_value_resolve(&rdn->value, NULL, &text, &cause) ||
        !check_encodable(rdn->oid, (char *)text.data, &cause))
        return sg_policy_fail_at(document, rdn->value.node, &cause, error);
    return true;
}

static bool read_rdn(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_subject *subject = into;
    struct sg_policy_rdn *rdn = &subject->items[subject->num++];
    const struct sg_yaml_node *value = NULL;
    struct sg_error cause = {0};

    if (!sg_policy_read_pair(document, node, "{CN: '${device.id}'}", &value, error))
        return false;
    if (!sg_oid_of_attribute(value->key, &rdn->oid, &cause))
        return sg_policy_fail_at_key(document, value, &cause, error);
    return sg_value_read(document, value, &rdn->value, error) &&
           check_literal_rdn(document, rdn, error);
}

bool sg_policy_read_rdns(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         const char *what, struct sg_policy_subject *name, struct sg_error *error)
{
    name->node = node;
    name->items =
        sg_policy_new_list(document, node, what, SG_LIMIT_RDNS, sizeof *name->items, error);
    return name->items != NULL && sg_yaml_each(document, node, read_rdn, name, error);
}

/* `subject: []` is a policy whose certificates are named by san alone. */
bool sg_policy_read_subject(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;

    policy->subject.node = node;
    if (node->kind == SG_YAML_SEQUENCE && node->num_children == 0)
        return true;
    return sg_policy_read_rdns(document, node, "subject", &policy->subject, error);
}

bool sg_policy_check_subject(const struct sg_policy *policy, struct sg_error *error)
{
    if (policy->subject.num > 0)
        return true;
    if (policy->ca.node != NULL)
        return sg_yaml_fail(policy->document, policy->subject.node, error,
                            "a CA needs a subject (RFC 5280 4.1.2.6)");
    if (policy->sans.num == 0)
        return sg_yaml_fail(policy->document, policy->subject.node, error,
                            "subject is empty; without san too, nobody would be named");
    return true;
}

void sg_policy_subject_done(struct sg_policy_subject *subject)
{
    for (size_t i = 0; i < subject->num; i++)
        sg_value_done(&subject->items[i].value);
    free(subject->items);
    *subject = (struct sg_policy_subject){0};
}

/* subject: deciding */

/* The value of the nth (from 0) RDN of a type, or NULL. */
static const char *nth_of_type(const struct sg_name *name, const char *oid, size_t nth)
{
    for (size_t i = 0; i < name->num; i++) {
        if (strcmp(name->rdns[i].oid, oid) == 0 && nth-- == 0)
            return name->rdns[i].value;
    }
    return NULL;
}

/* How many entries of the same type stand before the entry at index. */
static size_t num_before(const struct sg_policy_subject *subject, size_t index)
{
    size_t num = 0;

    for (size_t i = 0; i < index; i++)
        num += strcmp(subject->items[i].oid, subject->items[index].oid) == 0;
    return num;
}

/* "subject.CN", the second of a type "subject.OU[2]". */
static void name_field(const char *word, size_t nth, char field[SG_DECISION_FIELD_SIZE])
{
    if (nth == 0)
        snprintf(field, SG_DECISION_FIELD_SIZE, "subject.%.60s", word);
    else
        snprintf(field, SG_DECISION_FIELD_SIZE, "subject.%.60s[%zu]", word, nth + 1);
}

static bool decide_rdn(struct sg_decision *decision, size_t index)
{
    const struct sg_policy_rdn *rdn = &decision->policy->subject.items[index];
    const char *word = sg_oid_attribute_word(rdn->oid);
    size_t nth = num_before(&decision->policy->subject, index);
    sg_auto(sg_buf) struct sg_buf buf = {0};
    struct sg_error cause = {0};
    char field[SG_DECISION_FIELD_SIZE];
    const char *asked = NULL;
    char *text = NULL;

    name_field(word, nth, field);
    if (!sg_value_resolve(&rdn->value, decision->input, &buf, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    if (buf.len == 0)
        return sg_decision_pass(decision, field, "left out, as %s has no value", rdn->value.source);
    text = (char *)buf.data;
    if (!check_encodable(rdn->oid, text, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    asked = nth_of_type(&decision->input->request->subject, rdn->oid, nth);
    if (decision->policy->asked.subject != SG_ASKED_IGNORE && asked != NULL &&
        strcmp(asked, text) != 0)
        return sg_decision_refuse(decision, field,
                                  "the request says %s=%.200s; this policy gives %s=%.200s", word,
                                  asked, word, text);
    if (!sg_name_add(&decision->plan.subject, rdn->oid, text, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    return sg_decision_pass(decision, field, "%s=%s", word, text);
}

bool sg_policy_rule_subject(struct sg_decision *decision)
{
    for (size_t i = 0; i < decision->policy->subject.num; i++) {
        if (!decide_rdn(decision, i))
            return false;
    }
    return true;
}

/* Every value was optional and absent. */
bool sg_policy_rule_named(struct sg_decision *decision)
{
    if (decision->plan.subject.num > 0)
        return true;
    if (decision->policy->ca.node != NULL)
        return sg_decision_refuse(decision, "subject",
                                  "the subject would be empty; a CA needs one (RFC 5280 4.1.2.6)");
    if (decision->plan.sans.num == 0)
        return sg_decision_refuse(decision, "subject",
                                  "the certificate would have neither subject nor san");
    return true;
}
