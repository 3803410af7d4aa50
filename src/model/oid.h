/* oid: the names of object identifiers that people write in policies and on command lines. */
#ifndef SG_MODEL_OID_H
#define SG_MODEL_OID_H

#include "base/cleanup.h"
#include "base/limits.h"

/* sg_oid_of_attribute: "CN" or "2.5.4.3" → "2.5.4.3". Case matters. Fails: SG_USAGE, naming the
 * words. oid points at a const table, or at the text that was given. */
SG_MUST_USE bool sg_oid_of_attribute(const char *word, const char **oid, struct sg_error *error);
/* sg_oid_attribute_word: "2.5.4.3" → "CN"; the OID itself when it has no word. */
const char *sg_oid_attribute_word(const char *oid);

/* The same for key purposes: "clientAuth" ↔ "1.3.6.1.5.5.7.3.2". */
SG_MUST_USE bool sg_oid_of_purpose(const char *word, const char **oid, struct sg_error *error);
const char *sg_oid_purpose_word(const char *oid);

/* The same for extensions: "keyUsage" ↔ "2.5.29.15". */
SG_MUST_USE bool sg_oid_of_extension(const char *word, const char **oid, struct sg_error *error);
const char *sg_oid_extension_word(const char *oid);

/* sg_oid_is_valid: dotted decimals that DER can carry. */
bool sg_oid_is_valid(const char *text);

/* sg_oid_text writes the dotted decimals of an ASN.1 object. Returns into; "?" when it does not
 * fit. */
const char *sg_oid_text(const ASN1_OBJECT *object, char into[SG_LIMIT_OID]);

/* sg_oid_is tells whether object has these content octets (X.690 8.19): a hundredth of what it
 * takes to write its decimals and compare them. */
bool sg_oid_is(const ASN1_OBJECT *object, struct sg_slice octets);

/* keyUsage bits as RFC 5280 4.2.1.3 numbers them: bit n is 1 << n. */
enum sg_key_usage {
    SG_KU_DIGITAL_SIGNATURE = 1 << 0,
    SG_KU_NON_REPUDIATION = 1 << 1,
    SG_KU_KEY_ENCIPHERMENT = 1 << 2,
    SG_KU_DATA_ENCIPHERMENT = 1 << 3,
    SG_KU_KEY_AGREEMENT = 1 << 4,
    SG_KU_KEY_CERT_SIGN = 1 << 5,
    SG_KU_CRL_SIGN = 1 << 6,
    SG_KU_ENCIPHER_ONLY = 1 << 7,
    SG_KU_DECIPHER_ONLY = 1 << 8,
};
SG_MUST_USE bool sg_key_usage_parse(const char *word, unsigned *bit, struct sg_error *error);
/* sg_key_usage_text: "digitalSignature, keyCertSign". Returns into. */
const char *sg_key_usage_text(unsigned bits, char *into, size_t size);

#endif
