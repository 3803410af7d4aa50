#include "store_fixture.h"

#include "store/approvals.h"
#include "store/tickets.h"

static struct ask wanting(uint8_t key, uint8_t content, uint8_t serial)
{
    return (struct ask){.user = "u1",
                        .token = "card-1",
                        .key = key,
                        .content = content,
                        .serial = serial,
                        .approver = "officer",
                        .asked_by = "desk"};
}

/* The claim waits; returns what it waits with. */
static int64_t wait_with(struct fixture *fixture, struct ask wanted)
{
    struct sg_claim claim = claim_one(fixture, fixture->store, &wanted);
    if (claim.outcome != SG_CLAIM_WAITS)
        fail_msg("should wait: outcome %d, %s", claim.outcome, claim.error.text);
    return claim.id;
}

static bool approve(struct fixture *fixture, int64_t id, const char *by, const char *role,
                    struct sg_error *error)
{
    return sg_store_approve(fixture->store, id,
                            &(struct sg_approval_decision){.by = by, .role = role, .now = NOW + 5},
                            error);
}

static void expect_approved(struct fixture *fixture, int64_t id)
{
    struct sg_error error = {0};
    expect_success("approve", approve(fixture, id, "olga", "officer", &error), &error);
}

static struct sg_approval find(struct sg_store *store, int64_t id, int64_t now)
{
    struct sg_approval approval = {0};
    struct sg_error error = {0};
    bool found = false;
    expect_success("find", sg_store_find_approval(store, id, now, &found, &approval, &error),
                   &error);
    assert_true(found);
    return approval;
}

static void expect_state(struct fixture *fixture, int64_t id, int64_t now,
                         enum sg_approval_state wanted)
{
    sg_auto(sg_approval) struct sg_approval approval = find(fixture->store, id, now);
    if (approval.state != wanted)
        fail_msg("request %lld should be %s, is %s", (long long)id, sg_approval_state_word(wanted),
                 sg_approval_state_word(approval.state));
}

static void test_approved(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id = wait_with(fixture, wanting(7, 1, 1));

    assert_int_equal(wait_with(fixture, wanting(7, 1, 2)), id); /* asking again files nothing */
    {
        sg_auto(sg_approval) struct sg_approval approval = find(fixture->store, id, NOW);
        assert_int_equal(approval.state, SG_APPROVAL_WAITING);
        assert_string_equal(approval.policy, "mtls");
        assert_string_equal(approval.role, "officer");
        assert_null(approval.device);
        assert_string_equal(approval.user, "u1");
        assert_string_equal(approval.token, "card-1");
        assert_string_equal(approval.subject, "CN=test");
        assert_string_equal(approval.asked_by, "desk");
        assert_int_equal(approval.spki_sha256[0], 7);
        assert_int_equal(approval.asked, NOW);
        assert_true(sg_slice_equal(sg_buf_slice(&approval.request), sg_slice_text("the request")));
    }
    expect_approved(fixture, id);
    expect_state(fixture, id, NOW, SG_APPROVAL_APPROVED);
    struct ask asked = wanting(7, 1, 3);
    const int64_t claim = issue(fixture, &asked);
    sg_auto(sg_approval) struct sg_approval used = find(fixture->store, id, NOW);
    assert_int_equal(used.state, SG_APPROVAL_USED);
    assert_int_equal(used.claim, claim);
    assert_string_equal(used.decided_by, "olga");
    assert_int_equal(used.decided, NOW + 5);
    asked.serial = 4;
    struct sg_claim retry = claim_one(fixture, fixture->store, &asked);
    assert_int_equal(retry.outcome, SG_CLAIM_RETRY);
    sg_certificate_done(&retry.existing);
    /* an approval is for one certificate */
    assert_true(sg_store_revoke(fixture->store, claim, SG_REASON_SUPERSEDED, NOW, NULL));
    assert_true(wait_with(fixture, wanting(7, 1, 5)) > id);
}

/* What was approved is one key's certificate with one content. */
static void test_something_else_waits_anew(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id = wait_with(fixture, wanting(7, 1, 1));
    struct ask other_user = wanting(7, 1, 4), other_role = wanting(7, 1, 5);

    expect_approved(fixture, id);
    assert_true(wait_with(fixture, wanting(8, 1, 2)) > id);
    assert_true(wait_with(fixture, wanting(7, 2, 3)) > id);
    other_user.user = "u2";
    assert_true(wait_with(fixture, other_user) > id);
    other_role.approver = "custodian";
    assert_true(wait_with(fixture, other_role) > id);
    struct ask asked = wanting(7, 1, 6);
    issue(fixture, &asked);
}

static void test_refused(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id = wait_with(fixture, wanting(7, 1, 1));
    struct sg_approval_decision no = {.by = "olga", .role = "officer", .now = NOW};
    struct sg_error error = {0};
    struct ask asked = wanting(7, 1, 2);

    expect_failure("no reason", sg_store_refuse(fixture->store, id, &no, &error), &error, SG_USAGE,
                   "say why");
    sg_error_clear(&error);
    no.reason = "left the company";
    expect_success("refuse", sg_store_refuse(fixture->store, id, &no, &error), &error);
    struct sg_claim claim = claim_one(fixture, fixture->store, &asked);
    assert_int_equal(claim.outcome, SG_CLAIM_REFUSED);
    assert_int_equal(claim.error.code, SG_REFUSED);
    assert_non_null(strstr(claim.error.text, "refused by olga: left the company"));
    expect_failure("refused before", approve(fixture, id, "otto", "officer", &error), &error,
                   SG_REFUSED, "was refused by olga already");
    assert_int_equal(look(fixture->store, (struct sg_certificate_filter){0}).num, 0);
}

static void test_who_decides(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id = wait_with(fixture, wanting(7, 1, 1));
    struct sg_error error = {0};

    expect_failure("who asked", approve(fixture, id, "desk", NULL, &error), &error, SG_REFUSED,
                   "asked for by desk");
    sg_error_clear(&error);
    expect_failure("whom it is for", approve(fixture, id, "u1", "officer", &error), &error,
                   SG_REFUSED, "is for u1");
    sg_error_clear(&error);
    expect_failure("role", approve(fixture, id, "anna", "auditor", &error), &error, SG_REFUSED,
                   "for the role officer, and anna is auditor");
    sg_error_clear(&error);
    expect_failure("none", approve(fixture, 99, "olga", "officer", &error), &error, SG_REFUSED,
                   "no request 99");
    sg_error_clear(&error);
    expect_state(fixture, id, NOW, SG_APPROVAL_WAITING);
    expect_success("every role", approve(fixture, id, "root", NULL, &error), &error);
    expect_failure("twice", approve(fixture, id, "olga", "officer", &error), &error, SG_REFUSED,
                   "was approved by root already");
}

static void test_lapse(void **state)
{
    struct fixture *fixture = *state;
    const int64_t late = NOW + SG_APPROVAL_LIFETIME_S + 6;
    const int64_t id = wait_with(fixture, wanting(7, 1, 1));
    const int64_t approved = wait_with(fixture, wanting(8, 1, 1));
    struct ask asked = wanting(7, 1, 2), other = wanting(8, 1, 3);
    struct sg_error error = {0};

    expect_approved(fixture, approved);
    expect_state(fixture, id, late, SG_APPROVAL_LAPSED);
    expect_state(fixture, approved, late, SG_APPROVAL_LAPSED);
    expect_failure("lapsed",
                   sg_store_approve(fixture->store, id,
                                    &(struct sg_approval_decision){.by = "olga", .now = late},
                                    &error),
                   &error, SG_REFUSED, "has lapsed");
    asked.now = other.now = late;
    assert_true(wait_with(fixture, asked) > approved);
    assert_true(wait_with(fixture, other) > approved);
}

/* Nobody fills the store with what waits. */
static void test_room(void **state)
{
    struct fixture *fixture = *state;
    struct ask one_more = wanting(100, 1, 100), other = wanting(101, 1, 101);

    for (uint8_t i = 1; i <= SG_LIMIT_WAITING; i++)
        wait_with(fixture, wanting(i, 1, i));
    struct sg_claim claim = claim_one(fixture, fixture->store, &one_more);
    assert_int_equal(claim.outcome, SG_CLAIM_REFUSED);
    assert_non_null(strstr(claim.error.text, "8 requests for the same device or user wait"));
    other.user = "u2";
    wait_with(fixture, other);
    wait_with(fixture, wanting(1, 1, 1)); /* what waits already goes on waiting */
}

/* The approval holds for the same key, when its claim came to nothing. */
static void test_after_a_crash(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id = wait_with(fixture, wanting(7, 1, 1));
    struct ask asked = wanting(7, 1, 2), again = wanting(7, 1, 3);

    expect_approved(fixture, id);
    assert_int_equal(claim_one(fixture, fixture->store, &asked).outcome, SG_CLAIM_NEW);
    sg_store_close(fixture->store);
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    issue(fixture, &again);
    expect_status(fixture->store, 3, NOW, SG_STATUS_VALID);
}

/* A ticket is spent with the claim, not with the waiting, and outlives its end with the request. */
static void test_with_a_ticket(void **state)
{
    struct fixture *fixture = *state;
    char policy[] = "mtls", user[] = "u1", made_by[] = "desk";
    const struct sg_ticket ticket = {
        .policy = policy, .user = user, .made_by = made_by, .made = NOW, .not_after = NOW + 60};
    const uint8_t sha256[SG_SHA256_LEN] = {1};
    sg_auto(sg_ticket) struct sg_ticket found = {0};
    struct ask asked = wanting(7, 1, 1), other = wanting(8, 1, 2);
    struct sg_error error = {0};

    expect_success("ticket",
                   sg_store_add_ticket(fixture->store, &ticket, sha256, &asked.ticket, &error),
                   &error);
    other.ticket = asked.ticket;
    const int64_t id = wait_with(fixture, asked);
    expect_success("find", sg_store_find_ticket(fixture->store, sha256, &found, &error), &error);
    assert_int_equal(found.claim, 0);
    assert_int_equal(found.approval, id);
    assert_int_equal(sg_ticket_state(&found, NOW + DAY), SG_TICKET_WAITING);
    struct sg_claim refused = claim_one(fixture, fixture->store, &other);
    assert_int_equal(refused.error.code, SG_UNAUTHENTICATED);
    assert_non_null(strstr(refused.error.text, "waits with a request for another key"));
    asked.now = NOW + DAY;
    assert_int_equal(wait_with(fixture, asked), id);
    expect_approved(fixture, id);
    issue(fixture, &asked);
    sg_ticket_done(&found);
    expect_success("find", sg_store_find_ticket(fixture->store, sha256, &found, &error), &error);
    assert_int_equal(sg_ticket_state(&found, NOW), SG_TICKET_SPENT);
}

/* Nothing is had anew with a ticket whose request was refused, or for which nobody came. */
static void test_end_of_a_ticket(void **state)
{
    struct fixture *fixture = *state;
    char policy[] = "mtls", user[] = "u1", made_by[] = "desk";
    const struct sg_ticket ticket = {
        .policy = policy, .user = user, .made_by = made_by, .made = NOW, .not_after = NOW + 60};
    struct ask refused = wanting(7, 1, 1), lapsed = wanting(8, 1, 2);
    struct sg_error error = {0};

    expect_success("ticket",
                   sg_store_add_ticket(fixture->store, &ticket, (uint8_t[SG_SHA256_LEN]){1},
                                       &refused.ticket, &error),
                   &error);
    expect_success("ticket",
                   sg_store_add_ticket(fixture->store, &ticket, (uint8_t[SG_SHA256_LEN]){2},
                                       &lapsed.ticket, &error),
                   &error);
    const int64_t id = wait_with(fixture, refused);
    wait_with(fixture, lapsed);
    expect_success(
        "refuse",
        sg_store_refuse(fixture->store, id,
                        &(struct sg_approval_decision){.by = "olga", .reason = "lost", .now = NOW},
                        &error),
        &error);
    refused.content = 2; /* the record was changed since */
    struct sg_claim claim = claim_one(fixture, fixture->store, &refused);
    assert_int_equal(claim.error.code, SG_REFUSED);
    assert_non_null(strstr(claim.error.text, "was refused by olga: lost"));
    lapsed.now = NOW + SG_APPROVAL_LIFETIME_S + 1;
    claim = claim_one(fixture, fixture->store, &lapsed);
    assert_int_equal(claim.error.code, SG_UNAUTHENTICATED);
    assert_non_null(strstr(claim.error.text, "has lapsed"));
}

static bool count(const struct sg_approval *approval, void *context, struct sg_error *error)
{
    (void)approval;
    (void)error;
    ++*(size_t *)context;
    return true;
}

static void test_list(void **state)
{
    struct fixture *fixture = *state;
    const int64_t id = wait_with(fixture, wanting(7, 1, 1));
    size_t all = 0, waiting = 0, late = 0;
    struct sg_error error = {0};

    wait_with(fixture, wanting(8, 1, 2));
    expect_approved(fixture, id);
    expect_success("all", sg_store_each_approval(fixture->store, false, NOW, count, &all, &error),
                   &error);
    expect_success("waiting",
                   sg_store_each_approval(fixture->store, true, NOW, count, &waiting, &error),
                   &error);
    expect_success("late",
                   sg_store_each_approval(fixture->store, true, NOW + SG_APPROVAL_LIFETIME_S + 1,
                                          count, &late, &error),
                   &error);
    assert_int_equal(all, 2);
    assert_int_equal(waiting, 1);
    assert_int_equal(late, 0);
}

/* Each state's page has what sg_approval_state calls so. */
static void test_pages(void **state)
{
    struct fixture *fixture = *state;
    const struct sg_approval_decision no = {.by = "olga", .reason = "lost", .now = NOW};
    int64_t ids[4];
    struct sg_error error = {0};

    for (uint8_t i = 0; i < 4; i++)
        ids[i] = wait_with(fixture, wanting((uint8_t)(i + 3), 1, (uint8_t)(i + 1)));
    expect_approved(fixture, ids[1]);
    expect_approved(fixture, ids[2]);
    expect_success("refuse", sg_store_refuse(fixture->store, ids[3], &no, &error), &error);
    const struct ask used = wanting(5, 1, 9);
    issue(fixture, &used);
    for (int late = 0; late < 2; late++) {
        const size_t wanted[] = {late ? 0 : 1, late ? 0 : 1, 1, late ? 2 : 0, 1};
        for (int i = SG_APPROVAL_WAITING; i <= SG_APPROVAL_USED; i++) {
            size_t num = 0;
            const struct sg_approval_filter filter = {.only_state = true,
                                                      .state = (enum sg_approval_state)i,
                                                      .now =
                                                          NOW + late * 3 * SG_APPROVAL_LIFETIME_S,
                                                      .num = 9};
            expect_success("page",
                           sg_store_list_approvals(fixture->store, &filter, count, &num, &error),
                           &error);
            if (num != wanted[i])
                fail_msg("%s, late %d: %zu", sg_approval_state_word(filter.state), late, num);
        }
    }
    for (size_t num = 0; num < 3; num++) {
        const struct sg_approval_filter filter = {.after = ids[1], .now = NOW, .num = num};
        size_t found = 0;
        expect_success("after",
                       sg_store_list_approvals(fixture->store, &filter, count, &found, &error),
                       &error);
        assert_int_equal(found, num);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_approved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_something_else_waits_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lapse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_a_crash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_a_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_of_a_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
