#include "cert/cert.h"
#include "request/request.h"
#include "steps.h"

#include <string.h>

/* The verdicts so far; grows by one at a time, as a request has a dozen or two. */
struct verdicts {
    struct sg_verdict *items;
    size_t num;
    bool nobody; /* who asks was refused */
};

static bool add_verdict(struct verdicts *verdicts, const char *rule, const struct sg_error *why,
                        const char *text, struct sg_error *error)
{
    struct sg_verdict *grown = realloc(verdicts->items, (verdicts->num + 1) * sizeof *grown);

    if (grown == NULL)
        return sg_fail_memory(error);
    verdicts->items = grown;
    struct sg_verdict *verdict = &grown[verdicts->num++];
    *verdict = (struct sg_verdict){.passed = why == NULL};
    snprintf(verdict->rule, sizeof verdict->rule, "%s", rule);
    snprintf(verdict->text, sizeof verdict->text, "%s", why != NULL ? why->text : text);
    return true;
}

static bool add_skipped(struct verdicts *verdicts, const char *rule, const char *text,
                        struct sg_error *error)
{
    if (!add_verdict(verdicts, rule, NULL, text, error))
        return false;
    verdicts->items[verdicts->num - 1].passed = false;
    verdicts->items[verdicts->num - 1].skipped = true;
    return true;
}

/* What the policy said about a rule is taken back, as the store knows more. */
static void drop_verdict(struct verdicts *verdicts, const char *rule)
{
    size_t kept = 0;

    for (size_t i = 0; i < verdicts->num; i++)
        if (strcmp(verdicts->items[i].rule, rule) != 0)
            verdicts->items[kept++] = verdicts->items[i];
    verdicts->num = kept;
}

/* The verdict on a step: its error if it failed, else what it found. What is the machine's fault
 * is no verdict. */
static bool add_step(struct verdicts *verdicts, const char *rule, bool step_passed,
                     const struct sg_error *why, const char *text, struct sg_error *error)
{
    if (!step_passed && !sg_code_is_refusal(why->code)) {
        *error = *why;
        return false;
    }
    return add_verdict(verdicts, rule, step_passed ? NULL : why, text, error);
}

/* A request without a challenge, of which none is wanted, gets no verdict. */
static bool check_challenge(struct sg_job *job, struct verdicts *verdicts, struct sg_error *error)
{
    struct sg_error why = {0};
    bool same = sg_request_check_challenge(&job->request, job->challenge, &why);

    if (same && !job->request.has_challenge)
        return true;
    return add_step(verdicts, "challenge", same, &why,
                    job->challenge != NULL ? "the request repeats the challenge"
                                           : "there is one, with nothing to compare it with",
                    error);
}

static const char *request_text(const struct sg_request *request)
{
    if (request->format == SG_REQUEST_SPKAC)
        return "an SPKAC";
    return request->version == X509_REQ_VERSION_1 ? "a PKCS#10 request of version 1"
                                                  : "a PKCS#10 request that calls itself version 3";
}

static bool check_key(struct sg_job *job, struct verdicts *verdicts, struct sg_error *error)
{
    struct sg_error why = {0};
    char kind[SG_KEY_KIND_TEXT_SIZE];
    bool possessed = sg_request_check_possession(&job->request, &why);

    if (!add_step(verdicts, "possession", possessed, &why,
                  "the request is signed by the key inside it", error))
        return false;
    sg_error_clear(&why);
    bool good = sg_request_check_key_quality(&job->request.key, &why);
    return add_step(verdicts, "key quality", good, &why,
                    sg_key_kind_text(job->request.key.kind, kind), error);
}

static bool check_policy(const struct sg_issuing *issuing, struct sg_job *job,
                         struct verdicts *verdicts, struct sg_error *error)
{
    struct sg_decision_input input = sg_issue_decision_input(issuing, job);
    sg_auto(malloc) struct sg_verdict *more = NULL;
    size_t num = 0;

    if (!sg_policy_check(issuing->policy, &input, &more, &num, error))
        return false;
    struct sg_verdict *grown = realloc(verdicts->items, (verdicts->num + num + 1) * sizeof *grown);
    if (grown == NULL)
        return sg_fail_memory(error);
    if (num > 0)
        memcpy(grown + verdicts->num, more, num * sizeof *more);
    verdicts->items = grown;
    verdicts->num += num;
    return true;
}

/* What the requester's certificates under the policy mean for another one. */
struct rivals {
    const struct sg_issuing *issuing;
    const struct sg_job *job;
    int64_t now;
    bool again;          /* one of them is what the request would get: it gets it again */
    struct sg_error why; /* the first that is in the way */
    char text[SG_ERROR_TEXT_SIZE];
};

/* Does certificate say what the plan does, but for serial and validity? */
static bool has_same_content(const struct rivals *rivals, const struct sg_certificate *certificate,
                             bool *same, struct sg_error *error)
{
    const struct sg_job *job = rivals->job;
    uint8_t wanted[SG_SHA256_LEN], found[SG_SHA256_LEN];
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    sg_auto(X509) X509 *decoded = NULL;
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len;

    if (!sg_certificate_is_here(certificate, error) ||
        !sg_cert_build(&job->plan, &rivals->issuing->issuer->facts, &job->request.key,
                       &certificate->serial, &tbs, error) ||
        !sg_cert_content_sha256(sg_buf_slice(&tbs), wanted, error) ||
        !sg_cert_read(sg_buf_slice(&certificate->der), "the store", &decoded, error))
        return false;
    if ((len = i2d_re_X509_tbs(decoded, &bytes)) <= 0)
        return sg_fail_memory(error);
    if (!sg_cert_content_sha256(sg_slice_of(bytes, (size_t)len), found, error))
        return false;
    *same = memcmp(wanted, found, SG_SHA256_LEN) == 0;
    return true;
}

static bool judge_valid(struct rivals *rivals, const struct sg_certificate *certificate,
                        struct sg_error *error)
{
    const struct sg_plan *plan = &rivals->job->plan;
    char serial[SG_SERIAL_TEXT_SIZE], until[SG_TIME_TEXT_SIZE];
    bool same_key =
        memcmp(certificate->spki_sha256, rivals->job->request.key.sha256, SG_SHA256_LEN) == 0;
    bool same = false;

    sg_serial_text(&certificate->serial, serial);
    sg_time_text(certificate->not_after, until);
    if (sg_plan_renews(plan, certificate->not_after, rivals->now)) {
        if (same_key && plan->same_key == SG_SAME_KEY_REFUSE)
            sg_fail(&rivals->why, SG_REFUSED, NULL,
                    "renewing certificate %s needs a new key, and the request has its key", serial);
        snprintf(rivals->text, sizeof rivals->text,
                 "certificate %s is valid until %s; this would renew it", serial, until);
        return true;
    }
    if (same_key && !has_same_content(rivals, certificate, &same, error))
        return false;
    rivals->again = rivals->again || same;
    if (same)
        snprintf(rivals->text, sizeof rivals->text,
                 "this very certificate was issued before: %s, valid until %s", serial, until);
    else
        sg_fail(&rivals->why, SG_REFUSED, NULL,
                "certificate %s is valid until %s; revoke it to replace it", serial, until);
    return true;
}

static bool judge_rival(const struct sg_certificate *certificate, void *context,
                        struct sg_error *error)
{
    struct rivals *rivals = context;
    char serial[SG_SERIAL_TEXT_SIZE];

    sg_serial_text(&certificate->serial, serial);
    switch (certificate->status) {
    case SG_STATUS_VALID:
        return judge_valid(rivals, certificate, error);
    case SG_STATUS_HELD:
        sg_fail(&rivals->why, SG_REFUSED, NULL,
                "certificate %s is on hold: release or revoke it first", serial);
        return true;
    case SG_STATUS_IN_FLIGHT:
        sg_fail(&rivals->why, SG_REFUSED, NULL,
                "certificate %s is being issued at this moment: try again shortly", serial);
        return true;
    case SG_STATUS_EXPIRED:
    case SG_STATUS_REVOKED:
    case SG_STATUS_ORPHANED:
        break;
    }
    return true;
}

/* What the claim would say, as things stand; only the claim itself can decide it. A plan that the
 * policy refused has been told about already. */
static bool check_unique(const struct sg_issuing *issuing, struct sg_job *job,
                         struct verdicts *verdicts, struct sg_error *error)
{
    struct sg_decision_input input = sg_issue_decision_input(issuing, job);
    struct rivals rivals = {.issuing = issuing,
                            .job = job,
                            .now = input.now,
                            .text = "no other valid certificate under this policy"};

    if (!sg_policy_decide(issuing->policy, &input, &job->plan, NULL) ||
        job->plan.unique == SG_UNIQUE_NONE)
        return true;
    bool by_device = job->plan.unique == SG_UNIQUE_DEVICE;
    const struct sg_certificate_filter filter = {
        .policy = job->plan.policy,
        .device = by_device ? job->requester.device.id : NULL,
        .user = by_device ? NULL : job->requester.user.id,
        .now = input.now,
    };
    if (!sg_store_each_certificate(sg_home_store(issuing->home), &filter, judge_rival, &rivals,
                                   error))
        return false;
    drop_verdict(verdicts, "unique");
    return add_step(verdicts, "unique", rivals.again || rivals.why.code == SG_OK, &rivals.why,
                    rivals.text, error);
}

static bool find_same(const struct sg_certificate *certificate, void *context,
                      struct sg_error *error)
{
    struct rivals *rivals = context;

    return rivals->again || has_same_content(rivals, certificate, &rivals->again, error);
}

/* Is there the certificate that the request would get? Without a plan nobody can tell. */
static bool is_there(const struct sg_issuing *issuing, const struct sg_job *job, bool *again,
                     struct sg_error *error)
{
    struct rivals rivals = {.issuing = issuing, .job = job};
    const struct sg_certificate_filter filter = {
        .policy = sg_policy_name(issuing->policy),
        .spki_sha256 = job->request.key.sha256,
        .only_status = true,
        .status = SG_STATUS_VALID,
        .now = sg_clock_now(&issuing->clock),
    };

    if (job->plan.policy == NULL)
        return true;
    if (!sg_store_each_certificate(sg_home_store(issuing->home), &filter, find_same, &rivals,
                                   error))
        return false;
    *again = rivals.again;
    return true;
}

static bool check_quota(const struct sg_issuing *issuing, const struct sg_job *job,
                        struct verdicts *verdicts, struct sg_error *error)
{
    const struct sg_quota quota = sg_policy_quota(issuing->policy);
    char text[SG_ERROR_TEXT_SIZE];
    struct sg_error why = {0};
    int64_t left = 0;
    bool again = false;

    if (quota.certificates == 0)
        return true;
    if (!sg_store_quota_left(sg_home_store(issuing->home), sg_policy_name(issuing->policy), quota,
                             sg_clock_now(&issuing->clock), &left, &why, error) ||
        (left == 0 && !is_there(issuing, job, &again, error)))
        return false;
    if (again)
        return add_verdict(verdicts, "quota", NULL, "none is left, and none is taken", error);
    snprintf(text, sizeof text, "%lld of %lld are left", (long long)left,
             (long long)quota.certificates);
    return add_step(verdicts, "quota", left > 0, &why, text, error);
}

/* What the store knows against the key; the claim asks again. What the key will be for follows from
 * the policy alone, whether or not it refuses the rest. */
static bool check_known_key(const struct sg_issuing *issuing, struct sg_job *job,
                            struct verdicts *verdicts, struct sg_error *error)
{
    const struct sg_requester *requester = &job->requester;
    const struct sg_key_question question = {
        .spki_sha256 = job->request.key.sha256,
        .device = requester->has_device ? requester->device.id : NULL,
        .user = requester->has_user ? requester->user.id : NULL,
        .for_ca = sg_policy_is_ca(issuing->policy),
        .for_ocsp = sg_policy_signs_ocsp(issuing->policy),
    };
    struct sg_error why = {0};

    if (!sg_store_judge_key(sg_home_store(issuing->home), &question, &why, error))
        return false;
    /* Another holder than nobody is no reason for another key. */
    if (verdicts->nobody && strcmp(why.rule, SG_RULE_ONE_HOLDER) == 0)
        return add_skipped(verdicts, "known key", "not looked at, as nobody is known to ask",
                           error);
    return add_step(verdicts, why.code != SG_OK ? why.rule : "known key", why.code == SG_OK, &why,
                    "nothing is known against this key", error);
}

static bool check_requester(const struct sg_issuing *issuing, struct sg_job *job,
                            struct verdicts *verdicts, struct sg_error *error)
{
    struct sg_error why = {0};
    char text[SG_ERROR_TEXT_SIZE] = "the operator";
    bool known = sg_issue_authenticate(issuing, job, &why);

    verdicts->nobody = !known;
    if (known && job->requester.has_device)
        snprintf(text, sizeof text, "device %.200s%s", job->requester.device.id,
                 job->register_device ? ", to be registered" : "");
    if (known && job->requester.has_user)
        snprintf(text, sizeof text, "user %.200s", job->requester.user.id);
    return add_step(verdicts, "requester", known, &why, text, error);
}

bool sg_issue_check(const struct sg_issuing *issuing, struct sg_job *job, struct sg_verdict **out,
                    size_t *num, struct sg_error *error)
{
    struct verdicts verdicts = {0};
    struct sg_error why = {0};
    bool parsed = sg_issue_parse(issuing, job, &why);
    bool done =
        add_step(&verdicts, "request", parsed, &why, request_text(&job->request), error) &&
        (!parsed || (check_key(job, &verdicts, error) && check_challenge(job, &verdicts, error) &&
                     check_requester(issuing, job, &verdicts, error) &&
                     check_known_key(issuing, job, &verdicts, error) &&
                     check_policy(issuing, job, &verdicts, error) &&
                     check_unique(issuing, job, &verdicts, error) &&
                     check_quota(issuing, job, &verdicts, error)));
    if (!done) {
        free(verdicts.items);
        return false;
    }
    *out = verdicts.items;
    *num = verdicts.num;
    return true;
}
