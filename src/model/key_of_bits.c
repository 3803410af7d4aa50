#include "key_of_bits.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <pthread.h>

#include "base/cleanup.h"

/* A key without a point for each curve, of which the others are copies: a third of what making one
 * anew takes. Made once for the process; nobody changes them. */
static struct {
    int curve;
    char name[8];
    EVP_PKEY *without_point;
} templates[] = {
    {NID_X9_62_prime256v1, "P-256", NULL},
    {NID_secp384r1, "P-384", NULL},
    {NID_secp521r1, "P-521", NULL},
};
static pthread_once_t made = PTHREAD_ONCE_INIT;

static EVP_PKEY *from_data(const char *algorithm, int selection, OSSL_PARAM params[])
{
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, selection, params) != 1)
        return NULL;
    return key;
}

static void make_templates(void)
{
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, templates[i].name, 0),
            OSSL_PARAM_construct_end(),
        };

        templates[i].without_point = from_data("EC", EVP_PKEY_KEY_PARAMETERS, params);
    }
}

EVP_PKEY *sg_key_of_ec_point(int curve, struct sg_slice point)
{
    sg_auto(EVP_PKEY) EVP_PKEY *key = NULL;

    pthread_once(&made, make_templates);
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        if (templates[i].curve == curve && templates[i].without_point != NULL)
            key = EVP_PKEY_dup(templates[i].without_point);
    if (key == NULL || EVP_PKEY_set1_encoded_public_key(key, point.data, point.len) != 1)
        return NULL;
    return SG_TAKE(key);
}

static bool is_positive(const ASN1_TYPE *number)
{
    const ASN1_INTEGER *integer = number->value.integer;

    /* The sign is in the string's own type. */
    return number->type == V_ASN1_INTEGER && ASN1_STRING_type(integer) == V_ASN1_INTEGER &&
           ASN1_STRING_length(integer) > 0 && ASN1_STRING_get0_data(integer)[0] != 0;
}

static EVP_PKEY *of_numbers(const ASN1_INTEGER *modulus, const ASN1_INTEGER *exponent)
{
    sg_auto(BIGNUM) BIGNUM *n = ASN1_INTEGER_to_BN(modulus, NULL);
    sg_auto(BIGNUM) BIGNUM *e = ASN1_INTEGER_to_BN(exponent, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        params = OSSL_PARAM_BLD_to_param(builder);
    if (params != NULL)
        key = from_data("RSA", EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

EVP_PKEY *sg_key_of_rsa_numbers(struct sg_slice sequence)
{
    const unsigned char *at = sequence.data;
    ASN1_SEQUENCE_ANY *numbers = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)sequence.len);
    EVP_PKEY *key = NULL;

    if (sk_ASN1_TYPE_num(numbers) == 2 && is_positive(sk_ASN1_TYPE_value(numbers, 0)) &&
        is_positive(sk_ASN1_TYPE_value(numbers, 1)))
        key = of_numbers(sk_ASN1_TYPE_value(numbers, 0)->value.integer,
                         sk_ASN1_TYPE_value(numbers, 1)->value.integer);
    sk_ASN1_TYPE_pop_free(numbers, ASN1_TYPE_free);
    return key;
}
