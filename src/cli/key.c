#include "commands.h"
#include "open.h"
#include "output.h"

static const struct sg_option CREATE_OPTIONS[] = {
    {"type", 't', "KIND", "RSA-2048 (3072, 4096), P-256 (default), P-384, P-521, Ed25519"},
    SG_TOKEN_OPTIONS,
    SG_SO_PIN_OPTION,
    SG_SIGNER_OPTION,
    {0},
};

static const struct sg_option LOOK_OPTIONS[] = {SG_TOKEN_OPTIONS, {0}};

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

static bool run_create(struct sg_cli *cli, struct sg_error *error)
{
    const char *type = sg_cli_text(cli, "type");
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(malloc) char *label = NULL;
    sg_auto(sg_buf) struct sg_buf id = {0};
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_key_kind kind;

    return sg_key_kind_parse(type != NULL ? type : "P-256", &kind, error) &&
           sg_cli_open_key(cli, cli->operands[0], &place, error) &&
           sg_key_uri_parts(place.uri, &label, &id, error) &&
           sg_key_create(place.token, kind, label, sg_buf_slice(&id), &key, error) &&
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
    {"key create", "KEY", "make a key pair on a token", KEY_DETAILS, CREATE_OPTIONS, 1, 1,
     run_create},
    {"key list", "KEY", "the keys on a token", KEY_DETAILS, LOOK_OPTIONS, 1, 1, run_list},
    {"key show", "KEY", "one key, its attributes as the token tells them", KEY_DETAILS,
     LOOK_OPTIONS, 1, 1, run_show},
    {0},
};
