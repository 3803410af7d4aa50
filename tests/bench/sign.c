/* sign: how many P-256 signatures a second a token makes, by how it is asked.
 *
 *     sign MODULE TOKEN PIN-SOURCE
 *
 * Each of the three ways (the plain PKCS#11 loop, the engine signer, the direct signer) is measured
 * by 1, 2 and 4 threads, in turns and ROUNDS times over; the best round of each counts, as whatever
 * else the machine does only takes away. Prints rows of a Markdown table; a ratio is to the plain
 * loop of the same row. tools/bench runs it.
 */
#include <p11-kit/p11-kit.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "token/signer.h"

enum { ROUNDS = 3, ROUND_MS = 700, MAX_THREADS = 4 };
enum way { PLAIN, ENGINE_SIGNER, DIRECT_SIGNER, NUM_WAYS };

static const char TO_BE_SIGNED[1024] = "about as long as what is signed of a certificate";

/* What is measured, and whether it goes on. */
struct bench {
    CK_FUNCTION_LIST *functions;
    CK_SLOT_ID slot;
    CK_OBJECT_HANDLE object;
    struct sg_signer *signers[NUM_WAYS];
    enum way way;
    atomic_bool is_over, has_failed;
    atomic_ulong num_signatures;
};

static bool sign_plainly(const struct bench *bench, CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    unsigned char digest[32], signature[64];
    CK_ULONG len = sizeof signature;

    return EVP_Digest(TO_BE_SIGNED, sizeof TO_BE_SIGNED, digest, NULL, EVP_sha256(), NULL) == 1 &&
           bench->functions->C_SignInit(session, &mechanism, bench->object) == CKR_OK &&
           bench->functions->C_Sign(session, digest, sizeof digest, signature, &len) == CKR_OK;
}

static bool sign_by_signer(struct sg_signer *signer)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};

    return sg_signer_sign(signer, SG_ECDSA_SHA256, sg_slice_of(TO_BE_SIGNED, sizeof TO_BE_SIGNED),
                          &signature, NULL);
}

static void *sign_on(void *argument)
{
    struct bench *bench = argument;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    unsigned long num = 0;
    bool is_good = true;

    if (bench->way == PLAIN)
        is_good = bench->functions->C_OpenSession(bench->slot, CKF_SERIAL_SESSION, NULL, NULL,
                                                  &session) == CKR_OK;
    while (is_good && !bench->is_over) {
        is_good = bench->way == PLAIN ? sign_plainly(bench, session)
                                      : sign_by_signer(bench->signers[bench->way]);
        num += is_good;
    }
    if (session != CK_INVALID_HANDLE)
        bench->functions->C_CloseSession(session);
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

/* The handle of the one private key, by a session that closes again; the token is logged in. */
static bool find_object(struct bench *bench, struct sg_error *error)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_FUNCTION_LIST *functions = bench->functions;
    CK_SESSION_HANDLE session;
    CK_ULONG num = 0;

    if (functions->C_OpenSession(bench->slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        return sg_fail(error, SG_TOKEN, NULL, "no session");
    if (functions->C_FindObjectsInit(session, &wanted, 1) == CKR_OK) {
        functions->C_FindObjects(session, &bench->object, 1, &num);
        functions->C_FindObjectsFinal(session);
    }
    functions->C_CloseSession(session);
    return num == 1 || sg_fail(error, SG_TOKEN, NULL, "no key");
}

static bool load_plain(const char *module, const char *label, struct bench *bench,
                       struct sg_error *error)
{
    sg_auto(malloc) struct sg_token_info *tokens = NULL;
    size_t num = 0;

    if (!sg_token_list(NULL, module, &tokens, &num, error))
        return false;
    for (size_t i = 0; i < num; i++)
        if (strcmp(tokens[i].label, label) == 0)
            bench->slot = tokens[i].slot;
    bench->functions = p11_kit_module_load(module, 0);
    if (bench->functions == NULL || p11_kit_module_initialize(bench->functions) != CKR_OK)
        return sg_fail(error, SG_TOKEN, NULL, "cannot load %s", module);
    return find_object(bench, error);
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
        !load_plain(module, label, &bench, error))
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
