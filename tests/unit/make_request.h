/* make_request: PKCS#10 requests for tests, good ones and every kind of bad one.
 *
 * DER is written as text: hex digits, 'characters', and {…} for the length of what is inside it
 * and then that. Spaces don't count. So a subject CN=a is "30{31{30{06{550403}0C{'a'}}}}".
 * Whatever goes wrong in here fails the running test.
 */
#ifndef SG_TEST_MAKE_REQUEST_H
#define SG_TEST_MAKE_REQUEST_H

#include "base/cleanup.h"

/* make_key makes a key pair: "P-256", "P-384", "secp256k1", "RSA-2048", "RSA-1024", "Ed25519", …
 * The caller frees it. */
EVP_PKEY *make_key(const char *kind);

/* make_der appends what text says. */
void make_der(const char *text, struct sg_buf *der);

/* How the length of a SEQUENCE is written. */
enum make_length { MAKE_DER, MAKE_LONG, MAKE_INDEFINITE };

/* The parts of a request as text of make_der. NULL is the usual: v1, CN=device-AB12, the key's own
 * SubjectPublicKeyInfo, no attributes, SHA-256, a true signature by the key. */
struct make_request {
    EVP_PKEY *key;
    const char *version;
    const char *subject;
    const char *spki;
    const char *extensions; /* items of the Extensions; makes an extension request of them */
    const char *attributes; /* instead of that: the whole field, "A0{…}" */
    const char *algorithm;
    const char *signature;                      /* the whole BIT STRING */
    const char *rest;                           /* after the signature, inside the request */
    const EVP_MD *digest;                       /* of the true signature */
    enum make_length outer_length, info_length; /* of the request, of what is signed */
    bool pss; /* with salt as long as the digest; algorithm fits SHA-256 */
};

/* make_request appends the request's DER. */
void make_request(const struct make_request *parts, struct sg_buf *der);

/* make_pem appends one PEM block. */
void make_pem(const char *label, struct sg_slice der, struct sg_buf *pem);

#endif
