/* san_other: alternative names that are otherNames (RFC 5280 4.2.1.6), as text and back. Used
 * inside this room by san.c; san.h tells the forms of the texts.
 */
#ifndef SG_MODEL_SAN_OTHER_H
#define SG_MODEL_SAN_OTHER_H

#include "san.h"

/* sg_san_other_problem: what is wrong with the form of a value of one of the four kinds, or NULL.
 * Everything else about the text is checked by the caller. */
const char *sg_san_other_problem(enum sg_san_kind kind, const char *value);
/* sg_san_other_set makes name an otherName of a value without problems. False for want of memory,
 * and when the value has one. */
SG_MUST_USE bool sg_san_other_set(GENERAL_NAME *name, enum sg_san_kind kind, const char *value);
/* sg_san_other_read tells kind and text of an otherName. What has not the form of its type-id is
 * SG_SAN_OTHER_NAME, but for a UPN. Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_san_other_read(const OTHERNAME *other, enum sg_san_kind *kind,
                                   struct sg_buf *text, struct sg_error *error);

/* sg_san_other_canonical writes the one text for a value without problems of SG_SAN_OTHER_NAME:
 * der:0c0178 is utf8:x. */
SG_MUST_USE bool sg_san_other_canonical(const char *value, struct sg_buf *text,
                                        struct sg_error *error);

#endif
