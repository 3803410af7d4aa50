/* mac: an HMAC-SHA-256 key on a token (FIPS 198-1), which makes what it is asked about useless to
 * whoever has the store and not the token: the verifiers of PINs.
 *
 * The key is a CKK_GENERIC_SECRET that signs by CKM_SHA256_HMAC, never leaves the token, and does
 * nothing else. It is used on the sessions of the direct signer's pool, whatever signer the token
 * has beside it.
 * Thread rule: a mac may be shared by threads; close it before its token.
 */
#ifndef SG_TOKEN_MAC_H
#define SG_TOKEN_MAC_H

#include "base/hex.h"
#include "token.h"

struct sg_mac;

/* sg_mac_create makes a key of 256 bits on the token, every attribute stated and read back. Logs
 * in.
 * label    CKA_LABEL; no secret key of that label may exist.
 * id       CKA_ID, at most 100 bytes; an empty slice draws 20 random ones.
 * Fails: SG_USAGE on a bad label or id, and on a model with fixed places for keys; SG_TOKEN, also
 * when an attribute does not read back as stated: the key is destroyed then. */
SG_MUST_USE bool sg_mac_create(struct sg_token *token, const char *label, struct sg_slice id,
                               struct sg_error *error);

/* sg_mac_open finds the one secret key that uri names (object, id). Logs in.
 * Fails: SG_TOKEN when none or more than one matches, or when the key can leave the token. */
SG_MUST_USE bool sg_mac_open(struct sg_token *token, const char *uri, struct sg_mac **mac,
                             struct sg_error *error);

/* sg_mac_compute: the HMAC of bytes. A lost token is connected anew, once. Fails: SG_TOKEN, SG_PIN.
 */
SG_MUST_USE bool sg_mac_compute(struct sg_mac *mac, struct sg_slice bytes,
                                uint8_t value[SG_SHA256_LEN], struct sg_error *error);

void sg_mac_close(struct sg_mac *mac);

typedef struct sg_mac sg_mac;
SG_DEFINE_CLEANUP(sg_mac, sg_mac_close)

#endif
