/* parcel: a private key on its way to its holder: packed, signed and encrypted; and opened again.
 *
 * AsymmetricKeyPackage (RFC 5958) in SignedData in EnvelopedData (RFC 5652), as RFC 7030 4.4.2 has
 * them; and EnvelopedData alone, for keys that go by hand.
 * Does not: know tokens, or who may have a key. Every copy of a private key that is made here is
 * wiped; what OpenSSL makes on the way it frees as sg_wipe_what_is_freed has it.
 * Thread rule: none.
 */
#ifndef SG_PARCEL_PARCEL_H
#define SG_PARCEL_PARCEL_H

#include <openssl/cms.h>

#include "base/cleanup.h"
#include "base/slice.h"

SG_DEFINE_CLEANUP(CMS_ContentInfo, CMS_ContentInfo_free)

/* Bytes that hold a private key: OpenSSL's memory, wiped as it goes. Zero is empty. */
struct sg_plain {
    uint8_t *data;
    size_t len;
};
void sg_plain_done(struct sg_plain *plain);
SG_DEFINE_CLEANUP_IN_PLACE(sg_plain, sg_plain_done)
struct sg_slice sg_plain_slice(const struct sg_plain *plain);

/* ---- encrypting ---- */

/* sg_parcel_check_recipient: can keys be encrypted to this certificate? RSA needs keyEncipherment,
 * EC keyAgreement. Its chain is not looked at. Fails: SG_REFUSED. */
SG_MUST_USE bool sg_parcel_check_recipient(X509 *recipient, struct sg_error *error);

struct sg_sealing {
    const EVP_CIPHER *cipher;  /* of the content, in CBC mode */
    const EVP_MD *oaep_digest; /* for RSA */
    int content_type;          /* NID of what is inside; NID_pkcs7_data: octets */
    bool by_key_id;            /* the recipient is named by its subjectKeyIdentifier */
};

/* sg_parcel_seal encrypts plain to the certificate: EnvelopedData, with RSAES-OAEP, or ECDH with
 * the X9.63 key derivation by SHA-256 and AES key wrap. The caller frees sealed. Fails: SG_FAILED.
 */
SG_MUST_USE bool sg_parcel_seal(struct sg_slice plain, const struct sg_sealing *how,
                                X509 *recipient, CMS_ContentInfo **sealed, struct sg_error *error);

/* ---- packing ---- */

/* sg_parcel_pkcs8 encodes a private key as PrivateKeyInfo (RFC 5208), DER. */
SG_MUST_USE bool sg_parcel_pkcs8(const EVP_PKEY *key, struct sg_plain *pkcs8,
                                 struct sg_error *error);

/* Who signs that the key was made by whom it should. Borrowed. */
struct sg_packer {
    X509 *certificate;
    EVP_PKEY *pkey;
    const EVP_MD *digest;
};

/* sg_parcel_pack makes an AsymmetricKeyPackage of a key and signs it: SignedData (DER), with the
 * signer's certificate. Fails: SG_TOKEN, in the signer's own words when it is a token's. */
SG_MUST_USE bool sg_parcel_pack(const EVP_PKEY *key, const struct sg_packer *packer,
                                struct sg_plain *signed_data, struct sg_error *error);

/* ---- opening ---- */

/* Who opens it. Borrowed. */
struct sg_opener {
    EVP_PKEY *pkey;
    OSSL_LIB_CTX *context; /* the key's */
};

/* sg_parcel_open decrypts EnvelopedData (DER) and takes out the SignedData (DER).
 * Fails: SG_MALFORMED; SG_REFUSED when it is for another key; SG_TOKEN when the key does not
 * decrypt. */
SG_MUST_USE bool sg_parcel_open(struct sg_slice enveloped, const struct sg_opener *opener,
                                struct sg_plain *signed_data, struct sg_error *error);

/* sg_parcel_unpack verifies SignedData and takes the one key out.
 * signers      one of them must have signed; nobody else counts, whatever is inside.
 * Fails: SG_MALFORMED; SG_REFUSED when it is signed by somebody else, or wrongly. */
SG_MUST_USE bool sg_parcel_unpack(struct sg_slice signed_data, STACK_OF(X509) * signers,
                                  EVP_PKEY **key, struct sg_error *error);

/* ---- for the files of this room ---- */

/* id-ct-KP-aKeyPackage, RFC 5958 4 */
#define SG_OID_KEY_PACKAGE "2.16.840.1.101.2.1.2.78.5"

/* AsymmetricKeyPackage ::= SEQUENCE OF OneAsymmetricKey; PKCS #8's form of it. */
DEFINE_STACK_OF(PKCS8_PRIV_KEY_INFO)
typedef STACK_OF(PKCS8_PRIV_KEY_INFO) sg_key_package;
const ASN1_ITEM *sg_key_package_item(void);
void sg_key_package_free(sg_key_package *package);
SG_DEFINE_CLEANUP(sg_key_package, sg_key_package_free)

#endif
