#include "cert/cert.h"
#include "commands.h"
#include "enroll/enroll.h"
#include "open.h"
#include "output.h"

static const struct sg_option IMPORT_OPTIONS[] = {
    SG_TOKEN_OPTIONS,
    SG_SO_PIN_OPTION,
    {"force", 'f', NULL, "replace the certificate that is beside the key"},
    {0},
};

static const struct sg_option EXPORT_OPTIONS[] = {
    SG_TOKEN_OPTIONS,
    {"output", 'o', "FILE", "write the certificate here (default: standard output)"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

static bool run_import(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(sg_certificates) sg_certificates *certificates = sk_X509_new_null();
    sg_auto(sg_buf) struct sg_buf der = {0};

    if (certificates == NULL)
        return sg_fail_memory(error);
    if (!sg_cli_read_certificates(cli->operands[1], certificates, error) ||
        !sg_cli_certificate_der(sk_X509_value(certificates, 0), &der, error) ||
        !sg_cli_open_key(cli, cli->operands[0], &place, error) ||
        !sg_enroll_store(place.token, place.uri, sg_buf_slice(&der), sg_cli_has(cli, "force"),
                         error))
        return false;
    fprintf(stderr, "the certificate is on %s beside its key, read back and compared\n",
            sg_token_label(place.token));
    return true;
}

static bool run_export(struct sg_cli *cli, struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output");
    bool force = sg_cli_has(cli, "force");
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};

    return sg_cli_check_output(output, force, error) &&
           sg_cli_open_key(cli, cli->operands[0], &place, error) &&
           sg_key_find(place.token, place.uri, &key, error) &&
           sg_token_get_certificate(place.token, &key, &der, error) &&
           sg_cli_emit_pem(output, force, sg_buf_slice(&der), "CERTIFICATE", error);
}

const struct sg_command SG_CARD_COMMANDS[] = {
    {"card import", "KEY FILE", "put a certificate on a card, beside its key",
     "KEY is the PKCS#11 URI of the key. The certificate is read back and compared.",
     IMPORT_OPTIONS, 2, 2, run_import},
    {"card export", "KEY", "read the certificate that is beside a key", NULL, EXPORT_OPTIONS, 1, 1,
     run_export},
    {0},
};
