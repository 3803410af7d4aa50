#include "ml_dsa.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* after pem.h, or it does not say how CMS is written as PEM */
#include <openssl/cms.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "enroll/file_key.h"
#include "request/request.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    setenv("SIGNET_TEST_PASSPHRASE", "correct horse", 1);
    setenv("SIGNET_TEST_OTHER", "battery staple", 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static const char *in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct sg_secret *secret(const char *text)
{
    struct sg_secret *made = NULL;

    assert_true(sg_secret_new(strlen(text), &made, NULL));
    memcpy(sg_secret_data(made), text, strlen(text));
    return made;
}

static struct sg_file_key *make(enum sg_key_family family, unsigned bits)
{
    struct sg_file_key *key = NULL;
    struct sg_error error = {0};

    expect_success("make", sg_file_key_make((struct sg_key_kind){family, bits}, &key, &error),
                   &error);
    return key;
}

/* The verdict on a kind of key that the OpenSSL that runs does not know. */
static void expect_not_made(enum sg_key_family family, unsigned bits)
{
    struct sg_file_key *none = NULL;
    struct sg_error error = {0};
    char needed[64];

    snprintf(needed, sizeof needed, "ML-DSA-%u needs OpenSSL 3.5 or newer", bits);
    expect_failure(needed, sg_file_key_make((struct sg_key_kind){family, bits}, &none, &error),
                   &error, SG_USAGE, needed);
    assert_null(none);
}

static void keys_come_back(void **state)
{
    static const struct {
        const char *name;
        enum sg_key_family family;
        unsigned bits;
        bool is_encrypted;
        enum sg_kdf kdf;
    } CASES[] = {
        {"rsa", SG_KEY_RSA, 2048, true, SG_KDF_SCRYPT},
        {"p256", SG_KEY_EC, 256, true, SG_KDF_PBKDF2},
        {"p384", SG_KEY_EC, 384, false, SG_KDF_SCRYPT},
        {"p521", SG_KEY_EC, 521, true, SG_KDF_SCRYPT},
        {"ed25519", SG_KEY_ED25519, 0, true, SG_KDF_SCRYPT},
        {"ed25519-plain", SG_KEY_ED25519, 0, false, SG_KDF_SCRYPT},
        {"ml-dsa-44", SG_KEY_ML_DSA, 44, true, SG_KDF_PBKDF2},
        {"ml-dsa-65", SG_KEY_ML_DSA, 65, true, SG_KDF_SCRYPT},
        {"ml-dsa-87", SG_KEY_ML_DSA, 87, false, SG_KDF_SCRYPT},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        if (CASES[i].family == SG_KEY_ML_DSA && !has_ml_dsa()) {
            expect_not_made(CASES[i].family, CASES[i].bits);
            continue;
        }
        sg_auto(sg_file_key) struct sg_file_key *key = make(CASES[i].family, CASES[i].bits);
        sg_auto(sg_file_key) struct sg_file_key *read = NULL;
        sg_auto(sg_secret) struct sg_secret *passphrase =
            CASES[i].is_encrypted ? secret("correct horse") : NULL;
        const char *path = in_folder(CASES[i].name);
        struct sg_error error = {0};
        struct stat about;

        expect_success(CASES[i].name,
                       sg_file_key_write(key, path, passphrase, CASES[i].kdf, &error), &error);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        expect_success(CASES[i].name,
                       sg_file_key_read(path, "env:SIGNET_TEST_PASSPHRASE", &read, &error), &error);
        assert_true(sg_public_key_equal(sg_file_key_public(key), sg_file_key_public(read)));
        assert_int_equal(sg_file_key_was_encrypted(read), CASES[i].is_encrypted);
        if (!CASES[i].is_encrypted)
            continue;
        sg_auto(sg_file_key) struct sg_file_key *none = NULL;
        expect_failure(CASES[i].name,
                       sg_file_key_read(path, "env:SIGNET_TEST_OTHER", &none, &error), &error,
                       SG_FAILED, "does not open with this passphrase");
        assert_null(none);
    }
}

/* The label says that it is encrypted; writing it twice gives other bytes. */
static void an_encrypted_file_does_not_hold_the_key(void **state)
{
    sg_auto(sg_file_key) struct sg_file_key *key = make(SG_KEY_EC, 256);
    sg_auto(sg_secret) struct sg_secret *passphrase = secret("correct horse");
    sg_auto(sg_buf) struct sg_buf plain = {0}, sealed = {0}, again = {0};

    (void)state;
    assert_true(sg_file_key_write(key, in_folder("plain"), NULL, SG_KDF_SCRYPT, NULL));
    assert_true(sg_file_read(in_folder("plain"), SG_LIMIT_KEY_FILE, &plain, NULL));
    assert_true(sg_file_key_write(key, in_folder("sealed"), passphrase, SG_KDF_SCRYPT, NULL));
    assert_true(sg_file_read(in_folder("sealed"), SG_LIMIT_KEY_FILE, &sealed, NULL));
    assert_true(sg_file_key_write(key, in_folder("again"), passphrase, SG_KDF_SCRYPT, NULL));
    assert_true(sg_file_read(in_folder("again"), SG_LIMIT_KEY_FILE, &again, NULL));
    assert_non_null(strstr((char *)plain.data, "-----BEGIN PRIVATE KEY-----"));
    assert_non_null(strstr((char *)sealed.data, "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    /* salt and vector are new each time */
    assert_false(sg_slice_equal(sg_buf_slice(&sealed), sg_buf_slice(&again)));
}

static void an_existing_file_stays(void **state)
{
    sg_auto(sg_file_key) struct sg_file_key *key = make(SG_KEY_ED25519, 0);
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error error = {0};

    (void)state;
    assert_true(sg_file_key_check_absent(in_folder("taken"), &error));
    assert_true(
        sg_file_write(in_folder("taken"), sg_slice_text("mine"), 0600, SG_KEEP_EXISTING, &error));
    expect_failure("write", sg_file_key_write(key, in_folder("taken"), NULL, SG_KDF_SCRYPT, &error),
                   &error, SG_FAILED, "never written over");
    sg_error_clear(&error);
    expect_failure("check", sg_file_key_check_absent(in_folder("taken"), &error), &error, SG_FAILED,
                   "never written over");
    assert_null(strstr(error.text, "--force"));
    assert_true(sg_file_read(in_folder("taken"), 100, &bytes, NULL));
    assert_string_equal((char *)bytes.data, "mine");
    sg_error_clear(&error);
    expect_failure("no folder",
                   sg_file_key_write(key, in_folder("none/key"), NULL, SG_KDF_SCRYPT, &error),
                   &error, SG_FAILED, "cannot open the folder");
}

static void put(const char *name, const char *label, struct sg_slice der)
{
    sg_auto(BIO) BIO *file = BIO_new_file(in_folder(name), "w");

    assert_non_null(file);
    assert_true(PEM_write_bio(file, label, "", der.data, (long)der.len) > 0);
}

static void files_that_hold_no_key(void **state)
{
    static const struct {
        const char *name, *label, *bytes;
        const char *part;
    } CASES[] = {
        {"pkcs8", "PRIVATE KEY", "0\x03\x02\x01", "its PRIVATE KEY can't be decoded"},
        {"sealed", "ENCRYPTED PRIVATE KEY", "xyz", "its ENCRYPTED PRIVATE KEY can't be decoded"},
        {"ec", "EC PRIVATE KEY", "xyz", "its EC PRIVATE KEY can't be decoded"},
        {"rsa", "RSA PRIVATE KEY", "xyz", "its RSA PRIVATE KEY can't be decoded"},
        {"ssh", "OPENSSH PRIVATE KEY", "xyz", "a block called OPENSSH PRIVATE KEY"},
        {"certificate", "CERTIFICATE", "xyz", "has no private key"},
        {"parameters", "EC PARAMETERS", "xyz", "has no private key"},
    };
    struct sg_error error = {0};

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_file_key) struct sg_file_key *key = NULL;

        put(CASES[i].name, CASES[i].label, sg_slice_text(CASES[i].bytes));
        sg_error_clear(&error);
        expect_failure(
            CASES[i].name,
            sg_file_key_read(in_folder(CASES[i].name), "env:SIGNET_TEST_PASSPHRASE", &key, &error),
            &error, SG_INVALID, CASES[i].part);
        assert_null(key);
    }
}

/* The private half of one key beside the public half of another: SEC 1 ends with the public point.
 */
static void halves_that_are_no_pair(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *one = EVP_EC_gen("P-256");
    sg_auto(EVP_PKEY) EVP_PKEY *other = EVP_EC_gen("P-256");
    sg_auto(openssl_bytes) uint8_t *der = NULL, *point = NULL;
    int len = i2d_PrivateKey(one, &der);
    size_t point_len = EVP_PKEY_get1_encoded_public_key(other, &point);
    sg_auto(sg_file_key) struct sg_file_key *key = NULL;
    sg_auto(sg_buf) struct sg_buf csr = {0};
    sg_auto(sg_name) struct sg_name subject = {0};
    struct sg_error error = {0};

    (void)state;
    assert_true(len > 65 && point_len == 65);
    memcpy(der + len - 65, point, 65);
    put("no-pair", "EC PRIVATE KEY", sg_slice_of(der, (size_t)len));
    assert_true(sg_name_parse("CN=x", &subject, NULL));
    expect_success("read", sg_file_key_read(in_folder("no-pair"), NULL, &key, &error), &error);
    const struct sg_csr_signer signer = sg_csr_signer_of_file(key);
    const struct sg_csr_spec spec = {.subject = &subject};
    expect_failure("sign", sg_enroll_csr(&signer, &spec, NULL, NULL, &csr, &error), &error,
                   SG_INVALID, "are not a pair");
    assert_int_equal(csr.len, 0);
}

static void every_scheme_signs(void **state)
{
    static const struct {
        enum sg_key_family family;
        unsigned bits;
        enum sg_scheme first, last; /* SG_SCHEME_NONE to last of the key's schemes */
        const char *digest;         /* of the default */
    } CASES[] = {
        {SG_KEY_RSA, 2048, SG_RSA_SHA256, SG_RSA_PSS_SHA512, "SHA2-256"},
        {SG_KEY_EC, 384, SG_ECDSA_SHA256, SG_ECDSA_SHA512, "SHA2-384"},
        {SG_KEY_ED25519, 0, SG_ED25519, SG_ED25519, ""},
        {SG_KEY_ML_DSA, 44, SG_ML_DSA_44, SG_ML_DSA_44, ""},
        {SG_KEY_ML_DSA, 65, SG_ML_DSA_65, SG_ML_DSA_65, ""},
        {SG_KEY_ML_DSA, 87, SG_ML_DSA_87, SG_ML_DSA_87, ""},
    };
    sg_auto(sg_name) struct sg_name subject = {0};

    (void)state;
    assert_true(sg_name_parse("CN=x", &subject, NULL));
    for (size_t i = 0; i < NUM(CASES); i++) {
        if (CASES[i].family == SG_KEY_ML_DSA && !has_ml_dsa()) {
            expect_not_made(CASES[i].family, CASES[i].bits);
            continue;
        }
        sg_auto(sg_file_key) struct sg_file_key *key = make(CASES[i].family, CASES[i].bits);
        const struct sg_csr_signer signer = sg_csr_signer_of_file(key);

        for (enum sg_scheme scheme = SG_SCHEME_NONE; scheme < SG_NUM_SCHEMES; scheme++) {
            sg_auto(sg_buf) struct sg_buf der = {0};
            sg_auto(sg_request) struct sg_request request = {0};
            struct sg_error error = {0};
            const struct sg_csr_spec spec = {.subject = &subject, .scheme = scheme};
            bool made = sg_enroll_csr(&signer, &spec, NULL, NULL, &der, &error);

            if (scheme != SG_SCHEME_NONE && (scheme < CASES[i].first || scheme > CASES[i].last)) {
                expect_failure(sg_scheme_text(scheme), made, &error, SG_USAGE, "makes no");
                continue;
            }
            expect_success(sg_scheme_text(scheme), made, &error);
            expect_success("parse", sg_request_parse(sg_buf_slice(&der), &request, &error), &error);
            expect_success("possession", sg_request_check_possession(&request, &error), &error);
            assert_true(sg_public_key_equal(&request.key, sg_file_key_public(key)));
            if (scheme == SG_SCHEME_NONE)
                assert_string_equal(request.digest, CASES[i].digest);
        }
    }
}

static void words(void **state)
{
    enum sg_kdf kdf = SG_KDF_PBKDF2;
    struct sg_file_key *key = NULL;
    struct sg_error error = {0};

    (void)state;
    assert_true(sg_kdf_parse("scrypt", &kdf, NULL));
    assert_int_equal(kdf, SG_KDF_SCRYPT);
    assert_true(sg_kdf_parse("pbkdf2", &kdf, NULL));
    assert_int_equal(kdf, SG_KDF_PBKDF2);
    expect_failure("word", sg_kdf_parse("argon2", &kdf, &error), &error, SG_USAGE,
                   "use scrypt or pbkdf2");
    sg_error_clear(&error);
    expect_failure("kind", sg_file_key_make((struct sg_key_kind){SG_KEY_OTHER, 0}, &key, &error),
                   &error, SG_USAGE, "can't be made");
    sg_error_clear(&error);
    expect_failure("source", sg_file_key_read(in_folder("x"), "hunter2", &key, &error), &error,
                   SG_USAGE, "a passphrase source is");
    assert_null(key);
    sg_file_key_free(NULL);
}

/* ---- keys for somebody else ---- */

struct recipient {
    const char *name;
    EVP_PKEY *key;
    X509 *certificate;
};

/* lasts_s: from now; usage NULL: none is stated. */
static struct recipient recipient_of(const char *name, EVP_PKEY *key, const char *usage,
                                     long lasts_s)
{
    struct recipient made = {name, key, X509_new()};
    X509_EXTENSION *extension =
        usage != NULL ? X509V3_EXT_conf(NULL, NULL, "keyUsage", usage) : NULL;

    assert_non_null(key);
    X509_set_version(made.certificate, X509_VERSION_3);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(made.certificate), "CN", MBSTRING_ASC,
                               (const uint8_t *)name, -1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), lasts_s);
    X509_set_pubkey(made.certificate, key);
    if (extension != NULL)
        X509_add_ext(made.certificate, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(
        X509_sign(made.certificate, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
    return made;
}

static void recipient_done(struct recipient *recipient)
{
    EVP_PKEY_free(recipient->key);
    X509_free(recipient->certificate);
}

/* The recipient, and nobody else, gets the key out again. */
static void expect_opens(const struct recipient *recipient, const struct sg_buf *pem,
                         const struct sg_file_key *key, bool opens)
{
    BIO *in = BIO_new_mem_buf(pem->data, (int)pem->len), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = PEM_read_bio_CMS(in, NULL, NULL, NULL);
    EVP_PKEY *found = NULL;

    assert_non_null(cms);
    assert_int_equal(OBJ_obj2nid(CMS_get0_type(cms)), NID_pkcs7_enveloped);
    if (CMS_decrypt(cms, recipient->key, NULL, NULL, out, CMS_BINARY) == 1)
        found = PEM_read_bio_PrivateKey(out, NULL, NULL, NULL);
    if ((found != NULL && EVP_PKEY_eq(found, sg_file_key_public(key)->pkey) == 1) != opens)
        fail_msg("%s: opens it or not", recipient->name);
    ERR_clear_error();
    EVP_PKEY_free(found);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
}

static void sealed_keys(void **state)
{
    struct recipient recipients[] = {
        recipient_of("RSA", EVP_RSA_gen(2048), "keyEncipherment", 60),
        recipient_of("P-256", EVP_EC_gen("P-256"), "keyAgreement", 60),
        recipient_of("no usage", EVP_EC_gen("P-384"), NULL, 60),
    };
    sg_auto(sg_file_key) struct sg_file_key *key = make(SG_KEY_EC, 256);

    (void)state;
    for (size_t i = 0; i < NUM(recipients); i++) {
        sg_auto(sg_buf) struct sg_buf pem = {0};
        struct sg_error error = {0};

        expect_success(recipients[i].name,
                       sg_file_key_check_recipient(recipients[i].certificate, &error), &error);
        expect_success(recipients[i].name,
                       sg_file_key_seal(key, recipients[i].certificate, &pem, &error), &error);
        for (size_t j = 0; j < NUM(recipients); j++)
            expect_opens(&recipients[j], &pem, key, i == j);
    }
    for (size_t i = 0; i < NUM(recipients); i++)
        recipient_done(&recipients[i]);
}

static void who_gets_no_keys(void **state)
{
    struct recipient recipients[] = {
        recipient_of("keyEncipherment", EVP_RSA_gen(2048), "digitalSignature", 60),
        recipient_of("keyAgreement", EVP_EC_gen("P-256"), "digitalSignature", 60),
        recipient_of("too weak", EVP_RSA_gen(1024), "keyEncipherment", 60),
        recipient_of("an RSA or EC key", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, 60),
        recipient_of("has expired", EVP_EC_gen("P-256"), "keyAgreement", -60),
    };

    (void)state;
    for (size_t i = 0; i < NUM(recipients); i++) {
        struct sg_error error = {0};

        expect_failure(recipients[i].name,
                       sg_file_key_check_recipient(recipients[i].certificate, &error), &error,
                       SG_REFUSED, recipients[i].name);
        recipient_done(&recipients[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_back),
        cmocka_unit_test(an_encrypted_file_does_not_hold_the_key),
        cmocka_unit_test(an_existing_file_stays),
        cmocka_unit_test(files_that_hold_no_key),
        cmocka_unit_test(halves_that_are_no_pair),
        cmocka_unit_test(every_scheme_signs),
        cmocka_unit_test(words),
        cmocka_unit_test(sealed_keys),
        cmocka_unit_test(who_gets_no_keys),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
