/* keygen_asked: what a request for a key of the service's says of how it is to come.
 *
 * Thread rule: none.
 */
#ifndef SG_SERVICE_KEYGEN_ASKED_H
#define SG_SERVICE_KEYGEN_ASKED_H

#include <openssl/evp.h>

#include "model/request.h"

struct sg_keygen_asked {
    struct sg_slice key_id;   /* AsymmetricDecryptKeyIdentifier, borrowed; empty: not there */
    const EVP_CIPHER *cipher; /* the first of the SMIMECapabilities that we have; AES-256-CBC when
                                 the request has none */
};

/* sg_keygen_read_asked reads both attributes (RFC 7030 4.4.1).
 * Fails: SG_MALFORMED; SG_REFUSED when a key that both have is asked for (RFC 7030 4.4.1.1), or no
 * cipher that we have. */
SG_MUST_USE bool sg_keygen_read_asked(const struct sg_request *request,
                                      struct sg_keygen_asked *asked, struct sg_error *error);

#endif
