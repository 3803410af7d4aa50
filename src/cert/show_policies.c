#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "show_parts.h"

/* Text of at most SG_SHOW_TEXT bytes, or "(unreadable)". */
static int text_len(const ASN1_STRING *string, const char **text)
{
    int len = ASN1_STRING_length(string);

    *text = (const char *)ASN1_STRING_get0_data(string);
    if (len < SG_SHOW_TEXT && sg_text_check(sg_slice_of(*text, (size_t)len), "", NULL))
        return len;
    *text = "(unreadable)";
    return (int)strlen(*text);
}

static bool describe_qualifier(const POLICYQUALINFO *qualifier, json_t *lines)
{
    char oid[SG_LIMIT_OID];
    const char *text = NULL;
    int len;

    switch (OBJ_obj2nid(qualifier->pqualid)) {
    case NID_id_qt_cps:
        len = text_len(qualifier->d.cpsuri, &text);
        return sg_show_add(lines, "read it at %.*s", len, text);
    case NID_id_qt_unotice:
        if (qualifier->d.usernotice->exptext == NULL)
            return sg_show_add(lines, "a notice without text");
        if (ASN1_STRING_type(qualifier->d.usernotice->exptext) == V_ASN1_BMPSTRING)
            return sg_show_add(lines, "a notice in BMPString");
        len = text_len(qualifier->d.usernotice->exptext, &text);
        return sg_show_add(lines, "notice \"%.*s\"", len, text);
    default:
        return sg_show_add(lines, "qualifier %s", sg_oid_text(qualifier->pqualid, oid));
    }
}

bool sg_show_certificate_policies(void *value, json_t *lines)
{
    const CERTIFICATEPOLICIES *policies = value;
    char oid[SG_LIMIT_OID], known[SG_SHOW_OID];

    for (int i = 0; i < sk_POLICYINFO_num(policies); i++) {
        const POLICYINFO *info = sk_POLICYINFO_value(policies, i);

        sg_oid_text(info->policyid, oid);
        if (!sg_show_add(lines, "%s",
                         strcmp(oid, "2.5.29.32.0") == 0 ? "anyPolicy"
                                                         : sg_show_known_oid(oid, oid, known)))
            return false;
        for (int j = 0; j < sk_POLICYQUALINFO_num(info->qualifiers); j++)
            if (!describe_qualifier(sk_POLICYQUALINFO_value(info->qualifiers, j), lines))
                return false;
    }
    return true;
}

/* "192.0.2.0/24", or address and mask when that is no prefix. */
static bool describe_network(const char *prefix, const ASN1_OCTET_STRING *octets, json_t *lines)
{
    int half = ASN1_STRING_length(octets) / 2, family = half == 4 ? AF_INET : AF_INET6;
    const uint8_t *bytes = ASN1_STRING_get0_data(octets);
    char address[INET6_ADDRSTRLEN], mask[INET6_ADDRSTRLEN];
    int bits = 0;

    if ((half != 4 && half != 16) || ASN1_STRING_length(octets) % 2 != 0)
        return sg_show_add_hex(lines, prefix,
                               sg_slice_of(bytes, (size_t)ASN1_STRING_length(octets)),
                               SG_SHOW_HEX_BYTES);
    while (bits < 8 * half && (bytes[half + bits / 8] & 0x80 >> bits % 8) != 0)
        bits++;
    if (inet_ntop(family, bytes, address, sizeof address) == NULL ||
        inet_ntop(family, bytes + half, mask, sizeof mask) == NULL)
        return sg_show_add(lines, "%s(unreadable)", prefix);
    for (int bit = bits; bit < 8 * half; bit++)
        if ((bytes[half + bit / 8] & 0x80 >> bit % 8) != 0)
            return sg_show_add(lines, "%sip:%s mask %s", prefix, address, mask);
    return sg_show_add(lines, "%sip:%s/%d", prefix, address, bits);
}

static bool describe_subtree(const char *prefix, const GENERAL_NAME *name, json_t *lines)
{
    char text[SG_SHOW_TEXT];
    const char *value = NULL;
    int type = 0, len;
    void *base = GENERAL_NAME_get0_value(name, &type);

    switch (type) {
    case GEN_EMAIL:
    case GEN_DNS:
    case GEN_URI:
        len = text_len(base, &value);
        return sg_show_add(lines, "%s%s:%.*s", prefix,
                           type == GEN_EMAIL ? "email"
                           : type == GEN_DNS ? "dns"
                                             : "uri",
                           len, value);
    case GEN_IPADD:
        return describe_network(prefix, base, lines);
    case GEN_DIRNAME:
        return sg_show_add(lines, "%sdirname:%s", prefix, sg_show_name(base, text));
    default:
        return sg_show_add(lines, "%sa name of another kind", prefix);
    }
}

static bool describe_subtrees(const char *prefix, const STACK_OF(GENERAL_SUBTREE) * subtrees,
                              json_t *lines)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++)
        if (!describe_subtree(prefix, sk_GENERAL_SUBTREE_value(subtrees, i)->base, lines))
            return false;
    return true;
}

bool sg_show_name_constraints(void *value, json_t *lines)
{
    const NAME_CONSTRAINTS *constraints = value;

    return describe_subtrees("permitted ", constraints->permittedSubtrees, lines) &&
           describe_subtrees("excluded ", constraints->excludedSubtrees, lines);
}

static bool describe_count(const char *what, const ASN1_INTEGER *count, json_t *lines)
{
    long number = count != NULL ? ASN1_INTEGER_get(count) : 0;

    if (count == NULL)
        return true;
    if (number == 0)
        return sg_show_add(lines, "%s at once", what);
    return sg_show_add(lines, "%s after %ld certificate%s", what, number, number == 1 ? "" : "s");
}

bool sg_show_policy_constraints(void *value, json_t *lines)
{
    const POLICY_CONSTRAINTS *constraints = value;

    return describe_count("explicit policy required", constraints->requireExplicitPolicy, lines) &&
           describe_count("policy mapping inhibited", constraints->inhibitPolicyMapping, lines);
}

bool sg_show_inhibit_any_policy(void *value, json_t *lines)
{
    return describe_count("anyPolicy inhibited", value, lines);
}

bool sg_show_sid(struct sg_slice value, json_t *lines, bool *done)
{
    const uint8_t *at = value.data;
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &at, (long)value.len);
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
    const char *text = NULL;
    int len;

    if (sk_GENERAL_NAME_num(names) != 1 || at != value.data + value.len ||
        name->type != GEN_OTHERNAME ||
        ASN1_TYPE_get(name->d.otherName->value) != V_ASN1_OCTET_STRING)
        return true;
    len = text_len(name->d.otherName->value->value.octet_string, &text);
    *done = true;
    return sg_show_add(lines, "%.*s", len, text);
}
