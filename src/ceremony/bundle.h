/* bundle: a ceremony's files as one tar archive, and the list of their digests that is signed.
 *
 * MANIFEST has a line for every file but itself and the signatures, "digest  name", as sha256sum
 * writes it, in the order of the names. signatures/PERSON is a signature over MANIFEST.
 */
#ifndef SG_CEREMONY_BUNDLE_H
#define SG_CEREMONY_BUNDLE_H

#include "material.h"

#define SG_CEREMONY_MANIFEST   "MANIFEST"
#define SG_CEREMONY_SIGNATURES "signatures/"

/* The files of a ceremony by their names, in a folder or an archive. */
struct sg_ceremony_bundle {
    struct sg_ceremony_materials files;
};

/* sg_ceremony_bundle_read_folder takes what belongs to the record out of a ceremony's folder:
 * plan.json, transcript.jsonl, script.md, out/, and, if there, MANIFEST and signatures/. */
SG_MUST_USE bool sg_ceremony_bundle_read_folder(const char *folder,
                                                struct sg_ceremony_bundle *bundle,
                                                struct sg_error *error);
/* sg_ceremony_bundle_read_tar reads an archive that sg_ceremony_bundle_write_tar could have written
 * (ustar.h). Fails: SG_MALFORMED on any other. */
SG_MUST_USE bool sg_ceremony_bundle_read_tar(const char *path, struct sg_ceremony_bundle *bundle,
                                             struct sg_error *error);
/* sg_ceremony_bundle_write_tar makes an archive that depends on the files alone. */
SG_MUST_USE bool sg_ceremony_bundle_write_tar(const struct sg_ceremony_bundle *bundle,
                                              const char *path, struct sg_error *error);

/* sg_ceremony_bundle_find: a file's bytes. Fails: SG_INVALID when it is not there. */
SG_MUST_USE bool sg_ceremony_bundle_find(const struct sg_ceremony_bundle *bundle, const char *name,
                                         struct sg_slice *bytes, struct sg_error *error);
/* sg_ceremony_manifest writes what MANIFEST has to say. */
SG_MUST_USE bool sg_ceremony_manifest(const struct sg_ceremony_bundle *bundle, struct sg_buf *text,
                                      struct sg_error *error);

void sg_ceremony_bundle_done(struct sg_ceremony_bundle *bundle);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ceremony_bundle, sg_ceremony_bundle_done)

#endif
