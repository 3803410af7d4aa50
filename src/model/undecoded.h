/* undecoded: X.509 objects whose public keys stay the bytes that they are.
 *
 * OpenSSL decodes a key whenever it decodes what holds it, and up to 3.4 that takes longer than
 * verifying a signature. On the path a key is made once, by sg_public_key_decode, and what holds it
 * is decoded without: X509_get0_pubkey and X509_REQ_get0_pubkey of these are NULL. Everything else
 * is as OpenSSL's d2i functions, whose arguments and results these have.
 */
#ifndef SG_MODEL_UNDECODED_H
#define SG_MODEL_UNDECODED_H

#include <openssl/x509.h>

X509 *sg_undecoded_certificate(const unsigned char **at, long len);
X509_REQ *sg_undecoded_request(const unsigned char **at, long len);
X509_PUBKEY *sg_undecoded_public_key(const unsigned char **at, long len);

#endif
