/* A call as it came: its URL, and whose it is. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"
#include "base/text.h"
#include "cert/cert.h"

static const char URL_RULE[] = "RFC 3986";
static const char RULE[] = "operator";

/* ---- the URL ---- */

static int digit(char octet)
{
    uint8_t value = 0;
    size_t len = 0;
    const char pair[] = {'0', octet, '\0'};

    return sg_hex_parse(pair, &value, 1, &len, NULL) && len == 1 ? value : -1;
}

/* Undoes the escapes of one part of a URL, in place; what comes of it is text. */
static bool unescape(char *text, struct sg_error *error)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        int high, low;

        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        high = digit(from[1]);
        low = high >= 0 ? digit(from[2]) : -1;
        if (low < 0 || (high == 0 && low == 0))
            return sg_fail(error, SG_MALFORMED, URL_RULE, "the URL has a broken escape");
        *to++ = (char)(high << 4 | low);
        from += 2;
    }
    *to = '\0';
    return sg_text_check(sg_slice_text(text), "a part of the URL", error);
}

static bool take_path(char *path, struct sg_api_call *call, struct sg_error *error)
{
    for (char *part = strsep(&path, "/"); part != NULL; part = strsep(&path, "/")) {
        if (call->num_segments == SG_API_SEGMENTS)
            return sg_api_refuse(call, 404, error, NULL, "there is nothing of that name");
        if (!unescape(part, error))
            return false;
        call->segments[call->num_segments++] = part;
    }
    return true;
}

static bool take_query(char *query, struct sg_api_call *call, struct sg_error *error)
{
    for (char *value = strsep(&query, "&"); value != NULL; value = strsep(&query, "&")) {
        const char *key = strsep(&value, "=");

        if (call->num_queries == SG_API_QUERIES)
            return sg_fail(error, SG_MALFORMED, URL_RULE, "the URL's query is too long");
        if (value == NULL || sg_api_query(call, key) != NULL)
            return sg_fail(error, SG_MALFORMED, URL_RULE,
                           "the URL's query is no KEY=VALUE&…, with each key once");
        if (!unescape(value, error))
            return false;
        call->queries[call->num_queries++] = (struct sg_api_query){key, value};
    }
    return true;
}

bool sg_api_target(const char *target, struct sg_api_call *call, struct sg_error *error)
{
    static const char BEGIN[] = "/api/v1/";
    char *query = call->target, *path;

    if (strlen(target) > SG_LIMIT_TARGET || strncmp(target, BEGIN, strlen(BEGIN)) != 0)
        return sg_fail(error, SG_MALFORMED, URL_RULE, "no URL of the API");
    memcpy(call->target, target + strlen(BEGIN), strlen(target) - strlen(BEGIN) + 1);
    path = strsep(&query, "?");
    return take_path(path, call, error) && take_query(query, call, error);
}

const char *sg_api_query(const struct sg_api_call *call, const char *key)
{
    for (size_t i = 0; i < call->num_queries; i++)
        if (strcmp(call->queries[i].key, key) == 0)
            return call->queries[i].value;
    return NULL;
}

/* ---- the operator ---- */

/* What the store knows of the operator's certificate, when it was issued here. */
struct known {
    bool found;
    enum sg_status status;
    char *device, *user;
};

static void known_done(struct known *known)
{
    free(known->device);
    free(known->user);
}
SG_DEFINE_CLEANUP_IN_PLACE(known, known_done)

static bool copy(const char *text, char **into, struct sg_error *error)
{
    *into = text != NULL ? strdup(text) : NULL;
    return *into != NULL || text == NULL || sg_fail_memory(error);
}

static bool see(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct known *known = context;

    if (known->found)
        return true; /* one certificate has one claim */
    known->found = true;
    known->status = certificate->status;
    return copy(certificate->device, &known->device, error) &&
           copy(certificate->user, &known->user, error);
}

static bool check_validity(const struct sg_api_call *call, const X509 *certificate,
                           struct sg_error *error)
{
    int64_t not_before = 0, not_after = 0;

    if (!sg_cert_validity(certificate, &not_before, &not_after, error))
        return false;
    return (call->now >= not_before && call->now <= not_after) ||
           sg_fail(error, SG_UNAUTHENTICATED, RULE, "the certificate of %s is not in force%s",
                   call->who->name, call->now > not_after ? " any more" : " yet");
}

static bool check_holder(const struct sg_api_call *call, enum sg_registry_kind kind, const char *id,
                         struct sg_error *error)
{
    sg_auto(sg_record) struct sg_record record = {0};
    struct sg_error why = {0};

    if (id == NULL)
        return true;
    if (!sg_store_find_record(call->store, kind, id, &record, &why))
        return why.code == SG_UNAUTHENTICATED ? sg_fail(error, why.code, RULE, "%s", why.text)
                                              : sg_error_pass(error, &why);
    return !record.disabled || sg_fail(error, SG_UNAUTHENTICATED, RULE,
                                       "%s, whose certificate %s has, is disabled in the registry",
                                       id, call->who->name);
}

/* A certificate of another CA is revoked by taking it out of signet.yaml. */
static bool check_standing(const struct sg_api_call *call, const X509 *certificate,
                           struct sg_error *error)
{
    sg_auto(known) struct known known = {0};
    struct sg_serial serial = {0};

    if (!sg_cert_serial(certificate, &serial, error))
        return false;
    const struct sg_certificate_filter filter = {
        .serial = &serial, .der = call->message->bytes[SG_WIRE_CLIENT], .now = call->now};
    if (!sg_store_each_certificate(call->store, &filter, see, &known, error))
        return false;
    if (known.found && known.status != SG_STATUS_VALID)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE, "the certificate of %s is %s",
                       call->who->name, sg_status_word(known.status));
    return check_holder(call, SG_REGISTRY_DEVICE, known.device, error) &&
           check_holder(call, SG_REGISTRY_USER, known.user, error);
}

static bool judge(struct sg_api_call *call, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;

    return sg_cert_read(call->message->bytes[SG_WIRE_CLIENT], "the operator's certificate",
                        &certificate, error) &&
           check_validity(call, certificate, error) && check_standing(call, certificate, error);
}

bool sg_api_identify(struct sg_api_call *call, struct sg_error *error)
{
    const struct sg_slice der = call->message->bytes[SG_WIRE_CLIENT];
    const struct sg_operator_entry *entry;
    uint8_t sha256[SG_SHA256_LEN];

    if (der.len == 0)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "who asks uses no certificate in TLS, and has to");
    sg_sha256(der, sha256);
    if ((entry = sg_service_find_operator(call->desk->config, sha256)) == NULL)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "the certificate is none of those that `operators` in signet.yaml lists");
    call->who = entry;
    if (judge(call, error))
        return true;
    call->who = NULL;
    return false;
}
