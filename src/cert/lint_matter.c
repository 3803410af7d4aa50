/* Vendor and product of a Matter device, which stand in the subjects of its attestation chain
 * (Matter core specification 6.2.2). Certificates without them have nothing to do with these rules.
 */
#include <openssl/asn1.h>

#include "lint_rules.h"

enum { NUM_DIGITS = 4 };

/* 1.3.6.1.4.1.37244.2.1 and .2 */
static const uint8_t VENDOR[] = {0x2b, 6, 1, 4, 1, 0x82, 0xa2, 0x7c, 2, 1};
static const uint8_t PRODUCT[] = {0x2b, 6, 1, 4, 1, 0x82, 0xa2, 0x7c, 2, 2};

/* The only value of the type in a name, NULL when there is none; num counts them. */
static const ASN1_STRING *value_of(const X509_NAME *name, struct sg_slice oid, int *num)
{
    const ASN1_STRING *found = NULL;

    *num = 0;
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

        if (!sg_oid_is(X509_NAME_ENTRY_get_object(entry), oid))
            continue;
        found = X509_NAME_ENTRY_get_data(entry);
        ++*num;
    }
    return found;
}

static const ASN1_STRING *vendor_of(const X509 *certificate, int *num)
{
    return value_of(X509_get_subject_name(certificate), sg_slice_of(VENDOR, sizeof VENDOR), num);
}

static const ASN1_STRING *product_of(const X509 *certificate, int *num)
{
    return value_of(X509_get_subject_name(certificate), sg_slice_of(PRODUCT, sizeof PRODUCT), num);
}

static bool is_id(const ASN1_STRING *value)
{
    struct sg_slice text;

    if (ASN1_STRING_type(value) != V_ASN1_UTF8STRING)
        return false;
    text = sg_lint_string(value);
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < '0' || text.data[i] > '9') &&
            (text.data[i] < 'A' || text.data[i] > 'F'))
            return false;
    return text.len == NUM_DIGITS;
}

static bool has_right_ids(struct sg_lint_view *view)
{
    int num_vendors = 0, num_products = 0;
    const ASN1_STRING *vendor = vendor_of(view->certificate, &num_vendors);
    const ASN1_STRING *product = product_of(view->certificate, &num_products);

    return num_vendors <= 1 && num_products <= 1 && (vendor == NULL || is_id(vendor)) &&
           (product == NULL || is_id(product));
}

static bool has_a_vendor_for_its_product(struct sg_lint_view *view)
{
    int num = 0;

    return product_of(view->certificate, &num) == NULL ||
           vendor_of(view->certificate, &num) != NULL;
}

/* Issuer's and certificate's are the same, where both have one. */
static bool agree(struct sg_lint_view *view,
                  const ASN1_STRING *(*value)(const X509 *certificate, int *num))
{
    const X509 *issuer = view->issuer->certificate;
    int num = 0;
    const ASN1_STRING *own = value(view->certificate, &num);
    const ASN1_STRING *above = issuer != NULL ? value(issuer, &num) : NULL;

    if (own == NULL || above == NULL || sg_slice_equal(sg_lint_string(own), sg_lint_string(above)))
        return true;
    return sg_lint_saw(view, "%.*s below %.*s", ASN1_STRING_length(own),
                       (const char *)ASN1_STRING_get0_data(own), ASN1_STRING_length(above),
                       (const char *)ASN1_STRING_get0_data(above));
}

static bool has_the_issuers_vendor(struct sg_lint_view *view)
{
    return agree(view, vendor_of);
}

static bool has_the_issuers_product(struct sg_lint_view *view)
{
    return agree(view, product_of);
}

const struct sg_lint_rule SG_LINT_MATTER[] = {
    {"Matter 6.2.2", "VID and PID must each be one UTF8String of four capital hex digits",
     has_right_ids},
    {"Matter 6.2.2", "a PID needs a VID", has_a_vendor_for_its_product},
    {"Matter 6.2.2", "VID must be the issuer's, if that has one", has_the_issuers_vendor},
    {"Matter 6.2.2", "PID must be the issuer's, if that has one", has_the_issuers_product},
    {0},
};
