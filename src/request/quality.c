#include <openssl/core_names.h>
#include <openssl/err.h>

#include "parts.h"

enum { SMALLEST_RSA_BITS = 2048, SMALLEST_RSA_EXPONENT = 65537 };

static const char MODULUS_RULE[] = "FIPS 186-5 5.1: RSA modulus";
static const char EXPONENT_RULE[] = "FIPS 186-5 A.1.1: RSA exponent";

static bool read_number(const struct sg_public_key *key, const char *name, BIGNUM **number,
                        struct sg_error *error)
{
    if (EVP_PKEY_get_bn_param(key->pkey, name, number) != 1)
        return sg_fail_openssl(error, SG_KEY_QUALITY, NULL, "the key's %s can't be read", name);
    return true;
}

bool sg_request_check_verifiable(const struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *exponent = NULL;

    if (key->kind.family != SG_KEY_RSA)
        return true;
    if (key->kind.bits > SG_LIMIT_RSA_BITS)
        return sg_fail(error, SG_KEY_QUALITY, "size of an RSA key",
                       "the RSA key has %u bits, and %d is the limit", key->kind.bits,
                       SG_LIMIT_RSA_BITS);
    if (!read_number(key, OSSL_PKEY_PARAM_RSA_E, &exponent, error))
        return false;
    if (BN_num_bits(exponent) > SG_LIMIT_RSA_EXPONENT_BITS)
        return sg_fail(error, SG_KEY_QUALITY, "size of an RSA exponent",
                       "the RSA key's public exponent has %d bits, and %d is the limit; use 65537",
                       BN_num_bits(exponent), SG_LIMIT_RSA_EXPONENT_BITS);
    return true;
}

static bool check_exponent(const struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *exponent = NULL;

    if (!read_number(key, OSSL_PKEY_PARAM_RSA_E, &exponent, error))
        return false;
    /* SG_LIMIT_RSA_EXPONENT_BITS makes it fit a word */
    if (!BN_is_odd(exponent))
        return sg_fail(error, SG_KEY_QUALITY, EXPONENT_RULE,
                       "the RSA key's public exponent %lu is even; use 65537",
                       BN_get_word(exponent));
    if (BN_get_word(exponent) < SMALLEST_RSA_EXPONENT)
        return sg_fail(error, SG_KEY_QUALITY, EXPONENT_RULE,
                       "the RSA key's public exponent %lu is too small; use 65537",
                       BN_get_word(exponent));
    return true;
}

static bool check_size(const struct sg_public_key *key, const BIGNUM *modulus,
                       struct sg_error *error)
{
    if (key->kind.bits < SMALLEST_RSA_BITS)
        return sg_fail(error, SG_KEY_QUALITY, "NIST SP 800-131A: RSA below 2048 bits",
                       "the RSA key has %u bits and must have %d at least", key->kind.bits,
                       SMALLEST_RSA_BITS);
    if (!BN_is_odd(modulus))
        return sg_fail(error, SG_KEY_QUALITY, MODULUS_RULE,
                       "the RSA key's modulus is even, so it isn't the product of two large "
                       "primes");
    return true;
}

static bool check_rsa(const struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *modulus = NULL;

    return sg_request_check_verifiable(key, error) &&
           read_number(key, OSSL_PKEY_PARAM_RSA_N, &modulus, error) &&
           check_size(key, modulus, error) && check_exponent(key, error) &&
           sg_request_check_modulus(modulus, error);
}

static bool check_ec(const struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = NULL;

    if (key->kind.bits == 0)
        return sg_fail(error, SG_KEY_QUALITY, "NIST SP 800-186: curves",
                       "the EC key is on another curve than P-256, P-384 or P-521");
    if (key->is_on_curve)
        return true;
    context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (context == NULL)
        return sg_fail_memory(error);
    /* quick leaves out the order of the point, which says nothing more on curves of cofactor 1 */
    if (EVP_PKEY_public_check_quick(context) != 1)
        return sg_fail_openssl(error, SG_KEY_QUALITY, "NIST SP 800-56A 5.6.2.3.4: EC point",
                               "the EC key is not a point on its curve");
    return true;
}

static bool fail_kind(const struct sg_public_key *key, struct sg_error *error)
{
    const char *name = key->pkey != NULL ? EVP_PKEY_get0_type_name(key->pkey) : NULL;

    return sg_fail(error, SG_KEY_QUALITY, "FIPS 186-5: kinds of keys",
                   "the key is of a kind that is not certified (%s); use RSA, EC, Ed25519 or "
                   "ML-DSA",
                   name != NULL ? name : "no key");
}

bool sg_request_check_key_quality(const struct sg_public_key *key, struct sg_error *error)
{
    switch (key->kind.family) {
    case SG_KEY_RSA:
        return check_rsa(key, error);
    case SG_KEY_EC:
        return check_ec(key, error);
    case SG_KEY_ED25519:
    case SG_KEY_ML_DSA:
        return true;
    case SG_KEY_NONE:
    case SG_KEY_OTHER:
        break;
    }
    return fail_kind(key, error);
}
