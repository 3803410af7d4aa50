/* ml_dsa: what tests need of ML-DSA, also under an OpenSSL that does not know it. */
#ifndef SG_TEST_ML_DSA_H
#define SG_TEST_ML_DSA_H

#include "expect.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "base/cleanup.h"

static inline bool has_ml_dsa(void)
{
    return OpenSSL_version_num() >= 0x30500000L;
}

static const struct {
    unsigned bits;
    const char *name, *oid;
    int key_len; /* FIPS 204, table 2 */
} ML_DSA_SETS[] = {
    {44, "ML-DSA-44", "2.16.840.1.101.3.4.3.17", 1312},
    {65, "ML-DSA-65", "2.16.840.1.101.3.4.3.18", 1952},
    {87, "ML-DSA-87", "2.16.840.1.101.3.4.3.19", 2592},
};

/* Makes it a SubjectPublicKeyInfo with a key of that length: any bytes of the right length are a
 * public key (FIPS 204, algorithm 23). */
static inline void fill_ml_dsa_spki(X509_PUBKEY *encoded, const char *oid, int parameter_type,
                                    int key_len)
{
    unsigned char *bits = OPENSSL_malloc((size_t)key_len);

    assert_non_null(bits);
    memset(bits, 0x5a, (size_t)key_len);
    assert_true(
        X509_PUBKEY_set0_param(encoded, OBJ_txt2obj(oid, 1), parameter_type, NULL, bits, key_len));
}

#endif
