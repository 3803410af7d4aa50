/* secret: bytes that must not be swapped, dumped, copied or printed.
 *
 * The memory is locked (mlock), kept out of core dumps (MADV_DONTDUMP) and wiped before release.
 * Does not: protect against someone who can read this process's memory.
 * Thread rule: a secret belongs to one thread, or is read-only.
 */
#ifndef SG_BASE_SECRET_H
#define SG_BASE_SECRET_H

#include "cleanup.h"

struct sg_secret; /* opaque, so that no one copies it by assignment */

/* Bytes of one: a number of an RSA-4096 key; PINs are shorter. */
enum { SG_SECRET_MOST = 512 };

/* sg_secret_new makes room for len bytes (at most SG_SECRET_MOST), zeroed.
 * Fails: SG_FAILED when memory can't be had or locked. */
SG_MUST_USE bool sg_secret_new(size_t len, struct sg_secret **secret, struct sg_error *error);

/* sg_secret_read reads all of fd, strips one trailing newline (LF or CR LF), and makes a secret.
 * what     names the source in messages ("pin file /run/pin").
 * Fails: SG_FAILED on a read error; SG_INVALID when empty, longer than SG_LIMIT_PIN, or with a zero
 * byte or a second line in it, as no PIN has those and a wrong one costs a try. */
SG_MUST_USE bool sg_secret_read(int fd, const char *what, struct sg_secret **secret,
                                struct sg_error *error);

/* sg_secret_prompt asks on the terminal (/dev/tty) without echo.
 * A signal that ends or stops the program meanwhile is held back until the echo is on again, then
 * raised; after SIGTSTP and a continuation it asks again.
 * Fails: SG_FAILED when there is no terminal or a signal came, SG_INVALID as sg_secret_read. */
SG_MUST_USE bool sg_secret_prompt(const char *prompt, struct sg_secret **secret,
                                  struct sg_error *error);

/* The bytes, always followed by a zero byte; valid until sg_secret_free. Writable so that a maker
 * can fill them. */
uint8_t *sg_secret_data(struct sg_secret *secret);
size_t sg_secret_len(const struct sg_secret *secret);
/* The same to read, borrowed. */
struct sg_slice sg_secret_slice(const struct sg_secret *secret);
void sg_secret_free(struct sg_secret *secret);

typedef struct sg_secret sg_secret;
SG_DEFINE_CLEANUP(sg_secret, sg_secret_free)

/* sg_wipe_stack overwrites what the calls before this one left below the caller's frame: libraries
 * keep keys there for a while that they work with. */
void sg_wipe_stack(void);

/* sg_forbid_core_dumps: called first by main; failure is not fatal and not reported. */
void sg_forbid_core_dumps(void);

#endif
