#include <string.h>

#include "key_read.h"
#include "signer_kind.h"

bool sg_signer_kind_parse(const char *text, enum sg_signer_kind *kind, struct sg_error *error)
{
    bool is_direct = strcmp(text, "direct") == 0;

    if (!is_direct && strcmp(text, "engine") != 0)
        return sg_fail(error, SG_USAGE, NULL, "\"%.60s\" is no signer: use engine or direct", text);
    *kind = is_direct ? SG_SIGNER_DIRECT : SG_SIGNER_ENGINE;
    return true;
}

enum sg_signer_kind sg_signer_settle(enum sg_signer_kind kind)
{
    if (kind != SG_SIGNER_DEFAULT)
        return kind;
    return sg_token_has_engine() ? SG_SIGNER_ENGINE : SG_SIGNER_DIRECT;
}

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
    if (!key->sign)
        return sg_fail(error, SG_TOKEN, NULL, "key %s on token %s may not sign (CKA_SIGN is false)",
                       name, token->info.label);
    return true;
}

static bool fill(struct sg_signer *signer, const struct sg_key *key, struct sg_error *error)
{
    signer->label = strdup(key->label);
    if (signer->label == NULL)
        return sg_fail_memory(error);
    return sg_buf_set(&signer->id, sg_buf_slice(&key->id), error) &&
           sg_public_key_decode(sg_buf_slice(&key->public.spki), &signer->public, error) &&
           signer->ops->load(signer, key, error);
}

bool sg_signer_open(struct sg_token *token, const struct sg_key *key, struct sg_signer **signer,
                    struct sg_error *error)
{
    sg_auto(sg_signer) struct sg_signer *fresh = NULL;
    SG_TOKEN_LOCK(token);

    if (!sg_token_login_locked(token, error) || !check_key(token, key, error))
        return false;
    fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return sg_fail_memory(error);
    pthread_mutex_init(&fresh->direct.mutex, NULL);
    fresh->token = token;
    fresh->ops = token->signer == SG_SIGNER_DIRECT ? &SG_DIRECT_SIGNER : &SG_ENGINE_SIGNER;
    if (!fill(fresh, key, error))
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
    if (signer->token != NULL && !sg_profile_has_scheme(&signer->token->profile, scheme))
        return sg_fail(error, SG_USAGE, NULL,
                       "the token profile %s does not list %s among the signatures that this model "
                       "makes",
                       signer->token->profile.name, sg_scheme_text(scheme));
    return true;
}

bool sg_signer_sign(struct sg_signer *signer, enum sg_scheme scheme, struct sg_slice bytes,
                    struct sg_buf *signature, struct sg_error *error)
{
    return check_scheme(signer, scheme, error) &&
           signer->ops->sign(signer, scheme, bytes, signature, error);
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
    signer->ops->unload(signer);
    pthread_mutex_destroy(&signer->direct.mutex);
    sg_public_key_done(&signer->public);
    sg_buf_free(&signer->id);
    free(signer->label);
    free(signer);
}
