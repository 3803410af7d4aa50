#include "door.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "desk.h"

enum {
    TICK_MS = 1000,
    LAST_WORDS_MS = 2000,
    BUSY_RETRY_S = 1,
    /* answers that a peer has not read yet, with which it isn't listened to */
    MOST_UNREAD = 1024,
    /* frames that go out by one call */
    MOST_TOGETHER = 32,
};

/* ---- opening ---- */

static bool is_in_use(const struct sockaddr_un *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool in_use =
        fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    if (fd >= 0)
        close(fd);
    return in_use;
}

/* The socket of a process that died stays behind; one that answers is somebody's. */
static bool clear_place(const struct sockaddr_un *address, struct sg_error *error)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0)
        return errno == ENOENT || sg_fail_errno(error, "socket %s", address->sun_path);
    if (!S_ISSOCK(status.st_mode))
        return sg_fail(error, SG_FAILED, NULL, "%s is there, and is no socket", address->sun_path);
    if (is_in_use(address))
        return sg_fail(error, SG_FAILED, NULL,
                       "another signetd listens at %s; one home has one issuer", address->sun_path);
    return unlink(address->sun_path) == 0 || sg_fail_errno(error, "socket %s", address->sun_path);
}

static bool listen_at(struct sg_door *door, const char *path, bool is_shared,
                      struct sg_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return sg_fail(error, SG_FAILED, NULL,
                       "the path of the socket has more than %zu octets: %s; set service: socket "
                       "in signet.yaml to a shorter one",
                       sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!clear_place(&address, error))
        return false;
    door->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Whoever gets in is known by the kernel's word; the mode keeps out who has no business. */
    if (door->listener < 0 ||
        bind(door->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, is_shared ? 0666 : 0600) != 0 || listen(door->listener, SG_DOOR_MAX_PEERS) != 0)
        return sg_fail_errno(error, "socket %s can't be made", path);
    return (door->path = strdup(path)) != NULL || sg_fail_memory(error);
}

bool sg_door_open(struct sg_door *door, const char *path, bool is_shared, struct sg_error *error)
{
    sigset_t set;

    door->listener = door->waker = door->signals = -1;
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++)
        door->peers[i].fd = -1;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    door->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    door->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (door->waker < 0 || door->signals < 0)
        return sg_fail_errno(error, "the service can't wait for its socket");
    return listen_at(door, path, is_shared, error);
}

/* ---- a peer ---- */

static void part_with(struct sg_door_peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    if (peer->in != NULL)
        OPENSSL_cleanse(peer->in, SG_WIRE_FRAME_MAX);
    free(peer->in);
    sg_errands_release(&peer->ready);
    sg_wire_wipe(&peer->out);
    *peer = (struct sg_door_peer){.fd = -1};
}

static bool is_welcome(const struct sg_door *door, int fd)
{
    struct ucred who;
    socklen_t len = sizeof who;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
           (who.uid == door->front || who.uid == geteuid());
}

static struct sg_door_peer *free_place(struct sg_door *door)
{
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++)
        if (door->peers[i].fd < 0)
            return &door->peers[i];
    return NULL;
}

static void let_in(struct sg_door *door)
{
    struct sg_door_peer *place = free_place(door);
    const int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (place == NULL || !is_welcome(door, fd) || (place->in = malloc(SG_WIRE_FRAME_MAX)) == NULL) {
        door->say(place == NULL ? "a front was turned away: there are too many"
                                : "a process of another user was turned away at the socket");
        close(fd);
        return;
    }
    place->fd = fd;
    place->number = ++door->last_number;
}

/* ---- in ---- */

/* What nobody has asked for goes out as answers do. */
static bool say(struct sg_door_peer *peer, const struct sg_message *message)
{
    struct sg_errand *errand = calloc(1, sizeof *errand);

    if (errand == NULL || !sg_message_encode(message, SG_WIRE_ISSUER, &errand->answer, NULL)) {
        sg_errand_free(errand);
        return false;
    }
    sg_errands_append(&peer->ready, errand);
    return true;
}

static bool greet(const struct sg_door *door, struct sg_door_peer *peer)
{
    struct sg_message welcome = {.type = SG_WIRE_WELCOME};

    sg_message_set_text(&welcome, SG_WIRE_PROGRAM, door->program);
    if (peer->is_greeted || !say(peer, &welcome))
        return false;
    peer->is_greeted = true;
    return true;
}

/* It has said HELLO, reads what it is told, and is not there for the key alone. */
static bool listens(const struct sg_door_peer *peer)
{
    return peer->fd >= 0 && peer->is_greeted && !peer->is_for_key && peer->ready.num < MOST_UNREAD;
}

bool sg_door_has_front(const struct sg_door *door)
{
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++)
        if (listens(&door->peers[i]))
            return true;
    return false;
}

void sg_door_tell(struct sg_door *door, const struct sg_message *message)
{
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++)
        if (listens(&door->peers[i]))
            (void)!say(&door->peers[i], message);
}

/* What there is no room for is answered here and now: the front shall not wait for it. */
static void hand_over(struct sg_door *door, struct sg_door_peer *peer, struct sg_errand *errand)
{
    const bool is_question = sg_errand_is_question(errand);

    errand->connection = peer->number;
    errand->since_ms = sg_steady_ms();
    if (errand->message.type == SG_WIRE_HEALTH || errand->message.type == SG_WIRE_TLS_SIGN) {
        door->on_aside(errand, door->context);
        return;
    }
    if (sg_board_offer(door->board, errand)) {
        door->has_errand = door->has_errand || !is_question; /* the board wakes the tellers */
        return;
    }
    sg_answer_busy(errand, "the issuer's queue is full", BUSY_RETRY_S);
    sg_errands_append(&peer->ready, errand);
}

/* The key is used on a conversation of its own, and nothing else is said there. */
static bool check_place(const struct sg_door_peer *peer, const struct sg_errand *errand,
                        struct sg_error *error)
{
    return (errand->message.type == SG_WIRE_TLS_SIGN) == peer->is_for_key ||
           sg_fail(error, SG_MALFORMED, "wire",
                   "what belongs to another conversation: the key of TLS has one of its own");
}

static bool handle(struct sg_door *door, struct sg_door_peer *peer, struct sg_slice bytes,
                   struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf frame = {0};
    struct sg_errand *errand = NULL;
    bool is_hello;

    if (!sg_buf_set(&frame, bytes, error) || !sg_errand_new(&frame, &errand, error))
        return false;
    is_hello = errand->message.type == SG_WIRE_HELLO || errand->message.type == SG_WIRE_KEY_HELLO;
    if (is_hello || !peer->is_greeted) {
        peer->is_for_key = errand->message.type == SG_WIRE_KEY_HELLO;
        sg_errand_free(errand);
        return (is_hello && greet(door, peer)) ||
               sg_fail(error, SG_MALFORMED, "wire", "a conversation begins with one HELLO");
    }
    if (!check_place(peer, errand, error)) {
        sg_errand_free(errand);
        return false;
    }
    hand_over(door, peer, errand);
    return true;
}

/* Takes the whole frames that have come; what is left moves to the front of the buffer. */
static bool take_frames(struct sg_door *door, struct sg_door_peer *peer, struct sg_error *error)
{
    size_t at = 0, len = 0;

    for (;;) {
        const struct sg_slice rest = sg_slice_of(peer->in + at, peer->in_len - at);

        if (!sg_wire_frame_len(rest, SG_WIRE_FRONT, &len, error))
            return false;
        if (len == 0 || len > rest.len)
            break;
        if (!handle(door, peer, sg_slice_of(rest.data, len), error))
            return false;
        at += len;
    }
    if (at == 0)
        return true;
    memmove(peer->in, peer->in + at, peer->in_len - at);
    OPENSSL_cleanse(peer->in + peer->in_len - at, at);
    peer->in_len -= at;
    return true;
}

/* False: this peer is no more. */
static bool receive(struct sg_door *door, struct sg_door_peer *peer)
{
    struct sg_error error = {0};
    const ssize_t num =
        recv(peer->fd, peer->in + peer->in_len, SG_WIRE_FRAME_MAX - peer->in_len, 0);

    if (num < 0)
        return errno == EAGAIN || errno == EINTR;
    if (num == 0)
        return false;
    peer->in_len += (size_t)num;
    if (take_frames(door, peer, &error))
        return true;
    door->say(error.text);
    return false;
}

/* ---- out ---- */

static bool say_published(struct sg_door_peer *peer)
{
    const struct sg_message published = {.type = SG_WIRE_PUBLISHED};

    peer->has_all = true;
    return sg_message_encode(&published, SG_WIRE_ISSUER, &peer->out, NULL);
}

/* False: there is none. */
static bool load_answer(struct sg_door_peer *peer)
{
    struct sg_errand *errand = sg_errands_take(&peer->ready);

    sg_wire_wipe(&peer->out);
    peer->out_sent = 0;
    if (errand == NULL)
        return false;
    peer->out = errand->answer;
    errand->answer = (struct sg_buf){0};
    sg_errand_free(errand);
    return true;
}

/* The next frame for a peer whose last one has gone: answers first, then documents. */
static bool load_next(struct sg_door *door, struct sg_door_peer *peer)
{
    if (load_answer(peer))
        return true;
    if (!peer->is_greeted || peer->is_for_key)
        return true;
    if (!sg_shelf_take(door->shelf, &peer->cursor, &peer->out, NULL))
        return false;
    return peer->out.len > 0 || peer->has_all || say_published(peer);
}

/* What is going out, and the answers behind it, in one call. */
static ssize_t send_together(const struct sg_door_peer *peer)
{
    struct iovec parts[MOST_TOGETHER] = {
        {peer->out.data + peer->out_sent, peer->out.len - peer->out_sent}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 1};

    for (const struct sg_errand *errand = peer->ready.first;
         errand != NULL && message.msg_iovlen < MOST_TOGETHER; errand = errand->next)
        parts[message.msg_iovlen++] = (struct iovec){errand->answer.data, errand->answer.len};
    return sendmsg(peer->fd, &message, MSG_NOSIGNAL);
}

static void take_off(struct sg_door_peer *peer, size_t num)
{
    for (;;) {
        const size_t rest = peer->out.len - peer->out_sent, part = num < rest ? num : rest;

        peer->out_sent += part;
        num -= part;
        if (num == 0 || !load_answer(peer))
            return;
    }
}

/* Sends what the socket takes. False: this peer is no more. */
static bool send_out(struct sg_door *door, struct sg_door_peer *peer)
{
    for (;;) {
        if (peer->out_sent == peer->out.len && !load_next(door, peer))
            return false;
        if (peer->out.len == 0)
            return true;
        const ssize_t num = send_together(peer);
        if (num < 0)
            return errno == EAGAIN || errno == EINTR;
        take_off(peer, (size_t)num);
    }
}

/* Whoever asked may have gone meanwhile. */
static void deliver(struct sg_door *door)
{
    struct sg_errand *errand;

    while ((errand = sg_board_fetch(door->board)) != NULL) {
        struct sg_door_peer *peer = NULL;

        for (size_t i = 0; i < SG_DOOR_MAX_PEERS && peer == NULL; i++)
            if (door->peers[i].fd >= 0 && door->peers[i].number == errand->connection)
                peer = &door->peers[i];
        if (peer != NULL && errand->answer.len > 0)
            sg_errands_append(&peer->ready, errand);
        else
            sg_errand_free(errand);
    }
}

/* ---- the loop ---- */

static void take_signals(struct sg_door *door)
{
    struct signalfd_siginfo info;

    while (read(door->signals, &info, sizeof info) == (ssize_t)sizeof info)
        door->on_signal((int)info.ssi_signo, door->context);
}

/* Whoever asks and asks and reads no answer would have them all kept here. */
static bool is_heard(const struct sg_door *door, const struct sg_door_peer *peer)
{
    return !atomic_load(&door->is_closed) && peer->ready.num < MOST_UNREAD;
}

/* False: this peer is no more. */
static bool hear(struct sg_door *door, struct sg_door_peer *peer, short events)
{
    if (!is_heard(door, peer))
        return (events & (POLLHUP | POLLERR)) == 0;
    return (events & (POLLIN | POLLHUP | POLLERR)) == 0 || receive(door, peer);
}

static void serve_peers(struct sg_door *door, const struct pollfd *polled)
{
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++) {
        struct sg_door_peer *peer = &door->peers[i];

        if (peer->fd < 0)
            continue;
        if (!hear(door, peer, polled[i].revents) || !send_out(door, peer))
            part_with(peer);
    }
    if (!door->has_errand)
        return;
    door->has_errand = false;
    door->on_errand(door->context);
}

static void wait_for_something(struct sg_door *door, struct pollfd polled[SG_DOOR_MAX_PEERS + 3])
{
    const short in = atomic_load(&door->is_closed) ? 0 : POLLIN;
    uint64_t woken;

    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++) {
        const struct sg_door_peer *peer = &door->peers[i];
        const bool has_more = peer->out_sent < peer->out.len;

        polled[i] = (struct pollfd){
            peer->fd, (short)((is_heard(door, peer) ? POLLIN : 0) | (has_more ? POLLOUT : 0)), 0};
    }
    polled[SG_DOOR_MAX_PEERS] = (struct pollfd){in != 0 ? door->listener : -1, POLLIN, 0};
    polled[SG_DOOR_MAX_PEERS + 1] = (struct pollfd){door->waker, POLLIN, 0};
    polled[SG_DOOR_MAX_PEERS + 2] = (struct pollfd){door->signals, POLLIN, 0};
    if (poll(polled, SG_DOOR_MAX_PEERS + 3, TICK_MS) < 0)
        for (size_t i = 0; i < SG_DOOR_MAX_PEERS + 3; i++)
            polled[i].revents = 0;
    if (polled[SG_DOOR_MAX_PEERS + 1].revents != 0)
        (void)!read(door->waker, &woken, sizeof woken);
    if (polled[SG_DOOR_MAX_PEERS + 2].revents != 0)
        take_signals(door);
}

static bool hangs(struct sg_door *door, int64_t now)
{
    const struct sg_board_state state = sg_board_look(door->board);

    return state.oldest_ms != 0 && now - state.oldest_ms > door->longest_ms;
}

static bool has_said_all(struct sg_door *door, int64_t now)
{
    if (door->ending_since_ms == 0)
        door->ending_since_ms = now;
    if (now - door->ending_since_ms > LAST_WORDS_MS)
        return true;
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++)
        if (door->peers[i].fd >= 0 &&
            (door->peers[i].out_sent < door->peers[i].out.len || door->peers[i].ready.num > 0))
            return false;
    return sg_board_look(door->board).num_done == 0;
}

bool sg_door_run(struct sg_door *door)
{
    struct pollfd polled[SG_DOOR_MAX_PEERS + 3];

    for (;;) {
        wait_for_something(door, polled);
        const int64_t now = sg_steady_ms();
        const bool is_ending = atomic_load(&door->is_ending);
        if (now - door->last_tick_ms >= TICK_MS || (is_ending && door->ending_since_ms == 0)) {
            door->last_tick_ms = now;
            door->on_tick(door->context);
            if (hangs(door, now))
                return false;
        }
        deliver(door);
        serve_peers(door, polled);
        if (polled[SG_DOOR_MAX_PEERS].revents != 0)
            let_in(door);
        if (is_ending && has_said_all(door, now))
            return true;
    }
}

void sg_door_wake(struct sg_door *door)
{
    const uint64_t one = 1;

    (void)!write(door->waker, &one, sizeof one);
}

void sg_door_close(struct sg_door *door)
{
    atomic_store(&door->is_closed, true);
    sg_door_wake(door);
}

void sg_door_end(struct sg_door *door)
{
    atomic_store(&door->is_closed, true);
    atomic_store(&door->is_ending, true);
    sg_door_wake(door);
}

void sg_door_done(struct sg_door *door)
{
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++)
        part_with(&door->peers[i]);
    if (door->path != NULL)
        unlink(door->path);
    free(door->path);
    if (door->listener >= 0)
        close(door->listener);
    if (door->waker >= 0)
        close(door->waker);
    if (door->signals >= 0)
        close(door->signals);
}
