/* asn1_text: the character strings of ASN.1 as text, and which text each of them can carry. Used
 * inside this room by names and alternative names.
 */
#ifndef SG_MODEL_ASN1_TEXT_H
#define SG_MODEL_ASN1_TEXT_H

#include "base/cleanup.h"

/* sg_asn1_decode reads a DirectoryString or IA5String. what begins messages ("subject CN").
 * The caller frees text.
 * Fails: SG_MALFORMED on another type, an empty value, one above SG_LIMIT_VALUE, characters that
 * the type does not have, or what sg_text_check refuses. */
SG_MUST_USE bool sg_asn1_decode(const ASN1_STRING *string, const char *what, char **text,
                                struct sg_error *error);
/* sg_asn1_fits: whether a string type (V_ASN1_…) has every character of the text. */
bool sg_asn1_fits(int type, struct sg_slice text);
/* sg_asn1_word: "PrintableString". */
const char *sg_asn1_word(int type);
/* sg_asn1_characters counts the characters of UTF-8 that sg_text_check accepted. */
size_t sg_asn1_characters(const char *text);

#endif
