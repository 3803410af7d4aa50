#include "store_fixture.h"

#include <signal.h>

#include "base/clock.h"
#include "store/approvals.h"
#include "store/dump.h"
#include "store/pins.h"
#include "store/status.h"
#include "store/summary.h"
#include "store/tickets.h"

enum { MAX_LINES = 128, LATER = NOW + DAY };

/* The lines of a dump. */
struct lines {
    struct {
        char table[32], *text;
    } at[MAX_LINES];
    size_t num;
};

static struct lines lines, again;

static bool keep_line(const char *table, struct sg_slice line, void *context,
                      struct sg_error *error)
{
    struct lines *kept = context;
    (void)error;
    assert_true(kept->num < MAX_LINES);
    (void)snprintf(kept->at[kept->num].table, sizeof kept->at[0].table, "%s", table);
    kept->at[kept->num++].text = strndup((const char *)line.data, line.len);
    return true;
}

static void forget(struct lines *kept)
{
    for (size_t i = 0; i < kept->num; i++)
        free(kept->at[i].text);
    kept->num = 0;
}

static void dump(struct sg_store *store, struct lines *into)
{
    struct sg_error error = {0};
    forget(into);
    expect_success("dump", sg_store_dump(store, keep_line, into, &error), &error);
}

/* What a loader does after the lines. */
struct loading {
    const struct lines *lines;
    bool (*then)(struct sg_store *store, struct sg_error *error);
    bool fail, die;
};

static bool fill(struct sg_store *store, void *context, struct sg_error *error)
{
    const struct loading *loading = context;
    for (size_t i = 0; i < loading->lines->num; i++)
        if (!sg_load_row(store, loading->lines->at[i].table,
                         sg_slice_text(loading->lines->at[i].text), error))
            return false;
    if (loading->die)
        (void)raise(SIGKILL);
    return loading->then == NULL || loading->then(store, error);
}

static bool settle(void *context, struct sg_error *error)
{
    const struct loading *loading = context;
    return !loading->fail || sg_fail(error, SG_FAILED, NULL, "it does not settle");
}

static bool load(const char *location, const char *folder, struct loading *loading,
                 struct sg_error *error)
{
    const struct sg_loader loader = {fill, settle, loading};
    return sg_store_load(location, folder, &loader, error);
}

/* A second folder, and on PostgreSQL a second schema. */
static const char *make_place(char folder[64], char location[LOCATION_SIZE])
{
    make_folder(folder);
    if (is_on_postgres())
        make_schema(folder);
    return store_location(folder, location);
}

static struct sg_store *load_after(bool (*then)(struct sg_store *, struct sg_error *),
                                   char folder[64])
{
    char location[LOCATION_SIZE];
    struct loading loading = {.lines = &lines, .then = then};
    struct sg_error error = {0};
    expect_success("load", load(make_place(folder, location), folder, &loading, &error), &error);
    return open_store(folder, SG_STORE_OPEN);
}

/* Something in every table. */
static int set_up_full(void **state)
{
    (void)set_up(state);
    struct fixture *fixture = *state;
    const uint8_t blocked[1][SG_SHA256_LEN] = {{66}};
    size_t num_new = 0;
    struct sg_error error = {0};
    issue(fixture, &(struct ask){.device = "d1", .serial = 1, .key = 1});
    const int64_t revoked = issue(fixture, &(struct ask){.user = "u1", .serial = 2, .key = 2});
    const int64_t held = issue(fixture, &(struct ask){.device = "d3", .serial = 3, .key = 3});
    (void)claim_one(fixture, fixture->store, &(struct ask){.device = "d2", .serial = 4, .key = 4});
    expect_success("revoke",
                   sg_store_revoke(fixture->store, revoked, SG_REASON_SUPERSEDED, NOW, &error),
                   &error);
    expect_success("hold",
                   sg_store_revoke(fixture->store, held, SG_REASON_CERTIFICATE_HOLD, NOW, &error),
                   &error);
    expect_success("block", sg_store_block_keys(fixture->store, blocked, 1, NOW, &num_new, &error),
                   &error);
    expect_success("intent",
                   sg_store_intend_request(fixture->store, fixture->issuer,
                                           sg_slice_text("a request"), NOW, &error),
                   &error);
    (void)claim_one(
        fixture, fixture->store,
        &(struct ask){
            .device = "d4", .serial = 5, .key = 5, .approver = "officer", .asked_by = "somebody"});
    change_store(fixture, "INSERT INTO event (id, moment, what) VALUES (1, 5, 'it rained ünder');"
                          "INSERT INTO supersedes (claim, previous, reason) VALUES (2, 1, 4);"
                          "INSERT INTO pin (\"user\", chosen, salt, verifier, key_check)"
                          " VALUES ('u1', 5, x'00', x'0102', x'ff');"
                          "INSERT INTO ticket (id, sha256, policy, device, made, made_by,"
                          " not_after) VALUES (7, x'0a0b', 'mtls', 'd1', 5, 'me', 9);"
                          "INSERT INTO crl (issuer, number, this_update, next_update, sha256,"
                          " sha384, sha512, recorded, der)"
                          " VALUES (1, 3, 5, 9, x'01', x'02', x'03', 1, x'3003');"
                          "INSERT INTO crl_expired (issuer, number, claim) VALUES (1, 3, 2)");
    dump(fixture->store, &lines);
    return 0;
}

static int tear_down_full(void **state)
{
    forget(&lines);
    forget(&again);
    return tear_down(state);
}

static void expect_same(const struct lines *a, const struct lines *b)
{
    assert_int_equal(a->num, b->num);
    for (size_t i = 0; i < a->num; i++) {
        assert_string_equal(a->at[i].table, b->at[i].table);
        assert_string_equal(a->at[i].text, b->at[i].text);
    }
}

static void test_the_same_again(void **state)
{
    struct fixture *fixture = *state;
    char folder[64];
    static const char *const TABLES[] = {
        "issuer",     "registry", "claim",       "pending",        "certificate", "supersedes",
        "revocation", "crl",      "crl_expired", "request_intent", "blocked_key", "approval",
        "ticket",     "pin",      "event",       "counter"};
    for (size_t i = 0; i < NUM(TABLES); i++) {
        size_t at = 0;
        while (at < lines.num && strcmp(lines.at[at].table, TABLES[i]) != 0)
            at++;
        if (at == lines.num)
            fail_msg("no row of %s", TABLES[i]);
    }
    struct sg_store *loaded = load_after(NULL, folder);
    dump(loaded, &again);
    expect_same(&lines, &again);
    expect_status(loaded, 1, NOW, SG_STATUS_VALID);
    expect_status(loaded, 2, NOW, SG_STATUS_REVOKED);
    expect_status(loaded, 3, NOW, SG_STATUS_HELD);
    /* its owner lives, but is no owner there */
    expect_status(fixture->store, 4, NOW, SG_STATUS_IN_FLIGHT);
    expect_status(loaded, 4, NOW, SG_STATUS_ORPHANED);
    /* what counts goes on behind what was loaded */
    struct fixture other = *fixture;
    other.store = loaded;
    issue(&other, &(struct ask){.device = "d1", .serial = 9, .key = 9});
    assert_int_equal(add_issuer(loaded, "next", 9), 2);
    sg_store_close(loaded);
    remove_folder(folder);
}

/* PostgreSQL's lines make a file, and the file's lines are the same. */
static void test_another_engine(void **state)
{
    (void)state;
    char folder[64];
    struct loading loading = {.lines = &lines};
    struct sg_store *store = NULL;
    struct sg_error error = {0};
    make_folder(folder);
    expect_success("load", load("sqlite:other.db", folder, &loading, &error), &error);
    expect_success("open", sg_store_open("sqlite:other.db", folder, SG_STORE_OPEN, &store, &error),
                   &error);
    dump(store, &again);
    expect_same(&lines, &again);
    expect_status(store, 3, NOW, SG_STATUS_HELD);
    sg_store_close(store);
    remove_folder(folder);
}

/* ---- what goes wrong leaves nothing ---- */

static void expect_nothing(char folder[64])
{
    char path[128];
    if (is_on_postgres()) {
        assert_int_equal(
            ask_postgres(folder,
                         "SELECT count(*) FROM pg_class"
                         " WHERE relnamespace = quote_ident(current_schema())::regnamespace"),
            0);
        return;
    }
    (void)snprintf(path, sizeof path, "rmdir %s", folder);
    assert_int_equal(system(path), 0);
    make_folder(folder);
}

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        const char *table, *line, *part;
        enum sg_code code;
    } CASES[] = {
        {"song", "[1]", "no table 'song'", SG_INVALID},
        {"event", "[1, 5", "no list of 3 columns", SG_INVALID},
        {"event", "[1, 5]", "no list of 3 columns", SG_INVALID},
        {"event", "{}", "no list of 3 columns", SG_INVALID},
        {"event", "[\"1\", 5, \"x\"]", "column 1 is of another kind", SG_INVALID},
        {"event", "[9, 5, 7]", "column 3 is of another kind", SG_INVALID},
        {"blocked_key", "[\"YQ\", 5]", "column 1 is not base64", SG_INVALID},
        {"blocked_key", "[\"Y!==\", 5]", "column 1 is not base64", SG_INVALID},
    };
    for (size_t i = 0; i < NUM(CASES); i++) {
        char folder[64], location[LOCATION_SIZE];
        static struct lines wrong;
        struct loading loading = {.lines = &wrong};
        struct sg_error error = {0};
        (void)keep_line(CASES[i].table, sg_slice_text(CASES[i].line), &wrong, &error);
        expect_failure(CASES[i].line, load(make_place(folder, location), folder, &loading, &error),
                       &error, CASES[i].code, CASES[i].part);
        expect_nothing(folder);
        remove_folder(folder);
        forget(&wrong);
    }
}

static void test_what_does_not_settle(void **state)
{
    (void)state;
    char folder[64], location[LOCATION_SIZE];
    struct loading loading = {.lines = &lines, .fail = true};
    struct sg_error error = {0};
    expect_failure("load", load(make_place(folder, location), folder, &loading, &error), &error,
                   SG_FAILED, "it does not settle");
    expect_nothing(folder);
    remove_folder(folder);
}

static void test_never_over_a_store(void **state)
{
    struct fixture *fixture = *state;
    char location[LOCATION_SIZE];
    struct loading loading = {.lines = &lines};
    struct sg_error error = {0};
    expect_failure(
        "load", load(store_location(fixture->folder, location), fixture->folder, &loading, &error),
        &error, SG_STORE, "never replaced");
    expect_status(fixture->store, 1, NOW, SG_STATUS_VALID);
}

struct place {
    char folder[64], location[LOCATION_SIZE];
};

static int load_and_die(void *context)
{
    const struct place *place = context;
    struct loading loading = {.lines = &lines, .die = true};
    return load(place->location, place->folder, &loading, NULL) ? 0 : 1;
}

/* Killed in the middle, it leaves no store; the next one makes it. */
static void test_killed(void **state)
{
    (void)state;
    struct place place;
    char location[LOCATION_SIZE];
    struct sg_store *store = NULL;
    struct loading loading = {.lines = &lines};
    struct sg_error error = {0};
    (void)snprintf(place.location, sizeof place.location, "%s", make_place(place.folder, location));
    const int status = in_child(load_and_die, &place);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_false(sg_store_open(place.location, place.folder, SG_STORE_OPEN, &store, &error));
    assert_int_equal(error.code, SG_STORE);
    sg_error_clear(&error);
    expect_success("load", load(place.location, place.folder, &loading, &error), &error);
    store = open_store(place.folder, SG_STORE_OPEN);
    expect_status(store, 2, NOW, SG_STATUS_REVOKED);
    sg_store_close(store);
    remove_folder(place.folder);
}

/* ---- what came later ---- */

static const uint8_t ISSUER[SG_SHA256_LEN] = {1, ISSUER_KEY};
static struct sg_load_kept kept;

static bool keep(struct sg_store *store, uint8_t serial, enum sg_reason reason,
                 struct sg_error *error)
{
    const struct sg_revoked revoked = {
        .serial = {.bytes = {1, serial}, .len = 2}, .revoked = LATER, .reason = reason};
    return sg_load_keep_revoked(store, ISSUER, &revoked, &kept, error);
}

static bool keep_several(struct sg_store *store, struct sg_error *error)
{
    return keep(store, 1, SG_REASON_KEY_COMPROMISE, error) &&         /* was valid */
           keep(store, 2, SG_REASON_SUPERSEDED, error) &&             /* is revoked */
           keep(store, 3, SG_REASON_CESSATION_OF_OPERATION, error) && /* was held */
           keep(store, 4, SG_REASON_KEY_COMPROMISE, error) &&         /* was in flight */
           keep(store, 40, SG_REASON_AFFILIATION_CHANGED, error) &&   /* never heard of */
           keep(store, 41, SG_REASON_CERTIFICATE_HOLD, error) &&
           keep(store, 41, SG_REASON_CERTIFICATE_HOLD, error);
}

struct listed {
    struct sg_revoked at[16];
    size_t num;
};

static bool add_listed(void *context, const struct sg_revoked *revoked, struct sg_error *error)
{
    struct listed *listed = context;
    (void)error;
    assert_true(listed->num < NUM(listed->at));
    listed->at[listed->num++] = *revoked;
    return true;
}

static bool finish_list(void *context, uint64_t number, struct sg_slice *to_be_signed,
                        struct sg_error *error)
{
    (void)context;
    (void)number;
    (void)error;
    *to_be_signed = sg_slice_text("a CRL");
    return true;
}

static uint64_t make_crl(struct sg_store *store, struct listed *listed)
{
    const struct sg_crl_builder builder = {add_listed, finish_list, listed};
    struct sg_error error = {0};
    uint64_t number = 0;
    expect_success("CRL",
                   sg_store_reserve_crl(store, 1, LATER, LATER + DAY, &builder, &number, &error),
                   &error);
    return number;
}

static enum sg_reason reason_of(const struct listed *listed, uint8_t serial)
{
    for (size_t i = 0; i < listed->num; i++)
        if (listed->at[i].serial.bytes[1] == serial)
            return listed->at[i].reason;
    fail_msg("serial %u is not listed", serial);
    return SG_REASON_UNSPECIFIED;
}

static void test_later_revocations(void **state)
{
    (void)state;
    char folder[64];
    struct listed listed = {0};
    struct sg_serial_status status = {0};
    int64_t generation = 0;
    const struct sg_serial unknown = {.bytes = {1, 40}, .len = 2};
    struct sg_error error = {0};
    kept = (struct sg_load_kept){0};
    struct sg_store *store = load_after(keep_several, folder);
    assert_int_equal(kept.num_known, 3);
    assert_int_equal(kept.num_unknown, 2);
    (void)make_crl(store, &listed);
    assert_int_equal(listed.num, 6);
    assert_int_equal(reason_of(&listed, 1), SG_REASON_KEY_COMPROMISE);
    assert_int_equal(reason_of(&listed, 2), SG_REASON_SUPERSEDED);
    assert_int_equal(reason_of(&listed, 3), SG_REASON_CESSATION_OF_OPERATION);
    assert_int_equal(reason_of(&listed, 4), SG_REASON_KEY_COMPROMISE);
    assert_int_equal(reason_of(&listed, 40), SG_REASON_AFFILIATION_CHANGED);
    assert_int_equal(reason_of(&listed, 41), SG_REASON_UNSPECIFIED); /* nobody can release it */
    expect_success(
        "status",
        sg_store_serial_statuses(store, 1, &unknown, 1, LATER, &status, &generation, &error),
        &error);
    assert_true(status.known && status.status == SG_STATUS_ORPHANED);
    assert_int_equal(status.reason, SG_REASON_AFFILIATION_CHANGED);
    assert_int_equal(status.revoked, LATER);
    /* for ever */
    listed.num = 0;
    (void)make_crl(store, &listed);
    assert_int_equal(listed.num, 6);
    sg_store_close(store);
    remove_folder(folder);
}

static bool raise_by(struct sg_store *store, struct sg_error *error)
{
    return sg_load_raise_crl_numbers(store, 5000, 0, LATER, NULL, NULL, error) &&
           sg_load_note(store, LATER, "it was loaded", error);
}
static bool raise_to(struct sg_store *store, struct sg_error *error)
{
    return sg_load_raise_crl_numbers(store, 5000, 70000, LATER, NULL, NULL, error);
}
static bool raise_too_far(struct sg_store *store, struct sg_error *error)
{
    return sg_load_raise_crl_numbers(store, INT64_MAX, 0, LATER, NULL, NULL, error);
}
static bool know_a_crl(struct sg_store *store, struct sg_error *error)
{
    const struct sg_stored_crl crl = {900, NOW, LATER, sg_slice_text("a later CRL")};
    return sg_load_keep_crl(store, "issuing", ISSUER, &crl, sg_slice_text("its bytes"), error) &&
           sg_load_keep_crl(store, "issuing", ISSUER, &crl, sg_slice_text("its bytes"), error) &&
           sg_load_raise_crl_numbers(store, 1, 0, LATER, NULL, NULL, error);
}

static bool expect_later_crl(const struct sg_stored_crl *crl, void *context, struct sg_error *error)
{
    (void)context;
    (void)error;
    assert_int_equal(crl->number, 900);
    assert_true(sg_slice_equal(crl->der, sg_slice_text("a later CRL")));
    return true;
}

static void test_crl_numbers(void **state)
{
    (void)state;
    static const struct {
        bool (*then)(struct sg_store *store, struct sg_error *error);
        uint64_t number;
    } CASES[] = {{NULL, 4}, {raise_by, 5004}, {raise_to, 70000}, {know_a_crl, 902}};
    for (size_t i = 0; i < NUM(CASES); i++) {
        char folder[64];
        struct listed listed = {0};
        struct sg_error error = {0};
        struct sg_store *store = load_after(CASES[i].then, folder);
        if (CASES[i].then == know_a_crl)
            expect_success("publish",
                           sg_store_publish_crl(store, 1, expect_later_crl, NULL, &error), &error);
        assert_int_equal(make_crl(store, &listed), CASES[i].number);
        sg_store_close(store);
        remove_folder(folder);
    }
    char folder[64], location[LOCATION_SIZE];
    struct loading loading = {.lines = &lines, .then = raise_too_far};
    struct sg_error error = {0};
    expect_failure("too far", load(make_place(folder, location), folder, &loading, &error), &error,
                   SG_FAILED, "can't be raised");
    remove_folder(folder);
}

/* ---- another store ---- */

static struct sg_store *other;

static bool keep_from_other(struct sg_store *store, struct sg_error *error)
{
    kept = (struct sg_load_kept){0};
    return sg_load_keep_from(store, other, &kept, error) &&
           sg_load_raise_crl_numbers(store, 1, 0, LATER, NULL, NULL, error);
}

/* The lines are older than the store that they are of: what it has revoked since stays revoked. */
static void test_what_another_store_knows(void **state)
{
    struct fixture *fixture = *state;
    char folder[64];
    struct listed listed = {0};
    struct sg_error error = {0};
    const int64_t late = issue(fixture, &(struct ask){.device = "d2", .serial = 50, .key = 50});
    const int64_t held = issue(fixture, &(struct ask){.device = "d2", .serial = 51, .key = 51});
    issue(fixture, &(struct ask){.device = "d2", .serial = 52, .key = 52});
    expect_success("late",
                   sg_store_revoke(fixture->store, late, SG_REASON_KEY_COMPROMISE, LATER, &error),
                   &error);
    expect_success("held",
                   sg_store_revoke(fixture->store, held, SG_REASON_CERTIFICATE_HOLD, LATER, &error),
                   &error);
    expect_success("early", sg_store_revoke(fixture->store, 1, SG_REASON_SUPERSEDED, LATER, &error),
                   &error);
    change_store(fixture, "INSERT INTO crl (issuer, number, this_update, next_update, sha256,"
                          " sha384, sha512) VALUES (1, 77, 5, 9, x'01', x'02', x'03')");
    other = fixture->store;
    struct sg_store *store = load_after(keep_from_other, folder);
    assert_int_equal(kept.num_known, 1);
    assert_int_equal(kept.num_unknown, 2);
    expect_status(store, 1, LATER, SG_STATUS_REVOKED);
    expect_status(store, 50, LATER, SG_STATUS_REVOKED);
    expect_status(store, 51, LATER, SG_STATUS_HELD);
    const struct sg_serial unrevoked = {.bytes = {1, 52}, .len = 2};
    assert_int_equal(
        look(store, (struct sg_certificate_filter){.serial = &unrevoked, .now = LATER}).num, 0);
    assert_int_equal(make_crl(store, &listed), 79);
    assert_int_equal(reason_of(&listed, 50), SG_REASON_KEY_COMPROMISE);
    /* its key is nobody's any more */
    struct fixture there = *fixture;
    there.store = store;
    const struct sg_claim claim =
        claim_one(&there, store, &(struct ask){.device = "d2", .serial = 60, .key = 50});
    assert_int_equal(claim.error.code, SG_KEY_QUALITY);
    sg_store_close(store);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_same_again, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_another_engine, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_failures, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_what_does_not_settle, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_never_over_a_store, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_killed, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_later_revocations, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_crl_numbers, set_up_full, tear_down_full),
        cmocka_unit_test_setup_teardown(test_what_another_store_knows, set_up_full, tear_down_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
