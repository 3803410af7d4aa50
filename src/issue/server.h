/* server: the certificate of the service's own TLS key, issued and renewed down the path that every
 * certificate takes.
 *
 * The request is signed by the key; the operator vouches for it, as for the device that it is for,
 * by naming both in signet.yaml. The names come from the registry, and when it is renewed the
 * policy says: before its renewal window, the same one is given again. Thread rule: that of the
 * home.
 */
#ifndef SG_ISSUE_SERVER_H
#define SG_ISSUE_SERVER_H

#include "issue.h"

struct sg_server_order {
    struct sg_signer *signer; /* of the key */
    const char *device, *policy;
    const char *issuer; /* NULL: the active one */
    struct sg_clock clock;
};

/* What the server's certificate is now. Release with sg_server_news_done. */
struct sg_server_news {
    struct sg_buf certificate; /* DER */
    const struct sg_issuer *issuer;
    struct sg_serial serial;
    int64_t not_after;
};
void sg_server_news_done(struct sg_server_news *news);
SG_DEFINE_CLEANUP_IN_PLACE(sg_server_news, sg_server_news_done)

/* sg_issue_server sees to it that the key has a certificate, and a new one when that is due.
 * news     filled on success.
 * Fails: as sg_home_issuer, sg_home_policy, and as sg_issue refuses; SG_REFUSED when the policy
 * makes anything else than a TLS server's; SG_TOKEN, SG_PIN, SG_STORE. */
SG_MUST_USE bool sg_issue_server(struct sg_home *home, const struct sg_server_order *order,
                                 struct sg_server_news *news, struct sg_error *error);

#endif
