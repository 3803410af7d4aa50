#include <openssl/err.h>

#include "base/der.h"
#include "parts.h"

/* Extensions have context-specific tags in GeneralNames alone, RFC 5280 4.2.1.6. Not the two that
 * no certificate has, which are x400Address and ediPartyName. */
static const struct sg_der_tags *tags_of(const ASN1_ITEM *item)
{
    static const struct sg_der_tags GENERAL_NAME = {
        .primitive = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 7 | 1 << 8,
        .constructed = 1 << 0 | 1 << 4,
    };

    return item == ASN1_ITEM_rptr(GENERAL_NAMES) ? &GENERAL_NAME : NULL;
}

static bool encodes_to(void *value, const ASN1_ITEM *item, struct sg_slice der)
{
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len = ASN1_item_i2d(value, &again, item);

    return len >= 0 && sg_slice_equal(sg_slice_of(again, (size_t)len), der);
}

void *sg_der_decode(struct sg_slice der, const ASN1_ITEM *item, const char *what,
                    struct sg_error *error)
{
    const unsigned char *at = der.data;
    void *value = ASN1_item_d2i(NULL, &at, (long)der.len, item);

    if (value == NULL) {
        sg_fail_openssl(error, SG_MALFORMED, "X.690 8", "%s can't be decoded", what);
        return NULL;
    }
    if (at != der.data + der.len)
        sg_fail(error, SG_MALFORMED, "X.690 8.1.1", "%s is followed by %zu bytes too many", what,
                (size_t)(der.data + der.len - at));
    else if (!sg_der_is_strict(der, tags_of(item)) && !encodes_to(value, item, der))
        sg_fail(error, SG_MALFORMED, "X.690 10", "%s is not DER: it has more than one encoding",
                what);
    else
        return value;
    ASN1_item_free(value, item);
    return NULL;
}
