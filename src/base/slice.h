/* slice: borrowed bytes, and buffers that own theirs and never grow past a stated limit.
 *
 * Does not: hold secrets (base/secret.h does).
 * Thread rule: none of its own; a buffer belongs to one thread.
 */
#ifndef SG_BASE_SLICE_H
#define SG_BASE_SLICE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Bytes that somebody else owns. {NULL, 0} is the empty slice. */
struct sg_slice {
    const uint8_t *data;
    size_t len;
};

/* Bytes of its own. Zero-initialised is empty and ready to use. data is always followed by a zero
 * byte that len does not count, so text can be handed to C functions. */
struct sg_buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

struct sg_slice sg_slice_of(const void *data, size_t len);
struct sg_slice sg_slice_text(const char *text);
struct sg_slice sg_buf_slice(const struct sg_buf *buf);
bool sg_slice_equal(struct sg_slice a, struct sg_slice b);

/* sg_buf_append adds len bytes; on failure (memory, or more than limit bytes in all) buf is
 * unchanged. limit is one of base/limits.h. data is not inside buf. Fails: SG_FAILED. */
SG_MUST_USE bool sg_buf_append(struct sg_buf *buf, const void *data, size_t len, size_t limit,
                               struct sg_error *error);
SG_MUST_USE bool sg_buf_printf(struct sg_buf *buf, size_t limit, struct sg_error *error,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));
SG_MUST_USE bool sg_buf_vprintf(struct sg_buf *buf, size_t limit, struct sg_error *error,
                                const char *format, va_list arguments)
    __attribute__((format(printf, 4, 0)));

/* sg_buf_set replaces the contents with a copy of the slice; unchanged on failure. */
SG_MUST_USE bool sg_buf_set(struct sg_buf *buf, struct sg_slice bytes, struct sg_error *error);

/* sg_buf_take hands buf's bytes to its new owner, who frees them with free(); buf is empty then. */
uint8_t *sg_buf_take(struct sg_buf *buf);

void sg_buf_free(struct sg_buf *buf);

#endif
