#include "expect.h"

#include "token/token.h"
#include "token/uri.h"

static const struct {
    const char *text;
    enum sg_uri_kind kind;
    const char *part; /* of the message; NULL: accepted */
} CASES[] = {
    {"pkcs11:token=a", SG_URI_TOKEN, NULL},
    {"pkcs11:token=two%20words;serial=01ab;manufacturer=m;model=x", SG_URI_TOKEN, NULL},
    {"pkcs11:", SG_URI_TOKEN, NULL},
    {"pkcs11:object=k", SG_URI_KEY, NULL},
    {"pkcs11:id=%01%ff", SG_URI_KEY, NULL},
    {"pkcs11:token=a;object=k;id=%01;type=private", SG_URI_KEY, NULL},
    {"", SG_URI_TOKEN, "pkcs11:token=LABEL"},
    {"token=a", SG_URI_TOKEN, "pkcs11:token=LABEL"},
    {"k", SG_URI_KEY, "pkcs11:object=LABEL"},
    {"pkcs11:token", SG_URI_TOKEN, "without '='"},
    {"pkcs11:token=a;;serial=1", SG_URI_TOKEN, "without '='"},
    {"pkcs11:token=a;token=b", SG_URI_TOKEN, "'token' twice"},
    {"pkcs11:label=a", SG_URI_TOKEN, "'label', which Signet does not know"},
    {"pkcs11:Token=a", SG_URI_TOKEN, "'Token', which"},
    {"pkcs11:token=%zz", SG_URI_TOKEN, "%zz"},
    {"pkcs11:token=a?pin-value=secret77", SG_URI_TOKEN, "has a pin-value: a PIN does not belong"},
    {"pkcs11:pin-value=secret77", SG_URI_TOKEN, "has a pin-value"},
    {"pkcs11:token=a?PIN-VALUE=secret77", SG_URI_TOKEN, "'PIN-VALUE', which Signet does not know"},
    {"pkcs11:object=k?pin-value=secret77", SG_URI_KEY, "has a pin-value"},
    {"pkcs11:token=a?pin-source=file:/x", SG_URI_TOKEN, "has a pin-source"},
    {"pkcs11:token=a?module-path=/x.so", SG_URI_TOKEN, "has a module-path"},
    {"pkcs11:token=a?module-name=x", SG_URI_TOKEN, "has a module-name"},
    {"pkcs11:token=a?module-name=x&pin-value=secret77", SG_URI_TOKEN, "has a module-name"},
    {"pkcs11:slot-id=1", SG_URI_TOKEN, "slot numbers change"},
    {"pkcs11:slot-description=x", SG_URI_TOKEN, "has a slot-description"},
    {"pkcs11:library-version=1.0", SG_URI_TOKEN, "has a library-version"},
    {"pkcs11:token=a;object=k", SG_URI_TOKEN, "'object' of an object"},
    {"pkcs11:token=a", SG_URI_KEY, "names no key"},
    {"pkcs11:object=k;type=cert", SG_URI_KEY, "not about a private key"},
    {"pkcs11:object=k;type=public", SG_URI_KEY, "not about a private key"},
    {"pkcs11:object=k;type=odd", SG_URI_KEY, "can't be read"},
};

static void parsing(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(P11KitUri) P11KitUri *uri = NULL;
        struct sg_error error = {0};
        bool verdict = sg_uri_parse(CASES[i].text, CASES[i].kind, &uri, &error);

        if (CASES[i].part == NULL) {
            expect_success(CASES[i].text, verdict, &error);
            assert_non_null(uri);
        } else {
            expect_failure(CASES[i].text, verdict, &error, SG_USAGE, CASES[i].part);
            assert_null(uri);
        }
        assert_null(strstr(error.text, "secret77"));
    }
}

static void writing(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(P11KitUri) P11KitUri *uri = NULL;
    struct sg_error error = {0};
    static const uint8_t ID[] = {0x00, 0x41, 0xff};
    const CK_ATTRIBUTE *id;

    (void)state;
    assert_true(sg_uri_append(&text, "token", sg_slice_text("a;b c%\xc3\xbc"), &error));
    assert_true(sg_uri_append(&text, "id", sg_slice_of(ID, sizeof ID), &error));
    assert_string_equal((const char *)text.data, "pkcs11:token=a%3Bb%20c%25%C3%BC;id=%00A%FF");
    expect_success("read again", sg_uri_parse((const char *)text.data, SG_URI_KEY, &uri, &error),
                   &error);
    id = p11_kit_uri_get_attribute(uri, CKA_ID);
    assert_non_null(id);
    assert_int_equal(id->ulValueLen, sizeof ID);
    assert_memory_equal(id->pValue, ID, sizeof ID);
}

static void parts(void **state)
{
    static const struct {
        const char *text;
        const char *label, *id; /* label NULL: refused */
        const char *part;
    } PARTS[] = {
        {"pkcs11:object=k", "k", "", NULL},
        {"pkcs11:token=a;object=two%20words;id=%41b", "two words", "Ab", NULL},
        {"pkcs11:id=%01", "", "\x01", NULL},
        {"pkcs11:token=a", NULL, NULL, "names no key"},
        {"k", NULL, NULL, "pkcs11:object=LABEL"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(PARTS); i++) {
        sg_auto(malloc) char *label = NULL;
        sg_auto(sg_buf) struct sg_buf id = {0};
        struct sg_error error = {0};
        bool verdict = sg_key_uri_parts(PARTS[i].text, &label, &id, &error);

        if (PARTS[i].label == NULL) {
            expect_failure(PARTS[i].text, verdict, &error, SG_USAGE, PARTS[i].part);
            continue;
        }
        expect_success(PARTS[i].text, verdict, &error);
        assert_string_equal(label, PARTS[i].label);
        assert_true(sg_slice_equal(sg_buf_slice(&id), sg_slice_text(PARTS[i].id)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parsing), cmocka_unit_test(writing),
                                       cmocka_unit_test(parts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
