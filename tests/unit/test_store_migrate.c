#include "store_fixture.h"

#include <signal.h>

#include "first_store.h"
#include "store/migrate.h"
#include "store/summary.h"

enum { MAX_STEPS = 16 };

#define ZEROS " x'0000000000000000000000000000000000000000000000000000000000000000'"

/* A store as the first Signet made it, with one certificate of serial 1 for d1, and one that is
 * revoked, of serial 2. */
static const char ROWS[] =
    "INSERT INTO issuer (id, name, spki_sha256) VALUES (1, 'issuing',"
    " x'01ca000000000000000000000000000000000000000000000000000000000000');"
    "INSERT INTO registry (kind, id, attributes) VALUES (0, 'd1', '{}');"
    "INSERT INTO claim (id, issuer, serial, policy, policy_sha256, subject, device, spki_sha256,"
    " content_sha256, claimed, not_before, not_after) VALUES (1, 1, x'0101', 'mtls'," ZEROS
    ", 'CN=d1', 'd1', x'0700000000000000000000000000000000000000000000000000000000000000'," ZEROS
    ", 1700000000, 1700000000, 1800000000);"
    "INSERT INTO certificate (claim, recorded, tbs_offset, tbs_len, der)"
    " VALUES (1, 1700000000, 0, 2, x'3000');"
    "INSERT INTO claim (id, issuer, serial, policy, policy_sha256, subject, device, spki_sha256,"
    " content_sha256, claimed, not_before, not_after) VALUES (2, 1, x'0102', 'mtls'," ZEROS
    ", 'CN=d1', 'd1', x'0800000000000000000000000000000000000000000000000000000000000000'," ZEROS
    ", 1600000000, 1700000000, 1800000000);"
    "INSERT INTO certificate (claim, recorded, tbs_offset, tbs_len, der)"
    " VALUES (2, 1700000000, 0, 2, x'3000');"
    "INSERT INTO revocation (claim, issuer, reason, revoked) VALUES (2, 1, 4, 1700000000)";

static int first_version(void)
{
    return is_on_postgres() ? 5 : 1;
}

static int set_up_first(void **state)
{
    static struct fixture fixture;
    char path[128];
    fixture = (struct fixture){.issuer = 1};
    make_folder(fixture.folder);
    *state = &fixture;
    if (is_on_postgres()) {
        char rows[4096];
        size_t len = 0;
        for (const char *at = ROWS; *at != '\0'; at++) {
            const bool is_bytes = strncmp(at, " x'", 3) == 0;
            len += (size_t)snprintf(rows + len, sizeof rows - len, is_bytes ? " '\\x" : "%c", *at);
            at += is_bytes ? 2 : 0;
        }
        make_schema(fixture.folder);
        (void)ask_postgres(fixture.folder, FIRST_POSTGRES);
        (void)ask_postgres(fixture.folder, rows);
        return 0;
    }
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/signet.db", fixture.folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, FIRST_SQLITE, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, ROWS, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA application_id=1397311310; PRAGMA user_version=1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    return 0;
}

struct steps {
    int versions[MAX_STEPS];
    size_t num, die_after; /* die_after 0: lives */
};

static bool take_step(int version, const char *what, void *context, struct sg_error *error)
{
    struct steps *steps = context;
    (void)error;
    assert_non_null(what);
    assert_true(steps->num < MAX_STEPS);
    steps->versions[steps->num++] = version;
    if (steps->num == steps->die_after)
        (void)raise(SIGKILL);
    return true;
}

static struct steps migrate(struct sg_store *store)
{
    struct steps steps = {0};
    struct sg_error error = {0};
    expect_success("migrate", sg_store_migrate(store, NOW, take_step, &steps, &error), &error);
    return steps;
}

static void expect_steps(const struct steps *steps, int from)
{
    assert_int_equal(steps->num, sg_store_version_needed() - from);
    for (size_t i = 0; i < steps->num; i++)
        assert_int_equal(steps->versions[i], from + 1 + (int)i);
}

static void expect_refused_to_open(const struct fixture *fixture, const char *part)
{
    char location[LOCATION_SIZE];
    struct sg_store *store = NULL;
    struct sg_error error = {0};
    expect_failure("open",
                   sg_store_open(store_location(fixture->folder, location), fixture->folder,
                                 SG_STORE_OPEN, &store, &error),
                   &error, SG_STORE, part);
    assert_null(store);
}

static void test_an_older_store_says_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    struct steps steps = {0};
    struct sg_store_summary summary = {0};
    struct sg_error error = {0};
    char part[64];
    (void)snprintf(part, sizeof part, "it has version %d, and this program needs version %d",
                   first_version(), sg_store_version_needed());
    expect_refused_to_open(fixture, part);
    expect_refused_to_open(fixture, "signet store migrate");

    fixture->store = open_store(fixture->folder, SG_STORE_READ_ONLY);
    expect_success("foretold", sg_store_each_migration(fixture->store, take_step, &steps, &error),
                   &error);
    expect_steps(&steps, first_version());
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
    expect_success("summary", sg_store_summarise(fixture->store, &summary, &error), &error);
    assert_int_equal(summary.version, first_version());
    assert_int_equal(summary.num_certificates, 2);
    expect_failure("a reader", sg_store_migrate(fixture->store, NOW, take_step, &steps, &error),
                   &error, SG_STORE, "for reading only");
}

static bool count_event(int64_t moment, const char *what, void *context, struct sg_error *error)
{
    size_t *num = context;
    (void)error;
    assert_int_equal(moment, NOW);
    assert_memory_equal(what, "tables of version ", strlen("tables of version "));
    ++*num;
    return true;
}

/* Functions and operators that somebody made where others may write into the store's schema, and
 * that would fit better than PostgreSQL's own. */
static void make_better_fits(const struct fixture *fixture)
{
    if (is_on_postgres())
        (void)ask_postgres(fixture->folder,
                           "CREATE FUNCTION to_timestamp(BIGINT) RETURNS TIMESTAMPTZ"
                           " LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                           "CREATE FUNCTION quote_ident(NAME) RETURNS TEXT"
                           " LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                           "CREATE FUNCTION same(OID, REGCLASS) RETURNS BOOLEAN"
                           " LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                           "CREATE OPERATOR = (LEFTARG = OID, RIGHTARG = REGCLASS,"
                           " FUNCTION = same)");
}

static void test_steps(void **state)
{
    struct fixture *fixture = *state;
    const uint8_t key[1][SG_SHA256_LEN] = {{42}};
    struct sg_store_summary summary = {0};
    size_t num_new = 0, num_events = 0;
    struct sg_error error = {0};
    make_better_fits(fixture);
    fixture->store = open_store(fixture->folder, SG_STORE_MIGRATE);
    struct steps steps = migrate(fixture->store);
    expect_steps(&steps, first_version());
    steps = migrate(fixture->store); /* once more does nothing */
    assert_int_equal(steps.num, 0);
    sg_store_close(fixture->store);

    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
    expect_status(fixture->store, 2, NOW, SG_STATUS_REVOKED);
    issue(fixture, &(struct ask){.device = "d1", .key = 9, .serial = 9, .token = "card-1"});
    expect_success("block", sg_store_block_keys(fixture->store, key, 1, NOW, &num_new, &error),
                   &error);
    expect_success("events", sg_store_each_event(fixture->store, count_event, &num_events, &error),
                   &error);
    assert_int_equal(num_events, sg_store_version_needed() - 5); /* 6 is the first to note them */
    expect_success("summary", sg_store_summarise(fixture->store, &summary, &error), &error);
    assert_int_equal(summary.version, sg_store_version_needed());
    assert_int_equal(summary.num_certificates, 3);
    assert_int_equal(summary.num_revocations, 1);
    assert_int_equal(summary.num_devices, 1);
    assert_true(summary.bytes > 10000);
}

static void expect_certificates(struct sg_store *store, size_t num)
{
    const struct seen seen = look(store, (struct sg_certificate_filter){.policy = "mtls"});
    assert_int_equal(seen.num, num);
    assert_false(seen.last.is_elsewhere);
    assert_memory_equal(seen.der, "\x30", 2);
}

/* Of two months, which PostgreSQL's tables are by from version 7 on. */
static void test_months(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    struct steps steps = {0};
    fixture->store = open_store(fixture->folder, SG_STORE_READ_ONLY);
    expect_certificates(fixture->store, 2);
    sg_store_close(fixture->store);
    if (is_on_postgres()) {
        /* what fails half way, when everything has been moved, leaves everything where it was */
        change_store(fixture, "CREATE VIEW hold AS SELECT der FROM certificate");
        fixture->store = open_store(fixture->folder, SG_STORE_MIGRATE);
        assert_false(sg_store_migrate(fixture->store, NOW, take_step, &steps, &error));
        assert_int_equal(steps.num, 1);
        sg_store_close(fixture->store);
        fixture->store = open_store(fixture->folder, SG_STORE_READ_ONLY);
        expect_certificates(fixture->store, 2);
        sg_store_close(fixture->store);
        change_store(fixture, "DROP VIEW hold");
    }
    fixture->store = open_store(fixture->folder, SG_STORE_MIGRATE);
    (void)migrate(fixture->store);
    sg_store_close(fixture->store);
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_certificates(fixture->store, 2);
    if (is_on_postgres())
        assert_int_equal(ask_postgres(fixture->folder,
                                      "SELECT (SELECT claim FROM certificate_2023_11) * 10"
                                      " + (SELECT claim FROM certificate_2020_09)"),
                         12);
}

/* What can't be carried out leaves the store at the version before it. */
static void test_failed_step(void **state)
{
    struct fixture *fixture = *state;
    struct steps steps = {0};
    struct sg_error error = {0};
    change_store(fixture, "CREATE TABLE event (wrong TEXT)");
    fixture->store = open_store(fixture->folder, SG_STORE_MIGRATE);
    assert_false(sg_store_migrate(fixture->store, NOW, take_step, &steps, &error));
    assert_int_not_equal(error.code, SG_OK);
    assert_int_equal(steps.num, 5 - first_version());
    sg_store_close(fixture->store);
    change_store(fixture, "DROP TABLE event");
    expect_refused_to_open(fixture, "it has version 5, ");
    fixture->store = open_store(fixture->folder, SG_STORE_MIGRATE);
    steps = migrate(fixture->store);
    expect_steps(&steps, 5);
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
}

static int migrate_and_die(void *context)
{
    const struct fixture *fixture = context;
    struct steps steps = {.die_after = 1};
    struct sg_store *store = open_store(fixture->folder, SG_STORE_MIGRATE);
    return sg_store_migrate(store, NOW, take_step, &steps, NULL) ? 0 : 1;
}

/* A process that is killed after each step: the next one goes on there. */
static void test_killed(void **state)
{
    struct fixture *fixture = *state;
    for (int version = first_version(); version < sg_store_version_needed(); version++) {
        const int status = in_child(migrate_and_die, fixture);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_status(fixture->store, 2, NOW, SG_STATUS_REVOKED);
}

static int migrate_alone(const struct fixture *fixture)
{
    struct steps steps = {0};
    struct sg_store *store = open_store(fixture->folder, SG_STORE_MIGRATE);
    const bool done = sg_store_migrate(store, NOW, take_step, &steps, NULL);
    sg_store_close(store);
    return done ? (int)steps.num : 100;
}

/* All of them find the old version, and each step is taken by one of them. */
static void test_at_once(void **state)
{
    enum { PROCESSES = 6 };
    struct fixture *fixture = *state;
    pid_t children[PROCESSES];
    int num_steps = 0;
    for (int i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0)
            _exit(migrate_alone(fixture));
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        num_steps += WEXITSTATUS(status);
    }
    assert_int_equal(num_steps, sg_store_version_needed() - first_version());
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
}

static void test_newer(void **state)
{
    struct fixture *fixture = *state;
    change_store(fixture, is_on_postgres() ? "UPDATE store_version SET version = 99"
                                           : "PRAGMA user_version=99");
    expect_refused_to_open(fixture, "use the newer Signet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_older_store_says_what_to_do, set_up_first,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_steps, set_up_first, tear_down),
        cmocka_unit_test_setup_teardown(test_months, set_up_first, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_step, set_up_first, tear_down),
        cmocka_unit_test_setup_teardown(test_killed, set_up_first, tear_down),
        cmocka_unit_test_setup_teardown(test_at_once, set_up_first, tear_down),
        cmocka_unit_test_setup_teardown(test_newer, set_up_first, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
