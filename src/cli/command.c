#include "command.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "commands.h"

/* Options that every command takes. */
static const struct sg_option COMMON[] = {
    {"home", 'C', "DIR", "the CA home (default: $SIGNET_HOME)"},
    {"json", 0, NULL, "results as JSON"},
    {"help", 'h', NULL, "this text"},
    {0},
};

enum { MAX_OPTIONS = 48 };

int sg_cli_exit_status(enum sg_code code)
{
    static const int STATUS[] = {
        [SG_OK] = 0,          [SG_FAILED] = 1,    [SG_USAGE] = 2,
        [SG_INVALID] = 1,     [SG_MALFORMED] = 3, [SG_POSSESSION] = 3,
        [SG_KEY_QUALITY] = 3, [SG_REFUSED] = 3,   [SG_UNAUTHENTICATED] = 3,
        [SG_TOKEN] = 4,       [SG_PIN] = 4,       [SG_STORE] = 5,
        [SG_INTERNAL] = 1,
    };
    return STATUS[code];
}

/* How many of argv's first words the row's words are; 0 when they are not its words. */
static int matching_words(const struct sg_command *command, int argc, char **argv)
{
    const char *rest = command->words;

    for (int n = 0; n < argc; n++) {
        size_t len = strcspn(rest, " ");
        if (strlen(argv[n]) != len || strncmp(argv[n], rest, len) != 0)
            return 0;
        if (rest[len] == '\0')
            return n + 1;
        rest += len + 1;
    }
    return 0;
}

static bool is_noun(const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; SG_COMMANDS[i] != NULL; i++)
        if (strncmp(SG_COMMANDS[i]->words, word, len) == 0 && SG_COMMANDS[i]->words[len] == ' ')
            return true;
    return false;
}

static bool fail_unknown(int argc, char **argv, struct sg_error *error)
{
    char verbs[256] = "";
    const char *noun = argv[0];

    if (noun[0] == '-')
        return sg_fail(error, SG_USAGE, NULL,
                       "'%s' can't stand before the command; only -C DIR can, with a folder", noun);
    if (!is_noun(noun))
        return sg_fail(error, SG_USAGE, NULL, "there is no command '%s'; `signet help` lists them",
                       noun);
    for (size_t i = 0; SG_COMMANDS[i] != NULL; i++)
        for (const struct sg_command *row = SG_COMMANDS[i]; row->words != NULL; row++)
            if (strncmp(row->words, noun, strlen(noun)) == 0 && row->words[strlen(noun)] == ' ') {
                strncat(verbs, verbs[0] != '\0' ? ", " : "", sizeof verbs - strlen(verbs) - 1);
                strncat(verbs, row->words + strlen(noun) + 1, sizeof verbs - strlen(verbs) - 1);
            }
    if (argc < 2 || argv[1][0] == '-')
        return sg_fail(error, SG_USAGE, NULL, "signet %s: say what to do: %s", noun, verbs);
    return sg_fail(error, SG_USAGE, NULL, "signet %s: there is no '%s'; there is %s", noun, argv[1],
                   verbs);
}

bool sg_cli_find(int argc, char **argv, const struct sg_command **command, int *words,
                 struct sg_error *error)
{
    for (size_t i = 0; SG_COMMANDS[i] != NULL; i++)
        for (const struct sg_command *row = SG_COMMANDS[i]; row->words != NULL; row++) {
            int matching = matching_words(row, argc, argv);
            if (matching > 0) {
                *command = row;
                *words = matching;
                return true;
            }
        }
    return fail_unknown(argc, argv, error);
}

/* What getopt_long wants to know, made from the common options and the command's. */
struct grammar {
    struct option longs[MAX_OPTIONS + 1];
    const struct sg_option *rows[MAX_OPTIONS];
    char letters[2 * MAX_OPTIONS + 2];
    int num;
};

static void add_options(struct grammar *grammar, const struct sg_option *options)
{
    for (; options != NULL && options->word != NULL; options++) {
        assert(grammar->num < MAX_OPTIONS);
        grammar->longs[grammar->num] =
            (struct option){options->word, options->value != NULL ? required_argument : no_argument,
                            NULL, 256 + grammar->num};
        grammar->rows[grammar->num++] = options;
        if (options->letter != 0) {
            size_t len = strlen(grammar->letters);
            grammar->letters[len++] = options->letter;
            if (options->value != NULL)
                grammar->letters[len] = ':';
        }
    }
}

static const struct sg_option *find_option(const struct grammar *grammar, int found)
{
    if (found >= 256)
        return grammar->rows[found - 256];
    for (int i = 0; i < grammar->num; i++)
        if (grammar->rows[i]->letter == found)
            return grammar->rows[i];
    return NULL;
}

static bool keep(struct sg_cli *cli, const struct sg_option *option, const char *text,
                 struct sg_error *error)
{
    struct sg_cli_value *grown = realloc(cli->values, (cli->num_values + 1) * sizeof *grown);

    if (grown == NULL)
        return sg_fail_memory(error);
    cli->values = grown;
    grown[cli->num_values++] = (struct sg_cli_value){option, text};
    return true;
}

static bool take(struct sg_cli *cli, const struct sg_option *option, const char *text,
                 struct sg_error *error)
{
    if (option == &COMMON[0])
        cli->home = text;
    else if (option == &COMMON[1])
        cli->json = true;
    else if (option == &COMMON[2])
        cli->help = true;
    else
        return keep(cli, option, text, error);
    return true;
}

/* The first words of the commands that --url can be given to. */
static bool fail_no_url(const struct sg_command *command, struct sg_error *error)
{
    char nouns[256] = "";

    for (size_t i = 0; SG_COMMANDS[i] != NULL; i++)
        for (const struct sg_command *row = SG_COMMANDS[i]; row->words != NULL; row++) {
            const size_t len = strlen(nouns);
            const int noun_len = (int)strcspn(row->words, " ");
            char entry[40];

            (void)snprintf(entry, sizeof entry, ", %.*s", noun_len, row->words);
            if (sg_cli_is_for_desk(row) && strstr(nouns, entry) == NULL)
                (void)snprintf(nouns + len, sizeof nouns - len, "%s", entry);
        }
    return sg_fail(error, SG_USAGE, NULL,
                   "--url: 'signet %s' is done at the CA itself; from here there are%s",
                   command->words, nouns + 1);
}

static bool fail_option(const struct sg_command *command, const char *given, struct sg_error *error)
{
    const size_t len = strcspn(given, "=");

    if (len == 5 && strncmp(given, "--url", len) == 0)
        return fail_no_url(command, error);
    return sg_fail(error, SG_USAGE, NULL,
                   "signet %s has no option %s; `signet %s --help` lists them", command->words,
                   given, command->words);
}

/* Of "ISSUER FILE" with one given: FILE; what stands in brackets may be left out. */
static bool fail_missing(const struct sg_cli *cli, struct sg_error *error)
{
    const struct sg_command *command = cli->command;
    const char *missing = command->operands;
    int passed = 0;

    while (strchr(missing, ' ') != NULL && (*missing == '[' || passed < cli->num_operands)) {
        passed += *missing != '[';
        missing = strchr(missing, ' ') + 1;
    }
    return sg_fail(error, SG_USAGE, NULL, "%.*s is missing; usage: signet %s [options] %s",
                   (int)strcspn(missing, " "), missing, command->words, command->operands);
}

static bool check_operands(const struct sg_cli *cli, struct sg_error *error)
{
    const struct sg_command *command = cli->command;

    if (cli->help)
        return true;
    if (cli->num_operands < command->min_operands)
        return fail_missing(cli, error);
    if (command->max_operands >= 0 && cli->num_operands > command->max_operands)
        return sg_fail(error, SG_USAGE, NULL, "'%s' is one too many; usage: signet %s [options] %s",
                       cli->operands[command->max_operands], command->words, command->operands);
    return true;
}

bool sg_cli_parse(struct sg_cli *cli, int argc, char **argv, struct sg_error *error)
{
    struct grammar grammar = {.letters = ":"};
    int found;

    add_options(&grammar, COMMON);
    add_options(&grammar, cli->command->options);
    opterr = 0;
    optind = 0;
    while ((found = getopt_long(argc, argv, grammar.letters, grammar.longs, NULL)) != -1) {
        const char *given = argv[optind - 1];
        if (found == ':')
            return sg_fail(error, SG_USAGE, NULL, "option %s needs a value", given);
        if (found == '?')
            return fail_option(cli->command, given, error);
        if (!take(cli, find_option(&grammar, found), optarg, error))
            return false;
    }
    cli->operands = argv + optind;
    cli->num_operands = argc - optind;
    return check_operands(cli, error);
}

void sg_cli_done(struct sg_cli *cli)
{
    free(cli->values);
}

const char *sg_cli_nth(const struct sg_cli *cli, const char *word, size_t n)
{
    for (size_t i = 0; i < cli->num_values; i++)
        if (strcmp(cli->values[i].option->word, word) == 0 && n-- == 0)
            return cli->values[i].text;
    return NULL;
}

const char *sg_cli_text(const struct sg_cli *cli, const char *word)
{
    const char *last = NULL;

    for (size_t i = 0; i < cli->num_values; i++)
        if (strcmp(cli->values[i].option->word, word) == 0)
            last = cli->values[i].text;
    return last;
}

bool sg_cli_has(const struct sg_cli *cli, const char *word)
{
    for (size_t i = 0; i < cli->num_values; i++)
        if (strcmp(cli->values[i].option->word, word) == 0)
            return true;
    return false;
}

bool sg_cli_need(const struct sg_cli *cli, const char *word, const char **text,
                 struct sg_error *error)
{
    *text = sg_cli_text(cli, word);
    return *text != NULL ||
           sg_fail(error, SG_USAGE, NULL, "signet %s needs --%s; `signet %s --help` explains it",
                   cli->command->words, word, cli->command->words);
}

static void print_options(const struct sg_option *options)
{
    for (; options != NULL && options->word != NULL; options++) {
        char left[40];
        int len = options->letter != 0 ? snprintf(left, sizeof left, "-%c, ", options->letter)
                                       : snprintf(left, sizeof left, "    ");
        snprintf(left + len, sizeof left - (size_t)len, "--%s%s%s", options->word,
                 options->value != NULL ? " " : "", options->value != NULL ? options->value : "");
        printf("  %-30s %s\n", left, options->help);
    }
}

void sg_cli_help(const struct sg_command *command)
{
    printf("signet %s: %s\n\nusage: signet %s [options]%s%s\n\n", command->words, command->summary,
           command->words, command->operands[0] != '\0' ? " " : "", command->operands);
    if (command->details != NULL)
        printf("%s\n\n", command->details);
    print_options(command->options);
    print_options(COMMON);
}

void sg_cli_overview(FILE *out)
{
    fprintf(out, "signet: a certificate authority whose keys live on PKCS#11 tokens\n\n"
                 "usage: signet [-C HOME] COMMAND [options] …\n\n");
    for (size_t i = 0; SG_COMMANDS[i] != NULL; i++)
        for (const struct sg_command *row = SG_COMMANDS[i]; row->words != NULL; row++)
            fprintf(out, "  %-18s %s\n", row->words, row->summary);
    fprintf(out, "\n`signet COMMAND --help` explains one. Exit status: 0 done, 1 failed, 2 usage,\n"
                 "3 refused, 4 token, 5 store.\n");
}
