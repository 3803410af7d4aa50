/* signer: a scheme and bytes in, a signature out. What issuing code sees of a token.
 *
 * Two kinds stand behind it, chosen by the token's configuration:
 * - engine: OpenSSL's pkcs11 engine (QUIET, no openssl.cnf, no registration as a default), one for
 *   each module in the process. It never gets a PIN: the token's own session holds the login.
 * - direct: PKCS#11 itself, on a bounded pool of sessions. A lost session is replaced, a lost token
 *   reconnected, and the signature tried once more.
 * Thread rule: one signer may be used by several threads; opening and closing are serialised by
 * the caller. Close every signer before its token.
 */
#ifndef SG_TOKEN_SIGNER_H
#define SG_TOKEN_SIGNER_H

#include "model/scheme.h"
#include "token.h"

struct sg_signer;

/* sg_signer_kind_parse reads "engine" or "direct". Fails: SG_USAGE, naming both. Does not:
 * ask whether this build has the engine. */
SG_MUST_USE bool sg_signer_kind_parse(const char *text, enum sg_signer_kind *kind,
                                      struct sg_error *error);

/* sg_signer_open makes a signer, of the token's kind, of a key that sg_key_find found. Logs in.
 * Fails: SG_TOKEN (the token does not tell the public half; the key is not there any more, or not
 * alone; engine missing: which package; key not loadable; Ed25519 by the engine; an Ed25519 key on
 * a token that libp11 0.4.12 can't read), SG_PIN. */
SG_MUST_USE bool sg_signer_open(struct sg_token *token, const struct sg_key *key,
                                struct sg_signer **signer, struct sg_error *error);

/* sg_signer_sign signs bytes. ECDSA signatures are DER ECDSA-Sig-Value.
 * Fails: SG_USAGE when the scheme does not fit the key, SG_TOKEN otherwise; signature unchanged. */
SG_MUST_USE bool sg_signer_sign(struct sg_signer *signer, enum sg_scheme scheme,
                                struct sg_slice bytes, struct sg_buf *signature,
                                struct sg_error *error);

/* sg_signer_check_signature verifies a signature that a token made, with a public key in memory.
 * Fails: SG_TOKEN: the token signed wrongly, or with another key. */
SG_MUST_USE bool sg_signer_check_signature(enum sg_scheme scheme, const struct sg_public_key *key,
                                           struct sg_slice bytes, struct sg_slice signature,
                                           struct sg_error *error);

/* The key's public half, in memory; lives as long as the signer. */
const struct sg_public_key *sg_signer_public_key(const struct sg_signer *signer);
void sg_signer_close(struct sg_signer *signer);

typedef struct sg_signer sg_signer;
SG_DEFINE_CLEANUP(sg_signer, sg_signer_close)

#endif
