/* Requests that nobody at the CA vouches for: by tickets with PINs, by certificates that are to be
 * renewed, with somebody's approval. */
#include "ca_fixture.h"

#include "base/file.h"
#include "issue/pins.h"
#include "issue/pipeline.h"
#include "issue/tickets.h"
#include "store/approvals.h"

static const char PEOPLE[] = "policy: people\n"
                             "description: For users\n"
                             "who: {any: [ticket, renewal, operator]}\n"
                             "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                             "subject: [{CN: '${user.name}'}]\n"
                             "validity: {for: 365d}\n"
                             "renewal: {window: 60d, same_key: allow}\n"
                             "request: {subject: equal}\n";

static const char CARDS[] = "policy: cards\n"
                            "description: For users whom an officer knows\n"
                            "who: {all: [ticket, {approval: officer}]}\n"
                            "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                            "subject: [{CN: '${user.name}'}]\n"
                            "validity: {for: 365d}\n";

static const char FIRST[] = "policy: first\n"
                            "description: The first operational certificate of a device\n"
                            "who: {any: [renewal]}\n"
                            "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                            "subject: [{CN: '${device.id}'}]\n"
                            "validity: {for: 365d}\n"
                            "renewal: {window: 60d, of: [device-mtls]}\n";

static int make_token(void **state)
{
    struct sg_error error = {0};

    ca_make_token(state);
    sg_auto(sg_token) struct sg_token *token = ca_open_token(*state);
    expect_success("pins", sg_mac_create(token, "pins", (struct sg_slice){0}, &error), &error);
    expect_success("others", sg_mac_create(token, "others", (struct sg_slice){0}, &error), &error);
    return 0;
}

static void name_pins(struct ca *ca, const char *key)
{
    char path[160];
    FILE *file;

    snprintf(path, sizeof path, "%s/signet.yaml", ca->dir);
    file = fopen(path, "a");
    assert_non_null(file);
    fprintf(file, "pins: {token: main, key: 'pkcs11:object=%s'}\n", key);
    fclose(file);
    ca_reopen(ca);
}

static int make_home(void **state)
{
    struct ca *ca = *state;

    ca_make_home(state);
    ca_put_policy(ca, "people", PEOPLE);
    ca_put_policy(ca, "cards", CARDS);
    ca_put_policy(ca, "first", FIRST);
    ca_add_device(ca, "device-AB12");
    ca_add_device(ca, "device-CD34");
    ca_add_user(ca, "alice");
    ca_add_user(ca, "bob");
    name_pins(ca, "pins");
    return 0;
}

static struct sg_mac *pins_of(struct ca *ca)
{
    struct sg_mac *mac = NULL;
    struct sg_error error = {0};

    expect_success("pins", sg_home_pins(ca->home, &mac, &error), &error);
    return mac;
}

/* What an app would send for the PIN; the app's own hash is in test_model_pin_hash.c. */
static const uint8_t PIN[SG_PIN_HASH_LEN] = {1, 2, 3}, WRONG_PIN[SG_PIN_HASH_LEN] = {1, 2, 4};

static void choose_pin(struct ca *ca, const char *user)
{
    const struct sg_pin_order order = {.user = user, .hash = PIN, .now = ca->now};
    struct sg_error error = {0};

    expect_success(user, sg_pin_choose(sg_home_store(ca->home), pins_of(ca), &order, &error),
                   &error);
}

struct held {
    char text[SG_TICKET_TEXT_SIZE];
    int64_t id;
};

static struct held make_ticket(struct ca *ca, struct sg_ticket_order order)
{
    struct held held = {0};
    struct sg_error error = {0};

    order.made_by = "desk";
    expect_success("ticket", sg_ticket_make(ca->home, &order, ca->now, held.text, &held.id, &error),
                   &error);
    return held;
}

static struct held ticket_of(struct ca *ca, const char *policy, const char *user)
{
    return make_ticket(ca, (struct sg_ticket_order){
                               .policy = policy, .user = user, .token = "card-7", .tries = 3});
}

static int64_t tries_left(struct ca *ca, const struct held *held)
{
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    struct sg_error error = {0};

    expect_success("find", sg_ticket_find(sg_home_store(ca->home), held->text, &ticket, &error),
                   &error);
    return ticket.tries;
}

static enum sg_ticket_state state_of(struct ca *ca, const struct held *held)
{
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    struct sg_error error = {0};

    expect_success("find", sg_ticket_find(sg_home_store(ca->home), held->text, &ticket, &error),
                   &error);
    return sg_ticket_state(&ticket, ca->now);
}

/* One request over the network: nothing but its evidence vouches for it. */
static void ask(struct ca *ca, const char *policy, EVP_PKEY *key, const char *cn,
                struct sg_evidence evidence, struct ca_order *order)
{
    struct sg_issuing issuing = ca_issuing(ca, policy);
    struct sg_error error = {0};

    issuing.evidence = 0;
    issuing.pins = pins_of(ca);
    ca_order(order, key, cn);
    order->job.evidence = evidence;
    expect_success(policy, sg_issue(&issuing, &order->job, 1, &error), &error);
}

static struct sg_evidence by(const struct held *held, const uint8_t *pin)
{
    return (struct sg_evidence){.ticket = held->text, .pin_hash = pin};
}

static struct sg_evidence shown(const struct ca_order *order)
{
    return (struct sg_evidence){.certificate = sg_buf_slice(&order->job.certificate)};
}

/* ---- tickets ---- */

static void a_ticket_gets_one_certificate(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, again = {0}, other = {0}, late = {0};
    const struct held held = ticket_of(ca, "people", "alice");

    choose_pin(ca, "alice");
    ask(ca, "people", NULL, "alice", by(&held, PIN), &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    assert_string_equal(first.job.requester.user.id, "alice");
    assert_int_equal(first.job.requester.evidence, SG_BY_TICKET);
    assert_string_equal(first.job.requester.token, "card-7");
    ask(ca, "people", first.key, "alice", by(&held, PIN), &again);
    expect_issued("a retry", &again.job, SG_JOB_REPEATED);
    assert_true(
        sg_slice_equal(sg_buf_slice(&again.job.certificate), sg_buf_slice(&first.job.certificate)));
    ask(ca, "people", NULL, "alice", by(&held, PIN), &other);
    expect_refused("another key", &other.job, SG_UNAUTHENTICATED, "has been used");
    ca->now += DAY; /* a retry of what was used in time */
    ask(ca, "people", first.key, "alice", by(&held, PIN), &late);
    expect_issued("a late retry", &late.job, SG_JOB_REPEATED);
    assert_int_equal(tries_left(ca, &held), 3);
}

static void what_a_ticket_is_refused_for(void **state)
{
    struct ca *ca = *state;
    const struct held alices = ticket_of(ca, "people", "alice");
    const struct held device =
        make_ticket(ca, (struct sg_ticket_order){.policy = "device-mtls", .device = "device-AB12"});
    const struct held dropped = ticket_of(ca, "people", "bob");
    const struct held expired = make_ticket(
        ca, (struct sg_ticket_order){.policy = "people", .user = "bob", .lifetime_s = 60});
    const struct {
        const char *name, *policy, *cn;
        struct sg_evidence evidence;
        int64_t later_s;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"nothing", "people", "alice", {0}, 0, SG_UNAUTHENTICATED, "certifies a user and none"},
        {"no ticket",
         "people",
         "alice",
         {.ticket = "00112233445566778899aabbccddeeff"},
         0,
         SG_UNAUTHENTICATED,
         "no such ticket"},
        {"rubbish", "people", "alice", {.ticket = "zz"}, 0, SG_UNAUTHENTICATED, "no such ticket"},
        {"too short",
         "people",
         "alice",
         {.ticket = "0011"},
         0,
         SG_UNAUTHENTICATED,
         "no such ticket"},
        {"empty", "people", "alice", {.ticket = ""}, 0, SG_UNAUTHENTICATED, "no such ticket"},
        {"another policy", "device-mtls", "device-AB12", by(&alices, PIN), 0, SG_UNAUTHENTICATED,
         "is for policy people, not for device-mtls"},
        {"A's ticket with B's request", "people", "bob", by(&alices, PIN), 0, SG_REFUSED, "bob"},
        {"another device's request", "device-mtls", "device-CD34", by(&device, NULL), 0, SG_REFUSED,
         "device-CD34"},
        {"no PIN", "people", "alice", by(&alices, NULL), 0, SG_UNAUTHENTICATED,
         "the PIN of user alice is missing"},
        {"wrong PIN", "people", "alice", by(&alices, WRONG_PIN), 0, SG_UNAUTHENTICATED,
         "not the PIN of user alice"},
        {"dropped", "people", "bob", by(&dropped, PIN), 0, SG_UNAUTHENTICATED, "was dropped"},
        {"expired", "people", "bob", by(&expired, PIN), 61, SG_UNAUTHENTICATED, "has expired"},
    };
    struct sg_error error = {0};

    choose_pin(ca, "alice");
    choose_pin(ca, "bob");
    expect_success("drop", sg_store_drop_ticket(sg_home_store(ca->home), dropped.id, &error),
                   &error);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ca_order) struct ca_order order = {0};

        ca->now = NOW + CASES[i].later_s;
        ask(ca, CASES[i].policy, NULL, CASES[i].cn, CASES[i].evidence, &order);
        expect_refused(CASES[i].name, &order.job, CASES[i].code, CASES[i].part);
    }
    ca->now = NOW;
    assert_int_equal(state_of(ca, &alices), SG_TICKET_OPEN);
    assert_int_equal(state_of(ca, &device), SG_TICKET_OPEN);
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 1); /* the root alone */
}

static void whoever_is_disabled_has_no_use_for_a_ticket(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    const struct held held = ticket_of(ca, "people", "alice");
    struct sg_error error = {0};

    choose_pin(ca, "alice");
    expect_success(
        "disable",
        sg_store_set_disabled(sg_home_store(ca->home), SG_REGISTRY_USER, "alice", true, &error),
        &error);
    ask(ca, "people", NULL, "alice", by(&held, PIN), &order);
    expect_refused("disabled", &order.job, SG_UNAUTHENTICATED, "alice is disabled");
}

/* Beside a ticket the operator can name nobody else. */
static void nobody_else_is_named(void **state)
{
    struct ca *ca = *state;
    const struct held held = ticket_of(ca, "people", "alice");
    struct sg_issuing issuing = ca_issuing(ca, "people");
    struct sg_error error = {0};

    choose_pin(ca, "alice");
    issuing.pins = pins_of(ca);
    for (int i = 0; i < 3; i++) {
        sg_auto(ca_order) struct ca_order order = {0};

        ca_order(&order, NULL, "alice");
        order.job.evidence = by(&held, PIN);
        order.job.user = i == 0 ? "bob" : "alice";
        order.job.device = i == 1 ? "device-AB12" : NULL;
        expect_success("issue", sg_issue(&issuing, &order.job, 1, &error), &error);
        if (i == 0)
            expect_refused("bob", &order.job, SG_UNAUTHENTICATED,
                           "user bob is named, and the ticket is for alice");
        else if (i == 1)
            expect_refused("a device", &order.job, SG_UNAUTHENTICATED,
                           "device device-AB12 is named, and the ticket is for none");
        else
            expect_issued("the same", &order.job, SG_JOB_ISSUED);
    }
}

/* What is under way when a process dies is offered again, with the ticket that it had. */
static void a_crash_takes_nobodys_ticket(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order failed = {0}, again = {0}, other = {0};
    const struct held held = ticket_of(ca, "people", "alice");

    choose_pin(ca, "alice");
    pins_of(ca);
    setenv("ODD_SIGNATURE", "1", 1); /* the token signs wrongly: the claim is given up */
    {
        struct sg_issuing issuing = ca_issuing(ca, "people");
        struct sg_error error = {0};

        issuing.evidence = 0;
        issuing.pins = pins_of(ca);
        ca_order(&failed, NULL, "alice");
        failed.job.evidence = (struct sg_evidence){.ticket = held.text};
        /* without the PIN's check, which the same token would make wrongly */
        ca_sql(ca, "UPDATE ticket SET tries = NULL");
        expect_success("issue", sg_issue(&issuing, &failed.job, 1, &error), &error);
    }
    unsetenv("ODD_SIGNATURE");
    expect_refused("failed", &failed.job, SG_TOKEN, "");
    ask(ca, "people", NULL, "alice", by(&held, PIN), &other);
    expect_refused("another key", &other.job, SG_UNAUTHENTICATED, "has been used");
    ask(ca, "people", failed.key, "alice", by(&held, PIN), &again);
    expect_issued("the same key", &again.job, SG_JOB_ISSUED);
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 2);
}

static void which_tickets_are_made(void **state)
{
    struct ca *ca = *state;
    static const struct {
        const char *name;
        struct sg_ticket_order order;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"no such policy", {.policy = "nothing", .user = "alice"}, SG_USAGE, "no policy 'nothing'"},
        {"no tickets",
         {.policy = "first", .device = "device-AB12"},
         SG_REFUSED,
         "takes no tickets"},
        {"a CA", {.policy = "issuing-ca", .device = "device-AB12"}, SG_REFUSED, "takes no tickets"},
        {"no user", {.policy = "people", .device = "device-AB12"}, SG_USAGE, "say who"},
        {"no device", {.policy = "device-mtls", .user = "alice"}, SG_USAGE, "say which"},
        {"unknown", {.policy = "people", .user = "nobody"}, SG_UNAUTHENTICATED, "nobody"},
        {"too long",
         {.policy = "people", .user = "alice", .lifetime_s = 31 * DAY},
         SG_USAGE,
         "30 days at most"},
        {"too many tries",
         {.policy = "people", .user = "alice", .tries = 21},
         SG_USAGE,
         "1 to 20 tries"},
        {"a card without an id",
         {.policy = "people", .user = "alice", .token = ""},
         SG_USAGE,
         "a card's id has"},
        {"a card with a line",
         {.policy = "people", .user = "alice", .token = "a\nb"},
         SG_REFUSED,
         "the card's id"},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_ticket_order order = CASES[i].order;
        char text[SG_TICKET_TEXT_SIZE] = "untouched";
        struct sg_error error = {0};
        int64_t id = 0;
        bool made;

        order.made_by = "desk";
        made = sg_ticket_make(ca->home, &order, ca->now, text, &id, &error);
        if (made || strstr(error.text, CASES[i].part) == NULL ||
            (error.code != CASES[i].code && error.code != SG_MALFORMED))
            fail_msg("%s: %s: %s", CASES[i].name, sg_code_name(error.code), error.text);
        assert_string_equal(text, "untouched");
    }
    const struct held one = ticket_of(ca, "people", "alice"),
                      two = ticket_of(ca, "people", "alice");
    assert_int_equal(strlen(one.text), 32);
    assert_string_not_equal(one.text, two.text);
}

/* ---- PINs ---- */

static void tries_are_counted(void **state)
{
    struct ca *ca = *state;
    const struct held held = ticket_of(ca, "people", "alice"),
                      fresh = ticket_of(ca, "people", "alice");

    choose_pin(ca, "alice");
    for (int i = 2; i >= 0; i--) {
        sg_auto(ca_order) struct ca_order order = {0};
        ask(ca, "people", NULL, "alice", by(&held, WRONG_PIN), &order);
        expect_refused("wrong", &order.job, SG_UNAUTHENTICATED, "not the PIN");
        assert_int_equal(tries_left(ca, &held), i);
    }
    sg_auto(ca_order) struct ca_order late = {0}, good = {0};
    ask(ca, "people", NULL, "alice", by(&held, PIN), &late);
    expect_refused("right, too late", &late.job, SG_UNAUTHENTICATED, "no try of the PIN is left");
    /* nobody is locked out by another's ticket */
    ask(ca, "people", NULL, "alice", by(&fresh, PIN), &good);
    expect_issued("another ticket", &good.job, SG_JOB_ISSUED);
}

/* What stops the comparison costs nobody a try. */
static void what_is_not_compared_is_not_counted(void **state)
{
    struct ca *ca = *state;
    const struct held held = ticket_of(ca, "people", "alice");
    sg_auto(ca_order) struct ca_order none = {0}, broken = {0};

    ask(ca, "people", NULL, "alice", by(&held, PIN), &none);
    expect_refused("none chosen", &none.job, SG_UNAUTHENTICATED, "has no PIN yet");
    choose_pin(ca, "alice");
    setenv("ODD_SIGN_RV", "0x70", 1);
    ask(ca, "people", NULL, "alice", by(&held, PIN), &broken);
    unsetenv("ODD_SIGN_RV");
    expect_refused("token", &broken.job, SG_TOKEN, "makes no HMAC");
    assert_int_equal(tries_left(ca, &held), 3);
}

static void a_pin_is_chosen_by_ticket(void **state)
{
    struct ca *ca = *state;
    struct sg_store *store = sg_home_store(ca->home);
    const struct held held = make_ticket(
        ca, (struct sg_ticket_order){
                .policy = "people", .user = "alice", .device = "device-AB12", .lifetime_s = 60});
    const struct held device =
        make_ticket(ca, (struct sg_ticket_order){.policy = "device-mtls", .device = "device-AB12"});
    struct sg_pin_order order = {.hash = PIN, .now = NOW};
    sg_auto(sg_pin) struct sg_pin pin = {0};
    sg_auto(ca_order) struct ca_order asked = {0};
    struct sg_error error = {0};
    bool found = false;

    expect_failure("no ticket", sg_pin_choose_by_ticket(store, pins_of(ca), "1234", &order, &error),
                   &error, SG_UNAUTHENTICATED, "no such ticket");
    sg_error_clear(&error);
    expect_failure("no user's",
                   sg_pin_choose_by_ticket(store, pins_of(ca), device.text, &order, &error), &error,
                   SG_UNAUTHENTICATED, "wants no PIN");
    sg_error_clear(&error);
    order.now = NOW + 61;
    expect_failure("expired",
                   sg_pin_choose_by_ticket(store, pins_of(ca), held.text, &order, &error), &error,
                   SG_UNAUTHENTICATED, "is expired");
    sg_error_clear(&error);
    order.now = NOW;
    expect_success("choose", sg_pin_choose_by_ticket(store, pins_of(ca), held.text, &order, &error),
                   &error);
    expect_failure("again", sg_pin_choose_by_ticket(store, pins_of(ca), held.text, &order, &error),
                   &error, SG_REFUSED, "has a PIN");
    sg_error_clear(&error);
    expect_success("find", sg_store_find_pin(store, "alice", &found, &pin, NULL), &error);
    assert_true(found);
    assert_string_equal(pin.device, "device-AB12");
    ask(ca, "people", NULL, "alice", by(&held, PIN), &asked);
    expect_issued("with it", &asked.job, SG_JOB_ISSUED);
}

/* What is kept is neither the hash nor anything that two users or two choices share. */
static void what_is_kept_tells_nothing(void **state)
{
    struct ca *ca = *state;
    struct sg_store *store = sg_home_store(ca->home);
    sg_auto(sg_pin) struct sg_pin alices = {0};
    sg_auto(sg_pin) struct sg_pin bobs = {0};
    sg_auto(sg_pin) struct sg_pin anew = {0};
    struct sg_error error = {0};
    bool found = false, is_right = true;

    choose_pin(ca, "alice");
    choose_pin(ca, "bob");
    expect_success("alice", sg_store_find_pin(store, "alice", &found, &alices, &error), &error);
    expect_success("bob", sg_store_find_pin(store, "bob", &found, &bobs, &error), &error);
    expect_success("clear", sg_store_clear_pin(store, "alice", &error), &error);
    choose_pin(ca, "alice");
    expect_success("anew", sg_store_find_pin(store, "alice", &found, &anew, &error), &error);
    assert_memory_not_equal(alices.verifier, PIN, sizeof PIN);
    assert_memory_not_equal(alices.verifier, bobs.verifier, SG_SHA256_LEN);
    assert_memory_not_equal(alices.verifier, anew.verifier, SG_SHA256_LEN);
    assert_memory_equal(alices.key_check, bobs.key_check, SG_SHA256_LEN);
    /* moved to another user it is good for nothing */
    ca_sql(ca, "UPDATE pin SET salt = (SELECT salt FROM pin WHERE user = 'bob'), verifier ="
               " (SELECT verifier FROM pin WHERE user = 'bob') WHERE user = 'alice'");
    expect_success("moved", sg_pin_check(store, pins_of(ca), "alice", PIN, &is_right, &error),
                   &error);
    assert_false(is_right);
    expect_success("bob", sg_pin_check(store, pins_of(ca), "bob", PIN, &is_right, &error), &error);
    assert_true(is_right);
}

static void another_key_is_told_from_a_wrong_pin(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(sg_mac) struct sg_mac *other = NULL;
    struct sg_error error = {0};
    bool is_right = false;

    choose_pin(ca, "alice");
    token = ca_open_token(ca);
    expect_success("open", sg_mac_open(token, "pkcs11:object=others", &other, &error), &error);
    expect_failure("other",
                   sg_pin_check(sg_home_store(ca->home), other, "alice", PIN, &is_right, &error),
                   &error, SG_INVALID, "is kept under another key");
}

/* ---- renewal ---- */

static void a_certificate_vouches_for_its_successor(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, early = {0}, renewed = {0}, others = {0};

    ca_order(&first, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    ask(ca, "device-mtls", NULL, "device-AB12", shown(&first), &early);
    expect_refused("early", &early.job, SG_REFUSED, "can be renewed from");
    ca->now = NOW + 320 * DAY;
    ask(ca, "device-mtls", NULL, "device-CD34", shown(&first), &others);
    expect_refused("B's request by A's certificate", &others.job, SG_REFUSED, "device-CD34");
    ask(ca, "device-mtls", NULL, "device-AB12", shown(&first), &renewed);
    expect_issued("renewed", &renewed.job, SG_JOB_ISSUED);
    assert_string_equal(renewed.job.requester.device.id, "device-AB12");
    assert_int_equal(renewed.job.requester.evidence, SG_BY_RENEWAL);
}

static void revoke_order(struct ca *ca, const struct ca_order *order, enum sg_reason reason)
{
    struct sg_error error = {0};

    expect_success(
        "revoke",
        sg_store_revoke(sg_home_store(ca->home), order->job.claim, reason, ca->now, &error),
        &error);
}

static void issue_to(struct ca *ca, const char *user, struct ca_order *order)
{
    struct sg_issuing issuing = ca_issuing(ca, "people");
    struct sg_error error = {0};

    ca_order(order, NULL, user);
    order->job.user = user;
    expect_success(user, sg_issue(&issuing, &order->job, 1, &error), &error);
    expect_issued(user, &order->job, SG_JOB_ISSUED);
}

static void what_a_certificate_is_refused_for(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order device = {0}, person = {0}, revoked = {0}, held = {0};
    sg_auto(ca_order) struct ca_order disabled = {0};
    sg_auto(sg_buf) struct sg_buf forged = {0};
    struct sg_error error = {0};

    ca_order(&device, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &device);
    issue_to(ca, "alice", &person);
    issue_to(ca, "bob", &revoked);
    revoke_order(ca, &revoked, SG_REASON_KEY_COMPROMISE);
    issue_to(ca, "bob", &held);
    revoke_order(ca, &held, SG_REASON_CERTIFICATE_HOLD);
    ca_order(&disabled, NULL, "device-CD34");
    ca_issue(ca, "device-mtls", &disabled);
    expect_issued("last", &disabled.job, SG_JOB_ISSUED);
    expect_success("disable",
                   sg_store_set_disabled(sg_home_store(ca->home), SG_REGISTRY_DEVICE, "device-CD34",
                                         true, &error),
                   &error);
    expect_success("forge", sg_buf_set(&forged, sg_buf_slice(&device.job.certificate), &error),
                   &error);
    forged.data[forged.len - 1] ^= 1; /* in the signature */

    const struct {
        const char *name, *policy, *cn;
        struct sg_evidence evidence;
        int64_t now;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"rubbish", "people", "alice", {.certificate = sg_slice_text("x")}, NOW, SG_MALFORMED, ""},
        {"forged",
         "device-mtls",
         "device-AB12",
         {.certificate = sg_buf_slice(&forged)},
         NOW + 320 * DAY,
         SG_UNAUTHENTICATED,
         "was not issued here"},
        {"revoked", "people", "bob", shown(&revoked), NOW + 320 * DAY, SG_UNAUTHENTICATED,
         "is revoked"},
        {"held", "people", "bob", shown(&held), NOW + 320 * DAY, SG_UNAUTHENTICATED, "is held"},
        {"expired", "people", "alice", shown(&person), NOW + 366 * DAY, SG_UNAUTHENTICATED,
         "is expired"},
        {"of a policy that doesn't count", "people", "alice", shown(&device), NOW + 320 * DAY,
         SG_UNAUTHENTICATED, "vouches for nothing under people"},
        {"the root",
         "people",
         "alice",
         {.certificate = sg_buf_slice(&ca->root_der)},
         NOW,
         SG_UNAUTHENTICATED,
         "is no device's and no user's"},
        {"disabled", "device-mtls", "device-CD34", shown(&disabled), NOW + 320 * DAY,
         SG_UNAUTHENTICATED, "device-CD34 is disabled"},
    };
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ca_order) struct ca_order order = {0};

        ca->now = CASES[i].now;
        ask(ca, CASES[i].policy, NULL, CASES[i].cn, CASES[i].evidence, &order);
        expect_refused(CASES[i].name, &order.job, CASES[i].code, CASES[i].part);
    }
}

/* A policy may take certificates of another one; there is no window then. */
static void another_policys_certificate(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order birth = {0}, first = {0};

    ca_order(&birth, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &birth);
    ask(ca, "first", NULL, "device-AB12", shown(&birth), &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
}

static void ticket_and_certificate_are_one_holders(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order device = {0}, both = {0}, same = {0};
    const struct held other =
        make_ticket(ca, (struct sg_ticket_order){.policy = "device-mtls", .device = "device-CD34"});
    const struct held own =
        make_ticket(ca, (struct sg_ticket_order){
                            .policy = "device-mtls", .device = "device-AB12", .lifetime_s = DAY});

    ca_order(&device, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &device);
    ca->now = NOW + 60;
    ask(ca, "device-mtls", NULL, "device-AB12",
        (struct sg_evidence){.ticket = other.text,
                             .certificate = sg_buf_slice(&device.job.certificate)},
        &both);
    expect_refused("another's ticket", &both.job, SG_UNAUTHENTICATED, "not one device's or user's");
    ask(ca, "device-mtls", NULL, "device-AB12",
        (struct sg_evidence){.ticket = own.text,
                             .certificate = sg_buf_slice(&device.job.certificate)},
        &same);
    expect_refused("its own: unique", &same.job, SG_REFUSED, "it can be renewed from");
}

/* ---- many at once: each worker counts tries on a handle of its own ---- */

enum { MANY = 24 };

struct crowd {
    struct ca_order orders[MANY];
    struct held tickets[MANY];
    bool is_pulled;
    size_t num_issued, num_refused;
};

static bool pull(void *context, struct sg_job *jobs, size_t max, size_t *num, bool *end,
                 struct sg_error *error)
{
    struct crowd *crowd = context;

    (void)error;
    assert_true(max >= MANY);
    *num = crowd->is_pulled ? 0 : MANY;
    *end = true;
    for (size_t i = 0; i < *num; i++) {
        jobs[i].bytes = sg_buf_slice(&crowd->orders[i].der);
        jobs[i].evidence = by(&crowd->tickets[i], i % 3 == 0 ? WRONG_PIN : PIN);
    }
    crowd->is_pulled = true;
    return true;
}

static bool answer(void *context, const struct sg_job *jobs, size_t num, struct sg_error *error)
{
    struct crowd *crowd = context;

    (void)error;
    for (size_t i = 0; i < num; i++)
        if (i % 3 == 0) {
            expect_refused("wrong PIN", &jobs[i], SG_UNAUTHENTICATED, "not the PIN");
            crowd->num_refused++;
        } else {
            expect_issued("right PIN", &jobs[i], SG_JOB_ISSUED);
            crowd->num_issued++;
        }
    return true;
}

static void many_at_once(void **state)
{
    struct ca *ca = *state;
    struct crowd crowd = {.is_pulled = false};
    struct sg_issuing issuing = ca_issuing(ca, "people");
    const struct sg_pipeline_ends ends = {.pull = pull, .answer = answer, .context = &crowd};
    struct sg_error error = {0};

    choose_pin(ca, "alice");
    for (size_t i = 0; i < MANY; i++) {
        ca_order(&crowd.orders[i], NULL, "alice");
        crowd.tickets[i] = ticket_of(ca, "people", "alice");
    }
    issuing.evidence = 0;
    issuing.pins = pins_of(ca);
    {
        sg_auto(sg_pipeline) struct sg_pipeline *pipeline = NULL;
        expect_success("start", sg_pipeline_start(&issuing, 4, &pipeline, &error), &error);
        expect_success("run", sg_pipeline_run(pipeline, &ends, &error), &error);
    }
    assert_int_equal(crowd.num_refused, MANY / 3);
    assert_int_equal(crowd.num_issued, MANY - MANY / 3);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(tries_left(ca, &crowd.tickets[i]), i % 3 == 0 ? 2 : 3);
        ca_order_done(&crowd.orders[i]);
    }
}

/* ---- approval ---- */

static void an_officer_approves(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, early = {0}, served = {0}, again = {0};
    const struct held held = ticket_of(ca, "cards", "alice");
    struct sg_error error = {0};

    choose_pin(ca, "alice");
    ask(ca, "cards", NULL, "alice", by(&held, PIN), &first);
    expect_refused("waits", &first.job, SG_REFUSED, "waits for the approval by officer");
    assert_true(first.job.waits_for > 0);
    assert_int_equal(state_of(ca, &held), SG_TICKET_WAITING);
    ca->now += DAY; /* longer than the ticket is good for */
    ask(ca, "cards", first.key, "alice", by(&held, PIN), &early);
    assert_int_equal(early.job.waits_for, first.job.waits_for);
    expect_failure("who gave out the ticket",
                   sg_store_approve(sg_home_store(ca->home), first.job.waits_for,
                                    &(struct sg_approval_decision){
                                        .by = "desk", .role = "officer", .now = ca->now},
                                    &error),
                   &error, SG_REFUSED, "somebody else has to decide");
    sg_error_clear(&error);
    expect_success("approve",
                   sg_store_approve(sg_home_store(ca->home), first.job.waits_for,
                                    &(struct sg_approval_decision){
                                        .by = "olga", .role = "officer", .now = ca->now},
                                    &error),
                   &error);
    ask(ca, "cards", first.key, "alice", by(&held, PIN), &served);
    expect_issued("approved", &served.job, SG_JOB_ISSUED);
    assert_int_equal(served.job.waits_for, 0);
    assert_int_equal(state_of(ca, &held), SG_TICKET_SPENT);
    ask(ca, "cards", first.key, "alice", by(&held, PIN), &again);
    expect_issued("a retry", &again.job, SG_JOB_REPEATED);
}

/* The PIN is asked for each time, and strangers fill nothing. */
static void only_who_is_known_waits(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order stranger = {0}, wrong = {0};
    const struct held held = ticket_of(ca, "cards", "alice");

    choose_pin(ca, "alice");
    ask(ca, "cards", NULL, "alice", (struct sg_evidence){0}, &stranger);
    expect_refused("stranger", &stranger.job, SG_UNAUTHENTICATED, "");
    assert_int_equal(stranger.job.waits_for, 0);
    ask(ca, "cards", NULL, "alice", by(&held, WRONG_PIN), &wrong);
    expect_refused("wrong PIN", &wrong.job, SG_UNAUTHENTICATED, "not the PIN");
    assert_int_equal(wrong.job.waits_for, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, ca_remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_gets_one_certificate),
        TEST(what_a_ticket_is_refused_for),
        TEST(whoever_is_disabled_has_no_use_for_a_ticket),
        TEST(nobody_else_is_named),
        TEST(a_crash_takes_nobodys_ticket),
        TEST(which_tickets_are_made),
        TEST(tries_are_counted),
        TEST(what_is_not_compared_is_not_counted),
        TEST(a_pin_is_chosen_by_ticket),
        TEST(what_is_kept_tells_nothing),
        TEST(another_key_is_told_from_a_wrong_pin),
        TEST(a_certificate_vouches_for_its_successor),
        TEST(what_a_certificate_is_refused_for),
        TEST(another_policys_certificate),
        TEST(ticket_and_certificate_are_one_holders),
        TEST(many_at_once),
        TEST(an_officer_approves),
        TEST(only_who_is_known_waits),
    };
    return cmocka_run_group_tests(tests, make_token, ca_remove_token);
}
