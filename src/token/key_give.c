/* A key that the token makes for somebody else, and does not keep. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "key_read.h"
#include "rv.h"

SG_DEFINE_CLEANUP(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
SG_DEFINE_CLEANUP(OSSL_PARAM, OSSL_PARAM_free)

enum { SCALAR_LEN = 32 };

struct pair {
    CK_OBJECT_HANDLE public, private;
};

static bool generate(struct sg_token *token, struct pair *pair, struct sg_error *error)
{
    static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;
    static const CK_KEY_TYPE EC = CKK_EC;
    static const uint8_t P256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE public[] = {
        sg_attribute(CKA_KEY_TYPE, &EC, sizeof EC), sg_attribute(CKA_EC_PARAMS, P256, sizeof P256),
        sg_attribute(CKA_TOKEN, &NO, sizeof NO),    sg_attribute(CKA_PRIVATE, &NO, sizeof NO),
        sg_attribute(CKA_VERIFY, &YES, sizeof YES),
    };
    CK_ATTRIBUTE private[] = {
        sg_attribute(CKA_KEY_TYPE, &EC, sizeof EC),
        sg_attribute(CKA_TOKEN, &NO, sizeof NO),
        sg_attribute(CKA_PRIVATE, &YES, sizeof YES),
        sg_attribute(CKA_SENSITIVE, &NO, sizeof NO),
        sg_attribute(CKA_EXTRACTABLE, &YES, sizeof YES),
        sg_attribute(CKA_SIGN, &YES, sizeof YES),
    };
    CK_RV rv = token->module.functions->C_GenerateKeyPair(
        token->session, &mechanism, public, sizeof public / sizeof *public, private,
        sizeof private / sizeof *private, &pair->public, &pair->private);

    return rv == CKR_OK ||
           sg_fail_rv(
               error, SG_TOKEN, rv,
               "token %s makes no P-256 key that it would give away (in FIPS mode none does)",
               token->info.label);
}

/* A big-endian number; some tokens leave zeros at its front out. */
static bool read_scalar(struct sg_token *token, CK_OBJECT_HANDLE object, BIGNUM **scalar,
                        struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *value = NULL;
    CK_ATTRIBUTE attribute;
    CK_RV rv;

    if (!sg_secret_new(SCALAR_LEN, &value, error))
        return false;
    attribute = sg_attribute(CKA_VALUE, sg_secret_data(value), SCALAR_LEN);
    rv = token->module.functions->C_GetAttributeValue(token->session, object, &attribute, 1);
    if (rv != CKR_OK)
        return sg_fail_rv(error, SG_TOKEN, rv, "token %s does not give away the key that it made",
                          token->info.label);
    *scalar = BN_secure_new();
    return (*scalar != NULL && attribute.ulValueLen <= SCALAR_LEN &&
            BN_bin2bn(sg_secret_data(value), (int)attribute.ulValueLen, *scalar) != NULL) ||
           sg_fail(error, SG_TOKEN, NULL, "token %s gives a P-256 key of %lu bytes",
                   token->info.label, (unsigned long)attribute.ulValueLen);
}

static EVP_PKEY *build(const struct sg_public_key *public, const BIGNUM *scalar)
{
    sg_auto(OSSL_PARAM_BLD) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    sg_auto(OSSL_PARAM) OSSL_PARAM *params = NULL;
    sg_auto(openssl_bytes) uint8_t *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(public->pkey, &point);
    EVP_PKEY *pkey = NULL;

    if (len == 0 || builder == NULL || context == NULL ||
        !OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) ||
        !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, len) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar) ||
        (params = OSSL_PARAM_BLD_to_param(builder)) == NULL ||
        EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        return NULL;
    return pkey;
}

static bool is_pair(EVP_PKEY *pkey)
{
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    return context != NULL && EVP_PKEY_pairwise_check(context) == 1;
}

static bool take(struct sg_token *token, const struct pair *pair, EVP_PKEY **pkey,
                 struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key public = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *fresh = NULL;
    sg_auto(BIGNUM) BIGNUM *scalar = NULL;
    bool is_read = sg_public_key_of_object(token, pair->public, &public, error) &&
                   read_scalar(token, pair->private, &scalar, error);

    if (is_read && public.pkey == NULL)
        is_read = sg_fail(error, SG_TOKEN, NULL, "token %s does not tell the public key of a pair",
                          token->info.label);
    if (is_read && ((fresh = build(&public, scalar)) == NULL || !is_pair(fresh)))
        is_read = sg_fail_openssl(error, SG_TOKEN, NULL, "the pair that token %s made is no key",
                                  token->info.label);
    if (scalar != NULL)
        BN_clear(scalar);
    if (is_read)
        *pkey = SG_TAKE(fresh);
    return is_read;
}

bool sg_key_make_to_give(struct sg_token *token, EVP_PKEY **pkey, struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = token->module.functions;
    struct pair pair;
    bool is_taken;
    SG_TOKEN_LOCK(token);

    ERR_clear_error();
    if (!sg_token_login_locked(token, error) || !generate(token, &pair, error))
        return false;
    is_taken = take(token, &pair, pkey, error);
    functions->C_DestroyObject(token->session, pair.private);
    functions->C_DestroyObject(token->session, pair.public);
    return is_taken;
}
