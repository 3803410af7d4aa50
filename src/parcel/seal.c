/* seal: for one who alone can open it. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "parcel.h"

bool sg_parcel_check_recipient(X509 *recipient, struct sg_error *error)
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
static bool set_recipient(CMS_ContentInfo *cms, const struct sg_sealing *how, X509 *recipient)
{
    const unsigned flags = CMS_KEY_PARAM | (how->by_key_id ? CMS_USE_KEYID : 0U);
    CMS_RecipientInfo *info = CMS_add1_recipient_cert(cms, recipient, flags);
    EVP_PKEY_CTX *context = info != NULL ? CMS_RecipientInfo_get0_pkey_ctx(info) : NULL;

    if (context == NULL)
        return false;
    if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE)
        return EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, how->oaep_digest) > 0;
}

/* CMS_final would leave copies of what it reads on the stack and in a buffer. */
static bool fill(CMS_ContentInfo *cms, struct sg_slice plain)
{
    BIO *chain = CMS_dataInit(cms, NULL);
    bool is_filled = chain != NULL &&
                     BIO_write(chain, plain.data, (int)plain.len) == (int)plain.len &&
                     BIO_flush(chain) == 1 && CMS_dataFinal(cms, chain) == 1;

    BIO_free_all(chain);
    return is_filled;
}

bool sg_parcel_seal(struct sg_slice plain, const struct sg_sealing *how, X509 *recipient,
                    CMS_ContentInfo **sealed, struct sg_error *error)
{
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = CMS_EnvelopedData_create(how->cipher);

    ERR_clear_error();
    if (cms == NULL || CMS_set_detached(cms, 0) != 1 ||
        CMS_set1_eContentType(cms, OBJ_nid2obj(how->content_type)) != 1 ||
        !set_recipient(cms, how, recipient) || !fill(cms, plain))
        return sg_fail_openssl(error, SG_FAILED, NULL, "the private key can't be encrypted");
    *sealed = SG_TAKE(cms);
    return true;
}
