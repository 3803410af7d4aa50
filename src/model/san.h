/* san: alternative names (RFC 5280 4.2.1.6) as text.
 *
 * Kinds of one value have that as their text. Those of two are written OID;TEXT, so that the text
 * can be read again:
 *     hardware-module       1.3.6.1.4.1.32473.1.2;SN-0042     type and serial number (RFC 4108 5)
 *     permanent-identifier  1.3.6.1.4.1.32473.3;employee-7    assigner, may be empty (RFC 4043 2)
 *     other                 1.3.6.1.4.1.32473.4;utf8:text     also ia5: printable: octets:HEX
 * der:HEX
 */
#ifndef SG_MODEL_SAN_H
#define SG_MODEL_SAN_H

#include "base/cleanup.h"
#include "base/limits.h"

enum sg_san_kind {
    SG_SAN_EMAIL,
    SG_SAN_DNS,
    SG_SAN_URI,
    SG_SAN_IP,
    SG_SAN_UPN,           /* otherName 1.3.6.1.4.1.311.20.2.3, UTF8String */
    SG_SAN_DIRNAME,       /* as sg_name_text writes it */
    SG_SAN_REGISTERED_ID, /* an OID */
    SG_SAN_HARDWARE_MODULE,
    SG_SAN_PERMANENT_IDENTIFIER,
    SG_SAN_OTHER_NAME, /* any other otherName */
    SG_SAN_OTHER, /* anything else; value is the hex of its DER, so that it equals nothing by chance
                   */
};

struct sg_san {
    enum sg_san_kind kind;
    char *value;
};

struct sg_sans {
    struct sg_san *items;
    size_t num;
};

/* sg_sans_add appends a copy after checking the value's form: dns by RFC 5280 4.2.1.6 (LDH labels,
 * an optional leftmost "*"), ip as IPv4 or IPv6 text (kept canonical), uri with a scheme, email and
 * upn with one "@", dirname as sg_name_parse reads it (kept canonical), registered_id as an OID,
 * the others as above. Fails: SG_REFUSED naming kind and value. */
SG_MUST_USE bool sg_sans_add(struct sg_sans *sans, enum sg_san_kind kind, const char *value,
                             struct sg_error *error);
/* sg_sans_decode reads GeneralNames strictly into empty sans, as sg_name_decode does; an empty
 * sequence is SG_MALFORMED. */
SG_MUST_USE bool sg_sans_decode(const GENERAL_NAMES *encoded, struct sg_sans *sans,
                                struct sg_error *error);
/* sg_sans_encode makes GeneralNames. Fails: SG_INTERNAL on SG_SAN_OTHER. */
SG_MUST_USE bool sg_sans_encode(const struct sg_sans *sans, GENERAL_NAMES **encoded,
                                struct sg_error *error);
/* sg_sans_equal: the same names, in any order and however often; DNS names in any case. */
bool sg_sans_equal(const struct sg_sans *a, const struct sg_sans *b);
/* sg_sans_text: "uri:urn:x, dns:a.example". Returns into. */
const char *sg_sans_text(const struct sg_sans *sans, char *into, size_t size);
const char *sg_san_kind_word(enum sg_san_kind kind);
SG_MUST_USE bool sg_san_kind_parse(const char *word, enum sg_san_kind *kind,
                                   struct sg_error *error);
void sg_sans_done(struct sg_sans *sans);
SG_DEFINE_CLEANUP_IN_PLACE(sg_sans, sg_sans_done)

#endif
