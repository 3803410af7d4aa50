#include <string.h>

#include "parts.h"

/* Seconds; the last is without end. */
static const double LATENCIES[SG_NUM_LATENCIES] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                   0.1,   0.25,   0.5,   1,    2.5,   1e300};

void sg_figures_note(struct sg_front *front, const struct sg_exchange *exchange, unsigned status,
                     int64_t took_us)
{
    struct sg_front_figures *figures = &front->figures;
    const size_t route = sg_route_number(exchange->route);
    const double seconds = (double)took_us / 1e6;
    size_t latency = 0;

    while (seconds > LATENCIES[latency])
        latency++;
    figures->by_class[route][status / 100 < 6 ? status / 100 : 0]++;
    figures->latencies[route][latency]++;
    figures->seconds[route] += seconds;
}

/* The issuer is not believed to know an end of names. */
static struct sg_token_errors *find_token_errors(struct sg_front_figures *figures,
                                                 const char *token, const char *rv)
{
    struct sg_token_errors *row = figures->token_errors;
    struct sg_token_errors *last = row + SG_NUM_TOKEN_ERRORS - 1;

    for (; row < last && row->rv[0] != '\0'; row++)
        if (strcmp(row->token, token) == 0 && strcmp(row->rv, rv) == 0)
            return row;
    snprintf(row->token, sizeof row->token, "%s", row < last ? token : "other");
    snprintf(row->rv, sizeof row->rv, "%s", row < last ? rv : "other");
    return row;
}

static bool is_configured(const struct sg_config *config, const char *token)
{
    for (size_t i = 0; i < config->num_tokens; i++)
        if (strcmp(config->tokens[i].name, token) == 0)
            return true;
    return false;
}

void sg_figures_note_token(struct sg_front *front, const struct sg_message *message)
{
    const char *token = sg_message_text(message, SG_WIRE_TOKEN);
    const char *rv = sg_message_text(message, SG_WIRE_RV);

    if (is_configured(&front->config, token) && sg_config_name_is_valid(rv))
        find_token_errors(&front->figures, token, rv)->num +=
            sg_message_number(message, SG_WIRE_TIMES);
}

static void append_token_errors(const struct sg_front_figures *figures, struct evbuffer *into)
{
    const struct sg_token_errors *row = figures->token_errors;

    evbuffer_add_printf(into, "# TYPE signet_token_errors_total counter\n");
    for (size_t i = 0; i < SG_NUM_TOKEN_ERRORS && row[i].rv[0] != '\0'; i++)
        evbuffer_add_printf(into, "signet_token_errors_total{token=\"%s\",rv=\"%s\"} %llu\n",
                            row[i].token, row[i].rv, (unsigned long long)row[i].num);
}

static void append_requests(const struct sg_front_figures *figures, struct evbuffer *into)
{
    evbuffer_add_printf(into, "# TYPE signet_http_requests_total counter\n");
    for (size_t route = 0; route < SG_MAX_ROUTES; route++)
        for (size_t class = 0; class < 6; class ++)
            if (figures->by_class[route][class] > 0)
                evbuffer_add_printf(into,
                                    "signet_http_requests_total{route=\"%s\",status=\"%zuxx\"} "
                                    "%llu\n",
                                    sg_route_name(route), class,
                                    (unsigned long long)figures->by_class[route][class]);
}

static void append_latency(const struct sg_front_figures *figures, size_t route,
                           struct evbuffer *into)
{
    static const char NAME[] = "signet_http_request_seconds";
    const char *name = sg_route_name(route);
    uint64_t sum = 0;

    for (size_t i = 0; i < SG_NUM_LATENCIES - 1; i++) {
        sum += figures->latencies[route][i];
        evbuffer_add_printf(into, "%s_bucket{route=\"%s\",le=\"%g\"} %llu\n", NAME, name,
                            LATENCIES[i], (unsigned long long)sum);
    }
    sum += figures->latencies[route][SG_NUM_LATENCIES - 1];
    evbuffer_add_printf(into,
                        "%s_bucket{route=\"%s\",le=\"+Inf\"} %llu\n"
                        "%s_sum{route=\"%s\"} %g\n%s_count{route=\"%s\"} %llu\n",
                        NAME, name, (unsigned long long)sum, NAME, name, figures->seconds[route],
                        NAME, name, (unsigned long long)sum);
}

static void append_number(struct evbuffer *into, const char *name, const char *type,
                          long long value)
{
    evbuffer_add_printf(into, "# TYPE %s %s\n%s %lld\n", name, type, name, value);
}

/* Where the key of TLS is on a token. */
static void append_key(const struct sg_front_key *key, struct evbuffer *into)
{
    evbuffer_add_printf(into,
                        "# TYPE signet_tls_key_signatures_total counter\n"
                        "signet_tls_key_signatures_total{outcome=\"made\"} %llu\n"
                        "signet_tls_key_signatures_total{outcome=\"failed\"} %llu\n"
                        "# TYPE signet_tls_key_wait_seconds_total counter\n"
                        "signet_tls_key_wait_seconds_total %.6f\n"
                        "# TYPE signet_tls_handshakes_waiting gauge\n"
                        "signet_tls_handshakes_waiting %llu\n",
                        (unsigned long long)key->figures.num_signed,
                        (unsigned long long)key->figures.num_failed,
                        (double)key->figures.waited_us / 1e6,
                        (unsigned long long)key->figures.num_waiting);
}

void sg_figures_append(struct sg_front *front, struct evbuffer *into)
{
    const struct sg_front_figures *figures = &front->figures;

    append_requests(figures, into);
    evbuffer_add_printf(into, "# TYPE signet_http_request_seconds histogram\n");
    for (size_t route = 0; route < SG_MAX_ROUTES; route++)
        if (sg_route_name(route) != NULL)
            append_latency(figures, route, into);
    append_number(into, "signet_connections", "gauge", (long long)front->num_visits);
    append_number(into, "signet_connections_total", "counter", (long long)figures->num_visits);
    append_number(into, "signet_slow_clients_total", "counter", (long long)figures->num_slow);
    append_number(into, "signet_requests_waiting", "gauge", (long long)front->num_offered);
    append_number(into, "signet_requests_offered_again_total", "counter",
                  (long long)figures->num_offered_again);
    append_number(into, "signet_slowed_requests_total", "counter", (long long)figures->num_slowed);
    append_number(into, "signet_ocsp_kept_answers_total", "counter", (long long)figures->num_kept);
    append_number(into, "signet_log_lines_left_out_total", "counter",
                  (long long)figures->num_unwritten);
    append_number(into, "signet_issuer_up", "gauge", front->link.is_welcome ? 1 : 0);
    append_number(into, "signet_issuer_starts_seen_total", "counter",
                  (long long)figures->num_links);
    append_token_errors(figures, into);
    if (front->key.maker != NULL)
        append_key(&front->key, into);
    if (front->tls != NULL)
        append_number(into, "signet_tls_not_after_seconds", "gauge",
                      (long long)front->tls_not_after);
}
