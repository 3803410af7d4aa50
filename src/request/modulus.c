/* What shows in an RSA modulus alone: keys that a known defect made, or nobody meant. */
#include "parts.h"

/* The odd primes below 752 (NIST SP 800-89 5.3.3); the first 125 are those up to 701. */
static const uint16_t PRIMES[] = {
    3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73,  79,  83,  89,  97,  101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271,
    277, 281, 283, 293, 307, 311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389,
    397, 401, 409, 419, 421, 431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499, 503,
    509, 521, 523, 541, 547, 557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613, 617, 619, 631,
    641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701, 709, 719, 727, 733, 739, 743, 751,
};
enum {
    NUM_PRIMES = sizeof PRIMES / sizeof PRIMES[0],
    NUM_ROCA_PRIMES = 125,
    ROCA_GENERATOR = 65537,
    FERMAT_ROUNDS = 100,
};

/* ---- remainders ---- */

/* One long division serves as many primes as have a product of one word. */
static bool divide(const BIGNUM *modulus, unsigned remainders[NUM_PRIMES], struct sg_error *error)
{
    for (size_t from = 0, to = 0; from < NUM_PRIMES; from = to) {
        BN_ULONG product = 1, remainder;

        while (to < NUM_PRIMES && product <= (BN_ULONG)-1 / PRIMES[to])
            product *= PRIMES[to++];
        remainder = BN_mod_word(modulus, product);
        if (remainder == (BN_ULONG)-1)
            return sg_fail_memory(error);
        for (size_t i = from; i < to; i++)
            remainders[i] = (unsigned)(remainder % PRIMES[i]);
    }
    return true;
}

static bool check_factors(const unsigned remainders[NUM_PRIMES], struct sg_error *error)
{
    for (size_t i = 0; i < NUM_PRIMES; i++)
        if (remainders[i] == 0)
            return sg_fail(error, SG_KEY_QUALITY, "NIST SP 800-89 5.3.3: small factors",
                           "the RSA key's modulus is divisible by %u, so it isn't the product of "
                           "two large primes (CA/Browser Forum BR 6.1.6)",
                           PRIMES[i]);
    return true;
}

static bool is_power_of_generator(unsigned remainder, unsigned prime)
{
    unsigned power = 1;

    do {
        if (power == remainder)
            return true;
        power = power * (ROCA_GENERATOR % prime) % prime;
    } while (power != 1);
    return false;
}

/* The defective library made primes k * M + (65537^a mod M), M the product of the first primes: up
 * to 701 for keys of 2048 bits, more for larger ones. So the modulus is a power of 65537 modulo
 * each of these, which one of 2^167 other keys is (Nemec et al., table 1). */
static bool check_roca(const unsigned remainders[NUM_PRIMES], struct sg_error *error)
{
    for (size_t i = 0; i < NUM_ROCA_PRIMES; i++)
        if (!is_power_of_generator(remainders[i], PRIMES[i]))
            return true;
    return sg_fail(error, SG_KEY_QUALITY, "CVE-2017-15361: ROCA",
                   "the RSA key was made by a library whose keys can be factored (Nemec et al., "
                   "The Return of Coppersmith's Attack, CCS 2017); update the card or TPM that "
                   "made it, or make the key elsewhere");
}

/* ---- primes that are close to each other ---- */

struct fermat {
    BN_CTX *context;
    BIGNUM *root, *square, *step, *quotient;
};

/* into = the whole part of the square root, by Newton's iteration from above. */
static bool take_root(struct fermat *fermat, const BIGNUM *number, BIGNUM *into)
{
    BIGNUM *next = fermat->quotient;

    if (BN_is_zero(number)) {
        BN_zero(into);
        return true;
    }
    BN_zero(into);
    if (BN_set_bit(into, (BN_num_bits(number) + 1) / 2) != 1)
        return false;
    for (;;) {
        if (BN_div(next, NULL, number, into, fermat->context) != 1 ||
            BN_add(next, next, into) != 1 || BN_rshift1(next, next) != 1)
            return false;
        if (BN_cmp(next, into) >= 0)
            return true;
        if (BN_copy(into, next) == NULL)
            return false;
    }
}

static bool is_square_modulo(BN_ULONG remainder, unsigned modulus)
{
    for (unsigned i = 0; i <= modulus / 2; i++)
        if (i * i % modulus == remainder % modulus)
            return true;
    return false;
}

/* Nearly all numbers that are no squares show it in their remainders. */
static bool may_be_square(const BIGNUM *number)
{
    static const unsigned MODULI[] = {64, 63, 65, 11};
    BN_ULONG remainder = BN_mod_word(number, (BN_ULONG)64 * 63 * 65 * 11);

    for (size_t i = 0; i < sizeof MODULI / sizeof MODULI[0]; i++)
        if (!is_square_modulo(remainder, MODULI[i]))
            return false;
    return true;
}

static bool is_square(struct fermat *fermat, const BIGNUM *number, bool *square)
{
    *square = false;
    if (!may_be_square(number))
        return true;
    if (!take_root(fermat, number, fermat->step) ||
        BN_sqr(fermat->quotient, fermat->step, fermat->context) != 1)
        return false;
    *square = BN_cmp(fermat->quotient, number) == 0;
    return true;
}

/* With n = a^2 - b^2 = (a + b)(a - b), tries the first values of a from the root of n upward.
 * found is the round in which b^2 was a square, or -1. */
static bool find_close(struct fermat *fermat, const BIGNUM *modulus, int *found)
{
    bool square = false;

    *found = -1;
    if (!take_root(fermat, modulus, fermat->root) ||
        BN_sqr(fermat->square, fermat->root, fermat->context) != 1)
        return false;
    if (BN_cmp(fermat->square, modulus) < 0 &&
        (BN_add_word(fermat->root, 1) != 1 ||
         BN_sqr(fermat->square, fermat->root, fermat->context) != 1))
        return false;
    if (BN_sub(fermat->square, fermat->square, modulus) != 1)
        return false;
    for (int round = 0; round < FERMAT_ROUNDS; round++) {
        if (!is_square(fermat, fermat->square, &square))
            return false;
        if (square) {
            *found = round;
            return true;
        }
        /* (a + 1)^2 = a^2 + 2a + 1 */
        if (BN_lshift1(fermat->step, fermat->root) != 1 || BN_add_word(fermat->step, 1) != 1 ||
            BN_add(fermat->square, fermat->square, fermat->step) != 1 ||
            BN_add_word(fermat->root, 1) != 1)
            return false;
    }
    return true;
}

static bool search_close(BN_CTX *context, const BIGNUM *modulus, int *found)
{
    struct fermat fermat = {.context = context};
    bool done;

    BN_CTX_start(context);
    fermat.root = BN_CTX_get(context);
    fermat.square = BN_CTX_get(context);
    fermat.step = BN_CTX_get(context);
    fermat.quotient = BN_CTX_get(context); /* NULL when one of them is */
    done = fermat.quotient != NULL && find_close(&fermat, modulus, found);
    BN_CTX_end(context);
    return done;
}

static bool check_close_primes(const BIGNUM *modulus, struct sg_error *error)
{
    BN_CTX *context = BN_CTX_new();
    int found = -1;
    bool done = context != NULL && search_close(context, modulus, &found);

    BN_CTX_free(context);
    if (!done)
        return sg_fail_memory(error);
    if (found < 0)
        return true;
    return sg_fail(error, SG_KEY_QUALITY, "CVE-2022-26320: close primes",
                   "the RSA key's primes are so close to each other, or the same, that Fermat's "
                   "method finds them within %d rounds (CA/Browser Forum BR 6.1.1.3); make the key "
                   "with another "
                   "program",
                   FERMAT_ROUNDS);
}

bool sg_request_check_modulus(const BIGNUM *modulus, struct sg_error *error)
{
    unsigned remainders[NUM_PRIMES];

    return divide(modulus, remainders, error) && check_factors(remainders, error) &&
           check_roca(remainders, error) && check_close_primes(modulus, error);
}
