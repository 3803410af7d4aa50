/* show_parts: what the files of show share. A JSON object is made first; text is written from it.
 */
#ifndef SG_CERT_SHOW_PARTS_H
#define SG_CERT_SHOW_PARTS_H

#include "show.h"

/* Values that are longer are cut, with "…" at their end. */
enum { SG_SHOW_HEX_BYTES = 32, SG_SHOW_TEXT = 4096 };

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

/* sg_show_extension describes an extension: {"name", "oid", "critical", "value": [lines]}. Only
 * memory can fail. */
SG_MUST_USE bool sg_show_extension(X509_EXTENSION *extension, json_t **described);

/* Extensions in words, as show_extensions.c lists them. value: OpenSSL's structure. */
SG_MUST_USE bool sg_show_certificate_policies(void *value, json_t *lines);
SG_MUST_USE bool sg_show_name_constraints(void *value, json_t *lines);
SG_MUST_USE bool sg_show_policy_constraints(void *value, json_t *lines);
SG_MUST_USE bool sg_show_inhibit_any_policy(void *value, json_t *lines);
/* sg_show_sid describes Microsoft's extension with a user's SID; done is true when it is one. */
SG_MUST_USE bool sg_show_sid(struct sg_slice value, json_t *lines, bool *done);

/* sg_show_text writes an object as text. */
SG_MUST_USE bool sg_show_text(json_t *object, struct sg_buf *text, struct sg_error *error);

#endif
