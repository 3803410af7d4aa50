/* key: what kind of key something is, and a public key that has been looked at.
 *
 * Does not: judge quality (request/quality.h does) or hold private keys (tokens do).
 */
#ifndef SG_MODEL_KEY_H
#define SG_MODEL_KEY_H

#include "base/cleanup.h"
#include "base/hex.h"

enum sg_key_family {
    SG_KEY_NONE,
    SG_KEY_RSA,
    SG_KEY_EC,
    SG_KEY_ED25519,
    SG_KEY_ML_DSA,
    SG_KEY_OTHER
};

/* RSA: bits of the modulus. EC: 256, 384 or 521 for the NIST curve of that name, 0 for any other
 * curve. ML-DSA: 44, 65 or 87, its parameter set. Otherwise 0. */
struct sg_key_kind {
    enum sg_key_family family;
    unsigned bits;
};

enum { SG_KEY_KIND_TEXT_SIZE = 32 };

/* sg_key_kind_parse reads RSA-2048, RSA-3072, RSA-4096, P-256, P-384, P-521, Ed25519, ML-DSA-44,
 * ML-DSA-65, ML-DSA-87, in capitals or not.
 * Fails: SG_USAGE, naming the kinds. */
SG_MUST_USE bool sg_key_kind_parse(const char *text, struct sg_key_kind *kind,
                                   struct sg_error *error);
/* sg_key_kind_text: "RSA-2048", "P-256", "Ed25519", "EC on another curve", … Returns into. */
const char *sg_key_kind_text(struct sg_key_kind kind, char into[SG_KEY_KIND_TEXT_SIZE]);
bool sg_key_kind_equal(struct sg_key_kind a, struct sg_key_kind b);

/* sg_key_kind_check_openssl tells whether the OpenSSL that runs knows this kind of key, as ML-DSA
 * came with 3.5. Fails: SG_USAGE, naming the kind, the OpenSSL that it needs and this one. */
SG_MUST_USE bool sg_key_kind_check_openssl(struct sg_key_kind kind, struct sg_error *error);

/* ML-DSA's object identifier, in dotted decimals (RFC 9881 2), and back; NULL and no kind
 * (SG_KEY_NONE) for what is not ML-DSA. Older OpenSSLs have no NID for them. */
const char *sg_key_ml_dsa_oid(struct sg_key_kind kind);
struct sg_key_kind sg_key_ml_dsa_kind(const ASN1_OBJECT *algorithm);

enum { SG_KEY_ID_LEN = 20 };

/* A public key and what identifies it. Zero-initialised is empty. */
struct sg_public_key {
    struct sg_key_kind kind;
    struct sg_buf spki;            /* DER SubjectPublicKeyInfo, as it came */
    uint8_t sha256[SG_SHA256_LEN]; /* of spki: how the store knows a key */
    uint8_t id[SG_KEY_ID_LEN];     /* what sg_public_key_id gives */
    EVP_PKEY *pkey;                /* in memory, never a token's */
    bool is_on_curve;              /* an EC point that was checked as pkey was made of it */
};

/* sg_public_key_decode fills key, which must be empty, from a DER SubjectPublicKeyInfo. One key has
 * one encoding here, as the store knows keys by the hash of theirs.
 * Fails: SG_MALFORMED when it can't be decoded (trailing data included) or is not in DER,
 * SG_KEY_QUALITY when EC parameters are explicit instead of a named curve (RFC 5480 2.1.1), when an
 * EC point is compressed, or when this OpenSSL does not know the algorithm. */
SG_MUST_USE bool sg_public_key_decode(struct sg_slice spki, struct sg_public_key *key,
                                      struct sg_error *error);
/* sg_public_key_of is sg_public_key_decode of what encoded encodes to. */
SG_MUST_USE bool sg_public_key_of(X509_PUBKEY *encoded, struct sg_public_key *key,
                                  struct sg_error *error);
/* sg_public_key_of_certificate is sg_public_key_decode of the certificate's key. */
SG_MUST_USE bool sg_public_key_of_certificate(const X509 *certificate, struct sg_public_key *key,
                                              struct sg_error *error);
/* sg_public_key_id is the key identifier of RFC 5280 4.2.1.2 (1): SHA-1 of the BIT STRING.
 * Fails: SG_INTERNAL on an empty key. */
SG_MUST_USE bool sg_public_key_id(const struct sg_public_key *key, uint8_t id[SG_KEY_ID_LEN],
                                  struct sg_error *error);
bool sg_public_key_equal(const struct sg_public_key *a, const struct sg_public_key *b);
void sg_public_key_done(struct sg_public_key *key);
SG_DEFINE_CLEANUP_IN_PLACE(sg_public_key, sg_public_key_done)

#endif
