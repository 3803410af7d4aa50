/* slowing: addresses that were told 401 again and again, whose next requests wait before the issuer
 * gets them, and whose refusals no longer fill the log.
 *
 * Nobody is locked out: the longest wait is LONGEST_MS, and each quiet minute halves what is held
 * against an address. Others, be it with the same ticket, wait for nothing. An IPv6 address counts
 * as its network of 64 bits, which is what one client has. The table is bounded: who has more
 * addresses than it has room for is slowed the less; tickets are too long to be guessed anyway.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "parts.h"

enum {
    FIRST_MS = 100,
    LONGEST_MS = 5000,
    MINUTE_MS = 60000,
};

/* IPv4 as IPv6 maps it; what is no address (a proxy that tells none) is nobody. */
static bool read_address(const char *text, uint8_t network[16])
{
    static const uint8_t MAPPED[12] = {[10] = 0xff, 0xff};

    memset(network, 0, 16);
    if (inet_pton(AF_INET, text, network + 12) == 1) {
        memcpy(network, MAPPED, sizeof MAPPED);
        return true;
    }
    if (inet_pton(AF_INET6, text, network) != 1)
        return false;
    if (memcmp(network, MAPPED, sizeof MAPPED) != 0)
        memset(network + 8, 0, 8);
    return true;
}

/* FNV-1a from a secret beginning, so that nobody fills one row on purpose. */
static struct sg_slow_place *row_of(struct sg_slowing *slowing, const uint8_t network[16])
{
    uint64_t hash = 0xcbf29ce484222325U ^ slowing->seed;

    for (size_t i = 0; i < 16; i++)
        hash = (hash ^ network[i]) * 0x100000001b3U;
    return slowing->rows[(hash >> 32) % SG_SLOW_ROWS];
}

static void forget_what_is_old(struct sg_slow_place *place, int64_t now)
{
    const int64_t minutes = (now - place->since_ms) / MINUTE_MS;

    if (place->since_ms == 0 || minutes == 0)
        return;
    place->num_refusals = minutes < 32 ? place->num_refusals >> minutes : 0;
    place->num_lines = 0;
    place->since_ms += minutes * MINUTE_MS;
}

static struct sg_slow_place *find(struct sg_front *front, const char *peer)
{
    uint8_t network[16];

    if (!read_address(peer, network))
        return NULL;
    struct sg_slow_place *row = row_of(&front->slowing, network);
    for (size_t i = 0; i < SG_SLOW_WAYS; i++)
        if (row[i].since_ms != 0 && memcmp(row[i].network, network, 16) == 0) {
            forget_what_is_old(&row[i], sg_steady_ms());
            return &row[i];
        }
    return NULL;
}

/* In the place of whoever has the least held against them. */
static struct sg_slow_place *find_or_add(struct sg_front *front, const char *peer)
{
    struct sg_slow_place *place = find(front, peer);
    uint8_t network[16];

    if (place != NULL || !read_address(peer, network))
        return place;
    struct sg_slow_place *row = row_of(&front->slowing, network);
    place = row;
    for (size_t i = 0; i < SG_SLOW_WAYS; i++) {
        forget_what_is_old(&row[i], sg_steady_ms());
        if (row[i].num_refusals < place->num_refusals)
            place = &row[i];
    }
    *place = (struct sg_slow_place){.since_ms = sg_steady_ms()};
    memcpy(place->network, network, 16);
    return place;
}

bool sg_slow_begin(struct sg_slowing *slowing, struct sg_error *error)
{
    return sg_random_fill((uint8_t *)&slowing->seed, sizeof slowing->seed, error);
}

bool sg_slow_note(struct sg_front *front, const char *peer)
{
    struct sg_slow_place *place = find_or_add(front, peer);

    if (place == NULL)
        return true;
    if (place->num_refusals < UINT32_MAX)
        place->num_refusals++;
    if (place->num_lines < front->config.service.limits.refusals) {
        place->num_lines++;
        return true;
    }
    if (place->num_lines == front->config.service.limits.refusals) {
        place->num_lines++;
        sg_log_say(front, "%s is refused so often that it is not written for a minute", peer);
    }
    front->figures.num_unwritten++;
    return false;
}

int64_t sg_slow_wait_ms(struct sg_front *front, const char *peer)
{
    const struct sg_slow_place *place = find(front, peer);
    const int64_t for_nothing = front->config.service.limits.refusals;
    int64_t wait = FIRST_MS;

    if (place == NULL || place->num_refusals <= for_nothing)
        return 0;
    for (int64_t i = for_nothing + 1; i < place->num_refusals && wait < LONGEST_MS; i++)
        wait *= 2;
    return wait < LONGEST_MS ? wait : LONGEST_MS;
}
