/* A key that the token makes for somebody else, and does not keep. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "key_read.h"
#include "rv.h"

SG_DEFINE_CLEANUP(OSSL_PARAM, OSSL_PARAM_free)

static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct pair {
    CK_OBJECT_HANDLE public, private;
};

/* ---- on the token ---- */

static bool generate(struct sg_token *token, struct sg_key_kind kind, CK_MECHANISM_TYPE type,
                     CK_ATTRIBUTE *public, CK_ULONG num_public, struct pair *pair,
                     struct sg_error *error)
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_ATTRIBUTE private[] = {
        public[0], /* CKA_KEY_TYPE */
        sg_attribute(CKA_TOKEN, &NO, sizeof NO),
        sg_attribute(CKA_PRIVATE, &YES, sizeof YES),
        sg_attribute(CKA_SENSITIVE, &NO, sizeof NO),
        sg_attribute(CKA_EXTRACTABLE, &YES, sizeof YES),
        sg_attribute(CKA_SIGN, &YES, sizeof YES),
    };
    char text[SG_KEY_KIND_TEXT_SIZE];
    CK_RV rv = token->module.functions->C_GenerateKeyPair(token->session, &mechanism, public,
                                                          num_public, private, COUNT(private),
                                                          &pair->public, &pair->private);

    return rv == CKR_OK ||
           sg_fail_token(
               error, SG_TOKEN, token, rv,
               "token %s makes no %s key that it would give away (in FIPS mode none does)",
               token->info.label, sg_key_kind_text(kind, text));
}

static bool generate_ec(struct sg_token *token, struct sg_key_kind kind, struct pair *pair,
                        struct sg_error *error)
{
    static const CK_KEY_TYPE TYPE = CKK_EC;
    sg_auto(openssl_bytes) uint8_t *curve = NULL;
    size_t curve_len = 0;

    if (!sg_key_curve(kind, &curve, &curve_len, error))
        return false;
    CK_ATTRIBUTE public[] = {
        sg_attribute(CKA_KEY_TYPE, &TYPE, sizeof TYPE),
        sg_attribute(CKA_EC_PARAMS, curve, curve_len),
        sg_attribute(CKA_TOKEN, &NO, sizeof NO),
        sg_attribute(CKA_PRIVATE, &NO, sizeof NO),
        sg_attribute(CKA_VERIFY, &YES, sizeof YES),
    };

    return generate(token, kind, CKM_EC_KEY_PAIR_GEN, public, COUNT(public), pair, error);
}

static bool generate_rsa(struct sg_token *token, struct sg_key_kind kind, struct pair *pair,
                         struct sg_error *error)
{
    static const CK_KEY_TYPE TYPE = CKK_RSA;
    static const uint8_t F4[] = {1, 0, 1}; /* 65537 */
    const CK_ULONG bits = kind.bits;
    CK_ATTRIBUTE public[] = {
        sg_attribute(CKA_KEY_TYPE, &TYPE, sizeof TYPE),
        sg_attribute(CKA_MODULUS_BITS, &bits, sizeof bits),
        sg_attribute(CKA_PUBLIC_EXPONENT, F4, sizeof F4),
        sg_attribute(CKA_TOKEN, &NO, sizeof NO),
        sg_attribute(CKA_PRIVATE, &NO, sizeof NO),
        sg_attribute(CKA_VERIFY, &YES, sizeof YES),
    };

    return generate(token, kind, CKM_RSA_PKCS_KEY_PAIR_GEN, public, COUNT(public), pair, error);
}

/* ---- away from it ---- */

/* The numbers of the private half, as the token and as OpenSSL call them. */
struct number {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    bool is_half; /* as long as half of the modulus */
};

static const struct number EC_NUMBERS[] = {{CKA_VALUE, OSSL_PKEY_PARAM_PRIV_KEY, false}, {0}};
static const struct number RSA_NUMBERS[] = {
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D, false},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1, true},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2, true},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1, true},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2, true},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, true},
    {0},
};
enum { MAX_NUMBERS = 6 };

/* What is made of an object, until it is an EVP_PKEY. */
struct half {
    struct sg_public_key public;
    BIGNUM *modulus, *exponent;   /* RSA */
    BIGNUM *numbers[MAX_NUMBERS]; /* in secure memory, wiped as they go */
    char curve[SG_KEY_KIND_TEXT_SIZE];
    OSSL_PARAM_BLD *builder; /* which borrows them */
};

static void half_done(struct half *half)
{
    OSSL_PARAM_BLD_free(half->builder);
    for (size_t i = 0; i < MAX_NUMBERS; i++)
        BN_clear_free(half->numbers[i]);
    BN_free(half->modulus);
    BN_free(half->exponent);
    sg_public_key_done(&half->public);
}
SG_DEFINE_CLEANUP_IN_PLACE(half, half_done)

/* A big-endian number; some tokens leave zeros at its front out. */
static bool read_number(struct sg_token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                        size_t most, BIGNUM **number, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *value = NULL;
    CK_ATTRIBUTE attribute;
    CK_RV rv;

    if (!sg_secret_new(most, &value, error))
        return false;
    attribute = sg_attribute(type, sg_secret_data(value), most);
    rv = token->module.functions->C_GetAttributeValue(token->session, object, &attribute, 1);
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, token, rv,
                             "token %s does not give away the key that it made", token->info.label);
    *number = BN_secure_new();
    return (*number != NULL && attribute.ulValueLen <= most &&
            BN_bin2bn(sg_secret_data(value), (int)attribute.ulValueLen, *number) != NULL) ||
           sg_fail(error, SG_TOKEN, NULL, "token %s gives a key with a number of %lu bytes",
                   token->info.label, (unsigned long)attribute.ulValueLen);
}

static bool read_private(struct sg_token *token, CK_OBJECT_HANDLE object, struct half *half,
                         struct sg_error *error)
{
    const struct sg_key_kind kind = half->public.kind;
    const struct number *numbers = kind.family == SG_KEY_RSA ? RSA_NUMBERS : EC_NUMBERS;
    const size_t whole = (kind.bits + 7) / 8;

    for (size_t i = 0; numbers[i].name != NULL; i++)
        if (!read_number(token, object, numbers[i].type,
                         numbers[i].is_half ? (whole + 1) / 2 : whole, &half->numbers[i], error))
            return false;
    for (size_t i = 0; numbers[i].name != NULL; i++)
        if (OSSL_PARAM_BLD_push_BN(half->builder, numbers[i].name, half->numbers[i]) != 1)
            return sg_fail_memory(error);
    return true;
}

/* EVP_PKEY_fromdata wants both halves. */
static bool push_ec_public(struct half *half, uint8_t **point)
{
    const size_t len = EVP_PKEY_get1_encoded_public_key(half->public.pkey, point);

    sg_key_kind_text(half->public.kind, half->curve);
    return len > 0 &&
           OSSL_PARAM_BLD_push_utf8_string(half->builder, OSSL_PKEY_PARAM_GROUP_NAME, half->curve,
                                           0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(half->builder, OSSL_PKEY_PARAM_PUB_KEY, *point, len) ==
               1;
}

static bool push_rsa_public(struct half *half)
{
    EVP_PKEY *pkey = half->public.pkey;

    return EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &half->modulus) == 1 &&
           EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &half->exponent) == 1 &&
           OSSL_PARAM_BLD_push_BN(half->builder, OSSL_PKEY_PARAM_RSA_N, half->modulus) == 1 &&
           OSSL_PARAM_BLD_push_BN(half->builder, OSSL_PKEY_PARAM_RSA_E, half->exponent) == 1;
}

static EVP_PKEY *build(struct half *half)
{
    const bool is_rsa = half->public.kind.family == SG_KEY_RSA;
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_name(NULL, is_rsa ? "RSA" : "EC", NULL);
    sg_auto(openssl_bytes) uint8_t *point = NULL;
    sg_auto(OSSL_PARAM) OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    if (context == NULL || !(is_rsa ? push_rsa_public(half) : push_ec_public(half, &point)) ||
        (params = OSSL_PARAM_BLD_to_param(half->builder)) == NULL ||
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

static bool take(struct sg_token *token, struct sg_key_kind kind, const struct pair *pair,
                 EVP_PKEY **pkey, struct sg_error *error)
{
    sg_auto(half) struct half half = {.builder = OSSL_PARAM_BLD_new()};
    sg_auto(EVP_PKEY) EVP_PKEY *fresh = NULL;

    if (half.builder == NULL)
        return sg_fail_memory(error);
    if (!sg_public_key_of_object(token, pair->public, &half.public, error))
        return false;
    if (half.public.pkey == NULL || !sg_key_kind_equal(half.public.kind, kind))
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s does not tell the public key of a pair, or tells another one",
                       token->info.label);
    if (!read_private(token, pair->private, &half, error))
        return false;
    if ((fresh = build(&half)) == NULL || !is_pair(fresh))
        return sg_fail_openssl(error, SG_TOKEN, NULL, "the pair that token %s made is no key",
                               token->info.label);
    *pkey = SG_TAKE(fresh);
    return true;
}

static bool check_kind(struct sg_key_kind kind, struct sg_error *error)
{
    char text[SG_KEY_KIND_TEXT_SIZE];

    return (kind.family == SG_KEY_EC && kind.bits != 0) ||
           (kind.family == SG_KEY_RSA && kind.bits >= 2048 && kind.bits <= SG_GIVEN_RSA_BITS) ||
           sg_fail(error, SG_USAGE, NULL, "no %s key is made to be given away",
                   sg_key_kind_text(kind, text));
}

bool sg_key_make_to_give(struct sg_token *token, struct sg_key_kind kind, EVP_PKEY **pkey,
                         struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = token->module.functions;
    struct pair pair;
    bool is_taken;
    SG_TOKEN_LOCK(token);

    ERR_clear_error();
    if (!check_kind(kind, error) || !sg_token_login_locked(token, error) ||
        !(kind.family == SG_KEY_RSA ? generate_rsa(token, kind, &pair, error)
                                    : generate_ec(token, kind, &pair, error)))
        return false;
    is_taken = take(token, kind, &pair, pkey, error);
    functions->C_DestroyObject(token->session, pair.private);
    functions->C_DestroyObject(token->session, pair.public);
    return is_taken;
}
