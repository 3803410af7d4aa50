/* material: the files that ceremony.yaml names, held as they were when the plan was made.
 *
 * The plan carries them along, so that nothing but the plan has to be at hand, and nothing can be
 * exchanged after it was approved.
 */
#ifndef SG_CEREMONY_MATERIAL_H
#define SG_CEREMONY_MATERIAL_H

#include "file.h"
#include "policy/policy.h"
#include "request/request.h"

struct sg_ceremony_material {
    char *name; /* as ceremony.yaml writes it; "policy:NAME" for a shipped policy */
    struct sg_buf bytes;
};

struct sg_ceremony_materials {
    struct sg_ceremony_material *items;
    size_t num;
};

/* sg_ceremony_materials_gather reads each file once; names are relative to folder, a policy's name
 * without '/' and '.' is one that Signet ships. Fails: SG_INVALID at the place that names it. */
SG_MUST_USE bool sg_ceremony_materials_gather(const struct sg_ceremony_file *file,
                                              const char *folder,
                                              struct sg_ceremony_materials *materials,
                                              struct sg_error *error);
/* sg_ceremony_materials_add appends a copy. Fails: SG_INVALID when the name is there. */
SG_MUST_USE bool sg_ceremony_materials_add(struct sg_ceremony_materials *materials,
                                           const char *name, struct sg_slice bytes,
                                           struct sg_error *error);
void sg_ceremony_materials_done(struct sg_ceremony_materials *materials);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ceremony_materials, sg_ceremony_materials_done)

/* What a material is, decoded. Fails: SG_INVALID when it is not there, and as its reader. */
SG_MUST_USE bool sg_ceremony_policy(const struct sg_ceremony_materials *materials, const char *name,
                                    struct sg_policy **policy, struct sg_error *error);
SG_MUST_USE bool sg_ceremony_x509(const struct sg_ceremony_materials *materials, const char *name,
                                  X509 **certificate, struct sg_error *error);
/* sg_ceremony_request also checks possession and the key's quality. */
SG_MUST_USE bool sg_ceremony_request(const struct sg_ceremony_materials *materials,
                                     const char *name, struct sg_request *request,
                                     struct sg_error *error);
/* sg_ceremony_public_key reads a public key or a certificate, PEM or DER, or a public key as
 * OpenSSH writes it. Fails: SG_INVALID; SG_KEY_QUALITY on a key too weak to sign for anybody. */
SG_MUST_USE bool sg_ceremony_public_key(const struct sg_ceremony_materials *materials,
                                        const char *name, struct sg_public_key *key,
                                        struct sg_error *error);
/* sg_ceremony_read_public_key is the same from bytes. */
SG_MUST_USE bool sg_ceremony_read_public_key(struct sg_slice bytes, const char *name,
                                             struct sg_public_key *key, struct sg_error *error);

#endif
