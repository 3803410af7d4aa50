/* cleanup: release by attribute, defined once for every type that Signet holds by pointer.
 *
 *     sg_auto(X509) X509 *certificate = NULL;
 *
 * A pointer that leaves the function goes out through SG_TAKE, which leaves NULL behind.
 */
#ifndef SG_BASE_CLEANUP_H
#define SG_BASE_CLEANUP_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "slice.h"

#define sg_auto(type) __attribute__((cleanup(sg_cleanup_##type)))

#define SG_TAKE(pointer)                                                                           \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#define SG_DEFINE_CLEANUP(type, release)                                                           \
    static inline void sg_cleanup_##type(type **pointer)                                           \
    {                                                                                              \
        release(*pointer);                                                                         \
    }

/* The same for a type that lives on the stack: the release function takes its address. */
#define SG_DEFINE_CLEANUP_IN_PLACE(name, release)                                                  \
    static inline void sg_cleanup_##name(struct name *object)                                      \
    {                                                                                              \
        release(object);                                                                           \
    }

static inline void sg_cleanup_extensions(X509_EXTENSIONS *extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

SG_DEFINE_CLEANUP(ASN1_INTEGER, ASN1_INTEGER_free)
SG_DEFINE_CLEANUP(ASN1_OBJECT, ASN1_OBJECT_free)
SG_DEFINE_CLEANUP(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
SG_DEFINE_CLEANUP(ASN1_STRING, ASN1_STRING_free)
SG_DEFINE_CLEANUP(ASN1_TIME, ASN1_TIME_free)
SG_DEFINE_CLEANUP(ASN1_TYPE, ASN1_TYPE_free)
SG_DEFINE_CLEANUP(AUTHORITY_KEYID, AUTHORITY_KEYID_free)
SG_DEFINE_CLEANUP(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)
SG_DEFINE_CLEANUP(BIGNUM, BN_free)
SG_DEFINE_CLEANUP(BIO, BIO_free_all)
SG_DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)
SG_DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free)
SG_DEFINE_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
SG_DEFINE_CLEANUP(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
SG_DEFINE_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free)
SG_DEFINE_CLEANUP(NETSCAPE_SPKI, NETSCAPE_SPKI_free)
SG_DEFINE_CLEANUP(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
SG_DEFINE_CLEANUP(RSA_PSS_PARAMS, RSA_PSS_PARAMS_free)
SG_DEFINE_CLEANUP(X509, X509_free)
SG_DEFINE_CLEANUP(X509_ALGOR, X509_ALGOR_free)
SG_DEFINE_CLEANUP(X509_CRL, X509_CRL_free)
SG_DEFINE_CLEANUP(X509_EXTENSION, X509_EXTENSION_free)
SG_DEFINE_CLEANUP(X509_EXTENSIONS, sg_cleanup_extensions)
SG_DEFINE_CLEANUP(X509_NAME, X509_NAME_free)
SG_DEFINE_CLEANUP(X509_PUBKEY, X509_PUBKEY_free)
SG_DEFINE_CLEANUP(X509_REQ, X509_REQ_free)
SG_DEFINE_CLEANUP(X509_REVOKED, X509_REVOKED_free)
SG_DEFINE_CLEANUP(X509_SIG, X509_SIG_free)
SG_DEFINE_CLEANUP_IN_PLACE(sg_buf, sg_buf_free)

/* Text or bytes from malloc. */
static inline void sg_cleanup_malloc(void *pointer)
{
    free(*(void **)pointer);
}

/* Bytes from one of OpenSSL's i2d functions. */
static inline void sg_cleanup_openssl_bytes(void *pointer)
{
    OPENSSL_free(*(void **)pointer);
}

static inline void sg_cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void sg_cleanup_FILE(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

#endif
