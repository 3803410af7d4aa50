#include "text.h"

#include <stdlib.h>
#include <string.h>

enum verdict { FINE, BROKEN, OVERLONG, SURROGATE, TOO_LARGE, NUL, LINE_BREAK, CONTROL };

static const char *const REASONS[] = {
    [BROKEN] = "is not UTF-8",
    [OVERLONG] = "is not UTF-8: a longer form of a character than needed",
    [SURROGATE] = "is not UTF-8: half of a surrogate pair",
    [TOO_LARGE] = "is not UTF-8: beyond U+10FFFF",
    [NUL] = "has a zero byte",
    [LINE_BREAK] = "has a line break",
    [CONTROL] = "has a control character",
};

static enum verdict judge_character(uint32_t character)
{
    if (character == 0)
        return NUL;
    if (character == '\n' || character == '\r' || character == 0x85 || character == 0x2028 ||
        character == 0x2029)
        return LINE_BREAK;
    if (character < 0x20 || (character >= 0x7f && character <= 0x9f))
        return CONTROL;
    return FINE;
}

/* The bytes that a lead byte announces, with the bits it holds itself; 0 for no lead byte. */
static size_t read_lead(uint8_t lead, uint32_t *bits)
{
    static const struct {
        uint8_t mask, value;
    } LEADS[] = {{0x80, 0x00}, {0xe0, 0xc0}, {0xf0, 0xe0}, {0xf8, 0xf0}};

    for (size_t i = 0; i < sizeof LEADS / sizeof LEADS[0]; i++)
        if ((lead & LEADS[i].mask) == LEADS[i].value) {
            *bits = (uint8_t)(lead & ~LEADS[i].mask);
            return i + 1;
        }
    return 0;
}

/* Judges the first character of text, which isn't empty. *len is 1 when it isn't well-formed.
 * Follows: RFC 3629 3. */
static enum verdict judge(struct sg_slice text, size_t *len)
{
    static const uint32_t SMALLEST[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t character = 0;
    size_t num_bytes = read_lead(text.data[0], &character);

    *len = 1;
    if (num_bytes == 0 || num_bytes > text.len)
        return BROKEN;
    for (size_t i = 1; i < num_bytes; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return BROKEN;
        character = character << 6 | (text.data[i] & 0x3f);
    }
    if (character < SMALLEST[num_bytes])
        return OVERLONG;
    if (character >= 0xd800 && character <= 0xdfff)
        return SURROGATE;
    if (character > 0x10ffff)
        return TOO_LARGE;
    *len = num_bytes;
    return judge_character(character);
}

bool sg_text_check(struct sg_slice text, const char *what, struct sg_error *error)
{
    size_t len;

    for (size_t at = 0; at < text.len; at += len) {
        enum verdict verdict = judge(sg_slice_of(text.data + at, text.len - at), &len);

        if (verdict != FINE)
            return sg_fail(error, SG_MALFORMED, NULL, "%s %s (byte %zu)", what, REASONS[verdict],
                           at + 1);
    }
    return true;
}

bool sg_text_copy(struct sg_slice text, char **copy, struct sg_error *error)
{
    char *fresh = malloc(text.len + 1);

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (text.len > 0)
        memcpy(fresh, text.data, text.len);
    fresh[text.len] = '\0';
    *copy = fresh;
    return true;
}

char *sg_text_make_printable(char *text)
{
    size_t left = strlen(text), len;

    for (char *at = text; left > 0; at += len, left -= len)
        if (judge(sg_slice_of(at, left), &len) != FINE)
            memset(at, '?', len);
    return text;
}

const char *sg_text_quote(const char *text, char into[SG_QUOTED_SIZE])
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-.,:/@%+=";
    /* an apostrophe ends the quotes, stands by itself, and begins them again */
    static const char APOSTROPHE[] = "'\\''";
    size_t len = 0;

    if (text[0] != '\0' && text[strspn(text, PLAIN)] == '\0' && strlen(text) < SG_QUOTED_SIZE)
        return strcpy(into, text);
    into[len++] = '\'';
    for (; *text != '\0'; text++) {
        if (len + strlen(APOSTROPHE) + sizeof "'" > SG_QUOTED_SIZE)
            return strcpy(into, "'…'");
        if (*text == '\'')
            len = (size_t)(stpcpy(into + len, APOSTROPHE) - into);
        else
            into[len++] = *text;
    }
    strcpy(into + len, "'");
    return into;
}
