/* pipeline: many requests down the path at once, for a line that pushes them by the thousand.
 *
 * Workers prepare and sign; the caller's thread claims and records, a group at a time, so that
 * while one group is on the token the next is being prepared and the one before is made durable.
 * Requests are answered in the order in which they came. The path and its invariants are those of
 * issue.h. Thread rule: started, run and stopped by one thread, the home's; sg_pipeline_wake by
 * any.
 */
#ifndef SG_ISSUE_PIPELINE_H
#define SG_ISSUE_PIPELINE_H

#include "issue.h"

struct sg_pipeline;

/* sg_pipeline_start starts the workers, each with a handle of its own on the registry.
 * num_workers   0: one for each processor that this process may use.
 * issuing       borrowed until sg_pipeline_stop. */
SG_MUST_USE bool sg_pipeline_start(const struct sg_issuing *issuing, unsigned num_workers,
                                   struct sg_pipeline **pipeline, struct sg_error *error);
void sg_pipeline_stop(struct sg_pipeline *pipeline);

typedef struct sg_pipeline sg_pipeline;
SG_DEFINE_CLEANUP(sg_pipeline, sg_pipeline_stop)

/* Where requests come from and where answers go. Both are called on the thread that runs the
 * pipeline; false ends the run, once what was claimed is recorded and answered. */
struct sg_pipeline_ends {
    /* pull fills the next jobs (their `in` part) and tells how many; the rest stay zero.
     * num   0 with end unset: nothing is there at this moment; the run goes on with what it has,
     * and asks again when a group is done or sg_pipeline_wake is called. end   set when no more
     * will come. What is borrowed must live until the job is answered. */
    bool (*pull)(void *context, struct sg_job *jobs, size_t max, size_t *num, bool *end,
                 struct sg_error *error);
    /* admit sees each request that came up to its claim, in order; false refuses it, for error, or
     * ends its way with no verdict when it leaves error empty. NULL: all are admitted. */
    bool (*admit)(void *context, struct sg_job *job, struct sg_error *error);
    /* answer is given each group in order, durable by then; the jobs are released after it. */
    bool (*answer)(void *context, const struct sg_job *jobs, size_t num, struct sg_error *error);
    void *context;
};

/* sg_pipeline_run takes requests from pull down the path until its end, and answers each.
 * Fails: SG_STORE as sg_issue does, and whatever an end fails with; every job that was pulled was
 * answered then, unless answer itself failed: its certificates are recorded and can be asked for
 * again. After the token has failed the jobs are answered "not tried". */
SG_MUST_USE bool sg_pipeline_run(struct sg_pipeline *pipeline, const struct sg_pipeline_ends *ends,
                                 struct sg_error *error);

/* sg_pipeline_wake makes a run that waits ask pull again. */
void sg_pipeline_wake(struct sg_pipeline *pipeline);

#endif
