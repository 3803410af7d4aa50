#include "expect.h"

#include "model/certificate.h"

static void reasons_are_read_and_written(void **state)
{
    static const struct {
        const char *word;
        int number; /* RFC 5280 5.3.1; -1: refused */
        const char *complaint;
    } CASES[] = {
        {"unspecified", 0, NULL},
        {"keyCompromise", 1, NULL},
        {"cACompromise", 2, NULL},
        {"affiliationChanged", 3, NULL},
        {"superseded", 4, NULL},
        {"cessationOfOperation", 5, NULL},
        {"certificateHold", 6, NULL},
        {"privilegeWithdrawn", 9, NULL},
        {"aACompromise", 10, NULL},
        {"removeFromCRL", -1, "said by delta CRLs alone"},
        {"stolen", -1, "\"stolen\" is no revocation reason: use unspecified, keyCompromise"},
        {"", -1, "is no revocation reason"},
        {"1", -1, "is no revocation reason"},
    };
    enum sg_reason reason = SG_REASON_UNSPECIFIED;

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_error error = {0};

        reason = SG_REASON_AA_COMPROMISE;
        if (CASES[i].number >= 0) {
            assert_true(sg_reason_parse(CASES[i].word, &reason, NULL));
            assert_int_equal(reason, CASES[i].number);
            assert_string_equal(sg_reason_word(reason), CASES[i].word);
        } else {
            expect_failure(CASES[i].word, sg_reason_parse(CASES[i].word, &reason, &error), &error,
                           SG_USAGE, CASES[i].complaint);
            assert_int_equal(reason, SG_REASON_AA_COMPROMISE);
        }
    }
    assert_true(sg_reason_parse("CACompromise", &reason, NULL)); /* OpenSSL's spelling */
    assert_int_equal(reason, SG_REASON_CA_COMPROMISE);
    assert_string_equal(sg_reason_word(SG_REASON_REMOVE_FROM_CRL), "removeFromCRL");
    assert_string_equal(sg_reason_word((enum sg_reason)7), "?");
}

#define DIGITS_38 "01020304050607080910111213141516171819"

static void serials_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *written; /* NULL: refused */
        size_t len;
        const char *complaint;
    } CASES[] = {
        {"01", "01", 1, NULL},
        {"1", "01", 1, NULL},
        {"0x1", "01", 1, NULL},
        {"0X1f", "1f", 1, NULL},
        {"7f", "7f", 1, NULL},
        {"80", "80", 2, NULL},
        {"0080", "80", 2, NULL},
        {"FfEe", "ffee", 3, NULL},
        {"123", "0123", 2, NULL},
        {"12:34:ab", "1234ab", 3, NULL},
        {"00:12", "12", 1, NULL},
        {DIGITS_38 "7f", DIGITS_38 "7f", 20, NULL},
        {"7f" DIGITS_38, "7f" DIGITS_38, 20, NULL},
        {"00000000"
         "7f" DIGITS_38,
         "7f" DIGITS_38, 20, NULL},
        {"80" DIGITS_38, NULL, 0, "with its sign it is longer than 20 octets"},
        {"7f7f" DIGITS_38, NULL, 0, "longer than 20 octets"},
        {"", NULL, 0, "the serial number is empty"},
        {"0x", NULL, 0, "the serial number is empty"},
        {"0", NULL, 0, "never zero"},
        {"00:00", NULL, 0, "never zero"},
        {"-1", NULL, 0, "\"-1\" is no serial number"},
        {"12g4", NULL, 0, "\"12g4\" is no serial number"},
        {" 12", NULL, 0, "is no serial number"},
        {":12", NULL, 0, "is no serial number"},
        {"12:", NULL, 0, "is no serial number"},
        {"12::34", NULL, 0, "is no serial number"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_serial serial = {.len = 99};
        struct sg_error error = {0};
        bool verdict = sg_serial_parse(CASES[i].text, &serial, &error);
        char text[SG_SERIAL_TEXT_SIZE];

        if (CASES[i].written != NULL) {
            expect_success(CASES[i].text, verdict, &error);
            assert_string_equal(sg_serial_text(&serial, text), CASES[i].written);
            assert_int_equal(serial.len, CASES[i].len);
            assert_true(serial.bytes[0] < 0x80);
        } else {
            expect_failure(CASES[i].text, verdict, &error, SG_USAGE, CASES[i].complaint);
            assert_int_equal(serial.len, 99);
        }
    }
}

static void statuses_have_words(void **state)
{
    static const char *const WORDS[] = {"valid", "expired",   "revoked",
                                        "held",  "in-flight", "orphaned"};

    (void)state;
    for (size_t i = 0; i < NUM(WORDS); i++)
        assert_string_equal(sg_status_word((enum sg_status)i), WORDS[i]);
    assert_string_equal(sg_status_word((enum sg_status)NUM(WORDS)), "?");
}

static void certificates_are_released(void **state)
{
    struct sg_certificate certificate = {.id = 1};

    (void)state;
    certificate.issuer = strdup("issuing");
    certificate.policy = strdup("device-mtls");
    certificate.subject = strdup("CN=a");
    certificate.device = strdup("a");
    certificate.user = strdup("b");
    assert_true(sg_buf_set(&certificate.der, sg_slice_text("x"), NULL));
    sg_certificate_done(&certificate);
    sg_certificate_done(&certificate);
    assert_null(certificate.issuer);
    assert_int_equal(certificate.id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_read_and_written),
        cmocka_unit_test(serials_are_read),
        cmocka_unit_test(statuses_have_words),
        cmocka_unit_test(certificates_are_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
