#include "store_fixture.h"

#include "store/sql.h"

/* ---- a builder that writes down what it was given ---- */

struct built {
    char listed[256]; /* "01:4@100 02:0@200 ", serial's last octet, reason, moment after NOW */
    char tbs[300];
    bool fail_add, fail_finish;
    size_t num_finished;
};

static bool add(void *context, const struct sg_revoked *revoked, struct sg_error *error)
{
    struct built *built = context;
    const size_t len = strlen(built->listed);
    if (built->fail_add)
        return sg_fail(error, SG_INTERNAL, NULL, "add failed");
    (void)snprintf(built->listed + len, sizeof built->listed - len, "%02x:%d@%d ",
                   revoked->serial.bytes[1], revoked->reason, (int)(revoked->revoked - NOW));
    return true;
}

static bool finish(void *context, uint64_t number, struct sg_slice *to_be_signed,
                   struct sg_error *error)
{
    struct built *built = context;
    if (built->fail_finish)
        return sg_fail(error, SG_INTERNAL, NULL, "finish failed");
    built->num_finished++;
    (void)snprintf(built->tbs, sizeof built->tbs, "CRL %d: %s", (int)number, built->listed);
    *to_be_signed = sg_slice_text(built->tbs);
    return true;
}

static bool reserve(struct sg_store *store, int64_t issuer, int64_t this_update,
                    struct built *built, uint64_t *number, struct sg_error *error)
{
    const struct sg_crl_builder builder = {add, finish, built};
    return sg_store_reserve_crl(store, issuer, this_update, this_update + DAY, &builder, number,
                                error);
}

/* Reserves, records unless told otherwise, and expects what is listed. */
static uint64_t expect_crl(struct fixture *fixture, int64_t this_update, bool recorded,
                           const char *listed)
{
    struct built built = {0};
    struct sg_error error = {0};
    uint64_t number = 0;
    expect_success("reserve",
                   reserve(fixture->store, fixture->issuer, this_update, &built, &number, &error),
                   &error);
    assert_int_equal(built.num_finished, 1);
    if (strcmp(built.listed, listed) != 0)
        fail_msg("at NOW%+d: '%s' should be '%s'", (int)(this_update - NOW), built.listed, listed);
    if (recorded)
        expect_success("record",
                       sg_store_record_crl(fixture->store, fixture->issuer, number,
                                           sg_slice_text("crl"), &error),
                       &error);
    return number;
}

static void revoke_at(struct fixture *fixture, int64_t id, enum sg_reason reason, int64_t now)
{
    struct sg_error error = {0};
    expect_success("revoke", sg_store_revoke(fixture->store, id, reason, now, &error), &error);
}

/* ---- what is listed ---- */

static void test_listing(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    int64_t ids[6];
    expect_crl(fixture, NOW, true, "");
    for (uint8_t i = 1; i < 5; i++)
        ids[i] = issue(fixture, &(struct ask){.device = "d1", .key = i, .serial = i});
    revoke_at(fixture, ids[3], SG_REASON_KEY_COMPROMISE, NOW + 1);
    revoke_at(fixture, ids[1], SG_REASON_CERTIFICATE_HOLD, NOW + 2);
    ids[5] =
        claim_one(fixture, fixture->store, &(struct ask){.device = "d1", .key = 5, .serial = 5}).id;
    expect_crl(fixture, NOW + 3, true, "01:6@2 03:1@1 ");

    /* an orphan; an in-flight claim that was revoked; a released one */
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    assert_int_equal(claim_one(fixture, other,
                               &(struct ask){.device = "d2", .key = 6, .serial = 6, .now = NOW + 4})
                         .outcome,
                     SG_CLAIM_NEW);
    expect_crl(fixture, NOW + 5, true, "01:6@2 03:1@1 ");
    sg_store_close(other);
    revoke_at(fixture, ids[5], SG_REASON_SUPERSEDED, NOW + 5);
    assert_true(sg_store_release(fixture->store, ids[1], &error));
    expect_crl(fixture, NOW + 6, true, "03:1@1 05:4@5 06:0@4 ");
    assert_true(sg_store_abandon(fixture->store, &ids[5], 1, &error));
    expect_crl(fixture, NOW + 7, true, "03:1@1 05:4@5 06:0@4 ");
    expect_status(fixture->store, 6, NOW + 7, SG_STATUS_ORPHANED);

    /* another issuer's CRL lists its own, and begins with 1 */
    struct fixture elsewhere = *fixture;
    elsewhere.issuer = add_issuer(fixture->store, "other", 2);
    assert_int_equal(expect_crl(&elsewhere, NOW + 8, true, ""), 1);
}

/* The reason that came to light later is said by the next CRL, whatever became of the first one. */
static void test_raised_is_listed_again(void **state)
{
    struct fixture *fixture = *state;
    struct built built = {0};
    struct sg_error error = {0};
    uint64_t number = 0;
    const int64_t id =
        issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1, .not_after = NOW + 10});
    const int64_t late =
        issue(fixture, &(struct ask){.device = "d2", .key = 2, .serial = 2, .not_after = NOW + 10});
    revoke_at(fixture, id, SG_REASON_SUPERSEDED, NOW);
    expect_crl(fixture, NOW + 11, true, "01:4@0 ");
    expect_crl(fixture, NOW + 12, true, "");
    revoke_at(fixture, id, SG_REASON_KEY_COMPROMISE, NOW + 13);
    expect_crl(fixture, NOW + 14, true, "01:1@0 ");
    expect_crl(fixture, NOW + 15, true, "");

    /* raised between a CRL's reservation and its record */
    revoke_at(fixture, late, SG_REASON_SUPERSEDED, NOW + 16);
    expect_success("reserve",
                   reserve(fixture->store, fixture->issuer, NOW + 17, &built, &number, &error),
                   &error);
    assert_string_equal(built.listed, "02:4@16 ");
    revoke_at(fixture, late, SG_REASON_KEY_COMPROMISE, NOW + 18);
    expect_success(
        "record",
        sg_store_record_crl(fixture->store, fixture->issuer, number, sg_slice_text("crl"), &error),
        &error);
    expect_crl(fixture, NOW + 19, true, "02:1@16 ");
    expect_crl(fixture, NOW + 20, true, "");
}

/* RFC 5280 3.3: an expired certificate leaves after one CRL has listed it after its expiry. */
static void test_expired_is_listed_once_more(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id =
        issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1, .not_after = NOW + 10});
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    claim_one(fixture, other,
              &(struct ask){.device = "d2", .key = 2, .serial = 2, .not_after = NOW + 20});
    sg_store_close(other);
    revoke_at(fixture, id, SG_REASON_SUPERSEDED, NOW);
    expect_crl(fixture, NOW + 9, true, "01:4@0 02:0@0 ");
    expect_crl(fixture, NOW + 10, true, "01:4@0 02:0@0 ");  /* its last second */
    expect_crl(fixture, NOW + 11, false, "01:4@0 02:0@0 "); /* never signed: does not count */
    const uint64_t first = expect_crl(fixture, NOW + 12, false, "01:4@0 02:0@0 ");
    const uint64_t second = expect_crl(fixture, NOW + 13, false, "01:4@0 02:0@0 ");
    /* expired, revoked only now: the two above have not listed it, and do not count for it */
    const int64_t late =
        issue(fixture, &(struct ask){.device = "d3", .key = 3, .serial = 3, .not_after = NOW + 5});
    revoke_at(fixture, late, SG_REASON_KEY_COMPROMISE, NOW + 14);
    struct sg_error error = {0};
    const struct sg_slice der = sg_slice_text("crl");
    expect_success("the later first",
                   sg_store_record_crl(fixture->store, fixture->issuer, second, der, &error),
                   &error);
    expect_success("then the earlier",
                   sg_store_record_crl(fixture->store, fixture->issuer, first, der, &error),
                   &error);
    expect_crl(fixture, NOW + 15, true, "02:0@0 03:1@14 ");
    expect_crl(fixture, NOW + 16, true, "02:0@0 ");
    expect_crl(fixture, NOW + 21, true, "02:0@0 ");
    expect_crl(fixture, NOW + 22, true, "");
    expect_status(fixture->store, 1, NOW + 22, SG_STATUS_REVOKED);
    expect_status(fixture->store, 2, NOW + 22, SG_STATUS_ORPHANED);
}

/* ---- numbers ---- */

static void test_failures_take_no_number(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    uint64_t number = 99;
    struct built built = {.fail_add = true};
    revoke_at(fixture, issue(fixture, &(struct ask){.device = "d1", .serial = 1}),
              SG_REASON_SUPERSEDED, NOW);
    expect_failure("add", reserve(fixture->store, fixture->issuer, NOW, &built, &number, &error),
                   &error, SG_INTERNAL, "add failed");
    sg_error_clear(&error);
    built = (struct built){.fail_finish = true};
    expect_failure("finish", reserve(fixture->store, fixture->issuer, NOW, &built, &number, &error),
                   &error, SG_INTERNAL, "finish failed");
    sg_error_clear(&error);
    built = (struct built){0};
    expect_failure("no such issuer", reserve(fixture->store, 77, NOW, &built, &number, &error),
                   &error, SG_INTERNAL, "constraint");
    assert_int_equal(number, 99);
    assert_int_equal(expect_crl(fixture, NOW, false, "01:4@0 "), 1);
    assert_int_equal(expect_crl(fixture, NOW, true, "01:4@0 "), 2);
}

/* The bytes of the latest alone are kept, whatever the order in which they were signed. */
static void test_bytes_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct sg_slice der = sg_slice_text("crl");
    struct sg_error error = {0};
    uint64_t numbers[4];
    for (size_t i = 0; i < NUM(numbers); i++)
        numbers[i] = expect_crl(fixture, NOW, false, "");
    static const size_t order[] = {0, 2, 1, 3};
    static const size_t kept[] = {0, 2, 2, 3};
    for (size_t i = 0; i < NUM(order); i++) {
        expect_success(
            "record",
            sg_store_record_crl(fixture->store, fixture->issuer, numbers[order[i]], der, &error),
            &error);
        bool found = false;
        int64_t only = 0;
        assert_true(sg_sql_number(fixture->store,
                                  "SELECT CASE count(*) WHEN 1 THEN max(number) END FROM crl"
                                  " WHERE der IS NOT NULL",
                                  SG_NO_VALUES, &found, &only, &error));
        assert_true(found);
        assert_int_equal(only, numbers[kept[i]]);
    }
}

static void test_record_refuses(void **state)
{
    struct fixture *fixture = *state;
    const struct sg_slice der = sg_slice_text("crl");
    const uint64_t number = expect_crl(fixture, NOW, true, "");
    struct sg_error error = {0};
    expect_failure("again",
                   sg_store_record_crl(fixture->store, fixture->issuer, number, der, &error),
                   &error, SG_INTERNAL, "recorded already");
    sg_error_clear(&error);
    expect_failure("never reserved",
                   sg_store_record_crl(fixture->store, fixture->issuer, number + 1, der, &error),
                   &error, SG_INTERNAL, "never reserved");
}

enum { PER_PROCESS = 20 };

struct numbering {
    struct fixture *fixture;
    int numbers; /* pipe's writing end */
};

static int take_numbers(void *context)
{
    const struct numbering *numbering = context;
    struct fixture mine = *numbering->fixture;
    mine.store = open_store(mine.folder, SG_STORE_OPEN);
    for (int i = 0; i < PER_PROCESS; i++) {
        struct built built = {0};
        struct sg_error error = {0};
        uint64_t number = 0;
        if (!reserve(mine.store, mine.issuer, NOW, &built, &number, &error) ||
            write(numbering->numbers, &number, sizeof number) != sizeof number)
            return 1;
    }
    sg_store_close(mine.store);
    return 0;
}

static void test_two_processes_number(void **state)
{
    struct fixture *fixture = *state;
    bool seen[2 * PER_PROCESS + 1] = {false};
    int ends[2];
    pid_t children[2];
    sg_store_close(SG_TAKE(fixture->store));
    assert_int_equal(pipe(ends), 0);
    struct numbering numbering = {fixture, ends[1]};
    for (size_t i = 0; i < NUM(children); i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(take_numbers(&numbering));
    }
    for (int i = 0; i < 2 * PER_PROCESS; i++) {
        uint64_t number = 0;
        assert_int_equal(read(ends[0], &number, sizeof number), sizeof number);
        assert_in_range(number, 1, 2 * PER_PROCESS);
        assert_false(seen[number]);
        seen[number] = true;
    }
    for (size_t i = 0; i < NUM(children); i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_listing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_raised_is_listed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expired_is_listed_once_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_take_no_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_record_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_processes_number, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
