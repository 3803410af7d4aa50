/* fields: a certificate taken apart into the things it says, and where each of them comes from.
 *
 * A field is a JSON object:
 *   {"field": "subject.CN", "value": "device-AB12", "critical": true (of critical extensions
 * alone), and where it comes from, when that is known, either of "rule": "subject", "line": 20
 * (null: the key is not in the policy), "written": "${device.id}" (null when the rule is more than
 * a text), "from": ["device"] "fixed": "RFC 5280 4.2.1.2: …" (nothing that a policy decides)} from:
 * policy (its own words), device, user, request, issuer, clock. Does not: know any rule. The plan
 * says by which of them it was filled.
 */
#ifndef SG_CERT_FIELDS_H
#define SG_CERT_FIELDS_H

#include "cert.h"
#include "show.h"

/* sg_cert_preview is the certificate as it would be, with an empty signature. It is there to be
 * looked at, and never leaves the program. Fails: as sg_cert_build. */
SG_MUST_USE bool sg_cert_preview(const struct sg_plan *plan, const struct sg_issuer_facts *issuer,
                                 const struct sg_public_key *key, const struct sg_serial *serial,
                                 X509 **preview, struct sg_error *error);

/* sg_cert_fields makes an array of the certificate's fields.
 * plan     that it was built from, for where they come from; NULL leaves that out.
 * Fails for memory alone. */
SG_MUST_USE bool sg_cert_fields(X509 *certificate, const struct sg_plan *plan, json_t **fields,
                                struct sg_error *error);

/* sg_fields_adopt gives fields the origins of those in explained that say the same. The others get
 * "unexplained": true. */
SG_MUST_USE bool sg_fields_adopt(json_t *fields, const json_t *explained, struct sg_error *error);

/* sg_fields_compare makes an array of what two lists do not have in common: the fields of before
 * with "change": "-", those of after with "change": "+". */
SG_MUST_USE bool sg_fields_compare(const json_t *before, const json_t *after, json_t **changes,
                                   struct sg_error *error);

/* sg_fields_text appends the fields as lines. */
SG_MUST_USE bool sg_fields_text(const json_t *fields, struct sg_buf *text, struct sg_error *error);

#endif
