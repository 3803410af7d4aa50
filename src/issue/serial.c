#include "steps.h"

bool sg_issue_draw_serial(int64_t now, struct sg_serial *serial, struct sg_error *error)
{
    struct sg_serial drawn = {.len = SG_LIMIT_SERIAL};
    int64_t minutes = now / 60;

    /* The first octet is between 1 and 127 from 2001 to 6053, so the number is positive and its
     * encoding minimal. A clock outside of that would break both: it gets the nearest. */
    if (minutes < 1 << 24)
        minutes = 1 << 24;
    if (minutes > INT32_MAX)
        minutes = INT32_MAX;
    for (unsigned i = 0; i < 4; i++)
        drawn.bytes[i] = (uint8_t)(minutes >> (24 - 8 * i));
    if (!sg_random_fill(drawn.bytes + 4, SG_LIMIT_SERIAL - 4, error))
        return false;
    *serial = drawn;
    return true;
}
