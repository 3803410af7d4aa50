#include "store_fixture.h"

static struct sg_certificate find(struct sg_store *store, int64_t id, int64_t now)
{
    struct sg_certificate_filter filter = {.now = now};
    struct seen seen = {0};
    for (uint8_t serial = 0; serial < 250; serial++) {
        const struct sg_serial wanted = {.bytes = {1, serial}, .len = 2};
        filter.serial = &wanted;
        seen = look(store, filter);
        if (seen.num == 1 && seen.last.id == id)
            return seen.last;
    }
    fail_msg("no claim %d", (int)id);
    return seen.last;
}

/* ---- every order of two acts ---- */

enum { RELEASE = -1, NO_ACT = -2 };

static bool act(struct sg_store *store, int64_t id, int reason, int64_t now, struct sg_error *error)
{
    return reason == RELEASE ? sg_store_release(store, id, error)
                             : sg_store_revoke(store, id, (enum sg_reason)reason, now, error);
}

static const struct {
    const char *name;
    int first, second;
    enum sg_code code;
    const char *part;
    enum sg_status status; /* afterwards */
    enum sg_reason reason;
    int64_t revoked;
} ACTS[] = {
    {"revoke", NO_ACT, SG_REASON_KEY_COMPROMISE, SG_OK, "", SG_STATUS_REVOKED,
     SG_REASON_KEY_COMPROMISE, NOW + 2},
    {"without a reason", NO_ACT, SG_REASON_UNSPECIFIED, SG_OK, "", SG_STATUS_REVOKED,
     SG_REASON_UNSPECIFIED, NOW + 2},
    {"the last reason", NO_ACT, SG_REASON_AA_COMPROMISE, SG_OK, "", SG_STATUS_REVOKED,
     SG_REASON_AA_COMPROMISE, NOW + 2},
    {"hold", NO_ACT, SG_REASON_CERTIFICATE_HOLD, SG_OK, "", SG_STATUS_HELD,
     SG_REASON_CERTIFICATE_HOLD, NOW + 2},
    {"hold, release", SG_REASON_CERTIFICATE_HOLD, RELEASE, SG_OK, "", SG_STATUS_VALID, 0, 0},
    {"hold, revoke: the date stays", SG_REASON_CERTIFICATE_HOLD, SG_REASON_SUPERSEDED, SG_OK, "",
     SG_STATUS_REVOKED, SG_REASON_SUPERSEDED, NOW + 1},
    {"hold, hold", SG_REASON_CERTIFICATE_HOLD, SG_REASON_CERTIFICATE_HOLD, SG_REFUSED,
     "on hold already", SG_STATUS_HELD, SG_REASON_CERTIFICATE_HOLD, NOW + 1},
    {"revoke, compromised: the date stays", SG_REASON_SUPERSEDED, SG_REASON_KEY_COMPROMISE, SG_OK,
     "", SG_STATUS_REVOKED, SG_REASON_KEY_COMPROMISE, NOW + 1},
    {"revoke, CA compromised", SG_REASON_UNSPECIFIED, SG_REASON_CA_COMPROMISE, SG_OK, "",
     SG_STATUS_REVOKED, SG_REASON_CA_COMPROMISE, NOW + 1},
    {"revoke, AA compromised", SG_REASON_PRIVILEGE_WITHDRAWN, SG_REASON_AA_COMPROMISE, SG_OK, "",
     SG_STATUS_REVOKED, SG_REASON_AA_COMPROMISE, NOW + 1},
    {"compromised, revoke", SG_REASON_KEY_COMPROMISE, SG_REASON_SUPERSEDED, SG_REFUSED,
     "0101 was revoked already, at 2023-11-14T22:13:21Z (keyCompromise)", SG_STATUS_REVOKED,
     SG_REASON_KEY_COMPROMISE, NOW + 1},
    {"compromised, compromised otherwise", SG_REASON_KEY_COMPROMISE, SG_REASON_CA_COMPROMISE,
     SG_REFUSED, "revoked already", SG_STATUS_REVOKED, SG_REASON_KEY_COMPROMISE, NOW + 1},
    {"revoke, revoke", SG_REASON_SUPERSEDED, SG_REASON_CESSATION_OF_OPERATION, SG_REFUSED,
     "0101 was revoked already, at 2023-11-14T22:13:21Z (superseded)", SG_STATUS_REVOKED,
     SG_REASON_SUPERSEDED, NOW + 1},
    {"revoke, hold", SG_REASON_SUPERSEDED, SG_REASON_CERTIFICATE_HOLD, SG_REFUSED,
     "a hold never follows", SG_STATUS_REVOKED, SG_REASON_SUPERSEDED, NOW + 1},
    {"revoke, release", SG_REASON_SUPERSEDED, RELEASE, SG_REFUSED, "revoked for good",
     SG_STATUS_REVOKED, SG_REASON_SUPERSEDED, NOW + 1},
    {"release", NO_ACT, RELEASE, SG_REFUSED, "not on hold", SG_STATUS_VALID, 0, 0},
    {"removeFromCRL", NO_ACT, SG_REASON_REMOVE_FROM_CRL, SG_REFUSED, "removeFromCRL",
     SG_STATUS_VALID, 0, 0},
    {"removeFromCRL after a hold", SG_REASON_CERTIFICATE_HOLD, SG_REASON_REMOVE_FROM_CRL,
     SG_REFUSED, "removeFromCRL", SG_STATUS_HELD, SG_REASON_CERTIFICATE_HOLD, NOW + 1},
    {"reason 7", NO_ACT, 7, SG_REFUSED, "(7)", SG_STATUS_VALID, 0, 0},
    {"reason 11", NO_ACT, 11, SG_REFUSED, "(11)", SG_STATUS_VALID, 0, 0},
};

static void test_acts(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < NUM(ACTS); i++) {
        void *own = NULL;
        struct sg_error error = {0};
        tear_down(state);
        set_up(&own);
        const int64_t id = issue(fixture, &(struct ask){.device = "d1", .serial = 1});
        if (ACTS[i].first != NO_ACT)
            expect_success(ACTS[i].name, act(fixture->store, id, ACTS[i].first, NOW + 1, &error),
                           &error);
        const bool done = act(fixture->store, id, ACTS[i].second, NOW + 2, &error);
        if (ACTS[i].code == SG_OK)
            expect_success(ACTS[i].name, done, &error);
        else
            expect_failure(ACTS[i].name, done, &error, ACTS[i].code, ACTS[i].part);
        const struct sg_certificate then = find(fixture->store, id, NOW + 3);
        if (then.status != ACTS[i].status || then.reason != ACTS[i].reason ||
            then.revoked != ACTS[i].revoked)
            fail_msg("%s: %s, %s at NOW%+d", ACTS[i].name, sg_status_word(then.status),
                     sg_reason_word(then.reason), (int)(then.revoked - NOW));
    }
}

static void test_unknown(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    expect_failure("revoke", sg_store_revoke(fixture->store, 7, SG_REASON_SUPERSEDED, NOW, &error),
                   &error, SG_REFUSED, "number 7");
    sg_error_clear(&error);
    expect_failure("release", sg_store_release(fixture->store, 7, &error), &error, SG_REFUSED,
                   "number 7");
}

static void test_expired(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    const int64_t id =
        issue(fixture, &(struct ask){.device = "d1", .serial = 1, .not_after = NOW + 10});
    expect_status(fixture->store, 1, NOW + 10, SG_STATUS_VALID);
    expect_status(fixture->store, 1, NOW + 11, SG_STATUS_EXPIRED);
    expect_success("revoke",
                   sg_store_revoke(fixture->store, id, SG_REASON_KEY_COMPROMISE, NOW + 20, &error),
                   &error);
    expect_status(fixture->store, 1, NOW + 20, SG_STATUS_REVOKED);
}

/* ---- claims that are no certificates ---- */

static void test_orphans(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    const struct ask asks[] = {
        {.device = "d1", .key = 1, .serial = 1},
        {.device = "d2", .key = 2, .serial = 2},
        {.device = "d3", .key = 3, .serial = 3},
    };
    int64_t ids[NUM(asks)];
    for (size_t i = 0; i < NUM(asks); i++)
        ids[i] = claim_one(fixture, other, &asks[i]).id;
    assert_true(sg_store_revoke(fixture->store, ids[1], SG_REASON_SUPERSEDED, NOW + 1, &error));
    assert_true(
        sg_store_revoke(fixture->store, ids[2], SG_REASON_CERTIFICATE_HOLD, NOW + 2, &error));
    expect_status(fixture->store, 1, NOW, SG_STATUS_IN_FLIGHT);
    expect_status(fixture->store, 2, NOW, SG_STATUS_REVOKED);
    expect_status(fixture->store, 3, NOW, SG_STATUS_HELD);
    sg_store_close(other);

    /* before anything has settled it, and after */
    for (int settled = 0; settled < 2; settled++) {
        const int64_t revoked[] = {NOW, NOW + 1, NOW + 2};
        const enum sg_reason reasons[] = {SG_REASON_UNSPECIFIED, SG_REASON_SUPERSEDED,
                                          SG_REASON_UNSPECIFIED};
        for (size_t i = 0; i < NUM(asks); i++) {
            const struct sg_certificate found = find(fixture->store, ids[i], NOW + 3);
            assert_int_equal(found.status, SG_STATUS_ORPHANED);
            assert_int_equal(found.revoked, revoked[i]);
            assert_int_equal(found.reason, reasons[i]);
        }
        for (size_t i = 0; i < NUM(asks); i++) {
            sg_error_clear(&error);
            expect_failure(
                "revoke",
                sg_store_revoke(fixture->store, ids[i], SG_REASON_SUPERSEDED, NOW, &error), &error,
                SG_REFUSED, "counts as revoked already");
            sg_error_clear(&error);
            expect_failure("release", sg_store_release(fixture->store, ids[i], &error), &error,
                           SG_REFUSED, "revoked for good");
        }
        /* a claim by the same requesters settles their orphans, as it passes them over */
        for (size_t i = 0; i < NUM(asks) && settled == 0; i++) {
            struct ask again = asks[i];
            again.serial += 10;
            issue(fixture, &again);
        }
    }
}

/* The key of an orphan may be compromised as well; before anything has settled it, and after. */
static void test_compromised_orphans(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    int64_t ids[2];
    for (uint8_t i = 0; i < 2; i++)
        ids[i] = claim_one(fixture, other, &(struct ask){.key = i + 1, .serial = i + 1}).id;
    assert_true(sg_store_abandon(other, &ids[1], 1, &error));
    sg_store_close(other);
    for (size_t i = 0; i < 2; i++) {
        expect_success(
            "raise",
            sg_store_revoke(fixture->store, ids[i], SG_REASON_KEY_COMPROMISE, NOW + 5, &error),
            &error);
        const struct sg_certificate found = find(fixture->store, ids[i], NOW + 6);
        assert_int_equal(found.status, SG_STATUS_ORPHANED);
        assert_int_equal(found.reason, SG_REASON_KEY_COMPROMISE);
        assert_int_equal(found.revoked, NOW);
        expect_failure(
            "again",
            sg_store_revoke(fixture->store, ids[i], SG_REASON_KEY_COMPROMISE, NOW + 7, &error),
            &error, SG_REFUSED, "counts as revoked already");
        sg_error_clear(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_acts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_orphans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compromised_orphans, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
