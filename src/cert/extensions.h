/* extensions: what sg_cert_build puts into a certificate's extensions. */
#ifndef SG_CERT_EXTENSIONS_H
#define SG_CERT_EXTENSIONS_H

#include "model/issuer.h"
#include "model/plan.h"

/* The same contract as sg_cert_build's; extensions gets the SEQUENCE of them in DER. */
SG_MUST_USE bool sg_cert_extensions(const struct sg_plan *plan,
                                    const struct sg_issuer_facts *issuer,
                                    const struct sg_public_key *key, struct sg_buf *extensions,
                                    struct sg_error *error);

/* sg_issuer_key_id: the key identifier that everything of an issuer's carries in its
 * authorityKeyIdentifier: the subjectKeyIdentifier of the issuer's own certificate, else that of
 * RFC 5280 4.2.1.2 (1). The caller owns it. */
SG_MUST_USE bool sg_issuer_key_id(const struct sg_issuer_facts *issuer, ASN1_OCTET_STRING **id,
                                  struct sg_error *error);

/* sg_issuer_authority: the value of that authorityKeyIdentifier, with the key identifier alone. The
 * caller owns it. */
SG_MUST_USE bool sg_issuer_authority(const struct sg_issuer_facts *issuer,
                                     AUTHORITY_KEYID **authority, struct sg_error *error);

/* sg_extension_source: which part of a plan becomes an extension, and whether each of its lines is
 * one thing of that part. SG_PART_NONE: fixed says by what it is. An OID that nothing here writes
 * is SG_PART_EXTENSION. */
enum sg_many { SG_ALL_ONE, SG_ONE_EACH };
enum sg_many sg_extension_source(const ASN1_OBJECT *oid, enum sg_part *part, const char **fixed);

#endif
