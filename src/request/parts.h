/* parts: the steps of reading a PKCS#10 request that have a file of their own; for this room only.
 */
#ifndef SG_REQUEST_PARTS_H
#define SG_REQUEST_PARTS_H

#include "request.h"

/* envelope.c */

/* sg_request_unwrap finds the DER inside bytes: they themselves, what one PEM block holds, or what
 * the text of an SPKAC does.
 * Fails: SG_MALFORMED, saying what the bytes are instead where a PEM label tells. */
SG_MUST_USE bool sg_request_unwrap(struct sg_slice bytes, struct sg_buf *der,
                                   struct sg_error *error);
/* sg_request_explain fails, always, with the reason why der did not decode as a request: what it is
 * instead, that it was cut short, or what OpenSSL says. */
bool sg_request_explain(struct sg_slice der, struct sg_error *error);

/* parse.c */

/* A step of reading: it fills a part of request, or leaves it as it was. */
typedef bool (*sg_request_step)(struct sg_request *request, struct sg_error *error);

/* sg_request_take_steps takes num steps, up to the first that fails. With refused, a step that
 * refuses the request does not end them: its cause is noted there unless there is one already. */
SG_MUST_USE bool sg_request_take_steps(const sg_request_step *steps, size_t num,
                                       struct sg_request *request, struct sg_error *refused,
                                       struct sg_error *error);

/* pkcs10.c */

/* sg_pkcs10_read fills request from request->der; refused as in sg_request_take_steps.
 * Fails: SG_MALFORMED, SG_KEY_QUALITY. */
SG_MUST_USE bool sg_pkcs10_read(struct sg_request *request, struct sg_error *refused,
                                struct sg_error *error);

/* spkac.c */

/* sg_spkac_is_der: does der decode as an SPKAC? No PKCS#10 request does. */
bool sg_spkac_is_der(struct sg_slice der);
/* sg_spkac_is_text: is this the text form, a line SPKAC=… or the base64 of an SPKAC alone? Whether
 * it is any good, sg_spkac_unwrap tells. */
bool sg_spkac_is_text(struct sg_slice text);
/* sg_spkac_unwrap finds the DER inside the text form. Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_spkac_unwrap(struct sg_slice text, struct sg_buf *der, struct sg_error *error);
/* sg_spkac_read fills request from request->der; refused as in sg_request_take_steps.
 * Fails: SG_MALFORMED, SG_KEY_QUALITY. */
SG_MUST_USE bool sg_spkac_read(struct sg_request *request, struct sg_error *refused,
                               struct sg_error *error);

/* der.c */

/* sg_der_decode reads one value that must be all of der and DER, so that it encodes to the same
 * bytes again. what begins messages ("subjectAltName").
 * Returns the value, which the caller frees by its type; NULL when it fails with SG_MALFORMED. */
void *sg_der_decode(struct sg_slice der, const ASN1_ITEM *item, const char *what,
                    struct sg_error *error);

/* algorithm.c */

/* sg_request_read_algorithm checks the request's own signature algorithm and notes its digest.
 * request->format chooses the remedy that a refusal names.
 * Fails: SG_KEY_QUALITY for anything but RSA PKCS#1 v1.5, RSA-PSS and ECDSA with SHA-256, SHA-384
 * or SHA-512, Ed25519 and ML-DSA; SG_MALFORMED for wrong parameters. */
SG_MUST_USE bool sg_request_read_algorithm(const X509_ALGOR *algorithm, struct sg_request *request,
                                           struct sg_error *error);

/* key.c */

/* sg_request_read_key decodes the request's key, which must be one that can be verified with.
 * Fails: SG_MALFORMED, SG_KEY_QUALITY. */
SG_MUST_USE bool sg_request_read_key(X509_PUBKEY *encoded, struct sg_public_key *key,
                                     struct sg_error *error);

/* quality.c */

/* sg_request_check_verifiable refuses keys with which verifying a signature would keep us busy.
 * Fails: SG_KEY_QUALITY. */
SG_MUST_USE bool sg_request_check_verifiable(const struct sg_public_key *key,
                                             struct sg_error *error);

/* modulus.c */

/* sg_request_check_modulus refuses an odd RSA modulus of 2048 bits or more that has a factor below
 * 752, was made by the library of ROCA, or has primes that Fermat's method finds in 100 rounds.
 * Fails: SG_KEY_QUALITY.
 * Does not: test whether it is a prime, which takes longer than issuing a certificate; such a key
 * harms nobody but its holder. */
SG_MUST_USE bool sg_request_check_modulus(const BIGNUM *modulus, struct sg_error *error);

/* attributes.c */

/* sg_request_read_attributes checks the attributes, and reads the extension request and the
 * challengePassword among them.
 * Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_request_read_attributes(const X509_REQ *pkcs10, struct sg_request *request,
                                            struct sg_error *error);

/* challenge.c */

/* sg_request_keep_challenge makes text (RFC 2985 5.4.1, or an SPKAC's IA5String) the request's
 * challenge. Fails: SG_MALFORMED, never with the challenge in the message. */
SG_MUST_USE bool sg_request_keep_challenge(struct sg_slice text, struct sg_request *request,
                                           struct sg_error *error);

/* extensions.c */

/* sg_request_read_extensions reads DER Extensions (RFC 5280 4.1) into request->extensions, and the
 * four that have fields of their own into these.
 * Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_request_read_extensions(struct sg_slice der, struct sg_request *request,
                                            struct sg_error *error);

#endif
