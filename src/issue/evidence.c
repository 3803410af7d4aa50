/* What a request brings to be believed: a ticket with a PIN, a certificate that is to be renewed.
 */
#include <string.h>

#include "cert/cert.h"
#include "pins.h"
#include "steps.h"
#include "tickets.h"

/* ---- ticket and PIN ---- */

/* The claim asks all of this again, in its transaction; here it costs less, and says who asks. A
 * ticket that was spent may be a retry's. */
static bool check_usable(const struct sg_issuing *issuing, const struct sg_job *job,
                         const struct sg_ticket *ticket, struct sg_error *error)
{
    const enum sg_ticket_state state = sg_ticket_state(ticket, job->now);

    if (state == SG_TICKET_DROPPED || state == SG_TICKET_EXPIRED)
        return sg_fail(error, SG_UNAUTHENTICATED, "ticket", "this ticket %s",
                       state == SG_TICKET_DROPPED ? "was dropped" : "has expired");
    return strcmp(ticket->policy, sg_policy_name(issuing->policy)) == 0 ||
           sg_fail(error, SG_UNAUTHENTICATED, "ticket", "this ticket is for policy %s, not for %s",
                   ticket->policy, sg_policy_name(issuing->policy));
}

/* The try is gone, and durably so, before anything is compared: pulling the plug gains nobody one.
 * It comes back when the PIN was right, or was not compared. */
static bool try_pin(const struct sg_issuing *issuing, const struct sg_ticket *ticket,
                    const uint8_t *hash, struct sg_error *error)
{
    struct sg_store *store = sg_issue_registry(issuing);
    struct sg_error ignored = {0};
    bool is_right = false, is_compared;

    if (!sg_store_take_try(store, ticket->id, error))
        return false;
    is_compared = sg_pin_check(store, issuing->pins, ticket->user, hash, &is_right, error);
    if (is_compared && !is_right)
        return sg_fail(error, SG_UNAUTHENTICATED, "PIN", "this is not the PIN of user %s",
                       ticket->user);
    return sg_store_give_back_try(store, ticket->id, is_compared ? error : &ignored) && is_compared;
}

static bool check_pin(const struct sg_issuing *issuing, const struct sg_job *job,
                      const struct sg_ticket *ticket, struct sg_error *error)
{
    if (!ticket->wants_pin)
        return true;
    if (job->evidence.pin_hash == NULL)
        return sg_fail(error, SG_UNAUTHENTICATED, "PIN", "the PIN of user %s is missing",
                       ticket->user);
    if (issuing->pins == NULL)
        return sg_fail(error, SG_INVALID, "PIN",
                       "no PIN can be checked, as signet.yaml names no key for them (`pins`)");
    return try_pin(issuing, ticket, job->evidence.pin_hash, error);
}

static bool use_ticket(const struct sg_issuing *issuing, struct sg_job *job, char **device,
                       char **user, struct sg_error *error)
{
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};

    if (job->evidence.ticket == NULL)
        return true;
    if (!sg_ticket_find(sg_issue_registry(issuing), job->evidence.ticket, &ticket, error) ||
        !check_usable(issuing, job, &ticket, error) || !check_pin(issuing, job, &ticket, error))
        return false;
    job->ticket = ticket.id;
    job->requester.evidence |= SG_BY_TICKET;
    job->requester.token = SG_TAKE(ticket.token);
    job->asked_by = SG_TAKE(ticket.made_by);
    *device = SG_TAKE(ticket.device);
    *user = SG_TAKE(ticket.user);
    return true;
}

/* ---- the certificate that is to be renewed ---- */

/* What of it a visitor keeps. */
struct renewed {
    bool found;
    int64_t id;
    enum sg_status status;
    enum sg_reason reason;
    char serial[SG_SERIAL_TEXT_SIZE];
    char *policy, *device, *user, *token;
};

static void renewed_done(struct renewed *renewed)
{
    free(renewed->policy);
    free(renewed->device);
    free(renewed->user);
    free(renewed->token);
}
SG_DEFINE_CLEANUP_IN_PLACE(renewed, renewed_done)

static bool copy(const char *text, char **into, struct sg_error *error)
{
    *into = text != NULL ? strdup(text) : NULL;
    return *into != NULL || text == NULL || sg_fail_memory(error);
}

static bool see(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct renewed *renewed = context;

    if (renewed->found)
        return true; /* one certificate has one claim */
    renewed->found = true;
    renewed->id = certificate->id;
    renewed->status = certificate->status;
    renewed->reason = certificate->reason;
    sg_serial_text(&certificate->serial, renewed->serial);
    return copy(certificate->policy, &renewed->policy, error) &&
           copy(certificate->device, &renewed->device, error) &&
           copy(certificate->user, &renewed->user, error) &&
           copy(certificate->token, &renewed->token, error);
}

/* By its serial number, which has an index, and then by all of its bytes: what is in the store is
 * ours, whoever's name an issuer bears. */
static bool find_renewed(const struct sg_issuing *issuing, const struct sg_job *job,
                         struct renewed *renewed, struct sg_error *error)
{
    struct sg_serial serial = {0};

    if (!sg_cert_read_serial(job->evidence.certificate, "the certificate of who asks", &serial,
                             error))
        return false;
    const struct sg_certificate_filter filter = {
        .serial = &serial, .der = job->evidence.certificate, .now = job->now};
    return sg_store_each_certificate(sg_issue_registry(issuing), &filter, see, renewed, error);
}

/* One that its own successor has revoked may be a retry's; the claim tells. */
static bool may_vouch(const struct renewed *renewed)
{
    return renewed->status == SG_STATUS_VALID ||
           (renewed->status == SG_STATUS_REVOKED && renewed->reason == SG_REASON_SUPERSEDED);
}

static bool check_renewed(const struct sg_issuing *issuing, const struct renewed *renewed,
                          struct sg_error *error)
{
    if (!renewed->found)
        return sg_fail(error, SG_UNAUTHENTICATED, "renewal",
                       "the certificate of who asks was not issued here");
    if (!may_vouch(renewed))
        return sg_fail(error, SG_UNAUTHENTICATED, "renewal",
                       "certificate %s, by which the request was made, is %s", renewed->serial,
                       sg_status_word(renewed->status));
    if (renewed->device == NULL && renewed->user == NULL)
        return sg_fail(error, SG_UNAUTHENTICATED, "renewal",
                       "certificate %s is no device's and no user's", renewed->serial);
    return sg_policy_renews(issuing->policy, renewed->policy) ||
           sg_fail(error, SG_UNAUTHENTICATED, "renewal",
                   "certificate %s was issued under policy %s, which vouches for nothing under %s",
                   renewed->serial, renewed->policy, sg_policy_name(issuing->policy));
}

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A ticket's holder and a certificate's are one. */
static bool check_same(const struct sg_job *job, const struct renewed *renewed, const char *device,
                       const char *user, struct sg_error *error)
{
    return job->ticket == 0 ||
           (is_same_text(device, renewed->device) && is_same_text(user, renewed->user)) ||
           sg_fail(error, SG_UNAUTHENTICATED, "requester",
                   "the ticket and the certificate are not one device's or user's");
}

static bool name_certificate(const struct renewed *renewed, struct sg_job *job,
                             struct sg_error *error)
{
    if (job->asked_by != NULL)
        return true;
    if (asprintf(&job->asked_by, "certificate %s", renewed->serial) >= 0)
        return true;
    job->asked_by = NULL;
    return sg_fail_memory(error);
}

static bool use_certificate(const struct sg_issuing *issuing, struct sg_job *job, char **device,
                            char **user, struct sg_error *error)
{
    sg_auto(renewed) struct renewed renewed = {0};

    if (job->evidence.certificate.len == 0)
        return true;
    if (!find_renewed(issuing, job, &renewed, error) || !check_renewed(issuing, &renewed, error) ||
        !check_same(job, &renewed, *device, *user, error) ||
        !name_certificate(&renewed, job, error))
        return false;
    job->renews = renewed.id;
    job->requester.evidence |= SG_BY_RENEWAL;
    if (job->ticket != 0)
        return true;
    job->requester.token = SG_TAKE(renewed.token);
    *device = SG_TAKE(renewed.device);
    *user = SG_TAKE(renewed.user);
    return true;
}

/* ---- all of it ---- */

static bool name_operator(const struct sg_issuing *issuing, struct sg_job *job,
                          struct sg_error *error)
{
    return job->asked_by != NULL || copy(issuing->operator_name, &job->asked_by, error);
}

bool sg_issue_weigh_evidence(const struct sg_issuing *issuing, struct sg_job *job, char **device,
                             char **user, struct sg_error *error)
{
    return use_ticket(issuing, job, device, user, error) &&
           use_certificate(issuing, job, device, user, error) && name_operator(issuing, job, error);
}
