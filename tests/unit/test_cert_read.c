#include "make_certificate.h"

#include <openssl/pem.h>

static struct party root;
static struct sg_buf der, pem, crl_der, crl_pem;

static void make_texts(void)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    sg_auto(sg_crl_draft) struct sg_crl_draft *draft = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_slice tbs;
    int len = i2d_X509(root.certificate, &bytes);

    assert_true(len > 0);
    assert_true(sg_buf_set(&der, sg_slice_of(bytes, (size_t)len), NULL));
    assert_true(sg_cert_pem(sg_buf_slice(&der), "CERTIFICATE", &pem, NULL));
    assert_true(sg_crl_draft_new(&root.facts, TEST_NOW, TEST_NOW + 1, &draft, NULL));
    assert_true(sg_crl_draft_finish(draft, 1, &tbs, NULL));
    sign(&root, tbs, &signature);
    assert_true(sg_crl_draft_attach(draft, sg_buf_slice(&signature), &crl_der, NULL));
    assert_true(sg_cert_pem(sg_buf_slice(&crl_der), "X509 CRL", &crl_pem, NULL));
}

static int set_up(void **state)
{
    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_texts();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sg_buf_free(&der);
    sg_buf_free(&pem);
    sg_buf_free(&crl_der);
    sg_buf_free(&crl_pem);
    party_done(&root);
    return 0;
}

static void add(struct sg_buf *buf, struct sg_slice bytes)
{
    assert_true(sg_buf_append(buf, bytes.data, bytes.len, 1 << 20, NULL));
}

static void expect_certificate(const char *name, struct sg_slice bytes)
{
    sg_auto(X509) X509 *certificate = NULL;
    struct sg_serial serial = {0}, alone = {0};
    struct sg_error error = {0};
    bool read = sg_cert_read(bytes, "file", &certificate, &error);

    expect_success(name, read, &error);
    assert_int_equal(X509_cmp(certificate, root.certificate), 0);
    assert_true(sg_cert_serial(certificate, &serial, &error));
    expect_success(name, sg_cert_read_serial(bytes, "file", &alone, &error), &error);
    assert_memory_equal(&alone, &serial, sizeof serial);
}

static void certificates_are_read_in_every_form(void **state)
{
    sg_auto(sg_buf) struct sg_buf with_text = {0};
    sg_auto(sg_buf) struct sg_buf old = {0};

    (void)state;
    expect_certificate("DER", sg_buf_slice(&der));
    expect_certificate("PEM", sg_buf_slice(&pem));
    add(&with_text, sg_slice_text("subject=CN = Example Root\n"));
    add(&with_text, sg_buf_slice(&pem));
    add(&with_text, sg_slice_text("\nthe end\n"));
    expect_certificate("text around it", sg_buf_slice(&with_text));
    assert_true(sg_cert_pem(sg_buf_slice(&der), "X509 CERTIFICATE", &old, NULL));
    expect_certificate("old label", sg_buf_slice(&old));
}

/* A mark of PEM inside DER does not make it PEM. */
static void der_with_a_pem_mark_stays_der(void **state)
{
    struct party odd;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    sg_auto(X509) X509 *certificate = NULL;
    struct sg_error error = {0};
    int len;

    (void)state;
    make_party(&odd, "P-256", SG_ECDSA_SHA256);
    make_ca_plan(&plan, "-----BEGIN CERTIFICATE-----");
    issue(&plan, &odd, &odd, 1);
    len = i2d_X509(odd.certificate, &bytes);
    must(sg_cert_read(sg_slice_of(bytes, (size_t)len), "file", &certificate, &error), &error);
    party_done(&odd);
}

static void pem_has_its_label_and_lines(void **state)
{
    (void)state;
    assert_memory_equal(pem.data, "-----BEGIN CERTIFICATE-----\n", 28);
    assert_non_null(strstr((const char *)pem.data, "\n-----END CERTIFICATE-----\n"));
    assert_null(strstr((const char *)pem.data, "\r"));
}

/* Appends one of the ways in which a file can be wrong. */
enum wrong {
    EMPTY,
    LARGE,
    TRAILING,
    CUT,
    TEXT,
    TWO,
    OTHER_LABEL,
    BAD_BASE64,
    PEM_TRAILING,
    KEY_AFTER,
};

static void make_wrong(enum wrong wrong, struct sg_buf *into)
{
    sg_auto(sg_buf) struct sg_buf longer = {0};

    add(&longer, sg_buf_slice(&der));
    add(&longer, sg_slice_text("x"));
    switch (wrong) {
    case EMPTY:
        break;
    case LARGE:
        add(into, sg_buf_slice(&der));
        while (into->len <= SG_LIMIT_CERTIFICATE)
            add(into, sg_slice_text("                                "));
        break;
    case TRAILING:
        add(into, sg_buf_slice(&longer));
        break;
    case CUT:
        add(into, sg_slice_of(der.data, der.len - 1));
        break;
    case TEXT:
        add(into, sg_slice_text("hello\n"));
        break;
    case TWO:
        add(into, sg_buf_slice(&pem));
        add(into, sg_buf_slice(&pem));
        break;
    case OTHER_LABEL:
        add(into, sg_buf_slice(&crl_pem));
        break;
    case BAD_BASE64:
        add(into, sg_slice_text("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"));
        break;
    case PEM_TRAILING:
        assert_true(sg_cert_pem(sg_buf_slice(&longer), "CERTIFICATE", into, NULL));
        break;
    case KEY_AFTER:
        add(into, sg_buf_slice(&pem));
        add(into, sg_slice_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
        break;
    }
}

static const struct {
    const char *name;
    enum wrong wrong;
    const char *part;
} WRONG[] = {
    {"empty", EMPTY, "file: is empty"},
    {"large", LARGE, "65536 are the limit"},
    {"trailing", TRAILING, "file: 1 bytes follow the end of the X.509 certificate"},
    {"cut", CUT, "file: is no X.509 certificate"},
    {"text", TEXT, "file: is no X.509 certificate"},
    {"two", TWO, "holds more than one PEM block"},
    {"another label", OTHER_LABEL, "holds a X509 CRL where a CERTIFICATE is wanted"},
    {"base64", BAD_BASE64, "the PEM block can't be read"},
    {"trailing in PEM", PEM_TRAILING, "1 bytes follow the end"},
    {"a key behind it", KEY_AFTER, "holds more than one PEM block"},
};

static void wrong_files_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(WRONG); i++) {
        sg_auto(sg_buf) struct sg_buf bytes = {0};
        X509 *certificate = NULL;
        struct sg_serial serial = {0};
        struct sg_error error = {0}, of_serial = {0};

        make_wrong(WRONG[i].wrong, &bytes);
        expect_failure(WRONG[i].name,
                       sg_cert_read(sg_buf_slice(&bytes), "file", &certificate, &error), &error,
                       SG_MALFORMED, WRONG[i].part);
        assert_null(certificate);
        expect_failure(WRONG[i].name,
                       sg_cert_read_serial(sg_buf_slice(&bytes), "file", &serial, &of_serial),
                       &of_serial, SG_MALFORMED, WRONG[i].part);
    }
}

static void crls_are_read_in_both_forms(void **state)
{
    const struct sg_buf *const FORMS[] = {&crl_der, &crl_pem};

    (void)state;
    for (size_t i = 0; i < NUM(FORMS); i++) {
        sg_auto(X509_CRL) X509_CRL *crl = NULL;
        struct sg_error error = {0};

        must(sg_crl_read(sg_buf_slice(FORMS[i]), "file", &crl, &error), &error);
        assert_int_equal(X509_CRL_verify(crl, root.pkey), 1);
    }
}

static void wrong_crls_are_refused(void **state)
{
    X509_CRL *crl = NULL;
    struct sg_error errors[4] = {0};

    (void)state;
    expect_failure("empty", sg_crl_read(sg_slice_text(""), "file", &crl, &errors[0]), &errors[0],
                   SG_MALFORMED, "file: is empty");
    expect_failure("certificate", sg_crl_read(sg_buf_slice(&pem), "file", &crl, &errors[1]),
                   &errors[1], SG_MALFORMED, "holds a CERTIFICATE where a X509 CRL is wanted");
    expect_failure("DER certificate", sg_crl_read(sg_buf_slice(&der), "file", &crl, &errors[2]),
                   &errors[2], SG_MALFORMED, "file: is no CRL");
    assert_true(sg_buf_append(&crl_der, "x", 1, SG_LIMIT_CRL, NULL));
    expect_failure("trailing", sg_crl_read(sg_buf_slice(&crl_der), "file", &crl, &errors[3]),
                   &errors[3], SG_MALFORMED, "1 bytes follow the end of the CRL");
    assert_null(crl);
    crl_der.len--;
}

/* Hex as sg_serial_text has it; NULL is refused. */
static const struct {
    const char *number;
    bool negative;
    const char *text;
    size_t len;
    const char *part;
} SERIALS[] = {
    {"1", false, "01", 1, NULL},
    {"7F", false, "7f", 1, NULL},
    {"80", false, "80", 2, NULL},
    {"0123456789ABCDEF", false, "0123456789abcdef", 8, NULL},
    {"7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", false, "7fffffffffffffffffffffffffffffffffffffff",
     20, NULL},
    {"8000000000000000000000000000000000000000", false, NULL, 0, "has 21 octets, 20 are the limit"},
    {"0", false, NULL, 0, "not positive"},
    {"1", true, NULL, 0, "not positive"},
};

static void serials_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(SERIALS); i++) {
        sg_auto(X509) X509 *certificate = X509_dup(root.certificate);
        sg_auto(BIGNUM) BIGNUM *number = NULL;
        struct sg_serial serial = {0}, parsed = {0};
        struct sg_error error = {0};
        char text[SG_SERIAL_TEXT_SIZE];
        bool read;

        assert_true(BN_hex2bn(&number, SERIALS[i].number) > 0);
        BN_set_negative(number, SERIALS[i].negative);
        assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)));
        read = sg_cert_serial(certificate, &serial, &error);
        if (SERIALS[i].text == NULL) {
            expect_failure(SERIALS[i].number, read, &error, SG_MALFORMED, SERIALS[i].part);
            continue;
        }
        expect_success(SERIALS[i].number, read, &error);
        assert_string_equal(sg_serial_text(&serial, text), SERIALS[i].text);
        assert_int_equal(serial.len, SERIALS[i].len);
        assert_true(sg_serial_parse(text, &parsed, &error));
        assert_memory_equal(&parsed, &serial, sizeof parsed);
    }
}

static void validity_is_read(void **state)
{
    sg_auto(X509) X509 *certificate = X509_dup(root.certificate);
    int64_t not_before = 1, not_after = 2;
    struct sg_error error = {0};

    (void)state;
    must(sg_cert_validity(certificate, &not_before, &not_after, &error), &error);
    assert_true(not_before == TEST_NOW);
    assert_true(not_after == SG_TIME_NEVER);
    assert_true(ASN1_STRING_set(X509_getm_notAfter(certificate), "99", 2));
    not_before = not_after = 7;
    expect_failure("two digits", sg_cert_validity(certificate, &not_before, &not_after, &error),
                   &error, SG_MALFORMED, "notAfter of the certificate is no moment");
    assert_true(not_before == 7 && not_after == 7);
}

static void path_lengths_are_read(void **state)
{
    struct party ca, device;

    (void)state;
    make_ca(&ca, "P-256", SG_ECDSA_SHA256, &root);
    make_device(&device, "P-256", &ca);
    assert_int_equal(sg_cert_path_length(root.certificate), -1);
    assert_int_equal(sg_cert_path_length(ca.certificate), 0);
    assert_int_equal(sg_cert_path_length(device.certificate), -1);
    party_done(&device);
    party_done(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_read_in_every_form),
        cmocka_unit_test(der_with_a_pem_mark_stays_der),
        cmocka_unit_test(pem_has_its_label_and_lines),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(crls_are_read_in_both_forms),
        cmocka_unit_test(wrong_crls_are_refused),
        cmocka_unit_test(serials_are_read),
        cmocka_unit_test(validity_is_read),
        cmocka_unit_test(path_lengths_are_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
