#include "store_fixture.h"

#include "store/pins.h"

static struct sg_pin make_pin(uint8_t value, char *device)
{
    return (struct sg_pin){.device = device,
                           .chosen = NOW,
                           .salt = {value},
                           .verifier = {value, 1},
                           .key_check = {value, 2}};
}

static void test_pins(void **state)
{
    struct fixture *fixture = *state;
    char device[] = "d1";
    const struct sg_pin first = make_pin(5, device), second = make_pin(6, NULL);
    sg_auto(sg_pin) struct sg_pin found = {0};
    sg_auto(sg_pin) struct sg_pin other = {0};
    struct sg_error error = {0};
    bool is_there = true;

    expect_success("none", sg_store_find_pin(fixture->store, "u1", &is_there, &found, &error),
                   &error);
    assert_false(is_there);
    expect_success("put", sg_store_put_pin(fixture->store, "u1", &first, &error), &error);
    expect_success("other", sg_store_put_pin(fixture->store, "u2", &second, &error), &error);
    expect_failure("again", sg_store_put_pin(fixture->store, "u1", &second, &error), &error,
                   SG_REFUSED, "has to be cleared before");
    sg_error_clear(&error);

    struct sg_store *reader = open_store(fixture->folder, SG_STORE_READ_ONLY);
    expect_success("find", sg_store_find_pin(reader, "u1", &is_there, &found, &error), &error);
    sg_store_close(reader);
    assert_true(is_there);
    assert_string_equal(found.device, "d1");
    assert_int_equal(found.chosen, NOW);
    assert_memory_equal(found.salt, first.salt, sizeof first.salt);
    assert_memory_equal(found.verifier, first.verifier, sizeof first.verifier);
    assert_memory_equal(found.key_check, first.key_check, sizeof first.key_check);

    expect_success("clear", sg_store_clear_pin(fixture->store, "u1", &error), &error);
    expect_failure("clear again", sg_store_clear_pin(fixture->store, "u1", &error), &error,
                   SG_REFUSED, "has no PIN");
    sg_error_clear(&error);
    expect_success("u2 keeps its",
                   sg_store_find_pin(fixture->store, "u2", &is_there, &other, &error), &error);
    assert_true(is_there);
    assert_null(other.device);
    expect_success("put anew", sg_store_put_pin(fixture->store, "u1", &second, &error), &error);
}

static void test_who_can_have_one(void **state)
{
    struct fixture *fixture = *state;
    const struct sg_pin pin = make_pin(5, NULL);
    struct sg_error error = {0};

    expect_failure("unknown", sg_store_put_pin(fixture->store, "u9", &pin, &error), &error,
                   SG_UNAUTHENTICATED, "not in the registry");
    sg_error_clear(&error);
    assert_true(sg_store_set_disabled(fixture->store, SG_REGISTRY_USER, "u2", true, NULL));
    expect_failure("disabled", sg_store_put_pin(fixture->store, "u2", &pin, &error), &error,
                   SG_UNAUTHENTICATED, "is disabled");
}

static void test_damage(void **state)
{
    struct fixture *fixture = *state;
    const struct sg_pin pin = make_pin(5, NULL);
    sg_auto(sg_pin) struct sg_pin found = {0};
    struct sg_error error = {0};
    bool is_there = false;

    expect_success("put", sg_store_put_pin(fixture->store, "u1", &pin, &error), &error);
    change_store(fixture, "UPDATE pin SET salt = x'00'");
    expect_failure("salt", sg_store_find_pin(fixture->store, "u1", &is_there, &found, &error),
                   &error, SG_STORE, "salt has the wrong length");
    sg_error_clear(&error);
    change_store(fixture,
                 "UPDATE pin SET salt = x'00000000000000000000000000000000', verifier = x''");
    expect_failure("verifier", sg_store_find_pin(fixture->store, "u1", &is_there, &found, &error),
                   &error, SG_STORE, "column verifier has the wrong length");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_can_have_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
