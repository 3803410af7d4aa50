/* request: bytes → struct sg_request; possession; key quality.
 *
 * Does not: decide (policy/ does), or know who is asking.
 */
#ifndef SG_REQUEST_REQUEST_H
#define SG_REQUEST_REQUEST_H

#include "base/secret.h"
#include "model/request.h"

/* sg_request_parse reads a PKCS#10 request (RFC 2986), PEM or DER, or an SPKAC, in base64, with
 * SPKAC= before it or not, or in DER; found out by the first bytes.
 * Text before or after a single PEM block is allowed, a second block is not; beside an SPKAC there
 * may be comments (#) and empty lines.
 * Refused, each with its own message and rule: trailing data; a version other than v1 and v3, which
 * policies refuse unless they say otherwise; MD5 or
 * SHA-1 as the request's digest; duplicate attributes or extensions; two extension requests;
 * multi-valued RDNs; NUL, line breaks or invalid UTF-8 in names; explicit EC parameters; an
 * encoding that is not DER (it must re-encode to itself).
 * Fails: SG_MALFORMED, or SG_KEY_QUALITY for keys and digests; request is empty then. */
SG_MUST_USE bool sg_request_parse(struct sg_slice bytes, struct sg_request *request,
                                  struct sg_error *error);

/* sg_request_look reads a request for showing it: also one that would be refused, as far as it can
 * be decoded. What can't be read is empty; the signature is verified.
 * refused  why issuing would refuse the bytes before it asks who sent them, the first cause alone;
 *          its code is SG_OK when it would not.
 * Fails:   SG_MALFORMED when the bytes are no request at all; SG_FAILED. */
SG_MUST_USE bool sg_request_look(struct sg_slice bytes, struct sg_request *request,
                                 struct sg_error *refused, struct sg_error *error);

/* sg_request_is_spkac: are bytes an SPKAC in one of the forms that sg_request_parse reads? Whether
 * it is any good, that tells. */
bool sg_request_is_spkac(struct sg_slice bytes);

/* sg_request_of_key makes the request that stands for an issuer's own key (SG_REQUEST_OWN_KEY). */
SG_MUST_USE bool sg_request_of_key(const struct sg_public_key *key, const struct sg_name *subject,
                                   struct sg_request *request, struct sg_error *error);

/* sg_request_check_possession verifies the request's signature by the key inside it (RFC 2986 4.2).
 * Passes for SG_REQUEST_OWN_KEY. Fails: SG_POSSESSION. */
SG_MUST_USE bool sg_request_check_possession(const struct sg_request *request,
                                             struct sg_error *error);

/* sg_request_check_challenge compares the request's challenge with the one that its maker was
 * given, in constant time.
 * wanted   NULL: none was given. Then an SPKAC's challenge must be empty, as it would prove
 * nothing; a PKCS#10 challengePassword, which clients also choose by themselves, says nothing.
 * Passes for SG_REQUEST_OWN_KEY. Fails: SG_UNAUTHENTICATED, rule "challenge". */
SG_MUST_USE bool sg_request_check_challenge(const struct sg_request *request,
                                            const struct sg_secret *wanted, struct sg_error *error);

/* sg_request_check_key_quality refuses keys that no policy may allow: RSA below 2048 bits or with
 * an even, small (< 65537) or huge exponent, with a small factor, the fingerprint of ROCA or close
 * primes; EC on an unnamed or other curve, a point that is not
 * on its curve. Fails: SG_KEY_QUALITY with a named rule. */
SG_MUST_USE bool sg_request_check_key_quality(const struct sg_public_key *key,
                                              struct sg_error *error);

#endif
