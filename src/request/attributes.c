#include <openssl/err.h>
#include <string.h>

#include "parts.h"

static const char EXTENSION_REQUEST[] = "1.2.840.113549.1.9.14";
static const char EXTENSION_REQUEST_MICROSOFT[] = "1.3.6.1.4.1.311.2.1.14";
static const char CHALLENGE_PASSWORD[] = "1.2.840.113549.1.9.7";

static bool is_extension_request(const char *oid)
{
    return strcmp(oid, EXTENSION_REQUEST) == 0 || strcmp(oid, EXTENSION_REQUEST_MICROSOFT) == 0;
}

static bool is_single_valued(const char *oid)
{
    return is_extension_request(oid) || strcmp(oid, CHALLENGE_PASSWORD) == 0;
}

/* DirectoryString, or the IA5String that RFC 2985 allows its other texts. */
static bool is_text(int type)
{
    static const int TYPES[] = {V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING,
                                V_ASN1_T61STRING,  V_ASN1_BMPSTRING,       V_ASN1_UNIVERSALSTRING};

    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (TYPES[i] == type)
            return true;
    return false;
}

static bool read_challenge_password(X509_ATTRIBUTE *attribute, struct sg_request *request,
                                    struct sg_error *error)
{
    static const char RULE[] = "RFC 2985 5.4.1: challengePassword";
    const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, 0);
    unsigned char *text = NULL;
    int len =
        is_text(ASN1_TYPE_get(value)) ? ASN1_STRING_to_UTF8(&text, value->value.asn1_string) : -1;

    ERR_clear_error();
    if (len <= 0) {
        OPENSSL_free(text);
        return sg_fail(error, SG_MALFORMED, RULE, "the challengePassword is %s",
                       len == 0 ? "empty; leave it out instead" : "not text");
    }
    bool kept = sg_request_keep_challenge(sg_slice_of(text, (size_t)len), request, error);
    OPENSSL_clear_free(text, (size_t)len);
    return kept;
}

static bool read_attribute(const X509_REQ *pkcs10, int place, struct sg_request *request,
                           struct sg_error *error)
{
    X509_ATTRIBUTE *attribute = X509_REQ_get_attr(pkcs10, place);
    const ASN1_OBJECT *object = X509_ATTRIBUTE_get0_object(attribute);
    int num_values = X509_ATTRIBUTE_count(attribute);
    char oid[SG_LIMIT_OID];

    sg_oid_text(object, oid);
    if (X509_REQ_get_attr_by_OBJ(pkcs10, object, place) >= 0)
        return sg_fail(error, SG_MALFORMED, "RFC 2986 4.1: attributes",
                       "the attribute %s is there twice", oid);
    if (num_values == 0)
        return sg_fail(error, SG_MALFORMED, "RFC 2986 4.1: attributes",
                       "the attribute %s has no value", oid);
    if (num_values > 1 && is_single_valued(oid))
        return sg_fail(error, SG_MALFORMED, "RFC 2985 5.4",
                       "the attribute %s has %d values and must have one", oid, num_values);
    return strcmp(oid, CHALLENGE_PASSWORD) != 0 ||
           read_challenge_password(attribute, request, error);
}

static bool find_extension_request(const X509_REQ *pkcs10, X509_ATTRIBUTE **found,
                                   struct sg_error *error)
{
    X509_ATTRIBUTE *request = NULL;
    char oid[SG_LIMIT_OID];

    for (int i = 0; i < X509_REQ_get_attr_count(pkcs10); i++) {
        X509_ATTRIBUTE *attribute = X509_REQ_get_attr(pkcs10, i);

        if (!is_extension_request(sg_oid_text(X509_ATTRIBUTE_get0_object(attribute), oid)))
            continue;
        if (request != NULL)
            return sg_fail(error, SG_MALFORMED, "RFC 2985 5.4.2",
                           "two extension requests, PKCS#9's and Microsoft's; only one can be "
                           "meant");
        request = attribute;
    }
    *found = request;
    return true;
}

/* Attributes that aren't known here (unstructuredName, Microsoft's, …) ask for nothing that a
 * certificate could hold. A request without the field, which RFC 2986 wants to be there even when
 * it is empty, is read like an empty one: there are devices that leave it out. */
bool sg_request_read_attributes(const X509_REQ *pkcs10, struct sg_request *request,
                                struct sg_error *error)
{
    X509_ATTRIBUTE *found = NULL;
    const ASN1_TYPE *value;
    int num = X509_REQ_get_attr_count(pkcs10);

    if (num > SG_LIMIT_REQUEST_ATTRIBUTES)
        return sg_fail(error, SG_MALFORMED, "attributes of a request",
                       "the request has %d attributes, and %d is the limit", num,
                       SG_LIMIT_REQUEST_ATTRIBUTES);
    for (int i = 0; i < num; i++)
        if (!read_attribute(pkcs10, i, request, error))
            return false;
    if (!find_extension_request(pkcs10, &found, error))
        return false;
    if (found == NULL)
        return true;
    value = X509_ATTRIBUTE_get0_type(found, 0);
    if (ASN1_TYPE_get(value) != V_ASN1_SEQUENCE)
        return sg_fail(error, SG_MALFORMED, "RFC 2985 5.4.2",
                       "the extension request does not hold a list of extensions");
    return sg_request_read_extensions(
        sg_slice_of(ASN1_STRING_get0_data(value->value.sequence),
                    (size_t)ASN1_STRING_length(value->value.sequence)),
        request, error);
}
