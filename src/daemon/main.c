/* signetd: the service. Options, roles, and what the two processes have in common. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/wiping.h"
#include "front/front.h"
#include "log.h"
#include "notify.h"
#include "sandbox.h"
#include "service/service.h"
#include "supervise.h"

#ifndef SG_VERSION
#error "the build gives SG_VERSION"
#endif

/* As signet's: 3 never ends a service. */
enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2, TOKEN = 4, STORE = 5 };

static const char HELP[] =
    "usage: signetd [-C DIR]           serve the CA in DIR: both processes, for a trial\n"
    "       signetd issuer [-C DIR]    the process with tokens, policies and the store\n"
    "       signetd front [-C DIR]     the process on the network\n"
    "\n"
    "  -C DIR      the CA's home (default: $SIGNET_HOME); its signet.yaml has a section `service`\n"
    "  --help      this\n"
    "  --version   which signetd this is\n"
    "\n"
    "SIGTERM ends it once what was asked is answered; SIGHUP reads signet.yaml again.\n"
    "Status: 0 ended as it was told to, 1 failed, 2 usage, 4 token or PIN, 5 store.\n";

/* What a role is given. */
struct program {
    const char *dir;
    char **argv;
    void (*notify)(const char *state);
    enum sg_log_format log;
};

static int status_of(enum sg_code code)
{
    switch (code) {
    case SG_OK:
        return DONE;
    case SG_USAGE:
        return WRONG_USAGE;
    case SG_PIN: /* a PIN that was refused is not tried again, whatever starts us */
        return TOKEN;
    case SG_STORE:
        return STORE;
    default: /* a token that is away may come back: start us again */
        return FAILED;
    }
}

static int report(const struct program *program, const char *who, const struct sg_error *error)
{
    sg_daemon_say_why(program->log, who, error);
    return status_of(error->code);
}

static void say_of_issuer(const char *text)
{
    sg_daemon_say(SG_LOG_PLAIN, "issuer", text);
}

static void say_of_issuer_in_json(const char *text)
{
    sg_daemon_say(SG_LOG_JSON, "issuer", text);
}

/* The children take up what signet.yaml says now when they get SIGHUP; this process by itself. */
static void say_of_all(const char *text, void *context)
{
    struct program *program = context;

    program->log = sg_daemon_log_format(program->dir, program->log);
    sg_daemon_say(program->log, "signetd", text);
}

/* ---- roles ---- */

/* The signals come to the door's thread as messages: block them before there is a second one. */
static void block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* PKCS#11 modules do not like to be started twice in one process: a new one begins at main. */
static void execute_anew(const struct program *program)
{
    char *arguments[] = {program->argv[0], (char[]){"issuer"}, (char[]){"-C"}, strdup(program->dir),
                         NULL};

    execv("/proc/self/exe", arguments);
    free(arguments[3]);
}

static int run_issuer(void *context)
{
    const struct program *program = context;
    const struct sg_service_setting setting = {
        .dir = program->dir,
        .program = SG_VERSION,
        .notify = program->notify,
        .say = program->log == SG_LOG_JSON ? say_of_issuer_in_json : say_of_issuer,
    };
    struct sg_error error = {0};
    bool again = false;
    int status = DONE;

    block_signals();
    if (!sg_service_run(&setting, &again, &error))
        status = report(program, "issuer", &error);
    if (again)
        execute_anew(program);
    OPENSSL_cleanup(); /* before the modules' own exit handlers */
    return status;
}

static int run_front(void *context)
{
    const struct program *program = context;
    const struct sg_front_setting setting = {
        .dir = program->dir,
        .program = SG_VERSION,
        .notify = program->notify,
        .confine = sg_sandbox_enter,
    };
    struct sg_error error = {0};

    return sg_front_run(&setting, &error) ? DONE : report(program, "front", &error);
}

static int run_both(const struct program *program)
{
    struct program quiet = *program;
    const struct sg_supervision supervision = {
        .run_front = run_front,
        .run_issuer = run_issuer,
        .hopeless = TOKEN,
        .say = say_of_all,
        .context = &quiet,
    };

    quiet.notify = sg_notify_quietly;
    sg_notify("READY=1");
    return sg_supervise(&supervision);
}

/* ---- the command line ---- */

/* The store must not get the number of a standard stream that the caller closed. */
static void occupy_standard_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 &&
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            _exit(FAILED);
}

static int refuse_usage(const char *problem, const char *what)
{
    fprintf(stderr, "signetd: %s%s; see signetd --help\n", problem, what);
    return WRONG_USAGE;
}

static int run_role(const char *role, struct program *program)
{
    if (program->dir == NULL)
        return refuse_usage("which CA? name its home with -C DIR or SIGNET_HOME", "");
    program->log = sg_daemon_log_format(program->dir, SG_LOG_PLAIN);
    if (role == NULL)
        return run_both(program);
    if (strcmp(role, "issuer") == 0)
        return run_issuer(program);
    if (strcmp(role, "front") == 0)
        return run_front(program);
    return refuse_usage("there is no role ", role);
}

int main(int argc, char **argv)
{
    struct program program = {getenv("SIGNET_HOME"), argv, sg_notify, SG_LOG_PLAIN};
    const char *role = NULL;

    occupy_standard_streams();
    sg_forbid_core_dumps();
    sg_wipe_what_is_freed();
    signal(SIGPIPE, SIG_IGN);
    /* A system's openssl.cnf may load engines and providers that break the token's keys. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return fputs(HELP, stdout) < 0 ? FAILED : DONE;
        if (strcmp(argv[i], "--version") == 0)
            return printf("signetd " SG_VERSION "\n") < 0 ? FAILED : DONE;
        if (strcmp(argv[i], "-C") == 0 && i + 1 < argc)
            program.dir = argv[++i];
        else if (argv[i][0] == '-' || role != NULL)
            return refuse_usage("what is ", argv[i]);
        else
            role = argv[i];
    }
    return run_role(role, &program);
}
