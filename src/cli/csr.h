/* csr: the parts of `signet csr`: whose key signs, what the request says, and asking for a name. */
#ifndef SG_CLI_CSR_H
#define SG_CLI_CSR_H

#include "enroll/csr_file.h"
#include "enroll/csr_policy.h"
#include "enroll/file_key.h"
#include "open.h"

/* csr_key.c */

/* The key that signs: a token's, an old file's or one that is made now. */
struct sg_csr_key {
    struct sg_cli_key place;
    struct sg_signer *token_signer;
    struct sg_file_key *file;
    const char *new_path;   /* where a new key goes; NULL: it is not new */
    const char *passphrase; /* its source; NULL: not encrypted */
    enum sg_kdf kdf;
    struct sg_csr_signer signer;
};
void sg_csr_key_done(struct sg_csr_key *key);
SG_DEFINE_CLEANUP_IN_PLACE(sg_csr_key, sg_csr_key_done)

/* sg_csr_check_key_options refuses options that contradict each other, before any work is done. */
SG_MUST_USE bool sg_csr_check_key_options(const struct sg_cli *cli, struct sg_error *error);
/* sg_csr_open_key opens or makes the key; a new one is in memory alone so far.
 * Fails: SG_REFUSED for the key of an issuer in the home that is named, and for one that a CA's
 * certificate is beside of on the token. */
SG_MUST_USE bool sg_csr_open_key(const struct sg_cli *cli, struct sg_csr_key *key,
                                 struct sg_error *error);
/* sg_csr_keep_key writes a new key into its file; of another key there is nothing to keep. */
SG_MUST_USE bool sg_csr_keep_key(struct sg_csr_key *key, struct sg_error *error);
/* sg_csr_drop_key removes the file that sg_csr_keep_key wrote, if it did. */
void sg_csr_drop_key(const struct sg_csr_key *key);

/* csr_content.c */

/* What the request says, and what that came from. */
struct sg_csr_making {
    struct sg_csr_content content; /* without a policy; its subject also with one */
    struct sg_home *home;
    struct sg_policy *policy; /* NULL: there is none */
    struct sg_record device, user;
    struct sg_plan plan;
    struct sg_csr_wish wish; /* policy NULL: there is none */
    struct sg_csr_spec spec;
};
void sg_csr_making_done(struct sg_csr_making *making);
SG_DEFINE_CLEANUP_IN_PLACE(sg_csr_making, sg_csr_making_done)

/* sg_csr_gather takes everything from options, files and people that needs no key. */
SG_MUST_USE bool sg_csr_gather(const struct sg_cli *cli, struct sg_csr_making *making,
                               struct sg_error *error);
/* sg_csr_settle fills spec, now that the key is known. */
SG_MUST_USE bool sg_csr_settle(const struct sg_cli *cli, const struct sg_public_key *key,
                               struct sg_csr_making *making, struct sg_error *error);

/* csr_policy.c */

/* sg_csr_gather_policy opens --for's policy and finds or takes the records. */
SG_MUST_USE bool sg_csr_gather_policy(const struct sg_cli *cli, struct sg_csr_making *making,
                                      struct sg_error *error);

/* csr_ask.c */

/* sg_csr_ask_subject asks on the terminal for the parts of a name, one after the other; an empty
 * answer skips, a wrong one is told and asked for again.
 * Fails: SG_USAGE at the end of input, or when everything was skipped. */
SG_MUST_USE bool sg_csr_ask_subject(FILE *in, FILE *out, struct sg_name *subject,
                                    struct sg_error *error);

#endif
