#include "profile.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/yaml.h"

static bool read_copy(const struct sg_yaml *document, const struct sg_yaml_node *value, char **copy,
                      struct sg_error *error)
{
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    *copy = strdup(text);
    return *copy != NULL ? true : sg_fail_memory(error);
}

static bool read_description(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    struct sg_profile *profile = into;

    return read_copy(document, value, &profile->description, error);
}

static bool read_module(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_profile *profile = into;
    const char *path;

    if (!sg_yaml_text(document, value, &path, error))
        return false;
    if (path[0] != '/')
        return sg_yaml_fail(document, value, error, "'%s' is not an absolute path", path);
    if (profile->num_modules == SG_PROFILE_MODULES)
        return sg_yaml_fail(document, value, error, "more than %d paths", SG_PROFILE_MODULES);
    if (!read_copy(document, value, &profile->modules[profile->num_modules], error))
        return false;
    profile->num_modules++;
    return true;
}

static bool read_modules(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    if (!sg_yaml_each(document, value, read_module, into, error))
        return false;
    if (value->num_children == 0)
        return sg_yaml_fail(document, value, error, "module names no path");
    return true;
}

static bool read_keygen_login(const struct sg_yaml *document, const struct sg_yaml_node *value,
                              void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {
        {"user", SG_KEYGEN_AS_USER},
        {"so", SG_KEYGEN_AS_SO},
        {0},
    };
    struct sg_profile *profile = into;
    int choice;

    if (!sg_yaml_word(document, value, CHOICES, &choice, error))
        return false;
    profile->keygen_login = (enum sg_keygen_login)choice;
    return true;
}

static bool read_max_pin(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_profile *profile = into;

    return sg_yaml_integer(document, value, 1, SG_LIMIT_PIN, &profile->max_pin, error);
}

static bool read_max_sessions(const struct sg_yaml *document, const struct sg_yaml_node *value,
                              void *into, struct sg_error *error)
{
    struct sg_profile *profile = into;

    return sg_yaml_integer(document, value, 1, SG_LIMIT_SESSIONS, &profile->max_sessions, error);
}

static bool read_id(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                    struct sg_error *error)
{
    struct sg_profile *profile = into;
    const char *text;
    uint8_t id;
    size_t len = 0;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    if (!sg_hex_parse(text, &id, 1, &len, NULL) || len != 1)
        return sg_yaml_fail(document, value, error, "'%s' is no id of one byte, such as '9a'",
                            text);
    if (profile->num_ids == SG_PROFILE_IDS)
        return sg_yaml_fail(document, value, error, "more than %d ids", SG_PROFILE_IDS);
    profile->ids[profile->num_ids++] = id;
    return true;
}

static bool read_ids(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    return sg_yaml_each(document, value, read_id, into, error);
}

static bool read_key(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    struct sg_profile *profile = into;
    struct sg_key_kind kind;
    struct sg_error cause = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    if (!sg_key_kind_parse(text, &kind, &cause))
        return sg_yaml_fail(document, value, error, "%s", cause.text);
    if (profile->num_keys == SG_PROFILE_KEYS)
        return sg_yaml_fail(document, value, error, "more than %d kinds of key", SG_PROFILE_KEYS);
    profile->keys[profile->num_keys++] = kind;
    return true;
}

static bool read_keys(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    return sg_yaml_each(document, value, read_key, into, error);
}

static bool read_scheme(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_profile *profile = into;
    enum sg_scheme scheme;
    struct sg_error cause = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    if (!sg_scheme_parse(text, &scheme, &cause))
        return sg_yaml_fail(document, value, error, "%s", cause.text);
    profile->schemes |= 1U << scheme;
    return true;
}

static bool read_schemes(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    return sg_yaml_each(document, value, read_scheme, into, error);
}

static bool read_mechanisms(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"keys", SG_YAML_REQUIRED, read_keys},
        {"signatures", SG_YAML_REQUIRED, read_schemes},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error);
}

static const struct sg_yaml_field FIELDS[] = {
    {"description", SG_YAML_REQUIRED, read_description},
    {"module", SG_YAML_REQUIRED, read_modules},
    {"keygen_login", SG_YAML_OPTIONAL, read_keygen_login},
    {"ids", SG_YAML_OPTIONAL, read_ids},
    {"max_sessions", SG_YAML_OPTIONAL, read_max_sessions},
    {"max_pin", SG_YAML_OPTIONAL, read_max_pin},
    {"mechanisms", SG_YAML_OPTIONAL, read_mechanisms},
    {0},
};

/* A name goes into a path, so it is one word. */
static bool check_name(const char *name, struct sg_error *error)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    if (name[0] == '\0' || strspn(name, LETTERS) != strlen(name))
        return sg_fail(error, SG_USAGE, NULL,
                       "'%s' is no name of a token profile: a word of a-z, 0-9 and '-', such as "
                       "softhsm",
                       name);
    return true;
}

static bool profile_path(const char *name, char **path, struct sg_error *error)
{
    const char *data = getenv("SIGNET_DATA");
    char *built = NULL;

    if (data == NULL || data[0] == '\0')
        data = SG_DATA_DIR;
    if (data[0] != '/')
        return sg_fail(error, SG_USAGE, NULL, "SIGNET_DATA is '%s', which is not an absolute path",
                       data);
    if (asprintf(&built, "%s/tokens/%s/profile.yaml", data, name) < 0)
        return sg_fail_memory(error);
    *path = built;
    return true;
}

bool sg_profile_load(const char *name, struct sg_profile *profile, struct sg_error *error)
{
    sg_auto(sg_profile) struct sg_profile fresh = {0};
    sg_auto(sg_yaml) struct sg_yaml *document = NULL;
    sg_auto(malloc) char *path = NULL;

    if (!check_name(name, error) || !profile_path(name, &path, error))
        return false;
    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return sg_fail(error, SG_INVALID, NULL,
                       "there is no token profile %s: %s is not there; name the PKCS#11 module by "
                       "its path instead, or set SIGNET_DATA to the folder that holds tokens/",
                       name, path);
    if (!sg_yaml_load(path, &document, error) ||
        !sg_yaml_mapping(document, sg_yaml_root(document), FIELDS, &fresh, error))
        return false;
    fresh.name = strdup(name);
    if (fresh.name == NULL)
        return sg_fail_memory(error);
    *profile = fresh;
    fresh = (struct sg_profile){0};
    return true;
}

bool sg_profile_has_key(const struct sg_profile *profile, struct sg_key_kind kind)
{
    for (size_t i = 0; i < profile->num_keys; i++)
        if (sg_key_kind_equal(profile->keys[i], kind))
            return true;
    return profile->num_keys == 0;
}

bool sg_profile_has_id(const struct sg_profile *profile, struct sg_slice id)
{
    return profile->num_ids == 0 ||
           (id.len == 1 && memchr(profile->ids, id.data[0], profile->num_ids) != NULL);
}

bool sg_profile_has_scheme(const struct sg_profile *profile, enum sg_scheme scheme)
{
    return profile->schemes == 0 || (profile->schemes & 1U << scheme) != 0;
}

void sg_profile_done(struct sg_profile *profile)
{
    for (size_t i = 0; i < profile->num_modules; i++)
        free(profile->modules[i]);
    free(profile->description);
    free(profile->name);
    *profile = (struct sg_profile){0};
}
