/* keygen: EST serverkeygen (RFC 7030 4.4): the service makes the key, and gives it away.
 *
 * The key is a session object on a token for as long as it takes to read it; it is encrypted to the
 * decryption key of who asks before anything else happens to the request, and from then on there is
 * nothing of it here but that. It is made once it is known who asks, and is another each time.
 * Does not: keep keys.
 * Thread rule: opened and closed by the home's thread; keys are made by the pipeline's threads.
 */
#ifndef SG_SERVICE_KEYGEN_H
#define SG_SERVICE_KEYGEN_H

#include "errand.h"
#include "home/home.h"
#include "issue/issue.h"

struct sg_keygen;

/* sg_keygen_open opens what `est: server_keys` in signet.yaml names: the key that signs for keys,
 * whose token makes them, and its certificate. keygen stays NULL when it names none.
 * Fails: SG_INVALID (no certificate of that key, or one that has ended), SG_TOKEN, SG_PIN. */
SG_MUST_USE bool sg_keygen_open(struct sg_home *home, struct sg_keygen **keygen,
                                struct sg_error *error);
void sg_keygen_free(struct sg_keygen *keygen);

typedef struct sg_keygen sg_keygen;
SG_DEFINE_CLEANUP(sg_keygen, sg_keygen_free)

/* sg_keygen_begin has the job's key made by the path.
 * Fails: SG_REFUSED when the policy, or signet.yaml, has no such keys. */
SG_MUST_USE bool sg_keygen_begin(const struct sg_keygen *keygen, struct sg_job *job,
                                 struct sg_error *error);

/* sg_keygen_answer makes the answer of a job that was served: the key and certs_only, a certs-only
 * message in base64, as multipart/mixed (RFC 7030 4.4.2). */
void sg_keygen_answer(struct sg_errand *errand, const struct sg_job *job, bool wrap_base64,
                      struct sg_slice certs_only);

#endif
