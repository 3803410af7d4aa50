/* client: many requests over TLS at once, from one thread, and how long each took.
 *
 * It verifies no server, as it is the load and not what is measured. */
#ifndef SG_BENCH_CLIENT_H
#define SG_BENCH_CLIENT_H

#include <openssl/ssl.h>

#include "base/error.h"
#include "base/slice.h"

/* One request, whole, with its headers; and what became of it. */
struct client_request {
    struct sg_slice message;
    X509 *certificate; /* with its key: shown in TLS; NULL: none */
    EVP_PKEY *key;
    struct sg_buf reply; /* its body; to be freed by the caller */
    double seconds;      /* from the first octet, or from connecting, to the reply's last */
};

/* client_run sends num requests to a port on loopback, on num_connections connections at once.
 * anew     each gets a connection and a handshake of its own; else the connections are made first,
 *          which does not count, and are kept.
 * seconds  from the first to the last.
 * Fails: SG_FAILED when any is answered with another status than 200 and 201, in the server's
 * words. */
SG_MUST_USE bool client_run(unsigned port, struct client_request *requests, size_t num,
                            size_t num_connections, bool anew, double *seconds,
                            struct sg_error *error);

/* Connections that had a handshake and one reply, and then say nothing. */
struct client_idle;
SG_MUST_USE bool client_idle_open(unsigned port, size_t num, struct client_idle **idle,
                                  struct sg_error *error);
void client_idle_close(struct client_idle *idle); /* NULL: nothing */

#endif
