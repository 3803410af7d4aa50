/* ustar: the one archive that a list of files makes.
 *
 * POSIX's ustar format, with every field that is not a file's name or length fixed. An archive is
 * read by holding it against the one that its names and bytes make, so nothing can be in it besides
 * them.
 */
#ifndef SG_CEREMONY_USTAR_H
#define SG_CEREMONY_USTAR_H

#include "base/cleanup.h"

/* sg_ustar_append appends one file. name has 100 bytes at most. Fails: SG_INVALID, SG_FAILED. */
SG_MUST_USE bool sg_ustar_append(struct sg_buf *tar, const char *name, struct sg_slice bytes,
                                 struct sg_error *error);
/* sg_ustar_end appends the end, up to a multiple of 20 blocks. */
SG_MUST_USE bool sg_ustar_end(struct sg_buf *tar, struct sg_error *error);

/* Called with each file of an archive; false ends the reading. */
typedef bool sg_ustar_file(void *context, const char *name, struct sg_slice bytes,
                           struct sg_error *error);

/* sg_ustar_read reads a whole archive. Fails: SG_MALFORMED, rule "bundle", and as file does. */
SG_MUST_USE bool sg_ustar_read(struct sg_slice tar, sg_ustar_file *file, void *context,
                               struct sg_error *error);

#endif
