#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#include "parts.h"

enum parameters { ABSENT, NULL_OR_ABSENT, PSS };

/* digest has the name that OpenSSL's providers use. */
static const struct algorithm {
    int nid;
    enum parameters parameters;
    const char *digest;
} ALGORITHMS[] = {
    {NID_sha256WithRSAEncryption, NULL_OR_ABSENT, "SHA2-256"},
    {NID_sha384WithRSAEncryption, NULL_OR_ABSENT, "SHA2-384"},
    {NID_sha512WithRSAEncryption, NULL_OR_ABSENT, "SHA2-512"},
    {NID_rsassaPss, PSS, NULL},
    {NID_ecdsa_with_SHA256, ABSENT, "SHA2-256"},
    {NID_ecdsa_with_SHA384, ABSENT, "SHA2-384"},
    {NID_ecdsa_with_SHA512, ABSENT, "SHA2-512"},
    {NID_ED25519, ABSENT, ""},
};

/* Its OIDs have no NID in older OpenSSLs; the key of such a request is refused there with the
 * OpenSSL that is needed. */
static const struct algorithm ML_DSA = {NID_undef, ABSENT, ""};

static const struct {
    int nid;
    const char *name;
} PSS_DIGESTS[] = {
    {NID_sha256, "SHA2-256"},
    {NID_sha384, "SHA2-384"},
    {NID_sha512, "SHA2-512"},
};

/* Digests that have an argument of their own against them. */
static const struct {
    int nid;
    const char *name, *rule;
} WEAK_DIGESTS[] = {
    {NID_md2, "MD2", "RFC 6149: MD2"},
    {NID_md4, "MD4", "RFC 6150: MD4"},
    {NID_md5, "MD5", "RFC 6151: MD5"},
    {NID_sha1, "SHA-1", "NIST SP 800-131A: SHA-1"},
};

static const char REMEDY[] = "sign it again with SHA-256, SHA-384 or SHA-512";
static const char SPKAC_REMEDY[] = "sign it again with SHA-256, SHA-384 or SHA-512 (`openssl spkac "
                                   "-digest sha256`, which takes MD5 when it is not told)";

/* Digests that are only not among ours. Whether OpenSSL knows a signature algorithm with one, and
 * so names the digest, depends on its version. */
static bool is_sound(int digest)
{
    switch (digest) {
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
    case NID_sha512_256:
    case NID_sha3_256:
    case NID_sha3_384:
    case NID_sha3_512:
        return true;
    default:
        return false;
    }
}

static bool fail_digest(int digest, const char *algorithm, const char *remedy,
                        struct sg_error *error)
{
    for (size_t i = 0; i < sizeof WEAK_DIGESTS / sizeof WEAK_DIGESTS[0]; i++)
        if (WEAK_DIGESTS[i].nid == digest)
            return sg_fail(error, SG_KEY_QUALITY, WEAK_DIGESTS[i].rule,
                           "the request is signed with %s (%s), which proves nothing any more; %s",
                           WEAK_DIGESTS[i].name, algorithm, remedy);
    return sg_fail(
        error, SG_KEY_QUALITY,
        is_sound(digest) ? "RFC 2986 4.2: signatureAlgorithm" : "NIST SP 800-131A: digest",
        "the request is signed with %s (%s), which is not accepted; %s",
        digest != NID_undef ? OBJ_nid2sn(digest) : "an unknown digest", algorithm, remedy);
}

static bool fail_algorithm(const ASN1_OBJECT *object, enum sg_request_format format,
                           struct sg_error *error)
{
    char oid[SG_LIMIT_OID];
    int nid = OBJ_obj2nid(object), digest = NID_undef;
    const char *name = nid != NID_undef ? OBJ_nid2ln(nid) : sg_oid_text(object, oid);

    if (nid != NID_undef && OBJ_find_sigid_algs(nid, &digest, NULL) == 1 && digest != NID_undef &&
        !is_sound(digest))
        return fail_digest(digest, name, format == SG_REQUEST_SPKAC ? SPKAC_REMEDY : REMEDY, error);
    return sg_fail(error, SG_KEY_QUALITY, "RFC 2986 4.2: signatureAlgorithm",
                   "the request's signature algorithm %s is not accepted; use RSA, RSA-PSS or "
                   "ECDSA with SHA-256, SHA-384 or SHA-512, Ed25519 or ML-DSA",
                   name);
}

static const struct algorithm *find_algorithm(const ASN1_OBJECT *object)
{
    int nid = OBJ_obj2nid(object);

    if (sg_key_ml_dsa_kind(object).family == SG_KEY_ML_DSA)
        return &ML_DSA;
    for (size_t i = 0; i < sizeof ALGORITHMS / sizeof ALGORITHMS[0]; i++)
        if (ALGORITHMS[i].nid == nid)
            return &ALGORITHMS[i];
    return NULL;
}

static const char *find_pss_digest(int nid)
{
    for (size_t i = 0; i < sizeof PSS_DIGESTS / sizeof PSS_DIGESTS[0]; i++)
        if (PSS_DIGESTS[i].nid == nid)
            return PSS_DIGESTS[i].name;
    return NULL;
}

static int nid_of(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;

    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    return OBJ_obj2nid(object);
}

/* An absent field of RSASSA-PSS-params means SHA-1 (RFC 4055 3.1). */
static bool check_mask(const X509_ALGOR *mask, struct sg_error *error)
{
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int type, digest = NID_sha1;

    if (mask != NULL) {
        sg_auto(X509_ALGOR) X509_ALGOR *inner = NULL;

        X509_ALGOR_get0(&object, &type, &value, mask);
        if (OBJ_obj2nid(object) != NID_mgf1 || type != V_ASN1_SEQUENCE)
            return sg_fail(error, SG_MALFORMED, "RFC 4055 3.1",
                           "the RSA-PSS parameters name another mask function than MGF1");
        inner = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
        if (inner == NULL)
            return sg_fail_openssl(error, SG_MALFORMED, "RFC 4055 3.1",
                                   "the digest of MGF1 can't be decoded");
        digest = nid_of(inner);
    }
    if (find_pss_digest(digest) == NULL)
        return fail_digest(digest, "the mask of RSA-PSS", REMEDY, error);
    return true;
}

static bool read_pss(const X509_ALGOR *algorithm, const char **digest, struct sg_error *error)
{
    sg_auto(RSA_PSS_PARAMS) RSA_PSS_PARAMS *pss = NULL;
    const void *value = NULL;
    const ASN1_STRING *text;
    int type, nid;

    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE)
        return sg_fail(error, SG_MALFORMED, "RFC 4055 3.1",
                       "the signature algorithm RSA-PSS comes without its parameters");
    text = value;
    pss = sg_der_decode(sg_slice_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)),
                        ASN1_ITEM_rptr(RSA_PSS_PARAMS), "the parameters of RSA-PSS", error);
    if (pss == NULL)
        return false;
    nid = pss->hashAlgorithm != NULL ? nid_of(pss->hashAlgorithm) : NID_sha1;
    if (find_pss_digest(nid) == NULL)
        return fail_digest(nid, "RSA-PSS", REMEDY, error);
    if (!check_mask(pss->maskGenAlgorithm, error))
        return false;
    *digest = find_pss_digest(nid);
    return true;
}

static bool check_parameters(const X509_ALGOR *algorithm, enum parameters wanted,
                             struct sg_error *error)
{
    int type;

    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    if (type == V_ASN1_UNDEF || (wanted == NULL_OR_ABSENT && type == V_ASN1_NULL))
        return true;
    return sg_fail(error, SG_MALFORMED,
                   wanted == NULL_OR_ABSENT ? "RFC 4055 5" : "RFC 5758 3.2, RFC 8410 3, RFC 9881 2",
                   "the request's signature algorithm has parameters where there must be none");
}

bool sg_request_read_algorithm(const X509_ALGOR *algorithm, struct sg_request *request,
                               struct sg_error *error)
{
    const ASN1_OBJECT *object = NULL;
    const struct algorithm *known;
    const char *digest;

    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    known = find_algorithm(object);
    if (known == NULL)
        return fail_algorithm(object, request->format, error);
    digest = known->digest;
    if (known->parameters == PSS ? !read_pss(algorithm, &digest, error)
                                 : !check_parameters(algorithm, known->parameters, error))
        return false;
    snprintf(request->digest, sizeof request->digest, "%s", digest);
    return true;
}
