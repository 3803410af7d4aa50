/* chain: an issuer's certificate and those above it: read, and held against RFC 5280.
 *
 * A chain is a stack from the issuer's issuer up to the root; empty for a root.
 */
#ifndef SG_HOME_CHAIN_H
#define SG_HOME_CHAIN_H

#include "base/cleanup.h"

typedef STACK_OF(X509) sg_chain;
static inline void sg_chain_free(sg_chain *chain)
{
    sk_X509_pop_free(chain, X509_free);
}
SG_DEFINE_CLEANUP(sg_chain, sg_chain_free)

/* sg_chain_read appends the certificates of a PEM file, of which there is one at least.
 * Fails: SG_FAILED when the file can't be read, SG_INVALID when it is not that. */
SG_MUST_USE bool sg_chain_read(const char *path, sg_chain *chain, struct sg_error *error);

/* sg_chain_is_root: does it name itself as its issuer? */
bool sg_chain_is_root(X509 *certificate);

/* sg_chain_check_ca: may this certificate's key sign certificates and CRLs? Fails: SG_REFUSED. */
SG_MUST_USE bool sg_chain_check_ca(X509 *certificate, struct sg_error *error);

/* sg_chain_check_steps: does each certificate name the next one as its issuer, up to a root?
 * Fails: SG_REFUSED. Does not: check signatures or validity; sg_chain_verify does. */
SG_MUST_USE bool sg_chain_check_steps(X509 *certificate, sg_chain *chain, struct sg_error *error);

/* sg_chain_verify: RFC 5280 6 for the certificate, with the chain's root trusted, at a moment; and
 * every CA on the way leaves room for one more below certificate. Steps first, please.
 * Fails: SG_REFUSED. */
SG_MUST_USE bool sg_chain_verify(X509 *certificate, sg_chain *chain, int64_t now,
                                 struct sg_error *error);

#endif
