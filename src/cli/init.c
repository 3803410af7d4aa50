#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "commands.h"
#include "open.h"
#include "output.h"
#include "token/token.h"

static const struct sg_option OPTIONS[] = {
    {"ca", 0, "TEXT", "the CA's name, for people (default: the folder's name)"},
    {"store", 0, "STORE", "sqlite:FILE or postgresql://… (default: sqlite:signet.db, in DIR)"},
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
        .store = sg_cli_text(cli, "store"),
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

/* The path of the PIN's file as a command in the home looks for it; NULL when it is in no file. */
static bool find_pin_file(const char *dir, const char *source, char **path, struct sg_error *error)
{
    static const char FILE_SOURCE[] = "file:";
    size_t len = strlen(FILE_SOURCE);

    return source == NULL || strncmp(source, FILE_SOURCE, len) != 0 ||
           sg_path_join(dir, source + len, path, error);
}

/* What the home's first use of its token would stumble over. It is no failure here: the home may be
 * made before the token is. */
static void note_what_is_missing(const char *dir, const struct sg_home_spec *spec,
                                 const char *pin_file)
{
    const struct sg_token_config config = {.profile = spec->profile,
                                           .module = spec->module,
                                           .uri = spec->token,
                                           .folder = dir,
                                           .signer = spec->signer};
    sg_auto(sg_token) sg_token *token = NULL;
    struct sg_error why = {0};

    if (pin_file != NULL && access(pin_file, F_OK) != 0)
        fprintf(stderr, "signet: note: there is no PIN file %s yet; a relative path begins in %s\n",
                pin_file, dir);
    if (!sg_token_open(&config, &token, &why))
        fprintf(stderr, "signet: note: the token can't be used yet: %s\n", why.text);
}

static bool run_init(struct sg_cli *cli, struct sg_error *error)
{
    const char *dir = cli->operands[0];
    sg_auto(malloc) char *pin_file = NULL;
    struct sg_home_spec spec;

    if (!describe(cli, &spec, error) || !find_pin_file(dir, spec.pin, &pin_file, error) ||
        !sg_home_init(dir, &spec, error))
        return false;
    note_what_is_missing(dir, &spec, pin_file);
    if (cli->json)
        return sg_cli_print_json(
            json_pack("{s:o, s:o}", "home", sg_json_text(dir), "issuer", sg_json_text(spec.issuer)),
            error);
    printf("%s is a CA home now; its settings are in %s/signet.yaml, its policies in %s/policies.\n"
           "%s%s%sNext, its key:  signet -C %s key create %s\n",
           dir, dir, dir, pin_file != NULL ? "Its PIN is read from " : "",
           pin_file != NULL ? pin_file : "", pin_file != NULL ? ".\n" : "", dir, spec.issuer);
    return true;
}

const struct sg_command SG_INIT_COMMANDS[] = {
    {"init", "DIR", "make a CA home",
     "Writes a commented signet.yaml, the shipped policies and an empty store. --pin file:PATH is\n"
     "relative to DIR, as all that signet.yaml says. The token is only looked for: nothing is\n"
     "written to it, and a note tells when it or the PIN's file is not there yet.",
     OPTIONS, 1, 1, run_init},
    {0},
};
