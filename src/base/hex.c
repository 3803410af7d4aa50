#include "hex.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

char *sg_hex(struct sg_slice bytes, char *into, size_t size)
{
    static const char DIGITS[] = "0123456789abcdef";

    assert(size / 2 >= bytes.len && size > bytes.len * 2);
    for (size_t i = 0; i < bytes.len; i++) {
        into[2 * i] = DIGITS[bytes.data[i] >> 4];
        into[2 * i + 1] = DIGITS[bytes.data[i] & 15];
    }
    into[2 * bytes.len] = '\0';
    return into;
}

/* The value of a digit, or -1. Not isxdigit: that one asks the locale. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Checks the shape and counts the bytes. width is 3 with colons, 2 without. */
static bool check_digits(const char *text, size_t width, size_t *num_bytes, struct sg_error *error)
{
    size_t len = strlen(text);

    if (len == 0)
        return sg_fail(error, SG_INVALID, NULL, "no hexadecimal digits where some are wanted");
    for (size_t i = 0; i < len; i++) {
        bool colon_wanted = i % width == 2;

        if (colon_wanted ? text[i] != ':' : digit_value(text[i]) < 0)
            return sg_fail(error, SG_INVALID, NULL,
                           "'%c' at character %zu where a %s is wanted: write pairs of "
                           "hexadecimal digits, with ':' between all of them or none",
                           text[i], i + 1, colon_wanted ? "':'" : "hexadecimal digit");
    }
    if (len % width != 2 % width)
        return sg_fail(error, SG_INVALID, NULL,
                       "the last hexadecimal digit has no partner: write pairs");
    *num_bytes = (len + width - 2) / width;
    return true;
}

bool sg_hex_parse(const char *text, uint8_t *bytes, size_t max, size_t *len, struct sg_error *error)
{
    size_t width = strchr(text, ':') != NULL ? 3 : 2;
    size_t num_bytes = 0;

    if (!check_digits(text, width, &num_bytes, error))
        return false;
    if (num_bytes > max)
        return sg_fail(error, SG_INVALID, NULL, "%zu bytes in hexadecimal where at most %zu fit",
                       num_bytes, max);
    for (size_t i = 0; i < num_bytes; i++) {
        const char *pair = text + i * width;

        bytes[i] = (uint8_t)(digit_value(pair[0]) << 4 | digit_value(pair[1]));
    }
    *len = num_bytes;
    return true;
}

void sg_sha256(struct sg_slice bytes, uint8_t digest[SG_SHA256_LEN])
{
    if (EVP_Digest(bytes.data, bytes.len, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
}
