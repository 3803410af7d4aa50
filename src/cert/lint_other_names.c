#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

#include "lint_rules.h"

/* 1.3.6.1.4.1.311.25.2 */
static const uint8_t SID[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 25, 2};

static bool has_oid(const ASN1_OBJECT *object, const char *oid)
{
    char text[SG_LIMIT_OID];

    return strcmp(sg_oid_text(object, text), oid) == 0;
}

/* Applies one check to every otherName of a type-id in subjectAltName. */
static bool every_other_name(struct sg_lint_view *view, const char *oid,
                             bool (*check)(const ASN1_TYPE *value))
{
    for (int i = 0; i < sk_GENERAL_NAME_num(view->alternative_names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(view->alternative_names, i);

        if (name->type == GEN_OTHERNAME && has_oid(name->d.otherName->type_id, oid) &&
            !check(name->d.otherName->value))
            return sg_lint_saw(view, "the name at place %d", i + 1);
    }
    return true;
}

static bool is_principal(const ASN1_TYPE *value)
{
    struct sg_slice text;
    const uint8_t *at;

    if (ASN1_TYPE_get(value) != V_ASN1_UTF8STRING)
        return false;
    text = sg_lint_string(value->value.utf8string);
    at = text.len > 0 ? memchr(text.data, '@', text.len) : NULL;
    return at != NULL && at > text.data && at + 1 < text.data + text.len;
}

/* The types of a SEQUENCE's elements, and that none of them is empty; 0 ends the list. */
static bool is_sequence_of(const ASN1_TYPE *value, const int *types)
{
    ASN1_SEQUENCE_ANY *elements = NULL;
    bool same = false;

    if (ASN1_TYPE_get(value) == V_ASN1_SEQUENCE) {
        const uint8_t *at = ASN1_STRING_get0_data(value->value.sequence);

        elements =
            d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)ASN1_STRING_length(value->value.sequence));
    }
    if (elements != NULL) {
        int num = 0;

        for (same = true; types[num] != 0; num++) {
            const ASN1_TYPE *element = sk_ASN1_TYPE_value(elements, num);

            same =
                same && element != NULL && ASN1_TYPE_get(element) == types[num] &&
                (types[num] == V_ASN1_OBJECT || ASN1_STRING_length(element->value.asn1_string) > 0);
        }
        same = same && sk_ASN1_TYPE_num(elements) == num;
    }
    sk_ASN1_TYPE_pop_free(elements, ASN1_TYPE_free);
    return same;
}

static bool is_module(const ASN1_TYPE *value)
{
    static const int TYPES[] = {V_ASN1_OBJECT, V_ASN1_OCTET_STRING, 0};

    return is_sequence_of(value, TYPES);
}

static bool is_identifier(const ASN1_TYPE *value)
{
    static const int ALONE[] = {V_ASN1_UTF8STRING, 0};
    static const int ASSIGNED[] = {V_ASN1_UTF8STRING, V_ASN1_OBJECT, 0};

    return is_sequence_of(value, ALONE) || is_sequence_of(value, ASSIGNED);
}

/* RFC 9598 3: for addresses that an rfc822Name can't hold, as their local part is not ASCII. Their
 * host is in A-labels. */
static bool is_utf8_mailbox(const ASN1_TYPE *value)
{
    struct sg_slice text;
    const uint8_t *at;
    bool is_ascii = true;

    if (ASN1_TYPE_get(value) != V_ASN1_UTF8STRING)
        return false;
    text = sg_lint_string(value->value.utf8string);
    at = text.len > 0 ? memchr(text.data, '@', text.len) : NULL;
    for (const uint8_t *byte = text.data; at != NULL && byte < at; byte++)
        is_ascii = is_ascii && *byte < 0x80;
    return at != NULL && !is_ascii && text.len > 3 && memcmp(text.data, "\xef\xbb\xbf", 3) != 0 &&
           sg_lint_is_host(sg_slice_of(at + 1, text.len - (size_t)(at + 1 - text.data)));
}

static bool has_right_utf8_mailboxes(struct sg_lint_view *view)
{
    return every_other_name(view, "1.3.6.1.5.5.7.8.9", is_utf8_mailbox);
}

static bool has_right_principals(struct sg_lint_view *view)
{
    return every_other_name(view, "1.3.6.1.4.1.311.20.2.3", is_principal);
}

static bool has_right_modules(struct sg_lint_view *view)
{
    return every_other_name(view, "1.3.6.1.5.5.7.8.4", is_module);
}

static bool has_right_identifiers(struct sg_lint_view *view)
{
    return every_other_name(view, "1.3.6.1.5.5.7.8.3", is_identifier);
}

static bool has_der_directory_names(struct sg_lint_view *view)
{
    const X509_NAME *name;

    for (int nth = 0; (name = sg_lint_directory_name(view, nth)) != NULL; nth++)
        if (!sg_lint_name_is_der(name))
            return sg_lint_saw(view, "directory name %d", nth + 1);
    return true;
}

/* Microsoft's SID extension */

static X509_EXTENSION *sid_extension(const struct sg_lint_view *view)
{
    for (int i = 0; i < X509_get_ext_count(view->certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(view->certificate, i);

        if (sg_oid_is(X509_EXTENSION_get_object(extension), sg_slice_of(SID, sizeof SID)))
            return extension;
    }
    return NULL;
}

static bool is_sid(struct sg_slice text)
{
    static const char ALPHABET[] = "0123456789-";

    if (text.len <= 4 || memcmp(text.data, "S-1-", 4) != 0)
        return false;
    for (size_t i = 4; i < text.len; i++)
        if (memchr(ALPHABET, text.data[i], sizeof ALPHABET - 1) == NULL)
            return false;
    return true;
}

static bool holds_one_sid(const GENERAL_NAMES *names)
{
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
    const OTHERNAME *other;

    if (sk_GENERAL_NAME_num(names) != 1 || name->type != GEN_OTHERNAME)
        return false;
    other = name->d.otherName;
    return has_oid(other->type_id, "1.3.6.1.4.1.311.25.2.1") &&
           ASN1_TYPE_get(other->value) == V_ASN1_OCTET_STRING &&
           is_sid(sg_lint_string(other->value->value.octet_string));
}

/* The whole value, in the only form that DER has for it. */
static bool has_a_right_sid(struct sg_lint_view *view)
{
    X509_EXTENSION *extension = sid_extension(view);
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = NULL;
    sg_auto(openssl_bytes) uint8_t *again = NULL;
    struct sg_slice value;
    const uint8_t *at;
    int len;

    if (extension == NULL)
        return true;
    value = sg_lint_string(X509_EXTENSION_get_data(extension));
    at = value.data;
    names = d2i_GENERAL_NAMES(NULL, &at, (long)value.len);
    len = names != NULL ? i2d_GENERAL_NAMES(names, &again) : -1;
    return len > 0 && sg_slice_equal(value, sg_slice_of(again, (size_t)len)) &&
           holds_one_sid(names);
}

static bool has_a_sid_not_critical(struct sg_lint_view *view)
{
    X509_EXTENSION *extension = sid_extension(view);

    return extension == NULL || !X509_EXTENSION_get_critical(extension);
}

const struct sg_lint_rule SG_LINT_OTHER_NAMES[] = {
    {"X.690 10", "directory names must be DER", has_der_directory_names},
    {"RFC 5280 4.2.1.6", "a user principal name must be a UTF8String with an \"@\"",
     has_right_principals},
    {"RFC 9598 3", "a SmtpUTF8Mailbox must be a UTF8String with a local part beyond ASCII",
     has_right_utf8_mailboxes},
    {"RFC 4108 5", "a hardware module's name must have a type and a serial number",
     has_right_modules},
    {"RFC 4043 2", "a permanent identifier must have an identifier", has_right_identifiers},
    {"MS-WCCE 2.2.2.7.7.4", "msSid must not be critical", has_a_sid_not_critical},
    {"MS-WCCE 2.2.2.7.7.4", "msSid must hold the text of one SID", has_a_right_sid},
    {0},
};
