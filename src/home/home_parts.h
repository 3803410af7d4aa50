/* home_parts: what an open home consists of, for the files of this room. */
#ifndef SG_HOME_HOME_PARTS_H
#define SG_HOME_HOME_PARTS_H

#include "home.h"
#include "responder.h"

struct sg_home {
    char *dir;
    struct sg_config config;
    struct sg_store *store;
    struct sg_token **tokens;         /* as config.tokens; NULL until one is asked for */
    struct sg_tally *tallies;         /* as config.tokens, of whoever opens them */
    struct sg_issuer **issuers;       /* as config.issuers, with their certificates */
    struct sg_issuer **certifying;    /* the same opened SG_ISSUER_TO_CERTIFY */
    struct sg_responder **responders; /* as config.issuers; NULL until one is asked for */
    struct sg_policy **policies;
    size_t num_policies;
    struct sg_mac *pins; /* NULL until it is asked for */
};

/* sg_home_find_issuer: the place of an issuer in config.issuers. NULL: the active one.
 * Fails: SG_USAGE, naming those that are there. */
SG_MUST_USE bool sg_home_find_issuer(const struct sg_home *home, const char *name, size_t *index,
                                     struct sg_error *error);

/* sg_home_borrow_token opens a token of signet.yaml; the home keeps and releases it. */
SG_MUST_USE bool sg_home_borrow_token(struct sg_home *home, const char *name,
                                      struct sg_token **token, struct sg_error *error);

/* sg_home_chain_file: the file for a chain when signet.yaml names none. The caller frees it. */
SG_MUST_USE bool sg_home_chain_file(const struct sg_home *home, const struct sg_issuer_entry *entry,
                                    char **path, struct sg_error *error);

void sg_issuer_free(struct sg_issuer *issuer);

typedef struct sg_issuer sg_issuer;
SG_DEFINE_CLEANUP(sg_issuer, sg_issuer_free)

void sg_responder_free(struct sg_responder *responder);

typedef struct sg_responder sg_responder;
SG_DEFINE_CLEANUP(sg_responder, sg_responder_free)

#endif
