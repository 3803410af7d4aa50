#include "store_fixture.h"

#include <openssl/evp.h>

#include "store/sql.h"

/* ---- searching ---- */

/* 1 valid, 2 expired, 3 revoked, 4 held, 5 in flight, 6 orphaned, 7 of another issuer and policy */
static void fill(struct fixture *fixture)
{
    struct sg_error error = {0};
    issue(fixture, &(struct ask){.device = "d1", .key = 1, .serial = 1, .not_after = NOW + 50});
    issue(fixture,
          &(struct ask){
              .device = "d1", .key = 2, .serial = 2, .not_after = NOW - 1, .now = NOW - 100});
    const int64_t revoked = issue(fixture, &(struct ask){.device = "d2", .key = 3, .serial = 3});
    assert_true(sg_store_revoke(fixture->store, revoked, SG_REASON_SUPERSEDED, NOW, &error));
    const int64_t held = issue(fixture, &(struct ask){.user = "u1", .key = 4, .serial = 4});
    assert_true(sg_store_revoke(fixture->store, held, SG_REASON_CERTIFICATE_HOLD, NOW, &error));
    claim_one(fixture, fixture->store, &(struct ask){.user = "u1", .key = 5, .serial = 5});
    const int64_t orphan =
        claim_one(fixture, fixture->store, &(struct ask){.device = "d2", .key = 6, .serial = 6}).id;
    assert_true(sg_store_abandon(fixture->store, &orphan, 1, &error));
    struct fixture elsewhere = *fixture;
    elsewhere.issuer = add_issuer(fixture->store, "other", 2);
    issue(&elsewhere, &(struct ask){.policy = "ocsp", .device = "d1", .key = 1, .serial = 7});
}

static void expect_found(struct sg_store *store, const char *name,
                         struct sg_certificate_filter filter, const char *wanted)
{
    char found[64] = "";
    const struct seen seen = look(store, filter);
    for (size_t i = 0; i < seen.num; i++)
        (void)snprintf(found + strlen(found), sizeof found - strlen(found), "%d ",
                       (int)seen.ids[i]);
    if (strcmp(found, wanted) != 0)
        fail_msg("%s: found '%s', not '%s'", name, found, wanted);
}

static void test_filters(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t key1[SG_SHA256_LEN] = {1}, key9[SG_SHA256_LEN] = {9};
    static const struct sg_serial serial3 = {.bytes = {1, 3}, .len = 2}, short3 = {{3}, 1};
#define STATUS(word)                                                                               \
    {                                                                                              \
        .only_status = true, .status = SG_STATUS_##word                                            \
    }
    static const struct {
        const char *name;
        struct sg_certificate_filter filter;
        const char *found;
    } cases[] = {
        {"all", {0}, "1 2 3 4 5 6 7 "},
        {"serial", {.serial = &serial3}, "3 "},
        {"unknown serial", {.serial = &short3}, ""},
        {"issuer", {.issuer = "other"}, "7 "},
        {"unknown issuer", {.issuer = "nobody"}, ""},
        {"policy", {.policy = "mtls"}, "1 2 3 4 5 6 "},
        {"device", {.device = "d1"}, "1 2 7 "},
        {"user", {.user = "u1"}, "4 5 "},
        {"user and policy", {.user = "u1", .policy = "ocsp"}, ""},
        {"key", {.spki_sha256 = key1}, "1 7 "},
        {"key and issuer", {.spki_sha256 = key1, .issuer = "issuing"}, "1 "},
        {"unknown key", {.spki_sha256 = key9}, ""},
        {"itself", {.der = {(const uint8_t *)"head|to be signed: 1|tail", 25}}, "1 "},
        {"another", {.der = {(const uint8_t *)"head|to be signed: 1|tails", 26}}, ""},
        {"expires before its last second", {.expires_before = NOW + 50}, ""},
        {"expires before the next", {.expires_before = NOW + 51}, "1 "},
        {"expires some time", {.expires_before = NOW + 1000 * DAY}, "1 7 "},
        {"valid", STATUS(VALID), "1 7 "},
        {"expired", STATUS(EXPIRED), "2 "},
        {"revoked", STATUS(REVOKED), "3 "},
        {"held", STATUS(HELD), "4 "},
        {"in flight", STATUS(IN_FLIGHT), "5 "},
        {"orphaned", STATUS(ORPHANED), "6 "},
        {"everything",
         {.serial = &serial3,
          .issuer = "issuing",
          .policy = "mtls",
          .device = "d2",
          .only_status = true,
          .status = SG_STATUS_REVOKED},
         "3 "},
        {"too much",
         {.serial = &serial3,
          .issuer = "issuing",
          .policy = "mtls",
          .device = "d2",
          .user = "u1",
          .spki_sha256 = key1,
          .expires_before = NOW,
          .only_status = true,
          .status = SG_STATUS_REVOKED},
         ""},
    };
    fill(fixture);
    for (size_t i = 0; i < NUM(cases); i++)
        expect_found(fixture->store, cases[i].name, cases[i].filter, cases[i].found);
}

static void test_fields(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    const struct sg_serial serial3 = {.bytes = {1, 3}, .len = 2};
    const struct seen seen =
        look(fixture->store, (struct sg_certificate_filter){.serial = &serial3});
    assert_string_equal(seen.issuer, "issuing");
    assert_string_equal(seen.device, "d2");
    assert_string_equal(seen.der, "head|to be signed: 3|tail");
    assert_true(seen.last.user == NULL);
    assert_memory_equal(seen.last.serial.bytes, serial3.bytes, sizeof serial3.bytes);
    assert_int_equal(seen.last.serial.len, 2);
    assert_int_equal(seen.last.spki_sha256[0], 3);
    assert_int_equal(seen.last.claimed, NOW);
    assert_int_equal(seen.last.not_before, NOW - 300);
    assert_int_equal(seen.last.not_after, NOW + 365 * DAY);
    assert_int_equal(seen.last.revoked, NOW);
    assert_int_equal(seen.last.reason, SG_REASON_SUPERSEDED);
    /* a claim has no bytes yet */
    const struct seen claim =
        look(fixture->store,
             (struct sg_certificate_filter){.only_status = true, .status = SG_STATUS_IN_FLIGHT});
    assert_int_equal(claim.last.der.len, 0);
}

struct nested {
    struct sg_store *store;
    size_t num;
};

/* A visitor may ask the store again, also the same question. */
static bool ask_again(const struct sg_certificate *certificate, void *context,
                      struct sg_error *error)
{
    struct nested *nested = context;
    sg_auto(sg_record) struct sg_record record = {0};
    nested->num++;
    assert_int_equal(look(nested->store, (struct sg_certificate_filter){0}).num, 7);
    if (certificate->device != NULL)
        assert_true(sg_store_find_record(nested->store, SG_REGISTRY_DEVICE, certificate->device,
                                         &record, error));
    return nested->num < 4 || sg_fail(error, SG_FAILED, NULL, "enough");
}

static void test_visitor(void **state)
{
    struct fixture *fixture = *state;
    struct nested nested = {fixture->store, 0};
    struct sg_error error = {0};
    fill(fixture);
    expect_failure("stopped",
                   sg_store_each_certificate(fixture->store,
                                             &(struct sg_certificate_filter){.now = NOW}, ask_again,
                                             &nested, &error),
                   &error, SG_FAILED, "enough");
    assert_int_equal(nested.num, 4);
}

static void test_strange_columns(void **state)
{
    static const char *const CHANGES[] = {
        "UPDATE claim SET serial = x''",
        "UPDATE claim SET serial = x'000000000000000000000000000000000000000000'",
        "UPDATE claim SET spki_sha256 = x'01'",
        ("UPDATE claim SET policy_sha256 = "
         "x'000000000000000000000000000000000000000000000000000000000000000000'"),
    };
    for (size_t i = 0; i < NUM(CHANGES); i++) {
        struct fixture *fixture = *state;
        struct sg_error error = {0};
        struct seen seen = {0};
        tear_down(state);
        set_up(state);
        issue(fixture, &(struct ask){.device = "d1", .serial = 1});
        change_store(fixture, CHANGES[i]);
        expect_failure(CHANGES[i],
                       sg_store_each_certificate(fixture->store,
                                                 &(struct sg_certificate_filter){.now = NOW},
                                                 see_certificate, &seen, &error),
                       &error, SG_STORE, "wrong length");
    }
}

/* ---- issuers ---- */

static void test_issuers(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(add_issuer(fixture->store, "issuing", 1), fixture->issuer);
    const int64_t next = add_issuer(fixture->store, "issuing", 2); /* a new key, the same name */
    assert_int_not_equal(next, fixture->issuer);
    issue(fixture, &(struct ask){.device = "d1", .serial = 1});
    assert_int_equal(add_issuer(fixture->store, "issuing-2026", 1), fixture->issuer);
    expect_found(fixture->store, "new name",
                 (struct sg_certificate_filter){.issuer = "issuing-2026"}, "1 ");
    expect_found(fixture->store, "old name", (struct sg_certificate_filter){.issuer = "issuing"},
                 "");
}

/* ---- intents ---- */

static bool add_nothing(void *context, const struct sg_revoked *revoked, struct sg_error *error)
{
    (void)context;
    (void)revoked;
    (void)error;
    return true;
}

static bool finish_crl(void *context, uint64_t number, struct sg_slice *to_be_signed,
                       struct sg_error *error)
{
    (void)number;
    (void)error;
    *to_be_signed = sg_slice_text(context);
    return true;
}

static void test_has_intent(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    char crl[] = "a list";
    const struct sg_crl_builder builder = {add_nothing, finish_crl, crl};
    uint64_t number = 0;
    fill(fixture);
    assert_true(sg_store_intend_request(fixture->store, fixture->issuer, sg_slice_text("a request"),
                                        NOW, &error));
    assert_true(
        sg_store_reserve_crl(fixture->store, fixture->issuer, NOW, NOW, &builder, &number, &error));
    static const struct {
        const char *signed_bytes;
        bool intended;
    } cases[] = {
        {"to be signed: 1", true}, /* recorded */
        {"to be signed: 5", true}, /* in flight */
        {"to be signed: 6", true}, /* orphaned */
        {"a request", true},
        {"a list", true},
        {"to be signed: 99", false},
        {"head|to be signed: 1|tail", false},
        {"", false},
    };
    const EVP_MD *algorithms[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
    for (size_t i = 0; i < NUM(cases); i++) {
        for (size_t j = 0; j < NUM(algorithms); j++) {
            uint8_t digest[EVP_MAX_MD_SIZE];
            unsigned len = 0;
            bool found = !cases[i].intended;
            assert_int_equal(EVP_Digest(cases[i].signed_bytes, strlen(cases[i].signed_bytes),
                                        digest, &len, algorithms[j], NULL),
                             1);
            expect_success(
                cases[i].signed_bytes,
                sg_store_has_intent(fixture->store, sg_slice_of(digest, len), &found, &error),
                &error);
            if (found != cases[i].intended)
                fail_msg("%s, %u bytes", cases[i].signed_bytes, len);
        }
    }
    bool found = false;
    expect_failure("SHA-1",
                   sg_store_has_intent(fixture->store, sg_slice_of("01234567890123456789", 20),
                                       &found, &error),
                   &error, SG_USAGE, "digest of 20 bytes");
}

/* The newest so many of a status, whatever there is beside them. */
static void test_pages_of_a_status(void **state)
{
    struct fixture *fixture = *state;
    int64_t ids[6];
    struct sg_error error = {0};

    for (uint8_t i = 0; i < 6; i++)
        ids[i] = issue(fixture, &(struct ask){.device = "d1",
                                              .key = (uint8_t)(i + 1),
                                              .serial = (uint8_t)(i + 1),
                                              .not_after = NOW + (i == 1 ? 1 : 2) * DAY});
    for (size_t i = 2; i < 6; i += 3)
        expect_success("revoke",
                       sg_store_revoke(fixture->store, ids[i],
                                       i == 5 ? SG_REASON_CERTIFICATE_HOLD : SG_REASON_SUPERSEDED,
                                       NOW, &error),
                       &error);
    const struct {
        enum sg_status status;
        int64_t before;
        size_t last, num, first;
    } cases[] = {
        {SG_STATUS_VALID, 0, 2, 2, 4},        {SG_STATUS_VALID, ids[3], 2, 1, 0},
        {SG_STATUS_VALID, 0, 9, 3, 4},        {SG_STATUS_EXPIRED, 0, 9, 1, 1},
        {SG_STATUS_REVOKED, 0, 1, 1, 2},      {SG_STATUS_HELD, 0, 1, 1, 5},
        {SG_STATUS_REVOKED, ids[2], 1, 0, 0}, {SG_STATUS_ORPHANED, 0, 9, 0, 0},
    };
    for (size_t i = 0; i < NUM(cases); i++) {
        const struct seen seen =
            look(fixture->store, (struct sg_certificate_filter){.only_status = true,
                                                                .status = cases[i].status,
                                                                .before = cases[i].before,
                                                                .last = cases[i].last,
                                                                .now = NOW + DAY + 1});
        if (seen.num != cases[i].num || (seen.num > 0 && seen.ids[0] != ids[cases[i].first]))
            fail_msg("case %zu: %zu %s", i, seen.num, sg_status_word(cases[i].status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_visitor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strange_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_issuers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_has_intent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_of_a_status, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
