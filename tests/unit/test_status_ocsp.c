#include "ca_fixture.h"

#include <openssl/ocsp.h>
#include <pthread.h>

#include "cert/cert.h"
#include "issue/responder.h"
#include "status/ocsp.h"
#include "status/ocsp_request.h"
#include "status/status.h"
#include "store/status.h"

/* Short-lived, so that certificates expire before the root does. */
static const char LINE[] = "policy: line\n"
                           "description: Devices that the line's operator brings\n"
                           "who: {any: [operator], unknown_device: register}\n"
                           "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                           "subject: [{CN: '${device.id}'}]\n"
                           "validity: {for: 10d}\n";

#define RESPONDER "    ocsp: {key: 'pkcs11:object=ocsp', next_update: 12h}\n"

enum { HOUR = 3600 };

struct desk {
    struct ca *ca;
    struct sg_ocsp *ocsp;
    X509 *root;
};

static int make_token(void **state)
{
    ca_make_token(state);
    ca_make_key(*state, "ocsp");
    ca_make_key(*state, "ocsp-next");
    return 0;
}

static int64_t tell_time(void *context)
{
    return ((const struct ca *)context)->now;
}

static void certify_responder(struct ca *ca)
{
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    const struct sg_clock clock = {tell_time, ca};
    struct sg_error error = {0};

    expect_success("responder",
                   sg_issue_responder(ca->home, "root", clock, SG_RENEW_WHEN_DUE, &news, &error),
                   &error);
}

static void open_desk(struct desk *desk, bool ready)
{
    struct sg_error error = {0};

    expect_success("ocsp", sg_ocsp_new(desk->ca->home, &desk->ocsp, &error), &error);
    if (ready)
        expect_success("ready", sg_ocsp_ready(desk->ocsp, "root", desk->ca->now, &error), &error);
}

static int make_desk(void **state)
{
    static struct desk desk;
    struct sg_error error = {0};

    ca_make_home(state);
    desk = (struct desk){.ca = *state};
    *state = &desk;
    ca_put_policy(desk.ca, "line", LINE);
    ca_configure(desk.ca, CA_LAST_LINE, CA_LAST_LINE RESPONDER);
    certify_responder(desk.ca);
    open_desk(&desk, true);
    expect_success(
        "root", sg_cert_read(sg_buf_slice(&desk.ca->root_der), "root", &desk.root, &error), &error);
    return 0;
}

static int remove_desk(void **state)
{
    struct desk *desk = *state;

    sg_ocsp_free(desk->ocsp);
    X509_free(desk->root);
    *state = desk->ca;
    return ca_remove_home(state);
}

/* Closes the home and opens it again, in which what was in flight becomes an orphan. */
static void reopen_desk(struct desk *desk, bool ready)
{
    sg_ocsp_free(desk->ocsp);
    ca_reopen(desk->ca);
    open_desk(desk, ready);
}

/* ---- certificates ---- */

static void issue(struct desk *desk, const char *cn, struct sg_serial *serial)
{
    sg_auto(ca_order) struct ca_order order = {0};

    ca_order(&order, NULL, cn);
    ca_issue(desk->ca, "line", &order);
    expect_issued(cn, &order.job, SG_JOB_ISSUED);
    *serial = order.job.serial;
}

static void revoke_one(struct desk *desk, const struct sg_serial *serial, enum sg_reason reason)
{
    const struct sg_certificate_filter filter = {.serial = serial, .now = desk->ca->now};
    struct sg_error error = {0};
    size_t num = 0;

    expect_success("revoke",
                   sg_status_revoke(sg_home_store(desk->ca->home), &filter, reason, desk->ca->now,
                                    &num, &error),
                   &error);
}

static void release_one(struct desk *desk, const struct sg_serial *serial)
{
    const struct sg_certificate_filter filter = {.serial = serial, .now = desk->ca->now};
    struct sg_error error = {0};
    size_t num = 0;

    expect_success("release",
                   sg_status_release(sg_home_store(desk->ca->home), &filter, &num, &error), &error);
}

/* ---- requests ---- */

static OCSP_CERTID *make_id(X509 *issuer, const EVP_MD *digest, const struct sg_serial *serial)
{
    sg_auto(BIGNUM) BIGNUM *number = BN_bin2bn(serial->bytes, (int)serial->len, NULL);
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *value = BN_to_ASN1_INTEGER(number, NULL);
    OCSP_CERTID *id = OCSP_cert_id_new(digest, X509_get_subject_name(issuer),
                                       X509_get0_pubkey_bitstr(issuer), value);

    assert_non_null(id);
    return id;
}

/* A request being written. Release with ask_done. */
struct ask {
    OCSP_REQUEST *request;
    struct sg_buf der;
};

static void ask_done(struct ask *ask)
{
    OCSP_REQUEST_free(ask->request);
    sg_buf_free(&ask->der);
}
SG_DEFINE_CLEANUP_IN_PLACE(ask, ask_done)

static void ask_about(struct ask *ask, X509 *issuer, const EVP_MD *digest,
                      const struct sg_serial *serial)
{
    if (ask->request == NULL)
        ask->request = OCSP_REQUEST_new();
    assert_non_null(OCSP_request_add0_id(ask->request, make_id(issuer, digest, serial)));
}

static void finish(struct ask *ask)
{
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int len = i2d_OCSP_REQUEST(ask->request, &bytes);
    struct sg_error error = {0};

    assert_true(len > 0);
    expect_success("der", sg_buf_set(&ask->der, sg_slice_of(bytes, (size_t)len), &error), &error);
}

/* ---- answers ---- */

static bool answer(struct desk *desk, const struct ask *ask, struct sg_ocsp_answer *heard,
                   struct sg_error *error)
{
    return sg_ocsp_answer(desk->ocsp, sg_home_store(desk->ca->home), sg_buf_slice(&ask->der),
                          desk->ca->now, heard, error);
}

/* The signature, the responder's certificate and the nonce, as a client checks them. */
static OCSP_BASICRESP *verify(struct desk *desk, const struct ask *ask,
                              const struct sg_ocsp_answer *heard)
{
    const unsigned char *at = heard->der.data;
    sg_auto(OCSP_RESPONSE) OCSP_RESPONSE *response =
        d2i_OCSP_RESPONSE(NULL, &at, (long)heard->der.len);
    OCSP_BASICRESP *basic;
    X509_STORE *trusted = X509_STORE_new();

    assert_non_null(response);
    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    assert_non_null(basic = OCSP_response_get1_basic(response));
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(trusted), (time_t)desk->ca->now);
    X509_STORE_add_cert(trusted, desk->root);
    assert_int_equal(OCSP_basic_verify(basic, NULL, trusted, 0), 1);
    X509_STORE_free(trusted);
    const int nonce = OCSP_check_nonce(ask->request, basic);
    if (nonce != 1 && nonce != 2) /* equal, or absent in both */
        fail_msg("the nonce is %d", nonce);
    return basic;
}

struct wanted {
    int status;                /* V_OCSP_CERTSTATUS_* */
    int reason;                /* -1: none */
    int64_t revoked;           /* 0: none */
    int64_t this_update, next; /* 0: not looked at */
};

static void expect_time(const char *name, const char *what, const ASN1_GENERALIZEDTIME *found,
                        int64_t wanted)
{
    if (wanted != 0 ? found == NULL || ASN1_TIME_cmp_time_t(found, (time_t)wanted) != 0
                    : found != NULL)
        fail_msg("%s: %s is another moment", name, what);
}

static void expect_single(const char *name, OCSP_BASICRESP *basic, OCSP_CERTID *id,
                          const struct wanted *wanted)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    int status = -1, reason = -1;

    if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &until) != 1)
        fail_msg("%s: is not in the answer", name);
    if (status != wanted->status || reason != wanted->reason)
        fail_msg("%s: is %s for reason %d", name, OCSP_cert_status_str(status), reason);
    expect_time(name, "revocationTime", revoked, wanted->revoked);
    if (wanted->this_update != 0)
        expect_time(name, "thisUpdate", from, wanted->this_update);
    if (wanted->next != 0)
        expect_time(name, "nextUpdate", until, wanted->next);
}

/* Asks about one certificate, checks the answer, and returns it. */
static void expect_answer(const char *name, struct desk *desk, const struct sg_serial *serial,
                          const struct wanted *wanted, struct sg_ocsp_answer *heard)
{
    sg_auto(ask) struct ask ask = {0};
    sg_auto(OCSP_BASICRESP) OCSP_BASICRESP *basic = NULL;
    struct sg_error error = {0};

    ask_about(&ask, desk->root, EVP_sha1(), serial);
    finish(&ask);
    expect_success(name, answer(desk, &ask, heard, &error), &error);
    basic = verify(desk, &ask, heard);
    expect_single(name, basic, OCSP_onereq_get0_id(OCSP_request_onereq_get0(ask.request, 0)),
                  wanted);
    assert_int_equal(heard->num_good, wanted->status == V_OCSP_CERTSTATUS_GOOD);
    assert_int_equal(heard->num_revoked, wanted->status == V_OCSP_CERTSTATUS_REVOKED);
    assert_int_equal(heard->num_unknown, wanted->status == V_OCSP_CERTSTATUS_UNKNOWN);
}

static const struct wanted GOOD = {V_OCSP_CERTSTATUS_GOOD, -1, 0, 0, 0};
static const struct wanted UNKNOWN = {V_OCSP_CERTSTATUS_UNKNOWN, -1, 0, 0, 0};

/* ---- how certificates stand ---- */

enum { GONE = 20 * DAY };

static void each_status(void **state)
{
    struct desk *desk = *state;
    const struct {
        const char *name;
        int reason; /* -1: not revoked */
        bool release;
        struct wanted wanted;
    } CASES[] = {
        {"valid", -1, false, {V_OCSP_CERTSTATUS_GOOD, -1, 0, NOW, NOW + 12 * HOUR}},
        {"revoked without a reason",
         SG_REASON_UNSPECIFIED,
         false,
         {V_OCSP_CERTSTATUS_REVOKED, -1, NOW, NOW, NOW + 12 * HOUR}},
        {"revoked for a compromise",
         SG_REASON_KEY_COMPROMISE,
         false,
         {V_OCSP_CERTSTATUS_REVOKED, 1, NOW, NOW, NOW + 12 * HOUR}},
        {"on hold",
         SG_REASON_CERTIFICATE_HOLD,
         false,
         {V_OCSP_CERTSTATUS_REVOKED, 6, NOW, NOW, NOW + 12 * HOUR}},
        {"off hold",
         SG_REASON_CERTIFICATE_HOLD,
         true,
         {V_OCSP_CERTSTATUS_GOOD, -1, 0, NOW, NOW + 12 * HOUR}},
    };
    struct sg_serial serials[NUM(CASES)];

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
        char cn[40];

        snprintf(cn, sizeof cn, "device-CASE%zu", i);
        issue(desk, cn, &serials[i]);
        if (CASES[i].reason >= 0)
            revoke_one(desk, &serials[i], (enum sg_reason)CASES[i].reason);
        if (CASES[i].release)
            release_one(desk, &serials[i]);
        expect_answer(CASES[i].name, desk, &serials[i], &CASES[i].wanted, &heard);
        assert_true(heard.cacheable);
    }
    /* after its end a certificate is what it was */
    desk->ca->now += GONE;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
        struct wanted later = CASES[i].wanted;

        later.this_update += GONE;
        later.next = 0;
        expect_answer(CASES[i].name, desk, &serials[i], &later, &heard);
    }
}

static void unknown_is_not_revoked(void **state)
{
    struct desk *desk = *state;
    static const struct sg_serial SERIALS[] = {{{0x12, 0x34}, 2}, {{1}, 1}};

    for (size_t i = 0; i < NUM(SERIALS); i++) {
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
        struct wanted wanted = UNKNOWN;

        wanted.this_update = NOW;
        wanted.next = NOW + 300;
        expect_answer("never issued", desk, &SERIALS[i], &wanted, &heard);
        assert_false(heard.cacheable);
    }
}

/* What a killed process leaves, and what a living one has not brought to its end yet. */
static void note_serial(enum sg_issue_step step, void *context)
{
    struct desk *desk = context;

    if (step == SG_STEP_CLAIMED) /* the store can't be written any more: the claim stays */
        ca_break_store(desk->ca, true);
}

static void claims_without_a_certificate(void **state)
{
    struct desk *desk = *state;
    struct sg_issuing issuing = ca_issuing(desk->ca, "line");
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
    sg_auto(ca_order) struct ca_order order = {0};
    const struct wanted revoked = {V_OCSP_CERTSTATUS_REVOKED, -1, NOW, 0, 0};
    struct sg_error error = {0};

    issuing.device_from_cn = true;
    issuing.after_step = note_serial;
    issuing.step_context = desk;
    ca_order(&order, NULL, "device-LOST");
    assert_false(sg_issue(&issuing, &order.job, 1, &error));
    ca_break_store(desk->ca, false);
    assert_int_equal(ca_status(desk->ca, &order.job.serial), SG_STATUS_IN_FLIGHT);
    expect_answer("in flight", desk, &order.job.serial, &UNKNOWN, &heard);
    assert_false(heard.cacheable);

    reopen_desk(desk, true);
    assert_int_equal(ca_status(desk->ca, &order.job.serial), SG_STATUS_ORPHANED);
    expect_answer("orphaned", desk, &order.job.serial, &revoked, &heard);
    assert_false(heard.cacheable);
}

/* ---- how it can be asked ---- */

static void each_digest(void **state)
{
    struct desk *desk = *state;
    const struct {
        const char *name;
        const EVP_MD *digest;
        bool answered;
    } CASES[] = {
        {"SHA-1", EVP_sha1(), true},      {"SHA-256", EVP_sha256(), true},
        {"SHA-384", EVP_sha384(), true},  {"SHA-512", EVP_sha512(), true},
        {"SHA-224", EVP_sha224(), false}, {"SHA3-256", EVP_sha3_256(), false},
    };
    struct sg_serial serial;

    issue(desk, "device-AB12", &serial);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ask) struct ask ask = {0};
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
        struct sg_error error = {0};

        ask_about(&ask, desk->root, CASES[i].digest, &serial);
        finish(&ask);
        if (!CASES[i].answered) {
            expect_failure(CASES[i].name, answer(desk, &ask, &heard, &error), &error, SG_REFUSED,
                           "none of this home's");
            continue;
        }
        expect_success(CASES[i].name, answer(desk, &ask, &heard, &error), &error);
        sg_auto(OCSP_BASICRESP) OCSP_BASICRESP *basic = verify(desk, &ask, &heard);
        expect_single(CASES[i].name, basic,
                      OCSP_onereq_get0_id(OCSP_request_onereq_get0(ask.request, 0)), &GOOD);
    }
}

static void several_in_one_request(void **state)
{
    struct desk *desk = *state;
    sg_auto(ask) struct ask ask = {0};
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
    struct sg_serial good, revoked, unknown = {{0x12, 0x34}, 2};
    const struct wanted wanted[] = {
        {V_OCSP_CERTSTATUS_REVOKED, 4, NOW, NOW, NOW + 300},
        {V_OCSP_CERTSTATUS_UNKNOWN, -1, 0, NOW, NOW + 300},
        {V_OCSP_CERTSTATUS_GOOD, -1, 0, NOW, NOW + 300},
        {V_OCSP_CERTSTATUS_REVOKED, 4, NOW, NOW, NOW + 300},
    };
    struct sg_error error = {0};

    issue(desk, "device-GOOD", &good);
    issue(desk, "device-GONE", &revoked);
    revoke_one(desk, &revoked, SG_REASON_SUPERSEDED);
    ask_about(&ask, desk->root, EVP_sha1(), &revoked);
    ask_about(&ask, desk->root, EVP_sha256(), &unknown);
    ask_about(&ask, desk->root, EVP_sha256(), &good);
    ask_about(&ask, desk->root, EVP_sha1(), &revoked);
    finish(&ask);
    expect_success("several", answer(desk, &ask, &heard, &error), &error);
    sg_auto(OCSP_BASICRESP) OCSP_BASICRESP *basic = verify(desk, &ask, &heard);
    assert_int_equal(OCSP_resp_count(basic), NUM(wanted));
    for (int i = 0; i < (int)NUM(wanted); i++)
        expect_single("one of several", basic,
                      OCSP_onereq_get0_id(OCSP_request_onereq_get0(ask.request, i)), &wanted[i]);
    assert_int_equal(heard.num_good, 1);
    assert_int_equal(heard.num_revoked, 2);
    assert_int_equal(heard.num_unknown, 1);
    assert_false(heard.cacheable);
}

static void nonces(void **state)
{
    static const struct {
        int len;
        bool accepted;
    } CASES[] = {{1, true}, {16, true}, {32, true}, {33, true}, {128, true}, {129, false}};
    struct desk *desk = *state;
    struct sg_serial serial;
    unsigned char octets[129];

    memset(octets, 'n', sizeof octets);
    issue(desk, "device-AB12", &serial);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ask) struct ask ask = {0};
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
        struct sg_error error = {0};

        ask_about(&ask, desk->root, EVP_sha1(), &serial);
        assert_int_equal(OCSP_request_add1_nonce(ask.request, octets, CASES[i].len), 1);
        finish(&ask);
        if (!CASES[i].accepted) {
            expect_failure("too long", answer(desk, &ask, &heard, &error), &error, SG_MALFORMED,
                           "129 octets");
            assert_int_equal(heard.status, SG_OCSP_MALFORMED_REQUEST);
            continue;
        }
        expect_success("nonce", answer(desk, &ask, &heard, &error), &error);
        sg_auto(OCSP_BASICRESP) OCSP_BASICRESP *basic = verify(desk, &ask, &heard);
        assert_int_equal(OCSP_check_nonce(ask.request, basic), 1);
        assert_false(heard.cacheable);
    }
}

/* ---- what is refused, and how it is said ---- */

static void expect_refusal(const char *name, struct desk *desk, const struct ask *ask,
                           enum sg_ocsp_status status, enum sg_code code, const char *part)
{
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
    struct sg_error error = {0};
    const uint8_t wanted[] = {0x30, 3, 0x0A, 1, (uint8_t)status};

    expect_failure(name, answer(desk, ask, &heard, &error), &error, code, part);
    if (heard.status != status)
        fail_msg("%s: should be %s, is %s", name, sg_ocsp_status_word(status),
                 sg_ocsp_status_word(heard.status));
    assert_int_equal(heard.der.len, sizeof wanted);
    assert_memory_equal(heard.der.data, wanted, sizeof wanted);
    assert_false(heard.cacheable);
}

static X509 *make_stranger(void)
{
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate = X509_new();

    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"Stranger", -1, -1, 0);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    EVP_PKEY_free(key);
    return certificate;
}

static void refusals(void **state)
{
    struct desk *desk = *state;
    sg_auto(ask) struct ask malformed = {0};
    sg_auto(ask) struct ask other = {0};
    sg_auto(ask) struct ask mixed = {0};
    sg_auto(ask) struct ask plain = {0};
    sg_auto(X509) X509 *stranger = make_stranger();
    struct sg_serial serial;

    issue(desk, "device-AB12", &serial);
    make_der("30{30{30{}}}", &malformed.der);
    expect_refusal("malformed", desk, &malformed, SG_OCSP_MALFORMED_REQUEST, SG_MALFORMED,
                   "asks about no certificate");
    ask_about(&other, stranger, EVP_sha1(), &serial);
    finish(&other);
    expect_refusal("a stranger", desk, &other, SG_OCSP_UNAUTHORIZED, SG_REFUSED,
                   "none of this home's");
    ask_about(&mixed, desk->root, EVP_sha1(), &serial);
    ask_about(&mixed, stranger, EVP_sha1(), &serial);
    finish(&mixed);
    expect_refusal("two issuers", desk, &mixed, SG_OCSP_UNAUTHORIZED, SG_REFUSED,
                   "several issuers");

    ask_about(&plain, desk->root, EVP_sha1(), &serial);
    finish(&plain);
    setenv("ODD_SIGN_RV", "0x30", 1); /* CKR_DEVICE_ERROR */
    expect_refusal("no token", desk, &plain, SG_OCSP_TRY_LATER, SG_TOKEN, "is not signed");
    unsetenv("ODD_SIGN_RV");
    desk->ca->now += 31 * DAY;
    expect_refusal("an ended certificate", desk, &plain, SG_OCSP_TRY_LATER, SG_INVALID,
                   "has ended");
    ca_sql(desk->ca, "DELETE FROM counter WHERE name = 'status'");
    expect_refusal("a broken store", desk, &plain, SG_OCSP_TRY_LATER, SG_STORE, "latest backup");
}

static void without_a_responder(void **state)
{
    struct desk *desk = *state;
    sg_auto(ask) struct ask ask = {0};
    struct sg_serial serial;
    struct sg_error error = {0};

    issue(desk, "device-AB12", &serial);
    ask_about(&ask, desk->root, EVP_sha1(), &serial);
    finish(&ask);
    reopen_desk(desk, false);
    expect_refusal("not ready", desk, &ask, SG_OCSP_TRY_LATER, SG_INVALID, "is not ready");

    desk->ca->now += 31 * DAY;
    expect_failure("no certificate", sg_ocsp_ready(desk->ocsp, "root", desk->ca->now, &error),
                   &error, SG_INVALID, "signet ocsp renew --issuer root");
    expect_refusal("no certificate", desk, &ask, SG_OCSP_TRY_LATER, SG_INVALID,
                   "signet ocsp renew");
    sg_error_clear(&error);
    expect_failure("another name", sg_ocsp_ready(desk->ocsp, "leaf", NOW, &error), &error, SG_USAGE,
                   "no issuer 'leaf'");

    sg_ocsp_free(desk->ocsp);
    ca_configure(desk->ca, "    state: active\n", "    state: retired\n");
    open_desk(desk, false);
    sg_error_clear(&error);
    expect_failure("retired", sg_ocsp_ready(desk->ocsp, "root", desk->ca->now, &error), &error,
                   SG_REFUSED, "a retired issuer signs none");
    expect_refusal("retired", desk, &ask, SG_OCSP_UNAUTHORIZED, SG_REFUSED, "retired");

    sg_ocsp_free(desk->ocsp);
    ca_configure(desk->ca, RESPONDER, "");
    open_desk(desk, false);
    expect_refusal("no key", desk, &ask, SG_OCSP_UNAUTHORIZED, SG_REFUSED, "nobody answers");
}

/* As long as its responder's certificate is good, a retired issuer is answered for. */
static void issuers_that_issue_no_more(void **state)
{
    static const char *const STATES[] = {"status-only", "retired"};
    struct desk *desk = *state;
    struct sg_serial serial;
    char before[40] = "    state: active\n", after[40];

    issue(desk, "device-AB12", &serial);
    for (size_t i = 0; i < NUM(STATES); i++) {
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};

        snprintf(after, sizeof after, "    state: %s\n", STATES[i]);
        sg_ocsp_free(desk->ocsp);
        ca_configure(desk->ca, before, after);
        open_desk(desk, true);
        expect_answer(STATES[i], desk, &serial, &GOOD, &heard);
        strcpy(before, after);
    }
}

/* ---- what is kept ---- */

static bool is_same(const struct sg_ocsp_answer *a, const struct sg_ocsp_answer *b)
{
    return sg_slice_equal(sg_buf_slice(&a->der), sg_buf_slice(&b->der));
}

static void an_answer_is_kept_until_it_changes(void **state)
{
    struct desk *desk = *state;
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer first = {0};
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer later = {0};
    struct wanted revoked = {V_OCSP_CERTSTATUS_REVOKED, 6, NOW + 60, 0, 0};
    struct sg_serial serial, other;

    issue(desk, "device-AB12", &serial);
    issue(desk, "device-CD34", &other);
    expect_answer("first", desk, &serial, &GOOD, &first);
    desk->ca->now += 60;
    setenv("ODD_SIGN_RV", "0x30", 1); /* whatever is answered now was signed before */
    expect_answer("a minute later", desk, &serial, &GOOD, &later);
    assert_true(is_same(&first, &later));
    assert_int_equal(later.this_update, NOW);
    assert_int_equal(later.generation, first.generation);

    revoke_one(desk, &other, SG_REASON_SUPERSEDED);
    expect_answer("after another's revocation", desk, &serial, &GOOD, &later);
    assert_true(is_same(&first, &later));
    assert_true(later.generation > first.generation);
    unsetenv("ODD_SIGN_RV");

    revoke_one(desk, &serial, SG_REASON_CERTIFICATE_HOLD);
    expect_answer("on hold", desk, &serial, &revoked, &later);
    revoke_one(desk, &serial, SG_REASON_KEY_COMPROMISE);
    revoked.reason = 1;
    expect_answer("for good", desk, &serial, &revoked, &later);
    assert_true(later.cacheable);
}

static void an_old_answer_is_signed_anew(void **state)
{
    struct desk *desk = *state;
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer first = {0};
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer later = {0};
    struct sg_serial serial;

    issue(desk, "device-AB12", &serial);
    expect_answer("first", desk, &serial, &GOOD, &first);
    desk->ca->now = NOW + 6 * HOUR;
    expect_answer("half of its time", desk, &serial, &GOOD, &later);
    assert_true(is_same(&first, &later));
    desk->ca->now++;
    expect_answer("a second later", desk, &serial, &GOOD, &later);
    assert_int_equal(later.this_update, desk->ca->now);
}

/* nextUpdate never goes past the responder's certificate, and a new certificate's answers replace
 * the earlier one's. */
static void the_responders_end(void **state)
{
    struct desk *desk = *state;
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer first = {0};
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer later = {0};
    struct wanted wanted = GOOD;
    struct sg_serial serial;
    struct sg_error error = {0};

    desk->ca->now = NOW + 30 * DAY - 60;
    issue(desk, "device-AB12", &serial);
    wanted.this_update = desk->ca->now;
    wanted.next = NOW + 30 * DAY;
    expect_answer("near its end", desk, &serial, &wanted, &first);
    certify_responder(desk->ca);
    expect_success("ready", sg_ocsp_ready(desk->ocsp, "root", desk->ca->now, &error), &error);
    wanted.next = desk->ca->now + 12 * HOUR;
    expect_answer("renewed", desk, &serial, &wanted, &later);
    assert_true(later.generation > first.generation); /* what is kept elsewhere goes, too */
    expect_success("ready", sg_ocsp_ready(desk->ocsp, "root", desk->ca->now, &error), &error);
    expect_answer("the same one", desk, &serial, &wanted, &first);
    assert_int_equal(later.generation, first.generation);
}

/* ---- threads ---- */

enum { WORKERS = 4, ROUNDS = 40, CERTIFICATES = 5 };

struct worker {
    struct desk *desk;
    pthread_t thread;
    struct sg_store *store;
    struct ask asks[CERTIFICATES];
    size_t answered;
};

static void *work(void *context)
{
    struct worker *worker = context;

    for (size_t i = 0; i < ROUNDS; i++) {
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
        const struct ask *ask = &worker->asks[i % CERTIFICATES];

        worker->answered += sg_ocsp_answer(worker->desk->ocsp, worker->store,
                                           sg_buf_slice(&ask->der), NOW + (int64_t)i, &heard, NULL);
    }
    return NULL;
}

static void many_ask_at_once(void **state)
{
    struct desk *desk = *state;
    struct worker workers[WORKERS] = {0};
    struct sg_serial serials[CERTIFICATES];
    struct sg_error error = {0};

    for (size_t i = 0; i < CERTIFICATES; i++) {
        char cn[40];

        snprintf(cn, sizeof cn, "device-MANY%zu", i);
        issue(desk, cn, &serials[i]);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i].desk = desk;
        expect_success("store", sg_home_open_registry(desk->ca->home, &workers[i].store, &error),
                       &error);
        for (size_t j = 0; j < CERTIFICATES; j++) {
            ask_about(&workers[i].asks[j], desk->root, EVP_sha1(), &serials[j]);
            if (i % 2 == 1)
                OCSP_request_add1_nonce(workers[i].asks[j].request, NULL, 16);
            finish(&workers[i].asks[j]);
        }
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < CERTIFICATES; i++) {
        revoke_one(desk, &serials[i], SG_REASON_SUPERSEDED);
        expect_success("ready", sg_ocsp_ready(desk->ocsp, "root", NOW, &error), &error);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].answered, ROUNDS);
        for (size_t j = 0; j < CERTIFICATES; j++)
            ask_done(&workers[i].asks[j]);
        sg_store_close(workers[i].store);
    }
    for (size_t i = 0; i < CERTIFICATES; i++) {
        sg_auto(sg_ocsp_answer) struct sg_ocsp_answer heard = {0};
        const struct wanted revoked = {V_OCSP_CERTSTATUS_REVOKED, 4, NOW, 0, 0};

        expect_answer("afterwards", desk, &serials[i], &revoked, &heard);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_desk, remove_desk)
    const struct CMUnitTest tests[] = {
        TEST(each_status),
        TEST(unknown_is_not_revoked),
        TEST(claims_without_a_certificate),
        TEST(each_digest),
        TEST(several_in_one_request),
        TEST(nonces),
        TEST(refusals),
        TEST(without_a_responder),
        TEST(issuers_that_issue_no_more),
        TEST(an_answer_is_kept_until_it_changes),
        TEST(an_old_answer_is_signed_anew),
        TEST(the_responders_end),
        TEST(many_ask_at_once),
    };

    return cmocka_run_group_tests(tests, make_token, ca_remove_token);
}
