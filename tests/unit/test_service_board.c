#include "expect.h"

#include "base/limits.h"
#include "service/errand.h"
#include "service/shelf.h"

/* ---- errands ---- */

static struct sg_errand *new_errand_of(enum sg_wire_type type, uint64_t id)
{
    struct sg_message message = {.type = type, .id = id};
    sg_auto(sg_buf) struct sg_buf frame = {0};
    struct sg_errand *errand = NULL;
    struct sg_error error = {0};

    if (type == SG_WIRE_OCSP)
        sg_message_set_bytes(&message, SG_WIRE_BODY, sg_slice_text("?"));
    expect_success("encode", sg_message_encode(&message, SG_WIRE_FRONT, &frame, &error), &error);
    expect_success("errand", sg_errand_new(&frame, &errand, &error), &error);
    assert_null(frame.data);
    errand->since_ms = (int64_t)id * 10;
    return errand;
}

static struct sg_errand *new_errand(uint64_t id)
{
    return new_errand_of(SG_WIRE_HEALTH, id);
}

static void a_broken_frame_stays_the_callers(void **state)
{
    sg_auto(sg_buf) struct sg_buf frame = {0};
    struct sg_errand *errand = NULL;
    struct sg_error error = {0};

    (void)state;
    assert_true(sg_buf_set(&frame, sg_slice_text("this is no frame"), &error));
    expect_failure("frame", sg_errand_new(&frame, &errand, &error), &error, SG_MALFORMED,
                   "version");
    assert_non_null(frame.data);
    assert_null(errand);
}

static void errands_go_round_in_order(void **state)
{
    struct sg_board board;
    bool is_end = true;

    (void)state;
    sg_board_init(&board, 3);
    for (uint64_t id = 1; id <= 3; id++)
        assert_true(sg_board_offer(&board, new_errand(id)));
    struct sg_errand *fourth = new_errand(4);
    assert_false(sg_board_offer(&board, fourth)); /* no room: it is ours still */
    assert_int_equal(sg_board_look(&board).oldest_ms, 10);
    for (uint64_t id = 1; id <= 3; id++) {
        struct sg_errand *errand = sg_board_take(&board, &is_end);

        assert_true(errand->message.id == id);
        assert_false(is_end);
        sg_board_begin(&board, errand);
    }
    assert_null(sg_board_take(&board, &is_end));
    assert_false(is_end);
    assert_true(sg_board_offer(&board, fourth));
    assert_int_equal(sg_board_look(&board).oldest_ms, 10);
    assert_int_equal(sg_board_look(&board).num_under_way, 3);
    for (uint64_t id = 1; id <= 3; id++)
        sg_board_finish(&board, sg_board_first_under_way(&board));
    assert_int_equal(sg_board_look(&board).oldest_ms, 40);
    for (uint64_t id = 1; id <= 3; id++) {
        struct sg_errand *errand = sg_board_fetch(&board);

        assert_true(errand->message.id == id);
        sg_errand_free(errand);
    }
    assert_null(sg_board_fetch(&board));
    sg_board_done(&board); /* with one that still waits */
}

static void questions_wait_in_a_row_of_their_own(void **state)
{
    struct sg_board board;
    bool is_end = true;

    (void)state;
    sg_board_init(&board, 1);
    assert_true(sg_board_offer(&board, new_errand(3)));
    assert_true(sg_board_offer(&board, new_errand_of(SG_WIRE_OCSP, 2)));
    struct sg_errand *late = new_errand_of(SG_WIRE_OCSP, 4);
    assert_false(sg_board_offer(&board, late)); /* no room for it either */
    assert_int_equal(sg_board_look(&board).num_questions, 1);
    assert_int_equal(sg_board_look(&board).num_waiting, 1);
    assert_int_equal(sg_board_look(&board).oldest_ms, 20);

    struct sg_errand *question = sg_board_take_question(&board, 1);
    assert_true(question->message.id == 2);
    assert_int_equal(sg_board_look(&board).oldest_ms, 20); /* a teller that hangs is seen */
    struct sg_errand *errand = sg_board_take(&board, &is_end);
    assert_true(errand->message.id == 3);
    assert_null(sg_board_take(&board, &is_end));
    assert_false(is_end);

    assert_true(sg_board_offer(&board, late));
    sg_board_close(&board);
    assert_ptr_equal(sg_board_take_question(&board, 0), late); /* what waits is answered */
    assert_int_equal(sg_board_look(&board).oldest_ms, 20);
    sg_board_finish(&board, question);
    assert_null(sg_board_take_question(&board, 1));
    assert_int_equal(sg_board_look(&board).oldest_ms, 40);
    sg_board_finish(&board, late);
    assert_null(sg_board_take_question(&board, 0));
    assert_int_equal(sg_board_look(&board).oldest_ms, 0);
    sg_errand_free(errand);
    sg_board_done(&board);
}

static void what_is_tried_again_comes_first(void **state)
{
    struct sg_board board;
    bool is_end = true;

    (void)state;
    sg_board_init(&board, 1);
    sg_board_begin(&board, new_errand(1));
    assert_true(sg_board_offer(&board, new_errand(2)));
    assert_true(sg_board_try_again(&board, sg_board_first_under_way(&board)));
    for (uint64_t id = 1; id <= 2; id++) {
        struct sg_errand *errand = sg_board_take(&board, &is_end);

        assert_true(errand->message.id == id);
        sg_errand_free(errand);
    }
    assert_null(sg_board_take(&board, &is_end));
    sg_board_begin(&board, new_errand(3));
    assert_true(sg_board_try_again(&board, sg_board_first_under_way(&board)));
    struct sg_errand *third = sg_board_take(&board, &is_end);
    assert_true(third->message.id == 3);
    sg_errand_free(third);
    sg_board_done(&board);
}

static void a_closing_board_serves_what_waits(void **state)
{
    struct sg_board board;
    bool is_end = false;

    (void)state;
    sg_board_init(&board, 3);
    assert_true(sg_board_offer(&board, new_errand(1)));
    sg_board_close(&board);
    struct sg_errand *late = new_errand(2);
    assert_false(sg_board_offer(&board, late));
    assert_false(sg_board_try_again(&board, late));
    sg_errand_free(late);
    struct sg_errand *errand = sg_board_take(&board, &is_end);
    assert_non_null(errand);
    assert_false(is_end);
    sg_errand_free(errand);
    assert_null(sg_board_take(&board, &is_end));
    assert_true(is_end);
    assert_int_equal(sg_board_look(&board).oldest_ms, 0);
    sg_board_done(&board);
}

/* ---- documents ---- */

static void put(struct sg_shelf *shelf, const char *path, const char *text, size_t times)
{
    struct sg_document document = {.media_type = "text/plain", .modified = 7, .max_age_s = 9};
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error error = {0};
    char name[64];

    snprintf(name, sizeof name, "%s", path);
    document.path = name;
    for (size_t i = 0; i < times; i++)
        assert_true(sg_buf_append(&bytes, text, strlen(text), SG_LIMIT_CRL, &error));
    expect_success(path, sg_shelf_put(shelf, &document, &bytes, &error), &error);
    assert_null(bytes.data);
}

/* Takes the next part; false when there is none. */
static bool take(struct sg_shelf *shelf, struct sg_shelf_cursor *cursor, const char *path,
                 size_t offset, size_t len, size_t total)
{
    sg_auto(sg_buf) struct sg_buf frame = {0};
    struct sg_message message = {0};
    struct sg_error error = {0};

    expect_success("take", sg_shelf_take(shelf, cursor, &frame, &error), &error);
    if (frame.len == 0)
        return false;
    expect_success("decode",
                   sg_message_decode(sg_buf_slice(&frame), SG_WIRE_ISSUER, &message, &error),
                   &error);
    assert_string_equal(sg_message_text(&message, SG_WIRE_PATH), path);
    assert_int_equal(sg_message_number(&message, SG_WIRE_OFFSET), offset);
    assert_int_equal(message.bytes[SG_WIRE_BODY].len, len);
    assert_int_equal(sg_message_number(&message, SG_WIRE_TOTAL), total);
    return true;
}

static void documents_are_taken_once_and_again_when_they_change(void **state)
{
    struct sg_shelf shelf;
    struct sg_shelf_cursor cursor = {0}, late = {0};

    (void)state;
    sg_shelf_init(&shelf);
    assert_false(take(&shelf, &cursor, NULL, 0, 0, 0));
    put(&shelf, "/a", "aa", 1);
    put(&shelf, "/b", "bbb", 1);
    assert_true(take(&shelf, &cursor, "/a", 0, 2, 2));
    assert_true(take(&shelf, &cursor, "/b", 0, 3, 3));
    assert_false(take(&shelf, &cursor, NULL, 0, 0, 0));
    put(&shelf, "/a", "a", 1);
    assert_true(take(&shelf, &cursor, "/a", 0, 1, 1));
    assert_false(take(&shelf, &cursor, NULL, 0, 0, 0));
    /* whoever comes later gets each of them once */
    assert_true(take(&shelf, &late, "/b", 0, 3, 3));
    assert_true(take(&shelf, &late, "/a", 0, 1, 1));
    assert_false(take(&shelf, &late, NULL, 0, 0, 0));
    sg_shelf_done(&shelf);
}

static void long_documents_come_in_parts(void **state)
{
    const size_t total = SG_LIMIT_BODY + 10;
    struct sg_shelf shelf;
    struct sg_shelf_cursor cursor = {0};

    (void)state;
    sg_shelf_init(&shelf);
    put(&shelf, "/long", "x", total);
    assert_true(take(&shelf, &cursor, "/long", 0, SG_LIMIT_BODY, total));
    assert_true(take(&shelf, &cursor, "/long", SG_LIMIT_BODY, 10, total));
    assert_false(take(&shelf, &cursor, NULL, 0, 0, 0));
    /* one that changes between its parts begins anew */
    put(&shelf, "/long", "x", total);
    assert_true(take(&shelf, &cursor, "/long", 0, SG_LIMIT_BODY, total));
    put(&shelf, "/long", "y", total + 1);
    assert_true(take(&shelf, &cursor, "/long", 0, SG_LIMIT_BODY, total + 1));
    assert_true(take(&shelf, &cursor, "/long", SG_LIMIT_BODY, 11, total + 1));
    assert_false(take(&shelf, &cursor, NULL, 0, 0, 0));
    sg_shelf_done(&shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_frame_stays_the_callers),
        cmocka_unit_test(errands_go_round_in_order),
        cmocka_unit_test(questions_wait_in_a_row_of_their_own),
        cmocka_unit_test(what_is_tried_again_comes_first),
        cmocka_unit_test(a_closing_board_serves_what_waits),
        cmocka_unit_test(documents_are_taken_once_and_again_when_they_change),
        cmocka_unit_test(long_documents_come_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
