/* revoke: what the files of `signet revoke` share. */
#ifndef SG_CLI_REVOKE_H
#define SG_CLI_REVOKE_H

#include "command.h"
#include "model/certificate.h"

/* sg_cli_revoke_devices revokes every certificate of each device that a file names, one a line. The
 * file is read and checked as a whole before anything is revoked. Devices without a certificate are
 * named on standard error, and do not keep the others from being served.
 * Fails: SG_INVALID with the line; SG_REFUSED when there were such devices. */
SG_MUST_USE bool sg_cli_revoke_devices(struct sg_cli *cli, const char *path, enum sg_reason reason,
                                       struct sg_error *error);

#endif
