/* init_parts: what a new home is made of. */
#ifndef SG_HOME_INIT_PARTS_H
#define SG_HOME_INIT_PARTS_H

#include "home.h"

/* sg_init_settings writes signet.yaml for a spec. Fails: SG_USAGE naming what is wrong in the spec.
 */
SG_MUST_USE bool sg_init_settings(const struct sg_home_spec *spec, struct sg_buf *text,
                                  struct sg_error *error);

/* sg_init_copy_policies copies the shipped policies and the requests of their examples into a
 * folder that is there: from $SIGNET_DATA/policies, else from where Signet is installed. */
SG_MUST_USE bool sg_init_copy_policies(const char *into, struct sg_error *error);

/* sg_init_remove_tree removes a folder with all that is in it, as far as it can. */
void sg_init_remove_tree(const char *path);

#endif
