#include "keygen_asked.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/cleanup.h"

/* RFC 4108 2.2.5, RFC 7030 4.4.1.2, RFC 8551 2.5.2 */
static const char DECRYPT_KEY_ID[] = "1.2.840.113549.1.9.16.2.37";
static const char ASYMMETRIC_DECRYPT_KEY_ID[] = "1.2.840.113549.1.9.16.2.54";
static const char SMIME_CAPABILITIES[] = "1.2.840.113549.1.9.15";

enum { LONGEST_KEY_ID = 64 };

/* The one value of an attribute, whose multiplicity the request's reader has looked at; NULL: it is
 * not there. */
static bool find(const struct sg_request *request, const char *oid, const ASN1_TYPE **value,
                 struct sg_error *error)
{
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    X509_ATTRIBUTE *attribute;
    int place;

    *value = NULL;
    if (object == NULL)
        return sg_fail_memory(error);
    place = X509_REQ_get_attr_by_OBJ(request->pkcs10, object, -1);
    if (place < 0)
        return true;
    attribute = X509_REQ_get_attr(request->pkcs10, place);
    if (X509_ATTRIBUTE_count(attribute) != 1)
        return sg_fail(error, SG_MALFORMED, "RFC 7030 4.4.1",
                       "the attribute %s has to have one value", oid);
    *value = X509_ATTRIBUTE_get0_type(attribute, 0);
    return true;
}

static bool read_key_id(const struct sg_request *request, struct sg_keygen_asked *asked,
                        struct sg_error *error)
{
    const ASN1_TYPE *symmetric = NULL, *value = NULL;

    if (!find(request, DECRYPT_KEY_ID, &symmetric, error) ||
        !find(request, ASYMMETRIC_DECRYPT_KEY_ID, &value, error))
        return false;
    if (symmetric != NULL)
        return sg_fail(error, SG_REFUSED, "RFC 7030 4.4.1.1",
                       "the request names a secret key that the service would have, too; it has "
                       "none: name a key by AsymmetricDecryptKeyIdentifier");
    if (value == NULL)
        return true;
    if (ASN1_TYPE_get(value) != V_ASN1_OCTET_STRING ||
        ASN1_STRING_length(value->value.octet_string) < 1 ||
        ASN1_STRING_length(value->value.octet_string) > LONGEST_KEY_ID)
        return sg_fail(error, SG_MALFORMED, "RFC 7030 4.4.1.2",
                       "AsymmetricDecryptKeyIdentifier is no OCTET STRING of 1 to %d octets",
                       LONGEST_KEY_ID);
    asked->key_id = sg_slice_of(ASN1_STRING_get0_data(value->value.octet_string),
                                (size_t)ASN1_STRING_length(value->value.octet_string));
    return true;
}

static const EVP_CIPHER *cipher_of(int nid)
{
    switch (nid) {
    case NID_aes_256_cbc:
        return EVP_aes_256_cbc();
    case NID_aes_192_cbc:
        return EVP_aes_192_cbc();
    case NID_aes_128_cbc:
        return EVP_aes_128_cbc();
    default:
        return NULL;
    }
}

typedef STACK_OF(X509_ALGOR) capabilities;

static void free_capabilities(capabilities *list)
{
    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
}
SG_DEFINE_CLEANUP(capabilities, free_capabilities)

/* They come in the order in which the client likes them (RFC 8551 2.5.2). */
static const EVP_CIPHER *choose(const capabilities *list)
{
    const EVP_CIPHER *cipher = NULL;

    for (int i = 0; cipher == NULL && i < sk_X509_ALGOR_num(list); i++)
        cipher = cipher_of(OBJ_obj2nid(sk_X509_ALGOR_value(list, i)->algorithm));
    return cipher;
}

static bool read_capabilities(const struct sg_request *request, struct sg_keygen_asked *asked,
                              struct sg_error *error)
{
    const ASN1_TYPE *value = NULL;
    sg_auto(capabilities) capabilities *list = NULL;
    const uint8_t *at;

    asked->cipher = EVP_aes_256_cbc();
    if (!find(request, SMIME_CAPABILITIES, &value, error))
        return false;
    if (value == NULL)
        return true;
    if (ASN1_TYPE_get(value) == V_ASN1_SEQUENCE) {
        at = ASN1_STRING_get0_data(value->value.sequence);
        list = d2i_X509_ALGORS(NULL, &at, ASN1_STRING_length(value->value.sequence));
    }
    ERR_clear_error();
    if (list == NULL)
        return sg_fail(error, SG_MALFORMED, "RFC 8551 2.5.2",
                       "SMIMECapabilities is no list of algorithms");
    asked->cipher = choose(list);
    return asked->cipher != NULL ||
           sg_fail(error, SG_REFUSED, "RFC 7030 4.4.1",
                   "none of the request's SMIMECapabilities is AES in CBC mode, which keys are "
                   "encrypted with here");
}

bool sg_keygen_read_asked(const struct sg_request *request, struct sg_keygen_asked *asked,
                          struct sg_error *error)
{
    struct sg_keygen_asked read = {0};

    if (!read_key_id(request, &read, error) || !read_capabilities(request, &read, error))
        return false;
    *asked = read;
    return true;
}
