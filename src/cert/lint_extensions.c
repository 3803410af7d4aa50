#include <openssl/asn1.h>
#include <string.h>

#include "base/der.h"
#include "lint_rules.h"

static const char *word_of(X509_EXTENSION *extension, char oid[SG_LIMIT_OID])
{
    return sg_oid_extension_word(sg_oid_text(X509_EXTENSION_get_object(extension), oid));
}

static bool has_no_extension_twice(struct sg_lint_view *view)
{
    const X509 *certificate = view->certificate;
    char oid[SG_LIMIT_OID];

    for (int i = 0; i < X509_get_ext_count(certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(certificate, i);

        if (X509_get_ext_by_OBJ(certificate, X509_EXTENSION_get_object(extension), i) >= 0)
            return sg_lint_saw(view, "%s", word_of(extension, oid));
    }
    return true;
}

/* SG_LINT_IDENTIFIERS and SG_LINT_OTHER_NAMES say more exactly why these can't be critical. */
static bool has_own_rule(X509_EXTENSION *extension)
{
    char oid[SG_LIMIT_OID];

    if (strcmp(sg_oid_text(X509_EXTENSION_get_object(extension), oid), "1.3.6.1.4.1.311.25.2") == 0)
        return true;
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(extension))) {
    case NID_subject_key_identifier:
    case NID_authority_key_identifier:
    case NID_info_access:
    case NID_sinfo_access:
        return true;
    default:
        return false;
    }
}

static bool has_known_critical_extensions(struct sg_lint_view *view)
{
    char oid[SG_LIMIT_OID];

    for (int i = 0; i < X509_get_ext_count(view->certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(view->certificate, i);

        if (X509_EXTENSION_get_critical(extension) && !X509_supported_extension(extension) &&
            !has_own_rule(extension))
            return sg_lint_saw(view, "%s", word_of(extension, oid));
    }
    return true;
}

/* Decodes value as item and encodes it again: the same bytes, and none left over. */
static bool item_is_der(struct sg_slice value, const ASN1_ITEM *item)
{
    const uint8_t *at = value.data;
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    ASN1_VALUE *decoded = ASN1_item_d2i(NULL, &at, (long)value.len, item);
    int len = decoded != NULL ? ASN1_item_i2d(decoded, &bytes, item) : -1;

    ASN1_item_free(decoded, item);
    return len >= 0 && at == value.data + value.len &&
           sg_slice_equal(value, sg_slice_of(bytes, (size_t)len));
}

/* Made afresh, critical is left out or 0xff; OpenSSL keeps any other form that it reads. */
static bool flag_is_der(X509_EXTENSION *extension)
{
    sg_auto(X509_EXTENSION) X509_EXTENSION *fresh = X509_EXTENSION_create_by_OBJ(
        NULL, X509_EXTENSION_get_object(extension), X509_EXTENSION_get_critical(extension),
        X509_EXTENSION_get_data(extension));
    sg_auto(openssl_bytes) uint8_t *wanted = NULL;
    sg_auto(openssl_bytes) uint8_t *found = NULL;
    int wanted_len = i2d_X509_EXTENSION(fresh, &wanted);
    int found_len = i2d_X509_EXTENSION(extension, &found);

    return wanted_len > 0 && found_len > 0 &&
           sg_slice_equal(sg_slice_of(wanted, (size_t)wanted_len),
                          sg_slice_of(found, (size_t)found_len));
}

static bool value_is_der(X509_EXTENSION *extension)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
    const ASN1_ITEM *item = ASN1_ITEM_rptr(ASN1_ANY);

    if (method != NULL && method->it != NULL)
        item = ASN1_ITEM_ptr(method->it);
    return item_is_der(sg_lint_string(X509_EXTENSION_get_data(extension)), item);
}

bool sg_lint_extension_is_der(X509_EXTENSION *extension)
{
    return flag_is_der(extension) && value_is_der(extension);
}

/* The extensions that nearly every certificate has, with the context-specific tags in their values
 * (RFC 5280 4.2.1). A value that was decoded and is strict need not be encoded again. */
static bool value_is_strict(const struct sg_lint_view *view, X509_EXTENSION *extension)
{
    static const struct sg_der_tags KEY_ID = {.primitive = 1 << 0}, URI = {.primitive = 1 << 6};
    static const struct sg_der_tags POINT = {.primitive = 1 << 6, .constructed = 1 << 0};
    static const struct sg_der_tags NAME = {
        .primitive = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 7 | 1 << 8,
        .constructed = 1 << 0 | 1 << 4,
    };
    const struct {
        int nid;
        const void *decoded;
        const struct sg_der_tags *tags;
    } KNOWN[] = {
        {NID_basic_constraints, view->constraints, NULL},
        {NID_key_usage, view->key_usage, NULL},
        {NID_ext_key_usage, view->purposes, NULL},
        {NID_subject_key_identifier, view->subject_key_id, NULL},
        {NID_authority_key_identifier, view->authority_key_id, &KEY_ID},
        {NID_subject_alt_name, view->alternative_names, &NAME},
        {NID_crl_distribution_points, view->crl_points, &POINT},
        {NID_info_access, view->information_access, &URI},
        {NID_certificate_policies, view->policies, NULL},
    };
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (KNOWN[i].nid == nid)
            return KNOWN[i].decoded != NULL &&
                   sg_der_is_strict(sg_lint_string(X509_EXTENSION_get_data(extension)),
                                    KNOWN[i].tags);
    return false;
}

static bool has_der_extensions(struct sg_lint_view *view)
{
    char oid[SG_LIMIT_OID];

    for (int i = 0; i < X509_get_ext_count(view->certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(view->certificate, i);

        if ((view->is_strict || flag_is_der(extension)) &&
            (value_is_strict(view, extension) || value_is_der(extension)))
            continue;
        return sg_lint_saw(view, "%s", word_of(extension, oid));
    }
    return true;
}

/* An OCSP responder's mark means nothing, and frees from revocation, anywhere else. */
static bool has_no_check_only_for_ocsp(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_id_pkix_OCSP_noCheck) < 0 ||
           sg_lint_has_purpose(view, NID_OCSP_sign);
}

static bool has_no_check_not_critical(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_id_pkix_OCSP_noCheck) != 1;
}

static bool has_subject_access_not_critical(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_sinfo_access) != 1;
}

static bool has_some_subject_access(struct sg_lint_view *view)
{
    AUTHORITY_INFO_ACCESS *access =
        X509_get_ext_d2i(view->certificate, NID_sinfo_access, NULL, NULL);
    bool is_empty = access != NULL && sk_ACCESS_DESCRIPTION_num(access) == 0;

    AUTHORITY_INFO_ACCESS_free(access);
    return !is_empty;
}

const struct sg_lint_rule SG_LINT_EXTENSIONS[] = {
    {"RFC 5280 4.2", "no extension may be there twice", has_no_extension_twice},
    {"RFC 5280 4.2", "no extension that verifiers don't know may be critical",
     has_known_critical_extensions},
    {"X.690 10", "extensions must be DER without trailing data", has_der_extensions},
    {"RFC 5280 4.2.2.2", "subjectInfoAccess must not be critical", has_subject_access_not_critical},
    {"RFC 5280 4.2.2.2", "subjectInfoAccess must not be empty", has_some_subject_access},
    {"RFC 6960 4.2.2.2.1", "ocspNoCheck must go with the purpose OCSPSigning",
     has_no_check_only_for_ocsp},
    {"RFC 6960 4.2.2.2.1", "ocspNoCheck must not be critical", has_no_check_not_critical},
    {0},
};
