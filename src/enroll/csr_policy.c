#include "csr_policy.h"

#include <string.h>

#include "policy/trial.h"
#include "request/request.h"

/* ${issuer.name} can be said; what stands in its subject, only its certificate knows. */
static bool refers_to_issuers_subject(struct sg_slice source)
{
    static const char ISSUER[] = "${issuer.", NAME[] = "${issuer.name}";
    const uint8_t *end = source.data + source.len, *at = source.data;

    while ((at = memmem(at, (size_t)(end - at), ISSUER, strlen(ISSUER))) != NULL) {
        if ((size_t)(end - at) < strlen(NAME) || memcmp(at, NAME, strlen(NAME)) != 0)
            return true;
        at += strlen(NAME);
    }
    return false;
}

/* For those who have no CA's home. */
static struct sg_issuer_facts unknown_issuer(const struct sg_csr_wish *wish)
{
    static const struct sg_name UNKNOWN = {0};

    return sg_trial_issuer(wish->issuer_name, &UNKNOWN);
}

static bool check_given(const struct sg_csr_wish *wish, struct sg_error *error)
{
    static const char ISSUER[] = "${issuer.";
    const char *name = sg_policy_name(wish->policy);
    struct sg_slice source = sg_policy_source(wish->policy);

    if (sg_policy_is_self_signed(wish->policy))
        return sg_fail(error, SG_USAGE, NULL,
                       "policy %s is for an issuer's own key, which needs no request: use `signet "
                       "issuer self-sign`",
                       name);
    if (wish->device == NULL && sg_policy_needs_device(wish->policy))
        return sg_fail(error, SG_USAGE, NULL,
                       "policy %s certifies a device: name it by --device ID, as the home's "
                       "registry has it, or by --set device.id=ID",
                       name);
    if (wish->user == NULL && sg_policy_needs_user(wish->policy))
        return sg_fail(error, SG_USAGE, NULL,
                       "policy %s certifies a user: name them by --user NAME, as the home's "
                       "registry has them, or by --set user.name=NAME",
                       name);
    if (wish->issuer == NULL && refers_to_issuers_subject(source))
        return sg_fail(error, SG_USAGE, NULL,
                       "policy %s repeats the issuer's subject in certificates: use the home of "
                       "the CA that issues under it (-C DIR)",
                       name);
    if (wish->issuer == NULL && wish->issuer_name[0] == '\0' &&
        memmem(source.data, source.len, ISSUER, strlen(ISSUER)) != NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "policy %s writes the issuer's name into certificates: say it by --issuer "
                       "NAME",
                       name);
    return true;
}

/* A type that was asked for and would be dropped in silence. */
static bool check_subject(const struct sg_csr_wish *wish, const struct sg_plan *plan,
                          struct sg_error *error)
{
    char rule[SG_ERROR_RULE_SIZE];

    for (size_t i = 0; i < wish->subject->num; i++) {
        const char *oid = wish->subject->rdns[i].oid;
        size_t asked = 0, given = 0;

        sg_name_first(wish->subject, oid, &asked);
        sg_name_first(&plan->subject, oid, &given);
        if (asked <= given)
            continue;
        snprintf(rule, sizeof rule, "policy %s: request.subject", sg_policy_name(wish->policy));
        return sg_fail(error, SG_REFUSED, rule,
                       "the subject is to have %s=%.200s, which this policy does not give",
                       sg_oid_attribute_word(oid), wish->subject->rdns[i].value);
    }
    return true;
}

typedef bool decide(const struct sg_policy *policy, const struct sg_decision_input *input,
                    struct sg_plan *plan, struct sg_error *error);

static bool decide_by(decide *decide_function, const struct sg_csr_wish *wish,
                      const struct sg_request *request, struct sg_plan *plan,
                      struct sg_error *error)
{
    struct sg_issuer_facts boundless = unknown_issuer(wish);
    struct sg_requester requester = sg_trial_requester(wish->device, wish->user);
    const struct sg_decision_input input = {
        .request = request,
        .requester = &requester,
        .issuer = wish->issuer != NULL ? wish->issuer : &boundless,
        .now = wish->now,
        .device_schema = wish->device_schema,
        .user_schema = wish->user_schema,
    };

    return decide_function(wish->policy, &input, plan, error);
}

bool sg_csr_plan(const struct sg_csr_wish *wish, const struct sg_public_key *key,
                 struct sg_plan *plan, struct sg_error *error)
{
    /* Borrows, too. */
    const struct sg_request request = {
        .format = SG_REQUEST_PKCS10, .subject = *wish->subject, .key = *key, .path_length = -1};
    sg_auto(sg_plan) struct sg_plan fresh = {0};

    if (!check_given(wish, error) || !decide_by(sg_policy_draft, wish, &request, &fresh, error) ||
        !check_subject(wish, &fresh, error))
        return false;
    *plan = fresh;
    fresh = (struct sg_plan){0}; /* now the caller's */
    return true;
}

struct sg_csr_spec sg_csr_spec_of_plan(const struct sg_plan *plan)
{
    return (struct sg_csr_spec){
        .subject = &plan->subject,
        .sans = &plan->sans,
        .purposes = &plan->purposes,
        .key_usage = plan->key_usage,
        .ca = plan->ca,
    };
}

bool sg_csr_check_policy(const struct sg_csr_wish *wish, struct sg_slice der,
                         struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_plan) struct sg_plan plan = {0};

    return sg_request_parse(der, &request, error) &&
           decide_by(sg_policy_decide, wish, &request, &plan, error);
}
