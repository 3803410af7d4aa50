/* signer_use: what a key on a token does besides signing, for those who open what is encrypted to
 * it: decrypt, and agree on a secret. Made on the token's own session, one after the other.
 *
 * The key has to have been made for it (sg_key_create_decrypting).
 */
#ifndef SG_TOKEN_SIGNER_USE_H
#define SG_TOKEN_SIGNER_USE_H

#include "signer.h"

enum { SG_USE_MAX = 1024 }; /* octets that come out */

/* sg_signer_decrypt undoes RSAES-OAEP (RFC 8017 7.1.2) with that digest, also as MGF1's.
 * plain    room for SG_USE_MAX octets, which the caller wipes; len is how many there are.
 * Fails: SG_TOKEN; SG_USAGE on a digest that is none of SHA-1, SHA-256, SHA-384, SHA-512. */
SG_MUST_USE bool sg_signer_decrypt(struct sg_signer *signer, int digest, struct sg_slice bytes,
                                   uint8_t plain[SG_USE_MAX], size_t *len, struct sg_error *error);

/* sg_signer_agree makes the shared secret of the key and another one's point (ECDH, uncompressed):
 * its x coordinate. Fails: SG_TOKEN, also when the token keeps the secret to itself. */
SG_MUST_USE bool sg_signer_agree(struct sg_signer *signer, struct sg_slice point,
                                 uint8_t secret[SG_USE_MAX], size_t *len, struct sg_error *error);

#endif
