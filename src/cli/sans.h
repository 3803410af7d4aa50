/* sans: the option --san, which may be repeated. */
#ifndef SG_CLI_SANS_H
#define SG_CLI_SANS_H

#include "command.h"
#include "model/san.h"

/* sg_cli_sans adds every `--san KIND:VALUE`. Fails: SG_USAGE, SG_REFUSED on a value that can't be.
 */
SG_MUST_USE bool sg_cli_sans(const struct sg_cli *cli, struct sg_sans *sans,
                             struct sg_error *error);

#endif
