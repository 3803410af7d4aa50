#include "params.h"

static inline void sg_cleanup_OSSL_PARAM(OSSL_PARAM **parameters)
{
    OSSL_PARAM_free(*parameters);
}

EVP_PKEY *sg_params_key(const char *type, OSSL_PARAM_BLD *builder)
{
    sg_auto(OSSL_PARAM) OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return pkey;
}

bool sg_params_public_key(EVP_PKEY *pkey, struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    int len = i2d_PUBKEY(pkey, &spki);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a public key can't be encoded");
    return sg_public_key_decode(sg_slice_of(spki, (size_t)len), key, error);
}
