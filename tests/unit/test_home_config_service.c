#include "expect.h"

#include "base/limits.h"
#include "home/service_config.h"

/* Owns the texts of the configuration that was read last. */
static struct sg_yaml *document;

static int free_document(void **state)
{
    (void)state;
    sg_yaml_free(document);
    document = NULL;
    return 0;
}

/* Reads `service` out of a document that has nothing else. */
static bool parse(const char *text, struct sg_service_config *config, struct sg_error *error)
{
    free_document(NULL);
    return sg_yaml_parse("signet.yaml", sg_slice_text(text), &document, error) &&
           sg_service_config_read(document, sg_yaml_get(sg_yaml_root(document), "service"), config,
                                  error);
}

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HTTPS  "  https: {listen: '127.0.0.1:443', certificate: c, key: 'file:k'}\n"

static void each_fault_has_its_place(void **state)
{
    static const struct {
        const char *name, *text, *complaint;
    } CASES[] = {
        {"unknown key", "  shop: 1\n",
         ":2:3: unknown key 'shop'; known here: socket, users, https"},
        {"https without a key", "  https: {listen: '127.0.0.1:1', certificate: c}\n",
         "key 'key' is missing in https"},
        {"https without a certificate", "  https: {listen: '127.0.0.1:1', key: 'file:k'}\n",
         "https has either a certificate, which is a file, or a device"},
        {"https with a device too",
         "  https: {listen: '127.0.0.1:1', certificate: c, key: 'file:k', device: d}\n",
         "https has either a certificate, which is a file, or a device"},
        {"a device whose key is a file",
         "  https: {listen: '127.0.0.1:1', key: 'file:k', device: d}\n",
         "the issuer certifies a key that it can use"},
        {"a key on no token",
         "  https: {listen: '127.0.0.1:1', certificate: c, key: 'pkcs11:id=%01'}\n",
         "a key on a token needs both"},
        {"a token without a key",
         "  https: {listen: '127.0.0.1:1', certificate: c, token: t, key: 'file:k'}\n",
         "a key on a token needs both"},
        {"https without an address", "  https: {certificate: c, key: 'file:k'}\n",
         "key 'listen' is missing in https"},
        {"a key that is none", "  https: {listen: '127.0.0.1:1', certificate: c, key: k}\n",
         "key has to be file:NAME"},
        {"a key without a name", "  https: {listen: '127.0.0.1:1', certificate: c, key: 'file:'}\n",
         "key has to be file:NAME"},
        {"an old TLS",
         "  https: {listen: '1.1.1.1:1', certificate: c, key: 'file:k', minimum: '1.1'}\n",
         "minimum has to be one of: 1.2, 1.3"},
        {"a port alone", "  http: {listen: '80'}\n", ":2:18: '80' is no address to listen on"},
        {"a name", "  http: {listen: 'localhost:80'}\n", "'localhost:80' is no address"},
        {"no port", "  http: {listen: '127.0.0.1'}\n", "'127.0.0.1' is no address"},
        {"a port too high", "  http: {listen: '127.0.0.1:65536'}\n", "is no address"},
        {"a negative port", "  http: {listen: '127.0.0.1:-1'}\n", "is no address"},
        {"v6 without brackets", "  http: {listen: '::1:80'}\n", "is no address"},
        {"v6 without an end", "  http: {listen: '[::1:80'}\n", "is no address"},
        {"nowhere", "  http: {listen: []}\n", "listen has to have 1 to 16 addresses"},
        {"a mapping of addresses", "  http: {listen: {a: b}}\n", "listen has to be a sequence"},
        {"users by half", "  users: {front: www}\n", "key 'issuer' is missing in users"},
        {"EST without https", "  est: {policy: p}\n", "est needs https"},
        {"EST without a policy", HTTPS "  est: {base64: lines}\n",
         "est has to have a policy, labels with policies, or both"},
        {"labels of a list", HTTPS "  est: {labels: [a]}\n", "labels has to be a mapping"},
        {"a label that is an operation", HTTPS "  est: {labels: {simpleenroll: p}}\n",
         "'simpleenroll' can't be a label"},
        {"base64 in another form", HTTPS "  est: {policy: p, base64: hex}\n",
         "base64 has to be one of: one-line, lines"},
        {"no connections", "  limits: {connections: 0}\n", "connections has to be from 1 to"},
        {"no refusals", "  limits: {refusals: 0}\n", "refusals has to be from 1 to"},
        {"no queue", "  limits: {queue: 0}\n", "queue has to be from 1 to"},
        {"no time", "  limits: {request: 0s}\n", "request has to be from 1s to 1h"},
        {"too much time", "  limits: {answer: 2h}\n", "answer has to be from 1s to 1h"},
        {"time without a unit", "  limits: {idle: 60}\n", "without a unit"},
        {"no operators", HTTPS "  operators: []\n", "operators has to be a list of {name"},
        {"operators by name", HTTPS "  operators: {olga: officer}\n", "operators has to be a list"},
        {"operators without https",
         "  http: {listen: '1.1.1.1:1'}\n  operators: [{name: a, certificate: '" DIGEST
         "', role: officer}]\n",
         "operators need https"},
        {"an operator without a certificate", HTTPS "  operators: [{name: a, role: officer}]\n",
         "key 'certificate' is missing"},
        {"an operator without a name",
         HTTPS "  operators: [{name: '', certificate: '" DIGEST "', role: officer}]\n",
         "a name has 1 to 128 bytes"},
        {"a certificate that is no digest",
         HTTPS "  operators: [{name: a, certificate: olga.pem, role: officer}]\n",
         "certificate has to be the SHA-256 of the certificate in DER"},
        {"a digest of another kind",
         HTTPS "  operators: [{name: a, certificate: '0123', role: officer}]\n",
         "certificate has to be the SHA-256"},
        {"a role that is none",
         HTTPS "  operators: [{name: a, certificate: '" DIGEST "', role: king}]\n",
         "role has to be one of: token-service, auditor, officer"},
        {"one certificate for two",
         HTTPS "  operators: [{name: a, certificate: '" DIGEST "', role: officer},\n"
               "    {name: b, certificate: '" DIGEST "', role: auditor}]\n",
         "two operators have the same certificate"},
        {"another log", "  log: xml\n", "log has to be one of: plain, json"},
        {"a proxy that nobody is", "  proxy: {}\n", "proxy has to say who it is"},
        {"a proxy's socket for everybody", "  proxy: {listen: p}\n",
         "listen and user belong together"},
        {"a proxy's header that is none", "  proxy: {certificate: p, header: 'A: b'}\n",
         "'A: b' is no name of a header"},
        {"a health key without a token", "  health: {key: 'pkcs11:object=h'}\n",
         "key 'token' is missing in health"},
        {"a health key that is no URI", "  health: {token: t, key: h}\n", ":2:27: "},
        {"a health key with a PIN", "  health: {token: t, key: 'pkcs11:object=h?pin-value=1'}\n",
         "pin"},
        {"a socket that is a folder", "  socket: run/\n", "'run/' names no file"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct sg_service_config config = {0};
        struct sg_error error = {0};
        char text[768];

        snprintf(text, sizeof text, "service:\n%s", CASES[i].text);
        expect_failure(CASES[i].name, parse(text, &config, &error), &error, SG_INVALID,
                       CASES[i].complaint);
        sg_service_config_done(&config);
    }
}

static void a_proxy_can_offer_est_alone(void **state)
{
    struct sg_service_config config = {0};
    struct sg_error error = {0};

    (void)state;
    expect_success("proxy",
                   parse("service:\n  proxy: {listen: p.sock, user: www-data}\n"
                         "  est: {policy: p}\n",
                         &config, &error),
                   &error);
    expect_success("check", sg_service_config_check(&config, "signet.yaml", &error), &error);
    assert_string_equal(config.proxy.listen, "p.sock");
    assert_string_equal(config.proxy.user, "www-data");
    assert_string_equal(config.proxy.header, "Client-Cert");
    assert_null(config.proxy.address);
    sg_service_config_done(&config);
    expect_failure("by https, which is not there",
                   parse("service:\n  http: {listen: '[::]:80'}\n"
                         "  proxy: {certificate: p.pem}\n  est: {policy: p}\n",
                         &config, &error),
                   &error, SG_INVALID, "est needs https");
    sg_service_config_done(&config);
}

static void what_is_left_out_has_a_value(void **state)
{
    struct sg_service_config config = {0};
    struct sg_error error = {0};

    (void)state;
    expect_success("least", parse("service:\n  http: {listen: '[::]:80'}\n", &config, &error),
                   &error);
    expect_success("check", sg_service_config_check(&config, "signet.yaml", &error), &error);
    assert_string_equal(config.socket, "signetd.sock");
    assert_int_equal(config.http.num, 1);
    assert_string_equal(config.http.items[0], "[::]:80");
    assert_int_equal(config.limits.queue, 256);
    assert_true(config.https.allow_tls_1_2);
    assert_int_equal(config.log, SG_LOG_PLAIN);
    assert_null(sg_service_find_label(&config, NULL));
    sg_service_config_done(&config);
}

static void labels_lead_to_policies(void **state)
{
    struct sg_service_config config = {0};
    struct sg_error error = {0};

    (void)state;
    expect_success("labels",
                   parse("service:\n" HTTPS
                         "  est: {policy: first, base64: lines, labels: {cards: second}}\n"
                         "  limits: {connections: 5, queue: 6, request: 7s, idle: 8s, answer: 9s,"
                         " reply: 10s}\n"
                         "  log: json\n",
                         &config, &error),
                   &error);
    assert_string_equal(sg_service_find_label(&config, NULL)->policy, "first");
    assert_string_equal(sg_service_find_label(&config, "")->policy, "first");
    assert_string_equal(sg_service_find_label(&config, "cards")->policy, "second");
    assert_null(sg_service_find_label(&config, "card"));
    assert_true(config.est.wrap_base64);
    assert_string_equal(config.https.key, "k");
    assert_int_equal(config.limits.connections, 5);
    assert_int_equal(config.limits.answer_s, 9);
    assert_int_equal(config.limits.reply_s, 10);
    assert_int_equal(config.log, SG_LOG_JSON);
    sg_service_config_done(&config);
}

static void operators_are_found_by_their_certificate(void **state)
{
    struct sg_service_config config = {0};
    struct sg_error error = {0};
    uint8_t sha256[SG_SHA256_LEN] = {0};
    const struct sg_operator_entry *found;

    (void)state;
    expect_success("operators",
                   parse("service:\n" HTTPS "  operators:\n    - {name: olga, certificate: '" DIGEST
                         "', role: officer}\n",
                         &config, &error),
                   &error);
    assert_null(sg_service_find_operator(&config, sha256));
    for (size_t i = 0; i < sizeof sha256; i++)
        sha256[i] = (uint8_t)(0x11 * (i % 16));
    found = sg_service_find_operator(&config, sha256);
    assert_non_null(found);
    assert_string_equal(found->name, "olga");
    assert_string_equal(sg_role_word(found->role), "officer");
    sg_service_config_done(&config);
}

static void a_service_that_nobody_reaches_is_none(void **state)
{
    struct sg_service_config config = {0};
    struct sg_error error = {0};

    (void)state;
    expect_failure("no section", sg_service_config_check(&config, "home/signet.yaml", &error),
                   &error, SG_INVALID, "home/signet.yaml has no section `service`");
    sg_error_clear(&error);
    expect_success("metrics alone",
                   parse("service:\n  metrics: {listen: '127.0.0.1:9'}\n", &config, &error),
                   &error);
    expect_failure("nobody", sg_service_config_check(&config, "home/signet.yaml", &error), &error,
                   SG_INVALID, "neither https nor http");
    sg_service_config_done(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_fault_has_its_place, free_document),
        cmocka_unit_test_teardown(what_is_left_out_has_a_value, free_document),
        cmocka_unit_test_teardown(a_proxy_can_offer_est_alone, free_document),
        cmocka_unit_test_teardown(labels_lead_to_policies, free_document),
        cmocka_unit_test_teardown(operators_are_found_by_their_certificate, free_document),
        cmocka_unit_test_teardown(a_service_that_nobody_reaches_is_none, free_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
