/* stand_in: public keys of a kind, for the time before the real one is made. */
#ifndef SG_CEREMONY_STAND_IN_H
#define SG_CEREMONY_STAND_IN_H

#include "model/key.h"

/* sg_stand_in_key fills an empty key: on the curve, or of the size, of kind. Nobody has its private
 * half, or it is thrown away. */
SG_MUST_USE bool sg_stand_in_key(struct sg_key_kind kind, struct sg_public_key *key,
                                 struct sg_error *error);
/* sg_stand_in_bytes: those bytes of the key that another key of the kind would not have. */
struct sg_slice sg_stand_in_bytes(const struct sg_public_key *key);

#endif
