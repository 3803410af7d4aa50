/* A key's way from one token to another. */
#include "token_fixture.h"

#include "token/signer.h"

static struct fixture fixture;
static struct sg_token *from, *to;

static int make(void **state)
{
    struct sg_token_config config;

    (void)state;
    fixture_init(&fixture);
    make_token("test");
    make_token("spare");
    config = config_of(&fixture);
    config.signer = SG_SIGNER_DIRECT;
    from = open_token(&config);
    config.uri = "pkcs11:token=spare";
    to = open_token(&config);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    sg_token_close(from);
    sg_token_close(to);
    fixture_done(&fixture);
    return 0;
}

static size_t num_keys_on(struct sg_token *token)
{
    struct sg_key *keys = NULL;
    size_t num = 0;
    struct sg_error error = {0};

    expect_success("list", sg_key_list(token, &keys, &num, &error), &error);
    for (size_t i = 0; i < num; i++)
        sg_key_done(&keys[i]);
    free(keys);
    return num;
}

static void make_wrappable(struct sg_key_kind kind, const char *label, struct sg_key *key)
{
    struct sg_error error = {0};

    expect_success(label,
                   sg_key_create_wrappable(from, kind, label, (struct sg_slice){0}, key, &error),
                   &error);
}

static void expect_signs_as(const struct sg_key *copy, const struct sg_key *key)
{
    enum sg_scheme scheme = sg_scheme_default(key->public.kind);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_slice text = sg_slice_text("text");
    struct sg_error error = {0};

    expect_success("signer", sg_signer_open(to, copy, &signer, &error), &error);
    expect_success("sign", sg_signer_sign(signer, scheme, text, &signature, &error), &error);
    expect_success("verify",
                   sg_scheme_verify(scheme, &key->public, text, sg_buf_slice(&signature), &error),
                   &error);
}

static void a_copy_is_the_same_key(void **state)
{
    static const struct {
        struct sg_key_kind kind;
        const char *label;
    } CASES[] = {
        {{SG_KEY_EC, 256}, "copy-p256"},
        {{SG_KEY_EC, 384}, "copy-p384"},
        {{SG_KEY_EC, 521}, "copy-p521"},
        {{SG_KEY_RSA, 2048}, "copy-rsa"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_key) struct sg_key key = {0}, copy = {0}, found = {0};
        struct sg_error error = {0};
        char uri[64];

        make_wrappable(CASES[i].kind, CASES[i].label, &key);
        assert_true(key.local && key.sensitive && key.always_sensitive && key.extractable);
        assert_false(key.never_extractable || key.modifiable);
        expect_success(CASES[i].label,
                       sg_key_copy(from, &key, to, sg_slice_text("its id"), &copy, &error), &error);
        assert_true(sg_public_key_equal(&copy.public, &key.public));
        assert_string_equal(copy.label, CASES[i].label);
        assert_true(sg_slice_equal(sg_buf_slice(&copy.id), sg_slice_text("its id")));
        assert_true(copy.has_private && copy.has_public && copy.sensitive && copy.sign);
        assert_false(copy.local || copy.always_sensitive || copy.never_extractable);
        assert_false(copy.decrypt || copy.unwrap || copy.derive || copy.modifiable);
        snprintf(uri, sizeof uri, "pkcs11:object=%s;token=spare", CASES[i].label);
        expect_success(uri, sg_key_find(to, uri, &found, &error), &error);
        expect_signs_as(&found, &key);
        expect_success(uri, sg_key_destroy(to, &found, &error), &error);
        /* Nothing of what it travelled by is left. */
        assert_int_equal(num_keys_on(to), 0);
        assert_int_equal(num_keys_on(from), i + 1);
    }
}

/* What a lost token is replaced from. */
static void a_copy_can_be_copied_back(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0}, copy = {0}, again = {0};
    struct sg_error error = {0};

    (void)state;
    make_wrappable(P256, "back", &key);
    expect_success("there", sg_key_copy(from, &key, to, sg_slice_text("1"), &copy, &error), &error);
    expect_failure("taken", sg_key_copy(to, &copy, from, sg_slice_text("2"), &again, &error),
                   &error, SG_TOKEN, "has a private key 'back' already");
    sg_error_clear(&error);
    expect_success("lost", sg_key_destroy(from, &key, &error), &error);
    expect_success("back", sg_key_copy(to, &copy, from, sg_slice_text("2"), &again, &error),
                   &error);
    assert_true(sg_public_key_equal(&again.public, &key.public));
    expect_success("clean", sg_key_destroy(to, &copy, &error), &error);
}

static void what_stays_is_not_copied(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0}, copy = {0};
    struct sg_error error = {0};
    size_t before = num_keys_on(from);

    (void)state;
    make_key(from, "stays", &key);
    expect_failure("stays", sg_key_copy(from, &key, to, sg_slice_text("1"), &copy, &error), &error,
                   SG_TOKEN, "was made so that it can't leave it");
    assert_null(copy.label);
    assert_int_equal(num_keys_on(to), 0);
    assert_int_equal(num_keys_on(from), before + 1);
}

static void other_ways_are_refused(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0}, copy = {0}, edwards = {0};
    struct sg_error same = {0}, gone = {0}, kind = {0}, error = {0};

    (void)state;
    make_wrappable(P256, "ways", &key);
    expect_failure("same", sg_key_copy(from, &key, from, sg_slice_text("1"), &copy, &same), &same,
                   SG_USAGE, "a copy on token test itself is no copy");
    expect_success("lost", sg_key_destroy(from, &key, &error), &error);
    expect_failure("gone", sg_key_copy(from, &key, to, sg_slice_text("1"), &copy, &gone), &gone,
                   SG_TOKEN, "has 0 keys 'ways'");
    make_wrappable((struct sg_key_kind){SG_KEY_ED25519, 0}, "edwards", &edwards);
    expect_failure("Ed25519", sg_key_copy(from, &edwards, to, sg_slice_text("1"), &copy, &kind),
                   &kind, SG_USAGE, "no key of Ed25519 is wrapped");
    assert_int_equal(num_keys_on(to), 0);
}

/* A process that ended between the halves leaves the public one. */
static void what_an_interruption_left_is_taken_away(void **state)
{
    sg_auto(sg_key) struct sg_key key = {0}, copy = {0}, again = {0};
    struct sg_error error = {0};
    struct raw raw;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE object = 0;
    CK_ULONG num = 0;
    struct sg_token_info *infos = NULL;
    size_t num_infos = 0;

    (void)state;
    make_wrappable(P256, "half", &key);
    expect_success("copy", sg_key_copy(from, &key, to, sg_slice_text("1"), &copy, &error), &error);
    expect_success("slots", sg_token_list("softhsm", NULL, &infos, &num_infos, &error), &error);
    for (size_t i = 0; i < num_infos; i++)
        if (strcmp(infos[i].label, "spare") == 0)
            raw_open(&fixture, infos[i].slot, &raw);
    free(infos);
    assert_int_equal(raw.functions->C_FindObjectsInit(raw.session, &wanted, 1), CKR_OK);
    assert_int_equal(raw.functions->C_FindObjects(raw.session, &object, 1, &num), CKR_OK);
    raw.functions->C_FindObjectsFinal(raw.session);
    assert_int_equal(num, 1);
    assert_int_equal(raw.functions->C_DestroyObject(raw.session, object), CKR_OK);
    raw_close(&raw);
    assert_int_equal(num_keys_on(to), 1); /* half of one */
    expect_success("again", sg_key_copy(from, &key, to, sg_slice_text("1"), &again, &error),
                   &error);
    assert_true(again.has_public && again.public.pkey != NULL);
    assert_int_equal(num_keys_on(to), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_the_same_key),
        cmocka_unit_test(a_copy_can_be_copied_back),
        cmocka_unit_test(what_stays_is_not_copied),
        cmocka_unit_test(other_ways_are_refused),
        cmocka_unit_test(what_an_interruption_left_is_taken_away),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
