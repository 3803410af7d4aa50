#include "store_fixture.h"

#include <errno.h>

#include "store/tickets.h"

/* A ticket of device d1 under the policy "mtls"; tries: of its PIN, 0: it wants none. */
static int64_t add_ticket(struct sg_store *store, int64_t tries)
{
    static uint8_t num_tickets;
    char policy[] = "mtls", device[] = "d1", made_by[] = "desk";
    const struct sg_ticket made = {
        .policy = policy,
        .device = device,
        .made_by = made_by,
        .made = NOW,
        .not_after = NOW + 3600,
        .wants_pin = tries > 0,
        .tries = tries,
    };
    const uint8_t sha256[SG_SHA256_LEN] = {++num_tickets};
    struct sg_error error = {0};
    int64_t id = 0;
    expect_success("ticket", sg_store_add_ticket(store, &made, sha256, &id, &error), &error);
    return id;
}

/* The request `content` by that ticket, for a key that is made for it: another one each time. */
static struct ask by_ticket(int64_t ticket, uint8_t content, uint8_t serial)
{
    return (struct ask){.ticket = ticket,
                        .device = "d1",
                        .key = serial,
                        .content = content,
                        .serial = serial,
                        .evidence = SG_BY_TICKET};
}

/* The same by a certificate, which may be renewed at any time. */
static struct ask by_certificate(int64_t certificate, uint8_t content, uint8_t serial)
{
    return (struct ask){.renews = certificate,
                        .device = "d1",
                        .key = serial,
                        .content = content,
                        .serial = serial,
                        .window_s = 400 * DAY,
                        .evidence = SG_BY_RENEWAL};
}

static struct sg_claim claim_made(struct fixture *fixture, const struct ask *wanted)
{
    struct asked asked;
    struct sg_error error = {0};
    struct sg_claim claim = ask(fixture, wanted, &asked);
    claim.made_key = true;
    expect_success("claim", sg_store_claim(fixture->store, &claim, 1, &error), &error);
    return claim;
}

/* Claims and records; returns the claim's id. */
static int64_t give(struct fixture *fixture, struct ask wanted)
{
    struct sg_claim claim = claim_made(fixture, &wanted);
    struct sg_error error = {0};
    if (claim.outcome != SG_CLAIM_NEW)
        fail_msg("serial %u should be claimed, but: %s", wanted.serial, claim.error.text);
    expect_success(
        "record",
        record(fixture->store, claim.id, wanted.serial, wanted.now != 0 ? wanted.now : NOW, &error),
        &error);
    return claim.id;
}

static void expect_refused(struct fixture *fixture, const char *name, struct ask wanted,
                           enum sg_code code, const char *part)
{
    struct sg_claim claim = claim_made(fixture, &wanted);
    if (claim.outcome != SG_CLAIM_REFUSED || claim.error.code != code ||
        strstr(claim.error.text, part) == NULL)
        fail_msg("%s: outcome %d, %s", name, claim.outcome, claim.error.text);
    sg_certificate_done(&claim.existing);
}

static void expect_superseded(struct fixture *fixture, uint8_t serial)
{
    const struct sg_serial wanted = {.bytes = {1, serial}, .len = 2};
    const struct seen seen =
        look(fixture->store, (struct sg_certificate_filter){.serial = &wanted});
    expect_status(fixture->store, serial, NOW, SG_STATUS_REVOKED);
    assert_int_equal(seen.last.reason, SG_REASON_SUPERSEDED);
}

/* ---- by a ticket ---- */

static void test_the_same_request_gets_another_key(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add_ticket(fixture->store, 0);
    const struct ask second = by_ticket(ticket, 7, 2);
    struct sg_error error = {0};

    (void)give(fixture, by_ticket(ticket, 7, 1));
    struct sg_claim claim = claim_made(fixture, &second);
    assert_int_equal(claim.outcome, SG_CLAIM_NEW);
    /* whoever has the first answer after all can use it until there is another one */
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
    expect_success("record", record(fixture->store, claim.id, 2, NOW, &error), &error);
    expect_superseded(fixture, 1);
    expect_status(fixture->store, 2, NOW, SG_STATUS_VALID);
    (void)give(fixture, by_ticket(ticket, 7, 3));
    expect_superseded(fixture, 2);
    expect_status(fixture->store, 3, NOW, SG_STATUS_VALID);
}

static void test_another_request_does_not(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add_ticket(fixture->store, 0), other = add_ticket(fixture->store, 0);
    struct ask own_key = by_ticket(ticket, 7, 9), late = by_ticket(ticket, 7, 9);

    (void)give(fixture, by_ticket(ticket, 7, 1));
    expect_refused(fixture, "another request", by_ticket(ticket, 8, 9), SG_UNAUTHENTICATED,
                   "has been used");
    late.now = NOW + 3601;
    expect_refused(fixture, "too late", late, SG_UNAUTHENTICATED,
                   "this ticket has expired, and was used");
    struct sg_claim claim = claim_one(fixture, fixture->store, &own_key); /* no key of ours */
    assert_int_equal(claim.outcome, SG_CLAIM_REFUSED);
    assert_non_null(strstr(claim.error.text, "has been used"));
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
    /* another ticket is for another certificate */
    (void)give(fixture, by_ticket(other, 7, 2));
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
    expect_status(fixture->store, 2, NOW, SG_STATUS_VALID);
}

static void test_each_time_costs_a_try(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add_ticket(fixture->store, 2);

    for (uint8_t serial = 1; serial <= 3; serial++)
        (void)give(fixture, by_ticket(ticket, 7, serial));
    expect_refused(fixture, "no try is left", by_ticket(ticket, 7, 4), SG_UNAUTHENTICATED,
                   "no try is left for this ticket, and another key costs one");
    expect_status(fixture->store, 3, NOW, SG_STATUS_VALID);
}

static void test_what_is_no_answer_is_not_repeated(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add_ticket(fixture->store, 0), dead = add_ticket(fixture->store, 0);
    const struct ask first = by_ticket(dead, 7, 2);
    struct sg_error error = {0};
    const int64_t given = give(fixture, by_ticket(ticket, 7, 1));

    expect_success("revoke",
                   sg_store_revoke(fixture->store, given, SG_REASON_KEY_COMPROMISE, NOW, &error),
                   &error);
    expect_refused(fixture, "revoked", by_ticket(ticket, 7, 9), SG_UNAUTHENTICATED,
                   "has been used");
    struct sg_claim claim = claim_made(fixture, &first);
    assert_int_equal(claim.outcome, SG_CLAIM_NEW);
    expect_refused(fixture, "in flight", by_ticket(dead, 7, 9), SG_UNAUTHENTICATED,
                   "being used at this moment");
    sg_store_close(fixture->store); /* as if its process had died */
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_refused(fixture, "an orphan, for another request", by_ticket(dead, 8, 9),
                   SG_UNAUTHENTICATED, "has been used");
    (void)give(fixture, by_ticket(dead, 7, 3));
    expect_status(fixture->store, 2, NOW, SG_STATUS_ORPHANED);
    expect_status(fixture->store, 3, NOW, SG_STATUS_VALID);
}

static void test_what_is_repeated_does_not_count_for_unique(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add_ticket(fixture->store, 0), other = add_ticket(fixture->store, 0);
    struct ask asked = by_ticket(ticket, 7, 1);

    asked.unique = SG_UNIQUE_DEVICE;
    (void)give(fixture, asked);
    asked.serial = asked.key = 2;
    (void)give(fixture, asked);
    expect_superseded(fixture, 1);
    asked = by_ticket(other, 7, 9);
    asked.unique = SG_UNIQUE_DEVICE;
    expect_refused(fixture, "by another ticket", asked, SG_REFUSED, "has certificate 0102");
}

/* ---- by a certificate ---- */

static void test_by_the_same_certificate(void **state)
{
    struct fixture *fixture = *state;
    const int64_t own = issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});

    (void)give(fixture, by_certificate(own, 7, 2));
    (void)give(fixture, by_certificate(own, 7, 3));
    expect_superseded(fixture, 2);
    /* another request is for another key, besides */
    (void)give(fixture, by_certificate(own, 8, 4));
    for (uint8_t serial = 3; serial <= 4; serial++)
        expect_status(fixture->store, serial, NOW, SG_STATUS_VALID);
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
}

/* The certificate that vouches is revoked for what it brought, and still good for another try. */
static void test_where_the_previous_is_revoked(void **state)
{
    struct fixture *fixture = *state;
    const int64_t own = issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});

    for (uint8_t serial = 2; serial <= 4; serial++) {
        struct ask asked = by_certificate(own, 7, serial);
        asked.previous = SG_PREVIOUS_REVOKE;
        (void)give(fixture, asked);
        expect_superseded(fixture, (uint8_t)(serial - 1));
        expect_superseded(fixture, 1);
        expect_status(fixture->store, serial, NOW, SG_STATUS_VALID);
    }
    expect_refused(fixture, "another request", by_certificate(own, 8, 9), SG_UNAUTHENTICATED,
                   "by which the request was made, is revoked");
}

/* At a desk, who asks twice wants two. */
static void test_an_operator_repeats_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct ask asked = {.device = "d1", .key = 1, .content = 7, .serial = 1};

    (void)give(fixture, asked);
    asked.serial = asked.key = 2;
    (void)give(fixture, asked);
    for (uint8_t serial = 1; serial <= 2; serial++)
        expect_status(fixture->store, serial, NOW, SG_STATUS_VALID);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_request_gets_another_key),
        TEST(test_another_request_does_not),
        TEST(test_each_time_costs_a_try),
        TEST(test_what_is_no_answer_is_not_repeated),
        TEST(test_what_is_repeated_does_not_count_for_unique),
        TEST(test_by_the_same_certificate),
        TEST(test_where_the_previous_is_revoked),
        TEST(test_an_operator_repeats_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
