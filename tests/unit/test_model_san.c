#include "expect.h"

#include "base/hex.h"
#include "model/san.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void forms_are_checked(void **state)
{
    static const struct {
        enum sg_san_kind kind;
        const char *value;
        const char *complaint; /* NULL: accepted */
    } CASES[] = {
        {SG_SAN_DNS, "a.example", NULL},
        {SG_SAN_DNS, "localhost", NULL},
        {SG_SAN_DNS, "xn--bcher-kva.example", NULL},
        {SG_SAN_DNS, "*.example.com", NULL},
        {SG_SAN_DNS, LABEL_63 ".example", NULL},
        {SG_SAN_DNS, "", "dns: the alternative name is empty"},
        {SG_SAN_DNS, "a" LABEL_63 ".example", "must be labels"},
        {SG_SAN_DNS, LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, "must be labels"},
        {SG_SAN_DNS, "a..example", "dns: \"a..example\" must be labels"},
        {SG_SAN_DNS, "a.example.", "must be labels"},
        {SG_SAN_DNS, ".example", "must be labels"},
        {SG_SAN_DNS, "-a.example", "must be labels"},
        {SG_SAN_DNS, "a-.example", "must be labels"},
        {SG_SAN_DNS, "a_b.example", "must be labels"},
        {SG_SAN_DNS, "a b.example", "must be labels"},
        {SG_SAN_DNS, "bücher.example", "must be labels"},
        {SG_SAN_DNS, "*", "must be labels"},
        {SG_SAN_DNS, "*a.example", "must be labels"},
        {SG_SAN_DNS, "a.*.example", "must be labels"},
        {SG_SAN_DNS, "*.*.example", "must be labels"},
        {SG_SAN_DNS, "a.example\n", "dns has a line break"},
        {SG_SAN_URI, "urn:dev:org:32473-device-AB12", NULL},
        {SG_SAN_URI, "https://a.example/b?c=d#e", NULL},
        {SG_SAN_URI, "spiffe://example.org/x%20y", NULL},
        {SG_SAN_URI, "mailto:a@example.com", NULL},
        {SG_SAN_URI, "a.example/b", "uri: \"a.example/b\" must begin with a scheme"},
        {SG_SAN_URI, ":x", "must begin with a scheme"},
        {SG_SAN_URI, "1a:x", "must begin with a scheme"},
        {SG_SAN_URI, "urn:", "must begin with a scheme"},
        {SG_SAN_URI, "urn:a b", "must percent-encode"},
        {SG_SAN_URI, "urn:ü", "must percent-encode"},
        {SG_SAN_URI, "urn:<a>", "must percent-encode"},
        {SG_SAN_URI, "http://", "has no host after its //"},
        {SG_SAN_URI, "file:///etc", "has no host after its //"},
        {SG_SAN_EMAIL, "a.b+c@example.com", NULL},
        {SG_SAN_EMAIL, "example.com", "must have one \"@\""},
        {SG_SAN_EMAIL, "@example.com", "must have one \"@\""},
        {SG_SAN_EMAIL, "a@", "must have one \"@\""},
        {SG_SAN_EMAIL, "a@b@example.com", "must have one \"@\""},
        {SG_SAN_EMAIL, "a b@example.com", "has characters before the \"@\""},
        {SG_SAN_EMAIL, "ü@example.com", "has characters before the \"@\""},
        {SG_SAN_EMAIL, "a@exam ple.com", "has no domain name after the \"@\""},
        {SG_SAN_EMAIL, "a@*.example.com", "has no domain name after the \"@\""},
        {SG_SAN_UPN, "jörg@example.local", NULL},
        {SG_SAN_UPN, "jörg", "upn: \"jörg\" must have one \"@\""},
        {SG_SAN_UPN, "a@b@c", "must have one \"@\""},
        {SG_SAN_UPN, "a\x7f@b", "upn has a control character"},
        {SG_SAN_UPN, "a\xff@b", "upn is not UTF-8"},
        {SG_SAN_IP, "192.0.2.1", NULL},
        {SG_SAN_IP, "2001:db8::1", NULL},
        {SG_SAN_IP, "192.0.2", "ip: \"192.0.2\" must be an IPv4 or IPv6 address"},
        {SG_SAN_IP, "192.0.2.256", "must be an IPv4 or IPv6 address"},
        {SG_SAN_IP, "192.0.2.0/24", "must be an IPv4 or IPv6 address"},
        {SG_SAN_IP, "2001:db8:::1", "must be an IPv4 or IPv6 address"},
        {SG_SAN_IP, "fe80::1%eth0", "must be an IPv4 or IPv6 address"},
        {SG_SAN_OTHER, "8800", NULL},
        {SG_SAN_OTHER, "88G0", "must be lower-case hex"},
        {(enum sg_san_kind)99, "x", "is of no known kind"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_sans) struct sg_sans sans = {0};
        struct sg_error error = {0};
        bool verdict = sg_sans_add(&sans, CASES[i].kind, CASES[i].value, &error);

        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].value, verdict, &error);
            assert_string_equal(sans.items[0].value, CASES[i].value);
        } else {
            expect_failure(CASES[i].value, verdict, &error, SG_REFUSED, CASES[i].complaint);
            assert_int_equal(sans.num, 0);
        }
    }
}

static void sizes_are_bounded(void **state)
{
    sg_auto(sg_sans) struct sg_sans sans = {0};
    struct sg_error error = {0};
    char value[SG_LIMIT_VALUE + 2] = "urn:";

    (void)state;
    memset(value + 4, 'a', SG_LIMIT_VALUE - 3);
    expect_failure("long", sg_sans_add(&sans, SG_SAN_URI, value, &error), &error, SG_REFUSED,
                   "is longer than 1024 bytes");
    value[SG_LIMIT_VALUE] = '\0';
    assert_true(sg_sans_add(&sans, SG_SAN_URI, value, NULL));
    while (sans.num < SG_LIMIT_SANS)
        assert_true(sg_sans_add(&sans, SG_SAN_DNS, "a", NULL));
    sg_error_clear(&error);
    expect_failure("many", sg_sans_add(&sans, SG_SAN_DNS, "a", &error), &error, SG_REFUSED,
                   "more than 100 alternative names");
    assert_int_equal(sans.num, SG_LIMIT_SANS);
}

static void kinds_have_words(void **state)
{
    static const char *const GOOD[] = {"email", "dns", "uri", "ip", "upn"};
    static const char *const WRONG[] = {"", "DNS", "other", "dirName"};

    (void)state;
    for (size_t i = 0; i < NUM(GOOD); i++) {
        enum sg_san_kind kind = SG_SAN_OTHER;

        assert_true(sg_san_kind_parse(GOOD[i], &kind, NULL));
        assert_string_equal(sg_san_kind_word(kind), GOOD[i]);
    }
    for (size_t i = 0; i < NUM(WRONG); i++) {
        enum sg_san_kind kind = SG_SAN_IP;
        struct sg_error error = {0};

        expect_failure(WRONG[i], sg_san_kind_parse(WRONG[i], &kind, &error), &error, SG_USAGE,
                       "is no kind of alternative name: use dns, uri, email, ip or upn");
        assert_int_equal(kind, SG_SAN_IP);
    }
    assert_string_equal(sg_san_kind_word(SG_SAN_OTHER), "other");
    assert_string_equal(sg_san_kind_word((enum sg_san_kind)99), "?");
}

static void add(struct sg_sans *sans, enum sg_san_kind kind, const char *value)
{
    struct sg_error error = {0};

    expect_success(value, sg_sans_add(sans, kind, value, &error), &error);
}

/* RFC 5280 4.2.1.6; the UPN is a tagged UTF8String in an otherName. */
static void names_are_encoded_and_read_back(void **state)
{
    static const char WANTED[] = "3049"
                                 "8206612e74657374"                     /* dns */
                                 "860775726e3a613a62"                   /* uri */
                                 "81086140622e74657374"                 /* email */
                                 "8704c0000201"                         /* ip */
                                 "871020010db8000000000000000000000001" /* ip */
                                 "a014060a2b060104018237140203a0060c04c3bc4062" /* upn */;
    sg_auto(sg_sans) struct sg_sans sans = {0}, back = {0};
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *encoded = NULL;
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    struct sg_error error = {0};
    char text[300];
    int len = 0;

    (void)state;
    add(&sans, SG_SAN_DNS, "a.test");
    add(&sans, SG_SAN_URI, "urn:a:b");
    add(&sans, SG_SAN_EMAIL, "a@b.test");
    add(&sans, SG_SAN_IP, "192.0.2.1");
    add(&sans, SG_SAN_IP, "2001:DB8:0::1");
    add(&sans, SG_SAN_UPN, "ü@b");
    expect_success("encode", sg_sans_encode(&sans, &encoded, &error), &error);
    len = i2d_GENERAL_NAMES(encoded, &der);
    assert_true(len > 0);
    assert_string_equal(sg_hex(sg_slice_of(der, (size_t)len), text, sizeof text), WANTED);
    expect_success("decode", sg_sans_decode(encoded, &back, &error), &error);
    assert_true(sg_sans_equal(&sans, &back));
    assert_string_equal(sg_sans_text(&back, text, sizeof text),
                        "dns:a.test, uri:urn:a:b, email:a@b.test, ip:192.0.2.1, ip:2001:db8::1, "
                        "upn:ü@b");
    assert_string_equal(sg_sans_text(&back, text, 14), "dns:a.test…");
}

static void names_are_decoded_strictly(void **state)
{
    static const struct {
        const char *name, *der;
        enum sg_san_kind kind;
        const char *value;     /* NULL: refused */
        const char *complaint; /* when refused */
    } CASES[] = {
        {"dns", "30088206612e74657374", SG_SAN_DNS, "a.test", NULL},
        {"uri", "3007860575726e3a61", SG_SAN_URI, "urn:a", NULL},
        {"ip", "30068704c0000201", SG_SAN_IP, "192.0.2.1", NULL},
        {"registered ID", "300588032a0304", SG_SAN_OTHER, "88032a0304", NULL},
        {"directory name", "3004a4023000", SG_SAN_OTHER, "a4023000", NULL},
        {"other name", "300ca00a06032a0304a0030c0178", SG_SAN_OTHER, "a00a06032a0304a0030c0178",
         NULL},
        {"upn", "3015a013060a2b060104018237140203a0050c03614062", SG_SAN_UPN, "a@b", NULL},
        {"nothing", "3000", SG_SAN_OTHER, NULL, "is there but holds no name"},
        {"empty dns", "30028200", SG_SAN_OTHER, NULL, "subjectAltName dns is empty"},
        {"nul in dns", "300e820c612e74657374002e6576696c", SG_SAN_OTHER, NULL,
         "subjectAltName dns has a zero byte"},
        {"line break in uri", "3008860675726e3a610a", SG_SAN_OTHER, NULL,
         "subjectAltName uri has a line break"},
        {"latin 1 in email", "300a8108fc40622e74657374", SG_SAN_OTHER, NULL,
         "subjectAltName email is not UTF-8"},
        {"utf8 in dns", "30098207c3bc2e74657374", SG_SAN_OTHER, NULL,
         "characters that IA5String does not have"},
        {"bad dns", "30058203615f62", SG_SAN_OTHER, NULL,
         "subjectAltName dns: \"a_b\" must be labels"},
        {"bad uri", "3003860161", SG_SAN_OTHER, NULL,
         "subjectAltName uri: \"a\" must begin with a scheme"},
        {"bad email", "3003810161", SG_SAN_OTHER, NULL,
         "subjectAltName email: \"a\" must have one"},
        {"short ip", "30058703c00002", SG_SAN_OTHER, NULL, "an address has 4 or 16 octets, not 3"},
        {"a network", "300a8708c0000200ffffff00", SG_SAN_OTHER, NULL,
         "an address has 4 or 16 octets, not 8"},
        {"upn as ia5", "3015a013060a2b060104018237140203a0051603614062", SG_SAN_OTHER, NULL,
         "subjectAltName upn is not a UTF8String"},
        {"empty upn", "3012a010060a2b060104018237140203a0020c00", SG_SAN_OTHER, NULL,
         "subjectAltName upn is empty"},
        {"bad upn", "3013a011060a2b060104018237140203a0030c0161", SG_SAN_OTHER, NULL,
         "subjectAltName upn: \"a\" must have one"},
        {"good and bad", "300e8206612e746573748204612e2e62", SG_SAN_OTHER, NULL,
         "\"a..b\" must be labels"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(GENERAL_NAMES) GENERAL_NAMES *encoded = NULL;
        sg_auto(sg_sans) struct sg_sans sans = {0};
        struct sg_error error = {0};
        uint8_t der[64];
        const unsigned char *from = der;
        size_t len = 0;
        bool verdict = false;

        assert_true(sg_hex_parse(CASES[i].der, der, sizeof der, &len, NULL));
        encoded = d2i_GENERAL_NAMES(NULL, &from, (long)len);
        if (encoded == NULL)
            fail_msg("%s: the case is no GeneralNames", CASES[i].name);
        verdict = sg_sans_decode(encoded, &sans, &error);
        if (CASES[i].value != NULL) {
            expect_success(CASES[i].name, verdict, &error);
            assert_int_equal(sans.items[0].kind, CASES[i].kind);
            assert_string_equal(sans.items[0].value, CASES[i].value);
        } else {
            expect_failure(CASES[i].name, verdict, &error, SG_MALFORMED, CASES[i].complaint);
            assert_int_equal(sans.num, 0);
        }
    }
}

static void other_names_are_not_encoded(void **state)
{
    sg_auto(sg_sans) struct sg_sans sans = {0};
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *encoded = NULL;
    struct sg_error error = {0};

    (void)state;
    add(&sans, SG_SAN_DNS, "a.test");
    add(&sans, SG_SAN_OTHER, "88032a0304");
    expect_failure("other", sg_sans_encode(&sans, &encoded, &error), &error, SG_INTERNAL,
                   "of another kind can't be encoded");
    assert_null(encoded);
}

static void names_are_compared(void **state)
{
    struct side {
        enum sg_san_kind kind;
        const char *value;
    };
    static const struct {
        const char *name;
        struct side a[2], b[2]; /* up to the first without a value */
        bool equal;
    } CASES[] = {
        {"nothing", {{0}}, {{0}}, true},
        {"the same", {{SG_SAN_DNS, "a"}}, {{SG_SAN_DNS, "a"}}, true},
        {"another order",
         {{SG_SAN_DNS, "a"}, {SG_SAN_URI, "urn:b"}},
         {{SG_SAN_URI, "urn:b"}, {SG_SAN_DNS, "a"}},
         true},
        {"twice", {{SG_SAN_DNS, "a"}, {SG_SAN_DNS, "a"}}, {{SG_SAN_DNS, "a"}}, true},
        {"case of dns", {{SG_SAN_DNS, "A"}}, {{SG_SAN_DNS, "a"}}, true},
        {"case of uri", {{SG_SAN_URI, "urn:A"}}, {{SG_SAN_URI, "urn:a"}}, false},
        {"address", {{SG_SAN_IP, "2001:DB8::0"}}, {{SG_SAN_IP, "2001:db8::"}}, true},
        {"another kind", {{SG_SAN_EMAIL, "a@b"}}, {{SG_SAN_UPN, "a@b"}}, false},
        {"one more", {{SG_SAN_DNS, "a"}, {SG_SAN_DNS, "b"}}, {{SG_SAN_DNS, "a"}}, false},
        {"one less", {{SG_SAN_DNS, "a"}}, {{SG_SAN_DNS, "a"}, {SG_SAN_DNS, "b"}}, false},
        {"none", {{SG_SAN_DNS, "a"}}, {{0}}, false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_sans) struct sg_sans a = {0}, b = {0};

        for (size_t at = 0; at < 2 && CASES[i].a[at].value != NULL; at++)
            add(&a, CASES[i].a[at].kind, CASES[i].a[at].value);
        for (size_t at = 0; at < 2 && CASES[i].b[at].value != NULL; at++)
            add(&b, CASES[i].b[at].kind, CASES[i].b[at].value);
        if (sg_sans_equal(&a, &b) != CASES[i].equal)
            fail_msg("%s: should be %s", CASES[i].name, CASES[i].equal ? "equal" : "different");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_checked),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(kinds_have_words),
        cmocka_unit_test(names_are_encoded_and_read_back),
        cmocka_unit_test(names_are_decoded_strictly),
        cmocka_unit_test(other_names_are_not_encoded),
        cmocka_unit_test(names_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
