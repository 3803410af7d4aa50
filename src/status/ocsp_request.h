/* ocsp_request: bytes → what is asked of an OCSP responder (RFC 6960 4.1), strictly.
 *
 * Does not: check the signature that a request may have (4.1.2): whoever asks is answered. Know
 * issuers or certificates. Thread rule: none.
 */
#ifndef SG_STATUS_OCSP_REQUEST_H
#define SG_STATUS_OCSP_REQUEST_H

#include <openssl/ocsp.h>

#include "base/cleanup.h"
#include "model/certificate.h"

/* One certificate that is asked about. Everything is borrowed from the request. */
struct sg_ocsp_asked {
    OCSP_CERTID *id;
    int digest; /* NID of the digest of both hashes; NID_undef when this OpenSSL does not know it */
    struct sg_slice name_hash, key_hash; /* of its issuer */
    struct sg_serial serial;             /* empty: no serial number that a CA may give */
};

/* Zero-initialise; release with sg_ocsp_request_done. */
struct sg_ocsp_request {
    OCSP_REQUEST *decoded;
    struct sg_ocsp_asked *asked; /* one at least */
    size_t num_asked;
    bool has_nonce;
};

/* sg_ocsp_request_parse reads one request, DER, without trailing data.
 * Fails: SG_MALFORMED with the RFC's section; SG_FAILED when memory runs out. request is untouched
 * then. */
SG_MUST_USE bool sg_ocsp_request_parse(struct sg_slice der, struct sg_ocsp_request *request,
                                       struct sg_error *error);
void sg_ocsp_request_done(struct sg_ocsp_request *request);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ocsp_request, sg_ocsp_request_done)

/* Not in base/cleanup.h, which needs no OCSP. */
SG_DEFINE_CLEANUP(OCSP_BASICRESP, OCSP_BASICRESP_free)
SG_DEFINE_CLEANUP(OCSP_RESPONSE, OCSP_RESPONSE_free)

#endif
