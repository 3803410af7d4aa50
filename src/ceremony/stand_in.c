#include "stand_in.h"

#include "params.h"

/* A key on a token is made with this exponent; in DER it is 02 03 01 00 01. */
enum { EXPONENT = 65537, EXPONENT_DER_LEN = 5, ED25519_LEN = 32 };

static EVP_PKEY *make_ec(unsigned bits)
{
    return EVP_EC_gen(bits == 256 ? "P-256" : bits == 384 ? "P-384" : "P-521");
}

/* Making an RSA key takes seconds, and only its size matters here: any odd number will do. */
static EVP_PKEY *make_rsa(unsigned bits)
{
    sg_auto(BIGNUM) BIGNUM *modulus = BN_new();
    sg_auto(OSSL_PARAM_BLD) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

    if (modulus == NULL || builder == NULL ||
        BN_rand(modulus, (int)bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, EXPONENT) != 1)
        return NULL;
    return sg_params_key("RSA", builder);
}

static EVP_PKEY *make(struct sg_key_kind kind)
{
    switch (kind.family) {
    case SG_KEY_RSA:
        return make_rsa(kind.bits);
    case SG_KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    default:
        return make_ec(kind.bits);
    }
}

bool sg_stand_in_key(struct sg_key_kind kind, struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = make(kind);

    return pkey == NULL ? sg_fail_openssl(error, SG_INTERNAL, NULL, "no key could be stood in for")
                        : sg_params_public_key(pkey, key, error);
}

struct sg_slice sg_stand_in_bytes(const struct sg_public_key *key)
{
    const struct sg_buf *spki = &key->spki;
    size_t field = (key->kind.bits + 7) / 8;
    size_t len = key->kind.family == SG_KEY_RSA       ? field
                 : key->kind.family == SG_KEY_ED25519 ? ED25519_LEN
                                                      : 2 * field;
    size_t behind = key->kind.family == SG_KEY_RSA ? EXPONENT_DER_LEN : 0;

    return sg_slice_of(spki->data + spki->len - behind - len, len);
}
