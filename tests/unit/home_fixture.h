/* home_fixture: CA homes on a SoftHSM token of the test's own, and certificates made by OpenSSL.
 *
 * The keys on the token are imported, so that a test can sign with them, too: "issuing" and
 * "second" (P-256), and "twin", of which there are two.
 */
#ifndef SG_TEST_HOME_FIXTURE_H
#define SG_TEST_HOME_FIXTURE_H

#include "expect.h"
#include "make_request.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "home/home.h"

#define PIN "test-1234"

enum { DAY = 86400, NOW = 1750000000 };

struct fixture {
    char folder[64];
    char dir[96]; /* the home */
    EVP_PKEY *issuing, *second, *twin, *root, *sub;
};

/* name is relative to folder. */
static inline void put_file(const char *folder, const char *name, const char *text)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    expect_success(name, sg_path_join(folder, name, &path, &error), &error);
    expect_success(
        name, sg_file_write(path, sg_slice_text(text), 0600, SG_REPLACE_EXISTING, &error), &error);
}

static inline void remove_file(const char *folder, const char *name)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    expect_success(name, sg_path_join(folder, name, &path, &error), &error);
    unlink(path);
}

static inline bool has_file(const char *folder, const char *name)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    expect_success(name, sg_path_join(folder, name, &path, &error), &error);
    return access(path, F_OK) == 0;
}

/* Its output would be taken for TAP. */
static inline void run_softhsm(const char *const arguments[])
{
    posix_spawn_file_actions_t actions;
    const char *command[24] = {"softhsm2-util"};
    int status = -1;
    pid_t child;

    for (size_t i = 0; arguments[i] != NULL; i++)
        command[i + 1] = arguments[i];
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    /* posix_spawn does not write to its arguments */
    if (posix_spawnp(&child, command[0], &actions, NULL, (char **)(uintptr_t)command, environ) != 0)
        fail_msg("softhsm2-util can't be run; it is in the package softhsm2");
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("softhsm2-util %s: status %d", arguments[0], status);
}

static inline void import_key(const char *folder, EVP_PKEY *key, const char *label, const char *id)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};
    FILE *file;

    expect_success(label, sg_path_join(folder, "key.pem", &path, &error), &error);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    const char *const arguments[] = {"--import", path, "--token", "signet-test", "--label", label,
                                     "--id",     id,   "--pin",   PIN,           NULL};
    run_softhsm(arguments);
    unlink(path);
}

static inline void make_token(const char *folder)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};
    char text[256];
    static const char *const INIT[] = {"--init-token", "--free",   "--label",
                                       "signet-test",  "--so-pin", "so-1234",
                                       "--pin",        PIN,        NULL};

    expect_success("tokens", sg_path_join(folder, "tokens", &path, &error), &error);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(text, sizeof text,
             "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", path);
    put_file(folder, "softhsm2.conf", text);
    snprintf(text, sizeof text, "%s/softhsm2.conf", folder);
    setenv("SOFTHSM2_CONF", text, 1);
    snprintf(text, sizeof text, "%s/state", folder);
    setenv("XDG_STATE_HOME", text, 1);
    run_softhsm(INIT);
}

/* The token is made once for all tests of a program; SoftHSM reads it once. */
static inline int set_up_token(void **state)
{
    static struct fixture fixture;
    const char *source = getenv("SIGNET_SOURCE");

    *state = &fixture;
    if (source == NULL)
        fail_msg("SIGNET_SOURCE names the source tree; meson test sets it");
    setenv("SIGNET_DATA", source, 1);
    make_folder(fixture.folder);
    make_token(fixture.folder);
    fixture.issuing = make_key("P-256");
    fixture.second = make_key("P-256");
    fixture.twin = make_key("P-256");
    fixture.root = make_key("P-384");
    fixture.sub = make_key("P-256");
    import_key(fixture.folder, fixture.issuing, "issuing", "01");
    import_key(fixture.folder, fixture.second, "second", "02");
    import_key(fixture.folder, fixture.twin, "twin", "03");
    import_key(fixture.folder, fixture.sub, "twin", "04");
    return 0;
}

static inline int tear_down_token(void **state)
{
    struct fixture *fixture = *state;

    EVP_PKEY_free(fixture->issuing);
    EVP_PKEY_free(fixture->second);
    EVP_PKEY_free(fixture->twin);
    EVP_PKEY_free(fixture->root);
    EVP_PKEY_free(fixture->sub);
    remove_folder(fixture->folder);
    return 0;
}

#define TOKENS                                                                                     \
    "ca: Test CA\n"                                                                                \
    "store: sqlite:signet.db\n"                                                                    \
    "tokens:\n"                                                                                    \
    "  main: {profile: softhsm, uri: 'pkcs11:token=signet-test', pin: 'file:pin'}\n"               \
    "  locked: {profile: softhsm, uri: 'pkcs11:token=signet-test', pin: 'file:wrong-pin'}\n"       \
    "  absent: {profile: softhsm, uri: 'pkcs11:token=nowhere', pin: 'file:pin'}\n"

#define ISSUER(name, token, key, rest)                                                             \
    "  - {name: " name ", token: " token ", key: 'pkcs11:object=" key "', certificate: " name      \
    ".pem" rest "}\n"

/* A home with an empty store, PIN files, and this signet.yaml. */
static inline void make_home(struct fixture *fixture, const char *settings)
{
    struct sg_store *store = NULL;
    struct sg_error error = {0};
    char path[160];

    snprintf(fixture->dir, sizeof fixture->dir, "%s/home", fixture->folder);
    assert_int_equal(mkdir(fixture->dir, 0700), 0);
    snprintf(path, sizeof path, "%s/policies", fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    put_file(fixture->dir, "signet.yaml", settings);
    put_file(fixture->dir, "pin", PIN "\n");
    put_file(fixture->dir, "wrong-pin", "wrong-5678\n");
    expect_success("store",
                   sg_store_open("sqlite:signet.db", fixture->dir, SG_STORE_CREATE, &store, &error),
                   &error);
    sg_store_close(store);
}

static inline int tear_down_home(void **state)
{
    struct fixture *fixture = *state;

    remove_folder(fixture->dir);
    return 0;
}

static inline struct sg_home *open_home(const struct fixture *fixture)
{
    struct sg_home *home = NULL;
    struct sg_error error = {0};

    expect_success("open", sg_home_open(fixture->dir, SG_STORE_OPEN, &home, &error), &error);
    return home;
}

/* What a certificate shall say. */
struct make_certificate {
    const char *subject; /* its CN */
    EVP_PKEY *key;
    const char *issuer;            /* NULL: itself */
    EVP_PKEY *signer;              /* NULL: key */
    const char *basic_constraints; /* NULL: "critical,CA:TRUE"; "": none */
    const char *key_usage;         /* NULL: "critical,keyCertSign,cRLSign"; "": none */
    int64_t not_before, not_after; /* 0: a day before NOW, a thousand after */
};

static inline void add_extension(X509 *certificate, int nid, const char *wanted, const char *usual)
{
    const char *value = wanted != NULL ? wanted : usual;
    X509_EXTENSION *extension;
    X509V3_CTX context;

    if (value[0] == '\0')
        return;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static inline void set_name(X509_NAME *name, const char *cn)
{
    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1,
                                           -1, 0));
}

/* The caller frees it. */
static inline X509 *make_certificate(const struct make_certificate *parts)
{
    X509 *certificate = X509_new();
    int64_t begin = parts->not_before != 0 ? parts->not_before : NOW - DAY;
    int64_t end = parts->not_after != 0 ? parts->not_after : NOW + 1000 * (int64_t)DAY;
    uint8_t number[8];

    assert_non_null(certificate);
    assert_true(sg_random_fill(number, sizeof number, NULL));
    assert_true(X509_set_version(certificate, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate),
                                        number[0] * 256U + number[1] + 1));
    set_name(X509_get_subject_name(certificate), parts->subject);
    set_name(X509_get_issuer_name(certificate),
             parts->issuer != NULL ? parts->issuer : parts->subject);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), begin));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), end));
    assert_true(X509_set_pubkey(certificate, parts->key));
    add_extension(certificate, NID_basic_constraints, parts->basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_key_usage, parts->key_usage, "critical,keyCertSign,cRLSign");
    assert_true(
        X509_sign(certificate, parts->signer != NULL ? parts->signer : parts->key, EVP_sha256()));
    return certificate;
}

/* Appends one certificate to a file of the home. */
static inline void append_certificate(const struct fixture *fixture, const char *name,
                                      const struct make_certificate *parts)
{
    sg_auto(X509) X509 *certificate = make_certificate(parts);
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};
    FILE *file;

    expect_success(name, sg_path_join(fixture->dir, name, &path, &error), &error);
    file = fopen(path, "a");
    assert_non_null(file);
    assert_true(PEM_write_X509(file, certificate));
    fclose(file);
}

#endif
