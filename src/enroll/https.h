/* https: one server, asked over TLS by a client that may have a key on a token.
 *
 * The one place that knows libcurl, and so no part of `signet`: signet-est alone links it. TLS is
 * 1.2 or newer, the server's certificate and name are always checked, nothing is redirected, and
 * no other protocol is spoken. Whatever comes is limited, and each exchange has a deadline.
 * Thread rule: one belongs to one thread.
 */
#ifndef SG_ENROLL_HTTPS_H
#define SG_ENROLL_HTTPS_H

#include "base/cleanup.h"

struct sg_https;

/* sg_https_open reads the URL; nothing is sent yet.
 * url      https://HOST[:PORT][/PATH]; no user, query or fragment.
 * ca       PEM file of the CAs that are believed; NULL: the system's.
 * Fails: SG_USAGE when it is not such a URL, SG_FAILED when the file of CAs can't be read or
 * libcurl stands on another library than OpenSSL. */
SG_MUST_USE bool sg_https_open(const char *url, const char *ca, struct sg_https **https,
                               struct sg_error *error);

/* sg_https_use_key has the client prove in TLS that it has the certificate's key, which may be one
 * of sg_signer_pkey. Before anything is sent; both are borrowed until sg_https_close. */
SG_MUST_USE bool sg_https_use_key(struct sg_https *https, X509 *certificate, EVP_PKEY *pkey,
                                  struct sg_error *error);

/* The URL's path, "/" when it has none; lives as long as https. */
const char *sg_https_path(const struct sg_https *https);

/* What is sent. */
struct sg_https_request {
    const char *method;          /* "GET", "POST", "PATCH", …; NULL: "POST" */
    const char *path;            /* "/.well-known/est/simpleenroll", escaped */
    const char *query;           /* "a=b&c=d", escaped; NULL: none */
    const char *type;            /* media type of the body */
    const char *user, *password; /* Basic, sent at once; NULL: none */
    struct sg_slice body;
};

/* What came; released with sg_https_answer_done. */
struct sg_https_answer {
    long status;
    char type[128];        /* media type as it was written; "" for none */
    int64_t retry_after_s; /* 0: none */
    struct sg_buf body;    /* SG_LIMIT_BODY at most */
};
void sg_https_answer_done(struct sg_https_answer *answer);
SG_DEFINE_CLEANUP_IN_PLACE(sg_https_answer, sg_https_answer_done)

/* sg_https_send asks and fills answer, which is empty before. Whatever the status is, it is an
 * answer.
 * Fails: SG_FAILED: the server can't be reached, is not believed, breaks off, says too much or
 * takes longer than its deadline; SG_TOKEN when the client's key did not sign. */
SG_MUST_USE bool sg_https_send(struct sg_https *https, const struct sg_https_request *request,
                               struct sg_https_answer *answer, struct sg_error *error);

/* Ends the connection, and lets go of the key. */
void sg_https_close(struct sg_https *https);

typedef struct sg_https sg_https;
SG_DEFINE_CLEANUP(sg_https, sg_https_close)

#endif
