#include "store_fixture.h"

/* A claim of a device's under a policy with a quota; another key and serial each time. */
static struct sg_claim claim_under(struct fixture *fixture, struct sg_quota quota, uint8_t serial,
                                   int64_t now)
{
    const struct ask wanted = {
        .device = "d1", .key = serial, .content = serial, .serial = serial, .now = now};
    struct asked asked;
    struct sg_error error = {0};
    struct sg_claim claim = ask(fixture, &wanted, &asked);
    asked.plan.quota = quota;
    expect_success("claim", sg_store_claim(fixture->store, &claim, 1, &error), &error);
    return claim;
}

static void expect_claimed(struct fixture *fixture, struct sg_quota quota, uint8_t serial,
                           int64_t now)
{
    const struct sg_claim claim = claim_under(fixture, quota, serial, now);
    expect_success("claim", claim.outcome == SG_CLAIM_NEW, &claim.error);
}

static void expect_refused(struct fixture *fixture, struct sg_quota quota, uint8_t serial,
                           int64_t now, const char *text)
{
    const struct sg_claim claim = claim_under(fixture, quota, serial, now);
    assert_int_equal(claim.outcome, SG_CLAIM_REFUSED);
    expect_failure("claim", false, &claim.error, SG_REFUSED, text);
    assert_string_equal(claim.error.rule, "policy mtls: quota");
}

static int64_t left(struct fixture *fixture, const char *policy, struct sg_quota quota, int64_t now)
{
    struct sg_error error = {0};
    int64_t num = -1;
    expect_success("left",
                   sg_store_quota_left(fixture->store, policy, quota, now, &num, NULL, &error),
                   &error);
    return num;
}

enum { HOUR = 3600, MIDNIGHT = NOW - NOW % DAY };

static const struct sg_quota A_DAY = {.certificates = 2, .period_s = DAY},
                             AN_HOUR = {.certificates = 1, .period_s = HOUR},
                             IN_ALL = {.certificates = 3};

static void test_day(void **state)
{
    struct fixture *fixture = *state;
    const int64_t last = MIDNIGHT + DAY - 1;

    assert_int_equal(left(fixture, "mtls", A_DAY, last), 2);
    expect_claimed(fixture, A_DAY, 1, MIDNIGHT);
    expect_claimed(fixture, A_DAY, 2, last);
    assert_int_equal(left(fixture, "mtls", A_DAY, last), 0);
    assert_int_equal(left(fixture, "another", A_DAY, last), 2);
    expect_refused(fixture, A_DAY, 3, last,
                   "good for 2 certificates a day, and so many have been claimed: the next one at "
                   "2023-11-15T00:00:00Z");
    expect_claimed(fixture, A_DAY, 3, last + 1);
    assert_int_equal(left(fixture, "mtls", A_DAY, last + 1), 1);
}

/* An hour's count is not the day's, though both begin at midnight. */
static void test_hour(void **state)
{
    struct fixture *fixture = *state;

    expect_claimed(fixture, A_DAY, 1, MIDNIGHT);
    expect_claimed(fixture, AN_HOUR, 2, MIDNIGHT);
    expect_refused(fixture, AN_HOUR, 3, MIDNIGHT + HOUR - 1, "1 certificates an hour");
    expect_claimed(fixture, AN_HOUR, 3, MIDNIGHT + HOUR);
    assert_int_equal(left(fixture, "mtls", A_DAY, MIDNIGHT), 1);
}

static void test_in_all(void **state)
{
    struct fixture *fixture = *state;

    for (uint8_t i = 0; i < 3; i++)
        expect_claimed(fixture, IN_ALL, (uint8_t)(i + 1), NOW + i * 10 * DAY);
    expect_refused(fixture, IN_ALL, 9, NOW + 99 * DAY,
                   "good for 3 certificates, and so many have been claimed");
}

static void test_clock_that_went_back(void **state)
{
    struct fixture *fixture = *state;

    expect_claimed(fixture, A_DAY, 1, MIDNIGHT + DAY);
    expect_claimed(fixture, A_DAY, 2, MIDNIGHT);
    expect_refused(fixture, A_DAY, 3, MIDNIGHT, "a day");
}

/* What comes to nothing counts; what is refused, or was there, does not. */
static void test_what_counts(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    struct sg_claim first = claim_under(fixture, A_DAY, 1, NOW);

    expect_success("record", record(fixture->store, first.id, 1, NOW, &error), &error);
    struct sg_claim again = claim_under(fixture, A_DAY, 1, NOW);
    assert_int_equal(again.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&again.existing);
    assert_int_equal(left(fixture, "mtls", A_DAY, NOW), 1);

    const struct sg_claim second = claim_under(fixture, A_DAY, 2, NOW);
    expect_success("abandon", sg_store_abandon(fixture->store, &second.id, 1, &error), &error);
    assert_int_equal(left(fixture, "mtls", A_DAY, NOW), 0);
    expect_refused(fixture, A_DAY, 3, NOW, "a day");
    again = claim_under(fixture, A_DAY, 1, NOW);
    assert_int_equal(again.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&again.existing);
}

/* In a group each claim sees those before it. */
static void test_group(void **state)
{
    enum { NUM = 4 };
    struct fixture *fixture = *state;
    struct asked asked[NUM];
    struct sg_claim claims[NUM];
    struct sg_error error = {0};

    for (uint8_t i = 0; i < NUM; i++) {
        const struct ask wanted = {.device = "d1", .key = i, .content = i, .serial = i};
        claims[i] = ask(fixture, &wanted, &asked[i]);
        asked[i].plan.quota = A_DAY;
    }
    expect_success("claim", sg_store_claim(fixture->store, claims, NUM, &error), &error);
    for (int i = 0; i < NUM; i++)
        assert_int_equal(claims[i].outcome, i < 2 ? SG_CLAIM_NEW : SG_CLAIM_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hour, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_in_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_that_went_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_group, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
