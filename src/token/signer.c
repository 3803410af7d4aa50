#include "signer.h"

#include <openssl/err.h>
#include <string.h>

#include "base/limits.h"
#include "engine.h"
#include "key_read.h"
#include "rv.h"
#include "uri.h"

struct sg_signer {
    struct sg_token *token;
    char *label;
    EVP_PKEY *pkey; /* the engine's; its signatures are made on the token */
    struct sg_public_key public;
};

enum { MAX_ENGINE_ID = 100 }; /* libp11 reads no longer id from a URI */

static bool check_key(const struct sg_token *token, const struct sg_key *key,
                      struct sg_error *error)
{
    char name[SG_KEY_NAME_SIZE];

    sg_key_name(key, name);
    if (key->public.pkey == NULL)
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s does not tell the public half of key %s, so its signatures can't "
                       "be checked",
                       token->info.label, name);
    if (key->public.kind.family != SG_KEY_RSA && key->public.kind.family != SG_KEY_EC) {
        char kind[SG_KEY_KIND_TEXT_SIZE];

        return sg_fail(error, SG_TOKEN, NULL,
                       "OpenSSL's pkcs11 engine can't sign with key %s: it is %s", name,
                       sg_key_kind_text(key->public.kind, kind));
    }
    if (!key->sign)
        return sg_fail(error, SG_TOKEN, NULL, "key %s on token %s may not sign (CKA_SIGN is false)",
                       name, token->info.label);
    if (key->always_authenticate)
        return sg_fail(error, SG_TOKEN, NULL,
                       "key %s on token %s wants the PIN for each signature "
                       "(CKA_ALWAYS_AUTHENTICATE), which the engine signer can't give",
                       name, token->info.label);
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
        return sg_fail_rv(error, SG_TOKEN, rv,
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
    int len = i2d_PUBKEY(signer->pkey, &spki);

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
    return sg_fail_rv(error, SG_TOKEN, rv,
                      "token %s has no session left for OpenSSL's pkcs11 engine; see that it is "
                      "connected, and end other programs that use it",
                      token->info.label);
}

static bool load(struct sg_signer *signer, const struct sg_key *key, struct sg_error *error)
{
    struct sg_token *token = signer->token;
    sg_auto(sg_buf) struct sg_buf uri = {0};
    CK_RV rv;

    if (token->engine == NULL && !sg_engine_open(token->module.path, &token->engine, error))
        return false;
    if (!build_uri(token, key, &uri, error) || !check_free_session(token, error))
        return false;
    if (!sg_engine_load_key(token->engine, (const char *)uri.data, &signer->pkey, &rv))
        return fail_to_load(token, key, rv, error);
    return check_loaded(signer, error);
}

bool sg_signer_open(struct sg_token *token, const struct sg_key *key, enum sg_signer_kind kind,
                    struct sg_signer **signer, struct sg_error *error)
{
    sg_auto(sg_signer) struct sg_signer *fresh = NULL;
    SG_TOKEN_LOCK(token);

    if (kind != SG_SIGNER_ENGINE)
        return sg_fail(error, SG_USAGE, NULL, "there is no such kind of signer");
    if (!sg_token_login_locked(token, error) || !check_key(token, key, error))
        return false;
    fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->token = token;
    fresh->label = strdup(key->label);
    if (fresh->label == NULL)
        return sg_fail_memory(error);
    if (!sg_public_key_decode(sg_buf_slice(&key->public.spki), &fresh->public, error) ||
        !load(fresh, key, error))
        return false;
    *signer = SG_TAKE(fresh);
    return true;
}

static bool check_scheme(const struct sg_signer *signer, enum sg_scheme scheme,
                         struct sg_error *error)
{
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (!sg_scheme_fits(scheme, signer->public.kind))
        return sg_fail(error, SG_USAGE, NULL, "key '%s' is %s and makes no %s signature",
                       signer->label, sg_key_kind_text(signer->public.kind, kind),
                       sg_scheme_text(scheme));
    if (!sg_profile_has_scheme(&signer->token->profile, scheme))
        return sg_fail(error, SG_USAGE, NULL,
                       "the token profile %s does not list %s among the signatures that this model "
                       "makes",
                       signer->token->profile.name, sg_scheme_text(scheme));
    return true;
}

static bool sign(EVP_MD_CTX *context, EVP_PKEY_CTX *key_context, const struct sg_signer *signer,
                 enum sg_scheme scheme, struct sg_slice bytes, uint8_t *signature, size_t *len)
{
    const EVP_MD *digest = sg_scheme_digest(scheme);

    EVP_MD_CTX_set_pkey_ctx(context, key_context);
    if (EVP_DigestSignInit(context, NULL, digest, NULL, signer->pkey) != 1)
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
        return sg_fail_rv(error, SG_TOKEN, rv, "token %s makes no %s signature with key '%s'",
                          label, sg_scheme_text(scheme), signer->label);
    return sg_fail(error, SG_TOKEN, NULL, "token %s makes no %s signature with key '%s': %s", label,
                   sg_scheme_text(scheme), signer->label,
                   reason != NULL ? reason : "the engine does not say why");
}

bool sg_signer_sign(struct sg_signer *signer, enum sg_scheme scheme, struct sg_slice bytes,
                    struct sg_buf *signature, struct sg_error *error)
{
    /* The digest context does not own a key context that it was given; it goes first. */
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *key_context = NULL;
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = NULL;
    uint8_t made[SG_LIMIT_SIGNATURE];
    size_t len = sizeof made;

    if (!check_scheme(signer, scheme, error))
        return false;
    ERR_clear_error();
    key_context = sg_engine_key_context(signer->token->engine, signer->pkey);
    context = EVP_MD_CTX_new();
    if (key_context == NULL || context == NULL ||
        !sign(context, key_context, signer, scheme, bytes, made, &len))
        return fail_to_sign(signer, scheme, error);
    return sg_buf_set(signature, sg_slice_of(made, len), error);
}

bool sg_signer_check_signature(enum sg_scheme scheme, const struct sg_public_key *key,
                               struct sg_slice bytes, struct sg_slice signature,
                               struct sg_error *error)
{
    struct sg_error why = {0};

    return sg_scheme_verify(scheme, key, bytes, signature, &why) ||
           sg_fail(error, SG_TOKEN, NULL, "the token's signature does not verify: %s", why.text);
}

const struct sg_public_key *sg_signer_public_key(const struct sg_signer *signer)
{
    return &signer->public;
}

void sg_signer_close(struct sg_signer *signer)
{
    if (signer == NULL)
        return;
    EVP_PKEY_free(signer->pkey);
    sg_public_key_done(&signer->public);
    free(signer->label);
    free(signer);
}
