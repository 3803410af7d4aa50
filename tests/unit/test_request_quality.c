#include "request/request.h"

#include "expect.h"
#include "make_request.h"

static void expect_quality(const char *name, const struct sg_public_key *key, const char *part,
                           const char *rule)
{
    struct sg_error error = {0};
    bool verdict = sg_request_check_key_quality(key, &error);

    if (part == NULL) {
        expect_success(name, verdict, &error);
        return;
    }
    expect_failure(name, verdict, &error, SG_KEY_QUALITY, part);
    if (strstr(error.rule, rule) == NULL)
        fail_msg("%s: should break the rule %s, breaks: %s", name, rule, error.rule);
}

static void decode(const char *name, struct sg_slice spki, struct sg_public_key *key)
{
    struct sg_error error = {0};

    expect_success(name, sg_public_key_decode(spki, key, &error), &error);
}

/* part NULL: the key is good. */
static void test_kinds(void **state)
{
    static const struct {
        const char *kind, *part, *rule;
    } CASES[] = {
        {"RSA-2048", NULL, NULL},
        {"RSA-3072", NULL, NULL},
        {"P-256", NULL, NULL},
        {"P-384", NULL, NULL},
        {"P-521", NULL, NULL},
        {"Ed25519", NULL, NULL},
        {"RSA-512", "512 bits", "NIST SP 800-131A: RSA below 2048 bits"},
        {"RSA-1024", "1024 bits", "NIST SP 800-131A: RSA below 2048 bits"},
        {"RSA-2047", "2047 bits", "NIST SP 800-131A: RSA below 2048 bits"},
        {"P-224", "another curve", "NIST SP 800-186"},
        {"secp256k1", "another curve", "NIST SP 800-186"},
        {"brainpoolP256r1", "another curve", "NIST SP 800-186"},
        {"X25519", "not certified (X25519)", "FIPS 186-5"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *pair = make_key(CASES[i].kind);
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        sg_auto(openssl_bytes) unsigned char *spki = NULL;
        int len = i2d_PUBKEY(pair, &spki);

        assert_true(len > 0);
        decode(CASES[i].kind, sg_slice_of(spki, (size_t)len), &key);
        expect_quality(CASES[i].kind, &key, CASES[i].part, CASES[i].rule);
    }
}

/* An RSA key of any numbers: modulus_len octets, the first and last of them as told. */
static void make_rsa(size_t modulus_len, unsigned first, unsigned last, const char *exponent,
                     struct sg_buf *spki)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    const char *sign = first >= 0x80 ? "00" : "";

    assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL,
                              "30{30{06{2A864886F70D010101}0500}03{0030{02{%s%02X", sign, first));
    for (size_t i = 2; i < modulus_len; i++)
        assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "55"));
    assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "%02X}02{%s}}}}", last, exponent));
    make_der((const char *)text.data, spki);
}

static void test_rsa_numbers(void **state)
{
    static const struct {
        const char *name;
        size_t modulus_len;
        unsigned first, last;
        const char *exponent, *part, *rule;
    } CASES[] = {
        {"65537", 256, 0x80, 0x15, "010001", NULL, NULL},
        {"64 bits", 256, 0x80, 0x15, "00FFFFFFFFFFFFFFFF", NULL, NULL},
        {"8192 bits", 1024, 0x80, 0x0f, "010001", NULL, NULL},
        {"8193 bits", 1025, 1, 1, "010001", "8193 bits", "size of an RSA key"},
        {"2047 bits", 256, 0x7f, 1, "010001", "2047 bits", "NIST SP 800-131A"},
        {"even modulus", 256, 0x80, 2, "010001", "modulus is even", "FIPS 186-5 5.1"},
        {"a small factor", 256, 0x80, 1, "010001", "divisible by", "NIST SP 800-89 5.3.3"},
        {"exponent 1", 256, 0x80, 1, "01", "exponent 1 is too small", "FIPS 186-5 A.1.1"},
        {"exponent 3", 256, 0x80, 1, "03", "exponent 3 is too small", "FIPS 186-5 A.1.1"},
        {"exponent 65535", 256, 0x80, 1, "00FFFF", "is too small", "FIPS 186-5 A.1.1"},
        {"exponent 65536", 256, 0x80, 1, "010000", "65536 is even", "FIPS 186-5 A.1.1"},
        {"exponent 65538", 256, 0x80, 1, "010002", "65538 is even", "FIPS 186-5 A.1.1"},
        {"65 bits", 256, 0x80, 1, "010000000000000001", "65 bits", "size of an RSA exponent"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        sg_auto(sg_buf) struct sg_buf spki = {0};

        make_rsa(CASES[i].modulus_len, CASES[i].first, CASES[i].last, CASES[i].exponent, &spki);
        decode(CASES[i].name, sg_buf_slice(&spki), &key);
        expect_quality(CASES[i].name, &key, CASES[i].part, CASES[i].rule);
    }
}

/* sg_public_key_decode lets no such point through; a key may come another way. */
static void test_infinity(void **state)
{
    sg_auto(sg_public_key) struct sg_public_key key = {.kind = {SG_KEY_EC, 256}};
    sg_auto(sg_buf) struct sg_buf spki = {0};
    const unsigned char *at;

    (void)state;
    make_der("30{30{06{2A8648CE3D0201}06{2A8648CE3D030107}}03020000}", &spki);
    at = spki.data;
    key.pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    assert_non_null(key.pkey);
    expect_quality("infinity", &key, "not a point on its curve", "NIST SP 800-56A");
}

static void test_no_key(void **state)
{
    struct sg_public_key key = {0};

    (void)state;
    expect_quality("no key", &key, "not certified (no key)", "FIPS 186-5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_rsa_numbers),
        cmocka_unit_test(test_infinity),
        cmocka_unit_test(test_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
