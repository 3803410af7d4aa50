#include "request/request.h"

#include "expect.h"
#include "make_request.h"

static bool accepts(struct sg_slice der, struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request request = {0};

    return sg_request_parse(der, &request, error) && sg_request_check_possession(&request, error);
}

static void test_every_scheme(void **state)
{
    const struct {
        const char *kind, *algorithm;
        const EVP_MD *digest;
        bool pss;
    } CASES[] = {
        {"P-256", "30{06{2A8648CE3D040302}}", EVP_sha256(), false},
        {"P-384", "30{06{2A8648CE3D040303}}", EVP_sha384(), false},
        {"P-521", "30{06{2A8648CE3D040304}}", EVP_sha512(), false},
        {"RSA-2048", "30{06{2A864886F70D01010B}0500}", EVP_sha256(), false},
        {"RSA-2048", "30{06{2A864886F70D01010C}0500}", EVP_sha384(), false},
        {"RSA-2048", "30{06{2A864886F70D01010D}0500}", EVP_sha512(), false},
        {"RSA-2048", NULL, EVP_sha256(), true},
        {"Ed25519", NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *key = make_key(CASES[i].kind);
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_error error = {0};

        make_request(&(struct make_request){.key = key,
                                            .algorithm = CASES[i].algorithm,
                                            .digest = CASES[i].digest,
                                            .pss = CASES[i].pss},
                     &der);
        expect_success(CASES[i].kind, accepts(sg_buf_slice(&der), &error), &error);
        der.data[der.len - 1] ^= 1;
        expect_failure(CASES[i].kind, accepts(sg_buf_slice(&der), &error), &error, SG_POSSESSION,
                       "signature");
        assert_string_equal(error.rule, "RFC 2986 4.2");
    }
}

static void append_hex(struct sg_buf *text, EVP_PKEY *key)
{
    sg_auto(openssl_bytes) unsigned char *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);

    for (int i = 0; i < len; i++)
        assert_true(sg_buf_printf(text, SG_LIMIT_REQUEST, NULL, "%02X", spki[i]));
}

/* A request that holds one's key and is signed with another's. */
static void test_another_key(void **state)
{
    static const struct {
        const char *name, *inside, *signs;
        const char *part;
    } CASES[] = {
        {"same kind", "P-256", "P-256", "is not by the key inside it"},
        {"RSA", "RSA-2048", "RSA-2048", "is not by the key inside it"},
        {"another curve", "P-384", "P-256", "signature"},
        {"another kind", "RSA-2048", "P-256", "can't be verified by the key inside it"},
        {"a kind that can't sign", "X25519", "P-256", "can't be verified by the key inside it"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *inside = make_key(CASES[i].inside);
        sg_auto(EVP_PKEY) EVP_PKEY *signs = make_key(CASES[i].signs);
        sg_auto(sg_buf) struct sg_buf der = {0}, spki = {0};
        struct sg_error error = {0};

        append_hex(&spki, inside);
        make_request(&(struct make_request){.key = signs, .spki = (const char *)spki.data}, &der);
        expect_failure(CASES[i].name, accepts(sg_buf_slice(&der), &error), &error, SG_POSSESSION,
                       CASES[i].part);
    }
}

static void test_signature_form(void **state)
{
    static const char *const SIGNATURES[] = {"030100",
                                             "03020000",
                                             "03030000FF",
                                             "0303010002",
                                             "03{0030{020101020101}}",
                                             "03{0030{020100020100}}"};
    sg_auto(EVP_PKEY) EVP_PKEY *key = make_key("P-256");

    (void)state;
    for (size_t i = 0; i < NUM(SIGNATURES); i++) {
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_error error = {0};

        make_request(&(struct make_request){.key = key, .signature = SIGNATURES[i]}, &der);
        expect_failure(SIGNATURES[i], accepts(sg_buf_slice(&der), &error), &error, SG_POSSESSION,
                       "signature");
    }
}

/* Whatever single bit of a request changes, nobody is served. */
static void test_every_bit(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *key = make_key("P-256");
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error error = {0};

    (void)state;
    make_request(&(struct make_request){.key = key,
                                        .extensions = "30{06{551D0F}0101FF04{03020780}}"
                                                      "30{06{551D11}04{30{82{'a.example'}}}}"},
                 &der);
    expect_success("unchanged", accepts(sg_buf_slice(&der), &error), &error);
    for (size_t bit = 0; bit < 8 * der.len; bit++) {
        error = (struct sg_error){0};
        der.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (accepts(sg_buf_slice(&der), &error))
            fail_msg("bit %zu of byte %zu may change", bit % 8, bit / 8);
        if (!sg_code_is_refusal(error.code) || error.text[0] == '\0')
            fail_msg("bit %zu of byte %zu: %s: %s", bit % 8, bit / 8, sg_code_name(error.code),
                     error.text);
        der.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_own_key(void **state)
{
    sg_auto(sg_request) struct sg_request parsed = {0}, own = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *key = make_key("P-384");
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_public_key empty = {0};
    struct sg_error error = {0};

    (void)state;
    make_request(&(struct make_request){.key = key}, &der);
    expect_success("parse", sg_request_parse(sg_buf_slice(&der), &parsed, &error), &error);
    expect_success("own key", sg_request_of_key(&parsed.key, &parsed.subject, &own, &error),
                   &error);
    assert_int_equal(own.format, SG_REQUEST_OWN_KEY);
    assert_true(sg_public_key_equal(&own.key, &parsed.key));
    assert_memory_equal(own.key.sha256, parsed.key.sha256, sizeof own.key.sha256);
    assert_true(sg_name_equal(&own.subject, &parsed.subject));
    assert_int_equal(own.path_length, -1);
    assert_null(own.pkcs10);
    expect_success("possession", sg_request_check_possession(&own, &error), &error);
    sg_request_done(&own);
    expect_failure("empty key", sg_request_of_key(&empty, &parsed.subject, &own, &error), &error,
                   SG_MALFORMED, "empty");
    assert_int_equal(own.subject.num, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scheme),   cmocka_unit_test(test_another_key),
        cmocka_unit_test(test_signature_form), cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_own_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
