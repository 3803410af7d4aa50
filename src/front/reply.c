#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } REASONS[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
        if (REASONS[i].status == status)
            return REASONS[i].reason;
    return "Status";
}

static void add_header(struct evkeyvalq *headers, const char *name, const char *value)
{
    if (value != NULL)
        evhttp_add_header(headers, name, value);
}

/* RFC 9110 15.5.2 wants a challenge; for a certificate in TLS none is registered. */
static const char *challenge_of(const struct sg_exchange *exchange)
{
    return sg_is_call(exchange) ? "ClientCertificate realm=\"signet\"" : "Basic realm=\"signet\"";
}

static void add_headers(const struct sg_exchange *exchange, unsigned status,
                        const struct sg_reply *reply)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(exchange->http);
    char number[24];

    add_header(headers, "Content-Type", reply->media_type);
    add_header(headers, "Content-Transfer-Encoding", reply->encoding);
    add_header(headers, "Allow", reply->allow);
    add_header(headers, "ETag", reply->etag);
    add_header(headers, "Last-Modified", reply->modified);
    add_header(headers, "Expires", reply->expires);
    add_header(headers, "Cache-Control", reply->cache != NULL ? reply->cache : "no-store");
    snprintf(number, sizeof number, "%llu", (unsigned long long)reply->retry_after);
    add_header(headers, "Retry-After", reply->retry_after > 0 ? number : NULL);
    add_header(headers, "WWW-Authenticate", status == 401 ? challenge_of(exchange) : NULL);
    add_header(headers, "Connection",
               exchange->front->is_draining || reply->is_last ? "close" : NULL);
    snprintf(number, sizeof number, "%016llx", (unsigned long long)exchange->id);
    add_header(headers, "X-Request-Id", number);
}

static void note_complete(struct evhttp_request *http, void *context)
{
    (void)http;
    sg_visit_replied(context);
}

/* A client hears the rule; what exactly was wrong is for the log. */
static struct evbuffer *refusal_body(unsigned status, const char *rule)
{
    struct evbuffer *body = evbuffer_new();

    if (body != NULL)
        evbuffer_add_printf(body, "%s%s%s\n", reason_of(status), rule != NULL ? ": " : "",
                            rule != NULL ? rule : "");
    return body;
}

/* RFC 9457 */
static struct evbuffer *problem_body(unsigned status, const struct sg_reply *reply)
{
    struct evbuffer *body = evbuffer_new();
    json_t *problem =
        json_pack("{s:s, s:s, s:i, s:s*, s:s*}", "type", "about:blank", "title", reason_of(status),
                  "status", (int)status, "rule", reply->rule, "detail", reply->detail);
    char *text = problem != NULL ? json_dumps(problem, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    if (body != NULL && text != NULL)
        evbuffer_add_printf(body, "%s\n", text);
    free(text);
    json_decref(problem);
    return body;
}

/* evhttp tells the length of what it sends alone. Returns how much that is for a HEAD. */
static size_t tell_length(const struct sg_exchange *exchange, size_t octets)
{
    char number[24];

    snprintf(number, sizeof number, "%zu", octets);
    add_header(evhttp_request_get_output_headers(exchange->http), "Content-Length", number);
    return 0;
}

/* To who has brought nothing the challenge is all there is to say: BouncyCastle 1.72 gives up over
 * a body that stands beside one (HttpAuth closes it unread). */
static bool is_mere_challenge(const struct sg_exchange *exchange, unsigned status)
{
    return status == 401 && exchange->is_anonymous;
}

/* The head and the body of a short reply become one TLS record, and so one write, and one read of
 * the client's. */
static void join(struct bufferevent *buffer)
{
    enum { ONE_RECORD = 16 * 1024 };
    struct evbuffer *output = bufferevent_get_output(buffer);

    if (evbuffer_get_length(output) <= ONE_RECORD && bufferevent_openssl_get_ssl(buffer) != NULL)
        evbuffer_pullup(output, -1);
}

static size_t send_http(struct sg_exchange *exchange, unsigned status, const struct sg_reply *reply)
{
    struct sg_reply refusal = *reply;
    struct evbuffer *body = reply->body;
    size_t octets;

    if (status >= 400 && body == NULL && !is_mere_challenge(exchange, status)) {
        refusal.media_type = sg_is_call(exchange) ? "application/problem+json" : "text/plain";
        body =
            sg_is_call(exchange) ? problem_body(status, reply) : refusal_body(status, reply->rule);
        refusal.body = body;
    }
    octets = body != NULL && status != 304 ? evbuffer_get_length(body) : 0;
    add_headers(exchange, status, &refusal);
    if (evhttp_request_get_command(exchange->http) == EVHTTP_REQ_HEAD)
        octets = tell_length(exchange, octets);
    sg_visit_replying(exchange->visit, octets);
    evhttp_request_set_on_complete_cb(exchange->http, note_complete, exchange->visit);
    evhttp_send_reply(exchange->http, (int)status, reason_of(status), octets > 0 ? body : NULL);
    join(exchange->visit->buffer);
    if (body != NULL && body != reply->body)
        evbuffer_free(body);
    return octets;
}

/* When the client has gone there is still the log: what was asked may have been done. */
void sg_reply_send(struct sg_exchange *exchange, unsigned status, const struct sg_reply *reply)
{
    const int64_t took_us = sg_front_now_us() - exchange->begun_us;
    size_t octets = 0;

    sg_link_drop(exchange);
    if (exchange->http != NULL)
        octets = send_http(exchange, status, reply);
    sg_figures_note(exchange->front, exchange, status, took_us);
    if (status != 401 || sg_slow_note(exchange->front, exchange->peer))
        sg_log_exchange(exchange, status, took_us, octets, reply);
    sg_exchange_free(exchange);
}

void sg_reply_status(struct sg_exchange *exchange, unsigned status, const char *rule,
                     const char *text)
{
    const struct sg_reply reply = {.rule = rule, .text = text};

    sg_reply_send(exchange, status, &reply);
}

void sg_reply_busy(struct sg_exchange *exchange, const char *text)
{
    const struct sg_reply reply = {.text = text, .retry_after = 5};

    sg_reply_send(exchange, 503, &reply);
}

void sg_reply_figures(struct sg_exchange *exchange)
{
    const struct sg_reply reply = {.media_type = "text/plain; version=0.0.4",
                                   .body = exchange->before};

    sg_reply_send(exchange, 200, &reply);
}
