/* The provider's decryption (RSAES-OAEP) and key agreement (ECDH with the X9.63 derivation), as CMS
 * asks for them. */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/limits.h"
#include "pkey_ops.h"
#include "signer_use.h"

/* One decryption or agreement. */
struct opening {
    struct sg_pkey *key, *peer;
    char digest[32], mask[32]; /* of OAEP, and of its MGF1; of the derivation */
    bool is_oaep, derives;
    size_t out_len;
    uint8_t info[SG_LIMIT_VALUE]; /* for the derivation */
    size_t info_len;
};

static void *opening_new(void *provider)
{
    (void)provider;
    return calloc(1, sizeof(struct opening));
}

static void opening_free(void *data)
{
    struct opening *opening = data;

    if (opening == NULL)
        return;
    sg_pkey_free(opening->key);
    sg_pkey_free(opening->peer);
    free(opening);
}

static int opening_begin(void *data, void *key)
{
    struct opening *opening = data;

    if (key == NULL || ((struct sg_pkey *)key)->signer == NULL)
        return 0;
    sg_pkey_free(opening->key);
    opening->key = sg_pkey_up(key);
    return 1;
}

static bool take_text(const OSSL_PARAM parameters[], const char *name, char *into, size_t size)
{
    const OSSL_PARAM *given = OSSL_PARAM_locate_const(parameters, name);

    return given == NULL || OSSL_PARAM_get_utf8_string(given, &into, size) == 1;
}

static int fail(const struct sg_error *why)
{
    ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "%s", why->text);
    return 0;
}

/* ---- RSA ---- */

static bool choose_padding(struct opening *opening, const OSSL_PARAM *given)
{
    const char *text = NULL;
    int mode = 0;

    if (given->data_type == OSSL_PARAM_UTF8_STRING)
        opening->is_oaep = OSSL_PARAM_get_utf8_string_ptr(given, &text) == 1 &&
                           strcmp(text, OSSL_PKEY_RSA_PAD_MODE_OAEP) == 0;
    else
        opening->is_oaep = OSSL_PARAM_get_int(given, &mode) == 1 && mode == RSA_PKCS1_OAEP_PADDING;
    return opening->is_oaep;
}

/* A label is nobody's here. */
static int rsa_set_params(void *data, const OSSL_PARAM parameters[])
{
    struct opening *opening = data;
    const OSSL_PARAM *given;

    if (parameters == NULL)
        return 1;
    given = OSSL_PARAM_locate_const(parameters, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
    if (given != NULL && !choose_padding(opening, given))
        return 0;
    given = OSSL_PARAM_locate_const(parameters, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
    if (given != NULL && given->data_size > 0)
        return 0;
    return take_text(parameters, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, opening->digest,
                     sizeof opening->digest) &&
           take_text(parameters, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, opening->mask,
                     sizeof opening->mask);
}

static const OSSL_PARAM *rsa_settable(void *data, void *provider)
{
    static const OSSL_PARAM TABLE[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)data;
    (void)provider;
    return TABLE;
}

static int rsa_begin(void *data, void *key, const OSSL_PARAM parameters[])
{
    struct opening *opening = data;

    opening->is_oaep = false;
    opening->digest[0] = opening->mask[0] = '\0';
    return opening_begin(data, key) && rsa_set_params(data, parameters);
}

static int digest_of(const char *name)
{
    const EVP_MD *digest = EVP_get_digestbyname(name[0] != '\0' ? name : "SHA1");

    return digest != NULL ? EVP_MD_get_type(digest) : NID_undef;
}

static int rsa_decrypt(void *data, unsigned char *plain, size_t *len, size_t size,
                       const unsigned char *bytes, size_t bytes_len)
{
    struct opening *opening = data;
    struct sg_signer *signer = opening->key->signer;
    const int digest = digest_of(opening->digest);
    uint8_t made[SG_USE_MAX];
    size_t made_len = 0;
    struct sg_error why = {0};
    bool is_made;

    if (plain == NULL) {
        *len = (size_t)EVP_PKEY_get_size(sg_signer_public_key(signer)->pkey);
        return 1;
    }
    if (!opening->is_oaep || (opening->mask[0] != '\0' && digest_of(opening->mask) != digest)) {
        sg_fail(&why, SG_USAGE, NULL, "tokens decrypt by OAEP, with one digest throughout");
        return fail(&why);
    }
    is_made =
        sg_signer_decrypt(signer, digest, sg_slice_of(bytes, bytes_len), made, &made_len, &why) &&
        made_len <= size;
    if (is_made) {
        memcpy(plain, made, made_len);
        *len = made_len;
    }
    OPENSSL_cleanse(made, sizeof made);
    return is_made ? 1 : fail(&why);
}

/* ---- EC ---- */

static int ec_set_params(void *data, const OSSL_PARAM parameters[])
{
    struct opening *opening = data;
    const OSSL_PARAM *given;
    char kdf[16] = "";
    void *info = opening->info;

    if (parameters == NULL)
        return 1;
    if (!take_text(parameters, OSSL_EXCHANGE_PARAM_KDF_TYPE, kdf, sizeof kdf) ||
        !take_text(parameters, OSSL_EXCHANGE_PARAM_KDF_DIGEST, opening->digest,
                   sizeof opening->digest))
        return 0;
    if (kdf[0] != '\0' && strcmp(kdf, OSSL_KDF_NAME_X963KDF) != 0)
        return 0;
    opening->derives = opening->derives || kdf[0] != '\0';
    given = OSSL_PARAM_locate_const(parameters, OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
    if (given != NULL && OSSL_PARAM_get_size_t(given, &opening->out_len) != 1)
        return 0;
    given = OSSL_PARAM_locate_const(parameters, OSSL_EXCHANGE_PARAM_KDF_UKM);
    return given == NULL ||
           OSSL_PARAM_get_octet_string(given, &info, sizeof opening->info, &opening->info_len) == 1;
}

/* The cofactor of NIST's curves is 1: either way is the same. */
static const OSSL_PARAM *ec_settable(void *data, void *provider)
{
    static const OSSL_PARAM TABLE[] = {
        OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, NULL),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, NULL, 0),
        OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, NULL),
        OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)data;
    (void)provider;
    return TABLE;
}

static int ec_begin(void *data, void *key, const OSSL_PARAM parameters[])
{
    return opening_begin(data, key) && ec_set_params(data, parameters);
}

static int ec_set_peer(void *data, void *key)
{
    struct opening *opening = data;

    if (key == NULL || ((struct sg_pkey *)key)->other == NULL)
        return 0;
    sg_pkey_free(opening->peer);
    opening->peer = sg_pkey_up(key);
    return 1;
}

/* ANSI X9.63, as RFC 5753 7.1 has it. */
static bool stretch(const struct opening *opening, const uint8_t *secret, size_t secret_len,
                    uint8_t *into)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_X963KDF, NULL);
    EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)opening->digest,
                                         0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
                                          secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)opening->info,
                                          opening->info_len),
        OSSL_PARAM_construct_end(),
    };
    const bool is_made =
        context != NULL && EVP_KDF_derive(context, into, opening->out_len, parameters) == 1;

    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return is_made;
}

static int ec_derive(void *data, unsigned char *into, size_t *len, size_t size)
{
    struct opening *opening = data;
    uint8_t secret[SG_USE_MAX];
    size_t secret_len = 0;
    struct sg_error why = {0};
    sg_auto(openssl_bytes) uint8_t *point = NULL;
    bool is_made;

    if (!opening->derives || opening->peer == NULL || opening->key == NULL)
        return 0;
    if (into == NULL) {
        *len = opening->out_len;
        return 1;
    }
    const size_t point_len = EVP_PKEY_get1_encoded_public_key(opening->peer->other, &point);
    is_made = size >= opening->out_len && point_len > 0 &&
              sg_signer_agree(opening->key->signer, sg_slice_of(point, point_len), secret,
                              &secret_len, &why) &&
              stretch(opening, secret, secret_len, into);
    OPENSSL_cleanse(secret, sizeof secret);
    *len = opening->out_len;
    return is_made ? 1 : fail(&why);
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        id, (void (*)(void))(function)                                                             \
    }

const OSSL_DISPATCH SG_PKEY_DECRYPTIONS[] = {
    FUNCTION(OSSL_FUNC_ASYM_CIPHER_NEWCTX, opening_new),
    FUNCTION(OSSL_FUNC_ASYM_CIPHER_FREECTX, opening_free),
    FUNCTION(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, rsa_begin),
    FUNCTION(OSSL_FUNC_ASYM_CIPHER_DECRYPT, rsa_decrypt),
    FUNCTION(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, rsa_set_params),
    FUNCTION(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, rsa_settable),
    {0, NULL},
};

const OSSL_DISPATCH SG_PKEY_AGREEMENTS[] = {
    FUNCTION(OSSL_FUNC_KEYEXCH_NEWCTX, opening_new),
    FUNCTION(OSSL_FUNC_KEYEXCH_FREECTX, opening_free),
    FUNCTION(OSSL_FUNC_KEYEXCH_INIT, ec_begin),
    FUNCTION(OSSL_FUNC_KEYEXCH_SET_PEER, ec_set_peer),
    FUNCTION(OSSL_FUNC_KEYEXCH_DERIVE, ec_derive),
    FUNCTION(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, ec_set_params),
    FUNCTION(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, ec_settable),
    {0, NULL},
};
