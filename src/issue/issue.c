#include "issue.h"

#include "cert/cert.h"
#include "request/request.h"
#include "steps.h"

static const char *const STEP_WORDS[SG_NUM_STEPS] = {
    [SG_STEP_PARSED] = "parsed",
    [SG_STEP_POSSESSION] = "possession",
    [SG_STEP_KEY_QUALITY] = "key-quality",
    [SG_STEP_AUTHENTICATED] = "authenticated",
    [SG_STEP_DECIDED] = "decided",
    [SG_STEP_SERIAL] = "serial",
    [SG_STEP_BUILT] = "built",
    [SG_STEP_LINTED] = "linted",
    [SG_STEP_CLAIMED] = "claimed",
    [SG_STEP_SIGNED] = "signed",
    [SG_STEP_VERIFIED] = "verified",
    [SG_STEP_RECORDED] = "recorded",
};

const char *sg_issue_step_word(enum sg_issue_step step)
{
    return STEP_WORDS[step];
}

/* Always true, so that it can stand between the steps of a list. */
static bool passed(const struct sg_issuing *issuing, enum sg_issue_step step)
{
    if (issuing->after_step != NULL)
        issuing->after_step(step, issuing->step_context);
    return true;
}

static bool decide(const struct sg_issuing *issuing, struct sg_job *job)
{
    struct sg_decision_input input = sg_issue_decision_input(issuing, job);

    if (!sg_policy_decide(issuing->policy, &input, &job->plan, &job->error))
        return false;
    sg_name_text(&job->plan.subject, job->subject, sizeof job->subject);
    return true;
}

static bool build(const struct sg_issuing *issuing, struct sg_job *job)
{
    return sg_cert_build(&job->plan, &issuing->issuer->facts, &job->request.key, &job->serial,
                         &job->tbs, &job->error) &&
           sg_cert_content_sha256(sg_buf_slice(&job->tbs), job->content_sha256, &job->error);
}

/* The first half of the path, where a request can be refused at no cost: nothing is written and
 * the token is not touched. */
static bool prepare(const struct sg_issuing *issuing, struct sg_job *job)
{
    struct sg_error *error = &job->error;
    int64_t now = sg_clock_now(&issuing->clock);

    return sg_issue_parse(issuing, job, error) && passed(issuing, SG_STEP_PARSED) &&
           sg_request_check_possession(&job->request, error) &&
           sg_request_check_challenge(&job->request, job->challenge, error) &&
           passed(issuing, SG_STEP_POSSESSION) &&
           sg_request_check_key_quality(&job->request.key, error) &&
           passed(issuing, SG_STEP_KEY_QUALITY) && sg_issue_authenticate(issuing, job, error) &&
           passed(issuing, SG_STEP_AUTHENTICATED) && decide(issuing, job) &&
           passed(issuing, SG_STEP_DECIDED) && sg_issue_draw_serial(now, &job->serial, error) &&
           passed(issuing, SG_STEP_SERIAL) && build(issuing, job) &&
           passed(issuing, SG_STEP_BUILT) &&
           sg_lint(sg_buf_slice(&job->tbs), &issuing->issuer->facts, error) &&
           passed(issuing, SG_STEP_LINTED);
}

static void describe_claim(const struct sg_issuing *issuing, struct sg_job *job,
                           struct sg_claim *claim)
{
    *claim = (struct sg_claim){
        .issuer = issuing->issuer->id,
        .plan = &job->plan,
        .requester = &job->requester,
        .serial = &job->serial,
        .subject = job->subject,
        .spki_sha256 = job->request.key.sha256,
        .content_sha256 = job->content_sha256,
        .tbs = sg_buf_slice(&job->tbs),
        .register_device = job->register_device ? &job->requester.device : NULL,
        .now = sg_clock_now(&issuing->clock),
    };
}

/* What the store answered becomes the job's; claims' own memory moves or is released. */
static void adopt_claim(struct sg_claim *claim, struct sg_job *job)
{
    if (claim->outcome == SG_CLAIM_NEW)
        job->claim = claim->id;
    else if (claim->outcome == SG_CLAIM_REFUSED)
        job->error = claim->error;
    else {
        job->outcome = SG_JOB_REPEATED;
        job->serial = claim->existing.serial;
        job->certificate = claim->existing.der;
        claim->existing.der = (struct sg_buf){0};
    }
    sg_certificate_done(&claim->existing);
}

/* One durable write for the group: from here on a crash leaves claims, which count as revoked. */
static bool claim_group(const struct sg_issuing *issuing, struct sg_job **jobs, size_t num,
                        struct sg_error *error)
{
    struct sg_claim claims[SG_LIMIT_GROUP];

    for (size_t i = 0; i < num; i++)
        describe_claim(issuing, jobs[i], &claims[i]);
    if (!sg_store_claim(sg_home_store(issuing->home), claims, num, error))
        return false;
    for (size_t i = 0; i < num; i++)
        adopt_claim(&claims[i], jobs[i]);
    return passed(issuing, SG_STEP_CLAIMED);
}

/* The signature is checked with the issuer's public key from memory: a token that signed wrongly,
 * or with another key, is found out before anything is recorded. */
static bool sign(const struct sg_issuing *issuing, struct sg_job *job)
{
    const struct sg_issuer_facts *issuer = &issuing->issuer->facts;
    struct sg_slice tbs = sg_buf_slice(&job->tbs);
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_error *error = &job->error;

    return sg_signer_sign(issuing->issuer->signer, issuer->scheme, tbs, &signature, error) &&
           passed(issuing, SG_STEP_SIGNED) &&
           sg_signer_check_signature(issuer->scheme, &issuer->key, tbs, sg_buf_slice(&signature),
                                     error) &&
           sg_cert_attach(tbs, issuer->scheme, sg_buf_slice(&signature), &job->certificate,
                          error) &&
           passed(issuing, SG_STEP_VERIFIED);
}

/* The token, or how it was asked, is at fault: the next signature would fail as this one did, and
 * each may take the token's whole timeout. */
static bool stops_signing(enum sg_code code)
{
    return code == SG_TOKEN || code == SG_PIN || code == SG_USAGE;
}

static void leave_untried(struct sg_job *job, const struct sg_error *why)
{
    job->error = *why;
    sg_error_prefix(&job->error, "not tried");
}

/* stopped  why nothing is signed any more in this run; no cause until then. */
static bool try_to_sign(const struct sg_issuing *issuing, struct sg_job *job,
                        struct sg_error *stopped)
{
    if (stopped->code != SG_OK) {
        leave_untried(job, stopped);
        return false;
    }
    if (sign(issuing, job))
        return true;
    if (stops_signing(job->error.code))
        *stopped = job->error;
    return false;
}

static bool record(const struct sg_issuing *issuing, struct sg_job **jobs, size_t num,
                   struct sg_error *error)
{
    int64_t ids[SG_LIMIT_GROUP];
    struct sg_slice ders[SG_LIMIT_GROUP];

    for (size_t i = 0; i < num; i++) {
        ids[i] = jobs[i]->claim;
        ders[i] = sg_buf_slice(&jobs[i]->certificate);
    }
    if (!sg_store_record(sg_home_store(issuing->home), ids, ders, num,
                         sg_clock_now(&issuing->clock), error))
        return false;
    for (size_t i = 0; i < num; i++)
        jobs[i]->outcome = SG_JOB_ISSUED;
    return true;
}

/* The store refuses a certificate that was revoked, or given up for dead, while it was being
 * signed. That is its own fate and not its group's. */
static bool record_each(const struct sg_issuing *issuing, struct sg_job **jobs, size_t num,
                        struct sg_error *error)
{
    for (size_t i = 0; i < num; i++) {
        if (record(issuing, &jobs[i], 1, &jobs[i]->error))
            continue;
        if (!sg_code_is_refusal(jobs[i]->error.code)) {
            *error = jobs[i]->error;
            return false;
        }
    }
    return true;
}

static bool record_group(const struct sg_issuing *issuing, struct sg_job **jobs, size_t num,
                         struct sg_error *error)
{
    struct sg_error why = {0};

    if (num == 0)
        return true;
    if (!record(issuing, jobs, num, &why)) {
        if (!sg_code_is_refusal(why.code)) {
            *error = why;
            return false;
        }
        if (!record_each(issuing, jobs, num, error))
            return false;
    }
    return passed(issuing, SG_STEP_RECORDED);
}

/* A claim that came to no record is an orphan at once, or, if the store has gone too, when this
 * process ends. Its certificate does not leave, and what went wrong first is what the caller hears;
 * why says it where the job does not. */
static void abandon_unrecorded(const struct sg_issuing *issuing, struct sg_job **jobs, size_t num,
                               const struct sg_error *why)
{
    struct sg_job *abandoned[SG_LIMIT_GROUP];
    int64_t ids[SG_LIMIT_GROUP];
    size_t num_abandoned = 0;
    struct sg_error ignored = {0};

    for (size_t i = 0; i < num; i++) {
        if (jobs[i]->claim == 0 || jobs[i]->outcome != SG_JOB_REFUSED)
            continue;
        sg_buf_free(&jobs[i]->certificate);
        if (jobs[i]->error.code == SG_OK)
            jobs[i]->error = *why;
        ids[num_abandoned] = jobs[i]->claim;
        abandoned[num_abandoned++] = jobs[i];
    }
    if (num_abandoned == 0 ||
        sg_store_abandon(sg_home_store(issuing->home), ids, num_abandoned, &ignored))
        return;
    for (size_t i = 0; i < num_abandoned; i++)
        sg_error_prefix(&abandoned[i]->error, "the claim stays open until this process ends");
}

/* The second half of the path, for a group that shares its durable writes. */
static bool issue_prepared(const struct sg_issuing *issuing, struct sg_job **jobs, size_t num,
                           struct sg_error *stopped, struct sg_error *error)
{
    struct sg_job *signed_jobs[SG_LIMIT_GROUP];
    size_t num_signed = 0;

    if (num == 0)
        return true;
    if (!claim_group(issuing, jobs, num, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        if (jobs[i]->claim == 0)
            continue; /* refused, or answered with an earlier certificate */
        if (try_to_sign(issuing, jobs[i], stopped))
            signed_jobs[num_signed++] = jobs[i];
    }
    bool recorded = record_group(issuing, signed_jobs, num_signed, error);
    abandon_unrecorded(issuing, jobs, num, error);
    return recorded;
}

static bool issue_group(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                        struct sg_error *stopped, struct sg_error *error)
{
    struct sg_job *prepared[SG_LIMIT_GROUP];
    size_t num_prepared = 0;

    for (size_t i = 0; i < num; i++) {
        if (!prepare(issuing, &jobs[i]))
            continue;
        if (stopped->code != SG_OK)
            leave_untried(&jobs[i], stopped); /* without a claim that nobody could sign */
        else
            prepared[num_prepared++] = &jobs[i];
    }
    return issue_prepared(issuing, prepared, num_prepared, stopped, error);
}

bool sg_issue(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
              struct sg_error *error)
{
    struct sg_error stopped = {0}, why = {0};
    bool whole = true;

    for (size_t from = 0; whole && from < num; from += SG_LIMIT_GROUP) {
        size_t group = num - from < SG_LIMIT_GROUP ? num - from : SG_LIMIT_GROUP;

        whole = issue_group(issuing, jobs + from, group, &stopped, &why);
    }
    if (whole)
        return true;
    for (size_t i = 0; i < num; i++)
        if (jobs[i].outcome == SG_JOB_REFUSED && jobs[i].error.code == SG_OK)
            leave_untried(&jobs[i], &why);
    *error = why;
    return false;
}

void sg_job_done(struct sg_job *job)
{
    sg_request_done(&job->request);
    sg_requester_done(&job->requester);
    sg_plan_done(&job->plan);
    sg_buf_free(&job->tbs);
    sg_buf_free(&job->certificate);
}
