#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

#include "attach.h"
#include "base/der.h"
#include "base/text.h"
#include "lint_rules.h"

bool sg_lint_saw(struct sg_lint_view *view, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(view->found, sizeof view->found, format, arguments);
    va_end(arguments);
    sg_text_make_printable(view->found);
    return false;
}

struct sg_slice sg_lint_string(const ASN1_STRING *string)
{
    return sg_slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

int sg_lint_critical(const struct sg_lint_view *view, int nid)
{
    int at = X509_get_ext_by_NID(view->certificate, nid, -1);

    return at < 0 ? -1 : X509_EXTENSION_get_critical(X509_get_ext(view->certificate, at));
}

bool sg_lint_is_ca(const struct sg_lint_view *view)
{
    return view->constraints != NULL && view->constraints->ca != 0;
}

unsigned sg_lint_usage(const struct sg_lint_view *view)
{
    unsigned bits = 0;

    for (int bit = 0; view->key_usage != NULL && bit <= 8; bit++)
        if (ASN1_BIT_STRING_get_bit(view->key_usage, bit))
            bits |= 1U << bit;
    return bits;
}

bool sg_lint_has_purpose(const struct sg_lint_view *view, int nid)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(view->purposes); i++)
        if (OBJ_obj2nid(sk_ASN1_OBJECT_value(view->purposes, i)) == nid)
            return true;
    return false;
}

/* Whether the certificate's key is the known one, octet for octet: then that is it, decoded. */
static bool is_known(const struct sg_lint_view *view, const struct sg_public_key *known)
{
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    int len;

    if (known == NULL)
        return false;
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(view->certificate), &spki);
    return len > 0 && sg_slice_equal(sg_slice_of(spki, (size_t)len), sg_buf_slice(&known->spki));
}

/* A key that can't be decoded is missing; SG_LINT_FIELDS says so. */
static void decode_key(struct sg_lint_view *view, const struct sg_public_key *known)
{
    if (is_known(view, known) && EVP_PKEY_up_ref(known->pkey))
        view->key.pkey = known->pkey;
    else if (!sg_public_key_of_certificate(view->certificate, &view->key, NULL))
        ERR_clear_error();
}

/* A value that can't be decoded counts as absent here; SG_LINT_EXTENSIONS says so before any rule
 * that looks inside. */
static void decode_extensions(struct sg_lint_view *view)
{
    const X509 *from = view->certificate;

    view->constraints = X509_get_ext_d2i(from, NID_basic_constraints, NULL, NULL);
    view->key_usage = X509_get_ext_d2i(from, NID_key_usage, NULL, NULL);
    view->purposes = X509_get_ext_d2i(from, NID_ext_key_usage, NULL, NULL);
    view->subject_key_id = X509_get_ext_d2i(from, NID_subject_key_identifier, NULL, NULL);
    view->authority_key_id = X509_get_ext_d2i(from, NID_authority_key_identifier, NULL, NULL);
    view->alternative_names = X509_get_ext_d2i(from, NID_subject_alt_name, NULL, NULL);
    view->crl_points = X509_get_ext_d2i(from, NID_crl_distribution_points, NULL, NULL);
    view->information_access = X509_get_ext_d2i(from, NID_info_access, NULL, NULL);
    view->policies = X509_get_ext_d2i(from, NID_certificate_policies, NULL, NULL);
    view->name_constraints = X509_get_ext_d2i(from, NID_name_constraints, NULL, NULL);
    view->policy_constraints = X509_get_ext_d2i(from, NID_policy_constraints, NULL, NULL);
    view->inhibit_any_policy = X509_get_ext_d2i(from, NID_inhibit_any_policy, NULL, NULL);
}

static void view_done(struct sg_lint_view *view)
{
    X509_free(view->certificate);
    sg_public_key_done(&view->key);
    BASIC_CONSTRAINTS_free(view->constraints);
    ASN1_BIT_STRING_free(view->key_usage);
    EXTENDED_KEY_USAGE_free(view->purposes);
    ASN1_OCTET_STRING_free(view->subject_key_id);
    AUTHORITY_KEYID_free(view->authority_key_id);
    GENERAL_NAMES_free(view->alternative_names);
    CRL_DIST_POINTS_free(view->crl_points);
    AUTHORITY_INFO_ACCESS_free(view->information_access);
    CERTIFICATEPOLICIES_free(view->policies);
    NAME_CONSTRAINTS_free(view->name_constraints);
    POLICY_CONSTRAINTS_free(view->policy_constraints);
    ASN1_INTEGER_free(view->inhibit_any_policy);
}

SG_DEFINE_CLEANUP_IN_PLACE(sg_lint_view, view_done)

static bool apply(const struct sg_lint_rule *rule, struct sg_lint_view *view,
                  struct sg_error *error)
{
    view->found[0] = '\0';
    return rule->holds(view) ||
           sg_fail(error, SG_INTERNAL, rule->section,
                   "the certificate that was built must not be signed: %s%s%s", rule->what,
                   view->found[0] != '\0' ? "; found " : "", view->found);
}

const struct sg_lint_rule *const SG_LINT_TABLES[] = {
    SG_LINT_FIELDS, SG_LINT_NAMES,       SG_LINT_EXTENSIONS, SG_LINT_USAGE,  SG_LINT_IDENTIFIERS,
    SG_LINT_FORMS,  SG_LINT_OTHER_NAMES, SG_LINT_POLICIES,   SG_LINT_MATTER, NULL,
};

static bool apply_all(struct sg_lint_view *view, struct sg_error *error)
{
    for (size_t i = 0; SG_LINT_TABLES[i] != NULL; i++)
        for (const struct sg_lint_rule *rule = SG_LINT_TABLES[i]; rule->section != NULL; rule++)
            if (!apply(rule, view, error))
                return false;
    return true;
}

bool sg_lint(struct sg_slice tbs, const struct sg_issuer_facts *issuer, struct sg_error *error)
{
    return sg_lint_with_key(tbs, issuer, NULL, error);
}

bool sg_lint_with_key(struct sg_slice tbs, const struct sg_issuer_facts *issuer,
                      const struct sg_public_key *known, struct sg_error *error)
{
    /* the version, and the list of extensions */
    static const struct sg_der_tags TAGS = {.constructed = 1 << 0 | 1 << 3};
    sg_auto(sg_lint_view) struct sg_lint_view view = {.tbs = tbs, .issuer = issuer};
    bool passed;

    if (!sg_signed_decode_unsigned(tbs, issuer->scheme, &view.certificate, error))
        return false;
    view.is_strict = sg_der_is_strict(tbs, &TAGS);
    decode_key(&view, known);
    decode_extensions(&view);
    passed = apply_all(&view, error);
    if (ERR_peek_error() != 0) /* of values that can't be decoded; what they mean was said */
        ERR_clear_error();
    return passed;
}
