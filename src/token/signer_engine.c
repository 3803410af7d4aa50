/* The signer through OpenSSL's pkcs11 engine. */
#include <openssl/err.h>
#include <string.h>

#include "base/limits.h"
#include "engine.h"
#include "key_read.h"
#include "rv.h"
#include "signer_kind.h"
#include "uri.h"

enum { MAX_ENGINE_ID = 100 }; /* libp11 reads no longer id from a URI */

/* What the engine can't sign with. */
static bool check_key(const struct sg_signer *signer, const struct sg_key *key,
                      struct sg_error *error)
{
    char name[SG_KEY_NAME_SIZE], kind[SG_KEY_KIND_TEXT_SIZE];

    sg_key_name(key, name);
    if (key->public.kind.family != SG_KEY_RSA && key->public.kind.family != SG_KEY_EC)
        return sg_fail(
            error, SG_TOKEN, NULL,
            "OpenSSL's pkcs11 engine can't sign with key %s: it is %s; the direct signer "
            "can (signer: direct, --signer direct)",
            name, sg_key_kind_text(key->public.kind, kind));
    if (key->always_authenticate)
        return sg_fail(error, SG_TOKEN, NULL,
                       "key %s on token %s wants the PIN for each signature "
                       "(CKA_ALWAYS_AUTHENTICATE), which the engine signer can't give; the direct "
                       "signer can (signer: direct, --signer direct)",
                       name, signer->token->info.label);
    return true;
}

static bool count_private(struct sg_token *token, struct sg_slice id, const char *label,
                          size_t *num, struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects objects = {0};

    if (!sg_objects_find_named(token, CKO_PRIVATE_KEY, id, label, &objects, error))
        return false;
    *num = objects.num;
    return true;
}

/* libp11 takes the last key that matches, so it gets the one attribute that only this key has. */
static bool append_key(struct sg_token *token, const struct sg_key *key, struct sg_buf *uri,
                       struct sg_error *error)
{
    struct sg_slice id = sg_buf_slice(&key->id);
    char name[SG_KEY_NAME_SIZE];
    size_t num = 0;

    if (id.len > 0 && id.len <= MAX_ENGINE_ID) {
        if (!count_private(token, id, NULL, &num, error))
            return false;
        if (num == 1)
            return sg_uri_append(uri, "id", id, error);
    }
    if (!count_private(token, (struct sg_slice){0}, key->label, &num, error))
        return false;
    if (num == 1)
        return sg_uri_append(uri, "object", sg_slice_text(key->label), error);
    return sg_fail(error, SG_TOKEN, NULL,
                   "neither the id nor the label of key %s is its alone on token %s, so OpenSSL's "
                   "pkcs11 engine can't tell it from the others; change one of them",
                   sg_key_name(key, name), token->info.label);
}

static bool build_uri(struct sg_token *token, const struct sg_key *key, struct sg_buf *uri,
                      struct sg_error *error)
{
    return sg_uri_append(uri, "token", sg_slice_text(token->info.label), error) &&
           sg_uri_append(uri, "serial", sg_slice_text(token->info.serial_number), error) &&
           sg_uri_append(uri, "manufacturer", sg_slice_text(token->info.manufacturer), error) &&
           sg_uri_append(uri, "model", sg_slice_text(token->info.model), error) &&
           append_key(token, key, uri, error);
}

/* Why the engine found no key that is there: the one reason that is known, else what it said. */
static bool fail_to_load(struct sg_token *token, const struct sg_key *key, CK_RV rv,
                         struct sg_error *error)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_EC_EDWARDS;
    CK_ATTRIBUTE wanted[] = {
        sg_attribute(CKA_CLASS, &class, sizeof class),
        sg_attribute(CKA_KEY_TYPE, &type, sizeof type),
    };
    sg_auto(sg_objects) struct sg_objects edwards = {0};
    char name[SG_KEY_NAME_SIZE];

    sg_key_name(key, name);
    if (sg_objects_find(token, wanted, 2, &edwards, NULL) && edwards.num > 0)
        return sg_fail(error, SG_TOKEN, NULL,
                       "OpenSSL's pkcs11 engine finds no key on token %s, as the token holds an "
                       "Ed25519 key and libp11 0.4.12 gives up at that; move key %s or the Ed25519 "
                       "key to another token",
                       token->info.label, name);
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, token, rv,
                             "OpenSSL's pkcs11 engine can't load key %s of token %s", name,
                             token->info.label);
    return sg_fail(error, SG_TOKEN, NULL,
                   "OpenSSL's pkcs11 engine does not find key %s on token %s; a token that was "
                   "initialised after this process began is seen by the next one",
                   name, token->info.label);
}

/* The key that the engine loaded must be the one that was found. */
static bool check_loaded(const struct sg_signer *signer, struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key loaded = {0};
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    int len = i2d_PUBKEY(signer->engine_key, &spki);

    if (len <= 0)
        return sg_fail_openssl(error, SG_TOKEN, NULL,
                               "cannot encode the public half of key '%s' as the engine has it",
                               signer->label);
    if (!sg_public_key_decode(sg_slice_of(spki, (size_t)len), &loaded, error))
        return false;
    if (!sg_public_key_equal(&loaded, &signer->public))
        return sg_fail(error, SG_TOKEN, NULL,
                       "OpenSSL's pkcs11 engine loaded another key than '%s' of token %s; give it "
                       "an id that no other key has",
                       signer->label, signer->token->info.label);
    return true;
}

/* libp11 waits for ever for its first session when the token gives none; so one is tried here. */
static bool check_free_session(const struct sg_token *token, struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = token->module.functions;
    CK_SESSION_HANDLE session;
    CK_RV rv = functions->C_OpenSession(token->info.slot, CKF_SERIAL_SESSION, NULL, NULL, &session);

    if (rv == CKR_OK)
        rv = functions->C_CloseSession(session);
    if (rv == CKR_OK)
        return true;
    return sg_fail_token(error, SG_TOKEN, token, rv,
                         "token %s has no session left for OpenSSL's pkcs11 engine; see that it is "
                         "connected, and end other programs that use it",
                         token->info.label);
}

static bool load_key(struct sg_signer *signer, const struct sg_key *key, struct sg_error *error)
{
    struct sg_token *token = signer->token;
    sg_auto(sg_buf) struct sg_buf uri = {0};
    CK_RV rv;

    if (!check_key(signer, key, error))
        return false;
    if (token->engine == NULL && !sg_engine_open(token->module.path, &token->engine, error))
        return false;
    if (!build_uri(token, key, &uri, error) || !check_free_session(token, error))
        return false;
    if (!sg_engine_load_key(token->engine, (const char *)uri.data, &signer->engine_key, &rv))
        return fail_to_load(token, key, rv, error);
    return check_loaded(signer, error);
}

static bool digest_and_sign(EVP_MD_CTX *context, EVP_PKEY_CTX *key_context,
                            const struct sg_signer *signer, enum sg_scheme scheme,
                            struct sg_slice bytes, uint8_t *signature, size_t *len)
{
    const EVP_MD *digest = sg_scheme_digest(scheme);

    EVP_MD_CTX_set_pkey_ctx(context, key_context);
    if (EVP_DigestSignInit(context, NULL, digest, NULL, signer->engine_key) != 1)
        return false;
    if (sg_scheme_is_pss(scheme) &&
        (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1 ||
         EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, digest) != 1))
        return false;
    return EVP_DigestSign(context, signature, len, bytes.data, bytes.len) == 1;
}

/* The CK_RV where libp11 reports it, else what OpenSSL says. */
static bool fail_to_sign(const struct sg_signer *signer, enum sg_scheme scheme,
                         struct sg_error *error)
{
    unsigned long entry = ERR_peek_last_error();
    const char *reason = entry != 0 ? ERR_reason_error_string(entry) : NULL;
    const char *label = signer->token->info.label;
    CK_RV rv = sg_engine_take_rv();

    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, signer->token, rv,
                             "token %s makes no %s signature with key '%s'", label,
                             sg_scheme_text(scheme), signer->label);
    return sg_fail(error, SG_TOKEN, NULL, "token %s makes no %s signature with key '%s': %s", label,
                   sg_scheme_text(scheme), signer->label,
                   reason != NULL ? reason : "the engine does not say why");
}

static bool sign_bytes(struct sg_signer *signer, enum sg_scheme scheme, struct sg_slice bytes,
                       struct sg_buf *signature, struct sg_error *error)
{
    /* The digest context does not own a key context that it was given; it goes first. */
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *key_context = NULL;
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = NULL;
    uint8_t made[SG_LIMIT_SIGNATURE];
    size_t len = sizeof made;

    ERR_clear_error();
    key_context = sg_engine_key_context(signer->token->engine, signer->engine_key);
    context = EVP_MD_CTX_new();
    if (key_context == NULL || context == NULL ||
        !digest_and_sign(context, key_context, signer, scheme, bytes, made, &len))
        return fail_to_sign(signer, scheme, error);
    return sg_buf_set(signature, sg_slice_of(made, len), error);
}

static void unload_key(struct sg_signer *signer)
{
    EVP_PKEY_free(signer->engine_key);
}

const struct sg_signer_ops SG_ENGINE_SIGNER = {load_key, sign_bytes, unload_key};
