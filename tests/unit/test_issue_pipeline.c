#include "ca_fixture.h"

#include <pthread.h>

#include "issue/pipeline.h"

static const char LINE[] = "policy: line\n"
                           "description: Devices that the line's operator brings\n"
                           "who: {any: [operator], unknown_device: register}\n"
                           "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                           "subject: [{CN: '${device.id}'}]\n"
                           "validity: {for: 365d}\n"
                           "unique: device\n";

static int make_home(void **state)
{
    ca_make_home(state);
    ca_put_policy(*state, "line", LINE);
    return 0;
}

/* ---- a belt: requests at one end, what became of each at the other ---- */

struct answered {
    enum sg_job_outcome outcome;
    enum sg_code code;
    bool has_certificate;
    char text[SG_ERROR_TEXT_SIZE];
};

struct belt {
    struct ca_order *orders;
    struct answered *answers;
    size_t num, num_pulled, num_answered;
    size_t at_a_time;    /* at most so many in one pull; 0: whatever fits */
    size_t pull_fails;   /* after so many; 0: never */
    size_t answer_fails; /* after so many; 0: never */
    /* a trickle: a pull finds nothing until the other thread has let more through */
    pthread_mutex_t lock;
    bool is_trickle;
    size_t num_let_through, num_empty_pulls;
    struct sg_pipeline *pipeline;
};

static void belt_done(struct belt *belt)
{
    for (size_t i = 0; i < belt->num; i++)
        ca_order_done(&belt->orders[i]);
    free(belt->orders);
    free(belt->answers);
}
SG_DEFINE_CLEANUP_IN_PLACE(belt, belt_done)

static void load(struct belt *belt, size_t num)
{
    char cn[32];

    belt->orders = calloc(num, sizeof *belt->orders);
    belt->answers = calloc(num, sizeof *belt->answers);
    assert_true(belt->orders != NULL && belt->answers != NULL);
    belt->num = num;
    for (size_t i = 0; i < num; i++) {
        snprintf(cn, sizeof cn, "device-%04zu", i);
        ca_order(&belt->orders[i], NULL, cn);
    }
}

static size_t num_there(struct belt *belt)
{
    size_t num;

    pthread_mutex_lock(&belt->lock);
    num = belt->is_trickle ? belt->num_let_through : belt->num;
    pthread_mutex_unlock(&belt->lock);
    return num;
}

static bool pull(void *context, struct sg_job *jobs, size_t max, size_t *num, bool *end,
                 struct sg_error *error)
{
    struct belt *belt = context;
    size_t there = num_there(belt);

    if (belt->pull_fails != 0 && belt->num_pulled >= belt->pull_fails)
        return sg_fail(error, SG_FAILED, NULL, "the belt broke");
    for (*num = 0; *num < max && belt->num_pulled < there; ++*num) {
        if (belt->at_a_time != 0 && *num == belt->at_a_time)
            break;
        jobs[*num].bytes = sg_buf_slice(&belt->orders[belt->num_pulled++].der);
    }
    belt->num_empty_pulls += *num == 0;
    *end = belt->num_pulled == belt->num;
    return true;
}

static bool answer(void *context, const struct sg_job *jobs, size_t num, struct sg_error *error)
{
    struct belt *belt = context;

    for (size_t i = 0; i < num; i++) {
        struct answered *answered = &belt->answers[belt->num_answered++];

        /* in the order in which they came */
        assert_ptr_equal(jobs[i].bytes.data, belt->orders[belt->num_answered - 1].der.data);
        answered->outcome = jobs[i].outcome;
        answered->code = jobs[i].error.code;
        answered->has_certificate = jobs[i].certificate.len > 0;
        snprintf(answered->text, sizeof answered->text, "%s", jobs[i].error.text);
    }
    if (belt->answer_fails != 0 && belt->num_answered >= belt->answer_fails)
        return sg_fail(error, SG_FAILED, NULL, "the tray is full");
    return true;
}

static bool run(struct ca *ca, struct belt *belt, unsigned num_workers, struct sg_error *error)
{
    struct sg_issuing issuing = ca_issuing(ca, "line");
    sg_auto(sg_pipeline) struct sg_pipeline *pipeline = NULL;
    const struct sg_pipeline_ends ends = {.pull = pull, .answer = answer, .context = belt};

    expect_success("start", sg_pipeline_start(&issuing, num_workers, &pipeline, error), error);
    belt->pipeline = pipeline;
    return sg_pipeline_run(pipeline, &ends, error);
}

static void expect_answers(const struct belt *belt, size_t from, size_t to,
                           enum sg_job_outcome outcome, enum sg_code code, const char *part)
{
    for (size_t i = from; i < to; i++) {
        const struct answered *answered = &belt->answers[i];
        bool right = answered->outcome == outcome && answered->code == code &&
                     answered->has_certificate == (outcome != SG_JOB_REFUSED) &&
                     strstr(answered->text, part) != NULL;
        if (!right)
            fail_msg("answer %zu: outcome %d, code %d, %s", i, answered->outcome, answered->code,
                     answered->text);
    }
}

/* ---- tests ---- */

static void many_are_served_in_order(void **state)
{
    static const unsigned WORKERS[] = {1, 2, 5};
    struct ca *ca = *state;
    sg_auto(belt) struct belt belt = {.lock = PTHREAD_MUTEX_INITIALIZER};

    load(&belt, 300);
    for (size_t i = 0; i < NUM(WORKERS); i++) {
        struct sg_error error = {0};

        belt.num_pulled = belt.num_answered = 0;
        expect_success("run", run(ca, &belt, WORKERS[i], &error), &error);
        assert_int_equal(belt.num_answered, 300);
        /* the second and third time each gets what it has */
        expect_answers(&belt, 0, 300, i == 0 ? SG_JOB_ISSUED : SG_JOB_REPEATED, SG_OK, "");
        assert_int_equal(ca_count(ca, SG_STATUS_VALID), 301);
    }
}

static void nothing_to_do(void **state)
{
    sg_auto(belt) struct belt belt = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct sg_error error = {0};

    load(&belt, 0);
    expect_success("run", run(*state, &belt, 2, &error), &error);
    assert_int_equal(belt.num_answered, 0);
}

static void each_on_its_own_merits(void **state)
{
    struct ca *ca = *state;
    sg_auto(belt) struct belt belt = {.lock = PTHREAD_MUTEX_INITIALIZER, .at_a_time = 7};
    struct sg_error error = {0};

    load(&belt, 40);
    belt.orders[0].der.data[0] = 0x31;
    belt.orders[13].der.data[belt.orders[13].der.len - 1] ^= 1; /* in the signature */
    belt.orders[39].der.len = 0;
    expect_success("run", run(ca, &belt, 0, &error), &error);
    expect_answers(&belt, 0, 1, SG_JOB_REFUSED, SG_MALFORMED, "");
    expect_answers(&belt, 1, 13, SG_JOB_ISSUED, SG_OK, "");
    expect_answers(&belt, 13, 14, SG_JOB_REFUSED, SG_POSSESSION, "");
    expect_answers(&belt, 14, 39, SG_JOB_ISSUED, SG_OK, "");
    expect_answers(&belt, 39, 40, SG_JOB_REFUSED, SG_MALFORMED, "");
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 1 + 37);
}

static void *let_through(void *context)
{
    struct belt *belt = context;

    for (size_t i = 0; i < belt->num; i++) {
        usleep(2000);
        pthread_mutex_lock(&belt->lock);
        belt->num_let_through++;
        pthread_mutex_unlock(&belt->lock);
        sg_pipeline_wake(belt->pipeline);
    }
    return NULL;
}

static void a_trickle_is_served_as_it_comes(void **state)
{
    struct ca *ca = *state;
    sg_auto(belt) struct belt belt = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_trickle = true};
    struct sg_issuing issuing = ca_issuing(ca, "line");
    sg_auto(sg_pipeline) struct sg_pipeline *pipeline = NULL;
    const struct sg_pipeline_ends ends = {.pull = pull, .answer = answer, .context = &belt};
    struct sg_error error = {0};
    pthread_t thread;

    load(&belt, 30);
    expect_success("start", sg_pipeline_start(&issuing, 2, &pipeline, &error), &error);
    belt.pipeline = pipeline;
    assert_int_equal(pthread_create(&thread, NULL, let_through, &belt), 0);
    expect_success("run", sg_pipeline_run(pipeline, &ends, &error), &error);
    pthread_join(thread, NULL);
    expect_answers(&belt, 0, 30, SG_JOB_ISSUED, SG_OK, "");
    assert_true(belt.num_empty_pulls > 0);
}

/* Groups that were claimed when the token failed give up their claims; later ones make none. */
static void the_token_fails(void **state)
{
    struct ca *ca = *state;
    sg_auto(belt) struct belt belt = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct sg_error error = {0};
    size_t num_orphaned;

    load(&belt, 1300);
    setenv("ODD_SIGN_RV", "0x30", 1); /* CKR_DEVICE_ERROR */
    expect_success("run", run(ca, &belt, 2, &error), &error);
    unsetenv("ODD_SIGN_RV");
    assert_int_equal(belt.num_answered, 1300);
    expect_answers(&belt, 0, 1300, SG_JOB_REFUSED, SG_TOKEN, "");
    expect_answers(&belt, 1299, 1300, SG_JOB_REFUSED, SG_TOKEN, "not tried: ");
    num_orphaned = ca_count(ca, SG_STATUS_ORPHANED);
    assert_in_range(num_orphaned, 1, 4 * SG_LIMIT_GROUP);
    assert_int_equal(ca_count(ca, SG_STATUS_IN_FLIGHT), 0);
    /* all the same again, when the token is back */
    belt.num_pulled = belt.num_answered = 0;
    expect_success("again", run(ca, &belt, 2, &error), &error);
    expect_answers(&belt, 0, 1300, SG_JOB_ISSUED, SG_OK, "");
}

static void the_store_fails(void **state)
{
    struct ca *ca = *state;
    sg_auto(belt) struct belt belt = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct sg_error error = {0};

    load(&belt, 600);
    ca_break_store(ca, true);
    expect_failure("run", run(ca, &belt, 2, &error), &error, SG_STORE, "");
    ca_break_store(ca, false);
    /* everybody who was pulled has an answer, and nobody a certificate */
    assert_int_equal(belt.num_answered, belt.num_pulled);
    assert_true(belt.num_pulled >= SG_LIMIT_GROUP);
    expect_answers(&belt, 0, belt.num_answered, SG_JOB_REFUSED, SG_STORE, "not tried: ");
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 1);
}

static void an_end_fails(void **state)
{
    struct ca *ca = *state;
    sg_auto(belt) struct belt belt = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .at_a_time = 50, .pull_fails = 300};
    struct sg_error error = {0};

    load(&belt, 600);
    expect_failure("pull", run(ca, &belt, 2, &error), &error, SG_FAILED, "the belt broke");
    assert_int_equal(belt.num_answered, 300);
    expect_answers(&belt, 0, 300, SG_JOB_ISSUED, SG_OK, "");

    belt.pull_fails = 0;
    belt.num_pulled = belt.num_answered = 0;
    belt.answer_fails = 350;
    sg_error_clear(&error);
    expect_failure("answer", run(ca, &belt, 2, &error), &error, SG_FAILED, "the tray is full");
    assert_int_equal(belt.num_answered, 350);
    /* nothing that was claimed is left half-done */
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 1 + belt.num_pulled);
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED) + ca_count(ca, SG_STATUS_IN_FLIGHT), 0);
}

static void too_many_workers(void **state)
{
    struct sg_issuing issuing = ca_issuing(*state, "line");
    struct sg_pipeline *pipeline = NULL;
    struct sg_error error = {0};

    expect_failure("257", sg_pipeline_start(&issuing, 257, &pipeline, &error), &error, SG_USAGE,
                   "257 threads are too many");
    assert_null(pipeline);
    sg_pipeline_stop(NULL);
}

/* The last word before the claim: refused with a reason, or let go without one. */
static bool admit(void *context, struct sg_job *job, struct sg_error *error)
{
    struct belt *belt = context;
    size_t n = (size_t)(((struct ca_order *)job->tag) - belt->orders);

    assert_true(job->requester.has_device && job->claim == 0);
    if (n % 3 == 1)
        return sg_fail(error, SG_REFUSED, "belt", "not this one");
    return n % 3 == 0;
}

static bool pull_tagged(void *context, struct sg_job *jobs, size_t max, size_t *num, bool *end,
                        struct sg_error *error)
{
    struct belt *belt = context;
    size_t from = belt->num_pulled;

    if (!pull(context, jobs, max, num, end, error))
        return false;
    for (size_t i = 0; i < *num; i++)
        jobs[i].tag = &belt->orders[from + i];
    return true;
}

static void some_are_not_admitted(void **state)
{
    struct ca *ca = *state;
    sg_auto(belt) struct belt belt = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct sg_issuing issuing = ca_issuing(ca, "line");
    sg_auto(sg_pipeline) struct sg_pipeline *pipeline = NULL;
    const struct sg_pipeline_ends ends = {
        .pull = pull_tagged, .admit = admit, .answer = answer, .context = &belt};
    struct sg_error error = {0};

    load(&belt, 9);
    expect_success("start", sg_pipeline_start(&issuing, 2, &pipeline, &error), &error);
    expect_success("run", sg_pipeline_run(pipeline, &ends, &error), &error);
    for (size_t i = 0; i < 9; i += 3) {
        expect_answers(&belt, i, i + 1, SG_JOB_ISSUED, SG_OK, "");
        expect_answers(&belt, i + 1, i + 2, SG_JOB_REFUSED, SG_REFUSED, "not this one");
        expect_answers(&belt, i + 2, i + 3, SG_JOB_REFUSED, SG_OK, "");
    }
    assert_int_equal(ca_count(ca, SG_STATUS_VALID), 3 + 1); /* and the root's */
    assert_int_equal(ca_count(ca, SG_STATUS_ORPHANED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_are_served_in_order, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(some_are_not_admitted, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(nothing_to_do, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(each_on_its_own_merits, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(a_trickle_is_served_as_it_comes, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(the_token_fails, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(the_store_fails, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(an_end_fails, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(too_many_workers, make_home, ca_remove_home),
    };

    return cmocka_run_group_tests(tests, ca_make_token, ca_remove_token);
}
