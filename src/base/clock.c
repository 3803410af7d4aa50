#include "clock.h"

#include <limits.h>
#include <openssl/rand.h>
#include <string.h>

#define SECONDS_PER_DAY INT64_C(86400)
/* 0000-01-01T00:00:00Z, the smallest moment with four digits for the year. */
#define TIME_FIRST INT64_C(-62167219200)

int64_t sg_clock_now(const struct sg_clock *clock)
{
    if (clock != NULL && clock->now != NULL)
        return clock->now(clock->context);
    return time(NULL);
}

int64_t sg_steady_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static char *put_digits(char *at, int value, int num_digits, char then)
{
    for (int i = num_digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[num_digits] = then;
    return at + num_digits + 1;
}

const char *sg_time_text(int64_t moment, char into[SG_TIME_TEXT_SIZE])
{
    time_t seconds = moment;
    struct tm tm;
    char *at = into;

    if (moment < TIME_FIRST || moment > SG_TIME_NEVER || gmtime_r(&seconds, &tm) == NULL)
        return strcpy(into, "?");
    at = put_digits(at, tm.tm_year + 1900, 4, '-');
    at = put_digits(at, tm.tm_mon + 1, 2, '-');
    at = put_digits(at, tm.tm_mday, 2, 'T');
    at = put_digits(at, tm.tm_hour, 2, ':');
    at = put_digits(at, tm.tm_min, 2, ':');
    at = put_digits(at, tm.tm_sec, 2, 'Z');
    *at = '\0';
    return into;
}

/* Reads digits where the template has a letter, and nothing else than the template elsewhere. */
static bool read_fields(const char *text, const char *template, int fields[6])
{
    static const char LETTERS[] = "YMDhms";

    if (strlen(text) != strlen(template))
        return false;
    for (; *template != '\0'; text++, template ++) {
        const char *letter = strchr(LETTERS, *template);

        if (letter == NULL) {
            if (*text != *template)
                return false;
            continue;
        }
        if (*text < '0' || *text > '9')
            return false;
        fields[letter - LETTERS] = fields[letter - LETTERS] * 10 + (*text - '0');
    }
    return true;
}

bool sg_time_parse(const char *text, int64_t *moment, struct sg_error *error)
{
    int date[6] = {0}, full[6] = {0}, *fields = full;
    char check[SG_TIME_TEXT_SIZE];
    int64_t result;
    struct tm tm;

    if (read_fields(text, "YYYY-MM-DD", date))
        fields = date;
    else if (!read_fields(text, "YYYY-MM-DDThh:mm:ssZ", full))
        return sg_fail(error, SG_USAGE, NULL,
                       "'%.80s' is not a time: write 2030-12-31 or 2030-12-31T23:59:59Z (UTC)",
                       text);
    tm = (struct tm){.tm_year = fields[0] - 1900,
                     .tm_mon = fields[1] - 1,
                     .tm_mday = fields[2],
                     .tm_hour = fields[3],
                     .tm_min = fields[4],
                     .tm_sec = fields[5]};
    result = timegm(&tm);
    /* timegm makes 1 March of 29 February; writing it again shows that. */
    if (strncmp(sg_time_text(result, check), text, strlen(text)) != 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "'%.80s' is not a time: the calendar has no such moment", text);
    *moment = result;
    return true;
}

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return SECONDS_PER_DAY;
    case 'w':
        return 7 * SECONDS_PER_DAY;
    case 'y':
        return 365 * SECONDS_PER_DAY;
    default:
        return 0;
    }
}

bool sg_duration_parse(const char *text, int64_t *seconds, struct sg_error *error)
{
    static const char HELP[] = "write a whole number and one of s, m, h, d, w, y, as in 30d";
    size_t num_digits = strspn(text, "0123456789");
    int64_t unit = unit_seconds(text[num_digits]);
    int64_t count = 0;

    if (num_digits > 0 && text[num_digits] == '\0')
        return sg_fail(error, SG_USAGE, NULL, "'%.80s' is a duration without a unit: %s", text,
                       HELP);
    if (num_digits == 0 || unit == 0 || text[num_digits + 1] != '\0')
        return sg_fail(error, SG_USAGE, NULL, "'%.80s' is not a duration: %s", text, HELP);
    if (text[0] == '0' && num_digits > 1)
        return sg_fail(error, SG_USAGE, NULL,
                       "'%.80s' is not a duration: it begins with a zero; %s", text, HELP);
    for (size_t i = 0; i < num_digits; i++) {
        count = count * 10 + (text[i] - '0');
        if (count > SG_TIME_NEVER / unit)
            return sg_fail(error, SG_USAGE, NULL,
                           "'%.80s' is too long: no certificate outlives the year 9999", text);
    }
    *seconds = count * unit;
    return true;
}

bool sg_random_fill(uint8_t *bytes, size_t len, struct sg_error *error)
{
    while (len > 0) {
        int part = len > INT_MAX ? INT_MAX : (int)len;

        if (RAND_bytes(bytes, part) != 1)
            return sg_fail_openssl(error, SG_FAILED, NULL, "no random bytes can be had");
        bytes += part;
        len -= (size_t)part;
    }
    return true;
}
