/* san: the alternative names in the certificate. */
#include <string.h>

#include "decision.h"
#include "reading.h"

/* Reading */

static bool check_literal(const struct sg_yaml *document, const struct sg_policy_san *san,
                          struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_sans) struct sg_sans sans = {0};
    struct sg_error cause = {0};

    if (!sg_value_is_literal(&san->value))
        return true;
    if (!sg_value_resolve(&san->value, NULL, &text, &cause) ||
        !sg_sans_add(&sans, san->kind, (const char *)text.data, &cause))
        return sg_policy_fail_at(document, san->value.node, &cause, error);
    return true;
}

static bool read_text(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_policy_san *san = into;

    return sg_value_read_each(document, node, &san->value, error) &&
           check_literal(document, san, error);
}

static bool read_dirname(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_san *san = into;

    return sg_policy_read_rdns(document, node, "dirname", &san->dirname, error);
}

static bool read_oid(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_san *san = into;

    if (!sg_yaml_text(document, node, &san->oid, error))
        return false;
    return sg_oid_is_valid(san->oid) ||
           sg_yaml_fail(document, node, error, "\"%s\" is no OID", san->oid);
}

static bool read_part(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_policy_san *san = into;

    return sg_value_read(document, node, &san->value, error);
}

static bool read_hardware_module(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                 void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"type", SG_YAML_REQUIRED, read_oid},
        {"serial", SG_YAML_REQUIRED, read_part},
        {0},
    };

    return sg_yaml_mapping(document, node, FIELDS, into, error);
}

static bool read_permanent_identifier(const struct sg_yaml *document,
                                      const struct sg_yaml_node *node, void *into,
                                      struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"value", SG_YAML_REQUIRED, read_part},
        {"assigner", SG_YAML_OPTIONAL, read_oid},
        {0},
    };

    return sg_yaml_mapping(document, node, FIELDS, into, error);
}

/* Whether the type-id has a kind of its own: any value tells. */
static bool check_type_id(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          const char *oid, struct sg_error *error)
{
    sg_auto(sg_sans) struct sg_sans sans = {0};
    struct sg_error cause = {0};
    char text[SG_LIMIT_OID + sizeof ";utf8:x"];

    snprintf(text, sizeof text, "%s;utf8:x", oid);
    return sg_sans_add(&sans, SG_SAN_OTHER_NAME, text, &cause) ||
           sg_policy_fail_at(document, node, &cause, error);
}

static bool read_other(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"oid", SG_YAML_REQUIRED, read_oid},
        SG_POLICY_CONTENT_FIELDS,
        {0},
    };
    struct sg_policy_san *san = into;

    return sg_yaml_mapping(document, node, FIELDS, san, error) &&
           sg_policy_content_check(document, node, &san->content, "the otherName", error) &&
           check_type_id(document, sg_yaml_get(node, "oid"), san->oid, error);
}

static sg_yaml_reader *reader_of(enum sg_san_kind kind)
{
    switch (kind) {
    case SG_SAN_DIRNAME:
        return read_dirname;
    case SG_SAN_HARDWARE_MODULE:
        return read_hardware_module;
    case SG_SAN_PERMANENT_IDENTIFIER:
        return read_permanent_identifier;
    case SG_SAN_OTHER_NAME:
        return read_other;
    default:
        return read_text;
    }
}

static bool read_san(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_sans *sans = into;
    struct sg_policy_san *san = &sans->items[sans->num++];
    const struct sg_yaml_node *value = NULL;
    struct sg_error cause = {0};

    if (!sg_policy_read_pair(document, node, "{dns: '${device.name}'}", &value, error))
        return false;
    if (!sg_san_kind_parse(value->key, &san->kind, &cause))
        return sg_policy_fail_at_key(document, value, &cause, error);
    return reader_of(san->kind)(document, value, san, error);
}

bool sg_policy_read_san(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct sg_policy *policy = into;
    struct sg_policy_sans *sans = &policy->sans;

    sans->items =
        sg_policy_new_list(document, node, "san", SG_LIMIT_SANS, sizeof *sans->items, error);
    return sans->items != NULL && sg_yaml_each(document, node, read_san, sans, error);
}

void sg_policy_sans_done(struct sg_policy_sans *sans)
{
    for (size_t i = 0; i < sans->num; i++) {
        sg_value_done(&sans->items[i].value);
        sg_policy_subject_done(&sans->items[i].dirname);
        sg_policy_content_done(&sans->items[i].content);
    }
    free(sans->items);
    *sans = (struct sg_policy_sans){0};
}

bool sg_policy_san_needs(const struct sg_policy_san *san, enum sg_value_source source)
{
    for (size_t i = 0; i < san->dirname.num; i++) {
        if (sg_value_needs(&san->dirname.items[i].value, source))
            return true;
    }
    return sg_value_needs(&san->value, source) || sg_policy_content_needs(&san->content, source);
}

/* Deciding */

/* A name as its parts are put together, or "" when it is left out. */
typedef bool maker(const struct sg_policy_san *san, const struct sg_decision_input *input,
                   struct sg_buf *name, struct sg_error *error);

static bool make_dirname(const struct sg_policy_san *san, const struct sg_decision_input *input,
                         struct sg_buf *name, struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name rdns = {0};
    char text[2 * SG_LIMIT_VALUE];

    for (size_t i = 0; i < san->dirname.num; i++) {
        const struct sg_policy_rdn *rdn = &san->dirname.items[i];
        sg_auto(sg_buf) struct sg_buf value = {0};

        if (!sg_value_resolve(&rdn->value, input, &value, error))
            return sg_error_prefix(error, "%s", sg_oid_attribute_word(rdn->oid));
        if (value.len > 0 && !sg_name_add(&rdns, rdn->oid, (const char *)value.data, error))
            return false;
    }
    if (rdns.num == 0)
        return true;
    return sg_buf_set(name, sg_slice_text(sg_name_text(&rdns, text, sizeof text)), error);
}

/* "OID;TEXT": a hardware module or a permanent identifier. */
static bool make_pair(const struct sg_policy_san *san, const struct sg_decision_input *input,
                      struct sg_buf *name, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (!sg_value_resolve(&san->value, input, &text, error))
        return false;
    return text.len == 0 ||
           sg_buf_printf(name, 2 * SG_LIMIT_VALUE, error, "%s;%s", san->oid != NULL ? san->oid : "",
                         (const char *)text.data);
}

static bool make_other(const struct sg_policy_san *san, const struct sg_decision_input *input,
                       struct sg_buf *name, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(malloc) char *hex = NULL;

    if (!sg_policy_content_make(&san->content, input, &text, &der, error))
        return false;
    if (der.len == 0)
        return true;
    hex = malloc(2 * der.len + 1);
    if (hex == NULL)
        return sg_fail_memory(error);
    return sg_buf_printf(name, SG_LIMIT_CERTIFICATE, error, "%s;der:%s", san->oid,
                         sg_hex(sg_buf_slice(&der), hex, 2 * der.len + 1));
}

static maker *maker_of(enum sg_san_kind kind)
{
    switch (kind) {
    case SG_SAN_DIRNAME:
        return make_dirname;
    case SG_SAN_HARDWARE_MODULE:
    case SG_SAN_PERMANENT_IDENTIFIER:
        return make_pair;
    case SG_SAN_OTHER_NAME:
        return make_other;
    default:
        return NULL;
    }
}

/* The names that one entry stands for: several with `each`, none when it is left out. */
static bool make_names(const struct sg_policy_san *san, const struct sg_decision_input *input,
                       struct sg_texts *names, struct sg_error *error)
{
    maker *make = maker_of(san->kind);

    if (make == NULL)
        return sg_value_resolve_each(&san->value, input, names, error);
    names->items = calloc(1, sizeof *names->items);
    if (names->items == NULL)
        return sg_fail_memory(error);
    names->num = 1;
    if (!make(san, input, &names->items[0], error))
        return false;
    names->num = names->items[0].len > 0;
    return true;
}

static const char *source_of(const struct sg_policy_san *san)
{
    const char *source = san->value.source != NULL ? san->value.source : san->content.value.source;

    return source != NULL ? source : "its text";
}

static bool note_name(struct sg_decision *decision, const struct sg_policy_san *san)
{
    size_t index = decision->plan.sans.num - 1;
    unsigned sources = 0;

    if (san->value.source != NULL)
        return sg_decision_note_value(decision, SG_PART_SAN, index, "san", &san->value);
    if (san->content.value.source != NULL)
        return sg_decision_note_value(decision, SG_PART_SAN, index, "san", &san->content.value);
    if (san->kind != SG_SAN_DIRNAME)
        return sg_decision_note(decision, SG_PART_SAN, index, "san", san->content.node,
                                sg_policy_content_sources(&san->content));
    for (size_t i = 0; i < san->dirname.num; i++)
        sources |= sg_value_sources(&san->dirname.items[i].value);
    return sg_decision_note(decision, SG_PART_SAN, index, "san", san->dirname.node, sources);
}

static bool add_name(struct sg_decision *decision, const char *field,
                     const struct sg_policy_san *san, const char *text)
{
    struct sg_sans *sans = &decision->plan.sans;
    struct sg_error cause = {0};

    if (!sg_sans_add(sans, san->kind, text, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    return note_name(decision, san) &&
           sg_decision_pass(decision, field, "%s:%s", sg_san_kind_word(san->kind),
                            sans->items[sans->num - 1].value);
}

static bool decide_san(struct sg_decision *decision, size_t index)
{
    const struct sg_policy_san *san = &decision->policy->sans.items[index];
    sg_auto(sg_texts) struct sg_texts names = {0};
    struct sg_error cause = {0};
    char field[SG_DECISION_FIELD_SIZE];

    snprintf(field, sizeof field, "san[%zu]", index + 1);
    if (!make_names(san, decision->input, &names, &cause))
        return sg_decision_refuse_for(decision, field, &cause);
    if (names.num == 0)
        return sg_decision_pass(decision, field, "left out, as %s has no value", source_of(san));
    for (size_t i = 0; i < names.num; i++) {
        if (!add_name(decision, field, san, (const char *)names.items[i].data))
            return false;
    }
    return true;
}

bool sg_policy_rule_san(struct sg_decision *decision)
{
    for (size_t i = 0; i < decision->policy->sans.num; i++) {
        if (!decide_san(decision, i))
            return false;
    }
    return true;
}
