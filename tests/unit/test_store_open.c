#include "store_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store/sqlite.h"

static char *path_of(const char *folder, const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    FILE *file = fopen(path_of(folder, name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void run_sql(const char *folder, const char *name, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path_of(folder, name), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- what is no store ---- */

static void make_nothing(const char *folder)
{
    (void)folder;
}
static void make_directory(const char *folder)
{
    assert_int_equal(mkdir(path_of(folder, "signet.db"), 0700), 0);
}
static void make_text(const char *folder)
{
    write_file(folder, "signet.db", "ca: Example Device CA\nstore: sqlite:signet.db\n");
    for (int i = 0; i < 40; i++) {
        FILE *file = fopen(path_of(folder, "signet.db"), "a");
        fputs("this is text, and more than a hundred bytes of it\n", file);
        fclose(file);
    }
}
static void make_empty(const char *folder)
{
    write_file(folder, "signet.db", "");
}
static void make_foreign(const char *folder)
{
    run_sql(folder, "signet.db", "CREATE TABLE song (title TEXT)");
}
static void make_store(const char *folder)
{
    sg_store_close(open_store(folder, SG_STORE_CREATE));
}
static void make_newer(const char *folder)
{
    make_store(folder);
    run_sql(folder, "signet.db", "PRAGMA user_version=9");
}
static void make_damaged(const char *folder)
{
    make_store(folder);
    const int fd = open(path_of(folder, "signet.db"), O_WRONLY);
    char rubbish[3000];
    memset(rubbish, 0x5a, sizeof rubbish);
    assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, 100), sizeof rubbish);
    close(fd);
}

static const struct {
    const char *name, *location;
    void (*make)(const char *folder);
    enum sg_store_mode mode;
    enum sg_code code; /* SG_OK: opens */
    const char *part;
} OPENINGS[] = {
    {"a store", "sqlite:signet.db", make_store, SG_STORE_OPEN, SG_OK, ""},
    {"a store, to read", "sqlite:signet.db", make_store, SG_STORE_READ_ONLY, SG_OK, ""},
    {"a new store", "sqlite:signet.db", make_nothing, SG_STORE_CREATE, SG_OK, ""},
    {"a name that URIs read otherwise", "sqlite:a?b#c%41.db", make_nothing, SG_STORE_CREATE, SG_OK,
     ""},
    {"missing", "sqlite:signet.db", make_nothing, SG_STORE_OPEN, SG_STORE, "`signet init` makes"},
    {"missing, to read", "sqlite:signet.db", make_nothing, SG_STORE_READ_ONLY, SG_STORE,
     "No such file"},
    {"missing folder", "sqlite:there/signet.db", make_nothing, SG_STORE_CREATE, SG_STORE,
     "can't be made: No such file"},
    {"a directory", "sqlite:signet.db", make_directory, SG_STORE_OPEN, SG_STORE, "not a file"},
    {"text", "sqlite:signet.db", make_text, SG_STORE_OPEN, SG_STORE, "not a store of Signet's"},
    {"text, to read", "sqlite:signet.db", make_text, SG_STORE_READ_ONLY, SG_STORE,
     "not a store of Signet's"},
    {"empty", "sqlite:signet.db", make_empty, SG_STORE_OPEN, SG_STORE, "not a store of Signet's"},
    {"another database", "sqlite:signet.db", make_foreign, SG_STORE_OPEN, SG_STORE,
     "a database, but not a store of Signet's"},
    {"newer", "sqlite:signet.db", make_newer, SG_STORE_OPEN, SG_STORE,
     "version 9, and this program knows no later one than 7"},
    {"newer, to read", "sqlite:signet.db", make_newer, SG_STORE_READ_ONLY, SG_STORE, "version 9"},
    {"damaged", "sqlite:signet.db", make_damaged, SG_STORE_OPEN, SG_STORE,
     "restore the latest backup"},
    {"there already", "sqlite:signet.db", make_store, SG_STORE_CREATE, SG_STORE, "never replaced"},
    {"another kind", "mysql:signet", make_nothing, SG_STORE_OPEN, SG_USAGE, "use sqlite:FILE"},
    {"no kind", "signet.db", make_nothing, SG_STORE_OPEN, SG_USAGE, "use sqlite:FILE"},
    {"no path", "sqlite:", make_nothing, SG_STORE_OPEN, SG_USAGE, "names no file"},
};

static void test_openings(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(OPENINGS); i++) {
        char folder[64];
        struct sg_store *store = NULL;
        struct sg_error error = {0};
        make_folder(folder);
        OPENINGS[i].make(folder);
        const bool opened =
            sg_store_open(OPENINGS[i].location, folder, OPENINGS[i].mode, &store, &error);
        if (OPENINGS[i].code == SG_OK)
            expect_success(OPENINGS[i].name, opened, &error);
        else
            expect_failure(OPENINGS[i].name, opened, &error, OPENINGS[i].code, OPENINGS[i].part);
        assert_true(opened == (store != NULL));
        sg_store_close(store);
        remove_folder(folder);
    }
}

/* Another program's database is as it was, journal mode included. */
static void test_foreign_database_is_left_alone(void **state)
{
    char folder[64];
    struct stat before, after;
    struct sg_store *store = NULL;
    (void)state;
    make_folder(folder);
    make_foreign(folder);
    assert_int_equal(stat(path_of(folder, "signet.db"), &before), 0);
    assert_false(sg_store_open("sqlite:signet.db", folder, SG_STORE_OPEN, &store, NULL));
    assert_int_equal(stat(path_of(folder, "signet.db"), &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
    assert_int_not_equal(access(path_of(folder, "signet.db.owners"), F_OK), 0);
    remove_folder(folder);
}

static int64_t pragma(struct sg_store *store, const char *text)
{
    bool found = false;
    int64_t value = -1;
    assert_true(sg_sql_number(store, text, SG_NO_VALUES, &found, &value, NULL));
    return found ? value : -1;
}

static void test_settings(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;
    assert_int_equal(pragma(fixture->store, "PRAGMA synchronous"), 2);
    assert_int_equal(pragma(fixture->store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(pragma(fixture->store, "PRAGMA trusted_schema"), 0);
    assert_true(pragma(fixture->store, "PRAGMA wal_autocheckpoint") > 1000);
    assert_int_equal(access(path_of(fixture->folder, "signet.db-wal"), F_OK), 0);
    assert_int_equal(stat(path_of(fixture->folder, "signet.db"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* ---- SQL that does not fit its values, as a defect would send it ---- */

static void test_defects_are_internal(void **state)
{
    struct fixture *fixture = *state;
    struct sg_error error = {0};
    expect_failure(
        "too few values",
        sg_sql_run(fixture->store, "DELETE FROM claim WHERE id = ?", SG_NO_VALUES, &error), &error,
        SG_INTERNAL, "0 values for the 1 parameters");
    sg_error_clear(&error);
    expect_failure("no such table", sg_sql_run(fixture->store, "DELETE FROM absent", NULL, &error),
                   &error, SG_INTERNAL, "no such table");
    sg_error_clear(&error);
    expect_failure("too many values",
                   sg_sql_run(fixture->store, "DELETE FROM pending", SG_VALUES(sg_int(1)), &error),
                   &error, SG_INTERNAL, "SQLite result");
}

/* ---- reading ---- */

static void test_read_only_handle_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    const struct ask wanted = {.device = "d1", .serial = 1};
    struct asked asked;
    struct sg_claim claim = ask(fixture, &wanted, &asked);
    struct sg_error error = {0};
    expect_failure("claim", sg_store_claim(reader, &claim, 1, &error), &error, SG_STORE,
                   "for reading only");
    sg_error_clear(&error);
    int64_t issuer = 0;
    uint8_t known[SG_SHA256_LEN] = {1, ISSUER_KEY}, unknown[SG_SHA256_LEN] = {99};
    expect_success("known issuer", sg_store_issuer(reader, "renamed", known, &issuer, &error),
                   &error);
    assert_int_equal(issuer, fixture->issuer);
    expect_failure("new issuer", sg_store_issuer(reader, "new", unknown, &issuer, &error), &error,
                   SG_STORE, "for reading only");

    /* what others write meanwhile is seen, and their claims are seen to be in flight */
    issue(fixture, &(struct ask){.device = "d1", .serial = 2});
    assert_int_equal(
        claim_one(fixture, fixture->store, &(struct ask){.device = "d2", .serial = 3, .key = 3})
            .outcome,
        SG_CLAIM_NEW);
    expect_status(reader, 2, NOW, SG_STATUS_VALID);
    expect_status(reader, 3, NOW, SG_STATUS_IN_FLIGHT);
    sg_store_close(reader);
}

/* Leaves root behind, to whom permissions mean nothing. */
static void become_nobody(void)
{
    if (geteuid() == 0 && (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534)))
        _exit(90);
}

struct attempt {
    const char *folder;
    enum sg_store_mode mode;
    enum sg_code code;
    const char *part;
    const char *bind; /* what to mount read-only first, or NULL */
};

/* 0: as wanted. 77: can't be tried here. */
static int try_to_open(void *context)
{
    const struct attempt *attempt = context;
    struct sg_store *store = NULL;
    struct sg_error error = {0};
    if (attempt->bind != NULL) {
        if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount(attempt->bind, attempt->bind, NULL, MS_BIND, NULL) != 0 ||
            mount(NULL, attempt->bind, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0)
            return 77;
    } else {
        become_nobody();
    }
    const bool opened =
        sg_store_open("sqlite:signet.db", attempt->folder, attempt->mode, &store, &error);
    if (opened)
        error.code = status_of(store, 1, NOW) == SG_STATUS_VALID ? SG_OK : SG_INTERNAL;
    sg_store_close(store);
    if (error.code == attempt->code && strstr(error.text, attempt->part) != NULL)
        return 0;
    (void)fprintf(stderr, "# got %s: %s\n", sg_code_name(error.code), error.text);
    return 1;
}

static void expect_attempt(struct attempt attempt)
{
    const int status = in_child(try_to_open, &attempt);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("# skipped: no read-only mount can be made here\n");
        return;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("mode %d: should be %s (%s)", attempt.mode, sg_code_name(attempt.code),
                 attempt.part);
}

static void test_read_only_folder(void **state)
{
    struct fixture *fixture = *state;
    issue(fixture, &(struct ask){.device = "d1", .serial = 1});
    sg_store_close(SG_TAKE(fixture->store));
    chmod(path_of(fixture->folder, "signet.db"), 0444);
    chmod(path_of(fixture->folder, "signet.db.owners"), 0444);
    chmod(fixture->folder, 0555);
    expect_attempt((struct attempt){fixture->folder, SG_STORE_READ_ONLY, SG_OK, "", NULL});
    expect_attempt((struct attempt){fixture->folder, SG_STORE_OPEN, SG_STORE, "read-only", NULL});
    chmod(path_of(fixture->folder, "signet.db"), 0666);
    chmod(path_of(fixture->folder, "signet.db.owners"), 0666);
    expect_attempt((struct attempt){fixture->folder, SG_STORE_OPEN, SG_STORE, "read-only", NULL});
    chmod(path_of(fixture->folder, "signet.db"), 0000);
    expect_attempt(
        (struct attempt){fixture->folder, SG_STORE_READ_ONLY, SG_STORE, "unable to open", NULL});
    chmod(fixture->folder, 0700);
}

/* A store that is read in place of its log is opened by URI, where these characters mean something.
 */
static void test_read_only_folder_of_strange_name(void **state)
{
    struct fixture *fixture = *state;
    struct fixture strange = *fixture;
    chmod(fixture->folder, 0755);
    strcat(strange.folder, "/a?b#c%41");
    assert_int_equal(mkdir(strange.folder, 0700), 0);
    strange.store = open_store(strange.folder, SG_STORE_CREATE);
    strange.issuer = add_issuer(strange.store, "issuing", 1);
    issue(&strange, &(struct ask){.serial = 1});
    sg_store_close(strange.store);
    chmod(path_of(strange.folder, "signet.db"), 0444);
    chmod(path_of(strange.folder, "signet.db.owners"), 0444);
    chmod(strange.folder, 0555);
    expect_attempt((struct attempt){strange.folder, SG_STORE_READ_ONLY, SG_OK, "", NULL});
    chmod(strange.folder, 0700);
}

static void test_create_in_read_only_folder(void **state)
{
    char folder[64];
    (void)state;
    make_folder(folder);
    chmod(folder, 0555);
    expect_attempt((struct attempt){folder, SG_STORE_CREATE, SG_STORE,
                                    "can't be made: Permission denied", NULL});
    remove_folder(folder);
}

static void test_read_only_medium(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = fixture->folder;
    issue(fixture, &(struct ask){.device = "d1", .serial = 1});
    sg_store_close(SG_TAKE(fixture->store));
    expect_attempt((struct attempt){folder, SG_STORE_READ_ONLY, SG_OK, "", folder});
    expect_attempt((struct attempt){folder, SG_STORE_OPEN, SG_STORE, "read-only", folder});
}

/* A copy that was taken with its log, onto a medium where no index can be made for it. */
static void test_read_only_medium_with_log(void **state)
{
    struct fixture *fixture = *state;
    char copy[64], command[256];
    issue(fixture, &(struct ask){.device = "d1", .serial = 1});
    make_folder(copy);
    (void)snprintf(command, sizeof command, "cp %s/signet.db %s/signet.db-wal %s", fixture->folder,
                   fixture->folder, copy);
    assert_int_equal(system(command), 0);
    expect_attempt((struct attempt){copy, SG_STORE_READ_ONLY, SG_STORE, "copy both files", copy});
    chmod(copy, 0755);
    remove_folder(copy);
}

/* ---- trouble while it is open ---- */

static void test_locked(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *other = NULL;
    const struct ask wanted = {.device = "d1", .serial = 1};
    struct asked asked;
    struct sg_claim claim = ask(fixture, &wanted, &asked);
    struct sg_error error = {0};
    assert_int_equal(sqlite3_open(path_of(fixture->folder, "signet.db"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_busy_timeout(fixture->store->sqlite->db, 20);
    expect_failure("claim", sg_store_claim(fixture->store, &claim, 1, &error), &error, SG_STORE,
                   "another process has kept it locked");
    sqlite3_close(other);
    assert_int_equal(claim_one(fixture, fixture->store, &wanted).outcome, SG_CLAIM_NEW);
}

static void set_file_limit(off_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes > 0 ? (rlim_t)bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the file's size stands for the full disk. */
static void test_full_disk(void **state)
{
    struct fixture *fixture = *state;
    enum { NUM_CLAIMS = 100 };
    static struct asked asked[NUM_CLAIMS];
    static struct sg_claim claims[NUM_CLAIMS];
    struct sg_error error = {0};
    struct stat log;
    issue(fixture, &(struct ask){.device = "d1", .serial = 200, .key = 200});
    for (uint8_t i = 0; i < NUM_CLAIMS; i++) {
        const struct ask wanted = {.device = "d2", .serial = i, .key = i};
        claims[i] = ask(fixture, &wanted, &asked[i]);
    }
    assert_int_equal(stat(path_of(fixture->folder, "signet.db-wal"), &log), 0);
    signal(SIGXFSZ, SIG_IGN);
    set_file_limit(log.st_size + 8192);
    const bool claimed = sg_store_claim(fixture->store, claims, NUM_CLAIMS, &error);
    set_file_limit(0);
    expect_failure("full", claimed, &error, SG_STORE, "disk is full");
    for (int i = 0; i < NUM_CLAIMS; i++)
        assert_true(claims[i].outcome == SG_CLAIM_REFUSED && claims[i].id == 0);

    /* nothing of the group is there, what was there is, and there is work again once there is room
     */
    assert_int_equal(look(fixture->store, (struct sg_certificate_filter){0}).num, 1);
    issue(fixture, &(struct ask){.device = "d1", .serial = 201, .key = 201});
    sg_store_close(fixture->store);
    fixture->store = open_store(fixture->folder, SG_STORE_OPEN);
    expect_status(fixture->store, 200, NOW, SG_STATUS_VALID);
    expect_status(fixture->store, 201, NOW, SG_STATUS_VALID);
}

static int create_without_room(void *context)
{
    struct sg_store *store = NULL;
    struct sg_error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    set_file_limit(40000);
    const bool made = sg_store_open("sqlite:signet.db", context, SG_STORE_CREATE, &store, &error);
    return made || error.code != SG_STORE || strstr(error.text, "disk is full") == NULL;
}

static void test_create_on_full_disk(void **state)
{
    char folder[64];
    (void)state;
    make_folder(folder);
    assert_int_equal(in_child(create_without_room, folder), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing half-made is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openings),
        cmocka_unit_test(test_foreign_database_is_left_alone),
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_defects_are_internal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only_handle_writes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only_folder_of_strange_name, set_up, tear_down),
        cmocka_unit_test(test_create_in_read_only_folder),
        cmocka_unit_test_setup_teardown(test_read_only_medium, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only_medium_with_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_locked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test(test_create_on_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
