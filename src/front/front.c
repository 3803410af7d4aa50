#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/wiping.h"
#include "parts.h"

enum { BACKLOG = 1024 };

int64_t sg_front_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- listening ---- */

static struct bufferevent *new_connection(struct event_base *base, void *context)
{
    struct sg_front_listener *listener = context;

    (void)base;
    return sg_visit_begin(listener->front, listener->kind == SG_ON_HTTPS && !listener->is_proxys
                                               ? listener->front->tls
                                               : NULL);
}

static bool set_up_http(struct sg_front_listener *listener, struct sg_error *error)
{
    /* Visits have the deadlines. evhttp's own time between two octets would take a pause in reading
     * a reply for one between requests; without a word of ours it is 50 s. */
    static const struct timeval A_DAY = {86400, 0};

    listener->http = evhttp_new(listener->front->base);
    if (listener->http == NULL)
        return sg_fail_memory(error);
    evhttp_set_max_headers_size(listener->http, SG_FRONT_HARD_HEADERS);
    evhttp_set_max_body_size(listener->http, SG_LIMIT_BODY);
    evhttp_set_timeout_tv(listener->http, &A_DAY);
    evhttp_set_flags(listener->http, EVHTTP_SERVER_LINGERING_CLOSE);
    /* All of them, so that the routes answer 405 with what they allow. */
    evhttp_set_allowed_methods(listener->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                                   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                                   EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                                   EVHTTP_REQ_PATCH);
    evhttp_set_default_content_type(listener->http, NULL);
    evhttp_set_bevcb(listener->http, new_connection, listener);
    evhttp_set_gencb(listener->http, sg_exchange_take, listener);
    return true;
}

/* The port may have been chosen by the kernel. */
static void say_where(struct sg_front *front, const struct sg_front_listener *listener,
                      const char *asked)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    const char *colon = strrchr(asked, ':');
    unsigned port = 0;

    if (getsockname(evconnlistener_get_fd(listener->socket), (struct sockaddr *)&address, &len) ==
        0)
        port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                   : ((struct sockaddr_in *)&address)->sin_port);
    sg_log_say(front, "%s on %.*s:%u",
               listener->kind == SG_ON_HTTPS  ? "https"
               : listener->kind == SG_ON_HTTP ? "http"
                                              : "metrics",
               (int)(colon - asked), asked, port);
}

/* The address without its port, which libevent does not take as 0: that leaves the choice to the
 * kernel. */
static bool parse_address(const char *text, struct sockaddr_storage *address, int *len,
                          struct sg_error *error)
{
    const char *colon = strrchr(text, ':');
    const uint16_t port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    char host[64];

    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    *len = sizeof *address;
    if (evutil_parse_sockaddr_port(host, (struct sockaddr *)address, len) != 0)
        return sg_fail(error, SG_INVALID, "service", "'%s' is no address to listen on", text);
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = port;
    else
        ((struct sockaddr_in *)address)->sin_port = port;
    return true;
}

/* Connections inherit it. Else a reply in two TLS records waits for the client's delayed
 * acknowledgement of the first, 40 ms. */
static void answer_at_once(struct evconnlistener *socket)
{
    const int on = 1;

    (void)setsockopt(evconnlistener_get_fd(socket), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static bool listen_on(struct sg_front *front, enum sg_front_kind kind, const char *text,
                      struct sg_error *error)
{
    struct sg_front_listener *listener = &front->listeners[front->num_listeners];
    struct sockaddr_storage address = {0};
    int len = 0;

    *listener = (struct sg_front_listener){.front = front, .kind = kind};
    if (!parse_address(text, &address, &len, error) || !set_up_http(listener, error))
        return false;
    front->num_listeners++;
    listener->socket = evconnlistener_new_bind(front->base, NULL, NULL,
                                               LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE |
                                                   LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED,
                                               BACKLOG, (struct sockaddr *)&address, len);
    if (listener->socket == NULL)
        return sg_fail_errno(error, "can't listen on %s", text);
    answer_at_once(listener->socket);
    if (evhttp_bind_listener(listener->http, listener->socket) == NULL)
        return sg_fail_memory(error);
    say_where(front, listener, text);
    return true;
}

/* A socket that was left behind is taken away, and nothing else. */
static bool bind_socket(struct sg_front_listener *listener, const char *path,
                        struct sg_error *error)
{
    const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;

    if (strlen(path) >= sizeof address.sun_path)
        return sg_fail(error, SG_INVALID, NULL, "the path of the proxy's socket is too long: %s",
                       path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);
    listener->socket = evconnlistener_new_bind(listener->front->base, NULL, NULL, flags, BACKLOG,
                                               (struct sockaddr *)&address, (int)sizeof address);
    /* who gets in is known by the kernel's word */
    return (listener->socket != NULL && chmod(path, 0666) == 0) ||
           sg_fail_errno(error, "can't listen at %s", path);
}

static bool listen_to_proxy(struct sg_front *front, struct sg_error *error)
{
    struct sg_front_listener *listener = &front->listeners[front->num_listeners];
    sg_auto(malloc) char *path = NULL;

    if (front->config.service.proxy.listen == NULL)
        return true;
    *listener = (struct sg_front_listener){.front = front, .kind = SG_ON_HTTPS, .is_proxys = true};
    if (!sg_path_join(front->setting->dir, front->config.service.proxy.listen, &path, error) ||
        !set_up_http(listener, error))
        return false;
    front->num_listeners++;
    if (!bind_socket(listener, path, error))
        return false;
    if (evhttp_bind_listener(listener->http, listener->socket) == NULL)
        return sg_fail_memory(error);
    sg_log_say(front, "proxy at %s", path);
    return true;
}

static bool listen_on_all(struct sg_front *front, enum sg_front_kind kind,
                          const struct sg_addresses *addresses, struct sg_error *error)
{
    for (size_t i = 0; i < addresses->num; i++)
        if (!listen_on(front, kind, addresses->items[i], error))
            return false;
    return true;
}

/* ---- signals, and each second ---- */

/* What signet.yaml says, and the files that it names. */
struct settings {
    struct sg_config config;
    SSL_CTX *tls; /* NULL: no https */
    int64_t tls_not_after;
    struct sg_proxy proxy;
};

static void settings_done(struct settings *settings)
{
    SSL_CTX_free(settings->tls);
    sg_proxy_done(&settings->proxy);
    sg_config_done(&settings->config);
}
SG_DEFINE_CLEANUP_IN_PLACE(settings, settings_done)

static bool read_configuration(struct sg_front *front, struct settings *settings,
                               struct sg_error *error)
{
    const char *dir = front->setting->dir;
    sg_auto(settings) struct settings fresh = {0};
    const struct sg_service_config *service = &fresh.config.service;
    sg_auto(malloc) char *path = NULL;

    if (!sg_path_join(dir, "signet.yaml", &path, error) ||
        !sg_config_load(path, &fresh.config, error) ||
        !sg_service_config_check(service, path, error) ||
        !sg_proxy_find(dir, service, &fresh.proxy, error) ||
        (service->https.listen.num > 0 &&
         !sg_tls_new(front, service, &fresh.tls, &fresh.tls_not_after, error)))
        return false;
    *settings = fresh;
    fresh = (struct settings){0};
    return true;
}

static void put_in_force(struct sg_front *front, struct settings *settings)
{
    SSL_CTX_free(front->tls);
    front->tls = settings->tls;
    front->tls_not_after = settings->tls_not_after;
    sg_proxy_done(&front->proxy);
    front->proxy = settings->proxy;
    sg_config_done(&front->config);
    front->config = settings->config;
    *settings = (struct settings){0};
    sg_log_take_warnings(front);
}

/* Connections that are open keep the certificate that they began with. */
static void reload(struct sg_front *front)
{
    sg_auto(settings) struct settings settings = {0};
    struct sg_error error = {0};

    if (!read_configuration(front, &settings, &error)) {
        sg_log_say(front, "SIGHUP: going on with what is in force, as: %s", error.text);
        return;
    }
    /* https can't begin or end without its listeners, which go on with what they have */
    if ((settings.tls == NULL) != (front->tls == NULL)) {
        SSL_CTX *other = settings.tls;

        settings.tls = front->tls;
        settings.tls_not_after = front->tls_not_after;
        front->tls = other;
    }
    put_in_force(front, &settings);
    sg_log_say(front, "SIGHUP: signet.yaml and the TLS certificate are read again");
}

static void note_signal(evutil_socket_t signal, short what, void *context)
{
    struct sg_front *front = context;

    (void)what;
    if (signal == SIGHUP) {
        reload(front);
        return;
    }
    front->setting->notify("STOPPING=1");
    front->is_draining = true;
    front->draining_since_ms = sg_steady_ms();
    sg_log_say(front, "ending, once %zu requests are answered", front->num_offered);
}

/* Replies that are on their way get a moment more. */
static void judge_draining(struct sg_front *front)
{
    enum { LAST_WORDS_MS = 500 };
    const struct sg_visit *visit;
    bool is_busy = front->num_offered > 0;

    LIST_FOREACH(visit, &front->visits, in_list)
    {
        if (evbuffer_get_length(bufferevent_get_output(visit->buffer)) > 0)
            is_busy = true;
    }
    const int64_t since = sg_steady_ms() - front->draining_since_ms;
    if ((!is_busy && since > LAST_WORDS_MS) || since > 1000 * front->config.service.limits.answer_s)
        event_base_loopexit(front->base, NULL);
}

static void note_second(evutil_socket_t fd, short what, void *context)
{
    struct sg_front *front = context;

    (void)fd;
    (void)what;
    front->setting->notify("WATCHDOG=1");
    sg_visits_sweep(front);
    sg_link_sweep(front);
    sg_front_key_sweep(front);
    if (front->is_draining)
        judge_draining(front);
}

/* ---- the whole ---- */

static bool set_up_events(struct sg_front *front, struct sg_error *error)
{
    static const int SIGNALS[3] = {SIGTERM, SIGINT, SIGHUP};
    const struct timeval second = {1, 0};

    front->timer = event_new(front->base, -1, EV_PERSIST, note_second, front);
    if (front->timer == NULL || event_add(front->timer, &second) != 0)
        return sg_fail_memory(error);
    for (size_t i = 0; i < 3; i++) {
        front->signals[i] = evsignal_new(front->base, SIGNALS[i], note_signal, front);
        if (front->signals[i] == NULL || event_add(front->signals[i], NULL) != 0)
            return sg_fail_memory(error);
    }
    return true;
}

/* What the kernel is to watch is told to it once a turn of the loop, and not with each change. */
static bool set_up_loop(struct sg_front *front, struct sg_error *error)
{
    struct event_config *config = event_config_new();

    if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0)
        front->base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    return front->base != NULL || sg_fail_memory(error);
}

/* Ids begin anywhere, so that those of two runs are not the same in the log. */
static bool set_up(struct sg_front *front, struct sg_error *error)
{
    const struct sg_service_config *config = &front->config.service;
    sg_auto(settings) struct settings settings = {0};

    LIST_INIT(&front->visits);
    LIST_INIT(&front->papers);
    TAILQ_INIT(&front->offered);
    if (!sg_kept_begin(front, error) || !set_up_loop(front, error) || !sg_log_begin(front, error) ||
        !read_configuration(front, &settings, error))
        return false;
    put_in_force(front, &settings);
    if (!sg_slow_begin(&front->slowing, error) ||
        !sg_random_fill((uint8_t *)&front->last_id, sizeof front->last_id, error) ||
        !listen_on_all(front, SG_ON_HTTPS, &config->https.listen, error) ||
        !listen_on_all(front, SG_ON_HTTP, &config->http, error) ||
        !listen_on_all(front, SG_ON_METRICS, &config->metrics, error) ||
        !listen_to_proxy(front, error) || !set_up_events(front, error) ||
        !sg_link_open(front, error) || !front->setting->confine(front->setting->dir, error))
        return false;
    front->last_id &= INT64_MAX;
    for (size_t i = 0; i < front->num_listeners; i++)
        evconnlistener_enable(front->listeners[i].socket);
    front->setting->notify("READY=1");
    return true;
}

static void tear_down(struct sg_front *front)
{
    sg_link_close(front);
    for (size_t i = 0; i < front->num_listeners; i++)
        evhttp_free(front->listeners[i].http);
    sg_visits_end(front);
    sg_front_key_hang_up(front);
    sg_papers_free(front);
    sg_kept_end(front);
    for (size_t i = 0; i < 3; i++)
        if (front->signals[i] != NULL)
            event_free(front->signals[i]);
    if (front->timer != NULL)
        event_free(front->timer);
    sg_log_end(front);
    if (front->base != NULL)
        event_base_free(front->base);
    SSL_CTX_free(front->tls);
    sg_front_key_close(front);
    sg_proxy_done(&front->proxy);
    sg_config_done(&front->config);
}

bool sg_front_run(const struct sg_front_setting *setting, struct sg_error *error)
{
    struct sg_front *front = calloc(1, sizeof *front);
    bool served;

    if (front == NULL)
        return sg_fail_memory(error);
    /* Headers and bodies lie in libevent's buffers, tickets and hashes of PINs among them. */
    event_set_mem_functions(malloc, sg_wiping_realloc, sg_wiping_free);
    front->setting = setting;
    served = set_up(front, error);
    if (served && event_base_dispatch(front->base) < 0)
        served = sg_fail(error, SG_FAILED, NULL, "the event loop failed");
    tear_down(front);
    free(front);
    return served;
}
