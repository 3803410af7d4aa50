#include "expect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"

/* The program's own write, fsync and linkat, which fail when a test says so. */
static struct {
    int write_errno;      /* 0: write does its work */
    bool write_is_short;  /* one byte at a time */
    bool write_is_broken; /* every second call is interrupted */
    int fsync_call;       /* the call that fails, from 1; 0: none */
    int fsync_errno;      /* by which; 0: EIO */
    int link_errno;
    int num_writes, num_fsyncs;
} fault;

ssize_t write(int fd, const void *bytes, size_t len)
{
    fault.num_writes++;
    if (fault.write_errno != 0 || (fault.write_is_broken && fault.num_writes % 2 == 1)) {
        errno = fault.write_errno != 0 ? fault.write_errno : EINTR;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, fault.write_is_short && len > 1 ? 1 : len);
}

int fsync(int fd)
{
    if (++fault.num_fsyncs == fault.fsync_call) {
        errno = fault.fsync_errno != 0 ? fault.fsync_errno : EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int linkat(int from, const char *source, int to, const char *target, int flags)
{
    if (fault.link_errno != 0) {
        errno = fault.link_errno;
        return -1;
    }
    return (int)syscall(SYS_linkat, from, source, to, target, flags);
}

static char folder[64];

static int setup(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof fault);
    make_folder(folder);
    return chdir(folder);
}

static int teardown(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof fault);
    remove_folder(folder);
    return 0;
}

static int num_entries(void)
{
    DIR *entries = opendir(".");
    int num = -2; /* . and .. */

    assert_non_null(entries);
    while (readdir(entries) != NULL)
        num++;
    closedir(entries);
    return num;
}

static void expect_contents(const char *path, const char *contents)
{
    sg_auto(sg_buf) struct sg_buf buf = {0};
    struct sg_error error = {0};

    expect_success(path, sg_file_read(path, 1000, &buf, &error), &error);
    assert_string_equal((char *)buf.data, contents);
}

static bool put(const char *path, const char *text, enum sg_overwrite overwrite,
                struct sg_error *error)
{
    return sg_file_write(path, sg_slice_text(text), 0640, overwrite, error);
}

static void files_are_written(void **state)
{
    struct sg_error error = {0};
    struct stat status;

    (void)state;
    umask(022);
    expect_success("new", put("out", "one", SG_KEEP_EXISTING, &error), &error);
    expect_contents("out", "one");
    assert_int_equal(stat("out", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(status.st_nlink, 1);
    assert_int_equal(fault.num_fsyncs, 2);
    expect_success("replaced", put("out", "two", SG_REPLACE_EXISTING, &error), &error);
    expect_contents("out", "two");
    expect_success("empty", put("empty", "", SG_REPLACE_EXISTING, &error), &error);
    expect_contents("empty", "");
    assert_int_equal(mkdir("sub", 0700), 0);
    expect_success("in a folder", put("sub/out", "x", SG_KEEP_EXISTING, &error), &error);
    expect_contents("sub/out", "x");
    assert_int_equal(num_entries(), 3);
}

static void an_existing_file_stays(void **state)
{
    struct sg_error error = {0}, check = {0}, replace = {0};

    (void)state;
    assert_true(put("out", "one", SG_KEEP_EXISTING, NULL));
    expect_failure("file", put("out", "two", SG_KEEP_EXISTING, &error), &error, SG_FAILED,
                   "out exists; --force replaces it");
    expect_failure("check", sg_file_check_target("out", SG_KEEP_EXISTING, &check), &check,
                   SG_FAILED, "out exists; --force replaces it");
    expect_success("replace", sg_file_check_target("out", SG_REPLACE_EXISTING, &replace), &replace);
    expect_contents("out", "one");
    assert_int_equal(num_entries(), 1);
}

/* Also one that leads nowhere: writing through it would make a file somewhere else. */
static void links_and_folders_stay(void **state)
{
    static const char *const NAMES[] = {"link", "folder", "fifo"};

    (void)state;
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    for (size_t i = 0; i < NUM(NAMES); i++) {
        struct sg_error keep = {0}, replace = {0}, check = {0}, check_replace = {0};

        expect_failure(NAMES[i], put(NAMES[i], "x", SG_KEEP_EXISTING, &keep), &keep, SG_FAILED,
                       "exists");
        expect_failure(NAMES[i], put(NAMES[i], "x", SG_REPLACE_EXISTING, &replace), &replace,
                       SG_FAILED, "is not a regular file");
        expect_failure(NAMES[i], sg_file_check_target(NAMES[i], SG_KEEP_EXISTING, &check), &check,
                       SG_FAILED, "exists");
        expect_failure(NAMES[i],
                       sg_file_check_target(NAMES[i], SG_REPLACE_EXISTING, &check_replace),
                       &check_replace, SG_FAILED, "is not a regular file");
        assert_int_equal(num_entries(), 3);
    }
}

static void names_that_cannot_be_written(void **state)
{
    char name[301], path[5001];
    const struct {
        const char *path;
        enum sg_code code;
        const char *complaint;
    } CASES[] = {
        {"", SG_USAGE, "names no file"},
        {"sub/", SG_USAGE, "names no file"},
        {"missing/out", SG_FAILED, "cannot open the folder missing: No such file"},
        {"file/out", SG_FAILED, "Not a directory"},
        {name, SG_FAILED, "File name too long"},
        {path, SG_FAILED, "longer than"},
    };

    (void)state;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    memset(path, '/', sizeof path);
    strcpy(path + sizeof path - 2, "x");
    assert_true(put("file", "x", SG_KEEP_EXISTING, NULL));
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0}, check = {0};

        expect_failure(CASES[i].path, put(CASES[i].path, "x", SG_KEEP_EXISTING, &error), &error,
                       CASES[i].code, CASES[i].complaint);
        expect_failure(CASES[i].path, sg_file_check_target(CASES[i].path, SG_KEEP_EXISTING, &check),
                       &check, CASES[i].code, CASES[i].complaint);
        assert_int_equal(num_entries(), 1);
    }
}

static void a_write_that_fails_leaves_the_folder(void **state)
{
    static const struct {
        const char *name;
        int write_errno, fsync_call, link_errno;
        const char *complaint;
    } CASES[] = {
        {"full disk", ENOSPC, 0, 0, "the disk is full, make room and try again"},
        {"quota", EDQUOT, 0, 0, "the disk is full, make room and try again"},
        {"broken disk", EIO, 0, 0, "cannot write out: Input/output error"},
        {"first fsync", 0, 1, 0, "cannot write out: Input/output error"},
        {"fsync of the folder", 0, 2, 0, "cannot write out: Input/output error"},
        {"link", 0, 0, EIO, "cannot write out: Input/output error"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};
        bool verdict;

        memset(&fault, 0, sizeof fault);
        fault.write_errno = CASES[i].write_errno;
        fault.fsync_call = CASES[i].fsync_call;
        fault.link_errno = CASES[i].link_errno;
        verdict = put("out", "x", SG_KEEP_EXISTING, &error);
        expect_failure(CASES[i].name, verdict, &error, SG_FAILED, CASES[i].complaint);
        assert_int_equal(num_entries(), 0);
    }
}

static void a_replacement_that_fails_keeps_the_old(void **state)
{
    struct sg_error full = {0}, sync = {0};

    (void)state;
    assert_true(put("out", "old", SG_KEEP_EXISTING, NULL));
    fault.write_errno = ENOSPC;
    expect_failure("full", put("out", "new", SG_REPLACE_EXISTING, &full), &full, SG_FAILED,
                   "the disk is full");
    assert_int_equal(full.detail, ENOSPC);
    memset(&fault, 0, sizeof fault);
    fault.fsync_call = 1;
    expect_failure("fsync", put("out", "new", SG_REPLACE_EXISTING, &sync), &sync, SG_FAILED,
                   "Input/output error");
    expect_contents("out", "old");
    assert_int_equal(num_entries(), 1);
}

static void short_and_interrupted_writes_go_on(void **state)
{
    (void)state;
    fault.write_is_short = fault.write_is_broken = true;
    assert_true(put("out", "seven bytes and more", SG_KEEP_EXISTING, NULL));
    fault.write_is_short = fault.write_is_broken = false;
    expect_contents("out", "seven bytes and more");
}

/* A file system without hard links still never overwrites. */
static void without_hard_links(void **state)
{
    struct sg_error error = {0};

    (void)state;
    fault.link_errno = EPERM;
    expect_success("new", put("out", "one", SG_KEEP_EXISTING, &error), &error);
    expect_failure("again", put("out", "two", SG_KEEP_EXISTING, &error), &error, SG_FAILED,
                   "out exists; --force replaces it");
    expect_contents("out", "one");
    assert_int_equal(num_entries(), 1);
}

static void two_writers_do_not_both_win(void **state)
{
    enum { NUM_WRITERS = 4 };
    int num_winners = 0;

    (void)state;
    for (int i = 0; i < NUM_WRITERS; i++)
        if (fork() == 0)
            _exit(put("out", "x", SG_KEEP_EXISTING, NULL) ? 0 : 1);
    for (int i = 0; i < NUM_WRITERS; i++) {
        int status;

        assert_true(wait(&status) > 0 && WIFEXITED(status));
        num_winners += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(num_winners, 1);
    assert_int_equal(num_entries(), 1);
}

static void an_absent_file_may_be_written(void **state)
{
    struct sg_error error = {0};

    (void)state;
    expect_success("relative", sg_file_check_target("out", SG_KEEP_EXISTING, &error), &error);
    expect_success("in the root",
                   sg_file_check_target("/signet-unit-no-such-file", SG_KEEP_EXISTING, &error),
                   &error);
    assert_int_equal(num_entries(), 0);
}

static void files_are_read(void **state)
{
    static const struct {
        const char *path;
        size_t limit;
        enum sg_code code;
        const char *complaint;
    } CASES[] = {
        {"five", 5, SG_OK, NULL},
        {"five", 4, SG_MALFORMED, "five is larger than 4 bytes"},
        {"empty", 0, SG_OK, NULL},
        {"missing", 5, SG_FAILED, "cannot open missing: No such file or directory"},
        {".", 5, SG_FAILED, "cannot read .: Is a directory"},
    };

    (void)state;
    assert_true(put("five", "12345", SG_KEEP_EXISTING, NULL));
    assert_true(put("empty", "", SG_KEEP_EXISTING, NULL));
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf buf = {0};
        struct sg_error error = {0};
        bool verdict;

        assert_true(sg_buf_set(&buf, sg_slice_text("before"), NULL));
        verdict = sg_file_read(CASES[i].path, CASES[i].limit, &buf, &error);
        if (CASES[i].code == SG_OK) {
            expect_success(CASES[i].path, verdict, &error);
            assert_int_equal(buf.len, CASES[i].limit);
        } else {
            expect_failure(CASES[i].path, verdict, &error, CASES[i].code, CASES[i].complaint);
            assert_string_equal((char *)buf.data, "before");
        }
    }
}

static void standard_input_is_read(void **state)
{
    sg_auto(fd) int saved = dup(STDIN_FILENO);
    sg_auto(sg_buf) struct sg_buf buf = {0};
    struct sg_error error = {0}, large = {0};
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
    close(ends[0]);
    expect_failure("too large", sg_file_read("-", 4, &buf, &large), &large, SG_MALFORMED,
                   "standard input is larger than 4 bytes");
    expect_success("at its end", sg_file_read("-", 100, &buf, &error), &error);
    assert_int_equal(buf.len, 0);
    dup2(saved, STDIN_FILENO);
}

/* ---- drafts ---- */

static void write_draft(const char *path, enum sg_overwrite overwrite, struct sg_draft **draft)
{
    struct sg_error error = {0};
    FILE *file = NULL;

    expect_success("open", sg_draft_open(path, 0600, overwrite, draft, &error), &error);
    expect_success("file", sg_draft_file(*draft, &file, &error), &error);
    assert_true(fprintf(file, "line %d\n", 1) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(dprintf(sg_draft_fd(*draft), "line 2\n"), 7);
}

static void a_draft_is_put_in_place_whole(void **state)
{
    char path[256];
    sg_auto(sg_draft) struct sg_draft *draft = NULL, *other = NULL;
    sg_auto(sg_buf) struct sg_buf found = {0};
    struct sg_error error = {0};

    (void)state;
    snprintf(path, sizeof path, "%s/draft", folder);
    write_draft(path, SG_KEEP_EXISTING, &draft);
    assert_int_equal(access(path, F_OK), -1);
    expect_success("place", sg_draft_place(draft, &error), &error);
    expect_success("read", sg_file_read(path, 100, &found, &error), &error);
    assert_string_equal((char *)found.data, "line 1\nline 2\n");
    expect_failure("again", sg_draft_open(path, 0600, SG_KEEP_EXISTING, &other, &error), &error,
                   SG_FAILED, "draft exists");
    assert_null(other);
}

static void a_draft_that_is_left_leaves_nothing(void **state)
{
    struct sg_draft *draft = NULL;
    char path[256];
    struct dirent *entry;
    DIR *dir;

    (void)state;
    snprintf(path, sizeof path, "%s/draft", folder);
    write_draft(path, SG_REPLACE_EXISTING, &draft);
    sg_draft_free(draft);
    dir = opendir(folder);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (strstr(entry->d_name, "draft") != NULL || strstr(entry->d_name, ".signet") != NULL)
            fail_msg("%s is left", entry->d_name);
    closedir(dir);
}

static void folders_are_synced(void **state)
{
    static const struct {
        int failure;
        bool synced;
    } CASES[] = {{0, true}, {EINVAL, true}, {ENOTSUP, true}, {EIO, false}, {ENOSPC, false}};

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        memset(&fault, 0, sizeof fault);
        fault.fsync_call = CASES[i].failure != 0 ? 1 : 0;
        fault.fsync_errno = CASES[i].failure;
        assert_int_equal(sg_folder_sync_of("absent"), CASES[i].synced);
        assert_int_equal(fault.num_fsyncs, 1);
    }
    assert_false(sg_folder_sync_of("absent/absent"));
    assert_int_equal(errno, ENOENT);
    assert_true(sg_folder_sync_of("/absent"));
}

static void paths_are_joined(void **state)
{
    static const struct {
        const char *folder, *name, *joined;
    } CASES[] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"},    {"/", "b", "/b"},
        {"", "b", "b"},    {"a", "/b/c", "/b/c"}, {"a", "b/c", "a/b/c"},
    };
    char name[5000];
    struct sg_error error = {0};
    char *untouched = NULL;

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(malloc) char *path = NULL;

        assert_true(sg_path_join(CASES[i].folder, CASES[i].name, &path, NULL));
        assert_string_equal(path, CASES[i].joined);
    }
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    expect_failure("long", sg_path_join("a", name, &untouched, &error), &error, SG_FAILED,
                   "a path is longer than 4095 bytes");
    assert_null(untouched);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_written),
        TEST(an_existing_file_stays),
        TEST(links_and_folders_stay),
        TEST(names_that_cannot_be_written),
        TEST(a_write_that_fails_leaves_the_folder),
        TEST(a_replacement_that_fails_keeps_the_old),
        TEST(short_and_interrupted_writes_go_on),
        TEST(without_hard_links),
        TEST(two_writers_do_not_both_win),
        TEST(an_absent_file_may_be_written),
        TEST(files_are_read),
        TEST(standard_input_is_read),
        TEST(a_draft_is_put_in_place_whole),
        TEST(a_draft_that_is_left_leaves_nothing),
        TEST(folders_are_synced),
        TEST(paths_are_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
