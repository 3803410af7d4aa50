/* encode: texts of a policy as DER, by OpenSSL. */
#include <openssl/err.h>
#include <string.h>

#include "base/hex.h"
#include "content.h"

SG_DEFINE_CLEANUP(GENERAL_NAME, GENERAL_NAME_free)

/* A sequence inside a sequence, and so on; YAML's own depth is below it. */
enum { DEEPEST_DER = 32 };

static bool encode_any(const ASN1_TYPE *any, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = i2d_ASN1_TYPE(any, &bytes);

    if (len < 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "an ASN.1 value can't be encoded");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

static bool encode_string(int type, struct sg_slice text, struct sg_buf *der,
                          struct sg_error *error)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *any = ASN1_TYPE_new();
    sg_auto(ASN1_STRING) ASN1_STRING *string = ASN1_STRING_type_new(type);

    if (any == NULL || string == NULL || !ASN1_STRING_set(string, text.data, (int)text.len))
        return sg_fail_memory(error);
    ASN1_TYPE_set(any, type, SG_TAKE(string));
    return encode_any(any, der, error);
}

bool sg_policy_encode_integer(int64_t number, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *any = ASN1_TYPE_new();
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *integer = ASN1_INTEGER_new();

    if (any == NULL || integer == NULL || !ASN1_INTEGER_set_int64(integer, number))
        return sg_fail_memory(error);
    /* The sign of a negative number is in the type that OpenSSL gave it. */
    ASN1_TYPE_set(any, V_ASN1_INTEGER, SG_TAKE(integer));
    return encode_any(any, der, error);
}

/* type: V_ASN1_BOOLEAN or V_ASN1_NULL. */
static bool encode_simple(int type, bool value, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *any = ASN1_TYPE_new();

    if (any == NULL)
        return sg_fail_memory(error);
    ASN1_TYPE_set(any, type, value ? any : NULL); /* of a BOOLEAN only NULL or not counts */
    return encode_any(any, der, error);
}

bool sg_policy_encode_boolean(bool value, struct sg_buf *der, struct sg_error *error)
{
    return encode_simple(V_ASN1_BOOLEAN, value, der, error);
}

bool sg_policy_encode_null(struct sg_buf *der, struct sg_error *error)
{
    return encode_simple(V_ASN1_NULL, false, der, error);
}

static void free_types(ASN1_SEQUENCE_ANY *types)
{
    sk_ASN1_TYPE_pop_free(types, ASN1_TYPE_free);
}

SG_DEFINE_CLEANUP(ASN1_SEQUENCE_ANY, free_types)

bool sg_policy_encode_sequence(const struct sg_buf *items, size_t num, struct sg_buf *der,
                               struct sg_error *error)
{
    sg_auto(ASN1_SEQUENCE_ANY) ASN1_SEQUENCE_ANY *types = sk_ASN1_TYPE_new_null();
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = 0;

    for (size_t i = 0; i < num; i++) {
        const uint8_t *at = items[i].data;
        ASN1_TYPE *type = d2i_ASN1_TYPE(NULL, &at, (long)items[i].len);

        if (type == NULL || sk_ASN1_TYPE_push(types, type) <= 0) {
            ASN1_TYPE_free(type);
            return sg_fail_memory(error);
        }
    }
    len = i2d_ASN1_SEQUENCE_ANY(types, &bytes);
    if (len < 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a sequence can't be encoded");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

/* Texts */

static bool encode_utf8(const char *text, struct sg_buf *der, struct sg_error *error)
{
    return encode_string(V_ASN1_UTF8STRING, sg_slice_text(text), der, error);
}

static bool encode_ia5(const char *text, struct sg_buf *der, struct sg_error *error)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at >= 0x80)
            return sg_fail(error, SG_REFUSED, NULL,
                           "\"%.200s\" is not ASCII, as ia5 demands; use utf8", text);
    }
    return encode_string(V_ASN1_IA5STRING, sg_slice_text(text), der, error);
}

/* X.680 41.4. */
static bool encode_printable(const char *text, struct sg_buf *der, struct sg_error *error)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789 '()+,-./:=?";

    if (text[strspn(text, ALPHABET)] != '\0')
        return sg_fail(error, SG_REFUSED, NULL,
                       "\"%.200s\" is more than letters, digits, space and '()+,-./:=?, as "
                       "printable demands; use utf8",
                       text);
    return encode_string(V_ASN1_PRINTABLESTRING, sg_slice_text(text), der, error);
}

static bool read_hex(const char *text, struct sg_buf *bytes, struct sg_error *error)
{
    uint8_t room[SG_LIMIT_VALUE];
    struct sg_error cause = {0};
    size_t len = 0;

    if (!sg_hex_parse(text, room, sizeof room, &len, &cause))
        return sg_fail(error, SG_REFUSED, NULL, "\"%.200s\" is no hex: %s", text, cause.text);
    return sg_buf_set(bytes, sg_slice_of(room, len), error);
}

static bool encode_octets(const char *text, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    return read_hex(text, &bytes, error) &&
           encode_string(V_ASN1_OCTET_STRING, sg_buf_slice(&bytes), der, error);
}

/* RFC 4648 4: decoded and encoded again it is the same text. */
static bool encode_base64(const char *text, struct sg_buf *der, struct sg_error *error)
{
    uint8_t bytes[SG_LIMIT_VALUE];
    char again[SG_LIMIT_VALUE + 8] = "";
    size_t len = strlen(text), padding = 0;
    int decoded = -1;

    if (len % 4 == 0 && len <= SG_LIMIT_VALUE)
        decoded = EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)len);
    for (size_t at = len; decoded > 0 && at > 0 && text[at - 1] == '=' && padding < 2; at--)
        padding++;
    ERR_clear_error();
    if (decoded > (int)padding)
        EVP_EncodeBlock((uint8_t *)again, bytes, decoded - (int)padding);
    if (decoded <= 0 || strcmp(again, text) != 0)
        return sg_fail(error, SG_REFUSED, NULL, "\"%.200s\" is no base64 (RFC 4648 4)", text);
    return encode_string(V_ASN1_OCTET_STRING, sg_slice_of(bytes, (size_t)decoded - padding), der,
                         error);
}

static bool is_der(struct sg_slice bytes, unsigned depth);

/* Every element of a SEQUENCE or SET; re-encoding shows a SET's order and all lengths. */
static bool elements_are_der(struct sg_slice bytes, bool is_set, unsigned depth)
{
    const uint8_t *at = bytes.data;
    sg_auto(openssl_bytes) uint8_t *again = NULL;
    sg_auto(ASN1_SEQUENCE_ANY) ASN1_SEQUENCE_ANY *types =
        is_set ? d2i_ASN1_SET_ANY(NULL, &at, (long)bytes.len)
               : d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)bytes.len);
    int len = -1;

    for (int i = 0; i < sk_ASN1_TYPE_num(types); i++) {
        sg_auto(openssl_bytes) uint8_t *element = NULL;
        int element_len = i2d_ASN1_TYPE(sk_ASN1_TYPE_value(types, i), &element);

        if (element_len <= 0 || !is_der(sg_slice_of(element, (size_t)element_len), depth + 1))
            return false;
    }
    if (types != NULL)
        len = is_set ? i2d_ASN1_SET_ANY(types, &again) : i2d_ASN1_SEQUENCE_ANY(types, &again);
    return len >= 0 && sg_slice_equal(bytes, sg_slice_of(again, (size_t)len));
}

/* Exactly one value, in the only form that DER has for it. */
static bool is_der(struct sg_slice bytes, unsigned depth)
{
    const uint8_t *at = bytes.data;
    sg_auto(ASN1_TYPE) ASN1_TYPE *type = d2i_ASN1_TYPE(NULL, &at, (long)bytes.len);
    sg_auto(openssl_bytes) uint8_t *again = NULL;
    int len = type != NULL ? i2d_ASN1_TYPE(type, &again) : -1;

    if (depth > DEEPEST_DER || len < 0 || !sg_slice_equal(bytes, sg_slice_of(again, (size_t)len)))
        return false;
    switch (ASN1_TYPE_get(type)) {
    case V_ASN1_SEQUENCE:
    case V_ASN1_SET:
        return elements_are_der(bytes, ASN1_TYPE_get(type) == V_ASN1_SET, depth);
    case V_ASN1_BOOLEAN: /* OpenSSL keeps any octet */
        return type->value.boolean == 0 || type->value.boolean == 0xff;
    default:
        return true;
    }
}

static bool encode_der(const char *text, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    bool good = false;

    if (!read_hex(text, &bytes, error))
        return false;
    good = is_der(sg_buf_slice(&bytes), 0);
    ERR_clear_error();
    if (!good)
        return sg_fail(error, SG_REFUSED, "X.690 10", "\"%.200s\" is not exactly one value in DER",
                       text);
    return sg_buf_set(der, sg_buf_slice(&bytes), error);
}

static bool encode_decimal(const char *text, struct sg_buf *der, struct sg_error *error)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t len = strlen(digits);

    if (len < 1 || len > 10 || digits[strspn(digits, "0123456789")] != '\0' ||
        (digits[0] == '0' && (len > 1 || digits != text)) || strtoll(digits, NULL, 10) > INT32_MAX)
        return sg_fail(error, SG_REFUSED, NULL,
                       "\"%.200s\" is no whole number from -2147483647 to 2147483647", text);
    return sg_policy_encode_integer(strtoll(text, NULL, 10), der, error);
}

static bool encode_truth(const char *text, struct sg_buf *der, struct sg_error *error)
{
    bool value = strcmp(text, "true") == 0;

    if (!value && strcmp(text, "false") != 0)
        return sg_fail(error, SG_REFUSED, NULL, "\"%.200s\" is neither true nor false", text);
    return sg_policy_encode_boolean(value, der, error);
}

/* [MS-DTYP] 2.4.2.1: the text form of a SID. */
static bool is_sid(const char *text)
{
    enum { MOST_PARTS = 16 }; /* the authority and 15 below it */
    unsigned parts = 0;

    if (strncmp(text, "S-1-", 4) != 0)
        return false;
    for (text += 3; *text == '-'; parts++) {
        size_t digits = strspn(++text, "0123456789");

        if (digits < 1 || digits > 15 || (text[0] == '0' && digits > 1))
            return false;
        text += digits;
    }
    return *text == '\0' && parts >= 2 && parts <= MOST_PARTS;
}

/* An otherName whose value is the SID's text as octets. */
static GENERAL_NAME *sid_name(const char *text)
{
    sg_auto(GENERAL_NAME) GENERAL_NAME *name = GENERAL_NAME_new();
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.311.25.2.1", 1);
    sg_auto(ASN1_TYPE) ASN1_TYPE *value = ASN1_TYPE_new();
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();

    if (name == NULL || oid == NULL || value == NULL || octets == NULL ||
        !ASN1_STRING_set(octets, text, -1))
        return NULL;
    ASN1_TYPE_set(value, V_ASN1_OCTET_STRING, SG_TAKE(octets));
    if (!GENERAL_NAME_set0_othername(name, oid, value))
        return NULL;
    oid = NULL; /* both now owned by name */
    value = NULL;
    return SG_TAKE(name);
}

/* [MS-WCCE] 2.2.2.7.7.4 (szOID_NTDS_CA_SECURITY_EXT). */
static bool encode_sid(const char *text, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = GENERAL_NAMES_new();
    sg_auto(GENERAL_NAME) GENERAL_NAME *name = NULL;
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = 0;

    if (!is_sid(text))
        return sg_fail(error, SG_REFUSED, NULL, "\"%.200s\" is no SID such as S-1-5-21-1-2-3-1001",
                       text);
    name = sid_name(text);
    if (names == NULL || name == NULL || sk_GENERAL_NAME_push(names, name) <= 0)
        return sg_fail_memory(error);
    name = NULL; /* names' own now */
    len = i2d_GENERAL_NAMES(names, &bytes);
    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a SID can't be encoded");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

bool sg_policy_encode_text(enum sg_policy_form form, const char *text, struct sg_buf *der,
                           struct sg_error *error)
{
    switch (form) {
    case SG_FORM_UTF8:
        return encode_utf8(text, der, error);
    case SG_FORM_IA5:
        return encode_ia5(text, der, error);
    case SG_FORM_PRINTABLE:
        return encode_printable(text, der, error);
    case SG_FORM_OCTETS:
        return encode_octets(text, der, error);
    case SG_FORM_BASE64:
        return encode_base64(text, der, error);
    case SG_FORM_DER:
        return encode_der(text, der, error);
    case SG_FORM_INTEGER:
        return encode_decimal(text, der, error);
    case SG_FORM_BOOLEAN:
        return encode_truth(text, der, error);
    case SG_FORM_SID:
        return encode_sid(text, der, error);
    default:
        return sg_fail(error, SG_INTERNAL, NULL, "a form that has no text");
    }
}
