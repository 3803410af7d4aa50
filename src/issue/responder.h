/* responder: the certificate of an issuer's OCSP responder, issued and renewed down the path that
 * every certificate takes.
 *
 * The request is signed by the responder's key; the operator vouches for it by naming that key in
 * signet.yaml. The issuer may be active or status-only, and certifies nothing else here than a
 * signer of OCSP answers.
 * Does not: keep the certificate in a file; the store has it (home/responder.h).
 * Thread rule: that of the home.
 */
#ifndef SG_ISSUE_RESPONDER_H
#define SG_ISSUE_RESPONDER_H

#include "home/responder.h"
#include "issue.h"

enum sg_responder_renewal {
    SG_RENEW_WHEN_DUE, /* there is none, or two thirds of its time have passed */
    SG_RENEW_NOW,      /* as far as the policy's renewal window allows */
};

/* What the responder's certificate is now. Release with sg_responder_news_done. */
struct sg_responder_news {
    struct sg_buf certificate; /* DER */
    struct sg_serial serial;
    int64_t not_after;
    bool renewed; /* it was issued by this call */
    /* With SG_RENEW_WHEN_DUE: why the certificate was not renewed although it was time; the one
     * that is there serves until it ends. */
    struct sg_error why;
};
void sg_responder_news_done(struct sg_responder_news *news);
SG_DEFINE_CLEANUP_IN_PLACE(sg_responder_news, sg_responder_news_done)

/* sg_issue_responder sees to it that the responder of an issuer has a certificate.
 * clock    zero: the machine's.
 * news     filled on success.
 * Fails: as sg_home_responder; as sg_issue refuses; SG_REFUSED when the issuer is retired, or when
 * the policy makes anything else than a signer of OCSP answers; SG_TOKEN, SG_PIN, SG_STORE. */
SG_MUST_USE bool sg_issue_responder(struct sg_home *home, const char *issuer, struct sg_clock clock,
                                    enum sg_responder_renewal renewal,
                                    struct sg_responder_news *news, struct sg_error *error);

#endif
