/* The acts: each kind's keys, and what they refer to. */
#include <string.h>

#include "file_parts.h"
#include "home/config.h"

/* An act being read: its names, before they are places in lists. */
struct reading {
    struct sg_ceremony_file *file;
    struct sg_ceremony_act *act;
    const char *key, *token, *certificate, *issuer, *giver, *taker;
    struct sg_key_kind type;
    enum sg_scheme scheme;
};

/* ---- values ---- */

/* Texts that are taken as they are, by the name of their key. */
static bool read_text(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct reading *reading = into;
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
    struct reading *reading = into;
    const struct {
        const char *key;
        const char **text;
    } WORDS[] = {
        {"key", &reading->key},
        {"token", &reading->token},
        {"issuer", &reading->issuer},
        {"name", &reading->certificate},
        {"output", &reading->act->output},
    };

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcmp(value->key, WORDS[i].key) == 0)
            return sg_ceremony_read_name(document, value, WORDS[i].text, error);
    return sg_fail(error, SG_INTERNAL, NULL, "no name is called %s", value->key);
}

static bool read_from(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    return sg_ceremony_read_moment(document, value, &((struct reading *)into)->act->from, error);
}

static bool read_until(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_ceremony_read_moment(document, value, &((struct reading *)into)->act->until, error);
}

static bool read_lifetime(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    return sg_yaml_duration(document, value, &((struct reading *)into)->act->lifetime_s, error);
}

static bool read_every(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_duration(document, value, &((struct reading *)into)->act->every_s, error);
}

static bool read_count(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, SG_LIMIT_CEREMONY_CRLS,
                           &((struct reading *)into)->act->count, error);
}

static bool read_number(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, 1000000000, &((struct reading *)into)->act->number,
                           error);
}

static bool read_step(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, 1000000, &((struct reading *)into)->act->step,
                           error);
}

static bool read_subject(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct reading *reading = into;
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
    struct reading *reading = into;
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    if (!sg_key_kind_parse(text, &reading->type, &why))
        return sg_yaml_fail(document, value, error, "%s", why.text);
    return reading->type.family != SG_KEY_ED25519 ||
           sg_yaml_fail(document, value, error,
                        "no Ed25519 key is made on a token: OpenSSL's pkcs11 engine can't sign "
                        "with it");
}

static bool read_signature(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           void *into, struct sg_error *error)
{
    struct reading *reading = into;
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
    struct sg_ceremony_act *act = ((struct reading *)into)->act;

    act->revoked = calloc(value->num_children + 1, sizeof *act->revoked);
    if (act->revoked == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(document, value, read_revocation, act, error);
}

static bool read_method(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice METHODS[] = {{"none", 0}, {"vendor-clone", 1}, {0}};
    int method = 0;

    if (!sg_yaml_word(document, value, METHODS, &method, error))
        return false;
    ((struct reading *)into)->act->vendor_clone = method == 1;
    return true;
}

static bool read_new_holders(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    struct reading *reading = into;

    (void)document;
    return sg_ceremony_read_holders(reading->file, value, &reading->act->holders,
                                    &reading->act->num_holders, error);
}

/* ---- what acts refer to ---- */

static bool find_token(const struct sg_ceremony_file *file, const char *name, size_t *place)
{
    for (*place = 0; *place < file->num_tokens; (*place)++)
        if (strcmp(file->tokens[*place].name, name) == 0)
            return true;
    return false;
}

static bool find_key(const struct sg_ceremony_file *file, const char *name, size_t *place)
{
    for (*place = 0; *place < file->num_keys; (*place)++)
        if (strcmp(file->keys[*place].name, name) == 0)
            return true;
    return false;
}

static bool find_certificate(const struct sg_ceremony_file *file, const char *name, size_t *place)
{
    for (*place = 0; *place < file->num_certificates; (*place)++)
        if (strcmp(file->certificates[*place].name, name) == 0)
            return true;
    return false;
}

static bool check_label_is_new(const struct reading *reading, const struct sg_yaml_node *node,
                               size_t token, struct sg_error *error)
{
    const struct sg_ceremony_file *file = reading->file;

    for (size_t i = 0; i < file->num_keys; i++)
        if (file->keys[i].token == token && strcmp(file->keys[i].label, reading->act->label) == 0)
            return sg_yaml_fail(file->document, sg_yaml_get(node, "label"), error,
                                "key '%s' has this label on the same token", file->keys[i].name);
    return true;
}

/* A key comes into the ceremony: made, or found on its token. */
static bool add_key(struct reading *reading, const struct sg_yaml_node *node,
                    struct sg_error *error)
{
    struct sg_ceremony_file *file = reading->file;
    struct sg_ceremony_act *act = reading->act;
    size_t place;

    if (!find_token(file, reading->token, &act->token))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "token"), error,
                            "there is no token '%s' under tokens", reading->token);
    if (find_key(file, reading->key, &place))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "key"), error,
                            "an earlier act has a key '%s' already", reading->key);
    if (!check_label_is_new(reading, node, act->token, error))
        return false;
    if (reading->scheme != SG_SCHEME_NONE && act->kind == SG_ACT_MAKE_KEY &&
        !sg_scheme_fits(reading->scheme, reading->type))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "signature"), error,
                            "this signature does not go with a key of that type");
    act->key = file->num_keys;
    file->keys[file->num_keys++] = (struct sg_ceremony_key){
        .name = reading->key,
        .token = act->token,
        .label = act->label,
        .kind = reading->type,
        .scheme = reading->scheme,
        .act = (size_t)(act - file->acts),
        .end = SG_CEREMONY_NONE,
    };
    return true;
}

static bool add_certificate(struct reading *reading, const struct sg_yaml_node *node,
                            const char *name, struct sg_error *error)
{
    struct sg_ceremony_file *file = reading->file;
    size_t place;

    if (find_certificate(file, name, &place))
        return sg_yaml_fail(file->document, node, error,
                            "an earlier act has a certificate '%s' already", name);
    reading->act->certificate = file->num_certificates;
    file->certificates[file->num_certificates++] =
        (struct sg_ceremony_certificate){name, reading->act->key};
    return true;
}

/* at       where the key is referred to. */
static bool check_is_left(const struct sg_ceremony_file *file, size_t key,
                          const struct sg_yaml_node *at, struct sg_error *error)
{
    return file->keys[key].end == SG_CEREMONY_NONE ||
           sg_yaml_fail(file->document, at, error, "the act on line %u destroys the key '%s'",
                        file->acts[file->keys[key].end].line, file->keys[key].name);
}

static bool refer_to_key(struct reading *reading, const struct sg_yaml_node *node,
                         struct sg_error *error)
{
    const struct sg_yaml_node *at = sg_yaml_get(node, "key");

    if (!find_key(reading->file, reading->key, &reading->act->key))
        return sg_yaml_fail(reading->file->document, at, error,
                            "no earlier act makes or uses a key '%s'", reading->key);
    return check_is_left(reading->file, reading->act->key, at, error);
}

static bool refer_to_issuer(struct reading *reading, const struct sg_yaml_node *node,
                            struct sg_error *error)
{
    const struct sg_ceremony_file *file = reading->file;
    size_t *issuer = &reading->act->issuer;

    if (!find_certificate(file, reading->issuer, issuer))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "issuer"), error,
                            "no earlier act makes or brings a certificate '%s'", reading->issuer);
    if (file->certificates[*issuer].key == SG_CEREMONY_NONE)
        return sg_yaml_fail(file->document, sg_yaml_get(node, "issuer"), error,
                            "the key of '%s' is not on a token of this ceremony, so it signs "
                            "nothing",
                            reading->issuer);
    return check_is_left(file, file->certificates[*issuer].key, sg_yaml_get(node, "issuer"), error);
}

/* ---- the kinds ---- */

static bool finish_use_key(struct reading *reading, const struct sg_yaml_node *node,
                           struct sg_error *error)
{
    return add_key(reading, node, error) &&
           add_certificate(reading, sg_yaml_get(node, "key"), reading->key, error);
}

static bool finish_self_signed(struct reading *reading, const struct sg_yaml_node *node,
                               struct sg_error *error)
{
    return refer_to_key(reading, node, error) &&
           add_certificate(reading, sg_yaml_get(node, "name"), reading->certificate, error);
}

static bool finish_certificate(struct reading *reading, const struct sg_yaml_node *node,
                               struct sg_error *error)
{
    const struct sg_yaml *document = reading->file->document;
    struct sg_ceremony_act *act = reading->act;

    if ((reading->key != NULL) + (act->request != NULL) + (act->file != NULL) != 1)
        return sg_yaml_fail(document, node, error,
                            "a certificate is for a `key` of this ceremony, for a `request` in a "
                            "file, or a cross-certificate for the CA whose certificate `cross` "
                            "names: one of them");
    if ((act->subject.num == 0) == (reading->key != NULL))
        return sg_yaml_fail(document, node, error,
                            "`subject` goes with `key`; a request or certificate brings its own");
    if (act->request_key_sha256 != NULL && act->request == NULL)
        return sg_yaml_fail(document, node, error, "request_key_sha256 goes with `request`");
    return (reading->key == NULL || refer_to_key(reading, node, error)) &&
           refer_to_issuer(reading, node, error) &&
           add_certificate(reading, sg_yaml_get(node, "name"), reading->certificate, error);
}

static bool finish_crl(struct reading *reading, const struct sg_yaml_node *node,
                       struct sg_error *error)
{
    struct sg_ceremony_act *act = reading->act;

    if (act->count == 0)
        act->count = 1;
    if (act->count > 1 && act->every_s > act->lifetime_s)
        return sg_yaml_fail(reading->file->document, node, error,
                            "there would be days without a CRL: lifetime is shorter than every");
    return refer_to_issuer(reading, node, error);
}

static bool finish_hand_over(struct reading *reading, const struct sg_yaml_node *node,
                             struct sg_error *error)
{
    struct sg_ceremony_act *act = reading->act;

    return sg_ceremony_find_person(reading->file, sg_yaml_get(node, "from"), reading->giver,
                                   &act->giver, error) &&
           sg_ceremony_find_person(reading->file, sg_yaml_get(node, "to"), reading->taker,
                                   &act->taker, error);
}

static bool finish_change_pin(struct reading *reading, const struct sg_yaml_node *node,
                              struct sg_error *error)
{
    return find_token(reading->file, reading->token, &reading->act->token) ||
           sg_yaml_fail(reading->file->document, sg_yaml_get(node, "token"), error,
                        "there is no token '%s' under tokens", reading->token);
}

static bool finish_destroy(struct reading *reading, const struct sg_yaml_node *node,
                           struct sg_error *error)
{
    struct sg_ceremony_act *act = reading->act;

    if (!refer_to_key(reading, node, error))
        return false;
    reading->file->keys[act->key].end = (size_t)(act - reading->file->acts);
    act->token = reading->file->keys[act->key].token;
    return true;
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

static const struct {
    const char *word;
    const struct sg_yaml_field *fields;
    bool (*finish)(struct reading *reading, const struct sg_yaml_node *node,
                   struct sg_error *error);
} KINDS[SG_NUM_ACT_KINDS] = {
    [SG_ACT_MAKE_KEY] = {"make-key", MAKE_KEY, add_key},
    [SG_ACT_USE_KEY] = {"use-key", USE_KEY, finish_use_key},
    [SG_ACT_SELF_SIGNED] = {"self-signed", SELF_SIGNED, finish_self_signed},
    [SG_ACT_CERTIFICATE] = {"certificate", CERTIFICATE, finish_certificate},
    [SG_ACT_CRL] = {"crl", CRL, finish_crl},
    [SG_ACT_REQUEST] = {"request", REQUEST, refer_to_key},
    [SG_ACT_BACKUP] = {"backup", BACKUP, refer_to_key},
    [SG_ACT_HAND_OVER] = {"hand-over", HAND_OVER, finish_hand_over},
    [SG_ACT_CHANGE_PIN] = {"change-pin", CHANGE_PIN, finish_change_pin},
    [SG_ACT_DESTROY] = {"destroy", DESTROY, finish_destroy},
};

const char *sg_ceremony_kind_word(enum sg_ceremony_kind kind)
{
    return KINDS[kind].word;
}

static bool find_kind(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      enum sg_ceremony_kind *kind, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf words = {0};

    for (int i = 0; i < SG_NUM_ACT_KINDS; i++) {
        if (strcmp(node->key, KINDS[i].word) == 0) {
            *kind = (enum sg_ceremony_kind)i;
            return true;
        }
        if (!sg_buf_printf(&words, SG_LIMIT_VALUE, error, "%s%s", i > 0 ? ", " : "", KINDS[i].word))
            return false;
    }
    return sg_yaml_fail(document, node, error, "there is no act '%s'; there are: %s", node->key,
                        (const char *)words.data);
}

size_t sg_ceremony_holders(const struct sg_ceremony_file *file, size_t token, size_t act,
                           const size_t **holders)
{
    size_t num = file->tokens[token].num_holders;

    *holders = file->tokens[token].holders;
    for (size_t i = 0; i < act && i < file->num_acts; i++)
        if (file->acts[i].kind == SG_ACT_CHANGE_PIN && file->acts[i].token == token) {
            *holders = file->acts[i].holders;
            num = file->acts[i].num_holders;
        }
    return num;
}

/* ---- outputs ---- */

size_t sg_ceremony_num_outputs(const struct sg_ceremony_act *act)
{
    if (act->output == NULL)
        return 0;
    return act->kind == SG_ACT_CRL ? (size_t)act->count : 1;
}

const char *sg_ceremony_output_name(const struct sg_ceremony_act *act, size_t nth,
                                    char into[SG_CEREMONY_NAME_SIZE])
{
    const char *dot = strrchr(act->output, '.');
    int stem = dot != NULL ? (int)(dot - act->output) : (int)strlen(act->output);

    if (sg_ceremony_num_outputs(act) < 2)
        snprintf(into, SG_CEREMONY_NAME_SIZE, "%s", act->output);
    else
        snprintf(into, SG_CEREMONY_NAME_SIZE, "%.*s-%ld%s", stem, act->output,
                 act->number + (long)nth * act->step, dot != NULL ? dot : "");
    return into;
}

static bool has_output(const struct sg_ceremony_act *act, const char *name)
{
    char of_act[SG_CEREMONY_NAME_SIZE];

    for (size_t nth = 0; nth < sg_ceremony_num_outputs(act); nth++)
        if (strcmp(sg_ceremony_output_name(act, nth, of_act), name) == 0)
            return true;
    return false;
}

static bool check_outputs_are_new(const struct sg_ceremony_file *file,
                                  const struct sg_ceremony_act *act,
                                  const struct sg_yaml_node *node, struct sg_error *error)
{
    char name[SG_CEREMONY_NAME_SIZE];

    for (size_t nth = 0; nth < sg_ceremony_num_outputs(act); nth++) {
        sg_ceremony_output_name(act, nth, name);
        for (const struct sg_ceremony_act *other = file->acts; other < act; other++)
            if (has_output(other, name))
                return sg_yaml_fail(file->document, sg_yaml_get(node, "output"), error,
                                    "the act on line %u writes %s already", other->line, name);
    }
    return true;
}

/* ---- the list ---- */

static bool read_act(const struct sg_yaml *document, const struct sg_yaml_node *item, void *into,
                     struct sg_error *error)
{
    struct sg_ceremony_file *file = into;
    struct sg_ceremony_act *act = &file->acts[file->num_acts++];
    struct reading reading = {.file = file, .act = act};
    const struct sg_yaml_node *node = item->children;

    *act = (struct sg_ceremony_act){
        .key = SG_CEREMONY_NONE,
        .token = SG_CEREMONY_NONE,
        .certificate = SG_CEREMONY_NONE,
        .issuer = SG_CEREMONY_NONE,
        .from = file->begins,
        .line = item->line,
    };
    if (item->kind != SG_YAML_MAPPING || item->num_children != 1)
        return sg_yaml_fail(document, item, error,
                            "an act is one key, its kind, with a mapping: `- make-key: {…}`");
    return find_kind(document, node, &act->kind, error) &&
           sg_yaml_mapping(document, node, KINDS[act->kind].fields, &reading, error) &&
           KINDS[act->kind].finish(&reading, node, error) &&
           check_outputs_are_new(file, act, node, error);
}

bool sg_ceremony_read_acts(struct sg_ceremony_file *file, const struct sg_yaml_node *node,
                           struct sg_error *error)
{
    if (node->kind == SG_YAML_SEQUENCE && node->num_children == 0)
        return sg_yaml_fail(file->document, node, error, "a ceremony without acts does nothing");
    if (node->num_children > SG_LIMIT_CEREMONY_ACTS)
        return sg_yaml_fail(file->document, node, error, "a ceremony has at most %d acts",
                            SG_LIMIT_CEREMONY_ACTS);
    /* Each act brings at most one key and one certificate, and they are pointed at. */
    file->acts = calloc(node->num_children + 1, sizeof *file->acts);
    file->keys = calloc(node->num_children + 1, sizeof *file->keys);
    file->certificates = calloc(node->num_children + 1, sizeof *file->certificates);
    if (file->acts == NULL || file->keys == NULL || file->certificates == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(file->document, node, read_act, file, error);
}

bool sg_ceremony_fail_at(const struct sg_ceremony_file *file, const struct sg_ceremony_act *act,
                         const struct sg_error *why, struct sg_error *error)
{
    const struct sg_yaml_node *acts = sg_yaml_get(sg_yaml_root(file->document), "acts");

    return sg_yaml_fail(file->document, &acts->children[act - file->acts], error, "%s%s%s",
                        why->rule, why->rule[0] != '\0' ? ": " : "", why->text);
}
