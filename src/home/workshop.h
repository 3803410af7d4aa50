/* workshop: a home in the making, in a folder beside the one that it is to become: who looks sees a
 * whole home or none.
 *
 * Thread rule: none.
 */
#ifndef SG_HOME_WORKSHOP_H
#define SG_HOME_WORKSHOP_H

#include "base/cleanup.h"

struct sg_workshop {
    char *target; /* DIR, without slashes at its end */
    char *parent;
    char *folder; /* where the home is made; NULL once it has moved in */
};

/* sg_workshop_open makes an empty folder. dir may be there if it is empty and not the working
 * folder. Fails: SG_USAGE, SG_FAILED. */
SG_MUST_USE bool sg_workshop_open(const char *dir, struct sg_workshop *workshop,
                                  struct sg_error *error);
/* sg_workshop_move_in gives the folder its name, durably. Fails: SG_FAILED. */
SG_MUST_USE bool sg_workshop_move_in(struct sg_workshop *workshop, struct sg_error *error);
/* sg_workshop_done removes what has not moved in. */
void sg_workshop_done(struct sg_workshop *workshop);
SG_DEFINE_CLEANUP_IN_PLACE(sg_workshop, sg_workshop_done)

#endif
