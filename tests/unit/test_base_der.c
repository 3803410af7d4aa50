#include "expect.h"

#include "base/der.h"
#include "base/limits.h"
#include "make_request.h"

/* A case is DER, or nearly, as text of make_der. */
static void make(const char *text, struct sg_buf *der)
{
    sg_buf_free(der);
    make_der(text, der);
}

static void elements_follow_each_other(void **state)
{
    static const struct {
        const char *name, *text;
        int tag; /* -1: there is no element */
        size_t content_len, rest_len;
    } CASES[] = {
        {"nothing", "", -1},
        {"an identifier alone", "04", -1},
        {"empty", "0400", 0x04, 0, 0},
        {"one octet, and more", "0401'a' 05", 0x04, 1, 1},
        {"a context-specific tag", "8601'a'", 0x86, 1, 0},
        {"longer than there is", "0402'a'", -1},
        {"a number of several octets", "1F8101'a'", -1},
        {"a length cut short", "0482 01", -1},
        {"a length in two octets that fits one", "048101'a'", -1},
        {"a length with a zero before it", "04820001'a'", -1},
        {"an indefinite length", "3080 0000", -1},
        {"a length in five octets", "04850100000000", -1},
        {"a length of 4 GiB", "0484FFFFFFFF 00", -1},
        {"the reserved length", "04FF", -1},
    };
    sg_auto(sg_buf) struct sg_buf der = {0};

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_slice rest;
        struct sg_der element = {0};

        make(CASES[i].text, &der);
        rest = sg_buf_slice(&der);
        if (sg_der_next(&rest, &element) != (CASES[i].tag >= 0))
            fail_msg("%s: should be %s", CASES[i].name, CASES[i].tag >= 0 ? "one" : "none");
        if (CASES[i].tag < 0) {
            assert_int_equal(rest.len, der.len);
            assert_null(element.whole.data);
            continue;
        }
        assert_int_equal(element.tag, CASES[i].tag);
        assert_int_equal(element.content.len, CASES[i].content_len);
        assert_int_equal(rest.len, CASES[i].rest_len);
        assert_ptr_equal(element.whole.data, der.data);
        assert_int_equal(element.whole.len, der.len - rest.len);
    }
}

static void lengths_of_every_size(void **state)
{
    static const size_t LENGTHS[] = {0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000};
    static uint8_t der[0x10000 + 8];

    (void)state;
    for (size_t i = 0; i < NUM(LENGTHS); i++) {
        uint8_t *at = der;
        struct sg_slice inside;

        ASN1_put_object(&at, 0, (int)LENGTHS[i], V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL);
        assert_true(sg_der_enter(sg_slice_of(der, (size_t)(at - der) + LENGTHS[i]),
                                 SG_DER_OCTET_STRING, &inside));
        assert_int_equal(inside.len, LENGTHS[i]);
        assert_ptr_equal(inside.data, at);
    }
}

static void what_is_entered_is_alone(void **state)
{
    static const struct {
        const char *text;
        bool is_entered;
    } CASES[] = {{"3002 0500", true}, {"3002 0500 00", false}, {"3102 0500", false}, {"", false}};
    sg_auto(sg_buf) struct sg_buf der = {0};

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_slice inside = {0};

        make(CASES[i].text, &der);
        assert_int_equal(sg_der_enter(sg_buf_slice(&der), SG_DER_SEQUENCE, &inside),
                         CASES[i].is_entered);
        assert_int_equal(inside.len, CASES[i].is_entered ? 2 : 0);
    }
}

static const struct sg_der_tags TAGS = {.primitive = 1 << 6, .constructed = 1 << 3, .sets = 1 << 0};

/* Each no is one that a DER encoding of the same value would not have (wrong), or one that can't be
 * told without the type (open): OpenSSL has to encode those again. */
static const struct {
    const char *name, *text;
    enum { STRICT, WRONG, OPEN } verdict;
} ENCODINGS[] = {
    {"nothing", "", WRONG},
    {"two elements", "0500 0500", WRONG},
    {"octets behind", "3000 00", WRONG},
    {"an empty SEQUENCE", "3000", STRICT},
    {"a length too long inside", "30{048101'a'}", WRONG},
    {"an indefinite length inside", "30{3080 0000}", WRONG},
    {"longer than what it is in", "30{0402'a'}", WRONG},
    {"half an element", "30{04}", WRONG},

    {"TRUE", "0101FF", STRICT},
    {"TRUE as 1", "010101", WRONG},
    {"FALSE, a default", "010100", OPEN},
    {"an empty BOOLEAN", "0100", WRONG},
    {"a BOOLEAN of two octets", "0102FFFF", WRONG},

    {"0", "020100", STRICT},
    {"127", "02017F", STRICT},
    {"128", "02020080", STRICT},
    {"-128", "020180", STRICT},
    {"-129", "0202FF7F", STRICT},
    {"an empty INTEGER", "0200", WRONG},
    {"0 in two octets", "02020000", WRONG},
    {"127 in two octets", "0202007F", WRONG},
    {"-128 in two octets", "0202FF80", WRONG},
    {"an ENUMERATED", "0A0101", STRICT},
    {"an ENUMERATED in two octets", "0A020001", WRONG},

    {"no bits", "030100", STRICT},
    {"no bits, one of them unused", "030101", WRONG},
    {"no octet for the unused bits", "0300", WRONG},
    {"eight bits", "030200FF", STRICT},
    {"seven bits", "030201FE", STRICT},
    {"an unused bit that is 1", "030201FF", WRONG},
    {"one bit", "03020780", STRICT},
    {"eight unused bits", "03020800", WRONG},
    {"bits in pieces", "23{030200FF}", WRONG},

    {"octets", "0402'ab'", STRICT},
    {"octets in pieces", "24{0401'a'0401'b'}", WRONG},
    {"UTF-8", "0C01'a'", STRICT},
    {"UTF-8 in pieces", "2C{0C01'a'}", WRONG},
    {"a PrintableString", "1301'a'", STRICT},
    {"an IA5String", "1601'a'", STRICT},
    {"a TeletexString", "1401'a'", OPEN},
    {"a BMPString", "1E020061", OPEN},
    {"NULL", "0500", STRICT},
    {"NULL with content", "050100", WRONG},

    {"an OID", "0603550403", STRICT},
    {"an OID with a number of two octets", "06032A8648", STRICT},
    {"an OID that does not end", "06022A86", WRONG},
    {"an OID with padding", "06042A8001 01", WRONG},
    {"an OID that begins with padding", "06028001", WRONG},
    {"an empty OID", "0600", WRONG},

    {"a UTCTime", "17{'260102030405Z'}", STRICT},
    {"a UTCTime without seconds", "17{'2601020304Z'}", WRONG},
    {"a UTCTime with an offset", "17{'260102030405+0100'}", WRONG},
    {"a UTCTime of letters", "17{'26010203040xZ'}", WRONG},
    {"a GeneralizedTime", "18{'20510102030405Z'}", STRICT},
    {"a GeneralizedTime with a fraction", "18{'20510102030405.5Z'}", OPEN},
    {"a GeneralizedTime without Z", "18{'205101020304055'}", WRONG},

    {"a SET", "31{0401'a'}", STRICT},
    {"an empty SET", "3100", OPEN},
    {"a SET in its order", "31{0401'a'0401'b'0402'aa'}", STRICT},
    {"the same twice", "31{0401'a'0401'a'}", STRICT},
    {"a SET out of order", "31{0401'b'0401'a'}", WRONG},
    {"a longer one before a shorter one", "31{0402'aa'0401'b'}", WRONG},
    {"a SEQUENCE in any order", "30{0401'b'0401'a'}", STRICT},

    {"a primitive tag", "8601'a'", STRICT},
    {"a primitive tag in pieces", "A6{0401'a'}", WRONG},
    {"another primitive tag", "8501'a'", OPEN},
    {"a constructed tag", "A3{0500}", STRICT},
    {"a constructed tag with nonsense", "A3{05}", WRONG},
    {"a constructed tag as a primitive one", "830500", WRONG},
    {"another constructed tag", "A4{0500}", OPEN},
    {"a tag of a SET", "A0{0401'a'0401'b'}", STRICT},
    {"a tag of an empty SET", "A000", STRICT},
    {"a tag of a SET out of order", "A0{0401'b'0401'a'}", WRONG},
    {"an application's tag", "6000", OPEN},
    {"a private tag", "E000", OPEN},
    {"a primitive SEQUENCE", "1000", WRONG},
    {"a constructed NULL", "2500", WRONG},
};

static void only_der_is_strict(void **state)
{
    sg_auto(sg_buf) struct sg_buf der = {0};

    (void)state;
    for (size_t i = 0; i < NUM(ENCODINGS); i++) {
        bool verdict = ENCODINGS[i].verdict == STRICT;

        make(ENCODINGS[i].text, &der);
        if (sg_der_is_strict(sg_buf_slice(&der), &TAGS) != verdict)
            fail_msg("%s: should %sbe strict", ENCODINGS[i].name, verdict ? "" : "not ");
    }
}

/* What is strict, OpenSSL takes into a SEQUENCE and writes as it was. */
static void openssl_writes_the_same(void **state)
{
    sg_auto(sg_buf) struct sg_buf outer = {0};

    (void)state;
    for (size_t i = 0; i < NUM(ENCODINGS); i++) {
        sg_auto(sg_buf) struct sg_buf der = {0};
        sg_auto(openssl_bytes) uint8_t *again = NULL;
        const uint8_t *at;
        bool is_same;
        int len = -1;
        ASN1_SEQUENCE_ANY *items;

        if (ENCODINGS[i].verdict != STRICT)
            continue;
        make_der(ENCODINGS[i].text, &der);
        sg_buf_free(&outer);
        make_der("30", &outer);
        assert_true(der.len < 0x80);
        assert_true(sg_buf_append(&outer, &(uint8_t){(uint8_t)der.len}, 1, 1000, NULL));
        assert_true(sg_buf_append(&outer, der.data, der.len, 1000, NULL));
        at = outer.data;
        items = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)outer.len);
        if (items != NULL)
            len = i2d_ASN1_SEQUENCE_ANY(items, &again);
        sk_ASN1_TYPE_pop_free(items, ASN1_TYPE_free);
        is_same = len >= 0 && sg_slice_equal(sg_slice_of(again, (size_t)len), sg_buf_slice(&outer));
        if (!is_same)
            fail_msg("%s: OpenSSL does not encode it to itself", ENCODINGS[i].name);
    }
}

static void tags_are_named(void **state)
{
    static const char *const TEXTS[] = {"8601'a'", "A3{0500}", "A0{0401'a'}", "30{8601'a'}"};
    static const struct sg_der_tags NONE = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};

    (void)state;
    for (size_t i = 0; i < NUM(TEXTS); i++) {
        make(TEXTS[i], &der);
        assert_true(sg_der_is_strict(sg_buf_slice(&der), &TAGS));
        assert_false(sg_der_is_strict(sg_buf_slice(&der), &NONE));
        assert_false(sg_der_is_strict(sg_buf_slice(&der), NULL));
    }
}

/* depth SEQUENCEs, the innermost of which is empty. */
static struct sg_slice nest(int depth, uint8_t *der, size_t size)
{
    uint8_t *at = der + size;

    for (int i = 0; i < depth; i++) {
        *--at = i == 0 ? 0 : (uint8_t)(2 * i);
        *--at = 0x30;
    }
    return sg_slice_of(at, (size_t)(der + size - at));
}

static void depth_is_limited(void **state)
{
    uint8_t der[2 * (SG_LIMIT_DER_DEPTH + 1)];

    (void)state;
    assert_true(sg_der_is_strict(nest(SG_LIMIT_DER_DEPTH, der, sizeof der), NULL));
    assert_false(sg_der_is_strict(nest(SG_LIMIT_DER_DEPTH + 1, der, sizeof der), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_follow_each_other), cmocka_unit_test(lengths_of_every_size),
        cmocka_unit_test(what_is_entered_is_alone),   cmocka_unit_test(only_der_is_strict),
        cmocka_unit_test(openssl_writes_the_same),    cmocka_unit_test(tags_are_named),
        cmocka_unit_test(depth_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
