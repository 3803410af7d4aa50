/* engine: OpenSSL's pkcs11 engine (libp11), one for each module in the process. Private to the
 * room.
 *
 * The engine calls C_CloseAllSessions and C_Finalize on its module when it is finished, which would
 * end every other user's sessions. So each open token holds its module's engine from the beginning
 * to the end, whether it signs or not, and the engine finishes with the last of them. OpenSSL's own
 * list of engines keeps the count; nothing is registered as anyone's default.
 * The engine never sees a PIN: the token's session is logged in, which PKCS#11 makes true for the
 * whole process, and the user interface that the engine gets refuses to ask.
 * Thread rule: opening and closing are serialised by the caller.
 */
#ifndef SG_TOKEN_ENGINE_H
#define SG_TOKEN_ENGINE_H

#include <openssl/types.h>
#include <p11-kit/pkcs11.h>

#include "base/cleanup.h"

typedef struct engine_st ENGINE; /* OpenSSL's own name, also where it has none any more */

/* sg_engine_open gives a reference to the engine of the module at this absolute path.
 * Fails: SG_TOKEN when the engine is not installed, with the package that holds it, and in a build
 * without the engine signer (engine_absent.c stands in for engine.c). */
SG_MUST_USE bool sg_engine_open(const char *module, ENGINE **engine, struct sg_error *error);

/* sg_engine_load_key loads a private key by its URI; the caller owns it. False when there is none
 * to be had; rv is the CK_RV that the engine reported, or CKR_OK. */
SG_MUST_USE bool sg_engine_load_key(ENGINE *engine, const char *uri, EVP_PKEY **key, CK_RV *rv);

/* sg_engine_key_context makes the context in which the engine uses its key. NULL on failure. */
EVP_PKEY_CTX *sg_engine_key_context(ENGINE *engine, EVP_PKEY *key);

/* sg_engine_take_rv empties OpenSSL's error queue; the CK_RV that libp11 put there, or CKR_OK. */
CK_RV sg_engine_take_rv(void);

/* sg_engine_close gives the reference back; every key that was loaded for it has been freed. */
void sg_engine_close(ENGINE *engine);

#endif
