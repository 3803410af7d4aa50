/* who: the name of whoever is at the command line. Signet writes it down, and does not prove it:
 * someone with the home in hand could do anything anyway.
 */
#ifndef SG_CLI_WHO_H
#define SG_CLI_WHO_H

#include "command.h"

#define SG_AS_OPTION                                                                               \
    {                                                                                              \
        "as", 0, "NAME", "your name (default: your login's); with --url KEY on your card"          \
    }

/* sg_cli_who: --as, or the name of the user who runs the program; "operator" when it has none. It
 * lives as long as cli. Fails: SG_USAGE on a name that is empty or no text. */
SG_MUST_USE bool sg_cli_who(const struct sg_cli *cli, const char **name, struct sg_error *error);

#endif
