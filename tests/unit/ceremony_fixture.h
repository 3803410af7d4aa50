/* ceremony_fixture: a ceremony of a root, an issuing CA and CRLs, people who answer by themselves,
 * and everything that uses PKCS#11 in processes of their own, as each may die. */
#ifndef SG_TEST_CEREMONY_FIXTURE_H
#define SG_TEST_CEREMONY_FIXTURE_H

#include "token_fixture.h"

#include <openssl/pem.h>
#include <sys/wait.h>

#include "ceremony/prove.h"
#include "ceremony/run.h"

/* 2027-01-11T09:00:00Z, and an hour later. */
enum { BEGINS = 1799658000, NOW = BEGINS + 3600 };

struct stage {
    struct fixture fixture;
    char serial[32];
    EVP_PKEY *ada, *dora;
    struct sg_ceremony ceremony;
    char folder[128]; /* of the run */
    bool has_pad;     /* the token has: PINs are typed there, as odd_module.c tells */
};

#define PERSONS                                                                                    \
    "persons:\n"                                                                                   \
    "  - {name: Ada, role: administrator, key: ada.pub}\n"                                         \
    "  - {name: Bob, role: custodian}\n"                                                           \
    "  - {name: Dora, role: witness, key: dora.pub}\n"
#define SEALS "seals: [{item: the bag, number: A7}]\n"
#define ACTS                                                                                       \
    "acts:\n"                                                                                      \
    "  - make-key: {key: root, token: root, label: root, type: P-384}\n"                           \
    "  - self-signed: {name: root, key: root, policy: root-ca, subject: CN=Root, output: "         \
    "root.pem}\n"                                                                                  \
    "  - make-key: {key: sub, token: root, label: sub, type: P-256}\n"                             \
    "  - certificate: {name: sub, issuer: root, key: sub, policy: issuing-ca, subject: CN=Sub, "   \
    "output: sub.pem}\n"                                                                           \
    "  - crl: {issuer: root, number: 10, lifetime: 30d, series: {count: 2, every: 20d, step: "     \
    "10}, "                                                                                        \
    "output: root.crl}\n"

/* And what an old CA comes to. */
#define LAST_ACTS                                                                                  \
    "  - destroy: {key: sub}\n"                                                                    \
    "  - change-pin: {token: root, pin: [Ada]}\n"

static inline void in_folder(const struct stage *stage, const char *name, char into[128])
{
    fixture_path(&stage->fixture, name, into);
}

static inline void put(const struct stage *stage, const char *name, const char *text)
{
    char path[128];

    in_folder(stage, name, path);
    write_text(path, text, 0600);
}

static inline void put_public_key(const struct stage *stage, const char *name, EVP_PKEY *key)
{
    char path[128];
    FILE *file;

    in_folder(stage, name, path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PUBKEY(file, key), 1);
    fclose(file);
}

/* A person's own key: "P-384", or NULL for Ed25519. */
static inline EVP_PKEY *make_own_key(const char *curve)
{
    EVP_PKEY *key = curve != NULL ? EVP_EC_gen(curve) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    assert_non_null(key);
    return key;
}

/* Another CA's certificate, signed by itself. */
struct other_ca {
    const char *path_length; /* "" or ",pathlen:0" */
    const char *key_id;      /* "hash", or hex */
    int string_type;         /* of the subject's CN; 0: UTF8String */
    int64_t not_before;      /* 0: a day before BEGINS */
};

static inline void put_other_ca(const struct stage *stage, const char *name, EVP_PKEY *key,
                                struct other_ca ca)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    const char *const values[][2] = {{"basicConstraints", "critical,CA:TRUE"},
                                     {"keyUsage", "critical,keyCertSign,cRLSign"},
                                     {"subjectKeyIdentifier", ca.key_id}};
    char path[128], value[64];
    X509V3_CTX context;
    FILE *file;

    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
    X509_NAME_add_entry_by_txt(subject, "CN", ca.string_type != 0 ? ca.string_type : MBSTRING_UTF8,
                               (const unsigned char *)"Other CA", -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    ASN1_TIME_set(X509_getm_notBefore(certificate),
                  ca.not_before != 0 ? ca.not_before : BEGINS - 86400);
    ASN1_TIME_set(X509_getm_notAfter(certificate), BEGINS + 100 * 86400);
    X509_set_pubkey(certificate, key);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    for (size_t i = 0; i < NUM(values); i++) {
        snprintf(value, sizeof value, "%s%s", values[i][1], i == 0 ? ca.path_length : "");
        X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, &context, values[i][0], value);
        assert_non_null(extension);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_sign(certificate, key, EVP_sha384()) > 0);
    in_folder(stage, name, path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    X509_free(certificate);
}

/* ---- processes ---- */

/* in_child runs something in a process of its own and returns its exit status. */
static inline int in_child(struct stage *stage, int (*what)(struct stage *stage, void *context),
                           void *context)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(what(stage, context));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline int child_makes_token(struct stage *stage, void *context)
{
    struct sg_token_info info = make_token("root");

    (void)context;
    put(stage, "serial", info.serial_number);
    return 0;
}

/* ---- ceremonies ---- */

/* settings  everything of ceremony.yaml but title, place, begin and tokens. */
static inline bool draft(struct stage *stage, const char *settings, struct sg_error *error)
{
    char text[8192], path[128];

    snprintf(text, sizeof text,
             "ceremony: Test\nplace: Here\nbegins: 2027-01-11T09:00:00Z\n"
             "tokens:\n  root: {%s%s, uri: 'pkcs11:token=root', serial: '%s', pin: "
             "[Bob, Dora]}\n%s",
             stage->has_pad ? "module: " : "profile: ",
             stage->has_pad ? getenv("SIGNET_ODD_MODULE") : "softhsm", stage->serial, settings);
    put(stage, "ceremony.yaml", text);
    in_folder(stage, "ceremony.yaml", path);
    sg_ceremony_done(&stage->ceremony);
    return sg_ceremony_draft(path, &stage->ceremony, error);
}

static inline void set_up_stage(struct stage *stage, bool with_token)
{
    sg_auto(sg_buf) struct sg_buf serial = {0};
    struct sg_error error = {0};
    char path[128];

    *stage = (struct stage){0};
    fixture_init(&stage->fixture);
    stage->ada = make_own_key(NULL);
    stage->dora = make_own_key("P-384");
    put_public_key(stage, "ada.pub", stage->ada);
    put_public_key(stage, "dora.pub", stage->dora);
    in_folder(stage, "run", stage->folder);
    strcpy(stage->serial, "0123456789abcdef");
    if (!with_token)
        return;
    assert_int_equal(in_child(stage, child_makes_token, NULL), 0);
    in_folder(stage, "serial", path);
    expect_success("serial", sg_file_read(path, 100, &serial, &error), &error);
    snprintf(stage->serial, sizeof stage->serial, "%s", (char *)serial.data);
}

static inline void tear_down_stage(struct stage *stage)
{
    sg_ceremony_done(&stage->ceremony);
    EVP_PKEY_free(stage->ada);
    EVP_PKEY_free(stage->dora);
    fixture_done(&stage->fixture);
}

/* ---- people ---- */

struct cast {
    int die_after;            /* lines of the record; 0: live */
    enum sg_question instead; /* this question gets */
    const char *answer;       /* this answer, once; NULL: the right one */
    int from;                 /* but only when it is asked for this time, from 1 */
    const char *moments[2];   /* typed when the clock is wrong; NULL: what it says */
    int slips;                /* in typing a new PIN the second time */
    int wrong_pins;           /* typed before the right one */
    int64_t now;              /* 0: NOW */
    bool rehearsal;
    bool no_typing; /* nobody may be asked for a PIN */
    const char *approvals[4];
    size_t num_approvals;
    struct sg_error error;
    int records, asked, pins, typed;
};

static inline bool show_nobody(void *context, const char *text, struct sg_error *error)
{
    (void)context;
    (void)text;
    (void)error;
    return true;
}

static inline bool answer(void *context, enum sg_question question, const char *text,
                          const char *wanted, char into[SG_ANSWER_SIZE], struct sg_error *error)
{
    struct cast *cast = context;
    const char *said = wanted[0] != '\0' ? wanted : "because";

    if (question == SG_ASK_MOMENT && cast->typed < 2 && cast->moments[cast->typed] != NULL)
        said = cast->moments[cast->typed++];

    (void)text;
    (void)error;
    if (cast->answer != NULL && question == cast->instead && ++cast->asked >= cast->from) {
        said = cast->answer;
        cast->answer = NULL;
    }
    snprintf(into, SG_ANSWER_SIZE, "%s", said);
    return true;
}

/* The PIN is 1234; Bob types its first half, Dora the rest, each 1234 in a rehearsal. Ada's is
 * 5555, when it is changed. */
static inline bool type_pin(void *context, const char *text, struct sg_secret **pin,
                            struct sg_error *error)
{
    struct cast *cast = context;
    const char *part =
        strstr(text, "(Ada)") != NULL && !cast->rehearsal
            ? strstr(text, "New PIN, again") != NULL && cast->slips-- > 0 ? "5556" : "5555"
        : cast->rehearsal                 ? SG_CEREMONY_REHEARSAL_PIN
        : strstr(text, "part 1") != NULL  ? "12"
        : cast->pins++ < cast->wrong_pins ? (const char *[]){"35", "36", "37", "38"}[cast->pins]
                                          : "34";

    if (cast->no_typing)
        return sg_fail(error, SG_INTERNAL, NULL, "asked: %s", text);
    *pin = make_secret(part);
    return true;
}

static inline void count_record(void *context)
{
    struct cast *cast = context;

    if (++cast->records == cast->die_after)
        _exit(99);
}

static inline int64_t now_of(void *context)
{
    const struct cast *cast = context;

    return cast->now != 0 ? cast->now : NOW;
}

/* Runs, and writes the error where the parent finds it. */
static inline int child_runs(struct stage *stage, void *context)
{
    struct cast *cast = context;
    const struct sg_ceremony_people people = {
        .context = cast, .show = show_nobody, .ask = answer, .pin = type_pin};
    const struct sg_ceremony_options options = {
        .folder = stage->folder,
        .version = "0",
        .refusals = stage->fixture.refusals,
        .rehearsal = cast->rehearsal,
        .approvals = cast->approvals,
        .num_approvals = cast->num_approvals,
        .clock = {now_of, cast},
        .after_record = count_record,
        .record_context = cast,
    };
    struct sg_error error = {0};
    char text[SG_ERROR_TEXT_SIZE + 128];

    if (sg_ceremony_run(&stage->ceremony, &options, &people, &error))
        return 0;
    snprintf(text, sizeof text, "%s: %s", error.rule, error.text);
    put(stage, "error", text);
    return (int)error.code;
}

/* run_cast returns SG_OK or the code that the run failed with, 99 when it died. */
static inline int run_cast(struct stage *stage, struct cast *cast)
{
    char path[128];

    in_folder(stage, "error", path);
    unlink(path);
    return in_child(stage, child_runs, cast);
}

static inline void expect_run(struct stage *stage, const char *name, struct cast cast,
                              enum sg_code code, const char *part)
{
    sg_auto(sg_buf) struct sg_buf said = {0};
    char path[128];
    int status = run_cast(stage, &cast);

    in_folder(stage, "error", path);
    (void)!sg_file_read(path, 2000, &said, NULL);
    if (status != (int)code || (code != SG_OK && strstr((char *)said.data, part) == NULL))
        fail_msg("%s: code %d, and it said: %s", name, status, (char *)said.data);
}

/* ---- proofs ---- */

static inline bool no_report(void *context, const char *check, const char *what,
                             struct sg_error *error)
{
    (void)context;
    (void)check;
    (void)what;
    (void)error;
    return true;
}

static inline struct sg_buf *find_file(struct sg_ceremony_bundle *bundle, const char *name)
{
    for (size_t i = 0; i < bundle->files.num; i++)
        if (strcmp(bundle->files.items[i].name, name) == 0)
            return &bundle->files.items[i].bytes;
    return NULL;
}

static inline struct sg_buf *need_file(struct sg_ceremony_bundle *bundle, const char *name)
{
    struct sg_buf *bytes = find_file(bundle, name);

    if (bytes == NULL)
        abort();
    return bytes;
}

static inline void set_file(struct sg_ceremony_bundle *bundle, const char *name,
                            struct sg_slice bytes)
{
    struct sg_buf *there = find_file(bundle, name);
    struct sg_error error = {0};

    if (there != NULL)
        expect_success(name, sg_buf_set(there, bytes, &error), &error);
    else
        expect_success(name, sg_ceremony_materials_add(&bundle->files, name, bytes, &error),
                       &error);
}

static inline void sign_as(struct sg_ceremony_bundle *bundle, const char *name, EVP_PKEY *key)
{
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
    const struct sg_buf *manifest = need_file(bundle, SG_CEREMONY_MANIFEST);
    const EVP_MD *digest = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha384();
    uint8_t signature[256];
    size_t len = sizeof signature;

    assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, manifest->data, manifest->len), 1);
    set_file(bundle, name, sg_slice_of(signature, len));
}

/* Signed by both, as it stands now. */
static inline void sign_bundle(const struct stage *stage, struct sg_ceremony_bundle *bundle)
{
    sg_auto(sg_buf) struct sg_buf manifest = {0};
    struct sg_error error = {0};

    expect_success("manifest", sg_ceremony_manifest(bundle, &manifest, &error), &error);
    set_file(bundle, SG_CEREMONY_MANIFEST, sg_buf_slice(&manifest));
    sign_as(bundle, SG_CEREMONY_SIGNATURES "ada", stage->ada);
    sign_as(bundle, SG_CEREMONY_SIGNATURES "dora", stage->dora);
}

static inline void read_signers(const struct stage *stage, struct sg_ceremony_signers *signers)
{
    sg_auto(BIO) BIO *text = BIO_new(BIO_s_mem());
    struct sg_error error = {0};
    char *bytes;

    BIO_puts(text, "# who signs\n\nAda\n");
    assert_int_equal(PEM_write_bio_PUBKEY(text, stage->ada), 1);
    BIO_puts(text, "Dora\n");
    assert_int_equal(PEM_write_bio_PUBKEY(text, stage->dora), 1);
    long len = BIO_get_mem_data(text, &bytes);
    expect_success(
        "signers",
        sg_ceremony_signers_parse("signers", sg_slice_of(bytes, (size_t)len), signers, &error),
        &error);
}

static inline void read_run(const struct stage *stage, struct sg_ceremony_bundle *bundle)
{
    struct sg_error error = {0};

    expect_success("folder", sg_ceremony_bundle_read_folder(stage->folder, bundle, &error), &error);
}

static inline bool prove(const struct stage *stage, const struct sg_ceremony_bundle *bundle,
                         const struct sg_ceremony_signers *signers, struct sg_error *error)
{
    const struct sg_ceremony_proving proving = {
        .plan_sha256 = stage->ceremony.sha256, .signers = signers, .report = no_report};

    return sg_ceremony_prove(bundle, &proving, error);
}

static inline void draft_whole(struct stage *stage)
{
    struct sg_error error = {0};

    expect_success("plan", draft(stage, PERSONS SEALS ACTS, &error), &error);
}

static inline void expect_proved(const struct stage *stage, const char *name)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    sg_auto(sg_ceremony_signers) struct sg_ceremony_signers signers = {0};
    struct sg_error error = {0};

    read_run(stage, &bundle);
    read_signers(stage, &signers);
    sign_bundle(stage, &bundle);
    expect_success(name, prove(stage, &bundle, &signers, &error), &error);
}

/* Makes a key; the first act's with the id that it would get. */
static inline int child_makes_key(struct stage *stage, void *context)
{
    struct sg_token_config config = config_of(&stage->fixture);
    const char *label = context;
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_token *token;
    struct sg_error error = {0};

    config.uri = "pkcs11:token=root";
    token = open_token(&config);
    expect_success("key",
                   sg_key_create(token, (struct sg_key_kind){SG_KEY_EC, 384}, label,
                                 strcmp(label, "root") == 0
                                     ? sg_slice_of(stage->ceremony.drawn[0], SG_CEREMONY_DRAWN_LEN)
                                     : (struct sg_slice){0},
                                 &key, &error),
                   &error);
    sg_token_close(token);
    return 0;
}

#endif
