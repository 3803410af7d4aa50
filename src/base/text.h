/* text: what may be text at all. */
#ifndef SG_BASE_TEXT_H
#define SG_BASE_TEXT_H

#include "slice.h"

/* sg_text_check accepts well-formed UTF-8 (no surrogates, no overlong forms) without NUL, line
 * breaks (CR, LF, NEL, LS, PS) or other control characters (C0, DEL, C1).
 * what     begins the message ("subject CN").
 * Fails: code SG_MALFORMED, each reason with its own message. */
SG_MUST_USE bool sg_text_check(struct sg_slice text, const char *what, struct sg_error *error);

/* sg_text_copy is strdup of a slice that sg_text_check accepted. The caller frees it. */
SG_MUST_USE bool sg_text_copy(struct sg_slice text, char **copy, struct sg_error *error);

/* sg_text_make_printable puts '?' in place of every byte that sg_text_check would refuse, so that a
 * hostile value cannot write to a terminal. Other UTF-8 stays. Returns text. */
char *sg_text_make_printable(char *text);

/* sg_text_quote writes text as one word of a shell's command line: as it is when nothing in it
 * means anything to a shell, else in '…'. What does not fit gets '…' alone. Returns into. */
enum { SG_QUOTED_SIZE = 160 };
const char *sg_text_quote(const char *text, char into[SG_QUOTED_SIZE]);

#endif
