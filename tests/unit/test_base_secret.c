#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/limits.h"
#include "base/secret.h"

/* The program's own mlock: counts, and fails when a test says so. */
static int num_locked;
static int lock_errno;

int mlock(const void *address, size_t len)
{
    (void)address;
    (void)len;
    num_locked++;
    errno = lock_errno;
    return lock_errno != 0 ? -1 : 0;
}

static void secrets_have_room(void **state)
{
    sg_auto(sg_secret) struct sg_secret *secret = NULL;
    struct sg_secret *untouched = NULL;
    struct sg_error error = {0};

    (void)state;
    num_locked = 0;
    expect_success("largest", sg_secret_new(SG_SECRET_MOST, &secret, &error), &error);
    assert_int_equal(num_locked, 1);
    assert_int_equal(sg_secret_len(secret), SG_SECRET_MOST);
    for (size_t i = 0; i <= sg_secret_len(secret); i++)
        assert_int_equal(sg_secret_data(secret)[i], 0);
    memset(sg_secret_data(secret), 'x', sg_secret_len(secret));
    assert_int_equal(strlen((char *)sg_secret_data(secret)), SG_SECRET_MOST);
    expect_failure("larger", sg_secret_new(SG_SECRET_MOST + 1, &untouched, &error), &error,
                   SG_FAILED, "at most 512 fit");
    assert_null(untouched);
    sg_secret_free(NULL);
}

static void memory_that_cannot_be_locked(void **state)
{
    struct sg_secret *untouched = NULL;
    struct sg_error error = {0};
    bool verdict;

    (void)state;
    lock_errno = ENOMEM;
    verdict = sg_secret_new(8, &untouched, &error);
    lock_errno = 0;
    expect_failure("mlock", verdict, &error, SG_FAILED, "ulimit -l");
    assert_null(untouched);
}

/* A pipe that holds these bytes and then ends. */
static int pipe_of(const char *bytes, size_t len)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, len), len);
    close(ends[1]);
    return ends[0];
}

#define X16  "0123456789abcdef"
#define X128 X16 X16 X16 X16 X16 X16 X16 X16
#define X255 X128 X16 X16 X16 X16 X16 X16 X16 "0123456789abcde"

#define BYTES(literal) literal, sizeof literal - 1

static void secrets_are_read(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t len;
        const char *secret;    /* NULL: refused */
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {"bare", BYTES("1234"), "1234", NULL},
        {"LF", BYTES("1234\n"), "1234", NULL},
        {"CR LF", BYTES("1234\r\n"), "1234", NULL},
        {"spaces are the owner's", BYTES(" 12 34 \n"), " 12 34 ", NULL},
        {"a CR alone stays", BYTES("1234\r"), "1234\r", NULL},
        {"largest", BYTES(X255), X255, NULL},
        {"largest, LF", BYTES(X255 "\n"), X255, NULL},
        {"largest, CR LF", BYTES(X255 "\r\n"), X255, NULL},
        {"too long", BYTES(X255 "x"), NULL, "pin file x is longer than 255 bytes"},
        {"too long, LF", BYTES(X255 "x\n"), NULL, "pin file x is longer than 255 bytes"},
        {"much too long", BYTES(X255 X255), NULL, "pin file x is longer than 255 bytes"},
        {"a line end at the end of the room", BYTES(X255 "xx\nmore"), NULL, "longer than 255"},
        {"empty", BYTES(""), NULL, "pin file x is empty"},
        {"LF alone", BYTES("\n"), NULL, "pin file x is empty"},
        {"CR LF alone", BYTES("\r\n"), NULL, "pin file x is empty"},
        {"zero byte",
         BYTES("12\0"
               "34"),
         NULL, "pin file x has a zero byte"},
        {"zero byte at the end", BYTES("1234\0"), NULL, "pin file x has a zero byte"},
        {"two lines", BYTES("1234\n5678\n"), NULL, "pin file x has more than one line"},
        {"two line ends", BYTES("1234\n\n"), NULL, "pin file x has more than one line"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_secret) struct sg_secret *secret = NULL;
        sg_auto(fd) int fd = pipe_of(CASES[i].bytes, CASES[i].len);
        struct sg_error error = {0};
        bool verdict = sg_secret_read(fd, "pin file x", &secret, &error);

        if (CASES[i].secret == NULL) {
            expect_failure(CASES[i].name, verdict, &error, SG_INVALID, CASES[i].complaint);
            assert_null(secret);
            assert_null(strstr(error.text, "1234"));
            continue;
        }
        expect_success(CASES[i].name, verdict, &error);
        assert_int_equal(sg_secret_len(secret), strlen(CASES[i].secret));
        assert_string_equal((char *)sg_secret_data(secret), CASES[i].secret);
    }
}

static void a_source_that_cannot_be_read(void **state)
{
    sg_auto(fd) int folder = open("/", O_RDONLY);
    struct sg_secret *untouched = NULL;
    struct sg_error error = {0};

    (void)state;
    expect_failure("folder", sg_secret_read(folder, "pin file /", &untouched, &error), &error,
                   SG_FAILED, "cannot read pin file /: Is a directory");
    assert_null(untouched);
}

/* What the child says with its exit status. */
enum { GOT_PIN = 10, GOT_OTHER, WAS_EMPTY, WAS_INTERRUPTED, HAD_NO_TERMINAL, FAILED_OTHERWISE };

static int ask(void)
{
    struct sg_secret *secret = NULL;
    struct sg_error error = {0};
    int verdict;

    if (sg_secret_prompt("PIN: ", &secret, &error)) {
        verdict = strcmp((char *)sg_secret_data(secret), "1234") == 0 ? GOT_PIN : GOT_OTHER;
        sg_secret_free(secret);
        return verdict;
    }
    if (error.code == SG_INVALID)
        return WAS_EMPTY;
    if (strstr(error.text, "interrupted") != NULL)
        return WAS_INTERRUPTED;
    return strstr(error.text, "no terminal") != NULL ? HAD_NO_TERMINAL : FAILED_OTHERWISE;
}

static void on_interrupt(int signal)
{
    (void)signal;
}

/* Reads what the terminal shows until it contains text, five seconds at most. */
static void await(int terminal, char *shown, size_t size, const char *text)
{
    size_t len = strlen(shown);

    while (strstr(shown, text) == NULL) {
        struct pollfd source = {.fd = terminal, .events = POLLIN};
        ssize_t num_read;

        if (poll(&source, 1, 5000) != 1)
            fail_msg("the terminal does not show '%s', only '%s'", text, shown);
        num_read = read(terminal, shown + len, size - len - 1);
        if (num_read <= 0)
            fail_msg("the terminal closed before '%s', after '%s'", text, shown);
        len += (size_t)num_read;
        shown[len] = '\0';
    }
}

static int status_of(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void secrets_are_asked_for(void **state)
{
    static const struct {
        const char *name, *typed;
        bool handles_interrupt;
        int verdict; /* exit status, or the signal that killed, negative */
    } CASES[] = {
        {"typed", "1234\n", false, GOT_PIN},
        {"mended",
         "129\x7f"
         "34\n",
         false, GOT_PIN},
        {"typed otherwise", "4321\n", false, GOT_OTHER},
        {"nothing", "\n", false, WAS_EMPTY},
        {"end of input", "\x04", false, WAS_EMPTY},
        {"too long", X255 "x\n", false, WAS_EMPTY},
        {"interrupted", "12\x03", false, -SIGINT},
        {"interrupted, and caught", "12\x03", true, WAS_INTERRUPTED},
        {"quit", "12\x1c", false, -SIGQUIT},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        char shown[1000] = "";
        struct termios after;
        int terminal, verdict, keeper;
        char name[100];
        pid_t child = forkpty(&terminal, name, NULL, NULL);

        assert_true(child >= 0);
        if (child == 0) {
            static const struct rlimit NONE = {0, 0};

            setrlimit(RLIMIT_CORE, &NONE);
            signal(SIGINT, CASES[i].handles_interrupt ? on_interrupt : SIG_DFL);
            signal(SIGQUIT, SIG_DFL);
            _exit(ask());
        }
        keeper = open(name, O_RDWR | O_NOCTTY); /* keeps the settings readable after the end */
        await(terminal, shown, sizeof shown, "PIN: ");
        assert_int_equal(write(terminal, CASES[i].typed, strlen(CASES[i].typed)),
                         strlen(CASES[i].typed));
        verdict = status_of(child);
        if (verdict != CASES[i].verdict)
            fail_msg("%s: %d instead of %d", CASES[i].name, verdict, CASES[i].verdict);
        assert_int_equal(tcgetattr(keeper, &after), 0);
        assert_true((after.c_lflag & ECHO) != 0);
        close(keeper);
        assert_true(fcntl(terminal, F_SETFL, O_NONBLOCK) == 0);
        for (ssize_t num; (num = read(terminal, shown + strlen(shown), 100)) > 0;)
            ;
        assert_null(strstr(shown, "12"));
        assert_null(strstr(shown, "4321"));
        close(terminal);
    }
}

/* Ctrl-Z gives the shell a terminal with its echo on; after the continuation it asks again. */
static void asking_survives_a_stop(void **state)
{
    char shown[1000] = "";
    struct termios during;
    int terminal, status, keeper;
    char name[100];
    pid_t parent = forkpty(&terminal, name, NULL, NULL);

    (void)state;
    assert_true(parent >= 0);
    if (parent == 0) {
        /* A shell's role: an orphaned process group could not be stopped. */
        pid_t child = fork();

        if (child == 0) {
            setpgid(0, 0);
            signal(SIGTTOU, SIG_IGN);
            tcsetpgrp(0, getpid());
            _exit(ask());
        }
        if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
            _exit(1);
        dprintf(1, "stopped\n");
        kill(child, SIGCONT);
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
            _exit(2);
        _exit(WEXITSTATUS(status));
    }
    keeper = open(name, O_RDWR | O_NOCTTY);
    await(terminal, shown, sizeof shown, "PIN: ");
    shown[0] = '\0';
    assert_int_equal(write(terminal, "99\x1a", 3), 3);
    await(terminal, shown, sizeof shown, "stopped");
    await(terminal, shown, sizeof shown, "PIN: ");
    assert_int_equal(tcgetattr(keeper, &during), 0);
    assert_true((during.c_lflag & ECHO) == 0);
    assert_int_equal(write(terminal, "1234\n", 5), 5);
    assert_int_equal(status_of(parent), GOT_PIN);
    close(keeper);
    close(terminal);
}

static void nobody_to_ask(void **state)
{
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        setsid(); /* leaves the terminal behind */
        _exit(ask());
    }
    assert_int_equal(status_of(child), HAD_NO_TERMINAL);
}

static void core_dumps_are_forbidden(void **state)
{
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {1, 1};

        sg_forbid_core_dumps();
        if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
            _exit(1);
        _exit(prctl(PR_GET_DUMPABLE) == 0 ? 0 : 2);
    }
    assert_int_equal(status_of(child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_have_room),     cmocka_unit_test(memory_that_cannot_be_locked),
        cmocka_unit_test(secrets_are_read),      cmocka_unit_test(a_source_that_cannot_be_read),
        cmocka_unit_test(secrets_are_asked_for), cmocka_unit_test(asking_survives_a_stop),
        cmocka_unit_test(nobody_to_ask),         cmocka_unit_test(core_dumps_are_forbidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
