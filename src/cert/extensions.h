/* extensions: what sg_cert_build puts into a certificate's extensions. */
#ifndef SG_CERT_EXTENSIONS_H
#define SG_CERT_EXTENSIONS_H

#include "model/issuer.h"
#include "model/plan.h"

/* The same contract as sg_cert_build's; the list belongs to the caller. */
SG_MUST_USE bool sg_cert_extensions(const struct sg_plan *plan,
                                    const struct sg_issuer_facts *issuer,
                                    const struct sg_public_key *key, X509_EXTENSIONS **extensions,
                                    struct sg_error *error);

/* sg_issuer_key_id: the key identifier that everything of an issuer's carries in its
 * authorityKeyIdentifier: the subjectKeyIdentifier of the issuer's own certificate, else that of
 * RFC 5280 4.2.1.2 (1). The caller owns it. */
SG_MUST_USE bool sg_issuer_key_id(const struct sg_issuer_facts *issuer, ASN1_OCTET_STRING **id,
                                  struct sg_error *error);

/* sg_extension_push encodes value as the extension nid and appends it to *list, which is made when
 * NULL. value is the structure that nid has in OpenSSL, and stays the caller's. */
SG_MUST_USE bool sg_extension_push(X509_EXTENSIONS **list, int nid, bool critical, void *value,
                                   struct sg_error *error);

/* The authorityKeyIdentifier with a key identifier alone, of certificates and CRLs. */
SG_MUST_USE bool sg_extension_push_authority(X509_EXTENSIONS **list,
                                             const struct sg_issuer_facts *issuer,
                                             struct sg_error *error);

/* sg_extension_source: which part of a plan becomes an extension, and whether each of its lines is
 * one thing of that part. SG_PART_NONE: fixed says by what it is. An OID that nothing here writes
 * is SG_PART_EXTENSION. */
enum sg_many { SG_ALL_ONE, SG_ONE_EACH };
enum sg_many sg_extension_source(const ASN1_OBJECT *oid, enum sg_part *part, const char **fixed);

#endif
