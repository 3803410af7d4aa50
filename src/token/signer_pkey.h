/* signer_pkey: a struct sg_signer as an EVP_PKEY, where an API insists on one: CMS, OCSP, TLS, CMP.
 *
 * The key belongs to an OpenSSL provider inside this process, in an OSSL_LIB_CTX of its own, so
 * that nothing of the process's default context changes. It signs by sg_signer_sign, whichever kind
 * of signer it is, and gives its public half to whoever wants to compare or verify.
 * Does not: sign a digest that somebody else made (EVP_PKEY_sign); the message has to be there
 * (EVP_DigestSign…), as every API named above does it. A message is held in memory, SG_LIMIT_CRL
 * bytes at most. MD5, SHA-1 and the like are refused.
 * Thread rule: the key is as thread-safe as the signer.
 */
#ifndef SG_TOKEN_SIGNER_PKEY_H
#define SG_TOKEN_SIGNER_PKEY_H

#include "signer.h"

struct sg_pkey_maker;

/* sg_pkey_maker_new sets the provider up; once for a process is enough. */
SG_MUST_USE bool sg_pkey_maker_new(struct sg_pkey_maker **maker, struct sg_error *error);

/* sg_signer_pkey makes a key that signs with the signer. The caller frees it, and every object that
 * holds it, before the signer is closed and before the maker is freed.
 * Fails: SG_FAILED. */
SG_MUST_USE bool sg_signer_pkey(struct sg_pkey_maker *maker, struct sg_signer *signer,
                                EVP_PKEY **pkey, struct sg_error *error);

/* sg_pkey_maker_context: the keys' library context, for what opens with them what is encrypted
 * (CMS_ContentInfo_new_ex): RSAES-OAEP, and ECDH with the X9.63 derivation. */
OSSL_LIB_CTX *sg_pkey_maker_context(struct sg_pkey_maker *maker);

/* sg_signer_pkey_fail is sg_fail(SG_TOKEN) for an OpenSSL call that such a key was to sign for:
 * what begins the message, and the signer's own follows, as OpenSSL has kept it. Empties OpenSSL's
 * queue. */
bool sg_signer_pkey_fail(struct sg_error *error, const char *what);

void sg_pkey_maker_free(struct sg_pkey_maker *maker);

typedef struct sg_pkey_maker sg_pkey_maker;
SG_DEFINE_CLEANUP(sg_pkey_maker, sg_pkey_maker_free)

#endif
