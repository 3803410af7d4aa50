#include "token_fixture.h"

#include <errno.h>
#include <pthread.h>

#include "token/pin.h"

static char folder[64];

static int make(void **state)
{
    (void)state;
    make_folder(folder);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static void put_file(const char *name, const char *text, mode_t mode)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    write_text(path, text, mode);
}

static void sources(void **state)
{
    static const struct {
        const char *source;
        const char *part; /* of the message; NULL: accepted */
    } CASES[] = {
        {"file:pin", NULL},
        {"env:PIN", NULL},
        {"credential:pin", NULL},
        {"prompt", NULL},
        {"", "a PIN source is file:PATH"},
        {"secret77", "a PIN source is file:PATH"},
        {"secret77:x", "a PIN source is file:PATH"},
        {"prompt:", "a PIN source is file:PATH"},
        {"file:", "'file:' names nothing"},
        {"env:", "'env:' names nothing"},
        {"credential:", "'credential:' names nothing"},
        {"credential:../pin", "a credential is a plain name"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        bool verdict = sg_pin_check_source(CASES[i].source, &error);

        if (CASES[i].part == NULL)
            expect_success(CASES[i].source, verdict, &error);
        else
            expect_failure(CASES[i].source, verdict, &error, SG_USAGE, CASES[i].part);
        assert_null(strstr(error.text, "secret77"));
    }
}

#define LONG_256                                                                                   \
    "0123456789012345678901234567890123456789012345678901234567890123"                             \
    "0123456789012345678901234567890123456789012345678901234567890123"                             \
    "0123456789012345678901234567890123456789012345678901234567890123"                             \
    "0123456789012345678901234567890123456789012345678901234567890123"

static void reading(void **state)
{
    static const struct {
        const char *source;
        enum sg_code code; /* SG_OK: the PIN is 1234 */
        const char *part;
    } CASES[] = {
        {"file:good", SG_OK, NULL},
        {"file:newline", SG_OK, NULL},
        {"env:SIGNET_TEST_PIN", SG_OK, NULL},
        {"credential:good", SG_OK, NULL},
        {"file:absent", SG_PIN, "No such file"},
        {"file:empty", SG_PIN, "is empty"},
        {"file:long", SG_PIN, "longer than 255"},
        {"file:lines", SG_PIN, "more than one line"},
        {"file:group", SG_PIN, "has mode 640, so others can get at it; `chmod 600 "},
        {"file:world", SG_PIN, "has mode 604"},
        {"file:.", SG_PIN, "PIN file"},
        {"env:SIGNET_TEST_ABSENT", SG_PIN, "SIGNET_TEST_ABSENT, the PIN of token a, is not set"},
        {"env:SIGNET_TEST_EMPTY", SG_PIN, "is empty"},
        {"env:SIGNET_TEST_LONG", SG_PIN, "longer than 255"},
        {"credential:absent", SG_PIN, "No such file"},
        {"credential:empty", SG_PIN, "is empty"},
        {"nonsense", SG_USAGE, "a PIN source is"},
    };

    (void)state;
    put_file("good", "1234", 0600);
    put_file("newline", "1234\n", 0400);
    put_file("empty", "\n", 0600);
    put_file("long", LONG_256, 0600);
    put_file("lines", "1234\n1234\n", 0600);
    put_file("group", "1234", 0640);
    put_file("world", "1234", 0604);
    setenv("SIGNET_TEST_PIN", "1234", 1);
    setenv("SIGNET_TEST_EMPTY", "", 1);
    setenv("SIGNET_TEST_LONG", LONG_256, 1);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_secret) struct sg_secret *pin = NULL;
        struct sg_error error = {0};
        bool verdict = sg_pin_read(CASES[i].source, folder, "a", &pin, &error);

        if (CASES[i].code == SG_OK) {
            expect_success(CASES[i].source, verdict, &error);
            assert_int_equal(sg_secret_len(pin), 4);
            assert_memory_equal(sg_secret_data(pin), "1234", 4);
        } else {
            expect_failure(CASES[i].source, verdict, &error, CASES[i].code, CASES[i].part);
            assert_null(pin);
            assert_null(strstr(error.text, "1234"));
        }
    }
}

static void credentials_need_systemd(void **state)
{
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    struct sg_error error = {0};

    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    expect_failure("no folder", sg_pin_read("credential:good", folder, "a", &pin, &error), &error,
                   SG_PIN, "CREDENTIALS_DIRECTORY is not set");
}

static void credentials_have_any_mode(void **state)
{
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    struct sg_error error = {0};

    (void)state;
    put_file("group", "1234", 0440);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    expect_success("ACL mask", sg_pin_read("credential:group", NULL, "a", &pin, &error), &error);
}

static bool remembers(const char *record, const char *serial, const char *text)
{
    sg_auto(sg_secret) struct sg_secret *pin = make_secret(text);
    struct sg_error error = {0};

    if (sg_pin_check_not_refused(record, serial, pin, &error))
        return false;
    expect_failure("remembered", false, &error, SG_PIN, "was refused before");
    assert_null(strstr(error.text, text));
    return true;
}

static void remember(const char *record, const char *serial, const char *text)
{
    sg_auto(sg_secret) struct sg_secret *pin = make_secret(text);
    struct sg_error error = {0};

    expect_success(text, sg_pin_remember_refusal(record, serial, pin, &error), &error);
}

static size_t count_lines(const char *path)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};
    size_t num = 0;

    expect_success(path, sg_file_read(path, 1 << 20, &text, &error), &error);
    for (size_t i = 0; i < text.len; i++)
        num += text.data[i] == '\n';
    return num;
}

static void refusals(void **state)
{
    char record[128];
    struct sg_error error = {0};
    struct stat status;

    (void)state;
    snprintf(record, sizeof record, "%s/state/signet/refused", folder);
    assert_false(remembers(record, "aa", "pin-one"));
    expect_success("nothing to forget", sg_pin_forget_refusals(record, "aa", &error), &error);
    remember(record, "aa", "pin-one");
    remember(record, "aa", "pin-two");
    remember(record, "serial of blanks", "pin-one");
    remember(record, "aa", "pin-one");
    assert_int_equal(count_lines(record), 3);
    assert_int_equal(stat(record, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(remembers(record, "aa", "pin-one"));
    assert_true(remembers(record, "aa", "pin-two"));
    assert_false(remembers(record, "aa", "pin-three"));
    assert_false(remembers(record, "bb", "pin-one"));
    assert_true(remembers(record, "serial of blanks", "pin-one"));
    expect_success("forget", sg_pin_forget_refusals(record, "aa", &error), &error);
    assert_false(remembers(record, "aa", "pin-one"));
    assert_true(remembers(record, "serial of blanks", "pin-one"));
    assert_int_equal(count_lines(record), 1);
}

/* The record holds digests, not PINs. */
static void record_keeps_no_pin(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};
    char record[128];

    (void)state;
    snprintf(record, sizeof record, "%s/digests", folder);
    remember(record, "aa", "pin-one");
    assert_true(sg_file_read(record, 1 << 20, &text, &error));
    assert_null(strstr((const char *)text.data, "pin-one"));
    assert_null(strstr((const char *)text.data, "70696e2d6f6e65"));
}

static void broken_records(void **state)
{
#define SALT   "000102030405060708090a0b0c0d0e0f"
#define DIGEST SALT SALT
    static const struct {
        const char *name, *text, *part;
    } CASES[] = {
        {"nonsense", "nonsense\n", ":1: not a line"},
        {"second line", SALT " " DIGEST " aa\n\n", ":2: not a line"},
        {"no serial", SALT " " DIGEST " \n", ":1: not a line"},
        {"short digest", SALT " " SALT " aa\n", ":1: not a line"},
        {"not hex", SALT " zz" SALT "0102030405060708090a0b0c0d0e0f aa\n", ":1: not a line"},
        {"long serial", SALT " " DIGEST " " DIGEST "a\n", ":1: not a line"},
    };
    sg_auto(sg_secret) struct sg_secret *pin = make_secret("1234");
    char record[128];

    (void)state;
    snprintf(record, sizeof record, "%s/broken", folder);
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};

        write_text(record, CASES[i].text, 0600);
        expect_failure(CASES[i].name, sg_pin_check_not_refused(record, "aa", pin, &error), &error,
                       SG_PIN, CASES[i].part);
    }
}

static void unreadable_records(void **state)
{
    sg_auto(sg_secret) struct sg_secret *pin = make_secret("1234");
    struct sg_error error = {0};
    char record[128];

    (void)state;
    expect_failure("a folder", sg_pin_check_not_refused(folder, "aa", pin, &error), &error, SG_PIN,
                   "no PIN is tried without the record");
    put_file("file", "", 0600);
    snprintf(record, sizeof record, "%s/file/record", folder);
    sg_error_clear(&error);
    expect_failure("below a file", sg_pin_remember_refusal(record, "aa", pin, &error), &error,
                   SG_FAILED, "");
}

static void *remember_some(void *argument)
{
    const char *record = argument;

    for (int i = 0; i < 4; i++) {
        char text[32];

        snprintf(text, sizeof text, "%lx-%d", (unsigned long)pthread_self(), i);
        remember(record, "aa", text);
    }
    return NULL;
}

static void writers_take_turns(void **state)
{
    char record[128];
    pthread_t threads[4];

    (void)state;
    snprintf(record, sizeof record, "%s/turns", folder);
    for (size_t i = 0; i < NUM(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, remember_some, record), 0);
    for (size_t i = 0; i < NUM(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count_lines(record), 16);
}

static void default_place(void **state)
{
    static const struct {
        const char *state_home, *home, *path; /* NULL path: there is none */
    } CASES[] = {
        {"/s", "/h", "/s/signet/refused-pins"},
        {NULL, "/h", "/h/.local/state/signet/refused-pins"},
        {"relative", "/h", "/h/.local/state/signet/refused-pins"},
        {NULL, NULL, NULL},
        {NULL, "relative", NULL},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(malloc) char *path = NULL;
        struct sg_error error = {0};
        bool verdict;

        unsetenv("XDG_STATE_HOME");
        unsetenv("HOME");
        if (CASES[i].state_home != NULL)
            setenv("XDG_STATE_HOME", CASES[i].state_home, 1);
        if (CASES[i].home != NULL)
            setenv("HOME", CASES[i].home, 1);
        verdict = sg_pin_refusals_default(&path, &error);
        if (CASES[i].path == NULL) {
            expect_failure("nowhere", verdict, &error, SG_FAILED, "set HOME or XDG_STATE_HOME");
        } else {
            expect_success(CASES[i].path, verdict, &error);
            assert_string_equal(path, CASES[i].path);
        }
    }
}

/* The same sources in other words; no token has a part in it. */
static void passphrases(void **state)
{
    static const struct {
        const char *source;
        enum sg_code code; /* SG_OK: it is 1234 */
        const char *part;
    } CASES[] = {
        {"env:SIGNET_TEST_PASSPHRASE", SG_OK, NULL},
        {"file:/nowhere/passphrase", SG_FAILED,
         "cannot open the passphrase file /nowhere/passphrase for key file a.key: No such file"},
        {"env:SIGNET_TEST_NONE", SG_FAILED, "the passphrase of key file a.key, is not set"},
        {"nonsense", SG_USAGE, "a passphrase source is file:PATH"},
        {"file:", SG_USAGE, "the passphrase source 'file:' names nothing"},
    };

    (void)state;
    setenv("SIGNET_TEST_PASSPHRASE", "1234", 1);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_secret) struct sg_secret *passphrase = NULL;
        struct sg_error error = {0};
        bool verdict =
            sg_pin_read_passphrase(CASES[i].source, "key file a.key", &passphrase, &error);

        if (CASES[i].code == SG_OK) {
            expect_success(CASES[i].source, verdict, &error);
            assert_memory_equal(sg_secret_data(passphrase), "1234", 4);
        } else {
            expect_failure(CASES[i].source, verdict, &error, CASES[i].code, CASES[i].part);
            assert_null(passphrase);
        }
        sg_error_clear(&error);
        if (sg_pin_check_passphrase_source(CASES[i].source, &error) != (CASES[i].code != SG_USAGE))
            fail_msg("%s: should be checked as it is read", CASES[i].source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passphrases),
        cmocka_unit_test(sources),
        cmocka_unit_test(reading),
        cmocka_unit_test(credentials_need_systemd),
        cmocka_unit_test(credentials_have_any_mode),
        cmocka_unit_test(refusals),
        cmocka_unit_test(record_keeps_no_pin),
        cmocka_unit_test(broken_records),
        cmocka_unit_test(unreadable_records),
        cmocka_unit_test(writers_take_turns),
        cmocka_unit_test(default_place),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
