/* kept: answers by OCSP that may be given to whoever asks the same by GET (RFC 5019 5, 6).
 *
 * They are good as long as no status has changed since, nor the responder's certificate, and only
 * the issuer knows. Its answers name a generation: what is kept with the same one is given for a
 * few milliseconds from when that was asked for, and before they are over one request is passed on,
 * whose answer tells again. So a revocation shows a few milliseconds later, in whatever process it
 * was made; one that an officer made through this front, at once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "parts.h"

/* For how long a generation is taken for the present one; one asks again after half of that. */
enum { TRUST_US = 5000 };

/* One answer. */
struct kept {
    int64_t generation; /* at which it held */
    int64_t made_at, expires_at;
    char etag[SG_ETAG_SIZE], modified[SG_DATE_SIZE], expires[SG_DATE_SIZE];
    char text[64]; /* for the log */
    struct sg_buf body;
};

static void release(void *value)
{
    struct kept *kept = value;

    sg_buf_free(&kept->body);
    free(kept);
}

bool sg_kept_begin(struct sg_front *front, struct sg_error *error)
{
    return sg_places_new(SG_LIMIT_OCSP_KEPT, release, &front->keeping.places, error);
}

void sg_kept_forget(struct sg_front *front)
{
    struct sg_keeping *keeping = &front->keeping;

    sg_places_clear(keeping->places);
    *keeping = (struct sg_keeping){.places = keeping->places};
}

void sg_kept_doubt(struct sg_front *front)
{
    front->keeping.until_us = 0;
    front->keeping.doubted_us = sg_front_now_us();
}

void sg_kept_end(struct sg_front *front)
{
    sg_places_free(front->keeping.places);
}

static int64_t now(void)
{
    const struct sg_clock clock = {0};

    return sg_clock_now(&clock);
}

/* ---- giving ---- */

static bool is_post(const struct sg_exchange *exchange)
{
    return strcmp(exchange->method, "POST") == 0;
}

/* The age ends before nextUpdate does. */
static void give(struct sg_exchange *exchange, const struct kept *kept)
{
    const int64_t left = kept->expires_at - 1 - now();
    struct evbuffer *body = evbuffer_new();
    struct sg_reply reply = {
        .media_type = "application/ocsp-response", .text = kept->text, .body = body};
    unsigned status = 200;
    char cache[96];

    if (body == NULL || evbuffer_add(body, kept->body.data, kept->body.len) != 0)
        abort(); /* a process without memory is better started again */
    if (left > 0 && exchange->http != NULL && !is_post(exchange)) {
        snprintf(cache, sizeof cache, "max-age=%lld, public, no-transform, must-revalidate",
                 (long long)left);
        reply.etag = kept->etag;
        reply.modified = kept->modified;
        reply.expires = kept->expires;
        reply.cache = cache;
        status = sg_fresh_is_had(exchange, kept->etag, kept->made_at) ? 304 : 200;
    }
    sg_reply_send(exchange, status, &reply);
    evbuffer_free(body);
}

/* When half of its time has passed the issuer makes another one. */
static bool is_young(const struct kept *kept)
{
    const int64_t age = now() - kept->made_at;

    return age >= 0 && age <= (kept->expires_at - kept->made_at) / 2;
}

bool sg_kept_give(struct sg_exchange *exchange)
{
    struct sg_keeping *keeping = &exchange->front->keeping;
    const struct kept *kept;

    sg_sha256(sg_slice_text(exchange->rest), exchange->asks);
    kept = sg_places_find(keeping->places, exchange->asks);
    if (kept == NULL || kept->generation != keeping->generation ||
        exchange->begun_us >= keeping->until_us || !is_young(kept))
        return false;
    if (exchange->begun_us >= keeping->ask_us) {
        keeping->ask_us = keeping->until_us;
        return false;
    }
    exchange->front->figures.num_kept++;
    give(exchange, kept);
    return true;
}

/* ---- taking ---- */

static struct kept *keep(const struct sg_message *message)
{
    const char *text = sg_message_text(message, SG_WIRE_TEXT);
    struct kept *kept = calloc(1, sizeof *kept);

    if (kept == NULL || !sg_buf_set(&kept->body, message->bytes[SG_WIRE_BODY], NULL))
        abort(); /* the same */
    kept->generation = (int64_t)sg_message_number(message, SG_WIRE_GENERATION);
    kept->made_at = (int64_t)sg_message_number(message, SG_WIRE_MODIFIED);
    kept->expires_at = (int64_t)sg_message_number(message, SG_WIRE_EXPIRES);
    sg_fresh_tag(sg_buf_slice(&kept->body), kept->etag);
    sg_fresh_date(kept->made_at, kept->modified);
    sg_fresh_date(kept->expires_at, kept->expires);
    snprintf(kept->text, sizeof kept->text, "%s", text != NULL ? text : "");
    return kept;
}

/* It was so at some moment after the request came. Answers may come in another order than their
 * questions: a generation never goes back. */
static void trust(struct sg_keeping *keeping, int64_t generation, int64_t from_us)
{
    if (from_us < keeping->doubted_us || generation < keeping->generation ||
        (generation == keeping->generation && from_us + TRUST_US <= keeping->until_us))
        return;
    keeping->generation = generation;
    keeping->until_us = from_us + TRUST_US;
    keeping->ask_us = from_us + TRUST_US / 2;
}

void sg_kept_take(struct sg_exchange *exchange, const struct sg_message *message)
{
    struct sg_keeping *keeping = &exchange->front->keeping;
    struct kept *kept = keep(message);

    trust(keeping, kept->generation, exchange->begun_us);
    if (is_post(exchange)) {
        give(exchange, kept);
        release(kept);
        return;
    }
    sg_places_put(keeping->places, exchange->asks, kept);
    give(exchange, kept);
}
