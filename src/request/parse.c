#include "parts.h"

bool sg_request_take_steps(const sg_request_step *steps, size_t num, struct sg_request *request,
                           struct sg_error *refused, struct sg_error *error)
{
    for (size_t i = 0; i < num; i++) {
        struct sg_error why = {0};

        if (steps[i](request, refused != NULL ? &why : error))
            continue;
        if (refused == NULL)
            return false;
        if (!sg_code_is_refusal(why.code))
            return sg_error_pass(error, &why);
        if (refused->code == SG_OK)
            *refused = why;
    }
    return true;
}

/* Fills request, which stays partly filled on failure. */
static bool read_into(struct sg_slice bytes, struct sg_request *request, struct sg_error *refused,
                      struct sg_error *error)
{
    if (!sg_request_unwrap(bytes, &request->der, error))
        return false;
    request->format =
        sg_spkac_is_der(sg_buf_slice(&request->der)) ? SG_REQUEST_SPKAC : SG_REQUEST_PKCS10;
    return request->format == SG_REQUEST_SPKAC ? sg_spkac_read(request, refused, error)
                                               : sg_pkcs10_read(request, refused, error);
}

bool sg_request_parse(struct sg_slice bytes, struct sg_request *request, struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request fresh = {.path_length = -1};

    if (!read_into(bytes, &fresh, NULL, error))
        return false;
    *request = fresh;
    fresh = (struct sg_request){0}; /* now owned by the caller */
    return true;
}

static bool check_possession(struct sg_request *request, struct sg_error *error)
{
    return sg_request_check_possession(request, error);
}

static bool check_key_quality(struct sg_request *request, struct sg_error *error)
{
    return sg_request_check_key_quality(&request->key, error);
}

bool sg_request_look(struct sg_slice bytes, struct sg_request *request, struct sg_error *refused,
                     struct sg_error *error)
{
    static const sg_request_step CHECKS[] = {check_possession, check_key_quality};
    sg_auto(sg_request) struct sg_request fresh = {.path_length = -1};
    struct sg_error why = {0};

    /* No signature is verified with a key that was refused already: it might keep us busy. */
    if (!read_into(bytes, &fresh, &why, error) ||
        (why.code == SG_OK &&
         !sg_request_take_steps(CHECKS, sizeof CHECKS / sizeof *CHECKS, &fresh, &why, error)))
        return false;
    *refused = why;
    *request = fresh;
    fresh = (struct sg_request){0}; /* now owned by the caller */
    return true;
}
