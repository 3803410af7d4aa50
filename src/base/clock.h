/* clock: the time and randomness as things that are handed in, so that tests can script them. */
#ifndef SG_BASE_CLOCK_H
#define SG_BASE_CLOCK_H

#include <time.h>

#include "slice.h"

/* Seconds since 1970-01-01T00:00:00Z. Zero-initialised is the machine's clock. */
struct sg_clock {
    int64_t (*now)(void *context);
    void *context;
};

int64_t sg_clock_now(const struct sg_clock *clock);

/* sg_steady_ms: milliseconds of a clock that nobody sets, for how long something takes. */
int64_t sg_steady_ms(void);

/* The largest moment that X.509 can say, 9999-12-31T23:59:59Z: "no well-defined expiration"
 * (RFC 5280 4.1.2.5). */
#define SG_TIME_NEVER INT64_C(253402300799)

enum { SG_TIME_TEXT_SIZE = sizeof "9999-12-31T23:59:59Z" };

/* sg_time_text writes ISO 8601 in UTC. Returns into. Out of range becomes "?". */
const char *sg_time_text(int64_t moment, char into[SG_TIME_TEXT_SIZE]);

/* sg_time_parse reads what sg_time_text writes, or a date alone (midnight UTC).
 * Fails: SG_USAGE. */
SG_MUST_USE bool sg_time_parse(const char *text, int64_t *moment, struct sg_error *error);

/* sg_duration_parse reads 90s, 15m, 12h, 30d, 4w, 2y (365 days); a plain number is an error, as
 * nobody knows its unit, and so is a leading zero. Fails: SG_USAGE. */
SG_MUST_USE bool sg_duration_parse(const char *text, int64_t *seconds, struct sg_error *error);

/* sg_random_fill fills with OpenSSL's generator. */
SG_MUST_USE bool sg_random_fill(uint8_t *bytes, size_t len, struct sg_error *error);

#endif
