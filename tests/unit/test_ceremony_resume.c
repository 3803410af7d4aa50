/* Ceremonies that are interrupted after every line of their record, and go on. */
#include "ceremony_fixture.h"

static bool is_over(const struct stage *stage)
{
    sg_auto(sg_buf) struct sg_buf record = {0};
    struct sg_error error = {0};
    char path[160];

    snprintf(path, sizeof path, "%s/transcript.jsonl", stage->folder);
    expect_success("record", sg_file_read(path, 1 << 20, &record, &error), &error);
    return strstr((char *)record.data, "\"event\":\"end\"") != NULL;
}

/* Each life of the process is shorter than the record; together they make one ceremony. */
static void it_goes_on_after_every_line(void **state)
{
    int die_after = 1, status = 99;

    (void)state;
    for (; status == 99; die_after++) {
        struct stage stage;
        char name[32];

        set_up_stage(&stage, true);
        draft_whole(&stage);
        status = run_cast(&stage, &(struct cast){.die_after = die_after});
        snprintf(name, sizeof name, "line %d", die_after);
        if (status == 99 && !is_over(&stage))
            expect_run(&stage, name, (struct cast){0}, SG_OK, "");
        expect_proved(&stage, name);
        tear_down_stage(&stage);
    }
    assert_true(die_after > 25);
}

static void draft_all(struct stage *stage)
{
    struct sg_error error = {0};

    expect_success("plan", draft(stage, PERSONS ACTS LAST_ACTS, &error), &error);
}

static void it_goes_on_after_every_line_of_its_last_acts(void **state)
{
    int die_after = 27, status = 99;

    (void)state;
    for (; status == 99; die_after++) {
        struct stage stage;
        char name[32];

        set_up_stage(&stage, true);
        draft_all(&stage);
        status = run_cast(&stage, &(struct cast){.die_after = die_after});
        snprintf(name, sizeof name, "line %d", die_after);
        if (status == 99 && !is_over(&stage))
            expect_run(&stage, name, (struct cast){0}, SG_OK, "");
        expect_proved(&stage, name);
        tear_down_stage(&stage);
    }
    assert_true(die_after > 33);
}

/* What the last two acts would do, just before they could record it. */
static int child_destroys(struct stage *stage, void *context)
{
    struct sg_token_config config = config_of(&stage->fixture);
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};
    struct sg_token *token;

    (void)context;
    config.uri = "pkcs11:token=root";
    token = open_token(&config);
    expect_success("find", sg_key_find(token, "pkcs11:object=sub", &key, &error), &error);
    expect_success("destroy", sg_key_destroy(token, &key, &error), &error);
    sg_token_close(token);
    return 0;
}

static int child_changes_pin(struct stage *stage, void *context)
{
    sg_auto(sg_secret) struct sg_secret *old_pin = make_secret("1234");
    sg_auto(sg_secret) struct sg_secret *new_pin = make_secret("5555");
    struct sg_token_config config = config_of(&stage->fixture);
    struct sg_error error = {0};
    struct sg_token *token;

    (void)context;
    config.uri = "pkcs11:token=root";
    token = open_token(&config);
    expect_success("login", sg_token_login(token, &error), &error);
    expect_success("change", sg_token_change_pin(token, old_pin, new_pin, &error), &error);
    sg_token_close(token);
    return 0;
}

/* Dies at the line that begins an act, does what the act would have done, and goes on. */
static void interrupt_act(int act, int (*instead)(struct stage *stage, void *context))
{
    struct stage stage;
    char line[64];
    int die_after = 27;

    snprintf(line, sizeof line, "\"data\":{\"act\":%d,\"title\"", act);
    for (;; die_after++) {
        sg_auto(sg_buf) struct sg_buf record = {0};
        struct sg_error error = {0};
        char path[160];

        set_up_stage(&stage, true);
        draft_all(&stage);
        assert_int_equal(run_cast(&stage, &(struct cast){.die_after = die_after}), 99);
        snprintf(path, sizeof path, "%s/transcript.jsonl", stage.folder);
        expect_success("record", sg_file_read(path, 1 << 20, &record, &error), &error);
        if (strstr((char *)record.data, line) != NULL)
            break;
        tear_down_stage(&stage);
    }
    assert_int_equal(in_child(&stage, instead, NULL), 0);
    expect_run(&stage, line, (struct cast){0}, SG_OK, "");
    expect_proved(&stage, line);
    tear_down_stage(&stage);
}

static void a_key_that_was_destroyed_stays_so(void **state)
{
    (void)state;
    interrupt_act(6, child_destroys);
}

static void a_pin_that_was_changed_stays_so(void **state)
{
    (void)state;
    interrupt_act(7, child_changes_pin);
}

static void it_goes_on_after_many_interruptions(void **state)
{
    struct stage stage;
    int status = 99, lives = 0;

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    /* A resumption, the clock, an act, an intent and a signature are five lines. */
    while (status == 99) {
        status = run_cast(&stage, &(struct cast){.die_after = 6});
        assert_true(++lives < 40);
    }
    assert_int_equal(status, 0);
    assert_true(lives > 5);
    expect_proved(&stage, "many");
    tear_down_stage(&stage);
}

enum { LINES_BEFORE_FIRST_ACT = 7 };

static void a_key_that_was_made_is_not_made_again(void **state)
{
    struct stage stage;

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    assert_int_equal(run_cast(&stage, &(struct cast){.die_after = LINES_BEFORE_FIRST_ACT + 1}), 99);
    assert_int_equal(in_child(&stage, child_makes_key, (char[]){"root"}), 0);
    expect_run(&stage, "on", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "proof");
    tear_down_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_after_every_line),
        cmocka_unit_test(it_goes_on_after_every_line_of_its_last_acts),
        cmocka_unit_test(a_key_that_was_destroyed_stays_so),
        cmocka_unit_test(a_pin_that_was_changed_stays_so),
        cmocka_unit_test(it_goes_on_after_many_interruptions),
        cmocka_unit_test(a_key_that_was_made_is_not_made_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
