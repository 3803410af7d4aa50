/* tls_key: the key of the service's own TLS, on a token: signs handshakes for the front, on a
 * thread of its own, and nothing else.
 *
 * What is to be signed has to be what a server signs in a handshake of TLS 1.2 or 1.3, octet by
 * octet as far as the protocol says it: whoever has taken over the front can't get anything else
 * signed, and the key is none of the CA's (home/service_key.h).
 * Thread rule: opened, started, looked at, stopped and freed by the home's thread; work is taken by
 * the door's.
 */
#ifndef SG_SERVICE_TLS_KEY_H
#define SG_SERVICE_TLS_KEY_H

#include "errand.h"
#include "home/home.h"

struct sg_tls_key;

/* sg_tls_key_open opens the key that signet.yaml names in `service: https`, if it is on a token.
 * Fails: as sg_home_service_key does. */
SG_MUST_USE bool sg_tls_key_open(struct sg_home *home, struct sg_board *board,
                                 struct sg_tls_key **key, struct sg_error *error);
/* sg_tls_key_signer: NULL when there is no such key. */
struct sg_signer *sg_tls_key_signer(const struct sg_tls_key *key);

/* sg_tls_key_start begins to sign; wake is called after each answer. */
SG_MUST_USE bool sg_tls_key_start(struct sg_tls_key *key, void (*wake)(void *context),
                                  void *context, struct sg_error *error);
/* sg_tls_key_take answers a TLS_SIGN, on the board. */
void sg_tls_key_take(struct sg_tls_key *key, struct sg_errand *errand);
/* sg_tls_key_check: has the token failed? Then the issuer is to be started again. Fails: SG_TOKEN,
 * SG_PIN. */
SG_MUST_USE bool sg_tls_key_check(struct sg_tls_key *key, struct sg_error *error);

/* sg_tls_key_stop returns when what was taken is answered; sg_tls_key_free stops it as well, before
 * the home is closed. */
void sg_tls_key_stop(struct sg_tls_key *key);
void sg_tls_key_free(struct sg_tls_key *key);

/* sg_tls_is_handshake: is this what a server signs in its CertificateVerify (RFC 8446 4.4.3) or its
 * ServerKeyExchange on a named curve (RFC 8422 5.4)? */
bool sg_tls_is_handshake(struct sg_slice bytes);

#endif
