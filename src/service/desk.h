/* desk: the issuer's side of the service: messages in, answers out, by the home's one thread.
 *
 * Requests for certificates go down the path on a pipeline, a group at a time; everything else is
 * answered between its groups. The desk also keeps the documents of the shelf fresh.
 * Does not: read or write sockets (the door does), or believe the front more than it must: that
 * a client has the key of its certificate. What that and a ticket are worth, the path judges.
 * Thread rule: opened, run and closed by one thread.
 */
#ifndef SG_SERVICE_DESK_H
#define SG_SERVICE_DESK_H

#include <stdatomic.h>

#include "errand.h"
#include "figures.h"
#include "health.h"
#include "issue/pipeline.h"
#include "shelf.h"
#include "status/ocsp.h"
#include "teller.h"
#include "tls_key.h"

/* How the documents of one issuer stand. */
struct sg_desk_issuer {
    struct sg_issuer *issuer; /* opened to sign CRLs; only to be read when it is retired */
    bool signs_crls;
    int64_t made_crl;  /* when the last one was made */
    int64_t renew_crl; /* when the next one is due */
    int64_t next_update;
    int64_t generation; /* the store's, before the last one was made: what it lists */
};

/* The certificate of the service's own TLS key, when signet.yaml names a device for it. */
struct sg_tls_certificate {
    struct sg_serial serial;
    int64_t not_after;
    int64_t look_again;
};

struct sg_desk {
    struct sg_home *home;
    const struct sg_service_config *config; /* the home's */
    struct sg_issuing issuing;              /* what all requests share */
    const struct sg_policy **policies;      /* as config's labels */
    struct sg_desk_issuer *issuers;         /* as the home's, but for those without certificate */
    size_t num_issuers;
    struct sg_board *board;
    struct sg_shelf *shelf;
    void (*wake_door)(void *context); /* there are answers or documents */
    void *wake_context;
    struct sg_pipeline *pipeline;
    struct sg_figures figures;
    struct sg_keygen *keygen;      /* makes keys for those who have none; NULL: it does not */
    struct sg_teller *teller;      /* answers OCSP, beside the desk */
    struct sg_tls_key *tls_key;    /* signs handshakes, beside the desk */
    struct sg_tls_certificate tls; /* that of the key, when the issuer makes it */
    void (*say)(const char *text); /* to the log; NULL: nobody listens yet */
    struct sg_health *health;      /* tells whether the token answers, beside the desk */
    bool must_end;                 /* the token failed: end, and be started again */
    _Atomic unsigned num_looks;    /* how often it has looked for what there is to do */
};

/* sg_desk_open opens the home, its issuer and the policies of EST, and puts the first documents on
 * the shelf. The pipeline is started and woken by sg_pipeline_wake(desk->pipeline).
 * Fails: SG_INVALID naming the place in signet.yaml: no service section, a policy for CAs, one that
 * no client of EST can satisfy, a PIN that would have to be asked for; and as sg_home_open,
 * sg_home_issuer, sg_home_policy and sg_home_pins do. */
SG_MUST_USE bool sg_desk_open(const char *dir, struct sg_board *board, struct sg_shelf *shelf,
                              struct sg_desk *desk, struct sg_error *error);
/* sg_desk_check does as much of it as needs no token, and changes nothing: would it open? */
SG_MUST_USE bool sg_desk_check(const char *dir, struct sg_error *error);
void sg_desk_close(struct sg_desk *desk);
SG_DEFINE_CLEANUP_IN_PLACE(sg_desk, sg_desk_close)

/* sg_desk_run serves until the board is closed and empty.
 * Fails: SG_TOKEN or SG_PIN once the token has failed, SG_STORE: then the process should end, and
 * be started again. What was taken from the board is answered. */
SG_MUST_USE bool sg_desk_run(struct sg_desk *desk, struct sg_error *error);

/* ---- its parts ---- */

/* sg_answer: an errand's answer. Each encodes the frame; when memory runs out there is none, and
 * the front gives up waiting. */
void sg_answer_refusal(struct sg_errand *errand, const struct sg_error *why);
void sg_answer_bytes(struct sg_errand *errand, const char *media_type, const char *encoding,
                     struct sg_slice body, const char *serial);
/* sg_answer_busy: come again in retry_after seconds. */
void sg_answer_busy(struct sg_errand *errand, const char *text, unsigned retry_after);

/* sg_answer_ocsp: what OCSP answers, be it that it can't.
 * why   of what is not successful, for the log */
void sg_answer_ocsp(struct sg_errand *errand, const struct sg_ocsp_answer *found,
                    const struct sg_error *why);

/* sg_answer_wait: the request waits for an approval, which may have been given in retry_after
 * seconds. */
void sg_answer_wait(struct sg_errand *errand, const struct sg_error *why, unsigned retry_after);

/* sg_service_evidence finds what an ENROLL or REENROLL brings to be believed: a ticket and the hash
 * of a PIN, in its Authorization, and the client's certificate in TLS. evidence borrows from the
 * errand. Whether any of it is worth something is for the path to say.
 * Fails: SG_UNAUTHENTICATED when there is nothing, or no certificate to be renewed, or an
 * Authorization that can't be read. */
SG_MUST_USE bool sg_service_evidence(struct sg_errand *errand, struct sg_evidence *evidence,
                                     struct sg_error *error);

/* sg_est_begin fills the job of an ENROLL or REENROLL. Fails: as sg_base64_decode and
 * sg_service_evidence do; SG_MALFORMED on an unknown label or what is no PKCS#10. */
SG_MUST_USE bool sg_est_begin(struct sg_desk *desk, struct sg_errand *errand, struct sg_job *job,
                              struct sg_error *error);
/* sg_est_answer gives the errand what became of its job. */
void sg_est_answer(struct sg_desk *desk, struct sg_errand *errand, const struct sg_job *job);

/* sg_est_publish puts cacerts and csrattrs of all labels on the shelf. */
SG_MUST_USE bool sg_est_publish(struct sg_desk *desk, struct sg_error *error);

/* sg_publish_all puts all documents on the shelf, with a fresh CRL of each issuer;
 * sg_publish_what_is_due makes those CRLs anew that are half way to their end, or would list
 * something else by now. Fails: SG_TOKEN, SG_PIN, SG_STORE. */
SG_MUST_USE bool sg_publish_all(struct sg_desk *desk, struct sg_error *error);
SG_MUST_USE bool sg_publish_what_is_due(struct sg_desk *desk, struct sg_error *error);

/* sg_tls_certify_when_due has the service's own TLS key certified anew when its policy's renewal
 * window has begun, and puts the certificate on the shelf for the front. Fails: SG_TOKEN, SG_PIN,
 * SG_STORE; for whatever reason when there is none yet. */
SG_MUST_USE bool sg_tls_certify_when_due(struct sg_desk *desk, struct sg_error *error);

/* sg_figures_of_desk appends all of the issuer's figures. */
SG_MUST_USE bool sg_figures_of_desk(struct sg_desk *desk, struct sg_buf *text,
                                    struct sg_error *error);

#endif
