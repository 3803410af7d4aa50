#include "store_fixture.h"

#include <errno.h>

#include "store/approvals.h"
#include "store/migrate.h"
#include "store/pins.h"
#include "store/tickets.h"

/* A ticket of user u1 and device d1 under the policy "mtls", unless ticket says something else. */
static int64_t add(struct sg_store *store, uint8_t text, const struct sg_ticket *ticket)
{
    char policy[] = "mtls", device[] = "d1", user[] = "u1", token[] = "card-1", made_by[] = "desk";
    struct sg_ticket made = {
        .policy = policy,
        .device = device,
        .user = user,
        .token = token,
        .made_by = made_by,
        .made = NOW,
        .not_after = NOW + 3600,
        .wants_pin = ticket != NULL && ticket->wants_pin,
        .tries = ticket != NULL ? ticket->tries : 0,
    };
    const uint8_t sha256[SG_SHA256_LEN] = {text};
    struct sg_error error = {0};
    int64_t id = 0;
    expect_success("ticket", sg_store_add_ticket(store, &made, sha256, &id, &error), &error);
    return id;
}

static enum sg_ticket_state state_of(struct sg_store *store, uint8_t text, int64_t now)
{
    const uint8_t sha256[SG_SHA256_LEN] = {text};
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    struct sg_error error = {0};
    expect_success("find", sg_store_find_ticket(store, sha256, &ticket, &error), &error);
    return sg_ticket_state(&ticket, now);
}

static void expect_state(struct sg_store *store, uint8_t text, enum sg_ticket_state wanted)
{
    const enum sg_ticket_state state = state_of(store, text, NOW);
    if (state != wanted)
        fail_msg("ticket %u: should be %s, is %s", text, sg_ticket_state_word(wanted),
                 sg_ticket_state_word(state));
}

static struct ask with(int64_t ticket, uint8_t key, uint8_t serial)
{
    return (struct ask){.ticket = ticket,
                        .device = "d1",
                        .user = "u1",
                        .token = "card-1",
                        .key = key,
                        .content = key,
                        .serial = serial,
                        .evidence = SG_BY_TICKET};
}

static void expect_refused(struct fixture *fixture, const char *name, struct ask wanted,
                           const char *part)
{
    struct sg_claim claim = claim_one(fixture, fixture->store, &wanted);
    if (claim.outcome != SG_CLAIM_REFUSED || claim.error.code != SG_UNAUTHENTICATED ||
        strstr(claim.error.text, part) == NULL)
        fail_msg("%s: outcome %d, %s", name, claim.outcome, claim.error.text);
    sg_certificate_done(&claim.existing);
}

static void test_reading(void **state)
{
    struct fixture *fixture = *state;
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    const uint8_t none[SG_SHA256_LEN] = {9}, there[SG_SHA256_LEN] = {1};
    struct sg_error error = {0};
    const int64_t id = add(fixture->store, 1, &(struct sg_ticket){.wants_pin = true, .tries = 3});

    expect_failure("none", sg_store_find_ticket(fixture->store, none, &ticket, &error), &error,
                   SG_UNAUTHENTICATED, "no such ticket");
    assert_null(ticket.policy);
    sg_error_clear(&error);
    expect_success("find", sg_store_find_ticket(fixture->store, there, &ticket, &error), &error);
    assert_int_equal(ticket.id, id);
    assert_string_equal(ticket.policy, "mtls");
    assert_string_equal(ticket.device, "d1");
    assert_string_equal(ticket.user, "u1");
    assert_string_equal(ticket.token, "card-1");
    assert_string_equal(ticket.made_by, "desk");
    assert_true(ticket.wants_pin);
    assert_int_equal(ticket.tries, 3);
    assert_int_equal(sg_ticket_state(&ticket, NOW + 3600), SG_TICKET_OPEN);
    assert_int_equal(sg_ticket_state(&ticket, NOW + 3601), SG_TICKET_EXPIRED);
}

static void test_only_for_the_registered(void **state)
{
    struct fixture *fixture = *state;
    char policy[] = "mtls", gone[] = "d2", nobody[] = "u9", made_by[] = "desk";
    const struct sg_ticket disabled = {.policy = policy, .device = gone, .made_by = made_by};
    const struct sg_ticket unknown = {.policy = policy, .user = nobody, .made_by = made_by};
    const uint8_t sha256[SG_SHA256_LEN] = {1};
    struct sg_error error = {0};
    int64_t id = 77;

    assert_true(sg_store_set_disabled(fixture->store, SG_REGISTRY_DEVICE, "d2", true, NULL));
    expect_failure("disabled", sg_store_add_ticket(fixture->store, &disabled, sha256, &id, &error),
                   &error, SG_UNAUTHENTICATED, "\"d2\" is disabled");
    sg_error_clear(&error);
    expect_failure("unknown", sg_store_add_ticket(fixture->store, &unknown, sha256, &id, &error),
                   &error, SG_UNAUTHENTICATED, "\"u9\" is not in the registry");
    assert_int_equal(id, 77);
}

static void test_spent_once(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add(fixture->store, 1, NULL);
    struct ask first = with(ticket, 7, 1), again = with(ticket, 7, 2), other = with(ticket, 8, 3);
    const int64_t id = issue(fixture, &first);
    const struct seen seen =
        look(fixture->store, (struct sg_certificate_filter){.token = "card-1"});

    assert_int_equal(seen.num, 1);
    assert_int_equal(look(fixture->store, (struct sg_certificate_filter){.token = "card-2"}).num,
                     0);
    expect_state(fixture->store, 1, SG_TICKET_SPENT);
    expect_refused(fixture, "another key", other, "has been used");
    struct sg_claim retry = claim_one(fixture, fixture->store, &again);
    assert_int_equal(retry.outcome, SG_CLAIM_RETRY);
    assert_int_equal(retry.existing.id, id);
    assert_string_equal(retry.existing.token, "card-1");
    sg_certificate_done(&retry.existing);
    /* what the ticket was not spent on is no retry of it */
    const int64_t second = add(fixture->store, 2, NULL);
    struct ask with_second = with(second, 8, 4);
    issue(fixture, &with_second);
    with_second.ticket = ticket;
    expect_refused(fixture, "another ticket's certificate", with_second, "has been used");
}

/* In its renewal window, too, whatever the policy says of the same key then. */
static void test_retry_when_due(void **state)
{
    static const enum sg_same_key RULES[] = {SG_SAME_KEY_ALLOW, SG_SAME_KEY_REFUSE};
    struct fixture *fixture = *state;

    for (uint8_t i = 0; i < 2; i++) {
        const int64_t ticket = add(fixture->store, (uint8_t)(1 + i), NULL);
        struct ask asked = with(ticket, (uint8_t)(7 + i), (uint8_t)(1 + 4 * i));
        asked.window_s = 10 * 86400;
        asked.same_key = RULES[i];
        asked.not_after = NOW + 5 * 86400;
        const int64_t id = issue(fixture, &asked);
        asked.serial++;
        asked.now = NOW + 1;
        asked.not_after = NOW + 6 * 86400;
        struct sg_claim retry = claim_one(fixture, fixture->store, &asked);
        assert_int_equal(retry.outcome, SG_CLAIM_RETRY);
        assert_int_equal(retry.existing.id, id);
        sg_certificate_done(&retry.existing);
        /* another ticket asks for the next one */
        asked.ticket = add(fixture->store, (uint8_t)(11 + i), NULL);
        struct sg_claim next = claim_one(fixture, fixture->store, &asked);
        assert_int_equal(next.outcome,
                         RULES[i] == SG_SAME_KEY_ALLOW ? SG_CLAIM_NEW : SG_CLAIM_REFUSED);
    }
}

/* The certificate was there before: the ticket has done what it was for. */
static void test_spent_on_a_retry(void **state)
{
    struct fixture *fixture = *state;
    struct ask asked = with(0, 7, 1);

    issue(fixture, &asked);
    asked.ticket = add(fixture->store, 1, NULL);
    struct sg_claim retry = claim_one(fixture, fixture->store, &asked);
    assert_int_equal(retry.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&retry.existing);
    expect_state(fixture->store, 1, SG_TICKET_SPENT);
    expect_refused(fixture, "another key", with(asked.ticket, 8, 2), "has been used");
}

static void test_two_in_a_group(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add(fixture->store, 1, NULL);
    const struct ask asks[2] = {with(ticket, 7, 1), with(ticket, 8, 2)};
    struct asked asked[2];
    struct sg_claim claims[2];
    struct sg_error error = {0};

    for (size_t i = 0; i < 2; i++)
        claims[i] = ask(fixture, &asks[i], &asked[i]);
    expect_success("claim", sg_store_claim(fixture->store, claims, 2, &error), &error);
    assert_int_equal(claims[0].outcome, SG_CLAIM_NEW);
    assert_int_equal(claims[1].outcome, SG_CLAIM_REFUSED);
    assert_non_null(strstr(claims[1].error.text, "being used at this moment"));
    assert_int_equal(claims[1].error.detail, EAGAIN);
}

/* A refused claim spends nothing. */
static void test_refused_claim_keeps_the_ticket(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add(fixture->store, 1, NULL);
    struct ask asked = with(ticket, 7, 1);

    issue(fixture,
          &(struct ask){.device = "d1", .user = "u1", .key = 3, .content = 3, .serial = 1});
    struct sg_claim claim = claim_one(fixture, fixture->store, &asked); /* the serial is taken */
    assert_int_equal(claim.outcome, SG_CLAIM_REFUSED);
    expect_state(fixture->store, 1, SG_TICKET_OPEN);
    asked.serial = 2;
    issue(fixture, &asked);
    expect_state(fixture->store, 1, SG_TICKET_SPENT);
}

static void test_what_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add(fixture->store, 1, NULL), dropped = add(fixture->store, 2, NULL);
    struct ask asked = with(ticket, 7, 1);
    struct sg_error error = {0};

    expect_success("drop", sg_store_drop_ticket(fixture->store, dropped, &error), &error);
    expect_refused(fixture, "dropped", with(dropped, 7, 1), "was dropped");
    expect_refused(fixture, "none", with(99, 7, 1), "no such ticket");
    asked.now = NOW + 3601;
    expect_refused(fixture, "expired", asked, "has expired");
    asked = with(ticket, 7, 1);
    asked.device = "d2";
    expect_refused(fixture, "another device", asked, "for something else");
    asked = with(ticket, 7, 1);
    asked.user = NULL;
    expect_refused(fixture, "no user", asked, "for something else");
    asked = with(ticket, 7, 1);
    asked.policy = "vpn";
    expect_refused(fixture, "another policy", asked, "for something else");
    expect_state(fixture->store, 1, SG_TICKET_OPEN);
}

/* A claim that came to no certificate: its own key may try again, another may not. */
static void test_after_a_crash(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add(fixture->store, 1, NULL);
    struct ask first = with(ticket, 7, 1), again = with(ticket, 7, 2), late = with(ticket, 7, 3);
    struct sg_claim claim = claim_one(fixture, fixture->store, &first);

    assert_int_equal(claim.outcome, SG_CLAIM_NEW);
    expect_refused(fixture, "in flight", with(ticket, 8, 9), "being used at this moment");
    sg_store_close(fixture->store); /* as if its process had died */
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_state(fixture->store, 1, SG_TICKET_SPENT);
    expect_refused(fixture, "another key", with(ticket, 8, 9), "has been used");
    again.now = NOW + 7200; /* it was used in time */
    issue(fixture, &again);
    expect_status(fixture->store, 1, NOW, SG_STATUS_ORPHANED);
    expect_status(fixture->store, 2, NOW, SG_STATUS_VALID);
    struct sg_claim retry = claim_one(fixture, fixture->store, &late);
    assert_int_equal(retry.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&retry.existing);
}

static void test_tries(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id = add(fixture->store, 1, &(struct sg_ticket){.wants_pin = true, .tries = 2});
    const int64_t without = add(fixture->store, 2, NULL);
    const uint8_t sha256[SG_SHA256_LEN] = {1};
    struct sg_error error = {0};

    expect_success("first", sg_store_take_try(fixture->store, id, &error), &error);
    expect_success("back", sg_store_give_back_try(fixture->store, id, &error), &error);
    expect_success("first again", sg_store_take_try(fixture->store, id, &error), &error);
    /* what was taken is known to every handle, and after a crash */
    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    expect_success("find", sg_store_find_ticket(reader, sha256, &ticket, &error), &error);
    assert_int_equal(ticket.tries, 1);
    sg_store_close(reader);
    expect_success("second", sg_store_take_try(fixture->store, id, &error), &error);
    expect_failure("third", sg_store_take_try(fixture->store, id, &error), &error,
                   SG_UNAUTHENTICATED, "no try of the PIN is left");
    sg_error_clear(&error);
    expect_failure("no PIN", sg_store_take_try(fixture->store, without, &error), &error,
                   SG_UNAUTHENTICATED, "no try of the PIN is left");
}

static void test_dropping(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ticket = add(fixture->store, 1, NULL), spent = add(fixture->store, 2, NULL);
    struct ask asked = with(spent, 7, 1);
    struct sg_error error = {0};

    issue(fixture, &asked);
    expect_success("drop", sg_store_drop_ticket(fixture->store, ticket, &error), &error);
    expect_state(fixture->store, 1, SG_TICKET_DROPPED);
    expect_failure("twice", sg_store_drop_ticket(fixture->store, ticket, &error), &error,
                   SG_REFUSED, "is dropped already");
    sg_error_clear(&error);
    expect_failure("spent", sg_store_drop_ticket(fixture->store, spent, &error), &error, SG_REFUSED,
                   "revoke the certificate instead");
    sg_error_clear(&error);
    expect_failure("none", sg_store_drop_ticket(fixture->store, 99, &error), &error, SG_REFUSED,
                   "no ticket 99");
}

static bool count(const struct sg_ticket *ticket, void *context, struct sg_error *error)
{
    int64_t *ids = context;
    (void)error;
    ids[0]++;
    ids[ids[0]] = ticket->id;
    return true;
}

static void test_list(void **state)
{
    struct fixture *fixture = *state;
    const int64_t first = add(fixture->store, 1, NULL), second = add(fixture->store, 2, NULL);
    int64_t ids[3] = {0};
    struct sg_error error = {0};

    expect_success("each", sg_store_each_ticket(fixture->store, count, ids, &error), &error);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], first);
    assert_int_equal(ids[2], second);
}

static void expect_page(struct sg_store *store, const char *name,
                        const struct sg_ticket_filter *filter, size_t num, const int64_t *wanted)
{
    int64_t ids[8] = {0};
    struct sg_error error = {0};

    expect_success(name, sg_store_list_tickets(store, filter, count, ids, &error), &error);
    if (ids[0] != (int64_t)num)
        fail_msg("%s: %lld of them", name, (long long)ids[0]);
    for (size_t i = 0; i < num; i++)
        assert_int_equal(ids[i + 1], wanted[i]);
}

/* Each state's page has what sg_ticket_state calls so. */
static void test_pages(void **state)
{
    struct fixture *fixture = *state;
    int64_t ids[5];
    struct ask waits = {0};
    struct sg_error error = {0};

    for (uint8_t i = 0; i < 5; i++)
        ids[i] = add(fixture->store, (uint8_t)(i + 1), NULL);
    issue(fixture, &(struct ask){.ticket = ids[1],
                                 .device = "d1",
                                 .user = "u1",
                                 .key = 7,
                                 .serial = 1,
                                 .evidence = SG_BY_TICKET});
    expect_success("drop", sg_store_drop_ticket(fixture->store, ids[2], &error), &error);
    waits = with(ids[3], 8, 2);
    waits.approver = "officer";
    struct sg_claim claim = claim_one(fixture, fixture->store, &waits);
    assert_int_equal(claim.outcome, SG_CLAIM_WAITS);
    for (int late = 0; late < 2; late++) {
        const int64_t now = NOW + (late ? 3601 : 3600), some[] = {ids[0], ids[4]};
        const struct {
            enum sg_ticket_state state;
            size_t num;
            const int64_t *ids;
        } pages[] = {
            {SG_TICKET_OPEN, late ? 0 : 2, some}, {SG_TICKET_EXPIRED, late ? 2 : 0, some},
            {SG_TICKET_SPENT, 1, &ids[1]},        {SG_TICKET_DROPPED, 1, &ids[2]},
            {SG_TICKET_WAITING, 1, &ids[3]},
        };
        for (size_t i = 0; i < NUM(pages); i++)
            expect_page(fixture->store, sg_ticket_state_word(pages[i].state),
                        &(struct sg_ticket_filter){
                            .only_state = true, .state = pages[i].state, .now = now, .num = 9},
                        pages[i].num, pages[i].ids);
    }
    expect_page(fixture->store, "the first two", &(struct sg_ticket_filter){.now = NOW, .num = 2},
                2, ids);
    expect_page(fixture->store, "the next two",
                &(struct sg_ticket_filter){.after = ids[1], .now = NOW, .num = 2}, 2, ids + 2);
    expect_page(
        fixture->store, "an open one behind the first",
        &(struct sg_ticket_filter){.after = ids[0], .only_state = true, .now = NOW, .num = 2}, 1,
        ids + 4);
}

static bool pass_step(int version, const char *what, void *context, struct sg_error *error)
{
    (void)version;
    (void)what;
    (void)context;
    (void)error;
    return true;
}

/* A reader does not bring an older store up; it knows of no tickets, PINs or approvals. */
static void test_reader_of_an_older_store(void **state)
{
    if (is_on_postgres())
        return; /* it is about the file */
    struct fixture *fixture = *state;
    const uint8_t sha256[SG_SHA256_LEN] = {1};
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    sg_auto(sg_pin) struct sg_pin pin = {0};
    sg_auto(sg_approval) struct sg_approval approval = {0};
    int64_t ids[3] = {0};
    struct sg_error error = {0};
    bool found = true;

    issue(fixture, &(struct ask){.device = "d1", .key = 7, .serial = 1});
    sg_store_close(fixture->store);
    fixture->store = NULL;
    change_store(fixture, "DROP TABLE ticket; DROP TABLE approval; DROP TABLE pin;"
                          "DROP TABLE event; DROP TABLE quota;"
                          "DROP INDEX claim_token; ALTER TABLE claim DROP COLUMN token;"
                          "PRAGMA user_version=4");
    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    expect_failure("ticket", sg_store_find_ticket(reader, sha256, &ticket, &error), &error,
                   SG_UNAUTHENTICATED, "no such ticket");
    sg_error_clear(&error);
    expect_success("each", sg_store_each_ticket(reader, count, ids, &error), &error);
    assert_int_equal(ids[0], 0);
    expect_success("PIN", sg_store_find_pin(reader, "u1", &found, &pin, &error), &error);
    assert_false(found);
    found = true;
    expect_success("approval", sg_store_find_approval(reader, 1, NOW, &found, &approval, &error),
                   &error);
    assert_false(found);
    assert_int_equal(look(reader, (struct sg_certificate_filter){0}).num, 1);
    assert_int_equal(look(reader, (struct sg_certificate_filter){.token = "card-1"}).num, 0);
    sg_store_close(reader);
    /* a writer does */
    fixture->store = open_store(fixture->folder, SG_STORE_MIGRATE);
    expect_success("migrate", sg_store_migrate(fixture->store, NOW, pass_step, NULL, &error),
                   &error);
    struct ask asked = with(add(fixture->store, 1, NULL), 8, 2);
    issue(fixture, &asked);
    assert_int_equal(look(fixture->store, (struct sg_certificate_filter){.token = "card-1"}).num,
                     1);
}

/* ---- renewal: a certificate that vouches for its successor ---- */

static struct ask renewing(int64_t renews, uint8_t key, uint8_t serial, int64_t now)
{
    return (struct ask){.renews = renews,
                        .device = "d1",
                        .key = key,
                        .content = key,
                        .serial = serial,
                        .now = now,
                        .not_after = now + 365 * DAY,
                        .window_s = 60 * DAY,
                        .previous = SG_PREVIOUS_REVOKE,
                        .evidence = SG_BY_RENEWAL};
}

static void test_renewal(void **state)
{
    struct fixture *fixture = *state;
    const int64_t old = issue(fixture, &(struct ask){.device = "d1", .key = 7, .serial = 1});
    const int64_t late = NOW + 310 * DAY;
    struct ask early = renewing(old, 8, 2, NOW + DAY), asked = renewing(old, 8, 3, late);

    struct sg_claim claim = claim_one(fixture, fixture->store, &early);
    assert_int_equal(claim.error.code, SG_REFUSED);
    assert_string_equal(claim.error.rule, "policy mtls: renewal.window");
    early.evidence = SG_BY_RENEWAL | SG_BY_OPERATOR; /* who vouches too */
    claim = claim_one(fixture, fixture->store, &early);
    assert_int_equal(claim.outcome, SG_CLAIM_NEW);
    assert_true(sg_store_abandon(fixture->store, &claim.id, 1, NULL));
    issue(fixture, &asked);
    expect_status(fixture->store, 1, late, SG_STATUS_REVOKED); /* previous: revoke */
    asked.serial = 4;
    claim = claim_one(fixture, fixture->store, &asked);
    assert_int_equal(claim.outcome, SG_CLAIM_RETRY); /* though what vouched is revoked by now */
    sg_certificate_done(&claim.existing);
    expect_refused(fixture, "superseded", renewing(old, 9, 5, late), "is revoked");
}

static void test_renewal_by_what_is_not_valid(void **state)
{
    struct fixture *fixture = *state;
    const int64_t late = NOW + 310 * DAY;
    const int64_t held = issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1});
    const int64_t expired = issue(
        fixture, &(struct ask){.device = "d1", .key = 2, .serial = 2, .not_after = NOW + DAY});
    struct ask asked = {.device = "d1", .key = 3, .serial = 3};
    const struct sg_claim flying = claim_one(fixture, fixture->store, &asked);

    assert_true(sg_store_revoke(fixture->store, held, SG_REASON_CERTIFICATE_HOLD, NOW, NULL));
    expect_refused(fixture, "held", renewing(held, 9, 9, late), "is held");
    expect_refused(fixture, "expired", renewing(expired, 9, 9, late), "is expired");
    expect_refused(fixture, "in flight", renewing(flying.id, 9, 9, late), "is in-flight");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_for_the_registered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_spent_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retry_when_due, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_spent_on_a_retry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_in_a_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_claim_keeps_the_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_a_crash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dropping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_of_an_older_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_renewal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_renewal_by_what_is_not_valid, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
