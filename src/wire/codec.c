#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "wire.h"

static const char RULE[] = "wire";

enum { FIELD_HEADER = 5 };

_Static_assert(SG_WIRE_END_OF_FIELDS <= 32, "a mask of fields is an unsigned");

/* ---- octets ---- */

static void put(uint8_t *at, uint64_t number, size_t len)
{
    while (len > 0) {
        at[--len] = (uint8_t)number;
        number >>= 8;
    }
}

static uint64_t get(const uint8_t *at, size_t len)
{
    uint64_t number = 0;

    for (size_t i = 0; i < len; i++)
        number = number << 8 | at[i];
    return number;
}

/* ---- a message in memory ---- */

void sg_message_set_bytes(struct sg_message *message, enum sg_wire_field field,
                          struct sg_slice bytes)
{
    message->has |= SG_WIRE_HAS(field);
    message->bytes[field] = bytes;
}

void sg_message_set_text(struct sg_message *message, enum sg_wire_field field, const char *text)
{
    if (text != NULL)
        sg_message_set_bytes(message, field, sg_slice_text(text));
}

void sg_message_set_number(struct sg_message *message, enum sg_wire_field field, uint64_t number)
{
    message->has |= SG_WIRE_HAS(field);
    message->numbers[field] = number;
}

const char *sg_message_text(const struct sg_message *message, enum sg_wire_field field)
{
    return (message->has & SG_WIRE_HAS(field)) != 0 ? (const char *)message->bytes[field].data
                                                    : NULL;
}

uint64_t sg_message_number(const struct sg_message *message, enum sg_wire_field field)
{
    return (message->has & SG_WIRE_HAS(field)) != 0 ? message->numbers[field] : 0;
}

void sg_wire_wipe(struct sg_buf *buf)
{
    if (buf->data != NULL)
        OPENSSL_cleanse(buf->data, buf->capacity > buf->len ? buf->capacity : buf->len);
    sg_buf_free(buf);
}

/* ---- what holds for both directions ---- */

static bool check_fields(const struct sg_wire_type_row *row, unsigned has, enum sg_code code,
                         struct sg_error *error)
{
    const unsigned missing = row->must & ~has, foreign = has & ~(row->must | row->may);
    const unsigned wrong = missing != 0 ? missing : foreign;
    const struct sg_wire_field_row *field = NULL;

    if (wrong == 0)
        return true;
    field = sg_wire_field_row((unsigned)__builtin_ctz(wrong));
    return sg_fail(error, code, RULE, "a %s %s its %s", row->name,
                   missing != 0 ? "lacks" : "can't have", field != NULL ? field->name : "field");
}

static bool check_value(const struct sg_wire_type_row *row, const struct sg_wire_field_row *field,
                        struct sg_slice value, enum sg_code code, struct sg_error *error)
{
    const size_t limit = field->limit - (field->kind == SG_WIRE_IS_TEXT ? 1 : 0);

    if (value.len > limit)
        return sg_fail(error, code, RULE, "the %s of a %s has %zu octets; %zu at most", field->name,
                       row->name, value.len, limit);
    if (field->kind != SG_WIRE_IS_TEXT || sg_text_check(value, field->name, NULL))
        return true;
    return sg_fail(error, code, RULE, "the %s of a %s is no text", field->name, row->name);
}

/* ---- out ---- */

static size_t value_len(const struct sg_message *message, unsigned field)
{
    switch (sg_wire_field_row(field)->kind) {
    case SG_WIRE_IS_NUMBER:
        return 8;
    case SG_WIRE_IS_TEXT:
        return message->bytes[field].len + 1;
    case SG_WIRE_IS_BYTES:
        break;
    }
    return message->bytes[field].len;
}

static bool check_message(const struct sg_message *message, const struct sg_wire_type_row *row,
                          size_t *len, struct sg_error *error)
{
    *len = 0;
    if (!check_fields(row, message->has, SG_INTERNAL, error))
        return false;
    for (unsigned field = 1; field < SG_WIRE_END_OF_FIELDS; field++) {
        if ((message->has & SG_WIRE_HAS(field)) == 0)
            continue;
        if (!check_value(row, sg_wire_field_row(field), message->bytes[field], SG_INTERNAL, error))
            return false;
        *len += FIELD_HEADER + value_len(message, field);
    }
    return true;
}

/* Returns where the next field begins. The buffer is zeroed: texts end by themselves. */
static uint8_t *put_field(const struct sg_message *message, unsigned field, uint8_t *at)
{
    const struct sg_slice bytes = message->bytes[field];
    const size_t len = value_len(message, field);

    at[0] = (uint8_t)field;
    put(at + 1, len, 4);
    at += FIELD_HEADER;
    if (sg_wire_field_row(field)->kind == SG_WIRE_IS_NUMBER)
        put(at, message->numbers[field], 8);
    else if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return at + len;
}

bool sg_message_encode(const struct sg_message *message, enum sg_wire_side from,
                       struct sg_buf *frame, struct sg_error *error)
{
    const struct sg_wire_type_row *row = sg_wire_type_row(message->type);
    size_t len = 0;
    uint8_t *at;

    if (row == NULL || row->from != from || (!row->has_id && message->id != 0))
        return sg_fail(error, SG_INTERNAL, RULE, "no message of type %u goes this way",
                       message->type);
    if (!check_message(message, row, &len, error))
        return false;
    if ((at = calloc(1, SG_WIRE_HEADER + len + 1)) == NULL)
        return sg_fail_memory(error);
    *frame = (struct sg_buf){at, SG_WIRE_HEADER + len, SG_WIRE_HEADER + len + 1};
    at[0] = SG_WIRE_VERSION;
    at[1] = (uint8_t)message->type;
    put(at + 4, len, 4);
    put(at + 8, message->id, 8);
    at += SG_WIRE_HEADER;
    for (unsigned field = 1; field < SG_WIRE_END_OF_FIELDS; field++)
        if ((message->has & SG_WIRE_HAS(field)) != 0)
            at = put_field(message, field, at);
    return true;
}

/* ---- in ---- */

bool sg_wire_frame_len(struct sg_slice bytes, enum sg_wire_side from, size_t *len,
                       struct sg_error *error)
{
    const struct sg_wire_type_row *row;
    size_t fields;

    *len = 0;
    if (bytes.len < SG_WIRE_HEADER)
        return true;
    if (bytes.data[0] != SG_WIRE_VERSION)
        return sg_fail(error, SG_MALFORMED, RULE,
                       "the other process speaks version %u of the protocol, this one %d: "
                       "restart both",
                       bytes.data[0], SG_WIRE_VERSION);
    row = sg_wire_type_row(bytes.data[1]);
    if (row == NULL || row->from != from || bytes.data[2] != 0 || bytes.data[3] != 0 ||
        (!row->has_id && get(bytes.data + 8, 8) != 0))
        return sg_fail(error, SG_MALFORMED, RULE, "no message of type %u comes this way",
                       bytes.data[1]);
    fields = (size_t)get(bytes.data + 4, 4);
    if (fields > sg_wire_max(bytes.data[1]))
        return sg_fail(error, SG_MALFORMED, RULE, "a %s of %zu octets; %zu at most", row->name,
                       fields, sg_wire_max(bytes.data[1]));
    *len = SG_WIRE_HEADER + fields;
    return true;
}

/* A value as it stands in the frame becomes the message's. */
static bool take_value(struct sg_message *message, const struct sg_wire_type_row *row,
                       unsigned number, struct sg_slice value, struct sg_error *error)
{
    const struct sg_wire_field_row *field = sg_wire_field_row(number);

    if (field->kind == SG_WIRE_IS_NUMBER && value.len != 8)
        return sg_fail(error, SG_MALFORMED, RULE, "the %s of a %s is no number", field->name,
                       row->name);
    if (field->kind == SG_WIRE_IS_TEXT) {
        if (value.len == 0 || value.data[value.len - 1] != 0)
            return sg_fail(error, SG_MALFORMED, RULE, "the %s of a %s has no end", field->name,
                           row->name);
        value.len--;
    }
    if (!check_value(row, field, value, SG_MALFORMED, error))
        return false;
    message->has |= SG_WIRE_HAS(number);
    if (field->kind == SG_WIRE_IS_NUMBER)
        message->numbers[number] = get(value.data, 8);
    else
        message->bytes[number] = value;
    return true;
}

static bool take_fields(struct sg_message *message, const struct sg_wire_type_row *row,
                        struct sg_slice rest, struct sg_error *error)
{
    unsigned last = 0;

    while (rest.len > 0) {
        const unsigned number = rest.data[0];
        const size_t len = rest.len >= FIELD_HEADER ? (size_t)get(rest.data + 1, 4) : 0;

        if (rest.len < FIELD_HEADER || len > rest.len - FIELD_HEADER)
            return sg_fail(error, SG_MALFORMED, RULE, "a %s ends inside a field", row->name);
        if (sg_wire_field_row(number) == NULL || number <= last)
            return sg_fail(error, SG_MALFORMED, RULE, "field %u of a %s %s", number, row->name,
                           number <= last ? "is out of order" : "does not exist");
        if (!take_value(message, row, number, sg_slice_of(rest.data + FIELD_HEADER, len), error))
            return false;
        last = number;
        rest = sg_slice_of(rest.data + FIELD_HEADER + len, rest.len - FIELD_HEADER - len);
    }
    return check_fields(row, message->has, SG_MALFORMED, error);
}

bool sg_message_decode(struct sg_slice frame, enum sg_wire_side from, struct sg_message *message,
                       struct sg_error *error)
{
    struct sg_message fresh = {0};
    size_t len = 0;

    if (!sg_wire_frame_len(frame, from, &len, error))
        return false;
    if (len == 0 || len != frame.len)
        return sg_fail(error, SG_MALFORMED, RULE, "a message of %zu octets in %zu", len, frame.len);
    fresh.type = frame.data[1];
    fresh.id = get(frame.data + 8, 8);
    if (!take_fields(&fresh, sg_wire_type_row(fresh.type),
                     sg_slice_of(frame.data + SG_WIRE_HEADER, len - SG_WIRE_HEADER), error))
        return false;
    *message = fresh;
    return true;
}
