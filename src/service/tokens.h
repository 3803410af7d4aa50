/* tokens: what the metrics tell of the home's tokens.
 *
 * Sessions are told when somebody asks for the figures. Errors are told to the fronts by
 * themselves, as the issuer may end of one before anybody asks.
 */
#ifndef SG_SERVICE_TOKENS_H
#define SG_SERVICE_TOKENS_H

#include "door.h"
#include "home/home.h"

/* sg_tokens_figures appends the sessions in Prometheus' text format; on any thread. */
SG_MUST_USE bool sg_tokens_figures(const struct sg_home *home, struct sg_buf *text,
                                   struct sg_error *error);

/* sg_tokens_tell_errors tells the fronts which calls have failed since it was called last; on the
 * door's thread. While no front is there, that waits for one. */
void sg_tokens_tell_errors(const struct sg_home *home, struct sg_door *door);

#endif
