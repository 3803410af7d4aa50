/* ocsp_sign: statuses → a signed response, by one responder. Private to the room.
 *
 * Thread rule: a responder may be used by several threads.
 */
#ifndef SG_STATUS_OCSP_SIGN_H
#define SG_STATUS_OCSP_SIGN_H

#include "home/responder.h"
#include "ocsp_request.h"
#include "store/status.h"

/* A responder that is ready to sign. */
struct sg_ocsp_signer {
    EVP_PKEY *pkey; /* its key on the token */
    enum sg_scheme scheme;
    X509 *certificate;
    struct sg_public_key key; /* the certificate's */
    int64_t not_after;
};
void sg_ocsp_signer_done(struct sg_ocsp_signer *signer);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ocsp_signer, sg_ocsp_signer_done)

/* CertStatus, RFC 6960 2.2: what a status of the store is told as. */
enum sg_ocsp_verdict { SG_OCSP_GOOD, SG_OCSP_REVOKED, SG_OCSP_UNKNOWN };
enum sg_ocsp_verdict sg_ocsp_verdict(const struct sg_serial_status *status);

/* sg_ocsp_sign makes the response to a request: statuses in the order in which it asks, its nonce,
 * and the responder's certificate; verified with the key from memory.
 * Fails: SG_TOKEN, SG_INTERNAL, SG_FAILED. */
SG_MUST_USE bool sg_ocsp_sign(const struct sg_ocsp_signer *signer,
                              const struct sg_ocsp_request *request,
                              const struct sg_serial_status *statuses, int64_t this_update,
                              int64_t next_update, struct sg_buf *der, struct sg_error *error);

#endif
