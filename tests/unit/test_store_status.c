#include "store_fixture.h"

#include "store/sql.h"
#include "store/status.h"

static int64_t generation_of(struct sg_store *store)
{
    struct sg_error error = {0};
    int64_t generation = -2;
    expect_success("generation", sg_store_status_generation(store, &generation, &error), &error);
    return generation;
}

static struct sg_serial_status look_up(struct fixture *fixture, int64_t issuer, uint8_t serial)
{
    const struct sg_serial wanted = {.bytes = {1, serial}, .len = 2};
    struct sg_serial_status status = {0};
    struct sg_error error = {0};
    int64_t generation = -2;
    expect_success("statuses",
                   sg_store_serial_statuses(fixture->store, issuer, &wanted, 1, NOW, &status,
                                            &generation, &error),
                   &error);
    assert_int_equal(generation, generation_of(fixture->store));
    return status;
}

static void revoke_one(struct fixture *fixture, int64_t id, enum sg_reason reason)
{
    struct sg_error error = {0};
    expect_success("revoke", sg_store_revoke(fixture->store, id, reason, NOW + 1, &error), &error);
}

/* ---- how serial numbers stand ---- */

static void test_statuses(void **state)
{
    struct fixture *fixture = *state;
    const int64_t other = add_issuer(fixture->store, "other", 2);
    struct sg_store *second = open_store(fixture->folder, SG_STORE_OPEN);
    issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    issue(fixture, &(struct ask){.device = "d1", .key = 2, .serial = 2, .not_after = NOW - 1});
    revoke_one(fixture, issue(fixture, &(struct ask){.device = "d1", .key = 3, .serial = 3}),
               SG_REASON_KEY_COMPROMISE);
    revoke_one(fixture, issue(fixture, &(struct ask){.device = "d1", .key = 4, .serial = 4}),
               SG_REASON_CERTIFICATE_HOLD);
    claim_one(fixture, second, &(struct ask){.device = "d2", .key = 5, .serial = 5});
    revoke_one(fixture,
               claim_one(fixture, second, &(struct ask){.device = "d2", .key = 6, .serial = 6}).id,
               SG_REASON_CERTIFICATE_HOLD);

    const struct {
        const char *name;
        uint8_t serial;
        bool known, lasting;
        enum sg_status status, as_orphan;
        enum sg_reason reason;
        int64_t revoked;
    } CASES[] = {
        {"valid", 1, true, true, SG_STATUS_VALID, SG_STATUS_VALID, 0, 0},
        {"expired", 2, true, true, SG_STATUS_EXPIRED, SG_STATUS_EXPIRED, 0, 0},
        {"revoked", 3, true, true, SG_STATUS_REVOKED, SG_STATUS_REVOKED, SG_REASON_KEY_COMPROMISE,
         NOW + 1},
        {"held", 4, true, true, SG_STATUS_HELD, SG_STATUS_HELD, SG_REASON_CERTIFICATE_HOLD,
         NOW + 1},
        {"in flight", 5, true, false, SG_STATUS_IN_FLIGHT, SG_STATUS_ORPHANED, 0, 0},
        {"held in flight", 6, true, false, SG_STATUS_HELD, SG_STATUS_ORPHANED,
         SG_REASON_CERTIFICATE_HOLD, NOW + 1},
        {"never issued", 7, false, false, 0, 0, 0, 0},
    };
    for (int closed = 0; closed < 2; closed++) {
        for (size_t i = 0; i < NUM(CASES); i++) {
            const struct sg_serial_status found =
                look_up(fixture, fixture->issuer, CASES[i].serial);
            const enum sg_status wanted = closed ? CASES[i].as_orphan : CASES[i].status;
            if (found.known != CASES[i].known || found.lasting != CASES[i].lasting ||
                found.status != wanted)
                fail_msg("%s: known %d, lasting %d, %s", CASES[i].name, found.known, found.lasting,
                         sg_status_word(found.status));
            if (found.status != SG_STATUS_ORPHANED &&
                (found.reason != CASES[i].reason || found.revoked != CASES[i].revoked))
                fail_msg("%s: for another reason or since another day", CASES[i].name);
            assert_false(look_up(fixture, other, CASES[i].serial).known);
        }
        sg_store_close(second);
        second = NULL;
    }
    /* an orphan is revoked since its claim, and settled by the next claim of its holder */
    assert_int_equal(look_up(fixture, fixture->issuer, 5).revoked, NOW);
    issue(fixture, &(struct ask){.device = "d2", .key = 5, .serial = 8});
    assert_true(look_up(fixture, fixture->issuer, 5).lasting);
}

static void test_many_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct sg_serial serials[40];
    struct sg_serial_status statuses[NUM(serials)];
    struct sg_error error = {0};
    int64_t generation = -2;
    for (uint8_t i = 0; i < NUM(serials); i++) {
        serials[i] = (struct sg_serial){.bytes = {1, i}, .len = 2};
        if (i % 2 == 0)
            issue(fixture, &(struct ask){.device = "d1", .key = i, .serial = i});
    }
    expect_success("statuses",
                   sg_store_serial_statuses(fixture->store, fixture->issuer, serials, NUM(serials),
                                            NOW, statuses, &generation, &error),
                   &error);
    for (size_t i = 0; i < NUM(serials); i++)
        assert_int_equal(statuses[i].known, i % 2 == 0);
}

/* ---- the generation ---- */

static void test_generation(void **state)
{
    struct fixture *fixture = *state;
    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    struct sg_error error = {0};
    int64_t before = generation_of(reader);
    const int64_t id = issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    assert_int_equal(generation_of(reader), before); /* a new certificate changes no answer */

    revoke_one(fixture, id, SG_REASON_CERTIFICATE_HOLD);
    assert_true(generation_of(reader) > before);
    before = generation_of(reader);
    expect_success("release", sg_store_release(fixture->store, id, &error), &error);
    assert_true(generation_of(reader) > before);
    before = generation_of(reader);
    revoke_one(fixture, id, SG_REASON_SUPERSEDED);
    assert_true(generation_of(reader) > before);
    before = generation_of(reader);
    revoke_one(fixture, id, SG_REASON_KEY_COMPROMISE);
    assert_true(generation_of(reader) > before);
    before = generation_of(reader);
    assert_false(sg_store_revoke(fixture->store, id, SG_REASON_SUPERSEDED, NOW, &error));
    assert_int_equal(generation_of(reader), before); /* refused: nothing has changed */

    sg_error_clear(&error);
    const int64_t given_up =
        claim_one(fixture, fixture->store, &(struct ask){.device = "d2", .key = 2, .serial = 2}).id;
    expect_success("abandon", sg_store_abandon(fixture->store, &given_up, 1, &error), &error);
    assert_true(generation_of(reader) > before);
    sg_store_close(reader);
}

/* Recording the one revokes the other. */
static void test_superseding(void **state)
{
    struct fixture *fixture = *state;
    struct ask asks = {.device = "d1",
                       .key = 1,
                       .serial = 1,
                       .unique = SG_UNIQUE_DEVICE,
                       .window_s = 400 * DAY,
                       .previous = SG_PREVIOUS_REVOKE};
    issue(fixture, &asks);
    const int64_t before = generation_of(fixture->store);
    asks.key = asks.serial = 2;
    asks.not_after = NOW + 366 * DAY;
    issue(fixture, &asks);
    assert_int_equal(look_up(fixture, fixture->issuer, 1).status, SG_STATUS_REVOKED);
    assert_true(generation_of(fixture->store) > before);
}

static void test_without_a_count(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    int64_t generation = 0;
    change_store(fixture, "DELETE FROM counter WHERE name = 'status'");
    expect_failure("this version", sg_store_status_generation(fixture->store, &generation, &error),
                   &error, SG_STORE, "restore the latest backup");
    if (is_on_postgres())
        return; /* it has never had a version that didn't count */
    change_store(fixture, "PRAGMA user_version=2");
    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    assert_int_equal(generation_of(reader), -1);
    sg_store_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_statuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_generation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_superseding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_count, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
