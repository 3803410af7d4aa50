#include "certificate.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"

static const struct {
    const char *word;
    enum sg_reason reason;
} REASONS[] = {
    {"unspecified", SG_REASON_UNSPECIFIED},
    {"keyCompromise", SG_REASON_KEY_COMPROMISE},
    {"cACompromise", SG_REASON_CA_COMPROMISE},
    {"affiliationChanged", SG_REASON_AFFILIATION_CHANGED},
    {"superseded", SG_REASON_SUPERSEDED},
    {"cessationOfOperation", SG_REASON_CESSATION_OF_OPERATION},
    {"certificateHold", SG_REASON_CERTIFICATE_HOLD},
    {"removeFromCRL", SG_REASON_REMOVE_FROM_CRL},
    {"privilegeWithdrawn", SG_REASON_PRIVILEGE_WITHDRAWN},
    {"aACompromise", SG_REASON_AA_COMPROMISE},
};
enum { NUM_REASONS = sizeof REASONS / sizeof *REASONS };

bool sg_reason_parse(const char *word, enum sg_reason *reason, struct sg_error *error)
{
    size_t i = 0;

    while (i < NUM_REASONS && strcasecmp(REASONS[i].word, word) != 0)
        i++;
    if (i == NUM_REASONS)
        return sg_fail(error, SG_USAGE, "RFC 5280 5.3.1",
                       "\"%.60s\" is no revocation reason: use unspecified, keyCompromise, "
                       "cACompromise, affiliationChanged, superseded, cessationOfOperation, "
                       "certificateHold, privilegeWithdrawn or aACompromise",
                       word);
    if (REASONS[i].reason == SG_REASON_REMOVE_FROM_CRL)
        return sg_fail(error, SG_USAGE, "RFC 5280 5.3.1",
                       "removeFromCRL is said by delta CRLs alone, which Signet does not make");
    *reason = REASONS[i].reason;
    return true;
}

const char *sg_reason_word(enum sg_reason reason)
{
    for (size_t i = 0; i < NUM_REASONS; i++) {
        if (REASONS[i].reason == reason)
            return REASONS[i].word;
    }
    return "?";
}

bool sg_reason_is_compromise(enum sg_reason reason)
{
    return reason == SG_REASON_KEY_COMPROMISE || reason == SG_REASON_CA_COMPROMISE ||
           reason == SG_REASON_AA_COMPROMISE;
}

const char *sg_serial_text(const struct sg_serial *serial, char into[SG_SERIAL_TEXT_SIZE])
{
    size_t sign = serial->len > 1 && serial->bytes[0] == 0 ? 1 : 0;

    return sg_hex(sg_slice_of(serial->bytes + sign, serial->len - sign), into, SG_SERIAL_TEXT_SIZE);
}

/* Copies the digits of a serial number, without 0x, colons and leading zeros, into digits[2…];
 * the two zeros before them serve a sign octet or an odd number of digits. */
static bool collect_digits(const char *text, char digits[2 * SG_LIMIT_SERIAL + 3], size_t *num,
                           struct sg_error *error)
{
    const char *from = text;

    *num = 0;
    if (from[0] == '0' && (from[1] == 'x' || from[1] == 'X'))
        from += 2;
    if (*from == '\0')
        return sg_fail(error, SG_USAGE, NULL, "the serial number is empty");
    for (; *from != '\0'; from++) {
        if (*from == ':' && from != text && from[1] != ':' && from[1] != '\0')
            continue;
        if (strchr("0123456789abcdefABCDEF", *from) == NULL)
            return sg_fail(error, SG_USAGE, NULL,
                           "\"%.60s\" is no serial number: use hexadecimal digits", text);
        if (*num == 0 && *from == '0')
            continue;
        if (*num == 2 * SG_LIMIT_SERIAL)
            return sg_fail(error, SG_USAGE, "RFC 5280 4.1.2.2",
                           "\"%.60s\" is no serial number: it is longer than %d octets", text,
                           SG_LIMIT_SERIAL);
        digits[2 + (*num)++] = *from;
    }
    if (*num == 0)
        return sg_fail(error, SG_USAGE, "RFC 5280 4.1.2.2", "a serial number is never zero");
    return true;
}

bool sg_serial_parse(const char *text, struct sg_serial *serial, struct sg_error *error)
{
    char digits[2 * SG_LIMIT_SERIAL + 3] = "00";
    uint8_t bytes[SG_LIMIT_SERIAL + 1];
    struct sg_serial parsed = {0};
    size_t num = 0, len = 0, skip = 0;

    if (!collect_digits(text, digits, &num, error))
        return false;
    digits[2 + num] = '\0';
    if (!sg_hex_parse(digits + num % 2, bytes, sizeof bytes, &len, error))
        return false;
    skip = len > 1 && bytes[0] == 0 && bytes[1] < 0x80 ? 1 : 0;
    if (len - skip > SG_LIMIT_SERIAL)
        return sg_fail(error, SG_USAGE, "RFC 5280 4.1.2.2",
                       "\"%.60s\" is no serial number: with its sign it is longer than %d octets",
                       text, SG_LIMIT_SERIAL);
    parsed.len = len - skip;
    memcpy(parsed.bytes, bytes + skip, parsed.len);
    *serial = parsed;
    return true;
}

const char *sg_status_word(enum sg_status status)
{
    switch (status) {
    case SG_STATUS_VALID:
        return "valid";
    case SG_STATUS_EXPIRED:
        return "expired";
    case SG_STATUS_REVOKED:
        return "revoked";
    case SG_STATUS_HELD:
        return "held";
    case SG_STATUS_IN_FLIGHT:
        return "in-flight";
    case SG_STATUS_ORPHANED:
        return "orphaned";
    }
    return "?";
}

bool sg_certificate_is_here(const struct sg_certificate *certificate, struct sg_error *error)
{
    char serial[SG_SERIAL_TEXT_SIZE], claimed[SG_TIME_TEXT_SIZE];

    return !certificate->is_elsewhere ||
           sg_fail(
               error, SG_STORE, NULL,
               "certificate %s is not in the store, as those of its month, %.7s, were taken out "
               "of it: attach that month again; to revoke it, its serial number is enough",
               sg_serial_text(&certificate->serial, serial),
               sg_time_text(certificate->claimed, claimed));
}

void sg_certificate_done(struct sg_certificate *certificate)
{
    free(certificate->issuer);
    free(certificate->policy);
    free(certificate->subject);
    free(certificate->device);
    free(certificate->user);
    free(certificate->token);
    sg_buf_free(&certificate->der);
    *certificate = (struct sg_certificate){0};
}
