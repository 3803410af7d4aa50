/* routes: every URL that is more than a document of the issuer's, as one table. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "parts.h"

/* ---- EST: RFC 7030 3.2 ---- */

bool sg_has_media_type(struct evhttp_request *http, const char *wanted)
{
    const char *type = evhttp_find_header(evhttp_request_get_input_headers(http), "Content-Type");
    const size_t len = strlen(wanted);

    return type != NULL && strncasecmp(type, wanted, len) == 0 &&
           (type[len] == '\0' || strchr("; \t", type[len]) != NULL);
}

static void offer_enrolment(struct sg_exchange *exchange, struct sg_slice body)
{
    const char *authorization =
        evhttp_find_header(evhttp_request_get_input_headers(exchange->http), "Authorization");
    sg_auto(sg_buf) struct sg_buf client = {0};
    struct sg_message message = {.type = exchange->route->type};
    struct sg_error error = {0};

    if (!sg_client_certificate(exchange, &client, &error)) {
        sg_reply_status(exchange, 400, "client certificate", error.text);
        return;
    }
    exchange->is_anonymous = authorization == NULL && client.len == 0;
    sg_message_set_text(&message, SG_WIRE_PEER, exchange->peer);
    if (exchange->label[0] != '\0')
        sg_message_set_text(&message, SG_WIRE_LABEL, exchange->label);
    sg_message_set_text(&message, SG_WIRE_AUTHORIZATION, authorization);
    if (client.len > 0)
        sg_message_set_bytes(&message, SG_WIRE_CLIENT, sg_buf_slice(&client));
    sg_message_set_bytes(&message, SG_WIRE_BODY, body);
    sg_link_offer(exchange, &message);
}

static void take_enrolment(struct sg_exchange *exchange)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(exchange->http);
    const size_t len = evbuffer_get_length(input);

    if (sg_service_find_label(&exchange->front->config.service, exchange->label) == NULL)
        sg_reply_status(exchange, 404, "RFC 7030 3.2.2", "there is no such label");
    else if (!sg_has_media_type(exchange->http, "application/pkcs10"))
        sg_reply_status(exchange, 415, "RFC 7030 4.2.1", "the body is not application/pkcs10");
    else if (len == 0)
        sg_reply_status(exchange, 400, "RFC 7030 4.2.1", "there is no body");
    else
        offer_enrolment(exchange, sg_slice_of(evbuffer_pullup(input, -1), len));
}

static void refuse_full_cmc(struct sg_exchange *exchange)
{
    sg_reply_status(exchange, 501, "RFC 7030 4.3", "full CMC is not offered");
}

/* ---- for those who watch ---- */

static void take_health(struct sg_exchange *exchange)
{
    const struct sg_message message = {.type = SG_WIRE_HEALTH};

    if (exchange->front->link.is_welcome)
        sg_link_offer(exchange, &message);
    else
        sg_reply_busy(exchange, "the issuer is away");
}

static void take_readiness(struct sg_exchange *exchange)
{
    const struct sg_front *front = exchange->front;
    struct sg_reply reply = {.media_type = "text/plain"};
    struct evbuffer *body = evbuffer_new();

    if (front->is_draining || !front->link.has_all || body == NULL) {
        sg_reply_busy(exchange,
                      front->is_draining ? "the service is ending" : "the issuer is away");
    } else {
        evbuffer_add_printf(body, "ready\n");
        reply.body = body;
        sg_reply_send(exchange, 200, &reply);
    }
    if (body != NULL)
        evbuffer_free(body);
}

/* The front's figures, and the issuer's behind them while it is there. */
static void take_metrics(struct sg_exchange *exchange)
{
    const struct sg_message message = {.type = SG_WIRE_FIGURES};

    exchange->before = evbuffer_new();
    if (exchange->before == NULL) {
        sg_reply_busy(exchange, "out of memory");
        return;
    }
    sg_figures_append(exchange->front, exchange->before);
    if (exchange->front->link.is_welcome) {
        sg_link_offer(exchange, &message);
        return;
    }
    sg_reply_figures(exchange);
}

/* ---- the table ---- */

enum {
    ON_ALL_BUT_HTTP = SG_ON_HTTPS | SG_ON_METRICS,
    ON_ALL_BUT_METRICS = SG_ON_HTTPS | SG_ON_HTTP,
    EST_POST = SG_ROUTE_EST | SG_BY_POST,
    OCSP = SG_ROUTE_OCSP | SG_BY_GET | SG_BY_POST,
};

static const struct sg_route ROUTES[] = {
    {"simpleenroll", "simpleenroll", SG_ON_HTTPS, EST_POST, SG_WIRE_ENROLL, take_enrolment},
    {"simplereenroll", "simplereenroll", SG_ON_HTTPS, EST_POST, SG_WIRE_REENROLL, take_enrolment},
    {"serverkeygen", "serverkeygen", SG_ON_HTTPS, EST_POST, SG_WIRE_SERVERKEYGEN, take_enrolment},
    {"fullcmc", "fullcmc", SG_ON_HTTPS, EST_POST, 0, refuse_full_cmc},
    {"healthz", "/healthz", ON_ALL_BUT_HTTP, SG_BY_GET, SG_WIRE_HEALTH, take_health},
    {"readyz", "/readyz", ON_ALL_BUT_HTTP, SG_BY_GET, 0, take_readiness},
    {"metrics", "/metrics", SG_ON_METRICS, SG_BY_GET, SG_WIRE_FIGURES, take_metrics},
    {"api", NULL, SG_ON_HTTPS, SG_ROUTE_API, SG_WIRE_CALL, sg_api_take},
    /* the last, as it may be all paths */
    {"ocsp", NULL, ON_ALL_BUT_METRICS, OCSP, SG_WIRE_OCSP, sg_ocsp_take},
};

enum { NUM_ROUTES = sizeof ROUTES / sizeof ROUTES[0] };
_Static_assert((int)NUM_ROUTES < (int)SG_MAX_ROUTES,
               "the last place is for documents and what is not there");

/* "OPERATION" or "LABEL/OPERATION"; what stands before the slash becomes the label. */
static bool is_operation(const char *rest, const char *operation, char label[65])
{
    const char *slash = strrchr(rest, '/');
    const size_t len = slash != NULL ? (size_t)(slash - rest) : 0;

    if (strcmp(slash != NULL ? slash + 1 : rest, operation) != 0 || len > 64 ||
        (slash != NULL && len == 0))
        return false;
    memcpy(label, rest, len);
    label[len] = '\0';
    return true;
}

static bool is_for(struct sg_exchange *exchange, const struct sg_route *route, const char *path)
{
    static const char EST[] = "/.well-known/est/";
    const bool is_est = strncmp(path, EST, strlen(EST)) == 0;

    if ((route->on & exchange->kind) == 0 || ((route->kind & SG_ROUTE_EST) != 0) != is_est)
        return false;
    if (is_est)
        return is_operation(path + strlen(EST), route->path, exchange->label);
    if ((route->kind & SG_ROUTE_API) != 0)
        return sg_is_api(exchange->front, path);
    if ((route->kind & SG_ROUTE_OCSP) == 0)
        return strcmp(path, route->path) == 0;
    exchange->rest = sg_ocsp_rest(exchange->front, path);
    return exchange->rest != NULL;
}

void sg_route_find(struct sg_exchange *exchange, const char *path)
{
    for (size_t i = 0; i < NUM_ROUTES && exchange->route == NULL; i++)
        if (is_for(exchange, &ROUTES[i], path))
            exchange->route = &ROUTES[i];
}

size_t sg_route_number(const struct sg_route *route)
{
    return route != NULL ? (size_t)(route - ROUTES) : SG_MAX_ROUTES - 1;
}

const char *sg_route_name(size_t number)
{
    if (number == SG_MAX_ROUTES - 1)
        return "document";
    return number < NUM_ROUTES ? ROUTES[number].name : NULL;
}
