#include "responder.h"

#include <string.h>

#include "cert/cert.h"
#include "own_request.h"

static const char OCSP_SIGNING[] = "1.3.6.1.5.5.7.3.9";

/* ---- the request ---- */

static bool choose_subject(const struct sg_issuer_entry *entry, struct sg_name *subject,
                           struct sg_error *error)
{
    char cn[80];

    if (entry->ocsp.subject != NULL)
        return sg_name_parse(entry->ocsp.subject, subject, error);
    snprintf(cn, sizeof cn, "%s OCSP", entry->name);
    return sg_name_add(subject, "2.5.4.3", cn, error);
}

static bool make_request(const struct sg_responder *responder, struct sg_buf *der,
                         struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name subject = {0};
    char what[120];

    snprintf(what, sizeof what, "OCSP responder of issuer %s", responder->issuer->name);
    return choose_subject(responder->issuer, &subject, error) &&
           sg_own_request(responder->signer, responder->scheme, &subject, what, der, error);
}

/* ---- down the path ---- */

/* A status-only issuer signs this and no other certificate, whatever the policy says. */
static bool check_plan(const struct sg_issuing *issuing, struct sg_job *job)
{
    const struct sg_plan *plan = &job->plan;

    return (!plan->ca && plan->purposes.num == 1 &&
            strcmp(plan->purposes.items[0], OCSP_SIGNING) == 0) ||
           sg_fail(&job->error, SG_REFUSED, "RFC 6960 4.2.2.2",
                   "policy %s makes no OCSP responders; its extended_key_usage has to be "
                   "[OCSPSigning]",
                   sg_policy_name(issuing->policy));
}

static bool certify(struct sg_home *home, const struct sg_responder *responder,
                    struct sg_clock clock, struct sg_responder_news *news, struct sg_error *error)
{
    const struct sg_issuer_entry *entry = responder->issuer;
    struct sg_issuing issuing = {.home = home, .evidence = SG_BY_OPERATOR, .clock = clock};
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(sg_job) struct sg_job job = {0};
    sg_auto(X509) X509 *certificate = NULL;
    int64_t not_before = 0;

    if (!sg_home_policy(home, entry->ocsp.policy, &issuing.policy, error) ||
        !sg_home_issuer(home, entry->name, SG_ISSUER_TO_SIGN_RESPONDER, &issuing.issuer, error) ||
        !make_request(responder, &der, error))
        return false;
    job.bytes = sg_buf_slice(&der);
    if (!sg_own_issue(&issuing, &job, check_plan, error) ||
        !sg_cert_read(sg_buf_slice(&job.certificate), "the certificate", &certificate, error) ||
        !sg_cert_validity(certificate, &not_before, &news->not_after, error))
        return false;
    news->serial = job.serial;
    news->renewed = job.outcome == SG_JOB_ISSUED;
    news->certificate = job.certificate;
    job.certificate = (struct sg_buf){0}; /* now the news' */
    return true;
}

/* ---- when ---- */

static bool read_present(X509 *certificate, int64_t now, struct sg_responder_news *news, bool *due,
                         struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int64_t not_before = 0;
    int len = i2d_X509(certificate, &bytes);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a certificate could not be encoded");
    if (!sg_cert_validity(certificate, &not_before, &news->not_after, error) ||
        !sg_cert_serial(certificate, &news->serial, error) ||
        !sg_buf_set(&news->certificate, sg_slice_of(bytes, (size_t)len), error))
        return false;
    *due = news->not_after - now < (news->not_after - not_before) / 3;
    return true;
}

/* The present certificate, if there is one that will do; else, or when it is about to end, a new
 * one. */
static bool keep_or_certify(struct sg_home *home, const struct sg_responder *responder,
                            struct sg_clock clock, struct sg_responder_news *news,
                            struct sg_error *error)
{
    const int64_t now = sg_clock_now(&clock);
    sg_auto(sg_responder_news) struct sg_responder_news next = {0};
    sg_auto(X509) X509 *present = NULL;
    bool due = true;

    if (!sg_home_responder_certificate(home, responder, now, &present, error))
        return false;
    if (present == NULL)
        return certify(home, responder, clock, news, error);
    if (!read_present(present, now, news, &due, error))
        return false;
    if (due && certify(home, responder, clock, &next, &news->why)) {
        sg_responder_news_done(news);
        *news = next;
        next = (struct sg_responder_news){0}; /* moved */
    }
    return true;
}

bool sg_issue_responder(struct sg_home *home, const char *issuer, struct sg_clock clock,
                        enum sg_responder_renewal renewal, struct sg_responder_news *news,
                        struct sg_error *error)
{
    sg_auto(sg_responder_news) struct sg_responder_news fresh = {0};
    const struct sg_responder *responder = NULL;

    if (!sg_home_responder(home, issuer, &responder, error))
        return false;
    if (renewal == SG_RENEW_NOW ? !certify(home, responder, clock, &fresh, error)
                                : !keep_or_certify(home, responder, clock, &fresh, error))
        return false;
    *news = fresh;
    fresh = (struct sg_responder_news){0}; /* now the caller's */
    return true;
}

void sg_responder_news_done(struct sg_responder_news *news)
{
    sg_buf_free(&news->certificate);
    *news = (struct sg_responder_news){0};
}
