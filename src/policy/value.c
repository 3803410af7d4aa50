#include "value.h"

#include <string.h>

#include "base/text.h"
#include "reading.h"

enum { LONGEST_SEPARATOR = 8 };

/* References */

static const struct source {
    const char *prefix;
    enum sg_value_source source;
} SOURCES[] = {
    {"device.", SG_VALUE_DEVICE},
    {"user.", SG_VALUE_USER},
    {"request.", SG_VALUE_REQUEST},
    {"issuer.", SG_VALUE_ISSUER},
};

static const char *source_prefix(enum sg_value_source source)
{
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++) {
        if (SOURCES[i].source == source)
            return SOURCES[i].prefix;
    }
    return "";
}

static bool is_attribute_name(const char *name)
{
    static const char ALLOWED[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strlen(name);

    return len > 0 && len <= 64 && name[strspn(name, ALLOWED)] == '\0';
}

static bool check_name(const struct sg_yaml *document, const struct sg_value *value,
                       struct sg_value_part *part, struct sg_error *error)
{
    struct sg_error cause = {0};

    switch (part->source) {
    case SG_VALUE_ISSUER:
        if (strcmp(part->name, "name") == 0)
            return true; /* in signet.yaml, and not the attribute of that name */
        return sg_oid_of_attribute(part->name, &part->oid, NULL) ||
               sg_yaml_fail(document, value->node, error,
                            "${issuer.%s} is no reference; of the issuer there are ${issuer.name} "
                            "and ${issuer.TYPE}, what its subject has of a type such as CN",
                            part->name);
    case SG_VALUE_REQUEST:
        return sg_oid_of_attribute(part->name, &part->oid, &cause) ||
               sg_policy_fail_at(document, value->node, &cause, error);
    default:
        return is_attribute_name(part->name) ||
               sg_yaml_fail(document, value->node, error,
                            "${%s%s} is no reference: an attribute's name is 1 to 64 letters, "
                            "digits, - and _",
                            source_prefix(part->source), part->name);
    }
}

/* reference: what stands between the braces. */
static bool read_reference(const struct sg_yaml *document, const struct sg_value *value,
                           struct sg_slice reference, struct sg_value_part *part,
                           struct sg_error *error)
{
    const char *text = (const char *)reference.data;

    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++) {
        size_t len = strlen(SOURCES[i].prefix);

        if (reference.len < len || memcmp(text, SOURCES[i].prefix, len) != 0)
            continue;
        part->source = SOURCES[i].source;
        part->name = strndup(text + len, reference.len - len);
        if (part->name == NULL)
            return sg_fail_memory(error);
        return check_name(document, value, part, error);
    }
    return sg_yaml_fail(document, value->node, error,
                        "${%.*s} is no reference: use ${device.NAME}, ${user.NAME}, "
                        "${request.TYPE}, ${issuer.TYPE} or ${issuer.name}; $${ is a plain ${",
                        (int)(reference.len < 60 ? reference.len : 60), text);
}

/* Reading */

static void add_literal(struct sg_value *value, const char *from, const char *to)
{
    if (to > from)
        value->parts[value->num++].literal = sg_slice_of(from, (size_t)(to - from));
}

static size_t count_references(const char *text)
{
    size_t num = 0;

    while ((text = strstr(text, "${")) != NULL) {
        num++;
        text += 2;
    }
    return num;
}

static bool read_parts(const struct sg_yaml *document, struct sg_value *value,
                       struct sg_error *error)
{
    const char *at = value->source, *dollar = NULL;

    value->parts = calloc(2 * count_references(at) + 1, sizeof *value->parts);
    if (value->parts == NULL)
        return sg_fail_memory(error);
    while ((dollar = strstr(at, "${")) != NULL) {
        const char *name = dollar + 2;
        const char *end = strchr(name, '}');

        add_literal(value, at, dollar);
        if (dollar > at && dollar[-1] == '$') { /* $${: one dollar is written, the brace is text */
            at = dollar + 1;
            continue;
        }
        if (end == NULL)
            return sg_yaml_fail(document, value->node, error,
                                "'%s' opens ${ and does not close it with }", value->source);
        if (!read_reference(document, value, sg_slice_of(name, (size_t)(end - name)),
                            &value->parts[value->num++], error))
            return false;
        at = end + 1;
    }
    add_literal(value, at, at + strlen(at));
    return true;
}

static bool read_text(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_value *value = into;

    if (!sg_yaml_text(document, node, &value->source, error))
        return false;
    value->node = node;
    if (value->source[0] == '\0')
        return sg_yaml_fail(document, node, error, "the text is empty; leave the line out");
    return read_parts(document, value, error);
}

static bool read_match(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    struct sg_value *value = into;
    struct sg_error cause = {0};
    const char *text = NULL;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    return sg_pattern_new(text, &value->match, &cause) ||
           sg_policy_fail_at(document, node, &cause, error);
}

static bool read_optional(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    struct sg_value *value = into;

    return sg_yaml_bool(document, node, &value->optional, error);
}

static bool read_each(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_value *value = into;

    if (!sg_yaml_text(document, node, &value->each, error))
        return false;
    return (value->each[0] != '\0' && strlen(value->each) <= LONGEST_SEPARATOR) ||
           sg_yaml_fail(document, node, error,
                        "each is what stands between the entries: 1 to %d characters, such as ','",
                        LONGEST_SEPARATOR);
}

static bool read_of_issuer(const struct sg_yaml *document, const struct sg_yaml_node *node,
                           void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {
        {"equal", SG_OF_ISSUER_EQUAL}, {"equal-or-absent", SG_OF_ISSUER_EQUAL_OR_ABSENT}, {0}};
    struct sg_value *value = into;
    int choice = SG_OF_ISSUER_ANY;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    value->of_issuer = (enum sg_of_issuer)choice;
    return true;
}

static const struct sg_yaml_field FIELDS[] = {
    {"value", SG_YAML_REQUIRED, read_text},
    {"match", SG_YAML_OPTIONAL, read_match},
    {"optional", SG_YAML_OPTIONAL, read_optional},
    {0},
};

static const struct sg_yaml_field EACH_FIELDS[] = {
    {"value", SG_YAML_REQUIRED, read_text},
    {"match", SG_YAML_OPTIONAL, read_match},
    {"optional", SG_YAML_OPTIONAL, read_optional},
    {"each", SG_YAML_OPTIONAL, read_each},
    {0},
};

static const struct sg_yaml_field SUBJECT_FIELDS[] = {
    {"value", SG_YAML_REQUIRED, read_text},
    {"match", SG_YAML_OPTIONAL, read_match},
    {"optional", SG_YAML_OPTIONAL, read_optional},
    {"issuer", SG_YAML_OPTIONAL, read_of_issuer},
    {0},
};

static size_t num_references(const struct sg_value *value)
{
    size_t num = 0;

    for (size_t i = 0; i < value->num; i++)
        num += value->parts[i].source != SG_VALUE_LITERAL;
    return num;
}

/* A text that nobody's request can change is judged when the policy is read. */
static bool check_literal(const struct sg_yaml *document, const struct sg_value *value,
                          struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error cause = {0};

    if (value->optional)
        return sg_yaml_fail(document, value->node, error,
                            "a text without a reference is never absent; remove 'optional'");
    return sg_value_resolve(value, NULL, &text, &cause) ||
           sg_policy_fail_at(document, value->node, &cause, error);
}

static bool read_value(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       const struct sg_yaml_field *fields, struct sg_value *value,
                       struct sg_error *error)
{
    bool is_mapping = node->kind == SG_YAML_MAPPING;

    if (is_mapping ? !sg_yaml_mapping(document, node, fields, value, error)
                   : !read_text(document, node, value, error))
        return false;
    if (value->each != NULL && num_references(value) != 1)
        return sg_yaml_fail(document, value->node, error,
                            "a text with 'each' has exactly one reference, whose entries it takes");
    return !sg_value_is_literal(value) || check_literal(document, value, error);
}

bool sg_value_read(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                   struct sg_error *error)
{
    return read_value(document, node, FIELDS, into, error);
}

bool sg_value_read_each(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    return read_value(document, node, EACH_FIELDS, into, error);
}

bool sg_value_read_of_subject(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              void *into, struct sg_error *error)
{
    return read_value(document, node, SUBJECT_FIELDS, into, error);
}

void sg_value_done(struct sg_value *value)
{
    for (size_t i = 0; i < value->num; i++)
        free(value->parts[i].name);
    free(value->parts);
    sg_pattern_free(value->match);
    *value = (struct sg_value){0};
}

/* Resolving */

bool sg_value_is_literal(const struct sg_value *value)
{
    for (size_t i = 0; i < value->num; i++) {
        if (value->parts[i].source != SG_VALUE_LITERAL)
            return false;
    }
    return true;
}

bool sg_value_needs(const struct sg_value *value, enum sg_value_source source)
{
    for (size_t i = 0; i < value->num && !value->optional; i++) {
        if (value->parts[i].source == source)
            return true;
    }
    return false;
}

unsigned sg_value_sources(const struct sg_value *value)
{
    static const unsigned FROM[] = {
        [SG_VALUE_LITERAL] = SG_FROM_POLICY, [SG_VALUE_DEVICE] = SG_FROM_DEVICE,
        [SG_VALUE_USER] = SG_FROM_USER,      [SG_VALUE_REQUEST] = SG_FROM_REQUEST,
        [SG_VALUE_ISSUER] = SG_FROM_ISSUER,
    };
    unsigned sources = 0;

    for (size_t i = 0; i < value->num; i++)
        sources |= FROM[value->parts[i].source];
    return sources;
}

static void say_no_value(const struct sg_record *record, const struct sg_schema *schema,
                         const char *what, const char *name, struct sg_error *why)
{
    char known[SG_SCHEMA_TEXT_SIZE];

    if (schema != NULL && sg_schema_field(schema, name) == NULL)
        sg_fail(why, SG_REFUSED, NULL,
                "${%s.%s} has no value: the registry has no such field (a %s has %s)", what, name,
                what, sg_schema_text(schema, known));
    else
        sg_fail(why, SG_REFUSED, NULL, "${%s.%s} has no value: the registry has no %s for %s %s",
                what, name, name, what, record->id != NULL ? record->id : "?");
}

/* A record of kind what; id_name is what references call its id. schema may be NULL. */
static const char *find_in_record(const struct sg_record *record, bool is_there,
                                  const struct sg_schema *schema, const char *what,
                                  const char *id_name, const char *name, struct sg_error *why)
{
    const char *found = NULL;

    if (!is_there) {
        sg_fail(why, SG_REFUSED, NULL, "${%s.%s} has no value: no %s was named", what, name, what);
        return NULL;
    }
    found = strcmp(name, id_name) == 0 ? record->id : sg_record_value(record, name);
    if (found != NULL && found[0] != '\0')
        return found;
    say_no_value(record, schema, what, name, why);
    return NULL;
}

/* The one value of a type in a subject; whose and of_whom name the reference and its owner.
 * is_absent tells a value that is not there from one that is there twice. */
static const char *find_in_subject(const struct sg_name *subject, const struct sg_value_part *part,
                                   const char *whose, const char *of_whom, bool *is_absent,
                                   struct sg_error *why)
{
    size_t num = 0;
    const char *found = sg_name_first(subject, part->oid, &num);

    *is_absent = num == 0;
    if (num == 0)
        sg_fail(why, SG_REFUSED, NULL, "${%s.%s} has no value: the %s subject has no %s", whose,
                part->name, of_whom, part->name);
    if (num > 1)
        sg_fail(why, SG_REFUSED, NULL, "${%s.%s} wants exactly one value: the %s subject has %zu",
                whose, part->name, of_whom, num);
    return num == 1 ? found : NULL;
}

static const char *find_in_request(const struct sg_request *request,
                                   const struct sg_value_part *part, bool *is_absent,
                                   struct sg_error *why)
{
    struct sg_error cause = {0};
    const char *found =
        find_in_subject(&request->subject, part, "request", "request's", is_absent, &cause);

    if (found == NULL && *is_absent && request->format == SG_REQUEST_FORGOTTEN)
        sg_fail(why, SG_FAILED, NULL,
                "${request.%s} is not known: requests are not kept, and the certificate's subject "
                "has no %s",
                part->name, part->name);
    else if (found == NULL)
        sg_fail(why, cause.code, NULL, "%s", cause.text);
    return found;
}

static const char *find_of_issuer(const struct sg_issuer_facts *issuer,
                                  const struct sg_value_part *part, bool *is_absent,
                                  struct sg_error *why)
{
    if (part->oid == NULL)
        return issuer->name;
    if (issuer->subject != NULL)
        return find_in_subject(issuer->subject, part, "issuer", "issuer's", is_absent, why);
    *is_absent = false; /* nobody knows */
    sg_fail(why, SG_REFUSED, NULL,
            "${issuer.%s} has no value: issuer %s has no subject that can be read", part->name,
            issuer->name);
    return NULL;
}

/* The text that a reference stands for, or NULL with a reason. */
static const char *find(const struct sg_value_part *part, const struct sg_decision_input *input,
                        bool *is_absent, struct sg_error *why)
{
    const struct sg_requester *requester = input->requester;

    *is_absent = true;
    switch (part->source) {
    case SG_VALUE_DEVICE:
        return find_in_record(&requester->device, requester->has_device, input->device_schema,
                              "device", "id", part->name, why);
    case SG_VALUE_USER:
        return find_in_record(&requester->user, requester->has_user, input->user_schema, "user",
                              "name", part->name, why);
    case SG_VALUE_REQUEST:
        return find_in_request(input->request, part, is_absent, why);
    default:
        return find_of_issuer(input->issuer, part, is_absent, why);
    }
}

static bool append(struct sg_buf *text, struct sg_slice more, struct sg_error *error)
{
    if (text->len + more.len > SG_LIMIT_VALUE)
        return sg_fail(error, SG_REFUSED, NULL, "the text would be longer than %d bytes",
                       SG_LIMIT_VALUE);
    return sg_buf_append(text, more.data, more.len, SG_LIMIT_VALUE, error);
}

/* entry: stands for the reference, NULL for its whole value. is_absent: a reference has no value;
 * the error says which. */
static bool put_together(const struct sg_value *value, const struct sg_decision_input *input,
                         const struct sg_slice *entry, struct sg_buf *text, bool *is_absent,
                         struct sg_error *error)
{
    for (size_t i = 0; i < value->num; i++) {
        const struct sg_value_part *part = &value->parts[i];
        struct sg_slice piece = part->literal;

        *is_absent = false;
        if (part->source != SG_VALUE_LITERAL && entry != NULL) {
            piece = *entry;
        } else if (part->source != SG_VALUE_LITERAL) {
            const char *found = find(part, input, is_absent, error);

            if (found == NULL)
                return false;
            *is_absent = false;
            piece = sg_slice_text(found);
        }
        if (!append(text, piece, error))
            return false;
    }
    return true;
}

static bool resolve(const struct sg_value *value, const struct sg_decision_input *input,
                    const struct sg_slice *entry, struct sg_buf *text, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf whole = {0};
    struct sg_error cause = {0};
    bool is_absent = false;

    if (!put_together(value, input, entry, &whole, &is_absent, &cause)) {
        if (is_absent && value->optional)
            return true;
        return sg_fail(error, cause.code, cause.rule, "%s", cause.text);
    }
    if (!sg_text_check(sg_buf_slice(&whole), "the text", &cause))
        return sg_fail(error, SG_REFUSED, NULL, "%s", cause.text);
    if (value->match != NULL && !sg_pattern_matches(value->match, (const char *)whole.data))
        return sg_fail(error, SG_REFUSED, NULL, "\"%.200s\" does not match %s",
                       (const char *)whole.data, sg_pattern_text(value->match));
    *text = whole;
    whole = (struct sg_buf){0}; /* now the caller's */
    return true;
}

bool sg_value_resolve(const struct sg_value *value, const struct sg_decision_input *input,
                      struct sg_buf *text, struct sg_error *error)
{
    return resolve(value, input, NULL, text, error);
}

/* Several texts of one value */

static bool add_text(const struct sg_value *value, const struct sg_decision_input *input,
                     const struct sg_slice *entry, struct sg_texts *texts, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_buf *items = NULL;

    if (!resolve(value, input, entry, &text, error))
        return false;
    if (text.len == 0)
        return true;
    items = reallocarray(texts->items, texts->num + 1, sizeof *items);
    if (items == NULL)
        return sg_fail_memory(error);
    texts->items = items;
    items[texts->num++] = text;
    text = (struct sg_buf){0}; /* now the list's */
    return true;
}

/* The entry at text, which ends at the separator or the end, without the spaces around it. */
static struct sg_slice entry_at(const char *text, const char *separator, const char **next)
{
    const char *end = strstr(text, separator);

    *next = end != NULL ? end + strlen(separator) : NULL;
    if (end == NULL)
        end = text + strlen(text);
    while (text < end && *text == ' ')
        text++;
    while (end > text && end[-1] == ' ')
        end--;
    return sg_slice_of(text, (size_t)(end - text));
}

/* The value of the one reference. */
static const char *find_list(const struct sg_value *value, const struct sg_decision_input *input,
                             bool *is_absent, struct sg_error *error)
{
    const struct sg_value_part *part = value->parts;

    while (part->source == SG_VALUE_LITERAL)
        part++;
    return find(part, input, is_absent, error);
}

static bool add_entries(const struct sg_value *value, const struct sg_decision_input *input,
                        struct sg_texts *texts, struct sg_error *error)
{
    struct sg_error cause = {0};
    bool is_absent = false;
    const char *list = find_list(value, input, &is_absent, &cause);

    if (list == NULL && is_absent && value->optional)
        return true;
    if (list == NULL)
        return sg_fail(error, cause.code, cause.rule, "%s", cause.text);
    for (const char *at = list, *next = NULL; at != NULL; at = next) {
        const struct sg_slice entry = entry_at(at, value->each, &next);

        if (entry.len == 0)
            return sg_fail(error, SG_REFUSED, NULL, "\"%.200s\" has an empty entry", list);
        if (!add_text(value, input, &entry, texts, error))
            return false;
    }
    return true;
}

bool sg_value_resolve_each(const struct sg_value *value, const struct sg_decision_input *input,
                           struct sg_texts *texts, struct sg_error *error)
{
    sg_auto(sg_texts) struct sg_texts made = {0};

    if (value->each == NULL ? !add_text(value, input, NULL, &made, error)
                            : !add_entries(value, input, &made, error))
        return false;
    *texts = made;
    made = (struct sg_texts){0}; /* now the caller's */
    return true;
}

void sg_texts_done(struct sg_texts *texts)
{
    for (size_t i = 0; i < texts->num; i++)
        sg_buf_free(&texts->items[i]);
    free(texts->items);
    *texts = (struct sg_texts){0};
}

/* What `recheck` names */

bool sg_value_is_of_registry(const char *text)
{
    const char *dot = strchr(text, '.');

    return (strncmp(text, "device.", 7) == 0 || strncmp(text, "user.", 5) == 0) &&
           is_attribute_name(dot + 1);
}

bool sg_value_is_registered(const char *text, const struct sg_requester *requester)
{
    bool of_device = text[0] == 'd';
    const struct sg_record *record = of_device ? &requester->device : &requester->user;
    const char *name = strchr(text, '.') + 1;

    if (!(of_device ? requester->has_device : requester->has_user))
        return false;
    if (strcmp(name, "enabled") == 0)
        return !record->disabled;
    return find_in_record(record, true, NULL, of_device ? "device" : "user",
                          of_device ? "id" : "name", name, NULL) != NULL;
}
