/* file: whole files in, whole files out.
 *
 * An output is written under a temporary name in the same folder, synced, and put in place in one
 * step; nobody ever sees half of it. Thread rule: none.
 */
#ifndef SG_BASE_FILE_H
#define SG_BASE_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "cleanup.h"
#include "slice.h"

/* sg_file_read reads all of path ("-" is standard input).
 * Fails: SG_FAILED when it can't be read, SG_MALFORMED when it is larger than limit bytes. */
SG_MUST_USE bool sg_file_read(const char *path, size_t limit, struct sg_buf *into,
                              struct sg_error *error);

enum sg_overwrite { SG_KEEP_EXISTING, SG_REPLACE_EXISTING };

/* sg_file_write puts a whole file in place, durably (file and folder are synced).
 * mode     permission bits, as for open(2).
 * Fails: SG_FAILED: with SG_KEEP_EXISTING also when path exists ("… exists; --force replaces it"),
 * decided by link(2), so two writers can't both win; with SG_REPLACE_EXISTING also when path is
 * something else than a regular file. SG_USAGE when path names no file. The folder is as it was
 * then, except that a file which was replaced stays so when only the folder can't be synced. */
SG_MUST_USE bool sg_file_write(const char *path, struct sg_slice bytes, mode_t mode,
                               enum sg_overwrite overwrite, struct sg_error *error);

/* sg_file_check_target fails as sg_file_write would, before any work is done for the file. */
SG_MUST_USE bool sg_file_check_target(const char *path, enum sg_overwrite overwrite,
                                      struct sg_error *error);

/* A file on its way, for what is too long to be held in memory: written by its descriptor or
 * stream, and put in place in one step. */
struct sg_draft;

/* sg_draft_open begins a file as sg_file_write would, and fails as that would. path is borrowed. */
SG_MUST_USE bool sg_draft_open(const char *path, mode_t mode, enum sg_overwrite overwrite,
                               struct sg_draft **draft, struct sg_error *error);
int sg_draft_fd(const struct sg_draft *draft);
/* sg_draft_file opens a stream to write it by; the caller closes that. Fails: SG_FAILED. */
SG_MUST_USE bool sg_draft_file(const struct sg_draft *draft, FILE **file, struct sg_error *error);
/* sg_draft_place puts what is written in place, durably, as sg_file_write does. */
SG_MUST_USE bool sg_draft_place(struct sg_draft *draft, struct sg_error *error);
/* sg_draft_free; a draft that was not placed leaves nothing. */
void sg_draft_free(struct sg_draft *draft);

typedef struct sg_draft sg_draft;
SG_DEFINE_CLEANUP(sg_draft, sg_draft_free)

/* sg_folder_sync makes durable what was put into an open folder, renamed or taken away there.
 * Returns false with errno. Some file systems can't sync a folder, and say so: that is no failure,
 * as there is nothing else that could be done. */
SG_MUST_USE bool sg_folder_sync(int folder);
/* sg_folder_sync_of does so for the folder that path is in. */
SG_MUST_USE bool sg_folder_sync_of(const char *path);

/* sg_path_join: "folder/name", or name alone when it is absolute. The caller frees it. */
SG_MUST_USE bool sg_path_join(const char *folder, const char *name, char **path,
                              struct sg_error *error);

#endif
