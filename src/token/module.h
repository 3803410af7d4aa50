/* module: a PKCS#11 module, loaded and initialised through p11-kit, which counts its users in the
 * process. Private to the room.
 */
#ifndef SG_TOKEN_MODULE_H
#define SG_TOKEN_MODULE_H

#include <p11-kit/p11-kit.h>

#include "profile.h"

/* Zero-initialised is closed. */
struct sg_module {
    CK_FUNCTION_LIST *functions;
    char *path; /* absolute, without links: one module has one path */
    int turn;   /* the file that is locked for a turn; -1 where there is none */
};

/* One user's processes take turns at everything but signing, by a lock on a file of the user's own,
 * "turn-MODULE" among their state: SoftHSM 2.6.1 rewrites a token's file at each login, and who
 * reads it meanwhile sees no token, or one without a PIN. Where no such file can be had (no HOME,
 * or one that is read-only), there are no turns. A turn that does not come within TURN_WAIT_MS is
 * not waited for any longer, so that one process that hangs does not stop all others. */
enum { TURN_WAIT_MS = 20000, TURN_POLL_MS = 2 };
void sg_module_take_turn(const struct sg_module *module);
void sg_module_end_turn(const struct sg_module *module);

/* sg_module_open loads the module of that path or, when path is NULL, the first of the profile's
 * paths that is there. profile is filled either way when profile_name is not NULL. The module has
 * its turn then, until sg_module_end_turn or sg_module_close.
 * Fails: SG_USAGE when neither is named, SG_TOKEN when the module can't be loaded or initialised.
 */
SG_MUST_USE bool sg_module_open(const char *profile_name, const char *path,
                                struct sg_profile *profile, struct sg_module *module,
                                struct sg_error *error);

/* sg_module_slots fills a malloc'd array with the slots that hold a token. */
SG_MUST_USE bool sg_module_slots(const struct sg_module *module, CK_SLOT_ID **slots, size_t *num,
                                 struct sg_error *error);

/* sg_module_restart ends the module and starts it anew, after a failure that nothing else mends. As
 * p11-kit counts users, this does nothing where another one is in the process. */
SG_MUST_USE bool sg_module_restart(const struct sg_module *module, struct sg_error *error);
void sg_module_close(struct sg_module *module);
SG_DEFINE_CLEANUP_IN_PLACE(sg_module, sg_module_close)

#endif
