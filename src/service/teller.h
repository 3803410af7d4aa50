/* teller: answers OCSP (RFC 6960) on threads of its own, so that nobody who asks how a certificate
 * stands waits for one that is being issued, or the other way round.
 *
 * Each thread takes questions from the board, with a handle of its own on the store; the desk's
 * thread keeps the responders' certificates in force between its groups.
 * Does not: know HTTP, or decide what an answer says (status/ocsp.h does).
 * Thread rule: opened, started, kept ready, stopped and freed by the home's thread.
 */
#ifndef SG_SERVICE_TELLER_H
#define SG_SERVICE_TELLER_H

#include "errand.h"
#include "home/home.h"

struct sg_teller;

/* sg_teller_open gets the responders of all issuers ready that signet.yaml names a key for. One
 * that can't have a certificate stays without: then its answers are tryLater or unauthorized, and
 * say why in the log. Fails: SG_TOKEN, SG_PIN, SG_STORE, SG_FAILED. */
SG_MUST_USE bool sg_teller_open(struct sg_home *home, struct sg_board *board,
                                struct sg_teller **teller, struct sg_error *error);

/* sg_teller_start begins to answer; wake is called after each answer. */
SG_MUST_USE bool sg_teller_start(struct sg_teller *teller, void (*wake)(void *context),
                                 void *context, struct sg_error *error);

/* sg_teller_keep_ready renews responders' certificates that are due: looks once an hour, and when
 * anything was revoked or released since. Fails: SG_TOKEN or SG_PIN, also when it was an answer
 * that the token failed; SG_STORE. */
SG_MUST_USE bool sg_teller_keep_ready(struct sg_teller *teller, struct sg_error *error);

/* sg_teller_figures appends what was answered, and when the responders' certificates end. */
SG_MUST_USE bool sg_teller_figures(struct sg_teller *teller, struct sg_buf *text,
                                   struct sg_error *error);

/* sg_teller_stop closes the board, and returns when the questions that wait there are answered. */
void sg_teller_stop(struct sg_teller *teller);
/* sg_teller_free stops it as well; before the home is closed. */
void sg_teller_free(struct sg_teller *teller);

typedef struct sg_teller sg_teller;
SG_DEFINE_CLEANUP(sg_teller, sg_teller_free)

#endif
