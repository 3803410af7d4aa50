/* open: what commands open from their options: a home, a key on a token, files. */
#ifndef SG_CLI_OPEN_H
#define SG_CLI_OPEN_H

#include "command.h"
#include "home/home.h"
#include "model/pin_hash.h"

/* Rows of an option table that reach a token without a home. */
#define SG_TOKEN_MODULE_OPTIONS                                                                    \
    {"profile", 0, "NAME", "the token's model: softhsm, …"},                                       \
    {                                                                                              \
        "module", 0, "PATH", "or the path of its PKCS#11 module"                                   \
    }
#define SG_TOKEN_OPTIONS                                                                           \
    SG_TOKEN_MODULE_OPTIONS,                                                                       \
    {                                                                                              \
        "pin", 0, "SOURCE", "file:PATH, env:NAME, credential:NAME or prompt (default)"             \
    }

/* A row for commands that sign with a token's key or make one. */
#define SG_SIGNER_OPTION                                                                           \
    {                                                                                              \
        "signer", 0, "KIND", "engine or direct (also Ed25519, cards); --version tells the default" \
    }

/* A row for commands that write on cards whose security officer alone may. */
#define SG_SO_PIN_OPTION                                                                           \
    {                                                                                              \
        "so-pin", 0, "SOURCE", "the security officer's PIN, for tokens that want it to write"      \
    }

/* sg_cli_signer reads --signer; the build's default when it is not given. Fails:
 * SG_USAGE, also on the engine in a build without it. */
SG_MUST_USE bool sg_cli_signer(const struct sg_cli *cli, enum sg_signer_kind *kind,
                               struct sg_error *error);

/* sg_cli_open_home opens -C or $SIGNET_HOME. Fails: SG_USAGE when neither is given. */
SG_MUST_USE bool sg_cli_open_home(const struct sg_cli *cli, enum sg_store_mode mode,
                                  struct sg_home **home, struct sg_error *error);

/* sg_cli_id: an operand that is the number of a ticket or a request. Fails: SG_USAGE. */
SG_MUST_USE bool sg_cli_id(const char *operand, int64_t *id, struct sg_error *error);

/* sg_cli_pin_hash reads a user's PIN from --pin, and hashes it as an app would.
 * is_new   it is typed twice. */
SG_MUST_USE bool sg_cli_pin_hash(const struct sg_cli *cli, const char *user, bool is_new,
                                 uint8_t hash[SG_PIN_HASH_LEN], struct sg_error *error);

/* A key on a token, or a token alone, as an operand names it. */
struct sg_cli_key {
    struct sg_home *home; /* when the operand is an issuer's name */
    struct sg_token *token;
    char *uri;
};
void sg_cli_key_done(struct sg_cli_key *key);
SG_DEFINE_CLEANUP_IN_PLACE(sg_cli_key, sg_cli_key_done)

/* sg_cli_open_key opens the token of an operand: an issuer's name in the home, or a PKCS#11 URI
 * with --profile or --module and --pin. The key itself is not looked for yet. */
SG_MUST_USE bool sg_cli_open_key(const struct sg_cli *cli, const char *operand,
                                 struct sg_cli_key *key, struct sg_error *error);

/* sg_cli_check_no_issuer refuses the key of an issuer in the home that is named, as that signs
 * nothing without a note in the store; without a home there is nothing to look at.
 * Fails: SG_REFUSED. */
SG_MUST_USE bool sg_cli_check_no_issuer(const struct sg_cli *cli, const struct sg_public_key *key,
                                        struct sg_error *error);

/* sg_cli_find_issuer: the entry of signet.yaml; NULL finds the only one.
 * Fails: SG_USAGE, naming those there are. */
SG_MUST_USE bool sg_cli_find_issuer(struct sg_home *home, const char *name,
                                    const struct sg_issuer_entry **entry, struct sg_error *error);

/* A stack of certificates from one file. */
typedef STACK_OF(X509) sg_certificates;
static inline void sg_certificates_free(sg_certificates *certificates)
{
    sk_X509_pop_free(certificates, X509_free);
}
SG_DEFINE_CLEANUP(sg_certificates, sg_certificates_free)

/* sg_cli_read_certificates appends the certificates of a PEM file, or the one of a DER file.
 * Fails: SG_FAILED, SG_MALFORMED, naming the path. */
SG_MUST_USE bool sg_cli_read_certificates(const char *path, sg_certificates *certificates,
                                          struct sg_error *error);

/* sg_cli_find_serial: an operand is a serial number, or a certificate's file: then der is what is
 * in it, and else as it was. Fails: SG_USAGE when it is neither. */
SG_MUST_USE bool sg_cli_find_serial(const char *operand, struct sg_serial *serial,
                                    struct sg_buf *der, struct sg_error *error);

/* sg_cli_certificate_der: the DER of a certificate. */
SG_MUST_USE bool sg_cli_certificate_der(const X509 *certificate, struct sg_buf *der,
                                        struct sg_error *error);

#endif
