/* exchange: one HTTP request, taken apart as far as the front understands it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "parts.h"

/* ---- life ---- */

void sg_exchange_free(struct sg_exchange *exchange)
{
    sg_link_drop(exchange);
    if (exchange->waits != NULL)
        event_free(exchange->waits);
    sg_wire_wipe(&exchange->frame);
    if (exchange->before != NULL)
        evbuffer_free(exchange->before);
    free(exchange->uri);
    free(exchange);
}

/* What was asked goes on without the client: its answer has nowhere to go then. */
void sg_exchange_forget(struct sg_exchange *exchange)
{
    exchange->http = NULL;
    exchange->visit->exchange = NULL;
    exchange->visit = NULL;
    if (!exchange->is_offered)
        sg_exchange_free(exchange);
}

static const char *method_of(struct evhttp_request *http)
{
    switch (evhttp_request_get_command(http)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    default:
        return "OTHER";
    }
}

static struct sg_exchange *new_exchange(struct sg_front_listener *listener,
                                        struct evhttp_request *http)
{
    struct sg_exchange *exchange = calloc(1, sizeof *exchange);
    struct evhttp_connection *connection = evhttp_request_get_connection(http);
    const char *uri = evhttp_request_get_uri(http);
    char *address = NULL;
    ev_uint16_t port = 0;

    if (exchange == NULL || (exchange->uri = strdup(uri != NULL ? uri : "")) == NULL)
        abort(); /* a process without memory is better started again */
    exchange->front = listener->front;
    exchange->kind = listener->kind;
    exchange->http = http;
    exchange->method = method_of(http);
    exchange->begun_us = sg_front_now_us();
    exchange->id = ++listener->front->last_id;
    evhttp_connection_get_peer(connection, &address, &port);
    snprintf(exchange->peer, sizeof exchange->peer, "%s", address != NULL ? address : "?");
    exchange->visit = sg_visit_of(listener->front, http);
    exchange->visit->exchange = exchange;
    return exchange;
}

/* ---- what holds for every request ---- */

static bool headers_are_long(struct evhttp_request *http)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(http);
    const struct evkeyval *header;
    size_t len = strlen(evhttp_request_get_uri(http));

    TAILQ_FOREACH(header, headers, next)
    {
        len += strlen(header->key) + strlen(header->value) + 4;
    }
    return len > SG_LIMIT_HEADERS;
}

static bool is_token(const char *name)
{
    static const char MARKS[] = "!#$%&'*+-.^_`|~";
    size_t len = 0;

    while (isalnum((unsigned char)name[len]) || (name[len] != '\0' && strchr(MARKS, name[len])))
        len++;
    return len > 0 && name[len] == '\0';
}

static bool is_number(const char *value)
{
    const size_t len = strspn(value, "0123456789");

    return len > 0 && value[len] == '\0';
}

/* Does the request end where everybody says that it does? evhttp takes the first of two lengths,
 * none where "Content-Length " is written with a space, and no body of a HEAD: what a proxy before
 * us takes for a body would be the next request here. */
static bool has_one_end(struct evhttp_request *http)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(http);
    const bool has_no_body = evhttp_request_get_command(http) == EVHTTP_REQ_HEAD;
    const struct evkeyval *header;
    unsigned num = 0;

    TAILQ_FOREACH(header, headers, next)
    {
        const bool is_length = strcasecmp(header->key, "Content-Length") == 0;
        const bool is_coding = strcasecmp(header->key, "Transfer-Encoding") == 0;

        num += is_length || is_coding;
        if (!is_token(header->key) || num > 1 ||
            (is_coding && (has_no_body || strcasecmp(header->value, "chunked") != 0)) ||
            (is_length &&
             (!is_number(header->value) || (has_no_body && strcmp(header->value, "0") != 0))))
            return false;
    }
    return true;
}

static void refuse_framing(struct sg_exchange *exchange)
{
    const struct sg_reply reply = {
        .rule = "RFC 9112 6.3", .text = "it can't be told where the request ends", .is_last = true};

    sg_reply_send(exchange, 400, &reply);
}

/* Of the headers that are passed on: the issuer takes text alone. */
static bool header_is_text(struct evhttp_request *http, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(http), name);

    return value == NULL || (strlen(value) <= SG_LIMIT_AUTHORIZATION &&
                             sg_text_check(sg_slice_text(value), name, NULL));
}

static void refuse_method(struct sg_exchange *exchange, const char *allow)
{
    const struct sg_reply reply = {.allow = allow, .rule = "RFC 9110 15.5.6"};

    sg_reply_send(exchange, 405, &reply);
}

/* Without TLS there is only what is signed: what EST tells is believed for its server's sake. */
static const struct sg_paper *find_paper(const struct sg_exchange *exchange, const char *path)
{
    static const char EST[] = "/.well-known/est/";

    if (exchange->kind == SG_ON_HTTP && strncmp(path, EST, strlen(EST)) == 0)
        return NULL;
    return sg_paper_find(exchange->front, path);
}

static void take_paper(struct sg_exchange *exchange, const char *path)
{
    const enum evhttp_cmd_type method = evhttp_request_get_command(exchange->http);
    const struct sg_paper *paper = find_paper(exchange, path);

    if (paper == NULL)
        sg_reply_status(exchange, 404, NULL, "there is nothing of that name");
    else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
        refuse_method(exchange, "GET, HEAD");
    else
        sg_paper_serve(exchange, paper);
}

static void take_route(struct sg_exchange *exchange)
{
    const enum evhttp_cmd_type method = evhttp_request_get_command(exchange->http);
    const bool by_get = (exchange->route->kind & SG_BY_GET) != 0;
    const bool by_post = (exchange->route->kind & SG_BY_POST) != 0;
    const bool is_get = method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD;

    if (sg_is_call(exchange) || (is_get && by_get) || (method == EVHTTP_REQ_POST && by_post))
        exchange->route->take(exchange);
    else
        refuse_method(exchange, !by_get ? "POST" : by_post ? "GET, HEAD, POST" : "GET, HEAD");
}

void sg_exchange_take(struct evhttp_request *http, void *context)
{
    struct sg_front_listener *listener = context;
    struct sg_exchange *exchange = new_exchange(listener, http);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
    const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;

    if (path == NULL)
        path = "/";
    sg_route_find(exchange, path);
    if (!has_one_end(http))
        refuse_framing(exchange);
    else if (!sg_proxy_judge(exchange, listener->is_proxys))
        sg_reply_status(exchange, 403, NULL, "not the user that service: proxy names");
    else if (headers_are_long(http))
        sg_reply_status(exchange, 431, "RFC 6585 5", "the headers are too long");
    else if (!header_is_text(http, "Authorization"))
        sg_reply_status(exchange, 400, "RFC 9110 11.6.2", "the Authorization is no text");
    else if (exchange->route != NULL)
        take_route(exchange);
    else if (exchange->kind != SG_ON_METRICS)
        take_paper(exchange, path);
    else
        sg_reply_status(exchange, 404, NULL, "there is nothing of that name");
}
