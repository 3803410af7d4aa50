#include "expect.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>

static void first_cause_wins(void **state)
{
    struct sg_error error = {0};

    (void)state;
    assert_false(sg_fail(&error, SG_REFUSED, "rule one", "first %d", 1));
    assert_false(sg_fail(&error, SG_TOKEN, "rule two", "second"));
    errno = EIO;
    assert_false(sg_fail_errno(&error, "third"));
    assert_false(sg_fail_memory(&error));
    assert_false(sg_fail_openssl(&error, SG_INTERNAL, NULL, "fourth"));
    assert_int_equal(error.code, SG_REFUSED);
    assert_string_equal(error.rule, "rule one");
    assert_string_equal(error.text, "first 1");
    assert_int_equal(error.detail, 0);
    sg_error_clear(&error);
    assert_int_equal(error.code, SG_OK);
    assert_string_equal(error.text, "");
    assert_false(sg_fail(&error, SG_TOKEN, NULL, "second"));
    assert_string_equal(error.text, "second");
    assert_string_equal(error.rule, "");
}

static void no_error_is_wanted(void **state)
{
    (void)state;
    assert_false(sg_fail(NULL, SG_FAILED, NULL, "x"));
    assert_false(sg_fail_errno(NULL, "x"));
    assert_false(sg_fail_openssl(NULL, SG_FAILED, NULL, "x"));
    assert_false(sg_fail_memory(NULL));
    assert_false(sg_error_prefix(NULL, "x"));
    sg_error_clear(NULL);
}

static void bytes_that_reach_a_terminal(void **state)
{
    static const struct {
        const char *value, *shown;
    } CASES[] = {
        {"plain", "plain"},
        {"K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\x91", "K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\x91"},
        {"a\x1b[31mb", "a?[31mb"},
        {"a\nb\r\tc\x7f", "a?b??c?"},
        {"csi \xc2\x9b", "csi ??"},
        {"lone \x9b", "lone ?"},
        {"line \xe2\x80\xa8 separator", "line ??? separator"},
        {"cut \xe2\x82", "cut ??"},
        {"overlong \xc0\xaf", "overlong ??"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0}, prefixed = {0};
        char shown[100];

        sg_fail(&error, SG_INVALID, CASES[i].value, "%s", CASES[i].value);
        assert_string_equal(error.text, CASES[i].shown);
        assert_string_equal(error.rule, CASES[i].shown);
        sg_fail(&prefixed, SG_INVALID, NULL, "x");
        sg_error_prefix(&prefixed, "%s", CASES[i].value);
        snprintf(shown, sizeof shown, "%s: x", CASES[i].shown);
        assert_string_equal(prefixed.text, shown);
    }
}

static void long_texts_are_cut(void **state)
{
    struct sg_error error = {0};
    char text[2 * SG_ERROR_TEXT_SIZE];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    sg_fail(&error, SG_INVALID, text, "%s", text);
    assert_int_equal(strlen(error.text), SG_ERROR_TEXT_SIZE - 1);
    assert_int_equal(strlen(error.rule), SG_ERROR_RULE_SIZE - 1);
    assert_string_equal(error.text + strlen(error.text) - 4, "x...");
    sg_error_prefix(&error, "where");
    assert_int_equal(strlen(error.text), SG_ERROR_TEXT_SIZE - 1);
    assert_memory_equal(error.text, "where: xxx", 10);
    sg_error_prefix(&error, "%s", text);
    assert_int_equal(strlen(error.text), SG_ERROR_TEXT_SIZE - 1);
    assert_string_equal(error.text + strlen(error.text) - 4, "x...");
}

/* A character of three bytes across the end of the field must not leave a part of itself. */
static void a_cut_leaves_utf8(void **state)
{
    struct sg_error error = {0};
    char text[SG_ERROR_TEXT_SIZE + 3];

    (void)state;
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 4);
    sg_fail(&error, SG_INVALID, NULL, "%s", text);
    assert_null(strchr(error.text + strlen(error.text) - 3, '\xe2'));
    assert_non_null(strstr(error.text, "..."));
}

static void prefixes_pile_up(void **state)
{
    struct sg_error error = {0};

    (void)state;
    sg_error_prefix(&error, "nothing to say");
    assert_int_equal(error.code, SG_OK);
    assert_string_equal(error.text, "");
    sg_fail(&error, SG_STORE, "r", "cause");
    assert_false(sg_error_prefix(&error, "inner %d", 2));
    assert_false(sg_error_prefix(&error, "outer"));
    assert_string_equal(error.text, "outer: inner 2: cause");
    assert_int_equal(error.code, SG_STORE);
    assert_string_equal(error.rule, "r");
}

static void system_errors_are_named(void **state)
{
    struct sg_error error = {0}, memory = {0};

    (void)state;
    errno = ENOENT;
    assert_false(sg_fail_errno(&error, "cannot open %s", "x"));
    assert_int_equal(error.code, SG_FAILED);
    assert_int_equal(error.detail, ENOENT);
    assert_string_equal(error.text, "cannot open x: No such file or directory");
    sg_fail_memory(&memory);
    assert_int_equal(memory.detail, ENOMEM);
    expect_failure("memory", false, &memory, SG_FAILED, "memory ran out");
}

static void openssl_errors_tell_their_reason(void **state)
{
    static const unsigned char GARBAGE[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    const unsigned char *at = GARBAGE;
    struct sg_error error = {0}, file = {0}, none = {0};

    (void)state;
    ERR_clear_error();
    assert_null(d2i_X509(NULL, &at, sizeof GARBAGE));
    assert_false(sg_fail_openssl(&error, SG_MALFORMED, "RFC 5280 4.1", "not a certificate"));
    /* and not "nested asn1 error", which is on top of it */
    assert_string_equal(error.text, "not a certificate: wrong tag");
    assert_string_equal(error.rule, "RFC 5280 4.1");
    assert_int_equal(ERR_peek_error(), 0);
    assert_null(BIO_new_file("/nonexistent/file", "r"));
    sg_fail_openssl(&file, SG_FAILED, NULL, "no file");
    assert_int_equal(ERR_peek_error(), 0);
    assert_string_not_equal(file.text, "no file");
    sg_fail_openssl(&none, SG_FAILED, NULL, "quiet");
    assert_string_equal(none.text, "quiet");
}

static void codes_have_names(void **state)
{
    static const struct {
        enum sg_code code;
        const char *name;
        bool is_refusal;
    } CASES[] = {
        {SG_OK, "ok", false},
        {SG_FAILED, "failed", false},
        {SG_USAGE, "usage", false},
        {SG_INVALID, "invalid", false},
        {SG_MALFORMED, "malformed", true},
        {SG_POSSESSION, "possession", true},
        {SG_KEY_QUALITY, "key-quality", true},
        {SG_UNAUTHENTICATED, "unauthenticated", true},
        {SG_REFUSED, "refused", true},
        {SG_TOKEN, "token", false},
        {SG_PIN, "pin", false},
        {SG_STORE, "store", false},
        {SG_INTERNAL, "internal", false},
        {SG_INTERNAL + 1, "unknown", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        assert_string_equal(sg_code_name(CASES[i].code), CASES[i].name);
        assert_int_equal(sg_code_is_refusal(CASES[i].code), CASES[i].is_refusal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_cause_wins),
        cmocka_unit_test(no_error_is_wanted),
        cmocka_unit_test(bytes_that_reach_a_terminal),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_cut_leaves_utf8),
        cmocka_unit_test(prefixes_pile_up),
        cmocka_unit_test(system_errors_are_named),
        cmocka_unit_test(openssl_errors_tell_their_reason),
        cmocka_unit_test(codes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
