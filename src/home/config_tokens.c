#include <string.h>

#include "base/limits.h"
#include "config_parts.h"

enum { MAX_ENGINE_SESSIONS = 16 }; /* libp11's pool ends there */

static bool read_profile(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_token_entry *token = into;

    return sg_yaml_text(document, value, &token->profile, error);
}

static bool read_module(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_token_entry *token = into;

    return sg_yaml_text(document, value, &token->module, error);
}

static bool read_uri(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    struct sg_token_entry *token = into;
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, &token->uri, error))
        return false;
    return sg_config_check_uri(token->uri, &why) || sg_config_fail_as(document, value, &why, error);
}

/* Someone may have written the PIN itself here: the value is not in the message. */
static bool read_pin(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    struct sg_token_entry *token = into;

    if (!sg_yaml_text(document, value, &token->pin, error))
        return false;
    if (!sg_pin_check_source(token->pin, NULL))
        return sg_yaml_fail(document, value, error,
                            "pin has to say where the PIN is: file:NAME, env:NAME, "
                            "credential:NAME or prompt; never the PIN itself");
    return true;
}

static bool read_signer(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice KINDS[] = {
        {"engine", SG_SIGNER_ENGINE}, {"direct", SG_SIGNER_DIRECT}, {0}};
    struct sg_token_entry *token = into;
    int kind = SG_SIGNER_DEFAULT;

    if (!sg_yaml_word(document, value, KINDS, &kind, error))
        return false;
    if (kind == SG_SIGNER_ENGINE && !sg_token_has_engine())
        return sg_yaml_fail(document, value, error,
                            "signer: engine is not in this signet, which was built without "
                            "OpenSSL's pkcs11 engine; use signer: direct");
    token->signer = (enum sg_signer_kind)kind;
    return true;
}

static bool read_sessions(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    struct sg_token_entry *token = into;

    return sg_yaml_integer(document, value, 1, SG_LIMIT_SESSIONS, &token->sessions, error);
}

static const struct sg_yaml_field FIELDS[] = {
    {"profile", SG_YAML_OPTIONAL, read_profile},
    {"module", SG_YAML_OPTIONAL, read_module},
    {"uri", SG_YAML_REQUIRED, read_uri},
    {"pin", SG_YAML_OPTIONAL, read_pin},
    {"signer", SG_YAML_OPTIONAL, read_signer},
    {"sessions", SG_YAML_OPTIONAL, read_sessions},
    {0},
};

/* The child of that key; value itself where it has none. */
static const struct sg_yaml_node *find_child(const struct sg_yaml_node *value, const char *key)
{
    for (size_t i = 0; i < value->num_children; i++)
        if (strcmp(value->children[i].key, key) == 0)
            return &value->children[i];
    return value;
}

static bool read_token(const struct sg_yaml *document, const struct sg_yaml_node *value,
                       struct sg_token_entry *token, struct sg_error *error)
{
    token->name = value->key;
    token->signer = sg_signer_settle(SG_SIGNER_DEFAULT);
    token->sessions = SG_DEFAULT_SESSIONS;
    if (!sg_yaml_mapping(document, value, FIELDS, token, error))
        return false;
    if (!sg_config_name_is_valid(token->name))
        return sg_yaml_fail(document, value, error,
                            "the name of a token has 64 characters at most");
    if ((token->profile == NULL) == (token->module == NULL))
        return sg_yaml_fail(document, value, error,
                            "token %s needs either profile (a folder of tokens/, as softhsm) or "
                            "module (the path of a PKCS#11 module)%s",
                            token->name, token->profile != NULL ? ", not both" : "");
    if (token->signer == SG_SIGNER_ENGINE && token->sessions > MAX_ENGINE_SESSIONS)
        return sg_yaml_fail(document, find_child(value, "sessions"), error,
                            "sessions has to be from 1 to %d, as OpenSSL's pkcs11 engine opens no "
                            "more; signer: direct does",
                            MAX_ENGINE_SESSIONS);
    return true;
}

bool sg_config_read_tokens(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           void *into, struct sg_error *error)
{
    struct sg_config *config = into;

    if (value->kind != SG_YAML_MAPPING || value->num_children == 0)
        return sg_yaml_fail(document, value, error,
                            "tokens has to be a mapping of one or more tokens: NAME: {profile: …, "
                            "uri: …, pin: …}");
    config->tokens = calloc(value->num_children, sizeof *config->tokens);
    if (config->tokens == NULL)
        return sg_fail_memory(error);
    config->num_tokens = value->num_children;
    for (size_t i = 0; i < value->num_children; i++)
        if (!read_token(document, &value->children[i], &config->tokens[i], error))
            return false;
    return true;
}
