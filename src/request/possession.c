#include <openssl/err.h>

#include "request.h"

bool sg_request_check_possession(const struct sg_request *request, struct sg_error *error)
{
    static const char RULE[] = "RFC 2986 4.2";
    int verdict;

    if (request->format == SG_REQUEST_OWN_KEY)
        return true;
    verdict = request->format == SG_REQUEST_SPKAC
                  ? NETSCAPE_SPKI_verify(request->spkac, request->key.pkey)
                  : X509_REQ_verify(request->pkcs10, request->key.pkey);
    if (verdict == 1)
        return true;
    if (verdict < 0)
        return sg_fail_openssl(error, SG_POSSESSION, RULE,
                               "the request's signature can't be verified by the key inside it");
    ERR_clear_error();
    return sg_fail(error, SG_POSSESSION, RULE,
                   "the request's signature is not by the key inside it; either the request was "
                   "changed after it was signed, or it was signed with another key");
}
