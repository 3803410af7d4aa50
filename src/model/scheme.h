/* scheme: signature schemes: the pair of a key family and a digest, and their AlgorithmIdentifier.
 */
#ifndef SG_MODEL_SCHEME_H
#define SG_MODEL_SCHEME_H

#include "key.h"

enum sg_scheme {
    SG_SCHEME_NONE,
    SG_RSA_SHA256,
    SG_RSA_SHA384,
    SG_RSA_SHA512,
    SG_RSA_PSS_SHA256, /* MGF1 with the same digest, salt as long as the digest */
    SG_RSA_PSS_SHA384,
    SG_RSA_PSS_SHA512,
    SG_ECDSA_SHA256,
    SG_ECDSA_SHA384,
    SG_ECDSA_SHA512,
    SG_ED25519,   /* without a digest of its own: RFC 8032's pure form */
    SG_ML_DSA_44, /* pure and with no context (RFC 9881 3) */
    SG_ML_DSA_65,
    SG_ML_DSA_87,
    SG_NUM_SCHEMES,
};

/* "rsa-sha256", "rsa-pss-sha256", "ecdsa-sha256", …; parse fails with SG_USAGE, naming them all. */
SG_MUST_USE bool sg_scheme_parse(const char *text, enum sg_scheme *scheme, struct sg_error *error);
const char *sg_scheme_text(enum sg_scheme scheme);
/* sg_scheme_default: ECDSA with the digest as strong as the curve, RSA with SHA-256, Ed25519 and
 * each ML-DSA its own. */
enum sg_scheme sg_scheme_default(struct sg_key_kind kind);
bool sg_scheme_fits(enum sg_scheme scheme, struct sg_key_kind kind);
bool sg_scheme_is_pss(enum sg_scheme scheme);
/* sg_scheme_digest: NULL for Ed25519 and ML-DSA, which take the bytes themselves. */
const EVP_MD *sg_scheme_digest(enum sg_scheme scheme);

/* sg_scheme_algorithm makes the AlgorithmIdentifier; the caller owns it.
 * Follows: RFC 4055 3.1 (PSS), RFC 4055 5 (NULL parameters), RFC 5758 3.2, RFC 8410 3 and
 * RFC 9881 2 (absent parameters). */
SG_MUST_USE bool sg_scheme_algorithm(enum sg_scheme scheme, X509_ALGOR **algorithm,
                                     struct sg_error *error);

/* sg_scheme_verify checks a signature with an in-memory public key.
 * Fails: SG_POSSESSION when the signature is not by that key. */
SG_MUST_USE bool sg_scheme_verify(enum sg_scheme scheme, const struct sg_public_key *key,
                                  struct sg_slice bytes, struct sg_slice signature,
                                  struct sg_error *error);

#endif
