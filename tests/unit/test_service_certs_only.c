#include "expect.h"

#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "service/certs_only.h"

SG_DEFINE_CLEANUP(PKCS7, PKCS7_free)

/* A certificate of about as many octets: what it says matters as little as its signature. */
static X509 *make_certificate(size_t padding)
{
    X509 *certificate = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    char *text = calloc(1, padding + 1);

    memset(text, 'x', padding);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 60));
    if (padding > 0) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, text);

        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    EVP_PKEY_free(key);
    free(text);
    return certificate;
}

/* What OpenSSL makes of the same certificates. */
static void expect_as_openssl(const char *label, X509 *const *certificates, size_t num)
{
    sg_auto(PKCS7) PKCS7 *message = PKCS7_new();
    sg_auto(sg_buf) struct sg_buf list = {0}, der = {0};
    sg_auto(openssl_bytes) uint8_t *wanted = NULL;
    struct sg_error error = {0};

    assert_int_equal(PKCS7_set_type(message, NID_pkcs7_signed), 1);
    assert_int_equal(PKCS7_content_new(message, NID_pkcs7_data), 1);
    PKCS7_set_detached(message, 1);
    for (size_t i = 0; i < num; i++) {
        sg_auto(openssl_bytes) uint8_t *one = NULL;
        const int len = i2d_X509(certificates[i], &one);

        assert_int_equal(PKCS7_add_certificate(message, certificates[i]), 1);
        assert_true(sg_buf_append(&list, one, (size_t)len, SG_LIMIT_BODY, &error));
    }
    const int wanted_len = i2d_PKCS7(message, &wanted);
    expect_success(label, sg_certs_only(sg_buf_slice(&list), &der, &error), &error);
    assert_int_equal(der.len, wanted_len);
    assert_memory_equal(der.data, wanted, der.len);
}

/* Where lengths take another octet, too. */
static void it_is_what_openssl_makes(void **state)
{
    static const size_t PADDINGS[] = {0, 1, 100, 2000, 65400, 65535, 100000};
    X509 *const small = make_certificate(0);

    (void)state;
    for (size_t i = 0; i < sizeof PADDINGS / sizeof PADDINGS[0]; i++) {
        X509 *const both[2] = {make_certificate(PADDINGS[i]), small};

        expect_as_openssl("one", both, 1);
        expect_as_openssl("two", both, 2);
        X509_free(both[0]);
    }
    X509_free(small);
}

static void what_is_longer_than_a_body_is_refused(void **state)
{
    uint8_t *octets = calloc(1, SG_LIMIT_BODY + 1);
    struct sg_buf der = {0};
    struct sg_error error = {0};

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        expect_failure("long",
                       sg_certs_only(sg_slice_of(octets, SG_LIMIT_BODY + over), &der, &error),
                       &error, SG_FAILED, "");
        assert_null(der.data);
        sg_error_clear(&error);
    }
    free(octets);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(it_is_what_openssl_makes),
        cmocka_unit_test(what_is_longer_than_a_body_is_refused),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
