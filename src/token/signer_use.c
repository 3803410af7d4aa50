#include "signer_use.h"

#include "key_read.h"
#include "rv.h"
#include "signer_kind.h"

static bool find_private(struct sg_signer *signer, CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects found = {0};

    if (!sg_objects_find_named(signer->token, CKO_PRIVATE_KEY, sg_buf_slice(&signer->id),
                               signer->label, &found, error))
        return false;
    if (found.num != 1)
        return sg_fail(error, SG_TOKEN, NULL, "token %s has %zu keys '%s', and it must be one",
                       signer->token->info.label, found.num, signer->label);
    *object = found.handles[0];
    return true;
}

/* ---- RSA ---- */

static const struct oaep {
    int digest;
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mask;
} OAEPS[] = {
    {NID_sha1, CKM_SHA_1, CKG_MGF1_SHA1},
    {NID_sha256, CKM_SHA256, CKG_MGF1_SHA256},
    {NID_sha384, CKM_SHA384, CKG_MGF1_SHA384},
    {NID_sha512, CKM_SHA512, CKG_MGF1_SHA512},
};

static const struct oaep *find_oaep(int digest)
{
    for (size_t i = 0; i < sizeof OAEPS / sizeof *OAEPS; i++)
        if (OAEPS[i].digest == digest)
            return &OAEPS[i];
    return NULL;
}

static bool decrypt_locked(struct sg_signer *signer, const struct oaep *oaep, struct sg_slice bytes,
                           uint8_t *plain, CK_ULONG *len, struct sg_error *error)
{
    struct sg_token *token = signer->token;
    CK_FUNCTION_LIST *functions = token->module.functions;
    CK_RSA_PKCS_OAEP_PARAMS parameters = {
        .hashAlg = oaep->hash, .mgf = oaep->mask, .source = CKZ_DATA_SPECIFIED};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &parameters, sizeof parameters};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_RV rv;

    if (!sg_token_login_locked(token, error) || !find_private(signer, &object, error))
        return false;
    rv = functions->C_DecryptInit(token->session, &mechanism, object);
    if (rv == CKR_OK && signer->direct.always_authenticate &&
        !sg_token_authenticate_locked(token, signer->label, error))
        return false;
    if (rv == CKR_OK)
        rv = functions->C_Decrypt(token->session, (CK_BYTE_PTR)(uintptr_t)bytes.data, bytes.len,
                                  plain, len);
    return rv == CKR_OK ||
           sg_fail_token(error, SG_TOKEN, token, rv, "the key '%s' on token %s decrypts not",
                         signer->label, token->info.label);
}

bool sg_signer_decrypt(struct sg_signer *signer, int digest, struct sg_slice bytes,
                       uint8_t plain[SG_USE_MAX], size_t *len, struct sg_error *error)
{
    const struct oaep *oaep = find_oaep(digest);
    CK_ULONG plain_len = SG_USE_MAX;
    SG_TOKEN_LOCK(signer->token);

    if (oaep == NULL)
        return sg_fail(error, SG_USAGE, NULL, "no token decrypts by OAEP with %s",
                       OBJ_nid2sn(digest));
    if (!decrypt_locked(signer, oaep, bytes, plain, &plain_len, error))
        return false;
    *len = plain_len;
    return true;
}

/* ---- EC ---- */

/* A secret that the token tells, for as long as it takes to read it. */
static bool derive(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_slice point,
                   CK_ULONG secret_len, CK_OBJECT_HANDLE *secret, struct sg_error *error)
{
    static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;
    static const CK_OBJECT_CLASS CLASS = CKO_SECRET_KEY;
    static const CK_KEY_TYPE TYPE = CKK_GENERIC_SECRET;
    CK_ECDH1_DERIVE_PARAMS parameters = {.kdf = CKD_NULL,
                                         .ulPublicDataLen = point.len,
                                         .pPublicData = (CK_BYTE_PTR)(uintptr_t)point.data};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &parameters, sizeof parameters};
    CK_ATTRIBUTE attributes[] = {
        sg_attribute(CKA_CLASS, &CLASS, sizeof CLASS),
        sg_attribute(CKA_KEY_TYPE, &TYPE, sizeof TYPE),
        sg_attribute(CKA_TOKEN, &NO, sizeof NO),
        sg_attribute(CKA_SENSITIVE, &NO, sizeof NO),
        sg_attribute(CKA_EXTRACTABLE, &YES, sizeof YES),
        sg_attribute(CKA_VALUE_LEN, &secret_len, sizeof secret_len),
    };
    CK_RV rv = token->module.functions->C_DeriveKey(token->session, &mechanism, object, attributes,
                                                    sizeof attributes / sizeof *attributes, secret);

    return rv == CKR_OK ||
           sg_fail_token(error, SG_TOKEN, token, rv,
                         "token %s makes no shared secret that it would tell", token->info.label);
}

static bool agree_locked(struct sg_signer *signer, struct sg_slice point, uint8_t *into,
                         CK_ULONG *len, struct sg_error *error)
{
    struct sg_token *token = signer->token;
    const CK_ULONG field_len = (signer->public.kind.bits + 7) / 8;
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE, secret = CK_INVALID_HANDLE;
    CK_ATTRIBUTE value = sg_attribute(CKA_VALUE, into, SG_USE_MAX);
    CK_RV rv;

    if (!sg_token_login_locked(token, error) || !find_private(signer, &object, error) ||
        !derive(token, object, point, field_len, &secret, error))
        return false;
    rv = token->module.functions->C_GetAttributeValue(token->session, secret, &value, 1);
    token->module.functions->C_DestroyObject(token->session, secret);
    *len = value.ulValueLen;
    return (rv == CKR_OK && *len == field_len) ||
           sg_fail_token(error, SG_TOKEN, token, rv,
                         "token %s does not tell the shared secret that it made",
                         token->info.label);
}

bool sg_signer_agree(struct sg_signer *signer, struct sg_slice point, uint8_t secret[SG_USE_MAX],
                     size_t *len, struct sg_error *error)
{
    CK_ULONG secret_len = 0;
    SG_TOKEN_LOCK(signer->token);

    if (!agree_locked(signer, point, secret, &secret_len, error))
        return false;
    *len = secret_len;
    return true;
}
