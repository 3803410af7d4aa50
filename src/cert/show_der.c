/* show_der: DER that nobody here has words for, by the types in it; and a few extensions of others
 * that are made of simple types. */
#include <openssl/err.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "show_parts.h"

static inline void free_elements(ASN1_SEQUENCE_ANY *elements)
{
    sk_ASN1_TYPE_pop_free(elements, ASN1_TYPE_free);
}
SG_DEFINE_CLEANUP(ASN1_SEQUENCE_ANY, free_elements)

/* What is longer is better shown by its first bytes. */
enum { DER_TEXT = 1024 };

static struct sg_slice bytes_of(const ASN1_STRING *string)
{
    return sg_slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

/* ---- one element: each appends its words, or is false when there are none ---- */

static bool write_boolean(int value, struct sg_buf *text)
{
    enum { DER_TRUE = 0xff };

    return (value == 0 || value == DER_TRUE) &&
           sg_buf_printf(text, DER_TEXT, NULL, "boolean %s", value != 0 ? "true" : "false");
}

static bool write_number(const ASN1_TYPE *element, struct sg_buf *text)
{
    bool is_integer = element->type == V_ASN1_INTEGER;
    sg_auto(BIGNUM) BIGNUM *number = is_integer
                                         ? ASN1_INTEGER_to_BN(element->value.integer, NULL)
                                         : ASN1_ENUMERATED_to_BN(element->value.enumerated, NULL);
    sg_auto(openssl_bytes) char *digits = NULL;

    if (number == NULL || BN_num_bits(number) > 8 * SG_SHOW_HEX_BYTES)
        return false;
    digits = BN_bn2dec(number);
    return digits != NULL && sg_buf_printf(text, DER_TEXT, NULL, "%s %s",
                                           is_integer ? "integer" : "enumerated", digits);
}

static bool write_bits(const ASN1_BIT_STRING *bits, struct sg_buf *text)
{
    enum { MOST_BYTES = 8, UNUSED = 7 };
    int num = 8 * ASN1_STRING_length(bits) - (int)(bits->flags & UNUSED);

    if (ASN1_STRING_length(bits) > MOST_BYTES ||
        !sg_buf_printf(text, DER_TEXT, NULL, num > 0 ? "bits " : "bits (none)"))
        return false;
    for (int i = 0; i < num; i++)
        if (!sg_buf_printf(text, DER_TEXT, NULL, "%d", ASN1_BIT_STRING_get_bit(bits, i)))
            return false;
    return true;
}

static bool write_octets(const ASN1_OCTET_STRING *octets, struct sg_buf *text)
{
    struct sg_slice bytes = bytes_of(octets);
    char hex[DER_TEXT + 1];

    return 2 * bytes.len < sizeof hex &&
           sg_buf_printf(text, DER_TEXT, NULL, "octets %s", sg_hex(bytes, hex, sizeof hex));
}

static bool write_oid(const ASN1_OBJECT *object, struct sg_buf *text)
{
    char oid[SG_LIMIT_OID], known[SG_SHOW_OID];

    sg_oid_text(object, oid);
    return sg_buf_printf(text, DER_TEXT, NULL, "oid %s", sg_show_known_oid(oid, oid, known));
}

/* The forms of RFC 5280 4.1.2.5, of which nothing gets lost: to the second and in GMT. */
static bool write_time(const ASN1_TIME *time, struct sg_buf *text)
{
    size_t len = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? strlen("yymmddhhmmssZ")
                                                          : strlen("yyyymmddhhmmssZ");
    char moment[SG_TIME_TEXT_SIZE];
    struct tm tm;

    return bytes_of(time).len == len && ASN1_TIME_to_tm(time, &tm) == 1 &&
           sg_buf_printf(text, DER_TEXT, NULL, "time %s", sg_time_text(timegm(&tm), moment));
}

/* As policies write them. */
static const char *string_word(int type)
{
    switch (type) {
    case V_ASN1_UTF8STRING:
        return "utf8";
    case V_ASN1_PRINTABLESTRING:
        return "printable";
    case V_ASN1_IA5STRING:
        return "ia5";
    case V_ASN1_BMPSTRING:
        return "bmp";
    case V_ASN1_T61STRING:
        return "t61";
    case V_ASN1_NUMERICSTRING:
        return "numeric";
    case V_ASN1_VISIBLESTRING:
        return "visible";
    default:
        return NULL;
    }
}

/* Alone a string needs no word for its type, and no marks for where it ends. */
static bool write_string(const ASN1_TYPE *element, bool alone, struct sg_buf *text)
{
    const char *word = string_word(element->type);
    sg_auto(openssl_bytes) unsigned char *utf8 = NULL;
    int len = word != NULL ? ASN1_STRING_to_UTF8(&utf8, element->value.asn1_string) : -1;

    if (len < 0 || !sg_text_check(sg_slice_of(utf8, (size_t)len), "", NULL))
        return false;
    if (alone)
        return sg_buf_printf(text, SG_SHOW_TEXT, NULL, "\"%.*s\"", len, (const char *)utf8);
    if (!sg_buf_printf(text, DER_TEXT, NULL, "%s \"", word))
        return false;
    for (int i = 0; i < len; i++) {
        const char *mark = utf8[i] == '"' || utf8[i] == '\\' ? "\\" : "";

        if (!sg_buf_printf(text, DER_TEXT, NULL, "%s%c", mark, utf8[i]))
            return false;
    }
    return sg_buf_printf(text, DER_TEXT, NULL, "\"");
}

/* ---- what holds others ---- */

static bool write_element(const ASN1_TYPE *element, int depth, struct sg_buf *text);

/* The elements of a SEQUENCE or SET that is in DER, which comes out again as it went in; NULL when
 * it is not. */
static ASN1_SEQUENCE_ANY *read_elements(struct sg_slice der, bool is_set)
{
    const unsigned char *at = der.data;
    sg_auto(ASN1_SEQUENCE_ANY) ASN1_SEQUENCE_ANY *elements =
        is_set ? d2i_ASN1_SET_ANY(NULL, &at, (long)der.len)
               : d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)der.len);
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len;

    if (elements == NULL)
        return NULL;
    len = is_set ? i2d_ASN1_SET_ANY(elements, &again) : i2d_ASN1_SEQUENCE_ANY(elements, &again);
    if (len <= 0 || !sg_slice_equal(sg_slice_of(again, (size_t)len), der))
        return NULL;
    return SG_TAKE(elements);
}

static bool write_elements(const ASN1_TYPE *element, int depth, struct sg_buf *text)
{
    bool is_set = element->type == V_ASN1_SET;
    sg_auto(ASN1_SEQUENCE_ANY) ASN1_SEQUENCE_ANY *elements = NULL;

    if (depth >= SG_LIMIT_SHOWN_DEPTH)
        return false;
    elements = read_elements(bytes_of(element->value.asn1_string), is_set);
    if (elements == NULL ||
        !sg_buf_printf(text, DER_TEXT, NULL, "%s(", is_set ? "set" : "sequence"))
        return false;
    for (int i = 0; i < sk_ASN1_TYPE_num(elements); i++)
        if ((i > 0 && !sg_buf_printf(text, DER_TEXT, NULL, ", ")) ||
            !write_element(sk_ASN1_TYPE_value(elements, i), depth + 1, text))
            return false;
    return sg_buf_printf(text, DER_TEXT, NULL, ")");
}

static bool write_element(const ASN1_TYPE *element, int depth, struct sg_buf *text)
{
    switch (element->type) {
    case V_ASN1_BOOLEAN:
        return write_boolean(element->value.boolean, text);
    case V_ASN1_NULL:
        return sg_buf_printf(text, DER_TEXT, NULL, "null");
    case V_ASN1_INTEGER:
    case V_ASN1_ENUMERATED:
        return write_number(element, text);
    case V_ASN1_BIT_STRING:
        return write_bits(element->value.bit_string, text);
    case V_ASN1_OCTET_STRING:
        return write_octets(element->value.octet_string, text);
    case V_ASN1_OBJECT:
        return write_oid(element->value.object, text);
    case V_ASN1_UTCTIME:
    case V_ASN1_GENERALIZEDTIME:
        return write_time(element->value.asn1_string, text);
    case V_ASN1_SEQUENCE:
    case V_ASN1_SET:
        return write_elements(element, depth, text);
    default:
        return write_string(element, depth == 0, text);
    }
}

/* The one element that is all of der and in DER, or NULL. */
static ASN1_TYPE *read_element(struct sg_slice der)
{
    const unsigned char *at = der.data;
    sg_auto(ASN1_TYPE) ASN1_TYPE *element = d2i_ASN1_TYPE(NULL, &at, (long)der.len);
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len = element != NULL ? i2d_ASN1_TYPE(element, &again) : -1;

    if (len <= 0 || !sg_slice_equal(sg_slice_of(again, (size_t)len), der))
        return NULL;
    return SG_TAKE(element);
}

bool sg_show_der(struct sg_slice value, json_t *lines, bool *done)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *element = read_element(value);
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (element == NULL || !write_element(element, 0, &text))
        return true;
    *done = true;
    return sg_show_add(lines, "%.*s", (int)text.len, (const char *)text.data);
}

/* ---- extensions of others ---- */

static bool is_version(const ASN1_TYPE *element, int64_t *number)
{
    return element->type == V_ASN1_INTEGER &&
           ASN1_INTEGER_get_int64(number, element->value.integer) == 1;
}

/* SEQUENCE {the template's OID, its major and minor version} */
bool sg_show_ms_template(struct sg_slice value, json_t *lines, bool *done)
{
    sg_auto(ASN1_SEQUENCE_ANY) ASN1_SEQUENCE_ANY *parts = read_elements(value, false);
    const ASN1_TYPE *template = sk_ASN1_TYPE_value(parts, 0);
    char oid[SG_LIMIT_OID];
    int64_t major = 0, minor = 0;

    if (sk_ASN1_TYPE_num(parts) != 3 || template->type != V_ASN1_OBJECT ||
        !is_version(sk_ASN1_TYPE_value(parts, 1), &major) ||
        !is_version(sk_ASN1_TYPE_value(parts, 2), &minor))
        return true;
    *done = true;
    return sg_show_add(lines, "template %s, version %lld.%lld",
                       sg_oid_text(template->value.object, oid), (long long)major,
                       (long long)minor);
}

static bool is_plain_policy(const POLICYINFO *policy)
{
    return sk_POLICYQUALINFO_num(policy->qualifiers) <= 0;
}

/* Microsoft's application policies: purposes, in the structure of certificatePolicies. */
bool sg_show_ms_purposes(struct sg_slice value, json_t *lines, bool *done)
{
    const unsigned char *at = value.data;
    CERTIFICATEPOLICIES *policies = d2i_CERTIFICATEPOLICIES(NULL, &at, (long)value.len);
    char oid[SG_LIMIT_OID], known[SG_SHOW_OID];
    bool readable = policies != NULL && at == value.data + value.len, added = true;

    for (int i = 0; readable && i < sk_POLICYINFO_num(policies); i++)
        readable = is_plain_policy(sk_POLICYINFO_value(policies, i));
    for (int i = 0; readable && added && i < sk_POLICYINFO_num(policies); i++) {
        sg_oid_text(sk_POLICYINFO_value(policies, i)->policyid, oid);
        added = sg_show_add(lines, "%s", sg_show_known_oid(sg_oid_purpose_word(oid), oid, known));
    }
    *done = readable;
    CERTIFICATEPOLICIES_free(policies);
    return added;
}

/* FIPS 201's NACI indicator: whether the holder's background was still being looked into. */
bool sg_show_piv_check(struct sg_slice value, json_t *lines, bool *done)
{
    sg_auto(ASN1_TYPE) ASN1_TYPE *element = read_element(value);

    if (element == NULL || element->type != V_ASN1_BOOLEAN)
        return true;
    *done = true;
    return sg_show_add(lines, element->value.boolean != 0
                                  ? "true: begun, and not completed when this was issued"
                                  : "false: completed when this was issued");
}
