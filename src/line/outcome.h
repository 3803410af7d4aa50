/* outcome: what became of an input, in words and as JSON. */
#ifndef SG_LINE_OUTCOME_H
#define SG_LINE_OUTCOME_H

#include <jansson.h>

#include "sink.h"

const char *sg_outcome_word(enum sg_line_outcome outcome);

/* sg_outcome_json: number, input, device, outcome, serial, rule, message. NULL: memory ran out. The
 * caller releases it. */
json_t *sg_outcome_json(const struct sg_served *served);

#endif
