#include "ocsp.h"

#include <openssl/err.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "ocsp_parts.h"

/* Seconds. A certificate that is unknown now may be issued in a moment. */
enum { UNKNOWN_LIFETIME_S = 300 };

/* ---- answering ---- */

/* One request on its way to its answer. */
struct asking {
    struct sg_ocsp *ocsp;
    struct sg_store *store;
    struct sg_ocsp_request request;
    struct sg_ocsp_issuer *issuer;
    int64_t now;
    bool is_light;              /* RFC 5019 2.1: one certificate, no nonce */
    uint8_t key[SG_SHA256_LEN]; /* of a light one, in the cache */
    struct sg_ocsp_kept kept;   /* what the cache has */
    bool has_kept;
    struct sg_serial_status statuses[SG_LIMIT_OCSP_CERTIFICATES];
    int64_t generation; /* the store's */
    int64_t turns;      /* of certificates, before anything was looked at */
};

static void asking_done(struct asking *asking)
{
    sg_ocsp_request_done(&asking->request);
    sg_ocsp_kept_done(&asking->kept);
}
SG_DEFINE_CLEANUP_IN_PLACE(asking, asking_done)

static void count(struct sg_ocsp_answer *answer, const struct sg_serial_status *status)
{
    const enum sg_ocsp_verdict verdict = sg_ocsp_verdict(status);

    answer->num_good += verdict == SG_OCSP_GOOD;
    answer->num_revoked += verdict == SG_OCSP_REVOKED;
    answer->num_unknown += verdict == SG_OCSP_UNKNOWN;
}

/* The whole CertID: two that differ in a byte are answered with different bytes. */
static bool make_key(struct asking *asking, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *id = NULL;
    int len = i2d_OCSP_CERTID(asking->request.asked[0].id, &id);

    return (len > 0 && EVP_Digest(id, (size_t)len, asking->key, NULL, EVP_sha256(), NULL) == 1) ||
           sg_fail_openssl(error, SG_INTERNAL, NULL, "a CertID can't be digested");
}

/* Both only grow, so that their sum is that of one pair alone, once and for all. */
static int64_t generation_of(const struct asking *asking)
{
    return asking->generation + asking->turns;
}

static void give_kept(struct asking *asking, struct sg_ocsp_answer *answer)
{
    count(answer, &asking->kept.status);
    answer->this_update = asking->kept.this_update;
    answer->next_update = asking->kept.next_update;
    answer->cacheable = true;
    answer->generation = generation_of(asking);
    answer->der = asking->kept.der;
    asking->kept.der = (struct sg_buf){0}; /* now the answer's */
}

/* As long as no revocation has changed at all, the store need not be asked for this one. */
static bool recall(struct asking *asking, bool *answered, struct sg_ocsp_answer *answer,
                   struct sg_error *error)
{
    *answered = false;
    if (!asking->is_light)
        return true;
    if (!make_key(asking, error) ||
        !sg_ocsp_cache_find(asking->ocsp->cache, asking->key, asking->now, &asking->kept,
                            &asking->has_kept, error))
        return false;
    if (!asking->has_kept)
        return true;
    if (!sg_store_status_generation(asking->store, &asking->generation, error))
        return false;
    *answered = asking->generation == asking->kept.generation;
    if (*answered)
        give_kept(asking, answer);
    return true;
}

static bool look_up(struct asking *asking, struct sg_error *error)
{
    const struct sg_ocsp_request *request = &asking->request;
    struct sg_serial serials[SG_LIMIT_OCSP_CERTIFICATES];

    for (size_t i = 0; i < request->num_asked; i++)
        serials[i] = request->asked[i].serial;
    return sg_store_serial_statuses(asking->store, asking->issuer->id, serials, request->num_asked,
                                    asking->now, asking->statuses, &asking->generation, error);
}

/* Another certificate's revocation changes nothing for this one. */
static bool still_holds(const struct asking *asking)
{
    const struct sg_serial_status *kept = &asking->kept.status, *found = &asking->statuses[0];

    return asking->has_kept && found->known && found->lasting &&
           sg_ocsp_verdict(kept) == sg_ocsp_verdict(found) && kept->revoked == found->revoked &&
           kept->reason == found->reason;
}

static int64_t choose_next_update(const struct asking *asking, const struct sg_ocsp_answer *answer,
                                  int64_t end)
{
    int64_t lifetime_s = asking->issuer->entry->ocsp.lifetime_s;

    if (answer->num_unknown > 0 && lifetime_s > UNKNOWN_LIFETIME_S)
        lifetime_s = UNKNOWN_LIFETIME_S;
    return lifetime_s > end - asking->now ? end : asking->now + lifetime_s;
}

/* With the lock held for reading. */
static bool sign_locked(struct asking *asking, struct sg_ocsp_answer *answer,
                        struct sg_error *error)
{
    const struct sg_ocsp_issuer *issuer = asking->issuer;

    if (issuer->signer.pkey == NULL)
        return sg_error_pass(error, &issuer->why);
    if (issuer->signer.not_after <= asking->now)
        return issuer->why.code != SG_OK
                   ? sg_error_pass(error, &issuer->why)
                   : sg_fail(error, SG_INVALID, "ocsp",
                             "the certificate of the OCSP responder of issuer %s has ended",
                             issuer->entry->name);
    answer->this_update = asking->now;
    answer->next_update = choose_next_update(asking, answer, issuer->signer.not_after);
    return sg_ocsp_sign(&issuer->signer, &asking->request, asking->statuses, answer->this_update,
                        answer->next_update, &answer->der, error);
}

/* An unknown one is not kept: there are more of them than places. */
static void keep(struct asking *asking, struct sg_ocsp_answer *answer)
{
    const struct sg_serial_status *status = &asking->statuses[0];

    answer->generation = generation_of(asking);
    answer->cacheable =
        asking->is_light && status->known && status->lasting && asking->generation >= 0;
    if (!answer->cacheable)
        return;
    const struct sg_ocsp_kept kept = {
        .status = *status,
        .generation = asking->generation,
        .this_update = answer->this_update,
        .next_update = answer->next_update,
        .der = answer->der, /* lent */
    };
    sg_ocsp_cache_put(asking->ocsp->cache, asking->key, &kept);
}

static bool sign(struct asking *asking, struct sg_ocsp_answer *answer, struct sg_error *error)
{
    for (size_t i = 0; i < asking->request.num_asked; i++)
        count(answer, &asking->statuses[i]);
    pthread_rwlock_rdlock(&asking->ocsp->lock);
    bool done = sign_locked(asking, answer, error);
    if (done)
        keep(asking,
             answer); /* before another certificate's turn comes, and the cache is cleared */
    pthread_rwlock_unlock(&asking->ocsp->lock);
    return done;
}

static bool answer_request(struct asking *asking, struct sg_slice der,
                           struct sg_ocsp_answer *answer, struct sg_error *error)
{
    bool answered = false;

    if (!sg_ocsp_request_parse(der, &asking->request, error) ||
        !sg_ocsp_find_issuer(asking->ocsp, &asking->request, &asking->issuer, error))
        return false;
    asking->is_light = asking->request.num_asked == 1 && !asking->request.has_nonce;
    if (!recall(asking, &answered, answer, error))
        return false;
    if (answered)
        return true;
    if (!look_up(asking, error))
        return false;
    if (still_holds(asking)) {
        sg_ocsp_cache_confirm(asking->ocsp->cache, asking->key, asking->kept.this_update,
                              asking->generation);
        give_kept(asking, answer);
        return true;
    }
    return sign(asking, answer, error);
}

/* ---- when there is no answer ---- */

static enum sg_ocsp_status status_for(enum sg_code code)
{
    switch (code) {
    case SG_MALFORMED:
        return SG_OCSP_MALFORMED_REQUEST;
    case SG_REFUSED:
        return SG_OCSP_UNAUTHORIZED;
    case SG_TOKEN:
    case SG_PIN:
    case SG_STORE:
    case SG_INVALID:
        return SG_OCSP_TRY_LATER;
    default:
        return SG_OCSP_INTERNAL_ERROR;
    }
}

/* Unsigned, and without a word of why (RFC 6960 4.2.1). */
static void refuse(enum sg_code code, struct sg_ocsp_answer *answer)
{
    const enum sg_ocsp_status status = status_for(code);
    sg_auto(OCSP_RESPONSE) OCSP_RESPONSE *response = OCSP_response_create((int)status, NULL);
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int len = response != NULL ? i2d_OCSP_RESPONSE(response, &bytes) : 0;

    sg_ocsp_answer_done(answer);
    answer->status = status;
    if (len <= 0 || !sg_buf_set(&answer->der, sg_slice_of(bytes, (size_t)len), NULL))
        ERR_clear_error(); /* without memory there is nothing to send */
}

bool sg_ocsp_answer(struct sg_ocsp *ocsp, struct sg_store *store, struct sg_slice request,
                    int64_t now, struct sg_ocsp_answer *answer, struct sg_error *error)
{
    sg_auto(asking) struct asking asking = {
        .ocsp = ocsp, .store = store, .now = now, .turns = atomic_load(&ocsp->turns)};
    struct sg_error why = {0};

    sg_ocsp_answer_done(answer);
    if (answer_request(&asking, request, answer, &why))
        return true;
    refuse(why.code, answer);
    return sg_error_pass(error, &why);
}

void sg_ocsp_answer_done(struct sg_ocsp_answer *answer)
{
    sg_buf_free(&answer->der);
    *answer = (struct sg_ocsp_answer){0};
}

const char *sg_ocsp_status_word(enum sg_ocsp_status status)
{
    switch (status) {
    case SG_OCSP_SUCCESSFUL:
        return "successful";
    case SG_OCSP_MALFORMED_REQUEST:
        return "malformedRequest";
    case SG_OCSP_INTERNAL_ERROR:
        return "internalError";
    case SG_OCSP_TRY_LATER:
        return "tryLater";
    case SG_OCSP_UNAUTHORIZED:
        return "unauthorized";
    }
    return "?";
}
