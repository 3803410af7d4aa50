/* location: where a store is, as signet.yaml says it. Private to the room. */
#ifndef SG_STORE_LOCATION_H
#define SG_STORE_LOCATION_H

#include "engine.h"

/* sg_location_engine checks location and finds its engine. Never repeats a password.
 * Fails: SG_USAGE. */
SG_MUST_USE bool sg_location_engine(const char *location, const struct sg_engine **engine,
                                    struct sg_error *error);

#endif
