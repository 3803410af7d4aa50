/* steps: the parts of the path that are this room's own; issue.c strings all of them together. */
#ifndef SG_ISSUE_STEPS_H
#define SG_ISSUE_STEPS_H

#include <stdatomic.h>

#include "issue.h"

/* ---- the path, in the four parts that a run puts together: issue.c one after the other,
 * pipeline.c side by side. Which part may be done by which thread: ---- */

/* Why nothing is signed any more in this run, from the first signature that failed for a reason
 * which the next would meet too. Zero-initialised; shared by the run's threads. */
struct sg_stop {
    _Atomic int state;
    struct sg_error why; /* to be read when stopped */
};
enum { SG_STOP_WRITING = 1, SG_STOPPED };

/* sg_issue_prepare takes a job up to its claim; false when it is refused. By any thread, whose
 * issuing has a registry of that thread's own. What was read of the request stays in the job, but no
 * OpenSSL object does, nor its key as one. */
bool sg_issue_prepare(const struct sg_issuing *issuing, struct sg_job *job);

/* sg_issue_claim claims what is prepared of one group (at most SG_LIMIT_GROUP), in one transaction.
 * By the store's thread. Fails: SG_STORE: nothing is claimed. */
SG_MUST_USE bool sg_issue_claim(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                                const struct sg_stop *stop, struct sg_error *error);

/* sg_issue_sign signs and verifies a job that is claimed, unless the run is stopped. By any thread.
 */
void sg_issue_sign(const struct sg_issuing *issuing, struct sg_job *job, struct sg_stop *stop);

/* sg_issue_record records what is signed of one group, in one transaction, and gives up its other
 * claims. By the store's thread. Fails: SG_STORE: no certificate of it leaves. */
SG_MUST_USE bool sg_issue_record(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                                 struct sg_error *error);

/* sg_issue_give_up tells the jobs that a broken run did not come to why. */
void sg_issue_give_up(struct sg_job *jobs, size_t num, const struct sg_error *why);

/* ---- steps of the first part ---- */

/* sg_issue_registry: the store in which this thread looks things up. */
struct sg_store *sg_issue_registry(const struct sg_issuing *issuing);

/* sg_issue_authenticate finds out who is asking: the registry's record of the device and the user,
 * and what vouches for them. Sets job->requester and job->register_device. A ticket or a
 * certificate says who asks; the operator may say the same, and nobody else. Fails: as
 * sg_issue_weigh_evidence; SG_UNAUTHENTICATED (the policy needs a device or user and none is named;
 * unknown; disabled), SG_REFUSED (a device that would be registered does not fit the registry),
 * SG_STORE. */
SG_MUST_USE bool sg_issue_authenticate(const struct sg_issuing *issuing, struct sg_job *job,
                                       struct sg_error *error);

/* sg_issue_weigh_evidence finds out what the job's evidence proves. Adds to
 * job->requester.evidence, and says whose it is; sets job->ticket, job->renews, job->asked_by and
 * job->requester.token. device, user     ids, malloc'd; NULL when there is no evidence but the
 * run's, or none of that kind. Fails: SG_UNAUTHENTICATED (rules "ticket", "PIN", "renewal"),
 * SG_REFUSED, SG_INVALID, SG_TOKEN, SG_STORE. */
SG_MUST_USE bool sg_issue_weigh_evidence(const struct sg_issuing *issuing, struct sg_job *job,
                                         char **device, char **user, struct sg_error *error);

/* sg_issue_draw_serial: 20 octets, positive: minutes since 1970 in four, so that an index over
 * serials grows at its end, then 128 random bits (RFC 5280 4.1.2.2). */
SG_MUST_USE bool sg_issue_draw_serial(int64_t now, struct sg_serial *serial,
                                      struct sg_error *error);

/* sg_issue_parse fills job->now, and job->request from its bytes or from the issuer's own key. */
SG_MUST_USE bool sg_issue_parse(const struct sg_issuing *issuing, struct sg_job *job,
                                struct sg_error *error);

/* sg_issue_decision_input: what the policy gets to see. */
struct sg_decision_input sg_issue_decision_input(const struct sg_issuing *issuing,
                                                 const struct sg_job *job);

#endif
