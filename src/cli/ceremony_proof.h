/* ceremony_proof: the commands that come after a ceremony: sign, bundle and prove. */
#ifndef SG_CLI_CEREMONY_PROOF_H
#define SG_CLI_CEREMONY_PROOF_H

#include "ceremony/prove.h"
#include "command.h"

extern const struct sg_option SG_CEREMONY_SIGN_OPTIONS[], SG_CEREMONY_BUNDLE_OPTIONS[],
    SG_CEREMONY_PROVE_OPTIONS[];
extern const char SG_CEREMONY_SIGN_DETAILS[];

bool sg_cli_ceremony_sign(struct sg_cli *cli, struct sg_error *error);
bool sg_cli_ceremony_bundle(struct sg_cli *cli, struct sg_error *error);
bool sg_cli_ceremony_prove(struct sg_cli *cli, struct sg_error *error);

/* sg_cli_ceremony_report prints a check that passed, for struct sg_ceremony_proving. */
bool sg_cli_ceremony_report(void *context, const char *check, const char *what,
                            struct sg_error *error);

/* sg_cli_ceremony_check_absent fails when a file is there, before any work is done for it; what a
 * ceremony writes replaces nothing. NULL passes. */
SG_MUST_USE bool sg_cli_ceremony_check_absent(const char *path, struct sg_error *error);

#endif
