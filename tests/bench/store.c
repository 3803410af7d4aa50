/* store: what a store that has grown large answers with, and how fast it grows.
 *
 *     store HOME fill NUM   adds certificates of devices, until NUM were ever claimed
 *     store HOME crl NUM    adds claims that came to nothing, NUM of them, and makes a CRL of them
 *     store HOME ask NUM    opens the store, and looks up certificates of the NUM that fill added
 *
 * fill and crl go by the store's own functions, in groups as large as the pipeline's, without a
 * signature: issuing is measured by issue.c in the home that was filled. Each prints cells of a
 * row of a Markdown table, without the line's end. tools/bench runs it.
 */
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "home/home.h"
#include "status/status.h"
#include "store/store.h"

enum { GROUP = 256, TBS = 620, HEAD = 4, TAIL = 80, NUM_LOOKUPS = 2000, YEAR = 365 * 86400 };

static const char POLICY[] = "filled";

struct bench {
    struct sg_home *home;
    struct sg_store *store;
    struct sg_issuer *issuer;
    int64_t now;
};

static double now(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

/* ---- claims ---- */

/* What a claim borrows. */
struct filling {
    struct sg_record device;
    struct sg_requester requester;
    struct sg_serial serial;
    char name[32], subject[64];
    uint8_t spki[SG_SHA256_LEN], content[SG_SHA256_LEN];
    uint8_t der[HEAD + TBS + TAIL]; /* with the to-be-signed bytes in it */
};

/* The serial of certificate i, so that it can be looked up later. */
static struct sg_serial serial_of(const char *name)
{
    struct sg_serial serial = {.len = 16};
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256((const uint8_t *)name, strlen(name), digest);
    memcpy(serial.bytes, digest, serial.len);
    serial.bytes[0] = (uint8_t)(0x40 | (serial.bytes[0] & 0x3f));
    return serial;
}

static struct sg_claim claim_of(const struct bench *bench, const struct sg_plan *plan,
                                const char *kind, size_t number, struct filling *filling)
{
    snprintf(filling->name, sizeof filling->name, "%s-%08zu", kind, number);
    snprintf(filling->subject, sizeof filling->subject, "CN=%s", filling->name);
    filling->device = (struct sg_record){.id = filling->name};
    filling->requester = (struct sg_requester){
        .evidence = SG_BY_OPERATOR, .has_device = true, .device = filling->device};
    filling->serial = serial_of(filling->name);
    RAND_bytes(filling->spki, sizeof filling->spki);
    RAND_bytes(filling->content, sizeof filling->content);
    RAND_bytes(filling->der, sizeof filling->der);
    return (struct sg_claim){
        .issuer = bench->issuer->id,
        .plan = plan,
        .requester = &filling->requester,
        .serial = &filling->serial,
        .subject = filling->subject,
        .spki_sha256 = filling->spki,
        .content_sha256 = filling->content,
        .tbs = sg_slice_of(filling->der + HEAD, TBS),
        .register_device = &filling->device,
        .now = bench->now,
    };
}

static bool finish_group(const struct bench *bench, const struct sg_claim *claims,
                         const struct filling *fillings, size_t num, bool with_certificates,
                         struct sg_error *error)
{
    int64_t ids[GROUP];
    struct sg_slice ders[GROUP];

    for (size_t i = 0; i < num; i++) {
        if (claims[i].outcome != SG_CLAIM_NEW)
            return sg_error_pass(error, &claims[i].error);
        ids[i] = claims[i].id;
        ders[i] = sg_slice_of(fillings[i].der, sizeof fillings[i].der);
    }
    if (!with_certificates)
        return sg_store_abandon(bench->store, ids, num, error);
    return sg_store_record(bench->store, ids, ders, num, bench->now, error);
}

/* Claims devices KIND-begin to KIND-(end - 1), with certificates or without. */
static bool add(const struct bench *bench, const char *kind, size_t begin, size_t end,
                bool with_certificates, struct sg_error *error)
{
    static struct filling fillings[GROUP];
    const struct sg_plan plan = {
        .policy = POLICY,
        .not_before = bench->now,
        .not_after = bench->now + YEAR,
        .unique = SG_UNIQUE_DEVICE,
    };
    struct sg_claim claims[GROUP];

    for (size_t at = begin; at < end;) {
        size_t num = 0;

        for (; num < GROUP && at < end; num++, at++)
            claims[num] = claim_of(bench, &plan, kind, at, &fillings[num]);
        if (!sg_store_claim(bench->store, claims, num, error) ||
            !finish_group(bench, claims, fillings, num, with_certificates, error))
            return false;
    }
    return true;
}

/* ---- fill ---- */

static bool fill(const struct bench *bench, size_t num, struct sg_error *error)
{
    double begin = now();

    if (!add(bench, "filled", 0, num, true, error))
        return false;
    printf(" %zu | %.0f |", num, (double)num / (now() - begin));
    return true;
}

/* ---- crl ---- */

static double peak_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static bool make_crl(const struct bench *bench, size_t num, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_crl_summary summary;
    double begin, seconds, before;

    if (!add(bench, "orphan", 0, num, false, error))
        return false;
    before = peak_mib();
    begin = now();
    if (!sg_status_crl(bench->home, bench->issuer, 0, bench->now, &der, &summary, error))
        return false;
    seconds = now() - begin;
    if (summary.num_entries < num)
        return sg_fail(error, SG_FAILED, NULL, "the CRL has %zu entries only", summary.num_entries);
    printf(" %zu | %.2f | %.1f | %.1f |", summary.num_entries, seconds,
           (double)der.len / (1 << 20), peak_mib() - before - (double)der.len / (1 << 20));
    return true;
}

/* ---- ask ---- */

static bool count(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    (void)certificate;
    (void)error;
    ++*(size_t *)context;
    return true;
}

/* Milliseconds that one of the lookups takes, in the mean. */
static bool look_up(const struct bench *bench, size_t num, bool by_serial, double *mean,
                    struct sg_error *error)
{
    size_t num_found = 0;
    double begin = now();

    for (size_t i = 0; i < NUM_LOOKUPS; i++) {
        char name[32];
        struct sg_serial serial;
        struct sg_certificate_filter filter = {.now = bench->now};

        /* all over the store, in no order */
        snprintf(name, sizeof name, "filled-%08zu", i * 7919 * 131 % num);
        serial = serial_of(name);
        filter.serial = by_serial ? &serial : NULL;
        filter.device = by_serial ? NULL : name;
        if (!sg_store_each_certificate(bench->store, &filter, count, &num_found, error))
            return false;
    }
    *mean = (now() - begin) * 1e3 / NUM_LOOKUPS;
    if (num_found != NUM_LOOKUPS)
        return sg_fail(error, SG_FAILED, NULL, "%zu of %d found", num_found, NUM_LOOKUPS);
    return true;
}

static bool ask(const struct bench *bench, size_t num, struct sg_error *error)
{
    sg_auto(sg_store) struct sg_store *again = NULL;
    double begin = now(), opening, by_serial, by_device;

    if (!sg_store_open("sqlite:signet.db", sg_home_dir(bench->home), SG_STORE_OPEN, &again, error))
        return false;
    opening = (now() - begin) * 1e3;
    if (!look_up(bench, num, true, &by_serial, error) ||
        !look_up(bench, num, false, &by_device, error))
        return false;
    printf(" %.1f | %.3f | %.3f |", opening, by_serial, by_device);
    return true;
}

/* ---- the program ---- */

static bool run(char **arguments, struct sg_error *error)
{
    struct bench bench = {.now = time(NULL)};
    size_t num = strtoul(arguments[3], NULL, 10);
    bool done;

    if (!sg_home_open(arguments[1], SG_STORE_OPEN, &bench.home, error))
        return false;
    bench.store = sg_home_store(bench.home);
    done = sg_home_issuer(bench.home, NULL, SG_ISSUER_TO_SIGN, &bench.issuer, error);
    if (done && strcmp(arguments[2], "fill") == 0)
        done = fill(&bench, num, error);
    else if (done && strcmp(arguments[2], "crl") == 0)
        done = make_crl(&bench, num, error);
    else if (done)
        done = ask(&bench, num, error);
    sg_home_close(bench.home);
    return done;
}

int main(int argc, char **argv)
{
    struct sg_error error = {0};

    if (argc != 4) {
        fputs("usage: store HOME fill|crl|ask NUM\n", stderr);
        return 2;
    }
    if (!run(argv, &error)) {
        fprintf(stderr, "store: %s\n", error.text);
        return 1;
    }
    return 0;
}
