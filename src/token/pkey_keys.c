/* The provider's keys: a signer, and its public half for whoever asks. Nothing here gives a private
 * half away, and there is none in this process to be given. */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "pkey_ops.h"

struct sg_pkey *sg_pkey_up(struct sg_pkey *key)
{
    __atomic_add_fetch(&key->num_references, 1, __ATOMIC_RELAXED);
    return key;
}

void sg_pkey_free(struct sg_pkey *key)
{
    if (key == NULL || __atomic_sub_fetch(&key->num_references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    EVP_PKEY_free(key->other);
    free(key);
}

static EVP_PKEY *public_half(const struct sg_pkey *key)
{
    return key->signer != NULL ? sg_signer_public_key(key->signer)->pkey : key->other;
}

static void *key_new(void *provider)
{
    struct sg_pkey *key = calloc(1, sizeof *key);

    (void)provider;
    if (key != NULL)
        key->num_references = 1;
    return key;
}

static void key_free(void *key)
{
    sg_pkey_free(key);
}

static void *key_dup(const void *key, int selection)
{
    (void)selection;
    return sg_pkey_up((struct sg_pkey *)(uintptr_t)key);
}

/* The one with whom a secret is agreed on: on a curve, and without a private half. */
static int import_other(struct sg_pkey *key, const OSSL_PARAM parameters[])
{
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    return key->signer == NULL && key->other == NULL && context != NULL &&
           OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_PUB_KEY) != NULL &&
           EVP_PKEY_fromdata_init(context) == 1 &&
           EVP_PKEY_fromdata(context, &key->other, EVP_PKEY_PUBLIC_KEY,
                             (OSSL_PARAM *)(uintptr_t)parameters) == 1;
}

static int key_import(void *data, int selection, const OSSL_PARAM parameters[])
{
    const OSSL_PARAM *given = OSSL_PARAM_locate_const(parameters, SG_PKEY_SIGNER);
    struct sg_pkey *key = data;
    const void *signer = NULL;

    (void)selection;
    if (given == NULL)
        return import_other(key, parameters);
    if (OSSL_PARAM_get_octet_ptr(given, &signer, NULL) != 1)
        return 0;
    key->signer = (struct sg_signer *)(uintptr_t)signer;
    return 1;
}

static const OSSL_PARAM *key_import_types(int selection)
{
    static const OSSL_PARAM TYPES[] = {
        OSSL_PARAM_octet_ptr(SG_PKEY_SIGNER, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)selection;
    return TYPES;
}

static int key_has(const void *data, int selection)
{
    const struct sg_pkey *key = data;

    return key->signer != NULL ||
           (key->other != NULL && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0);
}

static int key_match(const void *one, const void *other, int selection)
{
    const struct sg_pkey *first = one, *second = other;

    (void)selection;
    return public_half(first) != NULL && public_half(second) != NULL &&
           EVP_PKEY_eq(public_half(first), public_half(second)) == 1;
}

/* Only the public half; other providers verify and compare with it. */
static int key_export(void *data, int selection, OSSL_CALLBACK *give, void *argument)
{
    const struct sg_pkey *key = data;
    OSSL_PARAM *parameters = NULL;
    int is_given;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 || public_half(key) == NULL ||
        EVP_PKEY_todata(public_half(key), EVP_PKEY_PUBLIC_KEY, &parameters) != 1)
        return 0;
    is_given = give(parameters, argument);
    OSSL_PARAM_free(parameters);
    return is_given;
}

static const OSSL_PARAM RSA_TYPES[] = {
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
    OSSL_PARAM_END,
};
static const OSSL_PARAM EC_TYPES[] = {
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
    OSSL_PARAM_END,
};
static const OSSL_PARAM ED25519_TYPES[] = {
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
    OSSL_PARAM_END,
};

static const OSSL_PARAM *public_types(int selection, const OSSL_PARAM *types)
{
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? NULL : types;
}

static const OSSL_PARAM *rsa_export_types(int selection)
{
    return public_types(selection, RSA_TYPES);
}

static const OSSL_PARAM *ec_export_types(int selection)
{
    return public_types(selection, EC_TYPES);
}

static const OSSL_PARAM *ed25519_export_types(int selection)
{
    return public_types(selection, ED25519_TYPES);
}

/* Sizes, curve, default digest: what the key in memory says. */
static int key_get_params(void *data, OSSL_PARAM parameters[])
{
    const struct sg_pkey *key = data;

    return key->signer != NULL && EVP_PKEY_get_params(public_half(key), parameters) == 1;
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    static const OSSL_PARAM TABLE[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provider;
    return TABLE;
}

/* What an EC key does has other names than the key. */
static const char *ec_operation(int operation)
{
    return operation == OSSL_OP_KEYEXCH ? "ECDH" : "ECDSA";
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        id, (void (*)(void))(function)                                                             \
    }
#define COMMON                                                                                     \
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new), FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),          \
        FUNCTION(OSSL_FUNC_KEYMGMT_DUP, key_dup), FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),        \
        FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),                                              \
        FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                                            \
        FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),                                \
        FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                                            \
        FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),                                    \
        FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable)

const OSSL_DISPATCH SG_PKEY_RSA_KEYS[] = {
    COMMON,
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, rsa_export_types),
    {0, NULL},
};
const OSSL_DISPATCH SG_PKEY_EC_KEYS[] = {
    COMMON,
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, ec_export_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation),
    {0, NULL},
};
const OSSL_DISPATCH SG_PKEY_ED25519_KEYS[] = {
    COMMON,
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, ed25519_export_types),
    {0, NULL},
};
