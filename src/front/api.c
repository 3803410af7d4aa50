/* api: what comes to /api/v1, passed on as it is; which URLs there are, the issuer knows. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "parts.h"

static const char RULE[] = "RFC 9110";

bool sg_is_api(const struct sg_front *front, const char *path)
{
    static const char BEGIN[] = "/api/v1/";

    return front->config.service.num_operators > 0 && strncmp(path, BEGIN, strlen(BEGIN)) == 0;
}

bool sg_is_call(const struct sg_exchange *exchange)
{
    return exchange->route != NULL && (exchange->route->kind & SG_ROUTE_API) != 0;
}

/* It may hold a ticket and what was made of a PIN: the octets are wiped where they were. */
static void wipe(struct evbuffer *input)
{
    struct evbuffer_iovec parts[32];
    const int num = evbuffer_peek(input, -1, NULL, parts, 32);

    for (int i = 0; i < num && i < 32; i++)
        OPENSSL_cleanse(parts[i].iov_base, parts[i].iov_len);
    evbuffer_drain(input, evbuffer_get_length(input));
}

static bool take_body(struct evbuffer *input, struct sg_buf *body, struct sg_error *error)
{
    const size_t len = evbuffer_get_length(input);

    if ((body->data = malloc(len + 1)) == NULL)
        return sg_fail_memory(error);
    body->capacity = len + 1;
    if (evbuffer_copyout(input, body->data, len) != (ev_ssize_t)len)
        return sg_fail(error, SG_FAILED, NULL, "the body can't be read");
    body->data[len] = 0;
    body->len = len;
    return true;
}

static bool name_target(struct sg_exchange *exchange, char target[SG_LIMIT_TARGET + 1])
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(exchange->http);
    const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    const int len = snprintf(target, SG_LIMIT_TARGET + 1, "%s%s%s", path, query != NULL ? "?" : "",
                             query != NULL ? query : "");

    return len >= 0 && len <= SG_LIMIT_TARGET;
}

static void offer(struct sg_exchange *exchange, const char *target, const struct sg_buf *body)
{
    sg_auto(sg_buf) struct sg_buf client = {0};
    struct sg_message message = {.type = exchange->route->type};
    struct sg_error error = {0};

    if (!sg_client_certificate(exchange, &client, &error)) {
        sg_reply_status(exchange, 400, "client certificate", error.text);
        return;
    }
    sg_message_set_text(&message, SG_WIRE_PEER, exchange->peer);
    sg_message_set_text(&message, SG_WIRE_METHOD, exchange->method);
    sg_message_set_text(&message, SG_WIRE_TARGET, target);
    if (client.len > 0)
        sg_message_set_bytes(&message, SG_WIRE_CLIENT, sg_buf_slice(&client));
    if (body->len > 0)
        sg_message_set_bytes(&message, SG_WIRE_BODY, sg_buf_slice(body));
    sg_link_offer(exchange, &message);
}

void sg_api_take(struct sg_exchange *exchange)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(exchange->http);
    const size_t len = evbuffer_get_length(input);
    char target[SG_LIMIT_TARGET + 1];
    struct sg_buf body = {0};
    struct sg_error error = {0};

    if (len > SG_LIMIT_JSON)
        sg_reply_status(exchange, 413, RULE, "the body is too long");
    else if (len > 0 && !sg_has_media_type(exchange->http, "application/json"))
        sg_reply_status(exchange, 415, RULE, "the body is not application/json");
    else if (!name_target(exchange, target))
        sg_reply_status(exchange, 414, RULE, "the URL is too long");
    else if (!take_body(input, &body, &error))
        sg_reply_busy(exchange, error.text);
    else {
        wipe(input);
        offer(exchange, target, &body);
    }
    sg_wire_wipe(&body);
}
