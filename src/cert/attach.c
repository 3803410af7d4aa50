#include "attach.h"

#include <limits.h>
#include <openssl/err.h>

#include "base/clock.h"
#include "base/der.h"
#include "cert.h"
#include "model/undecoded.h"

bool sg_signed_append_header(struct sg_buf *der, uint8_t tag, size_t len, size_t limit,
                             struct sg_error *error)
{
    uint8_t header[2 + sizeof(int)], *end = header;

    if (len > INT_MAX)
        return sg_fail(error, SG_INTERNAL, NULL, "%zu bytes are too many for one element", len);
    ASN1_put_object(&end, 0, (int)len, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL);
    header[0] = tag; /* any tag of one octet has the same length behind it */
    return sg_buf_append(der, header, (size_t)(end - header), limit, error);
}

/* A BIT STRING of whole octets: none of its bits are unused. */
static bool append_bits(struct sg_buf *der, struct sg_slice bits, size_t limit,
                        struct sg_error *error)
{
    return sg_signed_append_header(der, SG_DER_BIT_STRING, 1 + bits.len, limit, error) &&
           sg_buf_append(der, "", 1, limit, error) &&
           sg_buf_append(der, bits.data, bits.len, limit, error);
}

/* SIGNED{} of RFC 5280 4.1.1. The content goes out as it was signed, byte for byte. */
bool sg_signed_encode(struct sg_slice content, X509_ALGOR *algorithm, struct sg_slice signature,
                      size_t limit, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *name = NULL;
    sg_auto(sg_buf) struct sg_buf tail = {0}, fresh = {0};
    struct sg_slice inside;
    int name_len;

    if (!sg_der_enter(content, SG_DER_SEQUENCE, &inside))
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1",
                       "the to-be-signed bytes are not one DER SEQUENCE");
    name_len = i2d_X509_ALGOR(algorithm, &name);
    if (name_len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "can't encode the signed object");
    if (!sg_buf_append(&tail, name, (size_t)name_len, limit, error) ||
        !append_bits(&tail, signature, limit, error) ||
        !sg_signed_append_header(&fresh, SG_DER_SEQUENCE, content.len + tail.len, limit, error) ||
        !sg_buf_append(&fresh, content.data, content.len, limit, error) ||
        !sg_buf_append(&fresh, tail.data, tail.len, limit, error))
        return false;
    sg_buf_free(der);
    *der = fresh;
    fresh = (struct sg_buf){0};
    return true;
}

bool sg_signed_decode_unsigned(struct sg_slice tbs, enum sg_scheme scheme, X509 **certificate,
                               struct sg_error *error)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;
    sg_auto(sg_buf) struct sg_buf shell = {0};
    const uint8_t *at = NULL;
    X509 *decoded = NULL;

    if (!sg_scheme_algorithm(scheme, &algorithm, error) ||
        !sg_signed_encode(tbs, algorithm, sg_slice_of("", 0), 2 * SG_LIMIT_CERTIFICATE, &shell,
                          error))
        return false;
    at = shell.data;
    decoded = sg_undecoded_certificate(&at, (long)shell.len);
    if (decoded == NULL)
        return sg_fail_openssl(error, SG_INTERNAL, "RFC 5280 4.1",
                               "the certificate that was built can't be decoded");
    *certificate = decoded;
    return true;
}

bool sg_signed_time(ASN1_TIME *time, int64_t moment, const char *what, struct sg_error *error)
{
    /* OpenSSL would write a year of five digits. */
    if (moment < 0 || moment > SG_TIME_NEVER)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1.2.5", "%s can't be written in X.509",
                       what);
    return ASN1_TIME_set(time, moment) != NULL || sg_fail_memory(error);
}

/* Whether der is three elements and the first still tbs, byte for byte. */
static bool carries(const struct sg_buf *der, struct sg_slice tbs)
{
    struct sg_der first, algorithm, signature;
    struct sg_slice inside;

    return sg_der_enter(sg_buf_slice(der), SG_DER_SEQUENCE, &inside) &&
           sg_der_next(&inside, &first) && sg_der_next(&inside, &algorithm) &&
           sg_der_next(&inside, &signature) && inside.len == 0 && sg_slice_equal(tbs, first.whole);
}

bool sg_cert_attach(struct sg_slice tbs, enum sg_scheme scheme, struct sg_slice signature,
                    struct sg_buf *der, struct sg_error *error)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;
    sg_auto(sg_buf) struct sg_buf fresh = {0};

    if (signature.len == 0 || signature.len > SG_LIMIT_SIGNATURE)
        return sg_fail(error, SG_INTERNAL, NULL, "a signature of %zu bytes is no signature",
                       signature.len);
    if (!sg_scheme_algorithm(scheme, &algorithm, error) ||
        !sg_signed_encode(tbs, algorithm, signature, SG_LIMIT_CERTIFICATE, &fresh, error))
        return false;
    if (!carries(&fresh, tbs))
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1.1.1",
                       "the certificate does not carry the bytes that were signed");
    sg_buf_free(der);
    *der = fresh;
    fresh = (struct sg_buf){0};
    return true;
}
