/* Certificates by month, in PostgreSQL: months that are made, and months that were taken out. */
#include "store_fixture.h"

#include "store/dump.h"
#include "store/postgres.h"
#include "store/schema.h"
#include "store/status.h"
#include "store/summary.h"

enum { WEEKS_LATER = NOW + 11 * DAY, NEXT_YEAR = NOW + 400 * DAY };

struct months {
    size_t num;
    int64_t begins[8];
};

static bool see_month(int64_t begin, int64_t bytes, void *context, struct sg_error *error)
{
    struct months *months = context;
    (void)error;
    assert_true(bytes >= 0);
    assert_true(months->num < NUM(months->begins));
    months->begins[months->num++] = begin;
    return true;
}

static struct months months_of(struct sg_store *store)
{
    struct months months = {0};
    struct sg_error error = {0};
    expect_success("months", sg_store_each_month(store, see_month, &months, &error), &error);
    return months;
}

static int64_t num_elsewhere(struct sg_store *store)
{
    struct sg_store_summary summary;
    struct sg_error error = {0};
    expect_success("summary", sg_store_summarise(store, &summary, &error), &error);
    assert_true(summary.is_by_month);
    return summary.num_elsewhere;
}

/* NOW is 2023-11-14. */
static void test_made_when_wanted(void **state)
{
    struct fixture *fixture = *state;
    struct months months = months_of(fixture->store);
    assert_int_equal(months.num, 0);
    issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    months = months_of(fixture->store);
    assert_int_equal(months.num, 1);
    assert_int_equal(months.begins[0], 1698796800); /* 2023-11-01 */
    /* in the last week the next one is made, too */
    issue(fixture, &(struct ask){.device = "d2", .key = 2, .serial = 2, .now = WEEKS_LATER});
    months = months_of(fixture->store);
    assert_int_equal(months.num, 2);
    assert_int_equal(months.begins[1], 1701388800); /* 2023-12-01 */
    issue(
        fixture,
        &(struct ask){
            .device = "d3", .key = 3, .serial = 3, .now = NEXT_YEAR, .not_after = NEXT_YEAR + DAY});
    assert_int_equal(months_of(fixture->store).num, 3);
    assert_int_equal(num_elsewhere(fixture->store), 0);
    assert_int_equal(ask_postgres(fixture->folder, "SELECT count(*) FROM certificate_2023_11"), 2);
    assert_int_equal(ask_postgres(fixture->folder, "SELECT count(*) FROM certificate_2024_12"), 1);
}

static int claim_in_next_year(void *context)
{
    struct fixture fixture = *(struct fixture *)context;
    const uint8_t n = (uint8_t)(10 + getpid() % 200);
    fixture.store = open_store(fixture.folder, SG_STORE_OPEN);
    struct sg_claim claim = claim_one(
        &fixture, fixture.store,
        &(struct ask){.key = n, .serial = n, .now = NEXT_YEAR, .not_after = NEXT_YEAR + DAY});
    struct sg_error error = {0};
    const bool done =
        claim.outcome == SG_CLAIM_NEW && record(fixture.store, claim.id, n, NEXT_YEAR, &error);
    sg_store_close(fixture.store);
    return done ? 0 : 1;
}

static void test_several_at_once(void **state)
{
    enum { PROCESSES = 5 };
    struct fixture *fixture = *state;
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0)
            _exit(claim_in_next_year(fixture));
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(months_of(fixture->store).num, 1);
    assert_int_equal(ask_postgres(fixture->folder, "SELECT count(*) FROM certificate"), PROCESSES);
}

/* A statement's plan, as PostgreSQL has carried it out: how many partitions it looked into. */
static size_t partitions_touched(struct sg_store *store, const struct sg_serial *serial)
{
    sg_auto(sg_query) struct sg_query query = {0};
    struct sg_error error = {0};
    size_t num = 0;
    expect_success("explain",
                   sg_query_start(store,
                                  "EXPLAIN (ANALYZE) SELECT d.der FROM claim c LEFT JOIN"
                                  " certificate d ON " SG_CERTIFICATE_OF_CLAIM
                                  " WHERE c.serial = ?",
                                  SG_VALUES(sg_serial_value(serial)), &query, &error),
                   &error);
    for (bool row = true; row;) {
        expect_success("next", sg_query_next(&query, &row, &error), &error);
        const char *line = row ? sg_column_text(&query, 0) : "";
        num += strstr(line, " certificate_2") != NULL && strstr(line, "never executed") == NULL;
    }
    return num;
}

static void test_one_is_looked_into(void **state)
{
    struct fixture *fixture = *state;
    for (uint8_t i = 1; i <= 6; i++)
        issue(fixture, &(struct ask){.key = i,
                                     .serial = i,
                                     .now = NOW + i * 31 * (int64_t)DAY,
                                     .not_after = NOW + 365 * (int64_t)DAY});
    assert_true(months_of(fixture->store).num >= 6);
    const struct sg_serial serial = {.bytes = {1, 4}, .len = 2};
    assert_int_equal(partitions_touched(fixture->store, &serial), 1);
}

/* ---- a month that was taken out ---- */

static int64_t issue_and_take_out(struct fixture *fixture, const struct ask *wanted)
{
    const int64_t id = issue(fixture, wanted);
    (void)ask_postgres(fixture->folder,
                       "ALTER TABLE certificate DETACH PARTITION certificate_2023_11");
    return id;
}

static bool count_revoked(void *context, const struct sg_revoked *revoked, struct sg_error *error)
{
    (void)revoked;
    (void)error;
    ++*(size_t *)context;
    return true;
}

static bool finish(void *context, uint64_t number, struct sg_slice *to_be_signed,
                   struct sg_error *error)
{
    (void)context;
    (void)number;
    (void)error;
    *to_be_signed = sg_slice_text("crl");
    return true;
}

static void test_revocation_needs_no_month(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id =
        issue_and_take_out(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    const struct sg_serial serial = {.bytes = {1, 1}, .len = 2};
    struct sg_serial_status status;
    struct sg_error error = {0};
    size_t num = 0;
    int64_t generation = 0;
    uint64_t number = 0;

    assert_int_equal(num_elsewhere(fixture->store), 1);
    const struct seen seen = look(fixture->store, (struct sg_certificate_filter){.device = "d1"});
    assert_int_equal(seen.num, 1);
    assert_true(seen.last.is_elsewhere);
    assert_int_equal(seen.last.status, SG_STATUS_VALID);

    expect_success("revoke",
                   sg_store_revoke(fixture->store, id, SG_REASON_KEY_COMPROMISE, NOW, &error),
                   &error);
    expect_success("statuses",
                   sg_store_serial_statuses(fixture->store, fixture->issuer, &serial, 1, NOW,
                                            &status, &generation, &error),
                   &error);
    assert_true(status.known && status.status == SG_STATUS_REVOKED);
    const struct sg_crl_builder builder = {.add = count_revoked, .finish = finish, .context = &num};
    expect_success("crl",
                   sg_store_reserve_crl(fixture->store, fixture->issuer, NOW, NOW + DAY, &builder,
                                        &number, &error),
                   &error);
    assert_int_equal(num, 1);
    /* nor does what uniqueness and keys are judged by */
    struct sg_claim claim =
        claim_one(fixture, fixture->store, &(struct ask){.device = "d2", .key = 1, .serial = 2});
    assert_int_equal(claim.outcome, SG_CLAIM_REFUSED);
    assert_non_null(strstr(claim.error.text, "compromise"));
}

static void test_what_needs_its_month_says_so(void **state)
{
    struct fixture *fixture = *state;
    const struct ask wanted = {.device = "d1", .key = 1, .serial = 1, .unique = SG_UNIQUE_DEVICE};
    const struct sg_serial serial = {.bytes = {1, 1}, .len = 2};
    const struct sg_certificate_filter filter = {
        .serial = &serial, .der = sg_slice_text("head|to be signed: 1|tail"), .now = NOW};
    struct seen seen = {0};
    struct sg_error error = {0};

    (void)issue_and_take_out(fixture, &wanted);
    struct sg_claim claim = claim_one(fixture, fixture->store, &wanted);
    assert_int_equal(claim.outcome, SG_CLAIM_REFUSED);
    assert_int_equal(claim.error.code, SG_STORE);
    assert_non_null(strstr(claim.error.text, "its month, 2023-11, were taken out"));
    expect_failure(
        "by its bytes",
        sg_store_each_certificate(fixture->store, &filter, see_certificate, &seen, &error), &error,
        SG_STORE, "attach that month again");

    (void)ask_postgres(fixture->folder,
                       "ALTER TABLE certificate ATTACH PARTITION certificate_2023_11"
                       " FOR VALUES FROM (1698796800) TO (1701388800)");
    claim = claim_one(fixture, fixture->store, &wanted);
    assert_int_equal(claim.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&claim.existing);
    seen = look(fixture->store, filter);
    assert_int_equal(seen.num, 1);
}

/* Also who takes out the present month gets certificates, beside it. */
static void test_no_month_refuses(void **state)
{
    struct fixture *fixture = *state;
    (void)issue_and_take_out(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    issue(fixture, &(struct ask){.device = "d2", .key = 2, .serial = 2});
    issue(fixture, &(struct ask){.device = "d3", .key = 3, .serial = 3});
    assert_int_equal(months_of(fixture->store).num, 1);
    assert_int_equal(num_elsewhere(fixture->store), 1);
    assert_int_equal(
        ask_postgres(fixture->folder, "SELECT count(*) FROM certificate_2023_11_again"), 2);
    /* and when what was taken out is gone, its name is free */
    (void)ask_postgres(fixture->folder, "DROP TABLE certificate_2023_11");
    issue(fixture, &(struct ask){.device = "d4", .key = 4, .serial = 4});
    assert_int_equal(
        ask_postgres(fixture->folder, "SELECT count(*) FROM certificate_2023_11_again"), 3);
    assert_int_equal(months_of(fixture->store).num, 1);
}

/* With a store's schema that others may write into, a function or an operator that would fit better
 * than PostgreSQL's own has no way to its owner's rights. */
static void test_nobody_is_called_instead(void **state)
{
    struct fixture *fixture = *state;
    (void)ask_postgres(fixture->folder,
                       "CREATE FUNCTION to_timestamp(BIGINT) RETURNS TIMESTAMPTZ LANGUAGE plpgsql"
                       " AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                       "CREATE FUNCTION format(TEXT, TEXT) RETURNS TEXT LANGUAGE plpgsql"
                       " AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                       "CREATE FUNCTION format(TEXT, TEXT, TEXT) RETURNS TEXT LANGUAGE plpgsql"
                       " AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                       "CREATE FUNCTION format(TEXT, BIGINT, BIGINT) RETURNS TEXT LANGUAGE plpgsql"
                       " AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                       "CREATE FUNCTION same(OID, REGCLASS) RETURNS BOOLEAN LANGUAGE plpgsql"
                       " AS 'BEGIN RAISE EXCEPTION ''called''; END';"
                       "CREATE OPERATOR = (LEFTARG = OID, RIGHTARG = REGCLASS, FUNCTION = same)");
    issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    issue(
        fixture,
        &(struct ask){
            .device = "d2", .key = 2, .serial = 2, .now = NEXT_YEAR, .not_after = NEXT_YEAR + DAY});
    assert_int_equal(months_of(fixture->store).num, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_when_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_is_looked_into, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_revocation_needs_no_month, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_needs_its_month_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_month_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_is_called_instead, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
