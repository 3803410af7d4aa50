/* issuer: what building, linting and deciding need to know of the issuing key; no token behind. */
#ifndef SG_MODEL_ISSUER_H
#define SG_MODEL_ISSUER_H

#include "name.h"
#include "scheme.h"

struct sg_issuer_facts {
    const char *name;  /* its name in signet.yaml */
    X509 *certificate; /* NULL while it certifies itself */
    /* its certificate's; NULL while it certifies itself, or when it can't be read strictly */
    const struct sg_name *subject;
    struct sg_public_key key;
    enum sg_scheme scheme;
    /* of its certificate; 0, SG_TIME_NEVER and -1 (none) while it certifies itself */
    int64_t not_before, not_after;
    long path_length;
    const char *crl_url, *ocsp_url, *ca_issuers_url; /* `publish`; NULL when not set */
};

#endif
