#include "api.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

enum { RETRY_AFTER_S = 5 };

/* ---- the table ---- */

enum {
    TOKEN_SERVICE = SG_ROLE_TOKEN_SERVICE,
    OFFICER = SG_ROLE_OFFICER,
    READERS = SG_ROLE_AUDITOR | SG_ROLE_OFFICER,
    NOBODY_KNOWN = 0, /* an app: what it brings says who it is */
};

enum { NO_BODY = false, BODY = true };

static const char PAGE[] = " limit after ";

static const struct route {
    const char *method, *path; /* "*" stands for any segment */
    unsigned roles;
    bool takes_body;
    const char *queries; /* the keys that the URL's query may have: " a b "; NULL: none */
    sg_api_function *serve;
} ROUTES[] = {
    {"GET", "users/*/pin", TOKEN_SERVICE, NO_BODY, NULL, sg_api_ask_pin},
    {"POST", "pin", NOBODY_KNOWN, BODY, NULL, sg_api_choose_pin},
    {"POST", "tickets", TOKEN_SERVICE | OFFICER, BODY, NULL, sg_api_add_ticket},
    {"GET", "tickets", READERS, NO_BODY, " limit after state ", sg_api_list_tickets},
    {"POST", "tickets/*/drop", OFFICER, NO_BODY, NULL, sg_api_drop_ticket},
    {"GET", "devices", READERS, NO_BODY, PAGE, sg_api_list_records},
    {"POST", "devices", OFFICER, BODY, NULL, sg_api_add_record},
    {"GET", "devices/*", READERS, NO_BODY, NULL, sg_api_get_record},
    {"PATCH", "devices/*", OFFICER, BODY, NULL, sg_api_change_record},
    {"POST", "devices/*/disable", OFFICER, NO_BODY, NULL, sg_api_disable_record},
    {"POST", "devices/*/enable", OFFICER, NO_BODY, NULL, sg_api_enable_record},
    {"GET", "users", READERS, NO_BODY, PAGE, sg_api_list_records},
    {"POST", "users", OFFICER, BODY, NULL, sg_api_add_record},
    {"GET", "users/*", READERS, NO_BODY, NULL, sg_api_get_record},
    {"PATCH", "users/*", OFFICER, BODY, NULL, sg_api_change_record},
    {"POST", "users/*/disable", OFFICER, NO_BODY, NULL, sg_api_disable_record},
    {"POST", "users/*/enable", OFFICER, NO_BODY, NULL, sg_api_enable_record},
    {"GET", "requests", READERS, NO_BODY, " limit after state ", sg_api_list_requests},
    {"GET", "requests/*", READERS, NO_BODY, NULL, sg_api_get_request},
    {"POST", "requests/*/approve", OFFICER, BODY, NULL, sg_api_approve_request},
    {"POST", "requests/*/refuse", OFFICER, BODY, NULL, sg_api_refuse_request},
    {"GET", "certificates", READERS, NO_BODY,
     " limit after device user token policy issuer status ", sg_api_list_certificates},
    {"POST", "certificates", OFFICER, BODY, NULL, sg_api_issue},
    {"GET", "certificates/*", READERS, NO_BODY, " issuer ", sg_api_get_certificate},
    {"POST", "revocations", OFFICER, BODY, NULL, sg_api_revoke},
    {"POST", "releases", OFFICER, BODY, NULL, sg_api_release},
    {"POST", "cards/*/lost", OFFICER, BODY, NULL, sg_api_lose_card},
};

enum { NUM_ROUTES = sizeof ROUTES / sizeof ROUTES[0] };

static bool is_path(const struct sg_api_call *call, const char *path)
{
    for (size_t i = 0; i < call->num_segments; i++) {
        const size_t len = strcspn(path, "/");
        const bool is_last = path[len] == '\0';

        if (call->segments[i][0] == '\0' || is_last != (i + 1 == call->num_segments))
            return false;
        if ((len != 1 || path[0] != '*') &&
            (strlen(call->segments[i]) != len || memcmp(call->segments[i], path, len) != 0))
            return false;
        path += len + (is_last ? 0 : 1);
    }
    return true;
}

/* HEAD is GET, but for the body, which the front leaves out. */
static bool is_method(const char *method, const char *wanted)
{
    return strcmp(method, wanted) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(wanted, "GET") == 0);
}

/* RFC 9110 10.2.1 */
static const char *name_methods(const struct sg_api_call *call)
{
    bool get = false, post = false, patch = false;

    for (size_t i = 0; i < NUM_ROUTES; i++) {
        if (!is_path(call, ROUTES[i].path))
            continue;
        get = get || strcmp(ROUTES[i].method, "GET") == 0;
        post = post || strcmp(ROUTES[i].method, "POST") == 0;
        patch = patch || strcmp(ROUTES[i].method, "PATCH") == 0;
    }
    if (get)
        return post ? "GET, HEAD, POST" : patch ? "GET, HEAD, PATCH" : "GET, HEAD";
    return post ? "POST" : patch ? "PATCH" : NULL;
}

static bool find_route(struct sg_api_call *call, const struct route **route, struct sg_error *error)
{
    const char *method = sg_message_text(call->message, SG_WIRE_METHOD);

    for (size_t i = 0; i < NUM_ROUTES; i++)
        if (is_path(call, ROUTES[i].path) && is_method(method, ROUTES[i].method)) {
            *route = &ROUTES[i];
            return true;
        }
    call->allow = name_methods(call);
    if (call->allow == NULL)
        return sg_api_refuse(call, 404, error, NULL, "there is nothing of that name");
    return sg_api_refuse(call, 405, error, "RFC 9110 15.5.6", "it is asked by %s", call->allow);
}

/* ---- what holds for every call ---- */

bool sg_api_refuse(struct sg_api_call *call, unsigned status, struct sg_error *error,
                   const char *rule, const char *format, ...)
{
    va_list arguments;

    call->status = status;
    va_start(arguments, format);
    (void)sg_failv(error, SG_REFUSED, rule, format, arguments);
    va_end(arguments);
    return false;
}

static bool authorize(struct sg_api_call *call, const struct route *route, struct sg_error *error)
{
    if (route->roles == NOBODY_KNOWN)
        return true;
    if (!sg_api_identify(call, error)) {
        call->status = error->code == SG_UNAUTHENTICATED || error->code == SG_MALFORMED ? 401 : 0;
        return false;
    }
    return (route->roles & call->who->role) != 0 ||
           sg_api_refuse(call, 403, error, "role", "this is not for the role %s",
                         sg_role_word(call->who->role));
}

static bool check_queries(const struct sg_api_call *call, const struct route *route,
                          struct sg_error *error)
{
    for (size_t i = 0; i < call->num_queries; i++) {
        char word[64];

        (void)snprintf(word, sizeof word, " %.60s ", call->queries[i].key);
        if (route->queries == NULL || strstr(route->queries, word) == NULL)
            return sg_fail(error, SG_USAGE, "query", "there is no such key in the URL's query");
    }
    return true;
}

static bool take_body(struct sg_api_call *call, const struct route *route, struct sg_error *error)
{
    const struct sg_slice text = call->message->bytes[SG_WIRE_BODY];

    if (text.len == 0)
        return true;
    if (!route->takes_body)
        return sg_fail(error, SG_MALFORMED, "RFC 9110", "nothing is taken in a body here");
    return sg_json_parse(text, SG_LIMIT_JSON, &call->body, error);
}

bool sg_api_read(const struct sg_api_call *call, const struct sg_json_field *fields, void *into,
                 struct sg_error *error)
{
    return call->body != NULL
               ? sg_json_read(call->body, fields, into, error)
               : sg_fail(error, SG_MALFORMED, "RFC 8259", "there is no body, {…} in JSON");
}

bool sg_api_reply(struct sg_api_call *call, unsigned status, json_t *answer, struct sg_error *error)
{
    call->status = status;
    call->answer = answer;
    return answer != NULL || sg_fail_memory(error);
}

static bool serve(struct sg_api_call *call, struct sg_error *error)
{
    const struct route *route = ROUTES; /* until it is found; no NULL, which gcc 12 would follow */

    return sg_api_target(sg_message_text(call->message, SG_WIRE_TARGET), call, error) &&
           find_route(call, &route, error) && authorize(call, route, error) &&
           check_queries(call, route, error) && take_body(call, route, error) &&
           route->serve(call, error);
}

/* ---- answers ---- */

/* Of operators it is known who they are: what is not so with them is said in what they ask. */
static unsigned status_of(const struct sg_api_call *call, enum sg_code code)
{
    if (call->status >= 400)
        return call->status;
    switch (code) {
    case SG_MALFORMED:
    case SG_POSSESSION:
    case SG_KEY_QUALITY:
        return 400;
    case SG_UNAUTHENTICATED:
        return call->who != NULL ? 422 : 401;
    case SG_USAGE:
        return 422;
    case SG_REFUSED:
        return 409;
    case SG_TOKEN:
    case SG_PIN:
    case SG_STORE:
        return 503;
    default:
        return 500;
    }
}

/* Who did it stands before what was done, or why it was not. */
static void put_text(const struct sg_api_call *call, const char *text, struct sg_message *answer,
                     char into[SG_ERROR_TEXT_SIZE])
{
    (void)snprintf(into, SG_ERROR_TEXT_SIZE, "%.128s%s%.*s",
                   call->who != NULL ? call->who->name : "", call->who != NULL ? ": " : "",
                   SG_ERROR_TEXT_SIZE - SG_LIMIT_PERSON - 8, text);
    sg_message_set_text(answer, SG_WIRE_TEXT, sg_text_make_printable(into));
}

static void answer_refusal(const struct sg_api_call *call, struct sg_errand *errand,
                           struct sg_error *why)
{
    struct sg_message answer = {.type = SG_WIRE_ANSWER, .id = errand->message.id};
    const unsigned status = status_of(call, why->code);
    char text[SG_ERROR_TEXT_SIZE];

    sg_message_set_number(&answer, SG_WIRE_STATUS, status);
    if (status == 503)
        sg_message_set_number(&answer, SG_WIRE_RETRY_AFTER, RETRY_AFTER_S);
    put_text(call, why->text, &answer, text);
    sg_message_set_text(&answer, SG_WIRE_ALLOW, call->allow);
    if (status < 500 && why->rule[0] != '\0')
        sg_message_set_text(&answer, SG_WIRE_RULE, sg_text_make_printable(why->rule));
    if (status < 500 && call->who != NULL)
        sg_message_set_text(&answer, SG_WIRE_DETAIL, sg_text_make_printable(why->text));
    (void)!sg_message_encode(&answer, SG_WIRE_ISSUER, &errand->answer, NULL);
}

/* It may hold a ticket. */
static void answer_well(const struct sg_api_call *call, struct sg_errand *errand)
{
    struct sg_message answer = {.type = SG_WIRE_ANSWER, .id = errand->message.id};
    const size_t len = call->answer != NULL ? json_dumpb(call->answer, NULL, 0, JSON_COMPACT) : 0;
    char *body = malloc(len + 1), text[SG_ERROR_TEXT_SIZE];

    if (body == NULL)
        return; /* then the front waits in vain, and says so */
    sg_message_set_number(&answer, SG_WIRE_STATUS, call->status);
    if (len > 0) {
        (void)json_dumpb(call->answer, body, len, JSON_COMPACT);
        sg_message_set_text(&answer, SG_WIRE_MEDIA_TYPE, "application/json");
        sg_message_set_bytes(&answer, SG_WIRE_BODY, sg_slice_of(body, len));
    }
    if (call->retry_after > 0)
        sg_message_set_number(&answer, SG_WIRE_RETRY_AFTER, call->retry_after);
    if (call->has_job)
        sg_message_set_text(&answer, SG_WIRE_SERIAL,
                            json_string_value(json_object_get(call->answer, "serial")));
    put_text(call, call->said, &answer, text);
    (void)!sg_message_encode(&answer, SG_WIRE_ISSUER, &errand->answer, NULL);
    OPENSSL_cleanse(body, len + 1);
    free(body);
}

void sg_api_call_free(struct sg_api_call *call)
{
    if (call == NULL)
        return;
    json_decref(call->body);
    json_decref(call->answer);
    sg_secret_free(call->challenge);
    free(call);
}

bool sg_api_begin(struct sg_desk *desk, struct sg_errand *errand, struct sg_job *job)
{
    sg_auto(sg_api_call) struct sg_api_call *call = calloc(1, sizeof *call);
    struct sg_error why = {0};
    bool is_served;

    if (call == NULL) {
        (void)sg_fail_memory(&why);
        sg_answer_refusal(errand, &why);
        return false;
    }
    call->desk = desk;
    call->message = &errand->message;
    call->store = sg_home_store(desk->home);
    call->now = sg_clock_now(&desk->issuing.clock);
    call->job = job;
    is_served = serve(call, &why);
    desk->must_end = desk->must_end || why.code == SG_TOKEN || why.code == SG_PIN;
    if (is_served && call->has_job) {
        sg_api_call_free(errand->call); /* of an earlier try */
        errand->call = SG_TAKE(call);
        return true;
    }
    if (is_served)
        answer_well(call, errand);
    else
        answer_refusal(call, errand, &why);
    return false;
}

void sg_api_end(struct sg_errand *errand, const struct sg_job *job)
{
    struct sg_error why = {0};

    if (sg_api_tell_job(errand->call, job, &why))
        answer_well(errand->call, errand);
    else
        answer_refusal(errand->call, errand, &why);
}
