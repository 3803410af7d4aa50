#include <stdlib.h>
#include <string.h>

#include "service/api.h"
#include "target.h"

struct thing {
    const char *text;
    int64_t number;
    bool truth;
};

/* What is read has the length and the range that the table says; an abort is a finding. */
static void read_body(struct sg_slice bytes)
{
    static const struct sg_json_field FIELDS[] = {
        {"policy", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct thing, text), 1, 64},
        {"lifetime", SG_JSON_INTEGER, SG_JSON_OPTIONAL, offsetof(struct thing, number), 1, 900},
        {"asks_pin", SG_JSON_BOOL, SG_JSON_OPTIONAL, offsetof(struct thing, truth), 0, 0},
        {0},
    };
    sg_auto(json_t) json_t *object = NULL;
    struct thing thing = {.number = 1};
    struct sg_error error = {0};

    if (!sg_json_parse(bytes, SG_LIMIT_JSON, &object, &error)) {
        if (error.code != SG_MALFORMED)
            abort();
        return;
    }
    if (!sg_json_read(object, FIELDS, &thing, &error)) {
        if (error.code != SG_USAGE)
            abort();
        return;
    }
    if (thing.text == NULL || thing.text[0] == '\0' || strlen(thing.text) > 64 ||
        thing.number < 1 || thing.number > 900)
        abort();
}

static void read_target(struct sg_slice bytes)
{
    sg_auto(malloc) char *text = strndup((const char *)bytes.data, bytes.len);
    struct sg_api_call call = {0};
    struct sg_error error = {0};

    if (text == NULL || sg_api_target(text, &call, &error))
        return;
    if (error.code != SG_MALFORMED && call.status != 404)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t NONE[1] = {0};
    const struct sg_slice bytes = size > 0 ? sg_slice_of(data, size) : sg_slice_of(NONE, 0);

    read_body(bytes);
    read_target(bytes);
    return 0;
}
