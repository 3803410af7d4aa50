/* tickets: given out by who knows that somebody is about to ask: the token service, the operator.
 *
 * A ticket is 128 random bits, shown once. It lets one request be made, under one policy, for one
 * device or user or both, until its end. What the store does with it is in store/tickets.h.
 */
#ifndef SG_ISSUE_TICKETS_H
#define SG_ISSUE_TICKETS_H

#include "home/home.h"
#include "store/tickets.h"

enum {
    SG_TICKET_LEN = 16, /* bytes */
    SG_TICKET_TEXT_SIZE = 2 * SG_TICKET_LEN + 1,
    SG_TICKET_LIFETIME_S = 3600, /* when nobody says another */
    SG_TICKET_LONGEST_S = 30 * 24 * 3600,
    SG_TICKET_TRIES = 5, /* the same */
    SG_TICKET_MOST_TRIES = 20,
};

/* What a ticket shall be for. Borrowed. */
struct sg_ticket_order {
    const char *policy;
    const char *device, *user; /* by their ids; one has to be there, and what the policy needs */
    const char *token;         /* the card's id, noted with the certificate; NULL: none */
    const char *made_by;       /* who gives it out */
    int64_t lifetime_s;        /* 0: SG_TICKET_LIFETIME_S */
    long tries;                /* of the user's PIN; 0: SG_TICKET_TRIES */
    bool without_pin;          /* a user's ticket asks for no PIN; one without a user never does */
};

/* sg_ticket_make makes a ticket; text is all of it that anybody will ever see.
 * Fails: SG_USAGE (no such policy; what the order says makes no sense), SG_REFUSED when the policy
 * takes no tickets, SG_UNAUTHENTICATED when the device or user is unknown or disabled, SG_STORE. */
SG_MUST_USE bool sg_ticket_make(struct sg_home *home, const struct sg_ticket_order *order,
                                int64_t now, char text[SG_TICKET_TEXT_SIZE], int64_t *id,
                                struct sg_error *error);

/* sg_ticket_find finds the ticket of a text, whatever became of it. Fails: SG_UNAUTHENTICATED, in
 * the same words for what is no ticket's text and what is not this store's. */
SG_MUST_USE bool sg_ticket_find(struct sg_store *store, const char *text, struct sg_ticket *ticket,
                                struct sg_error *error);

#endif
