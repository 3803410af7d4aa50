/* What a proof finds out: every change of a bundle, also when it was signed again. */
#include "ceremony_forge.h"

static struct stage stage;
static struct sg_ceremony_signers signers;

static int set_up(void **state)
{
    struct sg_error error = {0};

    (void)state;
    set_up_stage(&stage, true);
    expect_success("plan", draft(&stage, PERSONS SEALS ACTS LAST_ACTS, &error), &error);
    expect_run(&stage, "run", (struct cast){0}, SG_OK, "");
    read_signers(&stage, &signers);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sg_ceremony_signers_done(&signers);
    tear_down_stage(&stage);
    return 0;
}

static void read_signed(struct sg_ceremony_bundle *bundle)
{
    read_run(&stage, bundle);
    sign_bundle(&stage, bundle);
}

static void expect_refused(const char *name, const struct sg_ceremony_bundle *bundle)
{
    struct sg_error error = {0};

    if (prove(&stage, bundle, &signers, &error))
        fail_msg("%s: was not found out", name);
}

static void remove_file(struct sg_ceremony_bundle *bundle, size_t i)
{
    free(bundle->files.items[i].name);
    sg_buf_free(&bundle->files.items[i].bytes);
    bundle->files.num--;
    memmove(&bundle->files.items[i], &bundle->files.items[i + 1],
            (bundle->files.num - i) * sizeof bundle->files.items[0]);
}

static void every_file_counts(void **state)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle whole = {0};
    struct sg_error error = {0};

    (void)state;
    read_signed(&whole);
    expect_success("whole", prove(&stage, &whole, &signers, &error), &error);
    assert_int_equal(whole.files.num, 10);
    for (size_t i = 0; i < whole.files.num; i++) {
        struct sg_buf *bytes = &whole.files.items[i].bytes;
        sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle without = {0};

        for (size_t at = 0; at < bytes->len; at += bytes->len / 16 + 1) {
            bytes->data[at] ^= 1;
            expect_refused(whole.files.items[i].name, &whole);
            bytes->data[at] ^= 1;
        }
        bytes->len--;
        expect_refused(whole.files.items[i].name, &whole);
        bytes->len++;
        read_signed(&without);
        remove_file(&without, i);
        expect_refused(whole.files.items[i].name, &without);
    }
}

static void nothing_can_be_added(void **state)
{
    static const char *const NAMES[] = {"note", "out/more.pem", "signatures/eve", "signatures/Ada"};

    (void)state;
    for (size_t i = 0; i < NUM(NAMES); i++) {
        sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};

        read_signed(&bundle);
        set_file(&bundle, NAMES[i], sg_slice_text("x"));
        expect_refused(NAMES[i], &bundle);
    }
}

/* ---- those who sign are of one mind with those who change ---- */

static const struct {
    const char *name, *check;
    const char *file;      /* NULL: the record's line with `old` goes */
    const char *old, *new; /* new NULL: the file becomes the text old */
} CHANGES[] = {
    {"no begin", "record", NULL, "\"event\":\"begin\"", NULL},
    {"no end", "record", NULL, "\"event\":\"end\"", NULL},
    {"no clock", "course", NULL, "\"event\":\"clock\"", NULL},
    {"a clock that one person confirmed", "course", "transcript.jsonl",
     "\"confirmed_by\":[\"Ada\",\"Dora\"]", "\"confirmed_by\":[\"Ada\"]"},
    {"a clock that no witness confirmed", "course", "transcript.jsonl",
     "\"confirmed_by\":[\"Ada\",\"Dora\"]", "\"confirmed_by\":[\"Ada\",\"Ada\"]"},
    {"a clock that a custodian confirmed", "course", "transcript.jsonl",
     "\"confirmed_by\":[\"Ada\",\"Dora\"]", "\"confirmed_by\":[\"Bob\",\"Dora\"]"},
    {"no approval", "course", NULL, "\"event\":\"approved\"", NULL},
    {"no seal", "course", NULL, "\"event\":\"seal\"", NULL},
    {"no act", "course", NULL, "\"event\":\"act\"", NULL},
    {"an act not done", "course", NULL, "\"event\":\"done\"", NULL},
    {"no key", "keys", NULL, "\"event\":\"key\"", NULL},
    {"nothing signed", "outputs", NULL, "\"event\":\"signed\"", NULL},
    {"nothing on the token", "tokens", NULL, "\"when\":\"before\"", NULL},
    {"nothing on it after", "tokens", NULL, "\"when\":\"after\"", NULL},
    {"a key not destroyed", "course", NULL, "\"event\":\"destroyed\"", NULL},
    {"a PIN not changed", "course", NULL, "\"event\":\"pin-changed\"", NULL},
    {"another approval", "course", "transcript.jsonl", "\"digest\":\"", "\"digest\":\"0"},
    {"other initials", "course", "transcript.jsonl", "\"initials\":{\"Dora\":\"D\"}",
     "\"initials\":{\"Dora\":\"E\"}"},
    {"a key that can leave", "keys", "transcript.jsonl", "\"EXTRACTABLE\":false",
     "\"EXTRACTABLE\":true"},
    {"a key from elsewhere", "keys", "transcript.jsonl", "\"LOCAL\":true", "\"LOCAL\":false"},
    {"another id", "keys", "transcript.jsonl", "\"id\":\"", "\"id\":\"00"},
    {"a signature more", "signed", "transcript.jsonl", "\"signatures\":{\"root\":4",
     "\"signatures\":{\"root\":5"},
    {"another token", "tokens", "transcript.jsonl", "\"serial\":\"", "\"serial\":\"0"},
    {"a failure", "record", "transcript.jsonl", "\"event\":\"modules\"", "\"event\":\"failed\""},
    {"a rehearsal", "record", "transcript.jsonl", "\"rehearsal\":false", "\"rehearsal\":true"},
    {"another plan", "plan", "plan.json", "CN=Root", "CN=Boot"},
    {"no certificate", "outputs", "out/root.pem", "nothing", NULL},
};

static void signing_again_does_not_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CHANGES); i++) {
        sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
        struct sg_error error = {0};

        read_run(&stage, &bundle);
        if (CHANGES[i].file == NULL)
            drop_line(&stage, &bundle, CHANGES[i].old);
        else if (CHANGES[i].new == NULL)
            set_file(&bundle, CHANGES[i].file, sg_slice_text(CHANGES[i].old));
        else
            replace(&bundle, CHANGES[i].file, CHANGES[i].old, CHANGES[i].new);
        if (CHANGES[i].file != NULL && strcmp(CHANGES[i].file, "transcript.jsonl") == 0)
            chain_anew(&stage, &bundle);
        sign_bundle(&stage, &bundle);
        if (prove(&stage, &bundle, &signers, &error))
            fail_msg("%s: was not found out", CHANGES[i].name);
        if (strcmp(error.rule, CHANGES[i].check) != 0)
            fail_msg("%s: should fail at %s, failed at %s: %s", CHANGES[i].name, CHANGES[i].check,
                     error.rule, error.text);
    }
}

/* A certificate of the same bytes, signed by another key, and the record changed to go with it. */
static void a_signature_by_another_key_is_found_out(void **state)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *other = make_own_key("P-384");
    sg_auto(BIO) BIO *in = NULL;
    sg_auto(BIO) BIO *out = BIO_new(BIO_s_mem());
    sg_auto(X509) X509 *certificate = NULL;
    struct sg_buf *file;
    struct sg_error error = {0};
    char *bytes;

    (void)state;
    read_run(&stage, &bundle);
    file = need_file(&bundle, "out/sub.pem");
    in = BIO_new_mem_buf(file->data, (int)file->len);
    certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
    assert_true(X509_sign(certificate, other, EVP_sha384()) > 0);
    assert_int_equal(PEM_write_bio_X509(out, certificate), 1);
    long len = BIO_get_mem_data(out, &bytes);
    set_file(&bundle, "out/sub.pem", sg_slice_of(bytes, (size_t)len));

    const json_t *entry;
    sg_auto(sg_transcript) struct sg_transcript transcript = {.fd = -1};
    uint8_t *der = NULL, digest[SG_SHA256_LEN];
    char hex[SG_SHA256_HEX_SIZE], recorded[SG_SHA256_HEX_SIZE];
    int der_len = i2d_X509(certificate, &der);
    expect_success("record",
                   sg_transcript_read(sg_buf_slice(need_file(&bundle, "transcript.jsonl")),
                                      stage.ceremony.sha256, &transcript, &error),
                   &error);
    entry = sg_transcript_of_act(&transcript, "signed", 3, "sub.pem");
    snprintf(recorded, sizeof recorded, "%s", json_string_value(json_object_get(entry, "sha256")));
    sg_sha256(sg_slice_of(der, (size_t)der_len), digest);
    OPENSSL_free(der);
    replace(&bundle, "transcript.jsonl", recorded,
            sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex));
    chain_anew(&stage, &bundle);
    sign_bundle(&stage, &bundle);
    expect_failure("signed by another", prove(&stage, &bundle, &signers, &error), &error,
                   SG_REFUSED, "out/sub.pem is not signed by the key root");
}

/* ---- what comes from outside ---- */

static void the_digest_and_the_signers_come_from_outside(void **state)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    struct sg_ceremony_signers one = {signers.items, 1};
    struct sg_error alone = {0}, digest = {0};
    char right = stage.ceremony.sha256[0];

    (void)state;
    read_signed(&bundle);
    expect_failure("one of two", prove(&stage, &bundle, &one, &alone), &alone, SG_REFUSED,
                   "there are 2 signatures, and 1 signers were given");
    stage.ceremony.sha256[0] = right == '0' ? '1' : '0';
    expect_failure("digest", prove(&stage, &bundle, &signers, &digest), &digest, SG_REFUSED,
                   "not the one that was given");
    stage.ceremony.sha256[0] = right;
}

static void signers_have_the_plans_keys(void **state)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    sg_auto(sg_ceremony_signers) struct sg_ceremony_signers others = {0};
    EVP_PKEY *ada = stage.ada;
    struct sg_error error = {0};

    (void)state;
    stage.ada = make_own_key(NULL);
    read_signed(&bundle);
    read_signers(&stage, &others);
    expect_failure("another Ada", prove(&stage, &bundle, &others, &error), &error, SG_REFUSED,
                   "Ada, who is to sign by the plan, is not among the signers given");
    EVP_PKEY_free(stage.ada);
    stage.ada = ada;
}

#define PEM_ADA                                                                                    \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"                               \
    "-----END PUBLIC KEY-----\n"

#define SSH_ADA                                                                                    \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIPc3YMhVyKphKnqC449YOZoY59Z5/6PKOxkMMrBeHCF ada@home\n"
/* RSA of 1,024 bits. */
#define SSH_WEAK                                                                                   \
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ"                                                       \
    "DOwpW5WQfhCjF00MNGpWmC8+tWQSJkOXaHbvQywmaP8ezsYcaT9D/kX3X8r+KX3rsjfKUh5ti9h8ZtWP"             \
    "pCnbwHmFCPLENVpv+dMPZRNe+Vx8Pb8UeyHO7FXn776bhc1gSGDtm9XzfXjX/+JBiU0JrzEbpdfBFNIl"             \
    "4bS5sXgg1tmw==\n"

static void files_of_signers_are_read_strictly(void **state)
{
    static const struct {
        const char *name, *text, *complaint;
    } CASES[] = {
        {"one", "Ada\n" PEM_ADA, NULL},
        {"comments and empty lines", "# who\r\n\nAda B\n" PEM_ADA "\n# end\n", NULL},
        {"of both kinds", "Ada\n" SSH_ADA "Bob\n" PEM_ADA, NULL},
        {"an SSH key twice", "Ada\n" SSH_ADA "Bob\n" SSH_ADA, "f:4: this name or key is there"},
        {"an SSH key without a name", SSH_ADA, "f:1: a key without a line before it"},
        {"two SSH keys", "Ada\n" SSH_ADA SSH_ADA, "f:3: a key without a line before it"},
        {"half of an SSH key", "Ada\nssh-ed25519 AAAA\n", "f:2: Ada: an SSH key"},
        {"a weak one", "Ada\n" SSH_WEAK, "f:2: Ada: "},
        {"nobody", "# nobody\n", "f:1: nobody is there"},
        {"empty", "", "nobody is there"},
        {"a key without a name", PEM_ADA, "f:1: a key without a line before it"},
        {"a name without a key", "Ada\n", "f:1: the last name has no key"},
        {"two names", "Ada\nBob\n" PEM_ADA, "f:2: a name, and the one before it has no key"},
        {"a key twice", "Ada\n" PEM_ADA "Bob\n" PEM_ADA, "f:8: this name or key is there twice"},
        {"no key", "Ada\n-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
         "Ada: neither a public key"},
        {"a private key",
         "Ada\n-----BEGIN PRIVATE "
         "KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7"
         "rAMcrn9g\n-----END PRIVATE KEY-----\n",
         "Ada: neither a public key"},
        {"a block without an end", "Ada\n-----BEGIN PUBLIC KEY-----\nMAA=\n",
         "the last name has no key"},
        {"a bell", "A\a\n" PEM_ADA, "f:1: "},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_ceremony_signers) struct sg_ceremony_signers read = {0};
        struct sg_error error = {0};
        bool verdict = sg_ceremony_signers_parse("f", sg_slice_text(CASES[i].text), &read, &error);

        if (CASES[i].complaint == NULL)
            expect_success(CASES[i].name, verdict, &error);
        else if (verdict || strstr(error.text, CASES[i].complaint) == NULL)
            fail_msg("%s: said '%s'", CASES[i].name, error.text);
    }
}

/* ---- archives ---- */

/* Puts the signed parts into the ceremony's folder, as `signet ceremony sign` does. */
static void write_signed_parts(const struct sg_ceremony_bundle *bundle)
{
    static const char *const NAMES[] = {"MANIFEST", "signatures/ada", "signatures/dora"};
    struct sg_error error = {0};
    char path[160];

    snprintf(path, sizeof path, "%s/signatures", stage.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < NUM(NAMES); i++) {
        struct sg_slice bytes = {0};

        snprintf(path, sizeof path, "%s/%s", stage.folder, NAMES[i]);
        expect_success(NAMES[i], sg_ceremony_bundle_find(bundle, NAMES[i], &bytes, &error), &error);
        expect_success(NAMES[i], sg_file_write(path, bytes, 0600, SG_REPLACE_EXISTING, &error),
                       &error);
    }
}

static void make_archive(char path[128])
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle whole = {0};
    struct sg_error error = {0};

    in_folder(&stage, "b.tar", path);
    if (access(path, F_OK) == 0)
        return;
    read_signed(&bundle);
    write_signed_parts(&bundle);
    read_run(&stage, &whole);
    assert_int_equal(whole.files.num, 10);
    expect_success("write", sg_ceremony_bundle_write_tar(&whole, path, &error), &error);
}

static void an_archive_is_read_as_it_was_written(void **state)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle again = {0};
    struct sg_error error = {0};
    char path[128];

    (void)state;
    make_archive(path);
    expect_success("read", sg_ceremony_bundle_read_tar(path, &again, &error), &error);
    expect_success("prove", prove(&stage, &again, &signers, &error), &error);
}

/* Bytes that are no file's, too: an archive's own fields, and what stands behind its end. */
static void every_byte_of_an_archive_counts(void **state)
{
    sg_auto(sg_buf) struct sg_buf tar = {0};
    struct sg_error error = {0};
    char path[128], changed[128];

    (void)state;
    make_archive(path);
    in_folder(&stage, "changed.tar", changed);
    expect_success("bytes", sg_file_read(path, 1 << 20, &tar, &error), &error);
    /* The last one is the zero byte that a buffer has behind its end: an archive of one more. */
    for (size_t at = 0; at <= tar.len; at += at < 2048            ? 31
                                             : tar.len - at > 509 ? 509
                                             : at == tar.len      ? 1
                                                                  : tar.len - at) {
        sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
        uint8_t *byte = &tar.data[at];
        struct sg_slice bytes = sg_slice_of(tar.data, tar.len + (at == tar.len));

        *byte ^= 1;
        expect_success("change", sg_file_write(changed, bytes, 0600, SG_REPLACE_EXISTING, &error),
                       &error);
        if (sg_ceremony_bundle_read_tar(changed, &bundle, NULL) &&
            prove(&stage, &bundle, &signers, NULL))
            fail_msg("byte %zu of the archive could be changed", at);
        *byte ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_counts),
        cmocka_unit_test(nothing_can_be_added),
        cmocka_unit_test(signing_again_does_not_help),
        cmocka_unit_test(a_signature_by_another_key_is_found_out),
        cmocka_unit_test(the_digest_and_the_signers_come_from_outside),
        cmocka_unit_test(signers_have_the_plans_keys),
        cmocka_unit_test(files_of_signers_are_read_strictly),
        cmocka_unit_test(an_archive_is_read_as_it_was_written),
        cmocka_unit_test(every_byte_of_an_archive_counts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
