#include "responder.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/clock.h"
#include "cert/cert.h"
#include "home_parts.h"

/* ---- key and signer ---- */

static bool open_signer(struct sg_home *home, const struct sg_issuer_entry *entry,
                        struct sg_signer **signer, struct sg_error *error)
{
    const char *name = entry->ocsp.token != NULL ? entry->ocsp.token : entry->token;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_token *token = NULL;

    if (!sg_home_borrow_token(home, name, &token, error))
        return sg_error_prefix(error, "OCSP responder of issuer %s", entry->name);
    if (!sg_key_find(token, entry->ocsp.key, &key, error) ||
        !sg_signer_open(token, &key, signer, error))
        return sg_error_prefix(error, "OCSP responder of issuer %s, token %s", entry->name, name);
    return true;
}

static bool open_responder(struct sg_home *home, const struct sg_issuer_entry *entry,
                           struct sg_responder **responder, struct sg_error *error)
{
    sg_auto(sg_responder) struct sg_responder *fresh = calloc(1, sizeof *fresh);
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->issuer = entry;
    if (!open_signer(home, entry, &fresh->signer, error))
        return false;
    const struct sg_key_kind key_kind = sg_signer_public_key(fresh->signer)->kind;
    fresh->scheme = sg_scheme_default(key_kind);
    if (fresh->scheme == SG_SCHEME_NONE)
        return sg_fail(error, SG_INVALID, "ocsp",
                       "issuer %s: no OCSP answers are signed with a key of %s", entry->name,
                       sg_key_kind_text(key_kind, kind));
    *responder = SG_TAKE(fresh);
    return true;
}

bool sg_home_responder(struct sg_home *home, const char *issuer,
                       const struct sg_responder **responder, struct sg_error *error)
{
    size_t index = 0;

    if (!sg_home_find_issuer(home, issuer, &index, error))
        return false;
    const struct sg_issuer_entry *entry = &home->config.issuers[index];
    if (entry->ocsp.key == NULL)
        return sg_fail(error, SG_REFUSED, "ocsp",
                       "nobody answers OCSP for issuer %s; name a key for it in signet.yaml: "
                       "ocsp: {key: 'pkcs11:object=NAME'}",
                       entry->name);
    if (home->responders[index] == NULL &&
        !open_responder(home, entry, &home->responders[index], error))
        return false;
    *responder = home->responders[index];
    return true;
}

void sg_responder_free(struct sg_responder *responder)
{
    if (responder == NULL)
        return;
    sg_signer_close(responder->signer);
    free(responder);
}

/* ---- certificate ---- */

struct search {
    int64_t now, not_after;
    X509 *found;
};

static void search_done(struct search *search)
{
    X509_free(search->found);
}
SG_DEFINE_CLEANUP_IN_PLACE(search, search_done)

static bool is_for_ocsp(X509 *certificate)
{
    const uint32_t purposes = X509_get_extended_key_usage(certificate);

    return purposes != UINT32_MAX && (purposes & XKU_OCSP_SIGN) != 0 &&
           X509_check_ca(certificate) == 0;
}

static bool look_at(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct search *search = context;
    sg_auto(X509) X509 *fresh = NULL;

    if (certificate->is_elsewhere || certificate->not_before > search->now ||
        certificate->not_after <= search->not_after)
        return true;
    if (!sg_cert_read(sg_buf_slice(&certificate->der), "the store", &fresh, error))
        return false;
    if (!is_for_ocsp(fresh))
        return true;
    X509_free(search->found);
    search->found = SG_TAKE(fresh);
    search->not_after = certificate->not_after;
    return true;
}

bool sg_home_responder_certificate(struct sg_home *home, const struct sg_responder *responder,
                                   int64_t now, X509 **certificate, struct sg_error *error)
{
    const struct sg_certificate_filter filter = {
        .issuer = responder->issuer->name,
        .spki_sha256 = sg_signer_public_key(responder->signer)->sha256,
        .only_status = true,
        .status = SG_STATUS_VALID,
        .now = now,
    };
    sg_auto(search) struct search search = {.now = now, .not_after = now};

    if (!sg_store_each_certificate(home->store, &filter, look_at, &search, error))
        return false;
    *certificate = SG_TAKE(search.found);
    return true;
}
