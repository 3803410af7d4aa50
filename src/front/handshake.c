/* handshake: how a connection begins whose key of TLS is on a token.
 *
 * libevent's buffer for TLS gives a connection up when a handshake waits for anything but the
 * socket. So the handshake is made beside it, on its socket and with its SSL, while the buffer does
 * not read. OpenSSL runs it on a stack of its own (SSL_MODE_ASYNC), which rests while the issuer
 * signs; many can. When it is over the buffer reads again: the first thing it asks OpenSSL is how
 * the handshake stands, and it goes on, or tells evhttp that the connection has failed.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "parts.h"

static void release(struct sg_handshake *handshake)
{
    event_free(handshake->event);
    sg_buf_free(&handshake->signature);
    free(handshake);
}

static void finish(struct sg_handshake *handshake)
{
    struct sg_visit *visit = handshake->visit;

    SSL_clear_mode(handshake->ssl, SSL_MODE_ASYNC);
    visit->handshake = NULL;
    release(handshake);
    bufferevent_enable(visit->buffer, EV_READ);
}

static void note_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    sg_handshake_go_on(context);
}

static void wait_for(struct sg_handshake *handshake, short what)
{
    struct bufferevent *buffer = handshake->visit->buffer;

    event_assign(handshake->event, handshake->visit->front->base, bufferevent_getfd(buffer), what,
                 note_ready, handshake);
    event_add(handshake->event, NULL);
}

/* Returns what stops it: one of SSL_ERROR_. */
static int advance(struct sg_handshake *handshake)
{
    struct sg_front *front = handshake->visit->front;
    int result;

    ERR_clear_error();
    front->shaking = handshake;
    result = SSL_do_handshake(handshake->ssl);
    front->shaking = NULL;
    /* SSL_get_error would first name an error that was met, and got over, before the rest. */
    return SSL_waiting_for_async(handshake->ssl) ? SSL_ERROR_WANT_ASYNC
                                                 : SSL_get_error(handshake->ssl, result);
}

void sg_handshake_go_on(struct sg_handshake *handshake)
{
    int stopped_by = advance(handshake);

    while (stopped_by == SSL_ERROR_WANT_ASYNC && !sg_front_key_ask(handshake))
        stopped_by = advance(handshake);
    switch (stopped_by) {
    case SSL_ERROR_WANT_ASYNC:
        return;
    case SSL_ERROR_WANT_READ:
        wait_for(handshake, EV_READ);
        return;
    case SSL_ERROR_WANT_WRITE:
        wait_for(handshake, EV_WRITE);
        return;
    case SSL_ERROR_NONE:
        break;
    default:
        shutdown(bufferevent_getfd(handshake->visit->buffer), SHUT_RDWR);
    }
    finish(handshake);
}

/* evhttp has let the buffer read, of a socket that nothing was read from yet. */
static void begin(evutil_socket_t fd, short what, void *context)
{
    struct sg_handshake *handshake = context;

    (void)fd;
    (void)what;
    bufferevent_disable(handshake->visit->buffer, EV_READ);
    sg_handshake_go_on(handshake);
}

/* evhttp asks for the buffer first. What is made active in a turn of the loop runs before the loop
 * looks at sockets again. */
void sg_handshake_begin(struct sg_visit *visit)
{
    struct sg_handshake *handshake = calloc(1, sizeof *handshake);

    if (handshake == NULL ||
        (handshake->event = event_new(visit->front->base, -1, 0, begin, handshake)) == NULL)
        abort(); /* as sg_visit_begin does */
    handshake->visit = visit;
    handshake->ssl = bufferevent_openssl_get_ssl(visit->buffer);
    visit->handshake = handshake;
    event_active(handshake->event, EV_TIMEOUT, 0);
}

void sg_handshake_stop(struct sg_handshake *handshake)
{
    if (handshake != NULL && sg_front_key_drop(handshake))
        sg_handshake_go_on(handshake);
}

/* An SSL whose stack still rests can't be freed. */
void sg_handshake_free(struct sg_handshake *handshake)
{
    if (handshake == NULL)
        return;
    if (sg_front_key_drop(handshake))
        (void)advance(handshake);
    release(handshake);
}
