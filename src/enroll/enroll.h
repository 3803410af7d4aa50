/* enroll: the side that asks: requests signed by a token's or a file's key, certificates onto the
 * token.
 *
 * Does not: know what stands behind a signer, or decide anything; the policy does.
 * Thread rule: a signer belongs to one thread.
 */
#ifndef SG_ENROLL_ENROLL_H
#define SG_ENROLL_ENROLL_H

#include "model/extension.h"
#include "model/name.h"
#include "model/san.h"
#include "token/signer.h"

/* Whoever signs a request. The key and what context points at are borrowed. */
struct sg_csr_signer {
    const struct sg_public_key *key;
    /* sign makes a signature and has it verified with key; its failures are its own. */
    bool (*sign)(void *context, enum sg_scheme scheme, struct sg_slice bytes,
                 struct sg_buf *signature, struct sg_error *error);
    void *context;
};

/* sg_csr_signer_of_token: the token's key signs. Lives as long as signer. */
struct sg_csr_signer sg_csr_signer_of_token(struct sg_signer *signer);

/* What a request shall say. */
struct sg_csr_spec {
    const struct sg_name *subject;
    const struct sg_sans *sans;     /* NULL or empty: none */
    const struct sg_oids *purposes; /* extendedKeyUsage to ask for; NULL or empty: none */
    unsigned key_usage;             /* SG_KU_* to ask for; 0: none */
    bool ca;                        /* asks for a CA certificate */
    X509 *deliver_to;               /* who makes the key shall encrypt it to this certificate's (RFC
                                       7030 4.4.1.2); NULL: the key is the request's own */
    enum sg_scheme scheme;          /* SG_SCHEME_NONE: the key's default */
};

/* Called with the to-be-signed bytes before the key signs them; false stops. For issuers' keys,
 * which sign nothing without a durable intent. */
typedef bool sg_intent(struct sg_slice to_be_signed, void *context, struct sg_error *error);

/* sg_enroll_csr makes a DER PKCS#10 request (RFC 2986), signed and verified.
 * intent may be NULL.
 * Fails: SG_USAGE when the scheme does not fit the key, SG_KEY_QUALITY for a key that nobody
 * certifies, SG_REFUSED when a name can't be encoded, and as the signer and intent do; der is
 * untouched. */
SG_MUST_USE bool sg_enroll_csr(const struct sg_csr_signer *signer, const struct sg_csr_spec *spec,
                               sg_intent *intent, void *context, struct sg_buf *der,
                               struct sg_error *error);

/* A key on a card that a certificate is asked for. */
struct sg_card_key {
    struct sg_key key;
    struct sg_signer *signer;
    bool is_new;               /* it was made just now */
    struct sg_buf certificate; /* DER, of the one beside it; empty when there is none */
};
/* Before the token is closed. */
void sg_card_key_done(struct sg_card_key *card);
SG_DEFINE_CLEANUP_IN_PLACE(sg_card_key, sg_card_key_done)

/* sg_card_key_open finds the one key that uri names, and what is beside it.
 * make     the kind of the key that is made when there is none; NULL: there has to be one.
 * must_be  the kind that one which is there has to be; NULL: any will do.
 * Fails: as sg_key_look, sg_key_create, sg_signer_open and sg_enroll_check_no_ca; SG_USAGE when the
 * key is of another kind. */
SG_MUST_USE bool sg_card_key_open(struct sg_token *token, const char *uri,
                                  const struct sg_key_kind *make, const struct sg_key_kind *must_be,
                                  struct sg_card_key *card, struct sg_error *error);

/* sg_enroll_check_no_ca refuses a CA's key, known by the certificate beside it: such a key signs
 * nothing without a note in its store. A certificate that can't be read says nothing.
 * Fails: SG_REFUSED. */
SG_MUST_USE bool sg_enroll_check_no_ca(struct sg_token *token, const struct sg_key *key,
                                       struct sg_error *error);

/* sg_enroll_store puts a certificate (DER) beside the one key on the token that uri names, reads
 * it back and compares. */
SG_MUST_USE bool sg_enroll_store(struct sg_token *token, const char *uri,
                                 struct sg_slice certificate, bool replace, struct sg_error *error);

#endif
