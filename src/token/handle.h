/* handle: what a struct sg_token holds. Private to the room.
 *
 * One session does everything but sign; the engine has sessions of its own. So every function that
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
    ENGINE *engine; /* NULL when the engine could not be had */
    char *pin, *folder, *refusals;
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

/* sg_token_login_locked is sg_token_login. */
SG_MUST_USE bool sg_token_login_locked(struct sg_token *token, struct sg_error *error);

/* sg_token_info_read fills info of a slot's token. */
SG_MUST_USE bool sg_token_info_read(const struct sg_module *module, CK_SLOT_ID slot,
                                    CK_TOKEN_INFO *raw, struct sg_token_info *info,
                                    struct sg_error *error);

/* sg_token_infos_text lists tokens for a message: "'a' (serial 01), 'b' (serial 02)". */
SG_MUST_USE bool sg_token_infos_text(const struct sg_token_info *tokens, size_t num,
                                     struct sg_buf *into, struct sg_error *error);

#endif
