#include "token_fixture.h"

#include "token/pool.h"

static struct fixture fixture;

static int make(void **state)
{
    (void)state;
    fixture_init(&fixture);
    make_token("test");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    fixture_done(&fixture);
    return 0;
}

static int reset(void **state)
{
    (void)state;
    unsetenv("ODD_POOL_RV");
    return 0;
}

static struct sg_token *open_odd(void)
{
    struct sg_token_config config = config_of(&fixture);

    config.module = getenv("SIGNET_ODD_MODULE");
    config.signer = SG_SIGNER_DIRECT;
    return open_token(&config);
}

static struct sg_pool *make_pool(struct sg_token *token, size_t size)
{
    struct sg_pool *pool = NULL;
    struct sg_error error = {0};

    expect_success("pool", sg_pool_new(token, size, &pool, &error), &error);
    return pool;
}

static struct sg_pool_session borrow(struct sg_pool *pool, bool own)
{
    struct sg_pool_session session = {0};
    struct sg_error error = {0};

    expect_success("borrow", sg_pool_borrow(pool, own, 50, &session, &error), &error);
    return session;
}

static void expect_none_free(struct sg_pool *pool, bool own)
{
    struct sg_pool_session session = {0};
    struct sg_error error = {0};

    expect_failure("borrow", sg_pool_borrow(pool, own, 50, &session, &error), &error, SG_TOKEN,
                   "came free");
    assert_int_equal(error.detail, 0);
}

static void no_more_than_its_size(void **state)
{
    sg_auto(sg_token) struct sg_token *token = open_odd();
    struct sg_pool *pool = make_pool(token, 2);
    struct sg_pool_session first, second, third;

    (void)state;
    first = borrow(pool, false);
    second = borrow(pool, false);
    assert_false(first.is_own || second.is_own);
    assert_true(first.handle != second.handle && first.handle != token->session);
    expect_none_free(pool, false);
    sg_pool_give_back(pool, &first, true);
    third = borrow(pool, false);
    assert_int_equal(third.handle, first.handle);
    sg_pool_give_back(pool, &second, true);
    sg_pool_give_back(pool, &third, true);
    sg_pool_free(pool);
}

static void bad_one_is_closed(void **state)
{
    sg_auto(sg_token) struct sg_token *token = open_odd();
    struct sg_pool *pool = make_pool(token, 1);
    struct sg_pool_session first, second;
    CK_SESSION_INFO info;

    (void)state;
    first = borrow(pool, false);
    sg_pool_give_back(pool, &first, false);
    assert_int_equal(token->module.functions->C_GetSessionInfo(first.handle, &info),
                     CKR_SESSION_HANDLE_INVALID);
    second = borrow(pool, false);
    assert_int_equal(token->module.functions->C_GetSessionInfo(second.handle, &info), CKR_OK);
    sg_pool_give_back(pool, &second, true);
    sg_pool_free(pool);
}

/* A card with one session, and a token on which others have taken the rest. */
static void own_session_where_there_is_no_other(void **state)
{
    sg_auto(sg_token) struct sg_token *token = open_odd();

    (void)state;
    for (size_t size = 0; size < 2; size++) {
        struct sg_pool *pool = make_pool(token, size);
        struct sg_pool_session session;

        if (size > 0)
            setenv("ODD_POOL_RV", "0xB1", 1);
        session = borrow(pool, false);
        assert_true(session.is_own);
        assert_int_equal(session.handle, token->session);
        expect_none_free(pool, false);
        expect_none_free(pool, true);
        sg_pool_give_back(pool, &session, true);
        session = borrow(pool, true);
        sg_pool_give_back(pool, &session, true);
        sg_pool_free(pool);
    }
}

static void other_failures_are_told(void **state)
{
    sg_auto(sg_token) struct sg_token *token = open_odd();
    struct sg_pool *pool = make_pool(token, 1);
    struct sg_pool_session session;
    struct sg_error error = {0};

    (void)state;
    setenv("ODD_POOL_RV", "0x32", 1);
    expect_failure("removed", sg_pool_borrow(pool, false, 50, &session, &error), &error, SG_TOKEN,
                   "cannot open a session with token test: CKR_DEVICE_REMOVED");
    assert_int_equal(error.detail, CKR_DEVICE_REMOVED);
    unsetenv("ODD_POOL_RV");
    session = borrow(pool, false);
    sg_pool_give_back(pool, &session, true);
    sg_pool_free(pool);
}

static void sessions_of_before_are_closed(void **state)
{
    sg_auto(sg_token) struct sg_token *token = open_odd();
    struct sg_pool *pool = make_pool(token, 2);
    struct sg_pool_session idle, lent, after;
    CK_SESSION_INFO info;
    struct sg_error error = {0};

    (void)state;
    idle = borrow(pool, false);
    lent = borrow(pool, false);
    sg_pool_give_back(pool, &idle, true);
    expect_success("reconnect", sg_pool_reconnect(pool, lent.connection, 1000, &error), &error);
    assert_int_equal(sg_pool_connection(pool), lent.connection + 1);
    expect_success("done before", sg_pool_reconnect(pool, lent.connection, 1000, &error), &error);
    assert_int_equal(sg_pool_connection(pool), lent.connection + 1);
    sg_pool_give_back(pool, &lent, true);
    assert_int_equal(token->module.functions->C_GetSessionInfo(idle.handle, &info),
                     CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(token->module.functions->C_GetSessionInfo(lent.handle, &info),
                     CKR_SESSION_HANDLE_INVALID);
    after = borrow(pool, false);
    assert_int_equal(after.connection, lent.connection + 1);
    assert_int_equal(token->module.functions->C_GetSessionInfo(after.handle, &info), CKR_OK);
    assert_int_equal(info.state, CKS_RO_USER_FUNCTIONS);
    sg_pool_give_back(pool, &after, true);
    sg_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_more_than_its_size, reset),
        cmocka_unit_test_setup(bad_one_is_closed, reset),
        cmocka_unit_test_setup(own_session_where_there_is_no_other, reset),
        cmocka_unit_test_setup(other_failures_are_told, reset),
        cmocka_unit_test_setup(sessions_of_before_are_closed, reset),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
