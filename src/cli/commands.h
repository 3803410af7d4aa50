/* commands: the rows of each noun, each array ended by a row without words. */
#ifndef SG_CLI_COMMANDS_H
#define SG_CLI_COMMANDS_H

#include "command.h"

extern const struct sg_command SG_INIT_COMMANDS[];        /* init.c */
extern const struct sg_command SG_ISSUER_COMMANDS[];      /* issuer.c */
extern const struct sg_command SG_TOKEN_COMMANDS[];       /* token.c */
extern const struct sg_command SG_KEY_COMMANDS[];         /* key.c */
extern const struct sg_command SG_BLOCK_COMMANDS[];       /* block.c: key block … */
extern const struct sg_command SG_CSR_COMMANDS[];         /* csr.c */
extern const struct sg_command SG_ISSUE_COMMANDS[];       /* issue.c: issue, check */
extern const struct sg_command SG_LIST_COMMANDS[];        /* list.c */
extern const struct sg_command SG_REVOKE_COMMANDS[];      /* revoke.c: revoke, release */
extern const struct sg_command SG_CRL_COMMANDS[];         /* crl.c */
extern const struct sg_command SG_OCSP_COMMANDS[];        /* ocsp.c */
extern const struct sg_command SG_SHOW_COMMANDS[];        /* show.c */
extern const struct sg_command SG_DEVICE_COMMANDS[];      /* registry.c */
extern const struct sg_command SG_USER_COMMANDS[];        /* registry.c */
extern const struct sg_command SG_PIN_COMMANDS[];         /* pin.c: user pin */
extern const struct sg_command SG_TICKET_COMMANDS[];      /* ticket.c */
extern const struct sg_command SG_REQUEST_COMMANDS[];     /* request.c */
extern const struct sg_command SG_POLICY_COMMANDS[];      /* policy.c */
extern const struct sg_command SG_LINE_COMMANDS[];        /* line.c */
extern const struct sg_command SG_PROVISION_COMMANDS[];   /* provision.c */
extern const struct sg_command SG_CARD_COMMANDS[];        /* card.c */
extern const struct sg_command SG_CARD_LOST_COMMANDS[];   /* card_lost.c */
extern const struct sg_command SG_CARD_ENROLL_COMMANDS[]; /* card_enroll.c */
extern const struct sg_command SG_CEREMONY_COMMANDS[];    /* ceremony.c */
extern const struct sg_command SG_STORE_COMMANDS[];       /* store.c */
extern const struct sg_command SG_BACKUP_COMMANDS[];      /* backup.c: backup, restore */

#endif
