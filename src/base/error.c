#include "error.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* A text that had to be cut says so. */
static void mark_cut(char *text, size_t size)
{
    static const char MARK[] = "...";

    memcpy(text + size - sizeof MARK, MARK, sizeof MARK);
}

static void append(char *text, size_t size, const char *more)
{
    size_t len = strlen(text);
    size_t room = size - len - 1;
    size_t more_len = strnlen(more, room + 1);

    if (more_len <= room) {
        memcpy(text + len, more, more_len + 1);
        return;
    }
    memcpy(text + len, more, room);
    mark_cut(text, size);
}

bool sg_failv(struct sg_error *error, enum sg_code code, const char *rule, const char *format,
              va_list arguments)
{
    int len;

    if (error == NULL || error->code != SG_OK)
        return false;
    sg_error_clear(error);
    error->code = code;
    if (rule != NULL)
        append(error->rule, sizeof error->rule, rule);
    len = vsnprintf(error->text, sizeof error->text, format, arguments);
    if (len < 0)
        error->text[0] = '\0';
    else if ((size_t)len >= sizeof error->text)
        mark_cut(error->text, sizeof error->text);
    sg_text_make_printable(error->rule);
    sg_text_make_printable(error->text);
    return false;
}

bool sg_fail(struct sg_error *error, enum sg_code code, const char *rule, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    sg_failv(error, code, rule, format, arguments);
    va_end(arguments);
    return false;
}

/* Adds ": reason" to a cause that was recorded just now. */
static void add_reason(struct sg_error *error, const char *reason)
{
    append(error->text, sizeof error->text, ": ");
    append(error->text, sizeof error->text, reason);
    sg_text_make_printable(error->text);
}

bool sg_fail_errno(struct sg_error *error, const char *format, ...)
{
    int number = errno;
    char buffer[128];
    va_list arguments;

    if (error == NULL || error->code != SG_OK)
        return false;
    va_start(arguments, format);
    sg_failv(error, SG_FAILED, NULL, format, arguments);
    va_end(arguments);
    error->detail = number;
    add_reason(error, strerror_r(number, buffer, sizeof buffer));
    return false;
}

/* OpenSSL piles general reasons ("nested asn1 error") on top of the one that tells something. */
static bool says_little(unsigned long entry)
{
    int reason = ERR_GET_REASON(entry);

    if (ERR_SYSTEM_ERROR(entry))
        return false;
    /* ERR_R_ASN1_LIB and its like: the flag, and the number of a library */
    return reason == ERR_R_NESTED_ASN1_ERROR ||
           ((reason & ERR_RFLAG_COMMON) != 0 && (reason & ~ERR_RFLAG_COMMON) < ERR_LIB_USER);
}

/* Empties the queue; returns its newest entry that tells something, else its newest, else 0. */
static unsigned long take_openssl_error(void)
{
    unsigned long entry, best = 0;

    while ((entry = ERR_get_error()) != 0)
        if (best == 0 || says_little(best) || !says_little(entry))
            best = entry;
    return best;
}

bool sg_fail_openssl(struct sg_error *error, enum sg_code code, const char *rule,
                     const char *format, ...)
{
    unsigned long entry = take_openssl_error();
    char buffer[128];
    const char *reason;
    va_list arguments;

    if (error == NULL || error->code != SG_OK)
        return false;
    va_start(arguments, format);
    sg_failv(error, code, rule, format, arguments);
    va_end(arguments);
    if (entry == 0)
        return false;
    reason = ERR_SYSTEM_ERROR(entry) ? strerror_r(ERR_GET_REASON(entry), buffer, sizeof buffer)
                                     : ERR_reason_error_string(entry);
    if (reason != NULL)
        add_reason(error, reason);
    return false;
}

bool sg_fail_memory(struct sg_error *error)
{
    errno = ENOMEM;
    return sg_fail_errno(error, "memory ran out");
}

bool sg_error_prefix(struct sg_error *error, const char *format, ...)
{
    char text[SG_ERROR_TEXT_SIZE];
    va_list arguments;
    int len;

    if (error == NULL || error->code == SG_OK)
        return false;
    memcpy(text, error->text, sizeof text);
    va_start(arguments, format);
    len = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (len < 0)
        error->text[0] = '\0';
    append(error->text, sizeof error->text, ": ");
    append(error->text, sizeof error->text, text);
    sg_text_make_printable(error->text);
    return false;
}

bool sg_error_pass(struct sg_error *error, const struct sg_error *cause)
{
    if (error != NULL && error->code == SG_OK)
        *error = *cause;
    return false;
}

void sg_error_clear(struct sg_error *error)
{
    if (error != NULL)
        memset(error, 0, sizeof *error);
}

const char *sg_code_name(enum sg_code code)
{
    static const char *const NAMES[] = {
        [SG_OK] = "ok",
        [SG_FAILED] = "failed",
        [SG_USAGE] = "usage",
        [SG_INVALID] = "invalid",
        [SG_MALFORMED] = "malformed",
        [SG_POSSESSION] = "possession",
        [SG_KEY_QUALITY] = "key-quality",
        [SG_UNAUTHENTICATED] = "unauthenticated",
        [SG_REFUSED] = "refused",
        [SG_TOKEN] = "token",
        [SG_PIN] = "pin",
        [SG_STORE] = "store",
        [SG_INTERNAL] = "internal",
    };

    if ((size_t)code >= sizeof NAMES / sizeof NAMES[0])
        return "unknown";
    return NAMES[code];
}

bool sg_code_is_refusal(enum sg_code code)
{
    switch (code) {
    case SG_MALFORMED:
    case SG_POSSESSION:
    case SG_KEY_QUALITY:
    case SG_UNAUTHENTICATED:
    case SG_REFUSED:
        return true;
    default:
        return false;
    }
}
