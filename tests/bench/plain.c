#include "plain.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "token/token.h"

/* The handle, by a session that closes again. */
static bool find_object(struct plain *plain, struct sg_error *error)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_SESSION_HANDLE session = plain_session(plain);
    CK_ULONG num = 0;

    if (session == CK_INVALID_HANDLE)
        return sg_fail(error, SG_TOKEN, NULL, "no session");
    if (plain->functions->C_FindObjectsInit(session, &wanted, 1) == CKR_OK) {
        plain->functions->C_FindObjects(session, &plain->object, 1, &num);
        plain->functions->C_FindObjectsFinal(session);
    }
    plain_close(plain, session);
    return num == 1 || sg_fail(error, SG_TOKEN, NULL, "no key");
}

bool plain_open(const char *module, const char *token, enum sg_scheme scheme, struct plain *plain,
                struct sg_error *error)
{
    sg_auto(malloc) struct sg_token_info *tokens = NULL;
    size_t num = 0;

    *plain = (struct plain){.scheme = scheme};
    if (!sg_token_list(NULL, module, &tokens, &num, error))
        return false;
    for (size_t i = 0; i < num; i++)
        if (strcmp(tokens[i].label, token) == 0)
            plain->slot = tokens[i].slot;
    plain->functions = p11_kit_module_load(module, 0);
    if (plain->functions == NULL || p11_kit_module_initialize(plain->functions) != CKR_OK)
        return sg_fail(error, SG_TOKEN, NULL, "cannot load %s", module);
    return find_object(plain, error);
}

CK_SESSION_HANDLE plain_session(const struct plain *plain)
{
    CK_SESSION_HANDLE session;

    return plain->functions->C_OpenSession(plain->slot, CKF_SERIAL_SESSION, NULL, NULL, &session) ==
                   CKR_OK
               ? session
               : CK_INVALID_HANDLE;
}

void plain_close(const struct plain *plain, CK_SESSION_HANDLE session)
{
    if (session != CK_INVALID_HANDLE)
        plain->functions->C_CloseSession(session);
}

/* Of the bytes themselves for Ed25519, of their digest for ECDSA, and by the token's own hashing
 * for RSA, as PKCS#11 has no other way without a DigestInfo of ours. */
static CK_MECHANISM_TYPE mechanism_of(enum sg_scheme scheme)
{
    switch (scheme) {
    case SG_RSA_SHA256:
        return CKM_SHA256_RSA_PKCS;
    case SG_ED25519:
        return CKM_EDDSA;
    default:
        return CKM_ECDSA;
    }
}

bool plain_sign(const struct plain *plain, CK_SESSION_HANDLE session, struct sg_slice bytes)
{
    CK_MECHANISM mechanism = {mechanism_of(plain->scheme), NULL, 0};
    unsigned char digest[EVP_MAX_MD_SIZE], signature[SG_LIMIT_SIGNATURE];
    CK_ULONG len = sizeof signature;
    unsigned digest_len = 0;

    if (mechanism.mechanism == CKM_ECDSA) {
        if (EVP_Digest(bytes.data, bytes.len, digest, &digest_len, sg_scheme_digest(plain->scheme),
                       NULL) != 1)
            return false;
        bytes = sg_slice_of(digest, digest_len);
    }
    return plain->functions->C_SignInit(session, &mechanism, plain->object) == CKR_OK &&
           plain->functions->C_Sign(session, (CK_BYTE *)(uintptr_t)bytes.data, bytes.len, signature,
                                    &len) == CKR_OK;
}
