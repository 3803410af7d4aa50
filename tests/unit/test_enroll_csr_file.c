#include "expect.h"

#include "base/file.h"
#include "enroll/csr_file.h"

static char folder[64], path[80];

static int set_up(void **state)
{
    (void)state;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/ada.yaml", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static bool read_text(const char *text, struct sg_csr_content *content, struct sg_error *error)
{
    assert_true(sg_file_write(path, sg_slice_text(text), 0600, SG_REPLACE_EXISTING, NULL));
    return sg_csr_content_read(path, content, error);
}

#define EVERYTHING                                                                                 \
    "subject: [{CN: Ada Lovelace}, {O: 'Example, GmbH'}]\n"                                        \
    "san: [{email: ada@example.com}, {upn: ada@corp.example.com}, {dns: a.example}]\n"             \
    "key_usage: [digitalSignature, nonRepudiation]\n"                                              \
    "extended_key_usage: [clientAuth, 1.3.6.1.4.1.32473.9]\n"                                      \
    "signature: ecdsa-sha384\n"

static void everything_is_read(void **state)
{
    sg_auto(sg_csr_content) struct sg_csr_content content = {0};
    struct sg_error error = {0};
    char text[200];

    (void)state;
    expect_success("file", read_text(EVERYTHING, &content, &error), &error);
    const struct sg_csr_spec spec = sg_csr_spec_of_content(&content);
    assert_string_equal(sg_name_text(spec.subject, text, sizeof text),
                        "CN=Ada Lovelace,O=Example\\, GmbH");
    assert_string_equal(sg_sans_text(spec.sans, text, sizeof text),
                        "email:ada@example.com, upn:ada@corp.example.com, dns:a.example");
    assert_int_equal(spec.key_usage, SG_KU_DIGITAL_SIGNATURE | SG_KU_NON_REPUDIATION);
    assert_string_equal(sg_oids_purposes_text(spec.purposes, text, sizeof text),
                        "clientAuth, 1.3.6.1.4.1.32473.9");
    assert_int_equal(spec.scheme, SG_ECDSA_SHA384);
    assert_false(spec.ca);
}

static void one_name_is_enough(void **state)
{
    static const char *const TEXTS[] = {"subject: [{CN: x}]\n", "san: [{ip: 192.0.2.1}]\n",
                                        "key_usage: [digitalSignature]\nsubject: [{C: DE}]\n"};

    (void)state;
    for (size_t i = 0; i < NUM(TEXTS); i++) {
        sg_auto(sg_csr_content) struct sg_csr_content content = {0};
        struct sg_error error = {0};

        expect_success(TEXTS[i], read_text(TEXTS[i], &content, &error), &error);
    }
}

static void mistakes_have_their_place(void **state)
{
    static const struct {
        const char *text, *part;
    } CASES[] = {
        {"", "ada.yaml:1:1"},
        {"subject: [{CN: x}]\nsubject: [{CN: y}]\n", "ada.yaml:2:1"},
        {"subject: [{CN: x}]\nkey: y\n", "ada.yaml:2:1: unknown key 'key'"},
        {"subject: CN=x\n", "ada.yaml:1:10"},
        {"subject: [CN]\n", "1:11: write one key and its value, as in {CN: Ada Lovelace}"},
        {"subject: [{CN: x, O: y}]\n", "1:11: write one key and its value"},
        {"subject: [{XX: y}]\n", "ada.yaml:1:"},
        {"subject: [{C: Germany}]\n", "ada.yaml:1:"},
        {"subject: [{CN: }]\n", "ada.yaml:1:"},
        {"subject: []\n", "the request names nobody"},
        {"key_usage: [digitalSignature]\n", "1:1: the request names nobody"},
        {"san: [ada@example.com]\n", "1:7: write one key and its value, as in {email:"},
        {"san: [{phone: 1}]\n", "ada.yaml:1:"},
        {"san: [{dns: a_b}]\n", "ada.yaml:1:"},
        {"san: [{ip: 1.2.3}]\n", "must be an IPv4 or IPv6 address"},
        {"subject: [{CN: x}]\nkey_usage: [digitalSignature, digitalSignature]\n",
         "2:31: digitalSignature is in the list twice"},
        {"subject: [{CN: x}]\nkey_usage: [signing]\n", "ada.yaml:2:13"},
        {"subject: [{CN: x}]\nextended_key_usage: [web]\n", "ada.yaml:2:22"},
        {"subject: [{CN: x}]\nextended_key_usage: [clientAuth, clientAuth]\n", "ada.yaml:2:34"},
        {"subject: [{CN: x}]\nextended_key_usage: clientAuth\n", "ada.yaml:2:21"},
        {"subject: [{CN: x}]\nsignature: md5\n", "2:12: \"md5\" is no signature scheme"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_csr_content content = {0};
        struct sg_error error = {0};

        expect_failure(CASES[i].text, read_text(CASES[i].text, &content, &error), &error,
                       SG_INVALID, CASES[i].part);
        assert_int_equal(content.subject.num + content.sans.num + content.purposes.num, 0);
    }
}

static void a_file_that_is_not_there(void **state)
{
    struct sg_csr_content content = {0};
    struct sg_error error = {0};

    (void)state;
    expect_failure("absent", sg_csr_content_read("/nowhere/ada.yaml", &content, &error), &error,
                   SG_FAILED, "/nowhere/ada.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(one_name_is_enough),
        cmocka_unit_test(mistakes_have_their_place),
        cmocka_unit_test(a_file_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
