/* crl: revocations become a to-be-signed CertificateList (RFC 5280 5), and a signature is attached.
 */
#ifndef SG_CERT_CRL_H
#define SG_CERT_CRL_H

#include "model/certificate.h"
#include "model/issuer.h"

/* A CRL in the making. It keeps a pointer to its issuer, who must outlive it. */
struct sg_crl_draft;

/* sg_crl_draft_new. next_update comes after this_update.
 * Fails: SG_INTERNAL, also for an issuer without a certificate. */
SG_MUST_USE bool sg_crl_draft_new(const struct sg_issuer_facts *issuer, int64_t this_update,
                                  int64_t next_update, struct sg_crl_draft **draft,
                                  struct sg_error *error);
/* sg_crl_draft_add appends an entry; reasonCode is left out for unspecified (RFC 5280 5.3.1). */
SG_MUST_USE bool sg_crl_draft_add(struct sg_crl_draft *draft, const struct sg_serial *serial,
                                  int64_t revoked, enum sg_reason reason, struct sg_error *error);
/* sg_crl_draft_finish adds authorityKeyIdentifier and cRLNumber and makes the DER TBSCertList,
 * which belongs to the draft. */
SG_MUST_USE bool sg_crl_draft_finish(struct sg_crl_draft *draft, uint64_t number,
                                     struct sg_slice *tbs, struct sg_error *error);
/* sg_crl_draft_attach makes the signed CRL. */
SG_MUST_USE bool sg_crl_draft_attach(struct sg_crl_draft *draft, struct sg_slice signature,
                                     struct sg_buf *der, struct sg_error *error);

/* sg_crl_lint checks a TBSCertList as sg_lint checks a certificate: a table of RFC 5280 5 rules
 * over the bytes. Fails: SG_INTERNAL with the section. */
SG_MUST_USE bool sg_crl_lint(struct sg_slice tbs, const struct sg_issuer_facts *issuer,
                             struct sg_error *error);

/* sg_crl_read decodes one CRL, PEM or DER, without trailing data. path is for messages.
 * Fails: SG_MALFORMED. */
SG_MUST_USE bool sg_crl_read(struct sg_slice bytes, const char *path, X509_CRL **crl,
                             struct sg_error *error);

void sg_crl_draft_free(struct sg_crl_draft *draft);

typedef struct sg_crl_draft sg_crl_draft;
SG_DEFINE_CLEANUP(sg_crl_draft, sg_crl_draft_free)

#endif
