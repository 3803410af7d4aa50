/* ocsp_parts: what an OCSP responder consists of, for the files of this room. */
#ifndef SG_STATUS_OCSP_PARTS_H
#define SG_STATUS_OCSP_PARTS_H

#include <pthread.h>

#include "ocsp.h"
#include "ocsp_cache.h"
#include "ocsp_sign.h"
#include "token/signer_pkey.h"

/* By what requests name an issuer (RFC 6960 4.1.1). */
struct sg_ocsp_identity {
    int digest; /* NID */
    unsigned len;
    uint8_t name_hash[EVP_MAX_MD_SIZE], key_hash[EVP_MAX_MD_SIZE];
};

enum { SG_OCSP_DIGESTS = 4 };

/* An issuer of the home that has its certificate. */
struct sg_ocsp_issuer {
    const struct sg_issuer_entry *entry;
    int64_t id;
    struct sg_ocsp_identity identities[SG_OCSP_DIGESTS];

    /* guarded by the lock */
    struct sg_ocsp_signer signer; /* empty: not ready */
    struct sg_error why;          /* why not */
};

struct sg_ocsp {
    struct sg_home *home;
    struct sg_pkey_maker *maker;
    struct sg_ocsp_cache *cache;
    pthread_rwlock_t lock;
    _Atomic int64_t turns; /* how often a responder went on with another certificate */
    struct sg_ocsp_issuer *issuers;
    size_t num_issuers;
};

/* sg_ocsp_find_issuer finds the issuer that all of a request is about.
 * Fails: SG_REFUSED when it is none of this home's, or several. */
SG_MUST_USE bool sg_ocsp_find_issuer(const struct sg_ocsp *ocsp,
                                     const struct sg_ocsp_request *request,
                                     struct sg_ocsp_issuer **issuer, struct sg_error *error);

#endif
