#include "desk.h"

#include <string.h>

#include "net.h"

static bool has_option(const struct sg_command *command, const char *word)
{
    const struct sg_option *option = command->options;

    while (option != NULL && option->word != NULL && strcmp(option->word, word) != 0)
        option++;
    return option != NULL && option->word != NULL;
}

bool sg_cli_is_for_desk(const struct sg_command *command)
{
    return has_option(command, "url") && has_option(command, "as");
}

static bool is_key(const char *text)
{
    return strncmp(text, "pkcs11:", 7) == 0;
}

static bool check_here(const struct sg_cli *cli, struct sg_error *error)
{
    for (size_t i = 0; i < cli->num_values; i++) {
        const struct sg_option *option = cli->values[i].option;

        if (strncmp(option->help, "with --url", 10) == 0)
            return sg_fail(error, SG_USAGE, NULL, "--%s goes with --url, and is of no use without",
                           option->word);
        if (strcmp(option->word, "as") == 0 && is_key(cli->values[i].text))
            return sg_fail(error, SG_USAGE, NULL,
                           "--as names a key, which a service would know you by; add --url, or "
                           "give your name");
    }
    return true;
}

/* A home that only the environment names is meant for other commands. */
static bool check_there(const struct sg_cli *cli, struct sg_error *error)
{
    const char *key = NULL;

    if (cli->home != NULL && cli->home != getenv("SIGNET_HOME"))
        return sg_fail(error, SG_USAGE, NULL, "give -C or --url: a home in hand, or a service");
    return sg_cli_need(cli, "as", &key, error) &&
           (is_key(key) || sg_fail(error, SG_USAGE, NULL,
                                   "--as %s is no key on a card; with --url write "
                                   "--as 'pkcs11:token=CARD;object=KEY'",
                                   key));
}

bool sg_cli_run(struct sg_cli *cli, struct sg_error *error)
{
    if (!sg_cli_is_for_desk(cli->command))
        return cli->command->run(cli, error);
    if (sg_cli_has(cli, "url"))
        return check_there(cli, error) && sg_cli_desk(cli, error);
    return check_here(cli, error) && cli->command->run(cli, error);
}
