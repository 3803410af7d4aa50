/* progress: how far a run is, on standard error: a bar on a terminal, a line now and then
 * elsewhere.
 */
#ifndef SG_CLI_PROGRESS_H
#define SG_CLI_PROGRESS_H

#include "line/line.h"

/* Zero-initialise. */
struct sg_progress {
    bool is_begun, is_terminal, has_bar;
    int64_t begun_ms, said_ms;
};

void sg_progress_show(struct sg_progress *progress, const struct sg_line_counts *counts);
/* sg_progress_clear takes the bar away, for a line of text. */
void sg_progress_clear(struct sg_progress *progress);
/* sg_progress_sum says what was done in all. */
void sg_progress_sum(struct sg_progress *progress, const struct sg_line_counts *counts);

#endif
