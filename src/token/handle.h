/* handle: what a struct sg_token holds. Private to the room.
 *
 * One session does everything but sign; the engine and the direct signer's pool have sessions of
 * their own. So every function that
 * uses the session holds the lock; those named below as "locked" expect that their caller does. The
 * lock holds off this process's other threads, and by the module's turn other processes.
 */
#ifndef SG_TOKEN_HANDLE_H
#define SG_TOKEN_HANDLE_H

#include <pthread.h>

#include "engine.h"
#include "module.h"
#include "token.h"

struct sg_token {
    struct sg_module module;
    struct sg_profile profile;
    struct sg_token_info info; /* as it was when the token was opened */
    CK_SESSION_HANDLE session;
    bool has_session, is_read_only, is_logged_in;
    ENGINE *engine;             /* NULL when the engine could not be had */
    enum sg_signer_kind signer; /* settled */
    size_t sessions;
    struct sg_pool *pool; /* the direct signer's; NULL before the first */
    char *pin, *so_pin, *folder, *refusals;
    struct sg_tally *tally; /* NULL: nobody counts */
    pthread_mutex_t lock;
};

static inline struct sg_token *sg_token_lock(struct sg_token *token)
{
    pthread_mutex_lock(&token->lock);
    sg_module_take_turn(&token->module);
    return token;
}

static inline void sg_cleanup_token_lock(struct sg_token **token)
{
    sg_module_end_turn(&(*token)->module);
    pthread_mutex_unlock(&(*token)->lock);
}

/* SG_TOKEN_LOCK holds the token's lock until the block ends. */
#define SG_TOKEN_LOCK(token)                                                                       \
    sg_auto(token_lock) struct sg_token *locked_ __attribute__((unused)) = sg_token_lock(token)

/* sg_fail_token is sg_fail_rv with what a call of the token's module returned: it is counted. */
bool sg_fail_token(struct sg_error *error, enum sg_code code, const struct sg_token *token,
                   CK_RV rv, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* sg_token_login_locked is sg_token_login. */
SG_MUST_USE bool sg_token_login_locked(struct sg_token *token, struct sg_error *error);

/* sg_token_begin_writing_locked logs in as who may make keys and write certificates by the token's
 * profile, when the user is logged in already: nothing more for the user, a change for the security
 * officer. sg_token_end_writing_locked ends that; the user's login is gone then. */
SG_MUST_USE bool sg_token_begin_writing_locked(struct sg_token *token, struct sg_error *error);
void sg_token_end_writing_locked(struct sg_token *token);

/* sg_token_authenticate_locked gives the PIN once more, for the signature that the token's own
 * session has begun with a key that wants it each time (CKA_ALWAYS_AUTHENTICATE). The PIN is read
 * from its source again: it is not kept. Fails: as sg_token_login. */
SG_MUST_USE bool sg_token_authenticate_locked(struct sg_token *token, const char *key,
                                              struct sg_error *error);

/* sg_token_open_session_locked opens the token's own session, for writing if the token lets it;
 * sg_token_close_session_locked closes it, if there is one. */
SG_MUST_USE bool sg_token_open_session_locked(struct sg_token *token, struct sg_error *error);
void sg_token_close_session_locked(struct sg_token *token);

/* sg_token_reconnect_locked replaces the token's own session by a new one and logs in; the token is
 * looked for in every slot.
 * restart  the module is ended and started first; it works only where nobody else in the process
 *          uses the module. */
SG_MUST_USE bool sg_token_reconnect_locked(struct sg_token *token, bool restart,
                                           struct sg_error *error);

/* sg_token_info_read fills info of a slot's token. */
SG_MUST_USE bool sg_token_info_read(const struct sg_module *module, CK_SLOT_ID slot,
                                    CK_TOKEN_INFO *raw, struct sg_token_info *info,
                                    struct sg_error *error);

/* sg_token_infos_text lists tokens for a message: "'a' (serial 01), 'b' (serial 02)". */
SG_MUST_USE bool sg_token_infos_text(const struct sg_token_info *tokens, size_t num,
                                     struct sg_buf *into, struct sg_error *error);

#endif
