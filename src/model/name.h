/* name: distinguished names of single-valued RDNs, as text.
 *
 * Values are UTF-8 that base/text.h accepts. Two names are equal when they have the same types and
 * the same bytes of text in the same order, however each was encoded.
 */
#ifndef SG_MODEL_NAME_H
#define SG_MODEL_NAME_H

#include "oid.h"

struct sg_rdn {
    char oid[SG_LIMIT_OID];
    char *value;
};

struct sg_name {
    struct sg_rdn *rdns;
    size_t num;
};

/* sg_name_add appends one RDN, copying. Fails: SG_MALFORMED past SG_LIMIT_RDNS or on bad text. */
SG_MUST_USE bool sg_name_add(struct sg_name *name, const char *oid, const char *value,
                             struct sg_error *error);
/* sg_name_parse reads "CN=Example Root,O=Example GmbH" (backslash escapes a comma) or
 * "/CN=Example Root/O=Example GmbH"; the order given is the order encoded. name must
 * be empty. Fails: SG_USAGE, also on two attributes joined by "+" (\+ is a plus sign). */
SG_MUST_USE bool sg_name_parse(const char *text, struct sg_name *name, struct sg_error *error);
/* sg_name_decode reads an X509_NAME strictly into an empty name. what begins messages ("subject").
 * Fails: SG_MALFORMED, each with its own message: multi-valued RDN, empty value, NUL, line break,
 * invalid UTF-8, a string type that is not a DirectoryString or IA5String, or characters
 * that the type does not have. */
SG_MUST_USE bool sg_name_decode(const X509_NAME *encoded, const char *what, struct sg_name *name,
                                struct sg_error *error);
/* sg_name_encode makes an X509_NAME: UTF8String, but PrintableString for C, serialNumber and
 * dnQualifier, IA5String for DC and emailAddress (RFC 5280 4.1.2.4, appendix A.1). The upper
 * bounds of appendix A.1 hold. Fails: SG_REFUSED naming the attribute and its bound. */
SG_MUST_USE bool sg_name_encode(const struct sg_name *name, X509_NAME **encoded,
                                struct sg_error *error);
/* sg_name_check_value tells whether sg_name_encode would take a value of this type. Fails: as that.
 */
SG_MUST_USE bool sg_name_check_value(const char *oid, const char *value, struct sg_error *error);
bool sg_name_equal(const struct sg_name *a, const struct sg_name *b);
/* sg_name_text: "CN=device-AB12,O=Example GmbH", in encoded order, with commas, plus signs and
 * backslashes escaped so that sg_name_parse reads it again; "(empty)" when empty. Always ends
 * with a zero byte, cut to size with "…". Returns into. */
const char *sg_name_text(const struct sg_name *name, char *into, size_t size);
/* sg_name_first: the first value of a type, or NULL; num counts how many there are (may be NULL).
 */
const char *sg_name_first(const struct sg_name *name, const char *oid, size_t *num);
void sg_name_done(struct sg_name *name);
SG_DEFINE_CLEANUP_IN_PLACE(sg_name, sg_name_done)

#endif
