#include <errno.h>

#include "store_fixture.h"

#include <signal.h>
#include <sqlite3.h>

#include "store/sqlite.h"
#ifdef TEST_HAS_POSTGRES
#include "store/postgres.h"
#endif

/* ---- one claim after others ---- */

enum before { NOTHING, ISSUED, IN_FLIGHT, ABANDONED, REVOKED, COMPROMISED, HELD };

/* What must happen to `then`, when `first` has been brought to `before`. */
static const struct {
    const char *name;
    enum before before;
    struct ask first, then;
    enum sg_code code; /* SG_OK: claimed, or answered with the first when retry is set */
    bool retry;
    const char *part, *rule;
} CASES[] = {
#define D1(...)                                                                                    \
    {                                                                                              \
        .device = "d1", .key = 1, .content = 1, __VA_ARGS__                                        \
    }
#define UNIQUE .unique = SG_UNIQUE_DEVICE

    /* retry */
    {"a retry", ISSUED, D1(.serial = 1), D1(.serial = 2), SG_OK, true},
    {"a retry under unique", ISSUED, D1(.serial = 1, UNIQUE), D1(.serial = 2, UNIQUE), SG_OK, true},
    {"a retry by a user",
     ISSUED,
     {.user = "u1", .serial = 1},
     {.user = "u1", .serial = 2},
     SG_OK,
     true},
    {"a retry by nobody", ISSUED, {.serial = 1}, {.serial = 2}, SG_OK, true},
    {"other key", ISSUED, D1(.serial = 1), {.device = "d1", .key = 2, .content = 1, .serial = 2}},
    {"other content",
     ISSUED,
     D1(.serial = 1),
     {.device = "d1", .key = 1, .content = 2, .serial = 2}},
    {"another device with another key",
     ISSUED,
     D1(.serial = 1),
     {.device = "d2", .key = 2, .content = 1, .serial = 2}},
    {"another device with the same key",
     ISSUED,
     D1(.serial = 1),
     {.device = "d2", .key = 1, .content = 1, .serial = 2},
     SG_KEY_QUALITY,
     false,
     "certified for another device or user",
     "one key, one holder"},
    {"another user with the same key",
     ISSUED,
     {.user = "u1", .key = 1, .serial = 1},
     {.user = "u2", .key = 1, .serial = 2},
     SG_KEY_QUALITY,
     false,
     "certified for another device or user",
     "one key, one holder"},
    {"another device with an orphan's key",
     ABANDONED,
     D1(.serial = 1),
     {.device = "d2", .key = 1, .serial = 2},
     SG_KEY_QUALITY,
     false,
     "certified for another device or user",
     "one key, one holder"},
    {"a compromised key", COMPROMISED, D1(.serial = 1), D1(.serial = 2), SG_KEY_QUALITY, false,
     "revoked for a compromise", "compromised key"},
    {"no device",
     ISSUED,
     D1(.serial = 1),
     {.key = 1, .content = 1, .serial = 2},
     SG_KEY_QUALITY,
     false,
     "certified for another device or user",
     "one key, one holder"},
    {"a device after none",
     ISSUED,
     {.key = 1, .content = 1, .serial = 1},
     D1(.serial = 2),
     SG_KEY_QUALITY,
     false,
     "certified for another device or user",
     "one key, one holder"},
    {"a user after a device",
     ISSUED,
     D1(.serial = 1),
     {.user = "u1", .key = 1, .serial = 2},
     SG_KEY_QUALITY,
     false,
     "certified for another device or user",
     "one key, one holder"},
    {"nobody after nobody, other content",
     ISSUED,
     {.key = 1, .content = 1, .serial = 1},
     {.key = 1, .content = 2, .serial = 2}},
    {"the device alone after its user",
     ISSUED,
     D1(.serial = 1, .user = "u1"),
     {.device = "d1", .key = 1, .content = 2, .serial = 2}},
    {"a user too", ISSUED, D1(.serial = 1), D1(.serial = 2, .user = "u1")},
    {"other policy", ISSUED, D1(.serial = 1), D1(.serial = 2, .policy = "other")},
    {"a retry of an expired one", ISSUED, D1(.serial = 1, .not_after = NOW + 10),
     D1(.serial = 2, .now = NOW + 11)},
    {"a retry at the last second", ISSUED, D1(.serial = 1, .not_after = NOW + 10),
     D1(.serial = 2, .now = NOW + 10), SG_OK, true},
    {"a retry of a revoked one", REVOKED, D1(.serial = 1), D1(.serial = 2)},
    {"a retry of an orphan", ABANDONED, D1(.serial = 1), D1(.serial = 2)},
    {"a retry of a held one", HELD, D1(.serial = 1), D1(.serial = 2), SG_REFUSED, false, "on hold",
     "policy mtls: unique"},
    {"a retry of one in flight", IN_FLIGHT, D1(.serial = 1), D1(.serial = 2), SG_REFUSED, false,
     "being issued by another process", "policy mtls: unique"},
    {"a retry before the window", ISSUED, D1(.serial = 1, .not_after = NOW + 100),
     D1(.serial = 2, .window_s = 50, .now = NOW + 49), SG_OK, true},
    {"a renewal in the window", ISSUED, D1(.serial = 1, .not_after = NOW + 100),
     D1(.serial = 2, .window_s = 50, .now = NOW + 50)},
    {"in the window, but no later end", ISSUED, D1(.serial = 1, .not_after = NOW + 100),
     D1(.serial = 2, .not_after = NOW + 100, .window_s = 200), SG_OK, true},
    {"in the window, and an earlier end", ISSUED, D1(.serial = 1, .not_after = NOW + 100),
     D1(.serial = 2, .not_after = NOW + 99, .window_s = 200), SG_OK, true},
    {"in the window, and the end a second later", ISSUED, D1(.serial = 1, .not_after = NOW + 100),
     D1(.serial = 2, .not_after = NOW + 101, .window_s = 200)},
    {"no later end, where renewal wants a new key", ISSUED, D1(.serial = 1, .not_after = NOW + 100),
     D1(.serial = 2, .not_after = NOW + 100, .window_s = 200, .same_key = SG_SAME_KEY_REFUSE),
     SG_OK, true},
    {"a renewal with the same key, refused", ISSUED, D1(.serial = 1, .not_after = NOW + 100),
     D1(.serial = 2, .window_s = 50, .now = NOW + 50, .same_key = SG_SAME_KEY_REFUSE), SG_REFUSED,
     false, "needs a new key", "policy mtls: renewal.same_key"},

/* unique: as above, with another key and other content */
#define OTHER(...)                                                                                 \
    {                                                                                              \
        .device = "d1", .key = 2, .content = 2, UNIQUE, __VA_ARGS__                                \
    }
    {"unique, the first", NOTHING, {0}, OTHER(.serial = 2)},
    {"unique, a second", ISSUED, D1(.serial = 1, UNIQUE), OTHER(.serial = 2), SG_REFUSED, false,
     "device \"d1\" has certificate 0101, valid until 2024-11-13T22:13:20Z: revoke it",
     "policy mtls: unique"},
    {"unique, though the first was not", ISSUED, D1(.serial = 1), OTHER(.serial = 2), SG_REFUSED,
     false, "has certificate 0101", "policy mtls: unique"},
    {"unique, other policy", ISSUED, D1(.serial = 1, UNIQUE, .policy = "b"), OTHER(.serial = 2)},
    {"unique, other device", ISSUED, {.device = "d2", .serial = 1, UNIQUE}, OTHER(.serial = 2)},
    {"unique, in flight", IN_FLIGHT, D1(.serial = 1, UNIQUE), OTHER(.serial = 2), SG_REFUSED, false,
     "is being issued at this moment", "policy mtls: unique"},
    {"unique, an orphan", ABANDONED, D1(.serial = 1, UNIQUE), OTHER(.serial = 2)},
    {"unique, revoked", REVOKED, D1(.serial = 1, UNIQUE), OTHER(.serial = 2)},
    {"unique, held", HELD, D1(.serial = 1, UNIQUE), OTHER(.serial = 2), SG_REFUSED, false,
     "0101 is on hold: release or revoke it", "policy mtls: unique"},
    {"unique, expired", ISSUED, D1(.serial = 1, UNIQUE, .not_after = NOW + 10),
     OTHER(.serial = 2, .now = NOW + 11)},
    {"unique, at the last second", ISSUED, D1(.serial = 1, UNIQUE, .not_after = NOW + 10),
     OTHER(.serial = 2, .now = NOW + 10), SG_REFUSED, false, "", "policy mtls: unique"},
    {"unique, before the window", ISSUED, D1(.serial = 1, UNIQUE, .not_after = NOW + 100),
     OTHER(.serial = 2, .window_s = 50, .now = NOW + 49), SG_REFUSED, false,
     "can be renewed from 2023-11-14T22:14:10Z on", "policy mtls: unique"},
    {"unique, in the window", ISSUED, D1(.serial = 1, UNIQUE, .not_after = NOW + 100),
     OTHER(.serial = 2, .window_s = 50, .now = NOW + 50)},
    {"unique, in the window, but no later end", ISSUED,
     D1(.serial = 1, UNIQUE, .not_after = NOW + 100),
     D1(.serial = 2, UNIQUE, .not_after = NOW + 100, .window_s = 200), SG_OK, true},
    {"unique, in the window, another key for no later end", ISSUED,
     D1(.serial = 1, UNIQUE, .not_after = NOW + 100),
     OTHER(.serial = 2, .not_after = NOW + 100, .window_s = 200), SG_REFUSED, false,
     "a new one would not be valid any longer: revoke it", "policy mtls: unique"},
    {"unique, in the window, another key for a later end", ISSUED,
     D1(.serial = 1, UNIQUE, .not_after = NOW + 100),
     OTHER(.serial = 2, .not_after = NOW + 101, .window_s = 200)},
    {"unique, in the window, a new key is wanted", ISSUED,
     D1(.serial = 1, UNIQUE, .not_after = NOW + 100),
     OTHER(.serial = 2, .window_s = 50, .now = NOW + 50, .same_key = SG_SAME_KEY_REFUSE)},
    {"unique, in the window, the same key for another user", ISSUED,
     D1(.serial = 1, UNIQUE, .not_after = NOW + 100),
     D1(.serial = 2, UNIQUE, .user = "u1", .window_s = 50, .now = NOW + 50,
        .same_key = SG_SAME_KEY_REFUSE),
     SG_REFUSED, false, "needs a new key", "policy mtls: renewal.same_key"},
    {"unique user, a second",
     ISSUED,
     {.user = "u1", .key = 1, .serial = 1},
     {.user = "u1", .key = 2, .serial = 2, .unique = SG_UNIQUE_USER},
     SG_REFUSED,
     false,
     "user \"u1\" has certificate",
     "policy mtls: unique"},
    {"unique user, another",
     ISSUED,
     {.user = "u1", .key = 1, .serial = 1},
     {.user = "u2", .key = 2, .serial = 2, .unique = SG_UNIQUE_USER}},
    {"unique device, but none",
     NOTHING,
     {0},
     {.serial = 1, UNIQUE},
     SG_UNAUTHENTICATED,
     false,
     "no device is known",
     "policy mtls: unique"},

    /* who */
    {"unknown device",
     NOTHING,
     {0},
     {.device = "dX", .serial = 1},
     SG_UNAUTHENTICATED,
     false,
     "device \"dX\" is not in the registry",
     ""},
    {"unknown user",
     NOTHING,
     {0},
     {.user = "d1", .serial = 1},
     SG_UNAUTHENTICATED,
     false,
     "user \"d1\" is not in the registry",
     ""},
    {"disabled device",
     NOTHING,
     {0},
     {.device = "d4", .serial = 1},
     SG_UNAUTHENTICATED,
     false,
     "device \"d4\" is disabled",
     ""},
    {"disabled user",
     NOTHING,
     {0},
     {.device = "d1", .user = "u2", .serial = 1},
     SG_UNAUTHENTICATED,
     false,
     "user \"u2\" is disabled",
     ""},

    /* serial */
    {"a serial again",
     ISSUED,
     D1(.serial = 1),
     {.device = "d2", .key = 2, .serial = 1},
     SG_INTERNAL,
     false,
     "used the serial number 0101",
     ""},
    {"a serial of an orphan",
     ABANDONED,
     D1(.serial = 1),
     {.device = "d2", .key = 2, .serial = 1},
     SG_INTERNAL,
     false,
     "used the serial number 0101",
     ""},
};

static int64_t bring_about(struct fixture *fixture, enum before before, const struct ask *first)
{
    struct sg_error error = {0};
    if (before == NOTHING)
        return 0;
    if (before == ISSUED)
        return issue(fixture, first);
    const struct sg_claim claim = claim_one(fixture, fixture->store, first);
    bool done = claim.outcome == SG_CLAIM_NEW;
    if (before == ABANDONED)
        done = done && sg_store_abandon(fixture->store, &claim.id, 1, &error);
    if (before == REVOKED || before == COMPROMISED || before == HELD)
        done = done && record(fixture->store, claim.id, first->serial, NOW, &error) &&
               sg_store_revoke(fixture->store, claim.id,
                               before == HELD          ? SG_REASON_CERTIFICATE_HOLD
                               : before == COMPROMISED ? SG_REASON_KEY_COMPROMISE
                                                       : SG_REASON_CESSATION_OF_OPERATION,
                               NOW, &error);
    expect_success("first", done, &error);
    return claim.id;
}

/* A refusal for the sake of what is in flight is one for now. */
static void expect_detail(const struct sg_error *error)
{
    const bool for_now = strstr(error->text, "being issued") != NULL ||
                         strstr(error->text, "in this group twice") != NULL ||
                         strstr(error->text, "another request of this group") != NULL;
    if ((error->detail == EAGAIN) != for_now)
        fail_msg("detail %ld of: %s", error->detail, error->text);
}

static void run_case(size_t i)
{
    void *state = NULL;
    struct sg_error error = {0};
    set_up(&state);
    struct fixture *fixture = state;
    assert_true(sg_store_set_disabled(fixture->store, SG_REGISTRY_DEVICE, "d4", true, &error));
    assert_true(sg_store_set_disabled(fixture->store, SG_REGISTRY_USER, "u2",
                                      CASES[i].code == SG_UNAUTHENTICATED, &error));
    const int64_t first = bring_about(fixture, CASES[i].before, &CASES[i].first);
    struct sg_claim claim = claim_one(fixture, fixture->store, &CASES[i].then);
    const bool refused = claim.outcome == SG_CLAIM_REFUSED;
    if (CASES[i].code == SG_OK)
        expect_success(CASES[i].name, !refused, &claim.error);
    else
        expect_failure(CASES[i].name, !refused, &claim.error, CASES[i].code, CASES[i].part);
    if (refused && strcmp(claim.error.rule, CASES[i].rule) != 0)
        fail_msg("%s: rule '%s', not '%s'", CASES[i].name, claim.error.rule, CASES[i].rule);
    if (refused)
        expect_detail(&claim.error);
    if (!refused && CASES[i].retry != (claim.outcome == SG_CLAIM_RETRY))
        fail_msg("%s: outcome %d", CASES[i].name, claim.outcome);
    if (CASES[i].retry)
        assert_true(claim.existing.id == first && claim.existing.der.len > 0);
    else
        assert_true((claim.id > first) == !refused);
    sg_certificate_done(&claim.existing);
    tear_down(&state);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        run_case(i);
}

/* ---- groups ---- */

static void test_group(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        struct ask ask;
        bool claimed;
        const char *part;
    } group[] = {
        {{.device = "d1", .key = 1, .serial = 1, .unique = SG_UNIQUE_DEVICE}, true, ""},
        {{.device = "dX", .key = 2, .serial = 2, .unique = SG_UNIQUE_DEVICE}, false, "registry"},
        {{.device = "d1", .key = 1, .serial = 3, .unique = SG_UNIQUE_DEVICE},
         false,
         "the same request is in this group twice"},
        {{.device = "d1", .key = 4, .serial = 4, .unique = SG_UNIQUE_DEVICE},
         false,
         "another request of this group is for the same device \"d1\""},
        {{.device = "d2", .key = 5, .serial = 1, .unique = SG_UNIQUE_DEVICE},
         false,
         "used the serial number"},
        {{.device = "d3", .key = 6, .serial = 6, .unique = SG_UNIQUE_DEVICE}, true, ""},
    };
    struct asked asked[NUM(group)];
    struct sg_claim claims[NUM(group)];
    struct sg_error error = {0};
    for (size_t i = 0; i < NUM(group); i++)
        claims[i] = ask(fixture, &group[i].ask, &asked[i]);
    expect_success("group", sg_store_claim(fixture->store, claims, NUM(group), &error), &error);
    for (size_t i = 0; i < NUM(group); i++) {
        const bool claimed = claims[i].outcome == SG_CLAIM_NEW;
        if (claimed != group[i].claimed || strstr(claims[i].error.text, group[i].part) == NULL)
            fail_msg("%zu: outcome %d: %s", i, claims[i].outcome, claims[i].error.text);
        if (!claimed)
            expect_detail(&claims[i].error);
        assert_true(claimed == (claims[i].id != 0));
    }
    assert_int_equal(look(fixture->store, (struct sg_certificate_filter){0}).num, 2);
}

/* ---- registering with the claim ---- */

static struct sg_record device_record(char *id, struct sg_attribute *region)
{
    return (struct sg_record){.id = id, .attributes = region, .num_attributes = region != NULL};
}

static void test_register_with_claim(void **state)
{
    struct fixture *fixture = *state;
    char new_id[] = "new", other_id[] = "d1", name[] = "region", here[] = "eu", there[] = "us";
    char broken[] = "a\nb";
    struct sg_attribute eu = {name, here}, us = {name, there}, bad = {name, broken};
    const struct sg_record as_eu = device_record(new_id, &eu), as_us = device_record(new_id, &us),
                           other = device_record(other_id, &eu),
                           wrong = device_record(new_id, &bad);
    const struct {
        const char *name;
        struct ask ask;
        enum sg_code code;
        const char *part;
        bool known_then;
    } cases[] = {
        {"not its own",
         {.device = "new", .key = 1, .serial = 1, .register_device = &other},
         SG_INTERNAL,
         "its own device",
         false},
        {"no text",
         {.device = "new", .key = 1, .serial = 1, .register_device = &wrong},
         SG_MALFORMED,
         "region",
         false},
        {"refused for another reason",
         {.device = "new", .user = "uX", .key = 1, .serial = 1, .register_device = &as_eu},
         SG_UNAUTHENTICATED,
         "uX",
         false},
        {"new",
         {.device = "new", .key = 1, .serial = 1, .register_device = &as_eu},
         SG_OK,
         "",
         true},
        {"again",
         {.device = "new", .key = 2, .serial = 2, .register_device = &as_eu},
         SG_OK,
         "",
         true},
        {"with other attributes",
         {.device = "new", .key = 3, .serial = 3, .register_device = &as_us},
         SG_REFUSED,
         "with other attributes",
         true},
    };
    for (size_t i = 0; i < NUM(cases); i++) {
        const struct sg_claim claim = claim_one(fixture, fixture->store, &cases[i].ask);
        if (cases[i].code == SG_OK)
            expect_success(cases[i].name, claim.outcome == SG_CLAIM_NEW, &claim.error);
        else
            expect_failure(cases[i].name, claim.outcome == SG_CLAIM_NEW, &claim.error,
                           cases[i].code, cases[i].part);
        sg_auto(sg_record) struct sg_record found = {0};
        const bool known =
            sg_store_find_record(fixture->store, SG_REGISTRY_DEVICE, "new", &found, NULL);
        assert_int_equal(known, cases[i].known_then);
        if (known)
            assert_string_equal(sg_record_value(&found, "region"), "eu");
    }
}

/* ---- previous: revoke ---- */

static void test_previous(void **state)
{
    static const struct {
        const char *name;
        enum sg_unique unique;
        uint8_t new_key;
        enum sg_previous previous;
        enum sg_status then;
    } cases[] = {
        {"keep", SG_UNIQUE_DEVICE, 2, SG_PREVIOUS_KEEP, SG_STATUS_VALID},
        {"revoke", SG_UNIQUE_DEVICE, 2, SG_PREVIOUS_REVOKE, SG_STATUS_REVOKED},
        {"revoke, same key", SG_UNIQUE_DEVICE, 1, SG_PREVIOUS_REVOKE, SG_STATUS_REVOKED},
        {"revoke, not unique, same key", SG_UNIQUE_NONE, 1, SG_PREVIOUS_REVOKE, SG_STATUS_REVOKED},
        {"revoke, not unique, so another's", SG_UNIQUE_NONE, 2, SG_PREVIOUS_REVOKE,
         SG_STATUS_VALID},
    };
    struct fixture *fixture = *state;
    for (uint8_t i = 0; i < NUM(cases); i++) {
        char policy[16];
        struct sg_error error = {0};
        (void)snprintf(policy, sizeof policy, "p%u", i);
        const uint8_t first = 10 + 2 * i, second = first + 1;
        issue(fixture, &(struct ask){.policy = policy,
                                     .device = "d1",
                                     .key = 1,
                                     .serial = first,
                                     .not_after = NOW + 100});
        const struct sg_claim claim = claim_one(fixture, fixture->store,
                                                &(struct ask){.policy = policy,
                                                              .device = "d1",
                                                              .key = cases[i].new_key,
                                                              .serial = second,
                                                              .unique = cases[i].unique,
                                                              .window_s = 50,
                                                              .now = NOW + 60,
                                                              .previous = cases[i].previous});
        expect_success(cases[i].name, claim.outcome == SG_CLAIM_NEW, &claim.error);
        expect_status(fixture->store, first, NOW + 60, SG_STATUS_VALID); /* until it is recorded */
        expect_success(cases[i].name, record(fixture->store, claim.id, second, NOW + 61, &error),
                       &error);
        const struct sg_serial serial = {.bytes = {1, first}, .len = 2};
        const struct seen seen = look(
            fixture->store, (struct sg_certificate_filter){.serial = &serial, .now = NOW + 61});
        assert_int_equal(seen.last.status, cases[i].then);
        if (cases[i].then == SG_STATUS_REVOKED)
            assert_true(seen.last.reason == SG_REASON_SUPERSEDED && seen.last.revoked == NOW + 61);
        expect_status(fixture->store, second, NOW + 61, SG_STATUS_VALID);
    }
}

/* The old one is put on hold while the new one is signed: releasing it would make two. */
static void test_previous_on_hold(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    const int64_t old = issue(
        fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1, .not_after = NOW + 100});
    const struct sg_claim claim = claim_one(fixture, fixture->store,
                                            &(struct ask){.device = "d1",
                                                          .key = 2,
                                                          .serial = 2,
                                                          .now = NOW + 60,
                                                          .unique = SG_UNIQUE_DEVICE,
                                                          .window_s = 50,
                                                          .previous = SG_PREVIOUS_REVOKE});
    assert_true(sg_store_revoke(fixture->store, old, SG_REASON_CERTIFICATE_HOLD, NOW, &error));
    expect_success("record", record(fixture->store, claim.id, 2, NOW + 61, &error), &error);
    expect_status(fixture->store, 1, NOW + 61, SG_STATUS_REVOKED);
}

/* ---- replace ---- */

static struct sg_claim claim_instead(struct fixture *fixture, uint8_t serial, bool replace)
{
    return claim_one(fixture, fixture->store,
                     &(struct ask){.device = "d1",
                                   .key = 2,
                                   .serial = serial,
                                   .unique = SG_UNIQUE_DEVICE,
                                   .replace = replace,
                                   .replace_reason = SG_REASON_KEY_COMPROMISE});
}

static void test_replace(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    const struct sg_serial old = {.bytes = {1, 1}, .len = 2};

    issue(fixture,
          &(struct ask){.device = "d1", .key = 1, .serial = 1, .unique = SG_UNIQUE_DEVICE});
    assert_int_equal(claim_instead(fixture, 2, false).outcome, SG_CLAIM_REFUSED);
    const struct sg_claim claim = claim_instead(fixture, 3, true);
    expect_success("claim", claim.outcome == SG_CLAIM_NEW, &claim.error);
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID); /* until the new one is there */
    expect_success("record", record(fixture->store, claim.id, 3, NOW + 1, &error), &error);
    const struct seen seen =
        look(fixture->store, (struct sg_certificate_filter){.serial = &old, .now = NOW + 1});
    assert_int_equal(seen.last.status, SG_STATUS_REVOKED);
    assert_int_equal(seen.last.reason, SG_REASON_KEY_COMPROMISE);
    /* the same again is a retry, and replaces nothing */
    struct sg_claim again = claim_instead(fixture, 4, true);
    assert_int_equal(again.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&again.existing);
    expect_status(fixture->store, 3, NOW + 1, SG_STATUS_VALID);
}

static void test_replace_in_flight_or_held(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    const struct sg_claim first =
        claim_one(fixture, fixture->store,
                  &(struct ask){.device = "d1", .key = 1, .serial = 1, .unique = SG_UNIQUE_DEVICE});

    assert_int_equal(claim_instead(fixture, 2, true).outcome, SG_CLAIM_REFUSED);
    expect_success("record", record(fixture->store, first.id, 1, NOW, &error), &error);
    assert_true(sg_store_revoke(fixture->store, first.id, SG_REASON_CERTIFICATE_HOLD, NOW, &error));
    assert_int_equal(claim_instead(fixture, 3, true).outcome, SG_CLAIM_REFUSED);
}

/* ---- recording ---- */

static void test_record_refuses(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    const struct sg_slice wrong = sg_slice_text("head|to be signed: 99|tail");
    int64_t ids[7];
    for (uint8_t i = 1; i < NUM(ids); i++)
        ids[i] = claim_one(fixture, fixture->store,
                           &(struct ask){.device = "d1", .key = i, .content = i, .serial = i})
                     .id;
    assert_true(sg_store_abandon(fixture->store, &ids[1], 1, &error));
    assert_true(sg_store_abandon(fixture->store, &ids[1], 1, &error)); /* twice is once */
    assert_true(sg_store_revoke(fixture->store, ids[2], SG_REASON_KEY_COMPROMISE, NOW, &error));
    assert_true(sg_store_revoke(fixture->store, ids[3], SG_REASON_CERTIFICATE_HOLD, NOW, &error));
    assert_true(record(fixture->store, ids[4], 4, NOW, &error));

    const struct {
        const char *name;
        struct sg_store *store;
        int64_t id;
        uint8_t serial;
        enum sg_code code;
        const char *part;
    } cases[] = {
        {"abandoned", fixture->store, ids[1], 1, SG_REFUSED, "given up"},
        {"revoked", fixture->store, ids[2], 2, SG_REFUSED, "was revoked while"},
        {"held", fixture->store, ids[3], 3, SG_REFUSED, "was revoked while"},
        {"recorded", fixture->store, ids[4], 4, SG_INTERNAL, "recorded already"},
        {"another's", other, ids[5], 5, SG_INTERNAL, "belongs to another process"},
        {"no claim", fixture->store, 1000, 5, SG_REFUSED, "number 1000"},
        {"other bytes", fixture->store, ids[5], 6, SG_INTERNAL, "bytes that were claimed"},
    };
    for (size_t i = 0; i < NUM(cases); i++) {
        sg_error_clear(&error);
        expect_failure(cases[i].name,
                       record(cases[i].store, cases[i].id, cases[i].serial, NOW, &error), &error,
                       cases[i].code, cases[i].part);
    }
    /* one that can't be recorded keeps its group from being so */
    sg_error_clear(&error);
    const int64_t pair[] = {ids[5], ids[6]};
    const struct sg_slice ders[] = {sg_slice_text("to be signed: 5"), wrong};
    assert_false(sg_store_record(fixture->store, pair, ders, 2, NOW, &error));
    expect_status(fixture->store, 5, NOW, SG_STATUS_IN_FLIGHT);

    /* a hold that is released in time does no harm */
    sg_error_clear(&error);
    expect_success("release", sg_store_release(fixture->store, ids[3], &error), &error);
    expect_success("released", record(fixture->store, ids[3], 3, NOW, &error), &error);

    expect_failure("abandon another's", sg_store_abandon(other, &ids[5], 1, &error), &error,
                   SG_INTERNAL, "not in flight in this process");
    sg_error_clear(&error);
    expect_failure("abandon a certificate", sg_store_abandon(fixture->store, &ids[4], 1, &error),
                   &error, SG_INTERNAL, "not in flight");
    sg_store_close(other);
}

/* ---- two handles of one process ---- */

static void test_two_handles(void **state)
{
    struct fixture *fixture = *state;
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    const struct ask first = {.device = "d1", .key = 1, .serial = 1, .unique = SG_UNIQUE_DEVICE};
    const struct ask second = {.device = "d1", .key = 2, .serial = 2, .unique = SG_UNIQUE_DEVICE};
    const struct sg_claim claim = claim_one(fixture, other, &first);
    struct sg_error error = {0};
    assert_int_equal(claim.outcome, SG_CLAIM_NEW);
    expect_status(fixture->store, 1, NOW, SG_STATUS_IN_FLIGHT);
    expect_status(other, 1, NOW, SG_STATUS_IN_FLIGHT);
    assert_int_equal(claim_one(fixture, fixture->store, &second).outcome, SG_CLAIM_REFUSED);

    /* a closed handle owns nothing, and its id is not given to the next one */
    sg_store_close(other);
    expect_status(fixture->store, 1, NOW, SG_STATUS_ORPHANED);
    other = open_store(fixture->folder, SG_STORE_OPEN);
    const struct ask third = {.device = "d3", .key = 3, .serial = 3};
    assert_int_equal(claim_one(fixture, other, &third).outcome, SG_CLAIM_NEW);
    expect_status(fixture->store, 1, NOW, SG_STATUS_ORPHANED);
    expect_status(fixture->store, 3, NOW, SG_STATUS_IN_FLIGHT);
    assert_int_equal(claim_one(fixture, fixture->store, &second).outcome, SG_CLAIM_NEW);
    expect_failure("recording it late", record(other, claim.id, 1, NOW, &error), &error, SG_REFUSED,
                   "given up");
    sg_store_close(other);
}

/* Without the owners file a live process looks dead. What was given up for it stays given up. */
static void test_lost_owners_file(void **state)
{
    if (is_on_postgres())
        return; /* it is about the file */
    struct fixture *fixture = *state;
    char path[128];
    struct sg_error error = {0};
    const struct ask first = {.device = "d1", .key = 1, .serial = 1, .unique = SG_UNIQUE_DEVICE};
    const struct ask second = {.device = "d1", .key = 2, .serial = 2, .unique = SG_UNIQUE_DEVICE};
    const struct sg_claim claim = claim_one(fixture, fixture->store, &first);
    (void)snprintf(path, sizeof path, "%s/signet.db.owners", fixture->folder);
    assert_int_equal(unlink(path), 0);
    struct sg_store *other = open_store(fixture->folder, SG_STORE_OPEN);
    assert_int_equal(claim_one(fixture, other, &second).outcome, SG_CLAIM_NEW);
    expect_failure("recording it late", record(fixture->store, claim.id, 1, NOW, &error), &error,
                   SG_REFUSED, "given up");
    sg_store_close(other);
}

/* ---- two processes ---- */

struct contest {
    struct fixture *fixture;
    uint8_t serial;
    int start, claimed, finish; /* pipes' ends */
};

/* Claims when it is told to, says how it went, and stays alive until it is told to end. */
static int contend(struct contest *contest)
{
    struct fixture mine = *contest->fixture;
    char byte = 0;
    const struct ask wanted = {.device = "d1",
                               .key = contest->serial,
                               .serial = contest->serial,
                               .unique = SG_UNIQUE_DEVICE};
    if (read(contest->start, &byte, 1) != 1)
        return 1;
    mine.store = open_store(mine.folder, SG_STORE_OPEN);
    const struct sg_claim claim = claim_one(&mine, mine.store, &wanted);
    byte = claim.outcome == SG_CLAIM_NEW ? 'y' : 'n';
    if (write(contest->claimed, &byte, 1) != 1 || read(contest->finish, &byte, 1) != 1)
        return 2;
    sg_store_close(mine.store);
    return 0;
}

struct contestant {
    pid_t pid;
    int start, claimed, finish;
};

static struct contestant start_contestant(struct fixture *fixture, uint8_t serial)
{
    int start[2], claimed[2], finish[2];
    assert_true(pipe(start) == 0 && pipe(claimed) == 0 && pipe(finish) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(start[1]);
        close(finish[1]);
        struct contest contest = {fixture, serial, start[0], claimed[1], finish[0]};
        _exit(contend(&contest));
    }
    close(start[0]);
    close(claimed[1]);
    close(finish[0]);
    return (struct contestant){pid, start[1], claimed[0], finish[1]};
}

static void tell(int fd)
{
    assert_int_equal(write(fd, "", 1), 1);
}

static char answer(const struct contestant *contestant)
{
    char byte = '?';
    assert_int_equal(read(contestant->claimed, &byte, 1), 1);
    return byte;
}

static void end_contestant(struct contestant *contestant, int signal_number)
{
    int status = 0;
    if (signal_number != 0)
        kill(contestant->pid, signal_number);
    else
        tell(contestant->finish);
    close(contestant->start);
    close(contestant->finish);
    close(contestant->claimed);
    assert_int_equal(waitpid(contestant->pid, &status, 0), contestant->pid);
    assert_true(signal_number != 0 ? WIFSIGNALED(status) : status == 0);
}

/* No handle is open in the parent when it forks: SQLite's must not cross one. */
static struct fixture *close_for_fork(void **state)
{
    struct fixture *fixture = *state;
    sg_store_close(SG_TAKE(fixture->store));
    return fixture;
}

static void test_two_processes(void **state)
{
    struct fixture *fixture = close_for_fork(state);
    for (int order = 0; order < 3; order++) {
        uint8_t serial = (uint8_t)(10 * order + 1);
        struct contestant a = start_contestant(fixture, serial);
        struct contestant b = start_contestant(fixture, serial + 1);
        char says_a = 0, says_b = 0;
        if (order == 0) {
            tell(a.start);
            says_a = answer(&a);
            tell(b.start);
            says_b = answer(&b);
            assert_true(says_a == 'y' && says_b == 'n');
        } else if (order == 1) {
            tell(b.start);
            says_b = answer(&b);
            tell(a.start);
            says_a = answer(&a);
            assert_true(says_a == 'n' && says_b == 'y');
        } else { /* at once */
            tell(a.start);
            tell(b.start);
            says_a = answer(&a);
            says_b = answer(&b);
            assert_true(says_a != says_b);
        }
        end_contestant(&a, 0);
        end_contestant(&b, 0);
    }
}

static void test_killed_process_leaves_orphan(void **state)
{
    struct fixture *fixture = close_for_fork(state);
    struct contestant victim = start_contestant(fixture, 1);
    tell(victim.start);
    assert_int_equal(answer(&victim), 'y');
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_status(fixture->store, 1, NOW, SG_STATUS_IN_FLIGHT);
    const long sessions = is_on_postgres() ? count_sessions(fixture->folder) : 0;
    end_contestant(&victim, SIGKILL);
    for (int i = 0; is_on_postgres() && i < 500 && count_sessions(fixture->folder) >= sessions; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    const struct sg_serial serial = {.bytes = {1, 1}, .len = 2};
    const struct seen seen =
        look(fixture->store, (struct sg_certificate_filter){.serial = &serial, .now = NOW + 5});
    assert_int_equal(seen.last.status, SG_STATUS_ORPHANED);
    assert_int_equal(seen.last.revoked, NOW);
    assert_int_equal(seen.last.reason, SG_REASON_UNSPECIFIED);
    assert_int_equal(
        look(fixture->store,
             (struct sg_certificate_filter){.only_status = true, .status = SG_STATUS_ORPHANED})
            .num,
        1);
    issue(fixture,
          &(struct ask){.device = "d1", .key = 2, .serial = 2, .unique = SG_UNIQUE_DEVICE});
}

/* ---- nothing on the issuing path grows with the store ---- */

static void expect_no_scan(struct sg_store *store, const char *text)
{
    char explain[2048];
    sqlite3_stmt *plan = NULL;
    (void)snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", text);
    assert_int_equal(sqlite3_prepare_v2(store->sqlite->db, explain, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        if (strncmp(step, "SCAN", 4) == 0 && strcmp(step, "SCAN CONSTANT ROW") != 0)
            fail_msg("%s: %s", text, step);
    }
    sqlite3_finalize(plan);
}

static void expect_no_scans_in_sqlite(struct sg_store *store)
{
    assert_true(store->sqlite->num_kept > 15);
    for (size_t i = 0; i < store->sqlite->num_kept; i++)
        expect_no_scan(store, store->sqlite->kept[i].text);
}

#ifdef TEST_HAS_POSTGRES
static PGresult *ask_session(struct sg_store *store, const char *text)
{
    PGresult *result = NULL;
    struct sg_error error = {0};
    expect_success(text,
                   sg_postgres_send(store, SG_QUERY_MANY, text, SG_NO_VALUES, &error) &&
                       sg_postgres_answer(store, &result, &error),
                   &error);
    return result;
}

static bool has_index_condition(const struct sg_libpq *pq, const PGresult *plan, int step)
{
    return step + 1 < pq->PQntuples(plan) &&
           strstr(pq->PQgetvalue(plan, step + 1, 0), "Index Cond") != NULL;
}

/* The highest or lowest: PostgreSQL 17 finds one without a condition. */
static bool is_limited(const struct sg_libpq *pq, const PGresult *plan, int step)
{
    return step > 0 && strstr(pq->PQgetvalue(plan, step - 1, 0), "->  Limit") != NULL;
}

/* As the server has planned it: a scan of a whole index is one too. */
static void expect_no_scan_in_plan(struct sg_store *store, const struct sg_kept *kept)
{
    const struct sg_libpq *pq = &store->postgres->pq;
    char text[256] = "";
    (void)snprintf(text, sizeof text,
                   "SELECT coalesce(cardinality(parameter_types), 0) FROM pg_prepared_statements"
                   " WHERE name = 's%u'",
                   kept->number);
    PGresult *result = ask_session(store, text);
    const int64_t num = sg_postgres_number(store->postgres, result, 0, 0);
    pq->PQclear(result);
    (void)snprintf(text, sizeof text, "EXPLAIN EXECUTE s%u", kept->number);
    for (int64_t i = 0; i < num; i++)
        strcat(text, i == 0 ? "(NULL" : ", NULL");
    strcat(text, num > 0 ? ")" : "");
    result = ask_session(store, text);
    for (int i = 0; i < pq->PQntuples(result); i++) {
        const char *step = pq->PQgetvalue(result, i, 0);
        const bool by_index = strstr(step, "Index") != NULL && strstr(step, " using ") != NULL;
        if (strstr(step, "Seq Scan") != NULL ||
            (by_index && !has_index_condition(pq, result, i) && !is_limited(pq, result, i)))
            fail_msg("%s: %s", kept->text, step);
    }
    pq->PQclear(result);
}

static bool is_planned(const char *text)
{
    return strncmp(text, "BEGIN", 5) != 0 && strcmp(text, "COMMIT") != 0 &&
           strcmp(text, "ROLLBACK") != 0;
}

static void expect_no_scans_in_postgres(struct sg_store *store)
{
    const size_t num = store->postgres->num_kept;
    assert_true(num > 15);
    for (size_t i = 0; i < num; i++)
        if (is_planned(store->postgres->kept[i].text))
            expect_no_scan_in_plan(store, &store->postgres->kept[i]);
}
#else
static void expect_no_scans_in_postgres(struct sg_store *store)
{
    (void)store;
}
#endif

static void test_no_scan(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    const struct ask steps[] = {
        {.device = "d1", .user = "u1", .key = 1, .serial = 1, .unique = SG_UNIQUE_DEVICE},
        {.device = "d2", .user = "u2", .key = 2, .serial = 2, .unique = SG_UNIQUE_USER},
        {.device = "d1",
         .user = "u1",
         .key = 3,
         .serial = 3,
         .unique = SG_UNIQUE_DEVICE,
         .not_after = NOW + 366 * DAY,
         .window_s = 400 * DAY,
         .previous = SG_PREVIOUS_REVOKE},
    };
    for (size_t i = 0; i < NUM(steps); i++)
        issue(fixture, &steps[i]);
    struct ask retry = steps[1];
    retry.serial = 9;
    struct sg_claim claim = claim_one(fixture, fixture->store, &retry);
    assert_int_equal(claim.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&claim.existing);
    const int64_t id =
        claim_one(fixture, fixture->store, &(struct ask){.device = "d3", .key = 9, .serial = 9}).id;
    assert_true(sg_store_abandon(fixture->store, &id, 1, &error));
    if (is_on_postgres())
        expect_no_scans_in_postgres(fixture->store);
    else
        expect_no_scans_in_sqlite(fixture->store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test_setup_teardown(test_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_register_with_claim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_previous, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_previous_on_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_in_flight_or_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_record_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_handles, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_owners_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_process_leaves_orphan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_scan, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
