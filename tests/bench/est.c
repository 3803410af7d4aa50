/* est: how near enrolment over the network comes to issuing in process.
 *
 *     est HOME PORT POLICY USER IN-PROCESS PID...
 *     est HOME PORT POLICY
 *
 * A signetd serves HOME by https on PORT: POLICY by the URLs without a label, and by the label
 * `renewal` another one, which takes the certificates of POLICY for its own. USER is one whose PIN
 * is 123456. PID... are the service's processes, and IN-PROCESS is what issue.c has measured.
 *
 * What a token service and the devices do beforehand is done beforehand: devices are registered,
 * their tickets made, P-256 keys and requests too. What is counted goes from a request's first
 * octet to its reply's last, with this program on the same processors. Prints the rows of a
 * Markdown table and another one; or, in the second form, how many a second enrol by ticket, of one
 * round. tools/bench runs it.
 */
#include <inttypes.h>
#include <openssl/pkcs7.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"
#include "client.h"
#include "home/home.h"
#include "issue/tickets.h"
#include "model/pin_hash.h"

enum {
    ROUNDS = 3,
    PER_ROUND = 2048,
    NUM_CONNECTIONS = 64,
    IDLE_ROUNDS = 8, /* of each kind */
    NUM_IDLE = 1000,
    SHORT_FORM = 4, /* arguments */
    LONG_FORM = 7,
};

struct bench {
    const char *dir;
    struct sg_home *home;
    unsigned port;
    const char *policy, *user;
    char pin_hash[2 * SG_PIN_HASH_LEN + 1]; /* of the user's */
    double in_process;
    char **pids;
    int num_pids;
    unsigned num_devices; /* so far */
};

/* A device with its request. */
struct device {
    char name[24], ticket[SG_TICKET_TEXT_SIZE];
    EVP_PKEY *key;
    X509 *certificate;     /* once it has one */
    struct sg_buf body;    /* the request, in base64 */
    struct sg_buf message; /* the same as HTTP */
};

/* The devices of one round. */
struct wave {
    struct device devices[PER_ROUND];
    struct client_request requests[PER_ROUND];
};

/* What rounds of a kind came to. */
struct figures {
    double rate, p50_ms, p99_ms, service_us, load_us;
};

static void wave_free(struct wave *wave)
{
    for (size_t i = 0; wave != NULL && i < PER_ROUND; i++) {
        EVP_PKEY_free(wave->devices[i].key);
        X509_free(wave->devices[i].certificate);
        sg_buf_free(&wave->devices[i].body);
        sg_buf_free(&wave->devices[i].message);
        sg_buf_free(&wave->requests[i].reply);
    }
    free(wave);
}
static void sg_cleanup_wave(struct wave **wave)
{
    wave_free(*wave);
}
static void sg_cleanup_idle(struct client_idle **idle)
{
    client_idle_close(*idle);
}
SG_DEFINE_CLEANUP(PKCS7, PKCS7_free)

/* ---- what is done beforehand ---- */

static bool make_request(struct device *device, struct sg_error *error)
{
    sg_auto(X509_REQ) X509_REQ *request = X509_REQ_new();
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len = -1;

    device->key = EVP_EC_gen("P-256");
    if (device->key != NULL && request != NULL && X509_REQ_set_pubkey(request, device->key) == 1 &&
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)device->name, -1, -1, 0) == 1 &&
        X509_REQ_sign(request, device->key, EVP_sha256()) > 0)
        len = i2d_X509_REQ(request, &der);
    if (len <= 0)
        return sg_fail_openssl(error, SG_FAILED, NULL, "can't make a request");
    return sg_base64_encode(sg_slice_of(der, (size_t)len), false, SG_LIMIT_BODY, &device->body,
                            error);
}

static bool register_devices(const struct bench *bench, struct wave *wave, struct sg_error *error)
{
    static struct sg_record records[PER_ROUND];
    size_t index = 0;

    for (size_t i = 0; i < PER_ROUND; i++)
        records[i] = (struct sg_record){.id = wave->devices[i].name};
    return sg_store_register(sg_home_store(bench->home), SG_REGISTRY_DEVICE, records, PER_ROUND,
                             &index, error);
}

static bool make_ticket(const struct bench *bench, struct device *device, const char *user,
                        struct sg_error *error)
{
    const struct sg_ticket_order order = {
        .policy = bench->policy, .device = device->name, .user = user, .made_by = "bench"};
    int64_t id = 0;

    return sg_ticket_make(bench->home, &order, time(NULL), device->ticket, &id, error);
}

/* path  behind /.well-known/est; credentials  of Basic, NULL: none. */
static bool make_message(struct device *device, const char *path, const char *credentials,
                         struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf encoded = {0};
    char head[512];
    int len;

    if (credentials != NULL &&
        !sg_base64_encode(sg_slice_text(credentials), false, sizeof head, &encoded, error))
        return false;
    len = snprintf(head, sizeof head,
                   "POST /.well-known/est/%s HTTP/1.1\r\nHost: localhost\r\n%s%.*s%s"
                   "Content-Type: application/pkcs10\r\nContent-Length: %zu\r\n\r\n",
                   path, credentials != NULL ? "Authorization: Basic " : "", (int)encoded.len,
                   encoded.len > 0 ? (const char *)encoded.data : "",
                   credentials != NULL ? "\r\n" : "", device->body.len);
    return sg_buf_set(&device->message, sg_slice_of(head, (size_t)len), error) &&
           sg_buf_append(&device->message, device->body.data, device->body.len, SG_LIMIT_BODY,
                         error);
}

static bool hash_pin(struct bench *bench, struct sg_error *error)
{
    static const char PIN[] = "123456";
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    uint8_t hash[SG_PIN_HASH_LEN];

    if (!sg_secret_new(sizeof PIN - 1, &pin, error))
        return false;
    memcpy(sg_secret_data(pin), PIN, sizeof PIN - 1);
    if (!sg_pin_hash(bench->user, pin, hash, error))
        return false;
    sg_hex(sg_slice_of(hash, sizeof hash), bench->pin_hash, sizeof bench->pin_hash);
    return true;
}

static bool prepare_device(struct bench *bench, struct device *device, const char *user,
                           struct sg_error *error)
{
    char credentials[128];

    return make_ticket(bench, device, user, error) && make_request(device, error) &&
           snprintf(credentials, sizeof credentials, "%s:%s", device->ticket,
                    user != NULL ? bench->pin_hash : "") > 0 &&
           make_message(device, "simpleenroll", credentials, error);
}

/* user  whose PIN each ticket asks for; NULL: none is asked for. */
static bool prepare(struct bench *bench, const char *user, struct wave **wave,
                    struct sg_error *error)
{
    sg_auto(wave) struct wave *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < PER_ROUND; i++)
        snprintf(fresh->devices[i].name, sizeof fresh->devices[i].name, "device-T%07u",
                 bench->num_devices++);
    if (!register_devices(bench, fresh, error))
        return false;
    for (size_t i = 0; i < PER_ROUND; i++) {
        if (!prepare_device(bench, &fresh->devices[i], user, error))
            return false;
        fresh->requests[i].message = sg_buf_slice(&fresh->devices[i].message);
    }
    *wave = SG_TAKE(fresh);
    return true;
}

/* ---- a round ---- */

/* Of this program, or of the service's processes together. */
static double load_cpu(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

static double service_cpu(const struct bench *bench)
{
    uint64_t sum = 0;

    for (int i = 0; i < bench->num_pids; i++) {
        char path[64], line[512] = "";
        uint64_t user = 0, system = 0;

        snprintf(path, sizeof path, "/proc/%s/stat", bench->pids[i]);
        sg_auto(FILE) FILE *file = fopen(path, "r");
        const char *rest =
            file != NULL && fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
        if (rest != NULL &&
            sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                   &user, &system) == 2)
            sum += user + system;
    }
    return (double)sum / (double)sysconf(_SC_CLK_TCK);
}

static int compare_numbers(const void *a, const void *b)
{
    const double one = *(const double *)a, other = *(const double *)b;

    return (one > other) - (one < other);
}

/* The milliseconds in which half of the requests were answered, and 99 of 100. */
static void sum_up(const struct wave *wave, struct figures *figures)
{
    double seconds[PER_ROUND];

    for (size_t i = 0; i < PER_ROUND; i++)
        seconds[i] = wave->requests[i].seconds;
    qsort(seconds, PER_ROUND, sizeof seconds[0], compare_numbers);
    figures->p50_ms = seconds[PER_ROUND / 2] * 1e3;
    figures->p99_ms = seconds[PER_ROUND * 99 / 100] * 1e3;
}

static bool run_round(const struct bench *bench, struct wave *wave, bool anew,
                      struct figures *figures, struct sg_error *error)
{
    const double service = service_cpu(bench), load = load_cpu();
    double seconds = 0;

    if (!client_run(bench->port, wave->requests, PER_ROUND, NUM_CONNECTIONS, anew, &seconds, error))
        return false;
    figures->rate = PER_ROUND / seconds;
    figures->service_us = (service_cpu(bench) - service) * 1e6 / PER_ROUND;
    figures->load_us = (load_cpu() - load) * 1e6 / PER_ROUND;
    sum_up(wave, figures);
    return true;
}

/* The best round counts, as whatever else the machine does only takes away. */
static void keep_best(const struct figures *figures, struct figures *best)
{
    if (figures->rate > best->rate)
        *best = *figures;
}

static void print_row(const struct bench *bench, const char *name, const struct figures *figures)
{
    printf("| %s | %.0f | %.2f | %.1f | %.1f | %.0f | %.0f |\n", name, figures->rate,
           figures->rate / bench->in_process, figures->p50_ms, figures->p99_ms, figures->service_us,
           figures->load_us);
    fflush(stdout);
}

/* ---- renewal ---- */

/* The certificate that a device was given. */
static bool take_certificate(struct device *device, const struct sg_buf *reply,
                             struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(PKCS7) PKCS7 *message = NULL;
    const uint8_t *at;

    if (!sg_base64_decode(sg_buf_slice(reply), &der, error))
        return false;
    at = der.data;
    message = d2i_PKCS7(NULL, &at, (long)der.len);
    if (message == NULL || sk_X509_num(message->d.sign->cert) != 1 ||
        X509_check_private_key(sk_X509_value(message->d.sign->cert, 0), device->key) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "what %s was given is not its certificate",
                               device->name);
    device->certificate = sk_X509_shift(message->d.sign->cert);
    return true;
}

/* The same devices with the same keys, now by their certificates. */
static bool prepare_renewal(struct wave *wave, struct sg_error *error)
{
    for (size_t i = 0; i < PER_ROUND; i++) {
        struct device *device = &wave->devices[i];
        struct client_request *request = &wave->requests[i];

        if (!take_certificate(device, &request->reply, error) ||
            !make_message(device, "renewal/simplereenroll", NULL, error))
            return false;
        sg_buf_free(&request->reply);
        *request = (struct client_request){.message = sg_buf_slice(&device->message),
                                           .certificate = device->certificate,
                                           .key = device->key};
    }
    return true;
}

/* ---- the tables ---- */

/* Each round's devices enrol, and then renew. */
static bool measure_enrolment(struct bench *bench, struct sg_error *error)
{
    struct figures found, by_ticket = {0}, by_certificate = {0};

    for (int i = 0; i < ROUNDS; i++) {
        sg_auto(wave) struct wave *wave = NULL;

        if (!prepare(bench, NULL, &wave, error) || !run_round(bench, wave, false, &found, error))
            return false;
        keep_best(&found, &by_ticket);
        if (!prepare_renewal(wave, error) || !run_round(bench, wave, true, &found, error))
            return false;
        keep_best(&found, &by_certificate);
    }
    print_row(bench, "simpleenroll by ticket, kept alive", &by_ticket);
    print_row(bench, "simplereenroll, a new handshake with the certificate each", &by_certificate);
    return true;
}

static bool measure_pin(struct bench *bench, struct sg_error *error)
{
    sg_auto(wave) struct wave *wave = NULL;
    struct figures found;

    if (!hash_pin(bench, error) || !prepare(bench, bench->user, &wave, error) ||
        !run_round(bench, wave, false, &found, error))
        return false;
    print_row(bench, "simpleenroll by ticket and PIN, kept alive", &found);
    return true;
}

/* ---- idle connections ---- */

struct idle_rounds {
    double p50_ms[IDLE_ROUNDS], p99_ms[IDLE_ROUNDS];
};

/* Writes what SQLite's log holds to the store, so that the log begins anew and lasts for the round.
 * Else it is full once in two or three rounds: the issuer does the same in the middle of a group,
 * all connections wait for that, and which rounds it happens in is decided by their order alone. */
static bool empty_log(const struct bench *bench, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sqlite3 *db = NULL;
    bool done;

    if (!sg_path_join(bench->dir, "signet.db", &path, error))
        return false;
    /* until it has read, a connection does not know of the log */
    done = sqlite3_open(path, &db) == SQLITE_OK && sqlite3_busy_timeout(db, 1000) == SQLITE_OK &&
           sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL) == SQLITE_OK;
    if (!done)
        sg_fail(error, SG_FAILED, NULL, "the log of %s can't be emptied: %s", path,
                sqlite3_errmsg(db));
    sqlite3_close(db);
    return done;
}

static bool measure_beside(struct bench *bench, struct idle_rounds *rounds, int i,
                           struct sg_error *error)
{
    sg_auto(wave) struct wave *wave = NULL;
    struct figures found;

    if (!prepare(bench, NULL, &wave, error) || !empty_log(bench, error) ||
        !run_round(bench, wave, false, &found, error))
        return false;
    rounds->p50_ms[i] = found.p50_ms;
    rounds->p99_ms[i] = found.p99_ms;
    return true;
}

/* Puts them in order. */
static double median(double *values)
{
    qsort(values, IDLE_ROUNDS, sizeof values[0], compare_numbers);
    return (values[(IDLE_ROUNDS - 1) / 2] + values[IDLE_ROUNDS / 2]) / 2;
}

static void print_idle(struct idle_rounds rounds[2])
{
    const double without = median(rounds[0].p99_ms), with = median(rounds[1].p99_ms);

    printf("\nThe same by ticket with idle connections beside it: the medians of %d rounds of %d "
           "requests, the log emptied before each; and the p99 of single rounds\n\n"
           "| idle connections | p50 ms | p99 ms | of single rounds |\n|---|---|---|---|\n"
           "| 0 | %.1f | %.1f | %.1f to %.1f |\n| %d | %.1f | %.1f (%+.0f %%) | %.1f to %.1f |\n",
           IDLE_ROUNDS, PER_ROUND, median(rounds[0].p50_ms), without, rounds[0].p99_ms[0],
           rounds[0].p99_ms[IDLE_ROUNDS - 1], NUM_IDLE, median(rounds[1].p50_ms), with,
           (with / without - 1) * 100, rounds[1].p99_ms[0], rounds[1].p99_ms[IDLE_ROUNDS - 1]);
}

/* One round without, two with, two without and so on, as the machine's other work comes and goes.
 * Of the rounds it is the median that counts: p99 of all their requests would be that of the worst.
 */
static bool measure_idle(struct bench *bench, struct sg_error *error)
{
    sg_auto(idle) struct client_idle *idle = NULL;
    struct idle_rounds rounds[2];

    for (int i = 0; i < 2 * IDLE_ROUNDS; i++) {
        const bool is_with = (i + 1) / 2 % 2 == 1;

        if (!is_with) {
            client_idle_close(idle);
            idle = NULL;
        } else if (idle == NULL && !client_idle_open(bench->port, NUM_IDLE, &idle, error))
            return false;
        if (!measure_beside(bench, &rounds[is_with], i / 2, error))
            return false;
    }
    print_idle(rounds);
    return true;
}

static bool measure_all(struct bench *bench, struct sg_error *error)
{
    return measure_enrolment(bench, error) && measure_pin(bench, error) &&
           measure_idle(bench, error);
}

static bool measure_rate(struct bench *bench, struct sg_error *error)
{
    sg_auto(wave) struct wave *wave = NULL;
    struct figures found;

    if (!prepare(bench, NULL, &wave, error) || !run_round(bench, wave, false, &found, error))
        return false;
    printf("%.1f\n", found.rate);
    return true;
}

static bool run(int argc, char **argv, struct sg_error *error)
{
    struct bench bench = {
        .dir = argv[1], .port = (unsigned)strtoul(argv[2], NULL, 10), .policy = argv[3]};
    bool done;

    if (argc > SHORT_FORM) {
        bench.user = argv[4];
        bench.in_process = strtod(argv[5], NULL);
        bench.pids = argv + 6;
        bench.num_pids = argc - 6;
    }
    if (!sg_home_open(argv[1], SG_STORE_OPEN, &bench.home, error))
        return false;
    done = argc > SHORT_FORM ? measure_all(&bench, error) : measure_rate(&bench, error);
    sg_home_close(bench.home);
    return done;
}

int main(int argc, char **argv)
{
    struct sg_error error = {0};

    if (argc != SHORT_FORM && argc < LONG_FORM) {
        fprintf(stderr, "usage: %s HOME PORT POLICY [USER IN-PROCESS PID...]\n", argv[0]);
        return 2;
    }
    if (!run(argc, argv, &error)) {
        fprintf(stderr, "est: %s\n", error.text);
        return 1;
    }
    return 0;
}
