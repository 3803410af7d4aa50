#include <openssl/asn1.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "lint_rules.h"

enum { LONGEST_NOTICE = 200 };

static bool has_some_policy(struct sg_lint_view *view)
{
    return view->policies == NULL || sk_POLICYINFO_num(view->policies) > 0;
}

static bool has_no_policy_twice(struct sg_lint_view *view)
{
    for (int i = 0; i < sk_POLICYINFO_num(view->policies); i++)
        for (int j = 0; j < i; j++)
            if (OBJ_cmp(sk_POLICYINFO_value(view->policies, i)->policyid,
                        sk_POLICYINFO_value(view->policies, j)->policyid) == 0)
                return false;
    return true;
}

static bool every_qualifier(const struct sg_lint_view *view,
                            bool (*check)(const POLICYQUALINFO *qualifier))
{
    for (int i = 0; i < sk_POLICYINFO_num(view->policies); i++) {
        const POLICYINFO *info = sk_POLICYINFO_value(view->policies, i);

        if (info->qualifiers != NULL && sk_POLICYQUALINFO_num(info->qualifiers) == 0)
            return false;
        for (int j = 0; j < sk_POLICYQUALINFO_num(info->qualifiers); j++)
            if (!check(sk_POLICYQUALINFO_value(info->qualifiers, j)))
                return false;
    }
    return true;
}

static bool is_url_or_notice(const POLICYQUALINFO *qualifier)
{
    struct sg_slice url;

    if (OBJ_obj2nid(qualifier->pqualid) == NID_id_qt_unotice)
        return true;
    if (OBJ_obj2nid(qualifier->pqualid) != NID_id_qt_cps)
        return false;
    url = sg_lint_string(qualifier->d.cpsuri);
    for (size_t i = 0; i < url.len; i++)
        if (url.data[i] <= ' ' || url.data[i] > '~')
            return false;
    return (url.len > 7 && strncasecmp((const char *)url.data, "http://", 7) == 0) ||
           (url.len > 8 && strncasecmp((const char *)url.data, "https://", 8) == 0);
}

static bool has_right_notice(const POLICYQUALINFO *qualifier)
{
    const ASN1_STRING *text;
    struct sg_slice bytes;
    size_t num = 0;

    if (OBJ_obj2nid(qualifier->pqualid) != NID_id_qt_unotice)
        return true;
    text = qualifier->d.usernotice->exptext;
    if (text == NULL || ASN1_STRING_type(text) != V_ASN1_UTF8STRING)
        return false;
    bytes = sg_lint_string(text);
    for (size_t i = 0; i < bytes.len; i++)
        num += (bytes.data[i] & 0xc0) != 0x80; /* not a UTF-8 continuation */
    return num >= 1 && num <= LONGEST_NOTICE && sg_text_check(bytes, "", NULL);
}

static bool has_known_qualifiers(struct sg_lint_view *view)
{
    return every_qualifier(view, is_url_or_notice);
}

static bool has_right_notices(struct sg_lint_view *view)
{
    return every_qualifier(view, has_right_notice);
}

/* nameConstraints */

static bool has_name_constraints_only_if_ca(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_name_constraints) < 0 || sg_lint_is_ca(view);
}

static bool has_critical_name_constraints(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_name_constraints) != 0;
}

static bool has_some_subtree(struct sg_lint_view *view)
{
    const NAME_CONSTRAINTS *constraints = view->name_constraints;

    if (constraints == NULL)
        return true;
    if (constraints->permittedSubtrees == NULL && constraints->excludedSubtrees == NULL)
        return false;
    return (constraints->permittedSubtrees == NULL ||
            sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees) > 0) &&
           (constraints->excludedSubtrees == NULL ||
            sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees) > 0);
}

static bool every_subtree_of(const STACK_OF(GENERAL_SUBTREE) * list,
                             bool (*check)(const GENERAL_SUBTREE *subtree))
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++)
        if (!check(sk_GENERAL_SUBTREE_value(list, i)))
            return false;
    return true;
}

static bool every_subtree(const struct sg_lint_view *view,
                          bool (*check)(const GENERAL_SUBTREE *subtree))
{
    return view->name_constraints == NULL ||
           (every_subtree_of(view->name_constraints->permittedSubtrees, check) &&
            every_subtree_of(view->name_constraints->excludedSubtrees, check));
}

static bool has_no_depth(const GENERAL_SUBTREE *subtree)
{
    return subtree->minimum == NULL && subtree->maximum == NULL;
}

static bool has_subtrees_without_depth(struct sg_lint_view *view)
{
    return every_subtree(view, has_no_depth);
}

/* An address and a mask whose bits are ones and then zeros. */
static bool is_network(struct sg_slice bytes)
{
    size_t half = bytes.len / 2;
    bool ended = false;

    if (bytes.len != 8 && bytes.len != 32)
        return false;
    for (size_t bit = 0; bit < 8 * half; bit++) {
        bool is_one = (bytes.data[half + bit / 8] >> (7 - bit % 8) & 1) != 0;

        if (is_one && ended)
            return false;
        ended = !is_one;
    }
    return true;
}

static struct sg_slice without(struct sg_slice bytes, size_t len)
{
    return sg_slice_of(bytes.data + len, bytes.len - len);
}

/* An address; a host, also after a leading dot. */
static bool is_mail_domain(struct sg_slice bytes)
{
    const uint8_t *at = bytes.len > 0 ? memchr(bytes.data, '@', bytes.len) : NULL;

    if (at != NULL)
        return at > bytes.data && sg_lint_is_host(without(bytes, (size_t)(at - bytes.data) + 1));
    return sg_lint_is_host(bytes.len > 0 && bytes.data[0] == '.' ? without(bytes, 1) : bytes);
}

/* A whole name, so that there is a dot in it. */
static bool is_uri_host(struct sg_slice bytes)
{
    struct sg_slice host = bytes.len > 0 && bytes.data[0] == '.' ? without(bytes, 1) : bytes;

    return sg_lint_is_host(host) && memchr(bytes.data, '.', bytes.len) != NULL;
}

static bool has_its_form(const GENERAL_SUBTREE *subtree)
{
    int type = 0;
    const void *value = GENERAL_NAME_get0_value(subtree->base, &type);

    switch (type) {
    case GEN_DIRNAME:
        return X509_NAME_entry_count(value) > 0;
    case GEN_IPADD:
        return is_network(sg_lint_string(value));
    case GEN_DNS:
        return sg_lint_is_host(sg_lint_string(value));
    case GEN_EMAIL:
        return is_mail_domain(sg_lint_string(value));
    case GEN_URI:
        return is_uri_host(sg_lint_string(value));
    default:
        return false;
    }
}

static bool has_subtrees_in_their_forms(struct sg_lint_view *view)
{
    return every_subtree(view, has_its_form);
}

/* A certificate outside of them would never be valid. */
static bool keeps_the_issuers_constraints(struct sg_lint_view *view)
{
    const X509 *issuer = view->issuer->certificate;
    NAME_CONSTRAINTS *constraints =
        issuer != NULL ? X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL) : NULL;
    int verdict;

    if (constraints == NULL)
        return true;
    X509_check_purpose(view->certificate, -1, 0); /* or OpenSSL would see the subject alone */
    verdict = NAME_CONSTRAINTS_check(view->certificate, constraints);
    NAME_CONSTRAINTS_free(constraints);
    return verdict == X509_V_OK || sg_lint_saw(view, "%s", X509_verify_cert_error_string(verdict));
}

/* policyConstraints, inhibitAnyPolicy */

static bool has_policy_constraints_only_if_ca(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_policy_constraints) < 0 || sg_lint_is_ca(view);
}

static bool has_critical_policy_constraints(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_policy_constraints) != 0;
}

static bool has_some_policy_constraint(struct sg_lint_view *view)
{
    return view->policy_constraints == NULL ||
           view->policy_constraints->requireExplicitPolicy != NULL ||
           view->policy_constraints->inhibitPolicyMapping != NULL;
}

static bool is_negative(const ASN1_INTEGER *number)
{
    return number != NULL && ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER;
}

static bool has_no_negative_policy_constraint(struct sg_lint_view *view)
{
    return view->policy_constraints == NULL ||
           (!is_negative(view->policy_constraints->requireExplicitPolicy) &&
            !is_negative(view->policy_constraints->inhibitPolicyMapping));
}

static bool has_inhibit_any_policy_only_if_ca(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_inhibit_any_policy) < 0 || sg_lint_is_ca(view);
}

static bool has_critical_inhibit_any_policy(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_inhibit_any_policy) != 0;
}

static bool has_no_negative_inhibit_any_policy(struct sg_lint_view *view)
{
    return !is_negative(view->inhibit_any_policy);
}

const struct sg_lint_rule SG_LINT_POLICIES[] = {
    {"RFC 5280 4.2.1.4", "certificatePolicies must name a policy", has_some_policy},
    {"RFC 5280 4.2.1.4", "no policy may be there twice", has_no_policy_twice},
    {"RFC 5280 4.2.1.4", "policy qualifiers must be http or https URLs and notices",
     has_known_qualifiers},
    {"RFC 5280 4.2.1.4", "a notice must be a UTF8String of 1 to 200 characters", has_right_notices},
    {"RFC 5280 4.2.1.10", "nameConstraints must be in a CA's certificate alone",
     has_name_constraints_only_if_ca},
    {"RFC 5280 4.2.1.10", "nameConstraints must be critical", has_critical_name_constraints},
    {"RFC 5280 4.2.1.10", "nameConstraints must have subtrees in each of its lists",
     has_some_subtree},
    {"RFC 5280 4.2.1.10", "a subtree must have no minimum but 0 and no maximum",
     has_subtrees_without_depth},
    {"RFC 5280 4.2.1.10", "subtrees must have the forms of their kinds",
     has_subtrees_in_their_forms},
    {"RFC 5280 6.1.3 (b)", "its names must be inside the issuer's nameConstraints",
     keeps_the_issuers_constraints},
    {"RFC 5280 4.2.1.11", "policyConstraints must be in a CA's certificate alone",
     has_policy_constraints_only_if_ca},
    {"RFC 5280 4.2.1.11", "policyConstraints must be critical", has_critical_policy_constraints},
    {"RFC 5280 4.2.1.11", "policyConstraints must not be empty", has_some_policy_constraint},
    {"RFC 5280 4.2.1.11", "policyConstraints must not be negative",
     has_no_negative_policy_constraint},
    {"RFC 5280 4.2.1.14", "inhibitAnyPolicy must be in a CA's certificate alone",
     has_inhibit_any_policy_only_if_ca},
    {"RFC 5280 4.2.1.14", "inhibitAnyPolicy must be critical", has_critical_inhibit_any_policy},
    {"RFC 5280 4.2.1.14", "inhibitAnyPolicy must not be negative",
     has_no_negative_inhibit_any_policy},
    {0},
};
