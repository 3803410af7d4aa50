#include "parts.h"

bool sg_request_parse(struct sg_slice bytes, struct sg_request *request, struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request fresh = {.path_length = -1};

    if (!sg_request_unwrap(bytes, &fresh.der, error))
        return false;
    fresh.format = sg_spkac_is_der(sg_buf_slice(&fresh.der)) ? SG_REQUEST_SPKAC : SG_REQUEST_PKCS10;
    if (fresh.format == SG_REQUEST_SPKAC ? !sg_spkac_read(&fresh, error)
                                         : !sg_pkcs10_read(&fresh, error))
        return false;
    *request = fresh;
    fresh = (struct sg_request){0}; /* now owned by the caller */
    return true;
}
