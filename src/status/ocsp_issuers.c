/* Whom OCSP requests can be about, and who signs the answers. */
#include <stdatomic.h>
#include <string.h>

#include "cert/cert.h"
#include "home/responder.h"
#include "ocsp_parts.h"

/* ---- the issuers ---- */

static bool identify(X509 *certificate, int digest, struct sg_ocsp_identity *identity,
                     struct sg_error *error)
{
    const EVP_MD *algorithm = EVP_get_digestbynid(digest);

    identity->digest = digest;
    return (X509_NAME_digest(X509_get_subject_name(certificate), algorithm, identity->name_hash,
                             &identity->len) == 1 &&
            X509_pubkey_digest(certificate, algorithm, identity->key_hash, &identity->len) == 1) ||
           sg_fail_openssl(error, SG_INTERNAL, NULL, "an issuer's key can't be digested");
}

static bool add_issuer(struct sg_ocsp *ocsp, const struct sg_issuer *issuer, struct sg_error *error)
{
    static const int DIGESTS[SG_OCSP_DIGESTS] = {NID_sha1, NID_sha256, NID_sha384, NID_sha512};
    struct sg_ocsp_issuer *added = &ocsp->issuers[ocsp->num_issuers];

    *added = (struct sg_ocsp_issuer){.entry = issuer->entry, .id = issuer->id};
    for (size_t i = 0; i < SG_OCSP_DIGESTS; i++)
        if (!identify(issuer->facts.certificate, DIGESTS[i], &added->identities[i], error))
            return false;
    if (issuer->entry->ocsp.key == NULL)
        sg_fail(&added->why, SG_REFUSED, "ocsp", "nobody answers OCSP for issuer %s",
                issuer->entry->name);
    else
        sg_fail(&added->why, SG_INVALID, "ocsp", "the OCSP responder of issuer %s is not ready",
                issuer->entry->name);
    ocsp->num_issuers++;
    return true;
}

/* An issuer without a certificate, or with one that can't be read, has nothing to answer for; it
 * does not keep the others from it. */
static bool add_issuers(struct sg_ocsp *ocsp, struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(ocsp->home);

    ocsp->issuers = calloc(config->num_issuers, sizeof *ocsp->issuers);
    if (ocsp->issuers == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < config->num_issuers; i++) {
        struct sg_error why = {0};
        struct sg_issuer *issuer = NULL;

        if (sg_home_issuer(ocsp->home, config->issuers[i].name, SG_ISSUER_TO_READ, &issuer, &why)
                ? !add_issuer(ocsp, issuer, error)
                : why.code != SG_INVALID && !sg_error_pass(error, &why))
            return false;
    }
    return true;
}

/* Who is answering all the time must not keep a new certificate out. */
static void init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;

    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

bool sg_ocsp_new(struct sg_home *home, struct sg_ocsp **ocsp, struct sg_error *error)
{
    sg_auto(sg_ocsp) struct sg_ocsp *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->home = home;
    init_lock(&fresh->lock);
    if (!sg_pkey_maker_new(&fresh->maker, error) ||
        !sg_ocsp_cache_new(SG_LIMIT_OCSP_CACHE, &fresh->cache, error) || !add_issuers(fresh, error))
        return false;
    *ocsp = SG_TAKE(fresh);
    return true;
}

void sg_ocsp_free(struct sg_ocsp *ocsp)
{
    if (ocsp == NULL)
        return;
    for (size_t i = 0; i < ocsp->num_issuers; i++)
        sg_ocsp_signer_done(&ocsp->issuers[i].signer);
    free(ocsp->issuers);
    sg_ocsp_cache_free(ocsp->cache);
    sg_pkey_maker_free(ocsp->maker);
    pthread_rwlock_destroy(&ocsp->lock);
    free(ocsp);
}

/* ---- responders ---- */

static bool find_certificate(struct sg_ocsp *ocsp, const struct sg_responder *responder,
                             int64_t now, X509 **certificate, struct sg_error *error)
{
    const struct sg_issuer_entry *entry = responder->issuer;
    const bool is_retired = entry->state == SG_ISSUER_RETIRED;

    if (!sg_home_responder_certificate(ocsp->home, responder, now, certificate, error))
        return false;
    return *certificate != NULL ||
           sg_fail(error, is_retired ? SG_REFUSED : SG_INVALID, "ocsp",
                   "the OCSP responder of issuer %s has no certificate that is in force%s%s",
                   entry->name,
                   is_retired ? ", and a retired issuer signs none"
                              : "; this makes one: signet ocsp renew --issuer ",
                   is_retired ? "" : entry->name);
}

static bool make_signer(struct sg_ocsp *ocsp, const struct sg_ocsp_issuer *issuer, int64_t now,
                        struct sg_ocsp_signer *signer, struct sg_error *error)
{
    const struct sg_responder *responder = NULL;
    int64_t not_before = 0;

    if (!sg_home_responder(ocsp->home, issuer->entry->name, &responder, error) ||
        !find_certificate(ocsp, responder, now, &signer->certificate, error) ||
        !sg_cert_validity(signer->certificate, &not_before, &signer->not_after, error) ||
        !sg_public_key_of_certificate(signer->certificate, &signer->key, error))
        return false;
    signer->scheme = responder->scheme;
    return sg_signer_pkey(ocsp->maker, responder->signer, &signer->pkey, error);
}

/* What an earlier certificate has signed goes with it; whoever keeps answers elsewhere hears of the
 * turn once none of those can be given any more. */
static void put_in_place(struct sg_ocsp *ocsp, struct sg_ocsp_issuer *issuer,
                         struct sg_ocsp_signer *signer)
{
    struct sg_ocsp_signer earlier;

    pthread_rwlock_wrlock(&ocsp->lock);
    earlier = issuer->signer;
    issuer->signer = *signer;
    issuer->why = (struct sg_error){0};
    pthread_rwlock_unlock(&ocsp->lock);
    *signer = earlier; /* the caller's to release */
    if (earlier.certificate != NULL &&
        X509_cmp(earlier.certificate, issuer->signer.certificate) != 0) {
        sg_ocsp_cache_clear(ocsp->cache);
        atomic_fetch_add(&ocsp->turns, 1);
    }
}

static void note_failure(struct sg_ocsp *ocsp, struct sg_ocsp_issuer *issuer,
                         const struct sg_error *why)
{
    pthread_rwlock_wrlock(&ocsp->lock);
    issuer->why = *why;
    pthread_rwlock_unlock(&ocsp->lock);
}

bool sg_ocsp_ready(struct sg_ocsp *ocsp, const char *name, int64_t now, struct sg_error *error)
{
    sg_auto(sg_ocsp_signer) struct sg_ocsp_signer signer = {0};
    struct sg_error why = {0};
    size_t i = 0;

    while (i < ocsp->num_issuers && strcmp(ocsp->issuers[i].entry->name, name) != 0)
        i++;
    if (i == ocsp->num_issuers)
        return sg_fail(error, SG_USAGE, NULL, "there is no issuer '%s' with a certificate", name);
    if (make_signer(ocsp, &ocsp->issuers[i], now, &signer, &why)) {
        put_in_place(ocsp, &ocsp->issuers[i], &signer);
        return true;
    }
    note_failure(ocsp, &ocsp->issuers[i], &why);
    return sg_error_pass(error, &why);
}

/* ---- which issuer is asked about ---- */

static bool is_asked(const struct sg_ocsp_issuer *issuer, const struct sg_ocsp_asked *asked)
{
    for (size_t i = 0; i < SG_OCSP_DIGESTS; i++) {
        const struct sg_ocsp_identity *identity = &issuer->identities[i];

        if (identity->digest == asked->digest)
            return sg_slice_equal(asked->name_hash,
                                  sg_slice_of(identity->name_hash, identity->len)) &&
                   sg_slice_equal(asked->key_hash, sg_slice_of(identity->key_hash, identity->len));
    }
    return false;
}

/* One signature has to do for all of the answer, and a responder speaks for one issuer
 * (RFC 6960 4.2.2.2). */
bool sg_ocsp_find_issuer(const struct sg_ocsp *ocsp, const struct sg_ocsp_request *request,
                         struct sg_ocsp_issuer **issuer, struct sg_error *error)
{
    size_t found = 0;

    while (found < ocsp->num_issuers && !is_asked(&ocsp->issuers[found], &request->asked[0]))
        found++;
    if (found == ocsp->num_issuers)
        return sg_fail(error, SG_REFUSED, "RFC 6960 2.3",
                       "the request asks about an issuer that is none of this home's");
    for (size_t i = 1; i < request->num_asked; i++)
        if (!is_asked(&ocsp->issuers[found], &request->asked[i]))
            return sg_fail(error, SG_REFUSED, "RFC 6960 4.2.2.2",
                           "the request asks about several issuers; each needs a request of its "
                           "own");
    *issuer = &ocsp->issuers[found];
    return true;
}

bool sg_ocsp_asked_issuer(const struct sg_ocsp *ocsp, struct sg_slice der, const char **name,
                          struct sg_error *error)
{
    sg_auto(sg_ocsp_request) struct sg_ocsp_request request = {0};
    struct sg_ocsp_issuer *issuer = NULL;

    if (!sg_ocsp_request_parse(der, &request, error) ||
        !sg_ocsp_find_issuer(ocsp, &request, &issuer, error))
        return false;
    *name = issuer->entry->name;
    return true;
}
