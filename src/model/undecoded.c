#include "undecoded.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>

/* A library context with OpenSSL's "null" provider alone, in which no key has a decoder. One for
 * the process and for its whole life, as the objects point to it; nobody changes it. */
static OSSL_LIB_CTX *without_decoders;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make_context(void)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();

    if (context != NULL && OSSL_PROVIDER_load(context, "null") != NULL)
        without_decoders = context;
    else
        OSSL_LIB_CTX_free(context); /* NULL is OpenSSL's own context: the same, slower */
}

static void *decode(const unsigned char **at, long len, const ASN1_ITEM *item)
{
    void *object;

    pthread_once(&made, make_context);
    ERR_set_mark();
    object = ASN1_item_d2i_ex(NULL, at, len, item, without_decoders, NULL);
    if (object != NULL)
        ERR_pop_to_mark(); /* it reports the keys that it left */
    else
        ERR_clear_last_mark();
    return object;
}

X509 *sg_undecoded_certificate(const unsigned char **at, long len)
{
    return decode(at, len, ASN1_ITEM_rptr(X509));
}

X509_REQ *sg_undecoded_request(const unsigned char **at, long len)
{
    return decode(at, len, ASN1_ITEM_rptr(X509_REQ));
}

X509_PUBKEY *sg_undecoded_public_key(const unsigned char **at, long len)
{
    return decode(at, len, ASN1_ITEM_rptr(X509_PUBKEY));
}
