/* home: a CA's folder opened as one object: configuration, policies, store, tokens, issuers.
 *
 * Opening reads the configuration and the store; tokens are touched when an issuer is asked for,
 * policies are read when they are asked for.
 * Thread rule: a home belongs to one thread.
 */
#ifndef SG_HOME_HOME_H
#define SG_HOME_HOME_H

#include "config.h"
#include "model/issuer.h"
#include "policy/policy.h"
#include "store/store.h"
#include "token/mac.h"
#include "token/signer.h"

struct sg_home;

/* sg_home_open opens DIR. Fails: SG_FAILED when DIR is no CA home (and how to make one),
 * SG_INVALID, SG_STORE. */
SG_MUST_USE bool sg_home_open(const char *dir, enum sg_store_mode mode, struct sg_home **home,
                              struct sg_error *error);
void sg_home_close(struct sg_home *home);

typedef struct sg_home sg_home;
SG_DEFINE_CLEANUP(sg_home, sg_home_close)

const char *sg_home_dir(const struct sg_home *home);
const struct sg_config *sg_home_config(const struct sg_home *home);
struct sg_store *sg_home_store(struct sg_home *home);

/* sg_home_open_registry opens the home's store once more, for another thread, which reads the
 * registry there and counts tries of PINs. The caller closes it. */
SG_MUST_USE bool sg_home_open_registry(const struct sg_home *home, struct sg_store **store,
                                       struct sg_error *error);

/* sg_home_policy loads policies/NAME.yaml and runs its examples; the home keeps it.
 * Fails: SG_USAGE when there is none of that name (listing those that are), SG_INVALID when it is
 * wrong or one of its examples does not come out as it says. */
SG_MUST_USE bool sg_home_policy(struct sg_home *home, const char *name,
                                const struct sg_policy **policy, struct sg_error *error);

/* sg_home_read_policy reads the same file and runs no examples: for looking at a policy and for
 * making requests that its examples will use, never to issue by it. The caller frees it.
 * Fails: as above, but for examples. */
SG_MUST_USE bool sg_home_read_policy(const struct sg_home *home, const char *name,
                                     struct sg_policy **policy, struct sg_error *error);

/* An issuer as signet.yaml describes it, with what its certificate says. */
struct sg_issuer {
    const struct sg_issuer_entry *entry;
    struct sg_issuer_facts facts;
    struct sg_name subject;   /* facts.subject, when it is there */
    STACK_OF(X509) * chain;   /* from its issuer up to the root; empty for a root, and while it has
                                 no certificate */
    int64_t id;               /* in the store */
    struct sg_signer *signer; /* NULL when opened for SG_ISSUER_TO_READ */
};

enum sg_issuer_use {
    SG_ISSUER_TO_READ,      /* its certificate and facts; no token */
    SG_ISSUER_TO_SIGN,      /* token, key, signer; the key is the certificate's; it is active */
    SG_ISSUER_TO_SIGN_CRLS, /* the same; it is active or status-only */
    SG_ISSUER_TO_SIGN_RESPONDER, /* its OCSP responder's certificate; otherwise as for CRLs */
    SG_ISSUER_TO_CERTIFY, /* token, key, signer; no certificate needed yet: facts.key from the
                             token;   it is active */
};

/* sg_home_issuer opens an issuer; the home keeps and releases it.
 * name     NULL: the one that is active.
 * Fails: SG_USAGE (no such issuer; several active ones and none named), SG_INVALID (certificate
 * missing, with the commands that make it; unreadable; no CA certificate), SG_TOKEN (also when the
 * token's key is not the certificate's), SG_PIN, SG_STORE; SG_REFUSED when its state forbids. */
SG_MUST_USE bool sg_home_issuer(struct sg_home *home, const char *name, enum sg_issuer_use use,
                                struct sg_issuer **issuer, struct sg_error *error);

/* sg_home_token opens a token of signet.yaml by its name. The caller closes it, before the home. */
SG_MUST_USE bool sg_home_token(struct sg_home *home, const char *name, struct sg_token **token,
                               struct sg_error *error);
/* sg_home_tally: what is counted of the token at this place of the configuration's `tokens`, as
 * often as the home has opened it. May be asked by any thread. */
struct sg_tally *sg_home_tally(const struct sg_home *home, size_t index);

/* sg_home_pins opens the HMAC key that signet.yaml names under `pins`; the home keeps it.
 * Fails: SG_USAGE when it names none; SG_TOKEN, SG_PIN. */
SG_MUST_USE bool sg_home_pins(struct sg_home *home, struct sg_mac **mac, struct sg_error *error);

/* sg_home_check_issuer_name: may the issuer's certificate have this subject? Once its key has
 * issued to others, only the one that stands in their certificates: a CRL under another name says
 * nothing about them (RFC 5280 6.3.3), and their chain would be broken.
 * store    the home's, or the calling thread's own handle on it.
 * Fails:   SG_REFUSED, rule "issuer name", when it is another name, or the same in another
 *          encoding; SG_STORE. */
SG_MUST_USE bool sg_home_check_issuer_name(struct sg_store *store, const struct sg_issuer *issuer,
                                           const X509_NAME *subject, struct sg_error *error);

/* sg_home_set_certificate puts an issuer's certificate (PEM) and its chain in place in the home,
 * after checking: the key is the issuer's key on the token, the name is the one that it has issued
 * under, it is a CA certificate that may sign
 * certificates and CRLs, it is in force at now, and the chain leads step by step to a self-signed
 * root (which may be the certificate itself). chain_der is from its issuer upward.
 * The chain goes to the files that signet.yaml names, one certificate each and the last file the
 * rest; when it names none, to NAME-chain.pem, and issuers find it there. A chain file that holds
 * the same already stays. An issuer that was opened before keeps the certificate that it had.
 * Fails: SG_REFUSED naming what does not hold, or another issuer that needs a chain file as it is;
 * SG_MALFORMED on what is no certificate; SG_FAILED when one is there and not replace; SG_TOKEN,
 * SG_PIN. The files are as they were then. */
SG_MUST_USE bool sg_home_set_certificate(struct sg_home *home, const char *name,
                                         struct sg_slice der, const struct sg_slice *chain_der,
                                         size_t num_chain, bool replace, int64_t now,
                                         struct sg_error *error);

/* What `signet init` writes. Texts are borrowed. */
struct sg_home_spec {
    const char *ca;     /* "Example Device CA" */
    const char *store;  /* as in signet.yaml; NULL: a file in DIR */
    const char *issuer; /* "issuing-2026" */
    const char *token;  /* PKCS#11 URI of the token */
    const char *profile, *module;
    const char *pin; /* PIN source */
    enum sg_signer_kind signer;
    enum sg_scheme scheme; /* SG_SCHEME_NONE: left out */
    const char *crl_url, *ocsp_url, *ca_issuers_url;
};

/* sg_home_init makes DIR with a commented signet.yaml, the shipped policies and an empty store; it
 * touches no token. DIR may exist if it is empty and not the working folder.
 * Fails: SG_USAGE naming what is wrong in spec, SG_FAILED, SG_STORE; what was made is gone then. */
SG_MUST_USE bool sg_home_init(const char *dir, const struct sg_home_spec *spec,
                              struct sg_error *error);

#endif
