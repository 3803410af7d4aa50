#include "make_certificate.h"

#include <openssl/x509v3.h>

#include "cert/show.h"

static struct party root, device;

static int set_up(void **state)
{
    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_device(&device, "P-256", &root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    party_done(&device);
    party_done(&root);
    return 0;
}

static void expect_text(const struct sg_buf *text, const char *part)
{
    if (strstr((const char *)text->data, part) == NULL)
        fail_msg("should say '%s', says:\n%s", part, (const char *)text->data);
}

/* No byte that steers a terminal, and a newline at the end. */
static void expect_calm(const struct sg_buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        if ((text->data[i] < ' ' && text->data[i] != '\n') || text->data[i] == 0x7f)
            fail_msg("byte 0x%02x in:\n%s", text->data[i], (const char *)text->data);
    assert_true(text->len > 0 && text->data[text->len - 1] == '\n');
}

static void add_conf(X509 *certificate, const char *name, const char *value)
{
    X509_EXTENSION *extension = NULL;
    X509V3_CTX context;

    X509V3_set_ctx(&context, NULL, certificate, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    extension = X509V3_EXT_nconf(NULL, &context, name, value);

    if (extension == NULL)
        fail_msg("%s: %s can't be made", name, value);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void a_device_is_shown(void **state)
{
    static const char *const PARTS[] = {
        "certificate\n",
        "  subject      CN=device-AB12,O=Example GmbH\n",
        "  issuer       CN=Example Root,O=Example GmbH\n",
        "  serial       5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a03\n",
        "  not before   2026-01-01T00:00:00Z\n",
        "  not after    2027-01-01T00:00:00Z\n",
        "  validity     valid, expires in 364 days\n",
        "  key          P-256\n",
        "  signature    ecdsa-sha256\n",
        "  extensions\n",
        "    basicConstraints        critical  not a CA\n",
        "    keyUsage                critical  digitalSignature\n",
        "    extendedKeyUsage                  clientAuth\n",
        "    subjectAltName                    uri:urn:dev:org:32473-device\n",
        "    cRLDistributionPoints             uri:http://pki.example.com/test.crl\n",
        "    authorityInfoAccess               OCSP uri:http://pki.example.com/ocsp\n",
        "\n                                      CA issuers uri:http://pki.example.com/test.cer\n",
        "  sha256       ",
        "  sha1         ",
        "  key sha256   ",
    };
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    (void)state;
    must(sg_show_certificate(device.certificate, TEST_NOW + TEST_DAY, &text, &error), &error);
    for (size_t i = 0; i < NUM(PARTS); i++)
        expect_text(&text, PARTS[i]);
    expect_calm(&text);
}

static void a_root_is_shown(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    (void)state;
    must(sg_show_certificate(root.certificate, TEST_NOW, &text, &error), &error);
    expect_text(&text, "  validity     valid, never expires\n");
    expect_text(&text, "    basicConstraints        critical  CA\n");
    expect_text(&text, "    keyUsage                critical  keyCertSign, cRLSign\n");
}

/* OIDs that nobody's policy has a word for, in every place where one can stand. */
static void known_oids_have_names(void **state)
{
    static const char *const PARTS[] = {
        "subject      CN=device-AB12,1.3.6.1.4.1.37244.1.1 (Matter node)=FFF1\n",
        "1.3.6.1.4.1.311.10.3.4 (Microsoft encrypting file system)\n",
        "2.16.840.1.101.3.2.1.3.13 (US common PIV authentication)\n",
        "other:2.16.840.1.101.3.6.6;octets:6162 (PIV FASC-N)\n",
        "\n    Microsoft template",
        "\n    1.2.3.5 ",
    };
    X509 *certificate = X509_new();
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};
    X509_NAME *name = X509_get_subject_name(certificate);

    (void)state;
    X509_set_pubkey(certificate, root.pkey);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)"device-AB12", -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(name, "1.3.6.1.4.1.37244.1.1", MBSTRING_UTF8,
                               (const uint8_t *)"FFF1", -1, -1, 0);
    add_conf(certificate, "extendedKeyUsage", "1.3.6.1.4.1.311.10.3.4,1.2.3.4");
    add_conf(certificate, "certificatePolicies", "DER:300e300c060a6086480165030201030d");
    add_conf(certificate, "subjectAltName", "otherName:2.16.840.1.101.3.6.6;OCT:ab");
    add_conf(certificate, "1.3.6.1.4.1.311.21.7", "ASN1:INTEGER:5");
    add_conf(certificate, "1.2.3.5", "ASN1:INTEGER:5");
    X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, NULL);
    X509_time_adj_ex(X509_getm_notAfter(certificate), 1, 0, NULL);
    assert_true(X509_sign(certificate, root.pkey, EVP_sha256()) > 0);
    must(sg_show_certificate(certificate, TEST_NOW, &text, &error), &error);
    for (size_t i = 0; i < NUM(PARTS); i++)
        expect_text(&text, PARTS[i]);
    expect_calm(&text);
    X509_free(certificate);
}

static void validity_is_in_words(void **state)
{
    static const struct {
        int64_t now;
        const char *words;
    } CASES[] = {
        {TEST_NOW - 2 * TEST_DAY, "not yet valid, begins in 2 days\n"},
        {TEST_NOW - 90, "not yet valid, begins in 1 minute\n"},
        {TEST_NOW, "valid, expires in 365 days\n"},
        {TEST_NOW + INT64_C(364) * TEST_DAY, "valid, expires in 1 day\n"},
        {TEST_NOW + INT64_C(365) * TEST_DAY - 7200, "valid, expires in 2 hours\n"},
        {TEST_NOW + INT64_C(365) * TEST_DAY, "valid, expires in 0 seconds\n"},
        {TEST_NOW + INT64_C(365) * TEST_DAY + 1, "expired 1 second ago\n"},
        {TEST_NOW + INT64_C(368) * TEST_DAY, "expired 3 days ago\n"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf text = {0};
        struct sg_error error = {0};

        must(sg_show_certificate(device.certificate, CASES[i].now, &text, &error), &error);
        expect_text(&text, CASES[i].words);
    }
}

static void add_extension(X509 *certificate, const char *oid, const char *value, size_t len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    assert_true(ASN1_OCTET_STRING_set(string, (const uint8_t *)value, (int)len));
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, string);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(string);
    ASN1_OBJECT_free(object);
}

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *name, *oid, *value;
    size_t len;
    const char *words;
} EXTENSIONS[] = {
    {"text", "1.3.6.1.4.1.32473.1.1", BYTES("\x0c\x03leo"), " \"leo\"\n"},
    {"text that steers", "1.3.6.1.4.1.32473.1.2", BYTES("\x0c\x03\x1b[m"), " DER 0c031b5b6d\n"},
    {"structure", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x03\x02\x01\x05"), " sequence(integer 5)\n"},
    {"several", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x06\x01\x01\xff\x02\x01\x03"),
     " sequence(boolean true, integer 3)\n"},
    {"inside each other", "1.3.6.1.4.1.32473.1.3",
     BYTES("\x30\x10\x0c\x03leo\x30\x09\x06\x02\x2a\x03\x04\x01\x61\x05\x00"),
     " sequence(utf8 \"leo\", sequence(oid 1.2.3, octets 61, null))\n"},
    {"a set", "1.3.6.1.4.1.32473.1.3", BYTES("\x31\x06\x02\x01\xff\x0a\x01\x02"),
     " set(integer -1, enumerated 2)\n"},
    {"nothing in it", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x00"), " sequence()\n"},
    {"BMP", "1.3.6.1.4.1.32473.1.3", BYTES("\x1e\x04\0x\0\xfc"), " \"x\xc3\xbc\"\n"},
    {"a time", "1.3.6.1.4.1.32473.1.3",
     BYTES("\x18\x0f"
           "20260101000000Z"),
     " time 2026-01-01T00:00:00Z\n"},
    {"a fraction of a second", "1.3.6.1.4.1.32473.1.3",
     BYTES("\x18\x11"
           "20260101000000.5Z"),
     " DER 1811"},
    {"bits", "1.3.6.1.4.1.32473.1.3", BYTES("\x03\x02\x05\xa0"), " bits 101\n"},
    {"marks", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x05\x0c\x03\"\\a"),
     " sequence(utf8 \"\\\"\\\\a\")\n"},
    {"a string that steers, inside", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x05\x0c\x03\x1b[m"),
     " DER 30050c031b5b6d\n"},
    {"an odd boolean", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x03\x01\x01\x01"), " DER 3003010101\n"},
    {"BER", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x81\x03\x02\x01\x05"), " DER 308103020105\n"},
    {"BER inside", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x06\x30\x81\x03\x02\x01\x05"),
     " DER 3006308103020105\n"},
    {"a set in another order", "1.3.6.1.4.1.32473.1.3", BYTES("\x31\x06\x02\x01\x05\x02\x01\x03"),
     " DER 3106020105020103\n"},
    {"tagged", "1.3.6.1.4.1.32473.1.3", BYTES("\x30\x03\x80\x01\x05"), " DER 3003800105\n"},
    {"something behind", "1.3.6.1.4.1.32473.1.3", BYTES("\x05\x00\x05\x00"), " DER 05000500\n"},
    {"eight deep", "1.3.6.1.4.1.32473.1.3",
     BYTES("\x30\x0e\x30\x0c\x30\x0a\x30\x08\x30\x06\x30\x04\x30\x02\x30\x00"),
     " sequence(sequence(sequence(sequence(sequence(sequence(sequence(sequence())))))))\n"},
    {"nine deep", "1.3.6.1.4.1.32473.1.3",
     BYTES("\x30\x10\x30\x0e\x30\x0c\x30\x0a\x30\x08\x30\x06\x30\x04\x30\x02\x30\x00"),
     " DER 3010300e300c"},
    {"template name", "1.3.6.1.4.1.311.20.2", BYTES("\x1e\x04\0P\0C"), " \"PC\"\n"},
    {"template", "1.3.6.1.4.1.311.21.7",
     BYTES("\x30\x0b\x06\x02\x2a\x03\x02\x01\x64\x02\x02\x01\x00"),
     " template 1.2.3, version 100.256\n"},
    {"a template of one part", "1.3.6.1.4.1.311.21.7", BYTES("\x30\x04\x06\x02\x2a\x03"),
     " sequence(oid 1.2.3)\n"},
    {"purposes", "1.3.6.1.4.1.311.21.10",
     BYTES("\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"), " clientAuth\n"},
    {"no purposes", "1.3.6.1.4.1.311.21.10", BYTES("\x02\x01\x05"), " integer 5\n"},
    {"background check", "2.16.840.1.101.3.6.9.1", BYTES("\x01\x01\xff"),
     " true: begun, and not completed when this was issued\n"},
    {"background check done", "2.16.840.1.101.3.6.9.1", BYTES("\x01\x01\x00"),
     " false: completed when this was issued\n"},
    {"no background check", "2.16.840.1.101.3.6.9.1", BYTES("\x05\x00"), " null\n"},
    {"no DER", "1.3.6.1.4.1.32473.1.4", BYTES("hello"), " DER 68656c6c6f\n"},
    {"nothing", "1.3.6.1.4.1.32473.1.5", BYTES(""), " DER \n"},
    {"long", "1.3.6.1.4.1.32473.1.6", BYTES("0123456789012345678901234567890123456789"),
     "3031… (40 bytes)\n"},
    {"names", "2.5.29.18",
     BYTES("\x30\x0f\x82\x03"
           "a.b\x87\x04\x0a\x00\x00\x01\x88\x02\x2a\x03"),
     "dns:a.b"},
    {"address", "2.5.29.18", BYTES("\x30\x06\x87\x04\x0a\x00\x00\x01"), "ip:10.0.0.1"},
    {"odd name", "2.5.29.18", BYTES("\x30\x05\x82\x03\x1b[m"), "DNS:.[m"},
    {"directory", "2.5.29.18",
     BYTES("\x30\x10\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"),
     "dirname:CN=x"},
    {"broken", "2.5.29.30", BYTES("\x30\x05\x00"), " DER 300500\n"},
    {"inhibition", "2.5.29.54", BYTES("\x02\x01\x05"),
     "anyPolicy inhibited after 5 certificates\n"},
    {"inhibition at once", "2.5.29.54", BYTES("\x02\x01\x00"), "anyPolicy inhibited at once\n"},
    {"policy constraints", "2.5.29.36", BYTES("\x30\x03\x80\x01\x01"),
     "explicit policy required after 1 certificate\n"},
    {"policy mapping", "2.5.29.36", BYTES("\x30\x03\x81\x01\x00"),
     "policy mapping inhibited at once\n"},
    {"policies", "2.5.29.32",
     BYTES("\x30\x27\x30\x25\x06\x02\x2a\x03\x30\x1f\x30\x1d\x06\x08\x2b\x06\x01\x05\x05\x07\x02"
           "\x01\x16\x11\x68\x74\x74\x70\x73\x3a\x2f\x2f\x61\x2e\x65\x78\x61\x6d\x70\x6c\x65"),
     "read it at https://a.example\n"},
    {"any policy", "2.5.29.32", BYTES("\x30\x08\x30\x06\x06\x04\x55\x1d\x20\x00"), " anyPolicy\n"},
    {"notice", "2.5.29.32",
     BYTES("\x30\x22\x30\x20\x06\x02\x2a\x03\x30\x1a\x30\x18\x06\x08\x2b\x06\x01\x05\x05\x07\x02"
           "\x02\x30\x0c\x0c\x0a\x66\xc3\xbc\x72\x20\x54\x65\x73\x74\x73"),
     "notice \"für Tests\"\n"},
    {"notice that steers", "2.5.29.32",
     BYTES("\x30\x1b\x30\x19\x06\x02\x2a\x03\x30\x13\x30\x11\x06\x08\x2b\x06\x01\x05\x05\x07\x02"
           "\x02\x30\x05\x0c\x03\x1b\x5b\x6d"),
     "notice \"(unreadable)\"\n"},
    {"notice by number", "2.5.29.32",
     BYTES("\x30\x16\x30\x14\x06\x02\x2a\x03\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x05\x05\x07\x02"
           "\x02\x30\x00"),
     "a notice without text\n"},
    {"odd qualifier", "2.5.29.32",
     BYTES("\x30\x11\x30\x0f\x06\x02\x2a\x03\x30\x09\x30\x07\x06\x02\x2a\x03\x0c\x01\x78"),
     "qualifier 1.2.3\n"},
    {"constraints", "2.5.29.30",
     BYTES("\x30\x0f\xa0\x0d\x30\x0b\x82\x09\x61\x2e\x65\x78\x61\x6d\x70\x6c\x65"),
     "permitted dns:a.example\n"},
    {"excluded network", "2.5.29.30",
     BYTES("\x30\x0e\xa1\x0c\x30\x0a\x87\x08\xc0\x00\x02\x00\xff\xff\xff\x00"),
     "excluded ip:192.0.2.0/24\n"},
    {"odd mask", "2.5.29.30",
     BYTES("\x30\x0e\xa1\x0c\x30\x0a\x87\x08\xc0\x00\x02\x00\xff\x00\xff\x00"),
     "excluded ip:192.0.2.0 mask 255.0.255.0\n"},
    {"odd network", "2.5.29.30", BYTES("\x30\x09\xa1\x07\x30\x05\x87\x03\xc0\x00\x02"),
     "excluded c00002\n"},
    {"excluded directory", "2.5.29.30",
     BYTES("\x30\x14\xa1\x12\x30\x10\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
           "\x78"),
     "excluded dirname:CN=x\n"},
    {"excluded ID", "2.5.29.30", BYTES("\x30\x08\xa1\x06\x30\x04\x88\x02\x2a\x03"),
     "excluded a name of another kind\n"},
    {"SID", "1.3.6.1.4.1.311.25.2",
     BYTES("\x30\x1a\xa0\x18\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01\xa0\x0a\x04\x08\x53"
           "\x2d\x31\x2d\x35\x2d\x31\x38"),
     " S-1-5-18\n"},
    {"SID that steers", "1.3.6.1.4.1.311.25.2",
     BYTES("\x30\x15\xa0\x13\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01\xa0\x05\x04\x03\x1b"
           "\x5b\x6d"),
     " (unreadable)\n"},
    {"no SID", "1.3.6.1.4.1.311.25.2", BYTES("\x30\x00"), " sequence()\n"},
    {"module", "2.5.29.18",
     BYTES("\x30\x1a\xa0\x18\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x04\xa0\x0c\x30\x0a\x06\x02\x2a"
           "\x03\x04\x04\x53\x4e\x2d\x31"),
     "hardware-module:1.2.3;SN-1\n"},
    {"identifier", "2.5.29.18",
     BYTES("\x30\x18\xa0\x16\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x03\xa0\x0a\x30\x08\x0c\x02\x65"
           "\x37\x06\x02\x2a\x03"),
     "permanent-identifier:1.2.3;e7\n"},
    {"other name", "2.5.29.18", BYTES("\x30\x0b\xa0\x09\x06\x02\x2a\x03\xa0\x03\x0c\x01\x78"),
     "other:1.2.3;utf8:x\n"},
    {"registered ID", "2.5.29.18", BYTES("\x30\x04\x88\x02\x2a\x03"), "registered_id:1.2.3\n"},
    {"known to OpenSSL", "2.5.29.16",
     BYTES("\x30\x11\x80\x0f"
           "20260101000000Z"),
     "Not Before"},
    {"no word of ours", "2.5.29.99", BYTES("\x05\x00"), " null\n"},
};

static void every_extension_has_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(EXTENSIONS); i++) {
        sg_auto(X509) X509 *certificate = X509_dup(device.certificate);
        sg_auto(sg_buf) struct sg_buf text = {0};
        struct sg_error error = {0};

        add_extension(certificate, EXTENSIONS[i].oid, EXTENSIONS[i].value, EXTENSIONS[i].len);
        must(sg_show_certificate(certificate, TEST_NOW, &text, &error), &error);
        if (strstr((const char *)text.data, EXTENSIONS[i].words) == NULL)
            fail_msg("%s: should say '%s', says:\n%s", EXTENSIONS[i].name, EXTENSIONS[i].words,
                     (const char *)text.data);
        expect_calm(&text);
    }
}

/* Names that Signet would refuse are shown, without their teeth. */
static void hostile_names_are_tamed(void **state)
{
    static const struct {
        int type;
        const char *value;
        int len;
        const char *words;
    } CASES[] = {
        {V_ASN1_UTF8STRING, "a\x1b[31mb", 7, "O=Example GmbH"},
        {V_ASN1_UTF8STRING, "a\nb", 3, "O=Example GmbH"},
        {V_ASN1_UTF8STRING, "a\0b", 3, "O=Example GmbH"},
        {V_ASN1_T61STRING, "caf\xe9", 4, "caf"},
        {V_ASN1_BMPSTRING, "\0x\0y", 4, "xy"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(X509) X509 *certificate = X509_dup(device.certificate);
        sg_auto(sg_buf) struct sg_buf text = {0};
        struct sg_error error = {0};

        assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "OU",
                                               CASES[i].type, (const uint8_t *)CASES[i].value,
                                               CASES[i].len, -1, 0));
        must(sg_show_certificate(certificate, TEST_NOW, &text, &error), &error);
        expect_text(&text, CASES[i].words);
        expect_calm(&text);
    }
}

static void odd_fields_are_shown(void **state)
{
    sg_auto(X509) X509 *certificate = X509_dup(device.certificate);
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    (void)state;
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(certificate), -5));
    assert_true(ASN1_STRING_set(X509_getm_notAfter(certificate), "99", 2));
    assert_true(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate), OBJ_nid2obj(NID_dsa),
                                       V_ASN1_UNDEF, NULL, OPENSSL_memdup("x", 1), 1));
    while (X509_NAME_entry_count(X509_get_subject_name(certificate)) > 0)
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(X509_get_subject_name(certificate), 0));
    must(sg_show_certificate(certificate, TEST_NOW, &text, &error), &error);
    expect_text(&text, "  subject      (empty)\n");
    expect_text(&text, "  serial       -05\n");
    expect_text(&text, "  not after    (unreadable)\n");
    expect_text(&text, "  validity     (unreadable)\n");
    expect_text(&text, "  key          unreadable, algorithm 1.2.840.10040.4.1\n");
    expect_calm(&text);
}

static void json_says_the_same(void **state)
{
    json_t *object = NULL, *usage;
    struct sg_error error = {0};

    (void)state;
    must(sg_show_certificate_json(device.certificate, TEST_NOW, &object, &error), &error);
    assert_string_equal(json_string_value(json_object_get(object, "kind")), "certificate");
    assert_string_equal(json_string_value(json_object_get(object, "subject")),
                        "CN=device-AB12,O=Example GmbH");
    assert_string_equal(json_string_value(json_object_get(object, "not_after")),
                        "2027-01-01T00:00:00Z");
    usage = json_array_get(json_object_get(object, "extensions"), 1);
    assert_string_equal(json_string_value(json_object_get(usage, "name")), "keyUsage");
    assert_string_equal(json_string_value(json_object_get(usage, "oid")), "2.5.29.15");
    assert_true(json_is_true(json_object_get(usage, "critical")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(usage, "value"), 0)),
                        "digitalSignature");
    json_decref(object);
}

/* num entries of every reason in turn. */
static X509_CRL *make_crl(uint8_t num)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_slice tbs;
    struct sg_error error = {0};
    X509_CRL *crl = NULL;

    must(sg_crl_draft_new(&root.facts, TEST_NOW, TEST_NOW + 7 * TEST_DAY, &draft, &error), &error);
    for (uint8_t i = 1; i <= num; i++) {
        struct sg_serial serial = make_serial(i);

        must(sg_crl_draft_add(draft, &serial, TEST_NOW - 60,
                              i % 2 == 0 ? SG_REASON_SUPERSEDED : SG_REASON_UNSPECIFIED, &error),
             &error);
    }
    must(sg_crl_draft_finish(draft, 42, &tbs, &error), &error);
    must(sg_crl_draft_attach(draft, sg_slice_text("x"), &der, &error), &error);
    must(sg_crl_read(sg_buf_slice(&der), "crl", &crl, &error), &error);
    return crl;
}

static void a_crl_is_shown(void **state)
{
    static const char *const PARTS[] = {
        "certificate revocation list\n",
        "  issuer       CN=Example Root,O=Example GmbH\n",
        "  number       42\n",
        "  this update  2026-01-01T00:00:00Z\n",
        "  next update  2026-01-08T00:00:00Z\n",
        "  validity     valid, the next is due in 6 days\n",
        "  signature    ecdsa-sha256\n",
        "  entries      5\n",
        "  revoked\n",
        "    2025-12-31T23:59:00Z  5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a01          unspecified\n",
        "    2025-12-31T23:59:00Z  5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a02          superseded\n",
        "    and 3 more\n",
        "    cRLNumber                         42\n",
    };
    sg_auto(X509_CRL) X509_CRL *crl = make_crl(5);
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    (void)state;
    must(sg_show_crl(crl, TEST_NOW + TEST_DAY, 2, &text, &error), &error);
    for (size_t i = 0; i < NUM(PARTS); i++)
        expect_text(&text, PARTS[i]);
    assert_null(strstr((const char *)text.data, "5a5a5a5a03"));
    expect_calm(&text);
}

static void a_crl_has_validity_in_words(void **state)
{
    static const struct {
        int64_t now;
        const char *words;
    } CASES[] = {
        {TEST_NOW - TEST_DAY, "not yet valid, begins in 1 day\n"},
        {TEST_NOW + 10 * TEST_DAY, "overdue for 3 days\n"},
    };
    sg_auto(X509_CRL) X509_CRL *crl = make_crl(0);

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_buf) struct sg_buf text = {0};
        struct sg_error error = {0};

        must(sg_show_crl(crl, CASES[i].now, SIZE_MAX, &text, &error), &error);
        expect_text(&text, CASES[i].words);
        expect_text(&text, "  entries      0\n");
        assert_null(strstr((const char *)text.data, "revoked"));
    }
}

static void a_crl_is_json_with_all_entries(void **state)
{
    sg_auto(X509_CRL) X509_CRL *crl = make_crl(30);
    struct sg_error error = {0};
    json_t *object = NULL;

    (void)state;
    must(sg_show_crl_json(crl, TEST_NOW, SIZE_MAX, &object, &error), &error);
    assert_string_equal(json_string_value(json_object_get(object, "kind")), "crl");
    assert_string_equal(json_string_value(json_object_get(object, "number")), "42");
    assert_int_equal(json_integer_value(json_object_get(object, "entries")), 30);
    assert_int_equal(json_array_size(json_object_get(object, "revoked")), 30);
    json_decref(object);
}

/* A request by the device's key, in a form that sg_request_look leaves. */
static void fill_request(struct sg_request *request)
{
    struct sg_error error = {0};

    request->pkcs10 = X509_REQ_new();
    assert_int_equal(
        X509_REQ_set_subject_name(request->pkcs10, X509_get_subject_name(device.certificate)), 1);
    assert_int_equal(X509_REQ_set_pubkey(request->pkcs10, device.pkey), 1);
    assert_true(X509_REQ_sign(request->pkcs10, device.pkey, EVP_sha256()) > 0);
    assert_true(sg_buf_set(&request->der, sg_slice_text("x"), &error));
    assert_true(sg_extensions_add(&request->extensions, "2.5.29.15", true,
                                  sg_slice_text("\x03\x02\x07\x80"), &error));
}

static void a_request_is_shown(void **state)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0}, refused = {0};
    json_t *object = NULL;

    (void)state;
    fill_request(&request);
    must(sg_show_request(&request, &refused, &text, &error), &error);
    expect_text(&text, "certificate request\n  format       PKCS#10, version 1\n"
                       "  subject      CN=device-AB12,O=Example GmbH\n");
    expect_text(&text, "  key          P-256\n");
    expect_text(&text, "  signature    ecdsa-sha256\n");
    expect_text(&text, "    keyUsage                critical  digitalSignature\n");
    expect_text(&text,
                "  sha256       2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a");
    must(sg_show_request_json(&request, &refused, &object, &error), &error);
    assert_string_equal(json_string_value(json_object_get(object, "kind")), "request");
    assert_null(json_object_get(object, "refused"));
    json_decref(object);
}

static void a_refused_request_says_why(void **state)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0}, refused = {0};
    json_t *object = NULL, *why;

    (void)state;
    fill_request(&request);
    sg_fail(&refused, SG_KEY_QUALITY, "RFC 6151: MD5", "it is signed with MD5");
    must(sg_show_request(&request, &refused, &text, &error), &error);
    expect_text(&text, "  refused      RFC 6151: MD5: it is signed with MD5\n");
    expect_text(&text, "  subject      CN=device-AB12,O=Example GmbH\n");
    must(sg_show_request_json(&request, &refused, &object, &error), &error);
    why = json_object_get(object, "refused");
    assert_string_equal(json_string_value(json_object_get(why, "rule")), "RFC 6151: MD5");
    assert_string_equal(json_string_value(json_object_get(why, "message")),
                        "it is signed with MD5");
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_shown),
        cmocka_unit_test(a_root_is_shown),
        cmocka_unit_test(known_oids_have_names),
        cmocka_unit_test(validity_is_in_words),
        cmocka_unit_test(every_extension_has_words),
        cmocka_unit_test(hostile_names_are_tamed),
        cmocka_unit_test(odd_fields_are_shown),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(a_crl_is_shown),
        cmocka_unit_test(a_crl_has_validity_in_words),
        cmocka_unit_test(a_crl_is_json_with_all_entries),
        cmocka_unit_test(a_request_is_shown),
        cmocka_unit_test(a_refused_request_says_why),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
