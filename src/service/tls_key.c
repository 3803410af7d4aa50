#include "tls_key.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "desk.h"
#include "home/service_key.h"

/* The front gives up after three seconds, at its next tick (front/key.c). */
enum { MOST_WAITING = 1024, RETRY_S = 1, LONGEST_MS = 4000 };

struct sg_tls_key {
    struct sg_board *board;
    struct sg_signer *signer; /* NULL: there is no such key */
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    bool is_started;

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t is_asked;
    struct sg_errands waiting;
    bool is_closing;

    _Atomic enum sg_code trouble; /* SG_TOKEN or SG_PIN, once it has failed */
};

/* ---- what may be signed ---- */

/* RFC 8446 4.4.3: 64 spaces, the context, a zero octet, the hash of the handshake. */
static bool is_certificate_verify(struct sg_slice bytes)
{
    enum { SPACES = 64 };
    static const char CONTEXT[] = "TLS 1.3, server CertificateVerify";
    const size_t before = SPACES + sizeof CONTEXT;

    if (bytes.len != before + 32 && bytes.len != before + 48)
        return false;
    for (size_t i = 0; i < SPACES; i++)
        if (bytes.data[i] != ' ')
            return false;
    return memcmp(bytes.data + SPACES, CONTEXT, sizeof CONTEXT) == 0;
}

/* RFC 8422 5.4: both randoms, then named_curve (3), the curve, the length of the point and it. */
static bool is_server_key_exchange(struct sg_slice bytes)
{
    enum { RANDOMS = 64, HEADER = 4, LONGEST_POINT = 133 };

    return bytes.len > RANDOMS + HEADER && bytes.data[RANDOMS] == 3 &&
           bytes.data[RANDOMS + 3] <= LONGEST_POINT &&
           bytes.len == RANDOMS + HEADER + (size_t)bytes.data[RANDOMS + 3];
}

bool sg_tls_is_handshake(struct sg_slice bytes)
{
    return is_certificate_verify(bytes) || is_server_key_exchange(bytes);
}

/* ---- signing; on the thread ---- */

static bool sign(struct sg_tls_key *key, const struct sg_errand *errand, struct sg_buf *signature,
                 struct sg_error *error)
{
    const struct sg_slice bytes = errand->message.bytes[SG_WIRE_BODY];
    enum sg_scheme scheme = SG_SCHEME_NONE;

    if (!sg_tls_is_handshake(bytes))
        return sg_fail(error, SG_REFUSED, "wire",
                       "the key of TLS signs handshakes, and this is part of none");
    return sg_scheme_parse(sg_message_text(&errand->message, SG_WIRE_SCHEME), &scheme, error) &&
           sg_signer_sign(key->signer, scheme, bytes, signature, error);
}

/* Nobody waits for it any more. A token that is too slow for all who came would otherwise sign for
 * those who have gone, while those who come now wait. */
static bool is_too_late(const struct sg_errand *errand)
{
    return sg_steady_ms() - errand->since_ms > LONGEST_MS;
}

static void answer(struct sg_tls_key *key, struct sg_errand *errand)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_error why = {0};

    if (is_too_late(errand))
        sg_answer_busy(errand, "the token did not get to this signature in time", RETRY_S);
    else if (sign(key, errand, &signature, &why))
        sg_answer_bytes(errand, NULL, NULL, sg_buf_slice(&signature), NULL);
    else
        sg_answer_refusal(errand, &why);
    if (why.code == SG_TOKEN || why.code == SG_PIN)
        atomic_store(&key->trouble, why.code);
    sg_board_finish(key->board, errand);
    key->wake(key->context);
}

static struct sg_errand *next(struct sg_tls_key *key)
{
    struct sg_errand *errand;

    pthread_mutex_lock(&key->lock);
    while (key->waiting.num == 0 && !key->is_closing)
        pthread_cond_wait(&key->is_asked, &key->lock);
    errand = sg_errands_take(&key->waiting);
    pthread_mutex_unlock(&key->lock);
    return errand;
}

static void *run(void *context)
{
    struct sg_tls_key *key = context;
    struct sg_errand *errand;

    while ((errand = next(key)) != NULL)
        answer(key, errand);
    return NULL;
}

/* ---- what is asked; on the door's thread ---- */

void sg_tls_key_take(struct sg_tls_key *key, struct sg_errand *errand)
{
    bool has_room;

    pthread_mutex_lock(&key->lock);
    has_room = key->is_started && !key->is_closing && key->waiting.num < MOST_WAITING;
    if (has_room) {
        sg_errands_append(&key->waiting, errand);
        pthread_cond_signal(&key->is_asked);
    }
    pthread_mutex_unlock(&key->lock);
    if (has_room)
        return;
    sg_answer_busy(errand, "the issuer has no key of TLS, or too much to sign with it", RETRY_S);
    sg_board_finish(key->board, errand);
    key->wake(key->context);
}

bool sg_tls_key_check(struct sg_tls_key *key, struct sg_error *error)
{
    const enum sg_code trouble = atomic_load(&key->trouble);

    return trouble == SG_OK ||
           sg_fail(error, trouble, NULL,
                   "the token of the TLS key failed; the issuer is to be started again");
}

/* ---- start and end ---- */

bool sg_tls_key_open(struct sg_home *home, struct sg_board *board, struct sg_tls_key **key,
                     struct sg_error *error)
{
    const struct sg_key_place *place = &sg_home_config(home)->service.https.place;
    struct sg_tls_key *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->board = board;
    pthread_mutex_init(&fresh->lock, NULL);
    pthread_cond_init(&fresh->is_asked, NULL);
    if (place->token != NULL &&
        !sg_home_service_key(home, place, "service: https", &fresh->signer, error)) {
        sg_tls_key_free(fresh);
        return false;
    }
    *key = fresh;
    return true;
}

struct sg_signer *sg_tls_key_signer(const struct sg_tls_key *key)
{
    return key->signer;
}

bool sg_tls_key_start(struct sg_tls_key *key, void (*wake)(void *context), void *context,
                      struct sg_error *error)
{
    int failure;

    key->wake = wake;
    key->context = context;
    if (key->signer == NULL)
        return true;
    failure = pthread_create(&key->thread, NULL, run, key);
    key->is_started = failure == 0;
    return failure == 0 ||
           sg_fail(error, SG_FAILED, NULL, "a thread can't be started: %s", strerror(failure));
}

void sg_tls_key_stop(struct sg_tls_key *key)
{
    if (!key->is_started)
        return;
    pthread_mutex_lock(&key->lock);
    key->is_closing = true;
    pthread_cond_signal(&key->is_asked);
    pthread_mutex_unlock(&key->lock);
    pthread_join(key->thread, NULL);
    key->is_started = false;
}

void sg_tls_key_free(struct sg_tls_key *key)
{
    if (key == NULL)
        return;
    sg_tls_key_stop(key);
    sg_errands_release(&key->waiting);
    sg_signer_close(key->signer);
    pthread_cond_destroy(&key->is_asked);
    pthread_mutex_destroy(&key->lock);
    free(key);
}
