#include "base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "cleanup.h"

static const char RULE[] = "RFC 8951 3.1";

enum { LINE = 64 };

static bool is_space(uint8_t octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

/* The digits of text alone, to at. False: there is something else. */
static bool gather(struct sg_slice text, uint8_t *at, size_t *num)
{
    static const char DIGITS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

    *num = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (is_space(text.data[i]))
            continue;
        if (text.data[i] == 0 || strchr(DIGITS, text.data[i]) == NULL)
            return false;
        at[(*num)++] = text.data[i];
    }
    return true;
}

static size_t num_fill(const uint8_t *digits, size_t num)
{
    size_t fill = 0;

    while (fill < 2 && fill < num && digits[num - 1 - fill] == '=')
        fill++;
    return fill;
}

static bool decode(struct sg_slice text, uint8_t *digits, uint8_t *decoded, struct sg_buf *bytes,
                   struct sg_error *error)
{
    size_t num = 0, fill;
    int len;

    if (digits == NULL || decoded == NULL)
        return sg_fail_memory(error);
    if (!gather(text, digits, &num))
        return sg_fail(error, SG_MALFORMED, RULE,
                       "the body is not base64: it has a character that base64 does not know; "
                       "PEM's BEGIN and END lines do not belong there");
    fill = num_fill(digits, num);
    len = num > 0 && num % 4 == 0 && memchr(digits, '=', num - fill) == NULL
              ? EVP_DecodeBlock(decoded, digits, (int)num) - (int)fill
              : -1;
    if (len <= 0)
        return sg_fail(error, SG_MALFORMED, RULE, "the body is not whole base64: %s",
                       num == 0 ? "it is empty" : "it is cut short, or was changed");
    return sg_buf_set(bytes, sg_slice_of(decoded, (size_t)len), error);
}

/* It may be a secret. */
bool sg_base64_decode(struct sg_slice text, struct sg_buf *bytes, struct sg_error *error)
{
    const size_t room = text.len + 1;
    uint8_t *digits = OPENSSL_malloc(room), *decoded = OPENSSL_malloc(room);
    const bool is_decoded = decode(text, digits, decoded, bytes, error);

    OPENSSL_clear_free(digits, room);
    OPENSSL_clear_free(decoded, room);
    return is_decoded;
}

static bool add_lines(const char *digits, size_t len, size_t limit, struct sg_buf *text,
                      struct sg_error *error)
{
    for (size_t from = 0; from < len; from += LINE) {
        const size_t part = len - from < LINE ? len - from : LINE;

        if (!sg_buf_append(text, digits + from, part, limit, error) ||
            !sg_buf_append(text, "\n", 1, limit, error))
            return false;
    }
    return true;
}

bool sg_base64_encode(struct sg_slice bytes, bool wrap, size_t limit, struct sg_buf *text,
                      struct sg_error *error)
{
    sg_auto(malloc) char *digits = malloc(4 * ((bytes.len + 2) / 3) + 1);
    int len;

    if (digits == NULL)
        return sg_fail_memory(error);
    len = EVP_EncodeBlock((uint8_t *)digits, bytes.data, (int)bytes.len);
    return wrap ? add_lines(digits, (size_t)len, limit, text, error)
                : sg_buf_append(text, digits, (size_t)len, limit, error);
}
