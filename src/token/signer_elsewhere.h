/* signer_elsewhere: a signer of a key that another process can use, for whoever has no token: with
 * signer_pkey.h it is the key of a TLS server that runs without keys.
 *
 * Does not: know how the other process is reached; the caller's function does.
 * Thread rule: that of the caller's function.
 */
#ifndef SG_TOKEN_SIGNER_ELSEWHERE_H
#define SG_TOKEN_SIGNER_ELSEWHERE_H

#include "signer.h"

/* Signs as sg_signer_sign does, whose checks are made already. */
typedef bool sg_sign_elsewhere(void *context, enum sg_scheme scheme, struct sg_slice bytes,
                               struct sg_buf *signature, struct sg_error *error);

/* sg_signer_elsewhere makes a signer of the certificate's key. context is the caller's, and lives
 * longer. Release with sg_signer_close.
 * Fails: as sg_public_key_of_certificate. */
SG_MUST_USE bool sg_signer_elsewhere(const X509 *certificate, sg_sign_elsewhere *sign,
                                     void *context, struct sg_signer **signer,
                                     struct sg_error *error);

#endif
