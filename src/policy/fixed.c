#include "fixed.h"

#include <stdarg.h>

#include "decision.h"
#include "reading.h"

static const struct kind {
    const char *key; /* the policy's, and the rule's field */
    const char *oid;
    int nid;
    bool critical, only_ca;
} KINDS[SG_NUM_FIXED] = {
    [SG_FIXED_CERTIFICATE_POLICIES] = {"certificate_policies", "2.5.29.32",
                                       NID_certificate_policies, false, false},
    /* RFC 5280 4.2.1.10, 4.2.1.11 and 4.2.1.14: of CAs alone, and critical. */
    [SG_FIXED_NAME_CONSTRAINTS] = {"name_constraints", "2.5.29.30", NID_name_constraints, true,
                                   true},
    [SG_FIXED_POLICY_CONSTRAINTS] = {"policy_constraints", "2.5.29.36", NID_policy_constraints,
                                     true, true},
    [SG_FIXED_INHIBIT_ANY_POLICY] = {"inhibit_any_policy", "2.5.29.54", NID_inhibit_any_policy,
                                     true, true},
};

bool sg_policy_fix(struct sg_policy_fixed *fixed, enum sg_policy_fixed_kind kind, void *value,
                   struct sg_error *error)
{
    sg_auto(X509_EXTENSION) X509_EXTENSION *extension =
        X509V3_EXT_i2d(KINDS[kind].nid, KINDS[kind].critical, value);
    const ASN1_OCTET_STRING *der = NULL;

    if (extension == NULL)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "%s can't be encoded", KINDS[kind].key);
    der = X509_EXTENSION_get_data(extension);
    return sg_buf_set(&fixed->der,
                      sg_slice_of(ASN1_STRING_get0_data(der), (size_t)ASN1_STRING_length(der)),
                      error);
}

bool sg_policy_fixed_say(struct sg_policy_fixed *fixed, struct sg_error *error, const char *format,
                         ...)
{
    va_list arguments;

    if (fixed->text.len > 0 && !sg_buf_append(&fixed->text, ", ", 2, SG_LIMIT_YAML, error))
        return false;
    va_start(arguments, format);
    bool done = sg_buf_vprintf(&fixed->text, SG_LIMIT_YAML, error, format, arguments);
    va_end(arguments);
    return done;
}

bool sg_policy_check_fixed(const struct sg_policy *policy, struct sg_error *error)
{
    for (size_t i = 0; i < SG_NUM_FIXED; i++) {
        const struct sg_yaml_node *node = policy->fixed[i].node;

        if (node != NULL && KINDS[i].only_ca && policy->ca.node == NULL)
            return sg_yaml_fail(policy->document, node, error,
                                "%s is for the certificates of CAs: it needs the key 'ca'",
                                KINDS[i].key);
    }
    return true;
}

void sg_policy_fixed_done(struct sg_policy_fixed fixed[SG_NUM_FIXED])
{
    for (size_t i = 0; i < SG_NUM_FIXED; i++) {
        sg_buf_free(&fixed[i].der);
        sg_buf_free(&fixed[i].text);
        fixed[i] = (struct sg_policy_fixed){0};
    }
}

bool sg_policy_rule_fixed(struct sg_decision *decision)
{
    for (size_t i = 0; i < SG_NUM_FIXED; i++) {
        const struct sg_policy_fixed *fixed = &decision->policy->fixed[i];
        struct sg_error cause = {0};

        if (fixed->node == NULL)
            continue;
        if (!sg_extensions_add(&decision->plan.extensions, KINDS[i].oid, KINDS[i].critical,
                               sg_buf_slice(&fixed->der), &cause))
            return sg_decision_refuse_for(decision, KINDS[i].key, &cause);
        if (!sg_decision_note(decision, SG_PART_EXTENSION, decision->plan.extensions.num - 1,
                              KINDS[i].key, fixed->node, SG_FROM_POLICY) ||
            !sg_decision_pass(decision, KINDS[i].key, "%s%s", KINDS[i].critical ? "critical, " : "",
                              (const char *)fixed->text.data))
            return false;
    }
    return true;
}
