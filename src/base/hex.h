/* hex: bytes as text, lower case, and back; SHA-256 of a slice. */
#ifndef SG_BASE_HEX_H
#define SG_BASE_HEX_H

#include "slice.h"

enum { SG_SHA256_LEN = 32, SG_SHA256_HEX_SIZE = 65 };

/* sg_hex writes 2 × bytes.len characters and a zero byte. Returns into. */
char *sg_hex(struct sg_slice bytes, char *into, size_t size);

/* sg_hex_parse reads pairs of digits of either case, with or without ':' between bytes.
 * Fails: SG_INVALID on anything else or more than max bytes. */
SG_MUST_USE bool sg_hex_parse(const char *text, uint8_t *bytes, size_t max, size_t *len,
                              struct sg_error *error);

/* sg_sha256 can't fail short of a broken OpenSSL, which aborts. */
void sg_sha256(struct sg_slice bytes, uint8_t digest[SG_SHA256_LEN]);

#endif
