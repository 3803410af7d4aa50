/* tickets: who may ask once, for what, until when. Part of store.h's contract: each function is one
 * transaction, durable when it returns true.
 *
 * A ticket's text is not kept: the store knows its SHA-256, which is enough to recognise 128 random
 * bits and useless for asking.
 */
#ifndef SG_STORE_TICKETS_H
#define SG_STORE_TICKETS_H

#include "store.h"

enum sg_ticket_state {
    SG_TICKET_OPEN,
    SG_TICKET_WAITING, /* its request waits for an approval */
    SG_TICKET_SPENT,
    SG_TICKET_DROPPED,
    SG_TICKET_EXPIRED,
};
const char *sg_ticket_state_word(enum sg_ticket_state state);

struct sg_ticket {
    int64_t id;          /* what people call it */
    char *policy;        /* that it is for */
    char *device, *user; /* whom; NULL when none, one of them is there */
    char *token;         /* the id of the card; NULL: not told */
    char *made_by;
    int64_t made, not_after; /* good until not_after itself */
    bool wants_pin;
    int64_t tries;    /* of the PIN, that are left */
    int64_t claim;    /* that it was spent on; 0: none */
    int64_t approval; /* that its request waits with, or waited; 0: none */
    bool dropped;
};
void sg_ticket_done(struct sg_ticket *ticket);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ticket, sg_ticket_done)

enum sg_ticket_state sg_ticket_state(const struct sg_ticket *ticket, int64_t now);

/* sg_store_add_ticket keeps a new ticket. Of ticket, id and what becomes of it later do not count.
 * Fails: SG_UNAUTHENTICATED when the device or user is not registered or disabled. */
SG_MUST_USE bool sg_store_add_ticket(struct sg_store *store, const struct sg_ticket *ticket,
                                     const uint8_t sha256[SG_SHA256_LEN], int64_t *id,
                                     struct sg_error *error);

/* sg_store_find_ticket finds it by the hash of its text, whatever became of it. Fails:
 * SG_UNAUTHENTICATED when there is none. */
SG_MUST_USE bool sg_store_find_ticket(struct sg_store *store, const uint8_t sha256[SG_SHA256_LEN],
                                      struct sg_ticket *ticket, struct sg_error *error);

/* sg_store_take_try takes one of the ticket's tries, before the PIN is compared.
 * Fails: SG_UNAUTHENTICATED when none is left. */
SG_MUST_USE bool sg_store_take_try(struct sg_store *store, int64_t id, struct sg_error *error);
/* sg_store_give_back_try gives it back, as the PIN was right; those of wrong PINs stay taken. */
SG_MUST_USE bool sg_store_give_back_try(struct sg_store *store, int64_t id, struct sg_error *error);

/* sg_store_drop_ticket makes it good for nothing. Fails: SG_REFUSED when there is none of that id,
 * or it was spent, or dropped before. */
SG_MUST_USE bool sg_store_drop_ticket(struct sg_store *store, int64_t id, struct sg_error *error);

typedef bool sg_ticket_visitor(const struct sg_ticket *ticket, void *context,
                               struct sg_error *error);
/* sg_store_each_ticket visits all of them, oldest first. */
SG_MUST_USE bool sg_store_each_ticket(struct sg_store *store, sg_ticket_visitor *visit,
                                      void *context, struct sg_error *error);

/* Which of them. */
struct sg_ticket_filter {
    int64_t after; /* only those with a larger id */
    bool only_state;
    enum sg_ticket_state state; /* at now */
    int64_t now;
    size_t num; /* so many at most */
};
/* sg_store_list_tickets visits a page of them, oldest first. */
SG_MUST_USE bool sg_store_list_tickets(struct sg_store *store,
                                       const struct sg_ticket_filter *filter,
                                       sg_ticket_visitor *visit, void *context,
                                       struct sg_error *error);

#endif
