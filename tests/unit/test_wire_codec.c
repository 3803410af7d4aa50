#include <string.h>

#include "base/cleanup.h"
#include "expect.h"
#include "wire/wire.h"

/* ---- messages of every type, with all of their fields ---- */

static const char LONG_TEXT[] = "a value";

static struct sg_message full_message(unsigned type)
{
    const struct sg_wire_type_row *row = sg_wire_type_row(type);
    struct sg_message message = {.type = type, .id = row->has_id ? 0x0102030405060708 : 0};

    for (unsigned field = 1; field < SG_WIRE_END_OF_FIELDS; field++) {
        if (((row->must | row->may) & SG_WIRE_HAS(field)) == 0)
            continue;
        if (sg_wire_field_row(field)->kind == SG_WIRE_IS_NUMBER)
            sg_message_set_number(&message, field, UINT64_C(0xfedcba9876543210) + field);
        else if (sg_wire_field_row(field)->kind == SG_WIRE_IS_TEXT)
            sg_message_set_text(&message, field, LONG_TEXT);
        else
            sg_message_set_bytes(&message, field, sg_slice_of("\0\1\2", 3));
    }
    return message;
}

static void encode(const struct sg_message *message, struct sg_buf *frame)
{
    struct sg_error error = {0};

    assert_true(sg_message_encode(message, sg_wire_type_row(message->type)->from, frame, &error));
}

static void test_every_type_comes_back(void **state)
{
    (void)state;
    for (unsigned type = 1; type < SG_WIRE_END_OF_TYPES; type++) {
        const enum sg_wire_side from = sg_wire_type_row(type)->from;
        const struct sg_message sent = full_message(type);
        sg_auto(sg_buf) struct sg_buf frame = {0};
        struct sg_message got = {0};
        struct sg_error error = {0};
        size_t len = 0;

        encode(&sent, &frame);
        assert_true(frame.len - SG_WIRE_HEADER <= sg_wire_max(type));
        assert_true(sg_wire_frame_len(sg_buf_slice(&frame), from, &len, &error));
        assert_int_equal(len, frame.len);
        assert_true(sg_message_decode(sg_buf_slice(&frame), from, &got, &error));
        assert_int_equal(got.type, type);
        assert_true(got.id == sent.id);
        assert_int_equal(got.has, sent.has);
        for (unsigned field = 1; field < SG_WIRE_END_OF_FIELDS; field++) {
            assert_true(got.numbers[field] == sent.numbers[field]);
            assert_true(sg_slice_equal(got.bytes[field], sent.bytes[field]));
        }
    }
}

static void test_absent_fields_say_nothing(void **state)
{
    struct sg_message message = {.type = SG_WIRE_ANSWER, .id = 7}, got = {0};
    sg_auto(sg_buf) struct sg_buf frame = {0};
    struct sg_error error = {0};

    (void)state;
    sg_message_set_number(&message, SG_WIRE_STATUS, 204);
    sg_message_set_text(&message, SG_WIRE_RULE, NULL);
    encode(&message, &frame);
    assert_true(sg_message_decode(sg_buf_slice(&frame), SG_WIRE_ISSUER, &got, &error));
    assert_true(sg_message_number(&got, SG_WIRE_STATUS) == 204);
    assert_true(sg_message_number(&got, SG_WIRE_MAX_AGE) == 0);
    assert_null(sg_message_text(&got, SG_WIRE_RULE));
}

static void test_longest_frame_is_bounded(void **state)
{
    (void)state;
    for (unsigned type = 1; type < SG_WIRE_END_OF_TYPES; type++)
        assert_true(SG_WIRE_HEADER + sg_wire_max(type) <= SG_WIRE_FRAME_MAX);
}

/* ---- what is not a message ---- */

/* A frame of the test's own: header, then fields as they are given. */
static size_t frame_of(uint8_t *at, unsigned version, unsigned type, const void *fields, size_t len)
{
    memset(at, 0, SG_WIRE_HEADER);
    at[0] = (uint8_t)version;
    at[1] = (uint8_t)type;
    at[6] = (uint8_t)(len >> 8);
    at[7] = (uint8_t)len;
    if (len > 0)
        memcpy(at + SG_WIRE_HEADER, fields, len);
    return SG_WIRE_HEADER + len;
}

#define FIELDS(text) text, sizeof text - 1

static void test_malformed_frames(void **state)
{
    static const struct {
        const char *name;
        unsigned version, type;
        const char *fields;
        size_t len;
        const char *says;
    } CASES[] = {
        {"another version", 2, SG_WIRE_HELLO,
         FIELDS("\1\0\0\0\2"
                "a"),
         "restart both"},
        {"unknown type", 1, 77, FIELDS(""), "no message of type 77"},
        {"type zero", 1, 0, FIELDS(""), "no message of type 0"},
        {"the other side's", 1, SG_WIRE_PUBLISHED, FIELDS(""), "no message of type 4"},
        {"missing field", 1, SG_WIRE_HELLO, FIELDS(""), "lacks its program"},
        {"foreign field", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\2a\0\6\0\0\0\1b"),
         "can't have its body"},
        {"unknown field", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\2a\0\176\0\0\0\1b"), "does not exist"},
        {"field twice", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\2a\0\1\0\0\0\2b\0"), "out of order"},
        {"cut in a header", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\2a\0\2\0"), "ends inside a field"},
        {"cut in a value", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\3a\0"), "ends inside a field"},
        {"huge length", 1, SG_WIRE_HELLO, FIELDS("\1\377\377\377\377a\0"), "ends inside a field"},
        {"text without end", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\2ab"), "has no end"},
        {"empty text field", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\0"), "has no end"},
        {"zero octet inside", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\3\0b\0"), "is no text"},
        {"control character", 1, SG_WIRE_HELLO, FIELDS("\1\0\0\0\3\33b\0"), "is no text"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint8_t frame[256];
        struct sg_message got = {0};
        struct sg_error error = {0};
        size_t len =
            frame_of(frame, CASES[i].version, CASES[i].type, CASES[i].fields, CASES[i].len);

        if (sg_message_decode(sg_slice_of(frame, len), SG_WIRE_FRONT, &got, &error))
            fail_msg("%s: decoded", CASES[i].name);
        assert_int_equal(error.code, SG_MALFORMED);
        if (strstr(error.text, CASES[i].says) == NULL)
            fail_msg("%s: said '%s'", CASES[i].name, error.text);
        assert_int_equal(got.has, 0);
    }
}

/* The length is judged from the header alone, before anything is kept for it. */
static void test_too_long_is_known_at_once(void **state)
{
    uint8_t header[SG_WIRE_HEADER] = {SG_WIRE_VERSION, SG_WIRE_HELLO, 0, 0, 0, 0, 1, 0};
    struct sg_error error = {0};
    size_t len = 99;

    (void)state;
    assert_true(
        sg_wire_frame_len(sg_slice_of(header, SG_WIRE_HEADER - 1), SG_WIRE_FRONT, &len, &error));
    assert_int_equal(len, 0);
    assert_false(
        sg_wire_frame_len(sg_slice_of(header, SG_WIRE_HEADER), SG_WIRE_FRONT, &len, &error));
    assert_int_equal(error.code, SG_MALFORMED);
    header[6] = 0;
    header[7] = 7;
    sg_error_clear(&error);
    assert_true(
        sg_wire_frame_len(sg_slice_of(header, SG_WIRE_HEADER), SG_WIRE_FRONT, &len, &error));
    assert_int_equal(len, SG_WIRE_HEADER + 7);
}

/* Whatever bit of a message is flipped: it is another message of the table, or none. */
static void test_flipped_bits(void **state)
{
    const struct sg_message sent = full_message(SG_WIRE_ENROLL);
    sg_auto(sg_buf) struct sg_buf frame = {0};
    size_t num_refused = 0;

    (void)state;
    encode(&sent, &frame);
    for (size_t bit = 0; bit < frame.len * 8; bit++) {
        sg_auto(sg_buf) struct sg_buf again = {0};
        struct sg_message got = {0};
        struct sg_error error = {0};

        frame.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (!sg_message_decode(sg_buf_slice(&frame), SG_WIRE_FRONT, &got, &error))
            num_refused++;
        else {
            assert_true(sg_message_encode(&got, SG_WIRE_FRONT, &again, &error));
            assert_true(sg_slice_equal(sg_buf_slice(&again), sg_buf_slice(&frame)));
        }
        frame.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(num_refused > frame.len);
}

static void test_what_is_not_sent(void **state)
{
    char long_text[80];
    struct sg_message message = {.type = SG_WIRE_HELLO};
    struct sg_buf frame = {0};
    struct sg_error error = {0};

    (void)state;
    assert_false(sg_message_encode(&message, SG_WIRE_FRONT, &frame, &error));
    assert_int_equal(error.code, SG_INTERNAL);
    sg_message_set_text(&message, SG_WIRE_PROGRAM, "1");
    assert_false(sg_message_encode(&message, SG_WIRE_ISSUER, &frame, NULL));
    message.id = 1;
    assert_false(sg_message_encode(&message, SG_WIRE_FRONT, &frame, NULL));
    message.id = 0;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    sg_message_set_text(&message, SG_WIRE_PROGRAM, long_text);
    assert_false(sg_message_encode(&message, SG_WIRE_FRONT, &frame, NULL));
    long_text[63] = '\0';
    sg_message_set_text(&message, SG_WIRE_PROGRAM, long_text);
    assert_null(frame.data);
    assert_true(sg_message_encode(&message, SG_WIRE_FRONT, &frame, NULL));
    sg_wire_wipe(&frame);
    assert_null(frame.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_comes_back),
        cmocka_unit_test(test_absent_fields_say_nothing),
        cmocka_unit_test(test_longest_frame_is_bounded),
        cmocka_unit_test(test_malformed_frames),
        cmocka_unit_test(test_too_long_is_known_at_once),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_what_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
