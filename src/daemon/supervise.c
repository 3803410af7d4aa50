#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"

enum {
    FIRST_PAUSE_MS = 100,
    LAST_PAUSE_MS = 10000,
    /* an issuer that has lived for so long did not die of how it began */
    GROWN_UP_S = 30,
    NOBODY = -1,
};

struct children {
    const struct sg_supervision *supervision;
    pid_t front, issuer;
    bool is_ending;
    int status;
    int pause_ms;
    time_t issuer_since;
    struct timespec issuer_due; /* when it is to be started again, while there is none */
};

static struct timespec steady(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now;
}

/* The signals that are waited for here are blocked; each child decides anew. */
static pid_t start(const struct children *children, int (*run)(void *))
{
    const pid_t parent = getpid(), child = fork();
    sigset_t none;

    if (child != 0)
        return child;
    /* What this process leaves behind when it is killed must not serve on without it. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    exit(run(children->supervision->context));
}

static void say_of_end(const struct children *children, const char *who, int status)
{
    char text[128];

    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "the %s was killed by signal %d (%s)", who, WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "the %s ended with status %d", who, WEXITSTATUS(status));
    children->supervision->say(text, children->supervision->context);
}

static void pass_on(const struct children *children, int signal)
{
    if (children->front > 0)
        kill(children->front, signal);
    if (children->issuer > 0)
        kill(children->issuer, signal);
}

static void end_all(struct children *children)
{
    if (!children->is_ending)
        sg_notify("STOPPING=1");
    children->is_ending = true;
    /* While the front waits for answers the issuer gives them. */
    if (children->front > 0)
        kill(children->front, SIGTERM);
    else if (children->issuer > 0)
        kill(children->issuer, SIGTERM);
}

static void plan_issuer(struct children *children)
{
    const bool died_young = time(NULL) - children->issuer_since < GROWN_UP_S;

    children->issuer_due = steady();
    children->issuer_due.tv_nsec += (children->pause_ms % 1000) * 1000000L;
    children->issuer_due.tv_sec +=
        children->pause_ms / 1000 + children->issuer_due.tv_nsec / 1000000000;
    children->issuer_due.tv_nsec %= 1000000000;
    children->pause_ms = died_young ? children->pause_ms * 2 : FIRST_PAUSE_MS;
    if (children->pause_ms > LAST_PAUSE_MS)
        children->pause_ms = LAST_PAUSE_MS;
}

static void note_issuer(struct children *children, int status)
{
    children->issuer = NOBODY;
    if (children->is_ending)
        return;
    say_of_end(children, "issuer", status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == children->supervision->hopeless) {
        children->status = children->supervision->hopeless;
        end_all(children);
        return;
    }
    plan_issuer(children);
}

static void note_front(struct children *children, int status)
{
    children->front = NOBODY;
    if (!children->is_ending) {
        say_of_end(children, "front", status);
        children->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
    }
    end_all(children);
}

static void bury(struct children *children)
{
    int status;
    pid_t child;

    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        if (child == children->issuer)
            note_issuer(children, status);
        else if (child == children->front)
            note_front(children, status);
    }
}

static void start_issuer(struct children *children)
{
    const struct timespec now = steady();

    if (children->is_ending || children->issuer != NOBODY ||
        now.tv_sec < children->issuer_due.tv_sec ||
        (now.tv_sec == children->issuer_due.tv_sec && now.tv_nsec < children->issuer_due.tv_nsec))
        return;
    children->issuer_since = time(NULL);
    children->issuer = start(children, children->supervision->run_issuer);
}

static void handle(struct children *children, int signal)
{
    switch (signal) {
    case SIGTERM:
    case SIGINT:
        end_all(children);
        break;
    case SIGHUP:
        pass_on(children, SIGHUP);
        break;
    default: /* SIGCHLD, or a moment has passed */
        break;
    }
    bury(children);
}

int sg_supervise(const struct sg_supervision *supervision)
{
    const struct timespec moment = {0, 50000000}, second = {1, 0};
    struct children children = {
        .supervision = supervision, .front = NOBODY, .issuer = NOBODY, .pause_ms = FIRST_PAUSE_MS};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    start_issuer(&children);
    children.front = start(&children, supervision->run_front);
    while (children.front > 0 || children.issuer > 0) {
        /* Without an issuer there is a moment to wait for. */
        const bool is_due_soon = children.issuer == NOBODY && !children.is_ending;

        handle(&children, sigtimedwait(&set, NULL, is_due_soon ? &moment : &second));
        start_issuer(&children);
        sg_notify("WATCHDOG=1");
    }
    return children.status;
}
