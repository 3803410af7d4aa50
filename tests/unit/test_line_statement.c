#include "ca_fixture.h"

#include <jansson.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/hex.h"
#include "line/merkle.h"
#include "line/statement.h"

/* RFC 6962's and RFC 9162's tree over the eight inputs that Certificate Transparency is tested with
 * (test_line_merkle.c): as a statement lists them. */
#define ROOT "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
static const char LIST[] =
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d d0.pem\n"
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 d1.pem\n"
    "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7 d2.pem\n"
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7 d3.pem\n"
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b d4.pem\n"
    "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658 d5.pem\n"
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f d6.pem\n"
    "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1 d7.pem\n";
#define SAID(num, root)                                                                            \
    "{\"statement\": \"signet line 1\", \"certificates\": " num ", \"merkle_root\": \"" root "\"}"

/* ---- who signs ---- */

struct seal {
    EVP_PKEY *key;
    X509 *certificate;
};

static struct seal root, signer, no_purpose, no_usage, stranger, own;

static void add_extension(X509 *certificate, const char *name, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf(NULL, NULL, name, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* name: its first character is the serial number. usage, purposes: NULL for none. above NULL: it
 * certifies itself. */
static void make_seal(struct seal *seal, const char *name, const char *usage, const char *purposes,
                      const struct seal *above)
{
    const struct seal *by = above != NULL ? above : seal;
    X509_NAME *subject;

    seal->key = make_key("P-256");
    seal->certificate = X509_new();
    assert_int_equal(X509_set_version(seal->certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(seal->certificate), name[0]), 1);
    subject = X509_get_subject_name(seal->certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
    X509_set_issuer_name(seal->certificate, X509_get_subject_name(by->certificate));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(seal->certificate), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(seal->certificate), DAY));
    assert_int_equal(X509_set_pubkey(seal->certificate, seal->key), 1);
    add_extension(seal->certificate, "basicConstraints",
                  above == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (usage != NULL)
        add_extension(seal->certificate, "keyUsage", usage);
    if (purposes != NULL)
        add_extension(seal->certificate, "extendedKeyUsage", purposes);
    assert_true(X509_sign(seal->certificate, by->key, EVP_sha256()) > 0);
}

static void seal_done(struct seal *seal)
{
    EVP_PKEY_free(seal->key);
    X509_free(seal->certificate);
}

#define DOCUMENTS "1.3.6.1.5.5.7.3.36"

static int make_seals(void **state)
{
    make_seal(&root, "Root", "keyCertSign", NULL, NULL);
    make_seal(&signer, "4: a line", "digitalSignature", DOCUMENTS, &root);
    make_seal(&no_purpose, "Device", "digitalSignature", "clientAuth", &root);
    make_seal(&no_usage, "5: a line", "keyAgreement", DOCUMENTS, &root);
    make_seal(&own, "6: a line", "digitalSignature,keyCertSign", DOCUMENTS, NULL);
    make_seal(&stranger, "7: a line", "digitalSignature", DOCUMENTS, &own);
    return ca_make_token(state);
}

static int remove_seals(void **state)
{
    struct seal *seals[] = {&root, &signer, &no_purpose, &no_usage, &stranger, &own};

    for (size_t i = 0; i < NUM(seals); i++)
        seal_done(seals[i]);
    return ca_remove_token(state);
}

/* ---- statements made by hand ---- */

static const char *path_in(const struct ca *ca, const char *name)
{
    static char path[160];

    snprintf(path, sizeof path, "%s/%s", ca->dir, name);
    return path;
}

static void append_cms(struct sg_buf *text, const char *said, const struct seal *const *seals,
                       size_t num)
{
    BIO *content = BIO_new_mem_buf(said, -1), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms =
        CMS_sign(NULL, NULL, NULL, content, CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP);
    struct sg_error error = {0};
    char *pem;
    long len;

    for (size_t i = 0; i < num; i++)
        assert_non_null(CMS_add1_signer(cms, seals[i]->certificate, seals[i]->key, EVP_sha256(),
                                        CMS_BINARY | CMS_NOSMIMECAP));
    assert_int_equal(CMS_final(cms, content, NULL, CMS_BINARY), 1);
    assert_int_equal(PEM_write_bio_CMS(out, cms), 1);
    len = BIO_get_mem_data(out, &pem);
    expect_success("cms", sg_buf_append(text, pem, (size_t)len, 1 << 20, &error), &error);
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    BIO_free(out);
}

static void make_statement(const char *list, const char *said, const struct seal *seal,
                           struct sg_buf *text)
{
    struct sg_error error = {0};

    expect_success("list", sg_buf_append(text, list, strlen(list), 1 << 20, &error), &error);
    append_cms(text, said, &seal, 1);
}

static void put(const struct ca *ca, const char *name, struct sg_slice bytes)
{
    struct sg_error error = {0};

    expect_success(name, sg_file_write(path_in(ca, name), bytes, 0600, SG_REPLACE_EXISTING, &error),
                   &error);
}

static void count_fault(void *context, enum sg_statement_fault fault, const char *file)
{
    struct sg_buf *told = context;
    struct sg_error error = {0};

    expect_success(file, sg_buf_printf(told, 1 << 20, &error, "%c%s ", "MCX"[fault], file), &error);
}

/* What verifying finds in the folder "out"; root NULL: the seals' own. */
static bool verify(const struct ca *ca, const struct seal *trusted, struct sg_buf *told,
                   struct sg_statement_verdict *verdict, struct sg_error *error)
{
    STACK_OF(X509) *roots = sk_X509_new_null();
    char path[160];
    bool holds;

    sk_X509_push(roots, trusted->certificate);
    snprintf(path, sizeof path, "%s", path_in(ca, "statement"));
    holds = sg_statement_verify(path, path_in(ca, "out"), roots, count_fault, told, verdict, error);
    sk_X509_free(roots);
    return holds;
}

static void expect_verdict(const char *name, const struct ca *ca, const char *wanted)
{
    sg_auto(sg_buf) struct sg_buf told = {0};
    struct sg_statement_verdict verdict = {0};
    struct sg_error error = {0};

    expect_success(name, verify(ca, &root, &told, &verdict, &error), &error);
    if (strcmp(told.len > 0 ? (const char *)told.data : "", wanted) != 0)
        fail_msg("%s: '%s' instead of '%s'", name, (const char *)told.data, wanted);
    sg_buf_free(&verdict.text);
}

static void expect_no_verdict(const char *name, const struct ca *ca, const struct seal *trusted,
                              enum sg_code code, const char *part)
{
    sg_auto(sg_buf) struct sg_buf told = {0};
    struct sg_statement_verdict verdict = {0};
    struct sg_error error = {0};

    expect_failure(name, verify(ca, trusted, &told, &verdict, &error), &error, code, part);
    assert_int_equal(told.len, 0);
    sg_buf_free(&verdict.text);
}

static int set_up(void **state)
{
    if (ca_make_home(state) != 0)
        return -1;
    return mkdir(path_in(*state, "out"), 0700);
}

/* ---- tests ---- */

static void the_standards_tree(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    make_statement(LIST, SAID("8", ROOT), &signer, &text);
    put(*state, "statement", sg_buf_slice(&text));
    expect_verdict("vector", *state,
                   "Md0.pem Md1.pem Md2.pem Md3.pem Md4.pem Md5.pem Md6.pem Md7.pem ");
}

static void an_empty_batch(void **state)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    make_statement("",
                   SAID("0", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
                   &signer, &text);
    put(*state, "statement", sg_buf_slice(&text));
    expect_verdict("empty", *state, "");
}

static void what_does_not_hold(void **state)
{
    static const struct {
        const char *name, *list, *said;
        const struct seal *seal, *trusted;
        enum sg_code code;
        const char *part;
    } cases[] = {
        {"count", LIST, SAID("7", ROOT), &signer, &root, SG_REFUSED, "is not the one"},
        {"root", LIST, SAID("8", "00"), &signer, &root, SG_REFUSED, "is not the one"},
        {"no list", "", SAID("8", ROOT), &signer, &root, SG_REFUSED, "is not the one"},
        {"no root", LIST, "{\"statement\": \"signet line 1\", \"certificates\": 8}", &signer, &root,
         SG_MALFORMED, "is no statement"},
        {"another version", LIST,
         "{\"statement\": \"signet line 2\", \"certificates\": 8, \"merkle_root\": \"" ROOT "\"}",
         &signer, &root, SG_MALFORMED, "is no statement"},
        {"not JSON", LIST, "8", &signer, &root, SG_MALFORMED, "is no statement"},
        {"a device", LIST, SAID("8", ROOT), &no_purpose, &root, SG_REFUSED, "documentSigning"},
        {"no usage", LIST, SAID("8", ROOT), &no_usage, &root, SG_REFUSED, "digitalSignature"},
        {"a stranger", LIST, SAID("8", ROOT), &stranger, &root, SG_REFUSED, "does not hold"},
        {"another root", LIST, SAID("8", ROOT), &signer, &own, SG_REFUSED, "does not hold"},
        {"no hash", "x d0.pem\n", SAID("1", ROOT), &signer, &root, SG_MALFORMED, ":1: not a hash"},
        {"half a hash", "6e34 d0.pem\n", SAID("1", ROOT), &signer, &root, SG_MALFORMED,
         ":1: not a hash"},
        {"no name", ROOT "\n", SAID("1", ROOT), &signer, &root, SG_MALFORMED, ":1: not a hash"},
        {"a path", ROOT " ../d0.pem\n", SAID("1", ROOT), &signer, &root, SG_MALFORMED,
         ":1: not a hash"},
    };

    for (size_t i = 0; i < NUM(cases); i++) {
        sg_auto(sg_buf) struct sg_buf text = {0};

        make_statement(cases[i].list, cases[i].said, cases[i].seal, &text);
        put(*state, "statement", sg_buf_slice(&text));
        expect_no_verdict(cases[i].name, *state, cases[i].trusted, cases[i].code, cases[i].part);
    }
    put(*state, "statement", sg_slice_text(LIST));
    expect_no_verdict("unsigned", *state, &root, SG_MALFORMED, "it has no signature");
}

static void one_signer(void **state)
{
    const struct seal *both[] = {&signer, &no_purpose};
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    expect_success("list", sg_buf_append(&text, LIST, strlen(LIST), 1 << 20, &error), &error);
    append_cms(&text, SAID("8", ROOT), both, 2);
    put(*state, "statement", sg_buf_slice(&text));
    expect_no_verdict("two", *state, &root, SG_REFUSED, "signed by one key");
}

/* No digit of a hash, and no two lines, can change places. */
static void every_digit_counts(void **state)
{
    size_t line = strcspn(LIST, "\n") + 1;
    sg_auto(sg_buf) struct sg_buf text = {0};

    make_statement(LIST, SAID("8", ROOT), &signer, &text);
    for (size_t i = 0; i < 2 * line; i += i % line == 63 ? line - 63 : 7) {
        uint8_t digit = text.data[i];

        text.data[i] = digit == '0' ? '1' : '0';
        put(*state, "statement", sg_buf_slice(&text));
        expect_no_verdict("digit", *state, &root, SG_REFUSED, "is not the one");
        text.data[i] = digit;
    }
    memcpy(text.data, LIST + line, line);
    memcpy(text.data + line, LIST, line);
    put(*state, "statement", sg_buf_slice(&text));
    expect_no_verdict("order", *state, &root, SG_REFUSED, "is not the one");
}

/* ---- signed as a run does ---- */

static const char POLICY[] = "policy: line\n"
                             "description: Devices of the line\n"
                             "who: {any: [operator]}\n"
                             "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                             "subject: [{CN: '${device.id}'}]\n"
                             "validity: {for: 30d}\n";

static void add(struct sg_statement *statement, struct ca *ca, const char *device)
{
    sg_auto(sg_buf) struct sg_buf pem = {0};
    struct ca_order order = {0};
    struct sg_error error = {0};
    char serial[SG_SERIAL_TEXT_SIZE], file[64];
    struct sg_served served = {.name = device, .serial = serial};

    ca_add_device(ca, device);
    ca_order(&order, NULL, device);
    ca_issue(ca, "line", &order);
    sg_serial_text(&order.job.serial, serial);
    make_pem("CERTIFICATE", sg_buf_slice(&order.job.certificate), &pem);
    snprintf(file, sizeof file, "out/%s.pem", device);
    put(ca, file, sg_buf_slice(&pem));
    expect_success(
        device, sg_statement_add(statement, &served, sg_buf_slice(&order.job.certificate), &error),
        &error);
    ca_order_done(&order);
}

static void a_batch_and_its_folder(void **state)
{
    struct ca *ca = *state;
    char path[160];
    struct sg_statement_spec spec = {path, signer.key, signer.certificate, NULL};
    sg_auto(sg_statement) struct sg_statement *statement = NULL;
    struct sg_statement_verdict verdict = {0};
    sg_auto(sg_buf) struct sg_buf told = {0};
    struct sg_issuing issuing;
    struct sg_error error = {0};
    json_t *said;

    ca_put_policy(ca, "line", POLICY);
    issuing = ca_issuing(ca, "line");
    snprintf(path, sizeof path, "%s", path_in(ca, "statement"));
    expect_success("open", sg_statement_open(&spec, &issuing, false, &statement, &error), &error);
    add(statement, ca, "device-AB12");
    add(statement, ca, "device-AB13");
    add(statement, ca, "device-AB14");
    assert_int_equal(access(path, F_OK), -1);
    expect_success("finish", sg_statement_finish(statement, &error), &error);

    expect_success("verify", verify(ca, &root, &told, &verdict, &error), &error);
    assert_int_equal(told.len, 0);
    assert_int_equal(verdict.num, 3);
    said = json_loadb((const char *)verdict.text.data, verdict.text.len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(said, "policy")), "line");
    assert_string_equal(json_string_value(json_object_get(said, "issuer")), "root");
    assert_string_not_equal(json_string_value(json_object_get(said, "first_serial")),
                            json_string_value(json_object_get(said, "last_serial")));
    json_decref(said);
    sg_buf_free(&verdict.text);

    snprintf(path, sizeof path, "%s", path_in(ca, "out/device-AB12.pem"));
    assert_int_equal(rename(path, path_in(ca, "out/stray.pem")), 0);
    put(ca, "out/device-AB13.pem", sg_slice_text("rubbish"));
    put(ca, "out/note.txt", sg_slice_text("nothing"));
    expect_verdict("folder", ca, "Mdevice-AB12.pem Cdevice-AB13.pem Xstray.pem ");
}

static void who_may_sign(void **state)
{
    static const struct {
        const struct seal *seal;
        const char *part;
    } cases[] = {{&no_purpose, "documentSigning"}, {&no_usage, "digitalSignature"}};

    (void)state;
    for (size_t i = 0; i < NUM(cases); i++) {
        struct sg_error error = {0};

        expect_failure(cases[i].part, sg_statement_check(cases[i].seal->certificate, &error),
                       &error, SG_REFUSED, cases[i].part);
    }
}

static void names_of_files(void **state)
{
    static const char *const NOT[] = {"", ".hidden", "a/b", "a\nb", "a\x7f"};
    struct sg_error error = {0};

    (void)state;
    expect_success("plain", sg_statement_check_name("device-AB12 (1)", &error), &error);
    for (size_t i = 0; i < NUM(NOT); i++) {
        struct sg_error why = {0};

        expect_failure(NOT[i], sg_statement_check_name(NOT[i], &why), &why, SG_REFUSED,
                       "can't be a file's name");
        assert_null(strchr(why.text, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_standards_tree, set_up, ca_remove_home),
        cmocka_unit_test_setup_teardown(an_empty_batch, set_up, ca_remove_home),
        cmocka_unit_test_setup_teardown(what_does_not_hold, set_up, ca_remove_home),
        cmocka_unit_test_setup_teardown(one_signer, set_up, ca_remove_home),
        cmocka_unit_test_setup_teardown(every_digit_counts, set_up, ca_remove_home),
        cmocka_unit_test_setup_teardown(a_batch_and_its_folder, set_up, ca_remove_home),
        cmocka_unit_test(who_may_sign),
        cmocka_unit_test(names_of_files),
    };

    return cmocka_run_group_tests(tests, make_seals, remove_seals);
}
