#include "request/request.h"

#include <openssl/pkcs12.h>

#include "expect.h"
#include "make_request.h"

#define EXTENSION_REQUEST  "06{2A864886F70D01090E}"
#define MICROSOFT_REQUEST  "06{2B06010401823702010E}"
#define CHALLENGE_PASSWORD "06{2A864886F70D010907}"
#define UNSTRUCTURED_NAME  "06{2A864886F70D010902}"

#define KEY_USAGE          "06{551D0F}"
#define SAN                "06{551D11}"
#define BASIC_CONSTRAINTS_ "06{551D13}"
#define PURPOSES           "06{551D25}"
#define ONE_EXTENSION      "30{" KEY_USAGE "0101FF04{03020780}}"

#define SHA256_ "30{06{608648016503040201}0500}"
#define SHA1_   "30{06{2B0E03021A}0500}"
#define MGF1    "06{2A864886F70D010108}"
#define PSS     "06{2A864886F70D01010A}"

static EVP_PKEY *ec, *rsa, *ed;

static int make_keys(void **state)
{
    (void)state;
    ec = make_key("P-256");
    rsa = make_key("RSA-2048");
    ed = make_key("Ed25519");
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed);
    return 0;
}

/* wanted SG_OK: part is not looked at. */
static void expect_parse(const char *name, struct sg_slice bytes, enum sg_code wanted,
                         const char *part, const char *rule)
{
    sg_auto(sg_request) struct sg_request request = {0};
    struct sg_error error = {0};
    bool verdict = sg_request_parse(bytes, &request, &error);

    if (wanted == SG_OK) {
        expect_success(name, verdict, &error);
        return;
    }
    expect_failure(name, verdict, &error, wanted, part);
    if (strstr(error.rule, rule) == NULL)
        fail_msg("%s: should break the rule %s, breaks: %s", name, rule, error.rule);
    assert_null(request.pkcs10);
    assert_int_equal(request.der.len, 0);
}

struct parse_case {
    const char *name;
    struct make_request parts;
    enum sg_code wanted;
    const char *part, *rule;
};

static void expect_cases(const struct parse_case *cases, size_t num, EVP_PKEY *key)
{
    for (size_t i = 0; i < num; i++) {
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct make_request parts = cases[i].parts;

        if (parts.key == NULL)
            parts.key = key;
        make_request(&parts, &der);
        expect_parse(cases[i].name, sg_buf_slice(&der), cases[i].wanted, cases[i].part,
                     cases[i].rule);
    }
}

static void test_version(void **state)
{
    static const struct parse_case CASES[] = {
        {"v1", {.version = "020100"}},
        {"v2", {.version = "020101"}, SG_MALFORMED, "version is 1", "RFC 2986 4.1"},
        {"v3, which is the policy's matter", {.version = "020102"}},
        {"v4", {.version = "020103"}, SG_MALFORMED, "version is 3", "RFC 2986 4.1"},
        {"negative", {.version = "0201FF"}, SG_MALFORMED, "version is -1", "RFC 2986 4.1"},
        {"huge", {.version = "02{01000000000000000000}"}, SG_MALFORMED, "must be 0", "RFC 2986"},
        {"two octets", {.version = "02020000"}, SG_MALFORMED, "not a certificate request", "RFC"},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
}

static void test_subject(void **state)
{
    static const struct parse_case CASES[] = {
        {"empty", {.subject = "3000"}},
        {"two RDNs",
         {.subject = "30{31{30{06{550403}0C{'a'}}}31{30{06{55040A}13{'Example GmbH'}}}}"}},
        {"multi-valued RDN",
         {.subject = "30{31{30{06{550403}0C{'a'}}30{06{55040A}0C{'b'}}}}"},
         SG_MALFORMED,
         "more than one value",
         ""},
        {"empty RDN", {.subject = "30{3100 31{30{06{550403}0C{'a'}}}}"}, SG_MALFORMED, "empty", ""},
        {"empty RDN at the end",
         {.subject = "30{31{30{06{550403}0C{'a'}}}3100}"},
         SG_MALFORMED,
         "subject is not DER",
         "RFC 2986 4.2"},
        {"NUL", {.subject = "30{31{30{06{550403}0C{'a'00'b'}}}}"}, SG_MALFORMED, "zero byte", ""},
        {"line break",
         {.subject = "30{31{30{06{550403}0C{'a'0A'b'}}}}"},
         SG_MALFORMED,
         "line break",
         ""},
        {"not UTF-8", {.subject = "30{31{30{06{550403}0C{'a'C3}}}}"}, SG_MALFORMED, "UTF-8", ""},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
}

/* Every form that OpenSSL reads and DER forbids, in each place that keeps its bytes. */
static void test_encoding(void **state)
{
    static const struct parse_case CASES[] = {
        {"long length", {.outer_length = MAKE_LONG}, SG_MALFORMED, "at byte 2 ", "RFC 2986 4.2"},
        {"indefinite length",
         {.outer_length = MAKE_INDEFINITE},
         SG_MALFORMED,
         "at byte 2 ",
         "RFC 2986 4.2"},
        {"long length of the signed part",
         {.info_length = MAKE_LONG},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"indefinite length of the signed part",
         {.info_length = MAKE_INDEFINITE},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"long length of the subject",
         {.subject = "3081{31{30{06{550403}0C{'a'}}}}"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"long length of the empty subject",
         {.subject = "308100"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"long length inside the subject",
         {.subject = "30{31{30{06{550403}0C81{'a'}}}}"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"indefinite length of the subject",
         {.subject = "3080 31{30{06{550403}0C{'a'}}} 0000"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"string in pieces",
         {.subject = "30{31{30{06{550403}2C{0C{'a'}0C{'b'}}}}}"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"long length of the version",
         {.version = "02810100"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986"},
        {"long length of the attributes",
         {.attributes = "A08100"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"indefinite length of the attributes",
         {.attributes = "A0800000"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"attributes out of order",
         {.attributes =
              "A0{30{" CHALLENGE_PASSWORD "31{0C{'a'}}}30{" UNSTRUCTURED_NAME "31{0C{'a'}}}}"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"values out of order",
         {.attributes = "A0{30{" UNSTRUCTURED_NAME "31{0C{'b'}0C{'a'}}}}"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"long length of the algorithm",
         {.algorithm = "3081{06{2A8648CE3D040302}}"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"long length of the signature",
         {.signature = "038103000102"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"signature in pieces",
         {.signature = "23{03020001 03020002}"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
        {"unused bits of the signature are set",
         {.signature = "03020101"},
         SG_MALFORMED,
         "not DER",
         "RFC 2986 4.2"},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
}

static void test_structure(void **state)
{
    static const struct parse_case CASES[] = {
        {"more inside", {.rest = "0500"}, SG_MALFORMED, "not a certificate request", "RFC 2986 4"},
        {"no attributes field", {.attributes = ""}},
        {"not a BIT STRING", {.signature = "04020001"}, SG_MALFORMED, "not a cert", "RFC 2986"},
    };
    sg_auto(sg_buf) struct sg_buf der = {0}, longer = {0};

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
    make_request(&(struct make_request){.key = ec}, &der);
    for (size_t len = 1; len < der.len; len++)
        expect_parse("cut short", sg_slice_of(der.data, len), SG_MALFORMED,
                     len < 3 ? "not a certificate request" : "cut short", "RFC 2986 4");
    assert_true(sg_buf_set(&longer, sg_buf_slice(&der), NULL));
    make_der("00", &longer);
    expect_parse("one byte more", sg_buf_slice(&longer), SG_MALFORMED, "1 byte behind", "RFC 2986");
    assert_true(sg_buf_append(&longer, der.data, der.len, SG_LIMIT_REQUEST, NULL));
    expect_parse("more behind", sg_buf_slice(&longer), SG_MALFORMED, "bytes behind", "RFC 2986 4");
}

static void test_signature_algorithms(void **state)
{
    static const struct parse_case CASES[] = {
        {"RSA SHA-256", {.algorithm = "30{06{2A864886F70D01010B}0500}"}},
        {"RSA SHA-384", {.algorithm = "30{06{2A864886F70D01010C}0500}"}},
        {"RSA SHA-512", {.algorithm = "30{06{2A864886F70D01010D}0500}"}},
        {"RSA without NULL", {.algorithm = "30{06{2A864886F70D01010B}}"}},
        {"RSA with parameters",
         {.algorithm = "30{06{2A864886F70D01010B}3000}"},
         SG_MALFORMED,
         "has parameters",
         "RFC 4055 5"},
        {"ECDSA SHA-384", {.algorithm = "30{06{2A8648CE3D040303}}"}},
        {"ECDSA SHA-512", {.algorithm = "30{06{2A8648CE3D040304}}"}},
        {"ECDSA with NULL",
         {.algorithm = "30{06{2A8648CE3D040302}0500}"},
         SG_MALFORMED,
         "has parameters",
         "RFC 5758 3.2"},
        {"Ed25519 with NULL",
         {.algorithm = "30{06{2B6570}0500}"},
         SG_MALFORMED,
         "has parameters",
         "RFC 8410 3"},
        {"MD2", {.algorithm = "30{06{2A864886F70D010102}0500}"}, SG_KEY_QUALITY, "MD2", "RFC 6149"},
        {"MD4", {.algorithm = "30{06{2A864886F70D010103}0500}"}, SG_KEY_QUALITY, "MD4", "RFC 6150"},
        {"MD5", {.algorithm = "30{06{2A864886F70D010104}0500}"}, SG_KEY_QUALITY, "MD5", "RFC 6151"},
        {"SHA-1",
         {.algorithm = "30{06{2A864886F70D010105}0500}"},
         SG_KEY_QUALITY,
         "SHA-1",
         "NIST SP 800-131A"},
        {"SHA-1, OIW", {.algorithm = "30{06{2B0E03021D}0500}"}, SG_KEY_QUALITY, "SHA-1", "NIST"},
        {"SHA-1 with ECDSA",
         {.algorithm = "30{06{2A8648CE3D0401}}"},
         SG_KEY_QUALITY,
         "SHA-1",
         "NIST SP 800-131A"},
        {"SHA-224",
         {.algorithm = "30{06{2A864886F70D01010E}0500}"},
         SG_KEY_QUALITY,
         "SHA224",
         "NIST SP 800-131A"},
        {"RIPEMD-160",
         {.algorithm = "30{06{2B2403030102}0500}"},
         SG_KEY_QUALITY,
         "RIPEMD160",
         "NIST SP 800-131A"},
        {"ECDSA SHA3-256",
         {.algorithm = "30{06{60864801650304030A}}"},
         SG_KEY_QUALITY,
         "SHA3-256",
         "RFC 2986 4.2"},
        {"RSA SHA3-256",
         {.algorithm = "30{06{60864801650304030E}0500}"},
         SG_KEY_QUALITY,
         "SHA3-256",
         "RFC 2986 4.2"},
        {"DSA with SHA-256",
         {.algorithm = "30{06{608648016503040302}}"},
         SG_KEY_QUALITY,
         "dsa_with_SHA256",
         "RFC 2986 4.2"},
        {"Ed448", {.algorithm = "30{06{2B6571}}"}, SG_KEY_QUALITY, "ED448", "RFC 2986 4.2"},
        {"unknown",
         {.algorithm = "30{06{2B0601040181FD5909}}"},
         SG_KEY_QUALITY,
         "1.3.6.1.4.1.32473.9",
         "RFC 2986 4.2"},
        {"no algorithm at all",
         {.algorithm = "30{06{2A864886F70D010101}0500}"},
         SG_KEY_QUALITY,
         "rsaEncryption",
         "RFC 2986 4.2"},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), rsa);
}

static void test_pss(void **state)
{
    static const struct parse_case CASES[] = {
        {"SHA-256", {.pss = true}},
        {"no parameters",
         {.algorithm = "30{" PSS "}"},
         SG_MALFORMED,
         "without its",
         "RFC 4055 3.1"},
        {"all defaults", {.algorithm = "30{" PSS "3000}"}, SG_KEY_QUALITY, "SHA-1", "NIST"},
        {"SHA-1",
         {.algorithm = "30{" PSS "30{A0{" SHA1_ "}A1{30{" MGF1 SHA256_ "}}A2{020120}}}"},
         SG_KEY_QUALITY,
         "SHA-1 (RSA-PSS)",
         "NIST SP 800-131A"},
        {"SHA3-256",
         {.algorithm = "30{" PSS "30{A0{30{06{608648016503040208}}}A1{30{" MGF1 SHA256_ "}}}}"},
         SG_KEY_QUALITY,
         "SHA3-256 (RSA-PSS)",
         "RFC 2986 4.2"},
        {"SHA-224",
         {.algorithm = "30{" PSS "30{A0{30{06{608648016503040204}}}A1{30{" MGF1 SHA256_ "}}}}"},
         SG_KEY_QUALITY,
         "SHA224 (RSA-PSS)",
         "NIST SP 800-131A"},
        {"mask with SHA-1",
         {.algorithm = "30{" PSS "30{A0{" SHA256_ "}A1{30{" MGF1 SHA1_ "}}A2{020120}}}"},
         SG_KEY_QUALITY,
         "SHA-1 (the mask",
         "NIST SP 800-131A"},
        {"mask by default",
         {.algorithm = "30{" PSS "30{A0{" SHA256_ "}A2{020120}}}"},
         SG_KEY_QUALITY,
         "SHA-1 (the mask",
         "NIST SP 800-131A"},
        {"another mask",
         {.algorithm = "30{" PSS "30{A0{" SHA256_ "}A1{30{06{2A0304}" SHA256_ "}}A2{020120}}}"},
         SG_MALFORMED,
         "than MGF1",
         "RFC 4055 3.1"},
        {"mask without digest",
         {.algorithm = "30{" PSS "30{A0{" SHA256_ "}A1{30{" MGF1 "0500}}A2{020120}}}"},
         SG_MALFORMED,
         "than MGF1",
         "RFC 4055 3.1"},
        {"mask with nonsense",
         {.algorithm = "30{" PSS "30{A0{" SHA256_ "}A1{30{" MGF1 "30{0500}}}A2{020120}}}"},
         SG_MALFORMED,
         "digest of MGF1",
         "RFC 4055 3.1"},
        {"not DER",
         {.algorithm = "30{" PSS "30{A0{" SHA256_ "}A1{30{" MGF1 SHA256_ "}}A28103020120}}"},
         SG_MALFORMED,
         "parameters of RSA-PSS is not DER",
         "X.690"},
        {"nonsense",
         {.algorithm = "30{" PSS "30{0101FF}}"},
         SG_MALFORMED,
         "can't be decoded",
         "X.690"},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), rsa);
}

static void test_keys(void **state)
{
    static const struct parse_case CASES[] = {
        {"explicit EC parameters",
         {.spki = "30{30{06{2A8648CE3D0201}30{020101}}03{000401}}"},
         SG_KEY_QUALITY,
         "",
         "RFC 5480 2.1.1"},
        {"not on the curve",
         {.spki = "30{30{06{2A8648CE3D0201}06{2A8648CE3D030107}}03{00 04"
                  "0101010101010101010101010101010101010101010101010101010101010101"
                  "0202020202020202020202020202020202020202020202020202020202020202}}"},
         SG_MALFORMED,
         "not on its curve",
         "RFC 5480"},
        {"RSA without NULL",
         {.spki = "30{30{06{2A864886F70D010101}}03{0030{020103020103}}}"},
         SG_MALFORMED,
         "NULL",
         "RFC 3279 2.3.1"},
        {"RSA in BER",
         {.spki = "30{30{06{2A864886F70D010101}0500}03{0030{02810103020103}}}"},
         SG_MALFORMED,
         "DER",
         "RFC 3279 2.3.1"},
        {"unknown kind", {.spki = "30{30{06{2A0304}}03{00010203}}"}, SG_KEY_QUALITY, "1.2.3.4", ""},
        {"too much RSA",
         {.spki = "30{30{06{2A864886F70D010101}0500}03{00308204{0282042900"
                  "}}}"},
         SG_MALFORMED,
         "",
         ""},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
}

/* A modulus or exponent so large that verifying would take long is refused before it is used. */
static void test_large_rsa(void **state)
{
    static const struct {
        const char *name;
        size_t modulus_len, exponent_len;
        const char *part, *rule;
    } CASES[] = {
        {"modulus", (SG_LIMIT_RSA_BITS / 8) + 1, 3, "8200 bits", "size of an RSA key"},
        {"exponent", 256, 9, "72 bits", "size of an RSA exponent"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf spki = {0}, der = {0};
        const char *head = "30{30{06{2A864886F70D010101}0500}03{0030{02{00";

        assert_true(sg_buf_printf(&spki, SG_LIMIT_REQUEST, NULL, "%s", head));
        for (size_t n = 0; n < CASES[i].modulus_len; n++)
            assert_true(sg_buf_printf(&spki, SG_LIMIT_REQUEST, NULL, "FF"));
        assert_true(sg_buf_printf(&spki, SG_LIMIT_REQUEST, NULL, "}02{00"));
        for (size_t n = 0; n < CASES[i].exponent_len; n++)
            assert_true(sg_buf_printf(&spki, SG_LIMIT_REQUEST, NULL, "FF"));
        assert_true(sg_buf_printf(&spki, SG_LIMIT_REQUEST, NULL, "}}}}"));
        make_request(&(struct make_request){.key = rsa, .spki = (const char *)spki.data}, &der);
        expect_parse(CASES[i].name, sg_buf_slice(&der), SG_KEY_QUALITY, CASES[i].part,
                     CASES[i].rule);
    }
}

static void test_attributes(void **state)
{
    static const struct parse_case CASES[] = {
        {"challenge password", {.attributes = "A0{30{" CHALLENGE_PASSWORD "31{0C{'secret'}}}}"}},
        {"two unstructured names",
         {.attributes = "A0{30{" UNSTRUCTURED_NAME "31{0C{'a'}0C{'b'}}}}"}},
        {"unknown", {.attributes = "A0{30{06{2A0304}31{020101}}}"}},
        {"PKCS#9 extension request",
         {.attributes = "A0{30{" EXTENSION_REQUEST "31{30{" ONE_EXTENSION "}}}}"}},
        {"Microsoft extension request",
         {.attributes = "A0{30{" MICROSOFT_REQUEST "31{30{" ONE_EXTENSION "}}}}"}},
        {"duplicate",
         {.attributes =
              "A0{30{" CHALLENGE_PASSWORD "31{0C{'a'}}}30{" CHALLENGE_PASSWORD "31{0C{'b'}}}}"},
         SG_MALFORMED,
         "1.2.840.113549.1.9.7 is there twice",
         "RFC 2986 4.1"},
        {"duplicate that is unknown",
         {.attributes = "A0{30{06{2A0304}31{020101}}30{06{2A0304}31{020102}}}"},
         SG_MALFORMED,
         "1.2.3.4 is there twice",
         "RFC 2986 4.1"},
        {"two extension requests",
         {.attributes = "A0{30{" EXTENSION_REQUEST "31{30{" ONE_EXTENSION "}}}30{" EXTENSION_REQUEST
                        "31{30{" ONE_EXTENSION "}}}}"},
         SG_MALFORMED,
         "is there twice",
         "RFC 2986 4.1"},
        {"one of each kind",
         {.attributes = "A0{30{" EXTENSION_REQUEST "31{30{" ONE_EXTENSION "}}}30{" MICROSOFT_REQUEST
                        "31{30{" ONE_EXTENSION "}}}}"},
         SG_MALFORMED,
         "two extension requests",
         "RFC 2985 5.4.2"},
        {"no value",
         {.attributes = "A0{30{06{2A0304}3100}}"},
         SG_MALFORMED,
         "no value",
         "RFC 2986"},
        {"extension request of two values",
         {.attributes = "A0{30{" EXTENSION_REQUEST "31{30{" ONE_EXTENSION
                        "}30{" ONE_EXTENSION ONE_EXTENSION "}}}}"},
         SG_MALFORMED,
         "has 2 values",
         "RFC 2985 5.4"},
        {"two challenge passwords",
         {.attributes = "A0{30{" CHALLENGE_PASSWORD "31{0C{'a'}0C{'b'}}}}"},
         SG_MALFORMED,
         "has 2 values",
         "RFC 2985 5.4"},
        {"extension request that is a string",
         {.attributes = "A0{30{" EXTENSION_REQUEST "31{0C{'a'}}}}"},
         SG_MALFORMED,
         "list of extensions",
         "RFC 2985 5.4.2"},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
}

static void test_too_many_attributes(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        sg_auto(sg_buf) struct sg_buf text = {0}, der = {0};

        assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "A0{"));
        for (int i = 0; i < SG_LIMIT_REQUEST_ATTRIBUTES + over; i++)
            assert_true(
                sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "30{06{2A03%02X}31{0500}}", i));
        assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "}"));
        make_request(&(struct make_request){.key = ec, .attributes = (const char *)text.data},
                     &der);
        expect_parse("attributes", sg_buf_slice(&der), over ? SG_MALFORMED : SG_OK, "is the limit",
                     "attributes of a request");
    }
}

static void test_extensions(void **state)
{
    static const struct parse_case CASES[] = {
        {"one", {.extensions = ONE_EXTENSION}},
        {"unknown", {.extensions = "30{06{2A0304}04{'not DER'}}"}},
        {"none", {.extensions = ""}, SG_MALFORMED, "is empty", "RFC 5280 4.1"},
        {"duplicate",
         {.extensions = ONE_EXTENSION ONE_EXTENSION},
         SG_MALFORMED,
         "keyUsage is there twice",
         "RFC 5280 4.2"},
        {"unknown duplicate",
         {.extensions = "30{06{2A0304}0400}30{06{2A0304}0400}"},
         SG_MALFORMED,
         "1.2.3.4 is there twice",
         "RFC 5280 4.2"},
        {"critical FALSE is written",
         {.extensions = "30{" KEY_USAGE "010100 04{03020780}}"},
         SG_MALFORMED,
         "keyUsage: critical must be left out",
         "X.690 11"},
        {"critical FALSE is written, last",
         {.extensions = "30{" PURPOSES "0101FF 04{30{06{2A0304}}}}"
                        "30{" SAN "010100 04{30{82{'a.example'}}}}"},
         SG_MALFORMED,
         "subjectAltName: critical must be left out",
         "X.690 11"},
        {"critical TRUE is 01",
         {.extensions = "30{" KEY_USAGE "010101 04{03020780}}"},
         SG_MALFORMED,
         "critical must be left out",
         "X.690 11"},
        {"long length",
         {.extensions = "3081{" KEY_USAGE "04{03020780}}"},
         SG_MALFORMED,
         "not DER",
         "X.690 10"},
        {"nonsense", {.extensions = "020101"}, SG_MALFORMED, "can't be decoded", "X.690 8"},
        {"OID beyond the limit",
         {.extensions = "30{06{2A 8FFFFFFFFFFFFFFFFF7F 8FFFFFFFFFFFFFFFFF7F 8FFFFFFFFFFFFFFFFF7F"
                        "8FFFFFFFFFFFFFFFFF7F 8FFFFFFFFFFFFFFFFF7F 8FFFFFFFFFFFFFFFFF7F"
                        "8FFFFFFFFFFFFFFFFF7F 8FFFFFFFFFFFFFFFFF7F}0400}"},
         SG_MALFORMED,
         "no OID",
         ""},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
}

static void test_known_extensions(void **state)
{
    static const struct parse_case CASES[] = {
        {"keyUsage: no bits",
         {.extensions = "30{" KEY_USAGE "04{030100}}"},
         SG_MALFORMED,
         "keyUsage: no bit is set",
         "RFC 5280 4.2.1.3"},
        {"keyUsage: zero bits",
         {.extensions = "30{" KEY_USAGE "04{03020700}}"},
         SG_MALFORMED,
         "keyUsage: no bit is set",
         "RFC 5280 4.2.1.3"},
        {"keyUsage: decipherOnly", {.extensions = "30{" KEY_USAGE "04{0303070880}}"}},
        {"keyUsage: zeroes at the end",
         {.extensions = "30{" KEY_USAGE "04{03020080}}"},
         SG_MALFORMED,
         "end in zeroes",
         "X.690 11.2.2"},
        {"keyUsage: a tenth bit",
         {.extensions = "30{" KEY_USAGE "04{0303068040}}"},
         SG_MALFORMED,
         "beyond decipherOnly",
         "X.690 11.2.2"},
        {"keyUsage: more behind",
         {.extensions = "30{" KEY_USAGE "04{03020780 0500}}"},
         SG_MALFORMED,
         "keyUsage: the value is followed by 2 bytes",
         "X.690"},
        {"keyUsage: empty value",
         {.extensions = "30{" KEY_USAGE "0400}"},
         SG_MALFORMED,
         "keyUsage: the value can't be decoded",
         "X.690"},
        {"keyUsage: another type",
         {.extensions = "30{" KEY_USAGE "04{020101}}"},
         SG_MALFORMED,
         "keyUsage: the value can't be decoded",
         "X.690"},
        {"extendedKeyUsage: none",
         {.extensions = "30{" PURPOSES "04{3000}}"},
         SG_MALFORMED,
         "list of purposes is empty",
         "RFC 5280 4.2.1.12"},
        {"extendedKeyUsage: the same twice",
         {.extensions = "30{" PURPOSES "04{30{06{2B06010505070302}06{2B06010505070302}}}}"},
         SG_MALFORMED,
         "clientAuth is there twice",
         ""},
        {"extendedKeyUsage: more behind",
         {.extensions = "30{" PURPOSES "04{30{06{2B06010505070302}}00}}"},
         SG_MALFORMED,
         "followed by 1 byte",
         "X.690"},
        {"extendedKeyUsage: long length",
         {.extensions = "30{" PURPOSES "04{3081{06{2B06010505070302}}}}"},
         SG_MALFORMED,
         "not DER",
         "X.690"},
        {"subjectAltName: none",
         {.extensions = "30{" SAN "04{3000}}"},
         SG_MALFORMED,
         "no name",
         "RFC 5280 4.2.1.6"},
        {"subjectAltName: more behind",
         {.extensions = "30{" SAN "04{30{82{'a.example'}}00}}"},
         SG_MALFORMED,
         "followed by 1 byte",
         "X.690"},
        {"subjectAltName: long length",
         {.extensions = "30{" SAN "04{3081{82{'a.example'}}}}"},
         SG_MALFORMED,
         "not DER",
         "X.690"},
        {"subjectAltName: line break",
         {.extensions = "30{" SAN "04{30{86{'urn:a'0A}}}}"},
         SG_MALFORMED,
         "line break",
         ""},
        {"subjectAltName: NUL",
         {.extensions = "30{" SAN "04{30{82{'a.example'00'.b'}}}}"},
         SG_MALFORMED,
         "zero byte",
         ""},
        {"basicConstraints: CA:FALSE", {.extensions = "30{" BASIC_CONSTRAINTS_ "04{3000}}"}},
        {"basicConstraints: CA:FALSE is written",
         {.extensions = "30{" BASIC_CONSTRAINTS_ "04{30{010100}}}"},
         SG_MALFORMED,
         "not DER",
         "X.690"},
        {"basicConstraints: TRUE is 01",
         {.extensions = "30{" BASIC_CONSTRAINTS_ "04{30{010101}}}"},
         SG_MALFORMED,
         "only ff is DER",
         "X.690 11.1"},
        {"basicConstraints: path length without CA",
         {.extensions = "30{" BASIC_CONSTRAINTS_ "04{30{020100}}}"},
         SG_MALFORMED,
         "without CA:TRUE",
         "RFC 5280 4.2.1.9"},
        {"basicConstraints: negative path length",
         {.extensions = "30{" BASIC_CONSTRAINTS_ "04{30{0101FF0201FF}}}"},
         SG_MALFORMED,
         "negative",
         "RFC 5280 4.2.1.9"},
        {"basicConstraints: huge path length",
         {.extensions = "30{" BASIC_CONSTRAINTS_ "04{30{0101FF02050100000000}}}"},
         SG_MALFORMED,
         "beyond",
         "RFC 5280 4.2.1.9"},
        {"basicConstraints: larger path length",
         {.extensions = "30{" BASIC_CONSTRAINTS_ "04{30{0101FF02{01000000000000000000}}}}"},
         SG_MALFORMED,
         "beyond",
         "RFC 5280 4.2.1.9"},
        {"basicConstraints: more behind",
         {.extensions = "30{" BASIC_CONSTRAINTS_ "04{3000 3000}}"},
         SG_MALFORMED,
         "followed by 2 bytes",
         "X.690"},
    };

    (void)state;
    expect_cases(CASES, NUM(CASES), ec);
}

static void test_too_many_purposes(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        sg_auto(sg_buf) struct sg_buf text = {0}, der = {0};

        assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "30{" PURPOSES "04{30{"));
        for (int i = 0; i < SG_LIMIT_EKUS + over; i++)
            assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "06{2A03%02X}", i));
        assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL, "}}}"));
        make_request(&(struct make_request){.key = ec, .extensions = (const char *)text.data},
                     &der);
        expect_parse("purposes", sg_buf_slice(&der), over ? SG_MALFORMED : SG_OK, "more than", "");
    }
}

/* Every field, of a request that has them all. */
static void test_fields(void **state)
{
    static const struct make_request PARTS = {
        .subject = "30{31{30{06{55040A}0C{'Example GmbH'}}}31{30{06{550403}13{'device-AB12'}}}}",
        .extensions = "30{" BASIC_CONSTRAINTS_ "0101FF 04{30{0101FF020102}}}"
                      "30{" KEY_USAGE "0101FF 04{03020186}}"
                      "30{" PURPOSES "04{30{06{2B06010505070302}06{2A0304}}}}"
                      "30{" SAN "04{30{82{'a.example'}86{'urn:dev:org:32473-a'}}}}"
                      "30{06{2B0601040181FD590101} 04{0C{'type:leo'}}}",
    };
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf der = {0}, pem = {0};
    struct make_request parts = PARTS;
    const struct sg_extension *extension;
    struct sg_error error = {0};
    char text[200];

    (void)state;
    parts.key = ec;
    make_request(&parts, &der);
    make_pem("CERTIFICATE REQUEST", sg_buf_slice(&der), &pem);
    expect_success("fields", sg_request_parse(sg_buf_slice(&pem), &request, &error), &error);
    assert_int_equal(request.format, SG_REQUEST_PKCS10);
    assert_true(sg_slice_equal(sg_buf_slice(&request.der), sg_buf_slice(&der)));
    assert_string_equal(sg_name_text(&request.subject, text, sizeof text),
                        "O=Example GmbH,CN=device-AB12");
    assert_int_equal(request.key.kind.family, SG_KEY_EC);
    assert_int_equal(request.key.kind.bits, 256);
    assert_string_equal(request.digest, "SHA2-256");
    assert_true(request.has_sans);
    assert_string_equal(sg_sans_text(&request.sans, text, sizeof text),
                        "dns:a.example, uri:urn:dev:org:32473-a");
    assert_int_equal(request.key_usage,
                     SG_KU_DIGITAL_SIGNATURE | SG_KU_KEY_CERT_SIGN | SG_KU_CRL_SIGN);
    assert_string_equal(sg_oids_purposes_text(&request.purposes, text, sizeof text),
                        "clientAuth, 1.2.3.4");
    assert_true(request.has_basic_constraints);
    assert_true(request.ca);
    assert_int_equal(request.path_length, 2);
    assert_int_equal(request.extensions.num, 5);
    extension = sg_extensions_find(&request.extensions, "1.3.6.1.4.1.32473.1.1");
    assert_non_null(extension);
    assert_false(extension->critical);
    assert_memory_equal(extension->value.data, "\x0c\x08type:leo", 10);
    assert_int_equal(extension->value.len, 10);
    assert_true(sg_extensions_find(&request.extensions, "2.5.29.15")->critical);
    assert_non_null(request.pkcs10);
}

static void test_fields_not_asked_for(void **state)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error error = {0};

    (void)state;
    make_request(&(struct make_request){.key = ed}, &der);
    expect_success("plain", sg_request_parse(sg_buf_slice(&der), &request, &error), &error);
    assert_string_equal(request.digest, "");
    assert_int_equal(request.key.kind.family, SG_KEY_ED25519);
    assert_false(request.has_sans);
    assert_int_equal(request.key_usage, 0);
    assert_int_equal(request.purposes.num, 0);
    assert_false(request.has_basic_constraints);
    assert_false(request.ca);
    assert_int_equal(request.path_length, -1);
    assert_int_equal(request.extensions.num, 0);
}

static void test_digest(void **state)
{
    static const struct {
        const char *algorithm, *digest;
    } CASES[] = {
        {"30{06{2A864886F70D01010C}0500}", "SHA2-384"},
        {"30{06{2A8648CE3D040304}}", "SHA2-512"},
        {"30{" PSS "30{A0{30{06{608648016503040203}0500}}A1{30{" MGF1 SHA256_ "}}}}", "SHA2-512"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_request) struct sg_request request = {0};
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_error error = {0};

        make_request(&(struct make_request){.key = ec, .algorithm = CASES[i].algorithm}, &der);
        expect_success(CASES[i].digest, sg_request_parse(sg_buf_slice(&der), &request, &error),
                       &error);
        assert_string_equal(request.digest, CASES[i].digest);
    }
}

#define BEGIN "-----BEGIN CERTIFICATE REQUEST-----\n"
#define END   "-----END CERTIFICATE REQUEST-----\n"

/* OpenSSL reads lines in pieces of 254 bytes, so that this BEGIN begins one. */
#define DOTS_50   ".................................................."
#define FAR_BEGIN DOTS_50 DOTS_50 DOTS_50 DOTS_50 DOTS_50 "...." BEGIN

static void test_pem(void **state)
{
    static const struct {
        const char *name, *label, *before, *after;
        enum sg_code wanted;
        const char *part;
    } CASES[] = {
        {"alone", "CERTIFICATE REQUEST", "", "", SG_OK, ""},
        {"older label", "NEW CERTIFICATE REQUEST", "", "", SG_OK, ""},
        {"text around it", "CERTIFICATE REQUEST", "Subject: CN=a\n\n", "yours, device\n", SG_OK,
         ""},
        {"a broken block before it", "CERTIFICATE REQUEST", BEGIN "AAAA\n", "", SG_MALFORMED,
         "2 PEM blocks"},
        {"a second block", "CERTIFICATE REQUEST", "", BEGIN "AAAA\n" END, SG_MALFORMED,
         "2 PEM blocks"},
        {"half a second block", "CERTIFICATE REQUEST", "", BEGIN "AAAA\n", SG_MALFORMED,
         "2 PEM blocks"},
        {"a certificate behind it", "CERTIFICATE REQUEST", "",
         "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", SG_MALFORMED,
         "2 PEM blocks"},
        {"byte order mark", "CERTIFICATE REQUEST", "\xef\xbb\xbf", "", SG_OK, ""},
        {"a private key behind it", "CERTIFICATE REQUEST", "", "-----BEGIN PRIVATE KEY-----\n",
         SG_MALFORMED, "holds a private key,"},
        {"a chain", "CERTIFICATE", "", "-----BEGIN CERTIFICATE-----\n", SG_MALFORMED,
         "this is a certificate,"},
        {"BEGIN far in a line", "CERTIFICATE REQUEST", FAR_BEGIN, "", SG_OK, ""},
        {"BEGIN far in a line behind it", "CERTIFICATE REQUEST", "", FAR_BEGIN, SG_OK, ""},
        {"EC parameters", "EC PARAMETERS", "", "", SG_MALFORMED, "a set of EC parameters"},
        {"certificate", "CERTIFICATE", "", "", SG_MALFORMED, "this is a certificate,"},
        {"trusted certificate", "TRUSTED CERTIFICATE", "", "", SG_MALFORMED,
         "this is a certificate,"},
        {"CRL", "X509 CRL", "", "", SG_MALFORMED, "a certificate revocation list,"},
        {"private key", "PRIVATE KEY", "", "", SG_MALFORMED, "holds a private key,"},
        {"EC private key", "EC PRIVATE KEY", "", "", SG_MALFORMED, "holds a private key,"},
        {"encrypted key", "ENCRYPTED PRIVATE KEY", "", "", SG_MALFORMED, "holds a private key,"},
        {"public key", "PUBLIC KEY", "", "", SG_MALFORMED, "a public key alone"},
        {"PKCS#7", "PKCS7", "", "", SG_MALFORMED, "a PKCS#7 or CMS message"},
        {"unknown", "NONSENSE", "", "", SG_MALFORMED, "says \"NONSENSE\""},
    };
    sg_auto(sg_buf) struct sg_buf der = {0};

    (void)state;
    make_request(&(struct make_request){.key = ec}, &der);
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf pem = {0};

        assert_true(sg_buf_printf(&pem, SG_LIMIT_REQUEST, NULL, "%s", CASES[i].before));
        make_pem(CASES[i].label, sg_buf_slice(&der), &pem);
        assert_true(sg_buf_printf(&pem, SG_LIMIT_REQUEST, NULL, "%s", CASES[i].after));
        expect_parse(CASES[i].name, sg_buf_slice(&pem), CASES[i].wanted, CASES[i].part, "RFC");
    }
}

static void test_text(void **state)
{
    static const struct {
        const char *name, *text, *part;
    } CASES[] = {
        {"empty", "", "the request is empty"},
        {"line break", "\n", "neither DER nor PEM"},
        {"a letter", "Dear CA,\n", "neither DER nor PEM"},
        {"UTF-16", "\xff\xfe-", "this is UTF-16"},
        {"UTF-16, big end first", "\xfe\xff", "this is UTF-16"},
        {"naked base64 of 200 bytes", "MIHFAAAA", "base64 without its lines"},
        {"naked base64", "MIIBAAAA\n", "base64 without its lines"},
        {"no base64", BEGIN "!!!!\n" END, "damaged"},
        {"no end", BEGIN "MAA=\n", "damaged"},
        {"another end", BEGIN "MAA=\n-----END CERTIFICATE-----\n", "damaged"},
        {"header", BEGIN "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMAA=\n" END,
         "damaged"},
        {"encrypted key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
         "private key"},
        {"other header", BEGIN "Comment: none\n\nMAA=\n" END, "header lines"},
        {"text among the base64", BEGIN "MAA=\n-MAA=\n" END, "damaged"},
        {"END in a line", BEGIN "MAA=-----END CERTIFICATE REQUEST-----\n", "damaged"},
        {"BEGIN without its end", "-----BEGIN CERTIFICATE REQUEST\nMAA=\n" END, "damaged"},
        {"BEGIN alone", "-----BEGIN ", "damaged"},
        {"nothing inside", BEGIN END, "PEM block"},
        {"an empty SEQUENCE inside", BEGIN "MAA=\n" END, "not a certificate request"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++)
        expect_parse(CASES[i].name, sg_slice_text(CASES[i].text), SG_MALFORMED, CASES[i].part,
                     "RFC");
}

static void test_size(void **state)
{
    sg_auto(sg_buf) struct sg_buf der = {0}, pem = {0};

    (void)state;
    make_request(&(struct make_request){.key = ec}, &der);
    make_pem("CERTIFICATE REQUEST", sg_buf_slice(&der), &pem);
    while (pem.len < SG_LIMIT_REQUEST)
        assert_true(sg_buf_append(&pem, "\n", 1, SG_LIMIT_REQUEST, NULL));
    expect_parse("as large as may be", sg_buf_slice(&pem), SG_OK, "", "");
    assert_true(sg_buf_append(&pem, "\n", 1, SG_LIMIT_REQUEST + 1, NULL));
    expect_parse("one byte more", sg_buf_slice(&pem), SG_MALFORMED, "65537 bytes", "size");
}

/* A PEM block that hides inside DER is not looked at. */
static void test_pem_inside_der(void **state)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf inner = {0}, pem = {0}, text = {0}, outer = {0};
    struct sg_error error = {0};
    char subject[64];

    (void)state;
    make_request(&(struct make_request){.key = ec, .subject = "3000"}, &inner);
    make_pem("CERTIFICATE REQUEST", sg_buf_slice(&inner), &pem);
    assert_true(sg_buf_printf(&text, SG_LIMIT_REQUEST, NULL,
                              "A0{30{" UNSTRUCTURED_NAME "31{0C{0A'%s'}}}}",
                              (const char *)pem.data));
    make_request(&(struct make_request){.key = ec, .attributes = (const char *)text.data}, &outer);
    expect_success("outer", sg_request_parse(sg_buf_slice(&outer), &request, &error), &error);
    assert_string_equal(sg_name_text(&request.subject, subject, sizeof subject), "CN=device-AB12");
}

static void expect_instead(const char *name, unsigned char *der, int len, const char *part)
{
    if (len <= 0)
        fail_msg("%s: can't be made", name);
    expect_parse(name, sg_slice_of(der, (size_t)len), SG_MALFORMED, part, "RFC 2986 4");
    OPENSSL_free(der);
}

/* DER of other things is named. */
static void test_other_der(void **state)
{
    sg_auto(X509) X509 *certificate = X509_new();
    sg_auto(X509_CRL) X509_CRL *crl = X509_CRL_new();
    unsigned char *der = NULL;
    X509_SIG *encrypted = NULL;
    PKCS8_PRIV_KEY_INFO *pkcs8 = EVP_PKEY2PKCS8(ec);
    PKCS12 *pkcs12 = PKCS12_create("a", "b", ec, NULL, NULL, 0, 0, 1, 1, 0);
    int len;

    (void)state;
    X509_set_pubkey(certificate, ec);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
    assert_true(X509_sign(certificate, ec, EVP_sha256()) > 0);
    len = i2d_X509(certificate, &der);
    expect_instead("certificate", der, len, "this is a certificate,");

    der = NULL;
    X509_CRL_set1_lastUpdate(crl, X509_get0_notBefore(certificate));
    assert_true(X509_CRL_sign(crl, ec, EVP_sha256()) > 0);
    len = i2d_X509_CRL(crl, &der);
    expect_instead("CRL", der, len, "a certificate revocation list,");

    der = NULL;
    len = i2d_PrivateKey(ec, &der);
    expect_instead("EC key", der, len, "holds a private key,");
    der = NULL;
    len = i2d_PrivateKey(rsa, &der);
    expect_instead("RSA key", der, len, "holds a private key,");
    der = NULL;
    len = i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &der);
    expect_instead("PKCS#8 key", der, len, "holds a private key,");

    der = NULL;
    encrypted = PKCS8_encrypt(-1, EVP_aes_128_cbc(), "a", 1, NULL, 0, 1, pkcs8);
    len = i2d_X509_SIG(encrypted, &der);
    expect_instead("encrypted key", der, len, "an encrypted private key,");
    der = NULL;
    len = i2d_PUBKEY(ec, &der);
    expect_instead("public key", der, len, "a public key alone,");
    der = NULL;
    len = i2d_PKCS12(pkcs12, &der);
    expect_instead("PKCS#12", der, len, "a PKCS#12 file,");

    X509_SIG_free(encrypted);
    PKCS8_PRIV_KEY_INFO_free(pkcs8);
    PKCS12_free(pkcs12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_subject),
        cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_signature_algorithms),
        cmocka_unit_test(test_pss),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_large_rsa),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_too_many_attributes),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_known_extensions),
        cmocka_unit_test(test_too_many_purposes),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_fields_not_asked_for),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_pem),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_pem_inside_der),
        cmocka_unit_test(test_other_der),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
