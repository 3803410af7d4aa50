/* certs_only: the message in which EST hands out certificates (RFC 7030 4.1.3, 4.2.3). */
#ifndef SG_SERVICE_CERTS_ONLY_H
#define SG_SERVICE_CERTS_ONLY_H

#include "base/error.h"
#include "base/slice.h"

/* sg_certs_only makes a ContentInfo with a SignedData that nobody has signed and that holds
 * nothing but certificates.
 *
 * certificates   in DER, one behind the other.
 * der            empty; filled on success.
 * Fails:         SG_FAILED: memory, or longer than a body may be.
 * Follows:       RFC 5272 4.1, RFC 5652 5.1.
 * Does not:      look at the certificates. */
SG_MUST_USE bool sg_certs_only(struct sg_slice certificates, struct sg_buf *der,
                               struct sg_error *error);

#endif
