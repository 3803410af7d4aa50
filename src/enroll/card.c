#include "cert/cert.h"
#include "enroll.h"

void sg_card_key_done(struct sg_card_key *card)
{
    sg_signer_close(card->signer);
    sg_key_done(&card->key);
    sg_buf_free(&card->certificate);
}

bool sg_enroll_check_no_ca(struct sg_token *token, const struct sg_key *key, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(X509) X509 *certificate = NULL;

    if (!key->has_certificate || !sg_token_get_certificate(token, key, &der, NULL) ||
        !sg_cert_read(sg_buf_slice(&der), "token", &certificate, NULL) ||
        X509_check_ca(certificate) == 0)
        return true;
    return sg_fail(
        error, SG_REFUSED, "issuer key",
        "beside key '%s' on token %s is a CA's certificate, and a CA's key signs nothing "
        "before it is noted in its store: `signet -C DIR issuer csr ISSUER` makes its "
        "request",
        key->label, sg_token_label(token));
}

static bool make_key(struct sg_token *token, const char *uri, struct sg_key_kind kind,
                     struct sg_key *key, struct sg_error *error)
{
    sg_auto(malloc) char *label = NULL;
    sg_auto(sg_buf) struct sg_buf id = {0};

    return sg_key_uri_parts(uri, &label, &id, error) &&
           sg_key_create(token, kind, label, sg_buf_slice(&id), key, error);
}

static bool check_kind(const struct sg_token *token, const struct sg_key *key,
                       const struct sg_key_kind *must_be, struct sg_error *error)
{
    char found[SG_KEY_KIND_TEXT_SIZE], wanted[SG_KEY_KIND_TEXT_SIZE];

    if (must_be == NULL || sg_key_kind_equal(key->public.kind, *must_be))
        return true;
    return sg_fail(error, SG_USAGE, NULL,
                   "key '%s' is on token %s already, and is %s, not %s; name another one",
                   key->label, sg_token_label(token), sg_key_kind_text(key->public.kind, found),
                   sg_key_kind_text(*must_be, wanted));
}

bool sg_card_key_open(struct sg_token *token, const char *uri, const struct sg_key_kind *make,
                      const struct sg_key_kind *must_be, struct sg_card_key *card,
                      struct sg_error *error)
{
    sg_auto(sg_card_key) struct sg_card_key fresh = {0};
    bool is_there = false;

    if (make == NULL ? !sg_key_find(token, uri, &fresh.key, error)
                     : !sg_key_look(token, uri, &is_there, &fresh.key, error))
        return false;
    fresh.is_new = make != NULL && !is_there;
    if (fresh.is_new && !make_key(token, uri, *make, &fresh.key, error))
        return false;
    if (!check_kind(token, &fresh.key, must_be, error) ||
        !sg_enroll_check_no_ca(token, &fresh.key, error) ||
        (fresh.key.has_certificate &&
         !sg_token_get_certificate(token, &fresh.key, &fresh.certificate, error)) ||
        !sg_signer_open(token, &fresh.key, &fresh.signer, error))
        return false;
    sg_card_key_done(card);
    *card = fresh;
    fresh = (struct sg_card_key){0};
    return true;
}

bool sg_enroll_store(struct sg_token *token, const char *uri, struct sg_slice certificate,
                     bool replace, struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key key = {0};

    return sg_key_find(token, uri, &key, error) &&
           sg_token_put_certificate(token, &key, certificate, replace, error);
}
