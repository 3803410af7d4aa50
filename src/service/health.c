#include "health.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "desk.h"
#include "home/service_key.h"

enum {
    /* for so long an answer of the token's is told again: whoever asks in a loop signs 12 times a
     * minute */
    FRESH_MS = 5000,
    PATIENCE_MS = 2000,
    MOST_WAITING = 64,
    RETRY_S = 2,
};

static const char OK[] = "ok\n";

struct sg_health {
    struct sg_board *board;
    struct sg_signer *signer; /* NULL: no key, nothing to try */
    enum sg_scheme scheme;
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    bool is_started;

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t is_asked;
    struct sg_errands waiting;
    bool is_closing;
    int64_t asked_ms;    /* since when the token is being asked; 0: it is not */
    int64_t answered_ms; /* when it answered last; 0: never */
    struct sg_error why; /* what it answered; SG_OK: a signature */

    _Atomic enum sg_code trouble; /* SG_TOKEN or SG_PIN, once it has failed */
};

/* ---- answers ---- */

static void finish(struct sg_health *health, struct sg_errand *errand)
{
    sg_board_finish(health->board, errand);
    health->wake(health->context);
}

static void answer(struct sg_health *health, struct sg_errand *errand, const struct sg_error *why)
{
    if (why->code == SG_OK)
        sg_answer_bytes(errand, "text/plain", NULL, sg_slice_text(OK), NULL);
    else
        sg_answer_refusal(errand, why);
    finish(health, errand);
}

static void answer_all(struct sg_health *health, struct sg_errands *row, const struct sg_error *why)
{
    struct sg_errand *errand;

    while ((errand = sg_errands_take(row)) != NULL)
        answer(health, errand, why);
}

static void answer_busy(struct sg_health *health, struct sg_errand *errand, const char *text)
{
    sg_answer_busy(errand, text, RETRY_S);
    finish(health, errand);
}

/* ---- asking the token; on the thread ---- */

static bool try_token(struct sg_health *health, struct sg_error *why)
{
    const struct sg_slice bytes = sg_slice_text("signetd asks whether this token answers");
    sg_auto(sg_buf) struct sg_buf signature = {0};

    return sg_signer_sign(health->signer, health->scheme, bytes, &signature, why) &&
           sg_signer_check_signature(health->scheme, sg_signer_public_key(health->signer), bytes,
                                     sg_buf_slice(&signature), why);
}

/* Waits until somebody asks. False: nobody will. */
static bool is_asked(struct sg_health *health)
{
    bool goes_on;

    pthread_mutex_lock(&health->lock);
    while (health->waiting.num == 0 && !health->is_closing)
        pthread_cond_wait(&health->is_asked, &health->lock);
    goes_on = !health->is_closing;
    health->asked_ms = goes_on ? sg_steady_ms() : 0;
    pthread_mutex_unlock(&health->lock);
    return goes_on;
}

static struct sg_errands note_answer(struct sg_health *health, const struct sg_error *why)
{
    struct sg_errands waiting;

    pthread_mutex_lock(&health->lock);
    health->asked_ms = 0;
    health->answered_ms = sg_steady_ms();
    health->why = *why;
    waiting = health->waiting;
    health->waiting = (struct sg_errands){0};
    pthread_mutex_unlock(&health->lock);
    return waiting;
}

static void *run(void *context)
{
    struct sg_health *health = context;

    while (is_asked(health)) {
        struct sg_error why = {0};

        if (!try_token(health, &why) && (why.code == SG_TOKEN || why.code == SG_PIN))
            atomic_store(&health->trouble, why.code);
        struct sg_errands waiting = note_answer(health, &why);
        answer_all(health, &waiting, &why);
    }
    return NULL;
}

/* ---- questions; on the door's thread ---- */

enum verdict { IS_KNOWN, IS_BUSY, WAITS };

/* why  what the token answered, when that is known. */
static enum verdict judge(struct sg_health *health, struct sg_errand *errand, struct sg_error *why)
{
    const int64_t now = sg_steady_ms();
    enum verdict verdict = WAITS;

    if (health->signer == NULL)
        return IS_KNOWN;
    pthread_mutex_lock(&health->lock);
    *why = health->why;
    if (health->answered_ms != 0 && now - health->answered_ms < FRESH_MS)
        verdict = IS_KNOWN;
    else if ((health->asked_ms != 0 && now - health->asked_ms > PATIENCE_MS) ||
             health->waiting.num == MOST_WAITING || health->is_closing)
        verdict = IS_BUSY;
    else {
        sg_errands_append(&health->waiting, errand);
        pthread_cond_signal(&health->is_asked);
    }
    pthread_mutex_unlock(&health->lock);
    return verdict;
}

void sg_health_take(struct sg_health *health, struct sg_errand *errand)
{
    struct sg_error why = {0};

    switch (judge(health, errand, &why)) {
    case IS_KNOWN:
        answer(health, errand, &why);
        return;
    case IS_BUSY:
        answer_busy(health, errand, "the token has not answered for seconds");
        return;
    case WAITS:
        return;
    }
}

void sg_health_sweep(struct sg_health *health)
{
    const int64_t now = sg_steady_ms();
    struct sg_errands late = {0};
    struct sg_errand *errand;

    pthread_mutex_lock(&health->lock);
    while (health->waiting.first != NULL && now - health->waiting.first->since_ms > PATIENCE_MS)
        sg_errands_append(&late, sg_errands_take(&health->waiting));
    pthread_mutex_unlock(&health->lock);
    while ((errand = sg_errands_take(&late)) != NULL)
        answer_busy(health, errand, "the token does not answer");
}

bool sg_health_check(struct sg_health *health, struct sg_error *error)
{
    const enum sg_code trouble = atomic_load(&health->trouble);

    return trouble == SG_OK || sg_fail(error, trouble, "health",
                                       "the token failed to sign with the key of service: health; "
                                       "the issuer is to be started again");
}

/* ---- start and end ---- */

static bool open_key(struct sg_health *health, struct sg_home *home, struct sg_error *error)
{
    const struct sg_key_place *place = &sg_home_config(home)->service.health;
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (place->token == NULL)
        return true;
    if (!sg_home_service_key(home, place, "service: health", &health->signer, error))
        return false;
    const struct sg_key_kind of_key = sg_signer_public_key(health->signer)->kind;
    health->scheme = sg_scheme_default(of_key);
    return health->scheme != SG_SCHEME_NONE ||
           sg_fail(error, SG_INVALID, "health", "nothing is signed with a key of %s",
                   sg_key_kind_text(of_key, kind));
}

bool sg_health_open(struct sg_home *home, struct sg_board *board, struct sg_health **health,
                    struct sg_error *error)
{
    struct sg_health *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->board = board;
    pthread_mutex_init(&fresh->lock, NULL);
    pthread_cond_init(&fresh->is_asked, NULL);
    if (!open_key(fresh, home, error)) {
        sg_health_free(fresh);
        return false;
    }
    *health = fresh;
    return true;
}

bool sg_health_start(struct sg_health *health, void (*wake)(void *context), void *context,
                     struct sg_error *error)
{
    int failure;

    health->wake = wake;
    health->context = context;
    if (health->signer == NULL)
        return true;
    failure = pthread_create(&health->thread, NULL, run, health);
    health->is_started = failure == 0;
    return failure == 0 ||
           sg_fail(error, SG_FAILED, NULL, "a thread can't be started: %s", strerror(failure));
}

void sg_health_stop(struct sg_health *health)
{
    struct sg_errand *errand;

    if (!health->is_started)
        return;
    pthread_mutex_lock(&health->lock);
    health->is_closing = true;
    pthread_cond_signal(&health->is_asked);
    pthread_mutex_unlock(&health->lock);
    pthread_join(health->thread, NULL);
    health->is_started = false;
    while ((errand = sg_errands_take(&health->waiting)) != NULL)
        answer_busy(health, errand, "the service is ending");
}

void sg_health_free(struct sg_health *health)
{
    if (health == NULL)
        return;
    sg_health_stop(health);
    sg_signer_close(health->signer);
    pthread_cond_destroy(&health->is_asked);
    pthread_mutex_destroy(&health->lock);
    free(health);
}
