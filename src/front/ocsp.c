/* ocsp: questions about certificates, as RFC 6960 A puts them into HTTP. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "parts.h"

static const char RULE[] = "RFC 6960 A.1";

/* What stands behind the slash after base: "" also without one. NULL: path is not below base. */
static const char *below(const char *path, const char *base)
{
    size_t len = strlen(base);

    while (len > 0 && base[len - 1] == '/')
        len--;
    if (strncmp(path, base, len) != 0 || (path[len] != '/' && path[len] != '\0'))
        return NULL;
    return path + len + strspn(path + len, "/");
}

/* The path of a URL that an issuer publishes. */
static const char *below_url(const char *path, const char *url)
{
    struct evhttp_uri *uri = url != NULL ? evhttp_uri_parse(url) : NULL;
    const char *base = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    const char *rest = base != NULL ? below(path, base) : NULL;

    if (uri != NULL)
        evhttp_uri_free(uri);
    return rest;
}

/* Documents come first: an issuer may publish a URL without a path. */
const char *sg_ocsp_rest(const struct sg_front *front, const char *path)
{
    const char *rest = below(path, "/ocsp");

    for (size_t i = 0; rest == NULL && i < front->config.num_issuers; i++)
        if (sg_paper_find(front, path) == NULL)
            rest = below_url(path, front->config.issuers[i].ocsp_url);
    return rest;
}

static void offer(struct sg_exchange *exchange, struct sg_slice body, const char *encoding)
{
    struct sg_message message = {.type = SG_WIRE_OCSP};

    sg_message_set_text(&message, SG_WIRE_ENCODING, encoding);
    sg_message_set_bytes(&message, SG_WIRE_BODY, body);
    sg_link_offer(exchange, &message);
}

static void take_body(struct sg_exchange *exchange)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(exchange->http);
    const size_t len = evbuffer_get_length(input);

    if (exchange->rest[0] != '\0')
        sg_reply_status(exchange, 404, RULE, "a POST to a URL with something after the service's");
    else if (!sg_has_media_type(exchange->http, "application/ocsp-request"))
        sg_reply_status(exchange, 415, RULE, "the body is not application/ocsp-request");
    else if (len == 0)
        sg_reply_status(exchange, 400, RULE, "there is no body");
    else if (len > SG_LIMIT_OCSP_REQUEST)
        sg_reply_status(exchange, 413, "RFC 9110 15.5.14", "the request is too long");
    else
        offer(exchange, sg_slice_of(evbuffer_pullup(input, -1), len), NULL);
}

/* Base64, whose "+", "/" and "=" clients may have escaped or not. */
static void take_url(struct sg_exchange *exchange)
{
    size_t len = 0;
    char *text;

    if (sg_kept_give(exchange))
        return;
    text = evhttp_uridecode(exchange->rest, 0, &len);
    if (text == NULL)
        sg_reply_busy(exchange, "out of memory");
    else if (len == 0)
        sg_reply_status(exchange, 400, RULE, "there is no request in the URL");
    else
        offer(exchange, sg_slice_of((const uint8_t *)text, len), "base64");
    free(text);
}

void sg_ocsp_take(struct sg_exchange *exchange)
{
    if (evhttp_request_get_command(exchange->http) == EVHTTP_REQ_POST)
        take_body(exchange);
    else
        take_url(exchange);
}
