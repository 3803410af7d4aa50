#include "pool.h"

#include <errno.h>
#include <time.h>

#include "rv.h"

struct sg_pool {
    struct sg_token *token;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a session came back, or the connection is another */
    size_t size, num_open, num_idle;
    unsigned long connection;
    CK_SLOT_ID slot;
    bool own_is_lent, is_reconnecting;
    CK_SESSION_HANDLE idle[];
};

static struct timespec deadline_in(int wait_ms)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += wait_ms / 1000;
    deadline.tv_nsec += wait_ms % 1000 * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000L;
    }
    return deadline;
}

static bool is_past(const struct timespec *deadline)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec != deadline->tv_sec ? now.tv_sec > deadline->tv_sec
                                          : now.tv_nsec >= deadline->tv_nsec;
}

bool sg_pool_new(struct sg_token *token, size_t size, struct sg_pool **pool, struct sg_error *error)
{
    struct sg_pool *fresh = calloc(1, sizeof *fresh + size * sizeof *fresh->idle);
    pthread_condattr_t attributes;

    if (fresh == NULL)
        return sg_fail_memory(error);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&fresh->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&fresh->mutex, NULL);
    fresh->token = token;
    fresh->size = size;
    fresh->slot = token->info.slot;
    fresh->connection = 1; /* 0 is no connection */
    *pool = fresh;
    return true;
}

static void close_session(const struct sg_pool *pool, CK_SESSION_HANDLE session)
{
    pool->token->module.functions->C_CloseSession(session);
    sg_tally_add_sessions(pool->token->tally, -1);
}

/* ---- borrowing; the mutex is held ---- */

/* Opens one more session; the mutex is let go meanwhile. */
static CK_RV open_another(struct sg_pool *pool, CK_SESSION_HANDLE *session)
{
    CK_SLOT_ID slot = pool->slot;
    CK_RV rv;

    pool->num_open++;
    pthread_mutex_unlock(&pool->mutex);
    rv =
        pool->token->module.functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, session);
    pthread_mutex_lock(&pool->mutex);
    if (rv == CKR_OK) {
        sg_tally_add_sessions(pool->token->tally, 1);
    } else {
        pool->num_open--;
        pthread_cond_broadcast(&pool->changed);
    }
    return rv;
}

enum loan { LENT, LENT_OWN, WAIT, FAILED };

/* What can be lent now. LENT_OWN is only promised: its lock is still to be taken. */
static enum loan try_to_lend(struct sg_pool *pool, bool own, struct sg_pool_session *session,
                             CK_RV *rv)
{
    unsigned long connection = pool->connection;

    if (pool->is_reconnecting)
        return WAIT;
    *session = (struct sg_pool_session){.connection = connection};
    if (!own && pool->num_idle > 0) {
        session->handle = pool->idle[--pool->num_idle];
        return LENT;
    }
    if (!own && pool->num_open < pool->size) {
        *rv = open_another(pool, &session->handle);
        if (*rv == CKR_OK)
            return LENT;
        if (*rv != CKR_SESSION_COUNT)
            return FAILED;
    }
    /* The token gives no other session: the pool's come back some time, else its own must do. */
    if ((!own && pool->num_open > 0) || pool->own_is_lent || pool->is_reconnecting)
        return WAIT;
    pool->own_is_lent = true;
    session->connection = pool->connection;
    session->is_own = true;
    return LENT_OWN;
}

static bool fail_to_borrow(const struct sg_pool *pool, CK_RV rv, struct sg_error *error)
{
    const char *label = pool->token->info.label;

    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, pool->token, rv,
                             "cannot open a session with token %s", label);
    return sg_fail(error, SG_TOKEN, NULL,
                   "no session with token %s came free: all are signing; raise sessions: in "
                   "signet.yaml if the token has more",
                   label);
}

bool sg_pool_borrow(struct sg_pool *pool, bool own, int wait_ms, struct sg_pool_session *session,
                    struct sg_error *error)
{
    struct timespec deadline = deadline_in(wait_ms);
    struct sg_pool_session lent;
    CK_RV rv = CKR_OK;
    enum loan loan;

    pthread_mutex_lock(&pool->mutex);
    while ((loan = try_to_lend(pool, own, &lent, &rv)) == WAIT) {
        rv = CKR_OK;
        if (pthread_cond_timedwait(&pool->changed, &pool->mutex, &deadline) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (loan == WAIT || loan == FAILED)
        return fail_to_borrow(pool, rv, error);
    if (loan == LENT_OWN) {
        sg_token_lock(pool->token);
        lent.handle = pool->token->session;
    }
    *session = lent;
    return true;
}

void sg_pool_give_back(struct sg_pool *pool, const struct sg_pool_session *session, bool is_good)
{
    struct sg_token *token = pool->token;
    bool is_kept;

    if (session->is_own)
        sg_cleanup_token_lock(&token);
    pthread_mutex_lock(&pool->mutex);
    is_kept = !session->is_own && is_good && session->connection == pool->connection;
    if (session->is_own)
        pool->own_is_lent = false;
    else if (is_kept)
        pool->idle[pool->num_idle++] = session->handle;
    else
        pool->num_open--;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    if (!session->is_own && !is_kept)
        close_session(pool, session->handle);
}

/* ---- reconnecting ---- */

static void close_idle(struct sg_pool *pool)
{
    while (pool->num_idle > 0) {
        close_session(pool, pool->idle[--pool->num_idle]);
        pool->num_open--;
    }
}

/* Waits until nobody else reconnects. False when the deadline is past; the mutex is held. */
static bool wait_for_other(struct sg_pool *pool, const struct timespec *deadline)
{
    while (pool->is_reconnecting)
        if (pthread_cond_timedwait(&pool->changed, &pool->mutex, deadline) == ETIMEDOUT)
            return false;
    return true;
}

static bool connect_once(struct sg_pool *pool, bool may_restart, struct sg_error *error)
{
    struct sg_token *token = pool->token;
    SG_TOKEN_LOCK(token);

    return sg_token_reconnect_locked(token, may_restart, error);
}

/* A module may be beyond hope until it is started anew; but not while somebody is using it. */
static bool nobody_signs(struct sg_pool *pool)
{
    bool nobody;

    pthread_mutex_lock(&pool->mutex);
    nobody = pool->num_open == 0 && !pool->own_is_lent;
    pthread_mutex_unlock(&pool->mutex);
    return nobody;
}

static bool connect_with_patience(struct sg_pool *pool, const struct timespec *deadline,
                                  struct sg_error *error)
{
    struct sg_error why = {0};

    for (int pause_ms = SG_RECONNECT_FIRST_MS, tries = 0;; tries++) {
        const struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * 1000000L};

        sg_error_clear(&why);
        if (connect_once(pool, tries > 0 && nobody_signs(pool), &why))
            return true;
        if (why.code == SG_PIN || is_past(deadline))
            return sg_error_pass(error, &why);
        nanosleep(&pause, NULL);
        pause_ms = 2 * pause_ms < SG_RECONNECT_LONGEST_MS ? 2 * pause_ms : SG_RECONNECT_LONGEST_MS;
    }
}

bool sg_pool_reconnect(struct sg_pool *pool, unsigned long connection, int wait_ms,
                       struct sg_error *error)
{
    struct timespec deadline = deadline_in(wait_ms);
    bool is_waited, is_connected;

    pthread_mutex_lock(&pool->mutex);
    is_waited = wait_for_other(pool, &deadline);
    is_connected = pool->connection != connection;
    if (is_waited && !is_connected) {
        pool->is_reconnecting = true;
        close_idle(pool);
    }
    pthread_mutex_unlock(&pool->mutex);
    if (is_connected)
        return true;
    if (!is_waited)
        return sg_fail(error, SG_TOKEN, NULL, "token %s is not connected again within %d s",
                       pool->token->info.label, wait_ms / 1000);

    is_connected = connect_with_patience(pool, &deadline, error);
    pthread_mutex_lock(&pool->mutex);
    pool->is_reconnecting = false;
    if (is_connected) {
        pool->connection++;
        pool->slot = pool->token->info.slot;
    }
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    return is_connected;
}

unsigned long sg_pool_connection(struct sg_pool *pool)
{
    unsigned long connection;

    pthread_mutex_lock(&pool->mutex);
    connection = pool->connection;
    pthread_mutex_unlock(&pool->mutex);
    return connection;
}

/* ---- the token's pool ---- */

/* How many sessions the pool may open beside the token's own. */
static bool pool_size(const struct sg_token *token, size_t *size, struct sg_error *error)
{
    struct sg_token_info info;
    CK_TOKEN_INFO raw;
    unsigned long max = token->sessions;

    if (!sg_token_info_read(&token->module, token->info.slot, &raw, &info, error))
        return false;
    if (token->profile.max_sessions > 0 && (unsigned long)token->profile.max_sessions - 1 < max)
        max = (unsigned long)token->profile.max_sessions - 1;
    if (raw.ulMaxSessionCount != CK_EFFECTIVELY_INFINITE &&
        raw.ulMaxSessionCount != CK_UNAVAILABLE_INFORMATION && raw.ulMaxSessionCount - 1 < max)
        max = raw.ulMaxSessionCount - 1;
    *size = max;
    return true;
}

bool sg_pool_have_locked(struct sg_token *token, struct sg_error *error)
{
    size_t size = 0;

    if (token->pool != NULL)
        return true;
    if (!pool_size(token, &size, error) || !sg_pool_new(token, size, &token->pool, error))
        return false;
    if (token->tally != NULL) /* the pool's, and the token's own */
        atomic_fetch_add(&token->tally->max_sessions, (long)size + 1);
    return true;
}

/* connection is the one that was used. */
static bool use_once(struct sg_pool *pool, bool own, sg_pool_work *work, void *context,
                     unsigned long *connection, struct sg_error *error)
{
    struct sg_pool_session session;
    bool is_done;

    *connection = sg_pool_connection(pool);
    if (!sg_pool_borrow(pool, own, SG_BORROW_WAIT_MS, &session, error))
        return false;
    *connection = session.connection;
    is_done = work(context, &session, error);
    sg_pool_give_back(pool, &session, is_done);
    return is_done;
}

bool sg_pool_use(struct sg_token *token, bool own, sg_pool_work *work, void *context,
                 struct sg_error *error)
{
    unsigned long connection = 0;
    struct sg_error why = {0};

    if (use_once(token->pool, own, work, context, &connection, &why))
        return true;
    if (why.code != SG_TOKEN || !sg_rv_is_loss((CK_RV)why.detail))
        return sg_error_pass(error, &why);
    return sg_pool_reconnect(token->pool, connection, SG_RECONNECT_WAIT_MS, error) &&
           use_once(token->pool, own, work, context, &connection, error);
}

void sg_pool_free(struct sg_pool *pool)
{
    if (pool == NULL)
        return;
    close_idle(pool);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
