/* backup: a whole CA home but its keys and PINs in one file, and a home made of it again.
 *
 * The file (archive.h) holds what signet.yaml needs beside itself: policies and certificates; and
 * the store's rows (store/dump.h), as of one moment, which any kind of store can be made of. Does
 * not: touch a token, or hold a private key or PIN. Thread rule: that of the home.
 */
#ifndef SG_BACKUP_BACKUP_H
#define SG_BACKUP_BACKUP_H

#include "base/file.h"
#include "home/home.h"
#include "store/dump.h"

/* What is in a backup. Texts are owned. */
struct sg_backup_facts {
    char *ca;
    int64_t made;              /* the moment that it is of, or a little before */
    int version;               /* of the store's tables */
    uint8_t id[SG_SHA256_LEN]; /* the SHA-256 of its manifest, and so of all that is in it */
    size_t num_files;          /* of the home */
    int64_t num_certificates, num_revocations, num_unrecorded, num_records, num_tickets;
    /* Files that signet.yaml names, and that are not in it: outside of the home, or with a private
     * key; with commas between them. NULL: none */
    char *left_out;
};
void sg_backup_facts_done(struct sg_backup_facts *facts);
SG_DEFINE_CLEANUP_IN_PLACE(sg_backup_facts, sg_backup_facts_done)

/* sg_backup_write makes the backup of a home while others use it.
 * now      not later than the moment that the store is read at.
 * Fails:   SG_FAILED, SG_STORE; path is as it was then. */
SG_MUST_USE bool sg_backup_write(struct sg_home *home, const char *path,
                                 enum sg_overwrite overwrite, int64_t now,
                                 struct sg_backup_facts *facts, struct sg_error *error);

/* sg_backup_check reads all of a backup, and tells what is in it.
 * Fails: SG_FAILED; SG_INVALID when it is damaged or none. */
SG_MUST_USE bool sg_backup_check(const char *path, struct sg_backup_facts *facts,
                                 struct sg_error *error);

/* So many CRLs an issuer may have made in a second since the backup: each is two durable
 * transactions and a signature; and by so much clocks may disagree. */
enum { SG_RESTORE_CRLS_PER_S = 1000, SG_RESTORE_CLOCK_S = 3600 };

struct sg_restore {
    const char *backup;
    const char *dir;
    const char *const *crls; /* files with CRLs that were published since */
    size_t num_crls;
    const char *old;    /* a home whose store also knows revocations, or NULL */
    int64_t crl_number; /* at least; 0: by the time that has passed */
    int64_t now;
};

struct sg_restored {
    struct sg_backup_facts facts;
    bool store_only;          /* dir was a home already */
    struct sg_load_kept kept; /* revocations from CRLs and the other home */
    struct sg_restored_issuer {
        char *name;
        int64_t next_crl;
    } * issuers;
    size_t num_issuers;
};
void sg_restored_done(struct sg_restored *restored);
SG_DEFINE_CLEANUP_IN_PLACE(sg_restored, sg_restored_done)

/* sg_backup_restore makes a home of a backup; or, where dir is a home whose store is missing, that
 * store, wherever its signet.yaml says. Everything is checked before anything is made, and nobody
 * sees a part of it.
 * Each issuer's CRL numbers go on where none can have been used (RFC 5280 5.2.3: they increase),
 * and what the CRLs and the other home say is revoked is revoked.
 * Fails: SG_USAGE; SG_FAILED; SG_INVALID on a damaged backup; SG_REFUSED on a CRL that is none of
 * the home's issuers'; SG_STORE. There is nothing new then. */
SG_MUST_USE bool sg_backup_restore(const struct sg_restore *restore, struct sg_restored *restored,
                                   struct sg_error *error);

#endif
