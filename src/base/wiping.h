/* wiping: memory that is overwritten as it is freed, for libraries that don't know which of theirs
 * holds a secret.
 *
 * Does not: know what lies in memory that is still in use, or on a stack (sg_wipe_stack does).
 * Thread rule: as malloc's.
 */
#ifndef SG_BASE_WIPING_H
#define SG_BASE_WIPING_H

#include <stddef.h>

/* Beside malloc: both take what it gave. */
void *sg_wiping_realloc(void *memory, size_t len);
void sg_wiping_free(void *memory);

/* sg_wipe_what_is_freed has OpenSSL do so from now on, in this whole process, PKCS#11 modules that
 * use it included. Called by main before anything of OpenSSL; later it has no effect. */
void sg_wipe_what_is_freed(void);

#endif
