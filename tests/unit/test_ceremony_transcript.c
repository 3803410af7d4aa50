#include "expect.h"

#include <fcntl.h>

#include "base/file.h"
#include "ceremony/transcript.h"

static const char PLAN[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct fixture {
    char folder[64];
    char path[96];
};

static int set_up(void **state)
{
    static struct fixture fixture;

    make_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/t.jsonl", fixture.folder);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    remove_folder(((struct fixture *)*state)->folder);
    return 0;
}

static int64_t a_moment(void *context)
{
    (void)context;
    return 1800000000;
}

static void write_entries(const struct fixture *fixture, int num)
{
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    struct sg_error error = {0};

    expect_success("open", sg_transcript_open(fixture->path, PLAN, &transcript, &error), &error);
    transcript.clock.now = a_moment;
    for (int i = 0; i < num; i++)
        expect_success("append",
                       sg_transcript_append(&transcript, i % 2 == 0 ? "even" : "odd",
                                            json_pack("{s:i, s:s}", "act", i + 1, "file", "x"),
                                            &error),
                       &error);
}

static void read_bytes(const struct fixture *fixture, struct sg_buf *bytes)
{
    struct sg_error error = {0};

    expect_success("read", sg_file_read(fixture->path, 1 << 20, bytes, &error), &error);
}

static void entries_are_found_again(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    struct sg_error error = {0};

    write_entries(fixture, 3);
    write_entries(fixture, 0);
    expect_success("again", sg_transcript_open(fixture->path, PLAN, &transcript, &error), &error);
    assert_int_equal(json_array_size(transcript.entries), 3);
    assert_int_equal(sg_transcript_count(&transcript, "even"), 2);
    assert_null(sg_transcript_first(&transcript, "neither"));
    assert_non_null(sg_transcript_of_act(&transcript, "odd", 1, "x"));
    assert_null(sg_transcript_of_act(&transcript, "odd", 1, "y"));
    assert_null(sg_transcript_of_act(&transcript, "odd", 0, NULL));
}

/* Every bit of it, one after the other. */
static void every_change_is_found_out(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    char head[SG_SHA256_HEX_SIZE];
    struct sg_error error = {0};

    write_entries(fixture, 3);
    read_bytes(fixture, &bytes);
    {
        sg_auto(sg_transcript) struct sg_transcript whole = {.fd = -1};
        expect_success("whole", sg_transcript_read(sg_buf_slice(&bytes), PLAN, &whole, &error),
                       &error);
        memcpy(head, whole.head, sizeof head);
    }
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        sg_auto(sg_transcript) struct sg_transcript changed = {.fd = -1};

        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (sg_transcript_read(sg_buf_slice(&bytes), PLAN, &changed, NULL) &&
            strcmp(changed.head, head) == 0)
            fail_msg("bit %zu of the record could be changed", bit);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void lines_can_not_be_taken_away_or_moved(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    struct sg_error first = {0}, plan = {0}, torn = {0};
    const char *second;

    write_entries(fixture, 3);
    read_bytes(fixture, &bytes);
    second = strchr((char *)bytes.data, '\n') + 1;
    expect_failure("without the first",
                   sg_transcript_read(sg_slice_text(second), PLAN, &transcript, &first), &first,
                   SG_INVALID, "line 1 does not follow from the plan");
    expect_failure("another plan",
                   sg_transcript_read(sg_buf_slice(&bytes), "0011", &transcript, &plan), &plan,
                   SG_INVALID, "line 1 does not follow from the plan");
    bytes.len--;
    expect_failure("without its end",
                   sg_transcript_read(sg_buf_slice(&bytes), PLAN, &transcript, &torn), &torn,
                   SG_INVALID, "has no end");
}

static void a_torn_line_is_cut_off(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error error = {0};

    write_entries(fixture, 3);
    read_bytes(fixture, &bytes);
    const char *third = strchr(strchr((char *)bytes.data, '\n') + 1, '\n') + 1;
    size_t two = (size_t)(third - (char *)bytes.data);
    for (size_t len = two + 1; len < bytes.len; len += 7) {
        sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};

        expect_success("tear",
                       sg_file_write(fixture->path, sg_slice_of(bytes.data, len), 0600,
                                     SG_REPLACE_EXISTING, &error),
                       &error);
        expect_success("open", sg_transcript_open(fixture->path, PLAN, &transcript, &error),
                       &error);
        assert_int_equal(json_array_size(transcript.entries), 2);
        assert_int_equal(transcript.torn, len - two);
        expect_success("go on", sg_transcript_append(&transcript, "odd", json_object(), &error),
                       &error);
    }
    write_entries(fixture, 0);
}

static void one_writer_at_a_time(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_transcript) struct sg_transcript one = {.fd = -1};
    sg_auto(sg_transcript) struct sg_transcript two = {.fd = -1};
    struct sg_error error = {0};

    expect_success("one", sg_transcript_open(fixture->path, PLAN, &one, &error), &error);
    expect_failure("two", sg_transcript_open(fixture->path, PLAN, &two, &error), &error, SG_FAILED,
                   "another process");
}

static void what_is_no_record_is_told_so(void **state)
{
    static const char *const LINES[] = {
        "\n",
        "[]\n",
        "{}\n",
        "{\"n\":1}\n",
        "{\"data\":{},\"event\":\"x\",\"n\":1,\"prev\":1,\"time\":\"\"}\n",
        "{\"data\":{},\"data\":{},\"event\":\"x\",\"n\":1,\"prev\":\"\",\"time\":\"\"}\n",
    };

    (void)state;
    for (size_t i = 0; i < NUM(LINES); i++) {
        sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
        struct sg_error error = {0};

        expect_failure(LINES[i],
                       sg_transcript_read(sg_slice_text(LINES[i]), PLAN, &transcript, &error),
                       &error, SG_INVALID, "line 1 is no entry");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_found_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_change_is_found_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_can_not_be_taken_away_or_moved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_line_is_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_writer_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_record_is_told_so, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
