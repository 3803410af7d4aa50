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

static bool check_attribute(const X509_REQ *pkcs10, int place, struct sg_error *error)
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
    return true;
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
        if (!check_attribute(pkcs10, i, error))
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
