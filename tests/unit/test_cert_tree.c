#include "make_certificate.h"

#include "cert/tree.h"

static struct party root, other_root, device, second;

static int set_up(void **state)
{
    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_root(&other_root, "P-256", SG_ECDSA_SHA256); /* of the same name, with another key */
    make_device(&device, "P-256", &root);
    make_device(&second, "P-256", &root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    party_done(&second);
    party_done(&device);
    party_done(&other_root);
    party_done(&root);
    return 0;
}

/* The shape alone: a letter for each, in brackets what is below, "?" before those whose issuer is
 * not there. */
static void write_shape(const json_t *nodes, char *into, size_t size)
{
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i), *below = json_object_get(node, "issued");
        const char *subject = json_string_value(json_object_get(node, "subject"));
        size_t len = strlen(into);

        snprintf(into + len, size - len, "%s%c", json_object_get(node, "issuer") != NULL ? "?" : "",
                 subject[3]);
        if (json_array_size(below) == 0)
            continue;
        strcat(into, "(");
        write_shape(below, into, size);
        strcat(into, ")");
    }
}

static void certificates_stand_below_their_issuers(void **state)
{
    static const struct {
        struct party *parties[5];
        const char *shape;
    } CASES[] = {
        {{&root}, "E"},
        {{&device}, "?d"},
        {{&device, &root}, "E(d)"},
        {{&root, &device, &second}, "E(dd)"},
        {{&device, &second}, "?d?d"},
        {{&device, &device, &root, &root}, "E(d)"},
        {{&device, &other_root}, "?dE"}, /* the name alone makes no issuer */
        {{&other_root, &device, &root}, "EE(d)"},
        {{NULL}, ""},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        STACK_OF(X509) *certificates = sk_X509_new_null();
        sg_auto(json_t) json_t *tree = NULL;
        struct sg_error error = {0};
        char shape[64] = "";

        for (size_t p = 0; CASES[i].parties[p] != NULL; p++)
            assert_true(sk_X509_push(certificates, CASES[i].parties[p]->certificate) > 0);
        must(sg_tree_json(certificates, TEST_NOW, &tree, &error), &error);
        write_shape(tree, shape, sizeof shape);
        if (strcmp(shape, CASES[i].shape) != 0)
            fail_msg("case %zu: %s instead of %s", i, shape, CASES[i].shape);
        sk_X509_free(certificates);
    }
}

static void expect_drawn(const char *json, const char *wanted)
{
    sg_auto(json_t) json_t *tree = json_loads(json, 0, NULL);
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    assert_non_null(tree);
    must(sg_tree_text(tree, &text, &error), &error);
    assert_string_equal((const char *)text.data, wanted);
}

#define NODE(name, more)                                                                           \
    "{\"subject\": \"" name "\", \"validity\": \"valid\", \"sha256\": \"00\", " more "}"
#define LEAF(name) NODE(name, "\"issued\": []")
#define LOST(name) NODE(name, "\"issuer\": \"lost\", \"issued\": []")
#define SAID       "  (valid; SHA-256 00…)\n"

static void a_tree_is_drawn(void **state)
{
    (void)state;
    expect_drawn("[" NODE("a", "\"issued\": [" NODE("b", "\"issued\": [" LEAF("c") "]") "," LEAF(
                                   "d") "]") "]",
                 "a" SAID "├─ b" SAID "│  └─ c" SAID "└─ d" SAID);
    expect_drawn("[" LOST("a") "," LEAF("b") "," LOST("c") "]",
                 "lost  (not here)\n├─ a" SAID "└─ c" SAID "b" SAID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_stand_below_their_issuers),
        cmocka_unit_test(a_tree_is_drawn),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
