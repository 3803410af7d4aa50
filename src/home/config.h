/* config: signet.yaml, read strictly.
 *
 * Texts are owned by the configuration. docs/operations.md describes every key.
 */
#ifndef SG_HOME_CONFIG_H
#define SG_HOME_CONFIG_H

#include "base/yaml.h"
#include "model/schema.h"
#include "model/scheme.h"
#include "service_config.h"
#include "token/signer.h"

struct sg_token_entry {
    const char *name;
    const char *profile, *module; /* exactly one is set */
    const char *uri;
    const char *pin; /* a source of token/pin.h; NULL: prompt */
    enum sg_signer_kind signer;
    long sessions;
};

enum sg_issuer_state {
    SG_ISSUER_ACTIVE,      /* signs certificates and CRLs */
    SG_ISSUER_STATUS_ONLY, /* signs CRLs and its OCSP responder's certificate: rolled over */
    SG_ISSUER_RETIRED,     /* signs nothing */
};

/* `ocsp: {key: …}`: who answers OCSP in an issuer's name. */
struct sg_responder_entry {
    const char *key;     /* PKCS#11 URI of its key; NULL: nobody answers */
    const char *token;   /* a sg_token_entry's name; NULL: the issuer's */
    const char *subject; /* of its certificate; NULL: "CN=NAME OCSP" */
    const char *policy;  /* that its certificate is issued under */
    int64_t lifetime_s;  /* from an answer's thisUpdate to its nextUpdate */
};

struct sg_issuer_entry {
    const char *name;
    const char *token;       /* a sg_token_entry's name */
    const char *key;         /* PKCS#11 URI of the key: "pkcs11:object=issuing-2026" */
    const char *certificate; /* file, relative to the home; may not exist yet */
    const char **chain;      /* files from its issuer up to the root */
    size_t num_chain;
    enum sg_scheme scheme; /* SG_SCHEME_NONE: the key's default */
    enum sg_issuer_state state;
    const char *crl_url, *ocsp_url, *ca_issuers_url;
    int64_t crl_lifetime_s; /* `crl: {next_update: 7d}`, from thisUpdate to nextUpdate */
    struct sg_responder_entry ocsp;
};

struct sg_config {
    struct sg_yaml *document;
    const char *ca;
    const char *store; /* "sqlite:signet.db", "postgresql://…" */
    struct sg_token_entry *tokens;
    size_t num_tokens;
    struct sg_issuer_entry *issuers;
    size_t num_issuers;
    struct sg_schema device, user;
    struct sg_service_config service;
    /* `pins: {token: NAME, key: URI}`: the HMAC key of the users' PINs; NULL: no PINs here */
    const char *pins_token, *pins_key;
};

/* sg_config_name_is_valid: can text name an issuer or a token? Letters, digits, ".", "_" and "-",
 * beginning with a letter or digit, 64 at most: it becomes part of file names. */
bool sg_config_name_is_valid(const char *text);

/* sg_config_load reads and cross-checks: an issuer's and the PINs' token exists, names and keys are
 * not used twice, no issuer's key signs OCSP answers, a pin-value in a URI is refused. Fails:
 * SG_INVALID "signet.yaml:line:column: …". */
SG_MUST_USE bool sg_config_load(const char *path, struct sg_config *config, struct sg_error *error);
void sg_config_done(struct sg_config *config);
SG_DEFINE_CLEANUP_IN_PLACE(sg_config, sg_config_done)

#endif
