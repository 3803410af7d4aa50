/* attach: what certificates and CRLs have in common: the outer SEQUENCE (RFC 5280 4.1 and 5.1), and
 * how times are written. */
#ifndef SG_CERT_ATTACH_H
#define SG_CERT_ATTACH_H

#include "base/der.h"
#include "model/scheme.h"

/* sg_signed_append_header appends identifier and length of an element whose content is len bytes.
 * limit    of der's length. */
SG_MUST_USE bool sg_signed_append_header(struct sg_buf *der, uint8_t tag, size_t len, size_t limit,
                                         struct sg_error *error);

/* sg_signed_encode makes SEQUENCE { content, algorithm, BIT STRING signature }.
 *
 * content  exactly one DER SEQUENCE; its bytes go in as they are.
 * limit    of der's length, from base/limits.h.
 * Fails:   SG_INTERNAL when content is anything else. */
SG_MUST_USE bool sg_signed_encode(struct sg_slice content, X509_ALGOR *algorithm,
                                  struct sg_slice signature, size_t limit, struct sg_buf *der,
                                  struct sg_error *error);

/* sg_signed_decode_unsigned decodes to-be-signed bytes of a certificate, for which OpenSSL has no
 * decoder that one could look into, by giving them a shell with an empty signature. */
SG_MUST_USE bool sg_signed_decode_unsigned(struct sg_slice tbs, enum sg_scheme scheme,
                                           X509 **certificate, struct sg_error *error);

/* sg_signed_time writes a moment from 1970 to SG_TIME_NEVER: UTCTime through 2049, GeneralizedTime
 * from 2050 (RFC 5280 4.1.2.5). Fails: SG_INTERNAL for any other; what begins the message. */
SG_MUST_USE bool sg_signed_time(ASN1_TIME *time, int64_t moment, const char *what,
                                struct sg_error *error);

#endif
