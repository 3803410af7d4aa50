#include <limits.h>
#include <openssl/asn1t.h>

#include "attach.h"
#include "cert.h"
#include "extensions.h"

/* TBSCertificate (RFC 5280 4.1), written by OpenSSL from this template. The key is ASN1_ANY, so
 * that its bytes go in as they came, without being decoded and encoded anew. */
struct tbs_certificate {
    ASN1_INTEGER *version;
    ASN1_INTEGER *serial;
    X509_ALGOR *algorithm;
    X509_NAME *issuer;
    X509_VAL *validity;
    X509_NAME *subject;
    ASN1_TYPE *key;
    X509_EXTENSIONS *extensions;
};

// clang-format off
ASN1_SEQUENCE(TBS_CERTIFICATE) = {
    ASN1_EXP(struct tbs_certificate, version, ASN1_INTEGER, 0),
    ASN1_SIMPLE(struct tbs_certificate, serial, ASN1_INTEGER),
    ASN1_SIMPLE(struct tbs_certificate, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct tbs_certificate, issuer, X509_NAME),
    ASN1_SIMPLE(struct tbs_certificate, validity, X509_VAL),
    ASN1_SIMPLE(struct tbs_certificate, subject, X509_NAME),
    ASN1_SIMPLE(struct tbs_certificate, key, ASN1_ANY),
    ASN1_EXP_SEQUENCE_OF(struct tbs_certificate, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END_name(struct tbs_certificate, TBS_CERTIFICATE);
// clang-format on

static void draft_free(struct tbs_certificate *draft)
{
    ASN1_item_free((ASN1_VALUE *)draft, ASN1_ITEM_rptr(TBS_CERTIFICATE));
}

typedef struct tbs_certificate tbs_certificate;
SG_DEFINE_CLEANUP(tbs_certificate, draft_free)

static bool set_version(struct tbs_certificate *draft, struct sg_error *error)
{
    return ASN1_INTEGER_set(draft->version, X509_VERSION_3) || sg_fail_memory(error);
}

static bool set_serial(struct tbs_certificate *draft, const struct sg_serial *serial,
                       struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *number = BN_bin2bn(serial->bytes, (int)serial->len, NULL);

    return (number != NULL && BN_to_ASN1_INTEGER(number, draft->serial) != NULL) ||
           sg_fail_memory(error);
}

static bool set_algorithm(struct tbs_certificate *draft, enum sg_scheme scheme,
                          struct sg_error *error)
{
    X509_ALGOR *algorithm = NULL;

    if (!sg_scheme_algorithm(scheme, &algorithm, error))
        return false;
    X509_ALGOR_free(draft->algorithm);
    draft->algorithm = algorithm;
    return true;
}

/* The plan's subject, and the issuer's name: byte for byte the subject of the issuer's certificate
 * (RFC 5280 4.1.2.4), or the plan's subject when the issuer certifies itself. */
static bool set_names(struct tbs_certificate *draft, const struct sg_plan *plan,
                      const struct sg_issuer_facts *issuer, struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *subject = NULL;
    const X509_NAME *issuer_name;

    if (!sg_name_encode(&plan->subject, &subject, error))
        return sg_error_prefix(error, "subject");
    issuer_name =
        issuer->certificate != NULL ? X509_get_subject_name(issuer->certificate) : subject;
    return (X509_NAME_set(&draft->issuer, issuer_name) &&
            X509_NAME_set(&draft->subject, subject)) ||
           sg_fail_memory(error);
}

static bool set_validity(struct tbs_certificate *draft, const struct sg_plan *plan,
                         struct sg_error *error)
{
    if (plan->not_before > plan->not_after)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1.2.5",
                       "the certificate would end before it begins");
    return sg_signed_time(draft->validity->notBefore, plan->not_before, "notBefore", error) &&
           sg_signed_time(draft->validity->notAfter, plan->not_after, "notAfter", error);
}

static bool set_key(struct tbs_certificate *draft, const struct sg_public_key *key,
                    struct sg_error *error)
{
    sg_auto(ASN1_STRING) ASN1_STRING *spki = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

    if (key->spki.len == 0 || key->spki.len > SG_LIMIT_SPKI)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1.2.7", "a public key of %zu bytes",
                       key->spki.len);
    if (spki == NULL || !ASN1_STRING_set(spki, key->spki.data, (int)key->spki.len))
        return sg_fail_memory(error);
    ASN1_TYPE_set(draft->key, V_ASN1_SEQUENCE, SG_TAKE(spki));
    return true;
}

static bool set_extensions(struct tbs_certificate *draft, const struct sg_plan *plan,
                           const struct sg_issuer_facts *issuer, const struct sg_public_key *key,
                           struct sg_error *error)
{
    sk_X509_EXTENSION_pop_free(draft->extensions, X509_EXTENSION_free);
    draft->extensions = NULL;
    return sg_cert_extensions(plan, issuer, key, &draft->extensions, error);
}

static bool encode(const struct tbs_certificate *draft, struct sg_buf *tbs, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = ASN1_item_i2d((const ASN1_VALUE *)draft, &bytes, ASN1_ITEM_rptr(TBS_CERTIFICATE));

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, "RFC 5280 4.1", "can't encode the certificate");
    if (len > SG_LIMIT_CERTIFICATE)
        return sg_fail(error, SG_REFUSED, NULL,
                       "the certificate would be %d bytes, %d are the limit: shorten its names or "
                       "extensions",
                       len, SG_LIMIT_CERTIFICATE);
    return sg_buf_set(tbs, sg_slice_of(bytes, (size_t)len), error);
}

bool sg_cert_build(const struct sg_plan *plan, const struct sg_issuer_facts *issuer,
                   const struct sg_public_key *key, const struct sg_serial *serial,
                   struct sg_buf *tbs, struct sg_error *error)
{
    sg_auto(tbs_certificate) struct tbs_certificate *draft =
        (struct tbs_certificate *)ASN1_item_new(ASN1_ITEM_rptr(TBS_CERTIFICATE));

    if (draft == NULL)
        return sg_fail_memory(error);
    return set_version(draft, error) && set_serial(draft, serial, error) &&
           set_algorithm(draft, issuer->scheme, error) && set_names(draft, plan, issuer, error) &&
           set_validity(draft, plan, error) && set_key(draft, key, error) &&
           set_extensions(draft, plan, issuer, key, error) && encode(draft, tbs, error);
}
