/* file_key_seal: a private key for somebody else, who alone can open it. */
#include <openssl/err.h>
#include <openssl/pem.h>

/* after pem.h, or it does not say how CMS is written as PEM */
#include "base/limits.h"
#include "file_key_parts.h"
#include "parcel/parcel.h"

bool sg_file_key_check_recipient(X509 *recipient, struct sg_error *error)
{
    return sg_parcel_check_recipient(recipient, error);
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
    const struct sg_sealing how = {EVP_aes_256_cbc(), EVP_sha256(), NID_pkcs7_data, false};
    /* the PEM inside is wiped when it goes, as secure memory */
    sg_auto(PKCS8_PRIV_KEY_INFO) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    sg_auto(BIO) BIO *plain = BIO_new(BIO_s_secmem()), *sealed = BIO_new(BIO_s_mem());
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;
    char *text = NULL;

    ERR_clear_error();
    if (info == NULL || plain == NULL || sealed == NULL ||
        PEM_write_bio_PKCS8_PRIV_KEY_INFO(plain, info) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "the private key can't be encrypted");
    const long len = BIO_get_mem_data(plain, &text);
    if (!sg_parcel_seal(sg_slice_of(text, (size_t)len), &how, recipient, &cms, error))
        return false;
    if (PEM_write_bio_CMS(sealed, cms) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "the encrypted key can't be written");
    return append(sealed, pem, error);
}
