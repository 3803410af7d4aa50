#include "request.h"

#include <openssl/crypto.h>

static void wipe(struct sg_buf *buf)
{
    if (buf->len > 0)
        OPENSSL_cleanse(buf->data, buf->len);
    sg_buf_free(buf);
}

void sg_request_forget_decoded(struct sg_request *request)
{
    X509_REQ_free(request->pkcs10);
    NETSCAPE_SPKI_free(request->spkac);
    EVP_PKEY_free(request->key.pkey);
    request->pkcs10 = NULL;
    request->spkac = NULL;
    request->key.pkey = NULL;
}

void sg_request_done(struct sg_request *request)
{
    sg_request_forget_decoded(request);
    wipe(&request->der);
    wipe(&request->challenge);
    sg_name_done(&request->subject);
    sg_public_key_done(&request->key);
    sg_sans_done(&request->sans);
    sg_oids_done(&request->purposes);
    sg_extensions_done(&request->extensions);
    *request = (struct sg_request){0};
}
