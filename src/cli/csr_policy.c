#include <string.h>

#include "csr.h"
#include "policies.h"

/* "device.id=device-AB12" into the record that it is about. */
static bool set_value(const char *text, const char *noun, const char *id_name,
                      struct sg_record *record, struct sg_error *error)
{
    const char *name = text + strlen(noun) + 1, *equals = strchr(text, '=');
    sg_auto(malloc) char *word = strndup(name, (size_t)(equals - name));
    bool is_id;

    if (word == NULL)
        return sg_fail_memory(error);
    is_id = strcmp(word, id_name) == 0;
    if (equals[1] == '\0')
        return sg_fail(error, SG_USAGE, NULL, "--set %s has no value; leave it out", text);
    if (is_id ? record->id != NULL : sg_record_value(record, word) != NULL)
        return sg_fail(error, SG_USAGE, NULL, "%s.%s is set twice", noun, word);
    if (!is_id)
        return sg_record_set(record, word, equals + 1, error);
    record->id = strdup(equals + 1);
    return record->id != NULL || sg_fail_memory(error);
}

static bool is_about(const char *text, const char *noun)
{
    size_t len = strlen(noun);
    const char *equals = strchr(text, '=');

    return strncmp(text, noun, len) == 0 && text[len] == '.' && equals != NULL &&
           equals > text + len + 1;
}

static bool take_settings(const struct sg_cli *cli, struct sg_csr_making *making,
                          struct sg_error *error)
{
    const char *text;

    for (size_t i = 0; (text = sg_cli_nth(cli, "set", i)) != NULL; i++) {
        bool done;

        if (is_about(text, "device"))
            done = set_value(text, "device", "id", &making->device, error);
        else if (is_about(text, "user"))
            done = set_value(text, "user", "name", &making->user, error);
        else
            return sg_fail(error, SG_USAGE, NULL,
                           "--set %s: write device.NAME=VALUE or user.NAME=VALUE, as in "
                           "device.id=device-AB12",
                           text);
        if (!done)
            return false;
    }
    return true;
}

/* A record out of the registry or out of --set, not of both. */
static bool find_record(const struct sg_cli *cli, struct sg_home *home, const char *noun,
                        struct sg_record *record, const struct sg_record **found,
                        struct sg_error *error)
{
    bool is_device = strcmp(noun, "device") == 0;
    enum sg_registry_kind kind = is_device ? SG_REGISTRY_DEVICE : SG_REGISTRY_USER;
    const char *id = sg_cli_text(cli, noun), *id_name = is_device ? "id" : "name";
    bool is_set = record->id != NULL || record->num_attributes > 0;

    if (id != NULL && is_set)
        return sg_fail(error, SG_USAGE, NULL,
                       "give --%s, which the registry knows, or --set %s.…, not both", noun, noun);
    if (is_set && record->id == NULL)
        return sg_fail(error, SG_USAGE, NULL, "--set %s.%s=… is missing beside the other values",
                       noun, id_name);
    if (id != NULL && !sg_store_find_record(sg_home_store(home), kind, id, record, error))
        return false;
    if (id != NULL || is_set)
        *found = record;
    return true;
}

/* Its examples are not run: this is how their requests are made. */
static bool open_policy(const struct sg_cli *cli, struct sg_csr_making *making,
                        struct sg_error *error)
{
    const char *name = sg_cli_text(cli, "for");

    if (sg_cli_is_policy_file(name)
            ? !sg_policy_load(name, &making->policy, error)
            : !sg_home_read_policy(making->home, name, &making->policy, error))
        return false;
    making->wish.policy = making->policy;
    return true;
}

/* What the home's registry has. */
static bool take_schemas(struct sg_csr_making *making, struct sg_error *error)
{
    if (making->home == NULL)
        return true;
    const struct sg_config *config = sg_home_config(making->home);
    making->wish.device_schema = &config->device;
    making->wish.user_schema = &config->user;
    return sg_cli_note_fields(config, making->policy, error);
}

/* The home's issuer has limits of its own, by which a certificate would be refused. */
static bool find_issuer(const struct sg_cli *cli, struct sg_csr_making *making,
                        struct sg_error *error)
{
    const char *name = sg_cli_text(cli, "issuer");
    struct sg_issuer *issuer;

    making->wish.issuer_name = name != NULL ? name : "";
    if (making->home == NULL || sg_policy_is_self_signed(making->wish.policy))
        return true;
    if (!sg_home_issuer(making->home, name, SG_ISSUER_TO_READ, &issuer, error))
        return false;
    making->wish.issuer = &issuer->facts;
    return true;
}

bool sg_csr_gather_policy(const struct sg_cli *cli, struct sg_csr_making *making,
                          struct sg_error *error)
{
    bool needs_home = !sg_cli_is_policy_file(sg_cli_text(cli, "for")) ||
                      sg_cli_has(cli, "device") || sg_cli_has(cli, "user");

    making->wish.subject = &making->content.subject;
    making->wish.now = sg_clock_now(&cli->clock);
    return take_settings(cli, making, error) &&
           (!needs_home || sg_cli_open_home(cli, SG_STORE_READ_ONLY, &making->home, error)) &&
           open_policy(cli, making, error) && take_schemas(making, error) &&
           find_issuer(cli, making, error) &&
           find_record(cli, making->home, "device", &making->device, &making->wish.device, error) &&
           find_record(cli, making->home, "user", &making->user, &making->wish.user, error);
}
