#include "token_fixture.h"

#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

static struct fixture fixture;
static struct sg_token_info test_token, other_token;

static int make(void **state)
{
    (void)state;
    fixture_init(&fixture);
    test_token = make_token("test");
    other_token = make_token("other");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    fixture_done(&fixture);
    return 0;
}

/* Every test begins with a module that is not odd and with nothing on record. */
static int reset(void **state)
{
    static const char *const VARIABLES[] = {
        "ODD_INITIALIZE_RV", "ODD_SESSION_RV", "ODD_TOKEN_FLAGS", "ODD_MIN_PIN",
        "ODD_LOGIN_RV",      "ODD_LOGINS",     "ODD_PAD",         "ODD_PAD_NEW",
    };

    (void)state;
    for (size_t i = 0; i < NUM(VARIABLES); i++)
        unsetenv(VARIABLES[i]);
    unlink(fixture.refusals);
    return 0;
}

static struct sg_token_config odd_config(void)
{
    struct sg_token_config config = config_of(&fixture);

    config.profile = NULL;
    config.module = getenv("SIGNET_ODD_MODULE");
    return config;
}

static unsigned long count_logins(void)
{
    const char *text = getenv("ODD_LOGINS");

    return text == NULL ? 0 : strtoul(text, NULL, 10);
}

static void listing(void **state)
{
    sg_auto(malloc) struct sg_token_info *tokens = NULL;
    struct sg_error error = {0};
    size_t num, num_initialized = 0;

    (void)state;
    expect_success("list", sg_token_list("softhsm", NULL, &tokens, &num, &error), &error);
    assert_int_equal(num, 3);
    for (size_t i = 0; i < num; i++) {
        if (!tokens[i].initialized)
            continue;
        num_initialized++;
        assert_true(tokens[i].login_required && tokens[i].pin_initialized);
        assert_false(tokens[i].pin_locked || tokens[i].pin_final_try || tokens[i].write_protected);
        assert_int_equal(strlen(tokens[i].serial_number), 16);
        assert_string_equal(tokens[i].manufacturer, "SoftHSM project");
        assert_string_equal(tokens[i].model, "SoftHSM v2");
    }
    assert_int_equal(num_initialized, 2);
}

static void initialising(void **state)
{
    static const struct {
        const char *label, *so_pin, *user_pin;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"test", SO_PIN, USER_PIN, SG_TOKEN, "there is a token test already"},
        {"", SO_PIN, USER_PIN, SG_USAGE, "can't be a token's label"},
        {"a label of more than 32 bytes is too long", SO_PIN, USER_PIN, SG_USAGE,
         "can't be a token's label"},
        {"blank ", SO_PIN, USER_PIN, SG_USAGE, "can't be a token's label"},
        {"new\nline", SO_PIN, USER_PIN, SG_MALFORMED, "token label"},
        {"third", "123", USER_PIN, SG_PIN, "security officer PIN of 4 to 255 bytes"},
        {"third", SO_PIN, "123", SG_PIN, "user PIN of 4 to 255 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_secret) struct sg_secret *so_pin = make_secret(CASES[i].so_pin);
        sg_auto(sg_secret) struct sg_secret *user_pin = make_secret(CASES[i].user_pin);
        struct sg_token_info info = {0};
        struct sg_error error = {0};

        expect_failure(
            CASES[i].label,
            sg_token_init("softhsm", NULL, CASES[i].label, so_pin, user_pin, &info, &error), &error,
            CASES[i].code, CASES[i].part);
        assert_int_equal(info.slot, 0);
    }
    assert_string_equal(test_token.label, "test");
    assert_true(test_token.initialized && test_token.pin_initialized);
    assert_string_not_equal(test_token.serial_number, other_token.serial_number);
}

static void opening(void **state)
{
    char by_serial[64], by_both[128];
    const struct {
        const char *uri;
        const char *label; /* NULL: none is opened */
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"pkcs11:token=test", "test", SG_OK, NULL},
        {"pkcs11:token=other", "other", SG_OK, NULL},
        {by_serial, "test", SG_OK, NULL},
        {by_both, NULL, SG_TOKEN, "no token matches"},
        {"pkcs11:token=absent", NULL, SG_TOKEN, "'test' (serial "},
        {"pkcs11:token=absent", NULL, SG_TOKEN, "an uninitialised one in slot"},
        {"pkcs11:", NULL, SG_TOKEN, "2 tokens match pkcs11:, and it must be one"},
        {"pkcs11:model=SoftHSM%20v2", NULL, SG_TOKEN, "add serial= to it"},
        {"pkcs11:token=test?pin-value=1234", NULL, SG_USAGE, "has a pin-value"},
        {"test", NULL, SG_USAGE, "pkcs11:token=LABEL"},
    };

    (void)state;
    snprintf(by_serial, sizeof by_serial, "pkcs11:serial=%s", test_token.serial_number);
    snprintf(by_both, sizeof by_both, "pkcs11:token=other;serial=%s", test_token.serial_number);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_token) struct sg_token *token = NULL;
        struct sg_token_config config = config_of(&fixture);
        struct sg_error error = {0};
        bool verdict;

        config.uri = CASES[i].uri;
        verdict = sg_token_open(&config, &token, &error);
        if (CASES[i].label == NULL) {
            expect_failure(CASES[i].uri, verdict, &error, CASES[i].code, CASES[i].part);
            assert_null(token);
            continue;
        }
        expect_success(CASES[i].uri, verdict, &error);
        assert_string_equal(sg_token_label(token), CASES[i].label);
    }
}

static void modules(void **state)
{
    static const struct {
        const char *profile, *module;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {NULL, NULL, SG_USAGE, "neither a token profile nor the path"},
        {"absent", NULL, SG_INVALID, "no token profile absent"},
        {NULL, "/nowhere/p11.so", SG_TOKEN,
         "cannot load the PKCS#11 module /nowhere/p11.so: No such file"},
        {"softhsm", "/nowhere/p11.so", SG_TOKEN, "/nowhere/p11.so"},
        {NULL, "/etc/passwd", SG_TOKEN, "cannot load the PKCS#11 module /etc/passwd"},
        {NULL, "/lib/x86_64-linux-gnu/libm.so.6", SG_TOKEN, "cannot load the PKCS#11 module"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_token) struct sg_token *token = NULL;
        struct sg_token_config config = config_of(&fixture);
        struct sg_error error = {0};

        config.profile = CASES[i].profile;
        config.module = CASES[i].module;
        expect_failure(CASES[i].module, sg_token_open(&config, &token, &error), &error,
                       CASES[i].code, CASES[i].part);
    }
}

static void module_that_does_not_start(void **state)
{
    sg_auto(sg_token) struct sg_token *token = NULL;
    struct sg_token_config config = odd_config();
    struct sg_error error = {0};

    (void)state;
    setenv("ODD_INITIALIZE_RV", "0x30", 1);
    expect_failure("device error", sg_token_open(&config, &token, &error), &error, SG_TOKEN,
                   "does not start");
    assert_int_equal(error.detail, CKR_DEVICE_ERROR);
}

static void profile_without_its_module(void **state)
{
    sg_auto(malloc) struct sg_token_info *tokens = NULL;
    struct sg_error error = {0};
    char path[128];
    size_t num;

    (void)state;
    fixture_path(&fixture, "tokens/absent", path);
    assert_int_equal(mkdir(path, 0700), 0);
    fixture_path(&fixture, "tokens/absent/profile.yaml", path);
    write_text(path, "description: absent\nmodule: [/nowhere/a.so, /nowhere/b.so]\n", 0600);
    setenv("SIGNET_DATA", fixture.folder, 1);
    expect_failure("absent", sg_token_list("absent", NULL, &tokens, &num, &error), &error, SG_TOKEN,
                   "profile absent is not installed: none of its 2 paths is there");
    setenv("SIGNET_DATA", getenv("SIGNET_SOURCE"), 1);
    fixture_path(&fixture, "tokens/absent", path);
    remove_folder(path);
}

static void bad_pin_source(void **state)
{
    sg_auto(sg_token) struct sg_token *token = NULL;
    struct sg_token_config config = config_of(&fixture);
    struct sg_error error = {0};

    (void)state;
    config.pin = "1234";
    expect_failure("PIN as its source", sg_token_open(&config, &token, &error), &error, SG_USAGE,
                   "a PIN itself is not written there");
}

static void logging_in(void **state)
{
    struct sg_token_config config = odd_config();
    sg_auto(sg_token) struct sg_token *token = open_token(&config);
    sg_auto(sg_token) struct sg_token *again = open_token(&config);
    struct sg_error error = {0};

    (void)state;
    expect_success("login", sg_token_login(token, &error), &error);
    expect_success("once is enough", sg_token_login(token, &error), &error);
    expect_success("another handle", sg_token_login(again, &error), &error);
    assert_int_equal(count_logins(), 1);
    assert_int_not_equal(access(fixture.refusals, F_OK), 0);
}

static void wrong_pin_is_tried_once(void **state)
{
    struct sg_token_config config = odd_config();
    struct sg_error error = {0};

    (void)state;
    config.pin = "env:SIGNET_TEST_WRONG_PIN";
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);

        expect_failure("wrong", sg_token_login(token, &error), &error, SG_PIN,
                       "token test refused the PIN, which will not be tried again");
        assert_int_equal(error.detail, CKR_PIN_INCORRECT);
        sg_error_clear(&error);
        expect_failure("the same handle", sg_token_login(token, &error), &error, SG_PIN,
                       "was refused before");
    }
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);

        sg_error_clear(&error);
        expect_failure("another handle", sg_token_login(token, &error), &error, SG_PIN,
                       "was refused before");
    }
    assert_int_equal(count_logins(), 1);
}

/* A PIN in hand is handled as one from a source. */
static void pin_in_hand(void **state)
{
    struct sg_token_config config = odd_config();
    sg_auto(sg_secret) struct sg_secret *wrong = make_secret("4321");
    sg_auto(sg_secret) struct sg_secret *longer = make_secret("4");
    sg_auto(sg_secret) struct sg_secret *right = make_secret(USER_PIN);
    sg_auto(sg_token) struct sg_token *token = NULL;
    struct sg_error error = {0};

    (void)state;
    config.pin = NULL;
    token = open_token(&config);
    expect_failure("no source", sg_token_login(token, &error), &error, SG_PIN, "needs its PIN");
    sg_error_clear(&error);
    expect_failure("length", sg_token_login_with(token, longer, &error), &error, SG_PIN,
                   "a length that the token can't have");
    sg_error_clear(&error);
    expect_failure("wrong", sg_token_login_with(token, wrong, &error), &error, SG_PIN,
                   "refused the PIN, which will not be tried again");
    sg_error_clear(&error);
    expect_failure("wrong again", sg_token_login_with(token, wrong, &error), &error, SG_PIN,
                   "was refused before");
    sg_error_clear(&error);
    expect_success("right", sg_token_login_with(token, right, &error), &error);
    assert_int_equal(count_logins(), 2);
}

static void changing_the_pin(void **state)
{
    struct sg_token_config config = odd_config();
    sg_auto(sg_secret) struct sg_secret *wrong = make_secret("4321");
    sg_auto(sg_secret) struct sg_secret *shorter = make_secret("4");
    sg_auto(sg_secret) struct sg_secret *old = make_secret(USER_PIN);
    sg_auto(sg_secret) struct sg_secret *new = make_secret("98765");
    sg_auto(sg_token) struct sg_token *token = open_token(&config);
    struct sg_error error = {0};

    (void)state;
    expect_success("login", sg_token_login(token, &error), &error);
    expect_failure("length", sg_token_change_pin(token, old, shorter, &error), &error, SG_PIN,
                   "a length that the token can't have");
    sg_error_clear(&error);
    expect_failure("wrong", sg_token_change_pin(token, wrong, new, &error), &error, SG_PIN,
                   "refused the PIN");
    sg_error_clear(&error);
    expect_failure("wrong again", sg_token_change_pin(token, wrong, new, &error), &error, SG_PIN,
                   "was refused before");
    sg_error_clear(&error);
    expect_success("change", sg_token_change_pin(token, old, new, &error), &error);
    expect_failure("the old one", sg_token_change_pin(token, old, new, &error), &error, SG_PIN,
                   "refused the PIN");
    sg_error_clear(&error);
    /* What was refused under the other PIN says nothing about this one. */
    expect_success("and back", sg_token_change_pin(token, new, old, &error), &error);
    expect_success(
        "not on record",
        sg_pin_check_not_refused(fixture.refusals, test_token.serial_number, old, &error), &error);
}

/* The right PIN goes through while a wrong one is on record, and clears the record. */
static void right_pin_forgets(void **state)
{
    struct sg_token_config config = odd_config();
    sg_auto(sg_secret) struct sg_secret *wrong = make_secret("4321");
    struct sg_error error = {0};

    (void)state;
    assert_true(sg_pin_remember_refusal(fixture.refusals, test_token.serial_number, wrong, &error));
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);

        expect_success("right PIN", sg_token_login(token, &error), &error);
    }
    expect_success(
        "forgotten",
        sg_pin_check_not_refused(fixture.refusals, test_token.serial_number, wrong, &error),
        &error);
}

/* Nothing is tried without a record that can be read. */
static void broken_record(void **state)
{
    struct sg_token_config config = odd_config();
    sg_auto(sg_token) struct sg_token *token = open_token(&config);
    struct sg_error error = {0};

    (void)state;
    write_text(fixture.refusals, "nonsense\n", 0600);
    expect_failure("broken record", sg_token_login(token, &error), &error, SG_PIN, "not a line");
    assert_int_equal(count_logins(), 0);
}

static void unrecordable_refusal(void **state)
{
    struct sg_token_config config = odd_config();
    struct sg_error error = {0};
    char refusals[128], lock[128];

    (void)state;
    fixture_path(&fixture, "elsewhere", refusals);
    fixture_path(&fixture, "elsewhere.lock", lock);
    assert_int_equal(mkdir(lock, 0700), 0);
    config.pin = "env:SIGNET_TEST_WRONG_PIN";
    config.refusals = refusals;
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);

        expect_failure("no record", sg_token_login(token, &error), &error, SG_PIN,
                       "could not be recorded");
    }
    rmdir(lock);
}

/* What the token or the module says instead of letting anyone in. */
static void refusing_logins(void **state)
{
    static const struct {
        const char *name, *variable, *value;
        enum sg_code code;
        const char *part;
        unsigned long num_logins;
        bool is_remembered;
    } CASES[] = {
        {"locked", "ODD_TOKEN_FLAGS", "0x40000", SG_PIN, "token test is locked", 0, false},
        {"final try", "ODD_TOKEN_FLAGS", "0x20000", SG_PIN, "a single try left", 0, false},
        {"short PIN", "ODD_MIN_PIN", "6", SG_PIN, "(6 to 255 bytes)", 0, false},
        {"incorrect", "ODD_LOGIN_RV", "0xA0", SG_PIN, "CKR_PIN_INCORRECT", 1, true},
        {"invalid", "ODD_LOGIN_RV", "0xA1", SG_PIN, "CKR_PIN_INVALID", 1, true},
        {"length", "ODD_LOGIN_RV", "0xA2", SG_PIN, "CKR_PIN_LEN_RANGE", 1, true},
        {"expired", "ODD_LOGIN_RV", "0xA3", SG_PIN, "CKR_PIN_EXPIRED", 1, false},
        {"now locked", "ODD_LOGIN_RV", "0xA4", SG_PIN, "CKR_PIN_LOCKED", 1, false},
        {"no PIN set", "ODD_LOGIN_RV", "0x102", SG_PIN, "CKR_USER_PIN_NOT_INITIALIZED", 1, false},
        {"device", "ODD_LOGIN_RV", "0x30", SG_TOKEN, "CKR_DEVICE_ERROR", 1, false},
    };
    const struct sg_token_config config = odd_config();

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);
        struct sg_error error = {0};

        setenv(CASES[i].variable, CASES[i].value, 1);
        expect_failure(CASES[i].name, sg_token_login(token, &error), &error, CASES[i].code,
                       CASES[i].part);
        assert_null(strstr(error.text, USER_PIN));
        assert_int_equal(count_logins(), CASES[i].num_logins);
        assert_int_equal(access(fixture.refusals, F_OK) == 0, CASES[i].is_remembered);
        reset(state);
    }
    setenv("ODD_LOGIN_RV", "0x100", 1);
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);
        struct sg_error error = {0};

        expect_success("already logged in", sg_token_login(token, &error), &error);
    }
}

static void no_pin_source(void **state)
{
    struct sg_token_config config = config_of(&fixture);
    struct sg_error error = {0};

    (void)state;
    config.pin = NULL;
    config.refusals = NULL;
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);

        expect_failure("no source", sg_token_login(token, &error), &error, SG_PIN,
                       "no source of it is named");
    }
}

static void pins_are_typed_on_a_pad(void **state)
{
    const struct sg_token_config config = odd_config();
    struct sg_error error = {0};

    (void)state;
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);

        assert_false(sg_token_has_pad(token));
        expect_failure("no pad", sg_token_login_on_pad(token, &error), &error, SG_PIN,
                       "token test has no pad of its own");
        assert_int_equal(count_logins(), 0);
        sg_error_clear(&error);
        expect_success("login", sg_token_login(token, &error), &error);
        expect_failure("no pad", sg_token_change_pin(token, NULL, NULL, &error), &error, SG_PIN,
                       "token test has no pad of its own");
    }
    reset(state);
    setenv("ODD_PAD", "wrong one", 1);
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);

        assert_true(sg_token_has_pad(token));
        sg_error_clear(&error);
        expect_failure("mistyped", sg_token_login_on_pad(token, &error), &error, SG_PIN,
                       "refused the PIN that was typed on its pad");
        assert_int_not_equal(access(fixture.refusals, F_OK), 0);
        setenv("ODD_PAD", USER_PIN, 1);
        sg_error_clear(&error);
        expect_success("typed", sg_token_login_on_pad(token, &error), &error);
        setenv("ODD_PAD_NEW", "another one", 1);
        expect_success("changed", sg_token_change_pin(token, NULL, NULL, &error), &error);
        setenv("ODD_PAD_NEW", USER_PIN, 1);
        expect_success("and back", sg_token_change_pin(token, NULL, NULL, &error), &error);
    }
}

static void write_protected(void **state)
{
    struct sg_token_config config = odd_config();
    struct sg_error error = {0};

    (void)state;
    setenv("ODD_SESSION_RV", "0xE2", 1);
    {
        sg_auto(sg_token) struct sg_token *token = open_token(&config);
        sg_auto(sg_key) struct sg_key key = {0};

        expect_success("read-only login", sg_token_login(token, &error), &error);
        expect_failure("no key is made",
                       sg_key_create(token, P256, "k", (struct sg_slice){0}, &key, &error), &error,
                       SG_TOKEN, "takes no new key");
    }
    setenv("ODD_SESSION_RV", "0xB1", 1);
    {
        sg_auto(sg_token) struct sg_token *token = NULL;

        sg_error_clear(&error);
        expect_failure("no session left", sg_token_open(&config, &token, &error), &error, SG_TOKEN,
                       "CKR_SESSION_COUNT");
    }
}

/* ---- turns ---- */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How long opening the token takes while somebody else has locked path for hold_ms. */
static double open_while_locked(const char *path, int flags, int hold_ms)
{
    const struct sg_token_config config = config_of(&fixture);
    const struct timespec hold = {.tv_sec = hold_ms / 1000, .tv_nsec = hold_ms % 1000 * 1000000L};
    int ready[2], status;
    double before;
    char word;

    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        const int file = open(path, flags, 0600);
        const bool is_locked = file >= 0 && flock(file, LOCK_EX) == 0;
        if (!is_locked || write(ready[1], "x", 1) != 1)
            _exit(1);
        nanosleep(&hold, NULL);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &word, 1), 1);
    before = seconds();
    sg_token_close(open_token(&config));
    before = seconds() - before;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ready[0]);
    close(ready[1]);
    return before;
}

static void find_turn(char path[300])
{
    snprintf(path, 300, "%s/state/signet/turn-%s", fixture.folder,
             strrchr(fixture.module, '/') + 1);
}

/* The user's other processes are waited for; who can but read the module can't make us wait. */
static void turns(void **state)
{
    const struct sg_token_config config = config_of(&fixture);
    struct stat status;
    char turn[300];

    (void)state;
    find_turn(turn);
    sg_token_close(open_token(&config));
    assert_int_equal(stat(turn, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(open_while_locked(turn, O_RDWR, 700) > 0.6);
    assert_true(open_while_locked(fixture.module, O_RDONLY, 8000) < 7);
}

/* Without a file of its own there are no turns, and nothing is made elsewhere. */
static void turns_without_a_file(void **state)
{
    const struct sg_token_config config = config_of(&fixture);
    char turn[300], elsewhere[128];

    (void)state;
    find_turn(turn);
    fixture_path(&fixture, "elsewhere", elsewhere);
    unlink(turn);
    assert_int_equal(symlink(elsewhere, turn), 0);
    sg_token_close(open_token(&config));
    assert_int_not_equal(access(elsewhere, F_OK), 0);
    unlink(turn);
    assert_int_equal(mkfifo(turn, 0600), 0);
    sg_token_close(open_token(&config));
    unlink(turn);
    unsetenv("XDG_STATE_HOME");
    char *home = strdup(getenv("HOME"));
    unsetenv("HOME");
    sg_token_close(open_token(&config));
    setenv("HOME", home, 1);
    free(home);
    fixture_path(&fixture, "state", elsewhere);
    setenv("XDG_STATE_HOME", elsewhere, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(listing, reset),
        cmocka_unit_test_setup(initialising, reset),
        cmocka_unit_test_setup(opening, reset),
        cmocka_unit_test_setup(modules, reset),
        cmocka_unit_test_setup(module_that_does_not_start, reset),
        cmocka_unit_test_setup(profile_without_its_module, reset),
        cmocka_unit_test_setup(bad_pin_source, reset),
        cmocka_unit_test_setup(logging_in, reset),
        cmocka_unit_test_setup(wrong_pin_is_tried_once, reset),
        cmocka_unit_test_setup(right_pin_forgets, reset),
        cmocka_unit_test_setup(pin_in_hand, reset),
        cmocka_unit_test_setup(changing_the_pin, reset),
        cmocka_unit_test_setup(broken_record, reset),
        cmocka_unit_test_setup(unrecordable_refusal, reset),
        cmocka_unit_test_setup(refusing_logins, reset),
        cmocka_unit_test_setup(no_pin_source, reset),
        cmocka_unit_test_setup(pins_are_typed_on_a_pad, reset),
        cmocka_unit_test_setup(write_protected, reset),
        cmocka_unit_test_setup(turns, reset),
        cmocka_unit_test_setup(turns_without_a_file, reset),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
