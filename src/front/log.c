/* log: one line for each request, and one for what happens to the service.
 *
 * The lines of requests that are answered in one turn of the loop are one write, which is made
 * before the loop sends any of these answers. What is written at once is never longer than a pipe
 * takes whole, as the issuer's lines may go down the same one.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "parts.h"

enum { LINE_SIZE = PIPE_BUF };

static void write_out(struct sg_front_log *log)
{
    if (log->len > 0)
        (void)!write(STDERR_FILENO, log->lines, log->len);
    log->len = 0;
}

static void note_turn(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    write_out(context);
}

bool sg_log_begin(struct sg_front *front, struct sg_error *error)
{
    front->log.turn = event_new(front->base, -1, 0, note_turn, &front->log);
    return front->log.turn != NULL || sg_fail_memory(error);
}

void sg_log_end(struct sg_front *front)
{
    write_out(&front->log);
    if (front->log.turn != NULL)
        event_free(front->log.turn);
    front->log.turn = NULL;
}

static void add_line(struct sg_front_log *log, char line[LINE_SIZE], size_t len)
{
    len = len < LINE_SIZE - 1 ? len : LINE_SIZE - 2;
    line[len++] = '\n';
    if (log->len + len > sizeof log->lines)
        write_out(log);
    memcpy(log->lines + log->len, line, len);
    log->len += len;
}

/* What a stranger sent must neither end a line nor look like another field of it. */
static const char *safe(const char *text, char into[512])
{
    snprintf(into, 512, "%s", text != NULL ? text : "");
    sg_text_make_printable(into);
    for (char *at = into; *at != '\0'; at++)
        if (*at == '"')
            *at = '\'';
    return into;
}

static size_t add(char line[LINE_SIZE], size_t at, const char *name, const char *value)
{
    char text[512];
    int num;

    if (value == NULL || at >= LINE_SIZE)
        return at;
    num = snprintf(line + at, LINE_SIZE - at, " %s=\"%s\"", name, safe(value, text));
    return at + (num > 0 ? (size_t)num : 0);
}

static void add_plain(const struct sg_exchange *exchange, const char *moment, const char *id,
                      unsigned status, int64_t took_us, size_t octets, const struct sg_reply *reply)
{
    char line[LINE_SIZE], uri[512];
    size_t at =
        (size_t)snprintf(line, sizeof line, "%s %s %s %s \"%s\" %u %zu %lld.%03lldms", moment, id,
                         exchange->peer, exchange->method, safe(exchange->uri, uri), status, octets,
                         (long long)(took_us / 1000), (long long)(took_us % 1000));

    at = add(line, at, "serial", reply->serial);
    at = add(line, at, "rule", reply->rule);
    at = add(line, at, "text", reply->text);
    if (exchange->http == NULL)
        at = add(line, at, "note", "the client had gone");
    add_line(&exchange->front->log, line, at);
}

static void set(json_t *object, const char *name, const char *value)
{
    char text[512];

    if (value != NULL)
        json_object_set_new(object, name, json_string(safe(value, text)));
}

static void add_json(const struct sg_exchange *exchange, const char *moment, const char *id,
                     unsigned status, int64_t took_us, size_t octets, const struct sg_reply *reply)
{
    json_t *object = json_object();
    char line[LINE_SIZE];

    set(object, "time", moment);
    set(object, "id", id);
    set(object, "peer", exchange->peer);
    set(object, "method", exchange->method);
    set(object, "uri", exchange->uri);
    json_object_set_new(object, "status", json_integer(status));
    json_object_set_new(object, "octets", json_integer((json_int_t)octets));
    json_object_set_new(object, "us", json_integer(took_us));
    set(object, "serial", reply->serial);
    set(object, "rule", reply->rule);
    set(object, "text", reply->text);
    json_object_set_new(object, "answered", json_boolean(exchange->http != NULL));
    const size_t len =
        json_dumpb(object, line, sizeof line - 1, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (len > 0)
        add_line(&exchange->front->log, line, len);
    json_decref(object);
}

void sg_log_exchange(const struct sg_exchange *exchange, unsigned status, int64_t took_us,
                     size_t octets, const struct sg_reply *reply)
{
    const struct sg_clock clock = {0};
    char moment[SG_TIME_TEXT_SIZE], id[20];

    sg_time_text(sg_clock_now(&clock), moment);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)exchange->id);
    if (exchange->front->config.service.log == SG_LOG_JSON)
        add_json(exchange, moment, id, status, took_us, octets, reply);
    else
        add_plain(exchange, moment, id, status, took_us, octets, reply);
    /* Only the loop's next turn finds the sockets that take what is to be sent. */
    event_active(exchange->front->log.turn, EV_TIMEOUT, 0);
}

/* At once. */
static void say(enum sg_log_format format, char *text)
{
    const struct sg_clock clock = {0};
    struct sg_front_log log = {0};
    char moment[SG_TIME_TEXT_SIZE], line[LINE_SIZE];
    int len;

    sg_text_make_printable(text);
    sg_time_text(sg_clock_now(&clock), moment);
    if (format == SG_LOG_JSON) {
        json_t *object = json_pack("{s:s, s:s}", "time", moment, "front", text);

        len = (int)json_dumpb(object, line, sizeof line - 1, JSON_COMPACT | JSON_PRESERVE_ORDER);
        json_decref(object);
    } else
        len = snprintf(line, sizeof line, "%s front: %s", moment, text);
    add_line(&log, line, len > 0 ? (size_t)len : 0);
    write_out(&log);
}

void sg_log_say(const struct sg_front *front, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say(front->config.service.log, text);
}

/* ---- libevent's warnings, with which it gives nothing of ours ---- */

static void say_of_libevent(enum sg_log_format format, int severity, const char *warning)
{
    char text[512];

    snprintf(text, sizeof text, "libevent: %s", warning);
    if (severity >= EVENT_LOG_WARN)
        say(format, text);
}

static void say_of_libevent_plain(int severity, const char *warning)
{
    say_of_libevent(SG_LOG_PLAIN, severity, warning);
}

static void say_of_libevent_in_json(int severity, const char *warning)
{
    say_of_libevent(SG_LOG_JSON, severity, warning);
}

void sg_log_take_warnings(const struct sg_front *front)
{
    event_set_log_callback(front->config.service.log == SG_LOG_JSON ? say_of_libevent_in_json
                                                                    : say_of_libevent_plain);
}
