#include <string.h>

#include "cert/cert.h"
#include "desk.h"

static const char RULE[] = "requester";

struct presented {
    const struct sg_policy *policy;
    struct sg_errand *errand;
    int64_t now;
    bool found;
};

static bool copy(const char *from, char **to, struct sg_error *error)
{
    if (from == NULL)
        return true;
    return (*to = strdup(from)) != NULL || sg_fail_memory(error);
}

/* In the last `window` before its end, as the policy says today. */
static bool check_window(const struct presented *presented,
                         const struct sg_certificate *certificate, struct sg_error *error)
{
    const int64_t window_s = sg_policy_renewal_window_s(presented->policy);
    char rule[SG_ERROR_RULE_SIZE], from[SG_TIME_TEXT_SIZE];

    (void)snprintf(rule, sizeof rule, "policy %s: renewal", sg_policy_name(presented->policy));
    if (window_s < 0)
        return sg_fail(error, SG_REFUSED, rule, "the policy renews nothing");
    if (certificate->not_after - window_s > presented->now)
        return sg_fail(error, SG_REFUSED, rule,
                       "the certificate can be renewed from %s on, in the window before its end",
                       sg_time_text(certificate->not_after - window_s, from));
    return true;
}

static bool judge(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct presented *presented = context;
    char serial[SG_SERIAL_TEXT_SIZE];

    presented->found = true;
    sg_serial_text(&certificate->serial, serial);
    if (certificate->status != SG_STATUS_VALID)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE, "the client's certificate %s is %s", serial,
                       sg_status_word(certificate->status));
    if (strcmp(certificate->policy, sg_policy_name(presented->policy)) != 0)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "the client's certificate %s was issued under policy %s, and renews none of "
                       "policy %s",
                       serial, certificate->policy, sg_policy_name(presented->policy));
    return check_window(presented, certificate, error) &&
           copy(certificate->device, &presented->errand->device, error) &&
           copy(certificate->user, &presented->errand->user, error);
}

/* The front vouches that the client has the key; the rest is the store's. */
static bool look_up(struct sg_desk *desk, struct presented *presented, struct sg_slice der,
                    struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    struct sg_serial serial;
    struct sg_error why = {0};

    if (!sg_cert_read(der, "the client's certificate", &certificate, &why) ||
        !sg_cert_serial(certificate, &serial, &why))
        return sg_fail(error, SG_UNAUTHENTICATED, RULE, "%s", why.text);
    const struct sg_certificate_filter filter = {
        .serial = &serial, .der = der, .now = presented->now};
    if (!sg_store_each_certificate(sg_home_store(desk->home), &filter, judge, presented, error))
        return false;
    return presented->found || sg_fail(error, SG_UNAUTHENTICATED, RULE,
                                       "the client's certificate is none of this CA's");
}

bool sg_service_authenticate(struct sg_desk *desk, struct sg_errand *errand,
                             const struct sg_policy *policy, unsigned *evidence,
                             struct sg_error *error)
{
    const struct sg_slice der = errand->message.bytes[SG_WIRE_CLIENT];
    struct presented presented = {
        .policy = policy, .errand = errand, .now = sg_clock_now(&desk->issuing.clock)};

    if (der.len == 0)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "nothing says who is asking: use the certificate that is to be renewed as "
                       "the client's certificate in TLS");
    if (!look_up(desk, &presented, der, error))
        return false;
    *evidence = SG_BY_RENEWAL;
    return true;
}
