/* token_fixture: a SoftHSM of the test's own, with tokens, and a PKCS#11 session beside Signet's
 * for what Signet would never do. */
#ifndef SG_TEST_TOKEN_FIXTURE_H
#define SG_TEST_TOKEN_FIXTURE_H

#include "expect.h"

#include <p11-kit/p11-kit.h>
#include <sys/stat.h>

#include "base/file.h"
#include "token/profile.h"
#include "token/signer.h"

#define SO_PIN   "87654321"
#define USER_PIN "1234"

static const struct sg_key_kind P256 = {SG_KEY_EC, 256};

struct fixture {
    char folder[64];
    char refusals[128];
    char module[256]; /* SoftHSM's own path */
};

static inline void fixture_path(const struct fixture *fixture, const char *name, char into[128])
{
    snprintf(into, 128, "%s/%s", fixture->folder, name);
}

static inline void write_text(const char *path, const char *text, mode_t mode)
{
    struct sg_error error = {0};

    expect_success(
        path, sg_file_write(path, sg_slice_text(text), mode, SG_REPLACE_EXISTING, &error), &error);
    assert_int_equal(chmod(path, mode), 0);
}

static inline struct sg_secret *make_secret(const char *text)
{
    struct sg_secret *secret = NULL;
    struct sg_error error = {0};

    expect_success("secret", sg_secret_new(strlen(text), &secret, &error), &error);
    memcpy(sg_secret_data(secret), text, strlen(text));
    return secret;
}

/* The first path of the shipped profile that is there. */
static inline void find_softhsm(char into[256])
{
    sg_auto(sg_profile) struct sg_profile profile = {0};
    struct sg_error error = {0};

    expect_success("profile", sg_profile_load("softhsm", &profile, &error), &error);
    for (size_t i = 0; i < profile.num_modules; i++) {
        if (access(profile.modules[i], F_OK) == 0) {
            snprintf(into, 256, "%s", profile.modules[i]);
            return;
        }
    }
    fail_msg("SoftHSM is not installed");
}

/* A folder with a configuration of SoftHSM, which is found by the environment; no token yet. */
static inline void fixture_init(struct fixture *fixture)
{
    char path[128], conf[256];

    make_folder(fixture->folder);
    fixture_path(fixture, "refused", fixture->refusals);
    fixture_path(fixture, "tokens", path);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(conf, sizeof conf,
             "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", path);
    fixture_path(fixture, "softhsm2.conf", path);
    write_text(path, conf, 0600);
    setenv("SOFTHSM2_CONF", path, 1);
    fixture_path(fixture, "state", path);
    setenv("XDG_STATE_HOME", path, 1);
    setenv("SIGNET_DATA", getenv("SIGNET_SOURCE"), 1);
    setenv("SIGNET_TEST_PIN", USER_PIN, 1);
    setenv("SIGNET_TEST_WRONG_PIN", "4321", 1);
    find_softhsm(fixture->module);
    setenv("ODD_WRAPS", fixture->module, 1);
}

static inline void fixture_done(struct fixture *fixture)
{
    remove_folder(fixture->folder);
}

static inline struct sg_token_info make_token(const char *label)
{
    sg_auto(sg_secret) struct sg_secret *so_pin = make_secret(SO_PIN);
    sg_auto(sg_secret) struct sg_secret *user_pin = make_secret(USER_PIN);
    struct sg_token_info info = {0};
    struct sg_error error = {0};

    expect_success(label, sg_token_init("softhsm", NULL, label, so_pin, user_pin, &info, &error),
                   &error);
    return info;
}

/* The configuration that the tests vary: the token that is called "test". */
static inline struct sg_token_config config_of(const struct fixture *fixture)
{
    return (struct sg_token_config){
        .profile = "softhsm",
        .uri = "pkcs11:token=test",
        .pin = "env:SIGNET_TEST_PIN",
        .refusals = fixture->refusals,
    };
}

static inline struct sg_token *open_token(const struct sg_token_config *config)
{
    struct sg_token *token = NULL;
    struct sg_error error = {0};

    expect_success(config->uri, sg_token_open(config, &token, &error), &error);
    return token;
}

static inline void make_key(struct sg_token *token, const char *label, struct sg_key *key)
{
    struct sg_error error = {0};

    expect_success(label, sg_key_create(token, P256, label, (struct sg_slice){0}, key, &error),
                   &error);
}

/* A logged-in session of the test's own. */
struct raw {
    CK_FUNCTION_LIST *functions;
    CK_SESSION_HANDLE session;
};

static inline void raw_open(const struct fixture *fixture, unsigned long slot, struct raw *raw)
{
    unsigned char pin[] = USER_PIN;
    CK_RV rv;

    raw->functions = p11_kit_module_load(fixture->module, 0);
    assert_non_null(raw->functions);
    assert_int_equal(p11_kit_module_initialize(raw->functions), CKR_OK);
    assert_int_equal(raw->functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                                   NULL, &raw->session),
                     CKR_OK);
    rv = raw->functions->C_Login(raw->session, CKU_USER, pin, sizeof pin - 1);
    assert_true(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
}

static inline void raw_close(struct raw *raw)
{
    raw->functions->C_CloseSession(raw->session);
    p11_kit_module_finalize(raw->functions);
    p11_kit_module_release(raw->functions);
}

/* Makes a key pair of Signet's or another's taste; curve is the DER of its name. */
static inline void raw_generate(struct raw *raw, CK_MECHANISM_TYPE type, const void *curve,
                                size_t curve_len, const char *label, const char *id, bool sign)
{
    CK_BBOOL yes = CK_TRUE, may_sign = sign;
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_OBJECT_HANDLE public_key, private_key;
    unsigned char text[64], number[64], params[32];
    CK_ATTRIBUTE public[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_EC_PARAMS, params, curve_len},
        {CKA_LABEL, text, strlen(label)},
        {CKA_ID, number, strlen(id)},
    };
    CK_ATTRIBUTE private[] = {
        {CKA_TOKEN, &yes, sizeof yes},     {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes}, {CKA_SIGN, &may_sign, sizeof may_sign},
        {CKA_LABEL, text, strlen(label)},  {CKA_ID, number, strlen(id)},
    };

    memcpy(text, label, strlen(label));
    memcpy(number, id, strlen(id));
    memcpy(params, curve, curve_len);
    assert_int_equal(raw->functions->C_GenerateKeyPair(raw->session, &mechanism, public,
                                                       NUM(public), private, NUM(private),
                                                       &public_key, &private_key),
                     CKR_OK);
}

static const uint8_t P256_OID[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t K256_OID[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};
static const uint8_t ED25519_OID[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

#endif
