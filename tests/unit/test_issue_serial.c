#include "expect.h"

#include "base/clock.h"
#include "issue/steps.h"

static uint32_t minutes_of(const struct sg_serial *serial)
{
    return (uint32_t)serial->bytes[0] << 24 | (uint32_t)serial->bytes[1] << 16 |
           (uint32_t)serial->bytes[2] << 8 | serial->bytes[3];
}

static void begins_with_the_time(void **state)
{
    static const struct {
        const char *name;
        int64_t now;
        uint32_t minutes;
    } CASES[] = {
        {"today", 1750000000, 29166666},
        {"a minute later", 1750000060, 29166667},
        {"2001, where the first octet becomes 1", INT64_C(60) << 24, 1 << 24},
        {"just before", (INT64_C(60) << 24) - 1, 1 << 24},
        {"1970", 0, 1 << 24},
        {"before 1970", -86400, 1 << 24},
        {"6053, where the sign would begin", INT64_C(60) << 31, INT32_MAX},
        {"the last moment of all", SG_TIME_NEVER, INT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_serial serial = {0};
        struct sg_error error = {0};

        expect_success(CASES[i].name, sg_issue_draw_serial(CASES[i].now, &serial, &error), &error);
        if (serial.len != SG_LIMIT_SERIAL)
            fail_msg("%s: %zu octets", CASES[i].name, serial.len);
        if (serial.bytes[0] < 1 || serial.bytes[0] > 127)
            fail_msg("%s: begins with %02x, so it is not positive, or not minimal", CASES[i].name,
                     serial.bytes[0]);
        if (minutes_of(&serial) != CASES[i].minutes)
            fail_msg("%s: begins with %u, not %u", CASES[i].name, minutes_of(&serial),
                     CASES[i].minutes);
    }
}

/* 128 bits after the time: over many draws each of them is seen as 0 and as 1. */
static void goes_on_random(void **state)
{
    uint8_t ones[SG_LIMIT_SERIAL] = {0}, zeros[SG_LIMIT_SERIAL] = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct sg_serial serial = {0};
        struct sg_error error = {0};

        expect_success("draw", sg_issue_draw_serial(1750000000, &serial, &error), &error);
        for (size_t j = 4; j < SG_LIMIT_SERIAL; j++) {
            ones[j] |= serial.bytes[j];
            zeros[j] |= (uint8_t)~serial.bytes[j];
        }
    }
    for (size_t j = 4; j < SG_LIMIT_SERIAL; j++)
        if (ones[j] != 0xff || zeros[j] != 0xff)
            fail_msg("octet %zu has bits that never change", j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_the_time),
        cmocka_unit_test(goes_on_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
