/* api: what operators and apps ask at /api/v1, in JSON.
 *
 * A call is one request: read, asked who it is from, and given to the one function that its URL and
 * method have in the table of api.c. docs/openapi.yaml describes all of them.
 * Does not: believe the front in whose certificate it is: that is looked up here for each call.
 * Thread rule: the desk's thread.
 */
#ifndef SG_SERVICE_API_H
#define SG_SERVICE_API_H

#include "base/json.h"
#include "desk.h"

enum { SG_API_SEGMENTS = 4, SG_API_QUERIES = 16 };

struct sg_api_query {
    const char *key, *value;
};

struct sg_api_call {
    struct sg_desk *desk;
    const struct sg_message *message;
    struct sg_store *store;
    int64_t now;
    const struct sg_operator_entry *who;   /* NULL: an app, which nobody knows */
    char target[SG_LIMIT_TARGET + 1];      /* what follows borrows from it */
    const char *segments[SG_API_SEGMENTS]; /* of the path behind /api/v1/ */
    size_t num_segments;
    struct sg_api_query queries[SG_API_QUERIES];
    size_t num_queries;
    json_t *body;                /* NULL: there is none */
    struct sg_secret *challenge; /* what the job below borrows, beside all of this */

    /* out */
    struct sg_job *job; /* empty; for what asks for a certificate to fill */
    bool has_job;       /* it was filled: what becomes of it is the answer */
    unsigned status; /* of HTTP; when the call is refused: 0 for what goes with the error's code */
    unsigned retry_after;
    const char *allow;
    json_t *answer;                /* NULL: none */
    char said[SG_ERROR_TEXT_SIZE]; /* what was done, for the log */
};

void sg_api_call_free(struct sg_api_call *call);
typedef struct sg_api_call sg_api_call;
SG_DEFINE_CLEANUP(sg_api_call, sg_api_call_free)

/* sg_api_begin gives a CALL its answer, whatever that is: false; or fills a job, which is empty:
 * true. Then sg_api_end gives the answer, when the job has ended. */
bool sg_api_begin(struct sg_desk *desk, struct sg_errand *errand, struct sg_job *job);
void sg_api_end(struct sg_errand *errand, const struct sg_job *job);

/* sg_api_target takes a URL's path and query apart, and undoes the escapes.
 * Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_api_target(const char *target, struct sg_api_call *call,
                               struct sg_error *error);
/* sg_api_query: a value of the URL's query, or NULL. */
const char *sg_api_query(const struct sg_api_call *call, const char *key);

/* sg_api_identify finds the operator whose certificate the client uses in TLS: it is in
 * signet.yaml, in force now, not revoked when it was issued here, and nobody's who is disabled.
 * Fails: SG_UNAUTHENTICATED, rule "operator". */
SG_MUST_USE bool sg_api_identify(struct sg_api_call *call, struct sg_error *error);

/* sg_api_refuse is sg_fail with the status of HTTP that the client gets. */
bool sg_api_refuse(struct sg_api_call *call, unsigned status, struct sg_error *error,
                   const char *rule, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* sg_api_read reads the call's body by a table. Fails: SG_MALFORMED, SG_USAGE. */
SG_MUST_USE bool sg_api_read(const struct sg_api_call *call, const struct sg_json_field *fields,
                             void *into, struct sg_error *error);

/* sg_api_reply takes over answer, NULL when memory ran out, as what the client gets. */
SG_MUST_USE bool sg_api_reply(struct sg_api_call *call, unsigned status, json_t *answer,
                              struct sg_error *error);

/* One page of a list. */
struct sg_api_page {
    json_t *items;
    size_t limit, len;
    bool has_more;
    char *next; /* the mark of the last item */
};
void sg_api_page_done(struct sg_api_page *page);
SG_DEFINE_CLEANUP_IN_PLACE(sg_api_page, sg_api_page_done)

/* sg_api_page_begin reads the query's `limit`; sg_api_after its `after`, where that is a number;
 * it stays as it was without one. Fails: SG_USAGE. */
SG_MUST_USE bool sg_api_page_begin(const struct sg_api_call *call, struct sg_api_page *page,
                                   struct sg_error *error);
SG_MUST_USE bool sg_api_after(const struct sg_api_call *call, int64_t *after,
                              struct sg_error *error);
/* sg_api_page_add takes over an item, NULL when memory ran out; those past the page's limit, or
 * SG_LIMIT_JSON bytes, are let go. mark   what the next page begins behind */
SG_MUST_USE bool sg_api_page_add(struct sg_api_page *page, json_t *item, const char *mark,
                                 struct sg_error *error);
/* sg_api_page_reply: {NOUN: [...], "next": MARK or null}. */
SG_MUST_USE bool sg_api_page_reply(struct sg_api_call *call, struct sg_api_page *page,
                                   const char *noun, struct sg_error *error);

/* sg_api_number reads a whole decimal number; false when it is none, or out of its range. */
bool sg_api_number(const char *text, int64_t least, int64_t most, int64_t *number);

/* sg_api_find_policy finds a policy that the network may be served by: none that makes CA
 * certificates. Refused with 422 when there is none of that name. */
SG_MUST_USE bool sg_api_find_policy(struct sg_api_call *call, const char *name,
                                    const struct sg_policy **policy, struct sg_error *error);

/* sg_api_make_ticket makes a ticket as sg_ticket_make does, under a policy that may be served here.
 * order    with its lifetime. answer   the caller's. */
SG_MUST_USE bool sg_api_make_ticket(struct sg_api_call *call, const struct sg_ticket_order *order,
                                    json_t **answer, struct sg_error *error);

/* sg_api_revoke_all is sg_status_revoke, with the statuses that go with its refusals;
 * sg_api_parse_reason is sg_reason_parse, of a key of the body; NULL leaves it as it was. */
SG_MUST_USE bool sg_api_revoke_all(struct sg_api_call *call,
                                   const struct sg_certificate_filter *filter,
                                   enum sg_reason reason, size_t *num, struct sg_error *error);
SG_MUST_USE bool sg_api_parse_reason(const char *word, enum sg_reason *reason,
                                     struct sg_error *error);

/* sg_api_tell_job is the answer to sg_api_issue, when its job has ended. */
SG_MUST_USE bool sg_api_tell_job(struct sg_api_call *call, const struct sg_job *job,
                                 struct sg_error *error);

/* What the table's functions are. */
typedef bool sg_api_function(struct sg_api_call *call, struct sg_error *error);

sg_api_function sg_api_ask_pin, sg_api_choose_pin;
sg_api_function sg_api_add_ticket, sg_api_list_tickets, sg_api_drop_ticket;
sg_api_function sg_api_list_records, sg_api_get_record, sg_api_add_record, sg_api_change_record,
    sg_api_disable_record, sg_api_enable_record;
sg_api_function sg_api_list_requests, sg_api_get_request, sg_api_approve_request,
    sg_api_refuse_request;
sg_api_function sg_api_list_certificates, sg_api_get_certificate, sg_api_issue, sg_api_revoke,
    sg_api_release, sg_api_lose_card;

#endif
