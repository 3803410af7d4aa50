/* Connecting to PostgreSQL, again when the connection was lost, and what is asked of the server. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "postgres.h"
#include "schema.h"

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 2000, MAX_KEYWORDS = 12 };

/* ---- where it is ---- */

/* A URL can say the same thing in many ways; libpq knows what this one says. */
static bool check_location(struct sg_store *store, struct sg_error *error)
{
    const struct sg_libpq *pq = &store->postgres->pq;
    char *why = NULL;
    bool secret = false;
    PQconninfoOption *const options = pq->PQconninfoParse(store->path, &why);
    if (options == NULL) {
        (void)sg_fail(error, SG_USAGE, NULL, "store %s: %.*s", store->path,
                      (int)strcspn(why != NULL ? why : "", "\n"), why != NULL ? why : "");
        pq->PQfreemem(why);
        return false;
    }
    for (const PQconninfoOption *at = options; at->keyword != NULL; at++)
        secret = secret || (at->val != NULL && strstr(at->keyword, "password") != NULL);
    pq->PQconninfoFree(options);
    return !secret || sg_fail(error, SG_USAGE, NULL,
                              "the URL of the store has a password in it, which others could read: "
                              "put it into a passfile or a service file");
}

static bool is_local(const char *host)
{
    static const char *const LOCAL[] = {"", "localhost", "127.0.0.1", "::1"};
    for (size_t i = 0; i < sizeof LOCAL / sizeof LOCAL[0]; i++)
        if (strcmp(host, LOCAL[i]) == 0)
            return true;
    return host[0] == '/' || host[0] == '@';
}

/* Whoever stands between Signet and its store could issue and revoke. */
static bool check_channel(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    const char *host = postgres->pq.PQhost(postgres->connection);
    bool verified = false;
    if (host != NULL && is_local(host))
        return true;
    PQconninfoOption *const options = postgres->pq.PQconninfo(postgres->connection);
    for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++)
        if (strcmp(at->keyword, "sslmode") == 0)
            verified = at->val != NULL && strcmp(at->val, "verify-full") == 0;
    postgres->pq.PQconninfoFree(options);
    return verified ||
           sg_fail(error, SG_STORE, NULL,
                   "store %s: the server is reached over a network, and nobody would check that it "
                   "is the right one: add sslmode=verify-full and sslrootcert=FILE to the URL",
                   store->path);
}

/* ---- the connection ---- */

/* Notices are for people; but who commits wants to know that there was one. */
static void note_notice(void *context, const char *message)
{
    struct sg_postgres *postgres = context;
    (void)message;
    postgres->has_noticed = true;
}

/* What comes before the URL are defaults, what comes after it isn't the URL's to say. A standby
 * knows nothing of the locks, so readers, too, go to the primary. */
static bool dial(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    const struct {
        const char *keyword, *value;
    } settings[] = {
        {"fallback_application_name", "signet"},
        {"connect_timeout", "10"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "30000"},
        {"dbname", store->path},
        {"client_encoding", "UTF8"},
        {"target_session_attrs", store->read_only ? "primary" : "read-write"},
    };
    const char *keywords[MAX_KEYWORDS] = {NULL}, *values[MAX_KEYWORDS] = {NULL};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        keywords[i] = settings[i].keyword;
        values[i] = settings[i].value;
    }
    postgres->connection = postgres->pq.PQconnectdbParams(keywords, values, 1);
    if (postgres->connection == NULL)
        return sg_fail_memory(error);
    if (postgres->pq.PQstatus(postgres->connection) != CONNECTION_OK)
        return sg_postgres_fail_connection(store, "it can't be reached", error);
    (void)postgres->pq.PQsetNoticeProcessor(postgres->connection, note_notice, postgres);
    return true;
}

static void hang_up(struct sg_postgres *postgres)
{
    if (postgres->connection != NULL)
        postgres->pq.PQfinish(postgres->connection);
    postgres->connection = NULL;
    postgres->lost = true;
    postgres->failed = false;
    postgres->num_sent = 0;
    postgres->num_kept = postgres->num_certain = 0;
    postgres->transaction = SG_NO_TRANSACTION;
    postgres->num_readers = 0;
    sg_postgres_forget(postgres);
}

/* ---- the server ---- */

/* Statements are planned once for each connection, when the tables may still be empty; so plans are
 * made of indexes alone, and stay right as the tables grow. */
static const char SETTINGS[] =
    "SET lock_timeout = '30s'; SET statement_timeout = 0; SET jit = off;"
    " SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;"
    " SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
    " SET enable_hashjoin = off; SET enable_mergejoin = off;"
    " SELECT CASE WHEN current_setting('synchronous_commit') IN ('on', 'remote_apply') THEN ''"
    " ELSE set_config('synchronous_commit', 'on', false) END,"
    " current_setting('fsync'), current_setting('full_page_writes'),"
    " coalesce(to_regclass('store_version')::oid::bigint, 0),"
    " extract(epoch FROM clock_timestamp())::bigint,"
    " count(*) FILTER (WHERE state IS DISTINCT FROM 'backup'),"
    " count(*) FILTER (WHERE coalesce(sync_state, 'hidden') IN ('sync', 'quorum', 'hidden')),"
    " current_setting('synchronous_standby_names') FROM pg_stat_replication";

/* Who has no rights of pg_monitor sees that there are standbys, and not which of them are waited
 * for. */
enum { SYNCHRONOUS, FSYNC, FULL_PAGES, CLASS, CLOCK, NUM_STANDBYS, NUM_SYNCHRONOUS, STANDBY_NAMES };

static bool check_server(struct sg_store *store, const PGresult *settings, struct sg_error *error)
{
    const struct sg_postgres *postgres = store->postgres;
    const char *encoding = postgres->pq.PQparameterStatus(postgres->connection, "server_encoding");
    const int version = postgres->pq.PQserverVersion(postgres->connection);
    if (version < SG_POSTGRES_MIN)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: its server is PostgreSQL %d, and Signet needs %d or later",
                       store->path, version / 10000, SG_POSTGRES_MIN / 10000);
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: the database's encoding is %s: make it with encoding UTF8",
                       store->path, encoding != NULL ? encoding : "unknown");
    if (strcmp(postgres->pq.PQgetvalue(settings, 0, FSYNC), "on") != 0 ||
        strcmp(postgres->pq.PQgetvalue(settings, 0, FULL_PAGES), "on") != 0)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: its server runs with fsync or full_page_writes off, and would "
                       "lose certificates that have left: turn both on",
                       store->path);
    return true;
}

static bool warn(struct sg_store *store, const char *text, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf both = {0};
    if (!sg_buf_printf(&both, SG_ERROR_TEXT_SIZE * 4, error, "%s%s%s",
                       store->warning != NULL ? store->warning : "",
                       store->warning != NULL ? "; " : "", text))
        return false;
    free(store->warning);
    store->warning = (char *)sg_buf_take(&both);
    return true;
}

static bool warn_of_standbys(struct sg_store *store, const PGresult *settings,
                             struct sg_error *error)
{
    const struct sg_libpq *pq = &store->postgres->pq;
    const bool has_standbys = strcmp(pq->PQgetvalue(settings, 0, NUM_STANDBYS), "0") != 0,
               has_synchronous = strcmp(pq->PQgetvalue(settings, 0, NUM_SYNCHRONOUS), "0") != 0,
               wants_synchronous = pq->PQgetvalue(settings, 0, STANDBY_NAMES)[0] != '\0';
    if (!wants_synchronous && has_standbys)
        return warn(store,
                    "the standbys of the store's server are asynchronous: a failover to one loses "
                    "the latest certificates and revocations; set synchronous_standby_names",
                    error);
    if (wants_synchronous && !has_synchronous)
        return warn(store,
                    "the store's server waits for a synchronous standby, and there is none: what "
                    "is written to the store waits until one connects; see "
                    "synchronous_standby_names",
                    error);
    return true;
}

static bool warn_of_clock(struct sg_store *store, const PGresult *settings, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    const char *clock = store->postgres->pq.PQgetvalue(settings, 0, CLOCK);
    const int64_t ahead = strtoll(clock, NULL, 10) - time(NULL);
    return (ahead <= SG_POSTGRES_CLOCK_S && ahead >= -SG_POSTGRES_CLOCK_S) ||
           (sg_buf_printf(&text, SG_ERROR_TEXT_SIZE, error,
                          "the clock of the store's server differs from this machine's by %" PRId64
                          " seconds: keep both in step, by NTP",
                          ahead) &&
            warn(store, (const char *)text.data, error));
}

static bool greet(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    PGresult *settings = NULL;
    if (!check_channel(store, error) ||
        (store->read_only &&
         !sg_postgres_simple(store, "SET default_transaction_read_only = on", NULL, error)) ||
        !sg_postgres_simple(store, SETTINGS, &settings, error))
        return false;
    free(SG_TAKE(store->warning));
    const bool good = check_server(store, settings, error) &&
                      warn_of_standbys(store, settings, error) &&
                      warn_of_clock(store, settings, error);
    postgres->lock_class = (int32_t)strtoll(postgres->pq.PQgetvalue(settings, 0, CLASS), NULL, 10);
    postgres->pq.PQclear(settings);
    return good && (postgres->pq.PQenterPipelineMode(postgres->connection) == 1 ||
                    sg_postgres_fail_connection(store, "the connection was lost", error));
}

static bool take_owner_again(struct sg_store *store, struct sg_error *error)
{
    return store->own == 0 ||
           (sg_postgres_send(store, SG_QUERY_MANY, "SELECT pg_advisory_lock(?::int, ?::int)",
                             SG_VALUES(sg_int(store->postgres->lock_class), sg_int(store->own)),
                             error) &&
            sg_postgres_sync(store, NULL, error));
}

static bool connect_to(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    hang_up(postgres);
    if (!dial(store, error))
        return false;
    postgres->lost = false;
    if (greet(store, error) && take_owner_again(store, error))
        return true;
    hang_up(postgres);
    return false;
}

/* ---- again ---- */

static void pause_for(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

bool sg_postgres_ensure(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    const int64_t deadline = sg_steady_ms() + (int64_t)SG_RECONNECT_S * 1000;
    if (!postgres->lost || postgres->transaction != SG_NO_TRANSACTION)
        return true;
    for (int64_t pause = FIRST_PAUSE_MS;;
         pause = pause < LONGEST_PAUSE_MS / 2 ? pause * 2 : LONGEST_PAUSE_MS) {
        struct sg_error why = {0};
        if (connect_to(store, &why))
            return true;
        if (sg_steady_ms() + pause > deadline)
            return sg_fail(error, SG_STORE, NULL, "%s; tried for %d s", why.text, SG_RECONNECT_S);
        pause_for(pause);
    }
}

/* ---- open and close ---- */

static bool make_tables(struct sg_store *store, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    return sg_transaction_write(store, &write, error) && sg_postgres_create(store, error) &&
           sg_transaction_commit(&write, error);
}

bool sg_postgres_open(struct sg_store *store, const char *location, const char *folder,
                      enum sg_store_mode mode, struct sg_error *error)
{
    (void)folder;
    store->postgres = calloc(1, sizeof *store->postgres);
    store->path = strdup(location);
    if (store->postgres == NULL || store->path == NULL)
        return sg_fail_memory(error);
    store->read_only = mode == SG_STORE_READ_ONLY;
    if (!sg_random_fill(store->postgres->token, sizeof store->postgres->token, error) ||
        !sg_libpq_load(&store->postgres->pq, error) || !check_location(store, error) ||
        !connect_to(store, error))
        return false;
    if (mode == SG_STORE_CREATE)
        return make_tables(store, error) && connect_to(store, error);
    if (mode == SG_STORE_LOAD)
        return true;
    return sg_postgres_check(store, error) &&
           (mode != SG_STORE_OPEN || sg_schema_require(store, error));
}

/* The session ends a little later than its connection; what others ask about is ended here. */
static void say_goodbye(struct sg_store *store)
{
    const struct sg_postgres *postgres = store->postgres;
    const struct sg_value token = sg_bytes(sg_slice_of(postgres->token, sizeof postgres->token));
    if (postgres->num_writes == 0 || postgres->lost || postgres->transaction != SG_NO_TRANSACTION ||
        !sg_postgres_send(store, SG_QUERY_MANY, "SELECT pg_advisory_unlock_all()", SG_NO_VALUES,
                          NULL) ||
        !sg_postgres_send(store, SG_QUERY_MANY,
                          "DELETE FROM writer WHERE token = ?"
                          " OR seen < extract(epoch FROM now())::bigint - 30 * 86400",
                          SG_VALUES(token), NULL))
        return;
    (void)sg_postgres_sync(store, NULL, NULL);
}

void sg_postgres_close(struct sg_store *store)
{
    struct sg_postgres *postgres = store->postgres;
    if (postgres == NULL)
        return;
    if (postgres->connection != NULL) {
        say_goodbye(store);
        hang_up(postgres);
    }
    free(postgres->ahead);
    sg_libpq_unload(&postgres->pq);
    free(postgres);
    store->postgres = NULL;
}
