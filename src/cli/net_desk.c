/* In signet-est: the commands that are given at a desk, with --url, as questions to the API. */
#include "net_desk.h"

#include <string.h>

#include "net.h"
#include "open.h"

/* ---- what is sent ---- */

/* sg_cli_append for objects: takes over value; NULL goes on being NULL. */
static bool put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static bool put_text(json_t *object, const char *key, const char *text)
{
    return text == NULL || put(object, key, sg_json_text(text));
}

/* The number of a request or ticket, as the list has it. */
static bool read_id(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    int64_t id = 0;

    (void)body;
    return sg_cli_id(cli->operands[0], &id, error);
}

static bool read_decision(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(json_t) json_t *fresh = json_object();

    if (!read_id(cli, NULL, error))
        return false;
    if (fresh == NULL || !put_text(fresh, "reason", sg_cli_text(cli, "reason")))
        return sg_fail_memory(error);
    *body = SG_TAKE(fresh);
    return true;
}

static bool read_refusal(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    const char *reason = NULL;

    return sg_cli_need(cli, "reason", &reason, error) && read_decision(cli, body, error);
}

static bool read_ticket(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(json_t) json_t *fresh = json_object();
    struct sg_ticket_order order;

    if (!sg_cli_ticket_order(cli, &order, error))
        return false;
    if (fresh == NULL || !put_text(fresh, "policy", order.policy) ||
        !put_text(fresh, "device", order.device) || !put_text(fresh, "user", order.user) ||
        !put_text(fresh, "token", order.token) ||
        (order.lifetime_s != 0 && !put(fresh, "lifetime", json_integer(order.lifetime_s))) ||
        (order.tries != 0 && !put(fresh, "pin_tries", json_integer(order.tries))) ||
        (order.without_pin && !put(fresh, "asks_pin", json_false())))
        return sg_fail_memory(error);
    *body = SG_TAKE(fresh);
    return true;
}

/* A change of a record tells by null what is taken away. */
static json_t *values_of(const struct sg_record *record, bool is_change)
{
    sg_auto(json_t) json_t *values = json_object();

    if (values == NULL)
        return NULL;
    for (size_t i = 0; i < record->num_attributes; i++) {
        const struct sg_attribute *attribute = &record->attributes[i];
        const bool is_gone = is_change && attribute->value[0] == '\0';

        if (!put(values, attribute->name, is_gone ? json_null() : sg_json_text(attribute->value)))
            return NULL;
    }
    return SG_TAKE(values);
}

static bool read_record(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};

    if (!sg_cli_record(cli, &record, error))
        return false;
    *body =
        json_pack("{s:o, s:o}", "id", sg_json_text(record.id), "values", values_of(&record, false));
    return *body != NULL || sg_fail_memory(error);
}

static bool read_changes(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};

    if (!sg_cli_record(cli, &record, error))
        return false;
    *body = json_pack("{s:o}", "values", values_of(&record, true));
    return *body != NULL || sg_fail_memory(error);
}

static bool read_pin(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    (void)body;
    if (sg_cli_has(cli, "set") || sg_cli_has(cli, "clear") || sg_cli_has(cli, "device"))
        return sg_fail(error, SG_USAGE, NULL,
                       "--url: a PIN is chosen by its user's app, or at the CA itself; from here "
                       "there is --state");
    return true;
}

/* ---- what is told ---- */

static bool tell_decision(const struct sg_cli *cli, json_t *answer, struct sg_error *error)
{
    (void)error;
    sg_cli_tell_decision(cli, sg_cli_text_of(answer, "decided_by"));
    json_decref(answer);
    return true;
}

static bool tell_drop(const struct sg_cli *cli, json_t *answer, struct sg_error *error)
{
    (void)error;
    sg_cli_tell_drop(cli);
    json_decref(answer);
    return true;
}

static bool tell_change(const struct sg_cli *cli, json_t *answer, struct sg_error *error)
{
    (void)error;
    sg_cli_tell_record_change(cli);
    json_decref(answer);
    return true;
}

static bool tell_record(const struct sg_cli *cli, json_t *answer, struct sg_error *error)
{
    return sg_cli_tell_one(cli, &SG_RECORD_FORM, answer, error);
}

/* The service does not tell at which device it was chosen. */
static bool tell_pin(const struct sg_cli *cli, json_t *answer, struct sg_error *error)
{
    json_t *state =
        json_pack("{s:O?, s:O?, s:O?}", "user", json_object_get(answer, "user"), "pin",
                  json_object_get(answer, "has_pin"), "chosen", json_object_get(answer, "chosen"));

    json_decref(answer);
    return sg_cli_tell_pin(cli, state, error);
}

/* ---- lists ---- */

static bool tell_list(struct sg_desk_errand *errand, const struct sg_cli_form *form,
                      const char *query, struct sg_error *error)
{
    sg_auto(sg_cli_list) struct sg_cli_list list = {0};
    sg_auto(json_t) json_t *things = NULL;
    const bool only_open = sg_cli_has(errand->cli, "open");
    json_t *thing;
    size_t i;

    if (!sg_desk_gather(errand, query, errand->operation->path, &things, error) ||
        !sg_cli_list_begin(errand->cli, form, &list, error))
        return false;
    json_array_foreach(things, i, thing)
    {
        const char *state = sg_cli_text_of(thing, "state");

        if (only_open && strcmp(state, "open") != 0 && strcmp(state, "waiting") != 0)
            continue;
        if (!sg_cli_list_add(&list, json_incref(thing), error))
            return false;
    }
    return sg_cli_list_end(&list, error);
}

static bool list_requests(struct sg_desk_errand *errand, struct sg_error *error)
{
    return tell_list(errand, &SG_REQUEST_FORM, sg_cli_has(errand->cli, "all") ? "state=all&" : "",
                     error);
}

static bool list_tickets(struct sg_desk_errand *errand, struct sg_error *error)
{
    return tell_list(errand, &SG_TICKET_FORM, "", error);
}

static bool list_records(struct sg_desk_errand *errand, struct sg_error *error)
{
    return tell_list(errand, &SG_RECORD_FORM, "", error);
}

/* ---- the table ---- */

static const struct sg_operation OPERATIONS[] = {
    {"request list", "GET", "requests", NULL, NULL, NULL, list_requests},
    {"request show", "GET", "requests/*", "id", read_id, sg_cli_tell_request, NULL},
    {"request approve", "POST", "requests/*/approve", "decided_by", read_decision, tell_decision,
     NULL},
    {"request refuse", "POST", "requests/*/refuse", "decided_by", read_refusal, tell_decision,
     NULL},
    {"ticket list", "GET", "tickets", NULL, NULL, NULL, list_tickets},
    {"ticket add", "POST", "tickets", "ticket", read_ticket, sg_cli_tell_new_ticket, NULL},
    {"ticket drop", "POST", "tickets/*/drop", NULL, read_id, tell_drop, NULL},
    {"device list", "GET", "devices", NULL, NULL, NULL, list_records},
    {"device show", "GET", "devices/*", "id", NULL, tell_record, NULL},
    {"device add", "POST", "devices", "id", read_record, tell_change, NULL},
    {"device set", "PATCH", "devices/*", "id", read_changes, tell_change, NULL},
    {"device disable", "POST", "devices/*/disable", "id", NULL, tell_change, NULL},
    {"device enable", "POST", "devices/*/enable", "id", NULL, tell_change, NULL},
    {"user list", "GET", "users", NULL, NULL, NULL, list_records},
    {"user show", "GET", "users/*", "id", NULL, tell_record, NULL},
    {"user add", "POST", "users", "id", read_record, tell_change, NULL},
    {"user set", "PATCH", "users/*", "id", read_changes, tell_change, NULL},
    {"user disable", "POST", "users/*/disable", "id", NULL, tell_change, NULL},
    {"user enable", "POST", "users/*/enable", "id", NULL, tell_change, NULL},
    {"user pin", "GET", "users/*/pin", "has_pin", read_pin, tell_pin, NULL},
    {"list", "GET", "certificates", NULL, sg_desk_read_list, NULL, sg_desk_list},
    {"issue", "POST", "certificates", "outcome", sg_desk_read_issue, NULL, sg_desk_issue},
    {"revoke", "POST", "revocations", "revoked", sg_desk_read_revocation, NULL, sg_desk_revoke},
    {"release", "POST", "releases", "released", sg_desk_read_release, NULL, sg_desk_revoke},
    {"card lost", "POST", "cards/*/lost", "tickets", sg_desk_read_loss, sg_desk_tell_loss, NULL},
};

static bool find_operation(const struct sg_cli *cli, const struct sg_operation **operation,
                           struct sg_error *error)
{
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++)
        if (strcmp(OPERATIONS[i].words, cli->command->words) == 0) {
            *operation = &OPERATIONS[i];
            return true;
        }
    return sg_fail(error, SG_INTERNAL, NULL, "signet %s has no row in the desk's table",
                   cli->command->words);
}

/* ---- asking ---- */

static bool make_path(const struct sg_desk_errand *errand, struct sg_buf *path,
                      struct sg_error *error)
{
    const char *pattern = errand->operation->path;
    const int before = (int)strcspn(pattern, "*");

    return sg_buf_printf(path, SG_LIMIT_TARGET, error, "%.*s", before, pattern) &&
           (pattern[before] == '\0' ||
            (sg_remote_escape(errand->cli->operands[0], path, error) &&
             sg_buf_printf(path, SG_LIMIT_TARGET, error, "%s", pattern + before + 1)));
}

/* Else what nobody has done would be told as done. */
static bool check_says(const struct sg_operation *operation, const json_t *answer,
                       struct sg_error *error)
{
    const json_t *said = operation->says != NULL ? json_object_get(answer, operation->says) : NULL;

    return operation->says == NULL || (said != NULL && !json_is_null(said)) ||
           sg_fail(error, SG_FAILED, NULL, "the service's answer does not say what came of it (%s)",
                   operation->says);
}

bool sg_desk_ask(struct sg_desk_errand *errand, json_t *body, json_t **answer,
                 struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf path = {0};
    sg_auto(json_t) json_t *fresh = NULL;

    if (!make_path(errand, &path, error))
        return false;
    const struct sg_remote_call call = {
        .method = errand->operation->method, .path = (const char *)path.data, .body = body};
    if (!sg_remote_ask(errand->remote, &call, &fresh, error) ||
        !check_says(errand->operation, fresh, error))
        return false;
    *answer = SG_TAKE(fresh);
    return true;
}

static bool ask_page(struct sg_desk_errand *errand, const char *query, const char *after,
                     json_t **page, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf whole = {0};

    if (!sg_buf_printf(&whole, SG_LIMIT_TARGET, error, "%slimit=%d", query, SG_LIMIT_LISTED) ||
        (after != NULL && (!sg_buf_printf(&whole, SG_LIMIT_TARGET, error, "&after=") ||
                           !sg_remote_escape(after, &whole, error))))
        return false;
    const struct sg_remote_call call = {
        .method = "GET", .path = errand->operation->path, .query = (const char *)whole.data};
    return sg_remote_ask(errand->remote, &call, page, error);
}

static bool take_page(const json_t *page, const char *noun, json_t *things, struct sg_error *error)
{
    json_t *items = json_object_get(page, noun);

    if (!json_is_array(items))
        return sg_fail(error, SG_FAILED, NULL, "the service's answer has no list of %s", noun);
    if (json_array_size(things) + json_array_size(items) > SG_LIMIT_FETCHED)
        return sg_fail(error, SG_FAILED, NULL,
                       "there are more than %d %s; say which, or look at the CA itself",
                       SG_LIMIT_FETCHED, noun);
    return json_array_extend(things, items) == 0 || sg_fail_memory(error);
}

/* A page without anything in it is the last one, whatever it says. */
bool sg_desk_gather(struct sg_desk_errand *errand, const char *query, const char *noun,
                    json_t **things, struct sg_error *error)
{
    sg_auto(json_t) json_t *fresh = json_array();
    sg_auto(json_t) json_t *page = NULL;
    size_t num_before;

    if (fresh == NULL)
        return sg_fail_memory(error);
    do {
        json_t *last = SG_TAKE(page);
        const bool came =
            ask_page(errand, query, json_string_value(json_object_get(last, "next")), &page, error);

        json_decref(last);
        num_before = json_array_size(fresh);
        if (!came || !take_page(page, noun, fresh, error))
            return false;
    } while (json_is_string(json_object_get(page, "next")) && json_array_size(fresh) > num_before);
    *things = SG_TAKE(fresh);
    return true;
}

static bool ask_and_tell(struct sg_desk_errand *errand, struct sg_error *error)
{
    json_t *answer = NULL;

    return sg_desk_ask(errand, errand->body, &answer, error) &&
           errand->operation->tell(errand->cli, answer, error);
}

bool sg_cli_desk(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_remote) struct sg_remote *remote = NULL;
    sg_auto(json_t) json_t *body = NULL;
    struct sg_desk_errand errand = {.cli = cli};

    sg_json_wipe_freed();
    if (!find_operation(cli, &errand.operation, error) ||
        (errand.operation->read != NULL && !errand.operation->read(cli, &body, error)) ||
        !sg_remote_open(cli, &remote, error))
        return false;
    errand.remote = remote;
    errand.body = body;
    return errand.operation->run != NULL ? errand.operation->run(&errand, error)
                                         : ask_and_tell(&errand, error);
}
