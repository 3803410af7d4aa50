#include "teller.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/limits.h"
#include "desk.h"
#include "issue/responder.h"
#include "store/status.h"

enum {
    LOOK_EVERY_S = 3600,
    /* after one that could not be had */
    LOOK_AGAIN_S = 60,
    /* a thousand revocations one by one shall not be a thousand looks */
    PAUSE_S = 2,
    NUM_STATUSES = SG_OCSP_UNAUTHORIZED + 1,
};

/* The responder of one issuer. */
struct responder {
    const char *issuer;
    int64_t not_after; /* 0: it has no certificate */
};

struct one {
    struct sg_teller *teller;
    size_t number;
    struct sg_store *store;
    pthread_t thread;
};

struct sg_teller {
    struct sg_home *home;
    struct sg_board *board;
    struct sg_clock clock;
    struct sg_ocsp *ocsp;
    struct responder *responders;
    size_t num_responders;
    int64_t looked, look_again; /* when the responders' certificates were looked at, and are next */
    int64_t generation;         /* the store's, before that */
    void (*wake)(void *context);
    void *context;
    struct one ones[SG_MAX_TELLERS];
    size_t num_ones;
    _Atomic uint64_t by_status[NUM_STATUSES], num_good, num_revoked, num_unknown;
    _Atomic enum sg_code trouble; /* SG_TOKEN or SG_PIN, once an answer has met it */
};

/* ---- the responders; on the home's thread ---- */

/* These end the service; with any other the responder goes on with what it has. */
static bool ends_all(enum sg_code code)
{
    return code == SG_TOKEN || code == SG_PIN || code == SG_STORE;
}

static bool look_at(struct sg_teller *teller, struct responder *responder, int64_t now,
                    struct sg_error *error)
{
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    struct sg_error why = {0};

    /* What keeps it from a certificate is what its answers tell in the log. */
    const bool has_one = sg_issue_responder(teller->home, responder->issuer, teller->clock,
                                            SG_RENEW_WHEN_DUE, &news, &why);
    if (!has_one && ends_all(why.code))
        return sg_error_pass(error, &why);
    responder->not_after = has_one ? news.not_after : 0;
    if (!has_one || news.why.code != SG_OK)
        teller->look_again = now + LOOK_AGAIN_S;
    why = (struct sg_error){0};
    return sg_ocsp_ready(teller->ocsp, responder->issuer, now, &why) || !ends_all(why.code) ||
           sg_error_pass(error, &why);
}

/* The generation is read first: what changes in between is looked at once more. */
static bool look_at_all(struct sg_teller *teller, int64_t now, struct sg_error *error)
{
    if (!sg_store_status_generation(sg_home_store(teller->home), &teller->generation, error))
        return false;
    teller->looked = now;
    teller->look_again = now + LOOK_EVERY_S;
    for (size_t i = 0; i < teller->num_responders; i++)
        if (!look_at(teller, &teller->responders[i], now, error))
            return false;
    return true;
}

/* An issuer without a certificate of its own answers nobody yet. */
static bool find_responders(struct sg_teller *teller, struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(teller->home);

    teller->responders = calloc(config->num_issuers, sizeof *teller->responders);
    if (teller->responders == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < config->num_issuers; i++)
        if (config->issuers[i].ocsp.key != NULL)
            teller->responders[teller->num_responders++].issuer = config->issuers[i].name;
    return true;
}

bool sg_teller_open(struct sg_home *home, struct sg_board *board, struct sg_teller **teller,
                    struct sg_error *error)
{
    sg_auto(sg_teller) struct sg_teller *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->home = home;
    fresh->board = board;
    if (!sg_ocsp_new(home, &fresh->ocsp, error) || !find_responders(fresh, error) ||
        !look_at_all(fresh, sg_clock_now(&fresh->clock), error))
        return false;
    *teller = SG_TAKE(fresh);
    return true;
}

bool sg_teller_keep_ready(struct sg_teller *teller, struct sg_error *error)
{
    const enum sg_code trouble = atomic_load(&teller->trouble);
    const int64_t now = sg_clock_now(&teller->clock);
    int64_t generation = 0;

    if (trouble != SG_OK)
        return sg_fail(error, trouble, NULL,
                       "the token of an OCSP responder failed; the issuer is to be started again");
    if (teller->num_responders == 0)
        return true;
    if (!sg_store_status_generation(sg_home_store(teller->home), &generation, error))
        return false;
    return (now < teller->look_again &&
            (generation == teller->generation || now < teller->looked + PAUSE_S)) ||
           look_at_all(teller, now, error);
}

/* ---- answering; on the tellers' threads ---- */

static bool read_question(const struct sg_errand *errand, struct sg_buf *decoded,
                          struct sg_slice *question, struct sg_error *error)
{
    const struct sg_slice body = errand->message.bytes[SG_WIRE_BODY];
    struct sg_error why = {0};

    *question = body;
    if (sg_message_text(&errand->message, SG_WIRE_ENCODING) == NULL)
        return true;
    if (!sg_base64_decode(body, decoded, &why))
        return why.code == SG_MALFORMED ? sg_fail(error, SG_MALFORMED, "RFC 6960 A.1",
                                                  "what the URL ends with is no request in base64")
                                        : sg_error_pass(error, &why);
    *question = sg_buf_slice(decoded);
    return true;
}

static void count(struct sg_teller *teller, const struct sg_ocsp_answer *answer,
                  const struct sg_error *why)
{
    atomic_fetch_add(&teller->by_status[answer->status], 1);
    if (answer->status != SG_OCSP_SUCCESSFUL) {
        if (why->code == SG_TOKEN || why->code == SG_PIN)
            atomic_store(&teller->trouble, why->code);
        return;
    }
    atomic_fetch_add(&teller->num_good, answer->num_good);
    atomic_fetch_add(&teller->num_revoked, answer->num_revoked);
    atomic_fetch_add(&teller->num_unknown, answer->num_unknown);
}

static void answer_one(const struct one *one, struct sg_errand *errand)
{
    struct sg_teller *teller = one->teller;
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer answer = {0};
    sg_auto(sg_buf) struct sg_buf decoded = {0};
    struct sg_slice question = {0};
    struct sg_error why = {0};

    if (!read_question(errand, &decoded, &question, &why)) {
        sg_answer_refusal(errand, &why);
        return;
    }
    (void)!sg_ocsp_answer(teller->ocsp, one->store, question, sg_clock_now(&teller->clock), &answer,
                          &why);
    count(teller, &answer, &why);
    if (answer.der.len > 0)
        sg_answer_ocsp(errand, &answer, &why);
    else
        sg_answer_refusal(errand, &why);
}

static void *run(void *context)
{
    const struct one *one = context;
    struct sg_teller *teller = one->teller;
    struct sg_errand *errand;

    while ((errand = sg_board_take_question(teller->board, one->number)) != NULL) {
        answer_one(one, errand);
        sg_board_finish(teller->board, errand);
        teller->wake(teller->context);
    }
    return NULL;
}

/* ---- start and end ---- */

bool sg_teller_start(struct sg_teller *teller, void (*wake)(void *context), void *context,
                     struct sg_error *error)
{
    teller->wake = wake;
    teller->context = context;
    while (teller->num_ones < SG_MAX_TELLERS) {
        struct one *one = &teller->ones[teller->num_ones];
        int failure;

        *one = (struct one){.teller = teller, .number = teller->num_ones};
        if (!sg_home_open_registry(teller->home, &one->store, error))
            return false;
        failure = pthread_create(&one->thread, NULL, run, one);
        if (failure != 0) {
            sg_store_close(one->store);
            return sg_fail(error, SG_FAILED, NULL, "a thread can't be started: %s",
                           strerror(failure));
        }
        teller->num_ones++;
    }
    return true;
}

void sg_teller_stop(struct sg_teller *teller)
{
    sg_board_close(teller->board);
    while (teller->num_ones > 0) {
        struct one *one = &teller->ones[--teller->num_ones];

        pthread_join(one->thread, NULL);
        sg_store_close(one->store);
    }
}

void sg_teller_free(struct sg_teller *teller)
{
    if (teller == NULL)
        return;
    if (teller->num_ones > 0)
        sg_teller_stop(teller);
    sg_ocsp_free(teller->ocsp);
    free(teller->responders);
    free(teller);
}

/* ---- figures ---- */

static bool add_statuses(struct sg_teller *teller, struct sg_buf *text, struct sg_error *error)
{
    if (!sg_buf_printf(text, SG_LIMIT_BODY, error, "# TYPE signet_ocsp_answers_total counter\n"))
        return false;
    for (size_t i = 0; i < NUM_STATUSES; i++) {
        const uint64_t num = atomic_load(&teller->by_status[i]);

        if (num > 0 &&
            !sg_buf_printf(text, SG_LIMIT_BODY, error,
                           "signet_ocsp_answers_total{status=\"%s\"} %llu\n",
                           sg_ocsp_status_word((enum sg_ocsp_status)i), (unsigned long long)num))
            return false;
    }
    return true;
}

static bool add_verdicts(struct sg_teller *teller, struct sg_buf *text, struct sg_error *error)
{
    return sg_buf_printf(text, SG_LIMIT_BODY, error,
                         "# TYPE signet_ocsp_certificates_total counter\n"
                         "signet_ocsp_certificates_total{status=\"good\"} %llu\n"
                         "signet_ocsp_certificates_total{status=\"revoked\"} %llu\n"
                         "signet_ocsp_certificates_total{status=\"unknown\"} %llu\n",
                         (unsigned long long)atomic_load(&teller->num_good),
                         (unsigned long long)atomic_load(&teller->num_revoked),
                         (unsigned long long)atomic_load(&teller->num_unknown));
}

bool sg_teller_figures(struct sg_teller *teller, struct sg_buf *text, struct sg_error *error)
{
    if (!add_statuses(teller, text, error) || !add_verdicts(teller, text, error) ||
        !sg_buf_printf(text, SG_LIMIT_BODY, error,
                       "# TYPE signet_ocsp_waiting gauge\nsignet_ocsp_waiting %zu\n"
                       "# TYPE signet_ocsp_responder_not_after_seconds gauge\n",
                       sg_board_look(teller->board).num_questions))
        return false;
    for (size_t i = 0; i < teller->num_responders; i++)
        if (!sg_buf_printf(text, SG_LIMIT_BODY, error,
                           "signet_ocsp_responder_not_after_seconds{issuer=\"%s\"} %lld\n",
                           teller->responders[i].issuer,
                           (long long)teller->responders[i].not_after))
            return false;
    return true;
}
