#include <openssl/err.h>

#include "base/der.h"
#include "request.h"

/* As X509_REQ_verify does, but for any version: from 3.5 on that verifies version 1 alone, and
 * which versions are taken is the policy's matter. What is signed is the first element, as it came.
 */
static int verify_pkcs10(const struct sg_request *request)
{
    struct sg_slice rest = {0};
    struct sg_der content;
    sg_auto(ASN1_TYPE) ASN1_TYPE *part = NULL;
    const ASN1_BIT_STRING *signature = NULL;
    const X509_ALGOR *algorithm = NULL;

    if (sg_der_enter(sg_buf_slice(&request->der), SG_DER_SEQUENCE, &rest) &&
        sg_der_next(&rest, &content))
        part = d2i_ASN1_TYPE(NULL, &content.whole.data, (long)content.whole.len);
    if (part == NULL)
        return -1;
    X509_REQ_get0_signature(request->pkcs10, &signature, &algorithm);
    return ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature, part,
                            request->key.pkey);
}

bool sg_request_check_possession(const struct sg_request *request, struct sg_error *error)
{
    static const char RULE[] = "RFC 2986 4.2";
    int verdict;

    if (request->format == SG_REQUEST_OWN_KEY)
        return true;
    verdict = request->format == SG_REQUEST_SPKAC
                  ? NETSCAPE_SPKI_verify(request->spkac, request->key.pkey)
                  : verify_pkcs10(request);
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
