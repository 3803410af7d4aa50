#include "expect.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/limits.h"
#include "service/desk.h"
#include "service/door.h"

enum { NUM_ASKED = 40, GROWTH = 5000 };

/* A door with nothing but a desk that answers at once, on the door's own thread. */
struct house {
    char folder[64], path[80];
    struct sg_board board;
    struct sg_shelf shelf;
    struct sg_door door;
    pthread_t thread;
    unsigned num_told; /* that there is something on the board */
};

/* The nth answer has n times GROWTH octets, each of them n. */
static void answer_all(void *context)
{
    static uint8_t octets[NUM_ASKED * GROWTH];
    struct house *house = context;
    struct sg_errand *errand;
    bool is_end;

    house->num_told++;
    while ((errand = sg_board_take(&house->board, &is_end)) != NULL) {
        const size_t n = (size_t)errand->message.id;

        memset(octets, (int)n, n * GROWTH);
        sg_answer_bytes(errand, "x/y", NULL, sg_slice_of(octets, n * GROWTH), NULL);
        sg_board_finish(&house->board, errand);
    }
    sg_door_wake(&house->door);
}

static void on_tick(void *context)
{
    (void)context;
}

static void say(const char *text)
{
    (void)text;
}

static void *run(void *context)
{
    struct house *house = context;

    return sg_door_run(&house->door) ? house : NULL;
}

static void open_house(struct house *house)
{
    struct sg_error error = {0};

    *house = (struct house){0};
    make_folder(house->folder);
    snprintf(house->path, sizeof house->path, "%s/socket", house->folder);
    sg_board_init(&house->board, NUM_ASKED);
    sg_shelf_init(&house->shelf);
    house->door = (struct sg_door){.board = &house->board,
                                   .shelf = &house->shelf,
                                   .program = "test",
                                   .front = geteuid(),
                                   .longest_ms = 60000,
                                   .on_errand = answer_all,
                                   .on_tick = on_tick,
                                   .say = say,
                                   .context = house};
    expect_success("door", sg_door_open(&house->door, house->path, false, &error), &error);
    assert_int_equal(pthread_create(&house->thread, NULL, run, house), 0);
}

static void close_house(struct house *house)
{
    void *ended_well = NULL;

    sg_door_end(&house->door);
    pthread_join(house->thread, &ended_well);
    assert_non_null(ended_well);
    sg_door_done(&house->door);
    sg_shelf_done(&house->shelf);
    sg_board_done(&house->board);
    remove_folder(house->folder);
}

static int visit(const struct house *house)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, house->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void add(struct sg_buf *text, const struct sg_message *message)
{
    sg_auto(sg_buf) struct sg_buf frame = {0};
    struct sg_error error = {0};

    expect_success("encode", sg_message_encode(message, SG_WIRE_FRONT, &frame, &error), &error);
    assert_true(sg_buf_append(text, frame.data, frame.len, SG_LIMIT_BODY, &error));
}

/* A HELLO, and what is asked, all at once. */
static void ask(int fd)
{
    struct sg_message hello = {.type = SG_WIRE_HELLO}, figures = {.type = SG_WIRE_FIGURES};
    sg_auto(sg_buf) struct sg_buf text = {0};

    sg_message_set_text(&hello, SG_WIRE_PROGRAM, "test");
    add(&text, &hello);
    for (figures.id = 1; figures.id <= NUM_ASKED; figures.id++)
        add(&text, &figures);
    assert_int_equal(send(fd, text.data, text.len, 0), text.len);
}

static void read_whole(int fd, uint8_t *into, size_t len)
{
    assert_int_equal(recv(fd, into, len, MSG_WAITALL), len);
}

/* The next frame but PUBLISHED, which comes when there is nothing else to say. */
static void read_message(int fd, uint8_t frame[SG_WIRE_FRAME_MAX], struct sg_message *message)
{
    struct sg_error error = {0};
    size_t len = 0;

    do {
        read_whole(fd, frame, SG_WIRE_HEADER);
        assert_true(
            sg_wire_frame_len(sg_slice_of(frame, SG_WIRE_HEADER), SG_WIRE_ISSUER, &len, &error));
        read_whole(fd, frame + SG_WIRE_HEADER, len - SG_WIRE_HEADER);
        expect_success("frame",
                       sg_message_decode(sg_slice_of(frame, len), SG_WIRE_ISSUER, message, &error),
                       &error);
    } while (message->type == SG_WIRE_PUBLISHED);
}

/* They are more than the socket takes at once, and end anywhere in it. */
static void answers_that_go_out_together_stay_whole_and_in_order(void **state)
{
    static uint8_t frame[SG_WIRE_FRAME_MAX];
    static struct house house;
    struct sg_message message;

    (void)state;
    open_house(&house);
    const int fd = visit(&house);
    ask(fd);
    read_message(fd, frame, &message);
    assert_int_equal(message.type, SG_WIRE_WELCOME);
    for (size_t n = 1; n <= NUM_ASKED; n++) {
        read_message(fd, frame, &message);
        assert_int_equal(message.type, SG_WIRE_ANSWER);
        assert_int_equal(message.id, n);
        assert_int_equal(message.bytes[SG_WIRE_BODY].len, n * GROWTH);
        for (size_t i = 0; i < n * GROWTH; i++)
            assert_int_equal(message.bytes[SG_WIRE_BODY].data[i], n);
    }
    close(fd);
    close_house(&house);
    assert_int_equal(house.num_told, 1); /* of all that came at once */
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(answers_that_go_out_together_stay_whole_and_in_order),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
