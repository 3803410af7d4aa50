#include "ocsp_request.h"

#include <openssl/err.h>
#include <string.h>

#include "base/limits.h"

static const char SYNTAX[] = "RFC 6960 4.1.1";

/* ---- as a whole ---- */

static bool decode(struct sg_slice der, OCSP_REQUEST **decoded, struct sg_error *error)
{
    const unsigned char *at = der.data;

    if (der.len > SG_LIMIT_OCSP_REQUEST)
        return sg_fail(error, SG_MALFORMED, SYNTAX, "the request has %zu bytes, %d are the limit",
                       der.len, SG_LIMIT_OCSP_REQUEST);
    *decoded = d2i_OCSP_REQUEST(NULL, &at, (long)der.len);
    if (*decoded == NULL)
        return sg_fail_openssl(error, SG_MALFORMED, SYNTAX, "this is no OCSP request in DER");
    if (at != der.data + der.len)
        return sg_fail(error, SG_MALFORMED, SYNTAX, "%zu bytes follow after the request",
                       (size_t)(der.data + der.len - at));
    return true;
}

static void free_any(ASN1_SEQUENCE_ANY *elements)
{
    sk_ASN1_TYPE_pop_free(elements, ASN1_TYPE_free);
}
SG_DEFINE_CLEANUP(ASN1_SEQUENCE_ANY, free_any)

/* The first element of a DER sequence, whole, if it is a sequence or tagged by its context. */
static struct sg_slice first_element(const ASN1_SEQUENCE_ANY *elements)
{
    const ASN1_TYPE *first =
        sk_ASN1_TYPE_num(elements) > 0 ? sk_ASN1_TYPE_value(elements, 0) : NULL;

    if (first == NULL || (first->type != V_ASN1_SEQUENCE && first->type != V_ASN1_OTHER))
        return (struct sg_slice){0};
    return sg_slice_of(first->value.asn1_string->data, (size_t)first->value.asn1_string->length);
}

static ASN1_SEQUENCE_ANY *open_sequence(struct sg_slice der)
{
    const unsigned char *at = der.data;

    return d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)der.len);
}

/* OpenSSL decodes the version and never tells it. Version 1 is a 0, which may be left out. */
static bool check_version(struct sg_slice der, struct sg_error *error)
{
    static const uint8_t VERSION_1[] = {0xA0, 3, 2, 1, 0};
    sg_auto(ASN1_SEQUENCE_ANY) ASN1_SEQUENCE_ANY *outer = open_sequence(der);
    sg_auto(ASN1_SEQUENCE_ANY) ASN1_SEQUENCE_ANY *inner =
        outer != NULL ? open_sequence(first_element(outer)) : NULL;

    if (inner == NULL)
        return sg_fail_openssl(error, SG_MALFORMED, SYNTAX, "this is no OCSP request in DER");
    const struct sg_slice version = first_element(inner);
    return version.len == 0 || version.data[0] != VERSION_1[0] ||
           sg_slice_equal(version, sg_slice_of(VERSION_1, sizeof VERSION_1)) ||
           sg_fail(error, SG_MALFORMED, SYNTAX, "the request is not of version 1");
}

/* ---- each certificate ---- */

static struct sg_slice string_slice(const ASN1_STRING *string)
{
    return sg_slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

/* What no CA may give (negative, zero, too long) is nobody's serial number, and unknown. */
static struct sg_serial read_serial(const ASN1_INTEGER *number)
{
    const struct sg_slice bytes = string_slice(number);
    struct sg_serial serial = {0};
    const size_t sign = bytes.len > 0 && (bytes.data[0] & 0x80) != 0;

    if (ASN1_STRING_type(number) != V_ASN1_INTEGER || bytes.len == 0 || bytes.data[0] == 0 ||
        bytes.len + sign > SG_LIMIT_SERIAL)
        return serial;
    memcpy(serial.bytes + sign, bytes.data, bytes.len);
    serial.len = bytes.len + sign;
    return serial;
}

static bool read_asked(OCSP_ONEREQ *one, struct sg_ocsp_asked *asked, struct sg_error *error)
{
    ASN1_OCTET_STRING *name_hash = NULL, *key_hash = NULL;
    ASN1_INTEGER *serial = NULL;
    ASN1_OBJECT *digest = NULL;

    for (int i = 0; i < OCSP_ONEREQ_get_ext_count(one); i++)
        if (X509_EXTENSION_get_critical(OCSP_ONEREQ_get_ext(one, i)))
            return sg_fail(error, SG_MALFORMED, "RFC 6960 4.4",
                           "a critical extension asks for what is not known here");
    asked->id = OCSP_onereq_get0_id(one);
    if (OCSP_id_get0_info(&name_hash, &digest, &key_hash, &serial, asked->id) != 1)
        return sg_fail_openssl(error, SG_MALFORMED, SYNTAX, "a CertID can't be read");
    asked->digest = OBJ_obj2nid(digest);
    asked->name_hash = string_slice(name_hash);
    asked->key_hash = string_slice(key_hash);
    asked->serial = read_serial(serial);
    return true;
}

static bool read_all_asked(struct sg_ocsp_request *request, struct sg_error *error)
{
    const int num = OCSP_request_onereq_count(request->decoded);

    if (num <= 0)
        return sg_fail(error, SG_MALFORMED, SYNTAX, "the request asks about no certificate");
    if (num > SG_LIMIT_OCSP_CERTIFICATES)
        return sg_fail(error, SG_MALFORMED, SYNTAX,
                       "the request asks about %d certificates, %d are the limit", num,
                       SG_LIMIT_OCSP_CERTIFICATES);
    request->asked = calloc((size_t)num, sizeof *request->asked);
    if (request->asked == NULL)
        return sg_fail_memory(error);
    request->num_asked = (size_t)num;
    for (int i = 0; i < num; i++)
        if (!read_asked(OCSP_request_onereq_get0(request->decoded, i), &request->asked[i], error))
            return false;
    return true;
}

/* ---- extensions ---- */

static bool check_nonce(X509_EXTENSION *extension, struct sg_error *error)
{
    static const char RULE[] = "RFC 9654 2.1";
    const struct sg_slice value = string_slice(X509_EXTENSION_get_data(extension));
    const unsigned char *at = value.data;
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *nonce =
        d2i_ASN1_OCTET_STRING(NULL, &at, (long)value.len);

    if (nonce == NULL || at != value.data + value.len) {
        ERR_clear_error();
        return sg_fail(error, SG_MALFORMED, RULE, "the nonce is no OCTET STRING");
    }
    const int len = ASN1_STRING_length(nonce);
    return (len > 0 && len <= SG_LIMIT_OCSP_NONCE) ||
           sg_fail(error, SG_MALFORMED, RULE, "the nonce has %d octets instead of 1 to %d", len,
                   SG_LIMIT_OCSP_NONCE);
}

static bool read_extension(X509_EXTENSION *extension, struct sg_ocsp_request *request,
                           struct sg_error *error)
{
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(extension))) {
    case NID_id_pkix_OCSP_Nonce:
        if (request->has_nonce)
            return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2", "the request has two nonces");
        request->has_nonce = true;
        return check_nonce(extension, error);
    case NID_id_pkix_OCSP_acceptableResponses:
        return true; /* everybody has to accept the basic one, RFC 6960 4.4.3 */
    default:
        return X509_EXTENSION_get_critical(extension) == 0 ||
               sg_fail(error, SG_MALFORMED, "RFC 6960 4.4",
                       "a critical extension asks for what is not known here");
    }
}

static bool read_extensions(struct sg_ocsp_request *request, struct sg_error *error)
{
    for (int i = 0; i < OCSP_REQUEST_get_ext_count(request->decoded); i++)
        if (!read_extension(OCSP_REQUEST_get_ext(request->decoded, i), request, error))
            return false;
    return true;
}

bool sg_ocsp_request_parse(struct sg_slice der, struct sg_ocsp_request *request,
                           struct sg_error *error)
{
    sg_auto(sg_ocsp_request) struct sg_ocsp_request fresh = {0};

    if (!decode(der, &fresh.decoded, error) || !check_version(der, error) ||
        !read_all_asked(&fresh, error) || !read_extensions(&fresh, error))
        return false;
    *request = fresh;
    fresh = (struct sg_ocsp_request){0}; /* now the caller's */
    return true;
}

void sg_ocsp_request_done(struct sg_ocsp_request *request)
{
    OCSP_REQUEST_free(request->decoded);
    free(request->asked);
    *request = (struct sg_ocsp_request){0};
}
