/* der: DER read strictly, element by element, and never by the type that it should have.
 *
 * OpenSSL reads BER, so whether bytes are DER shows only when they are encoded again, and that
 * takes a hundred times as long as looking at them once. sg_der_is_strict looks. Its yes is sure:
 * OpenSSL, if it decodes the bytes at all, encodes them to themselves. Its no is none: it may be
 * that only their type would tell, and then they have to be encoded again. Does not: decode values,
 * or know which element belongs where; OpenSSL does that. Thread rule: none, there is no state.
 */
#ifndef SG_BASE_DER_H
#define SG_BASE_DER_H

#include "slice.h"

/* The identifier octets of universal types, X.680 8.4. */
enum sg_der_tag {
    SG_DER_BOOLEAN = 0x01,
    SG_DER_INTEGER = 0x02,
    SG_DER_BIT_STRING = 0x03,
    SG_DER_OCTET_STRING = 0x04,
    SG_DER_NULL = 0x05,
    SG_DER_OID = 0x06,
    SG_DER_ENUMERATED = 0x0a,
    SG_DER_UTF8_STRING = 0x0c,
    SG_DER_PRINTABLE_STRING = 0x13,
    SG_DER_IA5_STRING = 0x16,
    SG_DER_UTC_TIME = 0x17,
    SG_DER_GENERALIZED_TIME = 0x18,
    SG_DER_SEQUENCE = 0x30,
    SG_DER_SET = 0x31,
    SG_DER_VERSION = 0xa0,   /* [0] EXPLICIT, in certificates */
    SG_DER_EXTENSIONS = 0xa3 /* [3] EXPLICIT, in certificates */
};

/* One element, borrowed from the bytes that it is in. */
struct sg_der {
    uint8_t tag;           /* the identifier octet */
    struct sg_slice whole; /* with identifier and length */
    struct sg_slice content;
};

/* What the context-specific tags [0] to [30] may be, as bits 1 << n. */
struct sg_der_tags {
    unsigned primitive;   /* IMPLICIT strings and the like: their content is not looked at */
    unsigned constructed; /* EXPLICIT tags, and IMPLICIT SEQUENCEs */
    unsigned sets;        /* IMPLICIT SETs OF */
};

/* sg_der_next takes the first element off rest. Returns false, with both unchanged, when rest does
 * not begin with an element whose identifier is one octet and whose length is the shortest. */
bool sg_der_next(struct sg_slice *rest, struct sg_der *element);

/* sg_der_enter takes the one element that all of bytes must be, which must have the tag, and leaves
 * its content in inside. Returns false, with inside unchanged, when it is not so. */
bool sg_der_enter(struct sg_slice bytes, uint8_t tag, struct sg_slice *inside);

/* sg_der_is_strict: bytes are one element, and it and all inside it are DER whatever their type is:
 * shortest lengths, no string in pieces, INTEGERs and OBJECT IDENTIFIERs without padding, BIT
 * STRINGs that end in zero bits where they have unused ones, times in seconds and with Z, and the
 * elements of SETs in their order. Also false, as it can't be told, for other universal types than
 * those above, for tags that tags does not name, for an empty SET, for FALSE (every BOOLEAN in
 * X.509 has it as its default, and leaves it out), and more than SG_LIMIT_DER_DEPTH levels down.
 * tags     NULL: no context-specific ones. */
bool sg_der_is_strict(struct sg_slice bytes, const struct sg_der_tags *tags);

#endif
