/* The provider's signatures: the message is gathered, and the signer gets it with the scheme that
 * the caller's choices amount to. */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

#include "base/limits.h"
#include "pkey_ops.h"

/* One signature in the making. */
struct job {
    struct sg_pkey *key;
    int digest; /* NID; NID_undef: none, as for Ed25519 */
    bool pss;
    struct sg_buf message;
};

static void *job_new(void *provider, const char *properties)
{
    (void)provider;
    (void)properties;
    return calloc(1, sizeof(struct job));
}

static void job_free(void *data)
{
    struct job *job = data;

    if (job == NULL)
        return;
    sg_pkey_free(job->key);
    sg_buf_free(&job->message);
    free(job);
}

/* OpenSSL 3.0 works on a copy when it finishes a signature. */
static void *job_dup(void *data)
{
    const struct job *job = data;
    struct job *copy = calloc(1, sizeof *copy);

    if (copy == NULL)
        return NULL;
    *copy = *job;
    copy->message = (struct sg_buf){0};
    if (copy->key != NULL)
        sg_pkey_up(copy->key);
    if (!sg_buf_set(&copy->message, sg_buf_slice(&job->message), NULL)) {
        job_free(copy);
        return NULL;
    }
    return copy;
}

/* ---- choices ---- */

static bool choose_digest(struct job *job, const char *name)
{
    static const struct {
        const char *name;
        int nid;
    } DIGESTS[] = {
        {"SHA256", NID_sha256},   {"SHA384", NID_sha384},   {"SHA512", NID_sha512},
        {"SHA2-256", NID_sha256}, {"SHA2-384", NID_sha384}, {"SHA2-512", NID_sha512},
        {"SHA-256", NID_sha256},  {"SHA-384", NID_sha384},  {"SHA-512", NID_sha512},
    };

    for (size_t i = 0; i < sizeof DIGESTS / sizeof *DIGESTS; i++)
        if (strcasecmp(DIGESTS[i].name, name) == 0) {
            job->digest = DIGESTS[i].nid;
            return true;
        }
    return false;
}

/* PSS has one form here: MGF1 with the same digest, salt as long as the digest. */
static bool choose_salt(const struct job *job, const OSSL_PARAM *given)
{
    const char *text = NULL;
    int len = 0;

    if (given->data_type != OSSL_PARAM_UTF8_STRING) {
        if (OSSL_PARAM_get_int(given, &len) != 1)
            return false;
    } else {
        if (OSSL_PARAM_get_utf8_string_ptr(given, &text) != 1)
            return false;
        len = strcmp(text, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0 ? RSA_PSS_SALTLEN_DIGEST
                                                                   : (int)strtol(text, NULL, 10);
    }
    return len == RSA_PSS_SALTLEN_DIGEST ||
           len == EVP_MD_get_size(EVP_get_digestbynid(job->digest));
}

static bool choose_padding(struct job *job, const OSSL_PARAM *given)
{
    const char *text = NULL;
    int mode = 0;

    if (given->data_type == OSSL_PARAM_UTF8_STRING) {
        if (OSSL_PARAM_get_utf8_string_ptr(given, &text) != 1)
            return false;
        job->pss = strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
        return job->pss || strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0;
    }
    if (OSSL_PARAM_get_int(given, &mode) != 1)
        return false;
    job->pss = mode == RSA_PKCS1_PSS_PADDING;
    return job->pss || mode == RSA_PKCS1_PADDING;
}

static bool choose_mask(const struct job *job, const char *name)
{
    struct job mask = {0};

    return choose_digest(&mask, name) && mask.digest == job->digest;
}

static int job_set_params(void *data, const OSSL_PARAM parameters[])
{
    struct job *job = data;
    const OSSL_PARAM *given;
    const char *name;

    if (parameters == NULL)
        return 1;
    given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_DIGEST);
    if (given != NULL &&
        (OSSL_PARAM_get_utf8_string_ptr(given, &name) != 1 || !choose_digest(job, name)))
        return 0;
    given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (given != NULL && !choose_padding(job, given))
        return 0;
    given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (given != NULL && !choose_salt(job, given))
        return 0;
    given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
    return given == NULL ||
           (OSSL_PARAM_get_utf8_string_ptr(given, &name) == 1 && choose_mask(job, name));
}

static const OSSL_PARAM *job_settable(void *data, void *provider)
{
    static const OSSL_PARAM TABLE[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)data;
    (void)provider;
    return TABLE;
}

static enum sg_scheme scheme_of(const struct job *job)
{
    struct sg_key_kind kind = sg_signer_public_key(job->key->signer)->kind;

    for (enum sg_scheme scheme = SG_RSA_SHA256; scheme <= SG_ED25519; scheme++) {
        const EVP_MD *digest = sg_scheme_digest(scheme);

        if (sg_scheme_fits(scheme, kind) && sg_scheme_is_pss(scheme) == job->pss &&
            (digest != NULL ? EVP_MD_get_type(digest) : NID_undef) == job->digest)
            return scheme;
    }
    return SG_SCHEME_NONE;
}

/* ---- what callers ask for ---- */

static int job_get_params(void *data, OSSL_PARAM parameters[])
{
    const struct job *job = data;
    OSSL_PARAM *wanted = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len;

    if (wanted != NULL) {
        if (!sg_scheme_algorithm(scheme_of(job), &algorithm, NULL) ||
            (len = i2d_X509_ALGOR(algorithm, &der)) <= 0 ||
            OSSL_PARAM_set_octet_string(wanted, der, (size_t)len) != 1)
            return 0;
    }
    wanted = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_DIGEST);
    if (wanted != NULL && OSSL_PARAM_set_utf8_string(wanted, OBJ_nid2sn(job->digest)) != 1)
        return 0;
    wanted = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (wanted != NULL) {
        if (wanted->data_type == OSSL_PARAM_UTF8_STRING)
            return OSSL_PARAM_set_utf8_string(wanted, job->pss ? OSSL_PKEY_RSA_PAD_MODE_PSS
                                                               : OSSL_PKEY_RSA_PAD_MODE_PKCSV15);
        return OSSL_PARAM_set_int(wanted, job->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    }
    return 1;
}

static const OSSL_PARAM *job_gettable(void *data, void *provider)
{
    static const OSSL_PARAM TABLE[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)data;
    (void)provider;
    return TABLE;
}

/* ---- signing ---- */

static int job_begin(void *data, const char *digest, void *key, const OSSL_PARAM parameters[])
{
    struct job *job = data;

    if (key != NULL) {
        sg_pkey_up(key);
        sg_pkey_free(job->key);
        job->key = key;
    }
    if (job->key == NULL || job->key->signer == NULL)
        return 0;
    job->message.len = 0;
    job->digest = NID_undef;
    if (digest != NULL && digest[0] != '\0' && !choose_digest(job, digest))
        return 0;
    return job_set_params(job, parameters);
}

static int job_update(void *data, const unsigned char *bytes, size_t len)
{
    struct job *job = data;

    return sg_buf_append(&job->message, bytes, len, SG_LIMIT_CRL, NULL);
}

static int job_finish(void *data, unsigned char *signature, size_t *len, size_t size)
{
    struct job *job = data;
    sg_auto(sg_buf) struct sg_buf made = {0};
    struct sg_error why = {0};

    if (signature == NULL) {
        *len = (size_t)EVP_PKEY_get_size(sg_signer_public_key(job->key->signer)->pkey);
        return 1;
    }
    if (!sg_signer_sign(job->key->signer, scheme_of(job), sg_buf_slice(&job->message), &made,
                        &why)) {
        ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "%s", why.text);
        return 0;
    }
    if (made.len > size)
        return 0;
    memcpy(signature, made.data, made.len);
    *len = made.len;
    return 1;
}

/* CMS verifies what it has just made with the key that made it. The public half does it. */
static int job_verify(void *data, const unsigned char *signature, size_t len)
{
    const struct job *job = data;

    return sg_scheme_verify(scheme_of(job), sg_signer_public_key(job->key->signer),
                            sg_buf_slice(&job->message), sg_slice_of(signature, len), NULL);
}

static int job_verify_at_once(void *data, const unsigned char *signature, size_t len,
                              const unsigned char *bytes, size_t bytes_len)
{
    return job_update(data, bytes, bytes_len) && job_verify(data, signature, len);
}

static int job_at_once(void *data, unsigned char *signature, size_t *len, size_t size,
                       const unsigned char *bytes, size_t bytes_len)
{
    if (signature == NULL)
        return job_finish(data, NULL, len, size);
    return job_update(data, bytes, bytes_len) && job_finish(data, signature, len, size);
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        id, (void (*)(void))(function)                                                             \
    }

const OSSL_DISPATCH SG_PKEY_SIGNATURES[] = {
    FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, job_new),
    FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, job_free),
    FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, job_dup),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, job_begin),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, job_update),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, job_finish),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, job_at_once),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, job_begin),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, job_update),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, job_verify),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, job_verify_at_once),
    FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, job_set_params),
    FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, job_settable),
    FUNCTION(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, job_get_params),
    FUNCTION(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, job_gettable),
    {0, NULL},
};
