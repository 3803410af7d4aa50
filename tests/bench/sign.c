/* sign: how many P-256 signatures a second a token makes, by how it is asked.
 *
 *     sign MODULE TOKEN PIN-SOURCE
 *
 * Each of the three ways (the plain PKCS#11 loop, the engine signer, the direct signer) is measured
 * by 1, 2 and 4 threads, in turns and ROUNDS times over; the best round of each counts, as whatever
 * else the machine does only takes away. Prints rows of a Markdown table; a ratio is to the plain
 * loop of the same row. tools/bench runs it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "plain.h"
#include "token/signer.h"

enum { ROUNDS = 3, ROUND_MS = 700, MAX_THREADS = 4 };
enum way { PLAIN, ENGINE_SIGNER, DIRECT_SIGNER, NUM_WAYS };

static const char TEXT[1024] = "about as long as what is signed of a certificate";
#define TO_BE_SIGNED sg_slice_of(TEXT, sizeof TEXT)

/* What is measured, and whether it goes on. */
struct bench {
    struct plain plain;
    struct sg_signer *signers[NUM_WAYS];
    enum way way;
    atomic_bool is_over, has_failed;
    atomic_ulong num_signatures;
};

static bool sign_by_signer(struct sg_signer *signer)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};

    return sg_signer_sign(signer, SG_ECDSA_SHA256, TO_BE_SIGNED, &signature, NULL);
}

static void *sign_on(void *argument)
{
    struct bench *bench = argument;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    unsigned long num = 0;
    bool is_good = true;

    if (bench->way == PLAIN)
        is_good = (session = plain_session(&bench->plain)) != CK_INVALID_HANDLE;
    while (is_good && !bench->is_over) {
        is_good = bench->way == PLAIN ? plain_sign(&bench->plain, session, TO_BE_SIGNED)
                                      : sign_by_signer(bench->signers[bench->way]);
        num += is_good;
    }
    plain_close(&bench->plain, session);
    if (!is_good)
        bench->has_failed = true;
    bench->num_signatures += num;
    return NULL;
}

static double now(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

static double measure(struct bench *bench, enum way way, int num_threads)
{
    const struct timespec round = {ROUND_MS / 1000, ROUND_MS % 1000 * 1000000L};
    pthread_t threads[MAX_THREADS];
    double begin = now();

    bench->way = way;
    bench->is_over = false;
    bench->num_signatures = 0;
    for (int i = 0; i < num_threads; i++)
        if (pthread_create(&threads[i], NULL, sign_on, bench) != 0)
            abort();
    nanosleep(&round, NULL);
    bench->is_over = true;
    for (int i = 0; i < num_threads; i++)
        pthread_join(threads[i], NULL);
    return (double)bench->num_signatures / (now() - begin);
}

static bool print_row(struct bench *bench, int num_threads, struct sg_error *error)
{
    double best[NUM_WAYS] = {0};

    for (int round = 0; round < ROUNDS; round++)
        for (enum way way = PLAIN; way < NUM_WAYS; way++) {
            double rate = measure(bench, way, num_threads);

            best[way] = rate > best[way] ? rate : best[way];
        }
    if (bench->has_failed)
        return sg_fail(error, SG_TOKEN, NULL, "a signature failed");
    printf("| %d | %.0f | %.0f (%.2f) | %.0f (%.2f) |\n", num_threads, best[PLAIN],
           best[ENGINE_SIGNER], best[ENGINE_SIGNER] / best[PLAIN], best[DIRECT_SIGNER],
           best[DIRECT_SIGNER] / best[PLAIN]);
    fflush(stdout);
    return true;
}

static bool open_signer(const char *module, const char *uri, const char *pin,
                        enum sg_signer_kind kind, struct sg_token **token,
                        struct sg_signer **signer, struct sg_error *error)
{
    const struct sg_token_config config = {
        .module = module, .uri = uri, .pin = pin, .signer = kind};
    sg_auto(sg_key) struct sg_key key = {0};

    return sg_token_open(&config, token, error) &&
           sg_key_find(*token, "pkcs11:object=bench", &key, error) &&
           sg_signer_open(*token, &key, signer, error);
}

static bool run(char **arguments, struct sg_error *error)
{
    const char *module = arguments[1], *label = arguments[2], *pin = arguments[3];
    sg_auto(sg_token) struct sg_token *first = NULL, *second = NULL;
    sg_auto(sg_signer) struct sg_signer *engine = NULL, *direct = NULL;
    struct bench bench = {0};
    char uri[64];

    snprintf(uri, sizeof uri, "pkcs11:token=%s", label);
    if (!open_signer(module, uri, pin, SG_SIGNER_ENGINE, &first, &engine, error) ||
        !open_signer(module, uri, pin, SG_SIGNER_DIRECT, &second, &direct, error) ||
        !plain_open(module, label, SG_ECDSA_SHA256, &bench.plain, error))
        return false;
    bench.signers[ENGINE_SIGNER] = engine;
    bench.signers[DIRECT_SIGNER] = direct;
    return print_row(&bench, 1, error) && print_row(&bench, 2, error) &&
           print_row(&bench, 4, error);
}

int main(int argc, char **argv)
{
    struct sg_error error = {0};

    if (argc != 4) {
        fprintf(stderr, "usage: %s MODULE TOKEN PIN-SOURCE\n", argv[0]);
        return 2;
    }
    if (!run(argv, &error)) {
        fprintf(stderr, "sign: %s\n", error.text);
        return 1;
    }
    return 0;
}
