#include "ca_fixture.h"

#include "cert/cert.h"
#include "issue/responder.h"

/* Longer than shipped at the end, so that renewal is open for all of the last third. */
static const char BRIEF[] = "policy: brief\n"
                            "description: Responders of a test\n"
                            "who: {any: [operator]}\n"
                            "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                            "subject: [{CN: '${request.CN}'}]\n"
                            "extended_key_usage: [OCSPSigning]\n"
                            "validity: {for: 30d, past_issuer: refuse}\n"
                            "renewal: {window: 10d, same_key: allow, previous: keep}\n";

static const char CLIENT[] = "policy: client\n"
                             "description: Not for responders\n"
                             "who: {any: [operator]}\n"
                             "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                             "subject: [{CN: '${request.CN}'}]\n"
                             "extended_key_usage: [OCSPSigning, clientAuth]\n"
                             "validity: {for: 30d}\n";

#define RESPONDER "    ocsp: {key: 'pkcs11:object=ocsp', policy: brief}\n"

static int make_token(void **state)
{
    ca_make_token(state);
    ca_make_key(*state, "ocsp");
    ca_make_key(*state, "ocsp-next");
    return 0;
}

static int make_home(void **state)
{
    ca_make_home(state);
    ca_put_policy(*state, "brief", BRIEF);
    ca_put_policy(*state, "client", CLIENT);
    return 0;
}

static int64_t tell_time(void *context)
{
    return ((const struct ca *)context)->now;
}

static bool see_to_it(struct ca *ca, enum sg_responder_renewal renewal,
                      struct sg_responder_news *news, struct sg_error *error)
{
    const struct sg_clock clock = {tell_time, ca};

    sg_responder_news_done(news);
    return sg_issue_responder(ca->home, "root", clock, renewal, news, error);
}

static void expect_news(const char *name, struct ca *ca, enum sg_responder_renewal renewal,
                        bool renewed, struct sg_serial *serial)
{
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    struct sg_error error = {0};

    expect_success(name, see_to_it(ca, renewal, &news, &error), &error);
    if (news.renewed != renewed)
        fail_msg("%s: should %sbe renewed", name, renewed ? "" : "not ");
    assert_int_equal(news.why.code, SG_OK);
    assert_true(news.certificate.len > 0);
    *serial = news.serial;
}

static bool is_same(const struct sg_serial *a, const struct sg_serial *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static void what_it_gets(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(X509) X509 *root = NULL;
    struct sg_error error = {0};
    char subject[80];

    ca_configure(ca, CA_LAST_LINE, CA_LAST_LINE RESPONDER);
    expect_success("renew", see_to_it(ca, SG_RENEW_WHEN_DUE, &news, &error), &error);
    assert_true(news.renewed);
    assert_int_equal(news.not_after, NOW + 30 * DAY);
    expect_success("read",
                   sg_cert_read(sg_buf_slice(&news.certificate), "it", &certificate, &error) &&
                       sg_cert_read(sg_buf_slice(&ca->root_der), "root", &root, &error),
                   &error);
    assert_int_equal(X509_verify(certificate, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_get_extended_key_usage(certificate), XKU_OCSP_SIGN);
    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
    assert_string_equal(subject, "/CN=root OCSP");
    assert_int_equal(ca_status(ca, &news.serial), SG_STATUS_VALID);
}

static void a_subject_of_its_own(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    sg_auto(X509) X509 *certificate = NULL;
    struct sg_error error = {0};
    char subject[80];

    ca_configure(ca, CA_LAST_LINE,
                 CA_LAST_LINE
                 "    ocsp: {key: 'pkcs11:object=ocsp', subject: 'CN=Answers,O=Example GmbH'}\n");
    expect_success("renew", see_to_it(ca, SG_RENEW_NOW, &news, &error), &error);
    expect_success(
        "read", sg_cert_read(sg_buf_slice(&news.certificate), "it", &certificate, &error), &error);
    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
    assert_string_equal(subject, "/CN=Answers/O=Example GmbH");
    assert_true(X509_get_ext_by_NID(certificate, NID_id_pkix_OCSP_noCheck, -1) >= 0);
}

/* Kept for two thirds of its time, then renewed once; the store is all that remembers. */
static void when_it_is_renewed(void **state)
{
    struct ca *ca = *state;
    struct sg_serial first, serial, second;

    ca_configure(ca, CA_LAST_LINE, CA_LAST_LINE RESPONDER);
    expect_news("at first", ca, SG_RENEW_WHEN_DUE, true, &first);
    expect_news("at once again", ca, SG_RENEW_WHEN_DUE, false, &serial);
    assert_true(is_same(&serial, &first));
    expect_news("although it is too early", ca, SG_RENEW_NOW, false, &serial);
    assert_true(is_same(&serial, &first));
    ca->now = NOW + 20 * DAY;
    ca_reopen(ca);
    expect_news("after two thirds", ca, SG_RENEW_WHEN_DUE, false, &serial);
    assert_true(is_same(&serial, &first));
    ca->now++;
    expect_news("a second later", ca, SG_RENEW_WHEN_DUE, true, &second);
    assert_false(is_same(&second, &first));
    expect_news("and once", ca, SG_RENEW_WHEN_DUE, false, &serial);
    assert_true(is_same(&serial, &second));
    assert_int_equal(ca_status(ca, &first), SG_STATUS_VALID);
    ca->now += 40 * DAY;
    expect_news("after its end", ca, SG_RENEW_WHEN_DUE, true, &serial);
}

static void a_revoked_one_is_replaced(void **state)
{
    struct ca *ca = *state;
    struct sg_serial first, second;

    ca_configure(ca, CA_LAST_LINE, CA_LAST_LINE RESPONDER);
    expect_news("at first", ca, SG_RENEW_WHEN_DUE, true, &first);
    ca_sql(ca, "INSERT INTO revocation (claim, issuer, reason, revoked)"
               " SELECT max(id), issuer, 4, 1750000000 FROM claim");
    assert_int_equal(ca_status(ca, &first), SG_STATUS_REVOKED);
    expect_news("after its revocation", ca, SG_RENEW_WHEN_DUE, true, &second);
    assert_false(is_same(&first, &second));
}

static void another_key_needs_another_certificate(void **state)
{
    struct ca *ca = *state;
    struct sg_serial first, second;

    ca_configure(ca, CA_LAST_LINE, CA_LAST_LINE RESPONDER);
    expect_news("at first", ca, SG_RENEW_WHEN_DUE, true, &first);
    ca_configure(ca, "object=ocsp'", "object=ocsp-next'");
    expect_news("the next key", ca, SG_RENEW_WHEN_DUE, true, &second);
    assert_false(is_same(&first, &second));
}

/* What can't be renewed serves on until it ends. */
static void a_renewal_that_fails(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    struct sg_error error = {0};
    struct sg_serial first;

    ca_configure(ca, CA_LAST_LINE, CA_LAST_LINE RESPONDER);
    expect_news("at first", ca, SG_RENEW_WHEN_DUE, true, &first);
    ca->now = NOW + 25 * DAY;
    setenv("ODD_SIGN_RV", "0x30", 1); /* CKR_DEVICE_ERROR */
    expect_success("kept", see_to_it(ca, SG_RENEW_WHEN_DUE, &news, &error), &error);
    assert_false(news.renewed);
    assert_true(is_same(&news.serial, &first));
    assert_int_equal(news.why.code, SG_TOKEN);
    expect_failure("asked for", see_to_it(ca, SG_RENEW_NOW, &news, &error), &error, SG_TOKEN,
                   "OCSP responder of issuer root");
    unsetenv("ODD_SIGN_RV");
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *name, *ocsp;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"no key", "", SG_REFUSED, "nobody answers OCSP for issuer root"},
        {"a key that is not there", "    ocsp: {key: 'pkcs11:object=nothing'}\n", SG_TOKEN,
         "OCSP responder of issuer root, token main"},
        {"no such policy", "    ocsp: {key: 'pkcs11:object=ocsp', policy: nothing}\n", SG_USAGE,
         "there is no policy 'nothing'"},
        {"a policy for more", "    ocsp: {key: 'pkcs11:object=ocsp', policy: client}\n", SG_REFUSED,
         "policy client makes no OCSP responders"},
        {"a policy for CAs", "    ocsp: {key: 'pkcs11:object=ocsp', policy: issuing-ca}\n",
         SG_REFUSED, ""},
        {"a name that the policy does not have",
         "    ocsp: {key: 'pkcs11:object=ocsp', policy: brief, subject: 'CN=a,OU=b'}\n", SG_REFUSED,
         "OU"},
        {"the issuer's own key, otherwise written",
         "    ocsp: {key: 'pkcs11:object=root;type=private'}\n", SG_KEY_QUALITY,
         "signs for an issuer of this CA"},
    };
    struct ca *ca = *state;
    const char *present = CA_LAST_LINE;

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_responder_news) struct sg_responder_news news = {0};
        struct sg_error error = {0};
        char wanted[200];

        snprintf(wanted, sizeof wanted, "%s%s", CA_LAST_LINE, CASES[i].ocsp);
        ca_configure(ca, present, wanted);
        expect_failure(CASES[i].name, see_to_it(ca, SG_RENEW_NOW, &news, &error), &error,
                       CASES[i].code, CASES[i].part);
        assert_int_equal(ca_count(ca, SG_STATUS_VALID), 1); /* the root */
        assert_int_equal(news.certificate.len, 0);
        ca_configure(ca, wanted, CA_LAST_LINE);
    }
}

/* A status-only issuer has its responder certified and nothing else; a retired one not even that.
 */
static void by_the_issuers_state(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    struct sg_error error = {0};
    struct sg_serial serial;

    ca_configure(ca, CA_LAST_LINE, CA_LAST_LINE RESPONDER);
    ca_configure(ca, "    state: active\n", "    state: status-only\n");
    assert_null(ca->issuer);
    expect_news("status-only", ca, SG_RENEW_WHEN_DUE, true, &serial);
    ca_configure(ca, "policy: brief", "policy: device-mtls");
    expect_failure("another policy", see_to_it(ca, SG_RENEW_NOW, &news, &error), &error,
                   SG_UNAUTHENTICATED, "");
    ca_configure(ca, "policy: device-mtls", "policy: brief");
    ca_configure(ca, "state: status-only", "state: retired");
    expect_news("retired, it is kept", ca, SG_RENEW_WHEN_DUE, false, &serial);
    ca->now += 40 * DAY;
    sg_error_clear(&error);
    expect_failure("retired", see_to_it(ca, SG_RENEW_WHEN_DUE, &news, &error), &error, SG_REFUSED,
                   "is retired");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_gets, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(a_subject_of_its_own, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(when_it_is_renewed, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(a_revoked_one_is_replaced, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(another_key_needs_another_certificate, make_home,
                                        ca_remove_home),
        cmocka_unit_test_setup_teardown(a_renewal_that_fails, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(what_is_refused, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(by_the_issuers_state, make_home, ca_remove_home),
    };

    return cmocka_run_group_tests(tests, make_token, ca_remove_token);
}
