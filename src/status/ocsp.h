/* ocsp: the issuers' answers to whoever asks how a certificate stands (RFC 6960, RFC 5019).
 *
 * A request in DER goes in, a response in DER comes out. Each issuer of the home answers by its
 * responder, a key on a token with a certificate of its own (home/responder.h). Answers about one
 * certificate without a nonce are signed once and kept until the certificate's status changes or
 * half of their time has passed.
 * Does not: speak HTTP; have responders certified (issue/responder.h does).
 * Thread rule: sg_ocsp_new, sg_ocsp_ready and sg_ocsp_free belong to the home's thread;
 * sg_ocsp_asked_issuer and sg_ocsp_answer may be called by any number of threads, each with a
 * handle of its own on the store.
 */
#ifndef SG_STATUS_OCSP_H
#define SG_STATUS_OCSP_H

#include "base/cleanup.h"
#include "home/home.h"

struct sg_ocsp;

/* sg_ocsp_new gets to know the issuers of a home that have their certificate. It touches no token.
 * Fails: SG_FAILED, SG_STORE. */
SG_MUST_USE bool sg_ocsp_new(struct sg_home *home, struct sg_ocsp **ocsp, struct sg_error *error);

/* sg_ocsp_free comes before sg_home_close. */
void sg_ocsp_free(struct sg_ocsp *ocsp);

typedef struct sg_ocsp sg_ocsp;
SG_DEFINE_CLEANUP(sg_ocsp, sg_ocsp_free)

/* sg_ocsp_ready opens the responder of an issuer and takes the certificate that it has at now: at
 * the start, after a renewal, and again when it failed. Answers under way keep what they have.
 * Fails: SG_REFUSED when signet.yaml names no key for it, SG_INVALID when it has no certificate,
 * SG_TOKEN, SG_PIN, SG_STORE. The earlier certificate stays then as long as it is good. */
SG_MUST_USE bool sg_ocsp_ready(struct sg_ocsp *ocsp, const char *issuer, int64_t now,
                               struct sg_error *error);

/* sg_ocsp_asked_issuer tells which issuer a request asks about; the name lives as long as ocsp.
 * Fails: SG_MALFORMED; SG_REFUSED when it is no issuer of this home, or several. */
SG_MUST_USE bool sg_ocsp_asked_issuer(const struct sg_ocsp *ocsp, struct sg_slice request,
                                      const char **issuer, struct sg_error *error);

/* OCSPResponseStatus, RFC 6960 4.2.1. */
enum sg_ocsp_status {
    SG_OCSP_SUCCESSFUL = 0,
    SG_OCSP_MALFORMED_REQUEST = 1,
    SG_OCSP_INTERNAL_ERROR = 2,
    SG_OCSP_TRY_LATER = 3,
    SG_OCSP_UNAUTHORIZED = 6, /* about no issuer of ours, or one that has no responder */
};
/* "successful", "malformedRequest", … */
const char *sg_ocsp_status_word(enum sg_ocsp_status status);

/* A response. Zero-initialise; release with sg_ocsp_answer_done. */
struct sg_ocsp_answer {
    struct sg_buf der; /* what to send; empty only when memory ran out */
    enum sg_ocsp_status status;

    /* of a successful one */
    int64_t this_update, next_update;
    size_t num_good, num_revoked, num_unknown;
    /* Whoever asks the same may be given these bytes until next_update, as long as other answers
     * have the same generation: it grows with the store's (sg_store_status_generation), and when a
     * responder goes on with another certificate. Only then may HTTP caches keep it. */
    bool cacheable;
    int64_t generation;
};
void sg_ocsp_answer_done(struct sg_ocsp_answer *answer);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ocsp_answer, sg_ocsp_answer_done)

/* sg_ocsp_answer answers a request, also one that is refused.
 * store    the home's, or the calling thread's own handle on it.
 * answer   filled in any case.
 * Returns  false when the answer is another than successful; error says why, to the operator:
 *          SG_MALFORMED (malformedRequest), SG_REFUSED (unauthorized), SG_TOKEN, SG_PIN, SG_STORE
 *          and SG_INVALID (tryLater), anything else (internalError). */
SG_MUST_USE bool sg_ocsp_answer(struct sg_ocsp *ocsp, struct sg_store *store,
                                struct sg_slice request, int64_t now, struct sg_ocsp_answer *answer,
                                struct sg_error *error);

#endif
