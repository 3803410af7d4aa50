/* public_key: a SubjectPublicKeyInfo looked at, and made a key. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "base/der.h"
#include "key.h"
#include "key_of_bits.h"
#include "oid.h"
#include "undecoded.h"

/* The parts of a SubjectPublicKeyInfo, borrowed from an X509_PUBKEY. */
struct parts {
    ASN1_OBJECT *algorithm;
    int parameter_type;
    const ASN1_OBJECT *curve; /* when parameter_type is V_ASN1_OBJECT */
    struct sg_slice bits;
};

static bool take_apart(X509_PUBKEY *encoded, struct parts *parts, struct sg_error *error)
{
    const unsigned char *bits = NULL;
    X509_ALGOR *algorithm = NULL;
    const void *parameter = NULL;
    int len = 0;

    if (!X509_PUBKEY_get0_param(&parts->algorithm, &bits, &len, &algorithm, encoded))
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a decoded public key has no parts");
    X509_ALGOR_get0(NULL, &parts->parameter_type, &parameter, algorithm);
    parts->curve = parts->parameter_type == V_ASN1_OBJECT ? parameter : NULL;
    parts->bits = sg_slice_of(bits, (size_t)len);
    return true;
}

static bool check_ec(const struct parts *parts, struct sg_error *error)
{
    if (parts->parameter_type == V_ASN1_SEQUENCE)
        return sg_fail(error, SG_KEY_QUALITY, "RFC 5480 2.1.1",
                       "the EC key spells out its curve's parameters: make it on a named curve");
    if (parts->curve == NULL)
        return sg_fail(error, SG_KEY_QUALITY, "RFC 5480 2.1.1",
                       "the EC key does not name its curve: make it on a named curve");
    if (parts->bits.len > 0 && parts->bits.data[0] != POINT_CONVERSION_UNCOMPRESSED)
        return sg_fail(error, SG_KEY_QUALITY, "RFC 5480 2.2",
                       "the EC point is compressed or no point: send it uncompressed");
    return true;
}

static bool check_parts(const struct parts *parts, struct sg_error *error)
{
    switch (OBJ_obj2nid(parts->algorithm)) {
    case NID_X9_62_id_ecPublicKey:
        return check_ec(parts, error);
    case NID_rsaEncryption:
        if (parts->parameter_type != V_ASN1_NULL)
            return sg_fail(error, SG_MALFORMED, "RFC 3279 2.3.1",
                           "the RSA key's algorithm parameters are not NULL");
        return true;
    case NID_ED25519:
        if (parts->parameter_type != V_ASN1_UNDEF)
            return sg_fail(error, SG_MALFORMED, "RFC 8410 3",
                           "the Ed25519 key has algorithm parameters, which must be absent");
        return true;
    default:
        if (sg_key_ml_dsa_kind(parts->algorithm).family == SG_KEY_ML_DSA &&
            parts->parameter_type != V_ASN1_UNDEF)
            return sg_fail(error, SG_MALFORMED, "RFC 9881 2",
                           "the ML-DSA key has algorithm parameters, which must be absent");
        return true;
    }
}

/* Whether a DER SEQUENCE OF something comes out again as it went in. */
static bool is_der_sequence(struct sg_slice bytes)
{
    const unsigned char *from = bytes.data;
    ASN1_SEQUENCE_ANY *items = NULL;
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len = 0;

    if (bytes.len > 0 && bytes.data[0] == SG_DER_SEQUENCE && sg_der_is_strict(bytes, NULL))
        return true;
    items = d2i_ASN1_SEQUENCE_ANY(NULL, &from, (long)bytes.len);
    if (items == NULL)
        return false;
    len = i2d_ASN1_SEQUENCE_ANY(items, &again);
    sk_ASN1_TYPE_pop_free(items, ASN1_TYPE_free);
    return len > 0 && sg_slice_equal(sg_slice_of(again, (size_t)len), bytes);
}

static bool check_encoding(const X509_PUBKEY *encoded, struct sg_slice spki, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len;

    if (sg_der_is_strict(spki, NULL))
        return true;
    len = i2d_X509_PUBKEY(encoded, &again);

    if (len < 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a decoded public key can't be encoded");
    if (!sg_slice_equal(sg_slice_of(again, (size_t)len), spki))
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1",
                       "the public key is in BER: send it in DER");
    return true;
}

/* OpenSSL reads BER. A second encoding of the same key would be a second key to the store. */
static bool check_der(const X509_PUBKEY *encoded, struct sg_slice spki, const struct parts *parts,
                      struct sg_error *error)
{
    if (!check_encoding(encoded, spki, error))
        return false;
    /* In DER the BIT STRING ends the structure, so this is its octet for unused bits. */
    if (spki.data[spki.len - parts->bits.len - 1] != 0)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.7",
                       "the public key's BIT STRING has unused bits");
    if (OBJ_obj2nid(parts->algorithm) == NID_rsaEncryption && !is_der_sequence(parts->bits))
        return sg_fail(error, SG_MALFORMED, "RFC 3279 2.3.1",
                       "the RSA public key is not a SEQUENCE in DER");
    return true;
}

static bool fail_undecoded_ml_dsa(struct sg_key_kind kind, struct sg_error *error)
{
    struct sg_error why = {0};
    char text[SG_KEY_KIND_TEXT_SIZE];

    if (!sg_key_kind_check_openssl(kind, &why))
        return sg_fail(error, SG_KEY_QUALITY, NULL, "the key can't be decoded: %s", why.text);
    return sg_fail(error, SG_MALFORMED, "RFC 9881 4", "the %s key can't be decoded",
                   sg_key_kind_text(kind, text));
}

static bool fail_undecoded(const struct parts *parts, struct sg_error *error)
{
    struct sg_key_kind ml_dsa = sg_key_ml_dsa_kind(parts->algorithm);
    char oid[SG_LIMIT_OID];

    ERR_clear_error(); /* it says no more than "decode error" */
    if (ml_dsa.family == SG_KEY_ML_DSA)
        return fail_undecoded_ml_dsa(ml_dsa, error);
    sg_oid_text(parts->algorithm, oid);
    switch (OBJ_obj2nid(parts->algorithm)) {
    case NID_rsaEncryption:
        return sg_fail(error, SG_MALFORMED, "RFC 3279 2.3.1", "the RSA key can't be decoded");
    case NID_X9_62_id_ecPublicKey:
        return sg_fail(error, SG_MALFORMED, "RFC 5480 2.2",
                       "the EC key can't be decoded: its point is not on its curve, or OpenSSL "
                       "does not know the curve %.60s",
                       sg_oid_text(parts->curve, oid));
    case NID_ED25519:
        return sg_fail(error, SG_MALFORMED, "RFC 8410 4", "the Ed25519 key can't be decoded");
    default:
        return sg_fail(error, SG_KEY_QUALITY, NULL,
                       "OpenSSL %s can't decode a key of the algorithm %.60s: use RSA or a NIST "
                       "curve",
                       OpenSSL_version(OPENSSL_VERSION_STRING), oid);
    }
}

static unsigned curve_bits(const ASN1_OBJECT *curve)
{
    switch (OBJ_obj2nid(curve)) {
    case NID_X9_62_prime256v1:
        return 256;
    case NID_secp384r1:
        return 384;
    case NID_secp521r1:
        return 521;
    default:
        return 0;
    }
}

static EVP_PKEY *make_key(const struct parts *parts, struct sg_slice spki)
{
    const unsigned char *at = spki.data;

    switch (OBJ_obj2nid(parts->algorithm)) {
    case NID_X9_62_id_ecPublicKey:
        if (curve_bits(parts->curve) != 0)
            return sg_key_of_ec_point(OBJ_obj2nid(parts->curve), parts->bits);
        break;
    case NID_rsaEncryption:
        return sg_key_of_rsa_numbers(parts->bits);
    case NID_ED25519:
        return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, parts->bits.data,
                                           parts->bits.len);
    default:
        break;
    }
    return d2i_PUBKEY(NULL, &at, (long)spki.len);
}

static struct sg_key_kind classify(const EVP_PKEY *pkey, const struct parts *parts)
{
    struct sg_key_kind ml_dsa = sg_key_ml_dsa_kind(parts->algorithm);

    if (ml_dsa.family == SG_KEY_ML_DSA)
        return ml_dsa;
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        return (struct sg_key_kind){SG_KEY_RSA, (unsigned)EVP_PKEY_get_bits(pkey)};
    case EVP_PKEY_EC:
        return (struct sg_key_kind){SG_KEY_EC, curve_bits(parts->curve)};
    case EVP_PKEY_ED25519:
        return (struct sg_key_kind){SG_KEY_ED25519, 0};
    default:
        return (struct sg_key_kind){SG_KEY_OTHER, 0};
    }
}

static bool fill(X509_PUBKEY *encoded, struct sg_slice spki, struct sg_public_key *key,
                 struct sg_error *error)
{
    struct parts parts = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;

    if (!take_apart(encoded, &parts, error) || !check_parts(&parts, error) ||
        !check_der(encoded, spki, &parts, error))
        return false;
    pkey = make_key(&parts, spki);
    if (pkey == NULL)
        return fail_undecoded(&parts, error);
    if (!sg_buf_set(&key->spki, spki, error))
        return false;
    sg_sha256(spki, key->sha256);
    if (!EVP_Digest(parts.bits.data, parts.bits.len, key->id, NULL, EVP_sha1(), NULL))
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "SHA-1 fails");
    key->kind = classify(pkey, &parts);
    key->is_on_curve = key->kind.family == SG_KEY_EC && key->kind.bits != 0;
    key->pkey = SG_TAKE(pkey);
    return true;
}

static bool check_length(size_t len, struct sg_error *error)
{
    if (len == 0)
        return sg_fail(error, SG_MALFORMED, NULL, "the public key is empty");
    if (len > SG_LIMIT_SPKI)
        return sg_fail(error, SG_MALFORMED, NULL, "the public key is longer than %d bytes",
                       SG_LIMIT_SPKI);
    return true;
}

static bool decode(X509_PUBKEY *encoded, struct sg_slice spki, struct sg_public_key *key,
                   struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key decoded = {0};

    if (!fill(encoded, spki, &decoded, error))
        return false;
    *key = decoded;
    decoded = (struct sg_public_key){0}; /* now owned by the caller */
    return true;
}

bool sg_public_key_decode(struct sg_slice spki, struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(X509_PUBKEY) X509_PUBKEY *encoded = NULL;
    const unsigned char *from = spki.data;

    if (!check_length(spki.len, error))
        return false;
    encoded = sg_undecoded_public_key(&from, (long)spki.len);
    if (encoded == NULL)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280 4.1",
                               "this is no SubjectPublicKeyInfo");
    if (from != spki.data + spki.len)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1", "%td bytes follow the public key",
                       spki.data + spki.len - from);
    return decode(encoded, spki, key, error);
}

bool sg_public_key_of(X509_PUBKEY *encoded, struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(encoded, &spki);

    if (len <= 0)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280 4.1.2.7",
                               "the public key can't be encoded");
    return check_length((size_t)len, error) &&
           decode(encoded, sg_slice_of(spki, (size_t)len), key, error);
}

bool sg_public_key_of_certificate(const X509 *certificate, struct sg_public_key *key,
                                  struct sg_error *error)
{
    return sg_public_key_of(X509_get_X509_PUBKEY(certificate), key, error);
}

bool sg_public_key_id(const struct sg_public_key *key, uint8_t id[SG_KEY_ID_LEN],
                      struct sg_error *error)
{
    if (key->spki.len == 0)
        return sg_fail(error, SG_INTERNAL, NULL, "an empty public key has no identifier");
    memcpy(id, key->id, SG_KEY_ID_LEN);
    return true;
}

bool sg_public_key_equal(const struct sg_public_key *a, const struct sg_public_key *b)
{
    return sg_slice_equal(sg_buf_slice(&a->spki), sg_buf_slice(&b->spki));
}

void sg_public_key_done(struct sg_public_key *key)
{
    sg_buf_free(&key->spki);
    EVP_PKEY_free(key->pkey);
    *key = (struct sg_public_key){0};
}
