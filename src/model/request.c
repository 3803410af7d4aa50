#include "request.h"

void sg_request_done(struct sg_request *request)
{
    sg_buf_free(&request->der);
    sg_name_done(&request->subject);
    sg_public_key_done(&request->key);
    sg_sans_done(&request->sans);
    sg_oids_done(&request->purposes);
    sg_extensions_done(&request->extensions);
    X509_REQ_free(request->pkcs10);
    *request = (struct sg_request){0};
}
