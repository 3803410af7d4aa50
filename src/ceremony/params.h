/* params: public keys made of their numbers, by OpenSSL's parameter lists. */
#ifndef SG_CEREMONY_PARAMS_H
#define SG_CEREMONY_PARAMS_H

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "model/key.h"

static inline void sg_cleanup_OSSL_PARAM_BLD(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

/* sg_params_key makes a public key of what was pushed into builder. type is "RSA" or "EC".
 * NULL when it is none; the caller owns it. */
EVP_PKEY *sg_params_key(const char *type, OSSL_PARAM_BLD *builder);

/* sg_params_public_key fills an empty key from one in memory. */
SG_MUST_USE bool sg_params_public_key(EVP_PKEY *pkey, struct sg_public_key *key,
                                      struct sg_error *error);

#endif
