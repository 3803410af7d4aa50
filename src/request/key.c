#include "parts.h"

bool sg_request_read_key(const X509_PUBKEY *encoded, struct sg_public_key *key,
                         struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key fresh = {0};
    sg_auto(openssl_bytes) unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(encoded, &spki);

    if (len <= 0)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 2986 4.1: subjectPKInfo",
                               "the request's key can't be encoded");
    if (!sg_public_key_decode(sg_slice_of(spki, (size_t)len), &fresh, error) ||
        !sg_request_check_verifiable(&fresh, error))
        return false;
    *key = fresh;
    fresh = (struct sg_public_key){0}; /* now owned by the caller */
    return true;
}
