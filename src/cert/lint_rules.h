/* lint_rules: what the files of sg_lint share. Reads with OpenSSL alone; shares nothing with build.
 */
#ifndef SG_CERT_LINT_RULES_H
#define SG_CERT_LINT_RULES_H

#include "cert.h"

enum { SG_LINT_FOUND_SIZE = 200 };

/* A certificate under inspection, decoded afresh; extensions that are absent are NULL. */
struct sg_lint_view {
    struct sg_slice tbs;
    bool is_strict;           /* sg_der_is_strict says yes of tbs */
    X509 *certificate;        /* its key is in key, and only there */
    struct sg_public_key key; /* pkey is NULL when it can't be read */
    const struct sg_issuer_facts *issuer;
    BASIC_CONSTRAINTS *constraints;
    ASN1_BIT_STRING *key_usage;
    EXTENDED_KEY_USAGE *purposes;
    ASN1_OCTET_STRING *subject_key_id;
    AUTHORITY_KEYID *authority_key_id;
    GENERAL_NAMES *alternative_names;
    CRL_DIST_POINTS *crl_points;
    AUTHORITY_INFO_ACCESS *information_access;
    CERTIFICATEPOLICIES *policies;
    NAME_CONSTRAINTS *name_constraints;
    POLICY_CONSTRAINTS *policy_constraints;
    ASN1_INTEGER *inhibit_any_policy;
    char found[SG_LINT_FOUND_SIZE]; /* what a rule that does not hold saw; "" when it has no more to
                                       say */
};

struct sg_lint_rule {
    const char *section; /* NULL ends a table */
    const char *what;    /* how it must be */
    bool (*holds)(struct sg_lint_view *view);
};

/* In the order in which they are applied: a table may rely on those before it. */
extern const struct sg_lint_rule SG_LINT_FIELDS[];     /* lint_fields.c */
extern const struct sg_lint_rule SG_LINT_NAMES[];      /* lint_names.c: subject and issuer */
extern const struct sg_lint_rule SG_LINT_EXTENSIONS[]; /* lint_extensions.c: all of them */
extern const struct sg_lint_rule SG_LINT_USAGE[]; /* lint_usage.c: CA or not, usage, purposes */
extern const struct sg_lint_rule SG_LINT_IDENTIFIERS[]; /* lint_identifiers.c: keys, names, URLs */

extern const struct sg_lint_rule SG_LINT_FORMS[];       /* lint_forms.c: dns, email and uri names */
extern const struct sg_lint_rule SG_LINT_OTHER_NAMES[]; /* lint_other_names.c: otherNames, SIDs */
extern const struct sg_lint_rule SG_LINT_POLICIES[];    /* lint_policies.c: and constraints */
extern const struct sg_lint_rule SG_LINT_MATTER[];      /* lint_matter.c: VID and PID */

/* All of them, in their order; NULL ends it. */
extern const struct sg_lint_rule *const SG_LINT_TABLES[];

/* A CRL under inspection, decoded afresh. */
struct sg_crl_lint_view {
    struct sg_slice tbs;
    const struct sg_issuer_facts *issuer;
    X509_CRL *crl;
    AUTHORITY_KEYID *authority_key_id;
    ASN1_INTEGER *number;
};

struct sg_crl_lint_rule {
    const char *section; /* NULL ends the table */
    const char *what;    /* how it must be */
    bool (*holds)(struct sg_crl_lint_view *view);
};

extern const struct sg_crl_lint_rule SG_CRL_LINT_RULES[]; /* crl_lint.c */

/* sg_lint_saw writes view->found and returns false. */
bool sg_lint_saw(struct sg_lint_view *view, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* sg_lint_critical: 1 critical, 0 not, -1 when the extension is absent. */
int sg_lint_critical(const struct sg_lint_view *view, int nid);
bool sg_lint_is_ca(const struct sg_lint_view *view);
/* sg_lint_usage: the keyUsage bits as SG_KU_*; 0 when absent. */
unsigned sg_lint_usage(const struct sg_lint_view *view);
/* sg_lint_has_purpose: extendedKeyUsage is there and holds nid. */
bool sg_lint_has_purpose(const struct sg_lint_view *view, int nid);

/* The checks that certificates and CRLs have in common; each is true when all is well. */
bool sg_lint_time_is_right(const ASN1_TIME *time);
bool sg_lint_scheme_is(const X509_ALGOR *algorithm, enum sg_scheme scheme);
/* sg_lint_extension_is_der: its flag and its value, which decoding alone takes in any form. */
bool sg_lint_extension_is_der(X509_EXTENSION *extension);
/* sg_lint_name_is_der: a name's bytes, which OpenSSL keeps as they came; no RDN is empty. */
bool sg_lint_name_is_der(const X509_NAME *name);
/* sg_lint_is_host: labels of letters, digits and inner hyphens (RFC 1034 3.5, RFC 1123 2.1). */
bool sg_lint_is_host(struct sg_slice text);
/* sg_lint_is_key_id_of: id is what the issuer's certificate says, or else SHA-1 of its key. */
bool sg_lint_is_key_id_of(const ASN1_OCTET_STRING *id, const X509 *issuer);
/* sg_lint_directory_name: the nth (from 0) in subjectAltName and nameConstraints; NULL ends them.
 */
const X509_NAME *sg_lint_directory_name(const struct sg_lint_view *view, int nth);
struct sg_slice sg_lint_string(const ASN1_STRING *string);

#endif
