/* archive: the file that a backup is in, an entry at a time, in memory that does not grow with it.
 *
 * It is a tar of ordinary files, so that any tar can show and unpack it. Its last entry,
 * manifest.json, has the SHA-256 of each of the others; that of the manifest itself names the
 * backup. Does not: know what the entries are for. Thread rule: one archive belongs to one thread.
 */
#ifndef SG_BACKUP_ARCHIVE_H
#define SG_BACKUP_ARCHIVE_H

#include <jansson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/tar.h"

#define SG_ARCHIVE_MANIFEST "manifest.json"

/* ---- writing ---- */

struct sg_archive_writer {
    const char *path;
    struct sg_draft *draft;
    FILE *file;
    uint64_t len;
    json_t *files; /* of the manifest */
};

/* sg_archive_create begins a file that only its owner may read. path is borrowed.
 * Fails, as all below: SG_FAILED; nothing is left of the file unless it was finished. */
SG_MUST_USE bool sg_archive_create(const char *path, enum sg_overwrite overwrite,
                                   struct sg_archive_writer *writer, struct sg_error *error);
/* sg_archive_add. name: SG_TAR_NAME bytes at most. */
SG_MUST_USE bool sg_archive_add(struct sg_archive_writer *writer, const char *name,
                                struct sg_slice bytes, struct sg_error *error);
/* sg_archive_finish adds the manifest, about with the list of files, and puts the file in place,
 * durably. about is the caller's still. */
SG_MUST_USE bool sg_archive_finish(struct sg_archive_writer *writer, json_t *about,
                                   uint8_t id[SG_SHA256_LEN], struct sg_error *error);
void sg_archive_writer_done(struct sg_archive_writer *writer);
SG_DEFINE_CLEANUP_IN_PLACE(sg_archive_writer, sg_archive_writer_done)

/* ---- reading ---- */

struct sg_archive {
    const char *path;
    FILE *file;
    uint64_t at;
    json_t *manifest;          /* when all of it was checked */
    size_t num;                /* entries that were read since */
    uint8_t id[SG_SHA256_LEN]; /* of the manifest */
};

/* sg_archive_open reads all of path, once, and holds every entry against the manifest.
 * Fails: SG_FAILED when it can't be read; SG_INVALID when it is no backup, is cut off or damaged.
 */
SG_MUST_USE bool sg_archive_open(const char *path, struct sg_archive *archive,
                                 struct sg_error *error);
void sg_archive_close(struct sg_archive *archive);
SG_DEFINE_CLEANUP_IN_PLACE(sg_archive, sg_archive_close)

/* sg_archive_rewind goes before the first entry; sg_archive_next reads the next one, and checks it
 * once more. *name is borrowed from the manifest, NULL at the end. */
SG_MUST_USE bool sg_archive_rewind(struct sg_archive *archive, struct sg_error *error);
SG_MUST_USE bool sg_archive_next(struct sg_archive *archive, const char **name,
                                 struct sg_buf *bytes, struct sg_error *error);

#endif
