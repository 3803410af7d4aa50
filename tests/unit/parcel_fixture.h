/* parcel_fixture: keys with certificates of their own, for those who send and receive keys. */
#ifndef SG_TEST_PARCEL_FIXTURE_H
#define SG_TEST_PARCEL_FIXTURE_H

#include "expect.h"

#include <openssl/x509v3.h>

#include "parcel/parcel.h"

struct holder {
    EVP_PKEY *pkey;
    X509 *certificate;
};

/* kind: "RSA-1024" and the like, "ED25519", or a curve's name. */
static inline EVP_PKEY *make_key(const char *kind)
{
    EVP_PKEY *pkey = strncmp(kind, "RSA-", 4) == 0  ? EVP_RSA_gen((unsigned)atoi(kind + 4))
                     : strcmp(kind, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                                    : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);

    assert_non_null(pkey);
    return pkey;
}

static inline void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Self-signed. usage: NULL for none; valid_s: for how long from now. */
static inline X509 *certify(EVP_PKEY *pkey, const char *usage, long valid_s)
{
    X509 *certificate = X509_new();

    assert_non_null(certificate);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s));
    assert_int_equal(X509_set_pubkey(certificate, pkey), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
                                                MBSTRING_UTF8, (const uint8_t *)"holder", -1, -1,
                                                0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)), 1);
    add_extension(certificate, NID_subject_key_identifier, "hash");
    if (usage != NULL)
        add_extension(certificate, NID_key_usage, usage);
    assert_true(X509_sign(certificate, pkey, EVP_PKEY_is_a(pkey, "ED25519") ? NULL : EVP_sha256()) >
                0);
    return certificate;
}

static inline struct holder make_holder(const char *kind, const char *usage)
{
    EVP_PKEY *pkey = make_key(kind);

    return (struct holder){pkey, certify(pkey, usage, 3600)};
}

static inline void holder_done(struct holder *holder)
{
    EVP_PKEY_free(holder->pkey);
    X509_free(holder->certificate);
}

static inline void encode(CMS_ContentInfo *cms, struct sg_plain *der)
{
    const int len = i2d_CMS_ContentInfo(cms, &der->data);

    assert_true(len > 0);
    der->len = (size_t)len;
}

#endif
