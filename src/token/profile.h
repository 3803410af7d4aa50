/* profile: what is known about one token model, from tokens/<model>/profile.yaml. Private to the
 * room.
 *
 * The folder is looked for in $SIGNET_DATA/tokens, else in the tokens folder of the data directory
 * that Signet was built with; never in the working directory.
 */
#ifndef SG_TOKEN_PROFILE_H
#define SG_TOKEN_PROFILE_H

#include "model/scheme.h"

enum { SG_PROFILE_MODULES = 8, SG_PROFILE_KEYS = 16, SG_PROFILE_IDS = 32 };

/* Who makes keys and writes certificates. */
enum sg_keygen_login { SG_KEYGEN_AS_USER, SG_KEYGEN_AS_SO };

/* Zero-initialised is what holds for a module that was named by its path: no limits known. */
struct sg_profile {
    char *name;
    char *description;
    char *modules[SG_PROFILE_MODULES]; /* where the module may be, tried in order */
    size_t num_modules;
    enum sg_keygen_login keygen_login;
    long max_sessions;                        /* 0: the token says it */
    long max_pin;                             /* bytes; 0: the token says it */
    struct sg_key_kind keys[SG_PROFILE_KEYS]; /* kinds that it was seen to make */
    size_t num_keys;                          /* 0: not known */
    unsigned char ids[SG_PROFILE_IDS];        /* the places for keys, each a CKA_ID of one byte */
    size_t num_ids;   /* 0: ids and labels are free; else the token gives the labels itself */
    unsigned schemes; /* 1 << enum sg_scheme; 0: not known */
};

/* sg_profile_load reads the profile of that name into an empty profile.
 * Fails: SG_USAGE on a name that is no plain word, SG_INVALID on a profile that is not there (with
 * where it was looked for) or is wrong (with line and column). */
SG_MUST_USE bool sg_profile_load(const char *name, struct sg_profile *profile,
                                 struct sg_error *error);

bool sg_profile_has_key(const struct sg_profile *profile, struct sg_key_kind kind);
bool sg_profile_has_id(const struct sg_profile *profile, struct sg_slice id);
bool sg_profile_has_scheme(const struct sg_profile *profile, enum sg_scheme scheme);
void sg_profile_done(struct sg_profile *profile);
SG_DEFINE_CLEANUP_IN_PLACE(sg_profile, sg_profile_done)

#endif
