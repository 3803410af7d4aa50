#include <string.h>

#include "commands.h"
#include "open.h"
#include "output.h"

static const struct sg_option CREATE_OPTIONS[] = {
    {"type", 't', "KIND", "RSA-2048 (3072, 4096), P-256 (default), P-384, P-521, Ed25519, HMAC"},
    {"decrypt", 0, NULL, "the key also opens what is encrypted to it (RSA, EC)"},
    SG_TOKEN_OPTIONS,
    SG_SO_PIN_OPTION,
    SG_SIGNER_OPTION,
    {0},
};

static const struct sg_option LOOK_OPTIONS[] = {SG_TOKEN_OPTIONS, {0}};

static const char CREATE_DETAILS[] =
    "KEY is an issuer's name in the home, or a PKCS#11 URI (RFC 7512) such as\n"
    "'pkcs11:token=card;object=device-key' with --profile or --module. With --type HMAC it may be\n"
    "pins: the key for PINs that signet.yaml names.";

static const char KEY_DETAILS[] =
    "KEY is an issuer's name in the home, or a PKCS#11 URI (RFC 7512) such as\n"
    "'pkcs11:token=card;object=device-key' with --profile or --module.";

static bool print_key(const struct sg_cli *cli, const struct sg_key *key, struct sg_error *error)
{
    if (cli->json)
        return sg_cli_print_json(sg_cli_key_json(key), error);
    sg_cli_print_key(key);
    return true;
}

/* The token and the key's URI, of `pins` in signet.yaml or of a URI. */
static bool open_hmac(const struct sg_cli *cli, struct sg_cli_key *place, struct sg_error *error)
{
    const char *operand = cli->operands[0];

    if (strncmp(operand, "pkcs11:", 7) == 0)
        return sg_cli_open_key(cli, operand, place, error);
    if (strcmp(operand, "pins") != 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "'%s': an HMAC key is `pins`, as signet.yaml names it, or a PKCS#11 URI",
                       operand);
    if (!sg_cli_open_home(cli, SG_STORE_OPEN, &place->home, error))
        return false;
    const struct sg_config *config = sg_home_config(place->home);
    if (config->pins_key == NULL)
        return sg_fail(error, SG_USAGE, "pins",
                       "signet.yaml names no key for PINs: add `pins: {token: NAME, key: "
                       "pkcs11:object=LABEL}`");
    place->uri = strdup(config->pins_key);
    return (place->uri != NULL || sg_fail_memory(error)) &&
           sg_home_token(place->home, config->pins_token, &place->token, error);
}

static bool print_hmac(const struct sg_cli *cli, const struct sg_cli_key *place, const char *label,
                       struct sg_error *error)
{
    const char *token = sg_token_label(place->token);

    if (cli->json)
        return sg_cli_print_json(json_pack("{s:o, s:o, s:s}", "label", sg_json_text(label), "token",
                                           sg_json_text(token), "type", "HMAC"),
                                 error);
    printf("%s  HMAC, 256 bits, on token %s; never extractable\n", label, token);
    return true;
}

static bool create_hmac(const struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(malloc) char *label = NULL;
    sg_auto(sg_buf) struct sg_buf id = {0};

    return open_hmac(cli, &place, error) && sg_key_uri_parts(place.uri, &label, &id, error) &&
           sg_mac_create(place.token, label, sg_buf_slice(&id), error) &&
           print_hmac(cli, &place, label, error);
}

static bool run_create(struct sg_cli *cli, struct sg_error *error)
{
    const char *type = sg_cli_text(cli, "type");
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(malloc) char *label = NULL;
    sg_auto(sg_buf) struct sg_buf id = {0};
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_key_kind kind;

    if (type != NULL && strcmp(type, "HMAC") == 0)
        return create_hmac(cli, error);
    return sg_key_kind_parse(type != NULL ? type : "P-256", &kind, error) &&
           sg_cli_open_key(cli, cli->operands[0], &place, error) &&
           sg_key_uri_parts(place.uri, &label, &id, error) &&
           (sg_cli_has(cli, "decrypt") ? sg_key_create_decrypting : sg_key_create)(
               place.token, kind, label, sg_buf_slice(&id), &key, error) &&
           print_key(cli, &key, error);
}

static bool run_show(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(sg_key) struct sg_key key = {0};

    return sg_cli_open_key(cli, cli->operands[0], &place, error) &&
           sg_key_find(place.token, place.uri, &key, error) && print_key(cli, &key, error);
}

static bool print_keys(const struct sg_cli *cli, const struct sg_key *keys, size_t num,
                       struct sg_error *error)
{
    if (cli->json) {
        json_t *array = json_array();
        for (size_t i = 0; i < num; i++)
            sg_cli_append(&array, sg_cli_key_json(&keys[i]));
        return sg_cli_print_json(array, error);
    }
    for (size_t i = 0; i < num; i++)
        sg_cli_print_key(&keys[i]);
    if (num == 0)
        printf("no keys\n");
    return true;
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(malloc) struct sg_key *keys = NULL;
    size_t num = 0;

    if (!sg_cli_open_key(cli, cli->operands[0], &place, error) ||
        !sg_key_list(place.token, &keys, &num, error))
        return false;
    bool printed = print_keys(cli, keys, num, error);
    for (size_t i = 0; i < num; i++)
        sg_key_done(&keys[i]);
    return printed;
}

const struct sg_command SG_KEY_COMMANDS[] = {
    {"key create", "KEY", "make a key on a token", CREATE_DETAILS, CREATE_OPTIONS, 1, 1,
     run_create},
    {"key list", "KEY", "the keys on a token", KEY_DETAILS, LOOK_OPTIONS, 1, 1, run_list},
    {"key show", "KEY", "one key, its attributes as the token tells them", KEY_DETAILS,
     LOOK_OPTIONS, 1, 1, run_show},
    {0},
};
