/* In signet-est: the commands that go to the network, or may. */
#include "commands.h"

const struct sg_command *const SG_COMMANDS[] = {
    SG_CARD_ENROLL_COMMANDS,
    SG_LIST_COMMANDS,
    SG_REVOKE_COMMANDS,
    SG_DEVICE_COMMANDS,
    SG_USER_COMMANDS,
    SG_PIN_COMMANDS,
    SG_TICKET_COMMANDS,
    SG_REQUEST_COMMANDS,
    SG_CARD_LOST_COMMANDS,
    SG_ISSUE_COMMANDS,
    NULL,
};
