/* In signet-est: certificates, found, revoked and released at a service. */
#include <string.h>

#include "cert/cert.h"
#include "net_desk.h"
#include "open.h"
#include "output.h"

/* ---- finding ---- */

bool sg_desk_find(struct sg_desk_errand *errand, const char *serial, const char *issuer,
                  json_t **certificate, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf path = {0}, query = {0};
    struct sg_error why = {0};

    if (!sg_buf_printf(&path, SG_LIMIT_TARGET, error, "certificates/") ||
        !sg_remote_escape(serial, &path, error))
        return false;
    if (issuer != NULL && (!sg_buf_printf(&query, SG_LIMIT_TARGET, error, "issuer=") ||
                           !sg_remote_escape(issuer, &query, error)))
        return false;
    const struct sg_remote_call call = {
        .method = "GET", .path = (const char *)path.data, .query = (const char *)query.data};
    if (sg_remote_ask(errand->remote, &call, certificate, &why))
        return true;
    *certificate = NULL;
    /* what else the service says of a serial number is that it is none, or that several have it */
    return sg_remote_found_nothing(errand->remote) || sg_error_pass(error, &why);
}

bool sg_desk_der(const json_t *certificate, struct sg_buf *der, struct sg_error *error)
{
    const char *pem = sg_cli_text_of(certificate, "pem");
    sg_auto(X509) X509 *read = NULL;
    struct sg_error why = {0};

    if (pem[0] == '\0')
        return true;
    if (!sg_cert_read(sg_slice_text(pem), "its pem", &read, &why))
        return sg_fail(error, SG_FAILED, NULL, "the service's answer can't be read: %s", why.text);
    return sg_cli_certificate_der(read, der, error);
}

/* ---- list ---- */

static bool is_wanted(const struct sg_certificate_filter *filter, const json_t *certificate)
{
    const struct {
        const char *key, *wanted;
    } MATCHES[] = {
        {"device", filter->device}, {"user", filter->user},     {"token", filter->token},
        {"policy", filter->policy}, {"issuer", filter->issuer},
    };
    const char *status = sg_cli_text_of(certificate, "status");
    char moment[SG_TIME_TEXT_SIZE];

    for (size_t i = 0; i < sizeof MATCHES / sizeof MATCHES[0]; i++)
        if (MATCHES[i].wanted != NULL &&
            strcmp(sg_cli_text_of(certificate, MATCHES[i].key), MATCHES[i].wanted) != 0)
            return false;
    if (filter->only_status && strcmp(status, sg_status_word(filter->status)) != 0)
        return false;
    /* moments are written so that they sort as texts */
    return filter->expires_before == 0 ||
           (strcmp(status, "valid") == 0 &&
            strcmp(sg_cli_text_of(certificate, "not_after"),
                   sg_time_text(filter->expires_before, moment)) < 0);
}

static bool make_query(const struct sg_certificate_filter *filter, struct sg_buf *query,
                       struct sg_error *error)
{
    const char *status = filter->only_status           ? sg_status_word(filter->status)
                         : filter->expires_before != 0 ? "valid"
                                                       : NULL;
    const struct {
        const char *key, *value;
    } KEYS[] = {
        {"device", filter->device}, {"user", filter->user},     {"token", filter->token},
        {"policy", filter->policy}, {"issuer", filter->issuer}, {"status", status},
    };

    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        if (KEYS[i].value != NULL &&
            (!sg_buf_printf(query, SG_LIMIT_TARGET, error, "%s=", KEYS[i].key) ||
             !sg_remote_escape(KEYS[i].value, query, error) ||
             !sg_buf_printf(query, SG_LIMIT_TARGET, error, "&")))
            return false;
    return true;
}

/* As a list with the oldest first; a service has the newest first. */
static bool gather(struct sg_desk_errand *errand, const struct sg_certificate_filter *filter,
                   json_t **oldest_first, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf query = {0};
    sg_auto(json_t) json_t *things = NULL;
    sg_auto(json_t) json_t *turned = json_array();

    if (turned == NULL)
        return sg_fail_memory(error);
    if (!make_query(filter, &query, error) ||
        !sg_desk_gather(errand, query.len > 0 ? (const char *)query.data : "", "certificates",
                        &things, error))
        return false;
    for (size_t i = json_array_size(things); i-- > 0;)
        if (json_array_append(turned, json_array_get(things, i)) != 0)
            return sg_fail_memory(error);
    *oldest_first = SG_TAKE(turned);
    return true;
}

static bool gather_one(struct sg_desk_errand *errand, const struct sg_certificate_filter *filter,
                       json_t **one, struct sg_error *error)
{
    sg_auto(json_t) json_t *array = json_array();
    char serial[SG_SERIAL_TEXT_SIZE];
    json_t *found = NULL;

    if (array == NULL)
        return sg_fail_memory(error);
    if (!sg_desk_find(errand, sg_serial_text(filter->serial, serial), filter->issuer, &found,
                      error))
        return false;
    if (found != NULL)
        (void)json_object_del(found, "pem"); /* lists have none */
    if (found != NULL && json_array_append_new(array, found) != 0)
        return sg_fail_memory(error);
    *one = SG_TAKE(array);
    return true;
}

static bool print_pem(struct sg_desk_errand *errand, const json_t *certificate,
                      struct sg_error *error)
{
    sg_auto(json_t) json_t *whole = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};

    return sg_desk_find(errand, sg_cli_text_of(certificate, "serial"),
                        sg_cli_text_of(certificate, "issuer"), &whole, error) &&
           sg_desk_der(whole, &der, error) &&
           (der.len == 0 || sg_cli_emit_pem(NULL, false, sg_buf_slice(&der), "CERTIFICATE", error));
}

static bool tell_each(struct sg_desk_errand *errand, const struct sg_certificate_filter *filter,
                      const json_t *certificates, struct sg_cli_list *list, struct sg_error *error)
{
    const bool as_pem = sg_cli_has(errand->cli, "pem") && !errand->cli->json;
    json_t *certificate;
    size_t i;

    json_array_foreach(certificates, i, certificate)
    {
        if (!is_wanted(filter, certificate))
            continue;
        list->num += as_pem;
        if (as_pem ? !print_pem(errand, certificate, error)
                   : !sg_cli_list_add(list, json_incref(certificate), error))
            return false;
    }
    return true;
}

bool sg_desk_read_list(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    struct sg_certificate_filter filter;
    struct sg_serial serial;

    (void)body;
    return sg_cli_list_filter(cli, &serial, &filter, error);
}

bool sg_desk_list(struct sg_desk_errand *errand, struct sg_error *error)
{
    sg_auto(sg_cli_list) struct sg_cli_list list = {0};
    sg_auto(json_t) json_t *certificates = NULL;
    struct sg_certificate_filter filter;
    struct sg_serial serial;

    return sg_cli_list_filter(errand->cli, &serial, &filter, error) &&
           (filter.serial != NULL ? gather_one : gather)(errand, &filter, &certificates, error) &&
           sg_cli_list_begin(errand->cli, &SG_CERTIFICATE_FORM, &list, error) &&
           tell_each(errand, &filter, certificates, &list, error) &&
           sg_cli_tell_certificates(&list, error);
}

/* ---- revoke and release ---- */

static bool put(json_t *object, const char *key, const char *text, struct sg_error *error)
{
    return text == NULL || json_object_set_new(object, key, sg_json_text(text)) == 0 ||
           sg_fail_memory(error);
}

static bool make_body(const struct sg_cli_which *which, const char *reason, json_t **body,
                      struct sg_error *error)
{
    sg_auto(json_t) json_t *fresh = json_object();
    char serial[SG_SERIAL_TEXT_SIZE] = "";

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (which->filter.serial != NULL)
        sg_serial_text(which->filter.serial, serial);
    if (!put(fresh, "serial", which->filter.serial != NULL ? serial : NULL, error) ||
        !put(fresh, "device", which->filter.device, error) ||
        !put(fresh, "user", which->filter.user, error) ||
        !put(fresh, "token", which->filter.token, error) || !put(fresh, "reason", reason, error))
        return false;
    *body = SG_TAKE(fresh);
    return true;
}

bool sg_desk_read_revocation(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(sg_cli_which) struct sg_cli_which which = {0};
    enum sg_reason reason;

    return sg_cli_parse_reason(cli, &reason, error) && sg_cli_parse_which(cli, &which, error) &&
           make_body(&which, sg_reason_word(reason), body, error);
}

bool sg_desk_read_release(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(sg_cli_which) struct sg_cli_which which = {0};

    return sg_cli_parse_which(cli, &which, error) && make_body(&which, NULL, body, error);
}

/* A file stands for its own certificate, not for another of the same serial number. */
static bool check_file(struct sg_desk_errand *errand, struct sg_error *error)
{
    sg_auto(sg_cli_which) struct sg_cli_which which = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(json_t) json_t *known = NULL;
    char serial[SG_SERIAL_TEXT_SIZE];

    if (!sg_cli_parse_which(errand->cli, &which, error))
        return false;
    if (which.file == NULL)
        return true;
    if (!sg_desk_find(errand, sg_serial_text(&which.serial, serial), NULL, &known, error) ||
        !sg_desk_der(known, &der, error))
        return false;
    if (known != NULL && !sg_slice_equal(sg_buf_slice(&der), sg_buf_slice(&which.der)))
        return sg_cli_fail_other(&which, error);
    return known == NULL || put(errand->body, "issuer", sg_cli_text_of(known, "issuer"), error);
}

/* A service also refuses for reasons that are not the certificates': who asks, or how. */
static bool revoke_device(const char *id, enum sg_reason reason, void *context,
                          struct sg_cli_returned *returned, struct sg_error *error)
{
    const struct sg_cli_which which = {.filter = {.device = id}};
    sg_auto(json_t) json_t *body = NULL;
    sg_auto(json_t) json_t *answer = NULL;
    struct sg_error why = {0};

    if (!make_body(&which, sg_reason_word(reason), &body, error))
        return false;
    if (sg_desk_ask(context, body, &answer, &why)) {
        returned->num = (size_t)json_integer_value(json_object_get(answer, "revoked"));
        return true;
    }
    returned->has_none = why.code == SG_USAGE;
    return strcmp(why.rule, "revocation") == 0 || sg_error_pass(error, &why);
}

bool sg_desk_revoke(struct sg_desk_errand *errand, struct sg_error *error)
{
    const char *what = errand->operation->words[2] == 'v' ? "revoked" : "released";
    sg_auto(json_t) json_t *answer = NULL;
    enum sg_reason reason;

    if (sg_cli_has(errand->cli, "devices"))
        return sg_cli_parse_reason(errand->cli, &reason, error) &&
               sg_cli_revoke_listed(errand->cli, reason, revoke_device, errand, error);
    return check_file(errand, error) && sg_desk_ask(errand, errand->body, &answer, error) &&
           sg_cli_tell_count(errand->cli, what, json_integer_value(json_object_get(answer, what)),
                             error);
}

/* ---- a card that is lost ---- */

bool sg_desk_read_loss(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(json_t) json_t *fresh = json_object();
    const char *replacement = sg_cli_text(cli, "replace"), *lifetime = sg_cli_text(cli, "for");
    const bool holds = sg_cli_has(cli, "hold"), revokes = sg_cli_has(cli, "revoke");
    int64_t lifetime_s = 0;

    if (holds + revokes + (replacement != NULL) != 1)
        return sg_fail(error, SG_USAGE, NULL,
                       "say what to do about the card: --hold, --revoke or --replace ID");
    if (lifetime != NULL && replacement == NULL)
        return sg_fail(error, SG_USAGE, NULL, "--for is of the new tickets; add --replace ID");
    if (lifetime != NULL && !sg_duration_parse(lifetime, &lifetime_s, error))
        return false;
    if (fresh == NULL ||
        (lifetime != NULL && json_object_set_new(fresh, "lifetime", json_integer(lifetime_s)) != 0))
        return sg_fail_memory(error);
    if (!put(fresh, "step", holds ? "hold" : (revokes ? "revoke" : "replace"), error) ||
        !put(fresh, "new_token", replacement, error) ||
        !put(fresh, "reason", sg_cli_text(cli, "reason"), error))
        return false;
    *body = SG_TAKE(fresh);
    return true;
}

static void print_replacement(const json_t *ticket)
{
    const char *device = sg_cli_text_of(ticket, "device"), *user = sg_cli_text_of(ticket, "user");

    printf("%s  %s%s%s%s%s\n", sg_cli_text_of(ticket, "ticket"), sg_cli_text_of(ticket, "policy"),
           device[0] != '\0' ? "  device " : "", device, user[0] != '\0' ? "  user " : "", user);
    fprintf(stderr, "ticket %lld is good until %s; it is not shown again\n",
            (long long)json_integer_value(json_object_get(ticket, "id")),
            sg_cli_text_of(ticket, "not_after"));
}

static long long count_of(const json_t *lost, const char *key)
{
    return json_integer_value(json_object_get(lost, key));
}

bool sg_desk_tell_loss(const struct sg_cli *cli, json_t *lost, struct sg_error *error)
{
    json_t *ticket;
    size_t i;

    if (cli->json)
        return sg_cli_print_json(lost, error);
    fprintf(stderr, "card %s: %lld certificates held, %lld revoked; %lld tickets dropped\n",
            cli->operands[0], count_of(lost, "held"), count_of(lost, "revoked"),
            count_of(lost, "dropped_tickets"));
    json_array_foreach(json_object_get(lost, "tickets"), i, ticket)
    {
        print_replacement(ticket);
    }
    json_decref(lost);
    return true;
}
