/* deciding: one claim of a group on its way through the steps of claims.c, and those of them that
 * weigh what vouches for it. Private to the room; inside the claim's transaction.
 *
 * A step returns false only when the group as a whole fails; a verdict against the claim is told in
 * its error, and ends its way.
 */
#ifndef SG_STORE_DECIDING_H
#define SG_STORE_DECIDING_H

#include "sql.h"

struct sg_deciding {
    struct sg_store *store;
    struct sg_claim *claim;
    int64_t group_start; /* ids from here on were claimed by this call */
    int64_t next_id;     /* of the claim, when it is made: the write transaction keeps it free */
    bool decided;        /* refused, answered as a retry, or waiting: no more steps */
    int64_t approval;    /* that the claim is made with; 0: none */
    int64_t *previous;   /* certificates in their renewal window that this one renews */
    size_t num_previous;
    int64_t repeated;    /* the certificate of a key that was lost on its way; 0: none */
    bool has_new_device; /* that the registry doesn't know yet */
};

void sg_deciding_done(struct sg_deciding *decision);
SG_DEFINE_CLEANUP_IN_PLACE(sg_deciding, sg_deciding_done)

/* sg_deciding_refuse is the claim's own verdict and no failure of the group: returns true.
 * word     what of the policy refuses ("unique"), or NULL when it isn't the policy. */
bool sg_deciding_refuse(struct sg_deciding *decision, enum sg_code code, const char *word,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));
/* sg_deciding_adopt takes over what the claim's error says, if it does. Returns true. */
bool sg_deciding_adopt(struct sg_deciding *decision);
/* sg_deciding_add_previous: the new certificate renews that one, too. */
SG_MUST_USE bool sg_deciding_add_previous(struct sg_deciding *decision, int64_t id,
                                          struct sg_error *error);

/* keys.c: asks ahead what sg_store_judge_key will (sg_query_ahead). */
SG_MUST_USE bool sg_deciding_ask_keys(struct sg_store *store,
                                      const struct sg_key_question *question,
                                      struct sg_error *error);

/* ---- steps ---- */

/* repeated.c: does the request repeat one whose answer, and with it the key, was lost? */
SG_MUST_USE bool sg_deciding_find_repeated(struct sg_deciding *decision, struct sg_error *error);
/* The claim is made: the earlier certificate is revoked with it, and the ticket has paid. */
SG_MUST_USE bool sg_deciding_use_repeated(struct sg_deciding *decision, struct sg_error *error);

/* Is the ticket good for a new certificate? */
SG_MUST_USE bool sg_deciding_check_ticket(struct sg_deciding *decision, struct sg_error *error);
/* Does the certificate that vouches still do so? */
SG_MUST_USE bool sg_deciding_check_renewed(struct sg_deciding *decision, struct sg_error *error);
/* quota.c: is there room in the policy's quota? */
SG_MUST_USE bool sg_deciding_check_quota(struct sg_deciding *decision, struct sg_error *error);
/* The claim is made: it counts. */
SG_MUST_USE bool sg_deciding_use_quota(struct sg_deciding *decision, struct sg_error *error);

/* Is there the approval that the plan wants? If not, the claim waits. */
SG_MUST_USE bool sg_deciding_check_approval(struct sg_deciding *decision, struct sg_error *error);
/* The claim is made: ticket and approval are used up. */
SG_MUST_USE bool sg_deciding_use_evidence(struct sg_deciding *decision, struct sg_error *error);

#endif
