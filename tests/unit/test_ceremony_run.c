/* Whole ceremonies: as planned, and gone wrong. */
#include "ceremony_fixture.h"

static void it_takes_place_and_is_proved(void **state)
{
    struct stage stage;

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    expect_run(&stage, "run", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "proof");
    expect_run(&stage, "again", (struct cast){0}, SG_FAILED, "has taken place");
    tear_down_stage(&stage);
}

static void a_label_that_is_there_stops_it(void **state)
{
    struct stage stage;

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    assert_int_equal(in_child(&stage, child_makes_key, (char[]){"sub"}), 0);
    expect_run(&stage, "label", (struct cast){0}, SG_TOKEN, "has a private key 'sub' already");
    tear_down_stage(&stage);
}

static void an_output_that_is_there_stays(void **state)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct stage stage;
    struct sg_error error = {0};
    char path[160];

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    assert_int_equal(mkdir(stage.folder, 0700), 0);
    snprintf(path, sizeof path, "%s/out", stage.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/out/root.pem", stage.folder);
    write_text(path, "mine\n", 0600);
    expect_run(&stage, "output", (struct cast){0}, SG_FAILED, "is something else; it stays");
    expect_success("read", sg_file_read(path, 100, &bytes, &error), &error);
    assert_string_equal((char *)bytes.data, "mine\n");
    tear_down_stage(&stage);
}

/* ---- people ---- */

static void people_can_go_wrong(void **state)
{
    static const struct {
        const char *name;
        struct cast cast;
        enum sg_code code;
        const char *said;
    } CASES[] = {
        {"another digest",
         {.instead = SG_ASK_APPROVAL, .answer = "00ff"},
         SG_REFUSED,
         "approval: this plan is not the one"},
        {"another seal",
         {.instead = SG_ASK_SEAL, .answer = "A8"},
         SG_REFUSED,
         "seal: the seal of the bag has the number A8"},
        {"a clock that is late",
         {.now = BEGINS - 1},
         SG_REFUSED,
         "clock: it is 2027-01-11T08:59:59Z"},
        {"a time that is typed",
         {.instead = SG_ASK_TIME, .answer = "no", .moments = {"2027-01-11T08:59:59Z"}},
         SG_REFUSED,
         "clock: it is 2027-01-11T08:59:59Z"},
        {"three wrong PINs", {.wrong_pins = 3}, SG_PIN, "refused the PIN"},
        {"a stop",
         {.instead = SG_ASK_GO, .answer = "stop", .from = 2},
         SG_REFUSED,
         "stopped before act 2"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct stage stage;

        set_up_stage(&stage, true);
        draft_whole(&stage);
        expect_run(&stage, CASES[i].name, CASES[i].cast, CASES[i].code, CASES[i].said);
        /* None of them is the end of it. */
        expect_run(&stage, "after it", (struct cast){0}, SG_OK, "");
        expect_proved(&stage, CASES[i].name);
        tear_down_stage(&stage);
    }
}

static void people_can_mistype(void **state)
{
    static const struct {
        const char *name;
        struct cast cast;
    } CASES[] = {
        {"a wrong PIN", {.wrong_pins = 1}},
        {"a word", {.instead = SG_ASK_GO, .answer = "og"}},
        {"initials", {.instead = SG_ASK_INITIALS, .answer = "XX", .from = 4}},
        {"a yes", {.instead = SG_ASK_TIME, .answer = "yeah"}},
        {"a no, in spite of everything", {.instead = SG_ASK_TIME, .answer = "no", .from = 2}},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct stage stage;

        set_up_stage(&stage, true);
        draft_whole(&stage);
        expect_run(&stage, CASES[i].name, CASES[i].cast, SG_OK, "");
        expect_proved(&stage, CASES[i].name);
        tear_down_stage(&stage);
    }
}

/* A machine whose clock has no battery any more. */
static void a_time_that_is_typed_counts(void **state)
{
    const struct cast cast = {.instead = SG_ASK_TIME,
                              .answer = "no",
                              .from = 2, /* the witness */
                              .now = 7,
                              .moments = {"noon", "2027-01-11T12:00:00Z"}};
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    const json_t *clock, *last;
    struct stage stage;
    struct sg_error error = {0};
    char path[160];

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    expect_run(&stage, "typed", cast, SG_OK, "");
    expect_proved(&stage, "typed");
    snprintf(path, sizeof path, "%s/transcript.jsonl", stage.folder);
    expect_success("record", sg_transcript_open(path, stage.ceremony.sha256, &transcript, &error),
                   &error);
    clock = sg_transcript_first(&transcript, "clock");
    last = json_array_get(transcript.entries, json_array_size(transcript.entries) - 1);
    assert_string_equal(json_string_value(json_object_get(clock, "time")), "2027-01-11T12:00:00Z");
    assert_string_equal(json_string_value(json_object_get(clock, "machine")),
                        "1970-01-01T00:00:07Z");
    assert_string_equal(json_string_value(json_object_get(last, "time")), "2027-01-11T12:00:00Z");
    tear_down_stage(&stage);
}

static void it_can_be_closed_as_failed(void **state)
{
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    struct stage stage;
    struct sg_error error = {0};
    char path[160];

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    expect_run(&stage, "fail", (struct cast){.instead = SG_ASK_GO, .answer = "fail", .from = 3},
               SG_FAILED, "closed as failed at act 3: because");
    expect_run(&stage, "again", (struct cast){0}, SG_FAILED, "was closed as failed");
    snprintf(path, sizeof path, "%s/transcript.jsonl", stage.folder);
    expect_success("record", sg_transcript_open(path, stage.ceremony.sha256, &transcript, &error),
                   &error);
    assert_string_equal(
        json_string_value(json_object_get(sg_transcript_first(&transcript, "failed"), "why")),
        "because");
    assert_int_equal(sg_transcript_count(&transcript, "objects"), 2);
    tear_down_stage(&stage);
}

/* ---- tokens and plans ---- */

static void another_token_is_refused(void **state)
{
    struct stage stage;

    (void)state;
    set_up_stage(&stage, true);
    strcpy(stage.serial, "0000000000000000");
    draft_whole(&stage);
    expect_run(&stage, "serial", (struct cast){0}, SG_TOKEN, "and the plan wants 0000000000000000");
    tear_down_stage(&stage);
}

static void another_plan_does_not_go_on(void **state)
{
    struct stage stage;

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    assert_int_equal(run_cast(&stage, &(struct cast){.die_after = 12}), 99);
    draft_whole(&stage); /* the same file, but other serial numbers */
    expect_run(&stage, "plan", (struct cast){0}, SG_FAILED, "by another plan");
    tear_down_stage(&stage);
}

/* Puts a signature over the plan into a file. */
static void approve(const struct stage *stage, const char *name, EVP_PKEY *key, char path[128])
{
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha384();
    uint8_t signature[256];
    size_t len = sizeof signature;
    struct sg_error error = {0};

    assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, stage->ceremony.bytes.data,
                                    stage->ceremony.bytes.len),
                     1);
    in_folder(stage, name, path);
    expect_success(
        name, sg_file_write(path, sg_slice_of(signature, len), 0600, SG_REPLACE_EXISTING, &error),
        &error);
}

static void signatures_approve(void **state)
{
    char ada[128], dora[128], eve[128];
    sg_auto(EVP_PKEY) EVP_PKEY *stranger = make_own_key("P-256");
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    expect_success("plan", draft(&stage, PERSONS "approval: {signatures: 2}\n" ACTS, &error),
                   &error);
    approve(&stage, "ada.sig", stage.ada, ada);
    approve(&stage, "dora.sig", stage.dora, dora);
    approve(&stage, "eve.sig", stranger, eve);
    expect_run(&stage, "none", (struct cast){0}, SG_REFUSED, "2 signatures, and there are 0");
    expect_run(&stage, "one", (struct cast){.approvals = {ada}, .num_approvals = 1}, SG_REFUSED,
               "2 signatures, and there are 1");
    expect_run(&stage, "one twice", (struct cast){.approvals = {ada, ada}, .num_approvals = 2},
               SG_REFUSED, "Ada has signed the plan twice");
    expect_run(&stage, "a stranger", (struct cast){.approvals = {ada, eve}, .num_approvals = 2},
               SG_REFUSED, "is no signature over this plan");
    expect_run(&stage, "both", (struct cast){.approvals = {ada, dora}, .num_approvals = 2}, SG_OK,
               "");
    expect_proved(&stage, "both");
    tear_down_stage(&stage);
}

/* ---- an old root ---- */

#define USE                                                                                        \
    "acts:\n"                                                                                      \
    "  - use-key: {key: root, token: root, label: root, certificate: run/out/root.pem}\n"          \
    "  - crl: {issuer: root, number: 50, lifetime: 30d, revoked: [{certificate: run/out/sub.pem, " \
    "date: 2027-01-11T08:00:00Z, reason: superseded}], output: root.crl}\n"

static void an_old_root_signs_again(void **state)
{
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    expect_run(&stage, "first", (struct cast){0}, SG_OK, "");
    expect_success("plan", draft(&stage, PERSONS USE, &error), &error);
    in_folder(&stage, "second", stage.folder);
    expect_run(&stage, "second", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "second");
    in_folder(&stage, "third", stage.folder);
    assert_int_equal(run_cast(&stage, &(struct cast){.die_after = 10}), 99);
    expect_run(&stage, "third", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "third");
    tear_down_stage(&stage);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    expect_run(&stage, "first", (struct cast){0}, SG_OK, "");
    expect_success("plan",
                   draft(&stage,
                         PERSONS "acts:\n  - use-key: {key: root, token: root, label: sub, "
                                 "certificate: run/out/root.pem}\n",
                         &error),
                   &error);
    in_folder(&stage, "second", stage.folder);
    expect_run(&stage, "second", (struct cast){0}, SG_TOKEN, "is not the key of run/out/root.pem");
    tear_down_stage(&stage);
}

/* ---- other CAs ---- */

static void other_cas_are_asked_and_crossed(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *other = make_own_key("P-256");
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    put_other_ca(&stage, "other.pem", other, (struct other_ca){"", "hash"});
    expect_success(
        "plan",
        draft(&stage,
              PERSONS ACTS
              "  - request: {key: sub, subject: CN=Sub, output: sub.csr}\n"
              "  - certificate: {name: cross, issuer: root, cross: other.pem, policy: issuing-ca, "
              "valid_until: 2027-03-01T00:00:00Z, output: cross.pem}\n"
              "  - backup: {key: root, method: vendor-clone}\n"
              "  - hand-over: {what: the bag, from: Bob, to: Dora}\n",
              &error),
        &error);
    expect_run(&stage, "run", (struct cast){0}, SG_OK, "");
    expect_proved(&stage, "proof");
    tear_down_stage(&stage);
}

/* ---- an end ---- */

#define END                                                                                        \
    "acts:\n"                                                                                      \
    "  - use-key: {key: root, token: root, label: root, certificate: run/out/root.pem}\n"          \
    "  - change-pin: {token: root, pin: [Ada]}\n"                                                  \
    "  - crl: {issuer: root, number: 60, lifetime: 300d, output: last.crl}\n"                      \
    "  - destroy: {key: root}\n"

static void an_old_root_comes_to_its_end(void **state)
{
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    expect_run(&stage, "first", (struct cast){0}, SG_OK, "");
    expect_success("plan", draft(&stage, PERSONS END, &error), &error);
    in_folder(&stage, "rehearsal", stage.folder);
    expect_run(&stage, "rehearsal", (struct cast){.rehearsal = true}, SG_OK, "");
    in_folder(&stage, "end", stage.folder);
    expect_run(&stage, "end", (struct cast){.slips = 1}, SG_OK, "");
    expect_proved(&stage, "end");
    /* It is gone, so nothing can be signed with it any more. */
    in_folder(&stage, "after", stage.folder);
    expect_success("plan", draft(&stage, PERSONS USE, &error), &error);
    expect_run(&stage, "after", (struct cast){.wrong_pins = 9}, SG_PIN, "refused the PIN");
    tear_down_stage(&stage);
}

static void pins_are_typed_on_the_tokens_pad(void **state)
{
    const struct cast by_pad = {.no_typing = true};
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    stage.has_pad = true;
    setenv("ODD_PAD", "1234", 1);
    setenv("ODD_PAD_NEW", "5555", 1);
    draft_whole(&stage);
    expect_run(&stage, "first", by_pad, SG_OK, "");
    expect_proved(&stage, "first");
    expect_success("plan", draft(&stage, PERSONS END, &error), &error);
    in_folder(&stage, "end", stage.folder);
    expect_run(&stage, "end", by_pad, SG_OK, "");
    expect_proved(&stage, "end");
    in_folder(&stage, "after", stage.folder);
    expect_success("plan", draft(&stage, PERSONS USE, &error), &error);
    expect_run(&stage, "after", by_pad, SG_PIN, "refused the PIN that was typed on its pad");
    unsetenv("ODD_PAD");
    tear_down_stage(&stage);
}

/* ---- rehearsals ---- */

static void expect_rehearsed(const struct stage *stage)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    const struct sg_ceremony_proving proving = {.rehearsal = true, .report = no_report};
    const struct sg_ceremony_proving as_run = {.report = no_report};
    struct sg_error error = {0}, refusal = {0};

    read_run(stage, &bundle);
    expect_success("rehearsal", sg_ceremony_prove(&bundle, &proving, &error), &error);
    expect_failure("as a run", sg_ceremony_prove(&bundle, &as_run, &refusal), &refusal, SG_REFUSED,
                   "this was a rehearsal");
}

static void a_rehearsal_needs_no_token_and_no_clock(void **state)
{
    struct stage stage;

    (void)state;
    set_up_stage(&stage, false);
    draft_whole(&stage);
    expect_run(&stage, "rehearsal", (struct cast){.rehearsal = true, .now = 1}, SG_OK, "");
    expect_rehearsed(&stage);
    expect_run(&stage, "again", (struct cast){.rehearsal = true}, SG_FAILED, "has taken place");
    in_folder(&stage, "broken", stage.folder);
    assert_int_equal(run_cast(&stage, &(struct cast){.rehearsal = true, .die_after = 12}), 99);
    expect_run(&stage, "in earnest", (struct cast){0}, SG_FAILED, "holds a rehearsal");
    expect_run(&stage, "once more", (struct cast){.rehearsal = true}, SG_FAILED,
               "holds something already");
    tear_down_stage(&stage);
}

static void an_old_key_is_stood_in_for(void **state)
{
    struct stage stage;
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    draft_whole(&stage);
    expect_run(&stage, "first", (struct cast){0}, SG_OK, "");
    expect_success("plan", draft(&stage, PERSONS USE, &error), &error);
    in_folder(&stage, "rehearsal", stage.folder);
    expect_run(&stage, "rehearsal", (struct cast){.rehearsal = true}, SG_OK, "");
    expect_rehearsed(&stage);
    tear_down_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_place_and_is_proved),
        cmocka_unit_test(a_label_that_is_there_stops_it),
        cmocka_unit_test(an_output_that_is_there_stays),
        cmocka_unit_test(people_can_go_wrong),
        cmocka_unit_test(people_can_mistype),
        cmocka_unit_test(a_time_that_is_typed_counts),
        cmocka_unit_test(it_can_be_closed_as_failed),
        cmocka_unit_test(another_token_is_refused),
        cmocka_unit_test(another_plan_does_not_go_on),
        cmocka_unit_test(signatures_approve),
        cmocka_unit_test(an_old_root_signs_again),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(other_cas_are_asked_and_crossed),
        cmocka_unit_test(an_old_root_comes_to_its_end),
        cmocka_unit_test(pins_are_typed_on_the_tokens_pad),
        cmocka_unit_test(a_rehearsal_needs_no_token_and_no_clock),
        cmocka_unit_test(an_old_key_is_stood_in_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
