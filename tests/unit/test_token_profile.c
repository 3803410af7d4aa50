#include "expect.h"

#include <sys/stat.h>

#include "base/file.h"
#include "token/profile.h"

static char folder[64];

static int make(void **state)
{
    char path[128];

    (void)state;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/tokens", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/tokens/odd", folder);
    mkdir(path, 0700);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static void shipped(void **state)
{
    sg_auto(sg_profile) struct sg_profile profile = {0};
    struct sg_error error = {0};

    (void)state;
    setenv("SIGNET_DATA", getenv("SIGNET_SOURCE"), 1);
    expect_success("softhsm", sg_profile_load("softhsm", &profile, &error), &error);
    assert_string_equal(profile.name, "softhsm");
    assert_true(profile.num_modules >= 3);
    assert_int_equal(profile.keygen_login, SG_KEYGEN_AS_USER);
    assert_int_equal(profile.max_pin, 255);
    assert_true(sg_profile_has_key(&profile, (struct sg_key_kind){SG_KEY_RSA, 4096}));
    assert_true(sg_profile_has_key(&profile, (struct sg_key_kind){SG_KEY_ED25519, 0}));
    assert_false(sg_profile_has_key(&profile, (struct sg_key_kind){SG_KEY_RSA, 1024}));
    assert_true(sg_profile_has_scheme(&profile, SG_ECDSA_SHA512));
}

static void nothing_known(void **state)
{
    const struct sg_profile none = {0};

    (void)state;
    assert_true(sg_profile_has_key(&none, (struct sg_key_kind){SG_KEY_RSA, 1024}));
    assert_true(sg_profile_has_scheme(&none, SG_RSA_SHA256));
}

#define HEAD "description: odd\nmodule: [/a.so, /b.so]\n"

static void contents(void **state)
{
    static const struct {
        const char *text;
        const char *part; /* of the message; NULL: accepted */
    } CASES[] = {
        {HEAD, NULL},
        {HEAD "keygen_login: so\nmax_pin: 8\n"
              "mechanisms: {keys: [P-256], signatures: [ecdsa-sha256]}\n",
         NULL},
        {"module: [/a.so]\n", "description"},
        {"description: odd\n", "module"},
        {"description: odd\nmodule: []\n", "profile.yaml:2:9: module names no path"},
        {"description: odd\nmodule: /a.so\n", "profile.yaml:2:9"},
        {"description: odd\nmodule: [a.so]\n", "profile.yaml:2:10: 'a.so' is not an absolute path"},
        {"description: odd\nmodule: [/1, /2, /3, /4, /5, /6, /7, /8, /9]\n", "more than 8 paths"},
        {HEAD "keygen_login: nobody\n", "nobody"},
        {HEAD "max_pin: 0\n", "profile.yaml:3:10"},
        {HEAD "max_pin: 256\n", "profile.yaml:3:10"},
        {HEAD "max_sessions: 1\nids: ['01', '9a']\n", NULL},
        {HEAD "max_sessions: 0\n", "profile.yaml:3:15"},
        {HEAD "ids: ['9']\n", "profile.yaml:3:7: '9' is no id of one byte"},
        {HEAD "ids: ['9a9c']\n", "profile.yaml:3:7: '9a9c' is no id of one byte"},
        {HEAD "mechanisms: {keys: [P-256]}\n", "signatures"},
        {HEAD "mechanisms: {keys: [P-257], signatures: []}\n", "profile.yaml:3:21: \"P-257\""},
        {HEAD "mechanisms: {keys: [], signatures: [md5]}\n", "profile.yaml:3:37"},
        {HEAD "colour: red\n", "colour"},
        {"", "profile.yaml"},
    };
    char path[128];

    (void)state;
    setenv("SIGNET_DATA", folder, 1);
    snprintf(path, sizeof path, "%s/tokens/odd/profile.yaml", folder);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_profile) struct sg_profile profile = {0};
        struct sg_error error = {0};
        bool verdict;

        assert_true(
            sg_file_write(path, sg_slice_text(CASES[i].text), 0600, SG_REPLACE_EXISTING, &error));
        verdict = sg_profile_load("odd", &profile, &error);
        if (CASES[i].part == NULL) {
            expect_success(CASES[i].text, verdict, &error);
        } else {
            expect_failure(CASES[i].text, verdict, &error, SG_INVALID, CASES[i].part);
            assert_null(profile.name);
        }
    }
}

static void names(void **state)
{
    static const struct {
        const char *name, *data;
        enum sg_code code;
        const char *part;
    } CASES[] = {
        {"", folder, SG_USAGE, "no name of a token profile"},
        {"../odd", folder, SG_USAGE, "no name of a token profile"},
        {"Odd", folder, SG_USAGE, "no name of a token profile"},
        {"absent", folder, SG_INVALID, "there is no token profile absent"},
        {"odd", "tokens/..", SG_USAGE, "not an absolute path"},
        {"odd", "", SG_INVALID, "/tokens/odd/profile.yaml is not there"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_profile) struct sg_profile profile = {0};
        struct sg_error error = {0};

        setenv("SIGNET_DATA", CASES[i].data, 1);
        expect_failure(CASES[i].name, sg_profile_load(CASES[i].name, &profile, &error), &error,
                       CASES[i].code, CASES[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped),
        cmocka_unit_test(nothing_known),
        cmocka_unit_test(contents),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
