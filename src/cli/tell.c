#include "tell.h"

#include <string.h>

#include "output.h"

const char *sg_cli_text_of(const json_t *thing, const char *key)
{
    const char *text = json_string_value(json_object_get(thing, key));

    return text != NULL ? text : "";
}

static long long number_of(const json_t *thing, const char *key)
{
    return json_integer_value(json_object_get(thing, key));
}

static bool has(const json_t *thing, const char *key)
{
    return sg_cli_text_of(thing, key)[0] != '\0';
}

static void print_if_there(const char *before, const json_t *thing, const char *key)
{
    if (has(thing, key))
        printf("%s%s", before, sg_cli_text_of(thing, key));
}

/* ---- one line each ---- */

static void print_certificate(const json_t *certificate)
{
    const bool is_revoked = strcmp(sg_cli_text_of(certificate, "status"), "revoked") == 0;

    printf("%s  %-9s until %.10s  %-14s %s", sg_cli_text_of(certificate, "serial"),
           sg_cli_text_of(certificate, "status"), sg_cli_text_of(certificate, "not_after"),
           sg_cli_text_of(certificate, "policy"), sg_cli_text_of(certificate, "subject"));
    if (is_revoked)
        printf(" (%s)", sg_cli_text_of(certificate, "reason"));
    printf("\n");
}

static void print_ticket(const json_t *ticket)
{
    printf("%lld  %-8s until %s  %s", number_of(ticket, "id"), sg_cli_text_of(ticket, "state"),
           sg_cli_text_of(ticket, "not_after"), sg_cli_text_of(ticket, "policy"));
    print_if_there("  device ", ticket, "device");
    print_if_there("  user ", ticket, "user");
    print_if_there("  token ", ticket, "token");
    if (json_is_integer(json_object_get(ticket, "pin_tries")))
        printf("  %lld tries", number_of(ticket, "pin_tries"));
    printf("  by %s\n", sg_cli_text_of(ticket, "made_by"));
}

static void print_request(const json_t *request)
{
    printf("%lld  %-8s asked %s by %s  %s  %s\n", number_of(request, "id"),
           sg_cli_text_of(request, "state"), sg_cli_text_of(request, "asked"),
           has(request, "asked_by") ? sg_cli_text_of(request, "asked_by") : "nobody",
           sg_cli_text_of(request, "policy"), sg_cli_text_of(request, "subject"));
}

/* The rest of a record's line, behind its id. */
static void print_rest_of_record(const json_t *record)
{
    json_t *values = json_object_get(record, "values");
    const char *name;
    json_t *value;

    if (json_is_false(json_object_get(record, "enabled")))
        printf(" (disabled)");
    json_object_foreach(values, name, value)
    {
        printf("  %s=%s", name, json_is_string(value) ? json_string_value(value) : "");
    }
    printf("\n");
}

static void print_record(const json_t *record)
{
    printf("%s", sg_cli_text_of(record, "id"));
    print_rest_of_record(record);
}

/* The values stand beside the id, as in the lines that `device import` reads. */
static json_t *reshape_record(const json_t *record)
{
    json_t *flat = json_pack("{s:O?, s:O?}", "id", json_object_get(record, "id"), "enabled",
                             json_object_get(record, "enabled"));

    json_t *values = json_object_get(record, "values");

    if (!json_is_object(values) || json_object_update_missing(flat, values) == 0)
        return flat;
    json_decref(flat);
    return NULL;
}

const struct sg_cli_form SG_CERTIFICATE_FORM = {print_certificate, NULL};
const struct sg_cli_form SG_TICKET_FORM = {print_ticket, NULL};
const struct sg_cli_form SG_REQUEST_FORM = {print_request, NULL};
const struct sg_cli_form SG_RECORD_FORM = {print_record, reshape_record};

/* ---- lists ---- */

bool sg_cli_list_begin(const struct sg_cli *cli, const struct sg_cli_form *form,
                       struct sg_cli_list *list, struct sg_error *error)
{
    *list = (struct sg_cli_list){.form = form, .array = cli->json ? json_array() : NULL};
    return !cli->json || list->array != NULL || sg_fail_memory(error);
}

static json_t *shape(const struct sg_cli_form *form, json_t *thing)
{
    return form->reshape != NULL ? form->reshape(thing) : json_incref(thing);
}

bool sg_cli_list_add(struct sg_cli_list *list, json_t *thing, struct sg_error *error)
{
    bool added = thing != NULL;

    list->num++;
    if (added && list->array != NULL)
        added = json_array_append_new(list->array, shape(list->form, thing)) == 0;
    else if (added)
        list->form->print(thing);
    json_decref(thing);
    return added || sg_fail_memory(error);
}

bool sg_cli_list_end(struct sg_cli_list *list, struct sg_error *error)
{
    return list->array == NULL || sg_cli_print_json(SG_TAKE(list->array), error);
}

bool sg_cli_tell_certificates(struct sg_cli_list *list, struct sg_error *error)
{
    if (list->num == 0 && list->array == NULL)
        fprintf(stderr, "no certificates\n");
    return sg_cli_list_end(list, error);
}

void sg_cli_list_done(struct sg_cli_list *list)
{
    json_decref(list->array);
}

/* ---- one thing ---- */

bool sg_cli_tell_one(const struct sg_cli *cli, const struct sg_cli_form *form, json_t *thing,
                     struct sg_error *error)
{
    json_t *shaped = NULL;

    if (thing == NULL)
        return sg_fail_memory(error);
    if (cli->json)
        shaped = shape(form, thing);
    else
        form->print(thing);
    json_decref(thing);
    return !cli->json || sg_cli_print_json(shaped, error);
}

/* The record beside what was asked: whoever approves compares them. */
static void print_record_of(const json_t *request, const char *noun, const char *key)
{
    const json_t *record = json_object_get(request, key);

    if (!has(request, noun))
        return;
    printf("  %-11s %s", noun, sg_cli_text_of(request, noun));
    if (json_is_object(record))
        print_rest_of_record(record);
    else
        printf(" (not in the registry any more)\n");
}

static void print_whole_request(const json_t *request)
{
    printf("request %lld: %s\n", number_of(request, "id"), sg_cli_text_of(request, "state"));
    printf("  policy      %s, to be approved by %s\n", sg_cli_text_of(request, "policy"),
           sg_cli_text_of(request, "role"));
    printf("  subject     %s\n", sg_cli_text_of(request, "subject"));
    print_record_of(request, "device", "device_record");
    print_record_of(request, "user", "user_record");
    if (has(request, "token"))
        printf("  token       %s\n", sg_cli_text_of(request, "token"));
    printf("  key sha256  %s\n", sg_cli_text_of(request, "key_sha256"));
    printf("  asked       %s by %s\n", sg_cli_text_of(request, "asked"),
           has(request, "asked_by") ? sg_cli_text_of(request, "asked_by") : "nobody who is known");
    if (has(request, "decided")) {
        printf("  decided     %s by %s", sg_cli_text_of(request, "decided"),
               sg_cli_text_of(request, "decided_by"));
        print_if_there(": ", request, "reason");
        printf("\n");
    }
    printf("  until       %s\n", sg_cli_text_of(request, "not_after"));
}

bool sg_cli_tell_request(const struct sg_cli *cli, json_t *request, struct sg_error *error)
{
    static const struct sg_cli_form FORM = {print_whole_request, NULL};

    return sg_cli_tell_one(cli, &FORM, request, error);
}

bool sg_cli_tell_new_ticket(const struct sg_cli *cli, json_t *ticket, struct sg_error *error)
{
    if (ticket == NULL)
        return sg_fail_memory(error);
    if (cli->json)
        return sg_cli_print_json(ticket, error);
    printf("%s\n", sg_cli_text_of(ticket, "ticket"));
    fprintf(stderr, "ticket %lld is good until %s; it is not shown again\n",
            number_of(ticket, "id"), sg_cli_text_of(ticket, "not_after"));
    json_decref(ticket);
    return true;
}

/* ---- what was done ---- */

void sg_cli_tell_record_change(const struct sg_cli *cli)
{
    static const struct {
        const char *verb, *said;
    } CHANGES[] = {
        {"add", "registered"},
        {"set", "changed; its certificates stay as they were issued"},
        {"disable", "disabled; its certificates stay valid until they are revoked"},
        {"enable", "enabled"},
    };
    const char *noun = cli->command->words;
    const int len = (int)strcspn(noun, " ");

    for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++)
        if (strcmp(noun + len + 1, CHANGES[i].verb) == 0)
            fprintf(stderr, "%.*s %s is %s\n", len, noun, cli->operands[0], CHANGES[i].said);
}

void sg_cli_tell_decision(const struct sg_cli *cli, const char *by)
{
    const bool is_approval = strcmp(cli->command->words, "request approve") == 0;

    fprintf(stderr, "request %s is %s by %s\n", cli->operands[0],
            is_approval ? "approved" : "refused", by);
}

void sg_cli_tell_drop(const struct sg_cli *cli)
{
    fprintf(stderr, "ticket %s is good for nothing any more\n", cli->operands[0]);
}

const char *sg_cli_tell_crl(const struct sg_cli *cli)
{
    return sg_cli_has(cli, "url") ? "" : "; `signet crl` makes the revocation list that says so";
}

bool sg_cli_tell_count(const struct sg_cli *cli, const char *what, int64_t num,
                       struct sg_error *error)
{
    if (cli->json)
        return sg_cli_print_json(json_pack("{s:I}", what, (json_int_t)num), error);
    printf("%lld %s%s\n", (long long)num, what, sg_cli_tell_crl(cli));
    return true;
}

bool sg_cli_tell_pin(const struct sg_cli *cli, json_t *state, struct sg_error *error)
{
    if (state == NULL)
        return sg_fail_memory(error);
    if (cli->json)
        return sg_cli_print_json(state, error);
    if (!json_is_true(json_object_get(state, "pin"))) {
        printf("user %s has no PIN\n", sg_cli_text_of(state, "user"));
    } else {
        printf("user %s has a PIN, chosen %s", sg_cli_text_of(state, "user"),
               sg_cli_text_of(state, "chosen"));
        print_if_there(" at device ", state, "device");
        printf("\n");
    }
    json_decref(state);
    return true;
}
