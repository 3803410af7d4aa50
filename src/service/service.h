/* service: the issuer's process of signetd: a home, served at a Unix socket. */
#ifndef SG_SERVICE_SERVICE_H
#define SG_SERVICE_SERVICE_H

#include "base/error.h"

/* What the program gives. */
struct sg_service_setting {
    const char *dir;                  /* the home */
    const char *program;              /* its version */
    void (*notify)(const char *text); /* to whoever started it: "READY=1", "WATCHDOG=1", … */
    void (*say)(const char *text);    /* a line of the log */
};

/* sg_service_run serves until SIGTERM or SIGINT, which the caller has blocked, as SIGHUP; then what
 * has come in is answered, and nothing else is read.
 * again    set when it ended because of SIGHUP, with a signet.yaml and policies that are fine: the
 *          caller should execute the program anew. Clients notice nothing: the front keeps their
 *          requests meanwhile.
 * Fails:   when it can't open the home; when the token or the store has failed, or a signature took
 *          too long: then it should be started again, and the front offers what it waits for once
 *          more. It does not return when the desk hangs: the process ends with status 1. */
SG_MUST_USE bool sg_service_run(const struct sg_service_setting *setting, bool *again,
                                struct sg_error *error);

#endif
