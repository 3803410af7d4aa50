#include "server.h"

#include <string.h>

#include "cert/cert.h"
#include "own_request.h"

static const char SERVER_AUTH[] = "1.3.6.1.5.5.7.3.1";

static bool check_plan(const struct sg_issuing *issuing, struct sg_job *job)
{
    const struct sg_plan *plan = &job->plan;
    bool is_servers = false;

    for (size_t i = 0; i < plan->purposes.num; i++)
        is_servers = is_servers || strcmp(plan->purposes.items[i], SERVER_AUTH) == 0;
    return (!plan->ca && is_servers) ||
           sg_fail(&job->error, SG_REFUSED, "RFC 5280 4.2.1.12",
                   "policy %s makes no TLS servers; its extended_key_usage has to have serverAuth",
                   sg_policy_name(issuing->policy));
}

static bool take_news(const struct sg_issuing *issuing, struct sg_job *job,
                      struct sg_server_news *news, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    int64_t not_before = 0, not_after = 0;

    if (!sg_cert_read(sg_buf_slice(&job->certificate), "the certificate", &certificate, error) ||
        !sg_cert_validity(certificate, &not_before, &not_after, error))
        return false;
    *news = (struct sg_server_news){
        .certificate = job->certificate,
        .issuer = issuing->issuer,
        .serial = job->serial,
        .not_after = not_after,
    };
    job->certificate = (struct sg_buf){0}; /* now the news' */
    return true;
}

bool sg_issue_server(struct sg_home *home, const struct sg_server_order *order,
                     struct sg_server_news *news, struct sg_error *error)
{
    struct sg_issuing issuing = {.home = home, .evidence = SG_BY_OPERATOR, .clock = order->clock};
    const struct sg_name nobody = {0}; /* the registry says it */
    const enum sg_scheme scheme = sg_scheme_default(sg_signer_public_key(order->signer)->kind);
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(sg_job) struct sg_job job = {.device = order->device};

    if (!sg_home_policy(home, order->policy, &issuing.policy, error) ||
        !sg_home_issuer(home, order->issuer, SG_ISSUER_TO_SIGN, &issuing.issuer, error) ||
        !sg_own_request(order->signer, scheme, &nobody, "the key of TLS", &der, error))
        return false;
    job.bytes = sg_buf_slice(&der);
    return sg_own_issue(&issuing, &job, check_plan, error) &&
           take_news(&issuing, &job, news, error);
}

void sg_server_news_done(struct sg_server_news *news)
{
    sg_buf_free(&news->certificate);
    *news = (struct sg_server_news){0};
}
