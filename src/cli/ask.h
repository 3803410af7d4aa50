/* ask: questions on a terminal. */
#ifndef SG_CLI_ASK_H
#define SG_CLI_ASK_H

#include <stdio.h>

#include "base/cleanup.h"

/* sg_cli_read_line: one line without its end, from malloc. A zero byte in it becomes another
 * control character, as it would hide what comes behind it. unanswered   what to do when the input
 * ends instead. Fails with NULL: SG_USAGE. */
char *sg_cli_read_line(FILE *in, const char *unanswered, struct sg_error *error);

#endif
