/* show_keys: keys and signature algorithms in words. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "model/scheme.h"
#include "show_parts.h"

/* A key of a kind that Signet has no word for, as OpenSSL calls it. */
static bool put_other_key(json_t *object, const struct sg_public_key *key)
{
    const char *type = EVP_PKEY_get0_type_name(key->pkey);
    char curve[64];

    if (key->kind.family == SG_KEY_EC &&
        EVP_PKEY_get_group_name(key->pkey, curve, sizeof curve, NULL) == 1)
        return sg_show_put(object, "key", "EC on the curve %s", curve);
    return sg_show_put(object, "key", "%s, %d bits", type != NULL ? type : "another kind of key",
                       EVP_PKEY_get_bits(key->pkey));
}

static bool put_key(json_t *object, const struct sg_public_key *key)
{
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (key->kind.family == SG_KEY_OTHER || (key->kind.family == SG_KEY_EC && key->kind.bits == 0))
        return put_other_key(object, key);
    return sg_show_put(object, "key", "%s", sg_key_kind_text(key->kind, kind));
}

bool sg_show_key(json_t *object, X509_PUBKEY *encoded)
{
    sg_auto(sg_public_key) struct sg_public_key key = {0};
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(encoded, &spki);
    X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *oid = NULL;
    char text[SG_LIMIT_OID];
    bool shown;

    if (len > 0 && sg_public_key_decode(sg_slice_of(spki, (size_t)len), &key, NULL)) {
        shown = put_key(object, &key);
        ERR_clear_error();
        return shown;
    }
    ERR_clear_error();
    X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, encoded);
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    return sg_show_put(object, "key", "unreadable, algorithm %s", sg_oid_text(oid, text));
}

static const char *digest_name(const X509_ALGOR *digest)
{
    static const struct {
        int nid;
        const char *name;
    } NAMES[] = {
        {NID_sha1, "SHA-1"},     {NID_sha224, "SHA-224"}, {NID_sha256, "SHA-256"},
        {NID_sha384, "SHA-384"}, {NID_sha512, "SHA-512"},
    };
    const ASN1_OBJECT *oid = NULL;

    if (digest == NULL)
        return "SHA-1"; /* RFC 4055 3.1 */
    X509_ALGOR_get0(&oid, NULL, NULL, digest);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (NAMES[i].nid == OBJ_obj2nid(oid))
            return NAMES[i].name;
    return OBJ_obj2nid(oid) != NID_undef ? OBJ_nid2ln(OBJ_obj2nid(oid)) : "an unknown digest";
}

/* The digest of MGF1, or what else the mask is; "" when it is the message's. */
static const char *mask_text(const RSA_PSS_PARAMS *pss, char into[SG_SHOW_OID])
{
    const ASN1_OBJECT *oid = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    sg_auto(X509_ALGOR) X509_ALGOR *inner = NULL;
    const char *digest = digest_name(pss->hashAlgorithm), *mask = NULL;

    if (pss->maskGenAlgorithm != NULL) {
        X509_ALGOR_get0(&oid, &type, &value, pss->maskGenAlgorithm);
        if (OBJ_obj2nid(oid) != NID_mgf1 || type != V_ASN1_SEQUENCE)
            return ", another mask than MGF1";
        inner = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
        if (inner == NULL)
            return ", an unreadable mask";
    }
    mask = digest_name(inner);
    if (strcmp(mask, digest) == 0)
        return "";
    snprintf(into, SG_SHOW_OID, ", MGF1 with %s", mask);
    return into;
}

/* done is false when the parameters can't be read. */
static bool put_pss(json_t *object, const X509_ALGOR *algorithm, bool *done)
{
    enum { DEFAULT_SALT = 20 }; /* RFC 4055 3.1 */
    sg_auto(RSA_PSS_PARAMS) RSA_PSS_PARAMS *pss = NULL;
    const ASN1_OBJECT *oid = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    char mask[SG_SHOW_OID];

    X509_ALGOR_get0(&oid, &type, &value, algorithm);
    if (OBJ_obj2nid(oid) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
        return true;
    pss = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (pss == NULL)
        return true;
    *done = true;
    return sg_show_put(object, "signature", "rsassa-pss with %s, salt %ld%s",
                       digest_name(pss->hashAlgorithm),
                       pss->saltLength != NULL ? ASN1_INTEGER_get(pss->saltLength) : DEFAULT_SALT,
                       mask_text(pss, mask));
}

bool sg_show_signature(json_t *object, const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;
    char text[SG_LIMIT_OID];
    bool done = false;
    int nid;

    if (!put_pss(object, algorithm, &done))
        return false;
    for (enum sg_scheme scheme = SG_RSA_SHA256; !done && scheme < SG_NUM_SCHEMES; scheme++) {
        sg_auto(X509_ALGOR) X509_ALGOR *known = NULL;

        if (sg_scheme_algorithm(scheme, &known, NULL) && X509_ALGOR_cmp(known, algorithm) == 0)
            return sg_show_put(object, "signature", "%s", sg_scheme_text(scheme));
    }
    ERR_clear_error();
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    nid = OBJ_obj2nid(oid);
    return done || sg_show_put(object, "signature", "%s",
                               nid != NID_undef ? OBJ_nid2ln(nid) : sg_oid_text(oid, text));
}
