/* A certificate that an officer asks for: the path of every request, with the officer's word for
 * whose it is. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"
#include "cert/cert.h"

/* how long who waits for an approval shall wait before asking again */
enum { WAIT_S = 60 };

/* ---- asking ---- */

bool sg_api_find_policy(struct sg_api_call *call, const char *name, const struct sg_policy **policy,
                        struct sg_error *error)
{
    struct sg_error why = {0};

    if (!sg_home_policy(call->desk->home, name, policy, &why)) {
        if (why.code != SG_USAGE)
            return sg_error_pass(error, &why);
        return sg_api_refuse(call, 422, error, "policy", "there is no policy of that name");
    }
    return (!sg_policy_is_ca(*policy) && !sg_policy_is_self_signed(*policy)) ||
           sg_api_refuse(call, 403, error, "policy",
                         "policy %s makes CA certificates, which are never given out over the "
                         "network",
                         name);
}

static bool check_issuer(struct sg_api_call *call, struct sg_error *error)
{
    return call->desk->issuing.issuer != NULL ||
           sg_api_refuse(call, 409, error, "issuer",
                         "the service has no issuer that could be meant: without `est` in "
                         "signet.yaml it is the only active one");
}

static bool keep_challenge(struct sg_api_call *call, const char *text, struct sg_error *error)
{
    if (text == NULL)
        return true;
    if (!sg_secret_new(strlen(text), &call->challenge, error))
        return false;
    memcpy(sg_secret_data(call->challenge), text, strlen(text));
    return true;
}

struct wanted {
    const char *policy, *request, *device, *user, *challenge;
    bool device_from_cn;
};

bool sg_api_issue(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"policy", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct wanted, policy), 1, 64},
        {"request", SG_JSON_LINES, SG_JSON_REQUIRED, offsetof(struct wanted, request), 1,
         SG_LIMIT_REQUEST},
        {"device", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct wanted, device), 1,
         SG_LIMIT_VALUE},
        {"user", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct wanted, user), 1, SG_LIMIT_VALUE},
        {"device_from_cn", SG_JSON_BOOL, SG_JSON_OPTIONAL, offsetof(struct wanted, device_from_cn),
         0, 0},
        {"challenge", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct wanted, challenge), 1,
         SG_LIMIT_CHALLENGE},
        {0},
    };
    struct wanted wanted = {0};
    const struct sg_policy *policy = NULL;

    if (!sg_api_read(call, FIELDS, &wanted, error) ||
        !sg_api_find_policy(call, wanted.policy, &policy, error) || !check_issuer(call, error) ||
        !keep_challenge(call, wanted.challenge, error))
        return false;
    *call->job = (struct sg_job){
        .policy = policy,
        .bytes = sg_slice_text(wanted.request),
        .device = wanted.device,
        .user = wanted.user,
        .challenge = call->challenge,
        .officer = call->who->name,
        .device_from_cn = wanted.device_from_cn,
    };
    call->has_job = true;
    return true;
}

/* ---- answering ---- */

static bool tell_wait(struct sg_api_call *call, const struct sg_job *job, struct sg_error *error)
{
    (void)snprintf(call->said, sizeof call->said, "%s", job->error.text);
    call->retry_after = WAIT_S;
    return sg_api_reply(call, 202,
                        json_pack("{s:s, s:n, s:n, s:I, s:o, s:o}", "outcome", "waits", "serial",
                                  "pem", "waits_for", (json_int_t)job->waits_for, "rule",
                                  sg_json_text(job->error.rule), "detail",
                                  sg_json_text(job->error.text)),
                        error);
}

static bool tell_certificate(struct sg_api_call *call, const struct sg_job *job,
                             struct sg_error *error)
{
    const bool is_new = job->outcome == SG_JOB_ISSUED;
    sg_auto(sg_buf) struct sg_buf pem = {0};
    char serial[SG_SERIAL_TEXT_SIZE];

    if (!sg_cert_pem(sg_buf_slice(&job->certificate), "CERTIFICATE", &pem, error))
        return false;
    (void)snprintf(call->said, sizeof call->said, "certificate under policy %s was issued%s",
                   sg_policy_name(job->policy), is_new ? "" : " before");
    return sg_api_reply(
        call, is_new ? 201 : 200,
        json_pack("{s:s, s:s, s:s, s:n}", "outcome", is_new ? "issued" : "issued before", "serial",
                  sg_serial_text(&job->serial, serial), "pem", (const char *)pem.data, "waits_for"),
        error);
}

/* What a policy says no to is forbidden, be it the officer's word. A job's SG_USAGE is none of
 * whoever asked. 0: what goes with the code. */
static unsigned refused_as(const struct sg_error *why)
{
    const bool is_by_policy =
        why->code == SG_UNAUTHENTICATED && strncmp(why->rule, "policy ", strlen("policy ")) == 0;

    return why->code == SG_REFUSED || is_by_policy ? 403 : (why->code == SG_USAGE ? 500 : 0);
}

bool sg_api_tell_job(struct sg_api_call *call, const struct sg_job *job, struct sg_error *error)
{
    if (job->waits_for != 0)
        return tell_wait(call, job, error);
    if (job->outcome != SG_JOB_REFUSED)
        return tell_certificate(call, job, error);
    call->status = refused_as(&job->error);
    /* as with tickets: who is named is not registered */
    if (job->error.code == SG_UNAUTHENTICATED && job->error.rule[0] == '\0')
        return sg_fail(error, SG_UNAUTHENTICATED, "requester", "%s", job->error.text);
    return sg_error_pass(error, &job->error);
}
