/* key_of_bits: keys from the BIT STRING of a SubjectPublicKeyInfo, past OpenSSL's decoders, which
 * up to 3.4 take longer than verifying a signature. For public_key.c. Each returns NULL, perhaps
 * with reports in OpenSSL's queue, when the bits are no such key. */
#ifndef SG_MODEL_KEY_OF_BITS_H
#define SG_MODEL_KEY_OF_BITS_H

#include <openssl/evp.h>

#include "base/slice.h"

/* curve: the NID of P-256, P-384 or P-521. The point is checked to be on it (RFC 5480 2.2). */
EVP_PKEY *sg_key_of_ec_point(int curve, struct sg_slice point);
/* RSAPublicKey (RFC 8017 A.1.1), known to be a SEQUENCE in DER. */
EVP_PKEY *sg_key_of_rsa_numbers(struct sg_slice sequence);

#endif
