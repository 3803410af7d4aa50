/* net_remote: a service's API (docs/openapi.yaml), asked by an operator whose key is on a card. In
 * signet-est alone.
 * Thread rule: one belongs to one thread.
 */
#ifndef SG_CLI_NET_REMOTE_H
#define SG_CLI_NET_REMOTE_H

#include "command.h"

struct sg_remote;

/* sg_remote_open reads --url, --ca, --as, --cert, --profile, --module and --pin, logs in to the
 * card once and finds the one key and its certificate. The service is not asked yet. Fails:
 * SG_USAGE; SG_TOKEN, SG_PIN as the card does, also when there is no certificate or it is of
 * another key; SG_REFUSED for a CA's key. */
SG_MUST_USE bool sg_remote_open(const struct sg_cli *cli, struct sg_remote **remote,
                                struct sg_error *error);

/* One question. */
struct sg_remote_call {
    const char *method;
    const char *path;  /* behind /api/v1/, escaped */
    const char *query; /* escaped; NULL: none */
    json_t *body;      /* borrowed; NULL: none */
};

/* sg_remote_ask asks once. What is not fit for a terminal in the answer is shown as '?'.
 * answer   the caller's; NULL when the service answers without a body.
 * Fails: as the command in the home would, with the service's rule and words: SG_UNAUTHENTICATED,
 * SG_REFUSED, SG_USAGE, SG_MALFORMED; SG_FAILED when it can't be asked, or not now. */
SG_MUST_USE bool sg_remote_ask(struct sg_remote *remote, const struct sg_remote_call *call,
                               json_t **answer, struct sg_error *error);

/* sg_remote_found_nothing: was the last answer that what the path names is not there? */
bool sg_remote_found_nothing(const struct sg_remote *remote);

/* sg_remote_escape appends text as a part of a URL (RFC 3986 2.1). */
SG_MUST_USE bool sg_remote_escape(const char *text, struct sg_buf *into, struct sg_error *error);

void sg_remote_close(struct sg_remote *remote);
typedef struct sg_remote sg_remote;
SG_DEFINE_CLEANUP(sg_remote, sg_remote_close)

#endif
