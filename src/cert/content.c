#include "base/der.h"
#include "cert.h"

/* A version 3 TBSCertificate, RFC 5280 4.1. */
static const uint8_t TAGS[] = {
    SG_DER_VERSION,    SG_DER_INTEGER, /* serial number */
    SG_DER_SEQUENCE,                   /* signature algorithm */
    SG_DER_SEQUENCE,                   /* issuer */
    SG_DER_SEQUENCE,                   /* validity */
    SG_DER_SEQUENCE,                   /* subject */
    SG_DER_SEQUENCE,                   /* key */
    SG_DER_EXTENSIONS,
};
enum { NUM = sizeof TAGS, AT_ISSUER = 3, AT_VALIDITY = 4 };

static bool take_apart(struct sg_slice tbs, struct sg_der elements[NUM])
{
    struct sg_slice rest = {0};

    if (tbs.len > SG_LIMIT_CERTIFICATE || !sg_der_enter(tbs, SG_DER_SEQUENCE, &rest))
        return false;
    for (size_t i = 0; i < NUM; i++)
        if (!sg_der_next(&rest, &elements[i]) || elements[i].tag != TAGS[i])
            return false;
    return rest.len == 0;
}

bool sg_cert_content_sha256(struct sg_slice tbs, uint8_t digest[SG_SHA256_LEN],
                            struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf content = {0};
    struct sg_der elements[NUM];

    if (!take_apart(tbs, elements))
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1",
                       "the to-be-signed bytes are no version 3 certificate");
    for (int i = AT_ISSUER; i < NUM; i++)
        if (i != AT_VALIDITY && !sg_buf_append(&content, elements[i].whole.data,
                                               elements[i].whole.len, SG_LIMIT_CERTIFICATE, error))
            return false;
    sg_sha256(sg_buf_slice(&content), digest);
    return true;
}
