#include "ca_fixture.h"

#include <openssl/x509_vfy.h>

#include "cert/cert.h"
#include "issue/tickets.h"

/* Renewal wants a new key and revokes what it renews. */
static const char REPLACE[] = "policy: replace\n"
                              "description: The renewed one is revoked\n"
                              "who: {any: [operator]}\n"
                              "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                              "subject: [{CN: '${device.id}'}]\n"
                              "validity: {for: 365d}\n"
                              "renewal: {window: 60d, same_key: refuse, previous: revoke}\n"
                              "unique: device\n";

static const char LINE[] = "policy: line\n"
                           "description: Devices that the line's operator brings\n"
                           "who: {any: [operator], unknown_device: register}\n"
                           "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                           "subject: [{CN: '${device.id}'}]\n"
                           "validity: {for: 365d}\n"
                           "unique: device\n";

static const char VISITORS[] = "policy: visitors\n"
                               "description: Nobody's word but the ticket's\n"
                               "who: {any: [ticket, operator]}\n"
                               "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                               "subject: [{CN: '${device.id}'}]\n"
                               "validity: {for: 365d}\n"
                               "unique: device\n";

static int make_home(void **state)
{
    struct ca *ca = *state;

    ca_make_home(state);
    ca_put_policy(ca, "replace", REPLACE);
    ca_put_policy(ca, "line", LINE);
    ca_put_policy(ca, "visitors", VISITORS);
    ca_add_device(ca, "device-AB12");
    ca_add_device(ca, "device-CD34");
    ca_add_device(ca, "device-EF56");
    return 0;
}

/* ---- what a step does when a test wants it to ---- */

struct watch {
    struct ca *ca;
    size_t num[SG_NUM_STEPS]; /* how often each step was passed */
    enum sg_issue_step last, order[64];
    size_t num_steps;
    /* what happens when `at` is passed for the `nth` time, counted from 1 */
    enum sg_issue_step at;
    size_t nth;
    void (*happens)(struct watch *watch);
    struct sg_job *jobs;
};

static void note_step(enum sg_issue_step step, void *context)
{
    struct watch *watch = context;

    watch->num[step]++;
    watch->last = step;
    if (watch->num_steps < NUM(watch->order))
        watch->order[watch->num_steps++] = step;
    if (watch->happens != NULL && step == watch->at && watch->num[step] == watch->nth)
        watch->happens(watch);
}

static struct sg_issuing watched(struct ca *ca, const char *policy, struct watch *watch)
{
    struct sg_issuing issuing = ca_issuing(ca, policy);

    watch->ca = ca;
    issuing.device_from_cn = true;
    issuing.after_step = note_step;
    issuing.step_context = watch;
    return issuing;
}

static void token_fails(struct watch *watch)
{
    (void)watch;
    setenv("ODD_SIGN_RV", "0x30", 1); /* CKR_DEVICE_ERROR */
}

static void store_fails(struct watch *watch)
{
    ca_break_store(watch->ca, true);
}

static void first_is_revoked(struct watch *watch)
{
    struct sg_error error = {0};

    expect_success("revoke",
                   sg_store_revoke(sg_home_store(watch->ca->home), watch->jobs[0].claim,
                                   SG_REASON_KEY_COMPROMISE, watch->ca->now, &error),
                   &error);
}

/* ---- many orders ---- */

struct orders {
    struct ca_order *items;
    struct sg_job *jobs; /* as sg_issue wants them; they own what the items' jobs would */
    size_t num;
};

static void orders_done(struct orders *orders)
{
    for (size_t i = 0; i < orders->num; i++) {
        sg_job_done(&orders->jobs[i]);
        ca_order_done(&orders->items[i]);
    }
    free(orders->items);
    free(orders->jobs);
}
SG_DEFINE_CLEANUP_IN_PLACE(orders, orders_done)

static void orders_of(size_t num, struct orders *orders)
{
    orders->items = calloc(num, sizeof *orders->items);
    orders->jobs = calloc(num, sizeof *orders->jobs);
    assert_true(orders->items != NULL && orders->jobs != NULL);
    orders->num = num;
}

static void put_order(struct orders *orders, size_t index, EVP_PKEY *key, const char *cn)
{
    ca_order(&orders->items[index], key, cn);
    orders->jobs[index].bytes = sg_buf_slice(&orders->items[index].der);
}

/* One for each device that a line brings. */
static void line_orders(size_t num, struct orders *orders)
{
    char cn[32];

    orders_of(num, orders);
    for (size_t i = 0; i < num; i++) {
        snprintf(cn, sizeof cn, "device-%04zu", i);
        put_order(orders, i, NULL, cn);
    }
}

static const char *number(size_t index)
{
    static char text[32];

    snprintf(text, sizeof text, "job %zu", index);
    return text;
}

/* The jobs from `from` up to and without `to` were all served in this way. */
static void expect_all_issued(const struct orders *orders, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        expect_issued(number(i), &orders->jobs[i], SG_JOB_ISSUED);
}

static void expect_all_refused(const struct orders *orders, size_t from, size_t to,
                               enum sg_code code, const char *part)
{
    for (size_t i = from; i < to; i++)
        expect_refused(number(i), &orders->jobs[i], code, part);
}

/* ---- the path ---- */

static void expect_signed_by_root(const struct ca *ca, struct sg_slice der)
{
    sg_auto(X509) X509 *certificate = NULL, *root = NULL;
    struct sg_error error = {0};

    expect_success("certificate", sg_cert_read(der, "certificate", &certificate, &error), &error);
    expect_success("root", sg_cert_read(sg_buf_slice(&ca->root_der), "root", &root, &error),
                   &error);
    assert_int_equal(X509_verify(certificate, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_check_issued(root, certificate), X509_V_OK);
}

struct recorded {
    size_t num;
    struct sg_buf der;
    char device[32], policy[32];
    enum sg_status status;
};

static bool see_recorded(const struct sg_certificate *certificate, void *context,
                         struct sg_error *error)
{
    struct recorded *recorded = context;

    recorded->num++;
    recorded->status = certificate->status;
    snprintf(recorded->device, sizeof recorded->device, "%s", certificate->device);
    snprintf(recorded->policy, sizeof recorded->policy, "%s", certificate->policy);
    return sg_buf_set(&recorded->der, sg_buf_slice(&certificate->der), error);
}

static void expect_recorded(struct ca *ca, const struct sg_job *job, const char *device,
                            const char *policy)
{
    const struct sg_certificate_filter filter = {.serial = &job->serial, .now = ca->now};
    struct recorded recorded = {0};
    struct sg_error error = {0};

    expect_success("record",
                   sg_store_each_certificate(sg_home_store(ca->home), &filter, see_recorded,
                                             &recorded, &error),
                   &error);
    assert_int_equal(recorded.num, 1);
    assert_int_equal(recorded.status, SG_STATUS_VALID);
    assert_string_equal(recorded.device, device);
    assert_string_equal(recorded.policy, policy);
    assert_true(sg_slice_equal(sg_buf_slice(&recorded.der), sg_buf_slice(&job->certificate)));
    sg_buf_free(&recorded.der);
}

static void one_request_takes_every_step(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    struct watch watch = {0};
    struct sg_issuing issuing = watched(ca, "device-mtls", &watch);
    struct sg_error error = {0};

    ca_order(&order, NULL, "device-AB12");
    expect_success("issue", sg_issue(&issuing, &order.job, 1, &error), &error);
    expect_issued("issue", &order.job, SG_JOB_ISSUED);
    assert_int_equal(watch.num_steps, SG_NUM_STEPS);
    for (int i = 0; i < SG_NUM_STEPS; i++)
        if ((int)watch.order[i] != i)
            fail_msg("step %d was %s", i, sg_issue_step_word(watch.order[i]));
    expect_signed_by_root(ca, sg_buf_slice(&order.job.certificate));
    expect_recorded(ca, &order.job, "device-AB12", "device-mtls");
}

static void every_step_has_a_word(void **state)
{
    (void)state;
    for (int i = 0; i < SG_NUM_STEPS; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(sg_issue_step_word((enum sg_issue_step)i),
                                    sg_issue_step_word((enum sg_issue_step)j));
}

/* ---- refusals ---- */

static const struct refusal {
    const char *name, *cn;
    const char *key; /* NULL: P-256 */
    bool broken, wrong_signature;
    const char *device; /* named by the operator, instead of the CN */
    bool nobody;        /* and no device is named at all */
    enum sg_code code;
    const char *rule, *part; /* of the error */
    enum sg_issue_step last; /* the last step that was passed; SG_NUM_STEPS: none */
} REFUSALS[] = {
    {"malformed", "device-CD34", .broken = true, .code = SG_MALFORMED, .rule = "", .part = "",
     .last = SG_NUM_STEPS},
    {"possession", "device-CD34", .wrong_signature = true, .code = SG_POSSESSION,
     .rule = "RFC 2986", .part = "", .last = SG_STEP_PARSED},
    {"key quality", "device-CD34", .key = "RSA-1024", .code = SG_KEY_QUALITY, .rule = "",
     .part = "1024", .last = SG_STEP_POSSESSION},
    {"unknown", "device-NONE", .code = SG_UNAUTHENTICATED, .rule = "", .part = "device-NONE",
     .last = SG_STEP_KEY_QUALITY},
    {"disabled", "device-EF56", .code = SG_UNAUTHENTICATED, .rule = "requester",
     .part = "device-EF56 is disabled", .last = SG_STEP_KEY_QUALITY},
    {"nobody", "device-CD34", .nobody = true, .code = SG_UNAUTHENTICATED, .rule = "requester",
     .part = "--device", .last = SG_STEP_KEY_QUALITY},
    {"somebody else's request", "device-CD34", .device = "device-AB12", .code = SG_REFUSED,
     .rule = "policy device-mtls: subject.CN", .part = "device-CD34",
     .last = SG_STEP_AUTHENTICATED},
    {"key that the policy does not take", "device-CD34", .key = "P-521", .code = SG_REFUSED,
     .rule = "policy device-mtls: keys", .part = "P-521", .last = SG_STEP_AUTHENTICATED},
    {"unique", "device-AB12", .code = SG_REFUSED, .rule = "policy device-mtls: unique",
     .part = "revoke it to replace it", .last = SG_STEP_CLAIMED},
};

static void prepare_refusal(const struct refusal *refusal, struct ca_order *order)
{
    EVP_PKEY *key = refusal->key != NULL ? make_key(refusal->key) : NULL;

    ca_order(order, key, refusal->cn);
    EVP_PKEY_free(key);
    if (refusal->broken)
        order->der.data[0] = 0x31;
    if (refusal->wrong_signature)
        order->der.data[order->der.len - 1] ^= 1;
    order->job.device = refusal->device;
}

static void refuse(struct ca *ca, const struct refusal *refusal)
{
    sg_auto(ca_order) struct ca_order order = {0};
    struct watch watch = {.last = SG_NUM_STEPS};
    struct sg_issuing issuing = watched(ca, "device-mtls", &watch);
    struct sg_error error = {0};

    issuing.device_from_cn = !refusal->nobody;
    prepare_refusal(refusal, &order);
    expect_success(refusal->name, sg_issue(&issuing, &order.job, 1, &error), &error);
    expect_refused(refusal->name, &order.job, refusal->code, refusal->part);
    if (strncmp(order.job.error.rule, refusal->rule, strlen(refusal->rule)) != 0)
        fail_msg("%s: the rule is '%s'", refusal->name, order.job.error.rule);
    if (watch.last != refusal->last)
        fail_msg("%s: ended after step %d, not %d", refusal->name, (int)watch.last,
                 (int)refusal->last);
}

/* A refused request is not written down and never gets to the token, which would fail here. */
static void refusals(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0};
    struct sg_error error = {0};

    ca_order(&first, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    expect_success("disable",
                   sg_store_set_disabled(sg_home_store(ca->home), SG_REGISTRY_DEVICE, "device-EF56",
                                         true, &error),
                   &error);
    setenv("ODD_SIGN_RV", "0x30", 1);
    for (size_t i = 0; i < NUM(REFUSALS); i++)
        refuse(ca, &REFUSALS[i]);
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 2); /* the root's own, and the first */
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED), 0);
    assert_int_equal(ca_count(ca, SG_STATUS_IN_FLIGHT), 0);
}

/* An expired issuer signs nothing; its policy says so before a claim is made. */
static void an_expired_issuer(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};

    ca->now = NOW + INT64_C(21) * 365 * DAY;
    ca_order(&order, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &order);
    expect_refused("expired", &order.job, SG_REFUSED, "issuer root has expired");
}

/* ---- groups ---- */

static void each_on_its_own_merits(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    sg_auto(ca_order) struct ca_order earlier = {0};
    struct watch watch = {0};
    struct sg_issuing issuing = watched(ca, "device-mtls", &watch);
    struct sg_error error = {0};

    ca_order(&earlier, NULL, "device-EF56");
    ca_issue(ca, "device-mtls", &earlier);
    orders_of(7, &orders);
    put_order(&orders, 0, NULL, "device-AB12");
    put_order(&orders, 1, NULL, "device-NONE");
    put_order(&orders, 2, NULL, "device-CD34");
    orders.items[2].der.data[0] = 0x31;
    put_order(&orders, 3, NULL, "device-CD34");
    put_order(&orders, 4, orders.items[0].key, "device-AB12"); /* with another signature */
    put_order(&orders, 5, NULL, "device-AB12");
    put_order(&orders, 6, earlier.key, "device-EF56");
    expect_success("group", sg_issue(&issuing, orders.jobs, orders.num, &error), &error);
    expect_issued("first", &orders.jobs[0], SG_JOB_ISSUED);
    expect_refused("unknown", &orders.jobs[1], SG_UNAUTHENTICATED, "device-NONE");
    expect_refused("malformed", &orders.jobs[2], SG_MALFORMED, "");
    expect_issued("fourth", &orders.jobs[3], SG_JOB_ISSUED);
    expect_refused("the first again", &orders.jobs[4], SG_REFUSED, "in this group twice");
    expect_refused("the first's device", &orders.jobs[5], SG_REFUSED,
                   "another request of this group");
    expect_issued("earlier", &orders.jobs[6], SG_JOB_REPEATED);
    assert_true(sg_slice_equal(sg_buf_slice(&orders.jobs[6].certificate),
                               sg_buf_slice(&earlier.job.certificate)));
    assert_int_equal(watch.num[SG_STEP_CLAIMED], 1);
    assert_int_equal(watch.num[SG_STEP_SIGNED], 2);
    assert_int_equal(watch.num[SG_STEP_RECORDED], 1);
}

static int compare_serials(const void *a, const void *b)
{
    return memcmp(((const struct sg_job *)a)->serial.bytes,
                  ((const struct sg_job *)b)->serial.bytes, SG_LIMIT_SERIAL);
}

static void more_than_a_group(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    sg_auto(malloc) struct sg_job *sorted = NULL;
    struct watch watch = {0};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    line_orders(300, &orders);
    expect_success("300", sg_issue(&issuing, orders.jobs, orders.num, &error), &error);
    expect_all_issued(&orders, 0, 300);
    assert_int_equal(watch.num[SG_STEP_CLAIMED], 2);
    assert_int_equal(watch.num[SG_STEP_SIGNED], 300);
    assert_int_equal(watch.num[SG_STEP_RECORDED], 2);
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 301);
    expect_recorded(ca, &orders.jobs[299], "device-0299", "line");
    sorted = calloc(300, sizeof *sorted);
    assert_non_null(sorted);
    memcpy(sorted, orders.jobs, 300 * sizeof *sorted);
    qsort(sorted, 300, sizeof *sorted, compare_serials);
    for (size_t i = 1; i < 300; i++)
        assert_int_not_equal(compare_serials(&sorted[i - 1], &sorted[i]), 0);
}

static void none(void **state)
{
    struct sg_issuing issuing = ca_issuing(*state, "device-mtls");
    struct sg_error error = {0};

    expect_success("none", sg_issue(&issuing, NULL, 0, &error), &error);
}

/* ---- again, and anew ---- */

/* Issues for device-AB12 with a key at a moment. */
static void issue_at(struct ca *ca, const char *policy, EVP_PKEY *key, int64_t now,
                     struct ca_order *order)
{
    ca->now = now;
    ca_order(order, key, "device-AB12");
    ca_issue(ca, policy, order);
}

static void a_retry_gets_the_same(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, again = {0};

    issue_at(ca, "device-mtls", NULL, NOW, &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    setenv("ODD_SIGN_RV", "0x30", 1); /* nothing is signed for it */
    issue_at(ca, "device-mtls", first.key, NOW + 100 * DAY, &again);
    expect_issued("again", &again.job, SG_JOB_REPEATED);
    assert_true(
        sg_slice_equal(sg_buf_slice(&again.job.certificate), sg_buf_slice(&first.job.certificate)));
    assert_memory_equal(again.job.serial.bytes, first.job.serial.bytes, SG_LIMIT_SERIAL);
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 2);
}

static void renewal_keeps_the_previous(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, early = {0}, renewed = {0}, same_key = {0};

    issue_at(ca, "device-mtls", NULL, NOW, &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    issue_at(ca, "device-mtls", NULL, NOW + 304 * DAY, &early);
    expect_refused("early", &early.job, SG_REFUSED, "it can be renewed from");
    issue_at(ca, "device-mtls", NULL, NOW + 306 * DAY, &renewed);
    expect_issued("renewed", &renewed.job, SG_JOB_ISSUED);
    assert_int_equal(ca_status(ca, &first.job.serial), SG_STATUS_VALID);
    assert_int_equal(ca_status(ca, &renewed.job.serial), SG_STATUS_VALID);
    issue_at(ca, "device-mtls", renewed.key, NOW + (306 + 306) * DAY, &same_key);
    expect_issued("with the same key", &same_key.job, SG_JOB_ISSUED);
    assert_int_equal(ca_status(ca, &first.job.serial), SG_STATUS_EXPIRED);
    assert_int_equal(ca_status(ca, &renewed.job.serial), SG_STATUS_VALID);
}

static void renewal_revokes_the_previous(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order first = {0}, same_key = {0}, failed = {0}, renewed = {0};
    int64_t late = NOW + 306 * DAY;

    issue_at(ca, "replace", NULL, NOW, &first);
    expect_issued("first", &first.job, SG_JOB_ISSUED);
    issue_at(ca, "replace", first.key, late, &same_key);
    expect_refused("same key", &same_key.job, SG_REFUSED, "needs a new key");
    setenv("ODD_SIGN_RV", "0x30", 1);
    issue_at(ca, "replace", NULL, late, &failed);
    expect_refused("failed", &failed.job, SG_TOKEN, "");
    assert_int_equal(ca_status(ca, &first.job.serial), SG_STATUS_VALID); /* until recorded */
    unsetenv("ODD_SIGN_RV");
    issue_at(ca, "replace", NULL, late, &renewed);
    expect_issued("renewed", &renewed.job, SG_JOB_ISSUED);
    assert_int_equal(ca_status(ca, &first.job.serial), SG_STATUS_REVOKED);
    assert_int_equal(ca_status(ca, &renewed.job.serial), SG_STATUS_VALID);
}

/* ---- devices that the line brings ---- */

static bool is_registered(struct ca *ca, const char *id)
{
    sg_auto(sg_record) struct sg_record record = {0};

    return sg_store_find_record(sg_home_store(ca->home), SG_REGISTRY_DEVICE, id, &record, NULL);
}

static void a_device_is_registered_with_its_claim(void **state)
{
    static const struct {
        const char *name, *cn, *key;
        enum sg_code code; /* SG_OK: it is served */
        bool registered;
    } CASES[] = {
        {"brought", "device-NEW1", NULL, SG_OK, true},
        {"of the wrong form", "toaster", NULL, SG_REFUSED, false},
        {"with a key that the policy refuses", "device-NEW2", "P-384", SG_REFUSED, false},
        {"with a weak key", "device-NEW3", "RSA-1024", SG_KEY_QUALITY, false},
    };
    struct ca *ca = *state;

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(ca_order) struct ca_order order = {0};
        sg_auto(EVP_PKEY) EVP_PKEY *key = make_key(CASES[i].key != NULL ? CASES[i].key : "P-256");
        struct watch watch = {0};
        struct sg_issuing issuing = watched(ca, "line", &watch);
        struct sg_error error = {0};

        issuing.device_from_cn = false; /* the policy suffices */
        ca_order(&order, key, CASES[i].cn);
        expect_success(CASES[i].name, sg_issue(&issuing, &order.job, 1, &error), &error);
        if (CASES[i].code == SG_OK)
            expect_issued(CASES[i].name, &order.job, SG_JOB_ISSUED);
        else
            expect_refused(CASES[i].name, &order.job, CASES[i].code, "");
        if (is_registered(ca, CASES[i].cn) != CASES[i].registered)
            fail_msg("%s: registered or not", CASES[i].name);
    }
}

/* ---- an issuer's own key ---- */

static void certify_own_key(struct ca *ca, const char *policy, const char *name, struct sg_job *job)
{
    sg_auto(sg_name) struct sg_name subject = {0};
    struct sg_issuing issuing = ca_issuing(ca, policy);
    struct sg_error error = {0};

    expect_success("issuer",
                   sg_home_issuer(ca->home, NULL, SG_ISSUER_TO_CERTIFY, &issuing.issuer, &error),
                   &error);
    expect_success(name, sg_name_parse(name, &subject, &error), &error);
    job->own_subject = &subject;
    expect_success(name, sg_issue(&issuing, job, 1, &error), &error);
    job->own_subject = NULL;
}

static void an_own_key_twice(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_job) struct sg_job again = {0}, renamed = {0}, device = {0};
    sg_auto(ca_order) struct ca_order order = {0};

    certify_own_key(ca, "root-ca", "CN=Test Root,O=Example GmbH", &again);
    expect_issued("again", &again, SG_JOB_REPEATED);
    assert_true(sg_slice_equal(sg_buf_slice(&again.certificate), sg_buf_slice(&ca->root_der)));
    certify_own_key(ca, "root-ca", "CN=Another Root,O=Example GmbH", &renamed);
    expect_issued("renamed", &renamed, SG_JOB_ISSUED);
    assert_false(sg_slice_equal(sg_buf_slice(&renamed.certificate), sg_buf_slice(&ca->root_der)));
    /* the one policy is for own keys, the others are not */
    certify_own_key(ca, "issuing-ca", "CN=Test Root", &device);
    expect_refused("own key, other policy", &device, SG_REFUSED, "not self_signed");
    ca_order(&order, NULL, "device-AB12");
    ca_issue(ca, "root-ca", &order);
    expect_refused("other key, own policy", &order.job, SG_REFUSED, "for an issuer's own key");
}

/* Its CRLs would say nothing about what it has issued under the first one. */
static void an_own_key_that_has_issued_keeps_its_name(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_job) struct sg_job renamed = {0}, again = {0};
    sg_auto(ca_order) struct ca_order order = {0};

    ca_order(&order, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &order);
    expect_issued("device", &order.job, SG_JOB_ISSUED);
    const size_t before = ca_count(ca, SG_STATUS_VALID);
    certify_own_key(ca, "root-ca", "CN=Another Root,O=Example GmbH", &renamed);
    expect_refused("renamed", &renamed, SG_REFUSED, "under the name CN=Test Root,O=Example GmbH");
    assert_string_equal(renamed.error.rule, "issuer name");
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), before);
    ca->now += 40 * 365 * (int64_t)DAY; /* the first one has expired */
    certify_own_key(ca, "root-ca", "CN=Test Root,O=Example GmbH", &again);
    expect_issued("the same name", &again, SG_JOB_ISSUED);
}

/* An import is the other way to another name. */
static void a_certificate_under_another_name_is_not_put_in_place(void **state)
{
    struct ca *ca = *state;
    sg_auto(sg_job) struct sg_job renamed = {0};
    sg_auto(ca_order) struct ca_order order = {0};
    struct sg_error error = {0};

    certify_own_key(ca, "root-ca", "CN=Another Root,O=Example GmbH", &renamed);
    expect_issued("renamed", &renamed, SG_JOB_ISSUED);
    ca_order(&order, NULL, "device-AB12");
    ca_issue(ca, "device-mtls", &order);
    expect_issued("device", &order.job, SG_JOB_ISSUED);
    expect_failure("renamed",
                   sg_home_set_certificate(ca->home, "root", sg_buf_slice(&renamed.certificate),
                                           NULL, 0, true, ca->now, &error),
                   &error, SG_REFUSED, "set this one to status-only");
    sg_error_clear(&error);
    expect_success("the same name",
                   sg_home_set_certificate(ca->home, "root", sg_buf_slice(&ca->root_der), NULL, 0,
                                           true, ca->now, &error),
                   &error);
}

/* A CA, its OCSP responder and everybody else: three keys, whatever comes first. */
static void a_key_has_one_role(void **state)
{
    static const char *const POLICIES[] = {"device-mtls", "ocsp-responder", "issuing-ca"};
    struct ca *ca = *state;

    for (size_t i = 0; i < NUM(POLICIES); i++) {
        sg_auto(ca_order) struct ca_order first = {0}, again = {0};

        ca_order(&first, NULL, "device-AB12");
        ca_issue(ca, POLICIES[i], &first);
        expect_issued(POLICIES[i], &first.job, SG_JOB_ISSUED);
        for (size_t j = 0; j < NUM(POLICIES); j++) {
            sg_auto(ca_order) struct ca_order other = {0};

            ca_order(&other, first.key, "device-AB12");
            if (j == i)
                continue;
            ca_issue(ca, POLICIES[j], &other);
            expect_refused(POLICIES[j], &other.job, SG_KEY_QUALITY, "this key was certified for");
            assert_string_equal(other.job.error.rule, "one key, one holder");
        }
        ca_order(&again, first.key, "device-AB12");
        ca_issue(ca, POLICIES[i], &again);
        expect_issued(POLICIES[i], &again.job, SG_JOB_REPEATED);
    }
}

/* ---- the token fails ---- */

static void after_a_failure_nothing_is_signed(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0}, retry = {0};
    struct watch watch = {.at = SG_STEP_SIGNED, .nth = 2, .happens = token_fails};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    line_orders(5, &orders);
    expect_success("run", sg_issue(&issuing, orders.jobs, 5, &error), &error);
    expect_all_issued(&orders, 0, 2);
    expect_refused("the third", &orders.jobs[2], SG_TOKEN, "signet-test");
    assert_null(strstr(orders.jobs[2].error.text, "not tried"));
    assert_int_equal(orders.jobs[2].error.detail, 0x30);
    expect_all_refused(&orders, 3, 5, SG_TOKEN, "not tried: ");
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED), 3);
    assert_int_equal(ca_count(ca, SG_STATUS_IN_FLIGHT), 0);
    /* all the same again, when the token is back */
    unsetenv("ODD_SIGN_RV");
    orders_of(5, &retry);
    for (size_t i = 0; i < 5; i++)
        retry.jobs[i].bytes = sg_buf_slice(&orders.items[i].der);
    expect_success("again", sg_issue(&issuing, retry.jobs, 5, &error), &error);
    expect_issued("served before", &retry.jobs[1], SG_JOB_REPEATED);
    expect_all_issued(&retry, 2, 5);
}

/* The second group is not even claimed; what it asks wrongly it hears all the same. */
static void after_a_failure_nothing_is_claimed(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    struct watch watch = {0};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    line_orders(300, &orders);
    orders.items[280].der.data[0] = 0x31;
    setenv("ODD_SIGN_RV", "0x30", 1);
    expect_success("run", sg_issue(&issuing, orders.jobs, 300, &error), &error);
    expect_refused("the first", &orders.jobs[0], SG_TOKEN, "");
    expect_all_refused(&orders, 1, 280, SG_TOKEN, "not tried: ");
    expect_refused("malformed", &orders.jobs[280], SG_MALFORMED, "");
    expect_all_refused(&orders, 281, 300, SG_TOKEN, "not tried: ");
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED), SG_LIMIT_GROUP);
    assert_int_equal(watch.num[SG_STEP_CLAIMED], 1);
    assert_int_equal(watch.num[SG_STEP_RECORDED], 0);
}

static void a_wrong_signature_is_found_out(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    struct watch watch = {0};
    struct sg_issuing issuing = watched(ca, "device-mtls", &watch);
    struct sg_error error = {0};

    setenv("ODD_SIGNATURE", "1", 1);
    ca_order(&order, NULL, "device-AB12");
    expect_success("run", sg_issue(&issuing, &order.job, 1, &error), &error);
    expect_refused("wrong", &order.job, SG_TOKEN, "does not verify");
    assert_int_equal(watch.last, SG_STEP_SIGNED);
    assert_int_equal(ca_status(ca, &order.job.serial), SG_STATUS_ORPHANED);
}

/* The key on the token was exchanged for another after the issuer was opened, so to speak. */
static void a_signature_by_another_key_is_found_out(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    sg_auto(sg_public_key) struct sg_public_key other_key = {0};
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    struct sg_issuing issuing = ca_issuing(ca, "device-mtls");
    struct sg_issuer other = *ca->issuer;
    struct sg_error error = {0};
    int len;

    ca_order(&order, NULL, "device-AB12");
    order.job.device = "device-AB12";
    len = i2d_PUBKEY(order.key, &spki);
    assert_true(len > 0);
    expect_success("key", sg_public_key_decode(sg_slice_of(spki, (size_t)len), &other_key, &error),
                   &error);
    other.facts.key = other_key; /* borrowed */
    issuing.issuer = &other;
    expect_success("run", sg_issue(&issuing, &order.job, 1, &error), &error);
    expect_refused("another key", &order.job, SG_TOKEN, "does not verify");
    assert_int_equal(ca_status(ca, &order.job.serial), SG_STATUS_ORPHANED);
}

/* ---- the store fails, or says no at the last moment ---- */

static void revoked_while_it_is_signed(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    struct watch watch = {.at = SG_STEP_SIGNED, .nth = 2, .happens = first_is_revoked};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    line_orders(3, &orders);
    watch.jobs = orders.jobs;
    expect_success("run", sg_issue(&issuing, orders.jobs, 3, &error), &error);
    expect_refused("revoked", &orders.jobs[0], SG_REFUSED, "was revoked while");
    expect_all_issued(&orders, 1, 3);
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED), 1);
    assert_int_equal(ca_count(ca, SG_STATUS_IN_FLIGHT), 0);
}

static void a_claim_that_the_store_does_not_take(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    struct watch watch = {0};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    line_orders(3, &orders);
    orders.items[1].der.data[0] = 0x31;
    ca_break_store(ca, true);
    expect_failure("run", sg_issue(&issuing, orders.jobs, 3, &error), &error, SG_STORE, "store");
    ca_break_store(ca, false);
    expect_refused("first", &orders.jobs[0], SG_STORE, "not tried: ");
    expect_refused("malformed", &orders.jobs[1], SG_MALFORMED, "");
    expect_refused("third", &orders.jobs[2], SG_STORE, "not tried: ");
    assert_int_equal(watch.num[SG_STEP_SIGNED], 0);
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 1);
}

static void a_record_that_the_store_does_not_take(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    struct watch watch = {.at = SG_STEP_VERIFIED, .nth = 2, .happens = store_fails};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    line_orders(2, &orders);
    expect_failure("run", sg_issue(&issuing, orders.jobs, 2, &error), &error, SG_STORE, "store");
    ca_break_store(ca, false);
    expect_all_refused(&orders, 0, 2, SG_STORE, "the claim stays open until this process ends");
    assert_int_equal(ca_count(ca, SG_STATUS_IN_FLIGHT), 2);
    ca_reopen(ca);
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED), 2);
}

/* The store refuses the record by itself, but takes that the claims are given up. */
static void a_record_that_fails_gives_up_its_claims(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    struct watch watch = {0};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    ca_sql(ca, "CREATE TRIGGER refuse BEFORE INSERT ON certificate BEGIN"
               " SELECT RAISE(ABORT, 'no room'); END");
    line_orders(2, &orders);
    expect_failure("run", sg_issue(&issuing, orders.jobs, 2, &error), &error, SG_INTERNAL,
                   "no room");
    expect_all_refused(&orders, 0, 2, SG_INTERNAL, "no room");
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED), 2);
    assert_int_equal(ca_count(ca, SG_STATUS_IN_FLIGHT), 0);
}

static void what_was_recorded_before_is_served(void **state)
{
    struct ca *ca = *state;
    sg_auto(orders) struct orders orders = {0};
    struct watch watch = {.at = SG_STEP_RECORDED, .nth = 1, .happens = store_fails};
    struct sg_issuing issuing = watched(ca, "line", &watch);
    struct sg_error error = {0};

    line_orders(SG_LIMIT_GROUP + 2, &orders);
    expect_failure("run", sg_issue(&issuing, orders.jobs, orders.num, &error), &error, SG_STORE,
                   "store");
    ca_break_store(ca, false);
    expect_all_issued(&orders, 0, SG_LIMIT_GROUP);
    expect_all_refused(&orders, SG_LIMIT_GROUP, orders.num, SG_STORE, "not tried: ");
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), SG_LIMIT_GROUP + 1);
    assert_int_equal(ca_count(ca, SG_STATUS_IN_FLIGHT), 0);
}

/* A service's run: what the run has holds for nobody who brings his own. */
static void a_job_may_have_its_own_policy(void **state)
{
    static const char *const CN[] = {"device-AB12", "device-AB12", "device-CD34"};
    struct ca *ca = *state;
    const struct sg_ticket_order ticket = {
        .policy = "visitors", .device = "device-AB12", .made_by = "desk"};
    struct ca_order orders[NUM(CN)] = {0};
    struct sg_issuing issuing = ca_issuing(ca, "line");
    const struct sg_policy *visitors = NULL;
    char text[SG_TICKET_TEXT_SIZE];
    struct sg_job jobs[NUM(CN)] = {0};
    struct sg_error error = {0};
    int64_t id = 0;

    issuing.device_from_cn = true;
    expect_success("policy", sg_home_policy(ca->home, "visitors", &visitors, &error), &error);
    expect_success("ticket", sg_ticket_make(ca->home, &ticket, ca->now, text, &id, &error), &error);
    for (size_t i = 0; i < NUM(CN); i++) {
        ca_order(&orders[i], NULL, CN[i]);
        jobs[i].bytes = sg_buf_slice(&orders[i].der);
        jobs[i].policy = visitors;
    }
    jobs[0].evidence.ticket = text;
    jobs[2].device = "device-CD34"; /* jobs[1] does not even say who */
    expect_success("run", sg_issue(&issuing, jobs, NUM(CN), &error), &error);
    expect_issued("by ticket", &jobs[0], SG_JOB_ISSUED);
    assert_string_equal(jobs[0].plan.policy, "visitors");
    expect_refused("nobody", &jobs[1], SG_UNAUTHENTICATED, "certifies a device and none is named");
    expect_refused("the run's word", &jobs[2], SG_UNAUTHENTICATED, "this policy wants");
    for (size_t i = 0; i < NUM(CN); i++) {
        sg_job_done(&jobs[i]);
        ca_order_done(&orders[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, ca_remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_request_takes_every_step),
        cmocka_unit_test(every_step_has_a_word),
        TEST(refusals),
        TEST(an_expired_issuer),
        TEST(each_on_its_own_merits),
        TEST(more_than_a_group),
        TEST(none),
        TEST(a_retry_gets_the_same),
        TEST(renewal_keeps_the_previous),
        TEST(renewal_revokes_the_previous),
        TEST(a_device_is_registered_with_its_claim),
        TEST(an_own_key_twice),
        TEST(a_key_has_one_role),
        TEST(an_own_key_that_has_issued_keeps_its_name),
        TEST(a_certificate_under_another_name_is_not_put_in_place),
        TEST(after_a_failure_nothing_is_signed),
        TEST(after_a_failure_nothing_is_claimed),
        TEST(a_wrong_signature_is_found_out),
        TEST(a_signature_by_another_key_is_found_out),
        TEST(revoked_while_it_is_signed),
        TEST(a_claim_that_the_store_does_not_take),
        TEST(a_record_that_the_store_does_not_take),
        TEST(a_record_that_fails_gives_up_its_claims),
        TEST(what_was_recorded_before_is_served),
        TEST(a_job_may_have_its_own_policy),
    };

    return cmocka_run_group_tests(tests, ca_make_token, ca_remove_token);
}
