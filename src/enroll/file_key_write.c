/* file_key_write: a private key into a new file. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "base/file.h"
#include "file_key_parts.h"

enum {
    SCRYPT_N = 16384,
    SCRYPT_R = 8,
    SCRYPT_P = 5,
    PBKDF2_ROUNDS = 600000,
    SALT_LEN = 16,
};

bool sg_kdf_parse(const char *word, enum sg_kdf *kdf, struct sg_error *error)
{
    if (strcmp(word, "scrypt") == 0)
        *kdf = SG_KDF_SCRYPT;
    else if (strcmp(word, "pbkdf2") == 0)
        *kdf = SG_KDF_PBKDF2;
    else
        return sg_fail(error, SG_USAGE, NULL,
                       "\"%.60s\" makes no key of a passphrase here: use scrypt or pbkdf2", word);
    return true;
}

static bool fail_to_encode(struct sg_error *error)
{
    return sg_fail_openssl(error, SG_FAILED, NULL, "the private key can't be encoded");
}

static X509_ALGOR *new_algorithm(enum sg_kdf kdf)
{
    /* OpenSSL draws salt and initialisation vector, as none are given. */
    if (kdf == SG_KDF_PBKDF2)
        return PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, NULL, SALT_LEN, NULL,
                                 NID_hmacWithSHA256);
    return PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, SALT_LEN, NULL, SCRYPT_N, SCRYPT_R,
                                 SCRYPT_P);
}

static bool put_encrypted(BIO *pem, PKCS8_PRIV_KEY_INFO *info, struct sg_secret *passphrase,
                          enum sg_kdf kdf, struct sg_error *error)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = new_algorithm(kdf);
    sg_auto(X509_SIG) X509_SIG *sealed = NULL;

    if (algorithm == NULL)
        return fail_to_encode(error);
    sealed = PKCS8_set0_pbe((const char *)sg_secret_data(passphrase),
                            (int)sg_secret_len(passphrase), info, algorithm);
    if (sealed == NULL)
        return fail_to_encode(error);
    (void)SG_TAKE(algorithm); /* sealed owns it now */
    return PEM_write_bio_PKCS8(pem, sealed) == 1 || fail_to_encode(error);
}

/* Rewrites the advice about --force, which keys do not know. */
static bool fail_as_written(const char *path, const struct sg_error *cause, struct sg_error *error)
{
    if (cause->code == SG_FAILED && cause->detail == EEXIST)
        return sg_fail(error, SG_FAILED, NULL,
                       "%s exists, and a key is never written over another file; choose a new name",
                       path);
    sg_fail(error, cause->code, cause->rule, "%s", cause->text);
    return false;
}

bool sg_file_key_check_absent(const char *path, struct sg_error *error)
{
    struct sg_error cause = {0};

    return sg_file_check_target(path, SG_KEEP_EXISTING, &cause) ||
           fail_as_written(path, &cause, error);
}

bool sg_file_key_write(const struct sg_file_key *key, const char *path,
                       struct sg_secret *passphrase, enum sg_kdf kdf, struct sg_error *error)
{
    /* wiped when they go: the info by its own release, the PEM as secure memory */
    sg_auto(PKCS8_PRIV_KEY_INFO) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    sg_auto(BIO) BIO *pem = BIO_new(BIO_s_secmem());
    struct sg_error cause = {0};
    char *text = NULL;

    ERR_clear_error();
    if (info == NULL || pem == NULL)
        return fail_to_encode(error);
    if (passphrase != NULL ? !put_encrypted(pem, info, passphrase, kdf, error)
                           : PEM_write_bio_PKCS8_PRIV_KEY_INFO(pem, info) != 1)
        return fail_to_encode(error);
    long len = BIO_get_mem_data(pem, &text);
    return sg_file_write(path, sg_slice_of(text, (size_t)len), 0600, SG_KEEP_EXISTING, &cause) ||
           fail_as_written(path, &cause, error);
}
