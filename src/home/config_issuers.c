#include <string.h>

#include "config_parts.h"

/* Seconds; a CRL without an end would be no news at all (RFC 5280 5.1.2.5 wants one). */
enum { DEFAULT_CRL_LIFETIME_S = 7 * 24 * 3600 };

static bool read_name(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    if (!sg_yaml_text(document, value, &issuer->name, error))
        return false;
    if (!sg_config_name_is_valid(issuer->name))
        return sg_yaml_fail(document, value, error,
                            "name '%s' has to be made of letters, digits, '.', '_', '-', begin "
                            "with a letter or digit, and have 64 characters at most",
                            issuer->name);
    return true;
}

static bool read_token(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    return sg_yaml_text(document, value, &issuer->token, error);
}

static bool read_key(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, &issuer->key, error))
        return false;
    return sg_config_check_uri(issuer->key, &why) ||
           sg_config_fail_as(document, value, &why, error);
}

static bool read_file_name(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           const char **name, struct sg_error *error)
{
    if (!sg_yaml_text(document, value, name, error))
        return false;
    if ((*name)[0] == '\0' || (*name)[strlen(*name) - 1] == '/')
        return sg_yaml_fail(document, value, error, "'%s' names no file", *name);
    return true;
}

static bool read_certificate(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    return read_file_name(document, value, &issuer->certificate, error);
}

static bool read_chain_file(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    return read_file_name(document, value, &issuer->chain[issuer->num_chain++], error);
}

static bool read_chain(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    issuer->chain = calloc(value->num_children + 1, sizeof *issuer->chain);
    if (issuer->chain == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(document, value, read_chain_file, issuer, error);
}

static bool read_signature(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           void *into, struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;
    struct sg_error why = {0};
    const char *text = NULL;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    return sg_scheme_parse(text, &issuer->scheme, &why) ||
           sg_config_fail_as(document, value, &why, error);
}

static bool read_state(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    static const struct sg_yaml_choice STATES[] = {
        {"active", SG_ISSUER_ACTIVE},
        {"status-only", SG_ISSUER_STATUS_ONLY},
        {"retired", SG_ISSUER_RETIRED},
        {0},
    };
    struct sg_issuer_entry *issuer = into;
    int state = SG_ISSUER_ACTIVE;

    if (!sg_yaml_word(document, value, STATES, &state, error))
        return false;
    issuer->state = (enum sg_issuer_state)state;
    return true;
}

static bool read_url(const struct sg_yaml *document, const struct sg_yaml_node *value,
                     const char **url, struct sg_error *error)
{
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, url, error))
        return false;
    return sg_config_check_url(*url, &why) || sg_config_fail_as(document, value, &why, error);
}

static bool read_crl_url(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    return read_url(document, value, &issuer->crl_url, error);
}

static bool read_ocsp_url(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    return read_url(document, value, &issuer->ocsp_url, error);
}

static bool read_ca_issuers_url(const struct sg_yaml *document, const struct sg_yaml_node *value,
                                void *into, struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    return read_url(document, value, &issuer->ca_issuers_url, error);
}

static bool read_publish(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    static const struct sg_yaml_field PUBLISH[] = {
        {"crl", SG_YAML_OPTIONAL, read_crl_url},
        {"ocsp", SG_YAML_OPTIONAL, read_ocsp_url},
        {"ca_issuers", SG_YAML_OPTIONAL, read_ca_issuers_url},
        {0},
    };

    return sg_yaml_mapping(document, value, PUBLISH, into, error);
}

static bool read_next_update(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    struct sg_issuer_entry *issuer = into;

    if (!sg_yaml_duration(document, value, &issuer->crl_lifetime_s, error))
        return false;
    if (issuer->crl_lifetime_s == 0)
        return sg_yaml_fail(document, value, error,
                            "next_update: a CRL that is outdated at once is no use");
    return true;
}

static bool read_crl(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    static const struct sg_yaml_field CRL[] = {
        {"next_update", SG_YAML_REQUIRED, read_next_update},
        {0},
    };

    return sg_yaml_mapping(document, value, CRL, into, error);
}

static const struct sg_yaml_field FIELDS[] = {
    {"name", SG_YAML_REQUIRED, read_name},
    {"token", SG_YAML_REQUIRED, read_token},
    {"key", SG_YAML_REQUIRED, read_key},
    {"certificate", SG_YAML_REQUIRED, read_certificate},
    {"chain", SG_YAML_OPTIONAL, read_chain},
    {"signature", SG_YAML_OPTIONAL, read_signature},
    {"state", SG_YAML_OPTIONAL, read_state},
    {"publish", SG_YAML_OPTIONAL, read_publish},
    {"crl", SG_YAML_OPTIONAL, read_crl},
    {"ocsp", SG_YAML_OPTIONAL, sg_config_read_ocsp},
    {0},
};

static bool read_issuer(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_config *config = into;
    struct sg_issuer_entry *issuer = &config->issuers[config->num_issuers++];

    issuer->crl_lifetime_s = DEFAULT_CRL_LIFETIME_S;
    return sg_yaml_mapping(document, value, FIELDS, issuer, error);
}

bool sg_config_read_issuers(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    struct sg_config *config = into;

    if (value->kind == SG_YAML_SEQUENCE && value->num_children == 0)
        return sg_yaml_fail(document, value, error, "issuers is empty; a CA has one at least");
    config->issuers = calloc(value->num_children + 1, sizeof *config->issuers);
    if (config->issuers == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(document, value, read_issuer, config, error);
}
