#include "fields.h"

#include <openssl/err.h>
#include <string.h>

#include "attach.h"
#include "base/clock.h"
#include "extensions.h"
#include "show_parts.h"

/* ---- a certificate that is not signed ---- */

bool sg_cert_preview(const struct sg_plan *plan, const struct sg_issuer_facts *issuer,
                     const struct sg_public_key *key, const struct sg_serial *serial,
                     X509 **preview, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf tbs = {0};

    return sg_cert_build(plan, issuer, key, serial, &tbs, error) &&
           sg_signed_decode_unsigned(sg_buf_slice(&tbs), issuer->scheme, preview, error);
}

/* ---- taking it apart ---- */

/* A field in the making: which part of the plan it was, and what there is to say without one. */
struct place {
    const struct sg_plan *plan; /* or NULL */
    enum sg_part part;
    size_t index;
    const char *fixed;
};

static json_t *sources_json(unsigned sources)
{
    static const struct {
        unsigned source;
        const char *word;
    } WORDS[] = {
        {SG_FROM_POLICY, "policy"},   {SG_FROM_DEVICE, "device"}, {SG_FROM_USER, "user"},
        {SG_FROM_REQUEST, "request"}, {SG_FROM_ISSUER, "issuer"}, {SG_FROM_CLOCK, "clock"},
    };
    json_t *array = json_array();

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if ((sources & WORDS[i].source) != 0)
            json_array_append_new(array, json_string(WORDS[i].word));
    return array;
}

static bool put_origin(json_t *field, const struct sg_origin *origin)
{
    return json_object_set_new(field, "rule", json_string(origin->rule)) == 0 &&
           json_object_set_new(field, "line",
                               origin->line != 0 ? json_integer(origin->line) : json_null()) == 0 &&
           (origin->written != NULL ? sg_show_put(field, "written", "%s", origin->written)
                                    : json_object_set_new(field, "written", json_null()) == 0) &&
           json_object_set_new(field, "from", sources_json(origin->sources)) == 0;
}

/* Appends one field, with its origin when there is one. */
static bool add_field(json_t *fields, const struct place *place, const char *name, bool critical,
                      const char *value)
{
    sg_auto(json_t) json_t *field = json_object();
    const struct sg_origin *origin = NULL;

    if (!sg_show_put(field, "field", "%s", name) || !sg_show_put(field, "value", "%s", value) ||
        (critical && json_object_set_new(field, "critical", json_true()) != 0))
        return false;
    if (place->plan != NULL && place->part != SG_PART_NONE)
        origin = sg_plan_origin(place->plan, place->part, place->index);
    if (origin != NULL && !put_origin(field, origin))
        return false;
    if (place->plan != NULL && place->fixed != NULL &&
        !sg_show_put(field, "fixed", "%s", place->fixed))
        return false;
    return json_array_append(fields, field) == 0;
}

/* A member of what `signet show` makes of a certificate. */
static bool add_shown(json_t *fields, const json_t *shown, const char *key, struct place place)
{
    return add_field(fields, &place, key, false, json_string_value(json_object_get(shown, key)));
}

static bool add_head(json_t *fields, const json_t *shown, const struct sg_plan *plan)
{
    const struct {
        const char *key;
        enum sg_part part;
        const char *fixed;
    } HEAD[] = {
        {"serial", SG_PART_NONE, "RFC 5280 4.1.2.2: drawn by Signet, 128 bits of it at random"},
        {"signature", SG_PART_NONE, "the issuer's key, and `signature` in signet.yaml"},
        {"issuer", SG_PART_NONE, "RFC 5280 4.1.2.4: the subject of the issuer's certificate"},
        {"not_before", SG_PART_NOT_BEFORE, NULL},
        {"not_after", SG_PART_NOT_AFTER, NULL},
        {"key", SG_PART_KEY, NULL},
    };

    for (size_t i = 0; i < sizeof HEAD / sizeof *HEAD; i++)
        if (!add_shown(fields, shown, HEAD[i].key,
                       (struct place){plan, HEAD[i].part, 0, HEAD[i].fixed}))
            return false;
    return true;
}

static bool add_subject(json_t *fields, X509 *certificate, const struct sg_plan *plan)
{
    sg_auto(sg_name) struct sg_name subject = {0};
    char name[SG_LIMIT_OID + sizeof "subject."], text[SG_SHOW_TEXT];
    const X509_NAME *encoded = X509_get_subject_name(certificate);

    if (X509_NAME_entry_count(encoded) > 0 && !sg_name_decode(encoded, "", &subject, NULL))
        return add_field(fields, &(struct place){0}, "subject", false, sg_show_name(encoded, text));
    for (size_t i = 0; i < subject.num; i++) {
        snprintf(name, sizeof name, "subject.%s", sg_oid_attribute_word(subject.rdns[i].oid));
        if (!add_field(fields, &(struct place){plan, SG_PART_SUBJECT, i, NULL}, name, false,
                       subject.rdns[i].value))
            return false;
    }
    return true;
}

/* Which of the plan's extensions has the OID; past the end for none. */
static size_t planned_index(const struct sg_plan *plan, const char *oid)
{
    size_t i = 0;

    while (plan != NULL && i < plan->extensions.num &&
           strcmp(plan->extensions.items[i].oid, oid) != 0)
        i++;
    return i;
}

/* What is cut when it is shown is told apart by its digest. */
static bool is_cut(const json_t *lines)
{
    const char *line = json_string_value(json_array_get(lines, 0));

    return json_array_size(lines) == 1 && strncmp(line, "DER ", 4) == 0 &&
           strstr(line, "…") != NULL;
}

static bool add_extension(json_t *fields, X509_EXTENSION *extension, const struct sg_plan *plan)
{
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);
    sg_auto(json_t) json_t *shown = NULL;
    struct place place = {.plan = plan};
    char value[SG_SHOW_TEXT + 2 * SG_SHA256_LEN + 16], hex[SG_SHA256_HEX_SIZE];
    uint8_t digest[SG_SHA256_LEN];
    enum sg_many many =
        sg_extension_source(X509_EXTENSION_get_object(extension), &place.part, &place.fixed);

    if (!sg_show_extension(extension, &shown))
        return false;
    const json_t *lines = json_object_get(shown, "value");
    if (place.part == SG_PART_EXTENSION)
        place.index = planned_index(plan, json_string_value(json_object_get(shown, "oid")));
    sg_sha256(sg_slice_of(ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data)), digest);
    sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        snprintf(value, sizeof value, "%s%s%s", json_string_value(json_array_get(lines, i)),
                 is_cut(lines) ? ", SHA-256 " : "", is_cut(lines) ? hex : "");
        if (many == SG_ONE_EACH)
            place.index = i;
        if (!add_field(fields, &place, json_string_value(json_object_get(shown, "name")),
                       X509_EXTENSION_get_critical(extension) != 0, value))
            return false;
    }
    return true;
}

static bool add_extensions(json_t *fields, X509 *certificate, const struct sg_plan *plan)
{
    const STACK_OF(X509_EXTENSION) *extensions = X509_get0_extensions(certificate);

    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
        if (!add_extension(fields, sk_X509_EXTENSION_value(extensions, i), plan))
            return false;
    return true;
}

bool sg_cert_fields(X509 *certificate, const struct sg_plan *plan, json_t **fields,
                    struct sg_error *error)
{
    sg_auto(json_t) json_t *made = json_array();
    sg_auto(json_t) json_t *shown = NULL;

    if (!sg_show_certificate_json(certificate, 0, &shown, error))
        return false;
    if (!add_head(made, shown, plan) || !add_subject(made, certificate, plan) ||
        !add_extensions(made, certificate, plan))
        return sg_fail_memory(error);
    *fields = SG_TAKE(made);
    return true;
}

/* ---- two of them ---- */

static bool says_same(const json_t *a, const json_t *b)
{
    static const char *const KEYS[] = {"field", "value", "critical"};

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        const json_t *of_a = json_object_get(a, KEYS[i]), *of_b = json_object_get(b, KEYS[i]);

        if (of_a != of_b && !json_equal(of_a, of_b))
            return false;
    }
    return true;
}

/* The field of list that says the same and is not used up yet, or NULL. used: one flag for each. */
static json_t *find_same(const json_t *list, const json_t *field, bool *used)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *candidate = json_array_get(list, i);

        if (!used[i] && says_same(candidate, field)) {
            used[i] = true;
            return candidate;
        }
    }
    return NULL;
}

bool sg_fields_adopt(json_t *fields, const json_t *explained, struct sg_error *error)
{
    sg_auto(malloc) bool *used = calloc(json_array_size(explained) + 1, sizeof *used);

    if (used == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        json_t *field = json_array_get(fields, i);
        json_t *same = find_same(explained, field, used);
        int set = same != NULL ? json_object_update_missing(field, same)
                               : json_object_set_new(field, "unexplained", json_true());

        if (set != 0)
            return sg_fail_memory(error);
    }
    return true;
}

static bool add_change(json_t *changes, const json_t *field, const char *change)
{
    sg_auto(json_t) json_t *copy = json_copy((json_t *)(uintptr_t)field);

    return json_object_set_new(copy, "change", json_string(change)) == 0 &&
           json_array_append(changes, copy) == 0;
}

static bool is_same_order(const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!says_same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

static bool add_order(json_t *changes)
{
    sg_auto(json_t) json_t *order = json_pack("{s:s, s:s, s:s}", "field", "order", "value",
                                              "the same, in another order", "change", "+");

    return json_array_append(changes, order) == 0;
}

bool sg_fields_compare(const json_t *before, const json_t *after, json_t **changes,
                       struct sg_error *error)
{
    sg_auto(json_t) json_t *made = json_array();
    sg_auto(malloc) bool *used = calloc(json_array_size(after) + 1, sizeof *used);

    if (used == NULL || made == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < json_array_size(before); i++) {
        const json_t *field = json_array_get(before, i);

        if (find_same(after, field, used) == NULL && !add_change(made, field, "-"))
            return sg_fail_memory(error);
    }
    for (size_t i = 0; i < json_array_size(after); i++)
        if (!used[i] && !add_change(made, json_array_get(after, i), "+"))
            return sg_fail_memory(error);
    if (json_array_size(made) == 0 && !is_same_order(before, after) && !add_order(made))
        return sg_fail_memory(error);
    *changes = SG_TAKE(made);
    return true;
}
