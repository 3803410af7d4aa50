/* pool: the sessions on which the direct signer signs, and the way back to a token that was lost.
 * Private to the room.
 *
 * The token's own session holds the login; a pool opens others beside it, when they are wanted, up
 * to its size. Where the token gives no other (size 0, or none is left), the token's own session is
 * lent, one borrower at a time and under the token's lock.
 * A session that failed is not used again. Once the connection is made anew, every session of the
 * one before is closed when it comes back.
 * Thread rule: thread-safe; nobody who holds the token's lock may call these.
 */
#ifndef SG_TOKEN_POOL_H
#define SG_TOKEN_POOL_H

#include "handle.h"

struct sg_pool;

/* Borrowing waits so long for a session that others use. */
enum { SG_BORROW_WAIT_MS = 30000 };
/* A lost token is tried for so long, with pauses that double from the first to the longest. */
enum { SG_RECONNECT_WAIT_MS = 5000, SG_RECONNECT_FIRST_MS = 50, SG_RECONNECT_LONGEST_MS = 1000 };

/* A session on loan. */
struct sg_pool_session {
    CK_SESSION_HANDLE handle;
    unsigned long connection; /* counts how often the token was connected */
    bool is_own;              /* the token's own; its lock is held */
};

/* sg_pool_new makes an empty pool of a token; it opens nothing yet. */
SG_MUST_USE bool sg_pool_new(struct sg_token *token, size_t size, struct sg_pool **pool,
                             struct sg_error *error);

/* sg_pool_borrow lends a session.
 * own      only the token's own will do.
 * Fails: SG_TOKEN, detail is the CK_RV, or 0 when none came free within wait_ms. */
SG_MUST_USE bool sg_pool_borrow(struct sg_pool *pool, bool own, int wait_ms,
                                struct sg_pool_session *session, struct sg_error *error);

/* sg_pool_give_back ends a loan. is_good: the session works; otherwise it is closed. */
void sg_pool_give_back(struct sg_pool *pool, const struct sg_pool_session *session, bool is_good);

/* sg_pool_reconnect makes a new connection after the one of that count was lost: session, login.
 * One thread does, the others wait for it, as long as wait_ms.
 * Fails: SG_PIN at once, as no PIN is tried twice; SG_TOKEN when the time is over. */
SG_MUST_USE bool sg_pool_reconnect(struct sg_pool *pool, unsigned long connection, int wait_ms,
                                   struct sg_error *error);

unsigned long sg_pool_connection(struct sg_pool *pool);

/* sg_pool_have_locked makes the token's pool, if it has none yet, as large as the token's settings,
 * its profile and the token itself let it be. The caller holds the token's lock. */
SG_MUST_USE bool sg_pool_have_locked(struct sg_token *token, struct sg_error *error);

/* What is done on a borrowed session. Fails: SG_TOKEN with the CK_RV as detail, when it was that.
 */
typedef bool sg_pool_work(void *context, const struct sg_pool_session *session,
                          struct sg_error *error);

/* sg_pool_use does a work on a session of the token's pool. A lost token is connected anew and the
 * work is done once more; what fails again is the caller's to tell. own    as sg_pool_borrow. */
SG_MUST_USE bool sg_pool_use(struct sg_token *token, bool own, sg_pool_work *work, void *context,
                             struct sg_error *error);

/* sg_pool_free closes the sessions; none is on loan. */
void sg_pool_free(struct sg_pool *pool);

#endif
