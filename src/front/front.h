/* front: the network's side of signetd: TLS, HTTP, routes, limits, the log and the metrics.
 *
 * It has no PIN, no token and no database, and knows no PKI beyond media types. What anybody may
 * fetch it has from the issuer and hands out by itself; requests for certificates it passes on,
 * keeps until they are answered, and offers again when the issuer was started anew. Thread rule:
 * one thread, and one front in a process.
 */
#ifndef SG_FRONT_FRONT_H
#define SG_FRONT_FRONT_H

#include "base/error.h"

/* What the program gives. */
struct sg_front_setting {
    const char *dir;     /* the home, of which signet.yaml and the TLS files are read */
    const char *program; /* its version */
    void (*notify)(const char *text); /* to whoever started it: "READY=1", "WATCHDOG=1", … */
    /* When everything is open, and before the first connection is taken: what more the process may
     * do is given up here. */
    bool (*confine)(const char *dir, struct sg_error *error);
};

/* sg_front_run listens and serves until SIGTERM or SIGINT; then it takes no more connections, and
 * ends when what it waits for is answered. SIGHUP reads signet.yaml and the TLS files again:
 * labels, limits, certificate, log; addresses stay as they are until a restart. The log goes to
 * standard error; the first lines tell where it listens. Fails: SG_INVALID (signet.yaml, TLS
 * files), SG_FAILED (an address is taken). */
SG_MUST_USE bool sg_front_run(const struct sg_front_setting *setting, struct sg_error *error);

#endif
