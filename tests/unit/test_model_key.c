#include "expect.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "base/limits.h"
#include "ml_dsa.h"
#include "model/key.h"
#include "model/undecoded.h"

static void kinds_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        struct sg_key_kind kind;
    } CASES[] = {
        {"RSA-2048", {SG_KEY_RSA, 2048}},   {"RSA-3072", {SG_KEY_RSA, 3072}},
        {"RSA-4096", {SG_KEY_RSA, 4096}},   {"P-256", {SG_KEY_EC, 256}},
        {"P-384", {SG_KEY_EC, 384}},        {"P-521", {SG_KEY_EC, 521}},
        {"Ed25519", {SG_KEY_ED25519, 0}},   {"ML-DSA-44", {SG_KEY_ML_DSA, 44}},
        {"ML-DSA-65", {SG_KEY_ML_DSA, 65}}, {"ML-DSA-87", {SG_KEY_ML_DSA, 87}},
    };
    static const char *const WRONG[] = {"",           "RSA",    "RSA-1024",  "rsa2048", "P-512",
                                        "prime256v1", "ML-DSA", "ML-DSA-66", "mldsa65"};
    char text[SG_KEY_KIND_TEXT_SIZE];
    struct sg_key_kind small = {0};

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_key_kind kind = {0};

        assert_true(sg_key_kind_parse(CASES[i].text, &kind, NULL));
        assert_true(sg_key_kind_equal(kind, CASES[i].kind));
        assert_string_equal(sg_key_kind_text(kind, text), CASES[i].text);
    }
    assert_true(sg_key_kind_parse("ml-dsa-65", &small, NULL));
    assert_true(sg_key_kind_equal(small, (struct sg_key_kind){SG_KEY_ML_DSA, 65}));
    for (size_t i = 0; i < NUM(WRONG); i++) {
        struct sg_key_kind kind = {SG_KEY_OTHER, 7};
        struct sg_error error = {0};

        expect_failure(WRONG[i], sg_key_kind_parse(WRONG[i], &kind, &error), &error, SG_USAGE,
                       "is no kind of key: use RSA-2048, RSA-3072");
        assert_int_equal(kind.bits, 7);
    }
}

static void odd_kinds_have_names(void **state)
{
    static const struct {
        struct sg_key_kind kind;
        const char *text;
    } CASES[] = {
        {{SG_KEY_NONE, 0}, "no key"},
        {{SG_KEY_EC, 0}, "EC on another curve"},
        {{SG_KEY_OTHER, 0}, "another kind of key"},
        {{SG_KEY_RSA, 1023}, "RSA-1023"},
    };
    char text[SG_KEY_KIND_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        assert_string_equal(sg_key_kind_text(CASES[i].kind, text), CASES[i].text);
    assert_false(sg_key_kind_equal(CASES[0].kind, CASES[1].kind));
    assert_false(sg_key_kind_equal((struct sg_key_kind){SG_KEY_EC, 256},
                                   (struct sg_key_kind){SG_KEY_EC, 384}));
}

/* A key of a kind that OpenSSL calls name: a curve, "RSA", "ED25519", "X25519". */
static EVP_PKEY *new_key(const char *name)
{
    EVP_PKEY *key = NULL;

    if (strcmp(name, "RSA") == 0)
        key = EVP_RSA_gen(2048);
    else if (strstr(name, "25519") != NULL)
        key = EVP_PKEY_Q_keygen(NULL, NULL, name);
    else
        key = EVP_EC_gen(name);
    assert_non_null(key);
    return key;
}

static void take_spki(const EVP_PKEY *key, struct sg_buf *spki)
{
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    assert_true(len > 0);
    assert_true(sg_buf_set(spki, sg_slice_of(der, (size_t)len), NULL));
}

static void keys_are_decoded(void **state)
{
    static const struct {
        const char *name;
        struct sg_key_kind kind;
    } CASES[] = {
        {"RSA", {SG_KEY_RSA, 2048}},      {"P-256", {SG_KEY_EC, 256}},
        {"P-384", {SG_KEY_EC, 384}},      {"P-521", {SG_KEY_EC, 521}},
        {"secp256k1", {SG_KEY_EC, 0}},    {"brainpoolP256r1", {SG_KEY_EC, 0}},
        {"ED25519", {SG_KEY_ED25519, 0}}, {"X25519", {SG_KEY_OTHER, 0}},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key(CASES[i].name);
        sg_auto(sg_buf) struct sg_buf spki = {0};
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        struct sg_error error = {0};
        uint8_t sha256[SG_SHA256_LEN];

        take_spki(pkey, &spki);
        expect_success(CASES[i].name, sg_public_key_decode(sg_buf_slice(&spki), &key, &error),
                       &error);
        if (!sg_key_kind_equal(key.kind, CASES[i].kind))
            fail_msg("%s: family %d, %u bits", CASES[i].name, key.kind.family, key.kind.bits);
        assert_true(sg_slice_equal(sg_buf_slice(&key.spki), sg_buf_slice(&spki)));
        sg_sha256(sg_buf_slice(&spki), sha256);
        assert_memory_equal(key.sha256, sha256, sizeof sha256);
        assert_int_equal(EVP_PKEY_eq(key.pkey, pkey), 1);
    }
}

static void expect_refused(const char *name, struct sg_slice spki, enum sg_code code,
                           const char *complaint)
{
    struct sg_public_key key = {0};
    struct sg_error error = {0};

    expect_failure(name, sg_public_key_decode(spki, &key, &error), &error, code, complaint);
    assert_null(key.pkey);
    assert_null(key.spki.data);
}

/* Each case changes one thing about a good key on P-256, whose SubjectPublicKeyInfo is
 * 30 59 (30 13 (06 07 …) (06 08 …)) (03 42 00 04 …). */
static void spoilt_ec_keys_are_refused(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t flip;
        enum sg_code code;
        const char *complaint;
    } CASES[] = {
        {"an outer tag", 0, 0x01, SG_MALFORMED, "no SubjectPublicKeyInfo"},
        {"a length", 1, 0x01, SG_MALFORMED, "no SubjectPublicKeyInfo"},
        {"an unknown algorithm", 10, 0x40, SG_KEY_QUALITY, "can't decode a key of the algorithm"},
        {"an unknown curve", 22, 0x40, SG_MALFORMED, "does not know the curve 1.2.840.10045.3.1"},
        {"a hybrid point", 26, 0x02, SG_KEY_QUALITY, "compressed or no point"},
        {"a point off the curve", 60, 0x01, SG_MALFORMED, "its point is not on its curve"},
    };
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key("P-256");
    sg_auto(sg_buf) struct sg_buf spki = {0};

    (void)state;
    take_spki(pkey, &spki);
    for (size_t i = 0; i < NUM(CASES); i++) {
        spki.data[CASES[i].at] ^= CASES[i].flip;
        expect_refused(CASES[i].name, sg_buf_slice(&spki), CASES[i].code, CASES[i].complaint);
        spki.data[CASES[i].at] ^= CASES[i].flip;
    }
    assert_true(sg_buf_append(&spki, "\0\0", 2, SG_LIMIT_SPKI, NULL));
    expect_refused("trailing bytes", sg_buf_slice(&spki), SG_MALFORMED,
                   "2 bytes follow the public key");
    expect_refused("cut short", sg_slice_of(spki.data, spki.len - 3), SG_MALFORMED,
                   "no SubjectPublicKeyInfo");
    expect_refused("nothing", sg_slice_of(NULL, 0), SG_MALFORMED, "the public key is empty");
}

static void refuse_point(const char *curve, struct sg_slice spki)
{
    expect_refused(curve, spki, SG_MALFORMED, "its point is not on its curve");
}

/* What is decoded counts as checked, so each way to be off the curve must end here. */
static void points_off_their_curves_are_refused(void **state)
{
    static const char *const CURVES[] = {"P-256", "P-384", "P-521"};

    (void)state;
    for (size_t i = 0; i < NUM(CURVES); i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key(CURVES[i]);
        const size_t point_len = 2 * (((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8);
        sg_auto(sg_buf) struct sg_buf spki = {0};
        sg_auto(sg_public_key) struct sg_public_key key = {0};

        take_spki(pkey, &spki);
        assert_true(sg_public_key_decode(sg_buf_slice(&spki), &key, NULL));
        assert_true(key.is_on_curve);
        spki.data[spki.len - 1] ^= 1; /* another y */
        refuse_point(CURVES[i], sg_buf_slice(&spki));
        spki.data[spki.len - 1] ^= 1;
        spki.data[spki.len - point_len / 2 - 1] ^= 1; /* another x */
        refuse_point(CURVES[i], sg_buf_slice(&spki));
        memset(spki.data + spki.len - point_len, 0, point_len);
        refuse_point(CURVES[i], sg_buf_slice(&spki));
        memset(spki.data + spki.len - point_len, 0xff, point_len);
        refuse_point(CURVES[i], sg_buf_slice(&spki));
    }
}

/* The same point written with x + p, for which P-521's coordinates have room: a second encoding. */
static void coordinates_beyond_the_field_are_refused(void **state)
{
    enum { LEN = 66 };
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key("P-521");
    sg_auto(sg_buf) struct sg_buf spki = {0};
    sg_auto(BIGNUM) BIGNUM *x = NULL, *p = BN_new();
    uint8_t *at;

    (void)state;
    take_spki(pkey, &spki);
    at = spki.data + spki.len - 2 * (size_t)LEN;
    x = BN_bin2bn(at, LEN, NULL);
    assert_true(BN_set_bit(p, 521) && BN_sub_word(p, 1) && BN_add(x, x, p));
    assert_int_equal(BN_bn2binpad(x, at, LEN), LEN);
    refuse_point("P-521", sg_buf_slice(&spki));
}

static void huge_keys_are_refused(void **state)
{
    static const uint8_t HUGE_KEY[SG_LIMIT_SPKI + 1];

    (void)state;
    expect_refused("huge", sg_slice_of(HUGE_KEY, sizeof HUGE_KEY), SG_MALFORMED,
                   "longer than 8192 bytes");
}

static void second_encodings_are_refused(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key("P-256");
    sg_auto(sg_buf) struct sg_buf spki = {0}, ber = {0};

    (void)state;
    take_spki(pkey, &spki);
    assert_true(sg_buf_append(&ber, "\x30\x81\x59", 3, SG_LIMIT_SPKI, NULL));
    assert_true(sg_buf_append(&ber, spki.data + 2, spki.len - 2, SG_LIMIT_SPKI, NULL));
    expect_refused("a length in BER", sg_buf_slice(&ber), SG_MALFORMED, "the public key is in BER");

    spki.data[25] = 1;
    spki.data[spki.len - 1] &= 0xfe;
    expect_refused("unused bits", sg_buf_slice(&spki), SG_MALFORMED, "has unused bits");

    assert_true(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                               "compressed"));
    take_spki(pkey, &spki);
    expect_refused("compressed", sg_buf_slice(&spki), SG_KEY_QUALITY, "send it uncompressed");
}

static void explicit_curves_are_refused(void **state)
{
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;
    sg_auto(sg_buf) struct sg_buf spki = {0};

    (void)state;
    assert_true(EVP_PKEY_keygen_init(context) > 0);
    assert_true(EVP_PKEY_CTX_set_group_name(context, "P-256") > 0);
    assert_true(EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_EXPLICIT_CURVE) > 0);
    assert_true(EVP_PKEY_generate(context, &pkey) > 0);
    take_spki(pkey, &spki);
    expect_refused("explicit", sg_buf_slice(&spki), SG_KEY_QUALITY,
                   "spells out its curve's parameters");
}

/* The key with its algorithm's OID and parameters replaced, and tail after the key's bits. */
static void rebuild(const char *name, const char *algorithm, int parameter_type, const char *tail,
                    struct sg_buf *spki)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key(name);
    sg_auto(X509_PUBKEY) X509_PUBKEY *encoded = X509_PUBKEY_new(), *good = NULL;
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    const unsigned char *bits = NULL;
    unsigned char *copy = NULL;
    int len = 0;

    assert_true(X509_PUBKEY_set(&good, pkey));
    assert_true(X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, good));
    copy = OPENSSL_malloc((size_t)len + strlen(tail));
    assert_non_null(copy);
    memcpy(copy, bits, (size_t)len);
    memcpy(copy + len, tail, strlen(tail));
    assert_true(X509_PUBKEY_set0_param(encoded, OBJ_txt2obj(algorithm, 1), parameter_type, NULL,
                                       copy, len + (int)strlen(tail)));
    len = i2d_X509_PUBKEY(encoded, &der);
    assert_true(len > 0);
    assert_true(sg_buf_set(spki, sg_slice_of(der, (size_t)len), NULL));
}

static void algorithms_are_checked(void **state)
{
    static const char RSA[] = "1.2.840.113549.1.1.1", ED25519[] = "1.3.101.112",
                      EC[] = "1.2.840.10045.2.1", UNKNOWN[] = "1.3.6.1.4.1.32473.8";
    static const struct {
        const char *name, *algorithm;
        int parameter_type;
        const char *tail;
        enum sg_code code;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {"RSA", RSA, V_ASN1_NULL, "", SG_OK, NULL},
        {"RSA", RSA, V_ASN1_UNDEF, "", SG_MALFORMED, "algorithm parameters are not NULL"},
        {"RSA", RSA, V_ASN1_NULL, "x", SG_MALFORMED, "not a SEQUENCE in DER"},
        {"P-256", RSA, V_ASN1_NULL, "", SG_MALFORMED, "not a SEQUENCE in DER"},
        {"ED25519", ED25519, V_ASN1_UNDEF, "", SG_OK, NULL},
        {"ED25519", ED25519, V_ASN1_NULL, "", SG_MALFORMED, "must be absent"},
        {"ED25519", ED25519, V_ASN1_UNDEF, "x", SG_MALFORMED, "Ed25519 key can't be decoded"},
        {"P-256", EC, V_ASN1_UNDEF, "", SG_KEY_QUALITY, "does not name its curve"},
        {"P-256", EC, V_ASN1_NULL, "", SG_KEY_QUALITY, "does not name its curve"},
        {"P-256", UNKNOWN, V_ASN1_UNDEF, "", SG_KEY_QUALITY, "1.3.6.1.4.1.32473.8: use RSA"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf spki = {0};

        rebuild(CASES[i].name, CASES[i].algorithm, CASES[i].parameter_type, CASES[i].tail, &spki);
        if (CASES[i].complaint == NULL) {
            sg_auto(sg_public_key) struct sg_public_key key = {0};
            struct sg_error error = {0};

            expect_success(CASES[i].name, sg_public_key_decode(sg_buf_slice(&spki), &key, &error),
                           &error);
        } else {
            expect_refused(CASES[i].name, sg_buf_slice(&spki), CASES[i].code, CASES[i].complaint);
        }
    }
}

static void take_ml_dsa_spki(const char *oid, int parameter_type, int key_len, struct sg_buf *spki)
{
    sg_auto(X509_PUBKEY) X509_PUBKEY *encoded = X509_PUBKEY_new();
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    int len = 0;

    fill_ml_dsa_spki(encoded, oid, parameter_type, key_len);
    len = i2d_X509_PUBKEY(encoded, &der);
    assert_true(len > 0);
    assert_true(sg_buf_set(spki, sg_slice_of(der, (size_t)len), NULL));
}

/* What differs by the OpenSSL that runs is in the verdict, not in whether it is asked for. */
static void ml_dsa_needs_its_openssl(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(ML_DSA_SETS); i++) {
        const struct sg_key_kind kind = {SG_KEY_ML_DSA, ML_DSA_SETS[i].bits};
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_error error = {0}, why = {0};
        struct sg_slice spki;
        char needed[100];

        take_ml_dsa_spki(ML_DSA_SETS[i].oid, V_ASN1_UNDEF, ML_DSA_SETS[i].key_len, &der);
        spki = sg_buf_slice(&der);
        snprintf(needed, sizeof needed, "%s needs OpenSSL 3.5 or newer, and this is OpenSSL %s",
                 ML_DSA_SETS[i].name, OpenSSL_version(OPENSSL_VERSION_STRING));
        assert_string_equal(sg_key_ml_dsa_oid(kind), ML_DSA_SETS[i].oid);
        if (has_ml_dsa()) {
            expect_success(ML_DSA_SETS[i].name, sg_key_kind_check_openssl(kind, &why), &why);
            expect_success(ML_DSA_SETS[i].name, sg_public_key_decode(spki, &key, &error), &error);
            assert_true(sg_key_kind_equal(key.kind, kind));
        } else {
            expect_failure(ML_DSA_SETS[i].name, sg_key_kind_check_openssl(kind, &why), &why,
                           SG_USAGE, needed);
            expect_refused(ML_DSA_SETS[i].name, spki, SG_KEY_QUALITY, needed);
        }
    }
    assert_null(sg_key_ml_dsa_oid((struct sg_key_kind){SG_KEY_ML_DSA, 0}));
    assert_null(sg_key_ml_dsa_oid((struct sg_key_kind){SG_KEY_EC, 44}));
}

static void broken_ml_dsa_is_refused(void **state)
{
    static const struct {
        const char *name;
        int parameter_type, key_len;
        enum sg_code code, without; /* without: where OpenSSL does not know ML-DSA */
        const char *complaint, *complaint_without;
    } CASES[] = {
        {"NULL parameters", V_ASN1_NULL, 1952, SG_MALFORMED, SG_MALFORMED,
         "parameters, which must be absent", "parameters, which must be absent"},
        {"a byte too few", V_ASN1_UNDEF, 1951, SG_MALFORMED, SG_KEY_QUALITY,
         "the ML-DSA-65 key can't be decoded", "ML-DSA-65 needs OpenSSL 3.5"},
        {"a byte too many", V_ASN1_UNDEF, 1953, SG_MALFORMED, SG_KEY_QUALITY,
         "the ML-DSA-65 key can't be decoded", "ML-DSA-65 needs OpenSSL 3.5"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf der = {0};

        take_ml_dsa_spki("2.16.840.1.101.3.4.3.18", CASES[i].parameter_type, CASES[i].key_len,
                         &der);
        expect_refused(CASES[i].name, sg_buf_slice(&der),
                       has_ml_dsa() ? CASES[i].code : CASES[i].without,
                       has_ml_dsa() ? CASES[i].complaint : CASES[i].complaint_without);
    }
}

/* Each passes for a SEQUENCE in DER, and is no RSAPublicKey (RFC 8017 A.1.1). */
static void sequences_that_are_no_rsa_key_are_refused(void **state)
{
    static const struct {
        const char *name;
        uint8_t content[9], len;
    } CASES[] = {
        {"an OCTET STRING for the modulus", {0x04, 1, 3, 0x02, 1, 3}, 6},
        {"a negative modulus", {0x02, 1, 0x83, 0x02, 1, 3}, 6},
        {"no modulus but zero", {0x02, 1, 0, 0x02, 1, 3}, 6},
        {"a negative exponent", {0x02, 1, 3, 0x02, 1, 0x83}, 6},
        {"one number", {0x02, 1, 3}, 3},
        {"three numbers", {0x02, 1, 3, 0x02, 1, 3, 0x02, 1, 3}, 9},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        uint8_t spki[32] = {0x30, 0,    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                            0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0,    0x00, 0x30, 0};
        enum { PREFIX = 22 };

        memcpy(spki + PREFIX, CASES[i].content, CASES[i].len);
        spki[PREFIX - 1] = CASES[i].len;
        spki[PREFIX - 4] = (uint8_t)(CASES[i].len + 3);
        spki[1] = (uint8_t)(PREFIX - 2 + CASES[i].len);
        expect_refused(CASES[i].name, sg_slice_of(spki, PREFIX + (size_t)CASES[i].len),
                       SG_MALFORMED, "the RSA key can't be decoded");
    }
}

/* What holds a key is decoded without it, and is the same otherwise. */
static void what_holds_a_key_is_decoded_without_it(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key("P-256");
    sg_auto(X509) X509 *certificate = X509_new(), *decoded = NULL;
    sg_auto(openssl_bytes) uint8_t *der = NULL, *again = NULL;
    const uint8_t *at = NULL;
    int len;

    (void)state;
    assert_true(X509_set_pubkey(certificate, pkey));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 1));
    assert_true(X509_sign(certificate, pkey, EVP_sha256()) > 0);
    len = i2d_X509(certificate, &der);
    at = der;
    decoded = sg_undecoded_certificate(&at, len);
    assert_non_null(decoded);
    assert_ptr_equal(at, der + len);
    assert_int_equal(ERR_peek_error(), 0);
    assert_null(X509_get0_pubkey(decoded));
    ERR_clear_error();
    assert_int_equal(i2d_X509(decoded, &again), len);
    assert_memory_equal(der, again, (size_t)len);
    at = der;
    assert_null(sg_undecoded_certificate(&at, len - 1));
    assert_int_not_equal(ERR_peek_error(), 0);
    ERR_clear_error();
}

static void certificates_give_their_key(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = new_key("P-384"), *other_pkey = new_key("P-384");
    sg_auto(X509) X509 *certificate = X509_new();
    sg_auto(sg_buf) struct sg_buf spki = {0};
    sg_auto(sg_public_key) struct sg_public_key key = {0}, other = {0};
    struct sg_error error = {0};
    uint8_t id[SG_KEY_ID_LEN], wanted[EVP_MAX_MD_SIZE];

    (void)state;
    assert_true(X509_set_pubkey(certificate, pkey));
    expect_success("certificate", sg_public_key_of_certificate(certificate, &key, &error), &error);
    assert_true(sg_public_key_id(&key, id, &error));
    assert_true(X509_pubkey_digest(certificate, EVP_sha1(), wanted, NULL));
    assert_memory_equal(id, wanted, sizeof id);

    take_spki(other_pkey, &spki);
    assert_true(sg_public_key_decode(sg_buf_slice(&spki), &other, NULL));
    assert_false(sg_public_key_equal(&key, &other));
    sg_public_key_done(&other);
    take_spki(pkey, &spki);
    assert_true(sg_public_key_decode(sg_buf_slice(&spki), &other, NULL));
    assert_true(sg_public_key_equal(&key, &other));
}

static void no_key_is_an_error(void **state)
{
    sg_auto(X509) X509 *certificate = X509_new();
    struct sg_public_key key = {0};
    struct sg_error error = {0};
    uint8_t id[SG_KEY_ID_LEN];

    (void)state;
    expect_failure("empty", sg_public_key_id(&key, id, &error), &error, SG_INTERNAL,
                   "has no identifier");
    sg_error_clear(&error);
    expect_failure("certificate", sg_public_key_of_certificate(certificate, &key, &error), &error,
                   SG_MALFORMED, "public key can't be encoded");
    sg_public_key_done(&key);
    sg_public_key_done(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_read_and_written),
        cmocka_unit_test(odd_kinds_have_names),
        cmocka_unit_test(keys_are_decoded),
        cmocka_unit_test(spoilt_ec_keys_are_refused),
        cmocka_unit_test(points_off_their_curves_are_refused),
        cmocka_unit_test(coordinates_beyond_the_field_are_refused),
        cmocka_unit_test(huge_keys_are_refused),
        cmocka_unit_test(second_encodings_are_refused),
        cmocka_unit_test(explicit_curves_are_refused),
        cmocka_unit_test(algorithms_are_checked),
        cmocka_unit_test(ml_dsa_needs_its_openssl),
        cmocka_unit_test(broken_ml_dsa_is_refused),
        cmocka_unit_test(sequences_that_are_no_rsa_key_are_refused),
        cmocka_unit_test(what_holds_a_key_is_decoded_without_it),
        cmocka_unit_test(certificates_give_their_key),
        cmocka_unit_test(no_key_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
