/* est: the client of EST (RFC 7030, RFC 8951): a request out, a certificate in.
 *
 * Who asks proves it by a ticket, with the hash of the user's PIN where it wants that, or by the
 * certificate that is renewed, whose key may be on a token.
 * Does not: make requests or keep certificates (enroll.h does), or wait: it tells how long to.
 * Thread rule: one belongs to one thread.
 */
#ifndef SG_ENROLL_EST_H
#define SG_ENROLL_EST_H

#include "https.h"
#include "model/key.h"

struct sg_est;

/* sg_est_open reads where the service is; nothing is sent yet.
 * url      the server's, or EST's own with or without a label, as sg_https_open wants it.
 * ca       as sg_https_open.
 * label    NULL: the server's policy without one, or the URL's.
 * Fails: as sg_https_open; SG_USAGE on another path, a label twice, or one that can't be. */
SG_MUST_USE bool sg_est_open(const char *url, const char *ca, const char *label,
                             struct sg_est **est, struct sg_error *error);

/* sg_est_use_key is sg_https_use_key. */
SG_MUST_USE bool sg_est_use_key(struct sg_est *est, X509 *certificate, EVP_PKEY *pkey,
                                struct sg_error *error);

struct sg_est_order {
    struct sg_slice request;         /* DER PKCS#10 */
    const struct sg_public_key *key; /* that is in it */
    bool renew;                      /* by the client's certificate: simplereenroll */
    const char *ticket, *pin_hash;   /* as text; NULL: none. A ticket without a PIN has "" */
};

enum sg_est_outcome {
    SG_EST_ISSUED,
    SG_EST_WAITS, /* the request waits for an approval */
    SG_EST_BUSY,  /* the service can't at the moment */
};

struct sg_est_reply {
    enum sg_est_outcome outcome;
    struct sg_buf certificate; /* DER, of the request's key; empty unless it was issued */
    int64_t wait_s;            /* when to ask again, by the same request; 1 at least */
};
void sg_est_reply_done(struct sg_est_reply *reply);
SG_DEFINE_CLEANUP_IN_PLACE(sg_est_reply, sg_est_reply_done)

/* sg_est_enroll asks once.
 * reply    empty before; untouched on failure.
 * Fails:   SG_UNAUTHENTICATED, SG_REFUSED: in the service's words, with what to do; SG_FAILED:
 *          as sg_https_send, another status, or an answer that is no certificate of this key. */
SG_MUST_USE bool sg_est_enroll(struct sg_est *est, const struct sg_est_order *order,
                               struct sg_est_reply *reply, struct sg_error *error);

void sg_est_close(struct sg_est *est);

typedef struct sg_est sg_est;
SG_DEFINE_CLEANUP(sg_est, sg_est_close)

#endif
