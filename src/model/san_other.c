#include "san_other.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <string.h>

#include "asn1_text.h"
#include "base/hex.h"
#include "base/text.h"
#include "oid.h"

static const char UPN_OID[] = "1.3.6.1.4.1.311.20.2.3";
static const char HARDWARE_MODULE_OID[] = "1.3.6.1.5.5.7.8.4";      /* RFC 4108 */
static const char PERMANENT_IDENTIFIER_OID[] = "1.3.6.1.5.5.7.8.3"; /* RFC 4043 */

/* RFC 4108 5: HardwareModuleName. */
struct hardware_module {
    ASN1_OBJECT *type;
    ASN1_OCTET_STRING *serial;
};

/* RFC 4043 2: PermanentIdentifier. */
struct permanent_identifier {
    ASN1_UTF8STRING *value;
    ASN1_OBJECT *assigner;
};

// clang-format off
ASN1_SEQUENCE(HARDWARE_MODULE) = {
    ASN1_SIMPLE(struct hardware_module, type, ASN1_OBJECT),
    ASN1_SIMPLE(struct hardware_module, serial, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct hardware_module, HARDWARE_MODULE);

ASN1_SEQUENCE(PERMANENT_IDENTIFIER) = {
    ASN1_OPT(struct permanent_identifier, value, ASN1_UTF8STRING),
    ASN1_OPT(struct permanent_identifier, assigner, ASN1_OBJECT),
} static_ASN1_SEQUENCE_END_name(struct permanent_identifier, PERMANENT_IDENTIFIER);
// clang-format on

static void hardware_module_free(struct hardware_module *module)
{
    ASN1_item_free((ASN1_VALUE *)module, ASN1_ITEM_rptr(HARDWARE_MODULE));
}

static void permanent_identifier_free(struct permanent_identifier *identifier)
{
    ASN1_item_free((ASN1_VALUE *)identifier, ASN1_ITEM_rptr(PERMANENT_IDENTIFIER));
}

typedef struct hardware_module hardware_module;
typedef struct permanent_identifier permanent_identifier;
SG_DEFINE_CLEANUP(hardware_module, hardware_module_free)
SG_DEFINE_CLEANUP(permanent_identifier, permanent_identifier_free)

/* Texts */

/* The OID before the first ";" of a value, and what comes after it; NULL when there is no ";". */
static const char *split(const char *value, char oid[SG_LIMIT_OID])
{
    size_t len = strcspn(value, ";");

    if (value[len] == '\0' || len >= SG_LIMIT_OID)
        return NULL;
    memcpy(oid, value, len);
    oid[len] = '\0';
    return value + len + 1;
}

/* How the value of an otherName is written, with the ASN.1 type that it then has; 0: by its DER. */
static const struct form {
    const char *prefix;
    int type;
} FORMS[] = {
    {"utf8:", V_ASN1_UTF8STRING},
    {"ia5:", V_ASN1_IA5STRING},
    {"printable:", V_ASN1_PRINTABLESTRING},
    {"octets:", V_ASN1_OCTET_STRING},
    {"der:", 0},
};
enum { NUM_FORMS = sizeof FORMS / sizeof *FORMS };

static const struct form *form_of(const char *text)
{
    for (size_t i = 0; i < NUM_FORMS; i++) {
        if (strncmp(text, FORMS[i].prefix, strlen(FORMS[i].prefix)) == 0)
            return &FORMS[i];
    }
    return NULL;
}

static bool is_text_form(const struct form *form)
{
    return form->type != 0 && form->type != V_ASN1_OCTET_STRING;
}

/* DER of one value as an ASN1_TYPE that encodes to the same again, or NULL. */
static ASN1_TYPE *read_der(struct sg_slice der)
{
    const uint8_t *at = der.data;
    sg_auto(openssl_bytes) uint8_t *again = NULL;
    sg_auto(ASN1_TYPE) ASN1_TYPE *type = d2i_ASN1_TYPE(NULL, &at, (long)der.len);
    int len = type != NULL ? i2d_ASN1_TYPE(type, &again) : -1;

    ERR_clear_error();
    if (len < 0 || !sg_slice_equal(der, sg_slice_of(again, (size_t)len)))
        return NULL;
    return SG_TAKE(type);
}

/* text: lower-case hex. */
static bool bytes_of(const char *text, struct sg_buf *bytes)
{
    size_t size = strlen(text) / 2 + 1, len = 0;
    sg_auto(malloc) uint8_t *room = malloc(size);

    return room != NULL && text[strspn(text, "0123456789abcdef")] == '\0' &&
           sg_hex_parse(text, room, size, &len, NULL) &&
           sg_buf_set(bytes, sg_slice_of(room, len), NULL);
}

static ASN1_TYPE *new_string(int kind, struct sg_slice bytes)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *type = ASN1_TYPE_new();
    sg_auto(ASN1_STRING) ASN1_STRING *string = ASN1_STRING_type_new(kind);

    if (type == NULL || string == NULL || !ASN1_STRING_set(string, bytes.data, (int)bytes.len))
        return NULL;
    ASN1_TYPE_set(type, kind, SG_TAKE(string));
    return SG_TAKE(type);
}

/* The value of "utf8:TEXT", "octets:HEX" and so on, or NULL. */
static ASN1_TYPE *type_of(const char *text)
{
    const struct form *form = form_of(text);
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    if (form == NULL)
        return NULL;
    text += strlen(form->prefix);
    if (is_text_form(form))
        return text[0] != '\0' && sg_asn1_fits(form->type, sg_slice_text(text))
                   ? new_string(form->type, sg_slice_text(text))
                   : NULL;
    if (!bytes_of(text, &bytes))
        return NULL;
    if (form->type == V_ASN1_OCTET_STRING)
        return new_string(form->type, sg_buf_slice(&bytes));
    return read_der(sg_buf_slice(&bytes));
}

/* Problems */

static const char *module_problem(const char *value)
{
    char oid[SG_LIMIT_OID];
    const char *serial = split(value, oid);

    if (serial == NULL || serial[0] == '\0' || !sg_oid_is_valid(oid))
        return "must be the OID of the module's type, \";\" and a serial number";
    return NULL;
}

static const char *identifier_problem(const char *value)
{
    char oid[SG_LIMIT_OID];
    const char *text = split(value, oid);

    if (text == NULL || text[0] == '\0' || (oid[0] != '\0' && !sg_oid_is_valid(oid)))
        return "must be the assigner's OID or nothing, \";\" and an identifier";
    return NULL;
}

static const char *other_name_problem(const char *value)
{
    char oid[SG_LIMIT_OID];
    const char *text = split(value, oid);
    sg_auto(ASN1_TYPE) ASN1_TYPE *type = NULL;

    if (text == NULL || !sg_oid_is_valid(oid))
        return "must be an OID, \";\" and a value";
    if (strcmp(oid, UPN_OID) == 0 || strcmp(oid, HARDWARE_MODULE_OID) == 0 ||
        strcmp(oid, PERMANENT_IDENTIFIER_OID) == 0)
        return "has a kind of its own: use upn, hardware-module or permanent-identifier";
    type = type_of(text);
    if (type == NULL)
        return "must have a value such as utf8:TEXT, ia5:TEXT, printable:TEXT, octets:HEX or "
               "der:HEX (one DER value)";
    return NULL;
}

static const char *upn_problem(const char *value)
{
    const char *at = strchr(value, '@');

    if (at == NULL || at == value || at[1] == '\0' || strchr(at + 1, '@') != NULL)
        return "must have one \"@\" with something on either side";
    return NULL;
}

const char *sg_san_other_problem(enum sg_san_kind kind, const char *value)
{
    switch (kind) {
    case SG_SAN_UPN:
        return upn_problem(value);
    case SG_SAN_HARDWARE_MODULE:
        return module_problem(value);
    case SG_SAN_PERMANENT_IDENTIFIER:
        return identifier_problem(value);
    default:
        return other_name_problem(value);
    }
}

/* Encoding */

static ASN1_TYPE *pack(const void *value, const ASN1_ITEM *item)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = ASN1_item_i2d(value, &bytes, item);

    return len > 0 ? new_string(V_ASN1_SEQUENCE, sg_slice_of(bytes, (size_t)len)) : NULL;
}

static ASN1_TYPE *module_value(const char *value)
{
    char oid[SG_LIMIT_OID];
    const char *serial = split(value, oid);
    sg_auto(hardware_module) struct hardware_module *module =
        (struct hardware_module *)ASN1_item_new(ASN1_ITEM_rptr(HARDWARE_MODULE));

    if (module == NULL || serial == NULL)
        return NULL;
    ASN1_OBJECT_free(module->type);
    module->type = OBJ_txt2obj(oid, 1);
    if (module->type == NULL || !ASN1_STRING_set(module->serial, serial, -1))
        return NULL;
    return pack(module, ASN1_ITEM_rptr(HARDWARE_MODULE));
}

static ASN1_TYPE *identifier_value(const char *value)
{
    char oid[SG_LIMIT_OID];
    const char *text = split(value, oid);
    sg_auto(permanent_identifier) struct permanent_identifier *identifier =
        (struct permanent_identifier *)ASN1_item_new(ASN1_ITEM_rptr(PERMANENT_IDENTIFIER));

    if (identifier == NULL || text == NULL)
        return NULL;
    if (oid[0] != '\0' && (identifier->assigner = OBJ_txt2obj(oid, 1)) == NULL)
        return NULL;
    identifier->value = ASN1_UTF8STRING_new();
    if (identifier->value == NULL || !ASN1_STRING_set(identifier->value, text, -1))
        return NULL;
    return pack(identifier, ASN1_ITEM_rptr(PERMANENT_IDENTIFIER));
}

/* Type-id and value of a text. */
static ASN1_TYPE *value_of(enum sg_san_kind kind, const char *value, char oid[SG_LIMIT_OID])
{
    const char *rest = NULL;

    switch (kind) {
    case SG_SAN_UPN:
        snprintf(oid, SG_LIMIT_OID, "%s", UPN_OID);
        return new_string(V_ASN1_UTF8STRING, sg_slice_text(value));
    case SG_SAN_HARDWARE_MODULE:
        snprintf(oid, SG_LIMIT_OID, "%s", HARDWARE_MODULE_OID);
        return module_value(value);
    case SG_SAN_PERMANENT_IDENTIFIER:
        snprintf(oid, SG_LIMIT_OID, "%s", PERMANENT_IDENTIFIER_OID);
        return identifier_value(value);
    default:
        rest = split(value, oid);
        return rest != NULL ? type_of(rest) : NULL;
    }
}

bool sg_san_other_set(GENERAL_NAME *name, enum sg_san_kind kind, const char *value)
{
    char text[SG_LIMIT_OID];
    sg_auto(ASN1_TYPE) ASN1_TYPE *type = value_of(kind, value, text);
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *oid = type != NULL ? OBJ_txt2obj(text, 1) : NULL;

    if (oid == NULL || !GENERAL_NAME_set0_othername(name, oid, type))
        return false;
    oid = NULL; /* both now owned by name */
    type = NULL;
    return true;
}

/* Decoding */

/* A value of this type that encodes to the same again, or NULL. */
static void *unpack(const ASN1_TYPE *type, const ASN1_ITEM *item)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *again = NULL;
    void *value = NULL;

    if (ASN1_TYPE_get(type) != V_ASN1_SEQUENCE)
        return NULL;
    value = ASN1_item_unpack(type->value.sequence, item);
    again = value != NULL ? pack(value, item) : NULL;
    ERR_clear_error();
    if (again != NULL && ASN1_STRING_cmp(again->value.sequence, type->value.sequence) == 0)
        return value;
    ASN1_item_free(value, item);
    return NULL;
}

/* "OID;TEXT" of a string that is text; "" when it is none. oid may be NULL. */
static bool write_pair(const ASN1_OBJECT *oid, const ASN1_STRING *string, struct sg_buf *text,
                       struct sg_error *error)
{
    const struct sg_slice value =
        sg_slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
    char oid_text[SG_LIMIT_OID] = "";

    if (oid != NULL)
        sg_oid_text(oid, oid_text);
    if (value.len == 0 || strcmp(oid_text, "?") == 0 || !sg_text_check(value, "", NULL))
        return true;
    return sg_buf_printf(text, SG_LIMIT_REQUEST, error, "%s;%.*s", oid_text, (int)value.len,
                         (const char *)value.data);
}

static bool read_module(const ASN1_TYPE *value, struct sg_buf *text, struct sg_error *error)
{
    sg_auto(hardware_module) struct hardware_module *module =
        unpack(value, ASN1_ITEM_rptr(HARDWARE_MODULE));

    return module == NULL || write_pair(module->type, module->serial, text, error);
}

static bool read_identifier(const ASN1_TYPE *value, struct sg_buf *text, struct sg_error *error)
{
    sg_auto(permanent_identifier) struct permanent_identifier *identifier =
        unpack(value, ASN1_ITEM_rptr(PERMANENT_IDENTIFIER));

    return identifier == NULL || identifier->value == NULL ||
           write_pair(identifier->assigner, identifier->value, text, error);
}

static bool write_hex(const char *oid, const char *prefix, struct sg_slice bytes,
                      struct sg_buf *text, struct sg_error *error)
{
    size_t size = 2 * bytes.len + 1;
    sg_auto(malloc) char *hex = malloc(size);

    if (hex == NULL)
        return sg_fail_memory(error);
    return sg_buf_printf(text, 4 * SG_LIMIT_REQUEST, error, "%s;%s%s", oid, prefix,
                         sg_hex(bytes, hex, size));
}

static bool write_der(const char *oid, const ASN1_TYPE *value, struct sg_buf *text,
                      struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = i2d_ASN1_TYPE(value, &bytes);

    if (len <= 0)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280 4.2.1.6",
                               "subjectAltName: an otherName's value can't be encoded again");
    return write_hex(oid, "der:", sg_slice_of(bytes, (size_t)len), text, error);
}

static bool read_any(const OTHERNAME *other, struct sg_buf *text, struct sg_error *error)
{
    const ASN1_TYPE *value = other->value;
    int type = ASN1_TYPE_get(value);
    char oid[SG_LIMIT_OID];

    sg_oid_text(other->type_id, oid);
    for (size_t i = 0; i < NUM_FORMS; i++) {
        struct sg_slice bytes = {0};

        if (FORMS[i].type == 0 || FORMS[i].type != type)
            continue;
        bytes = sg_slice_of(ASN1_STRING_get0_data(value->value.asn1_string),
                            (size_t)ASN1_STRING_length(value->value.asn1_string));
        if (!is_text_form(&FORMS[i]))
            return write_hex(oid, FORMS[i].prefix, bytes, text, error);
        if (bytes.len > 0 && sg_text_check(bytes, "", NULL) && sg_asn1_fits(type, bytes))
            return sg_buf_printf(text, SG_LIMIT_REQUEST, error, "%s;%s%.*s", oid, FORMS[i].prefix,
                                 (int)bytes.len, (const char *)bytes.data);
    }
    return write_der(oid, value, text, error);
}

static bool read_upn(const ASN1_TYPE *value, struct sg_buf *text, struct sg_error *error)
{
    sg_auto(malloc) char *upn = NULL;

    if (ASN1_TYPE_get(value) != V_ASN1_UTF8STRING)
        return sg_fail(error, SG_MALFORMED, NULL, "subjectAltName upn is not a UTF8String");
    return sg_asn1_decode(value->value.utf8string, "subjectAltName upn", &upn, error) &&
           sg_buf_set(text, sg_slice_text(upn), error);
}

bool sg_san_other_read(const OTHERNAME *other, enum sg_san_kind *kind, struct sg_buf *text,
                       struct sg_error *error)
{
    static const struct {
        const char *oid;
        enum sg_san_kind kind;
        bool (*read)(const ASN1_TYPE *, struct sg_buf *, struct sg_error *);
    } KNOWN[] = {
        {UPN_OID, SG_SAN_UPN, read_upn},
        {HARDWARE_MODULE_OID, SG_SAN_HARDWARE_MODULE, read_module},
        {PERMANENT_IDENTIFIER_OID, SG_SAN_PERMANENT_IDENTIFIER, read_identifier},
    };
    char oid[SG_LIMIT_OID];

    sg_oid_text(other->type_id, oid);
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(KNOWN[i].oid, oid) != 0)
            continue;
        if (!KNOWN[i].read(other->value, text, error))
            return false;
        *kind = KNOWN[i].kind;
        if (text->len > 0)
            return true;
    }
    *kind = SG_SAN_OTHER_NAME;
    return read_any(other, text, error);
}

bool sg_san_other_canonical(const char *value, struct sg_buf *text, struct sg_error *error)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    enum sg_san_kind kind = SG_SAN_OTHER_NAME;
    bool done = false;

    if (name == NULL || !sg_san_other_set(name, kind, value))
        sg_fail_memory(error);
    else
        done = sg_san_other_read(name->d.otherName, &kind, text, error);
    GENERAL_NAME_free(name);
    return done;
}
