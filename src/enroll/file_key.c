#include "file_key.h"

#include <openssl/err.h>

#include "base/limits.h"
#include "file_key_parts.h"

bool sg_file_key_of(EVP_PKEY **pkey, const char *what, struct sg_file_key **key,
                    struct sg_error *error)
{
    sg_auto(sg_file_key) struct sg_file_key *fresh = calloc(1, sizeof *fresh);
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    int len = i2d_PUBKEY(*pkey, &spki);

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (len <= 0)
        return sg_fail_openssl(error, SG_INVALID, NULL, "%s: its public half can't be encoded",
                               what);
    if (!sg_public_key_decode(sg_slice_of(spki, (size_t)len), &fresh->public, error))
        return sg_error_prefix(error, "%s", what);
    fresh->pkey = SG_TAKE(*pkey);
    *key = SG_TAKE(fresh);
    return true;
}

static EVP_PKEY *generate(struct sg_key_kind kind)
{
    char name[SG_KEY_KIND_TEXT_SIZE];

    switch (kind.family) {
    case SG_KEY_RSA:
        return EVP_RSA_gen(kind.bits);
    case SG_KEY_EC:
        return EVP_EC_gen(kind.bits == 256 ? "P-256" : kind.bits == 384 ? "P-384" : "P-521");
    case SG_KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case SG_KEY_ML_DSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, sg_key_kind_text(kind, name));
    default:
        return NULL;
    }
}

bool sg_file_key_make(struct sg_key_kind kind, struct sg_file_key **key, struct sg_error *error)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;
    char text[SG_KEY_KIND_TEXT_SIZE];

    if (!sg_key_kind_check_openssl(kind, error))
        return false;
    ERR_clear_error();
    pkey = generate(kind);
    if (pkey == NULL)
        return sg_fail_openssl(error, SG_USAGE, NULL, "a key of %s can't be made",
                               sg_key_kind_text(kind, text));
    return sg_file_key_of(&pkey, "the new key", key, error);
}

const struct sg_public_key *sg_file_key_public(const struct sg_file_key *key)
{
    return &key->public;
}

bool sg_file_key_was_encrypted(const struct sg_file_key *key)
{
    return key->was_encrypted;
}

void sg_file_key_free(struct sg_file_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    sg_public_key_done(&key->public);
    free(key);
}

/* Signing */

static bool set_pss(EVP_PKEY_CTX *parameters, const EVP_MD *digest)
{
    return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, digest) > 0;
}

/* A private half that does not belong to the file's public half shows when its signature is
 * verified. */
static bool sign_by_file(void *context, enum sg_scheme scheme, struct sg_slice bytes,
                         struct sg_buf *signature, struct sg_error *error)
{
    struct sg_file_key *key = context;
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *signing = EVP_MD_CTX_new();
    const EVP_MD *digest = sg_scheme_digest(scheme);
    EVP_PKEY_CTX *parameters = NULL; /* owned by signing */
    uint8_t made[SG_LIMIT_SIGNATURE];
    size_t len = sizeof made;
    struct sg_error why = {0};

    if (signing == NULL)
        return sg_fail_memory(error);
    ERR_clear_error();
    if (EVP_DigestSignInit(signing, &parameters, digest, NULL, key->pkey) != 1 ||
        (sg_scheme_is_pss(scheme) && !set_pss(parameters, digest)) ||
        EVP_DigestSign(signing, made, &len, bytes.data, bytes.len) != 1)
        return sg_fail_openssl(error, SG_INVALID, NULL, "the key makes no %s signature",
                               sg_scheme_text(scheme));
    if (!sg_scheme_verify(scheme, &key->public, bytes, sg_slice_of(made, len), &why))
        return sg_fail(error, SG_INVALID, NULL,
                       "the private and the public half of the key are not a pair: %s", why.text);
    return sg_buf_set(signature, sg_slice_of(made, len), error);
}

struct sg_csr_signer sg_csr_signer_of_file(struct sg_file_key *key)
{
    return (struct sg_csr_signer){&key->public, sign_by_file, key};
}
