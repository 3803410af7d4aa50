/* tree: certificates below their issuers, drawn.
 *
 * One stands below another that names itself by the same name, as RFC 5280 4.1.2.4 and 4.2.1.1 have
 * it, and whose key verifies its signature.
 * Does not: judge whether a verifier would take the chain (validity, constraints).
 */
#ifndef SG_CERT_TREE_H
#define SG_CERT_TREE_H

#include "show.h"

/* sg_tree_json makes an array of the certificates that have no issuer among the others:
 *   {"subject", "validity": words, "not_before": ISO 8601, "not_after", "sha256", "issuer": only when it is not among them and the
 *    certificate is not self-signed, "issued": [the same of those below it]}
 * One that is there twice counts once. now: for the words. Fails for memory alone. */
SG_MUST_USE bool sg_tree_json(const STACK_OF(X509) * certificates, int64_t now, json_t **tree,
                              struct sg_error *error);
/* sg_tree_text draws it. */
SG_MUST_USE bool sg_tree_text(const json_t *tree, struct sg_buf *text, struct sg_error *error);

#endif
