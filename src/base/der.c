#include "der.h"

#include <string.h>

#include "limits.h"

enum { DER_TRUE = 0xff, UTC_TIME_LEN = 13, GENERALIZED_TIME_LEN = 15 };

/* Parts of an identifier octet, X.690 8.1.2. */
enum { CLASS = 0xc0, CONTEXT_SPECIFIC = 0x80, IS_CONSTRUCTED = 0x20, NUMBER = 0x1f };

/* ---- elements ---- */

/* The length at *at, which moves behind it. X.690 10.1: definite, and in the fewest octets. */
static bool take_length(const uint8_t **at, const uint8_t *end, size_t *len)
{
    const uint8_t *from = *at;
    size_t num_octets, value = 0;

    if (from == end)
        return false;
    if (*from < 0x80) {
        *len = *from;
        *at = from + 1;
        return true;
    }
    num_octets = *from++ & 0x7f;
    if (num_octets == 0 || num_octets > sizeof(uint32_t) || num_octets > (size_t)(end - from) ||
        *from == 0)
        return false;
    for (size_t i = 0; i < num_octets; i++)
        value = value << 8 | *from++;
    if (value < 0x80)
        return false;
    *len = value;
    *at = from;
    return true;
}

bool sg_der_next(struct sg_slice *rest, struct sg_der *element)
{
    const uint8_t *at = rest->data, *end;
    size_t len = 0;

    if (rest->len == 0)
        return false;
    end = at + rest->len;
    if ((*at & NUMBER) == NUMBER) /* a number of several octets */
        return false;
    at++;
    if (!take_length(&at, end, &len) || len > (size_t)(end - at))
        return false;
    *element = (struct sg_der){
        .tag = rest->data[0],
        .whole = {rest->data, (size_t)(at - rest->data) + len},
        .content = {at, len},
    };
    rest->data = at + len;
    rest->len = (size_t)(end - rest->data);
    return true;
}

bool sg_der_enter(struct sg_slice bytes, uint8_t tag, struct sg_slice *inside)
{
    struct sg_der element;

    if (!sg_der_next(&bytes, &element) || bytes.len > 0 || element.tag != tag)
        return false;
    *inside = element.content;
    return true;
}

/* ---- values ---- */

/* X.690 8.3.2: not all of the first nine bits are the same. */
static bool is_number(struct sg_slice value)
{
    if (value.len < 2)
        return value.len == 1;
    return !(value.data[0] == 0x00 && value.data[1] < 0x80) &&
           !(value.data[0] == 0xff && value.data[1] >= 0x80);
}

/* X.690 8.6.2, 11.2.1: how many bits of the last octet are unused, which are zero. */
static bool is_bit_string(struct sg_slice value)
{
    unsigned unused;

    if (value.len == 0)
        return false;
    unused = value.data[0];
    if (value.len == 1)
        return unused == 0;
    return unused < 8 && (value.data[value.len - 1] & ((1U << unused) - 1)) == 0;
}

/* X.690 8.19.2: each number ends with the octet whose first bit is zero, and none begins with 0x80.
 */
static bool is_oid(struct sg_slice value)
{
    bool at_start = true;

    for (size_t i = 0; i < value.len; i++) {
        if (at_start && value.data[i] == 0x80)
            return false;
        at_start = value.data[i] < 0x80;
    }
    return value.len > 0 && at_start;
}

/* X.690 11.7, 11.8, without fractions of a second, which RFC 5280 has none of. */
static bool is_time(struct sg_slice value, size_t len)
{
    if (value.len != len || value.data[len - 1] != 'Z')
        return false;
    for (size_t i = 0; i < len - 1; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
    return true;
}

static bool is_value(uint8_t tag, struct sg_slice value)
{
    switch (tag) {
    case SG_DER_BOOLEAN:
        return value.len == 1 && value.data[0] == DER_TRUE;
    case SG_DER_INTEGER:
    case SG_DER_ENUMERATED:
        return is_number(value);
    case SG_DER_BIT_STRING:
        return is_bit_string(value);
    case SG_DER_NULL:
        return value.len == 0;
    case SG_DER_OID:
        return is_oid(value);
    case SG_DER_UTC_TIME:
        return is_time(value, UTC_TIME_LEN);
    case SG_DER_GENERALIZED_TIME:
        return is_time(value, GENERALIZED_TIME_LEN);
    case SG_DER_OCTET_STRING:
    case SG_DER_UTF8_STRING:
    case SG_DER_PRINTABLE_STRING:
    case SG_DER_IA5_STRING:
        return true; /* in pieces, they would be constructed and so have another tag */
    default:
        return false;
    }
}

/* ---- all of it ---- */

/* X.690 11.6: as if the shorter one had zeroes at its end; but no element begins another. */
static bool is_in_order(struct sg_slice before, struct sg_slice after)
{
    size_t len = before.len < after.len ? before.len : after.len;
    int order = len > 0 ? memcmp(before.data, after.data, len) : 0;

    return order < 0 || (order == 0 && before.len <= after.len);
}

static bool are_strict(struct sg_slice content, bool is_set, const struct sg_der_tags *tags,
                       int depth);

static bool is_strict(const struct sg_der *element, const struct sg_der_tags *tags, int depth)
{
    unsigned bit = 1U << (element->tag & NUMBER);
    bool is_context = (element->tag & CLASS) == CONTEXT_SPECIFIC;

    if (element->tag == SG_DER_SEQUENCE)
        return are_strict(element->content, false, tags, depth);
    if (element->tag == SG_DER_SET)
        return element->content.len > 0 && are_strict(element->content, true, tags, depth);
    if (!is_context)
        return is_value(element->tag, element->content);
    if (tags == NULL)
        return false;
    if ((element->tag & IS_CONSTRUCTED) == 0)
        return (tags->primitive & bit) != 0;
    return ((tags->constructed | tags->sets) & bit) != 0 &&
           are_strict(element->content, (tags->sets & bit) != 0, tags, depth);
}

/* The elements that content is, one after the other. */
static bool are_strict(struct sg_slice content, bool is_set, const struct sg_der_tags *tags,
                       int depth)
{
    struct sg_slice before = {0};
    struct sg_der element;

    if (depth >= SG_LIMIT_DER_DEPTH)
        return false;
    while (content.len > 0) {
        if (!sg_der_next(&content, &element) || !is_strict(&element, tags, depth + 1) ||
            (is_set && !is_in_order(before, element.whole)))
            return false;
        before = element.whole;
    }
    return true;
}

bool sg_der_is_strict(struct sg_slice bytes, const struct sg_der_tags *tags)
{
    struct sg_der element;

    return sg_der_next(&bytes, &element) && bytes.len == 0 && is_strict(&element, tags, 0);
}
