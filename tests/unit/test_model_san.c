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
        {SG_SAN_URI, "https://u@a.example:8443/b", NULL},
        {SG_SAN_URI, "https://[2001:db8::1]:8443", NULL},
        {SG_SAN_URI, "https://192.0.2.1?q", NULL},
        {SG_SAN_URI, "http://", "has no host name or address after its //"},
        {SG_SAN_URI, "file:///etc", "has no host name or address after its //"},
        {SG_SAN_URI, "http://a_b/", "has no host name or address after its //"},
        {SG_SAN_URI, "http://a:b/", "has no host name or address after its //"},
        {SG_SAN_URI, "http://u@/", "has no host name or address after its //"},
        {SG_SAN_URI, "http://[::1/", "has no host name or address after its //"},
        {SG_SAN_URI, "http://[a]/", "has no host name or address after its //"},
        {SG_SAN_URI, "http://[::1]a/", "has no host name or address after its //"},
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
        {SG_SAN_DIRNAME, "CN=device-AB12,O=Example\\, Inc.", NULL},
        {SG_SAN_DIRNAME, "1.2.3.4=x", NULL},
        {SG_SAN_DIRNAME, "device-AB12", "dirname: \"device-AB12\" must be a name such as CN="},
        {SG_SAN_DIRNAME, "C=Germany", "must be a name such as CN=device,O=Example, in its bounds"},
        {SG_SAN_DIRNAME, "CN=", "must be a name such as"},
        {SG_SAN_REGISTERED_ID, "1.3.6.1.4.1.32473.5", NULL},
        {SG_SAN_REGISTERED_ID, "1", "registered_id: \"1\" must be an OID"},
        {SG_SAN_REGISTERED_ID, "clientAuth", "must be an OID"},
        {SG_SAN_HARDWARE_MODULE, "1.3.6.1.4.1.32473.1.2;SN;1", NULL},
        {SG_SAN_HARDWARE_MODULE, "SN-1", "must be the OID of the module's type"},
        {SG_SAN_HARDWARE_MODULE, ";SN-1", "must be the OID of the module's type"},
        {SG_SAN_HARDWARE_MODULE, "1.2.3;", "must be the OID of the module's type"},
        {SG_SAN_HARDWARE_MODULE, "9.9;SN", "must be the OID of the module's type"},
        {SG_SAN_PERMANENT_IDENTIFIER, "1.3.6.1.4.1.32473.3;employee-7", NULL},
        {SG_SAN_PERMANENT_IDENTIFIER, ";employee-7", NULL},
        {SG_SAN_PERMANENT_IDENTIFIER, "employee-7", "must be the assigner's OID or nothing"},
        {SG_SAN_PERMANENT_IDENTIFIER, "1.2.3;", "must be the assigner's OID or nothing"},
        {SG_SAN_PERMANENT_IDENTIFIER, "9.9;x", "must be the assigner's OID or nothing"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;utf8:ü", NULL},
        {SG_SAN_OTHER_NAME, "1.2.3.4;ia5:a@b", NULL},
        {SG_SAN_OTHER_NAME, "1.2.3.4;printable:A 1", NULL},
        {SG_SAN_OTHER_NAME, "1.2.3.4;octets:00ff", NULL},
        {SG_SAN_OTHER_NAME, "1.2.3.4;der:3003020105", NULL},
        {SG_SAN_OTHER_NAME, "utf8:x", "must be an OID, \";\" and a value"},
        {SG_SAN_OTHER_NAME, "9.9;utf8:x", "must be an OID, \";\" and a value"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;x", "must have a value such as utf8:TEXT"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;utf8:", "must have a value such as"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;ia5:ü", "must have a value such as"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;printable:a_b", "must have a value such as"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;octets:0F", "must have a value such as"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;octets:0", "must have a value such as"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;der:0201", "must have a value such as"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;der:0201050500", "must have a value such as"},
        {SG_SAN_OTHER_NAME, "1.3.6.1.4.1.311.20.2.3;utf8:a@b", "has a kind of its own"},
        {SG_SAN_OTHER_NAME, "1.3.6.1.5.5.7.8.4;utf8:a", "has a kind of its own"},
        {SG_SAN_OTHER_NAME, "1.3.6.1.5.5.7.8.3;utf8:a", "has a kind of its own"},
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
    static const char *const GOOD[] = {
        "email",
        "dns",
        "uri",
        "ip",
        "upn",
        "dirname",
        "registered_id",
        "hardware-module",
        "permanent-identifier",
        "other",
    };
    static const char *const WRONG[] = {"", "DNS", "otherName", "dirName"};

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
                       "is no kind of alternative name: use dns, uri, email, ip, upn, dirname, "
                       "registered_id, hardware-module, permanent-identifier or other");
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

/* RFC 5280 4.2.1.6 (directoryName, registeredID), RFC 4108 5, RFC 4043 2. */
static void rarer_names_are_encoded_and_read_back(void **state)
{
    static const struct {
        enum sg_san_kind kind;
        const char *value, *der;
    } CASES[] = {
        {SG_SAN_DIRNAME, "CN=a", "3010a40e300c310a300806035504030c0161"},
        {SG_SAN_REGISTERED_ID, "1.2.3.4", "300588032a0304"},
        {SG_SAN_HARDWARE_MODULE, "1.2.3.4;SN",
         "3019a01706082b06010505070804a00b300906032a03040402534e"},
        {SG_SAN_PERMANENT_IDENTIFIER, "1.2.3.4;id",
         "3019a01706082b06010505070803a00b30090c02696406032a0304"},
        {SG_SAN_PERMANENT_IDENTIFIER, ";id", "3014a01206082b06010505070803a00630040c026964"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;utf8:x", "300ca00a06032a0304a0030c0178"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;ia5:x", "300ca00a06032a0304a003160178"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;printable:x", "300ca00a06032a0304a003130178"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;octets:00ff", "300da00b06032a0304a004040200ff"},
        {SG_SAN_OTHER_NAME, "1.2.3.4;der:0101ff", "300ca00a06032a0304a0030101ff"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_sans) struct sg_sans sans = {0}, back = {0};
        sg_auto(GENERAL_NAMES) GENERAL_NAMES *encoded = NULL;
        sg_auto(openssl_bytes) unsigned char *der = NULL;
        struct sg_error error = {0};
        char text[200];
        int len = 0;

        add(&sans, CASES[i].kind, CASES[i].value);
        expect_success(CASES[i].value, sg_sans_encode(&sans, &encoded, &error), &error);
        len = i2d_GENERAL_NAMES(encoded, &der);
        assert_true(len > 0);
        assert_string_equal(sg_hex(sg_slice_of(der, (size_t)len), text, sizeof text), CASES[i].der);
        expect_success(CASES[i].value, sg_sans_decode(encoded, &back, &error), &error);
        assert_int_equal(back.items[0].kind, CASES[i].kind);
        assert_string_equal(back.items[0].value, CASES[i].value);
    }
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
        {"empty hardware module", "3017a01506082b06010505070804a009300706032a03040400",
         SG_SAN_OTHER, "a01506082b06010505070804a009300706032a03040400", NULL},
        {"hardware module of bytes", "3018a01606082b06010505070804a00a300806032a0304040100",
         SG_SAN_OTHER, "a01606082b06010505070804a00a300806032a0304040100", NULL},
        {"assigner alone", "3015a01306082b06010505070803a007300506032a0304", SG_SAN_OTHER,
         "a01306082b06010505070803a007300506032a0304", NULL},
        {"other name of a line break", "300ca00a06032a0304a0030c010a", SG_SAN_OTHER_NAME,
         "1.2.3.4;der:0c010a", NULL},
        {"directory name of two values",
         "301ca41a30183116300806035504030c0161300a060355040a0c03626364", SG_SAN_OTHER,
         "a41a30183116300806035504030c0161300a060355040a0c03626364", NULL},
        {"directory name", "3004a4023000", SG_SAN_OTHER, "a4023000", NULL},
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
        {"directory name",
         {{SG_SAN_DIRNAME, "CN=a, O=b"}},
         {{SG_SAN_DIRNAME, "/2.5.4.3=a/2.5.4.10=b"}},
         true},
        {"other name by its DER",
         {{SG_SAN_OTHER_NAME, "1.2.3.4;der:0c0178"}},
         {{SG_SAN_OTHER_NAME, "1.2.3.4;utf8:x"}},
         true},
        {"other name of another string type",
         {{SG_SAN_OTHER_NAME, "1.2.3.4;ia5:x"}},
         {{SG_SAN_OTHER_NAME, "1.2.3.4;utf8:x"}},
         false},
        {"order of a directory name",
         {{SG_SAN_DIRNAME, "CN=a,O=b"}},
         {{SG_SAN_DIRNAME, "O=b,CN=a"}},
         false},
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
        cmocka_unit_test(rarer_names_are_encoded_and_read_back),
        cmocka_unit_test(names_are_decoded_strictly),
        cmocka_unit_test(other_names_are_not_encoded),
        cmocka_unit_test(names_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
