/* `operators`: who may use the API, by the SHA-256 of their certificate. */
#include <string.h>

#include "base/limits.h"
#include "config_parts.h"
#include "service_config.h"

static bool read_name(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_operator_entry *entry = into;

    if (!sg_yaml_text(document, value, &entry->name, error))
        return false;
    return (entry->name[0] != '\0' && strlen(entry->name) <= SG_LIMIT_PERSON) ||
           sg_yaml_fail(document, value, error, "a name has 1 to %d bytes", SG_LIMIT_PERSON);
}

static bool read_digest(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_operator_entry *entry = into;
    const char *text = NULL;
    size_t len = 0;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    return (sg_hex_parse(text, entry->certificate, sizeof entry->certificate, &len, NULL) &&
            len == sizeof entry->certificate) ||
           sg_yaml_fail(document, value, error,
                        "certificate has to be the SHA-256 of the certificate in DER, 64 hex "
                        "digits: `openssl x509 -in FILE -noout -fingerprint -sha256`");
}

static bool read_role(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    static const struct sg_yaml_choice ROLES[] = {{"token-service", SG_ROLE_TOKEN_SERVICE},
                                                  {"auditor", SG_ROLE_AUDITOR},
                                                  {"officer", SG_ROLE_OFFICER},
                                                  {0}};
    int role = 0;

    if (!sg_yaml_word(document, value, ROLES, &role, error))
        return false;
    ((struct sg_operator_entry *)into)->role = (enum sg_role)role;
    return true;
}

static bool read_operator(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"name", SG_YAML_REQUIRED, read_name},
        {"certificate", SG_YAML_REQUIRED, read_digest},
        {"role", SG_YAML_REQUIRED, read_role},
        {0},
    };
    struct sg_service_config *config = into;
    struct sg_operator_entry *entry = &config->operators[config->num_operators];

    if (!sg_yaml_mapping(document, value, FIELDS, entry, error))
        return false;
    if (sg_service_find_operator(config, entry->certificate) != NULL)
        return sg_yaml_fail(document, value, error, "two operators have the same certificate");
    config->num_operators++;
    return true;
}

bool sg_config_read_operators(const struct sg_yaml *document, const struct sg_yaml_node *value,
                              void *into, struct sg_error *error)
{
    struct sg_service_config *config = into;

    if (value->kind != SG_YAML_SEQUENCE || value->num_children == 0 ||
        value->num_children > SG_LIMIT_OPERATORS)
        return sg_yaml_fail(document, value, error,
                            "operators has to be a list of {name, certificate, role}, 1 to %d",
                            SG_LIMIT_OPERATORS);
    config->operators = calloc(value->num_children, sizeof *config->operators);
    if (config->operators == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(document, value, read_operator, config, error);
}

const struct sg_operator_entry *sg_service_find_operator(const struct sg_service_config *config,
                                                         const uint8_t certificate[SG_SHA256_LEN])
{
    for (size_t i = 0; i < config->num_operators; i++)
        if (memcmp(config->operators[i].certificate, certificate, SG_SHA256_LEN) == 0)
            return &config->operators[i];
    return NULL;
}

const char *sg_role_word(enum sg_role role)
{
    switch (role) {
    case SG_ROLE_TOKEN_SERVICE:
        return "token-service";
    case SG_ROLE_AUDITOR:
        return "auditor";
    case SG_ROLE_OFFICER:
        break;
    }
    return "officer";
}
