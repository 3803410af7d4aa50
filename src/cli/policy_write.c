#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/name.h"
#include "model/san.h"
#include "policy_new.h"

#define DAY_S INT64_C(86400)

bool sg_cli_next_entry(const char **at, char entry[SG_ENTRY_SIZE])
{
    const char *begin = *at + strspn(*at, " ,");
    size_t len = strcspn(begin, ",");

    *at = begin + len;
    while (len > 0 && begin[len - 1] == ' ')
        len--;
    if (len == 0)
        return false;
    snprintf(entry, SG_ENTRY_SIZE, "%.*s", (int)len, begin);
    return true;
}

static bool put(struct sg_buf *into, struct sg_error *error, const char *text)
{
    return sg_buf_append(into, text, strlen(text), SG_LIMIT_YAML, error);
}

bool sg_cli_write_quoted(const char *text, struct sg_buf *into, struct sg_error *error)
{
    if (!sg_text_check(sg_slice_text(text), "an answer", error) || !put(into, error, "'"))
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        const char character[2] = {*at, '\0'};

        if (!put(into, error, *at == '\'' ? "''" : character))
            return false;
    }
    return put(into, error, "'");
}

/* What a request says is not taken as it comes. */
static bool write_value(const char *text, struct sg_buf *into, struct sg_error *error)
{
    if (strstr(text, "${request.") == NULL)
        return sg_cli_write_quoted(text, into, error);
    return put(into, error, "{value: ") && sg_cli_write_quoted(text, into, error) &&
           put(into, error, ", match: '[A-Za-z0-9 @._-]{1,64}'}");
}

static bool write_who(const struct sg_answers *answers, struct sg_buf *into, struct sg_error *error)
{
    const char *at = answers->texts[SG_ANSWER_WHO], *joint = "";
    char entry[SG_ENTRY_SIZE];

    if (!put(into, error, "\n# One of these has to vouch for a request.\nwho: {any: ["))
        return false;
    for (; sg_cli_next_entry(&at, entry); joint = ", ")
        if (!put(into, error, joint) || !put(into, error, entry))
            return false;
    return put(into, error, "]}\n");
}

static bool has_entry(const char *list, const char *wanted)
{
    char entry[SG_ENTRY_SIZE];

    while (sg_cli_next_entry(&list, entry))
        if (strcmp(entry, wanted) == 0)
            return true;
    return false;
}

/* RSA keys also take keys that are sent to them, and EC keys agree on them, where the other end
 * encrypts to the certificate: mail, and TLS of old. */
static const char *usage_of(const struct sg_answers *answers, bool is_rsa)
{
    const char *eku = answers->texts[SG_ANSWER_EKU];

    if (is_rsa && (has_entry(eku, "emailProtection") || has_entry(eku, "serverAuth")))
        return "digitalSignature, keyEncipherment";
    if (!is_rsa && has_entry(eku, "emailProtection"))
        return "digitalSignature, keyAgreement";
    return "digitalSignature";
}

/* The size in "RSA-3072", or the sizes that "rsa" stands for; NULL when it is no RSA key. */
static const char *rsa_sizes(const char *entry)
{
    if (strncasecmp(entry, "rsa", 3) != 0)
        return NULL;
    if (entry[3] == '\0')
        return "2048..4096";
    return entry[3] == '-' && entry[4] != '\0' && entry[4 + strspn(entry + 4, "0123456789")] == '\0'
               ? entry + 4
               : NULL;
}

static bool write_key(const struct sg_answers *answers, const char *entry, struct sg_buf *into,
                      struct sg_error *error)
{
    const char *sizes = rsa_sizes(entry);

    if (sizes != NULL)
        return sg_buf_printf(into, SG_LIMIT_YAML, error, "  - {rsa: %s, key_usage: [%s]}\n", sizes,
                             usage_of(answers, true));
    if (strcasecmp(entry, "ed25519") == 0)
        return put(into, error, "  - {ed25519: true, key_usage: [digitalSignature]}\n");
    if (strncmp(entry, "P-", 2) == 0)
        return sg_buf_printf(into, SG_LIMIT_YAML, error, "  - {ec: [%s], key_usage: [%s]}\n", entry,
                             usage_of(answers, false));
    return sg_fail(error, SG_USAGE, NULL,
                   "'%.40s' is no kind of key: P-256, P-384, P-521, rsa (2048 to 4096 bits), "
                   "RSA-2048, RSA-3072, RSA-4096 or ed25519",
                   entry);
}

static bool write_keys(const struct sg_answers *answers, struct sg_buf *into,
                       struct sg_error *error)
{
    const char *at = answers->texts[SG_ANSWER_KEYS];
    char entry[SG_ENTRY_SIZE];

    if (!put(into, error, "\n# Key usage depends on the kind of key.\nkeys:\n"))
        return false;
    while (sg_cli_next_entry(&at, entry))
        if (!write_key(answers, entry, into, error))
            return false;
    return true;
}

/* {CN: 'a'}, with what stands before and after it. */
static bool write_rdn(const struct sg_rdn *rdn, const char *before, const char *after,
                      struct sg_buf *into, struct sg_error *error)
{
    return sg_buf_printf(into, SG_LIMIT_YAML, error, "%s{%s: ", before,
                         sg_oid_attribute_word(rdn->oid)) &&
           write_value(rdn->value, into, error) && put(into, error, "}") && put(into, error, after);
}

static bool write_subject(const struct sg_answers *answers, struct sg_buf *into,
                          struct sg_error *error)
{
    static const char OURS[] =
        "\n# The name, in this order. A request may repeat it, never choose it.\n"
        "subject:\n";
    static const char THEIRS[] =
        "\n# The name, in this order. Whoever vouches answers for what the "
        "request says; make match narrower.\n"
        "subject:\n";
    const char *answer = answers->texts[SG_ANSWER_SUBJECT];
    sg_auto(sg_name) struct sg_name subject = {0};

    if (!sg_name_parse(answer, &subject, error) ||
        !put(into, error, strstr(answer, "${request.") != NULL ? THEIRS : OURS))
        return false;
    for (size_t i = 0; i < subject.num; i++)
        if (!write_rdn(&subject.rdns[i], "  - ", "\n", into, error))
            return false;
    return true;
}

static bool is_none(const char *answer)
{
    return strcmp(answer, "none") == 0;
}

static bool write_dirname(const char *text, struct sg_buf *into, struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name name = {0};

    if (!sg_name_parse(text, &name, error) || !put(into, error, "["))
        return false;
    for (size_t i = 0; i < name.num; i++)
        if (!write_rdn(&name.rdns[i], i > 0 ? ", " : "", "", into, error))
            return false;
    return put(into, error, "]");
}

/* Names of two parts are written as `signet csr --san` takes them, OID;TEXT. */
static bool write_pair(enum sg_san_kind kind, const char *text, struct sg_buf *into,
                       struct sg_error *error)
{
    static const char *const FORMS[] = {
        [SG_SAN_HARDWARE_MODULE] = "hardware-module:OID;SERIAL",
        [SG_SAN_PERMANENT_IDENTIFIER] =
            "permanent-identifier:OID;TEXT or permanent-identifier:;TEXT",
        [SG_SAN_OTHER_NAME] = "other:OID;utf8:TEXT (or ia5, printable, octets, der)",
    };
    static const char *const OIDS[] = {
        [SG_SAN_HARDWARE_MODULE] = "type: ",
        [SG_SAN_PERMANENT_IDENTIFIER] = "assigner: ",
        [SG_SAN_OTHER_NAME] = "oid: ",
    };
    size_t oid_len = strcspn(text, ";");
    const char *value = text[oid_len] == ';' ? text + oid_len + 1 : "";
    size_t form_len = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789");
    bool is_other = kind == SG_SAN_OTHER_NAME;
    char oid[SG_LIMIT_OID];

    if (value[0] == '\0' || oid_len >= sizeof oid ||
        (is_other && (form_len == 0 || value[form_len] != ':')) ||
        (oid_len == 0 && kind != SG_SAN_PERMANENT_IDENTIFIER))
        return sg_fail(error, SG_USAGE, NULL, "write %s", FORMS[kind]);
    snprintf(oid, sizeof oid, "%.*s", (int)oid_len, text);
    if (!put(into, error, "{") ||
        (oid_len > 0 && (!put(into, error, OIDS[kind]) || !sg_cli_write_quoted(oid, into, error) ||
                         !put(into, error, ", "))))
        return false;
    if (is_other)
        return sg_buf_printf(into, SG_LIMIT_YAML, error, "%.*s: ", (int)form_len, value) &&
               write_value(value + form_len + 1, into, error) && put(into, error, "}");
    return put(into, error, kind == SG_SAN_HARDWARE_MODULE ? "serial: " : "value: ") &&
           write_value(value, into, error) && put(into, error, "}");
}

static bool write_san_entry(char *entry, struct sg_buf *into, struct sg_error *error)
{
    char *colon = strchr(entry, ':');
    enum sg_san_kind kind = SG_SAN_OTHER;
    bool done = false;

    if (colon == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "'%.80s' is no alternative name: write KIND:TEXT, as in "
                       "dns:${device.id}.example.com",
                       entry);
    *colon = '\0';
    if (!sg_san_kind_parse(entry, &kind, error) ||
        !sg_buf_printf(into, SG_LIMIT_YAML, error, "  - {%s: ", entry))
        return false;
    switch (kind) {
    case SG_SAN_DIRNAME:
        done = write_dirname(colon + 1, into, error);
        break;
    case SG_SAN_HARDWARE_MODULE:
    case SG_SAN_PERMANENT_IDENTIFIER:
    case SG_SAN_OTHER_NAME:
        done = write_pair(kind, colon + 1, into, error);
        break;
    default:
        done = write_value(colon + 1, into, error);
    }
    return done && put(into, error, "}\n");
}

static bool write_san(const struct sg_answers *answers, struct sg_buf *into, struct sg_error *error)
{
    const char *at = answers->texts[SG_ANSWER_SAN];
    char entry[SG_ENTRY_SIZE];

    if (is_none(at))
        return put(into, error, "\n# No alternative names; some verifiers want one.\n");
    if (!put(into, error, "\nsan:\n"))
        return false;
    while (sg_cli_next_entry(&at, entry))
        if (!write_san_entry(entry, into, error))
            return false;
    return true;
}

static bool write_eku(const struct sg_answers *answers, struct sg_buf *into, struct sg_error *error)
{
    const char *at = answers->texts[SG_ANSWER_EKU], *joint = "";
    char entry[SG_ENTRY_SIZE];

    if (is_none(at))
        return put(into, error, "\nextended_key_usage: none\n");
    if (!put(into, error, "\n# Exactly these.\nextended_key_usage: ["))
        return false;
    for (; sg_cli_next_entry(&at, entry); joint = ", ")
        if (!put(into, error, joint) || !put(into, error, entry))
            return false;
    return put(into, error, "]\n");
}

static bool is_renewed(const struct sg_answers *answers)
{
    return has_entry(answers->texts[SG_ANSWER_WHO], "renewal");
}

/* In the last sixth of its life, as 60 days of a year. */
static bool write_renewal(const struct sg_answers *answers, int64_t lasts_s, struct sg_buf *into,
                          struct sg_error *error)
{
    int64_t window_s = lasts_s / 6;

    if (!is_renewed(answers))
        return put(into, error, "renewal: never\n");
    return sg_buf_printf(into, SG_LIMIT_YAML, error,
                         "# When, before its end, the next one may be asked for with it.\n"
                         "renewal: {window: %lld%s, same_key: refuse, previous: keep}\n",
                         (long long)(window_s >= DAY_S ? window_s / DAY_S : window_s),
                         window_s >= DAY_S ? "d" : "s");
}

static bool write_validity(const struct sg_answers *answers, struct sg_buf *into,
                           struct sg_error *error)
{
    const char *answer = answers->texts[SG_ANSWER_VALIDITY];
    int64_t lasts_s = 0;
    bool lasts = sg_duration_parse(answer, &lasts_s, NULL);

    /* "400" and "30x" are meant as durations, and would be read as dates. */
    if (!lasts && answer[strspn(answer, "0123456789")] != '-' && answer[0] >= '0' &&
        answer[0] <= '9')
        return sg_duration_parse(answer, &lasts_s, error);
    return sg_buf_printf(
               into, SG_LIMIT_YAML, error,
               "\n# backdate helps those whose clocks are slow. The issuer has to outlive "
               "the certificate.\n"
               "validity: {%s: %s, backdate: 5m, past_issuer: %s}\n",
               lasts ? "for" : "until", answer,
               strcmp(answer, "never") == 0 ? "allow" : "refuse") &&
           write_renewal(answers, lasts_s > 0 ? lasts_s : 360 * DAY_S, into, error);
}

static bool write_head(const struct sg_answers *answers, struct sg_buf *into,
                       struct sg_error *error)
{
    const char *whom = answers->texts[SG_ANSWER_FOR];

    if (strcmp(whom, "device") != 0 && strcmp(whom, "user") != 0 && strcmp(whom, "request") != 0)
        return sg_fail(error, SG_USAGE, NULL, "'%.40s' is neither device nor user nor request",
                       whom);
    return sg_buf_printf(into, SG_LIMIT_YAML, error,
                         "# yaml-language-server: $schema=policy.schema.json\n"
                         "# docs/policy.md explains every key. What is not named here does not get "
                         "into the certificate,\n"
                         "# whatever the request asks for. After a change: `signet policy test "
                         "%s`.\n\n"
                         "policy: %s\ndescription: ",
                         answers->name, answers->name) &&
           sg_cli_write_quoted(answers->texts[SG_ANSWER_DESCRIPTION], into, error) &&
           put(into, error, "\n");
}

bool sg_cli_write_policy(const struct sg_answers *answers, const char *examples,
                         struct sg_buf *text, struct sg_error *error)
{
    return write_head(answers, text, error) && write_who(answers, text, error) &&
           write_keys(answers, text, error) && write_subject(answers, text, error) &&
           write_san(answers, text, error) && write_eku(answers, text, error) &&
           put(text, error,
               "\n# What the issuer has a URL for (publish, in signet.yaml) goes in.\n"
               "publish: {crl: offered, ocsp: offered, ca_issuers: offered}\n") &&
           write_validity(answers, text, error) &&
           sg_buf_printf(text, SG_LIMIT_YAML, error, "unique: %s\n",
                         answers->texts[SG_ANSWER_UNIQUE]) &&
           put(text, error,
               "\n# What the request says has to agree with what it gets.\n"
               "request: {subject: equal-or-absent, san: equal-or-absent, extensions: match}\n") &&
           (examples == NULL || (put(text, error, "\nexamples:\n") && put(text, error, examples)));
}
