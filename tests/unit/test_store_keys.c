#include "store_fixture.h"

#include "store/sql.h"

static void block(struct sg_store *store, uint8_t first, uint8_t last, size_t wanted_new)
{
    uint8_t keys[256][SG_SHA256_LEN] = {{0}};
    struct sg_error error = {0};
    size_t num = 0, num_new = 0;

    for (unsigned key = first; key <= last; key++)
        keys[num++][0] = (uint8_t)key;
    expect_success("block",
                   sg_store_block_keys(store, (const uint8_t(*)[SG_SHA256_LEN])keys, num, NOW,
                                       &num_new, &error),
                   &error);
    assert_int_equal(num_new, wanted_new);
}

static bool count_key(const uint8_t spki_sha256[SG_SHA256_LEN], int64_t blocked, void *context,
                      struct sg_error *error)
{
    size_t *num = context;
    (void)error;
    (void)spki_sha256;
    assert_int_equal(blocked, NOW);
    ++*num;
    return true;
}

static size_t count_blocked(struct sg_store *store)
{
    struct sg_error error = {0};
    size_t num = 0;
    expect_success("list", sg_store_each_blocked_key(store, count_key, &num, &error), &error);
    return num;
}

enum { ISSUERS = 1 }; /* the fixture's issuer has this key */

/* rule NULL: nothing is known against it. */
static void expect_judgement(struct sg_store *store, const char *name, uint8_t key,
                             const char *device, bool for_ca, const char *rule)
{
    const uint8_t spki[SG_SHA256_LEN] = {key, key == ISSUERS ? ISSUER_KEY : 0};
    const struct sg_key_question question = {
        .spki_sha256 = spki, .device = device, .for_ca = for_ca};
    struct sg_error why = {0}, error = {0};
    expect_success(name, sg_store_judge_key(store, &question, &why, &error), &error);
    if (rule == NULL) {
        expect_success(name, true, &why);
        return;
    }
    expect_failure(name, false, &why, SG_KEY_QUALITY, "make a new key");
    assert_string_equal(why.rule, rule);
}

static void test_judgement(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    issue(fixture, &(struct ask){.device = "d1", .key = 7, .serial = 1});
    const int64_t id = issue(fixture, &(struct ask){.device = "d2", .key = 8, .serial = 2});
    expect_success("revoke",
                   sg_store_revoke(fixture->store, id, SG_REASON_KEY_COMPROMISE, NOW, &error),
                   &error);
    block(fixture->store, 9, 9, 1);
    static const enum sg_reason REASONS[] = {SG_REASON_CA_COMPROMISE, SG_REASON_AA_COMPROMISE,
                                             SG_REASON_SUPERSEDED};
    for (uint8_t i = 0; i < NUM(REASONS); i++) {
        const struct ask asked = {.device = "d2", .key = 20 + i, .serial = 20 + i};
        expect_success(
            "revoke",
            sg_store_revoke(fixture->store, issue(fixture, &asked), REASONS[i], NOW, &error),
            &error);
    }

    static const struct {
        const char *name;
        uint8_t key;
        const char *device;
        bool for_ca;
        const char *rule;
    } CASES[] = {
        {"a new key", 6, "d1", false, NULL},
        {"a holder's own key", 7, "d1", false, NULL},
        {"another holder's", 7, "d2", false, "one key, one holder"},
        {"a compromised one", 8, "d2", false, "compromised key"},
        {"of a compromised CA", 20, "d2", false, "compromised key"},
        {"of a compromised authority", 21, "d2", false, "compromised key"},
        {"a superseded one", 22, "d2", false, NULL},
        {"a blocked one", 9, "d1", false, "blocked key"},
        {"a blocked one for a CA", 9, NULL, true, "blocked key"},
        {"an issuer's", ISSUERS, "d1", false, "the CA's own key"},
        {"an issuer's for nobody", ISSUERS, NULL, false, "the CA's own key"},
        {"an issuer's for a CA", ISSUERS, NULL, true, NULL},
    };
    for (size_t i = 0; i < NUM(CASES); i++)
        expect_judgement(fixture->store, CASES[i].name, CASES[i].key, CASES[i].device,
                         CASES[i].for_ca, CASES[i].rule);
}

/* SQLite finds keys by how they begin: what only begins like one is another one. */
static void test_alike(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    struct sg_error error = {0};
    issue(fixture, &(struct ask){.device = "d1", .key = 7, .serial = 1});
    struct sg_claim claim =
        ask(fixture, &(struct ask){.device = "d2", .key = 7, .serial = 2}, &asked);
    asked.spki[4] = 1;
    expect_success("claim", sg_store_claim(fixture->store, &claim, 1, &error), &error);
    expect_success("claim", claim.outcome == SG_CLAIM_NEW, &claim.error);
    assert_int_equal(
        look(fixture->store, (struct sg_certificate_filter){.spki_sha256 = asked.spki}).num, 1);
    copy_name(asked.device, "d1");
    expect_success("claim again", sg_store_claim(fixture->store, &claim, 1, &error), &error);
    expect_failure("claim again", claim.outcome == SG_CLAIM_NEW, &claim.error, SG_KEY_QUALITY,
                   "make a new key");
}

/* The claim asks all of that, and a refusal leaves its group alone. */
static void test_claims(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked[3];
    struct sg_claim claims[3];
    struct sg_error error = {0};
    block(fixture->store, 9, 9, 1);
    claims[0] = ask(fixture, &(struct ask){.device = "d1", .key = 9, .serial = 1}, &asked[0]);
    claims[1] = ask(fixture, &(struct ask){.device = "d2", .key = ISSUERS, .serial = 2}, &asked[1]);
    asked[1].spki[1] = ISSUER_KEY;
    claims[2] = ask(fixture, &(struct ask){.device = "d3", .key = 5, .serial = 3}, &asked[2]);
    expect_success("group", sg_store_claim(fixture->store, claims, 3, &error), &error);
    assert_int_equal(claims[0].outcome, SG_CLAIM_REFUSED);
    assert_string_equal(claims[0].error.rule, "blocked key");
    assert_int_equal(claims[1].outcome, SG_CLAIM_REFUSED);
    assert_string_equal(claims[1].error.rule, "the CA's own key");
    assert_int_equal(claims[2].outcome, SG_CLAIM_NEW);

    asked[1].plan.ca = true;
    expect_success("CA", sg_store_claim(fixture->store, &claims[1], 1, &error), &error);
    assert_int_equal(claims[1].outcome, SG_CLAIM_NEW);
}

static void test_list(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(count_blocked(fixture->store), 0);
    block(fixture->store, 10, 109, 100);
    block(fixture->store, 100, 119, 10);
    assert_int_equal(count_blocked(fixture->store), 110);

    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    const uint8_t key[1][SG_SHA256_LEN] = {{200}};
    struct sg_error error = {0};
    size_t num_new = 99;
    assert_int_equal(count_blocked(reader), 110);
    expect_failure("a reader", sg_store_block_keys(reader, key, 1, NOW, &num_new, &error), &error,
                   SG_STORE, "for reading only");
    assert_int_equal(num_new, 99);
    sg_store_close(reader);
}

/* ---- stores of version 1 ---- */

/* Version 1 is this version without the list, the count of revocations, why something is
 * superseded, and what vouches. */
static void make_version_1(struct fixture *fixture)
{
    sg_store_close(fixture->store);
    change_store(fixture, "DROP TABLE blocked_key; DROP TRIGGER revocation_added;"
                          "DROP TRIGGER revocation_changed; DROP TRIGGER revocation_gone;"
                          "DELETE FROM counter WHERE name = 'status';"
                          "ALTER TABLE supersedes DROP COLUMN reason; DROP TABLE ticket;"
                          "DROP TABLE approval; DROP TABLE pin; DROP TABLE event; DROP TABLE quota;"
                          "DROP INDEX claim_token; ALTER TABLE claim DROP COLUMN token;"
                          "PRAGMA user_version=1");
    fixture->store = NULL;
}

static int64_t version_of(struct sg_store *store)
{
    bool found = false;
    int64_t version = 0;
    assert_true(sg_sql_number(store, "PRAGMA user_version", SG_NO_VALUES, &found, &version, NULL));
    return version;
}

static void test_reader_of_version_1(void **state)
{
    if (is_on_postgres())
        return; /* it is about the file */
    struct fixture *fixture = *state;
    issue(fixture, &(struct ask){.device = "d1", .key = 7, .serial = 1});
    make_version_1(fixture);
    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    assert_int_equal(version_of(reader), 1);
    assert_int_equal(count_blocked(reader), 0);
    expect_judgement(reader, "a new key", 6, "d1", false, NULL);
    expect_judgement(reader, "another holder's", 7, "d2", false, "one key, one holder");
    expect_status(reader, 1, NOW, SG_STATUS_VALID);
    sg_store_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_judgement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_claims, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_of_version_1, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
