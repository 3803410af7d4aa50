#include <openssl/asn1.h>
#include <string.h>

#include "lint_rules.h"

enum { UTC_TIME_LEN = 13, GENERALIZED_TIME_LEN = 15, LEAST_SERIAL_BITS = 64 };

static bool re_encodes_to_itself(struct sg_lint_view *view)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len;

    if (view->is_strict)
        return true;
    len = i2d_re_X509_tbs(view->certificate, &bytes);
    return len > 0 && sg_slice_equal(view->tbs, sg_slice_of(bytes, (size_t)len));
}

static bool is_version_3(struct sg_lint_view *view)
{
    long version = X509_get_version(view->certificate);

    return version == X509_VERSION_3 || sg_lint_saw(view, "version %ld", version + 1);
}

static bool has_positive_serial(struct sg_lint_view *view)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(view->certificate);
    sg_auto(BIGNUM) BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);

    return number != NULL && !BN_is_negative(number) && !BN_is_zero(number);
}

static int serial_bits(const struct sg_lint_view *view)
{
    sg_auto(BIGNUM) BIGNUM *number =
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(view->certificate), NULL);

    return number != NULL ? BN_num_bits(number) : 0;
}

static bool has_short_serial(struct sg_lint_view *view)
{
    int octets = serial_bits(view) / 8 + 1; /* with the sign's bit */

    return octets <= SG_LIMIT_SERIAL || sg_lint_saw(view, "%d octets", octets);
}

static bool has_unpredictable_serial(struct sg_lint_view *view)
{
    int bits = serial_bits(view);

    return bits >= LEAST_SERIAL_BITS || sg_lint_saw(view, "%d bits", bits);
}

static const struct algorithm {
    enum sg_scheme scheme;
    int algorithm, digest;
} ALGORITHMS[] = {
    {SG_RSA_SHA256, NID_sha256WithRSAEncryption, NID_sha256},
    {SG_RSA_SHA384, NID_sha384WithRSAEncryption, NID_sha384},
    {SG_RSA_SHA512, NID_sha512WithRSAEncryption, NID_sha512},
    {SG_RSA_PSS_SHA256, NID_rsassaPss, NID_sha256},
    {SG_RSA_PSS_SHA384, NID_rsassaPss, NID_sha384},
    {SG_RSA_PSS_SHA512, NID_rsassaPss, NID_sha512},
    {SG_ECDSA_SHA256, NID_ecdsa_with_SHA256, NID_sha256},
    {SG_ECDSA_SHA384, NID_ecdsa_with_SHA384, NID_sha384},
    {SG_ECDSA_SHA512, NID_ecdsa_with_SHA512, NID_sha512},
    {SG_ED25519, NID_ED25519, NID_undef},
};

/* By their OIDs, as older OpenSSLs have no NIDs for them. RFC 9881 2. */
static const struct {
    enum sg_scheme scheme;
    uint8_t oid[9];
} ML_DSA[] = {
    {SG_ML_DSA_44, {0x60, 0x86, 0x48, 1, 101, 3, 4, 3, 17}}, /* 2.16.840.1.101.3.4.3.17 */
    {SG_ML_DSA_65, {0x60, 0x86, 0x48, 1, 101, 3, 4, 3, 18}},
    {SG_ML_DSA_87, {0x60, 0x86, 0x48, 1, 101, 3, 4, 3, 19}},
};

/* SG_SCHEME_NONE when the algorithm, of a key or of a signature, is another. */
static enum sg_scheme ml_dsa_of(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;

    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    for (size_t i = 0; i < sizeof ML_DSA / sizeof *ML_DSA; i++)
        if (sg_oid_is(object, sg_slice_of(ML_DSA[i].oid, sizeof ML_DSA[i].oid)))
            return ML_DSA[i].scheme;
    return SG_SCHEME_NONE;
}

static int nid_of(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    return OBJ_obj2nid(oid);
}

/* RFC 4055 3.1: the digest, MGF1 with the same digest, a salt as long as it. */
static bool pss_is_right(const ASN1_STRING *encoded, int digest)
{
    sg_auto(RSA_PSS_PARAMS) RSA_PSS_PARAMS *parameters =
        ASN1_item_unpack(encoded, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    sg_auto(X509_ALGOR) X509_ALGOR *mask_digest = NULL;
    const void *mask = NULL;
    int type = 0;

    if (parameters == NULL || parameters->hashAlgorithm == NULL ||
        parameters->maskGenAlgorithm == NULL || parameters->saltLength == NULL)
        return false;
    X509_ALGOR_get0(NULL, &type, &mask, parameters->maskGenAlgorithm);
    if (nid_of(parameters->maskGenAlgorithm) != NID_mgf1 || type != V_ASN1_SEQUENCE)
        return false;
    mask_digest = ASN1_item_unpack(mask, ASN1_ITEM_rptr(X509_ALGOR));
    return mask_digest != NULL && nid_of(parameters->hashAlgorithm) == digest &&
           nid_of(mask_digest) == digest &&
           ASN1_INTEGER_get(parameters->saltLength) == EVP_MD_get_size(EVP_get_digestbynid(digest));
}

/* RFC 4055 5 (NULL with RSA PKCS#1 v1.5); RFC 5758 3.2, RFC 8410 3 and RFC 9881 2 (nothing with
 * ECDSA, Ed25519 and ML-DSA). */
bool sg_lint_scheme_is(const X509_ALGOR *algorithm, enum sg_scheme scheme)
{
    const struct algorithm *wanted = ALGORITHMS;
    const struct algorithm *end = ALGORITHMS + sizeof ALGORITHMS / sizeof *ALGORITHMS;
    const void *parameters = NULL;
    int type = 0;

    X509_ALGOR_get0(NULL, &type, &parameters, algorithm);
    if (ml_dsa_of(algorithm) != SG_SCHEME_NONE)
        return ml_dsa_of(algorithm) == scheme && type == V_ASN1_UNDEF;
    while (wanted < end && wanted->scheme != scheme)
        wanted++;
    if (wanted == end || nid_of(algorithm) != wanted->algorithm)
        return false;
    if (wanted->algorithm == NID_rsassaPss)
        return type == V_ASN1_SEQUENCE && pss_is_right(parameters, wanted->digest);
    if (scheme <= SG_RSA_SHA512)
        return type == V_ASN1_NULL;
    return type == V_ASN1_UNDEF;
}

static bool is_signed_as_the_issuer_signs(struct sg_lint_view *view)
{
    return sg_lint_scheme_is(X509_get0_tbs_sigalg(view->certificate), view->issuer->scheme) ||
           sg_lint_saw(view, "another than %s", sg_scheme_text(view->issuer->scheme));
}

/* UTCTime YYMMDDHHMMSSZ, which ends with 2049, or GeneralizedTime YYYYMMDDHHMMSSZ from 2050. */
bool sg_lint_time_is_right(const ASN1_TIME *time)
{
    struct sg_slice text = sg_lint_string(time);
    struct tm tm;

    if (!ASN1_TIME_to_tm(time, &tm) || text.data[text.len - 1] != 'Z')
        return false;
    if (ASN1_STRING_type(time) == V_ASN1_UTCTIME)
        return text.len == UTC_TIME_LEN;
    return text.len == GENERALIZED_TIME_LEN && memcmp(text.data, "2050", 4) >= 0;
}

static bool has_right_times(struct sg_lint_view *view)
{
    const ASN1_TIME *const TIMES[] = {
        X509_get0_notBefore(view->certificate),
        X509_get0_notAfter(view->certificate),
    };

    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++)
        if (!sg_lint_time_is_right(TIMES[i]))
            return sg_lint_saw(view, "\"%.30s\"", (const char *)ASN1_STRING_get0_data(TIMES[i]));
    return true;
}

static bool ends_after_it_begins(struct sg_lint_view *view)
{
    int order = ASN1_TIME_compare(X509_get0_notBefore(view->certificate),
                                  X509_get0_notAfter(view->certificate));

    return order == -1 || order == 0; /* both ends count; -2 is an error */
}

static bool has_readable_key(struct sg_lint_view *view)
{
    return view->key.pkey != NULL;
}

/* RFC 5480 2.1.1 (a curve's name), RFC 3279 2.3.1 (NULL), RFC 8410 3 and RFC 9881 2 (nothing). */
static bool has_right_key_parameters(struct sg_lint_view *view)
{
    static const struct {
        int algorithm, type;
    } PARAMETERS[] = {
        {NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT},
        {NID_rsaEncryption, V_ASN1_NULL},
        {NID_ED25519, V_ASN1_UNDEF},
    };
    X509_ALGOR *algorithm = NULL;
    int type = 0;

    X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(view->certificate));
    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    for (size_t i = 0; i < sizeof PARAMETERS / sizeof *PARAMETERS; i++)
        if (PARAMETERS[i].algorithm == nid_of(algorithm))
            return PARAMETERS[i].type == type;
    return ml_dsa_of(algorithm) == SG_SCHEME_NONE || type == V_ASN1_UNDEF;
}

static bool has_the_issuers_key_if_its_own(struct sg_lint_view *view)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len;

    if (view->issuer->certificate != NULL)
        return true;
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(view->certificate), &bytes);
    return len > 0 &&
           sg_slice_equal(sg_slice_of(bytes, (size_t)len), sg_buf_slice(&view->issuer->key.spki));
}

static bool has_no_unique_ids(struct sg_lint_view *view)
{
    const ASN1_BIT_STRING *issuer = NULL, *subject = NULL;

    X509_get0_uids(view->certificate, &issuer, &subject);
    return issuer == NULL && subject == NULL;
}

const struct sg_lint_rule SG_LINT_FIELDS[] = {
    {"RFC 5280 4.1", "it must be DER: re-encoding must give the same bytes", re_encodes_to_itself},
    {"RFC 5280 4.1.2.1", "it must be version 3", is_version_3},
    {"RFC 5280 4.1.2.2", "the serial number must be positive", has_positive_serial},
    {"RFC 5280 4.1.2.2", "the serial number must have at most 20 octets", has_short_serial},
    {"CA/Browser BR 7.1", "the serial number must have at least 64 bits", has_unpredictable_serial},
    {"RFC 5280 4.1.2.3", "the signature algorithm must be the issuer's",
     is_signed_as_the_issuer_signs},
    {"RFC 5280 4.1.2.5",
     "times must be UTCTime through 2049 and GeneralizedTime from 2050, with seconds and Z",
     has_right_times},
    {"RFC 5280 4.1.2.5", "notBefore must not come after notAfter", ends_after_it_begins},
    {"RFC 5280 4.1.2.7", "the public key must have its algorithm's form of parameters",
     has_right_key_parameters},
    {"RFC 5280 4.1.2.7", "the public key must be readable", has_readable_key},
    {"RFC 5280 3.2", "a self-signed certificate must hold the issuer's key",
     has_the_issuers_key_if_its_own},
    {"RFC 5280 4.1.2.8", "there must be no unique identifiers", has_no_unique_ids},
    {0},
};
