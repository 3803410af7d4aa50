/* show: certificates, requests and CRLs in words: text for people, the same as JSON for programs.
 *
 * Shows what is there, also what Signet would refuse. No byte of what is shown can steer a
 * terminal: all text is made printable, and long unknown values are cut.
 * Does not: verify or judge, beyond saying whether now is inside the validity.
 */
#ifndef SG_CERT_SHOW_H
#define SG_CERT_SHOW_H

#include <openssl/x509.h>

#include "base/json.h"
#include "model/request.h"

/* The entries of a CRL that text shows; the rest is counted. */
enum { SG_SHOW_CRL_ENTRIES = 20 };

/* Each appends lines of text that end with a newline. now decides over the words for validity.
 * Fails: SG_FAILED for memory. */
SG_MUST_USE bool sg_show_certificate(X509 *certificate, int64_t now, struct sg_buf *text,
                                     struct sg_error *error);
/* refused: what sg_request_look found against it; its code is SG_OK when nothing. */
SG_MUST_USE bool sg_show_request(const struct sg_request *request, const struct sg_error *refused,
                                 struct sg_buf *text, struct sg_error *error);
/* max_entries: SG_SHOW_CRL_ENTRIES, or SIZE_MAX for all. */
SG_MUST_USE bool sg_show_crl(X509_CRL *crl, int64_t now, size_t max_entries, struct sg_buf *text,
                             struct sg_error *error);

/* The same as objects, which the caller frees with json_decref:
 *   {"kind": "certificate", "subject": …, "issuer": …, "serial": hex, "not_before": ISO 8601,
 *    "not_after": …, "validity": words, "key": "P-256", "signature": "ecdsa-sha256",
 *    "extensions": [{"name", "oid", "critical", "value": [lines]}], "sha256": hex, "sha1": hex,
 *    "key_sha256": hex (of its SubjectPublicKeyInfo)}
 *   {"kind": "request", "format", "refused": {"rule", "message"} if it would be, "subject",
 *    "key", "signature", "extensions", "sha256", "sha1", "key_sha256"}
 *   {"kind": "crl", "issuer", "number", "this_update", "next_update", "validity", "signature",
 *    "entries": count, "revoked": [{"serial", "revoked", "reason"}], "extensions", "sha256",
 * "sha1"} */
SG_MUST_USE bool sg_show_certificate_json(X509 *certificate, int64_t now, json_t **object,
                                          struct sg_error *error);
SG_MUST_USE bool sg_show_request_json(const struct sg_request *request,
                                      const struct sg_error *refused, json_t **object,
                                      struct sg_error *error);
SG_MUST_USE bool sg_show_crl_json(X509_CRL *crl, int64_t now, size_t max_entries, json_t **object,
                                  struct sg_error *error);

#endif
