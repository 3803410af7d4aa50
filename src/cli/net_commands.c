/* In signet-est: all the commands that there are. */
#include "commands.h"

const struct sg_command *const SG_COMMANDS[] = {
    SG_CARD_ENROLL_COMMANDS,
    NULL,
};
