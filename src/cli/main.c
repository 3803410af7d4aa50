#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/wiping.h"
#include "desk.h"
#include "output.h"
#include "token/token.h"

#ifndef SG_VERSION
#error "the build gives SG_VERSION"
#endif

/* Errors are printed here and nowhere else. */
static int report(const struct sg_cli *cli, const struct sg_error *error)
{
    bool refusal = sg_code_is_refusal(error->code);

    fprintf(stderr, "signet: %s%s%s%s\n", refusal ? "refused: " : "", error->rule,
            error->rule[0] != '\0' ? ": " : "", error->text);
    if (cli->json && !cli->answered) {
        json_t *object =
            json_pack("{s:{s:s, s:o, s:o}}", "error", "code", sg_code_name(error->code), "rule",
                      sg_json_text(error->rule), "message", sg_json_text(error->text));
        json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(object);
    }
    return sg_cli_exit_status(error->code);
}

/* A result counts when it has left the process. */
static bool flush_results(struct sg_error *error)
{
    return (fflush(stdout) == 0 && ferror(stdout) == 0) ||
           sg_fail_errno(error, "the result could not be written to standard output");
}

static bool run_command(struct sg_cli *cli, int argc, char **argv, struct sg_error *error)
{
    if (!sg_cli_parse(cli, argc, argv, error))
        return false;
    if (cli->help)
        sg_cli_help(cli->command);
    else if (!sg_cli_run(cli, error))
        return false;
    return flush_results(error);
}

/* The store or an output file must not get the number of a standard stream that the caller closed,
 * and with it what is printed. Using such a stream goes on failing. */
static void occupy_standard_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 &&
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            _exit(EXIT_FAILURE);
}

/* -C DIR may stand before the command, as with git. Returns how many arguments it took. */
static int take_leading_home(struct sg_cli *cli, int argc, char **argv)
{
    int taken = 0;

    while (taken + 1 < argc && strcmp(argv[taken], "-C") == 0) {
        cli->home = argv[taken + 1];
        taken += 2;
    }
    return taken;
}

/* Answers `signet`, `signet help …` and `signet --version`; false: there is a command to run. */
static bool answer_without_command(int argc, char **argv, int *status)
{
    const char *word = argc > 0 ? argv[0] : "";

    *status = 0;
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0)
        printf("signet " SG_VERSION "\nOpenSSL %s, %s the engine signer\n",
               OpenSSL_version(OPENSSL_VERSION_STRING), sg_token_has_engine() ? "with" : "without");
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
             (strcmp(word, "help") == 0 && argc == 1))
        sg_cli_overview(stdout);
    else if (argc == 0) {
        sg_cli_overview(stderr);
        *status = sg_cli_exit_status(SG_USAGE);
    } else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct sg_cli cli = {.home = getenv("SIGNET_HOME"), .arguments = argv};
    struct sg_error error = {0};
    int words, status;

    sg_wipe_what_is_freed();
    occupy_standard_streams();
    sg_forbid_core_dumps();
    signal(SIGPIPE, SIG_IGN);
    /* A system's openssl.cnf may load engines and providers that break the token's keys. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);

    int taken = 1 + take_leading_home(&cli, argc - 1, argv + 1);
    argc -= taken;
    argv += taken;
    if (answer_without_command(argc, argv, &status))
        return flush_results(&error) ? status : report(&cli, &error);
    if (strcmp(argv[0], "help") == 0) {
        argc--;
        argv++;
        cli.help = true;
    }
    if (!sg_cli_find(argc, argv, &cli.command, &words, &error) ||
        !run_command(&cli, argc - words + 1, argv + words - 1, &error))
        status = report(&cli, &error);
    sg_cli_done(&cli);
    return status;
}
