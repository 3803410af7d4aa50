/* subject: the distinguished name; and that there is some name. */
#include <string.h>

#include "decision.h"
#include "reading.h"

/* subject: reading */

static bool check_literal_rdn(const struct sg_yaml *document, const struct sg_policy_rdn *rdn,
                              struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error cause = {0};

    if (!sg_value_is_literal(&rdn->value))
        return true;
    if (!sg_value_resolve(&rdn->value, NULL, &text, &cause) ||
        !sg_name_check_value(rdn->oid, (const char *)text.data, &cause))
        return sg_policy_fail_at(document, rdn->value.node, &cause, error);
    return true;
}

static bool read_pair(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      sg_yaml_reader *read_value, struct sg_policy_subject *subject,
                      struct sg_error *error)
{
    struct sg_policy_rdn *rdn = &subject->items[subject->num++];
    const struct sg_yaml_node *value = NULL;
    struct sg_error cause = {0};

    if (!sg_policy_read_pair(document, node, "{CN: '${device.id}'}", &value, error))
        return false;
    if (!sg_oid_of_attribute(value->key, &rdn->oid, &cause))
        return sg_policy_fail_at_key(document, value, &cause, error);
    return read_value(document, value, &rdn->value, error) &&
           check_literal_rdn(document, rdn, error);
}

static bool read_rdn(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    return read_pair(document, node, sg_value_read, into, error);
}

static bool read_rdn_of_subject(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                void *into, struct sg_error *error)
{
    return read_pair(document, node, sg_value_read_of_subject, into, error);
}

static bool read_rdns(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      const char *what, sg_yaml_reader *read, struct sg_policy_subject *name,
                      struct sg_error *error)
{
    name->node = node;
    name->items =
        sg_policy_new_list(document, node, what, SG_LIMIT_RDNS, sizeof *name->items, error);
    return name->items != NULL && sg_yaml_each(document, node, read, name, error);
}

bool sg_policy_read_rdns(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         const char *what, struct sg_policy_subject *name, struct sg_error *error)
{
    return read_rdns(document, node, what, read_rdn, name, error);
}

/* `subject: []` is a policy whose certificates are named by san alone. */
bool sg_policy_read_subject(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;

    policy->subject.node = node;
    if (node->kind == SG_YAML_SEQUENCE && node->num_children == 0)
        return true;
    return read_rdns(document, node, "subject", read_rdn_of_subject, &policy->subject, error);
}

/* A self-signed certificate's issuer is itself: there is nothing to agree with. */
static bool check_of_issuer(const struct sg_policy *policy, struct sg_error *error)
{
    for (size_t i = 0; i < policy->subject.num && policy->ca.self_signed; i++) {
        const struct sg_value *value = &policy->subject.items[i].value;

        if (value->of_issuer != SG_OF_ISSUER_ANY)
            return sg_yaml_fail(policy->document, value->node, error,
                                "'issuer' compares with the issuer's subject, and a self_signed "
                                "certificate has no issuer but itself");
    }
    return true;
}

static const char EMAIL_ADDRESS[] = "1.2.840.113549.1.9.1";

/* RFC 5280 4.1.2.6: an address belongs into the alternative names; in the subject it is for
 * programs that look there too. */
static bool check_email_address(const struct sg_policy *policy, struct sg_error *error)
{
    const struct sg_policy_rdn *rdn = NULL;

    for (size_t i = 0; i < policy->sans.num; i++)
        if (policy->sans.items[i].kind == SG_SAN_EMAIL)
            return true;
    for (size_t i = 0; i < policy->subject.num; i++)
        if (strcmp(policy->subject.items[i].oid, EMAIL_ADDRESS) == 0)
            rdn = &policy->subject.items[i];
    return rdn == NULL || sg_yaml_fail(policy->document, rdn->value.node, error,
                                       "emailAddress needs the same address as an email in san "
                                       "(RFC 5280 4.1.2.6)");
}

bool sg_policy_check_subject(const struct sg_policy *policy, struct sg_error *error)
{
    if (!check_of_issuer(policy, error))
        return false;
    if (policy->subject.num > 0)
        return check_email_address(policy, error);
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

/* How many entries of the same type, but for those in skipped, stand before the entry at index. */
static size_t num_before(const struct sg_policy_subject *subject, size_t index, uint64_t skipped)
{
    size_t num = 0;

    for (size_t i = 0; i < index; i++)
        num += (skipped >> i & 1) == 0 &&
               strcmp(subject->items[i].oid, subject->items[index].oid) == 0;
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

/* A text that an entry would give, and room for what is against it. */
struct candidate {
    const struct sg_policy_rdn *rdn;
    const char *word, *text;
    size_t nth; /* among those of its type that the certificate gets, from 0 */
    char refusal[SG_ERROR_TEXT_SIZE];
};

/* The issuer's own subject limits what it may say of others. */
static bool agrees_with_issuer(const struct sg_issuer_facts *issuer, struct candidate *candidate)
{
    const char *word = candidate->word, *text = candidate->text, *found = NULL;
    enum sg_of_issuer mode = candidate->rdn->value.of_issuer;
    size_t num = 0;

    if (mode == SG_OF_ISSUER_ANY)
        return true;
    if (issuer->subject != NULL)
        found = sg_name_first(issuer->subject, candidate->rdn->oid, &num);
    if (issuer->subject == NULL)
        snprintf(candidate->refusal, sizeof candidate->refusal,
                 "issuer %s has no subject that can be read, and %s has to agree with it",
                 issuer->name, word);
    else if (num > 1 || (num == 0 && mode == SG_OF_ISSUER_EQUAL))
        snprintf(candidate->refusal, sizeof candidate->refusal,
                 "issuer %s has %zu values of %s in its subject, and this policy's %s=%.200s has "
                 "to be equal to one",
                 issuer->name, num, word, word, text);
    else if (num == 1 && strcmp(found, text) != 0)
        snprintf(candidate->refusal, sizeof candidate->refusal,
                 "issuer %s has %s=%.100s and may certify no other; the certificate would have "
                 "%s=%.100s",
                 issuer->name, word, found, word, text);
    return candidate->refusal[0] == '\0';
}

static bool agrees_with_request(const struct sg_request *request, struct candidate *candidate)
{
    const char *asked = nth_of_type(&request->subject, candidate->rdn->oid, candidate->nth);

    if (asked == NULL || strcmp(asked, candidate->text) == 0)
        return true;
    snprintf(candidate->refusal, sizeof candidate->refusal,
             "the request says %s=%.200s; this policy gives %s=%.200s", candidate->word, asked,
             candidate->word, candidate->text);
    return false;
}

static bool decide_text(struct sg_decision *decision, const char *field,
                        struct candidate *candidate)
{
    bool ignores_request = decision->policy->asked.subject == SG_ASKED_IGNORE ||
                           decision->input->request->format == SG_REQUEST_FORGOTTEN;
    struct sg_error cause = {0};

    if (!agrees_with_issuer(decision->input->issuer, candidate) ||
        (!ignores_request && !agrees_with_request(decision->input->request, candidate)))
        return sg_decision_refuse(decision, field, "%s", candidate->refusal);
    if (!sg_name_add(&decision->plan.subject, candidate->rdn->oid, candidate->text, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    return sg_decision_note_value(decision, SG_PART_SUBJECT, decision->plan.subject.num - 1,
                                  "subject", &candidate->rdn->value) &&
           sg_decision_pass(decision, field, "%s=%s", candidate->word, candidate->text);
}

/* left_out: a bit for each entry that had no value; the request does not say those either. */
static bool decide_rdn(struct sg_decision *decision, size_t index, uint64_t *left_out)
{
    const struct sg_policy_subject *subject = &decision->policy->subject;
    const struct sg_policy_rdn *rdn = &subject->items[index];
    struct candidate candidate = {.rdn = rdn, .word = sg_oid_attribute_word(rdn->oid)};
    sg_auto(sg_buf) struct sg_buf buf = {0};
    struct sg_error cause = {0};
    char field[SG_DECISION_FIELD_SIZE];

    name_field(candidate.word, num_before(subject, index, 0), field);
    if (!sg_value_resolve(&rdn->value, decision->input, &buf, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    if (buf.len == 0) {
        *left_out |= UINT64_C(1) << index;
        return sg_decision_pass(decision, field, "left out, as %s has no value", rdn->value.source);
    }
    if (!sg_name_check_value(rdn->oid, (const char *)buf.data, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    candidate.text = (const char *)buf.data;
    candidate.nth = num_before(subject, index, *left_out);
    return decide_text(decision, field, &candidate);
}

bool sg_policy_rule_subject(struct sg_decision *decision)
{
    uint64_t left_out = 0;

    for (size_t i = 0; i < decision->policy->subject.num; i++) {
        if (!decide_rdn(decision, i, &left_out))
            return false;
    }
    return true;
}

static bool decide_email_addresses(struct sg_decision *decision)
{
    const struct sg_name *subject = &decision->plan.subject;
    const struct sg_sans *sans = &decision->plan.sans;

    for (size_t i = 0; i < subject->num; i++) {
        bool found = strcmp(subject->rdns[i].oid, EMAIL_ADDRESS) != 0;

        for (size_t j = 0; !found && j < sans->num; j++)
            found = sans->items[j].kind == SG_SAN_EMAIL &&
                    strcmp(sans->items[j].value, subject->rdns[i].value) == 0;
        if (!found)
            return sg_decision_refuse(
                decision, "subject.emailAddress",
                "%s would be in the subject and not in san (RFC 5280 4.1.2.6)",
                subject->rdns[i].value);
    }
    return true;
}

/* When nothing is there, every value was optional and absent. */
bool sg_policy_rule_named(struct sg_decision *decision)
{
    if (decision->plan.subject.num > 0)
        return decide_email_addresses(decision);
    if (decision->policy->ca.node != NULL)
        return sg_decision_refuse(decision, "subject",
                                  "the subject would be empty; a CA needs one (RFC 5280 4.1.2.6)");
    if (decision->plan.sans.num == 0)
        return sg_decision_refuse(decision, "subject",
                                  "the certificate would have neither subject nor san");
    return true;
}
