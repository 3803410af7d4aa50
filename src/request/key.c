#include "parts.h"

bool sg_request_read_key(X509_PUBKEY *encoded, struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key fresh = {0};

    if (!sg_public_key_of(encoded, &fresh, error) || !sg_request_check_verifiable(&fresh, error))
        return false;
    *key = fresh;
    fresh = (struct sg_public_key){0}; /* now owned by the caller */
    return true;
}
