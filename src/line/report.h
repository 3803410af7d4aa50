/* report: a line for each input, in its order: what became of it, and why. */
#ifndef SG_LINE_REPORT_H
#define SG_LINE_REPORT_H

#include "sink.h"

struct sg_report;

/* sg_report_open begins FILE.csv or FILE.jsonl. An earlier report of that name is replaced in the
 * end, another file only by force. path is borrowed.
 * Fails: SG_USAGE on another ending, SG_FAILED. */
SG_MUST_USE bool sg_report_open(const char *path, bool force, struct sg_report **report,
                                struct sg_error *error);
SG_MUST_USE bool sg_report_put(struct sg_report *report, const struct sg_served *served,
                               struct sg_error *error);
SG_MUST_USE bool sg_report_finish(struct sg_report *report, struct sg_error *error);
void sg_report_close(struct sg_report *report);

typedef struct sg_report sg_report;
SG_DEFINE_CLEANUP(sg_report, sg_report_close)

#endif
