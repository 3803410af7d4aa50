#include "outcome.h"

#include <stdio.h>

#include "base/text.h"

static const char *const WORDS[] = {
    [SG_LINE_ISSUED] = "issued",           [SG_LINE_REPEATED] = "already there",
    [SG_LINE_REFUSED] = "refused",         [SG_LINE_UNSERVED] = "not served",
    [SG_LINE_CHECKED] = "would be issued",
};

const char *sg_outcome_word(enum sg_line_outcome outcome)
{
    return WORDS[outcome];
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

json_t *sg_outcome_json(const struct sg_served *served)
{
    char message[SG_ERROR_TEXT_SIZE];

    /* cut to its size, it may end within a character */
    snprintf(message, sizeof message, "%s", served->error->text);
    sg_text_make_printable(message);
    return json_pack("{s:I, s:s, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)served->number,
                     "input", served->input, "device", text_or_null(served->device), "outcome",
                     sg_outcome_word(served->outcome), "serial", text_or_null(served->serial),
                     "rule", text_or_null(served->error->rule), "message", text_or_null(message));
}
