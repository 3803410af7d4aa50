/* own_request: certificates for keys of the CA's own household, an OCSP responder's or the
 * service's for TLS: a request that the key signs itself, and the path for it alone. Private to the
 * room.
 */
#ifndef SG_ISSUE_OWN_REQUEST_H
#define SG_ISSUE_OWN_REQUEST_H

#include "issue.h"
#include "model/name.h"
#include "token/signer.h"

/* sg_own_request makes a PKCS#10 request.
 * subject  may be empty.
 * what     begins the message when the token fails.
 * der      appended to. Fails: SG_TOKEN. */
SG_MUST_USE bool sg_own_request(struct sg_signer *signer, enum sg_scheme scheme,
                                const struct sg_name *subject, const char *what, struct sg_buf *der,
                                struct sg_error *error);

/* Is it a certificate of that kind? Else the job has an error. */
typedef bool sg_own_check(const struct sg_issuing *issuing, struct sg_job *job);

/* sg_own_issue takes one job down the path, past check_plan before anything is claimed.
 * Fails: as the job was refused; SG_TOKEN, SG_PIN, SG_STORE. */
SG_MUST_USE bool sg_own_issue(const struct sg_issuing *issuing, struct sg_job *job,
                              sg_own_check *check_plan, struct sg_error *error);

#endif
