/* parts: what a front consists of, for the files of this room.
 *
 *     listener   an address, with evhttp behind it          front.c
 *     visit      one connection of a client, and its time   visits.c
 *     exchange   one HTTP request, until its reply          exchange.c, routes.c, ocsp.c, api.c,
 *                                                           reply.c
 *     handshake  of TLS, with a key that is on a token      handshake.c
 *     key        of TLS, which the issuer has on a token    key.c
 *     link       the socket to the issuer                   link.c
 *     proxy      a server in front, at which TLS ends       proxy.c
 *     slowing    of addresses that are refused again        slowing.c
 *     paper      a document of the issuer's                 papers.c, fresh.c
 *     kept       an answer by OCSP, to be given again       kept.c
 */
#ifndef SG_FRONT_PARTS_H
#define SG_FRONT_PARTS_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/places.h"
#include "front.h"
#include "home/config.h"
#include "model/scheme.h"
#include "wire/wire.h"

/* evhttp's own limit of a request's headers, behind ours: past it evhttp answers by itself and
 * closes. */
enum { SG_FRONT_HARD_HEADERS = 4 * SG_LIMIT_HEADERS };

/* Octets of a reply that a client takes a second at least, once it has had its time for a short
 * one: 128 kbit/s. The CRL of a million entries may take 40 minutes then. */
enum { SG_FRONT_READING = 16 * 1024 };

/* ---- listeners ---- */

/* A mask, as routes say on which they are. */
enum sg_front_kind { SG_ON_HTTPS = 1, SG_ON_HTTP = 2, SG_ON_METRICS = 4 };

struct sg_front_listener {
    struct sg_front *front;
    enum sg_front_kind kind;
    bool is_proxys; /* a Unix socket, without TLS; otherwise as https */
    struct evhttp *http;
    struct evconnlistener *socket; /* owned by http */
};

/* ---- visits ---- */

enum { SG_FRONT_BUCKETS = 1024 };

/* The moments are of the loop's steady clock, in milliseconds. */
struct sg_visit {
    LIST_ENTRY(sg_visit) in_list, in_bucket;
    struct sg_front *front;
    struct bufferevent *buffer; /* a reference of our own, so that it can't go unnoticed */
    bool has_finished_one;      /* a request has been read to its end */
    bool is_known;              /* evhttp will tell when it closes */
    int64_t since_ms;           /* it came, or its last reply went out, or began to */
    int64_t begun_ms;           /* the first octet of a request that is not read to its end; or 0 */
    struct sg_handshake *handshake; /* being made beside the buffer, or NULL */
    struct sg_exchange *exchange;   /* being served now, or NULL */
    bool is_replying;               /* its reply is on the way */
    int64_t reply_ms;               /* for how long that may be so */
};
LIST_HEAD(sg_visits, sg_visit);

/* sg_visit_begin makes the connection's buffer, for evhttp: with TLS where ctx is given. */
struct bufferevent *sg_visit_begin(struct sg_front *front, SSL_CTX *tls);
/* sg_visit_of finds the visit that a request belongs to; never NULL for one of evhttp's. */
struct sg_visit *sg_visit_of(struct sg_front *front, struct evhttp_request *http);
/* sg_visit_replying: the exchange is over, and the reply on its way, of so many octets;
 * sg_visit_replied: it has gone out, and the next request may come. */
void sg_visit_replying(struct sg_visit *visit, size_t octets);
void sg_visit_replied(struct sg_visit *visit);
/* sg_visits_sweep lets go of those that ended unnoticed, and closes those that take too long. */
void sg_visits_sweep(struct sg_front *front);
void sg_visits_end(struct sg_front *front);

/* ---- exchanges ---- */

/* A mask: what a route is, and which methods it takes. */
enum sg_route_kind {
    SG_ROUTE_EST = 1,
    SG_ROUTE_OCSP = 2,
    SG_BY_GET = 4,
    SG_BY_POST = 8,
    SG_ROUTE_API = 16, /* by any: the issuer tells */
};

struct sg_route {
    const char *name;       /* in metrics */
    const char *path;       /* whole, or the operation of EST; NULL: of OCSP or the API */
    unsigned on;            /* SG_ON_* mask */
    unsigned kind;          /* SG_ROUTE_* and SG_BY_* mask */
    enum sg_wire_type type; /* what the issuer is asked; 0: nothing */
    void (*take)(struct sg_exchange *exchange);
};

struct sg_exchange {
    TAILQ_ENTRY(sg_exchange) in_list;
    LIST_ENTRY(sg_exchange) in_bucket;
    struct sg_front *front;
    struct evhttp_request *http; /* NULL: the client has gone */
    struct sg_visit *visit;      /* NULL: the same */
    enum sg_front_kind kind;
    const struct sg_route *route; /* NULL: none */
    bool is_proxied;              /* who asks is told by the proxy */
    uint64_t id;
    int64_t begun_us;
    char peer[64];
    const char *method;
    char *uri;
    char label[65];
    const char *rest;        /* of OCSP: the URL's end, while the request is taken */
    bool is_anonymous;       /* it brings nothing that says who is asking */
    bool is_offered;         /* it waits for the issuer, and is in its lists */
    struct event *waits;     /* until it may be offered, as its address is slowed; or NULL */
    unsigned num_offers;     /* how often it was sent there */
    struct sg_buf frame;     /* what is sent; wiped */
    struct evbuffer *before; /* the front's own figures, to stand before the issuer's; or NULL */
    uint8_t asks[SG_SHA256_LEN]; /* of OCSP by GET: the digest of the URL's end */
};
TAILQ_HEAD(sg_exchanges, sg_exchange);
LIST_HEAD(sg_exchange_bucket, sg_exchange);

/* sg_exchange_take is evhttp's callback for every request; context is the listener. */
void sg_exchange_take(struct evhttp_request *http, void *context);
/* sg_exchange_forget: the client has gone. */
void sg_exchange_forget(struct sg_exchange *exchange);
void sg_exchange_free(struct sg_exchange *exchange);

/* sg_route_find gives an exchange its route, if there is one on its kind of listener, and what the
 * path says besides: label, rest. */
void sg_route_find(struct sg_exchange *exchange, const char *path);
enum { SG_MAX_ROUTES = 16 };
/* sg_route_number: of a route of the table, for counting; SG_MAX_ROUTES - 1 for NULL. */
size_t sg_route_number(const struct sg_route *route);
const char *sg_route_name(size_t number); /* NULL past the table's end */

/* sg_has_media_type: is it what the client says of the body, with whatever parameters? */
bool sg_has_media_type(struct evhttp_request *http, const char *wanted);

/* sg_ocsp_rest: what path has behind /ocsp, or behind a URL that an issuer publishes for OCSP and
 * that is no document's. NULL: it is neither. */
const char *sg_ocsp_rest(const struct sg_front *front, const char *path);
void sg_ocsp_take(struct sg_exchange *exchange);

/* sg_is_call: is it one to the API? */
bool sg_is_call(const struct sg_exchange *exchange);
/* sg_is_api: is path one of the API, in a service that has one? */
bool sg_is_api(const struct sg_front *front, const char *path);
void sg_api_take(struct sg_exchange *exchange);

/* sg_client_certificate appends the certificate (DER) whose key the client has used in TLS, here or
 * at the proxy; nothing when none. Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_client_certificate(const struct sg_exchange *exchange, struct sg_buf *der,
                                       struct sg_error *error);

/* ---- the proxy ---- */

/* Who it is. */
struct sg_proxy {
    uid_t uid;         /* whose process may connect to its socket */
    X509 *certificate; /* what it shows by https; NULL: it does not come there */
};

/* sg_proxy_find looks its user up and reads its certificate. Fails: SG_INVALID. */
SG_MUST_USE bool sg_proxy_find(const char *dir, const struct sg_service_config *config,
                               struct sg_proxy *proxy, struct sg_error *error);
void sg_proxy_done(struct sg_proxy *proxy);
SG_DEFINE_CLEANUP_IN_PLACE(sg_proxy, sg_proxy_done)

/* sg_proxy_judge finds out whether an exchange comes from the proxy, and whose it is then.
 * is_its_socket    it came there. Returns false when somebody else has connected to it. */
SG_MUST_USE bool sg_proxy_judge(struct sg_exchange *exchange, bool is_its_socket);
/* sg_proxy_client reads the certificate that the proxy tells. Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_proxy_client(const struct sg_exchange *exchange, struct sg_buf *der,
                                 struct sg_error *error);

/* ---- replies; each ends the exchange ---- */

/* What a reply may say beside its status. Zero is left out. */
struct sg_reply {
    const char *media_type, *encoding, *allow, *cache;
    const char *etag, *modified, *expires;
    uint64_t retry_after;
    const char *rule;      /* for the client too */
    const char *detail;    /* the same, to who uses the API */
    const char *text;      /* for the log alone */
    const char *serial;    /* the same */
    struct evbuffer *body; /* drained; a refusal without one says its rule */
    bool is_last;          /* the connection ends with it */
};
void sg_reply_send(struct sg_exchange *exchange, unsigned status, const struct sg_reply *reply);
/* sg_reply_status is the same with nothing but a rule and a text. */
void sg_reply_status(struct sg_exchange *exchange, unsigned status, const char *rule,
                     const char *text);
/* sg_reply_busy: 503, come again. */
void sg_reply_busy(struct sg_exchange *exchange, const char *text);

/* sg_reply_figures: the front's figures alone, as no issuer tells its own. */
void sg_reply_figures(struct sg_exchange *exchange);

/* ---- freshness ---- */

enum { SG_ETAG_SIZE = 36, SG_DATE_SIZE = 64 };

void sg_fresh_tag(struct sg_slice bytes, char etag[SG_ETAG_SIZE]);
void sg_fresh_date(int64_t moment, char date[SG_DATE_SIZE]);
/* sg_fresh_is_had: the client says that it has this already. */
bool sg_fresh_is_had(const struct sg_exchange *exchange, const char *etag, int64_t modified_at);

/* ---- papers ---- */

struct sg_paper {
    LIST_ENTRY(sg_paper) in_list;
    char *path;
    char *media_type, *encoding;
    char etag[SG_ETAG_SIZE], modified[SG_DATE_SIZE];
    int64_t modified_at, max_age_s;
    struct sg_paper_body *body; /* may live longer, in replies */
    bool is_stale;              /* not told of since the issuer was met again */
    /* the next version, as far as it has come */
    struct sg_buf coming;
    size_t total;
};
LIST_HEAD(sg_papers, sg_paper);

/* sg_paper_take adds a part of a document. Fails: SG_MALFORMED: it does not go on where the last
 * part ended, or is too large. */
SG_MUST_USE bool sg_paper_take(struct sg_front *front, const struct sg_message *message,
                               struct sg_error *error);
/* sg_paper_bytes: what it says; empty while it has not come. */
struct sg_slice sg_paper_bytes(const struct sg_front *front, const char *path);
const struct sg_paper *sg_paper_find(const struct sg_front *front, const char *path);
/* sg_paper_serve replies with a paper, or that the client has it already. */
void sg_paper_serve(struct sg_exchange *exchange, const struct sg_paper *paper);
/* sg_papers_doubt: they may be out of date; sg_papers_settle: those still in doubt are gone. */
void sg_papers_doubt(struct sg_front *front);
void sg_papers_settle(struct sg_front *front);
void sg_papers_free(struct sg_front *front);

/* ---- kept answers ---- */

/* The moments are of the clock of sg_front_now_us. */
struct sg_keeping {
    struct sg_places *places;
    int64_t generation; /* the issuer's, as far as it has told */
    int64_t until_us;   /* when that is no longer believed */
    int64_t ask_us;     /* when one request is passed on, to hear it again */
    int64_t doubted_us; /* what was asked before says nothing any more */
};

SG_MUST_USE bool sg_kept_begin(struct sg_front *front, struct sg_error *error);
void sg_kept_end(struct sg_front *front);
/* sg_kept_give: is there an answer to a GET that is still good? Then it is given. */
bool sg_kept_give(struct sg_exchange *exchange);
/* sg_kept_take replies with an answer that has a generation, and keeps it. */
void sg_kept_take(struct sg_exchange *exchange, const struct sg_message *message);
/* sg_kept_doubt: an officer was answered, perhaps about a revocation. */
void sg_kept_doubt(struct sg_front *front);
/* sg_kept_forget: there is another issuer. */
void sg_kept_forget(struct sg_front *front);

/* ---- the link ---- */

struct sg_link {
    struct bufferevent *buffer; /* NULL: there is none at the moment */
    struct event *retry;
    unsigned num_failures;
    bool is_welcome, has_all;
    bool has_complained;   /* that somebody else has made the socket */
    int64_t away_since_ms; /* 0: it is there */
    uid_t issuer;
    char *path;
};

SG_MUST_USE bool sg_link_open(struct sg_front *front, struct sg_error *error);
void sg_link_close(struct sg_front *front);
/* sg_link_offer passes an exchange's message on; the answer will end the exchange. It is wiped by
 * then. When there are too many, or the issuer has been away for too long, it ends at once. */
void sg_link_offer(struct sg_exchange *exchange, const struct sg_message *message);
/* sg_link_sweep ends the exchanges that have waited too long. */
void sg_link_sweep(struct sg_front *front);
/* sg_link_drop takes an exchange off the lists. */
void sg_link_drop(struct sg_exchange *exchange);
/* sg_link_is_issuers: has the issuer's user made this socket, or our own? */
bool sg_link_is_issuers(const struct sg_front *front, struct bufferevent *buffer);
/* sg_link_hear decodes the frame that has come first, if all of it has; len is 0 otherwise. The
 * message borrows from the input, which the caller drains. Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_link_hear(struct evbuffer *input, struct sg_message *message, size_t *len,
                              struct sg_error *error);

/* ---- slowing ---- */

enum { SG_SLOW_ROWS = 1024, SG_SLOW_WAYS = 4 };

/* What is held against an address. */
struct sg_slow_place {
    uint8_t network[16];
    int64_t since_ms; /* the minute that num_lines is counted in; 0: nobody's */
    uint32_t num_refusals, num_lines;
};

struct sg_slowing {
    uint64_t seed;
    struct sg_slow_place rows[SG_SLOW_ROWS][SG_SLOW_WAYS];
};

SG_MUST_USE bool sg_slow_begin(struct sg_slowing *slowing, struct sg_error *error);
/* sg_slow_note: a request from there was refused as nobody's. Returns whether the log shall say so.
 */
bool sg_slow_note(struct sg_front *front, const char *peer);
/* sg_slow_wait_ms: how long the next one from there waits; 0: not at all. */
int64_t sg_slow_wait_ms(struct sg_front *front, const char *peer);

/* ---- figures ---- */

enum { SG_NUM_LATENCIES = 12, SG_NUM_TOKEN_ERRORS = 256 };

struct sg_front_figures {
    uint64_t by_class[SG_MAX_ROUTES][6]; /* by route and hundreds of the status */
    uint64_t latencies[SG_MAX_ROUTES][SG_NUM_LATENCIES];
    double seconds[SG_MAX_ROUTES];
    uint64_t num_visits, num_slow, num_offered_again, num_links;
    uint64_t num_slowed, num_kept, num_unwritten;
    struct sg_token_errors {
        char token[65], rv[48];
        uint64_t num;
    } token_errors[SG_NUM_TOKEN_ERRORS]; /* the last for whatever comes when all others are taken */
};
void sg_figures_note(struct sg_front *front, const struct sg_exchange *exchange, unsigned status,
                     int64_t took_us);
/* sg_figures_note_token adds what a TOKEN_ERRORS says. */
void sg_figures_note_token(struct sg_front *front, const struct sg_message *message);
/* sg_figures_append writes them in Prometheus' text format. */
void sg_figures_append(struct sg_front *front, struct evbuffer *into);

/* ---- the log ---- */

/* What is to be written when this turn of the loop ends. */
struct sg_front_log {
    struct event *turn;
    char lines[PIPE_BUF];
    size_t len;
};
SG_MUST_USE bool sg_log_begin(struct sg_front *front, struct sg_error *error);
void sg_log_end(struct sg_front *front);

void sg_log_exchange(const struct sg_exchange *exchange, unsigned status, int64_t took_us,
                     size_t octets, const struct sg_reply *reply);
/* sg_log_say: a line that belongs to no request. */
void sg_log_say(const struct sg_front *front, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* sg_log_take_warnings: what libevent would write to standard error comes into the log as well. */
void sg_log_take_warnings(const struct sg_front *front);

/* ---- handshakes ---- */

/* One that is being made beside its connection's buffer, which does not read meanwhile. */
struct sg_handshake {
    struct sg_visit *visit;
    SSL *ssl;            /* the buffer's */
    struct event *event; /* until there are octets, or room for some */
    /* what the issuer is to sign for it */
    TAILQ_ENTRY(sg_handshake) in_list;
    bool is_asked; /* and has not answered */
    uint64_t id;
    int64_t asked_us;
    const struct sg_signer *signer;
    enum sg_scheme scheme;
    struct sg_slice bytes;   /* OpenSSL's, who waits for it */
    struct sg_buf signature; /* when why is empty */
    struct sg_error why;
};
TAILQ_HEAD(sg_handshakes, sg_handshake);

/* sg_handshake_begin: as soon as evhttp has given the visit's buffer its socket. */
void sg_handshake_begin(struct sg_visit *visit);
/* sg_handshake_go_on: there is an answer of the issuer's, or will be none. It may be over then, and
 * freed. */
void sg_handshake_go_on(struct sg_handshake *handshake);
/* sg_handshake_stop: its socket is shut down, and there is nothing to wait for. NULL: no matter. */
void sg_handshake_stop(struct sg_handshake *handshake);
void sg_handshake_free(struct sg_handshake *handshake);

/* ---- the key of TLS ---- */

/* The key when it is on a token: the issuer signs with it, asked on a socket of its own, by as many
 * handshakes at once as there are. When it does not, it is not asked again soon. Zero-initialised.
 */
struct sg_front_key {
    struct sg_front *front;
    struct sg_pkey_maker *maker;
    LIST_HEAD(, sg_front_signer) signers; /* those that were ever used; connections hold them */
    struct bufferevent *buffer;           /* NULL: the issuer is not called at the moment */
    bool is_greeted, is_checked;
    struct sg_handshakes asked; /* in the order in which they came */
    uint64_t last_id;
    int64_t rests_until_ms;
    int64_t silent_until_ms; /* of what the issuer refuses */
    struct sg_front_key_figures {
        uint64_t num_signed, num_failed, num_waiting;
        int64_t waited_us; /* for the issuer, by all of them */
    } figures;
};

/* sg_front_key_of gives what OpenSSL takes for the certificate's private key; the caller frees it.
 * It signs in handshakes that sg_handshake_begin began, and nowhere else. Fails: SG_FAILED. */
SG_MUST_USE bool sg_front_key_of(struct sg_front *front, const X509 *certificate, EVP_PKEY **pkey,
                                 struct sg_error *error);
/* sg_front_key_ask has the issuer asked for what the handshake waits for; the handshake goes on
 * with the answer. False: there won't be one, and the handshake may go on at once. */
SG_MUST_USE bool sg_front_key_ask(struct sg_handshake *handshake);
/* sg_front_key_drop: was the handshake waiting? It is no more, and may go on to fail. */
bool sg_front_key_drop(struct sg_handshake *handshake);
/* sg_front_key_sweep gives the issuer up that has not answered for too long. */
void sg_front_key_sweep(struct sg_front *front);
/* sg_front_key_hang_up: no connection is left; sg_front_key_close: no TLS is. */
void sg_front_key_hang_up(struct sg_front *front);
void sg_front_key_close(struct sg_front *front);

/* ---- TLS ---- */

/* sg_tls_new reads the certificate with its chain and its key, or takes the issuer's: while that
 * has told none, no handshake succeeds, and not_after is 0. With the issuer's it has
 * SSL_MODE_ASYNC, and handshakes are for sg_handshake_begin. Fails: SG_INVALID naming the file. */
SG_MUST_USE bool sg_tls_new(struct sg_front *front, const struct sg_service_config *config,
                            SSL_CTX **tls, int64_t *not_after, struct sg_error *error);
/* sg_tls_take has the certificate served that the issuer has told, from the next connection on. */
void sg_tls_take(struct sg_front *front);
/* sg_tls_client appends the certificate (DER) whose key the client has used; nothing when none. */
SG_MUST_USE bool sg_tls_client(struct bufferevent *buffer, struct sg_buf *der,
                               struct sg_error *error);

/* ---- the whole ---- */

struct sg_front {
    const struct sg_front_setting *setting;
    struct sg_config config;
    struct event_base *base;
    struct event *timer, *signals[3];
    SSL_CTX *tls;
    int64_t tls_not_after;
    struct sg_proxy proxy;
    struct sg_front_listener listeners[3 * SG_LIMIT_ADDRESSES + 1];
    size_t num_listeners;
    bool is_full, is_draining;
    int64_t draining_since_ms;
    struct sg_visits visits;
    struct sg_visits visit_buckets[SG_FRONT_BUCKETS];
    size_t num_visits;
    uint64_t last_id;
    struct sg_exchanges offered;
    struct sg_exchange_bucket offered_buckets[SG_FRONT_BUCKETS];
    size_t num_offered;
    struct sg_papers papers;
    struct sg_keeping keeping;
    struct sg_link link;
    struct sg_front_key key;
    struct sg_handshake *shaking; /* the one that OpenSSL is at, just now */
    struct sg_slowing slowing;
    struct sg_front_figures figures;
    struct sg_front_log log;
};

int64_t sg_front_now_us(void);

#endif
