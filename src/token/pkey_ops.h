/* pkey_ops: the functions of the provider behind signer_pkey. Private to the room. */
#ifndef SG_TOKEN_PKEY_OPS_H
#define SG_TOKEN_PKEY_OPS_H

#include <openssl/core.h>

#include "signer.h"

/* The parameter by which a key is made: an octet pointer to its signer. */
#define SG_PKEY_SIGNER "signet-signer"

/* What the provider calls a key: the signer, shared by its copies; or another one's public key. */
struct sg_pkey {
    struct sg_signer *signer; /* NULL: it is somebody else's, of whom there is only */
    EVP_PKEY *other;          /* the public half, to agree on a secret with */
    int num_references;
};

extern const OSSL_DISPATCH SG_PKEY_RSA_KEYS[], SG_PKEY_EC_KEYS[], SG_PKEY_ED25519_KEYS[];
extern const OSSL_DISPATCH SG_PKEY_SIGNATURES[], SG_PKEY_DECRYPTIONS[], SG_PKEY_AGREEMENTS[];

/* sg_pkey_up and sg_pkey_free count who holds a key. */
struct sg_pkey *sg_pkey_up(struct sg_pkey *key);
void sg_pkey_free(struct sg_pkey *key);

#endif
