#include <string.h>

#include "commands.h"
#include "open.h"
#include "output.h"

static const struct sg_option OPTIONS[] = {
    {"ca", 0, "TEXT", "the CA's name, for people (default: the folder's name)"},
    {"issuer", 0, "NAME", "its first issuer and its key's label (default: the folder's name)"},
    {"token", 0, "URI", "the token that holds the issuer's key: pkcs11:token=LABEL"},
    SG_TOKEN_OPTIONS,
    SG_SIGNER_OPTION,
    {"signature", 0, "SCHEME", "rsa-sha256, rsa-pss-sha384, ecdsa-sha256, … (default: by the key)"},
    {"crl-url", 0, "URL", "where its CRL is published, for the certificates that say so"},
    {"ocsp-url", 0, "URL", "its OCSP responder"},
    {"ca-issuers-url", 0, "URL", "its own certificate"},
    {0},
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static bool describe(const struct sg_cli *cli, struct sg_home_spec *spec, struct sg_error *error)
{
    const char *folder = last_part(cli->operands[0]);
    const char *scheme = sg_cli_text(cli, "signature");
    const char *ca = sg_cli_text(cli, "ca"), *issuer = sg_cli_text(cli, "issuer");

    *spec = (struct sg_home_spec){
        .ca = ca != NULL ? ca : folder,
        .issuer = issuer != NULL ? issuer : folder,
        .profile = sg_cli_text(cli, "profile"),
        .module = sg_cli_text(cli, "module"),
        .pin = sg_cli_text(cli, "pin"),
        .crl_url = sg_cli_text(cli, "crl-url"),
        .ocsp_url = sg_cli_text(cli, "ocsp-url"),
        .ca_issuers_url = sg_cli_text(cli, "ca-issuers-url"),
    };
    if (spec->profile == NULL && spec->module == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "signet init needs --profile NAME or --module PATH, to reach the token");
    return sg_cli_need(cli, "token", &spec->token, error) &&
           sg_cli_signer(cli, &spec->signer, error) &&
           (scheme == NULL || sg_scheme_parse(scheme, &spec->scheme, error));
}

static bool run_init(struct sg_cli *cli, struct sg_error *error)
{
    const char *dir = cli->operands[0];
    struct sg_home_spec spec;

    if (!describe(cli, &spec, error) || !sg_home_init(dir, &spec, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(json_pack("{s:o, s:o}", "home", sg_cli_text_json(dir), "issuer",
                                           sg_cli_text_json(spec.issuer)),
                                 error);
    printf("%s is a CA home now; its settings are in %s/signet.yaml, its policies in %s/policies.\n"
           "Next, its key:  signet -C %s key create %s\n",
           dir, dir, dir, dir, spec.issuer);
    return true;
}

const struct sg_command SG_INIT_COMMANDS[] = {
    {"init", "DIR", "make a CA home",
     "Writes a commented signet.yaml, the shipped policies and an empty store. No token is "
     "touched.",
     OPTIONS, 1, 1, run_init},
    {0},
};
