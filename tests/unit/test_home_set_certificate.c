#include "home_fixture.h"

#define SETTINGS                                                                                   \
    TOKENS "issuers:\n" ISSUER("issuing", "main", "issuing", "")                                   \
        ISSUER("second", "main", "second", ", chain: [root.pem]")

static int set_up(void **state)
{
    make_home(*state, SETTINGS);
    return 0;
}

enum { MOST = 4 };

/* Certificates as sg_home_set_certificate takes them: the issuer's, then its chain. */
struct offer {
    struct sg_buf ders[MOST];
    struct sg_slice slices[MOST];
    size_t num;
};

static void offer_done(struct offer *offer)
{
    for (size_t i = 0; i < offer->num; i++)
        sg_buf_free(&offer->ders[i]);
    offer->num = 0;
}
SG_DEFINE_CLEANUP_IN_PLACE(offer, offer_done)

static void add(struct offer *offer, const struct make_certificate *parts)
{
    sg_auto(X509) X509 *certificate = make_certificate(parts);
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int len = i2d_X509(certificate, &bytes);

    assert_true(len > 0 && offer->num < MOST);
    assert_true(sg_buf_set(&offer->ders[offer->num], sg_slice_of(bytes, (size_t)len), NULL));
    offer->slices[offer->num] = sg_buf_slice(&offer->ders[offer->num]);
    offer->num++;
}

/* Through a home that is opened for it, as a command does. */
static bool set(const struct fixture *fixture, const char *name, const struct offer *offer,
                bool replace, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);

    return sg_home_set_certificate(home, name, offer->slices[0], offer->slices + 1, offer->num - 1,
                                   replace, NOW, error);
}

static struct sg_buf contents(const struct fixture *fixture, const char *name)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_buf bytes = {0};
    struct sg_error error = {0};

    expect_success(name, sg_path_join(fixture->dir, name, &path, &error), &error);
    expect_success(name, sg_file_read(path, SG_LIMIT_YAML, &bytes, &error), &error);
    return bytes;
}

static bool holds(const struct fixture *fixture, const char *name, const struct sg_buf *wanted)
{
    sg_auto(sg_buf) struct sg_buf now = contents(fixture, name);

    return sg_slice_equal(sg_buf_slice(&now), sg_buf_slice(wanted));
}

static void expect_readable(const struct fixture *fixture, const char *name, int num_chain)
{
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    struct sg_issuer *issuer = NULL;
    struct sg_error error = {0};

    expect_success(name, sg_home_issuer(home, name, SG_ISSUER_TO_SIGN, &issuer, &error), &error);
    assert_int_equal(sk_X509_num(issuer->chain), num_chain);
}

static struct make_certificate root_parts(const struct fixture *fixture)
{
    return (struct make_certificate){.subject = "Root", .key = fixture->root};
}

static struct make_certificate sub_parts(const struct fixture *fixture)
{
    return (struct make_certificate){
        .subject = "Sub", .key = fixture->sub, .issuer = "Root", .signer = fixture->root};
}

/* The certificate of key under the root, or under the sub. */
static struct make_certificate under_root(const struct fixture *fixture, EVP_PKEY *key)
{
    return (struct make_certificate){
        .subject = "Issuing", .key = key, .issuer = "Root", .signer = fixture->root};
}

static struct make_certificate under_sub(const struct fixture *fixture, EVP_PKEY *key)
{
    return (struct make_certificate){
        .subject = "Issuing", .key = key, .issuer = "Sub", .signer = fixture->sub};
}

static void a_root_is_put_in_place(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(offer) struct offer offer = {0};
    struct sg_error error = {0};

    add(&offer, &(struct make_certificate){.subject = "Me", .key = fixture->issuing});
    expect_success("root", set(fixture, "issuing", &offer, false, &error), &error);
    assert_false(has_file(fixture->dir, "issuing-chain.pem"));
    expect_readable(fixture, "issuing", 0);
}

static void a_chain_is_put_beside_its_certificate(void **state)
{
    const struct fixture *fixture = *state;
    const struct make_certificate parts[] = {under_sub(fixture, fixture->issuing),
                                             sub_parts(fixture), root_parts(fixture)};
    sg_auto(offer) struct offer offer = {0};
    struct sg_error error = {0};

    for (size_t i = 0; i < NUM(parts); i++)
        add(&offer, &parts[i]);
    expect_success("chain", set(fixture, "issuing", &offer, false, &error), &error);
    assert_true(has_file(fixture->dir, "issuing-chain.pem"));
    expect_readable(fixture, "issuing", 2);
}

static void a_chain_goes_to_the_files_that_are_named(void **state)
{
    const struct fixture *fixture = *state;
    const struct make_certificate parts[] = {under_sub(fixture, fixture->second),
                                             sub_parts(fixture), root_parts(fixture)};
    sg_auto(offer) struct offer offer = {0};
    struct sg_error error = {0};

    put_file(fixture->dir, "signet.yaml",
             TOKENS
             "issuers:\n" ISSUER("second", "main", "second", ", chain: [sub.pem, root.pem]"));
    for (size_t i = 0; i < NUM(parts); i++)
        add(&offer, &parts[i]);
    expect_success("two files", set(fixture, "second", &offer, false, &error), &error);
    assert_true(has_file(fixture->dir, "sub.pem") && has_file(fixture->dir, "root.pem"));
    assert_false(has_file(fixture->dir, "second-chain.pem"));
    expect_readable(fixture, "second", 2);
}

static void the_last_named_file_takes_the_rest_of_a_chain(void **state)
{
    const struct fixture *fixture = *state;
    const struct make_certificate parts[] = {under_sub(fixture, fixture->second),
                                             sub_parts(fixture), root_parts(fixture)};
    sg_auto(offer) struct offer offer = {0};
    struct sg_error error = {0};

    for (size_t i = 0; i < NUM(parts); i++)
        add(&offer, &parts[i]);
    expect_success("one file", set(fixture, "second", &offer, false, &error), &error);
    expect_readable(fixture, "second", 2);
}

/* What has to hold, and the message when it does not. parts[0] is the certificate. */
struct refusal {
    const char *name, *issuer;
    struct make_certificate parts[MOST];
    size_t num;
    const char *complaint;
};

static void expect_refusal(const struct fixture *fixture, const struct refusal *refusal)
{
    sg_auto(offer) struct offer offer = {0};
    struct sg_error error = {0};
    char file[64];

    for (size_t i = 0; i < refusal->num; i++)
        add(&offer, &refusal->parts[i]);
    expect_failure(refusal->name, set(fixture, refusal->issuer, &offer, false, &error), &error,
                   SG_REFUSED, refusal->complaint);
    snprintf(file, sizeof file, "%s.pem", refusal->issuer);
    assert_false(has_file(fixture->dir, file));
    assert_false(has_file(fixture->dir, "issuing-chain.pem"));
    assert_false(has_file(fixture->dir, "root.pem"));
}

static void wrong_certificates_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    EVP_PKEY *key = fixture->issuing;
    const struct refusal cases[] = {
        {"another key",
         "issuing",
         {{.subject = "Me", .key = fixture->second}},
         1,
         "the certificate is for another key than pkcs11:object=issuing on token main"},
        {"no CA",
         "issuing",
         {{.subject = "Me", .key = key, .basic_constraints = "critical,CA:FALSE"}},
         1,
         "CN=Me is no CA certificate"},
        {"no cRLSign",
         "issuing",
         {{.subject = "Me", .key = key, .key_usage = "keyCertSign"}},
         1,
         "keyUsage needs both keyCertSign and cRLSign"},
        {"expired",
         "issuing",
         {{.subject = "Me", .key = key, .not_before = NOW - 2 * DAY, .not_after = NOW - 1}},
         1,
         "and now it is 2025-06-15T15:06:40Z"},
        {"not yet",
         "issuing",
         {{.subject = "Me", .key = key, .not_before = NOW + 1}},
         1,
         "the certificate is in force from 2025-06-15T15:06:41Z"},
        {"no chain",
         "issuing",
         {under_root(fixture, key)},
         1,
         "the chain ends at CN=Issuing, which is not self-signed"},
        {"half a chain",
         "issuing",
         {under_sub(fixture, key), sub_parts(fixture)},
         2,
         "the chain ends at CN=Sub, which is not self-signed"},
        {"chain the other way round",
         "issuing",
         {under_sub(fixture, key), root_parts(fixture), sub_parts(fixture)},
         3,
         "CN=Issuing was not issued by CN=Root"},
        {"chain of another",
         "issuing",
         {under_sub(fixture, key), root_parts(fixture)},
         2,
         "CN=Issuing was not issued by CN=Root"},
        {"chain above a root",
         "issuing",
         {{.subject = "Me", .key = key}, root_parts(fixture)},
         2,
         "CN=Me is self-signed: no chain goes on above it"},
        {"signature by another key",
         "issuing",
         {{.subject = "Me", .key = key, .issuer = "Root", .signer = fixture->sub},
          root_parts(fixture)},
         2,
         "CN=Me: certificate signature failure"},
        {"root's signature by another key",
         "issuing",
         {under_root(fixture, key), {.subject = "Root", .key = fixture->root, .signer = key}},
         2,
         "CN=Root: certificate signature failure"},
        {"root expired",
         "issuing",
         {under_root(fixture, key),
          {.subject = "Root", .key = fixture->root, .not_after = NOW - 1}},
         2,
         "CN=Root: certificate has expired"},
        {"root is no CA",
         "issuing",
         {under_root(fixture, key),
          {.subject = "Root", .key = fixture->root, .basic_constraints = "critical,CA:FALSE"}},
         2,
         "CN=Root: invalid CA certificate"},
        {"root may not sign certificates",
         "issuing",
         {under_root(fixture, key),
          {.subject = "Root", .key = fixture->root, .key_usage = "cRLSign"}},
         2,
         "CN=Issuing was not issued by CN=Root"},
        {"root has no room below",
         "issuing",
         {under_root(fixture, key),
          {.subject = "Root", .key = fixture->root, .basic_constraints = "CA:TRUE,pathlen:0"}},
         2,
         "CN=Root has pathlen 0"},
        {"root has room for one of two",
         "issuing",
         {under_sub(fixture, key),
          sub_parts(fixture),
          {.subject = "Root", .key = fixture->root, .basic_constraints = "CA:TRUE,pathlen:1"}},
         3,
         "CN=Root has pathlen 1"},
        {"fewer certificates than files",
         "second",
         {{.subject = "Me", .key = fixture->second}},
         1,
         "signet.yaml names 1 chain file(s) for issuer second, but the chain has 0"},
    };

    for (size_t i = 0; i < NUM(cases); i++)
        expect_refusal(fixture, &cases[i]);
}

static void junk_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_home) struct sg_home *home = open_home(fixture);
    struct sg_slice junk = sg_slice_text("junk");
    sg_auto(offer) struct offer offer = {0};
    struct sg_error error = {0};

    expect_failure("certificate",
                   sg_home_set_certificate(home, "issuing", junk, NULL, 0, false, NOW, &error),
                   &error, SG_MALFORMED, "the certificate: is no X.509 certificate");
    sg_error_clear(&error);
    add(&offer, &(struct make_certificate){.subject = "Me", .key = fixture->issuing});
    expect_failure(
        "chain",
        sg_home_set_certificate(home, "issuing", offer.slices[0], &junk, 1, false, NOW, &error),
        &error, SG_MALFORMED, "chain certificate 1: is no X.509 certificate");
    sg_error_clear(&error);
    expect_failure("no such issuer",
                   sg_home_set_certificate(home, "none", junk, NULL, 0, false, NOW, &error), &error,
                   SG_USAGE, "there is no issuer 'none'");
}

static void a_certificate_that_is_there_stays_unless_replaced(void **state)
{
    const struct fixture *fixture = *state;
    const struct make_certificate parts = under_root(fixture, fixture->issuing);
    const struct make_certificate root = root_parts(fixture);
    sg_auto(offer) struct offer first = {0}, second = {0};
    sg_auto(sg_buf) struct sg_buf before = {0};
    struct sg_error error = {0};

    add(&first, &(struct make_certificate){.subject = "Me", .key = fixture->issuing});
    add(&second, &parts);
    add(&second, &root);
    expect_success("first", set(fixture, "issuing", &first, false, &error), &error);
    before = contents(fixture, "issuing.pem");
    expect_failure("second", set(fixture, "issuing", &second, false, &error), &error, SG_FAILED,
                   "issuing.pem exists; --force replaces it");
    assert_true(holds(fixture, "issuing.pem", &before));
    assert_false(has_file(fixture->dir, "issuing-chain.pem"));
    sg_error_clear(&error);
    expect_success("replaced", set(fixture, "issuing", &second, true, &error), &error);
    assert_false(holds(fixture, "issuing.pem", &before));
    expect_readable(fixture, "issuing", 1);
    /* back to a root, whose chain is not the one that is left there */
    expect_success("back", set(fixture, "issuing", &first, true, &error), &error);
    expect_readable(fixture, "issuing", 0);
}

static void a_shared_root_is_left_alone(void **state)
{
    const struct fixture *fixture = *state;
    const struct make_certificate one = under_root(fixture, fixture->issuing);
    const struct make_certificate other = under_root(fixture, fixture->second);
    const struct make_certificate root = root_parts(fixture);
    const struct make_certificate another_root = {
        .subject = "Root", .key = fixture->root, .not_after = NOW + 5 * DAY};
    sg_auto(offer) struct offer first = {0}, second = {0}, third = {0};
    sg_auto(sg_buf) struct sg_buf before = {0};
    struct sg_error error = {0};

    put_file(fixture->dir, "signet.yaml",
             TOKENS "issuers:\n" ISSUER("issuing", "main", "issuing", ", chain: [root.pem]")
                 ISSUER("second", "main", "second", ", chain: [root.pem]"));
    add(&first, &one);
    add(&first, &root);
    add(&second, &other);
    assert_true(sg_buf_set(&second.ders[1], first.slices[1], NULL));
    second.slices[1] = sg_buf_slice(&second.ders[1]);
    second.num = 2;
    add(&third, &other);
    add(&third, &another_root);
    expect_success("first", set(fixture, "issuing", &first, false, &error), &error);
    before = contents(fixture, "root.pem");
    expect_success("the same root", set(fixture, "second", &second, false, &error), &error);
    expect_failure("another root", set(fixture, "second", &third, true, &error), &error, SG_REFUSED,
                   "root.pem holds another certificate, which issuer issuing needs in its chain");
    assert_true(holds(fixture, "root.pem", &before));
    expect_readable(fixture, "issuing", 1);
    expect_readable(fixture, "second", 1);
}

/* The certificate's place is taken by something that can't be written: the chain goes again. */
static void a_failure_puts_everything_back(void **state)
{
    const struct fixture *fixture = *state;
    const struct make_certificate parts = under_root(fixture, fixture->issuing);
    const struct make_certificate root = root_parts(fixture);
    sg_auto(offer) struct offer offer = {0};
    struct sg_error error = {0};

    put_file(fixture->dir, "signet.yaml",
             TOKENS "issuers:\n  - {name: issuing, token: main, key: 'pkcs11:object=issuing', "
                    "certificate: link.pem}\n");
    put_file(fixture->dir, "target.pem", "before\n");
    char link[160], target[160];
    snprintf(link, sizeof link, "%s/link.pem", fixture->dir);
    snprintf(target, sizeof target, "%s/target.pem", fixture->dir);
    assert_int_equal(symlink(target, link), 0);
    add(&offer, &parts);
    add(&offer, &root);
    expect_failure("a link", set(fixture, "issuing", &offer, true, &error), &error, SG_FAILED,
                   "is not a regular file");
    assert_false(has_file(fixture->dir, "issuing-chain.pem"));

    put_file(fixture->dir, "issuing-chain.pem", "former chain\n");
    sg_error_clear(&error);
    expect_failure("a link again", set(fixture, "issuing", &offer, true, &error), &error, SG_FAILED,
                   "is not a regular file");
    sg_auto(sg_buf) struct sg_buf chain = contents(fixture, "issuing-chain.pem");
    assert_string_equal((const char *)chain.data, "former chain\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_root_is_put_in_place),
        TEST(a_chain_is_put_beside_its_certificate),
        TEST(a_chain_goes_to_the_files_that_are_named),
        TEST(the_last_named_file_takes_the_rest_of_a_chain),
        TEST(wrong_certificates_are_refused),
        TEST(junk_is_refused),
        TEST(a_certificate_that_is_there_stays_unless_replaced),
        TEST(a_shared_root_is_left_alone),
        TEST(a_failure_puts_everything_back),
    };

    return cmocka_run_group_tests(tests, set_up_token, tear_down_token);
}
