/* state: where this user's own state is kept: $XDG_STATE_HOME/signet, else ~/.local/state/signet.
 * Private to the room.
 */
#ifndef SG_TOKEN_STATE_H
#define SG_TOKEN_STATE_H

#include "base/error.h"

/* sg_state_path: the path of a file there; nothing is made. what begins the message ("the record of
 * refused PINs"). The caller frees path.
 * Fails: SG_FAILED when neither the environment's XDG_STATE_HOME nor its HOME is absolute. */
SG_MUST_USE bool sg_state_path(const char *name, const char *what, char **path,
                               struct sg_error *error);

/* sg_state_make_folders makes every folder above path that is not there, for this user alone.
 * Fails: SG_FAILED. */
SG_MUST_USE bool sg_state_make_folders(const char *path, const char *what, struct sg_error *error);

#endif
