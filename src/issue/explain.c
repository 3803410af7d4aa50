#include "explain.h"

#include <string.h>

#include "cert/cert.h"
#include "request/request.h"
#include "steps.h"

/* ---- a certificate that would be issued ---- */

static bool take_request(const struct sg_issuing *issuing, struct sg_job *job,
                         struct sg_error *error)
{
    struct sg_decision_input input;

    if (!sg_issue_parse(issuing, job, error) ||
        !sg_request_check_possession(&job->request, error) ||
        !sg_request_check_challenge(&job->request, job->challenge, error) ||
        !sg_request_check_key_quality(&job->request.key, error) ||
        !sg_issue_authenticate(issuing, job, error))
        return false;
    input = sg_issue_decision_input(issuing, job);
    return sg_policy_decide(issuing->policy, &input, &job->plan, error);
}

/* Any number, so that there is something to build with. */
static bool hide_serial(json_t *fields, struct sg_error *error)
{
    return json_object_set_new(json_array_get(fields, 0), "value",
                               json_string("(drawn when it is issued)")) == 0 ||
           sg_fail_memory(error);
}

bool sg_explain_request(const struct sg_issuing *issuing, struct sg_job *job, json_t **fields,
                        struct sg_error *error)
{
    const struct sg_issuer_facts *issuer = &issuing->issuer->facts;
    sg_auto(X509) X509 *preview = NULL;
    sg_auto(json_t) json_t *made = NULL;

    if (!take_request(issuing, job, error) ||
        !sg_issue_draw_serial(job->now, &job->serial, error) ||
        !sg_cert_preview(&job->plan, issuer, &job->request.key, &job->serial, &preview, error) ||
        !sg_cert_fields(preview, &job->plan, &made, error) || !hide_serial(made, error))
        return false;
    *fields = SG_TAKE(made);
    return true;
}

/* ---- a certificate that was issued ---- */

void sg_again_done(struct sg_again *again)
{
    json_decref(again->fields);
    *again = (struct sg_again){0};
}

/* All that a decision is made from, as far as it is left. */
struct rest {
    X509 *certificate;
    struct sg_issuer *issuer; /* the home's */
    struct sg_request request;
    struct sg_requester requester;
};

static void rest_done(struct rest *rest)
{
    X509_free(rest->certificate);
    sg_request_done(&rest->request);
    sg_requester_done(&rest->requester);
}
SG_DEFINE_CLEANUP_IN_PLACE(rest, rest_done)

static bool find_record(struct sg_store *store, enum sg_registry_kind kind, const char *id,
                        struct sg_record *record, bool *found, struct sg_error *error)
{
    *found = id != NULL && sg_store_find_record(store, kind, id, record, error);
    return *found || id == NULL;
}

static bool recall_requester(struct sg_store *store, const struct sg_certificate *certificate,
                             struct sg_requester *requester, struct sg_error *error)
{
    return find_record(store, SG_REGISTRY_DEVICE, certificate->device, &requester->device,
                       &requester->has_device, error) &&
           find_record(store, SG_REGISTRY_USER, certificate->user, &requester->user,
                       &requester->has_user, error);
}

/* Is it the certificate of the issuer's own key, which nobody asked for with a request? */
static bool is_own(const struct rest *rest)
{
    return sg_slice_equal(sg_buf_slice(&rest->request.key.spki),
                          sg_buf_slice(&rest->issuer->facts.key.spki)) &&
           X509_NAME_cmp(X509_get_subject_name(rest->certificate),
                         X509_get_issuer_name(rest->certificate)) == 0;
}

static bool recall_request(struct rest *rest, struct sg_error *error)
{
    const X509_NAME *subject = X509_get_subject_name(rest->certificate);
    struct sg_request *request = &rest->request;

    request->path_length = -1;
    if (!sg_public_key_of_certificate(rest->certificate, &request->key, error) ||
        (X509_NAME_entry_count(subject) > 0 &&
         !sg_name_decode(subject, "subject", &request->subject, error)))
        return false;
    request->format = is_own(rest) ? SG_REQUEST_OWN_KEY : SG_REQUEST_FORGOTTEN;
    return true;
}

static bool recall(struct sg_home *home, const struct sg_certificate *certificate,
                   struct rest *rest, struct sg_error *error)
{
    return sg_cert_read(sg_buf_slice(&certificate->der), "the store", &rest->certificate, error) &&
           sg_home_issuer(home, certificate->issuer, SG_ISSUER_TO_READ, &rest->issuer, error) &&
           recall_requester(sg_home_store(home), certificate, &rest->requester, error) &&
           recall_request(rest, error);
}

/* The fields of what the policy gives today; the plan they explain themselves by ends here. */
static bool decide_again(const struct sg_policy *policy, const struct sg_certificate *certificate,
                         const struct rest *rest, json_t **fields, struct sg_error *error)
{
    const struct sg_issuer_facts *issuer = &rest->issuer->facts;
    const struct sg_decision_input input = {
        .request = &rest->request,
        .requester = &rest->requester,
        .issuer = issuer,
        .now = certificate->claimed,
    };
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(X509) X509 *preview = NULL;

    return sg_policy_decide_again(policy, &input, &plan, error) &&
           sg_cert_preview(&plan, issuer, &rest->request.key, &certificate->serial, &preview,
                           error) &&
           sg_cert_fields(preview, &plan, fields, error);
}

/* What ends the run and what is only said of this certificate. */
static bool is_machines_fault(const struct sg_error *why)
{
    return why->code == SG_STORE || why->code == SG_INTERNAL;
}

bool sg_explain_again(struct sg_home *home, const struct sg_policy *policy,
                      const struct sg_certificate *certificate, struct sg_again *again,
                      struct sg_error *error)
{
    sg_auto(rest) struct rest rest = {0};
    struct sg_again fresh = {.outcome = SG_AGAIN_UNKNOWN};

    if (recall(home, certificate, &rest, &fresh.why)) {
        if (decide_again(policy, certificate, &rest, &fresh.fields, &fresh.why))
            fresh.outcome = SG_AGAIN_DECIDED;
        else if (fresh.why.code == SG_REFUSED)
            fresh.outcome = SG_AGAIN_REFUSED;
    }
    if (is_machines_fault(&fresh.why)) {
        *error = fresh.why;
        return false;
    }
    *again = fresh; /* now the caller's */
    return true;
}

bool sg_explain_issued(struct sg_home *home, const struct sg_policy *policy,
                       const struct sg_certificate *certificate, json_t **fields,
                       struct sg_again *again, struct sg_error *error)
{
    sg_auto(X509) X509 *issued = NULL;
    sg_auto(json_t) json_t *made = NULL;

    if (!sg_cert_read(sg_buf_slice(&certificate->der), "the store", &issued, error) ||
        !sg_cert_fields(issued, NULL, &made, error))
        return false;
    if (!sg_explain_again(home, policy, certificate, again, error))
        return false;
    if (!sg_fields_adopt(made, again->fields, error))
        return false;
    *fields = SG_TAKE(made);
    return true;
}
