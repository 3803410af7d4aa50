/* prove: what a bundle tells, checked on any machine and without a token.
 *
 * What is trusted comes from outside of the bundle: the digest of the plan that was approved, and
 * the public keys of those who signed the record.
 */
#ifndef SG_CEREMONY_PROVE_H
#define SG_CEREMONY_PROVE_H

#include "bundle.h"
#include "signatures.h"
#include "transcript.h"

struct sg_ceremony_proving {
    const char *plan_sha256;                   /* NULL: a rehearsal's own */
    const struct sg_ceremony_signers *signers; /* NULL: nobody has signed yet */
    bool rehearsal;                            /* it has to be one, or must not */
    /* report is told of each check that passed, in one line. */
    bool (*report)(void *context, const char *check, const char *what, struct sg_error *error);
    void *context;
};

/* sg_ceremony_prove checks everything, and fails at the first thing that is not so.
 * Fails: SG_REFUSED, its rule the name of the check ("files", "signatures", "plan", "record", …);
 * SG_INVALID, SG_MALFORMED where a file can't be read for what it is. */
SG_MUST_USE bool sg_ceremony_prove(const struct sg_ceremony_bundle *bundle,
                                   const struct sg_ceremony_proving *proving,
                                   struct sg_error *error);

#endif
