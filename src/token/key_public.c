#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/limits.h"
#include "key_read.h"

SG_DEFINE_CLEANUP(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
SG_DEFINE_CLEANUP(OSSL_PARAM, OSSL_PARAM_free)

static bool fail_to_build(const struct sg_token *token, const char *kind, struct sg_error *error)
{
    return sg_fail_openssl(error, SG_TOKEN, NULL,
                           "the %s public key that token %s tells makes no key", kind,
                           token->info.label);
}

static bool decode_pkey(const struct sg_token *token, EVP_PKEY *pkey, struct sg_public_key *key,
                        struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    int len = i2d_PUBKEY(pkey, &spki);

    if (len <= 0)
        return fail_to_build(token, "", error);
    return sg_public_key_decode(sg_slice_of(spki, (size_t)len), key, error);
}

/* CKA_MODULUS and CKA_PUBLIC_EXPONENT are big-endian numbers (PKCS#11 3.0, 2.1.2). */
static EVP_PKEY *build_rsa(const struct sg_buf *modulus, const struct sg_buf *exponent)
{
    sg_auto(BIGNUM) BIGNUM *n = BN_bin2bn(modulus->data, (int)modulus->len, NULL);
    sg_auto(BIGNUM) BIGNUM *e = BN_bin2bn(exponent->data, (int)exponent->len, NULL);
    sg_auto(OSSL_PARAM_BLD) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    sg_auto(OSSL_PARAM) OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    if (n == NULL || e == NULL || builder == NULL || context == NULL ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) ||
        (params = OSSL_PARAM_BLD_to_param(builder)) == NULL ||
        EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return pkey;
}

static bool read_rsa(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_public_key *key,
                     struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf modulus = {0}, exponent = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;

    if (!sg_object_bytes(token, object, CKA_MODULUS, SG_LIMIT_SPKI, &modulus, error) ||
        !sg_object_bytes(token, object, CKA_PUBLIC_EXPONENT, SG_LIMIT_SPKI, &exponent, error))
        return false;
    if (modulus.len == 0 || exponent.len == 0)
        return true;
    pkey = build_rsa(&modulus, &exponent);
    if (pkey == NULL)
        return fail_to_build(token, "RSA", error);
    return decode_pkey(token, pkey, key, error);
}

/* CKA_EC_POINT is the point inside an OCTET STRING (PKCS#11 3.0, 2.3.3); some tokens leave the
 * wrapping out. */
static ASN1_OCTET_STRING *unwrap_point(const struct sg_buf *attribute)
{
    const uint8_t *at = attribute->data;
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *point =
        d2i_ASN1_OCTET_STRING(NULL, &at, (long)attribute->len);

    if (point != NULL && at == attribute->data + attribute->len)
        return SG_TAKE(point);
    ERR_clear_error();
    if (point == NULL)
        point = ASN1_OCTET_STRING_new();
    if (point == NULL || ASN1_OCTET_STRING_set(point, attribute->data, (int)attribute->len) != 1)
        return NULL;
    return SG_TAKE(point);
}

/* The named curve of CKA_EC_PARAMS, or NULL when it is explicit parameters or a name in text. */
static ASN1_OBJECT *read_curve(const struct sg_buf *params)
{
    const uint8_t *at = params->data;
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *curve = d2i_ASN1_OBJECT(NULL, &at, (long)params->len);

    if (curve == NULL || at != params->data + params->len)
        return NULL;
    return SG_TAKE(curve);
}

static X509_PUBKEY *build_ec(ASN1_OBJECT **curve, const ASN1_OCTET_STRING *point)
{
    sg_auto(X509_PUBKEY) X509_PUBKEY *spki = X509_PUBKEY_new();
    size_t len = (size_t)ASN1_STRING_length(point);
    uint8_t *bytes = OPENSSL_memdup(ASN1_STRING_get0_data(point), len);

    if (spki == NULL || bytes == NULL ||
        X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT, *curve,
                               bytes, (int)len) != 1) {
        OPENSSL_free(bytes);
        return NULL;
    }
    *curve = NULL; /* spki owns it now */
    return SG_TAKE(spki);
}

static bool read_ec(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_public_key *key,
                    struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf params = {0}, wrapped = {0};
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *curve = NULL;
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *point = NULL;
    sg_auto(X509_PUBKEY) X509_PUBKEY *spki = NULL;
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len;

    if (!sg_object_bytes(token, object, CKA_EC_PARAMS, SG_LIMIT_SPKI, &params, error) ||
        !sg_object_bytes(token, object, CKA_EC_POINT, SG_LIMIT_SPKI, &wrapped, error))
        return false;
    if (params.len == 0 || wrapped.len == 0)
        return true;
    curve = read_curve(&params);
    if (curve == NULL) {
        ERR_clear_error();
        return sg_fail(error, SG_TOKEN, "RFC 5480 2.1.1",
                       "an EC key on token %s has no named curve", token->info.label);
    }
    point = unwrap_point(&wrapped);
    if (point == NULL || (spki = build_ec(&curve, point)) == NULL ||
        (len = i2d_X509_PUBKEY(spki, &der)) <= 0)
        return fail_to_build(token, "EC", error);
    return sg_public_key_decode(sg_slice_of(der, (size_t)len), key, error);
}

/* Ed25519 by the length of its point; other Edwards curves are left untold. */
static bool read_edwards(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_public_key *key,
                         struct sg_error *error)
{
    enum { ED25519_LEN = 32 };
    sg_auto(sg_buf) struct sg_buf wrapped = {0};
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *point = NULL;
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;

    if (!sg_object_bytes(token, object, CKA_EC_POINT, SG_LIMIT_SPKI, &wrapped, error))
        return false;
    if (wrapped.len == 0)
        return true;
    point = unwrap_point(&wrapped);
    if (point == NULL)
        return sg_fail_memory(error);
    if (ASN1_STRING_length(point) != ED25519_LEN)
        return true;
    pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, ASN1_STRING_get0_data(point),
                                       ED25519_LEN);
    if (pkey == NULL)
        return fail_to_build(token, "Ed25519", error);
    return decode_pkey(token, pkey, key, error);
}

bool sg_public_key_of_object(struct sg_token *token, CK_OBJECT_HANDLE object,
                             struct sg_public_key *key, struct sg_error *error)
{
    CK_ULONG type;

    if (!sg_object_number(token, object, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION, &type, error))
        return false;
    switch (type) {
    case CKK_RSA:
        return read_rsa(token, object, key, error);
    case CKK_EC:
        return read_ec(token, object, key, error);
    case CKK_EC_EDWARDS:
        return read_edwards(token, object, key, error);
    default:
        return true;
    }
}
