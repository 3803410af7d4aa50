/* What is PostgreSQL's alone: where it is, a connection that is lost, and several processes. */
#include "store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "store/postgres.h"

static void run_server(const char *what)
{
    char command[256];
    (void)snprintf(command, sizeof command, "%s %s >/dev/null 2>&1", getenv("SIGNET_TEST_SERVER"),
                   what);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- where it is ---- */

static void expect_location(const char *location, enum sg_store_mode mode, enum sg_code code,
                            const char *part)
{
    struct sg_store *store = NULL;
    struct sg_error error = {0};
    expect_failure(location, sg_store_open(location, "/", mode, &store, &error), &error, code,
                   part);
    assert_null(store);
    if (strstr(error.text, "hunter2") != NULL)
        fail_msg("%s: the password is in the message: %s", location, error.text);
}

static void test_locations(void **state)
{
    static const struct {
        const char *location;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"postgresql://ca:hunter2@db/ca", SG_USAGE, "has a password in it"},
        {"postgres://ca:hunter2@db", SG_USAGE, "has a password in it"},
        {"postgresql:///ca?password=hunter2", SG_USAGE, "has a password in it"},
        {"postgresql:///ca?host=/x&sslpassword=hunter2", SG_USAGE, "has a password in it"},
        {"postgresql:///ca?p%61ssword=hunter2", SG_USAGE, "has a password in it"},
        {"postgresql:///ca?colour=red", SG_USAGE, "colour"},
        {"postgresql:///ca?host=/nonexistent", SG_STORE, "it can't be reached"},
    };
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        expect_location(CASES[i].location, SG_STORE_OPEN, CASES[i].code, CASES[i].part);
}

static void test_what_is_there(void **state)
{
    struct fixture *fixture = *state;
    char location[LOCATION_SIZE], folder[64] = "/tmp/signet-no-store";
    make_schema(folder);
    expect_location(store_location(folder, location), SG_STORE_OPEN, SG_STORE,
                    "`signet init` makes them");
    expect_location(store_location(fixture->folder, location), SG_STORE_CREATE, SG_STORE,
                    "never replaced");
    change_store(fixture, "UPDATE store_version SET version = 99");
    expect_location(store_location(fixture->folder, location), SG_STORE_OPEN, SG_STORE,
                    "version 99");
    change_store(fixture, "UPDATE store_version SET version = 7");
}

static void test_reader_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    struct sg_error error = {0};
    expect_failure("revoke", sg_store_revoke(reader, 1, SG_REASON_SUPERSEDED, NOW, &error), &error,
                   SG_STORE, "reading only");
    sg_store_close(reader);
}

/* ---- settings of the server ---- */

static void expect_warning(struct fixture *fixture, const char *part)
{
    struct sg_store *store = open_store(fixture->folder, SG_STORE_OPEN);
    const char *warning = sg_store_warning(store);
    if ((warning == NULL) != (part == NULL) || (part != NULL && strstr(warning, part) == NULL))
        fail_msg("should warn of '%s', warns: %s", part != NULL ? part : "nothing",
                 warning != NULL ? warning : "of nothing");
    sg_store_close(store);
}

static void test_settings(void **state)
{
    struct fixture *fixture = *state;
    char location[LOCATION_SIZE];
    expect_warning(fixture, NULL);
    (void)ask_postgres("/", "ALTER SYSTEM SET fsync = off");
    (void)ask_postgres("/", "SELECT pg_reload_conf()");
    pause_ms(300);
    expect_location(store_location(fixture->folder, location), SG_STORE_OPEN, SG_STORE, "fsync");
    (void)ask_postgres("/", "ALTER SYSTEM RESET fsync");
    /* what doesn't wait for the disk is made to */
    (void)ask_postgres("/", "ALTER SYSTEM SET synchronous_commit = off");
    (void)ask_postgres("/", "SELECT pg_reload_conf()");
    pause_ms(300);
    struct sg_store *store = open_store(fixture->folder, SG_STORE_OPEN);
    bool found = false;
    int64_t is_on = 0;
    assert_true(sg_sql_number(store, "SELECT (current_setting('synchronous_commit') = 'on')::int",
                              SG_NO_VALUES, &found, &is_on, NULL));
    assert_int_equal(is_on, 1);
    sg_store_close(store);
    (void)ask_postgres("/", "ALTER SYSTEM RESET synchronous_commit");
    (void)ask_postgres("/", "SELECT pg_reload_conf()");
}

/* ---- a connection that is lost ---- */

static void end_sessions(const struct fixture *fixture)
{
    (void)ask_postgres(fixture->folder,
                       "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                       " WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

static void test_idle(void **state)
{
    struct fixture *fixture = *state;
    static const char *const LOSSES[] = {"session", "restart", "kill"};
    for (size_t i = 0; i < NUM(LOSSES); i++) {
        const uint8_t n = (uint8_t)(2 * i + 1);
        struct sg_error error = {0};
        struct sg_claim claim =
            claim_one(fixture, fixture->store, &(struct ask){.key = n, .serial = n});
        assert_int_equal(claim.outcome, SG_CLAIM_NEW);
        if (i == 0)
            end_sessions(fixture);
        else
            run_server(LOSSES[i]);
        /* the handle is the same owner as before */
        expect_success(LOSSES[i], record(fixture->store, claim.id, n, NOW, &error), &error);
        if (i == 0)
            end_sessions(fixture);
        else
            run_server(LOSSES[i]);
        expect_status(fixture->store, n, NOW, SG_STATUS_VALID);
    }
}

/* While it was away, somebody has found it dead. */
static void test_given_up_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    struct sg_claim claim =
        claim_one(fixture, fixture->store, &(struct ask){.device = "d1", .serial = 1});
    end_sessions(fixture);
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    expect_status(other, 1, NOW, SG_STATUS_ORPHANED);
    claim_one(fixture, other, &(struct ask){.device = "d1", .key = 0, .serial = 2});
    expect_failure("record", record(fixture->store, claim.id, 1, NOW, &error), &error, SG_REFUSED,
                   "was given up while it was being signed");
    expect_status(fixture->store, 1, NOW, SG_STATUS_ORPHANED);
    sg_store_close(other);
}

static bool end_session_and_change(struct sg_record *record, void *context, struct sg_error *error)
{
    end_sessions(context);
    return sg_record_set(record, "colour", "red", error);
}

/* Inside a transaction nothing is made good: all of it is gone. */
static void test_inside(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    expect_failure("amend",
                   sg_store_amend_record(fixture->store, SG_REGISTRY_DEVICE, "d1",
                                         end_session_and_change, fixture, &error),
                   &error, SG_STORE, "");
    sg_auto(sg_record) struct sg_record found = {0};
    sg_error_clear(&error);
    expect_success("find",
                   sg_store_find_record(fixture->store, SG_REGISTRY_DEVICE, "d1", &found, &error),
                   &error);
    assert_int_equal(found.num_attributes, 0);
}

/* ---- a commit of which nobody hears ---- */

/* A session of somebody else's that works on its own. */
struct meddler {
    const char *folder;
    const char *const *steps; /* SQL, one after the other; NULL ends */
    atomic_bool is_at_last;
    pthread_t thread;
};

static void *meddle(void *context)
{
    struct meddler *meddler = context;
    for (const char *const *step = meddler->steps; *step != NULL; step++) {
        pause_ms(400);
        meddler->is_at_last = step[1] == NULL;
        (void)ask_postgres(meddler->folder, *step);
    }
    return NULL;
}

static void expect_one_claim(struct fixture *fixture, const char *const *steps)
{
    struct meddler meddler = {.folder = fixture->folder, .steps = steps};
    const int64_t before = ask_postgres(fixture->folder, "SELECT count(*) FROM claim");
    assert_int_equal(pthread_create(&meddler.thread, NULL, meddle, &meddler), 0);
    struct sg_claim claim =
        claim_one(fixture, fixture->store, &(struct ask){.device = "d2", .key = 9, .serial = 9});
    assert_true(meddler.is_at_last); /* nothing was told before */
    assert_int_equal(pthread_join(meddler.thread, NULL), 0);
    assert_int_equal(claim.outcome, SG_CLAIM_NEW);
    assert_int_equal(ask_postgres(fixture->folder, "SELECT count(*) FROM claim"), before + 1);
    struct sg_error error = {0};
    expect_success("record", record(fixture->store, claim.id, 9, NOW, &error), &error);
    expect_status(fixture->store, 9, NOW, SG_STATUS_VALID);
}

#define END_COMMITS                                                                                \
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname ="                \
    " current_database() AND pid <> pg_backend_pid() AND query LIKE 'COMMIT%'"

#define CANCEL_COMMITS                                                                             \
    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE datname ="                   \
    " current_database() AND pid <> pg_backend_pid() AND query LIKE 'COMMIT%'"

/* The server has committed, and waits for a standby that isn't there. */
static void expect_wait(struct fixture *fixture, const char *meddling)
{
    const char *const steps[] = {
        meddling,
        "ALTER SYSTEM RESET synchronous_standby_names",
        "SELECT pg_reload_conf()",
        NULL,
    };
    issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    (void)ask_postgres("/", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    (void)ask_postgres("/", "SELECT pg_reload_conf()");
    pause_ms(300);
    expect_warning(fixture, "waits for a synchronous standby, and there is none");
    expect_one_claim(fixture, steps);
}

static void test_commit_was_made(void **state)
{
    expect_wait(*state, END_COMMITS);
}

/* The server says that it has committed, and that it has not waited. */
static void test_wait_was_ended(void **state)
{
    expect_wait(*state, CANCEL_COMMITS);
}

/* A trigger keeps the server busy before it commits. */
static void test_commit_was_not_made(void **state)
{
    static const char *const STEPS[] = {
        "UPDATE busy SET for_s = 0",
        END_COMMITS,
        NULL,
    };
    struct fixture *fixture = *state;
    issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    change_store(fixture, "CREATE TABLE busy (for_s FLOAT)");
    change_store(fixture, "INSERT INTO busy VALUES (20)");
    change_store(fixture, "CREATE FUNCTION be_busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                          " PERFORM pg_sleep(for_s) FROM busy; RETURN NULL; END $$");
    change_store(fixture,
                 "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON claim DEFERRABLE INITIALLY"
                 " DEFERRED FOR EACH ROW EXECUTE FUNCTION be_busy()");
    expect_one_claim(fixture, STEPS);
}

/* ---- several processes ---- */

enum { PROCESSES = 4, ROUNDS = 60, DEVICES = 6 };

struct worker {
    struct fixture *fixture;
    int number;
};

static struct sg_serial serial_of(int worker, int round)
{
    return (struct sg_serial){.bytes = {2, (uint8_t)worker, (uint8_t)round}, .len = 3};
}

/* One device after the other, the same for all: each may have one certificate that is valid. */
static bool work_once(struct sg_store *store, const struct worker *worker, int round)
{
    struct asked asked;
    struct sg_error error = {0};
    char device[16];
    (void)snprintf(device, sizeof device, "w%d", round % DEVICES);
    struct sg_claim claim = ask(worker->fixture,
                                &(struct ask){.device = device,
                                              .key = (uint8_t)(100 + worker->number),
                                              .content = (uint8_t)round,
                                              .unique = SG_UNIQUE_DEVICE},
                                &asked);
    const struct sg_record record = {.id = device};
    asked.spki[2] = (uint8_t)(round + 1);
    asked.serial = serial_of(worker->number, round);
    (void)snprintf((char *)asked.tbs, sizeof asked.tbs, "to be signed %d %d", worker->number,
                   round);
    claim.tbs = sg_slice_text((const char *)asked.tbs);
    claim.register_device = &record;
    if (!sg_store_claim(store, &claim, 1, &error))
        return false;
    sg_certificate_done(&claim.existing);
    if (claim.outcome != SG_CLAIM_NEW)
        return true;
    pause_ms(3); /* a token signs */
    const bool done = sg_store_record(store, &claim.id, &claim.tbs, 1, NOW, &error);
    if (done && round % 3 == 0)
        return sg_store_revoke(store, claim.id, SG_REASON_SUPERSEDED, NOW, &error);
    return done || error.code == SG_REFUSED;
}

static bool add_nothing(void *context, const struct sg_revoked *revoked, struct sg_error *error)
{
    (void)error;
    (void)revoked;
    ++*(size_t *)context;
    return true;
}

static bool finish_nothing(void *context, uint64_t number, struct sg_slice *to_be_signed,
                           struct sg_error *error)
{
    (void)error;
    (void)number;
    *to_be_signed = sg_slice_of(context, sizeof(size_t));
    return true;
}

/* A CRL with a higher number lists no less, as nothing expires and nothing is released here. */
static bool make_crl(struct sg_store *store, const struct worker *worker, size_t *listed)
{
    size_t num = 0;
    uint64_t number = 0;
    struct sg_error error = {0};
    const struct sg_crl_builder builder = {
        .add = add_nothing, .finish = finish_nothing, .context = &num};
    if (!sg_store_reserve_crl(store, worker->fixture->issuer, NOW, NOW + DAY, &builder, &number,
                              &error))
        return error.code == SG_STORE;
    if (num < *listed)
        return false;
    *listed = num;
    return sg_store_record_crl(store, worker->fixture->issuer, number, sg_slice_text("crl"),
                               &error) ||
           error.code == SG_STORE;
}

static int work(void *context)
{
    const struct worker *worker = context;
    struct sg_store *store = NULL;
    char location[LOCATION_SIZE];
    size_t listed = 0;
    bool done = false;
    for (int i = 0; !done && i < 100; i++) {
        done = sg_store_open(store_location(worker->fixture->folder, location), "/", SG_STORE_OPEN,
                             &store, NULL);
        if (!done)
            pause_ms(100);
    }
    for (int round = 0; done && round < ROUNDS; round++)
        done = work_once(store, worker, round) &&
               (round % 10 != 9 || make_crl(store, worker, &listed));
    sg_store_close(store);
    return done ? 0 : 1;
}

static void check_numbers(const struct fixture *fixture)
{
    static const struct {
        const char *what, *sql;
    } NONE[] = {
        {"serials that were used twice",
         "SELECT count(*) FROM (SELECT serial FROM claim GROUP BY serial, issuer"
         " HAVING count(*) > 1) t"},
        {"devices with two certificates",
         "SELECT count(*) FROM (SELECT c.device FROM claim c"
         " LEFT JOIN revocation r ON r.claim = c.id WHERE r.claim IS NULL AND c.device LIKE 'w%'"
         " GROUP BY c.device HAVING count(*) > 1) t"},
        {"claims that are neither recorded nor given up",
         "SELECT count(*) FROM claim c LEFT JOIN pending p ON p.claim = c.id"
         " LEFT JOIN certificate d ON d.claim = c.id"
         " LEFT JOIN revocation r ON r.claim = c.id"
         " WHERE (d.claim IS NULL) = (p.claim IS NULL) OR (p.claim IS NOT NULL AND r.claim IS "
         "NULL)"},
        {"gaps between CRL numbers", "SELECT max(number) - count(*) FROM crl"},
        {"ids that were left out", "SELECT max(id) - count(*) FROM claim"},
    };
    for (size_t i = 0; i < NUM(NONE); i++)
        if (ask_postgres(fixture->folder, NONE[i].sql) != 0)
            fail_msg("%s: %ld", NONE[i].what, ask_postgres(fixture->folder, NONE[i].sql));
    assert_true(ask_postgres(fixture->folder, "SELECT count(*) FROM certificate") > DEVICES);
    assert_true(ask_postgres(fixture->folder, "SELECT max(number) FROM crl") > PROCESSES);
}

static pid_t begin_work(struct worker *worker)
{
    const pid_t child = fork();
    if (child == 0)
        _exit(work(worker));
    return child;
}

/* Four work at once; one is killed and another begun in its place; the server is restarted, and it
 * is killed. */
static void test_processes(void **state)
{
    struct fixture *fixture = *state;
    struct worker workers[PROCESSES + 1];
    pid_t children[PROCESSES + 1];
    int status = 0;
    for (int i = 0; i <= PROCESSES; i++)
        workers[i] = (struct worker){.fixture = fixture, .number = i};
    for (int i = 0; i < PROCESSES; i++)
        children[i] = begin_work(&workers[i]);
    pause_ms(300);
    kill(children[1], SIGKILL);
    assert_int_equal(waitpid(children[1], &status, 0), children[1]);
    children[1] = begin_work(&workers[PROCESSES]);
    pause_ms(200);
    run_server("restart");
    pause_ms(400);
    run_server("kill");
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    /* the killed one's claims are given up by whoever makes the next CRL */
    size_t listed = 0;
    assert_true(make_crl(fixture->store, &workers[0], &listed));
    check_numbers(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locations),
        cmocka_unit_test_setup_teardown(test_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_writes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_idle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_given_up_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_commit_was_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait_was_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_commit_was_not_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_processes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
