#include "request.h"

static bool copy_name(const struct sg_name *name, struct sg_name *copy, struct sg_error *error)
{
    for (size_t i = 0; i < name->num; i++)
        if (!sg_name_add(copy, name->rdns[i].oid, name->rdns[i].value, error))
            return false;
    return true;
}

bool sg_request_of_key(const struct sg_public_key *key, const struct sg_name *subject,
                       struct sg_request *request, struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request fresh = {.format = SG_REQUEST_OWN_KEY, .path_length = -1};

    if (!sg_public_key_decode(sg_buf_slice(&key->spki), &fresh.key, error) ||
        !copy_name(subject, &fresh.subject, error))
        return false;
    *request = fresh;
    fresh = (struct sg_request){0}; /* now owned by the caller */
    return true;
}
