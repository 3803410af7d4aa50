/* world: what a ceremony knows of keys and certificates so far, and what an act makes of it.
 *
 * The same code makes the to-be-signed bytes three times: for the plan, where keys that will be
 * made are stood in for; in the rehearsal; and in the run.
 * Does not: touch tokens, or sign.
 */
#ifndef SG_CEREMONY_WORLD_H
#define SG_CEREMONY_WORLD_H

#include "material.h"
#include "model/issuer.h"

enum { SG_CEREMONY_DRAWN_LEN = 20 };

struct sg_world_key {
    struct sg_public_key public; /* empty until it is known */
    bool is_stand_in;            /* its bytes are not in the plan */
};

struct sg_world {
    const struct sg_ceremony_file *file;
    const struct sg_ceremony_materials *materials;
    /* One for each act, drawn when the plan was made: the serial number of a certificate, the
     * CKA_ID of a key. */
    const uint8_t (*drawn)[SG_CEREMONY_DRAWN_LEN];
    struct sg_world_key *keys; /* as file->keys */
    X509 **certificates;       /* as file->certificates; NULL until one is there */
};

/* sg_world_init borrows everything. */
SG_MUST_USE bool sg_world_init(struct sg_world *world, const struct sg_ceremony_file *file,
                               const struct sg_ceremony_materials *materials,
                               const uint8_t (*drawn)[SG_CEREMONY_DRAWN_LEN],
                               struct sg_error *error);
void sg_world_done(struct sg_world *world);
SG_DEFINE_CLEANUP_IN_PLACE(sg_world, sg_world_done)

/* sg_world_use_certificate takes the certificate that a use-key act brings, and its key, after
 * checking that it is a CA's. */
SG_MUST_USE bool sg_world_use_certificate(struct sg_world *world, const struct sg_ceremony_act *act,
                                          struct sg_error *error);
/* sg_world_set_key makes a public key known, copying. */
SG_MUST_USE bool sg_world_set_key(struct sg_world *world, size_t key,
                                  const struct sg_public_key *public, struct sg_error *error);
/* sg_world_copy_key makes known that the copy that an act makes, if it does, is the same key. */
SG_MUST_USE bool sg_world_copy_key(struct sg_world *world, const struct sg_ceremony_act *act,
                                   struct sg_error *error);
/* sg_world_stand_in puts a key of the right kind in the place of one that is not made yet. */
SG_MUST_USE bool sg_world_stand_in(struct sg_world *world, size_t key, struct sg_error *error);
/* sg_world_adopt takes what an act made into the world: a certificate others are issued by. */
SG_MUST_USE bool sg_world_adopt(struct sg_world *world, const struct sg_ceremony_act *act,
                                struct sg_slice der, struct sg_error *error);

/* sg_world_signer: the place of the key that signs an act's outputs. */
size_t sg_world_signer(const struct sg_world *world, const struct sg_ceremony_act *act);
/* sg_world_scheme: the scheme that a key signs with. Fails: SG_INVALID when it does not fit. */
SG_MUST_USE bool sg_world_scheme(const struct sg_world *world, size_t key, enum sg_scheme *scheme,
                                 struct sg_error *error);
/* sg_world_facts: the issuer of an act's output as build and lint want it; borrows from world. */
SG_MUST_USE bool sg_world_facts(const struct sg_world *world, const struct sg_ceremony_act *act,
                                struct sg_issuer_facts *facts, struct sg_error *error);

/* sg_world_build makes an act's nth output up to its signature, and lints it.
 * Fails: SG_REFUSED as the policy does, SG_INTERNAL as lint does, SG_INVALID. */
SG_MUST_USE bool sg_world_build(const struct sg_world *world, const struct sg_ceremony_act *act,
                                size_t nth, struct sg_buf *tbs, struct sg_error *error);
/* sg_world_attach makes the signed thing, and lints it once more from its own bytes. */
SG_MUST_USE bool sg_world_attach(const struct sg_world *world, const struct sg_ceremony_act *act,
                                 struct sg_slice tbs, struct sg_slice signature, struct sg_buf *der,
                                 struct sg_error *error);
/* sg_world_signed_part finds the to-be-signed bytes and the signature of a signed thing. */
SG_MUST_USE bool sg_world_signed_part(struct sg_slice der, struct sg_buf *tbs,
                                      struct sg_buf *signature, struct sg_error *error);

/* sg_world_known writes bytes in hex, with ".." for each that depends on a key stood in for. */
SG_MUST_USE bool sg_world_known(const struct sg_world *world, struct sg_slice bytes,
                                struct sg_buf *hex, struct sg_error *error);
/* sg_world_fits: do bytes agree with what sg_world_known wrote? */
bool sg_world_fits(const char *known, struct sg_slice bytes);

#endif
