/* key: the key of TLS when it is on a token, where only the issuer can use it.
 *
 * OpenSSL wants the signature in the middle of a handshake; the handshake rests (handshake.c) until
 * the issuer's answer has come, and everybody else is served meanwhile. When there is none within
 * LONGEST_MS, or another than the certificate wants, handshakes fail for the time of a rest: those
 * who come then need not wait for the same, and the log isn't theirs to fill. What the issuer
 * refuses for what was asked, as a scheme that its token does not make, is that handshake's alone:
 * the client chooses among the schemes, and shall not choose when others have to rest.
 */
#include <errno.h>
#include <openssl/async.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/limits.h"
#include "parts.h"
#include "token/signer_elsewhere.h"
#include "token/signer_pkey.h"

enum { LONGEST_MS = 3000, REST_MS = 2000, SILENT_MS = 60000 };

/* One for each key that there ever was. */
struct sg_front_signer {
    LIST_ENTRY(sg_front_signer) in_list;
    struct sg_front_key *key;
    struct sg_signer *signer;
};

/* ---- what is asked ---- */

static void take_off(struct sg_front_key *key, struct sg_handshake *handshake)
{
    handshake->is_asked = false;
    TAILQ_REMOVE(&key->asked, handshake, in_list);
    key->figures.num_waiting--;
    key->figures.waited_us += sg_front_now_us() - handshake->asked_us;
}

/* It is answered, or why says that it won't be. */
static void settle(struct sg_front_key *key, struct sg_handshake *handshake)
{
    take_off(key, handshake);
    if (handshake->why.code == SG_OK)
        key->figures.num_signed++;
    else
        key->figures.num_failed++;
    sg_handshake_go_on(handshake);
}

static void rest(struct sg_front_key *key, const char *why)
{
    const int64_t now = sg_steady_ms();

    if (now >= key->rests_until_ms)
        sg_log_say(key->front, "no handshakes for %d s, as the key of TLS can't be used: %s",
                   REST_MS / 1000, why);
    key->rests_until_ms = now + REST_MS;
}

/* A handshake fails, and others need not. */
static void note_refusal(struct sg_front_key *key, const char *why)
{
    const int64_t now = sg_steady_ms();

    if (now < key->silent_until_ms)
        return;
    sg_log_say(key->front, "a handshake fails, as the key of TLS can't be used for it: %s", why);
    key->silent_until_ms = now + SILENT_MS;
}

static struct sg_handshake *find(const struct sg_front_key *key, uint64_t id)
{
    struct sg_handshake *handshake;

    TAILQ_FOREACH(handshake, &key->asked, in_list)
    {
        if (handshake->id == id)
            return handshake;
    }
    return NULL;
}

/* ---- the conversation ---- */

void sg_front_key_hang_up(struct sg_front *front)
{
    if (front->key.buffer != NULL)
        bufferevent_free(front->key.buffer);
    front->key.buffer = NULL;
}

/* Those who wait do so in vain. */
static void lose(struct sg_front_key *key, const char *why)
{
    struct sg_handshake *handshake;

    sg_front_key_hang_up(key->front);
    if (!TAILQ_EMPTY(&key->asked))
        rest(key, why);
    while ((handshake = TAILQ_FIRST(&key->asked)) != NULL) {
        sg_fail(&handshake->why, SG_TOKEN, NULL, "%s", why);
        settle(key, handshake);
    }
}

static bool say(const struct sg_front_key *key, const struct sg_message *message,
                struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf frame = {0};

    return sg_message_encode(message, SG_WIRE_FRONT, &frame, error) &&
           (bufferevent_write(key->buffer, frame.data, frame.len) == 0 || sg_fail_memory(error));
}

static bool say_hello(const struct sg_front_key *key, struct sg_error *error)
{
    struct sg_message hello = {.type = SG_WIRE_KEY_HELLO};

    sg_message_set_text(&hello, SG_WIRE_PROGRAM, key->front->setting->program);
    return say(key, &hello, error);
}

static bool say_what_to_sign(const struct sg_front_key *key, const struct sg_handshake *handshake,
                             struct sg_error *error)
{
    struct sg_message message = {.type = SG_WIRE_TLS_SIGN, .id = handshake->id};

    sg_message_set_bytes(&message, SG_WIRE_BODY, handshake->bytes);
    sg_message_set_text(&message, SG_WIRE_SCHEME, sg_scheme_text(handshake->scheme));
    return say(key, &message, error);
}

/* The first signature of an issuer's life, and of a certificate's, tells whether its key is the
 * certificate's. */
static bool read_answer(struct sg_front_key *key, const struct sg_message *answer,
                        struct sg_handshake *handshake, struct sg_error *error)
{
    const struct sg_slice signature = answer->bytes[SG_WIRE_BODY];
    const uint64_t status = sg_message_number(answer, SG_WIRE_STATUS);

    if (status != 200)
        return sg_fail(error, status == 503 ? SG_TOKEN : SG_REFUSED, NULL, "%s",
                       (answer->has & SG_WIRE_HAS(SG_WIRE_TEXT)) != 0
                           ? sg_message_text(answer, SG_WIRE_TEXT)
                           : "the issuer does not say why");
    if (!key->is_checked &&
        !sg_signer_check_signature(handshake->scheme, sg_signer_public_key(handshake->signer),
                                   handshake->bytes, signature, error))
        return sg_error_prefix(error, "it is not the certificate's");
    key->is_checked = true;
    return sg_buf_set(&handshake->signature, signature, error);
}

static bool take_message(struct sg_front_key *key, const struct sg_message *message,
                         struct sg_error *error)
{
    struct sg_handshake *handshake;

    if (message->type == SG_WIRE_WELCOME)
        return true;
    if (message->type != SG_WIRE_ANSWER)
        return sg_fail(error, SG_MALFORMED, "wire", "the issuer says more than was asked");
    if ((handshake = find(key, message->id)) == NULL)
        return true; /* it was given up meanwhile */
    if (!read_answer(key, message, handshake, &handshake->why)) {
        if (handshake->why.code == SG_REFUSED)
            note_refusal(key, handshake->why.text);
        else
            rest(key, handshake->why.text);
    }
    settle(key, handshake);
    return true;
}

static void note_readable(struct bufferevent *buffer, void *context)
{
    struct sg_front_key *key = context;
    struct evbuffer *input = bufferevent_get_input(buffer);
    struct sg_message message;
    struct sg_error error = {0};
    size_t len = 0;

    while (sg_link_hear(input, &message, &len, &error)) {
        if (len == 0)
            return;
        if (!take_message(key, &message, &error))
            break;
        evbuffer_drain(input, len);
    }
    lose(key, error.text);
}

static bool greet(struct sg_front_key *key, struct sg_error *error)
{
    const struct sg_handshake *handshake;

    if (!sg_link_is_issuers(key->front, key->buffer))
        return sg_fail(error, SG_FAILED, NULL, "the socket is another user's");
    if (!say_hello(key, error))
        return false;
    TAILQ_FOREACH(handshake, &key->asked, in_list)
    {
        if (!say_what_to_sign(key, handshake, error))
            return false;
    }
    key->is_greeted = true;
    return true;
}

static void note_event(struct bufferevent *buffer, short what, void *context)
{
    struct sg_front_key *key = context;
    struct sg_error error = {0};

    (void)buffer;
    if ((what & BEV_EVENT_CONNECTED) == 0)
        lose(key, key->is_greeted ? "the issuer has closed the socket" : "the issuer is away");
    else if (!greet(key, &error))
        lose(key, error.text);
}

static bool call(struct sg_front_key *key, struct sg_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = key->front->link.path;

    if (key->buffer != NULL)
        return true;
    key->is_greeted = false;
    key->is_checked = false;
    key->buffer = bufferevent_socket_new(key->front->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (key->buffer == NULL)
        return sg_fail_memory(error);
    memcpy(address.sun_path, path, strlen(path) + 1);
    bufferevent_setcb(key->buffer, note_readable, NULL, note_event, key);
    bufferevent_enable(key->buffer, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(key->buffer, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    (void)sg_fail_errno(error, "the issuer is away");
    sg_front_key_hang_up(key->front);
    return false;
}

/* ---- for handshakes ---- */

static bool ask(struct sg_front_key *key, struct sg_handshake *handshake, struct sg_error *error)
{
    handshake->id = ++key->last_id;
    if (!call(key, error) || (key->is_greeted && !say_what_to_sign(key, handshake, error))) {
        rest(key, error->text);
        return false;
    }
    handshake->is_asked = true;
    handshake->asked_us = sg_front_now_us();
    TAILQ_INSERT_TAIL(&key->asked, handshake, in_list);
    key->figures.num_waiting++;
    return true;
}

bool sg_front_key_ask(struct sg_handshake *handshake)
{
    struct sg_front_key *key = &handshake->visit->front->key;

    if (sg_steady_ms() < key->rests_until_ms)
        (void)sg_fail(&handshake->why, SG_TOKEN, NULL, "the issuer has not signed a moment ago");
    else if (ask(key, handshake, &handshake->why))
        return true;
    key->figures.num_failed++;
    return false;
}

bool sg_front_key_drop(struct sg_handshake *handshake)
{
    if (!handshake->is_asked)
        return false;
    take_off(&handshake->visit->front->key, handshake);
    return !sg_fail(&handshake->why, SG_FAILED, NULL, "the connection has ended");
}

void sg_front_key_sweep(struct sg_front *front)
{
    const struct sg_handshake *oldest = TAILQ_FIRST(&front->key.asked);

    if (oldest != NULL && sg_front_now_us() - oldest->asked_us > 1000 * (int64_t)LONGEST_MS)
        lose(&front->key, "the issuer has not answered in time");
}

/* ---- the signer ---- */

/* On the handshake's own stack, which is small: the loop's does the rest. */
static bool sign(void *context, enum sg_scheme scheme, struct sg_slice bytes,
                 struct sg_buf *signature, struct sg_error *error)
{
    const struct sg_front_signer *entry = context;
    struct sg_handshake *handshake = entry->key->front->shaking;

    if (handshake == NULL || ASYNC_get_current_job() == NULL)
        return sg_fail(error, SG_FAILED, NULL, "the key of TLS is for handshakes");
    handshake->signer = entry->signer;
    handshake->scheme = scheme;
    handshake->bytes = bytes;
    if (ASYNC_pause_job() != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "a handshake can't wait for the issuer");
    return handshake->why.code == SG_OK
               ? sg_buf_set(signature, sg_buf_slice(&handshake->signature), error)
               : sg_error_pass(error, &handshake->why);
}

/* ---- the signers of certificates ---- */

static struct sg_signer *find_signer(const struct sg_front_key *key,
                                     const struct sg_public_key *public)
{
    const struct sg_front_signer *entry;

    LIST_FOREACH(entry, &key->signers, in_list)
    {
        if (sg_public_key_equal(sg_signer_public_key(entry->signer), public))
            return entry->signer;
    }
    return NULL;
}

/* A certificate that is renewed for the same key has the same signer. */
static bool get_signer(struct sg_front_key *key, const X509 *certificate, struct sg_signer **signer,
                       struct sg_error *error)
{
    sg_auto(malloc) struct sg_front_signer *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->key = key;
    if (!sg_signer_elsewhere(certificate, sign, fresh, &fresh->signer, error))
        return false;
    *signer = find_signer(key, sg_signer_public_key(fresh->signer));
    if (*signer != NULL) {
        sg_signer_close(fresh->signer);
        return true;
    }
    *signer = fresh->signer;
    LIST_INSERT_HEAD(&key->signers, fresh, in_list);
    fresh = NULL; /* now the list's */
    return true;
}

bool sg_front_key_of(struct sg_front *front, const X509 *certificate, EVP_PKEY **pkey,
                     struct sg_error *error)
{
    struct sg_front_key *key = &front->key;
    struct sg_signer *signer = NULL;

    if (ASYNC_is_capable() != 1)
        return sg_fail(
            error, SG_FAILED, NULL,
            "OpenSSL can't have handshakes wait for the issuer on this machine; service: "
            "https takes a key in a file");
    if (key->front == NULL)
        TAILQ_INIT(&key->asked);
    key->front = front;
    key->is_checked = false;
    return (key->maker != NULL || sg_pkey_maker_new(&key->maker, error)) &&
           get_signer(key, certificate, &signer, error) &&
           sg_signer_pkey(key->maker, signer, pkey, error);
}

void sg_front_key_close(struct sg_front *front)
{
    struct sg_front_key *key = &front->key;
    struct sg_front_signer *entry;

    while ((entry = LIST_FIRST(&key->signers)) != NULL) {
        LIST_REMOVE(entry, in_list);
        sg_signer_close(entry->signer);
        free(entry);
    }
    sg_pkey_maker_free(key->maker);
    key->maker = NULL;
}
