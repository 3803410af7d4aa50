#include <string.h>
#include <strings.h>

#include "enroll/csr_policy.h"
#include "enroll/file_key.h"
#include "policy_new.h"

/* Made-up values, by the names that people give such attributes. */
static const struct {
    const char *name, *value;
} SAMPLES[] = {
    {"device.id", "device-0001"},
    {"user.name", "Ada Lovelace"},
    {"request.CN", "example"},
    {"request.C", "DE"},
    {"email", "ada@example.com"},
    {"mail", "ada@example.com"},
    {"upn", "ada@example.com"},
    {"emailAddress", "ada@example.com"},
    {"ip", "192.0.2.10"},
    {"address", "192.0.2.10"},
    {"host", "host.example.com"},
    {"hostname", "host.example.com"},
    {"fqdn", "host.example.com"},
    {"dns", "host.example.com"},
    {"country", "DE"},
    {"sid", "S-1-5-21-1-2-3-1001"},
};

/* Whoever is in the example. */
struct cast {
    struct sg_record device, user;
    struct sg_name subject; /* for ${request.TYPE} */
};

static void cast_done(struct cast *cast)
{
    sg_record_done(&cast->device);
    sg_record_done(&cast->user);
    sg_name_done(&cast->subject);
}
SG_DEFINE_CLEANUP_IN_PLACE(cast, cast_done)

/* reference: "device.region". */
static const char *sample(const struct sg_cli *cli, const char *reference)
{
    const char *set, *name = strchr(reference, '.') + 1;
    size_t len = strlen(reference);

    for (size_t i = 0; (set = sg_cli_nth(cli, "set", i)) != NULL; i++)
        if (strncmp(set, reference, len) == 0 && set[len] == '=')
            return set + len + 1;
    for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++)
        if (strcmp(SAMPLES[i].name, reference) == 0 || strcmp(SAMPLES[i].name, name) == 0)
            return SAMPLES[i].value;
    return "example";
}

static bool set_id(struct sg_record *record, const char *id, struct sg_error *error)
{
    free(record->id);
    record->id = strdup(id);
    return record->id != NULL || sg_fail_memory(error);
}

static bool set_of_request(const char *type, const char *value, struct sg_name *subject,
                           struct sg_error *error)
{
    const char *oid = NULL;

    return sg_oid_of_attribute(type, &oid, error) &&
           (sg_name_first(subject, oid, NULL) != NULL || sg_name_add(subject, oid, value, error));
}

static bool take_reference(const struct sg_cli *cli, const char *reference, struct cast *cast,
                           struct sg_error *error)
{
    const char *value = sample(cli, reference), *name = strchr(reference, '.') + 1;
    bool is_device = strncmp(reference, "device.", 7) == 0;

    if (strncmp(reference, "request.", 8) == 0)
        return set_of_request(name, value, &cast->subject, error);
    if (!is_device && strncmp(reference, "user.", 5) != 0)
        return true;
    if (strcmp(name, is_device ? "id" : "name") == 0)
        return true; /* it has one already */
    return sg_record_set(is_device ? &cast->device : &cast->user, name, value, error);
}

/* A value for every reference in an answer. */
static bool take_references(const struct sg_cli *cli, const char *answer, struct cast *cast,
                            struct sg_error *error)
{
    char reference[SG_ENTRY_SIZE];

    for (const char *at = answer; (at = strstr(at, "${")) != NULL; at += 2) {
        snprintf(reference, sizeof reference, "%.*s", (int)strcspn(at + 2, "}"), at + 2);
        if (strchr(reference, '.') != NULL && !take_reference(cli, reference, cast, error))
            return false;
    }
    return true;
}

static bool fill_cast(const struct sg_cli *cli, const struct sg_answers *answers, struct cast *cast,
                      struct sg_error *error)
{
    return set_id(&cast->device, sample(cli, "device.id"), error) &&
           set_id(&cast->user, sample(cli, "user.name"), error) &&
           take_references(cli, answers->texts[SG_ANSWER_SUBJECT], cast, error) &&
           take_references(cli, answers->texts[SG_ANSWER_SAN], cast, error);
}

/* Of the first kind in the list. */
static struct sg_key_kind first_kind(const struct sg_answers *answers)
{
    const char *at = answers->texts[SG_ANSWER_KEYS];
    char entry[SG_ENTRY_SIZE] = "";

    if (!sg_cli_next_entry(&at, entry) || strcmp(entry, "P-256") == 0)
        return (struct sg_key_kind){SG_KEY_EC, 256};
    if (strncasecmp(entry, "rsa", 3) == 0)
        return (struct sg_key_kind){
            SG_KEY_RSA, entry[3] == '-' ? (unsigned)strtoul(entry + 4, NULL, 10) : 2048};
    if (strcasecmp(entry, "ed25519") == 0)
        return (struct sg_key_kind){SG_KEY_ED25519, 0};
    return (struct sg_key_kind){SG_KEY_EC, strcmp(entry, "P-384") == 0 ? 384 : 521};
}

static bool write_record(const char *noun, const char *id_name, const struct sg_record *record,
                         struct sg_buf *lines, struct sg_error *error)
{
    if (!sg_buf_printf(lines, SG_LIMIT_YAML, error, ", %s: {%s: ", noun, id_name) ||
        !sg_cli_write_quoted(record->id, lines, error))
        return false;
    for (size_t i = 0; i < record->num_attributes; i++)
        if (!sg_buf_printf(lines, SG_LIMIT_YAML, error, ", %s: ", record->attributes[i].name) ||
            !sg_cli_write_quoted(record->attributes[i].value, lines, error))
            return false;
    return sg_buf_printf(lines, SG_LIMIT_YAML, error, "}");
}

static bool write_line(const struct sg_answers *answers, const struct sg_csr_wish *wish,
                       const char *refuse, struct sg_buf *lines, struct sg_error *error)
{
    return sg_buf_printf(lines, SG_LIMIT_YAML, error, "  - {csr: %s/ok.csr", answers->name) &&
           (wish->device == NULL || write_record("device", "id", wish->device, lines, error)) &&
           (wish->user == NULL || write_record("user", "name", wish->user, lines, error)) &&
           (refuse == NULL
                ? sg_buf_printf(lines, SG_LIMIT_YAML, error, ", expect: accept}\n")
                : sg_buf_printf(lines, SG_LIMIT_YAML, error, ", expect: {refuse: %s}}\n", refuse));
}

/* The same request for somebody else: which rule sees it? A policy may not care. */
static bool write_refused(const struct sg_answers *answers, struct sg_csr_wish wish,
                          struct cast *cast, struct sg_slice csr, struct sg_buf *lines,
                          struct sg_error *error)
{
    struct sg_error why = {0};
    const char *rule = NULL;

    if (!set_id(&cast->device, "device-9999", error) || !set_id(&cast->user, "Eve", error))
        return false;
    if (sg_csr_check_policy(&wish, csr, &why) || (rule = strstr(why.rule, ": ")) == NULL)
        return true;
    return sg_buf_printf(lines, SG_LIMIT_YAML, error, "  # somebody else's request\n") &&
           write_line(answers, &wish, rule + 2, lines, error);
}

static bool make_request(const struct sg_answers *answers, const struct sg_csr_wish *wish,
                         struct sg_buf *csr, struct sg_error *error)
{
    sg_auto(sg_file_key) struct sg_file_key *key = NULL;
    sg_auto(sg_plan) struct sg_plan plan = {0};

    if (!sg_file_key_make(first_kind(answers), &key, error) ||
        !sg_csr_plan(wish, sg_file_key_public(key), &plan, error))
        return false;
    const struct sg_csr_signer signer = sg_csr_signer_of_file(key);
    const struct sg_csr_spec spec = sg_csr_spec_of_plan(&plan);
    return sg_enroll_csr(&signer, &spec, NULL, NULL, csr, error) &&
           sg_csr_check_policy(wish, sg_buf_slice(csr), error);
}

bool sg_cli_make_example(const struct sg_cli *cli, const struct sg_answers *answers,
                         const struct sg_policy *policy, struct sg_buf *csr, struct sg_buf *lines,
                         struct sg_error *error)
{
    const char *whom = answers->texts[SG_ANSWER_FOR];
    sg_auto(cast) struct cast cast = {0};
    struct sg_csr_wish wish = {
        .policy = policy, .subject = &cast.subject, .issuer_name = "example"};

    wish.now = sg_clock_now(&cli->clock);
    wish.device = strcmp(whom, "device") == 0 ? &cast.device : NULL;
    wish.user = strcmp(whom, "user") == 0 ? &cast.user : NULL;
    return fill_cast(cli, answers, &cast, error) && make_request(answers, &wish, csr, error) &&
           write_line(answers, &wish, NULL, lines, error) &&
           write_refused(answers, wish, &cast, sg_buf_slice(csr), lines, error);
}
