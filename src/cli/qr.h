/* qr: a few bytes as a QR code on a terminal, for carrying them over without a cable. */
#ifndef SG_CLI_QR_H
#define SG_CLI_QR_H

#include "base/cleanup.h"

/* sg_cli_qr_text appends a QR code of text, two of its rows to a line of half blocks, with its
 * quiet zone around it. Light is drawn and dark is left out, as it is to be read from a dark
 * terminal; with colours it says which is which itself. Fails: SG_USAGE when text is too long for a
 * QR code. */
SG_MUST_USE bool sg_cli_qr_text(const char *text, bool colours, struct sg_buf *drawn,
                                struct sg_error *error);

#endif
