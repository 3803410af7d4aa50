/* open: what pack and seal have made, or somebody else by the same standards. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "parcel.h"

SG_DEFINE_CLEANUP(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
SG_DEFINE_CLEANUP(OSSL_PARAM, OSSL_PARAM_free)

static bool fail_malformed(struct sg_error *error, const char *rule, const char *what)
{
    ERR_clear_error();
    return sg_fail(error, SG_MALFORMED, rule, "%s", what);
}

/* ---- decrypting ---- */

static bool read_enveloped(struct sg_slice der, const struct sg_opener *opener,
                           CMS_ContentInfo **enveloped, struct sg_error *error)
{
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(opener->context, NULL);
    const uint8_t *at = der.data;

    if (cms == NULL)
        return sg_fail_memory(error);
    if (d2i_CMS_ContentInfo(&cms, &at, (long)der.len) == NULL || at != der.data + der.len ||
        OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_enveloped)
        return fail_malformed(error, "RFC 7030 4.4.2", "the key is not in EnvelopedData");
    if (OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_signed)
        return fail_malformed(error, "RFC 7030 4.4.2",
                              "what is encrypted is not SignedData, so nobody answers for it");
    *enveloped = SG_TAKE(cms);
    return true;
}

static bool open_by_rsa(CMS_ContentInfo *cms, CMS_RecipientInfo *info,
                        const struct sg_opener *opener)
{
    if (EVP_PKEY_up_ref(opener->pkey) != 1)
        return false;
    return CMS_RecipientInfo_set0_pkey(info, opener->pkey) == 1 &&
           CMS_RecipientInfo_decrypt(cms, info) == 1;
}

/* The sender's key of this one message, on the curve of ours. */
static EVP_PKEY *sender_key(CMS_RecipientInfo *info, const struct sg_opener *opener)
{
    sg_auto(OSSL_PARAM_BLD) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    sg_auto(OSSL_PARAM) OSSL_PARAM *params = NULL;
    sg_auto(EVP_PKEY_CTX) EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_name(opener->context, "EC", "provider=default");
    ASN1_BIT_STRING *point = NULL;
    X509_ALGOR *algorithm = NULL;
    char curve[32];
    EVP_PKEY *key = NULL;

    if (CMS_RecipientInfo_kari_get0_orig_id(info, &algorithm, &point, NULL, NULL, NULL) != 1 ||
        point == NULL || builder == NULL || context == NULL ||
        EVP_PKEY_get_group_name(opener->pkey, curve, sizeof curve, NULL) != 1 ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY,
                                         ASN1_STRING_get0_data(point),
                                         (size_t)ASN1_STRING_length(point)) != 1 ||
        (params = OSSL_PARAM_BLD_to_param(builder)) == NULL ||
        EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static bool open_by_ec(CMS_ContentInfo *cms, CMS_RecipientInfo *info,
                       const struct sg_opener *opener)
{
    sg_auto(EVP_PKEY) EVP_PKEY *sender = sender_key(info, opener);
    sg_auto(X509) X509 *holder = X509_new_ex(opener->context, NULL); /* how the peer is passed */
    STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(info);

    return sender != NULL && holder != NULL && X509_set_pubkey(holder, sender) == 1 &&
           sk_CMS_RecipientEncryptedKey_num(keys) == 1 &&
           CMS_RecipientInfo_kari_set0_pkey_and_peer(info, opener->pkey, holder) == 1 &&
           CMS_RecipientInfo_kari_decrypt(cms, info, sk_CMS_RecipientEncryptedKey_value(keys, 0)) ==
               1;
}

/* The provider of token keys says what the token said. */
static bool fail_to_open(struct sg_error *error)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long entry;
    char text[SG_ERROR_TEXT_SIZE] = "";

    while ((entry = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0)
        if (ERR_GET_LIB(entry) == ERR_LIB_PROV && ERR_GET_REASON(entry) == ERR_R_OPERATION_FAIL &&
            (flags & ERR_TXT_STRING) != 0)
            (void)snprintf(text, sizeof text, ": %s", data);
    return sg_fail(error, SG_REFUSED, "RFC 7030 4.4.2",
                   "this key does not open it; it may be encrypted to another one%.180s", text);
}

static bool find_content_key(CMS_ContentInfo *cms, const struct sg_opener *opener,
                             struct sg_error *error)
{
    STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(cms);
    CMS_RecipientInfo *info = sk_CMS_RecipientInfo_value(infos, 0);
    const bool is_rsa = EVP_PKEY_is_a(opener->pkey, "RSA");

    if (sk_CMS_RecipientInfo_num(infos) != 1)
        return fail_malformed(error, "RFC 7030 4.4.2",
                              "the key is not encrypted to exactly one recipient");
    if (CMS_RecipientInfo_type(info) != (is_rsa ? CMS_RECIPINFO_TRANS : CMS_RECIPINFO_AGREE))
        return sg_fail(error, SG_REFUSED, "RFC 7030 4.4.2",
                       "the key is encrypted to another kind of key than this one");
    return (is_rsa ? open_by_rsa(cms, info, opener) : open_by_ec(cms, info, opener)) ||
           fail_to_open(error);
}

static bool decrypt(CMS_ContentInfo *cms, size_t most, struct sg_plain *plain,
                    struct sg_error *error)
{
    sg_auto(sg_plain) struct sg_plain read = {OPENSSL_malloc(most), most};
    sg_auto(BIO) BIO *chain = CMS_dataInit(cms, NULL);
    size_t len = 0;
    int num = 0;

    if (read.data == NULL)
        return sg_fail_memory(error);
    while (chain != NULL && len < most &&
           (num = BIO_read(chain, read.data + len, (int)(most - len))) > 0)
        len += (size_t)num;
    if (chain == NULL || len == 0 || num < 0 || BIO_get_cipher_status(chain) != 1)
        return fail_to_open(error);
    plain->data = OPENSSL_memdup(read.data, len);
    plain->len = plain->data != NULL ? len : 0;
    return plain->data != NULL || sg_fail_memory(error);
}

bool sg_parcel_open(struct sg_slice enveloped, const struct sg_opener *opener,
                    struct sg_plain *signed_data, struct sg_error *error)
{
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;

    ERR_clear_error();
    if (enveloped.len > SG_LIMIT_BODY)
        return fail_malformed(error, NULL, "the encrypted key is too long to be one");
    return read_enveloped(enveloped, opener, &cms, error) && find_content_key(cms, opener, error) &&
           decrypt(cms, enveloped.len, signed_data, error);
}

/* ---- unpacking ---- */

/* SignedData into a ContentInfo of its own. */
static CMS_ContentInfo *read_signed(struct sg_slice signed_data)
{
    const uint8_t *at;
    uint8_t *write;
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *type = OBJ_nid2obj(NID_pkcs7_signed);
    const int type_len = i2d_ASN1_OBJECT(type, NULL);
    const int content_len = ASN1_object_size(1, (int)signed_data.len, 0);
    const int len = ASN1_object_size(1, type_len + content_len, V_ASN1_SEQUENCE);
    sg_auto(sg_plain) struct sg_plain whole = {OPENSSL_malloc((size_t)len), (size_t)len};
    CMS_ContentInfo *cms = NULL;

    if ((write = whole.data) == NULL)
        return NULL;
    ASN1_put_object(&write, 1, type_len + content_len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    i2d_ASN1_OBJECT(type, &write);
    ASN1_put_object(&write, 1, (int)signed_data.len, 0, V_ASN1_CONTEXT_SPECIFIC);
    memcpy(write, signed_data.data, signed_data.len);
    at = whole.data;
    cms = d2i_CMS_ContentInfo(NULL, &at, len);
    if (cms != NULL && at == whole.data + len)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

static bool is_package(CMS_ContentInfo *cms)
{
    char oid[80];

    return OBJ_obj2txt(oid, sizeof oid, CMS_get0_eContentType(cms), 1) > 0 &&
           strcmp(oid, SG_OID_KEY_PACKAGE) == 0;
}

static bool take_key(struct sg_slice der, EVP_PKEY **key, struct sg_error *error)
{
    const uint8_t *at = der.data;
    sg_auto(sg_key_package) sg_key_package *package =
        (sg_key_package *)ASN1_item_d2i(NULL, &at, (long)der.len, sg_key_package_item());
    EVP_PKEY *taken;

    if (package == NULL || at != der.data + der.len || sk_PKCS8_PRIV_KEY_INFO_num(package) != 1 ||
        (taken = EVP_PKCS82PKEY(sk_PKCS8_PRIV_KEY_INFO_value(package, 0))) == NULL)
        return fail_malformed(error, "RFC 5958 2", "it is no package of one private key");
    *key = taken;
    return true;
}

static bool verify(CMS_ContentInfo *cms, STACK_OF(X509) * signers, struct sg_error *error)
{
    sg_auto(BIO) BIO *ignored = BIO_new(BIO_s_null());

    if (ignored != NULL && CMS_verify(cms, signers, NULL, NULL, ignored,
                                      CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1)
        return true;
    ERR_clear_error();
    return sg_fail(error, SG_REFUSED, "RFC 7030 4.4.2",
                   "the package of the key is not signed by whose certificate was named");
}

bool sg_parcel_unpack(struct sg_slice signed_data, STACK_OF(X509) * signers, EVP_PKEY **key,
                      struct sg_error *error)
{
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;
    ASN1_OCTET_STRING **content = NULL;
    struct sg_slice der;
    bool is_taken;

    ERR_clear_error();
    if ((cms = read_signed(signed_data)) == NULL || !is_package(cms) ||
        (content = CMS_get0_content(cms)) == NULL || *content == NULL)
        return fail_malformed(error, "RFC 7030 4.4.2",
                              "what was encrypted is no signed package of a key");
    der = sg_slice_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content));
    is_taken = verify(cms, signers, error) && take_key(der, key, error);
    OPENSSL_cleanse((void *)(uintptr_t)der.data, der.len);
    return is_taken;
}
