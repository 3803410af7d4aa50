#include "expect.h"
#include "make_request.h"

#include <dirent.h>

#include "base/file.h"
#include "base/limits.h"
#include "home/examples.h"

#define POLICY                                                                                     \
    "policy: test\n"                                                                               \
    "description: For the tests of examples\n"                                                     \
    "who: {any: [operator]}\n"                                                                     \
    "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"                                       \
    "subject: [{CN: '${device.id}'}]\n"                                                            \
    "validity: {for: 365d}\n"                                                                      \
    "renewal: never\n"                                                                             \
    "request: {subject: equal}\n"                                                                  \
    "examples:\n"

#define ROOT                                                                                       \
    "policy: test\n"                                                                               \
    "description: For the tests of examples\n"                                                     \
    "who: {any: [operator]}\n"                                                                     \
    "keys: [{ec: [P-256], key_usage: [keyCertSign, cRLSign]}]\n"                                   \
    "subject: [{CN: '${request.CN}'}]\n"                                                           \
    "ca: {path_length: none, self_signed: true}\n"                                                 \
    "validity: {for: 20y}\n"                                                                       \
    "renewal: never\n"                                                                             \
    "examples:\n"

/* A folder with requests: ok.csr by P-256 for CN=device-AB12, forged.csr whose signature is not
 * by its key, weak.csr by RSA-1024, junk.csr, and p384.csr. */
struct fixture {
    char folder[64];
};

static void write_file(const struct fixture *fixture, const char *name, struct sg_slice bytes)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    expect_success(name, sg_path_join(fixture->folder, name, &path, &error), &error);
    expect_success(name, sg_file_write(path, bytes, 0600, SG_KEEP_EXISTING, &error), &error);
}

static void write_request(const struct fixture *fixture, const char *name, const char *kind,
                          const char *signature)
{
    sg_auto(EVP_PKEY) EVP_PKEY *key = make_key(kind);
    sg_auto(sg_buf) struct sg_buf der = {0};
    const struct make_request parts = {.key = key, .signature = signature};

    make_request(&parts, &der);
    write_file(fixture, name, sg_buf_slice(&der));
}

static int set_up(void **state)
{
    static struct fixture fixture;

    make_folder(fixture.folder);
    write_request(&fixture, "ok.csr", "P-256", NULL);
    write_request(&fixture, "p384.csr", "P-384", NULL);
    write_request(&fixture, "weak.csr", "RSA-1024", NULL);
    write_request(&fixture, "forged.csr", "P-256", "03{00 30{020101 020101}}");
    write_file(&fixture, "junk.csr", sg_slice_text("junk"));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    remove_folder(fixture->folder);
    return 0;
}

#define DEVICE "device: {id: device-AB12}"

static void examples_say_what_comes_of_them(void **state)
{
    static const struct {
        const char *policy;
        bool as_expected;
        const char *text;
    } CASES[] = {
        {POLICY "  - {csr: ok.csr, " DEVICE ", expect: accept}\n", true, "accepted"},
        {POLICY "  - {csr: ok.csr, " DEVICE ", expect: {refuse: subject.CN}}\n", false, "accepted"},
        {POLICY "  - {csr: ok.csr, device: {id: device-ZZ99}, expect: accept}\n", false,
         "refused by subject.CN: "},
        {POLICY "  - {csr: ok.csr, device: {id: device-ZZ99}, expect: {refuse: subject.CN}}\n",
         true, "refused by subject.CN: "},
        {POLICY "  - {csr: ok.csr, device: {id: device-ZZ99}, expect: {refuse: keys}}\n", false,
         "refused by subject.CN: "},
        {POLICY "  - {csr: ok.csr, expect: {refuse: subject.CN}}\n", true,
         "refused by subject.CN: "},
        {POLICY "  - {csr: p384.csr, " DEVICE ", expect: {refuse: keys}}\n", true,
         "refused by keys: "},
        {POLICY "  - {csr: weak.csr, " DEVICE ", expect: {refuse: key-quality}}\n", true,
         "refused by key-quality: "},
        {POLICY "  - {csr: forged.csr, " DEVICE ", expect: {refuse: possession}}\n", true,
         "refused by possession: "},
        {POLICY "  - {csr: junk.csr, " DEVICE ", expect: {refuse: malformed}}\n", true,
         "refused by malformed: "},
        {ROOT "  - {csr: ok.csr, expect: accept}\n", true, "accepted"},
        {ROOT "  - {csr: p384.csr, expect: {refuse: keys}}\n", true, "refused by keys: "},
        {ROOT "  - {csr: forged.csr, expect: {refuse: possession}}\n", true,
         "refused by possession: "},
    };
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(malloc) struct sg_example_result *results = NULL;
        struct sg_error error = {0};

        expect_success(
            CASES[i].policy,
            sg_policy_parse("test.yaml", sg_slice_text(CASES[i].policy), &policy, &error), &error);
        expect_success(CASES[i].policy, sg_examples_run(policy, fixture->folder, &results, &error),
                       &error);
        if (results[0].as_expected != CASES[i].as_expected ||
            strncmp(results[0].text, CASES[i].text, strlen(CASES[i].text)) != 0)
            fail_msg("%s: as expected: %d, %s", CASES[i].policy, results[0].as_expected,
                     results[0].text);
        assert_ptr_equal(results[0].example, sg_policy_example(policy, 0));
    }
}

static void a_missing_request_is_a_fault_of_the_policy(void **state)
{
    static const char TEXT[] = POLICY "  - {csr: ok.csr, " DEVICE ", expect: accept}\n"
                                      "  - {csr: none.csr, " DEVICE ", expect: accept}\n";
    const struct fixture *fixture = *state;
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    struct sg_example_result *results = NULL;
    struct sg_error error = {0};

    expect_success("policy", sg_policy_parse("test.yaml", sg_slice_text(TEXT), &policy, &error),
                   &error);
    expect_failure("missing", sg_examples_run(policy, fixture->folder, &results, &error), &error,
                   SG_INVALID, "policy test, line 11: the example's request: cannot open");
    assert_null(results);
}

static void a_policy_may_have_no_examples(void **state)
{
    static const char TEXT[] = "policy: test\n"
                               "description: No examples\n"
                               "who: {any: [operator]}\n"
                               "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                               "subject: [{CN: '${device.id}'}]\n"
                               "validity: {for: 365d}\n"
                               "renewal: never\n";
    const struct fixture *fixture = *state;
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(malloc) struct sg_example_result *results = NULL;
    struct sg_error error = {0};

    expect_success("policy", sg_policy_parse("test.yaml", sg_slice_text(TEXT), &policy, &error),
                   &error);
    expect_success("none", sg_examples_run(policy, fixture->folder, &results, &error), &error);
    assert_non_null(results);
}

/* The shipped policies have examples, and these come out as they say. */
static void expect_examples(const char *folder, const char *file)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(malloc) struct sg_example_result *results = NULL;
    struct sg_error error = {0};

    expect_success(file, sg_path_join(folder, file, &path, &error), &error);
    expect_success(file, sg_policy_load(path, &policy, &error), &error);
    expect_success(file, sg_examples_run(policy, folder, &results, &error), &error);
    assert_true(sg_policy_num_examples(policy) > 1);
    for (size_t i = 0; i < sg_policy_num_examples(policy); i++)
        if (!results[i].as_expected)
            fail_msg("%s:%u: %s", file, results[i].example->line, results[i].text);
}

static void shipped_policies_do_what_they_say(void **state)
{
    const char *source = getenv("SIGNET_SOURCE");
    sg_auto(malloc) char *folder = NULL;
    struct sg_error error = {0};
    const struct dirent *entry;
    unsigned num = 0;
    DIR *policies;

    (void)state;
    if (source == NULL)
        fail_msg("SIGNET_SOURCE names the source tree; meson test sets it");
    expect_success("folder", sg_path_join(source, "policies", &folder, &error), &error);
    policies = opendir(folder);
    assert_non_null(policies);
    while ((entry = readdir(policies)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');

        if (dot == NULL || strcmp(dot, ".yaml") != 0)
            continue;
        expect_examples(folder, entry->d_name);
        num++;
    }
    closedir(policies);
    assert_true(num >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(examples_say_what_comes_of_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_request_is_a_fault_of_the_policy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_policy_may_have_no_examples, set_up, tear_down),
        cmocka_unit_test(shipped_policies_do_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
