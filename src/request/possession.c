#include <openssl/err.h>

#include "request.h"

/* As X509_REQ_verify does, but for any version: from 3.5 on that verifies version 1 alone, and
 * which versions are taken is the policy's matter. What is signed is the first element, as it came.
 */
static int verify_pkcs10(const X509_REQ *pkcs10, EVP_PKEY *key)
{
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    int len = i2d_X509_REQ(pkcs10, &der), verdict = -1;
    const unsigned char *at = der;
    ASN1_SEQUENCE_ANY *parts = len > 0 ? d2i_ASN1_SEQUENCE_ANY(NULL, &at, len) : NULL;
    const ASN1_BIT_STRING *signature = NULL;
    const X509_ALGOR *algorithm = NULL;

    X509_REQ_get0_signature(pkcs10, &signature, &algorithm);
    if (parts != NULL)
        verdict = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature,
                                   sk_ASN1_TYPE_value(parts, 0), key);
    sk_ASN1_TYPE_pop_free(parts, ASN1_TYPE_free);
    return verdict;
}

bool sg_request_check_possession(const struct sg_request *request, struct sg_error *error)
{
    static const char RULE[] = "RFC 2986 4.2";
    int verdict;

    if (request->format == SG_REQUEST_OWN_KEY)
        return true;
    verdict = request->format == SG_REQUEST_SPKAC
                  ? NETSCAPE_SPKI_verify(request->spkac, request->key.pkey)
                  : verify_pkcs10(request->pkcs10, request->key.pkey);
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
