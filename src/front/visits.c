/* visits: connections of clients, and how long they may take.
 *
 * evhttp's own timeouts begin anew with every octet, so that a client which sends one a minute
 * could stay for ever. Here a request has one deadline, from its first octet (and a connection's
 * first request, its handshake included, from the beginning) to its last; and a reply has one, by
 * its length, until the kernel has all of it. Until then no other request of that connection is
 * served, so that one who does not read has one reply kept.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "parts.h"

/* What may come before evhttp takes any of it. It takes a body or a chunk whole; for the line with
 * a chunk's size it has no limit, and looks for its end from the beginning each time. */
enum { MOST_UNREAD = SG_LIMIT_BODY + SG_FRONT_HARD_HEADERS };

static struct sg_visits *bucket_of(struct sg_front *front, const struct bufferevent *buffer)
{
    return &front->visit_buckets[((uintptr_t)buffer >> 4) % SG_FRONT_BUCKETS];
}

static bool is_busy(const struct sg_visit *visit)
{
    return visit->exchange != NULL || visit->is_replying;
}

/* evhttp reads the end of the stream, and closes. */
static void hang_up(const struct sg_visit *visit)
{
    shutdown(bufferevent_getfd(visit->buffer), SHUT_RDWR);
    sg_handshake_stop(visit->handshake);
}

/* The same for who doesn't keep to the rules. Without the reset the kernel would keep the
 * connection for a minute after us, and, as it tells nobody of its room any more, have the client
 * wait. */
static void cut_off(const struct sg_visit *visit)
{
    const struct linger at_once = {.l_onoff = 1};

    (void)setsockopt(bufferevent_getfd(visit->buffer), SOL_SOCKET, SO_LINGER, &at_once,
                     sizeof at_once);
    hang_up(visit);
}

/* Called by libevent when octets have come, before evhttp reads them. */
static void note_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
    struct sg_visit *visit = context;

    if (info->n_added > 0 && !is_busy(visit) && visit->begun_ms == 0)
        visit->begun_ms = sg_steady_ms();
    if (evbuffer_get_length(input) > MOST_UNREAD)
        cut_off(visit);
}

/* At the limit new connections wait in the kernel's queue. */
static void judge_fullness(struct sg_front *front)
{
    const bool is_full =
        front->num_visits >= (size_t)front->config.service.limits.connections || front->is_draining;

    if (is_full == front->is_full)
        return;
    front->is_full = is_full;
    for (size_t i = 0; i < front->num_listeners; i++) {
        if (front->listeners[i].kind == SG_ON_METRICS)
            continue;
        if (is_full)
            evconnlistener_disable(front->listeners[i].socket);
        else
            evconnlistener_enable(front->listeners[i].socket);
    }
}

static struct bufferevent *new_buffer(struct sg_front *front, SSL_CTX *tls)
{
    struct bufferevent *buffer;
    SSL *ssl;

    if (tls == NULL)
        return bufferevent_socket_new(front->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if ((ssl = SSL_new(tls)) == NULL)
        return NULL;
    buffer = bufferevent_openssl_socket_new(front->base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                            BEV_OPT_CLOSE_ON_FREE);
    if (buffer != NULL)
        bufferevent_openssl_set_allow_dirty_shutdown(buffer, 1);
    return buffer;
}

struct bufferevent *sg_visit_begin(struct sg_front *front, SSL_CTX *tls)
{
    struct sg_visit *visit = calloc(1, sizeof *visit);
    struct bufferevent *buffer = new_buffer(front, tls);

    /* evhttp would go on without TLS; a process without memory is better started again */
    if (visit == NULL || buffer == NULL)
        abort();
    visit->front = front;
    visit->buffer = buffer;
    visit->since_ms = sg_steady_ms();
    bufferevent_incref(buffer);
    evbuffer_add_cb(bufferevent_get_input(buffer), note_input, visit);
    LIST_INSERT_HEAD(&front->visits, visit, in_list);
    LIST_INSERT_HEAD(bucket_of(front, buffer), visit, in_bucket);
    front->num_visits++;
    front->figures.num_visits++;
    judge_fullness(front);
    if (tls != NULL && (SSL_CTX_get_mode(tls) & SSL_MODE_ASYNC) != 0)
        sg_handshake_begin(visit);
    return buffer;
}

static void end_visit(struct sg_visit *visit)
{
    struct sg_front *front = visit->front;

    if (visit->exchange != NULL)
        sg_exchange_forget(visit->exchange);
    sg_handshake_free(visit->handshake);
    evbuffer_remove_cb(bufferevent_get_input(visit->buffer), note_input, visit);
    bufferevent_decref(visit->buffer);
    LIST_REMOVE(visit, in_list);
    LIST_REMOVE(visit, in_bucket);
    free(visit);
    front->num_visits--;
    judge_fullness(front);
}

/* evhttp is about to free the connection. */
static void note_close(struct evhttp_connection *connection, void *context)
{
    (void)connection;
    end_visit(context);
}

struct sg_visit *sg_visit_of(struct sg_front *front, struct evhttp_request *http)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(http);
    struct bufferevent *buffer = evhttp_connection_get_bufferevent(connection);
    struct sg_visit *visit;

    LIST_FOREACH(visit, bucket_of(front, buffer), in_bucket)
    {
        if (visit->buffer != buffer)
            continue;
        if (!visit->is_known)
            evhttp_connection_set_closecb(connection, note_close, visit);
        visit->is_known = true;
        visit->has_finished_one = true;
        visit->begun_ms = 0;
        return visit;
    }
    abort(); /* every connection's buffer was made above */
}

void sg_visit_replying(struct sg_visit *visit, size_t octets)
{
    visit->exchange = NULL;
    visit->is_replying = true;
    visit->since_ms = sg_steady_ms();
    visit->reply_ms = 1000 * visit->front->config.service.limits.reply_s +
                      1000 * (int64_t)octets / SG_FRONT_READING;
}

void sg_visit_replied(struct sg_visit *visit)
{
    const bool has_more = evbuffer_get_length(bufferevent_get_input(visit->buffer)) > 0;

    visit->is_replying = false;
    visit->since_ms = sg_steady_ms();
    visit->begun_ms = has_more ? visit->since_ms : 0;
}

/* evhttp has let go of it without having told, as no request was ever read. */
static bool has_ended(const struct sg_visit *visit)
{
    bufferevent_data_cb read = NULL, write = NULL;
    bufferevent_event_cb event = NULL;

    bufferevent_getcb(visit->buffer, &read, &write, &event, NULL);
    return read == NULL && write == NULL && event == NULL;
}

static bool takes_too_long(const struct sg_front *front, const struct sg_visit *visit, int64_t now)
{
    const int64_t request_ms = 1000 * front->config.service.limits.request_s;
    const int64_t idle_ms = front->is_full ? 1000 : 1000 * front->config.service.limits.idle_s;

    if (visit->is_replying)
        return now - visit->since_ms > visit->reply_ms;
    if (visit->exchange != NULL)
        return false;
    if (!visit->has_finished_one)
        return now - visit->since_ms > request_ms;
    if (visit->begun_ms != 0)
        return now - visit->begun_ms > request_ms;
    return now - visit->since_ms > idle_ms;
}

void sg_visits_sweep(struct sg_front *front)
{
    const int64_t now = sg_steady_ms();
    struct sg_visit *next;

    for (struct sg_visit *visit = LIST_FIRST(&front->visits); visit != NULL; visit = next) {
        next = LIST_NEXT(visit, in_list);
        if (!visit->is_known && has_ended(visit)) {
            end_visit(visit);
            continue;
        }
        if (!takes_too_long(front, visit, now))
            continue;
        if (visit->begun_ms != 0 || !visit->has_finished_one || visit->is_replying) {
            front->figures.num_slow++;
            cut_off(visit);
        } else
            hang_up(visit);
    }
    judge_fullness(front);
}

void sg_visits_end(struct sg_front *front)
{
    while (!LIST_EMPTY(&front->visits))
        end_visit(LIST_FIRST(&front->visits));
}
