#include "request/request.h"
#include "steps.h"

bool sg_issue_parse(const struct sg_issuing *issuing, struct sg_job *job, struct sg_error *error)
{
    job->now = sg_clock_now(&issuing->clock);
    if (job->own_subject != NULL)
        return sg_request_of_key(&issuing->issuer->facts.key, job->own_subject, &job->request,
                                 error);
    return sg_request_parse(job->bytes, &job->request, error);
}

struct sg_decision_input sg_issue_decision_input(const struct sg_issuing *issuing,
                                                 const struct sg_job *job)
{
    const struct sg_config *config = sg_home_config(issuing->home);

    return (struct sg_decision_input){
        .request = &job->request,
        .requester = &job->requester,
        .issuer = &issuing->issuer->facts,
        .now = job->now,
        .device_schema = &config->device,
        .user_schema = &config->user,
    };
}
