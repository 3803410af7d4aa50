/* show_parts: what the files of show share. A JSON object is made first; text is written from it.
 */
#ifndef SG_CERT_SHOW_PARTS_H
#define SG_CERT_SHOW_PARTS_H

#include "show.h"

/* Values that are longer are cut, with "…" at their end. */
enum { SG_SHOW_HEX_BYTES = 32, SG_SHOW_TEXT = 4096, SG_SHOW_OID = SG_LIMIT_OID + 64 };

/* sg_show_put sets key to printable text; sg_show_add appends printable text to an array. Only
 * memory can fail. */
SG_MUST_USE bool sg_show_put(json_t *object, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
SG_MUST_USE bool sg_show_add(json_t *array, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for bytes as hex, cut after max bytes. */
SG_MUST_USE bool sg_show_put_hex(json_t *object, const char *key, struct sg_slice bytes);
SG_MUST_USE bool sg_show_add_hex(json_t *array, const char *what, struct sg_slice bytes,
                                 size_t max);
/* Every line of what was printed into memory. */
SG_MUST_USE bool sg_show_add_lines(json_t *array, BIO *memory);

/* sg_show_name writes a name in encoded order, also one that sg_name_decode would refuse.
 * Returns into. */
const char *sg_show_name(const X509_NAME *name, char into[SG_SHOW_TEXT]);
/* sg_show_decoded_name is the same of a name that was read. */
const char *sg_show_decoded_name(const struct sg_name *name, char into[SG_SHOW_TEXT]);

/* sg_show_known_oid: word, which is what model/oid.h has for the OID; when that is the OID itself,
 * with the name that is known for it: "1.2.3 (Example)". Returns word or into. */
const char *sg_show_known_oid(const char *word, const char *oid, char into[SG_SHOW_OID]);

/* sg_show_key sets "key": "RSA-2048", "RSA-PSS, 2048 bits", or "unreadable, algorithm OID".
 * sg_show_signature sets "signature": the scheme in the words of signet.yaml, RSA-PSS with its
 * parameters, or the algorithm's name. Only memory can fail. */
SG_MUST_USE bool sg_show_key(json_t *object, X509_PUBKEY *encoded);
SG_MUST_USE bool sg_show_signature(json_t *object, const X509_ALGOR *algorithm);

/* sg_show_extension describes an extension: {"name", "oid", "critical", "value": [lines]}. Only
 * memory can fail. */
SG_MUST_USE bool sg_show_extension(X509_EXTENSION *extension, json_t **described);

/* Extensions in words, as show_extensions.c lists them. value: OpenSSL's structure. */
SG_MUST_USE bool sg_show_certificate_policies(void *value, json_t *lines);
SG_MUST_USE bool sg_show_name_constraints(void *value, json_t *lines);
SG_MUST_USE bool sg_show_policy_constraints(void *value, json_t *lines);
SG_MUST_USE bool sg_show_inhibit_any_policy(void *value, json_t *lines);
/* The same of a value's bytes; done is true when they are such a one, and false leaves lines as it
 * was: Microsoft's extensions with a user's SID, a template and its version, and application
 * policies; PIV's background check. */
SG_MUST_USE bool sg_show_sid(struct sg_slice value, json_t *lines, bool *done);
SG_MUST_USE bool sg_show_ms_template(struct sg_slice value, json_t *lines, bool *done);
SG_MUST_USE bool sg_show_ms_purposes(struct sg_slice value, json_t *lines, bool *done);
SG_MUST_USE bool sg_show_piv_check(struct sg_slice value, json_t *lines, bool *done);
/* sg_show_der describes any DER of simple types: "sequence(boolean true, integer 3)". A string
 * alone stands in quotation marks. done is false for what has other types in it, is not DER, is too
 * long to be read, or too deep. */
SG_MUST_USE bool sg_show_der(struct sg_slice value, json_t *lines, bool *done);

enum { SG_SHOW_VALIDITY = 96 };
/* sg_show_validity: "valid, expires in 59 days". Returns into, or a constant. */
const char *sg_show_validity(const X509 *certificate, int64_t now, char into[SG_SHOW_VALIDITY]);

/* sg_show_moment sets key to a time in ISO 8601, or "(unreadable)". */
SG_MUST_USE bool sg_show_moment(json_t *object, const char *key, const ASN1_TIME *time);

/* sg_show_text writes an object as text. */
SG_MUST_USE bool sg_show_text(json_t *object, struct sg_buf *text, struct sg_error *error);

#endif
