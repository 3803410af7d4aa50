/* key: the key of TLS when it is on a token, where only the issuer can use it.
 *
 * OpenSSL asks for a signature in the middle of a handshake and can't be told to come again later,
 * so the loop's thread waits. That is what a signature takes on the token and two system calls;
 * when the issuer does not answer within LONGEST_MS, the handshake fails, and so do all others for
 * the time of a rest: a token that hangs slows the front down, and does not stop it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "parts.h"
#include "token/signer_elsewhere.h"
#include "token/signer_pkey.h"

enum {
    LONGEST_MS = 500,
    REST_MS = 2000,
    /* a WELCOME, or an ANSWER with a signature */
    FRAME_SIZE = 16 * 1024,
};

/* One for each key that there ever was. */
struct sg_front_signer {
    LIST_ENTRY(sg_front_signer) in_list;
    struct sg_front_key *key;
    struct sg_signer *signer;
};

/* ---- the conversation ---- */

static void hang_up(struct sg_front_key *key)
{
    if (key->is_open)
        close(key->fd);
    key->is_open = false;
}

static bool is_the_issuer(const struct sg_front_key *key)
{
    struct ucred who;
    socklen_t len = sizeof who;

    return getsockopt(key->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
           (who.uid == key->front->link.issuer || who.uid == geteuid());
}

static bool send_all(const struct sg_front_key *key, struct sg_slice bytes, struct sg_error *error)
{
    size_t sent = 0;

    while (sent < bytes.len) {
        const ssize_t num = send(key->fd, bytes.data + sent, bytes.len - sent, MSG_NOSIGNAL);

        if (num < 0 && errno == EINTR)
            continue;
        if (num <= 0)
            return sg_fail_errno(error, "the issuer can't be asked");
        sent += (size_t)num;
    }
    return true;
}

static bool say(struct sg_front_key *key, const struct sg_message *message, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf frame = {0};

    return sg_message_encode(message, SG_WIRE_FRONT, &frame, error) &&
           send_all(key, sg_buf_slice(&frame), error);
}

/* One frame: nothing else is said here that was not asked for. */
static bool hear(const struct sg_front_key *key, uint8_t frame[FRAME_SIZE],
                 struct sg_message *message, struct sg_error *error)
{
    size_t have = 0, len = 0;

    while (len == 0 || have < len) {
        const ssize_t num = recv(key->fd, frame + have, FRAME_SIZE - have, 0);

        if (num < 0 && errno == EINTR)
            continue;
        if (num <= 0)
            return sg_fail(error, SG_FAILED, NULL, "the issuer %s",
                           num == 0 ? "has closed the socket" : "has not answered in time");
        have += (size_t)num;
        if (!sg_wire_frame_len(sg_slice_of(frame, have), SG_WIRE_ISSUER, &len, error))
            return false;
        if (len > FRAME_SIZE || (len != 0 && have > len))
            return sg_fail(error, SG_MALFORMED, "wire", "the issuer says more than was asked");
    }
    return sg_message_decode(sg_slice_of(frame, len), SG_WIRE_ISSUER, message, error);
}

static bool greet(struct sg_front_key *key, struct sg_error *error)
{
    struct sg_message hello = {.type = SG_WIRE_KEY_HELLO}, welcome;
    uint8_t frame[FRAME_SIZE];

    sg_message_set_text(&hello, SG_WIRE_PROGRAM, key->front->setting->program);
    if (!is_the_issuer(key))
        return sg_fail(error, SG_FAILED, NULL, "the socket is another user's");
    return say(key, &hello, error) && hear(key, frame, &welcome, error) &&
           (welcome.type == SG_WIRE_WELCOME ||
            sg_fail(error, SG_MALFORMED, "wire", "the issuer does not say WELCOME"));
}

static bool call(struct sg_front_key *key, struct sg_error *error)
{
    const struct timeval longest = {0, LONGEST_MS * 1000};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = key->front->link.path;

    if (key->is_open)
        return true;
    if ((key->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return sg_fail_errno(error, "a socket can't be made");
    key->is_open = true;
    key->is_checked = false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (setsockopt(key->fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest) != 0 ||
        setsockopt(key->fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest) != 0 ||
        connect(key->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return sg_fail_errno(error, "the issuer is away");
    return greet(key, error);
}

static bool ask(struct sg_front_key *key, enum sg_scheme scheme, struct sg_slice bytes,
                struct sg_buf *signature, struct sg_error *error)
{
    struct sg_message message = {.type = SG_WIRE_TLS_SIGN, .id = ++key->last_id}, answer;
    uint8_t frame[FRAME_SIZE];

    sg_message_set_bytes(&message, SG_WIRE_BODY, bytes);
    sg_message_set_text(&message, SG_WIRE_SCHEME, sg_scheme_text(scheme));
    if (!call(key, error) || !say(key, &message, error) || !hear(key, frame, &answer, error))
        return false;
    if (answer.type != SG_WIRE_ANSWER || answer.id != key->last_id)
        return sg_fail(error, SG_MALFORMED, "wire", "the issuer answers something else");
    if (sg_message_number(&answer, SG_WIRE_STATUS) != 200)
        return sg_fail(error, SG_TOKEN, NULL, "%s",
                       (answer.has & SG_WIRE_HAS(SG_WIRE_TEXT)) != 0
                           ? sg_message_text(&answer, SG_WIRE_TEXT)
                           : "the issuer does not say why");
    return sg_buf_set(signature, answer.bytes[SG_WIRE_BODY], error);
}

/* ---- the signer ---- */

/* The issuer may have been started anew since the last one: then it is called once more. */
static bool try_twice(struct sg_front_key *key, enum sg_scheme scheme, struct sg_slice bytes,
                      struct sg_buf *signature, struct sg_error *error)
{
    const int64_t begun = sg_front_now_ms(key->front);
    const bool was_open = key->is_open;
    struct sg_error why = {0};

    if (ask(key, scheme, bytes, signature, &why))
        return true;
    hang_up(key);
    if (was_open && sg_front_now_ms(key->front) - begun < LONGEST_MS / 2 && why.code != SG_TOKEN) {
        if (ask(key, scheme, bytes, signature, error))
            return true;
        hang_up(key);
        return false;
    }
    return sg_error_pass(error, &why);
}

/* The first signature of an issuer's life tells whether its key is the certificate's. */
static bool sign_and_check(const struct sg_front_signer *entry, enum sg_scheme scheme,
                           struct sg_slice bytes, struct sg_buf *signature, struct sg_error *error)
{
    struct sg_front_key *key = entry->key;

    if (!try_twice(key, scheme, bytes, signature, error))
        return false;
    if (key->is_checked)
        return true;
    key->is_checked = sg_signer_check_signature(scheme, sg_signer_public_key(entry->signer), bytes,
                                                sg_buf_slice(signature), error);
    return key->is_checked || sg_error_prefix(error, "it is not the certificate's");
}

/* All other clients have waited for as long. */
static bool sign_and_note(const struct sg_front_signer *entry, enum sg_scheme scheme,
                          struct sg_slice bytes, struct sg_buf *signature, struct sg_error *error)
{
    struct sg_front_key_figures *figures = &entry->key->figures;
    const int64_t begun_us = sg_front_now_us();
    const bool is_signed = sign_and_check(entry, scheme, bytes, signature, error);

    figures->waited_us += sg_front_now_us() - begun_us;
    if (is_signed)
        figures->num_signed++;
    else
        figures->num_failed++;
    return is_signed;
}

static bool sign(void *context, enum sg_scheme scheme, struct sg_slice bytes,
                 struct sg_buf *signature, struct sg_error *error)
{
    const struct sg_front_signer *entry = context;
    struct sg_front_key *key = entry->key;
    sg_auto(sg_buf) struct sg_buf made = {0};
    struct sg_error why = {0};

    if (sg_front_now_ms(key->front) < key->rests_until_ms) {
        key->figures.num_failed++;
        return sg_fail(error, SG_TOKEN, NULL, "the issuer has not signed a moment ago");
    }
    if (sign_and_note(entry, scheme, bytes, &made, &why))
        return sg_buf_set(signature, sg_buf_slice(&made), error);
    key->rests_until_ms = sg_front_now_ms(key->front) + REST_MS;
    sg_log_say(key->front, "no handshakes for %d s, as the key of TLS can't be used: %s",
               REST_MS / 1000, why.text);
    return sg_fail(error, SG_TOKEN, NULL, "%s", why.text);
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

    key->front = front;
    return (key->maker != NULL || sg_pkey_maker_new(&key->maker, error)) &&
           get_signer(key, certificate, &signer, error) &&
           sg_signer_pkey(key->maker, signer, pkey, error);
}

void sg_front_key_close(struct sg_front *front)
{
    struct sg_front_key *key = &front->key;
    struct sg_front_signer *entry;

    hang_up(key);
    while ((entry = LIST_FIRST(&key->signers)) != NULL) {
        LIST_REMOVE(entry, in_list);
        sg_signer_close(entry->signer);
        free(entry);
    }
    sg_pkey_maker_free(key->maker);
    key->maker = NULL;
}
