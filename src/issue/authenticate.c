#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "home/registry.h"
#include "steps.h"

static const char RULE[] = "requester";

/* Only an operator can bring a device that no registry holds; a policy may let others ask, too. */
static bool may_register(const struct sg_issuing *issuing)
{
    return sg_policy_registers(issuing->policy) && (issuing->evidence & SG_BY_OPERATOR) != 0;
}

static bool has_evidence(const struct sg_job *job)
{
    return job->evidence.ticket != NULL || job->evidence.certificate.len > 0;
}

/* The id of the device that asks, or NULL. A request never chooses who it is; it names its device
 * only where the operator vouched for that: by --device-from-cn, or by a policy under which the
 * line's operator brings devices that no registry holds. */
static const char *device_id(const struct sg_issuing *issuing, const struct sg_job *job)
{
    if (job->device != NULL)
        return job->device;
    if (has_evidence(job))
        return NULL; /* which says who it is */
    if (issuing->device_from_cn || may_register(issuing)) {
        size_t num = 0;
        const char *cn = sg_name_first(&job->request.subject, "2.5.4.3", &num);
        return num == 1 ? cn : NULL;
    }
    return NULL;
}

static bool check_enabled(const struct sg_record *record, const char *kind, struct sg_error *error)
{
    char quoted[SG_QUOTED_SIZE];

    if (!record->disabled)
        return true;
    return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                   "%s %s is disabled; `signet %s enable %s` lets it in again", kind, record->id,
                   kind, sg_text_quote(record->id, quoted));
}

/* A device that is not in the registry yet, and that the policy lets the operator bring. */
static bool introduce_device(const struct sg_issuing *issuing, const char *id, struct sg_job *job,
                             struct sg_error *error)
{
    struct sg_record *device = &job->requester.device;

    sg_record_done(device);
    *device = (struct sg_record){0};
    if (job->described != NULL) {
        if (!sg_record_copy(job->described, device, error))
            return false;
    } else if ((device->id = strdup(id)) == NULL) {
        return sg_fail_memory(error);
    }
    job->requester.has_device = true;
    job->register_device = true;
    return sg_registry_check(&sg_home_config(issuing->home)->device, "device", device, error);
}

struct sg_store *sg_issue_registry(const struct sg_issuing *issuing)
{
    return issuing->registry != NULL ? issuing->registry : sg_home_store(issuing->home);
}

/* What is said of a device that the registry knows has to be what the registry says. */
static bool check_agreement(const struct sg_record *known, const struct sg_record *described,
                            struct sg_error *error)
{
    for (size_t i = 0; described != NULL && i < described->num_attributes; i++) {
        const struct sg_attribute *said = &described->attributes[i];
        const char *value = sg_record_value(known, said->name);
        char rule[SG_ERROR_RULE_SIZE];

        if (value != NULL && strcmp(value, said->value) == 0)
            continue;
        snprintf(rule, sizeof rule, "registry device.%s", said->name);
        return sg_fail(error, SG_REFUSED, rule,
                       "device %s comes with %s '%s', and the registry has %s%s%s", known->id,
                       said->name, said->value, value != NULL ? "'" : "",
                       value != NULL ? value : "none", value != NULL ? "'" : "");
    }
    return true;
}

static bool find_device(const struct sg_issuing *issuing, const char *id, struct sg_job *job,
                        struct sg_error *error)
{
    struct sg_error missing = {0};

    if (sg_store_find_record(sg_issue_registry(issuing), SG_REGISTRY_DEVICE, id,
                             &job->requester.device, &missing)) {
        job->requester.has_device = true;
        return check_enabled(&job->requester.device, "device", error) &&
               check_agreement(&job->requester.device, job->described, error);
    }
    if (missing.code == SG_UNAUTHENTICATED && may_register(issuing))
        return introduce_device(issuing, id, job, error);
    *error = missing;
    return false;
}

static bool authenticate_device(const struct sg_issuing *issuing, const char *proved,
                                struct sg_job *job, struct sg_error *error)
{
    const char *id = proved != NULL ? proved : device_id(issuing, job);

    if (id != NULL)
        return find_device(issuing, id, job, error);
    if (!sg_policy_needs_device(issuing->policy))
        return true;
    if (issuing->device_from_cn)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "the request's subject does not have exactly one CN to name its device");
    return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                   "policy %s certifies a device and none is named; say which with --device ID",
                   sg_policy_name(issuing->policy));
}

static bool authenticate_user(const struct sg_issuing *issuing, const char *proved,
                              struct sg_job *job, struct sg_error *error)
{
    const char *id = proved != NULL ? proved : job->user;

    if (id != NULL) {
        job->requester.has_user = sg_store_find_record(sg_issue_registry(issuing), SG_REGISTRY_USER,
                                                       id, &job->requester.user, error);
        return job->requester.has_user && check_enabled(&job->requester.user, "user", error);
    }
    if (!sg_policy_needs_user(issuing->policy))
        return true;
    return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                   "policy %s certifies a user and none is named; say who with --user NAME",
                   sg_policy_name(issuing->policy));
}

/* Whom the operator names beside a ticket or a certificate has to be whom these are for. */
static bool check_named(const struct sg_job *job, const char *kind, const char *named,
                        const char *proved, struct sg_error *error)
{
    if (!has_evidence(job) || named == NULL || (proved != NULL && strcmp(named, proved) == 0))
        return true;
    return sg_fail(error, SG_UNAUTHENTICATED, RULE, "%s %s is named, and the %s is %s%s", kind,
                   named, job->evidence.ticket != NULL ? "ticket" : "certificate",
                   proved != NULL ? "for " : "for none", proved != NULL ? proved : "");
}

bool sg_issue_authenticate(const struct sg_issuing *issuing, struct sg_job *job,
                           struct sg_error *error)
{
    sg_auto(malloc) char *device = NULL;
    sg_auto(malloc) char *user = NULL;

    job->requester.evidence = issuing->evidence;
    return sg_issue_weigh_evidence(issuing, job, &device, &user, error) &&
           check_named(job, "device", job->device, device, error) &&
           check_named(job, "user", job->user, user, error) &&
           authenticate_device(issuing, device, job, error) &&
           authenticate_user(issuing, user, job, error);
}
