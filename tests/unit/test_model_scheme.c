#include "expect.h"

#include "ml_dsa.h"
#include "model/scheme.h"

static const struct {
    const char *text;
    enum sg_scheme scheme;
    enum sg_key_family family;
    bool pss;
    int digest_len;
    const char *algorithm; /* DER in hex, as the RFCs have it */
    unsigned bits;         /* of the one key that fits; 0: any of the family */
} SCHEMES[] = {
    {"rsa-sha256", SG_RSA_SHA256, SG_KEY_RSA, false, 32, "300d06092a864886f70d01010b0500"},
    {"rsa-sha384", SG_RSA_SHA384, SG_KEY_RSA, false, 48, "300d06092a864886f70d01010c0500"},
    {"rsa-sha512", SG_RSA_SHA512, SG_KEY_RSA, false, 64, "300d06092a864886f70d01010d0500"},
    {"rsa-pss-sha256", SG_RSA_PSS_SHA256, SG_KEY_RSA, true, 32,
     "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
     "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"},
    {"rsa-pss-sha384", SG_RSA_PSS_SHA384, SG_KEY_RSA, true, 48,
     "304106092a864886f70d01010a3034a00f300d06096086480165030402020500"
     "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130"},
    {"rsa-pss-sha512", SG_RSA_PSS_SHA512, SG_KEY_RSA, true, 64,
     "304106092a864886f70d01010a3034a00f300d06096086480165030402030500"
     "a11c301a06092a864886f70d010108300d06096086480165030402030500a203020140"},
    {"ecdsa-sha256", SG_ECDSA_SHA256, SG_KEY_EC, false, 32, "300a06082a8648ce3d040302"},
    {"ecdsa-sha384", SG_ECDSA_SHA384, SG_KEY_EC, false, 48, "300a06082a8648ce3d040303"},
    {"ecdsa-sha512", SG_ECDSA_SHA512, SG_KEY_EC, false, 64, "300a06082a8648ce3d040304"},
    {"ed25519", SG_ED25519, SG_KEY_ED25519, false, 0, "300506032b6570"},
    {"ml-dsa-44", SG_ML_DSA_44, SG_KEY_ML_DSA, false, 0, "300b0609608648016503040311", 44},
    {"ml-dsa-65", SG_ML_DSA_65, SG_KEY_ML_DSA, false, 0, "300b0609608648016503040312", 65},
    {"ml-dsa-87", SG_ML_DSA_87, SG_KEY_ML_DSA, false, 0, "300b0609608648016503040313", 87},
};
enum { FIRST_ML_DSA = 10, LONGEST_SIGNATURE = 5000 };

/* How many of them the OpenSSL that runs can sign with. */
static size_t num_signing(void)
{
    return has_ml_dsa() ? NUM(SCHEMES) : FIRST_ML_DSA;
}

static void schemes_are_what_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(SCHEMES); i++) {
        enum sg_scheme scheme = SG_SCHEME_NONE;

        assert_true(sg_scheme_parse(SCHEMES[i].text, &scheme, NULL));
        assert_int_equal(scheme, SCHEMES[i].scheme);
        assert_string_equal(sg_scheme_text(scheme), SCHEMES[i].text);
        assert_int_equal(sg_scheme_is_pss(scheme), SCHEMES[i].pss);
        if (SCHEMES[i].digest_len == 0)
            assert_null(sg_scheme_digest(scheme));
        else
            assert_int_equal(EVP_MD_get_size(sg_scheme_digest(scheme)), SCHEMES[i].digest_len);
        for (int family = SG_KEY_NONE; family <= SG_KEY_OTHER; family++)
            for (unsigned bits = 40; bits <= 256; bits++)
                assert_int_equal(sg_scheme_fits(scheme, (struct sg_key_kind){family, bits}),
                                 family == (int)SCHEMES[i].family &&
                                     (SCHEMES[i].bits == 0 || SCHEMES[i].bits == bits));
    }
}

static void unknown_schemes_are_refused(void **state)
{
    static const char *const WRONG[] = {"", "rsa", "rsa-sha1", "RSA-SHA256", "Ed25519"};

    (void)state;
    for (size_t i = 0; i < NUM(WRONG); i++) {
        enum sg_scheme scheme = SG_ECDSA_SHA256;
        struct sg_error error = {0};

        expect_failure(WRONG[i], sg_scheme_parse(WRONG[i], &scheme, &error), &error, SG_USAGE,
                       "is no signature scheme: use rsa-sha256");
        assert_int_equal(scheme, SG_ECDSA_SHA256);
    }
    assert_null(sg_scheme_digest(SG_SCHEME_NONE));
    assert_false(sg_scheme_is_pss(SG_SCHEME_NONE));
    assert_false(sg_scheme_fits(SG_SCHEME_NONE, (struct sg_key_kind){SG_KEY_NONE, 0}));
    assert_string_equal(sg_scheme_text(SG_SCHEME_NONE), "no scheme");
}

static void every_kind_has_its_default(void **state)
{
    static const struct {
        struct sg_key_kind kind;
        enum sg_scheme scheme;
    } CASES[] = {
        {{SG_KEY_RSA, 2048}, SG_RSA_SHA256}, {{SG_KEY_RSA, 4096}, SG_RSA_SHA256},
        {{SG_KEY_EC, 256}, SG_ECDSA_SHA256}, {{SG_KEY_EC, 384}, SG_ECDSA_SHA384},
        {{SG_KEY_EC, 521}, SG_ECDSA_SHA512}, {{SG_KEY_ED25519, 0}, SG_ED25519},
        {{SG_KEY_ML_DSA, 44}, SG_ML_DSA_44}, {{SG_KEY_ML_DSA, 65}, SG_ML_DSA_65},
        {{SG_KEY_ML_DSA, 87}, SG_ML_DSA_87}, {{SG_KEY_OTHER, 0}, SG_SCHEME_NONE},
        {{SG_KEY_NONE, 0}, SG_SCHEME_NONE},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        assert_int_equal(sg_scheme_default(CASES[i].kind), CASES[i].scheme);
}

static void algorithms_are_encoded(void **state)
{
    sg_auto(X509_ALGOR) X509_ALGOR *none = NULL;
    struct sg_error error = {0};

    (void)state;
    for (size_t i = 0; i < NUM(SCHEMES); i++) {
        sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;
        sg_auto(openssl_bytes) unsigned char *der = NULL;
        char hex[200];
        int len = 0;

        assert_true(sg_scheme_algorithm(SCHEMES[i].scheme, &algorithm, NULL));
        len = i2d_X509_ALGOR(algorithm, &der);
        assert_true(len > 0);
        assert_string_equal(sg_hex(sg_slice_of(der, (size_t)len), hex, sizeof hex),
                            SCHEMES[i].algorithm);
    }
    expect_failure("none", sg_scheme_algorithm(SG_SCHEME_NONE, &none, &error), &error, SG_INTERNAL,
                   "no signature scheme 0");
    assert_null(none);
}

struct pair {
    EVP_PKEY *rsa, *ec, *ed, *ml_dsa[NUM(ML_DSA_SETS)];
    struct sg_public_key rsa_public, ec_public, ed_public, ml_dsa_public[NUM(ML_DSA_SETS)];
};

static void take_public(const EVP_PKEY *pkey, struct sg_public_key *key)
{
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);

    assert_true(len > 0);
    assert_true(sg_public_key_decode(sg_slice_of(der, (size_t)len), key, NULL));
}

static int make_keys(void **state)
{
    static struct pair pair;

    pair.rsa = EVP_RSA_gen(2048);
    pair.ec = EVP_EC_gen("P-256");
    pair.ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    take_public(pair.rsa, &pair.rsa_public);
    take_public(pair.ec, &pair.ec_public);
    take_public(pair.ed, &pair.ed_public);
    for (size_t i = 0; has_ml_dsa() && i < NUM(ML_DSA_SETS); i++) {
        pair.ml_dsa[i] = EVP_PKEY_Q_keygen(NULL, NULL, ML_DSA_SETS[i].name);
        take_public(pair.ml_dsa[i], &pair.ml_dsa_public[i]);
    }
    *state = &pair;
    return 0;
}

static int free_keys(void **state)
{
    struct pair *pair = *state;

    EVP_PKEY_free(pair->rsa);
    EVP_PKEY_free(pair->ec);
    EVP_PKEY_free(pair->ed);
    sg_public_key_done(&pair->rsa_public);
    sg_public_key_done(&pair->ec_public);
    sg_public_key_done(&pair->ed_public);
    for (size_t i = 0; i < NUM(ML_DSA_SETS); i++) {
        EVP_PKEY_free(pair->ml_dsa[i]);
        sg_public_key_done(&pair->ml_dsa_public[i]);
    }
    return 0;
}

static const struct sg_public_key *key_for(const struct pair *pair, size_t scheme)
{
    switch (SCHEMES[scheme].family) {
    case SG_KEY_RSA:
        return &pair->rsa_public;
    case SG_KEY_EC:
        return &pair->ec_public;
    case SG_KEY_ED25519:
        return &pair->ed_public;
    default:
        return &pair->ml_dsa_public[scheme - FIRST_ML_DSA];
    }
}

static EVP_PKEY *private_for(const struct pair *pair, size_t scheme)
{
    switch (SCHEMES[scheme].family) {
    case SG_KEY_RSA:
        return pair->rsa;
    case SG_KEY_EC:
        return pair->ec;
    case SG_KEY_ED25519:
        return pair->ed;
    default:
        return pair->ml_dsa[scheme - FIRST_ML_DSA];
    }
}

/* Signs by OpenSSL's own words for the scheme; salt_len as for EVP_PKEY_CTX_set_rsa_pss_saltlen. */
static size_t sign(const struct pair *pair, size_t scheme, int salt_len,
                   uint8_t signature[LONGEST_SIGNATURE])
{
    static const char *const DIGESTS[] = {"SHA256", "SHA384", "SHA512"};
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = private_for(pair, scheme);
    const char *digest = SCHEMES[scheme].digest_len > 0 ? DIGESTS[scheme % 3] : NULL;
    EVP_PKEY_CTX *parameters = NULL;
    size_t len = LONGEST_SIGNATURE;

    assert_int_equal(EVP_DigestSignInit_ex(context, &parameters, digest, NULL, NULL, key, NULL), 1);
    if (SCHEMES[scheme].pss) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_len) > 0);
    }
    assert_int_equal(EVP_DigestSign(context, signature, &len, (const uint8_t *)"to be signed", 12),
                     1);
    return len;
}

static void signatures_are_verified_by_their_scheme_alone(void **state)
{
    const struct pair *pair = *state;

    for (size_t signing = 0; signing < num_signing(); signing++) {
        uint8_t bytes[LONGEST_SIGNATURE];
        size_t len = sign(pair, signing, RSA_PSS_SALTLEN_DIGEST, bytes);

        for (size_t i = 0; i < num_signing(); i++) {
            const struct sg_public_key *key = key_for(pair, i);
            struct sg_error error = {0};
            bool verdict = sg_scheme_verify(SCHEMES[i].scheme, key, sg_slice_text("to be signed"),
                                            sg_slice_of(bytes, len), &error);

            if (i == signing)
                expect_success(SCHEMES[i].text, verdict, &error);
            else
                expect_failure(SCHEMES[i].text, verdict, &error, SG_POSSESSION,
                               "is not by this key over this");
        }
    }
}

static void spoilt_signatures_are_refused(void **state)
{
    const struct pair *pair = *state;

    for (size_t i = 0; i < num_signing(); i++) {
        const struct sg_public_key *key = key_for(pair, i);
        uint8_t bytes[LONGEST_SIGNATURE + 1] = {0};
        size_t len = sign(pair, i, RSA_PSS_SALTLEN_DIGEST, bytes);
        const struct sg_slice signed_bytes = sg_slice_text("to be signed");

        bytes[len / 2] ^= 1;
        assert_false(
            sg_scheme_verify(SCHEMES[i].scheme, key, signed_bytes, sg_slice_of(bytes, len), NULL));
        bytes[len / 2] ^= 1;
        assert_false(sg_scheme_verify(SCHEMES[i].scheme, key, signed_bytes,
                                      sg_slice_of(bytes, len - 1), NULL));
        assert_false(sg_scheme_verify(SCHEMES[i].scheme, key, signed_bytes,
                                      sg_slice_of(bytes, len + 1), NULL));
        assert_false(
            sg_scheme_verify(SCHEMES[i].scheme, key, signed_bytes, sg_slice_of(NULL, 0), NULL));
        assert_false(sg_scheme_verify(SCHEMES[i].scheme, key, sg_slice_text("to be signee"),
                                      sg_slice_of(bytes, len), NULL));
        assert_true(
            sg_scheme_verify(SCHEMES[i].scheme, key, signed_bytes, sg_slice_of(bytes, len), NULL));
    }
}

static void another_salt_is_another_scheme(void **state)
{
    const struct pair *pair = *state;
    uint8_t bytes[LONGEST_SIGNATURE];
    size_t len = sign(pair, 3, 20, bytes);

    assert_string_equal(SCHEMES[3].text, "rsa-pss-sha256");
    assert_false(sg_scheme_verify(SG_RSA_PSS_SHA256, &pair->rsa_public,
                                  sg_slice_text("to be signed"), sg_slice_of(bytes, len), NULL));
}

static void schemes_need_their_kind_of_key(void **state)
{
    const struct pair *pair = *state;
    const struct sg_slice nothing = {0};
    struct sg_error error = {0};

    expect_failure("RSA by EC",
                   sg_scheme_verify(SG_RSA_SHA256, &pair->ec_public, nothing, nothing, &error),
                   &error, SG_POSSESSION, "a signature by rsa-sha256 can't be by a key of P-256");
    sg_error_clear(&error);
    expect_failure("EC by RSA",
                   sg_scheme_verify(SG_ECDSA_SHA256, &pair->rsa_public, nothing, nothing, &error),
                   &error, SG_POSSESSION, "can't be by a key of RSA-2048");
    sg_error_clear(&error);
    expect_failure("none",
                   sg_scheme_verify(SG_SCHEME_NONE, &pair->rsa_public, nothing, nothing, &error),
                   &error, SG_POSSESSION, "can't be by a key of RSA-2048");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemes_are_what_they_are),
        cmocka_unit_test(unknown_schemes_are_refused),
        cmocka_unit_test(every_kind_has_its_default),
        cmocka_unit_test(algorithms_are_encoded),
        cmocka_unit_test(signatures_are_verified_by_their_scheme_alone),
        cmocka_unit_test(spoilt_signatures_are_refused),
        cmocka_unit_test(another_salt_is_another_scheme),
        cmocka_unit_test(schemes_need_their_kind_of_key),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
