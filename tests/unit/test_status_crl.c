#include "ca_fixture.h"

#include "cert/cert.h"
#include "cert/crl.h"
#include "status/status.h"
#include "store/sqlite.h"

/* Short-lived, so that certificates expire before the root does. */
static const char LINE[] = "policy: line\n"
                           "description: Devices that the line's operator brings\n"
                           "who: {any: [operator], unknown_device: register}\n"
                           "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                           "subject: [{CN: '${device.id}'}]\n"
                           "validity: {for: 10d}\n"
                           "unique: device\n";

enum { WEEK = 7 * DAY };

static int make_home(void **state)
{
    ca_make_home(state);
    ca_put_policy(*state, "line", LINE);
    return 0;
}

/* ---- making and reading ---- */

struct made {
    struct sg_buf der;
    struct sg_crl_summary summary;
    X509_CRL *crl;
};

static void made_done(struct made *made)
{
    sg_buf_free(&made->der);
    X509_CRL_free(made->crl);
}
SG_DEFINE_CLEANUP_IN_PLACE(made, made_done)

static void expect_signed_by_root(const struct ca *ca, X509_CRL *crl)
{
    sg_auto(X509) X509 *root = NULL;
    struct sg_error error = {0};

    expect_success("root", sg_cert_read(sg_buf_slice(&ca->root_der), "root", &root, &error),
                   &error);
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(root)), 0);
}

static void make(struct ca *ca, int64_t lifetime_s, struct made *made)
{
    struct sg_error error = {0};

    expect_success("CRL",
                   sg_status_crl(ca->home, ca->issuer, lifetime_s, ca->now, &made->der,
                                 &made->summary, &error),
                   &error);
    expect_success("CRL", sg_crl_read(sg_buf_slice(&made->der), "CRL", &made->crl, &error), &error);
    expect_signed_by_root(ca, made->crl);
}

static int64_t number_in(X509_CRL *crl)
{
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *number =
        X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

    assert_non_null(number);
    return ASN1_INTEGER_get(number);
}

static size_t num_entries(X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);

    return entries == NULL ? 0 : (size_t)sk_X509_REVOKED_num(entries);
}

/* The entry of a serial number, or NULL. */
static X509_REVOKED *find(const struct made *made, const struct sg_serial *serial)
{
    sg_auto(BIGNUM) BIGNUM *number = BN_bin2bn(serial->bytes, (int)serial->len, NULL);
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *wanted = BN_to_ASN1_INTEGER(number, NULL);
    X509_REVOKED *entry = NULL;

    /* 2 is removeFromCRL, which never occurs */
    assert_int_not_equal(X509_CRL_get0_by_serial(made->crl, &entry, wanted), 2);
    return entry;
}

static void expect_listed(const char *name, const struct made *made, const struct sg_serial *serial,
                          enum sg_reason wanted, int64_t revoked)
{
    X509_REVOKED *entry = find(made, serial);
    int critical = 0;

    if (entry == NULL)
        fail_msg("%s: is not on CRL %llu", name, (unsigned long long)made->summary.number);
    sg_auto(ASN1_STRING) ASN1_ENUMERATED *reason =
        X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
    if (wanted == SG_REASON_UNSPECIFIED ? reason != NULL
                                        : ASN1_ENUMERATED_get(reason) != (long)wanted)
        fail_msg("%s: is listed for another reason than %s", name, sg_reason_word(wanted));
    if (ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(entry), (time_t)revoked) != 0)
        fail_msg("%s: is listed with another date", name);
}

static void expect_unlisted(const char *name, const struct made *made,
                            const struct sg_serial *serial)
{
    if (find(made, serial) != NULL)
        fail_msg("%s: is on CRL %llu", name, (unsigned long long)made->summary.number);
}

static void issue(struct ca *ca, const char *cn, struct ca_order *order)
{
    ca_order(order, NULL, cn);
    ca_issue(ca, "line", order);
}

static void revoke_one(struct ca *ca, const struct sg_serial *serial, enum sg_reason reason)
{
    const struct sg_certificate_filter filter = {.serial = serial, .now = ca->now};
    struct sg_error error = {0};
    size_t num = 0;

    expect_success(
        "revoke", sg_status_revoke(sg_home_store(ca->home), &filter, reason, ca->now, &num, &error),
        &error);
    assert_int_equal(num, 1);
}

static void release_one(struct ca *ca, const struct sg_serial *serial)
{
    const struct sg_certificate_filter filter = {.serial = serial, .now = ca->now};
    struct sg_error error = {0};
    size_t num = 0;

    expect_success("release", sg_status_release(sg_home_store(ca->home), &filter, &num, &error),
                   &error);
    assert_int_equal(num, 1);
}

/* ---- what it says ---- */

static void an_empty_one(void **state)
{
    static const struct {
        const char *name;
        int64_t lifetime_s, next_update;
    } CASES[] = {
        {"as signet.yaml says", 0, NOW + WEEK},
        {"as asked for", DAY, NOW + DAY},
        {"a negative lifetime is none", -1, NOW + WEEK},
    };
    struct ca *ca = *state;

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(made) struct made made = {0};

        make(ca, CASES[i].lifetime_s, &made);
        assert_int_equal(num_entries(made.crl), 0);
        assert_int_equal(made.summary.num_entries, 0);
        assert_int_equal(made.summary.number, i + 1);
        assert_int_equal(number_in(made.crl), i + 1);
        assert_int_equal(made.summary.this_update, NOW);
        if (made.summary.next_update != CASES[i].next_update)
            fail_msg("%s: another nextUpdate", CASES[i].name);
        assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(made.crl), NOW), 0);
        assert_int_equal(
            ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(made.crl), (time_t)CASES[i].next_update),
            0);
        assert_true(X509_CRL_get_ext_by_NID(made.crl, NID_authority_key_identifier, -1) >= 0);
    }
}

/* It is good for no longer than its issuer. */
static void near_the_end_of_the_issuer(void **state)
{
    struct ca *ca = *state;
    const int64_t end = ca->issuer->facts.not_after;
    const struct {
        const char *name;
        int64_t now, lifetime_s, next_update; /* 0: refused */
    } cases[] = {
        {"as asked for", end - 3 * DAY, 2 * DAY, end - DAY},
        {"to the last second", end - 3 * DAY, 3 * DAY, end},
        {"a second longer", end - 3 * DAY, 3 * DAY + 1, 0},
        {"far too long", NOW, INT64_MAX, 0},
        {"the setting is cut", end - 3 * DAY, 0, end},
        {"after the end", end + 1, 0, end + 1 + WEEK},
        {"after the end, as asked for", end + 1, DAY, end + 1 + DAY},
    };

    for (size_t i = 0; i < NUM(cases); i++) {
        sg_auto(made) struct made made = {0};
        struct sg_error error = {0};
        const bool done = sg_status_crl(ca->home, ca->issuer, cases[i].lifetime_s, cases[i].now,
                                        &made.der, &made.summary, &error);

        if (cases[i].next_update == 0) {
            expect_failure(cases[i].name, done, &error, SG_USAGE, "longer than its issuer");
            continue;
        }
        expect_success(cases[i].name, done, &error);
        if (made.summary.next_update != cases[i].next_update)
            fail_msg("%s: nextUpdate is %lld s off", cases[i].name,
                     (long long)(made.summary.next_update - cases[i].next_update));
    }
}

/* ---- publishing ---- */

static bool take(struct sg_slice der, void *context, struct sg_error *error)
{
    struct sg_buf *taken = context;

    return sg_buf_set(taken, der, error);
}

static bool fail_to_write(struct sg_slice der, void *context, struct sg_error *error)
{
    (void)der;
    (void)context;
    return sg_fail(error, SG_FAILED, NULL, "no place for it");
}

/* Whoever made the first and comes last puts the second in place. */
static void the_latest_is_published(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    sg_auto(made) struct made first = {0}, second = {0}, third = {0};
    sg_auto(sg_buf) struct sg_buf taken = {0};
    struct sg_crl_summary summary = {.number = 77};
    struct sg_error error = {0};

    expect_failure("none yet",
                   sg_status_publish_crl(ca->home, ca->issuer, take, &taken, &summary, &error),
                   &error, SG_INTERNAL, "no CRL");
    sg_error_clear(&error);
    make(ca, DAY, &first);
    issue(ca, "device-0001", &order);
    revoke_one(ca, &order.job.serial, SG_REASON_SUPERSEDED);
    make(ca, 2 * DAY, &second);
    expect_failure(
        "disk full",
        sg_status_publish_crl(ca->home, ca->issuer, fail_to_write, NULL, &summary, &error), &error,
        SG_FAILED, "no place");
    assert_int_equal(summary.number, 77);
    sg_error_clear(&error);
    summary = first.summary;
    expect_success("publish",
                   sg_status_publish_crl(ca->home, ca->issuer, take, &taken, &summary, &error),
                   &error);
    assert_true(sg_slice_equal(sg_buf_slice(&taken), sg_buf_slice(&second.der)));
    assert_memory_equal(&summary, &second.summary, sizeof summary);
    make(ca, DAY, &third); /* the store is free again */
}

static void who_is_listed(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order good = {0}, stolen = {0}, gone = {0}, held = {0},
                                      orphan = {0};
    sg_auto(made) struct made made = {0};

    issue(ca, "device-0001", &good);
    issue(ca, "device-0002", &stolen);
    issue(ca, "device-0003", &gone);
    issue(ca, "device-0004", &held);
    setenv("ODD_SIGN_RV", "0x30", 1);
    issue(ca, "device-0005", &orphan);
    unsetenv("ODD_SIGN_RV");
    expect_refused("orphan", &orphan.job, SG_TOKEN, "");
    ca->now = NOW + DAY;
    revoke_one(ca, &stolen.job.serial, SG_REASON_KEY_COMPROMISE);
    revoke_one(ca, &gone.job.serial, SG_REASON_UNSPECIFIED);
    revoke_one(ca, &held.job.serial, SG_REASON_CERTIFICATE_HOLD);
    ca->now = NOW + 2 * DAY;
    make(ca, 0, &made);
    expect_unlisted("good", &made, &good.job.serial);
    expect_listed("stolen", &made, &stolen.job.serial, SG_REASON_KEY_COMPROMISE, NOW + DAY);
    expect_listed("gone", &made, &gone.job.serial, SG_REASON_UNSPECIFIED, NOW + DAY);
    expect_listed("held", &made, &held.job.serial, SG_REASON_CERTIFICATE_HOLD, NOW + DAY);
    expect_listed("orphan", &made, &orphan.job.serial, SG_REASON_UNSPECIFIED, NOW);
    assert_int_equal(num_entries(made.crl), 4);
    assert_int_equal(made.summary.num_entries, 4);
}

/* A claim that another process works on is not listed; once that process is gone, it is. */
static void a_claim_in_flight(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    sg_auto(made) struct made before = {0}, after = {0};

    ca_sql(ca, "CREATE TRIGGER refuse BEFORE INSERT ON certificate BEGIN"
               " SELECT RAISE(ABORT, 'no room'); END;"
               "CREATE TRIGGER keep BEFORE INSERT ON revocation BEGIN"
               " SELECT RAISE(ABORT, 'no room'); END");
    struct sg_issuing issuing = ca_issuing(ca, "line");
    struct sg_error error = {0};
    ca_order(&order, NULL, "device-0001");
    expect_failure("run", sg_issue(&issuing, &order.job, 1, &error), &error, SG_INTERNAL, "");
    ca_sql(ca, "DROP TRIGGER refuse; DROP TRIGGER keep");
    make(ca, 0, &before);
    expect_unlisted("in flight", &before, &order.job.serial);
    ca_reopen(ca);
    make(ca, 0, &after);
    expect_listed("orphan", &after, &order.job.serial, SG_REASON_UNSPECIFIED, NOW);
}

static void hold_and_release(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    sg_auto(made) struct made held = {0}, released = {0}, revoked = {0};

    issue(ca, "device-0001", &order);
    revoke_one(ca, &order.job.serial, SG_REASON_CERTIFICATE_HOLD);
    make(ca, 0, &held);
    expect_listed("held", &held, &order.job.serial, SG_REASON_CERTIFICATE_HOLD, NOW);
    release_one(ca, &order.job.serial);
    make(ca, 0, &released);
    expect_unlisted("released", &released, &order.job.serial);
    ca->now = NOW + DAY;
    revoke_one(ca, &order.job.serial, SG_REASON_SUPERSEDED);
    make(ca, 0, &revoked);
    expect_listed("revoked", &revoked, &order.job.serial, SG_REASON_SUPERSEDED, NOW + DAY);
    assert_int_equal(revoked.summary.number, held.summary.number + 2);
}

/* RFC 5280 3.3: on every CRL up to and with the first one after its expiry. */
static void the_expired_are_listed_once_more(void **state)
{
    static const struct {
        const char *name;
        int64_t now;
        bool signs, listed;
    } CASES[] = {
        {"in force", NOW + 9 * DAY, true, true},
        {"expired, but this CRL is never signed", NOW + 11 * DAY, false, false},
        {"expired", NOW + 12 * DAY, true, true},
        {"listed since", NOW + 13 * DAY, true, false},
    };
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};

    issue(ca, "device-0001", &order);
    revoke_one(ca, &order.job.serial, SG_REASON_KEY_COMPROMISE);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(made) struct made made = {0};
        struct sg_error error = {0};

        ca->now = CASES[i].now;
        if (!CASES[i].signs) {
            setenv("ODD_SIGN_RV", "0x30", 1);
            expect_failure(
                CASES[i].name,
                sg_status_crl(ca->home, ca->issuer, 0, ca->now, &made.der, &made.summary, &error),
                &error, SG_TOKEN, "");
            unsetenv("ODD_SIGN_RV");
            continue;
        }
        make(ca, 0, &made);
        if (CASES[i].listed)
            expect_listed(CASES[i].name, &made, &order.job.serial, SG_REASON_KEY_COMPROMISE, NOW);
        else
            expect_unlisted(CASES[i].name, &made, &order.job.serial);
    }
}

/* Two issuers share a store, and each lists its own. */
static void anothers_certificates(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    sg_auto(made) struct made made = {0};

    issue(ca, "device-0001", &order);
    revoke_one(ca, &order.job.serial, SG_REASON_KEY_COMPROMISE);
    ca_sql(ca, "INSERT INTO issuer (id, name, spki_sha256) VALUES (99, 'other', zeroblob(32));"
               "UPDATE claim SET issuer = 99 WHERE policy = 'line';"
               "UPDATE revocation SET issuer = 99");
    make(ca, 0, &made);
    expect_unlisted("another's", &made, &order.job.serial);
}

/* ---- failures ---- */

static bool has_reserved(struct ca *ca, int64_t number)
{
    sqlite3_stmt *statement = NULL;
    bool found;

    assert_int_equal(sqlite3_prepare_v2(sg_home_store(ca->home)->sqlite->db,
                                        "SELECT 1 FROM crl WHERE number = ?", -1, &statement, NULL),
                     SQLITE_OK);
    sqlite3_bind_int64(statement, 1, number);
    found = sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return found;
}

static void failures(void **state)
{
    static const struct {
        const char *name;
        const char *variable; /* of the token */
        const char *sql;      /* of the store */
        bool without_certificate;
        enum sg_code code;
        const char *part;
        bool reserved; /* the number is used up */
    } CASES[] = {
        {"token", "ODD_SIGN_RV", .code = SG_TOKEN, .part = "signet-test", .reserved = true},
        {"wrong signature", "ODD_SIGNATURE", .code = SG_TOKEN, .part = "does not verify",
         .reserved = true},
        {"reserving", .sql = "PRAGMA query_only=ON", .code = SG_STORE, .part = "store"},
        {"recording",
         .sql = "CREATE TRIGGER refuse BEFORE UPDATE ON crl BEGIN"
                " SELECT RAISE(ABORT, 'no room'); END",
         .code = SG_INTERNAL, .part = "no room", .reserved = true},
        /* the token would fail with SG_TOKEN: it was not asked */
        {"lint", "ODD_SIGN_RV", .sql = "UPDATE revocation SET reason = 7", .code = SG_INTERNAL,
         .part = "must not be signed"},
        {"no certificate yet", .without_certificate = true, .code = SG_INTERNAL,
         .part = "has no certificate"},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ca_order) struct ca_order order = {0};
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_crl_summary summary = {.number = 77};
        struct sg_error error = {0};
        struct ca *ca = *state;

        make_home(state);
        issue(ca, "device-0001", &order);
        revoke_one(ca, &order.job.serial, SG_REASON_KEY_COMPROMISE);
        struct sg_issuer *issuer = ca->issuer;
        if (CASES[i].without_certificate)
            expect_success("issuer",
                           sg_home_issuer(ca->home, NULL, SG_ISSUER_TO_CERTIFY, &issuer, &error),
                           &error);
        expect_success("der", sg_buf_set(&der, sg_slice_text("before"), &error), &error);
        if (CASES[i].variable != NULL)
            setenv(CASES[i].variable, "0x30", 1);
        if (CASES[i].sql != NULL)
            ca_sql(ca, CASES[i].sql);
        expect_failure(CASES[i].name,
                       sg_status_crl(ca->home, issuer, 0, NOW, &der, &summary, &error), &error,
                       CASES[i].code, CASES[i].part);
        assert_string_equal((const char *)der.data, "before");
        assert_int_equal(summary.number, 77);
        if (has_reserved(ca, 1) != CASES[i].reserved)
            fail_msg("%s: the number is used up, or not", CASES[i].name);
        ca_remove_home(state);
    }
}

/* What was signed and not recorded is not used again. */
static void a_number_is_used_once(void **state)
{
    struct ca *ca = *state;
    sg_auto(made) struct made first = {0}, second = {0};
    struct sg_error error = {0};

    make(ca, 0, &first);
    setenv("ODD_SIGN_RV", "0x30", 1);
    expect_failure(
        "second",
        sg_status_crl(ca->home, ca->issuer, 0, ca->now, &second.der, &second.summary, &error),
        &error, SG_TOKEN, "");
    unsetenv("ODD_SIGN_RV");
    make(ca, 0, &second);
    assert_int_equal(number_in(first.crl), 1);
    assert_int_equal(number_in(second.crl), 3);
}

/* The invariant: what the key signed was noted first. */
static void its_bytes_were_noted(void **state)
{
    struct ca *ca = *state;
    sg_auto(made) struct made made = {0};
    sg_auto(openssl_bytes) uint8_t *tbs = NULL;
    uint8_t digest[SG_SHA256_LEN];
    struct sg_error error = {0};
    bool found = false;
    int len;

    make(ca, 0, &made);
    len = i2d_re_X509_CRL_tbs(made.crl, &tbs);
    assert_true(len > 0);
    sg_sha256(sg_slice_of(tbs, (size_t)len), digest);
    expect_success("intent",
                   sg_store_has_intent(sg_home_store(ca->home), sg_slice_of(digest, sizeof digest),
                                       &found, &error),
                   &error);
    assert_true(found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, ca_remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_one),
        TEST(near_the_end_of_the_issuer),
        TEST(the_latest_is_published),
        TEST(who_is_listed),
        TEST(a_claim_in_flight),
        TEST(hold_and_release),
        TEST(the_expired_are_listed_once_more),
        TEST(anothers_certificates),
        cmocka_unit_test(failures),
        TEST(a_number_is_used_once),
        TEST(its_bytes_were_noted),
    };

    return cmocka_run_group_tests(tests, ca_make_token, ca_remove_token);
}
