#include <openssl/err.h>
#include <string.h>

#include "base/der.h"
#include "parts.h"

enum { NUM_KEY_USAGES = 9, DER_TRUE = 0xff };

static bool read_sans(struct sg_slice value, struct sg_request *request, struct sg_error *error)
{
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names =
        sg_der_decode(value, ASN1_ITEM_rptr(GENERAL_NAMES), "the value", error);

    if (names == NULL)
        return false;
    request->has_sans = true;
    return sg_sans_decode(names, &request->sans, error);
}

static bool check_key_usage_encoding(unsigned bits, struct sg_slice value, struct sg_error *error)
{
    sg_auto(ASN1_STRING) ASN1_BIT_STRING *fresh = ASN1_BIT_STRING_new();
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len;

    if (fresh == NULL)
        return sg_fail_memory(error);
    for (int i = 0; i < NUM_KEY_USAGES; i++)
        if ((bits & 1u << i) != 0 && ASN1_BIT_STRING_set_bit(fresh, i, 1) != 1)
            return sg_fail_memory(error);
    len = i2d_ASN1_BIT_STRING(fresh, &again);
    if (len < 0)
        return sg_fail_memory(error);
    if (!sg_slice_equal(sg_slice_of(again, (size_t)len), value))
        return sg_fail(error, SG_MALFORMED, "X.690 11.2.2",
                       "the bits end in zeroes, or there are bits beyond decipherOnly");
    return true;
}

static bool read_key_usage(struct sg_slice value, struct sg_request *request,
                           struct sg_error *error)
{
    sg_auto(ASN1_STRING) ASN1_BIT_STRING *usage =
        sg_der_decode(value, ASN1_ITEM_rptr(ASN1_BIT_STRING), "the value", error);
    unsigned bits = 0;

    if (usage == NULL)
        return false;
    for (int i = 0; i < NUM_KEY_USAGES; i++)
        if (ASN1_BIT_STRING_get_bit(usage, i))
            bits |= 1u << i;
    if (bits == 0)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2.1.3", "no bit is set");
    request->key_usage = bits;
    return check_key_usage_encoding(bits, value, error);
}

static bool read_purposes(struct sg_slice value, struct sg_request *request, struct sg_error *error)
{
    sg_auto(EXTENDED_KEY_USAGE) EXTENDED_KEY_USAGE *purposes =
        sg_der_decode(value, ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), "the value", error);
    char oid[SG_LIMIT_OID];

    if (purposes == NULL)
        return false;
    if (sk_ASN1_OBJECT_num(purposes) == 0)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2.1.12", "the list of purposes is empty");
    for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++)
        if (!sg_oids_add(&request->purposes, sg_oid_text(sk_ASN1_OBJECT_value(purposes, i), oid),
                         error))
            return false;
    return true;
}

static bool read_path_length(const BASIC_CONSTRAINTS *constraints, struct sg_request *request,
                             struct sg_error *error)
{
    int64_t length = 0;

    if (constraints->pathlen == NULL)
        return true;
    if (!constraints->ca)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2.1.9",
                       "a path length without CA:TRUE has no meaning");
    if (ASN1_INTEGER_get_int64(&length, constraints->pathlen) != 1 || length < 0 ||
        length > INT32_MAX) {
        ERR_clear_error();
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2.1.9",
                       "the path length is negative or beyond %d", INT32_MAX);
    }
    request->path_length = (long)length;
    return true;
}

static bool read_basic_constraints(struct sg_slice value, struct sg_request *request,
                                   struct sg_error *error)
{
    sg_auto(BASIC_CONSTRAINTS) BASIC_CONSTRAINTS *constraints =
        sg_der_decode(value, ASN1_ITEM_rptr(BASIC_CONSTRAINTS), "the value", error);

    if (constraints == NULL)
        return false;
    /* OpenSSL keeps the octet of a BOOLEAN as it came */
    if (constraints->ca != 0 && constraints->ca != DER_TRUE)
        return sg_fail(error, SG_MALFORMED, "X.690 11.1",
                       "CA:TRUE is written as %02x, and only ff is DER", constraints->ca);
    request->has_basic_constraints = true;
    request->ca = constraints->ca != 0;
    return read_path_length(constraints, request, error);
}

/* The extensions that have fields of their own in struct sg_request. */
static const struct {
    const char *oid;
    bool (*read)(struct sg_slice value, struct sg_request *request, struct sg_error *error);
} KNOWN[] = {
    {"2.5.29.15", read_key_usage},
    {"2.5.29.17", read_sans},
    {"2.5.29.19", read_basic_constraints},
    {"2.5.29.37", read_purposes},
};

static inline void sg_cleanup_elements(ASN1_SEQUENCE_ANY **elements)
{
    sk_ASN1_TYPE_pop_free(*elements, ASN1_TYPE_free);
}

/* parts: the elements of an Extension. */
static bool check_critical(const ASN1_SEQUENCE_ANY *parts, struct sg_error *error)
{
    const ASN1_TYPE *oid, *critical;
    char text[SG_LIMIT_OID];

    if (sk_ASN1_TYPE_num(parts) < 2)
        return true;
    oid = sk_ASN1_TYPE_value(parts, 0);
    critical = sk_ASN1_TYPE_value(parts, 1);
    if (oid->type != V_ASN1_OBJECT || critical->type != V_ASN1_BOOLEAN ||
        critical->value.boolean == DER_TRUE)
        return true;
    return sg_fail(error, SG_MALFORMED, "X.690 11.1, 11.5",
                   "requested extension %s: critical must be left out when it is FALSE, and be ff "
                   "when it is TRUE",
                   sg_oid_extension_word(sg_oid_text(oid->value.object, text)));
}

/* An X509_EXTENSION keeps the octet of critical as it came, but OpenSSL 3.5 no longer writes a
 * FALSE: so this looks at the bytes. What has another shape is left to decoding. */
static bool check_critical_encodings(struct sg_slice der, struct sg_error *error)
{
    const unsigned char *at = der.data;
    sg_auto(elements) ASN1_SEQUENCE_ANY *all = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)der.len);
    bool right = true;

    for (int i = 0; right && i < sk_ASN1_TYPE_num(all); i++) {
        const ASN1_TYPE *one = sk_ASN1_TYPE_value(all, i);
        sg_auto(elements) ASN1_SEQUENCE_ANY *parts = NULL;

        if (one->type != V_ASN1_SEQUENCE)
            continue;
        parts = ASN1_item_unpack(one->value.sequence, ASN1_ITEM_rptr(ASN1_SEQUENCE_ANY));
        right = check_critical(parts, error);
    }
    ERR_clear_error();
    return right;
}

static bool read_value(const char *oid, struct sg_slice value, struct sg_request *request,
                       struct sg_error *error)
{
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (strcmp(KNOWN[i].oid, oid) == 0)
            return KNOWN[i].read(value, request, error);
    return true;
}

static bool read_extension(X509_EXTENSION *extension, struct sg_request *request,
                           struct sg_error *error)
{
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);
    struct sg_slice value =
        sg_slice_of(ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data));
    char oid[SG_LIMIT_OID];

    sg_oid_text(X509_EXTENSION_get_object(extension), oid);
    if (sg_extensions_add(&request->extensions, oid, X509_EXTENSION_get_critical(extension) == 1,
                          value, error) &&
        read_value(oid, value, request, error))
        return true;
    return sg_error_prefix(error, "requested extension %s", sg_oid_extension_word(oid));
}

bool sg_request_read_extensions(struct sg_slice der, struct sg_request *request,
                                struct sg_error *error)
{
    sg_auto(X509_EXTENSIONS) X509_EXTENSIONS *extensions = NULL;

    if (!sg_der_is_strict(der, NULL) && !check_critical_encodings(der, error))
        return false;
    extensions =
        sg_der_decode(der, ASN1_ITEM_rptr(X509_EXTENSIONS), "the extension request", error);
    if (extensions == NULL)
        return false;
    if (sk_X509_EXTENSION_num(extensions) == 0)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1: Extensions",
                       "the extension request is empty; leave it out instead");
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
        if (!read_extension(sk_X509_EXTENSION_value(extensions, i), request, error))
            return false;
    return true;
}
