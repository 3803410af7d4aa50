/* crls: what writes rows of the table crl. Private to the room. */
#ifndef SG_STORE_CRLS_H
#define SG_STORE_CRLS_H

#include "sql.h"

struct sg_crl_digests {
    uint8_t sha256[32], sha384[48], sha512[64];
};

SG_MUST_USE bool sg_crl_digest(struct sg_slice to_be_signed, struct sg_crl_digests *digests,
                               struct sg_error *error);

/* sg_crl_keep_bytes notes that a CRL is recorded, and keeps its bytes unless there is a later one.
 */
SG_MUST_USE bool sg_crl_keep_bytes(struct sg_store *store, int64_t issuer, int64_t number,
                                   struct sg_slice der, struct sg_error *error);

#endif
