#include <limits.h>
#include <openssl/err.h>

#include "cert.h"

/* Places in a version 3 TBSCertificate, RFC 5280 4.1. */
enum { AT_ISSUER = 3, AT_VALIDITY = 4, AT_END = 8 };

/* Appends one element of a TBSCertificate, which says its own length. */
static bool append_element(struct sg_buf *content, const ASN1_TYPE *element, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = i2d_ASN1_TYPE(element, &bytes);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "can't encode a certificate's element");
    return sg_buf_append(content, bytes, (size_t)len, SG_LIMIT_CERTIFICATE, error);
}

static bool append_content(const ASN1_SEQUENCE_ANY *elements, struct sg_buf *content,
                           struct sg_error *error)
{
    if (sk_ASN1_TYPE_num(elements) != AT_END)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1",
                       "the to-be-signed bytes are no version 3 certificate");
    for (int i = AT_ISSUER; i < AT_END; i++)
        if (i != AT_VALIDITY && !append_element(content, sk_ASN1_TYPE_value(elements, i), error))
            return false;
    return true;
}

bool sg_cert_content_sha256(struct sg_slice tbs, uint8_t digest[SG_SHA256_LEN],
                            struct sg_error *error)
{
    const uint8_t *at = tbs.data;
    sg_auto(sg_buf) struct sg_buf content = {0};
    ASN1_SEQUENCE_ANY *elements = NULL;
    bool done;

    if (tbs.len <= SG_LIMIT_CERTIFICATE)
        elements = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)tbs.len);
    ERR_clear_error();
    done = append_content(elements, &content, error);
    sk_ASN1_TYPE_pop_free(elements, ASN1_TYPE_free);
    if (done)
        sg_sha256(sg_buf_slice(&content), digest);
    return done;
}
