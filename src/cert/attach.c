#include "attach.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "base/clock.h"
#include "cert.h"
#include "model/undecoded.h"

/* SIGNED{} of RFC 5280 4.1.1, written by OpenSSL from this template. The content is ASN1_ANY, which
 * keeps the bytes of a SEQUENCE as they are: what was signed is what goes out. */
struct signed_object {
    ASN1_TYPE *content;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
};

// clang-format off
ASN1_SEQUENCE(SIGNED_OBJECT) = {
    ASN1_SIMPLE(struct signed_object, content, ASN1_ANY),
    ASN1_SIMPLE(struct signed_object, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct signed_object, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct signed_object, SIGNED_OBJECT);
// clang-format on

/* Reads the one SEQUENCE that content must be. */
static bool read_sequence(struct sg_slice content, ASN1_TYPE **sequence, struct sg_error *error)
{
    const uint8_t *at = content.data;
    sg_auto(ASN1_TYPE) ASN1_TYPE *read = NULL;

    if (content.len <= LONG_MAX)
        read = d2i_ASN1_TYPE(NULL, &at, (long)content.len);
    if (read == NULL || read->type != V_ASN1_SEQUENCE || at != content.data + content.len) {
        ERR_clear_error();
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1",
                       "the to-be-signed bytes are not one DER SEQUENCE");
    }
    *sequence = SG_TAKE(read);
    return true;
}

bool sg_signed_encode(struct sg_slice content, X509_ALGOR *algorithm, struct sg_slice signature,
                      size_t limit, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *sequence = NULL;
    sg_auto(ASN1_STRING) ASN1_STRING *bits = ASN1_BIT_STRING_new();
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    sg_auto(sg_buf) struct sg_buf fresh = {0};
    struct signed_object object;
    int len;

    if (!read_sequence(content, &sequence, error))
        return false;
    if (bits == NULL || signature.len > INT_MAX ||
        !ASN1_STRING_set(bits, signature.data, (int)signature.len))
        return sg_fail_memory(error);
    /* Without this flag OpenSSL would drop the zero bits at a signature's end. */
    bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
    object = (struct signed_object){sequence, algorithm, bits};
    len = ASN1_item_i2d((const ASN1_VALUE *)&object, &bytes, ASN1_ITEM_rptr(SIGNED_OBJECT));
    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "can't encode the signed object");
    if (!sg_buf_append(&fresh, bytes, (size_t)len, limit, error))
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

/* Whether der's first element is still tbs, byte for byte. */
static bool carries(const struct sg_buf *der, struct sg_slice tbs)
{
    const uint8_t *at = der->data;
    ASN1_SEQUENCE_ANY *elements = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)der->len);
    bool same = false;

    if (sk_ASN1_TYPE_num(elements) == 3) {
        const ASN1_STRING *first = sk_ASN1_TYPE_value(elements, 0)->value.sequence;

        same = sg_slice_equal(
            tbs, sg_slice_of(ASN1_STRING_get0_data(first), (size_t)ASN1_STRING_length(first)));
    }
    sk_ASN1_TYPE_pop_free(elements, ASN1_TYPE_free);
    return same;
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
