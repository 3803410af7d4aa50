/* The direct signer: PKCS#11 without anything between. The digest is made here and the token signs
 * it, so that a long message does not travel to the token and every token can do it. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "base/limits.h"
#include "key_read.h"
#include "pool.h"
#include "rv.h"
#include "signer_kind.h"

SG_DEFINE_CLEANUP(ECDSA_SIG, ECDSA_SIG_free)

/* ---- finding the key ---- */

static const CK_KEY_TYPE TYPES[] = {
    [SG_KEY_RSA] = CKK_RSA,
    [SG_KEY_EC] = CKK_EC,
    [SG_KEY_ED25519] = CKK_EC_EDWARDS,
};

static bool find_object(const struct sg_signer *signer, CK_OBJECT_HANDLE *object,
                        struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects objects = {0};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[4] = {
        sg_attribute(CKA_CLASS, &class, sizeof class),
        sg_attribute(CKA_KEY_TYPE, &TYPES[signer->public.kind.family], sizeof *TYPES),
    };
    size_t num = 2;

    if (signer->id.len > 0)
        wanted[num++] = sg_attribute(CKA_ID, signer->id.data, signer->id.len);
    if (signer->label[0] != '\0')
        wanted[num++] = sg_attribute(CKA_LABEL, signer->label, strlen(signer->label));
    if (!sg_objects_find(signer->token, wanted, num, &objects, error))
        return false;
    if (objects.num != 1)
        return sg_fail(error, SG_TOKEN, NULL,
                       objects.num == 0 ? "key '%s' is not on token %s any more"
                                        : "more than one key on token %2$s is like '%1$s'",
                       signer->label, signer->token->info.label);
    *object = objects.handles[0];
    return true;
}

/* After a loss, another token or key could answer to the same names. */
static bool check_is_same(const struct sg_signer *signer, CK_OBJECT_HANDLE object,
                          struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key found = {0};

    if (!sg_key_read_private(signer->token, object, &found, error))
        return false;
    if (found.public.pkey == NULL || !sg_public_key_equal(&found.public, &signer->public))
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s has another key than '%s' under its name; give it an id that no "
                       "other key has",
                       signer->token->info.label, signer->label);
    return true;
}

static bool find_key_locked(struct sg_signer *signer, CK_OBJECT_HANDLE *object,
                            struct sg_error *error)
{
    return find_object(signer, object, error) && check_is_same(signer, *object, error);
}

static bool find_key(struct sg_signer *signer, const struct sg_pool_session *session,
                     CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    if (session->is_own)
        return find_key_locked(signer, object, error);
    SG_TOKEN_LOCK(signer->token);
    return find_key_locked(signer, object, error);
}

/* The handle of the key in the session's connection: the known one, or found anew. */
static bool take_key(struct sg_signer *signer, const struct sg_pool_session *session,
                     CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    struct sg_direct_key *key = &signer->direct;
    bool is_known;

    pthread_mutex_lock(&key->mutex);
    is_known = key->connection == session->connection;
    *object = key->object;
    pthread_mutex_unlock(&key->mutex);
    if (is_known)
        return true;
    if (!find_key(signer, session, object, error))
        return false;
    pthread_mutex_lock(&key->mutex);
    key->object = *object;
    key->connection = session->connection;
    pthread_mutex_unlock(&key->mutex);
    return true;
}

static bool load_key(struct sg_signer *signer, const struct sg_key *key, struct sg_error *error)
{
    struct sg_token *token = signer->token;
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (sg_scheme_default(key->public.kind) == SG_SCHEME_NONE)
        return sg_fail(error, SG_TOKEN, NULL, "no signatures are made with key '%s': it is %s",
                       signer->label, sg_key_kind_text(key->public.kind, kind));
    if (!sg_pool_have_locked(token, error))
        return false;
    signer->direct.always_authenticate = key->always_authenticate;
    if (!find_key_locked(signer, &signer->direct.object, error))
        return false;
    signer->direct.connection = sg_pool_connection(token->pool);
    return true;
}

/* ---- what the token is given, and gives ---- */

/* What one scheme asks of a token: the mechanism points into it. */
struct task {
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    struct sg_buf input;
};

static void task_done(struct task *task)
{
    sg_buf_free(&task->input);
}

/* RFC 8017 9.2: the digest with its name, in DER. */
static bool wrap_digest(const EVP_MD *digest, struct sg_slice value, struct sg_buf *info,
                        struct sg_error *error)
{
    sg_auto(X509_SIG) X509_SIG *wrapped = X509_SIG_new();
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *octets;
    int len;

    if (wrapped == NULL)
        return sg_fail_memory(error);
    X509_SIG_getm(wrapped, &algorithm, &octets);
    if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(EVP_MD_get_type(digest)), V_ASN1_NULL, NULL) != 1 ||
        ASN1_OCTET_STRING_set(octets, value.data, (int)value.len) != 1 ||
        (len = i2d_X509_SIG(wrapped, &der)) <= 0)
        return sg_fail_openssl(error, SG_FAILED, NULL, "a digest can't be encoded");
    return sg_buf_set(info, sg_slice_of(der, (size_t)len), error);
}

static void plan_pss(const EVP_MD *digest, struct task *task)
{
    static const struct {
        int nid;
        CK_MECHANISM_TYPE digest;
        CK_RSA_PKCS_MGF_TYPE mgf;
    } FORMS[] = {
        {NID_sha256, CKM_SHA256, CKG_MGF1_SHA256},
        {NID_sha384, CKM_SHA384, CKG_MGF1_SHA384},
        {NID_sha512, CKM_SHA512, CKG_MGF1_SHA512},
    };

    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++)
        if (FORMS[i].nid == EVP_MD_get_type(digest))
            task->pss = (CK_RSA_PKCS_PSS_PARAMS){FORMS[i].digest, FORMS[i].mgf,
                                                 (CK_ULONG)EVP_MD_get_size(digest)};
    task->mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &task->pss, sizeof task->pss};
}

static size_t order_len(struct sg_key_kind kind)
{
    return (kind.bits + 7) / 8;
}

/* Follows: PKCS#11 2.40, 2.1.12 (RSA), 2.1.10 (PSS), 2.3.6 (ECDSA); 3.0, 2.3.14 (EdDSA). */
static bool plan_task(struct sg_key_kind kind, enum sg_scheme scheme, struct sg_slice bytes,
                      struct task *task, struct sg_error *error)
{
    const EVP_MD *digest = sg_scheme_digest(scheme);
    uint8_t value[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (digest == NULL) {
        task->mechanism = (CK_MECHANISM){CKM_EDDSA, NULL, 0};
        return sg_buf_set(&task->input, bytes, error);
    }
    if (EVP_Digest(bytes.data, bytes.len, value, &len, digest, NULL) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "a digest can't be made");
    if (kind.family == SG_KEY_EC) {
        task->mechanism = (CK_MECHANISM){CKM_ECDSA, NULL, 0};
        /* Only the leftmost bits count (FIPS 186-5 6.4.1), and not every token cuts them itself. */
        if (len > order_len(kind))
            len = (unsigned)order_len(kind);
    } else if (sg_scheme_is_pss(scheme)) {
        plan_pss(digest, task);
    } else {
        task->mechanism = (CK_MECHANISM){CKM_RSA_PKCS, NULL, 0};
        return wrap_digest(digest, sg_slice_of(value, len), &task->input, error);
    }
    return sg_buf_set(&task->input, sg_slice_of(value, len), error);
}

/* The token's r and s, each as long as the curve's order, as a DER ECDSA-Sig-Value. */
static bool encode_ecdsa(struct sg_key_kind kind, struct sg_slice raw, struct sg_buf *signature,
                         struct sg_error *error)
{
    sg_auto(ECDSA_SIG) ECDSA_SIG *pair = ECDSA_SIG_new();
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int half = (int)order_len(kind), len;
    BIGNUM *r, *s;

    if (raw.len != 2 * order_len(kind))
        return sg_fail(error, SG_TOKEN, NULL, "an ECDSA signature of %zu bytes, %zu are right",
                       raw.len, 2 * order_len(kind));
    r = BN_bin2bn(raw.data, half, NULL);
    s = BN_bin2bn(raw.data + half, half, NULL);
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return sg_fail_memory(error);
    }
    if ((len = i2d_ECDSA_SIG(pair, &der)) <= 0)
        return sg_fail_openssl(error, SG_FAILED, NULL, "a signature can't be encoded");
    return sg_buf_set(signature, sg_slice_of(der, (size_t)len), error);
}

/* ---- signing ---- */

static bool fail_to_sign(const struct sg_signer *signer, CK_RV rv, struct sg_error *error)
{
    return sg_fail_token(error, SG_TOKEN, signer->token, rv,
                         "token %s makes no signature with key '%s'", signer->token->info.label,
                         signer->label);
}

/* One signature in the making. */
struct signing {
    struct sg_signer *signer;
    struct task task;
    uint8_t raw[SG_LIMIT_SIGNATURE];
    CK_ULONG len;
};

static void signing_done(struct signing *signing)
{
    task_done(&signing->task);
}
SG_DEFINE_CLEANUP_IN_PLACE(signing, signing_done)

static bool sign_in_session(void *context, const struct sg_pool_session *session,
                            struct sg_error *error)
{
    struct signing *signing = context;
    struct sg_signer *signer = signing->signer;
    struct task *task = &signing->task;
    CK_FUNCTION_LIST *functions = signer->token->module.functions;
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_RV rv;

    if (!take_key(signer, session, &object, error))
        return false;
    rv = functions->C_SignInit(session->handle, &task->mechanism, object);
    if (rv != CKR_OK)
        return fail_to_sign(signer, rv, error);
    /* Such a key's sessions are the token's own, whose lock is held. */
    if (signer->direct.always_authenticate &&
        !sg_token_authenticate_locked(signer->token, signer->label, error))
        return false;
    signing->len = sizeof signing->raw;
    rv = functions->C_Sign(session->handle, task->input.data, task->input.len, signing->raw,
                           &signing->len);
    return rv == CKR_OK || fail_to_sign(signer, rv, error);
}

static bool sign_bytes(struct sg_signer *signer, enum sg_scheme scheme, struct sg_slice bytes,
                       struct sg_buf *signature, struct sg_error *error)
{
    sg_auto(signing) struct signing signing = {.signer = signer};
    struct sg_slice raw;

    if (!plan_task(signer->public.kind, scheme, bytes, &signing.task, error) ||
        !sg_pool_use(signer->token, signer->direct.always_authenticate, sign_in_session, &signing,
                     error))
        return false;
    raw = sg_slice_of(signing.raw, signing.len);
    if (signer->public.kind.family == SG_KEY_EC)
        return encode_ecdsa(signer->public.kind, raw, signature, error);
    return sg_buf_set(signature, raw, error);
}

static void unload_key(struct sg_signer *signer)
{
    (void)signer; /* the pool and its sessions are the token's */
}

const struct sg_signer_ops SG_DIRECT_SIGNER = {load_key, sign_bytes, unload_key};
