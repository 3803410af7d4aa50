/* net: the commands that go to the network. Their rows are in `signet` and in signet-est; what they
 * do is in signet-est alone, so that `signet` links no network library: net_away.c has it start
 * that program with the same arguments.
 */
#ifndef SG_CLI_NET_H
#define SG_CLI_NET_H

#include "command.h"

/* A command that was given with --url; net_desk.c does it. */
SG_MUST_USE bool sg_cli_desk(struct sg_cli *cli, struct sg_error *error);

/* card enroll; card_enroll_run.c does it. */
SG_MUST_USE bool sg_cli_card_enroll(struct sg_cli *cli, struct sg_error *error);

#endif
