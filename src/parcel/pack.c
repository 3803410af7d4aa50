/* pack: one private key, and who answers for it. */
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "parcel.h"

ASN1_ITEM_TEMPLATE(SG_KEY_PACKAGE) = ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, keys,
                                                           PKCS8_PRIV_KEY_INFO)
                                         static_ASN1_ITEM_TEMPLATE_END(SG_KEY_PACKAGE)

                                             const ASN1_ITEM
                                     * sg_key_package_item(void)
{
    return ASN1_ITEM_rptr(SG_KEY_PACKAGE);
}

/* Releasing a PKCS8_PRIV_KEY_INFO wipes it. */
void sg_key_package_free(sg_key_package *package)
{
    ASN1_item_free((ASN1_VALUE *)package, sg_key_package_item());
}

void sg_plain_done(struct sg_plain *plain)
{
    OPENSSL_clear_free(plain->data, plain->len);
    *plain = (struct sg_plain){0};
}

struct sg_slice sg_plain_slice(const struct sg_plain *plain)
{
    return sg_slice_of(plain->data, plain->len);
}

static bool fail(struct sg_error *error)
{
    return sg_fail_openssl(error, SG_INTERNAL, NULL, "a private key can't be encoded");
}

bool sg_parcel_pkcs8(const EVP_PKEY *key, struct sg_plain *pkcs8, struct sg_error *error)
{
    sg_auto(PKCS8_PRIV_KEY_INFO) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    uint8_t *der = NULL;
    const int len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;

    if (len <= 0)
        return fail(error);
    *pkcs8 = (struct sg_plain){der, (size_t)len};
    return true;
}

static bool encode_package(const EVP_PKEY *key, struct sg_plain *package, struct sg_error *error)
{
    sg_auto(PKCS8_PRIV_KEY_INFO) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    sg_auto(sg_key_package) sg_key_package *keys = sk_PKCS8_PRIV_KEY_INFO_new_null();
    uint8_t *der = NULL;
    int len;

    if (info == NULL || keys == NULL || sk_PKCS8_PRIV_KEY_INFO_push(keys, info) <= 0)
        return fail(error);
    (void)SG_TAKE(info); /* keys owns it now */
    len = ASN1_item_i2d((ASN1_VALUE *)keys, &der, sg_key_package_item());
    if (len <= 0)
        return fail(error);
    *package = (struct sg_plain){der, (size_t)len};
    return true;
}

static CMS_ContentInfo *new_signed_data(const struct sg_packer *packer)
{
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms =
        CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *type = OBJ_txt2obj(SG_OID_KEY_PACKAGE, 1);

    if (cms == NULL || type == NULL || CMS_set1_eContentType(cms, type) != 1 ||
        CMS_add1_signer(cms, packer->certificate, packer->pkey, packer->digest, CMS_NOSMIMECAP) ==
            NULL)
        return NULL;
    return SG_TAKE(cms);
}

static bool fill(CMS_ContentInfo *cms, struct sg_slice content)
{
    BIO *chain = CMS_dataInit(cms, NULL);
    const bool is_filled = chain != NULL &&
                           BIO_write(chain, content.data, (int)content.len) == (int)content.len &&
                           BIO_flush(chain) == 1 && CMS_dataFinal(cms, chain) == 1;

    BIO_free_all(chain);
    return is_filled;
}

static void wipe_content(CMS_ContentInfo *cms)
{
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);

    if (content != NULL && *content != NULL && ASN1_STRING_length(*content) > 0)
        OPENSSL_cleanse((void *)(uintptr_t)ASN1_STRING_get0_data(*content),
                        (size_t)ASN1_STRING_length(*content));
}

/* ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT }: what is inside, which is how one
 * content stands in another (RFC 5652 6.1). */
static bool take_content(const uint8_t *at, long left, struct sg_plain *inside)
{
    long len = left;
    int tag = 0, class = 0;

    if ((ASN1_get_object(&at, &len, &tag, &class, left) & 0x80) != 0)
        return false;
    left = len;
    if ((ASN1_get_object(&at, &len, &tag, &class, left) & 0x80) != 0)
        return false;
    at += len;
    if ((ASN1_get_object(&at, &len, &tag, &class, left) & 0x80) != 0)
        return false;
    inside->data = OPENSSL_memdup(at, (size_t)len);
    inside->len = inside->data != NULL ? (size_t)len : 0;
    return inside->data != NULL;
}

static bool encode_signed_data(CMS_ContentInfo *cms, struct sg_plain *signed_data)
{
    sg_auto(sg_plain) struct sg_plain whole = {0};
    const int len = i2d_CMS_ContentInfo(cms, &whole.data);

    whole.len = len > 0 ? (size_t)len : 0;
    return len > 0 && take_content(whole.data, len, signed_data);
}

/* What a token's signer says of its failure stands in OpenSSL's queue. */
static bool fail_to_sign(struct sg_error *error)
{
    return sg_fail_openssl(error, SG_TOKEN, NULL, "the package of the key is not signed");
}

bool sg_parcel_pack(const EVP_PKEY *key, const struct sg_packer *packer,
                    struct sg_plain *signed_data, struct sg_error *error)
{
    sg_auto(sg_plain) struct sg_plain package = {0}, made = {0};
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;
    bool is_made;

    ERR_clear_error();
    if (!encode_package(key, &package, error))
        return false;
    if ((cms = new_signed_data(packer)) == NULL)
        return fail_to_sign(error);
    is_made = fill(cms, sg_plain_slice(&package)) && encode_signed_data(cms, &made);
    wipe_content(cms);
    if (!is_made)
        return fail_to_sign(error);
    *signed_data = made;
    made = (struct sg_plain){0};
    return true;
}
