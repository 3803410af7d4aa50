/* cert: a plan becomes to-be-signed bytes, these are linted, and a signature is attached.
 *
 * Does not: sign, decide, or read requests. Nothing here copies from a request but the public key.
 */
#ifndef SG_CERT_CERT_H
#define SG_CERT_CERT_H

#include "model/certificate.h"
#include "model/issuer.h"
#include "model/plan.h"

/* sg_cert_build makes the DER TBSCertificate (RFC 5280 4.1): v3, signature algorithm of the
 * issuer's scheme, key from key, extensions in a fixed order: basicConstraints (critical; also
 * CA:FALSE), keyUsage (critical), extendedKeyUsage (not critical), subjectKeyIdentifier,
 * authorityKeyIdentifier (key identifier; the issuer certificate's own SKI), subjectAltName
 * (critical when the subject is empty), cRLDistributionPoints, authorityInfoAccess, then the
 * plan's. A self-certifying issuer (issuer->certificate NULL) names itself by the plan's subject.
 * Fails: SG_REFUSED when a name can't be encoded or the certificate would be larger than
 * SG_LIMIT_CERTIFICATE, SG_INTERNAL otherwise. */
SG_MUST_USE bool sg_cert_build(const struct sg_plan *plan, const struct sg_issuer_facts *issuer,
                               const struct sg_public_key *key, const struct sg_serial *serial,
                               struct sg_buf *tbs, struct sg_error *error);

/* sg_cert_content_sha256 digests what a certificate says, without serial and validity: issuer,
 * subject, key, extensions. */
SG_MUST_USE bool sg_cert_content_sha256(struct sg_slice tbs, uint8_t digest[SG_SHA256_LEN],
                                        struct sg_error *error);

/* sg_cert_attach makes the DER Certificate of to-be-signed bytes and a signature over them. */
SG_MUST_USE bool sg_cert_attach(struct sg_slice tbs, enum sg_scheme scheme,
                                struct sg_slice signature, struct sg_buf *der,
                                struct sg_error *error);

/* sg_lint checks to-be-signed bytes against a table of RFC 5280 rules; it reads them afresh with
 * OpenSSL and shares nothing with sg_cert_build. The bytes must re-encode to themselves.
 * Fails: SG_INTERNAL, rule "RFC 5280 4.1.2.5", text with what was found. */
SG_MUST_USE bool sg_lint(struct sg_slice tbs, const struct sg_issuer_facts *issuer,
                         struct sg_error *error);
/* sg_lint_with_key does the same, and does not decode the certificate's key once more when it is
 * octet for octet the known one. */
SG_MUST_USE bool sg_lint_with_key(struct sg_slice tbs, const struct sg_issuer_facts *issuer,
                                  const struct sg_public_key *known, struct sg_error *error);

/* sg_cert_read decodes one certificate, PEM or DER, without trailing data. path is for messages. */
SG_MUST_USE bool sg_cert_read(struct sg_slice bytes, const char *path, X509 **certificate,
                              struct sg_error *error);
/* sg_cert_read_serial tells the serial number of what sg_cert_read would read, without its key,
 * which is most of the work. */
SG_MUST_USE bool sg_cert_read_serial(struct sg_slice bytes, const char *path,
                                     struct sg_serial *serial, struct sg_error *error);
/* sg_cert_pem appends the PEM form. */
SG_MUST_USE bool sg_cert_pem(struct sg_slice der, const char *label, struct sg_buf *pem,
                             struct sg_error *error);
/* sg_cert_validity: both ends as moments. */
SG_MUST_USE bool sg_cert_validity(const X509 *certificate, int64_t *not_before, int64_t *not_after,
                                  struct sg_error *error);
/* sg_cert_path_length: of basicConstraints, -1 for none or no CA. */
long sg_cert_path_length(X509 *certificate);
/* sg_cert_serial: the serial number. */
SG_MUST_USE bool sg_cert_serial(const X509 *certificate, struct sg_serial *serial,
                                struct sg_error *error);

#endif
