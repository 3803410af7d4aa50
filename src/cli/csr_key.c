#include <string.h>

#include "csr.h"
#include "output.h"
#include "token/pin.h"

void sg_csr_key_done(struct sg_csr_key *key)
{
    sg_signer_close(key->token_signer);
    sg_cli_key_done(&key->place);
    sg_file_key_free(key->file);
}

static bool is_uri(const char *operand)
{
    return operand != NULL && strncmp(operand, "pkcs11:", 7) == 0;
}

enum kind { A_TOKEN_KEY = 1 << 0, AN_OLD_FILE = 1 << 1, A_NEW_FILE = 1 << 2 };

/* Options about the key, and the kinds of key that they go with. */
static const struct {
    const char *option;
    unsigned kinds;
    const char *wants;
} TIED[] = {
    {"profile", A_TOKEN_KEY, "a key on a token (--key pkcs11:…)"},
    {"module", A_TOKEN_KEY, "a key on a token (--key pkcs11:…)"},
    {"signer", A_TOKEN_KEY, "a key on a token (--key pkcs11:…)"},
    {"pin", A_TOKEN_KEY, "a key on a token (--key pkcs11:…); for a file it is --passphrase"},
    {"type", A_NEW_FILE, "a new key (--new-key FILE)"},
    {"kdf", A_NEW_FILE, "a new key (--new-key FILE)"},
    {"no-passphrase", A_NEW_FILE, "a new key (--new-key FILE)"},
    {"passphrase", AN_OLD_FILE | A_NEW_FILE, "a key in a file; for a token it is --pin"},
};

static bool check_tied(const struct sg_cli *cli, enum kind kind, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof TIED / sizeof TIED[0]; i++)
        if (sg_cli_has(cli, TIED[i].option) && (TIED[i].kinds & kind) == 0)
            return sg_fail(error, SG_USAGE, NULL, "--%s goes with %s", TIED[i].option,
                           TIED[i].wants);
    return true;
}

static bool check_passphrase(const struct sg_cli *cli, struct sg_error *error)
{
    const char *source = sg_cli_text(cli, "passphrase");

    if (sg_cli_has(cli, "no-passphrase") && source != NULL)
        return sg_fail(error, SG_USAGE, NULL, "give --passphrase or --no-passphrase, not both");
    if (sg_cli_has(cli, "no-passphrase") && sg_cli_has(cli, "kdf"))
        return sg_fail(error, SG_USAGE, NULL,
                       "--kdf is about a passphrase, and --no-passphrase says that there is none");
    return source == NULL || sg_pin_check_passphrase_source(source, error);
}

bool sg_csr_check_key_options(const struct sg_cli *cli, struct sg_error *error)
{
    const char *old = sg_cli_text(cli, "key"), *new = sg_cli_text(cli, "new-key");
    const char *output = sg_cli_text(cli, "output");
    enum kind kind = is_uri(old) ? A_TOKEN_KEY : old != NULL ? AN_OLD_FILE : A_NEW_FILE;

    if (old == NULL && new == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "signet csr needs a key: --key FILE or --key pkcs11:… for one that there "
                       "is, --new-key FILE to make one");
    if (old != NULL && new != NULL)
        return sg_fail(error, SG_USAGE, NULL, "give --key or --new-key, not both");
    if (output != NULL && new != NULL && strcmp(output, new) == 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "--new-key and --output name the same file; the key and the request need "
                       "one each");
    return check_tied(cli, kind, error) && check_passphrase(cli, error) &&
           (new == NULL || sg_file_key_check_absent(new, error));
}

static bool open_token_key(const struct sg_cli *cli, const char *uri, struct sg_csr_key *key,
                           struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key found = {0};

    if (!sg_cli_open_key(cli, uri, &key->place, error) ||
        !sg_key_find(key->place.token, key->place.uri, &found, error) ||
        !sg_enroll_check_no_ca(key->place.token, &found, error) ||
        !sg_signer_open(key->place.token, &found, &key->token_signer, error))
        return false;
    key->signer = sg_csr_signer_of_token(key->token_signer);
    return sg_cli_check_no_issuer(cli, key->signer.key, error);
}

/* An issuer's name looks like a file's. */
static bool open_file_key(const struct sg_cli *cli, const char *path, struct sg_csr_key *key,
                          struct sg_error *error)
{
    if (access(path, F_OK) != 0)
        return sg_fail_errno(error,
                             "--key %s: neither a PKCS#11 URI nor a file (an issuer's own request "
                             "is made by `signet issuer csr`)",
                             path);
    return sg_file_key_read(path, sg_cli_text(cli, "passphrase"), &key->file, error);
}

static bool make_file_key(const struct sg_cli *cli, struct sg_csr_key *key, struct sg_error *error)
{
    const char *type = sg_cli_text(cli, "type"), *kdf = sg_cli_text(cli, "kdf");
    const char *source = sg_cli_text(cli, "passphrase");
    struct sg_key_kind kind;

    key->new_path = sg_cli_text(cli, "new-key");
    if (!sg_cli_has(cli, "no-passphrase"))
        key->passphrase = source != NULL ? source : "prompt";
    return (kdf == NULL || sg_kdf_parse(kdf, &key->kdf, error)) &&
           sg_key_kind_parse(type != NULL ? type : "P-256", &kind, error) &&
           sg_file_key_make(kind, &key->file, error);
}

bool sg_csr_open_key(const struct sg_cli *cli, struct sg_csr_key *key, struct sg_error *error)
{
    const char *operand = sg_cli_text(cli, "key");

    if (is_uri(operand))
        return open_token_key(cli, operand, key, error);
    if (operand != NULL ? !open_file_key(cli, operand, key, error)
                        : !make_file_key(cli, key, error))
        return false;
    key->signer = sg_csr_signer_of_file(key->file);
    return operand == NULL || sg_cli_check_no_issuer(cli, key->signer.key, error);
}

/* What nobody sees while it is typed is typed twice. */
static bool read_passphrase(const struct sg_csr_key *key, struct sg_secret **passphrase,
                            struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *first = NULL, *second = NULL;
    char what[256];

    snprintf(what, sizeof what, "new key file %.200s", key->new_path);
    if (!sg_pin_read_passphrase(key->passphrase, what, &first, error))
        return false;
    if (strcmp(key->passphrase, "prompt") == 0) {
        snprintf(what, sizeof what, "new key file %.200s, again", key->new_path);
        if (!sg_pin_read_passphrase(key->passphrase, what, &second, error))
            return false;
        if (sg_secret_len(first) != sg_secret_len(second) ||
            CRYPTO_memcmp(sg_secret_data(first), sg_secret_data(second), sg_secret_len(first)) != 0)
            return sg_fail(error, SG_FAILED, NULL, "the two passphrases are not the same");
    }
    *passphrase = SG_TAKE(first);
    return true;
}

bool sg_csr_keep_key(struct sg_csr_key *key, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *passphrase = NULL;

    if (key->new_path == NULL)
        return true;
    if (key->passphrase != NULL && !read_passphrase(key, &passphrase, error))
        return false;
    return sg_file_key_write(key->file, key->new_path, passphrase, key->kdf, error);
}

void sg_csr_drop_key(const struct sg_csr_key *key)
{
    if (key->new_path != NULL)
        unlink(key->new_path);
}
