#include "trial.h"

#include "base/clock.h"

struct sg_issuer_facts sg_trial_issuer(const char *name, const struct sg_name *subject)
{
    return (struct sg_issuer_facts){
        .name = name,
        .subject = subject,
        .scheme = SG_ECDSA_SHA256,
        .not_after = SG_TIME_NEVER,
        .path_length = -1,
        .crl_url = "http://pki.example.com/issuing.crl",
        .ocsp_url = "http://pki.example.com/ocsp",
        .ca_issuers_url = "http://pki.example.com/issuing.cer",
    };
}

struct sg_requester sg_trial_requester(const struct sg_record *device, const struct sg_record *user)
{
    struct sg_requester requester = {.evidence = SG_BY_OPERATOR | SG_BY_TICKET | SG_BY_RENEWAL |
                                                 SG_BY_LEASE | SG_BY_APPROVAL | SG_BY_OFFICER};

    if (device != NULL) {
        requester.has_device = true;
        requester.device = *device;
    }
    if (user != NULL) {
        requester.has_user = true;
        requester.user = *user;
    }
    return requester;
}
