#include "store_fixture.h"

#include "status/status.h"
#include "store/sqlite.h"

/* Certificates 1 and 2 of d1, 3 of d2. */
static int make_certificates(void **state)
{
    struct fixture *fixture;

    set_up(state);
    fixture = *state;
    issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    issue(fixture, &(struct ask){.device = "d1", .key = 2, .serial = 2});
    issue(fixture, &(struct ask){.device = "d2", .key = 3, .serial = 3});
    return 0;
}

static void expect_statuses(struct fixture *fixture, const char *name, const char *wanted)
{
    static const struct {
        char letter;
        enum sg_status status;
    } LETTERS[] = {{'v', SG_STATUS_VALID}, {'r', SG_STATUS_REVOKED}, {'h', SG_STATUS_HELD}};

    for (uint8_t serial = 1; serial <= 3; serial++)
        for (size_t i = 0; i < NUM(LETTERS); i++)
            if (LETTERS[i].letter == wanted[serial - 1] &&
                status_of(fixture->store, serial, NOW) != LETTERS[i].status)
                fail_msg("%s: certificate %d should be %s", name, serial,
                         sg_status_word(LETTERS[i].status));
}

enum { RELEASE = -1 };

/* One step of a case: what is asked for, and what becomes of it. */
struct step {
    uint8_t serial;     /* 0: by device */
    const char *device; /* NULL: by serial */
    int reason;         /* enum sg_reason, or RELEASE */
    enum sg_code code;
    const char *part;  /* of the message */
    size_t num;        /* that it was done to */
    const char *after; /* how the three certificates stand then */
};

static const struct {
    const char *name;
    struct step steps[5]; /* the last has no after */
} CASES[] = {
    {"one", {{1, NULL, SG_REASON_KEY_COMPROMISE, SG_OK, NULL, 1, "rvv"}}},
    {"of a device", {{0, "d1", SG_REASON_CESSATION_OF_OPERATION, SG_OK, NULL, 2, "rrv"}}},
    {"twice",
     {{1, NULL, SG_REASON_SUPERSEDED, SG_OK, NULL, 1, "rvv"},
      {1, NULL, SG_REASON_SUPERSEDED, SG_REFUSED, "was revoked already", 0, "rvv"}}},
    {"the rest of a device",
     {{1, NULL, SG_REASON_SUPERSEDED, SG_OK, NULL, 1, "rvv"},
      {0, "d1", SG_REASON_SUPERSEDED, SG_OK, NULL, 1, "rrv"},
      {0, "d1", SG_REASON_KEY_COMPROMISE, SG_OK, NULL, 2, "rrv"},
      {0, "d1", SG_REASON_KEY_COMPROMISE, SG_REFUSED, "0101 was revoked already", 0, "rrv"}}},
    {"nothing there", {{9, NULL, SG_REASON_KEY_COMPROMISE, SG_USAGE, "signet list", 0, "vvv"}}},
    {"device without any",
     {{0, "d3", SG_REASON_KEY_COMPROMISE, SG_USAGE, "signet list", 0, "vvv"}}},
    {"no such reason",
     {{1, NULL, SG_REASON_REMOVE_FROM_CRL, SG_REFUSED, "removeFromCRL", 0, "vvv"}}},
    {"hold and release",
     {{0, "d1", SG_REASON_CERTIFICATE_HOLD, SG_OK, NULL, 2, "hhv"},
      {1, NULL, RELEASE, SG_OK, NULL, 1, "vhv"},
      {0, "d1", RELEASE, SG_OK, NULL, 1, "vvv"},
      {0, "d1", RELEASE, SG_REFUSED, "is not on hold", 0, "vvv"}}},
    {"hold, then for good",
     {{1, NULL, SG_REASON_CERTIFICATE_HOLD, SG_OK, NULL, 1, "hvv"},
      {1, NULL, SG_REASON_CERTIFICATE_HOLD, SG_REFUSED, "on hold already", 0, "hvv"},
      {1, NULL, SG_REASON_KEY_COMPROMISE, SG_OK, NULL, 1, "rvv"},
      {1, NULL, RELEASE, SG_REFUSED, "revoked for good", 0, "rvv"}}},
    {"no hold after a revocation",
     {{1, NULL, SG_REASON_KEY_COMPROMISE, SG_OK, NULL, 1, "rvv"},
      {1, NULL, SG_REASON_CERTIFICATE_HOLD, SG_REFUSED, "never follows", 0, "rvv"}}},
    {"nothing to release", {{9, NULL, RELEASE, SG_USAGE, "signet list", 0, "vvv"}}},
};

static bool take(struct fixture *fixture, const struct step *step, size_t *num,
                 struct sg_error *error)
{
    const struct sg_serial serial = {.bytes = {1, step->serial}, .len = 2};
    const struct sg_certificate_filter filter = {
        .serial = step->device == NULL ? &serial : NULL, .device = step->device, .now = NOW};

    if (step->reason == RELEASE)
        return sg_status_release(fixture->store, &filter, num, error);
    return sg_status_revoke(fixture->store, &filter, (enum sg_reason)step->reason, NOW, num, error);
}

static void cases(void **state)
{
    for (size_t i = 0; i < NUM(CASES); i++) {
        make_certificates(state);
        for (const struct step *step = CASES[i].steps; step->after != NULL; step++) {
            struct sg_error error = {0};
            size_t num = 77;
            bool verdict = take(*state, step, &num, &error);

            if (step->code == SG_OK)
                expect_success(CASES[i].name, verdict, &error);
            else
                expect_failure(CASES[i].name, verdict, &error, step->code, step->part);
            if (num != (step->code == SG_OK ? step->num : 77))
                fail_msg("%s: it was done to %zu", CASES[i].name, num);
            expect_statuses(*state, CASES[i].name, step->after);
        }
        tear_down(state);
    }
}

/* What was done before the store failed stays done; asking again does the rest. */
static void a_store_that_fails(void **state)
{
    struct fixture *fixture = *state;
    static const struct step REVOKE = {0, "d1", SG_REASON_KEY_COMPROMISE, SG_OK, NULL, 0, ""};
    struct sg_error error = {0};
    size_t num = 77;

    assert_int_equal(
        sqlite3_exec(fixture->store->sqlite->db, "PRAGMA query_only=ON", NULL, NULL, NULL),
        SQLITE_OK);
    expect_failure("read-only", take(fixture, &REVOKE, &num, &error), &error, SG_STORE, "store");
    assert_int_equal(sqlite3_exec(fixture->store->sqlite->db,
                                  "PRAGMA query_only=OFF;"
                                  "CREATE TRIGGER refuse BEFORE INSERT ON revocation"
                                  " WHEN (SELECT count(*) FROM revocation) = 1 BEGIN"
                                  " SELECT RAISE(ABORT, 'no room'); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sg_error_clear(&error);
    expect_failure("second", take(fixture, &REVOKE, &num, &error), &error, SG_INTERNAL, "no room");
    assert_int_equal(num, 77);
    expect_statuses(fixture, "second", "rvv");
    assert_int_equal(
        sqlite3_exec(fixture->store->sqlite->db, "DROP TRIGGER refuse", NULL, NULL, NULL),
        SQLITE_OK);
    sg_error_clear(&error);
    expect_success("again", take(fixture, &REVOKE, &num, &error), &error);
    assert_int_equal(num, 1);
    expect_statuses(fixture, "again", "rrv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test_setup_teardown(a_store_that_fails, make_certificates, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
