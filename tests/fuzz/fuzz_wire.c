#include <stdlib.h>

#include "base/cleanup.h"
#include "target.h"
#include "wire/wire.h"

/* What is read as a message is the message that its fields make; an abort is a finding. */
static void read_from(struct sg_slice bytes, enum sg_wire_side side)
{
    sg_auto(sg_buf) struct sg_buf again = {0};
    struct sg_message message = {0};
    struct sg_error error = {0};
    size_t len = 0;

    if (!sg_wire_frame_len(bytes, side, &len, &error)) {
        if (error.code != SG_MALFORMED)
            abort();
        return;
    }
    if (len > SG_WIRE_FRAME_MAX)
        abort();
    if (!sg_message_decode(bytes, side, &message, &error)) {
        if (error.code != SG_MALFORMED || message.has != 0)
            abort();
        return;
    }
    if (!sg_message_encode(&message, side, &again, &error) ||
        !sg_slice_equal(sg_buf_slice(&again), bytes))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_from(sg_slice_of(data, size), SG_WIRE_FRONT);
    read_from(sg_slice_of(data, size), SG_WIRE_ISSUER);
    return 0;
}
