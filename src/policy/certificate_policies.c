/* certificate_policies: under which published policies the certificate was issued (RFC 5280
 * 4.2.1.4). */
#include <string.h>

#include "base/text.h"
#include "reading.h"

SG_DEFINE_CLEANUP(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free)
SG_DEFINE_CLEANUP(POLICYINFO, POLICYINFO_free)
SG_DEFINE_CLEANUP(POLICYQUALINFO, POLICYQUALINFO_free)
SG_DEFINE_CLEANUP(USERNOTICE, USERNOTICE_free)

enum { MOST_POLICIES = 16, LONGEST_NOTICE = 200 /* characters: RFC 5280 4.2.1.4 */ };

static const char ANY_POLICY[] = "2.5.29.32.0";

/* One entry as it is written. */
struct entry {
    const char *oid, *cps, *notice;
};

static bool read_oid(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct entry *entry = into;

    if (!sg_yaml_text(document, node, &entry->oid, error))
        return false;
    if (strcmp(entry->oid, "anyPolicy") == 0)
        entry->oid = ANY_POLICY;
    return sg_oid_is_valid(entry->oid) ||
           sg_yaml_fail(document, node, error, "\"%s\" is no OID of a policy, nor anyPolicy",
                        entry->oid);
}

static bool read_cps(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct entry *entry = into;
    sg_auto(sg_sans) struct sg_sans sans = {0};

    if (!sg_policy_read_plain(document, node, &entry->cps, error))
        return false;
    if (sg_sans_add(&sans, SG_SAN_URI, entry->cps, NULL) &&
        (strncmp(entry->cps, "http://", 7) == 0 || strncmp(entry->cps, "https://", 8) == 0))
        return true;
    return sg_yaml_fail(document, node, error,
                        "cps is an http or https URL, where the policy can be read");
}

static bool read_notice(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct entry *entry = into;
    size_t num = 0;

    if (!sg_policy_read_plain(document, node, &entry->notice, error))
        return false;
    for (const char *at = entry->notice; *at != '\0'; at++)
        num += ((unsigned char)*at & 0xc0) != 0x80; /* not a UTF-8 continuation */
    return (num >= 1 && num <= LONGEST_NOTICE) ||
           sg_yaml_fail(document, node, error,
                        "notice has %zu characters; from 1 to %d (RFC 5280 4.2.1.4)", num,
                        LONGEST_NOTICE);
}

static const struct sg_yaml_field FIELDS[] = {
    {"oid", SG_YAML_REQUIRED, read_oid},
    {"cps", SG_YAML_OPTIONAL, read_cps},
    {"notice", SG_YAML_OPTIONAL, read_notice},
    {0},
};

/* Encoding */

/* Takes *qualifier. */
static bool push_qualifier(POLICYINFO *info, POLICYQUALINFO **qualifier)
{
    if (info->qualifiers == NULL)
        info->qualifiers = sk_POLICYQUALINFO_new_null();
    if (sk_POLICYQUALINFO_push(info->qualifiers, *qualifier) <= 0)
        return false;
    *qualifier = NULL;
    return true;
}

static bool add_cps(POLICYINFO *info, const char *cps)
{
    sg_auto(POLICYQUALINFO) POLICYQUALINFO *qualifier = POLICYQUALINFO_new();

    if (qualifier == NULL)
        return false;
    qualifier->pqualid = OBJ_nid2obj(NID_id_qt_cps);
    qualifier->d.cpsuri = ASN1_IA5STRING_new();
    return qualifier->d.cpsuri != NULL && ASN1_STRING_set(qualifier->d.cpsuri, cps, -1) &&
           push_qualifier(info, &qualifier);
}

static bool add_notice(POLICYINFO *info, const char *notice)
{
    sg_auto(POLICYQUALINFO) POLICYQUALINFO *qualifier = POLICYQUALINFO_new();
    sg_auto(USERNOTICE) USERNOTICE *user_notice = USERNOTICE_new();

    if (qualifier == NULL || user_notice == NULL)
        return false;
    user_notice->exptext = ASN1_UTF8STRING_new();
    if (user_notice->exptext == NULL || !ASN1_STRING_set(user_notice->exptext, notice, -1))
        return false;
    qualifier->pqualid = OBJ_nid2obj(NID_id_qt_unotice);
    qualifier->d.usernotice = SG_TAKE(user_notice);
    return push_qualifier(info, &qualifier);
}

static bool push_entry(CERTIFICATEPOLICIES *policies, const struct entry *entry)
{
    sg_auto(POLICYINFO) POLICYINFO *info = POLICYINFO_new();

    if (info == NULL)
        return false;
    info->policyid = OBJ_txt2obj(entry->oid, 1);
    if (info->policyid == NULL || (entry->cps != NULL && !add_cps(info, entry->cps)) ||
        (entry->notice != NULL && !add_notice(info, entry->notice)) ||
        sk_POLICYINFO_push(policies, info) <= 0)
        return false;
    info = NULL; /* policies' own now */
    return true;
}

static bool is_there(const CERTIFICATEPOLICIES *policies, const char *oid)
{
    char text[SG_LIMIT_OID];

    for (int i = 0; i < sk_POLICYINFO_num(policies); i++) {
        if (strcmp(sg_oid_text(sk_POLICYINFO_value(policies, i)->policyid, text), oid) == 0)
            return true;
    }
    return false;
}

struct reading {
    CERTIFICATEPOLICIES *policies;
    struct sg_policy_fixed *fixed;
};

static bool read_entry(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    struct reading *reading = into;
    struct entry entry = {0};

    if (!sg_yaml_mapping(document, node, FIELDS, &entry, error))
        return false;
    if (is_there(reading->policies, entry.oid))
        return sg_yaml_fail(document, node, error, "policy %s is here twice (RFC 5280 4.2.1.4)",
                            entry.oid);
    if (!push_entry(reading->policies, &entry))
        return sg_fail_memory(error);
    return sg_policy_fixed_say(reading->fixed, error, "%s%s%s%s", entry.oid,
                               entry.cps != NULL ? " " : "", entry.cps != NULL ? entry.cps : "",
                               entry.notice != NULL ? " with a notice" : "");
}

bool sg_policy_read_certificate_policies(const struct sg_yaml *document,
                                         const struct sg_yaml_node *node, void *into,
                                         struct sg_error *error)
{
    struct sg_policy *policy = into;
    struct sg_policy_fixed *fixed = &policy->fixed[SG_FIXED_CERTIFICATE_POLICIES];
    sg_auto(CERTIFICATEPOLICIES) CERTIFICATEPOLICIES *policies = CERTIFICATEPOLICIES_new();
    struct reading reading = {policies, fixed};

    if (policies == NULL)
        return sg_fail_memory(error);
    fixed->node = node;
    return sg_policy_check_list(document, node, "certificate_policies", MOST_POLICIES, error) &&
           sg_yaml_each(document, node, read_entry, &reading, error) &&
           sg_policy_fix(fixed, SG_FIXED_CERTIFICATE_POLICIES, policies, error);
}
