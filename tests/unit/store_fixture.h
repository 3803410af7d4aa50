/* store_fixture: a store in a folder of the test's own, and claims to make in it.
 *
 * With SIGNET_TEST_POSTGRES, the URL of a database (tests/postgres/private), the store is a schema
 * of that database, called after the folder. */
#ifndef SG_TEST_STORE_FIXTURE_H
#define SG_TEST_STORE_FIXTURE_H

#include "expect.h"
#include "store/store.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#ifdef TEST_HAS_POSTGRES
#include "store/libpq.h"
#endif

enum { DAY = 86400, NOW = 1700000000 };

struct fixture {
    char folder[64];
    struct sg_store *store;
    int64_t issuer;
};

static inline bool is_on_postgres(void)
{
    return getenv("SIGNET_TEST_POSTGRES") != NULL;
}

enum { LOCATION_SIZE = 512 };

static inline const char *store_location(const char *folder, char into[LOCATION_SIZE])
{
    (void)snprintf(into, LOCATION_SIZE, "sqlite:signet.db");
    if (is_on_postgres())
        (void)snprintf(into, LOCATION_SIZE, "%s&options=-csearch_path%%3D%%22%s%%22",
                       getenv("SIGNET_TEST_POSTGRES"), strrchr(folder, '/') + 1);
    return into;
}

#ifdef TEST_HAS_POSTGRES
/* Runs statements and returns what the last one answers with, as a number. */
static inline long ask_postgres(const char *folder, const char *sql)
{
    char location[LOCATION_SIZE];
    struct sg_libpq pq;
    struct sg_error error = {0};
    expect_success("libpq", sg_libpq_load(&pq, &error), &error);
    const char *const keywords[] = {"dbname", NULL};
    const char *const values[] = {store_location(folder, location), NULL};
    PGconn *connection = pq.PQconnectdbParams(keywords, values, 1);
    PGresult *result = pq.PQexec(connection, sql);
    const ExecStatusType status = pq.PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, pq.PQerrorMessage(connection));
    const long number = pq.PQntuples(result) > 0 ? atol(pq.PQgetvalue(result, 0, 0)) : 0;
    pq.PQclear(result);
    pq.PQfinish(connection);
    sg_libpq_unload(&pq);
    return number;
}

static inline void make_schema(const char *folder)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "CREATE SCHEMA IF NOT EXISTS \"%s\"", strrchr(folder, '/') + 1);
    (void)ask_postgres(folder, sql);
}

/* A session goes soon after its process, and not with it. */
static inline long count_sessions(const char *folder)
{
    return ask_postgres(folder, "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                "current_database() AND pid <> pg_backend_pid()");
}
#else
static inline long ask_postgres(const char *folder, const char *sql)
{
    fail_msg("%s: %s: built without PostgreSQL", folder, sql);
    return 0;
}
static inline void make_schema(const char *folder)
{
    (void)folder;
}
static inline long count_sessions(const char *folder)
{
    (void)folder;
    return 0;
}
#endif

static inline struct sg_store *open_store(const char *folder, enum sg_store_mode mode)
{
    char location[LOCATION_SIZE];
    struct sg_store *store = NULL;
    struct sg_error error = {0};
    if (is_on_postgres() && mode == SG_STORE_CREATE)
        make_schema(folder);
    expect_success("open",
                   sg_store_open(store_location(folder, location), folder, mode, &store, &error),
                   &error);
    return store;
}

/* The second byte of issuers' keys, so that they are not those of claims. */
enum { ISSUER_KEY = 0xca };

static inline int64_t add_issuer(struct sg_store *store, const char *name, uint8_t key)
{
    uint8_t spki[SG_SHA256_LEN] = {key, ISSUER_KEY};
    struct sg_error error = {0};
    int64_t issuer = 0;
    expect_success(name, sg_store_issuer(store, name, spki, &issuer, &error), &error);
    return issuer;
}

static inline void add_record(struct sg_store *store, enum sg_registry_kind kind, const char *id)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s", id);
    const struct sg_record record = {.id = name};
    struct sg_error error = {0};
    expect_success(id, sg_store_register(store, kind, &record, 1, NULL, &error), &error);
}

/* A store with the issuer "issuing", the devices d1…d4 and the users u1 and u2. */
static inline int set_up(void **state)
{
    static struct fixture fixture;
    make_folder(fixture.folder);
    fixture.store = open_store(fixture.folder, SG_STORE_CREATE);
    fixture.issuer = add_issuer(fixture.store, "issuing", 1);
    for (int i = 0; i < 4; i++)
        add_record(fixture.store, SG_REGISTRY_DEVICE, (const char *[]){"d1", "d2", "d3", "d4"}[i]);
    for (int i = 0; i < 2; i++)
        add_record(fixture.store, SG_REGISTRY_USER, (const char *[]){"u1", "u2"}[i]);
    *state = &fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sg_store_close(fixture->store);
    fixture->store = NULL;
    remove_folder(fixture->folder);
    return 0;
}

/* A claim in short. Zero fields take the defaults that ask() gives them. */
struct ask {
    const char *policy, *device, *user;
    uint8_t key, content, serial;
    int64_t now, not_after;
    enum sg_unique unique;
    int64_t window_s; /* 0: not renewable */
    enum sg_same_key same_key;
    enum sg_previous previous;
    const struct sg_record *register_device;
    bool replace;
    enum sg_reason replace_reason;
    int64_t ticket, renews;
    unsigned evidence; /* 0: the operator's */
    const char *approver, *asked_by, *token;
};

/* What a claim borrows. */
struct asked {
    struct sg_plan plan;
    struct sg_requester requester;
    struct sg_serial serial;
    char device[32], user[32], policy[32], token[32];
    uint8_t spki[SG_SHA256_LEN], content[SG_SHA256_LEN], tbs[64];
};

static inline void copy_name(char into[32], const char *name)
{
    (void)snprintf(into, 32, "%s", name != NULL ? name : "");
}

static inline struct sg_claim ask(const struct fixture *fixture, const struct ask *ask,
                                  struct asked *asked)
{
    *asked = (struct asked){0};
    copy_name(asked->policy, ask->policy != NULL ? ask->policy : "mtls");
    copy_name(asked->device, ask->device);
    copy_name(asked->user, ask->user);
    copy_name(asked->token, ask->token);
    asked->plan = (struct sg_plan){
        .policy = asked->policy,
        .not_before = (ask->now != 0 ? ask->now : NOW) - 300,
        .not_after = ask->not_after != 0 ? ask->not_after : NOW + 365 * DAY,
        .unique = ask->unique,
        .renewable = ask->window_s != 0,
        .renewal_window_s = ask->window_s,
        .same_key = ask->same_key,
        .previous = ask->previous,
        .approver = ask->approver,
    };
    asked->requester = (struct sg_requester){
        .evidence = ask->evidence != 0 ? ask->evidence : SG_BY_OPERATOR,
        .has_device = ask->device != NULL,
        .has_user = ask->user != NULL,
        .device = {.id = asked->device},
        .user = {.id = asked->user},
        .token = ask->token != NULL ? asked->token : NULL,
    };
    asked->serial = (struct sg_serial){.bytes = {1, ask->serial}, .len = 2};
    asked->spki[0] = ask->key;
    asked->content[0] = ask->content;
    (void)snprintf((char *)asked->tbs, sizeof asked->tbs, "to be signed: %u", ask->serial);
    return (struct sg_claim){
        .issuer = fixture->issuer,
        .plan = &asked->plan,
        .requester = &asked->requester,
        .serial = &asked->serial,
        .subject = "CN=test",
        .spki_sha256 = asked->spki,
        .content_sha256 = asked->content,
        .tbs = sg_slice_text((const char *)asked->tbs),
        .register_device = ask->register_device,
        .replace = ask->replace,
        .replace_reason = ask->replace_reason,
        .ticket = ask->ticket,
        .renews = ask->renews,
        .asked_by = ask->asked_by,
        .request = sg_slice_text("the request"),
        .now = ask->now != 0 ? ask->now : NOW,
    };
}

/* Claims alone in its group; the group must succeed. The caller releases claim.existing. */
static inline struct sg_claim claim_one(struct fixture *fixture, struct sg_store *store,
                                        const struct ask *wanted)
{
    struct asked asked;
    struct sg_error error = {0};
    struct sg_claim claim = ask(fixture, wanted, &asked);
    expect_success("claim", sg_store_claim(store, &claim, 1, &error), &error);
    return claim;
}

static inline bool record(struct sg_store *store, int64_t id, uint8_t serial, int64_t now,
                          struct sg_error *error)
{
    char der[128];
    (void)snprintf(der, sizeof der, "head|to be signed: %u|tail", serial);
    const struct sg_slice bytes = sg_slice_text(der);
    return sg_store_record(store, &id, &bytes, 1, now, error);
}

/* x'00' is written '\\x00' there. */
static inline void change_postgres(const char *folder, const char *sql)
{
    char changed[1024];
    size_t len = 0;
    for (; *sql != '\0' && len + 4 < sizeof changed; sql++) {
        const bool is_bytes = strncmp(sql, " x'", 3) == 0;
        len +=
            (size_t)snprintf(changed + len, sizeof changed - len, is_bytes ? " '\\x" : "%c", *sql);
        sql += is_bytes ? 2 : 0;
    }
    (void)ask_postgres(folder, changed);
}

static inline void change_store(const struct fixture *fixture, const char *sql)
{
    char path[128];
    if (is_on_postgres()) {
        change_postgres(fixture->folder, sql);
        return;
    }
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/signet.db", fixture->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* Claims and records; returns the claim's id. */
static inline int64_t issue(struct fixture *fixture, const struct ask *wanted)
{
    struct sg_error error = {0};
    struct sg_claim claim = claim_one(fixture, fixture->store, wanted);
    if (claim.outcome != SG_CLAIM_NEW)
        fail_msg("serial %u should be claimed, but: %s", wanted->serial, claim.error.text);
    expect_success("record",
                   record(fixture->store, claim.id, wanted->serial,
                          wanted->now != 0 ? wanted->now : NOW, &error),
                   &error);
    return claim.id;
}

struct seen {
    size_t num;
    int64_t ids[16];
    struct sg_certificate last; /* its texts are not kept */
    char device[32], issuer[32], der[128];
};

static inline bool see_certificate(const struct sg_certificate *certificate, void *context,
                                   struct sg_error *error)
{
    struct seen *seen = context;
    (void)error;
    assert_true(seen->num < NUM(seen->ids));
    seen->ids[seen->num++] = certificate->id;
    seen->last = *certificate;
    copy_name(seen->device, certificate->device);
    copy_name(seen->issuer, certificate->issuer);
    (void)snprintf(seen->der, sizeof seen->der, "%.*s", (int)certificate->der.len,
                   certificate->der.data != NULL ? (const char *)certificate->der.data : "");
    return true;
}

static inline struct seen look(struct sg_store *store, struct sg_certificate_filter filter)
{
    struct seen seen = {0};
    struct sg_error error = {0};
    if (filter.now == 0)
        filter.now = NOW;
    expect_success(
        "each", sg_store_each_certificate(store, &filter, see_certificate, &seen, &error), &error);
    return seen;
}

/* How the claim with this serial stands. */
static inline enum sg_status status_of(struct sg_store *store, uint8_t serial, int64_t now)
{
    const struct sg_serial wanted = {.bytes = {1, serial}, .len = 2};
    const struct seen seen =
        look(store, (struct sg_certificate_filter){.serial = &wanted, .now = now});
    if (seen.num != 1)
        fail_msg("serial %u: %zu certificates", serial, seen.num);
    return seen.last.status;
}

static inline void expect_status(struct sg_store *store, uint8_t serial, int64_t now,
                                 enum sg_status wanted)
{
    const enum sg_status status = status_of(store, serial, now);
    if (status != wanted)
        fail_msg("serial %u: should be %s, is %s", serial, sg_status_word(wanted),
                 sg_status_word(status));
}

/* Runs work in another process, which opens its own handles, and returns how it ended. The child
 * leaves by _exit, so that it does not run cmocka's end. */
static inline int in_child(int (*work)(void *context), void *context)
{
    const long before = is_on_postgres() ? count_sessions("/") : 0;
    const pid_t child = fork();
    if (child == 0)
        _exit(work(context));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    for (int i = 0; is_on_postgres() && i < 500 && count_sessions("/") > before; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    return status;
}

#endif
