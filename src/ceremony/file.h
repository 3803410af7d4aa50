/* file: ceremony.yaml, read strictly: who is there, which tokens, and the acts in their order.
 *
 * docs/ceremony.md describes every key. Names are resolved here: an act knows its key, its issuer
 * and its token by their place in the lists below, and uses only what an earlier act gave.
 * Does not: open a token, or read the files that ceremony.yaml names; material.h does.
 * Thread rule: read-only once it is read.
 */
#ifndef SG_CEREMONY_FILE_H
#define SG_CEREMONY_FILE_H

#include "base/clock.h"
#include "base/yaml.h"
#include "model/certificate.h"
#include "model/name.h"
#include "model/scheme.h"
#include "token/token.h"

/* A place in a list that there is not. */
#define SG_CEREMONY_NONE SIZE_MAX

enum sg_ceremony_role { SG_ROLE_ADMINISTRATOR, SG_ROLE_CUSTODIAN, SG_ROLE_WITNESS };
const char *sg_ceremony_role_word(enum sg_ceremony_role role);

struct sg_ceremony_person {
    const char *name;
    enum sg_ceremony_role role;
    const char *key; /* file with the public key that signs the record; NULL: signs nothing */
};

struct sg_ceremony_token {
    const char *name;
    const char *profile, *module; /* exactly one is set */
    const char *uri;
    const char *serial; /* as the token must tell it */
    enum sg_signer_kind signer;
    size_t *holders; /* who types the PIN, one part each; places in persons */
    size_t num_holders;
};

struct sg_ceremony_seal {
    const char *item, *number;
};

enum sg_ceremony_kind {
    SG_ACT_MAKE_KEY,
    SG_ACT_USE_KEY,
    SG_ACT_SELF_SIGNED,
    SG_ACT_CERTIFICATE,
    SG_ACT_CRL,
    SG_ACT_REQUEST,
    SG_ACT_BACKUP,
    SG_ACT_HAND_OVER,
    SG_ACT_CHANGE_PIN,
    SG_ACT_DESTROY,
    SG_NUM_ACT_KINDS,
};
const char *sg_ceremony_kind_word(enum sg_ceremony_kind kind);

/* A key on its token. A copy of one on another token is a key with a name of its own. */
struct sg_ceremony_key {
    const char *name;
    size_t token;
    const char *label;
    struct sg_key_kind kind; /* of a key that is made */
    enum sg_scheme scheme;   /* SG_SCHEME_NONE: the key's default */
    size_t act;              /* that makes it, takes it into use, or copies it */
    size_t copy_of;          /* the key that this is a copy of; SG_CEREMONY_NONE */
    bool is_wrapped;         /* an act wraps it, or it is a copy: it can leave its token */
    size_t end;              /* the act that destroys it; SG_CEREMONY_NONE */
};

/* A certificate that an act makes or, with use-key, brings. */
struct sg_ceremony_certificate {
    const char *name;
    size_t key; /* SG_CEREMONY_NONE: the one of a request */
};

struct sg_ceremony_revocation {
    const char *certificate; /* its file */
    int64_t moment;
    enum sg_reason reason;
};

enum sg_ceremony_backup { SG_BACKUP_NONE, SG_BACKUP_VENDOR_CLONE, SG_BACKUP_WRAP };

/* One act. What its kind does not have is NULL, 0 or SG_CEREMONY_NONE. */
struct sg_ceremony_act {
    enum sg_ceremony_kind kind;
    unsigned line;
    size_t key, token, certificate, issuer;
    size_t copy; /* backup by wrap: the key that the copy is; token is where it goes */
    const char *label, *policy, *request, *output;
    const char *file;               /* use-key: its certificate; certificate: the other CA's */
    const char *request_key_sha256; /* what the request's key must be; NULL: not said */
    struct sg_name subject;
    int64_t from, until; /* until 0: as the policy says */
    int64_t lifetime_s;  /* of a CRL */
    int64_t every_s;     /* from one CRL to the next */
    long count, number, step;
    struct sg_ceremony_revocation *revoked;
    size_t num_revoked;
    const char *crl_url, *ocsp_url, *ca_issuers_url;
    enum sg_ceremony_backup backup;
    size_t *holders; /* change-pin: who types the new one, as of a token */
    size_t num_holders;
    size_t giver, taker; /* hand-over: places in persons */
    const char *what;    /* hand-over: what goes from hand to hand */
};

struct sg_ceremony_file {
    struct sg_yaml *document;
    const char *title, *place;
    int64_t begins;
    long signatures; /* that must approve the plan; 0: its digest is typed */
    struct sg_ceremony_person *persons;
    size_t num_persons;
    struct sg_ceremony_token *tokens;
    size_t num_tokens;
    struct sg_ceremony_seal *seals;
    size_t num_seals;
    struct sg_ceremony_act *acts;
    size_t num_acts;
    struct sg_ceremony_key *keys;
    size_t num_keys;
    struct sg_ceremony_certificate *certificates;
    size_t num_certificates;
};

/* sg_ceremony_file_parse reads text into an empty file. name stands for the path in messages.
 * Fails: SG_INVALID "name:line:column: …". */
SG_MUST_USE bool sg_ceremony_file_parse(const char *name, struct sg_slice text,
                                        struct sg_ceremony_file *file, struct sg_error *error);
void sg_ceremony_file_done(struct sg_ceremony_file *file);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ceremony_file, sg_ceremony_file_done)

/* sg_ceremony_output_name: the file of an act's nth output. Of several CRLs each has its number
 * before the dot: "root-10.crl". Returns into. */
enum { SG_CEREMONY_NAME_SIZE = 96 };
const char *sg_ceremony_output_name(const struct sg_ceremony_act *act, size_t nth,
                                    char into[SG_CEREMONY_NAME_SIZE]);
/* sg_ceremony_num_outputs: how many signed things the act makes. */
size_t sg_ceremony_num_outputs(const struct sg_ceremony_act *act);

/* sg_ceremony_new_key: the key that an act brings, or SG_CEREMONY_NONE. */
size_t sg_ceremony_new_key(const struct sg_ceremony_act *act);

/* sg_ceremony_holders: who types a token's PIN before an act (counted from 0). Returns how many. */
size_t sg_ceremony_holders(const struct sg_ceremony_file *file, size_t token, size_t act,
                           const size_t **holders);

/* sg_ceremony_slug: a person's name as part of a file name: "ada-example". Returns into. */
const char *sg_ceremony_slug(const char *name, char into[SG_CEREMONY_NAME_SIZE]);

/* sg_ceremony_fail_at is sg_yaml_fail at the act's own line. */
bool sg_ceremony_fail_at(const struct sg_ceremony_file *file, const struct sg_ceremony_act *act,
                         const struct sg_error *why, struct sg_error *error);

#endif
