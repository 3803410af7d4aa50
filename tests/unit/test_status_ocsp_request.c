#include "expect.h"
#include "make_request.h"

#include "base/limits.h"
#include "status/ocsp_request.h"

/* Parts of requests, as make_der reads them. */
#define SHA1            "30{06{2B0E03021A}0500}"
#define HASH            "04{'aaaaaaaaaaaaaaaaaaaa'}"
#define ID(serial)      "30{" SHA1 HASH HASH "02{" serial "}}"
#define ONE(serial)     "30{" ID(serial) "}"
#define LIST            "30{" ONE("1234") "}"
#define NONCE_OID       "06{2B0601050507300102}"
#define NONCE(octets)   "30{" NONCE_OID "04{04{" octets "}}}"
#define UNKNOWN_OID     "06{2B06010401FD592D01}"
#define EXTENSIONS(all) "A2{30{" all "}}"
#define REQUEST(tbs)    "30{30{" tbs "}}"

static bool parse(const char *text, struct sg_ocsp_request *request, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};

    make_der(text, &der);
    return sg_ocsp_request_parse(sg_buf_slice(&der), request, error);
}

/* text, or so many times. */
static char *repeat(const char *text, size_t times)
{
    char *whole = calloc(times, strlen(text) + 1), *end = whole;

    assert_non_null(whole);
    for (size_t i = 0; i < times; i++)
        end = stpcpy(end, text);
    return whole;
}

static void what_is_read(void **state)
{
    static const struct {
        const char *name, *text;
        size_t num;
        bool nonce;
        const char *serial; /* of the first */
    } CASES[] = {
        {"plain", REQUEST(LIST), 1, false, "1234"},
        {"two", REQUEST("30{" ONE("01") ONE("02") "}"), 2, false, "01"},
        {"with its version", REQUEST("A0{020100}" LIST), 1, false, "1234"},
        {"with a name", REQUEST("A1{82{'example.com'}}" LIST), 1, false, "1234"},
        {"with a nonce", REQUEST(LIST EXTENSIONS(NONCE("'0123456789abcdef'"))), 1, true, "1234"},
        {"a nonce of one octet", REQUEST(LIST EXTENSIONS(NONCE("00"))), 1, true, "1234"},
        {"a critical nonce", REQUEST(LIST EXTENSIONS("30{" NONCE_OID "0101FF 04{04{00}}}")), 1,
         true, "1234"},
        {"acceptable responses",
         REQUEST(LIST EXTENSIONS("30{06{2B0601050507300104}0101FF04{30{06{2B0601050507300101}}}}")),
         1, false, "1234"},
        {"an unknown extension", REQUEST(LIST EXTENSIONS("30{" UNKNOWN_OID "04{0500}}")), 1, false,
         "1234"},
        {"an unknown extension of one",
         REQUEST("30{30{" ID("1234") "A0{30{30{" UNKNOWN_OID "04{0500}}}}}}"), 1, false, "1234"},
        {"a digest that nobody knows",
         REQUEST("30{30{30{30{" UNKNOWN_OID "}" HASH HASH "02{1234}}}}"), 1, false, "1234"},
        {"the longest serial number", REQUEST("30{" ONE("7F'0123456789abcdefghi'") "}"), 1, false,
         "7f30313233343536373839616263646566676869"},
        {"a serial number with its sign", REQUEST("30{" ONE("00FF") "}"), 1, false, "ff"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_ocsp_request) struct sg_ocsp_request request = {0};
        struct sg_error error = {0};
        char serial[SG_SERIAL_TEXT_SIZE];

        expect_success(CASES[i].name, parse(CASES[i].text, &request, &error), &error);
        if (request.num_asked != CASES[i].num || request.has_nonce != CASES[i].nonce)
            fail_msg("%s: %zu asked, nonce %d", CASES[i].name, request.num_asked,
                     request.has_nonce);
        assert_string_equal(sg_serial_text(&request.asked[0].serial, serial), CASES[i].serial);
        assert_int_equal(request.asked[0].name_hash.len, 20);
        assert_int_equal(request.asked[0].key_hash.len, 20);
    }
}

/* They are nobody's, and can't be looked up. */
static void serial_numbers_that_no_ca_gives(void **state)
{
    static const char *const SERIALS[] = {"00",
                                          "FF",
                                          "80",
                                          "7F'0123456789abcdefghij'",
                                          "00'0123456789abcdefghij'",
                                          "00FF'0123456789abcdefghi'"};

    (void)state;
    for (size_t i = 0; i < NUM(SERIALS); i++) {
        sg_auto(sg_ocsp_request) struct sg_ocsp_request request = {0};
        struct sg_error error = {0};
        char text[256];

        snprintf(text, sizeof text, REQUEST("30{" ONE("%s") "}"), SERIALS[i]);
        if (parse(text, &request, &error) && request.asked[0].serial.len != 0)
            fail_msg("%s: should be nobody's serial number", SERIALS[i]);
    }
}

static void what_is_malformed(void **state)
{
    static const struct {
        const char *name, *text, *rule, *part;
    } CASES[] = {
        {"nothing", "", "RFC 6960 4.1.1", "no OCSP request"},
        {"text", "'GET / HTTP/1.1'", "RFC 6960 4.1.1", "no OCSP request"},
        {"an empty sequence", "30{}", "RFC 6960 4.1.1", "no OCSP request"},
        {"no list", "30{30{}}", "RFC 6960 4.1.1", "no OCSP request"},
        {"an empty list", REQUEST("30{}"), "RFC 6960 4.1.1", "asks about no certificate"},
        {"cut", "30 30 30 30", "RFC 6960 4.1.1", "no OCSP request"},
        {"bytes after it", REQUEST(LIST) "00", "RFC 6960 4.1.1", "1 bytes follow"},
        {"another request after it", REQUEST(LIST) REQUEST(LIST), "RFC 6960 4.1.1", "bytes follow"},
        {"version 2", REQUEST("A0{020101}" LIST), "RFC 6960 4.1.1", "not of version 1"},
        {"version 257", REQUEST("A0{02020101}" LIST), "RFC 6960 4.1.1", "not of version 1"},
        {"no octet in the nonce", REQUEST(LIST EXTENSIONS(NONCE(""))), "RFC 9654 2.1",
         "0 octets instead of 1 to 128"},
        {"a bare nonce", REQUEST(LIST EXTENSIONS("30{" NONCE_OID "04{'0123456789abcdef'}}")),
         "RFC 9654 2.1", "no OCTET STRING"},
        {"a nonce with more", REQUEST(LIST EXTENSIONS("30{" NONCE_OID "04{04{00}00}}")),
         "RFC 9654 2.1", "no OCTET STRING"},
        {"an empty nonce", REQUEST(LIST EXTENSIONS("30{" NONCE_OID "04{}}")), "RFC 9654 2.1",
         "no OCTET STRING"},
        {"two nonces", REQUEST(LIST EXTENSIONS(NONCE("01") NONCE("01"))), "RFC 5280 4.2",
         "two nonces"},
        {"a critical extension", REQUEST(LIST EXTENSIONS("30{" UNKNOWN_OID "0101FF 04{0500}}")),
         "RFC 6960 4.4", "critical"},
        {"a critical extension of one",
         REQUEST("30{30{" ID("1234") "A0{30{30{" UNKNOWN_OID "0101FF04{0500}}}}}}"), "RFC 6960 4.4",
         "critical"},
        {"a serial number of no octet", REQUEST("30{" ONE("") "}"), "RFC 6960 4.1.1",
         "no OCSP request"},
        {"no serial number", REQUEST("30{30{30{" SHA1 HASH HASH "}}}"), "RFC 6960 4.1.1",
         "no OCSP request"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_ocsp_request) struct sg_ocsp_request request = {0};
        struct sg_error error = {0};

        expect_failure(CASES[i].name, parse(CASES[i].text, &request, &error), &error, SG_MALFORMED,
                       CASES[i].part);
        if (strcmp(error.rule, CASES[i].rule) != 0)
            fail_msg("%s: breaks %s, not %s", CASES[i].name, CASES[i].rule, error.rule);
        assert_null(request.decoded);
    }
}

static void limits(void **state)
{
    const struct {
        const char *name, *before, *repeated, *after;
        size_t most;
        const char *part;
    } CASES[] = {
        {"certificates", "30{30{30{", ONE("1234"), "}}}", SG_LIMIT_OCSP_CERTIFICATES,
         "65 certificates, 64 are the limit"},
        {"octets of a nonce", "30{30{" LIST "A2{30{30{" NONCE_OID "04{04{", "AA", "}}}}}}}",
         SG_LIMIT_OCSP_NONCE, "129 octets instead of 1 to 128"},
        {"bytes", "30{30{A1{82{", "'a'", "}}" LIST "}}", SG_LIMIT_OCSP_REQUEST - 81,
         "32769 bytes, 32768 are the limit"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        for (size_t more = 0; more < 2; more++) {
            sg_auto(sg_ocsp_request) struct sg_ocsp_request request = {0};
            sg_auto(malloc) char *repeated = repeat(CASES[i].repeated, CASES[i].most + more);
            sg_auto(malloc) char *text = NULL;
            struct sg_error error = {0};

            assert_true(asprintf(&text, "%s%s%s", CASES[i].before, repeated, CASES[i].after) > 0);
            bool done = parse(text, &request, &error);
            if (more == 0)
                expect_success(CASES[i].name, done, &error);
            else
                expect_failure(CASES[i].name, done, &error, SG_MALFORMED, CASES[i].part);
        }
}

/* A bit more or less must not crash it, whatever it says. */
static void each_bit_flipped(void **state)
{
    sg_auto(sg_buf) struct sg_buf der = {0};

    (void)state;
    make_der(REQUEST("A0{020100}A1{82{'a'}}" LIST EXTENSIONS(NONCE("'0123456789abcdef'"))), &der);
    for (size_t i = 0; i < der.len * 8; i++) {
        sg_auto(sg_ocsp_request) struct sg_ocsp_request request = {0};
        struct sg_error error = {0};

        der.data[i / 8] ^= (uint8_t)(1u << i % 8);
        if (!sg_ocsp_request_parse(sg_buf_slice(&der), &request, &error))
            assert_int_equal(error.code, SG_MALFORMED);
        der.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read),      cmocka_unit_test(serial_numbers_that_no_ca_gives),
        cmocka_unit_test(what_is_malformed), cmocka_unit_test(limits),
        cmocka_unit_test(each_bit_flipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
