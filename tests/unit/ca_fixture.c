#include "ca_fixture.h"

#include <sys/stat.h>

#include "base/file.h"
#include "store/sqlite.h"
#include "token/profile.h"

static const char SO_PIN[] = "87654321", USER_PIN[] = "test-1234";

/* ---- the token ---- */

static struct sg_secret *make_secret(const char *text)
{
    struct sg_secret *secret = NULL;
    struct sg_error error = {0};

    expect_success("secret", sg_secret_new(strlen(text), &secret, &error), &error);
    memcpy(sg_secret_data(secret), text, strlen(text));
    return secret;
}

static void put_text(const char *path, const char *text)
{
    struct sg_error error = {0};

    expect_success(
        path, sg_file_write(path, sg_slice_text(text), 0600, SG_REPLACE_EXISTING, &error), &error);
}

/* The odd module passes everything on to the first module of the shipped profile that is there. */
static void find_softhsm(void)
{
    sg_auto(sg_profile) struct sg_profile profile = {0};
    struct sg_error error = {0};

    expect_success("profile", sg_profile_load("softhsm", &profile, &error), &error);
    for (size_t i = 0; i < profile.num_modules; i++)
        if (access(profile.modules[i], F_OK) == 0) {
            setenv("ODD_WRAPS", profile.modules[i], 1);
            return;
        }
    fail_msg("SoftHSM is not installed");
}

static void set_environment(const struct ca *ca)
{
    char path[128], text[256];

    setenv("SIGNET_DATA", getenv("SIGNET_SOURCE"), 1);
    setenv("SIGNET_TEST_PIN", USER_PIN, 1);
    snprintf(path, sizeof path, "%s/tokens", ca->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(text, sizeof text,
             "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", path);
    snprintf(path, sizeof path, "%s/softhsm2.conf", ca->folder);
    put_text(path, text);
    setenv("SOFTHSM2_CONF", path, 1);
    snprintf(path, sizeof path, "%s/state", ca->folder);
    setenv("XDG_STATE_HOME", path, 1);
    find_softhsm();
}

struct sg_token *ca_open_token(const struct ca *ca)
{
    char refusals[128];
    const struct sg_token_config config = {.module = getenv("SIGNET_ODD_MODULE"),
                                           .uri = CA_TOKEN,
                                           .pin = "env:SIGNET_TEST_PIN",
                                           .refusals = refusals};
    struct sg_token *token = NULL;
    struct sg_error error = {0};

    snprintf(refusals, sizeof refusals, "%s/refused-pins", ca->folder);
    expect_success("token", sg_token_open(&config, &token, &error), &error);
    return token;
}

void ca_make_key(const struct ca *ca, const char *label)
{
    sg_auto(sg_token) struct sg_token *token = ca_open_token(ca);
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_error error = {0};

    expect_success(label,
                   sg_key_create(token, (struct sg_key_kind){SG_KEY_EC, 256}, label,
                                 (struct sg_slice){0}, &key, &error),
                   &error);
}

int ca_make_token(void **state)
{
    static struct ca ca;
    sg_auto(sg_secret) struct sg_secret *so_pin = make_secret(SO_PIN);
    sg_auto(sg_secret) struct sg_secret *user_pin = make_secret(USER_PIN);
    struct sg_token_info info;
    struct sg_error error = {0};

    *state = &ca;
    if (getenv("SIGNET_SOURCE") == NULL || getenv("SIGNET_ODD_MODULE") == NULL)
        fail_msg("meson test sets SIGNET_SOURCE and SIGNET_ODD_MODULE");
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    make_folder(ca.folder);
    set_environment(&ca);
    expect_success("token",
                   sg_token_init(NULL, getenv("SIGNET_ODD_MODULE"), "signet-test", so_pin, user_pin,
                                 &info, &error),
                   &error);
    ca_make_key(&ca, "root");
    return 0;
}

int ca_remove_token(void **state)
{
    struct ca *ca = *state;

    remove_folder(ca->folder);
    return 0;
}

/* ---- the home ---- */

static int64_t tell_time(void *context)
{
    return ((const struct ca *)context)->now;
}

static void open_home(struct ca *ca)
{
    struct sg_error error = {0};

    expect_success("home", sg_home_open(ca->dir, SG_STORE_OPEN, &ca->home, &error), &error);
}

static void open_issuer(struct ca *ca)
{
    struct sg_error error = {0};

    expect_success("issuer", sg_home_issuer(ca->home, NULL, SG_ISSUER_TO_SIGN, &ca->issuer, &error),
                   &error);
}

static void certify_root(struct ca *ca)
{
    sg_auto(sg_name) struct sg_name subject = {0};
    sg_auto(sg_job) struct sg_job job = {.own_subject = &subject};
    struct sg_issuing issuing = ca_issuing(ca, "root-ca");
    struct sg_error error = {0};

    expect_success("subject", sg_name_parse("CN=Test Root,O=Example GmbH", &subject, &error),
                   &error);
    expect_success("certifying",
                   sg_home_issuer(ca->home, NULL, SG_ISSUER_TO_CERTIFY, &issuing.issuer, &error),
                   &error);
    expect_success("root", sg_issue(&issuing, &job, 1, &error), &error);
    expect_issued("root", &job, SG_JOB_ISSUED);
    expect_success("root",
                   sg_home_set_certificate(ca->home, "root", sg_buf_slice(&job.certificate), NULL,
                                           0, false, ca->now, &error),
                   &error);
    ca->root_der = job.certificate;
    job.certificate = (struct sg_buf){0};
}

int ca_make_home(void **state)
{
    struct ca *ca = *state;
    const struct sg_home_spec spec = {.ca = "Test CA",
                                      .issuer = "root",
                                      .token = CA_TOKEN,
                                      .module = getenv("SIGNET_ODD_MODULE"),
                                      .pin = "env:SIGNET_TEST_PIN"};
    struct sg_error error = {0};

    unsetenv("ODD_SIGN_RV");
    unsetenv("ODD_SIGNATURE");
    ca->now = NOW;
    snprintf(ca->dir, sizeof ca->dir, "%s/home", ca->folder);
    expect_success("init", sg_home_init(ca->dir, &spec, &error), &error);
    open_home(ca);
    certify_root(ca);
    open_issuer(ca);
    return 0;
}

int ca_remove_home(void **state)
{
    struct ca *ca = *state;

    sg_home_close(ca->home);
    ca->home = NULL;
    ca->issuer = NULL;
    sg_buf_free(&ca->root_der);
    remove_folder(ca->dir);
    return 0;
}

void ca_reopen(struct ca *ca)
{
    sg_home_close(ca->home);
    open_home(ca);
    open_issuer(ca);
}

void ca_configure(struct ca *ca, const char *text, const char *instead)
{
    sg_auto(sg_buf) struct sg_buf settings = {0};
    sg_auto(sg_buf) struct sg_buf changed = {0};
    char path[160];
    struct sg_error error = {0};

    snprintf(path, sizeof path, "%s/signet.yaml", ca->dir);
    expect_success(path, sg_file_read(path, SG_LIMIT_YAML, &settings, &error), &error);
    char *found = strstr((char *)settings.data, text);
    assert_non_null(found);
    *found = '\0';
    expect_success(path,
                   sg_buf_printf(&changed, SG_LIMIT_YAML, &error, "%s%s%s", settings.data, instead,
                                 found + strlen(text)),
                   &error);
    put_text(path, (const char *)changed.data);
    sg_home_close(ca->home);
    open_home(ca);
    if (!sg_home_issuer(ca->home, "root", SG_ISSUER_TO_SIGN, &ca->issuer, NULL))
        ca->issuer = NULL;
}

void ca_sql(struct ca *ca, const char *text)
{
    if (sqlite3_exec(sg_home_store(ca->home)->sqlite->db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(sg_home_store(ca->home)->sqlite->db));
}

void ca_break_store(struct ca *ca, bool broken)
{
    ca_sql(ca, broken ? "PRAGMA query_only=ON" : "PRAGMA query_only=OFF");
}

void ca_put_policy(const struct ca *ca, const char *name, const char *text)
{
    char path[160];

    snprintf(path, sizeof path, "%s/policies/%s.yaml", ca->dir, name);
    put_text(path, text);
}

static void add(struct ca *ca, enum sg_registry_kind kind, const struct sg_record *record)
{
    struct sg_error error = {0};

    expect_success(record->id,
                   sg_store_register(sg_home_store(ca->home), kind, record, 1, NULL, &error),
                   &error);
}

void ca_add_device(struct ca *ca, const char *id)
{
    sg_auto(sg_record) struct sg_record device = {.id = strdup(id)};
    struct sg_error error = {0};

    expect_success(id,
                   sg_record_set(&device, "type", "leo", &error) &&
                       sg_record_set(&device, "region", "us-east", &error),
                   &error);
    add(ca, SG_REGISTRY_DEVICE, &device);
}

void ca_add_user(struct ca *ca, const char *name)
{
    sg_auto(sg_record) struct sg_record user = {.id = strdup(name)};

    add(ca, SG_REGISTRY_USER, &user);
}

/* ---- requests ---- */

struct sg_issuing ca_issuing(struct ca *ca, const char *policy)
{
    struct sg_issuing issuing = {.home = ca->home,
                                 .issuer = ca->issuer,
                                 .clock = {tell_time, ca},
                                 .evidence = SG_BY_OPERATOR};
    struct sg_error error = {0};

    expect_success(policy, sg_home_policy(ca->home, policy, &issuing.policy, &error), &error);
    return issuing;
}

void ca_order(struct ca_order *order, EVP_PKEY *key, const char *cn)
{
    char subject[128];

    *order = (struct ca_order){.key = key != NULL ? key : make_key("P-256")};
    if (key != NULL)
        assert_true(EVP_PKEY_up_ref(key));
    snprintf(subject, sizeof subject, "30{31{30{06{550403}0C{'%s'}}}}", cn);
    make_request(&(struct make_request){.key = order->key, .subject = subject}, &order->der);
    order->job.bytes = sg_buf_slice(&order->der);
}

void ca_order_done(struct ca_order *order)
{
    sg_job_done(&order->job);
    sg_buf_free(&order->der);
    EVP_PKEY_free(order->key);
}

void ca_issue(struct ca *ca, const char *policy, struct ca_order *order)
{
    struct sg_issuing issuing = ca_issuing(ca, policy);
    struct sg_error error = {0};

    issuing.device_from_cn = true;
    expect_success(policy, sg_issue(&issuing, &order->job, 1, &error), &error);
}

void expect_issued(const char *name, const struct sg_job *job, enum sg_job_outcome outcome)
{
    if (job->outcome == SG_JOB_REFUSED)
        fail_msg("%s: should be served, but: %s: %s: %s", name, sg_code_name(job->error.code),
                 job->error.rule, job->error.text);
    if (job->outcome != outcome)
        fail_msg("%s: the outcome should be %d, is %d", name, (int)outcome, (int)job->outcome);
    if (job->error.code != SG_OK || job->certificate.len == 0)
        fail_msg("%s: is served with an error or without a certificate", name);
}

void expect_refused(const char *name, const struct sg_job *job, enum sg_code code, const char *part)
{
    expect_failure(name, job->outcome != SG_JOB_REFUSED, &job->error, code, part);
    if (job->certificate.data != NULL)
        fail_msg("%s: a certificate left without a record", name);
}

/* ---- what the store says ---- */

static bool count_one(const struct sg_certificate *certificate, void *context,
                      struct sg_error *error)
{
    (void)certificate;
    (void)error;
    ++*(size_t *)context;
    return true;
}

size_t ca_count(struct ca *ca, enum sg_status status)
{
    const struct sg_certificate_filter filter = {
        .only_status = true, .status = status, .now = ca->now};
    struct sg_error error = {0};
    size_t num = 0;

    expect_success(
        "count",
        sg_store_each_certificate(sg_home_store(ca->home), &filter, count_one, &num, &error),
        &error);
    return num;
}

static bool note_status(const struct sg_certificate *certificate, void *context,
                        struct sg_error *error)
{
    (void)error;
    *(int *)context = (int)certificate->status;
    return true;
}

enum sg_status ca_status(struct ca *ca, const struct sg_serial *serial)
{
    const struct sg_certificate_filter filter = {.serial = serial, .now = ca->now};
    struct sg_error error = {0};
    int status = -1;

    expect_success(
        "status",
        sg_store_each_certificate(sg_home_store(ca->home), &filter, note_status, &status, &error),
        &error);
    if (status < 0)
        fail_msg("the store does not know the certificate");
    return (enum sg_status)status;
}
