/* errand: one message of the front's from the socket to the desk, and its answer back.
 *
 * The door (door.h) reads and writes sockets; the desk (desk.h) has the home. Between them stand
 * rows of errands: those that wait, bounded; those under way on the pipeline, in the order in which
 * they are answered; and those that are done. Questions by OCSP wait in a row of their own, bounded
 * as well, for the tellers (teller.h).
 * Thread rule: a board may be used by the door's, the desk's and the tellers' threads; an errand
 * belongs to whoever has taken it.
 */
#ifndef SG_SERVICE_ERRAND_H
#define SG_SERVICE_ERRAND_H

#include <pthread.h>

#include "base/cleanup.h"
#include "issue/tickets.h"
#include "model/pin_hash.h"
#include "wire/wire.h"

struct sg_errand {
    struct sg_errand *next;
    uint64_t connection; /* the door's number for where it came from */
    int64_t since_ms;    /* when it came, on the machine's steady clock */
    struct sg_buf frame; /* what came; wiped in the end, as it may hold a secret */
    struct sg_message message;
    struct sg_buf answer; /* the frame that goes back */
    unsigned num_tries;   /* how often it was put on the pipeline */
    /* while it is under way, what its job borrows */
    struct sg_buf der;
    struct sg_api_call *call;         /* of the API, for a certificate (api.h); NULL: none */
    char ticket[SG_TICKET_TEXT_SIZE]; /* wiped in the end, as is the hash of the PIN */
    uint8_t pin_hash[SG_PIN_HASH_LEN];
    bool has_pin_hash;
};

/* sg_errand_new takes over frame's bytes, which are read as a message of the front's. frame stays
 * the caller's on failure. Fails: SG_MALFORMED as sg_message_decode. */
SG_MUST_USE bool sg_errand_new(struct sg_buf *frame, struct sg_errand **errand,
                               struct sg_error *error);
void sg_errand_free(struct sg_errand *errand);

typedef struct sg_errand sg_errand;
SG_DEFINE_CLEANUP(sg_errand, sg_errand_free)

/* sg_errand_is_question: is it the tellers', not the desk's? */
bool sg_errand_is_question(const struct sg_errand *errand);

struct sg_errands {
    struct sg_errand *first, *last;
    size_t num;
};

/* A row belongs to one thread, or to a board. */
void sg_errands_append(struct sg_errands *row, struct sg_errand *errand);
struct sg_errand *sg_errands_take(struct sg_errands *row);
void sg_errands_release(struct sg_errands *row);

enum { SG_MAX_TELLERS = 2 };

struct sg_board {
    pthread_mutex_t lock;
    pthread_cond_t is_asked; /* there is a question, or the board is closing */
    struct sg_errands waiting, questions, under_way, done;
    size_t max_waiting;               /* of each kind */
    int64_t asked_ms[SG_MAX_TELLERS]; /* when the question came that each answers; 0: none */
    bool is_closing; /* nothing more will come: what waits is served, then the desk closes */
};

void sg_board_init(struct sg_board *board, size_t max_waiting);
void sg_board_done(struct sg_board *board);

/* sg_board_offer puts an errand behind those that wait; false when there is no room, or the board
 * is closing: then it stays the caller's. */
bool sg_board_offer(struct sg_board *board, struct sg_errand *errand);
/* sg_board_take: the one that has waited longest, now the caller's; NULL when there is none.
 * is_end   set when there will be none. */
struct sg_errand *sg_board_take(struct sg_board *board, bool *is_end);
/* sg_board_begin puts a taken errand behind those under way; sg_board_first_under_way takes the
 * oldest of them back. */
void sg_board_begin(struct sg_board *board, struct sg_errand *errand);
struct sg_errand *sg_board_first_under_way(struct sg_board *board);
/* sg_board_try_again puts an errand that was under way before those that wait, as it was; false
 * when the board is closing: then it stays the caller's. */
bool sg_board_try_again(struct sg_board *board, struct sg_errand *errand);
/* sg_board_finish puts an errand with its answer among those that are done; sg_board_fetch takes
 * the first of these, or NULL. */
void sg_board_finish(struct sg_board *board, struct sg_errand *errand);
struct sg_errand *sg_board_fetch(struct sg_board *board);

/* sg_board_take_question waits for a question and takes it: the caller is the teller of that
 * number, and has answered its last one. NULL: the board is closing, and there will be none. */
struct sg_errand *sg_board_take_question(struct sg_board *board, size_t teller);

void sg_board_close(struct sg_board *board);

/* What the door watches, and the metrics tell. */
struct sg_board_state {
    size_t num_waiting, num_questions, num_under_way, num_done;
    int64_t oldest_ms; /* when the oldest that has no answer came; 0: there is none */
};
struct sg_board_state sg_board_look(struct sg_board *board);

#endif
