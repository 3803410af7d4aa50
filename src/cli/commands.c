#include "commands.h"

/* Every noun's rows; the order is that of the overview. */
const struct sg_command *const SG_COMMANDS[] = {
    SG_INIT_COMMANDS,
    SG_ISSUER_COMMANDS,
    SG_TOKEN_COMMANDS,
    SG_KEY_COMMANDS,
    SG_BLOCK_COMMANDS,
    SG_CSR_COMMANDS,
    SG_ISSUE_COMMANDS,
    SG_LIST_COMMANDS,
    SG_REVOKE_COMMANDS,
    SG_CRL_COMMANDS,
    SG_OCSP_COMMANDS,
    SG_SHOW_COMMANDS,
    SG_DEVICE_COMMANDS,
    SG_USER_COMMANDS,
    SG_POLICY_COMMANDS,
    SG_CARD_COMMANDS,
    SG_CEREMONY_COMMANDS,
    NULL,
};
