/* What each kind of act may say: tables of keys, and how their values are read. */
#include <string.h>

#include "file_parts.h"

/* Texts that are taken as they are, by the name of their key. */
static bool read_text(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_act_reading *reading = into;
    struct sg_ceremony_act *act = reading->act;
    const struct {
        const char *key;
        const char **text;
    } TEXTS[] = {
        {"label", &act->label},
        {"policy", &act->policy},
        {"request", &act->request},
        {"from", &reading->giver},
        {"to", &reading->taker},
        {"what", &act->what},
        {"crl", &act->crl_url},
        {"ocsp", &act->ocsp_url},
        {"ca_issuers", &act->ca_issuers_url},
        {"certificate", &act->file},
        {"cross", &act->file},
        {"request_key_sha256", &act->request_key_sha256},
    };

    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        if (strcmp(value->key, TEXTS[i].key) == 0)
            return sg_yaml_text(document, value, TEXTS[i].text, error);
    return sg_fail(error, SG_INTERNAL, NULL, "no text is called %s", value->key);
}

/* Names, likewise. */
static bool read_word(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_act_reading *reading = into;
    const struct {
        const char *key;
        const char **text;
    } WORDS[] = {
        {"key", &reading->key},          {"token", &reading->token},
        {"copy", &reading->copy},        {"issuer", &reading->issuer},
        {"name", &reading->certificate}, {"output", &reading->act->output},
    };

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcmp(value->key, WORDS[i].key) == 0)
            return sg_ceremony_read_name(document, value, WORDS[i].text, error);
    return sg_fail(error, SG_INTERNAL, NULL, "no name is called %s", value->key);
}

static bool read_from(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    return sg_ceremony_read_moment(document, value, &((struct sg_act_reading *)into)->act->from,
                                   error);
}

static bool read_until(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_ceremony_read_moment(document, value, &((struct sg_act_reading *)into)->act->until,
                                   error);
}

static bool read_lifetime(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    return sg_yaml_duration(document, value, &((struct sg_act_reading *)into)->act->lifetime_s,
                            error);
}

static bool read_every(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_duration(document, value, &((struct sg_act_reading *)into)->act->every_s, error);
}

static bool read_count(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, SG_LIMIT_CEREMONY_CRLS,
                           &((struct sg_act_reading *)into)->act->count, error);
}

static bool read_number(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, 1000000000,
                           &((struct sg_act_reading *)into)->act->number, error);
}

static bool read_step(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, 1000000, &((struct sg_act_reading *)into)->act->step,
                           error);
}

static bool read_subject(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_act_reading *reading = into;
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    return sg_name_parse(text, &reading->act->subject, &why) ||
           sg_yaml_fail(document, value, error, "subject: %s", why.text);
}

static bool read_type(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_act_reading *reading = into;
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    if (!sg_key_kind_parse(text, &reading->type, &why))
        return sg_yaml_fail(document, value, error, "%s", why.text);
    return reading->type.family == SG_KEY_RSA || reading->type.family == SG_KEY_EC ||
           reading->type.family == SG_KEY_ED25519 ||
           sg_yaml_fail(document, value, error, "no %s key is made on a token", text);
}

static bool read_signature(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           void *into, struct sg_error *error)
{
    struct sg_act_reading *reading = into;
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    return sg_scheme_parse(text, &reading->scheme, &why) ||
           sg_yaml_fail(document, value, error, "%s", why.text);
}

static const struct sg_yaml_field PUBLISH[] = {
    {"crl", SG_YAML_OPTIONAL, read_text},
    {"ocsp", SG_YAML_OPTIONAL, read_text},
    {"ca_issuers", SG_YAML_OPTIONAL, read_text},
    {0},
};

static bool read_publish(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    return sg_yaml_mapping(document, value, PUBLISH, into, error);
}

static const struct sg_yaml_field SERIES[] = {
    {"count", SG_YAML_REQUIRED, read_count},
    {"every", SG_YAML_REQUIRED, read_every},
    {"step", SG_YAML_REQUIRED, read_step},
    {0},
};

static bool read_series(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return sg_yaml_mapping(document, value, SERIES, into, error);
}

static bool read_revoked_certificate(const struct sg_yaml *document,
                                     const struct sg_yaml_node *value, void *into,
                                     struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_ceremony_revocation *)into)->certificate,
                        error);
}

static bool read_revoked_moment(const struct sg_yaml *document, const struct sg_yaml_node *value,
                                void *into, struct sg_error *error)
{
    return sg_ceremony_read_moment(document, value,
                                   &((struct sg_ceremony_revocation *)into)->moment, error);
}

static bool read_revoked_reason(const struct sg_yaml *document, const struct sg_yaml_node *value,
                                void *into, struct sg_error *error)
{
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    return sg_reason_parse(text, &((struct sg_ceremony_revocation *)into)->reason, &why) ||
           sg_yaml_fail(document, value, error, "%s", why.text);
}

static const struct sg_yaml_field REVOKED[] = {
    {"certificate", SG_YAML_REQUIRED, read_revoked_certificate},
    {"date", SG_YAML_REQUIRED, read_revoked_moment},
    {"reason", SG_YAML_REQUIRED, read_revoked_reason},
    {0},
};

static bool read_revocation(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    struct sg_ceremony_act *act = into;

    return sg_yaml_mapping(document, value, REVOKED, &act->revoked[act->num_revoked++], error);
}

static bool read_revoked(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_ceremony_act *act = ((struct sg_act_reading *)into)->act;

    act->revoked = calloc(value->num_children + 1, sizeof *act->revoked);
    if (act->revoked == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(document, value, read_revocation, act, error);
}

static bool read_method(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice METHODS[] = {{"none", SG_BACKUP_NONE},
                                                    {"vendor-clone", SG_BACKUP_VENDOR_CLONE},
                                                    {"wrap", SG_BACKUP_WRAP},
                                                    {0}};
    int method = SG_BACKUP_NONE;

    if (!sg_yaml_word(document, value, METHODS, &method, error))
        return false;
    ((struct sg_act_reading *)into)->act->backup = (enum sg_ceremony_backup)method;
    return true;
}

static bool read_new_holders(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    struct sg_act_reading *reading = into;

    (void)document;
    return sg_ceremony_read_holders(reading->file, value, &reading->act->holders,
                                    &reading->act->num_holders, error);
}

static const struct sg_yaml_field MAKE_KEY[] = {
    {"key", SG_YAML_REQUIRED, read_word},
    {"token", SG_YAML_REQUIRED, read_word},
    {"label", SG_YAML_REQUIRED, read_text},
    {"type", SG_YAML_REQUIRED, read_type},
    {"signature", SG_YAML_OPTIONAL, read_signature},
    {0},
};
static const struct sg_yaml_field USE_KEY[] = {
    {"key", SG_YAML_REQUIRED, read_word},
    {"token", SG_YAML_REQUIRED, read_word},
    {"label", SG_YAML_REQUIRED, read_text},
    {"certificate", SG_YAML_REQUIRED, read_text},
    {"signature", SG_YAML_OPTIONAL, read_signature},
    {0},
};
static const struct sg_yaml_field SELF_SIGNED[] = {
    {"name", SG_YAML_REQUIRED, read_word},       {"key", SG_YAML_REQUIRED, read_word},
    {"policy", SG_YAML_REQUIRED, read_text},     {"subject", SG_YAML_REQUIRED, read_subject},
    {"valid_from", SG_YAML_OPTIONAL, read_from}, {"valid_until", SG_YAML_OPTIONAL, read_until},
    {"output", SG_YAML_REQUIRED, read_word},     {0},
};
static const struct sg_yaml_field CERTIFICATE[] = {
    {"name", SG_YAML_REQUIRED, read_word},
    {"issuer", SG_YAML_REQUIRED, read_word},
    {"key", SG_YAML_OPTIONAL, read_word},
    {"subject", SG_YAML_OPTIONAL, read_subject},
    {"cross", SG_YAML_OPTIONAL, read_text},
    {"request", SG_YAML_OPTIONAL, read_text},
    {"request_key_sha256", SG_YAML_OPTIONAL, read_text},
    {"policy", SG_YAML_REQUIRED, read_text},
    {"publish", SG_YAML_OPTIONAL, read_publish},
    {"valid_from", SG_YAML_OPTIONAL, read_from},
    {"valid_until", SG_YAML_OPTIONAL, read_until},
    {"output", SG_YAML_REQUIRED, read_word},
    {0},
};
static const struct sg_yaml_field CRL[] = {
    {"issuer", SG_YAML_REQUIRED, read_word},      {"number", SG_YAML_REQUIRED, read_number},
    {"this_update", SG_YAML_OPTIONAL, read_from}, {"lifetime", SG_YAML_REQUIRED, read_lifetime},
    {"series", SG_YAML_OPTIONAL, read_series},    {"revoked", SG_YAML_OPTIONAL, read_revoked},
    {"output", SG_YAML_REQUIRED, read_word},      {0},
};
static const struct sg_yaml_field REQUEST[] = {
    {"key", SG_YAML_REQUIRED, read_word},
    {"subject", SG_YAML_REQUIRED, read_subject},
    {"output", SG_YAML_REQUIRED, read_word},
    {0},
};
static const struct sg_yaml_field BACKUP[] = {
    {"key", SG_YAML_REQUIRED, read_word},
    {"method", SG_YAML_REQUIRED, read_method},
    {"token", SG_YAML_OPTIONAL, read_word},
    {"copy", SG_YAML_OPTIONAL, read_word},
    {0},
};
static const struct sg_yaml_field HAND_OVER[] = {
    {"what", SG_YAML_REQUIRED, read_text},
    {"from", SG_YAML_REQUIRED, read_text},
    {"to", SG_YAML_REQUIRED, read_text},
    {0},
};

static const struct sg_yaml_field CHANGE_PIN[] = {
    {"token", SG_YAML_REQUIRED, read_word},
    {"pin", SG_YAML_REQUIRED, read_new_holders},
    {0},
};
static const struct sg_yaml_field DESTROY[] = {
    {"key", SG_YAML_REQUIRED, read_word},
    {0},
};

const struct sg_yaml_field *const SG_CEREMONY_FIELDS[SG_NUM_ACT_KINDS] = {
    [SG_ACT_MAKE_KEY] = MAKE_KEY,
    [SG_ACT_USE_KEY] = USE_KEY,
    [SG_ACT_SELF_SIGNED] = SELF_SIGNED,
    [SG_ACT_CERTIFICATE] = CERTIFICATE,
    [SG_ACT_CRL] = CRL,
    [SG_ACT_REQUEST] = REQUEST,
    [SG_ACT_BACKUP] = BACKUP,
    [SG_ACT_HAND_OVER] = HAND_OVER,
    [SG_ACT_CHANGE_PIN] = CHANGE_PIN,
    [SG_ACT_DESTROY] = DESTROY,
};
