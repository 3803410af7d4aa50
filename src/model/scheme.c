#include "scheme.h"

#include <openssl/err.h>
#include <string.h>

static const struct form {
    const char *text;
    enum sg_scheme scheme;
    enum sg_key_family family;
    bool pss;
    int algorithm; /* NID of the signature algorithm; ML-DSA goes by its OID */
    int digest;    /* NID; NID_undef: the algorithm has none to choose */
    unsigned bits; /* of the key that it needs, where one is not like another; otherwise 0 */
} FORMS[] = {
    {"rsa-sha256", SG_RSA_SHA256, SG_KEY_RSA, false, NID_sha256WithRSAEncryption, NID_sha256},
    {"rsa-sha384", SG_RSA_SHA384, SG_KEY_RSA, false, NID_sha384WithRSAEncryption, NID_sha384},
    {"rsa-sha512", SG_RSA_SHA512, SG_KEY_RSA, false, NID_sha512WithRSAEncryption, NID_sha512},
    {"rsa-pss-sha256", SG_RSA_PSS_SHA256, SG_KEY_RSA, true, NID_rsassaPss, NID_sha256},
    {"rsa-pss-sha384", SG_RSA_PSS_SHA384, SG_KEY_RSA, true, NID_rsassaPss, NID_sha384},
    {"rsa-pss-sha512", SG_RSA_PSS_SHA512, SG_KEY_RSA, true, NID_rsassaPss, NID_sha512},
    {"ecdsa-sha256", SG_ECDSA_SHA256, SG_KEY_EC, false, NID_ecdsa_with_SHA256, NID_sha256},
    {"ecdsa-sha384", SG_ECDSA_SHA384, SG_KEY_EC, false, NID_ecdsa_with_SHA384, NID_sha384},
    {"ecdsa-sha512", SG_ECDSA_SHA512, SG_KEY_EC, false, NID_ecdsa_with_SHA512, NID_sha512},
    {"ed25519", SG_ED25519, SG_KEY_ED25519, false, NID_ED25519, NID_undef},
    {"ml-dsa-44", SG_ML_DSA_44, SG_KEY_ML_DSA, false, NID_undef, NID_undef, 44},
    {"ml-dsa-65", SG_ML_DSA_65, SG_KEY_ML_DSA, false, NID_undef, NID_undef, 65},
    {"ml-dsa-87", SG_ML_DSA_87, SG_KEY_ML_DSA, false, NID_undef, NID_undef, 87},
};
enum { NUM_FORMS = sizeof FORMS / sizeof *FORMS };

static const struct form *find(enum sg_scheme scheme)
{
    for (size_t i = 0; i < NUM_FORMS; i++) {
        if (FORMS[i].scheme == scheme)
            return &FORMS[i];
    }
    return NULL;
}

bool sg_scheme_parse(const char *text, enum sg_scheme *scheme, struct sg_error *error)
{
    for (size_t i = 0; i < NUM_FORMS; i++) {
        if (strcmp(FORMS[i].text, text) == 0) {
            *scheme = FORMS[i].scheme;
            return true;
        }
    }
    return sg_fail(error, SG_USAGE, NULL,
                   "\"%.60s\" is no signature scheme: use rsa-sha256, rsa-sha384, rsa-sha512, "
                   "rsa-pss-sha256, rsa-pss-sha384, rsa-pss-sha512, ecdsa-sha256, ecdsa-sha384, "
                   "ecdsa-sha512, ed25519, ml-dsa-44, ml-dsa-65 or ml-dsa-87",
                   text);
}

const char *sg_scheme_text(enum sg_scheme scheme)
{
    const struct form *form = find(scheme);

    return form == NULL ? "no scheme" : form->text;
}

enum sg_scheme sg_scheme_default(struct sg_key_kind kind)
{
    switch (kind.family) {
    case SG_KEY_RSA:
        return SG_RSA_SHA256;
    case SG_KEY_EC:
        return kind.bits == 521   ? SG_ECDSA_SHA512
               : kind.bits == 384 ? SG_ECDSA_SHA384
                                  : SG_ECDSA_SHA256;
    case SG_KEY_ED25519:
        return SG_ED25519;
    case SG_KEY_ML_DSA:
        return kind.bits == 87 ? SG_ML_DSA_87 : kind.bits == 65 ? SG_ML_DSA_65 : SG_ML_DSA_44;
    default:
        return SG_SCHEME_NONE;
    }
}

bool sg_scheme_fits(enum sg_scheme scheme, struct sg_key_kind kind)
{
    const struct form *form = find(scheme);

    return form != NULL && form->family == kind.family &&
           (form->bits == 0 || form->bits == kind.bits);
}

bool sg_scheme_is_pss(enum sg_scheme scheme)
{
    const struct form *form = find(scheme);

    return form != NULL && form->pss;
}

const EVP_MD *sg_scheme_digest(enum sg_scheme scheme)
{
    const struct form *form = find(scheme);

    switch (form == NULL ? NID_undef : form->digest) {
    case NID_sha256:
        return EVP_sha256();
    case NID_sha384:
        return EVP_sha384();
    case NID_sha512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

/* An AlgorithmIdentifier with NULL parameters, or without any (V_ASN1_UNDEF). */
static X509_ALGOR *new_algorithm(int nid, int parameter_type)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = X509_ALGOR_new();

    if (algorithm == NULL || !X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), parameter_type, NULL))
        return NULL;
    return SG_TAKE(algorithm);
}

/* An AlgorithmIdentifier of ML-DSA, also where OpenSSL does not know it. */
static X509_ALGOR *new_ml_dsa_algorithm(const struct form *form)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = X509_ALGOR_new();
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *name =
        OBJ_txt2obj(sg_key_ml_dsa_oid((struct sg_key_kind){form->family, form->bits}), 1);

    if (algorithm == NULL || name == NULL || !X509_ALGOR_set0(algorithm, name, V_ASN1_UNDEF, NULL))
        return NULL;
    (void)SG_TAKE(name); /* algorithm owns it now */
    return SG_TAKE(algorithm);
}

/* An AlgorithmIdentifier whose parameters are the given structure in DER. */
static X509_ALGOR *new_algorithm_with(int nid, void *parameters, const ASN1_ITEM *item)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = X509_ALGOR_new();
    ASN1_STRING *packed = NULL;

    if (algorithm == NULL || ASN1_item_pack(parameters, item, &packed) == NULL)
        return NULL;
    if (!X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), V_ASN1_SEQUENCE, packed)) {
        ASN1_STRING_free(packed);
        return NULL;
    }
    return SG_TAKE(algorithm);
}

/* RFC 4055 2.1 gives the digests NULL parameters; some verifiers compare the bytes. The trailer
 * field is at its default and so must be absent. */
static X509_ALGOR *new_pss_algorithm(const struct form *form)
{
    sg_auto(RSA_PSS_PARAMS) RSA_PSS_PARAMS *pss = RSA_PSS_PARAMS_new();
    sg_auto(X509_ALGOR) X509_ALGOR *digest = new_algorithm(form->digest, V_ASN1_NULL);

    if (pss == NULL || digest == NULL)
        return NULL;
    pss->hashAlgorithm = X509_ALGOR_dup(digest);
    pss->maskGenAlgorithm = new_algorithm_with(NID_mgf1, digest, ASN1_ITEM_rptr(X509_ALGOR));
    pss->saltLength = ASN1_INTEGER_new();
    if (pss->hashAlgorithm == NULL || pss->maskGenAlgorithm == NULL || pss->saltLength == NULL ||
        !ASN1_INTEGER_set(pss->saltLength, EVP_MD_get_size(sg_scheme_digest(form->scheme))))
        return NULL;
    return new_algorithm_with(NID_rsassaPss, pss, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
}

bool sg_scheme_algorithm(enum sg_scheme scheme, X509_ALGOR **algorithm, struct sg_error *error)
{
    const struct form *form = find(scheme);
    X509_ALGOR *made = NULL;

    if (form == NULL)
        return sg_fail(error, SG_INTERNAL, NULL, "there is no signature scheme %d", (int)scheme);
    if (form->pss)
        made = new_pss_algorithm(form);
    else if (form->family == SG_KEY_ML_DSA)
        made = new_ml_dsa_algorithm(form);
    else
        made =
            new_algorithm(form->algorithm, form->family == SG_KEY_RSA ? V_ASN1_NULL : V_ASN1_UNDEF);
    if (made == NULL)
        return sg_fail_openssl(error, SG_FAILED, NULL, "an AlgorithmIdentifier can't be made");
    *algorithm = made;
    return true;
}

static bool set_pss(EVP_PKEY_CTX *context, const EVP_MD *digest)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) > 0;
}

bool sg_scheme_verify(enum sg_scheme scheme, const struct sg_public_key *key, struct sg_slice bytes,
                      struct sg_slice signature, struct sg_error *error)
{
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = sg_scheme_digest(scheme);
    EVP_PKEY_CTX *parameters = NULL; /* owned by context */
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (context == NULL)
        return sg_fail_memory(error);
    if (!sg_scheme_fits(scheme, key->kind))
        return sg_fail(error, SG_POSSESSION, NULL, "a signature by %s can't be by a key of %s",
                       sg_scheme_text(scheme), sg_key_kind_text(key->kind, kind));
    if (EVP_DigestVerifyInit(context, &parameters, digest, NULL, key->pkey) != 1 ||
        (sg_scheme_is_pss(scheme) && !set_pss(parameters, digest)))
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "verifying %s can't begin",
                               sg_scheme_text(scheme));
    if (EVP_DigestVerify(context, signature.data, signature.len, bytes.data, bytes.len) == 1)
        return true;
    ERR_clear_error();
    return sg_fail(error, SG_POSSESSION, NULL, "the signature (%s) is not by this key over this",
                   sg_scheme_text(scheme));
}
