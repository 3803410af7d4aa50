/* base64: of HTTP bodies, as RFC 8951 3.1 wants them read and clients differ about writing them. */
#ifndef SG_BASE_BASE64_H
#define SG_BASE_BASE64_H

#include "slice.h"

/* sg_base64_decode reads base64 (RFC 4648 4) with white space anywhere in it, or before or after.
 * bytes    replaced on success.
 * Fails:   SG_MALFORMED, rule "RFC 8951 3.1": another character, a length or fill that no encoder
 *          makes, nothing at all. What it needed on the way is wiped. */
SG_MUST_USE bool sg_base64_decode(struct sg_slice text, struct sg_buf *bytes,
                                  struct sg_error *error);

/* sg_base64_encode appends bytes as one line without an end, or as lines of 64 with LF.
 * Fails: SG_FAILED, when text would be longer than limit. */
SG_MUST_USE bool sg_base64_encode(struct sg_slice bytes, bool wrap, size_t limit,
                                  struct sg_buf *text, struct sg_error *error);

#endif
