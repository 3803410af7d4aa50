/* A key that somebody else has made, and that the token is to keep from now on. */
#include <openssl/core_names.h>
#include <string.h>

#include "key_read.h"
#include "rv.h"

static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;

#define FLAG(type, flag)   sg_attribute(type, &(flag), sizeof(flag))
#define BYTES(type, bytes) sg_attribute(type, (bytes).data, (bytes).len)

/* The numbers of a kind's key, as PKCS #11 and OpenSSL call them. */
struct number {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
};

static const struct number EC_NUMBERS[] = {{CKA_VALUE, OSSL_PKEY_PARAM_PRIV_KEY}, {0}};
static const struct number RSA_NUMBERS[] = {
    {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
    {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
    {0},
};
enum { MAX_NUMBERS = 8, MAX_ATTRIBUTES = 24 };

/* The private half on its way. */
struct half {
    const struct number *numbers;
    struct sg_secret *values[MAX_NUMBERS];
    uint8_t *curve; /* CKA_EC_PARAMS, from OpenSSL; NULL: RSA */
    size_t curve_len;
};

static void half_done(struct half *half)
{
    OPENSSL_free(half->curve);
    for (size_t i = 0; i < MAX_NUMBERS; i++)
        sg_secret_free(half->values[i]);
}
SG_DEFINE_CLEANUP_IN_PLACE(half, half_done)

/* len      of the number, with zeros at its front; 0: as long as it is. */
static bool take_number(const EVP_PKEY *pkey, const char *name, size_t len,
                        struct sg_secret **value, struct sg_error *error)
{
    BIGNUM *number = NULL;
    bool is_taken = EVP_PKEY_get_bn_param(pkey, name, &number) == 1;

    if (!is_taken)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a private key can't be taken apart");
    len = len > 0 ? len : (size_t)BN_num_bytes(number);
    is_taken = sg_secret_new(len, value, error) &&
               (BN_bn2binpad(number, sg_secret_data(*value), (int)len) == (int)len ||
                sg_fail_openssl(error, SG_INTERNAL, NULL, "a private key can't be taken apart"));
    BN_clear_free(number);
    return is_taken;
}

static bool take_half(const EVP_PKEY *pkey, struct sg_key_kind kind, struct half *half,
                      struct sg_error *error)
{
    const bool is_rsa = kind.family == SG_KEY_RSA;

    half->numbers = is_rsa ? RSA_NUMBERS : EC_NUMBERS;
    if (!is_rsa && !sg_key_curve(kind, &half->curve, &half->curve_len, error))
        return false;
    for (size_t i = 0; half->numbers[i].name != NULL; i++)
        if (!take_number(pkey, half->numbers[i].name, is_rsa ? 0 : (kind.bits + 7) / 8,
                         &half->values[i], error))
            return false;
    return true;
}

/* A key that signs and does nothing else, as sg_key_create makes it, and that never leaves. */
static bool put_private(struct sg_token *token, const struct half *half, const struct sg_key *key,
                        CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    static const CK_OBJECT_CLASS CLASS = CKO_PRIVATE_KEY;
    static const CK_KEY_TYPE EC = CKK_EC, RSA_KEY = CKK_RSA;
    CK_ATTRIBUTE attributes[MAX_ATTRIBUTES] = {
        FLAG(CKA_CLASS, CLASS),
        half->curve != NULL ? FLAG(CKA_KEY_TYPE, EC) : FLAG(CKA_KEY_TYPE, RSA_KEY),
        FLAG(CKA_TOKEN, YES),
        FLAG(CKA_PRIVATE, YES),
        FLAG(CKA_SENSITIVE, YES),
        FLAG(CKA_EXTRACTABLE, NO),
        FLAG(CKA_SIGN, YES),
        FLAG(CKA_DECRYPT, NO),
        FLAG(CKA_UNWRAP, NO),
        FLAG(CKA_DERIVE, NO),
        sg_attribute(CKA_LABEL, key->label, strlen(key->label)),
        BYTES(CKA_ID, key->id),
    };
    CK_ULONG num = 12;
    CK_RV rv;

    if (half->curve != NULL)
        attributes[num++] = sg_attribute(CKA_EC_PARAMS, half->curve, half->curve_len);
    for (size_t i = 0; half->numbers[i].name != NULL; i++)
        attributes[num++] = sg_attribute(half->numbers[i].type, sg_secret_data(half->values[i]),
                                         sg_secret_len(half->values[i]));
    /* Last: SoftHSM 2.6.1 sets no attribute that comes behind it (its issue 707). */
    attributes[num++] = FLAG(CKA_MODIFIABLE, NO);
    rv = token->module.functions->C_CreateObject(token->session, attributes, num, object);
    return rv == CKR_OK || sg_fail_token(error, SG_TOKEN, token, rv,
                                         "token %s takes no private key from outside (in FIPS mode "
                                         "none does)",
                                         token->info.label);
}

/* The name of what does not read back as it was stated, or NULL. */
static const char *find_difference(const struct sg_key *wanted, const struct sg_key *found)
{
    if (!found->sensitive)
        return "CKA_SENSITIVE";
    if (found->extractable)
        return "CKA_EXTRACTABLE";
    if (!found->sign || found->decrypt || found->unwrap || found->derive)
        return "use";
    if (!sg_slice_equal(sg_buf_slice(&found->id), sg_buf_slice(&wanted->id)))
        return "CKA_ID";
    return sg_public_key_equal(&found->public, &wanted->public) ? NULL : "public half";
}

static bool read_back(struct sg_token *token, CK_OBJECT_HANDLE object, const struct sg_key *wanted,
                      struct sg_key *found, struct sg_error *error)
{
    const char *difference;

    if (!sg_key_read_private(token, object, found, error))
        return false;
    difference = find_difference(wanted, found);
    return difference == NULL ||
           sg_fail(error, SG_TOKEN, NULL, "token %s keeps the key '%s' with another %s than stated",
                   token->info.label, wanted->label, difference);
}

static bool put(struct sg_token *token, const struct half *half, const struct sg_key *wanted,
                struct sg_key *found, struct sg_error *error)
{
    CK_OBJECT_HANDLE public = CK_INVALID_HANDLE, private = CK_INVALID_HANDLE;
    CK_FUNCTION_LIST *functions = token->module.functions;
    const bool is_there =
        sg_key_put_public(token, wanted, sg_buf_slice(&wanted->id), &public, error) &&
        put_private(token, half, wanted, &private, error) &&
        read_back(token, private, wanted, found, error);

    if (!is_there && private != CK_INVALID_HANDLE)
        functions->C_DestroyObject(token->session, private);
    if (!is_there && public != CK_INVALID_HANDLE)
        functions->C_DestroyObject(token->session, public);
    return is_there;
}

/* What the token is to say of the key. */
static bool describe(const EVP_PKEY *pkey, const char *label, struct sg_slice id,
                     struct sg_key *key, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    const int len = i2d_PUBKEY(pkey, &spki);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a public key can't be encoded");
    if (!sg_public_key_decode(sg_slice_of(spki, (size_t)len), &key->public, error))
        return false;
    if (key->public.kind.family != SG_KEY_RSA &&
        (key->public.kind.family != SG_KEY_EC || key->public.kind.bits == 0))
        return sg_fail(error, SG_REFUSED, NULL,
                       "only keys of RSA and on P-256, P-384 and P-521 are put on a token");
    if (id.len == 0)
        id = sg_slice_of(key->public.id, SG_KEY_ID_LEN);
    if ((key->label = strdup(label)) == NULL)
        return sg_fail_memory(error);
    return sg_buf_set(&key->id, id, error);
}

bool sg_key_put(struct sg_token *token, const EVP_PKEY *pkey, const char *label, struct sg_slice id,
                struct sg_key *key, struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key wanted = {0}, found = {0};
    sg_auto(half) struct half half = {0};
    bool is_there;
    SG_TOKEN_LOCK(token);

    if (token->profile.num_ids > 0 || token->profile.keygen_login != SG_KEYGEN_AS_USER)
        return sg_fail(error, SG_USAGE, NULL, "tokens of the profile %s take no key from outside",
                       token->profile.name);
    if (label[0] == '\0')
        return sg_fail(error, SG_USAGE, NULL, "a key has a label; add object=LABEL to its URI");
    if (!describe(pkey, label, id, &wanted, error) ||
        !take_half(pkey, wanted.public.kind, &half, error) ||
        !sg_token_login_locked(token, error) ||
        !sg_key_check_free(token, label, sg_buf_slice(&wanted.id), error))
        return false;
    is_there = put(token, &half, &wanted, &found, error);
    if (!is_there)
        return false;
    sg_key_done(key);
    *key = found;
    found = (struct sg_key){0};
    return true;
}
