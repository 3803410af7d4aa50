#include <limits.h>

#include "attach.h"
#include "cert.h"
#include "extensions.h"

/* A TBSCertificate (RFC 5280 4.1) is put together of its elements, each encoded by OpenSSL or as it
 * came: the issuer's name and the key stay the bytes that they are. */

static bool append_item(struct sg_buf *content, const void *value, const ASN1_ITEM *item,
                        struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = ASN1_item_i2d(value, &bytes, item);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, "RFC 5280 4.1", "can't encode the certificate");
    return sg_buf_append(content, bytes, (size_t)len, INT_MAX, error);
}

static bool append_version(struct sg_buf *content, struct sg_error *error)
{
    static const uint8_t V3[] = {0xa0, 3, V_ASN1_INTEGER, 1, X509_VERSION_3};

    return sg_buf_append(content, V3, sizeof V3, INT_MAX, error);
}

static bool append_serial(struct sg_buf *content, const struct sg_serial *serial,
                          struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *number = BN_bin2bn(serial->bytes, (int)serial->len, NULL);
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *integer =
        number != NULL ? BN_to_ASN1_INTEGER(number, NULL) : NULL;

    if (integer == NULL)
        return sg_fail_memory(error);
    return append_item(content, integer, ASN1_ITEM_rptr(ASN1_INTEGER), error);
}

static bool append_algorithm(struct sg_buf *content, enum sg_scheme scheme, struct sg_error *error)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;

    return sg_scheme_algorithm(scheme, &algorithm, error) &&
           append_item(content, algorithm, ASN1_ITEM_rptr(X509_ALGOR), error);
}

static bool append_name(struct sg_buf *content, const X509_NAME *name, struct sg_error *error)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;

    if (X509_NAME_get0_der(name, &bytes, &len) != 1)
        return sg_fail_openssl(error, SG_INTERNAL, "RFC 5280 4.1", "can't encode the certificate");
    return sg_buf_append(content, bytes, len, INT_MAX, error);
}

static bool append_validity(struct sg_buf *content, const struct sg_plan *plan,
                            struct sg_error *error)
{
    sg_auto(ASN1_TIME) ASN1_TIME *from = ASN1_TIME_new(), *to = ASN1_TIME_new();

    if (from == NULL || to == NULL)
        return sg_fail_memory(error);
    if (plan->not_before > plan->not_after)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1.2.5",
                       "the certificate would end before it begins");
    return sg_signed_time(from, plan->not_before, "notBefore", error) &&
           sg_signed_time(to, plan->not_after, "notAfter", error) &&
           append_item(content, &(X509_VAL){from, to}, ASN1_ITEM_rptr(X509_VAL), error);
}

static bool append_key(struct sg_buf *content, const struct sg_public_key *key,
                       struct sg_error *error)
{
    if (key->spki.len == 0 || key->spki.len > SG_LIMIT_SPKI)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1.2.7", "a public key of %zu bytes",
                       key->spki.len);
    return sg_buf_append(content, key->spki.data, key->spki.len, INT_MAX, error);
}

static bool append_extensions(struct sg_buf *content, const struct sg_plan *plan,
                              const struct sg_issuer_facts *issuer, const struct sg_public_key *key,
                              struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf list = {0};

    return sg_cert_extensions(plan, issuer, key, &list, error) &&
           sg_signed_append_header(content, SG_DER_EXTENSIONS, list.len, INT_MAX, error) &&
           sg_buf_append(content, list.data, list.len, INT_MAX, error);
}

/* The plan's subject, and the issuer's name: byte for byte the subject of the issuer's certificate
 * (RFC 5280 4.1.2.4), or the plan's subject when the issuer certifies itself. */
static bool append_names_and_key(struct sg_buf *content, const struct sg_plan *plan,
                                 const struct sg_issuer_facts *issuer,
                                 const struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *subject = NULL;
    const X509_NAME *name;

    if (!sg_name_encode(&plan->subject, &subject, error))
        return sg_error_prefix(error, "subject");
    name = issuer->certificate != NULL ? X509_get_subject_name(issuer->certificate) : subject;
    return append_name(content, name, error) && append_validity(content, plan, error) &&
           append_name(content, subject, error) && append_key(content, key, error);
}

static bool wrap(const struct sg_buf *content, struct sg_buf *tbs, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf fresh = {0};

    if (!sg_signed_append_header(&fresh, SG_DER_SEQUENCE, content->len, INT_MAX, error) ||
        !sg_buf_append(&fresh, content->data, content->len, INT_MAX, error))
        return false;
    if (fresh.len > SG_LIMIT_CERTIFICATE)
        return sg_fail(error, SG_REFUSED, NULL,
                       "the certificate would be %zu bytes, %d are the limit: shorten its names or "
                       "extensions",
                       fresh.len, SG_LIMIT_CERTIFICATE);
    sg_buf_free(tbs);
    *tbs = fresh;
    fresh = (struct sg_buf){0};
    return true;
}

bool sg_cert_build(const struct sg_plan *plan, const struct sg_issuer_facts *issuer,
                   const struct sg_public_key *key, const struct sg_serial *serial,
                   struct sg_buf *tbs, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf content = {0};

    return append_version(&content, error) && append_serial(&content, serial, error) &&
           append_algorithm(&content, issuer->scheme, error) &&
           append_names_and_key(&content, plan, issuer, key, error) &&
           append_extensions(&content, plan, issuer, key, error) && wrap(&content, tbs, error);
}
