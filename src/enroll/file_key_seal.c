/* file_key_seal: a private key for somebody else, who alone can open it. */
#include <openssl/err.h>
#include <openssl/pem.h>

/* after pem.h, or it does not say how CMS is written as PEM */
#include <openssl/cms.h>

#include "base/limits.h"
#include "file_key_parts.h"

SG_DEFINE_CLEANUP(CMS_ContentInfo, CMS_ContentInfo_free)

bool sg_file_key_check_recipient(X509 *recipient, struct sg_error *error)
{
    EVP_PKEY *key = X509_get0_pubkey(recipient);
    uint32_t usage = X509_get_key_usage(recipient), wanted;

    if (key == NULL || !(EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "EC")))
        return sg_fail(error, SG_REFUSED, "RFC 5652 6.2",
                       "keys are encrypted to an RSA or EC key, which this certificate has not");
    if (EVP_PKEY_get_security_bits(key) < 112)
        return sg_fail(error, SG_REFUSED, NULL, "this certificate's key is too weak for that");
    wanted = EVP_PKEY_is_a(key, "RSA") ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
    if ((usage & wanted) == 0)
        return sg_fail(error, SG_REFUSED, "RFC 5280 4.2.1.3",
                       "to have keys encrypted to it, this certificate needs the key usage %s",
                       wanted == KU_KEY_ENCIPHERMENT ? "keyEncipherment" : "keyAgreement");
    return X509_cmp_current_time(X509_get0_notAfter(recipient)) > 0 ||
           sg_fail(error, SG_REFUSED, "RFC 5280 4.1.2.5", "this certificate has expired");
}

/* OpenSSL's own choices are PKCS #1 v1.5 and SHA-1. */
static bool set_recipient(CMS_ContentInfo *cms, X509 *recipient)
{
    CMS_RecipientInfo *info = CMS_add1_recipient_cert(cms, recipient, CMS_KEY_PARAM);
    EVP_PKEY_CTX *context = info != NULL ? CMS_RecipientInfo_get0_pkey_ctx(info) : NULL;

    if (context == NULL)
        return false;
    if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE)
        return EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) > 0;
}

static bool append(BIO *pem, struct sg_buf *into, struct sg_error *error)
{
    char *text;
    long len = BIO_get_mem_data(pem, &text);

    return sg_buf_append(into, text, (size_t)len, SG_LIMIT_REQUEST, error);
}

bool sg_file_key_seal(const struct sg_file_key *key, X509 *recipient, struct sg_buf *pem,
                      struct sg_error *error)
{
    /* the PEM inside is wiped when it goes, as secure memory */
    sg_auto(PKCS8_PRIV_KEY_INFO) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    sg_auto(BIO) BIO *plain = BIO_new(BIO_s_secmem()), *sealed = BIO_new(BIO_s_mem());
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms =
        CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_BINARY | CMS_PARTIAL);

    ERR_clear_error();
    if (info == NULL || plain == NULL || sealed == NULL || cms == NULL ||
        PEM_write_bio_PKCS8_PRIV_KEY_INFO(plain, info) != 1 || !set_recipient(cms, recipient) ||
        CMS_final(cms, plain, NULL, CMS_BINARY) != 1 || PEM_write_bio_CMS(sealed, cms) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "the private key can't be encrypted");
    return append(sealed, pem, error);
}
