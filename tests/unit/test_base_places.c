#include "expect.h"

#include "base/places.h"

/* Of the group with this number, in places of one group too. */
static const uint8_t *key_of(uint8_t number, uint8_t key[SG_SHA256_LEN])
{
    memset(key, 0, SG_SHA256_LEN);
    key[8] = number;
    return key;
}

static void note_release(void *value)
{
    ++*(int *)value;
}

static struct sg_places *new_places(size_t num)
{
    struct sg_places *places = NULL;
    struct sg_error error = {0};

    expect_success("places", sg_places_new(num, note_release, &places, &error), &error);
    return places;
}

static void longest_unasked_makes_room(void **state)
{
    sg_auto(sg_places) struct sg_places *places = new_places(1);
    uint8_t key[SG_SHA256_LEN];
    int released[6] = {0};

    (void)state;
    for (uint8_t i = 0; i < 4; i++)
        sg_places_put(places, key_of(i, key), &released[i]);
    assert_ptr_equal(sg_places_find(places, key_of(0, key)), &released[0]);
    sg_places_put(places, key_of(4, key), &released[4]);
    assert_null(sg_places_find(places, key_of(1, key)));
    assert_int_equal(released[1], 1);
    for (uint8_t i = 0; i < 5; i++)
        assert_true(i == 1 || sg_places_find(places, key_of(i, key)) == &released[i]);
    assert_null(sg_places_find(places, key_of(5, key)));
}

static void each_value_is_released_once(void **state)
{
    struct sg_places *places = new_places(100);
    uint8_t key[SG_SHA256_LEN];
    int released[3] = {0};

    (void)state;
    sg_places_put(places, key_of(0, key), &released[0]);
    sg_places_put(places, key_of(0, key), &released[1]);
    assert_int_equal(released[0], 1);
    assert_ptr_equal(sg_places_find(places, key), &released[1]);
    sg_places_clear(places);
    assert_int_equal(released[1], 1);
    assert_null(sg_places_find(places, key));
    sg_places_put(places, key_of(0, key), &released[2]);
    sg_places_free(places);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(released[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_unasked_makes_room),
        cmocka_unit_test(each_value_is_released_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
