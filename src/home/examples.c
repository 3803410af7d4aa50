#include "examples.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "policy/trial.h"
#include "request/request.h"

/* Examples are decided at this moment, so that a policy doesn't stop working when a day comes:
 * 2026-01-01T00:00:00Z. */
#define EXAMPLE_NOW INT64_C(1767225600)

static bool decide(const struct sg_policy *policy, const struct sg_policy_example *example,
                   const struct sg_request *request, struct sg_error *error)
{
    struct sg_requester requester = sg_trial_requester(example->device, example->user);
    struct sg_issuer_facts issuer = sg_trial_issuer("example", example->issuer);
    const struct sg_decision_input input = {
        .request = request, .requester = &requester, .issuer = &issuer, .now = EXAMPLE_NOW};
    sg_auto(sg_plan) struct sg_plan plan = {0};

    if (sg_policy_is_self_signed(policy))
        issuer.key = request->key; /* borrowed */
    return sg_policy_decide(policy, &input, &plan, error);
}

/* The path up to the policy. A self-signed certificate is not asked for with a request; there the
 * example's request stands for the issuer's own key and the name that it is to have. */
static bool judge(const struct sg_policy *policy, const struct sg_policy_example *example,
                  struct sg_slice bytes, struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request request = {0}, own = {0};
    const struct sg_request *judged = &request;

    if (!sg_request_parse(bytes, &request, error) ||
        !sg_request_check_possession(&request, error) ||
        !sg_request_check_key_quality(&request.key, error))
        return false;
    if (sg_policy_is_self_signed(policy)) {
        if (!sg_request_of_key(&request.key, &request.subject, &own, error))
            return false;
        judged = &own;
    }
    return decide(policy, example, judged, error);
}

/* "subject.CN" of "policy device-mtls: subject.CN"; the name of the code, for a refusal before the
 * policy's rules. */
static const char *refusing_rule(const struct sg_policy *policy, const struct sg_error *verdict)
{
    static const char PREFIX[] = "policy ";
    const char *name = sg_policy_name(policy);
    size_t len = strlen(PREFIX) + strlen(name);

    if (strncmp(verdict->rule, PREFIX, strlen(PREFIX)) == 0 &&
        strncmp(verdict->rule + strlen(PREFIX), name, strlen(name)) == 0 &&
        strncmp(verdict->rule + len, ": ", 2) == 0)
        return verdict->rule + len + 2;
    return sg_code_name(verdict->code);
}

static void note(const struct sg_policy *policy, bool is_accepted, const struct sg_error *verdict,
                 struct sg_example_result *result)
{
    const struct sg_policy_example *example = result->example;
    const char *rule;

    if (is_accepted) {
        result->as_expected = example->accept;
        strcpy(result->text, "accepted");
        return;
    }
    rule = refusing_rule(policy, verdict);
    result->as_expected = !example->accept && strcmp(example->refuse, rule) == 0;
    /* %.*s: what does not fit is cut */
    snprintf(result->text, sizeof result->text, "refused by %s: %.*s", rule,
             (int)(sizeof result->text - SG_ERROR_RULE_SIZE - sizeof "refused by : "),
             verdict->text);
}

static bool run(const struct sg_policy *policy, const char *folder,
                struct sg_example_result *result, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error verdict = {0};
    bool is_accepted;

    if (!sg_path_join(folder, result->example->csr, &path, error))
        return false;
    if (!sg_file_read(path, SG_LIMIT_REQUEST, &bytes, &verdict))
        return sg_fail(error, SG_INVALID, "policy examples",
                       "policy %s, line %u: the example's request: %s", sg_policy_name(policy),
                       result->example->line, verdict.text);
    is_accepted = judge(policy, result->example, sg_buf_slice(&bytes), &verdict);
    if (!is_accepted && !sg_code_is_refusal(verdict.code)) {
        if (error != NULL && error->code == SG_OK)
            *error = verdict; /* the machine's trouble, which says nothing about the policy */
        return false;
    }
    note(policy, is_accepted, &verdict, result);
    return true;
}

bool sg_examples_run(const struct sg_policy *policy, const char *folder,
                     struct sg_example_result **results, struct sg_error *error)
{
    size_t num = sg_policy_num_examples(policy);
    sg_auto(malloc) struct sg_example_result *fresh = calloc(num + 1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < num; i++) {
        fresh[i].example = sg_policy_example(policy, i);
        if (!run(policy, folder, &fresh[i], error))
            return false;
    }
    *results = SG_TAKE(fresh);
    return true;
}
