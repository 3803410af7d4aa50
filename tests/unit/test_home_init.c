#include "expect.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "home/home.h"

/* A folder with data/policies as it is installed, in which homes are made. */
struct fixture {
    char folder[64];
    char data[96], home[96];
};

static void make_subfolder(const struct fixture *fixture, const char *name)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    expect_success(name, sg_path_join(fixture->folder, name, &path, &error), &error);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_file(const struct fixture *fixture, const char *name, const char *text)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    expect_success(name, sg_path_join(fixture->folder, name, &path, &error), &error);
    expect_success(
        name, sg_file_write(path, sg_slice_text(text), 0600, SG_REPLACE_EXISTING, &error), &error);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    make_folder(fixture.folder);
    snprintf(fixture.data, sizeof fixture.data, "%s/data", fixture.folder);
    snprintf(fixture.home, sizeof fixture.home, "%s/home", fixture.folder);
    make_subfolder(&fixture, "data");
    make_subfolder(&fixture, "data/policies");
    make_subfolder(&fixture, "data/policies/small");
    make_file(&fixture, "data/policies/small.yaml", "policy: small\n");
    make_file(&fixture, "data/policies/small/ok.csr", "a request\n");
    make_file(&fixture, "data/policies/.hidden", "stays\n");
    setenv("SIGNET_DATA", fixture.data, 1);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    unsetenv("SIGNET_DATA");
    remove_folder(fixture->folder);
    return 0;
}

/* What everybody gives. */
static const struct sg_home_spec SPEC = {
    .ca = "Example Device CA",
    .issuer = "issuing-2026",
    .token = "pkcs11:token=example-issuing",
    .profile = "softhsm",
    .pin = "file:pin",
};

static unsigned num_entries(const char *folder)
{
    DIR *entries = opendir(folder);
    unsigned num = 0;

    assert_non_null(entries);
    while (readdir(entries) != NULL)
        num++;
    closedir(entries);
    return num - 2; /* "." and ".." */
}

static void expect_file(const char *folder, const char *name, const char *wanted)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    expect_success(name, sg_path_join(folder, name, &path, &error), &error);
    expect_success(name, sg_file_read(path, SG_LIMIT_YAML, &text, &error), &error);
    assert_string_equal((const char *)text.data, wanted);
}

static void a_home_is_made_and_can_be_opened(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_error error = {0};
    struct stat status;

    expect_success("init", sg_home_init(fixture->home, &SPEC, &error), &error);
    assert_int_equal(stat(fixture->home, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    expect_file(fixture->home, "policies/small.yaml", "policy: small\n");
    expect_file(fixture->home, "policies/small/ok.csr", "a request\n");
    assert_int_equal(num_entries(fixture->folder), 2); /* nothing beside data and home */
    expect_success("open", sg_home_open(fixture->home, SG_STORE_OPEN, &home, &error), &error);
    assert_string_equal(sg_home_dir(home), fixture->home);
}

static void the_settings_say_what_was_asked_for(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_error error = {0};
    const struct sg_config *config;

    expect_success("init", sg_home_init(fixture->home, &SPEC, &error), &error);
    expect_success("open", sg_home_open(fixture->home, SG_STORE_OPEN, &home, &error), &error);
    config = sg_home_config(home);
    assert_string_equal(config->ca, SPEC.ca);
    assert_string_equal(config->store, "sqlite:signet.db");
    assert_string_equal(config->tokens[0].profile, "softhsm");
    assert_null(config->tokens[0].module);
    assert_string_equal(config->tokens[0].uri, SPEC.token);
    assert_string_equal(config->tokens[0].pin, "file:pin");
    assert_string_equal(config->issuers[0].name, "issuing-2026");
    assert_string_equal(config->issuers[0].token, config->tokens[0].name);
    assert_string_equal(config->issuers[0].key, "pkcs11:object=issuing-2026");
    assert_string_equal(config->issuers[0].certificate, "issuing-2026.pem");
    assert_int_equal(config->issuers[0].scheme, SG_SCHEME_NONE);
    assert_null(config->issuers[0].crl_url);
    assert_int_equal(config->issuers[0].crl_lifetime_s, 7 * 24 * 3600);
    assert_int_equal(config->device.num, 8);
    assert_true(sg_pattern_matches(config->device.fields[0].pattern, "device-AB12"));
    assert_false(sg_pattern_matches(config->device.fields[0].pattern, "AB12"));
    for (size_t i = 1; i < config->device.num; i++)
        assert_true(config->device.fields[i].optional);
    assert_int_equal(config->user.num, 8);
    for (size_t i = 1; i < config->user.num; i++)
        assert_true(config->user.fields[i].optional);
}

static void everything_that_was_asked_for_gets_in(void **state)
{
    const struct fixture *fixture = *state;
    struct sg_home_spec spec = SPEC;
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_error error = {0};
    const struct sg_config *config;

    spec.ca = "O'Reilly: \"CA\" #1 @pin@ \\ {x}";
    spec.profile = NULL;
    spec.module = "/usr/lib/it's.so";
    spec.pin = NULL;
    spec.scheme = SG_RSA_PSS_SHA512;
    spec.crl_url = "http://pki.example.com/it's.crl";
    spec.ca_issuers_url = "http://pki.example.com/a.cer";
    expect_success("init", sg_home_init(fixture->home, &spec, &error), &error);
    expect_success("open", sg_home_open(fixture->home, SG_STORE_OPEN, &home, &error), &error);
    config = sg_home_config(home);
    assert_string_equal(config->ca, spec.ca);
    assert_string_equal(config->tokens[0].module, spec.module);
    assert_null(config->tokens[0].profile);
    assert_null(config->tokens[0].pin);
    assert_int_equal(config->issuers[0].scheme, SG_RSA_PSS_SHA512);
    assert_string_equal(config->issuers[0].crl_url, spec.crl_url);
    assert_null(config->issuers[0].ocsp_url);
    assert_string_equal(config->issuers[0].ca_issuers_url, spec.ca_issuers_url);
}

static void wrong_specs_are_refused(void **state)
{
    static const struct {
        const char *name;
        struct sg_home_spec spec;
        const char *complaint;
    } CASES[] = {
        {"no name", {.issuer = "a", .token = "pkcs11:", .profile = "p"}, "a home needs a name"},
        {"no issuer", {.ca = "a", .token = "pkcs11:", .profile = "p"}, "a home needs a name"},
        {"no token", {.ca = "a", .issuer = "a", .profile = "p"}, "a home needs a name"},
        {"empty name",
         {.ca = "", .issuer = "a", .token = "pkcs11:", .profile = "p"},
         "the CA's name is empty"},
        {"line break",
         {.ca = "a\nb", .issuer = "a", .token = "pkcs11:", .profile = "p"},
         "the CA's name has a line break"},
        {"no way to the token",
         {.ca = "a", .issuer = "a", .token = "pkcs11:"},
         "by a profile or by a module"},
        {"two ways to the token",
         {.ca = "a", .issuer = "a", .token = "pkcs11:", .profile = "p", .module = "m"},
         "by a profile or by a module"},
        {"issuer with a slash",
         {.ca = "a", .issuer = "../a", .token = "pkcs11:", .profile = "p"},
         "'../a' can't name an issuer"},
        {"token without a URI",
         {.ca = "a", .issuer = "a", .token = "issuing", .profile = "p"},
         "'issuing' is not a PKCS#11 URI"},
        {"token with a PIN",
         {.ca = "a", .issuer = "a", .token = "pkcs11:?pin-value=4711", .profile = "p"},
         "a PIN does not belong into a URI"},
        {"PIN itself",
         {.ca = "a", .issuer = "a", .token = "pkcs11:", .profile = "p", .pin = "4711"},
         "file:"},
        {"URL of a file",
         {.ca = "a", .issuer = "a", .token = "pkcs11:", .profile = "p", .ocsp_url = "file:///x"},
         "has to begin with http://"},
    };
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};

        expect_failure(CASES[i].name, sg_home_init(fixture->home, &CASES[i].spec, &error), &error,
                       SG_USAGE, CASES[i].complaint);
        assert_null(strstr(error.text, "4711"));
        assert_int_equal(num_entries(fixture->folder), 1);
    }
}

static void an_empty_folder_becomes_a_home(void **state)
{
    const struct fixture *fixture = *state;
    char with_slash[128];
    struct sg_error error = {0};
    struct stat status;

    make_subfolder(fixture, "home");
    snprintf(with_slash, sizeof with_slash, "%s//", fixture->home);
    expect_success("empty", sg_home_init(with_slash, &SPEC, &error), &error);
    assert_int_equal(stat(fixture->home, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
}

static void what_is_there_stays(void **state)
{
    const struct fixture *fixture = *state;
    struct sg_error error = {0};
    char path[160];

    make_subfolder(fixture, "home");
    make_file(fixture, "home/mine", "my text");
    expect_failure("not empty", sg_home_init(fixture->home, &SPEC, &error), &error, SG_FAILED,
                   "is there and not empty; name a new folder");
    assert_int_equal(num_entries(fixture->home), 1);
    expect_file(fixture->home, "mine", "my text");

    sg_error_clear(&error);
    make_file(fixture, "file", "my text");
    snprintf(path, sizeof path, "%s/file", fixture->folder);
    expect_failure("a file", sg_home_init(path, &SPEC, &error), &error, SG_FAILED,
                   "cannot make a CA home of");
    expect_file(fixture->folder, "file", "my text");
    assert_int_equal(num_entries(fixture->folder), 3);
}

static void a_failure_leaves_nothing(void **state)
{
    const struct fixture *fixture = *state;
    struct sg_error error = {0};
    char path[160];
    FILE *large;

    snprintf(path, sizeof path, "%s/none/home", fixture->folder);
    expect_failure("no parent", sg_home_init(path, &SPEC, &error), &error, SG_FAILED,
                   "cannot write to");
    sg_error_clear(&error);
    expect_failure("no name", sg_home_init("", &SPEC, &error), &error, SG_USAGE, "has no name");

    sg_error_clear(&error);
    snprintf(path, sizeof path, "%s/none", fixture->folder);
    setenv("SIGNET_DATA", path, 1);
    expect_failure("no data", sg_home_init(fixture->home, &SPEC, &error), &error, SG_FAILED,
                   "the shipped policies are not in");
    sg_error_clear(&error);
    setenv("SIGNET_DATA", "data", 1);
    expect_failure("relative data", sg_home_init(fixture->home, &SPEC, &error), &error, SG_USAGE,
                   "SIGNET_DATA is 'data', which is not an absolute path");

    sg_error_clear(&error);
    setenv("SIGNET_DATA", fixture->data, 1);
    snprintf(path, sizeof path, "%s/policies/small/large.csr", fixture->data);
    large = fopen(path, "w");
    assert_non_null(large);
    assert_int_equal(ftruncate(fileno(large), SG_LIMIT_YAML + 1), 0);
    fclose(large);
    expect_failure("half way", sg_home_init(fixture->home, &SPEC, &error), &error, SG_MALFORMED,
                   "large.csr is larger than");
    assert_int_equal(num_entries(fixture->folder), 1); /* data, and nothing else */
}

static void nobody_is_left_in_a_folder_that_is_gone(void **state)
{
    const struct fixture *fixture = *state;
    char before[1024];
    struct sg_error error = {0};

    assert_non_null(getcwd(before, sizeof before));
    make_subfolder(fixture, "home");
    assert_int_equal(chdir(fixture->home), 0);
    expect_failure(".", sg_home_init(".", &SPEC, &error), &error, SG_USAGE,
                   "is the working folder; name a new folder");
    sg_error_clear(&error);
    expect_failure("by its name", sg_home_init(fixture->home, &SPEC, &error), &error, SG_USAGE,
                   "is the working folder");
    sg_error_clear(&error);
    expect_success("a relative name", sg_home_init("inside", &SPEC, &error), &error);
    assert_int_equal(num_entries("."), 1);
    assert_int_equal(chdir(before), 0);
}

/* The shipped policies, with this very settings file, make a home whose policies load. */
static void the_shipped_policies_work_in_a_new_home(void **state)
{
    static const char *const NAMES[] = {"root-ca",        "issuing-ca",      "device-mtls",
                                        "ocsp-responder", "smartcard-logon", "piv-auth",
                                        "piv-card-auth",  "idevid",          "ldevid",
                                        "matter-paa",     "matter-pai",      "matter-dac"};
    const struct fixture *fixture = *state;
    const char *source = getenv("SIGNET_SOURCE");
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_error error = {0};

    if (source == NULL)
        fail_msg("SIGNET_SOURCE names the source tree; meson test sets it");
    setenv("SIGNET_DATA", source, 1);
    expect_success("init", sg_home_init(fixture->home, &SPEC, &error), &error);
    expect_success("open", sg_home_open(fixture->home, SG_STORE_OPEN, &home, &error), &error);
    for (size_t i = 0; i < NUM(NAMES); i++) {
        const struct sg_policy *policy = NULL;

        expect_success(NAMES[i], sg_home_policy(home, NAMES[i], &policy, &error), &error);
        assert_string_equal(sg_policy_name(policy), NAMES[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_home_is_made_and_can_be_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_settings_say_what_was_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything_that_was_asked_for_gets_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_specs_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_folder_becomes_a_home, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_there_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_left_in_a_folder_that_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_shipped_policies_work_in_a_new_home, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
