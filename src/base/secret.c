#include "secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "limits.h"

/* Lives at the start of its own pages, its bytes behind it. */
struct sg_secret {
    size_t mapped;
    size_t len;
    uint8_t data[];
};

static bool secret_map(size_t capacity, struct sg_secret **secret, struct sg_error *error)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (sizeof(struct sg_secret) + capacity + 1 + page - 1) / page * page;
    struct sg_secret *fresh =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (fresh == MAP_FAILED)
        return sg_fail_errno(error, "no memory for a secret");
    if (mlock(fresh, mapped) != 0) {
        sg_fail_errno(error, "cannot lock memory for a secret; allow more with `ulimit -l`");
        munmap(fresh, mapped);
        return false;
    }
    madvise(fresh, mapped, MADV_DONTDUMP);
    fresh->mapped = mapped;
    fresh->len = capacity;
    *secret = fresh;
    return true;
}

bool sg_secret_new(size_t len, struct sg_secret **secret, struct sg_error *error)
{
    if (len > SG_SECRET_MOST)
        return sg_fail(error, SG_FAILED, NULL, "a secret of %zu bytes, but at most %d fit", len,
                       SG_SECRET_MOST);
    return secret_map(len, secret, error);
}

uint8_t *sg_secret_data(struct sg_secret *secret)
{
    return secret->data;
}

size_t sg_secret_len(const struct sg_secret *secret)
{
    return secret->len;
}

struct sg_slice sg_secret_slice(const struct sg_secret *secret)
{
    return sg_slice_of(secret->data, secret->len);
}

void sg_secret_free(struct sg_secret *secret)
{
    size_t mapped;

    if (secret == NULL)
        return;
    mapped = secret->mapped;
    OPENSSL_cleanse(secret, mapped);
    munmap(secret, mapped);
}

/* The largest secret, a line end, and one byte more that shows it was too long. */
enum { READ_CAPACITY = SG_LIMIT_PIN + 3 };

/* Strips the line end off the len bytes that were read, and judges what is left. */
static bool secret_trim(struct sg_secret *secret, size_t len, const char *what,
                        struct sg_error *error)
{
    if (len > 0 && secret->data[len - 1] == '\n') {
        len--;
        if (len > 0 && secret->data[len - 1] == '\r')
            len--;
    }
    if (len == 0)
        return sg_fail(error, SG_INVALID, NULL, "%s is empty", what);
    if (len > SG_LIMIT_PIN)
        return sg_fail(error, SG_INVALID, NULL, "%s is longer than %d bytes", what, SG_LIMIT_PIN);
    if (memchr(secret->data, 0, len) != NULL)
        return sg_fail(error, SG_INVALID, NULL, "%s has a zero byte", what);
    if (memchr(secret->data, '\n', len) != NULL)
        return sg_fail(error, SG_INVALID, NULL, "%s has more than one line", what);
    OPENSSL_cleanse(secret->data + len, secret->len - len);
    secret->len = len;
    return true;
}

bool sg_secret_read(int fd, const char *what, struct sg_secret **secret, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *fresh = NULL;
    size_t len = 0;

    if (!secret_map(READ_CAPACITY, &fresh, error))
        return false;
    while (len < READ_CAPACITY) {
        ssize_t num_read = read(fd, fresh->data + len, READ_CAPACITY - len);

        if (num_read < 0 && errno == EINTR)
            continue;
        if (num_read < 0)
            return sg_fail_errno(error, "cannot read %s", what);
        if (num_read == 0)
            break;
        len += (size_t)num_read;
    }
    if (!secret_trim(fresh, len, what, error))
        return false;
    *secret = SG_TAKE(fresh);
    return true;
}

/* The terminal while a secret is typed: quiet, and signals wait in a descriptor until its echo is
 * back. */
struct terminal {
    int fd;
    int signals;
    bool is_quiet;
    struct termios before;
    sigset_t mask_before;
};

static void terminal_done(struct terminal *terminal)
{
    if (terminal->is_quiet) {
        tcsetattr(terminal->fd, TCSAFLUSH, &terminal->before);
        pthread_sigmask(SIG_SETMASK, &terminal->mask_before, NULL);
    }
    sg_cleanup_fd(&terminal->signals);
    sg_cleanup_fd(&terminal->fd);
}
SG_DEFINE_CLEANUP_IN_PLACE(terminal, terminal_done)

/* The signals that would end or stop us with the echo off. Those that are ignored stay so. */
static sigset_t signals_to_hold(void)
{
    static const int SIGNALS[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    struct sigaction action;
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++)
        if (sigaction(SIGNALS[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, SIGNALS[i]);
    return set;
}

static bool terminal_open(struct terminal *terminal, struct sg_error *error)
{
    sigset_t held = signals_to_hold();
    struct termios quiet;

    terminal->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal->fd < 0)
        return sg_fail_errno(error, "no terminal to ask on; name a file with file: or a "
                                    "variable with env: instead of prompt");
    terminal->signals = signalfd(-1, &held, SFD_CLOEXEC);
    if (terminal->signals < 0 || tcgetattr(terminal->fd, &terminal->before) != 0)
        return sg_fail_errno(error, "cannot ask on the terminal");
    quiet = terminal->before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    quiet.c_lflag |= ICANON;
    pthread_sigmask(SIG_BLOCK, &held, &terminal->mask_before);
    terminal->is_quiet = true;
    if (tcsetattr(terminal->fd, TCSAFLUSH, &quiet) != 0)
        return sg_fail_errno(error, "cannot turn off the terminal's echo");
    return true;
}

/* Reads one line. *caught is the signal that came instead, or 0. */
static bool read_line(const struct terminal *terminal, struct sg_secret *line, size_t *len,
                      int *caught, struct sg_error *error)
{
    struct pollfd sources[] = {{.fd = terminal->fd, .events = POLLIN},
                               {.fd = terminal->signals, .events = POLLIN}};

    for (*len = 0; *len < READ_CAPACITY && (*len == 0 || line->data[*len - 1] != '\n');) {
        struct signalfd_siginfo info;
        ssize_t num_read;

        if (poll(sources, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return sg_fail_errno(error, "cannot read from the terminal");
        }
        if (sources[1].revents != 0 &&
            read(terminal->signals, &info, sizeof info) == (ssize_t)sizeof info) {
            *caught = (int)info.ssi_signo;
            return true;
        }
        if (sources[0].revents == 0)
            continue;
        num_read = read(terminal->fd, line->data + *len, READ_CAPACITY - *len);
        if (num_read < 0 && errno != EINTR)
            return sg_fail_errno(error, "cannot read from the terminal");
        if (num_read == 0)
            return true; /* end of input, Ctrl-D */
        if (num_read > 0)
            *len += (size_t)num_read;
    }
    return true;
}

/* Asks once. *caught as in read_line, and the terminal is as it was when this returns. */
static bool ask(const char *prompt, struct sg_secret *line, size_t *len, int *caught,
                struct sg_error *error)
{
    sg_auto(terminal) struct terminal terminal = {.fd = -1, .signals = -1};

    if (!terminal_open(&terminal, error))
        return false;
    if (dprintf(terminal.fd, "%s", prompt) < 0 || !read_line(&terminal, line, len, caught, error) ||
        dprintf(terminal.fd, "\n") < 0)
        return sg_fail_errno(error, "cannot ask on the terminal");
    return true;
}

bool sg_secret_prompt(const char *prompt, struct sg_secret **secret, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *fresh = NULL;
    size_t len;
    int caught;

    if (!secret_map(READ_CAPACITY, &fresh, error))
        return false;
    do {
        caught = 0;
        if (!ask(prompt, fresh, &len, &caught, error))
            return false;
        if (caught != 0)
            raise(caught);
    } while (caught == SIGTSTP); /* stopped, and continued now */
    if (caught != 0)
        return sg_fail(error, SG_FAILED, NULL, "interrupted while asking on the terminal");
    if (!secret_trim(fresh, len, "what was typed", error))
        return false;
    *secret = SG_TAKE(fresh);
    return true;
}

void sg_forbid_core_dumps(void)
{
    static const struct rlimit NONE = {0, 0};

    setrlimit(RLIMIT_CORE, &NONE);
    prctl(PR_SET_DUMPABLE, 0);
}

__attribute__((noinline)) void sg_wipe_stack(void)
{
    enum { DEEP = 64 * 1024 }; /* deeper than OpenSSL and a PKCS#11 module go */
    uint8_t below[DEEP];

    OPENSSL_cleanse(below, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory");
}
