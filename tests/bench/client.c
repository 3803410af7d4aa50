#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { MOST_REPLY = 16 * 1024, MOST_EVENTS = 64, LONGEST_MS = 30000 };

enum phase { SHAKING, READY, SENDING, READING };

struct connection {
    SSL *ssl; /* has the socket */
    enum phase phase;
    struct client_request *request; /* under way, or NULL */
    double begun;
    char reply[MOST_REPLY];
    size_t len;
};

struct client {
    SSL_CTX *tls;
    int epoll;
    struct sockaddr_in address;
    struct connection *connections;
    size_t num_connections;
    struct client_request *requests;
    size_t num, num_taken, num_done;
    bool anew;
};

static double now(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

/* ---- connections ---- */

static void hang_up(struct connection *connection)
{
    const int fd = connection->ssl != NULL ? SSL_get_fd(connection->ssl) : -1;

    SSL_free(connection->ssl);
    if (fd >= 0)
        close(fd); /* which takes it out of epoll */
    connection->ssl = NULL;
}

static int open_socket(const struct sockaddr_in *address, bool blocks)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
        (blocks || fcntl(fd, F_SETFL, O_NONBLOCK) == 0))
        return fd;
    close(fd);
    return -1;
}

/* request  who connects, when the connection is for that alone. */
static bool connect_to(struct client *client, struct connection *connection,
                       const struct client_request *request, struct sg_error *error)
{
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = connection}};
    const int fd = open_socket(&client->address, false);

    if (fd < 0)
        return sg_fail_errno(error, "can't connect");
    connection->ssl = SSL_new(client->tls);
    if (connection->ssl == NULL || SSL_set_fd(connection->ssl, fd) != 1) {
        close(fd);
        return sg_fail_openssl(error, SG_FAILED, NULL, "TLS can't be set up");
    }
    if (request != NULL && request->certificate != NULL &&
        (SSL_use_certificate(connection->ssl, request->certificate) != 1 ||
         SSL_use_PrivateKey(connection->ssl, request->key) != 1))
        return sg_fail_openssl(error, SG_FAILED, NULL, "the client's certificate can't be used");
    SSL_set_connect_state(connection->ssl);
    connection->phase = SHAKING;
    return epoll_ctl(client->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ||
           sg_fail_errno(error, "epoll");
}

/* ---- one request ---- */

/* Gives a connection the next request; one for that alone is made for it. */
static bool take_next(struct client *client, struct connection *connection, struct sg_error *error)
{
    struct client_request *request;

    if (client->num_taken == client->num)
        return true;
    request = &client->requests[client->num_taken++];
    connection->request = request;
    connection->len = 0;
    connection->begun = now();
    if (client->anew)
        return connect_to(client, connection, request, error);
    connection->phase = SENDING;
    return true;
}

static bool refuse(const struct connection *connection, struct sg_error *error)
{
    return sg_fail(error, SG_FAILED, NULL, "the service answers: %.*s", (int)connection->len,
                   connection->reply);
}

/* Does the reply end with the last chunk? Its body stays as it came, in chunks. */
static bool has_last_chunk(const struct connection *connection, size_t head)
{
    static const char LAST[] = "\r\n0\r\n\r\n";
    const size_t len = sizeof LAST - 1;

    return connection->len - head >= len &&
           memcmp(connection->reply + connection->len - len, LAST, len) == 0;
}

/* Is the reply all there? */
static bool is_whole(const struct connection *connection, struct sg_slice *body)
{
    static const char LENGTH[] = "\r\nContent-Length: ",
                      CHUNKED[] = "\r\nTransfer-Encoding: chunked";
    const char *end = memmem(connection->reply, connection->len, "\r\n\r\n", 4);
    const size_t head = end != NULL ? (size_t)(end + 4 - connection->reply) : 0;
    const char *length = memmem(connection->reply, head, LENGTH, sizeof LENGTH - 1);

    if (head == 0)
        return false;
    *body = sg_slice_of(connection->reply + head, connection->len - head);
    if (length == NULL)
        return memmem(connection->reply, head, CHUNKED, sizeof CHUNKED - 1) != NULL &&
               has_last_chunk(connection, head);
    body->len = strtoul(length + sizeof LENGTH - 1, NULL, 10);
    return connection->len - head >= body->len;
}

static bool finish(struct client *client, struct connection *connection, struct sg_slice body,
                   struct sg_error *error)
{
    static const char DONE[] = "HTTP/1.1 20"; /* 200 or 201 */
    struct client_request *request = connection->request;

    if (memcmp(connection->reply, DONE, sizeof DONE - 1) != 0 || connection->reply[11] > '1')
        return refuse(connection, error);
    request->seconds = now() - connection->begun;
    client->num_done++;
    connection->request = NULL;
    connection->phase = READY;
    if (client->anew)
        hang_up(connection);
    return sg_buf_set(&request->reply, body, error) && take_next(client, connection, error);
}

/* ---- the loop ---- */

/* Of an SSL_ function's result: it goes on later. */
static bool must_wait(const struct connection *connection, int result)
{
    const int why = SSL_get_error(connection->ssl, result);

    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static int step(struct connection *connection)
{
    const struct sg_slice message =
        connection->phase == SENDING ? connection->request->message : (struct sg_slice){0};
    int result;

    switch (connection->phase) {
    case SHAKING:
        return SSL_do_handshake(connection->ssl);
    case SENDING:
        return SSL_write(connection->ssl, message.data, (int)message.len);
    default:
        result = SSL_read(connection->ssl, connection->reply + connection->len,
                          (int)(MOST_REPLY - connection->len));
        connection->len += result > 0 ? (size_t)result : 0;
        return result;
    }
}

/* Until the socket has to be waited for, or nothing is left to do. */
static bool advance(struct client *client, struct connection *connection, struct sg_error *error)
{
    struct sg_slice body;

    while (connection->ssl != NULL && connection->phase != READY) {
        const int result = step(connection);

        if (result <= 0)
            return must_wait(connection, result) ||
                   sg_fail_openssl(error, SG_FAILED, NULL,
                                   "the service has closed a connection after %zu of %zu requests",
                                   client->num_done, client->num);
        if (connection->phase == SHAKING)
            connection->phase = connection->request != NULL ? SENDING : READY;
        else if (connection->phase == SENDING)
            connection->phase = READING;
        else if (is_whole(connection, &body) && !finish(client, connection, body, error))
            return false;
    }
    return true;
}

static bool serve_events(struct client *client, struct sg_error *error)
{
    struct epoll_event events[MOST_EVENTS];
    const int num = epoll_wait(client->epoll, events, MOST_EVENTS, LONGEST_MS);

    if (num <= 0)
        return sg_fail(error, SG_FAILED, NULL, "the service is silent for %d s, after %zu of %zu",
                       LONGEST_MS / 1000, client->num_done, client->num);
    for (int i = 0; i < num; i++)
        if (!advance(client, events[i].data.ptr, error))
            return false;
    return true;
}

/* ---- setting up ---- */

static void client_done(struct client *client)
{
    for (size_t i = 0; i < client->num_connections; i++)
        hang_up(&client->connections[i]);
    free(client->connections);
    SSL_CTX_free(client->tls);
    if (client->epoll >= 0)
        close(client->epoll);
}
SG_DEFINE_CLEANUP_IN_PLACE(client, client_done)

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static bool set_up(struct client *client, size_t num_connections, struct sg_error *error)
{
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    client->tls = SSL_CTX_new(TLS_client_method());
    client->connections = calloc(num_connections, sizeof *client->connections);
    if (client->epoll < 0 || client->tls == NULL || client->connections == NULL)
        return sg_fail_memory(error);
    client->num_connections = num_connections;
    SSL_CTX_set_session_cache_mode(client->tls, SSL_SESS_CACHE_OFF);
    return true;
}

/* Connects those that are kept, and waits for their handshakes. */
static bool connect_all(struct client *client, struct sg_error *error)
{
    for (size_t i = 0; i < client->num_connections; i++)
        if (!connect_to(client, &client->connections[i], NULL, error))
            return false;
    for (size_t i = 0; i < client->num_connections; i++)
        while (client->connections[i].phase != READY)
            if (!serve_events(client, error))
                return false;
    return true;
}

bool client_run(unsigned port, struct client_request *requests, size_t num, size_t num_connections,
                bool anew, double *seconds, struct sg_error *error)
{
    sg_auto(client) struct client client = {
        .epoll = -1, .address = loopback(port), .requests = requests, .num = num, .anew = anew};
    double begun;

    if (!set_up(&client, num_connections, error) || (!anew && !connect_all(&client, error)))
        return false;
    begun = now();
    for (size_t i = 0; i < num_connections; i++)
        if (!take_next(&client, &client.connections[i], error) ||
            !advance(&client, &client.connections[i], error))
            return false;
    while (client.num_done < num)
        if (!serve_events(&client, error))
            return false;
    *seconds = now() - begun;
    return true;
}

/* ---- idle connections ---- */

struct client_idle {
    SSL_CTX *tls;
    size_t num;
    struct connection connections[];
};

static bool say_hello(const struct sockaddr_in *address, SSL_CTX *tls,
                      struct connection *connection)
{
    static const char HELLO[] = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const int fd = open_socket(address, true);

    if (fd < 0)
        return false;
    connection->ssl = SSL_new(tls);
    if (connection->ssl == NULL || SSL_set_fd(connection->ssl, fd) != 1) {
        close(fd);
        return false;
    }
    return SSL_connect(connection->ssl) == 1 &&
           SSL_write(connection->ssl, HELLO, sizeof HELLO - 1) > 0 &&
           SSL_read(connection->ssl, connection->reply, MOST_REPLY) > 0;
}

bool client_idle_open(unsigned port, size_t num, struct client_idle **idle, struct sg_error *error)
{
    const struct sockaddr_in address = loopback(port);
    struct client_idle *fresh = calloc(1, sizeof *fresh + num * sizeof fresh->connections[0]);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->num = num;
    fresh->tls = SSL_CTX_new(TLS_client_method());
    for (size_t i = 0; fresh->tls != NULL && i < num; i++)
        if (!say_hello(&address, fresh->tls, &fresh->connections[i])) {
            client_idle_close(fresh);
            return sg_fail_openssl(error, SG_FAILED, NULL, "idle connection %zu fails", i + 1);
        }
    *idle = fresh;
    return true;
}

void client_idle_close(struct client_idle *idle)
{
    if (idle == NULL)
        return;
    for (size_t i = 0; i < idle->num; i++)
        hang_up(&idle->connections[i]);
    SSL_CTX_free(idle->tls);
    free(idle);
}
