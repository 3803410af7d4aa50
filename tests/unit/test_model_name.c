#include "expect.h"

#include "model/name.h"

static const char CN[] = "2.5.4.3";

static void names_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *written;   /* what sg_name_text says of it; NULL: refused */
        const char *complaint; /* when refused */
    } CASES[] = {
        {"CN=Example Root,O=Example GmbH", "CN=Example Root,O=Example GmbH", NULL},
        {"/CN=Example Root/O=Example GmbH", "CN=Example Root,O=Example GmbH", NULL},
        {"C=DE, O=Example\\, Inc.,  CN=a", "C=DE,O=Example\\, Inc.,CN=a", NULL},
        {"/O=Example, Inc./CN=a\\/b", "O=Example\\, Inc.,CN=a/b", NULL},
        {"CN=a\\\\b", "CN=a\\\\b", NULL},
        {"CN=a=b", "CN=a=b", NULL},
        {"CN=C++ and D", "CN=C\\+\\+ and D", NULL},
        {"CN=a\\+O=b", "CN=a\\+O=b", NULL},
        {"CN=Žižek", "CN=Žižek", NULL},
        {"2.5.4.3=a,1.3.6.1.4.1.32473.7=b", "CN=a,1.3.6.1.4.1.32473.7=b", NULL},
        {"", NULL, "expected an attribute and \"=\" at \"\""},
        {"/", NULL, "expected an attribute"},
        {"Example", NULL, "expected an attribute and \"=\" at \"Example\""},
        {"CN=a,", NULL, "expected an attribute"},
        {"CN=a,,O=b", NULL, "expected an attribute and \"=\" at \",O=b\""},
        {"CN=a/O=b,c", NULL, "expected an attribute and \"=\" at \"c\""},
        {"=a", NULL, "expected an attribute"},
        {"CN=", NULL, "CN is empty"},
        {"CN=a\\", NULL, "ends in a backslash"},
        {"CN=a+O=b", NULL, "two attributes in one RDN"},
        {"cn=a", NULL, "\"cn\" is no name attribute"},
        {"CN=a\nb", NULL, "CN has a line break"},
        {"CN=\xff", NULL, "CN is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_name) struct sg_name name = {0};
        struct sg_error error = {0};
        bool verdict = sg_name_parse(CASES[i].text, &name, &error);
        char text[200];

        if (CASES[i].written != NULL) {
            expect_success(CASES[i].text, verdict, &error);
            assert_string_equal(sg_name_text(&name, text, sizeof text), CASES[i].written);
        } else {
            expect_failure(CASES[i].text, verdict, &error, SG_USAGE, CASES[i].complaint);
            assert_int_equal(name.num, 0);
        }
    }
}

static void written_names_are_read_back(void **state)
{
    static const char *const VALUES[] = {"a", "a,b",   "a\\b",   "\\", ",",
                                         "+", "a+O=b", "/a/O=b", "="};

    (void)state;
    for (size_t i = 0; i < NUM(VALUES); i++) {
        sg_auto(sg_name) struct sg_name name = {0}, back = {0};
        struct sg_error error = {0};
        char text[100];

        assert_true(sg_name_add(&name, CN, VALUES[i], NULL));
        assert_true(sg_name_add(&name, "2.5.4.10", VALUES[i], NULL));
        expect_success(VALUES[i],
                       sg_name_parse(sg_name_text(&name, text, sizeof text), &back, &error),
                       &error);
        assert_true(sg_name_equal(&name, &back));
    }
}

static void added_values_are_checked(void **state)
{
    char longest[SG_LIMIT_VALUE + 2];
    const struct {
        const char *name, *oid, *value, *complaint;
    } CASES[] = {
        {"good", CN, "device", NULL},
        {"empty", CN, "", "CN is empty"},
        {"tab", CN, "a\tb", "CN has a control character"},
        {"overlong", "2.5.4.10", "\xc0\xaf", "O is not UTF-8"},
        {"no OID", "CN", "a", "\"CN\" is no OID"},
        {"too long", CN, longest, "CN is longer than 1024 bytes"},
        {"long", CN, longest + 1, NULL},
    };

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_name) struct sg_name name = {0};
        struct sg_error error = {0};
        bool verdict = sg_name_add(&name, CASES[i].oid, CASES[i].value, &error);

        if (CASES[i].complaint == NULL)
            expect_success(CASES[i].name, verdict, &error);
        else
            expect_failure(CASES[i].name, verdict, &error, SG_MALFORMED, CASES[i].complaint);
        assert_int_equal(name.num, verdict ? 1 : 0);
    }
}

static void names_are_bounded(void **state)
{
    sg_auto(sg_name) struct sg_name name = {0};
    struct sg_error error = {0};

    (void)state;
    for (size_t i = 0; i < SG_LIMIT_RDNS; i++)
        assert_true(sg_name_add(&name, CN, "a", NULL));
    expect_failure("one more", sg_name_add(&name, CN, "a", &error), &error, SG_MALFORMED,
                   "more than 32 RDNs");
    assert_int_equal(name.num, SG_LIMIT_RDNS);
}

static void strings_are_decoded_strictly(void **state)
{
    static const struct {
        const char *name;
        int type;
        const char *bytes;
        int len;
        const char *value;     /* NULL: refused */
        const char *complaint; /* when refused */
    } CASES[] = {
        {"utf8", V_ASN1_UTF8STRING, "\xc5\xbd", 2, "Ž", NULL},
        {"printable", V_ASN1_PRINTABLESTRING, "A b'()+,-./:=?9", 15, "A b'()+,-./:=?9", NULL},
        {"ia5", V_ASN1_IA5STRING, "a@b", 3, "a@b", NULL},
        {"teletex", V_ASN1_T61STRING, "M\xfcller", 6, "Müller", NULL},
        {"bmp", V_ASN1_BMPSTRING, "\x01\x7d\0a", 4, "Ža", NULL},
        {"universal", V_ASN1_UNIVERSALSTRING, "\0\x01\xf6\0", 4, "😀", NULL},
        {"empty", V_ASN1_UTF8STRING, "", 0, NULL, "subject CN is empty"},
        {"nul", V_ASN1_UTF8STRING, "a\0b", 3, NULL, "subject CN has a zero byte"},
        {"nul in printable", V_ASN1_PRINTABLESTRING, "a\0b", 3, NULL, "has a zero byte"},
        {"nul in bmp", V_ASN1_BMPSTRING, "\0a\0\0\0b", 6, NULL, "has a zero byte"},
        {"line break", V_ASN1_UTF8STRING, "a\nb", 3, NULL, "has a line break"},
        {"line separator", V_ASN1_UTF8STRING, "a\xe2\x80\xa8", 4, NULL, "has a line break"},
        {"control", V_ASN1_UTF8STRING, "a\x1b[2J", 5, NULL, "has a control character"},
        {"bad utf8", V_ASN1_UTF8STRING, "a\xff", 2, NULL, "is not UTF-8"},
        {"overlong", V_ASN1_UTF8STRING, "\xc0\x80", 2, NULL, "is not UTF-8"},
        {"latin 1 in printable", V_ASN1_PRINTABLESTRING, "M\xfcller", 6, NULL, "is not UTF-8"},
        {"at in printable", V_ASN1_PRINTABLESTRING, "a@b", 3, NULL,
         "holds characters that PrintableString does not have"},
        {"utf8 in ia5", V_ASN1_IA5STRING, "\xc5\xbd", 2, NULL,
         "holds characters that IA5String does not have"},
        {"half a surrogate pair", V_ASN1_BMPSTRING, "\xd8\0", 2, NULL,
         "no characters of its string type"},
        {"beyond unicode", V_ASN1_UNIVERSALSTRING, "\0\x11\0\0", 4, NULL,
         "no characters of its string type"},
        {"bits", V_ASN1_BIT_STRING, "ab", 2, NULL,
         "subject CN is neither a DirectoryString nor an IA5String (ASN.1 tag 3)"},
        {"numeric", V_ASN1_NUMERICSTRING, "12", 2, NULL, "(ASN.1 tag 18)"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(X509_NAME) X509_NAME *encoded = X509_NAME_new();
        sg_auto(sg_name) struct sg_name name = {0};
        struct sg_error error = {0};
        bool verdict = false;

        if (!X509_NAME_add_entry_by_NID(encoded, NID_commonName, CASES[i].type,
                                        (const unsigned char *)CASES[i].bytes, CASES[i].len, -1, 0))
            fail_msg("%s: the case can't be encoded", CASES[i].name);
        verdict = sg_name_decode(encoded, "subject", &name, &error);
        if (CASES[i].value != NULL) {
            expect_success(CASES[i].name, verdict, &error);
            assert_string_equal(sg_name_first(&name, CN, NULL), CASES[i].value);
        } else {
            expect_failure(CASES[i].name, verdict, &error, SG_MALFORMED, CASES[i].complaint);
            assert_int_equal(name.num, 0);
        }
    }
}

static void add(X509_NAME *name, int nid, const char *value, int set)
{
    assert_true(X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING,
                                           (const unsigned char *)value, -1, -1, set));
}

static void multi_valued_rdns_are_refused(void **state)
{
    sg_auto(X509_NAME) X509_NAME *encoded = X509_NAME_new();
    sg_auto(sg_name) struct sg_name name = {0};
    struct sg_error error = {0};

    (void)state;
    expect_success("empty", sg_name_decode(encoded, "subject", &name, &error), &error);
    assert_int_equal(name.num, 0);
    add(encoded, NID_organizationName, "o", 0);
    add(encoded, NID_commonName, "a", 0);
    expect_success("two RDNs", sg_name_decode(encoded, "subject", &name, &error), &error);
    assert_int_equal(name.num, 2);
    sg_name_done(&name);
    add(encoded, NID_serialNumber, "1", -1);
    expect_failure("two values", sg_name_decode(encoded, "issuer", &name, &error), &error,
                   SG_MALFORMED, "issuer: an RDN has more than one value");
}

static void empty_rdns_are_refused(void **state)
{
    static const unsigned char DER[] = {0x30, 0x0e, 0x31, 0x00, 0x31, 0x0a, 0x30, 0x08,
                                        0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'a'};
    const unsigned char *from = DER;
    sg_auto(X509_NAME) X509_NAME *encoded = d2i_X509_NAME(NULL, &from, sizeof DER);
    sg_auto(sg_name) struct sg_name name = {0};
    struct sg_error error = {0};

    (void)state;
    assert_non_null(encoded);
    expect_failure("empty RDN", sg_name_decode(encoded, "subject", &name, &error), &error,
                   SG_MALFORMED, "subject: an RDN is empty");
}

static void long_oids_are_refused(void **state)
{
    sg_auto(X509_NAME) X509_NAME *encoded = X509_NAME_new();
    sg_auto(sg_name) struct sg_name name = {0};
    struct sg_error error = {0};
    char oid[2 * SG_LIMIT_OID] = "1.2";

    (void)state;
    for (size_t i = 0; i < 80; i++)
        strcat(oid, ".7");
    assert_true(X509_NAME_add_entry_by_txt(encoded, oid, V_ASN1_UTF8STRING,
                                           (const unsigned char *)"a", 1, -1, 0));
    expect_failure("long OID", sg_name_decode(encoded, "subject", &name, &error), &error,
                   SG_MALFORMED, "subject: an attribute's OID is longer than 127 bytes");
}

static void long_values_are_refused(void **state)
{
    sg_auto(X509_NAME) X509_NAME *encoded = X509_NAME_new();
    sg_auto(sg_name) struct sg_name name = {0};
    struct sg_error error = {0};
    char value[SG_LIMIT_VALUE + 2] = {0};

    (void)state;
    memset(value, 'a', SG_LIMIT_VALUE);
    add(encoded, NID_commonName, value, 0);
    expect_success("longest", sg_name_decode(encoded, "subject", &name, &error), &error);
    sg_name_done(&name);
    value[SG_LIMIT_VALUE] = 'a';
    add(encoded, NID_commonName, value, 0);
    expect_failure("longer", sg_name_decode(encoded, "subject", &name, &error), &error,
                   SG_MALFORMED, "subject CN is longer than 1024 bytes");
}

static void attributes_have_their_string_types(void **state)
{
    static const struct {
        const char *word, *value;
        int type;
    } CASES[] = {
        {"CN", "device", V_ASN1_UTF8STRING},
        {"O", "Müller", V_ASN1_UTF8STRING},
        {"C", "DE", V_ASN1_PRINTABLESTRING},
        {"serialNumber", "12", V_ASN1_PRINTABLESTRING},
        {"dnQualifier", "12", V_ASN1_PRINTABLESTRING},
        {"DC", "example", V_ASN1_IA5STRING},
        {"emailAddress", "a@example.com", V_ASN1_IA5STRING},
        {"1.3.6.1.4.1.32473.7", "x", V_ASN1_UTF8STRING},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(X509_NAME) X509_NAME *encoded = NULL;
        sg_auto(sg_name) struct sg_name name = {0}, back = {0};
        struct sg_error error = {0};
        const char *oid = NULL;

        assert_true(sg_oid_of_attribute(CASES[i].word, &oid, NULL));
        assert_true(sg_name_add(&name, oid, CASES[i].value, NULL));
        expect_success(CASES[i].word, sg_name_encode(&name, &encoded, &error), &error);
        assert_int_equal(
            ASN1_STRING_type(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(encoded, 0))),
            CASES[i].type);
        assert_true(sg_name_decode(encoded, "subject", &back, NULL));
        assert_true(sg_name_equal(&name, &back));
    }
}

/* RFC 5280 appendix A.1; a value of exactly the bound passes, one character more does not. */
static void upper_bounds_hold(void **state)
{
    static const struct {
        const char *word;
        size_t bound;
    } CASES[] = {
        {"CN", 64},         {"O", 64},
        {"OU", 64},         {"ST", 128},
        {"L", 128},         {"street", 128},
        {"T", 64},          {"serialNumber", 64},
        {"pseudonym", 128}, {"emailAddress", 255},
        {"postalCode", 40},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        char value[300], complaint[60];
        const char *oid = NULL;

        assert_true(sg_oid_of_attribute(CASES[i].word, &oid, NULL));
        for (size_t len = CASES[i].bound; len <= CASES[i].bound + 1; len++) {
            sg_auto(X509_NAME) X509_NAME *encoded = NULL;
            sg_auto(sg_name) struct sg_name name = {0};
            struct sg_error error = {0};

            memset(value, 'a', len);
            value[len] = '\0';
            snprintf(complaint, sizeof complaint, "has %zu characters, at most %zu", len, len - 1);
            assert_true(sg_name_add(&name, oid, value, NULL));
            if (len == CASES[i].bound)
                expect_success(CASES[i].word, sg_name_encode(&name, &encoded, &error), &error);
            else
                expect_failure(CASES[i].word, sg_name_encode(&name, &encoded, &error), &error,
                               SG_REFUSED, complaint);
        }
    }
}

static void values_must_fit_their_attribute(void **state)
{
    static const struct {
        const char *text, *complaint; /* NULL: accepted */
    } CASES[] = {
        {"C=DE", NULL},
        {"C=D", "C \"D\" must have 2 characters"},
        {"C=DEU", "C \"DEU\" must have 2 characters"},
        {"C=ÄÖ", "characters that PrintableString does not have"},
        {"serialNumber=a_b", "serialNumber \"a_b\" holds characters that PrintableString"},
        {"DC=müller", "DC \"müller\" holds characters that IA5String"},
        {"emailAddress=ü@example.com", "characters that IA5String does not have"},
        /* 64 characters of two bytes each */
        {"CN=ŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽ", NULL},
        {"CN=ŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽ",
         "has 65 characters, at most 64"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(X509_NAME) X509_NAME *encoded = NULL;
        sg_auto(sg_name) struct sg_name name = {0};
        struct sg_error error = {0};
        bool verdict = false;

        assert_true(sg_name_parse(CASES[i].text, &name, NULL));
        verdict = sg_name_encode(&name, &encoded, &error);
        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].text, verdict, &error);
        } else {
            expect_failure(CASES[i].text, verdict, &error, SG_REFUSED, CASES[i].complaint);
            assert_null(encoded);
        }
        /* the value alone is judged the same */
        error = (struct sg_error){0};
        assert_int_equal(sg_name_check_value(name.rdns[0].oid, name.rdns[0].value, &error),
                         verdict);
        if (!verdict)
            expect_failure(CASES[i].text, false, &error, SG_REFUSED, CASES[i].complaint);
    }
}

static void names_are_compared(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } CASES[] = {
        {"CN=a,O=b", "/CN=a/O=b", true}, {"CN=a,O=b", "O=b,CN=a", false},
        {"CN=a", "CN=A", false},         {"CN=a", "OU=a", false},
        {"CN=a", "CN=a,CN=a", false},    {"CN=a,O=b", "CN=a", false},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_name) struct sg_name a = {0}, b = {0};

        assert_true(sg_name_parse(CASES[i].a, &a, NULL));
        assert_true(sg_name_parse(CASES[i].b, &b, NULL));
        assert_int_equal(sg_name_equal(&a, &b), CASES[i].equal);
    }
}

static void long_text_is_cut_between_characters(void **state)
{
    sg_auto(sg_name) struct sg_name name = {0}, empty = {0};
    char text[20];

    (void)state;
    assert_true(sg_name_parse("CN=aŽbŽ", &name, NULL));
    assert_string_equal(sg_name_text(&name, text, 10), "CN=aŽbŽ");
    assert_string_equal(sg_name_text(&name, text, 9), "CN=a…");
    assert_string_equal(sg_name_text(&name, text, 8), "CN=a…");
    assert_string_equal(sg_name_text(&name, text, 7), "CN=…");
    assert_string_equal(sg_name_text(&name, text, 4), "…");
    assert_string_equal(sg_name_text(&name, text, 1), "");
    assert_string_equal(sg_name_text(&empty, text, sizeof text), "(empty)");
}

static void first_values_are_found(void **state)
{
    sg_auto(sg_name) struct sg_name name = {0};
    size_t num = 99;

    (void)state;
    assert_true(sg_name_parse("OU=x,CN=a,OU=y", &name, NULL));
    assert_string_equal(sg_name_first(&name, "2.5.4.11", &num), "x");
    assert_int_equal(num, 2);
    assert_string_equal(sg_name_first(&name, CN, NULL), "a");
    assert_null(sg_name_first(&name, "2.5.4.10", &num));
    assert_int_equal(num, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(written_names_are_read_back),
        cmocka_unit_test(added_values_are_checked),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(strings_are_decoded_strictly),
        cmocka_unit_test(multi_valued_rdns_are_refused),
        cmocka_unit_test(empty_rdns_are_refused),
        cmocka_unit_test(long_oids_are_refused),
        cmocka_unit_test(long_values_are_refused),
        cmocka_unit_test(attributes_have_their_string_types),
        cmocka_unit_test(upper_bounds_hold),
        cmocka_unit_test(values_must_fit_their_attribute),
        cmocka_unit_test(names_are_compared),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(first_values_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
