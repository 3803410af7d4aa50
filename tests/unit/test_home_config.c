#include "expect.h"

#include "base/file.h"
#include "base/limits.h"
#include "home/config.h"

/* A configuration that is fine; the cases change one of its lines. */
static const char *const LINES[] = {
    "ca: Example Device CA",
    "store: sqlite:signet.db",
    "tokens:",
    "  issuing:",
    "    profile: softhsm",
    "    uri: pkcs11:token=example-issuing",
    "    pin: file:pin",
    "issuers:",
    "  - name: issuing-2026",
    "    token: issuing",
    "    key: pkcs11:object=issuing-2026",
    "    certificate: issuing.pem",
};

struct fixture {
    char folder[64];
    char *path;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct sg_error error = {0};

    make_folder(fixture.folder);
    expect_success("path", sg_path_join(fixture.folder, "signet.yaml", &fixture.path, &error),
                   &error);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    free(fixture->path);
    remove_folder(fixture->folder);
    return 0;
}

/* Writes the lines with the nth (from 1) replaced, and loads them. */
static bool load(const struct fixture *fixture, unsigned line, const char *instead,
                 struct sg_config *config, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error trouble = {0};

    for (size_t i = 0; i < NUM(LINES); i++)
        expect_success("text",
                       sg_buf_printf(&text, SG_LIMIT_YAML, &trouble, "%s\n",
                                     i + 1 == line ? instead : LINES[i]),
                       &trouble);
    expect_success(
        "file",
        sg_file_write(fixture->path, sg_buf_slice(&text), 0600, SG_REPLACE_EXISTING, &trouble),
        &trouble);
    return sg_config_load(fixture->path, config, error);
}

#define ISSUER(name, token, key, certificate)                                                      \
    "\n  - {name: " name ", token: " token ", key: 'pkcs11:object=" key                            \
    "', certificate: " certificate "}"

static void each_fault_has_its_place(void **state)
{
    static const struct {
        const char *name;
        unsigned line;
        const char *instead, *complaint;
    } CASES[] = {
        {"unknown key", 1, "ca: x\nowner: y",
         ":2:1: unknown key 'owner'; known here: ca, store, tokens, issuers, registry, "
         "service"},
        {"no ca", 1, "", "key 'ca' is missing"},
        {"no store", 2, "", "key 'store' is missing"},
        {"empty ca", 1, "ca:", "ca is empty"},
        {"ca is a list", 1, "ca: [a]", ":1:5: ca has to be a single value"},
        {"a store of another kind", 2, "store: mysql://x",
         ":2:8: store: store \"mysql://x\" is of a kind that this program doesn't know"},
        {"a store without a file", 2, "store: 'sqlite:'",
         ":2:8: store: store \"sqlite:\" names no"},
        {"a store with a password", 2, "store: 'postgresql://ca:hunter2@db/ca'",
         ":2:8: store: the URL of the store has a password in it"},
        {"a store of a list", 2, "store: [a]", ":2:8: store has to be a single value"},
        {"tokens of a list", 3, "tokens: [a]\nx:", "unknown key 'x'"},
        {"no URI", 6, "", ":4:3: key 'uri' is missing in issuing"},
        {"URI of a list", 6, "    uri: [a]", ":6:10: uri has to be a single value"},
        {"URI of a file", 6, "    uri: file:x",
         ":6:10: uri: 'file:x' is not a PKCS#11 URI; write pkcs11:token=LABEL"},
        {"PIN in the URI", 6, "    uri: pkcs11:token=a?pin-value=4711",
         ":6:10: uri: a PIN does not belong into a URI"},
        {"PIN file in the URI", 6, "    uri: pkcs11:token=a?pin-source=f",
         ":6:10: uri: a PIN does not belong into a URI"},
        {"PIN instead of its source", 7, "    pin: 4711", ":7:10: pin has to say where the PIN is"},
        {"PIN of a list", 7, "    pin: [4711]", ":7:10: pin has to be a single value"},
        {"neither profile nor module", 5, "", "token issuing needs either profile"},
        {"profile and module", 5, "    profile: softhsm\n    module: /x.so",
         "or module (the path of a PKCS#11 module), not both"},
        {"profile of a list", 5, "    profile: [a]", ":5:14: profile has to be a single value"},
        {"module of a list", 5, "    module: [a]", ":5:13: module has to be a single value"},
        {"another signer", 7, "    signer: gpg", ":7:13: signer has to be one of: engine, direct"},
        {"no sessions", 7, "    sessions: 0", ":7:15: sessions has to be from 1 to 256"},
        {"too many sessions", 7, TEST_HAS_ENGINE ? "    sessions: 17" : "    sessions: 257",
         TEST_HAS_ENGINE ? ":7:15: sessions has to be from 1 to 16"
                         : ":7:15: sessions has to be from 1 to 256"},
        {"too many for direct too", 7, "    signer: direct\n    sessions: 257",
         ":8:15: sessions has to be from 1 to 256"},
        {"sessions in quotes", 7, "    sessions: '8'", ":7:15: sessions has to be a whole number"},
        {"unknown key of a token", 7, "    slot: 0", ":7:5: unknown key 'slot'"},
        {"issuers without items", 8, "issuers: []\nx:", "unknown key 'x'"},
        {"issuer's name with a slash", 9, "  - name: a/b", ":9:11: name 'a/b' has to be made of"},
        {"issuer's name with dots first", 9, "  - name: ..", ":9:11: name '..' has to be made of"},
        {"issuer's name of a list", 9, "  - name: [a]", ":9:11: name has to be a single value"},
        {"no name", 9, "  - state: active", "key 'name' is missing"},
        {"token of another name", 10, "    token: other",
         ":10:12: there is no token 'other' under tokens"},
        {"token of a list", 10, "    token: [a]", ":10:12: token has to be a single value"},
        {"no key", 11, "", "key 'key' is missing"},
        {"key of a list", 11, "    key: [a]", ":11:10: key has to be a single value"},
        {"key by label", 11, "    key: issuing-2026",
         ":11:10: key: 'issuing-2026' is not a PKCS#11 URI"},
        {"PIN in the key", 11, "    key: pkcs11:object=a?pin-value=4711",
         ":11:10: key: a PIN does not belong into a URI"},
        {"no certificate", 12, "", "key 'certificate' is missing"},
        {"certificate of a list", 12, "    certificate: [a]",
         ":12:18: certificate has to be a single value"},
        {"certificate is a folder", 12, "    certificate: certs/",
         ":12:18: 'certs/' names no file"},
        {"certificate without a name", 12, "    certificate: ''", ":12:18: '' names no file"},
        {"chain without a list", 12, "    certificate: a\n    chain: root.pem",
         ":13:12: chain has to be a sequence"},
        {"chain without names", 12, "    certificate: a\n    chain: [root.pem, '']",
         ":13:23: '' names no file"},
        {"unknown scheme", 12, "    certificate: a\n    signature: md5", ":13:16: signature: "},
        {"scheme of a list", 12, "    certificate: a\n    signature: [a]",
         ":13:16: signature has to be a single value"},
        {"unknown state", 12, "    certificate: a\n    state: off",
         ":13:12: state has to be one of: active, status-only, retired; not 'off'"},
        {"unknown publication", 12, "    certificate: a\n    publish: {crls: 'http://x'}",
         ":13:15: unknown key 'crls'; known here: crl, ocsp, ca_issuers"},
        {"URL of a file", 12, "    certificate: a\n    publish: {crl: 'file:///x'}",
         ":13:20: crl: 'file:///x' has to begin with http://"},
        {"URL without a host", 12, "    certificate: a\n    publish: {ocsp: 'http://'}",
         ":13:21: ocsp: 'http://' has a character"},
        {"URL with a space", 12, "    certificate: a\n    publish: {ca_issuers: 'http://a b'}",
         ":13:27: ca_issuers: 'http://a b' has a character"},
        {"URL of a list", 12, "    certificate: a\n    publish: {crl: [a]}",
         ":13:20: crl has to be a single value"},
        {"CRL without a word", 12, "    certificate: a\n    crl: {}",
         ":13:5: key 'next_update' is missing in crl"},
        {"CRL for a number", 12, "    certificate: a\n    crl: {next_update: 7}",
         ":13:24: next_update: '7' is a duration without a unit"},
        {"CRL for no time", 12, "    certificate: a\n    crl: {next_update: 0d}",
         ":13:24: next_update: a CRL that is outdated at once"},
        {"OCSP without a key", 12, "    certificate: a\n    ocsp: {token: issuing}",
         ":13:5: key 'key' is missing in ocsp"},
        {"OCSP by a label", 12, "    certificate: a\n    ocsp: {key: ocsp}",
         ":13:17: key: 'ocsp' is not a PKCS#11 URI"},
        {"PIN in the OCSP key", 12,
         "    certificate: a\n    ocsp: {key: 'pkcs11:object=a?pin-value=4711'}",
         ":13:17: key: a PIN does not belong into a URI"},
        {"OCSP by the issuer's key", 12,
         "    certificate: a\n    ocsp: {key: 'pkcs11:object=issuing-2026'}",
         ":13:17: this is the key of issuer issuing-2026; OCSP answers are signed with a key of"},
        {"OCSP on another token", 12,
         "    certificate: a\n    ocsp: {key: 'pkcs11:object=a', token: other}",
         ":13:43: there is no token 'other' under tokens"},
        {"OCSP by nobody", 12,
         "    certificate: a\n    ocsp: {key: 'pkcs11:object=a', subject: CN}",
         ":13:45: subject: "},
        {"OCSP under a list", 12,
         "    certificate: a\n    ocsp: {key: 'pkcs11:object=a', policy: [a]}",
         ":13:44: policy has to be a single value"},
        {"OCSP for no time", 12,
         "    certificate: a\n    ocsp: {key: 'pkcs11:object=a', next_update: 0s}",
         ":13:49: next_update: an answer that is outdated at once"},
        {"unknown key of OCSP", 12,
         "    certificate: a\n    ocsp: {key: 'pkcs11:object=a', nonce: no}",
         "unknown key 'nonce'; known here: key, token, subject, policy, next_update"},
        {"unknown key of an issuer", 12, "    certificate: a\n    serial: 1",
         ":13:5: unknown key 'serial'"},
        {"the same name", 12, "    certificate: a" ISSUER("issuing-2026", "issuing", "other", "b"),
         ":13:12: issuer issuing-2026 has the name of the issuer on line 9"},
        {"the same key", 12, "    certificate: a" ISSUER("two", "issuing", "issuing-2026", "b"),
         ":13:38: issuer two has the key of the issuer on line 11"},
        {"the same certificate", 12, "    certificate: a" ISSUER("two", "issuing", "other", "a"),
         "issuer two has the certificate of the issuer on line 12"},
        {"PINs of another token", 12,
         "    certificate: a\npins: {token: other, key: 'pkcs11:object=a'}",
         ":13:15: there is no token 'other' under tokens"},
        {"PINs without a key", 12, "    certificate: a\npins: {token: issuing}",
         "key 'key' is missing in pins"},
        {"PINs without a token", 12, "    certificate: a\npins: {key: 'pkcs11:object=a'}",
         "key 'token' is missing in pins"},
        {"a PIN in the PINs' key", 12,
         "    certificate: a\npins: {token: issuing, key: 'pkcs11:object=a?pin-value=4711'}",
         "does not belong into a URI"},
        {"unknown kind of record", 12, "    certificate: a\nregistry: {dog: {id: a}}",
         ":13:12: unknown key 'dog'; known here: device, user"},
        {"device without id", 12, "    certificate: a\nregistry: {device: {name: a}}",
         ":13:20: device has to be a mapping of fields to patterns, with one for id"},
        {"user without name", 12, "    certificate: a\nregistry: {user: {id: a}}",
         ":13:18: user has to be a mapping of fields to patterns, with one for name"},
        {"device of a word", 12, "    certificate: a\nregistry: {device: a}",
         ":13:20: device has to be a mapping"},
        {"pattern of a list", 12, "    certificate: a\nregistry: {device: {id: [a]}}",
         ":13:25: id has to be a single value"},
        {"pattern that is none", 12, "    certificate: a\nregistry: {device: {id: '(a'}}",
         ":13:25: id: pattern '(a' is wrong at byte"},
        {"a field that hides what each record has", 12,
         "    certificate: a\nregistry: {device: {id: a, enabled: a}}",
         ":13:37: a field can't be called enabled"},
        {"an id beside a name", 12, "    certificate: a\nregistry: {user: {name: a, id: a}}",
         ": a field can't be called id"},
        {"optional id", 12,
         "    certificate: a\nregistry: {device: {id: {match: a, optional: true}}}",
         ":13:25: id is what a record is found by"},
        {"optional without a pattern", 12,
         "    certificate: a\nregistry: {device: {id: a, b: {optional: true}}}",
         ":13:28: key 'match' is missing in b"},
        {"optional by a word", 12,
         "    certificate: a\nregistry: {device: {id: a, b: {match: a, optional: yes}}}",
         "optional has to be true or false, not 'yes'"},
        {"unknown key of a field", 12,
         "    certificate: a\nregistry: {device: {id: a, b: {match: a, unique: true}}}",
         "unknown key 'unique'"},
    };

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_config) struct sg_config config = {0};
        struct sg_error error = {0};

        expect_failure(CASES[i].name,
                       load(*state, CASES[i].line, CASES[i].instead, &config, &error), &error,
                       SG_INVALID, CASES[i].complaint);
        assert_null(strstr(error.text, "4711"));
        assert_null(config.document);
    }
}

/* Sections that are empty, which changing one line can't show. */
static void empty_sections_are_refused(void **state)
{
    static const struct {
        const char *name, *text, *complaint;
    } CASES[] = {
        {"no tokens", "ca: x\nstore: sqlite:x\ntokens: {}\nissuers: []\n",
         ":3:9: tokens has to be a mapping of one or more tokens"},
        {"tokens in a list", "ca: x\nstore: sqlite:x\ntokens: [a]\nissuers: []\n",
         ":3:9: tokens has to be a mapping of one or more tokens"},
        {"a token of a word", "ca: x\nstore: sqlite:x\ntokens: {a: b}\nissuers: []\n",
         ":3:13: a has to be a mapping"},
        {"no issuers",
         "ca: x\nstore: sqlite:x\ntokens: {a: {module: m, uri: 'pkcs11:'}}\nissuers: []\n",
         ":4:10: issuers is empty"},
        {"issuers in a mapping",
         "ca: x\nstore: sqlite:x\ntokens: {a: {module: m, uri: 'pkcs11:'}}\nissuers: {}\n",
         ":4:10: issuers has to be a sequence"},
        {"not a mapping", "[a]\n", ":1:1: this value has to be a mapping"},
        {"not YAML", "ca: [\n", "signet.yaml:2:1: "},
        {"empty", "", "the file is empty"},
    };
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_config) struct sg_config config = {0};
        struct sg_error error = {0};

        expect_success(CASES[i].name,
                       sg_file_write(fixture->path, sg_slice_text(CASES[i].text), 0600,
                                     SG_REPLACE_EXISTING, &error),
                       &error);
        expect_failure(CASES[i].name, sg_config_load(fixture->path, &config, &error), &error,
                       SG_INVALID, CASES[i].complaint);
    }
}

static void a_name_of_a_token_can_be_too_long(void **state)
{
    char line[128] = "  issuing: {profile: a, uri: 'pkcs11:'}\n  ";
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};

    memset(line + strlen(line), 'a', 65);
    strcat(line, ":");
    expect_failure("65", load(*state, 4, line, &config, &error), &error, SG_INVALID,
                   "the name of a token has 64 characters at most");
}

static void a_missing_file_is_no_fault_of_its_text(void **state)
{
    const struct fixture *fixture = *state;
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};

    unlink(fixture->path);
    expect_failure("missing", sg_config_load(fixture->path, &config, &error), &error, SG_FAILED,
                   "cannot open");
}

static void engine_is_for_builds_that_have_it(void **state)
{
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};
    bool loaded = load(*state, 7, "    pin: file:pin\n    signer: engine", &config, &error);

    if (TEST_HAS_ENGINE)
        expect_success("engine", loaded, &error);
    else
        expect_failure(
            "engine", loaded, &error, SG_INVALID,
            ":8:13: signer: engine is not in this signet, which was built without OpenSSL's "
            "pkcs11 engine; use signer: direct");
}

static void defaults_are_filled_in(void **state)
{
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};

    expect_success("plain", load(*state, 0, "", &config, &error), &error);
    assert_string_equal(config.ca, "Example Device CA");
    assert_string_equal(config.store, "sqlite:signet.db");
    assert_int_equal(config.num_tokens, 1);
    assert_string_equal(config.tokens[0].name, "issuing");
    assert_string_equal(config.tokens[0].profile, "softhsm");
    assert_null(config.tokens[0].module);
    assert_string_equal(config.tokens[0].pin, "file:pin");
    assert_int_equal(config.tokens[0].signer,
                     TEST_HAS_ENGINE ? SG_SIGNER_ENGINE : SG_SIGNER_DIRECT);
    assert_int_equal(config.tokens[0].sessions, 8);
    assert_int_equal(config.num_issuers, 1);
    assert_int_equal(config.issuers[0].num_chain, 0);
    assert_int_equal(config.issuers[0].scheme, SG_SCHEME_NONE);
    assert_int_equal(config.issuers[0].state, SG_ISSUER_ACTIVE);
    assert_int_equal(config.issuers[0].crl_lifetime_s, 7 * 24 * 3600);
    assert_null(config.issuers[0].crl_url);
    assert_null(config.issuers[0].ocsp.key);
    assert_int_equal(config.device.num, 0);
    assert_int_equal(config.user.num, 0);
}

static void ocsp_has_defaults(void **state)
{
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};

    expect_success(
        "ocsp",
        load(*state, 12, "    certificate: a\n    ocsp: {key: 'pkcs11:object=o'}", &config, &error),
        &error);
    const struct sg_responder_entry *ocsp = &config.issuers[0].ocsp;
    assert_null(ocsp->token);
    assert_null(ocsp->subject);
    assert_string_equal(ocsp->policy, "ocsp-responder");
    assert_int_equal(ocsp->lifetime_s, 3600);
}

static void everything_can_be_said(void **state)
{
    static const char REST[] =
        "    certificate: issuing.pem\n"
        "    chain: [sub.pem, root.pem]\n"
        "    signature: rsa-pss-sha384\n"
        "    state: status-only\n"
        "    publish:\n"
        "      crl: 'http://pki.example.com/a.crl'\n"
        "      ocsp: 'https://pki.example.com/ocsp'\n"
        "      ca_issuers: 'ldap://pki.example.com/cn=a?x'\n"
        "    crl: {next_update: 12h}\n"
        "    ocsp: {key: 'pkcs11:object=o', token: issuing, subject: 'CN=o', policy: p, "
        "next_update: 4h}\n"
        "registry:\n"
        "  device: {type: {match: '[a-z]+', optional: true}, id: 'd-[0-9]+'}\n"
        "  user: {name: '.+'}\n";
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};
    const struct sg_issuer_entry *issuer;

    expect_success("full", load(*state, 12, REST, &config, &error), &error);
    issuer = &config.issuers[0];
    assert_int_equal(issuer->num_chain, 2);
    assert_string_equal(issuer->ocsp.key, "pkcs11:object=o");
    assert_string_equal(issuer->ocsp.token, "issuing");
    assert_string_equal(issuer->ocsp.subject, "CN=o");
    assert_string_equal(issuer->ocsp.policy, "p");
    assert_int_equal(issuer->ocsp.lifetime_s, 4 * 3600);
    assert_string_equal(issuer->chain[1], "root.pem");
    assert_int_equal(issuer->scheme, SG_RSA_PSS_SHA384);
    assert_int_equal(issuer->state, SG_ISSUER_STATUS_ONLY);
    assert_string_equal(issuer->crl_url, "http://pki.example.com/a.crl");
    assert_string_equal(issuer->ocsp_url, "https://pki.example.com/ocsp");
    assert_string_equal(issuer->ca_issuers_url, "ldap://pki.example.com/cn=a?x");
    assert_int_equal(issuer->crl_lifetime_s, 12 * 3600);
    assert_int_equal(config.device.num, 2);
    assert_string_equal(config.device.fields[0].name, "id"); /* first, though written last */
    assert_false(config.device.fields[0].optional);
    assert_string_equal(config.device.fields[1].name, "type");
    assert_true(config.device.fields[1].optional);
    assert_int_equal(config.user.num, 1);
    assert_string_equal(sg_pattern_text(config.user.fields[0].pattern), ".+");
}

static void direct_signer_has_its_sessions(void **state)
{
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};

    expect_success("direct",
                   load(*state, 7, "    signer: direct\n    sessions: 256", &config, &error),
                   &error);
    assert_int_equal(config.tokens[0].signer, SG_SIGNER_DIRECT);
    assert_int_equal(config.tokens[0].sessions, 256);
}

static void two_issuers_may_share_a_token_and_a_chain(void **state)
{
    static const char TWO[] = "    certificate: a\n    chain: [root.pem]\n"
                              "  - {name: two, token: issuing, key: 'pkcs11:object=two', "
                              "certificate: b, chain: [root.pem], state: retired}";
    sg_auto(sg_config) struct sg_config config = {0};
    struct sg_error error = {0};

    expect_success("two", load(*state, 12, TWO, &config, &error), &error);
    assert_int_equal(config.num_issuers, 2);
    assert_int_equal(config.issuers[1].state, SG_ISSUER_RETIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(engine_is_for_builds_that_have_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_fault_has_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_sections_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_of_a_token_can_be_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_no_fault_of_its_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(defaults_are_filled_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ocsp_has_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything_can_be_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(direct_signer_has_its_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_issuers_may_share_a_token_and_a_chain, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
