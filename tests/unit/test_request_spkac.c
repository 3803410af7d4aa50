#include "request/request.h"

#include <openssl/err.h>

#include "base/limits.h"
#include "expect.h"
#include "make_request.h"

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

static void make_spkac(EVP_PKEY *key, const char *challenge, const EVP_MD *digest,
                       struct sg_buf *der)
{
    sg_auto(NETSCAPE_SPKI) NETSCAPE_SPKI *spkac = NETSCAPE_SPKI_new();
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int len;

    assert_int_equal(NETSCAPE_SPKI_set_pubkey(spkac, key), 1);
    assert_int_equal(ASN1_STRING_set(spkac->spkac->challenge, challenge, (int)strlen(challenge)),
                     1);
    assert_true(NETSCAPE_SPKI_sign(spkac, key, digest) > 0);
    len = i2d_NETSCAPE_SPKI(spkac, &bytes);
    assert_true(len > 0);
    assert_true(sg_buf_set(der, sg_slice_of(bytes, (size_t)len), NULL));
}

static void make_base64(struct sg_slice der, struct sg_buf *text)
{
    sg_auto(malloc) unsigned char *base64 = malloc(2 * der.len + 8);
    int len;

    assert_non_null(base64);
    len = EVP_EncodeBlock(base64, der.data, (int)der.len);
    assert_true(sg_buf_set(text, sg_slice_of(base64, (size_t)len), NULL));
}

static void expect_parse(const char *name, struct sg_slice bytes, enum sg_code wanted,
                         const char *part)
{
    sg_auto(sg_request) struct sg_request request = {0};
    struct sg_error error = {0};
    bool verdict = sg_request_parse(bytes, &request, &error);

    if (wanted == SG_OK) {
        expect_success(name, verdict, &error);
        assert_int_equal(request.format, SG_REQUEST_SPKAC);
        assert_int_equal(request.subject.num, 0);
        assert_true(sg_request_check_possession(&request, NULL));
        return;
    }
    expect_failure(name, verdict, &error, wanted, part);
    assert_int_equal(request.der.len, 0);
}

/* In format, * stands for the base64, < for its first 40 digits, > for the others. */
static void put_text(const char *format, const char *base64, char *into)
{
    for (; *format != '\0'; format++) {
        if (*format == '*')
            into = stpcpy(into, base64);
        else if (*format == '<')
            into = stpncpy(into, base64, 40);
        else if (*format == '>')
            into = stpcpy(into, base64 + 40);
        else
            *into++ = *format;
    }
    *into = '\0';
}

static void test_forms(void **state)
{
    static const struct {
        const char *name, *format;
        enum sg_code wanted;
        const char *part;
    } CASES[] = {
        {"base64 alone", "*"},
        {"with a line end", "*\n"},
        {"in lines", "<\r\n>\r\n"},
        {"what openssl spkac writes", "SPKAC=*\n"},
        {"a byte order mark", "\xef\xbb\xbfSPKAC=*\n"},
        {"in lines after the prefix", "SPKAC=<\n>\n"},
        {"comments and empty lines", "# from a browser\n\n  SPKAC=*  \n\n# end\n"},
        {"a name beside it", "SPKAC=*\nCN=Ada Lovelace\n", SG_MALFORMED, "a line \"CN=\""},
        {"a name before it", "CN=Ada Lovelace\nSPKAC=*\n", SG_MALFORMED, "a line \"CN=\""},
        {"twice", "SPKAC=*\nSPKAC=*\n", SG_MALFORMED, "after another SPKAC"},
        {"no text", "SPKAC=\n", SG_MALFORMED, "not whole base64"},
        {"half", "SPKAC=<\n", SG_MALFORMED, "not a SignedPublicKeyAndChallenge"},
        {"a digit too few", "SPKAC=<AAA\n", SG_MALFORMED, "not whole base64"},
        {"a digit too many", "SPKAC=*A\n", SG_MALFORMED, "damaged"},
        {"fill in the middle", "SPKAC=<=\n>\n", SG_MALFORMED, "not whole base64"},
        {"words", "SPKAC=< it is\n", SG_MALFORMED, "damaged"},
        {"something else", "SPKAC=MAAA\n", SG_MALFORMED, "not a SignedPublicKey"},
        {"other base64 alone", "MIIBIjAN\n", SG_MALFORMED, "without its lines BEGIN"},
        {"a line BEGIN decides", "-----BEGIN CERTIFICATE-----\nSPKAC=*\n", SG_MALFORMED,
         "a certificate"},
    };
    sg_auto(sg_buf) struct sg_buf der = {0}, base64 = {0};

    (void)state;
    do { /* the cases want base64 that is filled up */
        sg_buf_free(&der);
        make_spkac(ec, "", EVP_sha256(), &der);
    } while (der.len % 3 == 0);
    make_base64(sg_buf_slice(&der), &base64);
    for (size_t i = 0; i < NUM(CASES); i++) {
        char text[2048];

        put_text(CASES[i].format, (const char *)base64.data, text);
        expect_parse(CASES[i].name, sg_slice_text(text), CASES[i].wanted, CASES[i].part);
        assert_true(sg_request_is_spkac(sg_slice_text(text)) || CASES[i].wanted != SG_OK);
    }
    expect_parse("DER", sg_buf_slice(&der), SG_OK, NULL);
    assert_true(sg_request_is_spkac(sg_buf_slice(&der)));
    assert_false(sg_request_is_spkac(sg_slice_text("MIIBIjAN")));
    assert_false(sg_request_is_spkac(sg_slice_text("")));
}

static void test_der(void **state)
{
    sg_auto(sg_buf) struct sg_buf der = {0}, longer = {0}, ber = {0}, foreign = {0};

    (void)state;
    make_spkac(rsa, "nonce", EVP_sha256(), &der);
    assert_true(sg_buf_set(&longer, sg_buf_slice(&der), NULL));
    assert_true(sg_buf_append(&longer, "", 1, SG_LIMIT_REQUEST, NULL));
    expect_parse("trailing data", sg_buf_slice(&longer), SG_MALFORMED, "1 bytes too many");
    /* 30 82 hh ll … → 30 83 00 hh ll … */
    assert_int_equal(der.data[1], 0x82);
    assert_true(sg_buf_set(&ber, sg_slice_of("\x30\x83\x00", 3), NULL));
    assert_true(sg_buf_append(&ber, der.data + 2, der.len - 2, SG_LIMIT_REQUEST, NULL));
    expect_parse("BER", sg_buf_slice(&ber), SG_MALFORMED, "not DER");
    make_spkac(ec, "caf\xc3\xa9", EVP_sha256(), &foreign);
    expect_parse("not IA5", sg_buf_slice(&foreign), SG_MALFORMED, "not ASCII");
}

static void test_keys(void **state)
{
    sg_auto(EVP_PKEY) EVP_PKEY *small = make_key("RSA-1024");
    const struct {
        const char *name;
        EVP_PKEY *key;
        const EVP_MD *digest;
        enum sg_code wanted;
        const char *part;
    } CASES[] = {
        {"P-256", ec, EVP_sha256(), SG_OK, NULL},
        {"P-256, SHA-512", ec, EVP_sha512(), SG_OK, NULL},
        {"RSA", rsa, EVP_sha256(), SG_OK, NULL},
        {"Ed25519", ed, NULL, SG_OK, NULL},
        {"MD5, as openssl spkac signs", rsa, EVP_md5(), SG_KEY_QUALITY, "spkac -digest sha256"},
        {"SHA-1", rsa, EVP_sha1(), SG_KEY_QUALITY, "spkac -digest sha256"},
        {"SHA-224", ec, EVP_sha224(), SG_KEY_QUALITY, "not accepted"},
        {"a small key is read, and its quality told later", small, EVP_sha256(), SG_OK, NULL},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf der = {0};

        make_spkac(CASES[i].key, "", CASES[i].digest, &der);
        expect_parse(CASES[i].name, sg_buf_slice(&der), CASES[i].wanted, CASES[i].part);
    }
}

static void test_possession(void **state)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error error = {0};
    uint8_t *challenge;

    (void)state;
    make_spkac(ec, "nonce", EVP_sha256(), &der);
    challenge = memmem(der.data, der.len, "nonce", 5);
    assert_non_null(challenge);
    challenge[0] = 'N';
    assert_true(sg_request_parse(sg_buf_slice(&der), &request, &error));
    expect_failure("changed", sg_request_check_possession(&request, &error), &error, SG_POSSESSION,
                   "not by the key inside it");
}

/* ---- challenges ---- */

static struct sg_secret *secret(const char *text)
{
    struct sg_secret *made = NULL;

    assert_true(sg_secret_new(strlen(text), &made, NULL));
    memcpy(sg_secret_data(made), text, strlen(text));
    return made;
}

static void expect_challenge(const char *name, struct sg_slice bytes, const char *given,
                             const char *part)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_secret) struct sg_secret *wanted = given != NULL ? secret(given) : NULL;
    struct sg_error error = {0};

    expect_success(name, sg_request_parse(bytes, &request, &error), &error);
    bool verdict = sg_request_check_challenge(&request, wanted, &error);
    if (part == NULL) {
        expect_success(name, verdict, &error);
        return;
    }
    expect_failure(name, verdict, &error, SG_UNAUTHENTICATED, part);
    assert_string_equal(error.rule, "challenge");
    assert_null(strstr(error.text, "nonce"));
}

static void test_challenge(void **state)
{
    static const struct {
        const char *name, *has, *given, *part; /* has NULL: no challengePassword */
        bool pkcs10;
    } CASES[] = {
        {"the same", "nonce-1", "nonce-1", NULL},
        {"none, none wanted", "", NULL, NULL},
        {"one, none given", "nonce-1", NULL, "none was given"},
        {"none, one given", "", "nonce-1", "has no challenge"},
        {"another", "nonce-2", "nonce-1", "is not the one"},
        {"only its beginning", "nonce", "nonce-1", "is not the one"},
        {"more than it", "nonce-1x", "nonce-1", "is not the one"},
        {"PKCS#10: the same", "nonce-1", "nonce-1", NULL, true},
        {"PKCS#10: none given", "nonce-1", NULL, NULL, true},
        {"PKCS#10: none", NULL, NULL, NULL, true},
        {"PKCS#10: none, one given", NULL, "nonce-1", "has no challenge", true},
        {"PKCS#10: another", "nonce-2", "nonce-1", "is not the one", true},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf der = {0};
        char attributes[200];

        snprintf(attributes, sizeof attributes, "A0{30{06{2A864886F70D010907}31{0C{'%s'}}}}",
                 CASES[i].has != NULL ? CASES[i].has : "");
        if (CASES[i].pkcs10)
            make_request(
                &(struct make_request){.key = ec,
                                       .attributes = CASES[i].has != NULL ? attributes : NULL},
                &der);
        else
            make_spkac(ec, CASES[i].has, EVP_sha256(), &der);
        expect_challenge(CASES[i].name, sg_buf_slice(&der), CASES[i].given, CASES[i].part);
    }
}

/* Whatever the type of its text, it is compared in UTF-8. */
static void test_challenge_password(void **state)
{
    static const struct {
        const char *name, *value, *text, *part; /* text: as it is read; part: why not */
    } CASES[] = {
        {"UTF8String", "0C{'caf'C3A9}", "caf\xc3\xa9", NULL},
        {"PrintableString", "13{'nonce'}", "nonce", NULL},
        {"IA5String", "16{'no@nce'}", "no@nce", NULL},
        {"T61String", "14{'nonce'}", "nonce", NULL},
        {"BMPString", "1E{00'c'00'a'00'f'00E9}", "caf\xc3\xa9", NULL},
        {"an integer", "020105", NULL, "not text"},
        {"octets", "04{'nonce'}", NULL, "not text"},
        {"empty", "0C00", NULL, "is empty"},
        {"half a BMPString", "1E{00'n'00}", NULL, "not"},
        {"a zero byte", "0C{'a'00'b'}", NULL, "zero byte"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_request) struct sg_request request = {0};
        sg_auto(sg_buf) struct sg_buf der = {0};
        struct sg_error error = {0};
        char attributes[200];

        snprintf(attributes, sizeof attributes, "A0{30{06{2A864886F70D010907}31{%s}}}",
                 CASES[i].value);
        make_request(&(struct make_request){.key = ec, .attributes = attributes}, &der);
        bool verdict = sg_request_parse(sg_buf_slice(&der), &request, &error);
        if (CASES[i].part != NULL) {
            expect_failure(CASES[i].name, verdict, &error, SG_MALFORMED, CASES[i].part);
            continue;
        }
        expect_success(CASES[i].name, verdict, &error);
        assert_true(request.has_challenge);
        assert_true(sg_slice_equal(sg_buf_slice(&request.challenge), sg_slice_text(CASES[i].text)));
    }
}

static void test_challenge_length(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        sg_auto(sg_buf) struct sg_buf der = {0};
        char challenge[SG_LIMIT_CHALLENGE + 2];

        memset(challenge, 'a', sizeof challenge);
        challenge[SG_LIMIT_CHALLENGE + over] = '\0';
        make_spkac(ec, challenge, EVP_sha256(), &der);
        expect_parse("length", sg_buf_slice(&der), over ? SG_MALFORMED : SG_OK, "255 is the limit");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_possession),
        cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_challenge_password),
        cmocka_unit_test(test_challenge_length),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
