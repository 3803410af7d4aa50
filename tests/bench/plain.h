/* plain: a token asked in a plain PKCS#11 loop, which is the most that any signer can get of it. */
#ifndef SG_BENCH_PLAIN_H
#define SG_BENCH_PLAIN_H

#include <p11-kit/p11-kit.h>

#include "model/scheme.h"

struct plain {
    CK_FUNCTION_LIST *functions;
    CK_SLOT_ID slot;
    CK_OBJECT_HANDLE object;
    enum sg_scheme scheme;
};

/* plain_open finds the one private key of a token that this process has logged in to. */
bool plain_open(const char *module, const char *token, enum sg_scheme scheme, struct plain *plain,
                struct sg_error *error);

/* A session for each thread. CK_INVALID_HANDLE when there is none. */
CK_SESSION_HANDLE plain_session(const struct plain *plain);
void plain_close(const struct plain *plain, CK_SESSION_HANDLE session);

bool plain_sign(const struct plain *plain, CK_SESSION_HANDLE session, struct sg_slice bytes);

#endif
