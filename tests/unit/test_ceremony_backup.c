/* Backups by wrapping, and the drill that restores from one. */
#include "ceremony_forge.h"

enum { NUM_SPARES = 2 };
static const char *const SPARES[NUM_SPARES] = {"spare", "third"};
static char serials[NUM_SPARES][32];

static int child_makes_spare(struct stage *stage, void *context)
{
    struct sg_token_info info = make_token(context);

    put(stage, "serial", info.serial_number);
    return 0;
}

static void set_up(struct stage *stage)
{
    set_up_stage(stage, true);
    for (size_t i = 0; i < NUM_SPARES; i++) {
        sg_auto(sg_buf) struct sg_buf serial = {0};
        struct sg_error error = {0};
        char path[128], label[16];

        snprintf(label, sizeof label, "%s", SPARES[i]);
        assert_int_equal(in_child(stage, child_makes_spare, label), 0);
        in_folder(stage, "serial", path);
        expect_success("serial", sg_file_read(path, 100, &serial, &error), &error);
        snprintf(serials[i], sizeof serials[i], "%s", (char *)serial.data);
    }
}

/* The spare tokens stand behind the fixture's own. */
static void draft_with_spares(struct stage *stage, const char *acts)
{
    struct sg_error error = {0};
    char text[4096];
    size_t len = 0;

    for (size_t i = 0; i < NUM_SPARES; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "  %s: {profile: softhsm, uri: 'pkcs11:token=%s', serial: '%s', "
                                "pin: [Bob, Dora]}\n",
                                SPARES[i], SPARES[i], serials[i]);
    snprintf(text + len, sizeof text - len, PERSONS "acts:\n%s", acts);
    expect_success("plan", draft(stage, text, &error), &error);
}

#define ROOT                                                                                       \
    "  - make-key: {key: root, token: root, label: root, type: P-384}\n"                           \
    "  - self-signed: {name: root, key: root, policy: root-ca, subject: CN=Root, output: "         \
    "root.pem}\n"
#define COPY "  - backup: {key: root, method: wrap, token: spare, copy: copy}\n"
#define SUB  "  - make-key: {key: sub, token: root, label: sub, type: P-256}\n"

static void read_record(const struct stage *stage, struct sg_transcript *transcript)
{
    struct sg_error error = {0};
    char path[160];

    snprintf(path, sizeof path, "%s/transcript.jsonl", stage->folder);
    expect_success("record", sg_transcript_open(path, stage->ceremony.sha256, transcript, &error),
                   &error);
}

static bool tells(const struct sg_transcript *transcript, size_t act, const char *attribute)
{
    const json_t *key = sg_transcript_of_act(transcript, "key", act, NULL);
    const json_t *value = json_object_get(json_object_get(key, "attributes"), attribute);

    assert_true(json_is_boolean(value));
    return json_is_true(value);
}

/* ---- what is claimed ---- */

static void expect_line(const struct stage *stage, size_t act, const char *part, bool wanted)
{
    const json_t *lines = sg_ceremony_act_lines(&stage->ceremony, act);
    bool is_there = false;

    for (size_t i = 0; i < json_array_size(lines); i++)
        is_there = is_there || strstr(json_string_value(json_array_get(lines, i)), part) != NULL;
    if (is_there != wanted)
        fail_msg("act %zu should%s say '%s'", act + 1, wanted ? "" : " not", part);
}

static void a_key_that_can_leave_is_not_said_to_stay(void **state)
{
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    struct stage stage;

    (void)state;
    set_up(&stage);
    draft_with_spares(&stage, ROOT COPY SUB);
    expect_line(&stage, 0, "ALWAYS_SENSITIVE, EXTRACTABLE", true);
    expect_line(&stage, 0, "not NEVER_EXTRACTABLE", true);
    expect_line(&stage, 0, "can have this key wrapped out", true);
    expect_line(&stage, 2, "EXTRACTABLE", false);
    expect_line(&stage, 2, "attributes are shown as they are", true);
    expect_line(&stage, 3, "not NEVER_EXTRACTABLE", false);
    expect_line(&stage, 3, "can have this key wrapped out", false);
    expect_run(&stage, "run", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "proof");
    read_record(&stage, &transcript);
    assert_true(tells(&transcript, 0, "LOCAL") && tells(&transcript, 0, "EXTRACTABLE"));
    assert_false(tells(&transcript, 0, "NEVER_EXTRACTABLE"));
    assert_true(tells(&transcript, 2, "SENSITIVE") && tells(&transcript, 2, "EXTRACTABLE"));
    assert_false(tells(&transcript, 2, "LOCAL") || tells(&transcript, 2, "ALWAYS_SENSITIVE"));
    assert_false(tells(&transcript, 2, "NEVER_EXTRACTABLE"));
    assert_true(tells(&transcript, 3, "NEVER_EXTRACTABLE"));
    assert_int_equal(sg_transcript_count(&transcript, "tried"), 1);
    tear_down_stage(&stage);
}

static void a_rehearsal_copies_too(void **state)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    const struct sg_ceremony_proving proving = {.rehearsal = true, .report = no_report};
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up(&stage);
    draft_with_spares(&stage, ROOT COPY SUB);
    expect_run(&stage, "rehearsal", (struct cast){.rehearsal = true}, SG_OK, "");
    read_run(&stage, &bundle);
    expect_success("proof", sg_ceremony_prove(&bundle, &proving, &error), &error);
    tear_down_stage(&stage);
}

/* ---- interruptions ---- */

static bool is_over(const struct stage *stage)
{
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};

    read_record(stage, &transcript);
    return sg_transcript_first(&transcript, "end") != NULL;
}

static void it_goes_on_after_every_line(void **state)
{
    enum { FIRST = 13 }; /* the lines of the acts before have a test elsewhere */
    int die_after = FIRST, status = 99;

    (void)state;
    for (; status == 99; die_after++) {
        struct stage stage;
        char name[32];

        set_up(&stage);
        draft_with_spares(&stage, ROOT COPY "  - destroy: {key: copy}\n");
        status = run_cast(&stage, &(struct cast){.die_after = die_after});
        snprintf(name, sizeof name, "line %d", die_after);
        if (status == 99 && !is_over(&stage))
            expect_run(&stage, name, (struct cast){0}, SG_OK, "");
        expect_proved(&stage, name);
        tear_down_stage(&stage);
    }
    assert_true(die_after > FIRST + 7);
}

/* ---- the drill ---- */

#define DRILL                                                                                      \
    "  - use-key: {key: spare, token: spare, label: root, certificate: run/out/root.pem}\n"        \
    "  - backup: {key: spare, method: wrap, token: third, copy: restored}\n"                       \
    "  - destroy: {key: restored}\n"

static void a_copy_is_restored_from(void **state)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    const struct sg_ceremony_proving proving = {.rehearsal = true, .report = no_report};
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up(&stage);
    draft_with_spares(&stage, ROOT COPY SUB);
    expect_run(&stage, "first", (struct cast){0}, SG_OK, "");
    draft_with_spares(&stage, DRILL);
    in_folder(&stage, "rehearsal", stage.folder);
    expect_run(&stage, "rehearsal", (struct cast){.rehearsal = true}, SG_OK, "");
    read_run(&stage, &bundle);
    expect_success("rehearsal", sg_ceremony_prove(&bundle, &proving, &error), &error);
    in_folder(&stage, "drill", stage.folder);
    expect_run(&stage, "drill", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "drill");
    /* And in earnest: what was restored is the root. */
    draft_with_spares(
        &stage,
        "  - use-key: {key: spare, token: spare, label: root, certificate: run/out/root.pem}\n"
        "  - backup: {key: spare, method: wrap, token: third, copy: restored}\n"
        "  - crl: {issuer: spare, number: 10, lifetime: 30d, output: root.crl}\n");
    in_folder(&stage, "earnest", stage.folder);
    expect_run(&stage, "earnest", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "earnest");
    tear_down_stage(&stage);
}

static void a_key_that_stays_is_not_copied(void **state)
{
    struct stage stage;

    (void)state;
    set_up(&stage);
    draft_with_spares(&stage, ROOT);
    expect_run(&stage, "first", (struct cast){0}, SG_OK, "");
    draft_with_spares(
        &stage,
        "  - use-key: {key: root, token: root, label: root, certificate: run/out/root.pem}\n"
        "  - backup: {key: root, method: wrap, token: spare, copy: copy}\n");
    in_folder(&stage, "second", stage.folder);
    expect_run(&stage, "second", (struct cast){0}, SG_TOKEN,
               "act 2: the key on token root was made so that it can't leave it");
    tear_down_stage(&stage);
}

static void a_label_that_is_there_stops_it(void **state)
{
    struct stage stage;

    (void)state;
    set_up(&stage);
    draft_with_spares(&stage, ROOT COPY);
    expect_run(&stage, "first", (struct cast){0}, SG_OK, "");
    draft_with_spares(
        &stage,
        "  - use-key: {key: root, token: root, label: root, certificate: run/out/root.pem}\n"
        "  - backup: {key: root, method: wrap, token: spare, copy: copy}\n");
    in_folder(&stage, "second", stage.folder);
    expect_run(&stage, "second", (struct cast){0}, SG_TOKEN,
               "act 2: token spare has a private key 'root' already");
    tear_down_stage(&stage);
}

/* ---- proofs ---- */

static void no_other_claim_is_proved(void **state)
{
    static const struct {
        const char *name, *check;
        const char *old, *new; /* new NULL: the line with old goes */
    } CHANGES[] = {
        {"a key that never left", "keys", "\"EXTRACTABLE\":true,\"LOCAL\":true",
         "\"EXTRACTABLE\":false,\"LOCAL\":true"},
        {"a copy that was not tried", "keys", "\"event\":\"tried\"", NULL},
        {"a copy that signed something else", "keys", "\"signature\":\"30", "\"signature\":\"31"},
        {"a copy by another id", "keys", "\"how\":\"copied now\",\"id\":\"",
         "\"how\":\"copied now\",\"id\":\"00"},
        {"nothing copied", "keys", "\"how\":\"copied now\"", NULL},
        {"a copy that is nowhere", "tokens", "\"when\":\"after\"", NULL},
    };
    sg_auto(sg_ceremony_signers) struct sg_ceremony_signers signers = {0};
    struct stage stage;

    (void)state;
    set_up(&stage);
    draft_with_spares(&stage, ROOT COPY);
    expect_run(&stage, "run", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "unchanged");
    read_signers(&stage, &signers);
    for (size_t i = 0; i < NUM(CHANGES); i++) {
        sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
        struct sg_error error = {0};

        read_run(&stage, &bundle);
        if (CHANGES[i].new == NULL) {
            drop_line(&stage, &bundle, CHANGES[i].old);
        } else {
            replace(&bundle, "transcript.jsonl", CHANGES[i].old, CHANGES[i].new);
            chain_anew(&stage, &bundle);
        }
        sign_bundle(&stage, &bundle);
        if (prove(&stage, &bundle, &signers, &error))
            fail_msg("%s: was not found out", CHANGES[i].name);
        if (strcmp(error.rule, CHANGES[i].check) != 0)
            fail_msg("%s: should fail at %s, failed at %s: %s", CHANGES[i].name, CHANGES[i].check,
                     error.rule, error.text);
    }
    tear_down_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_can_leave_is_not_said_to_stay),
        cmocka_unit_test(a_rehearsal_copies_too),
        cmocka_unit_test(it_goes_on_after_every_line),
        cmocka_unit_test(a_copy_is_restored_from),
        cmocka_unit_test(a_key_that_stays_is_not_copied),
        cmocka_unit_test(a_label_that_is_there_stops_it),
        cmocka_unit_test(no_other_claim_is_proved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
