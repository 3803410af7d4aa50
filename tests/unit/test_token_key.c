#include "token_fixture.h"

static struct fixture fixture;
static struct sg_token_info test_token;
static struct sg_token *token; /* open from the first test to the last */

static int make(void **state)
{
    struct sg_token_config config;

    (void)state;
    fixture_init(&fixture);
    test_token = make_token("test");
    config = config_of(&fixture);
    config.module = getenv("SIGNET_ODD_MODULE");
    config.signer = SG_SIGNER_ENGINE; /* which no build needs for keys */
    token = open_token(&config);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    sg_token_close(token);
    fixture_done(&fixture);
    return 0;
}

static int reset(void **state)
{
    static const char *const VARIABLES[] = {"ODD_ATTRIBUTE", "ODD_REFUSES", "ODD_VALUE"};

    (void)state;
    for (size_t i = 0; i < NUM(VARIABLES); i++)
        unsetenv(VARIABLES[i]);
    return 0;
}

static void check_attributes(const struct sg_key *key)
{
    assert_true(key->has_private && key->has_public && !key->has_certificate);
    assert_true(key->local && key->sensitive && key->always_sensitive && key->never_extractable);
    assert_true(key->sign);
    assert_false(key->extractable || key->decrypt || key->unwrap || key->derive);
    assert_false(key->modifiable || key->always_authenticate);
}

static void creating(void **state)
{
    static const struct {
        struct sg_key_kind kind;
        const char *label, *id;
    } CASES[] = {
        {{SG_KEY_EC, 256}, "create-p256", ""},
        {{SG_KEY_EC, 384}, "create p384, with blanks", "\x01\x02"},
        {{SG_KEY_EC, 521}, "create-p521", "five"},
        {{SG_KEY_RSA, 2048}, "create-rsa", ""},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_key) struct sg_key key = {0}, found = {0};
        struct sg_slice id = sg_slice_text(CASES[i].id);
        struct sg_error error = {0};
        char digits[64], uri[128];

        expect_success(CASES[i].label,
                       sg_key_create(token, CASES[i].kind, CASES[i].label, id, &key, &error),
                       &error);
        check_attributes(&key);
        assert_string_equal(key.label, CASES[i].label);
        assert_int_equal(key.id.len, id.len > 0 ? id.len : 20);
        if (id.len > 0)
            assert_memory_equal(key.id.data, id.data, id.len);
        assert_true(sg_key_kind_equal(key.public.kind, CASES[i].kind));
        sg_hex(sg_slice_of(key.id.data, 1), digits, sizeof digits);
        snprintf(uri, sizeof uri, "pkcs11:object=%s;token=test",
                 i == 1 ? "create%20p384%2C%20with%20blanks" : CASES[i].label);
        expect_success(uri, sg_key_find(token, uri, &found, &error), &error);
        check_attributes(&found);
        assert_true(sg_public_key_equal(&key.public, &found.public));
    }
}

static void refusing_to_create(void **state)
{
    char long_label[1200];
    const struct {
        struct sg_key_kind kind;
        const char *label;
        struct sg_slice id;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {{SG_KEY_EC, 256}, "taken", {0}, SG_TOKEN, "has a private key 'taken' already"},
        {{SG_KEY_EC, 256}, "free", sg_slice_text("id"), SG_TOKEN, "with the id 6964 already"},
        {{SG_KEY_EC, 256}, "", {0}, SG_USAGE, "label has 1 to"},
        {{SG_KEY_EC, 256}, long_label, {0}, SG_USAGE, "label has 1 to"},
        {{SG_KEY_EC, 256}, "new\nline", {0}, SG_MALFORMED, "key label"},
        {{SG_KEY_EC, 256}, "k", sg_slice_of(long_label, 101), SG_USAGE, "at most 100 bytes"},
        {{SG_KEY_ED25519, 0}, "k", {0}, SG_USAGE, "no Ed25519 key is made"},
        {{SG_KEY_EC, 0}, "k", {0}, SG_USAGE, "no EC on another curve is made"},
        {{SG_KEY_RSA, 1024}, "k", {0}, SG_USAGE, "no RSA-1024 is made"},
        {{SG_KEY_NONE, 0}, "k", {0}, SG_USAGE, "is made on a token"},
        {{SG_KEY_RSA, 2560}, "k", {0}, SG_USAGE, "profile softhsm does not list RSA-2560"},
    };
    sg_auto(sg_key) struct sg_key taken = {0};
    struct sg_error error = {0};

    (void)state;
    memset(long_label, 'x', sizeof long_label - 1);
    long_label[sizeof long_label - 1] = '\0';
    expect_success(
        "taken", sg_key_create(token, P256, "taken", sg_slice_text("id"), &taken, &error), &error);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_key) struct sg_key key = {0};

        sg_error_clear(&error);
        expect_failure(
            CASES[i].part,
            sg_key_create(token, CASES[i].kind, CASES[i].label, CASES[i].id, &key, &error), &error,
            CASES[i].code, CASES[i].part);
        assert_null(key.label);
    }
}

static size_t count_keys(void)
{
    struct sg_key *keys = NULL;
    struct sg_error error = {0};
    size_t num;

    expect_success("list", sg_key_list(token, &keys, &num, &error), &error);
    for (size_t i = 0; i < num; i++)
        sg_key_done(&keys[i]);
    free(keys);
    return num;
}

/* A token that does not do as it is told: the key must not stay. */
static void attributes_that_read_back_wrong(void **state)
{
    static const struct {
        const char *odd, *name;
    } CASES[] = {
        {"0x163=0", "CKA_LOCAL"},
        {"0x103=0", "CKA_SENSITIVE"},
        {"0x103=ABSENT", "CKA_SENSITIVE"},
        {"0x165=0", "CKA_ALWAYS_SENSITIVE"},
        {"0x162=1", "CKA_EXTRACTABLE"},
        {"0x162=ABSENT", "CKA_EXTRACTABLE"},
        {"0x164=0", "CKA_NEVER_EXTRACTABLE"},
        {"0x108=0", "CKA_SIGN"},
        {"0x105=1", "CKA_DECRYPT"},
        {"0x107=1", "CKA_UNWRAP"},
        {"0x10C=1", "CKA_DERIVE"},
        {"0x170=1", "CKA_MODIFIABLE"},
        {"0x102=ABSENT", "CKA_ID"},
        {"0x3=ABSENT", "CKA_LABEL"},
        {"0x181=ABSENT", "CKA_EC_POINT"},
    };
    size_t num_before = count_keys();

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_key) struct sg_key key = {0};
        struct sg_error error = {0};

        setenv("ODD_ATTRIBUTE", CASES[i].odd, 1);
        expect_failure(CASES[i].odd,
                       sg_key_create(token, P256, "odd", (struct sg_slice){0}, &key, &error),
                       &error, SG_TOKEN, CASES[i].name);
        assert_non_null(strstr(error.text, "the new key was destroyed"));
        assert_null(key.label);
        unsetenv("ODD_ATTRIBUTE");
        assert_int_equal(count_keys(), num_before);
    }
}

static void attributes_that_a_token_does_not_know(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0}, none = {0};
    struct sg_error error = {0};

    (void)state;
    setenv("ODD_REFUSES", "0x109", 1); /* CKA_SIGN_RECOVER can be left out */
    make_key(token, "without-recover", &key);
    check_attributes(&key);
    setenv("ODD_REFUSES", "0x162", 1); /* CKA_EXTRACTABLE can't */
    expect_failure("unknown CKA_EXTRACTABLE",
                   sg_key_create(token, P256, "none", (struct sg_slice){0}, &none, &error), &error,
                   SG_TOKEN, "makes no P-256 key: CKR_ATTRIBUTE_TYPE_INVALID");
}

static void finding(void **state)
{
    static const struct {
        const char *uri;
        enum sg_code code; /* SG_OK: the key is "unique" */
        const char *part;
    } CASES[] = {
        {"pkcs11:object=unique", SG_OK, NULL},
        {"pkcs11:object=unique;type=private", SG_OK, NULL},
        {"pkcs11:token=test;object=unique", SG_OK, NULL},
        {"pkcs11:object=unique;id=u1", SG_OK, NULL},
        {"pkcs11:id=%75%31", SG_OK, NULL},
        {"pkcs11:object=unique;id=u2", SG_TOKEN, "no private key matches"},
        {"pkcs11:object=Unique", SG_TOKEN, "'unique' (id 7531)"},
        {"pkcs11:object=twin", SG_TOKEN, "2 private keys match pkcs11:object=twin"},
        {"pkcs11:id=tt", SG_TOKEN, "2 private keys match"},
        {"pkcs11:token=other;object=unique", SG_TOKEN, "is about another token than test"},
        {"pkcs11:serial=0000;object=unique", SG_TOKEN, "is about another token than test"},
        {"pkcs11:token=test", SG_USAGE, "names no key"},
        {"pkcs11:object=unique?pin-value=1", SG_USAGE, "has a pin-value"},
    };
    struct raw raw;

    (void)state;
    raw_open(&fixture, test_token.slot, &raw);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "unique", "u1", true);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "twin", "t1", true);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "twin", "t2", true);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "tt-1", "tt", true);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "tt-2", "tt", true);
    raw_close(&raw);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_key) struct sg_key key = {0};
        struct sg_error error = {0};
        bool verdict = sg_key_find(token, CASES[i].uri, &key, &error);

        if (CASES[i].code != SG_OK) {
            expect_failure(CASES[i].uri, verdict, &error, CASES[i].code, CASES[i].part);
            assert_null(key.label);
            continue;
        }
        expect_success(CASES[i].uri, verdict, &error);
        assert_string_equal(key.label, "unique");
    }
}

static const struct sg_key *find_listed(const struct sg_key *keys, size_t num, const char *label)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(keys[i].label, label) == 0)
            return &keys[i];
    fail_msg("%s is not in the list", label);
    abort(); /* fail_msg does not return, which compilers can't know */
}

/* Keys that Signet would not make are listed for what they are. */
static void listing(void **state)
{
    struct sg_key *keys = NULL;
    struct sg_error error = {0};
    struct raw raw;
    size_t num, num_before = count_keys();

    (void)state;
    raw_open(&fixture, test_token.slot, &raw);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, K256_OID, sizeof K256_OID, "listed-k256", "k1", true);
    raw_generate(&raw, CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519_OID, sizeof ED25519_OID,
                 "listed-edwards", "e1", true);
    raw_close(&raw);
    expect_success("list", sg_key_list(token, &keys, &num, &error), &error);
    assert_int_equal(num, num_before + 2);
    assert_int_equal(find_listed(keys, num, "listed-k256")->public.kind.family, SG_KEY_EC);
    assert_int_equal(find_listed(keys, num, "listed-k256")->public.kind.bits, 0);
    assert_int_equal(find_listed(keys, num, "listed-edwards")->public.kind.family, SG_KEY_ED25519);
    assert_true(find_listed(keys, num, "listed-edwards")->has_private);
    for (size_t i = 0; i < num; i++)
        sg_key_done(&keys[i]);
    free(keys);
}

/* Another process that has not logged in sees the public halves. */
static void listing_without_a_pin(void **state)
{
    struct sg_token_config config = config_of(&fixture);
    struct sg_key *keys = NULL;
    struct sg_error error = {0};
    size_t num;

    (void)state;
    sg_token_close(token); /* the last session, so nobody is logged in any more */
    config.pin = NULL;
    token = open_token(&config);
    expect_success("list", sg_key_list(token, &keys, &num, &error), &error);
    assert_true(num > 0);
    for (size_t i = 0; i < num; i++) {
        assert_true(keys[i].has_public && !keys[i].has_private);
        sg_key_done(&keys[i]);
    }
    free(keys);
    sg_token_close(token);
    config = config_of(&fixture);
    config.module = getenv("SIGNET_ODD_MODULE");
    token = open_token(&config);
}

/* A certificate for the key, signed by another one in memory. */
static void certify(const struct sg_public_key *key, const char *name, struct sg_buf *der)
{
    sg_auto(X509) X509 *certificate = X509_new();
    sg_auto(EVP_PKEY) EVP_PKEY *issuer = EVP_EC_gen("P-256");
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    struct sg_error error = {0};
    int len;

    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const uint8_t *)name, -1, -1, 0);
    X509_set_pubkey(certificate, key->pkey);
    assert_true(X509_sign(certificate, issuer, EVP_sha256()) > 0);
    len = i2d_X509(certificate, &bytes);
    assert_true(len > 0);
    assert_true(sg_buf_set(der, sg_slice_of(bytes, (size_t)len), &error));
}

static void certificates(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0}, other = {0}, found = {0};
    sg_auto(sg_buf) struct sg_buf first = {0}, second = {0}, alien = {0}, read = {0};
    struct sg_error error = {0};

    (void)state;
    make_key(token, "certified", &key);
    make_key(token, "uncertified", &other);
    certify(&key.public, "first", &first);
    certify(&key.public, "second", &second);
    certify(&other.public, "alien", &alien);
    expect_failure("none yet", sg_token_get_certificate(token, &key, &read, &error), &error,
                   SG_TOKEN, "has no certificate for key 'certified'");
    sg_error_clear(&error);
    expect_failure("another key's",
                   sg_token_put_certificate(token, &key, sg_buf_slice(&alien), true, &error),
                   &error, SG_REFUSED, "is for another key than 'certified'");
    sg_error_clear(&error);
    expect_success(
        "put", sg_token_put_certificate(token, &key, sg_buf_slice(&first), false, &error), &error);
    expect_success("get", sg_token_get_certificate(token, &key, &read, &error), &error);
    assert_true(sg_slice_equal(sg_buf_slice(&read), sg_buf_slice(&first)));
    expect_failure("one is there",
                   sg_token_put_certificate(token, &key, sg_buf_slice(&second), false, &error),
                   &error, SG_FAILED, "--force replaces it");
    sg_error_clear(&error);
    expect_success("replace",
                   sg_token_put_certificate(token, &key, sg_buf_slice(&second), true, &error),
                   &error);
    expect_success("get", sg_token_get_certificate(token, &key, &read, &error), &error);
    assert_true(sg_slice_equal(sg_buf_slice(&read), sg_buf_slice(&second)));
    expect_success("find", sg_key_find(token, "pkcs11:object=certified", &found, &error), &error);
    assert_true(found.has_certificate);
}

static void bad_certificates(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_buf) struct sg_buf der = {0}, read = {0};
    struct sg_key untold = {.label = (char[]){"untold"}, .has_private = true};
    struct sg_error error = {0};

    (void)state;
    make_key(token, "badly-certified", &key);
    certify(&key.public, "bad", &der);
    expect_failure("no certificate",
                   sg_token_put_certificate(token, &key, sg_slice_text("nonsense"), false, &error),
                   &error, SG_MALFORMED, "not a certificate");
    sg_error_clear(&error);
    expect_failure("no public half",
                   sg_token_put_certificate(token, &untold, sg_buf_slice(&der), false, &error),
                   &error, SG_TOKEN, "does not tell the public half of key 'untold'");
    sg_error_clear(&error);
    setenv("ODD_VALUE", "1", 1);
    expect_failure("does not read back",
                   sg_token_put_certificate(token, &key, sg_buf_slice(&der), false, &error), &error,
                   SG_TOKEN, "does not read back");
    unsetenv("ODD_VALUE");
    sg_error_clear(&error);
    expect_failure("and is gone", sg_token_get_certificate(token, &key, &read, &error), &error,
                   SG_TOKEN, "has no certificate");
    sg_error_clear(&error);
    assert_true(sg_buf_append(&der, "x", 1, 1 << 16, &error));
    expect_failure("trailing data",
                   sg_token_put_certificate(token, &key, sg_buf_slice(&der), false, &error), &error,
                   SG_MALFORMED, "1 bytes follow");
}

static void destroying(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_key) struct sg_key other = {0};
    sg_auto(sg_key) struct sg_key found = {0};
    sg_auto(sg_key) struct sg_key twin = {0};
    struct sg_error error = {0};
    struct raw raw;

    (void)state;
    make_key(token, "destroy", &key);
    make_key(token, "destroy-not", &other);
    expect_success("destroy", sg_key_destroy(token, &key, &error), &error);
    expect_failure("gone", sg_key_find(token, "pkcs11:object=destroy", &found, &error), &error,
                   SG_TOKEN, "destroy");
    sg_error_clear(&error);
    expect_success("the other stays",
                   sg_key_find(token, "pkcs11:object=destroy-not", &found, &error), &error);
    /* Which of two is meant, nobody knows. */
    raw_open(&fixture, test_token.slot, &raw);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "twin-1", "tw", true);
    expect_success("one", sg_key_find(token, "pkcs11:object=twin-1", &twin, &error), &error);
    raw_generate(&raw, CKM_EC_KEY_PAIR_GEN, P256_OID, sizeof P256_OID, "twin-2", "tw", true);
    raw_close(&raw);
    expect_failure("two of an id", sg_key_destroy(token, &twin, &error), &error, SG_TOKEN,
                   "2 objects with the id");
    sg_error_clear(&error);
    sg_key_done(&found);
    found = (struct sg_key){0};
    expect_success("both stay", sg_key_find(token, "pkcs11:object=twin-1", &found, &error), &error);
}

/* A pair for somebody else: whole, not the same twice, and none of it stays. */
static void making_to_give(void **state)
{
    static const struct sg_key_kind KINDS[] = {
        {SG_KEY_EC, 256}, {SG_KEY_EC, 384}, {SG_KEY_EC, 521}, {SG_KEY_RSA, 2048}};
    size_t before = count_keys();

    (void)state;
    for (size_t i = 0; i < NUM(KINDS); i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *one = NULL, *other = NULL;
        struct sg_error error = {0};

        expect_success("one", sg_key_make_to_give(token, KINDS[i], &one, &error), &error);
        expect_success("other", sg_key_make_to_give(token, KINDS[i], &other, &error), &error);
        assert_true(EVP_PKEY_is_a(one, KINDS[i].family == SG_KEY_RSA ? "RSA" : "EC"));
        assert_int_equal(EVP_PKEY_get_bits(one), KINDS[i].bits);
        assert_int_not_equal(EVP_PKEY_eq(one, other), 1);
        assert_int_equal(count_keys(), before);
    }
}

static void making_to_give_in_vain(void **state)
{
    static const struct sg_key_kind RSA = {SG_KEY_RSA, 2048},
                                    OTHERS[] = {{SG_KEY_ED25519, 0}, {SG_KEY_RSA, 1024},
                                                {SG_KEY_RSA, 8192},  {SG_KEY_EC, 0},
                                                {SG_KEY_ML_DSA, 65}, {SG_KEY_NONE, 0}};
    EVP_PKEY *none = NULL;
    struct sg_error error = {0};

    (void)state;
    for (size_t i = 0; i < NUM(OTHERS); i++) {
        expect_failure("another kind", sg_key_make_to_give(token, OTHERS[i], &none, &error), &error,
                       SG_USAGE, "is made to be given away");
        sg_error_clear(&error);
    }
    setenv("ODD_REFUSES", "0x162", 1); /* CKA_EXTRACTABLE */
    expect_failure("refused", sg_key_make_to_give(token, P256, &none, &error), &error, SG_TOKEN,
                   "makes no P-256 key that it would give away");
    sg_error_clear(&error);
    expect_failure("refused, too", sg_key_make_to_give(token, RSA, &none, &error), &error, SG_TOKEN,
                   "makes no RSA-2048 key that it would give away");
    unsetenv("ODD_REFUSES");
    setenv("ODD_VALUE", "1", 1);
    sg_error_clear(&error);
    expect_failure("another value", sg_key_make_to_give(token, P256, &none, &error), &error,
                   SG_TOKEN, "is no key");
    assert_null(none);
}

/* ---- keys from elsewhere ---- */

static void putting(void **state)
{
    static const char *const KINDS[] = {"P-256", "P-384", "P-521", "RSA-4096"};
    static const enum sg_scheme SCHEMES[] = {SG_ECDSA_SHA256, SG_ECDSA_SHA384, SG_ECDSA_SHA512,
                                             SG_RSA_SHA256};
    const struct sg_slice bytes = sg_slice_text("to be signed");

    (void)state;
    for (size_t i = 0; i < NUM(KINDS); i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *pkey = i < 3 ? EVP_EC_gen(KINDS[i]) : EVP_RSA_gen(4096);
        sg_auto(sg_key) struct sg_key key = {0};
        sg_auto(sg_signer) struct sg_signer *signer = NULL;
        sg_auto(sg_buf) struct sg_buf signature = {0};
        struct sg_error error = {0};

        expect_success(KINDS[i],
                       sg_key_put(token, pkey, KINDS[i], sg_slice_of("", 0), &key, &error), &error);
        assert_int_equal(EVP_PKEY_eq(key.public.pkey, pkey), 1);
        assert_true(key.sensitive && !key.extractable && !key.local && key.sign);
        assert_false(key.decrypt || key.derive || key.unwrap || key.modifiable);
        expect_success("open", sg_signer_open(token, &key, &signer, &error), &error);
        expect_success("sign", sg_signer_sign(signer, SCHEMES[i], bytes, &signature, &error),
                       &error);
        expect_success("verify",
                       sg_signer_check_signature(SCHEMES[i], &key.public, bytes,
                                                 sg_buf_slice(&signature), &error),
                       &error);
        expect_failure("the label is taken",
                       sg_key_put(token, pkey, KINDS[i], sg_slice_of("\7", 1), &key, &error),
                       &error, SG_TOKEN, KINDS[i]);
    }
}

static void putting_in_vain(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    sg_auto(EVP_PKEY) EVP_PKEY *rsa = EVP_RSA_gen(2048);
    const size_t before = count_keys();
    struct sg_key untouched = {0};
    struct sg_error error = {0};

    (void)state;
    expect_failure("Ed25519",
                   sg_key_put(token, edwards, "edwards", sg_slice_of("", 0), &untouched, &error),
                   &error, SG_REFUSED, "only keys of RSA and on P-256, P-384 and P-521");
    sg_error_clear(&error);
    expect_failure("no label", sg_key_put(token, rsa, "", sg_slice_of("", 0), &untouched, &error),
                   &error, SG_USAGE, "a key has a label");
    sg_error_clear(&error);
    setenv("ODD_ATTRIBUTE", "0x103=0", 1);
    expect_failure("readable after all",
                   sg_key_put(token, rsa, "readable", sg_slice_of("", 0), &untouched, &error),
                   &error, SG_TOKEN, "with another CKA_SENSITIVE than stated");
    unsetenv("ODD_ATTRIBUTE");
    assert_null(untouched.label);
    assert_int_equal(count_keys(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(creating, reset),
        cmocka_unit_test_setup(refusing_to_create, reset),
        cmocka_unit_test_setup(attributes_that_read_back_wrong, reset),
        cmocka_unit_test_setup(attributes_that_a_token_does_not_know, reset),
        cmocka_unit_test_setup(finding, reset),
        cmocka_unit_test_setup(certificates, reset),
        cmocka_unit_test_setup(bad_certificates, reset),
        cmocka_unit_test_setup(destroying, reset),
        cmocka_unit_test_setup(making_to_give, reset),
        cmocka_unit_test_setup(making_to_give_in_vain, reset),
        cmocka_unit_test_setup(putting, reset),
        cmocka_unit_test_setup(putting_in_vain, reset),
        cmocka_unit_test_setup(listing, reset),
        cmocka_unit_test_setup(listing_without_a_pin, reset),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
