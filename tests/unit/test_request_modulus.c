#include "request/parts.h"

#include "expect.h"

enum { MODULUS_BITS = 2048 };

static BN_CTX *context;

static int make_context(void **state)
{
    (void)state;
    context = BN_CTX_new();
    return context == NULL;
}

static int free_context(void **state)
{
    (void)state;
    BN_CTX_free(context);
    return 0;
}

/* part NULL: nothing is wrong with it. */
static void expect_modulus(const char *name, const BIGNUM *modulus, const char *part,
                           const char *rule)
{
    struct sg_error error = {0};
    bool verdict = sg_request_check_modulus(modulus, &error);

    if (part == NULL) {
        expect_success(name, verdict, &error);
        return;
    }
    expect_failure(name, verdict, &error, SG_KEY_QUALITY, part);
    assert_string_equal(error.rule, rule);
}

static BIGNUM *make_prime(int bits)
{
    BIGNUM *prime = BN_new();

    assert_int_equal(BN_generate_prime_ex(prime, bits, 0, NULL, NULL, NULL), 1);
    return prime;
}

/* The first prime at number or after it. */
static void move_to_prime(BIGNUM *number)
{
    if (!BN_is_odd(number))
        BN_add_word(number, 1);
    while (BN_check_prime(number, context, NULL) != 1)
        BN_add_word(number, 2);
}

static BIGNUM *multiply(const BIGNUM *one, const BIGNUM *other)
{
    BIGNUM *product = BN_new();

    assert_int_equal(BN_mul(product, one, other, context), 1);
    return product;
}

static void test_good(void **state)
{
    (void)state;
    for (int bits = 1024; bits <= 2048; bits += 512) {
        sg_auto(BIGNUM) BIGNUM *p = make_prime(bits), *q = make_prime(bits);
        sg_auto(BIGNUM) BIGNUM *modulus = multiply(p, q);

        expect_modulus("two random primes", modulus, NULL, NULL);
    }
}

static void test_small_factors(void **state)
{
    static const struct {
        unsigned factor;
        bool found;
    } CASES[] = {{3, true},   {5, true},   {17, true},   {701, true},
                 {709, true}, {751, true}, {757, false}, {65537, false}};
    sg_auto(BIGNUM) BIGNUM *p = make_prime(2039);

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(BIGNUM) BIGNUM *modulus = BN_dup(p);
        char part[40];

        assert_int_equal(BN_mul_word(modulus, CASES[i].factor), 1);
        snprintf(part, sizeof part, "divisible by %u,", CASES[i].factor);
        expect_modulus(part, modulus, CASES[i].found ? part : NULL,
                       "NIST SP 800-89 5.3.3: small factors");
    }
}

/* ---- ROCA: primes k * M + (65537^a mod M), M the product of the primes up to 701 ---- */

static bool is_small_prime(unsigned number)
{
    for (unsigned i = 2; i * i <= number; i++)
        if (number % i == 0)
            return false;
    return true;
}

static BIGNUM *make_primorial(unsigned last)
{
    BIGNUM *product = BN_new();

    BN_one(product);
    for (unsigned i = 2; i <= last; i++)
        if (is_small_prime(i))
            BN_mul_word(product, i);
    return product;
}

static BIGNUM *make_roca_prime(const BIGNUM *primorial)
{
    sg_auto(BIGNUM) BIGNUM *generator = BN_new(), *power = BN_new(), *factor = BN_new();
    BIGNUM *prime = BN_new();

    BN_set_word(generator, 65537);
    do {
        /* the exponent and the factor are the only random parts */
        assert_int_equal(BN_rand(power, 250, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY), 1);
        assert_int_equal(BN_mod_exp(prime, generator, power, primorial, context), 1);
        assert_int_equal(BN_rand(factor, MODULUS_BITS / 2 - BN_num_bits(primorial), BN_RAND_TOP_ONE,
                                 BN_RAND_BOTTOM_ANY),
                         1);
        assert_int_equal(BN_mul(factor, factor, primorial, context), 1);
        assert_int_equal(BN_add(prime, prime, factor), 1);
    } while (BN_check_prime(prime, context, NULL) != 1);
    return prime;
}

static void test_roca(void **state)
{
    static const char RULE[] = "CVE-2017-15361: ROCA";
    sg_auto(BIGNUM) BIGNUM *primorial = make_primorial(701);
    sg_auto(BIGNUM) BIGNUM *p = make_roca_prime(primorial), *q = make_roca_prime(primorial);
    sg_auto(BIGNUM) BIGNUM *other = make_prime(MODULUS_BITS / 2);
    sg_auto(BIGNUM) BIGNUM *weak = multiply(p, q), *half = multiply(p, other);

    (void)state;
    expect_modulus("two such primes", weak, "Coppersmith", RULE);
    expect_modulus("one such prime", half, NULL, NULL);
}

static bool has_small_factor(const BIGNUM *number)
{
    for (unsigned i = 2; i < 752; i++)
        if (BN_mod_word(number, i) == 0)
            return true;
    return false;
}

static bool is_power_modulo_673(const BIGNUM *number)
{
    BN_ULONG remainder = BN_mod_word(number, 673), power = 1;

    do {
        if (power == remainder)
            return true;
        power = power * 65537 % 673;
    } while (power != 1);
    return false;
}

/* What has the fingerprint modulo all primes but one was not made by that library. */
static void test_nearly_roca(void **state)
{
    sg_auto(BIGNUM) BIGNUM *primorial = make_primorial(701), *modulus = BN_new();

    (void)state;
    assert_int_equal(BN_div_word(primorial, 673), 0);
    BN_set_bit(modulus, MODULUS_BITS - BN_num_bits(primorial));
    assert_int_equal(BN_mul(modulus, modulus, primorial, context), 1);
    BN_add_word(modulus, 1); /* 65537^0 modulo each of the primes but 673 */
    while (is_power_modulo_673(modulus) || has_small_factor(modulus))
        BN_add(modulus, modulus, primorial);
    expect_modulus("all but 673", modulus, NULL, NULL);
    while (!is_power_modulo_673(modulus) || has_small_factor(modulus))
        BN_add(modulus, modulus, primorial);
    expect_modulus("673 too", modulus, "Coppersmith", "CVE-2017-15361: ROCA");
}

/* ---- close primes ---- */

/* A second prime that is about 2^bits after the first; -1: the first itself. */
static void test_close_primes(void **state)
{
    static const struct {
        int bits;
        bool found;
    } CASES[] = {{-1, true},  {8, true},    {100, true}, {400, true},
                 {512, true}, {530, false}, {700, false}};

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(BIGNUM) BIGNUM *p = make_prime(MODULUS_BITS / 2), *q = BN_dup(p), *step = BN_new();
        char name[40];

        if (CASES[i].bits >= 0) {
            BN_set_bit(step, CASES[i].bits);
            BN_add(q, q, step);
            move_to_prime(q);
        }
        sg_auto(BIGNUM) BIGNUM *modulus = multiply(p, q);
        snprintf(name, sizeof name, "2^%d apart", CASES[i].bits);
        expect_modulus(name, modulus, CASES[i].found ? "within 100 rounds" : NULL,
                       "CVE-2022-26320: close primes");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_small_factors),
        cmocka_unit_test(test_roca),         cmocka_unit_test(test_nearly_roca),
        cmocka_unit_test(test_close_primes),
    };

    return cmocka_run_group_tests(tests, make_context, free_context);
}
