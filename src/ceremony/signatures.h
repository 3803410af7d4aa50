/* signatures: what people sign with keys of their own: the plan, and in the end the record.
 *
 * A signature is the plain one of the key's usual scheme (ECDSA with the digest of the curve's
 * strength, RSA with SHA-256, Ed25519), as `signet ceremony sign` and `openssl dgst -sign` make it,
 * or OpenSSH's (ssh.h).
 * A file of signers holds for each a line with the name, then a public key or certificate in PEM,
 * or a line with a public key of OpenSSH.
 */
#ifndef SG_CEREMONY_SIGNATURES_H
#define SG_CEREMONY_SIGNATURES_H

#include "plan.h"

/* What people give as the namespace to `ssh-keygen -Y sign`, so that a signature for something else
 * is none for a ceremony. */
#define SG_CEREMONY_NAMESPACE "signet-ceremony"

struct sg_ceremony_signer {
    char *name;
    struct sg_public_key key;
};

struct sg_ceremony_signers {
    struct sg_ceremony_signer *items;
    size_t num;
};

/* sg_ceremony_signers_parse fills empty signers. name stands for the path in messages.
 * Fails: SG_INVALID "name:line: …", also when a name or a key is there twice or none is there. */
SG_MUST_USE bool sg_ceremony_signers_parse(const char *name, struct sg_slice text,
                                           struct sg_ceremony_signers *signers,
                                           struct sg_error *error);
void sg_ceremony_signers_done(struct sg_ceremony_signers *signers);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ceremony_signers, sg_ceremony_signers_done)

/* sg_ceremony_check_form looks at what a signature tells without a key, and path names it.
 * Fails: SG_MALFORMED, SG_POSSESSION as sg_ssh_check_namespace; passes everything else. */
SG_MUST_USE bool sg_ceremony_check_form(struct sg_slice signature, const char *path,
                                        struct sg_error *error);

/* sg_ceremony_verify: is this key's signature over bytes? Fails: SG_POSSESSION, SG_MALFORMED. */
SG_MUST_USE bool sg_ceremony_verify(const struct sg_public_key *key, struct sg_slice bytes,
                                    struct sg_slice signature, struct sg_error *error);

/* sg_ceremony_check_approvals reads signature files over the plan; as many different persons as
 * the plan wants must have made one. names (a JSON array) gets theirs.
 * Fails: SG_REFUSED, rule "approval". */
SG_MUST_USE bool sg_ceremony_check_approvals(const struct sg_ceremony *ceremony,
                                             const char *const *paths, size_t num, json_t *names,
                                             struct sg_error *error);

#endif
