/* certificates: reading what was issued, for the other files of this room. */
#ifndef SG_STORE_CERTIFICATES_H
#define SG_STORE_CERTIFICATES_H

#include "sql.h"

/* sg_certificate_find reads a claim that is known to be there. */
SG_MUST_USE bool sg_certificate_find(struct sg_store *store, int64_t id, int64_t now,
                                     struct sg_certificate *certificate, struct sg_error *error);

#endif
