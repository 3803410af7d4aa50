/* responder: the keys that sign OCSP answers, each in the name of one issuer (RFC 6960 2.6).
 *
 * A responder's certificate is looked for in the store, where the path that issued it has recorded
 * it; issue/responder.h has it issued.
 * Thread rule: that of the home; a responder's signer may be used by several threads.
 */
#ifndef SG_HOME_RESPONDER_H
#define SG_HOME_RESPONDER_H

#include "home.h"

struct sg_responder {
    const struct sg_issuer_entry *issuer; /* in whose name it answers */
    struct sg_signer *signer;
    enum sg_scheme scheme;
};

/* sg_home_responder opens the responder of an issuer; the home keeps and releases it.
 * Fails: SG_USAGE when there is no such issuer, SG_REFUSED (rule "ocsp") when signet.yaml names no
 * key for it, SG_INVALID when OCSP answers can't be signed with such a key, SG_TOKEN, SG_PIN. */
SG_MUST_USE bool sg_home_responder(struct sg_home *home, const char *issuer,
                                   const struct sg_responder **responder, struct sg_error *error);

/* sg_home_responder_certificate finds the certificate of the responder's key that its issuer gave
 * it for signing OCSP answers, that is in force at now and not revoked; of several the one that
 * ends last.
 * certificate  NULL when there is none; the caller's. Fails: SG_STORE. */
SG_MUST_USE bool sg_home_responder_certificate(struct sg_home *home,
                                               const struct sg_responder *responder, int64_t now,
                                               X509 **certificate, struct sg_error *error);

#endif
