/* door: the issuer's end of the Unix socket at which the two processes meet.
 *
 * Who may come in is told by the kernel (SO_PEERCRED): the front's user, or one's own. What a front
 * sends is read as messages of the table and put on the board; answers and documents go back.
 * Does not: look into a message, or wait for the desk.
 * Thread rule: one thread runs it; sg_door_wake and sg_door_end may be called by any.
 */
#ifndef SG_SERVICE_DOOR_H
#define SG_SERVICE_DOOR_H

#include <stdatomic.h>
#include <sys/types.h>

#include "errand.h"
#include "shelf.h"

enum { SG_DOOR_MAX_PEERS = 8 };

/* One front. */
struct sg_door_peer {
    int fd; /* -1: this place is free */
    uint64_t number;
    bool is_greeted, has_all;
    bool is_for_key; /* it uses the key of TLS, and does nothing else */
    uint8_t *in;     /* SG_WIRE_FRAME_MAX octets, wiped as they are taken */
    size_t in_len;
    struct sg_errands ready; /* what goes out next */
    struct sg_shelf_cursor cursor;
    struct sg_buf out; /* what is going out */
    size_t out_sent;
};

struct sg_door {
    /* set by the caller */
    struct sg_board *board;
    struct sg_shelf *shelf;
    const char *program; /* version, for the WELCOME */
    uid_t front;
    int64_t longest_ms;               /* an errand without an answer for longer: the desk hangs */
    void (*on_errand)(void *context); /* something is on the board for the desk */
    /* a HEALTH or TLS_SIGN, which others than the desk answer, on the board */
    void (*on_aside)(struct sg_errand *errand, void *context);
    void (*on_tick)(void *context); /* about once a second, and when it begins to end */
    void (*on_signal)(int signal, void *context);
    void (*say)(const char *text); /* to the log */
    void *context;

    /* its own */
    char *path;
    int listener, waker, signals;
    struct sg_door_peer peers[SG_DOOR_MAX_PEERS];
    uint64_t last_number;
    bool has_errand;        /* on the board, of which the desk has not been told */
    _Atomic bool is_closed; /* no more comes in */
    _Atomic bool is_ending; /* what is done goes out, and then it ends */
    int64_t ending_since_ms, last_tick_ms;
};

/* sg_door_open makes the socket at path, and takes SIGTERM, SIGINT and SIGHUP, which the caller has
 * blocked, as messages.
 * Fails: SG_FAILED: somebody listens there already, or it can't be made. */
SG_MUST_USE bool sg_door_open(struct sg_door *door, const char *path, bool is_shared,
                              struct sg_error *error);
void sg_door_done(struct sg_door *door);

/* sg_door_run serves until sg_door_end, and then until what is done has gone out, two seconds at
 * most. False: an errand has waited for longer than longest_ms. */
bool sg_door_run(struct sg_door *door);

/* sg_door_has_front: is a front there that hears what is told? sg_door_tell sends every such front
 * a message that nobody has asked for. Both on the thread that runs the door. */
bool sg_door_has_front(const struct sg_door *door);
void sg_door_tell(struct sg_door *door, const struct sg_message *message);

/* sg_door_wake: there is something to carry out. sg_door_close: nothing more is read; what the
 * front has sent stays with it. sg_door_end: see above. */
void sg_door_wake(struct sg_door *door);
void sg_door_close(struct sg_door *door);
void sg_door_end(struct sg_door *door);

#endif
