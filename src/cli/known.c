#include <string.h>

#include "issue/explain.h"
#include "open.h"
#include "output.h"
#include "policies.h"

enum { LIMIT_TEXT = 1 << 30 };

/* What is looked for, and what was found. */
struct search {
    struct sg_home *home;
    struct sg_slice der;
    json_t *known;
};

/* The policy of that name in the home; NULL and why when there is none that can be used. */
static const struct sg_policy *find_policy(struct sg_home *home, const char *name,
                                           struct sg_error *why)
{
    const struct sg_policy *policy = NULL;

    return sg_home_policy(home, name, &policy, why) ? policy : NULL;
}

static json_t *note_of(bool same, const struct sg_policy *policy, const struct sg_error *missing,
                       const struct sg_again *again)
{
    if (policy == NULL)
        return json_sprintf("its policy can't be read today: %s", missing->text);
    if (again->outcome == SG_AGAIN_UNKNOWN)
        return json_sprintf("it can't be decided again: %s", again->why.text);
    if (again->outcome == SG_AGAIN_REFUSED)
        return json_sprintf("today it would be refused: %s: %s", again->why.rule, again->why.text);
    if (!same)
        return json_string(
            "the policy's file was changed since; told is what gives the same today");
    return json_null();
}

/* Without a usable policy the fields stand alone. */
static bool explain(struct sg_home *home, const struct sg_certificate *certificate,
                    const char **file, json_t **note, json_t **fields, struct sg_error *error)
{
    struct sg_error missing = {0};
    sg_auto(sg_again) struct sg_again again = {0};
    const struct sg_policy *policy = find_policy(home, certificate->policy, &missing);
    bool same = policy != NULL &&
                memcmp(sg_policy_sha256(policy), certificate->policy_sha256, SG_SHA256_LEN) == 0;

    if (missing.code == SG_STORE) {
        *error = missing;
        return false;
    }
    if (policy != NULL && !sg_explain_issued(home, policy, certificate, fields, &again, error))
        return false;
    *file = policy == NULL ? "missing" : same ? "same" : "other";
    *note = note_of(same, policy, &missing, &again);
    return true;
}

static bool describe(struct sg_home *home, const struct sg_certificate *certificate, json_t **known,
                     struct sg_error *error)
{
    char serial[SG_SERIAL_TEXT_SIZE], claimed[SG_TIME_TEXT_SIZE];
    json_t *note = NULL, *fields = NULL;
    const char *file = NULL;

    if (!explain(home, certificate, &file, &note, &fields, error))
        return false;
    *known = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "serial",
        sg_serial_text(&certificate->serial, serial), "subject", certificate->subject, "policy",
        certificate->policy, "policy_file", file, "device",
        sg_json_text_or_null(certificate->device), "user", sg_json_text_or_null(certificate->user),
        "token", sg_json_text_or_null(certificate->token), "claimed",
        sg_time_text(certificate->claimed, claimed), "status", sg_status_word(certificate->status),
        "note", note, "fields", fields != NULL ? fields : json_array());
    return *known != NULL || sg_fail_memory(error);
}

static bool visit(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct search *search = context;

    if (!sg_certificate_is_here(certificate, error))
        return false;
    if (search->known != NULL || certificate->der.len == 0 ||
        (search->der.len > 0 && !sg_slice_equal(search->der, sg_buf_slice(&certificate->der))))
        return true;
    return describe(search->home, certificate, &search->known, error);
}

bool sg_cli_known(const struct sg_cli *cli, struct sg_home *home, const struct sg_serial *serial,
                  struct sg_slice der, json_t **known, struct sg_error *error)
{
    const struct sg_certificate_filter filter = {.serial = serial,
                                                 .now = sg_clock_now(&cli->clock)};
    struct search search = {.home = home, .der = der};

    if (!sg_store_each_certificate(sg_home_store(home), &filter, visit, &search, error)) {
        json_decref(search.known);
        return false;
    }
    *known = search.known;
    return true;
}

static const char *text_of(const json_t *known, const char *key)
{
    return json_string_value(json_object_get(known, key));
}

bool sg_cli_known_text(const json_t *known, struct sg_buf *text, struct sg_error *error)
{
    const char *device = text_of(known, "device"), *user = text_of(known, "user");
    const char *token = text_of(known, "token"), *note = text_of(known, "note");

    return sg_buf_printf(text, LIMIT_TEXT, error, "issued %s under policy %s%s%s%s%s%s%s; now %s\n",
                         text_of(known, "claimed"), text_of(known, "policy"),
                         device != NULL ? " for device " : "", device != NULL ? device : "",
                         user != NULL ? " for user " : "", user != NULL ? user : "",
                         token != NULL ? " on card " : "", token != NULL ? token : "",
                         text_of(known, "status")) &&
           (note == NULL || sg_buf_printf(text, LIMIT_TEXT, error, "(%s)\n", note)) &&
           sg_fields_text(json_object_get(known, "fields"), text, error);
}
