#include "open.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "cert/cert.h"

bool sg_cli_open_home(const struct sg_cli *cli, enum sg_store_mode mode, struct sg_home **home,
                      struct sg_error *error)
{
    if (cli->home == NULL)
        return sg_fail(error, SG_USAGE, NULL, "no CA home is named; use -C DIR or set SIGNET_HOME");
    if (!sg_home_open(cli->home, mode, home, error))
        return false;
    const char *warning = sg_store_warning(sg_home_store(*home));
    if (warning != NULL)
        fprintf(stderr, "signet: warning: %s\n", warning);
    return true;
}

bool sg_cli_id(const char *operand, int64_t *id, struct sg_error *error)
{
    const size_t len = strlen(operand);

    if (len == 0 || len > 18 || strspn(operand, "0123456789") != len)
        return sg_fail(error, SG_USAGE, NULL, "'%s' is no number of the list", operand);
    *id = strtoll(operand, NULL, 10);
    return true;
}

void sg_cli_key_done(struct sg_cli_key *key)
{
    sg_token_close(key->token);
    sg_home_close(key->home);
    free(key->uri);
}

static bool list_issuers(const struct sg_config *config, const char *problem,
                         struct sg_error *error)
{
    char names[256] = "";

    for (size_t i = 0; i < config->num_issuers; i++) {
        size_t len = strlen(names);
        snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? ", " : "",
                 config->issuers[i].name);
    }
    return sg_fail(error, SG_USAGE, NULL, "%s; this home has: %s", problem,
                   names[0] != '\0' ? names : "none");
}

bool sg_cli_find_issuer(struct sg_home *home, const char *name,
                        const struct sg_issuer_entry **entry, struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(home);
    char problem[160];

    if (name == NULL && config->num_issuers == 1) {
        *entry = &config->issuers[0];
        return true;
    }
    for (size_t i = 0; name != NULL && i < config->num_issuers; i++)
        if (strcmp(config->issuers[i].name, name) == 0) {
            *entry = &config->issuers[i];
            return true;
        }
    if (name == NULL)
        return list_issuers(config, "say which issuer", error);
    snprintf(problem, sizeof problem, "there is no issuer '%.100s'", name);
    return list_issuers(config, problem, error);
}

static bool copy_uri(const char *uri, struct sg_cli_key *key, struct sg_error *error)
{
    key->uri = strdup(uri);
    return key->uri != NULL || sg_fail_memory(error);
}

static bool open_issuer_key(const struct sg_cli *cli, const char *name, struct sg_cli_key *key,
                            struct sg_error *error)
{
    const struct sg_issuer_entry *entry;

    return sg_cli_open_home(cli, SG_STORE_OPEN, &key->home, error) &&
           sg_cli_find_issuer(key->home, name, &entry, error) && copy_uri(entry->key, key, error) &&
           sg_home_token(key->home, entry->token, &key->token, error);
}

bool sg_cli_signer(const struct sg_cli *cli, enum sg_signer_kind *kind, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, "signer");
    enum sg_signer_kind read = sg_signer_settle(SG_SIGNER_DEFAULT);

    if (text != NULL && !sg_signer_kind_parse(text, &read, error))
        return false;
    if (read == SG_SIGNER_ENGINE && !sg_token_has_engine())
        return sg_fail(error, SG_USAGE, NULL,
                       "the engine signer is not in this signet, which was built without OpenSSL's "
                       "pkcs11 engine; use direct");
    *kind = read;
    return true;
}

bool sg_cli_open_key(const struct sg_cli *cli, const char *operand, struct sg_cli_key *key,
                     struct sg_error *error)
{
    struct sg_token_config config = {
        .profile = sg_cli_text(cli, "profile"),
        .module = sg_cli_text(cli, "module"),
        .uri = operand,
        .pin = sg_cli_has(cli, "pin") ? sg_cli_text(cli, "pin") : "prompt",
        .so_pin = sg_cli_has(cli, "so-pin") ? sg_cli_text(cli, "so-pin") : "prompt",
    };

    if (strncmp(operand, "pkcs11:", 7) != 0) {
        if (sg_cli_has(cli, "signer"))
            return sg_fail(error, SG_USAGE, NULL,
                           "--signer goes with a PKCS#11 URI; for %s it is in signet.yaml",
                           operand);
        return open_issuer_key(cli, operand, key, error);
    }
    if (!sg_cli_signer(cli, &config.signer, error))
        return false;
    if ((config.profile == NULL) == (config.module == NULL))
        return sg_fail(error, SG_USAGE, NULL,
                       "a PKCS#11 URI needs --profile NAME or --module PATH, to know by which "
                       "module the token is reached");
    return copy_uri(operand, key, error) && sg_token_open(&config, &key->token, error);
}

bool sg_cli_check_no_issuer(const struct sg_cli *cli, const struct sg_public_key *key,
                            struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(malloc) char *name = NULL;

    if (cli->home == NULL)
        return true;
    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) ||
        !sg_store_issuer_name(sg_home_store(home), key->sha256, &name, error))
        return false;
    return name == NULL ||
           sg_fail(error, SG_REFUSED, "issuer key",
                   "this is the key of issuer %s, which signs nothing before it is noted in the "
                   "store: `signet -C %s issuer csr %s` makes its request",
                   name, cli->home, name);
}

static bool push(sg_certificates *certificates, X509 **certificate, struct sg_error *error)
{
    if (sk_X509_push(certificates, *certificate) <= 0)
        return sg_fail_memory(error);
    *certificate = NULL; /* the stack owns it now */
    return true;
}

/* One PEM block after the other; each goes through the strict reader. */
static bool read_blocks(const char *path, BIO *text, sg_certificates *certificates,
                        struct sg_error *error)
{
    for (;;) {
        sg_auto(openssl_bytes) char *name = NULL;
        sg_auto(openssl_bytes) char *header = NULL;
        sg_auto(openssl_bytes) unsigned char *der = NULL;
        sg_auto(X509) X509 *certificate = NULL;
        long len = 0;

        if (PEM_read_bio(text, &name, &header, &der, &len) != 1)
            return true;
        if (strcmp(name, PEM_STRING_X509) != 0)
            return sg_fail(error, SG_MALFORMED, NULL, "%s: a %s where a CERTIFICATE is wanted",
                           path, name);
        if (!sg_cert_read(sg_slice_of(der, (size_t)len), path, &certificate, error) ||
            !push(certificates, &certificate, error))
            return false;
    }
}

bool sg_cli_read_certificates(const char *path, sg_certificates *certificates,
                              struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(X509) X509 *certificate = NULL;
    int before = sk_X509_num(certificates);

    if (!sg_file_read(path, SG_LIMIT_BUNDLE, &bytes, error))
        return false;
    sg_auto(BIO) BIO *text = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    if (text == NULL)
        return sg_fail_memory(error);
    if (!read_blocks(path, text, certificates, error))
        return false;
    if (sk_X509_num(certificates) > before)
        return true;
    return sg_cert_read(sg_buf_slice(&bytes), path, &certificate, error) &&
           push(certificates, &certificate, error);
}

bool sg_cli_certificate_der(const X509 *certificate, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int len = i2d_X509(certificate, &bytes);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a certificate could not be encoded");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

bool sg_cli_find_serial(const char *operand, struct sg_serial *serial, struct sg_buf *der,
                        struct sg_error *error)
{
    sg_auto(sg_certificates) sg_certificates *certificates = sk_X509_new_null();

    if (sg_serial_parse(operand, serial, NULL))
        return true;
    if (certificates == NULL)
        return sg_fail_memory(error);
    if (access(operand, F_OK) != 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "'%s' is neither a serial number in hex nor a certificate's file", operand);
    return sg_cli_read_certificates(operand, certificates, error) &&
           sg_cert_serial(sk_X509_value(certificates, 0), serial, error) &&
           sg_cli_certificate_der(sk_X509_value(certificates, 0), der, error);
}
