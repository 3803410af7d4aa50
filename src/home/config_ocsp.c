/* `ocsp` of an issuer: who answers for it, and for how long an answer is good. */
#include "config_parts.h"
#include "model/name.h"

static const char DEFAULT_POLICY[] = "ocsp-responder";

/* Seconds. An answer that clients and caches keep hides a revocation for as long. */
enum { DEFAULT_LIFETIME_S = 3600 };

static bool read_key(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    struct sg_responder_entry *ocsp = into;
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, &ocsp->key, error))
        return false;
    return sg_config_check_uri(ocsp->key, &why) || sg_config_fail_as(document, value, &why, error);
}

static bool read_token(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    struct sg_responder_entry *ocsp = into;

    return sg_yaml_text(document, value, &ocsp->token, error);
}

static bool read_subject(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_responder_entry *ocsp = into;
    sg_auto(sg_name) struct sg_name name = {0};
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, &ocsp->subject, error))
        return false;
    return sg_name_parse(ocsp->subject, &name, &why) ||
           sg_config_fail_as(document, value, &why, error);
}

static bool read_policy(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_responder_entry *ocsp = into;

    return sg_yaml_text(document, value, &ocsp->policy, error);
}

static bool read_next_update(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    struct sg_responder_entry *ocsp = into;

    if (!sg_yaml_duration(document, value, &ocsp->lifetime_s, error))
        return false;
    if (ocsp->lifetime_s == 0)
        return sg_yaml_fail(document, value, error,
                            "next_update: an answer that is outdated at once is no use");
    return true;
}

bool sg_config_read_ocsp(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    static const struct sg_yaml_field OCSP[] = {
        {"key", SG_YAML_REQUIRED, read_key},
        {"token", SG_YAML_OPTIONAL, read_token},
        {"subject", SG_YAML_OPTIONAL, read_subject},
        {"policy", SG_YAML_OPTIONAL, read_policy},
        {"next_update", SG_YAML_OPTIONAL, read_next_update},
        {0},
    };
    struct sg_issuer_entry *issuer = into;

    issuer->ocsp =
        (struct sg_responder_entry){.policy = DEFAULT_POLICY, .lifetime_s = DEFAULT_LIFETIME_S};
    return sg_yaml_mapping(document, value, OCSP, &issuer->ocsp, error);
}
