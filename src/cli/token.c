#include "token/token.h"

#include "commands.h"
#include "open.h"
#include "output.h"

static const struct sg_option LIST_OPTIONS[] = {SG_TOKEN_MODULE_OPTIONS, {0}};

static const struct sg_option INIT_OPTIONS[] = {
    {"label", 0, "TEXT", "the token's label"},
    {"so-pin", 0, "SOURCE", "the security officer's PIN, by a source as for --pin"},
    SG_TOKEN_OPTIONS,
    {0},
};

static json_t *token_json(const struct sg_token_info *token)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:b, s:b, s:b, s:b, s:b, s:b}", "label",
                     sg_json_text(token->label), "serial_number",
                     sg_json_text(token->serial_number), "model", sg_json_text(token->model),
                     "manufacturer", sg_json_text(token->manufacturer), "slot",
                     (json_int_t)token->slot, "initialized", token->initialized, "pin_initialized",
                     token->pin_initialized, "pin_count_low", token->pin_count_low, "pin_final_try",
                     token->pin_final_try, "pin_locked", token->pin_locked, "write_protected",
                     token->write_protected);
}

static void print_token(const struct sg_token_info *token)
{
    if (!token->initialized) {
        printf("(empty slot %lu)  %s %s; `signet token init` makes it a token\n", token->slot,
               token->manufacturer, token->model);
        return;
    }
    printf("%s\n  uri    pkcs11:token=%s;serial=%s\n  model  %s, %s\n  PIN    %s\n", token->label,
           token->label, token->serial_number, token->manufacturer, token->model,
           !token->pin_initialized ? "not set"
           : token->pin_locked     ? "locked"
           : token->pin_final_try  ? "one try left"
           : token->pin_count_low  ? "some tries used"
                                   : "set");
}

static bool print_tokens(const struct sg_cli *cli, const struct sg_token_info *tokens, size_t num,
                         struct sg_error *error)
{
    if (cli->json) {
        json_t *array = json_array();
        for (size_t i = 0; i < num; i++)
            sg_cli_append(&array, token_json(&tokens[i]));
        return sg_cli_print_json(array, error);
    }
    for (size_t i = 0; i < num; i++)
        print_token(&tokens[i]);
    if (num == 0)
        printf("no tokens\n");
    return true;
}

static bool check_module(const char *profile, const char *module, struct sg_error *error)
{
    return (profile == NULL) != (module == NULL) ||
           sg_fail(error, SG_USAGE, NULL, "give either --profile NAME or --module PATH");
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    const char *profile = sg_cli_text(cli, "profile"), *module = sg_cli_text(cli, "module");
    sg_auto(malloc) struct sg_token_info *tokens = NULL;
    size_t num = 0;

    return check_module(profile, module, error) &&
           sg_token_list(profile, module, &tokens, &num, error) &&
           print_tokens(cli, tokens, num, error);
}

static const char *source_or_prompt(const struct sg_cli *cli, const char *option)
{
    return sg_cli_has(cli, option) ? sg_cli_text(cli, option) : "prompt";
}

static bool run_init(struct sg_cli *cli, struct sg_error *error)
{
    const char *profile = sg_cli_text(cli, "profile"), *module = sg_cli_text(cli, "module");
    sg_auto(sg_secret) sg_secret *so_pin = NULL;
    sg_auto(sg_secret) sg_secret *pin = NULL;
    struct sg_token_info info;
    const char *label;

    return check_module(profile, module, error) && sg_cli_need(cli, "label", &label, error) &&
           sg_pin_read(source_or_prompt(cli, "so-pin"), NULL, "the new token's SO PIN", &so_pin,
                       error) &&
           sg_pin_read(source_or_prompt(cli, "pin"), NULL, "the new token's PIN", &pin, error) &&
           sg_token_init(profile, module, label, so_pin, pin, &info, error) &&
           print_tokens(cli, &info, 1, error);
}

const struct sg_command SG_TOKEN_COMMANDS[] = {
    {"token list", "", "the tokens that a module shows", NULL, LIST_OPTIONS, 0, 0, run_list},
    {"token init", "", "make a token of an empty slot",
     "An existing token is never initialised again.", INIT_OPTIONS, 0, 0, run_init},
    {0},
};
