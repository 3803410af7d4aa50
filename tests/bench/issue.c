/* issue: how near issuing comes to what its cryptography alone takes.
 *
 *     issue HOME POLICY MODULE TOKEN THREADS NAME
 *
 * The home's active issuer certifies P-256 requests under POLICY, which lets the operator bring
 * devices, down the pipeline with THREADS workers. In turns with it the parts are measured by as
 * many threads: verifying a request's signature (X509_REQ_verify on what was parsed before),
 * signing on the token in a plain PKCS#11 loop, verifying such a signature, and a durable insert by
 * SQLite in groups as large as the pipeline's. The ideal is one over the sum of the first three.
 * The best of ROUNDS rounds counts, as whatever else the machine does only takes away; CPU and
 * store are of all rounds. Prints one row of a Markdown table, of the signer NAME. tools/bench runs
 * it.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "issue/pipeline.h"
#include "plain.h"

enum { ROUNDS = 3, ROUND_MS = 500, MAX_THREADS = 64, NUM_REQUESTS = 8192, GROUP = 256 };

enum part { POSSESSION, SIGN, VERIFY, NUM_PARTS };

struct bench {
    struct sg_home *home;
    struct sg_issuing issuing;
    struct plain plain;
    const char *signer; /* as the row calls it */
    unsigned num_threads;
    EVP_PKEY *subject_key;   /* of every request, as making keys is not what is measured */
    X509_REQ *parsed;        /* one of them */
    struct sg_slice tbs;     /* about what is signed */
    struct sg_buf signature; /* the issuer's, of tbs */
    struct sg_buf requests[NUM_REQUESTS];
    size_t num_pulled, num_issued;
    off_t stored; /* before the first round */
    struct sg_error refused;

    enum part part;
    atomic_bool is_over, has_failed;
    atomic_ulong num_done;
};

static const char TEXT[700] = "about as long as what is signed of a certificate";

static double now(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

/* ---- the parts ---- */

static bool do_once(struct bench *bench, CK_SESSION_HANDLE session)
{
    const struct sg_issuer_facts *issuer = &bench->issuing.issuer->facts;

    switch (bench->part) {
    case POSSESSION:
        return X509_REQ_verify(bench->parsed, bench->subject_key) == 1;
    case SIGN:
        return plain_sign(&bench->plain, session, bench->tbs);
    default:
        return sg_scheme_verify(issuer->scheme, &issuer->key, bench->tbs,
                                sg_buf_slice(&bench->signature), NULL);
    }
}

static void *work(void *argument)
{
    struct bench *bench = argument;
    CK_SESSION_HANDLE session = plain_session(&bench->plain);
    unsigned long num = 0;
    bool is_good = session != CK_INVALID_HANDLE;

    while (is_good && !bench->is_over) {
        is_good = do_once(bench, session);
        num += is_good;
    }
    plain_close(&bench->plain, session);
    if (!is_good)
        bench->has_failed = true;
    bench->num_done += num;
    return NULL;
}

static double measure_part(struct bench *bench, enum part part)
{
    const struct timespec round = {ROUND_MS / 1000, ROUND_MS % 1000 * 1000000L};
    pthread_t threads[MAX_THREADS];
    double begin = now();

    bench->part = part;
    bench->is_over = false;
    bench->num_done = 0;
    for (unsigned i = 0; i < bench->num_threads; i++)
        if (pthread_create(&threads[i], NULL, work, bench) != 0)
            abort();
    nanosleep(&round, NULL);
    bench->is_over = true;
    for (unsigned i = 0; i < bench->num_threads; i++)
        pthread_join(threads[i], NULL);
    return (double)bench->num_done / (now() - begin);
}

static bool insert_group(sqlite3 *db, sqlite3_stmt *insert)
{
    bool done = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;

    for (int i = 0; done && i < GROUP; i++)
        done = sqlite3_bind_blob(insert, 1, TEXT, sizeof TEXT, SQLITE_STATIC) == SQLITE_OK &&
               sqlite3_step(insert) == SQLITE_DONE && sqlite3_reset(insert) == SQLITE_OK;
    return done && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

/* What can be made durable a second, in a database beside the home's own and set up as it is. */
static double measure_inserts(struct bench *bench)
{
    static const char SETTINGS[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384;"
        "CREATE TABLE certificate(id INTEGER PRIMARY KEY, der BLOB NOT NULL)";
    char path[PATH_MAX];
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    unsigned long num = 0;
    double begin, end = 0;

    snprintf(path, sizeof path, "%s/inserts.db", sg_home_dir(bench->home));
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, SETTINGS, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "INSERT INTO certificate(der) VALUES(?)", -1, &insert, NULL) !=
            SQLITE_OK)
        bench->has_failed = true;
    for (begin = end = now(); !bench->has_failed && end - begin < ROUND_MS / 1e3; end = now()) {
        if (!insert_group(db, insert))
            bench->has_failed = true;
        num += GROUP;
    }
    sqlite3_finalize(insert);
    sqlite3_close(db);
    unlink(path);
    return (double)num / (end - begin);
}

/* ---- the whole ---- */

static bool make_request(EVP_PKEY *key, const char *name, struct sg_buf *der,
                         struct sg_error *error)
{
    sg_auto(X509_REQ) X509_REQ *request = X509_REQ_new();
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = -1;

    if (request != NULL && X509_REQ_set_pubkey(request, key) == 1 &&
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)name, -1, -1, 0) == 1 &&
        X509_REQ_sign(request, key, EVP_sha256()) > 0)
        len = i2d_X509_REQ(request, &bytes);
    if (len <= 0)
        return sg_fail_openssl(error, SG_FAILED, NULL, "can't make a request");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

/* Requests of devices that no round before has seen, each with a key of its own. */
static bool make_requests(struct bench *bench, int round, struct sg_error *error)
{
    for (int i = 0; i < NUM_REQUESTS; i++) {
        sg_auto(EVP_PKEY) EVP_PKEY *key = EVP_EC_gen("P-256");
        char name[32];

        snprintf(name, sizeof name, "device-%08d", round * NUM_REQUESTS + i);
        if (key == NULL || !make_request(key, name, &bench->requests[i], error))
            return false;
    }
    bench->num_pulled = bench->num_issued = 0;
    return true;
}

static bool pull(void *context, struct sg_job *jobs, size_t max, size_t *num, bool *end,
                 struct sg_error *error)
{
    struct bench *bench = context;

    (void)error;
    for (*num = 0; *num < max && bench->num_pulled < NUM_REQUESTS; ++*num)
        jobs[*num].bytes = sg_buf_slice(&bench->requests[bench->num_pulled++]);
    *end = bench->num_pulled == NUM_REQUESTS;
    return true;
}

static bool answer(void *context, const struct sg_job *jobs, size_t num, struct sg_error *error)
{
    struct bench *bench = context;

    for (size_t i = 0; i < num; i++) {
        if (jobs[i].outcome != SG_JOB_ISSUED)
            return sg_error_pass(error, &jobs[i].error);
        bench->num_issued++;
    }
    return true;
}

/* Certificates a second of one round; cpu grows by what it took. */
static bool measure_whole(struct bench *bench, int round, double *rate, double *cpu,
                          struct sg_error *error)
{
    const struct sg_pipeline_ends ends = {.pull = pull, .answer = answer, .context = bench};
    sg_auto(sg_pipeline) struct sg_pipeline *pipeline = NULL;
    double begin, cpu_begin;

    if (!make_requests(bench, round, error) ||
        !sg_pipeline_start(&bench->issuing, bench->num_threads, &pipeline, error))
        return false;
    begin = now();
    cpu_begin = cpu_seconds();
    if (!sg_pipeline_run(pipeline, &ends, error))
        return false;
    *rate = (double)bench->num_issued / (now() - begin);
    *cpu += cpu_seconds() - cpu_begin;
    return true;
}

/* ---- the row ---- */

/* With all that the write-ahead log holds moved into it. */
static off_t store_size(struct bench *bench)
{
    char path[PATH_MAX];
    struct stat found = {0};
    sqlite3 *db = NULL;

    snprintf(path, sizeof path, "%s/signet.db", sg_home_dir(bench->home));
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) != SQLITE_OK)
        bench->has_failed = true;
    sqlite3_close(db);
    stat(path, &found);
    return found.st_size;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static bool print_row(struct bench *bench, struct sg_error *error)
{
    const struct sg_issuer *issuer = bench->issuing.issuer;
    char kind[SG_KEY_KIND_TEXT_SIZE];
    double part[NUM_PARTS] = {0}, inserts = 0, whole = 0, cpu = 0, ideal = 0;
    struct rusage usage;

    for (int round = 0; round < ROUNDS; round++) {
        double rate = 0;

        for (enum part i = POSSESSION; i < NUM_PARTS; i++)
            part[i] = larger(part[i], measure_part(bench, i));
        inserts = larger(inserts, measure_inserts(bench));
        if (bench->has_failed)
            return sg_fail(error, SG_FAILED, NULL, "a part failed");
        if (!measure_whole(bench, round, &rate, &cpu, error))
            return false;
        whole = larger(whole, rate);
    }
    ideal = 1 / (1 / part[POSSESSION] + 1 / part[SIGN] + 1 / part[VERIFY]);
    getrusage(RUSAGE_SELF, &usage);
    printf("| %s | %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f (%.2f) | %.0f | %.0f | %lld |\n",
           sg_key_kind_text(issuer->facts.key.kind, kind), bench->signer, part[POSSESSION],
           part[SIGN], part[VERIFY], inserts, ideal, whole, whole / ideal,
           cpu * 1e6 / (ROUNDS * NUM_REQUESTS), (double)usage.ru_maxrss / 1024,
           (long long)(store_size(bench) - bench->stored) / (ROUNDS * NUM_REQUESTS));
    return true;
}

static bool prepare(struct bench *bench, struct sg_error *error)
{
    const unsigned char *at;

    bench->subject_key = EVP_EC_gen("P-256");
    if (bench->subject_key == NULL ||
        !make_request(bench->subject_key, "device-0", &bench->requests[0], error))
        return false;
    at = bench->requests[0].data;
    bench->parsed = d2i_X509_REQ(NULL, &at, (long)bench->requests[0].len);
    bench->tbs = sg_slice_of(TEXT, sizeof TEXT);
    bench->stored = store_size(bench);
    return sg_signer_sign(bench->issuing.issuer->signer, bench->issuing.issuer->facts.scheme,
                          bench->tbs, &bench->signature, error);
}

static void bench_done(struct bench *bench)
{
    for (int i = 0; i < NUM_REQUESTS; i++)
        sg_buf_free(&bench->requests[i]);
    sg_buf_free(&bench->signature);
    X509_REQ_free(bench->parsed);
    EVP_PKEY_free(bench->subject_key);
    sg_home_close(bench->home);
}
SG_DEFINE_CLEANUP_IN_PLACE(bench, bench_done)

static bool run(char **arguments, struct sg_error *error)
{
    sg_auto(bench) struct bench bench = {.num_threads = (unsigned)strtoul(arguments[5], NULL, 10),
                                         .signer = arguments[6]};
    struct sg_issuing *issuing = &bench.issuing;

    if (bench.num_threads == 0 || bench.num_threads > MAX_THREADS)
        return sg_fail(error, SG_USAGE, NULL, "1 to %d threads", MAX_THREADS);
    if (!sg_home_open(arguments[1], SG_STORE_OPEN, &bench.home, error) ||
        !sg_home_issuer(bench.home, NULL, SG_ISSUER_TO_SIGN, &issuing->issuer, error) ||
        !sg_home_policy(bench.home, arguments[2], &issuing->policy, error) ||
        !plain_open(arguments[3], arguments[4], issuing->issuer->facts.scheme, &bench.plain, error))
        return false;
    issuing->home = bench.home;
    issuing->evidence = SG_BY_OPERATOR;
    return prepare(&bench, error) && print_row(&bench, error);
}

int main(int argc, char **argv)
{
    struct sg_error error = {0};

    if (argc != 7) {
        fprintf(stderr, "usage: %s HOME POLICY MODULE TOKEN THREADS NAME\n", argv[0]);
        return 2;
    }
    if (!run(argv, &error)) {
        fprintf(stderr, "issue: %s\n", error.text);
        return 1;
    }
    return 0;
}
