#include <string.h>

#include "base/limits.h"
#include "object.h"
#include "rv.h"

/* A certificate in the parts that a PKCS#11 object has. */
struct parts {
    X509 *certificate;
    uint8_t *subject, *issuer, *serial; /* DER, from OpenSSL */
    int subject_len, issuer_len, serial_len;
};

static void parts_done(struct parts *parts)
{
    X509_free(parts->certificate);
    OPENSSL_free(parts->subject);
    OPENSSL_free(parts->issuer);
    OPENSSL_free(parts->serial);
}
SG_DEFINE_CLEANUP_IN_PLACE(parts, parts_done)

static bool take_apart(struct sg_slice der, struct parts *parts, struct sg_error *error)
{
    const uint8_t *at = der.data;

    parts->certificate = d2i_X509(NULL, &at, (long)der.len);
    if (parts->certificate == NULL)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280 4.1", "not a certificate in DER");
    if (at != der.data + der.len)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1", "%td bytes follow the certificate",
                       der.data + der.len - at);
    parts->subject_len = i2d_X509_NAME(X509_get_subject_name(parts->certificate), &parts->subject);
    parts->issuer_len = i2d_X509_NAME(X509_get_issuer_name(parts->certificate), &parts->issuer);
    parts->serial_len =
        i2d_ASN1_INTEGER(X509_get0_serialNumber(parts->certificate), &parts->serial);
    if (parts->subject_len <= 0 || parts->issuer_len <= 0 || parts->serial_len <= 0)
        return sg_fail_openssl(error, SG_FAILED, NULL, "cannot take the certificate apart");
    return true;
}

static bool check_key(const struct sg_token *token, const struct sg_key *key,
                      const X509 *certificate, struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key of_certificate = {0};

    if (key->public.pkey == NULL)
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s does not tell the public half of key '%s', so nothing says that "
                       "the certificate is its",
                       token->info.label, key->label);
    if (!sg_public_key_of_certificate(certificate, &of_certificate, error))
        return false;
    if (!sg_public_key_equal(&of_certificate, &key->public))
        return sg_fail(error, SG_REFUSED, NULL,
                       "the certificate is for another key than '%s' on token %s", key->label,
                       token->info.label);
    return true;
}

static bool find_beside(struct sg_token *token, const struct sg_key *key,
                        struct sg_objects *objects, struct sg_error *error)
{
    return sg_objects_find_named(token, CKO_CERTIFICATE, sg_buf_slice(&key->id), key->label,
                                 objects, error);
}

static bool create(struct sg_token *token, const struct sg_key *key, const struct parts *parts,
                   struct sg_slice der, CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    static const CK_OBJECT_CLASS CLASS = CKO_CERTIFICATE;
    static const CK_CERTIFICATE_TYPE TYPE = CKC_X_509;
    static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {
        sg_attribute(CKA_CLASS, &CLASS, sizeof CLASS),
        sg_attribute(CKA_CERTIFICATE_TYPE, &TYPE, sizeof TYPE),
        sg_attribute(CKA_TOKEN, &YES, sizeof YES),
        sg_attribute(CKA_PRIVATE, &NO, sizeof NO),
        sg_attribute(CKA_LABEL, key->label, strlen(key->label)),
        sg_attribute(CKA_SUBJECT, parts->subject, (size_t)parts->subject_len),
        sg_attribute(CKA_ISSUER, parts->issuer, (size_t)parts->issuer_len),
        sg_attribute(CKA_SERIAL_NUMBER, parts->serial, (size_t)parts->serial_len),
        sg_attribute(CKA_VALUE, der.data, der.len),
        sg_attribute(CKA_ID, key->id.data, key->id.len),
    };
    size_t num = sizeof attributes / sizeof *attributes - (key->id.len == 0);
    CK_RV rv = token->module.functions->C_CreateObject(token->session, attributes, num, object);

    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, token, rv,
                             "token %s takes no certificate for key '%s'", token->info.label,
                             key->label);
    return true;
}

static bool read_back(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_slice der,
                      struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf stored = {0};

    if (!sg_object_bytes(token, object, CKA_VALUE, SG_LIMIT_CERTIFICATE, &stored, error))
        return false;
    if (!sg_slice_equal(sg_buf_slice(&stored), der))
        return sg_fail(error, SG_TOKEN, NULL,
                       "the certificate does not read back from token %s as it was written",
                       token->info.label);
    return true;
}

/* The new one is there before the old ones go: the key is never without a certificate. Where a key
 * has a fixed place, the new one takes the old one's. */
static bool put(struct sg_token *token, const struct sg_key *key, const struct parts *parts,
                struct sg_slice der, const struct sg_objects *old, struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = token->module.functions;
    CK_OBJECT_HANDLE object;

    if (!create(token, key, parts, der, &object, error))
        return false;
    if (!read_back(token, object, der, error)) {
        functions->C_DestroyObject(token->session, object);
        return false;
    }
    for (size_t i = 0; i < old->num && token->profile.num_ids == 0; i++) {
        CK_RV rv = functions->C_DestroyObject(token->session, old->handles[i]);

        if (rv != CKR_OK)
            return sg_fail_token(
                error, SG_TOKEN, token, rv,
                "token %s has the new certificate for key '%s' and keeps the old one "
                "beside it",
                token->info.label, key->label);
    }
    return true;
}

bool sg_token_put_certificate(struct sg_token *token, const struct sg_key *key,
                              struct sg_slice certificate, bool replace, struct sg_error *error)
{
    sg_auto(parts) struct parts parts = {0};
    sg_auto(sg_objects) struct sg_objects old = {0};
    bool is_put;
    SG_TOKEN_LOCK(token);

    if (!take_apart(certificate, &parts, error) ||
        !check_key(token, key, parts.certificate, error) || !sg_token_login_locked(token, error) ||
        !find_beside(token, key, &old, error))
        return false;
    if (old.num > 0 && !replace)
        return sg_fail(error, SG_FAILED, NULL,
                       "token %s has a certificate for key '%s' already; --force replaces it",
                       token->info.label, key->label);
    if (!sg_token_begin_writing_locked(token, error))
        return false;
    is_put = put(token, key, &parts, certificate, &old, error);
    sg_token_end_writing_locked(token);
    return is_put;
}

bool sg_token_get_certificate(struct sg_token *token, const struct sg_key *key,
                              struct sg_buf *certificate, struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects objects = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    SG_TOKEN_LOCK(token);

    if (!find_beside(token, key, &objects, error))
        return false;
    if (objects.num != 1)
        return sg_fail(error, SG_TOKEN, NULL, "token %s has %s certificate for key '%s'%s",
                       token->info.label, objects.num == 0 ? "no" : "more than one", key->label,
                       objects.num == 0 ? "" : "; remove the old one");
    if (!sg_object_bytes(token, objects.handles[0], CKA_VALUE, SG_LIMIT_CERTIFICATE, &der, error))
        return false;
    if (der.len == 0)
        return sg_fail(error, SG_TOKEN, NULL, "the certificate for key '%s' on token %s is empty",
                       key->label, token->info.label);
    return sg_buf_set(certificate, sg_buf_slice(&der), error);
}
