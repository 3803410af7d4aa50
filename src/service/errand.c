#include "errand.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "api.h"

bool sg_errand_new(struct sg_buf *frame, struct sg_errand **errand, struct sg_error *error)
{
    sg_auto(sg_errand) struct sg_errand *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (!sg_message_decode(sg_buf_slice(frame), SG_WIRE_FRONT, &fresh->message, error))
        return false;
    fresh->frame = *frame;
    *frame = (struct sg_buf){0};
    *errand = SG_TAKE(fresh);
    return true;
}

void sg_errand_free(struct sg_errand *errand)
{
    if (errand == NULL)
        return;
    sg_wire_wipe(&errand->frame);
    sg_wire_wipe(&errand->answer);
    sg_buf_free(&errand->der);
    sg_api_call_free(errand->call);
    OPENSSL_cleanse(errand, sizeof *errand);
    free(errand);
}

bool sg_errand_is_question(const struct sg_errand *errand)
{
    return errand->message.type == SG_WIRE_OCSP;
}

/* ---- a row ---- */

void sg_errands_append(struct sg_errands *row, struct sg_errand *errand)
{
    errand->next = NULL;
    if (row->last != NULL)
        row->last->next = errand;
    else
        row->first = errand;
    row->last = errand;
    row->num++;
}

struct sg_errand *sg_errands_take(struct sg_errands *row)
{
    struct sg_errand *errand = row->first;

    if (errand == NULL)
        return NULL;
    row->first = errand->next;
    if (row->first == NULL)
        row->last = NULL;
    row->num--;
    errand->next = NULL;
    return errand;
}

void sg_errands_release(struct sg_errands *row)
{
    for (struct sg_errand *errand = sg_errands_take(row); errand != NULL;
         errand = sg_errands_take(row))
        sg_errand_free(errand);
}

/* ---- the board ---- */

void sg_board_init(struct sg_board *board, size_t max_waiting)
{
    *board = (struct sg_board){.max_waiting = max_waiting};
    pthread_mutex_init(&board->lock, NULL);
    pthread_cond_init(&board->is_asked, NULL);
}

void sg_board_done(struct sg_board *board)
{
    sg_errands_release(&board->waiting);
    sg_errands_release(&board->questions);
    sg_errands_release(&board->under_way);
    sg_errands_release(&board->done);
    pthread_cond_destroy(&board->is_asked);
    pthread_mutex_destroy(&board->lock);
}

bool sg_board_offer(struct sg_board *board, struct sg_errand *errand)
{
    const bool is_question = sg_errand_is_question(errand);
    struct sg_errands *row = is_question ? &board->questions : &board->waiting;
    bool has_room;

    pthread_mutex_lock(&board->lock);
    has_room = !board->is_closing && row->num < board->max_waiting;
    if (has_room) {
        sg_errands_append(row, errand);
        if (is_question)
            pthread_cond_signal(&board->is_asked);
    }
    pthread_mutex_unlock(&board->lock);
    return has_room;
}

struct sg_errand *sg_board_take(struct sg_board *board, bool *is_end)
{
    struct sg_errand *errand;

    pthread_mutex_lock(&board->lock);
    errand = sg_errands_take(&board->waiting);
    *is_end = errand == NULL && board->is_closing;
    pthread_mutex_unlock(&board->lock);
    return errand;
}

struct sg_errand *sg_board_take_question(struct sg_board *board, size_t teller)
{
    struct sg_errand *errand;

    pthread_mutex_lock(&board->lock);
    board->asked_ms[teller] = 0;
    while (board->questions.num == 0 && !board->is_closing)
        pthread_cond_wait(&board->is_asked, &board->lock);
    errand = sg_errands_take(&board->questions);
    if (errand != NULL)
        board->asked_ms[teller] = errand->since_ms;
    pthread_mutex_unlock(&board->lock);
    return errand;
}

static void move_in(struct sg_board *board, struct sg_errands *row, struct sg_errand *errand)
{
    pthread_mutex_lock(&board->lock);
    sg_errands_append(row, errand);
    pthread_mutex_unlock(&board->lock);
}

static struct sg_errand *move_out(struct sg_board *board, struct sg_errands *row)
{
    struct sg_errand *errand;

    pthread_mutex_lock(&board->lock);
    errand = sg_errands_take(row);
    pthread_mutex_unlock(&board->lock);
    return errand;
}

void sg_board_begin(struct sg_board *board, struct sg_errand *errand)
{
    move_in(board, &board->under_way, errand);
}

struct sg_errand *sg_board_first_under_way(struct sg_board *board)
{
    return move_out(board, &board->under_way);
}

bool sg_board_try_again(struct sg_board *board, struct sg_errand *errand)
{
    bool may_wait;

    sg_buf_free(&errand->der);
    pthread_mutex_lock(&board->lock);
    may_wait = !board->is_closing;
    if (may_wait) {
        errand->next = board->waiting.first;
        board->waiting.first = errand;
        if (board->waiting.last == NULL)
            board->waiting.last = errand;
        board->waiting.num++;
    }
    pthread_mutex_unlock(&board->lock);
    return may_wait;
}

void sg_board_finish(struct sg_board *board, struct sg_errand *errand)
{
    move_in(board, &board->done, errand);
}

struct sg_errand *sg_board_fetch(struct sg_board *board)
{
    return move_out(board, &board->done);
}

void sg_board_close(struct sg_board *board)
{
    pthread_mutex_lock(&board->lock);
    board->is_closing = true;
    pthread_cond_broadcast(&board->is_asked);
    pthread_mutex_unlock(&board->lock);
}

static int64_t older(int64_t one_ms, int64_t other_ms)
{
    return other_ms == 0 || (one_ms != 0 && one_ms < other_ms) ? one_ms : other_ms;
}

/* With the lock held. */
static int64_t find_oldest(const struct sg_board *board)
{
    const struct sg_errand *firsts[] = {board->under_way.first, board->waiting.first,
                                        board->questions.first};
    int64_t oldest_ms = 0;

    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
        oldest_ms = older(oldest_ms, firsts[i] != NULL ? firsts[i]->since_ms : 0);
    for (size_t i = 0; i < SG_MAX_TELLERS; i++)
        oldest_ms = older(oldest_ms, board->asked_ms[i]);
    return oldest_ms;
}

struct sg_board_state sg_board_look(struct sg_board *board)
{
    struct sg_board_state state;

    pthread_mutex_lock(&board->lock);
    state = (struct sg_board_state){
        .num_waiting = board->waiting.num,
        .num_questions = board->questions.num,
        .num_under_way = board->under_way.num,
        .num_done = board->done.num,
        .oldest_ms = find_oldest(board),
    };
    pthread_mutex_unlock(&board->lock);
    return state;
}
