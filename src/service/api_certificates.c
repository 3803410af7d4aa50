/* Certificates: found, and revoked. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "home/view.h"
#include "status/status.h"

/* ---- reading ---- */

static bool list_one(const struct sg_certificate *certificate, void *context,
                     struct sg_error *error)
{
    char mark[24];

    (void)snprintf(mark, sizeof mark, "%lld", (long long)certificate->id);
    return sg_api_page_add(context, sg_view_certificate(certificate), mark, error);
}

static bool parse_status(const struct sg_api_call *call, struct sg_certificate_filter *filter,
                         struct sg_error *error)
{
    const char *text = sg_api_query(call, "status");

    filter->only_status = text != NULL;
    if (text == NULL)
        return true;
    for (int status = SG_STATUS_VALID; status <= SG_STATUS_ORPHANED; status++)
        if (strcmp(text, sg_status_word((enum sg_status)status)) == 0) {
            filter->status = (enum sg_status)status;
            return true;
        }
    return sg_fail(error, SG_USAGE, "query status",
                   "status has to be valid, expired, revoked, held, in-flight or orphaned");
}

/* The newest first: these are asked about most. */
bool sg_api_list_certificates(struct sg_api_call *call, struct sg_error *error)
{
    sg_auto(sg_api_page) struct sg_api_page page = {0};
    struct sg_certificate_filter filter = {
        .device = sg_api_query(call, "device"),
        .user = sg_api_query(call, "user"),
        .token = sg_api_query(call, "token"),
        .policy = sg_api_query(call, "policy"),
        .issuer = sg_api_query(call, "issuer"),
        .now = call->now,
    };

    if (!sg_api_page_begin(call, &page, error) || !sg_api_after(call, &filter.before, error) ||
        !parse_status(call, &filter, error))
        return false;
    filter.last = page.limit + 1;
    return sg_store_each_certificate(call->store, &filter, list_one, &page, error) &&
           sg_api_page_reply(call, &page, "certificates", error);
}

struct finding {
    json_t *answer;
    size_t num;
};

static json_t *whole_json(const struct sg_certificate *certificate)
{
    sg_auto(sg_buf) struct sg_buf pem = {0};
    json_t *answer = sg_view_certificate(certificate);

    if (certificate->der.len > 0 &&
        !sg_cert_pem(sg_buf_slice(&certificate->der), "CERTIFICATE", &pem, NULL)) {
        json_decref(answer);
        return NULL;
    }
    if (answer != NULL &&
        json_object_set_new(answer, "pem",
                            pem.len > 0 ? json_string((const char *)pem.data) : json_null()) != 0) {
        json_decref(answer);
        return NULL;
    }
    return answer;
}

static bool find_one(const struct sg_certificate *certificate, void *context,
                     struct sg_error *error)
{
    struct finding *finding = context;

    if (finding->num++ > 0)
        return true;
    finding->answer = whole_json(certificate);
    return finding->answer != NULL || sg_fail_memory(error);
}

static bool parse_serial(const char *text, struct sg_serial *serial, struct sg_error *error)
{
    struct sg_error why = {0};

    return sg_serial_parse(text, serial, &why) ||
           sg_fail(error, SG_USAGE, "serial", "%s", why.text);
}

bool sg_api_get_certificate(struct sg_api_call *call, struct sg_error *error)
{
    struct sg_serial serial = {0};
    const struct sg_certificate_filter filter = {
        .serial = &serial, .issuer = sg_api_query(call, "issuer"), .now = call->now};
    struct finding finding = {0};

    if (!parse_serial(call->segments[1], &serial, error))
        return false;
    if (!sg_store_each_certificate(call->store, &filter, find_one, &finding, error)) {
        json_decref(finding.answer);
        return false;
    }
    if (finding.num == 1)
        return sg_api_reply(call, 200, finding.answer, error);
    json_decref(finding.answer);
    return finding.num == 0
               ? sg_api_refuse(call, 404, error, "serial", "no certificate has this serial number")
               : sg_api_refuse(call, 409, error, "serial",
                               "several issuers have given this serial number: say which, by "
                               "?issuer=NAME");
}

/* ---- revoking and releasing ---- */

struct which {
    const char *serial, *issuer, *device, *user, *token, *reason;
    struct sg_serial number;
    struct sg_certificate_filter filter;
};

#define WHICH_FIELDS                                                                               \
    {"serial", SG_JSON_TEXT,       SG_JSON_OPTIONAL, offsetof(struct which, serial),               \
     1,        4 * SG_LIMIT_SERIAL},                                                               \
        {"issuer", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct which, issuer), 1, 64},         \
        {"device", SG_JSON_TEXT,  SG_JSON_OPTIONAL, offsetof(struct which, device),                \
         1,        SG_LIMIT_VALUE},                                                                \
        {"user", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct which, user), 1, SG_LIMIT_VALUE}, \
    {                                                                                              \
        "token", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct which, token), 1, SG_LIMIT_CARD   \
    }

static bool take_which(struct sg_api_call *call, const struct sg_json_field *fields,
                       struct which *which, struct sg_error *error)
{
    int selectors;

    if (!sg_api_read(call, fields, which, error))
        return false;
    selectors = (which->serial != NULL) + (which->device != NULL) + (which->user != NULL) +
                (which->token != NULL);
    if (selectors != 1)
        return sg_fail(error, SG_USAGE, "JSON",
                       "say which by exactly one of serial, device, user and token");
    which->filter = (struct sg_certificate_filter){.issuer = which->issuer,
                                                   .device = which->device,
                                                   .user = which->user,
                                                   .token = which->token,
                                                   .now = call->now};
    if (which->serial == NULL)
        return true;
    which->filter.serial = &which->number;
    return parse_serial(which->serial, &which->number, error);
}

static bool settle(struct sg_api_call *call, const struct sg_error *why, struct sg_error *error)
{
    if (why->code == SG_USAGE)
        return sg_api_refuse(call, 404, error, "revocation", "no certificate matches");
    if (why->code == SG_REFUSED)
        return sg_api_refuse(call, 409, error, "revocation", "%s", why->text);
    return sg_error_pass(error, why);
}

bool sg_api_parse_reason(const char *word, enum sg_reason *reason, struct sg_error *error)
{
    struct sg_error why = {0};

    return word == NULL || sg_reason_parse(word, reason, &why) ||
           sg_fail(error, SG_USAGE, "JSON reason", "%s", why.text);
}

bool sg_api_revoke_all(struct sg_api_call *call, const struct sg_certificate_filter *filter,
                       enum sg_reason reason, size_t *num, struct sg_error *error)
{
    struct sg_error why = {0};

    return sg_status_revoke(call->store, filter, reason, call->now, num, &why) ||
           settle(call, &why, error);
}

bool sg_api_revoke(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        WHICH_FIELDS,
        {"reason", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct which, reason), 1, 64},
        {0},
    };
    struct which which = {0};
    enum sg_reason reason = SG_REASON_UNSPECIFIED;
    size_t num = 0;

    if (!take_which(call, FIELDS, &which, error) ||
        !sg_api_parse_reason(which.reason, &reason, error) ||
        !sg_api_revoke_all(call, &which.filter, reason, &num, error))
        return false;
    (void)snprintf(call->said, sizeof call->said, "%zu revoked: %s", num, sg_reason_word(reason));
    return sg_api_reply(call, 200, json_pack("{s:I}", "revoked", (json_int_t)num), error);
}

bool sg_api_release(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {WHICH_FIELDS, {0}};
    struct which which = {0};
    struct sg_error why = {0};
    size_t num = 0;

    if (!take_which(call, FIELDS, &which, error))
        return false;
    if (!sg_status_release(call->store, &which.filter, &num, &why))
        return settle(call, &why, error);
    (void)snprintf(call->said, sizeof call->said, "%zu released", num);
    return sg_api_reply(call, 200, json_pack("{s:I}", "released", (json_int_t)num), error);
}
