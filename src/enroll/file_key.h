/* file_key: private keys in files: made, written, read, and signing requests.
 *
 * A file is PEM: PKCS#8, encrypted or not, or the traditional forms of EC and RSA keys. What was
 * decoded is OpenSSL's to hold, which wipes it; every copy made here is wiped as well.
 * Does not: hold issuers' keys, which live on tokens alone.
 * Thread rule: a key belongs to one thread.
 */
#ifndef SG_ENROLL_FILE_KEY_H
#define SG_ENROLL_FILE_KEY_H

#include "enroll.h"

struct sg_file_key;

/* sg_file_key_make makes a key. Fails: SG_USAGE on a kind that this OpenSSL does not make. */
SG_MUST_USE bool sg_file_key_make(struct sg_key_kind kind, struct sg_file_key **key,
                                  struct sg_error *error);

/* sg_file_key_of takes a private key over, on success, and looks at its public half.
 * what     begins messages: "ada.key". */
SG_MUST_USE bool sg_file_key_of(EVP_PKEY **pkey, const char *what, struct sg_file_key **key,
                                struct sg_error *error);

/* sg_file_key_read reads the one private key of a PEM file; other blocks beside it are passed over.
 * source   of the passphrase (token/pin.h); asked only when the file is encrypted. NULL: prompt.
 * Fails: SG_FAILED when the file can't be read or the passphrase does not open it, SG_INVALID when
 * it has no key, more than one, or a broken one, SG_USAGE for a source that is none, SG_KEY_QUALITY
 * when its public half is none that can be certified. */
SG_MUST_USE bool sg_file_key_read(const char *path, const char *source, struct sg_file_key **key,
                                  struct sg_error *error);

/* How a passphrase becomes a key. Both encrypt by AES-256-CBC (RFC 8018 PBES2). */
enum sg_kdf {
    SG_KDF_SCRYPT, /* RFC 7914: N 16384, r 8, p 5: 16 MiB, and within what OpenSSL reads again */
    SG_KDF_PBKDF2, /* 600,000 rounds of HMAC-SHA-256, for programs without scrypt */
};

/* "scrypt", "pbkdf2". Fails: SG_USAGE. */
SG_MUST_USE bool sg_kdf_parse(const char *word, enum sg_kdf *kdf, struct sg_error *error);

/* sg_file_key_write puts the key into a new file of mode 0600, as PKCS#8 in PEM.
 * passphrase   NULL: not encrypted.
 * Fails: SG_FAILED, also when there is a file of that name: a key is never written over another. */
SG_MUST_USE bool sg_file_key_write(const struct sg_file_key *key, const char *path,
                                   struct sg_secret *passphrase, enum sg_kdf kdf,
                                   struct sg_error *error);

/* sg_file_key_check_absent fails as sg_file_key_write would for the name, before any work is done.
 */
SG_MUST_USE bool sg_file_key_check_absent(const char *path, struct sg_error *error);

/* sg_file_key_check_recipient: can keys be encrypted to this certificate? Its chain is not looked
 * at. Fails: SG_REFUSED. */
SG_MUST_USE bool sg_file_key_check_recipient(X509 *recipient, struct sg_error *error);

/* sg_file_key_seal appends the key, as PKCS#8 in PEM, encrypted to the certificate: CMS
 * EnvelopedData (RFC 5652) as PEM, AES-256-CBC under RSAES-OAEP or ECDH, all with SHA-256. */
SG_MUST_USE bool sg_file_key_seal(const struct sg_file_key *key, X509 *recipient,
                                  struct sg_buf *pem, struct sg_error *error);

const struct sg_public_key *sg_file_key_public(const struct sg_file_key *key);
bool sg_file_key_was_encrypted(const struct sg_file_key *key); /* in the file it was read from */
void sg_file_key_free(struct sg_file_key *key);

typedef struct sg_file_key sg_file_key;
SG_DEFINE_CLEANUP(sg_file_key, sg_file_key_free)

/* sg_csr_signer_of_file: the file's key signs. Lives as long as key. */
struct sg_csr_signer sg_csr_signer_of_file(struct sg_file_key *key);

#endif
