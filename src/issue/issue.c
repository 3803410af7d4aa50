#include "issue.h"

#include <openssl/crypto.h>

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

/* An issuer that renews its own certificate keeps its name. */
static bool check_own_name(const struct sg_issuing *issuing, struct sg_job *job)
{
    sg_auto(X509_NAME) X509_NAME *subject = NULL;

    return job->own_subject == NULL ||
           (sg_name_encode(&job->plan.subject, &subject, &job->error) &&
            sg_home_check_issuer_name(sg_issue_registry(issuing), issuing->issuer, subject,
                                      &job->error));
}

static bool decide(const struct sg_issuing *issuing, struct sg_job *job)
{
    struct sg_decision_input input = sg_issue_decision_input(issuing, job);

    if (!sg_policy_decide(issuing->policy, &input, &job->plan, &job->error))
        return false;
    sg_name_text(&job->plan.subject, job->subject, sizeof job->subject);
    return true;
}

/* What makes a retry a retry. Where the key is another each time, that is the request. */
static bool digest_content(struct sg_job *job)
{
    if (job->key_maker == NULL)
        return sg_cert_content_sha256(sg_buf_slice(&job->tbs), job->content_sha256, &job->error);
    sg_sha256(job->bytes, job->content_sha256);
    return true;
}

static bool build(const struct sg_issuing *issuing, struct sg_job *job)
{
    return sg_cert_build(&job->plan, &issuing->issuer->facts, &job->request.key, &job->serial,
                         &job->tbs, &job->error) &&
           digest_content(job);
}

/* Who has no key yet can't prove to have it (RFC 7030 4.4.1). */
static bool check_possession(const struct sg_job *job, struct sg_error *error)
{
    return job->key_maker != NULL ||
           (sg_request_check_possession(&job->request, error) &&
            sg_request_check_challenge(&job->request, job->challenge, error));
}

static bool make_key(const struct sg_issuing *issuing, struct sg_job *job, struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key made = {0};

    if (job->key_maker == NULL)
        return true;
    if (!job->key_maker->make(job->key_maker, sg_issue_registry(issuing), job, &made, error))
        return false;
    sg_public_key_done(&job->request.key);
    job->request.key = made;
    made = (struct sg_public_key){0};
    return true;
}

/* The first half of the path, where a request can be refused at no cost: nothing is written and
 * the token is not touched. */
static bool reach_the_claim(const struct sg_issuing *issuing, struct sg_job *job)
{
    struct sg_error *error = &job->error;

    return sg_issue_parse(issuing, job, error) && passed(issuing, SG_STEP_PARSED) &&
           check_possession(job, error) && passed(issuing, SG_STEP_POSSESSION) &&
           sg_request_check_key_quality(&job->request.key, error) &&
           passed(issuing, SG_STEP_KEY_QUALITY) && sg_issue_authenticate(issuing, job, error) &&
           make_key(issuing, job, error) && passed(issuing, SG_STEP_AUTHENTICATED) &&
           decide(issuing, job) && check_own_name(issuing, job) &&
           passed(issuing, SG_STEP_DECIDED) &&
           sg_issue_draw_serial(job->now, &job->serial, error) && passed(issuing, SG_STEP_SERIAL) &&
           build(issuing, job) && passed(issuing, SG_STEP_BUILT) &&
           sg_lint_with_key(sg_buf_slice(&job->tbs), &issuing->issuer->facts, &job->request.key,
                            error) &&
           passed(issuing, SG_STEP_LINTED);
}

/* What holds for this job: a run of the service has requests under several policies. */
static struct sg_issuing issuing_of(const struct sg_issuing *issuing, const struct sg_job *job)
{
    struct sg_issuing own = *issuing;

    if (job->policy != NULL) {
        own.policy = job->policy;
        own.evidence = job->officer != NULL ? SG_BY_OFFICER : 0;
        own.operator_name = job->officer;
        own.device_from_cn = job->officer != NULL && job->device_from_cn;
    }
    return own;
}

bool sg_issue_prepare(const struct sg_issuing *issuing, struct sg_job *job)
{
    const struct sg_issuing own = issuing_of(issuing, job);

    job->stage = reach_the_claim(&own, job) ? SG_JOB_PREPARED : SG_JOB_ENDED;
    /* by the thread that made them, for which alone releasing many small pieces is cheap */
    sg_request_forget_decoded(&job->request);
    return job->stage == SG_JOB_PREPARED;
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
        .replace = issuing->replace,
        .replace_reason = issuing->replace_reason,
        .ticket = job->ticket,
        .renews = job->renews,
        .asked_by = job->asked_by,
        .request = job->bytes,
        .made_key = job->key_maker != NULL,
        .now = job->now, /* so that `claimed` tells what it was decided for */
    };
}

static void wait_for_approval(struct sg_job *job, const struct sg_claim *claim)
{
    char rule[SG_ERROR_RULE_SIZE];

    job->waits_for = claim->id;
    (void)snprintf(rule, sizeof rule, "policy %s: who", job->plan.policy);
    (void)sg_fail(&job->error, SG_REFUSED, rule,
                  "request %lld waits for the approval by %s (`signet request approve %lld`); then "
                  "the same request gets the certificate",
                  (long long)claim->id, job->plan.approver, (long long)claim->id);
}

/* What the store answered becomes the job's; claims' own memory moves or is released. */
static void adopt_claim(struct sg_claim *claim, struct sg_job *job)
{
    job->stage = claim->outcome == SG_CLAIM_NEW ? SG_JOB_CLAIMED : SG_JOB_ENDED;
    if (claim->outcome == SG_CLAIM_NEW)
        job->claim = claim->id;
    else if (claim->outcome == SG_CLAIM_REFUSED)
        job->error = claim->error;
    else if (claim->outcome == SG_CLAIM_WAITS)
        wait_for_approval(job, claim);
    else {
        job->outcome = SG_JOB_REPEATED;
        job->serial = claim->existing.serial;
        job->certificate = claim->existing.der;
        claim->existing.der = (struct sg_buf){0};
    }
    sg_certificate_done(&claim->existing);
}

/* Stops with the first that matters: the token, or how it was asked, is at fault; the next
 * signature would fail as this one did, and each may take the token's whole timeout. */
static void stop_signing(struct sg_stop *stop, const struct sg_error *why)
{
    int none = 0;

    if (why->code != SG_TOKEN && why->code != SG_PIN && why->code != SG_USAGE)
        return;
    if (!atomic_compare_exchange_strong(&stop->state, &none, SG_STOP_WRITING))
        return;
    stop->why = *why;
    atomic_store(&stop->state, SG_STOPPED);
}

static bool is_stopped(const struct sg_stop *stop)
{
    return atomic_load(&stop->state) == SG_STOPPED;
}

static void leave_untried(struct sg_job *job, const struct sg_error *why)
{
    job->error = *why;
    sg_error_prefix(&job->error, "not tried");
}

/* Those of a group that are at a stage. Returns how many. */
static size_t choose(struct sg_job *jobs, size_t num, enum sg_job_stage stage,
                     struct sg_job *chosen[SG_LIMIT_GROUP])
{
    size_t num_chosen = 0;

    for (size_t i = 0; i < num; i++)
        if (jobs[i].stage == stage)
            chosen[num_chosen++] = &jobs[i];
    return num_chosen;
}

/* One durable write for the group: from here on a crash leaves claims, which count as revoked. */
bool sg_issue_claim(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                    const struct sg_stop *stop, struct sg_error *error)
{
    struct sg_claim claims[SG_LIMIT_GROUP];
    struct sg_job *prepared[SG_LIMIT_GROUP];
    size_t num_prepared = choose(jobs, num, SG_JOB_PREPARED, prepared);

    if (is_stopped(stop)) { /* no claim that nobody could sign */
        for (size_t i = 0; i < num_prepared; i++)
            leave_untried(prepared[i], &stop->why);
        return true;
    }
    if (num_prepared == 0)
        return true;
    for (size_t i = 0; i < num_prepared; i++)
        describe_claim(issuing, prepared[i], &claims[i]);
    if (!sg_store_claim(sg_home_store(issuing->home), claims, num_prepared, error))
        return false;
    for (size_t i = 0; i < num_prepared; i++)
        adopt_claim(&claims[i], prepared[i]);
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

void sg_issue_sign(const struct sg_issuing *issuing, struct sg_job *job, struct sg_stop *stop)
{
    if (job->stage != SG_JOB_CLAIMED)
        return; /* refused, or answered with an earlier certificate */
    if (is_stopped(stop))
        leave_untried(job, &stop->why);
    else if (sign(issuing, job))
        job->stage = SG_JOB_SIGNED;
    else
        stop_signing(stop, &job->error);
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
static void abandon_unrecorded(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                               const struct sg_error *why)
{
    struct sg_job *abandoned[SG_LIMIT_GROUP];
    int64_t ids[SG_LIMIT_GROUP];
    size_t num_abandoned = 0;
    struct sg_error ignored = {0};

    for (size_t i = 0; i < num; i++) {
        if (jobs[i].claim == 0 || jobs[i].outcome != SG_JOB_REFUSED)
            continue;
        sg_buf_free(&jobs[i].certificate);
        if (jobs[i].error.code == SG_OK)
            jobs[i].error = *why;
        ids[num_abandoned] = jobs[i].claim;
        abandoned[num_abandoned++] = &jobs[i];
    }
    if (num_abandoned == 0 ||
        sg_store_abandon(sg_home_store(issuing->home), ids, num_abandoned, &ignored))
        return;
    for (size_t i = 0; i < num_abandoned; i++)
        sg_error_prefix(&abandoned[i]->error, "the claim stays open until this process ends");
}

bool sg_issue_record(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                     struct sg_error *error)
{
    struct sg_job *signed_jobs[SG_LIMIT_GROUP];
    size_t num_signed = choose(jobs, num, SG_JOB_SIGNED, signed_jobs);
    bool recorded = record_group(issuing, signed_jobs, num_signed, error);

    abandon_unrecorded(issuing, jobs, num, error);
    return recorded;
}

void sg_issue_give_up(struct sg_job *jobs, size_t num, const struct sg_error *why)
{
    for (size_t i = 0; i < num; i++)
        if (jobs[i].outcome == SG_JOB_REFUSED && jobs[i].error.code == SG_OK)
            leave_untried(&jobs[i], why);
}

static bool issue_group(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                        struct sg_stop *stop, struct sg_error *error)
{
    for (size_t i = 0; i < num; i++)
        sg_issue_prepare(issuing, &jobs[i]);
    if (!sg_issue_claim(issuing, jobs, num, stop, error))
        return false;
    for (size_t i = 0; i < num; i++)
        sg_issue_sign(issuing, &jobs[i], stop);
    return sg_issue_record(issuing, jobs, num, error);
}

bool sg_issue(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
              struct sg_error *error)
{
    struct sg_stop stop = {0};
    struct sg_error why = {0};
    bool whole = true;

    for (size_t from = 0; whole && from < num; from += SG_LIMIT_GROUP) {
        size_t group = num - from < SG_LIMIT_GROUP ? num - from : SG_LIMIT_GROUP;

        whole = issue_group(issuing, jobs + from, group, &stop, &why);
    }
    if (whole)
        return true;
    sg_issue_give_up(jobs, num, &why);
    *error = why;
    return false;
}

void sg_job_done(struct sg_job *job)
{
    sg_request_done(&job->request);
    sg_requester_done(&job->requester);
    free(job->asked_by);
    sg_plan_done(&job->plan);
    sg_buf_free(&job->tbs);
    sg_buf_free(&job->certificate);
    if (job->delivery.data != NULL)
        OPENSSL_cleanse(job->delivery.data, job->delivery.capacity);
    sg_buf_free(&job->delivery);
}
