/* service_key: keys on tokens that the service has for its own ends: to show that a token answers,
 * for TLS. What they sign, strangers have a say in; so none of them is a key of the CA.
 *
 * Thread rule: that of the home; the signers may be used by several threads.
 */
#ifndef SG_HOME_SERVICE_KEY_H
#define SG_HOME_SERVICE_KEY_H

#include "home.h"

/* sg_home_service_key opens the key at place, and compares it with every issuer's and every OCSP
 * responder's.
 * what     it is for, begins messages: "health".
 * signer   the caller's, to be closed before the home is.
 * Fails:   SG_INVALID, naming the place in signet.yaml: it is an issuer's or a responder's key;
 *          SG_TOKEN, SG_PIN; as sg_home_issuer does. */
SG_MUST_USE bool sg_home_service_key(struct sg_home *home, const struct sg_key_place *place,
                                     const char *what, struct sg_signer **signer,
                                     struct sg_error *error);

#endif
