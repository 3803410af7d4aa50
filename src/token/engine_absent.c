/* engine_absent: stands in for engine.c where OpenSSL has no engines, or the build leaves them out.
 */
#include "engine.h"

#include <openssl/err.h>

#include "token.h"

bool sg_token_has_engine(void)
{
    return false;
}

bool sg_engine_open(const char *module, ENGINE **engine, struct sg_error *error)
{
    (void)module;
    (void)engine;
    return sg_fail(error, SG_TOKEN, NULL,
                   "this signet was built without OpenSSL's pkcs11 engine, so it can't sign "
                   "through it");
}

/* The others are for engines and keys that there are none of. */

bool sg_engine_load_key(ENGINE *engine, const char *uri, EVP_PKEY **key, CK_RV *rv)
{
    (void)engine;
    (void)uri;
    (void)key;
    *rv = sg_engine_take_rv();
    return false;
}

EVP_PKEY_CTX *sg_engine_key_context(ENGINE *engine, EVP_PKEY *key)
{
    (void)engine;
    (void)key;
    return NULL;
}

CK_RV sg_engine_take_rv(void)
{
    ERR_clear_error();
    return CKR_OK;
}

void sg_engine_close(ENGINE *engine)
{
    (void)engine;
}
