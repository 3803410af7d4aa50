/* signer_kind: what stands behind a struct sg_signer. Private to the room. */
#ifndef SG_TOKEN_SIGNER_KIND_H
#define SG_TOKEN_SIGNER_KIND_H

#include "handle.h"
#include "signer.h"
#include "signer_elsewhere.h"

/* One kind of signer. signer.c checks first what holds for every kind. */
struct sg_signer_ops {
    /* Finds the key; the caller holds the token's lock. */
    bool (*load)(struct sg_signer *signer, const struct sg_key *key, struct sg_error *error);
    bool (*sign)(struct sg_signer *signer, enum sg_scheme scheme, struct sg_slice bytes,
                 struct sg_buf *signature, struct sg_error *error);
    void (*unload)(struct sg_signer *signer);
};

extern const struct sg_signer_ops SG_ENGINE_SIGNER, SG_DIRECT_SIGNER;

/* The key as the direct signer knows it: a handle is good for one connection to the token. */
struct sg_direct_key {
    pthread_mutex_t mutex;
    CK_OBJECT_HANDLE object;
    unsigned long connection; /* the pool's count when object was found */
    bool always_authenticate;
};

struct sg_signer {
    const struct sg_signer_ops *ops;
    struct sg_token *token; /* NULL: elsewhere */
    char *label;
    struct sg_buf id;
    struct sg_public_key public;
    EVP_PKEY *engine_key; /* the engine's; its signatures are made on the token */
    struct sg_direct_key direct;
    struct {
        sg_sign_elsewhere *sign;
        void *context;
    } elsewhere;
};

#endif
