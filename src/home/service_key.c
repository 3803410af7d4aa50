#include "service_key.h"

#include "home_parts.h"

static bool open_signer(struct sg_home *home, const struct sg_key_place *place, const char *what,
                        struct sg_signer **signer, struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_token *token = NULL;

    if (!sg_home_borrow_token(home, place->token, &token, error) ||
        !sg_key_find(token, place->key, &key, error) || !sg_signer_open(token, &key, signer, error))
        return sg_error_prefix(error, "%s, token %s", what, place->token);
    return true;
}

/* An issuer that has no certificate yet has no key that could be told here; sg_home_issuer says
 * so. */
static bool check_issuer(struct sg_home *home, const struct sg_issuer_entry *entry,
                         const struct sg_key_place *place, const struct sg_public_key *key,
                         struct sg_error *error)
{
    const struct sg_responder *responder = NULL;
    struct sg_issuer *issuer = NULL;
    const char *whose = NULL;

    if (!sg_home_issuer(home, entry->name, SG_ISSUER_TO_READ, &issuer, error) ||
        (entry->ocsp.key != NULL && !sg_home_responder(home, entry->name, &responder, error)))
        return false;
    if (sg_public_key_equal(&issuer->facts.key, key))
        whose = "issuer";
    else if (responder != NULL && sg_public_key_equal(sg_signer_public_key(responder->signer), key))
        whose = "the OCSP responder of issuer";
    return whose == NULL ||
           sg_fail(error, SG_INVALID, NULL,
                   "%s/signet.yaml:%u:%u: this is the key of %s %s; the service needs one of its "
                   "own there",
                   home->dir, place->line, place->column, whose, entry->name);
}

bool sg_home_service_key(struct sg_home *home, const struct sg_key_place *place, const char *what,
                         struct sg_signer **signer, struct sg_error *error)
{
    sg_auto(sg_signer) struct sg_signer *fresh = NULL;

    if (!open_signer(home, place, what, &fresh, error))
        return false;
    for (size_t i = 0; i < home->config.num_issuers; i++)
        if (!check_issuer(home, &home->config.issuers[i], place, sg_signer_public_key(fresh),
                          error))
            return false;
    *signer = SG_TAKE(fresh);
    return true;
}
