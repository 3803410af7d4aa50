#include <string.h>
#include <strings.h>

#include "lint_rules.h"

enum { SHA1_LEN = 20 };

static bool has_subject_key_id(struct sg_lint_view *view)
{
    return view->subject_key_id != NULL;
}

static bool has_subject_key_id_not_critical(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_subject_key_identifier) == 0;
}

static struct sg_slice digest_of_key(const X509 *certificate, uint8_t digest[SHA1_LEN])
{
    unsigned len = 0;

    if (!X509_pubkey_digest(certificate, EVP_sha1(), digest, &len))
        len = 0;
    return sg_slice_of(digest, len);
}

static bool has_its_subject_key_id(struct sg_lint_view *view)
{
    uint8_t digest[SHA1_LEN];

    return sg_slice_equal(sg_lint_string(view->subject_key_id),
                          digest_of_key(view->certificate, digest));
}

static bool has_authority_key_id(struct sg_lint_view *view)
{
    return view->issuer->certificate == NULL ||
           (view->authority_key_id != NULL && view->authority_key_id->keyid != NULL);
}

/* Issuer and serial number would come together or not at all; Signet leaves them out, as they would
 * tie the certificate to one certificate of an issuer that may be renewed. */
static bool has_authority_key_id_alone(struct sg_lint_view *view)
{
    return view->authority_key_id == NULL ||
           (view->authority_key_id->issuer == NULL && view->authority_key_id->serial == NULL);
}

static bool has_authority_key_id_not_critical(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_authority_key_identifier) != 1;
}

bool sg_lint_is_key_id_of(const ASN1_OCTET_STRING *id, const X509 *issuer)
{
    uint8_t digest[SHA1_LEN];
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *own =
        X509_get_ext_d2i(issuer, NID_subject_key_identifier, NULL, NULL);

    return sg_slice_equal(sg_lint_string(id),
                          own != NULL ? sg_lint_string(own) : digest_of_key(issuer, digest));
}

static bool has_the_issuers_key_id(struct sg_lint_view *view)
{
    const X509 *issuer =
        view->issuer->certificate != NULL ? view->issuer->certificate : view->certificate;

    return view->authority_key_id == NULL || view->authority_key_id->keyid == NULL ||
           sg_lint_is_key_id_of(view->authority_key_id->keyid, issuer);
}

static bool has_some_alternative_name(struct sg_lint_view *view)
{
    return view->alternative_names == NULL || sk_GENERAL_NAME_num(view->alternative_names) > 0;
}

static bool has_alternative_names_critical_if_alone(struct sg_lint_view *view)
{
    bool alone = X509_NAME_entry_count(X509_get_subject_name(view->certificate)) == 0;
    int critical = sg_lint_critical(view, NID_subject_alt_name);

    return critical < 0 || critical == (alone ? 1 : 0);
}

/* The text of an email, dns or uri name; NULL for the other kinds. */
static const ASN1_STRING *text_of(const GENERAL_NAME *name)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

    return type == GEN_EMAIL || type == GEN_DNS || type == GEN_URI ? value : NULL;
}

/* The bytes of an alternative name that must be some. */
static bool is_empty_name(const GENERAL_NAME *name)
{
    int type = 0;
    const void *value = GENERAL_NAME_get0_value(name, &type);

    switch (type) {
    case GEN_DIRNAME:
        return X509_NAME_entry_count(value) == 0;
    case GEN_OTHERNAME:
        return name->d.otherName->value == NULL;
    case GEN_EMAIL:
    case GEN_DNS:
    case GEN_URI:
    case GEN_IPADD:
        return ASN1_STRING_length(value) == 0;
    default:
        return false;
    }
}

static bool every_alternative_name(struct sg_lint_view *view,
                                   bool (*check)(const GENERAL_NAME *name))
{
    for (int i = 0; i < sk_GENERAL_NAME_num(view->alternative_names); i++)
        if (!check(sk_GENERAL_NAME_value(view->alternative_names, i)))
            return sg_lint_saw(view, "the name at place %d", i + 1);
    return true;
}

static bool is_some_name(const GENERAL_NAME *name)
{
    return !is_empty_name(name);
}

static bool is_visible_ascii(const ASN1_STRING *string)
{
    struct sg_slice text = sg_lint_string(string);

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return true;
}

static bool is_ascii_name(const GENERAL_NAME *name)
{
    const ASN1_STRING *text = text_of(name);

    return text == NULL || is_visible_ascii(text);
}

static bool is_whole_address(const GENERAL_NAME *name)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

    return type != GEN_IPADD || ASN1_STRING_length(value) == 4 || ASN1_STRING_length(value) == 16;
}

static bool has_no_empty_name(struct sg_lint_view *view)
{
    return every_alternative_name(view, is_some_name);
}

static bool has_ascii_names(struct sg_lint_view *view)
{
    return every_alternative_name(view, is_ascii_name);
}

static bool has_whole_addresses(struct sg_lint_view *view)
{
    return every_alternative_name(view, is_whole_address);
}

static bool is_http(const GENERAL_NAME *name)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    const char *text;

    if (type != GEN_URI || !is_visible_ascii(value))
        return false;
    text = (const char *)ASN1_STRING_get0_data(value);
    return (strncasecmp(text, "http://", 7) == 0 && text[7] != '\0') ||
           (strncasecmp(text, "https://", 8) == 0 && text[8] != '\0');
}

static bool has_crl_points_not_critical(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_crl_distribution_points) != 1;
}

static bool point_is_http(const DIST_POINT *point)
{
    const GENERAL_NAMES *names;

    if (point->distpoint == NULL || point->distpoint->type != 0)
        return false;
    names = point->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (!is_http(sk_GENERAL_NAME_value(names, i)))
            return false;
    return sk_GENERAL_NAME_num(names) > 0;
}

static bool has_http_crl_points(struct sg_lint_view *view)
{
    for (int i = 0; i < sk_DIST_POINT_num(view->crl_points); i++)
        if (!point_is_http(sk_DIST_POINT_value(view->crl_points, i)))
            return false;
    return view->crl_points == NULL || sk_DIST_POINT_num(view->crl_points) > 0;
}

/* Its CRLs are by the certificate's issuer, and say every reason. */
static bool has_plain_crl_points(struct sg_lint_view *view)
{
    for (int i = 0; i < sk_DIST_POINT_num(view->crl_points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(view->crl_points, i);

        if (point->reasons != NULL || point->CRLissuer != NULL)
            return false;
    }
    return true;
}

static bool has_information_access_not_critical(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_info_access) != 1;
}

static bool has_http_information_access(struct sg_lint_view *view)
{
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(view->information_access); i++)
        if (!is_http(sk_ACCESS_DESCRIPTION_value(view->information_access, i)->location))
            return false;
    return view->information_access == NULL ||
           sk_ACCESS_DESCRIPTION_num(view->information_access) > 0;
}

static bool has_known_access_methods(struct sg_lint_view *view)
{
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(view->information_access); i++) {
        int method = OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(view->information_access, i)->method);

        if (method != NID_ad_OCSP && method != NID_ad_ca_issuers)
            return false;
    }
    return true;
}

const struct sg_lint_rule SG_LINT_IDENTIFIERS[] = {
    {"RFC 5280 4.2.1.2", "subjectKeyIdentifier must be there", has_subject_key_id},
    {"RFC 5280 4.2.1.2", "subjectKeyIdentifier must not be critical",
     has_subject_key_id_not_critical},
    {"RFC 5280 4.2.1.2", "subjectKeyIdentifier must be that of the key", has_its_subject_key_id},
    {"RFC 5280 4.2.1.1", "authorityKeyIdentifier must have a key identifier", has_authority_key_id},
    {"RFC 5280 4.2.1.1", "authorityKeyIdentifier must have no issuer and serial number",
     has_authority_key_id_alone},
    {"RFC 5280 4.2.1.1", "authorityKeyIdentifier must not be critical",
     has_authority_key_id_not_critical},
    {"RFC 5280 4.2.1.1", "authorityKeyIdentifier must be the issuer's subjectKeyIdentifier",
     has_the_issuers_key_id},
    {"RFC 5280 4.2.1.6", "subjectAltName must not be empty", has_some_alternative_name},
    {"RFC 5280 4.2.1.6", "subjectAltName must be critical exactly if the subject is empty",
     has_alternative_names_critical_if_alone},
    {"RFC 5280 4.2.1.6", "no name in subjectAltName may be empty", has_no_empty_name},
    {"RFC 5280 4.2.1.6", "email, dns and uri names must be visible ASCII", has_ascii_names},
    {"RFC 5280 4.2.1.6", "an ip name must have 4 or 16 octets", has_whole_addresses},
    {"RFC 5280 4.2.1.13", "cRLDistributionPoints must not be critical",
     has_crl_points_not_critical},
    {"RFC 5280 4.2.1.13", "cRLDistributionPoints must be http or https URLs", has_http_crl_points},
    {"RFC 5280 4.2.1.13", "a CRL distribution point must have no reasons and no cRLIssuer",
     has_plain_crl_points},
    {"RFC 5280 4.2.2.1", "authorityInfoAccess must not be critical",
     has_information_access_not_critical},
    {"RFC 5280 4.2.2.1", "authorityInfoAccess must be http or https URLs",
     has_http_information_access},
    {"RFC 5280 4.2.2.1", "authorityInfoAccess must have no method but ocsp and caIssuers",
     has_known_access_methods},
    {0},
};
