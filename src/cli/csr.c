#include "csr.h"

#include "commands.h"
#include "output.h"

static const struct sg_option OPTIONS[] = {
    {"key", 'k', "KEY", "the key that signs it: a PEM file, or pkcs11:token=card;object=key"},
    {"new-key", 0, "FILE", "make a key and put it here, encrypted; an existing file stays"},
    {"type", 't', "TYPE", "P-256 (default), P-384, RSA-2048, …, Ed25519, ML-DSA-65, …"},
    {"passphrase", 0, "SOURCE", "of the file: file:PATH, env:NAME, credential:NAME or prompt"},
    {"no-passphrase", 0, NULL, "the new key is not encrypted"},
    {"kdf", 0, "WORD", "from the passphrase: scrypt (default) or pbkdf2, for older programs"},
    SG_TOKEN_OPTIONS,
    SG_SIGNER_OPTION,
    {"subject", 's', "NAME", "'CN=device-AB12' or '/CN=device-AB12' (default: asked for)"},
    {"san", 0, "KIND:VALUE", "an alternative name, in a form told above; may be repeated"},
    {"eku", 0, "PURPOSE", "a key purpose to ask for: clientAuth, an OID, …; may be repeated"},
    {"key-usage", 0, "USAGE", "a key usage to ask for: digitalSignature, …; may be repeated"},
    {"for", 0, "POLICY", "ask for what this policy gives: a name in the home, or a file"},
    {"device", 'd', "ID", "with --for: the device, by its id in the home's registry"},
    {"user", 'u', "NAME", "with --for: the user, by name in the home's registry"},
    {"set", 0, "NAME=VALUE", "with --for: device.id=…, user.upn=…, …; may be repeated"},
    {"issuer", 0, "NAME", "with --for: the issuer, when several are active"},
    {"from", 0, "FILE", "what to ask for is in this YAML file"},
    {"decrypt-to", 0, "CERTIFICATE", "for serverkeygen: who makes the key encrypts it to this one"},
    {"signature", 0, "SCHEME", "ecdsa-sha256, rsa-pss-sha256, ed25519, … (default: by the key)"},
    {"output", 'o', "FILE", "write the request here (default: standard output)"},
    {"force", 'f', NULL, "replace the request that is there, never a key"},
    {0},
};

static const char DETAILS[] =
    "A person's certificate with an e-mail address and a Windows name, with a new key:\n"
    "  signet csr --new-key ada.key --subject 'CN=Ada Lovelace' --san email:ada@example.com \\\n"
    "      --san upn:ada@corp.example.com --eku clientAuth --eku emailProtection -o ada.csr\n"
    "Alternative names:\n"
    "  dns:a.example   ip:192.0.2.7   email:ada@example.com   upn:ada@corp.example.com\n"
    "  uri:urn:x:1   dirname:/CN=Ada/O=Example   registered_id:1.3.6.1.4.1.32473.5\n"
    "  'hardware-module:1.3.6.1.4.1.32473.1.2;SN-0042'\n"
    "  'permanent-identifier:1.3.6.1.4.1.32473.3;7', or without an assigner ';7'\n"
    "  'other:1.3.6.1.4.1.32473.4;utf8:text'; also ia5: printable: octets:HEX der:HEX\n"
    "docs/csr.md has more of these.";

static json_t *sans_json(const struct sg_sans *sans)
{
    json_t *array = json_array();

    for (size_t i = 0; i < sans->num; i++) {
        const struct sg_sans one = {.items = &sans->items[i], .num = 1};
        char text[SG_LIMIT_VALUE + 32];
        sg_cli_append(&array, sg_json_text(sg_sans_text(&one, text, sizeof text)));
    }
    return array;
}

static json_t *key_json(const struct sg_cli *cli, const struct sg_csr_key *key)
{
    char kind[SG_KEY_KIND_TEXT_SIZE], digest[SG_SHA256_HEX_SIZE];
    bool is_encrypted = key->new_path != NULL
                            ? key->passphrase != NULL
                            : key->file != NULL && sg_file_key_was_encrypted(key->file);
    const char *path = key->new_path != NULL ? key->new_path : sg_cli_text(cli, "key");

    sg_hex(sg_slice_of(key->signer.key->sha256, SG_SHA256_LEN), digest, sizeof digest);
    return json_pack("{s:s, s:s, s:o, s:b, s:o}", "kind",
                     sg_key_kind_text(key->signer.key->kind, kind), "sha256", digest, "file",
                     sg_json_text_or_null(key->file != NULL ? path : NULL), "new",
                     key->new_path != NULL, "encrypted",
                     key->file != NULL ? json_boolean(is_encrypted) : json_null());
}

static json_t *result_json(const struct sg_cli *cli, const struct sg_csr_key *key,
                           const struct sg_csr_spec *spec, struct sg_slice der)
{
    const char *output = sg_cli_text(cli, "output");
    char subject[SG_LIMIT_VALUE];

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "request",
                     output != NULL ? json_null() : sg_cli_pem_json(der, "CERTIFICATE REQUEST"),
                     "output", sg_json_text_or_null(output), "subject",
                     sg_json_text(spec->subject->num > 0
                                      ? sg_name_text(spec->subject, subject, sizeof subject)
                                      : ""),
                     "san", sans_json(spec->sans), "key", key_json(cli, key));
}

/* is_out: the request has left, whatever happens afterwards. */
static bool deliver(struct sg_cli *cli, const struct sg_csr_key *key,
                    const struct sg_csr_spec *spec, struct sg_slice der, bool *is_out,
                    struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output");

    if ((!cli->json || output != NULL) &&
        !sg_cli_emit_pem(output, sg_cli_has(cli, "force"), der, "CERTIFICATE REQUEST", error))
        return false;
    *is_out = output != NULL;
    cli->answered = cli->json;
    if (cli->json && !sg_cli_print_json(result_json(cli, key, spec, der), error))
        return false;
    if (fflush(stdout) != 0)
        return sg_fail_errno(error, "the result could not be written to standard output");
    *is_out = true;
    return true;
}

static bool build(const struct sg_cli *cli, const struct sg_csr_key *key,
                  struct sg_csr_making *making, struct sg_buf *der, struct sg_error *error)
{
    const char *path = sg_cli_text(cli, "decrypt-to");
    sg_auto(sg_certificates) sg_certificates *recipient = sk_X509_new_null();

    if (recipient == NULL)
        return sg_fail_memory(error);
    if (!sg_csr_settle(cli, key->signer.key, making, error) ||
        (path != NULL && !sg_cli_read_certificates(path, recipient, error)))
        return false;
    making->spec.deliver_to = sk_X509_value(recipient, 0);
    return sg_enroll_csr(&key->signer, &making->spec, NULL, NULL, der, error) &&
           (making->wish.policy == NULL ||
            sg_csr_check_policy(&making->wish, sg_buf_slice(der), error));
}

/* A new key reaches its file when the request is made, and stays only with it. */
static bool run_csr(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_csr_making) struct sg_csr_making making = {0};
    sg_auto(sg_csr_key) struct sg_csr_key key = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    bool is_out = false, is_delivered;

    if (!sg_csr_check_key_options(cli, error) ||
        !sg_cli_check_output(sg_cli_text(cli, "output"), sg_cli_has(cli, "force"), error) ||
        !sg_csr_gather(cli, &making, error) || !sg_csr_open_key(cli, &key, error) ||
        !build(cli, &key, &making, &der, error) || !sg_csr_keep_key(&key, error))
        return false;
    is_delivered = deliver(cli, &key, &making.spec, sg_buf_slice(&der), &is_out, error);
    if (!is_out)
        sg_csr_drop_key(&key);
    if (is_out && key.new_path != NULL)
        fprintf(stderr, "the new key is in %s, %s\n", key.new_path,
                key.passphrase != NULL ? "encrypted" : "not encrypted");
    return is_delivered;
}

const struct sg_command SG_CSR_COMMANDS[] = {
    {"csr", "", "a certificate request, by a key on a token or in a file", DETAILS, OPTIONS, 0, 0,
     run_csr},
    {0},
};
