#include "token_fixture.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include "token/handle.h"
#include "token/signer_pkey.h"

static struct fixture fixture;

enum { RSA_KEY, EC_KEY_, P384_KEY, ED25519_KEY, NUM_KEYS };
static const struct {
    const char *label, *uri;
    struct sg_key_kind kind;
} KEYS[NUM_KEYS] = {
    {"rsa", "pkcs11:object=rsa", {SG_KEY_RSA, 2048}},
    {"p256", "pkcs11:object=p256", {SG_KEY_EC, 256}},
    {"p384", "pkcs11:object=p384", {SG_KEY_EC, 384}},
    {"ed25519", "pkcs11:object=ed25519", {SG_KEY_ED25519, 0}},
};

/* One key as an EVP_PKEY, with everything that it stands on. */
struct whole {
    struct sg_token *token;
    struct sg_signer *signer;
    struct sg_pkey_maker *maker;
    EVP_PKEY *pkey;
    X509 *certificate;
};

static int make(void **state)
{
    static const char *const LABELS[] = {"engine", "direct"};

    (void)state;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    fixture_init(&fixture);
    for (size_t i = 0; i < 2; i++) {
        struct sg_token_config config = config_of(&fixture);
        sg_auto(sg_token) struct sg_token *token = NULL;
        char uri[40];

        make_token(LABELS[i]);
        snprintf(uri, sizeof uri, "pkcs11:token=%s", LABELS[i]);
        config.uri = uri;
        config.signer = i == 0 ? SG_SIGNER_ENGINE : SG_SIGNER_DIRECT;
        token = open_token(&config);
        for (size_t j = 0; j < NUM_KEYS - (i == 0); j++) {
            sg_auto(sg_key) struct sg_key key = {0};
            struct sg_error error = {0};

            expect_success(KEYS[j].label,
                           sg_key_create(token, KEYS[j].kind, KEYS[j].label, (struct sg_slice){0},
                                         &key, &error),
                           &error);
        }
    }
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    fixture_done(&fixture);
    return 0;
}

/* A certificate of the key's own, signed through the adapter. */
static void self_sign(struct whole *whole, const EVP_MD *digest)
{
    X509 *certificate = X509_new();

    assert_non_null(certificate);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
                                                MBSTRING_ASC, (const unsigned char *)"x", -1, -1,
                                                0),
                     1);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    assert_int_equal(X509_set_pubkey(certificate, sg_signer_public_key(whole->signer)->pkey), 1);
    if (X509_sign(certificate, whole->pkey, digest) <= 0) {
        ERR_print_errors_fp(stderr);
        fail_msg("X509_sign failed");
    }
    whole->certificate = certificate;
}

static const EVP_MD *digest_for(size_t key)
{
    return key == ED25519_KEY ? NULL : key == P384_KEY ? EVP_sha384() : EVP_sha256();
}

static void whole_open(enum sg_signer_kind kind, size_t which, struct whole *whole)
{
    struct sg_token_config config = config_of(&fixture);
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    *whole = (struct whole){0};
    config.uri = kind == SG_SIGNER_ENGINE ? "pkcs11:token=engine" : "pkcs11:token=direct";
    config.signer = kind;
    config.module = getenv("SIGNET_ODD_MODULE"); /* it forgives SoftHSM's leaks */
    whole->token = open_token(&config);
    expect_success(KEYS[which].uri, sg_key_find(whole->token, KEYS[which].uri, &key, &error),
                   &error);
    expect_success("signer", sg_signer_open(whole->token, &key, &whole->signer, &error), &error);
    expect_success("maker", sg_pkey_maker_new(&whole->maker, &error), &error);
    expect_success("pkey", sg_signer_pkey(whole->maker, whole->signer, &whole->pkey, &error),
                   &error);
    self_sign(whole, digest_for(which));
}

static void whole_done(struct whole *whole)
{
    X509_free(whole->certificate);
    EVP_PKEY_free(whole->pkey);
    sg_pkey_maker_free(whole->maker);
    sg_signer_close(whole->signer);
    sg_token_close(whole->token);
}

static size_t num_keys(enum sg_signer_kind kind)
{
    return kind == SG_SIGNER_ENGINE ? ED25519_KEY : NUM_KEYS;
}

static void certificates(void **state)
{
    const enum sg_signer_kind kind = *(enum sg_signer_kind *)*state;

    for (size_t i = 0; i < num_keys(kind); i++) {
        struct whole whole;
        sg_auto(EVP_PKEY) EVP_PKEY *of_certificate = NULL;

        whole_open(kind, i, &whole);
        of_certificate = X509_get_pubkey(whole.certificate);
        assert_int_equal(X509_verify(whole.certificate, of_certificate), 1);
        assert_int_equal(X509_check_private_key(whole.certificate, whole.pkey), 1);
        whole_done(&whole);
    }
}

static void pss(void **state)
{
    static const struct {
        const char *name;
        int salt;
        bool is_possible;
    } CASES[] = {
        {"as long as the digest", RSA_PSS_SALTLEN_DIGEST, true},
        {"48 bytes", 48, true},
        {"as long as may be", RSA_PSS_SALTLEN_MAX, false},
        {"20 bytes", 20, false},
    };
    struct whole whole;

    whole_open(*(enum sg_signer_kind *)*state, RSA_KEY, &whole);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *choices = NULL;
        bool is_chosen;

        assert_int_equal(EVP_DigestSignInit(context, &choices, EVP_sha384(), NULL, whole.pkey), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(choices, RSA_PKCS1_PSS_PADDING), 1);
        is_chosen = EVP_PKEY_CTX_set_rsa_pss_saltlen(choices, CASES[i].salt) == 1;
        assert_int_equal(is_chosen, CASES[i].is_possible);
        if (!is_chosen)
            continue;
        assert_true(X509_sign_ctx(whole.certificate, context) > 0);
        assert_int_equal(X509_get_signature_nid(whole.certificate), NID_rsassaPss);
        assert_int_equal(X509_verify(whole.certificate, sg_signer_public_key(whole.signer)->pkey),
                         1);
    }
    ERR_clear_error();
    whole_done(&whole);
}

/* As somebody else gets it: without the key that made it. */
static void reread(CMS_ContentInfo **signed_data)
{
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len = i2d_CMS_ContentInfo(*signed_data, &der);
    const uint8_t *at = der;

    assert_true(len > 0);
    CMS_ContentInfo_free(*signed_data);
    *signed_data = d2i_CMS_ContentInfo(NULL, &at, len);
    assert_non_null(*signed_data);
}

static void cms(void **state)
{
    const enum sg_signer_kind kind = *(enum sg_signer_kind *)*state;
    static const char TEXT[] = "to be signed";

    /* OpenSSL 3.0 has no default digest for Ed25519 in CMS. */
    for (size_t i = 0; i < ED25519_KEY; i++) {
        struct whole whole;
        sg_auto(BIO) BIO *content = BIO_new_mem_buf(TEXT, -1);
        sg_auto(BIO) BIO *other = BIO_new_mem_buf("To be signed", -1);
        STACK_OF(X509) *known = sk_X509_new_null();
        CMS_ContentInfo *signed_data;

        whole_open(kind, i, &whole);
        sk_X509_push(known, whole.certificate);
        signed_data =
            CMS_sign(whole.certificate, whole.pkey, NULL, content, CMS_BINARY | CMS_DETACHED);
        assert_non_null(signed_data);
        (void)BIO_reset(content);
        assert_int_equal(CMS_verify(signed_data, known, NULL, content, NULL,
                                    CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
                         1);
        reread(&signed_data);
        (void)BIO_reset(content);
        assert_int_equal(CMS_verify(signed_data, known, NULL, content, NULL,
                                    CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
                         1);
        assert_int_not_equal(CMS_verify(signed_data, known, NULL, other, NULL,
                                        CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY),
                             1);
        ERR_clear_error();
        CMS_ContentInfo_free(signed_data);
        sk_X509_free(known);
        whole_done(&whole);
    }
}

static void ocsp(void **state)
{
    const enum sg_signer_kind kind = *(enum sg_signer_kind *)*state;

    for (size_t i = 0; i < num_keys(kind); i++) {
        struct whole whole;
        OCSP_BASICRESP *answer = OCSP_BASICRESP_new();
        ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
        STACK_OF(X509) *known = sk_X509_new_null();
        OCSP_CERTID *id;

        whole_open(kind, i, &whole);
        sk_X509_push(known, whole.certificate);
        id = OCSP_cert_to_id(EVP_sha256(), whole.certificate, whole.certificate);
        assert_non_null(
            OCSP_basic_add1_status(answer, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, now, NULL));
        assert_int_equal(
            OCSP_basic_sign(answer, whole.certificate, whole.pkey, digest_for(i), NULL, 0), 1);
        assert_int_equal(OCSP_basic_verify(answer, known, NULL, OCSP_NOVERIFY), 1);
        OCSP_CERTID_free(id);
        OCSP_BASICRESP_free(answer);
        ASN1_TIME_free(now);
        sk_X509_free(known);
        whole_done(&whole);
    }
}

/* Lets the two sides talk through memory until both are done, or neither goes on. */
static bool shake_hands(SSL *server, SSL *client)
{
    for (int i = 0; i < 10; i++) {
        int of_client = SSL_do_handshake(client), of_server = SSL_do_handshake(server);

        if (of_client == 1 && of_server == 1)
            return true;
    }
    return false;
}

static void tls_of_version(struct whole *whole, int version)
{
    SSL_CTX *server_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    BIO *of_server = NULL, *of_client = NULL;
    SSL *server, *client;

    SSL_CTX_set_max_proto_version(server_context, version);
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context), whole->certificate);
    assert_int_equal(SSL_CTX_use_certificate(server_context, whole->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server_context, whole->pkey), 1);
    assert_int_equal(SSL_CTX_check_private_key(server_context), 1);
    server = SSL_new(server_context);
    client = SSL_new(client_context);
    assert_int_equal(BIO_new_bio_pair(&of_server, 0, &of_client, 0), 1);
    SSL_set_bio(server, of_server, of_server);
    SSL_set_bio(client, of_client, of_client);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    if (!shake_hands(server, client)) {
        ERR_print_errors_fp(stderr);
        fail_msg("no handshake");
    }
    assert_int_equal(SSL_get_verify_result(client), X509_V_OK);
    assert_int_equal(SSL_version(client), version);
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(server_context);
    SSL_CTX_free(client_context);
}

static void tls(void **state)
{
    const enum sg_signer_kind kind = *(enum sg_signer_kind *)*state;

    for (size_t i = 0; i < num_keys(kind); i++) {
        struct whole whole;

        whole_open(kind, i, &whole);
        tls_of_version(&whole, TLS1_2_VERSION);
        tls_of_version(&whole, TLS1_3_VERSION);
        whole_done(&whole);
    }
}

static void what_it_does_not_do(void **state)
{
    static const char *const WEAK[] = {"MD5", "SHA1", "SHA224"};
    struct whole whole;
    uint8_t digest[32] = {0}, signature[512];
    size_t len = sizeof signature;

    whole_open(*(enum sg_signer_kind *)*state, RSA_KEY, &whole);
    for (size_t i = 0; i < NUM(WEAK); i++)
        assert_true(X509_sign(whole.certificate, whole.pkey, EVP_get_digestbyname(WEAK[i])) <= 0);
    {
        sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *raw = EVP_PKEY_CTX_new(whole.pkey, NULL);

        assert_true(raw == NULL || EVP_PKEY_sign_init(raw) != 1 ||
                    EVP_PKEY_sign(raw, signature, &len, digest, sizeof digest) != 1);
    }
    assert_true(i2d_PrivateKey(whole.pkey, NULL) <= 0);
    {
        BIGNUM *exponent = NULL;

        assert_int_not_equal(EVP_PKEY_get_bn_param(whole.pkey, "d", &exponent), 1);
    }
    ERR_clear_error();
    whole_done(&whole);
}

static void failure_is_told(void **state)
{
    struct whole whole;
    const char *data = NULL;
    bool is_told = false;

    whole_open(*(enum sg_signer_kind *)*state, EC_KEY_, &whole);
    setenv("SIGNET_TEST_PIN", "4321", 1);
    whole.token->module.functions->C_Logout(whole.token->session);
    ERR_clear_error();
    assert_true(X509_sign(whole.certificate, whole.pkey, EVP_sha256()) <= 0);
    while (ERR_get_error_all(NULL, NULL, NULL, &data, NULL) != 0)
        is_told = is_told || strstr(data, "token") != NULL;
    assert_true(is_told);
    setenv("SIGNET_TEST_PIN", USER_PIN, 1);
    whole_done(&whole);
}

static enum sg_signer_kind engine = SG_SIGNER_ENGINE, direct = SG_SIGNER_DIRECT;

#define BY(kind, test)                                                                             \
    {                                                                                              \
#kind " " #test, test, NULL, NULL, &(kind)                                                 \
    }
#define BY_BOTH(test) BY(engine, test), BY(direct, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BY_BOTH(certificates),
        BY_BOTH(pss),
        BY_BOTH(cms),
        BY_BOTH(ocsp),
        BY_BOTH(tls),
        BY_BOTH(what_it_does_not_do),
        BY(direct, failure_is_told),
    };

    if (!TEST_HAS_ENGINE)
        cmocka_set_skip_filter("engine *");
    return cmocka_run_group_tests(tests, make, unmake);
}
