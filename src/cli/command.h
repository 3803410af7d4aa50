/* command: the table of subcommands, and what each of them gets to work with.
 *
 * A command is a row of words, operands, options and a function; help, parsing and exit statuses
 * come from the row. Commands print results on stdout; everything else goes to stderr.
 */
#ifndef SG_CLI_COMMAND_H
#define SG_CLI_COMMAND_H

#include "base/clock.h"
#include "base/json.h"

/* An option. `value` is its argument's name in the help, NULL for a switch. */
struct sg_option {
    const char *word; /* "policy"; NULL ends the table */
    char letter;      /* 'p', or 0 */
    const char *value;
    const char *help;
};

struct sg_cli;

struct sg_command {
    const char *words;    /* "key create" */
    const char *operands; /* "KEY", "REQUEST…", "" */
    const char *summary;  /* one line */
    const char *details;  /* more, for `--help`; may be NULL */
    const struct sg_option *options;
    int min_operands, max_operands; /* max -1: any number */
    bool (*run)(struct sg_cli *cli, struct sg_error *error);
};

/* One call of the program. */
struct sg_cli {
    const struct sg_command *command;
    const char *home; /* -C or SIGNET_HOME or NULL */
    bool json;
    bool help;
    bool answered; /* a JSON result is printed: an error adds no second one */
    struct sg_clock clock;
    char **arguments; /* of the program, all of them */
    char **operands;
    int num_operands;
    struct sg_cli_value {
        const struct sg_option *option;
        const char *text;
    } * values;
    size_t num_values;
};

/* The rows, one array for each noun; see commands.c. */
extern const struct sg_command *const SG_COMMANDS[];

/* sg_cli_find matches the longest row with the first arguments; *words tells how many they were.
 * Fails: SG_USAGE, naming what there is. */
SG_MUST_USE bool sg_cli_find(int argc, char **argv, const struct sg_command **command, int *words,
                             struct sg_error *error);

/* sg_cli_parse fills cli from the arguments after the command's words; options may stand anywhere.
 * Fails: SG_USAGE. */
SG_MUST_USE bool sg_cli_parse(struct sg_cli *cli, int argc, char **argv, struct sg_error *error);
void sg_cli_done(struct sg_cli *cli);

/* The last value of an option, NULL when it was not given. */
const char *sg_cli_text(const struct sg_cli *cli, const char *word);
bool sg_cli_has(const struct sg_cli *cli, const char *word);
/* The nth value of an option that may be repeated, NULL past the end. */
const char *sg_cli_nth(const struct sg_cli *cli, const char *word, size_t n);
/* sg_cli_need is sg_cli_text for an option that must be there. */
SG_MUST_USE bool sg_cli_need(const struct sg_cli *cli, const char *word, const char **text,
                             struct sg_error *error);

void sg_cli_help(const struct sg_command *command);
void sg_cli_overview(FILE *out);

/* Commands that do the same at a service, with --url and --as; desk.c. */
bool sg_cli_is_for_desk(const struct sg_command *command);

/* The program's exit status for an error (design: 0 done, 1 failed, 2 usage, 3 refused, 4 token,
 * 5 store). */
int sg_cli_exit_status(enum sg_code code);

#endif
