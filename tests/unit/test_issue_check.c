#include "ca_fixture.h"

static const char REPLACE[] = "policy: replace\n"
                              "description: Renewal wants a new key\n"
                              "who: {any: [operator]}\n"
                              "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                              "subject: [{CN: '${device.id}'}]\n"
                              "validity: {for: 365d}\n"
                              "renewal: {window: 60d, same_key: refuse, previous: revoke}\n"
                              "unique: device\n";

/* The life is all window. */
static const char SHORT[] = "policy: short\n"
                            "description: Until a day that is nearer than the window is long\n"
                            "who: {any: [operator]}\n"
                            "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                            "subject: [{CN: '${device.id}'}]\n"
                            "validity: {until: 2025-06-30T00:00:00Z}\n"
                            "renewal: {window: 60d, same_key: allow}\n"
                            "unique: device\n";

static const char PEOPLE[] = "policy: people\n"
                             "description: For users\n"
                             "who: {any: [operator]}\n"
                             "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                             "subject: [{CN: '${user.name}'}]\n"
                             "validity: {for: 365d}\n"
                             "unique: user\n";

/* One for each device, whoever its subject names: nothing but `unique` looks at who is asking. */
static const char LOOSE[] = "policy: loose\n"
                            "description: Devices that the line's operator brings\n"
                            "who: {any: [operator], unknown_device: register}\n"
                            "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                            "subject: [{CN: '${request.CN}'}]\n"
                            "validity: {for: 365d}\n"
                            "unique: device\n";

/* Another policy for responders, which the names of those that there are do not suit. */
static const char ANSWERS[] = "policy: answers\n"
                              "description: The one responder\n"
                              "who: {any: [operator]}\n"
                              "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                              "subject: [{CN: The responder}]\n"
                              "extended_key_usage: [OCSPSigning]\n"
                              "validity: {for: 30d}\n";

static int make_home(void **state)
{
    struct ca *ca = *state;

    ca_make_home(state);
    ca_put_policy(ca, "replace", REPLACE);
    ca_put_policy(ca, "short", SHORT);
    ca_put_policy(ca, "people", PEOPLE);
    ca_put_policy(ca, "loose", LOOSE);
    ca_put_policy(ca, "answers", ANSWERS);
    ca_add_device(ca, "device-AB12");
    ca_add_device(ca, "device-CD34");
    ca_add_user(ca, "alice");
    return 0;
}

struct verdicts {
    struct sg_verdict *items;
    size_t num;
};

static void verdicts_done(struct verdicts *verdicts)
{
    free(verdicts->items);
}
SG_DEFINE_CLEANUP_IN_PLACE(verdicts, verdicts_done)

/* Nothing may change, not even by a signature, which would fail here. */
static void check(struct ca *ca, const char *policy, struct ca_order *order,
                  struct verdicts *verdicts)
{
    struct sg_issuing issuing = ca_issuing(ca, policy);
    struct sg_error error = {0};

    issuing.device_from_cn = order->job.device == NULL && order->job.user == NULL;
    setenv("ODD_SIGN_RV", "0x30", 1);
    expect_success(policy,
                   sg_issue_check(&issuing, &order->job, &verdicts->items, &verdicts->num, &error),
                   &error);
    unsetenv("ODD_SIGN_RV");
}

/* The verdict on a rule, of which there is one: the path says `unique` instead of the policy. */
static const struct sg_verdict *verdict_on(const struct verdicts *verdicts, const char *rule)
{
    const struct sg_verdict *found = NULL;

    for (size_t i = 0; i < verdicts->num; i++) {
        if (strcmp(verdicts->items[i].rule, rule) != 0)
            continue;
        if (found != NULL)
            fail_msg("two verdicts on %s", rule);
        found = &verdicts->items[i];
    }
    return found;
}

static void expect_verdict(const char *name, const struct verdicts *verdicts, const char *rule,
                           bool passed, const char *part)
{
    const struct sg_verdict *verdict = verdict_on(verdicts, rule);

    if (verdict == NULL)
        fail_msg("%s: no verdict on %s", name, rule);
    if (verdict->passed != passed || strstr(verdict->text, part) == NULL)
        fail_msg("%s: %s %s: %s", name, rule, verdict->passed ? "passes" : "refuses",
                 verdict->text);
}

static void expect_skipped(const char *name, const struct verdicts *verdicts, const char *rule,
                           bool skipped)
{
    const struct sg_verdict *verdict = verdict_on(verdicts, rule);

    if (verdict == NULL || verdict->skipped != skipped)
        fail_msg("%s: %s should %s looked at", name, rule, skipped ? "not be" : "be");
}

static void expect_all_passed(const char *name, const struct verdicts *verdicts)
{
    for (size_t i = 0; i < verdicts->num; i++)
        if (!verdicts->items[i].passed)
            fail_msg("%s: %s: %s", name, verdicts->items[i].rule, verdicts->items[i].text);
}

static void a_good_request(void **state)
{
    static const struct {
        const char *rule, *part;
    } WANTED[] = {
        {"request", "PKCS#10"},       {"possession", "signed by the key inside it"},
        {"key quality", "P-256"},     {"requester", "device device-AB12"},
        {"who", "operator"},          {"subject.CN", "device-AB12"},
        {"unique", "no other valid"},
    };
    sg_auto(ca_order) struct ca_order order = {0};
    sg_auto(verdicts) struct verdicts verdicts = {0};

    ca_order(&order, NULL, "device-AB12");
    check(*state, "device-mtls", &order, &verdicts);
    expect_all_passed("good", &verdicts);
    for (size_t i = 0; i < NUM(WANTED); i++)
        expect_verdict("good", &verdicts, WANTED[i].rule, true, WANTED[i].part);
    assert_int_equal(ca_count(*state, SG_STATUS_VALID), 1); /* the root's */
}

/* It goes on after a refusal as far as it makes sense. */
static void bad_requests(void **state)
{
    static const struct {
        const char *name, *policy, *cn, *key;
        bool broken, wrong_signature;
        const char *device, *user;
        const char *rule, *part; /* what refuses */
        const char *after;       /* a rule that is told about all the same, or NULL */
        const char *not_after;   /* one that isn't, or NULL */
    } CASES[] = {
        {"malformed", "device-mtls", "device-AB12", .broken = true, .rule = "request", .part = "",
         .not_after = "possession"},
        {"possession", "device-mtls", "device-AB12", .wrong_signature = true, .rule = "possession",
         .part = "", .after = "subject.CN"},
        {"weak key", "device-mtls", "device-AB12", "RSA-1024", .rule = "key quality",
         .part = "1024", .after = "subject.CN"},
        {"unknown device", "device-mtls", "device-NONE", .rule = "requester", .part = "device-NONE",
         .after = "keys", .not_after = NULL},
        {"no device", "device-mtls", "device-AB12", .user = "alice", .rule = "requester",
         .part = "--device ID", .after = "keys"},
        {"somebody else's", "device-mtls", "device-CD34", .device = "device-AB12",
         .rule = "subject.CN", .part = "device-CD34", .after = "validity"},
        {"unknown user", "people", "eve", .user = "eve", .rule = "requester", .part = "eve",
         .after = "keys"},
        {"of the wrong form", "loose", "toaster", .rule = "requester", .part = "does not match",
         .after = "keys"},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ca_order) struct ca_order order = {0};
        sg_auto(verdicts) struct verdicts verdicts = {0};
        sg_auto(EVP_PKEY) EVP_PKEY *key = make_key(CASES[i].key != NULL ? CASES[i].key : "P-256");

        ca_order(&order, key, CASES[i].cn);
        if (CASES[i].broken)
            order.der.data[0] = 0x31;
        if (CASES[i].wrong_signature)
            order.der.data[order.der.len - 1] ^= 1;
        order.job.device = CASES[i].device;
        order.job.user = CASES[i].user;
        check(*state, CASES[i].policy, &order, &verdicts);
        expect_verdict(CASES[i].name, &verdicts, CASES[i].rule, false, CASES[i].part);
        if (CASES[i].after != NULL && verdict_on(&verdicts, CASES[i].after) == NULL)
            fail_msg("%s: no verdict on %s", CASES[i].name, CASES[i].after);
        if (CASES[i].not_after != NULL && verdict_on(&verdicts, CASES[i].not_after) != NULL)
            fail_msg("%s: a verdict on %s", CASES[i].name, CASES[i].not_after);
    }
}

static void requesters(void **state)
{
    static const struct {
        const char *policy, *cn, *user, *text;
    } CASES[] = {
        {"ocsp-responder", "responder", NULL, "the operator"},
        {"loose", "device-NEW1", NULL, "device device-NEW1, to be registered"},
        {"loose", "device-AB12", NULL, "device device-AB12"},
        {"people", "alice", "alice", "user alice"},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ca_order) struct ca_order order = {0};
        sg_auto(verdicts) struct verdicts verdicts = {0};
        struct sg_issuing issuing = ca_issuing(*state, CASES[i].policy);
        struct sg_error error = {0};

        ca_order(&order, NULL, CASES[i].cn);
        order.job.user = CASES[i].user;
        expect_success(CASES[i].text,
                       sg_issue_check(&issuing, &order.job, &verdicts.items, &verdicts.num, &error),
                       &error);
        expect_all_passed(CASES[i].text, &verdicts);
        assert_string_equal(verdict_on(&verdicts, "requester")->text, CASES[i].text);
    }
}

/* ---- unique: the check must say what the claim then does ---- */

struct unique_case {
    const char *name, *policy;
    int64_t later;   /* than the first certificate */
    bool same_key;   /* as the first's */
    const char *sql; /* what happens to the store in between */
    bool passed;
    const char *text;
    enum sg_job_outcome outcome; /* of issuing it for real */
};

static void check_and_issue(struct ca *ca, const struct unique_case *wanted)
{
    sg_auto(ca_order) struct ca_order first = {0}, second = {0}, real = {0};
    sg_auto(verdicts) struct verdicts verdicts = {0};

    ca_order(&first, NULL, "device-AB12");
    ca_issue(ca, wanted->policy, &first);
    expect_issued(wanted->name, &first.job, SG_JOB_ISSUED);
    if (wanted->sql != NULL)
        ca_sql(ca, wanted->sql);
    ca->now += wanted->later;
    ca_order(&second, wanted->same_key ? first.key : NULL, "device-AB12");
    check(ca, wanted->policy, &second, &verdicts);
    expect_verdict(wanted->name, &verdicts, "unique", wanted->passed, wanted->text);
    ca_order(&real, second.key, "device-AB12");
    ca_issue(ca, wanted->policy, &real);
    if (real.job.outcome != wanted->outcome)
        fail_msg("%s: the claim says otherwise: %d %s", wanted->name, (int)real.job.outcome,
                 real.job.error.text);
}

static void unique(void **state)
{
    static const char HOLD[] = "INSERT INTO revocation (claim, issuer, reason, revoked)"
                               " SELECT id, issuer, 6, 1750000000 FROM claim ORDER BY id DESC"
                               " LIMIT 1";
    static const char REVOKE[] = "INSERT INTO revocation (claim, issuer, reason, revoked)"
                                 " SELECT id, issuer, 1, 1750000000 FROM claim ORDER BY id DESC"
                                 " LIMIT 1";
    static const char MOVED[] = "UPDATE registry SET attributes ="
                                " '{\"region\":\"us-west\",\"type\":\"leo\"}'"
                                " WHERE id = 'device-AB12'";
    static const struct unique_case CASES[] = {
        {"another key", "device-mtls", DAY, .passed = false, .text = "revoke it to replace it",
         .outcome = SG_JOB_REFUSED},
        {"the same again", "device-mtls", DAY, .same_key = true, .passed = true,
         .text = "this very certificate", .outcome = SG_JOB_REPEATED},
        {"the same key for other content", "device-mtls", DAY, .same_key = true, .sql = MOVED,
         .passed = false, .text = "revoke it to replace it", .outcome = SG_JOB_REFUSED},
        {"on hold", "device-mtls", DAY, .sql = HOLD, .passed = false, .text = "is on hold",
         .outcome = SG_JOB_REFUSED},
        {"revoked", "device-mtls", DAY, .sql = REVOKE, .passed = true, .text = "no other valid",
         .outcome = SG_JOB_ISSUED},
        {"renewal", "device-mtls", 306 * DAY, .passed = true, .text = "this would renew it",
         .outcome = SG_JOB_ISSUED},
        {"renewal with the same key", "device-mtls", 306 * DAY, .same_key = true, .passed = true,
         .text = "this would renew it", .outcome = SG_JOB_ISSUED},
        {"renewal that wants a new key", "replace", 306 * DAY, .same_key = true, .passed = false,
         .text = "needs a new key", .outcome = SG_JOB_REFUSED},
        {"the same again, all of its life a window", "short", DAY, .same_key = true, .passed = true,
         .text = "this very certificate", .outcome = SG_JOB_REPEATED},
        {"another key for the same end", "short", DAY, .passed = false,
         .text = "revoke it to replace it", .outcome = SG_JOB_REFUSED},
        {"expired", "device-mtls", 366 * DAY, .passed = true, .text = "no other valid",
         .outcome = SG_JOB_ISSUED},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        make_home(state);
        check_and_issue(*state, &CASES[i]);
        ca_remove_home(state);
    }
}

/* What others hold is in nobody's way, also not of somebody whom the registry does not know. */
static void the_certificates_of_others(void **state)
{
    static const struct {
        const char *name, *cn;
    } CASES[] = {{"another device", "device-CD34"}, {"a device to be registered", "device-NEW1"}};
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, user = {0};
    sg_auto(verdicts) struct verdicts of_user = {0};

    ca_order(&first, NULL, "device-AB12");
    ca_issue(ca, "loose", &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ca_order) struct ca_order order = {0};
        sg_auto(verdicts) struct verdicts verdicts = {0};

        ca_order(&order, NULL, CASES[i].cn);
        check(ca, "loose", &order, &verdicts);
        expect_verdict(CASES[i].name, &verdicts, "unique", true, "no other valid");
    }
    ca_order(&user, NULL, "alice");
    user.job.user = "alice";
    check(ca, "people", &user, &of_user);
    expect_verdict("user", &of_user, "unique", true, "no other valid");
}

/* A key has a holder; where nobody is known to ask, that is nothing against the key. */
static void a_known_key_and_nobody(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, nobody = {0}, other = {0};
    sg_auto(verdicts) struct verdicts of_nobody = {0}, of_other = {0};

    ca_order(&first, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    ca_order(&nobody, first.key, "device-NONE");
    check(ca, "device-mtls", &nobody, &of_nobody);
    expect_verdict("nobody", &of_nobody, "requester", false, "device-NONE");
    expect_verdict("nobody", &of_nobody, "known key", false, "not looked at");
    expect_skipped("nobody", &of_nobody, "known key", true);
    assert_null(verdict_on(&of_nobody, SG_RULE_ONE_HOLDER));
    ca_order(&other, first.key, "device-CD34");
    check(ca, "device-mtls", &other, &of_other);
    expect_verdict("other", &of_other, SG_RULE_ONE_HOLDER, false, "make a new key");
    expect_skipped("other", &of_other, SG_RULE_ONE_HOLDER, false);
}

/* A responder's key is one also for a policy that refuses its name; nobody else may have it. */
static void a_responders_key(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, renamed = {0}, device = {0};
    sg_auto(verdicts) struct verdicts of_renamed = {0}, of_device = {0};

    ca_order(&first, NULL, "device-AB12");
    ca_issue(ca, "ocsp-responder", &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    ca_order(&renamed, first.key, "device-AB12");
    check(ca, "answers", &renamed, &of_renamed);
    expect_verdict("renamed", &of_renamed, "subject.CN", false, "The responder");
    expect_verdict("renamed", &of_renamed, "known key", true, "nothing is known");
    ca_order(&device, first.key, "device-AB12");
    check(ca, "device-mtls", &device, &of_device);
    expect_verdict("device", &of_device, SG_RULE_ONE_HOLDER, false, "make a new key");
}

static void a_store_that_fails(void **state)
{
    static const char *const BREAKS[] = {
        "UPDATE registry SET attributes = 'no JSON' WHERE id = 'device-AB12'",
        "ALTER TABLE claim RENAME TO gone",
    };
    static const enum sg_code CODES[] = {SG_STORE, SG_INTERNAL};

    for (size_t i = 0; i < NUM(BREAKS); i++) {
        sg_auto(ca_order) struct ca_order order = {0};
        struct sg_verdict untouched, *verdicts = &untouched;
        struct sg_error error = {0};
        size_t num = 77;

        make_home(state);
        struct sg_issuing issuing = ca_issuing(*state, "device-mtls");
        ca_order(&order, NULL, "device-AB12");
        order.job.device = "device-AB12";
        ca_sql(*state, BREAKS[i]);
        expect_failure(BREAKS[i], sg_issue_check(&issuing, &order.job, &verdicts, &num, &error),
                       &error, CODES[i], "");
        assert_ptr_equal(verdicts, &untouched);
        assert_int_equal(num, 77);
        ca_remove_home(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, ca_remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_request),
        TEST(bad_requests),
        TEST(requesters),
        cmocka_unit_test(unique),
        TEST(the_certificates_of_others),
        TEST(a_known_key_and_nobody),
        TEST(a_responders_key),
        cmocka_unit_test(a_store_that_fails),
    };

    return cmocka_run_group_tests(tests, ca_make_token, ca_remove_token);
}
