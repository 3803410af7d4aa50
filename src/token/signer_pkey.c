#include "signer_pkey.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include "pkey_ops.h"

static const char PROVIDER_NAME[] = "signet-signer";

/* What the process has for its keys: their provider and its context. */
struct sg_pkey_maker {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *provider, *standard;
};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM KEYS[] = {
        {"RSA:rsaEncryption", "provider=signet-signer", SG_PKEY_RSA_KEYS, NULL},
        {"EC:id-ecPublicKey", "provider=signet-signer", SG_PKEY_EC_KEYS, NULL},
        {"ED25519", "provider=signet-signer", SG_PKEY_ED25519_KEYS, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const OSSL_ALGORITHM SIGNATURES[] = {
        {"RSA:rsaEncryption", "provider=signet-signer", SG_PKEY_SIGNATURES, NULL},
        {"ECDSA", "provider=signet-signer", SG_PKEY_SIGNATURES, NULL},
        {"ED25519", "provider=signet-signer", SG_PKEY_SIGNATURES, NULL},
        {NULL, NULL, NULL, NULL},
    };

    static const OSSL_ALGORITHM DECRYPTIONS[] = {
        {"RSA:rsaEncryption", "provider=signet-signer", SG_PKEY_DECRYPTIONS, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const OSSL_ALGORITHM AGREEMENTS[] = {
        {"ECDH", "provider=signet-signer", SG_PKEY_AGREEMENTS, NULL},
        {NULL, NULL, NULL, NULL},
    };

    (void)provider;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return KEYS;
    case OSSL_OP_SIGNATURE:
        return SIGNATURES;
    case OSSL_OP_ASYM_CIPHER:
        return DECRYPTIONS;
    case OSSL_OP_KEYEXCH:
        return AGREEMENTS;
    default:
        return NULL;
    }
}

static void teardown(void *provider)
{
    (void)provider; /* it has no state: its keys do */
}

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                 void **provider)
{
    static const OSSL_DISPATCH FUNCTIONS[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
        {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
        {0, NULL},
    };
    static char state; /* an address that is not NULL */

    (void)handle;
    (void)in;
    *out = FUNCTIONS;
    *provider = &state;
    return 1;
}

bool sg_pkey_maker_new(struct sg_pkey_maker **maker, struct sg_error *error)
{
    sg_auto(sg_pkey_maker) struct sg_pkey_maker *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || (fresh->context = OSSL_LIB_CTX_new()) == NULL)
        return sg_fail_memory(error);
    if (OSSL_PROVIDER_add_builtin(fresh->context, PROVIDER_NAME, start) != 1 ||
        (fresh->provider = OSSL_PROVIDER_load(fresh->context, PROVIDER_NAME)) == NULL ||
        (fresh->standard = OSSL_PROVIDER_load(fresh->context, "default")) == NULL)
        return sg_fail_openssl(error, SG_FAILED, NULL,
                               "OpenSSL does not take the provider of token keys");
    *maker = SG_TAKE(fresh);
    return true;
}

OSSL_LIB_CTX *sg_pkey_maker_context(struct sg_pkey_maker *maker)
{
    return maker->context;
}

bool sg_signer_pkey(struct sg_pkey_maker *maker, struct sg_signer *signer, EVP_PKEY **pkey,
                    struct sg_error *error)
{
    static const char *const TYPES[] = {
        [SG_KEY_RSA] = "RSA",
        [SG_KEY_EC] = "EC",
        [SG_KEY_ED25519] = "ED25519",
    };
    enum sg_key_family family = sg_signer_public_key(signer)->kind.family;
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = NULL;
    void *pointer = signer;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_ptr(SG_PKEY_SIGNER, &pointer, sizeof pointer),
        OSSL_PARAM_END,
    };
    EVP_PKEY *fresh = NULL;

    context = EVP_PKEY_CTX_new_from_name(maker->context, TYPES[family], "provider=signet-signer");
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &fresh, EVP_PKEY_KEYPAIR, parameters) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "OpenSSL does not take a token's key");
    *pkey = fresh;
    return true;
}

bool sg_signer_pkey_fail(struct sg_error *error, const char *what)
{
    char text[SG_ERROR_TEXT_SIZE] = "OpenSSL did not make use of the token's key";
    const char *data = NULL;
    int flags = 0;
    unsigned long entry;

    while ((entry = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0)
        if (ERR_GET_LIB(entry) == ERR_LIB_PROV && ERR_GET_REASON(entry) == ERR_R_OPERATION_FAIL &&
            (flags & ERR_TXT_STRING) != 0)
            snprintf(text, sizeof text, "%s", data);
    return sg_fail(error, SG_TOKEN, NULL, "%s: %s", what, text);
}

void sg_pkey_maker_free(struct sg_pkey_maker *maker)
{
    if (maker == NULL)
        return;
    if (maker->provider != NULL)
        OSSL_PROVIDER_unload(maker->provider);
    if (maker->standard != NULL)
        OSSL_PROVIDER_unload(maker->standard);
    OSSL_LIB_CTX_free(maker->context);
    free(maker);
}
