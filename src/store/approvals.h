/* approvals: requests that wait for a person to approve them. Part of store.h's contract.
 *
 * A claim whose plan has an approver files the request here (store.h), and goes on once it is
 * approved. What is approved is one certificate, but for its serial number and validity, of one
 * key: another key, or a record that was changed meanwhile, makes another request.
 */
#ifndef SG_STORE_APPROVALS_H
#define SG_STORE_APPROVALS_H

#include "store.h"

/* Seconds for which a request waits, and for which its approval holds. */
enum { SG_APPROVAL_LIFETIME_S = 30 * 24 * 3600 };

enum sg_approval_state {
    SG_APPROVAL_WAITING = 0, /* these three are in the store */
    SG_APPROVAL_APPROVED = 1,
    SG_APPROVAL_REFUSED = 2,
    SG_APPROVAL_LAPSED, /* nobody decided in time, or nobody came for the certificate */
    SG_APPROVAL_USED,   /* approved, and the certificate was claimed */
};
const char *sg_approval_state_word(enum sg_approval_state state);

struct sg_approval {
    int64_t id;
    enum sg_approval_state state;
    char *policy;
    char *role;                  /* of who has to approve */
    char *device, *user, *token; /* NULL when none */
    char *subject;               /* of the certificate that would be issued, as text */
    uint8_t spki_sha256[SG_SHA256_LEN];
    struct sg_buf request; /* as it came; empty when the CA asks for its own key */
    int64_t asked, not_after;
    char *asked_by;
    int64_t decided; /* the moment; 0: not yet */
    char *decided_by, *reason;
    int64_t claim; /* that was made with it; 0: none */
};
void sg_approval_done(struct sg_approval *approval);
SG_DEFINE_CLEANUP_IN_PLACE(sg_approval, sg_approval_done)

/* Somebody's decision. Borrowed. */
struct sg_approval_decision {
    const char *by;   /* their name */
    const char *role; /* their role; NULL: every role, as the operator has with the home in hand */
    const char *reason; /* or NULL; a refusal has to have one */
    int64_t now;
};

/* sg_store_approve and sg_store_refuse decide a request that waits.
 * Fails: SG_REFUSED when there is none of that id, it is decided or has lapsed, the role is another
 * one, or the decider is who asked or whom it is for; SG_USAGE on a refusal without a reason. */
SG_MUST_USE bool sg_store_approve(struct sg_store *store, int64_t id,
                                  const struct sg_approval_decision *decision,
                                  struct sg_error *error);
SG_MUST_USE bool sg_store_refuse(struct sg_store *store, int64_t id,
                                 const struct sg_approval_decision *decision,
                                 struct sg_error *error);

/* sg_store_find_approval: found is false, and approval untouched, when there is none of that id. */
SG_MUST_USE bool sg_store_find_approval(struct sg_store *store, int64_t id, int64_t now,
                                        bool *found, struct sg_approval *approval,
                                        struct sg_error *error);

typedef bool sg_approval_visitor(const struct sg_approval *approval, void *context,
                                 struct sg_error *error);
/* sg_store_each_approval visits all, or those that wait, oldest first. */
SG_MUST_USE bool sg_store_each_approval(struct sg_store *store, bool only_waiting, int64_t now,
                                        sg_approval_visitor *visit, void *context,
                                        struct sg_error *error);

/* Which of them. */
struct sg_approval_filter {
    int64_t after; /* only those with a larger id */
    bool only_state;
    enum sg_approval_state state; /* at now */
    int64_t now;
    size_t num; /* so many at most */
};
/* sg_store_list_approvals visits a page of them, oldest first. */
SG_MUST_USE bool sg_store_list_approvals(struct sg_store *store,
                                         const struct sg_approval_filter *filter,
                                         sg_approval_visitor *visit, void *context,
                                         struct sg_error *error);

#endif
