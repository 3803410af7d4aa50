#include "expect.h"

#include <pthread.h>

#include "status/ocsp_cache.h"

enum { NOW = 1750000000, HOUR = 3600 };

/* The nth key; those with the same group number share a group of a cache of one group. */
static void make_key(uint32_t number, uint8_t key[SG_SHA256_LEN])
{
    memset(key, 0, SG_SHA256_LEN);
    memcpy(key + 8, &number, sizeof number);
}

static void put(struct sg_ocsp_cache *cache, uint32_t number, int64_t generation, int64_t from)
{
    uint8_t key[SG_SHA256_LEN], bytes[4];
    const struct sg_ocsp_kept kept = {
        .status = {.known = true, .lasting = true},
        .generation = generation,
        .this_update = from,
        .next_update = from + HOUR,
        .der = {.data = bytes, .len = sizeof bytes},
    };

    memcpy(bytes, &number, sizeof bytes);
    make_key(number, key);
    sg_ocsp_cache_put(cache, key, &kept);
}

/* The generation of what is found, or -1. */
static int64_t find(struct sg_ocsp_cache *cache, uint32_t number, int64_t now)
{
    uint8_t key[SG_SHA256_LEN];
    sg_auto(sg_ocsp_kept) struct sg_ocsp_kept kept = {0};
    struct sg_error error = {0};
    bool found = false;

    make_key(number, key);
    expect_success("find", sg_ocsp_cache_find(cache, key, now, &kept, &found, &error), &error);
    if (!found)
        return -1;
    assert_int_equal(kept.der.len, sizeof number);
    assert_memory_equal(kept.der.data, &number, sizeof number);
    return kept.generation;
}

static struct sg_ocsp_cache *new_cache(size_t num_places)
{
    struct sg_ocsp_cache *cache = NULL;
    struct sg_error error = {0};

    expect_success("cache", sg_ocsp_cache_new(num_places, &cache, &error), &error);
    return cache;
}

static void half_of_the_time(void **state)
{
    static const struct {
        int64_t now;
        bool found;
    } CASES[] = {
        {NOW - 1, false},
        {NOW, true},
        {NOW + HOUR / 2, true},
        {NOW + HOUR / 2 + 1, false},
    };
    sg_auto(sg_ocsp_cache) struct sg_ocsp_cache *cache = new_cache(4);

    (void)state;
    put(cache, 1, 7, NOW);
    for (size_t i = 0; i < NUM(CASES); i++)
        assert_int_equal(find(cache, 1, CASES[i].now), CASES[i].found ? 7 : -1);
    assert_int_equal(find(cache, 2, NOW), -1);
}

static void the_later_generation_stays(void **state)
{
    sg_auto(sg_ocsp_cache) struct sg_ocsp_cache *cache = new_cache(4);
    uint8_t key[SG_SHA256_LEN];

    (void)state;
    put(cache, 1, 7, NOW);
    put(cache, 1, 6, NOW);
    assert_int_equal(find(cache, 1, NOW), 7);
    put(cache, 1, 8, NOW);
    assert_int_equal(find(cache, 1, NOW), 8);

    make_key(1, key);
    sg_ocsp_cache_confirm(cache, key, NOW, 9);
    assert_int_equal(find(cache, 1, NOW), 9);
    sg_ocsp_cache_confirm(cache, key, NOW - 1, 10); /* of another answer */
    sg_ocsp_cache_confirm(cache, key, NOW, 8);
    assert_int_equal(find(cache, 1, NOW), 9);

    sg_ocsp_cache_clear(cache);
    assert_int_equal(find(cache, 1, NOW), -1);
    put(cache, 1, 1, NOW);
    assert_int_equal(find(cache, 1, NOW), 1);
}

static void the_one_that_nobody_asks_for_goes(void **state)
{
    sg_auto(sg_ocsp_cache) struct sg_ocsp_cache *cache = new_cache(1);

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        put(cache, i, 1, NOW);
    assert_int_equal(find(cache, 0, NOW), 1);
    put(cache, 4, 1, NOW);
    assert_int_equal(find(cache, 1, NOW), -1);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(find(cache, i, NOW), i == 1 ? -1 : 1);
}

static void *work(void *cache)
{
    for (uint32_t i = 0; i < 4000; i++) {
        put(cache, i % 50, (int64_t)i, NOW);
        (void)find(cache, (i * 7) % 50, NOW);
    }
    return NULL;
}

static void threads(void **state)
{
    sg_auto(sg_ocsp_cache) struct sg_ocsp_cache *cache = new_cache(32);
    pthread_t workers[4];

    (void)state;
    for (size_t i = 0; i < NUM(workers); i++)
        assert_int_equal(pthread_create(&workers[i], NULL, work, cache), 0);
    for (size_t i = 0; i < NUM(workers); i++)
        pthread_join(workers[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_time),
        cmocka_unit_test(the_later_generation_stays),
        cmocka_unit_test(the_one_that_nobody_asks_for_goes),
        cmocka_unit_test(threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
