#include "asn1_text.h"

#include <openssl/err.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* X.680 41.4. */
static const char PRINTABLE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                " '()+,-./:=?";

bool sg_asn1_fits(int type, struct sg_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (type == V_ASN1_PRINTABLESTRING &&
            memchr(PRINTABLE, text.data[i], sizeof PRINTABLE - 1) == NULL)
            return false;
        if (type == V_ASN1_IA5STRING && text.data[i] > 0x7f)
            return false;
    }
    return true;
}

const char *sg_asn1_word(int type)
{
    switch (type) {
    case V_ASN1_UTF8STRING:
        return "UTF8String";
    case V_ASN1_PRINTABLESTRING:
        return "PrintableString";
    case V_ASN1_IA5STRING:
        return "IA5String";
    default:
        return "string";
    }
}

size_t sg_asn1_characters(const char *text)
{
    size_t num = 0;

    for (; *text != '\0'; text++)
        num += ((unsigned char)*text & 0xc0) != 0x80;
    return num;
}

/* sg_text_check must see UTF8String, PrintableString and IA5String as they came, so that its
 * messages are about the bytes; the others have no UTF-8 to be wrong. */
static bool convert(const ASN1_STRING *string, const char *what, struct sg_buf *text,
                    struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *utf8 = NULL;
    int len = 0;

    switch (ASN1_STRING_type(string)) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
        return sg_buf_set(
            text, sg_slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)),
            error);
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
        len = ASN1_STRING_to_UTF8(&utf8, string);
        if (len >= 0)
            return sg_buf_set(text, sg_slice_of(utf8, (size_t)len), error);
        ERR_clear_error();
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.4",
                       "%s: its bytes are no characters of its string type", what);
    default:
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.4",
                       "%s is neither a DirectoryString nor an IA5String (ASN.1 tag %d): encode it "
                       "as UTF8String",
                       what, ASN1_STRING_type(string));
    }
}

bool sg_asn1_decode(const ASN1_STRING *string, const char *what, char **text,
                    struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf converted = {0};
    int type = ASN1_STRING_type(string);

    if (!convert(string, what, &converted, error))
        return false;
    if (converted.len == 0)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.4", "%s is empty", what);
    if (converted.len > SG_LIMIT_VALUE)
        return sg_fail(error, SG_MALFORMED, NULL, "%s is longer than %d bytes", what,
                       SG_LIMIT_VALUE);
    if (!sg_text_check(sg_buf_slice(&converted), what, error))
        return false;
    if (!sg_asn1_fits(type, sg_buf_slice(&converted)))
        return sg_fail(error, SG_MALFORMED, "RFC 5280 A.1",
                       "%s holds characters that %s does not have", what, sg_asn1_word(type));
    return sg_text_copy(sg_buf_slice(&converted), text, error);
}
