#include "enroll.h"

bool sg_enroll_store(struct sg_token *token, const char *uri, struct sg_slice certificate,
                     bool replace, struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key key = {0};

    return sg_key_find(token, uri, &key, error) &&
           sg_token_put_certificate(token, &key, certificate, replace, error);
}
