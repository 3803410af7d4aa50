/* token: PKCS#11 modules, tokens, keys and signing. The only room that knows pkcs11.h or an engine.
 *
 * A token is opened by an RFC 7512 URI that must match exactly one token of one module; a key is
 * found by a URI that must match exactly one key. The module is loaded through p11-kit, so that
 * several users of it in one process share its initialisation.
 * Does not: decide what may be signed (issue/ and status/ do), or retry a PIN, ever.
 * Thread rule: a token may be shared; signers are thread-safe unless signer.h says otherwise.
 * Nothing here may be called before a fork that goes on to use PKCS#11 in the child.
 */
#ifndef SG_TOKEN_TOKEN_H
#define SG_TOKEN_TOKEN_H

#include "model/key.h"
#include "pin.h"
#include "tally.h"

/* How signatures are made; docs/operations.md says which to choose. */
enum sg_signer_kind {
    SG_SIGNER_DEFAULT, /* the engine where this build has it, otherwise direct */
    SG_SIGNER_ENGINE,  /* through OpenSSL's pkcs11 engine */
    SG_SIGNER_DIRECT,  /* by PKCS#11 itself, on a pool of sessions */
};

enum { SG_DEFAULT_SESSIONS = 8 };

/* How a token is reached. Texts are borrowed and must outlive the call only. */
struct sg_token_config {
    const char *profile;  /* a folder in tokens/, "softhsm"; NULL when module is given */
    const char *module;   /* path of a PKCS#11 module; NULL: the profile's */
    const char *uri;      /* "pkcs11:token=example-issuing"; of a key's URI the token part counts */
    const char *pin;      /* PIN source, see pin.h; NULL: the token can only be looked at */
    const char *so_pin;   /* the security officer's, for models that want it; NULL: none */
    const char *folder;   /* relative PIN files are looked for here; NULL: the working directory */
    const char *refusals; /* file that remembers refused PINs; NULL: sg_pin_refusals_default() */
    enum sg_signer_kind signer;
    unsigned sessions;      /* at most so many sign at once (direct); 0: SG_DEFAULT_SESSIONS */
    struct sg_tally *tally; /* counts sessions and errors, and outlives the token; NULL: nobody */
};

struct sg_token;

/* sg_token_open loads the module, finds the token and opens a session without logging in.
 * Fails: SG_TOKEN (module can't be loaded, no token or more than one matches, with the tokens that
 * are there), SG_USAGE (not a PKCS#11 URI, or one that carries a pin-value or pin-source). */
SG_MUST_USE bool sg_token_open(const struct sg_token_config *config, struct sg_token **token,
                               struct sg_error *error);

/* sg_token_login logs in as the user, once; nothing happens when that was done before.
 * Fails: SG_PIN (no PIN source; refused now, or remembered as refused; locked; the token reports
 * its final try), SG_TOKEN otherwise. A refused PIN is remembered before this returns. */
SG_MUST_USE bool sg_token_login(struct sg_token *token, struct sg_error *error);

/* sg_token_login_with is the same with a PIN that the caller has in hand, from several people for
 * example; it is handled as one from a source is. The token was opened with `refusals`. */
SG_MUST_USE bool sg_token_login_with(struct sg_token *token, struct sg_secret *pin,
                                     struct sg_error *error);

/* sg_token_has_pad: does the token have a pad of its own, on which its PIN is typed?
 * sg_token_login_on_pad is sg_token_login with the PIN that somebody types there while it waits.
 * Such a PIN is not known here, so a refused one is not remembered. Fails: SG_PIN too when the
 * token has no pad, or nobody typed. */
bool sg_token_has_pad(const struct sg_token *token);
SG_MUST_USE bool sg_token_login_on_pad(struct sg_token *token, struct sg_error *error);

/* sg_token_change_pin changes the user's PIN. Logged in, and not write-protected. Both PINs may be
 * NULL on a token with a pad: they are typed there.
 * Fails: SG_PIN when the old one is refused, which is remembered, or the new one has a length that
 * the token can't have; SG_TOKEN. The PIN is the old one then. */
SG_MUST_USE bool sg_token_change_pin(struct sg_token *token, struct sg_secret *old_pin,
                                     struct sg_secret *new_pin, struct sg_error *error);

const char *sg_token_label(const struct sg_token *token);
const char *sg_token_serial_number(const struct sg_token *token);
const char *sg_token_model(const struct sg_token *token);
const char *sg_token_module_path(const struct sg_token *token); /* absolute, without links */
void sg_token_close(struct sg_token *token);

typedef struct sg_token sg_token;
SG_DEFINE_CLEANUP(sg_token, sg_token_close)

/* What `signet token list` shows. */
struct sg_token_info {
    char label[33], manufacturer[33], model[17], serial_number[17]; /* trimmed of padding */
    unsigned long slot;
    bool initialized, login_required, pin_initialized, pin_count_low, pin_final_try, pin_locked;
    bool write_protected, protected_pin_path;
};

/* sg_token_list fills a malloc'd array with every token present on the module. */
SG_MUST_USE bool sg_token_list(const char *profile, const char *module,
                               struct sg_token_info **tokens, size_t *num, struct sg_error *error);

/* sg_token_init initialises an empty slot: label, SO PIN, user PIN. Refuses when a token of that
 * label is there already. */
SG_MUST_USE bool sg_token_init(const char *profile, const char *module, const char *label,
                               struct sg_secret *so_pin, struct sg_secret *user_pin,
                               struct sg_token_info *info, struct sg_error *error);

/* What a key on the token is, as read back from it. Private and public half share CKA_ID. */
struct sg_key {
    char *label;
    struct sg_buf id;
    struct sg_public_key public; /* empty when the token does not tell it */
    bool has_private, has_public;
    bool local, sensitive, always_sensitive, extractable, never_extractable;
    bool sign, decrypt, unwrap, derive, modifiable, always_authenticate;
    bool has_certificate;
};
void sg_key_done(struct sg_key *key);

/* sg_key_uri_parts: the label (object=) and the id (id=) of a key's URI, for `key create`; empty
 * when absent. The caller frees both. Fails: SG_USAGE when it is no PKCS#11 URI. */
SG_MUST_USE bool sg_key_uri_parts(const char *uri, char **label, struct sg_buf *id,
                                  struct sg_error *error);
SG_DEFINE_CLEANUP_IN_PLACE(sg_key, sg_key_done)

/* sg_token_has_engine: this build can sign through OpenSSL's pkcs11 engine. */
bool sg_token_has_engine(void);

/* sg_signer_settle: the signer that is meant, never SG_SIGNER_DEFAULT. */
enum sg_signer_kind sg_signer_settle(enum sg_signer_kind kind);

/* sg_key_create makes a key pair on the token, every attribute stated and read back. Logs in.
 * label    CKA_LABEL; no private key of that label may exist. On a model with fixed ids it does not
 *          count, as the token gives its own.
 * id       CKA_ID, at most 100 bytes; an empty slice draws 20 random ones. (The RFC 5280 key
 *          identifier is known only after the key is made, and then nothing may be modified.) On
 *          a model with fixed ids it has to be one of them.
 * Fails: SG_USAGE on a bad label and on a kind that the token's signer or the
 * profile's model can't do;
 * SG_TOKEN, also when an attribute does not read back as stated: the key is destroyed then. */
SG_MUST_USE bool sg_key_create(struct sg_token *token, struct sg_key_kind kind, const char *label,
                               struct sg_slice id, struct sg_key *key, struct sg_error *error);

/* sg_key_create_wrappable is the same of a key that sg_key_copy can take to another token. It is
 * EXTRACTABLE, and so never NEVER_EXTRACTABLE: whoever can log in can have it wrapped out. */
SG_MUST_USE bool sg_key_create_wrappable(struct sg_token *token, struct sg_key_kind kind,
                                         const char *label, struct sg_slice id, struct sg_key *key,
                                         struct sg_error *error);

/* sg_key_create_decrypting is the same of a key that also opens what is encrypted to it: by RSA
 * (CKA_DECRYPT), or by agreeing on a secret (EC: CKA_DERIVE). It signs too, as it has to for its
 * own request. */
SG_MUST_USE bool sg_key_create_decrypting(struct sg_token *token, struct sg_key_kind kind,
                                          const char *label, struct sg_slice id, struct sg_key *key,
                                          struct sg_error *error);

/* sg_key_put puts an RSA or EC key that was made elsewhere on the token: sensitive, not
 * extractable, for signing alone, and reads it back. Logs in. id       CKA_ID; empty: by the public
 * half (RFC 5280 4.2.1.2). Fails: SG_USAGE on models that take no key from outside; SG_REFUSED on
 * other kinds of key; SG_TOKEN, also when label or id is taken, and when it does not read back as
 * stated: then nothing new is on the token. */
SG_MUST_USE bool sg_key_put(struct sg_token *token, const EVP_PKEY *pkey, const char *label,
                            struct sg_slice id, struct sg_key *key, struct sg_error *error);

/* sg_key_copy brings a copy of a key from its token to another one, under the same label, and both
 * its halves. On the way it is wrapped by an AES key, which is wrapped for an RSA key pair that the
 * other token makes for this once; nobody outside of the two tokens can read either.
 * id       CKA_ID of the copy, not empty. What an interrupted copy left under it is taken away.
 * copy     as the other token tells it: not LOCAL, and what it may do again is be wrapped.
 * Fails: SG_USAGE (both are one token; a model with places for keys), SG_TOKEN (not EXTRACTABLE;
 * the label is taken; a token has no CKM_AES_KEY_WRAP_PAD or CKM_RSA_PKCS_OAEP). Nothing new is on
 * either token then.
 * Does not: try whether the copy signs. */
SG_MUST_USE bool sg_key_copy(struct sg_token *from, const struct sg_key *key, struct sg_token *to,
                             struct sg_slice id, struct sg_key *copy, struct sg_error *error);

/* sg_key_make_to_give makes a key pair for somebody who can't: as session objects that are gone
 * when this returns, and whose private half the token gives away. Logs in.
 * kind     on P-256, P-384 or P-521, or of RSA with 2048 to SG_GIVEN_RSA_BITS bits: longer ones
 *          would keep the token for minutes.
 * pkey     both halves, in memory; the caller frees it.
 * Fails: SG_USAGE on other kinds; SG_PIN; SG_TOKEN, also on models that give no private key away.
 */
enum { SG_GIVEN_RSA_BITS = 4096 };
SG_MUST_USE bool sg_key_make_to_give(struct sg_token *token, struct sg_key_kind kind,
                                     EVP_PKEY **pkey, struct sg_error *error);

/* sg_key_find finds the one private key that uri names (object, id; token attributes are ignored
 * when they agree with the token's). Logs in.
 * Fails: SG_TOKEN when none or more than one matches, listing what is there. */
SG_MUST_USE bool sg_key_find(struct sg_token *token, const char *uri, struct sg_key *key,
                             struct sg_error *error);

/* sg_key_look is the same where a key may be missing: then is_there is false, and key as it was.
 * Fails: SG_TOKEN when more than one matches. */
SG_MUST_USE bool sg_key_look(struct sg_token *token, const char *uri, bool *is_there,
                             struct sg_key *key, struct sg_error *error);

/* sg_key_destroy destroys both halves of a key that sg_key_find found, and looks that the private
 * one is gone. A certificate beside it stays. Close its signers before. Logs in. Fails: SG_TOKEN,
 * also when several objects have its id: then nothing is destroyed. */
SG_MUST_USE bool sg_key_destroy(struct sg_token *token, const struct sg_key *key,
                                struct sg_error *error);

/* sg_key_list fills a malloc'd array, each to be released with sg_key_done. Logs in when a PIN
 * source is set, otherwise lists what the token shows without. */
SG_MUST_USE bool sg_key_list(struct sg_token *token, struct sg_key **keys, size_t *num,
                             struct sg_error *error);

/* sg_token_put_certificate stores a certificate beside its key (same CKA_ID and label), reads it
 * back and compares. One that is there for this key is replaced only with replace set.
 * Fails: SG_REFUSED when the certificate's key is not the token's; SG_FAILED when one is there. */
SG_MUST_USE bool sg_token_put_certificate(struct sg_token *token, const struct sg_key *key,
                                          struct sg_slice certificate, bool replace,
                                          struct sg_error *error);

/* sg_token_get_certificate reads the certificate that is beside the key.
 * Fails: SG_TOKEN when there is none. */
SG_MUST_USE bool sg_token_get_certificate(struct sg_token *token, const struct sg_key *key,
                                          struct sg_buf *certificate, struct sg_error *error);

#endif
