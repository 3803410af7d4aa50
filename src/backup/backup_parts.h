/* backup_parts: what writing and restoring share. Private to the room. */
#ifndef SG_BACKUP_PARTS_H
#define SG_BACKUP_PARTS_H

#include "archive.h"
#include "backup.h"

#define SG_BACKUP_HOME  "home/"  /* a file of the home, behind it its path there */
#define SG_BACKUP_STORE "store/" /* rows: store/TABLE.NUMBER */

enum { SG_BACKUP_FORMAT = 1 };

/* sg_backup_read_facts tells what a checked archive's manifest says. Fails: SG_INVALID. */
SG_MUST_USE bool sg_backup_read_facts(const struct sg_archive *archive,
                                      struct sg_backup_facts *facts, struct sg_error *error);

/* sg_backup_add_home adds signet.yaml and what it needs. */
SG_MUST_USE bool sg_backup_add_home(const char *dir, const struct sg_config *config,
                                    struct sg_archive_writer *writer, struct sg_backup_facts *facts,
                                    struct sg_error *error);

/* sg_backup_place_of finds the file of a store that a home in folder has: an absolute path without
 * links and "..", malloc'd; NULL for a database. is_inside: is it below folder?
 * Fails: SG_FAILED when the folder that it is in is not there. */
SG_MUST_USE bool sg_backup_place_of(const char *folder, const char *location, char **file,
                                    bool *is_inside, struct sg_error *error);

/* sg_backup_make_way makes the folders of a store that is below folder. */
SG_MUST_USE bool sg_backup_make_way(const char *folder, const char *location,
                                    struct sg_error *error);

/* sg_backup_place_file writes one of these into a folder. path: behind SG_BACKUP_HOME.
 * Fails: SG_INVALID on a path that leads elsewhere; SG_FAILED. */
SG_MUST_USE bool sg_backup_place_file(const char *folder, const char *path, struct sg_slice bytes,
                                      struct sg_error *error);

/* A CRL that was published, and whose issuer's key signed it. */
struct sg_known_crl {
    X509_CRL *crl;
    struct sg_buf der, to_be_signed;
    const char *issuer; /* its name in the configuration */
    uint8_t spki_sha256[SG_SHA256_LEN];
    uint64_t number;
    int64_t this_update, next_update;
};
void sg_known_crl_done(struct sg_known_crl *crl);
SG_DEFINE_CLEANUP_IN_PLACE(sg_known_crl, sg_known_crl_done)

/* sg_known_crl_read reads a CRL and finds its issuer among those of a home.
 * Fails: SG_FAILED, SG_MALFORMED, SG_REFUSED; naming path. */
SG_MUST_USE bool sg_known_crl_read(const char *path, const char *folder,
                                   const struct sg_config *config, struct sg_known_crl *crl,
                                   struct sg_error *error);
/* sg_known_crl_keep takes all that it says into a store that is loaded. */
SG_MUST_USE bool sg_known_crl_keep(const struct sg_known_crl *crl, struct sg_store *store,
                                   struct sg_load_kept *kept, struct sg_error *error);

#endif
