/* pin_hash: what an app sends instead of a user's PIN, so that the PIN never leaves it.
 *
 * scrypt (RFC 7914) with N = 32768, r = 8, p = 1, the user's id in UTF-8 as the salt, 32 bytes. It
 * stands for the PIN as long as Signet is asked; what Signet keeps is made of it once more.
 */
#ifndef SG_MODEL_PIN_HASH_H
#define SG_MODEL_PIN_HASH_H

#include "base/hex.h"
#include "base/secret.h"

enum { SG_PIN_HASH_LEN = 32, SG_PIN_MIN_LEN = 4 };

/* sg_pin_hash hashes a PIN. Fails: SG_INVALID when it has fewer bytes than SG_PIN_MIN_LEN. */
SG_MUST_USE bool sg_pin_hash(const char *user, const struct sg_secret *pin,
                             uint8_t hash[SG_PIN_HASH_LEN], struct sg_error *error);

#endif
