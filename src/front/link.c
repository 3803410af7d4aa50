/* link: the front's end of the socket to the issuer.
 *
 * The issuer may die or be started again at any time. What it has not answered is kept here and
 * offered again to the next one: the claims of the store make that harmless. What it has died of
 * three times is given up.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "parts.h"

enum {
    /* a request is sent to at most so many issuers, in case it is what they die of */
    MOST_OFFERS = 3,
    /* while the issuer has been away for less, requests wait for it */
    PATIENCE_MS = 5000,
    /* between attempts to reach it: the first, and then doubled up to the last */
    FIRST_PAUSE_MS = 50,
    LAST_PAUSE_MS = 2000,
    /* for each request that may be on the board of the issuer, so many wait here at most */
    WAITING_PER_PLACE = 4,
    /* a desk that hangs for so long tells no figures; the front's own are told then */
    LONGEST_FIGURES_US = 2000000,
};

static void connect_to_issuer(struct sg_front *front);

/* ---- the lists ---- */

static struct sg_exchange_bucket *bucket_of(struct sg_front *front, uint64_t id)
{
    return &front->offered_buckets[id % SG_FRONT_BUCKETS];
}

static struct sg_exchange *find(struct sg_front *front, uint64_t id)
{
    struct sg_exchange *exchange;

    LIST_FOREACH(exchange, bucket_of(front, id), in_bucket)
    {
        if (exchange->id == id)
            return exchange;
    }
    return NULL;
}

void sg_link_drop(struct sg_exchange *exchange)
{
    if (!exchange->is_offered)
        return;
    exchange->is_offered = false;
    TAILQ_REMOVE(&exchange->front->offered, exchange, in_list);
    LIST_REMOVE(exchange, in_bucket);
    exchange->front->num_offered--;
}

/* ---- out ---- */

static void send_exchange(struct sg_front *front, struct sg_exchange *exchange)
{
    if (exchange->num_offers++ > 0)
        front->figures.num_offered_again++;
    bufferevent_write(front->link.buffer, exchange->frame.data, exchange->frame.len);
}

static bool is_away_for_long(const struct sg_front *front)
{
    const struct sg_link *link = &front->link;

    return link->away_since_ms != 0 && sg_steady_ms() - link->away_since_ms > PATIENCE_MS;
}

/* Its frame is made. */
static void offer(struct sg_exchange *exchange)
{
    struct sg_front *front = exchange->front;

    if (is_away_for_long(front)) {
        sg_reply_busy(exchange, "the issuer is away");
        return;
    }
    if (front->num_offered >= WAITING_PER_PLACE * (size_t)front->config.service.limits.queue) {
        sg_reply_busy(exchange, "too many requests are waiting");
        return;
    }
    exchange->is_offered = true;
    TAILQ_INSERT_TAIL(&front->offered, exchange, in_list);
    LIST_INSERT_HEAD(bucket_of(front, exchange->id), exchange, in_bucket);
    front->num_offered++;
    if (front->link.is_welcome)
        send_exchange(front, exchange);
}

static void note_waited(evutil_socket_t fd, short what, void *context)
{
    struct sg_exchange *exchange = context;

    (void)fd;
    (void)what;
    event_free(exchange->waits);
    exchange->waits = NULL;
    offer(exchange);
}

/* Those who only ask what everybody may know are never slowed. */
static int64_t wait_of(const struct sg_exchange *exchange, enum sg_wire_type type)
{
    if (type == SG_WIRE_OCSP || type == SG_WIRE_HEALTH || type == SG_WIRE_FIGURES)
        return 0;
    return sg_slow_wait_ms(exchange->front, exchange->peer);
}

void sg_link_offer(struct sg_exchange *exchange, const struct sg_message *message)
{
    struct sg_front *front = exchange->front;
    const int64_t wait_ms = wait_of(exchange, message->type);
    const struct timeval wait = {wait_ms / 1000, (wait_ms % 1000) * 1000};
    struct sg_message numbered = *message;
    struct sg_error error = {0};

    numbered.id = exchange->id;
    if (!sg_message_encode(&numbered, SG_WIRE_FRONT, &exchange->frame, &error)) {
        sg_reply_status(exchange, 400, NULL, error.text);
        return;
    }
    if (wait_ms > 0)
        exchange->waits = evtimer_new(front->base, note_waited, exchange);
    if (exchange->waits == NULL || evtimer_add(exchange->waits, &wait) != 0)
        offer(exchange);
    else
        front->figures.num_slowed++;
}

/* To the next issuer, in the order in which they came. */
static void offer_again(struct sg_front *front)
{
    struct sg_exchange *next;

    for (struct sg_exchange *exchange = TAILQ_FIRST(&front->offered); exchange != NULL;
         exchange = next) {
        next = TAILQ_NEXT(exchange, in_list);
        if (exchange->num_offers >= MOST_OFFERS)
            sg_reply_status(exchange, 500, NULL,
                            "the issuer has died of it, or beside it, too often");
        else
            send_exchange(front, exchange);
    }
}

static void send_hello(struct sg_front *front)
{
    struct sg_message hello = {.type = SG_WIRE_HELLO};
    sg_auto(sg_buf) struct sg_buf frame = {0};

    sg_message_set_text(&hello, SG_WIRE_PROGRAM, front->setting->program);
    if (sg_message_encode(&hello, SG_WIRE_FRONT, &frame, NULL))
        bufferevent_write(front->link.buffer, frame.data, frame.len);
}

/* ---- in ---- */

static void take_answer(struct sg_front *front, const struct sg_message *message)
{
    struct sg_exchange *exchange = find(front, message->id);
    const struct sg_slice body = message->bytes[SG_WIRE_BODY];
    struct evbuffer *buffer;

    if (exchange == NULL)
        return; /* it was given up meanwhile */
    if ((message->has & SG_WIRE_HAS(SG_WIRE_GENERATION)) != 0) {
        sg_kept_take(exchange, message);
        return;
    }
    if (sg_is_call(exchange))
        sg_kept_doubt(front);
    buffer = body.len > 0 || exchange->before != NULL ? evbuffer_new() : NULL;
    if (exchange->before != NULL && buffer != NULL)
        evbuffer_add_buffer(buffer, exchange->before);
    if (buffer != NULL)
        evbuffer_add(buffer, body.data, body.len);
    struct sg_reply reply = {
        .media_type = sg_message_text(message, SG_WIRE_MEDIA_TYPE),
        .encoding = sg_message_text(message, SG_WIRE_ENCODING),
        .retry_after = sg_message_number(message, SG_WIRE_RETRY_AFTER),
        .allow = sg_message_text(message, SG_WIRE_ALLOW),
        .rule = sg_message_text(message, SG_WIRE_RULE),
        .detail = sg_message_text(message, SG_WIRE_DETAIL),
        .text = sg_message_text(message, SG_WIRE_TEXT),
        .serial = sg_message_text(message, SG_WIRE_SERIAL),
        .body = buffer,
    };
    sg_reply_send(exchange, (unsigned)sg_message_number(message, SG_WIRE_STATUS), &reply);
    if (buffer != NULL)
        evbuffer_free(buffer);
}

static void take_welcome(struct sg_front *front)
{
    struct sg_link *link = &front->link;

    link->is_welcome = true;
    link->has_complained = false;
    link->away_since_ms = 0;
    link->num_failures = 0;
    front->figures.num_links++;
    sg_papers_doubt(front);
    sg_kept_forget(front);
    sg_log_say(front, "the issuer is there");
    offer_again(front);
}

static bool take_message(struct sg_front *front, const struct sg_message *message,
                         struct sg_error *error)
{
    switch (message->type) {
    case SG_WIRE_WELCOME:
        take_welcome(front);
        return true;
    case SG_WIRE_DOCUMENT:
        return sg_paper_take(front, message, error);
    case SG_WIRE_PUBLISHED:
        sg_papers_settle(front);
        front->link.has_all = true;
        return true;
    case SG_WIRE_ANSWER:
        take_answer(front, message);
        return true;
    case SG_WIRE_TOKEN_ERRORS:
        sg_figures_note_token(front, message);
        return true;
    default:
        return sg_fail(error, SG_MALFORMED, "wire", "a message that no issuer sends");
    }
}

/* ---- the socket ---- */

static void retry_later(struct sg_front *front)
{
    struct sg_link *link = &front->link;
    unsigned doublings = link->num_failures < 6 ? link->num_failures : 6;
    int64_t pause_ms = FIRST_PAUSE_MS << doublings;
    struct timeval pause;

    link->num_failures++;
    if (pause_ms > LAST_PAUSE_MS)
        pause_ms = LAST_PAUSE_MS;
    pause = (struct timeval){pause_ms / 1000, (pause_ms % 1000) * 1000};
    evtimer_add(link->retry, &pause);
}

static void lose(struct sg_front *front, const char *why)
{
    struct sg_link *link = &front->link;

    if (link->buffer != NULL)
        bufferevent_free(link->buffer);
    link->buffer = NULL;
    if (link->away_since_ms == 0) {
        link->away_since_ms = sg_steady_ms();
        sg_log_say(front, "the issuer is away: %s", why);
    }
    link->is_welcome = false;
    link->has_all = false;
    retry_later(front);
}

bool sg_link_hear(struct evbuffer *input, struct sg_message *message, size_t *len,
                  struct sg_error *error)
{
    uint8_t header[SG_WIRE_HEADER];
    size_t wanted = 0;

    *len = 0;
    if (evbuffer_copyout(input, header, sizeof header) < (ev_ssize_t)sizeof header)
        return true;
    if (!sg_wire_frame_len(sg_slice_of(header, sizeof header), SG_WIRE_ISSUER, &wanted, error))
        return false;
    if (evbuffer_get_length(input) < wanted)
        return true;
    *len = wanted;
    return sg_message_decode(sg_slice_of(evbuffer_pullup(input, (ev_ssize_t)wanted), wanted),
                             SG_WIRE_ISSUER, message, error);
}

/* Takes one whole frame off the input. */
static bool take_frame(struct sg_front *front, struct evbuffer *input, bool *taken,
                       struct sg_error *error)
{
    struct sg_message message;
    size_t len = 0;

    if (!sg_link_hear(input, &message, &len, error) ||
        (len > 0 && !take_message(front, &message, error)))
        return false;
    evbuffer_drain(input, len);
    *taken = len > 0;
    return true;
}

static void note_readable(struct bufferevent *buffer, void *context)
{
    struct sg_front *front = context;
    struct sg_error error = {0};
    bool taken = true;

    while (taken)
        if (!take_frame(front, bufferevent_get_input(buffer), &taken, &error)) {
            lose(front, error.text);
            return;
        }
}

bool sg_link_is_issuers(const struct sg_front *front, struct bufferevent *buffer)
{
    struct ucred who;
    socklen_t len = sizeof who;

    return getsockopt(bufferevent_getfd(buffer), SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
           (who.uid == front->link.issuer || who.uid == geteuid());
}

/* Said once, also where there was no issuer before: waiting longer does not help. */
static void refuse_issuer(struct sg_front *front)
{
    if (!front->link.has_complained)
        sg_log_say(front, "the socket %s is another user's; see service: users in signet.yaml",
                   front->link.path);
    front->link.has_complained = true;
    lose(front, "the socket is another user's");
}

static void note_event(struct bufferevent *buffer, short what, void *context)
{
    struct sg_front *front = context;

    if ((what & BEV_EVENT_CONNECTED) == 0) {
        lose(front, (what & BEV_EVENT_EOF) != 0 ? "it has closed the socket" : strerror(errno));
        return;
    }
    if (sg_link_is_issuers(front, buffer))
        send_hello(front);
    else
        refuse_issuer(front);
}

static void connect_to_issuer(struct sg_front *front)
{
    struct sg_link *link = &front->link;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, link->path, strlen(link->path) + 1);
    link->buffer = bufferevent_socket_new(front->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (link->buffer == NULL) {
        lose(front, "out of memory");
        return;
    }
    bufferevent_setcb(link->buffer, note_readable, NULL, note_event, front);
    bufferevent_enable(link->buffer, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(link->buffer, (struct sockaddr *)&address, sizeof address) != 0)
        lose(front, strerror(errno));
}

static void note_retry(evutil_socket_t fd, short what, void *context)
{
    struct sg_front *front = context;

    (void)fd;
    (void)what;
    if (front->link.buffer == NULL)
        connect_to_issuer(front);
}

static bool find_issuer(struct sg_front *front, struct sg_error *error)
{
    const char *name = front->config.service.issuer_user;
    const struct passwd *entry = name != NULL ? getpwnam(name) : NULL;

    front->link.issuer = entry != NULL ? entry->pw_uid : geteuid();
    return name == NULL || entry != NULL ||
           sg_fail(error, SG_INVALID, NULL,
                   "signet.yaml, service: users: there is no user '%s' on this machine", name);
}

bool sg_link_open(struct sg_front *front, struct sg_error *error)
{
    struct sg_link *link = &front->link;
    struct timeval at_once = {0};

    if (!find_issuer(front, error) ||
        !sg_path_join(front->setting->dir, front->config.service.socket, &link->path, error))
        return false;
    if (strlen(link->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return sg_fail(error, SG_INVALID, NULL,
                       "the path of the socket is too long: %s; set service: socket in signet.yaml "
                       "to a shorter one",
                       link->path);
    link->retry = evtimer_new(front->base, note_retry, front);
    link->away_since_ms = sg_steady_ms();
    return (link->retry != NULL && evtimer_add(link->retry, &at_once) == 0) ||
           sg_fail_memory(error);
}

void sg_link_sweep(struct sg_front *front)
{
    const int64_t longest_us = 1000000 * front->config.service.limits.answer_s;
    const int64_t now = sg_front_now_us();
    const bool is_away = is_away_for_long(front);
    struct sg_exchange *next;

    for (struct sg_exchange *exchange = TAILQ_FIRST(&front->offered); exchange != NULL;
         exchange = next) {
        next = TAILQ_NEXT(exchange, in_list);
        if (exchange->before != NULL && now - exchange->begun_us > LONGEST_FIGURES_US)
            sg_reply_figures(exchange);
        else if (is_away)
            sg_reply_busy(exchange, "the issuer is away");
        else if (now - exchange->begun_us > longest_us)
            sg_reply_busy(exchange, "the issuer has not answered in time");
    }
}

void sg_link_close(struct sg_front *front)
{
    struct sg_link *link = &front->link;

    while (!TAILQ_EMPTY(&front->offered))
        sg_reply_busy(TAILQ_FIRST(&front->offered), "the service is ending");
    if (link->buffer != NULL)
        bufferevent_free(link->buffer);
    if (link->retry != NULL)
        event_free(link->retry);
    free(link->path);
}
