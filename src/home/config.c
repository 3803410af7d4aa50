#include "config_parts.h"

#include <string.h>

#include "base/limits.h"
#include "store/store.h"

static bool read_ca(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                    struct sg_error *error)
{
    struct sg_config *config = into;

    return sg_yaml_text(document, value, &config->ca, error);
}

static bool read_store(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    struct sg_config *config = into;
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, &config->store, error))
        return false;
    return sg_store_check_location(config->store, &why) ||
           sg_config_fail_as(document, value, &why, error);
}

static bool read_service(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_config *config = into;

    return sg_service_config_read(document, value, &config->service, error);
}

static bool read_pins_token(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    struct sg_config *config = into;

    return sg_yaml_text(document, value, &config->pins_token, error);
}

static bool read_pins_key(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    struct sg_config *config = into;
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, &config->pins_key, error))
        return false;
    return sg_config_check_uri(config->pins_key, &why) ||
           sg_config_fail_as(document, value, &why, error);
}

static bool read_pins(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    static const struct sg_yaml_field PINS[] = {
        {"token", SG_YAML_REQUIRED, read_pins_token},
        {"key", SG_YAML_REQUIRED, read_pins_key},
        {0},
    };

    return sg_yaml_mapping(document, value, PINS, into, error);
}

static const struct sg_yaml_field FIELDS[] = {
    {"ca", SG_YAML_REQUIRED, read_ca},
    {"store", SG_YAML_REQUIRED, read_store},
    {"tokens", SG_YAML_REQUIRED, sg_config_read_tokens},
    {"issuers", SG_YAML_REQUIRED, sg_config_read_issuers},
    {"registry", SG_YAML_OPTIONAL, sg_config_read_registry},
    {"service", SG_YAML_OPTIONAL, read_service},
    {"pins", SG_YAML_OPTIONAL, read_pins},
    {0},
};

bool sg_config_name_is_valid(const char *text)
{
    static const char INSIDE[] =
        "-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char *const FIRST = INSIDE + 3;
    size_t len = strspn(text, INSIDE);

    return len > 0 && len <= 64 && text[len] == '\0' && strchr(FIRST, text[0]) != NULL;
}

bool sg_config_check_uri(const char *text, struct sg_error *error)
{
    if (strstr(text, "pin-value") != NULL || strstr(text, "pin-source") != NULL)
        return sg_fail(error, SG_USAGE, "RFC 7512 2.4",
                       "a PIN does not belong into a URI; say where it is with `pin`: file:NAME, "
                       "env:NAME, credential:NAME or prompt");
    if (strncmp(text, "pkcs11:", strlen("pkcs11:")) != 0)
        return sg_fail(error, SG_USAGE, "RFC 7512 2.3",
                       "'%s' is not a PKCS#11 URI; write pkcs11:token=LABEL for a token, "
                       "pkcs11:object=LABEL for a key",
                       text);
    return true;
}

bool sg_config_check_url(const char *text, struct sg_error *error)
{
    static const char *const SCHEMES[] = {"http://", "https://", "ldap://"};
    static const char CHARACTERS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%";

    for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++) {
        size_t len = strlen(SCHEMES[i]);

        if (strncmp(text, SCHEMES[i], len) != 0)
            continue;
        if (text[len] == '\0' || text[strspn(text, CHARACTERS)] != '\0')
            return sg_fail(error, SG_USAGE, "RFC 3986 2",
                           "'%s' has a character that no URL may have, or no host", text);
        return true;
    }
    return sg_fail(error, SG_USAGE, "RFC 5280 4.2.1.13",
                   "'%s' has to begin with http://, https:// or ldap://", text);
}

bool sg_config_fail_as(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       const struct sg_error *why, struct sg_error *error)
{
    if (node->key == NULL)
        return sg_yaml_fail(document, node, error, "%s", why->text);
    return sg_yaml_fail(document, node, error, "%s: %s", node->key, why->text);
}

static bool read_all(struct sg_config *config, struct sg_error *error)
{
    return sg_yaml_mapping(config->document, sg_yaml_root(config->document), FIELDS, config, error);
}

const struct sg_yaml_node *sg_config_issuer_node(const struct sg_config *config, size_t index,
                                                 const char *key)
{
    const struct sg_yaml_node *issuers = sg_yaml_get(sg_yaml_root(config->document), "issuers");
    const struct sg_yaml_node *node = sg_yaml_get(&issuers->children[index], key);

    return node != NULL ? node : &issuers->children[index];
}

static bool has_token(const struct sg_config *config, const char *name)
{
    for (size_t i = 0; i < config->num_tokens; i++)
        if (strcmp(config->tokens[i].name, name) == 0)
            return true;
    return false;
}

/* What two issuers may not share. One key under two names would be two issuers in name only. */
static bool check_pair(const struct sg_config *config, size_t index, size_t earlier,
                       struct sg_error *error)
{
    const struct sg_issuer_entry *one = &config->issuers[index];
    const struct sg_issuer_entry *other = &config->issuers[earlier];
    const char *shared = NULL;

    if (strcmp(one->name, other->name) == 0)
        shared = "name";
    else if (strcmp(one->token, other->token) == 0 && strcmp(one->key, other->key) == 0)
        shared = "key";
    else if (strcmp(one->certificate, other->certificate) == 0)
        shared = "certificate";
    else
        return true;
    return sg_yaml_fail(config->document, sg_config_issuer_node(config, index, shared), error,
                        "issuer %s has the %s of the issuer on line %u; each needs its own",
                        one->name, shared, sg_config_issuer_node(config, earlier, shared)->line);
}

/* Its own key and its own certificate: what signs certificates signs nothing that strangers choose
 * the contents of. */
static bool check_responder(const struct sg_config *config, size_t index, struct sg_error *error)
{
    const struct sg_issuer_entry *issuer = &config->issuers[index];
    const struct sg_yaml_node *node = sg_config_issuer_node(config, index, "ocsp");
    const char *token = issuer->ocsp.token != NULL ? issuer->ocsp.token : issuer->token;

    if (issuer->ocsp.key == NULL)
        return true;
    if (!has_token(config, token))
        return sg_yaml_fail(config->document, sg_yaml_get(node, "token"), error,
                            "there is no token '%s' under tokens", token);
    for (size_t i = 0; i < config->num_issuers; i++)
        if (strcmp(config->issuers[i].token, token) == 0 &&
            strcmp(config->issuers[i].key, issuer->ocsp.key) == 0)
            return sg_yaml_fail(config->document, sg_yaml_get(node, "key"), error,
                                "this is the key of issuer %s; OCSP answers are signed with a key "
                                "of their own",
                                config->issuers[i].name);
    return true;
}

static bool check_issuers(const struct sg_config *config, struct sg_error *error)
{
    for (size_t i = 0; i < config->num_issuers; i++) {
        const struct sg_issuer_entry *issuer = &config->issuers[i];

        if (!has_token(config, issuer->token))
            return sg_yaml_fail(config->document, sg_config_issuer_node(config, i, "token"), error,
                                "there is no token '%s' under tokens", issuer->token);
        if (!check_responder(config, i, error))
            return false;
        for (size_t earlier = 0; earlier < i; earlier++)
            if (!check_pair(config, i, earlier, error))
                return false;
    }
    return true;
}

static bool check_pins(const struct sg_config *config, struct sg_error *error)
{
    const struct sg_yaml_node *pins = sg_yaml_get(sg_yaml_root(config->document), "pins");

    if (pins == NULL || has_token(config, config->pins_token))
        return true;
    return sg_yaml_fail(config->document, sg_yaml_get(pins, "token"), error,
                        "there is no token '%s' under tokens", config->pins_token);
}

/* Where it stands is known by line, as its node is not. */
static bool check_key_place(const struct sg_config *config, const char *path,
                            const struct sg_key_place *place, struct sg_error *error)
{
    return place->token == NULL || has_token(config, place->token) ||
           sg_fail(error, SG_INVALID, NULL, "%s:%u:%u: there is no token '%s' under tokens", path,
                   place->line, place->column, place->token);
}

bool sg_config_load(const char *path, struct sg_config *config, struct sg_error *error)
{
    sg_auto(sg_config) struct sg_config fresh = {0};

    if (!sg_yaml_load(path, &fresh.document, error) || !read_all(&fresh, error) ||
        !check_issuers(&fresh, error) || !check_pins(&fresh, error) ||
        !check_key_place(&fresh, path, &fresh.service.health, error) ||
        !check_key_place(&fresh, path, &fresh.service.https.place, error) ||
        !check_key_place(&fresh, path, &fresh.service.est.key_signer, error))
        return false;
    *config = fresh;
    fresh = (struct sg_config){0};
    return true;
}

void sg_config_done(struct sg_config *config)
{
    for (size_t i = 0; i < config->num_issuers; i++)
        free(config->issuers[i].chain);
    free(config->issuers);
    free(config->tokens);
    sg_schema_done(&config->device);
    sg_schema_done(&config->user);
    sg_service_config_done(&config->service);
    sg_yaml_free(config->document);
    *config = (struct sg_config){0};
}
